"""A sum of means is >= 0 where one bound for a mean shows it, or where the means are one mean of
what is >= 0.

    -c f(E u) >= -c E f(u)  for a convex f, and c f(E u) >= c E f(u) for a concave one (Jensen)
    -c (E u v)^2 >= -c E u^2 E v^2, and so for sums, integrals and inner products (Cauchy, Schwarz)
    E u + E v - E w = E(u + v - w), and so for sums and integrals of one letter in one range

for c >= 0. Jensen's takes a mean, whose weights sum to 1: each is the density of a letter bound
there. The other two hold for any weights >= 0, which densities have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from genmath.proof.language.binders import Over
from genmath.proof.language.notation import norm2
from genmath.proof.language.shapes import NUMBER, shape
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Dens,
    Div,
    Expect,
    Family,
    Fn,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Pow,
    Symbol,
    free_symbols,
)

Put = Callable[[Node], Node]


class Known(Protocol):
    """What is known of signs."""

    def nonnegative(self, e: Node) -> bool: ...

    def by_algebra(self, e: Node) -> bool: ...


def by_means(terms: list[Node], known: Known) -> bool:
    """Whether a sum is >= 0 by one of these bounds."""
    for i, t in enumerate(terms):
        for below in _below(t, known):
            if known.by_algebra(Add(*terms[:i], below, *terms[i + 1 :])):
                return True
    gathered = _gathered(terms)
    return len(gathered) < len(terms) and all(map(known.nonnegative, gathered))


def _below(t: Node, known: Known) -> Iterator[Node]:
    """What lies below a term."""
    taken = isinstance(t, Neg)
    for core, put in _cores(t.args[0] if isinstance(t, Neg) else t, known):
        for bound in _above(core) if taken else _under(core):
            yield Neg(put(bound)) if taken else put(bound)


def _cores(t: Node, known: Known) -> Iterator[tuple[Node, Put]]:
    """What is multiplied by factors >= 0, and how it stands among them."""
    if isinstance(t, Named):
        yield from _cores(t.body, known)
        return
    yield t, lambda e: e
    if isinstance(t, Mul):
        for i, core in enumerate(t.args):
            rest = t.args[:i] + t.args[i + 1 :]
            if all(map(known.nonnegative, rest)):
                yield core, partial(Mul, *rest)
    if isinstance(t, Div) and known.nonnegative(t.args[1]):
        for core, put in _cores(t.args[0], known):
            yield core, _divided(put, t.args[1])


def _divided(put: Put, under: Node) -> Put:
    return lambda e: Div(put(e), under)


def _above(core: Node) -> Iterator[Node]:
    """What is at least the core: a convex function of a mean, or the square of a product's sum."""
    match core:
        case Pow(args=(base, Number(value=k))) if k % 2 == 0 and k > 0:
            yield from _jensen(base, lambda u: Pow(u, Number(k)))
            if k == 2:
                yield from _cauchy_schwarz(_plain(base))
        case Fn(name="exp", args=(base,)):
            yield from _jensen(base, lambda u: Fn("exp", u))
        case Apply(traits=("convex",), order=0, args=(base,)):
            yield from _jensen(base, lambda u: core.rebuild((u,)))


def _under(core: Node) -> Iterator[Node]:
    """What is at most the core: a concave function of a mean."""
    match core:
        case Fn(name="log" | "sqrt" as name, args=(base,)):
            yield from _jensen(base, lambda u: Fn(name, u))


def _plain(e: Node) -> Node:
    while isinstance(e, Named):
        e = e.body
    return e


def _jensen(base: Node, f: Put) -> Iterator[Node]:
    mean = _plain(base)
    if isinstance(mean, Expect) and _sum_to_one(list(mean.dists)):
        yield mean.rebuild((f(mean.body), *mean.dists))


def _sum_to_one(laws: list[Node]) -> bool:
    """One after the other integrates to 1: a density of letters alone, of which neither its own
    parameters speak nor the laws that are left, as q(x|z) r(z|x) do of each other's."""
    while laws:
        free = next((p for p in laws if _integrates(p, [q for q in laws if q is not p])), None)
        if free is None:
            return False
        laws = [q for q in laws if q is not free]
    return True


def _integrates(p: Node, others: list[Node]) -> bool:
    match p:
        case Dens():
            events, parameters = p.events, p.givens
        case Normal() | Family():
            events, parameters = p.args[:1], p.args[1:]
        case _:
            return False
    if isinstance(p, Family) and p.name == "Categorical":
        parameters = ()  # a table of the letter; that it sums to 1 is asked where it is read
    letters = {e for e in events if isinstance(e, Symbol)}
    spoken = set[Symbol]().union(*map(free_symbols, (*parameters, *others)))
    return len(letters) == len(events) and letters.isdisjoint(spoken)


def _cauchy_schwarz(base: Node) -> Iterator[Node]:
    match base:
        case Fn(name="dot", args=(u, v)):
            yield Mul(norm2(u), norm2(v))
        case (
            Expect(body=Mul() as body)
            | Integral(args=(Mul() as body,))
            | Big(kind="sum", body=Mul() as body)
            | Over(kind="sum", body=Mul() as body)
        ):
            for i, u in enumerate(body.args):
                rest = body.args[:i] + body.args[i + 1 :]
                v = rest[0] if len(rest) == 1 else Mul(*rest)
                if shape(u) == shape(v) == NUMBER:
                    yield _split(base, u, v)
        case Big(kind="sum") | Over(kind="sum"):
            yield _split(base, base.args[0], Number(1))


def _split(whole: Node, u: Node, v: Node) -> Node:
    squares = (whole.rebuild((Pow(w, Number(2)), *whole.args[1:])) for w in (u, v))
    return Mul(*squares)


def _gathered(terms: list[Node]) -> list[Node]:
    """With means under the same laws, and sums and integrals of one letter in one range, as one."""
    found: dict[object, tuple[Node, list[Node]]] = {}
    rest: list[Node] = []
    for t in terms:
        core = _plain(t.args[0] if isinstance(t, Neg) else t)
        if isinstance(core, (Expect, Integral)) or (
            isinstance(core, (Big, Over)) and core.kind == "sum"
        ):
            body = core.args[0]
            _, bodies = found.setdefault((type(core), core.args[1:], core.data), (core, []))
            bodies.append(Neg(body) if isinstance(t, Neg) else body)
        else:
            rest.append(t)
    together = [
        whole.rebuild((bodies[0] if len(bodies) == 1 else Add(*bodies), *whole.args[1:]))
        for whole, bodies in found.values()
    ]
    return [*together, *rest]
