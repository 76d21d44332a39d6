"""Judge A: a proof for all functions and parameters under the stated hypotheses."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sympy as sp

from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Derivation, Lemma
from genmath.proof.language.tree import (
    Add,
    Big,
    Dens,
    Deriv,
    Div,
    Expect,
    Identity,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    NotationError,
    Number,
    Relation,
    Symbol,
    event_variables,
    free_symbols,
    transform,
)
from genmath.proof.symbolic.algebra import substitute
from genmath.proof.symbolic.atoms import Bell, Int, Rho
from genmath.proof.symbolic.certificates import Signs
from genmath.proof.symbolic.integrals import by_parts
from genmath.proof.symbolic.lower import MEANING, Lowering, resolve
from genmath.proof.symbolic.polynomials import expand
from genmath.proof.symbolic.supports import Rules, Unsupported, density_denominators
from genmath.proof.symbolic.zero import clearly_nonzero, vanishes


@dataclass
class Proof:
    """Whether A proved the claim, what it used, and what was missing if it did not."""

    proved: bool
    reason: str = ""
    residual: Any = None
    assumed: set[str] = field(default_factory=set)
    consulted: set[str] = field(default_factory=set)
    lemmas: list[Lemma] = field(default_factory=list)
    hypotheses: list[Relation] = field(default_factory=list)
    nonzero: set[Any] = field(default_factory=set)  # denominators that were let pass
    normal: bool = False
    certificate: tuple[Node, Node] | None = None  # gap = certificate, for the mutants
    meaningless: bool = False  # the claim is ill-typed


def prove(claim: Claim, because: tuple[Node | Lemma, ...] = ()) -> Proof:
    """Try to prove a claim in every dimension it speaks of."""
    total = Proof(True)
    if max(claim.dims) == 1 and (problem := ill_typed(claim)):
        return Proof(False, problem, meaningless=True)
    for dimension in claim.dims:
        one = _prove(claim, because, dimension)
        total.assumed |= one.assumed
        total.consulted |= one.consulted
        total.nonzero |= one.nonzero
        total.normal = total.normal or one.normal
        total.lemmas += [m for m in one.lemmas if m not in total.lemmas]
        total.hypotheses += [h for h in one.hypotheses if h not in total.hypotheses]
        total.certificate = one.certificate
        if not one.proved:
            total.proved, total.reason, total.residual = False, one.reason, one.residual
            total.meaningless = one.meaningless
            if len(claim.dims) > 1:
                total.reason += f" (d = {dimension})"
            break
    return total


def ill_typed(claim: Claim) -> str:
    """On the line, columns and matrices look alike: types are tried in the plane."""
    sides = (claim.lhs, claim.rhs)
    if not any(isinstance(n, Identity) or getattr(n, "shape", "") for s in sides for n in s.walk()):
        return ""
    try:
        lower = Lowering(Rules(), 2)
        _difference(lower(claim.lhs), lower(claim.rhs))
    except NotationError as error:
        return str(error)
    except Unsupported:
        pass
    return ""


def _prove(claim: Claim, because: tuple[Node | Lemma, ...], dimension: int) -> Proof:
    nodes = [b for b in because if isinstance(b, Node)]
    lemmas = [b for b in because if isinstance(b, Lemma)]
    rules = Rules()
    proof = Proof(False)
    for lemma in lemmas:
        problem = undischarged(lemma, claim, dimension, rules)
        if problem:
            proof.reason = f"{lemma.source.name} does not apply: {problem}"
            return proof
    if claim.relation == "=":
        if nodes:
            proof.reason = "an equality takes no certificate"
            return proof
        if any(m.claim.relation != "=" for m in lemmas):
            proof.reason = "a bound does not show an equality"
            return proof
        result = _equality(claim.lhs, claim.rhs, lemmas, dimension)
        return _relying(result, rules)
    gap = (
        difference(claim.lhs, claim.rhs)
        if claim.relation == ">="
        else difference(claim.rhs, claim.lhs)
    )
    bounds = [m for m in lemmas if m.claim.relation != "="]
    facts: list[tuple[Node, object]] = [(lemma_gap(m), m) for m in bounds]
    facts += [(difference(g.left, g.right), g) for g in claim.given if g.sign in (">=", ">")]
    facts += [(difference(g.right, g.left), g) for g in claim.given if g.sign in ("<=", "<")]
    parts = nodes or [f for f, m in facts if isinstance(m, Lemma)] or [gap]
    signs = Signs(facts, dimension)
    try:
        for part in parts:
            if not signs.nonnegative(part):
                proof.reason = (
                    f"the sign of the certificate is not proved: {part!r}"
                    if nodes or bounds
                    else "the gap is not seen to be >= 0: give a certificate or lemma, because=..."
                )
                return proof
    except NotationError as error:
        proof.reason = str(error)
        return proof
    certificate = parts[0] if len(parts) == 1 else Add(*parts)
    equalities = [m for m in lemmas if m.claim.relation == "="]
    result = _equality(gap, certificate, equalities, dimension)
    result.lemmas += [c for c in signs.consulted if isinstance(c, Lemma) and c not in result.lemmas]
    result.hypotheses += [c for c in signs.consulted if isinstance(c, Relation)]
    result = _relying(result, rules)
    if not result.proved:
        result.reason = f"the gap is not the certificate: {result.reason}"
    if certificate != gap:
        result.certificate = (gap, certificate)
    return result


def _relying(proof: Proof, rules: Rules) -> Proof:
    """With what it took to use its lemmas."""
    if proof.lemmas:
        proof.assumed |= rules.assumed
        proof.nonzero |= rules.nonzero
    return proof


def difference(a: Node, b: Node) -> Node:
    if b == Number(0):
        return a
    return Neg(b) if a == Number(0) else Add(a, Neg(b))


def lemma_gap(lemma: Lemma) -> Node:
    c = lemma.claim
    return difference(c.lhs, c.rhs) if c.relation == ">=" else difference(c.rhs, c.lhs)


def _equality(lhs: Node, rhs: Node, lemmas: list[Lemma], dimension: int) -> Proof:
    proof = Proof(False)
    shorter = (lhs, rhs)
    for lemma in lemmas:
        shorter = (rewrite(shorter[0], lemma.claim), rewrite(shorter[1], lemma.claim))
    attempts = (
        [(lhs, rhs, False)] if shorter == (lhs, rhs) else [(*shorter, True), (lhs, rhs, False)]
    )
    for left, right, used in attempts:
        rules = Rules()
        try:
            residuals = _residuals(left, right, rules, dimension)
        except (Unsupported, ArithmeticError, TypeError) as error:
            proof.reason = f"no rule for {error}"
            continue
        except NotationError as error:
            proof.reason, proof.meaningless = str(error), True
            return proof
        proof.assumed, proof.consulted, proof.normal = rules.assumed, rules.consulted, rules.normal
        proof.nonzero = rules.nonzero
        if rules.needs:
            proof.reason = str(rules.needs[0])
            continue
        if not residuals:
            proof.proved, proof.reason = True, ""
            proof.lemmas = list(lemmas) if used else []
            return proof
        proof.residual, proof.reason = residuals[0], "the two sides are not shown to be equal"
    return proof


def _residuals(lhs: Node, rhs: Node, rules: Rules, dimension: int) -> list[Any]:
    """What is left of lhs - rhs, coordinate by coordinate; none if the sides are equal. First with
    a letter for each definition, which is quick, then with its meaning."""
    defined = any(isinstance(n, Named) for side in (lhs, rhs) for n in side.walk())
    derived = any(isinstance(n, Deriv) for side in (lhs, rhs) for n in side.walk())
    for letters in (True, False) if defined and not derived else (False,):
        trial = Rules()
        lower = Lowering(trial, dimension, letters)
        left = _difference(lower(lhs), lower(rhs))
        if trial.needs and letters:
            continue
        left = _remaining(left, trial)
        if left and letters and any(r.free_symbols & MEANING.keys() for r in left):
            try:
                left = _remaining([resolve(r) for r in left], trial)
            except Unsupported:
                continue
            if left and any(r.has(Int) for r in left):
                continue
        lower.look_at_slopes()
        rules.absorb(trial)
        return left
    raise AssertionError("unreachable")


def _difference(a: Any, b: Any) -> list[Any]:
    if not isinstance(a, sp.MatrixBase) and not isinstance(b, sp.MatrixBase):
        return [a - b]
    if not (isinstance(a, sp.MatrixBase) and isinstance(b, sp.MatrixBase) and a.shape == b.shape):
        raise NotationError("the two sides have different shapes")
    return [x - y for x, y in zip(a, b, strict=True)]


def _remaining(residuals: list[Any], rules: Rules) -> list[Any]:
    return [r for r in residuals if not _vanishes(r, rules) and not _vanishes_by_parts(r, rules)]


def _vanishes(residual: Any, rules: Rules) -> bool:
    return vanishes(residual, rules) or vanishes_merged(residual, rules)


def _vanishes_together(rest: Any, merged: list[tuple[Any, tuple[Any, ...]]], rules: Rules) -> bool:
    """Zero once each merged integrand is integrated as a whole: ∫ p f/(p+q) + ∫ q f/(p+q) = ∫ f."""
    from genmath.proof.symbolic.integrals import integrate

    if not any(density_denominators(t) for e, _ in merged for t in sp.Add.make_args(e)):
        return False
    trial = Rules(dominates=rules.dominates, slots=rules.slots)
    whole = sp.Add(rest, *(integrate(e, letters, trial) for e, letters in merged))
    if trial.needs or not vanishes(whole, trial):
        return False
    rules.absorb(trial)
    return True


def _vanishes_by_parts(residual: Any, rules: Rules) -> bool:
    """Zero once the derivatives of densities are moved to the other factors."""
    if not residual.has(Int) or not any(r.args[3] for r in residual.atoms(Rho)):
        return False
    trial = Rules(dominates=rules.dominates, slots=rules.slots)
    moved = by_parts(residual, trial)
    if moved == residual or not _vanishes(moved, trial):
        return False
    rules.absorb(trial)
    return True


def rewrite(node: Node, claim: Claim) -> Node:
    """Replace occurrences of a lemma's left side by its right side."""
    letters = {s for g in claim.given for side in (g.left, g.right) for s in free_symbols(side)}
    counts = free_symbols(claim.lhs) | free_symbols(claim.rhs)

    def visit(n: Node) -> Node | None:
        if n == claim.lhs:
            return claim.rhs
        if isinstance(n, Big) and n.index in letters:
            return n  # the lemma's hypotheses speak of the free letter, not of the index
        if isinstance(n, Big) and n.index in counts and not _from_one(n):
            return n  # nor is it shown for an index that is no natural number
        if isinstance(n, Expect):  # a measure, and a density's letters, stay what they are
            return Expect(n.dists, rewrite(n.body, claim))
        return n if isinstance(n, (Dens, Normal)) else None

    return transform(node, visit)


