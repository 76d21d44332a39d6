"""The measure-agnostic integral and its normal form.

Nothing here knows whether an integral is a sum, except the rules for normal densities. Every rule
that needs more than linearity records what it assumes in `Rules`.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from functools import partial
from typing import Any

import sympy as sp

from genmath.proof.symbolic.algebra import (
    abs_of,
    absorb_signs,
    big_sum,
    exp_of,
    height,
    is_positive,
    log_of,
    power_of,
    sign_of,
    substitute,
    value_of,
)
from genmath.proof.symbolic.atoms import (
    ENTRY,
    OUT,
    AbsAtom,
    Atom,
    Bell,
    BigSum,
    Binder,
    Fun,
    Int,
    Key,
    Log,
    Recip,
    Rho,
    Sign,
    Unknown,
)
from genmath.proof.symbolic.bound import fresh, lives_there, on_line, unused, unused_like, values_of
from genmath.proof.symbolic.disjoint import rivals, sizes_apart, without_rivals
from genmath.proof.symbolic.finite_sets import opened, sum_over
from genmath.proof.symbolic.intervals import as_end, between, by_primitive, no_more, pieces
from genmath.proof.symbolic.kernels import kernel
from genmath.proof.symbolic.maps import (
    inverse_slope,
    named_after_density,
    through_logarithm,
    through_map,
    through_map_between,
)
from genmath.proof.symbolic.memory import Memory
from genmath.proof.symbolic.polynomials import HALF, canon, expand, orient, space_of, terms
from genmath.proof.symbolic.residual import residual_text
from genmath.proof.symbolic.supports import (
    LINE,
    SMOOTH_ZEROS,
    Rules,
    Said,
    density_denominators,
    smooth,
    tidy,
    vanishes_with,
)
from genmath.proof.symbolic.tabulated import slope_of
from genmath.proof.symbolic.vector_maps import pulled_back, pushed_forward, slope_of_inverse

# --- the normal form ---


_WHOLE, _TERMS = Memory(), Memory()
HAS_MEAN = "has a finite integral"  # a term of a sum, for itself


def integrate(body: Any, bound: tuple[Any, ...], rules: Rules, alone: bool = True) -> Any:
    """The integral of `body` over the letters `bound`, which are none of those around it. `alone`:
    it is no term of a sum, so that it exists where the claim means something."""
    key = (body, frozenset(bound), alone)
    return _WHOLE.recall(key, rules, lambda r: _integrate(body, bound, r, alone))


def _integrate(body: Any, bound: tuple[Any, ...], rules: Rules, alone: bool) -> Any:
    within = set(bound)
    if not body.has(Rho, Int) and _over_exponentials(body, within):
        body = canon(body)  # e^u/(1 + e^u)^2 and its like may cancel, which terms one by one do not
    if (done := _by_primitive(body, bound, rules)) is not None:
        return done
    if body.has(AbsAtom):
        body = sizes_apart(body, rules.slots)
    parts = [tidy(t, rules) for t in terms(absorb_signs(expand(body, within)), within)]
    if any(rivals(rules.slots)):
        parts = [u for t in parts for u in terms(expand(without_rivals(t, rules.slots)), within)]
    parts = _cancel_sums(parts, rules)
    letters = frozenset(bound)
    alone = alone and len(parts) == 1

    def one(t: Any) -> Any:
        key = (t, letters, alone)
        return _TERMS.recall(key, rules, lambda r: _term(t, set(letters), r, alone))

    return sp.Add(*map(one, parts))


def over_interval(body: Any, v: Any, low: Any, high: Any, rules: Rules) -> Any:
    """The integral of `body` from low to high, not both of which are infinite."""
    if low == high:
        return sp.S.Zero
    backwards = not no_more(low, high) and no_more(high, low)
    start, end = (high, low) if backwards else (low, high)
    apart = pieces(body, v, start, end, rules)
    parts = apart if apart is not None else [(body, start, end)]
    total = sp.Add(*(_piece(expand(b), v, a, z, rules) for b, a, z in parts))
    return -total if backwards else total


def _piece(body: Any, v: Any, low: Any, high: Any, rules: Rules) -> Any:
    """The same where no sign changes: each term in a letter at which its functions stand."""
    plain, total = [], sp.S.Zero
    parts = terms(body)
    for t in parts:
        outside, rest = t.as_independent(v, as_Add=False)
        may = len(parts) == 1 or is_mean(v, sp.Mul.make_args(rest))
        moved = _moved_ends(rest, v, low, high, rules) if may else None
        if moved is None:
            plain.append(t)
        else:
            if len(parts) > 1:
                rules.assumed.add(Said(rest, HAS_MEAN))
            total += outside * _piece(*moved, rules)
    slope = partial(differentiate, rules=rules)
    return total + (between(sp.Add(*plain), v, low, high, slope) if plain else 0)


def _moved_ends(
    rest: Any, v: Any, low: Any, high: Any, rules: Rules
) -> tuple[Any, Any, Any, Any] | None:
    """The integrand in another letter w, with dv, and the ends where that stands."""
    functions = sorted((u for u in rest.atoms(Unknown, Rho) if u.has(v)), key=sp.default_sort_key)
    new = fresh(space_of(v))
    if functions and not any(v in _places(u) for u in functions):
        for u in functions:
            at = _affine_place(u, v, rules)
            if at is None:
                continue
            slope = canon(sp.diff(at, v))
            side = 1 if is_positive(slope) else -1 if is_positive(-slope) else 0
            if not side and {low, high} & {sp.oo, -sp.oo}:
                continue
            inverse = (new - canon(at - slope * v)) / slope
            ends = [side * e if e in (sp.oo, -sp.oo) else canon(at.xreplace({v: e}))
                    for e in (low, high)]  # fmt: skip
            body = change(rest, v, inverse, rules) / slope
            return expand(body), new, *ends
    mapped = through_map_between(rest, v, new, low, high)
    return None if mapped is None else (expand(mapped[0]), new, *mapped[1:])


def over_half_lines(body: Any, bound: tuple[Any, ...], rules: Rules) -> Any | None:
    """The integral piece by piece, where indicators of half-lines or the like stand in it."""
    for v in sorted(bound, key=lambda v: (v.name, v.dummy_index)):
        others = tuple(b for b in bound if b != v)
        start = -sp.oo if on_line(v) else sp.S.Zero
        whole = on_line(v) or (v.is_positive and not v.is_integer)
        apart = pieces(body, v, start, sp.oo, rules) if whole else None
        if apart is None:
            continue
        if on_line(v):
            rules.on_the_line(space_of(v))
        total = sp.S.Zero
        first = bool(others) and any(e.has(*others) for p in apart for e in p[1:])
        for part, low, high in apart:
            inner = integrate(part, others, rules, False) if others and not first else part
            total += over_interval(expand(inner), v, low, high, rules)
        return integrate(total, others, rules, False) if first else total
    return None


def _by_primitive(body: Any, bound: tuple[Any, ...], rules: Rules) -> Any | None:
    """Of a function of one letter of the line that is known, and no normal density."""
    if len(bound) != 1 or body.has(Rho, Int, Bell, Unknown, Sign):
        return None
    (v,) = bound
    if not on_line(v):
        return None
    fractions = [p for p in body.atoms(sp.Pow) if p.exp.is_negative and p.base.has(v)]
    if not fractions or not all(p.base.is_Add and p.exp.is_Integer for p in fractions):
        return None
    slope = partial(differentiate, rules=rules)
    found = by_primitive(body, v, -sp.oo, sp.oo, slope)
    if found is not None:
        rules.on_the_line(space_of(v))
    return found


def _over_exponentials(e: Any, within: set[Any]) -> bool:
    return any(
        p.exp.is_negative and p.base.is_Add and p.base.has(sp.exp) and p.base.free_symbols & within
        for p in e.atoms(sp.Pow)
    )


def _cancel_sums(parts: list[Any], rules: Rules) -> list[Any]:
    """Terms over the same sums of densities, in whatever powers, as in (p + q)/(p + q) or
    (p² + q²)/(p + q)² + 2 p q/(p + q)², are cancelled together before they are integrated one by
    one."""
    groups: dict[Any, list[Any]] = {}
    for t in parts:
        factors = sp.Mul.make_args(t)
        under = [f for f in factors if f.is_Pow and f.base in density_denominators(f)]
        sums = frozenset(f.base if f.exp.is_Integer else f for f in under)
        other = sp.Mul(*(f for f in factors if isinstance(f.as_base_exp()[0], (Log, Unknown))))
        groups.setdefault((sums, other), []).append(t / other)
    out: list[Any] = []
    for (sums, other), members in groups.items():
        if sums and len(members) > 1:
            done = [t * other for t in terms(canon(sp.Add(*members)))]
            if not any(density_denominators(t) for t in done) and all(
                vanishes_with(t, f, rules) for f in density_denominators(members[0]) for t in done
            ):
                out += done
                continue
        out += [t * other for t in members]
    return out


def _term(term: Any, bound: set[Any], rules: Rules, alone: bool) -> Any:
    factors: list[Any] = []
    opened: list[Any] = []
    for f in sp.Mul.make_args(term):
        base, k = f.as_base_exp()
        whole = isinstance(base, Int) and k.is_Integer and k > 0 and base.free_symbols & bound
        # an integral that also stands inside another factor keeps its name (see _eliminate)
        if whole and not any(g.has(base) for g in sp.Mul.make_args(term) if g is not f):
            for _ in range(int(k)):
                inner, letters = open_integral(base, {*term.free_symbols, *bound, *opened})
                opened += letters
                factors.append(inner)
        else:
            factors.append(f)
    if opened:
        return integrate(sp.Mul(*factors), (*bound, *opened), rules, alone)
    if (moved := _under_the_sum(term, bound, rules)) is not None:
        return moved
    return _reduce(tidy(term, rules), bound, rules, alone)


def _under_the_sum(term: Any, bound: set[Any], rules: Rules) -> Any | None:
    """The integral of a finite sum is the sum of the integrals."""
    powers = [f.as_base_exp() for f in sp.Mul.make_args(term)]
    sums = [(b, k) for b, k in powers if isinstance(b, (BigSum, Binder))]
    for base, k in sorted(sums, key=lambda s: sp.default_sort_key(s[0] ** s[1])):
        if not (k.is_Integer and k > 0 and base.free_symbols & bound):
            continue
        rest = term / base
        if isinstance(base, BigSum):
            body, index, low, high = base.args
            if (low.free_symbols | high.free_symbols) & bound:
                continue
            own = sp.Dummy(index.name, **index.assumptions0)
            body = body.xreplace({index: own})
            inside = integrate(rest * body, tuple(bound), rules, False)
            return big_sum(expand(inside), own, low, high)
        if isinstance(base, Binder) and base.args[0] == Key("sum"):
            body, own, space = opened(base)
            return sum_over(integrate(rest * body, tuple(bound), rules, False), own, space)
    return None


def open_integral(e: Any, taken: Collection[Any] = ()) -> tuple[Any, list[Any]]:
    """Its body, in letters that are none of those taken."""
    body, *letters = e.args
    new = unused_like(letters, {*e.free_symbols, *taken})
    return body.xreplace(dict(zip(letters, new, strict=True))), new


def _reduce(term: Any, bound: set[Any], rules: Rules, alone: bool) -> Any:
    factors = sp.Mul.make_args(term)
    outside = [f for f in factors if not f.free_symbols & bound]
    inside = [f for f in factors if f.free_symbols & bound]
    moved = _gradient_moved(inside, bound, rules)
    if moved is not None:
        return sp.Mul(*outside) * integrate(moved, tuple(bound), rules, alone)
    mapped = _through_vector_map(inside, bound, term, rules, alone)
    if mapped is not None:
        return sp.Mul(*outside) * integrate(mapped[0], mapped[1], rules, alone)
    named = _named(inside, bound, rules)
    if named is not None and bound - named[1]:
        integrand = named[0] * sp.Mul(*named[2])
        return sp.Mul(*outside) * integrate(integrand, tuple(bound - named[1]), rules, alone)
    for v in sorted(bound, key=lambda v: (v.name, v.dummy_index)):
        local = [f for f in inside if v in f.free_symbols]
        rest = [f for f in inside if v not in f.free_symbols]
        done = _eliminate(v, local, [*outside, *rest], rules)
        if done is not None:
            remaining = tuple(bound - {v})
            return (
                sp.Mul(*outside) * integrate(done * sp.Mul(*rest), remaining, rules, alone)
                if remaining
                else sp.Mul(*outside) * done
            )
        replaced = None
        if alone or is_mean(v, local):
            replaced = _reexpress(v, local, rules, bound | term.free_symbols) or (
                through_map(v, local, rules) if on_line(v) else through_logarithm(v, local, rules)
            )
        if replaced is not None:
            if not alone:
                rules.assumed.add(Said(sp.Mul(*local), HAS_MEAN))
            body, letter = replaced
            return sp.Mul(*outside) * integrate(
                body * sp.Mul(*rest), (*(bound - {v}), letter), rules, alone
            )
    result = sp.Mul(*outside)
    for block, letters in _blocks(inside, bound):
        result *= close(block, letters)
    return result


def is_mean(v: Any, factors: Collection[Any]) -> bool:
    """Whether a density of v is among the factors, and none is divided by: a term of a sum, which
    need not exist for itself, is then an expectation, which is said to."""
    powers = [f.as_base_exp() for f in factors]
    if any(k.is_negative and any(r.has(v) for r in b.atoms(Rho, Bell)) for b, k in powers):
        return False
    return any(
        k.is_Integer and k > 0 and any(_moves(place, v) for place in _drawn(b, v))
        for b, k in powers
    )


def _drawn(density: Any, v: Any) -> tuple[Any, ...]:
    """Where a density stands whose other arguments do not contain v."""
    if isinstance(density, Rho) and not density.args[2].has(v):
        return tuple(density.args[1])
    if isinstance(density, Bell) and not density.args[2].has(v):
        return (density.args[0] - density.args[1],)
    return ()


def _moves(place: Any, v: Any) -> bool:
    """A line in v, or a function of one, which is declared a map where it is undone."""
    if isinstance(place, Unknown):
        return any(_moves(a, v) for a in place.args[2:])
    if place == v:
        return True
    return bool(place.has(v) and place.is_polynomial(v) and not sp.diff(place, v).has(v))


def _eliminate(v: Any, local: list[Any], rest: list[Any], rules: Rules) -> Any:
    """The integral over v of the factors that contain it, if a fact gives it."""
    if len(local) == 1 and isinstance(local[0], Rho):
        key, events, givens, by = local[0].args
        if sum(a == v for a in events) == 1 and not givens.has(v):
            if not lives_there(v, key, events.index(v), rules.slots):
                return None
            if events.index(v) in by and not on_line(v):
                return None
            if events.index(v) in by:
                return _vanishing(_undone(local[0], events.index(v)), rules)
            if by:
                rules.assumed.add(Said(local[0], f"may be integrated over {space_of(v)} first"))
            left = tuple(OUT if a == v else a for a in events)
            if all(a == OUT for a in left):
                return sp.S.Zero if by else sp.S.One
            return Rho(key, left, givens, by)
    if on_line(v) and (done := _gaussian(v, local, rules)) is not None:
        return done
    if (done := kernel(v, local, rules)) is not None:
        return done
    return _from_the_next(v, local, rules) if v.is_integer else _from_zero(v, local, rules)


def _named(
    inside: list[Any], bound: set[Any], rules: Rules
) -> tuple[Any, set[Any], list[Any]] | None:
    """A marginal that the term itself names, as in q(x, z) log q(x) with q(x) = the integral of
    q(x, z) over z: the integral, the letters it takes up, and the factors that stay."""
    for named in sorted({i for f in inside for i in f.atoms(Int)}, key=sp.default_sort_key):
        spaces = sorted(space_of(v) for v in named.args[1:])
        for letters in itertools.combinations(
            sorted(bound, key=lambda v: (v.name, v.dummy_index)), len(spaces)
        ):
            if sorted(v.name for v in letters) != spaces:
                continue
            local = [f for f in inside if f.free_symbols & set(letters)]
            rest = [f for f in inside if not f.free_symbols & set(letters)]
            if (
                any(f.has(named) for f in rest)
                and integrate(sp.Mul(*local), letters, rules) == named
            ):
                return named, set(letters), rest
    return None


def _blocks(factors: list[Any], bound: set[Any]) -> list[tuple[list[Any], list[Any]]]:
    """Independent groups: factors connected through the letters they share."""
    blocks: list[tuple[list[Any], set[Any]]] = [([], {v}) for v in bound]
    for f in factors:
        mine = f.free_symbols & bound
        joined = [b for b in blocks if b[1] & mine]
        blocks = [b for b in blocks if not b[1] & mine]
        blocks.append(
            (
                [x for b in joined for x in b[0]] + [f],
                set().union(*(b[1] for b in joined)),
            )
        )
    return [(fs, sorted(vs, key=lambda v: (v.name, v.dummy_index))) for fs, vs in blocks]


def close(factors: list[Any], letters: list[Any]) -> Any:
    """The integral atom with canonical letters, numbered by nesting height."""
    body = sp.Mul(*factors)
    level = height(body) + 1
    bells = [f for f in factors if isinstance(f.as_base_exp()[0], Bell)]
    # a letter of which only normal densities and functions speak may be any letter of the line
    real = {s for f in bells for s in f.free_symbols} & set(letters)
    real -= {s for r in body.atoms(Rho) for s in r.free_symbols}
    real = {s for s in real if on_line(s)}
    spaces: dict[str, list[Any]] = {}
    for v in letters:
        spaces.setdefault(LINE if v in real and len(real) <= 3 else space_of(v), []).append(v)
    names = {
        s: [sp.Symbol(f"{s}^{level}_{i}", **values_of(v)) for i, v in enumerate(vs)]
        for s, vs in spaces.items()
    }
    ordered = sorted(spaces)
    count = sp.Mul(*(sp.factorial(len(spaces[s])) for s in ordered))
    best: Any = None
    for choice in itertools.product(*(itertools.permutations(spaces[s]) for s in ordered)):
        change = {
            v: n
            for s, vs in zip(ordered, choice, strict=True)
            for v, n in zip(vs, names[s], strict=True)
        }
        candidate = body.xreplace(change)
        if count == 1:
            best = (None, candidate)
            break
        key = str(candidate.sort_key()) if count <= 2 else str(candidate)
        if best is None or key < best[0]:
            best = (key, candidate)
    return Int(best[1], *(n for s in ordered for n in names[s]))


# --- normal densities ---


def _gaussian(v: Any, local: list[Any], rules: Rules) -> Any:
    """Integral over v of (product of normals, affine in v) * polynomial in v, or a wave of what is
    affine in v."""
    bells = [f for f in local if isinstance(f, Bell)]
    typed = not any(b.args[0].has(v) or b.args[1].has(v) for b in bells)
    if typed and not any(isinstance(f, sp.exp) for f in local):
        return None
    degree, others, tilt = 0, [], sp.S.Zero
    wave = next((f for f in local if _is_wave_of(f, v)), None)
    for f in local:
        if f is wave:
            continue
        if isinstance(f, sp.exp):
            tilt += f.args[0]
            continue
        base, k = f.as_base_exp()
        if base == v and k.is_Integer and k > 0:
            degree += int(k)
        elif not isinstance(f, Bell):
            others.append(f)
    if others or any(b.args[2].has(v) for b in bells) or (degree and wave is not None):
        return None
    constant = sp.S.One
    if tilt.has(Atom):
        return None
    if tilt != 0:
        square = canon(sp.diff(tilt, v, 2) / 2)
        line = canon(sp.diff(tilt, v).xreplace({v: sp.S.Zero}))
        if square.has(v) or not (square == 0 or is_positive(-square)):
            return None
        constant = sp.exp(canon(tilt.xreplace({v: sp.S.Zero})))
        if square != 0:  # exp(-v^2 / (2 w) + l v) is a normal density around l w, unnormalised
            width = canon(-1 / (2 * square))
            bells.append(Bell(v - line * width, sp.S.Zero, width))
            constant *= (
                sp.sqrt(2 * sp.pi) * power_of(width, HALF) * sp.exp(canon(line**2 * width / 2))
            )
            line = sp.S.Zero
        elif typed:
            return None
    if typed:  # no normal density says so
        rules.on_the_line(space_of(v))
    kernels = []
    for b in bells:
        place = b.args[0] - b.args[1]
        slope = sp.S.One if place == v else canon(sp.diff(place, v))
        if slope == 0 or slope.has(v):
            return None
        offset = canon(place - slope * v)
        kernels.append((slope, offset, b.args[2]))
    # the first kernel gives the law of v, each further one updates it
    kernels.sort(key=lambda k: k[0] not in (1, -1))
    slope, offset, s = kernels[0]
    scale = 1 / abs_of(slope)
    if not is_positive(scale):
        if not may_be_0_at_isolated_values(slope):
            return None
        rules.slopes.append(slope)
    mean, variance = canon(-offset / slope), canon(s / slope**2)
    weight = scale * constant
    for a, b, noise in kernels[1:]:
        total = canon(a**2 * variance + noise)
        weight *= bell(a * mean + b, sp.S.Zero, total)
        gain = canon(a * variance / total)
        mean = canon(mean - gain * (a * mean + b))
        variance = canon(noise * variance / total)
    if tilt != 0 and line != 0:  # an exponential tilt moves the mean
        weight *= sp.exp(canon(line * mean + line**2 * variance / 2))
        mean = canon(mean + line * variance)
    rules.normal = True
    if wave is not None:  # the real or imaginary part of exp(i (k v + b))
        angle = wave.args[1]
        k = canon(sp.diff(angle, v))
        centre = value_of(wave.row.name, canon(angle.xreplace({v: mean})))
        return weight * exp_of(canon(-(k**2) * variance / 2)) * centre
    moments = sp.S.Zero
    for j in range(degree // 2 + 1):
        c = sp.binomial(degree, 2 * j) * sp.factorial2(2 * j - 1)
        moments += c * variance**j * mean ** (degree - 2 * j)
    return weight * moments


def _is_wave_of(f: Any, v: Any) -> bool:
    """A sine or cosine of what is affine in v."""
    if not (isinstance(f, Fun) and f.row.name in ("sin", "cos")):
        return False
    angle = f.args[1]
    return bool(angle.is_polynomial(v) and not canon(sp.diff(angle, v)).has(v))


def bell(x: Any, mean: Any, variance: Any) -> Any:
    """A normal density, written centred, with the sign of the point fixed (it is even) and without
    denominators: N(x/c; 0, v) = |c| N(x; 0, c^2 v)."""
    over, under = sp.fraction(orient(x - mean))
    content = over.as_content_primitive()[0]
    scale = abs_of(under / content)
    if not is_positive(scale):
        over, scale = over / under, sp.S.One
    else:
        over = expand(over / content)
    return scale * Bell(over, sp.S.Zero, canon(variance * scale**2))


def _reexpress(v: Any, local: list[Any], rules: Rules, taken: set[Any]) -> tuple[Any, Any] | None:
    """Two rules for arbitrary functions: one of a v + b, or such a density, is taken at the
    variable; and under one normal factor derivatives of a function are moved by parts."""
    if not on_line(v):
        return None
    bells = [f for f in local if isinstance(f, Bell)]
    functions = {u for f in local for u in f.atoms(Unknown, Rho) if u.has(v)}
    if len(bells) > 1 or not functions:
        return None
    for bell_v in bells:
        slope_b = canon(sp.diff(bell_v.args[0] - bell_v.args[1], v))
        if bell_v.args[2].has(v) or slope_b == 0 or slope_b.has(v):
            return None
    ordered = sorted(functions, key=sp.default_sort_key)
    if not any(v in _places(u) for u in ordered):
        for u in ordered:
            if (at := _affine_place(u, v, rules)) is not None:
                return _at_the_letter(at, v, local, rules, bool(bells), taken)
    for u in ordered if bells else ():
        if isinstance(u, Unknown) and u.args[2:] == (v,) and u.args[1] > 0 and u in local:
            others = [f for f in local if f != u]
            if all(isinstance(f, Bell) or _is_power(f, v) for f in others):
                lower = Unknown(u.args[0], u.args[1] - 1, v)
                _vanishing(lower * sp.Mul(*others), rules)
                new = unused(space_of(v), taken)
                body = -lower * differentiate(sp.Mul(*others), v, rules)
                return body.xreplace({v: new}), new
    return None


def _gradient_moved(inside: list[Any], bound: set[Any], rules: Rules) -> Any | None:
    """A partial derivative of a function of several numbers, which are an affine map of letters
    that are each under a normal density of its own, moved by parts: f_j = sum of K_ij df/dv_i,
    where K is the inverse of the map's matrix."""
    for u in inside:
        if not (isinstance(u, Unknown) and isinstance(u.args[1], sp.Tuple)):
            continue
        places, others = u.args[2:], [f for f in inside if f is not u]
        letters = sorted(u.free_symbols & bound, key=lambda v: (v.name, v.dummy_index))
        if len(letters) != len(places) or not all(map(on_line, letters)):
            continue
        slopes = sp.Matrix(places).jacobian(letters)
        own = [next((f for f in others if isinstance(f, Bell) and f.args[0] == v), None)
               for v in letters]  # fmt: skip
        plain = all(b is not None and not b.args[2].free_symbols & bound for b in own)
        rest = [f for f in others if f.free_symbols & set(letters) and f not in own]
        if not plain or slopes.has(*letters) or not all(_is_power(f, v) or not f.has(v)
                                                       for f in rest for v in letters):  # fmt: skip
            continue
        det = canon(slopes.det(method="berkowitz"))
        if not (is_positive(det) or is_positive(-det)):
            continue
        j = next(i for i, k in enumerate(u.args[1]) if k > 0)
        orders = [k - (i == j) for i, k in enumerate(u.args[1])]
        lower = Unknown(u.args[0], sp.Tuple(*orders) if any(orders) else sp.S.Zero, *places)
        whole = sp.Mul(*others)
        _vanishing(lower * whole, rules)
        total = sp.S.Zero
        for i, v in enumerate(letters):
            weight = slopes.cofactor(j, i) / det  # of the inverse, at (i, j)
            total -= weight * lower * differentiate(whole, v, rules)
        return total
    return None


