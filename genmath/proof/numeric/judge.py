"""The numeric judge: is a claim true in random concrete worlds?

    outcome = compare(claim)
    worlds = make_worlds(claim); compare(mutant, worlds=worlds)

A disagreement counts only when it persists at 34 digits in the same world and when the quadrature,
if there is any, has converged to it.
"""

from __future__ import annotations

import contextlib
import decimal
import itertools
import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal, Overflow, Underflow
from typing import Any, Literal

from genmath.proof.language.binders import Between, sides
from genmath.proof.language.claims import STRICT, Claim
from genmath.proof.language.obligations import EXCHANGE, Obligation, obligations
from genmath.proof.language.tree import (
    MAPS,
    Add,
    Apply,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Family,
    Fn,
    Integral,
    Node,
    Normal,
    Number,
    Pow,
    Relation,
    Symbol,
    free_symbols,
)
from genmath.proof.numeric.arithmetic import BOUNDED, CONTEXT, EXACT, FLOAT, SHARP, Arithmetic, Num
from genmath.proof.numeric.attack import (
    Sequence,
    consequences,
    has_no_value,
    sequence,
    without_common,
)
from genmath.proof.numeric.bells import bell
from genmath.proof.numeric.compiled import Program, Sums
from genmath.proof.numeric.descent import tightest
from genmath.proof.numeric.describe import describe, kinds
from genmath.proof.numeric.evaluate import CORNERS, plain_letters, poles, summands
from genmath.proof.numeric.hypotheses import Hypotheses, assignments, pairs
from genmath.proof.numeric.obligations import at_risk, broken, null_denominator
from genmath.proof.numeric.orders import unordered
from genmath.proof.numeric.quadrature import DEEP_LEVELS, LEVELS, REACHES, WIDE_LEVELS, WINDOWS
from genmath.proof.numeric.shared import Shared
from genmath.proof.numeric.survey import Key, Survey, Unsupported
from genmath.proof.numeric.worlds import FARTHER, HABITUAL, NoWorldError, World, inside

__all__ = ["Outcome", "Unsupported", "Worlds", "compare", "make_worlds", "satisfiable"]

Verdict = Literal["agree", "refuted", "undefined", "silent"]
TRIES = 60  # draws of a world, each steered towards the hypotheses
NO_WORLD = "no world found in which the hypotheses hold"
MAX_POINTS = 400_000  # of a quadrature
MAX_EXACT = 20_000  # of one that is tried again at 34 digits
MAX_DEEP = 4_000  # of one that goes on where floats end
SHRINKING = Decimal("1.3")  # the ratio of steps towards a limit, at least
SETTLED = Decimal("1e-20")  # steps that are no longer told from rounding
NOTHING = Decimal("1e-100")
TINY, CLOSE = Decimal("1e-9"), Decimal("1e-8")
GROWTH = Decimal("1.05")
ROUNDING = Decimal("1e-40"), Decimal("1e-26")  # shares that are left where large terms cancel
NUDGE = Decimal("1e-3")
WIDER = LEVELS + WINDOWS - 1  # a level that sees far out under normal densities
AWAY = LEVELS + 2  # one that keeps away from the ends
NARROW = math.log(10**6)
FREE = 8  # assignments of the free letters in a world, at most


@dataclass(frozen=True)
class Outcome:
    """What random worlds say. `counterexample` is JSON-able and comes with "refuted"."""

    verdict: Verdict
    counterexample: dict[str, Any] | None = None
    worlds_defined: int = 0
    worlds_tried: int = 0
    reason: str = ""
    kinds: str = ""  # of the worlds in which the sides agree
    obligation: bool = False  # refuted since something that a proof takes for granted is not so


@dataclass
class Worlds:
    """Random worlds in which a claim's hypotheses hold; use them again for its mutants."""

    survey: Survey
    given: tuple[Relation, ...]
    members: list[World]
    seed: int = 0
    _elsewhere: dict[frozenset[str], Worlds] = field(default_factory=dict)
    _sums: dict[Hashable, Sums] = field(default_factory=dict)

    def sums(self, survey: Survey, dim: int, family: str) -> Sums:
        """What claims with one survey share here."""
        key = (survey.fingerprint(), dim, family)
        if key not in self._sums:
            self._sums[key] = Sums(survey, dim, family)
        return self._sums[key]


def make_worlds(claim: Claim, seed: int = 0, count: int = 6, line: Iterable[str] = ()) -> Worlds:
    """Up to `count` worlds that satisfy claim.given; none where none was found."""
    survey = Survey((claim.lhs, claim.rhs), claim.given)
    survey.real |= set(line)
    return _draw(survey, claim.given, claim.dims, seed, count)


def satisfiable(claim: Claim, seed: int = 0) -> bool:
    """Whether a world was found that satisfies the hypotheses."""
    return not claim.given or bool(make_worlds(claim, seed, 1).members)


def real_spaces(claim: Claim) -> set[str]:
    """The spaces that can only be the whole real line, or the space of all vectors."""
    return Survey((claim.lhs, claim.rhs), claim.given).real


