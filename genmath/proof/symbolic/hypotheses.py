"""What the hypotheses of a claim do for its proof, and whether they can hold at all.

A bound of a letter becomes its domain; one that a letter occurs linearly in is solved for it, with
a new letter for the amount by which it holds (a > b makes a := b + h, h > 0). So every rule that
knows signs knows the hypothesis. What cannot be solved is a fact about a sign, see `facts`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import sympy as sp

from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Lemma
from genmath.proof.language.instantiate import instantiate, redeclare
from genmath.proof.language.shapes import shape
from genmath.proof.language.tree import (
    Div,
    Fn,
    Identity,
    Mul,
    Neg,
    Node,
    NotationError,
    Number,
    Relation,
    Symbol,
    free_symbols,
    names_in,
)
from genmath.proof.symbolic.algebra import is_nonnegative, is_positive, substitute
from genmath.proof.symbolic.derived import unfolded
from genmath.proof.symbolic.facts import FACTS, Fact
from genmath.proof.symbolic.letters import parameter
from genmath.proof.symbolic.lower import Lowering
from genmath.proof.symbolic.polynomials import expand
from genmath.proof.symbolic.proof import difference, gap_of
from genmath.proof.symbolic.supports import Rules, Unsupported
from genmath.proof.symbolic.zero import float_at

Because = tuple[Node | Lemma, ...]
Change = Callable[[Node], Node]
STRICTER = {  # the domain of a letter of this domain, where a gap is > 0 or >= 0
    ("real", "letter", True): "positive",
    ("real", "letter", False): "nonnegative",
    ("nonnegative", "letter", True): "positive",
    ("positive", "1 - letter", True): "unit",
    ("real", "letter - 1", False): "at_least_one",
    ("nonnegative", "letter - 1", False): "at_least_one",
    ("positive", "letter - 1", False): "at_least_one",
}
TRIES = 400  # points at which hypotheses are tried
FAR = (0, 1, -1, 10, -10, 10**6, -(10**6))  # values of a variable of the line
AHEAD = (1, 10, 10**6, sp.Rational(1, 10**6))
POINTS = {  # values of a variable, by its domain; of what is in (0, 1), of its odds
    "real": FAR, "integer": FAR, "positive": AHEAD, "unit": AHEAD, "count": (0, 1, 10, 10**6),
    "bit": (0, 1),
}  # fmt: skip


def value_of(node: Node, dimension: int) -> Any:
    """Its meaning, where it has one without further conditions; else None."""
    return _value(node, dimension, FACTS.get())


@lru_cache(maxsize=5000)
def _value(node: Node, dimension: int, stated: tuple[Fact, ...]) -> Any:
    rules = Rules()
    try:
        value = expand(Lowering(rules, dimension)(node))
    except (Unsupported, NotationError, ArithmeticError, TypeError, AttributeError):
        return None
    return None if rules.needs or isinstance(value, sp.MatrixBase) else value


def facts_of(given: Iterable[Relation], dimension: int) -> tuple[Fact, ...]:
    found = [(value_of(gap_of(g), dimension), g.sign in "<>") for g in given if g.sign != "="]
    for g in given:
        if g.sign == "=" and g.right == Number(0):  # as of p q = 0
            found.append((value_of(Neg(g.left), dimension), False))
    return tuple((v, strict) for v, strict in found if v is not None)


def equalities(given: tuple[Relation, ...]) -> list[bool]:
    """Which of them leave one value: equalities, and two bounds that meet."""
    gaps = [gap_of(g) for g in given]
    turned = [difference(g.right, g.left) if gap_of(g) == difference(g.left, g.right)
              else difference(g.left, g.right) for g in given]  # fmt: skip
    return [g.sign == "=" or t in gaps for g, t in zip(given, turned, strict=True)]


def solved(claim: Claim, because: Because, dimension: int) -> tuple[Claim, Because]:
    """The same claim with its hypotheses built into the letters, as far as that can be done."""
    mark = _mark(claim, because)
    for g in [g for g in claim.given if g.sign == "="]:
        for change in declared_by(g):
            try:
                less = replace(claim, given=tuple(h for h in claim.given if h != g))
                claim, because = put(less, because, change)
                break
            except NotationError:
                continue
    equal = equalities(claim.given)
    order = sorted(range(len(equal)), key=lambda i: not isinstance(gap_of(claim.given[i]), Symbol))
    for i in order:  # a letter's sign first
        g = claim.given[i]
        if equal[i]:
            g = Relation(g.left, "=", g.right)
        for change in _changes(gap_of(g), g.sign, dimension, mark, FACTS.get()):
            try:
                claim, because = put(claim, because, change)
                break
            except NotationError:
                continue  # the letter is bound, or differentiated by
    return claim, because


def declared_by(g: Relation) -> Iterator[Change]:
    """An equality that says no more than what a letter may be declared to be."""
    for one, other in ((g.left, g.right), (g.right, g.left)):
        for letters, domain, space in _declarations(one, other):
            plain = all(s.domain == "real" and not s.is_variable for s in letters)
            if plain and len({s.sized for s in letters}) == 1:
                yield partial(_redeclared, letters=letters, domain=domain, space=space)


def _declarations(one: Node, other: Node) -> Iterator[tuple[tuple[Symbol, ...], str, str | None]]:
    """Of the equality one = other."""
    vector = one.args[0] if isinstance(one, Fn) and one.name in ("norm2", "dot") else None
    alone = isinstance(vector, Symbol) and set(one.args) == {vector}
    if alone and other == Number(1):
        yield (vector,), "direction", None  # type: ignore[misc]
    if isinstance(one, Mul) and len(one.args) == 2:
        left, right = one.args
        if isinstance(right, Symbol) and left == Fn("transpose", right):
            if right.shape == "vector" and other == Number(1):
                yield (right,), "direction", None
            if right.shape == "matrix" and shape(one) == shape(other) and _is_identity(other):
                yield (right,), "orthogonal", None
        square = isinstance(left, Symbol) and left.shape == "matrix" and len({*shape(left)}) == 1
        if square and right == Fn("transpose", left) and _is_identity(other):
            assert isinstance(left, Symbol)
            yield (left,), "orthogonal", None
        if isinstance(left, Symbol) and isinstance(right, Symbol) and left != right:
            both = left.shape == right.shape == "covariance"
            if both and other == Mul(right, left):
                yield (left, right), "commuting", f"{left.name} {right.name}"
    if isinstance(one, Fn) and one.name == "transpose":
        (m,) = one.args
        if isinstance(m, Symbol) and m.shape == "matrix" and len({*shape(m)}) == 1:
            if other == m:
                yield (m,), "symmetric", None
            if other == Fn("inverse", m):
                yield (m,), "orthogonal", None


def _is_identity(node: Node) -> bool:
    return isinstance(node, Identity)


def _redeclared(node: Node, letters: tuple[Symbol, ...], domain: str, space: str | None) -> Node:
    for s in letters:
        node = redeclare(node, s, Symbol(s.name, domain=domain, shape=s.sized, space=space))
    return node


def _mark(claim: Claim, because: Because) -> str:
    """What new letters are called by, so that they are new."""
    trees = [claim.lhs, claim.rhs, *(side for g in claim.given for side in (g.left, g.right))]
    for b in because:
        trees += [a for _, a in b.arguments] if isinstance(b, Lemma) else [b]
    taken = {name for tree in trees for name in names_in(tree)}
    marks = ("above" + "'" * k for k in itertools.count())
    return next(m for m in marks if not any(name.endswith(f"_{{{m}}}") for name in taken))


def put(claim: Claim, because: Because, change: Change) -> tuple[Claim, Because]:
    given = tuple(Relation(change(g.left), g.sign, change(g.right)) for g in claim.given)
    moved = tuple(
        Lemma(b.source, b.chain, tuple((p, change(a)) for p, a in b.arguments))
        if isinstance(b, Lemma)
        else change(b)
        for b in because
    )
    return replace(claim, lhs=change(claim.lhs), rhs=change(claim.rhs), given=given), moved


@lru_cache(maxsize=500)
def _changes(
    gap: Node, sign: str, dimension: int, mark: str, stated: tuple[Fact, ...]
) -> tuple[Change, ...]:
    """What may be put for letters of `gap`; the mutants of a claim ask for the same again."""
    return tuple(lru_cache(maxsize=64)(change) for change in _made(gap, sign, dimension, mark))


def _made(gap: Node, sign: str, dimension: int, mark: str) -> Iterator[Change]:
    gap = unfolded(gap)  # what a defined letter stands for may change
    value = value_of(gap, dimension)
    if value is None:
        return
    letters = [s for s in free_symbols(gap) if not s.shape and not s.is_variable]
    letters = sorted(letters, key=lambda s: (s.domain != "real", s.name))
    for s in letters:
        letter = parameter(s)[1]
        for form, gap_there in (("letter", letter), ("1 - letter", 1 - letter),
                                ("letter - 1", letter - 1)):  # fmt: skip
            to = STRICTER.get((s.domain, form, sign in "<>"))
            if sign != "=" and to and expand(value - gap_there) == 0:
                new = Symbol(s.name, domain=to, space=s.space)
                yield lambda n, s=s, new=new: redeclare(n, s, new)  # type: ignore[misc]
    for s in letters:
        inner, meant = parameter(s)
        if inner != meant or s.domain == "natural" or not value.has(inner):
            continue
        slope = sp.diff(value, inner)
        if slope.has(inner) or not (is_positive(slope) or is_positive(-slope)):
            continue
        try:
            at = [instantiate(gap, ((s, Number(k)),)) for k in (0, 1)]
        except NotationError:
            continue  # it is bound there
        amount: Node = Number(0)
        if sign != "=":
            domain = "positive" if sign in "<>" else "nonnegative"
            amount = Symbol(f"{s.name}_{{{mark}}}", domain=domain)
        image = Div(difference(amount, at[0]), difference(at[1], at[0]))
        if s not in free_symbols(image):
            yield lambda n, s=s, image=image: instantiate(n, ((s, image),))  # type: ignore[misc]


def has_room(given: Iterable[Relation], dimension: int) -> bool:
    """Some point satisfies all of them strictly, so that they hold on more than a null set: what
    fails at isolated values may fail wherever (a - b)^2 <= 0 holds."""
    gaps = [(value_of(gap_of(g), dimension), g.sign) for g in given]
    open_ = [(v, sign) for v, sign in gaps if v is None or not is_nonnegative(v)]
    if any(v is None or sign == "=" for v, sign in open_):
        return False
    rng = random.Random(0)
    return any(_strictly([v for v, _ in open_], rng) for _ in range(TRIES))


def _strictly(gaps: list[Any], rng: random.Random) -> bool:
    """All > 0 at a random point, of which each letter and whatever is opaque is a coordinate."""
    scale = 10 ** rng.uniform(-2, 2)
    values: dict[Any, float] = {}
    for s in sorted(set[Any]().union(*(g.free_symbols for g in gaps)), key=str):
        size = rng.choice((1, scale)) * rng.uniform(0.1, 2)
        values[s] = float(rng.randint(1, 20)) if s.is_integer else (
            size if s.is_nonnegative else rng.choice((-1, 1)) * size)  # fmt: skip
    try:
        return all(float_at(g, values, rng) > 0 for g in gaps)
    except (ArithmeticError, ValueError, TypeError, KeyError, AttributeError):
        return False


# --- can they hold? ---


def contradiction(given: tuple[Relation, ...], line: set[str], dimension: int) -> str:
    """Which hypotheses exclude each other; "" where that is not seen. `line` are the spaces that
    are the whole real line: what is said of their variables is said of every value."""
    known: list[tuple[Any, bool, Relation]] = []
    for g in given:
        value = value_of(gap_of(g), dimension)
        if value is None:
            continue
        variables = [
            s
            for s in free_symbols(gap_of(g))
            if s.is_variable and s.space in line and not s.shape and s.domain in POINTS
        ]
        if any(_unbounded(value, s, g.sign) for s in variables):
            return repr(g)
        for at in itertools.product(*(POINTS[s.domain] for s in variables[:2])):
            chosen = {parameter(s)[0]: sp.sympify(v) for s, v in zip(variables, at, strict=False)}
            here = expand(substitute(value, chosen)) if chosen else value
            known.append((here, g.sign in "<>", g))
            if g.sign == "=":
                known.append((-here, False, g))
    for size in (1, 2, len(given)):
        for some in itertools.combinations(known, size) if len(known) <= 60 or size == 1 else ():
            whole = -sum((v for v, _, _ in some), sp.S.Zero)
            strict = any(s for _, s, _ in some)
            if is_positive(whole) or (strict and is_nonnegative(whole)):
                return ", ".join(dict.fromkeys(repr(g) for _, _, g in some))
    return ""


def _unbounded(value: Any, variable: Symbol, sign: str) -> bool:
    """Far out it is not >= 0: a polynomial with the wrong sign there."""
    whole = value.as_poly(parameter(variable)[0])
    if whole is None or whole.degree() < 1 or variable.domain == "bit":
        return False
    lead = whole.LC()
    behind = whole.degree() % 2 == 1 and POINTS[variable.domain] == FAR
    return is_positive(-lead) or ((sign == "=" or behind) and is_positive(lead))
