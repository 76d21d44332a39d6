"""Invertible maps of vectors, entry by entry: T[i] at numbers is `Unknown` with a key that says so.

    the inverse at the letters     z = T(x), dz = |det J(x)| dx
    T(x) beside |det J(x)|         z = T(x), |det J(x)| dx = dz

The slopes of the inverse are written in those of the map, whose determinant is nowhere 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from genmath.proof.language.tree import Mapped
from genmath.proof.symbolic.algebra import abs_of
from genmath.proof.symbolic.atoms import ENTRY, AbsAtom, Key, Unknown, entry_of
from genmath.proof.symbolic.bound import on_line, unused
from genmath.proof.symbolic.conditions import Conditions, Env, Weights
from genmath.proof.symbolic.facts import SHOWN
from genmath.proof.symbolic.polynomials import canon, space_of
from genmath.proof.symbolic.supports import Unsupported

LARGEST = 3  # coordinates


class VectorMaps(Conditions):
    """A map at a vector, and its Jacobian."""

    def mapped(self, node: Mapped, env: Env, w: Weights) -> Any:
        at = self.lower(node.point, env, w, True)
        if not isinstance(at, sp.MatrixBase) or at.shape[1] != 1:
            raise Unsupported(f"{node.name} at what is no vector")
        if len(at) > LARGEST:
            raise Unsupported(f"a map of {len(at)} coordinates")
        self.register(node.name + "()", "a map of vectors")
        place = [canon(u) for u in at]
        if node.order == 0:
            return sp.ImmutableMatrix(entries(node.name, node.inverse, place))
        if not node.inverse:
            return jacobian(node.name, place)
        return jacobian_of_inverse(node.name, place)


def entries(name: str, inverse: bool, place: Sequence[Any]) -> list[Any]:
    facts = (ENTRY, "inverse") if inverse else (ENTRY,)
    return [Unknown(Key(f"{name}[{i}]", *facts), 0, *place) for i in range(len(place))]


def jacobian(name: str, place: Sequence[Any]) -> Any:
    n = len(place)

    def order(j: int) -> Any:
        return sp.Tuple(*(int(j == k) for k in range(n))) if n > 1 else sp.S.One

    slopes = sp.ImmutableMatrix(
        n, n, lambda i, j: Unknown(Key(f"{name}[{i}]", ENTRY), order(int(j)), *place)
    )
    size = abs_of(sp.expand(slopes.det(method="berkowitz")))
    if isinstance(size, AbsAtom) and (known := SHOWN.get()) is not None:
        known.add(size)  # nowhere 0: so it is declared
    return slopes


def jacobian_of_inverse(name: str, place: Sequence[Any]) -> Any:
    there = jacobian(name, entries(name, True, place))
    return sp.ImmutableMatrix(there.adjugate() / sp.expand(there.det(method="berkowitz")))


def slope_of_inverse(u: Any, j: int) -> Any:
    """Of an entry of an inverse by its j-th argument."""
    name, i = entry_of(u.args[0])
    return jacobian_of_inverse(name, u.args[2:])[i, j]


def size_of_slopes(name: str, place: Sequence[Any]) -> Any:
    """|det J|."""
    return abs_of(sp.expand(jacobian(name, place).det(method="berkowitz")))


def pulled_back(
    factors: list[Any], bound: set[Any], taken: set[Any]
) -> tuple[dict[Any, Any], list[Any], Any] | None:
    """Where the inverse of a map stands at just the bound letters: what each of them is in new
    ones, those, and |det J|."""
    for name, letters in _maps(factors, bound, inverse=True):
        new = _new(letters, taken)
        images = dict(zip(letters, entries(name, False, new), strict=True))
        return images, new, size_of_slopes(name, new)
    return None


def pushed_forward(
    factors: list[Any], bound: set[Any], taken: set[Any]
) -> tuple[Any, tuple[Any, ...], list[Any]] | None:
    """Where the bound letters stand but in a map, beside its |det J|: the rest in new letters, the
    old ones and the new ones."""
    for name, letters in _maps(factors, bound, inverse=False):
        size = size_of_slopes(name, letters)
        if size not in factors:
            continue
        new = _new(letters, taken)
        rest = sp.Mul(*(f for f in factors if f != size))
        rest = rest.xreplace(dict(zip(entries(name, False, letters), new, strict=True)))
        if not rest.free_symbols & set(letters):
            return rest, letters, new
    return None


def _maps(factors: list[Any], bound: set[Any], inverse: bool) -> list[tuple[str, tuple[Any, ...]]]:
    found = {
        (entry_of(u.args[0])[0], u.args[2:])
        for f in factors
        for u in f.atoms(Unknown)
        if ENTRY in u.args[0].facts and ("inverse" in u.args[0].facts) == inverse
    }
    return [
        (name, place)
        for name, place in sorted(found, key=lambda m: (m[0], sp.default_sort_key(sp.Tuple(*m[1]))))
        if set(place) <= bound and len(set(place)) == len(place) and all(map(on_line, place))
    ]


def _new(letters: Sequence[Any], taken: set[Any]) -> list[Any]:
    found: list[Any] = []
    for v in letters:
        found.append(unused(space_of(v), {*taken, *found, *letters}))
    return found
