"""What a function does on its way to an end, seen at 2^(2^j).

Of a function that changes slowly, or far out, windows and doublings show too little: they take what
settles later for what never does. Here the logarithm of the place doubles from step to step, until
digits are lost or numbers end. What is said of an end is said only if the way is longer than
anything that the numbers in the function may hide."""

from __future__ import annotations

import decimal
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from genmath.proof.language.binders import Limit, Over, infinity, sides
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.tree import (
    Add,
    Apply,
    Dens,
    Div,
    Mul,
    Neg,
    Node,
    NotationError,
    Number,
    Symbol,
    free_symbols,
)
from genmath.proof.numeric.arithmetic import CONTEXT, EXACT, LONG, SHARP
from genmath.proof.numeric.compiled import Program
from genmath.proof.numeric.hypotheses import assignments
from genmath.proof.numeric.survey import Key, Survey
from genmath.proof.numeric.worlds import World

LAST, LAST_WHOLE = 50, 9  # doublings of the logarithm; of a whole number, all digits are kept
ODD = 7  # up to here every other place is odd
ALIKE = Decimal("1e-6")  # what two precisions agree to, unless digits are lost
ROUNDED = Decimal("1e-30")  # of a gap between numbers: none
FEW, MANY = 4, 6  # steps
DOUBLINGS = 30  # of places, where the digits of a wave end
LEAST, BENDS = 0.3, 0.98  # a growth that is seen as one, and does not slow down
KEEPS = Decimal("0.9")  # of its swings
FADES, STAYS = 1 - Decimal("1e-6"), 1 - Decimal("1e-9")

RANGES: dict[str, tuple[Node, Node]] = {
    "real": (Neg(infinity), infinity),
    "positive": (Number(0), infinity),
    "nonnegative": (Number(0), infinity),
    "unit": (Number(0), Number(1)),
    "at_least_one": (Number(1), infinity),
    "natural": (infinity, infinity),
    "count": (infinity, infinity),
}
Place = Callable[[Node], Node]  # a letter, by a number that grows


@dataclass(frozen=True)
class Way:
    """Values at places farther and farther out. `beyond`: the next one is larger than any
    number."""

    values: tuple[Decimal, ...]
    beyond: bool
    scale: float  # how large, or how close to another, the numbers in the function are
    keys: tuple[Key, ...]  # of the world, that it reads
    reach: int  # the binary logarithm of the last place

    @property
    def is_far(self) -> bool:
        """Whether even the logarithm of the place outgrew those numbers."""
        return bool(self.values) and self.scale**2 <= self.reach

    def grows(self, sign: int) -> bool:
        """Without end: like a logarithm at least, and never more slowly; with sign 0, in size."""
        with decimal.localcontext(CONTEXT):
            sizes = [sign * v if sign else abs(v) for v in self.values]
            if not self.is_far:
                return False
            if self.beyond:
                pairs = itertools.pairwise(sizes)
                return len(sizes) >= FEW - 1 and all(a > 1 and b.ln() > a.ln() * 3 / 2
                                                     for a, b in pairs)  # fmt: skip
            added = [b - a for a, b in itertools.pairwise(sizes)][-FEW:]
            if len(sizes) < MANY or not all(a > 0 for a in added) or sizes[-1] < 1:
                return False
            rates = [float(b.ln() - a.ln()) for a, b in itertools.pairwise(added)]
        steady = all(b >= BENDS * a for a, b in itertools.pairwise(rates))
        return min(rates) > LEAST and steady

    def swings(self) -> bool:
        """To and fro without end: as widely far out as near."""
        if not self.is_far or self.beyond or len(self.values) <= MANY + 1:
            return False
        with decimal.localcontext(CONTEXT):
            steps = [b - a for a, b in itertools.pairwise(self.values[: ODD + 3])]
            late = steps[-MANY:]
            turns = sum(a * b < 0 for a, b in itertools.pairwise(late))
            first, last = (max(map(abs, some)) for some in (late[:3], late[3:]))
            return turns >= FEW and last * 10 > 1 and last >= KEEPS * first

    def waves(self) -> bool:
        """The same of doublings alone, as of sin(u), whose digits end soon."""
        if not self.is_far or len(self.values) < DOUBLINGS - 2:
            return False
        with decimal.localcontext(CONTEXT):
            steps = [b - a for a, b in itertools.pairwise(self.values)]
            turns = sum(a * b < 0 for a, b in itertools.pairwise(steps))
            half = len(self.values) // 2
            first, last = (
                max(some) - min(some) for some in (self.values[:half], self.values[half:])
            )
            return 3 * turns > len(steps) and last * 10 > 1 and last >= KEEPS * first

    def masses(self) -> list[Decimal]:
        """Of what is there per unit of the logarithm, how much is there per doubling of it."""
        with decimal.localcontext(CONTEXT):
            return [abs(v) * 2**j for j, v in enumerate(self.values)]

    def fades(self) -> bool:
        """Whether ever less is added to an integral at every doubling of the logarithm."""
        last = self.masses()[-FEW:]
        with decimal.localcontext(CONTEXT):
            falls = all(b <= FADES * a for a, b in itertools.pairwise(last))
        return len(last) == FEW and not self.beyond and falls

    def stays(self) -> bool:
        """Whether never less is."""
        last = self.masses()[-FEW:]
        if len(self.values) < MANY or not self.is_far or self.beyond:
            return False
        with decimal.localcontext(CONTEXT):
            return all(0 < STAYS * a <= b for a, b in itertools.pairwise(last))


