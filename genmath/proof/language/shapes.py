"""Rows and columns: what is a number, a vector, a matrix, by the way it is typed."""

from __future__ import annotations

from functools import reduce

from genmath.proof.language.tree import Add, Deriv, Div, Fn, Identity, Mul, Named, Neg, Node, Symbol

Shape = tuple[str, str]
NUMBER, VECTOR, MATRIX = ("1", "1"), ("d", "1"), ("d", "d")
DECLARED = {"": NUMBER, "vector": VECTOR, "covariance": MATRIX}


def shape(node: Node) -> Shape:
    """Rows and columns, each "1" or "d"; whether they fit is asked by those who compute."""
    match node:
        case Symbol():
            return DECLARED[node.shape]
        case Identity():
            return MATRIX
        case Named() | Add() | Neg() | Div() | Fn(name="inverse"):
            return shape(node.args[0])
        case Fn(name="transpose"):
            rows, columns = shape(node.args[0])
            return columns, rows
        case Mul():
            return reduce(_product, map(shape, node.args))
        case Deriv() if node.var.shape:
            return VECTOR if shape(node.args[0]) == NUMBER else MATRIX
    return NUMBER


def _product(a: Shape, b: Shape) -> Shape:
    if NUMBER in (a, b):
        return b if a == NUMBER else a
    return a[0], b[1]
