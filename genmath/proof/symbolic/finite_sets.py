"""Sums and products over the members of a finite set."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.tree import MASS
from genmath.proof.symbolic.algebra import (
    close,
    exp_of,
    irreducible_factors,
    is_positive,
    log_of,
    out_of_the_sum,
    substitute,
)
from genmath.proof.symbolic.atoms import Binder, Key, Same, Unknown
from genmath.proof.symbolic.bound import fresh
from genmath.proof.symbolic.polynomials import expand, terms


def size(name: str) -> Any:
    return Binder(Key("size"), sp.S.One, sp.S.One, Key(name))


def sum_over(body: Any, own: Any, space: Any) -> Any:
    """Linear; what does not depend on the member comes out, also of exponents."""
    return sp.Add(*(_sum_of_term(t, own, space) for t in terms(expand(body))))


def _sum_of_term(t: Any, own: Any, space: Any) -> Any:
    outside, rest = out_of_the_sum(t, own)
    for f in sp.Mul.make_args(rest):
        if isinstance(f, Same) and own in f.args:  # of one member alone
            (there,) = (a for a in f.args if a != own)
            return outside * expand(substitute(rest / f, {own: there}))
    if rest == 1:
        return outside * size(space.name)
    if (mass := _mass(rest, own, space)) is not None:
        return outside * mass
    return outside * (_in_order(rest, own, space) or close(Key("sum"), rest, own, space))


def _in_order(rest: Any, own: Any, space: Any) -> Any | None:
    """A sum of sums, which is the same whichever is taken first: always in one of the two ways."""
    inner = [f for f in sp.Mul.make_args(rest) if isinstance(f, Binder) and f.args[0] == Key("sum")]
    if len(inner) != 1 or not inner[0].has(own):
        return None
    body, other, beyond = opened(inner[0])
    outside, within = out_of_the_sum(rest / inner[0] * body, own)
    if not (within.has(own) and within.has(other)):
        return None
    first = close(Key("sum"), rest, own, space)
    turned = outside * close(Key("sum"), within, own, space)
    return min(first, close(Key("sum"), turned, other, beyond), key=sp.default_sort_key)


def _mass(rest: Any, own: Any, space: Any) -> Any | None:
    """Of a probability on the set, and of its slopes by what else it depends on."""
    if not isinstance(rest, Unknown) or MASS + space.name not in rest.args[0].facts:
        return None
    order, first, *others = rest.args[1:]
    if first != own or any(a.has(own) for a in others):
        return None
    if order == 0:
        return sp.S.One
    return sp.S.Zero if isinstance(order, sp.Tuple) and order[0] == 0 else None


def product_over(body: Any, own: Any, space: Any) -> Any:
    """Factor by factor; one that does not depend on the member has to be > 0."""
    total = sp.S.One
    for base, k in irreducible_factors(body):
        if not base.has(own) and is_positive(base):
            total *= exp_of(expand(size(space.name) * k * log_of(base)))
        elif isinstance(base, sp.exp):
            total *= exp_of(expand(sum_over(k * base.args[0], own, space)))
        else:
            total *= close(Key("prod"), base**k, own, space)
    return total


def opened(e: Any) -> tuple[Any, Any, Any]:
    """The body of a sum or product in a letter of its own, and the set."""
    _, body, letter, space = e.args
    own = fresh(letter.name, letter)
    return body.xreplace({letter: own}), own, space
