"""Breaking what a proof takes for granted: integrals that grow with every window have no value."""

from __future__ import annotations

import decimal
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from genmath.proof.language.binders import Between, Limit, Over, sides
from genmath.proof.language.families import row_of
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.obligations import (
    BOUNDED_ABOVE,
    EXCHANGE,
    EXISTS,
    FINITE,
    VANISHES,
    Obligation,
    factors,
    measures,
)
from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Family,
    Fn,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    NotationError,
    Number,
    Pow,
    Symbol,
    event_variables,
    free_symbols,
)
from genmath.proof.numeric.arithmetic import CONTEXT, EXACT, FLOAT
from genmath.proof.numeric.compiled import Program
from genmath.proof.numeric.describe import describe, without_value
from genmath.proof.numeric.ends import RANGES, Place, Way, between, far_out, nearby, way, weight_of
from genmath.proof.numeric.evaluate import plain_letters
from genmath.proof.numeric.hypotheses import ROUNDING, assignments
from genmath.proof.numeric.passing import does_not_pass, may_not_pass
from genmath.proof.numeric.quadrature import EDGES, LEVELS, WINDOWS
from genmath.proof.numeric.survey import Survey, constant
from genmath.proof.numeric.worlds import HABITUAL, World

MOST = 60_000  # points of the widest window
STEADY = 0.7  # an integral converges if what a wider window adds falls faster than this
ENDS = 0.75  # the same between limits, where windows widen evenly in the logarithm
UNUSUAL = 3.0  # where letters are tiny, many an integral that converges does so slowly
# kinds of worlds: the square of such a letter sets a scale that no window reaches, and what goes on
# growing up to there looks as if it always did, unless it grows beyond all floats
TOO_FAR = ("far", "farthest")
# of the rate at which it falls, what falls like a power keeps so much from a window to the next: in
# windows that widen ever more, something is lost in taking their middles
KEEPS = {"line": 0.999, "ends": 0.999}
KEEPS_ELSEWHERE = 0.95
# the power of what windows of counts add: of 1/(k log k) about -0.15, of 1/(k log(k)^2) twice that
SLOW = -0.2
BEND = 0.25  # of a power on the line
STEEP = 100.0  # the growth of a logarithm that no power makes from a window to the next
OUT = (20.0, 60.0, 180.0)  # places far out
FAST = ("exp", "gamma", "tan")
Drawn = Callable[[], Sequence[World]]


def broken(
    stated: Iterable[Obligation], survey: Survey, worlds: Sequence[World], unusual: Drawn
) -> dict[str, Any] | None:
    """A counterexample to the first obligation that fails in some world, usual or not; one on
    arbitrary functions or densities only where it fails in every world, since it may hold for
    others."""
    tried: list[World] = []
    undecided: dict[str, Any] | None = None
    for one in stated:
        if not at_risk(one):
            continue
        tried = tried or [*worlds[:2], *unusual()]
        abstract = any(isinstance(n, (Apply, Dens)) for n in one.whole.walk())
        seen = [w for w in tried if not (abstract and w.kind in TOO_FAR)]
        results = (_breaks(one, survey, world) for world in seen)
        found = None
        for found in results:
            if (found is None) == abstract:
                break
        if found is not None and not abstract:
            return found
        if found is not None:
            undecided = undecided or found | {"abstract": str(one)}
    return undecided


def at_risk(one: Obligation) -> bool:
    """Whether windows may show something: no density says where a letter lies, or what grows fast
    stands beside it."""
    if one.kind in (VANISHES, BOUNDED_ABOVE, EXISTS):
        return True
    if one.kind != FINITE:
        return may_not_pass(one)
    for n in one.whole.walk():
        if isinstance(n, Between):
            return True
        if isinstance(n, (Divergence, Entropy)) and not all(map(_plain, n.args)):
            return True
        if isinstance(n, Integral):
            events = {v for d in measures(n.body) for v in event_variables(d)}
            if set(n.bound) - events:
                return True
        if isinstance(n, (Integral, Expect)):
            if any(_grows(m) and free_symbols(m) & set(n.bound) for m in n.walk()):
                return True
            if _has_few_moments(n):
                return True
    return False


def _has_few_moments(n: Integral | Expect) -> bool:
    """A family with heavy tails, or one letter of a law in a denominator."""
    laws = [m for m in n.walk() if isinstance(m, (Family, Normal)) and m.args[0] in n.bound]
    letters = {s for m in laws for s in free_symbols(m.args[0])}
    heavy = any(isinstance(m, Family) and row_of(m).heavy for m in laws)
    if heavy and isinstance(n, Expect):
        return bool(free_symbols(n.body) & letters)
    beside = list(_beside_laws(n))
    under = [m.args[1] for m in beside if isinstance(m, Div)]
    under += [m.args[0] for m in beside if isinstance(m, Pow) and isinstance(m.args[1], Neg)]
    return any(free_symbols(u) & letters for u in under)


