"""The likely mistake in a step that is refuted: what can be proved with one thing changed.

    log(s**2) is refuted, log(s) proved: "s in place of s^2"

Whatever one slip away both judges agree to; the shortest such right-hand side before any left.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from genmath.proof import numeric
from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Lemma
from genmath.proof.language.shapes import NUMBER as SCALAR
from genmath.proof.language.shapes import shape
from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    NUMBER,
    WHOLE,
    Add,
    Apply,
    Dens,
    Div,
    Fn,
    Indexed,
    Mul,
    Named,
    Neg,
    Node,
    NotationError,
    Number,
    Pow,
    Symbol,
    free_symbols,
)
from genmath.proof.mutate import mutants, reversed_claim
from genmath.proof.symbolic.judge import prove

SECONDS = 2.0  # of processor time for a step
SIGNS = {"=": "=", ">=": "≥", "<=": "≤", ">": ">", "<": "<"}


@dataclass(frozen=True)
class Likely:
    """The claim that is proved; where it differs, `side`, and how."""

    claim: Claim
    side: str  # lhs, rhs or relation
    what: str  # "a in place of b"


def likely(claim: Claim, because: tuple[Node | Lemma, ...] = ()) -> Likely | None:
    """One slip that leads from what both judges agree to, to this refuted claim."""
    until = time.process_time() + SECONDS
    worlds = numeric.make_worlds(claim)
    if not worlds.members or not any(_letters(n) for n in (claim.lhs, claim.rhs)):
        return None  # numbers alone are mended in too many ways
    for side, repaired in _repairs(claim, bool(because)):
        if time.process_time() > until:
            return None
        with contextlib.suppress(numeric.Unsupported, NotationError, ArithmeticError):
            if numeric.compare(repaired, worlds=worlds).verdict != "agree":
                continue  # nearly all of them, and quickly
            if prove(repaired, because).proved and numeric.compare(repaired).verdict == "agree":
                return Likely(repaired, side, _what(claim, repaired, side))
    return None


def _repairs(claim: Claim, supported: bool) -> Iterator[tuple[str, Claim]]:
    """The reversed bound, then what one slip makes of the right-hand side and of the left, the
    shortest first. A bound that nothing supports is no guide: many another holds."""
    if claim.relation != "=":
        yield "relation", reversed_claim(claim)
        if not supported:
            return
    slips = list(mutants(claim))
    for side, other in (("rhs", claim.lhs), ("lhs", claim.rhs)):
        this: Node = getattr(claim, side)
        broken = sorted({getattr(made, side) for _, made in slips} - {this}, key=_length)
        more = sorted(_forgotten(this, other), key=_length)
        for tree in dict.fromkeys((*broken, *more)):
            if tree != other or len(_place(this, tree)) > 1:  # else it says that a is a
                yield side, replace(claim, **{side: tree})


def _letters(side: Node) -> bool:
    return any(isinstance(n, (Symbol, Named, Indexed, Dens, Apply)) for n in side.walk())


def _length(node: Node) -> tuple[int, str]:
    """The text makes the order one, whatever the hashes are."""
    shown = text(node)
    return len(shown), shown


# --- what no operator of `mutate` brings back ---


def _forgotten(side: Node, other: Node) -> Iterator[Node]:
    """A term or a factor that was left out; a power, a root; a density or a sequence mistaken for
    another."""
    occur = list(dict.fromkeys((*side.walk(), *other.walk())))
    there = free_symbols(side) | free_symbols(other)
    letters = [
        n
        for n in occur
        if isinstance(n, (Symbol, Named, Indexed)) and shape(n) == SCALAR
        and free_symbols(n) <= there and not any(s.is_variable for s in free_symbols(n))
    ]  # fmt: skip
    squares = [Pow(n, Number(2)) for n in letters]
    known = [*letters, *squares, *(Fn("log", n) for n in letters)]
    pieces = [*_terms(other), Number(1), Number(Fraction(1, 2)), *known]

    def here(node: Node) -> Iterator[Node]:
        if isinstance(node, Add) or node is side:
            for piece in pieces:
                yield Add(*_terms(node), _unsigned(piece))
                yield Add(*_terms(node), Neg(_unsigned(piece)))
        if isinstance(node, Indexed):
            members = (n for n in occur if isinstance(n, Indexed) and n.name != node.name)
            yield from (n.rebuild(node.args) for n in members)
        if getattr(node, "domain", "") == "unit":
            yield Add(Number(1), Neg(node))
        if isinstance(node, Add) and len(node.args) == 2 and node.args[0] == Number(1):
            yield _unsigned(node.args[1])
        if isinstance(node, Dens):
            alike = (n for n in occur if isinstance(n, Dens) and n != node)
            yield from (n for n in alike if free_symbols(n) == free_symbols(node))
        elif node.args and not isinstance(node, Named):
            yield Pow(node, Number(2))
            yield Fn("sqrt", node)

    yield from _everywhere(side, here)
    terms = _terms(side)
    for i, term in enumerate(terms):
        for letter in (*letters, *squares):
            for scaled in (_times(letter, term), _over(term, letter)):
                yield _sum((*terms[:i], scaled, *terms[i + 1 :]))


def _everywhere(node: Node, here: Callable[[Node], Iterator[Node]]) -> Iterator[Node]:
    yield from here(node)
    if isinstance(node, Named):
        return
    for i, child in enumerate(node.args):
        if node.part(i) == NUMBER:
            for broken in _everywhere(child, here):
                yield node.rebuild((*node.args[:i], broken, *node.args[i + 1 :]))


def _terms(node: Node) -> tuple[Node, ...]:
    return node.args if isinstance(node, Add) else (node,)


def _unsigned(term: Node) -> Node:
    return term.args[0] if isinstance(term, Neg) else term


def _sum(terms: tuple[Node, ...]) -> Node:
    return terms[0] if len(terms) == 1 else Add(*terms)


def _times(factor: Node, term: Node) -> Node:
    return Neg(_times(factor, term.args[0])) if isinstance(term, Neg) else Mul(factor, term)


def _over(term: Node, factor: Node) -> Node:
    return Neg(_over(term.args[0], factor)) if isinstance(term, Neg) else Div(term, factor)


# --- in words ---


def _what(claim: Claim, repaired: Claim, side: str) -> str:
    if side == "relation":
        return f"{SIGNS[repaired.relation]} in place of {SIGNS[claim.relation]}"
    *above, (old, new, part) = _place(getattr(claim, side), getattr(repaired, side))
    if part != WHOLE:
        if above and isinstance(above[-1][0], Add):
            if isinstance(old, Neg) and old.args[0] == new:
                return f"+ in place of - before {_part(new)}"
            if isinstance(new, Neg) and new.args[0] == old:
                return f"- in place of + before {_part(old)}"
        if isinstance(old, Add) and (gone := _more(old, new)) is not None:
            return f"the term {_signed(gone)} left out"
        if isinstance(new, Add) and (gone := _more(new, old)) is not None:
            return f"the term {_signed(gone)} put in"
    return f"{text(new)} in place of {text(old) if above else 'this side'}"


def _more(terms: Add, rest: Node) -> Node | None:
    """The one term without which the rest is left."""
    left = _terms(rest)
    for i, term in enumerate(terms.args):
        if terms.args[:i] + terms.args[i + 1 :] == left:
            return term
    return None


def _part(term: Node) -> str:
    return f"({text(term)})" if isinstance(term, Add) else text(term)


def _signed(term: Node) -> str:
    return f"- {_part(term.args[0])}" if isinstance(term, Neg) else text(term)


def _place(old: Node, new: Node) -> list[tuple[Node, Node, str]]:
    """From the roots down to where two trees differ: both nodes, and what they are to the node
    above. A member of a sequence is one thing with its index."""
    path = [(old, new, NUMBER)]
    while type(old) is type(new) and len(old.args) == len(new.args):
        pairs = enumerate(zip(old.args, new.args, strict=True))
        differing = [i for i, (a, b) in pairs if a != b]
        if len(differing) != 1 or old.rebuild(new.args) != new or isinstance(old, Indexed):
            break
        (i,) = differing
        part = old.part(i)
        old, new = old.args[i], new.args[i]
        path.append((old, new, part))
        if part == WHOLE:
            break
    return path


__all__ = ["SECONDS", "Likely", "likely"]
