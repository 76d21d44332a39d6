"""Atoms of the symbolic half: opaque sympy expressions with no automatic simplification.

sympy evaluates log, Abs and integrals by rules of its own; these classes evaluate nothing, so each
rule that is used is one of ours (`lower`, `integrals`, `gaussian`).
"""

from __future__ import annotations

from typing import Any

import mpmath
import sympy as sp
from sympy.core.symbol import Str

from genmath.proof.language.elementary import TABLE, Elementary, call
from genmath.proof.language.tree import MAPS, Number
from genmath.proof.symbolic.rows import limits

OUT = sp.Symbol("out")  # fills the slot of a variable that was integrated out


class Atom(sp.Expr):  # type: ignore[misc]
    """A real commutative quantity."""

    is_commutative = True
    is_Atom_like = True
    is_real = True  # known of the class, and not worked out for each of them


class Key(sp.Atom):  # type: ignore[misc]
    """Who a density, a function or a sequence is, and what its declaration says of all its values:
    of "positive", "nonnegative", "conjugate". It is no letter, whatever it is called."""

    def __new__(cls, name: str, *facts: str) -> Any:
        key = sp.Atom.__new__(cls)
        key.name, key.facts = name, frozenset(facts)
        return key

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.name, tuple(sorted(self.facts)))

    def __getnewargs__(self) -> tuple[str, ...]:
        return (self.name, *sorted(self.facts))

    def _sympystr(self, printer: Any) -> str:
        return str(self.name)


class Rho(Atom):
    """A density: key, the event slots' arguments (OUT where integrated out), the givens' arguments,
    and the places (of events, then givens) it was differentiated in, with repetition."""

    def __new__(cls, key: Any, events: Any, givens: Any, by: Any = ()) -> Any:
        return sp.Expr.__new__(cls, key, sp.Tuple(*events), sp.Tuple(*givens), sp.Tuple(*by))

    def _eval_is_nonnegative(self) -> bool | None:
        return None if self.args[3] else True

    def _eval_is_positive(self) -> bool | None:
        return True if "positive" in self.args[0].facts and not self.args[3] else None


class Bell(Atom):
    """The density of N(mean, variance) at x."""

    def __new__(cls, x: Any, mean: Any, variance: Any) -> Any:
        return sp.Expr.__new__(cls, x, mean, variance)

    def _eval_is_positive(self) -> bool:
        return True


class Log(Atom):
    """log of an irreducible positive quantity."""

    def __new__(cls, arg: Any) -> Any:
        return sp.Expr.__new__(cls, arg)

    def _eval_is_positive(self) -> bool | None:
        return True if (self.args[0] - 1).is_positive else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if (self.args[0] - 1).is_nonnegative else None


class Recip(Atom):
    """1/f where f may vanish: f * Recip(f) is not 1 unless the rest of the term vanishes with f."""

    def __new__(cls, arg: Any) -> Any:
        return sp.Expr.__new__(cls, arg)

    def _eval_is_nonnegative(self) -> bool | None:
        return self.args[0].is_nonnegative  # type: ignore[no-any-return]


class AbsAtom(Atom):
    """|u| with the sign of u fixed canonically."""

    def __new__(cls, arg: Any) -> Any:
        return sp.Expr.__new__(cls, arg)

    def _eval_power(self, exponent: Any) -> Any:
        if exponent.is_Integer and exponent % 2 == 0:
            return self.args[0] ** exponent
        return None

    def _eval_is_nonnegative(self) -> bool:
        return True

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_nonzero else None


class Sign(Atom):
    """1 where u > 0, -1 where u <= 0."""

    def __new__(cls, arg: Any) -> Any:
        return sp.Expr.__new__(cls, arg)

    def _eval_power(self, exponent: Any) -> Any:
        if exponent.is_Integer:
            return sp.S.One if exponent % 2 == 0 else self
        return None