def _beside_laws(n: Node) -> Iterator[Node]:
    if not isinstance(n, (Family, Normal)):
        yield n
        for child in n.args:
            yield from _beside_laws(child)


def _plain(p: Node) -> bool:
    """Densities, mixed or multiplied, whose logarithms are mild."""
    match p:
        case Dens() | Normal() | Family():
            return not any(row_of(m).heavy for m in p.walk() if isinstance(m, Family))
        case Named(args=(inner,)):
            return _plain(inner)
        case Add() | Mul():
            return all(_plain(a) or not any(s.is_variable for s in free_symbols(a)) for a in p.args)
        case Div(args=(over, under)):
            return _plain(over) and (isinstance(under, Dens) or not free_symbols(under))
        case Integral():
            return _plain(p.body)
    return not any(s.is_variable for s in free_symbols(p))


def _grows(m: Node) -> bool:
    if isinstance(m, Fn):
        return m.name in FAST
    if isinstance(m, Div):
        return any(isinstance(f, (Normal, Fn)) for f in factors(m.args[1]))
    return isinstance(m, Pow) and (
        not isinstance(m.args[1], (Number, Neg)) or isinstance(m.args[0], Normal)
    )


def _breaks(one: Obligation, survey: Survey, world: World) -> dict[str, Any] | None:
    try:
        if isinstance(one.whole, (Over, Limit)):
            return None if world.kind in TOO_FAR else _wanders(one, survey, world)
        if one.kind == EXCHANGE:
            return does_not_pass(one, survey, world) if world.index < HABITUAL else None
        survey = Survey((one.whole,), base=survey)
        program = Program((one.whole,), survey, world.dim, world.family, widening=True)
        if one.kind == VANISHES:
            return _stays(one, program, world)
        return _diverges(one, program, world) if program.has_grid else None
    except NotationError:
        return None


def _stays(one: Obligation, program: Program, world: World) -> dict[str, Any] | None:
    """The flux does not fall as its letter goes far out."""
    assert one.letter is not None
    for free in assignments(program, world, 2):
        if one.letter.name not in free or one.letter.shape:
            return None
        for side in (-1, 1):
            sizes = []
            for far in OUT:
                ((value,),) = program.run(world, FLOAT, 0, {**free, one.letter.name: [side * far]})
                sizes.append(abs(float(value)))
            if sizes[-1] > 1e-6 and all(b >= 0.5 * a for a, b in itertools.pairwise(sizes)):
                return without_value(
                    one.whole, program.keys, world, "does not vanish", sizes, "0 far out"
                )
    return None


def _wanders(one: Obligation, survey: Survey, world: World) -> dict[str, Any] | None:
    """What a supremum or a limit is taken of grows and grows; or goes on changing on the way."""
    assert isinstance(one.whole, (Over, Limit))
    if one.whole.letter.is_variable:
        return None
    limit = isinstance(one.whole, Limit)
    sign = 0 if isinstance(one.whole, Limit) else -1 if one.whole.kind == "inf" else 1
    for place in _ends(one.whole):
        places = ((one.whole.letter, place),)
        seen = way(one.whole.body, places, survey, world)
        if seen is None:
            continue
        endless = seen.grows(sign) or (limit and seen.swings())
        if limit and seen.beyond and not endless:
            seen = way(one.whole.body, places, survey, world, doubling=True) or seen
            endless = seen.waves()
        if endless:
            what = "does not exist" if limit else "has no bound"
            shown = [float(v) for v in seen.values if -1e300 < v < 1e300]
            return without_value(one.whole, seen.keys, world, what, shown[-6:], "a number")
    return None


def _ends(whole: Over | Limit) -> list[Place]:
    """Ways to go out, or near, by a large number."""
    domain = whole.letter.domain
    if isinstance(whole, Limit):
        if end := sides(whole.to):
            return [far_out(end)]
        both = [nearby(whole.to), nearby(whole.to, -1)]
        return both if domain == "real" or (constant(whole.to) or 0) > 0 else both[:1]
    return between(*RANGES[domain]) if domain in RANGES else []


