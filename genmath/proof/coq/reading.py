"""A tree as a term for Coq, with what its letters and functions are known to be.

Whatever is no arithmetic becomes a function, of which nothing is supposed but what its declaration
says: a density of its points, an expectation of its integrand and its densities. What holds vectors
becomes a function of the letters bound around it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from genmath.proof.coq.terms import (
    Condition,
    Term,
    add,
    app,
    div,
    lam,
    minus,
    mul,
    neg,
    num,
    power,
    type_of,
    var,
)
from genmath.proof.language.binders import Between, Infinity, Over
from genmath.proof.language.families import FAMILIES, Row
from genmath.proof.language.shapes import NUMBER, shape
from genmath.proof.language.tree import (
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
    Fn,
    Indexed,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Pi,
    Pow,
    Ranging,
    Relation,
    Symbol,
    event_variables,
    free_symbols,
)

# Coq's own functions, by their names in the table of functions.
OWN = {"log": "ln", "exp": "exp", "sqrt": "sqrt", "abs": "Rabs", "sin": "sin", "cos": "cos"}
OWN["log_gap"] = "log_gap"  # of the file that all others require
KEYWORDS = {
    *("as", "at", "cofix", "else", "end", "exists", "fix", "for", "forall", "fun", "if", "in"),
    *("let", "match", "mod", "return", "then", "using", "where", "with", "Prop", "Set", "Type"),
    *("by", "SProp", "R", "V", "PI", "normal", "Deriv", "power", *OWN.values()),
}
OWN_NAMES = r"[vwa]\d+(_\d+)?|[HL]\w*|[PS]_\w*"  # of bound letters and hypotheses
LARGEST_POWER = 12
MAPS = {"increasing": "<", "decreasing": ">", "invertible": "!="}
AT = "v0"  # counts coordinates
DERIVATIVE, POWER = "Deriv", "power"
# Bernoulli and uniform laws are read as what they define, where they are averaged by.
DEFINED = ("Exponential", "Gamma", "Beta", "Laplace", "Logistic", "Student")
WHOLE = ("natural", "count", "integer")
SPACED = (Integral, Expect, Divergence, Entropy, Over)


class NoReal(ValueError):
    """What is no real number, or nothing that can be said of one."""


Env = Mapping[Symbol, str | Term]  # letters bound around a node: their names, or their values


# For all numbers of which others are known, a relation.
Stated = tuple[tuple[str, ...], tuple[Condition, ...], Condition]


@dataclass
class Head:
    """A function of which nothing is known but where its values lie; and, of a function of
    functions, that it looks at them only where the `letters` bound in them may be."""

    name: str
    takes: tuple[str, ...]
    values: str = "real"
    letters: tuple[tuple[str, tuple[Condition, ...]], ...] = ()
    slope: str = ""  # its derivative, where that has a name
    linear: str = ""  # in the first of its functions: "integral", "expectation" or "sum"
    each: tuple[str, ...] = ()  # the integrals over one letter each that it consists of
    density: bool = False
    unit: str = ""  # of a sum over indices: the identity matrix
    symmetric: bool = False  # whether its two arguments may change places
    points: str = ""  # of an integral over vectors: what gives a coordinate of one
    inverted: str = ""  # of a covariance: its inverse
    det: str = ""  # and its determinant
    normal: str = ""  # of the density of a normal law of vectors: the sum over indices
    line: bool = False  # whether it is the integral of one letter over all real numbers
    margins: tuple[tuple[str, str], ...] = ()  # of a density: integrals, and what each leaves
    ratio: tuple[Term, Term] | None = None  # of a conditional density: at the letters a1, a2, ...
    chain: tuple[Term, Term] | None = None  # of a joint one: two of which it is the product
    sign: str = ""  # "<", ">" or "!=": 0 to its values, if it is the derivative of a map
    inverse: str = ""  # of a map of the line onto itself
    turned: tuple[str, str] = ("", "")  # of its inverse's derivative f: g and h, f x = 1 / g (h x)
    indicator: bool = False  # 1 of a number > 0, else 0
    means: str = ""  # "KL", "JS" or "H": an expectation, by the function `under`; "TV": an integral
    under: str = ""
    logs: str = ""  # of a finite product: the sum over the same
    family: str = ""  # of which it is the density of a member
    law: Stated | None = None  # and what that is, by definition
    gamma: bool = False  # whether it is the Gamma function

    @property
    def type(self) -> str:
        return " -> ".join([*self.takes, "R"])

    @property
    def limited(self) -> bool:
        """Whether it is an integral with limits."""
        return self.linear == "integral" and self.takes[1:] == ("R", "R")

    @property
    def choosy(self) -> bool:
        """An expectation looks at its integrand only where the densities are > 0."""
        return self.linear == "expectation" or any(conditions for _, conditions in self.letters)


@dataclass
class Reading:
    """Trees of one claim, read with one table of names."""

    letters: dict[Symbol, str] = field(default_factory=dict)
    heads: dict[Any, Head] = field(default_factory=dict)
    taken: set[str] = field(default_factory=lambda: set(KEYWORDS))
    given: list[Condition] = field(default_factory=list)  # what declarations of vectors say
    everywhere: list[Any] = field(default_factory=list)  # and what they say of all indices

    def __call__(self, node: Node) -> Term:
        return self._read(node, {})

    def sides(self, left: Node, right: Node) -> tuple[Term, Term]:
        return self(left), self(right)

    def relation(self, g: Relation) -> Condition:
        return g.sign, self(g.left), self(g.right)

    @property
    def by_name(self) -> dict[str, Head]:
        return {h.name: h for h in self.heads.values()}

    def inverses(self) -> None:
        """Names for the inverses of maps in integrals, and for their derivatives, where there is
        that of the map: the letter may have to go by them."""
        if not any(kind.startswith(("Integral", "Expect")) for kind, _, _ in self.heads):
            return
        for kind, data, takes in list(self.heads):
            if (
                kind != "Apply"
                or takes != ("R",)
                or data[2] != 1
                or MAPS.keys().isdisjoint(data[1])
            ):
                continue
            name, traits, _ = data
            other = tuple(t for t in traits if t != "inverse")
            other = other if other != traits else (*traits, "inverse")
            for one in (traits, other):
                for order in (0, 1):
                    key = (kind, (name, one, order), takes)
                    if key not in self.heads:
                        self.heads[key] = Head(self.name(name + "_d" * order), takes)

    def maps(self) -> None:
        """Of invertible functions: their inverses, and where their derivatives lie."""
        for (kind, data, takes), head in self.heads.items():
            if kind != "Apply" or takes != ("R",):
                continue
            name, traits, order = data
            sign = next((s for t, s in MAPS.items() if t in traits), "")
            plain = tuple(t for t in traits if t != "inverse")
            other = plain if plain != traits else (*traits, "inverse")

            def named(traits: tuple[str, ...], order: int, name: str = name) -> str:
                found = self.heads.get(("Apply", (name, traits, order), ("R",)))
                return found.name if found else ""

            if sign and order == 0:
                head.inverse = named(other, 0)
            if sign and order == 1:
                head.sign = sign
                by = named(plain, 1), named((*plain, "inverse"), 0)
                head.turned = by if plain != traits and all(by) else ("", "")

    def ratios(self) -> None:
        """Of conditional densities: the joint one, and that of what is given. Where this may be 0
        the joint one is their product, also where both are given something else."""
        for (kind, data, _), head in list(self.heads.items()):
            if kind != "Dens" or len(data) != 3:
                continue
            density, events, givens = data
            more = [s for s in givens if s not in density.given_slots]
            if not more:
                continue
            both = [s for s in density.event_slots if s in (*events, *more)]
            if not density.positive:
                at = {s: var(f"a{k}") for k, s in enumerate((*both, *density.given_slots), 1)}
                joint = self._density(density, tuple(both), at)
                self.by_name[joint.data].chain = (
                    self._density(density, tuple(more), at),
                    app(head.name, *(at[s] for s in (*events, *givens))),
                )
                self._chains(head, density, events, givens)
                continue
            at = {s: var(f"a{k}") for k, s in enumerate((*events, *givens), 1)}
            head.ratio = (
                self._density(density, tuple(both), at), self._density(density, tuple(more), at)
            )  # fmt: skip

    def _chains(
        self, head: Head, density: Any, events: tuple[str, ...], givens: tuple[str, ...]
    ) -> None:
        """p(x, y | z) = p(x | z) p(y | x, z)."""
        for (kind, data, _), whole in list(self.heads.items()):
            if kind != "Dens" or data[0] != density or data[2] == density.given_slots:
                continue
            more = [s for s in givens if s not in data[2]]
            if {*data[1]} == {*events, *more} and {*data[2]} < {*givens}:
                at = {s: var(f"a{k}") for k, s in enumerate((*data[1], *data[2]), 1)}
                whole.chain = (
                    self._density(density, tuple(more), at, data[2]),
                    app(head.name, *(at[s] for s in (*events, *givens))),
                )

    def meanings(self) -> None:
        """Expectations, for divergences and entropies of densities."""
        for (kind, data, takes), head in list(self.heads.items()):
            if kind == "Divergence" and data[0] in ("KL", "JS", "TV"):
                head.means, spaces = data
            elif kind == "Entropy":
                head.means, spaces = "H", data[0]
            else:
                continue
            key = ("Expect", spaces, (takes[0], takes[0]))
            if head.means == "TV":
                key = ("Integral", (spaces,), takes[:1])
            if key not in self.heads:
                linear = "integral" if head.means == "TV" else "expectation"
                called = self.name(key[0])
                self.heads[key] = Head(called, key[2], letters=head.letters, linear=linear)
            head.under = self.heads[key].name

    def products(self) -> None:
        """The sum over the same, for the logarithm of a product."""
        for (kind, data, takes), head in list(self.heads.items()):
            if not kind.startswith(("Big", "Over")) or data[0] != "prod":
                continue
            key = (kind, ("sum", *data[1:]), takes)
            if key not in self.heads:
                called = self.name("sum")
                self.heads[key] = Head(called, takes, letters=head.letters, linear="sum")
            head.logs = self.heads[key].name

    def densities(self) -> None:
        for (kind, data, _), head in self.heads.items():
            head.density = kind == "Dens" or (kind == "Family" and bool(head.margins))
            head.indicator = (kind, data) == ("Fn", ("indicator",))
            head.gamma = (kind, data) == ("Fn", ("gamma",))

    def measures(self) -> None:
        """The integral over each letter of an integral or expectation, and what each of those of a
        density leaves."""
        over: dict[Any, str] = {}  # by what is declared of a letter
        for (kind, data, _), head in list(self.heads.items()):
            if kind not in ("Integral", "Expect"):
                continue
            spaces = data[0] if kind == "Integral" else data[-len(head.letters) :]
            for space, letter in zip(spaces, head.letters, strict=True):
                if space not in over:
                    over[space] = self._measure(space, letter)
            head.each = tuple(over[space] for space in spaces)
        for (kind, data, _), head in self.heads.items():
            if kind == "Family" and len(data) == 2 and data[1] in over:
                head.margins = ((over[data[1]], ""),)
        queue = [key for key in self.heads if key[0] == "Dens"]
        for key in queue if over else []:
            _, (density, events, givens), takes = key
            declared = dict(zip(density.event_slots, density.events, strict=True))
            left = []
            for slot in events:
                rest = tuple(e for e in events if e != slot)
                measure = over.get(_plain(declared[slot], True), "")
                other = ("Dens", (density, rest, givens), takes[1:])
                if measure and rest and other not in self.heads:
                    called = self.name(density.name)
                    self.heads[other] = Head(called, takes[1:], self.heads[key].values)
                    queue.append(other)
                left.append((measure, self.heads[other].name if measure and rest else ""))
            if any(measure for measure, _ in left):
                self.heads[key].margins = tuple(left)

    def _measure(self, space: Any, letter: tuple[str, tuple[Condition, ...]]) -> str:
        """The integral over one letter."""
        key = ("Integral", ((space,),), ("(R -> R)",))
        if key not in self.heads:
            self.heads[key] = Head(self.name("Int"), key[2], letters=(letter,), linear="integral")
        head = self.heads[key]
        head.each, head.line = (head.name,), space[0] == "real" and not letter[1]
        return head.name

    def _density(
        self,
        density: Any,
        events: tuple[str, ...],
        at: dict[str, Term],
        givens: tuple[str, ...] | None = None,
    ) -> Term:
        events = tuple(s for s in density.event_slots if s in events)
        givens = density.given_slots if givens is None else givens
        args = [at[s] for s in (*events, *givens)]
        key = ("Dens", (density, events, givens), ("R",) * len(args))
        if key not in self.heads:
            values = "positive" if density.positive else "nonnegative"
            self.heads[key] = Head(self.name(density.name), key[2], values)
        return app(self.heads[key].name, *args)

    def symmetries(self) -> None:
        """What is said of symmetric matrices: here they are not read."""

    def slopes(self) -> None:
        """Names for the derivatives of functions of one argument: those that there are; twice, if
        any are taken."""
        if DERIVATIVE not in self.by_name:
            self._known_slopes()
            return
        for _ in range(2):
            for (kind, data, takes), head in list(self.heads.items()):
                if kind == "Apply" and takes == ("R",) and not head.slope:
                    name, traits, order = data
                    key = (kind, (name, traits, order + 1), takes)
                    if key not in self.heads:
                        called = self.name(f"{name}{'_d' * (order + 1)}")
                        self.heads[key] = Head(called, takes)
                    head.slope = self.heads[key].name

    def _known_slopes(self) -> None:
        for (kind, data, takes), head in self.heads.items():
            if kind == "Apply" and takes == ("R",):
                name, traits, order = data
                other = self.heads.get((kind, (name, traits, order + 1), takes))
                head.slope = other.name if other else ""

    def name(self, wanted: str) -> str:
        plain = re.sub(r"\W+", "_", wanted.replace("+", "p"), flags=re.ASCII).strip("_") or "f"
        if re.fullmatch(OWN_NAMES, plain) or not plain[0].isalpha():
            plain = "l_" + plain
        new, k = plain, 1
        while new in self.taken:
            k += 1
            new = f"{plain}_{k}"
        self.taken.add(new)
        return new

    def _read(self, node: Node, env: Env) -> Term:
        match node:
            case Named():
                return self._read(node.body, env)
            case Number():
                return num(node.value)
            case Pi():
                return var("PI")
        if shape(node) != NUMBER:
            raise NoReal("vectors and matrices are no real numbers")
        if isinstance(node, Symbol) and not node.shape:
            return _at(env[node]) if node in env else var(self._letter(node))
        if isinstance(node, Fn) and node.name in ("norm2", "dot"):
            with contextlib.suppress(NoReal):
                return self._over_coordinates(node, env)
        computed = isinstance(node, (Add, Mul, Neg, Div, Pow, Fn, Infinity))
        if any(shape(a) != NUMBER or (computed and _endless(a)) for a in node.args):
            return self._opaque(node, env)
        if isinstance(node, Infinity):
            return self._opaque(node, env)
        if isinstance(node, Expect) and (one := _by_definition(node)):
            return self._averaged(*one, env)
        if isinstance(node, Divergence) and _of_coins(node):
            return self._apart(node, env)
        if isinstance(node, Family) and node.name == "Bernoulli":
            at = self._read(node.point, env)
            if at in (num(0), num(1)):
                return self._weight(node, env, at == num(1))
        if isinstance(node, Family) and node.name in DEFINED:
            return self._member(node, env)
        if isinstance(node, Pow):
            return self._power(node, env)
        if isinstance(node, Fn) and (definition := _definition(node)):
            return self._read(definition(node.args[0]), env)
        if any(letter.shape for letter in (*node.bound, *node.letters)):
            return self._opaque(node, env)
        if not isinstance(node, (Add, Mul, Neg, Div, Fn, Normal)):
            return self._function(node, env)
        args = tuple(self._read(a, env) for a in node.args)
        match node:
            case Fn(name="positive_part"):
                return div(add(args[0], app("Rabs", args[0])), num(2))
            case Add():
                return add(*args)
            case Mul():
                return mul(*args)
            case Neg():
                return neg(*args)
            case Div():
                return div(*args)
            case Normal():
                return app("normal", *args)
            case Fn() if node.name in OWN:
                return app(OWN[node.name], *args)
        return self._function(node, env)

    def _averaged(self, law: Family, inside: Node, env: Env) -> Term:
        """An expectation as its law defines it: of a Bernoulli law the sum of what there is at 1
        and at 0, each by its probability; of a uniform one an integral by a length."""
        point: Any = law.point
        if law.name == "Uniform":
            _, low, high = law.args
            whole = self._read(Between(inside, point, low, high), env)
            return div(whole, minus(self._read(high, env), self._read(low, env)))
        at = (self._read(inside, {**env, point: num(b)}) for b in (1, 0))
        weights = self._weight(law, env), self._weight(law, env, False)
        return add(*map(mul, weights, at))

    def _apart(self, node: Divergence, env: Env) -> Term:
        """The total variation of two Bernoulli laws: half of how far their probabilities of 1 are
        apart, and those of 0."""
        p, q = ([self._weight(law, env, b) for b in (True, False)] for law in node.args)
        return div(add(*(app("Rabs", minus(a, b)) for a, b in zip(p, q, strict=True))), num(2))

    def _weight(self, law: Node, env: Env, one: bool = True) -> Term:
        p = self._read(law.args[1], env)
        return p if one else minus(num(1), p)

    def _member(self, node: Family, env: Env) -> Term:
        """A density that a table defines; an exponential law is the Gamma law of shape 1."""
        args, name = [self._read(a, env) for a in node.args], node.name
        if name == "Exponential":
            args, name = [args[0], num(1), args[1]], "Gamma"
        own = isinstance(node.point, Symbol) and node.point.is_variable
        key = ("Family", (name, _plain(node.point, True) if own else ""), ("R",) * len(args))
        if key not in self.heads:
            self.heads[key] = head = Head(self.name(name), key[2], family=name)
            head.law = self._defined(FAMILIES[name], head.name)
        return app(self.heads[key].name, *args)

    def _defined(self, row: Row, name: str) -> Stated:
        """Where its point and its parameters are, it is the exponential of its log-density."""
        symbols = [Symbol(f"a{k}") for k in range(len(row.parameters) + 1)]
        names = {s: s.name for s in symbols}
        places = tuple(map(var, names.values()))
        domains = (row.letter_lives, *row.parameters.values())
        needs = [c for d, at in zip(domains, places, strict=True) for c in domain_of(d, at)]
        density = app("exp", self._read(row.log_of(Family(row.name, *symbols)), names))
        return tuple(names.values()), tuple(needs), ("=", app(name, *places), density)

    def _over_coordinates(self, node: Fn, env: Env) -> Term:
        """A squared length, or a product of two vectors, as the sum over their coordinates: for
        every dimension."""
        ((rows, columns), *_) = shapes = [shape(a) for a in node.args]
        if columns != "1" or rows == "1" or len(set(shapes)) > 1:
            raise NoReal("no vectors of one size")
        parts = [self._coordinate(a, env) for a in node.args]
        body = power(parts[0], 2) if node.name == "norm2" else mul(*parts)
        key = ("Coordinates", (rows,), ("(R -> R)",))
        if key not in self.heads:
            self.heads[key] = Head(self.name("Sum"), key[2], letters=((AT, ()),), linear="sum")
        return app(self.heads[key].name, lam(((AT, ()),), body))

    def _coordinate(self, node: Node, env: Env) -> Term:
        """The coordinate of a vector that the letter AT counts. No number depends on it, so one
        such letter will do."""
        if shape(node) == NUMBER:
            return self._read(node, env)
        match node:
            case Named():
                return self._coordinate(node.body, env)
            case Symbol() if node not in env and node.shape == "vector":
                key = ("Vector", (node,), ("R",))
                if key not in self.heads:
                    self.heads[key] = Head(self.name(node.name), key[2])
                return app(self.heads[key].name, var(AT))
            case Add():
                return add(*(self._coordinate(a, env) for a in node.args if a != Number(0)))
            case Neg():
                return neg(self._coordinate(node.args[0], env))
            case Mul() if sum(shape(a) != NUMBER for a in node.args) == 1:
                return mul(*(self._coordinate(a, env) for a in node.args))
            case Div() if shape(node.args[1]) == NUMBER:
                return div(*(self._coordinate(a, env) for a in node.args))
        raise NoReal("no combination of vectors")

    def _letter(self, letter: Symbol) -> str:
        if letter not in self.letters:
            self.letters[letter] = self.name(letter.name)
        return self.letters[letter]

    def _power(self, node: Pow, env: Env) -> Term:
        base, exponent = node.args
        k = _number(exponent)
        if k is None or abs(k) > LARGEST_POWER or k.denominator > 2:
            return self._function(node, env)
        read = self._read(base, env)
        if k.denominator == 2:
            read = app("sqrt", read)
            k *= 2
        to = power(read, abs(int(k))) if abs(k) != 1 else read
        return to if k >= 0 else div(num(1), to)

    def _function(self, node: Node, env: Env) -> Term:
        """A function of its children; of functions, where it binds letters in them. A derivative
        is one of a function, at a place."""
        inside = (*node.bound, *node.letters)
        _settled(inside, env.keys())
        names = {v: f"v{_height(node)}" + (f"_{i}" if i else "") for i, v in enumerate(inside)}
        letters = tuple((names[v], self._conditions(node, v, names[v])) for v in inside)
        args: list[Term] = []
        for i, child in enumerate(node.args):
            if inside and (node.binds_in(i) or node.letters):
                args.append(lam(letters, self._read(child, {**env, **names})))
            else:
                args.append(self._read(child, env))
        if isinstance(node, Expect):
            where = tuple(("<", num(0), d.args[0]) for d in args[1:])
            *few, (name, said) = letters
            args[0] = lam((*few, (name, (*said, *where))), args[0].args[0])
        args += [self._read(v, env) for v in node.letters]
        takes = tuple(type_of(a) for a in args)
        if isinstance(node, Deriv):
            self.heads[DERIVATIVE, (), takes] = Head(DERIVATIVE, takes)
            return app(DERIVATIVE, *args)
        spaced, bound = isinstance(node, SPACED), node.bound if isinstance(node, Expect) else ()
        kind = type(node).__name__ + _beyond(inside, letters)
        key = (kind, _plain((*node.data, *bound), spaced), takes)
        head = self.heads.get(key)
        if head is None:
            called = POWER if isinstance(node, Pow) else self.name(_called(node))
            head = Head(called, takes, _values(node), letters)
            head.linear = _linear(node)
            self.heads[key] = head
        return app(head.name, *args)

    def _conditions(self, node: Node, letter: Symbol, name: str) -> tuple[Condition, ...]:
        """What may be supposed of a letter bound in a node; nothing where its interval may run
        backwards."""
        if node.letters or not node.takes_declared():
            return ()
        if isinstance(letter, Ranging) and letter.domain == "interval" and not _forwards(letter):
            return ()
        said = [c for c in self.declared(letter, var(name)) if c[0] != "="]
        ends = frozenset[str]().union(*(t.free for c in said for t in c[1:]))
        return (
            tuple(said) if not any(n != name and re.fullmatch(OWN_NAMES, n) for n in ends) else ()
        )

    def declared(self, letter: Symbol, at: Term) -> list[Condition]:
        """What its declaration says of a letter's value."""
        if not isinstance(letter, Ranging):
            return domain_of(letter.domain, at)
        if letter.domain != "interval":
            return []
        low, high = letter.args
        if _number(low) is not None and _number(high) is not None and not _forwards(letter):
            raise NoReal("an interval that holds no number")
        below: list[Condition] = [] if _endless(low) else [("<", self(low), at)]
        return below if _endless(high) else [*below, ("<", at, self(high))]

    def _opaque(self, node: Node, env: Env) -> Term:
        """A function of the letters bound around it that it speaks of."""
        spoken: dict[Symbol, int] = {}
        key = ("opaque", _key(node, env, {}, spoken), ())
        args = tuple(_at(env[v]) for v in spoken)
        head = self.heads.get(key)
        if head is None:
            head = Head(self.name(_called(node)), ("R",) * len(args), _values(node))
            self.heads[key] = head
        return app(head.name, *args)


