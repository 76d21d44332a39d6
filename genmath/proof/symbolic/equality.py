"""Two expressions that are equal: their difference is brought to 0."""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy as sp

from genmath.proof.language.derivation import Lemma
from genmath.proof.language.tree import (
    Deriv,
    Named,
    Node,
    NotationError,
)
from genmath.proof.symbolic.algebra import from_one_start
from genmath.proof.symbolic.angles import in_single_angles
from genmath.proof.symbolic.atoms import OUT, AbsAtom, Bell, Binder, Int, Rho, Sign
from genmath.proof.symbolic.bound import fresh, lives_there, on_line, unused_like
from genmath.proof.symbolic.definitions import MEANING, resolve
from genmath.proof.symbolic.integrals import by_parts, differentiate, integrate, over_half_lines
from genmath.proof.symbolic.intervals import split, together
from genmath.proof.symbolic.lemmas import rewrite
from genmath.proof.symbolic.lower import Lowering
from genmath.proof.symbolic.maps import named_after_density
from genmath.proof.symbolic.polynomials import expand, space_of, terms
from genmath.proof.symbolic.proof import Proof
from genmath.proof.symbolic.slopes import by_slope
from genmath.proof.symbolic.supports import LINE, Rules, Unsupported, density_denominators, tidy
from genmath.proof.symbolic.zero import clearly_nonzero, vanishes

SLOPES = 2  # of slopes, that are looked at
UNEQUAL = "the two sides are not shown to be equal"


def prove_equal(
    lhs: Node, rhs: Node, lemmas: list[Lemma], dimension: int, slopes: int = SLOPES
) -> Proof:
    """By normal forms; where an integral has limits, also by slopes."""
    proof = _by_forms(lhs, rhs, lemmas, dimension)
    if proof.proved or proof.meaningless or not slopes:
        return proof
    steady = by_slope(
        lhs, rhs, dimension, lambda a, b: prove_equal(a, b, [], dimension, slopes - 1)
    )
    return steady or proof


def _by_forms(lhs: Node, rhs: Node, lemmas: list[Lemma], dimension: int) -> Proof:
    proof = Proof(False)
    shorter = (lhs, rhs)
    for lemma in lemmas:
        shorter = (rewrite(shorter[0], lemma.claim), rewrite(shorter[1], lemma.claim))
    attempts = (
        [(lhs, rhs, False)] if shorter == (lhs, rhs) else [(*shorter, True), (lhs, rhs, False)]
    )
    for left, right, used in attempts:
        rules = Rules()
        try:
            residuals = _residuals(left, right, rules, dimension, proof.known)
        except (Unsupported, ArithmeticError, TypeError) as error:
            proof.reason = f"no rule for {error}"
            continue
        except NotationError as error:
            proof.reason, proof.meaningless = str(error), True
            return proof
        proof.assumed, proof.consulted, proof.normal = rules.assumed, rules.consulted, rules.normal
        proof.nonzero, proof.line = rules.nonzero, rules.line
        if rules.needs:
            proof.reason = str(rules.needs[0])
            continue
        if not residuals:
            proof.proved, proof.reason = True, ""
            proof.lemmas = list(lemmas) if used else []
            return proof
        proof.residual = residuals[0]
        hints = sorted(rules.hints) or [_on_the_line_only(residuals[0], rules)]
        proof.reason = hints[0] or UNEQUAL
    return proof


def _residuals(
    lhs: Node, rhs: Node, rules: Rules, dimension: int, known: dict[str, Any]
) -> list[Any]:
    """What is left of lhs - rhs, coordinate by coordinate; none if the sides are equal. First with
    a letter for each definition, which is quick, then with its meaning."""
    defined = any(side.contains(Named) for side in (lhs, rhs))
    derived = any(side.contains(Deriv) for side in (lhs, rhs))
    for letters in (True, False) if defined and not derived else (False,):
        trial = Rules()
        lower = Lowering(trial, dimension, letters)
        left = by_coordinates(lower(lhs), lower(rhs))
        if trial.needs and letters:
            continue
        left = _remaining(left, trial)
        if left and letters and any(r.free_symbols & MEANING.keys() for r in left):
            try:
                left = _remaining([resolve(r) for r in left], trial)
            except Unsupported:
                continue
            if left and any(r.has(Int) for r in left):
                continue
        lower.look_at_slopes()
        rules.absorb(trial)
        known.update(lower.known)
        return left
    raise AssertionError("unreachable")


