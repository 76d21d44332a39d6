"""Derivatives by the rules of calculus, at one place.

The rules give the derivative there, not on a neighbourhood: of a quotient where the denominator is
not 0 there, of ln and sqrt where the argument is > 0 there. Of a function that is not declared
smooth it is supposed that it has a derivative in that argument, and the line says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genmath.proof.kernel.claims import LINEAR, Function
from genmath.proof.kernel.limits import GROWN, Rejected, Work, sized
from genmath.proof.kernel.rules import Scope
from genmath.proof.kernel.terms import DERIVATIVE, ONE, OWN, ZERO, Term, opened, parts

PLACE = "·"  # a letter that no certificate can write


def equal(term: Any, scope: Scope) -> Term:
    """The derivative of a function at a place."""
    if not isinstance(term, tuple) or term[0] != DERIVATIVE:
        raise Rejected("slope: it is no derivative")
    slope = _Slopes(scope, term[2])(opened(term[1][2], [PLACE]))
    sized(slope, Work(GROWN))
    return _put(slope, term[2])


def smooth(term: Any, functions: Mapping[str, Function]) -> bool:
    """Whether all functions in it are the kernel's own, or declared smooth: so it is continuous
    where it was found as a slope."""
    if not isinstance(term, tuple):
        return True
    declared = functions.get(term[0])
    known = declared.smooth if declared else term[0] != DERIVATIVE
    return known and all(smooth(a, functions) for a in parts(term))


class _Slopes:
    def __init__(self, scope: Scope, place: Term) -> None:
        self.scope, self.place = scope, place

    def _need(self, known: Any, term: Term) -> None:
        if not known(_put(term, self.place)):
            raise Rejected("it is differentiated where it may have no derivative")

    def __call__(self, t: Term) -> Term:
        if t == PLACE:
            return ONE
        if not _speaks(t):
            return ZERO
        assert isinstance(t, tuple)
        match t[0]:
            case "+" | "-":
                return (t[0], *map(self, t[1:]))
            case "*":  # each factor in turn
                each = [("*", self(a), *t[1:i], *t[i + 1 :]) for i, a in enumerate(t) if i]
                return ("+", *each)
            case "/":  # (a' b - a b') / b / b, if b != 0
                _, a, b = t
                self._need(self.scope.nonzero, b)
                top = ("+", ("*", self(a), b), ("-", ("*", a, self(b))))
                return ("/", ("/", top, b), b)
            case "^":
                return ("*", ONE * t[2], ("^", t[1], max(t[2] - 1, 0)), self(t[1]))
            case "normal":
                return self._normal(t, *t[1:])
            case "power":  # u^v (v' ln u + v u' / u), if u > 0
                _, u, v = t
                self._need(self.scope.positive, u)
                return ("*", t, ("+", ("*", self(v), ("ln", u)), ("/", ("*", v, self(u)), u)))
        spoken = [i for i, a in enumerate(t) if i and _speaks(a)]
        declared = self.scope.functions.get(t[0])
        if spoken == [1] and declared and declared.kind in LINEAR:
            return self._under(t)
        if any(_is_function(t[i]) for i in spoken):
            raise Rejected("no rule differentiates this function")
        if len(spoken) > 1:
            self.scope.suppose(f"{t[0]} is differentiable")
        each = [("*", self._outer(t, i, t[i]), self(t[i])) for i in spoken]
        return each[0] if len(each) == 1 else ("+", *each)

    def _under(self, t: tuple[Any, ...]) -> Term:
        """Of an integral or sum over what does not move: that of the derivative."""
        self.scope.suppose(f"derivatives may be taken under {t[0]}")
        _, m, body = t[1]
        inside = (DERIVATIVE, ("=>", 1, abstracted(body)), PLACE)
        return (t[0], ("=>", m, inside), *t[2:])

    def _outer(self, t: tuple[Any, ...], i: int, u: Term) -> Term:
        """Of the function itself, for the chain rule; ln, sqrt and log_gap if u > 0."""
        if t[0] in ("ln", "sqrt", "log_gap"):
            self._need(self.scope.positive, u)
        match t[0]:
            case "exp":
                return t
            case "ln":
                return ("/", ONE, u)
            case "log_gap":
                return ("+", ONE, ("-", ("/", ONE, u)))
            case "sqrt":
                return ("/", ONE / 2, t)
            case "sin":
                return ("cos", u)
            case "cos":
                return ("-", ("sin", u))
        if t[0] in OWN and t[0] != DERIVATIVE:
            raise Rejected("no rule differentiates this function")
        declared = self.scope.functions.get(t[0])
        if declared is None or not declared.smooth:
            self.scope.suppose(f"{t[0]} has a derivative in its argument {i}")
        if declared and declared.slope:
            return (declared.slope, u)
        return (DERIVATIVE, ("=>", 1, (*t[:i], ("#", 0), *t[i + 1 :])), u)

    def _normal(self, t: Term, x: Term, m: Term, v: Term) -> Term:
        """Of exp(-(x - m)^2 / 2v) / sqrt(2 pi v), if v > 0."""
        self._need(self.scope.positive, v)
        off, dv = ("+", x, ("-", m)), self(v)
        moved = ("-", ("/", ("*", off, ("+", self(x), ("-", self(m)))), v))
        spread = ("/", ("/", ("*", ("^", off, 2), dv, ONE / 2), v), v)
        return ("*", t, ("+", moved, spread, ("-", ("/", ("*", dv, ONE / 2), v))))


def _is_function(t: Any) -> bool:
    return isinstance(t, tuple) and t[0] == "=>"


def _speaks(t: Term) -> bool:
    return any(map(_speaks, parts(t))) if isinstance(t, tuple) else t == PLACE


def abstracted(t: Term, depth: int = 0) -> Term:
    """The body of a function of PLACE, under which other letters may be bound."""
    if not isinstance(t, tuple):
        return ("#", depth) if t == PLACE else t
    match t[0]:
        case "#":
            return ("#", t[1] + 1) if t[1] >= depth else t
        case "=>":
            return (*t[:2], abstracted(t[2], depth + t[1]))
        case "^":
            return ("^", abstracted(t[1], depth), t[2])
    return (t[0], *(abstracted(a, depth) for a in t[1:]))


def _put(t: Term, place: Term) -> Term:
    """A closed term for the letter PLACE."""
    if not isinstance(t, tuple):
        return place if t == PLACE else t
    return (t[0], *(_put(a, place) if not isinstance(a, int) else a for a in t[1:]))
