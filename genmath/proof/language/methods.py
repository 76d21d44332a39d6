"""Ways to prove that are no expressions: what `because=` may say beside certificates and lemmas."""

from __future__ import annotations

from genmath.proof.language.tree import (
    FIXED,
    LETTER,
    Node,
    NotationError,
    Operand,
    Symbol,
    as_node,
    free_symbols,
)
from genmath.proof.language.written import writes


class Method(Node, holds=()):
    """It stands in `because=` alone; no judge gives it a value."""


class Induction(Method, holds=(LETTER,)):
    """For 1, and from each whole number to the next."""

    letter: Symbol = property(lambda self: self.data[0])  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"induction({self.letter!r})"


class Attained(Method, holds=(LETTER,), parts=(FIXED,)):
    """Where a supremum, infimum or extreme is attained, or approached."""

    letter: Symbol = property(lambda self: self.data[0])  # type: ignore[assignment]
    at: Node = property(lambda self: self.args[0])  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"attained({self.letter!r}, {self.at!r})"


class Within(Method, holds=(), parts=(FIXED,)):
    """How far, at most, a function is from its limit."""

    def __repr__(self) -> str:
        return f"within({self.args[0]!r})"


# --- what an author writes ------------------------------------------------------------------------


@writes(Induction, lambda n: n.data)
def induction(letter: Symbol) -> Node:
    """`because=induction(n)`: the claim holds for n = 1, and for n + 1 where it holds for n. A
    certificate beside it, `because=(induction(n), c)`, is for n + 1, and may use that the gap
    for n is >= 0."""
    if not isinstance(letter, Symbol) or letter.domain != "natural":
        raise NotationError(f"induction({letter!r}): expected a letter declared by naturals(...)")
    return Induction((), (letter,))


@writes(Attained, lambda n: (n.letter, n.at))
def attained(letter: Symbol, at: Operand) -> Node:
    """`because=(attained(u, 1), c)`: a supremum over u is attained at u = 1, and the certificate
    shows the bound for every u. At `infinity` it is approached."""
    at = as_node(at)
    if not isinstance(letter, Symbol) or letter.shape:
        raise NotationError(f"attained({letter!r}, ...): expected a letter for a number")
    if letter in free_symbols(at):
        raise NotationError(f"attained({letter!r}, {at!r}): the place depends on the letter itself")
    return Attained((at,), (letter,))


@writes(Within, lambda n: n.args)
def within(bound: Operand) -> Node:
    """`because=within(c)`: a function is at most c away from its limit, and c goes to 0."""
    return Within((as_node(bound),))


__all__ = ["attained", "induction", "within"]