def by_coordinates(a: Any, b: Any) -> list[Any]:
    if not isinstance(a, sp.MatrixBase) and not isinstance(b, sp.MatrixBase):
        return [a - b]
    if not (isinstance(a, sp.MatrixBase) and isinstance(b, sp.MatrixBase) and a.shape == b.shape):
        raise NotationError("the two sides have different shapes")
    return [x - y for x, y in zip(a, b, strict=True)]


def _remaining(residuals: list[Any], rules: Rules) -> list[Any]:
    return [r for r in residuals if not _vanishes(r, rules) and not _vanishes_by_parts(r, rules)]


def _vanishes(residual: Any, rules: Rules) -> bool:
    if vanishes(residual, rules) or vanishes_merged(residual, rules):
        return True
    if _vanishes_in_pieces(residual, rules):
        return True
    same, _ = on_one_line(residual, {LINE, *rules.line})
    if same != residual and vanishes(same, rules):
        return True
    aligned = from_one_start(residual)
    if aligned != residual and vanishes(aligned, rules):
        return True
    return _vanishes_in_angles(residual, rules)


def _vanishes_in_angles(residual: Any, rules: Rules) -> bool:
    """By the addition theorem of sine and cosine."""
    trial = Rules(dominates=rules.dominates, slots=rules.slots)
    turned = in_single_angles(residual, trial)
    if turned == residual or not (vanishes(turned, trial) or vanishes_merged(turned, trial)):
        return False
    rules.absorb(trial)
    return True


def _vanishes_in_pieces(residual: Any, rules: Rules) -> bool:
    """Integrals with limits in terms of each other; over a line, where signs change on it."""
    trial = Rules(dominates=rules.dominates, slots=rules.slots)
    e = in_half_lines(residual, trial) if residual.has(Sign, AbsAtom) else residual
    rules.hints |= trial.hints
    shown = [e]
    if e.has(Binder):
        slope = partial(differentiate, rules=trial)
        shown += [split(e, lambda b, v: whole_line(b, v, trial)), together(e, slope)]
    if not any(other != residual and vanishes(other, trial) for other in shown):
        return False
    rules.absorb(trial)
    return True


def in_half_lines(e: Any, rules: Rules) -> Any:
    """Integrals over the same letters under one sign, and then piece by piece."""
    groups: dict[tuple[str, ...], list[tuple[Any, Any]]] = {}
    rest = sp.S.Zero
    for t in terms(e):
        whole = [f for f in sp.Mul.make_args(t) if isinstance(f, Int)]
        if len(whole) == 1:
            spaces = tuple(space_of(v) for v in whole[0].args[1:])
            groups.setdefault(spaces, []).append((t / whole[0], whole[0]))
        else:
            rest += t
    for spaces, members in groups.items():
        like = members[0][1].args[1:]  # a count stays one
        letters = tuple(fresh(s, v) for s, v in zip(spaces, like, strict=True))
        body = sp.S.Zero
        for c, i in members:
            body += c * i.args[0].xreplace(dict(zip(i.args[1:], letters, strict=True)))
        apart = over_half_lines(body, letters, rules) if body.has(Sign, AbsAtom) else None
        rest += sp.Add(*(c * i for c, i in members)) if apart is None else apart
    return rest


def whole_line(body: Any, v: Any, rules: Rules) -> Any:
    """The integral over every value of a bound letter of an integral with limits, of which the
    body is a term."""
    letter = fresh(LINE)
    named = named_after_density(body.xreplace({v: letter}), letter, rules)
    return integrate(named[0], named[1:], rules, False)


def on_one_line(e: Any, line: set[str] | None = None) -> tuple[Any, set[str]]:
    """Integrals over one letter that no density speaks of, all over letters of the same line, and
    the spaces of these letters. `line`: those that are known to be the line."""
    moved: dict[Any, Any] = {}
    spaces: set[str] = set()
    for i in e.atoms(Int):
        body, v, *others = i.args
        space = space_of(v)
        spoken = any(r.has(v) for r in body.atoms(Rho))
        if not others and not spoken and on_line(v) and (line is None or space in line):
            new = sp.Symbol(v.name.replace(space, LINE, 1), real=True)
            moved[i] = Int(body.xreplace({v: new}), new)
            spaces.add(space)
    return e.xreplace(moved), spaces