def _through_vector_map(
    inside: list[Any], bound: set[Any], term: Any, rules: Rules, alone: bool
) -> tuple[Any, tuple[Any, ...]] | None:
    """The factors in the letters that a map takes to these, or these to."""
    if not (alone or any(is_mean(v, inside) for v in bound)):
        return None
    taken = bound | term.free_symbols
    if (back := pulled_back(inside, bound, taken)) is not None:
        images, new, size = back
        old, body = tuple(images), sp.Mul(*inside) * size
        for v, image in images.items():
            body = change(body, v, image, rules)
    elif (forth := pushed_forward(inside, bound, taken)) is not None:
        body, old, new = forth
    else:
        return None
    if not alone:
        rules.assumed.add(Said(sp.Mul(*inside), HAS_MEAN))
    letters = []
    for v, u in zip(old, new, strict=True):
        rules.on_the_line(space_of(v))
        body, named = named_after_density(body, u, rules)
        letters.append(named)
    return body, (*(bound - set(old)), *letters)


def _places(u: Any) -> tuple[Any, ...]:
    """Where a function or density stands."""
    return (*u.args[1], *u.args[2]) if isinstance(u, Rho) else tuple(u.args[2:])


def _affine_place(u: Any, v: Any, rules: Rules) -> Any | None:
    """The one argument a v + b of u that contains v, with a slope that is not 0."""
    moving = [a for a in _places(u) if a.has(v)]
    if len(moving) != 1:
        return None
    slope = canon(sp.diff(moving[0], v)) if moving[0].is_polynomial(v) else v
    if slope.has(v) or slope == 0:
        return None
    if not (slope.is_nonzero or is_positive(slope) or is_positive(-slope)):
        if not may_be_0_at_isolated_values(slope):
            return None
        rules.slopes.append(slope)
    return moving[0]


