"""What a certificate claims: a relation of two terms, for all letters and functions it declares.

A function is declared with what may be supposed of it, and nothing more is known of it:

    takes    how many letters each argument binds: [0, 0] for f(x, y), [1] for an integral
    values   relations that hold of each of its values, ["#", 0]
    ranges   relations that hold of the letters bound in its arguments, ["#", 0], ["#", 1], ...: it
             looks at these arguments nowhere else
    slope    the function that is its derivative; it takes one number, and so does that
    smooth   whether it has a derivative everywhere, in each number that it takes
    is       "sum", "integral", "between" (an integral from the second argument to the third),
             "endless" (an integral with limits that may be infinite) or "expectation" (of the first
             argument, by the densities that are the others): linear in its first argument
             "product": finite, as a "sum" is, which is `by`. Either may take two numbers more: then
             it is over the first, that and 1, and so on, as long as these are <= the second
             "KL", "JS", "TV" or "H": a divergence or an entropy, an expectation by the function
             `by`, TV an integral
             "indicator": 1 of a number > 0, and else 0
             "normal": the density of the normal law of vectors, of whose indices `by` is the sum:
             of x, its mean and its covariance, each of two indices; of x and the mean where both
             are the same
    each     of an integral, sum or expectation: the integrals or sums, over one letter each, that
             it consists of; it looks at its arguments where these do
    unit     of a finite sum: the function of two letters that is 1 where both are the same one of
             those that the sum is over, and else 0
    points   of an integral over all vectors: the function that gives a coordinate of one; `by` is
             the sum over their indices
    inverse  of a positive definite matrix, a function of two indices: its inverse, and its
             determinant, a function of nothing; `by` is the sum over the indices
    line     whether it is the integral of one letter over all real numbers
    ratio    of a conditional density: two terms of which it is the quotient
    margins  of a density: for each of its first arguments the integral over it, and the density
             that it leaves of the others, "" where it leaves 1; or twice ""
    chain    of a joint density: two terms of which it is the product
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from genmath.proof.kernel.limits import MOST, Rejected
from genmath.proof.kernel.terms import ONE, OWN, PI, Fact, Reader, Term, at

LINEAR = ("sum", "integral", "between", "endless", "expectation")
MEANT = {"KL": 2, "JS": 2, "TV": 2, "H": 1}  # of how many densities
FINITE = ("sum", "product")
MORE = frozenset(("values", "ranges", "slope", "smooth", "is", "by", "each", "unit",
                  "points", "inverse", "line", "ratio", "margins", "chain"))  # fmt: skip
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
    each: tuple[str, ...]
    unit: str
    points: str
    inverse: tuple[str, ...]
    line: bool
    ratio: tuple[Term, ...]
    margins: tuple[tuple[str, str], ...]
    chain: tuple[Term, ...]

    @property
    def steps(self) -> bool:
        """Whether it is a sum or product from one number to another."""
        return self.kind in FINITE and self.takes == (1, 0, 0)


@dataclass(frozen=True)
class Claim:
    functions: dict[str, Function]
    given: tuple[Fact, ...]  # what is declared of letters, and stated
    always: tuple[tuple[int, tuple[Fact, ...], Fact], ...]  # of all numbers of which others hold
    results: tuple[tuple[str, Fact], ...]  # earlier ones that the line names
    states: Fact
    whole: frozenset[str]  # letters that are whole numbers
    read: Reader


def claim(said: Any) -> Claim:
    fields(said, {"letters", "functions", "given", "results", "states"}, {"always", "whole"})
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
    always = tuple(_always(one, read) for one in listed(said.get("always", [])))
    states, whole = read.fact(said["states"]), frozenset(map(word, listed(said.get("whole", []))))
    if not whole <= {*letters}:
        raise Rejected("what is no letter is said to be a whole number")
    return Claim(functions, given, always, tuple(results), states, whole, read)


def _always(said: Any, read: Reader) -> tuple[int, tuple[Fact, ...], Fact]:
    m, *facts = listed(said) or [None]
    if type(m) is not int or not 0 < m <= 20 or len(facts) != 2:
        raise Rejected("no statement of all numbers")
    return m, tuple(read.fact(c, m) for c in listed(facts[0])), read.fact(facts[1], m)


def _takes(said: Any) -> tuple[int, ...]:
    fields(said, {"takes"}, MORE)
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
        tuple(map(word, listed(said.get("each", [])))),
        word(said.get("unit", "")),
        word(said.get("points", "")),
        tuple(map(word, listed(said.get("inverse", [])))),
        said.get("line", False) is True,
        tuple(read(t, len(takes)) for t in listed(said.get("ratio", []))),
        tuple(map(_margin, listed(said.get("margins", [])))),
        tuple(read(t, len(takes)) for t in listed(said.get("chain", []))),
    )


def _margin(said: Any) -> tuple[str, str]:
    measure, *others = listed(said) or [None]
    if len(others) != 1:
        raise Rejected("no integral and density")
    return word(measure), word(others[0])


def _consistent(f: Function, functions: dict[str, Function]) -> None:
    """What is said of a function fits what it takes."""
    binders, by, slope = {*f.takes} - {0}, functions.get(f.by), functions.get(f.slope)
    count, numbers = len(f.takes), not any(f.takes)
    measures = [(n, functions.get(n)) for n in (*f.each, *(m for m, _ in f.margins if m))]
    looks = tuple(at(r, [("#", k)]) for k in range(2) for r in (by.ranges if by else ()))
    others = [functions.get(n) for n in (f.unit, f.points, *f.inverse)]
    of_unit, of_points, *of_inverse = [g and g.takes for g in others]
    own = ("=", (f.unit, ("#", 0), ("#", 0)), ONE)
    left = [functions.get(other) for m, other in f.margins if other or (m and len(f.margins) > 1)]
    fits = [
        len(binders) < 2,
        bool(binders) or not f.ranges,
        not f.slope or (slope is not None and f.takes == slope.takes == (0,)),
        f.kind in ("", *LINEAR, *MEANT, "product", "normal", "indicator"),
        f.kind != "indicator" or not (f.takes != (0,) or f.smooth or f.slope),
        not (f.steps and f.ranges),
        f.kind not in LINEAR or f.takes[:1] > (0,),
        f.kind != "between" or f.takes == (1, 0, 0),
        f.kind != "expectation" or (count > 1 and all(f.takes)),
        (f.kind in (*MEANT, "product", "normal") or bool(f.points or f.inverse)) == bool(f.by),
        f.kind not in MEANT or all(f.takes),
        not (f.points or f.inverse or f.kind == "normal") or (by is not None and by.unit != ""),
        f.kind != "normal" or (f.takes, f.ranges) == ((2, 2, 2), looks),
        not f.points or (f.kind, f.takes, f.ranges, f.line, of_points) == (
                         "integral", (1,), (), False, (0, 0)),
        not f.inverse or [f.takes, *of_inverse] == [(0, 0), (0, 0), ()],
        f.kind not in (*MEANT, "product") or (by is not None and f.ranges == by.ranges
                      and count == MEANT.get(f.kind, count)
                      and (by.kind, by.takes) == (("sum", f.takes) if f.kind == "product" else
                                                  ("integral", f.takes[:1]) if f.kind == "TV"
                                                 else ("expectation", f.takes[:1] * 2))),
        *(not two or (len(two) == 2 and numbers) for two in (f.ratio, f.chain)),
        not f.each or (f.takes[:1] == (len(f.each),)
                       and f.kind in (("expectation",) if count > 1 else ("integral", "sum"))),
        not f.unit or (f.kind, f.takes, f.ranges, of_unit) == ("sum", (1,), (own,), (0, 0)),
        not f.line or (len(f.each) == 1 and f.kind == "integral" and not f.ranges),
        all(one and one.each == (n,) and one.takes == (1,) for n, one in measures),
        len(f.margins) <= count * numbers,
        all(one and one.takes == (0,) * (count - 1) for one in left),
    ]  # fmt: skip
    if not all(fits):
        raise Rejected("what is declared of a function does not fit what it takes")
    letters = [f"·{k}" for k in range(len(f.each))]  # that no certificate can write
    there = {at(r, [x]) for n, x in zip(f.each, letters, strict=True) for r in functions[n].ranges}
    if f.each and {at(r, letters) for r in f.ranges} != there:
        raise Rejected("it does not look where the integrals do that it consists of")


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
