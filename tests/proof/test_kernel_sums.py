"""The kernel's sums and products from one whole number to another, and induction."""

from __future__ import annotations

import random
from typing import Any

import pytest

from genmath.proof.kernel import Line
from genmath.proof.kernel.claims import claim
from genmath.proof.kernel.document import UNFORESEEN
from genmath.proof.kernel.limits import Rejected
from tests.proof.alterations import attack, outcome, truth
from tests.proof.certificates import document, relation, term

FUNCTIONS: dict[str, Any] = {
    "S": {"takes": [1, 0, 0], "is": "sum"},
    "P": {"takes": [1, 0, 0], "is": "product", "by": "S"},
    "B": {"takes": [1, 0, 0], "is": "between"},
    "C": {"takes": [1], "is": "sum"},
    "Q": {"takes": [1], "is": "product", "by": "C"},
    "f": {"takes": [0]},
    "p": {"takes": [0], "values": [["<", "0", ["#", 0]]]},
}
LETTERS = "a b m n x"


def proof(
    states: str, *steps: Any, given: tuple[str, ...] = (), whole: str = "m n", **functions: Any
) -> Line:
    said = document(states, list(steps), given, FUNCTIONS | functions, LETTERS)["lines"][0]
    said["claim"]["whole"] = whole.split()
    found = outcome(said)
    assert found is not None
    assert UNFORESEEN not in found.rejected
    return found


def equal(rule: str, states: str, **more: Any) -> Line:
    return proof(states, ["equal", rule, relation(states)[1]], **more)


LENGTH = "(+ n (- m) 1)"
SQUARES = "(=> 1 (^ (# 0) 2))"
LAST = f"(S {SQUARES} m n) = (+ (S {SQUARES} m (+ n -1)) (^ n 2))"


def test_the_last_term() -> None:
    given = (f"0 < {LENGTH}",)
    assert equal("last", LAST, given=given).rejected == ""
    assert equal("last", LAST, given=given).supposed == ()
    assert equal("last", LAST).rejected
    assert equal("last", LAST, given=(f"0 <= {LENGTH}",)).rejected
    for some in ("m", "n", "", "a b x"):
        assert equal("last", LAST, given=given, whole=some).rejected
    assert equal("last", LAST.replace("(^ n 2)", "(^ m 2)"), given=given).rejected
    for other in ("B", "P"):
        assert equal("last", LAST.replace("S", other), given=given).rejected
    of_set = f"(C {SQUARES}) = (^ n 2)"
    assert equal("last", of_set, given=given).rejected
    half = LAST.replace(" n)", " (/ n 2))").replace("(+ n -1)", "(+ (/ n 2) -1)")
    assert equal("last", half, given=("0 < (+ (/ n 2) (- m) 1)",)).rejected


def test_equal_terms_are_counted() -> None:
    states = f"(S (=> 1 a) m n) = (* {LENGTH} a)"
    for sign in ("<", "<="):
        assert equal("count", states, given=(f"0 {sign} {LENGTH}",)).rejected == ""
    given = (f"0 <= {LENGTH}",)
    assert equal("count", states).rejected  # it is 0 where n < m - 1
    assert equal("count", states, given=given, whole="n").rejected
    assert equal("count", states, given=given, whole="m").rejected
    assert equal("count", f"(S (=> 1 (# 0)) m n) = (* {LENGTH} m)", given=given).rejected
    assert equal("count", f"(P (=> 1 a) m n) = (* {LENGTH} a)", given=given).rejected
    assert equal("count", f"(B (=> 1 a) m n) = (* {LENGTH} a)", given=given).rejected
    inner = "(=> 1 (S (=> 1 (# 0)) m n))"
    whole = f"(S {inner} m n) = (* {LENGTH} (S (=> 1 (# 0)) m n))"
    assert equal("count", whole, given=given).rejected == ""
    outer = "(S (=> 1 (S (=> 1 (# 1)) m n)) m n)"
    assert equal("count", f"{outer} = 0", given=given).rejected
    beside = ["identity", relation("a = a"), []]
    for moving in ("(S (=> 1 (# 0)) m n)", outer):
        assert proof("a = a", ["equal", "count", term(moving)], beside, given=given).rejected


def test_a_sum_over_nothing() -> None:
    states = "(S (=> 1 (f (# 0))) a b) = 0"
    assert equal("empty", states, given=("0 < (+ a (- b))",), whole="").rejected == ""
    assert equal("empty", states).rejected
    assert equal("empty", states, given=("0 <= (+ a (- b))",)).rejected
    assert equal("empty", states, given=("0 < (+ b (- a))",)).rejected
    for other in ("B", "P"):
        assert equal("empty", states.replace("S", other), given=("0 < (+ a (- b))",)).rejected


