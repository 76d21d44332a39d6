"""Bells that are written out: no density says where they lie, their exponent does."""

from __future__ import annotations

from genmath.proof.language.tree import (
    Add,
    Dens,
    Div,
    Expect,
    Family,
    Fn,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Pow,
    Symbol,
    free_symbols,
)

WEIGHTS = (Normal, Family, Dens, Expect)  # what else says where mass lies


def bell(term: Node, letter: Symbol) -> Fn | None:
    """The one exponential among the factors of a term, if its exponent is of second degree in the
    letter and no other factor may decide where the mass lies."""
    factors = [f for f in _factors(term) if letter in free_symbols(f)]
    found = [f for f in factors if isinstance(f, Fn) and f.name == "exp"]
    others = [n for f in factors if f not in found for n in f.walk()]
    if len(found) != 1 or any(isinstance(n, WEIGHTS) or _is_exponential(n) for n in others):
        return None
    return found[0] if _degree(found[0].args[0], letter) == 2 else None


def bells(node: Node, letter: Symbol) -> list[Fn]:
    """Those of a sum, anywhere within."""
    return [
        n
        for n in node.walk()
        if isinstance(n, Fn) and n.name == "exp" and _degree(n.args[0], letter) == 2
    ]


def _is_exponential(node: Node) -> bool:
    return isinstance(node, Fn) and node.name == "exp"


def _factors(node: Node) -> list[Node]:
    """Of a product; what is divided by counts as one."""
    match node:
        case Named():
            return _factors(node.body)
        case Neg():
            return _factors(node.args[0])
        case Div():
            return [*_factors(node.args[0]), node.args[1]]
        case Mul():
            return [f for a in node.args for f in _factors(a)]
    return [node]


def _degree(node: Node, letter: Symbol) -> int | None:
    """Of a polynomial in the letter; None of anything else."""
    if letter not in free_symbols(node):
        return 0
    match node:
        case Symbol():
            return 1
        case Named() | Neg():
            return _degree(node.args[0], letter)
        case Div() if letter not in free_symbols(node.args[1]):
            return _degree(node.args[0], letter)
        case Add() | Mul():
            parts = [_degree(a, letter) for a in node.args]
            known = [p for p in parts if p is not None]
            if len(known) < len(parts):
                return None
            return max(known) if isinstance(node, Add) else sum(known)
        case Pow(args=(base, Number(value=power))) if power.denominator == 1 and power > 0:
            below = _degree(base, letter)
            return None if below is None else below * int(power)
    return None
