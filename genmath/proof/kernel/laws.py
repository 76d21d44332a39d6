"""Laws of integrals, expectations, sums and densities; a certificate that uses one says so.

They hold where the integrals exist and the densities are densities, which is more than the kernel
knows. Only what a finite sum does is no more than what it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

from genmath.proof.kernel.claims import LINEAR, Function
from genmath.proof.kernel.limits import Rejected
from genmath.proof.kernel.rules import Scope
from genmath.proof.kernel.terms import DERIVATIVE, ONE, TWO, ZERO, Term, bare, opened, parts, spoken


def linear(scope: Scope, term: Any, declared: Function) -> Term:
    """F(c f + d g) = c F(f) + d F(g) where c and d do not speak of the bound letters."""
    if declared.kind not in LINEAR:
        raise Rejected("linear: it is not declared so")
    if declared.kind != "sum":
        scope.suppose(f"{term[0]} is linear")
    (_, m, body), others = term[1], term[2:]
    found: list[Term] = []
    for t in body[1:] if isinstance(body, tuple) and body[0] == "+" else (body,):
        constants, last = (t[1:-1], t[-1]) if isinstance(t, tuple) and t[0] == "*" else ((), t)
        if not all(map(bare, constants)):
            constants, last = (), t
        one = (term[0], ("=>", m, last), *others)
        found.append(("*", *constants, one) if constants else one)
    return ("+", *found) if len(found) > 1 else found[0]


def product(scope: Scope, term: Any, letters: Iterator[str], found: list[tuple[str, str]]) -> Term:
    """What stands under all the integrals of a product; an expectation is the integral of its
    argument and its densities. `found`: each integral, with the letter that it is over."""
    declared = scope.functions.get(term[0]) if isinstance(term, tuple) else None
    if declared and declared.each:
        names = list(itertools.islice(letters, len(declared.each)))
        if len(names) < len(declared.each):
            raise Rejected("iterated: there are more integrals than letters")
        found += zip(declared.each, names, strict=True)
        if declared.kind == "expectation":  # else it does not look where its densities are < 0
            scope.suppose(f"the densities of {term[0]} are >= 0")
        factors = [opened(f[2], names) for f in term[1:]]
    elif isinstance(term, tuple) and term[0] == "*":
        factors = list(term[1:])
    else:
        whole: Term = term
        return whole
    return ("*", ONE, *(product(scope, f, letters, found) for f in factors))


def sift(scope: Scope, term: Any, declared: Function) -> Term:
    """The sum of unit(x, t) f(x) over x is f(t), if t is one of those that it is over."""
    unit, *others = _factors(term[1][2] if declared.unit else None)
    t = _index(scope, unit, declared.unit, declared.unit)
    return ("*", ONE, *(opened(f, [t]) for f in others))


def _factors(body: Any) -> tuple[Any, ...]:
    return body[1:] if isinstance(body, tuple) and body[0] == "*" else (body,)


def _index(scope: Scope, term: Any, head: str, unit: str) -> Term:
    """What t is in head(x, t), of a bound letter x; that it is an index has been shown."""
    t = term[2] if isinstance(term, tuple) and term[:2] == (head, ("#", 0)) else ("#", 0)
    if not bare(t) or ("=", (unit, t, t), ONE) not in scope.known:
        raise Rejected("it is not shown to be an index")
    return t


def margin(scope: Scope, term: Any, declared: Function) -> Term:
    """The integral of p(x, y) over y is p(x); of p(x) over x it is 1."""
    body: Any = term[1][2] if declared.each == (term[0],) else None
    density = scope.functions.get(body[0]) if isinstance(body, tuple) else None
    if density is None or not density.margins:
        raise Rejected("margin: it is no integral of a density over one of its letters")
    k, *more = [i for i, a in enumerate(parts(body)) if not bare(a)] or [len(body)]
    measure, other = (*density.margins, ("", ""))[min(k, len(density.margins))]
    if more or parts(body)[k:][:1] != (("#", 0),) or measure != term[0]:
        raise Rejected("margin: it is no integral of a density over one of its letters")
    scope.suppose("a density integrates to one")
    rest: Term = (other, *body[1 : k + 1], *body[k + 2 :])
    return rest if other else ONE


def moment(scope: Scope, term: Any, declared: Function) -> Term:
    """The integral of x^k normal(x; m, v), v > 0, over the line, for k up to 8."""
    x = ("#", 0)
    body: Any = term[1][2] if declared.line else None
    factors = _factors(body)
    law: Any = next((f for f in factors if f != x), None)
    k = len(factors) - 1
    if (
        not isinstance(law, tuple) or law[:2] != ("normal", x) or k > 8
        or factors.count(x) != k or not bare(law[2]) or not scope.positive(law[3])
    ):  # fmt: skip
        raise Rejected("moment: it is no x^k by a normal law, k at most 8, variance > 0")
    scope.suppose("the moments of a normal law")
    m, v = law[2:]
    moments: list[Term] = [ONE, m]
    for j in range(1, k):  # E x^(j + 1) = m E x^j + j v E x^(j - 1)
        moments.append(("+", ("*", m, moments[j]), ("*", ONE * j, v, moments[j - 1])))
    return moments[k]


def _covariance(scope: Scope, spread: Term, by: str) -> tuple[Term, str, Term]:
    """Of a matrix v C that is known to be positive definite: v, the inverse of C, and ln det C. C
    is the identity matrix of a sum, or declared with its inverse and its determinant for it."""
    *v, core = _factors(spread)
    name = core[0] if isinstance(core, tuple) and core[1:] == (("#", 0), ("#", 1)) else ""
    declared, unit = scope.functions.get(name), scope.functions[by].unit
    own = declared.inverse if declared and declared.by == by else ()
    inverse = (unit, "") if name == unit else own
    if not inverse or not all(map(bare, v)) or not all(map(scope.positive, v)):
        raise Rejected("it is not shown to be a covariance")
    return ("*", ONE, ONE, *v), inverse[0], ("ln", (inverse[1],)) if inverse[1] else ZERO


def normals(scope: Scope, term: Any, declared: Function) -> Term:
    """The normal law of covariance v C is exp(-(y . C^-1 y / v + ln det C) / 2), where y = x - m,
    by the product of normal(0; 0, v) over the coordinates."""
    if declared.kind != "normal" or 1 in spoken(term[1][2]) | spoken(term[2][2]):
        raise Rejected("normals: it is no normal law of vectors of one index")
    (x, m, spread), by = (f[2] for f in term[1:]), declared.by
    v, inverse, rest = _covariance(scope, spread, by)
    y = ("+", x, ("-", m))
    row = (by, ("=>", 1, ("*", (inverse, ("#", 1), ("#", 0)), y)))
    each = ("+", ("ln", ("normal", ZERO, ZERO, v)), ("-", ("/", ("/", ("*", y, row), v), TWO)))
    return ("exp", ("+", (by, ("=>", 1, each)), ("-", ("/", rest, TWO))))


def moments(scope: Scope, term: Any, declared: Function) -> Term:
    """The integral over vectors x of at most four x(t) by a normal law: each is its mean, or goes
    with another into their covariance."""
    *at, law = _factors(term[1][2] if declared.points else None)
    by = scope.functions.get(law[0]) if isinstance(law, tuple) else None
    if (
        by is None or by.kind != "normal" or by.by != declared.by or len(at) > 4
        or law[1][2] != (declared.points, ("#", 2), ("#", 0)) or not all(map(bare, law[2:]))
    ):  # fmt: skip
        raise Rejected("moments: it is no product of coordinates by a normal law of vectors")
    _covariance(scope, law[3][2], by.by)
    unit = scope.functions[by.by].unit
    scope.suppose("the moments of a normal law of vectors")
    return _mean([_index(scope, f, declared.points, unit) for f in at], law[2][2], law[3][2])


def _mean(at: list[Term], m: Term, c: Term) -> Term:
    if not at:
        return ONE
    t, *rest = at
    two = [
        ("*", opened(c, [t, u]), _mean(rest[:k] + rest[k + 1 :], m, c)) for k, u in enumerate(rest)
    ]
    return ("+", ZERO, ("*", opened(m, [t, t]), _mean(rest, m, c)), *two)


def flux(scope: Scope, term: Any, declared: Function) -> Term:
    """The integral over the line of the derivative of what vanishes far out is 0."""
    body: Any = term[1][2] if declared.line else None
    slope = isinstance(body, tuple) and body[0] == DERIVATIVE and body[2] == ("#", 0)
    if not slope or not bare(body[1]):
        raise Rejected("flux: it is no integral of a derivative over the line")
    scope.suppose("what is differentiated is smooth and vanishes far out")
    return ZERO


def meaning(scope: Scope, term: Any, declared: Function) -> Term:
    """KL(p, q) = E_p ln(p/q); H(p) = -E_p ln p; TV(p, q) is half the integral of |p - q|; JS(p, q)
    is half the sum of the divergences from the middle of both."""

    def expectation(body: Term, by: Any) -> Term:
        return (declared.by, ("=>", by[1], ("ln", body)), by)

    if not declared.by:
        raise Rejected("meaning: it is no divergence and no entropy")
    scope.suppose(f"{term[0]} is what {declared.kind} means")
    p, q = term[1], term[-1]
    if declared.kind == "H":
        return ("-", expectation(p[2], p))
    if declared.kind == "KL":
        return expectation(("/", p[2], q[2]), p)
    if declared.kind == "TV":
        off = ("abs", ("+", p[2], ("-", q[2])))
        return ("/", (declared.by, ("=>", p[1], off)), TWO)
    middle = ("/", ("+", p[2], q[2]), TWO)
    both = ("+", *(expectation(("/", one[2], middle), one) for one in (p, q)))
    return ("/", both, TWO)


def counted(rule: str, scope: Scope, term: Any, declared: Function) -> Term:
    """Of a sum over a, a + 1, ..., b: it is the one to b - 1 and the last term; (b - a + 1) c if
    all terms are c; 0 if b < a."""
    if not (declared.steps and declared.kind == "sum"):
        raise Rejected(f"{rule}: it is no sum from one number to another")
    head, (_, _, body), a, b = term
    length: Term = ("+", b, ("-", a), ONE)
    whole = scope.whole(a) and scope.whole(b)
    if rule == "last" and whole and scope.positive(length):
        return ("+", (head, term[1], a, ("+", b, -ONE)), opened(body, [b]))
    if rule == "count" and whole and bare(body) and scope.nonnegative(length):
        return ("*", length, body)
    if rule == "empty" and scope.positive(("+", a, ("-", b))):
        return ZERO
    raise Rejected(f"{rule}: the sum is no such one, or what it needs is not shown")


def ratio(scope: Scope, term: Any, declared: Function) -> Term:
    """p(z|x) = p(x, z) / p(x)."""
    if not declared.ratio:
        raise Rejected("ratio: it is no conditional density")
    scope.suppose(f"{term[0]} is a quotient of densities")
    return ("/", *(opened(t, term[1:]) for t in declared.ratio))


def chain(scope: Scope, term: Any, declared: Function) -> Term:
    """p(x, z) = p(x) p(z|x)."""
    if not declared.chain:
        raise Rejected("chain: it is no joint density")
    scope.suppose(f"{term[0]} is a product of densities")
    return ("*", *(opened(t, term[1:]) for t in declared.chain))


ROWS: Any = {"linear": linear, "margin": margin, "moment": moment, "meaning": meaning,
             "ratio": ratio, "chain": chain, "flux": flux, "sift": sift, "normals": normals,
             "moments": moments,
             **{rule: partial(counted, rule) for rule in ("last", "count", "empty")}}  # fmt: skip


def equal(rule: str, term: Term, scope: Scope) -> Term:
    """The right side of term = ..., by a law."""
    if not isinstance(term, tuple) or term[0] not in scope.functions:
        raise Rejected(f"{rule}: it is no function that is declared")
    found: Term = ROWS[rule](scope, term, scope.functions[term[0]])
    return found