class Same(Atom):
    """1 where two letters for members of a finite set are one, else 0."""

    def __new__(cls, one: Any, other: Any) -> Any:
        if one == other:
            return sp.S.One
        return sp.Expr.__new__(cls, *sorted((one, other), key=sp.default_sort_key))

    def _sympystr(self, printer: Any) -> str:
        one, other = map(printer._print, self.args)
        return f"indicator({one} = {other})"

    def _eval_power(self, exponent: Any) -> Any:
        return self if exponent.is_positive else None

    def _eval_is_nonnegative(self) -> bool:
        return True


class Root(Atom):
    """u**r, r not an integer, where u is not known to be positive."""

    def __new__(cls, base: Any, exponent: Any) -> Any:
        return sp.Expr.__new__(cls, base, exponent)

    def _eval_power(self, exponent: Any) -> Any:
        whole = self.args[1] * exponent
        return self.args[0] ** whole if whole.is_Integer and exponent.is_Integer else None


MAP_KINDS = frozenset(MAPS)


def turned(key: Any) -> Any:
    """The key of the inverse map."""
    return Key(key.name, *(key.facts ^ {"inverse"}))


ENTRY = "an entry of a map of vectors"


def entry_of(key: Any) -> tuple[str, int]:
    """The name of the map, and which entry."""
    name, _, place = key.name.rpartition("[")
    return name, int(place[:-1])


def _entry_undone(key: Any, args: tuple[Any, ...]) -> Any | None:
    """The entry of u in a map after its inverse at u."""
    name, i = entry_of(key)
    other = key.facts ^ {"inverse"}
    inner = args[0].args[2:] if isinstance(args[0], Unknown) else ()
    undone = len(inner) == len(args) and all(
        isinstance(a, Unknown) and a.args == (Key(f"{name}[{j}]", *other), sp.S.Zero, *inner)
        for j, a in enumerate(args)
    )
    return inner[i] if undone else None


class Unknown(Atom):
    """A derivative of an arbitrary function at a point. `order` says how often: a number, and for
    several arguments, once differentiated, a tuple of numbers."""

    def __new__(cls, key: Any, order: Any, *args: Any) -> Any:
        if key.facts & MAP_KINDS and order == 0:
            (u,) = args
            if isinstance(u, Unknown) and u.args[:2] == (turned(key), 0):
                return u.args[2]  # a map after its inverse
        if ENTRY in key.facts and order == 0 and (u := _entry_undone(key, args)) is not None:
            return u
        if "conjugate" in key.facts and order == 0:
            (t,) = args
            if isinstance(t, Unknown) and t.args[:2] == (Key(key.name, "convex"), 1):
                u = t.args[2]  # where a slope is t, the supremum of u t - f(u) is attained
                return u * t - Unknown(t.args[0], 0, u)
        return sp.Expr.__new__(cls, key, sp.sympify(order), *args)

    def _eval_is_positive(self) -> bool | None:
        if self._sloped("increasing"):
            return True
        return True if self.args[1] == 0 and "positive" in self.args[0].facts else None

    def _eval_is_negative(self) -> bool | None:
        return True if self._sloped("decreasing") else None

    def _eval_is_zero(self) -> bool | None:
        return False if self._sloped(*MAP_KINDS) else None

    def _sloped(self, *kinds: str) -> bool:
        """The slope of a declared map; that of an inverse is written in the map's own."""
        return self.args[1] == 1 and any(kind in self.args[0].facts for kind in kinds)


class Fun(Atom):
    """A function of the table at a point."""

    def __new__(cls, name: Any, arg: Any) -> Any:
        return sp.Expr.__new__(cls, Str(name) if isinstance(name, str) else name, arg)

    @property
    def row(self) -> Elementary:
        return TABLE[self.args[0].name]

    def _eval_is_positive(self) -> bool | None:
        low, _ = limits(self.row)
        if low is not None and (low > 0 or (low == 0 and not self.row.range.attained)):
            return True
        return True if self._as_its_argument() and self.args[1].is_positive else None

    def _eval_is_nonnegative(self) -> bool | None:
        low, _ = limits(self.row)
        if low is not None and low >= 0:
            return True
        return True if self._as_its_argument() and self.args[1].is_nonnegative else None

    def _as_its_argument(self) -> bool:
        """f(u) has the sign of u."""
        return self.row.increasing == "strictly" and self.row.at.get(0) == Number(0)

    def _eval_evalf(self, prec: int) -> Any:
        at = sp.N(self.args[1], n=prec)
        if not at.is_Float or not self.row.defined(at):
            return None
        with mpmath.workprec(prec + 20):
            value = call(self.row, "mpmath", mpmath, at._to_mpmath(prec + 20))
            return sp.Float._new(mpmath.mpf(value)._mpf_, prec)


