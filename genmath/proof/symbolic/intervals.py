"""Integrals between limits: over pieces where an indicator keeps its value, by a primitive where
one is found, in a letter in which functions stand at the letter itself, and else left as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import (
    close,
    irreducible_factors,
    is_nonnegative,
    is_positive,
    log_of,
    stated_nonnegative,
    stated_positive,
    substitute,
)
from genmath.proof.symbolic.atoms import (
    AbsAtom,
    BigProduct,
    BigSum,
    Binder,
    Fun,
    Int,
    Key,
    Log,
    Recip,
    Rho,
    Root,
    Sign,
)
from genmath.proof.symbolic.bound import fresh
from genmath.proof.symbolic.far import far
from genmath.proof.symbolic.polynomials import canon, expand, terms
from genmath.proof.symbolic.primitives import primitive
from genmath.proof.symbolic.residual import residual_text
from genmath.proof.symbolic.supports import Rules

INFINITE = (sp.oo, -sp.oo)
Slope = Callable[[Any, Any], Any]
Piece = tuple[Any, Any, Any]  # what is integrated, from where, to where


def between(body: Any, v: Any, low: Any, high: Any, slope: Slope) -> Any:
    """The integral of the body from low to high; not both are infinite."""
    done = by_primitive(body, v, low, high, slope)
    if done is not None:
        return done
    total = sp.S.Zero
    for t in terms(body):
        outside, rest = t.as_independent(v, as_Add=False)
        done = by_primitive(rest, v, low, high, slope)
        total += outside * (left(rest, v, low, high) if done is None else done)
    return total


def left(body: Any, v: Any, low: Any, high: Any) -> Any:
    """As it is, from the lower to the higher in some order."""
    ends = [as_key(e) for e in (low, high)]
    if sp.default_sort_key(ends[0]) > sp.default_sort_key(ends[1]):
        return -close(Key("int"), body, v, ends[1], ends[0])
    return close(Key("int"), body, v, *ends)


def as_key(end: Any) -> Any:
    return Key("infinity" if end == sp.oo else "minus infinity") if end in INFINITE else end


def as_end(key: Any) -> Any:
    if isinstance(key, Key):
        return sp.oo if key.name == "infinity" else -sp.oo
    return key


# --- the fundamental theorem ---------------------------------------------------------------------


def by_primitive(body: Any, v: Any, low: Any, high: Any, slope: Slope) -> Any | None:
    """F(high) - F(low) for a primitive F that is smooth from the one to the other."""
    if body.has(*ROUGH):
        return None
    f = primitive(body, v, slope)
    f = None if f is None else upright(f, v, low, high)
    if f is None or not steady(f, v, low, high):
        return None
    total = sp.S.Zero
    for end, sign in ((high, 1), (low, -1)):
        there = substitute(f, {v: end}) if end not in INFINITE else far(f, v, int(sp.sign(end)))
        if there is None or there in INFINITE:
            return None
        total += sign * there
    return total


ROUGH = (Sign, AbsAtom, Recip, Root, Rho, Int, Binder, BigSum, BigProduct)


def upright(f: Any, v: Any, low: Any, high: Any) -> Any:
    """The logarithm of -u, whose slope is that of log u, where u is < 0 all the way."""
    turned = {}
    for u in f.atoms(Log):
        here = (canon(substitute(u.args[0], {v: at})) for at in along(low, high))
        if u.has(v) and all(is_positive(-e) for e in here):
            turned[u] = log_of(-u.args[0])
    return f.xreplace(turned)


def steady(f: Any, v: Any, low: Any, high: Any) -> bool:
    """No denominator is 0, and no argument of a logarithm, at the limits or on the way."""
    if f.has(*ROUGH):
        return False
    asked = [p.base for p in f.atoms(sp.Pow) if not (p.exp.is_Integer and p.exp > 0)]
    asked += [u.args[0] for u in f.atoms(Log)]
    for u in f.atoms(Fun):
        if u.row.derivative is None:
            return False
        asked += [u.args[1]] if u.row.domain != "real" else []
    positive = {u.args[0] for u in f.atoms(Log)}
    positive |= {p.base for p in f.atoms(sp.Pow) if not p.exp.is_Integer}
    positive |= {u.args[1] for u in f.atoms(Fun) if u.row.domain != "real"}
    for u in asked:
        if not u.has(v):
            continue
        here = {side_of(canon(substitute(u, {v: at}))) for at in along(low, high)}
        if here != {1} and (u in positive or here != {-1}):
            return False
    return True


def along(low: Any, high: Any) -> list[Any]:
    """The limits that are numbers, and anything between them."""
    way = sp.Dummy("way", positive=True)
    finite = [e for e in (low, high) if e not in INFINITE]
    match finite:
        case [_, _]:
            return [*finite, low + way / (1 + way) * (high - low)]
        case [end]:
            return [end, end + way if sp.oo in (low, high) else end - way]
    return [sp.Dummy("anywhere", real=True)]


# --- indicators of half-lines --------------------------------------------------------------------


def pieces(body: Any, v: Any, low: Any, high: Any, rules: Rules) -> list[Piece] | None:
    """The body where the signs of a v + b in it are known; None if there are none, or if it is not
    known in which order they change."""
    found: dict[Any, tuple[Any, int]] = {}  # where a sign changes, and what it is above
    for s in body.atoms(Sign, AbsAtom):
        slope = canon(sp.diff(s.args[0], v)) if s.args[0].is_polynomial(v) else v
        side = 0 if slope.has(v) else side_of(slope)
        if not side:
            continue
        root = canon(-s.args[0].xreplace({v: sp.S.Zero}) / slope)
        if not root.has(*ROUGH):
            found[s] = root, side
    places = in_order([low, *dict.fromkeys(root for root, _ in found.values()), high], rules)
    if not found or places is None:
        return None
    start, end = places.index(low), places.index(high)
    out: list[Piece] = []
    for left_, right in zip(places[start:end], places[start + 1 : end + 1], strict=True):
        values: dict[Any, Any] = {}
        for s, (root, side) in found.items():
            here = side if no_more(root, left_) else -side
            values[s] = here * s.args[0] if isinstance(s, AbsAtom) else sp.Integer(here)
        inside = expand(body.xreplace(values))
        if inside != 0:
            out.append((inside, left_, right))
    return out


def no_more(a: Any, b: Any) -> bool:
    """a <= b."""
    if a == b or a == -sp.oo or b == sp.oo:
        return True
    if a == sp.oo or b == -sp.oo:
        return False
    gap = canon(b - a)
    return is_nonnegative(gap) or stated_nonnegative(gap) or side_of(gap) > 0


def side_of(e: Any) -> int:
    """1 where e > 0, -1 where e < 0, by the signs of its factors; 0 where that is not known."""
    side = 1
    for f, k in irreducible_factors(e):
        if is_positive(f) or stated_positive(f):
            continue
        if not (k.is_Integer and (is_positive(-f) or stated_positive(-f))):
            return 0
        side *= -1 if k % 2 else 1
    return side


def in_order(places: list[Any], rules: Rules) -> list[Any] | None:
    """From the least on; the first is no more than the last."""
    out: list[Any] = []
    for p in dict.fromkeys(places):
        for q in out:
            if not no_more(p, q) and not no_more(q, p):
                rules.hints.add(
                    f"whether {residual_text(p)} or {residual_text(q)} is the larger is not "
                    "known; state it with given_that(... < ...)"
                )
                return None
        at = next((i for i, q in enumerate(out) if no_more(p, q)), len(out))
        out.insert(at, p)
    return out if no_more(places[0], places[-1]) else None


# --- the zero test -------------------------------------------------------------------------------


def split(e: Any, whole: Callable[[Any, Any], Any]) -> Any:
    """Integrals of the same body between any limits in terms of each other: F(high) - F(low), with
    a name for a primitive F of the body; `whole` is the integral over the line."""
    found = [b for b in e.atoms(Binder) if b.args[0] == Key("int")]
    found = [b for b in found if not any(b != c and c.has(b) for c in found)]
    if not found:
        return e

    def named(b: Any, end: Any) -> Any:
        return Binder(Key("primitive"), b.args[1], b.args[2], end)

    ends: dict[Any, set[Any]] = {}
    for b in found:
        ends.setdefault(b.args[1:3], set()).update(b.args[3:5])
    out = e.xreplace({b: named(b, b.args[4]) - named(b, b.args[3]) for b in found})
    up, down = as_key(sp.oo), as_key(-sp.oo)
    for b in found:
        if {up, down} <= ends[b.args[1:3]]:
            out = out.xreplace({named(b, up): named(b, down) + whole(b.args[1], b.args[2])})
    return out


def together(e: Any, slope: Slope) -> Any:
    """Integrals between the same limits under one sign, which a primitive of the sum may take off:
    of f' g + f g'."""
    groups: dict[tuple[Any, Any], list[tuple[Any, Any]]] = {}
    rest = sp.S.Zero
    for t in terms(e):
        found = [
            f for f in sp.Mul.make_args(t) if isinstance(f, Binder) and f.args[0] == Key("int")
        ]
        if len(found) == 1:
            groups.setdefault(found[0].args[3:5], []).append((t / found[0], found[0]))
        else:
            rest += t
    for (low, high), members in groups.items():
        v = fresh(members[0][1].args[2].name)
        body = sp.Add(*(c * b.args[1].xreplace({b.args[2]: v}) for c, b in members))
        done = by_primitive(body, v, as_end(low), as_end(high), slope)
        rest += sp.Add(*(c * b for c, b in members)) if done is None else done
    return rest