def _definition(node: Fn) -> Callable[[Node], Node] | None:
    row = None if node.name in OWN else Fn.elementary.get(node.name)
    return row.definition if row else None


def _at(value: str | Term) -> Term:
    return var(value) if isinstance(value, str) else value


def _by_definition(node: Expect) -> tuple[Family, Node] | None:
    """A Bernoulli law of which no other speaks, and what is left of the expectation; or a uniform
    law that is the only one."""
    for i, law in enumerate(node.dists):
        others = (*node.dists[:i], *node.dists[i + 1 :])
        if not isinstance(law, Family) or not isinstance(law.point, Symbol):
            continue
        if any(law.point in free_symbols(d) for d in (*others, *law.args[1:])):
            continue
        inside = Expect(others, node.body) if others else node.body
        if law.name == "Bernoulli" and free_symbols(law).isdisjoint(
            v for d in others for v in event_variables(d)
        ):
            return law, inside
        if law.name == "Uniform" and not others and law.point.domain == "real":
            return law, inside
    return None


def _of_coins(node: Divergence) -> bool:
    return node.kind == "TV" and all(
        isinstance(law, Family)
        and law.name == "Bernoulli"
        and (law.point,) == node.bound
        and law.point not in free_symbols(law.args[1])
        for law in node.args
    )