@pytest.mark.parametrize("whole", ["n", ["n", 2], ["PI"], ["c"], ["S"], [["n"]], None, {}])
def test_only_letters_are_said_to_be_whole_numbers(whole: Any) -> None:
    claimed = document("a = a", [], (), FUNCTIONS, LETTERS)["lines"][0]["claim"]
    with pytest.raises(Rejected):
        claim(claimed | {"whole": whole})


@pytest.mark.parametrize(
    "wrong",
    [
        {"S": {"takes": [1, 0, 0], "is": "sum", "ranges": [["<", "0", ["#", 0]]]}},
        {"P": {"takes": [1, 0, 0], "is": "product"}},
        {"P": {"takes": [1, 0, 0], "is": "product", "by": "C"}},
        {"P": {"takes": [1, 0, 0], "is": "product", "by": "P"}},
        {"P": {"takes": [1, 0, 0], "is": "product", "by": "B"}},
        {"Q": {"takes": [1], "is": "product", "by": "C", "ranges": [["<", "0", ["#", 0]]]}},
        {"f": {"takes": [0], "is": "product", "by": "f"}},
        {"S": {"takes": [1, 0, 0], "is": "sum", "by": "S"}},
    ],
    ids=str,
)
def test_what_is_declared_of_sums_and_products_fits(wrong: Any) -> None:
    assert proof("a = a", ["identity", relation("a = a"), []]).rejected == ""
    assert proof("a = a", ["identity", relation("a = a"), []], **wrong).rejected


# --- where a sum looks

SAME = ("(S (=> 1 (abs (# 0))) 1 n)", "(S (=> 1 (# 0)) 1 n)")


def test_a_sum_looks_between_its_limits() -> None:
    """From the first, w - 1 >= 0, so w >= 0; and at whole numbers, if that is one."""
    one, other = map(term, SAME)
    inside = [
        ["combination", relation("0 <= w"), [["1", 0], ["1"]], []],
        ["equal", "abs_plus", term("(abs w)")],
    ]
    states = " = ".join(SAME)
    assert proof(states, ["same", one, other, [[["w"], inside], None, None]]).rejected == ""
    above = [["combination", relation("w <= n"), [["1", 1]], []], *inside]
    assert proof(states, ["same", one, other, [[["w"], above], None, None]]).rejected == ""
    wide = states.replace("1 n)", "-1 n)")
    left, right = (term(t.replace("1 n)", "-1 n)")) for t in SAME)
    assert proof(wide, ["same", left, right, [[["w"], inside], None, None]]).rejected


def nested(low: str, whole: str = "n") -> Line:
    """The sum of sums to the bound letter k, each without its last term."""
    one = f"(S (=> 1 (S (=> 1 (f (# 0))) {low} (# 0))) {low} n)"
    plus = f"(+ (S (=> 1 (f (# 0))) {low} (+ (# 0) -1)) (f (# 0)))"
    other = f"(S (=> 1 {plus}) {low} n)"
    inside = [
        ["combination", relation(f"0 < (+ w (- {low}) 1)"), [["1", 0], ["1"]], []],
        ["equal", "last", term(f"(S (=> 1 (f (# 0))) {low} w)")],
    ]
    step = ["same", term(one), term(other), [[["w"], inside], None, None]]
    return proof(f"{one} = {other}", step, whole=whole)


def test_it_is_over_whole_numbers_if_it_begins_at_one() -> None:
    assert nested("1").rejected == ""
    assert nested("m", "m n").rejected == ""
    assert nested("a").rejected
    assert nested("1/2").rejected


def test_a_sum_over_something_of_what_is_more_than_nothing() -> None:
    states = "0 < (S (=> 1 (p (# 0))) 1 n)"
    inside = [["value", term("(p w)"), 0]]
    step = ["keeps", "<", relation(states)[2], ["w"], inside]
    shown = proof(states, step, given=("0 <= (+ n (- 1))",))
    assert (shown.rejected, shown.supposed) == ("", ())
    for given in ((), ("0 <= (+ n 1)",), ("n <= 1",), ("1 <= n",)):
        assert proof(states, step, given=given).rejected
    assert proof(states.replace("S", "P"), ["keeps", "<", term("(P (=> 1 (p (# 0))) 1 n)"),
                                            ["w"], inside]).rejected  # fmt: skip


# --- products


def logs(states: str, inside: list[Any], **more: Any) -> Line:
    return proof(states, ["logs", relation(states)[1], ["w"], inside], **more)


