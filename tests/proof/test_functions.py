"""Checked expressions as functions: right values and gradients, refusals that name the argument."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genmath.proof.functions import compile_tree, function
from genmath.proof.language import notation as n
from genmath.proof.language import tree as t
from genmath.proof.language.claims import equal
from genmath.proof.language.derivation import derivation

x, z, y = n.variables("x z y")
mu, eta = n.reals("mu eta")
sigma, tau = n.positives("sigma tau")
T, k = n.naturals("T k")
beta = n.Sequence("beta", domain="unit")
p = n.Density("p", x, z)
q = n.Density("q", z, given=x)
r, s = n.Density("r", x), n.Density("s", x)
f = n.Function("f", convex=True)
v, w = n.vectors("v w")
S = n.covariances("Sigma")

gaussian_kl = n.log(tau / sigma) + (sigma**2 + (mu - eta) ** 2) / (2 * tau**2) - n.number(1) / 2


def arrays(backend: str) -> Any:
    return pytest.importorskip(backend)


@pytest.fixture
def np() -> Any:
    return arrays("numpy")


@pytest.fixture
def torch() -> Any:
    return arrays("torch")


# --- closed forms ---------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["math", "mpmath", "numpy", "torch"])
def test_a_closed_form_is_the_same_number_everywhere(backend: str) -> None:
    if backend in ("numpy", "torch"):
        pytest.importorskip(backend)
    kl = compile_tree(gaussian_kl, backend)
    value = kl(mu=0.3, eta=-1, sigma=0.5, tau=2)
    exact = math.log(4) + (0.25 + 1.69) / 8 - 0.5
    assert float(value) == pytest.approx(exact, rel=1e-6 if backend == "torch" else 1e-14)
    assert sorted(kl.arguments) == ["eta", "mu", "sigma", "tau"]
    assert repr(kl).startswith(f"<{backend} function of (")


def test_mpmath_keeps_its_digits() -> None:
    with mpmath.workdps(40):
        value = compile_tree(
            n.log(n.number(1) / 3) + n.pi * T / 7 + n.total(k / 3, k, 1, 1), "mpmath"
        )
        expected = -mpmath.log(3) + 2 * mpmath.pi / 7 + mpmath.mpf(1) / 3
        assert abs(value(T=2) - expected) < mpmath.mpf(10) ** -38


def test_constants_keep_double_precision_in_torch(torch: Any) -> None:
    value = compile_tree(n.log(2 * n.pi * sigma) / 3 + n.number("1/3"), "torch")
    sigmas = torch.tensor([0.5, 2.0], dtype=torch.float64)
    expected = torch.log(2 * math.pi * sigmas) / 3 + 1 / 3
    assert torch.allclose(value(sigma=sigmas), expected, rtol=1e-15, atol=0)
    assert value(sigma=sigmas.float()).dtype == torch.float32


def test_arguments_broadcast(np: Any) -> None:
    kl = compile_tree(gaussian_kl)
    means = np.linspace(-1, 1, 5)
    value = kl(mu=means[:, None], eta=means, sigma=1, tau=1)
    assert value.shape == (5, 5)
    assert np.allclose(value, (means[:, None] - means) ** 2 / 2)


def test_gradients_pass_through(torch: Any) -> None:
    m = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    compile_tree(gaussian_kl, "torch")(mu=m, eta=0, sigma=1, tau=2).backward()
    assert float(m.grad) == pytest.approx(0.7 / 4)


@pytest.mark.parametrize("backend", ["math", "mpmath", "numpy", "torch"])
@pytest.mark.parametrize(
    ("node", "u", "value"),
    [
        (n.sigmoid(mu), -800.0, 0.0),
        (n.sigmoid(mu), 800.0, 1.0),
        (n.sigmoid(mu), -2.0, 1 / (1 + math.exp(2))),
        (n.log(n.sigmoid(mu)), -800.0, -800.0),
        (n.softplus(mu), 800.0, 800.0),
        (n.softplus(mu), -30.0, math.log1p(math.exp(-30))),
        (n.positive_part(mu), -3.0, 0.0),
        (n.positive_part(mu), 3.0, 3.0),
        (n.indicator(mu > 1), 2.0, 1.0),
        (n.indicator(mu > 1), 1.0, 0.0),
        (n.absolute(mu), -3.0, 3.0),
        (n.log_gap(mu), 1.0, 0.0),
        (n.log_gap(mu), 2.0, 1 - math.log(2)),
        (n.log(n.exp(mu)), 1000.0, 1000.0),
        (n.log(n.Normal(mu, 0, 1)), 50.0, -1250 - math.log(2 * math.pi) / 2),
        (n.Normal(mu, 1, 4), 2.0, math.exp(-1 / 8) / math.sqrt(8 * math.pi)),
        (n.sqrt(mu), 2.0, math.sqrt(2)),
        (mu**-1, 4.0, 0.25),
        (mu ** (n.number(1) / 2), 4.0, 2.0),
        (2**mu, 3.0, 8.0),
        (n.log(mu), 0.0, -math.inf),
        (n.define("twice", 2 * mu) + n.pi, 1.0, 2 + math.pi),
    ],
)  # fmt: skip
def test_functions_are_stable(backend: str, node: t.Node, u: float, value: float) -> None:
    if backend in ("numpy", "torch"):
        u = arrays(backend).asarray(u, dtype=arrays(backend).float64)
    assert float(compile_tree(node, backend)(mu=u)) == pytest.approx(value, rel=1e-13)


def test_sums_and_sequences(np: Any) -> None:
    betas = [0.0, 0.1, 0.2, 0.3, 0.4]
    total = n.total(beta[k] * k, k, 1, T)
    bar = n.define("alpha_bar_T", n.product(1 - beta[k], k, 1, T))
    for source in (betas, np.array(betas), dict(enumerate(betas)), lambda i: betas[i]):
        assert compile_tree(total)(beta=source, T=3) == pytest.approx(0.1 + 0.4 + 0.9)
        assert compile_tree(n.sqrt(bar))(beta=source, T=2) == pytest.approx(math.sqrt(0.72))
    assert compile_tree(total, "math")(beta=betas, T=0) == 0
    assert compile_tree(beta[T - 1])(beta=np.array(betas), T=np.array([1, 3])).tolist() == [0, 0.2]
    nested = n.total(n.total(k * k, k, 1, k), k, 1, T)
    assert compile_tree(nested, "math")(T=3) == 1 + 5 + 14


def test_a_defined_letter_can_be_an_argument() -> None:
    bar = n.define("alpha_bar", n.product(1 - beta[k], k, 1, T))
    noise = compile_tree(n.sqrt(1 - bar), "math", free=["alpha_bar"])
    assert noise.arguments == ("alpha_bar",)
    assert noise(alpha_bar=0.75) == 0.5
    with pytest.raises(ValueError, match="no such defined letter"):
        compile_tree(1 - mu, free=["alpha_bar"])


def test_arbitrary_functions() -> None:
    bregman = f(mu) - f(eta) - f.prime(eta) * (mu - eta)
    value = compile_tree(bregman, "math")
    assert set(value.arguments) == {"f", "f_prime", "mu", "eta"}
    assert value(f=lambda u: u * u, f_prime=lambda u: 2 * u, mu=3, eta=1) == 4
    assert compile_tree(f.conjugate(mu), "math")(f_star=math.exp, mu=0) == 1


# --- vectors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_vectors_and_matrices(backend: str) -> None:
    xp = arrays(backend)
    np = arrays("numpy")
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 3, 3))
    cov, a, b = (
        root @ root.swapaxes(-1, -2) + np.eye(3),
        rng.normal(size=(4, 3)),
        rng.normal(size=3),
    )
    values = {"v": xp.asarray(a), "w": xp.asarray(b), "Sigma": xp.asarray(cov)}

    def check(node: t.Node, expected: Any, **more: Any) -> None:
        compiled = compile_tree(node, backend)
        got = compiled(**{m: values[m] for m in compiled.arguments if m in values}, **more)
        assert np.allclose(np.asarray(got), expected), node

    inv = np.linalg.inv(cov)
    quadratic = np.einsum("bi,bij,bj->b", a - b, inv, a - b)
    check(n.norm2(v - w), ((a - b) ** 2).sum(-1))
    check(n.dot(v, w), (a * b).sum(-1))
    check(n.transpose(v - w) * n.inverse(S) * (v - w), quadratic)
    check(n.dot(v - w, n.inverse(S) * (v - w)), quadratic)
    check(n.trace(n.inverse(S) * S), 3.0)
    check(n.det(n.transpose(S) * S), np.linalg.det(cov) ** 2)
    check(n.det(S + mu * n.identity), np.linalg.det(cov + 2 * np.eye(3)), mu=2)
    check(mu * v / sigma - w, 2 * a / 4 - b, mu=2, sigma=4)
    check(n.norm2(v) * v, (a**2).sum(-1, keepdims=True) * a)
    check(n.trace(v * n.transpose(w)), (a * b).sum(-1))
    check(n.log(n.det(2 * S) / n.det(S)), 3 * math.log(2))
    normal = -quadratic / 2 - 3 * math.log(2 * math.pi) / 2 - np.log(np.linalg.det(cov)) / 2
    check(n.log(n.Normal(v, w, S)), normal)
    check(n.Normal(v, w, S), np.exp(normal))
    check(n.log(n.Normal(v, 0, tau * n.identity)),
          -(a**2).sum(-1) / 4 - 3 * math.log(4 * math.pi) / 2, tau=2)  # fmt: skip


def test_vectors_that_do_not_fit() -> None:
    np = arrays("numpy")
    with pytest.raises(ValueError, match="multiplies a vector by a vector"):
        compile_tree(v * w)
    with pytest.raises(ValueError, match="adds a"):
        compile_tree(v + mu)
    with pytest.raises(ValueError, match="'w': 2 components"):
        compile_tree(n.dot(v, w))(v=np.ones(3), w=np.ones(2))
    with pytest.raises(ValueError, match="'v': expected a vector"):
        compile_tree(n.norm2(v))(v=1.0)
    with pytest.raises(ValueError, match="'Sigma': expected a matrix"):
        compile_tree(n.det(S))(Sigma=np.ones((2, 3)))
    with pytest.raises(ValueError, match="no arrays"):
        compile_tree(n.norm2(v), "math")


# --- tables ---------------------------------------------------------------------------------------

P = [[0.1, 0.2, 0.1], [0.0, 0.25, 0.35]]  # p(x, z)
Q = [[0.5, 0.25, 0.25], [0.2, 0.0, 0.8]]  # q(z | x), rows sum to one
R, ES = [0.4, 0.6, 0.0], [0.2, 0.3, 0.5]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_divergences_of_tables(backend: str) -> None:
    xp = arrays(backend)
    one, two = (xp.asarray(u, dtype=xp.float64) for u in (R, ES))

    def value(node: t.Node) -> float:
        compiled = compile_tree(node, backend)
        return float(compiled(**{m: {"r": one, "s": two}[m] for m in compiled.arguments}))

    kl = 0.4 * math.log(2) + 0.6 * math.log(2)
    middle = [(a + b) / 2 for a, b in zip(R, ES, strict=True)]
    halves = [
        sum(a * math.log(a / c) for a, c in zip(u, middle, strict=True) if a) for u in (R, ES)
    ]
    assert value(n.KL(r(x), s(x))) == pytest.approx(kl)
    assert value(n.KL(s(x), r(x))) == math.inf
    assert value(n.JS(r(x), s(x))) == pytest.approx(sum(halves) / 2)
    assert value(n.TV(r(x), s(x))) == pytest.approx(0.5)
    assert value(n.H(r(x))) == pytest.approx(-sum(a * math.log(a) for a in R if a))
    assert value(n.E(r(x), n.log(r(x) / s(x)))) == pytest.approx(kl)
    assert value(n.integral(r(x) * n.log(r(x) / s(x)), x)) == pytest.approx(kl)
    assert value(n.integral(s(x) * n.sqrt(r(x) / s(x)), x)) == pytest.approx(
        sum(math.sqrt(a * b) for a, b in zip(R, ES, strict=True))
    )
    assert value(n.E((r(x), s(n.copies(x, 1)[0])), 1 + r(x))) == pytest.approx(1.52)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_joint_and_conditional_tables(backend: str) -> None:
    xp, np = arrays(backend), arrays("numpy")
    joint, kernel = np.array(P), np.array(Q)

    def value(node: t.Node, **more: Any) -> Any:
        compiled = compile_tree(node, backend)
        given = {"p": xp.asarray(joint), "q": xp.asarray(kernel)}
        return np.asarray(
            compiled(**{m: u for m, u in given.items() if m in compiled.arguments}, **more)
        )

    marginal = joint.sum(1)
    assert np.allclose(value(p(x)), marginal)
    assert np.allclose(value(p(z)), joint.sum(0))
    assert np.allclose(value(p(x, z)), joint)
    assert np.allclose(value(p(z | x)), joint / marginal[:, None])
    assert np.allclose(value(n.log(p(x))), np.log(marginal))
    assert np.allclose(value(q(z | n.number(1))), kernel[1])
    elbo = n.E(q(z | x), n.log(p(x, z) / q(z | x)))
    gap = n.KL(q(z | x), p(z | x))
    assert value(elbo).shape == (2,)
    joint[:] = [[0.1, 0.2, 0.1], [0.1, 0.2, 0.3]]
    assert np.allclose(value(elbo + gap), np.log(joint.sum(1)))
    assert np.allclose(value(n.E(p(x), elbo)), (joint.sum(1) * value(elbo)).sum())
    assert np.allclose(value(n.integral(p(x, z), x, z)), 1)
    assert np.allclose(value(n.integral(x**2 * p(x, z), x, z), x=xp.asarray([1.0, 3.0])),
                       joint.sum(1) @ [1, 9])  # fmt: skip


def test_tables_in_a_batch(np: Any) -> None:
    js = compile_tree(n.JS(r(x), s(x)))
    rng = np.random.default_rng(1)
    one, two = rng.dirichlet(np.ones(4), size=5), rng.dirichlet(np.ones(4))
    value = js(r=one, s=two)
    assert value.shape == (5,)
    assert np.allclose(value, [js(r=u, s=two) for u in one])
    scaled = compile_tree(n.E(r(x), mu + n.log(r(x))))(r=one, mu=np.arange(5))
    assert np.allclose(scaled, np.arange(5) + (one * np.log(one)).sum(-1))


def test_tables_have_gradients(torch: Any) -> None:
    logits = torch.randn(4, dtype=torch.float64, requires_grad=True)
    target = torch.tensor([0.0, 0.3, 0.3, 0.4], dtype=torch.float64)
    compile_tree(n.KL(r(x), s(x)), "torch")(r=target, s=logits.softmax(0)).backward()
    assert torch.allclose(logits.grad, logits.detach().softmax(0) - target)


@given(st.lists(st.floats(0.01, 1), min_size=6, max_size=6))
def test_bayes_holds_for_tables(weights: list[float]) -> None:
    np = arrays("numpy")
    table = np.array(weights).reshape(2, 3) / sum(weights)
    ratio = compile_tree(p(x | z) * p(z) / (p(z | x) * p(x)))(p=table)
    assert np.allclose(ratio, 1)


def test_a_density_may_be_a_function() -> None:
    normal = compile_tree(n.log(q(z | x)) - n.log(q(z | 2 * x)), "math")
    assert normal(q=lambda at, given: math.exp(-abs(at - given)), x=1, z=3) == pytest.approx(-1)
    with pytest.raises(ValueError, match="missing argument 'z'"):
        normal(q=lambda at, given: 1.0, x=1)


# --- results --------------------------------------------------------------------------------------


@derivation("The cross-entropy", takes=(r(x), s(x)))
def cross_entropy(d: Any) -> None:
    d.start(n.KL(r(x), s(x)), name="split")
    d.equals(-n.H(r(x)) - n.E(r(x), n.log(s(x))), by="split the logarithm")
    d.start(-n.E(r(x), n.log(s(x))))
    d.equals(n.KL(r(x), s(x)) + n.H(r(x)), by="rearrange")


def test_results_become_functions(np: Any) -> None:
    tables = {"r": np.array(ES), "s": np.array([0.3, 0.3, 0.4])}
    for result in (cross_entropy, cross_entropy["split"], cross_entropy(r(x), s(x)),
                   cross_entropy.conclusion, equal(n.H(r(x)), n.H(r(x)))):  # fmt: skip
        left, right = (function(result, side) for side in ("lhs", "rhs"))
        values = {m: tables[m] for m in left.arguments}
        assert left(**values) == pytest.approx(right(**values))
    assert function(n.H(r(x)))(r=tables["r"]) > 0
    with pytest.raises(ValueError, match="side='middle'"):
        function(cross_entropy, "middle")


# --- refusals -------------------------------------------------------------------------------------


def test_refusals_name_the_argument(np: Any) -> None:
    kl = compile_tree(gaussian_kl)
    with pytest.raises(ValueError, match="missing argument 'tau'"):
        kl(mu=0, eta=0, sigma=1)
    with pytest.raises(ValueError, match="unknown argument 'sigam'"):
        kl(mu=0, eta=0, sigma=1, tau=1, sigam=1)
    with pytest.raises(ValueError, match="argument 'mu'"):
        kl(mu="zero", eta=0, sigma=1, tau=1)
    js = compile_tree(n.JS(r(x), s(x)))
    with pytest.raises(ValueError, match="argument 's': 2 values of x"):
        js(r=np.ones(3) / 3, s=np.ones(2) / 2)
    with pytest.raises(ValueError, match="argument 'r': expected a table"):
        js(r=1.0, s=np.ones(2) / 2)
    with pytest.raises(ValueError, match="argument 'r': a sum over x needs a table"):
        js(r=math.exp, s=math.exp)
    with pytest.raises(ValueError, match=r"'beta': β\[T - 3\] has the index -1"):
        compile_tree(beta[T - 3])(beta=np.ones(4), T=2)
    with pytest.raises(ValueError, match=r"'beta': .* is not in it"):
        compile_tree(beta[T])(beta=np.ones(4), T=4)
    with pytest.raises(ValueError, match="not an integer"):
        compile_tree(n.total(k, k, 1, mu), "math")(mu=1.5)


@pytest.mark.parametrize(
    ("node", "values", "why"),
    [
        (n.log(mu), {"mu": -1}, r"log\(-1.0\): expected a number > 0"),
        (n.sqrt(mu), {"mu": -1}, r"sqrt\(-1.0\): expected a number >= 0"),
        (mu ** (n.number(1) / 2), {"mu": -1}, "negative number to the power"),
        (beta[1], {"beta": {0: 1.0}}, "no entry 1"),
        (mu + T, {"mu": 1, "T": 1.5}, "'T': expected an integer"),
    ],
)
def test_numbers_outside_a_function_s_domain(
    node: t.Node, values: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        compile_tree(node, "math")(**values)


def test_more_refusals_of_arrays(np: Any) -> None:
    def refused(node: t.Node, why: str, **values: Any) -> None:
        with pytest.raises(ValueError, match=why):
            compile_tree(node)(**values)

    refused(n.Normal(v, w, tau), "a vector has a covariance", v=np.ones(2), w=np.ones(2), tau=1)
    refused(n.trace(n.identity), "size of the identity")
    refused(n.E(r(x), x), "'x': expected the list of its values", r=R, x=np.ones((3, 1)))
    refused(n.E(r(x), x), "'x': 2 values|'r': 3 values", r=R, x=np.ones(2))
    refused(n.total(k, k, 1, T), "must be one integer", T=np.array([1, 2]))
    refused(beta[T], "'T': expected integers", beta=np.ones(3), T=np.array([1.0]))
    refused(q(z | n.number(2)), "is not in the table", q=Q)
    refused(p(x), "needs a table, not a function", p=math.exp)


def test_vectors_are_averaged_over_tables(np: Any) -> None:
    average = compile_tree(n.E(r(x), x * v) + w)
    value = average(r=R, x=[1.0, 2.0, 3.0], v=np.array([1.0, -1.0]), w=np.zeros(2))
    assert np.allclose(value, [1.6, -1.6])
    spread = compile_tree(n.trace(n.E(r(x), x * S)))
    assert spread(r=R, x=[1.0, 2.0, 3.0], Sigma=np.eye(2)) == pytest.approx(3.2)


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (n.diff(mu**2, mu), "derivative"),
        (mu / v, "divides by a vector"),
        (n.product(v * k, k, 1, T), "product over a range of a vector"),
        (n.KL(n.Normal(x, 0, 1), n.Normal(x, mu, 1)), "closed form"),
        (n.E(n.Normal(x, 0, 1), x), "closed form"),
        (n.integral(x * mu, x), "closed form"),
        (r(x) * t.Symbol("r"), "two different things"),
        (n.Density("r", x)(x) + n.Density("r", x, z)(x), "two different things"),
    ],
)
def test_what_cannot_be_compiled_says_so(node: t.Node, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        compile_tree(node)


def test_unknown_backends_and_tables_without_arrays() -> None:
    with pytest.raises(ValueError, match="backend='jax'"):
        compile_tree(mu, "jax")
    with pytest.raises(ValueError, match="no arrays"):
        compile_tree(n.JS(r(x), s(x)), "math")
