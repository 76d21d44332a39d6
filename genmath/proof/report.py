"""What the judges said of a derivation, as one object of `--json`: in LaTeX and in plain text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genmath.proof.check import (
    Judged,
    JudgedSlip,
    JudgedStep,
    Standing,
    Verdict,
    check,
    hypotheses,
)
from genmath.proof.language.derivation import Derivation
from genmath.proof.language.latex import latex, latex_claim
from genmath.proof.language.meanings import two_meanings
from genmath.proof.language.names import latex_name, text_name
from genmath.proof.language.notation import Density
from genmath.proof.language.obligations import Obligation
from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    DOMAINS,
    MAPS,
    MASS,
    SHAPED,
    SPACES,
    Apply,
    Dens,
    Indexed,
    Mapped,
    Named,
    Node,
    Ranging,
    Relation,
    Symbol,
    declared,
    free_symbols,
)
from genmath.proof.likely import Likely
from genmath.proof.symbolic.author import can_be_shown, in_authors_letters
from genmath.proof.symbolic.derived import unfolded
from genmath.proof.symbolic.proof import Proof
from genmath.proof.symbolic.residual import residual_latex, residual_text

REPORT_SCHEMA = 1


def check_derivation(
    derivation: Derivation,
    mutants: bool = False,
    timeout: float | None = 60.0,
    strict: bool = True,
) -> dict[str, Any]:
    """Judge every step; the dictionary is the JSON object of one derivation. A trivial step and an
    unused hypothesis are remarks in a file of somebody's own; `strict`, in the book, problems."""
    return report(check(derivation, mutants, timeout), strict)


def report(judged: Judged, strict: bool = True) -> dict[str, Any]:
    derivation, standing = judged.derivation, judged.standing
    unclear = two_meanings(derivation)  # of what is printed, so no judge's affair
    if strict:
        unclear += judged.remarks
    return {
        "name": derivation.name,
        "topic": derivation.topic,
        "title": derivation.title,
        "label": standing.label,
        "hypotheses": hypotheses_latex(derivation),
        "hypotheses_text": hypotheses_text(derivation),
        "assumed": _assumed(standing),
        "uses": sorted(standing.uses),
        "file": derivation.file,
        "line": derivation.line,
        "ok": judged.ok and not unclear,
        "problems": [*judged.problems, *unclear],
        "remarks": [] if strict else judged.remarks,
        "seconds": round(judged.seconds, 4),
        "steps": [_step(s) for s in judged.steps],
        "slips": [_slip(s) for s in judged.slips],
    }


def _assumed(standing: Standing) -> list[str]:
    """Each once, however its letters are defined: in the shortest words."""
    found: dict[object, str] = {}
    for one in sorted(set(standing.assumed), key=lambda a: (len(str(a)), str(a))):
        key: object = str(one)
        if isinstance(one, Obligation):
            key = one.kind, unfolded(one.whole), one.letter
        found.setdefault(key, str(one))
    return sorted(set(found.values()))


def _step(judged: JudgedStep) -> dict[str, Any]:
    step, verdict = judged.step, judged.verdict
    outcome = verdict.outcome
    rhs = "..." if step.missing else None
    entry: dict[str, Any] = {
        "relation": step.relation,
        "lhs": latex(step.lhs),
        "rhs": rhs or latex(step.rhs),
        "lhs_text": text(step.lhs),
        "rhs_text": rhs or text(step.rhs),
        "by": step.by,
        "line": step.line,
        "case": dict(step.case),
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "symbolic": verdict.proof.proved,
        "numeric": outcome is not None and outcome.verdict == "agree",
        "ms": round(verdict.seconds * 1e3, 1),
        "residual": _residual(verdict.proof, True),
        "residual_text": _residual(verdict.proof, False),
        "counterexample": outcome.counterexample if outcome is not None else None,
        "agrees": _agrees(verdict),
        "likely": _likely(judged.likely) if judged.likely is not None else None,
    }
    if judged.mutants is not None:
        entry |= {"mutants": judged.mutants, "survivors": judged.survivors}
    return entry


