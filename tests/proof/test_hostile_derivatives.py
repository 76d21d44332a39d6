"""False claims about differentiated densities, positive functions, gradients and exponentials, made
to be proved by a rule that forgets a hypothesis, a sign or a factor. None is; each is refuted."""

from __future__ import annotations

import pytest

from genmath.proof import numeric
from genmath.proof.language.claims import as_claim, equal
from genmath.proof.language.notation import (
    Density,
    E,
    Function,
    Normal,
    diff,
    exp,
    identity,
    indicator,
    integral,
    log,
    mean_vectors,
    norm2,
    positive_part,
    positives,
    reals,
    sigmoid,
    sqrt,
    variables,
    vectors,
)
from genmath.proof.symbolic.judge import prove

x, y, u, v = variables("x y u v")
X = vectors("x")
a, b, c = reals("a b c")
sigma = positives("sigma")
p, q, r = (Density(name, *of, positive=True) for name, *of in (("p", x), ("q", x, y), ("r", u, v)))
s, f, g = Function("s"), Function("f"), Function("g", positive=True)
slope, score = diff(p(x), x), diff(log(p(x)), x)

FALSE = {
    "a slope averages to zero": equal(E(p(x), s.prime(x)), 0),
    "by parts without the sign": equal(integral(slope * s(x), x), E(p(x), s.prime(x))),
    "by parts twice with the sign of once": equal(
        integral(diff(slope, x) * s(x), x), -E(p(x), diff(s.prime(x), x))
    ),
    "a square without its sign": equal(integral(slope * x**2, x), 2 * E(p(x), x)),
    "the curvature is plus the square": equal(E(p(x), diff(score, x)), E(p(x), score**2)),
    "the curvature is half the square": equal(E(p(x), diff(score, x)), -E(p(x), score**2) / 2),
    "the score averages to one": equal(E(p(x), score), 1),
    "Stein's identity without its sign": equal(E(p(x), x * score), 1),
    "the entropy's slope": equal(E(p(x), log(p(x)) * score), 1),
    "the boundary of an indicator": equal(integral(slope * indicator(x > 0), x), 0),
    "the kink of a positive part": equal(integral(slope * positive_part(x), x), 0),
    "beside a normal density, doubled": equal(
        integral(slope * Normal(x, 0, 1), x), 2 * E(p(x), x * Normal(x, 0, 1))
    ),
    "the score of a marginal is that of the joint": equal(
        diff(log(q(x)), x), diff(log(q(x, y)), x)
    ),
    "conditional scores average to the density": equal(
        integral(q(x, y) * diff(log(q(y | x)), x), y), q(x)
    ),
    "along the other coordinate": equal(
        integral(diff(r(u, v), u) * s(v), u, v), -E(r(u, v), s.prime(v))
    ),
    "the derivative on the wrong factor": equal(
        integral(diff(r(u, v), u) * s(u) * f(v), u, v), -E(r(u, v), s(u) * f.prime(v))
    ),
    "a positive function rises": as_claim(g.prime(x) >= 0),
    "a positive function is at least one": as_claim(g(x) >= 1),
    "its logarithm is positive": as_claim(log(g(x)) >= 0),
    "its root is its root's root": equal(sqrt(g(x) ** 2) * sqrt(g(x)), g(x) ** 2),
    "any function is the root of its square": equal(sqrt(f(x) ** 2), f(x)),
    "a mean of c + x²": equal(integral(Normal(x, 0, 1) * (c + x**2), x), c),
    "a normal of 2x integrates to one": equal(integral(Normal(2 * x, 0, 1), x), 1),
    "a normal about its own half": equal(integral(Normal(x, x / 2, 1), x), 1),
    "1/(1 + x²) averages to one": equal(
        integral(Normal(x, 0, sigma) * c / (1 + x**2), x) + c, 2 * c
    ),
    "the gradient of ‖x‖²": equal(diff(norm2(X), X), X),
    "the gradient of a normal": equal(diff(log(Normal(X, mean_vectors("m"), identity)), X), X),
    "exponents": equal(exp(2 * a) * exp(b), exp(a + b) ** 2),
    "broken exponents": equal(exp(a / 3) * exp(a / 2), exp(a)),
    "the root of a sum of exponentials": equal(sqrt(exp(2 * a) + exp(2 * b)), exp(a) + exp(b)),
    "exponential of a sum": equal(exp(a + b) / (exp(a) + exp(b)), 1),
    "sigmoid of a sum": equal(sigmoid(a + b), sigmoid(a) * sigmoid(b)),
}


@pytest.mark.parametrize("name", FALSE)
def test_it_is_refuted_and_not_proved(name: str) -> None:
    assert not prove(FALSE[name]).proved
    assert numeric.compare(FALSE[name]).verdict == "refuted"


def test_a_normal_density_whose_variance_depends_on_its_letter_is_no_proof() -> None:
    assert not prove(equal(integral(Normal(x, 0, 1 + x**2), x), 1)).proved
