"""Finite sets and integrals with limits as loops. A supremum or a limit has no value here."""

from __future__ import annotations

from fractions import Fraction

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
                return self._over(node, env)
            case Between():
                return self._between(node, env)
            case Over() | Limit() | Infinity():
                raise Unsupported(f"{type(node).__name__} has no numeric meaning: {node!r}")
        return super().meaning(node, env)

    def _over(self, node: Over, env: Env) -> Value:
        g, space = self.g, node.letter.space
        loop = g.loop("points", space, env.depth)
        member = g.gather(("coordinate", space, 0), g.loop_value(loop, "i"))
        body = self.scalar(node.body, env.bind({node.letter: member}, 1))
        return g.sum(loop, body, node.kind)

    def _between(self, node: Between, env: Env) -> Value:
        """The letter as a function of t on the whole line, with ends that are reached doubly
        exponentially: s = sinh(t/4), then the logistic curve of pi s, or exp(pi s / 2)."""
        g = self.g
        ends = sides(node.low), sides(node.high)
        loop = g.loop("grid", "ends" if 0 in ends else "line", env.depth)
        t, step = g.loop_value(loop, "t"), g.loop_value(loop, "w")
        up = g.fn("exp", g.mul(g.const(Fraction(1, 4)), t))
        down = g.div(g.one, up)
        half_pi = g.mul(g.const(Fraction(1, 2)), g.input("pi"))
        s = g.mul(half_pi, g.add(up, g.neg(down)))  # pi sinh(t/4)
        slope = g.mul(g.const(Fraction(1, 4)), half_pi, g.add(up, down))
        if ends == (0, 0):
            low, high = self.scalar(node.low, env), self.scalar(node.high, env)
            width = g.sub(high, low)
            place = g.add(low, g.mul(width, g.fn("sigmoid", s)))
            slope = g.mul(width, g.fn("sigmoid", s), g.fn("sigmoid", g.neg(s)), slope)
        elif 0 in ends:
            sign = 1 if ends[1] else -1  # from the finite end out, or in to it
            outward = ends[0] or ends[1]
            start = self.scalar(node.low if ends[1] else node.high, env)
            far = g.fn("exp", g.mul(g.const(Fraction(1, 2)), s))
            place = g.add(start, g.mul(g.const(outward), far))
            slope = g.mul(g.const(Fraction(sign * outward, 2)), slope, far)
        elif ends[0] == ends[1]:
            raise Unsupported(f"an integral from infinity to the same: {node!r}")
        else:
            place, slope = t, g.const(ends[1])
        body = self.scalar(node.body, env.bind({node.letter: place}, 1))
        return g.sum(loop, g.weigh(g.mul(slope, step), body))

    def free_member(self, name: str, space: str) -> Scalar:
        """A letter for some member: one of the points."""
        names = [n for n, s in self.survey.symbols.items() if s.space == space]
        point = self.g.make("i.const", (), names.index(name) % 2)
        return self.g.gather(("coordinate", space, 0), point)
