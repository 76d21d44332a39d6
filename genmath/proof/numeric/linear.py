"""Vectors and matrices of scalars of a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from genmath.proof.numeric.graph import Scalar
from genmath.proof.numeric.steps import Steps
from genmath.proof.numeric.survey import Unsupported


class Vector:
    """A column (or row) of scalars."""

    __slots__ = ("items", "row")

    def __init__(self, items: Sequence[Scalar], row: bool = False) -> None:
        self.items, self.row = tuple(items), row


class Matrix:
    """Rows of scalars."""

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[Iterable[Scalar]]) -> None:
        self.rows = tuple(tuple(r) for r in rows)


Value = Scalar | Vector | Matrix


def kind(value: Value) -> str:
    return type(value).__name__.lower()


def size(value: Value) -> tuple[int, int]:
    """Rows and columns."""
    if isinstance(value, Scalar):
        return 1, 1
    if isinstance(value, Vector):
        return (1, len(value.items)) if value.row else (len(value.items), 1)
    return len(value.rows), len(value.rows[0])


def each(value: Value, f: Callable[[Scalar], Scalar]) -> Value:
    """f of every component."""
    if isinstance(value, Scalar):
        return f(value)
    if isinstance(value, Vector):
        return Vector([f(v) for v in value.items], value.row)
    return Matrix([f(v) for v in row] for row in value.rows)


def components(value: Value) -> list[Scalar]:
    if isinstance(value, Scalar):
        return [value]
    if isinstance(value, Vector):
        return list(value.items)
    return [v for row in value.rows for v in row]


class LinearAlgebra:
    """Sums, products and functions of scalars, vectors and matrices."""

    def __init__(self, graph: Steps) -> None:
        self.g = graph

    def plus(self, u: Value, v: Value) -> Value:
        g = self.g
        alike = u is g.zero or v is g.zero or size(u) == size(v)
        if isinstance(u, Scalar) and isinstance(v, Scalar):
            return g.add(u, v)
        if not alike:
            raise Unsupported(f"a sum of a {kind(u)} and a {kind(v)} of other sizes")
        if u is g.zero:
            return v
        if v is g.zero:
            return u
        if isinstance(u, Vector) and isinstance(v, Vector) and u.row == v.row:
            return Vector([g.add(a, b) for a, b in zip(u.items, v.items, strict=True)], u.row)
        if isinstance(u, Matrix) and isinstance(v, Matrix):
            return Matrix([g.add(a, b) for a, b in zip(r, s, strict=True)]
                       for r, s in zip(u.rows, v.rows, strict=True))  # fmt: skip
        raise Unsupported(f"a sum of a {kind(u)} and a {kind(v)}")

    def times(self, u: Value, v: Value) -> Value:
        g = self.g
        if isinstance(u, Scalar):
            return g.mul(u, v) if isinstance(v, Scalar) else each(v, lambda b: g.mul(u, b))
        if isinstance(v, Scalar):
            return each(u, lambda a: g.mul(a, v))
        if size(u)[1] != size(v)[0]:
            raise Unsupported(
                f"a product of a {kind(u)} and a {kind(v)}, of sizes that do not fit: "
                "write dot(u, v) or norm2(v)"
            )
        if isinstance(u, Matrix) and isinstance(v, Matrix):
            columns = list(zip(*v.rows, strict=True))
            return Matrix([self.inner(r, c) for c in columns] for r in u.rows)
        if isinstance(u, Matrix) and isinstance(v, Vector) and not v.row:
            return Vector([self.inner(r, v.items) for r in u.rows])
        if isinstance(u, Vector) and u.row and isinstance(v, Matrix):
            return Vector([self.inner(u.items, c) for c in zip(*v.rows, strict=True)], True)
        if isinstance(u, Vector) and isinstance(v, Vector) and u.row != v.row:
            if u.row:
                return self.inner(u.items, v.items)
            return Matrix([g.mul(a, b) for b in v.items] for a in u.items)
        raise Unsupported(f"a product of a {kind(u)} and a {kind(v)}: write dot(u, v) or norm2(v)")

    def inner(self, u: Sequence[Scalar], v: Sequence[Scalar]) -> Scalar:
        return self.g.add(*(self.g.mul(a, b) for a, b in zip(u, v, strict=True)))

    def linear(self, name: str, args: list[Value]) -> Value:
        u = args[0]
        if name in ("norm2", "dot"):
            v = args[-1]
            if isinstance(u, Vector) and isinstance(v, Vector) and size(u) == size(v):
                return self.inner(u.items, v.items)
            if isinstance(u, Scalar) and isinstance(v, Scalar):
                return self.g.mul(u, v)
        elif isinstance(u, Matrix):
            if name != "transpose" and len(set(size(u))) > 1:
                raise Unsupported(f"{name}() of a matrix that is not square")
            if name == "det":
                return self.det(u.rows)
            if name == "trace":
                return self.g.add(*(u.rows[i][i] for i in range(len(u.rows))))
            if name == "inverse":
                return self.inverse(u)
            return Matrix(zip(*u.rows, strict=True))
        elif name == "transpose":
            return Vector(u.items, not u.row) if isinstance(u, Vector) else u
        raise Unsupported(f"{name}() of a {' and a '.join(map(kind, args))}")

    def det(self, rows: Sequence[Sequence[Scalar]]) -> Scalar:
        g = self.g
        if len(rows) == 1:
            return rows[0][0]
        terms = []
        for j, a in enumerate(rows[0]):
            minor = self.det([[*r[:j], *r[j + 1 :]] for r in rows[1:]])
            terms.append(g.mul(a, minor) if j % 2 == 0 else g.neg(g.mul(a, minor)))
        return g.add(*terms)

    def inverse(self, m: Matrix) -> Matrix:
        g, n = self.g, len(m.rows)
        det = self.det(m.rows)
        if n == 1:
            return Matrix([[g.div(g.one, det)]])

        def cofactor(i: int, j: int) -> Scalar:
            rest = [[*r[:j], *r[j + 1 :]] for k, r in enumerate(m.rows) if k != i]
            value = self.det(rest)
            return value if (i + j) % 2 == 0 else g.neg(value)

        return Matrix([g.div(cofactor(j, i), det) for j in range(n)] for i in range(n))

    def cholesky(self, rows: Sequence[Sequence[Scalar]]) -> list[list[Scalar]]:
        """The lower triangular root of a positive definite matrix; undefined for any other."""
        g, n = self.g, len(rows)
        low: list[list[Scalar]] = [[g.zero] * n for _ in range(n)]
        for i in range(n):
            for j in range(i + 1):
                rest = g.sub(rows[i][j], self.inner(low[i][:j], low[j][:j]) if j else g.zero)
                if i == j:
                    low[i][i] = g.when(g.fn("sqrt", rest), g.div(g.one, rest))
                else:
                    low[i][j] = g.div(rest, low[j][j])
        return low
