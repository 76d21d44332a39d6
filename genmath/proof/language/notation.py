"""What an author writes: declarations, functions, and nothing else."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import reduce
from typing import Any

from genmath.proof.language.binders import *  # noqa: F403
from genmath.proof.language.binders import (
    FiniteSet,
    integral_between,
    may_be_an_end,
    over,
    same,
    sides,
)
from genmath.proof.language.binders import __all__ as _binders
from genmath.proof.language.claims import Claim
from genmath.proof.language.families import *  # noqa: F403
from genmath.proof.language.families import __all__ as _families
from genmath.proof.language.maps import *  # noqa: F403
from genmath.proof.language.maps import __all__ as _maps
from genmath.proof.language.methods import *  # noqa: F403
from genmath.proof.language.methods import __all__ as _methods
from genmath.proof.language.shapes import NUMBER as NUMBER_SHAPE
from genmath.proof.language.shapes import shape
from genmath.proof.language.tree import (
    DIGITS,
    DOMAINS,
    MAPS,
    MASS,
    SHAPED,
    SPACES,
    Add,
    Apply,
    Big,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Family,
    Fixed,
    Fn,
    Given,
    Identity,
    IdentityOf,
    Indexed,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    NotationError,
    Number,
    Operand,
    Pi,
    Pow,
    Ranging,
    Relation,
    Symbol,
    as_node,
    check_head,
    check_name,
    declared,
    event_variables,
    free_symbols,
)
from genmath.proof.language.written import writes

LARGEST = 6  # number of rows or columns that a letter may be declared to have

pi = Pi()
identity = Identity()

writes(Pi, lambda n: ())(Pi)
writes(Identity, lambda n: ())(Identity)
writes(Number, lambda n: n.data)(Number)
writes(Fn, lambda n: (*n.data, *n.args))(Fn)
for _kind in (Add, Mul, Neg, Div, Pow, Normal):
    writes(_kind, lambda n: n.args)(_kind)


@writes(Symbol, lambda n: n.data)
def _letter(name: str, domain: str, shape: str, variable: bool, space: str) -> Symbol:
    kind, *size = shape.split(" ") if isinstance(shape, str) else [""]
    if kind not in ("", *SHAPED) or not isinstance(variable, bool):
        raise NotationError(f"{name!r} is no letter")
    if shape != _sized(kind, *(0 if n == "d" else int(n) for n in size)):
        raise NotationError(f"{name!r}: {shape!r} is no shape")
    if not isinstance(space, str):
        raise NotationError(f"{name!r}: space={space!r}: expected text")
    return Symbol(name, domain=domain, shape=shape, variable=variable, space=space)


def _sized(shape: str, *size: int) -> str:
    """The shape with its size, where that is not d."""
    if not any(size):
        return shape
    if shape == "covariance":
        size = size[:1]
    for n in size:
        if type(n) is not int or not 0 <= n <= LARGEST:
            raise NotationError(f"size {n!r}: expected a whole number from 1 to {LARGEST}")
    return " ".join((shape, *(str(n or "d") for n in size)))


def _declare(names: str, **kind: Any) -> Any:
    return _one_or_all(Symbol(n, **kind) for n in _words(names))


def _words(names: str) -> list[str]:
    if not isinstance(names, str):
        raise NotationError(f"names={names!r}: expected text, such as 'x z'")
    return names.replace(",", " ").split()


def variables(names: str, domain: Any = "real") -> Any:
    """Random variables: letters that densities are densities of. `x, z = variables("x z")`.

    They live on the line, or in a space that nothing is said of; `domain` may say "positive",
    "unit" (between 0 and 1), "bit" (0 or 1), "count" (0, 1, 2, ...), "integer";
    `domain=(a, b)`: in the interval from a to b without its ends, which are numbers, parameters or
    infinity; `domain={-1, 1}`: one of these numbers. Over what is counted an integral is a sum.
    """
    match domain:
        case tuple():
            return _one_or_all(_in_interval(n, domain) for n in _words(names))
        case set() | frozenset():
            return _one_or_all(_one_of(n, domain) for n in _words(names))
    if domain not in list(SPACES):
        raise NotationError(
            f"domain={domain!r}: expected one of {', '.join(SPACES)}, ends (a, b), or numbers "
            "{a, b}"
        )
    return _declare(names, variable=True, domain=domain)


def _in_interval(name: str, ends: tuple[Operand, ...], space: str = "") -> Symbol:
    if len(ends) != 2:
        raise NotationError(f"domain={ends!r}: expected two ends (a, b), or numbers {{a, b}}")
    low, high = map(as_node, ends)
    if not may_be_an_end(low) or not may_be_an_end(high):
        raise NotationError(f"domain={ends!r}: expected numbers, parameters or infinity")
    if sides(low) > 0 or sides(high) < 0:
        raise NotationError(f"domain={ends!r}: from {low!r} to {high!r} there is nothing")
    first, last = constant(low), constant(high)
    if low == high or (first is not None and last is not None and first >= last):
        raise NotationError(f"domain={ends!r}: from {low!r} to {high!r} there is nothing")
    usual = {(-1, 1): "real", (Number(0), 1): "positive", (Number(0), Number(1)): "unit"}
    kind = usual.get((sides(low) or low, sides(high) or high))
    if kind:
        return Symbol(name, domain=kind, variable=True, space=space or None)
    return Ranging(name, "interval", (low, high), space)


def _one_of(name: str, values: Iterable[Operand], space: str = "") -> Symbol:
    found = {constant(v): as_node(v) for v in values}
    known = sorted(v for v in found if v is not None)
    if len(known) < 2 or None in found:
        raise NotationError(f"domain={values!r}: expected two numbers or more")
    return Ranging(name, "values", tuple(found[v] for v in known), space)


def constant(value: Operand) -> Fraction | None:
    """The number that is typed, if it is one."""
    match as_node(value):
        case Number(value=k):
            return k
        case Neg(args=(inner,)):
            negated = constant(inner)
            return None if negated is None else -negated
        case Div(args=(over, under)):
            top, below = constant(over), constant(under)
            return top / below if top is not None and below else None
    return None


def _one_or_all(made: Iterable[Symbol]) -> Any:
    found = tuple(made)
    if not found:
        raise NotationError("names='': expected at least one name")
    return found[0] if len(found) == 1 else found


@writes(Ranging, lambda n: (n.name, n.domain, n.args, n.space))
def _ranging(name: str, domain: str, args: tuple[Node, ...], space: str) -> Symbol:
    if not isinstance(space, str):
        raise NotationError(f"{name!r}: space={space!r}: expected text")
    make = {"interval": _in_interval, "values": _one_of}.get(domain)
    if make is None:
        raise NotationError(f"{name!r} is no letter")
    return make(name, args, space)


def vectors(names: str, size: int = 0) -> Any:
    """Random vectors in R^d; the derivation says for which d it is checked. `size`: of so many
    entries instead."""
    return _declare(names, variable=True, shape=_sized("vector", size))


def reals(names: str) -> Any:
    """Real parameters: `mu = reals("mu")`, `a, b = reals("a b")`."""
    return _declare(names)


def positives(names: str) -> Any:
    """Parameters > 0."""
    return _declare(names, domain="positive")


def nonnegatives(names: str) -> Any:
    """Parameters >= 0."""
    return _declare(names, domain="nonnegative")


def fractions(names: str) -> Any:
    """Parameters strictly between 0 and 1."""
    return _declare(names, domain="unit")


def at_least_one(names: str) -> Any:
    """Parameters >= 1."""
    return _declare(names, domain="at_least_one")


def naturals(names: str) -> Any:
    """Integers 1, 2, ...: indices and lengths."""
    return _declare(names, domain="natural")


def mean_vectors(names: str, size: int = 0, domain: str = "real") -> Any:
    """Vector parameters in R^d, or of `size` entries; with domain="direction" of length one."""
    return _declare(names, shape=_sized("vector", size), domain=domain)


def covariances(names: str, size: int = 0, commuting: bool = False) -> Any:
    """Symmetric positive definite parameters, d x d or `size` x `size`. With `commuting=True` those
    declared together commute, A * B = B * A."""
    shape = _sized("covariance", size)
    if commuting:
        return _declare(names, shape=shape, domain="commuting", space=" ".join(_words(names)))
    return _declare(names, shape=shape)


def matrices(names: str, rows: int = 0, columns: int = 0, domain: str = "real") -> Any:
    """Matrices, d x d unless `rows` or `columns` say how many. `domain`: any ("real"), "symmetric",
    "diagonal" or "orthogonal": then transpose(Q) * Q is the identity, and with fewer columns than
    rows the columns are orthonormal.

    W = matrices("W", columns=2); Q = matrices("Q", domain="orthogonal").
    """
    if domain in ("symmetric", "diagonal") and rows != columns:
        raise NotationError(f"matrices({names!r}): a {domain} matrix is square")
    if domain == "orthogonal" and (rows != columns and (not columns or 0 < rows < columns)):
        raise NotationError(f"matrices({names!r}): more orthonormal columns than rows")
    return _declare(names, shape=_sized("matrix", rows, columns), domain=domain)


@writes(IdentityOf, lambda n: n.data)
def identity_of(size: int) -> Node:
    """The identity matrix of `size` rows; `identity` is that of d."""
    if type(size) is not int or not 1 <= size <= LARGEST:
        raise NotationError(f"size {size!r}: expected a whole number from 1 to {LARGEST}")
    return IdentityOf((), (size,))


def copies(variable: Symbol, count: int) -> tuple[Symbol, ...]:
    """`count` further variables of the same space: z_1, ..., z_count."""
    if not isinstance(variable, Symbol) or not variable.is_variable:
        raise NotationError(f"copies({variable!r}, ...): expected a random variable")
    if not isinstance(count, int) or count < 1:
        raise NotationError(f"count={count!r}: expected a positive integer")
    return tuple(
        variable.renamed(f"{variable.name}_{i}", variable.space) for i in range(1, count + 1)
    )


@writes(Named, lambda n: (n.name, n.body))
def define(name: str, expression: Operand) -> Named:
    """A letter for an expression; pages show the letter and list its meaning."""
    if not isinstance(name, str):
        raise NotationError(f"name={name!r}: expected text")
    return Named(name, expression)


class Sequence(Fixed):
    """`beta = Sequence("beta", domain="unit")`; `beta[t]` is a member.

    Domains: "real", "positive", "nonnegative", "unit" (strictly between 0 and 1), "at_least_one",
    "bit" (0 or 1), "count" (0, 1, 2, ...).
    """

    name: str
    domain: str

    def __init__(self, name: str, domain: str = "real") -> None:
        check_name(name)
        if domain not in [d for d in (*DOMAINS, *SPACES) if d != "natural"]:
            raise NotationError(f"Sequence({name!r}): domain={domain!r} is not one of its domains")
        vars(self).update(name=name, domain=domain)

    __iter__ = None
    __contains__ = None

    def __getitem__(self, index: Operand) -> Indexed:
        return Indexed(self.name, self.domain, index)


@writes(Indexed, lambda n: (*n.data, n.index))
def _member(name: str, domain: str, index: Node) -> Indexed:
    return Sequence(name, domain)[index]


class Density(Fixed):
    """A family of probability densities: a joint, p = Density("p", x, z), or a kernel,
    q = Density("q", z, given=x).

    A joint also understands its marginals p(x) and conditionals p(z | x). Densities are >= 0;
    `positive=True` is the hypothesis that this one is > 0 everywhere; `dominates=p` that it is > 0
    wherever p is. Densities compare by value, so a chapter may be loaded twice.
    """

    name: str
    events: tuple[Symbol, ...]
    given: tuple[Symbol, ...]
    positive: bool
    dominates: Density | None
    event_slots: tuple[str, ...]
    given_slots: tuple[str, ...]

    def __init__(
        self,
        name: str,
        *events: Symbol,
        given: Symbol | tuple[Symbol, ...] = (),
        positive: bool = False,
        dominates: Density | None = None,
    ) -> None:
        check_name(name)
        check_head(name)
        givens = given if isinstance(given, tuple) else (given,)
        for v in (*events, *givens):
            if not isinstance(v, Symbol):
                raise NotationError(f"Density({name!r}): {v!r} is not a declared letter")
        for v in events:
            if not v.is_variable:
                raise NotationError(
                    f"Density({name!r}): {v!r} is a parameter, not a random variable"
                )
        for v in (*events, *givens):
            if isinstance(v, Ranging) and v.letters_within:
                raise NotationError(
                    f"Density({name!r}): a density of {v!r} depends on its ends; declare them as "
                    "numbers"
                )
        spaces = [v.space for v in (*events, *givens)]
        if not events or len(set(spaces)) != len(spaces):
            raise NotationError(f"Density({name!r}): expected distinct variables, got {spaces}")
        if dominates is not None and not isinstance(dominates, Density):
            raise NotationError(f"Density({name!r}): dominates={dominates!r} is not a Density")
        vars(self).update(
            name=name,
            events=events,
            given=givens,
            positive=positive,
            dominates=dominates,
            event_slots=tuple(v.space for v in events),
            given_slots=tuple(v.space for v in givens),
        )

    def _key(self) -> tuple[Any, ...]:
        return (self.name, self.events, self.given, self.positive, self.dominates)

    def __hash__(self) -> int:
        return hash(self._key())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Density) and self._key() == other._key()

    def __call__(self, *args: Node | Given) -> Dens:
        events: list[Any] = []
        givens: list[Any] = []
        for arg in args:
            if isinstance(arg, Given):
                if givens:
                    raise NotationError(f"{self.name}(...): only one '|'")
                events.append(arg.event)
                givens += arg.given
            else:
                (givens if givens else events).append(arg)
        event_slots = tuple(self._event_slot(e) for e in events)
        given_slots = tuple(self._given_slot(g) for g in givens)
        used = event_slots + given_slots
        if len(set(used)) != len(used) or not events:
            raise NotationError(f"{self.name}(...): a variable is given twice, or none is")
        if self.given_slots and set(self.given_slots) - set(given_slots):
            missing = ", ".join(sorted(set(self.given_slots) - set(given_slots)))
            raise NotationError(
                f"{self.name} is declared given {missing}: write {self.name}(... | {missing})"
            )
        events = [as_node(e) for e in events]
        order = sorted(range(len(events)), key=lambda i: self.event_slots.index(event_slots[i]))
        every = self.event_slots + self.given_slots
        g_order = sorted(range(len(givens)), key=lambda i: every.index(given_slots[i]))
        return Dens(
            self,
            tuple(events[i] for i in order),
            tuple(as_node(givens[i]) for i in g_order),
            tuple(event_slots[i] for i in order),
            tuple(given_slots[i] for i in g_order),
        )

    def _event_slot(self, place: Any) -> str:
        """An event is a declared letter, or any expression where the density is of one number or
        vector."""
        plain = not (isinstance(place, Symbol) and place.is_variable)
        first = self.events[0]
        one = len(self.events) == 1 and first.domain == "real"
        sized = isinstance(place, (int, Fraction, Node)) and shape(as_node(place))
        if plain and one and sized == shape(first):
            for letter in free_symbols(as_node(place)):
                self._check_lives(letter)
            return self.event_slots[0]
        return self._slot(place, self.event_slots)

    def _slot(self, letter: Any, slots: tuple[str, ...]) -> str:
        if isinstance(letter, Symbol) and letter.space in slots:
            self._check_lives(letter)
            return letter.space
        raise NotationError(
            f"{self.name} is a density of {', '.join(self.event_slots)}"
            + (f" given {', '.join(self.given_slots)}" if self.given_slots else "")
            + f"; {letter!r} is none of them (use copies() for a second variable of the same space)"
        )

    def _check_lives(self, letter: Symbol) -> None:
        """A letter of one of its spaces lives where that was declared to."""
        for own in (*self.events, *self.given):
            kinds = [(v.is_variable, v.domain, v.args) for v in (own, letter)]
            if own.space == letter.space and own.is_variable and kinds[0] != kinds[1]:
                raise NotationError(
                    f"{self.name}(... {letter!r} ...): {letter!r} is declared {declared(letter)}, "
                    f"and {self.name} is a density of one that is {declared(own)}"
                )

    def _given_slot(self, letter: Any) -> str:
        """A condition is a declared letter, or any expression for the one letter (or the one
        parameter) declared; another variable's letter is refused."""
        if isinstance(letter, Symbol) and letter.space in self.given_slots + self.event_slots:
            self._check_lives(letter)
            return letter.space
        parameters = [
            v.space
            for v in self.given
            if v.domain != "member" and (not v.is_variable or len(self.given) == 1)
        ]
        plain = not (isinstance(letter, Symbol) and letter.is_variable)
        if plain and isinstance(letter, (int, Fraction, Node)) and len(parameters) == 1:
            return parameters[0]
        return self._slot(letter, self.given_slots or self.event_slots)


