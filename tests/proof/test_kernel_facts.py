"""Random steps: whatever fact the kernel takes from them is true at random numbers."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

from genmath.proof.kernel import Rejected, rules
from genmath.proof.kernel.claims import claim
from genmath.proof.kernel.limits import Work
from genmath.proof.kernel.proof import Scope
from genmath.proof.kernel.terms import Term
from tests.proof.alterations import truth
from tests.proof.certificates import document

GIVEN = (
    "0 < a", "0 <= b", "c <= 0", "c != 0", "a < 1", "b < a", "0 < (+ a b)", "0 <= (- c)",
    "0 < (* a a)", "0 < (sqrt a)", "(^ c 2) = (+ a b)", "0 < (ln b)", "a <= (* 2 b)",
    "0 <= (+ a c)", "0 <= (+ a (- c))",
)  # fmt: skip
KINDS = ("equal", "equal", "bound", "slope", "slope", "identity", "nonzero", "sum")
ROUNDS, STEPS = 15, 40


def term(chance: random.Random, depth: int, leaves: tuple[Any, ...] = ("a", "b", "c")) -> Any:
    if depth == 0 or chance.random() < 0.3:
        return chance.choice((*leaves, *leaves, "0", "1", "2", "-1", "1/2", "PI"))

    def inner() -> Any:
        return term(chance, depth - 1, leaves)

    match chance.choice("+*-/^^fffn"):
        case "-":
            return ["-", inner()]
        case "/" | "+" | "*" as sign:
            return [sign, inner(), inner()]
        case "^":
            return ["^", inner(), chance.choice((0, 1, 2, 2, 3))]
        case "n":
            return ["normal", inner(), inner(), inner()]
    return [chance.choice(("exp", "ln", "sqrt", "abs", "log_gap", "sin", "cos", "f")), inner()]


def step(chance: random.Random, facts: int) -> Any:
    def some(most: int = 2) -> list[Any]:
        weight = chance.choice(("1", "2", "-1", "0"))
        return [weight, *(chance.randrange(facts) for _ in range(chance.randint(1, most)))]

    kind = chance.choice(KINDS)
    t, u = term(chance, 2), term(chance, 1)
    if chance.random() < 0.5:  # of what more is known
        t, u = chance.choice(("a", "b", "2")), chance.choice(("a", "b", "1/2"))
    match kind:
        case "equal":
            rule, row = chance.choice(sorted(rules.ROWS.items()))
            inside = [row.shape, t, u] if row.shape in ("+", "*", "/") else [row.shape, t]
            inside = ["^", t, chance.choice((2, 2, 3))] if row.shape == "^" else inside
            arguments = {"normal": [t, u, term(chance, 1)], "power": [t, u]}.get(row.head, [t])
            return ["equal", rule, [row.head, *([inside] if row.shape else arguments)]]
        case "bound":
            rule = chance.choice(sorted(rules.BOUNDS))
            head = {"root": "sqrt", "circle": "sin"}.get(rule, rule.split("_")[0])
            same = [head, t] if rule != "normal" else [rule, t, u, t]
            if rule == "abs_most":
                same = ["+", chance.choice(("a", u)), ["-", ["abs", chance.choice(("c", t))]]]
            return ["bound", rule, chance.choice((same, same, t))]
        case "slope":
            body = term(chance, 3, (["#", 0], ["#", 0], "a"))
            return ["equal", "slope", ["Deriv", ["=>", 1, body], t]]
        case "identity":
            by = [chance.randrange(facts) for _ in range(2)]
            sides = ([t, t], [["/", ["*", t, u], u], t], [["^", t, 2], ["*", t, t]], [t, u])
            return ["identity", ["=", *chance.choice(sides)], chance.choice(([], by))]
        case "nonzero":
            return ["nonzero", some()]
    return ["sum", [some() for _ in range(chance.randint(1, 2))], chance.choice(("<", "<="))]


def test_every_fact_is_true() -> None:
    counts = Counter[str]()
    for k in range(ROUNDS):
        chance = random.Random(k)
        given = tuple(chance.sample(GIVEN, chance.randint(2, 6)))
        said = document("0 = 0", [], given, {"f": {"takes": [0]}})["lines"][0]["claim"]
        read = claim(said)
        scope = Scope(read, read.read, Work(10**7))
        for _ in range(STEPS):
            one = step(chance, len(scope.facts))
            try:
                one = whole(scope, one)
                fact = scope.step(one)
            except Rejected:
                counts["rejected"] += 1
                continue
            found = truth(replace(read, states=fact), chance)
            counts[one[0] if one[0] != "equal" or one[1] != "slope" else "slope"] += 1
            counts[found] += 1
            assert found != "FALSE", (given, one, fact)
    for kind in ("equal", "bound", "slope", "identity", "nonzero", "combination"):
        assert counts[kind] > 4, counts
    assert counts["true"] > 80, counts


def whole(scope: Scope, one: Any) -> Any:
    """Of what is said of gaps: that their product is not 0, or that a sum of products is >= 0."""

    def product(weight: str, *facts: int) -> Any:
        gaps = [["+", _said(scope.fact(f)[2]), ["-", _said(scope.fact(f)[1])]] for f in facts]
        return ["*", weight, "1", *gaps]

    match one:
        case ["nonzero", some]:
            return ["nonzero", product(*some), "1", some, []]
        case ["sum", terms, sign]:
            sum_ = ["+", "0", "0", *(product(*some) for some in terms)]
            return ["combination", [sign, "0", sum_], terms, []]
    return one


def _said(t: Term) -> Any:
    if isinstance(t, tuple):
        return [a if isinstance(a, int) or k == 0 else _said(a) for k, a in enumerate(t)]
    return str(t)
