"""Which logarithms are better computed without the value itself."""

from __future__ import annotations

from genmath.proof.language.elementary import TABLE
from genmath.proof.language.tree import (
    Dens,
    Div,
    Family,
    Fn,
    Mul,
    Named,
    Node,
    Normal,
    Number,
    Pi,
    Pow,
    Symbol,
)


def log_of(node: Fn) -> Node | None:
    """log f(u) as another function of u, if the table has one."""
    row = TABLE.get(node.name)
    return None if row is None or row.logarithm is None else row.logarithm(node.args[0])


def underflows(node: Node) -> bool:
    """Whether there is such a logarithm in it."""
    match node:
        case Normal() | Family():
            return True
        case Fn():
            return node.name == "det" or log_of(node) is not None
        case Mul() | Div():
            return _known_positive(node) and any(underflows(a) for a in node.args)
        case Named():
            return underflows(node.body)
    return False


def _known_positive(node: Node) -> bool:
    match node:
        case Number() | Pi() | Normal() | Family() | Dens():
            return True
        case Symbol():
            return node.domain in ("positive", "unit", "at_least_one", "natural")
        case Fn():
            return node.name == "det" or (
                node.name in TABLE and TABLE[node.name].range.low == Number(0)
            )
        case Named():
            return _known_positive(node.body)
        case Mul() | Div():
            return all(_known_positive(a) for a in node.args)
        case Pow():
            return _known_positive(node.args[0])
    return False
