"""What is >= 0 as a gap of the logarithm: a log(a/b) - a + b is a log_gap(b/a)."""

from __future__ import annotations

from genmath.proof.coq.monomials import expand, product
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import ARITHMETIC, Term, app, div, lam, mul, num


def as_gap(t: Term, signs: Signs) -> Term:
    """With gaps under integrals that are not seen to be >= 0. A guess: that it is equal is still
    to be shown."""
    if t.op in ARITHMETIC:
        return Term(t.op, tuple(as_gap(a, signs) for a in t.args), t.data)
    head = signs.heads.get(t.data) if t.op == "app" else None
    if head is None or not head.linear or signs.nonnegative(t):
        return t
    function, *others = t.args
    inside = signs.inside(function)
    body = _gap(function.args[0], inside) or as_gap(function.args[0], inside)
    return app(t.data, lam(function.data, body), *others)


def _gap(t: Term, signs: Signs) -> Term | None:
    products = (expand(t) or {}).items()
    logs = [(c, m, f) for m, c in products for f, k in m if f.data == "ln" and k == 1]
    if len(logs) != 1:
        return None
    ((c, m, log),) = logs
    (u,) = log.args
    weight = mul(num(abs(c)), product(m - {(log, 1)}, {}))
    ratio = u if c < 0 else div(u.args[1], u.args[0]) if u.op == "div" else div(num(1), u)
    if not signs.positive(ratio) or not signs.positive(weight):
        return None
    return mul(weight, app("log_gap", ratio))
