"""What the command line prints, and how it says that an argument cannot be read."""

from __future__ import annotations

import codecs
import contextlib
import difflib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from genmath.cli.reports import SIGN, Report, why

if TYPE_CHECKING:
    from genmath.proof import Derivation
    from genmath.proof.language.tree import Relation

UNREADABLE, INTERRUPTED = 2, 130  # exit codes
LABEL_WIDTH = 22
LONGEST = 1e6  # seconds
MUTANT_KEYS = ("made", "killed", "equivalent", "weaker", "discarded", "survived")


class Unreadable(Exception):
    """An argument that cannot be read, imported or found; the text says which and why."""


@contextlib.contextmanager
def complaints() -> Iterator[None]:
    try:
        yield
    except Unreadable as error:
        typer.echo(f"genmath: {error}", err=True)
        raise typer.Exit(UNREADABLE) from None
    except KeyboardInterrupt:
        typer.echo("genmath: interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None


def is_file(target: str) -> bool:
    """Topics and names hold no slash and no `.py`; `check .` is told that it names a folder."""
    return target.endswith(".py") or "/" in target or os.sep in target or set(target) == {"."}


LARGEST = 4_000_000  # bytes of a file; a long homework has some thousands


def readable(path: str) -> bytes:
    """What is in a file of UTF-8 text; or at once, before any worker starts, what is wrong."""
    try:
        if os.path.isdir(path):
            raise Unreadable(f"{path} is a folder, not a file")
        if os.path.exists(path) and not os.path.isfile(path):
            raise Unreadable(f"{path} is no plain file")  # a pipe would be waited for
        with open(path, "rb") as stream:
            source = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise Unreadable(f"no such file: {path}") from None
    except (OSError, ValueError) as error:
        raise Unreadable(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}"
        ) from None
    if len(source) > LARGEST:
        raise Unreadable(f"{path} has more than {LARGEST} bytes")
    try:
        if b"\0" in source:
            raise Unreadable(f"{path} is no text in UTF-8, {_instead(source)}")
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte 0x{error.object[error.start]:02x} at offset {error.start}"
        said = f"{path} is not valid UTF-8 ({byte}), {_instead(source)}"
        raise Unreadable(said.rstrip(", ")) from None
    return source


def _instead(source: bytes) -> str:
    """What bytes that are no UTF-8 seem to be, where that can be told; and what to do."""
    if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "but UTF-16: save it as UTF-8"
    if b"\0" in source:
        halves = source[::2], source[1::2]
        if any(half.count(0) > 0.4 * len(half) and half.isascii() for half in halves):
            return "but UTF-16, it seems: save it as UTF-8"
        return "but binary"
    for codec, name in (("euc_kr", "EUC-KR"), ("cp949", "CP949")):
        with contextlib.suppress(UnicodeDecodeError):
            if any("가" <= letter <= "힣" for letter in source.decode(codec)):
                return f"but {name}, it seems: save it as UTF-8"
    return ""


def seconds(value: float) -> float:
    """A limit of time that a clock can be set to."""
    if not 0.01 <= value <= LONGEST:
        typer.echo(f"genmath: --timeout {value:g}: expected 0.01 to {LONGEST:g} seconds", err=True)
        raise typer.Exit(UNREADABLE)
    return value


def nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def as_text(derivation: Derivation) -> str:
    """A derivation as it would stand on a blackboard: a block a chain, a line a step."""
    from genmath.proof import text
    from genmath.proof.language.typeset import chain_title

    lines = [paint(derivation.name, "1") + "  " + derivation.title]
    lines.append(paint(f"{_near(derivation.file)}:{derivation.line}", "2"))
    if derivation.given:
        lines.append("given " + ", ".join(dict.fromkeys(map(_given, derivation.given))))
    for chain in derivation.chains:
        lines += ["", *(f"  {words}:" for words in chain_title(chain))]
        rows = [(SIGN[s.relation], "..." if s.missing else text(s.rhs), s.by) for s in chain.steps]
        width = min(64, max(len(row[1]) for row in rows))
        lines.append(f"      {text(chain.start)}")
        for sign, right, by in rows:
            lines.append(f"    {sign} {right:{width}}   {paint(by, '2')}".rstrip())
        if len(rows) > 1:
            last = chain.steps[-1]
            end = "..." if last.missing else text(last.rhs)
            lines += ["", f"  so  {text(chain.start)} {SIGN[chain.relation]} {end}"]
        for this, other in chain.tight:
            lines.append(f"      with equality when {text(this)} = {text(other)}")
    return "\n".join(lines)


def _given(hypothesis: Relation) -> str:
    from genmath.proof import text

    sign = SIGN.get(hypothesis.sign, hypothesis.sign)
    return f"{text(hypothesis.left)} {sign} {text(hypothesis.right)}"


