"""Integrals over the same letters as one: a sum of them is 0 if what stands under it is.

Apart, the integrals of p^2/(p + q) and of p q/(p + q) are two that nothing is known of; together
they are that of p.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from genmath.proof.certificate import said
from genmath.proof.certificate.bounds import Bounds
from genmath.proof.certificate.iterated import Merged, spread
from genmath.proof.certificate.iterated import where as where_of
from genmath.proof.certificate.scope import Place
from genmath.proof.coq.linear import meaning
from genmath.proof.coq.monomials import Polynomial, expand, total
from genmath.proof.coq.reading import Head
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, atoms, div, lam, mul, neg, num, replaced

Measures = tuple[tuple[str, ...], tuple[Term, ...]]  # the functions that are linear, and limits
ZERO, ONE = num(0), num(1)


class Writer(Protocol):
    """What proves equalities."""

    heads: Mapping[str, Head]

    def bounds(self, place: Place) -> Bounds: ...
    def equal(self, a: Term, b: Term, signs: Signs) -> bool: ...
    def equations(self, terms: list[Term], place: Place, depth: int) -> list[int]: ...
    def merged_integrals(self, found: Merged, place: Place, depth: int) -> list[int]: ...
    def under(self, whole: Term, i: int, place: Place) -> tuple[Place, list[str]]: ...


@dataclass
class Group:
    """Integrals over the same letters, each with its weight and what stands under it."""

    letters: dict[str, str]
    limits: tuple[Term, ...]
    found: list[tuple[Term, Term, Term]] = field(default_factory=list)

    @property
    def under(self) -> Term:
        return add(*(mul(weight, body) for weight, _, body in self.found))


def gathered(writer: Writer, term: Term, place: Place) -> list[int] | None:
    """Equations by which a term is 0, as an identity; None if it is not, seen so."""
    groups = _groups(term, writer.heads, place.signs)
    if not groups or not all(len(g.found) > 1 for g in groups):
        return None
    for g in groups:
        if not writer.equal(g.under, ZERO, _inside(g, writer.heads, place.signs)):
            return None
    return [k for g in groups for k in _Gathering(writer, place, g)()] + _meanings(term, place)


def _inside(g: Group, heads: Mapping[str, Head], signs: Signs) -> Signs:
    said_ = [c for x, m in g.letters.items() for c in where_of(heads[m], x)]
    return signs.within(list(g.letters), said_)


@dataclass
class _Gathering:
    """One integral of a group by the others: what stands under it is what they have together."""

    writer: Writer
    place: Place
    group: Group

    def __call__(self) -> list[int]:
        k = next((k for k, (c, _, _) in enumerate(self.group.found) if c.op == "num"), 0)
        bounds = self.writer.bounds(self.place)
        weight, _, body = self.group.found[k]
        bounds.nonzero(weight)
        others = [(neg(div(c, weight)), b) for c, _, b in self.group.found[:k]]
        others += [(neg(div(c, weight)), b) for c, _, b in self.group.found[k + 1 :]]
        letters = list(self.group.letters)
        whole, one = self._sum(letters, others), self._whole(letters, body)
        facts = [
            self._apart(letters, others, self.place),
            self._same(one, whole, len(letters), self.place),
        ]
        parts = add(*(mul(w, self._whole(letters, b)) for w, b in others))
        bounds.divisors(parts)
        first = self.place.add("identity", ["=", said.of(one), said.of(parts)], facts)
        return [first, *self._written()]

    def _written(self) -> list[int]:
        """Each as it is written, where that is as an expectation, or in another order."""
        found = []
        for _, t, _ in self.group.found:
            heads = self.writer.heads
            if heads[t.data].each:
                own, body, _ = _over(t, heads)
                opened = tuple(spread(t, heads)[0])
                middle = self._whole(list(own), body, own)
                found += self.writer.merged_integrals(
                    Merged(t, opened, middle, "", middle), self.place, 0
                )
        return found

    def _whole(
        self, letters: list[str], body: Term, measures: Mapping[str, str] | None = None
    ) -> Term:
        for x in reversed(letters):
            measure = (measures or self.group.letters)[x]
            bound = ((x, where_of(self.writer.heads[measure], x)),)
            body = app(measure, lam(bound, body), *self.group.limits)
        return body

    def _sum(self, letters: list[str], parts: list[tuple[Term, Term]]) -> Term:
        return self._whole(letters, add(*(mul(w, b) for w, b in parts)))

    def _same(self, one: Term, other: Term, left: int, place: Place) -> int:
        """Equal integrals, over as many letters, of what is equal."""
        inner, (x,) = self.writer.under(one, 0, place)
        a, b = at(one.args[0], x), at(other.args[0], x)
        if left > 1:
            self._same(a, b, left - 1, inner)
        else:
            by = self.writer.equations([a, b], inner, 0)
            inner.add("identity", ["=", said.of(a), said.of(b)], by)
        items = [[[x], inner.steps], *[None] * len(self.group.limits)]
        return place.add("same", said.of(one), said.of(other), items)

    def _apart(self, letters: list[str], parts: list[tuple[Term, Term]], place: Place) -> int:
        """The integral of a sum, term by term, each letter in turn."""
        whole, rest = self._sum(letters, parts), letters[1:]
        if not rest:
            return place.add("equal", "linear", said.of(whole))
        inner, (x,) = self.writer.under(whole, 0, place)
        here = [(w, replaced(b, {letters[0]: x})) for w, b in parts]
        number = self._apart(rest, here, inner)
        one = add(*(mul(w, self._whole(rest, b)) for w, b in here))
        self.writer.bounds(inner).divisors(one)
        inner.add("identity", ["=", said.of(self._sum(rest, here)), said.of(one)], [number])
        apart = [(w, self._whole(rest, b)) for w, b in parts]
        outer = self._sum(letters[:1], apart)
        same = place.add("same", said.of(whole), said.of(outer), [[[x], inner.steps]])
        facts = [place.add("equal", "linear", said.of(outer)), same]
        target = add(*(mul(w, self._whole(letters, b)) for w, b in parts))
        self.writer.bounds(place).divisors(target)
        return place.add("identity", ["=", said.of(whole), said.of(target)], facts)


def _meaning(t: Term, signs: Signs) -> Term:
    head = signs.heads.get(t.data) if t.op == "app" else None
    return meaning(t, head) if head is not None and head.means and signs.laws else t


def _opened(t: Term, signs: Signs) -> Term:
    if t.op == "app":
        return _meaning(t, signs)
    return Term(t.op, tuple(_opened(a, signs) for a in t.args), t.data) if t.args else t


def _meanings(term: Term, place: Place) -> list[int]:
    return [
        place.add("equal", "meaning", said.of(t))
        for t in dict.fromkeys(atoms(term))
        if _meaning(t, place.signs) != t
    ]


def _groups(term: Term, heads: Mapping[str, Head], signs: Signs) -> list[Group] | None:
    """None where something else stands beside the integrals."""
    groups: dict[Measures, Group] = {}
    weights: dict[Term, Polynomial] = {}
    for m, c in (expand(_opened(term, signs)) or {}).items():
        own = [(t, k) for t, k in m if t.op == "app" and _linear(t, heads, signs)]
        if len(own) != 1 or own[0][1] != 1:
            return None
        weights.setdefault(own[0][0], {})[m - {own[0]}] = c
    for t, weight in weights.items():
        letters, body, limits = _over(t, heads)
        key = tuple(letters.values()), limits
        group = groups.setdefault(key, Group(letters, limits))
        names = dict(zip(letters, group.letters, strict=True))
        group.found.append((total(weight), t, replaced(body, names)))
    return list(groups.values())


def _linear(t: Term, heads: Mapping[str, Head], signs: Signs) -> bool:
    head = heads.get(t.data)
    return head is not None and bool(head.linear) and (signs.laws or head.linear == "sum")


def at(function: Term, letter: str) -> Term:
    ((name, _),) = function.data
    return replaced(function.args[0], {name: letter})


def _over(t: Term, heads: Mapping[str, Head]) -> tuple[dict[str, str], Term, tuple[Term, ...]]:
    """The letters in an order of their own, what stands under the integral, and its limits."""
    if heads[t.data].each:
        letters, under = spread(t, heads)
        ordered = sorted(letters.items(), key=lambda pair: pair[1])
        return dict(ordered), under, ()
    function, *limits = t.args
    ((name, _),) = function.data
    return {"u": t.data}, replaced(function.args[0], {name: "u"}), tuple(limits)
