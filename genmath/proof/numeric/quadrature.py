"""Nodes and weights to integrate over a line, at six resolutions."""

from __future__ import annotations

import decimal
import itertools
import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from genmath.proof.numeric.arithmetic import CONTEXT, EXACT, FLOAT, Arithmetic, Num

LINE = (
    (7.5, 36),
    (8.3, 54),
    (9.5, 88),
    (12.0, 176),
    (16.0, 360),
    (40.0, 1200),
)  # half width, intervals
# between limits, in what is taken to the ends doubly exponentially: farther out floats overflow
ENDS = (*LINE[:4], (14.0, 320), (16.0, 720))
LINES = {"line": LINE, "ends": ENDS}
GAUSS = (5, 7)  # Gauss-Hermite at the two coarsest levels, then the trapezoid:
STEPS = ((0.7, 12), (0.45, 20), (0.25, 38), (0.2, 60))  # spacing, nodes on each side
CUT_GAUSS = ((1.0, 8), (0.85, 10))  # the same at the coarsest levels, where it is cut
LEVELS = len(LINE)
# beyond the levels, windows that widen, to see whether an integral does: asinh of the half width on
# a line, half width in whitened coordinates, and the spacing of each
FAR_LINE, FAR_GAUSS = (2.5, 7.0, 11.5, 16.0, 20.5, 25.0), (4.0, 8.0, 12.0, 16.0, 20.0, 24.0)
FAR_STEPS = {"line": 0.25, "ends": 0.125, "gauss": 0.5}
FAR_ENDS = tuple(
    FAR_STEPS["ends"] * round(4 * math.asinh(6 * k / math.pi) / FAR_STEPS["ends"])
    for k in range(1, 7)
)  # each about e^6 nearer
WINDOWS = len(FAR_LINE)
# and three to find what lies far: half width of a line, intervals
WIDE = ((128.0, 1024), (128.0, 2048), (512.0, 4096))
WIDE_LEVELS = tuple(LEVELS + WINDOWS + k for k in range(len(WIDE)))
# and three at which decimals go on where floats end, or have lost their digits: how far the
# logarithm, or the logit, of what ends somewhere reaches, and the spacing of nodes
DEEP = ((100_000, "0.11"), (300_000, "0.09"), (1_000_000, "0.07"))
DEEP_LEVELS = tuple(WIDE_LEVELS[-1] + 1 + k for k in range(len(DEEP)))
# where a letter lives: ends are reached doubly exponentially, x = exp(pi/2 sinh u) on a half-line,
# and its logit likewise between 0 and 1. How far the logarithm reaches, down and up, grows with the
# level: what is cut off would look like a difference that stays. Counts are counted.
REACHES = {
    "half": ((60, 120, 240, 400, 550, 700), (10, 13, 17, 22, 28, 34)),
    "unit": ((60, 120, 240, 400, 550, 700), (60, 120, 240, 400, 550, 700)),
    "tail": ((60, 70, 80, 90, 100, 110), (60, 100, 150, 205, 270, 350)),
    "other tail": ((60, 70, 80, 90, 100, 110), (50, 85, 130, 175, 230, 300)),  # oo - oo
}
SPACING = ("0.21", "0.15", "0.11", "0.08", "0.055", "0.035")
COUNTS = (60, 90, 140, 220, 360, 600)
FAR_LOG, FAR_COUNTS = (4.0, 8.0, 16.0, 32.0, 64.0, 128.0), (32, 64, 128, 256, 512, 1024)


# the logarithm of how far the windows of a kind reach
EDGES = {
    "line": FAR_LINE,
    "ends": tuple(math.pi * math.sinh(t / 4) for t in FAR_ENDS),
    **dict.fromkeys(REACHES, FAR_LOG),
    "count": tuple(map(math.log, FAR_COUNTS)),
}
Node = tuple[Num, Num, Num]


def even(kind: str, level: int) -> tuple[float, float, int] | None:
    """The first of the places at which the nodes of a level lie evenly, their distance, and how
    many there are; None of what is counted."""
    if kind in LINES:
        half, count = LINES[kind][level]
        return 0.0371 - half, 2 * half / count, count + 1
    if kind == "gauss":
        h, side = (*CUT_GAUSS, *STEPS)[level]
        return h * (0.137 - side - 1), h, 2 * side + 2
    if kind in REACHES:
        h = float(SPACING[level])
        down, up = (int(math.asinh(r[level] * 2 / math.pi) / h) for r in REACHES[kind])
        return h * (0.371 - down), h, down + up
    return None


