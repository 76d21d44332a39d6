"""Equations of a whole number by induction: the one for k + 1 less a multiple of the one for k."""

from __future__ import annotations

from fractions import Fraction

from genmath.proof.certificate import said
from genmath.proof.certificate.scope import NoProof, Place
from genmath.proof.certificate.steps import quotient
from genmath.proof.certificate.writer import Writer
from genmath.proof.coq.monomials import Monomial, Polynomial, expand, product
from genmath.proof.coq.rules import opened
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Condition, Term, add, minus, mul, neg, num, replaced, var
from genmath.proof.coq.theorem import Statement
from genmath.proof.kernel.terms import ONE as FIRST

ONE = num(1)


def by_induction(claim: Statement, writer: Writer, place: Place) -> int:
    """From 1 on."""
    (n,) = claim.induction
    if claim.sign != "=" or n.op != "var" or n.data not in claim.whole:
        raise NoProof("it is no equation of a whole number")

    def of(k: Term) -> tuple[Term, Term]:
        return replaced(claim.left, {n.data: k}), replaced(claim.right, {n.data: k})

    writer.bounds(place).nonnegative(add(n, neg(ONE)))
    stated: Condition = ("=", claim.left, claim.right)
    template = said.relation(stated, [[n.data]])
    first, _, _ = place.scope.inside([[], []], 0, [])
    start = Place(first, place.signs.within([], []))
    writer.equality(*of(ONE), start)

    letter = next(writer.letters)
    k = var(letter)
    where = [("<=", FIRST, ("#", 0)), place.scope.read.fact(template, 1)]
    scope, _, _ = place.scope.inside([[letter], []], 1, where)
    scope.counts |= {letter}
    signs = place.signs.within([letter], [("<=", ONE, k)])
    signs.whole |= {letter}
    step = Place(scope, signs)
    (left, right), (later, other) = of(k), of(add(k, ONE))
    share = _share(minus(left, right), minus(later, other), signs)
    known = step.number("=", left, right)
    gaps = [add(a, neg(mul(share, b))) for a, b in ((later, left), (other, right))]
    equal = writer.equality(gaps[0], gaps[1], step)
    terms = [["1", equal], [said.of(share), known]]
    step.add("combination", ["=", said.of(later), said.of(other)], terms, [])
    proof = start.steps, [letter], step.steps
    return place.add("induction", template, "1", said.of(n), *proof)


def _share(gap: Term, later: Term, signs: Signs) -> Term:
    """How many times the sums of one stand in the other."""
    now, then = (_of_sums(opened(t, signs), signs) for t in (gap, later))
    for t, p in now.items():
        q = then.get(t, {})
        first = min(p, key=lambda m: str(product(m, {})))
        for m, c in q.items():
            ratio = c / p[first], quotient(m, first)
            if _times(p, *ratio) == q:
                return mul(num(ratio[0]), product(ratio[1], {}))
    return ONE


def _of_sums(t: Term, signs: Signs) -> dict[Term, Polynomial]:
    """By the sums in it, what stands beside them."""
    found: dict[Term, Polynomial] = {}
    for m, c in (expand(t) or {}).items():
        for a, k in m:
            head = signs.heads.get(a.data) if a.op == "app" else None
            if head is not None and head.linear == "sum" and k == 1:
                found.setdefault(a, {})[m - {(a, k)}] = c
    return found


def _times(p: Polynomial, c: Fraction, n: Monomial) -> Polynomial:
    inverse = frozenset((a, -k) for a, k in n)
    return {quotient(m, inverse): d * c for m, d in p.items()}
