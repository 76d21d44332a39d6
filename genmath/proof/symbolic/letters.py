"""Letters, definitions, members of sequences."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.tree import (
    Indexed,
    Named,
    Node,
    NotationError,
    Symbol,
    free_symbols,
)
from genmath.proof.symbolic.atoms import (
    Atom,
    Int,
    Key,
    Member,
    Recip,
    Rho,
    Unknown,
)
from genmath.proof.symbolic.conditions import Conditions, Env, Weights
from genmath.proof.symbolic.definitions import definition_letter
from genmath.proof.symbolic.polynomials import canon
from genmath.proof.symbolic.supports import Rules, Unsupported

FACTS = {
    "real": (), "positive": ("positive",), "nonnegative": ("nonnegative",),
    "unit": ("positive",), "at_least_one": ("nonnegative",),
    "bit": ("nonnegative", "bit"), "count": ("nonnegative", "count"),
}  # fmt: skip


class Letters(Conditions):
    """Leaves that have a name."""

    def named(self, node: Named, env: Env, w: Weights, exact: bool) -> Any:
        self.register(node.name, node.body)
        if self.letters and not free_symbols(node.body) & env.keys():
            whole = self.apart(self.rules)
            value = whole.lower(node.body, {}, (), False)
            for name, owner in whole.known.items():
                self.register(name, owner)
            if isinstance(value, sp.MatrixBase):
                if value.shape[1] == 1 and not value.has(Atom):
                    return value.applyfunc(lambda v: definition_letter(node.name, v))
            elif not value.has(Rho, Int, Recip, Unknown):
                return definition_letter(node.name, value)
        return self.lower(node.body, env, w, exact)

    def symbol(self, node: Symbol, env: Env) -> Any:
        if node in env:
            return env[node]
        self.register(node.name, node)
        if node.shape == "vector":
            return sp.ImmutableMatrix(
                [sp.Symbol(f"{node.name}[{i}]", real=True) for i in range(self.d)]
            )
        if node.shape == "covariance":
            root = self.root(node)
            return sp.ImmutableMatrix(root * root.T)
        return parameter(node)[1]

    def assigned(self, letter: Symbol, actual: Node) -> dict[Any, Any]:
        """What the sympy letters of a parameter become when an expression is put for it."""
        if letter.shape == "covariance":
            assert isinstance(actual, Symbol)
            return dict(zip(self.root(letter), self.root(actual), strict=True))
        value = self(actual)
        if letter.shape == "vector":
            return dict(zip(self.apart(Rules())(letter), value, strict=True))
        inner = {"unit": value / (1 - value), "at_least_one": value - 1}
        return {parameter(letter)[0]: inner.get(letter.domain, value)}

    def root(self, node: Symbol) -> Any:
        """The Cholesky factor of a covariance letter."""
        return sp.ImmutableMatrix(
            self.d, self.d,
            lambda i, j: sp.S.Zero if j > i
            else sp.Symbol(f"{node.name}[{i},{j}]", real=True, positive=True if i == j else None),
        )  # fmt: skip

    def indexed(self, node: Indexed, env: Env, w: Weights, exact: bool) -> Any:
        self.register(node.name + "[]", node.domain)
        index = canon(self.scalar(node.index, env, w, exact))
        if not index.is_integer:
            raise NotationError(f"{node!r}: the index is not a whole number")
        if node.domain not in FACTS:
            raise Unsupported(f"a sequence of domain {node.domain}")
        member = Member(Key(node.name, *FACTS[node.domain]), index)
        if node.domain == "unit":
            return member / (1 + member)
        return 1 + member if node.domain == "at_least_one" else member


def parameter(node: Symbol) -> tuple[Any, Any]:
    """A sympy letter and the parameter's value in it: what is in (0, 1) is b/(1 + b), b > 0."""
    if node.domain == "unit":
        b = sp.Symbol(node.name, positive=True)
        return b, b / (1 + b)
    if node.domain == "at_least_one":
        b = sp.Symbol(node.name, nonnegative=True)
        return b, 1 + b
    kinds = {
        "real": {"real": True},
        "positive": {"positive": True},
        "nonnegative": {"nonnegative": True},
        "natural": {"positive": True, "integer": True},
        "member": {"real": True},
        "bit": {"nonnegative": True, "integer": True},
        "count": {"nonnegative": True, "integer": True},
    }
    letter = sp.Symbol(node.name, **kinds[node.domain])
    return letter, letter
