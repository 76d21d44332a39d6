"""Finite sets and integrals with limits as loops. A supremum or a limit has no value here."""

from __future__ import annotations

from collections.abc import Sequence

from genmath.proof.language.binders import Between, Infinity, Limit, Over, Same, Size, sides
from genmath.proof.language.tree import Integral, Mapped, Node, Normal
from genmath.proof.numeric.bells import bells
from genmath.proof.numeric.expressions import Env
from genmath.proof.numeric.graph import Scalar
from genmath.proof.numeric.laws import Laws
from genmath.proof.numeric.linear import Matrix, Value, Vector, each
from genmath.proof.numeric.survey import Unsupported


class Binders(Laws):
    """A finite set has the points of a space, each counted once."""

    def meaning(self, node: Node, env: Env) -> Value:
        match node:
            case Size():
                loop = self.g.loop("points", node.name, env.depth)
                return self.g.sum(loop, self.g.one)
            case Mapped():
                return self._mapped(node, env)
            case Same():
                gap = self.g.sub(*(self.scalar(a, env) for a in node.args))
                apart = (self.g.fn("ind", gap), self.g.fn("ind", self.g.neg(gap)))
                return self.g.sub(self.g.one, self.g.add(*apart))
            case Over(kind="sum" | "prod" | "max" | "min"):
                return self._over_set(node, env)
            case Between():
                return self._between(node, env)
            case Over() | Limit():
                raise Unsupported(f"{node!r} has no value in a world; none of it is tried")
            case Infinity():
                raise Unsupported(
                    "infinity is no number: it stands in between=(..., infinity), "
                    "limit(..., infinity), attained(..., infinity) and domain=(..., infinity)"
                )
        return super().meaning(node, env)

    def _mapped(self, node: Mapped, env: Env) -> Value:
        """Each entry by a map of the line, then mixed by a matrix; the inverse undoes the one and
        then the other. Slopes are taken on the graph."""
        g, name, at = self.g, node.name, self.lower(node.point, env)
        if not isinstance(at, Vector) or at.row:
            raise Unsupported(f"{name} at what is no vector")
        n = len(at.items)
        mixing = Matrix([g.input("mixing", name, n, i, j) for j in range(n)] for i in range(n))
        matrix = self.inverse(mixing) if node.inverse else mixing

        def bent(us: Sequence[Scalar]) -> list[Scalar]:
            return [
                self.families.map(f"{name}[{i}]", "increasing", u, node.inverse)
                for i, u in enumerate(us)
            ]

        def mixed(us: Sequence[Scalar]) -> list[Scalar]:
            return [self.inner(row, us) for row in matrix.rows]

        def image(us: Sequence[Scalar]) -> list[Scalar]:
            return bent(mixed(us)) if node.inverse else mixed(bent(us))

        if node.order == 0:
            return Vector(image(at.items))
        leaves = [g.leaf() for _ in range(n)]
        put = {id(leaf): u for leaf, u in zip(leaves, at.items, strict=True)}
        return Matrix([g.put(g.diff(u, leaf, {}), put, {}) for leaf in leaves]
                      for u in image(leaves))  # fmt: skip

    def _over_set(self, node: Over, env: Env) -> Value:
        inner, loop = self.each_member(node.letter, env)
        return self.g.sum(loop, self.scalar(node.body, inner), node.kind)

    def _between(self, node: Between, env: Env) -> Value:
        low, high = (sides(e) or self.scalar(e, env) for e in (node.low, node.high))
        if {low, high} == {-1, 1} and node.letter.space in self.survey.real:
            whole = self.meaning(Integral(node.body, node.letter), env)
            return whole if high == 1 else each(whole, self.g.neg)

        def inner(at: Env) -> Value:
            return self.scalar(node.body, at)

        means = [n.args[0] - n.args[1] for n in node.body.walk() if isinstance(n, Normal)]
        corners = self.corners(node.letter, node.body, env, missing=True, more=means)
        corners += [
            p
            for b in bells(node.body, node.letter)
            for p in self.bell_parts(b, node.letter, env)[0]
        ]
        return self.piecewise(node.letter, corners, low, high, env, inner)
