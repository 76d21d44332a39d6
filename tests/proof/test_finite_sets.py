"""Softmax, finite exponential families and counts over a finite set: what a textbook states is
proved, and its false neighbours are refuted."""

from __future__ import annotations

import pytest

from genmath.proof import (
    KL,
    Density,
    E,
    FiniteSet,
    Function,
    NotationError,
    diff,
    equal,
    exp,
    integral,
    log,
    log_gap,
    positives,
    product,
    reals,
    total,
    variables,
)
from genmath.proof.check import judge
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.tree import Node, Operand, as_node, transform
from genmath.proof.symbolic.judge import prove

Y = FiniteSet("Y")
j, l, z = Y.members("j l z")
theta, c = reals("theta c")
tau = positives("tau")
f, logit = Function("f"), Function("l")
w, q = Function("w", positive=True), Function("q", positive=True)


def softmax(k: Node, shift: Operand = 0) -> Node:
    return exp(logit(k, theta) + shift) / total(exp(logit(l, theta) + shift), l)


def tilted(k: Node) -> Node:
    """A member of an exponential family."""
    return w(k) * exp(theta * f(k)) / total(w(l) * exp(theta * f(l)), l)


def share(k: Node) -> Node:
    return w(k) / total(w(l), l)


def boltzmann(k: Node) -> Node:
    return exp(f(k) / tau) / total(exp(f(l) / tau), l)


moved = total(softmax(j) * diff(logit(j, theta), theta), j)
log_z = log(total(w(j) * exp(theta * f(j)), j))
mean = total(f(j) * tilted(j), j)
spread = total((f(j) - total(f(z) * tilted(z), z)) ** 2 * tilted(j), j)
score = total(f(j) * share(j), j) - tau * total(share(j) * log(share(j)), j)
free = tau * log(total(exp(f(j) / tau), j))

TRUE: dict[str, tuple[Claim, Node | None]] = {
    "mass": (equal(total(softmax(j), j), 1), None),
    "gradient": (equal(diff(log(softmax(z)), theta), diff(logit(z, theta), theta) - moved), None),
    "a common shift": (equal(softmax(z, c), softmax(z)), None),
    "log-sum-exp": (
        equal(log(total(exp(f(j) + c), j)), c + log(total(exp(f(j)), j))), None,
    ),
    "moment": (equal(diff(log_z, theta), mean), None),
    "variance": (equal(diff(diff(log_z, theta), theta), spread), None),
    "convex": (Claim(diff(diff(log_z, theta), theta), ">=", total(0 * f(j), j)), spread),
    "Gibbs": (
        Claim(total(w(j) * log(w(j) / q(j)), j), ">=", total(w(j), j) - total(q(j), j)),
        total(w(j) * log_gap(q(j) / w(j)), j),
    ),
    "temperature": (
        Claim(score, "<=", free), tau * total(share(j) * log_gap(boltzmann(j) / share(j)), j),
    ),
    "a product of powers": (
        equal(product(exp(c + f(j)), j), exp(c * Y.size + total(f(j), j))), None,
    ),
    "the slope of a product": (
        equal(diff(product(exp(theta * f(j)) + 1, j), theta),
              product(exp(theta * f(j)) + 1, j)
              * total(f(j) * exp(theta * f(j)) / (exp(theta * f(j)) + 1), j)), None,
    ),
}  # fmt: skip
FALSE: dict[str, Claim] = {
    "a mean of the logits": equal(
        diff(log(softmax(z)), theta),
        diff(logit(z, theta), theta) - total(diff(logit(j, theta), theta), j) / Y.size,
    ),
    "the other sign": equal(diff(log(softmax(z)), theta), moved - diff(logit(z, theta), theta)),
    "a factor for a shift": equal(
        exp(2 * f(z)) / total(exp(2 * f(j)), j), exp(f(z)) / total(exp(f(j)), j)
    ),
    "the square of the mean": equal(diff(diff(log_z, theta), theta), mean**2),
    "the second moment": equal(
        diff(diff(log_z, theta), theta), total(f(j) ** 2 * tilted(j), j)
    ),
    "concave": Claim(diff(diff(log_z, theta), theta), "<=", 0 * c),
    "Gibbs, turned": Claim(
        total(w(j) * log(w(j) / q(j)), j), "<=", total(w(j), j) - total(q(j), j)
    ),
    "temperature, entropy forgotten": Claim(
        score, "<=", total(f(j) * boltzmann(j), j)
    ),
    "one factor for all": equal(product(exp(c + f(j)), j), exp(c + total(f(j), j))),
    "the slope of a sum": equal(
        diff(product(exp(theta * f(j)), j), theta), total(f(j) * exp(theta * f(j)), j)
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", TRUE)
def test_what_a_textbook_states(what: str) -> None:
    claim, because = TRUE[what]
    verdict = judge(claim, () if because is None else (because,))
    assert verdict.verdict == "proved", verdict.reason


@pytest.mark.parametrize("what", FALSE)
def test_a_false_neighbour_is_refuted(what: str) -> None:
    assert judge(FALSE[what]).verdict == "refuted"


Z = FiniteSet("Z")
a, b = reals("a b")


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (as_claim(log(exp(a) + exp(b)) > a), "proved"),
        (as_claim(log(exp(a) + exp(b)) >= b), "proved"),
        (as_claim(log(total(exp(f(j)), j)) >= f(z)), "proved"),
        (as_claim(log(total(exp(f(j) / tau), j)) >= f(z) / tau), "proved"),
        (as_claim(log(total(exp(f(j)), j)) > f(z)), "open"),  # there may be one member alone
        (as_claim(log(total(exp(f(j)), j)) >= f(a)), "refuted"),
        (as_claim(log(total(exp(f(j)), j)) >= f(Z.members("q"))), "refuted"),
        (as_claim(log(exp(a) + exp(b)) >= a + b), "refuted"),
        (as_claim(2 * log(exp(a) + exp(b)) >= a), "refuted"),
        (as_claim(log(1 + a**2) >= a), "refuted"),
        (Claim(log(exp(a) - exp(b)), ">=", a, given=(a > b,)), "refuted"),
    ],
    ids=repr,
)
def test_log_sum_exp_is_no_less_than_a_term(claim: Claim, verdict: str) -> None:
    assert judge(claim).verdict == verdict