def heading(width: int, mutants: bool) -> str:
    cells = ["    ", f"{'derivation':{width}}", f"{'label':{LABEL_WIDTH}}", "steps", "   A", "   B"]
    cells += [f"{'mutants killed':16}"] * mutants + ["   time"]
    return paint("  ".join(cells), "2")


def line(report: Report, width: int, mutants: bool) -> str:
    steps = report["steps"]
    mark = paint("ok  ", "32") if report["ok"] else paint("FAIL", "31;1")
    cells = [mark, f"{report['name']:{width}}", f"{report['label'] or '':{LABEL_WIDTH}}"]
    cells += [f"{len(steps):5}"]
    cells += [f"{sum(bool(s[way]) for s in steps):4}" for way in ("symbolic", "numeric")]
    if mutants:
        made, killed, equivalent, weaker, _, survived = _mutants([report])
        counted = f"{killed}/{made - equivalent - weaker}"
        cells.append(f"{counted + (f', {survived} SURVIVED' if survived else ''):16}")
    cells.append(f"{report['seconds']:5.2f} s")
    return "\n".join(["  ".join(cells), *failures(report)])


def _mutants(reports: Iterable[Report]) -> list[int]:
    counts = [step.get("mutants") or {} for report in reports for step in report["steps"]]
    return [sum(count.get(key, 0) for count in counts) for key in MUTANT_KEYS]


def failures(report: Report) -> Iterator[str]:
    """What a reader needs to mend the derivation, indented under its line."""
    for number, step in enumerate(report["steps"], 1):
        survived = (step.get("mutants") or {}).get("survived", 0)
        if step["verdict"] == "proved" and not survived:
            continue
        if step["verdict"] != "proved" and report["ok"]:  # `verified on instances`, and meant
            continue
        verdict = step["verdict"] if step["verdict"] != "proved" else f"{survived} mutants survived"
        where = f"{_near(report['file'])}:{step['line']}"
        by = f', by "{step["by"]}"' if step["by"] else ""
        yield f"  {where}: step {number} of {len(report['steps'])}{by}: {paint(verdict, '31;1')}"
        yield f"      {step.get('lhs_text') or step['lhs']}"
        yield f"    {SIGN[step['relation']]} {step.get('rhs_text') or step['rhs']}"
        yield from (f"    {line}" for line in why(step))
    where = _near(report["file"]) + (f":{report['line']}" if "line" in report else "")
    for problem in report["problems"]:
        yield f"  {where}: {problem}"
    for remark in report["remarks"]:
        yield f"  {where}: remark: {remark}"


def summary(reports: Sequence[Report], seconds: float) -> str:
    steps = [step for report in reports for step in report["steps"]]
    counts = {
        v: sum(s["verdict"] == v for s in steps)
        for v in ("proved", "refuted", "open", "timeout", "missing")
    }
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    made, killed, equivalent, weaker, discarded, survived = _mutants(reports)
    if made:
        said += f"; {made} mutants: {killed} killed, {equivalent} equivalent, {weaker} weaker, "
        said += f"{discarded} discarded, {survived} survived"
    if any("kernel" in step for step in steps):
        said += f"; kernel: {by_kernel(reports)}"
    failed = sum(not report["ok"] for report in reports)
    verdict = paint(f"{failed} failed", "31;1") if failed else paint("all as claimed", "32;1")
    what = f"{count(len(reports), 'derivation')}, {count(len(steps), 'step')}"
    return f"{what} ({said}): {verdict}, {seconds:.1f} s"


def by_kernel(reports: Sequence[Report], named: bool = False) -> str:
    """How many steps the kernel verifies whole, and how many but for laws or results."""
    said = [step["kernel"] for report in reports for step in report["steps"] if "kernel" in step]
    resting = [one["supposed"] for one in said if one["supposed"]]
    whole = sum(one["accepted"] for one in said) - len(resting)
    counts = f"{whole} of {count(len(said), 'step')} whole"
    if not resting:
        return counts
    laws = "; ".join(sorted({law for supposed in resting for law in supposed}))
    return f"{counts}, {len(resting)} but for {laws if named else 'laws or results'}"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _near(file: str | os.PathLike[str]) -> str:
    """A path as one would type it from here."""
    with contextlib.suppress(ValueError):
        return str(Path(file).resolve().relative_to(Path.cwd()))
    return str(file)


def paint(words: str, code: str) -> str:
    """Colour where a person looks on; plain text in a pipe."""
    if (
        not words
        or "NO_COLOR" in os.environ
        or not sys.stdout.isatty()
        or os.environ.get("TERM") == "dumb"
    ):
        return words
    return f"\x1b[{code}m{words}\x1b[0m"


def wants_progress() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