def may_be_0_at_isolated_values(slope: Any) -> bool:
    """Of free real letters only."""
    free = all(x.is_integer is None and not x.is_Dummy for x in slope.free_symbols)
    return free and not slope.has(Atom)


def _at_the_letter(
    at: Any, v: Any, local: list[Any], rules: Rules, normal: bool, taken: set[Any]
) -> tuple[Any, Any]:
    """The factors with the letter w = a v + b for v."""
    slope = canon(sp.diff(at, v))
    new = unused(space_of(v), taken)
    inverse = (new - canon(at - slope * v)) / slope
    body = change(sp.Mul(*local), v, inverse, rules) / abs_of(slope)
    if not normal:  # no normal density says so
        rules.on_the_line(space_of(v))
    return named_after_density(body, new, rules)


def _is_power(f: Any, v: Any) -> bool:
    base, k = f.as_base_exp()
    return bool(base == v and k.is_Integer and k > 0)


def change(e: Any, v: Any, image: Any, rules: Rules) -> Any:
    """Substitute and restore canonical arguments."""

    def visit(x: Any) -> Any:
        if x == v:
            return image
        if not x.args or v not in x.free_symbols:
            return x
        if isinstance(x, Bell):
            return bell(*(visit(a) for a in x.args))
        args = [visit(a) for a in x.args]
        match x:
            case Unknown():
                return Unknown(x.args[0], x.args[1], *(canon(a) for a in args[2:]))
            case Rho():
                return Rho(args[0], map(canon, args[1]), map(canon, args[2]), args[3])
            case Fun():
                return value_of(x.row.name, args[1])
            case Log():
                return log_of(args[0])
            case AbsAtom():
                return abs_of(args[0])
            case Sign():
                return sign_of(args[0])
            case sp.exp():
                return exp_of(args[0])
        return x.func(*args)

    return visit(e)


