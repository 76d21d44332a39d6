"""What an expression comes to as a letter u > 0 grows: it is written as a sum of terms
c exp(b u) u^a (log u)^k, and of remainders that are smaller than one of them.

    log(p (1 + r)) = log p + r + o(r)      (1 + r)^k = 1 + k r + o(r)      exp(r) = 1 + r + o(r)

where p is the term that outgrows the others. What is not decided is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import (
    exp_of,
    is_positive,
    log_of,
    power_of,
    stated_positive,
    value_of,
)
from genmath.proof.symbolic.atoms import AbsAtom, Fun, Log, Root
from genmath.proof.symbolic.polynomials import canon, expand, terms
from genmath.proof.symbolic.rows import ends
from genmath.proof.symbolic.shifts import sign_power

Order = tuple[Any, Any, Any]  # b, a, k
CONSTANT: Order = (sp.S.Zero, sp.S.Zero, sp.S.Zero)
MOST = 6  # a power that is multiplied out


class Undecided(Exception):
    """Which of two terms outgrows the other, or of which sign one is, is not known."""


@dataclass
class Growth:
    terms: dict[Order, Any] = field(default_factory=dict)
    rests: set[Order] = field(default_factory=set)  # what is smaller than these

    def __add__(self, other: Growth) -> Growth:
        total = dict(self.terms)
        for order, c in other.terms.items():
            total[order] = total.get(order, sp.S.Zero) + c
        kept = {k: c for k, c in ((k, expand(c)) for k, c in total.items()) if c != 0}
        return Growth(kept, self.rests | other.rests)

    def __mul__(self, other: Growth) -> Growth:
        total = Growth()
        for order, c in self.terms.items():
            total += Growth({_plus(order, o): c * d for o, d in other.terms.items()})
        ours, theirs = ({*g.terms, *g.rests} for g in (self, other))
        total.rests |= {_plus(r, o) for r in self.rests for o in theirs}
        total.rests |= {_plus(r, o) for r in other.rests for o in ours}
        return total


def limit_at_infinity(e: Any, u: Any) -> Any | None:
    try:
        found = growth(e, u)
        if any(_compare(r, CONSTANT) > 0 for r in found.rests):
            return None
        signs = {order: _compare(order, CONSTANT) for order in found.terms}
    except Undecided:
        return None
    if any(s > 0 for s in signs.values()):
        return None
    return canon(found.terms.get(CONSTANT, sp.S.Zero))


def growth(e: Any, u: Any) -> Growth:
    if not e.has(u):
        return Growth({CONSTANT: e} if e != 0 else {})
    if e == u:
        return Growth({(sp.S.Zero, sp.S.One, sp.S.Zero): sp.S.One})
    match e:
        case sp.Add():
            return sum((growth(a, u) for a in e.args), Growth())
        case sp.Mul() | sp.exp():
            return _product(e, u)
        case sp.Pow() if e.exp.is_Rational and not isinstance(e.base, (sp.exp, Root)):
            return _power(growth(e.base, u), e.exp)
        case Log():
            return _logarithm(growth(e.args[0], u))
        case Root() | sp.Pow():
            return _product(e, u)
        case AbsAtom():
            inner = growth(e.args[0], u)
            side = _sign(_leading(inner)[1])
            return inner if side > 0 else Growth({CONSTANT: -sp.S.One}) * inner
        case Fun():
            return _function(e, growth(e.args[1], u))
    raise Undecided


def _product(e: Any, u: Any) -> Growth:
    """Exponents are added first: they may outgrow each other."""
    whole, tilt, signs = Growth({CONSTANT: sp.S.One}), Growth(), list[Any]()
    for f in sp.Mul.make_args(e):
        base, k = f.as_base_exp() if not isinstance(f, sp.exp) else (f, sp.S.One)
        if base == -1:
            signs.append(k)
        elif f.has(u) and (isinstance(base, (sp.exp, Root)) or k.has(u)):
            tilt += _exponent(f, u, signs)
        else:
            whole *= growth(f, u)
    sign = sign_power(sp.Add(*signs))
    if sign not in (1, -1):
        raise Undecided
    return whole * Growth({CONSTANT: sign}) * _exponential(tilt)


def _exponent(f: Any, u: Any, signs: list[Any]) -> Growth:
    """The logarithm of a power; one of what is < 0 from some place on has a sign, (-1)^k."""
    if isinstance(f, sp.exp):
        return growth(f.args[0], u)
    base, k = f.args
    if isinstance(base, (sp.exp, Root)):
        inner: list[Any] = []
        power = growth(k, u) * _exponent(base, u, inner)
        signs += [k * i for i in inner]
        return power
    size = growth(base, u)
    if isinstance(f, Root) and _sign(_leading(size)[1]) < 0:
        signs.append(k)
        size = growth(-base, u)
    return growth(k, u) * _logarithm(size)


def _plus(a: Order, b: Order) -> Order:
    return expand(a[0] + b[0]), a[1] + b[1], a[2] + b[2]


def _sign(c: Any) -> int:
    for side in (1, -1):
        if is_positive(side * c) or stated_positive(expand(side * c)):
            return side
    logs = [t.as_coeff_Mul() for t in terms(expand(c))]
    if all(isinstance(t, Log) for _, t in logs):  # that of a product, which is compared with 1
        whole = sp.Mul(*(t.args[0] ** k for k, t in logs))
        for side in (1, -1):
            if is_positive(canon(side * (whole - 1))):
                return side
    raise Undecided


def _compare(a: Order, b: Order) -> int:
    """1 where a outgrows b, -1 where it is outgrown."""
    for x, y in zip(a, b, strict=True):
        gap = expand(x - y)
        if gap != 0:
            return _sign(gap)
    return 0


def _largest(orders: set[Order]) -> Order:
    first, *others = orders
    for o in others:
        if _compare(o, first) > 0:
            first = o
    return first


def _leading(g: Growth) -> tuple[Order, Any]:
    """The term that outgrows all others, and the remainders."""
    if not g.terms:
        raise Undecided
    order = _largest(set(g.terms))
    if any(_compare(r, order) > 0 for r in g.rests):
        raise Undecided
    return order, g.terms[order]


def _beside(g: Growth) -> tuple[Order, Any, Growth]:
    """g = c order (1 + r): the order, c > 0 or < 0, and r, which goes to 0."""
    order, c = _leading(g)
    _sign(c)
    back = Growth({(-order[0], -order[1], -order[2]): 1 / c})
    r = Growth({o: d for o, d in g.terms.items() if o != order}, g.rests) * back
    return order, c, r


def _near(r: Growth) -> Growth:
    """f(r) - f(0) where f has slope 1 at 0: r, and what is smaller."""
    orders = {*r.terms, *r.rests}
    return Growth(r.terms, {*r.rests, _largest(orders)}) if orders else r


def _logarithm(g: Growth) -> Growth:
    order, c, r = _beside(g)
    if _sign(c) < 0 or order[2] != 0:  # no log log u
        raise Undecided
    parts = {
        CONSTANT: log_of(c),
        (sp.S.Zero, sp.S.Zero, sp.S.One): order[1],
        (sp.S.Zero, sp.S.One, sp.S.Zero): order[0],
    }
    return Growth({o: d for o, d in parts.items() if d != 0}) + _near(r)


def _power(g: Growth, k: Any) -> Growth:
    if k.is_Integer and 0 < k <= MOST:
        whole = g
        for _ in range(int(k) - 1):
            whole *= g
        return whole
    order, c, r = _beside(g)
    if not k.is_Integer and _sign(c) < 0:
        raise Undecided
    front = Growth({(k * order[0], k * order[1], k * order[2]): power_of(c, k)})
    inner = Growth({CONSTANT: sp.S.One}) + Growth({CONSTANT: k}) * _near(r)
    return front * inner


def _exponential(g: Growth) -> Growth:
    rate = power = sp.S.Zero
    fixed, small = sp.S.Zero, Growth()
    for order, c in g.terms.items():
        match order:
            case (0, 1, 0):
                rate = c
            case (0, 0, 1):
                power = c
            case (0, 0, 0):
                fixed = c
            case _ if _compare(order, CONSTANT) < 0:
                small += Growth({order: c})
            case _:
                raise Undecided
    if any(_compare(r, CONSTANT) > 0 for r in g.rests):
        raise Undecided
    small.rests |= g.rests
    if not power.is_Rational:
        raise Undecided
    front = Growth({(rate, power, sp.S.Zero): exp_of(fixed)})
    return front * (Growth({CONSTANT: sp.S.One}) + _near(small))


def _function(e: Any, g: Growth) -> Growth:
    """Of the table, by its value where its argument goes to a number, or by its end."""
    if e.row.derivative is None:
        raise Undecided
    positive = {o: s for o in g.terms if (s := _compare(o, CONSTANT)) >= 0}
    if any(_compare(r, CONSTANT) > 0 for r in g.rests):
        raise Undecided
    if any(s > 0 for s in positive.values()):
        end = ends(e.row)[1 if _sign(_leading(g)[1]) > 0 else 0]
        if end is None:
            raise Undecided
        value = end
    else:
        at = g.terms.get(CONSTANT, sp.S.Zero)
        if e.row.domain != "real" and _sign(at) < 0:
            raise Undecided
        value = value_of(e.row.name, at)
    return Growth({CONSTANT: value} if value != 0 else {}, {CONSTANT})
