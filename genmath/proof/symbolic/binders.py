"""What is known of finite sums, extremes, integrals with limits and limits: that they are linear,
or move with what they are taken of. The rest stays open."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.binders import Between, Infinity, Limit, Over, Same, Size, sides
from genmath.proof.language.tree import Node, Symbol
from genmath.proof.symbolic import atoms
from genmath.proof.symbolic.algebra import (
    close,
    irreducible_factors,
    is_nonnegative,
    is_positive,
    power_of,
)
from genmath.proof.symbolic.atoms import Key
from genmath.proof.symbolic.bound import fresh, unused
from genmath.proof.symbolic.conditions import Conditions, Env, Weights
from genmath.proof.symbolic.derived import carried_out
from genmath.proof.symbolic.finite_sets import product_over, size, sum_over
from genmath.proof.symbolic.growth import limit_at_infinity
from genmath.proof.symbolic.integrals import integrate, over_interval
from genmath.proof.symbolic.intervals import along, as_end
from genmath.proof.symbolic.letters import parameter
from genmath.proof.symbolic.limits import alike, beside, limit_of
from genmath.proof.symbolic.maps import named_after_density
from genmath.proof.symbolic.polynomials import canon, expand, terms
from genmath.proof.symbolic.supports import LINE, Rules, Unsupported


class Binders(Conditions):
    """Each binds one letter of its own."""

    def meaning(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        match node:
            case Size():
                return size(node.name)
            case Same():
                return atoms.Same(*(self.scalar(a, env, w, True) for a in node.args))
            case Over(kind="sum" | "prod"):
                return self.over_set(node, env, w)
            case Over(kind="max" | "sup"):
                return self.extreme(node, node.kind, 1, env, w)
            case Over(kind="min" | "inf"):
                return -self.extreme(node, {"min": "max", "inf": "sup"}[node.kind], -1, env, w)
            case Between():
                return self.between(node, env, w)
            case Limit():
                return self.limit(node, env, w)
            case Infinity():
                raise Unsupported("infinity, which is no number")
        return super().meaning(node, env, w, exact)

    def opened(self, body: Node, letter: Symbol, env: Env, w: Weights) -> tuple[Any, Any]:
        """The body in a letter of its own, which has the sign that it was declared with."""
        known, value = parameter(letter)
        own = unused(letter.name, self.taken(env, w), **known.assumptions0)
        inner = {**env, letter: value.xreplace({known: own})}
        return expand(self.scalar(body, inner, w, True)), own

    def over_set(self, node: Over, env: Env, w: Weights) -> Any:
        body, own = self.opened(node.body, node.letter, env, w)
        space = Key(node.letter.space)
        if node.kind == "sum":
            return sum_over(body, own, space)
        if not body.has(own):
            self.require(body, w, "the base of the power", node.body)
            return power_of(body, size(space.name))
        return product_over(body, own, space)

    def extreme(self, node: Over, kind: str, sign: int, env: Env, w: Weights) -> Any:
        """The maximum or supremum of sign * body: what is constant, and factors > 0, come out."""
        body, own = self.opened(node.body, node.letter, env, w)
        parts = terms(sign * body)
        apart = sp.Add(*(t for t in parts if not t.has(own)))
        rest = sp.Add(*(t for t in parts if t.has(own)))
        if rest == 0:
            return apart
        outside = sp.S.One
        for base, k in irreducible_factors(rest):
            if not base.has(own) and is_positive(base):
                outside *= base**k
        space = values(node.letter)
        return apart + outside * close(Key(kind), canon(rest / outside), own, space)

    def between(self, node: Between, env: Env, w: Weights) -> Any:
        node = carried_out(node)
        low, high = (self.end(e, env, w) for e in (node.low, node.high))
        body, own = self.integrand(node, low, high, env, w)
        if low == high:
            return sp.S.Zero
        return self.from_to(body, own, as_end(low), as_end(high))

    def from_to(self, body: Any, own: Any, low: Any, high: Any) -> Any:
        if {low, high} == {sp.oo, -sp.oo}:
            letter = fresh(LINE)
            named = named_after_density(body.xreplace({own: letter}), letter, self.rules)
            return (1 if high == sp.oo else -1) * integrate(named[0], named[1:], self.rules)
        return over_interval(body, own, low, high, self.rules)

    def integrand(self, node: Between, low: Any, high: Any, env: Env, w: Weights) -> Any:
        """What has to exist exists at the limits and between them; elsewhere it need not."""
        rules = Rules(dominates=dict(self.rules.dominates), slots=dict(self.rules.slots))
        anywhere = type(self)(rules, self.d)
        body, own = anywhere.opened(node.body, node.letter, env, w)
        for name, owner in anywhere.known.items():
            self.register(name, owner)
        if rules.needs or rules.nonzero:
            rules.needs, rules.nonzero, rules.assumed = [], set(), set()
            for at in along(as_end(low), as_end(high)):
                there = self.apart(Rules())
                there.scalar(node.body, {**env, node.letter: canon(at)}, w, True)
                rules.absorb(there.rules)
        self.rules.absorb(rules)
        return body, own

    def end(self, node: Node, env: Env, w: Weights) -> Any:
        infinite = sides(node)
        if infinite:
            return Key("infinity" if infinite > 0 else "minus infinity")
        return canon(self.scalar(node, env, w, True))

    def limit(self, node: Limit, env: Env, w: Weights) -> Any:
        to = self.end(node.to, env, w)
        if (value := self.limit_beside(node, to, env, w)) is not None:
            return value
        body, own = self.opened(node.body, node.letter, env, w)
        anywhere = own.is_nonnegative is None or to == Key("infinity")
        if not anywhere and (isinstance(to, Key) or not is_nonnegative(to)):
            raise Unsupported(f"a limit at {node.to!r}, to which no {node.letter!r} is near")
        value = limit_of(body, own, to)
        if value is not None:
            return value
        reached = not isinstance(to, Key)
        domain = Key(node.letter.domain)

        def one(rest: Any) -> Any:
            if (known := limit_of(rest, own, to)) is not None:
                return known
            k = power_of_letter(rest, own)
            if k == 0 or (reached and k is not None):
                return rest.xreplace({own: to})
            return close(Key("lim"), rest, own, to, domain)

        return linear(body, own, one)

    def limit_beside(self, node: Limit, to: Any, env: Env, w: Weights) -> Any:
        """Where something is not defined at the number itself, as in (exp(h) - 1)/h."""
        if isinstance(to, Key) or node.letter.domain != "real" or self.defined(node, env, w):
            return None
        found, rules = [], Rules()
        for at, ahead in beside(to, parameter(node.letter)[0]):
            near = self.apart(Rules())
            body = expand(near.scalar(node.body, {**env, node.letter: canon(at)}, w, True))
            if near.rules.needs or near.rules.nonzero:
                return None
            rules.absorb(near.rules)
            found.append(limit_at_infinity(body, ahead))
        value = alike(found)
        if value is not None:
            self.rules.absorb(rules)
        return value

    def defined(self, node: Limit, env: Env, w: Weights) -> bool:
        anywhere = type(self)(Rules(), self.d)
        anywhere.opened(node.body, node.letter, env, w)
        return not (anywhere.rules.needs or anywhere.rules.nonzero)


def values(letter: Symbol) -> Any:
    """What a letter ranges over: a set, the space of a random variable, or a domain of numbers."""
    if letter.domain == "member" or letter.is_variable:
        return Key(letter.space, "member" if letter.domain == "member" else "variable")
    return Key(letter.domain)


def linear(body: Any, own: Any, one: Any) -> Any:
    """The sum over terms of what does not depend on the letter times `one` of what does."""
    total = sp.S.Zero
    for t in terms(body):
        outside, rest = t.as_independent(own, as_Add=False)
        total += outside * one(rest)
    return total


def power_of_letter(e: Any, own: Any) -> int | None:
    """k where e is the letter to the power k >= 0."""
    if e == 1:
        return 0
    base, k = e.as_base_exp()
    return int(k) if base == own and k.is_Integer and k > 0 else None
