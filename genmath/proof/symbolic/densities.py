"""Arbitrary functions, densities and Gaussians."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sympy as sp
from sympy.core.mul import _unevaluated_Mul

from genmath.proof.language.tree import (
    Apply,
    Dens,
    Named,
    Node,
    Normal,
    NotationError,
    Symbol,
)
from genmath.proof.symbolic.algebra import (
    is_nonnegative,
    is_positive,
    note_positive,
    power_of,
    stated_nonnegative,
    stated_positive,
)
from genmath.proof.symbolic.atoms import (
    OUT,
    Key,
    Rho,
    Unknown,
)
from genmath.proof.symbolic.conditions import Env, Weights
from genmath.proof.symbolic.integrals import bell
from genmath.proof.symbolic.maps import inverse_slope
from genmath.proof.symbolic.matrices import POSITIVE, Matrices, lower_inverse
from genmath.proof.symbolic.polynomials import HALF, canon, expand
from genmath.proof.symbolic.supports import Need, Unsupported

NOT_DEFINITE = "a covariance that is not seen to be positive definite"
SAID = {  # of a domain
    "positive": "> 0",
    "nonnegative": ">= 0",
    "unit": "> 0 and < 1",
    "at_least_one": ">= 1",
    "natural": "a whole number > 0",
}


class Densities(Matrices):
    """What is declared, or normal, at a point."""

    def apply(self, node: Apply, env: Env, w: Weights) -> Any:
        args = [u for a in node.args for u in self.place(a, env, w)]
        self.register(node.name + "()", (len(node.args), len(args), node.stated))
        if node.order and len(args) > 1:
            raise NotationError(f"{node!r}: f.prime(u) is for functions of one number")
        key = Key(node.name, *node.traits)
        if node.order and "inverse" in node.traits:
            return inverse_slope(key, *args)
        return Unknown(key, node.order, *args)

    def place(self, node: Node, env: Env, w: Weights) -> list[Any]:
        """A number, or the entries of a vector."""
        value = self.lower(node, env, w, True)
        if not isinstance(value, sp.MatrixBase):
            return [canon(value)]
        if value.shape[1] != 1:
            raise Unsupported("a function or density of a matrix")
        return [canon(u) for u in value]

    def slots_of(self, letter: Symbol) -> tuple[str, ...]:
        """The spaces of a letter's numbers."""
        if not letter.shape:
            return (letter.space,)
        return tuple(f"{letter.space}[{i}]" for i in range(self.extent(letter)[0]))

    def density_key(self, density: Any) -> Any:
        self.register(density.name + "(density)", density)
        key = Key(density.name, *(("positive",) if density.positive else ()))
        every = (*density.events, *density.given)
        self.rules.slots[key] = tuple(s for letter in every for s in self.slots_of(letter))
        if density.dominates is not None:
            other = self.density_key(density.dominates)
            self.rules.dominates[key] = (other, *self.rules.dominates.get(other, ()))
        return key

    def dens(self, node: Dens, env: Env, w: Weights) -> Any:
        density = node.density
        key = self.density_key(density)
        at = dict(zip(node.event_slots, node.events, strict=True))
        given = dict(zip(node.given_slots, node.givens, strict=True))
        values = {s: self.place(a, env, w) for s, a in (at | given).items()}
        widths = {v.space: len(self.slots_of(v)) for v in (*density.events, *density.given)}
        if any(len(u) != widths[s] for s, u in values.items()):
            raise NotationError(f"{node!r}: a point of another size than declared")
        for letter in density.given:
            if letter.space in given and given[letter.space] != letter and not letter.shape:
                if letter.domain == "member":
                    require_member(given[letter.space], letter)
                else:
                    self.require_domain(letter, values[letter.space][0])

        def filled(known: Collection[str]) -> list[Any]:
            """The numbers in the events' slots."""
            return [
                u
                for s in density.event_slots
                for u in (values[s] if s in known else [OUT] * widths[s])
            ]

        outer = [u for s in density.given_slots for u in values[s]]
        if density.given_slots:
            events = filled(at)
            inner_given = [s for s in given if s in density.event_slots]
        else:
            inner_given = list(given)
            events = filled(values)
        full = filled(values)
        if not inner_given:
            return Rho(key, events, outer)
        marginal = Rho(key, filled(inner_given), outer)
        joint = Rho(key, full, outer)
        self.require(marginal, w, "the density of the condition")
        return joint / marginal  # p(x, z) = 0 wherever p(x) is: the quotient may be taken as it is

    def require_domain(self, letter: Symbol, value: Any) -> None:
        """A family is declared for the parameters of a domain and means nothing elsewhere."""
        if letter.domain == "real" or letter.is_variable:
            return
        # below 1 where the square is
        parts = [1 - value**2, value] if letter.domain == "unit" else [value]
        if letter.domain == "at_least_one":
            parts = [value - 1]
        strict = letter.domain in ("positive", "unit")
        for part in parts:
            shown = is_positive(part) or stated_positive(part)
            if not strict:
                shown = shown or is_nonnegative(part) or stated_nonnegative(part)
            if letter.domain == "natural":
                shown = bool(value.is_integer) and is_positive(value)
            if not shown:
                what = f"the parameter {letter.name} of a family, here"
                self.rules.needs.append(Need(what, SAID[letter.domain], value))

    def normal(self, node: Normal, env: Env, w: Weights, exact: bool) -> Any:
        x, m, c = (self.lower(a, env, w, exact) for a in node.args)
        self.rules.normal = True
        if not isinstance(c, sp.MatrixBase):
            if isinstance(x, sp.MatrixBase) or isinstance(m, sp.MatrixBase):
                raise NotationError(
                    f"{node!r}: a vector needs a covariance matrix; write v * identity"
                )
            self.require(c, w, "the variance", node.args[2])
            return bell(x, m, c)
        if m == 0 and isinstance(x, sp.MatrixBase):
            m = sp.zeros(*x.shape)
        if not (isinstance(x, sp.MatrixBase) and isinstance(m, sp.MatrixBase)):
            raise NotationError(f"{node!r}: a covariance matrix needs a vector and a vector mean")
        if x.shape != m.shape or c.shape != (x.shape[0], x.shape[0]):
            raise NotationError(
                f"{node!r}: the point, the mean and the covariance are of different sizes; "
                "identity_of(k) is the identity of k rows"
            )
        n = x.shape[0]
        seen = self.require_definite(node.args[2], env, w, exact)
        if c.is_diagonal():
            for i in range(n if not seen else 0):
                self.require(c[i, i], w, "the variance", node.args[2])
            return sp.Mul(*(bell(x[i], m[i], c[i, i]) for i in range(n)))
        if not seen:
            raise Unsupported(NOT_DEFINITE)
        if (letter := plain_covariance(node.args[2])) is not None:
            root = self.root(letter)
            white = lower_inverse(root) * (x - m)
            square = sum((u**2 for u in white), sp.S.Zero)
            return gaussian(n, square, sp.Mul(*(root[i, i] for i in range(n))))
        inverse = self.inverted(node.args[2], env, w, exact)
        det = self.determinant(node.args[2], env, w, exact)
        return gaussian(n, ((x - m).T * inverse * (x - m))[0, 0], power_of(det, HALF))

    def require_definite(self, node: Node, env: Env, w: Weights, exact: bool) -> bool:
        """Whether a covariance is seen to be one; what that takes is asked for."""
        kind, asked = self.definite(node, env, w, exact)
        if kind != POSITIVE:
            return False
        for what, part in asked:
            if what == "scale":
                self.require(self.scalar(part, env, w, exact), w, "the variance", part)
            else:
                self.not_singular(part, env, w, exact)
        return True


