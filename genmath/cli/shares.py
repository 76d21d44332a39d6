"""What one process does of a folder of certificates: those of a chapter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from genmath.cli.finding import shipped, topics
from genmath.proof.certificate import files
from genmath.proof.certificate.shown import shown
from genmath.proof.kernel import Certificate, Line, Rejected, check
from genmath.proof.kernel.limits import CHARACTERS as MOST


def write(topic: str, names: Sequence[str], folder: Path) -> list[Certificate]:
    """Of a chapter of the book, those derivations."""
    derivations = [d for d in shipped(topic).derivations if d.name in names]
    return brief(w.checked for w in files.write(derivations, folder))


def brief(checked: Iterable[Certificate]) -> list[Certificate]:
    """Without the claims: they need not travel to another process."""
    return [
        replace(one, lines=tuple(replace(n, said=None, claim=None) for n in one.lines))
        for one in checked
    ]


@dataclass
class Verified:
    """A file, what the kernel says of it, and in what it differs from the book."""

    file: Path
    troubles: list[str] = field(default_factory=list)
    certificate: Certificate | None = None  # without its claims
    shown: list[str] = field(default_factory=list)
    differs: str = ""


def verify(paths: Sequence[Path], alone: bool, show: bool) -> list[Verified]:
    return [_verified(Verified(path), alone, show) for path in paths]


def _verified(one: Verified, alone: bool, show: bool) -> Verified:
    text = _text(one)
    if text is None:
        return one
    try:
        checked = check(text)
    except Rejected as why:
        one.troubles.append(f"{one.file}: {why}")
        return one
    for line in checked.lines:
        if line.rejected:
            one.troubles.append(f"{one.file}: line {line.number} is rejected: {line.rejected}")
        if show:
            one.shown += _shown(checked.derivation, line)
    topic = checked.derivation.partition(".")[0]
    if not alone and topic in topics():
        same = [d for d in shipped(topic).derivations if d.name == checked.derivation]
        one.differs = "".join(files.differs(checked, d) for d in same)
    (one.certificate,) = brief([checked])
    return one


def _text(one: Verified) -> str | None:
    """What is in a file, if that can be read; whether it is what its name says."""
    file = one.file
    if not file.is_file():
        one.troubles.append(f"{file}: it is no file")
        return None
    try:
        if file.stat().st_size > MOST:
            one.troubles.append(f"{file}: it has more than {MOST} bytes")
            return None
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        one.troubles.append(f"{file}: {why}")
        return None
    found = files.NAME.fullmatch(file.name)
    if not found or found[2] != files.digest(text):
        one.troubles.append(f"{file}: it is not what its name says: altered, or written in part")
    return text


def _shown(name: str, line: Line) -> list[str]:
    said = [f"{name}, line {line.number}"]
    if line.claim is None or line.rejected:
        return [*said, f"  {line.rejected or f'no certificate: {line.without}'}"]
    said += [f"  {words}" for words in shown(line.claim)]
    if line.supposed:
        said.append(f"  resting on: {'; '.join(line.supposed)}")
    return said