def _linear(node: Node) -> str:
    match node:
        case Expect():
            return "expectation"
        case Integral() | Between():
            return "integral"
        case Big(kind="sum") | Over(kind="sum"):
            return "sum"
    return ""


def _endless(node: Node) -> bool:
    return any(isinstance(n, Infinity) for n in node.walk())


def _number(node: Node) -> Fraction | None:
    match node:
        case Named():
            return _number(node.body)
        case Number():
            return node.value
        case Neg(args=(a,)) if (k := _number(a)) is not None:
            return -k
        case Div(args=(a, b)):
            over, under = _number(a), _number(b)
            return over / under if over is not None and under else None
    return None


def _height(node: Node) -> int:
    """How many binders lie in one another, this one counted."""
    inside = max(map(_height, node.args), default=0)
    return inside + bool(node.bound or node.letters)


def _settled(letters: Iterable[Symbol], bound: Set[Symbol]) -> None:
    """A function looks at one interval: none of its ends is bound around it."""
    for v in letters:
        if isinstance(v, Ranging) and any(free_symbols(end) & bound for end in v.args):
            raise NoReal("an interval with an end that is bound")


def every_value(letter: Symbol) -> bool:
    """Whether what is declared of its value holds of nothing that it cannot be."""
    if isinstance(letter, Ranging):
        return letter.domain == "interval"
    return letter.domain not in WHOLE


