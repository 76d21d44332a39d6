"""The zero test: a residual is zero because its normal form is, or because the numerator of a
rational function in its atoms is. Evaluation at a random point only ever rejects."""

from __future__ import annotations

import math
import random
import zlib
from functools import lru_cache
from typing import Any

import sympy as sp

from genmath.proof.language.elementary import Elementary, call
from genmath.proof.symbolic.algebra import absorb_signs, power_of
from genmath.proof.symbolic.atoms import (
    AbsAtom,
    Atom,
    Bell,
    BigProduct,
    BigSum,
    Fun,
    Int,
    Log,
    Member,
    Recip,
    Rho,
    Root,
    Sign,
    Unknown,
)
from genmath.proof.symbolic.polynomials import (
    HALF,
    as_fraction,
    expand,
    generator_for,
    opaque,
    ring_over,
    terms,
)
from genmath.proof.symbolic.supports import Rules, density_denominators, of_densities, vanishes_with
from genmath.proof.symbolic.tabulated import square_of


def may_be_identically_zero(e: Any) -> bool:
    """e is 0, to 30 digits, at a random point (True also where that cannot be told)."""
    meaning: dict[type, Any] = {
        Log: lambda u: sp.log(u),
        Bell: lambda x, m, v: sp.exp(-((x - m) ** 2) / (2 * v)) / sp.sqrt(2 * sp.pi * v),
        Root: lambda u, k: u**k,
    }

    def visit(x: Any) -> Any:
        args = [visit(a) for a in x.args]
        if type(x) in meaning:
            return meaning[type(x)](*args)
        if isinstance(x, Fun):
            return Fun(*args)
        if isinstance(x, Atom):
            return generator_for(x)
        return x.func(*args) if args else x

    try:
        plain = visit(e)
        letters = sorted(plain.free_symbols, key=str)
        rng = random.Random(len(letters))
        point = {s: sp.Rational(rng.randint(3, 40), 17) for s in letters}
        value = sp.N(plain.subs(point), 30, maxn=60)
        return not (value.is_number and abs(value) > 1e-20)
    except (TypeError, ValueError, ArithmeticError):
        return True


def bell_as_exp(e: Any) -> Any:
    """Replace normal densities that stand outside integrals by their formula."""

    def visit(x: Any) -> Any:
        if isinstance(x, Bell):
            a, m, v = x.args
            return power_of(2 * sp.pi * v, -HALF) * sp.exp(-((a - m) ** 2) / (2 * v))
        if isinstance(x, Atom) or not x.args or x.is_Number:
            return x
        return x.func(*(visit(a) for a in x.args))

    return visit(e)


def _over_density_sums(e: Any) -> bool:
    return any(
        p.exp.is_negative and p.base.is_Add and of_densities(p.base) for p in e.atoms(sp.Pow)
    )


def vanishes(e: Any, rules: Rules | None = None) -> bool:
    """True only if e is identically zero."""
    if e == 0:
        return True
    if clearly_nonzero(e):
        return False
    if not _over_density_sums(e) and not e.has(sp.exp):
        if _rational_zero(e):
            return True
        if not e.has(Bell, Sign):
            return False
    e = expand(e)
    if e == 0:
        return True
    # a term over a sum of densities f is read as 0 where f = 0; there the others must be 0 as well
    parts = terms(e)
    for f in {f for t in parts for f in density_denominators(t)}:
        if not all(
            f in density_denominators(t) or vanishes_with(t, f, rules or Rules()) for t in parts
        ):
            return False
    e = absorb_signs(e)
    if e.has(Bell):
        if e.has(sp.exp) and _rational_zero(e):
            return True  # before the exponentials of the densities mix with the others
        e = bell_as_exp(e)
    return _exponentials_cancel(e) or _rational_zero(e)


ROUNDING = 1e-17  # of parts that are next to nothing nobody knows whether they are 0
RELATED = (Recip, Sign, AbsAtom)  # atoms with rules between them
OPAQUE = (Int, Rho, BigSum, BigProduct, Unknown, Member)


def clearly_nonzero(e: Any) -> bool:
    """Not zero at a random point, atoms that stay opaque drawn as well; only to reject."""
    if any(e.has(kind) for kind in RELATED):
        return False
    rng = random.Random(7)
    letters = sorted(e.free_symbols, key=lambda s: (s.name, getattr(s, "dummy_index", 0)))
    values = {s: rng.uniform(0.3, 1.5) for s in letters}
    try:
        parts = [float_at(t, values, rng) for t in sp.Add.make_args(e)]
    except (ArithmeticError, ValueError, TypeError, KeyError, AttributeError):
        return False
    scale = max(abs(p) for p in parts)
    return math.isfinite(scale) and abs(math.fsum(parts)) > 1e-6 * scale > ROUNDING


def _exponentials_cancel(e: Any) -> bool:
    """Zero after the terms are gathered by their exponential factor."""
    if not e.has(sp.exp):
        return False
    groups: list[tuple[Any, list[Any]]] = []
    for t in terms(e):
        power, rest = sp.S.Zero, []
        for f in sp.Mul.make_args(t):
            base, k = (f, sp.S.One) if isinstance(f, sp.exp) else f.as_base_exp()
            if isinstance(base, sp.exp):
                power += k * base.args[0]
            else:
                rest.append(f)
        for other, members in groups:
            if other == power or _rational_zero(other - power):
                members.append(sp.Mul(*rest))
                break
        else:
            groups.append((power, [sp.Mul(*rest)]))
    return all(_rational_zero(sp.Add(*members)) for _, members in groups)


