"""Proofs for the kernel: equalities by what functions are equal, bounds by the sign of the gap."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from typing import Any

from genmath.proof.certificate import parts, said
from genmath.proof.certificate.bounds import Bounds
from genmath.proof.certificate.expansions import expansion
from genmath.proof.certificate.gathered import gathered
from genmath.proof.certificate.indices import known_sum
from genmath.proof.certificate.iterated import (
    MOVING,
    Letters,
    Merged,
    opening,
    plan,
    spread,
    undone,
)
from genmath.proof.certificate.iterated import where as where_of
from genmath.proof.certificate.moved import back, inverse, mapped, motion, through
from genmath.proof.certificate.primitives import Primitive
from genmath.proof.certificate.scope import NoProof, Place
from genmath.proof.certificate.steps import Stepped
from genmath.proof.coq.monomials import Monomial, expand
from genmath.proof.coq.reading import DERIVATIVE, Head
from genmath.proof.coq.rules import density, expanded, finite, opened, with_slopes
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.slopes import NoSlope, derivative
from genmath.proof.coq.terms import (
    Condition,
    Term,
    add,
    app,
    atoms,
    denominators,
    lam,
    minus,
    mul,
    neg,
    num,
    replaced,
    var,
)
from genmath.proof.coq.values import Values
from genmath.proof.kernel.proof import Scope
from genmath.proof.kernel.terms import at

DEEPEST = 6
ONE = num(1)


class Writer:
    """Proofs of one claim."""

    def __init__(self, heads: Mapping[str, Head]) -> None:
        self.heads = heads
        self.values = Values()
        self.letters = map("w{}".format, itertools.count(1))

    def bounds(self, place: Place) -> Bounds:
        return Bounds(place, self.keeps, self.equations)

    # --- equalities

    def equality(self, a: Term, b: Term, place: Place, depth: int = 0) -> int:
        """The number of the fact a = b."""
        known = place.number("=", a, b)
        if known is not None:
            return known
        if depth > DEEPEST:
            raise NoProof("too deeply nested")
        if not self.equal(a, b, place.signs):
            logarithms = app("ln", a), app("ln", b)
            signs = place.signs
            if signs.positive(a) and signs.positive(b) and self.equal(*logarithms, signs):
                self.equality(*logarithms, place, depth + 1)
                self.bounds(place).positive(a)
                self.bounds(place).positive(b)
                return place.add("ln_inject", said.of(a), said.of(b))
            by = gathered(self, minus(a, b), place)
            if by is None:
                raise NoProof("not an identity of real algebra")
            self.bounds(place).divisors(a, b)
            return place.add("identity", ["=", said.of(a), said.of(b)], by)
        with contextlib.suppress(NoProof):
            return self._plainly(a, b, place)
        by = self.equations([a, b], place, depth)
        return place.add("identity", ["=", said.of(a), said.of(b)], by)

    def _plainly(self, a: Term, b: Term, place: Place) -> int:
        """By arithmetic alone."""
        if any(
            d.op != "num" and not place.signs.nonzero(d) for t in (a, b) for d in denominators(t)
        ):
            raise NoProof("a denominator is not seen to differ from 0")
        self.bounds(place).divisors(a, b)
        return place.add("identity", ["=", said.of(a), said.of(b)], [])

    def equal(self, a: Term, b: Term, signs: Signs) -> bool:
        return self.values.equal(a, b, signs)

    def equations(self, terms: list[Term], place: Place, depth: int) -> list[int]:
        """Facts that rewrite the functions in these terms, each after those it needs; that no
        denominator is 0 is shown on the way."""
        found: list[int] = []
        plain: dict[Term, None] = {}
        seen: set[Term] = set()
        bounds = self.bounds(place)

        def visit(term: Term) -> None:
            for d in denominators(term):
                if d.op != "num" and not place.signs.nonzero(d):
                    visit(self._seen(d, place, depth))
                else:
                    bounds.nonzero(d)
            for atom in atoms(term):
                if atom in seen:
                    continue
                seen.add(atom)
                step = self.rewriting(atom, place, depth)
                if step is not None:
                    visit(step[1])
                    found.append(step[0])
                    continue
                plain[atom] = None
                if atom.data == "sin":
                    found.append(place.add("bound", "circle", said.of(atom)))
                if atom.data == "Rabs":
                    found.append(bounds.square_of_size(atom))
                if atom.data == place.signs.indicator:
                    found.append(place.add("bound", "bit", said.of(atom)))
                if atom.data == "sqrt" and place.signs.nonnegative(atom.args[0]):
                    bounds.nonnegative(atom.args[0])
                    visit(atom.args[0])
                    found.append(place.add("bound", "root", said.of(atom)))

        for t in terms:
            visit(t)
        return [*self.merged(list(plain), place, depth), *found]

    def _seen(self, d: Term, place: Place, depth: int) -> Term:
        """What a denominator is in terms of others, if that is seen to differ from 0."""
        new = opened(d, place.signs)
        if new == d or not place.signs.nonzero(new):
            raise NoProof(f"a denominator is not seen to differ from 0: {d}")
        number = self.bounds(place).nonzero(new)
        by = self.equations([d, new], place, depth)
        place.add("nonzero", said.of(d), "1", ["1", *([] if number is None else [number])], by)
        return new

    def merged(self, plain: list[Term], place: Place, depth: int) -> list[int]:
        """One for functions that are equal because their arguments are."""
        values = self.values(plain, place.signs) if plain else []
        if values is None:
            raise NoProof("not an identity of real algebra")
        first: dict[tuple[str, tuple[int, ...]], Term] = {}
        found = []
        for atom, value in zip(plain, values, strict=True):
            other = first.setdefault((atom.data, value), atom)
            if place.kernel(other) != place.kernel(atom):
                found.append(
                    self._turned(atom, other, place) or self.same(atom, other, place, depth)
                )
        return found

    def _turned(self, atom: Term, other: Term, place: Place) -> int | None:
        """The indices of a symmetric matrix change places."""
        if atom.args != other.args[::-1] or not self.heads[atom.data].symmetric:
            return None
        for k, (_, _, (_, one, _)) in enumerate(place.signs.everywhere, len(place.signs.always)):
            if one.op == "app" and one.data == atom.data:
                return place.add("instance", k, list(map(said.of, atom.args)))
        return None

    # --- one step of rewriting

    def rewriting(self, atom: Term, place: Place, depth: int) -> tuple[int, Term] | None:
        """The number of a fact atom = term, and the term; None if it stays."""
        if expanded(atom, place.signs) is None:
            return None
        if atom.data == DERIVATIVE:
            return self._slope(atom, place, depth)
        if place.signs.everywhere and (index := place.number("=", atom, ONE)) is not None:
            return index, ONE
        head = self.heads.get(atom.data)
        if head is not None and head.linear:
            return self._linear(atom, place, depth)
        if head is not None and head.logs and (new := finite(atom, place.signs)):
            return self._finite(atom, place), new
        found = expansion(atom, place.signs)
        if found is None:
            raise NoProof("not an identity of real algebra")
        rule, new, needs = found
        if rule == "same":
            return self._inside(atom, new, place, depth), new
        if rule == "normals":
            return self._normals(atom, place), new
        bounds = self.bounds(place)
        for sign, t in needs:
            {"<": bounds.positive, "<=": bounds.nonnegative, "!=": bounds.nonzero}[sign](t)
        if rule == "gamma":
            return bounds.by_gamma(atom, new), new
        if rule == "instance":
            return place.instance(atom, new), new
        if rule == "size":
            return place.add("bound", rule, said.of(app(place.signs.indicator, *atom.args))), new
        return place.add("equal", rule, said.of(atom)), new

    def _inside(self, atom: Term, new: Term, place: Place, depth: int) -> int:
        """The argument is rewritten: by its definition, or its law, or as a quotient."""
        old, now = atom.args[0], new.args[0]
        if old.op == "app" and old.data == "normal" and now == density(old):
            number = place.add("equal", "normal", said.of(old))
        elif place.signs.law(old):
            number = self.bounds(place).by_definition(old)
        elif (head := self.heads.get(old.data)) and head.normal:
            number = self._normals(old, place)
        elif head and (head.ratio or head.chain):
            rule = "ratio" if head.ratio else "chain"
            number = place.add("equal", rule, said.of(old))
        else:
            number = self.equality(old, now, place, depth + 1)
        return place.add("same", said.of(atom), said.of(new), [number])

    def _normals(self, law: Term, place: Place) -> int:
        """The density of a normal law of vectors, by its definition."""
        self._covariance(law, place)
        return place.add("equal", "normals", said.of(law))

    def _covariance(self, law: Term, place: Place) -> None:
        spread = law.args[2].args[0]
        for v in spread.args[:-1] if spread.op == "mul" else ():
            self.bounds(place).positive(v)

    def _slope(self, atom: Term, place: Place, depth: int) -> tuple[int, Term]:
        function, at = atom.args
        ((letter, _),) = function.data
        body = with_slopes(function.args[0], letter, place.signs)
        if body != function.args[0]:
            new = app(DERIVATIVE, lam(function.data, body), at)
            return self.same(atom, new, place, depth), new
        try:
            slope, _, slopes = derivative(atom, place.signs, self.heads)
        except NoSlope:
            raise NoProof("no rule differentiates this") from None
        bounds = self.bounds(place)
        for t, sign in slopes.sides:
            _ = bounds.positive(t) if sign == "<" else bounds.nonzero(t)
        for part in _roots(replaced(function.args[0], {letter: at})):
            if place.signs.positive(part.args[0]):
                bounds.positive(part)
        number = place.add("equal", "slope", said.of(atom))
        bounds.divisors(slope)
        return place.add("identity", ["=", said.of(atom), said.of(slope)], [number]), slope

    def _linear(self, atom: Term, place: Place, depth: int) -> tuple[int, Term] | None:
        """Term by term, a product as one integral, or a letter integrated out."""
        found = plan(atom, place.signs, opened)
        if found is None:
            return None
        if isinstance(found, Primitive):
            return self._by_primitive(atom, found, place, depth), found.target
        facts = []
        if said.of(found.written) != said.of(atom):
            facts.append(self.same(atom, found.written, place, depth))
        if isinstance(found, Stepped):
            facts = [*self._stepped(found, place, depth), *facts]
        elif isinstance(found, Merged):
            facts = [*self.merged_integrals(found, place, depth), *facts]
        elif said.of(found.written) != said.of(found.target):
            facts.insert(0, place.add("equal", "linear", said.of(found.written)))
        self.bounds(place).divisors(found.target)
        step = ["identity", ["=", said.of(atom), said.of(found.target)], facts]
        return place.add(*step), found.target

    def _by_primitive(self, atom: Term, found: Primitive, place: Place, depth: int) -> int:
        """As the integral of a slope, and what is left."""
        whole, known = found.whole, found.known
        _, low, high = known.args
        if place.signs.nonnegative(add(high, neg(low))):
            inner, (x,) = self._between(known, place, "<=")
        else:
            inner, (x,) = self.under(known, 0, place)
        slope = app(DERIVATIVE, whole, var(x))
        self.equality(slope, _at(known.args[0], x), inner, depth + 1)
        of = said.of(whole)[2]
        facts = [place.add("primitive", said.of(known), of, [x], inner.steps)]
        if found.rest is not None:
            both = app(
                atom.data,
                lam(whole.data, add(*(t.args[0].args[0] for t in (known, found.rest)))),
                low,
                high,
            )
            facts = [
                *facts,
                place.add("equal", "linear", said.of(both)),
                self.same(atom, both, place, depth),
            ]
        self.bounds(place).divisors(found.target)
        return place.add("identity", ["=", said.of(atom), said.of(found.target)], facts)

    def _stepped(self, found: Stepped, place: Place, depth: int) -> list[int]:
        """A sum from one number to another, without its last term or as a whole."""
        sign, gap = found.needs
        bounds = self.bounds(place)
        _ = bounds.positive(gap) if sign == "<" else bounds.nonnegative(gap)
        facts = [place.add("equal", found.rule, said.of(found.written))]
        if found.before:
            facts.insert(0, self.same(found.before, found.target.args[0], place, depth))
        return facts

    def _finite(self, atom: Term, place: Place) -> int:
        """A product of what is > 0, by the sum of the logarithms."""
        inner, letters = self.under(atom, 0, place)
        here = {n: w for (n, _), w in zip(atom.args[0].data, letters, strict=True)}
        self.bounds(inner).positive(replaced(atom.args[0].args[0], here))
        return place.add("logs", said.of(atom), letters, inner.steps)

    def merged_integrals(self, found: Merged, place: Place, depth: int) -> list[int]:
        order = [found.letters.index(x) for x in opening(found.middle, self.heads)]
        names = [next(self.letters) for _ in found.letters]
        one = spread(found.written, self.heads, iter(names))
        other = spread(found.middle, self.heads, iter([names[k] for k in order]))[1]
        inner = self._beneath(one[0], place)
        by = []
        if found.equation:
            here = dict(zip(found.letters, names, strict=True))
            law, others = (replaced(t, here) for t in found.equation)
            number = self.equality(law, others, inner, depth + 1)
            by = [*self.equations([law, others], inner, depth + 1), number]
        by += self.equations([one[1], other], inner, depth + 1)
        inner.add("identity", ["=", said.of(one[1]), said.of(other)], by)
        terms = said.of(found.written), said.of(found.middle)
        facts = [place.add("iterated", *terms, order, names, inner.steps)]
        if found.rule:
            around = len(found.letters) - 1
            facts.insert(0, self._leaving(found.middle, found.target, found.rule, around, place))
        return facts

    def _beneath(self, letters: Letters, place: Place) -> Place:
        where = [
            at(f, [x]) for x, m in letters.items() for f in place.scope.functions[m].ranges
        ]  # fmt: skip
        inner, _, _ = place.scope.inside([list(letters), []], len(letters), where)
        said_ = [c for x, m in letters.items() for c in where_of(self.heads[m], x)]
        return self._stated(inner, place, list(letters), said_)

    def _stated(
        self, inner: Scope, place: Place, letters: list[str], conditions: list[Condition]
    ) -> Place:
        """Beneath a binder, with what hypotheses say of its letters."""
        new = Place(inner, place.signs.within(letters, conditions))
        known = {*place.signs.conditions, *conditions}
        for k, chosen, needs, _ in place.signs.instances(new.signs.bound):
            if known.issuperset(needs):
                new.add("instance", k, list(chosen))
        return new

    def _leaving(self, middle: Term, target: Term, rule: str, around: int, place: Place) -> int:
        """Down to the letter that is integrated out, which others are around."""
        alike = middle.op == "app" and target.op == "app" and middle.data == target.data
        if around if rule in ("moved", "mapped") else alike:
            inner, (x,) = self.under(middle, 0, place)
            one, other = _at(middle.args[0], x), _at(target.args[0], x)
            by = [self._leaving(one, other, rule, around - 1, inner)]
            if inner.number("=", one, other) is None:
                self.bounds(inner).divisors(one, other)
                inner.add("identity", ["=", said.of(one), said.of(other)], by)
            return place.add("same", said.of(middle), said.of(target), [[[x], inner.steps]])
        last = middle.args[-1] if middle.op == "mul" else middle
        if rule == "flux" and last.args[0].args[0].op == "mul":
            return self._by_parts(last, place)
        if rule == "moved":
            left = target.args[-1] if target.op == "mul" else target
            return self._moved(last, left, place)
        if rule == "mapped":
            left = target.args[-1] if target.op == "mul" else target
            return self._mapped(last, left, place)
        if rule == "divided":
            self.bounds(place).divisors(middle, target)
            return place.add("identity", ["=", said.of(middle), said.of(target)], [])
        if rule == "parts":
            return parts.shown(self, last, place)
        if rule == "slope":
            left = target.args[-1] if target.op == "mul" else target
            return self._exchanged(last, left, place)
        if rule == "given":
            return self._known_sum(last, place)
        for law in (t for t in _laws(last) if t.op == "app"):
            if law.data == "normal":
                self.bounds(place).positive(law.args[2])
            if (head := self.heads.get(law.data)) and head.normal:
                self._covariance(law, place)
        return place.add("equal", rule, said.of(last))

    def _known_sum(self, whole: Term, place: Place) -> int:
        ((x, _),) = whole.args[0].data
        found = known_sum(whole.args[0].args[0], x, whole.data, place.signs)
        if found is None:
            raise NoProof("not an identity of real algebra")
        k, at, inner, left = found
        if at:
            return place.add("instance", len(place.signs.always) + k, list(map(said.of, at)))
        number = place.number("=", app(whole.data, lam(whole.args[0].data, inner)), left)
        if number is None:
            raise NoProof("a hypothesis is not found")
        return number

    def _moved(self, integral: Term, left: Term, place: Place) -> int:
        """By substitution, and the density of the law that moves along."""
        ((x, _),) = integral.args[0].data
        factors = _laws(integral)
        found = motion(x, integral.data, _bases(factors), place.signs)
        if found is None:
            raise NoProof("a law does not move")
        line, _ = found
        shift, factor = inverse(line)
        self.bounds(place).positive(factor)
        step = ["moved", said.of(integral), left.data, said.of(shift), said.of(factor)]
        facts = [place.add(*step)]
        here = replaced(integral.args[0].args[0], {x: back(x, line)})
        middle = app(left.data, lam(left.args[0].data, mul(factor, here)))
        inner, (w,) = self.under(middle, 0, place)
        one, other = _at(middle.args[0], w), _at(left.args[0], w)
        by, ((y, _),) = list[int](), left.args[0].data
        for old, new in zip(_normals(factors, x), _normals(_laws(left), y), strict=True):
            old = replaced(replaced(old, {x: back(x, line)}), {x: w})
            by = [self.equality(old, mul(line[0], replaced(new, {y: w})), inner)]
        by = [*self.equations([one, other], inner, 1), *by]
        inner.add("identity", ["=", said.of(one), said.of(other)], by)
        facts.insert(0, place.add("same", said.of(middle), said.of(left), [[[w], inner.steps]]))
        return place.add("identity", ["=", said.of(integral), said.of(left)], facts)

    def _mapped(self, integral: Term, left: Term, place: Place) -> int:
        """By substitution of a map, whose derivative stands beside its inverse's."""
        ((x, _),) = integral.args[0].data
        found = mapped(x, _powers(_laws(integral)), place.signs)
        if found is None:
            raise NoProof("it has no inverse that is known")
        back = found[0]
        step = ["mapped", said.of(integral), left.data, back, self.heads[back].inverse]
        here = through(back, integral.args[0].args[0], x, self.heads)
        middle = app(left.data, lam(integral.args[0].data, here))
        facts = [self.same(middle, left, place, 0), place.add(*step)]
        return place.add("identity", ["=", said.of(integral), said.of(left)], facts)

    def _exchanged(self, integral: Term, left: Term, place: Place) -> int:
        """The integral of a derivative is that of the integral, which is known."""
        function, slope = integral.args[0], integral.args[0].args[0]
        if slope.data != DERIVATIVE:
            return place.add("equal", "margin", said.of(integral))
        moving, at = slope.args
        within = app(integral.data, lam(function.data, moving.args[0]))
        whole = app(DERIVATIVE, lam(moving.data, within), at)
        facts = [place.add("equal", "slope", said.of(whole))]
        facts = [place.add("identity", ["=", said.of(integral), said.of(whole)], facts)]
        inner, (w,) = self.under(whole, 0, place)
        known = replaced(within, {moving.data[0][0]: w})
        self._exchanged(known, _at(left.args[0], w), inner)
        steps = [[[w], inner.steps], None]
        facts.insert(0, place.add("same", said.of(whole), said.of(left), steps))
        return place.add("identity", ["=", said.of(integral), said.of(left)], facts)

    def _by_parts(self, integral: Term, place: Place) -> int:
        """The integral of f p' is minus that of f' p, since that of (f p)' is 0."""
        ((letter, _),) = integral.args[0].data
        beside, slope = integral.args[0].args[0].args
        density = undone(slope, letter, self.heads)
        if density is None:
            raise NoProof("it is the derivative of nothing")
        function = lam(((MOVING, ()),), replaced(mul(beside, density), {letter: MOVING}))
        other = app(DERIVATIVE, lam(function.data, function.args[0].args[0]), var(letter))
        sides = mul(other, density), mul(beside, slope)

        def over(t: Term) -> Term:
            return app(integral.data, lam(integral.args[0].data, t))

        whole, both = over(app(DERIVATIVE, function, var(letter))), over(add(*sides))
        facts = [place.add("equal", "linear", said.of(both)), self.same(whole, both, place, 0)]
        left = over(sides[0])
        shown = add(whole, neg(left))
        facts = [place.add("identity", ["=", said.of(integral), said.of(shown)], facts)]
        facts.insert(0, place.add("equal", "flux", said.of(whole)))
        return place.add("identity", ["=", said.of(integral), said.of(neg(left))], facts)

    # --- functions

    def same(self, a: Term, b: Term, place: Place, depth: int) -> int:
        """Equal arguments give equal values."""
        items: list[Any] = []
        for i, (one, other) in enumerate(zip(a.args, b.args, strict=True)):
            if said.of(one) == said.of(other):
                items.append(None)
            elif one.op != "lam":
                items.append(self.equality(one, other, place, depth + 1))
            else:
                items.append(self._everywhere(a, i, one, other, place, depth))
        return place.add("same", said.of(a), said.of(b), items)

    def _everywhere(
        self, whole: Term, i: int, one: Term, other: Term, place: Place, depth: int
    ) -> list[Any]:
        """Two functions are equal wherever the one that takes them looks at them."""
        inner, letters = self.under(whole, i, place)
        here = {n: w for (n, _), w in zip(one.data, letters, strict=True)}
        there = {n: w for (n, _), w in zip(other.data, letters, strict=True)}
        body, goal = replaced(one.args[0], here), replaced(other.args[0], there)
        self.equality(body, goal, inner, depth + 1)
        return [letters, inner.steps]

    def under(self, whole: Term, i: int, place: Place) -> tuple[Place, list[str]]:
        function = whole.args[i]
        letters = [next(self.letters) for _ in function.data]
        term: Any = place.kernel(whole)
        scope = place.scope
        inner, _, _ = scope.under(term, i, [letters, []])
        here = {n: w for (n, _), w in zip(function.data, letters, strict=True)}
        conditions = [
            (s, replaced(l, here), replaced(r, here)) for _, cs in function.data for s, l, r in cs
        ]
        choosy = bool((head := self.heads.get(whole.data)) and head.choosy)
        return self._stated(inner, place, letters, conditions if choosy else []), letters

    def _between(self, term: Term, place: Place, sign: str) -> tuple[Place, list[str]]:
        """Within the limits of an integral, which are in order."""
        _, low, high = term.args
        if place.number("<", low, high) is None:
            gap = minus(high, low)
            known = self.bounds(place).nonnegative(gap)
            terms = [["1", known]] if known is not None else [[str(gap.data)]]
            place.add("combination", [sign, said.of(low), said.of(high)], terms, [])
        (x,) = letters = [next(self.letters)]
        above = self.bounds(place).positive(low) if place.signs.positive(low) else None
        scope = place.scope
        kernel: Any = place.kernel(term)
        where = [*scope.looks(kernel, 0), *scope.limits(kernel, sign)]
        inner, _, _ = scope.inside([letters, []], 1, where)
        within = place.signs.between(var(x), low, high)
        new = self._stated(inner, place, letters, within)
        if place.signs.positive(low):
            own = [str(low.data)] if above is None else ["1", above]
            both = [own, ["1", new.number("<=", low, var(x))]]
            new.add("combination", ["<", "0", x], both, [])
        return new, letters

    def keeps(self, place: Place, sign: str, term: Term) -> int:
        """What is nowhere < 0 has no integral < 0; nor what is > 0 one that is 0."""
        if new := finite(term, place.signs):
            rewritten = self.rewriting(term, place, 0)
            assert rewritten is not None
            above = place.add("bound", "exp", said.of(new))
            goal = ["<", "0", said.of(term)]
            return place.add("combination", goal, [["1", above]], [rewritten[0]])
        function, *limits = term.args
        if limits and sign == "<" and self.heads[term.data].linear == "sum":
            more = add(limits[1], neg(limits[0]))
            if place.signs.nonnegative(more):
                self.bounds(place).nonnegative(more)
        if self.heads[term.data].linear == "integral" and limits:
            inner, letters = self._between(term, place, sign)
        else:
            inner, letters = self.under(term, 0, place)
        here = {n: w for (n, _), w in zip(function.data, letters, strict=True)}
        body = replaced(function.args[0], here)
        number = self.bounds(inner).nonnegative(body)
        goal = [sign, "0", said.of(body)]
        if number is None:
            inner.add("combination", goal, [[str(body.data)]], [])
        elif inner.scope.facts[number][0] != sign:
            inner.add("combination", goal, [["1", number]], [])
        return place.add("keeps", sign, said.of(term), letters, inner.steps)


def _at(function: Term, letter: str) -> Term:
    ((name, _),) = function.data
    return replaced(function.args[0], {name: letter})


def _laws(integral: Term) -> tuple[Term, ...]:
    body = integral.args[0].args[0]
    return body.args if body.op == "mul" else (body,)


def _bases(factors: tuple[Term, ...]) -> list[Term]:
    return [t.args[0] if t.op == "pow" else t for t in factors]


def _powers(factors: tuple[Term, ...]) -> Monomial:
    return frozenset(f for t in factors for m in expand(t) or () for f in m)


def _normals(factors: tuple[Term, ...], x: str) -> list[Term]:
    return [t for t in factors if t.data == "normal" and t.args[0] == var(x)]


def _roots(term: Term) -> list[Term]:
    """Those that stand under no binder."""
    if term.op == "lam":
        return []
    own = [term] if term.op == "app" and term.data == "sqrt" else []
    return own + [r for a in term.args for r in _roots(a)]
