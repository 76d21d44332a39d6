"""Signs that stand before a body and bind a letter: integrals with limits, sums, products and
extremes over a finite set, suprema over a letter, limits. Each says itself how it is printed."""

from __future__ import annotations

from typing import Any, ClassVar

from genmath.proof.language.tree import (
    BOUND,
    FIXED,
    PLAIN,
    Add,
    Div,
    Fixed,
    Mul,
    Neg,
    Node,
    NotationError,
    Number,
    Operand,
    Pi,
    Pow,
    Symbol,
    as_node,
    check_name,
)
from genmath.proof.language.written import writes

IN, TO = (r"\in", "∈"), (r"\to", "→")
Signs = tuple[str, str]  # in LaTeX, in plain text


class Prefixed(Node, holds=()):
    """A sign with what stands below and above it, a body, and perhaps a differential."""

    sign: Signs
    under: tuple[Node | Signs, ...]
    over: Node | None = None
    step: Symbol | None = None

    body: Node = property(lambda self: self.args[0])  # type: ignore[assignment]


class Infinity(Node, holds=()):
    """Where integrals and limits may go; no number."""


class Size(Node, holds=(PLAIN,)):
    """How many members a finite set has."""

    def __init__(self, name: str) -> None:
        super().__init__((), (name,))

    name: str = property(lambda self: self.data[0])  # type: ignore[assignment]


class Same(Node, holds=(), parts=(FIXED,)):
    """1 where two members of a finite set are one, else 0."""

    def __init__(self, one: Symbol, other: Symbol) -> None:
        super().__init__((one, other))


class Over(Prefixed, holds=(PLAIN, BOUND)):
    """A sum, product or extreme over the members of a finite set, or over all that a letter may
    be."""

    SIGNS: ClassVar[dict[str, Signs]] = {
        "sum": (r"\sum", "Σ"), "prod": (r"\prod", "Π"), "max": (r"\max", "max"),
        "min": (r"\min", "min"), "sup": (r"\sup", "sup"), "inf": (r"\inf", "inf"),
    }  # fmt: skip

    def __init__(self, kind: str, body: Operand, letter: Symbol) -> None:
        super().__init__((as_node(body),), (kind, letter))

    kind: str = property(lambda self: self.data[0])  # type: ignore[assignment]
    letter: Symbol = property(lambda self: self.data[1])  # type: ignore[assignment]
    sign = property(lambda self: self.SIGNS[self.kind])

    @property
    def under(self) -> tuple[Node | Signs, ...]:  # type: ignore[override]
        if self.letter.domain != "member":
            return (self.letter,)
        return (self.letter, IN, Symbol(self.letter.space))

    def takes_declared(self) -> bool:
        return True


class Between(Prefixed, holds=(BOUND,), scope=(0,)):
    """An integral over a real letter from one limit to another; backwards, its negative."""

    sign = (r"\int", "∫")

    def __init__(self, body: Operand, letter: Symbol, low: Operand, high: Operand) -> None:
        super().__init__((as_node(body), as_node(low), as_node(high)), (letter,))

    letter: Symbol = property(lambda self: self.data[0])  # type: ignore[assignment]
    low: Node = property(lambda self: self.args[1])  # type: ignore[assignment]
    high: Node = property(lambda self: self.args[2])  # type: ignore[assignment]
    under = property(lambda self: (self.low,))
    over = property(lambda self: self.high)
    step = property(lambda self: self.letter)

    def takes_declared(self) -> bool:
        return True


class Limit(Prefixed, holds=(BOUND,), scope=(0,)):
    """What body comes to as a letter comes to a value, through values it may have, or to
    infinity."""

    sign = (r"\lim", "lim")

    def __init__(self, body: Operand, letter: Symbol, to: Operand) -> None:
        super().__init__((as_node(body), as_node(to)), (letter,))

    letter: Symbol = property(lambda self: self.data[0])  # type: ignore[assignment]
    to: Node = property(lambda self: self.args[1])  # type: ignore[assignment]
    under = property(lambda self: (self.letter, TO, self.to))

    def takes_declared(self) -> bool:
        return True


# --- what an author writes ------------------------------------------------------------------------

infinity = Infinity()
writes(Infinity, lambda n: ())(Infinity)


