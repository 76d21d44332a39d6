"""Runs the judges over a derivation and says what may be claimed of it.

A verdict on record belongs to this file and to what it imports (`genmath.book`), so nothing here
is typeset: `genmath.proof.report` does that.
"""

from __future__ import annotations

import _weakrefset
import contextlib
import gc
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from genmath.proof import numeric
from genmath.proof.language.binders import Between, Limit, Over
from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Chain, Derivation, Lemma, Slip, Step
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.notation import Density
from genmath.proof.language.obligations import FINITE, Obligation, obligations
from genmath.proof.language.text import ranges, text
from genmath.proof.language.tree import (
    MAPS,
    MASS,
    Apply,
    Dens,
    Indexed,
    Integral,
    Mapped,
    Named,
    Node,
    NotationError,
    Relation,
    Symbol,
)
from genmath.proof.likely import SECONDS, Likely, likely
from genmath.proof.mutate import mutants, reversed_claim
from genmath.proof.numeric.obligations import at_risk
from genmath.proof.symbolic.hypotheses import contradiction
from genmath.proof.symbolic.judge import ill_typed, proofs, prove
from genmath.proof.symbolic.lemmas import has_vectors, not_replaceable
from genmath.proof.symbolic.proof import Proof
from genmath.proof.symbolic.supports import Assumed

AGAIN = 1.0  # seconds after which one is told again, if whoever was told took it for an error
GAUSSIAN = "the densities written as normal are normal"


class Contradiction(AssertionError):
    """A proved what B refutes: a bug in the checker, never a verdict."""


class StepTimeout(Exception):
    """A step ran longer than it was given."""


@dataclass
class Verdict:
    """What the judges say of one claim."""

    verdict: str
    proof: Proof
    outcome: Any
    seconds: float
    reason: str = ""