# --- a density for each member --------------------------------------------------------------------

x, y = variables("x y")
p, r = Density("p", x, given=z), Density("r", x, given=(z, theta))
mixed = total(w(j) * p(x | j), j) / total(w(j), j)
OF_EACH = {
    "mass": (integral(p(x | j), x), 1),
    "a mass for each": (total(integral(p(x | j), x), j), Y.size),
    "a mixture": (integral(mixed, x), 1),
    "its mean": (integral(x * mixed, x), total(w(j) * E(p(x | j), x), j) / total(w(j), j)),
    "beside a parameter": (diff(integral(r(x | j, theta), x), theta), 0),
    "beside a number": (integral(r(x | j, 2 * theta), x), 1),
}
NOT_OF_EACH = {
    "one mass": (total(integral(p(x | j), x), j), 1),
    "no mixture": (integral(mixed, x), total(w(j), j)),
    "one mean": (E(p(x | j), x), E(p(x | l), x)),
    "no mean": (E(p(x | j), x), 0),
    "a mean without weights": (integral(x * mixed, x), total(E(p(x | j), x), j) / Y.size),
    "one law": (KL(p(x | j), p(x | l)), 0),
    "beside a parameter": (diff(E(r(x | j, theta), x), theta), 0),
}


@pytest.mark.parametrize("what", OF_EACH)
def test_a_density_for_each_member(what: str) -> None:
    assert judge(equal(*OF_EACH[what])).verdict == "proved"


@pytest.mark.parametrize("what", NOT_OF_EACH)
def test_a_density_for_each_member_is_no_other(what: str) -> None:
    assert judge(equal(*NOT_OF_EACH[what])).verdict == "refuted"


@pytest.mark.parametrize("at", [1, theta, f(j), j + 1, Z.members("z"), y], ids=repr)
def test_what_is_no_member_is_not_given(at: Operand) -> None:
    with pytest.raises(NotationError, match="is none of them"):
        p(x | at)
    put = transform(integral(p(x | j), x), lambda n: as_node(at) if n == j else None)
    proof = prove(equal(put, 1))
    assert not proof.proved
    assert "a member of Y is expected" in proof.reason
