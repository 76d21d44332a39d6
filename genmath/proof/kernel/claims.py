"""What a certificate claims: a relation of two terms, for all letters and functions it declares.

A function is declared with what may be supposed of it, and nothing more is known of it:

    takes    how many letters each argument binds: [0, 0] for f(x, y), [1] for an integral
    values   relations that hold of each of its values, ["#", 0]
    ranges   relations that hold of the letters bound in its arguments, ["#", 0], ["#", 1], ...: it
             looks at these arguments nowhere else
    slope    the function that is its derivative; it takes one number, and so does that
    smooth   whether it has a derivative everywhere, in each number that it takes
    is       "sum", "integral", "between" (an integral with limits) or "expectation" (of the first
             argument, by the densities that are the others): linear in its first argument
             "KL", "JS" or "H": a divergence or an entropy, an expectation by the function `by`
    ratio    of a conditional density: two terms of which it is the quotient
    events   of a density: in how many of its arguments, the first ones, it integrates to one
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from genmath.proof.kernel.limits import MOST, Rejected
from genmath.proof.kernel.terms import OWN, PI, Fact, Reader, Term

LINEAR = ("sum", "integral", "between", "expectation")
MEANT = {"KL": 2, "JS": 2, "H": 1}  # of how many densities
NAME = re.compile(r"[A-Za-z_]\w{0,80}", re.ASCII)


@dataclass(frozen=True)
class Function:
    takes: tuple[int, ...]
    values: tuple[Fact, ...]
    ranges: tuple[Fact, ...]
    slope: str
    smooth: bool
    kind: str
    by: str
    ratio: tuple[Term, ...]
    events: int


@dataclass(frozen=True)
class Claim:
    functions: dict[str, Function]
    given: tuple[Fact, ...]  # what is declared of letters, and stated
    results: tuple[tuple[str, Fact], ...]  # earlier ones that the line names
    states: Fact
    read: Reader


def claim(said: Any) -> Claim:
    fields(said, {"letters", "functions", "given", "results", "states"})
    letters, declared = [name(n) for n in listed(said["letters"])], said["functions"]
    if not isinstance(declared, dict) or len(declared) > MOST:
        raise Rejected("no functions")
    if len({*letters, *map(name, declared)}) < len(letters) + len(declared):
        raise Rejected("a name is declared twice")
    takes = {n: _takes(f) for n, f in declared.items()}
    read = Reader({PI, *letters}, OWN | takes)
    functions = {n: _function(f, takes[n], read) for n, f in declared.items()}
    for f in functions.values():
        _consistent(f, functions)
    results = []
    for one in listed(said["results"]):
        fields(one, {"name", "says"})
        results.append((word(one["name"]), read.fact(one["says"])))
    given = tuple(map(read.fact, listed(said["given"])))
    return Claim(functions, given, tuple(results), read.fact(said["states"]), read)


def _takes(said: Any) -> tuple[int, ...]:
    fields(said, {"takes"}, {"values", "ranges", "slope", "smooth", "is", "by", "ratio", "events"})
    takes = listed(said["takes"])
    if len(takes) > 40 or not all(type(m) is int and 0 <= m <= 20 for m in takes):
        raise Rejected("a function takes numbers, and functions of at most 20 letters")
    return tuple(takes)


def _function(said: dict[str, Any], takes: tuple[int, ...], read: Reader) -> Function:
    return Function(
        takes,
        tuple(read.fact(c, 1) for c in listed(said.get("values", []))),
        tuple(read.fact(c, max(takes, default=0)) for c in listed(said.get("ranges", []))),
        word(said.get("slope", "")),
        said.get("smooth", False) is True,
        word(said.get("is", "")),
        word(said.get("by", "")),
        tuple(read(t, len(takes)) for t in listed(said.get("ratio", []))),
        said.get("events", 0),
    )


def _consistent(f: Function, functions: dict[str, Function]) -> None:
    """What is said of a function fits what it takes."""
    binders, by, slope = {*f.takes} - {0}, functions.get(f.by), functions.get(f.slope)
    count, numbers = len(f.takes), not any(f.takes)
    fits = [
        len(binders) < 2,
        bool(binders) or not f.ranges,
        not f.slope or (slope is not None and f.takes == slope.takes == (0,)),
        f.kind in ("", *LINEAR, *MEANT),
        f.kind not in LINEAR or f.takes[:1] > (0,),
        f.kind != "expectation" or (count > 1 and all(f.takes)),
        (f.kind in MEANT) == bool(f.by),
        f.kind not in MEANT or all(f.takes),
        not f.by or (by is not None and by.kind == "expectation" and f.ranges == by.ranges
                     and by.takes == f.takes[:1] * 2 and count == MEANT.get(f.kind)),
        not f.ratio or (len(f.ratio) == 2 and numbers),
        type(f.events) is int and 0 <= f.events <= count * numbers,
    ]  # fmt: skip
    if not all(fits):
        raise Rejected("what is declared of a function does not fit what it takes")


def name(said: Any) -> str:
    if not NAME.fullmatch(word(said)) or said in OWN or said == PI:
        raise Rejected("no name of a letter or function, or one that has a meaning already")
    return str(said)


def word(said: Any) -> str:
    if not isinstance(said, str) or len(said) > 200 or not said.isprintable():
        raise Rejected("no word")
    return said


def listed(said: Any, most: int = MOST) -> list[Any]:
    if not isinstance(said, list) or len(said) > most:
        raise Rejected("no list, or one that is too long")
    return said


def fields(said: Any, wanted: set[str], more: frozenset[str] | set[str] = frozenset()) -> None:
    if not isinstance(said, dict) or not wanted <= said.keys() <= wanted | more:
        raise Rejected(f"other fields than {', '.join(sorted(wanted | more))}")
