"""Guards of judge A that few claims reach, each met by itself: without it something false is
said."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp

from genmath.proof.symbolic.algebra import _closed_sum, _common_exponential, substitute
from genmath.proof.symbolic.atoms import OUT, Int, Key, Log, Recip, Rho, Unknown
from genmath.proof.symbolic.integrals import _simpler, _smooth, integrate
from genmath.proof.symbolic.supports import Rules, Unsupported, supports

x, z = sp.Dummy("x", real=True), sp.Dummy("z", real=True)
theta, edge = sp.Symbol("theta", real=True), sp.Symbol("s", nonnegative=True)
P, Q, SURE, OTHER = Key("p"), Key("q"), Key("r", "positive"), Key("o", "positive")
p, q, r, o = (Rho(k, [x], []) for k in (P, Q, SURE, OTHER))
joint, marginal = Rho(P, [x, z], []), Rho(P, [x, OUT], [])
given, elsewhere = Rho(P, [x], [z]), Rho(P, [x], [theta])


def slope(of: Any, *places: int) -> Any:
    return Rho(*of.args[:3], places)


HELD = [(p, p), (p * q, p), (p**2, p), (p, p + q), (p, Recip(p)), (p, p**-1), (joint, marginal),
        (p + p * q, p), (p, p * r), (slope(elsewhere, 1), elsewhere)]  # fmt: skip
NOT_HELD = [
    (p, q), (p + q, p), (p**-1, p), (p, p - q), (p, p * q), (p, slope(p, 0)), (marginal, joint),
    (given, elsewhere), (slope(elsewhere, 1, 1), elsewhere), (p - q, p),
    (slope(Rho(P, [x], [edge]), 1), Rho(P, [x], [edge])),
]  # fmt: skip


@pytest.mark.parametrize(("weight", "f"), HELD, ids=str)
def test_what_is_positive_wherever_the_weight_is(weight: Any, f: Any) -> None:
    assert supports(weight, f, Rules())


@pytest.mark.parametrize(("weight", "f"), NOT_HELD, ids=str)
def test_what_may_be_0_there(weight: Any, f: Any) -> None:
    """A slope by a parameter is 0 where the density is: it is at its minimum, but not at an end."""
    assert not supports(weight, f, Rules())


def test_dominance_is_of_the_same_letters() -> None:
    rules = Rules(dominates={Q: (P,)}, slots={Q: ("x",), P: ("x", "z")})
    assert supports(Rho(P, [x, z], []), q, rules)
    assert not supports(Rho(P, [z, x], []), q, rules)
    assert not supports(p, q, Rules(slots={Q: ("x",), P: ("x",)}))


MEANS = [p, p * sp.exp(x), Rho(P, [x], []) * Rho(Q, [z], [x])]
NO_MEANS = [p**-1, Rho(P, [x], [z]) * Rho(Q, [z], [x]), slope(p, 0), p * (x**2)]


def test_the_integral_of_a_probability_is_positive() -> None:
    """Two densities, each given the other's letter, may never both be positive."""
    for body in MEANS:
        assert Int(body, x, z).is_positive
    for body in NO_MEANS:
        assert not Int(body, x, z).is_positive


def test_an_integral_is_opened_only_where_it_is_a_factor() -> None:
    inner = Int(Rho(Q, [x, sp.Symbol("z^1_0", real=True)], []), sp.Symbol("z^1_0", real=True))
    for power in (-1, -2, sp.Rational(1, 2)):
        whole = integrate(p * inner**power, (x,), Rules())
        assert whole.has(Int)
        assert whole != integrate(p, (x,), Rules())


def test_what_is_put_in_makes_no_pole() -> None:
    for e in (1 / x, x / x**2, (x + 1) / (x - z)):
        with pytest.raises(Unsupported):
            substitute(e, {x: sp.S.Zero, z: sp.S.Zero})
    with pytest.raises(Unsupported):
        substitute(1 / (x - z), {x: z})
    assert substitute(1 / x, {x: sp.Integer(2)}) == sp.Rational(1, 2)


def test_an_exponential_taken_out_is_put_back() -> None:
    u, v = theta, edge
    for e in (sp.exp(u) + sp.exp(v), 2 * sp.exp(u), sp.exp(u) * v + 1, sp.exp(u), u + v,
              sp.exp(u) ** 2 + sp.exp(-u), (sp.exp(u) + 1) ** 2):  # fmt: skip
        tilt, rest = _common_exponential(e)
        assert sp.expand(sp.powsimp(sp.expand(sp.exp(tilt) * rest - e))) == 0
    same = _common_exponential(sp.exp(u + v) + sp.exp(u))[1]
    assert same == _common_exponential(sp.exp(v) + 1)[1]


def test_a_sum_is_geometric_only_where_its_ratio_is_fixed() -> None:
    i, n = sp.Symbol("i", positive=True, integer=True), sp.Symbol("n", positive=True, integer=True)
    s = sp.Symbol("s", positive=True)
    assert _closed_sum(sp.exp(s * i), i, sp.S.One, n) is not None
    assert _closed_sum(sp.exp(s * i**2), i, sp.S.One, n) is None
    assert _closed_sum(sp.exp(theta * i), i, sp.S.One, n) is None  # the ratio may be 1
    assert _closed_sum(i**5, i, sp.S.One, n) is None
    assert _closed_sum(1 / i, i, sp.S.One, n) is None


def test_a_derivative_is_moved_to_what_is_smooth() -> None:
    f = Unknown(Key("f"), 0, x)
    for e in (sp.exp(-(x**2)), x**3, f, f**2, p.subs(x, z)):
        assert _smooth(e, x)
    for e in (sp.exp(x**2), sp.exp(-(x**4)), sp.exp(-(x**2) - x**4), sp.exp(x - sp.exp(-x)),
              sp.exp(-(x**2) + f), 1 / x, sp.sqrt(x), 1 / f, p, Log(r),
              Unknown(Key("f", "conjugate"), 0, x)):  # fmt: skip
        assert not _smooth(e, x)


def test_a_derivative_is_moved_to_other_densities_only_where_that_ends() -> None:
    once, twice = slope(r, 0), slope(r, 0, 0)
    assert _simpler(once, 0, [Log(r)], x)
    assert _simpler(once, 0, [Log(o), x], x)
    for rest in ([Log(r), Log(o)], [Log(r) ** 2], [Log(p)], [r], [1 / r], [once], [o * 1.0],
                 [Log(r), Int(r * z, z)], [Log(r), Recip(r)], [Log(r), sp.exp(x**2)]):  # fmt: skip
        assert not _simpler(once, 0, rest, x)
    assert not _simpler(slope(p, 0), 0, [Log(r)], x)  # where p ends there is a flux, too
    assert _simpler(slope(r, 0, 0, 0), 0, [slope(o, 0)], x)
    assert not _simpler(twice, 0, [slope(o, 0)], x)
    assert not _simpler(twice, 0, [1 / r], x)  # the flux r'/r carries no density
