"""Every row of the table of elementary functions holds what it says; a new row is enough."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import mpmath
import pytest

from genmath.proof import numeric
from genmath.proof.functions import compile_tree
from genmath.proof.language import notation as n
from genmath.proof.language.claims import as_claim, equal
from genmath.proof.language.elementary import (
    ONE,
    TABLE,
    Command,
    Elementary,
    between,
    call,
    exp,
)
from genmath.proof.language.latex import latex
from genmath.proof.language.text import text
from genmath.proof.language.tree import Fn, Node, NotationError
from genmath.proof.mutate import mutants
from genmath.proof.numeric.arithmetic import CONTEXT, EXACT, FLOAT
from genmath.proof.numeric.tabulated import tabulated
from genmath.proof.symbolic.judge import prove
from genmath.proof.symbolic.rows import number
from tests.proof.latex_parser import parse

ROWS = list(TABLE.values())
a, b = n.reals("a b")
s, t = n.positives("s t")
rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@pytest.fixture(autouse=True)
def fifty_digits() -> Iterator[None]:
    with mpmath.workdps(50):
        yield


def having(*parts: str) -> Any:
    chosen = [row for row in ROWS if any(getattr(row, part) for part in parts)]
    return pytest.mark.parametrize("row", chosen, ids=lambda row: row.name)


def points(row: Elementary, count: int = 60) -> list[Fraction]:
    """Arguments of every size, inside the domain and away from what no float can tell apart."""
    rng = random.Random(row.name)
    sizes = [Fraction(rng.randint(1, 10**6), 10 ** rng.randint(4, 9)) for _ in range(count)]
    sizes += [Fraction(1, 10**12), Fraction(1, 2), Fraction(1), Fraction(30), Fraction(100)]
    signs = (1, -1) if row.domain == "real" else (1,)
    return sorted(sign * u for u in sizes for sign in signs)


def letter(row: Elementary) -> Any:
    return a if row.domain == "real" else s


def at(tree: Node, u: Fraction, digits: int = 50) -> Any:
    """The value of a tree in one letter, by mpmath."""
    with mpmath.workdps(digits):
        f = compile_tree(tree, "mpmath")
        return f(**dict.fromkeys(f.arguments, mpmath.mpf(u.numerator) / u.denominator))


def value(row: Elementary, u: Fraction) -> Any:
    return at(row(letter(row)), u)


def near(x: Any, y: Any, relative: float, absolute: float = 0.0) -> bool:
    return bool(abs(x - y) <= relative * max(abs(x), abs(y)) + absolute)


# --- what computes it -----------------------------------------------------------------------------


@rows
@pytest.mark.parametrize("module", ["math", "numpy", "torch"])
def test_modules_compute_one_function(row: Elementary, module: str) -> None:
    if module != "math":
        array = pytest.importorskip(module)
    f = compile_tree(row(letter(row)), module)
    every = [u for u in points(row) if abs(u) <= 100]
    if module == "math":
        found = [f(**{f.arguments[0]: float(u)}) for u in every]
    else:
        kind = {"dtype": array.float64}
        found = f(**{f.arguments[0]: array.asarray([float(u) for u in every], **kind)}).tolist()
    for u, x in zip(every, found, strict=True):
        here = Fraction(float(u))  # what the float is, exactly
        slack = (
            3e-13 if row.name in ("tan", "gamma") else 3e-14
        )  # ill-conditioned; by its logarithm
        assert near(x, value(row, here), slack, 1e-14), (row.name, u)


@rows
def test_the_numeric_judge_has_34_digits_of_it(row: Elementary) -> None:
    own = {"positive_part": "pos", "indicator": "ind"}.get(row.name, row.name)
    if row.name == "log_gap":
        return  # the judge writes it by its definition
    f = EXACT.functions.get(own) or tabulated(EXACT, row.name, 0)
    with localcontext(CONTEXT), mpmath.workdps(50):
        for u in points(row, 20):
            found = mpmath.mpf(str(f(Decimal(u.numerator) / Decimal(u.denominator))))
            assert near(found, value(row, u), 1e-30, 1e-30), u


@rows
def test_outside_its_domain_it_is_refused_everywhere(row: Elementary) -> None:
    if row.domain == "real":
        return
    outside = [-0.5, -3.0] + ([0.0] if row.domain == "positive" and row.code.get("math") else [])
    for u in outside[:2]:
        with pytest.raises(ValueError, match=rf"{row.name}\(.*expected a number >"):
            compile_tree(row(a), "math")(a=u)
    for module in ("numpy", "torch"):
        array = pytest.importorskip(module)
        found = compile_tree(row(a), module)(a=array.asarray(outside[:2], dtype=array.float64))
        assert all(math.isnan(x) for x in found.tolist()), module
    assert numeric.compare(equal(row(-s), row(-s))).verdict == "undefined"
    assert not prove(equal(row(a), row(a))).proved


def test_slopes_exist_where_an_array_also_holds_what_is_outside() -> None:
    torch = pytest.importorskip("torch")
    for row in ROWS:
        u = torch.tensor([2.0, -1.0], dtype=torch.float64, requires_grad=True)
        v = compile_tree(row(a), "torch")(a=u)
        if not v.requires_grad:
            continue  # a step
        v[0].backward()
        assert torch.isfinite(u.grad[0]), row.name


# --- what is known of its values ------------------------------------------------------------------


@having("derivative")
def test_its_derivative(row: Elementary) -> None:
    assert row.derivative is not None
    u = letter(row)
    slope = row.derivative(u)
    for at_ in points(row, 15):
        with mpmath.workdps(60):
            here = mpmath.mpf(at_.numerator) / at_.denominator
            numeric_slope = mpmath.diff(lambda x: call(row, "mpmath", mpmath, x), here)
        assert near(at(slope, at_), numeric_slope, 1e-20, 1e-20), at_
    claim = equal(n.diff(row(u), u), slope)
    assert prove(claim).proved, prove(claim).reason
    assert numeric.compare(claim).verdict == "agree"
    assert numeric.compare(equal(claim.lhs, 2 * slope)).verdict == "refuted"


@having("definition")
def test_its_definition(row: Elementary) -> None:
    assert row.definition is not None
    for u in points(row, 20):
        assert near(at(row.definition(letter(row)), u), value(row, u), 1e-35, 1e-35), u


@rows
def test_its_range(row: Elementary) -> None:
    for u in points(row):
        if abs(u) > 20:
            continue
        with mpmath.workdps(400):  # 1 - erf(20) is 1e-176
            v = call(row, "mpmath", mpmath, mpmath.mpf(u.numerator) / u.denominator)
            for end, sign in ((row.range.low, 1), (row.range.high, -1)):
                if end is not None:
                    gap = sign * (v - compile_tree(end, "mpmath")())
                    assert gap >= 0 if row.range.attained else gap > 0, u


@having("increasing")
def test_it_increases(row: Elementary) -> None:
    values = [value(row, u) for u in points(row) if abs(u) <= 8]
    for x, y in itertools.pairwise(values):
        assert x <= y if row.increasing == "weakly" else x < y or x == y == value(row, Fraction(0))
    assert row.increasing in ("strictly", "weakly")


@having("parity")
def test_its_parity(row: Elementary) -> None:
    for u in points(row, 20):
        assert near(value(row, -u), row.parity * value(row, u), 1e-40)


@having("at")
def test_its_values_at_numbers(row: Elementary) -> None:
    for u, known in row.at.items():
        here = mpmath.mpf(Fraction(u).numerator) / Fraction(u).denominator  # type: ignore[arg-type]
        with mpmath.workdps(50):
            assert near(call(row, "mpmath", mpmath, here), at(known, Fraction(1)), 1e-45, 1e-45)
        assert prove(equal(row(n.number(u)), known)).proved  # type: ignore[arg-type]


@having("square", "successor", "logarithm")
def test_its_rules(row: Elementary) -> None:
    x = letter(row)
    for u in points(row, 20):
        here = value(row, u)
        if row.square is not None:
            assert near(here**2, at(row.square(x), u), 1e-30, 1e-40)
        if row.successor is not None and u <= 30:
            stepped = at(row.successor(x, row(x)), u, 80)  # near 0, numbers that cancel
            assert near(at(row(x), u + 1, 80), stepped, 1e-30)
        if row.logarithm is not None:
            with mpmath.workdps(50):
                assert near(mpmath.log(here), at(row.logarithm(x), u), 1e-30, 1e-30)


def test_rows_look_different() -> None:
    every = [latex(row(s)) for row in ROWS] + [latex(n.log(n.gamma(s)))]
    assert len(set(every)) == len(every)


def test_what_a_function_is_mistaken_for_is_another_function() -> None:
    for row in ROWS:
        for other in row.mistaken:
            assert other != row.name
            found = numeric.compare(equal(row(s), TABLE[other](s)))
            assert found.verdict == "refuted", (row.name, other)


# --- a row that is wrong sets the judges against each other ---------------------------------------


WRONG: dict[str, tuple[str, dict[str, Any], Callable[[Any], Any]]] = {
    "derivative": (
        "sin", {"derivative": lambda u: 2 * n.cos(u)},
        lambda u: equal(n.diff(n.sin(u), u), 2 * n.cos(u)),
    ),
    "definition": (
        "tanh", {"definition": lambda u: 2 * n.sigmoid(u) - 1},
        lambda u: equal(n.tanh(u), 2 * n.sigmoid(u) - 1),
    ),
    "range": ("erf", {"range": between(0, 1)}, lambda u: as_claim(n.erf(u - 3) >= 0)),
    "parity": ("sin", {"parity": 1}, lambda u: equal(n.sin(-u), n.sin(u))),
    "at": ("cos", {"at": {0: n.number(2)}}, lambda u: equal(n.cos(u - u), 2)),
}  # fmt: skip


@pytest.mark.parametrize("column", WRONG)
def test_a_wrong_row_fools_one_judge_only(column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, changed, claim = WRONG[column]
    u = n.reals(f"w_{column}")  # a letter of its own: judge A remembers what it has read
    monkeypatch.setitem(TABLE, name, replace(TABLE[name], **changed))
    assert prove(claim(u)).proved
    assert numeric.compare(claim(u)).verdict == "refuted"


def test_a_wrong_value_fools_one_judge_only(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(TABLE["sin"], code={"math": "cos", "mpmath": "cos"})
    monkeypatch.setitem(TABLE, "sin", wrong)
    claim = equal(n.sin(a) - n.cos(a), 0)
    assert numeric.compare(claim).verdict == "agree"
    assert not prove(claim).proved


# --- one row is enough ----------------------------------------------------------------------------


@pytest.fixture
def cosh(monkeypatch: pytest.MonkeyPatch) -> Elementary:
    row = Elementary(
        "cosh",
        Command(r"\cosh", bare=True),
        derivative=lambda u: (exp(u) - exp(-u)) / 2,
        range=between(1, None, attained=True),
        parity=1,
        at={0: ONE},
        mistaken=("cos",),
    )
    with pytest.raises(NotationError, match="cosh"):
        Fn("cosh", 1)
    monkeypatch.setitem(TABLE, "cosh", row)
    return row


def test_a_row_is_printed_and_read_back(cosh: Elementary) -> None:
    tree = 2 * cosh(a) * b + n.log(cosh(a + b)) ** 2
    assert text(tree) == "2·cosh(a)·b + log(cosh(a + b))^2"
    assert latex(tree) == r"2 \cosh(a)\, b + (\log(\cosh(a + b)))^2"
    assert latex(cosh(a)) == r"\cosh a"
    assert parse(latex(tree), {"a": a, "b": b}) == tree


def test_a_row_is_judged(cosh: Elementary) -> None:
    slope = n.diff(cosh(2 * a), a)
    true = equal(slope, exp(2 * a) - exp(-2 * a))
    assert prove(true).proved
    assert numeric.compare(true).verdict == "agree"
    for false in (
        equal(slope, (exp(2 * a) - exp(-2 * a)) / 2), equal(cosh(-a), -cosh(a)),
        as_claim(cosh(a) >= 2), as_claim(cosh(a) <= 1), equal(cosh(a) ** 2, 1),
    ):  # fmt: skip
        assert not prove(false).proved
        assert numeric.compare(false).verdict == "refuted"
    for known in (equal(cosh(-a), cosh(a)), as_claim(cosh(a) >= 1), as_claim(n.log(cosh(a)) >= 0)):
        assert prove(known).proved
        assert numeric.compare(known).verdict == "agree"


def test_a_row_is_compiled(cosh: Elementary) -> None:
    assert compile_tree(cosh(a), "math")(a=2) == math.cosh(2)
    assert compile_tree(cosh(a), "mpmath")(a=2) == mpmath.cosh(2)
    for module in ("numpy", "torch"):
        array = pytest.importorskip(module)
        u = array.linspace(-3, 3, 7)
        assert (compile_tree(cosh(a), module)(a=u) == array.cosh(u)).all()


def test_a_row_is_broken_by_mutants(cosh: Elementary) -> None:
    claim = equal(n.diff(cosh(a), a), (exp(a) - exp(-a)) / 2)
    made = dict(mutants(claim))
    assert {"dropped cosh", "cos for cosh"} <= made.keys()
    for broken in made.values():
        assert numeric.compare(broken).verdict == "refuted" or prove(broken).proved


def test_a_domain_is_one_of_those_that_exist() -> None:
    with pytest.raises(NotationError, match="domain='complex'"):
        Elementary("cosh", Command(r"\cosh"), domain="complex")


def test_floats_have_the_same_slopes(cosh: Elementary) -> None:
    assert tabulated(FLOAT, "cosh", 1)(0.5) == pytest.approx(math.sinh(0.5), rel=1e-15)
    assert tabulated(FLOAT, "cosh", 2)(0.5) == pytest.approx(math.cosh(0.5), rel=1e-15)
    assert math.isnan(tabulated(FLOAT, "gamma", 1)(-0.5))


@pytest.mark.parametrize("name", [r.name for r in ROWS if r.ends != (None, None)])
def test_a_row_comes_to_its_ends(name: str) -> None:
    row = TABLE[name]
    for end, at in zip(row.ends, (-1000, 1000), strict=True):
        if end is not None:
            there = call(row, "mpmath", mpmath, mpmath.mpf(at))
            assert abs(there - float(number(end))) < 2e-3
