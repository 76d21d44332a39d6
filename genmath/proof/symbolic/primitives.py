"""Primitives: functions with a given slope. One is guessed, term by term, and its slope compared
with the integrand, so that no guess need be right."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import exp_of, is_positive, log_of, power_of, value_of
from genmath.proof.symbolic.atoms import Atom, Bell, Fun, Log, Unknown
from genmath.proof.symbolic.polynomials import HALF, canon, expand, terms
from genmath.proof.symbolic.zero import bell_as_exp, vanishes

STEPS = 12
Slope = Callable[[Any, Any], Any]


def primitive(e: Any, v: Any, slope: Slope) -> Any | None:
    """F with F' = e in the letter v."""
    whole = expand(bell_as_exp(e)) if e.has(Bell) else expand(e)
    rest, found = whole, sp.S.Zero
    for _ in range(STEPS):
        if rest == 0:
            break
        guesses = (_undone(t, v) for t in sorted(terms(rest), key=_height))
        guess = next((g for g in guesses if g is not None), None)
        if guess is None:
            return None
        found += guess
        rest = _tidy(rest - slope(guess, v))
    return found if vanishes(whole - slope(found, v)) else None


def _tidy(e: Any) -> Any:
    e = expand(e)
    return sp.S.Zero if vanishes(e) else e


def _height(t: Any) -> Any:
    """Terms with the highest derivative first."""
    orders = [int(u.args[1]) for u in t.atoms(Unknown) if u.args[1].is_Integer]
    return -max(orders, default=0), sp.default_sort_key(t)


def _undone(t: Any, v: Any) -> Any | None:
    constant, inside = t.as_independent(v, as_Add=False)
    if inside == 1:
        return constant * v
    for rule in (_of_slopes, _of_exponential, _of_logistic, _of_fraction, _of_waves, _of_log):
        guess = rule(inside, v)
        if guess is not None:
            return constant * guess
    return None


def _affine(u: Any, v: Any) -> Any | None:
    """The slope of a v + b, where it is one with a != 0."""
    if not u.is_polynomial(v):
        return None
    slope = canon(sp.diff(u, v))
    known = slope.is_nonzero or is_positive(slope) or is_positive(-slope)
    return slope if not slope.has(v) and known else None


def _of_slopes(inside: Any, v: Any) -> Any | None:
    """f^(k) g: f^(k-1) g, less what that has too much."""
    found = [f for f in sp.Mul.make_args(inside) if isinstance(f, Unknown) and len(f.args) == 3]
    found = [f for f in found if f.args[1].is_Integer and f.args[1] > 0]
    found = [f for f in found if _affine(f.args[2], v) is not None]
    if not found:
        return None
    f = max(found, key=lambda u: (int(u.args[1]), sp.default_sort_key(u)))
    lower = Unknown(f.args[0], f.args[1] - 1, f.args[2])
    whole = inside / f * lower / _affine(f.args[2], v)
    powers = [g.as_base_exp() for g in sp.Mul.make_args(whole)]
    times = sum(k for b, k in powers if b == lower)
    return whole / times if times else None


def _of_exponential(inside: Any, v: Any) -> Any | None:
    """q exp(u): (q/u') exp(u), as far as that is a polynomial; exp of a square by erf."""
    factors = [f.as_base_exp() if not isinstance(f, sp.exp) else (f, sp.S.One)
               for f in sp.Mul.make_args(inside)]  # fmt: skip
    u = sp.Add(*(k * b.args[0] for b, k in factors if isinstance(b, sp.exp)))
    q = sp.Mul(*(b**k for b, k in factors if not isinstance(b, sp.exp)))
    if u == 0:
        return None
    if not u.is_polynomial(v):
        du = sp.Add(*(_slope_of_function(t, v) for t in terms(u)))
        if du == 0:
            return _of_double_exponential(q, u, v)
        share = canon(q / du)
        return None if share.has(v) else share * exp_of(u)
    if not q.is_polynomial(v):
        return None
    du = sp.Poly(sp.diff(u, v), v)
    share = sp.div(sp.Poly(q, v), du)[0].as_expr()
    if share != 0:
        return canon(share) * exp_of(u)
    square = canon(sp.diff(u, v, 2) / 2)
    if square.has(v) or not is_positive(-square) or q.has(v):
        return None
    root = power_of(-square, HALF)
    line = canon(sp.diff(u, v).xreplace({v: sp.S.Zero}))
    top = canon(u.xreplace({v: sp.S.Zero}) - line**2 / (4 * square))
    at = root * (v + line / (2 * square))
    return q * exp_of(top) * sp.sqrt(sp.pi) / (2 * root) * value_of("erf", at)


def _of_double_exponential(q: Any, u: Any, v: Any) -> Any | None:
    """q e^l e^r with q e^l in proportion to the slope of r, the part of u with exponentials."""
    r = sp.Add(*(t for t in terms(expand(u)) if any(x.has(v) for x in t.atoms(sp.exp))))
    slope = sp.diff(r, v)
    if slope == 0 or r.has(Atom):
        return None
    share = canon(q * exp_of(expand(u - r)) / slope)
    return None if share.has(v) else share * exp_of(r)


