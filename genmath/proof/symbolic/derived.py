"""Slopes written out, as trees: what is differentiated by the letter of an integral may then be
looked at anywhere on its way."""

from __future__ import annotations

from genmath.proof.language.binders import Between
from genmath.proof.language.elementary import TABLE
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.tree import (
    Add,
    Deriv,
    Div,
    Fn,
    Mul,
    Named,
    Neg,
    Node,
    Number,
    Pow,
    Symbol,
    free_symbols,
    transform,
)
from genmath.proof.symbolic.proof import difference
from genmath.proof.symbolic.supports import Unsupported


def unfolded(node: Node) -> Node:
    """With the meaning of every defined letter."""
    return transform(node, lambda n: unfolded(n.body) if isinstance(n, Named) else None)


def explicit(node: Node) -> Node:
    """With the slopes by the letters of its integrals written out."""

    def visit(n: Node) -> Node | None:
        if not isinstance(n, Between) or not _is_derived(n):
            return None
        return explicit(carried_out(n))

    return transform(node, visit)


def _is_derived(n: Between) -> bool:
    return any(isinstance(m, Deriv) and m.var == n.letter and _elementary(m) for m in n.body.walk())


def carried_out(n: Between) -> Between:
    """The integral with slopes by its own letter written out, as far as they can be."""

    def visit(m: Node) -> Node | None:
        if isinstance(m, Deriv) and m.var == n.letter and _elementary(m):
            return slope(transform(unfolded(m.body), visit), m.var)
        return None

    if not _is_derived(n):
        return n
    return Between(transform(n.body, visit), n.letter, n.low, n.high)


def _elementary(m: Deriv) -> bool:
    """Made of what `slope` has a rule for."""
    known = (Symbol, Number, Add, Neg, Mul, Div, Named, Deriv)
    return all(
        isinstance(n, known)
        or m.var not in free_symbols(n)
        or (isinstance(n, Pow) and isinstance(n.args[1], Number) and n.args[1].value > 1
            and n.args[1].value.denominator == 1)
        or (isinstance(n, Fn) and n.name in TABLE and TABLE[n.name].derivative is not None)
        for n in m.body.walk()
    )  # fmt: skip


def slope(node: Node, by: Symbol) -> Node:
    """The derivative; that of an integral by its limits, and under its sign."""
    if by not in free_symbols(node):
        return Number(0)
    match node:
        case Symbol():
            return Number(1)
        case Add():
            return Add(*(slope(a, by) for a in node.args if by in free_symbols(a)))
        case Neg():
            return Neg(slope(node.args[0], by))
        case Mul():
            return Add(*(
                Mul(*node.args[:i], slope(a, by), *node.args[i + 1 :])
                for i, a in enumerate(node.args)
                if by in free_symbols(a)
            ))  # fmt: skip
        case Div(args=(over, under)):
            grown = Div(slope(over, by), under)
            if by not in free_symbols(under):
                return grown
            return difference(grown, Div(Mul(over, slope(under, by)), Pow(under, Number(2))))
        case Pow(args=(base, Number(value=k))) if k.denominator == 1 and k > 1:
            return Mul(Number(k), Pow(base, Number(k - 1)), slope(base, by))
        case Fn(args=(u,)) if node.name in TABLE and (rule := TABLE[node.name].derivative):
            return Mul(rule(u), slope(u, by))
        case Between():
            found: list[Node] = []
            for end, sign in ((node.high, 1), (node.low, -1)):
                if by in free_symbols(end):
                    at = instantiate(node.body, ((node.letter, end),))
                    part = Mul(at, slope(end, by))
                    found.append(part if sign > 0 else Neg(part))
            if by in free_symbols(node.body):
                found.append(Between(slope(node.body, by), node.letter, node.low, node.high))
            return Add(*found)
    if any(isinstance(n, Between) and by in free_symbols(n) for n in node.walk()):
        raise Unsupported(f"the slope of {node!r}")
    return Deriv(node, by)
