"""Distribution, canonical logarithms, signs and the zero test.

`sympy.simplify`, `integrate` and `limit` are never called: a claim is zero here because its normal
form is, or because the numerator of a rational function in its atoms is.
"""

from __future__ import annotations

import math
import random
import zlib
from collections import defaultdict
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy.polys.rings import ring

from .atoms import (
    AbsAtom,
    Atom,
    Bell,
    BigProduct,
    BigSum,
    Int,
    Log,
    Member,
    Recip,
    Rho,
    Root,
    Sign,
    Unknown,
)
from .supports import Rules, Unsupported, density_denominators, vanishes_with

HALF = sp.Rational(1, 2)


# --- distribution ---


def terms(e: Any, within: Any = None) -> list[Any]:
    """The monomials of `e`; atoms are not entered, nor, with `within`, sums free of its letters."""
    if within is not None and not e.free_symbols & within:
        return [e]
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
        and (within is None or f.free_symbols & within)
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
        domain, generators = _ring(plain, letters)
        over, factors = _fraction(plain, generators, domain)
    except (NotImplementedError, ZeroDivisionError):
        return expand(e)
    under = domain.one
    for f, k in factors.items():
        under = under * f**k
    if under != 1:
        over, under = over.cancel(under)
    value = over.as_expr(*generators) / under.as_expr(*generators)
    return value.xreplace(back)


def _ring(e: Any, letters: list[Any]) -> tuple[Any, dict[Any, Any]]:
    """Polynomials over the rationals in the letters of e, and pi where it occurs."""
    if sp.I in e.atoms() or not all(a.is_Rational for a in e.atoms(sp.Number)):
        raise NotImplementedError("not over the rationals")
    letters = [*letters, *(sorted(e.atoms(sp.NumberSymbol), key=str))]
    # one ring element more, since a ring needs a generator
    names = [sp.Symbol(f"v{i}") for i in range(max(1, len(letters)))]
    domain = ring(names, sp.QQ)[0]
    return domain, dict(zip(letters or names, domain.gens, strict=True))


def opaque(e: Any) -> tuple[Any, dict[Any, Any]]:
    """Atoms, exponentials and roots replaced by dummies, so that polynomial algorithms apply."""
    forth: dict[Any, Any] = {}

    def visit(x: Any) -> Any:
        if x in forth:
            return forth[x]
        if isinstance(x, sp.exp) and orient(x.args[0]) != x.args[0]:
            return 1 / visit(sp.exp(orient(x.args[0])))
        if isinstance(x, (Atom, sp.exp)) or (x.is_Pow and not x.exp.is_Integer):
            forth[x] = _dummy(x)
            return forth[x]
        if x.args and not x.is_Number:
            return x.func(*(visit(a) for a in x.args))
        return x

    plain = visit(e)
    return plain, {v: k for k, v in forth.items()}


@lru_cache(maxsize=20000)
def _dummy(x: Any) -> Any:
    return sp.Dummy("u", positive=True) if x.is_positive else sp.Dummy("u", real=True)


# --- signs ---


@lru_cache(maxsize=20000)
def is_nonnegative(e: Any) -> bool:
    """True only if e >= 0 for every value of its letters (each of the sign it declares)."""
    if e.is_nonnegative:
        return True
    return _poly_sign(e, strict=False)


@lru_cache(maxsize=20000)
def is_positive(e: Any) -> bool:
    if e.is_positive:
        return True
    return _poly_sign(e, strict=True)


def _poly_sign(e: Any, strict: bool) -> bool:
    """Numerator and denominator with only non-negative terms: even powers of reals, any power of
    letters that are positive."""
    over, under = sp.fraction(canon(e))
    sign_over, sign_under = _terms_sign(over, strict), _terms_sign(under, True)
    return sign_over is not None and sign_over == sign_under


def _terms_sign(e: Any, strict: bool) -> int | None:
    some_strict, sign = False, 0
    for t in terms(e):
        s = 1
        positive = True
        for f in sp.Mul.make_args(t):
            base, power = f.as_base_exp()
            if f.is_Number:
                s = 1 if f > 0 else -1
            elif base.is_positive:
                continue
            elif f.is_nonnegative or (power.is_Integer and power % 2 == 0 and base.is_real):
                positive = False
            else:
                return None
        if sign and s != sign:
            return None
        sign = s
        some_strict = some_strict or positive
    if strict and not some_strict:
        return None
    return sign or 1


