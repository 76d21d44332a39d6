"""Worlds tell true claims of the kernel from false ones, also of integrals and densities."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from genmath.proof.kernel.claims import claim
from tests.proof.alterations import outcome
from tests.proof.certificates import document, term, written
from tests.proof.worlds import truth

NONNEGATIVE = [["<=", "0", ["#", 0]]]
LINE = {"takes": [1], "is": "integral", "each": ["X"], "line": True}
FUNCTIONS: dict[str, Any] = {
    "X": LINE,
    "Y": LINE | {"each": ["Y"]},
    "I": {"takes": [1], "ranges": [["<", "0", ["#", 0]]], "is": "integral", "each": ["I"]},
    "D": {"takes": [2], "is": "integral", "each": ["X", "Y"]},
    "E": {"takes": [1, 1], "is": "expectation", "each": ["X"]},
    "S": {"takes": [1], "ranges": [["<=", "1", ["#", 0]]], "is": "sum"},
    "p": {"takes": [0], "values": NONNEGATIVE, "margins": [["X", ""]]},
    "q": {"takes": [0, 0], "margins": [["X", ""]]},
    "r": {"takes": [0], "values": NONNEGATIVE, "margins": [["Y", ""]]},
    "j": {"takes": [0, 0], "margins": [["X", "r"], ["Y", "m"]]},
    "m": {"takes": [0], "margins": [["X", ""]]},
    "k": {"takes": [0, 0], "ratio": [term("(j (# 0) (# 1))"), term("(r (# 1))")]},
    "h": {"takes": [0], "margins": [["I", ""]]},
    "B": {"takes": [1, 0, 0], "is": "between"},
    "N": {"takes": [1, 0, 0], "is": "sum"},
    "i": {"takes": [0], "is": "indicator"},
    "KL": {"takes": [1, 1], "is": "KL", "by": "E"},
    "JS": {"takes": [1, 1], "is": "JS", "by": "E"},
    "TV": {"takes": [1, 1], "is": "TV", "by": "X"},
    "H": {"takes": [1], "is": "H", "by": "E"},
    "f": {"takes": [0], "slope": "g", "smooth": True},
    "g": {"takes": [0], "smooth": True},
    "u": {"takes": [0], "values": [["<", "0", ["#", 0]], ["<", ["#", 0], "1"]]},
}
P, Q, M = "(=> 1 (p (# 0)))", "(=> 1 (q (# 0) a))", "(=> 1 (m (# 0)))"
TRUE = [
    "(X (=> 1 (p (# 0)))) = 1",
    "(X (=> 1 (q (# 0) b))) = 1",
    "(I (=> 1 (h (# 0)))) = 1",
    "(X (=> 1 (j (# 0) a))) = (r a)",
    "(Y (=> 1 (j a (# 0)))) = (m a)",
    "(X (=> 1 (k (# 0) a))) = 1",
    "(* (k a b) (r b)) = (j a b)",
    "(D (=> 2 (* (# 0) (j (# 0) (# 1))))) = (X (=> 1 (* (# 0) (m (# 0)))))",
    f"(E (=> 1 (f (# 0))) {P}) = (X (=> 1 (* (f (# 0)) (p (# 0)))))",
    f"0 <= (KL {P} {Q})",
    f"0 <= (JS {M} {Q})",
    f"(TV {P} {M}) <= 1",
    f"(JS {P} {M}) <= (ln 2)",
    f"(KL {P} {M}) = (+ (E (=> 1 (ln (/ 1 (m (# 0))))) {P}) (- (H {P})))",
    "(X (=> 1 (* (# 0) (# 0) (normal (# 0) a 1)))) = (+ (^ a 2) 1)",
    "(X (=> 1 (Deriv (=> 1 (* (f (# 0)) (p (# 0)))) (# 0)))) = 0",
    f"(E (=> 1 (g (# 0))) {P}) = (- (X (=> 1 (* (f (# 0)) (Deriv (=> 1 (p (# 0))) (# 0))))))",
    "(Deriv (=> 1 (f (^ (# 0) 2))) a) = (* 2 a (g (^ a 2)))",
    "(Deriv (=> 1 (Deriv (=> 1 (exp (* 2 (# 0)))) (# 0))) a) = (* 4 (exp (* 2 a)))",
    "(S (=> 1 (+ (# 0) b))) = (+ (S (=> 1 (# 0))) (S (=> 1 b)))",
    "0 < (S (=> 1 (# 0)))",
    "(u a) < 1",
    "(B (=> 1 (* 2 (# 0))) a b) = (+ (^ b 2) (- (^ a 2)))",
    "(B (=> 1 (B (=> 1 (# 1)) 0 (# 0))) a 2) = (+ (/ 8 3) (- (/ (^ a 3) 3)))",
    "(N (=> 1 (# 0)) 1 4) = 10",
    "(N (=> 1 (# 0)) 1 0) = 0",
    "(abs a) = (* a (+ (* 2 (i a)) -1))",
    "(+ (ln -1) 1) != (ln -1)",
]
FALSE = [
    "(X (=> 1 (p (# 0)))) = 2",
    "(X (=> 1 (q a (# 0)))) = 1",
    "(X (=> 1 (j (# 0) a))) = (m a)",
    "(k a b) = (j a b)",
    "(Y (=> 1 (k a (# 0)))) = 1",
    f"0 <= (KL {P} (=> 1 (* 2 (p (# 0)))))",
    f"(KL {P} {M}) = (KL {M} {P})",
    "0 <= (H (=> 1 (* 30 (p (# 0)))))",
    f"(E (=> 1 (# 0)) {P}) = 0",
    f"(E (=> 1 (f (# 0))) {P}) = (f (E (=> 1 (# 0)) {P}))",
    "(X (=> 1 (* (# 0) (# 0) (normal (# 0) a 1)))) = (^ a 2)",
    "(X (=> 1 (* (f (# 0)) (p (# 0))))) = (X (=> 1 (* (g (# 0)) (p (# 0)))))",
    f"(E (=> 1 (g (# 0))) {P}) = (X (=> 1 (* (f (# 0)) (Deriv (=> 1 (p (# 0))) (# 0)))))",
    "(Deriv (=> 1 (f (^ (# 0) 2))) a) = (* a (g (^ a 2)))",
    "(S (=> 1 (^ (# 0) 2))) = (^ (S (=> 1 (# 0))) 2)",
    "(S (=> 1 1)) = 1",
    "(I (=> 1 (* (# 0) (h (# 0))))) <= 0",
    "(u a) = 1",
    "0 <= (B (=> 1 (^ (# 0) 2)) a b)",
    "(N (=> 1 (# 0)) 1 4) = 11",
    "(i a) = 1",
    "(ln -1) = 0",
    "(/ 1 0) = 0",
    "(+ (sqrt -1) 0) = 0",
]


def judged(states: str, given: tuple[str, ...] = ()) -> str:
    said = document(states, [], given, FUNCTIONS)["lines"][0]["claim"]
    return truth(claim(said), random.Random(states))


@pytest.mark.parametrize("states", TRUE, ids=str)
def test_what_is_true_is_so_in_all_worlds(states: str) -> None:
    assert judged(states) == "true"


@pytest.mark.parametrize("states", FALSE, ids=str)
def test_what_is_false_is_so_in_one(states: str) -> None:
    assert judged(states) == "FALSE"


def test_a_world_is_as_what_is_given_says() -> None:
    assert judged("(^ a 2) = (+ 1 (- (^ b 2)))", ("(+ (^ a 2) (^ b 2)) = 1",)) == "true"
    assert judged("a = b", ("(+ (^ a 2) (^ b 2)) = 1",)) == "FALSE"
    assert judged("a < 0", ("a < b", "b < -1/10")) == "true"
    assert judged("a = b", ("a < b", "b < a")) == "not evaluated"


@pytest.mark.parametrize("topic", ["ddim", "vae", "score"])
def test_the_claims_of_the_book_are_true(topic: str) -> None:
    found = []
    for derivation, one in written(topic):
        for line in json.loads(one.text)["lines"]:
            said = outcome(line) if "proof" in line else None
            if said is not None and said.claim is not None:
                where = f"{derivation.name} {line['line']}"
                found.append(truth(said.claim, random.Random(where), said.supposed))
                assert found[-1] != "FALSE", where
    assert found.count("true") > 0.8 * len(found)