def _plain(claim: Claim) -> str:
    return f"{text(claim.lhs)} {claim.relation} {text(claim.rhs)}"


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Interrupt the block when it has computed for `seconds`, where the platform can (main thread,
    setitimer). On a busy machine it computes less, and so may take longer."""
    usable = (
        seconds
        and hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
    )
    if not usable:
        yield
        return

    def stop(signum: int, frame: Any) -> None:
        if _would_be_lost(frame):
            signal.setitimer(signal.ITIMER_PROF, 0.01, AGAIN)
        else:
            raise StepTimeout

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, float(seconds or 0), AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


_WEAK = {weakref.__file__, _weakrefset.__file__}
"""Where the callbacks of weak references are."""


def _would_be_lost(frame: Any) -> bool:
    """Whether what is raised there is printed and forgotten: while objects are freed."""
    callbacks = {getattr(call, "__code__", None) for call in gc.callbacks}
    while frame is not None:
        code = frame.f_code
        if code in callbacks or code.co_name == "__del__" or code.co_filename in _WEAK:
            return True
        frame = frame.f_back
    return False


def judge(
    claim: Claim, because: tuple[Node | Lemma, ...] = (), timeout: float | None = None
) -> Verdict:
    """Both judges on one claim; the reason says what suprema are taken over, too."""
    found = _judged(claim, because, timeout)
    found.reason = "; ".join(filter(None, (found.reason, ranges(claim.lhs, claim.rhs))))
    return found


def _judged(claim: Claim, because: tuple[Node | Lemma, ...], timeout: float | None) -> Verdict:
    began = time.perf_counter()

    def seconds() -> float:
        return time.perf_counter() - began

    try:
        with time_limit(timeout):
            outcome = numeric.compare(claim)
            proof = prove(claim, because)
            if outcome.verdict == "refuted" and proof.proved and proof.line:
                outcome = numeric.compare(claim, line=proof.line)  # it speaks of the line alone
            if not proof.proved and outcome.verdict in ("agree", "undefined"):  # nobody vouches
                # for it: look farther
                beyond = numeric.farther(claim)
                outcome = beyond if beyond.verdict == "refuted" else _more(outcome, beyond)
            if proof.proved and not outcome.obligation:
                outcome = numeric.obliged(claim, _obliged(claim, proof, outcome)) or outcome
    except (numeric.Unsupported, NotationError) as error:
        return Verdict("open", Proof(False), None, seconds(), str(error))
    except (RecursionError, OverflowError):
        return Verdict("open", Proof(False), None, seconds(), "too deeply nested, or too large")
    except StepTimeout:
        return Verdict(
            "timeout", Proof(False), None, seconds(), f"not decided within {timeout:g} s"
        )
    if outcome.verdict == "refuted":
        granted = outcome.obligation  # A's rules suppose it, and say so
        if proof.proved and not granted and all(standing(m.source).proved for m in proof.lemmas):
            raise Contradiction(
                f"the checker contradicts itself on {_plain(claim)}: "
                f"proved, and refuted by {outcome.counterexample}"
            )
        return Verdict("refuted", proof, outcome, seconds(), _why_refuted(outcome, proof))
    unseen = _unseen(claim) if outcome.verdict == "silent" else None
    if proof.proved and unseen:
        return Verdict("open", proof, outcome, seconds(), f"nothing shows that {unseen}")
    if proof.proved and outcome.verdict in ("agree", "silent"):
        return Verdict("proved", proof, outcome, seconds())
    return Verdict(
        "open",
        proof,
        outcome,
        seconds(),
        proof.reason or f"no world to try it in: {outcome.reason}",
    )


def _obliged(claim: Claim, proof: Proof, outcome: Any) -> list[Obligation]:
    """What a proof takes for granted beside what its two sides show: of its own, and of its lemmas
    at their arguments. Of the sides, too, where a judge found them to differ, since both may be
    infinite, or no value to compare; and where what has none was taken away on both."""
    found = [o for o in proof.assumed if isinstance(o, Obligation)]
    for lemma in proof.lemmas:
        below = (o for o in standing(lemma.source).assumed if isinstance(o, Obligation))
        found += [o.at(lemma.arguments) for o in below]
    sides = claim.lhs, claim.rhs
    if outcome.verdict != "agree" or any(side.contains(Limit, Over) for side in sides):
        found += obligations(sides)
    return list(dict.fromkeys(found))


def _unseen(claim: Claim) -> Obligation | None:
    """What nobody has looked at where the claim has no value in a world: whether one integral over
    another is finite, which decides if they may change places."""
    for one in obligations((claim.lhs, claim.rhs)):
        nested = sum(isinstance(n, (Integral, Between)) for n in one.whole.walk()) > 1
        if one.kind == FINITE and nested and at_risk(one):
            return one
    return None


def _more(outcome: Any, beyond: Any) -> Any:
    """Agreement in the usual worlds and in unusual ones."""
    return replace(outcome, worlds_defined=outcome.worlds_defined + beyond.worlds_defined)


def _why_refuted(outcome: Any, proof: Proof) -> str:
    """Where a side is undefined, A may know what it takes to exist."""
    wanting = "undefined" in outcome.reason and proof.residual is None and proof.reason
    return f"{outcome.reason}: {proof.reason}" if wanting else str(outcome.reason)


# --- labels ---


@dataclass
class Standing:
    """What is known of a derivation from its symbolic proofs alone."""

    proved: bool
    rank: int
    label: str
    assumed: set[Assumed] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)


@cache
def standing(derivation: Derivation) -> Standing:
    """The symbolic standing of a derivation that is used as a lemma."""
    shown = list(proofs(derivation))
    complete = all(p.proved for p in shown) and not any(s.unfilled for s in derivation.steps)
    return _standing(derivation, complete, shown)


def _standing(derivation: Derivation, complete: bool, proofs: list[Proof]) -> Standing:
    used = {m for p in proofs for m in p.lemmas}
    lemmas = {m.source for m in used}
    below = [standing(m) for m in lemmas]
    rank, label = _label(derivation, any(p.normal for p in proofs))
    for other in below:
        if other.rank > rank:
            rank, label = other.rank, other.label
    if not complete or not all(b.proved for b in below):
        if derivation.instances and all(
            not s.unfilled
            and numeric.compare(s.claim).verdict == "agree"
            and numeric.farther(s.claim).verdict == "agree"
            for s in derivation.steps
        ):
            rank, label = 3, "verified on instances"
        else:
            return Standing(False, 4, "not proved", set(), {m.name for m in lemmas})
    assumed = set[Assumed]().union(*(p.assumed for p in proofs))
    for m in used:
        assumed |= {
            o.at(m.arguments) if isinstance(o, Obligation) else o
            for o in standing(m.source).assumed
        }
    if any(p.normal for p in proofs):
        assumed.add(GAUSSIAN)
    for step in derivation.steps:
        assumed |= set(obligations((step.lhs, step.rhs)))
    return Standing(True, rank, label, assumed, {m.name for m in lemmas})


def _label(derivation: Derivation, normal: bool) -> tuple[int, str]:
    limits = [f"{_range(name, values)}" for name, values in derivation.cases.items()]
    if has_vectors(derivation):
        limits.append(_range("d", derivation.dims))
    if limits:
        return 2, f"proved for {', '.join(limits)}"
    return (1, "proved for Gaussians") if normal else (0, "proved")


def _range(name: str, values: tuple[int, ...]) -> str:
    low, high = min(values), max(values)
    if low == high and low != 1:
        return f"{name} = {low}"
    if set(values) != set(range(low, high + 1)):
        return f"{name} = {', '.join(map(str, values))}"
    return f"{name} ≤ {high}" if low == 1 else f"{low} ≤ {name} ≤ {high}"


def _nodes(derivation: Derivation) -> Iterator[Node]:
    for step in derivation.steps:
        for side in (step.lhs, step.rhs):
            yield from side.walk()


def hypotheses(derivation: Derivation) -> dict[str, Node | Density | Relation]:
    """Every hypothesis the declarations and the author state: its kind and name, and its object."""
    found: dict[str, Node | Density | Relation] = {}
    for n in [*_nodes(derivation), *(n for g in derivation.given for n in _walk(g))]:
        for s in (n, *n.bound):
            if isinstance(s, (Symbol, Indexed)) and s.domain not in ("real", "natural"):
                found[f"letter {s.name}"] = s
        if isinstance(n, Symbol) and n.shape == "covariance":
            found[f"letter {n.name}"] = n
        if isinstance(n, Named):
            found[f"where {n.name}"] = n
        if isinstance(n, Dens):
            found |= _positivity(n.density)
        if isinstance(n, Mapped):
            found[f"map {n.name}"] = n
        if isinstance(n, Apply) and "convex" in n.traits:
            found[f"convex {n.name}"] = n
        if isinstance(n, Apply) and (kinds := set(MAPS) & set(n.traits)):
            found[f"{min(kinds)} {n.name}"] = n
        if isinstance(n, Apply) and "positive" in n.traits:
            mass = any(t.startswith(MASS) for t in n.traits)
            found[f"{'probability' if mass else 'positive'} {n.name}"] = n
    return found | {f"given {g!r}": g for g in derivation.given}


def _positivity(density: Density) -> dict[str, Node | Density | Relation]:
    if density.positive:
        return {f"density {density.name}": density}
    if density.dominates is None:
        return {}
    return {f"density {density.name}": density} | _positivity(density.dominates)


def _walk(g: Relation) -> Iterator[Node]:
    yield from g.left.walk()
    yield from g.right.walk()


# --- one derivation ---


@dataclass
class JudgedStep:
    """A step, what the judges say of it, and what became of its mutants, where they were made."""

    step: Step
    verdict: Verdict
    mutants: dict[str, int] | None = None
    survivors: list[str] = field(default_factory=list)
    likely: Likely | None = None  # the mistake, where the step is refuted


@dataclass
class JudgedSlip:
    """A published mistake and its correction; `problem` where they are not what they should be."""

    slip: Slip
    right: Verdict
    wrong: Verdict | None
    problem: str


@dataclass
class Judged:
    """All that may be claimed of a derivation."""

    derivation: Derivation
    steps: list[JudgedStep]
    slips: list[JudgedSlip]
    standing: Standing
    problems: list[str]
    remarks: list[str]  # what the book does not allow, though it makes nothing untrue
    ok: bool
    seconds: float


def check(
    derivation: Derivation, with_mutants: bool = False, timeout: float | None = 60.0
) -> Judged:
    """Judge every step, every equality case and every slip."""
    began = time.perf_counter()
    accepted = {"proved", "open"} if derivation.instances else {"proved"}
    equality_cases, problems = tight_steps(derivation)
    steps, remarks = [], []
    for step in [*derivation.steps, *equality_cases]:
        judged = _check_step(step, with_mutants, timeout)
        steps.append(judged)
        if step.lhs == step.rhs and not step.missing:
            remarks.append(f"line {step.line}: trivial: both sides are the same expression")
        if step.by.strip() == "..." and not step.unfilled:
            problems.append(f"line {step.line}: its reason is left as ...")
        if judged.mutants and judged.mutants["survived"]:
            problems.append(f"line {step.line}: {judged.mutants['survived']} mutant(s) survived: "
                            + "; ".join(judged.survivors))  # fmt: skip
    verdicts = [s.verdict for s in steps]
    complete = all(v.verdict in accepted and _stands(v) for v in verdicts)
    everything = all(v.verdict == "proved" for v in verdicts)
    state = _standing(derivation, everything, [v.proof for v in verdicts])
    if everything:
        remarks += unused(derivation, [v.proof for v in verdicts])
    if refused := impossible(derivation, timeout):
        problems.append(refused)
        complete = False
    if complete and not state.proved:
        problems.append("it uses a result that is not proved: " + ", ".join(sorted(state.uses)))
    slips = [check_slip(s, timeout) for s in derivation.slips]
    problems += [f"line {s.slip.line}: slip {s.slip.id}: {s.problem}" for s in slips if s.problem]
    ok = complete and state.proved and not problems
    seconds = time.perf_counter() - began
    return Judged(derivation, steps, slips, state, problems, remarks, ok, seconds)


def _stands(v: Verdict) -> bool:
    """Judge B agrees; or A proved it, and B, which has no value for it, found nothing."""
    if v.outcome is None:
        return False
    return v.outcome.verdict == "agree" or (v.verdict, v.outcome.verdict) == ("proved", "silent")


def tight_steps(derivation: Derivation) -> tuple[list[Step], list[str]]:
    """The equality cases, as steps: the bound with one thing put for another is an equality."""
    found, refused = [], []
    for chain in derivation.chains:
        for this, other in chain.tight:
            problem = not_replaceable(this, other, derivation.dims)
            if not problem:
                try:
                    step = _tight(derivation, chain, this, other)
                    problem = _excluded(step.claim)
                    found += [] if problem else [step]
                except NotationError as error:
                    problem = str(error)
            if problem:
                refused.append(f"line {chain.line}: tight_when: {problem}")
    return found, refused


def _tight(derivation: Derivation, chain: Chain, this: Node, other: Node) -> Step:
    claim = derivation.result(chain)

    def put(node: Node) -> Node:
        return instantiate(node, ((this, other),))

    given = tuple(Relation(put(g.left), g.sign, put(g.right)) for g in claim.given)
    equality = replace(claim, relation="=", lhs=put(claim.lhs), rhs=put(claim.rhs), given=given)
    by = f"equality when {text(this)} = {text(other)}"
    missing = any(s.unfilled for s in chain.steps)  # such a chain has no bound to be tight
    return Step(equality, by, (), chain.line, chain.case, missing)


def _excluded(claim: Claim) -> str:
    """Which hypotheses are never met where an equality is said to hold; "" if they are."""
    if which := contradiction(claim.given, set(), max(claim.dims)):
        return f"the hypotheses exclude it: {which}"
    return "" if not claim.given or numeric.satisfiable(claim) else numeric.NO_WORLD


def _check_step(step: Step, with_mutants: bool, timeout: float | None) -> JudgedStep:
    if why := _not_judged(step):
        verdict = Verdict("missing" if step.unfilled else "open", Proof(False), None, 0.0, why)
    else:
        try:
            verdict = judge(step.claim, step.because, timeout)
        except NotationError as error:
            verdict = Verdict("open", Proof(False), None, 0.0, str(error))
        if step.gap and verdict.verdict == "open":
            verdict.reason = f"a line before it is missing; without it: {verdict.reason}"
    if with_mutants and verdict.verdict == "proved":
        return JudgedStep(step, verdict, *mutate(step, verdict.proof))
    named = None if with_mutants else _likely_mistake(step, verdict)
    return JudgedStep(step, verdict, likely=named)


def _likely_mistake(step: Step, verdict: Verdict) -> Likely | None:
    """Where B found no fault there is none to name."""
    outcome = verdict.outcome
    if outcome is None or outcome.verdict == "agree":
        return None
    try:
        with time_limit(SECONDS):
            return likely(step.claim, step.because)
    except (StepTimeout, RecursionError):
        return None


def _not_judged(step: Step) -> str:
    """Why a step is no claim yet; "" if it is one. Over missing equalities the next line can still
    be told from the last one that is there; over a missing bound it cannot."""
    if step.missing:
        return "the step is left as ..."
    if step.uncertified:
        return "its certificate, because=, is left as ..."
    return "it depends on the missing bound before it" if step.gap not in ("", "=") else ""


def unused(derivation: Derivation, proofs: list[Proof]) -> list[str]:
    """Hypotheses on densities, and stated comparisons, that no step consulted."""
    consulted = {key.name for p in proofs for key in p.consulted}
    stated = {f"given {h!r}" for p in proofs for h in p.hypotheses}
    consulted |= {key.name for s in derivation.slips for key in _slip_keys(s)}
    return [
        f"unused hypothesis: {_in_words(stated_in)}"
        for key, stated_in in hypotheses(derivation).items()
        if (isinstance(stated_in, Density) and stated_in.name not in consulted)
        or (key.startswith("given ") and key not in stated)
    ]


def _in_words(hypothesis: Node | Density | Relation) -> str:
    if not isinstance(hypothesis, Density):
        return repr(hypothesis)
    if hypothesis.positive or hypothesis.dominates is None:
        return f"{hypothesis.name} is positive"
    return f"{hypothesis.name} is positive wherever {hypothesis.dominates.name} is"


def _slip_keys(slip: Slip) -> set[Any]:
    return prove(slip.right, slip.because).consulted


def impossible(derivation: Derivation, timeout: float | None = None) -> str:
    """Why the hypotheses describe nothing, or nothing that was found; "" if they do."""
    if not derivation.given:
        return ""
    try:
        with time_limit(timeout):
            return _impossible(derivation)
    except NotationError as error:
        return f"the hypotheses cannot be tried: {error}"
    except (RecursionError, OverflowError):
        return "the hypotheses cannot be tried: too deeply nested, or too large"
    except StepTimeout:
        return f"whether the hypotheses can hold is not decided within {timeout:g} s"


def _impossible(derivation: Derivation) -> str:
    given = derivation.given
    line = set[str]().union(*(numeric.real_spaces(s.claim) for s in derivation.steps))
    if which := contradiction(given, line, max(derivation.dims)):
        return f"contradictory hypotheses: {which}"
    found = all(numeric.satisfiable(s.claim) for s in derivation.steps)
    return "" if found else numeric.NO_WORLD


# --- mutants ---


def mutate(step: Step, proof: Proof) -> tuple[dict[str, int], list[str]]:
    """Break the step in every way; whatever is neither refuted nor proved has survived."""
    count = dict.fromkeys(("made", "killed", "equivalent", "weaker", "discarded", "survived"), 0)
    survivors: list[str] = []
    if step.relation == "=":
        _mutate_claim(step.claim, count, survivors, equality=True)
        return count, survivors
    if proof.certificate is not None:
        gap, certificate = proof.certificate
        equality = replace(step.claim, lhs=gap, relation="=", rhs=certificate)
        _mutate_claim(equality, count, survivors, equality=True)
    else:
        _mutate_claim(step.claim, count, survivors, equality=False)
    count["made"] += 1
    if numeric.compare(reversed_claim(step.claim)).verdict == "refuted":
        count["killed"] += 1
    else:
        count["survived"] += 1
        survivors.append("the reversed inequality")
    return count, survivors


def _mutate_claim(
    claim: Claim, count: dict[str, int], survivors: list[str], equality: bool
) -> None:
    worlds = numeric.make_worlds(claim)
    for what, broken in mutants(claim):
        fate = _fate(broken, worlds, equality)
        count[fate] += 1
        count["made"] += fate != "discarded"
        if fate == "survived":
            survivors.append(f"{what}: {_plain(broken)}")


def _fate(broken: Claim, worlds: numeric.Worlds, equality: bool) -> str:
    """What becomes of a mutant. The symbolic judge is asked only about what is not refuted."""
    outcome = beyond = None
    with contextlib.suppress(numeric.Unsupported):
        outcome = numeric.compare(broken, worlds=worlds)
    if outcome is not None and outcome.verdict in ("refuted", "undefined"):
        return "discarded" if _undefined(outcome) or ill_typed(broken) else "killed"
    proof = prove(broken)
    if proof.meaningless or ill_typed(broken) or (outcome and _undefined(outcome)):
        return "discarded"
    if outcome is None:
        return "survived"
    if proof.proved:
        return "equivalent"
    if outcome.verdict == "agree":  # and nobody vouches for it
        with contextlib.suppress(numeric.Unsupported):
            beyond = numeric.farther(broken)
    if beyond is not None and beyond.verdict == "refuted":
        return "discarded" if _undefined(beyond) else "killed"
    return "survived" if equality else "weaker"


def _undefined(outcome: numeric.Outcome) -> bool:
    return outcome.verdict == "undefined" or "undefined" in outcome.reason


# --- slips ---


def check_slip(slip: Slip, timeout: float | None = 60.0) -> JudgedSlip:
    """The published form must be refuted, the corrected form proved."""
    right = judge(slip.right, slip.because, timeout)
    wrong = judge(slip.wrong, (), timeout) if slip.wrong is not None else None
    problem = ""
    if right.verdict != "proved":
        problem = f"the corrected form is {right.verdict}: {right.reason}"
    elif wrong is not None and wrong.verdict != "refuted":
        problem = f"the published form is not refuted but {wrong.verdict}"
    return JudgedSlip(slip, right, wrong, problem)


__all__ = ["Contradiction", "Judged", "Verdict", "check", "check_slip", "hypotheses", "judge"]
