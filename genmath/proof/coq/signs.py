"""Between which numbers the values of a term lie, by what is declared of its letters."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any

from genmath.proof.coq.monomials import Monomial, Polynomial, expand, together, weights
from genmath.proof.coq.reading import Head
from genmath.proof.coq.terms import Condition, Term, add, neg, replaced, var

End = Fraction | float
MOST = 16  # instances of a hypothesis at a place
Always = tuple[tuple[str, ...], tuple[Condition, ...], Condition]
Gap = tuple[Term, Term, bool]  # from below, whether strictly
Apart = Callable[[Term, "Signs", Callable[[Term, "Signs"], Term]], "Term | None"]


@dataclass(frozen=True)
class Range:
    """From `low` to `high`; `above`: low is not reached, `below`: high is not."""

    low: End = -inf
    high: End = inf
    above: bool = False
    below: bool = False


ANY = Range()


class Signs:
    """Signs under some conditions, and where functions take their values."""

    def __init__(self, conditions: Sequence[Condition], heads: Mapping[str, Head]) -> None:
        self.conditions, self.heads = tuple(conditions), heads
        self.known: dict[Term, Range] = {}
        self.gaps: list[Gap] = []
        self.equal: dict[Term, tuple[Term, str]] = {}  # what hypotheses say, and which
        self.laws = False  # whether integrals are taken term by term, and densities apart
        self.supports = False  # whether densities are taken to be > 0
        self.indicator = next((h.name for h in heads.values() if h.indicator), "")
        self.normals = False  # whether normal laws are written out
        self.always: Sequence[Always] = ()  # what hypotheses say of all values of letters
        self.everywhere: Sequence[Always] = ()  # what declarations say of all indices
        self.bound: tuple[str, ...] = ()
        self.planned: dict[Term, Any] = {}  # what `apart` remembers
        self.apart: Apart | None = None  # how integrals are, if not as Coq is told
        self.ranges: dict[Term, Range] = {}
        self._inside: dict[Term, Signs] = {}
        for sign, left, right in conditions:
            if sign == "=":
                continue
            if sign in (">", ">="):
                left, right = right, left
            strict = sign in ("<", ">")
            self.gaps.append((left, right, strict))
            if left.op == "num":
                self._note(right, Range(left.data, inf, strict, False))
            if right.op == "num":
                self._note(left, Range(-inf, right.data, False, strict))

    def inside(self, term: Term) -> Signs:
        """Where letters are bound, with what may be supposed of them."""
        if term not in self._inside:
            names, said = [n for n, _ in term.data], [c for _, said in term.data for c in said]
            self._inside[term] = self.within(names, said)
        return self._inside[term]

    def within(self, letters: Sequence[str], conditions: Sequence[Condition]) -> Signs:
        """Where these letters are bound."""
        bound = (*self.bound, *letters)
        known = {*self.conditions, *conditions}
        stated = [c for _, _, needs, c in self.instances(bound) if known.issuperset(needs)]
        new = self.beside([*conditions, *stated])
        new.bound = bound
        return new

    def instances(
        self, bound: Sequence[str]
    ) -> Iterator[tuple[int, tuple[str, ...], tuple[Condition, ...], Condition]]:
        """What hypotheses say of bound letters, and what that needs."""
        for k, (names, needs, said) in enumerate(self.always if self.apart else ()):
            if len(bound) ** len(names) <= MOST:
                for chosen in itertools.product(bound, repeat=len(names)):
                    here = dict(zip(names, chosen, strict=True))
                    *premises, stated = (
                        (s, replaced(a, here), replaced(b, here)) for s, a, b in (*needs, said)
                    )
                    yield k, chosen, tuple(premises), stated

    def beside(self, conditions: Sequence[Condition]) -> Signs:
        new = Signs((*self.conditions, *conditions), self.heads)
        new.equal, new.laws, new.apart = self.equal, self.laws, self.apart
        new.supports, new.always, new.bound = self.supports, self.always, self.bound
        new.normals = self.normals
        new.everywhere = self.everywhere
        return new

    def _note(self, term: Term, r: Range) -> None:
        self.known[term] = _both(self.known.get(term, ANY), r)

    def positive(self, term: Term) -> bool:
        r = self(term)
        return r.low > 0 or (r.low == 0 and r.above)

    def nonnegative(self, term: Term) -> bool:
        return self(term).low >= 0

    def nonzero(self, term: Term) -> bool:
        r = self(term)
        if self.positive(term) or r.high < 0 or (r.high == 0 and r.below):
            return True
        if term.op in ("mul", "div", "neg", "pow"):
            return all(map(self.nonzero, term.args))
        return False

    def __call__(self, term: Term) -> Range:
        if term not in self.ranges:
            self.ranges[term] = _both(self._of(term), self.known.get(term, ANY))
        return self.ranges[term]

    def _of(self, term: Term) -> Range:
        match term.op:
            case "num":
                return Range(term.data, term.data)
            case "var" if term.data == "PI":
                return Range(Fraction(3), Fraction(4), True, True)
            case "neg":
                return _minus(self(term.args[0]))
            case "add":
                return self._added(term)
            case "mul":
                return self._product(term.args)
            case "div":
                over, under = map(self, term.args)
                return _times(over, _inverse(under))
            case "pow":
                return _power(self(term.args[0]), term.data)
            case "app":
                return self._function(term)
        return ANY

    def _added(self, term: Term) -> Range:
        gap, total = self._difference(term), _sum([self(a) for a in term.args])
        if not self.apart:
            return gap or total
        known = _both(gap, total) if gap else total
        if known.low < 0 and self.fraction(term):
            return _both(known, Range(Fraction(0), inf, True))
        if known.low < 0 and (stated := self.stated(term)):
            known = _both(known, Range(Fraction(0), inf, stated[0][2]))
        seen = known.low > 0 or (known.low == 0 and known.above)
        if not seen and (mixture := self.mixture(term)):
            known = _both(known, Range(Fraction(0), inf, mixture[2]))
        return known

    def stated(self, term: Term) -> tuple[Gap, Polynomial] | None:
        """A gap that is known to be >= 0, and what is left of a sum without it, of which each part
        is seen to be >= 0."""
        sizes = [t for t in term.args if t.data == "Rabs"]
        more = [(low, t, False) for t in sizes for low in (t.args[0], neg(t.args[0]))]
        for gap in [*self.gaps, *more]:
            low, high, _ = gap
            rest = expand(add(term, low, neg(high)))
            if rest is not None and all(c > 0 and self._plain(m) for m, c in rest.items()):
                return gap, rest
        return None

    def mixture(self, term: Term) -> tuple[Term, list[tuple[int, Term]], bool] | None:
        """A letter between 0 and 1 in which a sum is a mixture of others, all of them >= 0, and
        whether one of them is > 0."""
        for name in sorted(term.free):
            x, r = var(name), self.known.get(var(name), ANY)
            inside = r == Range(Fraction(0), Fraction(1), True, True)
            parts = weights(term, x) if inside else None
            if parts and all(self.nonnegative(b) for _, b in parts):
                return x, parts, any(self.positive(b) for _, b in parts)
        return None

    def _plain(self, m: Monomial) -> bool:
        return all(k > 0 and (k % 2 == 0 or self.nonnegative(t)) for t, k in m)

    def fraction(self, term: Term) -> tuple[Term, Term] | None:
        """A sum of fractions as one, both parts > 0."""
        parts = together(term)
        return parts if parts and all(map(self.positive, parts)) else None

    def _difference(self, term: Term) -> Range | None:
        if len(term.args) != 2 or term.args[1].op != "neg":
            return None
        a, b = term.args[0], term.args[1].args[0]
        for low, high, strict in self.gaps:
            if (low, high) == (b, a):
                return Range(Fraction(0), inf, strict, False)
            if (low, high) == (a, b):
                return Range(-inf, Fraction(0), False, strict)
        return None

    def _product(self, args: tuple[Term, ...]) -> Range:
        left = list(args)
        result = Range(Fraction(1), Fraction(1))
        while left:
            a = left.pop()
            if a in left:
                left.remove(a)
                result = _times(result, _power(self(a), 2))
            else:
                result = _times(result, self(a))
        return result

    def _function(self, term: Term) -> Range:
        zero = Fraction(0)
        match term.data:
            case "exp":
                return Range(zero, inf, True)
            case "Rabs":
                return Range(zero)
            case "sqrt":
                return Range(zero, inf, self.positive(term.args[0]))
            case "log_gap":
                return Range(zero) if self.positive(term.args[0]) else ANY
            case "normal":
                return Range(zero, inf, True) if self.positive(term.args[2]) else ANY
        head = self.heads.get(term.data)
        sums = bool(self.apart) and head is not None and head.linear == "sum"
        if head and self.laws and head.linear and (sums or len(head.takes) < 3):  # without limits
            inside = self.inside(term.args[0])
            if inside.nonnegative(term.args[0].args[0]):
                return Range(zero, inf, bool(self.apart) and inside.positive(term.args[0].args[0]))
        if head is None:
            return ANY
        if self.apart and self.laws and head.means in ("KL", "JS"):
            return Range(zero)
        match head.values:
            case "positive":
                return Range(zero, inf, True)
            case "nonnegative" | "count":
                return Range(zero, inf, self.supports and head.density)
            case "unit":
                return Range(zero, Fraction(1), True, True)
            case "at_least_one":
                return Range(Fraction(1))
        return ANY


def _both(a: Range, b: Range) -> Range:
    low, above = max((a.low, a.above), (b.low, b.above))
    high, open_ = min((a.high, not a.below), (b.high, not b.below))
    return Range(low, high, above, not open_)


def _minus(r: Range) -> Range:
    return Range(-r.high, -r.low, r.below, r.above)


def _sum(parts: Sequence[Range]) -> Range:
    return Range(
        sum(r.low for r in parts),
        sum(r.high for r in parts),
        any(r.above for r in parts),
        any(r.below for r in parts),
    )


def _times(a: Range, b: Range) -> Range:
    if a.low < 0 and a.high <= 0:
        return _minus(_times(_minus(a), b))
    if b.low < 0 and b.high <= 0:
        return _minus(_times(a, _minus(b)))
    if a.low < 0 or b.low < 0:
        return ANY if a.low < 0 and b.low < 0 else _mixed(a, b)
    positive = (a.low > 0 or a.above) and (b.low > 0 or b.above)
    low = _at(a.low, b.low)
    above = (positive and (a.above or b.above)) if low == 0 else a.above or b.above
    return Range(low, _at(a.high, b.high), above, a.below or b.below)


def _mixed(a: Range, b: Range) -> Range:
    """Of one that is >= 0 and one of either sign."""
    if a.low < 0:
        a, b = b, a
    return Range(_at(a.high, b.low), _at(a.high, b.high))


def _at(a: End, b: End) -> End:
    return Fraction(0) if a == 0 or b == 0 else a * b


def _inverse(r: Range) -> Range:
    """Its sign alone: what `pos` and `nonneg` show of a quotient."""
    if r.low == r.high != 0:
        return Range(1 / Fraction(r.low), 1 / Fraction(r.low))
    if r.low > 0 or (r.low == 0 and r.above):
        return Range(Fraction(0), inf, True)
    if r.high < 0 or (r.high == 0 and r.below):
        return Range(-inf, Fraction(0), False, True)
    return ANY


def _power(r: Range, k: int) -> Range:
    if r.low >= 0:
        result = Range(Fraction(1), Fraction(1))
        for _ in range(k):
            result = _times(result, r)
        return result
    if k % 2:
        return ANY
    whole = r.high < 0 or (r.high == 0 and r.below)
    return Range(Fraction(0), inf, whole)
