"""Inner products, determinants, traces and inverses; which matrices are positive definite.

Rules that hold for matrices of every size are used on what was typed: the inverse of a product is
the product of the inverses, and so on. Only what they leave is computed entry by entry.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.shapes import NUMBER, shape
from genmath.proof.language.tree import (
    Add,
    Div,
    Fn,
    Identity,
    Mul,
    Named,
    Neg,
    Node,
    NotationError,
    Number,
    Pow,
    Symbol,
)
from genmath.proof.symbolic.algebra import is_nonnegative, is_positive, note_positive, power_of
from genmath.proof.symbolic.arithmetic import Arithmetic
from genmath.proof.symbolic.conditions import Env, Weights
from genmath.proof.symbolic.letters import Letters, rotation
from genmath.proof.symbolic.polynomials import HALF, canon, expand
from genmath.proof.symbolic.supports import Unsupported

POSITIVE, SEMI = "positive definite", "positive semidefinite"
Definite = tuple[str, list[tuple[str, Node]]]  # and what has to be asked for it
MOST = 6  # factors of a power of a matrix
LARGEST = 4  # rows of a matrix that is inverted entry by entry


class Matrices(Arithmetic, Letters):
    """Functions of vectors and matrices."""

    def matrix_function(self, node: Fn, env: Env, w: Weights, exact: bool) -> Any:
        values = [self.lower(a, env, w, exact) for a in node.args]
        for v in values:
            if not isinstance(v, sp.MatrixBase):
                raise NotationError(f"{node!r}: {node.name} is for vectors and matrices")
        a = values[0]
        if node.name in ("norm2", "dot"):
            b = values[-1]
            if a.shape[1] != 1 or b.shape != a.shape:
                raise NotationError(f"{node!r}: expected vectors of one length")
            return sum((a[i] * b[i] for i in range(a.shape[0])), sp.S.Zero)
        if node.name == "transpose":
            return a.T
        if a.shape[0] != a.shape[1]:
            raise NotationError(f"{node!r}: expected a square matrix")
        if node.name == "trace":
            return a.trace()
        find = self.determinant if node.name == "det" else self.inverted
        return find(node.args[0], env, w, exact)

    def pow(self, node: Pow, env: Env, w: Weights, exact: bool) -> Any:
        """A whole power of a square matrix, too."""
        base, exponent = node.args
        if shape(base) == NUMBER:
            return super().pow(node, env, w, exact)
        k = _whole(exponent)
        if k is None or abs(k) > MOST:
            raise Unsupported(f"a power {exponent!r} of a matrix")
        if k < 0:
            return self.inverted(base, env, w, exact) ** -k
        return self.matrix(base, env, w, exact) ** k

    def determinant(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        """Of a square matrix."""
        n = self.matrix(node, env, w, exact).shape[0]
        match node:
            case Named():
                return self.determinant(node.body, env, w, exact)
            case Identity():
                return sp.S.One
            case Neg():
                return (-1) ** n * self.determinant(node.args[0], env, w, exact)
            case Fn(name="transpose"):
                return self.determinant(node.args[0], env, w, exact)
            case Fn(name="inverse"):
                return self.not_singular(node.args[0], env, w, exact)
            case Div(args=(over, under)):
                below = self.inverse(self.scalar(under, env, w, exact), w, exact, under)
                return below**n * self.determinant(over, env, w, exact)
            case Mul() | Pow() if (apart := _factors(node)) is not None:
                total = self.product(apart[0], env, w, exact) ** n
                for m in apart[1]:
                    total *= self.determinant(m, env, w, exact)
                return total
            case Symbol(shape="covariance"):
                return self.scale(node) ** 2
            case Symbol(domain="orthogonal") if not set(node.space) - set("+-"):
                return sp.Integer(-1) ** node.space.count("-")
        a = self.matrix(node, env, w, exact)
        if n > LARGEST:
            raise Unsupported(f"a determinant of {n} rows")
        value = canon(a.det(method="berkowitz"))
        if self.definite(node, env, w, exact) == (POSITIVE, []):
            note_positive(value)
        return value

    def scale(self, letter: Symbol) -> Any:
        """The root of a covariance's determinant."""
        root = self.root(letter)
        if letter.domain == "commuting":
            lengths = [s for s in root.free_symbols if s.is_positive]
            return sp.Mul(*lengths)
        return sp.Mul(*(root[i, i] for i in range(root.shape[0])))

    def not_singular(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        """One over the determinant, which is not 0: shown, or an obligation."""
        det = self.determinant(node, env, w, exact)
        if self.definite(node, env, w, exact) == (POSITIVE, []):
            return 1 / det
        return self.inverse(det, w, exact, Fn("det", node))

    def inverted(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        """The inverse of a square matrix."""
        match node:
            case Named():
                return self.inverted(node.body, env, w, exact)
            case Identity():
                return self.matrix(node, env, w, exact)
            case Neg():
                return -self.inverted(node.args[0], env, w, exact)
            case Fn(name="transpose"):
                return self.inverted(node.args[0], env, w, exact).T
            case Fn(name="inverse"):
                self.not_singular(node.args[0], env, w, exact)
                return self.matrix(node.args[0], env, w, exact)
            case Div(args=(over, under)):
                self.inverse(self.scalar(under, env, w, exact), w, exact, under)
                return self.inverted(over, env, w, exact) * self.scalar(under, env, w, exact)
            case Mul() | Pow() if (apart := _factors(node)) is not None:
                numbers = Mul(*apart[0]) if apart[0] else Number(1)
                front = self.product(apart[0], env, w, exact)
                below = self.inverse(front, w, exact, numbers)
                value = self.inverted(apart[1][-1], env, w, exact)
                for m in reversed(apart[1][:-1]):
                    value = value * self.inverted(m, env, w, exact)
                return value * below
            case Symbol(shape="covariance", domain="commuting"):
                root = self.root(node)
                lengths = [sp.Symbol(f"{node.name}[{i}]", positive=True)
                           for i in range(root.shape[0])]  # fmt: skip
                turned = root * sp.diag(*(s**-2 for s in lengths))
                return sp.ImmutableMatrix(turned * turned.T)
            case Symbol(shape="covariance"):
                inv = lower_inverse(self.root(node))
                return sp.ImmutableMatrix(inv.T * inv)
            case Symbol(domain="orthogonal"):
                return self.matrix(node, env, w, exact).T
        a = self.matrix(node, env, w, exact)
        if a.is_diagonal():
            whole = Fn("det", node)
            inside = [self.inverse(a[i, i], w, exact, whole) for i in range(a.shape[0])]
            return sp.ImmutableMatrix(sp.diag(*inside))
        below = self.not_singular(node, env, w, exact)
        return sp.ImmutableMatrix(a.adjugate().applyfunc(expand) * below)

    def matrix(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        a = self.lower(node, env, w, exact)
        if not isinstance(a, sp.MatrixBase) or a.shape[0] != a.shape[1]:
            raise NotationError(f"{node!r}: expected a square matrix")
        return a

    def product(self, numbers: list[Node], env: Env, w: Weights, exact: bool) -> Any:
        return sp.Mul(*(self.scalar(a, env, w, exact) for a in numbers))

    # --- which are positive definite

    def definite(self, node: Node, env: Env, w: Weights, exact: bool) -> Definite:
        """Seen by its structure; "" where it is not. It is so where certain numbers are positive
        and certain matrices are not singular, which has to be asked for."""
        match node:
            case Named():
                return self.definite(node.body, env, w, exact)
            case Identity() | Symbol(shape="covariance"):
                return POSITIVE, []
            case Fn(name="transpose"):
                return self.definite(node.args[0], env, w, exact)
            case Fn(name="inverse"):
                kind, asked = self.definite(node.args[0], env, w, exact)
                return (kind, asked) if kind == POSITIVE else ("", [])
            case Add(args=(whole, Neg(args=(part,)))) if _is_complement(whole, part):
                _, _, rest = _complement(whole, part)
                found = [self.definite(a, env, w, exact) for a in (whole, *rest)]
                sure = all(kind and not asked for kind, asked in found) and found[0][0] == POSITIVE
                return (POSITIVE if sure and POSITIVE in [k for k, _ in found[1:]] else ""), []
            case Add():
                found = [self.definite(a, env, w, exact) for a in node.args]
                if not all(kind for kind, _ in found):
                    return "", []
                asked = [need for _, needs in found for need in needs]
                free = [kind for kind, needs in found if not needs]
                if POSITIVE in free:  # the others need only be semidefinite
                    asked = [need for need in asked if need[0] == "scale"]
                some = any(kind == POSITIVE for kind, _ in found)
                return POSITIVE if some else SEMI, asked
            case Mul() | Div() | Pow():
                numbers, parts = split(node)
                if parts == [node]:
                    return "", []
                kind, asked = self.definite_product(parts, env, w, exact)
                for c in numbers:
                    value = self.scalar(c, env, w, exact)
                    if not is_positive(value):
                        if is_nonnegative(value):
                            kind = kind and SEMI
                        else:
                            asked = [*asked, ("scale", c)]
                return kind, asked
        return "", []

    def definite_product(self, parts: list[Node], env: Env, w: Weights, exact: bool) -> Definite:
        if not parts:
            return "", []
        if len(parts) == 1:
            return self.definite(parts[0], env, w, exact)
        if _powers_that_commute(parts) is not None:
            return POSITIVE, []
        if parts[-1] != transposed(parts[0]):
            return "", []
        middle = parts[1:-1]
        kind, asked = self.definite_product(middle, env, w, exact) if middle else (POSITIVE, [])
        rows, columns = shape(parts[0])
        if kind != POSITIVE or rows != columns:
            return kind and SEMI, asked
        return POSITIVE, [*asked, ("inverse", parts[0])]

    def root_of(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        """R with R R' what is positive semidefinite; it may have more columns than rows."""
        match node:
            case Named():
                return self.root_of(node.body, env, w, exact)
            case Identity():
                return self.matrix(node, env, w, exact)
            case Symbol(shape="covariance"):
                return self.root(node)
            case Fn(name="transpose"):
                return self.root_of(node.args[0], env, w, exact)
            case Fn(name="inverse"):
                inner = self.root_of(node.args[0], env, w, exact)
                return self.inverted(node.args[0], env, w, exact) * inner
            case Add():
                return sp.Matrix.hstack(*(self.root_of(a, env, w, exact) for a in node.args))
            case Mul() | Div() | Pow():
                numbers, parts = split(node)
                front = power_of(canon(self.product(numbers, env, w, exact)), HALF)
                return front * self.root_of_product(parts, env, w, exact)
        raise Unsupported(f"a root of {node!r}")

    def root_of_product(self, parts: list[Node], env: Env, w: Weights, exact: bool) -> Any:
        if len(parts) == 1:
            return self.root_of(parts[0], env, w, exact)
        if (powers := _powers_that_commute(parts)) is not None:
            letter, *others = powers
            if not others:
                k, odd = divmod(powers[letter], 2)
                root = self.root(letter)
                whole = root * root.T if k >= 0 else self.inverted(letter, env, w, exact)
                return whole ** abs(k) * (root if odd else sp.eye(root.shape[0]))
            axes = rotation(letter.space, self.extent(letter)[0])
            lengths = [
                sp.Mul(*(sp.Symbol(f"{s.name}[{i}]", positive=True) ** k
                         for s, k in powers.items()))
                for i in range(axes.shape[0])
            ]  # fmt: skip
            return axes * sp.diag(*lengths)
        first, *middle, _ = parts
        inner = self.root_of_product(middle, env, w, exact) if middle else None
        value = self.lower(first, env, w, exact)
        return value if inner is None else value * inner


def _factors(node: Node) -> tuple[list[Node], list[Node]] | None:
    """The numbers and the square matrices of a product, where it has only these."""
    numbers, parts = split(node)
    square = all(rows == columns for rows, columns in map(shape, parts))
    return (numbers, parts) if square and parts != [node] else None


def _whole(exponent: Node) -> int | None:
    inner = exponent.args[0] if isinstance(exponent, Neg) else exponent
    if not isinstance(inner, Number) or inner.value.denominator != 1:
        return None
    return -int(inner.value) if isinstance(exponent, Neg) else int(inner.value)


def split(node: Node) -> tuple[list[Node], list[Node]]:
    """The numbers and the other factors of a product or quotient."""
    match node:
        case Named():
            return split(node.body)
        case Div(args=(over, under)):
            numbers, parts = split(over)
            return [*numbers, Div(Number(1), under)], parts
        case Fn(name="transpose", args=(Mul() as inner,)):
            return split(transposed(inner))
        case Mul():
            found = [split(a) if shape(a) != NUMBER else ([a], []) for a in node.args]
            return [c for ns, _ in found for c in ns], [m for _, ms in found for m in ms]
        case Pow(args=(base, exponent)) if (k := _whole(exponent)) and abs(k) <= MOST:
            numbers, parts = split(base)
            if not numbers and k > 0:
                return [], parts * k
            if not numbers:
                turned: list[Node] = [Fn("inverse", m) for m in reversed(parts)]
                return [], turned * -k
    return [], [node]


def transposed(node: Node) -> Node:
    match node:
        case Named():
            return transposed(node.body)
        case Identity() | Symbol(shape="covariance"):
            return node
        case Symbol(domain="symmetric" | "diagonal"):
            return node
        case Fn(name="transpose"):
            return node.args[0]
        case Fn(name="inverse"):
            return Fn("inverse", transposed(node.args[0]))
        case Mul():
            return Mul(*(transposed(a) if shape(a) != NUMBER else a for a in reversed(node.args)))
    return Fn("transpose", node)


def _is_complement(whole: Node, part: Node) -> bool:
    return bool(_complement(whole, part)[2])


def _complement(whole: Node, part: Node) -> tuple[list[Node], list[Node], list[Node]]:
    """S, K and the terms of T where `part` is S K (K' S K + T)^-1 K' S and `whole` is S; then S
    without it is the inverse of S^-1 + K T^-1 K'. Without T where it is something else."""
    numbers, parts = split(part)
    ours = split(whole)
    at = [i for i, m in enumerate(parts) if isinstance(m, Fn) and m.name == "inverse"]
    middle = [i for i in at if 2 * i + 1 == len(parts)]
    if numbers or ours[0] or len(middle) != 1:
        return [], [], []
    (i,) = middle
    left, right = parts[:i], parts[i + 1 :]
    n = len(ours[1])
    if right != [transposed(m) for m in reversed(left)] or left[:n] != ours[1]:
        return [], [], []
    k = left[n:]
    wanted: tuple[list[Node], list[Node]] = (
        [],
        [*(transposed(m) for m in reversed(k)), *ours[1], *k],
    )
    inside = parts[i].args[0]
    while isinstance(inside, Named):
        inside = inside.body
    terms = list(inside.args) if isinstance(inside, Add) else []
    found = [t for t in terms if split(t) == wanted]
    return (ours[1], k, [t for t in terms if t is not found[0]]) if found else ([], [], [])


def _powers_that_commute(parts: list[Node]) -> dict[Symbol, int] | None:
    """Covariances and their inverses that are all of one letter, or of letters that commute, by how
    often each occurs; None for any other product."""
    powers: dict[Symbol, int] = {}
    for part in parts:
        k = 1
        while isinstance(part, Named) or (isinstance(part, Fn) and part.name == "inverse"):
            k = -k if isinstance(part, Fn) else k
            part = part.args[0]
        if not (isinstance(part, Symbol) and part.shape == "covariance"):
            return None
        powers[part] = powers.get(part, 0) + k
    first, *others = powers
    commute = all(s.domain == "commuting" and s.space == first.space for s in powers)
    return powers if commute or not others else None


def lower_inverse(root: Any) -> Any:
    """Inverse of a lower triangular matrix, by forward substitution."""
    d = root.shape[0]
    inv = sp.zeros(d, d)
    for i in range(d):
        inv[i, i] = 1 / root[i, i]
        for j in range(i):
            inv[i, j] = canon(
                -sum((root[i, k] * inv[k, j] for k in range(j, i)), sp.S.Zero) / root[i, i]
            )
    return sp.ImmutableMatrix(inv)
