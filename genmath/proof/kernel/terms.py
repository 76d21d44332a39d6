"""Terms: what a certificate speaks of, each a real number once its letters have values.

    Fraction            a rational number; in JSON a string: "3/2"
    str                 a letter: "sigma"
    ("#", k)            the k-th letter of the nearest binder; outer binders count on from there
    ("+", a, b, ...)    also "*"
    ("-", a), ("/", a, b), ("^", a, n)    n a whole number >= 0
    (name, a, ...)      a function at arguments
    ("=>", m, body)     a function of m letters; only as an argument of a function

Bound letters have no names, so two terms that differ in such names alone are the same term. Every
operation is total, as is usual in proof assistants: a/0, ln(-1) and the derivative of what has none
are some numbers, of which no rule says anything. So equals may be put for equals everywhere, and
each rule that needs b != 0 or u > 0 asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from genmath.proof.kernel.limits import DEEPEST, HIGHEST, LARGEST, Rejected, Work

Term = Fraction | str | tuple[Any, ...]
Fact = tuple[str, Term, Term]  # a relation, "=", "<", "<=" or "!=", and its sides

ZERO, ONE, TWO = Fraction(0), Fraction(1), Fraction(2)
PI, DERIVATIVE = "PI", "Deriv"
OWN: dict[str, tuple[int, ...]] = {  # how many letters each argument binds
    **dict.fromkeys(("exp", "ln", "sqrt", "abs", "sin", "cos", "log_gap"), (0,)),
    "power": (0, 0),
    "normal": (0, 0, 0),  # the density at x of the normal law of mean m and variance v
    DERIVATIVE: (1, 0),  # of a function, at a place
}
NUMBER = re.compile(r"-?\d{1,60}(/\d{1,60})?", re.ASCII)


class Reader:
    """Reads terms, given the letters and functions that there are."""

    def __init__(self, letters: set[str], functions: Mapping[str, tuple[int, ...]]) -> None:
        self.letters, self.functions = letters, functions

    def __call__(self, said: Any, bound: int = 0) -> Term:
        """Closed but for `bound` letters."""
        return self._read(said, bound, 0, Work(LARGEST))

    def fact(self, said: Any, bound: int = 0) -> Fact:
        """A relation of two terms; a > b is read as b < a, and a != 0 as 0 != a."""
        if not isinstance(said, list) or len(said) != 3:
            raise Rejected("no relation")
        left, right = self(said[1], bound), self(said[2], bound)
        match said[0]:
            case "!=" if right == ZERO:
                return "!=", right, left
            case "=" | "<" | "<=" | "!=" as sign:
                return sign, left, right
            case ">" | ">=" as sign:
                return sign.replace(">", "<"), right, left
        raise Rejected("no relation")

    def _read(self, said: Any, bound: int, depth: int, work: Work) -> Term:
        work.spend()
        if isinstance(said, str):
            return said if said in self.letters else _number(said)
        head = said[0] if isinstance(said, list) and said else None
        if depth > DEEPEST or not isinstance(head, str):
            raise Rejected("no term, or one nested too deeply")
        args, n, depth = said[1:], len(said) - 1, depth + 1
        if (head in ("+", "*") and n > 1) or (head, n) in (("-", 1), ("/", 2)):
            return (head, *[self._read(a, bound, depth, work) for a in args])
        match head, n:
            case "#", 1 if type(args[0]) is int and 0 <= args[0] < bound:
                return (head, args[0])
            case "^", 2 if type(args[1]) is int and 0 <= args[1] <= HIGHEST:
                return (head, self._read(args[0], bound, depth, work), args[1])
        takes = self.functions.get(head)
        if takes is None or n != len(takes):
            raise Rejected(f"no such term: {head[:40]!r} of {n}")
        found: list[Any] = [head]
        for a, m in zip(args, takes, strict=True):
            if m and (not isinstance(a, list) or len(a) != 3 or a[:2] != ["=>", m]):
                raise Rejected(f"no function of {m} letters")
            one = self._read(a[2] if m else a, bound + m, depth, work)
            found.append(("=>", m, one) if m else one)
        return tuple(found)


@lru_cache(4096)
def _number(said: str) -> Fraction:
    if not NUMBER.fullmatch(said):
        raise Rejected(f"no such letter: {said[:40]!r}")
    over, _, under = said.partition("/")
    if under and not int(under):
        raise Rejected("a number divided by 0")
    return Fraction(int(over), int(under or 1))


def parts(term: tuple[Any, ...]) -> tuple[Term, ...]:
    """The terms in a term."""
    match term[0]:
        case "#":
            return ()
        case "^":
            return (term[1],)
        case "=>":
            return (term[2],)
    return term[1:]


def opened(body: Term, values: Sequence[Term], depth: int = 0) -> Term:
    """The body of a function at values, which are closed: so nothing can be captured."""
    if not isinstance(body, tuple):
        return body
    match body[0]:
        case "#":
            return values[body[1] - depth] if body[1] >= depth else body
        case "=>":
            return (*body[:2], opened(body[2], values, depth + body[1]))
        case "^":
            return ("^", opened(body[1], values, depth), body[2])
    return (body[0], *(opened(a, values, depth) for a in body[1:]))


def at(fact: Fact, values: Sequence[Term]) -> Fact:
    return fact[0], opened(fact[1], values), opened(fact[2], values)


def spoken(body: Term, depth: int = 0) -> set[int]:
    """Which of the letters bound around a term occur in it."""
    if not isinstance(body, tuple):
        return set()
    if body[0] == "#":
        return {body[1] - depth} if body[1] >= depth else set()
    inner = depth + body[1] if body[0] == "=>" else depth
    return set().union(*(spoken(a, inner) for a in parts(body)))


def bare(body: Term) -> bool:
    """Whether none of the letters bound around it occurs in it."""
    return not spoken(body)
