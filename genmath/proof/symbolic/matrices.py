"""Inner products, determinants, traces and inverses."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.tree import (
    Fn,
    NotationError,
    Symbol,
)
from genmath.proof.symbolic.arithmetic import Arithmetic
from genmath.proof.symbolic.conditions import Env, Weights
from genmath.proof.symbolic.letters import Letters
from genmath.proof.symbolic.polynomials import canon, expand
from genmath.proof.symbolic.supports import Unsupported


class Matrices(Arithmetic, Letters):
    """Functions of vectors and matrices."""

    def matrix_function(self, node: Fn, env: Env, w: Weights, exact: bool) -> Any:
        values = [self.lower(a, env, w, exact) for a in node.args]
        for v in values:
            if not isinstance(v, sp.MatrixBase):
                raise NotationError(f"{node!r}: {node.name} is for vectors and matrices")
        a = values[0]
        column = a.shape[1] == 1
        if node.name in ("norm2", "dot"):
            b = values[-1]
            if not column or b.shape != a.shape:
                raise NotationError(f"{node!r}: expected vectors of one length")
            return sum((a[i] * b[i] for i in range(self.d)), sp.S.Zero)
        if node.name == "transpose":
            return a.T
        if a.shape[0] != a.shape[1]:
            raise NotationError(f"{node!r}: expected a square matrix")
        if node.name == "trace":
            return a.trace()
        letter = node.args[0]
        root = (
            self.root(letter)
            if isinstance(letter, Symbol) and letter.shape == "covariance"
            else None
        )
        if node.name == "det":
            if root is not None:
                return sp.Mul(*(root[i, i] ** 2 for i in range(self.d)))
            return expand(a.det(method="berkowitz"))
        if root is not None:
            inv = lower_inverse(root)
            return sp.ImmutableMatrix(inv.T * inv)
        if a.is_diagonal():
            return sp.diag(*(self.inverse(a[i, i], w, exact) for i in range(self.d)))
        raise Unsupported("the inverse of a composite matrix")


def lower_inverse(root: Any) -> Any:
    """Inverse of a lower triangular matrix, by forward substitution."""
    d = root.shape[0]
    inv = sp.zeros(d, d)
    for i in range(d):
        inv[i, i] = 1 / root[i, i]
        for j in range(i):
            inv[i, j] = canon(
                -sum((root[i, k] * inv[k, j] for k in range(j, i)), sp.S.Zero) / root[i, i]
            )
    return sp.ImmutableMatrix(inv)
