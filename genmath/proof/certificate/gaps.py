"""What is >= 0 as a gap of the logarithm: a log(a/b) - a + b is a log_gap(b/a)."""

from __future__ import annotations

from genmath.proof.coq.monomials import expand, product, together
from genmath.proof.coq.rules import opened
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import ARITHMETIC, Term, add, app, div, lam, mul, neg, num

ZERO, ONE = num(0), num(1)


def as_gap(t: Term, signs: Signs) -> Term:
    """With gaps for sums that are not seen to be >= 0, also under integrals. A guess: that it is
    equal is still to be shown."""
    if signs.nonnegative(t):
        return t
    if t.op in ARITHMETIC:
        one = _gap(t, signs) if t.op == "add" else None
        return one or Term(t.op, tuple(as_gap(a, signs) for a in t.args), t.data)
    head = signs.heads.get(t.data) if t.op == "app" else None
    if head is None or not head.linear:
        return t
    function, *others = t.args
    body = as_gap(function.args[0], signs.inside(function))
    return app(t.data, lam(function.data, body), *others)


def equal_gap(t: Term, signs: Signs) -> Term | None:
    """The same as such gaps, where that is plain algebra."""
    found = _gap(t, signs)
    if found is None:
        return None
    rest = opened(add(t, neg(found)), signs)
    one = together(rest, deep=True)
    return found if expand(rest) == {} or (one and one[0] == ZERO) else None


def _gap(t: Term, signs: Signs) -> Term | None:
    """a log(u) is that of 1/u; C log M less the sum of c log(u), the C being that of the c, is the
    sum of c times those of u/M."""
    logs = [
        (c, m - {(f, 1)}, f.args[0])
        for m, c in (expand(t) or {}).items()
        for f, k in m
        if f.data == "ln" and k == 1
    ]
    above = [log for log in logs if log[0] > 0]
    if len(logs) == 1:
        ((c, m, u),) = logs
        ratio = u if c < 0 else div(u.args[1], u.args[0]) if u.op == "div" else div(ONE, u)
        pairs = [(c, m, ratio)]
    elif len(above) == 1:
        pairs = [(c, m, div(u, above[0][2])) for c, m, u in logs if c < 0]
    else:
        return None
    parts = [(mul(num(abs(c)), product(m, {})), ratio) for c, m, ratio in pairs]
    if not all(signs.positive(ratio) and signs.nonnegative(weight) for weight, ratio in parts):
        return None
    return add(*(mul(weight, app("log_gap", ratio)) for weight, ratio in parts))