def _diverges(one: Obligation, program: Program, world: World) -> dict[str, Any] | None:
    free = assignments(program, world, 1)[0]
    sizes: list[float] = []
    for level in range(LEVELS, LEVELS + WINDOWS):
        if program.cost(world, level) > MOST:
            break
        ((value,),) = program.run(world, FLOAT, level, free)
        sizes.append(abs(float(value)))
    finite = [s for s in sizes if math.isfinite(s)]
    added = [b - a for a, b in itertools.pairwise(finite)]
    steady = ENDS if any(isinstance(n, Between) for n in one.whole.walk()) else STEADY
    steady = UNUSUAL if world.index >= HABITUAL else steady
    grows = len(added) >= 3 and all(b >= steady * a > 0 for a, b in itertools.pairwise(added[-3:]))
    grows = grows and added[-1] > 1e-6 * finite[-1] and not _fades(added, program)
    if grows and any(loop == ("grid", "gauss") for chain in program.chains for loop in chain):
        grows = _bends([math.log(a) for a in added[-3:]]) > -4  # past the peak of exp(a x)
    grows = grows and world.kind not in TOO_FAR and not _is_rounding(program, world, free, sizes)
    rises = len(finite) < 2 or finite[-1] > 10 * finite[-2]
    beyond = len(sizes) - len(finite) > 1 and rises and _beyond(program, world, free)
    if grows or beyond:
        ways = _at_ends(one.whole, program.survey, world)
        if all(seen is not None and seen.fades() for seen in ways):
            return None
    elif not _is_endless(one.whole, program.survey, world):
        return None
    return without_value(one.whole, program.keys, world, "is not finite", finite)


def _at_ends(whole: Node, survey: Survey, world: World) -> Iterator[Way | None]:
    """How an integral over one letter goes to its ends, and to where it may have a pole between
    them: farther out, or nearer, than any window."""
    body, letter, ends = _integrand(whole)
    if letter is None or not ends:
        yield None
        return
    places = between(*ends)
    for root in _roots(body, letter):
        if _lies_between(root, ends, survey, world):
            places += [nearby(root), nearby(root, -1)]
    for place in places:
        yield way(body, ((letter, place),), survey, world, weight_of(place))


def _is_endless(whole: Node, survey: Survey, world: World) -> bool:
    """Whether it is seen not to fall towards an end."""
    if isinstance(whole, Between) or world.index:  # its limits may be in either order
        return False
    return any(seen is not None and seen.stays() for seen in _at_ends(whole, survey, world))


def _integrand(whole: Node) -> tuple[Node, Symbol | None, tuple[Node, ...]]:
    """What is integrated over one letter, and from where to where."""
    if isinstance(whole, Between):
        return whole.body, whole.letter, (whole.low, whole.high)
    if not isinstance(whole, (Integral, Expect)) or len(whole.bound) != 1:
        return whole, None, ()
    (letter,) = whole.bound
    body = whole.body if isinstance(whole, Integral) else Mul(*whole.dists, whole.body)
    return body, letter, RANGES.get(letter.domain, ())


def _roots(body: Node, letter: Symbol) -> Iterator[Node]:
    """Where a size, a sign, or what is divided by is 0, if it is linear."""
    looked = [
        n.args[0] for n in body.walk() if isinstance(n, Fn) and (_corner(n) or n.name == "log")
    ]
    looked += [n.args[1] for n in body.walk() if isinstance(n, Div)]
    looked += [n.args[0] for n in body.walk() if isinstance(n, Pow)]
    for u in dict.fromkeys(looked):
        if letter in plain_letters(u):
            zero, one = (instantiate(u, ((letter, Number(k)),)) for k in (0, 1))
            yield Div(zero, Add(zero, Neg(one)))


def _lies_between(root: Node, ends: Sequence[Node], survey: Survey, world: World) -> bool:
    """Strictly, or it cannot be told."""
    known = [e for e in ends if not sides(e)]
    program = Program((root, *known), Survey((root, *known), base=survey), world.dim, world.family)
    if program.has_grid:
        return True
    at, *values = (u[0] for u in program.run(world, EXACT, 0, assignments(program, world, 1)[0]))
    low, high = (sides(e) * EXACT.inf if sides(e) else values.pop(0) for e in ends)
    return bool(at.is_finite() and not (at <= low or at >= high))


def _is_rounding(program: Program, world: World, free: Any, sizes: list[float]) -> bool:
    """Whether the last window adds far less in decimals than in floats: of u - (u - 1), far out."""
    last = LEVELS + len(sizes) - 1
    if not all(map(math.isfinite, sizes[-2:])) or program.cost(world, last) > MOST // 4:
        return False
    try:
        before, after = (program.run(world, EXACT, k, free)[0][0] for k in (last - 1, last))
    except ArithmeticError:
        return False
    added = float(after.copy_abs()) - float(before.copy_abs())
    return abs(added) < (sizes[-1] - sizes[-2]) / 2