def _on_the_line_only(residual: Any, rules: Rules) -> str:
    """What to type where the sides are equal if the letters are those of the line."""
    same, spaces = on_one_line(residual)
    if same == residual or not vanishes(same, Rules()):
        return ""
    letters = ", ".join(sorted(spaces - {LINE, *rules.line}))
    return (
        f"the two sides are equal where {letters} ranges over the real line, which is not said: "
        "write integral(..., between=(-infinity, infinity))"
    )


def _vanishes_together(rest: Any, merged: list[tuple[Any, tuple[Any, ...]]], rules: Rules) -> bool:
    """Zero once each merged integrand is integrated as a whole: ∫ p f/(p+q) + ∫ q f/(p+q) = ∫ f."""
    if not any(density_denominators(t) for e, _ in merged for t in sp.Add.make_args(e)):
        return False
    trial = Rules(dominates=rules.dominates, slots=rules.slots)
    whole = sp.Add(rest, *(integrate(e, letters, trial) for e, letters in merged))
    if trial.needs or not vanishes(whole, trial):
        return False
    rules.absorb(trial)
    return True


def _vanishes_by_parts(residual: Any, rules: Rules) -> bool:
    """Zero once the derivatives of densities are moved to the other factors."""
    if not residual.has(Int) or not any(r.args[3] for r in residual.atoms(Rho)):
        return False
    trial = Rules(dominates=rules.dominates, slots=rules.slots)
    moved = by_parts(residual, trial)
    if moved == residual or not _vanishes(moved, trial):
        return False
    rules.absorb(trial)
    return True


def vanishes_merged(residual: Any, rules: Rules) -> bool:
    """Bring integrals over the same spaces under one sign and compare the integrands pointwise."""
    if not residual.has(Int):
        return False
    letters: dict[tuple[str, ...], list[Any]] = {}
    pieces: dict[tuple[str, ...], list[Any]] = {}
    alone: list[Any] = []
    parts = sp.Add.make_args(residual)
    if any(f.is_Add and f.has(Int) for t in parts for f in sp.Mul.make_args(t)):
        parts = terms(residual)
    taken = residual.free_symbols
    for t in parts:
        whole = [f for f in sp.Mul.make_args(t) if isinstance(f, Int)]
        if not whole:
            alone.append(t)
            continue
        chosen = whole[0]
        spaces = tuple(space_of(v) for v in chosen.args[1:])
        mine = letters.setdefault(spaces, unused_like(chosen.args[1:], taken))
        body = chosen.args[0].xreplace(dict(zip(chosen.args[1:], mine, strict=True)))
        pieces.setdefault(spaces, []).append(t / chosen * body)
    merged, rest = {spaces: sp.Add(*found) for spaces, found in pieces.items()}, sp.Add(*alone)

    def zero(e: Any) -> bool:
        if clearly_nonzero(e):
            return False  # before it is multiplied out
        return vanishes(sp.Add(*(tidy(t, rules) for t in terms(expand(e)))), rules)

    apart = [spaces for spaces, e in merged.items() if not zero(e)]
    if _vanishes_together(rest, [(merged[s], tuple(letters[s])) for s in apart], rules):
        return True
    if not vanishes(rest, rules):  # it is an integral, too: of itself times a density
        if len(apart) != 1 or len(apart[0]) != 1:
            return False
        (letter,), whole = letters[apart[0]], merged[apart[0]]
        normals = _normals(whole, letter)
        rules.normal = rules.normal or bool(normals)
        return any(zero(whole + rest * b) for b in (*normals, *_laws(whole, letter, rules)))
    return not apart


def _laws(e: Any, letter: Any, rules: Rules) -> list[Any]:
    """The densities of that letter alone that occur in e; each integrates to one."""
    found = [r for r in e.atoms(Rho) if not r.args[3] and not r.args[2].has(letter)]
    found = [r for r in found if set(r.args[1]) - {OUT} == {letter}]
    return [
        r
        for r in found
        if r.args[1].count(letter) == 1
        and lives_there(letter, r.args[0], r.args[1].index(letter), rules.slots)
    ]


def _normals(e: Any, letter: Any) -> list[Any]:
    """The normal densities of that letter that occur in e; each integrates to one."""
    if not on_line(letter):
        return []
    found = [b for b in e.atoms(Bell) if not b.args[2].has(letter)]
    return [b for b in found if sp.diff(b.args[0] - b.args[1], letter) in (1, -1)]
