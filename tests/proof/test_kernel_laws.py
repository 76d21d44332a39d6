"""The kernel's laws: what each accepts and supposes, and what it does not accept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genmath.proof.kernel import laws, proof, rules
from tests.proof.certificates import accepted, line, relation, term

NONNEGATIVE = [["<=", "0", ["#", 0]]]
OVER = {"takes": [1], "ranges": [["<", "0", ["#", 0]]], "is": "integral", "each": ["I"]}
LINE = {"takes": [1], "is": "integral", "each": ["X"], "line": True}
FUNCTIONS: dict[str, Any] = {
    "I": OVER,  # over what is > 0
    "X": LINE,
    "Y": LINE | {"each": ["Y"]},
    "D": {"takes": [2], "is": "integral", "each": ["X", "Y"]},
    "E": {"takes": [1, 1], "is": "expectation", "each": ["X"]},
    "p": {"takes": [0], "values": NONNEGATIVE, "margins": [["X", ""]]},
    "r": {"takes": [0], "values": NONNEGATIVE, "margins": [["Y", ""]]},
    "pr": {"takes": [0, 0], "values": NONNEGATIVE, "margins": [["X", "r"], ["Y", "p"]]},
    "q": {"takes": [0, 0], "margins": [["X", ""]]},
    "c_": {"takes": [0, 0], "ratio": [term("(pr (# 0) (# 1))"), term("(r (# 1))")]},
    "j": {"takes": [0, 0], "chain": [term("(r (# 1))"), term("(q (# 0) (# 1))")]},
    "KL": {"takes": [1, 1], "is": "KL", "by": "E"},
    "JS": {"takes": [1, 1], "is": "JS", "by": "E"},
    "TV": {"takes": [1, 1], "is": "TV", "by": "X"},
    "H": {"takes": [1], "is": "H", "by": "E"},
    "f": {"takes": [0]},
    "g": {"takes": [0, 0]},
}


def without(name: str, **other: Any) -> dict[str, Any]:
    """The same functions, of which one is declared otherwise."""
    said = {k: v for k, v in (FUNCTIONS[name] | other).items() if v is not None}
    return FUNCTIONS | {name: said}


def law(
    rule: str, states: str, functions: dict[str, Any] = FUNCTIONS, given: tuple[str, ...] = ()
) -> Any:
    return line(states, [["equal", rule, relation(states)[1]]], given, functions)


LINEAR = (
    "(I (=> 1 (+ (* a (# 0)) (^ (# 0) 2)))) = (+ (* a (I (=> 1 (# 0)))) (I (=> 1 (^ (# 0) 2))))"
)


def test_integrals_are_taken_term_by_term() -> None:
    found = law("linear", LINEAR)
    assert (found.rejected, found.supposed) == ("", ("I is linear",))
    assert law("linear", LINEAR, {"I": {"takes": [1], "is": "sum"}}).supposed == ()
    assert law("linear", LINEAR, {"I": {"takes": [1], "is": "endless"}}).supposed
    assert law("linear", LINEAR, {"I": {"takes": [1]}}).rejected
    of_letter = "(I (=> 1 (* (# 0) (# 0)))) = (* (# 0) (I (=> 1 (# 0))))"
    assert law("linear", of_letter).rejected
    inside = "(I (=> 1 (* (X (=> 1 (# 1))) 2))) = (* (X (=> 1 (# 1))) (I (=> 1 2)))"
    assert law("linear", inside).rejected
    closed = "(I (=> 1 (* (X (=> 1 (# 0))) (# 0)))) = (* (X (=> 1 (# 0))) (I (=> 1 (# 0))))"
    assert not law("linear", closed).rejected


@pytest.mark.parametrize(
    ("states", "true"),
    [
        ("(X (=> 1 (p (# 0)))) = 1", True),
        ("(X (=> 1 (q (# 0) a))) = 1", True),
        ("(X (=> 1 (pr (# 0) a))) = (r a)", True),
        ("(Y (=> 1 (pr a (# 0)))) = (p a)", True),
        ("(X (=> 1 (p (# 0)))) = 2", False),
        ("(Y (=> 1 (p (# 0)))) = 1", False),  # over another letter
        ("(I (=> 1 (p (# 0)))) = 1", False),
        ("(D (=> 2 (p (# 0)))) = 1", False),
        ("(E (=> 1 (p (# 0))) (=> 1 1)) = 1", False),
        ("(X (=> 1 (q a (# 0)))) = 1", False),  # at another place
        ("(Y (=> 1 (q a (# 0)))) = 1", False),
        ("(X (=> 1 (pr a (# 0)))) = (p a)", False),
        ("(Y (=> 1 (pr (# 0) a))) = (r a)", False),
        ("(X (=> 1 (q (# 0) (# 0)))) = 1", False),  # which is spoken of elsewhere
        ("(X (=> 1 (q (# 0) (f (# 0))))) = 1", False),
        ("(X (=> 1 (* 2 (p (# 0))))) = 1", False),
        ("(X (=> 1 (p (* 2 (# 0))))) = 1", False),
        ("(X (=> 1 (p a))) = 1", False),
        ("(X (=> 1 1)) = 1", False),
        ("(X (=> 1 (f (# 0)))) = 1", False),
    ],
    ids=str,
)
def test_a_density_is_integrated_over_a_letter(states: str, true: bool) -> None:
    found = law("margin", states)
    assert (found.rejected == "") == true
    assert found.supposed == (("a density integrates to one",) if true else ())


def test_a_density_of_which_no_integral_is_declared() -> None:
    unknown = without("pr", margins=[["", ""], ["Y", "p"]])
    assert law("margin", "(X (=> 1 (pr (# 0) a))) = (r a)", unknown).rejected
    assert not law("margin", "(Y (=> 1 (pr a (# 0)))) = (p a)", unknown).rejected


POWER = "(X (=> 1 (* (# 0) (# 0) (normal (# 0) a b)))) = (+ (* a a) (* 1 b 1))"


def test_moments_of_a_normal_law() -> None:
    given = ("0 < b",)
    assert law("moment", POWER, given=given).supposed == ("the moments of a normal law",)
    assert law("moment", POWER).rejected
    assert law("moment", POWER, given=("0 <= b",)).rejected
    assert not law("moment", "(X (=> 1 (normal (# 0) a b))) = 1", given=given).rejected
    assert not law("moment", "(X (=> 1 (* (normal (# 0) a b) (# 0)))) = a", given=given).rejected
    fourth = "(X (=> 1 (* (# 0) (# 0) (# 0) (# 0) (normal (# 0) a b))))"
    is_ = f"{fourth} = (+ (^ a 4) (* 6 (^ a 2) b) (* 3 (^ b 2)))"
    steps = [["equal", "moment", relation(is_)[1]], ["identity", relation(is_), [1]]]
    assert accepted(is_, steps, given, FUNCTIONS)
    sixth = "(X (=> 1 (* (# 0) (# 0) (# 0) (# 0) (# 0) (# 0) (normal (# 0) 0 b))))"
    equal = ["equal", "moment", relation(f"{sixth} = 0")[1]]
    for number, true in (("15", True), ("14", False)):
        states = f"{sixth} = (* {number} (^ b 3))"
        steps = [equal, ["identity", relation(states), [1]]]
        assert accepted(states, steps, given, FUNCTIONS) == true
    ninth = sixth.replace("(* ", "(* (# 0) (# 0) (# 0) ")
    assert law("moment", f"{ninth} = 0", given=given).rejected
    assert law("moment", POWER, without("X", line=None), given).rejected
    assert law("moment", POWER.replace("(X", "(I", 1), given=given).rejected
    square = "(* (# 0) (# 0) (normal (# 0) a b))"
    for body in ("(* (# 0) (# 0) (# 0) (# 0) (# 0) (normal (# 0) a b))", "2", "(# 0)",
                 "(* (# 0) (# 0))", "(* a a (normal (# 0) a b))", "(* (# 0) (# 0) (f (# 0)))",
                 "(* (# 0) (# 0) (normal (# 0) a (# 0)))", "(* (# 0) (# 0) (normal a (# 0) b))",
                 "(* (# 0) (# 0) (normal (# 0) (# 0) b))",
                 "(* (# 0) (normal (# 0) a b) (normal (# 0) a b))"):  # fmt: skip
        assert law("moment", POWER.replace(square, body), given=given).rejected


def test_nothing_flows_off_the_line() -> None:
    states = "(X (=> 1 (Deriv (=> 1 (f (# 0))) (# 0)))) = 0"
    assert law("flux", states).supposed == (
        "what is differentiated is smooth and vanishes far out",
    )
    assert law("flux", states.replace("= 0", "= 1")).rejected
    assert law("flux", states, without("X", line=None)).rejected
    assert law("flux", states.replace("(X", "(I")).rejected
    assert law("flux", states.replace("(f (# 0))", "(g (# 0) (# 1))")).rejected
    assert law("flux", states.replace("(f (# 0))) (# 0)", "(f (# 0))) a")).rejected
    assert law("flux", "(X (=> 1 (f (# 0)))) = 0").rejected


P, Q = "(=> 1 (p (# 0)))", "(=> 1 (q (# 0) a))"
KL = f"(KL {P} {Q}) = (E (=> 1 (ln (/ (p (# 0)) (q (# 0) a)))) {P})"


def test_divergences() -> None:
    assert law("meaning", KL).supposed == ("KL is what KL means",)
    assert law("meaning", KL.replace(f"{P} {Q}", f"{Q} {P}")).rejected
    entropy = f"(H {P}) = (- (E (=> 1 (ln (p (# 0)))) {P}))"
    assert not law("meaning", entropy).rejected
    assert law("meaning", entropy.replace("(H", "(E", 1)).rejected
    variation = f"(TV {P} {Q}) = (/ (X (=> 1 (abs (+ (p (# 0)) (- (q (# 0) a)))))) 2)"
    assert law("meaning", variation).supposed == ("TV is what TV means",)
    assert law("meaning", variation.replace("(X", "(Y")).rejected
    for wrong in ({"by": "E"}, {"by": "D"}, {"by": "KL"}, {"takes": [1]}):
        assert law("meaning", variation, without("TV", **wrong)).rejected


def test_conditional_and_joint_densities() -> None:
    assert law("ratio", "(c_ a b) = (/ (pr a b) (r b))").supposed
    assert law("ratio", "(c_ a b) = (/ (pr a b) (r a))").rejected
    assert law("ratio", "(p a) = (p a)").rejected
    joint = "(j a b) = (* (r b) (q a b))"
    assert law("chain", joint).supposed == ("j is a product of densities",)
    assert law("chain", joint.replace("(r b)", "(r a)")).rejected
    assert law("chain", "(c_ a b) = (/ (pr a b) (r b))").rejected
    assert law("ratio", joint).rejected


INDICATOR: dict[str, dict[str, Any]] = {"i": {"takes": [0], "is": "indicator"}, "f": {"takes": [0]}}
SIZE = "(abs a) = (* (+ (* 2 (i a)) (- 1)) a)"


def test_an_indicator_is_its_own_square_and_gives_the_absolute_value() -> None:
    bit, size = [["bound", "bit", term("(i a)")]], [["bound", "size", term("(i a)")]]
    for states, steps in (("(^ (i a) 2) = (i a)", bit), (SIZE, size)):
        found = line(states, steps, (), INDICATOR)
        assert (found.rejected, found.supposed) == ("", ())
        plain = INDICATOR | {"i": {"takes": [0]}}
        assert not accepted(states, steps, (), plain)
    for states in (SIZE.replace("(abs a)", "(abs b)"), SIZE.replace("2", "1"), "(abs a) = a"):
        assert not accepted(states, size, (), INDICATOR)
    for other in ("(f a)", "a", "(abs a)"):
        assert not accepted("(^ (f a) 2) = (f a)", [["bound", "bit", term(other)]], (), INDICATOR)
        assert not accepted(SIZE, [["bound", "size", term(other)]], (), INDICATOR)
    for false in ("(i a) = 1", "(i a) = 0", "(i a) = (i b)", "(* (i a) (i b)) = (i a)"):
        steps = [*bit, ["bound", "bit", term("(i b)")], *size]
        assert not accepted(false, [*steps, ["identity", relation(false), [0, 1]]], (), INDICATOR)


@pytest.mark.parametrize("more", [{"takes": []}, {"takes": [1]}, {"takes": [0, 0]},
                                  {"smooth": True}, {"slope": "f"}], ids=str)  # fmt: skip
def test_an_indicator_is_of_one_number_and_not_smooth(more: dict[str, Any]) -> None:
    steps = [["identity", relation("a = a"), []]]
    assert accepted("a = a", steps, (), INDICATOR)
    assert not accepted("a = a", steps, (), INDICATOR | {"i": INDICATOR["i"] | more})


def test_bounds_that_are_laws() -> None:
    states = f"0 <= (KL {P} {Q})"
    for kind in ("KL", "JS"):
        said = states.replace("KL", kind)
        found = line(said, [["bound", "divergence", relation(said)[2]]], (), FUNCTIONS)
        assert (found.rejected, found.supposed) == ("", (f"{kind} is >= 0",))
    for other in (f"0 <= (H {P})", f"0 <= (E {P} {Q})", "0 <= (p a)", "0 <= a"):
        assert not accepted(other, [["bound", "divergence", relation(other)[2]]], (), FUNCTIONS)
    support = [["bound", "support", term("(p a)")]]
    assert line("0 < (p a)", support, (), FUNCTIONS).supposed == ("p is > 0",)
    for no_density in ("(f a)", "a", "(* (p a) (p a))", "2"):
        step = ["bound", "support", term(no_density)]
        assert not accepted(f"0 < {no_density}", [step], (), FUNCTIONS)
    no_margins = without("p", margins=None)
    assert not accepted("0 < (p a)", support, (), no_margins)


def keeps(states: str) -> list[Any]:
    sign, _, integral = relation(states)
    return [sign, integral, ["x"]]


def test_signs_are_kept() -> None:
    inside = [["bound", "square", "x"]]
    states = "0 <= (I (=> 1 (^ (# 0) 2)))"
    steps = [["keeps", *keeps(states), inside]]
    assert line(states, steps, (), FUNCTIONS).supposed == ("I keeps signs",)
    assert line(states, steps, (), {"I": {"takes": [1], "is": "sum"}}).supposed == ()
    for limited in ("between", "endless"):
        assert not accepted(states, steps, (), {"I": {"takes": [1], "is": limited}})
    assert not accepted(states, steps, (), {"I": {"takes": [1]}})
    ranged = [["combination", relation("0 <= x"), [["1", 0]], []]]
    odd = "0 <= (X (=> 1 (# 0)))"
    assert not accepted(odd, [["keeps", *keeps(odd), ranged]], (), FUNCTIONS)
    half = odd.replace("X", "I")
    assert accepted(half, [["keeps", *keeps(half), ranged]], (), FUNCTIONS)


def test_an_integral_with_limits_keeps_signs_where_they_are_in_order() -> None:
    functions = {"B": {"takes": [1, 0, 0], "is": "between"}}
    states = "0 <= (B (=> 1 (* (+ (# 0) (- a)) (+ b (- (# 0))))) a b)"
    inside = [["combination", relation("0 <= (* (+ x (- a)) (+ b (- x)))"), [["1", 1, 2]], []]]
    steps = [["keeps", *keeps(states), inside]]
    for given in ("a <= b", "a < b"):
        assert line(states, steps, (given,), functions).supposed == ("B keeps signs",)
    for given in ("b <= a", "a = b", "a != b", "0 <= (+ b (- a))", "a <= c"):
        assert not accepted(states, steps, (given,), functions)
    strict = "0 < (B (=> 1 1) a b)"
    one = ["combination", relation("0 < 1"), [["1"]], []]
    whole = [["keeps", *keeps(strict), [one]]]
    more = line(strict, whole, ("a < b",), functions).supposed
    assert more == ("B is over more than nothing", "B keeps signs")
    assert not accepted(strict, whole, ("a <= b",), functions)
    # what is known within the limits is not known of other limits, nor beyond them
    assert not accepted(states.replace(" a b)", " b a)"), steps, ("a <= b",), functions)
    odd = "0 <= (B (=> 1 (# 0)) a b)"
    for fact in (1, 2):
        wrong = [["combination", relation("0 <= x"), [["1", fact]], []]]
        assert not accepted(odd, [["keeps", *keeps(odd), wrong]], ("a <= b",), functions)
    assert accepted(odd.replace(" a b", " 0 b"), [["keeps", *keeps(odd.replace(" a b", " 0 b")), [
        ["combination", relation("0 <= x"), [["1", 1]], []]]]], ("0 <= b",), functions)  # fmt: skip
    for takes in ([1], [1, 0], [1, 0, 0, 0], [2, 0, 0]):
        ends = " a b" * (len(takes) == 3) or " a" * (len(takes) - 1)
        body = f"(=> {takes[0]} (^ (# 0) 2))"
        said = f"0 <= (B {body}{ends})"
        letters = ["x", "y"][: takes[0]]
        whole = ["keeps", "<=", relation(said)[2], letters, [["bound", "square", "x"]]]
        other = {"B": {"takes": takes, "is": "between"}}
        assert not accepted(said, [whole], ("a <= b", "0 <= a"), other)


def test_what_is_positive_has_a_positive_integral_over_something() -> None:
    states = "0 < (I (=> 1 (# 0)))"
    found = line(states, [["keeps", *keeps(states), []]], (), FUNCTIONS)
    assert found.supposed == ("I is over more than nothing", "I keeps signs")
    square = "0 < (I (=> 1 (^ (# 0) 2)))"
    weak = [["bound", "square", "x"]]
    assert not accepted(square, [["keeps", *keeps(square), weak]], (), FUNCTIONS)
    for sign in ("=", "!=", ">", "", None):
        wrong = [["keeps", sign, *keeps(states)[1:], []]]
        assert not accepted(states, wrong, (), FUNCTIONS)
        assert not accepted("a = a", wrong, (), FUNCTIONS)


# --- products of integrals


def iterated(states: str, order: Any, letters: Any, *steps: Any) -> list[Any]:
    _, left, right = relation(states)
    return [["iterated", left, right, order, letters, list(steps)]]


def under(left: str, right: str) -> list[Any]:
    return ["identity", relation(f"{left} = {right}"), []]


BOTH = "(X (=> 1 (Y (=> 1 (g (# 1) (# 0)))))) = (Y (=> 1 (X (=> 1 (g (# 0) (# 1))))))"
ON_LEFT = "(* 1 (* 1 (g x y)))"
EXIST = "integrals exist, and may be taken in any order"


def test_integrals_are_exchanged() -> None:
    steps = under(ON_LEFT, ON_LEFT)
    assert line(BOTH, iterated(BOTH, [1, 0], ["x", "y"], steps), (), FUNCTIONS).supposed == (EXIST,)
    swapped = BOTH.replace("(X (=> 1 (g (# 0) (# 1))))", "(X (=> 1 (g (# 1) (# 0))))")
    for order in ([1, 0], [0, 1]):
        assert not accepted(swapped, iterated(swapped, order, ["x", "y"], steps), (), FUNCTIONS)
    for order in ([0, 1], [1], [1, 0, 2], [1, 1], [-1, 0], [True, False], ["1", "0"], None):
        assert not accepted(BOTH, iterated(BOTH, order, ["x", "y"], steps), (), FUNCTIONS)
    for letters in (["x"], ["x", "x"], ["x", "a"], ["x", "f"], ["x", "y", "z"], ["x", "·"], None):
        wrong = iterated(BOTH, [1, 0], letters, under(ON_LEFT, ON_LEFT))
        assert not accepted(BOTH, wrong, ("a = b",), FUNCTIONS)
    assert not accepted(BOTH, iterated(BOTH, [1, 0], ["x", "y"]), (), FUNCTIONS)


def test_the_integrals_are_the_same() -> None:
    for left, right in (("X", "Y"), ("X", "I"), ("I", "X")):
        states = f"({left} (=> 1 (f (# 0)))) = ({right} (=> 1 (f (# 0))))"
        steps = iterated(states, [0], ["x"], under("(* 1 (f x))", "(* 1 (f x))"))
        assert not accepted(states, steps, (), FUNCTIONS)
    for states in ("(X (=> 1 a)) = a", "a = (X (=> 1 a))"):
        for letters in ([], ["x"]):
            steps = iterated(states, [*range(len(letters))], letters, under("(* 1 a)", "a"))
            assert not accepted(states, steps, (), FUNCTIONS)
    joint = "(D (=> 2 (* (f (# 0)) (p (# 1))))) = (* (X (=> 1 (f (# 0)))) (Y (=> 1 (p (# 0)))))"
    inside = under("(* 1 (* 1 (f x) (p y)))", "(* 1 (* 1 (f x)) (* 1 (p y)))")
    assert accepted(joint, iterated(joint, [0, 1], ["x", "y"], inside), (), FUNCTIONS)
    crossed = joint.replace("(X", "(Z").replace("(Y", "(X").replace("(Z", "(Y")
    assert not accepted(crossed, iterated(crossed, [0, 1], ["x", "y"], inside), (), FUNCTIONS)


def test_under_integrals_only_their_ranges_are_known() -> None:
    states = "(I (=> 1 (abs (# 0)))) = (I (=> 1 (# 0)))"
    inside = [
        ["combination", relation("0 <= x"), [["1", 0]], []],
        ["equal", "abs_plus", term("(abs x)")],
        ["identity", relation("(* 1 (abs x)) = (* 1 x)"), [2]],
    ]
    assert accepted(states, iterated(states, [0], ["x"], *inside), (), FUNCTIONS)
    everywhere = states.replace("I", "X")
    assert not accepted(everywhere, iterated(everywhere, [0], ["x"], *inside), (), FUNCTIONS)
    leak = [*iterated(states, [0], ["x"], *inside), ["bound", "square", "x"]]
    assert not accepted(states, leak, (), FUNCTIONS)


WEIGHED = f"(E (=> 1 (f (# 0))) {P}) = (X (=> 1 (* (f (# 0)) (p (# 0)))))"


def test_an_expectation_is_an_integral_by_densities_that_are_nowhere_negative() -> None:
    """It does not look where a density is < 0: an integral would."""
    steps = iterated(WEIGHED, [0], ["x"], under("(* 1 (f x) (p x))", "(* 1 (* 1 (f x) (p x)))"))
    supposed = line(WEIGHED, steps, (), FUNCTIONS).supposed
    assert supposed == (EXIST, "the densities of E are >= 0")


def test_an_integral_looks_where_those_do_that_it_consists_of() -> None:
    triangle = [["<", ["#", 0], ["#", 1]]]
    half = [["<", "0", ["#", 1]]]
    assert accepted("a = a", [under("a", "a")], (), FUNCTIONS)
    for wrong in (
        without("D", ranges=triangle),
        without("D", ranges=half),
        without("D", each=["X", "I"]),
        without("D", each=["X", "I"], ranges=OVER["ranges"]),
        without("X", ranges=OVER["ranges"]),
        without("X", each=["I"]),
        without("X", each=["X", "X"]),
        without("X", **{"is": "between"}),
        without("D", line=True),
        without("D", each=["X", "D"]),
        without("D", each=["X", "none"]),
        without("E", each=["I"]),
        without("p", margins=[["D", ""]]),
        without("p", margins=[["X", ""], ["Y", ""]]),
        without("pr", margins=[["X", ""], ["Y", "p"]]),
        without("pr", margins=[["X", "pr"], ["Y", "p"]]),
        without("pr", margins=[["X", "none"], ["Y", "p"]]),
        without("j", chain=[term("(r (# 1))")]),
    ):
        assert not accepted("a = a", [under("a", "a")], (), wrong)
    assert accepted("a = a", [under("a", "a")], (), without("D", each=["X", "I"], ranges=half))


# --- what is given of all numbers


def test_an_instance_of_what_is_given_of_all_numbers() -> None:
    always = ((2, ("0 < (# 0)",), "(g (# 0) (# 1)) = (f (# 1))"),)

    def tried(states: str, values: Any, k: Any = 0, given: tuple[str, ...] = ("0 < a",)) -> bool:
        steps = [["instance", k, values]]
        return accepted(states, steps, given, FUNCTIONS, always=always)

    states = "(g a (+ b 1)) = (f (+ b 1))"
    b = term("(+ b 1)")
    assert tried(states, ["a", b])
    assert not tried(states, ["a", b], given=())
    assert not tried(states, ["a", b], given=("0 <= a",))
    assert not tried(states, ["a", b], given=("0 < (+ b 1)",))
    assert not tried(states, [b, "a"])
    assert not tried("(g a b) = (f a)", ["a", "b"])
    for values in ([], ["a"], ["a", b, b], None, ["a", ["#", 0]], ["a", "x"]):
        assert not tried(states, values)
    for k in (1, -1, None, True, "0"):
        assert not tried(states, ["a", b], k)
    for wrong in ((0, (), "a = a"), (21, (), "a = a"), (1, (), "(# 1) = a"), ("1", (), "a = a")):
        assert not accepted("a = a", [under("a", "a")], (), FUNCTIONS, always=(wrong,))


@pytest.mark.parametrize("rule", [*laws.ROWS, *rules.ROWS, "slope", "none"])
@pytest.mark.parametrize("of", ["a", "2", "(p a)", "(c_ a b)", "(+ a b)", "(H (=> 1 a))", "(k)"])
def test_a_rule_for_another_term_is_refused_in_words(rule: str, of: str) -> None:
    found = line("a = b", [["equal", rule, term(of)]], functions=FUNCTIONS | {"k": {"takes": []}})
    assert found.rejected


def test_every_law_and_every_step_is_tried() -> None:
    tests = ("laws", "sums", "primitives", "moved", "mapped", "vectors")
    names = ["test_kernel.py", *(f"test_kernel_{name}.py" for name in tests)]
    files = [Path(__file__).with_name(name) for name in names]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    names = (*laws.ROWS, *proof.ARGUMENTS, *rules.BOUNDS, "slope")
    assert all(f'"{name}"' in text for name in names)
