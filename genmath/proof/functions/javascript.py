"""Checked expressions as functions in JavaScript, for figures that a reader moves.

    kl = javascript(divergences.gaussian_kl, "kl")
    module([kl])        export function kl({mu_1, sigma_1, ...}) { ... }

A letter is a number, `beta[t]` an entry of an array, an arbitrary f or a density without a formula
a function. `densities={p(x): Normal(x, mu, 1)}` gives a density its formula; of a joint density
p(x, z) it is enough to give the factors p(x | z) and p(z).

A variable that is summed over is an argument as well: its base measure `{at, weight, log}`, three
arrays with places, weights and their logarithms. Equal weights on a grid make an integral, weights
1/n on n points the mean over them.

A vector stands for one of its coordinates, where only sums and multiples of vectors are taken.

A normal density that underflows is no 0: it is kept as mantissa and exponent, and so is every sum,
product and ratio of such. What has no function here is refused by name.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genmath.proof.functions.compiled import side_of
from genmath.proof.functions.logarithms import log_of
from genmath.proof.functions.needs import function_name
from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Derivation, Lemma, Part
from genmath.proof.language.elementary import TABLE
from genmath.proof.language.families import row_of
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Dens,
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
    Symbol,
    free_symbols,
)

FUNCTION = re.compile(r"^(?=function (\w+)\()(.*?^}\n)", re.MULTILINE | re.DOTALL)
RUNTIME = Path(__file__).with_name("runtime.js")
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        arguments await break case catch class const continue debugger default delete do
        else enum eval export extends false finally for function if implements import in
        instanceof interface let new null package private protected public return static
        super switch this throw true try typeof undefined var void while with yield Math
        Infinity NaN
        """,
    )
)


RUNTIME_NAMES = frozenset(row.javascript for row in TABLE.values())


@dataclass(frozen=True)
class Script:
    """One function: its name, its text, what it takes, and what of the runtime it calls."""

    name: str
    text: str
    arguments: tuple[str, ...]
    calls: frozenset[str]


def javascript(
    result: Derivation | Part | Lemma | Claim | Node,
    name: str,
    side: str = "rhs",
    *,
    densities: Mapping[Node, Node] | None = None,
    free: Collection[str] = (),
) -> Script:
    """One side of what a result states, as a function of one object with its letters.

    `free` lists defined letters that become arguments instead of being computed.
    """
    if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) or name in RESERVED | RUNTIME_NAMES:
        raise ValueError(f"name={name!r}: expected a name of JavaScript that is not taken")
    return _Writer(side_of(result, side), tuple(free), densities or {}).script(name)


def module(scripts: Iterable[Script]) -> str:
    """A module that exports the functions, with what they need of the runtime."""
    scripts = list(scripts)
    twice = [name for name, times in Counter(s.name for s in scripts).items() if times > 1]
    if twice:
        raise ValueError(f"two functions are called {', '.join(twice)}")
    known = dict(FUNCTION.findall(RUNTIME.read_text("utf-8")))
    waiting, taken = sorted(set().union(*(s.calls for s in scripts))), set[str]()
    while waiting:
        taken.add(each := waiting.pop())
        waiting += [f for f in known if f not in taken and re.search(rf"\b{f}\(", known[each])]
    return "\n".join([*(known[f] for f in known if f in taken), *(s.text for s in scripts)])


@dataclass(frozen=True)
class Value:
    """Code of a number: `code`, times exp(`scale`) where there is a scale."""

    code: str
    scale: str = ""

    @property
    def plain(self) -> str:
        if not self.scale:
            return self.code
        return _times(self.code, f"Math.exp({self.scale})")


@dataclass
class Scope:
    """The function or the body of a loop: the letters that it binds, what was computed there."""

    letters: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    known: dict[Node, Value] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


