"""A residual in the author's letters: here a fraction is its odds, and a covariance its root."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import sympy as sp

from genmath.proof.language.tree import Symbol
from genmath.proof.symbolic.algebra import big_sum, substitute
from genmath.proof.symbolic.atoms import BigProduct, BigSum, Key, Log, Member
from genmath.proof.symbolic.polynomials import canon, expand, terms


def in_authors_letters(e: Any, known: dict[str, Any], dimension: int) -> Any:
    """For people to read; `known` says what the names stand for, in vectors of that dimension."""
    there: dict[Any, Any] = {}
    back: dict[Any, Any] = {}
    for ours, theirs, domain in _letters(e, known):
        if domain == "unit":
            rest: Any = sp.Dummy("1 - b", positive=True)
            if isinstance(theirs, Member):  # as its index says
                rest = Member(Key(rest.name, theirs.args[0].name, "positive"), theirs.args[1])
            there |= {ours: theirs / rest, 1 + ours: 1 / rest}
            back[rest] = 1 - theirs
        else:
            there |= {ours: theirs - 1, 1 + ours: theirs}
    everywhere = {s: s for s in e.free_symbols} | there  # also where only a member is replaced
    shown = _determinants(_gathered(substitute(e, everywhere)), known, dimension).xreplace(back)
    sums = {x: big_sum(expand(x.args[0]), *x.args[1:]) for x in shown.atoms(BigSum)}
    shown = expand(shown.xreplace(sums)) if there and sums else shown
    rational = all(x.is_Symbol or x.is_Number for x in sp.preorder_traversal(shown) if not x.args)
    return canon(shown) if rational and not shown.has(sp.exp) else shown


def can_be_shown(e: Any, known: dict[str, Any]) -> bool:
    """Not where it speaks of what a covariance, an orthogonal matrix or a direction is made of."""
    made = ("orthogonal", "direction", "commuting")
    for s in e.free_symbols:
        name, entry, _ = s.name.partition("[")
        owner = known.get(name)
        inner = isinstance(owner, Symbol) and (owner.shape == "covariance" or owner.domain in made)
        if entry and (inner or " " in name):
            return False
    return True


def _letters(e: Any, known: dict[str, Any]) -> list[tuple[Any, Any, str]]:
    """What is written otherwise here, how it is to be shown, and where it lies."""
    found = []
    for s in sorted(e.free_symbols, key=str):
        owner = known.get(s.name)
        if isinstance(owner, Symbol) and owner.domain in ("unit", "at_least_one"):
            found.append((s, sp.Symbol(f"{s.name}^", positive=True), owner.domain))
    for m in sorted(e.atoms(Member), key=str):
        domain = known.get(f"{m.args[0].name}[]", "")
        if domain in ("unit", "at_least_one"):
            found.append((m, Member(Key(m.args[0].name, "positive", "shown"), m.args[1]), domain))
    return found


def _gathered(e: Any) -> Any:
    """Products over one range under one sign."""
    total = sp.S.Zero
    for t in terms(e):
        over: dict[Any, Any] = defaultdict(lambda: sp.S.One)
        rest = sp.S.One
        for f in sp.Mul.make_args(t):
            base, k = f.as_base_exp()
            if isinstance(base, BigProduct) and k.is_Integer:
                over[base.args[1:]] *= base.args[0] ** k
            else:
                rest *= f
        total += rest * sp.Mul(*(BigProduct(canon(b), *limits) for limits, b in over.items()))
    return total


def _determinants(e: Any, known: dict[str, Any], dimension: int) -> Any:
    """The logarithms of the root's whole diagonal together are half of log det."""
    for owner in known.values():
        if not isinstance(owner, Symbol) or owner.shape != "covariance":
            continue
        diagonal = [x for x in e.atoms(Log) if str(x.args[0]).startswith(f"{owner.name}[")]
        counts = {expand(e).coeff(x) for x in diagonal}
        if len(counts) == 1 and len(diagonal) == dimension:
            (count,) = counts
            named = Log(sp.Symbol(f"det {owner.name}"))
            e = expand(e).xreplace(dict.fromkeys(diagonal, sp.S.Zero)) + count / 2 * named
    return e
