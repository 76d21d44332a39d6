"""`genmath list`, `genmath show`, `genmath check`: the book at the command line.

Nothing is checked in the process you type into. Workers import the files you name and check one
derivation at a time; a worker that overruns its time is killed, and the derivation's verdict is
`timeout`. A file you name is a Python program: it runs as you, with all your rights.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genmath import __version__
from genmath.cli import certificates as proofs_as_data
from genmath.cli import classroom, proofs, training, watch
from genmath.cli.console import (
    UNREADABLE,
    Unreadable,
    as_text,
    by_kernel,
    complaints,
    heading,
    is_file,
    line,
    paint,
    readable,
    seconds,
    summary,
    wants_progress,
)
from genmath.cli.finding import find, loaded, shipped, topics
from genmath.cli.reports import Report, plain, shortened
from genmath.cli.workers import (
    Outcome,
    Pool,
    Task,
    cores,
    how_it_ended,
    judgements,
    outline,
)

if TYPE_CHECKING:
    from rich.live import Live


FAILED = 1

app = typer.Typer(
    name="genmath",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


# ---- the three commands --------------------------------------------------------------------------


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"genmath {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """The mathematics of generative models: derivations that are checked.

    \b
    Examples:
      genmath list                      what the book derives
      genmath show vae.elbo             one derivation, step by step
      genmath check vae                 check a chapter
      genmath check homework.py         check a derivation of your own
      genmath exercise list             exercises, to be filled in and checked
      genmath train list                models to train, each by one command
    """


@app.command("list")
def list_() -> None:
    """List the chapters and their derivations.

    \b
    Examples:
      genmath list
      genmath list | grep -i gaussian
    """
    from genmath._topics import TOPICS

    with complaints():
        chapters = [shipped(topic) for topic in topics()]
    width = max((len(d.name) for c in chapters for d in c.derivations), default=0)
    part = ""
    for topic, chapter in zip(TOPICS, chapters, strict=True):
        if topic.part != part:
            typer.echo("\n" * bool(part) + paint(topic.part.upper(), "2"))
            part = topic.part
        typer.echo()
        typer.echo(paint(chapter.topic, "1") + "  " + chapter.title)
        for derivation in chapter.derivations:
            typer.echo(f"  {derivation.name:{width}}  {derivation.title}")


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="A derivation, a topic, or a file: vae.elbo, vae, homework.py.")
    ],
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX, ready to paste.")] = False,
) -> None:
    """Print a derivation: every step, and why it holds.

    \b
    Examples:
      genmath show vae.elbo
      genmath show vae.elbo --latex
      genmath show vae
    """
    from genmath.proof.language.typeset import typeset

    with complaints():
        derivations = loaded(name)
    for index, derivation in enumerate(derivations):
        if index:
            typer.echo()
        typer.echo(typeset(derivation) if latex else as_text(derivation))


@app.command()
def check(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TOPIC|NAME|FILE.py", help="What to check; the whole book if nothing is named."
        ),
    ] = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Also break every claim and see that it is refuted.")
    ] = False,
    kernel: Annotated[
        bool,
        typer.Option("--kernel", help="Prove only what a small kernel accepts a proof of, too."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object instead.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            metavar="N",
            help="Processes to check with.",
            show_default="as many as pay",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout",
            callback=seconds,
            metavar="S",
            help="Seconds of processor time a step may take.",
        ),
    ] = 60.0,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="TASK.py", help="Compare answers with a task; a line a file."
        ),
    ] = None,
    coq: Annotated[
        Path | None,
        typer.Option(
            "--coq", metavar="DIR", help="Write the steps that are algebra as Coq theorems instead."
        ),
    ] = None,
    certificates: Annotated[
        Path | None,
        typer.Option(
            "--certificates",
            metavar="DIR",
            help="Write the steps that are algebra as proofs for `genmath verify` instead.",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--watch", help="Check again whenever a file is saved; Ctrl-C ends it.")
    ] = False,
) -> None:
    """Check derivations: the book's, or a file of your own.

    \b
    Every step is judged twice: A proves it for all densities and parameters,
    B evaluates both sides in random concrete worlds. A and B share no code.
    With --mutants the claim is also broken in every way that applies, and the
    checker must notice. With --kernel a step is proved only if its proof can also
    be written down and a small kernel, which shares no code with A and B, accepts it.
    A file you name is a Python program and runs as you.

    \b
    Examples:
      genmath check                     the whole book
      genmath check vae ddpm            two chapters
      genmath check vae.elbo --mutants  one derivation, and the checker's strength on it
      genmath check vae --kernel        and with a proof that a kernel re-checks
      genmath check homework.py --json  your own file, for a program to read
      genmath check vae --coq proofs    theorems for coqc, a foreign kernel
      genmath check vae --certificates proofs   proofs as data, for genmath verify
      genmath check homework.py --watch check it again whenever it is saved
      genmath check class/*.py --against task.py --json   a line a student

    \b
    Exit code:
      0  everything is as claimed
      1  a step was refuted, stayed open, is missing or timed out, or a mutant survived
      2  an argument that cannot be read, imported or holds no derivation
    """
    named = targets or []
    more = mutants or kernel or as_json or again or against is not None
    for option, folder, write in (
        ("--coq", coq, proofs.write),
        ("--certificates", certificates, proofs_as_data.write),
    ):
        if folder is not None:
            with complaints():
                if more or (coq is not None and certificates is not None):
                    raise Unreadable(f"{option} goes with topics, names and files alone")
                raise typer.Exit(write(named or topics(), folder))
    if kernel and against is not None:
        with complaints():
            raise Unreadable("--kernel goes without --against")
    if again:
        with complaints():
            files = [target for target in named if is_file(target)]
            if not files or against is not None or as_json:
                raise Unreadable("--watch goes with a file to check, without --against and --json")
            for _ in watch.saved(files):
                code = _check_once(named, mutants, kernel, False, jobs, timeout)
                typer.echo(f"-- exit code {code}; saving it checks again, Ctrl-C ends this")
                sys.stdout.flush()
    if against is not None:
        raise typer.Exit(classroom.check_against(against, named, jobs, timeout, as_json))
    raise typer.Exit(_check_once(named, mutants, kernel, as_json, jobs, timeout))


def _check_once(
    targets: Sequence[str],
    mutants: bool,
    kernel: bool,
    as_json: bool,
    jobs: int | None,
    timeout: float,
) -> int:
    """Print what is found; the exit code."""
    began = time.perf_counter()
    with Pool() as pool, complaints():
        work = _gather(targets, pool, timeout)
        if work is None:
            return UNREADABLE
        pool.size = jobs or _default_jobs(work, mutants)
        schema, reports = _check_all(work, pool, mutants, kernel, timeout, as_json)
    if as_json:
        document = {"schema": schema, "version": __version__, "derivations": reports}
        typer.echo(json.dumps(plain(document), ensure_ascii=False, indent=1, allow_nan=False))
    else:
        typer.echo(summary(reports, time.perf_counter() - began))
    return 0 if all(report["ok"] for report in reports) else FAILED


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the certificates are.")],
    show: Annotated[
        bool, typer.Option("--show", help="Print what each line claims, and on what it rests.")
    ] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="Leave the book aside: only whether the proofs are.")
    ] = False,
) -> None:
    """Re-check proofs that `genmath check --certificates DIR` wrote.

    \b
    A small kernel goes through every proof; it shares no code with the checker.
    Then each claim is compared with the one that the book makes.

    \b
    Examples:
      genmath check --certificates proofs && genmath verify proofs
      genmath verify proofs --show

    \b
    Exit code:
      0  none is rejected; each claim that is the book's by name is the one of the book.
         What has no certificate is counted, so read the count
      1  one is rejected, altered, or claims something else
      2  no such folder, or no certificate in it
    """
    with complaints():
        raise typer.Exit(proofs_as_data.verify(folder, alone, show))


@app.command()
def mcp() -> None:
    """Serve the checker to agents, by the Model Context Protocol on stdin and stdout.

    \b
    Its tools check a derivation, search the book's results and show one. It needs
    pip install "mcp>=2.0".

    \b
    Examples:
      genmath mcp
      claude mcp add genmath -- genmath mcp
    """
    with complaints():
        try:
            from genmath.cli import agents
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "mcp":
                raise
            raise Unreadable('genmath mcp needs: pip install "mcp>=2.0"') from None
        agents.server.run("stdio")


app.add_typer(classroom.app, name="exercise")
training.add_to(app)

WHOLE_BOOK = 40  # from so many derivations on, the table leaves the assumptions to --json


def main() -> None:
    """The entry point of the `genmath` command."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app(prog_name="genmath")


# ---- finding what to check -----------------------------------------------------------------------


@dataclass
class _Work:
    """One derivation to check. `outline` says what it claims, for when its report never comes."""

    source: str  # a topic, or the path of a file
    is_file: bool
    name: str
    chapter: str  # the row of the table
    steps: int
    judgements: int
    outline: Callable[[], Report]


def _gather(targets: Sequence[str], pool: Pool, timeout: float) -> list[_Work] | None:
    """The derivations the arguments name, each once, in order; or says which cannot be read."""
    found: dict[tuple[str, str], _Work] = {}
    unread = 0
    with complaints():
        targets = targets or topics()
    for target in targets:
        try:
            works = _from_file(target, pool, timeout) if is_file(target) else _from_book(target)
        except Unreadable as error:
            typer.echo(f"genmath: {error}", err=True)
            unread += 1
            continue
        for work in works:
            key = (work.source, work.name)
            found.setdefault(key, work)
    return None if unread else list(found.values())


def _from_file(path: str, pool: Pool, timeout: float) -> list[_Work]:
    readable(path)
    absolute = os.path.abspath(path)  # whatever the file does to the working directory
    task = Task(("load", absolute), timeout, absolute)
    ((_, outcome),) = [done for done in pool.run([task]) if done]
    if outcome.status == "timeout":
        limit = f"{timeout:g} s of processor time (--timeout)"
        raise Unreadable(f"{path}: importing it took longer than {limit}")
    if outcome.status == "died":
        raise Unreadable(f"{path}: importing it ended the process ({how_it_ended(outcome.value)})")
    if outcome.status == "failed":
        raise Unreadable(f"{path}: {outcome.value}")
    if outcome.status == "refused":
        raise Unreadable(outcome.value.replace(absolute, path))
    row = Path(path).name
    return [
        _Work(absolute, True, o["name"], row, len(o["steps"]), claims, partial(dict, o))
        for o, claims in outcome.value
    ]


def _from_book(name: str) -> list[_Work]:
    return [
        _Work(topic, False, d.name, topic, len(d.steps), judgements(d), partial(outline, d))
        for topic, d in find(name)
    ]


# ---- checking ------------------------------------------------------------------------------------


def _default_jobs(work: Sequence[_Work], mutants: bool) -> int:
    """One process for what takes a second: another one has to import sympy for itself."""
    if len(work) < 2 or (not mutants and sum(w.steps for w in work) < 24):
        return 1
    return min(cores(), len(work))


def _check_all(
    work: Sequence[_Work],
    pool: Pool,
    mutants: bool,
    kernel: bool,
    timeout: float,
    as_json: bool,
) -> tuple[int, list[Report]]:
    """The report schema's number, and the reports; prints a line a derivation as they come."""
    reports: list[Report | None] = [None] * len(work)
    schema, shown = 1, 0
    table = _Table(work) if wants_progress() else None
    width = max([len("derivation"), *(len(w.name) for w in work)])

    def show_ready() -> None:
        nonlocal shown
        while shown < len(reports) and (report := reports[shown]) is not None:
            typer.echo(line(report, width, mutants))
            if report["hypotheses_text"] and len(work) < WHOLE_BOOK:
                typer.echo(paint(f"      given: {'; '.join(report['hypotheses_text'])}", "2"))
            if report["assumed"] and len(work) < WHOLE_BOOK:
                typer.echo(paint(f"      assuming: {shortened(report['assumed'])}", "2"))
            if kernel and len(work) < WHOLE_BOOK:
                typer.echo(paint(f"      kernel: {by_kernel([report], named=True)}", "2"))
            shown += 1

    if not as_json and not table:
        typer.echo(heading(width, mutants))
    tasks = [
        Task(
            ("check", w.source, w.is_file, w.name, mutants, kernel, timeout),
            timeout * w.judgements,
            w.source if w.is_file else None,
        )
        for w in work
    ]
    with table or contextlib.nullcontext():
        for done in pool.run(tasks):
            if done:
                index, outcome = done
                if outcome.status == "done":
                    schema, report = outcome.value
                else:
                    report = _unfinished(work[index].outline(), outcome, timeout)
                if as_json and not work[index].is_file:
                    report["key"] = shipped(work[index].source).key
                reports[index] = report
                if not as_json and not table:
                    show_ready()
            if table:
                table.update(reports, pool.running())
    if not as_json and table:
        typer.echo(heading(width, mutants))
        show_ready()
    return schema, [report for report in reports if report is not None]


def _unfinished(outline: Report, outcome: Outcome, timeout: float) -> Report:
    """The report of a derivation whose worker was killed, died or failed."""
    late = outcome.status == "timeout"
    if late:
        problem = f"not finished when its time was up ({timeout:g} s a step, --timeout)"
    elif outcome.status == "died":
        problem = f"the checking process ended ({how_it_ended(outcome.value)})"
    else:
        problem = f"the checker failed: {outcome.value}"
    verdict = "timeout" if late else "open"
    unjudged = {"verdict": verdict, "reason": problem, "symbolic": False, "numeric": False}
    unjudged |= dict.fromkeys(("ms", "residual", "residual_text", "counterexample"))
    return {
        **outline,
        "label": "not proved",
        "hypotheses": [],
        "hypotheses_text": [],
        "assumed": [],
        "uses": [],
        "slips": [],
        "steps": [{**step, **unjudged} for step in outline["steps"]],
        "ok": False,
        "problems": [problem],
        "remarks": [],
        "seconds": outcome.seconds,
    }


# ---- progress ------------------------------------------------------------------------------------


class _Table:
    """The live table on stderr, a row a chapter. No thread redraws it: workers fork beside it."""

    def __init__(self, work: Sequence[_Work]) -> None:
        self.work = work
        self.began = time.perf_counter()
        self.live: Live | None = None

    def __enter__(self) -> _Table:
        from rich.console import Console
        from rich.live import Live

        self.live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def update(self, reports: Sequence[Report | None], running: Sequence[int]) -> None:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False)
        for title in ("chapter", "", "done", "failed", "time", "now"):
            table.add_column(
                title,
                header_style="dim",
                justify="right" if title in ("done", "failed", "time") else "left",
            )
        for row in dict.fromkeys(w.chapter for w in self.work):
            mine = [i for i, w in enumerate(self.work) if w.chapter == row]
            done = [report for i in mine if (report := reports[i]) is not None]
            failed = sum(not report["ok"] for report in done)
            table.add_row(
                Text(row),
                ProgressBar(total=len(mine), completed=len(done), width=20),
                f"{len(done)}/{len(mine)}",
                Text(str(failed) if failed else "", style="red"),
                f"{sum(report['seconds'] for report in done):.1f} s",
                Text(", ".join(self.work[i].name for i in running if i in mine)),
            )
        table.add_row("", "", "", "", f"{time.perf_counter() - self.began:.1f} s", "")
        if self.live:
            self.live.update(table, refresh=True)
