"""Judge A: a proof for all functions and parameters under the stated hypotheses."""

from __future__ import annotations

from functools import cache
from typing import Any

from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Derivation, Lemma
from genmath.proof.language.tree import (
    Add,
    Identity,
    Node,
    NotationError,
    Relation,
)
from genmath.proof.symbolic.certificates import Signs
from genmath.proof.symbolic.equality import by_coordinates, prove_equal
from genmath.proof.symbolic.lemmas import lemma_gap, may_be_zero, undischarged
from genmath.proof.symbolic.lower import Lowering
from genmath.proof.symbolic.proof import Proof, difference
from genmath.proof.symbolic.supports import Rules, Unsupported


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
        by_coordinates(lower(claim.lhs), lower(claim.rhs))
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
        problem = problem or may_be_zero(lemma, _nonzero(lemma), dimension, rules)
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
        result = prove_equal(claim.lhs, claim.rhs, lemmas, dimension)
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
    result = prove_equal(gap, certificate, equalities, dimension)
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


@cache
def proofs(derivation: Derivation) -> tuple[Proof, ...]:
    """The symbolic proofs of a derivation that is used as a lemma."""
    return tuple(prove(s.claim, s.because) for s in derivation.steps if not s.unfilled)


def _nonzero(lemma: Lemma) -> set[Any]:
    """The denominators that the lemma's own proof let pass."""
    return {under for p in proofs(lemma.source) for under in p.nonzero}
