"""A file a derivation; its name carries a hash of what is in it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genmath.proof.certificate import said
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.written import of_step, statements
from genmath.proof.kernel import Certificate, Line, check
from genmath.proof.language.derivation import Derivation, Step

DIGITS = 16  # of the hash
NAME = re.compile(rf"(.+)-([0-9a-f]{{{DIGITS}}})\.json")


@dataclass(frozen=True)
class Written:
    """A certificate, and what the kernel says of it."""

    text: str
    checked: Certificate

    @property
    def name(self) -> str:
        return f"{plain(self.checked.derivation)}-{digest(self.text)}.json"


def write(derivations: Iterable[Derivation], folder: Path) -> list[Written]:
    """A file for each, in place of one that was written for it before; an `OSError` where there
    can be none."""
    folder.mkdir(parents=True, exist_ok=True)
    before: dict[str, list[Path]] = {}
    for file in folder.glob("*.json"):
        if found := NAME.fullmatch(file.name):
            before.setdefault(found[1], []).append(file)
    written = []
    for derivation in derivations:
        one = of_derivation(derivation)
        for old in before.pop(plain(derivation.name), []):
            if old.name != one.name:
                old.unlink()
        (folder / one.name).write_text(one.text, encoding="utf-8")
        written.append(one)
    return written


def of_derivation(derivation: Derivation) -> Written:
    lines: list[dict[str, Any]] = []
    for k, step in enumerate(steps_of(derivation), 1):
        try:
            lines.append({"line": k, **of_step(step)})
        except NoProof as why:
            lines.append({"line": k, "without": str(why)[:300]})
        except RecursionError:
            lines.append({"line": k, "without": "too deeply nested"})
    document = {"format": 1, "derivation": derivation.name, "lines": lines}
    text = json.dumps(document, separators=(",", ":")) + "\n"
    return Written(text, check(text))


def steps_of(derivation: Derivation) -> list[Step]:
    """What has a line: the steps, then the equality cases, as they are judged."""
    if not any(chain.tight for chain in derivation.chains):
        return derivation.steps
    from genmath.proof.check import tight_steps  # and with it the judges: slow to import

    equality_cases, _ = tight_steps(derivation)
    return [*derivation.steps, *equality_cases]


def differs(checked: Certificate, derivation: Derivation) -> str:
    """In what a certificate claims something else than the derivation of its name; or ""."""
    steps = steps_of(derivation)
    if len(checked.lines) != len(steps):
        return f"it has {len(checked.lines)} lines, the derivation {len(steps)}"
    for line, step in zip(checked.lines, steps, strict=True):
        if line.without:
            continue
        try:
            same = any(line.said == said.claim(one) for one in statements(step))
        except NoProof:
            same = False
        if not same:
            return f"line {line.number} claims something else than the derivation"
    return ""


def verified(lines: Iterable[Line]) -> tuple[int, int]:
    """How many are verified whole, and how many but for laws or results that they name."""
    proved = [line for line in lines if not line.without and not line.rejected]
    whole = sum(not line.supposed for line in proved)
    return whole, len(proved) - whole


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def plain(name: str) -> str:
    return re.sub(r"[^\w.]", "_", name, flags=re.ASCII)