# --- by parts, where a letter begins at 0 ---


def _from_zero(v: Any, local: list[Any], rules: Rules) -> Any | None:
    """Of a slope beside powers and a falling exponential on a half-line: what is left at 0, and the
    slope moved to them."""
    if not v.is_positive:
        return None
    for u in sorted((f for f in local if isinstance(f, Unknown)), key=sp.default_sort_key):
        others = [f for f in local if f != u]
        tilt = sp.Add(*(f.args[0] for f in others if isinstance(f, sp.exp)))
        rate = canon(-tilt / v)
        plain = all(isinstance(f, sp.exp) or _is_power(f, v) for f in others)
        if u.args[2:] != (v,) or not u.args[1].is_Integer or u.args[1] < 1 or not plain:
            continue
        if tilt == 0 or rate.has(v) or not is_positive(rate):
            continue
        lower, rest = Unknown(u.args[0], u.args[1] - 1, v), sp.Mul(*others)
        _vanishing(lower * rest, rules)
        start = substitute(lower * rest, {v: sp.S.Zero})
        return -start - integrate(lower * differentiate(rest, v, rules), (v,), rules, False)
    return None


def _from_the_next(v: Any, local: list[Any], rules: Rules) -> Any | None:
    """n f(n)/n! summed over all counts is f(n + 1)/n!, as the first term is 0."""
    if not any(_is_power(f, v) for f in local) or Fun("gamma", v + 1) ** -1 not in local:
        return None
    if not any(isinstance(f, Unknown) for f in local):
        return None
    return integrate(expand(substitute(sp.Mul(*local), {v: v + 1})), (v,), rules, False)


