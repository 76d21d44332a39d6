"""Local rules: what a function at arguments is equal to, and where its values lie.

Each row says its rule in words. A rule asks `scope` for its side conditions, which must have been
shown before; it returns what it gives, or None where it does not apply.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from genmath.proof.kernel.claims import Function
from genmath.proof.kernel.limits import Rejected
from genmath.proof.kernel.terms import ONE, PI, TWO, ZERO, Fact, Term, at, bare


class Scope(Protocol):
    """What the rules ask for."""

    functions: dict[str, Function]
    known: set[Fact]

    def positive(self, term: Term) -> bool: ...
    def nonnegative(self, term: Term) -> bool: ...
    def nonzero(self, term: Term) -> bool: ...
    def whole(self, term: Term) -> bool: ...
    def suppose(self, law: str) -> None: ...


Needs = Callable[..., bool]  # of the scope, and the parts of the argument


def _nothing(scope: Scope, *parts: Any) -> bool:
    return True


def _positive(scope: Scope, *parts: Any) -> bool:
    return all(map(scope.positive, parts))


def _nonnegative(scope: Scope, *parts: Any) -> bool:
    return all(map(scope.nonnegative, parts))


class Row(NamedTuple):
    words: str
    head: str  # of the term
    shape: str  # of its argument, whose parts the rule then takes; "": the arguments themselves
    needs: Needs
    gives: Callable[..., Term]


def _each(head: str, terms: tuple[Term, ...]) -> list[Term]:
    return [(head, t) for t in terms]


def _normal(x: Term, m: Term, v: Term) -> Term:
    spread = ("/", ("^", ("+", x, ("-", m)), 2), ("*", TWO, v))
    return ("/", ("exp", ("-", spread)), ("sqrt", ("*", TWO, PI, v)))


ROWS = {
    "exp_zero": Row(
        "exp 0 = 1", "exp", "", lambda s, u: u == ZERO, lambda u: ONE),
    "exp_sum": Row(
        "exp(u + v) = exp u exp v", "exp", "+", _nothing, lambda *u: ("*", *_each("exp", u))),
    "exp_minus": Row(
        "exp(-u) = 1 / exp u", "exp", "-", _nothing, lambda u: ("/", ONE, ("exp", u))),
    "exp_ln": Row(
        "exp(ln u) = u, if u > 0", "exp", "ln", _positive, lambda u: u),
    "ln_one": Row(
        "ln 1 = 0", "ln", "", lambda s, u: u == ONE, lambda u: ZERO),
    "ln_product": Row(
        "ln(u v) = ln u + ln v, if u > 0 and v > 0",
        "ln", "*", _positive, lambda *u: ("+", *_each("ln", u))),
    "ln_quotient": Row(
        "ln(u / v) = ln u - ln v, if u > 0 and v > 0",
        "ln", "/", _positive, lambda u, v: ("+", ("ln", u), ("-", ("ln", v)))),
    "ln_power": Row(
        "ln(u^k) = k ln u, if u > 0",
        "ln", "^", lambda s, u, k: s.positive(u), lambda u, k: ("*", ONE * k, ("ln", u))),
    "ln_exp": Row(
        "ln(exp u) = u", "ln", "exp", _nothing, lambda u: u),
    "ln_sqrt": Row(
        "ln(sqrt u) = ln u / 2, if u > 0",
        "ln", "sqrt", _positive, lambda u: ("/", ("ln", u), TWO)),
    "sqrt_product": Row(
        "sqrt(u v) = sqrt u sqrt v, if u >= 0 and v >= 0",
        "sqrt", "*", _nonnegative, lambda *u: ("*", *_each("sqrt", u))),
    "sqrt_quotient": Row(
        "sqrt(u / v) = sqrt u / sqrt v, if u >= 0 and v > 0",
        "sqrt", "/", lambda s, u, v: s.nonnegative(u) and s.positive(v),
        lambda u, v: ("/", ("sqrt", u), ("sqrt", v))),
    "sqrt_square": Row(
        "sqrt(u^2) = u, if u >= 0",
        "sqrt", "^", lambda s, u, k: k == 2 and s.nonnegative(u), lambda u, k: u),
    "abs_plus": Row(
        "|u| = u, if u >= 0", "abs", "", _nonnegative, lambda u: u),
    "abs_minus": Row(
        "|u| = -u, if -u >= 0",
        "abs", "", lambda s, u: s.nonnegative(("-", u)), lambda u: ("-", u)),
    "abs_even": Row(
        "|-u| = |u|", "abs", "-", _nothing, lambda u: ("abs", u)),
    "abs_product": Row(
        "|u v| = |u| |v|", "abs", "*", _nothing, lambda *u: ("*", *_each("abs", u))),
    "abs_quotient": Row(
        "|u / v| = |u| / |v|, if v != 0",
        "abs", "/", lambda s, u, v: s.nonzero(v), lambda u, v: ("/", *_each("abs", (u, v)))),
    "log_gap": Row(
        "log_gap u = u - 1 - ln u, by definition",
        "log_gap", "", _nothing, lambda u: ("+", u, ("-", ONE), ("-", ("ln", u)))),
    "power": Row(
        "power(u, v) = exp(v ln u), if u > 0",
        "power", "", lambda s, u, v: s.positive(u), lambda u, v: ("exp", ("*", v, ("ln", u)))),
    "normal": Row(
        "normal(x; m, v) = exp(-(x - m)^2 / 2v) / sqrt(2 pi v), by definition",
        "normal", "", _nothing, _normal),
}  # fmt: skip


def equal(rule: str, term: Term, scope: Scope) -> Term:
    """The right side of term = ..., by a row of the table."""
    row = ROWS[rule]
    parts: Any = term[1:] if isinstance(term, tuple) and term[0] == row.head else ()
    if parts and row.shape:
        inner = parts[0]
        parts = inner[1:] if isinstance(inner, tuple) and inner[0] == row.shape else ()
    if not parts or not row.needs(scope, *parts):
        raise Rejected(f"{rule}: the term is no such one, or what it needs is not shown")
    return row.gives(*parts)


def _divergence(t: Any, scope: Scope) -> Fact | None:
    declared = scope.functions.get(t[0]) if isinstance(t, tuple) else None
    if declared is None or declared.kind not in ("KL", "JS"):
        return None
    if not all(_density(f, scope.functions[declared.by], scope) for f in t[1:]):
        return None
    scope.suppose(f"{t[0]} is >= 0")
    return "<=", ZERO, t


def _density(f: Any, by: Function, scope: Scope) -> bool:
    """Whether a function of the letters of an expectation is one of its densities: at just these
    letters, and, given what it may be, at what does not move."""
    _, m, body = f
    declared = scope.functions.get(body[0]) if isinstance(body, tuple) else None
    return (
        declared is not None
        and len(by.each) == m
        and tuple(measure for measure, _ in declared.margins) == by.each
        and body[1 : m + 1] == tuple(("#", k) for k in range(m))
        and all(map(bare, body[m + 1 :]))
    )


def _support(t: Any, scope: Scope) -> Fact | None:
    declared = scope.functions.get(t[0]) if isinstance(t, tuple) else None
    if declared is None or not declared.margins:
        return None
    scope.suppose(f"{t[0]} is > 0")
    return "<", ZERO, t


def _size(t: Any, scope: Scope) -> Fact | None:
    if not (_is(t, "+") and len(t) == 3 and _is(t[2], "-") and _is(t[2][1], "abs")):
        return None
    most, u = t[1], t[2][1][1]
    both = scope.nonnegative(("+", most, ("-", u))) and scope.nonnegative(("+", most, u))
    return ("<=", ZERO, t) if both else None


BOUNDS: dict[str, tuple[str, Callable[[Any, Scope], Any]]] = {
    "square": ("0 <= t^2", lambda t, s: ("<=", ZERO, ("^", t, 2))),
    "inverse": ("0 < 1 / t, if 0 < t",
                lambda t, s: s.positive(t) and ("<", ZERO, ("/", ONE, t))),
    "pi_above": ("3 < pi", lambda t, s: t == PI and ("<", ONE * 3, PI)),
    "pi_below": ("pi < 4", lambda t, s: t == PI and ("<", PI, ONE * 4)),
    "exp": ("0 < exp u", lambda t, s: _is(t, "exp") and ("<", ZERO, t)),
    "abs": ("0 <= |u|", lambda t, s: _is(t, "abs") and ("<=", ZERO, t)),
    "abs_nonzero": ("0 < |u|, if u != 0",
                    lambda t, s: _is(t, "abs") and s.nonzero(t[1]) and ("<", ZERO, t)),
    "abs_above": ("u <= |u|", lambda t, s: _is(t, "abs") and ("<=", t[1], t)),
    "abs_below": ("-u <= |u|", lambda t, s: _is(t, "abs") and ("<=", ("-", t[1]), t)),
    "abs_most": ("0 <= b - |u|, if 0 <= b - u and 0 <= b + u", _size),
    "sqrt": ("0 <= sqrt u if 0 <= u, and 0 < sqrt u if 0 < u",
             lambda t, s: _is(t, "sqrt") and s.nonnegative(t[1])
             and ("<" if s.positive(t[1]) else "<=", ZERO, t)),
    "root": ("(sqrt u)^2 = u, if 0 <= u",
             lambda t, s: _is(t, "sqrt") and s.nonnegative(t[1]) and ("=", ("^", t, 2), t[1])),
    "circle": ("(sin u)^2 = 1 - (cos u)^2",
               lambda t, s: _is(t, "sin") and ("=", ("^", t, 2), _rest(("cos", t[1])))),
    "bit": ("t^2 = t, of an indicator t",
            lambda t, s: _indicates(t, s) and ("=", ("^", t, 2), t)),
    "size": ("|u| = (2 t - 1) u, where t is the indicator of u",
             lambda t, s: _indicates(t, s)
             and ("=", ("abs", t[1]), ("*", ("+", ("*", TWO, t), ("-", ONE)), t[1]))),
    "log_gap": ("0 <= log_gap u, if 0 < u",
                lambda t, s: _is(t, "log_gap") and s.positive(t[1]) and ("<=", ZERO, t)),
    "normal": ("0 < normal(x; m, v), if 0 < v",
               lambda t, s: _is(t, "normal") and s.positive(t[3]) and ("<", ZERO, t)),
    "divergence": ("0 <= KL(p, q), and so for JS, of two densities, a law of such", _divergence),
    "support": ("0 < p(x), a law of densities", _support),
}  # fmt: skip


def _indicates(t: Any, scope: Scope) -> bool:
    """Whether t is 1 where its argument is > 0, and else 0."""
    declared = scope.functions.get(t[0]) if isinstance(t, tuple) else None
    return declared is not None and declared.kind == "indicator"


def _rest(cosine: Term) -> Term:
    return ("+", ONE, ("-", ("^", cosine, 2)))


def _is(term: Any, head: str) -> bool:
    return isinstance(term, tuple) and term[0] == head


def bound(rule: Any, term: Term, scope: Scope) -> Fact:
    """Where a term, its square or its inverse lies, by a row of the table."""
    row = BOUNDS.get(rule) if isinstance(rule, str) else None
    fact: Fact | None = row[1](term, scope) or None if row else None
    if fact is None:
        raise Rejected("no such bound, or what it needs is not shown")
    return fact


def value(term: Term, k: Any, scope: Scope) -> Fact:
    """What is declared of the values of a function."""
    declared = scope.functions.get(term[0]) if isinstance(term, tuple) else None
    if declared is None or type(k) is not int or not 0 <= k < len(declared.values):
        raise Rejected("nothing such is declared of its values")
    return at(declared.values[k], [term])