def _fades(added: list[float], program: Program) -> bool:
    """Whether what windows add falls like a power of what is left to an end, however slow: as of
    u^(-99/100), and unlike that of 1/u, or of 1/(u log u), which falls ever more slowly. Or it grew
    like one, and no longer does, as of exp(-x/10^9)."""
    kinds = {key for chain in program.chains for _, key in chain}
    kind = kinds.pop() if len(kinds) == 1 else ""
    if kind not in EDGES or len(added) < WINDOWS - 1 or not all(a > 0 for a in added):
        return False
    windows = list(itertools.pairwise(EDGES[kind]))
    logs = [math.log(a / (high - low)) for a, (low, high) in zip(added, windows, strict=True)]
    points = [((low + high) / 2, log) for log, (low, high) in zip(logs, windows, strict=True)]
    before, last = ((v - u) / (y - x) for (x, u), (y, v) in itertools.pairwise(points[-3:]))
    if kind == "line" and last < before - BEND:
        return True
    if kind == "count" and last < SLOW:
        return True
    return before < 0 and last <= KEEPS.get(kind, KEEPS_ELSEWHERE) * before


def _beyond(program: Program, world: World, free: Any) -> bool:
    """Whether windows in which floats overflow hold ever more indeed: a density that underflows in
    a denominator looks like infinity, too. Decimals do neither."""
    far, logs = world.kind in TOO_FAR, list[float]()
    if far and ("grid", "count") in {loop for chain in program.chains for loop in chain}:
        return False  # what such a letter is a rate of falls beyond all counts that are seen
    for level in range(LEVELS, LEVELS + WINDOWS):
        if program.cost(world, level) > MOST // 4:
            break
        try:
            ((value,),) = program.run(world, EXACT, level, free)
        except decimal.Overflow:
            if not far:  # there a factor may overflow, and the product not
                logs.append(math.inf)
            break
        except ArithmeticError:
            break
        if not value.is_finite():
            return False
        logs.append(float(CONTEXT.ln(value.copy_abs())) if value else -math.inf)
    if len(logs) > 1 and logs[-1] == math.inf:
        return True
    if len(logs) < 3:
        return False
    before, last = (b - a for a, b in itertools.pairwise(logs[-3:]))
    return last > (STEEP if far else 2) and before > 2 and _bends(logs[-3:]) > -4


def _bends(logs: Sequence[float]) -> float:
    """The second difference: of the logarithm of exp(a x) under a normal density it is -16, for
    windows that are 4 apart; where there is no end to the growth it is not so far below 0."""
    return logs[2] - 2 * logs[1] + logs[0]


def null_denominator(
    sides: Sequence[Node], survey: Survey, worlds: Sequence[World]
) -> dict[str, Any] | None:
    """A denominator that is 0 in several worlds drawn at random is 0 on more than a null set. Only
    what has corners can be: what is analytic vanishes everywhere or almost nowhere."""
    cornered = {f for s in sides for f in _divisors(s) if any(_corner(n) for n in f.walk())}
    for under in sorted(cornered, key=text):
        size = Add(*(Fn("abs", t) for t in under.args)) if isinstance(under, Add) else under
        try:
            programs = {w.dim: Program((under, size), survey, w.dim) for w in worlds}
        except NotationError:
            continue
        zeros: list[World] = []
        for k in range(30):
            world = World(survey, worlds[0].seed, 1000 + k, worlds[0].dim, 8 * (k % 5))
            program = programs[world.dim]
            if program.has_grid or program.free:
                break
            try:
                ((value,), (whole,)) = program.run(world, EXACT, 0, {})
            except (decimal.Overflow, decimal.Underflow):
                continue
            with decimal.localcontext(CONTEXT):
                if abs(value) <= ROUNDING * abs(whole):
                    zeros.append(world)
        if len(zeros) > 1:
            here = describe(zeros[0], programs[zeros[0].dim].keys, EXACT)
            return {
                "reason": f"the denominator {text(under)} is 0 on more than a null set",
                "dimension": zeros[0].dim,
                "world": here,
                "lhs": text(under),
                "rhs": "not 0",
                "difference": "0",
                "digits": 34,
            }
    return None


def _divisors(node: Node) -> Iterator[Node]:
    """The factors that something is divided by, outside binders."""
    if isinstance(node, (Integral, Expect, Divergence, Entropy, Big, Deriv)):
        return
    if isinstance(node, Div):
        yield from factors(node.args[1])
    if isinstance(node, Pow) and isinstance(node.args[1], Neg):
        yield from factors(node.args[0])
    if isinstance(node, Fn) and node.name == "log":  # of |u|, and of even powers
        yield from factors(node.args[0])
    for child in node.args:
        yield from _divisors(child)


def _corner(n: Node) -> bool:
    if isinstance(n, Fn):
        return n.name in ("abs", "sqrt", "positive_part", "indicator")
    power = n.args[1].args[0] if isinstance(n, Pow) and isinstance(n.args[1], Neg) else None
    power = n.args[1] if isinstance(n, Pow) and power is None else power
    return power is not None and not (isinstance(power, Number) and power.value.denominator == 1)
