"""An integral beside one over itself: what is integrated apart from all else is divided away."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from fractions import Fraction

from genmath.proof.coq.monomials import expand
from genmath.proof.coq.reading import Head
from genmath.proof.coq.terms import Term, app, lam, mul, replaced

Heads = Mapping[str, Head]


def divided(
    letters: Mapping[str, str], powers: Mapping[Term, int], heads: Heads
) -> tuple[Term, Term, frozenset[str]] | None:
    """An integral by which is divided, the same over some of the letters, if nothing else speaks of
    them, and these letters."""
    for t, k in powers.items():
        depth = len(_over(t, heads)) if k < 0 else 0
        for chosen in itertools.permutations(letters, depth) if depth else ():
            here = _named(t, heads, iter(chosen))
            own = {f: n for f, n in powers.items() if not f.free.isdisjoint(chosen)}
            measures = [(x, letters[x]) for x in chosen]
            products = expand(_body(here, heads)) if _over(here, heads) == measures else None
            if products and products == {frozenset(own.items()): Fraction(1)}:
                return t, here, frozenset(chosen)
    return None


def _integral(t: Term, heads: Heads) -> Head | None:
    head = heads.get(t.data) if t.op == "app" else None
    return head if head and head.each and len(t.args) == 1 else None


def _named(t: Term, heads: Heads, names: Iterator[str]) -> Term:
    """With other names for the letters of its integrals."""
    if t.op == "mul":
        return mul(*(_named(a, heads, names) for a in t.args))
    head = _integral(t, heads)
    if head is None:
        return t
    (function,) = t.args
    own = list(itertools.islice(names, len(head.each)))
    here = {old: new for (old, _), new in zip(function.data, own, strict=True)}
    where = tuple(
        (new, tuple((s, replaced(a, here), replaced(b, here)) for s, a, b in said))
        for new, (_, said) in zip(own, function.data, strict=True)
    )
    return app(t.data, lam(where, _named(replaced(function.args[0], here), heads, names)))


def _over(t: Term, heads: Heads) -> list[tuple[str, str]]:
    """The letters of its integrals, with what these are over."""
    if t.op == "mul":
        return [one for a in t.args for one in _over(a, heads)]
    head = _integral(t, heads)
    if head is None:
        return []
    names = [n for n, _ in t.args[0].data]
    return [*zip(names, head.each, strict=True), *_over(t.args[0].args[0], heads)]


def _body(t: Term, heads: Heads) -> Term:
    """What stands under all of its integrals."""
    if t.op == "mul":
        return mul(*(_body(a, heads) for a in t.args))
    return _body(t.args[0].args[0], heads) if _integral(t, heads) else t