def _from_one(e: Big) -> bool:
    return isinstance(e.low, Number) and e.low.value >= 1


def vanishes_merged(residual: Any, rules: Rules) -> bool:
    """Bring integrals over the same spaces under one sign and compare the integrands pointwise."""
    from genmath.proof.symbolic.integrals import fresh
    from genmath.proof.symbolic.polynomials import space_of, terms
    from genmath.proof.symbolic.supports import tidy

    if not residual.has(Int):
        return False
    letters: dict[tuple[str, ...], list[Any]] = {}
    pieces: dict[tuple[str, ...], list[Any]] = {}
    alone: list[Any] = []
    parts = sp.Add.make_args(residual)
    if any(f.is_Add and f.has(Int) for t in parts for f in sp.Mul.make_args(t)):
        parts = terms(residual)
    for t in parts:
        whole = [f for f in sp.Mul.make_args(t) if isinstance(f, Int)]
        if not whole:
            alone.append(t)
            continue
        chosen = whole[0]
        spaces = tuple(space_of(v) for v in chosen.args[1:])
        mine = letters.setdefault(spaces, [fresh(s) for s in spaces])
        body = chosen.args[0].xreplace(dict(zip(chosen.args[1:], mine, strict=True)))
        pieces.setdefault(spaces, []).append(t / chosen * body)
    merged, rest = {spaces: sp.Add(*found) for spaces, found in pieces.items()}, sp.Add(*alone)

    def zero(e: Any) -> bool:
        if clearly_nonzero(e):
            return False  # before it is multiplied out
        return vanishes(sp.Add(*(tidy(t, rules) for t in terms(expand(e)))), rules)

    apart = [spaces for spaces, e in merged.items() if not zero(e)]
    if _vanishes_together(rest, [(merged[s], tuple(letters[s])) for s in apart], rules):
        return True
    if not vanishes(rest, rules):  # it is an integral, too: of itself times a normal density
        if len(apart) != 1 or len(apart[0]) != 1:
            return False
        (letter,), whole = letters[apart[0]], merged[apart[0]]
        normals = _normals(whole, letter)
        rules.normal = rules.normal or bool(normals)
        return any(zero(whole + rest * b) for b in normals)
    return not apart


