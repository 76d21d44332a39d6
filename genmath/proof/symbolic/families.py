"""Named families: their densities by the table's log-densities, and letters where they live."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import sympy as sp

from genmath.proof.language.families import row_of
from genmath.proof.language.shapes import entries
from genmath.proof.language.tree import Dens, Deriv, Family, Node, Ranging, Symbol, free_symbols
from genmath.proof.symbolic.algebra import (
    abs_of,
    exp_of,
    is_nonnegative,
    is_positive,
    stated_nonnegative,
    stated_positive,
)
from genmath.proof.symbolic.atoms import Key, Member
from genmath.proof.symbolic.bound import unused
from genmath.proof.symbolic.conditions import Env, Weights
from genmath.proof.symbolic.densities import Densities
from genmath.proof.symbolic.finite_sets import sum_over
from genmath.proof.symbolic.polynomials import canon, expand
from genmath.proof.symbolic.rows import read
from genmath.proof.symbolic.spans import Within
from genmath.proof.symbolic.supports import Unsupported
from genmath.proof.symbolic.tabulated import function_of
from genmath.proof.symbolic.zero import vanishes

T = Symbol("t")
BIT = (sp.S.Zero, sp.S.One)


class Families(Densities):
    """Members of families, and integrals over the letters that they are densities of."""

    def family(self, node: Family, env: Env, w: Weights) -> Any:
        row = row_of(node)
        shape, placed = row.split(node)
        letters = {}
        for (name, domain), parameter in zip(row.shape.items(), shape, strict=True):
            value = expand(self.scalar(parameter, env, w, True))
            self.require_domain(Symbol(name, domain=domain), value)
            letters[Symbol(f"{name}_of")] = value
        t = at = self.scalar(node.point, env, w, True)
        front, within = sp.S.Zero, False
        if placed is not None:
            location, scale = self.frame(placed, env, w)
            t, front = (t - location) / scale, -function_of("log", scale)
            # where a hypothesis speaks of the ends, and not of their quotient
            within = row.lives == "unit" and _above(at - location) and _above(location + scale - at)
        t = canon(t)
        if row.lives == "member":
            self.require_mass(node, env, w)
        if not within and not _inside(t, row.lives):
            raise Unsupported(f"{node!r} at a point that is not shown to lie in its support")
        tree = row.log_density(T, *(Symbol(f"{name}_of") for name in row.shape))
        return exp_of(expand(front + read(tree, {**letters, T: t}, _function)))

    def require_mass(self, node: Family, env: Env, w: Weights) -> None:
        """What is said of one member has to sum to 1 over all of them."""
        k, probability = node.args
        assert isinstance(k, Symbol)
        own = free_letter(k.name, self.taken(env, w), real=True)
        one = self.scalar(probability, {**env, k: own}, w, True)
        if not vanishes(expand(sum_over(one, own, Key(k.space)) - 1)):
            raise Unsupported(
                f"{node!r}, whose probabilities are not seen to sum to 1: divide by their sum, or "
                f"declare them, Function(..., probability={k.space})"
            )

    def frame(self, placed: tuple[Node, Node], env: Env, w: Weights) -> tuple[Any, Any]:
        """A location, and a scale that has to be > 0."""
        location, scale = (canon(self.scalar(part, env, w, True)) for part in placed)
        if scale.is_zero or is_nonnegative(-scale):
            raise Unsupported(f"a scale that is not > 0: {placed[1]!r}")
        self.require(scale, w, "the scale", placed[1])
        return location, scale

    def places(
        self,
        variables: tuple[Symbol, ...],
        env: Env,
        w: Weights,
        dists: tuple[Node, ...],
        around: tuple[Node, ...],
    ) -> Iterator[tuple[Env, list[Any], Any]]:
        """What the variables are, the letters that are integrated over, and the slope of the one by
        the other. A bit takes its two values in turn; what is between 0 and 1 is b/(1 + b); what a
        family has moved is location + scale t. The integrand vanishes where a member of `dists`
        does."""
        bits = [
            v
            for v in variables
            if v.domain in ("bit", "values") and not _declared_of(v, (*dists, *around))
        ]
        few = [[self.an_end(a, env, w) for a in v.args] or BIT for v in bits]
        for values in itertools.product(*few):
            inner, letters, slope = dict(env), list[Any](), sp.S.One
            taken = self.taken(env, w)

            for v in variables:
                inner.pop(v, None)
            inner |= dict(zip(bits, values, strict=True))
            rest = [v for v in variables if v not in bits]
            moved = {v: m for v in rest if (m := _moving(v, dists, around)) is not None}
            for v in _in_turn(rest, moved):
                if v.shape:
                    count = entries(v.sized, self.d)
                    coordinates = [free_letter(f"{v.space}[{i}]", taken) for i in range(count)]
                    inner[v] = sp.ImmutableMatrix(coordinates)
                    letters += coordinates
                    continue
                if v.domain == "member":
                    inner[v] = free_letter(v.name, taken, real=True)
                    letters.append(Among(inner[v], Key(v.space)))
                    continue
                if isinstance(v, Ranging) and v.domain == "interval":
                    own = free_letter(v.space, taken, positive=True)
                    inner[v], by, low, high = self.on_the_way(v, own, inner, w)
                    letters.append(Within(own, v.space, inner[v], low, high))
                    slope *= by
                    continue
                member = moved.get(v)
                lives = v.domain if member is None else row_of(member).lives
                if lives == "unit":  # a letter of its own kind: the odds
                    own = free_letter(f"odds of {v.space}", taken, positive=True)
                    at, slope = own / (1 + own), slope / (1 + own) ** 2
                    if member is None:
                        inner[v] = at
                        letters.append(Within(own, v.space, at, sp.S.Zero, sp.S.One))
                        continue
                else:
                    at = own = free_letter(v.space, taken, **_KIND[lives])
                letters.append(own)
                if member is None:
                    inner[v] = at
                    continue
                _, placed = row_of(member).split(member)
                assert placed is not None
                location, scale = self.frame(placed, inner, w)
                inner[v], slope = location + scale * at, slope * scale
            yield inner, letters, slope


class Among(NamedTuple):
    """A letter that runs through the members of a finite set."""

    letter: Any
    space: Any


def free_letter(name: str, taken: set[Any], **kind: bool) -> Any:
    """A letter that nothing around uses; from now on it is used."""
    found = unused(name, taken, **kind)
    taken.add(found)
    return found


_KIND = {
    "real": {"real": True},
    "positive": {"positive": True},
    "count": {"nonnegative": True, "integer": True},
    "bit": {"nonnegative": True},
    "integer": {"integer": True},
    "values": {"rational": True},
}


def _in_turn(variables: list[Symbol], moved: dict[Symbol, Family]) -> Iterator[Symbol]:
    """Each after those of which its location and scale speak; in a circle none is moved."""
    left = list(variables)
    while left:
        ready = [v for v in left if v not in moved or not _frame_letters(moved[v]) & set(left)]
        if not ready:
            moved.pop(left[0])
            continue
        yield from ready
        left = [v for v in left if v not in ready]


def _frame_letters(member: Family) -> set[Symbol]:
    return {s for a in member.args[1:] for s in free_symbols(a)}


def _declared_of(v: Symbol, trees: tuple[Node, ...]) -> bool:
    """An arbitrary density speaks of it, which knows no values."""
    return any(isinstance(n, Dens) and v in n.args for tree in trees for n in tree.walk())


def _moving(v: Symbol, dists: tuple[Node, ...], around: tuple[Node, ...]) -> Family | None:
    """The member of a family by whose location and scale the letter is moved: of `dists`, or, where
    the family is on the whole line, of what is around."""
    if v.domain != "real" or v.shape or _declared_of(v, (*dists, *around)):
        return None
    if any(isinstance(n, Deriv) for tree in (*dists, *around) for n in tree.walk()):
        return None  # what is moved depends on the parameters that one may differentiate by
    for trees, anywhere in ((dists, True), (around, False)):
        for tree in trees:
            for n in tree.walk() if not anywhere else (tree,):
                if not isinstance(n, Family) or n.point != v or row_of(n).frame is None:
                    continue
                if any(v in free_symbols(a) for a in n.args[1:]):
                    continue
                if anywhere or row_of(n).lives == "real":
                    return n
    return None


def _inside(t: Any, lives: str) -> bool:
    if lives in ("real", "member"):
        return True
    if lives == "positive":
        return _above(t)
    if lives == "unit":
        return _above(t) and _above(canon(1 - t))
    if lives == "bit":
        return t in BIT or (isinstance(t, Member) and "bit" in t.args[0].facts)
    least = is_nonnegative(t) or stated_nonnegative(t)
    return bool(t.is_integer and least)


def _above(t: Any) -> bool:
    return bool(is_positive(t) or stated_positive(t))


def _function(name: str, u: Any) -> Any:
    return abs_of(u) if name == "abs" else function_of(name, u)


__all__ = ["Among", "Families"]
