"""Letters, definitions, members of sequences."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.binders import sides
from genmath.proof.language.shapes import size_of
from genmath.proof.language.tree import (
    Indexed,
    Named,
    Node,
    NotationError,
    Ranging,
    Symbol,
    declared,
    free_symbols,
)
from genmath.proof.symbolic.algebra import is_nonnegative
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
        if node.shape == "covariance":
            root = self.root(node)
            return sp.ImmutableMatrix(root * root.T)
        if node.shape:
            return self.entries(node)
        if node.domain == "interval":
            assert isinstance(node, Ranging)
            return self.on_the_way(node, sp.Symbol(node.name, positive=True), {}, ())[0]
        return parameter(node)[1]

    def on_the_way(self, node: Ranging, b: Any, env: Env, w: Weights) -> tuple[Any, Any, Any, Any]:
        """A letter of an interval by a letter b > 0, its slope by b, and the ends."""
        low, high = (self.an_end(end, env, w) for end in node.args)
        if high == sp.oo:
            return low + b, sp.S.One, low, high
        if low == -sp.oo:
            return high - b, sp.S.One, low, high
        width = canon(high - low)
        if width.is_zero or is_nonnegative(-width):
            raise Unsupported(f"an interval of no width: {node!r} {declared(node)}")
        self.require(width, w, "the width of the interval", node.args[1] - node.args[0])
        return low + width * b / (1 + b), width / (1 + b) ** 2, low, high

    def an_end(self, end: Node, env: Env, w: Weights) -> Any:
        side = sides(end)
        return side * sp.oo if side else canon(self.scalar(end, env, w, True))

    def assigned(self, letter: Symbol, actual: Node) -> dict[Any, Any]:
        """What the sympy letters of a parameter become when an expression is put for it."""
        if letter.shape and letter.domain in ("real", "symmetric", "diagonal"):
            plain = self.apart(Rules())
            ours, theirs = plain(letter), self(actual)
            if letter.shape == "covariance":
                assert isinstance(actual, Symbol)
                ours, theirs = self.root(letter), self.root(actual)
            return {a: b for a, b in zip(ours, theirs, strict=True) if a.is_Symbol}
        if letter.shape:
            assert isinstance(actual, Symbol)
            alike = actual.renamed(letter.name, actual.space)  # in the same of its cases
            both = (self.apart(Rules())(s).free_symbols for s in (alike, actual))
            ours, theirs = (sorted(s, key=str) for s in both)
            return dict(zip(ours, theirs, strict=True))
        value = self(actual)
        inner = {"unit": value / (1 - value), "at_least_one": value - 1}
        return {parameter(letter)[0]: inner.get(letter.domain, value)}

    def extent(self, node: Symbol) -> tuple[int, int]:
        """Rows and columns of a letter."""
        rows, columns = size_of(node.sized)
        return rows or self.d, columns or self.d

    def entries(self, node: Symbol) -> Any:
        """A vector or matrix of letters, or of what makes it what it is declared to be."""
        rows, columns = self.extent(node)

        def letter(*place: int) -> Any:
            return sp.Symbol(f"{node.name}[{','.join(map(str, place))}]", real=True)

        match node.domain:
            case "direction" | "orthogonal" if set(node.space) - set("+-"):
                raise Unsupported(f"{node.name} apart from its cases")
            case "direction":
                return direction(node.name, rows) * (1 if node.space == "+" else -1)
            case "orthogonal":
                if columns > rows:
                    raise Unsupported(f"{columns} orthonormal vectors of {rows} entries")
                signs = sp.diag(*(1 if s == "+" else -1 for s in node.space))
                return sp.ImmutableMatrix((signs * rotation(node.name, rows))[:, :columns])
            case "symmetric":
                return sp.ImmutableMatrix(rows, rows, lambda i, j: letter(max(i, j), min(i, j)))
            case "diagonal":
                return sp.ImmutableMatrix(sp.diag(*(letter(i, i) for i in range(rows))))
        if node.shape == "vector":
            return sp.ImmutableMatrix([letter(i) for i in range(rows)])
        return sp.ImmutableMatrix(rows, columns, letter)

    def root(self, node: Symbol) -> Any:
        """R with R R' the covariance: its Cholesky factor, or its axes times the roots of its
        eigenvalues where the axes are shared."""
        n = self.extent(node)[0]
        if node.domain == "commuting":
            lengths = (sp.Symbol(f"{node.name}[{i}]", positive=True) for i in range(n))
            return sp.ImmutableMatrix(rotation(node.space, n) * sp.diag(*lengths))
        return sp.ImmutableMatrix(
            n, n,
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


def rotation(name: str, n: int) -> Any:
    """Cayley's (1 - S)/(1 + S) of a skew matrix S: every orthogonal matrix is one of these with the
    signs of some rows changed, or with those of some columns."""
    if n == 1:
        return sp.ones(1, 1)
    t = [sp.Symbol(f"{name}[{i}]", real=True) for i in range(n * (n - 1) // 2)]
    if n == 2:
        (s,) = t
        return sp.Matrix([[1 - s**2, -2 * s], [2 * s, 1 - s**2]]) / (1 + s**2)
    if n > 3:
        raise Unsupported(f"an orthogonal matrix of {n} rows")
    a, b, c = t
    return sp.Matrix([
        [1 + a**2 - b**2 - c**2, 2 * (a * b - c), 2 * (a * c + b)],
        [2 * (a * b + c), 1 - a**2 + b**2 - c**2, 2 * (b * c - a)],
        [2 * (a * c - b), 2 * (b * c + a), 1 - a**2 - b**2 + c**2],
    ]) / (1 + a**2 + b**2 + c**2)  # fmt: skip


def direction(name: str, n: int) -> Any:
    """A vector of length one seen from the pole: each is one of these, or minus one of them."""
    t = [sp.Symbol(f"{name}[{i}]", real=True) for i in range(n - 1)]
    size = sp.Add(*(s**2 for s in t))
    return sp.ImmutableMatrix([(1 - size) / (1 + size), *(2 * s / (1 + size) for s in t)])


def parameter(node: Symbol) -> tuple[Any, Any]:
    """A sympy letter and the parameter's value in it: what is in (0, 1) is b/(1 + b), b > 0."""
    if node.domain == "unit":
        b = sp.Symbol(node.name, positive=True)
        return b, b / (1 + b)
    if node.domain == "at_least_one":
        b = sp.Symbol(node.name, nonnegative=True)
        return b, 1 + b
    if node.domain == "interval":
        raise Unsupported(f"{node!r} by itself, which ends elsewhere")
    kinds = {
        "real": {"real": True},
        "positive": {"positive": True},
        "nonnegative": {"nonnegative": True},
        "natural": {"positive": True, "integer": True},
        "member": {"real": True},
        "bit": {"nonnegative": True, "integer": True},
        "count": {"nonnegative": True, "integer": True},
        "integer": {"integer": True},
        "values": {"rational": True},
    }
    letter = sp.Symbol(node.name, **kinds[node.domain])
    return letter, letter
