"""Integrals of powers, exponentials and logarithms over a half-line, the line and the counts.

Each kernel is one integral with parameters, and a logarithm in front of it is its derivative by an
exponent. Densities of named families are such kernels, and so are their products: that they
integrate to one, their moments, entropies and posteriors all come from here. A kernel is used only
where its parameters are shown to make it converge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import (
    abs_of,
    exp_of,
    irreducible_factors,
    is_positive,
    log_of,
    stated_positive,
    value_of,
)
from genmath.proof.symbolic.atoms import AbsAtom, Atom, Fun, Log
from genmath.proof.symbolic.bound import on_line
from genmath.proof.symbolic.polynomials import canon, expand, space_of, terms
from genmath.proof.symbolic.supports import Rules

MOST = 12  # powers of the letter before it is written out


def kernel(v: Any, local: list[Any], rules: Rules) -> Any:
    """The integral over v of the factors that hold it, or None."""
    constant, moving = _in_factors(v, local)
    found = _known(v, moving, rules)
    return None if found is None else constant * found


def _in_factors(v: Any, local: list[Any]) -> tuple[Any, list[Any]]:
    """Sums such as e^c + e^c v, or (1 + e^v)^2 multiplied out, in their factors: the product of
    those free of v, and the others."""
    constant, moving = sp.S.One, list[Any]()
    for f in local:
        base = f.as_base_exp()[0]
        opens = base.is_Add and base.has(sp.exp)
        for part in [b**k for b, k in irreducible_factors(f)] if opens else [f]:
            if part.has(v):
                moving.append(part)
            else:
                constant *= part
    return constant, moving


def _known(v: Any, local: list[Any], rules: Rules) -> Any:
    if not any(f.has(sp.exp) or f.as_base_exp()[1].is_negative for f in local):
        return None
    if v.is_integer:
        return _over_counts(v, local) if v.is_nonnegative else None
    if v.is_positive:
        return _over_half_line(v, local)
    if not on_line(v):
        return None
    for rule in (_two_sided, _sigmoidal, _doubly, _algebraic):
        found = rule(v, local)
        if found is not None:
            rules.on_the_line(space_of(v))
            return found
    return None


def _shown(e: Any) -> bool:
    return bool(is_positive(e) or stated_positive(e))


@dataclass
class Parts:
    """A product read by its factors: exponents by base, logarithms by argument, and an exponential
    of what is left, `tilt`."""

    tilt: Any = sp.S.Zero
    powers: dict[Any, Any] = field(default_factory=dict)
    logs: dict[Any, int] = field(default_factory=dict)

    def power(self, base: Any, k: Any) -> None:
        self.powers[base] = self.powers.get(base, sp.S.Zero) + k


def _read(v: Any, local: list[Any]) -> Parts | None:
    """None where a factor is of another kind."""
    parts = Parts()
    for f in local:
        if isinstance(f, sp.exp):
            parts.tilt += f.args[0]
            continue
        base, k = f.as_base_exp()
        if isinstance(base, Log):
            if not (k.is_Integer and k > 0):
                return None
            parts.logs[base.args[0]] = parts.logs.get(base.args[0], 0) + int(k)
        elif (isinstance(base, Atom) and not isinstance(base, (AbsAtom, Fun))) or k.has(v):
            return None
        else:
            parts.power(base, k)
    rest = sp.S.Zero
    for t in terms(expand(parts.tilt)):
        logs = [f for f in sp.Mul.make_args(t) if isinstance(f, Log) and f.has(v)]
        if len(logs) == 1 and not (t / logs[0]).has(v):
            parts.power(logs[0].args[0], t / logs[0])
        else:
            rest += t
    parts.tilt = rest
    return parts


def _linear(e: Any, v: Any) -> tuple[Any, Any] | None:
    """(a, b) where e = a + b v."""
    if not e.has(v):
        return e, sp.S.Zero
    if any(a.has(v) for a in e.atoms(Atom, sp.exp)):
        return None
    slope = canon(sp.diff(e, v))
    return None if slope.has(v) else (canon(e - slope * v), slope)


def _monomial(e: Any, v: Any) -> tuple[Any, Any, Any] | None:
    """(a, b, k) where e = a + b v^k and k > 0."""
    constant, moving = expand(e).as_independent(v, as_Add=True)
    slope, power = moving.as_independent(v, as_Add=False)
    base, k = power.as_base_exp()
    if base != v or k.has(v) or not is_positive(k):
        return None
    return constant, slope, k


def _psi(e: Any) -> Any:
    return value_of("digamma", e)


def _slope_of_psi(e: Any) -> Any:
    return value_of("trigamma", e)


def _gamma(e: Any) -> Any:
    return value_of("gamma", e)


# --- the half-line --------------------------------------------------------------------------------


def _over_half_line(v: Any, local: list[Any]) -> Any:
    """v^(s-1) e^(-c v) integrates to Gamma(s) c^-s; v^(p-1) (1 + v)^(-p-q) to Beta(p, q). In
    w = v^k, for k > 0, v^(s-1) e^(-c v^k) dv is w^(s/k - 1) e^(-c w) dw / k."""
    parts = _read(v, local)
    if parts is None:
        return None
    s = parts.powers.pop(v, sp.S.Zero) + 1
    m = parts.logs.pop(v, 0)
    bases = set(parts.powers) | set(parts.logs)
    tilt = _linear(parts.tilt, v)
    if tilt is None:
        power = None if bases else _monomial(parts.tilt, v)
        if power is None:
            return None
        constant, slope, k = power
        whole = _gamma_kernel(s / k, -slope, m, constant)
        return None if whole is None else whole / k ** (m + 1)
    constant, slope = tilt
    if not bases:
        return _gamma_kernel(s, -slope, m, constant)
    if slope != 0 or len(bases) > 1:
        return None
    (base,) = bases
    line = _linear(base, v)
    if line is None or not (_shown(line[0]) and _shown(line[1])):
        return None
    a, b = line  # v = w a/b, a + b v = a (1 + w)
    k = parts.powers.get(base, sp.S.Zero)
    whole = _beta_kernel(s, -k, m, parts.logs.get(base, 0), log_of(a) - log_of(b), log_of(a))
    if whole is None:
        return None
    return exp_of(expand(constant + s * (log_of(a) - log_of(b)) + k * log_of(a))) * whole


def _gamma_kernel(s: Any, rate: Any, logs: int, constant: Any) -> Any:
    s = expand(s)
    if logs > 2 or not (_shown(s) and _shown(rate)):
        return None
    mean = _psi(s) - log_of(rate) if logs else sp.S.Zero
    front = (sp.S.One, mean, mean**2 + (_slope_of_psi(s) if logs == 2 else 0))[logs]
    return _gamma(s) * exp_of(expand(constant - s * log_of(rate))) * front


def _beta_kernel(p: Any, r: Any, m: int, n: int, shift_w: Any, shift_1: Any) -> Any:
    """The integral of w^(p-1) (1 + w)^-r (log w + shift_w)^m (log(1 + w) + shift_1)^n."""
    p, r = expand(p), expand(r)
    q = expand(r - p)
    if m + n > 2 or not (_shown(p) and _shown(q)):
        return None
    value = _gamma(p) * _gamma(q) / _gamma(r)
    for times, mean in ((m, _psi(p) - _psi(q) + shift_w), (n, _psi(r) - _psi(q) + shift_1)):
        value *= mean**times
    if m + n < 2:
        return value
    both = {2: _slope_of_psi(p) + _slope_of_psi(q), 1: _slope_of_psi(q)}
    spread = both.get(m, _slope_of_psi(q) - _slope_of_psi(r))
    return value + _gamma(p) * _gamma(q) / _gamma(r) * spread


# --- the counts -----------------------------------------------------------------------------------


def _over_counts(v: Any, local: list[Any]) -> Any:
    """z^v/v! sums to e^z, z^v to 1/(1 - z); a power of v is z d/dz as often."""
    parts = _read(v, local)
    if parts is None or parts.logs:
        return None
    degree = parts.powers.pop(v, sp.S.Zero)
    factorial = parts.powers.pop(Fun("gamma", v + 1), sp.S.Zero)
    tilt = _linear_over_logs(parts.tilt, v)
    if parts.powers or tilt is None or factorial not in (0, -1):
        return None
    if not (degree.is_Integer and 0 <= degree <= MOST):
        return None
    constant, slope = tilt
    z = exp_of(slope)
    if factorial == -1:
        whole = sum(_stirling(int(degree), j) * z**j for j in range(int(degree) + 1))
        return exp_of(expand(constant)) * whole * exp_of(z)
    if not _shown(canon(1 - z)):
        return None
    u = sp.Dummy("z")
    series = 1 / (1 - u)
    for _ in range(int(degree)):
        series = sp.cancel(u * sp.diff(series, u))
    over, under = sp.fraction(sp.factor(series))
    return exp_of(expand(constant)) * over.xreplace({u: z}) / under.xreplace({u: canon(z)})


def _linear_over_logs(e: Any, v: Any) -> tuple[Any, Any] | None:
    """(a, b) where e = a + b v, atoms free of v counted as numbers."""
    a = b = sp.S.Zero
    for t in terms(expand(e)):
        rest = t / v
        if not t.has(v):
            a += t
        elif not rest.has(v):
            b += rest
        else:
            return None
    return a, b


def _stirling(n: int, k: int) -> int:
    """In how many ways n things fall into k groups."""
    if n == k:
        return 1
    return 0 if k == 0 or k > n else _stirling(n - 1, k - 1) + k * _stirling(n - 1, k)


# --- the line -------------------------------------------------------------------------------------


def _two_sided(v: Any, local: list[Any]) -> Any:
    """v^k |v - m|^j e^(-c |v - m| + t v), from both sides of m."""
    parts = _read(v, local)
    if parts is None or parts.logs:
        return None
    at = [a for a in parts.tilt.atoms(AbsAtom) if a.has(v)]
    if len(at) != 1:
        return None
    line = _linear(at[0].args[0], v)
    if line is None:
        return None
    m, stretch = canon(-line[0] / line[1]), abs_of(line[1])  # |a + b v| = |b| |v - m|
    if not is_positive(stretch):
        return None
    rest = sp.S.Zero
    c = sp.S.Zero
    for t in terms(expand(parts.tilt)):
        if t.has(at[0]):
            factor = t / at[0]
            if factor.has(v):
                return None
            c -= factor * stretch
        else:
            rest += t
    tilt = _linear(rest, v)
    if tilt is None:
        return None
    constant, slope = tilt
    k = parts.powers.pop(v, sp.S.Zero)
    j = parts.powers.pop(at[0], sp.S.Zero)
    if len(parts.powers) == 1 and slope == k == j == 0:
        return _distance(v, parts.powers, m, c, constant)
    whole = k.is_Integer and j.is_Integer and 0 <= k <= MOST and 0 <= j <= MOST
    if parts.powers or not whole:
        return None
    total = sp.S.Zero
    for side in (1, -1):
        rate = canon(c - side * slope)
        if not _shown(rate):
            return None
        for i in range(int(k) + 1):  # (m + side u)^k u^j
            n = i + int(j)
            part = sp.binomial(k, i) * m ** (k - i) * side**i
            total += part * sp.factorial(n) * rate ** (-n - 1)
    return exp_of(canon(constant + slope * m)) * stretch**j * total


def _distance(v: Any, powers: dict[Any, Any], m: Any, c: Any, constant: Any) -> Any:
    """|v - o| e^(-c |v - m|): how far a place o is from both sides of m."""
    ((other, k),) = powers.items()
    line = _linear(other.args[0], v) if isinstance(other, AbsAtom) else None
    if line is None or k != 1 or not _shown(c):
        return None
    gap = abs_of(canon(m + line[0] / line[1]))
    whole = 2 / c * gap + 2 / c**2 * exp_of(canon(-c * gap))
    return abs_of(line[1]) * exp_of(constant) * whole


def _sigmoidal(v: Any, local: list[Any]) -> Any:
    """e^(p u) (1 + e^u)^-r du is w^(p-1) (1 + w)^-r dw with w = e^u."""
    parts = _read(v, local)
    tilt = None if parts is None else _linear(parts.tilt, v)
    if parts is None or tilt is None or v in parts.logs:
        return None
    degree = parts.powers.pop(v, sp.S.Zero)
    if not parts.powers or not (degree.is_Integer and degree >= 0) or sum(parts.logs.values()) > 1:
        return None
    front, slope, power = tilt[0], tilt[1], sp.S.Zero
    curves: set[tuple[Any, Any]] = set()
    for base, k in parts.powers.items():
        if (split := _two_exponentials(base, v)) is None:
            return None
        size, low, curve = split
        front, slope, power = front + k * log_of(size), slope + k * low, power + k
        curves.add(curve)
    logarithm = None
    for base in parts.logs:
        if (logarithm := _two_exponentials(base, v)) is None:
            return None
        curves.add(logarithm[2])
    if len(curves) != 1:
        return None
    ((ratio, c),) = curves  # w = ratio e^(c v), so c v = log w + shift
    p, shift = canon(slope / c), -log_of(ratio)

    def moment(degree: int, logs: int) -> Any:
        """Of v^degree (log(1 + w))^logs."""
        whole = _beta_kernel(p, -power, degree, logs, shift, sp.S.Zero)
        return None if whole is None else whole / c**degree

    if logarithm is None:
        found = moment(int(degree), 0)
    else:
        size, low, _ = logarithm  # the logarithm is log(size) + low v + log(1 + w)
        parts_of = [(log_of(size), moment(int(degree), 0)), (sp.S.One, moment(int(degree), 1))]
        if low != 0:
            parts_of.append((low, moment(int(degree) + 1, 0)))
        if any(value is None for _, value in parts_of):
            return None
        found = sum(factor * value for factor, value in parts_of)
    return None if found is None else exp_of(expand(front + p * shift)) * found / c


def _doubly(v: Any, local: list[Any]) -> Any:
    """exp(k v - a e^(c v)), Gumbel's kernel, is w^(k/c - 1) e^(-a w) dw/c with w = e^(c v)."""
    parts = _read(v, local)
    if parts is None or parts.logs:
        return None
    degree = parts.powers.pop(v, sp.S.Zero)
    if parts.powers or degree not in (0, 1, 2):
        return None
    fronts: dict[Any, Any] = {}
    rest = sp.S.Zero
    for t in terms(expand(parts.tilt)):
        if not any(x.has(v) for x in t.atoms(sp.exp)):
            rest += t
            continue
        split = _one_exponential(t, v)
        if split is None:
            return None
        fronts[split[1]] = fronts.get(split[1], sp.S.Zero) + split[0]
    line = _linear(rest, v)
    if line is None or len(fronts) != 1:
        return None
    ((c, front),) = fronts.items()
    if not (_shown(c) or _shown(-c)):
        return None
    whole = _gamma_kernel(canon(line[1] / c), canon(-front), int(degree), line[0])
    return None if whole is None else whole / (c**degree * abs_of(c))