def may_be_nothing(letter: Symbol) -> bool:
    """Whether it may range over an interval that holds no number."""
    if not isinstance(letter, Ranging) or letter.domain != "interval":
        return False
    return not _forwards(letter)


def _forwards(letter: Ranging) -> bool:
    """Whether its interval is known to begin below its end."""
    low, high = letter.args
    if _endless(low) or _endless(high):
        return True
    a, b = _number(low), _number(high)
    return a is not None and b is not None and a < b


def _beyond(inside: Sequence[Symbol], letters: Sequence[tuple[str, tuple[Condition, ...]]]) -> str:
    """Which bound letters may lie outside of what is declared of them: another function."""
    limited = [isinstance(v, Ranging) or bool(domain_of(v.domain, var(AT))) for v in inside]
    pairs = enumerate(zip(limited, letters, strict=True))
    return "".join(f" {i}" for i, (limit, (_, said)) in pairs if limit and not said)


def _plain(entry: Any, spaced: bool = False) -> Any:
    """An entry of a node's data, with the declarations of letters in place of the letters. Nothing
    is said of the measure on a space, so that two spaces have an integral each."""
    if isinstance(entry, tuple):
        return tuple(_plain(e, spaced) for e in entry)
    if not isinstance(entry, Symbol):
        return entry
    return (entry.domain, entry.args, entry.sized, entry.space if spaced else "")