def compare(
    claim: Claim,
    *,
    seed: int = 0,
    worlds: int | Worlds = 6,
    exact_confirm: bool = True,
    line: Iterable[str] = (),
) -> Outcome:
    """Evaluate both sides in random worlds. `worlds` is how many, or the worlds to use; `line` are
    spaces of which a proof says that they are the real line."""
    claim = without_common(claim)
    if has_no_value(claim.lhs) or has_no_value(claim.rhs):
        return _attacked(claim, seed)
    if isinstance(worlds, Worlds):
        survey = Survey((claim.lhs, claim.rhs), claim.given, worlds.survey)
        drawn = _adapt(worlds, survey, claim)
    else:
        drawn = make_worlds(claim, seed, worlds, line)
        survey = drawn.survey
    if not drawn.members:
        return Outcome("undefined", reason=NO_WORLD)
    lost = tuple(unlocated(side, survey) for side in (claim.lhs, claim.rhs))
    again = isinstance(worlds, Worlds)
    found = _in_each(claim, survey, drawn, lost, exact_confirm, again)
    sides_ = (claim.lhs, claim.rhs)
    endless = any(lost) or any(map(_endless, sides_))
    if found.verdict == "undefined" and endless and not _sloped(sides_):
        for world in drawn.members:
            world.located = True  # what is integrated may be one of the functions
        found = _in_each(claim, survey, drawn, lost, exact_confirm, again)
    if found.verdict == "refuted":
        return _if_met(claim, drawn, found)
    if not isinstance(worlds, Worlds):
        fails = _broken(claim, drawn, seed, obligations((claim.lhs, claim.rhs)))
        if fails is not None:
            return replace(fails, worlds_defined=found.worlds_defined)
    return found


def _if_met(claim: Claim, drawn: Worlds, found: Outcome) -> Outcome:
    """A difference between sides, unless nodes miss what is integrated, or those of two integrals
    at once give a side neither the value that it has in some order nor the other."""
    sides_ = claim.lhs, claim.rhs
    if any(map(_is_narrow, sides_)):
        return Outcome("undefined", reason="the mass of an integral may lie elsewhere")
    fails = unordered(sides_, drawn.survey, drawn.members)
    return Outcome("undefined", reason=fails["reason"]) if fails else found


def _is_narrow(side: Node) -> bool:
    """Whether numbers in what is divided by may make a peak that is too narrow for any node."""
    for n in side.walk():
        if isinstance(n, (Integral, Between, Expect)):
            for under in poles(n.args[0]):
                met = isinstance(under, Add) and free_symbols(under) & set(n.bound)
                if met and _numbers(under) > NARROW:
                    return True
    return False


def _numbers(node: Node) -> float:
    """How large, or how small, the numbers in a tree are together, as a logarithm."""
    match node:
        case Number(value=v):
            return abs(math.log(v.numerator) - math.log(v.denominator)) if v else 0.0
        case Pow(args=(base, Number(value=k))):
            return _numbers(base) * max(1.0, float(k))
    return sum(map(_numbers, node.args))


def _endless(side: Node) -> bool:
    """Whether a function is integrated over a half-line."""
    if not (side.contains(Between, Integral) and side.contains(Apply)):
        return False
    for n in side.walk():
        far = isinstance(n, Between) and (sides(n.low) or sides(n.high))
        far = far or (isinstance(n, Integral) and any(v.domain == "positive" for v in n.bound))
        if far and any(isinstance(f, Apply) for f in n.walk()):
            return True
    return False


def _sloped(sides: Iterable[Node]) -> bool:
    """Whether a function is differentiated: that f' has an integral does not make f decay. Where an
    integral is, that has to exist."""
    for n in (n for side in sides for n in side.walk()):
        slopes = _beside_integrals(n) if isinstance(n, Deriv) else []
        slopes = [n] if getattr(n, "order", 0) else slopes
        if any(isinstance(f, Apply) and not set(MAPS) & set(f.traits) for f in slopes):
            return True
    return False


def _beside_integrals(node: Node) -> Iterable[Node]:
    if not isinstance(node, (Integral, Between)):
        yield node
        for child in node.args:
            yield from _beside_integrals(child)


def _in_each(
    claim: Claim,
    survey: Survey,
    drawn: Worlds,
    lost: tuple[bool, ...],
    exact_confirm: bool,
    again: bool,
) -> Outcome:
    """Both sides in each of these worlds, in which others may have been judged, too."""
    defined, reason = 0, "undefined in every world"
    apart, equal = False, dict[str, Any]()
    programs: dict[tuple[int, str], Program] = {}
    for tried, world in enumerate(drawn.members, 1):
        key = (world.dim, world.family)
        if key not in programs:
            both = (claim.lhs, claim.rhs)
            if again:
                programs[key] = Shared(both, survey, drawn.sums(survey, *key))
            else:
                programs[key] = Program(both, survey, *key)
        trial = _Trial(programs[key], world, claim.relation, exact_confirm, lost)
        found = trial.judge()
        if found is not None:
            return Outcome("refuted", found, defined + 1, tried, found["reason"])
        defined += trial.defined
        reason = trial.reason or reason
        apart, equal = apart or trial.apart, equal or trial.equal
    if equal and not apart:
        return Outcome("refuted", equal, defined, len(drawn.members), equal["reason"])
    tried = len(drawn.members)
    if defined < min(2, tried) or not tried:
        return Outcome("undefined", None, defined, tried, reason)
    return Outcome("agree", None, defined, tried, kinds=kinds(survey, drawn.members))