@writes(Dens, lambda n: (n.density, n.events, n.givens))
def _density(density: Density, events: tuple[Any, ...], givens: tuple[Node, ...]) -> Dens:
    *first, last = events
    return density(*first, last | givens if givens else last)


class Function(Fixed):
    """An arbitrary smooth function of one or several arguments. `convex=True` is a hypothesis, and
    `f.conjugate` is then its conjugate; so is `positive=True`, values > 0.

    `increasing=True`: it maps the line onto itself with f' > 0, so that `f.inverse` exists and is
    smooth, too; `decreasing=True`: with f' < 0; `invertible=True`: one of them.

    `probability=Y` of a finite set: f(k) > 0 for its members k, and they sum to 1, whatever further
    arguments may be.

    `f.prime(u)` is its derivative at u; `diff(f(x, t), t)` is a partial derivative.
    """

    name: str
    traits: tuple[str, ...]

    def __init__(
        self,
        name: str,
        *,
        convex: bool = False,
        positive: bool = False,
        increasing: bool = False,
        decreasing: bool = False,
        invertible: bool = False,
        probability: FiniteSet | None = None,
        _traits: tuple[str, ...] = (),
    ) -> None:
        check_name(name)
        check_head(name)
        stated = {
            "convex": convex, "positive": positive, "increasing": increasing,
            "decreasing": decreasing, "invertible": invertible,
            "probability": probability is not None,
        }  # fmt: skip
        traits = tuple(trait for trait, holds in stated.items() if holds) or _traits
        if len(traits) > 1 and not _traits:
            raise NotationError(
                f"Function({name!r}): {' and '.join(traits)} at once is not supported"
            )
        if probability is not None:
            if not isinstance(probability, FiniteSet):
                raise NotationError(f"probability={probability!r}: expected a FiniteSet")
            traits = ("positive", MASS + probability.name)
        vars(self).update(name=name, traits=traits)

    def __call__(self, *args: Operand) -> Apply:
        if not args:
            raise NotationError(f"{self.name}() needs an argument")
        if len(args) > 1 and set(self.traits) & set(MAPS):
            raise NotationError(
                f"{self.name}() of {len(args)} arguments: a map of the line, declared "
                f"{self.traits[0]}, takes one"
            )
        if set(self.traits) & {*MAPS, "conjugate"} and shape(as_node(args[0])) != NUMBER_SHAPE:
            raise NotationError(f"{self.name}({args[0]!r}): expected a number")
        for space in self._counted:
            at = args[0]
            if not isinstance(at, Symbol) or (at.domain, at.space) != ("member", space):
                raise NotationError(f"{self.name}({at!r}): expected a member of {space}")
        return Apply(self.name, self.traits, 0, *args)

    @property
    def _counted(self) -> list[str]:
        """The finite set that it is a probability on."""
        return [t.removeprefix(MASS) for t in self.traits if t.startswith(MASS)]

    def prime(self, arg: Operand) -> Apply:
        if self._counted:
            raise NotationError(f"{self.name}.prime: what is counted has no slopes")
        return Apply(self.name, self.traits, 1, arg)

    @property
    def conjugate(self) -> Function:
        if "convex" not in self.traits:
            raise NotationError(
                f"{self.name}: only a function declared convex has a conjugate here"
            )
        return Function(self.name, _traits=("conjugate",))

    @property
    def inverse(self) -> Function:
        kinds = [t for t in self.traits if t in MAPS]
        if not kinds:
            raise NotationError(
                f"{self.name}: only a function declared increasing, decreasing or invertible has "
                f"an inverse: Function({self.name!r}, increasing=True)"
            )
        turned = () if "inverse" in self.traits else ("inverse",)
        return Function(self.name, _traits=(kinds[0], *turned))


