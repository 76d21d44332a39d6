"""Elementary functions of a number."""

from __future__ import annotations

from typing import Any

from genmath.proof.language.tree import (
    Fn,
    Node,
)
from genmath.proof.symbolic.algebra import (
    abs_of,
    exp_of,
    log_of,
    power_of,
    sign_of,
)
from genmath.proof.symbolic.atoms import (
    Atom,
    Recip,
    Rho,
)
from genmath.proof.symbolic.conditions import Conditions, Env, Weights
from genmath.proof.symbolic.polynomials import HALF, expand
from genmath.proof.symbolic.supports import Rules


class Elementary(Conditions):
    """log, exp, sqrt, ..."""

    def elementary(self, node: Fn, env: Env, w: Weights, exact: bool) -> Any:
        if node.name == "log":
            return self.log(node.args[0], env, w, exact)
        u = self.scalar(node.args[0], env, w, exact)
        if node.name in ("sqrt", "abs", "positive_part") and w and not exact and u.has(Recip):
            sharp = self.apart(Rules())
            whole = sharp.lower(node, env, w, True)
            if not sharp.rules.needs:
                self.rules.absorb(sharp.rules)
                return guarded(whole)
        if node.name == "log_gap":
            return u - 1 - self.log(node.args[0], env, w, exact)
        if node.name == "exp":
            return exp_of(u)
        if node.name == "sqrt":
            self.require_nonnegative(u)
            return power_of(u, HALF)
        if node.name == "abs":
            return abs_of(expand(u))
        if node.name == "positive_part":
            return (abs_of(expand(u)) + u) / 2
        if node.name == "indicator":
            return (1 + sign_of(expand(u))) / 2
        if node.name == "sigmoid":
            return exp_of(u) / (1 + exp_of(u))
        assert node.name == "softplus"
        return log_of(1 + exp_of(u))

    def log(self, arg: Node, env: Env, w: Weights, exact: bool = False) -> Any:
        u = self.scalar(arg, env, w, True)
        self.require(u, w, "the argument of a logarithm")
        return log_of(u) if exact else guarded(log_of(u))


def guarded(e: Any) -> Any:
    """1/f of a density that may vanish is Recip(f) again, outside the atoms."""

    def visit(x: Any) -> Any:
        if isinstance(x, Atom) or not x.args:
            return x
        if x.is_Pow and x.exp.is_negative and x.base.has(Rho) and not x.base.is_positive:
            return Recip(x.base) ** (-x.exp)
        return x.func(*(visit(a) for a in x.args))

    return visit(e)