def _normals(e: Any, letter: Any) -> list[Any]:
    """The normal densities of that letter that occur in e; each integrates to one."""
    found = [b for b in e.atoms(Bell) if not b.args[2].has(letter)]
    return [b for b in found if sp.diff(b.args[0] - b.args[1], letter) in (1, -1)]


# --- using a lemma ---


@cache
def proofs(derivation: Derivation) -> tuple[Proof, ...]:
    """The symbolic proofs of a derivation that is used as a lemma."""
    return tuple(prove(s.claim, s.because) for s in derivation.steps if not s.unfilled)


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
            problem = _outside_domain(pattern, actual, dimension, assumed)
        else:
            assert isinstance(pattern, Dens)
            problem = _not_such_a_density(pattern, actual, patterns, dimension, assumed)
        if problem:
            return problem
    problem = _may_be_zero(lemma, dimension, rules)
    if problem:
        return problem
    signs = Signs(
        [(difference(g.left, g.right), g) for g in claim.given if g.sign in (">=", ">")], dimension
    )
    for g in lemma.claim.given:
        low, high = (g.right, g.left) if g.sign in (">=", ">") else (g.left, g.right)
        stated = any(
            g.sign == h.sign and g.left == h.left and g.right == h.right for h in claim.given
        )
        if not stated and (g.sign in "><" or not signs.nonnegative(difference(high, low))):
            return f"its hypothesis {g!r} is not shown"
    return ""