def _attacked(claim: Claim, seed: int) -> Outcome:
    """Of what has no value in a world: silent, unless something that follows from it is refuted."""
    tried = 0
    for weaker in consequences(claim):
        for look in (compare, farther):
            found = look(weaker, seed=seed)
            if found.verdict == "refuted":
                return found
            tried += found.worlds_defined
    if towards := sequence(claim):
        for world in make_worlds(claim, seed).members:
            if found_here := _settles_elsewhere(claim, towards, world):
                return Outcome("refuted", found_here, tried, tried, found_here["reason"])
            tried += 1
    return Outcome("silent", None, tried, tried, "a supremum or a limit has no value in a world")


def _settles_elsewhere(claim: Claim, towards: Sequence, world: World) -> dict[str, Any] | None:
    """A counterexample where the gap between the sides settles, ever faster, at what it may not
    be."""
    near, h = towards.claim, towards.letter
    survey = Survey((near.lhs, near.rhs), claim.given, world.survey)
    program = Program((near.lhs, near.rhs), survey, world.dim, world.family)
    trial = _Trial(program, world, claim.relation, True)
    natural = h.domain == "natural"
    key: Key = ("natural", h.name) if natural else ("param", h.name, h.domain)
    if program.has_grid or key not in program.keys:
        return None
    free = assignments(program, world, 1)[0]
    gaps: list[Decimal] = []
    there: list[tuple[Num, Num]] | None = None
    for value in towards.values:
        exact = EXACT.number(value.numerator) / EXACT.number(value.denominator)
        world.move(key, int(value) if natural else exact)
        there = trial._exact(free)
        if there is None or len(there) != 1 or not all(math.isfinite(v) for v in there[0]):
            return None
        gaps.append(Decimal(_gap(*there[0])))
    with decimal.localcontext(CONTEXT):
        steps = [abs(b - a) for a, b in itertools.pairwise(gaps)]
        if any(SHRINKING * b > a + SETTLED for a, b in itertools.pairwise(steps[-12:])):
            return None
        last, reach = gaps[-1], 1000 * steps[-1] + Decimal("1e-6")
        off = abs(last) if claim.relation == "=" else -last if claim.relation[0] == ">" else last
        if off <= reach or there is None:
            return None
    return {**trial._counterexample(there, free, EXACT), "reason": "the limit is elsewhere"}


def obliged(claim: Claim, more: Iterable[Obligation], *, seed: int = 0) -> Outcome | None:
    """What becomes of the claim since an obligation of its proof is broken; None if none is."""
    risky = [o for o in more if at_risk(o)]
    nested = any(map(_is_nested, (claim.lhs, claim.rhs)))
    drawn = make_worlds(claim, seed) if risky or nested else None
    if not drawn or not drawn.members:
        return None
    if nested and (found := unordered((claim.lhs, claim.rhs), drawn.survey, drawn.members)):
        return Outcome("refuted", found, 0, 0, found["reason"], obligation=True)
    return _broken(claim, drawn, seed, risky) if risky else None


def _is_nested(side: Node) -> bool:
    """Whether it integrates over two letters, in an order that a proof may have changed."""
    return sum(len(n.bound) for n in side.walk() if isinstance(n, (Integral, Between))) > 1


def _broken(claim: Claim, drawn: Worlds, seed: int, more: Iterable[Obligation]) -> Outcome | None:
    def unusual() -> list[World]:
        return _draw(
            drawn.survey, claim.given, claim.dims, seed, 2 * len(FARTHER), HABITUAL
        ).members

    sides = (claim.lhs, claim.rhs)
    stated = {s for g in claim.given for side in (g.left, g.right) for s in free_symbols(side)}
    more = [o for o in more if o.kind != EXCHANGE or o.letter not in stated]  # it may not move
    found = null_denominator(sides, drawn.survey, drawn.members)
    found = found or broken(more, drawn.survey, drawn.members, unusual)
    if found is None:
        return None
    if "abstract" in found:
        return Outcome("undefined", reason=f"no world found in which {found['abstract']}")
    return Outcome("refuted", found, 0, 0, found["reason"], obligation=True)


def farther(claim: Claim, *, seed: int = 0) -> Outcome:
    """Evaluate both sides in unusual worlds: large and small letters, ties, densities elsewhere,
    functions of other families. What is undefined there says nothing."""
    survey = Survey((claim.lhs, claim.rhs), claim.given)
    bound = {s for side in (claim.lhs, claim.rhs) for n in side.walk() for s in n.bound}
    members = any(s.domain == "member" for s in survey.symbols.values())
    if members and any(s.domain != "member" and s.space in survey.real for s in bound):
        # A function of a member may put a law or a corner where no quadrature looks for it.
        return Outcome("agree", None, 0, 0)
    drawn = _draw(survey, claim.given, claim.dims, seed, 4 * len(FARTHER), HABITUAL)
    lost = tuple(unlocated(side, survey) for side in (claim.lhs, claim.rhs))
    defined = 0
    for world in drawn.members:
        program = Program((claim.lhs, claim.rhs), survey, world.dim, world.family)
        lines = any(
            kind == "grid" and key != "gauss" for chain in program.chains for kind, key in chain
        )
        if (lines and world.reach > 1) or (any(lost) and world.location):
            continue  # the quadrature would not see what is so small, or so far
        if world.kind == "ties" and _pole((claim.lhs, claim.rhs), survey, world):
            continue
        trial = _Trial(program, world, claim.relation, True, lost)
        found = trial.judge()
        if found is not None:
            seen = Outcome("refuted", found, defined + 1, defined + 1, found["reason"])
            return _if_met(claim, drawn, seen)
        defined += trial.defined
    if claim.relation != "=" and (found := _where_tight(claim, survey, seed)) is not None:
        return Outcome("refuted", found, defined + 1, defined + 1, found["reason"])
    return Outcome("agree", None, defined, len(drawn.members))