def way(
    body: Node, places: Sequence[tuple[Symbol, Place]], survey: Survey, world: World,
    weight: Place | None = None, doubling: bool = False,
) -> Way | None:  # fmt: skip
    """Values of the body as its letters go there; None where there are none. `weight`: a factor.
    `doubling`: at 2^k."""
    taken = {s.name for s in free_symbols(body)}
    whole = all(letter.domain in ("natural", "count") for letter, _ in places)
    name = next(n for k in itertools.count() if (n := f"h_{{{k}}}") not in taken)
    h = Symbol(name, domain="natural" if whole else "positive")
    key: Key = ("natural", name) if whole else ("param", name, "positive")
    try:
        moved = instantiate(body, tuple((letter, place(h)) for letter, place in places))
        if any(isinstance(n, (Apply, Dens, Over, Limit)) for n in moved.walk()):
            return None
        moved = Mul(weight(h), moved) if weight else moved
        trees = (moved, *dict.fromkeys(_without(moved, h)))
        program = Program(trees, Survey(trees, base=survey), world.dim, world.family)
        whole_sums = any(loop == "int" for chain in program.chains for loop, _ in chain)
        if program.has_grid or whole_sums or program.shapes[0] != "scalar":
            return None
        return _walked(program, key, world, doubling)
    except (NotationError, ArithmeticError):
        return None


def _without(node: Node, letter: Symbol) -> Iterator[Node]:
    """The largest parts that do not depend on a letter."""
    if letter not in free_symbols(node):
        yield node
        return
    for child in node.args:
        yield from _without(child, letter)


def _walked(program: Program, key: Key, world: World, doubling: bool) -> Way:
    free = assignments(program, world, 1)[0]
    found: list[Decimal] = []
    beyond, scale = False, math.inf
    logs = [2**j for j in range((LAST_WHOLE if key[0] == "natural" else LAST) + 1)]
    for j, log in enumerate(range(2, DOUBLINGS + 2) if doubling else logs):
        place = 2**log + j % 2 if log <= 2**LAST_WHOLE else LONG.context.power(2, log)
        world.move(key, place)
        try:
            if not found:
                scale = _scale(program.run(world, EXACT, 0, free)[1:])
            few, many = (program.run(world, a, 0, free)[0][0] for a in (SHARP, LONG))
        except decimal.Overflow:
            beyond = True
            break
        except ArithmeticError:
            break
        with decimal.localcontext(LONG.context):
            if not (few.is_finite() and many.is_finite()):
                break
            if abs(few - many) > ALIKE * abs(many):
                break
        found.append(CONTEXT.plus(many))
    keys = tuple(k for k in program.keys if k != key)
    reach = len(found) + 1 if doubling else 2 ** (len(found) - 1) if found else 0
    return Way(tuple(found), beyond, scale, keys, reach)


def _scale(constants: Sequence[tuple[Decimal, ...]]) -> float:
    """Of all numbers together, and of any two that are close to each other, or to a whole number
    together: as of u^(-99/100)."""
    if any(len(c) != 1 or not c[0].is_finite() for c in constants):
        return math.inf
    values = {c[0].copy_abs() for c in constants}
    with decimal.localcontext(CONTEXT):
        sizes = [abs(v.ln()) for v in values if v]
        pairs = itertools.combinations_with_replacement({Decimal(0), *values}, 2)
        sums = [t for a, b in pairs for t in (a + b, a - b)]
        gaps = [abs(t - whole) for t in sums for whole in (0, t.to_integral_value())]
        logs = [abs(gap.ln()) for gap in gaps if gap > ROUNDED]
        return math.exp(min(300.0, float(max([sum(sizes, Decimal(0)), *logs]))))


# --- places -------------------------------------------------------------------------------------


def far_out(sign: int = 1) -> Place:
    return lambda h: h if sign > 0 else Neg(h)


def nearby(at: Node, sign: int = 1) -> Place:
    if at == Number(0) and sign > 0:
        return lambda h: Div(Number(1), h)
    return lambda h: Add(at, Div(Number(1), h) if sign > 0 else Neg(Div(Number(1), h)))


def between(low: Node, high: Node) -> list[Place]:
    """The ends of what lies between them."""
    first = far_out(sides(low)) if sides(low) else nearby(low)
    last = far_out(sides(high)) if sides(high) else nearby(high, -1)
    return [last] if low == high else [first, last]


def weight_of(place: Place) -> Place:
    """What a unit of the logarithm of the distance is there, in units of the letter."""
    probe = place(Symbol("h", domain="positive"))
    near = any(isinstance(n, Div) for n in probe.walk())
    return (lambda h: Div(Number(1), h)) if near else (lambda h: h)
