"""Judge C: break a claim at every node, by every operator that applies, without a cap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from genmath.proof.language.binders import Between, Infinity, Limit, Over, sides
from genmath.proof.language.claims import Claim
from genmath.proof.language.elementary import TABLE
from genmath.proof.language.shapes import NUMBER as SCALAR
from genmath.proof.language.shapes import Shape, shape
from genmath.proof.language.tree import (
    MAPS,
    NUMBER,
    WHOLE,
    Add,
    Apply,
    Dens,
    Div,
    Divergence,
    Fn,
    Indexed,
    Mapped,
    Mul,
    Named,
    Neg,
    Node,
    Number,
    Pow,
    Symbol,
    free_symbols,
)

OTHERS = {"sum": "prod", "prod": "sum", "max": "min", "min": "max", "sup": "inf", "inf": "sup"}
TURNED = str.maketrans("<>", "><")
DIVERGENCES = ("KL", "JS", "TV")


def mutants(claim: Claim) -> Iterator[tuple[str, Claim]]:
    """Every claim that differs from `claim` by one slip, with what the slip is."""
    seen = {(claim.lhs, claim.rhs)}
    pool = _letters(claim)
    for side in ("lhs", "rhs"):
        tree = getattr(claim, side)
        for what, broken in _everywhere(tree, pool, NUMBER):
            made = replace(claim, lhs=broken) if side == "lhs" else replace(claim, rhs=broken)
            if (made.lhs, made.rhs) not in seen:
                seen.add((made.lhs, made.rhs))
                yield what, made


def reversed_claim(claim: Claim) -> Claim:
    return replace(claim, relation=claim.relation.translate(TURNED))


def _letters(claim: Claim) -> list[Node]:
    """Letters that may be mistaken for one another: the declared and the defined ones."""
    found: list[Node] = []
    for side in (claim.lhs, claim.rhs):
        for n in side.walk():
            if isinstance(n, (Symbol, Named)) and n not in found:
                found.append(n)
    return found


def _everywhere(node: Node, pool: list[Node], part: str) -> Iterator[tuple[str, Node]]:
    """Mutants of a tree. `part`: a number that may be scaled; a whole number, an index or a limit;
    or what must stay, such as a letter that a density or a binder needs."""
    if part == WHOLE:
        yield "index + 1", node + 1
        yield "index - 1", node - 1
        for other in pool:
            if other != node and getattr(other, "domain", "") == "natural":
                yield f"{other!r} for {node!r}", other
        return
    if part == NUMBER:
        yield from _here(node, pool)
    yield from _matrix_slips(node)
    if isinstance(node, (Named, Symbol)):
        return  # a definition is broken by breaking its uses, and a letter keeps its ends
    for i, child in enumerate(node.args):
        bound = set(node.bound)
        if node.binds_in(i):  # no letter may end at what is bound there
            near = [n for n in pool if not (free_symbols(n) - {n}) & bound]
        else:
            near = [n for n in pool if n not in bound]
        for what, broken in _everywhere(child, near, node.part(i)):
            yield what, node.rebuild((*node.args[:i], broken, *node.args[i + 1 :]))


def _here(node: Node, pool: list[Node]) -> Iterator[tuple[str, Node]]:
    if isinstance(node, Infinity):
        yield "1 for infinity", Number(1)  # no multiple of it is another limit
        return
    if not isinstance(node, (Neg, Number)):
        yield "sign", Neg(node)
    if isinstance(node, Neg):
        yield "sign", node.args[0]
    if not isinstance(node, Number):
        yield "factor 2", Mul(Number(2), node)
        yield "factor 1/2", Div(node, Number(2))
    if isinstance(node, Number):
        yield "number", Number(node.value + 1)
        if node.value > 1:
            yield "number", Number(node.value - 1)
        if node.value != 0:
            yield "number", Neg(node)
    if isinstance(node, (Add, Mul)) and len(node.args) > 1:
        for i in range(len(node.args)):
            rest = node.args[:i] + node.args[i + 1 :]
            what = "dropped term" if isinstance(node, Add) else "dropped factor"
            yield what, rest[0] if len(rest) == 1 else type(node)(*rest)
    if isinstance(node, Div):
        yield "dropped denominator", node.args[0]
        yield "fraction upside down", Div(node.args[1], node.args[0])
    if isinstance(node, Pow):
        yield "dropped power", node.args[0]
    if isinstance(node, Fn) and node.name in TABLE:
        yield f"dropped {node.name}", node.args[0]
        for name in TABLE[node.name].mistaken:
            yield f"{name} for {node.name}", Fn(name, node.args[0])
    if isinstance(node, (Symbol, Named, Indexed)) and not getattr(node, "shape", ""):
        yield "square", Pow(node, Number(2))
        yield "root", Fn("sqrt", node)
    yield from _binder_slips(node)
    if isinstance(node, Divergence):
        p, q = node.args
        if node.kind == "KL":
            yield "swapped arguments", Divergence("KL", q, p, node.bound)
        for kind in DIVERGENCES:
            if kind != node.kind:
                yield f"{kind} for {node.kind}", Divergence(kind, p, q, node.bound)
    if isinstance(node, (Symbol, Named)):
        for other in pool:
            if other != node and _alike(node, other):
                yield f"{other!r} for {node!r}", other
    free = isinstance(node, Apply) and node.traits in ((), ("positive",))
    if isinstance(node, Apply) and free and node.order == 0 and len(node.args) == 1:
        yield "derivative", Apply(node.name, node.traits, 1, *node.args)
    if isinstance(node, Apply) and (kinds := [t for t in node.traits if t in MAPS]):
        turned = () if "inverse" in node.traits else ("inverse",)
        yield "the inverse", Apply(node.name, (kinds[0], *turned), node.order, *node.args)
    if isinstance(node, Apply) and node.order > 0:
        yield "dropped derivative", Apply(node.name, node.traits, node.order - 1, *node.args)
    if isinstance(node, Mapped):
        yield "the inverse", Mapped(node.name, not node.inverse, node.order, node.point)
    if isinstance(node, Dens):
        yield from _density_slips(node)


def _matrix_slips(node: Node) -> Iterator[tuple[str, Node]]:
    """Factors in the other order, a transpose or an inverse left out or one for the other."""
    match node:
        case Mul():
            apart = [shape(a) != SCALAR for a in node.args]
            for i, both in enumerate(pairwise(apart)):
                a, b = node.args[i : i + 2]
                if all(both) and a != b and shape(a) == shape(b):
                    yield "factors swapped", Mul(*node.args[:i], b, a, *node.args[i + 2 :])
        case Fn(name="transpose" | "inverse", args=(inner,)):
            rows, columns = shape(inner)
            if rows == columns:
                yield f"dropped {node.name}", inner
                other = "inverse" if node.name == "transpose" else "transpose"
                yield f"{other} for {node.name}", Fn(other, inner)
        case Symbol(shape="matrix", domain="real") if len(set(shape(node))) == 1:
            yield "transposed", Fn("transpose", node)
        case Symbol(shape="covariance"):
            yield "inverted", Fn("inverse", node)
        case Fn(name="det" | "trace", args=(inner,)):
            other = "trace" if node.name == "det" else "det"
            yield f"{other} for {node.name}", Fn(other, inner)


def _binder_slips(node: Node) -> Iterator[tuple[str, Node]]:
    match node:
        case Over():
            other = OTHERS[node.kind]
            yield f"{other} for {node.kind}", Over(other, node.body, node.letter)
            yield "one member", node.body
        case Between():
            yield "limits swapped", Between(node.body, node.letter, node.high, node.low)
            if node.low != Number(0) and not sides(node.low):
                yield "lower limit dropped", Between(node.body, node.letter, Number(0), node.high)
        case Limit():
            yield "limit dropped", node.body


def _alike(a: Node, b: Node) -> bool:
    """Letters that can take each other's place: both random or both not, and of one shape."""
    return _kind(a) == _kind(b)


def _kind(node: Node) -> tuple[Shape, bool, bool]:
    if isinstance(node, Symbol):
        return shape(node), node.is_variable, node.domain == "natural"
    return shape(node), False, False


def _density_slips(node: Dens) -> Iterator[tuple[str, Node]]:
    """p(x) for p(x, z), p(x, z) for p(x | z), and the conditional the other way round."""
    density = node.density
    if density.given_slots or not node.given_slots:
        return
    events = tuple(e for e in node.events if isinstance(e, Symbol))
    if len(events) != len(node.events):
        return
    yield "dropped condition", Dens(density, events, (), node.event_slots, ())
    givens = tuple(g for g in node.givens if isinstance(g, Symbol))
    if len(givens) == len(node.givens):
        yield (
            "condition the wrong way round",
            Dens(density, givens, events, node.given_slots, node.event_slots),
        )
