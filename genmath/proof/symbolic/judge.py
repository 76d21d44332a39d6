"""Judge A: a proof for all functions and parameters under the stated hypotheses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial

from genmath.proof.language.binders import Between
from genmath.proof.language.claims import STRICT, Claim
from genmath.proof.language.derivation import Derivation, Lemma
from genmath.proof.language.instantiate import instantiate, redeclare
from genmath.proof.language.methods import Method
from genmath.proof.language.obligations import Obligation
from genmath.proof.language.shapes import NUMBER, shape, size_of
from genmath.proof.language.tree import (
    Add,
    Dens,
    Deriv,
    Family,
    Identity,
    Node,
    Normal,
    NotationError,
    Number,
    Relation,
    Symbol,
    event_variables,
    free_symbols,
)
from genmath.proof.symbolic.certificates import Signs
from genmath.proof.symbolic.equality import by_coordinates, prove_equal
from genmath.proof.symbolic.facts import FACTS, assuming, noting
from genmath.proof.symbolic.hypotheses import equalities, facts_of, has_room, put, solved
from genmath.proof.symbolic.lemmas import lemma_gap, may_be_zero, undischarged
from genmath.proof.symbolic.lower import Lowering
from genmath.proof.symbolic.methods import by_method
from genmath.proof.symbolic.proof import Proof, difference, gap_of
from genmath.proof.symbolic.supports import NOT_ZERO, Rules, Said, Unsupported

MOST_SIGNS = 6  # of rows of orthogonal matrices, for each of which both are tried
NOT_SOLVED = "a denominator may be 0 under the hypotheses"


def prove(claim: Claim, because: tuple[Node | Lemma, ...] = ()) -> Proof:
    """Try to prove a claim in every dimension it speaks of."""
    with assuming(()), noting(set()):  # whatever is known where the claim is used as a lemma
        return _prove_in_all(claim, because)


def _prove_in_all(claim: Claim, because: tuple[Node | Lemma, ...]) -> Proof:
    total = Proof(True)
    if claim.relation != "=" and {shape(claim.lhs), shape(claim.rhs)} != {NUMBER}:
        return Proof(False, "only numbers are ordered", meaningless=True)
    if max(claim.dims) == 1 and (problem := ill_typed(claim)):
        return Proof(False, problem, meaningless=True)
    cases = [claim] if because or claim.relation != "=" else list(by_bits(claim))
    for dimension, case, reasons in (
        (d, *turned) for d in claim.dims for c in cases for turned in by_signs(c, because, d)
    ):
        one = _with_hypotheses(case, reasons, dimension)
        _add(total, one)
        total.certificate = one.certificate if case is claim else None
        if not one.proved:
            total.proved, total.reason, total.residual = False, one.reason, one.residual
            total.known, total.dimension = one.known, dimension
            total.meaningless = one.meaningless
            if len(claim.dims) > 1:
                total.reason += f" (d = {dimension})"
            break
    return total


def by_bits(claim: Claim) -> Iterator[Claim]:
    """The claim for each value of its free letters for 0 or 1, or for one of some numbers, of which
    neither an arbitrary density nor a hypothesis speaks, and which are not bound as well."""
    sides = (claim.lhs, claim.rhs)
    free = set[Symbol]().union(*map(free_symbols, sides))
    spoken = {a for side in sides for n in side.walk() if isinstance(n, Dens) for a in n.args}
    spoken |= {s for g in claim.given for side in (g.left, g.right) for s in free_symbols(side)}
    spoken |= {s for side in sides for n in side.walk() for s in (*n.bound, *n.letters)}
    few = sorted((s for s in free - spoken if s.domain in ("bit", "values")), key=lambda s: s.name)
    values_of = [s.args or (Number(0), Number(1)) for s in few]
    for values in itertools.product(*values_of):
        at = tuple(zip(few, values, strict=True))

        def put(node: Node, at: tuple[tuple[Symbol, Node], ...] = at) -> Node:
            return instantiate(node, at)

        yield replace(claim, lhs=put(claim.lhs), rhs=put(claim.rhs))


def by_signs(
    claim: Claim, because: tuple[Node | Lemma, ...], dimension: int
) -> Iterator[tuple[Claim, tuple[Node | Lemma, ...]]]:
    """The claim for each choice of signs of the rows of its orthogonal matrices, and of its
    directions: what `Letters.entries` puts for them depends on it."""
    trees = [claim.lhs, claim.rhs, *(side for g in claim.given for side in (g.left, g.right))]
    for b in because:
        trees += [a for _, a in b.arguments] if isinstance(b, Lemma) else [b]
    letters = {s for tree in trees for n in tree.walk() for s in (n, *n.letters)
               if isinstance(s, Symbol) and s.domain in ("orthogonal", "direction")}  # fmt: skip
    if not letters:
        yield claim, because
        return
    ordered = sorted(letters, key=lambda s: s.name)
    rows = [1 if s.shape == "vector" else size_of(s.sized)[0] or dimension for s in ordered]
    if sum(rows) > MOST_SIGNS:
        yield claim, because  # which says that it takes cases
        return
    for signs in itertools.product("+-", repeat=sum(rows)):
        left = iter(signs)
        here, reasons = claim, because
        for s, n in zip(ordered, rows, strict=True):
            turned = Symbol(s.name, domain=s.domain, shape=s.sized,
                            space="".join(itertools.islice(left, n)))  # fmt: skip
            here, reasons = put(here, reasons, partial(redeclare, old=s, new=turned))
        yield here, reasons


def ill_typed(claim: Claim) -> str:
    """On the line, columns and matrices look alike: types are tried in the plane."""
    sides = (claim.lhs, claim.rhs)
    if not any(isinstance(n, Identity) or getattr(n, "shape", "") for s in sides for n in s.walk()):
        return ""
    try:
        flat, _ = next(by_signs(claim, (), 2))
        lower = Lowering(Rules(), 2)
        by_coordinates(lower(flat.lhs), lower(flat.rhs))
    except NotationError as error:
        return str(error)
    except Unsupported:
        pass
    return ""


def _with_hypotheses(claim: Claim, because: tuple[Node | Lemma, ...], dimension: int) -> Proof:
    """Without the hypotheses where that will do, except for a bound of just that sign; else with
    as few of them as it takes."""
    plain = _prove(claim, because, dimension)
    if not claim.given or (plain.proved and not plain.nonzero):
        return plain  # a denominator that was let pass may be 0 under the hypotheses

    def attempt(given: tuple[Relation, ...]) -> Proof:
        less = replace(claim, given=given)
        moved = solved(less, because, dimension)
        same = moved == (less, because)
        if same and plain.proved and any(equalities(given)):
            return Proof(False, NOT_SOLVED)
        with assuming(facts_of(given, dimension)):
            found = _prove(less, because, dimension)
        if not same and (not found.proved or found.nonzero):
            less = moved[0]
            try:
                found = _in_cases(*moved, dimension)
            except NotationError as error:  # a letter of a lemma is not moved
                return Proof(False, str(error))
        if found.proved and found.nonzero and not has_room(less.given, dimension):
            return Proof(False, NOT_SOLVED)
        return found

    needed = claim.given
    best = attempt(needed)
    if not best.proved:
        return best if plain.proved else plain
    if plain.proved and best.nonzero:
        return plain  # otherwise the hypotheses are worth stating: with them nothing is let pass
    for g in claim.given:
        fewer = tuple(h for h in needed if h != g)
        if (found := attempt(fewer)).proved and found.nonzero <= best.nonzero:
            needed, best = fewer, found
    best.hypotheses = list(needed)
    if best.certificate is not None:  # in the author's letters
        gap, parts = _gap_and_parts(claim, because)
        best.certificate = (gap, parts[0] if len(parts) == 1 else Add(*parts))
    return best


def _in_cases(claim: Claim, because: tuple[Node | Lemma, ...], dimension: int) -> Proof:
    """For each choice of signs, where hypotheses have made a matrix orthogonal."""
    total = Proof(True)
    for case, reasons in by_signs(claim, because, dimension):
        with assuming(facts_of(case.given, dimension)):
            one = _prove(case, reasons, dimension)
        if not one.proved or case is claim:
            return one
        _add(total, one)
    return total


def _add(total: Proof, one: Proof) -> None:
    """What a further case relies on."""
    total.assumed |= one.assumed
    total.consulted |= one.consulted
    total.nonzero |= one.nonzero
    total.line |= one.line
    total.normal = total.normal or one.normal
    total.lemmas += [m for m in one.lemmas if m not in total.lemmas]
    total.hypotheses += [h for h in one.hypotheses if h not in total.hypotheses]


def _gap_and_parts(claim: Claim, because: tuple[Node | Lemma, ...]) -> tuple[Node, list[Node]]:
    """What is to be >= 0, and the expressions whose sum shows it."""
    sides = (claim.lhs, claim.rhs) if claim.relation[0] == ">" else (claim.rhs, claim.lhs)
    gap = difference(*sides)
    nodes = [b for b in because if isinstance(b, Node) and not isinstance(b, Method)]
    bounds = [lemma_gap(b) for b in because if isinstance(b, Lemma) and b.claim.relation != "="]
    return gap, nodes or bounds or [gap]


def _prove(claim: Claim, because: tuple[Node | Lemma, ...], dimension: int) -> Proof:
    """As it stands, or by a method that the claim or its reason asks for."""

    def prove_part(part: Claim, reasons: tuple[Node | Lemma, ...]) -> Proof:
        with assuming(
            facts_of(part.given, dimension) if part.given != claim.given else FACTS.get()
        ):
            return _prove(part, reasons, dimension)

    if any(isinstance(b, Method) for b in because):
        found = by_method(claim, because, dimension, prove_part)
        assert found is not None
        return found
    plain = _directly(claim, because, dimension)
    if plain.proved or plain.meaningless:
        return plain
    return by_method(claim, because, dimension, prove_part) or plain


def _directly(claim: Claim, because: tuple[Node | Lemma, ...], dimension: int) -> Proof:
    nodes = [b for b in because if isinstance(b, Node)]
    lemmas = [b for b in because if isinstance(b, Lemma)]
    rules = Rules()
    proof = Proof(False)
    for lemma in lemmas:
        if problem := _refused(lemma, claim, dimension, rules):
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
    gap, parts = _gap_and_parts(claim, because)
    bounds = [m for m in lemmas if m.claim.relation != "="]
    facts: list[tuple[Node, object]] = [(lemma_gap(m), m) for m in bounds]
    facts += [(gap_of(g), g) for g in claim.given if g.sign != "="]
    signs = Signs(facts, dimension)
    least = "> 0" if claim.relation in STRICT else ">= 0"
    try:
        for part in parts:
            if not signs.nonnegative(part):
                proof.reason = (
                    f"the sign of the certificate is not proved: {part!r}"
                    if nodes or bounds
                    else f"the gap is not seen to be {least}: give a certificate or lemma, "
                    "because=..."
                )
                return proof
        if claim.relation in STRICT and not any(signs.positive(part) for part in parts):
            proof.reason = "the certificate is >= 0, but not seen to be > 0"
            return proof
    except (NotationError, Unsupported) as error:
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


def _refused(lemma: Lemma, claim: Claim, dimension: int, rules: Rules) -> str:
    """Why it may not be used; "" if it may. In the claim hypotheses may have redeclared letters of
    which it speaks."""
    try:
        return (
            undischarged(lemma, claim, dimension, rules)
            or _elsewhere(lemma)
            or may_be_zero(lemma, proofs(lemma.source), dimension, rules)
        )
    except NotationError as error:
        return str(error)


def _elsewhere(lemma: Lemma) -> str:
    """Why it may not be used of letters that live elsewhere; "" if it may: where its proof knows
    nothing of the line."""
    moved = any(
        (old.domain, old.args) != (new.domain, new.args)
        for pattern, actual in lemma.arguments if isinstance(pattern, Dens)
        for old in event_variables(pattern) for new in event_variables(actual)
    )  # fmt: skip
    if not moved:
        return ""
    if any(old.domain != "real" for p, _ in lemma.arguments for old in event_variables(p)):
        return "its letters live elsewhere"
    return "" if _anywhere(lemma.source) else "its proof is one for letters of the line"


def _anywhere(source: Derivation) -> bool:
    """Whether a proof is one for any measure: nothing is differentiated, and no rule for the line
    was used."""
    nodes = (n for s in source.steps for side in (s.lhs, s.rhs) for n in side.walk())
    if any(isinstance(n, (Deriv, Between, Family, Normal)) for n in nodes):
        return False
    shown = proofs(source)
    free = all(
        isinstance(a, Obligation) or (isinstance(a, Said) and a.is_so == NOT_ZERO)
        for p in shown for a in p.assumed
    ) and not any(p.normal for p in shown)  # fmt: skip
    return free and all(_anywhere(m.source) for p in shown for m in p.lemmas)


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
