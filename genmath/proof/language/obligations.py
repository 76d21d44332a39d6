"""What analysis must supply for a claim to mean what its proof makes of it.

Integrals are exchanged, split and integrated term by term: that is so where the integral of the
absolute value is finite. A derivative passes under an integral, a flux vanishes at the ends, a
denominator is 0 on a null set at most. Each such obligation is a tree with its letters and limits;
integrals that are finite at sight are left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from genmath.proof.language.binders import Between, Limit, Over
from genmath.proof.language.families import row_of
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    Add,
    Big,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Family,
    Fn,
    Indexed,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    NotationError,
    Number,
    Pi,
    Pow,
    Symbol,
    event_variables,
    free_symbols,
)

MANY = 12  # terms of one integrand that are looked at
FINITE, EXCHANGE, VANISHES, NONZERO = "finite", "exchange", "vanishes", "nonzero"
BOUNDED_ABOVE, EXISTS = "bounded", "exists"
BOUNDED = {"sigmoid", "indicator", "tanh", "erf", "arctan", "sin", "cos"}
INTEGRALS = (Integral, Expect, Between, Divergence, Entropy)


@dataclass(frozen=True)
class Obligation:
    """`whole` is an integral that is finite, or under which the derivative by `letter` passes; a
    flux that vanishes as `letter` goes to its ends; a denominator; a supremum that is finite, or an
    infimum; a limit that exists."""

    kind: str
    whole: Node
    letter: Symbol | None = None

    def __str__(self) -> str:
        shown = text(self.whole)
        match self.kind:
            case "finite":
                return f"{shown} < ∞"
            case "exchange":
                return f"∂/∂{self.letter!r} passes under {shown}"
            case "vanishes":
                return f"{shown} → 0 as {self.letter!r} → ±∞"
            case "bounded":
                below = isinstance(self.whole, Over) and self.whole.kind == "inf"
                return f"{shown} > -∞" if below else f"{shown} < ∞"
            case "exists":
                return f"{shown} exists"
        return f"{shown} ≠ 0"

    def at(self, arguments: tuple[tuple[Node, Node], ...]) -> Obligation:
        """The same, of a lemma at its arguments; as it was where they do not fit into it."""
        try:
            return replace(self, whole=instantiate(self.whole, arguments))
        except NotationError:
            return self


def obligations(sides: Iterable[Node]) -> list[Obligation]:
    """What the integrals and derivatives of some trees need."""
    found: dict[Obligation, None] = {}
    for side in sides:
        for node in _outermost(side):
            for whole in itertools.islice(_absolute(node), MANY):
                if not at_sight(whole):
                    found.setdefault(Obligation(FINITE, whole))
        for n in side.walk():
            if isinstance(n, Limit):
                found.setdefault(Obligation(EXISTS, n))
            if isinstance(n, Over) and n.kind in ("sup", "inf"):
                found.setdefault(Obligation(BOUNDED_ABOVE, n))
            if isinstance(n, Deriv):
                for inner in _outermost(n.body):
                    if n.var in free_symbols(inner) and not _is_finite_sum(inner):
                        found.setdefault(Obligation(EXCHANGE, inner, n.var))
    return list(found)


def _outermost(node: Node) -> Iterator[Node]:
    if isinstance(node, INTEGRALS):
        yield node
        return
    for child in node.args:
        yield from _outermost(child)


def _absolute(node: Node, around: frozenset[Symbol] = frozenset()) -> Iterator[Node]:
    """The integral of the absolute value: of the whole integrand, or term by term where another
    integral stands inside, or there are several letters, since integrals are then exchanged; of the
    terms of a finite sum, each of which is integrated.
    `around`: what is bound around it, of which no factor is left out."""
    if isinstance(node, (Divergence, Entropy)):
        yield node
        return
    assert isinstance(node, (Integral, Expect, Between))
    nested = any(True for _ in _outermost(node.body))
    for term in _terms(node.body, nested) if nested or len(node.bound) > 1 else [node.body]:
        for body in _sizes(term, around | frozenset(node.bound)):
            if isinstance(node, Integral):
                yield Integral(body, *node.bound)
            else:
                yield node.rebuild((body, *node.args[1:]))


def _sizes(term: Node, bound: frozenset[Symbol]) -> Iterator[Node]:
    """|term| but for a constant, in every way that the integrals in it give."""
    choices: list[list[Node]] = []
    signed: list[Node] = []
    for f in factors(term):
        if isinstance(f, (Integral, Expect, Between)):
            choices.append(list(itertools.islice(_absolute(f, bound), MANY)))
        elif _is_sum(f) and free_symbols(f) & bound:
            own = bound | frozenset(f.bound)
            sizes = (s for t in _terms(f.args[0], True) for s in _sizes(t, own))
            choices.append([f.rebuild((s, *f.args[1:])) for s in itertools.islice(sizes, MANY)])
        elif f == Number(0) or (free_symbols(f) & bound and _is_nonnegative(f)):
            choices.append([f])
        elif free_symbols(f) & bound or any(True for _ in _outermost(f)):
            signed.append(f)
    if signed:
        choices.append([Fn("abs", _product(signed))])
    for chosen in itertools.product(*choices):
        yield _product(chosen)


def _is_sum(f: Node) -> bool:
    return isinstance(f, (Big, Over)) and f.kind == "sum"


def _within_sums(node: Node) -> Node:
    """A product with any term of each sum that is a factor: a finite sum is finite if they are."""
    parts = factors(node)
    if not any(map(_is_sum, parts)):
        return node
    return _product([_within_sums(f.args[0]) if _is_sum(f) else f for f in parts])


def _product(factors: Sequence[Node]) -> Node:
    if not factors:
        return Number(1)
    return factors[0] if len(factors) == 1 else Mul(*factors)


def _is_nonnegative(f: Node) -> bool:
    if isinstance(f, Divergence):
        return all(isinstance(p, (Dens, Normal, Family)) for p in f.args)
    named = isinstance(f, Fn) and f.name in ("exp", "sigmoid", "abs", "indicator")
    return named or isinstance(f, (Normal, Family, Dens))


def _terms(node: Node, products: bool) -> list[Node]:
    """The terms of a sum; `products` of sums are multiplied out."""
    match node:
        case Named():
            return _terms(node.body, products)
        case Add():
            return [t for a in node.args for t in _terms(a, products)]
        case Neg():
            return _terms(node.args[0], products)
        case Div():
            return [Div(t, node.args[1]) for t in _terms(node.args[0], products)]
        case Mul() if products:
            parts = [_terms(a, products) for a in node.args]
            chosen = list(itertools.islice(itertools.product(*parts), MANY + 1))
            return [Mul(*p) for p in chosen] if 1 < len(chosen) <= MANY else [node]
    return [node]


def factors(node: Node) -> list[Node]:
    match node:
        case Named() if not isinstance(node.body, Symbol):
            return factors(node.body)
        case Mul():
            return [f for a in node.args for f in factors(a)]
        case Neg():
            return factors(node.args[0])
        case Div():
            return [*factors(node.args[0]), Div(Number(1), node.args[1])]
    return [node]


def at_sight(node: Node) -> bool:
    """Its densities make it finite: beside them stands what is bounded, or under normal densities
    of a constant variance a polynomial. Or it is a finite sum."""
    if _is_finite_sum(node):
        return True
    if isinstance(node, Divergence) and node.kind != "KL":  # at most 1, or log 2
        return all(isinstance(p, (Dens, Normal, Family)) for p in node.args)
    if isinstance(node, (Divergence, Entropy)):
        return all(isinstance(p, Normal) and _mild(p, set(node.bound)) for p in node.args)
    if not isinstance(node, (Integral, Expect)):
        return False
    bound, body = set(node.bound), _within_sums(node.body)
    under = list(node.dists) if isinstance(node, Expect) else measures(body)
    rest = [f for f in factors(body) if isinstance(node, Expect) or f not in under]
    mild = all(_mild(d, bound) for d in under)
    covered = bound <= {v for d in under for v in event_variables(d)}
    return covered and all(_tame(f, bound, mild) for f in rest)


def _is_finite_sum(node: Node) -> bool:
    """Over members of finite sets, of what is no integral itself."""
    counted = all(v.domain == "member" for v in node.bound)
    return counted and not any(True for child in node.args for _ in _outermost(child))


def _mild(d: Node, bound: set[Symbol]) -> bool:
    """All moments exist: the variance is fixed and the mean is a polynomial."""
    if isinstance(d, Family):
        return not row_of(d).heavy and not any(free_symbols(p) & bound for p in d.args[1:])
    if not isinstance(d, Normal):
        return False
    _, mean, variance = d.args
    return not free_symbols(variance) & bound and _tame(mean, bound, True)


def _tame(node: Node, bound: set[Symbol], polynomial: bool) -> bool:
    """Bounded, or where that will do a polynomial, in the bound letters."""
    if not free_symbols(node) & bound:
        return not any(True for _ in _outermost(node))
    match node:
        case Named():
            return _tame(node.body, bound, polynomial)
        case Symbol() | Indexed():
            return polynomial
        case Add() | Mul() | Neg() | Fn(name="abs" | "norm2" | "dot" | "transpose"):
            return all(_tame(a, bound, polynomial) for a in node.args)
        case Div():
            return _tame(node.args[0], bound, polynomial) and not free_symbols(node.args[1]) & bound
        case Pow(args=(base, Number(value=k))):
            return k.denominator == 1 and _tame(base, bound, polynomial)
        case Normal():
            return not free_symbols(node.args[2]) & bound
        case Fn():
            return node.name in BOUNDED
    return isinstance(node, (Number, Pi))


def measures(body: Node) -> list[Node]:
    """The densities whose letters are their own: N(y; x, 1) is one of y, given x."""
    found: list[Node] = []
    for f in factors(body):
        given = f.givens if isinstance(f, Dens) else None
        given = f.args[1:] if isinstance(f, (Normal, Family)) else given
        if given is not None and not any(s.is_variable for a in given for s in free_symbols(a)):
            found.append(f)
    return found
