"""Signs of certificates, proved by structure; an unproved sign is no certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from genmath.proof.language.binders import Between, Over
from genmath.proof.language.claims import STRICT
from genmath.proof.language.derivation import Lemma
from genmath.proof.language.elementary import TABLE
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.notation import Function, fenchel_gap, tangent_gap
from genmath.proof.language.shapes import NUMBER, shape
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Dens,
    Div,
    Divergence,
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
    Relation,
    Symbol,
    free_symbols,
)
from genmath.proof.symbolic.algebra import (
    exp_of,
    irreducible_factors,
    is_nonnegative,
    is_positive,
    stated_positive,
)
from genmath.proof.symbolic.atoms import Binder, Log
from genmath.proof.symbolic.facts import assuming
from genmath.proof.symbolic.lower import Lowering
from genmath.proof.symbolic.matrices import POSITIVE, SEMI, split, transposed
from genmath.proof.symbolic.means import by_means
from genmath.proof.symbolic.polynomials import canon, expand, terms
from genmath.proof.symbolic.proof import difference
from genmath.proof.symbolic.slopes import fresh, on_the_way
from genmath.proof.symbolic.stated import without
from genmath.proof.symbolic.supports import Rules, Unsupported
from genmath.proof.symbolic.tangents import lowered
from genmath.proof.symbolic.triangle import by_sizes

NONNEGATIVE_DOMAINS = {"positive", "nonnegative", "unit", "at_least_one", "natural"}


@dataclass
class Signs:
    """Decides e >= 0 for typed expressions. `facts` are expressions already known to be >= 0, each
    with the name it is known by; `consulted` says which were needed. `bound` are letters of which
    nothing is known but what they are declared."""

    facts: list[tuple[Node, object]]
    dimension: int
    consulted: list[object] = field(default_factory=list)
    bound: tuple[Symbol, ...] = ()

    def nonnegative(self, e: Node) -> bool:
        for fact, name in self.facts:
            if fact == e:
                self.consulted.append(name)
                return True
        return self.by_structure(e) or self.by_algebra(e)

    def positive(self, e: Node) -> bool:
        """e > 0, of what is known to be >= 0."""
        for fact, name in self.facts:
            if fact == e and _is_strict(name):
                self.consulted.append(name)
                return True
        return self.strictly(e) or self.by_algebra(e, strict=True)

    def strictly(self, e: Node) -> bool:
        """By structure; a mean of what is positive everywhere is positive."""
        match e:
            case Number(value=k):
                return k > 0
            case Symbol() | Indexed():
                shape = getattr(e, "shape", "")
                return e.domain in NONNEGATIVE_DOMAINS - {"nonnegative"} and not shape
            case Named() | Expect():
                return self.under(e).positive(e.args[0])
            case Between():
                return self.between_limits(e, strict=True)
            case Over(kind="sum" | "prod" | "max" | "min"):  # of at least one member
                return self.without(e.letter).positive(e.body)
            case Mul() | Div():
                return all(self.positive(a) for a in e.args)
            case Pow(args=(base, _)):
                return self.positive(base)
            case Fn():
                return self.function(e, strict=True)
            case Add():
                return self.within_range(e, strict=True) or (
                    all(self.nonnegative(a) for a in e.args)
                    and any(self.positive(a) for a in e.args)
                )
        return False

    def by_structure(self, e: Node) -> bool:
        """What is not listed has no sign that its structure shows, which proves nothing."""
        match e:
            case Number() | Pi() | Dens() | Normal() | Family():
                return True
            case Symbol():
                return e.domain in NONNEGATIVE_DOMAINS and not e.shape
            case Indexed():
                return e.domain in NONNEGATIVE_DOMAINS
            case Named() | Expect() | Integral():
                return self.under(e).nonnegative(e.args[0])
            case Big():
                return self.under_index(e)
            case Over(kind="sum" | "prod" | "max" | "min"):
                return self.without(e.letter).nonnegative(e.body)
            case Between():
                return self.between_limits(e)
            case Neg(args=(Neg(args=(inner,)),)):
                return self.nonnegative(inner)
            case Neg(args=(Between() as whole,)):
                turned = Neg(whole.body)
                return self.nonnegative(Between(turned, whole.letter, whole.low, whole.high))
            case Mul() | Div():
                return all(self.nonnegative(a) for a in e.args) or self.quadratic_form(e)
            case Pow(args=(base, Number(value=k) | Neg(args=(Number(value=k),)))) if k % 2 == 0:
                return shape(base) == NUMBER
            case Pow(args=(base, _)):
                return self.nonnegative(base)
            case Divergence():
                return e.kind == "TV"
            case Fn():
                return self.function(e)
            case Add():
                return (
                    self.within_range(e)
                    or _is_convexity_gap(e)
                    or self.without_log_gaps(e)
                    or by_sizes(_flat(e), self)
                    or by_means(_flat(e), self)
                    or all(self.nonnegative(a) for a in e.args)
                )
        return False

    def function(self, e: Fn, strict: bool = False) -> bool:
        """By what the table says of its values: they are >= 0, or it increases from one that is."""
        u = e.args[0]
        match e.name:
            case "norm2":
                return not strict
            case "dot" if not strict:
                return self.quadratic_form(Mul(Fn("transpose", u), e.args[1]))
            case "det":
                kind = self.definite(u)
                return kind == POSITIVE or (kind == SEMI and not strict)
            case "trace":
                kind = self.definite(u)
                return kind == POSITIVE or (kind == SEMI and not strict)
            case _ if e.name not in TABLE:
                return False
        row = TABLE[e.name]
        if isinstance(row.range.low, Number) and not (strict and row.range.attained):
            return True
        start = next((c for c in (0, 1) if isinstance(row.at.get(c), Number)), None)
        if not row.increasing or start is None:
            return False
        above = u if start == 0 else _minus_one(u)
        if strict:
            return row.increasing == "strictly" and self.positive(above)
        return self.nonnegative(above)

    def definite(self, m: Node) -> str:
        """Whether a matrix is seen to be positive definite, or semidefinite, with nothing asked."""
        lower = Lowering(Rules(), self.dimension)
        try:
            with assuming(without(*self.bound)):
                kind, asked = lower.definite(m, {}, (), False)
        except (NotationError, Unsupported):
            return ""
        if any(what == "scale" for what, _ in asked):
            return ""
        return kind and SEMI if asked else kind

    def quadratic_form(self, e: Node) -> bool:
        """u' S u for a positive semidefinite S, times numbers >= 0."""
        numbers, parts = split(e)
        if len(parts) < 2 or shape(e) != NUMBER or not all(map(self.nonnegative, numbers)):
            return False
        first, *middle, last = parts
        kind = self.definite(middle[0] if len(middle) == 1 else Mul(*middle)) if middle else SEMI
        return bool(kind) and last == transposed(first)

    def within_range(self, e: Add, strict: bool = False) -> bool:
        """The distance of a function from an end of its range, or from an earlier value of its."""
        if len(e.args) != 2:
            return False
        match e.args:
            case (Fn(name=f, args=(u,)), Neg(args=(Fn(name=g, args=(v,)),))) if f == g in TABLE:
                if strict:
                    return TABLE[f].increasing == "strictly" and self.positive(u - v)
                return bool(TABLE[f].increasing) and self.nonnegative(u - v)
            case (_, Neg(args=(Fn(name=f),))) | (Fn(name=f), _) | (_, Fn(name=f)) if f in TABLE:
                if strict and TABLE[f].range.attained:
                    return False
        match e.args:
            case (c, Neg(args=(Fn(name=f),))) if f in TABLE:
                return c == TABLE[f].range.high
            case (Fn(name=f), Neg(args=(c,))) if f in TABLE:
                return c == TABLE[f].range.low
            case (Fn(name=f), c) | (c, Fn(name=f)) if f in TABLE:
                return Neg(c) == TABLE[f].range.low
        return False

    def under_index(self, e: Big) -> bool:
        """A sum or product from 1 on: there the index is a natural number; what is known of a free
        letter of the same name says nothing of it."""
        return self.by_algebra(e.low - 1) and self.under(e).nonnegative(e.body)

    def between_limits(self, e: Between, strict: bool = False) -> bool:
        """The integrand anywhere on the way, times the way's length and direction."""
        if e.letter in free_symbols(e.low) | free_symbols(e.high):
            return False
        inner = self.without(e.letter)
        known = [fact for fact, _ in self.facts]
        way, there = on_the_way(e, *known)
        if strict:
            return inner.positive(there if way is None else Mul(there, way))
        if way is None:
            return inner.nonnegative(there)
        return inner.like_signs(there, way) or inner.on_both_sides(there, way)

    def on_both_sides(self, there: Node, way: Node) -> bool:
        """The two have the same sign, shown once for a real letter above and once for it below
        where `way` is 0."""
        for s in sorted(free_symbols(way), key=lambda s: s.name):
            if s.domain != "real" or s.is_variable or s.shape or s in _bound(there):
                continue
            at = [instantiate(way, ((s, Number(k)),)) for k in (0, 1)]
            root = Neg(Div(at[0], difference(at[1], at[0])))  # of what is linear in the letter
            length = fresh("nonnegative", there, way, *(fact for fact, _ in self.facts))
            ways = (Add(root, length), Add(root, Neg(length)))  # every real number, in any case
            inner = self.without(s)
            if all(
                inner.like_signs(instantiate(there, ((s, w),)), instantiate(way, ((s, w),)))
                for w in ways
            ):
                return True
        return False

    def like_signs(self, a: Node, b: Node) -> bool:
        """a b >= 0."""
        return self.nonnegative(Mul(a, b)) or all(self.nonnegative(Neg(e)) for e in (a, b))

    def without(self, *letters: Symbol) -> Signs:
        """What is known, but of these letters."""
        known = [f for f in self.facts if free_symbols(f[0]).isdisjoint(letters)]
        return Signs(known, self.dimension, self.consulted, (*self.bound, *letters))

    def under(self, node: Node) -> Signs:
        """What is known where a node binds letters: of a random variable every value is spoken of,
        and of a finite set every member; of an index only the one that is free."""
        return self.without(*(v for v in node.bound if not v.is_variable and v.domain != "member"))

    def without_log_gaps(self, e: Add) -> bool:
        """A sum, however its terms are grouped, from which gaps of the logarithm may be taken:
        a log(a/b) - a + b for a, b >= 0, which is a log_gap(b/a), and b where a is 0; the same with
        b = 1; and u - 1 - log u. What is left is >= 0."""
        left, found = _flat(e), False
        while gap := next((g for t in left if (g := self.log_gap_of(t, left))), None):
            for t in gap:
                left.remove(t)
            found = True
        return found and all(self.nonnegative(t) for t in left)

    def log_gap_of(self, t: Node, terms: list[Node]) -> list[Node] | None:
        """The terms that make a gap with the term t, if they are all there."""
        match t:
            case Neg(args=(Fn(name="log", args=(u,)),)):
                gap = [t, u, Neg(Number(1))]
            case Mul(args=(a, Fn(name="log", args=(Div(args=(over, b)),)))) if a == over:
                if not (self.nonnegative(a) and self.nonnegative(b)):
                    return None
                gap = [t, Neg(a), b]
            case Mul(args=(a, Fn(name="log", args=(u,)))) if a == u:
                if not self.nonnegative(u):
                    return None
                gap = [t, Neg(u), Number(1)]
            case _:
                return None
        return gap if all(gap.count(g) <= terms.count(g) for g in gap) else None

    def by_algebra(self, e: Node, strict: bool = False) -> bool:
        if shape(e) != NUMBER:  # only numbers have a sign
            return False
        with assuming(without(*self.bound)):
            return self.by_value(e, strict)

    def by_value(self, e: Node, strict: bool) -> bool:
        rules = Rules()
        lower = Lowering(rules, self.dimension)
        try:
            value = expand(lower(e))
        except Unsupported:
            return False
        if rules.needs:
            return False
        if strict:
            shown = not rules.nonzero and (is_positive(value) or stated_positive(value))
            shown = shown or (not rules.nonzero and _by_logarithm(value, lower, is_positive))
            shown = shown or (not rules.nonzero and any(map(is_positive, lowered(value))))
            return shown or self.by_hypothesis(value, lower, strict)
        shown = is_nonnegative(value) or _by_factors(value)
        shown = shown or _by_logarithm(value, lower, is_nonnegative)
        shown = shown or any(is_nonnegative(v) or _by_factors(v) for v in lowered(value))
        return shown or self.by_hypothesis(value, lower)

    def by_hypothesis(self, value: object, lower: Lowering, strict: bool = False) -> bool:
        """`lower` knows the letters of the value: a name has one meaning."""
        for fact, name in self.facts:
            if isinstance(name, Relation) and (_is_strict(name) or not strict):
                try:
                    known = expand(lower(fact))
                except Unsupported:
                    continue
                if expand(value - known) == 0:
                    self.consulted.append(name)
                    return True
        return False


