"""Sums and products over the members of a finite set."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import (
    close,
    exp_of,
    irreducible_factors,
    is_positive,
    log_of,
    out_of_the_sum,
)
from genmath.proof.symbolic.atoms import Binder, Key
from genmath.proof.symbolic.bound import fresh
from genmath.proof.symbolic.polynomials import expand, terms


def size(name: str) -> Any:
    return Binder(Key("size"), sp.S.One, sp.S.One, Key(name))


def sum_over(body: Any, own: Any, space: Any) -> Any:
    """Linear; what does not depend on the member comes out, also of exponents."""
    total = sp.S.Zero
    for t in terms(expand(body)):
        outside, rest = out_of_the_sum(t, own)
        whole = size(space.name) if rest == 1 else close(Key("sum"), rest, own, space)
        total += outside * whole
    return total


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
