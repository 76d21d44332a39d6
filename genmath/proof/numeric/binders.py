"""Finite sets and integrals with limits as loops. A supremum or a limit has no value here."""

from __future__ import annotations

from genmath.proof.language.binders import Between, Infinity, Limit, Over, Size, sides
from genmath.proof.language.tree import Node
from genmath.proof.numeric.expressions import Env
from genmath.proof.numeric.graph import Scalar
from genmath.proof.numeric.laws import Laws
from genmath.proof.numeric.linear import Value
from genmath.proof.numeric.survey import Unsupported


class Binders(Laws):
    """A finite set has the points of a space, each counted once."""

    def meaning(self, node: Node, env: Env) -> Value:
        match node:
            case Size():
                loop = self.g.loop("points", node.name, env.depth)
                return self.g.sum(loop, self.g.one)
            case Over(kind="sum" | "prod" | "max" | "min"):
                return self._over_set(node, env)
            case Between():
                return self._between(node, env)
            case Over() | Limit() | Infinity():
                raise Unsupported(f"{type(node).__name__} has no numeric meaning: {node!r}")
        return super().meaning(node, env)

    def _over_set(self, node: Over, env: Env) -> Value:
        g, space = self.g, node.letter.space
        loop = g.loop("points", space, env.depth)
        member = g.gather(("coordinate", space, 0), g.loop_value(loop, "i"))
        body = self.scalar(node.body, env.bind({node.letter: member}, 1))
        return g.sum(loop, body, node.kind)

    def _between(self, node: Between, env: Env) -> Value:
        low, high = (sides(e) or self.scalar(e, env) for e in (node.low, node.high))

        def inner(at: Env) -> Value:
            return self.scalar(node.body, at)

        corners = self.corners(node.letter, node.body, env, missing=True)
        return self.piecewise(node.letter, corners, low, high, env, inner)

    def free_member(self, name: str, space: str) -> Scalar:
        """A letter for some member: one of the points."""
        names = [n for n, s in self.survey.symbols.items() if s.space == space]
        point = self.g.make("i.const", (), names.index(name) % 2)
        return self.g.gather(("coordinate", space, 0), point)