def _is_strict(name: object) -> bool:
    """Whether what is known by that name is > 0."""
    if isinstance(name, Lemma):
        return name.claim.relation in STRICT
    return isinstance(name, Relation) and name.sign in STRICT


def _by_factors(value: Any) -> bool:
    """Squares, and an even number of factors <= 0."""
    sign = 1
    for base, k in irreducible_factors(value):
        if is_nonnegative(base) or (k.is_Integer and k % 2 == 0 and base.is_real):
            continue
        if not k.is_Integer or not is_nonnegative(-base):
            return False
        sign = -sign
    return sign > 0


def _by_logarithm(value: Any, lower: Lowering, shown: Callable[[Any], bool]) -> bool:
    """log u + c, where u is at least e^-c."""
    logs = [t for t in terms(value) if isinstance(t, Log)]
    for t in logs:
        least = exp_of(expand(t - value))
        u = t.args[0]
        if shown(canon(u - least)) or (shown is is_nonnegative and _holds(u, least, lower)):
            return True
    return False


def _holds(total: Any, part: Any, lower: Lowering) -> bool:
    """A sum over a finite set of what is >= 0 has that member."""
    if not isinstance(total, Binder) or total.args[0].name != "sum":
        return False
    _, body, own, space = total.args
    members = (s for s in part.free_symbols if _is_member(lower.known.get(s.name), space.name))
    return bool(body.is_nonnegative) and any(
        expand(body.xreplace({own: s}) - part) == 0 for s in members
    )


