"""Induction; suprema by a bound for every value and a place where it is attained; limits between
two bounds. Each turns a claim into others, and all of them have to be proved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from genmath.proof.language.binders import Limit, Over, limit, sides
from genmath.proof.language.claims import STRICT, Claim
from genmath.proof.language.derivation import Lemma
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.methods import Attained, Induction, Method, Within
from genmath.proof.language.tree import (
    Add,
    Mul,
    Named,
    Node,
    NotationError,
    Number,
    Relation,
    Symbol,
    free_symbols,
)
from genmath.proof.symbolic.domains import outside_domain
from genmath.proof.symbolic.proof import Proof, difference, gap_of

Because = tuple[Node | Lemma, ...]
Prove = Callable[[Claim, Because], Proof]
TURNED = {"=": "=", ">=": "<=", "<=": ">=", ">": "<", "<": ">"}
LARGE, SMALL = ("sup", "max"), ("inf", "min")


def by_method(claim: Claim, because: Because, dimension: int, prove: Prove) -> Proof | None:
    """A proof by what the claim or its reason asks for; None where that is nothing of the kind."""
    methods = [b for b in because if isinstance(b, Method)]
    rest = tuple(b for b in because if not isinstance(b, Method))
    if len(methods) > 1:
        return Proof(False, f"two methods, {methods[0]!r} and {methods[1]!r}, for one step")
    try:
        match methods:
            case [Induction() as method]:
                return _by_induction(claim, method.letter, rest, prove)
            case [Attained() as method]:
                return _attained(claim, method, rest, dimension, prove)
            case [Within() as method]:
                return _within(claim, method, rest, prove)
        return _for_every_value(claim, rest, prove)
    except NotationError as error:
        return Proof(False, str(error))


def _all(proofs: Iterable[Proof]) -> Proof:
    """What they show together; the first that fails, if one does."""
    total = Proof(True)
    for one in proofs:
        if not one.proved:
            return one
        total.assumed |= one.assumed
        total.consulted |= one.consulted
        total.nonzero |= one.nonzero
        total.normal = total.normal or one.normal
        total.lemmas += [m for m in one.lemmas if m not in total.lemmas]
        total.hypotheses += [h for h in one.hypotheses if h not in total.hypotheses]
    return total


def _at(claim: Claim, letter: Symbol, value: Node) -> Claim:
    pairs = ((letter, value),)
    return replace(claim, lhs=instantiate(claim.lhs, pairs), rhs=instantiate(claim.rhs, pairs))


def _speaks_of(claim: Claim, letter: Symbol) -> str:
    """Why a letter does not stand for all its values; "" if it does."""
    for g in claim.given:
        if letter in free_symbols(g.left) | free_symbols(g.right):
            return f"the hypothesis {g!r} speaks of {letter!r}, which is to have every value"
    return ""


def _why(proof: Proof, where: str) -> Proof:
    return proof if proof.proved else replace(proof, reason=f"{where}: {proof.reason}")


# --- induction ---


def _by_induction(claim: Claim, n: Symbol, because: Because, prove: Prove) -> Proof:
    if problem := _speaks_of(claim, n):
        return Proof(False, problem)
    if n not in free_symbols(claim.lhs) | free_symbols(claim.rhs):
        return Proof(False, f"induction over {n!r}, of which the claim does not speak")
    base = _why(prove(_at(claim, n, Number(1)), ()), f"for {n!r} = 1")
    if not base.proved:
        return base
    after = _at(claim, n, n + 1)
    step = _equal_step if claim.relation == "=" else _bound_step
    return _all([base, _why(step(claim, after, because, prove), f"from {n!r} to {n!r} + 1")])


def _equal_step(claim: Claim, after: Claim, because: Because, prove: Prove) -> Proof:
    """Both sides grow by the same, or by the same factor, the right one not being 0."""
    grown = replace(
        claim, lhs=difference(after.lhs, claim.lhs), rhs=difference(after.rhs, claim.rhs)
    )
    added = prove(grown, because)
    if added.proved:
        return added
    times = replace(claim, lhs=Mul(after.lhs, claim.rhs), rhs=Mul(after.rhs, claim.lhs))
    positive = replace(claim, lhs=claim.rhs, relation=">", rhs=Number(0))
    by_factor = _all([prove(times, because), prove(positive, ())])
    return by_factor if by_factor.proved else added


def _bound_step(claim: Claim, after: Claim, because: Because, prove: Prove) -> Proof:
    """With the bound for n as a hypothesis. Without a certificate, the gap is seen to grow."""
    known = Relation(claim.lhs, claim.relation, claim.rhs)
    if not any(isinstance(b, Node) for b in because):
        before, now = gap_of(known), gap_of(Relation(after.lhs, after.relation, after.rhs))
        because = (*because, Add(before, difference(now, before)))
    found = prove(replace(after, given=(*claim.given, known)), because)
    found.hypotheses = [h for h in found.hypotheses if h != known]
    found.certificate = None
    return found


# --- suprema and infima ---


def _extreme(node: Node) -> Over | None:
    while isinstance(node, Named):
        node = node.body
    return node if isinstance(node, Over) and node.kind in LARGE + SMALL else None


def _turned(claim: Claim) -> Claim:
    return replace(claim, lhs=claim.rhs, relation=TURNED[claim.relation], rhs=claim.lhs)


def _with_extreme_left(claim: Claim) -> tuple[Claim, Over] | None:
    for c in (claim, _turned(claim)):
        whole = _extreme(c.lhs)
        if whole is not None:
            return c, whole
    return None


def _opened(claim: Claim, whole: Over) -> str:
    """Why the letter of the supremum may not be taken for any of its values; "" if it may."""
    if whole.letter in free_symbols(claim.rhs):
        return f"{whole.letter!r} is bound on one side and free on the other: rename one"
    return _speaks_of(claim, whole.letter)


def _for_every_value(claim: Claim, because: Because, prove: Prove) -> Proof | None:
    """sup f <= c, since f <= c at every value."""
    if claim.relation not in ("<=", ">="):
        return None
    for c in (claim, _turned(claim)):
        whole = _extreme(c.lhs)
        if whole is not None and (whole.kind in LARGE) == (c.relation == "<="):
            if problem := _opened(c, whole):
                return Proof(False, problem)
            found = prove(replace(c, lhs=whole.body), because)
            return replace(found, certificate=None)
    return None


def _attained(
    claim: Claim, method: Attained, because: Because, dimension: int, prove: Prove
) -> Proof:
    """A bound for every value, which is met at one; or, at infinity, come near to."""
    found = _with_extreme_left(claim)
    if found is None:
        return Proof(False, f"{method!r}: neither side is a supremum, an infimum or an extreme")
    claim, whole = found
    if method.letter != whole.letter:
        return Proof(False, f"{method!r}: the extreme is over {whole.letter!r}")
    if problem := _opened(claim, whole):
        return Proof(False, problem)
    outward = ">=" if whole.kind in LARGE else "<="  # an extreme is at least as far as any value
    if claim.relation not in ("=", outward, outward[0]):
        return Proof(False, f"{method!r} shows the other bound: leave it out")
    parts = []
    if claim.relation == "=":
        bound = replace(claim, lhs=whole.body, relation=TURNED[outward])
        parts.append(_why(prove(bound, because), "the bound for every value"))
    at = method.at
    anywhere = whole.letter.is_variable and whole.letter.domain == "real"
    if anywhere and getattr(at, "space", "") != whole.letter.space:
        return Proof(False, f"{at!r} is not said to be a value of {whole.letter!r}: use reals(...)")
    if sides(at) or (problem := outside_domain(whole.letter, at, dimension, set())):
        if _far_from(whole.letter, at, dimension):
            return Proof(False, f"{method!r}: no value of {whole.letter!r} is near {at!r}")
        if claim.relation in STRICT:
            return Proof(False, f"{method!r}: what is only approached shows no strict bound")
        try:
            reached = limit(whole.body, whole.letter, at)
        except NotationError as error:
            return Proof(False, f"{method!r}: {error if sides(at) else problem}")
    else:
        reached = instantiate(whole.body, ((whole.letter, at),))
    there = replace(claim, lhs=reached)
    mine = () if claim.relation == "=" else because
    parts.append(_why(prove(there, mine), f"at {whole.letter!r} = {at!r}"))
    return _all(parts)


def _far_from(letter: Symbol, at: Node, dimension: int) -> bool:
    """Whether a place that is no value of the letter is not seen to be an end of its values."""
    if side := sides(at):
        return side < 0 and letter.domain != "real"
    closed = Symbol(letter.name, domain="nonnegative", space=letter.space)
    return letter.domain == "positive" and outside_domain(closed, at, dimension, set()) != ""


# --- limits ---


def _within(claim: Claim, method: Within, because: Because, prove: Prove) -> Proof:
    """|f - c| <= b at every value, and b goes to 0."""
    for c in (claim, _turned(claim)):
        whole = c.lhs
        if isinstance(whole, Limit) and claim.relation == "=":
            break
    else:
        return Proof(False, f"{method!r}: it shows that a limit is equal to something")
    letter, b = whole.letter, method.args[0]
    if letter in free_symbols(c.rhs):
        return Proof(False, f"{letter!r} is bound on one side and free on the other: rename one")
    if problem := _speaks_of(claim, letter):
        return Proof(False, problem)
    to_zero = replace(c, lhs=Limit(b, letter, whole.to), rhs=Number(0))
    shown = [_why(prove(to_zero, ()), "the bound is not seen to go to 0")]
    away = difference(whole.body, c.rhs)
    for relation, end in (("<=", b), (">=", -b)):
        one = replace(c, lhs=away, relation=relation, rhs=end)
        tries = [(), *((r,) for r in because)]
        proofs = (prove(one, r) for r in tries)
        shown.append(next((p for p in proofs if p.proved), prove(one, ())))
    return _all(shown)