@writes(Apply, lambda n: (*n.data, *n.args))
def _value(name: str, traits: tuple[str, ...], order: int, *args: Node) -> Apply:
    known = [(), ("convex",), ("conjugate",), ("positive",)]
    known += [(kind, *turned) for kind in MAPS for turned in ((), ("inverse",))]
    if len(traits) == 2 and traits[1].startswith(MASS):
        check_name(traits[1].removeprefix(MASS))
        known.append(("positive", traits[1]))
    if traits not in known or order not in (0, 1):
        raise NotationError(f"{name!r} is no function")
    function = Function(name, _traits=traits)
    return (function if order == 0 else function.prime)(*args)


def number(value: int | str | Fraction) -> Node:
    """An exact number: number(1) / 3, number("0.02")."""
    if isinstance(value, (float, bool)):
        return as_node(value)  # raises, and says what to write
    if isinstance(value, int):
        return as_node(value)
    exponent = re.search(r"[eE][-+]?0*(\d+)", value) if isinstance(value, str) else None
    if exponent and len(exponent[1]) > len(str(DIGITS)):
        raise NotationError(f"a number has at most {DIGITS} digits")  # before it is written out
    try:
        return as_node(Fraction(value))
    except NotationError:
        raise
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise NotationError(f"number({value!r}): expected an integer or text like '1/3'") from error