# --- logarithms, powers, absolute values ---


def log_of(e: Any) -> Any:
    """Sum of k log f over the irreducible factors f of e. The caller has made sure that e > 0
    where it matters; a factor that is not known to be positive keeps its whole product together."""
    total, rest = sp.S.Zero, sp.S.One
    for base, power in _factors(e):
        if base.is_Number:
            if base < 0 or base == 0:
                rest *= base**power
                continue
            for part, side in ((base.p, 1), (base.q, -1)):
                for prime, k in sp.factorint(part, limit=10**4).items():
                    total += power * side * k * Log(sp.Integer(prime))
        elif isinstance(base, sp.exp) or base == sp.E:
            total += power * (base.args[0] if base.args else 1)
        elif isinstance(base, Bell):
            x, m, v = base.args
            total += power * (-(log_of(2 * sp.pi * v) + (x - m) ** 2 / v) / 2)
        elif isinstance(base, BigProduct):
            body, index, low, high = base.args
            total += power * big_sum(log_of(body), index, low, high)
        elif is_positive(base) or isinstance(base, (Rho, Recip)) or _sum_of_nonnegatives(base):
            arg = base.args[0] if isinstance(base, Recip) else base
            total += (-power if isinstance(base, Recip) else power) * Log(arg)
        elif base.is_Add and power.is_Integer and is_positive(-base):
            rest *= (-1) ** power
            total += power * Log(canon(-base))
        else:
            rest *= base**power
    if rest == 1:
        return total
    return total + Log(rest)


def _sum_of_nonnegatives(e: Any) -> bool:
    return e.is_Add and all(is_nonnegative(t) for t in e.args)


def _factors(e: Any) -> list[tuple[Any, Any]]:
    """Irreducible factors with exponents."""
    found: list[tuple[Any, Any]] = []
    for f in sp.Mul.make_args(e):
        base, power = f.as_base_exp() if not isinstance(f, sp.exp) else (f, sp.S.One)
        if base.is_Add:
            found += [(b, k * power) for b, k in _factor_sum(base)]
        elif base.is_Mul:
            found += [(b, k * power) for b, k in _factors(base)]
        else:
            found.append((base, power))
    return found


@lru_cache(maxsize=20000)
def _factor_sum(e: Any) -> tuple[tuple[Any, Any], ...]:
    plain, back = opaque(e)
    over, under = sp.fraction(sp.together(plain))
    found: list[tuple[Any, Any]] = []
    for part, side in ((over, 1), (under, -1)):
        try:
            content, factors = sp.factor_list(part)
        except (sp.PolynomialError, NotImplementedError):
            content, factors = sp.S.One, [(part, 1)]
        if content != 1:
            found.append((content, sp.Integer(side)))
        for f, k in factors:
            f = f.xreplace(back)
            if f.is_Add:
                f = expand(f)
            found.append((f, sp.Integer(side * k)))
    return tuple(found)


def power_of(base: Any, exponent: Any) -> Any:
    """base ** exponent; roots are taken factor by factor where the factors are positive."""
    if exponent.is_Integer:
        return base**exponent
    if not exponent.is_Rational:
        if is_positive(base):
            return exp_of(exponent * log_of(base))
        return Root(canon(base), exponent)
    result, rest = sp.S.One, sp.S.One
    for b, k in _factors(base):
        if is_positive(b) or (b.is_Number and b > 0):
            result *= (
                exp_of(k * exponent * b.args[0]) if isinstance(b, sp.exp) else b ** (k * exponent)
            )
        elif is_nonnegative(b) and (k * exponent > 0 or isinstance(b, (Rho, Recip))):
            result *= b ** (k * exponent)
        elif b.is_Add and is_positive(-b) and k % 2 == 0:
            result *= (-b) ** (k * exponent)
        elif k.is_Integer and k % 2 == 0 and b.is_real and exponent == HALF:
            result *= abs_of(b) ** (k * exponent)
        else:
            rest *= b**k
    if rest == 1:
        return result
    return result * Root(canon(rest), exponent)


def exp_of(e: Any) -> Any:
    """exp, with exp(k log f) = f**k."""
    result, rest = sp.S.One, []
    for t in terms(e):
        logs = [f for f in sp.Mul.make_args(t) if isinstance(f, Log)]
        if len(logs) == 1 and (t / logs[0]).is_Rational and is_positive(logs[0].args[0]):
            result *= logs[0].args[0] ** (t / logs[0])
        else:
            rest.append(t)
    return result * sp.exp(canon(sp.Add(*rest))) if rest else result