@lru_cache(maxsize=20000)
def _rational_zero(e: Any) -> bool:
    """Zero as a rational function of its atoms and roots: its numerator, a polynomial, is zero.

    Exponentials of sums are atoms first; taken apart they know more of each other, and less of the
    roots that hold them.
    """
    return _numerator_vanishes(e, False) or (e.has(sp.exp) and _numerator_vanishes(e, True))


def _numerator_vanishes(e: Any, apart: bool) -> bool:
    plain, back = opaque(e, apart)
    plain, relations = _root_generators(plain, {d: x for d, x in back.items() if x.is_Pow})
    relations |= _squares(back)
    if plain == 0:
        return True
    if _surely_nonzero(plain, relations):
        return False
    bases = {r: opaque(base, apart)[0] for r, (base, _) in relations.items()}
    whole = sp.Tuple(plain, *bases.values())
    try:
        letters = sorted(whole.free_symbols | relations.keys(), key=sp.default_sort_key)
        domain, generators = ring_over(whole, letters)
        numerator, _ = as_fraction(plain, generators, domain)
        for r, (_, q) in relations.items():
            if numerator == 0:
                return True
            numerator = _reduce_root(
                numerator, generators, r, q, as_fraction(bases[r], generators, domain)
            )
    except (NotImplementedError, ZeroDivisionError):
        return False
    return bool(numerator == 0)


def _reduce_root(numerator: Any, generators: dict[Any, Any], r: Any, q: int, base: Any) -> Any:
    """Replace r**q by its value in a polynomial; the denominators are multiplied out."""
    place = list(generators).index(r)
    over, under = base
    below = numerator.ring.one
    for f, k in under.items():
        below = below * f**k
    by_power: dict[int, Any] = {}
    for monomial, c in numerator.terms():
        rest = list(monomial)
        n, rest[place] = divmod(monomial[place], q)
        part = by_power.setdefault(n, numerator.ring.zero)
        by_power[n] = part + numerator.ring({tuple(rest): c})
    top = max(by_power, default=0)
    total = numerator.ring.zero
    for n, part in by_power.items():
        total = total + part * over**n * below ** (top - n)
    return total


def _root_generators(e: Any, roots: dict[Any, Any]) -> tuple[Any, dict[Any, tuple[Any, int]]]:
    """Write every base**(k/n) as r**k with r**n = base."""
    orders: dict[Any, int] = {}
    for x in roots.values():
        if x.exp.is_Rational:
            orders[x.base] = math.lcm(orders.get(x.base, 1), int(x.exp.q))
    letters = {
        base: generator_for(sp.Pow(base, sp.Rational(1, q), evaluate=False))
        for base, q in orders.items()
    }
    change = {
        d: letters[x.base] ** int(x.exp * orders[x.base])
        for d, x in roots.items()
        if x.exp.is_Rational
    }
    return e.xreplace(change), {letters[b]: (b, q) for b, q in orders.items()}


def _squares(back: dict[Any, Any]) -> dict[Any, tuple[Any, int]]:
    """What the square of a function is, as a root is written: r**2 = base."""
    found: dict[Any, tuple[Any, int]] = {}
    for letter, x in back.items():
        square = square_of(x.row.name, x.args[1]) if isinstance(x, Fun) else None
        if square is not None:
            found[letter] = (square, 2)
    return found


def _inside(row: Elementary, u: float) -> float:
    if not row.defined(u):
        raise ValueError(f"{row.name}({u})")
    return u


def _surely_nonzero(e: Any, relations: dict[Any, tuple[Any, int]]) -> bool:
    """Evaluate at a random point; used only to reject."""
    rng = random.Random(zlib.crc32(str(len(e.args)).encode()))
    values: dict[Any, float] = {}
    try:
        for s in sorted(e.free_symbols, key=lambda s: (s.name, getattr(s, "dummy_index", 0))):
            if s not in relations:
                values[s] = rng.uniform(0.3, 2.5)
        for r, (base, q) in relations.items():
            plain, _ = opaque(base)
            for s in sorted(plain.free_symbols, key=str):
                values.setdefault(s, rng.uniform(0.3, 2.5))
            values[r] = float_at(plain, values) ** (1 / q)
        if any(isinstance(u, complex) for u in values.values()):
            return False  # the square root of 1 - c^2, where c is drawn as if it were no cosine
        parts = [float_at(t, values) for t in sp.Add.make_args(e)]
    except (ArithmeticError, ValueError, TypeError, KeyError, AttributeError):
        return False
    scale = max((abs(p) for p in parts), default=0.0)
    if not math.isfinite(scale):
        return False
    return abs(math.fsum(parts)) > 1e-6 * scale > ROUNDING


def float_at(e: Any, values: dict[Any, float], rng: random.Random | None = None) -> float:
    if e in values:
        return values[e]
    if e.is_Add:
        return math.fsum(float_at(a, values, rng) for a in e.args)
    if e.is_Mul:
        return math.prod(float_at(a, values, rng) for a in e.args)
    if isinstance(e, sp.exp):
        return math.exp(float_at(e.args[0], values, rng))
    if e.is_Pow:
        return float(float_at(e.base, values, rng) ** float_at(e.exp, values, rng))
    if isinstance(e, Log):
        return math.log(float_at(e.args[0], values, rng))
    if isinstance(e, Fun):
        return float(call(e.row, "math", math, _inside(e.row, float_at(e.args[1], values, rng))))
    if isinstance(e, AbsAtom):
        return abs(float_at(e.args[0], values, rng))
    if isinstance(e, Root):
        return float(float_at(e.args[0], values, rng) ** float_at(e.args[1], values, rng))
    if isinstance(e, Bell):
        x, m, v = (float_at(a, values, rng) for a in e.args)
        return math.exp(-((x - m) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)
    if rng is not None and isinstance(e, OPAQUE):
        return values.setdefault(e, rng.uniform(0.3, 1.5))
    return float(e)
