"""From the display tree to the symbolic half: what each node means, and what it needs to exist."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.matrix_functions import MATRICES
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Family,
    Fn,
    Identity,
    Indexed,
    Integral,
    Mapped,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Pi,
    Pow,
    Symbol,
    free_symbols,
)
from genmath.proof.symbolic.binders import Binders
from genmath.proof.symbolic.conditions import Env, Weights
from genmath.proof.symbolic.derivatives import Derivatives
from genmath.proof.symbolic.expectations import Expectations
from genmath.proof.symbolic.memory import Memory
from genmath.proof.symbolic.ranges import Ranges
from genmath.proof.symbolic.supports import Rules, Unsupported
from genmath.proof.symbolic.vector_maps import VectorMaps

_MEMORY = Memory()


class Lowering(Expectations, Derivatives, Ranges, Binders, VectorMaps):
    """Each family of nodes has a file of its own; here is who means what."""

    def __call__(self, node: Node) -> Any:
        value = self.lower(node, {}, (), False)
        self.look_at_slopes()
        return value

    def look_at_slopes(self) -> None:
        """What integrals divided by must not be 0 either."""
        while self.rules.slopes:
            self.require_nonzero(self.rules.slopes.pop())

    def lower(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        if node.args:
            return self.remembered(node, env, w, exact)
        return self.finite(self.meaning(node, env, w, exact))

    @staticmethod
    def finite(value: Any) -> Any:
        if value.has(sp.zoo, sp.nan, sp.oo):
            raise Unsupported("division by zero")
        return value

    def remembered(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        """Parts of a claim come again in its mutants and in the next step."""
        near = {v: at for v, at in env.items() if v in free_symbols(node)}

        def work(rules: Rules) -> tuple[Any, dict[str, Any]]:
            inner = Lowering(rules, self.d, self.letters)
            return inner.finite(inner.meaning(node, near, w, exact)), inner.known

        key = (node, tuple(near.items()), w, exact, self.d, self.letters)
        value, known = _MEMORY.recall(key, self.rules, work)
        for name, owner in known.items():
            self.register(name, owner)
        return value

    def meaning(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        match node:
            case Number():
                return sp.Rational(node.value.numerator, node.value.denominator)
            case Pi():
                return sp.pi
            case Identity():
                return sp.ImmutableMatrix(sp.eye(node.size or self.d))
            case Symbol():
                return self.symbol(node, env)
            case Named():
                return self.named(node, env, w, exact)
            case Indexed():
                return self.indexed(node, env, w, exact)
            case Add():
                return self.add(node, env, w, exact)
            case Neg():
                return -self.lower(node.args[0], env, w, exact)
            case Mul():
                return self.mul(node, env, w, exact)
            case Div():
                return self.div(node, env, w, exact)
            case Pow():
                return self.pow(node, env, w, exact)
            case Fn() if node.name in MATRICES:
                return self.matrix_function(node, env, w, exact)
            case Fn():
                return self.elementary(node, env, w, exact)
            case Apply():
                return self.apply(node, env, w)
            case Mapped():
                return self.mapped(node, env, w)
            case Dens():
                return self.dens(node, env, w)
            case Normal():
                return self.normal(node, env, w, exact)
            case Family():
                return self.family(node, env, w)
            case Expect():
                return self.expect(node, env, w)
            case Integral():
                return self.integral(node, env, w)
            case Divergence():
                return self.divergence(node, env, w)
            case Entropy():
                return self.entropy(node, env, w)
            case Deriv():
                return self.deriv(node, env, w, exact)
            case Big():
                return self.big(node, env, w, exact)
        return super().meaning(node, env, w, exact)
