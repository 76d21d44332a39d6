"""What a row of the table says, for judge A: trees in one letter, read as sympy expressions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy as sp

from genmath.proof.language.elementary import Elementary
from genmath.proof.language.tree import Add, Div, Fn, Mul, Neg, Node, Number, Pi, Pow, Symbol

U, HERE = Symbol("u"), Symbol("f")  # the argument, and the value there


def read(tree: Node, letters: dict[Symbol, Any], function: Callable[[str, Any], Any]) -> Any:
    """Row trees are defined wherever their function is, so that nothing is asked of a denominator;
    `function` says what another function is at an argument."""

    def at(node: Node) -> Any:
        match node:
            case Number():
                return sp.Rational(node.value.numerator, node.value.denominator)
            case Pi():
                return sp.pi
            case Symbol():
                return letters[node]
            case Add():
                return sp.Add(*map(at, node.args))
            case Mul():
                return sp.Mul(*map(at, node.args))
            case Neg():
                return -at(node.args[0])
            case Div():
                return at(node.args[0]) / at(node.args[1])
            case Pow():
                return at(node.args[0]) ** at(node.args[1])
            case Fn():
                return function(node.name, at(node.args[0]))
        raise TypeError(f"{type(node).__name__} in a row")

    return at(tree)


def number(tree: Node) -> Any:
    return read(tree, {}, _no_function)


def _no_function(name: str, u: Any) -> Any:
    raise TypeError(f"{name} in a number of a row")


@lru_cache(maxsize=200)
def limits(row: Elementary) -> tuple[Any, Any]:
    """The ends of its range, None where there is none."""
    low, high = row.range.low, row.range.high
    return None if low is None else number(low), None if high is None else number(high)


@lru_cache(maxsize=200)
def ends(row: Elementary) -> tuple[Any, Any]:
    """What it comes to at minus infinity and at infinity, None where that is no number."""
    low, high = row.ends
    return None if low is None else number(low), None if high is None else number(high)


def next_value(row: Elementary, u: Any, here: Any) -> Any:
    """f(u + 1)."""
    assert row.successor is not None
    return read(row.successor(U, HERE), {U: u, HERE: here}, _no_function)


@lru_cache(maxsize=200)
def derivative(row: Elementary) -> Node | None:
    return None if row.derivative is None else row.derivative(U)
