"""Finite sets and integrals with limits as loops. A supremum or a limit has no value here."""

from __future__ import annotations

from genmath.proof.language.binders import Between, Infinity, Limit, Over, Same, Size, sides
from genmath.proof.language.tree import Node
from genmath.proof.numeric.expressions import Env
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
            case Same():
                gap = self.g.sub(*(self.scalar(a, env) for a in node.args))
                apart = (self.g.fn("ind", gap), self.g.fn("ind", self.g.neg(gap)))
                return self.g.sub(self.g.one, self.g.add(*apart))
            case Over(kind="sum" | "prod" | "max" | "min"):
                return self._over_set(node, env)
            case Between():
                return self._between(node, env)
            case Over() | Limit() | Infinity():
                raise Unsupported(f"{type(node).__name__} has no numeric meaning: {node!r}")
        return super().meaning(node, env)

    def _over_set(self, node: Over, env: Env) -> Value:
        inner, loop = self.each_member(node.letter, env)
        return self.g.sum(loop, self.scalar(node.body, inner), node.kind)

    def _between(self, node: Between, env: Env) -> Value:
        low, high = (sides(e) or self.scalar(e, env) for e in (node.low, node.high))

        def inner(at: Env) -> Value:
            return self.scalar(node.body, at)

        corners = self.corners(node.letter, node.body, env, missing=True)
        return self.piecewise(node.letter, corners, low, high, env, inner)
