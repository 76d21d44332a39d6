"""The kernel's rules: what each accepts, and that without a side condition it accepts nothing."""

from __future__ import annotations

from typing import Any

import pytest

from genmath.proof.kernel import rules
from tests.proof.certificates import accepted, line, relation, term

# rule, term, what it is equal to, what that needs
EQUAL = [
    ("exp_zero", "(exp 0)", "1", ()),
    ("exp_sum", "(exp (+ a b))", "(* (exp a) (exp b))", ()),
    ("exp_minus", "(exp (- a))", "(/ 1 (exp a))", ()),
    ("exp_ln", "(exp (ln a))", "a", ("0 < a",)),
    ("ln_one", "(ln 1)", "0", ()),
    ("ln_product", "(ln (* a b))", "(+ (ln a) (ln b))", ("0 < a", "0 < b")),
    ("ln_quotient", "(ln (/ a b))", "(+ (ln a) (- (ln b)))", ("0 < a", "0 < b")),
    ("ln_power", "(ln (^ a 3))", "(* 3 (ln a))", ("0 < a",)),
    ("ln_exp", "(ln (exp a))", "a", ()),
    ("ln_sqrt", "(ln (sqrt a))", "(/ (ln a) 2)", ("0 < a",)),
    ("sqrt_product", "(sqrt (* a b))", "(* (sqrt a) (sqrt b))", ("0 <= a", "0 <= b")),
    ("sqrt_quotient", "(sqrt (/ a b))", "(/ (sqrt a) (sqrt b))", ("0 <= a", "0 < b")),
    ("sqrt_square", "(sqrt (^ a 2))", "a", ("0 <= a",)),
    ("abs_plus", "(abs a)", "a", ("0 <= a",)),
    ("abs_minus", "(abs a)", "(- a)", ("0 <= (- a)",)),
    ("abs_even", "(abs (- a))", "(abs a)", ()),
    ("abs_product", "(abs (* a b))", "(* (abs a) (abs b))", ()),
    ("abs_quotient", "(abs (/ a b))", "(/ (abs a) (abs b))", ("0 < b",)),
    ("log_gap", "(log_gap a)", "(+ a (- 1) (- (ln a)))", ()),
    ("power", "(power a b)", "(exp (* b (ln a)))", ("0 < a",)),
    (
        "normal",
        "(normal a b c)",
        "(/ (exp (- (/ (^ (+ a (- b)) 2) (* 2 c)))) (sqrt (* 2 PI c)))",
        (),
    ),
]
ELSEWHERE = [  # rules, for terms of another shape
    ("exp_zero", "(exp 1)"),
    ("exp_sum", "(exp (* a b))"),
    ("exp_sum", "(ln (+ a b))"),
    ("ln_one", "(ln 2)"),
    ("ln_product", "(ln (+ 1 2))"),
    ("ln_power", "(ln (* 2 3))"),
    ("sqrt_square", "(sqrt (^ 2 3))"),
    ("sqrt_square", "(sqrt 2)"),
    ("abs_even", "(abs (* -1 a))"),
    ("abs_even", "(exp (- a))"),
    ("abs_product", "(abs (+ a b))"),
    ("abs_quotient", "(abs (* a 2))"),
    ("exp_ln", "a"),
    ("exp_ln", "2"),
    ("none", "(exp 0)"),
]


@pytest.mark.parametrize(("rule", "of", "is_", "needs"), EQUAL, ids=lambda x: str(x)[:20])
def test_what_functions_are_equal_to(rule: str, of: str, is_: str, needs: tuple[str, ...]) -> None:
    steps = [["equal", rule, term(of)]]
    assert accepted(f"{of} = {is_}", steps, needs)
    assert not accepted(f"{of} = (+ {is_} 1)", steps, needs)
    for k, need in enumerate(needs):
        others = needs[:k] + needs[k + 1 :]
        assert not accepted(f"{of} = {is_}", steps, others)
        assert not accepted(f"{of} = {is_}", steps, (*others, need.replace("0 ", "-1 ", 1)))
        assert not accepted(f"{of} = {is_}", steps, (*others, need.replace("<", ">")))
        if "<=" not in need:
            assert not accepted(f"{of} = {is_}", steps, (*others, need.replace("<", "<=")))


