"""Monomials, fractions in lowest terms, and what becomes a generator of a polynomial ring."""

from __future__ import annotations

import math
import operator
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy.core.mul import _unevaluated_Mul
from sympy.polys.rings import ring

from genmath.proof.symbolic.atoms import AbsAtom, Atom, Root, Sign

HALF = sp.Rational(1, 2)


MANY = 30  # terms, from which on a polynomial is multiplied out in a ring
HIGHEST = 1000  # power of a generator; polynomials keep a coefficient for every power below


@lru_cache(maxsize=20000)
def letters_of(e: Any) -> frozenset[Any]:
    """sympy's free symbols, which it looks for anew at every level."""
    if not e.args:
        return frozenset(e.free_symbols)
    return frozenset().union(*map(letters_of, e.args))


def terms(e: Any, within: Any = None) -> list[Any]:
    """The monomials of `e`; atoms are not entered, nor, with `within`, sums free of its letters."""
    if not (e.is_Add or e.is_Mul or e.is_Pow):
        return [e]
    if within is not None and letters_of(e).isdisjoint(within):
        return [e]
    factors: dict[Any, None] = {}
    count = _count(e, within, factors)
    if count == 1:
        return [e]
    if count > MANY and not any(map(_has_own_powers, factors)):
        return _in_a_ring(e, within, list(factors))
    if isinstance(e, sp.Add):
        return [t for a in e.args for t in terms(a, within)]
    if isinstance(e, sp.Mul):
        out = [sp.S.One]
        for factor in e.args:
            parts = terms(factor, within)
            out = [a * b for a in out for b in parts]
        # sqrt(s) * sqrt(s) has become s, a sum again
        return _again(out, within) if any(_has_sum(t, within) for t in out) else out
    if (
        isinstance(e, sp.Pow)
        and e.exp.is_Integer
        and e.exp > 0
        and isinstance(e.base, (sp.Add, sp.Mul))
    ):
        parts, out = terms(e.base, within), [sp.S.One]
        for _ in range(int(e.exp)):
            out = [a * b for a in out for b in parts]
            if len(out) > 40:
                out = (
                    list(sp.Add(*out).args) if isinstance(sp.Add(*out), sp.Add) else [sp.Add(*out)]
                )
        return _again(out, within) if any(_has_sum(t, within) for t in out) else out
    return [e]


def _opens(e: Any, within: Any) -> bool:
    """Whether it is multiplied out."""
    if within is not None and letters_of(e).isdisjoint(within):
        return False
    whole = e.is_Pow and e.exp.is_Integer and e.exp > 0 and (e.base.is_Add or e.base.is_Mul)
    return bool(e.is_Add or e.is_Mul or whole)


def _count(e: Any, within: Any, factors: dict[Any, None]) -> int:
    """How many products of factors `e` comes to; `factors` collects them."""
    if not _opens(e, within):
        if not e.is_Rational:
            factors[e] = None
        return 1
    if e.is_Pow:
        return int(_count(e.base, within, factors) ** int(e.exp))
    parts = [_count(a, within, factors) for a in e.args]
    return sum(parts) if e.is_Add else math.prod(parts)


def _has_own_powers(f: Any) -> bool:
    """|u| |u| is u^2, and sqrt(a + b) sqrt(a + b) a sum."""
    root = f.is_Pow and not f.exp.is_Integer and f.base.is_Add
    return bool(root or f.has(AbsAtom, Root, Sign))


def _in_a_ring(e: Any, within: Any, factors: list[Any]) -> list[Any]:
    """The monomials of `e`, like ones gathered on the way."""
    domain = _ring(max(1, len(factors)))
    known = dict(zip(factors, domain.gens, strict=False))

    def visit(x: Any) -> Any:
        if x in known:
            return known[x]
        if x.is_Rational:
            return domain(sp.QQ(int(x.p), int(x.q)))
        if x.is_Pow:
            return visit(x.base) ** int(x.exp)
        parts = [visit(a) for a in x.args]
        return sum(parts, domain.zero) if x.is_Add else math.prod(parts, start=domain.one)

    # letters are never one in another: there is nothing to evaluate
    product = _unevaluated_Mul if all(f.is_Symbol for f in factors) else sp.Mul
    out = [
        product(sp.Rational(int(c.numerator), int(c.denominator)),
                *(f**k for f, k in zip(factors, powers, strict=False) if k))
        for powers, c in visit(e).terms()
    ]  # fmt: skip
    return _again(out, within) if any(_has_sum(t, within) for t in out) else out


@lru_cache(maxsize=200)
def _ring(size: int) -> Any:
    return ring([sp.Symbol(f"v{i}") for i in range(size)], sp.QQ)[0]


def _has_sum(t: Any, within: Any) -> bool:
    return any(
        (
            isinstance(f, sp.Add)
            or (
                isinstance(f, sp.Pow)
                and f.exp.is_Integer
                and f.exp > 0
                and isinstance(f.base, sp.Add)
            )
        )
        and (within is None or not letters_of(f).isdisjoint(within))
        for f in sp.Mul.make_args(t)
    )


def _again(items: list[Any], within: Any) -> list[Any]:
    return [
        t for item in items for t in (terms(item, within) if _has_sum(item, within) else [item])
    ]


def expand(e: Any, within: Any = None) -> Any:
    return sp.Add(*terms(e, within))


