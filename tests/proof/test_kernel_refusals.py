"""What is no certificate is refused in one sentence, and soon."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from genmath.proof.kernel import Rejected, check
from genmath.proof.kernel.document import UNFORESEEN
from tests.proof.certificates import accepted, document, relation

STATES = "(+ a b) = (+ b a)"
GOOD = document(STATES, [["identity", relation(STATES), []]])
TEXT = json.dumps(GOOD)


def refused(text: str) -> str:
    """Why; "" if it is accepted."""
    began = time.process_time()
    try:
        found = "; ".join(line.rejected for line in check(text).lines if line.rejected)
    except Rejected as why:
        found = str(why)
    assert time.process_time() - began < 20  # far more than it takes, far less than for ever
    assert "\n" not in found
    assert UNFORESEEN not in found
    assert len(found) < 300
    return found


def test_what_is_right_is_accepted() -> None:
    assert refused(TEXT) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        TEXT[: len(TEXT) // 2],
        "null",
        "[]",
        "{}",
        TEXT.replace('"line": 1', '"line": 1.0'),
        TEXT.replace('"line": 1', '"line": NaN'),
        TEXT.replace('"line": 1', '"line": true'),
        TEXT.replace('"line": 1', '"line": 2'),
        TEXT.replace('"line": 1', '"line": 1, "line": 1'),
        TEXT.replace('"line": 1', '"line": ' + "9" * 5000),
        TEXT.replace('"format": 1', '"format": 2'),
        TEXT.replace('"format": 1', '"format": 1, "more": 1'),
        TEXT.replace('"test.it"', '"two\\nlines"'),
        TEXT.replace('"test.it"', "7"),
        TEXT.replace('"letters"', '"symbols"'),
        TEXT.replace('["a", "b", "c"]', '["a", "b", "b"]'),
        TEXT.replace('["a", "b", "c"]', '["a", "b", "PI"]'),
        TEXT.replace('["a", "b", "c"]', '["a", "b", "exp"]'),
        TEXT.replace('["a", "b", "c"]', '["a", "b", "2"]'),
        TEXT.replace('["a", "b", "c"]', '["a"]'),
        TEXT.replace('"functions": {}', '"functions": {"a": {"takes": []}}'),
        TEXT.replace('"functions": {}', '"functions": {"f": {"takes": [-1]}}'),
        TEXT.replace('"functions": {}', '"functions": {"f": {"takes": [1], "is": "product"}}'),
        TEXT.replace('"functions": {}', '"functions": {"f": {"takes": [0], "slope": "g"}}'),
        TEXT.replace('"functions": {}', '"functions": {"f": {"takes": [0], "margins": [[""]]}}'),
        TEXT.replace('"functions": {}', '"functions": {"f": {"takes": [1, 1], "is": "KL"}}'),
        TEXT.replace('"functions": {}', '"functions": {"f": {"takes": [1], "is": "H", "by": "f"}}'),
        TEXT.replace('"functions": {}', '"functions": {"f": {"takes": [0], "ratio": ["a"]}}'),
        TEXT.replace(
            '"functions": {}',
            '"functions": {"E": {"takes": [1, 1], "is": "expectation"},'
            ' "f": {"takes": [1, 0], "is": "KL", "by": "E"}}',
        ),
        '{"format": 1, "derivation": "d", "lines": [{"line": 1, "without": ""}]}',
        "[" * 100_000 + "]" * 100_000,
        '{"format": 1, "derivation": "d", "lines": ' + "[" * 900 + "]" * 900 + "}",
        TEXT + " " * 2_000_000,
    ],
    ids=lambda text: text[:20] + str(len(text)),
)
def test_what_is_no_certificate(text: str) -> None:
    assert text != TEXT
    assert refused(text)


def nested(depth: int) -> Any:
    return "a" if depth == 0 else ["exp", nested(depth - 1)]


TERMS: list[Any] = [
    [], [[]], None, 1, 1.5, True, {}, "d", "1/0", "1/", "0x1", "1e5", "٣", "9" * 70, ["+"],
    ["+", "a"], ["-", "a", "b"], ["/", "a"], ["^", "a", "b"], ["^", "a", -1], ["^", "a", 10**5],
    ["^", "a", True],
    ["#", 0], ["#", -1], ["#"], ["=>", 1, "a"], ["exp"], ["exp", "a", "b"], ["Deriv", "a", "a"],
    ["Deriv", ["=>", 2, ["#", 0]], "a"], ["Deriv", ["=>", 1, ["#", 1]], "a"], ["f", "a"],
    ["", "a"],
    [1, "a"], [["exp"], "a"], nested(100), ["+", *["a"] * 5000],
]  # fmt: skip


@pytest.mark.parametrize("term", TERMS, ids=lambda t: str(t)[:20])
def test_what_is_no_term(term: Any) -> None:
    """Neither in a claim nor in a proof, wherever a term may stand."""
    steps: list[Callable[[Any], Any]] = [
        lambda t: ["identity", ["=", t, t], []],
        lambda t: ["equal", "ln_exp", t],
        lambda t: ["bound", "square", t],
        lambda t: ["value", t, 0],
        lambda t: ["same", t, t, []],
        lambda t: ["keeps", "<=", t, [], []],
        lambda t: ["iterated", t, t, [], [], []],
        lambda t: ["bound", "abs", ["abs", t]],
        lambda t: ["nonzero", t, "1", ["1"], []],
        lambda t: ["combination", ["<", "0", "1"], [[t]], []],
    ]
    for step in steps:
        wrong = document(STATES, [step(term), ["identity", relation(STATES), []]])
        assert refused(json.dumps(wrong))
    claim = document(STATES, [])
    claim["lines"][0]["claim"]["given"] = [["<", "0", term]]
    assert refused(json.dumps(claim))


@pytest.mark.parametrize(
    "step",
    [
        None, [], {}, "identity", ["identity"], ["identity", ["=", "a", "a"]], ["proves", 1, 2],
        ["step", 1], ["__init__", 1], [["identity"], 1, 2], ["identity", ["~", "a", "a"], []],
        ["identity", ["=", "a", "a"], [0]], ["identity", ["=", "a", "a"], [-1]],
        ["identity", ["=", "a", "a"], [True]], ["identity", ["=", "a", "a"], None],
        ["equal", None, "a"], ["equal", ["slope"], "a"], ["equal", "slope", "a"],
        ["bound", ["square"], "a"], ["combination", ["<", "0", "1"], [[]], []],
        ["combination", ["<", "0", "1"], [["1", "0"]], []], ["result", 0], ["result", None],
        ["instance", 0, []], ["iterated", "a", "b", [], [], []], ["keeps", "<=", "a", [], []],
        ["ln_inject", "a", "b"], ["same", ["exp", "a"], ["exp", "b"], [None]],
        ["same", ["exp", "a"], ["exp", "b"], [["x"], []]], ["same", "a", "b", []],
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_step(step: Any) -> None:
    assert refused(json.dumps(document(STATES, [step, ["identity", relation(STATES), []]])))


def test_nothing_takes_long() -> None:
    many = [f"x{k}" for k in range(40)]
    sum_ = ["+", *many]
    tower: Any = "2"
    for _ in range(8):
        tower = ["^", tower, 64]
    for big in (["^", sum_, 64], ["*", *[sum_] * 30], tower, ["/", "1", ["^", ["^", sum_, 9], 9]]):
        wrong = document(
            STATES, [["identity", ["=", big, big], []]], letters=" ".join(["a", "b", *many])
        )
        assert refused(json.dumps(wrong))
    deep: Any = ["#", 0]
    for _ in range(50):
        deep = ["/", ["*", deep, ["#", 0], "a"], "a"]
    slope = ["Deriv", ["=>", 1, deep], "b"]
    twice = ["Deriv", ["=>", 1, ["*", *[["#", 0]] * 2000]], "b"]
    for one in (slope, twice):
        wrong = document(STATES, [["equal", "slope", one]], ("0 < a",))
        assert refused(json.dumps(wrong))
    steps = [["bound", "square", ["+", *["a"] * 2000]]] * 60
    assert refused(json.dumps(document(STATES, steps)))


P = "(=> 1 (p (# 0)))"
DENSITIES: dict[str, Any] = {
    "X": {"takes": [1], "is": "integral", "each": ["X"], "line": True},
    "Y": {"takes": [1], "is": "integral", "each": ["Y"], "line": True},
    "E": {"takes": [1, 1], "is": "expectation", "each": ["X"]},
    "KL": {"takes": [1, 1], "is": "KL", "by": "E"},
    "JS": {"takes": [1, 1], "is": "JS", "by": "E"},
    "p": {"takes": [0], "margins": [["X", ""]]},
    "q": {"takes": [0, 0], "margins": [["X", ""]]},
    "j": {"takes": [0, 0], "margins": [["X", "r"], ["Y", "p"]]},
    "r": {"takes": [0], "margins": [["Y", ""]]},
    "f": {"takes": [0], "values": [["<", "0", ["#", 0]]]},
}


@pytest.mark.parametrize("kind", ["KL", "JS"])
@pytest.mark.parametrize(
    "other",
    [
        "(* 2 (p (# 0)))",  # KL(p, 2p) = -ln 2
        "(+ (p (# 0)) (p (# 0)))",
        "(f (# 0))",
        "(p (* 2 (# 0)))",  # which integrates to 1/2
        "(p a)",
        "a",
        "1",
        "(q a (# 0))",  # of what is given
        "(q (# 0) (# 0))",
        "(q (# 0) (f (# 0)))",
        "(r (# 0))",  # over another letter
        "(j (# 0) a)",  # of one letter of two
        "(j a (# 0))",
    ],
)
def test_a_divergence_is_one_of_two_densities(other: str, kind: str) -> None:
    def is_above(one: str, two: str, functions: dict[str, Any] = DENSITIES) -> bool:
        both = [f"0 <= ({kind} {one} {two})" for kind in ("KL", "JS")]
        said = [[["bound", "divergence", relation(states)[2]]] for states in both]
        found = [accepted(*one, (), functions) for one in zip(both, said, strict=True)]
        assert found[0] == found[1]
        return found[0]

    assert is_above(P, "(=> 1 (q (# 0) a))")
    assert not is_above(P, f"(=> 1 {other})")
    assert not is_above(f"(=> 1 {other})", P)
    for without in ({"each": ["Y"]}, {"each": []}):
        assert not is_above(P, P, DENSITIES | {"E": DENSITIES["E"] | without})
