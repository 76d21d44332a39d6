"""What an expression needs to be computed: its arguments, and each node's kind of value."""

from __future__ import annotations

from typing import Any

from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Family,
    Fn,
    Identity,
    Indexed,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Pi,
    Pow,
    Symbol,
)

SCALAR, VECTOR, ROW, MATRIX = "scalar", "vector", "row vector", "matrix"
EXTRA = {SCALAR: 0, VECTOR: 1, ROW: 1, MATRIX: 2}  # axes a value has besides the broadcast ones


class Needs:
    """The arguments of an expression: name to what it is, and each node's kind of value."""

    def __init__(self, node: Node, free: tuple[str, ...]) -> None:
        self.tree, self.free = node, free
        self.required: dict[str, str] = {}
        self.letters: dict[str, str] = {}
        self.whole: set[str] = set()
        self.bound: set[str] = set()
        self.axes: dict[str, str] = {}
        self._declared: dict[str, Any] = {}
        self._visit(node, frozenset())
        unused = set(free) - set(self.letters)
        if unused:
            raise ValueError(f"free={sorted(unused)!r}: the expression has no such defined letter")
        self.kind(node)

    def _need(self, name: str, role: str, declared: Any) -> None:
        if self._declared.setdefault(name, (role, declared)) != (role, declared):
            raise ValueError(f"{name!r} stands for two different things in {text(self.tree)}")
        self.required[name] = role

    def _visit(self, node: Node, counted: frozenset[str]) -> None:
        if isinstance(node, Symbol):
            if node.name not in counted:
                self._need(node.name, "letter", node.data)
                self.letters[node.name] = shape_of(node)
                if node.domain == "natural":
                    self.whole.add(node.name)
            return
        if isinstance(node, Named) and node.name in self.free:
            self._need(node.name, "letter", node.args)
            self.letters[node.name] = self.kind(node.body)
            return
        if isinstance(node, Indexed):
            self._need(node.name, "sequence", node.data)
        elif isinstance(node, Apply):
            self._need(function_name(node), "function", node.data)
        elif isinstance(node, Dens):
            density = node.density
            self._need(density.name, "density", (density.given_slots, density.event_slots))
            for argument in node.args:
                if isinstance(argument, Symbol):
                    self.axes.setdefault(argument.name, shape_of(argument))
                else:
                    self._visit(argument, counted)
            return
        elif isinstance(node, Deriv):
            raise ValueError(f"{text(node)}: a derivative is not computed; use the side without it")
        for v in node.bound if not isinstance(node, Big) else ():
            self.bound.add(v.name)
            if not any(isinstance(d, Dens) and v in d.args for d in node.walk()):
                raise ValueError(
                    f"{text(node)}: only sums over tables are computed, and no table is one of"
                    f" {text(v)}; use the side in closed form"
                )
        if isinstance(node, Big):
            self._visit(node.body, counted | {node.index.name})
            self._visit(node.low, counted)
            self._visit(node.high, counted)
            return
        for child in node.args:
            self._visit(child, counted)

    def refuse_arrays(self, backend: str) -> None:
        kinds = {self.kind(part) for part in self.tree.walk() if not isinstance(part, Dens)}
        if kinds - {SCALAR} or any(n.bound and not isinstance(n, Big) for n in self.tree.walk()):
            raise ValueError(f"backend={backend!r} has no arrays: use 'numpy' or 'torch'")

    def kind(self, node: Node) -> str:
        """Whether a node is a scalar, a vector or a matrix."""
        match node:
            case Symbol():
                return shape_of(node)
            case Identity():
                return MATRIX
            case Neg() | Named():
                return self.kind(node.args[0])
            case Add():
                kinds = {self.kind(term) for term in node.args if term != Number(0)} or {SCALAR}
                if len(kinds) > 1:
                    raise ValueError(f"{text(node)} adds a {' and a '.join(sorted(kinds))}")
                return kinds.pop()
            case Mul():
                kind = SCALAR
                for factor in node.args:
                    kind = times(kind, self.kind(factor), node)
                return kind
            case Div():
                if self.kind(node.args[1]) != SCALAR:
                    raise ValueError(f"{text(node)} divides by a {self.kind(node.args[1])}")
                return self.kind(node.args[0])
            case Big(kind="prod"):
                kind = self.kind(node.args[0])
                if kind != SCALAR:
                    raise ValueError(
                        f"{text(node)}: a product over a range of a {kind} is not computed"
                    )
                return kind
            case Expect() | Integral() | Big():
                return self.kind(node.args[0])
            case Fn(name="inverse" | "transpose"):
                kind = self.kind(node.args[0])
                return {VECTOR: ROW, ROW: VECTOR}.get(kind, kind)
            case Fn() | Number() | Pi() | Pow() | Indexed() | Apply():
                return SCALAR
            case Dens() | Normal() | Family() | Divergence() | Entropy():
                return SCALAR
            case Deriv() if not node.var.shape:  # behind a letter that is given
                return self.kind(node.body)
        raise ValueError(f"{text(node)}: a {type(node).__name__} is not computed")


def shape_of(symbol: Symbol) -> str:
    return {"": SCALAR, "vector": VECTOR, "covariance": MATRIX, "matrix": MATRIX}[symbol.shape]


def times(left: str, right: str, where: Node) -> str:
    if SCALAR in (left, right):
        return right if left == SCALAR else left
    kinds = {
        (MATRIX, MATRIX): MATRIX, (MATRIX, VECTOR): VECTOR, (ROW, MATRIX): ROW,
        (ROW, VECTOR): SCALAR, (VECTOR, ROW): MATRIX,
    }  # fmt: skip
    if (left, right) not in kinds:
        raise ValueError(
            f"{text(where)} multiplies a {left} by a {right}; use dot(u, v) or transpose(u)"
        )
    return kinds[left, right]


def function_name(node: Apply) -> str:
    star = "_star" if "conjugate" in node.traits else ""
    inverse = "_inverse" if "inverse" in node.traits else ""
    return node.name + star + inverse + "_prime" * node.order
