"""Between which numbers the values of a term lie, by what is declared of its letters."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any

from genmath.proof.coq.gaps import Cover, Covered, Gap, Known
from genmath.proof.coq.monomials import (
    Monomial,
    Polynomial,
    affine,
    expand,
    factors,
    together,
    total,
    weights,
)
from genmath.proof.coq.reading import Head
from genmath.proof.coq.terms import (
    Condition,
    Term,
    add,
    app,
    atoms,
    denominators,
    minus,
    neg,
    num,
    replaced,
    var,
)

End = Fraction | float
MOST = 16  # instances of a hypothesis at a place
Always = tuple[tuple[str, ...], tuple[Condition, ...], Condition]
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
        self.stated_gaps: Known = ()
        self.equal: dict[Term, tuple[Term, str]] = {}  # what hypotheses say, and which
        self.laws = False  # whether integrals are taken term by term, and densities apart
        self.supports = False  # whether densities are taken to be > 0
        self.whole = frozenset[str]()  # letters that are whole numbers
        self.indicator = next((h.name for h in heads.values() if h.indicator), "")
        self.indicated: Sequence[Polynomial] = ()  # of what, its bound letters being "_"
        self.normals = False  # whether normal laws are written out
        self.parts = False  # whether integrals beside them are taken by parts
        self.always: Sequence[Always] = ()  # what hypotheses say of all values of letters
        self.everywhere: Sequence[Always] = ()  # what declarations say of all indices
        self.bound: tuple[str, ...] = ()
        self.planned: dict[Term, Any] = {}  # what `apart` remembers
        self.gap: Callable[[Term, Signs], Term | None] | None = None  # an equal one, seen >= 0
        self.apart: Apart | None = None  # how integrals are, if not as Coq is told
        self.ranges: dict[Term, Range] = {}
        self.expansions: dict[Term, Term | None] = {}  # what `expanded` remembers
        self._fractions: dict[Term, tuple[Term, Term] | None] = {}
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
        new.gap = self.gap
        new.supports, new.always, new.bound = self.supports, self.always, self.bound
        new.whole, new.normals, new.parts = self.whole, self.normals, self.parts
        new.everywhere, new.indicated = self.everywhere, self.indicated
        return new

    def _note(self, term: Term, r: Range) -> None:
        self.known[term] = _both(self.known.get(term, ANY), r)

    def positive(self, term: Term) -> bool:
        return _positive(self(term))

    def nonnegative(self, term: Term) -> bool:
        return self(term).low >= 0

    def law(self, term: Term) -> tuple[tuple[Condition, ...], Term] | None:
        """What the density of a member of a family is, and what that needs."""
        head = self.heads.get(term.data) if self.apart and term.op == "app" else None
        if head is None or head.law is None:
            return None
        names, needs, (_, _, density) = head.law
        at = dict(zip(names, term.args, strict=True))
        asked = tuple((s, replaced(a, at), replaced(b, at)) for s, a, b in needs)
        seen = all(
            self.positive(gap) if sign == "<" else self.nonnegative(gap)
            for sign, gap in ((s, b if a == num(0) else minus(b, a)) for s, a, b in asked)
        )
        return (asked, replaced(density, at)) if seen else None

    def nonzero(self, term: Term) -> bool:
        r = self(term)
        if self.positive(term) or r.high < 0 or (r.high == 0 and r.below):
            return True
        if term.op in ("mul", "div", "neg", "pow"):
            return all(map(self.nonzero, term.args))
        if self.apart and _positive(self.known.get(app("Rabs", term), ANY)):
            return True
        if self.apart and term.op == "app" and (head := self.heads.get(term.data)):
            return bool(head.sign)
        return False

    def __call__(self, term: Term) -> Range:
        if term not in self.ranges:
            self.ranges[term] = ANY  # where it is asked for on the way
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
        gap, whole = self._difference(term), _sum([self(a) for a in term.args])
        if not self.apart:
            return gap or whole
        known = _both(gap, whole) if gap else whole
        if known.low < 0 and (one := self.fraction(term)):
            return _both(known, Range(Fraction(0), inf, self.positive(one[0])))
        if not _positive(known) and (stated := self.stated(term)):
            known = _both(known, Range(Fraction(0), inf, self.strict(stated)))
        if known.low < 0 and (parts := self.factors(term)):
            r = self._product(parts)
            if r.low >= 0:
                return _both(known, Range(Fraction(0), inf, r.low > 0 or r.above))
        if not _positive(known) and (mixture := self.mixture(term)):
            known = _both(known, Range(Fraction(0), inf, mixture[2]))
        if not _positive(known) and self.line(term):
            known = _both(known, Range(Fraction(0), inf, True))
        if known.low < 0 and (self.sized(term) or (self.gap and self.gap(term, self))):
            known = _both(known, Range(Fraction(0)))
        return known

    def factors(self, term: Term) -> tuple[Term, ...] | None:
        """A sum as a product."""
        return factors(term, ((low, high) for low, high, _ in self.gaps))

    def line(self, term: Term) -> tuple[Term, Term, Term] | None:
        """A sum as a x + b, where x >= 0, a >= 0 and b > 0."""
        for name in sorted(term.free):
            found = affine(term, name) if self.known.get(var(name), ANY).low == 0 else None
            if found and self.nonnegative(found[0]) and self.positive(found[1]):
                return found[0], var(name), found[1]
        return None

    def sized(self, term: Term) -> tuple[Fraction, Term, Term] | None:
        """c, b and u of a sum that is c (b - |u|), where b - u and b + u are seen to be >= 0."""
        p = expand(term) or {}
        for m, c in p.items():
            ((t, k), *more) = m or [(term, 0)]
            if c < 0 and k == 1 and not more and t.data == "Rabs":
                most = total({n: -d / c for n, d in p.items() if n != m})
                (u,) = t.args
                if self.nonnegative(add(most, neg(u))) and self.nonnegative(add(most, u)):
                    return -c, most, u
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

    def stated(self, term: Term) -> tuple[Covered, Polynomial] | None:
        """Gaps that are known to be >= 0, times such factors, and what is left of a sum without
        them, of which each part is seen to be >= 0."""
        p = expand(term)
        return None if p is None else Cover(self._known(p), self.plain)(p)

    def _known(self, p: Polynomial) -> Known:
        """What is given, and what is known of the functions and letters in a sum."""
        if not self.stated_gaps:
            self.stated_gaps = [
                (g, q) for g in self.gaps if (q := expand(add(g[1], neg(g[0])))) is not None
            ]
        more: list[Gap] = []
        for t in dict.fromkeys(t for m in p for t, _ in m):
            r = self(t)
            if t.data == "Rabs":
                more += [(low, t, False) for low in (t.args[0], neg(t.args[0]))]
            if r.high < inf:
                more.append((t, num(Fraction(r.high)), r.below))
            if 0 < r.low < inf:
                more.append((num(Fraction(r.low)), t, r.above))
        exps = dict.fromkeys(t for m in p for t, _ in m if t.data == "exp")
        for low, high in itertools.permutations(exps, 2):
            if (r := self(minus(high.args[0], low.args[0]))).low >= 0:
                more.append((low, high, r.low > 0 or r.above))
        more += [(low, high, sign == "<") for _, _, (sign, low, high) in self.matching(p)]
        expanded = [(g, q) for g in more if (q := expand(add(g[1], neg(g[0])))) is not None]
        return [*self.stated_gaps, *expanded]

    def matching(self, p: Polynomial) -> Iterator[tuple[int, tuple[Term, ...], Condition]]:
        """What hypotheses say of the arguments of the functions in a sum."""
        found = {t for m in p for t, _ in m if t.op == "app"}
        for k, (names, needs, (sign, low, high)) in enumerate(self.always):
            patterns = [t for side in (low, high) for t in atoms(side)]
            chosen = [
                {t.args[0] for t in found for q in patterns
                 if t.data == q.data and len(t.args) == 1 and q.args == (var(n),)}
                for n in names
            ]  # fmt: skip
            if needs or sign not in ("<", "<=") or math.prod(map(len, chosen)) > MOST:
                continue
            for values in itertools.product(*(sorted(c, key=str) for c in chosen)):
                here = dict(zip(names, values, strict=True))
                yield k, values, (sign, replaced(low, here), replaced(high, here))

    def plain(self, m: Monomial) -> bool:
        """Whether a product is seen to be >= 0; what is divided by is > 0."""
        return all(self.positive(t) if k < 0 else k % 2 == 0 or self.nonnegative(t) for t, k in m)

    def strict(self, found: tuple[Covered, Polynomial]) -> bool:
        covered, rest = found
        factors = [m for _, m, (_, _, strict) in covered if strict] + list(rest)
        return any(all(self.positive(t) for t, _ in m) for m in factors)

    def fraction(self, term: Term) -> tuple[Term, Term] | None:
        """A sum of fractions as one: >= 0 above, > 0 below."""
        if term not in self._fractions:
            self._fractions[term] = None  # where it is asked for on the way
            self._fractions[term] = self._fraction(term)
        return self._fractions[term]

    def _fraction(self, term: Term) -> tuple[Term, Term] | None:
        if all(d.op == "num" for d in denominators(term)):
            return None
        for deep in (False, True) if self.apart else (False,):
            parts = together(term, deep)
            if parts and self.nonnegative(parts[0]) and self.positive(parts[1]):
                return parts
        return None

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
                return self._exponential(self(term.args[0]))
            case "ln" if self.apart:
                return self._logarithm(term.args[0])
            case "Rabs":
                return Range(zero, inf, bool(self.apart) and self.nonzero(term.args[0]))
            case "sqrt":
                return Range(zero, inf, self.positive(term.args[0]))
            case "log_gap":
                return Range(zero) if self.positive(term.args[0]) else ANY
            case "normal":
                return Range(zero, inf, True) if self.positive(term.args[2]) else ANY
            case "power" if self.apart and self.positive(term.args[0]):
                return Range(zero, inf, True)
        if self.apart and term.data == self.indicator:
            return Range(zero, Fraction(1))
        head = self.heads.get(term.data)
        if self.apart and head and head.logs:
            body = term.args[0].args[0]
            return Range(zero, inf, True) if self.inside(term.args[0]).positive(body) else ANY
        inside = self.under(term) if head and self.laws and head.linear else None
        if inside is not None and inside.nonnegative(body := term.args[0].args[0]):
            return Range(zero, inf, bool(self.apart) and self.more(term) and inside.positive(body))
        if head is None:
            return ANY
        if self.apart and self.laws and (head.means == "TV" or self._of_densities(term, head)):
            return Range(zero)
        if self.law(term) or (self.apart and head.gamma and self.positive(term.args[0])):
            return Range(zero, inf, True)
        match head.sign if self.apart else "":
            case "<":
                return Range(zero, inf, True)
            case ">":
                return Range(-inf, zero, False, True)
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

    def under(self, term: Term) -> Signs | None:
        """Where an integral looks; None if it has limits that are not seen to be in order: then it
        may be < 0 where what stands in it is not."""
        function, *others = term.args
        limited = self.heads[term.data].linear == "integral" and bool(others)
        if not limited and (self.apart or len(others) < 2):
            return self.inside(function)
        if not self.apart or len(others) != 2 or not self.nonnegative(minus(others[1], others[0])):
            return None
        ((name, _),) = function.data
        return self.within([name], self.between(var(name), *others))

    def between(self, x: Term, low: Term, high: Term) -> list[Condition]:
        """Where a letter lies, and that it is > 0 where the lower limit is."""
        positive: list[Condition] = [("<", num(0), x)] if self.positive(low) else []
        return [("<=", low, x), ("<=", x, high), *positive]

    def more(self, term: Term) -> bool:
        """Whether an integral is over more than nothing: that of its limits is seen."""
        limited = self.heads[term.data].linear == "integral" and len(term.args) == 3
        return not limited or self.positive(minus(term.args[2], term.args[1]))

    def _of_densities(self, term: Term, head: Head) -> bool:
        """Whether it is a divergence that is known to be >= 0."""
        of = [self.heads.get(f.args[0].data) for f in term.args if f.args]
        return head.means in ("KL", "JS") and all(law is not None and law.density for law in of)

    def _exponential(self, u: Range) -> Range:
        """Above 1 where the exponent is > 0, below 1 where it is < 0."""
        zero, one = Fraction(0), Fraction(1)
        if self.apart and u.low >= 0:
            return Range(one, inf, u.low > 0 or u.above)
        if self.apart and u.high <= 0:
            return Range(zero, one, True, u.high < 0 or u.below)
        return Range(zero, inf, True)

    def _logarithm(self, u: Term) -> Range:
        """>= 0 from 1 on."""
        over = self(minus(u, num(1)))
        return Range(Fraction(0), inf, over.low > 0 or over.above) if over.low >= 0 else ANY


def _positive(r: Range) -> bool:
    return r.low > 0 or (r.low == 0 and r.above)


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
