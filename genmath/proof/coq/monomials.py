"""Sums of products: a term multiplied out, equal products taken together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache

from genmath.proof.coq.terms import Term, add, div, mul, neg, num, power, replaced, var

MOST, MOST_POWERS = 100, 4  # products; powers of a letter
FACTORED = 12  # parts of a sum that is taken apart
Monomial = frozenset[tuple[Term, int]]  # factors with their exponents, which may be < 0
Polynomial = dict[Monomial, Fraction]  # no coefficient is 0


@lru_cache(1 << 14)
def expand(t: Term, deep: bool = True) -> Polynomial | None:
    """None if it has too many products. Not `deep`: sums within products are factors."""

    def factor(a: Term) -> Polynomial | None:
        if a.op == "add" and not deep:
            return {frozenset([(a, 1)]): Fraction(1)}
        return expand(a, deep)

    match t.op:
        case "num":
            return {frozenset(): t.data} if t.data else {}
        case "add":
            return _sum(expand(a, deep) for a in t.args)
        case "neg":
            return _product(({frozenset(): Fraction(-1)}, factor(t.args[0])))
        case "mul":
            return _product(map(factor, t.args))
        case "pow":
            return _product([factor(t.args[0])] * t.data)
        case "div":
            return _product((factor(t.args[0]), _inverse(t.args[1], factor(t.args[1]))))
    return {frozenset([(t, 1)]): Fraction(1)}


def _sum(parts: Iterable[Polynomial | None]) -> Polynomial | None:
    total = Polynomial()
    for p in parts:
        if p is None:
            return None
        for m, c in p.items():
            total[m] = total[m] + c if m in total else c
    total = {m: c for m, c in total.items() if c}
    return total if len(total) <= MOST else None


def _product(factors: Iterable[Polynomial | None]) -> Polynomial | None:
    result: Polynomial | None = {frozenset(): Fraction(1)}
    for p in factors:
        if p is None or result is None or len(p) * len(result) > 4 * MOST:
            return None
        pairs = itertools.product(result.items(), p.items())
        result = _sum({joined(m, n): c * d} for (m, c), (n, d) in pairs)
    return result


def _inverse(t: Term, p: Polynomial | None) -> Polynomial | None:
    if p is None or len(p) != 1:
        return {frozenset([(t, -1)]): Fraction(1)}
    ((m, c),) = p.items()
    return {frozenset((a, -k) for a, k in m): 1 / c}


def joined(m: Monomial, n: Monomial) -> Monomial:
    powers = dict(m)
    for a, k in n:
        powers[a] = powers.get(a, 0) + k
    return frozenset((a, k) for a, k in powers.items() if k)


def apart_from(p: Polynomial, letters: frozenset[str]) -> dict[Monomial, Polynomial]:
    """By the factors that speak of some letters, the sum of what stands beside them."""
    found: dict[Monomial, Polynomial] = {}
    for m, c in p.items():
        own = frozenset(f for f in m if not letters.isdisjoint(f[0].free))
        found.setdefault(own, {})[m - own] = c
    return found


def affine(t: Term, x: str) -> tuple[Term, Term] | None:
    """The slope and the constant of a term that is linear in a letter."""
    parts = apart_from(expand(t) or {}, frozenset([x]))
    once, none = frozenset([(var(x), 1)]), frozenset[tuple[Term, int]]()
    if not parts.keys() <= {once, none} or once not in parts:
        return None
    return total(parts[once]), total(parts.get(none, {}))


def weights(t: Term, x: Term) -> list[tuple[int, Term]] | None:
    """Of a polynomial in x of degree n its Bernstein coefficients, each with its binomial: the
    polynomial is the sum of them times x^i (1 - x)^(n - i)."""
    parts = apart_from(expand(t) or {}, frozenset([x.data]))
    by_power = {dict(m).get(x, 0): p for m, p in parts.items() if m <= {(x, dict(m).get(x, 0))}}
    n = max(by_power, default=0)
    if len(by_power) < len(parts) or not 0 < n <= MOST_POWERS or min(by_power) < 0:
        return None
    found = []
    for i in range(n + 1):
        scaled = [
            {m: c * math.comb(i, j) / math.comb(n, j) for m, c in by_power.get(j, {}).items()}
            for j in range(i + 1)
        ]
        found.append((math.comb(n, i), total(_sum(scaled) or {})))
    return found


def product(m: Monomial, names: Mapping[str, str]) -> Term:
    """Its factors in an order in which letters go by other names."""
    ordered = sorted(m, key=lambda f: (str(replaced(f[0], names)), f[1]))
    return mul(*(_raised(*f) for f in ordered)) if m else num(1)


def together(t: Term, deep: bool = False) -> tuple[Term, Term] | None:
    """A sum of fractions as one: above and below."""
    p = expand(t, deep)
    below: dict[Term, int] = {}
    for a, k in (f for m in p or () for f in m):
        below[a] = max(below.get(a, 0), -k)
    common = {a: k for a, k in below.items() if k}
    if p is None or not common:
        return None
    above: list[Polynomial | None] = []
    for m, c in p.items():
        left = dict(joined(m, frozenset(common.items())))
        own = {a: k for a, k in left.items() if a not in common}
        factors = [expand(a, deep) for a, k in left.items() if a in common for _ in range(k)]
        above.append(_product([{frozenset(own.items()): c}, *factors]))
    found = _sum(above)
    return None if found is None else (total(found), product(frozenset(common.items()), {}))


def shared(t: Term) -> tuple[Term, Term] | None:
    """A sum as what all of its terms have in common, times what is left."""
    p = expand(t) or {}
    if len(p) < 2 or any(k < 0 for m in p for _, k in m):
        return None
    powers = [dict(m) for m in p]
    least = {a: k for a in powers[0] if (k := min(one.get(a, 0) for one in powers))}
    if not least:
        return None
    inverse = frozenset((a, -k) for a, k in least.items())
    rest = total({joined(m, inverse): c for m, c in p.items()})
    return product(frozenset(least.items()), {}), rest


def total(p: Polynomial) -> Term:
    ordered = sorted(((str(product(m, {})), m) for m in p), key=lambda pair: pair[0])
    return add(*(_weighted(p[m], product(m, {})) for _, m in ordered)) if p else num(0)


def _weighted(c: Fraction, t: Term) -> Term:
    if c < 0:
        return neg(_weighted(-c, t))
    return t if c == 1 else mul(num(c), t)


def _raised(t: Term, k: int) -> Term:
    if k < 0:
        return div(num(1), _raised(t, -k))
    if k > 1 and t.op == "app" and t.args and t.args[0].op == "lam":
        return mul(*[t] * k)  # an integral: each has letters of its own
    return t if k == 1 else power(t, k)


# --- a sum as a product: of what its parts have in common, and of gaps that are known


def factors(t: Term, gaps: Iterable[tuple[Term, Term]]) -> tuple[Term, ...] | None:
    """None if it is none. Of gaps, low < high, those are tried of which one side is a letter."""
    p = expand(t)
    if not p or len(p) > FACTORED:
        return None
    common = _common(p)
    over = frozenset((a, -k) for a, k in common.items())
    rest = {joined(m, over): c for m, c in p.items()}
    found = [_raised(a, k) for a, k in sorted(common.items(), key=lambda f: (str(f[0]), f[1]))]
    for low, high in gaps:
        while (divided := _divided(rest, low, high)) is not None:
            found, rest = [*found, add(high, neg(low))], divided
    parts = [*found, *([] if rest == {frozenset(): 1} else [total(rest)])]
    several = len(p) == 1 or (len(parts) > 1 and any(f.op != "num" for f in parts[1:]))
    return tuple(parts) if several else None


def _common(p: Polynomial) -> dict[Term, int]:
    """With the least exponents that they have in any part."""
    powers = [dict(m) for m in p]
    least = {a: min(m.get(a, 0) for m in powers) for one in powers for a in one}
    return {a: k for a, k in least.items() if k}


def _divided(p: Polynomial, low: Term, high: Term) -> Polynomial | None:
    """By high - low, where that is no remainder."""
    letter, root = (high, low) if high.op == "var" else (low, high)
    by_power: dict[int, Polynomial] = {}
    for m, c in apart_from(p, letter.free).items():
        k = dict(m).get(letter, 0)
        if k < 0 or len(m) > 1 or (m and not k):
            return None
        by_power[k] = c
    top = max(by_power, default=0)
    if letter.op != "var" or letter.data in root.free or not top:
        return None
    found, carried = Polynomial(), Polynomial()
    for k in range(top, -1, -1):  # by Horner's rule
        carried = _sum([by_power.get(k, {}), _product([carried, expand(root)])]) or {}
        if k:
            at: Polynomial = {frozenset([(letter, k - 1)] if k > 1 else []): Fraction(1)}
            found = _sum([found, _product([at, carried])]) or {}
    return None if carried else found if letter == high else {m: -c for m, c in found.items()}