# --- integration by parts for arbitrary densities ---


def by_parts(e: Any, rules: Rules) -> Any:
    """Every integral of a derivative of a density times smooth factors, with the derivative moved
    to those factors. The flux, density times factors, is assumed to vanish at infinity: it carries
    a density, and whether that is enough depends on the author's functions."""
    total = sp.S.Zero
    for t in terms(e):
        whole = next((f for f in sp.Mul.make_args(t) if isinstance(f, Int)), None)
        moved = None if whole is None else _moved(whole, rules)
        total += t if moved is None else t / whole * by_parts(moved, rules)
    return total


def _moved(e: Any, rules: Rules) -> Any:
    body, letters = open_integral(e)
    factors = list(sp.Mul.make_args(body))
    for i, f in enumerate(factors):
        if not isinstance(f, Rho):
            continue
        events, givens = f.args[1], f.args[2]
        for place in sorted(set(f.args[3])):
            v = events[place] if place < len(events) else None
            rest = factors[:i] + factors[i + 1 :]
            alone = (
                v in letters
                and on_line(v)
                and not givens.has(v)
                and sum(a.has(v) for a in events) == 1
            )
            if alone and (all(_smooth(g, v) for g in rest) or _simpler(f, place, rest, v)):
                flux = _undone(f, place) * sp.Mul(*rest)
                _vanishing(flux, rules)
                slope = differentiate(sp.Mul(*rest), v, rules)
                return integrate(-_undone(f, place) * slope, tuple(letters), rules)
    return None