def leading(e: Any) -> Any:
    """A term of a sum, chosen in a way that depends neither on its sign nor, where possible, on
    how bound letters are called."""
    return min(e.args, key=lambda t: _shape_key(t.as_coeff_Mul()[1])) if e.is_Add else e


@lru_cache(maxsize=20000)
def _shape_key(e: Any) -> Any:
    plain = {s: sp.Symbol(space_of(s)) for s in e.free_symbols if s.is_Dummy or "^" in s.name}
    return sp.default_sort_key(e.xreplace(plain)), sp.default_sort_key(e)


def substitute(e: Any, values: dict[Any, Any]) -> Any:
    """Put values for letters, restoring canonical logarithms, roots, sizes and signs."""

    def visit(x: Any) -> Any:
        if x in values:
            return values[x]
        if not x.args or not x.free_symbols & values.keys():
            return x
        args = [visit(a) for a in x.args]
        if isinstance(x, Log):
            return log_of(args[0])
        if isinstance(x, AbsAtom):
            return abs_of(args[0])
        if isinstance(x, Sign):
            return sign_of(args[0])
        if isinstance(x, sp.exp):
            return exp_of(args[0])
        if isinstance(x, Root) or (x.is_Pow and not x.exp.is_Integer):
            return power_of(args[0], args[1])
        value = x.func(*args)
        if value.has(sp.zoo, sp.nan, sp.oo):
            raise Unsupported("division by zero")
        return value

    return visit(e)


def space_of(letter: Any) -> str:
    """The space of a bound letter: canonical names are space^height_number."""
    return str(letter.name).split("^", 1)[0]


def orient(e: Any) -> Any:
    """One of e and -e."""
    e = canon(e)
    lead = leading(expand(sp.fraction(e)[0]))
    return canon(-e) if lead.as_coeff_Mul()[0] < 0 else e


def abs_of(e: Any) -> Any:
    if is_nonnegative(e):
        return e
    if is_nonnegative(-e):
        return -e
    product = sp.S.One
    for b, k in _factors(e):
        if not k.is_Integer and not is_nonnegative(b):
            return AbsAtom(orient(e))
        if is_nonnegative(b) or k % 2 == 0:
            product *= b**k
        else:
            product *= abs(b) ** k if b.is_Number else AbsAtom(orient(b)) ** k
    return product


def sign_of(e: Any) -> Any:
    if is_positive(e):
        return sp.S.One
    if is_nonnegative(-e):
        return -sp.S.One
    rest = sp.Mul(
        *(
            (sp.S.NegativeOne if b.is_Number else b) ** k
            for b, k in _factors(e)
            if not is_positive(b)
        )
    )
    return Sign(canon(rest))


def absorb_signs(e: Any) -> Any:
    """u * Sign(u) = |u|, read as: leading(u) * Sign(u) = |u| - (u - leading(u)) Sign(u)."""
    signs = sorted(e.atoms(Sign), key=sp.default_sort_key)
    for s in signs:
        u = s.args[0]
        lead = leading(u)
        out = []
        for t in terms(e):
            if s in sp.Mul.make_args(t):
                rest = t / s
                size = abs_of(u)
                if isinstance(size, AbsAtom) and size in sp.Mul.make_args(rest):
                    out.append(rest / size * u)  # |u| Sign(u) = u
                    continue
                quotient = rest / lead
                if (
                    not any(
                        b == lead and k.is_negative
                        for b, k in (f.as_base_exp() for f in sp.Mul.make_args(quotient))
                    )
                    and sp.fraction(quotient)[1].is_Number
                ):
                    t = quotient * (abs_of(u) - (u - lead) * s)
            out.append(t)
        e = expand(sp.Add(*out))
    return e


# --- sums over an index ---


def height(e: Any) -> int:
    """How deeply integrals and sums are nested; their bound letters are numbered by it."""
    return _height(e)


@lru_cache(maxsize=50000)
def _height(e: Any) -> int:
    inner = max((_height(a) for a in e.args), default=0)
    return inner + 1 if isinstance(e, (Int, BigSum, BigProduct)) else inner


