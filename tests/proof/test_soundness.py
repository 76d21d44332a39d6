"""Soundness above power: of thousands of random false claims, none is proved.

A claim counts as false when the numeric judge refutes it, which shares no code with the symbolic
one. The claims are (1) true identities of the chapters, broken at random, (2) identities and bounds
drawn at random from every kind of expression the checker knows, bounds with random certificates.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from genmath import book
from genmath.proof import (
    JS,
    KL,
    TV,
    Density,
    E,
    Function,
    H,
    Map,
    Normal,
    NotationError,
    Sequence,
    absolute,
    copies,
    covariances,
    det,
    diff,
    dot,
    exp,
    fractions,
    identity,
    indicator,
    infinity,
    integral,
    inverse,
    log,
    log_gap,
    mean_vectors,
    naturals,
    nonnegatives,
    norm2,
    number,
    numeric,
    positive_part,
    positives,
    product,
    reals,
    sigmoid,
    softplus,
    sqrt,
    tangent_gap,
    text,
    total,
    trace,
    variables,
    vectors,
)
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Node
from genmath.proof.mutate import mutants
from genmath.proof.symbolic.judge import prove

Draw = Callable[[random.Random], Node]

x, z = variables("x z")
z1, z2 = copies(z, 2)
p = Density("p", x, z)
pp = Density("r", x, z, positive=True)
q = Density("q", z, given=x, positive=True)
u = Density("u", x)
v = Density("v", x, dominates=u)
a, b = reals("a b")
s, t = positives("s t")
k = nonnegatives("k")
beta, gamma = fractions("beta gamma")
n, i = naturals("n i")
c = Sequence("c", domain="unit")
f = Function("f")
g = Function("g", convex=True)
h, k2 = Function("h"), Function("K")
phi = reals("phi")
w = Density("w", z, given=phi)
X, m1, m2 = vectors("X"), *mean_vectors("m_1 m_2")
S1, S2 = covariances("S_1 S_2")
low, high = variables("l", domain=(0, s)), variables("e", domain=(a, infinity))
inside, unit = variables("i_0", domain=(-1, 2)), variables("v_0", domain="unit")
side, few = variables("o", domain={-1, 1}), variables("j", domain={0, number(1) / 2, 3})
whole = variables("y", domain="integer")
in_ = Density("d", inside, positive=True)
on = Density("d_1", inside)
of_side, of_whole = Density("d_2", side, positive=True), Density("d_3", whole, positive=True)
at_whole = Density("d_4", z, given=whole, positive=True)
T, R = Map("T"), Map("R")
pX, qX = Density("p_X", X, positive=True), Density("q_X", X, positive=True)


def combine(leaves: Callable[[], list[Node]], wrap: list[Callable[[Node], Node]]) -> Draw:
    """Random expressions: leaves, scaled and added, sometimes wrapped."""

    def draw(r: random.Random) -> Node:
        def term() -> Node:
            e = r.choice(leaves())
            for _ in range(r.choice((0, 0, 1, 2))):
                e = r.choice(wrap)(e) if wrap and r.random() < 0.4 else e * r.choice(leaves())
            scale = r.choice((1, 1, 1, -1, 2))
            return e if scale == 1 else scale * e

        e = term()
        for _ in range(r.choice((0, 1, 1, 2))):
            e = e + term() if r.random() < 0.6 else e - term()
        return e

    return draw


def scalars() -> list[Node]:
    return [a, b, s, t, k, beta, gamma, number(2), 1 - beta, s + t, a - b]


ALGEBRA = combine(
    scalars,
    [
        exp,
        lambda e: e**2,
        lambda e: e / s,
        lambda e: sqrt(e**2 + s),
        absolute,
        sigmoid,
        softplus,
        lambda e: log(s + e**2),
        lambda e: sqrt(s * beta),
        lambda e: log(s / t),
        positive_part,
        lambda e: e / (1 - beta * gamma),
        lambda e: sqrt(1 - beta) * e,
        lambda e: (s + e**2) ** (number(1) / 3),
    ],
)
ABSTRACT = combine(
    lambda: [
        KL(u(x), v(x)),
        KL(v(x), u(x)),
        JS(u(x), v(x)),
        TV(u(x), v(x)),
        H(u(x)),
        E(u(x), f(x)),
        E(v(x), f(x)),
        E(u(x), log(u(x) / v(x))),
        E(v(x), u(x) / v(x)),
        E(u(x), v(x) / u(x)),
        integral(sqrt(u(x) * v(x)), x),
        integral(absolute(u(x) - v(x)), x),
        integral(positive_part(u(x) - v(x)), x),
        integral((u(x) - v(x)) * indicator(u(x) > v(x)), x),
        E(u(x), log_gap(v(x) / u(x))),
        KL(u(x), (u(x) + v(x)) / 2),
        E(v(x), g(u(x) / v(x))),
        g(1),
        E(v(x), tangent_gap(g, u(x) / v(x), 1)),
        integral(u(x) ** 2 / (u(x) + v(x)), x),
        number(1),
    ],
    [],
)
JOINT = combine(
    lambda: [
        E(p(x, z), f(z)),
        E(p(z), f(z)),
        E(p(x), f(x)),
        E(pp(x, z), log(pp(x, z))),
        E(pp(x), log(pp(x))),
        KL(pp(x, z), pp(x) * pp(z)),
        E(pp(x), KL(pp(z | x), pp(z))),
        E(pp(x), KL(pp(z | x), q(z | x))),
        E((pp(x), q(z | x)), log(q(z | x))),
        E((pp(x), q(z | x)), log(pp(x, z))),
        E(pp(x, z), log(pp(x | z))),
        E(
            pp(x),
            log(E((q(z1 | x), q(z2 | x)), (pp(x, z1) / q(z1 | x) + pp(x, z2) / q(z2 | x)) / 2)),
        ),
        E(
            pp(x),
            E((q(z1 | x), q(z2 | x)), log((pp(x, z1) / q(z1 | x) + pp(x, z2) / q(z2 | x)) / 2)),
        ),
        integral(p(x, z) * f(x), x, z),
        diff(E(w(z | phi), f(z)), phi),
        E(w(z | phi), f(z)),
        integral(f(z) * diff(w(z | phi), phi), z),
        number(0),
    ],
    [],
)
GAUSS = combine(
    lambda: [
        E(Normal(z, a, s), z),
        E(Normal(z, a, s), z**2),
        E(Normal(z, a, s**2), z**2),
        E(Normal(z, 0, t), z**4),
        KL(Normal(z, a, s), Normal(z, b, t)),
        KL(Normal(z, a, s**2), Normal(z, 0, 1)),
        H(Normal(z, a, s)),
        E(Normal(z, a, s**2), f(z)),
        E(Normal(x, 0, 1), f(a + s * x)),
        E(Normal(z, a, s), f.prime(z)),
        E(Normal(z, a, s), f(z) * (z - a) / s),
        diff(E(Normal(z, a, s**2), f(z)), a),
        diff(E(Normal(z, a, s**2), f(z)), s),
        integral(Normal(x, a * z, s) * Normal(z, b, t), z),
        Normal(x, a * b, a**2 * t + s),
        Normal(x, a, s),
        log(Normal(x, a, s)),
        a,
        s,
        number(1),
        log(s / t),
        (a - b) ** 2 / (2 * t),
        s / t,
    ],
    [],
)
SCORE = diff(log(pp(x)), x)
SMOOTH = combine(
    lambda: [
        E(pp(x), f(x) * SCORE),
        E(pp(x), h.prime(x)),
        E(pp(x), f(x) ** 2),
        E(pp(x), diff(h.prime(x), x)),
        E(pp(x), h.prime(x) * SCORE),
        E(pp(x), (f(x) - SCORE) ** 2),
        E(pp(x), f(x) ** 2 + 2 * diff(f(x), x)),
        E(pp(x), SCORE**2),
        E(pp(x, z), diff(k2(x, z), x)),
        E(pp(x, z), k2(x, z) * diff(log(pp(x, z)), z)),
        integral(f(x) * diff(pp(x), x), x),
        integral(f(x) * diff(diff(pp(x), x), x), x),
        integral(x * diff(pp(x), x), x),
        E(pp(x), diff(f(x) * h(x), x)),
        number(1),
        number(0),
    ],
    [],
)
SUMS = combine(
    lambda: [
        total(c[i], i, 1, n),
        total(log(1 - c[i]), i, 1, n),
        log(product(1 - c[i], i, 1, n)),
        product(c[i], i, 1, n),
        total(c[i] - c[i + 1], i, 1, n),
        c[1],
        c[n],
        c[n + 1],
        n,
        total(i, i, 1, n),
        n * (n + 1) / 2,
        total(s, i, 1, n),
        total(log_gap(1 - c[i]), i, 1, n),
        total(c[i] / (1 - c[i]), i, 1, n),
        total(c[i], i, 1, n + 1),
        number(1),
    ],
    [],
)
VECTORS = combine(
    lambda: [
        norm2(m1),
        norm2(m1 - m2),
        dot(m1, m2),
        trace(S1),
        trace(inverse(S2) * S1),
        log(det(S1)),
        trace(identity),
        dot(m1, inverse(S1) * m1),
        E(Normal(X, m1, S1), norm2(X)),
        E(Normal(X, m1, s * identity), norm2(X - m2)),
        s * trace(identity),
        trace(S1 * S2),
        dot(m1, S1 * m2),
        number(1),
    ],
    [],
)
INTERVALS = combine(
    lambda: [
        integral(f(low), low),
        integral(low**2, low),
        integral(diff(f(low) * low, low), low),
        integral(f(s * unit) * s, unit),
        integral(diff(f(inside), inside) * inside, inside),
        integral(exp(-high), high),
        f(s),
        f(0),
        f(2),
        E(in_(inside), f(inside)),
        E(on(inside), on(inside) / in_(inside)),
        E(in_(inside), inside**2),
        E(in_(inside), absolute(inside - 2)),
        integral(inside * diff(in_(inside), inside), inside),
        KL(on(inside), in_(inside)),
        H(in_(inside)),
        absolute(low - s),
        sqrt((high - a) ** 2),
        log(inside + 1),
        low,
        number(3),
        s,
        number(1),
    ],
    [],
)
NUMBERS = combine(
    lambda: [
        integral(f(side), side),
        integral(side * f(side), side),
        integral(few**2, few),
        integral(f(few), few),
        E(of_side(side), f(side)),
        E(of_side(side), side**2),
        E(of_side(side), side),
        H(of_side(side)),
        E(Normal(z, side, s), z * side),
        integral(Normal(z, side * a, s), side),
        f(1),
        f(-1),
        f(3),
        side,
        few,
        absolute(side),
        exp(side * a),
        number(2),
        number(1),
    ],
    [lambda e: e**2, absolute],
)
INTEGERS = combine(
    lambda: [
        E(of_whole(whole), f(whole)),
        E(of_whole(whole), f(whole + 1)),
        E(of_whole(whole), whole),
        E(of_whole(whole), whole**2 + 1),
        E(of_whole(whole), exp(-absolute(whole))),
        E(of_whole(whole), log(of_whole(whole))),
        integral(of_whole(whole) ** 2, whole),
        integral(exp(-(whole**2)), whole),
        integral(exp(-((whole - 1) ** 2)), whole),
        integral(f(2 * whole) * exp(-(whole**2)), whole),
        E(of_whole(whole), absolute(whole)),
        E((of_whole(whole), at_whole(z | whole)), f(z)),
        H(of_whole(whole)),
        sqrt(whole**2),
        whole,
        absolute(whole),
        number(1),
        number(0),
    ],
    [],
)
MAPS = combine(
    lambda: [
        norm2(T(m1)),
        norm2(T.inverse(T(m1))),
        norm2(T.inverse(R(m1))),
        dot(m1, T(m2)),
        norm2(m1),
        det(T.jacobian(m1)),
        det(T.inverse.jacobian(T(m1))),
        1 / det(T.jacobian(m1)),
        log(absolute(det(T.jacobian(m1)))),
        log(absolute(det(T.inverse.jacobian(m1)))),
        log(absolute(det(diff(R(T(m1)), m1)))),
        log(absolute(det(R.jacobian(T(m1))))),
        trace(T.jacobian(m1)),
        trace(T.inverse.jacobian(T(m1)) * T.jacobian(m1)),
        absolute(det(T.jacobian(m1))),
        trace(identity),
        number(1),
    ],
    [],
)
SIZE = absolute(det(T.inverse.jacobian(X)))
PUSHED = combine(
    lambda: [
        integral(f(norm2(X)) * pX(T.inverse(X)) * SIZE, X),
        E(pX(X), f(norm2(T(X)))),
        E(pX(X), f(norm2(X))),
        integral(pX(T.inverse(X)) * SIZE, X),
        integral(pX(T(X)) * absolute(det(T.jacobian(X))), X),
        integral(pX(T(X)) * absolute(det(R.jacobian(X))), X),
        integral(pX(T.inverse(X)), X),
        KL(pX(T.inverse(X)) * SIZE, qX(T.inverse(X)) * SIZE, over=X),
        KL(pX(X), qX(X)),
        H(pX(X)),
        E(pX(X), log(absolute(det(T.jacobian(X))))),
        number(1),
    ],
    [],
)
KINDS: dict[str, tuple[Draw, tuple[int, ...]]] = {
    "algebra": (ALGEBRA, (1,)),
    "abstract": (ABSTRACT, (1,)),
    "joint": (JOINT, (1,)),
    "gauss": (GAUSS, (1,)),
    "smooth": (SMOOTH, (1,)),
    "sums": (SUMS, (1,)),
    "vectors": (VECTORS, (1, 2)),
    "intervals": (INTERVALS, (1,)),
    "numbers": (NUMBERS, (1,)),
    "integers": (INTEGERS, (1,)),
    "maps": (MAPS, (1, 2)),
    "pushed": (PUSHED, (1,)),
}
DRAWN, BROKEN = 150, 140  # false claims a kind or chapter, in each part
PARTS = range(2)


def false(claim: Claim) -> bool:
    """Refuted by the numeric judge (an expression without meaning is not a claim)."""
    try:
        return numeric.compare(claim).verdict == "refuted"
    except ValueError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_random_false_claim_is_proved(kind: str, part: int) -> None:
    draw, dims = KINDS[kind]
    r = random.Random(f"drawn {kind} {part}")
    refuted = 0
    for _ in range(40 * DRAWN):
        if refuted >= DRAWN:
            break
        lhs = draw(r)
        if r.random() < 0.5:
            close = list(mutants(Claim(lhs, "=", lhs, (), dims)))
            claim = r.choice(close)[1]
        else:
            claim = Claim(lhs, r.choice(("=", ">=", "<=")), draw(r), (), dims)
        certificate = (draw(r),) if claim.relation != "=" and r.random() < 0.5 else ()
        if false(claim):
            refuted += 1
            try:
                proof = prove(claim, certificate)
            except NotationError:  # a letter is bound here and free there
                continue
            # of what has no value the symbolic judge says nothing: the numeric one tries that
            broken = proof.proved and numeric.compare(claim).obligation
            assert not proof.proved or broken, (
                f"{text(claim.lhs)} {claim.relation} {text(claim.rhs)}"
            )
    assert refuted >= DRAWN


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("topic", book.topics())
def test_no_broken_identity_is_proved(topic: str, part: int) -> None:
    """Of the mutants that `genmath check --mutants` counts as killed, without asking this judge."""
    r = random.Random(f"broken {topic} {part}")
    claims = [s.claim for d in book.chapter(topic).derivations for s in d.steps]
    refuted = 0
    for _ in range(5 * BROKEN):
        if refuted >= BROKEN:
            break
        claim = r.choice(list(mutants(r.choice(claims))))[1]
        if false(claim):
            refuted += 1
            assert not prove(claim).proved, f"{text(claim.lhs)} {claim.relation} {text(claim.rhs)}"
    assert refuted >= BROKEN


def test_at_least_ten_thousand() -> None:
    drawn, broken = DRAWN * len(KINDS) * len(PARTS), BROKEN * len(book.topics()) * len(PARTS)
    assert drawn + broken >= 10_000