@pytest.mark.parametrize(("rule", "of"), ELSEWHERE, ids=str)
def test_a_rule_is_for_terms_of_its_shape(rule: str, of: str) -> None:
    assert not accepted("a = a", [["equal", rule, term(of)], ["identity", relation("a = a"), []]])


def test_every_rule_for_functions_is_tried() -> None:
    assert {rule for rule, *_ in EQUAL} == rules.ROWS.keys()
    of_declared = {"divergence", "support", "bit", "size"}
    assert {rule for rule, *_ in BOUNDS} | of_declared == rules.BOUNDS.keys()


BOUNDS = [
    ("square", "(+ a b)", "0 <= (^ (+ a b) 2)", ()),
    ("inverse", "a", "0 < (/ 1 a)", ("0 < a",)),
    ("pi_above", "PI", "3 < PI", ()),
    ("pi_below", "PI", "PI < 4", ()),
    ("exp", "(exp a)", "0 < (exp a)", ()),
    ("abs", "(abs a)", "0 <= (abs a)", ()),
    ("abs_nonzero", "(abs a)", "0 < (abs a)", ("0 < a",)),
    ("abs_above", "(abs a)", "a <= (abs a)", ()),
    ("abs_below", "(abs a)", "(- a) <= (abs a)", ()),
    ("abs_most", "(+ b (- (abs a)))", "0 <= (+ b (- (abs a)))",
     ("0 <= (+ b (- a))", "0 <= (+ b a)")),
    ("circle", "(sin a)", "(^ (sin a) 2) = (+ 1 (- (^ (cos a) 2)))", ()),
    ("sqrt", "(sqrt a)", "0 < (sqrt a)", ("0 < a",)),
    ("sqrt", "(sqrt a)", "0 <= (sqrt a)", ("0 <= a",)),
    ("root", "(sqrt a)", "(^ (sqrt a) 2) = a", ("0 <= a",)),
    ("log_gap", "(log_gap a)", "0 <= (log_gap a)", ("0 < a",)),
    ("normal", "(normal a b c)", "0 < (normal a b c)", ("0 < c",)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("states", "step"),
    [
        ("0 < (abs a)", ["bound", "abs_nonzero"]),
        ("(abs (/ b a)) = (/ (abs b) (abs a))", ["equal", "abs_quotient"]),
    ],
)
def test_absolute_values_of_what_is_not_0(states: str, step: list[Any]) -> None:
    of = term("(abs a)" if "<" in states else "(abs (/ b a))")
    assert accepted(states, [[*step, of]], ("a != 0",))
    for other in ((), ("b != 0",), ("0 <= a",), ("(abs b) != 0",), ("a != 1",)):
        assert not accepted(states, [[*step, of]], other)


@pytest.mark.parametrize(("rule", "of", "says", "needs"), BOUNDS, ids=lambda x: str(x)[:20])
def test_where_values_lie(rule: str, of: str, says: str, needs: tuple[str, ...]) -> None:
    steps = [["bound", rule, term(of)]]
    assert accepted(says, steps, needs)
    assert not accepted(says.replace("<", ">").replace("= a", "= b").replace("= (+", "= (* 2"),
                        steps, needs)  # fmt: skip
    assert not accepted(says, [["bound", rule, term("(cos b)")]], needs)
    if needs:
        assert not accepted(says, steps)
        assert not accepted(says, steps, tuple(n.replace("<", ">") for n in needs))
        if "<=" not in needs[0]:
            assert not accepted(says, steps, tuple(n.replace("<", "<=") for n in needs))


def test_a_size_is_at_most_what_both_signs_are() -> None:
    both = ("0 <= (+ b (- a))", "0 <= (+ b a)")
    states = "0 <= (+ b (- (abs a)))"
    steps = [["bound", "abs_most", term("(+ b (- (abs a)))")]]
    for given in (both[:1], both[1:], ("0 <= (+ b (- a))", "0 <= (+ a b)"), ("a <= b", both[1])):
        assert not accepted(states, steps, given)
    assert not accepted(states.replace("<=", "<"), steps, both)
    assert accepted(states, steps, ("0 < (+ b (- a))", both[1]))
    for other in ("(+ b (abs a))", "(+ b (- a))", "(+ (- (abs a)) b)", "(+ b c (- (abs a)))",
                  "(+ b (- (abs b)))", "(+ b (- (* 2 (abs a))))", "(- (abs a))", "b"):  # fmt: skip
        wrong = [["bound", "abs_most", term(other)]]
        assert not accepted(f"0 <= {other}", wrong, both)


# --- algebra


def identity(states: str, by: tuple[int, ...] = ()) -> list[Any]:
    return [["identity", relation(states), list(by)]]


@pytest.mark.parametrize(
    ("states", "given"),
    [
        ("(^ (+ a b) 2) = (+ (^ a 2) (* 2 a b) (^ b 2))", ()),
        ("(* 1/3 (+ a a a)) = a", ()),
        ("(/ (* a b) b) = a", ("0 < b",)),
        ("(/ (* a b) b) = a", ("b != 0",)),
        (
            "(+ (/ a b) (/ 1 (* b b))) = (/ (+ (* a b) 1) (^ b 2))",
            ("0 < b", "0 < (* b b)", "0 < (^ b 2)"),
        ),
        ("(/ 1 (/ 1 (+ a b))) = (+ a b)", ("(+ a b) != 0", "(/ 1 (+ a b)) != 0")),
        ("(^ a 0) = 1", ()),
    ],
    ids=str,
)
def test_identities_of_rational_functions(states: str, given: tuple[str, ...]) -> None:
    assert accepted(states, identity(states), given)
    wrong = states.replace(" = ", " = (+ 1 ", 1) + ")"
    assert not accepted(wrong, identity(wrong), given)
    for k in range(len(given)):
        assert not accepted(states, identity(states), given[:k] + given[k + 1 :])
    if given:
        assert not accepted(states, identity(states), tuple(g.replace("<", "<=") for g in given[:1]
                            if "<" in g) + given[1:])  # fmt: skip


@pytest.mark.parametrize("zero", ["0", "(+ a (- a))", "(* 0 b)", "(+ 1 -1)"])
def test_nothing_is_divided_by_zero(zero: str) -> None:
    states = f"(/ 1 {zero}) = (/ 1 {zero})"
    assert not accepted(states, identity(states))
    assert not accepted(states, identity(states), (f"{zero} != 0",))


def test_equations_are_used_for_atoms_and_their_squares() -> None:
    root = ["bound", "root", term("(sqrt a)")]
    states = "(^ (sqrt a) 4) = (^ a 2)"
    assert accepted(states, [root, *identity(states, (1,))], ("0 <= a",))
    assert not accepted(states, [root, *identity(states)], ("0 <= a",))
    assert accepted("(+ a c) = (+ b c)", identity("(+ a c) = (+ b c)", (0,)), ("a = b",))
    assert not accepted("a = b", identity("a = b", (0,)), ("(+ a c) = (+ b c)",))
    assert not accepted("a = b", identity("a = b", (0,)), ("a <= b",))
    assert not accepted("a = b", identity("a = b", (1,)), ("a = b",))
    assert not accepted("a = (- b)", identity("a = (- b)", (0,)), ("(^ a 2) = (^ b 2)",))


def combination(states: str, *terms: list[Any]) -> list[Any]:
    return [["combination", relation(states), list(terms), []]]


def test_a_gap_is_a_sum_of_products_of_gaps() -> None:
    unit, says = ("0 < a", "a < 1"), "0 < (+ 1 (- (* a a)))"
    assert accepted(says, combination(says, ["1", 1], ["1", 0, 1]), unit)
    assert not accepted(says, combination(says, ["1", 1]), unit)
    assert not accepted("(+ 1 (- (* a a))) < 0", combination(says, ["1", 1], ["1", 0, 1]), unit)
    weak = ("0 < a", "a <= 1")
    assert not accepted(says, combination(says, ["1", 1], ["1", 0, 1]), weak)
    weaker = says.replace("<", "<=")
    assert accepted(weaker, combination(weaker, ["1", 1], ["1", 0, 1]), weak)


def test_a_combination_has_no_negative_weights_and_no_other_facts() -> None:
    assert accepted("a <= 0", combination("a <= 0", ["1", 0]), ("a <= 0",))
    assert not accepted("0 <= a", combination("0 <= a", ["-1", 0]), ("a <= 0",))
    assert not accepted("0 <= a", combination("0 <= a", ["1", 0]), ("0 = a",))
    assert not accepted("0 <= a", combination("0 <= a", ["1", 0]), ("0 != a",))
    assert not accepted("0 <= a", combination("0 <= a", ["a"]))
    assert not accepted("0 < 0", combination("0 < 0", ["0"]))
    assert not accepted("0 < 0", combination("0 < 0"))
    assert accepted("a = a", combination("a = a"))
    for terms in ([], ["1"], ["a"], ["1", 0], ["-1", 0]):
        assert not accepted("a = 0", combination("a = 0", terms), ("a <= 0",))
    assert accepted("0 < 2", combination("0 < 2", ["2"]))


def test_a_product_differs_from_zero_where_its_factors_do() -> None:
    given = ("a != 0", "0 < b", "0 <= c")
    step = ["nonzero", term("(* a b)"), "1", ["1", 0, 1], []]
    assert accepted("(* a b) != 0", [step], given)
    quotient = ["nonzero", term("(/ a b)"), "b", ["1", 0], []]
    assert accepted("(/ a b) != 0", [quotient], given)
    for wrong in (
        ["nonzero", term("(* a c)"), "1", ["1", 0, 2], []],
        ["nonzero", term("(* a b)"), "1", ["2", 0, 1], []],
        ["nonzero", term("(* a b)"), "0", ["0", 0, 1], []],
        ["nonzero", "c", "0", ["0"], []],
        ["nonzero", "0", "1", ["0"], []],
    ):
        assert not accepted("(* a b) != 0", [wrong], given)


# --- equal arguments, under binders too

F = {"f": {"takes": [0]}, "g": {"takes": [0, 0]}}
OVER = {"takes": [1], "ranges": [["<", "0", ["#", 0]]], "is": "integral"}
INTEGRAL = {"I": OVER, "J": {"takes": [1], "is": "integral"}, "f": {"takes": [0]}}
LOG = "(I (=> 1 (ln (* a (# 0))))) = (I (=> 1 (+ (ln a) (ln (# 0)))))"


def same(states: str, *items: Any) -> list[Any]:
    _, left, right = relation(states)
    return ["same", left, right, list(items)]


def test_equal_arguments_give_equal_values() -> None:
    states = "(f (+ a b)) = (f (+ b a))"
    equal = identity("(+ a b) = (+ b a)")
    assert accepted(states, [*equal, same(states, 0)], functions=F)
    assert not accepted(states, [*equal, same(states, None)], functions=F)
    assert not accepted(states, [same(states, 0)], ("(+ a b) <= (+ b a)",), F)
    assert not accepted(states, [same(states, 0)], ("(+ b a) = (+ a b)",), F)
    assert not accepted("(g a b) = (g b a)", [same("(g a b) = (g b a)", None, None)], functions=F)
    assert not accepted("(f a) = (exp a)", [same("(f a) = (exp a)", None)], functions=F)


def test_functions_are_equal_where_they_are_looked_at() -> None:
    inside = [["equal", "ln_product", term("(ln (* a x))")]]
    assert accepted(LOG, [same(LOG, [["x"], inside])], ("0 < a",), INTEGRAL)
    assert not accepted(LOG, [same(LOG, [["x"], inside])], (), INTEGRAL)
    everywhere = LOG.replace("I", "J")
    assert not accepted(everywhere, [same(everywhere, [["x"], inside])], ("0 < a",), INTEGRAL)


def test_a_bound_letter_is_new() -> None:
    """Else what is known of another letter would be known of it."""
    states = "(J (=> 1 (abs (# 0)))) = (J (=> 1 (# 0)))"
    of_a = [["equal", "abs_plus", term("(abs a)")]]
    assert not accepted(states, [same(states, [["a"], of_a])], ("0 <= a",), INTEGRAL)
    of_x = [["equal", "abs_plus", term("(abs x)")]]
    assert not accepted(states, [same(states, [["x"], of_x])], ("0 <= a",), INTEGRAL)
    for taken in ("f", "PI", "exp", "J", "·", "", "#", 1, None):
        steps = [same(states, [[taken], []])]
        assert not accepted(states, steps, ("0 <= a",), INTEGRAL)
    inner = "(J (=> 1 (J (=> 1 (* (# 0) (# 1)))))) = (J (=> 1 (J (=> 1 (* (# 1) (# 0))))))"
    nested = "(J (=> 1 (* (# 0) x))) = (J (=> 1 (* x (# 0))))"
    proof_ = [same(nested, [["y"], identity("(* y x) = (* x y)")])]
    assert accepted(inner, [same(inner, [["x"], proof_])], functions=INTEGRAL)
    clash = [same(nested, [["x"], identity("(* x x) = (* x x)")])]
    assert not accepted(inner, [same(inner, [["x"], clash])], functions=INTEGRAL)


def test_two_letters_bound_together_are_two() -> None:
    functions = {"D": {"takes": [2]}}
    states = "(D (=> 2 (# 0))) = (D (=> 2 (# 1)))"
    for letters in (["x", "x"], ["x"], ["x", "y"], ["x", "y", "z"]):
        steps = [same(states, [letters, identity("x = x")])]
        assert not accepted(states, steps, functions=functions)


def test_nothing_leaves_a_proof_within_a_proof() -> None:
    inside = [["equal", "ln_product", term("(ln (* a x))")]]
    first = same(LOG, [["x"], inside])
    of_x = ["identity", relation("(ln (* a x)) = (+ (ln a) (ln x))"), [1]]
    assert not accepted(LOG, [first, of_x], ("0 < a",), INTEGRAL)
    assert not accepted("0 < a", [same("a = a"), first], (), INTEGRAL)
    positive = "(I (=> 1 (abs (# 0)))) = (I (=> 1 (# 0)))"
    weaker = [["combination", relation("0 <= x"), [["1", 0]], []],
              ["equal", "abs_plus", term("(abs x)")]]  # fmt: skip
    known = same(positive, [["x"], weaker])
    assert accepted(positive, [known], (), INTEGRAL)
    assert not accepted(
        "(abs b) = b", [known, ["equal", "abs_plus", term("(abs b)")]], (), INTEGRAL
    )


EXPECTATION = {
    "E": {"takes": [1, 1], "is": "expectation"},
    "p": {"takes": [0], "values": [["<=", "0", ["#", 0]]]},
    "q": {"takes": [0, 0]},
}


def test_an_expectation_looks_at_its_integrand_where_the_density_is_positive() -> None:
    states = (
        "(E (=> 1 (exp (ln (p (# 0))))) (=> 1 (p (# 0)))) = (E (=> 1 (p (# 0))) (=> 1 (p (# 0))))"
    )
    inside = [["equal", "exp_ln", term("(exp (ln (p x)))")]]
    assert accepted(states, [same(states, [["x"], inside], None)], (), EXPECTATION)
    law = "(E (=> 1 1) (=> 1 (exp (ln (p (# 0)))))) = (E (=> 1 1) (=> 1 (p (# 0))))"
    assert not accepted(law, [same(law, None, [["x"], inside])], (), EXPECTATION)


def test_what_is_declared_of_values() -> None:
    states = "0 <= (p a)"
    assert accepted(states, [["value", term("(p a)"), 0]], functions=EXPECTATION)
    for of, k in (("(p a)", 1), ("(p a)", -1), ("(q a b)", 0), ("a", 0), ("(p a)", None)):
        assert not accepted(states, [["value", term(of), k]], functions=EXPECTATION)


def test_logarithms_are_injective_on_what_is_positive() -> None:
    step = ["ln_inject", "a", "b"]
    given = ("(ln a) = (ln b)", "0 < a", "0 < b")
    assert accepted("a = b", [step], given)
    for k in range(3):
        assert not accepted("a = b", [step], given[:k] + given[k + 1 :])


def test_an_earlier_result_is_named() -> None:
    found = line("a <= b", [["result", 0]], results=("a <= b",))
    assert (found.rejected, found.supposed) == ("", ("the result r0",))
    assert not accepted("a <= b", [], results=("a <= b",))
    assert not accepted("a <= b", [["result", 1]], results=("a <= b",))
    assert not accepted("a < b", [["result", 0]], results=("a <= b",))


# --- derivatives

SLOPES = [
    ("(* (# 0) (# 0) b)", "(* 2 a b)", ()),
    ("(/ b (# 0))", "(- (/ b (^ a 2)))", ("0 < a", "(^ a 2) != 0")),
    ("(^ (# 0) 3)", "(* 3 (^ a 2))", ()),
    ("(exp (* b (# 0)))", "(* b (exp (* b a)))", ()),
    ("(ln (* b (# 0)))", "(/ 1 a)", ("0 < (* b a)", "0 < a")),
    ("(sqrt (# 0))", "(/ 1 (* 2 (sqrt a)))", ("0 < a", "(sqrt a) != 0", "(* 2 (sqrt a)) != 0")),
    ("(log_gap (# 0))", "(+ 1 (- (/ 1 a)))", ("0 < a",)),
    ("(sin (# 0))", "(cos a)", ()),
    ("(cos (# 0))", "(- (sin a))", ()),
    ("(normal (# 0) b c)", "(* (normal a b c) (/ (+ b (- a)) c))", ("0 < c",)),
    ("(normal b (# 0) c)", "(* (normal b a c) (/ (+ b (- a)) c))", ("0 < c",)),
    (
        "(normal b c (# 0))",
        "(* (normal b c a) (+ (/ (^ (+ b (- c)) 2) (* 2 (^ a 2))) (- (/ 1 (* 2 a)))))",
        ("0 < a", "(* 2 (^ a 2)) != 0", "(* 2 a) != 0"),
    ),
    ("b", "0", ()),
]


@pytest.mark.parametrize(("of", "is_", "needs"), SLOPES, ids=lambda x: str(x)[:20])
def test_derivatives(of: str, is_: str, needs: tuple[str, ...]) -> None:
    slope = f"(Deriv (=> 1 {of}) a)"
    states = f"{slope} = {is_}"

    def steps(says: str) -> list[Any]:
        return [["equal", "slope", term(slope)], *identity(says, (len(needs),))]

    assert accepted(states, steps(states), needs)
    wrong = f"{slope} = (+ 1 {is_})"
    assert not accepted(wrong, steps(wrong), needs)
    for k in range(len(needs)):
        left = (*needs[:k], "b = b", *needs[k + 1 :])
        assert not accepted(states, steps(states), left)


def test_where_there_is_no_derivative() -> None:
    functions = INTEGRAL | {"L": {"takes": [1]}, "E": EXPECTATION["E"]}
    for of in ("(abs (# 0))", "(L (=> 1 (* (# 0) (# 1))))", "(normal (# 0) b c)", "(/ 1 (# 0))",
               "(Deriv (=> 1 (* (# 0) (# 1))) (# 0))", "(E (=> 1 (# 0)) (=> 1 (# 1)))",
               "(E (=> 1 (# 1)) (=> 1 (# 1)))", "(log_gap (# 0))"):  # fmt: skip
        slope = term(f"(Deriv (=> 1 {of}) a)")
        assert not accepted("a = a", [["equal", "slope", slope]], ("a = a",), functions)
    assert accepted("a = a", [], ("a = a",), INTEGRAL)


def test_a_function_is_supposed_to_have_a_derivative() -> None:
    functions = {"f": {"takes": [0], "slope": "h"}, "h": {"takes": [0]}, "g": {"takes": [0, 0]}}
    states = "(Deriv (=> 1 (f (* b (# 0)))) a) = (* b (h (* b a)))"
    slope = relation(states)[1]
    steps = [["equal", "slope", slope], *identity(states, (0,))]
    found = line(states, steps, functions=functions)
    assert (found.rejected, found.supposed) == ("", ("f has a derivative in its argument 1",))
    functions["f"]["smooth"] = True
    assert line(states, steps, functions=functions).supposed == ()
    partial = "(Deriv (=> 1 (g b (^ (# 0) 2))) a) = (* 2 a (Deriv (=> 1 (g b (# 0))) (^ a 2)))"
    steps = [["equal", "slope", relation(partial)[1]], *identity(partial, (0,))]
    assert accepted(partial, steps, functions=functions)


def slope(states: str, functions: dict[str, Any]) -> Any:
    return line(states, [["equal", "slope", relation(states)[1]]], (), functions)


def test_of_a_function_of_several_numbers() -> None:
    functions = {"g": {"takes": [0, 0], "smooth": True}}
    first, second = "(Deriv (=> 1 (g (# 0) a)) a)", "(Deriv (=> 1 (g a (# 0))) a)"
    both = f"(Deriv (=> 1 (g (# 0) (# 0))) a) = (+ (* {first} 1) (* {second} 1))"
    assert slope(both, functions).supposed == ("g is differentiable",)
    assert slope(both.replace(f"(* {second} 1)", "0"), functions).rejected
    del functions["g"]["smooth"]
    assert len(slope(both, functions).supposed) == 3


def test_of_a_derivative() -> None:
    functions = {"g": {"takes": [0, 0], "smooth": True}}
    inner = "(Deriv (=> 1 (g (# 0) b)) {})"
    states = f"(Deriv (=> 1 {inner}) a) = (* (Deriv (=> 1 {inner}) a) 1)".format("(# 0)", "(# 0)")
    supposed = ("Deriv has a derivative in its argument 2",)
    assert slope(states, functions).supposed == supposed
    assert slope(states.replace("(g (# 0) b)", "(g (# 0) (# 1))"), functions).rejected


UNDER = (
    "(Deriv (=> 1 (J (=> 1 (* (# 0) (# 1) b)))) a) = (J (=> 1 (Deriv (=> 1 (* (# 1) (# 0) b)) a)))"
)


def test_a_derivative_is_taken_under_an_integral() -> None:
    assert slope(UNDER, INTEGRAL).supposed == ("derivatives may be taken under J",)
    assert slope(UNDER.replace("(* (# 1) (# 0) b)", "(* (# 0) (# 1) b)"), INTEGRAL).rejected
    deep = UNDER.replace("(* (# 0) (# 1) b)", "(J (=> 1 (f (+ (# 0) (# 1) (# 2)))))")
    deep = deep.replace("(* (# 1) (# 0) b)", "(J (=> 1 (f (+ (# 0) (# 2) (# 1)))))")
    assert slope(deep, INTEGRAL).rejected == ""
    assert slope(deep.replace("(# 2) (# 1)", "(# 1) (# 2)"), INTEGRAL).rejected


def test_under_a_sum_too_derivatives_are_supposed() -> None:
    """Of |x| and x - |x|, which have none at 0, the sum has one."""
    functions = {"J": {"takes": [1], "is": "sum"}, "f": {"takes": [0]}}
    assert slope(UNDER, functions).supposed == ("derivatives may be taken under J",)
