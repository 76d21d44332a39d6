"""What judge A answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from genmath.proof.language.derivation import Lemma
from genmath.proof.language.tree import (
    Add,
    Neg,
    Node,
    Number,
    Relation,
)
from genmath.proof.symbolic.supports import Assumed


@dataclass
class Proof:
    """Whether A proved the claim, what it used, and what was missing if it did not."""

    proved: bool
    reason: str = ""
    residual: Any = None
    known: dict[str, Any] = field(default_factory=dict)  # what the names in it stand for
    dimension: int = 1  # of the vectors in it
    assumed: set[Assumed] = field(default_factory=set)
    consulted: set[Any] = field(default_factory=set)
    lemmas: list[Lemma] = field(default_factory=list)
    hypotheses: list[Relation] = field(default_factory=list)
    nonzero: set[Any] = field(default_factory=set)  # denominators that were let pass
    line: set[str] = field(default_factory=set)  # spaces taken to be the real line
    normal: bool = False
    certificate: tuple[Node, Node] | None = None  # gap = certificate, for the mutants
    meaningless: bool = False  # the claim is ill-typed


def difference(a: Node, b: Node) -> Node:
    if b == Number(0):
        return a
    return Neg(b) if a == Number(0) else Add(a, Neg(b))


def gap_of(g: Relation) -> Node:
    """What a hypothesis says is >= 0, > 0 or, of an equality, 0."""
    return difference(g.right, g.left) if g.sign in ("<=", "<") else difference(g.left, g.right)