def _where_tight(claim: Claim, survey: Survey, seed: int) -> dict[str, Any] | None:
    """A counterexample to a bound, looked for where it is tightest."""
    sign = 1 if claim.relation[0] == ">" else -1
    given = Hypotheses(claim.given, survey)
    for world in _draw(survey, claim.given, claim.dims, seed, 2).members:
        program = Program((claim.lhs, claim.rhs), survey, world.dim, world.family)
        if program.shapes != ["scalar", "scalar"]:
            return None
        trial = _Trial(program, world, claim.relation, True)
        found = tightest(program, world, sign, given, trial._near)
        if found is not None:
            return found  # type: ignore[no-any-return]
    return None


def _pole(sides: Iterable[Node], survey: Survey, world: World) -> bool:
    """Whether something is divided by 0 here; then 0 times it counts as 0, and tells nothing."""
    whole = [n for side in sides for n in side.walk()]
    bound = {s for n in whole for s in n.bound}
    divisors = [n.args[1] for n in whole if isinstance(n, Div)]
    divisors += [n.args[0] for n in whole if isinstance(n, Pow)]
    divisors += [n.args[0] for n in whole if isinstance(n, Fn) and n.name == "log"]
    divisors = [u for u in divisors if not free_symbols(u) & bound]
    if not divisors:
        return False
    try:
        program = Program(divisors, survey, world.dim, world.family)
        free = assignments(program, world, 1)[0]
        values = [v for parts in program.run(world, FLOAT, 0, free) for v in parts]
    except Unsupported:
        return True
    return any(v == 0 or v != v for v in values)


def unlocated(side: Node, survey: Survey) -> bool:
    """Whether an integral over the real line has no density that says where its mass is."""
    if not side.contains(Between, Integral, Divergence, Entropy):
        return False
    for n in side.walk():
        endless = isinstance(n, Between) and sides(n.low) and sides(n.high)
        if endless or isinstance(n, (Integral, Divergence, Entropy)):
            found = {a for d in n.walk() if isinstance(d, Dens) for a in d.events}
            laws = [d for d in n.walk() if isinstance(d, (Normal, Family))]
            found |= {s for d in laws for s in free_symbols(d)}
            found |= {v for v in n.bound if v.domain != "real"}
            found |= {v for v in n.bound[:1] if _is_bell(n, v)}
            corners = (f for f in n.walk() if isinstance(f, Fn) and f.name in CORNERS)
            found |= {s for f in corners for s in plain_letters(f.args[0])}  # seen however far
            if any(v.space in survey.real and v not in found for v in n.bound):
                return True
    return False


def _is_bell(n: Node, letter: Symbol) -> bool:
    """Whether it integrates over one letter what is located by exponents alone."""
    alone = isinstance(n, Integral | Between) and len(n.bound) == 1
    return alone and all(bell(t, letter) is not None for t in summands(n.args[0]))


# --- drawing worlds -----------------------------------------------------------------------------


