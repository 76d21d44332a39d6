"""The page shows what was typed: random tree -> LaTeX -> an independent parser -> the same tree."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genmath.proof.language import names
from genmath.proof.language import notation as n
from genmath.proof.language import tree as t
from genmath.proof.language.binders import Between, Limit, Over, Same
from genmath.proof.language.claims import equal
from genmath.proof.language.elementary import TABLE
from genmath.proof.language.matrix_functions import MATRICES
from genmath.proof.language.names import latex_name, text_name
from genmath.proof.language.text import text
from genmath.proof.language.tree import Node
from tests.proof.latex_parser import Declared, Unreadable, parse

# The package exports the function `latex`, which hides the module of that name.
printer = importlib.import_module("genmath.proof.language.latex")
latex: Callable[[Node], str] = printer.latex

x, z, y = n.variables("x z y")
z_1, z_2 = n.copies(z, 2)
x_prev, noise = n.variables("x_{t-1} eps")
v, w = n.vectors("v w_0")
m = n.mean_vectors("mu_hat")
S, L = n.covariances("Sigma Lambda_q")
a, a_bar, star = n.positives("a alpha_bar_t theta_star")
c, d, data = n.reals("c_tilde_1 d data")
i, steps = n.naturals("i T")
beta, sig = n.Sequence("beta", domain="unit"), n.Sequence("sigma_q")
p = n.Density("p_theta", x, z)
q = n.Density("q_phi", z, given=x)
r = n.Density("r", y, given=(x, z))
f, g = n.Function("f", convex=True), n.Function("g_omega")
turn = n.Function("h", decreasing=True)
labels = n.FiniteSet("Y_0")
between = n.variables("b_t", domain=(a, 2))
image = n.Map("T_0")
k, k_0 = labels.members("k k_0")
scale = n.Function("sigma_f", positive=True)
letter = n.define("gamma_t", a / c)
names_ = (
    x,
    z,
    y,
    z_1,
    z_2,
    x_prev,
    noise,
    v,
    w,
    m,
    S,
    L,
    a,
    a_bar,
    star,
    c,
    d,
    data,
    i,
    steps,
    k,
    k_0,
    between,
)
DECLARED: dict[str, Declared] = {
    **{s.name: s for s in names_},
    **{s.name: s for s in (beta, sig, p, q, r, f, g, scale, turn, letter, labels, image)},
}

# --- random trees ---------------------------------------------------------------------------------

numbers = st.one_of(
    st.integers(0, 12).map(t.Number),
    st.fractions(min_value=0, max_value=2, max_denominator=8).map(t.Number),
)
SCALARS = (
    x,
    z,
    z_1,
    x_prev,
    noise,
    a,
    a_bar,
    star,
    c,
    d,
    data,
    i,
    steps,
    letter,
    n.pi,
    k,
    labels.size,
    between,
)
DENSITIES = (
    p(x), p(z), p(x, z), p(z | x), p(x | z_1), p(z_1), q(z | x), q(z_2 | x), q(z | x_prev * 2),
    q(z | n.number(1)), r(y | (x, z)), r(y | (x, z_2)),
)  # fmt: skip
ONE = tuple(TABLE)


def scalars(depth: int) -> st.SearchStrategy[Node]:
    leaf = st.one_of(numbers, st.sampled_from(SCALARS), st.sampled_from(DENSITIES))
    if depth == 0:
        return leaf
    few = (leaf,) if depth == 1 else ()  # else most of what is drawn would be a single letter
    return st.deferred(lambda: st.one_of(*few, *_scalars(depth - 1)))


def _scalars(depth: int) -> Iterator[st.SearchStrategy[Node]]:
    u, vector, matrix, dens = scalars(depth), vectors(depth), matrices(depth), measures(depth)
    some = st.lists(u, min_size=2, max_size=3)
    yield some.map(lambda terms: t.Add(*terms))
    yield some.map(lambda factors: t.Mul(*factors))
    yield u.map(t.Neg)
    yield st.builds(t.Div, u, u)
    yield st.builds(t.Pow, u, u)
    yield st.builds(t.Fn, st.sampled_from(ONE), u)
    yield st.builds(t.Fn, st.just("log"), u)
    yield st.builds(lambda h, e: h[e], st.sampled_from((beta, sig)), u)
    yield st.just(Same(k, k_0))
    yield st.builds(t.Fn, st.just("norm2"), vector)
    yield st.builds(t.Fn, st.just("dot"), vector, vector)
    yield st.builds(t.Fn, st.sampled_from(("det", "trace")), matrix)
    yield st.builds(lambda h, k, e: t.Apply(h.name, h.traits, k, e),
                    st.sampled_from((f, g, scale, f.conjugate, turn, turn.inverse)),
                    st.integers(0, 3), u)  # fmt: skip
    yield st.builds(lambda e, k: g(e, k), u, u)
    yield dens
    yield st.builds(lambda e, k: t.Expect((e,), k), dens, u)
    yield st.builds(lambda e, k, b: t.Expect((e, k), b), dens, dens, u)
    yield st.builds(t.Integral, u, st.sampled_from((x, z, x_prev)))
    yield st.builds(lambda b: t.Integral(b, x, z_1), u)
    yield st.builds(t.Deriv, u, st.sampled_from((x, a_bar)))
    yield st.builds(t.Big, st.sampled_from(("sum", "prod")), u, st.just(i), u, u)
    yield st.builds(n.over, st.sampled_from(tuple(Over.SIGNS)), u, st.just(k))
    yield st.builds(n.over, st.sampled_from(("sup", "inf")), u, st.sampled_from((x, a_bar)))
    yield st.builds(Between, u, st.sampled_from((c, x)), u, st.one_of(u, st.just(n.infinity)))
    yield st.builds(Limit, u, st.sampled_from((c, a)), st.one_of(u, st.just(n.infinity)))
    kinds, bounds = st.sampled_from(("KL", "JS", "TV")), st.sampled_from(((x,), (z,), (z_1, x)))
    yield st.builds(t.Divergence, kinds, u, u, bounds)
    yield st.builds(lambda k, e, h: t.Divergence(k, e, h, t.event_variables(e)), kinds, dens, u)
    yield dens.map(lambda e: t.Entropy(e, t.event_variables(e)))
    yield st.builds(t.Entropy, u, bounds)


def measures(depth: int) -> st.SearchStrategy[Node]:
    simple = st.sampled_from(DENSITIES)
    if depth == 0:
        return simple
    u, vector = scalars(depth - 1), vectors(depth - 1)
    places = st.sampled_from((x, z, x_prev))
    return st.one_of(
        simple,
        st.builds(t.Normal, places, u, u),
        st.builds(t.Normal, u, u, u),
        st.builds(lambda e, k: t.Family("Exponential", e, k), places, u),
        st.builds(lambda e, k, h: t.Family("Beta", e, k, h), u, u, u),
        st.builds(t.Normal, vector, vector, matrices(depth - 1)),
    )


def vectors(depth: int) -> st.SearchStrategy[Node]:
    leaf: st.SearchStrategy[Node] = st.sampled_from((v, w, m))
    if depth == 0:
        return leaf
    u, same, matrix = scalars(depth - 1), vectors(depth - 1), matrices(depth - 1)
    return st.one_of(
        leaf,
        st.builds(t.Add, same, same),
        st.builds(t.Mul, u, same),
        st.builds(t.Mul, matrix, same),
        st.builds(t.Neg, same),
        st.builds(t.Div, same, u),
        st.builds(t.Fn, st.just("transpose"), same),
        st.builds(t.Deriv, u, st.sampled_from((v, m))),
        st.builds(t.Mapped, st.just(image.name), st.booleans(), st.just(0), same),
    )


def matrices(depth: int) -> st.SearchStrategy[Node]:
    leaf = st.sampled_from((S, L, n.identity))
    if depth == 0:
        return leaf
    u, same = scalars(depth - 1), matrices(depth - 1)
    return st.one_of(
        leaf,
        st.builds(t.Add, same, same),
        st.builds(t.Mul, same, same),
        st.builds(t.Mul, u, same),
        st.builds(t.Neg, same),
        st.builds(t.Fn, st.sampled_from(("inverse", "transpose")), same),
        st.builds(t.Mapped, st.just(image.name), st.booleans(), st.just(1), vectors(depth - 1)),
    )


trees = st.one_of(scalars(3), vectors(2), matrices(2))
quick = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def comes_back(node: Node) -> bool:
    try:
        return parse(latex(node), DECLARED) == node
    except Unreadable:
        return False


@quick
@given(trees)
def test_round_trip(node: Node) -> None:
    assert parse(latex(node), DECLARED) == node


@quick
@given(trees, trees)
def test_text_tells_trees_apart(one: Node, two: Node) -> None:
    assert (text(one) == text(two)) == (one == two)


# --- every way of putting one node into another ---------------------------------------------------

AROUND: dict[str, Callable[[Node], Node]] = {
    "first term": lambda u: t.Add(u, c),
    "last term": lambda u: t.Add(c, u),
    "subtracted": lambda u: t.Add(c, t.Neg(u), d),
    "negated": t.Neg,
    "first factor": lambda u: t.Mul(u, a),
    "middle factor": lambda u: t.Mul(c, u, a),
    "last factor": lambda u: t.Mul(t.Number(2), u),
    "before a group": lambda u: t.Mul(u, t.Add(c, d)),
    "numerator": lambda u: t.Div(u, a),
    "denominator": lambda u: t.Div(1, u),
    "base": lambda u: t.Pow(u, 2),
    "exponent": lambda u: t.Pow(a, u),
    "reciprocal": lambda u: t.Pow(u, -1),
    **{name: lambda u, name=name: t.Fn(name, u) for name in ONE},  # type: ignore[misc]
    "an image": lambda u: n.norm2(image(u * m)),
    "slopes of an inverse": lambda u: n.det(image.inverse.jacobian(u * m)),
    "inverse of the slopes": lambda u: n.det(n.inverse(image.jacobian(u * m))),
    "in an interval": lambda u: n.integral(u * between, between),
    "above a threshold": lambda u: n.indicator(u > a),
    "below a threshold": lambda u: n.indicator(u < a),
    "index": lambda u: beta[u],
    "index after a subscript": lambda u: sig[u],
    "argument": f,
    "argument of a derivative": f.prime,
    "argument of a conjugate": f.conjugate.prime,
    "second argument": lambda u: g(a, u),
    "condition": lambda u: q(z | u),
    "point": lambda u: t.Normal(u, 0, 1),
    "variance": lambda u: t.Normal(x, 0, u),
    "mean of a mean": lambda u: n.E((q(z | x), t.Normal(noise, u, 1)), a),
    "point of a family": lambda u: t.Family("Beta", u, a, 1),
    "parameter of a family": lambda u: t.Family("Beta", x, a, u),
    "mean of a family": lambda u: n.E((t.Family("Poisson", x, u), p(z)), a),
    "averaged": lambda u: n.E(q(z | x), u),
    "integrated": lambda u: n.integral(u, x),
    "integrated twice": lambda u: n.integral(u, x, z),
    "differentiated": lambda u: n.diff(u, a),
    "summed": lambda u: n.total(u, i, 1, steps),
    "multiplied": lambda u: n.product(u, i, 0, steps),
    "lower limit": lambda u: n.total(beta[i], i, u, steps),
    "upper limit": lambda u: n.total(beta[i], i, 1, u),
    "left of KL": lambda u: t.Divergence("KL", u, q(z | x), (z,)),
    "right of JS": lambda u: n.JS(p(x), u),
    "TV elsewhere": lambda u: n.TV(p(x, z), u, x),
    "entropy": lambda u: t.Entropy(u, (x,)),
    "matrix scaled": lambda u: n.trace(n.inverse(S * u)),
    "vector scaled": lambda u: n.norm2(u * v),
    "trace of a product": lambda u: n.trace(n.inverse(u * S) * L),
    "determinant": lambda u: n.det(n.transpose(S + u * n.identity)),
    "identity of a size": lambda u: n.trace(u * n.identity_of(2)),
    "quadratic form": lambda u: n.transpose(v) * n.inverse(S) * (u * w),
    "with a name and a constant": lambda u: n.pi * letter * u,
    "angle": lambda u: n.dot(v, -w) * u,
}
INNERMOST = (x, star, t.Number(3), n.number("2/3"), p(x))


def nested(depth: int) -> Iterator[Node]:
    if depth == 0:
        yield from INNERMOST
        return
    for inside in nested(depth - 1):
        yield from (around(inside) for around in AROUND.values())


@pytest.mark.parametrize("depth", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_every_nesting_comes_back(depth: int) -> None:
    assert [latex(u) for u in nested(depth) if not comes_back(u)] == []


def test_every_nesting_has_its_own_latex_and_text() -> None:
    seen = list(nested(2))
    assert len({latex(u) for u in seen}) == len(set(seen))
    assert len({text(u) for u in seen}) == len(set(seen))


def test_every_kind_of_node_is_tried() -> None:
    kinds = {c for c in vars(t).values() if isinstance(c, type) and issubclass(c, Node)} - {Node}
    tried = {type(part) for u in nested(1) for part in u.walk()}
    functions = {part.data[0] for u in nested(1) for part in u.walk() if isinstance(part, t.Fn)}
    assert tried == kinds
    assert functions == {*TABLE, *MATRICES}


# --- the checks above can fail --------------------------------------------------------------------


def _break(name: str) -> Callable[..., object]:
    right = getattr(printer, name)
    broken: dict[str, Callable[..., object]] = {
        "_parens": lambda shown: shown,
        "_at": lambda node, least: right(node, min(least, printer.PRODUCT)),
        "_factor": lambda node, last: right(node, True),
        "_needs_dot": lambda left, after: False,
        "_ends_in_integral": lambda node: False,
        "_over": lambda bound, dist, form: "",
        "_is_plain": lambda node: True,
        "is_raised": lambda name: False,
        "_script": lambda shown: shown,
        "_condition": lambda u: f"{latex(u)} > 0",
        "decimal": lambda value: str(value.numerator),
        "_sum": lambda terms: right(tuple(reversed(terms))),
    }
    return broken[name]


@pytest.mark.parametrize(
    "rule",
    [
        "_parens", "_at", "_factor", "_needs_dot", "_ends_in_integral", "_over", "_is_plain",
        "is_raised", "_script", "_condition", "decimal", "_sum",
    ],
)  # fmt: skip
def test_a_broken_printer_is_caught(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printer, rule, _break(rule))
    assert not all(comes_back(u) for depth in (1, 2) for u in nested(depth))


# --- what readers see -----------------------------------------------------------------------------


def test_the_elbo() -> None:
    step = n.E(q(z | x), n.log(p(x, z) / q(z | x))) + n.KL(q(z | x), p(z | x))
    assert latex(step) == (
        r"\mathbb{E}_{q_\phi(z \mid x)}\left[\log \frac{p_\theta(x, z)}{q_\phi(z \mid x)}\right]"
        r" + D_{\mathrm{KL}}\left(q_\phi(z \mid x) \,\middle\|\, p_\theta(z \mid x)\right)"
    )
    assert text(step) == "E[q_φ(z|x)] log(p_θ(x,z)/q_φ(z|x)) + KL(q_φ(z|x) ‖ p_θ(z|x))"


def test_the_gaussian_kl() -> None:
    mu, sigma = n.reals("mu"), n.positives("sigma")
    closed = (mu**2 + sigma**2 - 1 - n.log(sigma**2)) / 2
    claim = equal(n.KL(n.Normal(z, mu, sigma**2), n.Normal(z, 0, 1)), closed)
    assert printer.latex_claim(claim) == (
        r"D_{\mathrm{KL}}\left(\mathcal{N}(z;\, \mu,\, \sigma^2)"
        r" \,\middle\|\, \mathcal{N}(z;\, 0,\, 1)\right)"
        r" = \frac{\mu^2 + \sigma^2 - 1 - \log \sigma^2}{2}"
    )
    assert text(closed) == "(μ^2 + σ^2 - 1 - log(σ^2))/2"


def test_the_ddpm_posterior_mean() -> None:
    at, bt = n.fractions("alpha_t beta_t")
    bar, before = n.fractions("alpha_bar_t alpha_bar_{t-1}")
    x_t, x_0 = n.variables("x_t x_0")
    mean = n.sqrt(before) * bt / (1 - bar) * x_0 + n.sqrt(at) * (1 - before) / (1 - bar) * x_t
    assert latex(mean) == (
        r"\frac{\sqrt{\bar\alpha_{t-1}} \beta_t}{1 - \bar\alpha_t} x_0"
        r" + \frac{\sqrt{\alpha_t} (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t} x_t"
    )


@pytest.mark.parametrize(
    ("node", "shown"),
    [
        (n.log(a) * d, r"\log(a)\, d"),
        (d * n.log(a), r"d \log a"),
        (n.log(a * d), r"\log(a d)"),
        (n.log(n.det(S)), r"\log \det \Sigma"),
        (n.log_gap(a / d), r"\left[\frac{a}{d} - 1 - \log \frac{a}{d}\right]"),
        (n.indicator(x > 0), r"\mathbf{1}\left[x > 0\right]"),
        (n.positive_part(1 - x), r"\max(1 - x,\, 0)"),
        (a - (x - d), r"a - (x - d)"),
        (a - (-d), r"a - (-d)"),
        (a * (-d), r"a (-d)"),
        (n.number(2) * 3, r"2 \cdot 3"),
        (n.number(1) / 3 * n.number("0.02"), r"\frac{1}{3} \cdot 0.02"),
        (beta[i - 1], r"\beta_{i - 1}"),
        (sig[i], r"\sigma_{q,i}"),
        (f.prime(x), "f'(x)"),
        (f.conjugate(x), "f^{*}(x)"),
        (turn.inverse(x), "h^{-1}(x)"),
        (turn.inverse.prime(x), r"\left(h^{-1}\right)'(x)"),
        (n.E(n.Normal(noise, 0, 1), noise),
         r"\mathbb{E}_{\epsilon \sim \mathcal{N}(0,\, 1)}\left[\epsilon\right]"),
        (n.integral(p(x, z), z), r"\int p_\theta(x, z)\,\mathrm{d}z"),
        (n.total(beta[i], i, 1, steps), r"\sum_{i=1}^T \beta_i"),
        (n.diff(n.log(p(x)), x), r"\frac{\partial}{\partial x} \log p_\theta(x)"),
        (n.norm2(v - m), r"\left\|v - \hat\mu\right\|^2"),
        (n.transpose(v) * n.inverse(S) * v, r"v^\top \Sigma^{-1} v"),
        (n.TV(p(x), q(z | x), x), r"D_{\mathrm{TV}}\left(p_\theta(x),\, q_\phi(z \mid x)\right)"),
        (n.TV(p(x, z), q(z | x), x),
         r"D_{\mathrm{TV};\,x}\left(p_\theta(x, z),\, q_\phi(z \mid x)\right)"),
        (letter * 2, r"\gamma_t \cdot 2"),
    ],
)  # fmt: skip
def test_how_it_looks(node: Node, shown: str) -> None:
    assert latex(node) == shown
    assert comes_back(node)


def test_relations() -> None:
    assert printer.latex_claim(a >= d) == r"a \ge d"
    assert printer.latex_claim(a < d) == "a < d"
    assert printer.latex_claim(equal(a, 1)) == "a = 1"


@pytest.mark.parametrize(
    ("name", "shown", "plain"),
    [
        ("x", "x", "x"),
        ("beta_t", r"\beta_t", "β_t"),
        ("alpha_bar_t", r"\bar\alpha_t", "α\u0304_t"),
        ("x_{t-1}", "x_{t-1}", "x_{t-1}"),
        ("x_t-1", "x_{t-1}", "x_{t-1}"),
        ("x_10", "x_{10}", "x_10"),
        ("z_t_1", "z_{t,1}", "z_{t,1}"),
        ("eps_theta", r"\epsilon_\theta", "ϵ_θ"),
        ("mu_hat", r"\hat\mu", "μ\u0302"),
        ("mu_theta_hat", r"\mu_{\hat\theta}", "μ_{θ\u0302}"),
        ("x_tilde_0", r"\tilde{x}_0", "x\u0303_0"),
        ("p_data", r"p_{\mathrm{data}}", "p_data"),
        ("ELBO", r"\mathrm{ELBO}", "ELBO"),
        ("D_star_k", r"D_k^\star", "D⋆_k"),
        ("x_prime", "x'", "x′"),
        ("q_phi(x_2|x_0,z)", r"q_\phi(x_2 \mid x_0, z)", "q_φ(x_2|x_0,z)"),
    ],
)
def test_names(name: str, shown: str, plain: str) -> None:
    assert latex_name(name) == shown
    assert text_name(name) == plain


def test_names_that_look_alike_are_reported() -> None:
    assert names.collisions(["eps", "x", "epsilon"]) == [("eps", "epsilon")]
    assert names.collisions(DECLARED) == []


@pytest.mark.parametrize("name", ["s_star", "s^*", "s_star_w"])
def test_a_raised_letter_takes_parentheses_before_a_power(name: str) -> None:
    shown = latex(n.define(name, n.variables("x") + 1) ** 2)
    assert shown.startswith("(")
    assert shown.endswith(")^2")