def _undone(r: Any, place: Any) -> Any:
    """The density before it was last differentiated at that place."""
    by = list(r.args[3])
    by.remove(place)
    key, events, givens, _ = r.args
    return Rho(key, events, givens, by)


def _vanishing(flux: Any, rules: Rules) -> Any:
    """Zero, on an assumption that is stated in the author's letters."""
    rules.assumed.add(Said(flux, "→ 0 at infinity"))
    return sp.S.Zero


def _simpler(f: Any, place: Any, rest: list[Any], v: Any) -> bool:
    """Whether the derivative of the density f may be moved to factors that hold other densities,
    all of them > 0, so that the flux has no ends but infinity. It must come to an end: a logarithm
    disappears by it, or the orders of the derivatives become more even. And the flux must still
    carry some density: p'/p does not."""
    logs, orders, carried = 0, [0], {_undifferentiated(f): sp.S.One}
    for g in (g for g in rest if g.has(v)):
        base, k = g.as_base_exp()
        if _smooth(g, v):
            continue
        if isinstance(base, Log) and k == 1 and base.args[0].has(Rho):
            logs += 1
        elif isinstance(base, Rho) and k.is_Integer:
            orders.append(len(base.args[3]))
            whole = _undifferentiated(base)
            carried[whole] = carried.get(whole, sp.S.Zero) + k
        else:
            return False
        if not all(_undifferentiated(r).is_positive for r in g.atoms(Rho)):
            return False
        if g.has(Int, Unknown, Recip, BigSum):
            return False
    ends = logs == 1 or max(orders) < f.args[3].count(place) - 1
    return bool(ends and _undifferentiated(f).is_positive and max(carried.values()) > 0)


