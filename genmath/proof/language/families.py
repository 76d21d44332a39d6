r"""The named families of distributions: each is one row of one table.

    Exponential(x, lam)    where its letter lives, what its parameters are, its log-density

A row says nothing of means, variances or entropies: judge A reads the log-density and derives them
from what it knows of integrals, so that the entropy of a family, or the KL between two of its
members, follows by linearity. Judge B has densities of its own and reads no log-density here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genmath.proof.language.elementary import absolute, log, log_gamma, softplus
from genmath.proof.language.tree import (
    Family,
    Fn,
    Node,
    NotationError,
    Number,
    Operand,
    Pi,
    Symbol,
    declared,
)
from genmath.proof.language.written import writes

Frame = tuple[Node, Node]  # a location and a scale


@dataclass(frozen=True)
class Row:
    """A family. `shape` and `placed` name its parameters and their domains: those of the standard
    law, and those that move it, x = location + scale t with `frame` the location and the scale."""

    name: str
    lives: str  # where the standard law does, see SPACES
    log_density: Callable[..., Node]  # of the standard law, at t
    shape: Mapping[str, str]
    placed: Mapping[str, str] = field(default_factory=dict)
    frame: Callable[[Node, Node], Frame] | None = None
    heavy: bool = False  # not all its moments exist

    @property
    def parameters(self) -> dict[str, str]:
        return {**self.shape, **self.placed}

    @property
    def letter_lives(self) -> str:
        """Where its letter does: what has been moved may be anywhere on the line."""
        return "real" if self.frame else self.lives

    def split(self, node: Family) -> tuple[tuple[Node, ...], Frame | None]:
        """The shape parameters, and the frame, of one of its members."""
        n = len(self.shape)
        parameters = node.args[1:]
        placed = None if self.frame is None else self.frame(*parameters[n:])
        return parameters[:n], placed

    def inside(self, node: Family) -> Node:
        """1 where its letter may be, else 0: of counts and bits, that is not asked."""
        _, placed = self.split(node)
        t = node.point if placed is None else (node.point - placed[0]) / placed[1]
        match self.lives:
            case "positive":
                return Fn("indicator", t)
            case "unit":
                return Fn("indicator", t) * Fn("indicator", 1 - t)
        return Number(1)

    def log_of(self, node: Family) -> Node:
        """The log-density of one of its members at its point."""
        shape, placed = self.split(node)
        if placed is None:
            return self.log_density(node.point, *shape)
        location, scale = placed
        return self.log_density((node.point - location) / scale, *shape) - log(scale)


HALF = Number(1) / 2


def _interval(low: Node, high: Node) -> Frame:
    return low, high - low


def _moved(location: Node, scale: Node) -> Frame:
    return location, scale


def _student(t: Node, nu: Node) -> Node:
    top = log_gamma((nu + 1) / 2) - log_gamma(nu / 2) - log(Pi() * nu) / 2
    return top - (nu + 1) / 2 * log(1 + t**2 / nu)


PLACED = {"location": "real", "scale": "positive"}

FAMILIES: dict[str, Row] = {
    row.name: row
    for row in (
        Row("Exponential", "positive", lambda x, rate: log(rate) - rate * x,
            {"rate": "positive"}),
        Row("Gamma", "positive",
            lambda x, k, rate: k * log(rate) - log_gamma(k) + (k - 1) * log(x) - rate * x,
            {"shape": "positive", "rate": "positive"}),
        Row("Beta", "unit",
            lambda x, a, b: log_gamma(a + b) - log_gamma(a) - log_gamma(b)
            + (a - 1) * log(x) + (b - 1) * log(1 - x),
            {"a": "positive", "b": "positive"}),
        Row("Bernoulli", "bit", lambda x, p: x * log(p) + (1 - x) * log(1 - p),
            {"probability": "unit"}),
        Row("Poisson", "count", lambda x, rate: x * log(rate) - rate - log_gamma(x + 1),
            {"rate": "positive"}),
        Row("Categorical", "member", lambda k, p: log(p), {"probability": "positive"}),
        Row("Geometric", "count", lambda x, p: log(p) + x * log(1 - p),
            {"probability": "unit"}),
        Row("Uniform", "unit", lambda t: Number(0), {}, {"low": "real", "high": "real"},
            _interval),
        Row("Laplace", "real", lambda t: -absolute(t) - log(Number(2)), {}, PLACED, _moved),
        Row("Logistic", "real", lambda t: -t - 2 * softplus(-t), {}, PLACED, _moved),
        Row("Student", "real", _student, {"degrees": "positive"}, PLACED, _moved, heavy=True),
    )
}  # fmt: skip


@writes(Family, lambda n: (n.name, *n.args))
def _member(name: str, point: Operand, *parameters: Operand) -> Family:
    """A member of a family at a point."""
    row = FAMILIES.get(name) if isinstance(name, str) else None
    if row is None:
        raise NotationError(f"{name!r} is no family: expected one of {', '.join(FAMILIES)}")
    wanted = ", ".join(row.parameters)
    if len(parameters) != len(row.parameters):
        raise NotationError(f"{name}(x, {wanted}): got {len(parameters)} parameter(s)")
    made = Family(name, point, *parameters)
    at = made.point
    if row.lives == "member":
        if not (isinstance(at, Symbol) and at.domain == "member"):
            raise NotationError(
                f"{name}({at!r}, ...): expected a member, FiniteSet(...).members(...)"
            )
    elif isinstance(at, Symbol) and at.is_variable and at.domain != row.letter_lives:
        domain = "" if row.letter_lives == "real" else f", domain={row.letter_lives!r}"
        raise NotationError(
            f"{name}({at!r}, ...): {at!r} is declared {declared(at)}; "
            f"write variables({at.name!r}{domain})"
        )
    return made


def Exponential(x: Operand, rate: Operand) -> Node:
    """The density rate exp(-rate x) of x > 0, with mean 1/rate."""
    return _member("Exponential", x, rate)


def Gamma(x: Operand, shape: Operand, rate: Operand) -> Node:
    """The density of x > 0 in proportion to x^(shape - 1) exp(-rate x), with mean shape/rate."""
    return _member("Gamma", x, shape, rate)


def Beta(x: Operand, a: Operand, b: Operand) -> Node:
    """The density of 0 < x < 1 in proportion to x^(a - 1) (1 - x)^(b - 1)."""
    return _member("Beta", x, a, b)


def Bernoulli(x: Operand, probability: Operand) -> Node:
    """The probability of a bit: `probability` of 1."""
    return _member("Bernoulli", x, probability)


def Categorical(k: Operand, probability: Operand) -> Node:
    """The probability of the member k of a finite set, as an expression in k: pi(k). Over all
    members it has to be seen to sum to 1; pi = Function("pi", probability=Y) is declared to."""
    return _member("Categorical", k, probability)


def Poisson(x: Operand, rate: Operand) -> Node:
    """The probability of a count, with mean rate."""
    return _member("Poisson", x, rate)


def Geometric(x: Operand, probability: Operand) -> Node:
    """The probability of x failures before the first success, with mean 1/probability - 1."""
    return _member("Geometric", x, probability)


def Uniform(x: Operand, low: Operand, high: Operand) -> Node:
    """The density 1/(high - low) of low < x < high; elsewhere on the line it is 0."""
    return _member("Uniform", x, low, high)


def Laplace(x: Operand, location: Operand, scale: Operand) -> Node:
    """The density exp(-|x - location|/scale) / (2 scale); its variance is 2 scale^2."""
    return _member("Laplace", x, location, scale)


def Logistic(x: Operand, location: Operand, scale: Operand) -> Node:
    """The slope of sigmoid((x - location)/scale)."""
    return _member("Logistic", x, location, scale)


def Student(x: Operand, degrees: Operand, location: Operand, scale: Operand) -> Node:
    """Student's t, moved by location and scale; its moments exist below `degrees`."""
    return _member("Student", x, degrees, location, scale)


def row_of(node: Family) -> Row:
    return FAMILIES[node.name]


def members(node: Node, letter: Symbol) -> list[Family]:
    """The members of families at just that letter, anywhere in a tree."""
    return [n for n in node.walk() if isinstance(n, Family) and n.point == letter]


__all__: Any = [*FAMILIES]