def _agrees(verdict: Verdict) -> str | None:
    """How far an open step was tried."""
    outcome = verdict.outcome
    if verdict.verdict != "open" or outcome is None or outcome.verdict != "agree":
        return None
    count = outcome.worlds_defined
    if not outcome.kinds:
        return "agrees numerically"
    return f"agrees in {count} {'world' if count == 1 else 'worlds'}: {outcome.kinds}"


def _likely(found: Likely) -> dict[str, str]:
    """What is proved with one thing changed: where, how, and how the claim then reads."""
    claim = found.claim
    return {
        "what": found.what,
        "side": found.side,
        "relation": claim.relation,
        "lhs": latex(claim.lhs),
        "rhs": latex(claim.rhs),
        "lhs_text": text(claim.lhs),
        "rhs_text": text(claim.rhs),
    }


def _residual(proof: Proof, as_latex: bool) -> str | None:
    if proof.proved or proof.residual is None:
        return None
    shown = in_authors_letters(proof.residual, proof.known, proof.dimension)
    if not can_be_shown(shown, proof.known):
        return None
    try:
        return residual_latex(shown) if as_latex else residual_text(shown)
    except OverflowError:  # sympy's printer evaluates numbers
        return None


def _slip(judged: JudgedSlip) -> dict[str, Any]:
    slip, wrong = judged.slip, judged.wrong
    return {
        "id": slip.id,
        "source": slip.source,
        "why": slip.why,
        "line": slip.line,
        "wrong": latex_claim(slip.wrong) if slip.wrong is not None else None,
        "right": latex_claim(slip.right),
        "wrong_verdict": wrong.verdict if wrong is not None else None,
        "right_verdict": judged.right.verdict,
        "counterexample": wrong.outcome.counterexample if wrong and wrong.outcome else None,
        "problem": judged.problem,
    }


# --- hypotheses ---

ONTO = r"\colon \mathbb{R} \to \mathbb{R} \text{ onto, }"
ONTO_SPACE = r"\mathbb{R}^d \to \mathbb{R}^d \text{ onto, invertible, with } \det \mathrm{J} \ne 0"
MAP = {  # where f stands before it
    "increasing": ONTO + r" \text{increasing, with a slope } > 0",
    "decreasing": ONTO + r" \text{decreasing, with a slope } < 0",
    "invertible": ONTO + r" \text{invertible, with a slope } \ne 0",
}


def hypotheses_latex(derivation: Derivation) -> list[str]:
    """How each hypothesis reads."""
    return [_hypothesis(key, stated_in) for key, stated_in in hypotheses(derivation).items()]


def stated_latex(hypothesis: Relation) -> str:
    """It is meant for every value of the variables in it, which stand for all that they can be, and
    for every member of a finite set."""
    names = ", ".join(map(latex, _variables(hypothesis)))
    every = rf" \text{{ for every }} {names}" if names else ""
    return latex_claim(hypothesis) + every


def _variables(hypothesis: Relation) -> list[Symbol]:
    met = free_symbols(hypothesis.left) | free_symbols(hypothesis.right)
    return sorted((s for s in met if s.is_variable or s.domain == "member"), key=lambda s: s.name)