def node(arithmetic: Arithmetic, kind: str, s: float) -> Node:
    """The node at such a place, with weights for a unit of it."""
    if kind in REACHES:
        y, slope = math.pi / 2 * math.sinh(s), math.pi / 2 * math.cosh(s)
        if arithmetic is not FLOAT:
            t, w = _from_logs(kind, Decimal(y), Decimal(slope))
            return t, w, w
        small = math.exp(-abs(y))
        place, weight = math.exp(y), slope * math.exp(y)
        if kind == "unit":
            place, weight = y, slope * small / (1 + small) ** 2
        return place, weight, weight
    make = arithmetic.make
    bell = math.exp(-s * s / 2) / math.sqrt(2 * math.pi) if kind == "gauss" else 1.0
    return make(s), make(bell), arithmetic.one


@lru_cache(maxsize=64)
def grid(arithmetic: Arithmetic, kind: str, level: int) -> list[Node]:
    """Nodes (t, w, v). "line", "ends": w = v = spacing. "gauss": w integrates against the standard
    normal, v = w / its density. Elsewhere w = v integrates over the letter, which between 0 and 1
    is the sigmoid of t. Of a count v is how many come before those that a law may move."""
    if level in DEEP_LEVELS:
        return _deep(arithmetic, kind, level - DEEP_LEVELS[0])
    if kind in REACHES or kind in ("bit", "count", "integer") or kind.startswith("values"):
        return _elsewhere(arithmetic, kind, level)
    if level in WIDE_LEVELS:
        return _wide(arithmetic, kind, *WIDE[level - WIDE_LEVELS[0]])
    if level >= LEVELS:
        return _window(arithmetic, kind, level - LEVELS)
    with decimal.localcontext(CONTEXT) as context:
        context.prec = 44
        nodes = _gauss(level) if kind == "gauss" else _line(*LINES[kind][level])
    with decimal.localcontext(CONTEXT):
        if arithmetic is EXACT:
            return [(+t, +w, +v) for t, w, v in nodes]
        return [(float(t), float(w), float(v)) for t, w, v in nodes]


def _window(arithmetic: Arithmetic, kind: str, k: int) -> list[Node]:
    half = {"line": FAR_LINE, "ends": FAR_ENDS, "gauss": FAR_GAUSS}[kind][k]
    h = FAR_STEPS[kind]
    us = [h * (i + 0.371) for i in range(-round(half / h), round(half / h))]
    if kind == "line":
        nodes = [(math.sinh(u), h * math.cosh(u), h * math.cosh(u)) for u in us]
    elif kind == "ends":
        nodes = [(u, h, h) for u in us]
    else:
        nodes = [(u, h * math.exp(-u * u / 2) / math.sqrt(2 * math.pi), h) for u in us]
    return [(arithmetic.make(t), arithmetic.make(w), arithmetic.make(v)) for t, w, v in nodes]


def _wide(arithmetic: Arithmetic, kind: str, half: float, count: int) -> list[Node]:
    if kind != "line":
        return grid(arithmetic, kind, LEVELS - 2)
    h = 2 * half / count
    nodes = [(h * (i + 0.5) - half + 0.0371, h) for i in range(count)]
    return [(arithmetic.make(t), arithmetic.make(w), arithmetic.make(w)) for t, w in nodes]


def _deep(arithmetic: Arithmetic, kind: str, k: int) -> list[Node]:
    if kind not in ("ends", *REACHES):
        return grid(arithmetic, kind, LEVELS - len(DEEP) + k)
    reach, spacing = DEEP[k]
    make = arithmetic.make
    with decimal.localcontext(CONTEXT):
        if kind == "ends":
            half = 4 * math.asinh(reach / math.pi)
            flat = _line(half, round(half / (2 * float(spacing))))
            return [(make(t), make(w), make(v)) for t, w, v in flat]
        nodes = _doubly(kind, (reach, reach), spacing)
        return [(make(t), make(w), make(w)) for t, w in nodes]


