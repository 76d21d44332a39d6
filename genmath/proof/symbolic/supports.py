"""Where densities vanish: when a quotient may be cancelled, and what a proof relied on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from genmath.proof.language.obligations import Obligation
from genmath.proof.language.text import text
from genmath.proof.language.tree import Node, Symbol
from genmath.proof.symbolic.atoms import OUT, AbsAtom, Int, Recip, Rho
from genmath.proof.symbolic.residual import residual_text

NOT_ZERO = "≠ 0"
SMOOTH_ZEROS = "where a density vanishes, so do its derivatives"


@dataclass(frozen=True)
class Said:
    """What is taken for granted of an expression, put in words only when somebody asks."""

    about: Any
    is_so: str  # "→ 0 at infinity"

    def __str__(self) -> str:
        return f"{residual_text(self.about)} {self.is_so}"


def smooth(r: Any) -> str:
    """Of a density that is differentiated in its variable."""
    return f"the density {r.args[0]} is smooth"


LINE = "R"  # the space of letters that only normal densities and functions speak of


class Unsupported(Exception):
    """The symbolic half has no rule for this; the step stays open."""


@dataclass(frozen=True)
class Need:
    """What was not shown; it is put in words only when somebody asks. `typed` is the whole argument
    as the author wrote it, `about` that factor of it whose sign is not known."""

    what: str  # "the variance"
    sign: str  # "> 0"
    about: Any
    typed: Node | None = None
    alone: bool = True  # there is no other factor

    def __str__(self) -> str:
        factor = residual_text(self.about)
        whole = factor if self.typed is None else text(self.typed)
        named = isinstance(self.about, Rho) or not (self.alone or self.about.is_Number)
        shown = f", for its factor {factor}" if named and _bare(factor) != _bare(whole) else ""
        said = f"{self.what} {whole} is not known to be {self.sign}{shown}"
        if isinstance(self.about, Rho):
            return f"{said}; declare it with Density(..., positive=True)"
        if self.sign == "!= 0":
            return f"{said}; state its sign with given_that(... > 0)"
        if isinstance(self.typed, Symbol) and not self.typed.is_variable:
            return f"{said}; declare it with positives(...), or state it with given_that(...)"
        return f"{said}; state it with given_that(... {self.sign})"


def _bare(shown: str) -> str:
    return shown.replace(" ", "")


Assumed = str | Said | Obligation


@dataclass
class Rules:
    """What one proof assumed, which hypotheses it consulted, and what it still needs."""

    assumed: set[Assumed] = field(default_factory=set)
    consulted: set[Any] = field(default_factory=set)
    needs: list[Need] = field(default_factory=list)
    dominates: dict[Any, tuple[Any, ...]] = field(default_factory=dict)  # key -> keys it dominates
    slots: dict[Any, tuple[str, ...]] = field(
        default_factory=dict
    )  # key -> spaces of its arguments
    slopes: list[Any] = field(default_factory=list)  # divided by, and still to be looked at
    nonzero: set[Any] = field(default_factory=set)  # let pass as denominators
    hints: set[str] = field(default_factory=set)  # what to state, where that would help
    line: set[str] = field(default_factory=set)  # the spaces that are taken to be the real line
    normal: bool = False

    def on_the_line(self, space: str) -> None:
        if space != LINE:
            self.line.add(space)
            self.assumed.add(f"{space} ranges over the real line")

    def absorb(self, other: Rules) -> None:
        """Add what another part of the same proof relied on."""
        self.assumed |= other.assumed
        self.consulted |= other.consulted
        self.needs += other.needs
        self.slopes += other.slopes
        self.nonzero |= other.nonzero
        self.line |= other.line
        self.hints |= other.hints
        self.dominates |= other.dominates
        self.slots |= other.slots
        self.normal = self.normal or other.normal


def supports(weight: Any, f: Any, rules: Rules) -> bool:
    """weight > 0 implies f > 0 (almost everywhere)."""
    if f.is_positive:
        rules.consulted |= {r.args[0] for r in f.atoms(Rho) if r.is_positive}
        return True
    if isinstance(weight, Rho) and len(weight.args[3]) == 1 and not _at_boundary(weight):
        weight = Rho(*weight.args[:3])  # where a density is 0 it is at its minimum, so stationary
    if f == weight:
        return bool(f.is_nonnegative)
    if weight.is_Add:
        return all(w.is_nonnegative and supports(w, f, rules) for w in weight.args)
    if weight.is_Mul:
        return any(supports(w, f, rules) for w in weight.args)
    if weight.is_Pow:
        return bool(weight.exp.is_positive) and supports(weight.base, f, rules)
    if f.is_Add:
        parts = sp.Add.make_args(f)
        return all(p.is_nonnegative for p in parts) and any(
            supports(weight, p, rules) for p in parts
        )
    if f.is_Mul:
        return all(supports(weight, p, rules) for p in f.args)
    if f.is_Pow:
        return supports(weight, f.base, rules)
    if isinstance(f, Recip):
        return supports(weight, f.args[0], rules)
    if isinstance(f, Rho) and isinstance(weight, Rho) and not f.args[3] and not weight.args[3]:
        if f.args[0] == weight.args[0] and f.args[2] == weight.args[2]:
            return all(a in (b, OUT) for a, b in zip(f.args[1], weight.args[1], strict=True))
        if weight.args[0] in rules.dominates.get(f.args[0], ()):
            ours, theirs = _filled(f, rules), _filled(weight, rules)
            if all(theirs.get(space) == argument for space, argument in ours.items()):
                between = rules.dominates[f.args[0]]
                rules.consulted |= {f.args[0], *between[: between.index(weight.args[0])]}
                return True
    return False


def _filled(r: Any, rules: Rules) -> dict[str, Any]:
    """The argument in each slot of a density, by the slot's space."""
    arguments = (*r.args[1], *r.args[2])
    spaces = rules.slots[r.args[0]]
    return {s: a for s, a in zip(spaces, arguments, strict=True) if a != OUT}