class _Writer:
    def __init__(self, tree: Node, free: tuple[str, ...], densities: Mapping[Node, Node]) -> None:
        self.free = free
        self.formulas: dict[Any, tuple[dict[str, Symbol], Node]] = {}
        for pattern, formula in densities.items():
            letters = [a for a in pattern.args if isinstance(a, Symbol)]
            if not isinstance(pattern, Dens) or len(letters) < len(pattern.args):
                raise ValueError(f"densities: {text(pattern)} is not a density of letters")
            key = (pattern.density, frozenset(pattern.event_slots), frozenset(pattern.given_slots))
            slots = pattern.event_slots + pattern.given_slots
            self.formulas[key] = dict(zip(slots, letters, strict=True)), formula
        self.used: set[Node] = set()
        self.tree = self._filled(tree)
        for pattern, formula in densities.items():
            if formula not in self.used:
                raise ValueError(f"densities: {text(tree)} does not use {text(pattern)}")
        self._by_coordinate(self.tree)
        self.times = Counter(self.tree.walk())
        self.scopes = [Scope()]
        self.arguments: dict[str, tuple[str, str, object]] = {}
        self.calls: set[str] = set()
        self.made = 0

    def script(self, name: str) -> Script:
        value = self.of(self.tree)
        unused = [each for each in self.free if each not in self.arguments]
        if unused:
            raise ValueError(f"free={unused!r}: the expression has no such defined letter")
        taken = ", ".join(f"{json.dumps(key)}: {code}" if key != code else key
                          for key, (code, *_) in sorted(self.arguments.items()))  # fmt: skip
        body = "".join(f"  {line}\n" for line in [*self.scopes[0].lines, f"return {value.plain};"])
        shown = f"export function {name}({{{taken}}}) {{\n{body}}}\n"
        return Script(name, shown, tuple(sorted(self.arguments)), frozenset(self.calls))

    def _by_coordinate(self, node: Node) -> bool:
        """Whether it is a vector. What mixes coordinates is refused."""
        if isinstance(node, Symbol) and node.shape != "vector":
            if node.shape:
                raise ValueError(f"{text(node)}: a {node.shape} is not computed in JavaScript")
            return False
        vectors = [self._by_coordinate(a) for a in node.args]
        match node:
            case Symbol():
                return True
            case Add() | Neg() | Named() if all(vectors) or not any(vectors):
                return any(vectors)
            case Mul() if sum(vectors) <= 1:
                return any(vectors)
            case Div() if not vectors[1]:
                return vectors[0]
            case _ if any(vectors) or any(v.shape for v in node.bound):
                raise ValueError(f"{text(node)}: more than one coordinate is not computed")
        return False

    # --- densities with a formula; expectations, divergences and entropies as integrals

    def _filled(self, node: Node) -> Node:
        match node:
            case Named() if node.name in self.free:
                return node
            case Dens() if any(key[0] == node.density for key in self.formulas):
                at = dict(zip(node.event_slots + node.given_slots, node.args, strict=True))
                events, givens = frozenset(node.event_slots), frozenset(node.given_slots)
                return self._law(node.density, events, givens, at)
        args = tuple(map(self._filled, node.args))
        match node:
            case Expect():
                body, *dists = args
                return Integral(Mul(_product_of(dists), body), *node.bound)
            case Divergence(kind="KL"):
                return Integral(_relative(*args), *node.data[1])
            case Divergence(kind="JS"):
                middle = Add(*args) / 2
                both = Add(_relative(args[0], middle), _relative(args[1], middle))
                return Integral(both, *node.data[1]) / 2
            case Divergence(kind="TV"):
                return Integral(Fn("abs", Add(args[0], Neg(args[1]))), *node.data[1]) / 2
            case Entropy():
                return Neg(Integral(Mul(args[0], Fn("log", args[0])), *node.bound))
        return node.rebuild(args)

    def _law(
        self, density: Any, events: frozenset[str], givens: frozenset[str], at: dict[str, Node]
    ) -> Node:
        """As given, or by the rules of probability from what is given."""
        if found := self.formulas.get((density, events, givens)):
            self.used.add(found[1])
            moved = [(a, at[slot]) for slot, a in found[0].items() if a != at[slot]]
            return instantiate(found[1], tuple(moved))
        none = frozenset[str]()
        if givens:
            joint = self._law(density, events | givens, none, at)
            return Div(joint, self._law(density, givens, none, at))
        known = [(e, g) for d, e, g in self.formulas if d == density]
        for e, g in known:
            if g and e | g == events and (g, none) in known:
                return Mul(self._law(density, e, g, at), self._law(density, g, none, at))
        for e, g in known:
            if e | g > events:
                letters = {k: a for (d, *_), (of, _) in self.formulas.items() if d == density
                           for k, a in of.items() if k in e | g and k not in events}  # fmt: skip
                if clash := [a for k in events for a in free_symbols(at[k]) & {*letters.values()}]:
                    raise ValueError(
                        f"densities: {text(clash[0])} is summed over and given as well"
                    )
                whole = self._law(density, e | g, none, at | letters)
                return Integral(whole, *letters.values())
        raise ValueError(f"densities: what is given does not give {density.name} of {set(events)}")

    # --- names

    def _argument(self, key: str, role: str, declared: object = None) -> str:
        code = re.sub(r"\W+", "_", key.replace("'", "_prime")).strip("_")
        if code in RESERVED | RUNTIME_NAMES or re.fullmatch(r"\w\d+", code):
            code += "_"
        for other, (theirs, *what) in self.arguments.items():
            if (other == key and what != [role, declared]) or (other != key and theirs == code):
                raise ValueError(f"{key!r} stands for two different things in {text(self.tree)}")
        self.arguments[key] = (code, role, declared)
        return code

    def _fresh(self, letter: str) -> str:
        self.made += 1
        return f"{letter}{self.made}"

    def _home(self, node: Node) -> Scope:
        """The innermost scope that binds one of its letters: nothing is computed farther in."""
        names = {s.name for s in free_symbols(node)}
        return next((s for s in reversed(self.scopes) if names & s.letters.keys()), self.scopes[0])

    # --- nodes

    def of(self, node: Node) -> Value:
        home = self._home(node)
        if node in home.known:
            return home.known[node]
        value = self._value(node, home)
        shared = self.times[node] > 1 or home is not self.scopes[-1]
        if shared and not isinstance(node, (Symbol, Number, Pi, Neg)):
            value = Value(
                self._kept(home, value.code), value.scale and self._kept(home, value.scale)
            )
        home.known[node] = value
        return value

    def _kept(self, home: Scope, code: str) -> str:
        if re.fullmatch(r"[\w.]+", code):
            return code
        if code not in home.names:
            home.names[code] = self._fresh("a")
            home.lines.append(f"const {home.names[code]} = {code};")
        return home.names[code]

    def plain(self, node: Node) -> str:
        value = self.of(node)
        return f"({value.plain})" if value.scale else value.code

    def _value(self, node: Node, home: Scope) -> Value:
        match node:
            case Number():
                top, bottom = node.value.numerator, node.value.denominator
                return Value(str(top) if bottom == 1 else f"({top} / {bottom})")
            case Pi():
                return Value("Math.PI")
            case Symbol():
                return Value(self._symbol(node))
            case Named() if node.name in self.free:
                return Value(self._argument(node.name, "letter", node.args))
            case Named():
                return self.of(node.body)
            case Indexed():
                array = self._argument(node.name, "sequence", node.data)
                return Value(f"{array}[{self.plain(node.index)}]")
            case Apply():
                name = function_name(node)
                at = ", ".join(map(self.plain, node.args))
                return Value(f"{self._argument(name, 'function', node.data)}({at})")
            case Dens():
                return Value(self._density(node))
            case Add():
                return self._sum([self.of(term) for term in node.args], home)
            case Neg():
                value = self.of(node.args[0])
                return Value(f"(-{value.code})", value.scale)
            case Mul():
                return self._product([self.of(factor) for factor in node.args])
            case Div():
                over, under = (self.of(a) for a in node.args)
                scale = _difference(over.scale, under.scale)
                return Value(
                    f"({over.code} / {under.code})" if under.code != "1" else over.code, scale
                )
            case Pow():
                return self._power(node)
            case Fn():
                return self._function(node)
            case Normal():
                return self._normal(node)
            case Family():
                row = row_of(node)
                return Value(self.plain(row.inside(node)), self.plain(row.log_of(node)))
            case Integral():
                return self._integral(node.body, node.bound)
            case Big():
                return self._big(node)
        raise ValueError(f"{text(node)}: a {type(node).__name__} is not computed in JavaScript")

    def _symbol(self, node: Symbol) -> str:
        for scope in reversed(self.scopes):
            if node.name in scope.letters:
                return scope.letters[node.name]
        return self._argument(node.name, "letter", node.data)

    def _density(self, node: Dens) -> str:
        density = node.density
        of = dict(zip(node.event_slots + node.given_slots, node.args, strict=True))
        wanted = density.event_slots + density.given_slots
        if set(of) != set(wanted):
            raise ValueError(f"{text(node)}: give it a formula by densities=")
        name = self._argument(density.name, "density", density)
        return f"{name}({', '.join(self.plain(of[s]) for s in wanted)})"

    # --- arithmetic with mantissa and exponent

    def _sum(self, terms: list[Value], home: Scope) -> Value:
        if not all(term.scale for term in terms):
            return Value("(" + " + ".join(term.plain for term in terms) + ")")
        scales = list(dict.fromkeys(term.scale for term in terms))
        if len(scales) == 1:
            return Value("(" + " + ".join(term.code for term in terms) + ")", scales[0])
        kept = {s: self._kept(home, s) for s in scales}
        most = self._kept(home, f"Math.max({', '.join(kept.values())}, -Number.MAX_VALUE)")
        moved = [_times(term.code, f"Math.exp({kept[term.scale]} - {most})") for term in terms]
        return Value("(" + " + ".join(moved) + ")", most)

    def _product(self, factors: list[Value]) -> Value:
        scales = [factor.scale for factor in factors if factor.scale]
        codes = [factor.code for factor in factors if factor.code != "1"]
        code = "(" + " * ".join(codes) + ")" if len(codes) > 1 else "".join(codes) or "1"
        return Value(code, "(" + " + ".join(scales) + ")" if len(scales) > 1 else "".join(scales))

    def _power(self, node: Pow) -> Value:
        base, exponent = self.of(node.args[0]), self.plain(node.args[1])
        scale = base.scale and f"({exponent} * {base.scale})"
        if base.code == "1":
            return Value("1", scale)
        if exponent == "2":
            kept = self._kept(self._home(node.args[0]), base.code)
            return Value(f"({kept} * {kept})", scale)
        return Value(f"(({base.code}) ** {exponent})", scale)

    def _function(self, node: Fn) -> Value:
        if node.name not in TABLE:
            raise ValueError(f"{text(node)}: {node.name} is not computed in JavaScript")
        row, (argument,) = TABLE[node.name], node.args
        if node.name == "log":
            return Value(self._log(argument))
        if node.name == "exp":
            return Value("1", self.plain(argument))
        if row.javascript and "." not in row.javascript:
            self.calls.add(row.javascript)
        return Value(f"{row.javascript or f'Math.{row.name}'}({self.plain(argument)})")

    def _log(self, argument: Node) -> str:
        inner = argument
        while isinstance(inner, Named) and inner.name not in self.free:
            inner = inner.body
        if isinstance(inner, Fn) and (shorter := log_of(inner)) is not None:
            return self.plain(shorter)
        value = self.of(argument)
        if not value.scale:
            return f"Math.log({value.code})"
        return f"(Math.log({value.code}) + {value.scale})" if value.code != "1" else value.scale

    def _normal(self, node: Normal) -> Value:
        x, mean, variance = node.args
        spread = self._kept(self._home(variance), self.plain(variance))
        gap = self._kept(self._home(node), f"{self.plain(x)} - {self.plain(mean)}")
        size = self._kept(self._home(variance), f"Math.log(2 * Math.PI * {spread}) / 2")
        return Value("1", f"(-{gap} * {gap} / (2 * {spread}) - {size})")

    # --- sums

    def _integral(self, body: Node, bound: tuple[Symbol, ...]) -> Value:
        """A loop for each variable, from the last to the first."""
        if not bound:
            return self._term(body)
        first, rest = bound[0], bound[1:]
        if first.shape:
            raise ValueError(
                f"a sum over {text(first)}, a {first.shape}, is not computed in JavaScript"
            )
        axis = self._argument(first.name, "measure", first.space)
        whole = Integral(body, *bound)
        home, i, total = self._home(whole), self._fresh("i"), self._fresh("t")
        place = self._fresh("x")
        inside = Scope({first.name: place}, [f"const {place} = {axis}.at[{i}];"])
        self.scopes.append(inside)
        term = self._integral(body, rest)
        self.scopes.pop()
        before, lines, scale = [f"let {total} = 0;"], inside.lines, ""
        if term.scale:
            scale, own = self._fresh("s"), self._fresh("e")
            before = [f"let {total} = 0, {scale} = -Infinity;"]
            lines += [
                f"const {own} = {term.scale} + {axis}.log[{i}];",
                f"if ({own} === -Infinity) continue;",
                f"if ({own} > {scale}) {{",
                f"  {total} *= Math.exp({scale} - {own});",
                f"  {scale} = {own};",
                "}",
                f"{total} += {_times(term.code, f'Math.exp({own} - {scale})')};",
            ]
        else:
            lines.append(f"{total} += {_times(term.code, f'{axis}.weight[{i}]')};")
        home.lines += [
            *before,
            f"for (let {i} = 0; {i} < {axis}.at.length; {i}++) {{",
            *("  " + line for line in lines),
            "}",
        ]
        return Value(total, scale)

    def _term(self, body: Node) -> Value:
        """What is summed: 0 times what is not defined is 0, as in 0 log 0."""
        match body:
            case Named() if body.name not in self.free:
                return self._term(body.body)
            case Add():
                return self._sum([self._term(term) for term in body.args], self._home(body))
            case Mul():
                weight, rest = self.of(body.args[0]), self._term(_product_of(body.args[1:]))
                if re.fullmatch(r"\d+|\(\d+ / \d+\)", weight.code):
                    return self._product([weight, rest])
                kept = self._kept(self._home(body), weight.code)
                product = self._product([Value(kept, weight.scale), rest])
                return Value(f"({kept} === 0 ? 0 : {product.code})", product.scale)
        return self.of(body)

    def _big(self, node: Big) -> Value:
        home, total, i = self._home(node), self._fresh("t"), self._fresh("i")
        low, high = (self.plain(limit) for limit in (node.low, node.high))
        inside = Scope({node.index.name: i})
        self.scopes.append(inside)
        term = self.plain(node.body)
        self.scopes.pop()
        start, sign = ("0", "+=") if node.kind == "sum" else ("1", "*=")
        home.lines += [
            f"let {total} = {start};",
            f"for (let {i} = {low}; {i} <= {high}; {i}++) {{",
            *("  " + line for line in inside.lines),
            f"  {total} {sign} {term};",
            "}",
        ]
        return Value(total)


def _relative(p: Node, q: Node) -> Node:
    return Mul(p, Add(Fn("log", p), Neg(Fn("log", q))))


def _product_of(factors: Sequence[Node]) -> Node:
    return factors[0] if len(factors) == 1 else Mul(*factors)


def _times(left: str, right: str) -> str:
    return right if left == "1" else f"{left} * {right}"


def _difference(left: str, right: str) -> str:
    if not right:
        return left
    return f"({left} - {right})" if left else f"(-{right})"
