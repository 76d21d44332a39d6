"""Elementary functions of a number."""

from __future__ import annotations

from typing import Any

from genmath.proof.language.elementary import TABLE
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
    value_of,
)
from genmath.proof.symbolic.atoms import (
    Atom,
    Recip,
    Rho,
)
from genmath.proof.symbolic.conditions import LOGARITHM, Conditions, Env, Weights
from genmath.proof.symbolic.polynomials import HALF, expand
from genmath.proof.symbolic.supports import Rules, Unsupported


class Elementary(Conditions):
    """log, exp, sqrt, ..."""

    def elementary(self, node: Fn, env: Env, w: Weights, exact: bool) -> Any:
        row, (arg,) = TABLE[node.name], node.args
        if node.name in ("sqrt", "abs", "positive_part") and w and not exact:
            sharp = self.sharply(node, env, w)
            if sharp is not None:
                return sharp
        if row.definition is not None:
            return self.scalar(row.definition(arg), env, w, exact)
        match node.name:
            case "log":
                return self.log(arg, env, w, exact)
            case "exp":
                return exp_of(self.scalar(arg, env, w, exact))
            case "sqrt":
                u = self.scalar(arg, env, w, exact)
                self.require_nonnegative(u, arg)
                return power_of(u, HALF)
            case "abs":
                return abs_of(self.signed(arg, env, w, exact))
            case "indicator":
                return (1 + sign_of(self.signed(arg, env, w, exact))) / 2
        u = self.scalar(arg, env, w, True)
        match row.domain:
            case "real":
                pass
            case "positive":
                self.require(u, w, f"the argument of {row.name}", arg)
            case "nonnegative":
                self.require_nonnegative(u, arg)
            case _:
                raise Unsupported(f"{row.name} where its argument is {row.domain}")
        return value_of(row.name, u)

    def signed(self, arg: Node, env: Env, w: Weights, exact: bool) -> Any:
        """What is read for its sign, which densities that are positive may decide."""
        u = expand(self.scalar(arg, env, w, exact))
        self.rules.consulted |= {r.args[0] for r in u.atoms(Rho) if r.is_positive}
        return u

    def sharply(self, node: Fn, env: Env, w: Weights) -> Any | None:
        """Read as inside a logarithm, where 1/f of a density occurs and that asks for nothing."""
        if not self.scalar(node.args[0], env, w, False).has(Recip):
            return None
        sharp = self.apart(Rules())
        whole = sharp.lower(node, env, w, True)
        if sharp.rules.needs:
            return None
        self.rules.absorb(sharp.rules)
        return guarded(whole)

    def log(self, arg: Node, env: Env, w: Weights, exact: bool = False) -> Any:
        u = self.scalar(arg, env, w, True)
        self.require(u, w, LOGARITHM, arg)
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
