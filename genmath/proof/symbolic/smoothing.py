"""Normal densities of vectors, smoothed by one another."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.shapes import NUMBER, shape
from genmath.proof.language.tree import (
    Div,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Symbol,
    free_symbols,
)
from genmath.proof.symbolic.conditions import Env, Weights
from genmath.proof.symbolic.densities import Densities, gaussian_of
from genmath.proof.symbolic.polynomials import canon, expand


class Smoothing(Densities):
    """The integral over x of N(x; m, S) N(G x + g; 0, T) is N(G m + g; 0, G S G' + T)."""

    def smoothed(
        self, bound: tuple[Symbol, ...], parts: list[Node], env: Env, w: Weights
    ) -> Any | None:
        """The integral of the product of the parts, where it is one of these times what does not
        depend on x; else None."""
        if len(bound) != 1 or bound[0].shape != "vector":
            return None
        x = bound[0]
        normals = [f for f in parts if x in free_symbols(f)]
        own = [f for f in normals if f.args[:1] == (x,) and not _speaks(x, *f.args[1:])]
        if len(normals) != 2 or not own or not all(isinstance(f, Normal) for f in normals):
            return None
        first = own[0]
        second = normals[1 - normals.index(first)]
        if _speaks(x, second.args[2]) or NUMBER in (shape(second.args[0]), shape(second.args[2])):
            return None
        outside = {s: at for s, at in env.items() if s != x}
        covers = [f.args[2] for f in (first, second)]
        asked = [self.definite(c, outside, w, False)[1] for c in covers]
        if not all(self.require_definite(c, outside, w, False) for c in covers):
            return None
        spread, noise = (self.lower(c, outside, w, False) for c in covers)
        letters = [sp.Dummy(f"{x.space}[{i}]", real=True) for i in range(spread.shape[0])]
        inner = {**outside, x: sp.ImmutableMatrix(letters)}
        gap = self.column(second.args[0], inner, w, noise.shape[0])
        gap = (gap - self.column(second.args[1], inner, w, noise.shape[0])).applyfunc(expand)
        slopes = gap.jacobian(letters)
        if slopes.has(*letters):
            return None
        start = gap.xreplace(dict.fromkeys(letters, sp.S.Zero))
        mean = self.column(first.args[1], outside, w, len(letters))
        rest = [self.scalar(f, env, w, False) for f in parts if f not in normals]
        whole = (slopes * spread * slopes.T + noise).applyfunc(canon)
        value = gaussian_of(start + slopes * mean, whole, not any(asked))
        self.rules.normal = True
        return value * sp.Mul(*rest)

    def column(self, node: Node, env: Env, w: Weights, size: int) -> Any:
        """A vector, of which 0 may be typed for a zero one."""
        value = self.lower(node, env, w, False)
        return sp.zeros(size, 1) if value == 0 else value


def product_of(node: Node) -> list[Node]:
    """The factors of a product, its sign among them."""
    match node:
        case Named():
            return product_of(node.body)
        case Mul():
            return [f for a in node.args for f in product_of(a)]
        case Neg():
            return [Neg(Number(1)), *product_of(node.args[0])]
        case Div():
            return [*product_of(node.args[0]), Div(Number(1), node.args[1])]
    return [node]


def _speaks(x: Symbol, *trees: Node) -> bool:
    return any(x in free_symbols(t) for t in trees)
