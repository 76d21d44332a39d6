"""Signs, and canonical logarithms, powers, absolute values and sums over an index.

`sympy.simplify`, `integrate` and `limit` are never called.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy.polys.polyconfig import using

from genmath.proof.language.elementary import TABLE
from genmath.proof.symbolic.atoms import (
    AbsAtom,
    Atom,
    Bell,
    BigProduct,
    BigSum,
    Binder,
    Fun,
    Int,
    Key,
    Log,
    Member,
    Recip,
    Rho,
    Root,
    Sign,
    Unknown,
)
from genmath.proof.symbolic.facts import FACTS, SHOWN, assuming, noting, shown
from genmath.proof.symbolic.polynomials import HALF, canon, expand, leading, opaque, orient, terms
from genmath.proof.symbolic.rows import limits, next_value, number
from genmath.proof.symbolic.shifts import FARTHEST, shift, sign_power
from genmath.proof.symbolic.supports import Unsupported

MOST_DIGITS = 10_000  # of a number, about
MOST_STEPS = 50  # of an argument, in which a function is taken down

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
    sign_over = _sum_sign(over, strict)
    sign_under = _sum_sign(under, True)
    return sign_over is not None and sign_over == sign_under


def _sum_sign(e: Any, strict: bool) -> int | None:
    return (
        _terms_sign(e, strict) or _exponentials_sign(e, strict) or _bounded_sign(e, strict) or None
    )


def _bounded_sign(e: Any, strict: bool) -> int | None:
    """Terms of functions with a range, such as 2 sin(u), are at least as large as their least
    value."""
    if not e.has(Fun):
        return None
    for sign in (1, -1):
        least, missed = sp.S.Zero, False
        for t in terms(expand(sign * e)):
            factor, rest = t.as_coeff_Mul()
            end = None
            if isinstance(rest, Fun):
                end = limits(rest.row)[0 if factor > 0 else 1]
                missed = missed or (end is not None and not rest.row.range.attained)
            least += t if end is None else factor * end
        if not least.has(Fun) and (is_nonnegative if missed or not strict else is_positive)(least):
            return sign
    return None


def _exponentials_sign(e: Any, strict: bool) -> int | None:
    """A difference of two positive terms has the sign of the difference of their logarithms."""
    both = terms(e)
    if len(both) != 2 or not e.has(sp.exp):
        return None
    signs = [_terms_sign(t, True) for t in both]
    if sorted(s or 0 for s in signs) != [-1, 1]:
        return None
    plus, minus = both if signs[0] == 1 else reversed(both)
    with assuming(()), noting(set()):  # what is remembered holds whatever is stated or shown
        gap = log_of(plus) - log_of(-minus)
    at_least = is_positive if strict else is_nonnegative
    return 1 if at_least(gap) else -1 if at_least(-gap) else None


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


# --- signs that the hypotheses state ---


def note_positive(e: Any) -> None:
    """e > 0 for all values of its letters, of which its factors may tell nothing."""
    unseen = [(b, k) for b, k in irreducible_factors(e) if not is_positive(b)]
    if len(unseen) == 1 and unseen[0][1] == 1 and (known := SHOWN.get()) is not None:
        known.add(unseen[0][0])


def stated_positive(f: Any) -> bool:
    return shown(f) or any(_above(f, e, strict) for e, strict in FACTS.get())


def stated_nonnegative(f: Any) -> bool:
    return any(_above(f, e, True) for e, _ in FACTS.get())


def stated_nonzero(f: Any) -> bool:
    sides = (f, -f)
    if (
        shown(f)
        or shown(abs_of(f))
        or any(_above(s, e, strict) for e, strict in FACTS.get() for s in sides)
    ):
        return True
    apart = [e.args[0] for e, strict in FACTS.get() if strict and isinstance(e, AbsAtom)]
    if any(expand(s - u) == 0 for u in apart for s in sides):
        return True
    return f.is_Mul and all(a.is_nonzero or stated_nonzero(a) for a in f.args)


def _above(f: Any, e: Any, strict: bool) -> bool:
    """f > 0, since f is no less than e, or by a positive amount more; or a positive multiple."""
    over = expand(f - e)
    if is_nonnegative(over) if strict else is_positive(over):
        return True
    return strict and e != 0 and is_positive(canon(f / e))


# --- logarithms, powers, absolute values ---


def log_of(e: Any) -> Any:
    """Sum of k log f over the irreducible factors f of e. The caller has made sure that e > 0
    where it matters; a factor that is not known to be positive keeps its whole product together."""
    total, rest = sp.S.Zero, sp.S.One
    for base, power in irreducible_factors(e):
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
        elif (
            is_positive(base)
            or isinstance(base, (Rho, Recip))
            or _sum_of_nonnegatives(base)
            or stated_positive(base)
        ):
            arg = base.args[0] if isinstance(base, Recip) else base
            tilt, arg = _common_exponential(arg)
            total += (-power if isinstance(base, Recip) else power) * (tilt + Log(arg))
        elif not base.is_Number and power.is_Integer and is_positive(-base):
            rest *= (-1) ** power
            total += power * Log(canon(-base))
        elif isinstance(base, AbsAtom) or (power.is_Integer and power % 2 == 0 and base.is_real):
            total += power * Log(base if isinstance(base, AbsAtom) else abs_of(base))
        else:
            rest *= base**power
    if rest == 1:
        return total
    return total + Log(rest)


def _common_exponential(e: Any) -> tuple[Any, Any]:
    """e = exp(t) rest, where one term of the sum `rest` has no exponential: log(e^a + e^b) and
    a + log(1 + e^(b - a)) are then the same. The choice of t is the last in an order of exponents
    that does not change when something is added to all of them."""
    if not (e.is_Add and e.has(sp.exp)):
        return sp.S.Zero, e
    exponents = [expand(sp.Add(*(_exponent(f) for f in sp.Mul.make_args(t)))) for t in e.args]
    last = exponents[0]
    for other in exponents[1:]:
        gap = expand(other - last)
        if gap != 0 and leading(gap).as_coeff_Mul()[0] > 0:
            last = other
    if last == 0:
        return last, e
    shifted = (
        sp.Mul(*(f for f in sp.Mul.make_args(t) if _exponent(f) == 0)) * exp_of(expand(u - last))
        for t, u in zip(e.args, exponents, strict=True)
    )
    return last, sp.Add(*shifted)


def _exponent(f: Any) -> Any:
    """k u of a factor exp(u)^k, and 0 of any other."""
    base, k = (f, sp.S.One) if isinstance(f, sp.exp) else f.as_base_exp()
    return k * base.args[0] if isinstance(base, sp.exp) else sp.S.Zero


def _sum_of_nonnegatives(e: Any) -> bool:
    return e.is_Add and all(is_nonnegative(t) for t in e.args)


def irreducible_factors(e: Any) -> list[tuple[Any, Any]]:
    """Irreducible factors with exponents."""
    found: list[tuple[Any, Any]] = []
    for f in sp.Mul.make_args(e):
        base, power = f.as_base_exp() if not isinstance(f, sp.exp) else (f, sp.S.One)
        if base.is_Add:
            found += [(b, k * power) for b, k in _factor_sum(base)]
        elif base.is_Mul:
            found += [(b, k * power) for b, k in irreducible_factors(base)]
        else:
            found.append((base, power))
    return found


# sympy factors with random numbers in place of all letters but one, and lifts what it finds. Where
# the best of three such places has factors that the whole has not, a sum of twenty terms can take
# many minutes; of ten places one is nearly always good.
@lru_cache(maxsize=20000)
def _factor_sum(e: Any) -> tuple[tuple[Any, Any], ...]:
    plain, back = opaque(e)
    over, under = sp.fraction(sp.together(plain))
    found: list[tuple[Any, Any]] = []
    for part, side in ((over, 1), (under, -1)):
        try:
            with using(EEZ_NUMBER_OF_CONFIGS=10):
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
        if base == -1 and (sign := sign_power(exponent)) is not None:
            return sign
        if is_positive(base):
            return exp_of(exponent * log_of(base))
        if exponent.is_integer and is_nonnegative(exponent):
            return _whole_power(base, exponent)
        return Root(canon(base), exponent)
    result, rest = sp.S.One, sp.S.One
    for b, k in irreducible_factors(base):
        if is_positive(b) or shown(b) or (b.is_Number and b > 0):
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


def _whole_power(base: Any, k: Any) -> Any:
    """The base, of any sign, to a whole number >= 0: u^(n + 1) = u u^n, factor by factor."""
    if base == 0:
        return sp.S.Zero if is_positive(k) else Root(base, k)
    fixed, moving = expand(k).as_coeff_Add()
    parts = [t.as_coeff_Mul() for t in terms(moving)]
    whole = all(c.is_Integer and c > 0 and t.is_integer and is_nonnegative(t) for c, t in parts)
    if fixed < 0 or not whole:
        fixed, parts = sp.S.Zero, [(sp.S.One, k)]
    result = base**fixed
    for f, m in irreducible_factors(base):
        for c, t in parts:
            size = -f if f.is_Number and f < 0 else f
            if size != f and m % 2:
                result *= sign_power(c * t)
            if is_positive(size):
                result *= exp_of(expand(c * t * m * log_of(size)))
            else:
                result *= Root(f, t) ** (c * m) if m.is_Integer else Root(f**m, t) ** c
    return result


def exp_of(e: Any) -> Any:
    """exp, with exp(k log f) = f**k."""
    result, rest = sp.S.One, []
    for t in terms(e):
        logs = [f for f in sp.Mul.make_args(t) if isinstance(f, Log)]
        power = t / logs[0] if len(logs) == 1 else None
        if power is not None and power.is_Rational and _of_size(logs[0]) and _fits(logs[0], power):
            result *= logs[0].args[0] ** power
        else:
            rest.append(t)
    return result * sp.exp(canon(sp.Add(*rest))) if rest else result


def _fits(logarithm: Any, power: Any) -> bool:
    """Whether the power of a number has so few digits that it is written out."""
    return not logarithm.args[0].is_Number or bool(abs(power) <= MOST_DIGITS)


def _of_size(logarithm: Any) -> bool:
    """Of what is > 0, or of |u|, which was asked not to be 0 where its logarithm was taken."""
    return is_positive(logarithm.args[0]) or isinstance(logarithm.args[0], AbsAtom)


def substitute(e: Any, values: dict[Any, Any]) -> Any:
    """Put values for letters, restoring canonical logarithms, roots, sizes, signs, sums and
    products."""

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
        if isinstance(x, Fun):
            return value_of(x.row.name, args[1])
        if isinstance(x, Member):
            return Member(args[0], canon(args[1]))
        if isinstance(x, Unknown):
            return Unknown(*args[:2], *(canon(a) for a in args[2:]))
        if isinstance(x, Root) or (x.is_Pow and not x.exp.is_Integer):
            return power_of(args[0], args[1])
        if isinstance(x, BigSum):
            return big_sum(*args)
        if isinstance(x, BigProduct):
            return big_product(*args)
        value = x.func(*args)
        if value.has(sp.zoo, sp.nan, sp.oo):
            raise Unsupported("division by zero")
        return value

    return visit(e)


def abs_of(e: Any) -> Any:
    if is_nonnegative(e):
        return e
    if is_nonnegative(-e):
        return -e
    product = sp.S.One
    for b, k in irreducible_factors(e):
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
            for b, k in irreducible_factors(e)
            if not is_positive(b)
        )
    )
    return Sign(canon(rest))


def value_of(name: str, e: Any) -> Any:
    """A function of the table: values at numbers are put in, the sign of the argument is fixed by
    parity, whole steps of the argument are taken as far down as it is positive."""
    row, u = TABLE[name], canon(e)
    if u.is_Rational:
        if not row.defined(u):
            raise Unsupported(f"{name}({u})")
        known = row.at.get(Fraction(int(u.p), int(u.q)))
        if known is not None:
            return number(known)
    if row.parity and (turned := orient(u)) != u:
        return row.parity * Fun(name, turned)
    if row.successor is not None:
        steps = sp.floor(expand(u).as_coeff_Add()[0])
        for k in range(int(steps) if steps <= MOST_STEPS else 0, 0, -1):
            if is_positive(canon(u - k)):
                value = value_of(name, u - k)
                for i in range(k, 0, -1):
                    value = next_value(row, canon(u - i), value)
                return value
    return Fun(name, u)


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
    return inner + 1 if isinstance(e, (Int, BigSum, BigProduct, Binder)) else inner


def close(kind: Key, body: Any, own: Any, *outside: Any) -> Any:
    """Bound letters are called after how deep they stand, and keep their sign."""
    name = sp.Symbol(f"bound^{height(body) + 1}", **own.assumptions0)
    return Binder(kind, body.xreplace({own: name}), name, *outside)


def big_sum(body: Any, index: Any, low: Any, high: Any) -> Any:
    """Linear; constants come out; the last whole steps of the range are written apart."""
    offset = high.as_coeff_Add()[0]
    if (few := _few(low, high)) is not None:
        return sp.Add(*(substitute(body, {index: at}) for at in few))
    if high.is_Integer and low.is_Integer:
        values = _range(low, high)
        if len(values) > PAIRED:
            total, left = _telescoped(body, index, low, high)
            if total != 0:
                return total + big_sum(left, index, low, high)
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
    whole = is_nonnegative(high - low + 1)
    total, left = _telescoped(body, index, low, high) if whole else (sp.S.Zero, body)
    for t in _partial_fractions(left, index):
        constant, rest = out_of_the_sum(t, index)
        closed = _closed_sum(rest, index, low, high) if whole else None
        if closed is None and whole and (c := shift(rest, index, low)):
            closed = _shifted(rest, index, low, high, c)
        if closed is None:
            name = _index_name(index, height(rest) + 1)
            closed = BigSum(rest.xreplace({index: name}), name, low, high)
        total += constant * closed
    return total


PAIRED = 8  # terms that are compared with each other


def _telescoped(body: Any, index: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """What the terms g(i + 1) - g(i) sum to, where g has an exponential or a function of the table,
    and the terms that are left."""
    kept = terms(expand(body))
    curved = [t for t in kept if any(f.has(index) for f in t.atoms(sp.exp, Fun))]
    if not 2 <= len(curved) <= PAIRED:
        return sp.S.Zero, body
    total = sp.S.Zero
    while curved:
        t = curved.pop()
        for u in curved:
            for ahead, behind in ((t, u), (u, t)):
                if canon(substitute(behind, {index: index + 1}) + ahead) == 0:
                    ends = (substitute(ahead, {index: high}), substitute(behind, {index: low}))
                    total += sp.Add(*ends)
                    break
            else:
                continue
            curved.remove(u)
            kept.remove(t)
            kept.remove(u)
            break
    return total, sp.Add(*kept) if total != 0 else body


def out_of_the_sum(t: Any, index: Any) -> tuple[Any, Any]:
    """What does not depend on the index, also in the exponent of an exponential, and the rest."""
    constant, rest = t.as_independent(index, as_Add=False)
    factors = sp.Mul.make_args(rest)
    tilts = [f for f in factors if isinstance(f, sp.exp)]
    if not tilts:
        return constant, rest
    whole = expand(sp.Add(*(f.args[0] for f in tilts)))
    fixed, moving = whole.as_independent(index, as_Add=True)
    others = sp.Mul(*(f for f in factors if f not in tilts))
    return constant * exp_of(fixed), others * exp_of(moving)


def _shifted(rest: Any, index: Any, low: Any, high: Any, c: int) -> Any:
    """The sum of r(i + c) is that of r, with c terms less at one end and c more at the other."""
    moved = expand(substitute(rest, {index: index - c}))
    before, after = _ends(moved, index, low, high, c)
    total = big_sum(moved, index, low, high)
    return total - sp.Add(*before) + sp.Add(*after)


def from_one_start(e: Any) -> Any:
    """Sums over the same indices from different whole numbers, with the first terms of the longer
    ones written apart; an index has one meaning then, with what is known of the later start."""
    groups: dict[Any, list[Any]] = defaultdict(list)
    for s in e.atoms(BigSum):
        _, _, low, high = s.args
        if low.is_Integer and is_nonnegative(high - low + 1):
            groups[high].append(s)
    for found in groups.values():
        last = max(s.args[2] for s in found)
        known = {s.args[1].name: s.args[1] for s in found if s.args[2] == last}
        for s in found:
            body, index, low, high = s.args
            if last - low <= FARTHEST and low < last and is_nonnegative(high - last + 1):
                first = (substitute(body, {index: low + k}) for k in range(int(last - low)))
                own = known.get(index.name, index)
                rest = BigSum(body.xreplace({index: own}), own, last, high)
                e = e.xreplace({s: sp.Add(*first) + rest})
    return e


def _ends(moved: Any, index: Any, low: Any, high: Any, c: int) -> tuple[list[Any], list[Any]]:
    """The terms that are no longer there, and those that are new, when a range moves up by c; by a
    negative number, the other way round."""
    lower = [substitute(moved, {index: low + k}) for k in range(min(c, 0), max(c, 0))]
    upper = [substitute(moved, {index: high + 1 + k}) for k in range(min(c, 0), max(c, 0))]
    return (lower, upper) if c > 0 else (upper, lower)


POWER_SUMS = 4  # Faulhaber's formulas are used up to this power of the index


def _closed_sum(rest: Any, index: Any, low: Any, high: Any) -> Any:
    """The sum of a power of the index, or of a geometric sequence whose ratio is not 1; the range
    may be empty, but does not end before low - 1."""
    if rest == 1:
        return high - low + 1
    base, k = rest.as_base_exp()
    if base == index and k.is_Integer and 0 < k <= POWER_SUMS:
        return _power_sum(int(k), high) - _power_sum(int(k), low - 1)
    if rest == sp.Pow(-sp.S.One, index):
        return (sign_power(low) + sign_power(high)) / 2
    if isinstance(rest, sp.exp):
        slope = canon(rest.args[0] / index)
        if slope.has(index):
            return None
        ratio = exp_of(slope)
        if is_positive(ratio - 1) or is_positive(1 - ratio):
            return (exp_of(slope * (high + 1)) - exp_of(slope * low)) / (ratio - 1)
    return None


def _power_sum(k: int, n: Any) -> Any:
    """1^k + ... + n^k as a polynomial in n, which is right for n = 0 and, as both sides of the
    recursion agree, for every whole n."""
    b = [sp.bernoulli(j) if j != 1 else HALF for j in range(k + 1)]
    return expand(
        sp.Add(*(sp.binomial(k + 1, j) * b[j] * n ** (k + 1 - j) for j in range(k + 1))) / (k + 1)
    )


def _few(low: Any, high: Any) -> list[Any] | None:
    """The values of an index from n to n + k, for a letter n and a small number k; none where the
    range ends just before it begins."""
    steps = sp.expand(high - low)
    if not low.free_symbols or not steps.is_Integer or not -1 <= steps <= FARTHEST:
        return None
    return [low + k for k in range(int(steps) + 1)]


def _range(low: Any, high: Any) -> range:
    if high - low > 1000:
        raise Unsupported(f"a sum of {high - low + 1} terms")
    return range(int(low), int(high) + 1)


def _partial_fractions(body: Any, index: Any) -> list[Any]:
    """Terms whose rational coefficients are in partial fractions of the one member they contain, or
    of the index."""
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
        elif not back and plain.free_symbols == {index}:
            plain = sp.apart(plain, index)
        out += [t * other for t in terms(plain.xreplace(back))]
    return out


def _index_name(index: Any, level: int) -> Any:
    """A canonical name that knows no more about its sign than the index itself."""
    if index.is_positive:
        return sp.Symbol(f"index^{level}", positive=True, integer=True)
    return sp.Symbol(f"index^{level}", integer=True)


def big_product(body: Any, index: Any, low: Any, high: Any) -> Any:
    offset = high.as_coeff_Add()[0]
    if (few := _few(low, high)) is not None:
        return sp.Mul(*(substitute(body, {index: at}) for at in few))
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
    whole = is_nonnegative(high - low + 1)
    for b, k in irreducible_factors(body):
        if whole and is_positive(b) and not b.has(index) and k.is_Integer:
            total *= exp_of((high - low + 1) * k * log_of(b))
        elif isinstance(b, sp.exp):  # of a sum
            total *= exp_of(big_sum(k * b.args[0], index, low, high))
        elif is_positive(b) and k.is_Integer and whole and (c := shift(b, index, low)):
            moved = canon(substitute(b, {index: index - c}))
            before, after = _ends(moved, index, low, high, c)
            ends = sp.Mul(*after) / sp.Mul(*before)
            total *= (big_product(moved, index, low, high) * ends) ** k
        elif is_positive(b) and k.is_Integer:
            total *= BigProduct(canon(b).xreplace({index: name}), name, low, high) ** k
        else:
            rest *= b**k
    return (
        total
        if rest == 1
        else total * BigProduct(canon(rest).xreplace({index: name}), name, low, high)
    )