def log(u: Operand) -> Node:
    """The natural logarithm, of what is > 0: a model is declared Density(..., positive=True)."""
    return Fn("log", u)


def exp(u: Operand) -> Node:
    """The exponential function."""
    return Fn("exp", u)


def sqrt(u: Operand) -> Node:
    """The square root, of what is >= 0."""
    return Fn("sqrt", u)


def absolute(u: Operand) -> Node:
    """|u|."""
    return Fn("abs", u)


def positive_part(u: Operand) -> Node:
    """The larger of u and 0."""
    return Fn("positive_part", u)


def indicator(relation: Any) -> Node:
    """indicator(a > b): 1 where a > b, else 0; indicator(equal(k, j)) of two members of a finite
    set."""
    if isinstance(relation, Claim) and relation.relation == "=":
        return same(relation.lhs, relation.rhs)
    if isinstance(relation, Relation) and relation.sign in "><":
        a, b = relation.left, relation.right
        return Fn("indicator", a - b if relation.sign == ">" else b - a)
    raise NotationError("indicator(...) takes a strict comparison: indicator(a > b)")


def log_gap(u: Operand) -> Node:
    """u - 1 - log u, which is >= 0 for u > 0 and 0 only at u = 1."""
    return Fn("log_gap", u)


def tangent_gap(f: Function, u: Operand, v: Operand) -> Node:
    """f(u) - f(v) - f'(v)(u - v): how far a convex f lies above its tangent at v; >= 0."""
    _check_function(f, "tangent_gap")
    u, v = as_node(u), as_node(v)
    return f(u) - f(v) - f.prime(v) * (u - v)


