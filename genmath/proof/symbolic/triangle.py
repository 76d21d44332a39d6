"""The triangle inequality: |u| is the larger of u and -u, wherever it stands."""

from __future__ import annotations

import itertools
from typing import Protocol

from genmath.proof.language.tree import (
    Add,
    Big,
    Div,
    Expect,
    Fn,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
)

MOST = 5  # absolute values in one sum


class Known(Protocol):
    """What is known of signs."""

    def nonnegative(self, e: Node) -> bool: ...

    def by_algebra(self, e: Node) -> bool: ...

    def under(self, node: Node) -> Known:
        """Where a node binds its letters."""
        ...


def by_sizes(terms: list[Node], known: Known) -> bool:
    """Whether a sum is >= 0: what is taken away as |u| is taken away as u and as -u; then what is
    added as |u| is at least u, and at least -u. Sums without bars are left to algebra."""
    taken = [i for i, t in enumerate(terms) if isinstance(t, Neg) and _is_size(t.args[0])]
    if taken:
        (i, u) = taken[0], terms[taken[0]].args[0].args[0]
        rest = terms[:i] + terms[i + 1 :]
        return all(known.nonnegative(Add(*rest, end)) for end in (u, Neg(u)))
    added = [i for i, t in enumerate(terms) if _below(t, 1, known) is not None]
    if not 0 < len(added) <= MOST:
        return False
    choices = itertools.product((1, -1), repeat=len(added))
    lowered = (_lowered(terms, dict(zip(added, c, strict=True)), known) for c in choices)
    return any(map(known.by_algebra, lowered))


def _lowered(terms: list[Node], choice: dict[int, int], known: Known) -> Node:
    found = []
    for i, t in enumerate(terms):
        below = _below(t, choice[i], known) if i in choice else None
        found.append(t if below is None else below)
    return Add(*found)


def _is_size(t: Node) -> bool:
    return isinstance(t, Fn) and t.name == "abs"


def _below(t: Node, sign: int, known: Known) -> Node | None:
    """The term with u, or -u, for |u| where it grows with that."""
    match t:
        case Fn(name="abs", args=(u,)):
            return u if sign > 0 else Neg(u)
        case Named():
            return _below(t.body, sign, known)
        case Expect() | Integral():
            body = _below(t.args[0], sign, known.under(t))
            return None if body is None else t.rebuild((body, *t.args[1:]))
        case Big(kind="sum"):
            body = _below(t.body, sign, known.under(t))
            return None if body is None else t.rebuild((body, *t.args[1:]))
        case Mul():
            sizes = [a for a in t.args if _is_size(a)]
            rest = [a for a in t.args if not _is_size(a)]
            if not sizes or not all(known.nonnegative(a) for a in rest):
                return None
            whole = Mul(*rest, *(a.args[0] for a in sizes))
            return whole if sign > 0 else Neg(whole)
        case Div(args=(over, under)) if known.nonnegative(under):
            inner = _below(over, sign, known)
            return None if inner is None else Div(inner, under)
    return None