class Member(Atom):
    """A member of a sequence."""

    def __new__(cls, key: Any, index: Any) -> Any:
        return sp.Expr.__new__(cls, key, index)

    def _eval_is_positive(self) -> bool | None:
        return True if "positive" in self.args[0].facts else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].facts & {"positive", "nonnegative"} else None

    def _eval_is_integer(self) -> bool | None:
        return True if self.args[0].facts & {"bit", "count"} else None


class Int(Atom):
    """An integral over bound letters: body, then the letters."""

    def __new__(cls, body: Any, *bound: Any) -> Any:
        return sp.Expr.__new__(cls, body, *bound)

    def _eval_is_positive(self) -> bool | None:
        body, *bound = self.args
        return True if body.is_positive or _is_mean_of_positive(body, bound) else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_nonnegative else None


def _is_mean_of_positive(body: Any, bound: list[Any]) -> bool:
    """The body is something > 0 times densities whose product is a probability: each a density of
    bound letters of its own, given at most letters of those before it."""
    chain: list[Any] = []
    for f in sp.Mul.make_args(body):
        base, k = f.as_base_exp()
        if isinstance(base, Rho) and k.is_positive and not base.args[3]:
            chain.append(base)
        elif not f.is_positive:
            return False
    drawn: set[Any] = set()
    while chain:
        for r in chain:
            mine = [e for e in r.args[1] if e != OUT]
            fresh = len(set(mine)) == len(mine) and set(mine) <= set(bound) - drawn
            if fresh and r.args[2].free_symbols & set(bound) <= drawn:
                break
        else:
            return False
        chain.remove(r)
        drawn |= set(mine)
    return True


class Binder(Atom):
    """Something taken over one letter: its kind, the body, the letter, and what stands outside."""

    def __new__(cls, kind: Any, body: Any, letter: Any, *outside: Any) -> Any:
        return sp.Expr.__new__(cls, kind, body, letter, *outside)

    def _eval_is_positive(self) -> bool | None:
        kept = self.args[0].name in ("size", "sum", "prod", "max", "sup")  # a limit may be 0
        kept = kept or (self.args[0].name == "int" and self._length.is_positive)
        return True if kept and self.args[1].is_positive else None

    def _eval_is_negative(self) -> bool | None:
        """An integral of what is positive, from a higher limit to a lower."""
        backwards = self.args[0].name == "int" and self._length.is_negative
        return True if backwards and self.args[1].is_positive else None

    @property
    def _length(self) -> Any:
        """From limit to limit, of a finite interval; 0 where nothing is known of it."""
        low, high = self.args[3:]
        finite = isinstance(low, sp.Expr) and isinstance(high, sp.Expr)
        return high - low if finite else sp.S.Zero

    def _eval_is_nonnegative(self) -> bool | None:
        backwards = self.args[0].name == "int"  # or from a higher limit to a lower
        return True if not backwards and self.args[1].is_nonnegative else None

    def _eval_is_integer(self) -> bool | None:
        return True if self.args[0].name == "size" else None


class BigSum(Atom):
    """Sum of body for index from low to high."""

    def __new__(cls, body: Any, index: Any, low: Any, high: Any) -> Any:
        return sp.Expr.__new__(cls, body, index, low, high)

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_nonnegative else None

    def _eval_is_positive(self) -> bool | None:
        body, _, low, high = self.args
        return True if body.is_positive and (high - low).is_nonnegative else None


class BigProduct(Atom):
    """Product of body for index from low to high."""

    def __new__(cls, body: Any, index: Any, low: Any, high: Any) -> Any:
        return sp.Expr.__new__(cls, body, index, low, high)

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_positive else None