def fenchel_gap(f: Function, u: Operand, t: Operand) -> Node:
    """f(u) + f*(t) - u t, the Fenchel-Young gap of a convex f; >= 0."""
    _check_function(f, "fenchel_gap")
    u, t = as_node(u), as_node(t)
    return f(u) + f.conjugate(t) - u * t


def _check_function(f: object, what: str) -> None:
    if not isinstance(f, Function):
        raise NotationError(f"{what}({f!r}, ...): expected a Function")


def sigmoid(u: Operand) -> Node:
    """1 / (1 + exp(-u))."""
    return Fn("sigmoid", u)


def softplus(u: Operand) -> Node:
    """log(1 + exp(u))."""
    return Fn("softplus", u)


def sin(u: Operand) -> Node:
    """The sine."""
    return Fn("sin", u)


def cos(u: Operand) -> Node:
    """The cosine."""
    return Fn("cos", u)


def tan(u: Operand) -> Node:
    """The tangent, sin(u) / cos(u)."""
    return Fn("tan", u)


def tanh(u: Operand) -> Node:
    """The hyperbolic tangent, 2 sigmoid(2 u) - 1."""
    return Fn("tanh", u)


def arctan(u: Operand) -> Node:
    """The angle between -pi/2 and pi/2 whose tangent is u."""
    return Fn("arctan", u)


