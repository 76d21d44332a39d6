"""The display tree: what the author typed, kept as typed.

Three readers lower the same tree: `latex` for the page, `symbolic` for the proof, `numeric` for
random worlds. Nothing here simplifies. A node says itself what it holds and what it binds, so that
free letters, substitution, capture, mutation and the exchange as data name no node.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, ClassVar, Union

Operand = Union["Node", int, Fraction]

DOMAINS = {
    "real": r"\in \mathbb{R}",
    "positive": "> 0",
    "nonnegative": r"\ge 0",
    "unit": r"\in (0, 1)",
    "at_least_one": r"\ge 1",
    "natural": r"\in \{1, 2, \dots\}",
    "member": r"\text{ in a finite set}",
}
SHAPED = {  # what a vector or matrix may be declared to be
    "vector": {"real": "", "direction": r"\text{ of length one}"},
    "covariance": {"real": r"\succ 0", "commuting": r"\succ 0"},
    "matrix": {
        "real": "",
        "symmetric": r"\text{ symmetric}",
        "diagonal": r"\text{ diagonal}",
        "orthogonal": r"\text{ orthogonal}",
    },
}
SPACES = {  # where a random variable may live, and how one says so
    "real": (r"\in \mathbb{R}", "a letter of the line, or of any space"),
    "positive": ("> 0", "a letter > 0"),
    "unit": (r"\in (0, 1)", "a letter between 0 and 1"),
    "bit": (r"\in \{0, 1\}", "a letter for 0 or 1"),
    "count": (r"\in \{0, 1, 2, \dots\}", "a letter for a count, 0, 1, 2, ..."),
    "integer": (r"\in \mathbb{Z}", "a letter for an integer"),
}


def declared(letter: Symbol) -> str:
    """How a letter was declared, in words."""
    if not letter.is_variable:
        return "a parameter"
    if isinstance(letter, Ranging):
        ends = ", ".join(map(repr, letter.args))
        return f"in ({ends})" if letter.domain == "interval" else f"one of {ends}"
    return SPACES[letter.domain][1]


DEEPEST = 150  # levels of an expression: every reader of trees recurses
TAKEN = {  # words that are printed as they stand, or read as a number
    *("log", "exp", "sqrt", "abs", "max", "min", "sigmoid", "softplus", "indicator", "log_gap"),
    *("norm2", "dot", "det", "trace", "inverse", "transpose", "positive_part"),
    *("sin", "cos", "tan", "tanh", "arctan", "erf", "log_gamma", "digamma", "lim", "sup"),
    "trigamma",
    *("E", "KL", "JS", "TV", "infinity", "infty", "inf", "oo", "nan", "NaN", "Inf", "Infinity"),
}
# what stands before parentheses: letters may be called so
HEADS = TAKEN | {"Gamma", "psi"}
DIGITS = 1000  # of a number, above and below
BITS = (10**DIGITS).bit_length()


class NotationError(ValueError):
    """The author wrote something that has no meaning here; the message says what to write."""


def as_node(value: Operand) -> Node:
    """Numbers become `Number`; a float is refused, because 1/3 in Python is not one third."""
    if isinstance(value, Node):
        return value
    if isinstance(value, bool):
        raise NotationError(
            f"{value!r} is no expression, but what Python makes of a == b: write equal(a, b) for "
            "a claim or a hypothesis, d.start(a) and then d.equals(b) for a step"
        )
    if isinstance(value, (int, Fraction)):
        number = Number(abs(Fraction(value)))
        return Neg(number) if value < 0 else number
    if isinstance(value, float) and value - value != 0:
        raise NotationError(f"{value!r} is no number")
    if isinstance(value, float):
        near = Fraction(value).limit_denominator(1000)
        hint = (
            f"number({near.numerator}) / {near.denominator}" if near.denominator > 1 else str(near)
        )
        raise NotationError(f"{value!r} is a float, which is not exact: write {hint}")
    if isinstance(value, Given):
        raise NotationError("'a | b' only has a meaning inside a density: p(a | b)")
    what = f"{value!r} ({type(value).__name__}) is not a mathematical expression"
    if callable(value):
        what += ": write it with what it is of, as in p(x)"
    raise NotationError(what)


WORD = r"[A-Za-z](\w|[']|\{[\w+\-',.|]+\})*\+?"  # a sign, but at the end, only in braces
CALLED = rf"{WORD}(\((\w|[{{}}+\-',.|])+\))?(\^(\d+|\*))?"  # beta(t), g(t)^2, p_t(x|x_0)


def check_name(name: object, pattern: str = WORD) -> None:
    """Letters, densities and functions are named by one plain word; nothing internal is, and
    nothing that means something already."""
    if not isinstance(name, str) or not re.fullmatch(pattern, name, re.ASCII):
        raise NotationError(f"name={name!r}: a name is one word, such as 'beta_t' or 'x_{{t-1}}'")
    if name in TAKEN or ("(" in name and name.partition("(")[0] in HEADS):
        raise NotationError(f"name={name!r} has a meaning already: choose another")


def check_head(name: str) -> None:
    """A function or density is not called as one that is known, such as the Gamma function."""
    if name in HEADS:
        raise NotationError(f"name={name!r} is a function already: choose another")


class Fixed:
    """What stays as it was made: nothing changes under a proof."""

    __slots__: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: object) -> None:
        raise NotationError(f"{self!r} cannot be changed ({name} = {value!r}): declare another")

    def __repr__(self) -> str:
        return str(getattr(self, "name", type(self).__name__))

    def _no_number(self, other: Any) -> Any:
        """A function or a density is no number, what it is of is missing: f + 1."""
        return as_node(self)  # type: ignore[arg-type]

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _no_number
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = _no_number


MAPS = ("increasing", "decreasing", "invertible")  # of the line onto itself, with f' != 0
MASS = "a probability on "  # a finite set: the values at its members sum to 1

# What an entry of a node's data is: a plain value; one letter that the node binds, or a tuple of
# them; a letter that it holds and does not bind; a declaration, which has letters of its own.
PLAIN, BOUND, LETTER, DECLARED = "a plain value", "bound letters", "a letter", "a declaration"
# What a child is to its node: a number like any other; a whole number; what must stay what it is.
NUMBER, WHOLE, FIXED = "a number", "a whole number", "fixed"


class Node(Fixed):
    """A node has child nodes, `args`, and other data, `data`; both are hashable and immutable.

    Each class says what it holds: `class Big(Node, holds=(PLAIN, BOUND), scope=(0,), parts=(NUMBER,
    WHOLE, WHOLE))`. `scope` lists the children in which the letters are bound, unless that is all
    of them; `parts` what each child is, the last one standing for all that follow.
    """

    __slots__ = ("_depth", "_free", "_hash", "_kinds", "args", "data")
    args: tuple[Node, ...]
    data: tuple[Any, ...]
    _depth: int
    _free: frozenset[Symbol] | None
    _hash: int
    _kinds: int  # the bits of the classes in the tree
    _count: ClassVar[Iterator[int]] = itertools.count()
    _bit: ClassVar[int] = 0
    _bits: ClassVar[int] = 0  # of the class and those above it
    holds: ClassVar[tuple[str, ...]]
    scope: ClassVar[tuple[int, ...] | None]
    parts: ClassVar[tuple[str, ...]]
    printer: ClassVar[Callable[[Node], str]]  # given by the package: a tree knows no printer

    def __init_subclass__(
        cls,
        *,
        holds: tuple[str, ...] | None = None,
        scope: tuple[int, ...] | None = None,
        parts: tuple[str, ...] = (NUMBER,),
    ) -> None:
        super().__init_subclass__()
        if holds is None:
            raise TypeError(
                f"{cls.__name__} does not say what its data hold, so what it binds: write"
                f" class {cls.__name__}(Node, holds=(...))"
            )
        cls.holds, cls.scope, cls.parts = holds, scope, parts
        cls._bit = 1 << next(cls._count)
        cls._bits |= cls._bit

    def __init__(self, args: tuple[Node, ...] = (), data: tuple[Any, ...] = ()) -> None:
        fits = len(data) == len(self.holds) and all(map(_fits, self.holds, data))
        if not fits:
            expected = ", ".join(self.holds) or "nothing"
            raise TypeError(f"{type(self).__name__} holds {expected}; got {data!r}")
        self._fill(args, data)
        self._check_ends()

    def _fill(self, args: tuple[Node, ...], data: tuple[Any, ...]) -> None:
        object.__setattr__(self, "args", args)
        object.__setattr__(self, "data", data)
        depth = 1 + max((a._depth for a in args), default=0)
        if depth > DEEPEST:
            raise NotationError(f"an expression is nested at most {DEEPEST} levels deep")
        object.__setattr__(self, "_depth", depth)
        object.__setattr__(self, "_hash", hash((type(self).__name__, args, data)))
        object.__setattr__(self, "_free", None)
        kinds = self._bits
        for a in args:
            kinds |= a._kinds
        object.__setattr__(self, "_kinds", kinds)

    def _check_ends(self) -> None:
        """A free variable ends where it was declared to, not at a letter that is bound here."""
        if not (bound := self.bound):
            return
        inside = (free_symbols(c) for i, c in enumerate(self.args) if self.binds_in(i))
        for v in frozenset[Symbol]().union(*inside).difference(bound):
            if isinstance(v, Ranging) and not v.letters_within.isdisjoint(bound):
                raise NotationError(
                    f"{v!r} is {declared(v)}, which {type(self).__name__} binds: use another letter"
                )

    def rebuild(self, args: tuple[Node, ...], data: tuple[Any, ...] | None = None) -> Node:
        """The same node with other children, and perhaps other data."""
        if data is None or data == self.data:
            if args == self.args:
                return self
            same = _restore(type(self), args, self.data)
            same._check_ends()
            return same
        new = _restore(type(self), (), ())
        Node.__init__(new, args, data)
        return new

    # --- what a node holds and binds

    @property
    def bound(self) -> tuple[Symbol, ...]:
        """The letters it binds."""
        return tuple(self._entries(BOUND)) if BOUND in self.holds else ()

    @property
    def letters(self) -> tuple[Symbol, ...]:
        """The letters it holds beside its children and does not bind."""
        return tuple(self._entries(LETTER)) if LETTER in self.holds else ()

    @property
    def declared(self) -> tuple[Any, ...]:
        return tuple(self._entries(DECLARED)) if DECLARED in self.holds else ()

    def _entries(self, what: str) -> Iterator[Any]:
        for kind, entry in zip(self.holds, self.data, strict=True):
            if kind == what:
                yield from entry if isinstance(entry, tuple) else (entry,)

    def binds_in(self, i: int) -> bool:
        """Whether its letters are bound in that child."""
        return self.scope is None or i in self.scope

    def part(self, i: int) -> str:
        """What a child is to it."""
        return self.parts[min(i, len(self.parts) - 1)]

    def takes_declared(self) -> bool:
        """A bound letter takes only values that its declaration allows: what is shown of the letter
        holds in its scope."""
        return not self.bound

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (
            type(self) is type(other)
            and isinstance(other, Node)
            and self._hash == other._hash
            and self.data == other.data
            and self.args == other.args
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (type(self), self.args, self.data))

    def __repr__(self) -> str:
        return type(self).printer(self)

    def __bool__(self) -> bool:
        raise NotationError("an expression is neither true nor false; compare with d.equals(...)")

    def walk(self) -> Iterator[Node]:
        """This node and everything below it."""
        left = [self]
        while left:
            node = left.pop()
            yield node
            left += reversed(node.args)

    def contains(self, *kinds: type[Node]) -> bool:
        """Whether a node of these kinds is in its tree: known without a walk."""
        return any(self._kinds & kind._bit for kind in kinds)

    def __add__(self, other: Operand) -> Node:
        return _sum(self, as_node(other))

    def __radd__(self, other: Operand) -> Node:
        return _sum(as_node(other), self)

    def __sub__(self, other: Operand) -> Node:
        return _sum(self, Neg(as_node(other)))

    def __rsub__(self, other: Operand) -> Node:
        return _sum(as_node(other), Neg(self))

    def __mul__(self, other: Operand) -> Node:
        return _product(self, as_node(other))

    def __rmul__(self, other: Operand) -> Node:
        return _product(as_node(other), self)

    def __matmul__(self, other: Operand) -> Node:
        return _product(self, as_node(other))

    def __truediv__(self, other: Operand) -> Node:
        return Div(self, as_node(other))

    def __rtruediv__(self, other: Operand) -> Node:
        return Div(as_node(other), self)

    def __pow__(self, other: Operand) -> Node:
        return Pow(self, as_node(other))

    def __rpow__(self, other: Operand) -> Node:
        return Pow(as_node(other), self)

    def __neg__(self) -> Node:
        return Neg(self)

    def __or__(self, other: Node | tuple[Node, ...]) -> Given:
        return Given(self, other if isinstance(other, tuple) else (other,))

    def __pos__(self) -> Node:
        return self

    def __xor__(self, other: object) -> Node:
        raise NotationError("^ is no power in Python: write a**b")

    __rxor__ = __xor__

    def __floordiv__(self, other: object) -> Node:
        raise NotationError("// and % are Python's, of whole numbers: write a / b")

    __rfloordiv__ = __mod__ = __rmod__ = __floordiv__

    def __getitem__(self, index: object) -> Node:
        raise NotationError(
            f"{self!r}[{index!r}]: {self!r} has no members; one of a sequence is "
            "Sequence('beta')[t], and entries of a vector are not written"
        )

    __iter__ = None

    def __abs__(self) -> Node:
        raise NotationError("abs(...) is Python's, of numbers: write absolute(...)")

    def __float__(self) -> float:
        raise NotationError(
            "an expression has no numeric value: write log(...), exp(...), sqrt(...) of "
            "genmath.proof, not those of math"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **_: Any) -> Any:
        for each in inputs:
            as_node(each)  # numpy's numbers are floats, which are refused by what to write
        name = ufunc.__name__
        raise NotationError(f"{name}(...) is numpy's, of numbers: write that of genmath.proof")

    def __ge__(self, other: Operand) -> Relation:
        return Relation(self, ">=", as_node(other))

    def __le__(self, other: Operand) -> Relation:
        return Relation(self, "<=", as_node(other))

    def __gt__(self, other: Operand) -> Relation:
        return Relation(self, ">", as_node(other))

    def __lt__(self, other: Operand) -> Relation:
        return Relation(self, "<", as_node(other))


def _restore(cls: type[Node], args: tuple[Node, ...], data: tuple[Any, ...]) -> Node:
    new = object.__new__(cls)
    new._fill(args, data)
    return new


def _fits(kind: str, entry: Any) -> bool:
    if kind == DECLARED:
        return not isinstance(entry, Node)
    entries = entry if isinstance(entry, tuple) else (entry,)
    if kind == PLAIN:
        return not any(isinstance(e, Node) for e in entries)
    return all(isinstance(e, Symbol) for e in entries) and (kind == BOUND or len(entries) == 1)


def _sum(left: Node, right: Node) -> Node:
    return Add(*(left.args if isinstance(left, Add) else (left,)), right)


def _product(left: Node, right: Node) -> Node:
    return Mul(*(left.args if isinstance(left, Mul) else (left,)), right)


class Relation(Fixed):
    """A comparison of two expressions; `d.given` takes one as a hypothesis."""

    __slots__ = ("left", "right", "sign")
    left: Node
    sign: str
    right: Node

    def __init__(self, left: Node, sign: str, right: Node) -> None:
        for name, value in (("left", left), ("sign", sign), ("right", right)):
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Relation) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Node, str, Node]:
        return (self.left, self.sign, self.right)

    def __bool__(self) -> bool:
        raise NotationError("a comparison is a statement to check, not a Python truth value")

    def __repr__(self) -> str:
        return f"{self.left!r} {self.sign} {self.right!r}"


# --- leaves ---


class Number(Node, holds=(PLAIN,)):
    """A non-negative rational; negative ones are typed as `Neg`."""

    def __init__(self, value: int | Fraction) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, Fraction)) or value < 0:
            raise NotationError(f"Number({value!r}): expected an integer or Fraction >= 0")
        value = Fraction(value)
        if max(value.numerator, value.denominator).bit_length() > BITS:
            raise NotationError(f"a number has at most {DIGITS} digits")
        super().__init__((), (value,))

    @property
    def value(self) -> Fraction:
        return self.data[0]  # type: ignore[no-any-return]


class Pi(Node, holds=()):
    """The constant pi."""


class Symbol(Node, holds=(PLAIN, PLAIN, PLAIN, PLAIN, PLAIN)):
    """A letter: a random variable (it may be integrated over) or a parameter.

    `space` names the variable it is a copy of, or those that a covariance commutes with; `shape` is
    "", "vector", "covariance" or "matrix", and `size` its numbers of rows and columns, 0 for d.
    """

    def __init__(
        self,
        name: str,
        *,
        domain: str = "real",
        shape: str = "",
        variable: bool = False,
        space: str | None = None,
    ) -> None:
        """`shape` may say the size: "vector 2", "matrix d 2"."""
        check_name(name)
        domains = SPACES if variable else SHAPED.get(shape.partition(" ")[0], DOMAINS)
        if domain not in list(domains):
            raise NotationError(f"domain={domain!r}: expected one of {', '.join(domains)}")
        super().__init__((), (name, domain, shape, variable, space or name))

    name: str = property(lambda self: self.data[0])  # type: ignore[assignment]
    domain: str = property(lambda self: self.data[1])  # type: ignore[assignment]
    shape: str = property(lambda self: self.data[2].partition(" ")[0])  # type: ignore[assignment]
    sized: str = property(lambda self: self.data[2])  # type: ignore[assignment]
    is_variable: bool = property(lambda self: self.data[3])  # type: ignore[assignment]
    space: str = property(lambda self: self.data[4])  # type: ignore[assignment]

    def renamed(self, name: str, space: str) -> Symbol:
        """Another letter that is declared so."""
        check_name(name)
        other = self.rebuild(self.args, (name, *self.data[1:4], space))
        assert isinstance(other, Symbol)
        return other


class Ranging(Symbol, holds=(PLAIN, PLAIN, PLAIN, PLAIN, PLAIN), parts=(FIXED,)):
    """A random variable that lives in an interval, `args` its ends ("interval"), or takes one of
    the numbers `args` ("values")."""

    def __init__(self, name: str, domain: str, args: tuple[Node, ...], space: str = "") -> None:
        check_name(name)
        Node.__init__(self, args, (name, domain, "", True, space or name))

    @property
    def letters_within(self) -> frozenset[Symbol]:
        """Of which its ends speak."""
        return frozenset[Symbol]().union(*map(free_symbols, self.args))


class Given:
    """`z | x`, which only a density understands."""

    __slots__ = ("event", "given")

    def __init__(self, event: Node, given: tuple[Node, ...]) -> None:
        self.event, self.given = event, given


class Named(Node, holds=(PLAIN,), parts=(FIXED,)):
    """A letter that stands for an expression: shown as the letter, read as the expression."""

    def __init__(self, name: str, body: Operand) -> None:
        check_name(name, CALLED)
        super().__init__((as_node(body),), (name,))

    name: str = property(lambda self: self.data[0])  # type: ignore[assignment]
    body: Node = property(lambda self: self.args[0])  # type: ignore[assignment]


class Indexed(Node, holds=(PLAIN, PLAIN), parts=(WHOLE,)):
    """A member of a sequence, beta[t]; `domain` holds for every member."""

    def __init__(self, name: str, domain: str, index: Operand) -> None:
        super().__init__((as_node(index),), (name, domain))

    name: str = property(lambda self: self.data[0])  # type: ignore[assignment]
    domain: str = property(lambda self: self.data[1])  # type: ignore[assignment]
    index: Node = property(lambda self: self.args[0])  # type: ignore[assignment]


class Identity(Node, holds=()):
    """The identity matrix, d x d."""

    size = 0


class IdentityOf(Identity, holds=(PLAIN,)):
    """The identity matrix of another size."""

    size: int = property(lambda self: self.data[0])  # type: ignore[assignment]


# --- algebra ---


class Add(Node, holds=()):
    """A sum, its terms in the order typed."""

    def __init__(self, *terms: Operand) -> None:
        super().__init__(tuple(as_node(t) for t in terms))


class Mul(Node, holds=()):
    """A product, its factors in the order typed (matrices do not commute)."""

    def __init__(self, *factors: Operand) -> None:
        super().__init__(tuple(as_node(f) for f in factors))


class Neg(Node, holds=()):
    def __init__(self, arg: Operand) -> None:
        super().__init__((as_node(arg),))


class Div(Node, holds=()):
    def __init__(self, over: Operand, under: Operand) -> None:
        super().__init__((as_node(over), as_node(under)))


class Pow(Node, holds=(), parts=(NUMBER, FIXED)):
    def __init__(self, base: Operand, exponent: Operand) -> None:
        super().__init__((as_node(base), as_node(exponent)))


class Fn(Node, holds=(PLAIN,)):
    """A function of the tables, which the package gives: `elementary` and `matrix_functions`."""

    elementary: ClassVar[Mapping[str, Any]]
    matrices: ClassVar[Mapping[str, Any]]

    def __init__(self, name: str, *args: Operand) -> None:
        matrix = self.matrices.get(name)
        takes = matrix.arguments if matrix else int(name in self.elementary)
        if takes != len(args) or not takes:
            raise NotationError(f"{name}() takes {takes or 'no'} argument(s), got {len(args)}")
        super().__init__(tuple(as_node(a) for a in args), (name,))

    name: str = property(lambda self: self.data[0])  # type: ignore[assignment]

    def part(self, i: int) -> str:
        return FIXED if self.name in self.matrices else NUMBER


class Apply(Node, holds=(PLAIN, PLAIN, PLAIN)):
    """An arbitrary function at a point. `order` counts derivatives (one-argument functions);
    `traits` may hold "convex", "conjugate" (the convex conjugate of the function so named),
    "positive", and one of MAPS, perhaps with "inverse"."""

    def __init__(self, name: str, traits: tuple[str, ...], order: int, *args: Operand) -> None:
        super().__init__(tuple(as_node(a) for a in args), (name, traits, order))

    name: str = property(lambda self: self.data[0])  # type: ignore[assignment]
    traits: tuple[str, ...] = property(lambda self: self.data[1])  # type: ignore[assignment]
    order: int = property(lambda self: self.data[2])  # type: ignore[assignment]

    @property
    def stated(self) -> tuple[str, ...]:
        """The traits of the function that it was made from."""
        own = tuple(t for t in self.traits if t != "inverse")
        return ("convex",) if own == ("conjugate",) else own


class Mapped(Node, holds=(PLAIN, PLAIN, PLAIN), parts=(FIXED,)):
    """A map, or its inverse, at a point (`order` 0), or the matrix of its partial derivatives
    there (1)."""

    def __init__(self, name: str, inverse: bool, order: int, point: Operand) -> None:
        super().__init__((as_node(point),), (name, inverse, order))

    name: str = property(lambda self: self.data[0])  # type: ignore[assignment]
    inverse: bool = property(lambda self: self.data[1])  # type: ignore[assignment]
    order: int = property(lambda self: self.data[2])  # type: ignore[assignment]
    point: Node = property(lambda self: self.args[0])  # type: ignore[assignment]


# --- densities ---


class Dens(Node, holds=(DECLARED, PLAIN, PLAIN), parts=(FIXED,)):
    """A density of a declared family at a point: the event's letters, then the given ones.

    `slots` are the declared variables' spaces in order, `events` and `givens` say which slot each
    argument fills. A declared slot that is neither was integrated out.
    """

    def __init__(self, density: Any, events: tuple[Symbol, ...], givens: tuple[Node, ...],
                 event_slots: tuple[str, ...], given_slots: tuple[str, ...]) -> None:  # fmt: skip
        super().__init__((*events, *givens), (density, event_slots, given_slots))

    density: Any = property(lambda self: self.data[0])
    event_slots: tuple[str, ...] = property(lambda self: self.data[1])  # type: ignore[assignment]
    given_slots: tuple[str, ...] = property(lambda self: self.data[2])  # type: ignore[assignment]

    @property
    def events(self) -> tuple[Node, ...]:
        return self.args[: len(self.event_slots)]

    @property
    def givens(self) -> tuple[Node, ...]:
        return self.args[len(self.event_slots) :]


class Normal(Node, holds=(), parts=(FIXED, NUMBER)):
    """The density of N(mean, variance) at x; for a vector x the last argument is a covariance."""

    def __init__(self, x: Operand, mean: Operand, variance: Operand) -> None:
        super().__init__((as_node(x), as_node(mean), as_node(variance)))


class Family(Node, holds=(PLAIN,), parts=(FIXED, NUMBER)):
    """The density at a point of a member of a named family: its point, then its parameters."""

    def __init__(self, name: str, point: Operand, *parameters: Operand) -> None:
        super().__init__((as_node(point), *map(as_node, parameters)), (name,))

    name: str = property(lambda self: self.data[0])  # type: ignore[assignment]
    point: Node = property(lambda self: self.args[0])  # type: ignore[assignment]


# --- binders ---


class Expect(Node, holds=(), parts=(NUMBER, FIXED)):
    """E over the events of independent-by-construction densities: their product is the measure."""

    def __init__(self, dists: tuple[Node, ...], body: Operand) -> None:
        super().__init__((as_node(body), *dists))

    body: Node = property(lambda self: self.args[0])  # type: ignore[assignment]
    dists: tuple[Node, ...] = property(lambda self: self.args[1:])  # type: ignore[assignment]

    @property
    def bound(self) -> tuple[Symbol, ...]:
        return tuple(v for d in self.dists for v in event_variables(d))

    def takes_declared(self) -> bool:
        return True

    def rebuild(self, args: tuple[Node, ...], data: tuple[Any, ...] | None = None) -> Node:
        if args == self.args:
            return self
        body, *dists = args
        return Expect(tuple(f for d in dists for f in (d.args if type(d) is Mul else (d,))), body)


class Integral(Node, holds=(BOUND,)):
    """An integral against the (unnamed) base measure: a sum for discrete variables."""

    def __init__(self, body: Operand, *bound: Symbol) -> None:
        super().__init__((as_node(body),), (bound,))

    body: Node = property(lambda self: self.args[0])  # type: ignore[assignment]

    def takes_declared(self) -> bool:
        return True


class Divergence(Node, holds=(PLAIN, BOUND), parts=(FIXED,)):
    """KL, JS or TV of two densities over `bound`; `kind` is one of "KL", "JS", "TV"."""

    def __init__(self, kind: str, p: Operand, q: Operand, bound: tuple[Symbol, ...]) -> None:
        super().__init__((as_node(p), as_node(q)), (kind, bound))

    kind: str = property(lambda self: self.data[0])  # type: ignore[assignment]

    def takes_declared(self) -> bool:
        return True


class Entropy(Node, holds=(BOUND,), parts=(FIXED,)):
    """H(p) = -E_p log p."""

    def __init__(self, p: Operand, bound: tuple[Symbol, ...]) -> None:
        super().__init__((as_node(p),), (bound,))

    def takes_declared(self) -> bool:
        return True


class Deriv(Node, holds=(LETTER,)):
    """The partial derivative of `body` with respect to `var`, everything else held."""

    def __init__(self, body: Operand, var: Symbol) -> None:
        super().__init__((as_node(body),), (var,))

    body: Node = property(lambda self: self.args[0])  # type: ignore[assignment]
    var: Symbol = property(lambda self: self.data[0])  # type: ignore[assignment]


class Big(Node, holds=(PLAIN, BOUND), scope=(0,), parts=(NUMBER, WHOLE)):
    """A sum or product over an integer index from `low` to `high`; `kind` is "sum" or "prod"."""

    def __init__(
        self, kind: str, body: Operand, index: Symbol, low: Operand, high: Operand
    ) -> None:
        super().__init__((as_node(body), as_node(low), as_node(high)), (kind, index))

    kind: str = property(lambda self: self.data[0])  # type: ignore[assignment]
    index: Symbol = property(lambda self: self.data[1])  # type: ignore[assignment]
    body: Node = property(lambda self: self.args[0])  # type: ignore[assignment]
    low: Node = property(lambda self: self.args[1])  # type: ignore[assignment]
    high: Node = property(lambda self: self.args[2])  # type: ignore[assignment]

    def takes_declared(self) -> bool:
        return isinstance(self.low, Number) and self.low.value >= 1


# --- questions about trees ---


def event_variables(dist: Node) -> tuple[Symbol, ...]:
    """The variables a density is a density of."""
    if isinstance(dist, Dens):
        return tuple(e for e in dist.events if isinstance(e, Symbol) and e.is_variable)
    if isinstance(dist, (Normal, Family)) and isinstance(dist.args[0], Symbol):
        return (dist.args[0],)
    if isinstance(dist, Named):
        return event_variables(dist.body)
    if isinstance(dist, Mul):
        found: list[Symbol] = []
        for factor in dist.args:
            found += [v for v in event_variables(factor) if v not in found]
        return tuple(found)
    if isinstance(dist, (Add, Div)):
        return event_variables(dist.args[0])
    return ()


def free_symbols(node: Node) -> frozenset[Symbol]:
    """Symbols that occur free."""
    if isinstance(node, Ranging):
        return frozenset((node,)) | node.letters_within
    if isinstance(node, Symbol):
        return frozenset((node,))
    if node._free is not None:
        return node._free
    found, bound = frozenset(node.letters), frozenset(node.bound)
    for v in (*node.bound, *node.letters):
        found |= free_symbols(v) - {v}
    for i, child in enumerate(node.args):
        inside = free_symbols(child)
        found |= inside - bound if node.binds_in(i) else inside
    object.__setattr__(node, "_free", found)
    return found


def names_in(node: Node) -> set[str]:
    """The names of all letters in a tree, free or not, and of definitions."""
    found = {s.name for n in node.walk() for s in (*n.bound, *n.letters)}
    return found | {n.name for n in node.walk() if isinstance(n, (Symbol, Named))}


def transform(node: Node, visit: Callable[[Node], Node | None]) -> Node:
    """Rebuild top-down; where `visit` returns a node, that node is taken as it is."""
    replaced = visit(node)
    if replaced is not None:
        return replaced
    if isinstance(node, Symbol):
        return node  # the ends of a variable are what they are wherever it is bound
    return node.rebuild(tuple(transform(child, visit) for child in node.args))
