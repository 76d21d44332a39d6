"""Proofs for the kernel: equalities by what functions are equal, bounds by the sign of the gap."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from genmath.proof.certificate import said
from genmath.proof.certificate.bounds import Bounds
from genmath.proof.certificate.expansions import density, expansion
from genmath.proof.certificate.scope import NoProof, Place
from genmath.proof.coq.linear import MOST, moment, parts_of
from genmath.proof.coq.reading import DERIVATIVE, Head
from genmath.proof.coq.rules import expanded, opened, with_slopes
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.slopes import NoSlope, derivative
from genmath.proof.coq.terms import (
    Term,
    add,
    app,
    atoms,
    denominators,
    lam,
    mul,
    num,
    replaced,
    var,
)
from genmath.proof.coq.values import Values

DEEPEST = 6
ONE = num(1)


class Writer:
    """Proofs of one claim."""

    def __init__(self, heads: Mapping[str, Head]) -> None:
        self.heads = heads
        self.values = Values()
        self.letters = map("w{}".format, itertools.count(1))

    def bounds(self, place: Place) -> Bounds:
        return Bounds(place, self.keeps)

    # --- equalities

    def equality(self, a: Term, b: Term, place: Place, depth: int = 0) -> int:
        """The number of the fact a = b."""
        known = place.number("=", a, b)
        if known is not None:
            return known
        if depth > DEEPEST:
            raise NoProof("too deeply nested")
        if not self.equal(a, b, place.signs):
            logarithms = app("ln", a), app("ln", b)
            signs = place.signs
            if signs.positive(a) and signs.positive(b) and self.equal(*logarithms, signs):
                self.equality(*logarithms, place, depth + 1)
                self.bounds(place).positive(a)
                self.bounds(place).positive(b)
                return place.add("ln_inject", said.of(a), said.of(b))
            raise NoProof("not an identity of real algebra")
        by = self.equations([a, b], place, depth)
        return place.add("identity", ["=", said.of(a), said.of(b)], by)

    def equal(self, a: Term, b: Term, signs: Signs) -> bool:
        found = self.values([a, b], signs)
        return found is not None and found[0] == found[1]

    def equations(self, terms: list[Term], place: Place, depth: int) -> list[int]:
        """Facts that rewrite the functions in these terms, each after those it needs; that no
        denominator is 0 is shown on the way."""
        found: list[int] = []
        plain: dict[Term, None] = {}
        seen: set[Term] = set()
        bounds = self.bounds(place)

        def visit(term: Term) -> None:
            for d in denominators(term):
                if d.op != "num" and not place.signs.nonzero(d):
                    raise NoProof(f"a denominator is not seen to differ from 0: {d}")
                bounds.nonzero(d)
            for atom in atoms(term):
                if atom in seen:
                    continue
                seen.add(atom)
                step = self.rewriting(atom, place, depth)
                if step is not None:
                    visit(step[1])
                    found.append(step[0])
                    continue
                plain[atom] = None
                if atom.data == "sqrt" and place.signs.nonnegative(atom.args[0]):
                    bounds.nonnegative(atom.args[0])
                    visit(atom.args[0])
                    found.append(place.add("bound", "root", said.of(atom)))

        for t in terms:
            visit(t)
        return [*self.merged(list(plain), place, depth), *found]

    def merged(self, plain: list[Term], place: Place, depth: int) -> list[int]:
        """One for functions that are equal because their arguments are."""
        values = self.values(plain, place.signs) if plain else []
        if values is None:
            raise NoProof("not an identity of real algebra")
        first: dict[tuple[str, tuple[int, ...]], Term] = {}
        found = []
        for atom, value in zip(plain, values, strict=True):
            other = first.setdefault((atom.data, value), atom)
            if place.kernel(other) != place.kernel(atom):
                found.append(self.same(atom, other, place, depth))
        return found

    # --- one step of rewriting

    def rewriting(self, atom: Term, place: Place, depth: int) -> tuple[int, Term] | None:
        """The number of a fact atom = term, and the term; None if it stays."""
        if expanded(atom, place.signs) is None:
            return None
        if atom.data == DERIVATIVE:
            return self._slope(atom, place, depth)
        head = self.heads.get(atom.data)
        if head is not None and head.linear:
            return self._linear(atom, place, depth)
        found = expansion(atom, place.signs)
        if found is None:
            raise NoProof("not an identity of real algebra")
        rule, new, needs = found
        if rule == "same":
            return self._inside(atom, new, place, depth), new
        bounds = self.bounds(place)
        for sign, t in needs:
            _ = bounds.positive(t) if sign == "<" else bounds.nonnegative(t)
        return place.add("equal", rule, said.of(atom)), new

    def _inside(self, atom: Term, new: Term, place: Place, depth: int) -> int:
        """The argument is rewritten: by its definition, or its law, or as a quotient."""
        old, now = atom.args[0], new.args[0]
        if old.op == "app" and old.data == "normal" and now == density(old):
            number = place.add("equal", "normal", said.of(old))
        elif old.op == "app" and old.data in self.heads:
            number = place.add("equal", "ratio", said.of(old))
        else:
            number = place.add("identity", ["=", said.of(old), said.of(now)], [])
        return place.add("same", said.of(atom), said.of(new), [number])

    def _slope(self, atom: Term, place: Place, depth: int) -> tuple[int, Term]:
        function, at = atom.args
        ((letter, _),) = function.data
        body = with_slopes(function.args[0], letter, place.signs)
        if body != function.args[0]:
            new = app(DERIVATIVE, lam(function.data, body), at)
            return self.same(atom, new, place, depth), new
        try:
            slope, _, slopes = derivative(atom, place.signs, self.heads)
        except NoSlope:
            raise NoProof("no rule differentiates this") from None
        bounds = self.bounds(place)
        for t, sign in slopes.sides:
            _ = bounds.positive(t) if sign == "<" else bounds.nonzero(t)
        for part in _roots(replaced(function.args[0], {letter: at})):
            if place.signs.positive(part.args[0]):
                bounds.positive(part)
        number = place.add("equal", "slope", said.of(atom))
        bounds.divisors(slope)
        return place.add("identity", ["=", said.of(atom), said.of(slope)], [number]), slope

    def _linear(self, atom: Term, place: Place, depth: int) -> tuple[int, Term]:
        """Term by term: first the integrand as a sum of constants times functions."""
        function, others = atom.args[0], atom.args[1:]
        weighted = self.heads[atom.data].linear == "expectation"
        for law in (w.args[0] for w in others if weighted):
            if law.data == "normal" and place.signs.positive(law.args[2]):
                self.bounds(place).positive(law.args[2])
        if weighted and function.args[0] == ONE:
            return place.add("equal", "total", said.of(atom)), ONE
        bound = frozenset(name for name, _ in function.data)
        body = opened(function.args[0], place.signs.inside(function))
        parts = parts_of(body, bound)
        if len(parts) > MOST:
            raise NoProof("an integrand of too many terms")
        if weighted and len(parts) == 1 and not parts[0][0] and function.args[0] in _powers(bound):
            known = moment(function, others, parts[0][1], place.signs)
            if known is not None:
                return place.add("equal", "moment", said.of(atom)), known
        inner = [mul(*rest) if rest else ONE for _, rest in parts]
        weights = [mul(*constants) if constants else None for constants, _ in parts]
        whole = add(*(t if c is None else mul(c, t) for c, t in zip(weights, inner, strict=True)))
        new = app(atom.data, lam(function.data, whole), *others)
        ones = [app(atom.data, lam(function.data, t), *others) for t in inner]
        sum_ = add(*(t if c is None else mul(c, t) for c, t in zip(weights, ones, strict=True)))
        if sum_ == new:
            return self.same(atom, new, place, depth), new
        number = place.add("equal", "linear", said.of(new))
        if new != atom:
            first = self.same(atom, new, place, depth)
            self.bounds(place).divisors(sum_)
            step = ["identity", ["=", said.of(atom), said.of(sum_)], [number, first]]
            number = place.add(*step)
        return number, sum_

    # --- functions

    def same(self, a: Term, b: Term, place: Place, depth: int) -> int:
        """Equal arguments give equal values."""
        items: list[Any] = []
        for i, (one, other) in enumerate(zip(a.args, b.args, strict=True)):
            if said.of(one) == said.of(other):
                items.append(None)
            elif one.op != "lam":
                items.append(self.equality(one, other, place, depth + 1))
            else:
                items.append(self._everywhere(a, i, one, other, place, depth))
        return place.add("same", said.of(a), said.of(b), items)

    def _everywhere(
        self, whole: Term, i: int, one: Term, other: Term, place: Place, depth: int
    ) -> list[Any]:
        """Two functions are equal wherever the one that takes them looks at them."""
        inner, letters = self._under(whole, i, place)
        here = {n: w for (n, _), w in zip(one.data, letters, strict=True)}
        there = {n: w for (n, _), w in zip(other.data, letters, strict=True)}
        body, goal = replaced(one.args[0], here), replaced(other.args[0], there)
        self.equality(body, goal, inner, depth + 1)
        return [letters, inner.steps]

    def _under(self, whole: Term, i: int, place: Place) -> tuple[Place, list[str]]:
        function = whole.args[i]
        letters = [next(self.letters) for _ in function.data]
        term: Any = place.kernel(whole)
        scope = place.scope
        looks = scope.looks(term, i)
        inner, _, _ = scope.inside([letters, []], len(letters), looks)
        here = {n: w for (n, _), w in zip(function.data, letters, strict=True)}
        conditions = [
            (s, replaced(l, here), replaced(r, here)) for _, cs in function.data for s, l, r in cs
        ]
        choosy = bool((head := self.heads.get(whole.data)) and head.choosy)
        return Place(inner, place.signs.beside(conditions if choosy else ())), letters

    def keeps(self, place: Place, term: Term) -> int:
        """What is nowhere < 0 has no integral < 0."""
        inner, letters = self._under(term, 0, place)
        function = term.args[0]
        here = {n: w for (n, _), w in zip(function.data, letters, strict=True)}
        body = replaced(function.args[0], here)
        bounds = self.bounds(inner)
        number = bounds.nonnegative(body)
        if number is not None and inner.scope.facts[number][0] == "<":
            inner.add("combination", ["<=", "0", said.of(body)], [["1", number]], [])
        elif number is None:
            inner.add("combination", ["<=", "0", said.of(body)], [[str(body.data)]], [])
        return place.add("keeps", said.of(term), letters, inner.steps)


def _powers(bound: frozenset[str]) -> list[Term]:
    return [mul(*[var(v)] * k) for v in bound for k in range(1, 5)]


def _roots(term: Term) -> list[Term]:
    own = [term] if term.op == "app" and term.data == "sqrt" else []
    return own + [r for a in term.args for r in _roots(a)]