def _may_be_zero(lemma: Lemma, dimension: int, rules: Rules) -> str:
    """Why a denominator that the lemma's proof let pass may not be let pass at the arguments."""
    lower = Lowering(rules, dimension)
    values: dict[Any, Any] = {}
    for pattern, actual in lemma.arguments:
        if isinstance(pattern, Symbol):
            values |= lower.assigned(pattern, actual)
    try:
        for p in proofs(lemma.source):
            for under in p.nonzero:
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
        return next((p for d in dims if (p := _outside_domain(this, other, d, set()))), "")
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


def _outside_domain(pattern: Symbol, actual: Node, dimension: int, assumed: set[str]) -> str:
    from genmath.proof.symbolic.algebra import is_nonnegative, is_positive

    if pattern.shape == "vector":
        inner = Rules()
        try:
            column = Lowering(inner, dimension)(actual)
        except Unsupported as error:
            return f"no rule for {error}"
        if inner.needs:
            return str(inner.needs[0])
        assumed |= inner.assumed
        fits = isinstance(column, sp.MatrixBase) and column.shape == (dimension, 1)
        return "" if fits else f"{actual!r} is not a vector"
    if pattern.shape or pattern.domain == "natural":
        same = isinstance(actual, Symbol) and (actual.shape, actual.domain) == (
            pattern.shape,
            pattern.domain,
        )
        return "" if same else f"{actual!r} cannot stand for {pattern!r}"
    rules = Rules()
    try:
        value = Lowering(rules, dimension)(actual)
    except Unsupported as error:
        return f"no rule for {error}"
    if isinstance(value, sp.MatrixBase):
        return f"{actual!r} is not a number"
    ok = {
        "real": True,
        "positive": is_positive(value),
        "nonnegative": is_nonnegative(value),
        "unit": is_positive(value) and is_positive(1 - value),
        "at_least_one": is_nonnegative(value - 1),
    }[pattern.domain]
    assumed |= rules.assumed
    return "" if ok and not rules.needs else f"{actual!r} is not shown to be {pattern.domain}"


def _not_such_a_density(
    pattern: Dens,
    actual: Node,
    patterns: dict[Any, tuple[Dens, Node]],
    dimension: int,
    assumed: set[str],
) -> str:
    bound = event_variables(actual)
    if pattern.givens:
        return f"{pattern!r} has a condition; only unconditional densities can be replaced"
    rules = Rules()
    lower = Lowering(rules, dimension)
    try:
        if not _is_density(actual):
            return f"{actual!r} is not a density"
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
            if not all(lower.positive(b, (weight,)) for b, _ in _parts(value)):
                return f"{actual!r} is not shown to be positive wherever {patterns[other][1]!r} is"
    except Unsupported as error:
        return f"no rule for {error}"
    assumed |= rules.assumed
    return str(rules.needs[0]) if rules.needs else ""


def _parts(value: Any) -> list[tuple[Any, Any]]:
    from genmath.proof.symbolic.algebra import irreducible_factors

    return irreducible_factors(value)


def _is_density(e: Node) -> bool:
    """Densities, their products and their averages: non-negative by construction."""
    if isinstance(e, (Dens, Normal)):
        return True
    if isinstance(e, Named):
        return _is_density(e.body)
    if isinstance(e, (Mul, Add)):
        return all(_is_density(a) or isinstance(a, Number) for a in e.args)
    return isinstance(e, Div) and _is_density(e.args[0]) and isinstance(e.args[1], Number)