def erf(u: Operand) -> Node:
    """The error function, 2/sqrt(pi) times the integral of exp(-s^2) from 0 to u."""
    return Fn("erf", u)


def gamma(u: Operand) -> Node:
    """The Gamma function, of what is > 0; gamma(n + 1) is n factorial."""
    return Fn("gamma", u)


def log_gamma(u: Operand) -> Node:
    """log(gamma(u)), of what is > 0."""
    return Fn("log_gamma", u)


def digamma(u: Operand) -> Node:
    """The derivative of log_gamma, of what is > 0."""
    return Fn("digamma", u)


def trigamma(u: Operand) -> Node:
    """The derivative of digamma, of what is > 0: the variance of the logarithm of a Gamma(u, 1)."""
    return Fn("trigamma", u)


def norm2(v: Operand) -> Node:
    """The squared Euclidean norm, the sum of the squares of the components."""
    return Fn("norm2", v)


def dot(u: Operand, v: Operand) -> Node:
    """The inner product of two vectors."""
    return Fn("dot", u, v)


def det(m: Operand) -> Node:
    """The determinant of a matrix."""
    return Fn("det", m)


def trace(m: Operand) -> Node:
    """The trace of a matrix."""
    return Fn("trace", m)


def inverse(m: Operand) -> Node:
    """The inverse of a matrix."""
    return Fn("inverse", m)