def _slope_of_function(t: Any, v: Any) -> Any:
    """Of c f(v), else 0."""
    constant, inside = t.as_independent(v, as_Add=False)
    if isinstance(inside, Unknown) and len(inside.args) == 3 and inside.args[2] == v:
        return constant * Unknown(inside.args[0], inside.args[1] + 1, v)
    return sp.S.Zero


def _of_logistic(inside: Any, v: Any) -> Any | None:
    """A fraction in y = exp(a v): of dv = dy/(a y)."""
    found = [x for x in inside.atoms(sp.exp) if x.has(v)]
    slopes = [s for x in found if (s := _affine(x.args[0], v)) is not None]
    if not found or len(slopes) < len(found):
        return None
    powers = [canon(s / slopes[0]) for s in slopes]
    if not all(k.is_Rational for k in powers):
        return None
    least = 1 / sp.Integer(math.lcm(*(int(k.q) for k in powers)))
    base, a = expand(found[0].args[0] * least), slopes[0] * least
    y = sp.Dummy("y", positive=True)
    change = {
        x: exp_of(expand(x.args[0] - base * k / least)) * y ** (k / least)
        for x, k in zip(found, powers, strict=True)
    }
    whole = inside.xreplace(change)
    if whole.has(v) or not whole.is_rational_function(y):
        return None
    guess = _of_fraction(canon(whole / (a * y)), y)
    return None if guess is None else _put(guess, y, exp_of(base))


def _put(e: Any, y: Any, value: Any) -> Any:
    """For a letter that stands in logarithms and functions, too."""
    if e == y:
        return value
    if not e.has(y):
        return e
    args = [_put(a, y, value) for a in e.args]
    if isinstance(e, Log):
        return log_of(args[0])
    return value_of(e.row.name, args[1]) if isinstance(e, Fun) else e.func(*args)


def _of_fraction(e: Any, v: Any) -> Any | None:
    """In partial fractions: powers of v and of a v + b, one quadratic without a root."""
    if not e.is_rational_function(v):
        return None
    masks = {x: sp.Dummy(real=True) for x in e.atoms(Atom, sp.exp) | _roots(e) if not x.has(v)}
    apart = sp.apart(sp.together(e.xreplace(masks)), v)
    back = {d: x for x, d in masks.items()}
    found = [_of_part(t.xreplace(back), v) for t in sp.Add.make_args(apart)]
    return None if None in found else sp.Add(*found)


def _roots(e: Any) -> set[Any]:
    return {p for p in e.atoms(sp.Pow) if not p.exp.is_Integer}


def _of_part(t: Any, v: Any) -> Any | None:
    over, under = sp.fraction(sp.together(t))
    if not under.has(v):
        return expand(sp.Poly(over, v).integrate(v).as_expr()) / under
    constant, inside = under.as_independent(v, as_Add=False)
    base, k = inside.as_base_exp()
    if not (base.is_polynomial(v) and k.is_Integer and k > 0):
        return None
    whole, top = sp.Poly(base, v), sp.Poly(over / constant, v)
    slope = whole.LC()
    if whole.degree() == 1 and top.degree() == 0:
        if k == 1:
            return top.as_expr() * log_of(canon(base)) / slope
        return top.as_expr() * base ** (1 - k) / (slope * (1 - k))
    if whole.degree() != 2 or k != 1 or top.degree() > 1:
        return None
    a, b, c = whole.all_coeffs()
    n, m = top.coeff_monomial(v), top.coeff_monomial(1)
    gap = canon(4 * a * c - b**2)
    if not is_positive(gap):
        return None
    root = power_of(gap, HALF)
    logarithm = n / (2 * a) * log_of(canon(base)) if n != 0 else sp.S.Zero
    return logarithm + (m - n * b / (2 * a)) * 2 / root * value_of("arctan", (2 * a * v + b) / root)


def _of_waves(inside: Any, v: Any) -> Any | None:
    """A polynomial times sin(a v + b) or cos(a v + b)."""
    waves = [f for f in sp.Mul.make_args(inside) if isinstance(f, Fun)]
    if len(waves) != 1 or waves[0].row.name not in ("sin", "cos"):
        return None
    (wave,) = waves
    slope, rest = _affine(wave.args[1], v), inside / wave
    if slope is None or not rest.is_polynomial(v):
        return None
    other, sign = {"sin": ("cos", -1), "cos": ("sin", 1)}[wave.row.name]
    return sign * rest * value_of(other, wave.args[1]) / slope


def _of_log(inside: Any, v: Any) -> Any | None:
    if isinstance(inside, Log) and (slope := _affine(inside.args[0], v)) is not None:
        return inside * inside.args[0] / slope
    return None