def test_a_product_by_the_sum_of_the_logarithms() -> None:
    inside = [["value", term("(p w)"), 0]]
    states = "(P (=> 1 (p (# 0))) a b) = (exp (S (=> 1 (ln (p (# 0)))) a b))"
    assert logs(states, inside).rejected == ""
    assert logs(states, inside).supposed == ()
    assert logs("(Q (=> 1 (p (# 0)))) = (exp (C (=> 1 (ln (p (# 0))))))", inside).rejected == ""
    assert logs(states.replace("(p", "(f"), inside).rejected
    assert logs(states, []).rejected
    assert logs(states.replace("(S", "(B"), inside).rejected
    assert logs(states.replace("(P", "(S"), inside).rejected
    assert logs(states.replace("(P", "(f", 1), inside).rejected
    above = [["combination", relation("0 < w"), [["1", 0], ["1"]], []]]
    letter = "(P (=> 1 (# 0)) {0} n) = (exp (S (=> 1 (ln (# 0))) {0} n))"
    assert logs(letter.format("1"), above).rejected == ""
    assert logs(letter.format("0"), above).rejected
    assert logs(letter.format("a"), above).rejected


# --- equations


def test_a_sum_of_multiples_of_equations() -> None:
    given = ("(* a b) = (+ x 1)", "(^ x 2) = b", "a < b", "a != 0")
    states = "(+ (* a b x) (^ x 2)) = (+ (^ x 2) x b (- (^ x 2)) (^ x 2))"

    def tried(terms: Any, states: str = states, by: Any = ()) -> bool:
        return not proof(states, ["combination", relation(states), terms, list(by)],
                         given=given).rejected  # fmt: skip

    assert tried([["x", 0], ["1", 1]])
    assert tried([["x", 0], ["1/2", 1], ["1/2", 1]])
    assert not tried([["x", 0]])
    assert not tried([["b", 0], ["1", 1]])
    for wrong in ([["x", 0, 0], ["1", 1]], [["x"], ["1", 1]], [[]], ["x"], [["x", 2]], [["x", 3]],
                  [["x", 9]], [["x", True]], [[0, "x"]], None, [[["#", 0], 0]]):  # fmt: skip
        assert not tried(wrong)
    for number in ("1", "-1", "x"):
        assert not tried([[number]], "(+ a 1) = a")
        assert not tried([[number]], "(+ a x) = a")
    assert not tried([["1", 1]], "(^ x 2) <= b")
    assert tried([["1", 1]], "(^ x 2) = b")
    assert not tried([["(/ 1 b)", 1]], "(/ (^ x 2) b) = 1")
    assert not tried([[["/", "1", "b"], 1]], "(/ (^ x 2) b) = 1")  # b may be 0
    assert tried([[["/", "1", "a"], 1]], "(/ (^ x 2) a) = (/ b a)")


# --- induction

GAUSS = "(S (=> 1 (# 0)) 1 {}) = (/ (* {} (+ {} 1)) 2)"


def gauss(start: int, known: int) -> tuple[list[Any], list[Any]]:
    """1 + ... + k = k (k + 1)/2 at 1, and from w to w + 1. `start`: how many facts there are before
    the first; `known`: the number of what is supposed of w."""
    sum_ = "(S (=> 1 (# 0)) 1 {})".format
    base = [
        ["combination", relation("0 < (+ 1 (- 1) 1)"), [["1"]], []],
        ["equal", "last", term(sum_("1"))],
        ["combination", relation("0 < (+ 1 (- (+ 1 -1)))"), [["1"]], []],
        ["equal", "empty", term(sum_("(+ 1 -1)"))],
        ["identity", relation(GAUSS.format(*["1"] * 3)), [start + 3, start + 1]],
    ]
    w = known + 1
    step = [
        ["combination", relation("0 < (+ (+ w 1) (- 1) 1)"), [["1", known - 1], ["2"]], []],
        ["equal", "last", term(sum_("(+ w 1)"))],
        ["identity", relation("(+ (+ w 1) -1) = w"), []],
        ["same", term(sum_("(+ (+ w 1) -1)")), term(sum_("w")), [None, None, w + 2]],
        ["identity", relation(GAUSS.format(*["(+ w 1)"] * 3)), [known, w + 3, w + 1]],
    ]
    return base, step


def by_induction(
    states: str = GAUSS.format("n", "n", "n"),
    template: str = GAUSS.format("(# 0)", "(# 0)", "(# 0)"),
    at: tuple[str, str] = ("1", "n"),
    given: tuple[str, ...] = ("0 <= (+ n (- 1))",),
    proofs: Any = None,
    letters: Any = ("w",),
    **more: Any,
) -> Line:
    base, step = proofs or gauss(len(given), len(given) + 1)
    one, other = map(term, at)
    whole = ["induction", relation(template), one, other, base, list(letters), step]
    return proof(states, whole, given=given, **more)


def test_induction() -> None:
    assert by_induction().rejected == ""
    assert by_induction().supposed == ()
    strict = ("0 < (+ n (- 1))",)
    assert by_induction(given=strict).rejected == ""