def transpose(m: Operand) -> Node:
    """The transpose of a matrix or a vector."""
    return Fn("transpose", m)


@writes(Deriv, lambda n: (n.body, n.var))
def diff(body: Operand, var: Symbol) -> Node:
    """The partial derivative with respect to a letter; by a vector, the gradient."""
    if not isinstance(var, Symbol):
        raise NotationError(f"diff(..., {var!r}): expected a letter")
    if var.domain in ("member", "bit", "count", "integer", "values"):
        raise NotationError(f"diff(..., {var!r}): what is counted has no slopes")
    return Deriv(body, var)


@writes(Integral, lambda n: (n.body, *n.bound))
def integral(body: Operand, *over: Symbol, between: tuple[Operand, Operand] | None = None) -> Node:
    """The integral (or sum) over every value of the variables; or of one real letter,
    between=(0, t), between=(0, infinity)."""
    if between is not None:
        if len(over) != 1 or not isinstance(between, tuple) or len(between) != 2:
            raise NotationError(f"between={between!r}: expected two limits, and one letter")
        return integral_between(body, over[0], *between)
    return Integral(body, *_variables(over, "integral"))


@writes(Expect, lambda n: (n.dists, n.body))
def E(dist: Node | tuple[Node, ...], body: Operand | None = None) -> Node:
    """Expectation under a density, or under a tuple of densities of different variables.

    E(q(z | x), log(p(x, z))); E((p(x), r(y)), x * y).
    """
    if body is None:
        raise NotationError(
            f"E({dist!r}): the density comes first, then what is averaged: E(q(z), f(z))"
        )
    dists = dist if isinstance(dist, tuple) else (dist,)
    bound: list[Symbol] = []
    for d in dists:
        if not isinstance(d, (Dens, Normal, Family)):
            raise NotationError(
                f"E({d!r}, ...): expected a density such as q(z | x) or Normal(z, 0, 1)"
            )
        mine = event_variables(d)
        if not mine or set(mine) & set(bound):
            raise NotationError(f"E({d!r}, ...): expected a density of new variables")
        if isinstance(d, (Normal, Family)) and not _is_random(mine[0]):
            raise NotationError(f"E({d!r}, ...): {mine[0]!r} is a parameter, not a random variable")
        if isinstance(d, Normal) and mine[0].domain != "real":
            raise NotationError(
                f"E({d!r}, ...): a normal density is one of the line; "
                f"{mine[0]!r} is declared {declared(mine[0])}"
            )
        bound += mine
    return Expect(tuple(dists), body)


def _is_random(letter: Any) -> bool:
    """What one may integrate over: members of a finite set, too."""
    return isinstance(letter, Symbol) and (letter.is_variable or letter.domain == "member")


def _variables(over: tuple[Any, ...], what: str) -> tuple[Symbol, ...]:
    if not over or not all(map(_is_random, over)):
        raise NotationError(f"{what}: expected random variables to integrate over, got {over!r}")
    if len(set(over)) != len(over):
        raise NotationError(f"{what}: a variable is listed twice")
    return over


@writes(Divergence, lambda n: (n.kind, *n.args, n.bound))
def _divergence(
    kind: str, p: Operand, q: Operand, over: tuple[Symbol, ...] | Symbol | None
) -> Node:
    if kind not in ("KL", "JS", "TV"):
        raise NotationError(f"{kind!r} is no divergence")
    p, q = as_node(p), as_node(q)
    if over is None:
        over = event_variables(p)
    over = over if isinstance(over, tuple) else (over,)
    return Divergence(kind, p, q, _variables(over, kind))