def _line(half_width: float, count: int) -> list[tuple[Decimal, Decimal, Decimal]]:
    half = Decimal(repr(half_width))
    h = 2 * half / count
    shift = Decimal("0.0371") - half  # no node at 0, no symmetry
    return [(shift + h * i, h, h) for i in range(count + 1)]


def _gauss(level: int) -> list[tuple[Decimal, Decimal, Decimal]]:
    root = (2 * EXACT.pi).sqrt()
    if level < len(GAUSS):
        pairs = hermite(GAUSS[level])
    else:
        h_text, side = STEPS[level - len(GAUSS)]
        h = Decimal(repr(h_text))
        ts = [h * (i + Decimal("0.137")) for i in range(-side - 1, side + 1)]
        pairs = [(t, h * (-t * t / 2).exp() / root) for t in ts]
    return [(t, w, w * root * (t * t / 2).exp()) for t, w in pairs]


def _elsewhere(arithmetic: Arithmetic, kind: str, level: int) -> list[Node]:
    make, one = arithmetic.make, arithmetic.one
    window = LEVELS <= level < LEVELS + WINDOWS
    fine = min(level, LEVELS - 1)
    if kind.startswith("values"):
        named = [Fraction(value) for value in kind.split()[1:]]
        return [(make(v.numerator) / make(v.denominator), one, one) for v in named]
    if kind in ("bit", "count", "integer"):
        many = FAR_COUNTS[level - LEVELS] if window else COUNTS[fine]
        least = -many if kind == "integer" else 0
        kept = make(many // 3)
        return [(make(n), one, kept) for n in range(least, 2 if kind == "bit" else many)]
    with decimal.localcontext(CONTEXT) as context:
        context.prec = 44
        reach = [sides[fine] for sides in REACHES[kind]]
        nodes = _far_ends(kind, level - LEVELS) if window else _doubly(kind, reach, SPACING[fine])
    with decimal.localcontext(CONTEXT):
        if arithmetic is EXACT:
            return [(+t, +w, +w) for t, w in nodes]
        return [(float(t), float(w), float(w)) for t, w in nodes]


def _doubly(kind: str, reach: Sequence[int], spacing: str) -> list[tuple[Decimal, Decimal]]:
    h, half_pi = Decimal(spacing), EXACT.pi / 2
    down, up = (math.asinh(side * 2 / math.pi) for side in reach)
    us = [h * (i + Decimal("0.371")) for i in range(-int(down / float(h)), int(up / float(h)))]
    nodes = [(u.exp(), (-u).exp()) for u in us]
    return [_from_logs(kind, half_pi * (a - b) / 2, h * half_pi * (a + b) / 2) for a, b in nodes]


def _far_ends(kind: str, k: int) -> list[tuple[Decimal, Decimal]]:
    h = Decimal("0.125")
    side = int(FAR_LOG[k] / 0.125)
    return [_from_logs(kind, h * (i + Decimal("0.371")), h) for i in range(-side, side)]


def _from_logs(kind: str, y: Decimal, slope: Decimal) -> tuple[Decimal, Decimal]:
    """A node from the logarithm, or the logit, of the letter."""
    if kind != "unit":
        return y.exp(), slope * y.exp()
    small = (-abs(y)).exp()
    return y, slope * small / (1 + small) ** 2


def hermite(n: int) -> list[tuple[Decimal, Decimal]]:
    """Nodes and weights for the standard normal, exact for polynomials of degree 2n - 1."""

    def value(k: int, x: Decimal) -> tuple[Decimal, Decimal]:  # He_k(x), He_{k-1}(x)
        low, high = Decimal(0), Decimal(1)
        for j in range(k):
            low, high = high, x * high - j * low
        return high, low

    roots: list[Decimal] = [Decimal(0)]
    for k in range(2, n + 1):
        edges = [roots[0] - 2, *roots, roots[-1] + 2]
        found = []
        for left, right in itertools.pairwise(edges):
            sign = value(k, left)[0] > 0
            for _ in range(24):
                middle = (left + right) / 2
                if (value(k, middle)[0] > 0) == sign:
                    left = middle
                else:
                    right = middle
            x = (left + right) / 2
            for _ in range(4):
                top, below = value(k, x)
                x -= top / (k * below)
            found.append(x)
        roots = found
    factorial = Decimal(math.factorial(n))
    return [(x, factorial / (n * value(n, x)[1]) ** 2) for x in roots]
