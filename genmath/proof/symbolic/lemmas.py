"""Whether a lemma may be used at the arguments it is given, and using it."""

from __future__ import annotations

from typing import Any

import sympy as sp

from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Derivation, Lemma
from genmath.proof.language.tree import (
    Dens,
    Expect,
    Identity,
    Integral,
    Node,
    Normal,
    NotationError,
    Relation,
    Symbol,
    event_variables,
    free_symbols,
    transform,
)
from genmath.proof.symbolic.algebra import (
    irreducible_factors,
    is_positive,
    stated_positive,
    substitute,
)
from genmath.proof.symbolic.certificates import Signs
from genmath.proof.symbolic.domains import outside_domain
from genmath.proof.symbolic.lower import Lowering
from genmath.proof.symbolic.proof import difference, gap_of
from genmath.proof.symbolic.supports import Assumed, Rules, Unsupported
from genmath.proof.symbolic.zero import vanishes


def rewrite(node: Node, claim: Claim) -> Node:
    """Replace occurrences of a lemma's left side by its right side."""
    letters = {s for g in claim.given for side in (g.left, g.right) for s in free_symbols(side)}
    counts = free_symbols(claim.lhs) | free_symbols(claim.rhs)

    def visit(n: Node) -> Node | None:
        if n == claim.lhs:
            return claim.rhs
        bound = set(n.bound)
        if letters & {*bound, *n.letters}:
            return n  # the lemma's hypotheses speak of the free letter, not of the bound one, nor
            # of its neighbours, as a derivative does
        if bound & counts and not n.takes_declared():
            return n  # nor is it shown for an index that is no natural number
        if isinstance(n, Expect):  # a measure, and a density's letters, stay what they are
            return Expect(n.dists, rewrite(n.body, claim))
        return n if isinstance(n, (Dens, Normal)) else None

    return transform(node, visit)


def lemma_gap(lemma: Lemma) -> Node:
    c = lemma.claim
    return difference(c.lhs, c.rhs) if c.relation[0] == ">" else difference(c.rhs, c.lhs)


def undischarged(lemma: Lemma, claim: Claim, dimension: int, rules: Rules) -> str:
    """Why the lemma may not be used at these arguments; "" if it may. What showing its hypotheses
    takes for granted is added to `rules`."""
    assumed = rules.assumed
    if not set(claim.dims) <= set(lemma.source.dims) and has_vectors(lemma.source):
        return f"it is proved for d in {lemma.source.dims} only"
    loose = _loose_dominance(lemma)
    if loose:
        return loose
    patterns = {p.density: (p, a) for p, a in lemma.arguments if isinstance(p, Dens)}
    for pattern, actual in lemma.arguments:
        if isinstance(pattern, Symbol):
            problem = outside_domain(pattern, actual, dimension, assumed)
        else:
            assert isinstance(pattern, Dens)
            problem = _not_such_a_density(pattern, actual, patterns, dimension, assumed)
        if problem:
            return problem
    facts: list[tuple[Node, object]] = [(gap_of(g), g) for g in claim.given if g.sign != "="]
    for g in lemma.claim.given:
        if g not in claim.given and not _shown(g, facts, dimension):
            return f"its hypothesis {g!r} is not shown"
    return ""


def _shown(g: Relation, facts: list[tuple[Node, object]], dimension: int) -> bool:
    if g.sign in (">=", "<="):
        return Signs(facts, dimension).nonnegative(gap_of(g))
    inner = Rules()
    try:
        value = Lowering(inner, dimension)(gap_of(g))
    except Unsupported:
        return False
    if inner.needs or isinstance(value, sp.MatrixBase):
        return False
    if g.sign == "=":
        return vanishes(value)
    return is_positive(value) or stated_positive(value)


def may_be_zero(lemma: Lemma, nonzero: set[Any], dimension: int, rules: Rules) -> str:
    """Why a denominator that the lemma's proof let pass may not be let pass at the arguments."""
    lower = Lowering(rules, dimension)
    values: dict[Any, Any] = {}
    for pattern, actual in lemma.arguments:
        if isinstance(pattern, Symbol):
            values |= lower.assigned(pattern, actual)
    try:
        for under in nonzero:
            lower.require_nonzero(substitute(under, values))
    except Unsupported as error:
        return f"no rule for {error}"
    return str(rules.needs[0]) if rules.needs else ""


def has_vectors(derivation: Derivation) -> bool:
    """Its steps speak of vectors or matrices, so of a dimension."""
    return any(
        isinstance(n, Identity) or (isinstance(n, Symbol) and n.shape)
        for step in derivation.steps
        for side in (step.lhs, step.rhs)
        for n in side.walk()
    )


def not_replaceable(this: Node, other: Node, dims: tuple[int, ...]) -> str:
    """Why `other` may not be put for a letter or density; "" if it may."""
    if isinstance(this, Symbol):
        return next((p for d in dims if (p := outside_domain(this, other, d, set()))), "")
    if not isinstance(this, Dens):
        return f"{this!r} is neither a letter nor a density"
    bound = event_variables(this)
    for d in dims:
        try:
            whole = Lowering(Rules(), d)(Integral(other, *bound))
        except (NotationError, Unsupported) as error:
            return str(error)
        if not Signs([], d).nonnegative(other) or not vanishes(whole - 1):
            return f"{other!r} is not shown to be a density of {', '.join(map(repr, bound))}"
    return ""


def _loose_dominance(lemma: Lemma) -> str:
    """A density that stays may not be declared positive wherever a replaced one is."""
    taken = {p.density for p, _ in lemma.arguments if isinstance(p, Dens)}
    for step in lemma.source.steps:
        for side in (step.lhs, step.rhs):
            for n in side.walk():
                if isinstance(n, Dens) and n.density not in taken:
                    other = n.density.dominates
                    while other is not None:
                        if other in taken:
                            return f"it needs {n.density!r} to be positive wherever {other!r} is"
                        other = other.dominates
    return ""


def _not_such_a_density(
    pattern: Dens,
    actual: Node,
    patterns: dict[Any, tuple[Dens, Node]],
    dimension: int,
    assumed: set[Assumed],
) -> str:
    bound = event_variables(actual)
    if pattern.givens:
        return f"{pattern!r} has a condition; only unconditional densities can be replaced"
    rules = Rules()
    lower = Lowering(rules, dimension)
    try:
        if not Signs([], dimension).nonnegative(actual):
            return f"{actual!r} is not a density: it is not seen to be >= 0"
        value = lower(actual)
        if not vanishes(lower(Integral(actual, *bound)) - 1):
            return f"{actual!r} is not shown to integrate to one"
        if pattern.density.positive and not lower.positive(value, ()):
            return f"{actual!r} is not shown to be positive"
        other = pattern.density.dominates
        if other is not None:
            if other not in patterns:
                return f"{pattern!r} must be positive wherever {other!r} is"
            weight = lower(patterns[other][1])
            if not all(lower.positive(b, (weight,)) for b, _ in irreducible_factors(value)):
                return f"{actual!r} is not shown to be positive wherever {patterns[other][1]!r} is"
    except Unsupported as error:
        return f"no rule for {error}"
    assumed |= rules.assumed
    return str(rules.needs[0]) if rules.needs else ""