def big_sum(body: Any, index: Any, low: Any, high: Any) -> Any:
    """Linear; constants come out; the last whole steps of the range are written apart."""
    offset = high.as_coeff_Add()[0]
    if high.is_Integer and low.is_Integer:
        values = _range(low, high)
        return sp.Add(*(substitute(body, {index: sp.Integer(i)}) for i in values))
    if (
        offset.is_Integer
        and offset != 0
        and is_nonnegative(high - offset - low + min(offset, 0) + 1)
    ):
        total = big_sum(body, index, low, high - offset)
        for i in range(1, abs(int(offset)) + 1):
            at = high - offset + i if offset > 0 else high - offset - i + 1
            step = substitute(body, {index: at})
            total = total + step if offset > 0 else total - step
        return total
    total = sp.S.Zero
    for t in _partial_fractions(body):
        constant, rest = t.as_independent(index, as_Add=False)
        if rest == 1 and is_nonnegative(high - low + 1):
            total += constant * (high - low + 1)
            continue
        name = _index_name(index, height(rest) + 1)
        total += constant * BigSum(rest.xreplace({index: name}), name, low, high)
    return total


def _range(low: Any, high: Any) -> range:
    if high - low > 1000:
        raise Unsupported(f"a sum of {high - low + 1} terms")
    return range(int(low), int(high) + 1)


def _partial_fractions(body: Any) -> list[Any]:
    """Terms whose rational coefficients are in partial fractions of the one member they contain."""
    groups: dict[Any, list[Any]] = defaultdict(list)
    for t in terms(body):
        other = sp.Mul(
            *(f for f in sp.Mul.make_args(t) if isinstance(f, Atom) and not isinstance(f, Member))
        )
        groups[other].append(t / other)
    out: list[Any] = []
    for other, members in groups.items():
        plain, back = opaque(canon(sp.Add(*members)))
        inside = [d for d, x in back.items() if isinstance(x, Member)]
        if len(inside) == 1 and len(back) == 1:
            plain = sp.apart(plain, inside[0])
        out += [t * other for t in terms(plain.xreplace(back))]
    return out


def _index_name(index: Any, level: int) -> Any:
    """A canonical name that knows no more about its sign than the index itself."""
    if index.is_positive:
        return sp.Symbol(f"index^{level}", positive=True, integer=True)
    return sp.Symbol(f"index^{level}", integer=True)


def big_product(body: Any, index: Any, low: Any, high: Any) -> Any:
    offset = high.as_coeff_Add()[0]
    if high.is_Integer and low.is_Integer:
        values = _range(low, high)
        return sp.Mul(*(substitute(body, {index: sp.Integer(i)}) for i in values))
    if (
        offset.is_Integer
        and offset != 0
        and is_nonnegative(high - offset - low + min(offset, 0) + 1)
    ):
        total = big_product(body, index, low, high - offset)
        for i in range(1, abs(int(offset)) + 1):
            at = high - offset + i if offset > 0 else high - offset - i + 1
            step = substitute(body, {index: at})
            total = total * step if offset > 0 else total / step
        return total
    name = _index_name(index, height(body) + 1)
    total, rest = sp.S.One, sp.S.One
    for b, k in _factors(body):
        if is_positive(b) and k.is_Integer:
            total *= BigProduct(canon(b).xreplace({index: name}), name, low, high) ** k
        else:
            rest *= b**k
    return (
        total
        if rest == 1
        else total * BigProduct(canon(rest).xreplace({index: name}), name, low, high)
    )


# --- the zero test ---


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
        if isinstance(x, Atom):
            return _dummy(x)
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
    return any(p.exp.is_negative and p.base.is_Add and p.base.has(Rho) for p in e.atoms(sp.Pow))


def vanishes(e: Any, rules: Rules | None = None) -> bool:
    """True only if e is identically zero."""
    if e == 0:
        return True
    if _clearly_nonzero(e):
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
        e = bell_as_exp(e)
    return _exponentials_cancel(e) or _rational_zero(e)


RELATED = (Recip, Sign, AbsAtom)  # atoms with rules between them
OPAQUE = (Int, Rho, BigSum, BigProduct, Unknown, Member)