def test_what_induction_needs() -> None:
    base, step = gauss(1, 2)
    assert by_induction(whole="m").rejected  # n may be no whole number
    assert by_induction(given=("0 <= n",)).rejected  # or less than 1
    assert by_induction(given=()).rejected
    assert by_induction(proofs=([], step)).rejected
    assert by_induction(proofs=(base, [])).rejected
    assert by_induction(proofs=(base[:-1], step)).rejected
    assert by_induction(proofs=(base, step[:-1])).rejected
    for at in (("n", "1"), ("m", "n"), ("1", "(/ n 2)")):
        assert by_induction(at=at, given=("0 <= (+ n (- 1))", "0 <= (+ n (- m))")).rejected
    assert by_induction(at=("1/2", "n"), given=("0 <= (+ n (- 1/2))",)).rejected
    assert by_induction(at=("2", "n"), given=("0 <= (+ n (- 2))",)).rejected
    for letters in ((), ("w", "v"), ("n",), ("S",), ("exp",), (1,)):
        assert by_induction(letters=letters).rejected
    states = GAUSS.format("n", "n", "n").replace("(+ n 1)", "(+ n 2)")
    template = states.replace("n", "(# 0)")
    assert by_induction(states, template).rejected


def test_what_is_known_of_a_letter_is_not_known_of_the_next() -> None:
    """n = 1 is given: of what is so of n it does not follow that it is so of w + 1."""
    claimed = "n = 1"
    base = [["identity", relation("1 = 1"), []]]
    step = [["identity", relation("(+ w 1) = (+ n 0)"), [2]]]
    assert proof("m = 1", ["induction", term("(= (# 0) 1)"), "1", "m", base, ["w"], step],
                 given=(claimed, "0 <= (+ m (- 1))")).rejected  # fmt: skip
    easy = [["identity", relation("(+ w 1) = 1"), [2]]]
    assert proof("m = 1", ["induction", term("(= (# 0) 1)"), "1", "m", base, ["w"], easy],
                 given=(claimed, "0 <= (+ m (- 1))")).rejected  # fmt: skip


def test_outside_nothing_is_known_of_what_was_shown_within() -> None:
    base, step = gauss(1, 2)
    whole = ["induction", relation(GAUSS.replace("{}", "(# 0)")), "1", "n", base, ["w"], step]
    assert proof("w = w", whole, given=("0 <= (+ n (- 1))",)).rejected
    again = ["identity", relation("1 = 2"), [4]]
    assert proof("1 = 2", whole, again, given=("0 <= (+ n (- 1))",)).rejected


def test_inequalities_too() -> None:
    """2 k >= k + 1."""
    base = [["combination", relation("(+ 1 1) <= (* 2 1)"), [], []]]
    step = [["combination", relation("(+ (+ w 1) 1) <= (* 2 (+ w 1))"), [["1", 2], ["1"]], []]]
    template = relation("(+ (# 0) 1) <= (* 2 (# 0))")
    whole = ["induction", template, "1", "n", base, ["w"], step]
    given = ("0 <= (+ n (- 1))",)
    assert proof("(+ n 1) <= (* 2 n)", whole, given=given).rejected == ""
    assert proof("(+ n 1) < (* 2 n)", whole, given=given).rejected


# --- at random


def test_altered_proofs_show_nothing_false() -> None:
    base, step = gauss(1, 2)
    proofs = [
        (GAUSS.format("n", "n", "n"), ["induction", relation(GAUSS.replace("{}", "(# 0)")), "1",
                                       "n", base, ["w"], step], "0 <= (+ n (- 1))"),
        (LAST, ["equal", "last", relation(LAST)[1]], f"0 < {LENGTH}"),
        (f"(S (=> 1 a) m n) = (* {LENGTH} a)", ["equal", "count", term("(S (=> 1 a) m n)")],
         f"0 <= {LENGTH}"),
    ]  # fmt: skip
    for k, (states, how, given) in enumerate(proofs):
        functions = {"S": FUNCTIONS["S"], "P": FUNCTIONS["P"]}
        whole = document(states, [how], (given,), functions, LETTERS)["lines"][0]
        whole["claim"]["whole"] = ["m", "n"]
        counts = attack(whole, 400, k)
        assert counts["rejected"] > 200, counts
        assert truth(claim(whole["claim"]), random.Random(k)) == "true"


def test_a_false_sum_is_seen_to_be_false() -> None:
    functions = {"S": FUNCTIONS["S"]}
    said = document("(S (=> 1 (# 0)) 1 n) = (* n n)", [], (), functions, LETTERS)
    claimed = said["lines"][0]["claim"] | {"whole": ["n"]}
    assert truth(claim(claimed), random.Random(1)) == "FALSE"
