"""The numeric judge: true claims agree, false ones come with a counterexample."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from genmath.proof.language import notation
from genmath.proof.language.claims import Claim, as_claim, equal
from genmath.proof.language.notation import (
    JS,
    KL,
    TV,
    Density,
    E,
    Function,
    H,
    Normal,
    NotationError,
    Sequence,
    absolute,
    at_least_one,
    copies,
    covariances,
    define,
    det,
    diff,
    dot,
    exp,
    fenchel_gap,
    fractions,
    identity,
    indicator,
    integral,
    inverse,
    log,
    log_gap,
    mean_vectors,
    naturals,
    norm2,
    number,
    pi,
    positive_part,
    positives,
    product,
    reals,
    sigmoid,
    softplus,
    sqrt,
    tangent_gap,
    total,
    trace,
    transpose,
    variables,
    vectors,
)
from genmath.proof.language.tree import Apply, Expect, Node
from genmath.proof.numeric.arithmetic import CONTEXT, EXACT, FLOAT, decimal_exp, decimal_log
from genmath.proof.numeric.compiled import Program
from genmath.proof.numeric.judge import NO_WORLD, Outcome, compare, make_worlds, satisfiable
from genmath.proof.numeric.quadrature import hermite
from genmath.proof.numeric.survey import Survey, Unsupported
from genmath.proof.numeric.worlds import World
from genmath.proof.symbolic.judge import prove

x, y, z = variables("x y z")
a, b, m, t = reals("a b m t")
u, v, s = positives("u v s")
c = fractions("c")
k, n, j = naturals("k n j")
phi = reals("phi")
X, Y = vectors("X Y")
M1, M2 = mean_vectors("M_1 M_2")
S1, S2 = covariances("S_1 S_2")
f, D = Function("f"), Function("D")
g = Function("g", convex=True)
beta = Sequence("beta", "unit")

p, q = Density("p", x), Density("q", x)
p_pos, q_pos = Density("p", x, positive=True), Density("q", x, positive=True)
joint = Density("j", x, z)
joint_pos = Density("j", x, z, positive=True)
kernel = Density("h", z, given=x)
path = Density("r", x, given=t)
model = Density("w", z, given=phi)
coupling = Density("gamma", X, Y)


def holds(claim: Claim, **options: Any) -> Outcome:
    outcome = compare(claim, **options)
    assert outcome.verdict == "agree", outcome
    assert outcome.counterexample is None
    return outcome


def fails(claim: Claim, **options: Any) -> dict[str, Any]:
    outcome = compare(claim, **options)
    assert outcome.verdict == "refuted", outcome
    found = outcome.counterexample
    assert found is not None
    json.dumps(found, allow_nan=False)
    assert {"reason", "world", "lhs", "rhs", "difference", "dimension"} <= set(found)
    return found


def gaussian_kl(first: Node, second: Node) -> Node:
    return KL(Normal(x, first, u), Normal(x, second, v))


KL_CLOSED = (u / v + (a - b) ** 2 / v - 1 + log(v / u)) / 2
VECTOR_KL = (
    trace(inverse(S2) @ S1)
    + transpose(M2 - M1) @ inverse(S2) @ (M2 - M1)
    - trace(identity)
    + log(det(S2) / det(S1))
) / 2
WRONG_VECTOR_KL = VECTOR_KL + (trace(identity) - 1) / 2  # d replaced by 1
smoothed = integral(p(x) * Normal(y, x, s), x)
IWAE = sum(
    (joint_pos(x, w) / kernel(w | x) for w in copies(z, 3)[1:]),
    joint_pos(x, copies(z, 3)[0]) / kernel(copies(z, 3)[0] | x),
)

TRUE: dict[str, Claim] = {
    # discrete
    "normalised": equal(integral(p(x), x), 1),
    "marginal": equal(joint(x), integral(joint(x, z), z)),
    "product rule": equal(joint(x, z), joint(x) * joint(z | x)),
    "constant under E": equal(log(joint(x)), E(kernel(z | x), log(joint(x)))),
    "Bayes": equal(log(joint_pos(x)), E(kernel(z | x), log(joint_pos(x, z) / joint_pos(z | x)))),
    "ELBO": equal(
        log(joint_pos(x)),
        E(kernel(z | x), log(joint_pos(x, z) / kernel(z | x)))
        + KL(kernel(z | x), joint_pos(z | x)),
    ),
    "ELBO bound": as_claim(
        log(joint_pos(x)) >= E(kernel(z | x), log(joint_pos(x, z) / kernel(z | x)))
    ),
    "IWAE": as_claim(
        log(joint_pos(x)) >= E(tuple(kernel(w | x) for w in copies(z, 3)), log(IWAE / 3))
    ),
    "KL >= 0": as_claim(KL(p(x), q(x)) >= 0),
    "JS <= log 2": as_claim(JS(p(x), q(x)) <= log(2)),
    "JS": equal(
        JS(p(x), q(x)),
        KL(p(x), (p(x) + q(x)) / 2, over=x) / 2 + KL(q(x), (p(x) + q(x)) / 2, over=x) / 2,
    ),
    "TV": equal(TV(p(x), q(x)), integral(absolute(p(x) - q(x)), x) / 2),
    "TV as a positive part": equal(TV(p(x), q(x)), integral(positive_part(p(x) - q(x)), x)),
    "Pinsker": as_claim(2 * TV(p(x), q(x)) ** 2 <= KL(p(x), q(x))),
    "entropy": equal(H(p(x)), -integral(p(x) * log(p(x)), x)),
    "mutual information": equal(
        KL(joint(x, z), joint(x) * joint(z), over=(x, z)),
        H(joint(x)) + H(joint(z)) - H(joint(x, z)),
    ),
    "shadowed": equal(E(p(x), f(x)) * f(x), f(x) * E(p(x), f(x))),
    "iterated": equal(E(joint(x), E(joint(z | x), f(x, z))), E(joint(x, z), f(x, z))),
    "variance": equal(E(p(x), (x - E(p(x), x)) ** 2), E(p(x), x**2) - E(p(x), x) ** 2),
    "two copies": equal(
        E((p(copies(x, 2)[0]), p(copies(x, 2)[1])), (copies(x, 2)[0] - copies(x, 2)[1]) ** 2),
        2 * (E(p(x), x**2) - E(p(x), x) ** 2),
    ),
    "vector coupling": replace(
        equal(
            E(coupling(X, Y), norm2(X - Y)),
            E(coupling(X), norm2(X)) + E(coupling(Y), norm2(Y)) - 2 * E(coupling(X, Y), dot(X, Y)),
        ),
        dims=(1, 2, 3),
    ),
    "GAN": Claim(
        E(p(x), log(D(x))) + E(q(x), log(1 - D(x))),
        "<=",
        2 * JS(p(x), q(x)) - 2 * log(2),
        (D(x) > 0, D(x) < 1),
    ),
    # convex functions
    "Jensen": as_claim(E(p(x), g(exp(f(x)))) >= g(E(p(x), exp(f(x))))),
    "Fenchel-Young": as_claim(g(v) + g.conjugate(a) >= a * v),
    "Fenchel equality": equal(g(v) + g.conjugate(g.prime(v)), v * g.prime(v)),
    "tangent": as_claim(tangent_gap(g, a, b) >= 0),
    "Fenchel-Young everywhere": as_claim(fenchel_gap(g, a, b) >= 0),
    "derivative of the conjugate": equal(g.conjugate.prime(g.prime(a)), a),
    "Jensen for a Gaussian": as_claim(E(Normal(x, a, v), g(f(x))) >= g(E(Normal(x, a, v), f(x)))),
    "f-divergence": as_claim(
        E(q_pos(x), g(p_pos(x) / q_pos(x))) >= E(p_pos(x), f(x)) - E(q_pos(x), g.conjugate(f(x)))
    ),
    # algebra
    "log gap": equal(log_gap(u), u - 1 - log(u)),
    "sigmoid": equal(sigmoid(a) + sigmoid(-a), 1),
    "softplus": equal(softplus(a) - softplus(-a), a),
    "at least one": as_claim(log(at_least_one("A")) >= 0),
    "arithmetic sum": equal(total(k, k, 1, n), n * (n + 1) / 2),
    "telescope": equal(total(beta[k] - beta[k - 1], k, 1, n), beta[n] - beta[0]),
    "product": equal(
        product(1 - beta[k], k, 1, n + 1), (1 - beta[n + 1]) * product(1 - beta[k], k, 1, n)
    ),
    "sum to a square": equal(total(k, k, 1, n**2), n**2 * (n**2 + 1) / 2),
    "sum to a product": equal(total(2, k, n + 1, n * (j + 1)), 2 * n * j),
    "empty sum": equal(total(beta[k], k, n + 1, n), 0),
    "named": equal(define("A", a + b) ** 2, a**2 + 2 * a * b + b**2),
    "matrix": replace(
        equal(transpose(M1) @ (S1 + v * identity) @ M1, transpose(M1) @ S1 @ M1 + v * norm2(M1)),
        dims=(1, 2, 3),
    ),
    "matrix inverse": replace(equal(S1 @ inverse(S1), identity), dims=(1, 2, 3)),
    "gradient": replace(equal(diff(norm2(M1), M1), 2 * M1), dims=(2,)),
    # Gaussians
    "normal density": equal(Normal(x, a, v), exp(-((x - a) ** 2) / (2 * v)) / sqrt(2 * pi * v)),
    "Gaussian KL": equal(gaussian_kl(a, b), KL_CLOSED),
    "vector Gaussian KL": replace(
        equal(KL(Normal(X, M1, S1), Normal(X, M2, S2)), VECTOR_KL), dims=(1, 2, 3)
    ),
    "Gaussian entropy": equal(H(Normal(x, a, v)), (1 + log(2 * pi * v)) / 2),
    "Gaussian TV": as_claim(TV(Normal(x, a, u), Normal(x, b, v)) <= 1),
    "Gaussian marginal": equal(
        integral(Normal(y, c * x, u) * Normal(x, m, v), x), Normal(y, c * m, u + c**2 * v)
    ),
    "vector marginal": replace(
        equal(
            integral(Normal(X, a * Y, u * identity) @ Normal(Y, M1, S1), Y),
            Normal(X, a * M1, u * identity + a**2 * S1),
        ),
        dims=(1, 2),
    ),
    "mixture mean": equal(integral((Normal(x, a, u) + Normal(x, b, v)) / 2 * x, x), (a + b) / 2),
    "zero mean vector": replace(
        equal(E(Normal(X, 0, S1), norm2(X)), E(Normal(X, M1 - M1, S1), dot(X, X))), dims=(1, 2)
    ),
    "chained Gaussians": equal(E((Normal(y, x, u), Normal(x, m, v)), (y - m) ** 2), u + v),
    "Stein": equal(E(Normal(x, m, v), (x - m) * f(x)), v * E(Normal(x, m, v), f.prime(x))),
    "fourth moment": equal(E(Normal(x, 0, v), x**4), 3 * v**2),
    "eighth moment": equal(E(Normal(x, 0, v), x**8), 105 * v**4),
    "Lebesgue": equal(integral(exp(-(x**2) / 2), x), sqrt(2 * pi)),
    # derivatives
    "score has mean 0": equal(E(p(x), diff(log(p(x)), x)), 0),
    "by parts": equal(E(p(x), f(x) * diff(log(p(x)), x)), -E(p(x), diff(f(x), x))),
    "by parts twice": equal(
        integral(f(x) * diff(diff(p(x), x), x), x), E(p(x), diff(diff(f(x), x), x))
    ),
    "score of a marginal": equal(
        diff(log(joint(x)), x), E(joint(z | x), diff(log(joint(x, z)), x))
    ),
    "mixed kernel": equal(E(kernel(z | x), diff(log(kernel(z | x)), x)), 0),
    "time derivative": equal(
        diff(E(path(x | t), f(x)), t), integral(f(x) * diff(path(x | t), t), x)
    ),
    "score function": equal(
        diff(E(model(z | phi), f(z)), phi), E(model(z | phi), f(z) * diff(log(model(z | phi)), phi))
    ),
    "reparameterised": equal(diff(E(Normal(x, a, v), f(x)), a), E(Normal(x, a, v), f.prime(x))),
    "held fixed": equal(E((p(x), Normal(y, x, v)), diff(x * y, x)), E(p(x), x)),
    "heat": equal(diff(smoothed, s), diff(diff(smoothed, y), y) / 2),
    "Tweedie": equal(
        integral(x * p(x) * Normal(y, x, s), x) / smoothed, y + s * diff(log(smoothed), y)
    ),
}

FALSE: dict[str, Claim] = {
    "entropy >= 0": as_claim(H(p(x)) >= 0),  # measure weights: a density may exceed 1
    "density <= 1": as_claim(p(x) <= 1),
    "ELBO from above": as_claim(
        log(joint_pos(x)) <= E(kernel(z | x), log(joint_pos(x, z) / kernel(z | x)))
    ),
    "ELBO with the KL turned round": equal(
        log(joint_pos(x)),
        E(kernel(z | x), log(joint_pos(x, z) / kernel(z | x)))
        + KL(joint_pos(z | x), kernel(z | x)),
    ),
    "Bayes without positivity": equal(
        log(joint(x)), E(kernel(z | x), log(joint(x, z) / joint(z | x)))
    ),
    "independence": equal(joint(x, z), joint(x) * joint(z)),
    "conditional for marginal": equal(E(joint(x), E(joint(z), f(x, z))), E(joint(x, z), f(x, z))),
    "JS needs disjoint supports": as_claim(JS(p(x), q(x)) <= 9 * log(2) / 10),
    "KL is symmetric": equal(KL(p(x), q(x)), KL(q(x), p(x))),
    "TV without the half": equal(TV(p(x), q(x)), integral(absolute(p(x) - q(x)), x)),
    "Pinsker, too strong": as_claim(8 * TV(p(x), q(x)) ** 2 <= KL(p(x), q(x))),
    "bound taken for free": equal(E(p(x), f(x)) * f(x), f(x) ** 2),
    "log p >= log p + 1": as_claim(log(p_pos(x)) >= log(p_pos(x)) + 1),
    "variance": equal(E(p(x), x**2), E(p(x), x) ** 2),
    "Jensen reversed": as_claim(E(p(x), g(exp(f(x)))) <= g(E(p(x), exp(f(x))))),
    "conjugate": equal(g.conjugate(a), g(a)),
    "convex and even": equal(g(a), g(-a)),
    "a symmetric tangent gap": equal(tangent_gap(g, a, b), tangent_gap(g, b, a)),
    "a conjugate of the wrong slope": equal(g(v) + g.conjugate(v), v * g.prime(v)),
    "log of a square": equal(log(a**2), 2 * log(a)),
    "root of a square": equal(sqrt(a**2), a),
    "arithmetic sum": equal(total(k, k, 1, n), n * (n - 1) / 2),
    "telescope off by one": equal(total(beta[k] - beta[k - 1], k, 1, n), beta[n] - beta[1]),
    "domain": as_claim(u >= 1),
    "order of matrices": replace(equal(S1 @ S2, S2 @ S1), dims=(1, 2)),
    "Gaussian KL": equal(gaussian_kl(a, b), KL_CLOSED * 2),
    "Gaussian KL, variances exchanged": equal(gaussian_kl(a, b), KL_CLOSED + log(u / v)),
    "vector Gaussian KL": replace(
        equal(KL(Normal(X, M1, S1), Normal(X, M2, S2)), WRONG_VECTOR_KL), dims=(1, 2, 3)
    ),
    "standard deviation for variance": equal(E(Normal(x, 0, v), x**2), v**2),
    "Gaussian marginal": equal(
        integral(Normal(y, c * x, u) * Normal(x, m, v), x), Normal(y, c * m, u + c * v)
    ),
    "tenth moment, as five nodes see it": equal(E(Normal(x, 0, v), x**10), 825 * v**5),
    "Lebesgue": equal(integral(exp(-(x**2) / 2), x), sqrt(pi)),
    "by parts, sign": equal(E(p(x), f(x) * diff(log(p(x)), x)), E(p(x), diff(f(x), x))),
    "score function without f": equal(
        diff(E(model(z | phi), f(z)), phi), E(model(z | phi), diff(log(model(z | phi)), phi))
    ),
    "derivative of a constant": equal(diff(a**2 * b, a), a * b),
    "heat": equal(diff(smoothed, s), diff(diff(smoothed, y), y)),
    "Tweedie": equal(
        integral(x * p(x) * Normal(y, x, s), x) / smoothed, y - s * diff(log(smoothed), y)
    ),
    "indicator": equal(indicator(a > 0), 1),
}


@pytest.mark.parametrize("claim", TRUE.values(), ids=list(TRUE))
def test_true_claims_agree(claim: Claim) -> None:
    holds(claim)


@pytest.mark.parametrize("claim", TRUE.values(), ids=list(TRUE))
def test_true_claims_agree_in_other_worlds(claim: Claim) -> None:
    holds(claim, seed=7, worlds=9)


@pytest.mark.parametrize("claim", FALSE.values(), ids=list(FALSE))
def test_false_claims_are_refuted(claim: Claim) -> None:
    found = fails(claim)
    assert found["lhs"] != found["rhs"]


SCALAR = [k for k, c in TRUE.items() if c.relation == "="
          and not any(w in k for w in ("vector", "matrix", "gradient"))]  # fmt: skip


@pytest.mark.parametrize("name", SCALAR)
def test_a_small_slip_is_refuted(name: str) -> None:
    claim = TRUE[name]
    fails(replace(claim, rhs=claim.rhs * number(1001) / 1000 + number(1) / 1000))


# --- counterexamples ----------------------------------------------------------------------------


def test_a_counterexample_shows_the_discrete_world() -> None:
    found = fails(as_claim(H(joint(x)) >= 0))
    world = found["world"]
    assert set(world["spaces"]) == {"x", "z"}
    table, wx, wz = (
        world["densities"]["j(x, z)"],
        world["spaces"]["x"]["weights"],
        world["spaces"]["z"]["weights"],
    )
    mass = sum(table[i][j] * wx[i] * wz[j] for i in range(len(wx)) for j in range(len(wz)))
    assert mass == pytest.approx(1, abs=1e-4)
    assert float(found["lhs"]) < 0
    assert found["digits"] == 34


def test_a_counterexample_shows_parameters_functions_and_free_letters() -> None:
    found = fails(equal(f(x) * a + beta[n], E(p(x), f(x)) * b))
    world = found["world"]
    assert {"a", "b", "n"} <= set(world["parameters"])
    assert "f(x)" in world["functions"]
    assert world["free"]["x"].startswith("point ")
    assert f"beta[{world['parameters']['n']}]" in world["parameters"]
    found = fails(equal(diff(f(y), y), f(y)))
    assert found["world"]["functions"]["f"].startswith("f(u) = ")
    assert isinstance(found["world"]["free"]["y"], float)


def test_both_values_are_those_of_the_world_shown() -> None:
    found = fails(equal(a**2 + b, a - b))
    shown = found["world"]["parameters"]
    assert float(found["lhs"]) == pytest.approx(shown["a"] ** 2 + shown["b"], rel=1e-13)
    assert float(found["rhs"]) == pytest.approx(shown["a"] - shown["b"], rel=1e-13)
    assert shown["a"] != shown["b"]


def test_a_tiny_difference_is_seen_and_rounding_is_not() -> None:
    fails(equal(a, a * (1 + number("0.0000001"))))
    holds(equal((10**8 + a) - 10**8, a))  # floats lose eight digits here
    holds(equal((1 + u) ** 20 / (1 + u) ** 19, 1 + u))


# --- what is undefined ----------------------------------------------------------------------------


def test_undefined_on_one_side_refutes() -> None:
    found = fails(equal(log(a**2), 2 * log(a)))
    assert found["reason"] == "undefined where the other side is not"
    assert found["rhs"] == "undefined"


def test_undefined_on_both_sides_says_nothing() -> None:
    outcome = compare(equal(1 / (a - a), 2 / (b - b)))
    assert outcome.verdict == "undefined"
    assert outcome.worlds_defined == 0
    assert outcome.worlds_tried == 6
    assert compare(equal(log(-u), log(-u))).verdict == "undefined"
    assert compare(equal(sqrt(-u), a)).verdict == "refuted"


def test_zero_times_undefined_is_zero() -> None:
    holds(equal(integral(p(x) * log(p(x)), x), E(p(x), log(p(x)))))
    holds(equal(joint(x) * E(joint(z | x), f(z)), integral(joint(x, z) * f(z), z)))


SHIFTED = p(x) ** 2 / p(x)  # undefined where p is 0
UNDEFINED: dict[str, Claim] = {
    "quotient": equal(p(x) / p(x), 1),
    "quotient in an integral": equal(integral(SHIFTED, x), 1),
    "quotient of a product": equal(integral(p(x) * p(x) / p(x), x), 1),
    "quotient beside another density": equal(integral(q(x) * (p(x) / p(x)), x), 1),
    "quotient under another measure": equal(E(q(x), p(x) / p(x)), 1),
    "power of a quotient": equal((1 / p(x)) ** 0, 1),
    "condition of density 0": equal(integral(joint(z | x), z), 1),
    "root of a square": equal(sqrt(a) ** 2, a),
    "cube root": equal((a**3) ** (number(1) / 3), a),
    "two cube roots": equal((-u) ** (number(1) / 3) * (-u) ** (number(2) / 3), -u),
    "power 0 of a logarithm": equal(log(a) ** (n - n), 1),
    "derivative of a logarithm": equal(diff(log(a), a), 1 / a),
    "derivative of a root": equal(diff(sqrt(a), a), 1 / (2 * sqrt(absolute(a)))),
    "second derivative": equal(diff(diff(log(a), a), a), -1 / a**2),
    "derivative with the logarithm gone": equal(diff(log(-u) + a, a), 1),
    "score of minus a density": equal(
        diff(log(-path(x | t)), t), diff(path(x | t), t) / path(x | t)
    ),
    "variance 0": equal(E(Normal(x, a, 0), x), a),
    "variance of no sign": equal(E(Normal(x, 0, a), 1), 1),
}
DEFINED: dict[str, Claim] = {
    "a density > 0": equal(integral(p_pos(x) ** 2 / p_pos(x), x), 1),
    "a zero factor": equal(integral(p(x) * (p(x) / p(x)), x), 1),
    "a zero factor, later": equal(integral(p(x) / p(x) * p(x), x), 1),
    "a factor under a root": equal(
        integral(q(x) * sqrt(p(x) / q(x)), x), integral(sqrt(p(x) * q(x)), x)
    ),
    "the measure's own density": equal(E(p(x), p(x) / p(x)), 1),
    "a product of measures": equal(
        E((p(x), joint(z)), log(p(x) * joint(z))), -H(p(x)) - H(joint(z))
    ),
    "outside a divergence's measure": equal(KL(p(x), q_pos(x) * p(x) / p(x)), KL(p(x), q_pos(x))),
    "a measure of two kinds of factors": equal(
        KL(p(x) * Normal(y, a, v), q_pos(x) * Normal(y, a, v), over=(x, y)), KL(p(x), q_pos(x))
    ),
    "derivative of a logarithm": equal(diff(log(u), u), 1 / u),
}


@pytest.mark.parametrize("claim", UNDEFINED.values(), ids=list(UNDEFINED))
def test_undefined_somewhere_is_refuted_and_not_proved(claim: Claim) -> None:
    assert "undefined" in fails(claim)["reason"]
    assert not prove(claim).proved


@pytest.mark.parametrize("claim", DEFINED.values(), ids=list(DEFINED))
def test_defined_where_it_counts_agrees_and_is_proved(claim: Claim) -> None:
    holds(claim)
    assert prove(claim).proved


def test_a_product_of_two_densities_of_one_letter_is_one_measure() -> None:
    both = p(x) * Normal(x, a, v)
    holds(equal(KL(both, Normal(x, a, v), over=x), integral(both * log(p(x)), x)))


def test_an_infinite_divergence_is_not_a_finite_one() -> None:
    dominated = Density("q", x, dominates=p)
    holds(equal(KL(p(x), dominated(x)), E(p(x), log(p(x) / dominated(x)))))
    fails(as_claim(KL(p(x), q(x)) <= 1000))
    holds(as_claim(KL(p(x), q(x)) >= JS(p(x), q(x)) / 1000))


def test_a_divergent_integral_does_not_exist() -> None:
    outcome = compare(equal(integral(exp(x**2 / 2), x), sqrt(2 * pi)))
    assert outcome.verdict == "refuted"
    assert compare(equal(integral(diff(f(x), x), x), 0)).verdict == "undefined"


# --- hypotheses -----------------------------------------------------------------------------------


def test_hypotheses_choose_the_worlds() -> None:
    holds(Claim(a, ">=", b, (a > b,)))
    holds(Claim(absolute(a), "=", -a, (a < 0,)))
    fails(Claim(a, ">=", b + 1, (a > b,)))
    holds(Claim(log(D(x)), "<=", number(0), (D(x) > 0, D(x) < 1)))
    holds(Claim(E(p(x), diff(log(D(x)), x)), "=", E(p(x), diff(D(x), x) / D(x)), (D(x) > 0,)))
    fails(Claim(E(p(x), D(x)), "<=", number(1), (D(x) > 0,)))


def test_contradictory_hypotheses_are_found() -> None:
    claim = Claim(a, "=", a, (a > 1, a < 0))
    outcome = compare(claim)
    assert outcome.verdict == "undefined"
    assert outcome.reason == NO_WORLD
    assert not satisfiable(claim)
    assert satisfiable(Claim(a, "=", a, (a > 1, a < 3)))
    assert satisfiable(Claim(a, "=", a))


# --- worlds ---------------------------------------------------------------------------------------


def test_worlds_are_shared_with_mutants() -> None:
    claim = equal(KL(p(x), q_pos(x)), E(p(x), log(p(x) / q_pos(x))))
    worlds = make_worlds(claim)
    assert compare(claim, worlds=worlds).verdict == "agree"
    for wrong in (E(p(x), log(q_pos(x) / p(x))), E(q_pos(x), log(p(x) / q_pos(x))), p(x)):
        assert compare(replace(claim, rhs=wrong), worlds=worlds).verdict == "refuted"
    needs_the_line = replace(claim, rhs=E(p(x), diff(f(x), x)))
    assert compare(needs_the_line, worlds=worlds).verdict == "refuted"
    new_letter = replace(claim, rhs=claim.rhs + u)
    assert compare(new_letter, worlds=worlds).verdict == "refuted"


def test_every_dimension_is_tried() -> None:
    claim = replace(equal(norm2(M1), dot(M1, M1)), dims=(1, 2, 3))
    assert [w.dim for w in make_worlds(claim).members] == [1, 2, 3, 1, 2, 3]
    only_in_one = equal(trace(S1) ** 2, trace(S1 @ S1))
    holds(replace(only_in_one, dims=(1,)))
    assert fails(replace(only_in_one, dims=(1, 2)))["dimension"] == 2


def test_supports_follow_the_hypotheses() -> None:
    dominating = Density("d", x, dominates=p)
    survey = Survey((p(x), q_pos(x), dominating(x)))
    vanished = 0
    for index in range(12):
        world = World(survey, 3, index, 1)
        tables = {name: world.value(FLOAT, ("dens", name, ("x",), ())) for name in ("p", "q", "d")}
        vanished += any(v == 0 for v in tables["p"])
        assert all(v > 0 for v in tables["q"])
        assert all(d > 0 for v, d in zip(tables["p"], tables["d"], strict=True) if v > 0)
        weights = world.raw("weights", "x")
        assert sum(w * v for w, v in zip(weights, tables["p"], strict=True)) == pytest.approx(1)
    assert vanished >= 4


def test_worlds_do_not_depend_on_the_process() -> None:
    code = (
        "from genmath.proof.numeric import *; from genmath.proof.language.notation import *;"
        "from genmath.proof.language.claims import as_claim;"
        "x = variables('x'); p = Density('p', x);"
        "print(compare(as_claim(H(p(x)) >= 0)).counterexample['lhs'])"
    )
    here = fails(as_claim(H(p(x)) >= 0))["lhs"]
    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        )
        assert ran.stdout.strip() == here


# --- errors ---------------------------------------------------------------------------------------


def test_one_name_declared_twice_is_an_error() -> None:
    for claim in (
        equal(reals("q"), positives("q")),
        equal(p(x), p_pos(x)),
        equal(Sequence("e")[n], Sequence("e", "unit")[n]),
        equal(Apply("f", (), 0, a), Apply("f", ("convex",), 0, a)),
        equal(p(x), E(Density("r", variables("x_1"))(variables("x_1")), f(copies(x, 1)[0]))),
    ):
        with pytest.raises(ValueError, match="two ways"):
            compare(claim)


def test_ill_typed_expressions_are_errors() -> None:
    for tree in (M1 * M1, M1 + a, S1 + a, Normal(X, M1, v), log(M1), beta[a], diff(n**2, n)):
        with pytest.raises(Unsupported):
            compare(equal(tree, tree))
    with pytest.raises(NotationError):
        compare(as_claim(M1 >= M2))
    for limit in (n / 2, sqrt(n), number(3) / 2, a, n ** (number(1) / 2), 2**n):
        with pytest.raises(Unsupported, match="no limit of a sum"):
            compare(equal(total(beta[k], k, 1, limit), total(beta[k], k, 1, limit)))
    twice = Expect((p(x), q(x)), f(x))
    with pytest.raises(Unsupported, match="twice"):
        compare(equal(twice, twice))


# --- the arithmetic ------------------------------------------------------------------------------


def test_elementary_functions_at_34_digits() -> None:
    import decimal

    with decimal.localcontext(CONTEXT):
        for text in ("-7.31", "-0.0071", "0", "0.5", "12.77", "350.1", "-500"):
            w = decimal.Decimal(text)
            assert abs(decimal_exp(w) / w.exp() - 1) < decimal.Decimal("1e-31")
            assert abs(decimal_log(w.exp()) - w) < decimal.Decimal("1e-31") * (1 + abs(w))


def test_quadrature_is_exact_for_polynomials() -> None:
    nodes = hermite(5)
    for power, moment in ((1, 0), (2, 1), (4, 3), (6, 15), (8, 105), (9, 0)):
        assert float(sum(w * r**power for r, w in nodes)) == pytest.approx(moment, abs=1e-20)


def test_floats_and_decimals_are_two_runs_of_one_program() -> None:
    claim = TRUE["Tweedie"]
    worlds = make_worlds(claim)
    program = Program((claim.lhs, claim.rhs), worlds.survey, 1)
    free = {"y": [0.7]}
    for world in worlds.members[:2]:
        coarse = program.run(world, FLOAT, 1, free)
        exact = program.run(world, EXACT, 1, free)
        assert [float(r[0]) for r in exact] == pytest.approx([r[0] for r in coarse], rel=1e-11)


def test_exact_numbers() -> None:
    holds(equal(number(Fraction(1, 3)) * 3, 1))
    holds(equal(number("0.1") + number("0.2"), number("0.3")))
    holds(equal((-number(2)) ** 3, -8))
    holds(equal((-number(1)) ** n * (-number(1)) ** n, 1))
    assert compare(equal((-u) ** (number(1) / 3), a)).verdict == "refuted"


def test_values_beyond_every_float_are_compared() -> None:
    big = exp(exp(number(20)))
    assert compare(equal(big, 1)).verdict == "refuted"
    assert compare(as_claim(big <= 1)).verdict == "refuted"
    holds(as_claim(big >= 1))


# --- the package ---------------------------------------------------------------------------------


def test_an_import_costs_little() -> None:
    code = (
        "import sys, genmath.proof.numeric;"
        "print({'numpy', 'torch', 'sympy', 'mpmath'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_no_module_hides_a_word_of_the_notation() -> None:
    """A module imported later would replace the word that `from genmath.proof import *` gives."""
    modules = {file.stem for file in Path(notation.__file__).parent.glob("*.py")}
    assert not modules & set(notation.__all__)
