"""Expectations, integrals, divergences and entropies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from genmath.proof.language.obligations import factors
from genmath.proof.language.tree import (
    Add,
    Div,
    Divergence,
    Entropy,
    Expect,
    Family,
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
from genmath.proof.symbolic.atoms import AbsAtom, Binder, Int, Sign
from genmath.proof.symbolic.conditions import Env, Weights
from genmath.proof.symbolic.densities import NOT_DEFINITE
from genmath.proof.symbolic.elementary import Elementary
from genmath.proof.symbolic.families import Among, Families, free_letter
from genmath.proof.symbolic.finite_sets import sum_over
from genmath.proof.symbolic.integrals import bell, integrate
from genmath.proof.symbolic.polynomials import expand, space_of
from genmath.proof.symbolic.smoothing import Smoothing, product_of
from genmath.proof.symbolic.spans import Within, between_ends
from genmath.proof.symbolic.supports import LINE, Rules, Unsupported


class Expectations(Families, Smoothing, Elementary):
    """Integrals over every value of random variables."""

    def measures(
        self, dists: tuple[Node, ...], env: Env, w: Weights, around: tuple[Node, ...]
    ) -> Iterator[tuple[Any, Env, list[Any]]]:
        """The product of the densities and the letters it is integrated over, for every value of
        the letters that are summed over; a normal with a full covariance is whitened, x = mean + L
        eps. `around` is what else speaks of the letters."""
        variables = tuple(v for d in dists for v in event_variables(d))
        ordered = _in_order(dists)
        for inner, letters, weight in self.places(variables, env, w, tuple(ordered), around):
            for dist in ordered:
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
                        if not self.require_definite(cov, inner, w, False):
                            raise Unsupported(NOT_DEFINITE)
                        root = self.root_of(cov, inner, w, False)
                        eps = list(inner[x])
                        taken = self.taken(inner, (*w, weight)) | set(letters)
                        for i in range(len(eps), root.shape[1]):
                            eps.append(free_letter(f"{x.space}[{i}]", taken))
                            letters.append(eps[-1])
                        location = self.lower(
                            mean, {k: v for k, v in inner.items() if k != x}, w, False
                        )
                        if location == 0:
                            location = sp.zeros(len(inner[x]), 1)
                        inner[x] = sp.ImmutableMatrix(location + root * sp.ImmutableMatrix(eps))
                        weight *= sp.Mul(*(bell(e, sp.S.Zero, sp.S.One) for e in eps))
                        self.rules.normal = True
                        continue
                weight *= self.scalar(dist, inner, w, False)
            yield weight, inner, letters

    def integrated(self, body: Any, letters: list[Any]) -> Any:
        """A finite sum may be taken before or after: before, where that leaves no sum."""
        within = [v for v in letters if isinstance(v, Within)]
        rest = tuple(
            v.letter if isinstance(v, Within) else v for v in letters if not isinstance(v, Among)
        )
        body, later = expand(body), []
        for v in (v for v in letters if isinstance(v, Among)):
            if rest and (sum_over(body, *v).atoms(Binder) - body.atoms(Binder)):
                later.append(v)
            else:
                body = sum_over(body, *v)
        body = self.over_all(body, rest, within) if rest else body
        for v in later:
            body = sum_over(body, *v)
        return body

    def over_all(self, body: Any, letters: tuple[Any, ...], within: list[Within]) -> Any:
        """Of a letter of an interval what is not known in its odds may be known between its
        ends."""
        jumps = body.has(Sign, AbsAtom)  # where these are is looked for in the odds
        if len(within) != 1 or (jumps and (within[0].low, within[0].high) == (0, 1)):
            return integrate(body, letters, self.rules)
        (v,) = within
        rules = self.rules
        odds, between = (
            Rules(dominates=dict(rules.dominates), slots=dict(rules.slots)) for _ in range(2)
        )
        done = integrate(body, letters, odds)
        left = done.atoms(Int) - body.atoms(Int)
        if left and not all(space_of(u) == LINE for e in left for u in e.args[1:]):
            rest = tuple(s for s in letters if s != v.letter)
            part = between_ends(integrate(body, rest, between) if rest else body, v, between)
            if not part.atoms(Int) - body.atoms(Int):
                done, odds = part, between
        rules.absorb(odds)
        return done

    def expect(self, node: Expect, env: Env, w: Weights) -> Any:
        if all(isinstance(d, Normal) for d in node.dists):
            parts = [*node.dists, *product_of(node.body)]
            if (smooth := self.smoothed(node.bound, parts, env, w)) is not None:
                return smooth
        total = sp.S.Zero
        for weight, inner, letters in self.measures(node.dists, env, w, (node.body,)):
            # a mean is a number of its own
            body = self.lower(node.body, inner, (*w, weight), False)
            total = self.plus_integral(total, weight, body, letters)
        return total

    def plus_integral(self, total: Any, weight: Any, body: Any, letters: list[Any]) -> Any:
        """Of a vector or matrix, entry by entry."""
        if not isinstance(body, sp.MatrixBase):
            return total + self.integrated(weight * body, letters)
        part = body.applyfunc(lambda u: self.integrated(weight * u, letters))
        return part if total == 0 else total + part

    def integral(self, node: Integral, env: Env, w: Weights) -> Any:
        if (smooth := self.smoothed(node.bound, product_of(node.body), env, w)) is not None:
            return smooth
        total = sp.S.Zero
        within = tuple(f for f in factors(node.body) if isinstance(f, Family))
        for inner, letters, weight in self.places(node.bound, env, w, within, (node.body,)):
            body = self.lower(node.body, inner, w, False)
            total = self.plus_integral(total, weight, body, letters)
        return total

    def divergence(self, node: Divergence, env: Env, w: Weights) -> Any:
        p, q = node.args
        if node.kind == "KL":
            return self.kl(p, q, node.bound, env, w)
        if node.kind == "JS":
            middle = Div(Add(p, q), Number(2))
            return (
                self.kl(p, middle, node.bound, env, w) + self.kl(q, middle, node.bound, env, w)
            ) / 2
        total = sp.S.Zero
        for inner, letters, weight in self.places(node.bound, env, w, (), (p, q)):
            gap = self.scalar(p, inner, w, False) - self.scalar(q, inner, w, False)
            total += self.integrated(weight * abs_of(expand(gap)) / 2, letters)
        return total

    def kl(self, p: Node, q: Node, bound: tuple[Symbol, ...], env: Env, w: Weights) -> Any:
        total = sp.S.Zero
        for weight, inner, letters in self.weighed(p, bound, env, w, (q,)):
            under = (*w, weight) if self.nonnegative(weight) else w
            body = self.log(p, inner, under) - self.log(q, inner, under)
            total += self.integrated(weight * body, letters)
        return total

    def entropy(self, node: Entropy, env: Env, w: Weights) -> Any:
        p, total = node.args[0], sp.S.Zero
        for weight, inner, letters in self.weighed(p, node.bound, env, w, ()):
            under = (*w, weight) if self.nonnegative(weight) else w
            total += self.integrated(-weight * self.log(p, inner, under), letters)
        return total

    def weighed(
        self, p: Node, bound: tuple[Symbol, ...], env: Env, w: Weights, around: tuple[Node, ...]
    ) -> Iterator[tuple[Any, Env, list[Any]]]:
        """p, where its letters are, and the letters themselves."""
        if isinstance(p, Normal) and event_variables(p) == bound:
            yield from self.measures((p,), env, w, around)
            return
        within = tuple(f for f in factors(p) if isinstance(f, Family))
        for inner, letters, weight in self.places(bound, env, w, within, (p, *around)):
            yield weight * self.scalar(p, inner, w, False), inner, letters


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