def _at_boundary(r: Any) -> bool:
    """What a density is differentiated by may lie at the end of its domain, where a minimum need
    not be stationary."""
    letter = (*r.args[1], *r.args[2])[int(r.args[3][0])]
    return bool(letter.is_nonnegative and not letter.is_positive)


def tidy(term: Any, rules: Rules) -> Any:
    """Turn Recip(f) into 1/f where the rest of the term is 0 whenever f is."""
    if not term.has(Recip):
        return term
    changed = True
    while changed:
        changed = False
        factors = sp.Mul.make_args(term)
        for r in factors:
            base, k = r.as_base_exp()
            if not isinstance(base, Recip) or not (k.is_Rational and k > 0):
                continue
            f = base.args[0]
            merged = term / r * f ** (-k)
            if vanishes_with(merged, f, rules):
                term, changed = merged, True
                break
    return term


def vanishes_with(term: Any, f: Any, rules: Rules) -> bool:
    """The term is 0 wherever f is 0 (or f never is)."""
    if f.is_positive:
        return True
    for b, k in (g.as_base_exp() for g in sp.Mul.make_args(term)):
        if k.is_positive and isinstance(b, Rho) and supports(b, f, rules):
            return True
        if k.is_positive and isinstance(b, AbsAtom):
            parts = sp.Add.make_args(b.args[0])
            if all(vanishes_with(p, f, rules) for p in parts):
                return True
    return False


def density_denominators(term: Any) -> list[Any]:
    """The sums of densities that a term is divided by."""
    factors = (g.as_base_exp() for g in sp.Mul.make_args(term))
    return [b for b, k in factors if k.is_negative and b.is_Add and of_densities(b)]


def of_densities(e: Any, bound: frozenset[Any] = frozenset()) -> bool:
    """Whether it depends on the value of a density at a point: a mean is a number like another."""
    if isinstance(e, Rho):
        return bool(sp.Tuple(*e.args[1], *e.args[2]).free_symbols - {OUT} - bound)
    if isinstance(e, Int):
        bound |= frozenset(e.args[1:])
    return any(of_densities(a, bound) for a in e.args)
