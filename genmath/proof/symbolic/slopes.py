"""The fundamental theorem of calculus: two sides with integrals from a to u are equal where their
slopes in u are, and where they agree at u = a. Nothing may jump, or have a pole, on the way."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from genmath.proof.language.binders import Between, sides
from genmath.proof.language.instantiate import instantiate, redeclare
from genmath.proof.language.tree import (
    Add,
    Mul,
    Neg,
    Node,
    NotationError,
    Number,
    Symbol,
    free_symbols,
    names_in,
)
from genmath.proof.symbolic.atoms import Binder, Int, Recip, Rho, Root, Sign
from genmath.proof.symbolic.derived import carried_out, explicit, slope, unfolded
from genmath.proof.symbolic.domains import outside_domain
from genmath.proof.symbolic.facts import FACTS, assuming
from genmath.proof.symbolic.lower import Lowering
from genmath.proof.symbolic.proof import Proof, difference
from genmath.proof.symbolic.stated import without
from genmath.proof.symbolic.supports import Rules, Unsupported

Equal = Callable[[Node, Node], Proof]
CLOSED = {"positive": "nonnegative"}  # a domain and what it is with its end
OPEN = {"real": "real", "positive": "positive", "nonnegative": "positive", "unit": "unit"}


def by_slope(lhs: Node, rhs: Node, dimension: int, equal: Equal) -> Proof | None:
    """A proof that the sides are equal, by each letter that an integral ends at."""
    if not any(isinstance(n, Between) for side in (lhs, rhs) for n in side.walk()):
        return None
    gap = explicit(unfolded(difference(lhs, rhs)))
    for letter, start in _letters(gap):
        try:
            with assuming(without(letter)):
                proof = _by_letter(gap, letter, start, dimension, equal)
        except (Unsupported, NotationError, ArithmeticError):
            continue
        if proof is not None:
            return proof
    return None


def _letters(gap: Node) -> Iterator[tuple[Symbol, Node]]:
    """A letter that an integral ends at, and where it begins."""
    seen = set()
    for n in gap.walk():
        if isinstance(n, Between):
            for end, start in ((n.high, n.low), (n.low, n.high)):
                fits = isinstance(end, Symbol) and end.domain in OPEN and not end.is_variable
                fits = fits and not sides(start) and end not in free_symbols(start)
                if fits and (end, start) not in seen and end in free_symbols(gap):
                    seen.add((end, start))
                    yield end, start  # type: ignore[misc]


def _by_letter(
    gap: Node, letter: Symbol, start: Node, dimension: int, equal: Equal
) -> Proof | None:
    closure = _closure(letter, start, dimension)
    if closure is None or not smooth(redeclare(gap, letter, closure), dimension):
        return None
    inner = _declared(letter, OPEN[letter.domain])
    at_start = equal(instantiate(gap, ((letter, start),)), Number(0))
    if not at_start.proved or at_start.nonzero:
        return None
    steady = equal(slope(redeclare(gap, letter, inner), inner), Number(0))
    if not steady.proved or steady.nonzero:
        return None
    steady.assumed |= at_start.assumed
    steady.consulted |= at_start.consulted
    steady.normal = steady.normal or at_start.normal
    return steady


def _declared(letter: Symbol, domain: str) -> Symbol:
    return Symbol(letter.name, domain=domain, space=letter.space)


def _closure(letter: Symbol, start: Node, dimension: int) -> Symbol | None:
    """The letter on its domain, with an end of it where it takes that to hold `start`."""
    for domain in (letter.domain, CLOSED.get(letter.domain)):
        if domain is not None:
            closure = _declared(letter, domain)
            if not outside_domain(closure, start, dimension, set()):
                return closure
    return None


def smooth(node: Node, dimension: int) -> bool:
    """Continuous in every letter over its whole domain, and so are the integrands in it: nothing
    is let pass that may be 0 in a denominator, nothing jumps."""
    for n in _outermost(node):
        if not free_symbols(n) <= free_symbols(node) or sides(n.low) or sides(n.high):
            return False
        if not all(smooth(part, dimension) for part in along(n)):
            return False
    rules = Rules()
    value = Lowering(rules, dimension)(node)
    if rules.needs or rules.nonzero or value.has(Sign, Root, Recip, Rho, Int):
        return False
    return all(b.args[0].name == "int" for b in value.atoms(Binder))


def _outermost(node: Node) -> Iterator[Between]:
    """The integrals that stand in no other; those inside are looked at where that one runs."""
    if isinstance(node, Between):
        yield node
        return
    for child in node.args:
        yield from _outermost(child)


def along(n: Between) -> list[Node]:
    """The integrand at the limits and anywhere between them."""
    ends = [instantiate(n.body, ((n.letter, at),)) for at in (n.low, n.high)]
    return [*ends, on_the_way(n)[1]]


def on_the_way(n: Between, *known: Node) -> tuple[Node | None, Node]:
    """How far it is from one limit to the other, None if they stand in order and one is infinite;
    and the integrand anywhere between them."""
    n = carried_out(n)
    ends = sides(n.low), sides(n.high)
    if ends == (0, 0):
        way = difference(n.high, n.low)
        share = fresh("unit", n, *known)
        return way, instantiate(n.body, ((n.letter, Add(n.low, Mul(share, way))),))
    if ends[0] > 0 or ends[1] < 0:
        raise Unsupported("an integral from infinity")
    if all(ends):
        return None, n.body
    ahead = fresh("positive", n, *known)
    at = Add(n.high, Neg(ahead)) if ends[0] else Add(n.low, ahead)
    return None, instantiate(n.body, ((n.letter, at),))


def fresh(domain: str, *nodes: Node) -> Symbol:
    """A letter that occurs neither there nor in what is known."""
    taken = {s.name for e, _ in FACTS.get() for s in e.free_symbols}
    taken = taken.union(*map(names_in, nodes))
    names = (f"w_{{{k}}}" for k in itertools.count())
    return Symbol(next(name for name in names if name not in taken), domain=domain)