def _undifferentiated(r: Any) -> Any:
    return Rho(*r.args[:3])


def _smooth(f: Any, v: Any) -> bool:
    """Differentiable everywhere in v, and free of other densities of v: moving a derivative from
    one density to another and back would never end."""
    if not f.has(v):
        return True
    if isinstance(f, sp.exp):
        bend = canon(sp.diff(f.args[0], v, 2))
        return bool(not f.args[0].has(Atom) and not bend.has(v) and is_positive(-bend))
    base, k = f.as_base_exp()
    if not (k.is_Integer and k > 0):
        return False
    if isinstance(base, Bell):
        return not base.args[2].has(v) and all(a.is_polynomial(v) for a in base.args[:2])
    if isinstance(base, Unknown) and "conjugate" not in base.args[0].facts:
        return all(a.is_polynomial(v) for a in base.args[2:])
    return bool(base == v)


# --- derivatives ---


def _slope_between(e: Any, v: Any, rules: Rules) -> Any:
    """By the limits, and under the sign."""
    body, letter, *ends = e.args[1:]
    if body.has(Sign):
        raise NotImplementedError("the derivative of an integral of what jumps")
    rules.assumed |= {smooth(r) for r in body.atoms(Rho)}
    low, high = map(as_end, ends)
    total = sp.S.Zero
    for end, sign in ((high, 1), (low, -1)):
        if v in end.free_symbols:
            slope = differentiate(end, v, rules)
            total += sign * slope * substitute(body, {letter: end})
    if v in body.free_symbols:
        own = fresh(space_of(letter))
        inner = differentiate(body.xreplace({letter: own}), v, rules)
        total += over_interval(expand(inner), own, low, high, rules)
    return total


