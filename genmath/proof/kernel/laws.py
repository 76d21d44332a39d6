"""Laws of integrals, expectations, sums and densities; a certificate that uses one says so.

They hold where the integrals exist and the densities are densities, which is more than the kernel
knows. Only what a finite sum does is no more than what it is.
"""

from __future__ import annotations

from typing import Any

from genmath.proof.kernel.claims import LINEAR, Function
from genmath.proof.kernel.limits import Rejected
from genmath.proof.kernel.rules import Scope
from genmath.proof.kernel.terms import ONE, TWO, Term, bare, opened, parts, spoken


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


def total(scope: Scope, term: Any, declared: Function) -> Term:
    """E(1) = 1, by densities. They are integrated one after the other, each over letters of its
    own, of which none that is left speaks; at the end no letter is left."""
    if declared.kind != "expectation" or term[1][2] != ONE:
        raise Rejected("total: it is no expectation of 1")
    letters = set(range(term[1][1]))
    left = [(w[2], _events(scope, w[2], declared)) for w in term[2:]]
    while left:
        for i, (_, events) in enumerate(left):
            others = [spoken(o) for j, (o, _) in enumerate(left) if j != i]
            if events and all(map(events.isdisjoint, others)):
                break
        else:
            raise Rejected("total: it is not by densities in letters of their own")
        letters -= left.pop(i)[1]
    if letters:
        raise Rejected("total: a letter has no density")
    scope.suppose("a density integrates to one")
    return ONE


def _events(scope: Scope, weight: Any, declared: Function) -> set[int]:
    """The letters in which a weight is a density: it is one of them all at once."""
    args, n = parts(weight) if isinstance(weight, tuple) else (), 0
    if args and weight[0] == "normal" and scope.positive(args[2]) and not declared.ranges:
        n = 1
    elif args and weight[0] in scope.functions:
        n = scope.functions[weight[0]].events
    found = {e[1] for e in args[:n] if isinstance(e, tuple) and e[0] == "#"}
    own = len(found) == n and all(found.isdisjoint(spoken(o)) for o in args[n:])
    return found if own else set()


def moment(scope: Scope, term: Any, declared: Function) -> Term:
    """E(x^k) by the normal law of mean m and variance v > 0, for k up to 4."""
    by_one = declared.kind == "expectation" and len(term) == 3 and term[1][1] == 1
    law, x, body = term[2][2] if by_one else None, ("#", 0), term[1][2] if by_one else None
    factors = body[1:] if isinstance(body, tuple) and body[0] == "*" else (body,)
    if (
        not isinstance(law, tuple) or law[:2] != ("normal", x) or declared.ranges
        or not bare(law[2]) or not scope.positive(law[3])
        or len(factors) > 4 or {*factors} != {x}
    ):  # fmt: skip
        raise Rejected("moment: it is no E(x^k) by a normal law, k at most 4, variance > 0")
    scope.suppose("the moments of a normal law")
    m, v = law[2:]
    moments = (
        m,
        ("+", ("^", m, 2), v),
        ("+", ("^", m, 3), ("*", ONE * 3, m, v)),
        ("+", ("^", m, 4), ("*", ONE * 6, ("^", m, 2), v), ("*", ONE * 3, ("^", v, 2))),
    )
    return moments[len(factors) - 1]


def meaning(scope: Scope, term: Any, declared: Function) -> Term:
    """KL(p, q) = E_p ln(p/q); H(p) = -E_p ln p; JS(p, q) is half the sum of the divergences from
    the middle of both."""

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
    middle = ("/", ("+", p[2], q[2]), TWO)
    both = ("+", *(expectation(("/", one[2], middle), one) for one in (p, q)))
    return ("/", both, TWO)


def ratio(scope: Scope, term: Any, declared: Function) -> Term:
    """p(z|x) = p(x, z) / p(x)."""
    if not declared.ratio:
        raise Rejected("ratio: it is no conditional density")
    scope.suppose(f"{term[0]} is a quotient of densities")
    return ("/", *(opened(t, term[1:]) for t in declared.ratio))


ROWS = {"linear": linear, "total": total, "moment": moment, "meaning": meaning, "ratio": ratio}


def equal(rule: str, term: Term, scope: Scope) -> Term:
    """The right side of term = ..., by a law."""
    if not isinstance(term, tuple) or term[0] not in scope.functions:
        raise Rejected(f"{rule}: it is no function that is declared")
    return ROWS[rule](scope, term, scope.functions[term[0]])