def _hypothesis(key: str, stated_in: Node | Density | Relation) -> str:
    match stated_in:
        case Relation():
            return stated_latex(stated_in)
        case Density(positive=False, dominates=Density() as other):
            return rf"{_positive(stated_in)} \text{{ wherever }} {_positive(other)}"
        case Density():
            return _positive(stated_in)
        case Named():
            return f"{latex(stated_in)} = {latex(stated_in.body)}"
        case Mapped():
            return rf"{latex_name(stated_in.name)}\colon {ONTO_SPACE}"
        case Apply() if key.startswith("convex"):
            return rf"{latex_name(stated_in.name)} \text{{ convex}}"
        case Apply() if key.startswith("probability"):
            over = latex_name(stated_in.traits[1].removeprefix(MASS))
            return rf"{latex_name(stated_in.name)} > 0 \text{{ {MASS}}} {over}"
        case Apply() if (kind := key.split()[0]) in MAPS:
            return latex_name(stated_in.name) + MAP[kind]
        case Apply():
            return f"{latex_name(stated_in.name)} > 0"
        case Symbol() if stated_in.shape:
            said = SHAPED[stated_in.shape][stated_in.domain]
            return f"{latex(stated_in)} {said}{_commuting(stated_in, latex_name)}"
        case Symbol() | Indexed():
            return f"{latex(stated_in)} {_lives(stated_in)}"
    raise TypeError(f"{key}: no hypothesis is known of a {type(stated_in).__name__}")


def _lives(letter: Symbol | Indexed) -> str:
    if isinstance(letter, Ranging):
        inside = r",\, ".join(map(latex, letter.args))
        whole = f"({inside})" if letter.domain == "interval" else rf"\{{{inside}\}}"
        return rf"\in {whole}"
    return DOMAINS[letter.domain] if letter.domain in DOMAINS else SPACES[letter.domain][0]


def _commuting(letter: Symbol, shown: Callable[[str], str]) -> str:
    """Which covariances it commutes with, where any are declared to."""
    if letter.domain != "commuting":
        return ""
    return f", commuting: {', '.join(map(shown, letter.space.split()))}"


def _positive(density: Density) -> str:
    return f"{latex(_whole(density))} > 0"


def _whole(density: Density) -> Dens:
    *first, last = density.events
    return density(*first, last | density.given) if density.given else density(*first, last)


PLAINLY = {
    "positive": "> 0",
    "nonnegative": "≥ 0",
    "unit": "in (0, 1)",
    "at_least_one": "≥ 1",
    "member": "in a finite set",
    "bit": "is 0 or 1",
    "count": "in 0, 1, 2, ...",
    "integer": "is an integer",
    "symmetric": "is symmetric",
    "diagonal": "is diagonal",
    "orthogonal": "is orthogonal",
    "direction": "is of length one",
}


def hypotheses_text(derivation: Derivation) -> list[str]:
    """The same in plain text, but for what letters are defined as."""
    found = hypotheses(derivation).items()
    return [_plainly(key, h) for key, h in found if not isinstance(h, Named)]


def _plainly(key: str, stated_in: Node | Density | Relation) -> str:
    match stated_in:
        case Relation():
            names = ", ".join(map(text, _variables(stated_in)))
            return f"{stated_in!r} for every {names}" if names else repr(stated_in)
        case Density(positive=False, dominates=Density() as other):
            return f"{text(_whole(stated_in))} > 0 wherever {text(_whole(other))} > 0"
        case Density():
            return f"{text(_whole(stated_in))} > 0"
        case Mapped():
            return f"{text_name(stated_in.name)} is invertible, det J ≠ 0"
        case Apply():
            kind = key.split()[0]
            shown = text_name(stated_in.name)
            if kind == "probability":
                return f"{shown} > 0 is {MASS}{text_name(stated_in.traits[1].removeprefix(MASS))}"
            return f"{shown} > 0" if kind == "positive" else f"{shown} is {kind}"
        case Symbol(shape="covariance"):
            return f"{text(stated_in)} is positive definite{_commuting(stated_in, text_name)}"
        case Ranging():
            return f"{text(stated_in)} {declared(stated_in)}"
        case Symbol() | Indexed():
            return f"{text(stated_in)} {PLAINLY[stated_in.domain]}"
    raise TypeError(f"{key}: no hypothesis is known of a {type(stated_in).__name__}")


__all__ = ["REPORT_SCHEMA", "check_derivation", "hypotheses_latex", "report", "stated_latex"]
