"""Densities that are never positive together: where one stands as a factor, the other is 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import abs_of, substitute
from genmath.proof.symbolic.atoms import OUT, AbsAtom, Log, Recip, Rho
from genmath.proof.symbolic.facts import FACTS
from genmath.proof.symbolic.polynomials import expand, space_of
from genmath.proof.symbolic.supports import Unsupported

Slots = dict[Any, tuple[str, ...]]


def without_rivals(term: Any, slots: Slots) -> Any:
    """The term with 0 for each density that a hypothesis p q <= 0 excludes where a factor p of it
    is positive; elsewhere the term is 0."""
    for first, second in rivals(slots):
        factors = sp.Mul.make_args(term)
        for i, f in enumerate(factors):
            base, k = f.as_base_exp()
            if not (isinstance(base, Rho) and k.is_positive and _of(base, first)):
                continue
            other = Rho(second.args[0], *base.args[1:])
            rest = sp.Mul(*factors[:i], *factors[i + 1 :])
            if base.args[3] or not rest.has(other) or any(r.has(other) for r in rest.atoms(Recip)):
                continue
            there = {s: s for s in other.free_symbols} | {other: sp.S.Zero}
            try:
                left = substitute(rest, there)
            except Unsupported:
                continue  # it is divided by
            if not any(u.args[0] == 0 for u in left.atoms(Log)):
                return without_rivals(f * left, slots)
    return term


def sizes_apart(e: Any, slots: Slots) -> Any:
    """|a p + b q| is |a| p + |b| q, where one of the densities is 0 wherever the other is not."""
    for first, second in rivals(slots):
        for size in e.atoms(AbsAtom):
            u = expand(size.args[0])
            for p in [r for r in u.atoms(Rho) if _of(r, first) and not r.args[3]]:
                q = Rho(second.args[0], *p.args[1:])
                a, b = u.coeff(p), u.coeff(q)
                if not (a.has(p, q) or b.has(p, q)) and expand(u - a * p - b * q) == 0:
                    e = e.xreplace({size: abs_of(a) * p + abs_of(b) * q})
                    break
    return e


def rivals(slots: Slots) -> Iterator[tuple[Any, Any]]:
    """Two densities of the same letters whose product is stated to be <= 0 wherever these are."""
    for value, _ in FACTS.get():
        parts = sp.Mul.make_args(-value)
        if len(parts) != 2 or not all(isinstance(r, Rho) for r in parts):
            continue
        p, q = parts
        letters = [*p.args[1], *p.args[2]]
        plain = all(a.is_Symbol for a in letters) and len(set(letters)) == len(letters)
        if plain and p.args[1:] == q.args[1:] and not p.args[3] and _everywhere(p, slots):
            yield p, q
            yield q, p


def _everywhere(stated: Any, slots: Slots) -> bool:
    """It speaks of the density's own letters, which may be anything: a parameter, or a letter that
    lives elsewhere, is one place or a few."""
    spaces = slots.get(stated.args[0], ())[: len(stated.args[1])]
    own = (a == OUT or space_of(a) == s for a, s in zip(stated.args[1], spaces, strict=False))
    return bool(spaces) and all(own)


def _of(r: Any, stated: Any) -> bool:
    """The density of which something is stated: nothing is said of the marginals of a joint one,
    and nothing of what is given elsewhere."""
    if r.args[0] != stated.args[0] or r.args[2] != stated.args[2]:
        return False
    marginal = any(a == OUT != b for a, b in zip(r.args[1], stated.args[1], strict=True))
    return not marginal
