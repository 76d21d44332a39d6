"""`genmath check --certificates DIR` writes proofs as data, `genmath verify DIR` re-checks them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from genmath.cli.console import Unreadable
from genmath.cli.finding import loaded, shipped, topics

if TYPE_CHECKING:
    from genmath.proof.kernel import Certificate, Line

FAILED = 1


def write(names: Sequence[str], folder: Path) -> int:
    """A file a derivation; what is covered, in the last line."""
    from genmath.proof.certificate import files

    derivations = {d.name: d for name in names for d in loaded(name)}
    try:
        written = files.write(derivations.values(), folder)
    except OSError as error:
        raise Unreadable(f"--certificates {folder}: {error.strerror or error}") from None
    typer.echo(
        f"{_counted([w.checked for w in written])}; to re-check them: genmath verify {folder}"
    )
    return 0


def verify(folder: Path, alone: bool, show: bool) -> int:
    """What the kernel says of each file; whether each claims what the book does."""
    from genmath.proof.kernel import Rejected, check

    checked: dict[Path, Certificate] = {}
    troubles: list[str] = []
    for file, text in _texts(folder, troubles):
        try:
            checked[file] = check(text)
        except Rejected as why:
            troubles.append(f"{file}: {why}")
            continue
        for line in checked[file].lines:
            if line.rejected:
                troubles.append(f"{file}: line {line.number} is rejected: {line.rejected}")
            if show:
                _show(checked[file].derivation, line)
    others, missing = ([], []) if alone else _compared(checked, troubles)
    for trouble in troubles:
        typer.echo(f"genmath: {trouble}", err=True)
    typer.echo(_counted([c for c in checked.values() if c.derivation not in others]))
    if alone:
        typer.echo("the claims were not compared with the book's")
    if others:
        typer.echo(f"not in the book, so neither compared nor counted: {', '.join(others)}")
    if missing:
        typer.echo(f"of these chapters without a file: {', '.join(missing)}")
    return FAILED if troubles else 0


def _texts(folder: Path, troubles: list[str]) -> Iterator[tuple[Path, str]]:
    """The certificates of a folder, each with what is in it, if that is what its name says."""
    from genmath.proof.certificate.files import NAME, digest
    from genmath.proof.kernel.limits import CHARACTERS as MOST

    if not folder.is_dir():
        raise Unreadable(f"{folder} is no folder")
    files = sorted(folder.glob("*.json"))
    if not files:
        raise Unreadable(f"{folder} holds no certificate: genmath check --certificates {folder}")
    for file in files:
        if not file.is_file():
            troubles.append(f"{file}: it is no file")
            continue
        try:
            if file.stat().st_size > MOST:
                troubles.append(f"{file}: it has more than {MOST} bytes")
                continue
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text in UTF-8"
            troubles.append(f"{file}: {why}")
            continue
        found = NAME.fullmatch(file.name)
        if not found or found[2] != digest(text):
            troubles.append(f"{file}: it is not what its name says: altered, or written in part")
        yield file, text


def _compared(checked: dict[Path, Certificate], troubles: list[str]) -> tuple[list[str], list[str]]:
    """Which derivations are not the book's, and which of its chapters have no certificate; what
    claims something else goes to `troubles`."""
    from genmath.proof.certificate.files import NAME, differs, plain

    book = {
        d.name: d
        for topic in topics()
        if any(c.derivation.partition(".")[0] == topic for c in checked.values())
        for d in shipped(topic).derivations
    }
    others, seen = [], set[str]()
    for file, certificate in checked.items():
        name = certificate.derivation
        if (said := NAME.fullmatch(file.name)) and said[1] != plain(name):
            troubles.append(f"{file}: it is for {name}, which its name does not say")
        if name in seen:
            troubles.append(f"{file}: another file is for {name} too")
        seen.add(name)
        if name not in book:
            others.append(name)
        elif why := differs(certificate, book[name]):
            troubles.append(f"{file}: {why}")
    return others, sorted(book.keys() - seen)


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


def _show(name: str, line: Line) -> None:
    from genmath.proof.certificate.shown import shown

    typer.echo(f"{name}, line {line.number}")
    if line.claim is None or line.rejected:
        typer.echo(f"  {line.rejected or f'no certificate: {line.without}'}")
        return
    for said in shown(line.claim):
        typer.echo(f"  {said}")
    if line.supposed:
        typer.echo(f"  resting on: {'; '.join(line.supposed)}")
