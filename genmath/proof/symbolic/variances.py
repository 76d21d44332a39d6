"""A variance is positive where its variable takes more than one value."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import is_positive
from genmath.proof.symbolic.atoms import OUT, Int, Rho
from genmath.proof.symbolic.polynomials import space_of, terms


def varying(e: Any) -> Any:
    """The density p, > 0 everywhere, and the name of x in c (E_p x^2 - (E_p x)^2), c > 0; else
    None."""
    parts = terms(e)
    if len(parts) != 2:
        return None
    for first, second in (parts, reversed(parts)):
        square = _mean(first, 1, 2)
        mean = _mean(second, 2, 1)
        if square is None or mean is None:
            continue
        c, p, v = square
        if mean[0] == -c and mean[1].xreplace({mean[2]: v}) == p and is_positive(c):
            return p.args[0], space_of(v)
    return None


def _mean(t: Any, power: int, degree: int) -> Any:
    """c, p(x) and x of c (E_p x^degree)^power."""
    whole = [f for f in sp.Mul.make_args(t) if f.as_base_exp()[0].func is Int]
    if len(whole) != 1:
        return None
    integral, k = whole[0].as_base_exp()
    body, *bound = integral.args
    if k != power or len(bound) != 1:
        return None
    (v,) = bound
    densities = [f for f in sp.Mul.make_args(body) if isinstance(f, Rho)]
    if len(densities) != 1 or body != densities[0] * v**degree:
        return None
    (p,) = densities
    own = set(p.args[1]) - {OUT} == {v} and not p.args[2] and not p.args[3]
    return (t / whole[0], p, v) if own and p.is_positive else None
