"""Certificates as files: one derivation, an entry a line, in strict JSON.

    {"format": 1, "derivation": "vae.elbo", "lines": [
        {"line": 1, "claim": {...}, "proof": [...]},
        {"line": 2, "without": "why no certificate was written"}]}

Whatever else it may be is refused in a sentence: other fields, a field twice, numbers that are no
small whole ones, deep nesting, great size.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from genmath.proof.kernel import claims
from genmath.proof.kernel.limits import CHARACTERS, EFFORT, LINES, Rejected, Work
from genmath.proof.kernel.proof import proven

FORMAT = 1
UNFORESEEN = "it is something that the kernel did not foresee"


@dataclass(frozen=True)
class Line:
    """`supposed`: laws and results that the proof rests on; `without`: why there is no proof;
    `rejected`: why what is there proves nothing. `said` is the claim as it was read."""

    number: int
    said: Any = None
    claim: claims.Claim | None = None
    supposed: tuple[str, ...] = ()
    without: str = ""
    rejected: str = ""


@dataclass(frozen=True)
class Certificate:
    derivation: str
    lines: tuple[Line, ...]


def check(text: str) -> Certificate:
    """What a certificate proves; `Rejected` if it is none."""
    said = read(text)
    claims.fields(said, {"format", "derivation", "lines"})
    if type(said["format"]) is not int or said["format"] != FORMAT:
        raise Rejected(f"it is not of format {FORMAT}")
    name = said["derivation"]
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 200:
        raise Rejected("it names no derivation")
    if not isinstance(said["lines"], list) or len(said["lines"]) > LINES:
        raise Rejected("it has no list of lines, or too many")
    work = Work(EFFORT)
    lines = tuple(_line(one, k, work) for k, one in enumerate(said["lines"], 1))
    return Certificate(name, lines)


def read(text: str) -> Any:
    """JSON, strictly."""
    if len(text) > CHARACTERS:
        raise Rejected(f"it has more than {CHARACTERS} characters")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_integer,
                          parse_float=_refused, parse_constant=_refused)  # fmt: skip
    except RecursionError:
        raise Rejected("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Rejected(f"it is no JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Rejected("a field is given twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > 6:
        raise Rejected("a whole number has more than six digits")
    return int(digits)


def _refused(said: str) -> Any:
    raise Rejected(f"{said[:20]} is no whole number")


def _line(said: Any, k: int, work: Work) -> Line:
    if not isinstance(said, dict) or type(said.get("line")) is not int or said["line"] != k:
        raise Rejected(f"line {k} is not where it belongs")
    if "without" in said:
        claims.fields(said, {"line", "without"})
        why = said["without"]
        if not isinstance(why, str) or not why.isprintable() or not 0 < len(why) <= 1000:
            raise Rejected(f"line {k} does not say why it has no proof")
        return Line(k, without=why)
    claims.fields(said, {"line", "claim", "proof"})
    try:
        claim = claims.claim(said["claim"])
        return Line(k, said["claim"], claim, tuple(proven(claim, said["proof"], work)))
    except Rejected as why:
        return Line(k, said["claim"], rejected=str(why))
    except Exception as error:  # no certificate ends the kernel; and this proves nothing
        return Line(k, said["claim"], rejected=f"{UNFORESEEN}: {type(error).__name__}")