def _key(node: Node, env: Env, own: dict[Symbol, int], spoken: dict[Symbol, int]) -> Any:
    """The node but for the names of letters bound in it or around it."""
    if isinstance(node, Named):
        return _key(node.body, env, own, spoken)
    if isinstance(node, Symbol):
        if node in own:
            return ("own", own[node])
        return ("around", spoken.setdefault(node, len(spoken))) if node in env else node
    _settled((*node.bound, *node.letters), env.keys() | own.keys())
    if node.letters and not own.keys().isdisjoint(node.letters):
        raise NoReal("a derivative by a bound vector")
    if not env.keys().isdisjoint(node.letters):
        raise NoReal("a derivative by a bound vector")
    fresh = max(own.values(), default=-1) + 1
    inner = own | {v: fresh + i for i, v in enumerate(node.bound)}
    children = tuple(
        _key(c, env, inner if node.binds_in(i) else own, spoken) for i, c in enumerate(node.args)
    )
    spaced = isinstance(node, SPACED)
    data = tuple(_plain(entry, spaced) for entry in (*node.data, *node.bound))
    return (type(node).__name__, data, node.letters, children)


def _called(node: Node) -> str:
    match node:
        case Dens():
            return str(node.density.name)
        case Apply():
            return node.name + "_d" * node.order
    own = getattr(node, "name", getattr(node, "kind", ""))
    return own if isinstance(own, str) and own else type(node).__name__


def _values(node: Node) -> str:
    """Where its values lie, by its declaration."""
    match node:
        case Dens():
            return "positive" if node.density.positive else "nonnegative"
        case Apply() if "positive" in node.traits and not node.order:
            return "positive"
        case Indexed():
            return node.domain
        case Fn(name="norm2"):
            return "nonnegative"
    return "real"


def domain_of(domain: str, at: Term) -> list[Condition]:
    zero, one = num(0), num(1)
    match domain:
        case "positive":
            return [("<", zero, at)]
        case "nonnegative" | "count":
            return [("<=", zero, at)]
        case "unit":
            return [("<", zero, at), ("<", at, one)]
        case "at_least_one" | "natural":
            return [("<=", one, at)]
        case "bit":
            return [("=", mul(at, minus(at, one)), zero)]
    return []