def _one_exponential(t: Any, v: Any) -> tuple[Any, Any] | None:
    """(a, c) where t = a e^(c v)."""
    front, rate = sp.S.One, sp.S.Zero
    for f in sp.Mul.make_args(t):
        if not f.has(v):
            front *= f
            continue
        line = _linear(f.args[0], v) if isinstance(f, sp.exp) else None
        if line is None:
            return None
        front, rate = front * exp_of(line[0]), rate + line[1]
    return front, canon(rate)


def _two_exponentials(e: Any, v: Any) -> tuple[Any, Any, tuple[Any, Any]] | None:
    """(a, i, (r, c)) where e = a e^(i v) (1 + r e^(c v)) with a, r, c > 0."""
    parts = [_one_exponential(t, v) for t in terms(expand(e))]
    found = [part for part in parts if part is not None and is_positive(part[0])]
    if len(found) != 2 or len(parts) != 2:
        return None
    (a, low), (b, high) = found
    c = canon(high - low)
    if is_positive(-c):
        (a, low), (b, high), c = (b, high), (a, low), canon(-c)
    return (a, low, (exp_of(expand(log_of(b) - log_of(a))), c)) if is_positive(c) else None


def _algebraic(v: Any, local: list[Any]) -> Any:
    """v^(2k) (a + b v^2)^-r, by w = b v^2/a."""
    parts = _read(v, local)
    if parts is None or parts.tilt.has(v):
        return None
    bases = {b for b in (*parts.powers, *parts.logs) if b != v}
    degree = parts.powers.get(v, sp.S.Zero)
    if len(bases) != 1 or v in parts.logs or not (degree.is_Integer and degree >= 0):
        return None
    (base,) = bases
    if base.has(Atom) and any(a.has(v) for a in base.atoms(Atom)):
        return None
    bend = canon(sp.diff(base, v, 2) / 2)
    start = canon(base - bend * v**2)
    if bend.has(v) or start.has(v) or not (_shown(bend) and _shown(start)):
        return None
    k, n = parts.powers.get(base, sp.S.Zero), parts.logs.get(base, 0)
    p = (degree + 1) / 2
    ratio = log_of(start) - log_of(bend)
    whole = _beta_kernel(p, -k, 0, n, sp.S.Zero, log_of(start))
    if whole is None:
        return None
    if degree % 2:  # odd, and it converges
        return sp.S.Zero
    return exp_of(expand(parts.tilt + k * log_of(start) + p * ratio)) * whole


__all__ = ["kernel"]
