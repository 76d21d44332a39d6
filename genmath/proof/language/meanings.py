"""Does what is printed say what is meant? In one chain no two things may look alike."""

from __future__ import annotations

from collections.abc import Iterator

from genmath.proof.language.derivation import Chain, Derivation
from genmath.proof.language.latex import latex
from genmath.proof.language.names import latex_name, text_name
from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    Apply,
    Dens,
    Fn,
    Identity,
    Indexed,
    Named,
    Node,
    Normal,
    Pi,
    Pow,
    Symbol,
    free_symbols,
)


def two_meanings(derivation: Derivation) -> list[str]:
    """What stands for two things in one chain."""
    return list(dict.fromkeys(m for chain in derivation.chains for m in _of_chain(chain)))


def _of_chain(chain: Chain) -> Iterator[str]:
    nodes: dict[Node, int] = {}
    for step in chain.steps:
        for side in (step.lhs, step.rhs):
            for n in side.walk():
                nodes.setdefault(n, step.line)
    called = any(isinstance(n, Named) and set("(^") & set(n.name) for n in nodes)
    heads = {h for n in nodes for h in _heads(n)}
    meaning: dict[str, Node] = {}
    if any(isinstance(n, Named) and not free_symbols(n) for n in nodes):
        meaning = {latex(Pi()): Pi(), text(Pi()): Pi()}  # a number may not be called so
    for n, line in nodes.items():
        value = n.body if isinstance(n, Named) else n
        letter = isinstance(n, (Symbol, Named, Indexed, Pi, Identity))
        if letter or (called and isinstance(n, (Apply, Dens, Fn, Normal, Pow))):
            for shown in {latex(n), text(n)}:
                if meaning.setdefault(shown, value) != value:
                    yield f"line {line}: {shown} has two meanings"
                if letter and shown in heads and not any(shown in _heads(v) for v in value.walk()):
                    yield f"line {line}: {shown} is a letter and a function"


def _heads(n: Node) -> set[str]:
    """What stands before the parentheses: f (u), a product, looks like f(u)."""
    if isinstance(n, (Apply, Dens)):
        name = n.name if isinstance(n, Apply) else n.density.name
        return {latex_name(name), text_name(name)}
    return set()
