"""Rows and columns: what is a number, a vector, a matrix, by the way it is typed."""

from __future__ import annotations

from functools import reduce

from genmath.proof.language.tree import (
    Add,
    Deriv,
    Div,
    Expect,
    Fn,
    Identity,
    Integral,
    Mapped,
    Mul,
    Named,
    Neg,
    Node,
    Number,
    Pow,
    Symbol,
)

Shape = tuple[str, str]
NUMBER, VECTOR, MATRIX = ("1", "1"), ("d", "1"), ("d", "d")


def shape(node: Node) -> Shape:
    """Rows and columns, each "1", "d" or how many; whether they fit is asked by those who
    compute."""
    match node:
        case Symbol():
            return _declared(node)
        case Identity():
            return _token(node.size), _token(node.size)
        case Named() | Neg() | Div() | Pow() | Expect() | Integral() | Fn(name="inverse"):
            return shape(node.args[0])
        case Add():
            return next((s for a in node.args if a != Number(0) and (s := shape(a))), NUMBER)
        case Fn(name="transpose"):
            rows, columns = shape(node.args[0])
            return columns, rows
        case Mapped():
            rows, _ = shape(node.point)
            return rows, rows if node.order else "1"
        case Mul():
            return reduce(_product, map(shape, node.args))
        case Deriv() if node.var.shape:
            body, by = shape(node.args[0]), shape(node.var)
            return by if body == NUMBER else (body[0], by[0])
    return NUMBER


def _declared(letter: Symbol) -> Shape:
    if not letter.shape:
        return NUMBER
    rows, columns = map(_token, size_of(letter.sized))
    return rows, "1" if letter.shape == "vector" else columns


def size_of(sized: str) -> tuple[int, int]:
    """Rows and columns as declared, 0 for d; of a vector, how many entries, and 1."""
    kind, *numbers = sized.split()
    size = [0 if n == "d" else int(n) for n in numbers] or [0]
    if kind == "vector":
        return size[0], 1
    return size[0], size[-1]


def entries(sized: str, d: int) -> int:
    """How many numbers a letter for a number or a vector stands for."""
    return (size_of(sized)[0] or d) if sized else 1


def _token(count: int) -> str:
    return f"R{count}" if count else "d"


def _product(a: Shape, b: Shape) -> Shape:
    if NUMBER in (a, b):
        return b if a == NUMBER else a
    return a[0], b[1]
