"""Functions of the table that are no algebra of ours: their definitions, slopes and squares."""

from __future__ import annotations

from typing import Any

from genmath.proof.language.elementary import TABLE
from genmath.proof.symbolic.algebra import exp_of, log_of, power_of, value_of
from genmath.proof.symbolic.polynomials import HALF
from genmath.proof.symbolic.rows import U, derivative, read


def function_of(name: str, u: Any) -> Any:
    """A function inside a row."""
    row = TABLE[name]
    match name:
        case "log":
            return log_of(u)
        case "exp":
            return exp_of(u)
        case "sqrt":
            return power_of(u, HALF)
        case _ if row.definition is not None:
            return read(row.definition(U), {U: u}, function_of)
    return value_of(name, u)


def slope_of(name: str, u: Any) -> Any:
    """f'(u)."""
    tree = derivative(TABLE[name])
    if tree is None:
        raise NotImplementedError(f"the derivative of {name}")
    return read(tree, {U: u}, function_of)


def square_of(name: str, u: Any) -> Any | None:
    """f(u)^2 in other functions of u."""
    square = TABLE[name].square
    return None if square is None else read(square(U), {U: u}, function_of)
