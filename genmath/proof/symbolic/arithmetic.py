"""Sums, products, quotients and powers."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.shapes import NUMBER, shape
from genmath.proof.language.tree import (
    Add,
    Dens,
    Div,
    Mul,
    Named,
    Neg,
    Node,
    NotationError,
    Pow,
)
from genmath.proof.symbolic.algebra import (
    irreducible_factors,
    is_nonnegative,
    power_of,
    stated_nonzero,
)
from genmath.proof.symbolic.atoms import (
    Int,
    Recip,
    Rho,
)
from genmath.proof.symbolic.conditions import Conditions, Env, Weights, is_mean
from genmath.proof.symbolic.polynomials import canon
from genmath.proof.symbolic.shifts import sign_power
from genmath.proof.symbolic.supports import Unsupported

MOST_DIGITS = 100_000  # of a number that is worked out


def _digits(number: Any) -> int:
    """About how many a fraction has above or below; 0 of what is no fraction."""
    if not number.is_Rational:
        return 0
    return int(max(number.p.bit_length(), number.q.bit_length()) / 3)


class Arithmetic(Conditions):
    """The algebra of numbers, vectors and matrices."""

    def add(self, node: Add, env: Env, w: Weights, exact: bool) -> Any:
        values = [self.lower(a, env, w, exact) for a in node.args]
        shapes = {v.shape if isinstance(v, sp.MatrixBase) else () for v in values}
        if len(shapes) > 1:
            raise NotationError(f"{node!r} adds quantities of different shapes")
        if shapes == {()}:
            return sp.Add(*values)  # at once: one by one takes a time that grows with the square
        total = values[0]
        for v in values[1:]:
            total = total + v
        return total

    def mul(self, node: Mul, env: Env, w: Weights, exact: bool) -> Any:
        # a product is 0 where one of its densities is, whatever the other factors are there
        here: list[list[Any]] = [[] for _ in node.args]
        if len(node.args) > 1:
            for i, a in enumerate(node.args):
                for f in self.density_factors(a, env, w):
                    if not (f.givens and not f.density.given_slots):
                        here[i].append(self.lower(f, env, w, True))
            for i, a in enumerate(node.args):
                others = tuple(f for j, fs in enumerate(here) if j != i for f in fs)
                for f in self.density_factors(a, env, w):
                    if f.givens and not f.density.given_slots:
                        here[i].append(self.lower(f, env, w if exact else w + others, True))
        result: Any = None
        for i, a in enumerate(node.args):
            others = tuple(f for j, fs in enumerate(here) if j != i for f in fs)
            value = self.lower(a, env, w if exact else w + others, exact)
            if result is None:
                result = value
            elif isinstance(result, sp.MatrixBase) and isinstance(value, sp.MatrixBase):
                if result.shape[1] != value.shape[0]:
                    raise NotationError(
                        f"{node!r}: shapes do not fit; transpose(u) * v and dot(u, v) are numbers"
                    )
                result = result * value
            else:
                result = result * value
        if isinstance(result, sp.MatrixBase) and shape(node) == NUMBER:
            return result[0, 0]
        return result

    def density_factors(self, node: Node, env: Env, w: Weights) -> list[Dens]:
        """The densities a product or quotient is a multiple of: it is 0 where one of them is."""
        if isinstance(node, Dens):
            return [node]
        if isinstance(node, Mul):
            return [f for a in node.args for f in self.density_factors(a, env, w)]
        if isinstance(node, (Named, Neg)):
            return self.density_factors(node.args[0], env, w)
        if isinstance(node, Div):
            under = self.scalar(node.args[1], env, w, False)
            if all(self.positive(b, w) or b.is_Number for b, _ in irreducible_factors(under)):
                return self.density_factors(node.args[0], env, w)
        return []

    def div(self, node: Div, env: Env, w: Weights, exact: bool) -> Any:
        under = self.scalar(node.args[1], env, w, exact)
        over = self.lower(node.args[0], env, w, exact)
        return over * self.inverse(under, w, exact, node.args[1])

    def inverse(self, under: Any, w: Weights, exact: bool, typed: Node | None = None) -> Any:
        if exact and under.has(Rho, Int):
            self.require(under, w, "the denominator", typed)
            return 1 / under
        if not under.has(Rho, Int):
            self.require_nonzero(under, typed)
            # 1 - sigmoid(u) is 1/(1 + e^u): as one fraction, before e^u meets other exponentials
            return 1 / (canon(under) if under.has(sp.exp) else under)
        self.require(under, w, "the denominator", typed)
        result = sp.S.One
        for base, k in irreducible_factors(under):
            shown = not base.has(Rho, Int) or self.positive(base, ()) or stated_nonzero(base)
            shown = shown or (base.is_Add and self.varies(-base)) or is_mean(base)
            if k.is_positive and not shown:
                result *= Recip(base) ** k
            else:
                result *= base**-k
        return result

    def pow(self, node: Pow, env: Env, w: Weights, exact: bool) -> Any:
        base = self.scalar(node.args[0], env, w, exact)
        k = self.scalar(node.args[1], env, w, exact)
        if k.is_Number and (abs(k) > 1000 or abs(k) * _digits(base) > MOST_DIGITS):
            raise Unsupported(f"a power of {k}")
        if k.is_Integer and k < 0:
            return self.inverse(base ** (-k), w, exact, node.args[0])
        if k.is_Integer:
            return base**k
        if base == -1 and not k.is_Rational and (sign := sign_power(k)) is not None:
            return sign
        if not k.is_Rational or k < 0:
            if not (k.is_integer and is_nonnegative(k)):
                self.require(base, w, "the base of the power", node.args[0])
        else:
            self.require_nonnegative(base, node.args[0])
        if k.is_negative:
            return self.inverse(power_of(base, canon(-k)), w, exact, node.args[0])
        return power_of(base, canon(k))