@lru_cache(maxsize=20000)
def canon(e: Any) -> Any:
    """One fraction in lowest terms, numerator expanded: a canonical argument for an atom."""
    if e.is_Symbol or e.is_Number or isinstance(e, Atom):
        return e
    plain, back = opaque(e)
    letters = sorted(plain.free_symbols, key=sp.default_sort_key)
    try:
        domain, generators = ring_over(plain, letters)
        over, factors = as_fraction(plain, generators, domain)
    except (NotImplementedError, ZeroDivisionError):
        return expand(e)
    under = domain.one
    for f, k in factors.items():
        under = under * f**k
    if under != 1:
        over, under = over.cancel(under)
    value = over.as_expr(*generators) / under.as_expr(*generators)
    return value.xreplace(back)


def ring_over(e: Any, letters: list[Any]) -> tuple[Any, dict[Any, Any]]:
    """Polynomials over the rationals in the letters of e, and pi where it occurs."""
    leaves = e.atoms()
    if sp.I in leaves or any(a.is_Number and not a.is_Rational for a in leaves):
        raise NotImplementedError("not over the rationals")
    letters = [*letters, *sorted((a for a in leaves if a.is_NumberSymbol), key=str)]
    domain = _ring(max(1, len(letters)))  # a ring needs a generator
    return domain, dict(zip(letters or domain.symbols, domain.gens, strict=True))


def opaque(e: Any, apart: bool = False) -> tuple[Any, dict[Any, Any]]:
    """Atoms, exponentials and roots replaced by dummies, so that polynomial algorithms apply.
    `apart`: an exponential of a sum is the product of the exponentials of its terms."""
    forth: dict[Any, Any] = {}

    def visit(x: Any) -> Any:
        if x in forth:
            return forth[x]
        if not x.args or x.is_Number:
            return x
        if isinstance(x, sp.exp):
            return exponential(x)
        if isinstance(x, Atom) or (x.is_Pow and not x.exp.is_Integer):
            return named(x)
        args = [visit(a) for a in x.args]
        return x if all(map(operator.is_, args, x.args)) else x.func(*args)

    def named(x: Any) -> Any:
        forth[x] = generator_for(x)
        return forth[x]

    def exponential(x: Any) -> Any:
        u = x.exp
        if apart and not u.is_Number:
            return sp.Mul(*(power(t) for t in _monomials(u)))
        known = canon(u)
        if (side := orient(known)) != known:
            return 1 / visit(sp.exp(side))
        if known != u:
            return visit(sp.exp(known))
        times, once = u.as_content_primitive()
        if times.is_Integer and 1 < times <= HIGHEST:
            return visit(sp.exp(once)) ** times
        return named(x)

    def power(t: Any) -> Any:
        times, once = t.as_coeff_Mul()
        if abs(times) > HIGHEST:
            times, once = sp.sign(times), abs(times) * once
        parts = sp.Integer(2) if times.q <= 2 else sp.Integer(times.q)  # normal densities have 1/2
        return named(sp.exp(once / parts)) ** (times * parts)

    plain = visit(e)
    return plain, {v: k for k, v in forth.items()}


def _monomials(e: Any) -> list[Any]:
    over, under = sp.fraction(canon(e))
    return [t / under for t in terms(expand(over))]


@lru_cache(maxsize=20000)
def generator_for(x: Any) -> Any:
    return sp.Dummy("u", positive=True) if x.is_positive else sp.Dummy("u", real=True)


def as_fraction(e: Any, generators: dict[Any, Any], domain: Any) -> tuple[Any, dict[Any, int]]:
    """Numerator and denominator, the latter as powers of polynomials; nothing is cancelled."""
    if e in generators:
        return generators[e], {}
    if e.is_Rational:
        return domain(sp.QQ(int(e.p), int(e.q))), {}
    if e.is_Add:
        parts = [as_fraction(a, generators, domain) for a in e.args]
        common: dict[Any, int] = {}
        for _, under in parts:
            for f, k in under.items():
                common[f] = max(k, common.get(f, 0))
        total = domain.zero
        for over, under in parts:
            for f, k in common.items():
                if missing := k - under.get(f, 0):
                    over = over * f**missing
            total = total + over
        return total, common
    if e.is_Mul:
        over, under = domain.one, {}
        for a in e.args:
            o, u = as_fraction(a, generators, domain)
            over = over * o
            for f, k in u.items():
                under[f] = under.get(f, 0) + k
        return over, under
    if e.is_Pow and e.exp.is_Integer:
        over, under = as_fraction(e.base, generators, domain)
        n = int(e.exp)
        if n >= 0:
            return over**n, {f: k * n for f, k in under.items()}
        if over == 0:
            raise ZeroDivisionError
        flipped = domain.one
        for f, k in under.items():
            flipped = flipped * f ** (-n * k)
        return flipped, {over: -n}
    raise NotImplementedError(f"{e.func.__name__} is no rational function")


def leading(e: Any) -> Any:
    """A term of a sum, chosen in a way that depends neither on its sign nor, where possible, on
    how bound letters are called."""
    return min(e.args, key=lambda t: _shape_key(t.as_coeff_Mul()[1])) if e.is_Add else e


@lru_cache(maxsize=20000)
def _shape_key(e: Any) -> Any:
    plain = {s: sp.Symbol(space_of(s)) for s in e.free_symbols if s.is_Dummy or "^" in s.name}
    return sp.default_sort_key(e.xreplace(plain)), sp.default_sort_key(e)


def space_of(letter: Any) -> str:
    """The space of a bound letter: canonical names are space^height_number."""
    return str(letter.name).split("^", 1)[0]


def orient(e: Any) -> Any:
    """One of e and -e."""
    e = canon(e)
    lead = leading(expand(sp.fraction(e)[0]))
    return canon(-e) if lead.as_coeff_Mul()[0] < 0 else e