class FiniteSet(Fixed):
    """A finite set of numbers, not empty: `labels = FiniteSet("Y")`.

    `k = labels.members("k")` are letters for its members, `labels.size` is how many it has.
    """

    name: str

    def __init__(self, name: str) -> None:
        check_name(name)
        object.__setattr__(self, "name", name)

    def members(self, names: str) -> Any:
        if not isinstance(names, str):
            raise NotationError(f"names={names!r}: expected text, such as 'k j'")
        made = tuple(
            Symbol(n, domain="member", space=self.name) for n in names.replace(",", " ").split()
        )
        if not made:
            raise NotationError(f"names={names!r}: expected at least one name")
        return made[0] if len(made) == 1 else made

    @property
    def size(self) -> Size:
        return Size(self.name)


@writes(Size, lambda n: n.data)
def _size(name: str) -> Size:
    return FiniteSet(name).size


@writes(Same, lambda n: n.args)
def same(one: Node, other: Node) -> Node:
    """The indicator of k = j for members of one finite set."""
    members = [s for s in (one, other) if isinstance(s, Symbol) and s.domain == "member"]
    if len(members) < 2 or members[0].space != members[1].space:
        raise NotationError(
            f"indicator(equal({one!r}, {other!r})): expected two members of one finite set; of "
            "numbers it takes a strict comparison, indicator(a > b)"
        )
    return Same(*members)


@writes(Over, lambda n: (n.kind, n.body, n.letter))
def over(kind: str, body: Operand, letter: Symbol) -> Node:
    """A sum, product or extreme; `letter` is a member, or for "sup" and "inf" any number."""
    if kind not in Over.SIGNS:
        raise NotationError(f"{kind!r}: expected one of {', '.join(Over.SIGNS)}")
    if not isinstance(letter, Symbol) or letter.shape:
        raise NotationError(f"{kind} over {letter!r}: expected a letter for a number")
    if kind not in ("sup", "inf") and letter.domain != "member":
        raise NotationError(f"{kind} over {letter!r}: declare it by FiniteSet(...).members(...)")
    return Over(kind, body, letter)


def maximum(body: Operand, letter: Symbol) -> Node:
    """The largest value of `body` over the members of a finite set."""
    return over("max", body, letter)


def minimum(body: Operand, letter: Symbol) -> Node:
    """The smallest value of `body` over the members of a finite set."""
    return over("min", body, letter)


def supremum(body: Operand, letter: Symbol) -> Node:
    """The least upper bound of `body` over all values that the letter may have."""
    return over("sup", body, letter)


def infimum(body: Operand, letter: Symbol) -> Node:
    """The greatest lower bound of `body` over all values that the letter may have."""
    return over("inf", body, letter)


@writes(Between, lambda n: (n.body, n.letter, n.low, n.high))
def integral_between(body: Operand, letter: Symbol, low: Operand, high: Operand) -> Node:
    if not isinstance(letter, Symbol) or letter.shape or letter.domain != "real":
        raise NotationError(f"an integral with limits over {letter!r}: expected a real letter")
    return Between(body, letter, low, high)


@writes(Limit, lambda n: (n.body, n.letter, n.to))
def limit(body: Operand, letter: Symbol, to: Operand) -> Node:
    """The limit of `body` as the letter goes to a value, or to `infinity`."""
    domains = ("real", "positive", "nonnegative", "natural")
    if not isinstance(letter, Symbol) or letter.shape or letter.domain not in domains:
        raise NotationError(f"a limit by {letter!r}: expected a letter for a number")
    to = as_node(to)
    if letter.domain == "natural" and to != infinity:
        raise NotationError(f"a limit by {letter!r}: a whole number goes to infinity only")
    return Limit(body, letter, to)


def sides(limit_of_range: Node) -> int:
    """1 for infinity, -1 for minus infinity, 0 for a number."""
    if isinstance(limit_of_range, Neg):
        return -sides(limit_of_range.args[0])
    return int(isinstance(limit_of_range, Infinity))


def may_be_an_end(node: Node) -> bool:
    """Of an interval in which a variable lives: infinity, or made of numbers and parameters."""
    plain = (Number, Pi, Add, Mul, Neg, Div, Pow)
    return bool(sides(node)) or all(
        isinstance(n, plain) or (isinstance(n, Symbol) and not n.is_variable and not n.shape)
        for n in node.walk()
    )


__all__ = ["FiniteSet", "infimum", "infinity", "limit", "maximum", "minimum", "supremum"]
