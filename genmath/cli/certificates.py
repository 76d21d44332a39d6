"""`genmath check --certificates DIR` writes proofs as data, `genmath verify DIR` re-checks them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from genmath.cli.console import Unreadable, is_file
from genmath.cli.finding import loaded, shipped, topics
from genmath.cli.workers import Outcome, Pool, Task, cores, how_it_ended

if TYPE_CHECKING:
    from genmath.cli.shares import Verified
    from genmath.proof.kernel import Certificate

FAILED = 1
LITTLE = 24, 300_000  # lines to write, bytes to verify: another process takes as long to start
SECONDS = 3600.0  # for a chapter
Share = tuple[Any, ...]  # the arguments of a function of `shares`


def write(names: Sequence[str], folder: Path) -> int:
    """A file a derivation; what is covered, in the last line."""
    from genmath.cli import shares
    from genmath.proof.certificate import files

    derivations = {d.name: (d, is_file(name)) for name in names for d in loaded(name)}
    own, chapters = [], dict[str, list[str]]()
    for derivation, of_file in derivations.values():
        if of_file:
            own.append(derivation)
        else:
            chapters.setdefault(derivation.topic, []).append(derivation.name)
    longest_first = sorted(chapters.items(), key=lambda chapter: -len(chapter[1]))
    todo = [(topic, those, folder) for topic, those in longest_first]
    little = sum(len(d.steps) for d, _ in derivations.values()) < LITTLE[0]
    try:
        written = shares.brief(w.checked for w in files.write(own, folder))
        for done in _shared("write", todo, little):
            if isinstance(done, str):
                raise Unreadable(f"--certificates {folder}: {done}")
            written += done
    except OSError as error:
        raise Unreadable(f"--certificates {folder}: {error.strerror or error}") from None
    typer.echo(f"{_counted(written)}; to re-check them: genmath verify {folder}")
    return 0


def verify(folder: Path, alone: bool, show: bool) -> int:
    """What the kernel says of each file; whether each claims what the book does."""
    paths = _files(folder)
    chapters = [(t, [*of]) for t, of in itertools.groupby(paths, lambda f: f.name.split(".")[0])]
    if not alone:
        for topic in {topic for topic, _ in chapters}.intersection(topics()):
            shipped(topic)  # here, for all processes that are forked
    todo: list[Share] = [(of, alone, show) for _, of in chapters]
    little = sum(f.stat().st_size for f in paths if f.is_file()) < LITTLE[1]
    found: list[Verified] = []
    troubles: list[str] = []
    for (topic, _), done in zip(chapters, _shared("verify", todo, little), strict=True):
        if isinstance(done, str):
            troubles.append(f"{folder}: {topic}: {done}")
            continue
        for one in done:
            troubles += one.troubles
            for line in one.shown:
                typer.echo(line)
        found += done
    checked = [one.certificate for one in found if one.certificate]
    others, missing = ([], []) if alone else _compared(found, troubles)
    for trouble in troubles:
        typer.echo(f"genmath: {trouble}", err=True)
    typer.echo(_counted([c for c in checked if c.derivation not in others]))
    if alone:
        typer.echo("the claims were not compared with the book's")
    if others:
        typer.echo(f"not in the book, so neither compared nor counted: {', '.join(others)}")
    if missing:
        typer.echo(f"of these chapters without a file: {', '.join(missing)}")
    return FAILED if troubles else 0


def _shared(kind: str, todo: Sequence[Share], little: bool) -> list[Any]:
    """The answers to each, in order, by as many processes as there are cores; a str says why there
    is none."""
    from genmath.cli import shares

    if little or cores() == 1 or len(todo) < 2:
        return [getattr(shares, kind)(*share) for share in todo]
    tasks = [Task((kind, *share), SECONDS, None) for share in todo]
    with Pool(min(cores(), len(todo)), shares.__name__) as pool:
        ended = dict(filter(None, pool.run(tasks)))
    return [_answer(ended[k]) for k in range(len(todo))]


def _answer(ended: Outcome) -> Any:
    if ended.status in ("done", "refused"):
        return ended.value
    if ended.status == "died":
        return f"the process ended ({how_it_ended(ended.value)})"
    return f"not finished: {ended.status}" if ended.value is None else str(ended.value)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise Unreadable(f"{folder} is no folder")
    files = sorted(folder.glob("*.json"))
    if not files:
        raise Unreadable(f"{folder} holds no certificate: genmath check --certificates {folder}")
    return files


def _compared(found: Sequence[Verified], troubles: list[str]) -> tuple[list[str], list[str]]:
    """Which derivations are not the book's, and which of its chapters have no certificate; what
    claims something else goes to `troubles`."""
    from genmath.proof.certificate.files import NAME, plain

    checked = [(one.file, one.certificate.derivation, one) for one in found if one.certificate]
    book = {
        d.name
        for topic in topics()
        if any(name.partition(".")[0] == topic for _, name, _ in checked)
        for d in shipped(topic).derivations
    }
    others, seen = [], set[str]()
    for file, name, one in checked:
        if (said := NAME.fullmatch(file.name)) and said[1] != plain(name):
            troubles.append(f"{file}: it is for {name}, which its name does not say")
        if name in seen:
            troubles.append(f"{file}: another file is for {name} too")
        seen.add(name)
        if name not in book:
            others.append(name)
        elif one.differs:
            troubles.append(f"{file}: {one.differs}")
    return others, sorted(book - seen)


def _counted(checked: Sequence[Certificate]) -> str:
    from genmath.proof.certificate import files

    lines = [line for c in checked for line in c.lines]
    whole, under = files.verified(lines)
    counts = f"{len(checked)} certificates, {len(lines)} lines: {whole} verified whole, "
    counts += f"{under} but for laws or results that they name, "
    counts += f"{sum(bool(line.without) for line in lines)} without certificate"
    if rejected := sum(bool(line.rejected) for line in lines):
        counts += f", {rejected} REJECTED"
    return counts