def KL(p: Operand, q: Operand, over: Any = None) -> Node:
    """Kullback-Leibler divergence: the mean of log(p/q) under p.

    `over` names the variables it is taken over: unless given, those that p is a density of.
    """
    return _divergence("KL", p, q, over)


def JS(p: Operand, q: Operand, over: Any = None) -> Node:
    """Jensen-Shannon divergence: half the KL of each to their mean; `over` as for KL."""
    return _divergence("JS", p, q, over)


def TV(p: Operand, q: Operand, over: Any = None) -> Node:
    """Total variation: half the integral of |p - q|; `over` as for KL."""
    return _divergence("TV", p, q, over)


def H(p: Node) -> Node:
    """Entropy, -E_p log p."""
    return _entropy(p, event_variables(p))


@writes(Entropy, lambda n: (n.args[0], n.bound))
def _entropy(p: Node, over: tuple[Symbol, ...]) -> Node:
    return Entropy(p, _variables(over, "H"))


def total(
    body: Operand, index: Symbol, low: Operand | None = None, high: Operand | None = None
) -> Node:
    """The sum of `body` for index = low, ..., high, of a natural letter; or, with no limits, over
    the members of a finite set."""
    if low is None and high is None:
        return over("sum", body, index)
    return _over_range("sum", body, index, low, high)


def product(
    body: Operand, index: Symbol, low: Operand | None = None, high: Operand | None = None
) -> Node:
    """The product of `body`; limits as for `total`."""
    if low is None and high is None:
        return over("prod", body, index)
    return _over_range("prod", body, index, low, high)


def plus(terms: Iterable[Operand]) -> Node:
    """a + b + … of a list, as if it were typed; `sum` would begin with a 0."""
    return _joined("plus", terms, operator.add)


def times(factors: Iterable[Operand]) -> Node:
    """The product of a list, as if it were typed."""
    return _joined("times", factors, operator.mul)


def _joined(name: str, parts: Iterable[Operand], join: Callable[[Node, Node], Node]) -> Node:
    if isinstance(parts, Node) or not isinstance(parts, Iterable):
        raise NotationError(f"{name}({parts!r}): expected a list of one or more")
    nodes = [as_node(part) for part in parts]
    if not nodes:
        raise NotationError(f"{name}([]): expected a list of one or more")
    return reduce(join, nodes)


@writes(Big, lambda n: (n.kind, n.body, n.index, n.low, n.high))
def _over_range(
    kind: str, body: Operand, index: Symbol, low: Operand | None, high: Operand | None
) -> Node:
    if low is None or high is None:
        raise NotationError(f"a sum or product over {index!r}: expected both limits, or none")
    if kind not in ("sum", "prod"):
        raise NotationError(f"{kind!r} is neither a sum nor a product")
    if not isinstance(index, Symbol) or index.domain != "natural":
        raise NotationError(f"{index!r} is no index: declare it by naturals(...)")
    return Big(kind, body, index, low, high)


__all__ = [
    *_binders,
    *_families,
    *_maps,
    *_methods,
    "JS",
    "KL",
    "TV",
    "Density",
    "E",
    "Function",
    "H",
    "Normal",
    "NotationError",
    "Number",
    "Sequence",
    "absolute",
    "arctan",
    "at_least_one",
    "copies",
    "cos",
    "covariances",
    "define",
    "det",
    "diff",
    "digamma",
    "dot",
    "erf",
    "exp",
    "fenchel_gap",
    "fractions",
    "gamma",
    "identity",
    "identity_of",
    "indicator",
    "integral",
    "inverse",
    "log",
    "log_gamma",
    "log_gap",
    "matrices",
    "mean_vectors",
    "naturals",
    "nonnegatives",
    "norm2",
    "number",
    "pi",
    "plus",
    "positive_part",
    "positives",
    "product",
    "reals",
    "sigmoid",
    "sin",
    "softplus",
    "sqrt",
    "tan",
    "tangent_gap",
    "tanh",
    "times",
    "total",
    "trace",
    "transpose",
    "trigamma",
    "variables",
    "vectors",
]  # fmt: skip
