"""What `check_derivation` says: verdicts, labels, lints, lemmas, slips and mutants."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from genmath.proof import (
    KL,
    Density,
    Derivation,
    E,
    Normal,
    NotationError,
    copies,
    derivation,
    equal,
    fractions,
    integral,
    log,
    log_gap,
    mean_vectors,
    norm2,
    number,
    numeric,
    positives,
    reals,
    sqrt,
    trace,
    variables,
    vectors,
)
from genmath.proof import check as checker
from genmath.proof.check import Contradiction
from genmath.proof.language.notation import identity
from genmath.proof.report import check_derivation
from genmath.proof.symbolic.proof import Proof

x, z = variables("x z")
p = Density("p", x, z, positive=True)
q = Density("q", z, given=x)
u = Density("u", x)
v = Density("v", x, dominates=u)
a, b = reals("a b")
s, t = positives("s t")


@derivation("KL is non-negative", takes=(u(x), v(x)))
def kl_nonnegative(d: Derivation) -> None:
    d.start(KL(u(x), v(x)))
    d.equals(integral(u(x) * log(u(x) / v(x)) - u(x) + v(x), x), by="both integrate to one")
    d.at_least(0, by="the logarithm lies below its tangent")
    d.tight_when(v(x), u(x))


def report(title: str = "t", **options: Any) -> Callable[[Callable[..., None]], dict[str, Any]]:
    """Build a derivation from a function and check it."""
    mutants = options.pop("mutants", False)
    return lambda build: check_derivation(derivation(title, **options)(build), mutants=mutants)


def test_a_proved_derivation_says_so() -> None:
    found = check_derivation(kl_nonnegative, mutants=True)
    assert found["ok"]
    assert found["label"] == "proved"
    assert [step["verdict"] for step in found["steps"]] == ["proved"] * 3
    assert found["steps"][2]["by"].startswith("equality when")
    assert sum(step["mutants"]["killed"] for step in found["steps"]) > 40
    assert not any(step["mutants"]["survived"] for step in found["steps"])
    json.dumps(found)


def test_a_refuted_step_shows_its_counterexample() -> None:
    @report()
    def found(d: Derivation) -> None:
        d.start((a + b) ** 2)
        d.equals(a**2 + b**2, by="a common slip")

    (step,) = found["steps"]
    assert not found["ok"]
    assert found["label"] == "not proved"
    assert step["verdict"] == "refuted"
    assert step["residual_text"] == "2*a*b"
    assert set(step["counterexample"]) >= {"lhs", "rhs", "world"}
    assert step["line"] > 0


def test_a_true_step_without_a_rule_stays_open() -> None:
    @report()
    def found(d: Derivation) -> None:
        n = number(3)
        d.start(sqrt(n + 2 * sqrt(number(2))))
        d.equals(1 + sqrt(number(2)), by="nested roots")

    assert found["steps"][0]["verdict"] == "open"
    assert found["steps"][0]["numeric"]
    assert not found["ok"]


def test_a_missing_step_is_reported_missing() -> None:
    @report()
    def found(d: Derivation) -> None:
        d.start(a + a)
        d.equals(..., by="for the reader")
        d.equals(2 * a, by="collect")

    assert [step["verdict"] for step in found["steps"]] == ["missing", "proved"]
    assert found["label"] == "not proved"
    assert not found["ok"]


def test_a_wrong_line_after_a_missing_equality_is_refuted() -> None:
    @report()
    def found(d: Derivation) -> None:
        d.start(a + a)
        d.equals(..., by="for the reader")
        d.equals(3 * a, by="collect")

    assert [step["verdict"] for step in found["steps"]] == ["missing", "refuted"]


def test_after_a_missing_bound_nothing_can_be_told() -> None:
    """a² + b² = 2ab is false, and need not be true: the missing bound stands between."""

    @report()
    def found(d: Derivation) -> None:
        d.start(a**2 + b**2)
        d.at_least(..., by="for the reader")
        d.equals(..., by="for the reader")
        d.equals(2 * a * b, by="collect")
        d.equals(a * b * 2, by="reorder")

    assert [s["verdict"] for s in found["steps"]] == ["missing", "missing", "open", "proved"]
    assert "missing bound" in found["steps"][2]["reason"]
    assert not found["ok"]


def test_a_missing_certificate_is_missing_too() -> None:
    def with_certificate(why: Any) -> dict[str, Any]:
        @report()
        def found(d: Derivation) -> None:
            d.start(a**2 + b**2)
            d.at_least(2 * a * b, by="a square is not negative", because=why)
            d.tight_when(a, b)

        return found

    left_out = with_certificate(...)
    assert [step["verdict"] for step in left_out["steps"]] == ["missing", "missing"]
    assert left_out["label"] == "not proved"
    assert with_certificate((a - b) ** 2)["ok"]
    assert with_certificate((a + b) ** 2)["steps"][0]["verdict"] == "open"


@pytest.mark.parametrize("instances", [False, True])
def test_nothing_is_concluded_from_a_chain_with_a_gap(instances: bool) -> None:
    """Not even where only instances were asked for: u >= v is shown by no line."""

    @derivation("with a gap", takes=(a, b), instances=instances)
    def gap(d: Derivation) -> None:
        d.start(a)
        d.at_least(..., by="for the reader")
        d.equals(b, by="from there")

    @report(instances=instances)
    def found(d: Derivation) -> None:
        d.start(s)
        d.at_least(t, by="the lemma", because=gap(s, t))

    assert check_derivation(gap)["label"] == "not proved"
    assert found["label"] == "not proved"
    assert not found["ok"]


def test_a_filled_line_has_a_reason() -> None:
    @report()
    def found(d: Derivation) -> None:
        d.start(a + a)
        d.equals(2 * a, by="...")

    assert found["problems"] == [f"line {found['steps'][0]['line']}: its reason is left as ..."]
    assert not found["ok"]


# --- labels ---


def test_labels_are_the_strongest_true_words() -> None:
    big, m = vectors("X"), mean_vectors("m")

    @report()
    def gaussian(d: Derivation) -> None:
        d.start(E(Normal(z, a, s), z**2))
        d.equals(a**2 + s, by="moments")

    @report(dims=(1, 2, 3))
    def dimensions(d: Derivation) -> None:
        d.start(E(Normal(big, m, s * identity), norm2(big)))
        d.equals(norm2(m) + s * trace(identity), by="moments")

    @report(k=(2, 3))
    def cases(d: Derivation, k: int) -> None:
        d.start(sum(copies(x, k), number(0)))
        d.equals(sum(reversed(copies(x, k)), number(0)), by="order")

    @report(instances=True)
    def instances(d: Derivation) -> None:
        d.start(sqrt(3 + 2 * sqrt(number(2))))
        d.equals(1 + sqrt(number(2)), by="nested roots")

    assert [r["label"] for r in (gaussian, dimensions, cases, instances)] == [
        "proved for Gaussians",
        "proved for d ≤ 3",
        "proved for 2 ≤ k ≤ 3",
        "verified on instances",
    ]
    assert all(r["ok"] for r in (gaussian, dimensions, cases, instances))


def test_a_lemma_hands_on_its_label_and_its_assumptions() -> None:
    @derivation("a Gaussian lemma")
    def second_moment(d: Derivation) -> None:
        d.start(E(Normal(z, a, s), z**2))
        d.equals(a**2 + s, by="moments")

    @report()
    def user(d: Derivation) -> None:
        d.start(log(E(Normal(z, a, s), z**2) + 1))
        d.equals(log(a**2 + s + 1), by="the lemma", because=second_moment())

    assert user["ok"], user["problems"]
    assert user["label"] == "proved for Gaussians"


def test_uses_are_what_the_prover_consulted() -> None:
    @report()
    def user(d: Derivation) -> None:
        d.start(KL(q(z | x), p(z | x)))
        d.at_least(0, by="the lemma", because=kl_nonnegative(q(z | x), p(z | x)))

    assert user["ok"], user["problems"]
    assert user["uses"] == [kl_nonnegative.name]


def test_an_unproved_lemma_spoils_its_user() -> None:
    @derivation("false", takes=(u(x), v(x)))
    def wrong(d: Derivation) -> None:
        d.start(KL(u(x), v(x)))
        d.at_least(1, by="wishful thinking")

    @report()
    def user(d: Derivation) -> None:
        d.start(KL(u(x), v(x)) + 1)
        d.at_least(1, by="the lemma", because=wrong(u(x), v(x)))

    assert not user["ok"]


# --- lints ---


def test_a_trivial_step() -> None:
    @report()
    def found(d: Derivation) -> None:
        d.start(a + b)
        d.equals(a + b, by="nothing")

    assert any("trivial" in problem for problem in found["problems"])


def test_an_unused_hypothesis() -> None:
    @report()
    def found(d: Derivation) -> None:
        w = Density("w", x, positive=True)
        d.start(E(w(x), a))
        d.equals(a, by="integrates to one")

    assert any("unused hypothesis" in problem for problem in found["problems"])


def test_contradictory_hypotheses() -> None:
    @report()
    def found(d: Derivation) -> None:
        d.given_that(a >= 1)
        d.given_that(a <= 0)
        d.start(a)
        d.at_least(1, by="given")

    assert any("contradictory" in problem for problem in found["problems"])
    assert not found["ok"]


def test_one_letter_with_two_meanings() -> None:
    with pytest.raises(NotationError):
        Density("w", x, x)

    @report()
    def found(d: Derivation) -> None:
        d.start(reals("k") + 0 * positives("k"))
        d.equals(reals("k"), by="a clash")

    assert not found["ok"]


# --- bounds ---


def test_a_certificate_needs_a_proved_sign() -> None:
    @report()
    def found(d: Derivation) -> None:
        d.start(log(p(x)))
        d.at_least(log(p(x)) + 1, by="a bold claim", because=number(-1))

    assert found["steps"][0]["verdict"] == "refuted"

    @report()
    def unsigned(d: Derivation) -> None:
        d.start(a**2 + b**2)
        d.at_least(2 * a * b - (a - b), by="no", because=(a - b) ** 2 + (a - b))

    assert unsigned["steps"][0]["verdict"] in ("refuted", "open")
    assert not unsigned["steps"][0]["symbolic"]


def test_a_chain_keeps_one_direction() -> None:
    with pytest.raises(NotationError, match="mix"):

        @derivation("both ways")
        def mixed(d: Derivation) -> None:
            d.start(a**2 + 1)
            d.at_least(1, by="a square")
            d.at_most(2, by="?")


def test_a_reversed_bound_must_fall() -> None:
    @report(mutants=True)
    def found(d: Derivation) -> None:
        d.start(E(u(x), log_gap(v(x) / u(x))))
        d.at_least(0, by="the logarithm lies below its tangent")

    assert found["ok"], found["problems"]
    assert found["steps"][0]["mutants"]["killed"] > 0


def test_a_fraction_below_one_has_mutants_too() -> None:
    """One less than it would be negative, which no number on a page is."""

    @report(mutants=True)
    def found(d: Derivation) -> None:
        d.start(number("1/3") * a + number("2/3") * a)
        d.equals(a, by="add")

    assert found["ok"], found["problems"]
    assert found["steps"][0]["mutants"]["killed"] > 0


# --- the checker watches itself ---


def test_proving_what_is_refuted_is_a_bug_and_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "prove", lambda *_: Proof(True))
    with pytest.raises(Contradiction):
        checker.judge(equal(a, b))


def test_a_survivor_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    blind = numeric.Outcome("agree", None, 6, 6)
    for look in ("compare", "farther"):
        monkeypatch.setattr(checker.numeric, look, lambda *_, **__: blind)

    @report(mutants=True)
    def found(d: Derivation) -> None:
        d.start((a + b) ** 2)
        d.equals(a**2 + 2 * a * b + b**2, by="expand")

    assert found["steps"][0]["mutants"]["survived"] > 0
    assert not found["ok"]
    assert any("survived" in problem for problem in found["problems"])


def test_a_hang_ends_as_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: Any) -> Proof:
        while True:
            pass

    monkeypatch.setattr(checker, "prove", endless)
    assert checker.judge(equal(a, a + 0), timeout=0.2).verdict == "timeout"


def test_a_limit_is_of_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a busy machine is not late."""

    def waits(*_: Any) -> Proof:
        time.sleep(0.6)
        return Proof(True)

    monkeypatch.setattr(checker, "prove", waits)
    assert checker.judge(equal(a, a + 0), timeout=0.5).verdict == "proved"


