"""Sums and products over an index."""

from __future__ import annotations

from typing import Any

from genmath.proof.language.tree import (
    Big,
    NotationError,
)
from genmath.proof.symbolic.algebra import (
    big_product,
    big_sum,
    is_positive,
)
from genmath.proof.symbolic.bound import unused
from genmath.proof.symbolic.conditions import Conditions, Env, Weights
from genmath.proof.symbolic.polynomials import canon


class Ranges(Conditions):
    """From a whole number to another."""

    def big(self, node: Big, env: Env, w: Weights, exact: bool) -> Any:
        low = canon(self.scalar(node.low, env, w, exact))
        high = canon(self.scalar(node.high, env, w, exact))
        if not (low.is_integer and high.is_integer):
            raise NotationError(f"{node!r}: the limits are not whole numbers")
        sign = {"positive": True} if is_positive(low) else {}
        index = unused("index", self.taken(env, w), integer=True, **sign)
        body = self.scalar(node.body, {**env, node.index: index}, w, exact)
        return (big_sum if node.kind == "sum" else big_product)(body, index, low, high)