def _draw(
    survey: Survey,
    given: tuple[Relation, ...],
    dims: tuple[int, ...],
    seed: int,
    count: int,
    first: int = 0,
) -> Worlds:
    members: list[World] = []
    hypotheses = Hypotheses(given, survey)
    for index in range(first, first + count):
        if World(survey, seed, index, dims[0]).family and not survey.functions:
            continue
        for attempt in range(TRIES if not members and not first else TRIES // 3):
            world = World(survey, seed, index, dims[index % len(dims)], attempt)
            with contextlib.suppress(NoWorldError):
                if hypotheses.hold(world):
                    members.append(world)
                    break
        if not members and not first:
            break
    return Worlds(survey, given, members, seed)


def _adapt(worlds: Worlds, survey: Survey, claim: Claim) -> Worlds:
    """The same worlds for another claim: drawn anew where it needs the real line for a space."""
    base = worlds.survey
    base.densities.update(survey.densities)
    for space, shape in survey.shapes.items():
        base.shapes.setdefault(space, shape)
    if survey.real == base.real and claim.given == worlds.given:
        return worlds
    if survey.real == base.real:
        hypotheses = Hypotheses(claim.given, survey)
        members = [w for w in worlds.members if hypotheses.hold(w)]
        return Worlds(base, claim.given, members, worlds.seed)
    key = frozenset(survey.real)
    if key not in worlds._elsewhere:
        dims = tuple(w.dim for w in worlds.members) or claim.dims
        count = max(len(worlds.members), 1)
        worlds._elsewhere[key] = _draw(survey, worlds.given, dims, worlds.seed, count)
    moved = worlds._elsewhere[key]
    moved.survey.densities.update(survey.densities)
    return moved


# --- judging one world --------------------------------------------------------------------------


def _sides(found: dict[str, Any]) -> tuple[float, float]:
    """The two sides of a counterexample; not finite where one is undefined or has entries."""
    try:
        return float(found["lhs"]), float(found["rhs"])
    except (TypeError, ValueError):
        return math.nan, math.nan


class _Trial:
    """A claim in one world."""

    def __init__(
        self,
        program: Program,
        world: World,
        relation: str,
        confirm: bool,
        lost: tuple[bool, ...] = (),
    ) -> None:
        """`lost`: of each side, whether the mass of an integral has to be looked for."""
        if program.shapes[0] != program.shapes[1] and "scalar" not in program.shapes:
            raise Unsupported(f"a {program.shapes[0]} is compared with a {program.shapes[1]}")
        if relation != "=" and program.shapes != ["scalar", "scalar"]:
            raise Unsupported("only scalars are ordered")
        self.program, self.world, self.relation, self.confirm = program, world, relation, confirm
        self.defined, self.reason, self.lost = False, "", lost
        self.apart, self.equal = False, dict[str, Any]()  # what is seen of a strict bound
        self._finest: list[tuple[Num, Num]] = []  # the sides where most of them is seen
        last = LEVELS if program.has_grid else 1
        self.levels = [k for k in range(last) if program.cost(world, k) <= MAX_POINTS]

    def judge(self) -> dict[str, Any] | None:
        """A counterexample, or None; `defined` says whether any assignment was decided."""
        if not self.levels:
            self.reason = "too many points for this quadrature"
            return None
        for free in assignments(self.program, self.world, FREE):
            found = self._assignment(free)
            if found is not None:
                return found
        return None

    def _assignment(self, free: dict[str, Any]) -> dict[str, Any] | None:
        if not any(self.lost):
            return self._near(free)
        defined = self.defined
        found = self._near(free)
        if self.world.located:  # lines are taken from 0 outwards, as far as numbers reach
            return None if found is not None and self._is_empty(self.levels[-1], free) else found
        if found is None and (self.world.index > 1 or not self.defined):
            return None
        gaps = [self._wide(level, free) for level in WIDE_LEVELS]
        seen = [g for g in gaps if g is not None]
        if found is not None and seen and not any(seen):
            self.defined = True  # the mass lies there, and there the sides agree
            return None
        gap = abs(seen[-1]) if seen else 0.0
        steady = len(seen) == len(gaps) and all(abs(g - seen[-1]) <= 0.02 * gap for g in seen)
        if found is None:
            return self._decide(WIDE_LEVELS[0], free, 0.3 * gap) if steady else None
        if not steady or not gap or self._is_empty(WIDE_LEVELS[1], free) or self._widens(free):
            self.reason, self.defined = "the mass of an integral may lie elsewhere", defined
            return None
        left, right = _sides(found)
        if math.isfinite(left - right) and abs(abs(left - right) - gap) > 0.3 * gap:
            return self._decide(WIDE_LEVELS[0], free, 0.3 * gap)
        return found

    def _wide(self, level: int, free: dict[str, Any]) -> float | None:
        """The gap between the sides where the lines are long; 0 if there is none, None if it takes
        too many points or is undefined."""
        if self.program.cost(self.world, level) > MAX_POINTS:
            return None
        pairs_ = self._values(FLOAT, level, free)
        status = self._status(pairs_, 1e-6, 1e-9)
        if status != "false":
            return 0.0 if status == "true" else None
        return max((float(a - b) for a, b in pairs_), key=abs)

    def _is_empty(self, level: int, free: dict[str, Any]) -> bool:
        """Whether a side that integrates over a line is next to nothing, where the other is not."""
        for pair in self._values(FLOAT, level, free):
            low, high = sorted(range(2), key=lambda i: abs(pair[i]))
            if self.lost[low] and abs(pair[low]) < 1e-6 * abs(pair[high]):
                return True
        return False

    def _widens(self, free: dict[str, Any]) -> bool:
        """Whether a side that integrates over a line grows with its length."""
        short, long = (self._values(FLOAT, level, free) for level in WIDE_LEVELS[1:])
        return any(
            self.lost[i] and abs(more[i]) > 2 * abs(less[i])
            for less, more in zip(short, long, strict=True)
            for i in range(2)
        )

    def _near(self, free: dict[str, Any]) -> dict[str, Any] | None:
        start = self.world.index % 2 if len(self.levels) > 1 else 0
        gaps: dict[int, float] = {}
        seen: dict[int, list[Num]] = {}
        self._finest = []
        for level in self.levels[start:]:
            pairs = self._values(FLOAT, level, free)
            status = self._status(pairs, 1e-9, 1e-11 if self.program.has_grid else 1e-13)
            if status == "discard":
                self.reason = self.reason or "both sides are undefined"
                return None
            if status == "true":
                self.defined = True
                return self._touching(free) if self.relation in STRICT else None
            if status == "odd" or not self.program.has_grid:
                return None if self._unsettled(level, free) else self._decide(level, free, 0.0)
            gap = gaps[level] = max(abs(a - b) for a, b in pairs)
            seen[level] = [v for pair in pairs for v in pair]
            drift, before = (_moved(seen, level, level - k) for k in (1, 2))
            once = before > 0.02 * gap and level != self.levels[-1]  # may be by chance
            if drift <= (1e-4 if once else 0.02) * gap:
                near = sorted(k for k, g in gaps.items() if abs(g - gap) <= 0.05 * gap)
                settled = next((k for k in near[:-1] if not self._unsettled(k, free)), None)
                if settled is not None:
                    return self._decide(settled, free, 0.3 * gap)
        large = max(abs(v) for pair in pairs for v in pair)
        if self._grows(gaps, large) and not self._may_not_exist():
            found = self._counterexample(pairs, free, FLOAT)
            return {**found, "reason": "an integral grows with every window"}
        if (deep := self._deep(free)) is not None:
            return self._settled_deep(deep, free)
        self.reason = self.reason or "the quadrature did not converge"
        return None

    def _deep(self, free: dict[str, Any]) -> list[tuple[Num, Num]] | None:
        """The sides in decimals, farther towards ends than floats reach; None where they do not
        settle, each for itself."""
        cost = self.program.cost(self.world, DEEP_LEVELS[-1])
        if not self.confirm or not self._is_looked_at_once() or cost > MAX_DEEP:
            return None
        found = [self._confirming(level, free) for level in DEEP_LEVELS]
        last = found[-1]
        if last is None or any(u is None or not _alike(u, last) for u in found[:-1]):
            return None
        return last

    def _settled_deep(
        self, deep: list[tuple[Num, Num]], free: dict[str, Any]
    ) -> dict[str, Any] | None:
        status = self._status(deep, 1e-7, 1e-11)
        if status == "true":
            self.defined = True
        return self._counterexample(deep, free, EXACT) if status == "false" else None

    def _touching(self, free: dict[str, Any]) -> dict[str, Any] | None:
        """Where > or < is claimed and the sides are equal at 34 digits. That refutes the claim if
        they are not so nearby: a function may come nearer to a bound than any number of digits."""
        if self.program.has_grid:
            return None
        here = self._exact(free)
        if here is None or any(a != b for a, b in here):
            self.apart = True
            return None
        for key in [k for k in self.program.keys if k[0] in ("param", "natural")]:
            domain = key[2] if key[0] == "param" else "natural"
            value = self.world.raw(*key)
            step = NUDGE if key[0] == "param" else 1
            for near in (EXACT.number(value) + step, EXACT.number(value) - step):
                if inside(near, domain, self.world.bounds(key)):
                    self.world.move(key, int(near) if step == 1 else near)
                    there = self._exact(free)
                    self.world.move(key, value)
                    if there is not None and any(_told_apart(a, b) for a, b in there):
                        return self._counterexample(here, free, EXACT)
        self.equal = self._counterexample(here, free, EXACT)
        return None

    def _exact(self, free: dict[str, Any]) -> list[tuple[Num, Num]] | None:
        try:
            found = self._values(EXACT, 0, free)
        except (Overflow, Underflow):
            return None
        return None if any(a != a or b != b for a, b in found) else found

    def _grows(self, gaps: dict[int, float], large: Num) -> bool:
        """Whether the sides differ by ever more, and by no small part of them, where a letter's
        ends are approached at every level: some integral is not finite."""
        if not any(key in REACHES for chain in self.program.chains for _, key in chain):
            return False
        last = [gaps[k] for k in sorted(gaps)[-4:]]
        if len(last) < 4 or last[-1] < 0.05 * large:
            return False
        return all(b >= 1.2 * a > 0 for a, b in itertools.pairwise(last))

    def _unsettled(self, level: int, free: dict[str, Any]) -> bool:
        """Whether more is seen at the finest level than was, or, of normal densities alone, in
        wider windows, as of exp(30 x)."""
        if not self._is_looked_at_once():
            return False
        normal = {loop for chain in self.program.chains for loop in chain} == {("grid", "gauss")}
        finest = WIDER if normal else self.levels[-1]
        if self.program.cost(self.world, finest) > MAX_POINTS:
            return False
        self._finest = self._finest or self._values(FLOAT, finest, free)
        seen, more = (
            [v for pair in pairs_ for v in pair]
            for pairs_ in (self._values(FLOAT, level, free), self._finest)
        )
        if any(
            math.isfinite(u) and not (math.isfinite(v) and abs(u - v) <= 0.05 * max(abs(u), abs(v)))
            for u, v in zip(seen, more, strict=True)
            if max(abs(u), abs(v)) > 1e-9
        ):
            self.reason = "the mass of an integral may lie elsewhere"
            return True
        return False

    def _is_looked_at_once(self) -> bool:
        """Whether there are integrals whose mass, where it may be lost, is not looked for."""
        return self.program.has_grid and (self.world.located or not any(self.lost))

    def _values(
        self, arithmetic: Arithmetic, level: int, free: dict[str, Any], flushed: bool = False
    ) -> list[tuple[Num, Num]]:
        left, right = self.program.run(self.world, arithmetic, level, free, flushed)
        return pairs(left, right)

    def _confirming(self, level: int, free: dict[str, Any]) -> list[tuple[Num, Num]] | None:
        """At 34 digits. An integrand may be nothing far out, and the integral a number: there what
        is too small counts as 0, so long as the sides are finite."""
        arithmetic = EXACT if self.confirm else FLOAT
        try:
            return self._values(arithmetic, level, free)
        except (Overflow, Underflow):
            if not self.program.has_grid or self.program.cost(self.world, level) > MAX_EXACT:
                return None
        try:
            found = self._values(arithmetic, level, free, flushed=True)
        except (Overflow, Underflow):  # of a function of the table
            return None
        return found if all(math.isfinite(v) for pair in found for v in pair) else None

    def _status(self, pairs: list[tuple[Num, Num]], relative: float, absolute: float) -> str:
        """true, false, discard, or odd: one side undefined or infinite where the other is not."""
        worst = "true"
        usual = self.world.index < HABITUAL
        for a, b in pairs:
            if not usual and (a != a or b != b):
                return "discard"
            one = self._one(float(a), float(b), float(_gap(a, b)), relative, absolute)
            if one == "discard":
                return "discard"
            if one == "odd" or (one == "false" and worst == "true"):
                worst = one
        return worst

    def _one(self, a: float, b: float, gap: float, relative: float, absolute: float) -> str:
        if a != a or b != b:
            other = b if a != a else a
            return "odd" if math.isfinite(other) else "discard"
        if math.isinf(a) or math.isinf(b):
            if a == b:
                return "discard"
            good = self.relation != "=" and (a > b) == (self.relation[0] == ">")
            return "true" if good else "odd"
        slack = relative * max(abs(a), abs(b)) + absolute
        if self.relation == "=":
            return "true" if abs(gap) <= slack else "false"
        return "true" if (gap if self.relation[0] == ">" else -gap) >= -slack else "false"

    def _decide(self, level: int, free: dict[str, Any], least: float) -> dict[str, Any] | None:
        """Confirm a disagreement at 34 digits, or let the exact values decide."""
        arithmetic = EXACT if self.confirm else FLOAT
        pairs = self._confirming(level, free)
        if pairs is None:
            self.reason = "a number is too large or too small to compute with"
            return None
        if self._is_looked_at_once() and any(_nothing(a, b) for a, b in pairs):
            self.reason = "the mass of an integral may lie elsewhere"
            return None
        status = "false"
        if self.confirm and self.program.has_grid and not least:
            status = self._status(pairs, 1e-9, 1e-11)
            if status == "false":  # defined at 34 digits, after all; whether equal is not known
                self.reason = "the quadrature did not converge"
                return None
        elif self.confirm:
            status = self._status(pairs, 1e-20, max(least, 1e-25))
        if status == "discard":
            self.reason = self.reason or "both sides are undefined"
            return None
        if status == "false" and self._is_looked_at_once() and self._is_lost(pairs, level, free):
            self.reason = "the mass of an integral may lie elsewhere"
            return None
        undefined = any(v != v for pair in pairs for v in pair)
        if status == "odd" and not undefined and self._may_not_exist():
            self.reason = "an integral of a function is not finite here"
            return None
        if status == "odd" and undefined and self._only_at_ends(free):
            self.reason = "undefined only where numbers are not told from the end of an integral"
            return None
        if status != "true" and self.confirm and not self._is_seen(pairs, level, free):
            self.reason = "the sides differ in digits that rounding leaves"
            status = self._status(self._sharper(SHARP, level, free), 1e-20, 1e-25)
            if status != "true":
                return None
        if status == "true":
            self.defined = True
            return None
        return self._counterexample(pairs, free, arithmetic)

    def _is_lost(self, pairs: list[tuple[Num, Num]], level: int, free: dict[str, Any]) -> bool:
        """Whether a side is far smaller than the other, and larger with more nodes: they near what
        it integrates, and have not met it."""
        if len(self.levels) < 2 or not any(_small(a, b) for a, b in pairs):
            return False
        finest = self.levels[-1]
        other = self._confirming(self.levels[-2] if level == finest else finest, free)
        if other is None:
            return False
        few, many = (other, pairs) if level == finest else (pairs, other)
        with decimal.localcontext(CONTEXT):
            return any(
                _small(a, b) and any(abs(v) > GROWTH * abs(u) for u, v in ((a, c), (b, d)))
                for (a, b), (c, d) in zip(few, many, strict=True)
            )

    def _may_not_exist(self) -> bool:
        """Whether functions of this world may be the reason why an integral is not finite."""
        return self.program.has_grid and bool(self.world.survey.functions)

    def _only_at_ends(self, free: dict[str, Any]) -> bool:
        """Whether what is undefined is not where a letter keeps away from its ends."""
        if not any(key in REACHES or key == "ends" for c in self.program.chains for _, key in c):
            return False
        if self.program.cost(self.world, AWAY) > MAX_POINTS:
            return False
        away = self._values(FLOAT, AWAY, free)
        return all(math.isfinite(v) for pair in away for v in pair)

    def _is_seen(self, pairs: list[tuple[Num, Num]], level: int, free: dict[str, Any]) -> bool:
        """Whether the sides differ by more than what large terms that cancel leave of 34 digits:
        floats see the same gap, or more digits do. Beyond the habitual numbers many digits have to,
        in which no term is lost whole."""
        gaps = [_gap(a, b) for a, b in pairs]
        if not all(math.isfinite(g) for g in gaps):
            return True

        def alike(found: list[tuple[Num, Num]]) -> bool:
            return _some_alike([_gap(a, b) for a, b in found], gaps)

        if self.world.index >= HABITUAL and not self.program.has_grid:
            return alike(self._sharper(BOUNDED, level, free))
        floats = [a - b for a, b in self._values(FLOAT, level, free)]
        return _some_alike(floats, gaps) or alike(self._sharper(SHARP, level, free))

    def _sharper(
        self, arithmetic: Arithmetic, level: int, free: dict[str, Any]
    ) -> list[tuple[Num, Num]]:
        """At more digits; undefined where a quadrature, which has no more than 34, leaves some."""
        if not self.program.has_grid:
            with contextlib.suppress(Overflow, Underflow):
                return self._values(arithmetic, level, free)
        return [(arithmetic.nan, arithmetic.nan)]

    def _counterexample(
        self, pairs: list[tuple[Num, Num]], free: dict[str, Any], arithmetic: Arithmetic
    ) -> dict[str, Any]:
        undefined = any((a != a) != (b != b) for a, b in pairs)
        described = describe(self.world, self.program.keys, arithmetic)
        letters: dict[str, Any] = {}
        for _, key in self.program.free:
            value = free[key[1]]
            if key[0] == "freeindex":
                letters[key[1]] = f"point {value} of {key[2]}"
            else:
                letters[key[1]] = value if key[2] else value[0]
        if letters:
            described["free"] = letters
        left, right = zip(*pairs, strict=True)
        gaps = [_gap(a, b) for a, b in pairs]
        one = len(pairs) == 1
        return {
            "reason": "undefined where the other side is not" if undefined else "the sides differ"
            if self.relation == "=" else f"{self.relation} fails",
            "dimension": self.world.dim,
            "world": described,
            "lhs": _show(left[0]) if one else [_show(v) for v in left],
            "rhs": _show(right[0]) if one else [_show(v) for v in right],
            "difference": _show(gaps[0], 6) if one else [_show(v, 6) for v in gaps],
            "digits": 34 if arithmetic is EXACT else 16,
        }  # fmt: skip


def _moved(seen: dict[int, list[Num]], level: int, before: int) -> float:
    """By how much a side is another than it was at a level before."""
    if before not in seen:
        return math.inf
    return max(float(abs(u - v)) for u, v in zip(seen[level], seen[before], strict=True))


def _some_alike(gaps: Iterable[Num], others: Iterable[Num]) -> bool:
    """Whether one of them is the same to within a half, as what is left by rounding is not."""
    with decimal.localcontext(CONTEXT):
        both = [(Decimal(a), Decimal(b)) for a, b in zip(gaps, others, strict=False)]
        return any(b != 0 and abs(a - b) <= abs(b) / 2 for a, b in both)


def _nothing(a: Num, b: Num) -> bool:
    """Whether one is not 0, but so small beside the other that no node met what it integrates."""
    if not math.isfinite(a) or not math.isfinite(b):
        return False
    low, high = sorted(Decimal(v).copy_abs() for v in (a, b))
    return bool(0 < low < CONTEXT.multiply(NOTHING, high))


def _small(a: Num, b: Num) -> bool:
    """Whether one of them is far smaller than the other, and yet no rounding of it."""
    if not math.isfinite(a) or not math.isfinite(b):
        return False
    low, high = sorted(Decimal(v).copy_abs() for v in (a, b))
    return bool(0 < low < CONTEXT.multiply(TINY, high)) and not _is_rounding(low, high)


def _is_rounding(low: Decimal, high: Decimal) -> bool:
    """What terms as large as the other side leave of 34 digits where they cancel."""
    least, most = (CONTEXT.multiply(r, high) for r in ROUNDING)
    return least < low < most


def _alike(some: list[tuple[Num, Num]], others: list[tuple[Num, Num]]) -> bool:
    """Whether each side is the same in both, up to a share of it or to rounding."""
    with decimal.localcontext(CONTEXT):
        for pair, again in zip(some, others, strict=True):
            high = max(abs(Decimal(v)) for v in again)
            for u, v in zip(map(Decimal, pair), map(Decimal, again), strict=True):
                size = max(abs(u), abs(v))
                if not size.is_finite() or not high.is_finite():
                    return False
                if abs(u - v) > CLOSE * size and not _is_rounding(size, high):
                    return False
    return True


def _told_apart(a: Num, b: Num) -> bool:
    """By far more than what rounding makes of numbers that near each other without end."""
    return float(abs(_gap(a, b))) > 1e-20 * (float(abs(a)) + float(abs(b)))


def _gap(a: Num, b: Num) -> Num:
    """a - b; decimals of any size, which outside their own context would overflow."""
    return CONTEXT.subtract(a, b) if isinstance(a, Decimal) else a - b


def _show(value: Num, digits: int = 15) -> str:
    if value != value:
        return "undefined"
    if value == 0:
        return "0"
    return f"{value:.{digits}g}"
