"""Expectations, integrals, divergences and entropies."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.tree import (
    Add,
    Div,
    Divergence,
    Entropy,
    Expect,
    Integral,
    Named,
    Node,
    Normal,
    NotationError,
    Number,
    Symbol,
    event_variables,
    free_symbols,
)
from genmath.proof.symbolic.algebra import (
    abs_of,
)
from genmath.proof.symbolic.bound import unused
from genmath.proof.symbolic.conditions import Env, Weights
from genmath.proof.symbolic.densities import Densities
from genmath.proof.symbolic.elementary import Elementary
from genmath.proof.symbolic.integrals import bell, integrate
from genmath.proof.symbolic.polynomials import expand


class Expectations(Densities, Elementary):
    """Integrals over every value of random variables."""

    def bind(self, variables: tuple[Symbol, ...], env: Env, w: Weights) -> tuple[Env, list[Any]]:
        """Letters for bound variables that nothing around them uses."""
        inner, letters, taken = dict(env), list[Any](), self.taken(env, w)
        for v in variables:
            names = [f"{v.space}[{i}]" for i in range(self.d)] if v.shape == "vector" else [v.space]
            mine = []
            for name in names:
                mine.append(unused(name, taken))
                taken.add(mine[-1])
            inner[v] = sp.ImmutableMatrix(mine) if v.shape == "vector" else mine[0]
            letters += mine
        return inner, letters

    def measure(self, dists: tuple[Node, ...], env: Env, w: Weights) -> tuple[Any, Env, list[Any]]:
        """The product of the densities and the letters it is integrated over; a normal with a full
        covariance is whitened, x = mean + L eps."""
        variables = tuple(v for d in dists for v in event_variables(d))
        inner, letters = self.bind(variables, env, w)
        weight = sp.S.One
        for dist in _in_order(dists):
            while isinstance(dist, Named):
                dist = dist.body
            if isinstance(dist, Normal):
                x, mean, cov = dist.args
                if x in free_symbols(mean) | free_symbols(cov):
                    raise NotationError(
                        f"{dist!r} is not a density: {x!r} occurs in its parameters"
                    )
                value = self.lower(cov, inner, w, False)
                if isinstance(value, sp.MatrixBase) and not value.is_diagonal():
                    assert isinstance(x, Symbol)
                    eps = list(inner[x])
                    location = self.lower(
                        mean, {k: v for k, v in inner.items() if k != x}, w, False
                    )
                    if location == 0:
                        location = sp.zeros(self.d, 1)
                    inner[x] = sp.ImmutableMatrix(
                        location + self.normal_root(dist) * sp.ImmutableMatrix(eps)
                    )
                    weight *= sp.Mul(*(bell(e, sp.S.Zero, sp.S.One) for e in eps))
                    self.rules.normal = True
                    continue
            weight *= self.scalar(dist, inner, w, False)
        return weight, inner, letters

    def expect(self, node: Expect, env: Env, w: Weights) -> Any:
        weight, inner, letters = self.measure(node.dists, env, w)
        body = self.scalar(node.body, inner, (*w, weight), False)  # a mean is a number of its own
        return integrate(weight * body, tuple(letters), self.rules)

    def integral(self, node: Integral, env: Env, w: Weights) -> Any:
        inner, letters = self.bind(node.bound, env, w)
        return integrate(self.scalar(node.body, inner, w, False), tuple(letters), self.rules)

    def divergence(self, node: Divergence, env: Env, w: Weights) -> Any:
        p, q = node.args
        if node.kind == "KL":
            return self.kl(p, q, node.bound, env, w)
        if node.kind == "JS":
            middle = Div(Add(p, q), Number(2))
            return (
                self.kl(p, middle, node.bound, env, w) + self.kl(q, middle, node.bound, env, w)
            ) / 2
        inner, letters = self.bind(node.bound, env, w)
        gap = self.scalar(p, inner, w, False) - self.scalar(q, inner, w, False)
        return integrate(abs_of(expand(gap)) / 2, tuple(letters), self.rules)

    def kl(self, p: Node, q: Node, bound: tuple[Symbol, ...], env: Env, w: Weights) -> Any:
        if isinstance(p, Normal) and event_variables(p) == bound:
            weight, inner, letters = self.measure((p,), env, w)
        else:
            inner, letters = self.bind(bound, env, w)
            weight = self.scalar(p, inner, w, False)
        under = (*w, weight) if self.nonnegative(weight) else w
        body = self.log(p, inner, under) - self.log(q, inner, under)
        return integrate(weight * body, tuple(letters), self.rules)

    def entropy(self, node: Entropy, env: Env, w: Weights) -> Any:
        p = node.args[0]
        if isinstance(p, Normal):
            weight, inner, letters = self.measure((p,), env, w)
        else:
            inner, letters = self.bind(node.bound, env, w)
            weight = self.scalar(p, inner, w, False)
        under = (*w, weight) if self.nonnegative(weight) else w
        return integrate(-weight * self.log(p, inner, under), tuple(letters), self.rules)


def _in_order(dists: tuple[Node, ...]) -> list[Node]:
    """Densities so that each comes after those whose variables it is conditioned on."""
    left, done = list(dists), []
    while left:
        waiting = {v for d in left for v in event_variables(d)}
        ready = [d for d in left if not (free_symbols(d) - set(event_variables(d))) & waiting]
        if not ready:
            raise NotationError(
                "the densities of an expectation are conditioned on one another in a circle"
            )
        done += ready
        left = [d for d in left if d not in ready]
    return done
