"""What is put together without sympy looking at every part is what sympy makes of the parts:
structurally, since atoms and what is remembered are told apart by structure."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp

from genmath.proof.symbolic.atoms import Key, Log, Unknown
from genmath.proof.symbolic.densities import gaussian
from genmath.proof.symbolic.polynomials import canon, expand, letters_of, opaque, terms

x, y, z = sp.symbols("x y z", real=True)
s, t = sp.symbols("s t", positive=True)


@pytest.mark.parametrize(
    "scale", [s * t, sp.Integer(3), sp.sqrt(2) * s, sp.exp(t), sp.exp(expand((x - t) ** 2))]
)
@pytest.mark.parametrize("square", [x**2, (x - y) ** 2 / s + z**2, sp.S.Zero, (x - t) ** 2])
def test_a_normal_density_is_the_product_of_its_factors(square: Any, scale: Any) -> None:
    product = (2 * sp.pi) ** sp.Rational(-2, 2) / scale * sp.exp(expand(-square / 2))
    assert gaussian(2, square, scale) == product


@pytest.mark.parametrize("base", [x + y + s + 1, 2 * x - y / 3 + s * t - 5, x * y - sp.Rational(1)])
def test_the_monomials_of_a_large_power_are_those_that_sympy_finds(base: Any) -> None:
    whole = base**4 * (x - 2 * z) ** 2
    found = terms(whole)
    assert set(found) == set(sp.Add.make_args(sp.expand(whole)))
    assert all(m.func(*m.args) == m for m in found if m.args)


@pytest.mark.parametrize(
    "e", [x, sp.pi, x + s * y**2, sp.exp(x / s) + Log(t), Unknown(Key("f"), 0, x * y) / s]
)
def test_the_free_letters_are_those_of_sympy(e: Any) -> None:
    assert letters_of(e) == e.free_symbols


def test_sums_over_different_denominators_and_their_powers() -> None:
    e = x / (s + 1) ** 2 + y / (s + 1) - z / (t + 1) + sp.Rational(2, 3)
    over, under = sp.fraction(canon(e))
    assert sp.expand(over - sp.expand(sp.cancel(e * under))) == 0
    assert canon(e - e.subs(x, 0) - x / (s + 1) ** 2) == 0


def test_exponentials_are_one_generator_for_one_exponent_up_to_its_sign() -> None:
    e = sp.exp(x - y) + sp.exp(y - x) + sp.exp(2 * x - 2 * y)
    plain, back = opaque(e)
    assert len(back) == 1
    (u,) = back
    assert sp.simplify(plain.xreplace(back) - e) == 0
    assert plain.free_symbols == {u}
    assert len(opaque(e, apart=True)[1]) == 2
