"""Derivatives: what they are, and the proof that they are it.

A derivative is a function of a function and a place, of which one thing is supposed: where the
function has a slope, it is that. What is not known of functions is that they have one: a claim that
differentiates them supposes so.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from genmath.proof.coq.reading import DERIVATIVE, POWER, Head
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, div, lam, mul, neg, num, power, replaced, var

ZERO, ONE = num(0), num(1)


class NoSlope(ValueError):
    """A function has no slope by these rules."""


class Slopes:
    """Slopes by one letter, under some signs. `supposed`: of which functions it is supposed that
    they have one, and in which argument; `sides`: what was seen to be > 0, or not 0."""

    def __init__(
        self, letter: str, signs: Signs, heads: Mapping[str, Head], at: Term | None = None
    ) -> None:
        self.letter, self.signs, self.heads, self.at = letter, signs, heads, at
        self.supposed: dict[tuple[str, int], None] = {}
        self.sides: list[tuple[Term, str]] = []

    def __call__(self, term: Term) -> tuple[Term, str]:
        """The slope, and the proof."""
        if self.letter not in term.free:
            return ZERO, f"(d_const ({term}) {self.letter})"
        match term.op:
            case "var":
                return ONE, f"(d_id {self.letter})"
            case "add":
                return self._folded(term.args, "plus")
            case "mul":
                return self._folded(term.args, "times")
            case "neg":
                slope, proof = self(term.args[0])
                return _neg(slope), f"(d_neg _ _ _ {proof})"
            case "div":
                over, under = term.args
                (a, first), (b, second) = self(over), self(under)
                side = self._side(under, "<>")
                if b == ZERO:
                    slope = _div(a, under)
                else:
                    slope = div(_add(_mul(a, under), _neg(_mul(over, b))), power(under, 2))
                return slope, f"(d_div _ _ _ _ _ {first} {second} {side})"
            case "pow":
                base, k = term.args[0], int(term.data)
                slope, proof = self(base)
                rest = num(k) if k == 1 else mul(num(k), power(base, k - 1) if k > 2 else base)
                return _mul(rest, slope), f"(d_pow _ {k} _ _ {proof})"
            case "app":
                return self._function(term)
        raise NoSlope

    def _folded(self, args: tuple[Term, ...], rule: str) -> tuple[Term, str]:
        whole = args[0]
        slope, proof = self(whole)
        for arg in args[1:]:
            other, second = self(arg)
            if rule == "plus":
                slope, whole = _add(slope, other), add(whole, arg)
            else:
                slope, whole = _add(_mul(slope, arg), _mul(whole, other)), mul(whole, arg)
            proof = f"(d_{rule} _ _ _ _ _ {proof} {second})"
        return slope, proof

    def _function(self, term: Term) -> tuple[Term, str]:
        if term.data == "normal":
            return self._normal(*term.args)
        if term.data == POWER and self.signs.apart:
            return self._power(term, *term.args), ""
        inside = [i for i, a in enumerate(term.args) if self.letter in a.free]
        head = self.heads.get(term.data)
        if self.signs.apart and self.signs.laws and head and head.linear and inside == [0]:
            return self._under(term), ""
        more = len(inside) > 1 or term.data == DERIVATIVE
        if self.signs.apart and more and not any(term.args[i].op == "lam" for i in inside):
            return self._partials(term, inside), ""
        if len(inside) != 1 or term.args[inside[0]].op == "lam":
            raise NoSlope
        at = term.args[inside[0]]
        inner, proof = self(at)
        match term.data:
            case "ln" | "log_gap":
                side = self._side(at, "<")
                slope = _div(inner, at)
                slope = slope if term.data == "ln" else _add(inner, _neg(slope))
                return slope, f"(d_{term.data} _ _ _ {proof} {side})"
            case "exp":
                return _mul(term, inner), f"(d_exp _ _ _ {proof})"
            case "sqrt":
                side = self._side(at, "<")
                return _div(inner, mul(num(2), term)), f"(d_sqrt _ _ _ {proof} {side})"
            case "sin":
                return _mul(app("cos", at), inner), f"(d_sin _ _ _ {proof})"
            case "cos":
                return _mul(neg(app("sin", at)), inner), f"(d_cos _ _ _ {proof})"
        return self._unknown(term, inside[0], inner, proof)

    def _partials(self, term: Term, inside: list[int]) -> Term:
        """The chain rule in several arguments, or of a derivative."""
        head = self.heads.get(term.data)
        if head is None:
            raise NoSlope
        slopes = [(slope_of(head, self.heads, term.args, i), self(term.args[i])[0]) for i in inside]
        return add(*(_mul(outer, inner) for outer, inner in slopes))

    def _under(self, term: Term) -> Term:
        """Of an integral whose measure does not move."""
        function, *others = term.args
        moving = f"d{function.height}"
        body = replaced(function.args[0], {self.letter: moving})
        slope = app(DERIVATIVE, lam(((moving, ()),), body), var(self.letter))
        return app(term.data, lam(function.data, slope), *others)

    def _normal(self, x: Term, m: Term, v: Term) -> tuple[Term, str]:
        (a, first), (b, second), (c, third) = self(x), self(m), self(v)
        side = self._side(v, "<")
        off = add(x, neg(m))
        terms = _neg(_div(_mul(off, _add(a, _neg(b))), v))
        if c != ZERO:
            spread = _add(
                div(_mul(power(off, 2), c), mul(num(2), power(v, 2))), _neg(div(c, mul(num(2), v)))
            )
            terms = _add(terms, spread)
        slope = _mul(app("normal", x, m, v), terms)
        return slope, f"(d_normal _ _ _ _ _ _ _ {first} {second} {third} {side})"

    def _power(self, term: Term, u: Term, v: Term) -> Term:
        self._side(u, "<")
        (a, _), (b, _) = self(u), self(v)
        return _mul(term, _add(_mul(b, app("ln", u)), _div(_mul(v, a), u)))

    def _unknown(self, term: Term, i: int, inner: Term, proof: str) -> tuple[Term, str]:
        """The chain rule. One derivative more of a function of one argument has a name."""
        head = self.heads.get(term.data)
        if head is None or head.name == DERIVATIVE or head.takes[i] != "R":
            raise NoSlope
        self.supposed[(head.name, i)] = None
        outer = slope_of(head, self.heads, term.args, i)
        others = " ".join(f"({a})" for k, a in enumerate(term.args) if k != i)
        known = f"(H_{head.name}_{i + 1} {others})" if others else f"H_{head.name}_{i + 1}"
        return _mul(outer, inner), f"(d_chain _ _ _ _ _ {known} {proof})"

    def _side(self, term: Term, sign: str) -> str:
        if self.at is not None:
            term = replaced(term, {self.letter: self.at})
        if not (self.signs.positive(term) if sign == "<" else self.signs.nonzero(term)):
            raise NoSlope
        self.sides.append((term, sign))
        return f"Hd{len(self.sides)}"


def slope_of(head: Head, heads: Mapping[str, Head], args: tuple[Term, ...], i: int) -> Term:
    """The derivative of a function in one argument, there."""
    if head.slope and head.slope in heads:
        return app(head.slope, *args)
    height = 1 + max((a.height for a in args), default=0)
    taken = frozenset[str]().union(*(a.free for a in args))
    letter = next(n for k in itertools.count(height) if (n := f"v{k}") not in taken)
    inside = app(head.name, *(var(letter) if k == i else a for k, a in enumerate(args)))
    return app(DERIVATIVE, lam(((letter, ()),), inside), args[i])


def derivative(term: Term, signs: Signs, heads: Mapping[str, Head]) -> tuple[Term, str, Slopes]:
    """Of a derivative at a letter: what it is, the proof, and what that takes."""
    function, at = term.args
    if at.op != "var":
        return _at_number(function, at, signs, heads)
    slopes = Slopes(at.data, signs, heads)
    body = replaced(function.args[0], {function.data[0][0]: at.data})
    slope, proof = slopes(body)
    return slope, proof, slopes


def _at_number(
    function: Term, at: Term, signs: Signs, heads: Mapping[str, Head]
) -> tuple[Term, str, Slopes]:
    """At 0, say: what it is at a letter that is new, there."""
    if not signs.apart or at.op != "num":
        raise NoSlope
    letter = f"·{function.height}"
    slopes = Slopes(letter, signs, heads, at)
    slope, proof = slopes(replaced(function.args[0], {function.data[0][0]: letter}))
    return replaced(slope, {letter: at}), proof, slopes


# --- without what adds nothing --------------------------------------------------------------------


def _add(a: Term, b: Term) -> Term:
    return b if a == ZERO else a if b == ZERO else add(a, b)


def _mul(a: Term, b: Term) -> Term:
    if ZERO in (a, b):
        return ZERO
    return b if a == ONE else a if b == ONE else mul(a, b)


def _neg(a: Term) -> Term:
    return a if a == ZERO else neg(a)


def _div(a: Term, b: Term) -> Term:
    return a if a == ZERO else div(a, b)