def require_member(at: Node, letter: Symbol) -> None:
    of_it = isinstance(at, Symbol) and (at.domain, at.space) == ("member", letter.space)
    if not of_it:
        raise NotationError(f"{at!r} is given, where a member of {letter.space} is expected")


def gaussian(n: int, square: Any, scale: Any) -> Any:
    """The density of n numbers by the square of their distance and the root of the determinant."""
    exponent, front = expand(-square / 2), (2 * sp.pi) ** sp.Rational(-n, 2) / scale
    if not exponent.is_Add or front.has(sp.exp):
        return front * sp.exp(exponent)
    # sympy would look at each term of the sum, of which there are many, and change nothing
    return _unevaluated_Mul(front, sp.exp(exponent, evaluate=False))


def gaussian_of(gap: Any, spread: Any, seen: bool) -> Any:
    """The density of a centred normal at a point, by the entries of its covariance. `seen`: that is
    positive definite for all values of its letters."""
    n = spread.shape[0]
    if spread.is_diagonal():
        return sp.Mul(*(bell(gap[i], sp.S.Zero, spread[i, i]) for i in range(n)))
    det = canon(spread.det(method="berkowitz"))
    if seen:
        note_positive(det)
    inverse = spread.adjugate() / det
    return gaussian(n, (gap.T * inverse * gap)[0, 0], power_of(det, HALF))


def plain_covariance(node: Node) -> Symbol | None:
    """The letter that a covariance is, where its root is triangular."""
    while isinstance(node, Named):
        node = node.body
    plain = isinstance(node, Symbol) and node.shape == "covariance" and node.domain == "real"
    return node if plain and isinstance(node, Symbol) else None