def _clearly_nonzero(e: Any) -> bool:
    """Not zero at a random point, atoms that stay opaque drawn as well; only to reject."""
    if any(e.has(kind) for kind in RELATED):
        return False
    rng = random.Random(7)
    letters = sorted(e.free_symbols, key=lambda s: (s.name, getattr(s, "dummy_index", 0)))
    values = {s: rng.uniform(0.3, 1.5) for s in letters}
    try:
        parts = [_float(t, values, rng) for t in sp.Add.make_args(e)]
    except (ArithmeticError, ValueError, TypeError, KeyError, AttributeError):
        return False
    scale = max(abs(p) for p in parts)
    return math.isfinite(scale) and abs(math.fsum(parts)) > 1e-6 * scale > 0


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
    """Zero as a rational function of its atoms and roots: its numerator, a polynomial, is zero."""
    plain, back = opaque(e)
    plain, relations = _root_generators(plain, {d: x for d, x in back.items() if x.is_Pow})
    if plain == 0:
        return True
    if _surely_nonzero(plain, relations):
        return False
    bases = {r: opaque(base)[0] for r, (base, _) in relations.items()}
    whole = sp.Tuple(plain, *bases.values())
    try:
        letters = sorted(whole.free_symbols | relations.keys(), key=sp.default_sort_key)
        domain, generators = _ring(whole, letters)
        numerator, _ = _fraction(plain, generators, domain)
        for r, (_, q) in relations.items():
            if numerator == 0:
                return True
            numerator = _reduce_root(
                numerator, generators, r, q, _fraction(bases[r], generators, domain)
            )
    except (NotImplementedError, ZeroDivisionError):
        return False
    return bool(numerator == 0)


def _fraction(e: Any, generators: dict[Any, Any], domain: Any) -> tuple[Any, dict[Any, int]]:
    """Numerator and denominator, the latter as powers of polynomials; nothing is cancelled."""
    if e in generators:
        return generators[e], {}
    if e.is_Rational:
        return domain(sp.QQ(int(e.p), int(e.q))), {}
    if e.is_Add:
        parts = [_fraction(a, generators, domain) for a in e.args]
        common: dict[Any, int] = {}
        for _, under in parts:
            for f, k in under.items():
                common[f] = max(k, common.get(f, 0))
        total = domain.zero
        for over, under in parts:
            for f, k in common.items():
                over = over * f ** (k - under.get(f, 0))
            total = total + over
        return total, common
    if e.is_Mul:
        over, under = domain.one, {}
        for a in e.args:
            o, u = _fraction(a, generators, domain)
            over = over * o
            for f, k in u.items():
                under[f] = under.get(f, 0) + k
        return over, under
    if e.is_Pow and e.exp.is_Integer:
        over, under = _fraction(e.base, generators, domain)
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
        base: _dummy(sp.Pow(base, sp.Rational(1, q), evaluate=False)) for base, q in orders.items()
    }
    change = {
        d: letters[x.base] ** int(x.exp * orders[x.base])
        for d, x in roots.items()
        if x.exp.is_Rational
    }
    return e.xreplace(change), {letters[b]: (b, q) for b, q in orders.items()}


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
            values[r] = _float(plain, values) ** (1 / q)
        parts = [_float(t, values) for t in sp.Add.make_args(e)]
    except (ArithmeticError, ValueError, TypeError, KeyError, AttributeError):
        return False
    scale = max((abs(p) for p in parts), default=0.0)
    if not math.isfinite(scale):
        return False
    return abs(math.fsum(parts)) > 1e-6 * scale


def _float(e: Any, values: dict[Any, float], rng: random.Random | None = None) -> float:
    if e in values:
        return values[e]
    if e.is_Add:
        return math.fsum(_float(a, values, rng) for a in e.args)
    if e.is_Mul:
        return math.prod(_float(a, values, rng) for a in e.args)
    if isinstance(e, sp.exp):
        return math.exp(_float(e.args[0], values, rng))
    if e.is_Pow:
        return float(_float(e.base, values, rng) ** _float(e.exp, values, rng))
    if isinstance(e, Log):
        return math.log(_float(e.args[0], values, rng))
    if isinstance(e, Root):
        return float(_float(e.args[0], values, rng) ** _float(e.args[1], values, rng))
    if isinstance(e, Bell):
        x, m, v = (_float(a, values, rng) for a in e.args)
        return math.exp(-((x - m) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)
    if rng is not None and isinstance(e, OPAQUE):
        return values.setdefault(e, rng.uniform(0.3, 1.5))
    return float(e)