# --- slips ---


def test_a_slip_must_be_refuted_and_its_correction_proved() -> None:
    beta = fractions("beta")

    @report()
    def found(d: Derivation) -> None:
        d.start(E(Normal(z, a, s), (z - a) ** 2))
        d.equals(s, by="moments")
        d.slip(
            "good",
            wrong=equal(E(Normal(z, 0, 1 - beta), z**2), sqrt(1 - beta)),
            right=equal(E(Normal(z, 0, 1 - beta), z**2), 1 - beta),
            source="a test",
        )
        d.slip("no slip", wrong=equal(a, a + 0), right=equal(a, 0 + a), source="a test")
        d.slip("no cure", wrong=equal(a, b), right=equal(a, a + s), source="a test")

    assert [bool(s["problem"]) for s in found["slips"]] == [False, True, True]
    assert not found["ok"]


@pytest.mark.parametrize("strict", [True, False])
def test_a_remark_is_a_failure_in_the_book_only(strict: bool) -> None:
    @derivation("trivial, and with a hypothesis that nothing needs")
    def found(d: Derivation) -> None:
        w = Density("w", x, positive=True)
        d.start(E(w(x), a))
        d.equals(E(w(x), a), by="nothing")
        d.equals(a, by="integrates to one")

    said = check_derivation(found, strict=strict)
    lists = said["problems"], said["remarks"]
    assert said["ok"] == (not strict)
    assert [len(each) for each in lists] == ([2, 0] if strict else [0, 2])
    assert "trivial" in str(lists)
    assert "unused hypothesis: w is positive" in str(lists)


def test_a_hypothesis_that_decides_a_sign_is_used() -> None:
    @report()
    def found(d: Derivation) -> None:
        from genmath.proof import indicator, positive_part

        w, v = Density("w", x, positive=True), Density("v", x)
        d.start(E(v(x), indicator(w(x) > 0) + positive_part(w(x)) - w(x)))
        d.equals(1, by="w is positive everywhere")

    assert found["ok"], found
