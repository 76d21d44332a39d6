"""The certificate of a step: what it claims, and a proof that the kernel follows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence, Set
from typing import Any

from genmath.proof.certificate import said
from genmath.proof.certificate.gaps import as_gap, equal_gap
from genmath.proof.certificate.gathered import gathered
from genmath.proof.certificate.induction import by_induction
from genmath.proof.certificate.iterated import apart
from genmath.proof.certificate.scope import NoProof, Place, Writing
from genmath.proof.certificate.vectors import Vectors, holds_many
from genmath.proof.certificate.writer import Writer
from genmath.proof.coq.monomials import expand
from genmath.proof.coq.reading import DERIVATIVE, NoReal, Reading
from genmath.proof.coq.terms import Term, add, atoms, functions, minus, replaced
from genmath.proof.coq.theorem import Statement
from genmath.proof.kernel.claims import claim as read
from genmath.proof.kernel.limits import Rejected
from genmath.proof.language.claims import STRICT, Claim
from genmath.proof.language.derivation import Lemma, Step
from genmath.proof.language.methods import Induction, Method
from genmath.proof.language.tree import Node


def stated(
    claim: Claim, because: tuple[Node | Lemma, ...] = (), read: Reading | None = None
) -> Statement:
    if any(isinstance(b, Method) and not isinstance(b, Induction) for b in because):
        raise NoProof("it is shown by a method of analysis")
    try:
        return Statement(claim, because, read)
    except NoReal as error:
        raise NoProof(str(error)) from None


def readings(claim: Claim, because: tuple[Node | Lemma, ...] = ()) -> Iterator[Statement]:
    """A claim as it is read for Coq; and, of vectors, by their coordinates."""
    if not holds_many((claim.lhs, claim.rhs)):
        yield stated(claim, because)
        return
    with contextlib.suppress(NoProof):
        yield stated(claim, because)
    yield stated(claim, because, Vectors())


def statements(step: Step) -> Iterator[Statement]:
    """What a step claims; `NoProof` where that is nothing that is read."""
    if step.unfilled:
        raise NoProof("it is left as ...")
    yield from readings(step.claim, step.because)


def of_step(step: Step) -> dict[str, Any]:
    """The certificate of the first of its statements that has one."""
    why = NoProof("it says nothing")
    for claim in statements(step):
        try:
            return certificate(claim)
        except NoProof as error:
            why = error
    raise why


def certificate(claim: Statement) -> dict[str, Any]:
    """Claim and proof, with as few laws as will do: none; those of integrals and densities; those,
    where densities are > 0; by induction. If none will do, with normal laws written out, or, under
    integrals, what stands beside them taken by parts."""
    document, why = said.claim(claim), NoProof()
    ways = [set[str](), {"laws"}, {"laws", "supports"}]
    if claim.induction:
        ways.append({"laws", "induction"})
    if any(_normal(t) for side in (claim.left, claim.right) for t in atoms(side)):
        ways.append({"normals"})
    elif "normal" in functions(claim.left) | functions(claim.right):
        ways += [{"laws", "parts"}, {"laws", "normals"}]
    for way in ways:
        try:
            return {"claim": document, "proof": _proof(claim, document, way)}
        except NoProof as error:
            why = error if way <= {"laws", "supports"} else why
        except RecursionError:  # each rewriting asks for another
            why = NoProof("too deeply nested")
    raise why


def _normal(t: Term) -> bool:
    """Whether it speaks of a normal law, under no integral."""
    if t.data == DERIVATIVE:
        return any(map(_normal, atoms(t.args[0].args[0])))
    return t.data == "normal" or any(_normal(s) for a in t.args for s in atoms(a))


def _indicated(terms: Sequence[Term], indicator: str, bound: Set[str] = frozenset()) -> list[Any]:
    """Of what there are indicators in terms."""
    found: list[Any] = []
    for t in terms:
        if t.op == "app" and t.data == indicator:
            found.append(expand(replaced(t.args[0], dict.fromkeys(bound, "_"))) or {})
        own = {name for name, _ in t.data} if t.op == "lam" else set[str]()
        found += _indicated(t.args, indicator, bound | own)
    return found


def _proof(claim: Statement, document: dict[str, Any], way: Set[str]) -> list[Any]:
    try:
        understood = read(document)
    except Rejected as why:
        raise NoProof(f"the kernel does not read the claim: {why}") from None
    signs = claim.signs()
    signs.laws, signs.supports, signs.apart = "laws" in way, "supports" in way, apart
    signs.gap = equal_gap
    signs.normals, signs.parts = "normals" in way, "parts" in way
    signs.always, signs.everywhere = claim.always, claim.read.everywhere
    signs.whole = claim.whole
    signs.indicated = _indicated((claim.left, claim.right), signs.indicator)
    place = Place(Writing(understood), signs)
    writer = Writer(claim.heads)
    if "induction" in way:
        by_induction(claim, writer, place)
    elif claim.sign == "=":
        writer.equality(claim.left, claim.right, place)
    else:
        _bound(claim, writer, place)
    if understood.states not in place.scope.known:
        raise NoProof("the kernel does not follow")
    return place.steps


def _bound(claim: Statement, writer: Writer, place: Place) -> None:
    """The gap is a sum of what is seen to be >= 0, or of the gaps of earlier results."""
    above, strict = claim.sign[0] == ">", claim.sign in STRICT
    low, high = (claim.right, claim.left) if above else (claim.left, claim.right)
    gap, signs = minus(high, low), place.signs
    if place.number("<" if strict else "<=", low, high) is not None:
        return
    parts: list[Term] = list(claim.certificates)
    facts: list[int] = []
    for k, (sign, _, _) in enumerate(claim.results):
        if not parts and sign != "=":
            facts.append(place.add("result", k))
    if facts:
        parts = [
            minus(a, b) if sign[0] == ">" else minus(b, a)
            for sign, a, b in claim.results if sign != "="
        ]  # fmt: skip
    parts = parts or [gap]
    if not facts:
        parts = [as_gap(part, signs) for part in parts]
    together = None
    with contextlib.suppress(NoProof):
        together = gathered(writer, minus(gap, add(*parts)), place)
    if together is None and not writer.equal(gap, add(*parts), signs):
        raise NoProof("the gap is not what is given as a reason")
    if together is not None:
        writer.bounds(place).divisors(gap, *parts)
    if not facts:
        for part in parts:
            if not signs.nonnegative(part):
                raise NoProof("the sign of the gap takes more than its shape")
            number = writer.bounds(place).nonnegative(part)
            if number is not None:
                facts.append(number)
    numbers = [p.data for p in parts if p.op == "num"]
    by = writer.equations([gap, *parts], place, 0) if together is None else together
    sign = "<" if strict else "<="
    terms: list[list[Any]] = [["1", k] for k in facts]
    if sum(numbers):
        terms.append([str(sum(numbers))])
    place.add("combination", [sign, said.of(low), said.of(high)], terms, by)
