"""Products of integrals as one integral over all of their letters, and letters integrated out.

An expectation is the integral of its argument and its densities. A letter of which nothing but its
own density speaks goes: p(x, y) over y leaves p(x); a power by a normal law leaves its moment.
Letters that have no factor in common are integrated apart. What is left has its letters in an order
that does not depend on how it was written.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from genmath.proof.certificate import parts, said
from genmath.proof.certificate.cancelled import divided
from genmath.proof.certificate.families import quotient, squares, tilted
from genmath.proof.certificate.fractions import partial
from genmath.proof.certificate.indices import in_order, known_sum, orders, sifted
from genmath.proof.certificate.moved import inverse, mapped, motion, moved, through, undone_maps
from genmath.proof.certificate.primitives import Primitive, primitive
from genmath.proof.certificate.steps import Stepped, stepped
from genmath.proof.coq.linear import LARGEST_POWER, moment_of
from genmath.proof.coq.monomials import (
    Monomial,
    affine,
    apart_from,
    expand,
    product,
    total,
)
from genmath.proof.coq.normals import moment
from genmath.proof.coq.reading import DERIVATIVE, Head
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import (
    Term,
    add,
    app,
    div,
    lam,
    mul,
    neg,
    num,
    power,
    replaced,
    var,
)

ONE = num(1)
MOVING = "@"  # a letter by which something is differentiated
Opened = Callable[[Term, Signs], Term]
Letters = dict[str, str]  # each with the integral that is over it


@dataclass(frozen=True)
class Split:
    """A sum under the sign, each with its constants apart."""

    written: Term  # with the sum as such
    target: Term


@dataclass(frozen=True)
class Merged:
    """A product, as one integral: `middle` holds a letter that is then integrated out by a rule."""

    written: Term
    letters: tuple[str, ...]  # in the order in which the kernel opens them
    middle: Term
    rule: str
    target: Term
    equation: tuple[Term, Term] | None = None  # of what stands under the integrals


@dataclass(frozen=True)
class Leaving:
    """A letter that can be integrated out by a rule: what is under it, what that leaves, and what
    comes to stand beside it by an equation."""

    letter: str
    rule: str
    law: Term
    left: Term
    beside: tuple[Term, ...] = ()
    equation: tuple[Term, Term] | None = None


Plan = Split | Merged | Primitive | Stepped


def apart(term: Term, signs: Signs, opened: Opened) -> Term | None:
    found = plan(term, signs, opened)
    return None if found is None else found.target


def plan(term: Term, signs: Signs, opened: Opened) -> Split | Merged | Primitive | Stepped | None:
    """One step; None where nothing is left to be done."""
    if term not in signs.planned:
        signs.planned[term] = _planned(term, signs, opened)
    found: Split | Merged | Primitive | Stepped | None = signs.planned[term]
    return found


def _planned(
    term: Term, signs: Signs, opened: Opened
) -> Split | Merged | Primitive | Stepped | None:
    if found := primitive(term, signs, opened):
        return found
    if not signs.laws:
        return None
    function, others = term.args[0], tuple(_factors(f, signs, opened) for f in term.args[1:])
    head = signs.heads[term.data]
    bound = frozenset(name for name, _ in function.data)
    products = expand(opened(function.args[0], signs.inside(function)))
    if products is None:
        return None
    sums = apart_from(partial(products, bound, signs.inside(function)), bound) or {
        frozenset(): {frozenset(): Fraction(0)}
    }
    inner = [product(m, _plain(bound)) for m in sums]
    if list(sums.values()) == [{frozenset(): 1}]:
        written = app(term.data, lam(function.data, inner[0]), *others)
        if head.each:
            return _merged(term, written, signs, opened)
        return stepped(written, signs) if head.linear == "sum" else None
    weights = [total(p) for p in sums.values()]
    whole = add(*map(mul, weights, inner))
    ones = [app(term.data, lam(function.data, t), *others) for t in inner]
    written = app(term.data, lam(function.data, whole), *others)
    return Split(written, add(*map(mul, weights, ones)))


def _factors(density: Term, signs: Signs, opened: Opened) -> Term:
    """A quotient as a product, in which integrals can be opened."""
    if density.op != "lam" or density.args[0].op != "div":
        return density
    products = expand(opened(density.args[0], signs.inside(density))) or {}
    if len(products) != 1:
        return density
    ((factors, number),) = products.items()
    return lam(density.data, mul(num(number), product(factors, {})))


def _merged(term: Term, written: Term, signs: Signs, opened: Opened) -> Merged | None:
    letters, under = spread(written, signs.heads)
    said_ = [c for x, m in letters.items() for c in where(signs.heads[m], x)]
    here = signs.within(list(letters), said_)
    products = expand(opened(under, here))
    if products is None or any(k < 0 and not here.nonzero(t) for m in products for t, k in m):
        return None  # it is not 0 where the densities are > 0, which is forgotten here
    products = partial(products, letters, here)
    if len(products) != 1:
        target = _chain(letters, total(products), signs.heads)
        return None if target == term else Merged(written, tuple(letters), target, "", target)
    ((factors, number),) = products.items()
    powers, key = dict(factors), _plain(letters)
    if found := _leaving(letters, powers, here, opened):
        x = found.letter
        rest = {name: m for name, m in letters.items() if name != x}
        apart = frozenset(p for p in factors if x not in p[0].free)
        others = [num(number)] if number != 1 else []
        others += [product(apart, key)] if apart else []
        others += found.beside
        last = _chain({x: letters[x]}, found.law, signs.heads)
        middle = _chain(rest, mul(*others, last), signs.heads)
        target = _chain(rest, mul(*others, found.left), signs.heads)
        return Merged(written, tuple(letters), middle, found.rule, target, found.equation)
    if without := _cancelled(letters, number, powers, signs.heads):
        return Merged(written, tuple(letters), without[0], "divided", without[1])
    target = mul(*([num(number)] if number != 1 else []), *_apart(letters, powers, signs.heads))
    if said.of(target) == said.of(term):
        return None
    return Merged(written, tuple(letters), target, "", target)


def _cancelled(
    letters: Letters, number: Fraction, powers: Mapping[Term, int], heads: Mapping[str, Head]
) -> tuple[Term, Term] | None:
    """With an integral by which is divided apart, and without it."""
    found = divided(letters, powers, heads)
    if found is None or len(found[2]) == len(letters):
        return None
    whole, integral, own = found
    others = {t: k for t, k in powers.items() if own.isdisjoint(t.free)}
    rest = {x: m for x, m in letters.items() if x not in own}
    less = {t: k + (t == whole) for t, k in others.items() if k + (t == whole)}
    apart, left = (
        mul(num(number), product(frozenset(p.items()), _plain(letters))) for p in (others, less)
    )
    return _chain(rest, mul(apart, integral), heads), _chain(rest, left, heads)


def _leaving(
    letters: Letters, powers: Mapping[Term, int], signs: Signs, opened: Opened
) -> Leaving | None:
    """By its density, a moment of a normal law, or the product of two of them."""
    both: list[Leaving | None] = []
    for x, measure in letters.items():
        own = [t for t in powers if x in t.free]
        if unit := signs.heads[measure].unit:
            both.append(_summed(x, measure, frozenset((t, powers[t]) for t in own), unit, signs))
            continue
        if signs.heads[measure].points:
            both.append(_vectors(x, measure, {t: powers[t] for t in own}, signs))
            continue
        factors = {t: powers[t] for t in own}
        if other := tilted(x, measure, factors, signs):
            law = next(t for t in own if t.data == other[0].data)
            equation = law, quotient(law, factors, other)
            both.append(Leaving(x, "margin", other[0], ONE, (other[1],), equation))
            continue
        laws, k = [t for t in own if t.op == "app"], powers.get(var(x), 0)
        if any(powers[t] != 1 for t in laws) or len(own) != len(laws) + bool(k):
            continue
        if len(own) == 1 == len(laws):
            for rule, gives in (("margin", _margin), ("slope", _slope_of_margin)):
                if left := gives(laws[0], x, measure, signs.heads):
                    return Leaving(x, rule, laws[0], left)
        if len(own) == 2 == len(laws) and (both_as_one := _joint(laws, x, measure, signs.heads)):
            return Leaving(x, "margin", *both_as_one)
        if len(laws) == 1 and signs.heads[measure].line:
            left = moment_of(laws[0], x, k, signs)
            if left:
                return Leaving(x, "moment", mul(*[var(x)] * k, laws[0]), left)
        if len(laws) == 2 and signs.heads[measure].line:
            both += [_conjugate(x, k, a, b, signs, opened) for a, b in itertools.permutations(laws)]
    found = next(filter(None, both), None) or _by_parts(letters, powers, signs)
    if found is None and signs.parts:
        found = _beside_law(letters, powers, signs)
    elif found is None:
        found = _lowered(letters, powers, signs)
    found = found or _moved(letters, powers, signs) or _mapped(letters, powers, signs)
    return found or _squares(letters, powers, signs)


def _moved(letters: Letters, powers: Mapping[Term, int], signs: Signs) -> Leaving | None:
    """A normal number at a line is another normal number."""
    for x, measure in letters.items():
        own = [t for t in powers if x in t.free]
        found = motion(x, measure, own, signs) if signs.heads[measure].line else None
        if found is None or any(
            powers[t] < 0 or (t.data == "normal" and powers[t] > 1) for t in own
        ):
            continue
        line, target = found
        law = product(frozenset((t, powers[t]) for t in own), {})
        body = mul(*(moved(t, x, line, signs) for t in own for _ in range(powers[t])))
        if not any(t.data == "normal" and t.args[0] == var(x) for t in own):
            body = mul(inverse(line)[1], body)
        return Leaving(x, "moved", law, _chain({x: target}, body, signs.heads))
    return None


def _squares(letters: Letters, powers: Mapping[Term, int], signs: Signs) -> Leaving | None:
    """A normal law beside exponentials of squares is another one."""
    for x, measure in letters.items():
        own = {t: k for t, k in powers.items() if x in t.free}
        found = squares(x, own, signs) if signs.heads[measure].line else None
        left = moment_of(found[0][0], x, found[1], signs) if found else None
        if found and left:
            (law, weight), k = found
            old = next(t for t in own if t.data == "normal")
            exps = {t: n for t, n in own.items() if t != var(x)}
            equation = old, quotient(old, exps, (law, weight))
            return Leaving(x, "moment", mul(*[var(x)] * k, law), left, (weight,), equation)
    return None


def _mapped(letters: Letters, powers: Mapping[Term, int], signs: Signs) -> Leaving | None:
    """A map, beside its derivative, becomes the letter."""
    for x, measure in letters.items():
        own = frozenset((t, k) for t, k in powers.items() if x in t.free)
        found = mapped(x, own, signs) if signs.heads[measure].line else None
        if found:
            (back, target), law = found, product(own, {})
            body = undone_maps(through(back, law, x, signs.heads), signs.heads)
            return Leaving(x, "mapped", law, _chain({x: target}, body, signs.heads))
    return None


def _beside_law(letters: Letters, powers: Mapping[Term, int], signs: Signs) -> Leaving | None:
    """A power of a letter beside its normal law becomes a derivative."""
    for x, measure in letters.items():
        found = parts.beside_law(x, powers, signs) if signs.heads[measure].line else None
        if found:
            whole, g, law = found
            return Leaving(x, "parts", whole, parts.left(measure, lam(((x, ()),), whole), g, law))
    return None


def _summed(x: str, measure: str, own: Monomial, unit: str, signs: Signs) -> Leaving | None:
    """An index goes by an identity matrix, or in a sum that is known."""
    if found := sifted(x, own, unit):
        return Leaving(x, "sift", *found)
    if known := known_sum(product(own, {}), x, measure, signs):
        return Leaving(x, "given", *known[2:])
    return None


def _vectors(x: str, measure: str, powers: Mapping[Term, int], signs: Signs) -> Leaving | None:
    """Coordinates of a vector by its normal law."""
    laws = [t for t in powers if t.op == "app" and (h := signs.heads.get(t.data)) and h.normal]
    at = [t for t, k in powers.items() if t not in laws for _ in range(k)]
    point = signs.heads[measure].points
    if len(laws) != 1 or powers[laws[0]] != 1 or len(at) > LARGEST_POWER:
        return None
    (law,) = laws
    (i, _), _ = law.args[0].data
    if any(t.data != point or t.args[0] != var(x) or x in t.args[1].free for t in at):
        return None
    if (
        law.args[0].args[0] != app(point, var(x), var(i))
        or x in law.args[1].free | law.args[2].free
    ):
        return None
    at = sorted(at, key=str)
    left = moment(law, [t.args[1] for t in at])
    return Leaving(x, "moments", mul(*at, law), left)


def _joint(
    laws: list[Term], x: str, measure: str, heads: Mapping[str, Head]
) -> tuple[Term, Term] | None:
    """The joint density of which two are the factors, and what it leaves without the letter."""
    for head in heads.values():
        pairs = itertools.permutations(laws) if head.chain else ()
        for own, given in pairs:
            law = _chained(head, own, given)
            left = law and _margin(law, x, measure, heads)
            if law and left:
                return law, left
    return None


def _chained(head: Head, own: Term, given: Term) -> Term | None:
    assert head.chain
    first, second = head.chain
    if (first.data, second.data) != (own.data, given.data):
        return None
    places = {a.data: t for a, t in zip(second.args, given.args, strict=True)}
    at = [places.get(f"a{k}") for k in range(1, len(head.takes) + 1)]
    known = [t for t in at if t is not None]
    same = tuple(replaced(a, places) for a in first.args) == own.args
    return app(head.name, *known) if same and len(known) == len(at) else None


def _by_parts(letters: Letters, powers: Mapping[Term, int], signs: Signs) -> Leaving | None:
    """The derivative goes from a density to what stands beside it."""
    for x, measure in letters.items():
        own = [t for t in powers if x in t.free]
        slopes = [t for t in own if _slope_of_density(t, x, signs.heads)]
        if len(slopes) != 1 or powers[slopes[0]] != 1 or not signs.heads[measure].line:
            continue
        (slope,) = slopes
        ((letter, _),) = slope.args[0].data
        rest = frozenset((t, powers[t]) for t in own if t != slope)
        if any(k < 0 for _, k in rest):
            continue
        if not rest:
            return Leaving(x, "flux", slope, num(0))
        beside = product(rest, {})
        moving = app(DERIVATIVE, lam(((letter, ()),), replaced(beside, {x: letter})), var(x))
        density = replaced(slope.args[0].args[0], {letter: x})
        left = neg(_chain({x: measure}, mul(moving, density), signs.heads))
        return Leaving(x, "flux", mul(beside, slope), left)
    return None


def _lowered(letters: Letters, powers: Mapping[Term, int], signs: Signs) -> Leaving | None:
    """The derivative goes from a function of which nothing is known to a normal law beside it."""
    for x, measure in letters.items():
        own = [t for t in powers if x in t.free and t != var(x)]
        laws = [t for t in own if t.data == "normal" and t.args[0] == var(x)]
        slopes = [t for t in own if undone(t, x, signs.heads)]
        if not signs.heads[measure].line or (len(laws), len(slopes), len(own)) != (1, 1, 2):
            continue
        (slope,), k = slopes, powers.get(var(x), 0)
        if k < 0 or powers[slope] != 1 or powers[laws[0]] != 1:
            continue
        beside = mul(*[var(x)] * k, laws[0])
        moving = app(DERIVATIVE, lam(((MOVING, ()),), replaced(beside, {x: MOVING})), var(x))
        whole = undone(slope, x, signs.heads) or slope
        left = neg(_chain({x: measure}, mul(moving, whole), signs.heads))
        return Leaving(x, "flux", mul(beside, slope), left)
    return None


def undone(slope: Term, x: str, heads: Mapping[str, Head]) -> Term | None:
    """What has this as its derivative by x, there: of a derivative, or by its name."""
    if slope.op != "app" or slope.args[-1] != var(x):
        return None
    if slope.data == DERIVATIVE:
        ((letter, _),) = slope.args[0].data
        return replaced(slope.args[0].args[0], {letter: x}) if x not in slope.args[0].free else None
    head = next((h for h in heads.values() if h.slope == slope.data), None)
    return app(head.name, var(x)) if head else None


def _slope_of_margin(t: Term, x: str, measure: str, heads: Mapping[str, Head]) -> Term | None:
    """By a parameter: the derivative of what the density leaves."""
    if t.data != DERIVATIVE or x in t.args[1].free or t.args[0].args[0].op != "app":
        return None
    inner = t.args[0].args[0]
    left = _margin(inner, x, measure, heads) or _slope_of_margin(inner, x, measure, heads)
    return left and app(DERIVATIVE, lam(t.args[0].data, left), t.args[1])


def _slope_of_density(t: Term, x: str, heads: Mapping[str, Head]) -> bool:
    if t.op != "app" or t.data != DERIVATIVE or t.args[1] != var(x) or x in t.args[0].free:
        return False
    ((letter, _),) = t.args[0].data
    inner = t.args[0].args[0]
    if inner.op != "app" or letter not in inner.free:
        return False
    head = heads.get(inner.data)
    known = inner.data == "normal" or (head is not None and head.density)
    return known or _slope_of_density(inner, letter, heads)


def _conjugate(
    x: str, k: int, one: Term, other: Term, signs: Signs, opened: Opened
) -> Leaving | None:
    """N(x; m, w) N(y; a x + b, v) = N(y; a m + b, S) N(x; m + (y - a m - b) a w/S, v w/S), where
    S = v + a^2 w."""
    if {one.data, other.data} != {"normal"} or moment_of(one, x, 0, signs) is None:
        return None
    (_, m, w), (y, mean, v) = one.args, other.args
    line = affine(opened(mean, signs), x)
    if line is None or x in y.free | v.free or not signs.positive(v):
        return None
    a, b = line
    whole, at = add(v, mul(power(a, 2), w)), add(mul(a, m), b)
    moved = add(m, mul(add(y, neg(at)), div(mul(a, w), whole)))
    law = app("normal", var(x), moved, div(mul(v, w), whole))
    margin = app("normal", y, at, whole)
    left = moment_of(law, x, k, signs)
    if left is None:
        return None
    equation = other, div(mul(margin, law), one)
    return Leaving(x, "moment", mul(*[var(x)] * k, law), left, (margin,), equation)


def _apart(letters: Letters, powers: Mapping[Term, int], heads: Mapping[str, Head]) -> list[Term]:
    """Letters without a common factor are integrated apart."""
    groups = [{x} for x in letters]
    for t in powers:
        near = [g for g in groups if not g.isdisjoint(t.free)]
        groups = [g for g in groups if g not in near] + [set[str]().union(*near)] * bool(near)
    found = []
    for group in groups:
        factors = frozenset(p for p in powers.items() if not group.isdisjoint(p[0].free))
        found.append(_in_order({x: letters[x] for x in letters if x in group}, factors, heads))
    free = frozenset(p for p in powers.items() if letters.keys().isdisjoint(p[0].free))
    constants = [product(free, {})] if free else []
    return [*constants, *sorted(found, key=lambda t: str(said.of(t)))]


def _in_order(letters: Letters, factors: Monomial, heads: Mapping[str, Head]) -> Term:
    """Integrals in an order that does not depend on how they were written; of indices that stand
    in the same places, the order that comes first."""
    places = {x: (m, _places(x, letters, factors, heads)) for x, m in letters.items()}
    order = sorted(places, key=places.__getitem__)
    groups = [list(g) for _, g in itertools.groupby(order, places.__getitem__)]
    choices = orders(groups) if any(heads[m].unit for m in letters.values()) else [order]

    def written(order: list[str]) -> tuple[str, list[str], Term]:
        names = {x: f"@{k}" for k, x in enumerate(order)}
        body = product(frozenset((in_order(t, heads, names), k) for t, k in factors), names)
        return str(replaced(body, names)), order, body

    _, order, body = min(map(written, choices), key=lambda c: c[0])
    return _chain({x: letters[x] for x in order}, body, heads)


def _places(x: str, letters: Letters, factors: Monomial, heads: Mapping[str, Head]) -> list[str]:
    """What a letter stands in, whatever the others are called."""
    names = _plain(letters) | {x: "@"}
    own = [(in_order(t, heads, names), k) for t, k in factors if x in t.free]
    return sorted(f"{replaced(t, names)} {k}" for t, k in own)


def _plain(letters: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(letters, "_")


def spread(
    term: Term, heads: Mapping[str, Head], names: Iterator[str] | None = None
) -> tuple[Letters, Term]:
    """What stands under all the integrals of a product, with new names for their letters in the
    order in which the kernel opens them. Without `names` letters get names that occur nowhere, or
    keep those that they got so: else what is ordered by its names would be so again for ever."""
    taken, own = _names(term), opening(term, heads)
    fresh = (n for n in map("u{}".format, itertools.count(1)) if n not in taken)
    if names is None and all(n[0] == "u" for n in own) and _apart_in(term, own):
        names = iter(own)
    letters: Letters = {}

    def visit(t: Term) -> Term:
        head = heads.get(t.data) if t.op == "app" else None
        if head is not None and head.each:
            own = list(itertools.islice(names or fresh, len(head.each)))
            letters.update(zip(own, head.each, strict=True))
            factors = [
                replaced(f.args[0], {n: new for (n, _), new in zip(f.data, own, strict=True)})
                for f in t.args
            ]
        elif t.op == "mul":
            factors = list(t.args)
        else:
            return t
        return mul(ONE, *map(visit, factors))

    return letters, visit(term)


def opening(term: Term, heads: Mapping[str, Head]) -> list[str]:
    """The names of its letters, in the order in which the kernel opens them."""
    head = heads.get(term.data) if term.op == "app" else None
    if head is not None and head.each:
        return [n for n, _ in term.args[0].data] + [
            n for f in term.args for n in opening(f.args[0], heads)
        ]
    return [n for a in term.args for n in opening(a, heads)] if term.op == "mul" else []


def _chain(letters: Letters, body: Term, heads: Mapping[str, Head]) -> Term:
    for x, measure in reversed(letters.items()):
        body = app(measure, lam(((x, where(heads[measure], x)),), body))
    return body


def where(measure: Head, x: str) -> tuple[tuple[str, Term, Term], ...]:
    ((name, said),) = measure.letters
    return tuple((s, replaced(a, {name: x}), replaced(b, {name: x})) for s, a, b in said)


def _margin(law: Term, x: str, measure: str, heads: Mapping[str, Head]) -> Term | None:
    head = heads.get(law.data)
    places = [i for i, a in enumerate(law.args) if x in a.free]
    if head is None or len(places) != 1 or places[0] >= len(head.margins):
        return None
    (i,) = places
    over, other = head.margins[i]
    if over != measure or law.args[i] != var(x):
        return None
    return app(other, *law.args[:i], *law.args[i + 1 :]) if other else ONE


def _apart_in(term: Term, names: list[str]) -> bool:
    """Whether each is the name of one bound letter, and of nothing else."""
    bound = Counter(_bound(term))
    return all(bound[n] == 1 and n not in term.free for n in names)


def _bound(t: Term) -> Iterator[str]:
    yield from (name for name, _ in t.data) if t.op == "lam" else ()
    for a in t.args:
        yield from _bound(a)


def _names(t: Term) -> set[str]:
    own = {name for name, _ in t.data} if t.op == "lam" else {t.data} if t.op == "var" else set()
    return own.union(*map(_names, t.args))