def _is_member(owner: Any, space: str) -> bool:
    return isinstance(owner, Symbol) and owner.domain == "member" and owner.space == space


def _bound(e: Node) -> set[Symbol]:
    return {v for n in e.walk() for v in (*n.bound, *n.letters)}


def _flat(e: Node) -> list[Node]:
    """The terms of a sum of sums."""
    match e:
        case Add():
            return [t for a in e.args for t in _flat(a)]
        case Neg(args=(Add() as inner,)):
            return [t.args[0] if isinstance(t, Neg) else Neg(t) for t in _flat(inner)]
    return [e]


def _minus_one(u: Node) -> Node:
    """u - 1, in a form whose sign structure can show: 1 + v gives v, (a + b)/a gives b/a."""
    if isinstance(u, Named):
        return _minus_one(u.body)
    if isinstance(u, Add):
        for i, t in enumerate(u.args):
            if t == Number(1):
                rest = u.args[:i] + u.args[i + 1 :]
                return rest[0] if len(rest) == 1 else Add(*rest)
    if isinstance(u, Div) and isinstance(u.args[0], Add) and u.args[1] in u.args[0].args:
        i = u.args[0].args.index(u.args[1])
        rest = u.args[0].args[:i] + u.args[0].args[i + 1 :]
        return Div(rest[0] if len(rest) == 1 else Add(*rest), u.args[1])
    return u - 1


def _is_convexity_gap(e: Add) -> bool:
    """f(u) - f(v) - f'(v)(u - v), or f(u) + f*(t) - u t, for a convex f."""
    f = e.args[0]
    if not (isinstance(f, Apply) and f.traits == ("convex",) and f.order == 0 and len(e.args) == 3):
        return False
    u, second = f.args[0], e.args[1]
    inner = second.args[0] if isinstance(second, Neg) else second
    if not isinstance(inner, Apply) or inner.name != f.name or inner.order != 0:
        return False
    function = Function(f.name, convex=True)
    return e in (tangent_gap(function, u, inner.args[0]), fenchel_gap(function, u, inner.args[0]))
