"""Partial derivatives and gradients."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.tree import (
    Deriv,
    Fn,
    Neg,
    Node,
    NotationError,
    Number,
    Pow,
    Ranging,
    free_symbols,
)
from genmath.proof.symbolic.algebra import is_positive, substitute
from genmath.proof.symbolic.conditions import Env, Weights
from genmath.proof.symbolic.facts import assuming
from genmath.proof.symbolic.integrals import differentiate
from genmath.proof.symbolic.letters import Letters, parameter
from genmath.proof.symbolic.polynomials import expand
from genmath.proof.symbolic.stated import around
from genmath.proof.symbolic.supports import Rules, Unsupported


class Derivatives(Letters):
    """Slopes by a letter."""

    def deriv(self, node: Deriv, env: Env, w: Weights, exact: bool) -> Any:
        with assuming(around(node.var)):
            return self.derived(node, env, w, exact)

    def derived(self, node: Deriv, env: Env, w: Weights, exact: bool) -> Any:
        self.require_slopes(node, env, w)
        moved = [env[s] for s in free_symbols(node.body) - {node.var} if s in env]
        own = node.var.shape or node.var.domain == "interval"
        held = env.get(node.var, None if own else parameter(node.var)[0])
        if held is not None and any(held in m.free_symbols for m in moved):
            raise Unsupported("a derivative by what a letter was moved by")
        if node.var.domain == "direction":
            raise Unsupported(f"a derivative by {node.var!r}, which keeps its length")
        if node.var.shape == "vector":
            return self.gradient(node, env, w, exact)
        if node.var.shape or node.var.domain in ("natural", "nonnegative", "at_least_one"):
            raise Unsupported(
                f"a derivative by {node.var!r}, which is no inner point of an interval"
            )
        self.require_held_ends(node)
        if node.var.domain == "interval" or (node.var in env and not env[node.var].is_Symbol):
            return self.slope_there(node, env, w, exact)
        if node.var in env:
            letter, chain = env[node.var], sp.S.One
        else:
            self.register(node.var.name, node.var)
            letter, value = parameter(node.var)
            chain = 1 / sp.diff(value, letter)
        body = self.scalar(node.body, env, w, exact)
        try:
            return chain * differentiate(expand(body), letter, self.rules)
        except NotImplementedError as error:
            raise Unsupported(str(error)) from error

    def slope_there(self, node: Deriv, env: Env, w: Weights, exact: bool) -> Any:
        """By a letter that is an expression in another: at any place, which is then put there."""
        anywhere = sp.Dummy(node.var.space, real=True)
        body = self.scalar(node.body, {**env, node.var: anywhere}, w, exact)
        try:
            slope = differentiate(expand(body), anywhere, self.rules)
        except NotImplementedError as error:
            raise Unsupported(str(error)) from error
        return substitute(slope, {anywhere: self.symbol(node.var, env)})

    def require_held_ends(self, node: Deriv) -> None:
        for s in free_symbols(node.body):
            if isinstance(s, Ranging) and node.var in s.letters_within:
                raise Unsupported(f"a derivative by {node.var!r}, at which {s!r} ends")

    def require_slopes(self, node: Deriv, env: Env, w: Weights) -> None:
        """A root has no slope where it is 0, as it may be for one value of another letter."""
        for n in node.body.walk():
            part = isinstance(n, Pow) and not _is_whole(n.args[1])
            if (part or (isinstance(n, Fn) and n.name == "sqrt")) and node.var in free_symbols(n):
                value = self.apart(Rules()).lower(n.args[0], env, w, True)
                if not is_positive(value):
                    raise Unsupported("the slope of a root of what may be 0")

    def gradient(self, node: Deriv, env: Env, w: Weights, exact: bool) -> Any:
        """Of a number, a column; of a vector, the matrix of its partial derivatives."""
        letters = list(self.symbol(node.var, env))
        moved = [env[s] for s in free_symbols(node.body) - {node.var} if s in env]
        own = set().union(*(v.free_symbols for v in letters))
        if not all(v.is_Symbol for v in letters) or any(own & m.free_symbols for m in moved):
            return self.gradient_there(node, letters, env, w, exact)
        body = self.lower(node.body, env, w, exact)
        try:
            if not isinstance(body, sp.MatrixBase):
                whole = expand(body)
                return sp.ImmutableMatrix([differentiate(whole, v, self.rules) for v in letters])
            if body.shape[1] != 1:
                raise NotationError(f"{node!r}: the derivative of a matrix by a vector")
            rows = [expand(u) for u in body]
            return sp.ImmutableMatrix(
                [[differentiate(u, v, self.rules) for v in letters] for u in rows]
            )
        except NotImplementedError as error:
            raise Unsupported(str(error)) from error

    def gradient_there(
        self, node: Deriv, letters: list[Any], env: Env, w: Weights, exact: bool
    ) -> Any:
        """Where the vector is an expression, or others were moved by it: the gradient at any place,
        which is then put there. All other letters are held."""
        n = self.extent(node.var)[0]
        anywhere = [sp.Dummy(f"{node.var.space}[{i}]", real=True) for i in range(n)]
        found = self.gradient(node, {**env, node.var: sp.ImmutableMatrix(anywhere)}, w, exact)
        put = dict(zip(anywhere, letters, strict=True))
        return found.applyfunc(lambda u: substitute(u, put))


def _is_whole(exponent: Node) -> bool:
    k = exponent.args[0] if isinstance(exponent, Neg) else exponent
    return isinstance(k, Number) and k.value.denominator == 1
