"""A node says what it holds and binds: passes that list no nodes treat it rightly, and whoever was
not taught it says so by name."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from genmath.proof import (
    KL,
    Density,
    E,
    Function,
    NotationError,
    Sequence,
    derivation,
    diff,
    equal,
    integral,
    latex,
    log,
    naturals,
    number,
    positives,
    reals,
    total,
    variables,
)
from genmath.proof.functions import compile_tree
from genmath.proof.language.data import decode_tree, encode_tree
from genmath.proof.language.instantiate import instantiate, redeclare
from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    BOUND,
    LETTER,
    NUMBER,
    PLAIN,
    WHOLE,
    Integral,
    Node,
    Operand,
    Symbol,
    as_node,
    free_symbols,
    transform,
)
from genmath.proof.mutate import mutants
from genmath.proof.numeric.judge import compare
from genmath.proof.symbolic.judge import prove
from genmath.proof.symbolic.lemmas import rewrite

a, b, c = reals("a b c")
n, t = naturals("n t")
x, y = variables("x y")
p, q, r = Density("p", x), Density("q", y), Density("r", x)
f = Function("f")
ABOVE = {*Node.__mro__}
weights = Sequence("w")


def test_what_kinds_a_tree_contains_is_what_a_walk_meets() -> None:
    trees = [a + b, -a, f(x) / a, integral(p(x) * f(x), x), E(p(x), log(f(x))), KL(p(x), r(x)), y]
    kinds = {k for tree in trees for n in tree.walk() for k in type(n).__mro__ if k not in ABOVE}
    for tree in (*trees, *(pickle.loads(pickle.dumps(tree)) for tree in trees)):
        for kind in kinds:
            assert tree.contains(kind) == any(isinstance(n, kind) for n in tree.walk())
    whole, part = integral(p(x) * f(x), x), p(x) * f(x)
    changed = transform(whole, lambda n: part if n == whole else None)
    assert whole.contains(Integral)
    assert not changed.contains(Integral)


class Leaf(Node, holds=(PLAIN,)):
    """Something with a name."""

    def __init__(self, name: str) -> None:
        super().__init__((), (name,))


class Pair(Node, holds=()):
    """An operator of two arguments."""

    def __init__(self, left: Operand, right: Operand) -> None:
        super().__init__((as_node(left), as_node(right)))


class Mean(Node, holds=(BOUND,), scope=(0,), parts=(NUMBER, WHOLE)):
    """The mean of body over a letter from 1 to a limit, which is outside the scope."""

    def __init__(self, body: Operand, letter: Symbol, limit: Operand) -> None:
        super().__init__((as_node(body), as_node(limit)), (letter,))


class Averaged(Node, holds=(BOUND,)):
    """The mean of body over several letters."""

    def __init__(self, body: Operand, *letters: Symbol) -> None:
        super().__init__((as_node(body),), (letters,))


class Slope(Node, holds=(LETTER,)):
    """Something that holds a letter and does not bind it."""

    def __init__(self, body: Operand, letter: Symbol) -> None:
        super().__init__((as_node(body),), (letter,))


THROWN_AWAY: list[Node] = [
    Leaf("one"),
    Pair(a, b),
    Mean(a * t, t, n),
    Averaged(f(x), x),
    Slope(a, a),
]


def test_a_class_that_does_not_say_what_it_holds_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match="Silent does not say what its data hold"):

        class Silent(Node):
            pass


@pytest.mark.parametrize(
    "make",
    [
        lambda: Node.__init__(Leaf("x"), (), ()),
        lambda: Leaf(a),  # type: ignore[arg-type]
        lambda: Mean(a, 3, n),  # type: ignore[arg-type]
        lambda: Averaged(a, x, "y"),  # type: ignore[arg-type]
        lambda: Slope(a, a + b),  # type: ignore[arg-type]
        lambda: Slope(a, (a, b)),  # type: ignore[arg-type]
    ],
)
def test_a_node_holds_what_it_said(make: Any) -> None:
    with pytest.raises(TypeError, match="holds"):
        make()


def test_free_letters() -> None:
    assert free_symbols(Leaf("one")) == frozenset()
    assert free_symbols(Pair(a, b)) == {a, b}
    assert free_symbols(Mean(a * t, t, n)) == {a, n}
    assert free_symbols(Mean(a * t, t, t)) == {a, t}  # the limit is outside
    assert free_symbols(Averaged(f(x) * y, x)) == {y}
    assert free_symbols(Slope(a, b)) == {a, b}
    assert free_symbols(total(a * t, t, 1, t)) == {a, t}


def test_letters_are_replaced_outside_the_scope() -> None:
    assert instantiate(Mean(a * t, t, n), ((a, b), (n, n + 1))) == Mean(b * t, t, n + 1)
    assert instantiate(Pair(a, Leaf("one")), ((a, b),)) == Pair(b, Leaf("one"))
    assert instantiate(Slope(a * b, b), ((a, c),)) == Slope(c * b, b)


def test_a_density_renames_what_is_bound_with_it() -> None:
    assert instantiate(Averaged(p(x) * f(x), x), ((p(x), q(y)),)) == Averaged(q(y) * f(y), y)
    assert instantiate(Slope(p(x), x), ((p(x), q(y)),)) == Slope(q(y), y)
    z, u = variables("z u")
    r = Density("r", z, u)
    assert instantiate(Averaged(p(x), x), ((p(x), r(z, u)),)) == Averaged(r(z, u), z, u)
    with pytest.raises(NotationError, match="give it one variable"):
        instantiate(Slope(p(x), x), ((p(x), r(z, u)),))


@pytest.mark.parametrize(
    ("node", "pairs"),
    [
        (Mean(a * t, t, n), ((a, t),)),  # t would come to be bound
        (Mean(a * t, t, n), ((t, n),)),  # and here cease to be
        (Averaged(a * f(x), x), ((a, x),)),
        (Averaged(p(x) * y, x), ((p(x), q(y)),)),
        (Slope(a, b), ((a, b),)),  # what is held beside it would come to depend on it
        (Slope(a, b), ((b, c),)),
        (integral(a * f(x), x), ((a, x),)),
        (E(p(x), a * x), ((a, x),)),
        (E(p(x), x * y), ((p(x), q(y)),)),
        (E(p(x), diff(x, y)), ((p(x), q(y)),)),
        (E(p(x), Averaged(x, y)), ((p(x), q(y)),)),
        (diff(a * b, b), ((a, b),)),
        (total(a * t, t, 1, n), ((a, t),)),
        (total(a * t, t, 1, n), ((n, t),)),
    ],
    ids=lambda v: type(v).__name__,
)
def test_nothing_is_captured(node: Node, pairs: tuple[tuple[Node, Node], ...]) -> None:
    with pytest.raises(NotationError, match=r"the lemma (and its arguments both use|binds)"):
        instantiate(node, pairs)


def test_a_letter_declared_otherwise_is_so_where_it_is_free() -> None:
    above = positives("a")
    assert redeclare(Pair(a, b), a, above) == Pair(above, b)
    assert redeclare(Slope(a, a), a, above) == Slope(above, above)
    assert redeclare(Mean(a, t, n) + Mean(t, t, t), t, n) == Mean(a, t, n) + Mean(t, t, n)
    assert redeclare(integral(a, a, between=(0, a)), a, above) == integral(a, a, between=(0, above))
    with pytest.raises(NotationError, match="is bound"):
        redeclare(Mean(a, t, n), a, t)


def test_walking_and_rebuilding() -> None:
    mean = Mean(a * t, t, n)
    assert [type(m).__name__ for m in mean.walk()] == ["Mean", "Mul", "Symbol", "Symbol", "Symbol"]
    assert transform(mean, lambda m: c if m == a else None) == Mean(c * t, t, n)
    assert (mean.bound, mean.letters, Slope(a, b).letters) == ((t,), (), (b,))


def test_mutants_of_a_binder_stay_in_its_scope() -> None:
    found = {m.lhs for _, m in mutants(equal(Mean(a * t, t, n), a))}
    assert {Mean(-(a * t), t, n), Mean(a * t, t, n + 1), Mean(a * n, t, n)} <= found
    assert Mean(a * t, t, t) not in found
    assert Mean(a * t, t, 2 * n) not in found


@pytest.mark.parametrize("node", THROWN_AWAY, ids=lambda n: type(n).__name__)
@pytest.mark.parametrize("depth", ["itself", "below a node that is known"])
def test_who_was_not_taught_a_node_names_it(node: Node, depth: str) -> None:
    whole = node if depth == "itself" else number(1) + node
    name = type(node).__name__
    for printer in (text, latex):
        with pytest.raises(TypeError, match=name):
            printer(whole)
    with pytest.raises((NotationError, TypeError, ValueError), match=name):
        compile_tree(whole)(**{s.name: 1 for s in free_symbols(whole)})
    with pytest.raises(NotationError, match=f"no author's function writes a {name}"):
        encode_tree(whole)
    with pytest.raises(NotationError, match="is no expression"):
        decode_tree([name, [], ["Pi", []]])
    proof = prove(equal(whole, whole + a - a))
    assert not proof.proved
    assert name in proof.reason
    with pytest.raises(NotationError, match=name):
        compare(equal(whole, whole + a - a))


def test_a_node_of_the_same_name_is_another_node() -> None:
    class Pi(Node, holds=()):
        pass

    with pytest.raises(NotationError, match="no author's function writes a Pi"):
        encode_tree(Pi())


@pytest.mark.parametrize(
    "data",
    [
        ["Deriv", [["Add", [], ["Pi", []]]], ["Pi", []]],  # by no letter
        ["Deriv", [], ["Pi", []]],
        ["Number", [1]],
        ["Number", [{"number": "1e9"}]],
        ["Number", [{"number": "-1"}]],
        ["Symbol", ["a", "real", "", 0, "a"]],  # 0 is not False
        ["Symbol", ["a b", "real", "", False, "a"]],
        ["Symbol", ["a", "odd", "", False, "a"]],
        ["Fn", ["surprise"], ["Pi", []]],
        ["Divergence", ["HL", []], ["Pi", []], ["Pi", []]],
        ["Integral", [[]], ["Pi", []]],
        ["Node", []],
        ["Apply", ["f", ["odd"], 0], ["Pi", []]],
        ["Apply", ["f", [], -1], ["Pi", []]],
    ],
)
def test_what_no_author_writes_is_refused(data: Any) -> None:
    with pytest.raises((NotationError, LookupError, TypeError, AttributeError)):
        decode_tree(data)


def test_a_lemma_is_not_used_below_a_binder_of_its_hypotheses() -> None:
    """A letter that a hypothesis speaks of is another one where it is bound."""

    @derivation("for large t only")
    def large(d: Any) -> None:
        d.given_that(t >= 3)
        d.start(weights[t] - weights[t])
        d.equals(0, by="they are the same")

    claim = large.conclusion
    assert rewrite(total(claim.lhs, t, 1, n), claim) == total(claim.lhs, t, 1, n)
    assert rewrite(Mean(claim.lhs, t, n), claim) == Mean(claim.lhs, t, n)
    assert rewrite(claim.lhs * a, claim) == number(0) * a