def differentiate(e: Any, v: Any, rules: Rules) -> Any:
    """The partial derivative with respect to the letter v."""
    if v not in e.free_symbols:
        return sp.S.Zero
    if e == v:
        return sp.S.One
    if e.is_Add:
        return sp.Add(*(differentiate(a, v, rules) for a in e.args))
    if e.is_Mul:
        return sp.Add(
            *(
                differentiate(a, v, rules) * sp.Mul(*e.args[:i], *e.args[i + 1 :])
                for i, a in enumerate(e.args)
            )
        )
    if isinstance(e, sp.exp):
        return e * differentiate(e.args[0], v, rules)
    if e.is_Pow:
        base, k = e.args
        if v in k.free_symbols:
            raise NotImplementedError("the exponent depends on the letter")
        if not k.is_Integer and not is_positive(base):
            raise NotImplementedError("a root of what may be 0, where it has no slope")
        return k * base ** (k - 1) * differentiate(base, v, rules)
    if isinstance(e, Bell):
        x, m, s = e.args
        logarithm = -((x - m) ** 2) / (2 * s)
        slope = differentiate(logarithm, v, rules) - differentiate(s, v, rules) / (2 * s)
        rules.normal = True
        return e * canon(slope)
    if isinstance(e, Rho):
        key, events, givens, by = e.args
        if any(g.has(v) and g != v for g in givens):
            raise NotImplementedError("a density is differentiated through what it is given")
        if by and "positive" not in key.facts:
            rules.assumed.add(SMOOTH_ZEROS)
        if events.has(v):
            rules.assumed.add(smooth(e))
        total = sp.S.Zero
        for place, at in enumerate((*events, *givens)):
            slope = differentiate(at, v, rules)
            total += slope * Rho(key, events, givens, sorted((*by, sp.Integer(place))))
        return total
    if isinstance(e, Unknown):
        key, order, *args = e.args
        if "inverse" in key.facts and ENTRY in key.facts:
            slopes = (slope_of_inverse(e, j) * differentiate(a, v, rules)
                      for j, a in enumerate(args) if a.has(v))  # fmt: skip
            return sp.Add(*slopes)
        if "inverse" in key.facts:
            return inverse_slope(key, *args) * differentiate(args[0], v, rules)
        if len(args) == 1:
            return Unknown(key, order + 1, *args) * differentiate(args[0], v, rules)
        orders = tuple(order) if isinstance(order, sp.Tuple) else (0,) * len(args)
        total = sp.S.Zero
        for i, a in enumerate(args):
            more = sp.Tuple(*orders[:i], orders[i] + 1, *orders[i + 1 :])
            total += differentiate(a, v, rules) * Unknown(key, more, *args)
        return total
    if isinstance(e, Int):
        body, letters = open_integral(e, (v,))
        if any(s.has(v) for s in body.atoms(Sign, AbsAtom)):  # at what moves, from it and up to it
            apart = over_half_lines(body, tuple(letters), rules)
            if apart is not None:
                return differentiate(apart, v, rules)
        return integrate(differentiate(body, v, rules), tuple(letters), rules)
    if isinstance(e, Binder) and e.args[0] == Key("int"):
        return _slope_between(e, v, rules)
    if isinstance(e, Binder) and e.args[0].name in ("sum", "prod"):
        body, own, space = opened(e)
        slope = differentiate(body, v, rules)
        if e.args[0].name == "sum":
            return sum_over(slope, own, space)
        if not is_positive(body):
            raise NotImplementedError("the derivative of a product of what may be 0")
        return e * sum_over(slope / body, own, space)
    if isinstance(e, BigSum):
        body, index, low, high = e.args
        return big_sum(differentiate(body, v, rules), index, low, high)
    if isinstance(e, Log):
        inner = e.args[0].args[0] if isinstance(e.args[0], AbsAtom) else e.args[0]
        return differentiate(inner, v, rules) / inner  # of log|u| as well
    if isinstance(e, Fun):
        return slope_of(e.row.name, e.args[1]) * differentiate(e.args[1], v, rules)
    if isinstance(e, (AbsAtom, Sign)):
        u = residual_text(e.args[0])
        raise NotImplementedError(f"a derivative where {u} may be 0, at which there is no slope")
    raise NotImplementedError(f"the derivative of {residual_text(e)}")
