"""Vectors and matrices in numbers: a vector is a function of an index, a matrix one of two.

What is said of an equation of vectors is said of each coordinate, and products are sums over
indices. Of an index t it is known that unit(t, t) = 1: the identity matrix is 1 there, and 0 where
its indices differ or are none. All of it is for every dimension.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

from genmath.proof.coq.reading import AT, DERIVATIVE, Head, NoReal, Reading
from genmath.proof.coq.terms import (
    Condition,
    Term,
    add,
    app,
    div,
    lam,
    mul,
    neg,
    num,
    power,
    replaced,
    var,
)
from genmath.proof.language.shapes import NUMBER, Shape, shape, size_of
from genmath.proof.language.tree import (
    Add,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Fn,
    Identity,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Symbol,
    free_symbols,
)

ONE = num(1)
Table = Callable[[Term, Term], Term]  # what stands in a row and a column; of a vector in a row
Env = Mapping[Symbol, str | Term]
TEMPORARY = map("·{}".format, itertools.count())
SYMMETRIC = ("symmetric", "diagonal", "commuting")


class Vectors(Reading):
    """Trees of one claim. `moving`: by which vector a derivative is taken, how far it has moved,
    and along which coordinate."""

    def __init__(self) -> None:
        super().__init__()
        self.moving: dict[Symbol, tuple[Term, Term]] = {}

    def sides(self, left: Node, right: Node) -> tuple[Term, Term]:
        """Both sides, at indices which are letters of the claim where they are no numbers."""
        sizes = [shape(n) for n in (left, right) if n != Number(0)] or [NUMBER]
        if any(size != sizes[0] for size in sizes):
            raise NoReal("no two of one size")
        at = [self._index(size, k) for k, size in enumerate(sizes[0])]
        one, other = (self._table(n, {})(at[0], at[1]) for n in (left, right))
        return one, other

    def _index(self, size: str, k: int) -> Term:
        """A letter of which it is given that it is an index."""
        if size == "1":
            return ONE
        place = Symbol("coordinate", space=f"coordinate {k}")
        if place not in self.letters:
            self.given.append(self._is_index(size, var(self._letter(place))))
        return var(self.letters[place])

    def unit(self, size: str) -> Head:
        """The identity matrix."""
        key = ("Unit", (size,), ("R", "R"))
        if key not in self.heads:
            self.heads[key] = Head(self.name("unit"), key[2], symmetric=True)
        return self.heads[key]

    def _is_index(self, size: str, t: Term) -> Condition:
        return "=", app(self.unit(size).name, t, t), ONE

    def sum_over(self, size: str, body: Callable[[Term], Term]) -> Term:
        """Bound letters are named by how many binders lie inside, apart from those of the tree."""
        if size == "1":
            return body(ONE)
        inner = body(var(old := next(TEMPORARY)))
        new = f"v{inner.height}_0"
        bound = ((new, (self._is_index(size, var(new)),)),)
        return app(self._sum(size), lam(bound, replaced(inner, {old: new})))

    def _sum(self, size: str) -> str:
        key = ("Coordinates", (size,), ("(R -> R)",))
        if key not in self.heads:
            letters = ((AT, (self._is_index(size, var(AT)),)),)
            called, unit = self.name("Sum"), self.unit(size).name
            self.heads[key] = Head(
                called, key[2], letters=letters, linear="sum", each=(called,), unit=unit
            )
        return self.heads[key].name

    # --- numbers

    def _read(self, node: Node, env: Env) -> Term:
        match node:
            case Fn(name="norm2", args=(a,)):
                return self._dot(a, a, env)
            case Fn(name="dot", args=(a, b)):
                return self._dot(a, b, env)
            case Fn(name="trace", args=(a,)) if len({*shape(a)}) == 1:
                table = self._table(a, env)
                return self.sum_over(shape(a)[0], lambda i: table(i, i))
            case Mul() if shape(node) == NUMBER and any(shape(a) != NUMBER for a in node.args):
                return self._table(node, env)(ONE, ONE)
            case Fn(name="det", args=(a,)) if _letter(a).shape == "covariance":
                return app(self._covariance(_letter(a)).det)
            case Normal(args=(x, mean, spread)) if shape(x) != NUMBER:
                if (letter := _letter(spread)).shape == "covariance":
                    self._covariance(letter)
                return self._normal(shape(x), *(self._table(a, env) for a in (x, mean, spread)))
            case Expect() | Divergence() | Entropy() if any(v.shape for v in node.bound):
                if not self.moving.keys().isdisjoint(node.bound):
                    raise NoReal("a gradient by a letter that is bound within")
                return self._function(node, env)
        return super()._read(node, env)

    def _normal(self, size: Shape, x: Table, mean: Table, spread: Table) -> Term:
        """The density of a normal law of vectors, as a function of what stands at two indices."""
        rows, columns = size
        if columns != "1":
            raise NoReal("a normal law of matrices")
        names = ("v0_0", "v0_1")
        letters = tuple((n, (self._is_index(rows, var(n)),)) for n in names)
        kind = "(R -> R -> R)"
        key = ("Normal", (rows,), (kind, kind, kind))
        if key not in self.heads:
            called, by = self.name("Normal"), self._sum(rows)
            self.heads[key] = Head(called, key[2], "positive", letters=letters, normal=by)
        one, other = next(TEMPORARY), next(TEMPORARY)
        args = []
        for table in (x, mean, spread):
            inner = table(var(one), var(other))
            new = [f"v{inner.height}_{k}" for k in (0, 1)]
            body = replaced(inner, dict(zip((one, other), new, strict=True)))
            args.append(lam(tuple((n, (self._is_index(rows, var(n)),)) for n in new), body))
        return app(self.heads[key].name, *args)

    def _measure(self, space: Any, letter: tuple[str, tuple[Condition, ...]]) -> str:
        name = super()._measure(space, letter)
        if space[2]:
            head = self.by_name[name]
            head.line, head.points = False, self._point(space[2])
            head.under = self._sum(_size(space[2]))
        return name

    def _point(self, sized: str) -> str:
        key = ("Point", (sized,), ("R", "R"))
        if key not in self.heads:
            self.heads[key] = Head(self.name("entry"), key[2])
        return self.heads[key].name

    def _dot(self, a: Node, b: Node, env: Env) -> Term:
        (rows, columns), one, other = shape(a), self._table(a, env), self._table(b, env)
        if shape(b) != (rows, columns) or columns != "1":
            raise NoReal("no vectors of one size")
        if a is b:
            return self.sum_over(rows, lambda i: power(one(i, ONE), 2))
        return self.sum_over(rows, lambda i: mul(one(i, ONE), other(i, ONE)))

    # --- what holds many

    def _table(self, node: Node, env: Env) -> Table:
        if shape(node) == NUMBER:
            read = self._read(node, env)
            return lambda i, j: read
        match node:
            case Named(args=(a,)):
                return self._table(a, env)
            case Symbol():
                return self._moved(node, self._symbol(node, env))
            case Deriv(args=(a,)) if shape(a) == NUMBER and node.var.shape == "vector":
                return lambda i, j: self._slope(node.var, a, i, env)
            case Identity():
                unit = self.unit(shape(node)[0]).name
                return lambda i, j: ONE if i == j else app(unit, i, j)
            case Fn(name="transpose", args=(a,)):
                turned = self._table(a, env)
                return lambda i, j: turned(j, i)
            case Fn(name="inverse", args=(a,)):
                return self._inverse(a)
            case Neg(args=(a,)):
                other = self._table(a, env)
                return lambda i, j: neg(other(i, j))
            case Add() if {shape(a) for a in node.args if a != Number(0)} == {shape(node)}:
                parts = [self._table(a, env) for a in node.args if a != Number(0)]
                return lambda i, j: add(*(p(i, j) for p in parts))
            case Div(args=(a, b)) if shape(b) == NUMBER:
                over, under = self._table(a, env), self._read(b, env)
                return lambda i, j: div(over(i, j), under)
            case Mul():
                both = [(shape(a), self._table(a, env)) for a in node.args]
                return reduce(self._product, both)[1]
        raise NoReal("no vector or matrix that is read")

    def _symbol(self, letter: Symbol, env: Env) -> Table:
        if letter not in env:
            return self._letters_of(letter)
        if letter.shape != "vector":
            raise NoReal("a bound matrix")
        point, read = self._point(letter.sized), env[letter]
        bound = var(read) if isinstance(read, str) else read
        return lambda i, j: app(point, bound, i)

    def _moved(self, letter: Symbol, table: Table) -> Table:
        """Along one of its coordinates, where a derivative by it is taken."""
        if letter not in self.moving:
            return table
        far, along = self.moving[letter]
        unit = self.unit(shape(letter)[0]).name
        return lambda i, j: add(table(i, j), mul(far, app(unit, i, along)))

    def _slope(self, letter: Symbol, body: Node, along: Term, env: Env) -> Term:
        """A coordinate of the gradient: the derivative, at 0, as the letter moves along it."""
        if self.moving:
            raise NoReal("a gradient within another")
        self.moving = {letter: (var(old := next(TEMPORARY)), along)}
        inner = self._read(body, env)
        self.moving = {}
        takes = ("(R -> R)", "R")
        self.heads[DERIVATIVE, (), takes] = Head(DERIVATIVE, takes)
        new = f"v{inner.height}_0"
        return app(DERIVATIVE, lam(((new, ()),), replaced(inner, {old: new})), num(0))

    def _opaque(self, node: Node, env: Env) -> Term:
        if free_symbols(node) & self.moving.keys():
            raise NoReal("a gradient of what is not read")
        return super()._opaque(node, env)

    def _product(self, a: tuple[Shape, Table], b: tuple[Shape, Table]) -> tuple[Shape, Table]:
        (one, left), (other, right) = a, b
        if NUMBER in (one, other):
            size = other if one == NUMBER else one
            return size, lambda i, j: mul(left(i, j), right(i, j))
        if one[1] != other[0]:
            raise NoReal("no matrices that can be multiplied")
        return (one[0], other[1]), lambda i, j: self.sum_over(
            one[1], lambda k: mul(left(i, k), right(k, j))
        )

    def _letters_of(self, letter: Symbol) -> Table:
        rows, columns = shape(letter)
        vector = columns == "1"
        key = ("Entries", (letter,), ("R",) if vector else ("R", "R"))
        if key not in self.heads:
            symmetric = letter.shape == "covariance" or letter.domain in SYMMETRIC
            self.heads[key] = Head(self.name(letter.name), key[2], symmetric=symmetric)
            self._declared_of(self.heads[key].name, letter, rows, columns)
        name = self.heads[key].name
        return (lambda i, j: app(name, i)) if vector else (lambda i, j: app(name, i, j))

    def _declared_of(self, name: str, letter: Symbol, rows: str, columns: str) -> None:
        if letter.domain == "direction":
            square = self.sum_over(rows, lambda i: mul(app(name, i), app(name, i)))
            self.given.append(("=", square, ONE))
        if letter.domain == "orthogonal":
            self._always((columns, columns), lambda i, j: (
                self.sum_over(rows, lambda k: mul(app(name, k, i), app(name, k, j))),
                app(self.unit(columns).name, i, j),
            ))  # fmt: skip
        if letter.domain == "orthogonal" and rows == columns:
            self._always((rows, rows), lambda i, j: (
                self.sum_over(rows, lambda k: mul(app(name, i, k), app(name, j, k))),
                app(self.unit(rows).name, i, j),
            ))  # fmt: skip

    def _inverse(self, node: Node) -> Table:
        """Where an inverse is spoken of, there is one."""
        node = _letter(node)
        rows, columns = shape(node)
        if not node.shape or rows != columns:
            raise NoReal("an inverse of more than a letter")
        key = ("Inverse", (node,), ("R", "R"))
        if key not in self.heads:
            of = self._letters_of(node)
            symmetric = node.shape == "covariance" or node.domain in SYMMETRIC
            name = self.name(f"{node.name}_inverse")
            self.heads[key] = Head(name, key[2], symmetric=symmetric)
            unit = self.unit(rows).name
            self._always((rows, rows), lambda i, j: (
                self.sum_over(rows, lambda k: mul(app(name, i, k), of(k, j))), app(unit, i, j)
            ))  # fmt: skip
            self._always((rows, rows), lambda i, j: (
                self.sum_over(rows, lambda k: mul(of(i, k), app(name, k, j))), app(unit, i, j)
            ))  # fmt: skip
        name = self.heads[key].name
        return lambda i, j: app(name, i, j)

    def _covariance(self, letter: Symbol) -> Head:
        """Of a positive definite matrix: with its inverse and its determinant."""
        self._letters_of(letter)
        self._inverse(letter)
        head = self.heads["Entries", (letter,), ("R", "R")]
        if not head.det:
            self.heads["Det", (letter,), ()] = Head(self.name(f"{letter.name}_det"), (), "positive")
            head.det = self.heads["Det", (letter,), ()].name
            head.inverted = self.heads["Inverse", (letter,), ("R", "R")].name
            head.under = self._sum(shape(letter)[0])
        return head

    def _always(
        self, sizes: tuple[str, str], says: Callable[[Term, Term], tuple[Term, Term]]
    ) -> None:
        """An equation of all indices."""
        names = ("a1", "a2")
        where = [self._is_index(s, var(n)) for s, n in zip(sizes, names, strict=True)]
        self.everywhere.append((names, tuple(where), ("=", *says(var("a1"), var("a2")))))

    def symmetries(self) -> None:
        """What is said of symmetric matrices."""
        for head in self.heads.values():
            if head.symmetric:
                one, other = (
                    app(head.name, *map(var, two)) for two in (("a1", "a2"), ("a2", "a1"))
                )
                self.everywhere.append((("a1", "a2"), (), ("=", one, other)))


def _letter(node: Node) -> Symbol:
    """The letter that it is, or one of a number."""
    while isinstance(node, Named):
        node = node.body
    return node if isinstance(node, Symbol) else Symbol("x")


def _size(sized: str) -> str:
    rows, _ = size_of(sized)
    return f"R{rows}" if rows else "d"


def holds_many(nodes: Sequence[Node]) -> bool:
    """Whether anything but numbers occurs."""
    return any(shape(n) != NUMBER for node in nodes for n in node.walk())
