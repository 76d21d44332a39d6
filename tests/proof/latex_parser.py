r"""Reads the printer's LaTeX back, knowing only what was declared. Shares no code with the printer.

It reads as a careful reader does and refuses what such a reader would have to guess: a second
factor after a bare `\log x` or a `\sum`, a power on a fraction, digits that touch. One notation
has two meanings and is told apart by what it applies to: `^{-1}` is the inverse of a matrix and a
power of anything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from genmath.proof.language.binders import Between, FiniteSet, Infinity, Limit, Over, Same, Size
from genmath.proof.language.elementary import TABLE, Command, Enclosing
from genmath.proof.language.families import FAMILIES
from genmath.proof.language.matrix_functions import MATRICES
from genmath.proof.language.notation import Density, Function, Map, Sequence, identity_of
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Family,
    Fn,
    Identity,
    Indexed,
    Integral,
    Mapped,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Pi,
    Pow,
    Symbol,
    event_variables,
)

Declared = FiniteSet | Symbol | Named | Density | Function | Sequence | Map
Key = tuple[str, str, str]

TOKEN = re.compile(
    r"\\(?:left|right)(?:\\\||\\langle|\\rangle|[|\[\]()])"
    r"|\\middle\\\||\\,|\\[A-Za-z]+|[\d][\d.\s]*(?<!\s)|\S"
)
ACCENTS = ("bar", "hat", "tilde")

BRACKETS = {
    "(": ")", "{": "}", r"\left[": r"\right]", r"\left|": r"\right|", r"\left\|": r"\right\|",
    r"\left\langle": r"\right\rangle",
}  # fmt: skip
STOPS = {
    "", "+", "-", ")", "}", "]", ",", ";", ">", "<", "=", "‖", r"\mid", r"\sim",
    r"\right]", r"\right|", r"\right\|", r"\right\rangle", r"\ge", r"\le",
}  # fmt: skip


class Unreadable(ValueError):
    """The LaTeX has no reading, or more than one."""


def commands() -> dict[str, Command]:
    """What a careful reader has learnt: the names of functions. How far each reaches is a rule."""
    every = {**TABLE, **MATRICES}
    return {name: f.latex for name, f in every.items() if isinstance(f.latex, Command)}


def parse(source: str, declared: Mapping[str, Declared]) -> Node:
    parser = _Parser(source, declared)
    node = parser.expression()
    parser.expect("")
    return node


def _tokens(source: str) -> list[str]:
    found: list[str] = []
    position = 0
    while position < len(source):
        match = TOKEN.match(source, position)
        if match is None:  # white space
            position += 1
            continue
        token = match.group()
        if token[0].isdigit() and found and found[-1] in ("^", "_"):
            token = token[0]  # a script without braces takes one digit
        position += len(token)
        token = "".join(token.split())
        if token in (r"\left(", r"\right)"):
            token = token[-1]
        if token == r"\middle\|":
            token = "‖"
        if token != r"\,":
            found.append(token)
    return [*found, ""]


def _declared_key(name: str) -> Key:
    parts = re.findall(r"\{.*?\}|[^_{}]+", name)
    merged: list[str] = []
    raised = ""
    for part in parts:
        part = {"eps": "epsilon"}.get(part, part.strip("{}"))
        if merged and part in ACCENTS:
            merged[-1] = part + merged[-1]
        elif merged and part in ("star", "prime"):
            raised += part
        else:
            merged.append(part)
    return merged[0], ",".join(merged[1:]), raised


def _is_matrix(node: Node) -> bool:
    return _shape(node) == (True, True)


def _shape(node: Node) -> tuple[bool, bool]:
    """Whether there is more than one row, more than one column."""
    if isinstance(node, Symbol):
        return node.shape != "", node.shape == "covariance"
    if isinstance(node, Identity):
        return True, True
    if isinstance(node, Mapped):
        return True, node.order == 1
    if isinstance(node, Fn) and node.name in ("inverse", "transpose"):
        rows, columns = _shape(node.args[0])
        return columns, rows
    if isinstance(node, Mul):
        shape = (False, False)
        for right in map(_shape, node.args):
            if True not in shape or True not in right:
                shape = right if True in right else shape
            else:
                shape = shape[0], right[1]
        return shape
    if isinstance(node, (Add, Neg, Div, Named)):
        return _shape(node.args[0])
    return False, False


class _Parser:
    def __init__(self, source: str, declared: Mapping[str, Declared]) -> None:
        self.source, self.tokens, self.at = source, _tokens(source), 0
        self.declared: dict[Key, Declared] = {}
        for name, what in declared.items():
            if self.declared.setdefault(_declared_key(name), what) is not what:
                raise Unreadable(f"two declarations look like {name}")

    # --- tokens -------------------------------------------------------------------------------

    @property
    def next(self) -> str:
        return self.tokens[self.at]

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, *wanted: str) -> None:
        for token in wanted:
            if self.next != token:
                raise self.wrong(f"expected {token!r}")
            self.at += 1

    def accept(self, *wanted: str) -> bool:
        if tuple(self.tokens[self.at : self.at + len(wanted)]) != wanted:
            return False
        self.at += len(wanted)
        return True

    def wrong(self, why: str) -> Unreadable:
        return Unreadable(f"{why} before {' '.join(self.tokens[self.at :])!r} in {self.source!r}")

    # --- sums and products --------------------------------------------------------------------

    def expression(self) -> Node:
        terms = self.terms()
        return terms[0] if len(terms) == 1 else Add(*terms)

    def terms(self) -> list[Node]:
        terms = [Neg(self.product()) if self.accept("-") else self.product()]
        while self.next in ("+", "-"):
            sign = self.take()
            terms.append(Neg(self.product()) if sign == "-" else self.product())
        return terms

    def product(self) -> Node:
        factor, is_open = self.factor()
        factors = [factor]
        while self.next not in STOPS and not self.at_differential():
            if is_open:
                raise self.wrong("a factor follows something that may reach over it")
            dot = self.accept(r"\cdot")
            if self.next[0].isdigit() and not dot:
                raise self.wrong("a digit follows a factor")
            factor, is_open = self.factor()
            factors.append(factor)
        return factors[0] if len(factors) == 1 else Mul(*factors)

    def at_differential(self) -> bool:
        return self.tokens[self.at : self.at + 4] == [r"\mathrm", "{", "d", "}"]

    def factor(self) -> tuple[Node, bool]:
        """One factor, and whether it is open: whether more to its right could belong to it."""
        name, command = self.command()
        if command is not None and self.accept("("):
            inside = self.expression()
            self.expect(*_tokens(command.rest)[:-1], ")")
            return Fn(name, inside), False
        if command is not None:
            return Fn(name, self.factor()[0]), True
        if self.next in (r"\min", r"\sup", r"\inf") or self.tokens[self.at : self.at + 2] == [
            r"\max", "_",
        ]:  # fmt: skip
            kind = self.take()[1:]
            self.expect("_", "{")
            index = self.letter()
            if index.domain == "member":
                self.member_of(index)
            self.expect("}")
            return Over(kind, self.product(), index), True
        if self.accept(r"\lim", "_", "{"):
            index = self.letter()
            self.expect(r"\to")
            to = self.expression()
            self.expect("}")
            return Limit(self.product(), index, to), True
        if self.accept(r"\int", "_", "{"):
            low = self.expression()
            self.expect("}", "^")
            high = self.script()
            body = self.product()
            self.expect(r"\mathrm", "{", "d", "}")
            return Between(body, self.letter(), low, high), True
        if self.next in (r"\sum", r"\prod"):
            kind = self.take()[1:]
            self.expect("_", "{")
            index = self.letter()
            if self.next == r"\in":
                self.member_of(index)
                self.expect("}")
                return Over(kind, self.product(), index), True
            self.expect("=")
            low = self.expression()
            self.expect("}", "^")
            high = self.script()
            return Big(kind, self.product(), index, low, high), True
        if self.accept(r"\int"):
            body, bound = self.product(), []
            while self.at_differential():
                self.at += 4
                bound.append(self.letter())
            if not bound:
                raise self.wrong("an integral without a differential")
            return Integral(body, *bound), True
        if self.accept(r"\frac", "{", r"\partial", "}", "{", r"\partial"):
            letter = self.letter()
            self.expect("}")
            return Deriv(self.factor()[0], letter), True
        if self.accept(r"\nabla", "_", "{"):
            letter = self.letter()
            self.expect("}")
            return Deriv(self.factor()[0], letter), True
        return self.power(), False

    def command(self) -> tuple[str, Command | None]:
        """The function whose name stands here, the longest if there are several. What is declared
        under such a name is meant instead."""
        found: tuple[str, Command | None] = "", None
        longest = 0
        for name, how in commands().items():
            head = _tokens(how.head)[:-1]
            end = self.at + len(head)
            taken = any((token[1:], "", "") in self.declared for token in head)
            called = how.bare or self.tokens[end : end + 1] == ["("]
            here = self.tokens[self.at : end] == head
            if here and called and not taken and len(head) > longest:
                found, longest = (name, how), len(head)
        self.at += longest
        return found

    def member_of(self, letter: Symbol) -> None:
        self.expect(r"\in")
        found = self.named(False, of_sets=True)[0]
        if found != Size(letter.space):
            raise self.wrong(f"{letter!r} is a member of another set")

    def power(self) -> Node:
        base, may_have_power = self.atom()
        if self.next == "^":
            if not may_have_power:
                raise self.wrong("a power of something that is not closed off")
            self.take()
            if self.accept(r"\top"):
                base = Fn("transpose", base)
            else:
                exponent = self.script()
                inverse = exponent == Neg(Number(1)) and _is_matrix(base)
                base = Fn("inverse", base) if inverse else Pow(base, exponent)
            if self.next == "^":
                raise self.wrong("a second power")
        return base

    # --- what is closed off ---------------------------------------------------------------------

    def group(self, opening: str = "(", closing: str = ")") -> Node:
        self.expect(opening)
        node = self.expression()
        self.expect(closing)
        return node

    def script(self) -> Node:
        return self.group("{", "}") if self.next == "{" else self.atom(script=True)[0]

    def arguments(self) -> list[Node]:
        self.expect("(")
        found = [self.expression()]
        while self.accept(","):
            found.append(self.expression())
        self.expect(")")
        return found

    def atom(self, script: bool = False) -> tuple[Node, bool]:
        """An operand, and whether a power may stand on it."""
        if self.next[:1].isdigit():
            return Number(Fraction(self.take())), True
        if self.next == "(" and (slope := self.inverse_slope()) is not None:
            return slope, True
        if self.next == "(":
            return self.group(), True
        if self.accept(r"\pi"):
            return Pi(), True
        if self.accept(r"\mathbf", "{", "I", "}", "_", "{", "2", "}"):
            return identity_of(2), True
        if self.accept(r"\mathbf", "{", "I", "}"):
            return Identity(), True
        if self.next == r"\tfrac":
            self.take()
            over, under = self.group("{", "}"), self.group("{", "}")
            assert isinstance(over, Number)
            assert isinstance(under, Number)
            return Number(over.value / under.value), False
        if self.accept(r"\frac"):
            return Div(self.group("{", "}"), self.group("{", "}")), False
        if self.accept(r"\infty"):
            return Infinity(), True
        if self.next == r"\left|" and (size := self.size()) is not None:
            return size, True
        for name, row in TABLE.items():
            if isinstance(row.latex, Enclosing) and self.accept(*_tokens(row.latex.before)[:-1]):
                inside = self.expression()
                self.expect(*_tokens(row.latex.after)[:-1])
                return Fn(name, inside), row.latex.closed
        if self.accept(r"\mathrm", "{", "J", "}", "_", "{"):
            base = self.base()
            below = [self.take()] if self.accept("_") else []
            what = self.look_up(base, below, "")
            if not isinstance(what, Map):
                raise self.wrong(f"{base} is no map")
            return self.mapped(what, 1), True
        if self.accept(r"\mathbf", "{", "1", "}"):
            return self.indicator(), False
        if self.next == r"\left[":
            return self.log_gap(), True
        if self.next == r"\left\|":
            node = Fn("norm2", self.group(r"\left\|", r"\right\|"))
            self.expect("^", "2")
            return node, False
        if self.accept(r"\left\langle"):
            left = self.expression()
            self.expect(",")
            right = self.expression()
            self.expect(r"\right\rangle")
            return Fn("dot", left, right), True
        if self.accept(r"\mathbb", "{", "E", "}", "_", "{"):
            return self.expectation(), False
        if self.accept(r"\mathbb", "{", "H", "}"):
            bound = None
            if self.accept("_", "{"):
                bound = self.letters()
                self.expect("}")
            p = self.group(r"\left[", r"\right]")
            return Entropy(p, event_variables(p) if bound is None else bound), False
        for name in FAMILIES:
            if self.accept(r"\operatorname", "{", *name, "}", "("):
                point = self.expression()
                self.expect(";")
                parameters = [self.expression()]
                while self.accept(","):
                    parameters.append(self.expression())
                self.expect(")")
                return Family(name, point, *parameters), True
        if self.accept(r"\mathcal", "{", "N", "}", "("):
            x = self.expression()
            self.expect(";")
            mean = self.expression()
            self.expect(",")
            variance = self.expression()
            self.expect(")")
            return Normal(x, mean, variance), True
        for kind in ("KL", "JS", "TV"):
            if self.accept("D", "_", "{", r"\mathrm", "{", *kind, "}"):
                return self.divergence(kind), True
        return self.named(script)

    def word(self) -> str:
        word = ""
        while self.next not in ("}", ""):
            word += self.take()
        self.expect("}")
        return word

    def size(self) -> Node | None:
        """|Y| of a finite set Y, if that is what stands here."""
        at = self.at
        self.take()
        found: Node | None
        try:
            found = self.named(False, of_sets=True)[0]
            self.expect(r"\right|")
        except (Unreadable, KeyError, IndexError):
            found = None
        if not isinstance(found, Size):
            self.at = at
            return None
        return found

    def indicator(self) -> Node:
        self.expect(r"\left[")
        if self.accept("0", "<"):
            inside = self.expression()
        else:
            left = self.terms()
            if self.accept("="):
                other = self.letter()
                self.expect(r"\right]")
                return Same(*left, other)  # type: ignore[arg-type]
            self.expect(">")
            inside = Add(*left, Neg(self.product()))
        self.expect(r"\right]")
        return Fn("indicator", inside)

    def log_gap(self) -> Node:
        self.expect(r"\left[")
        terms = self.terms()
        self.expect(r"\right]")
        if terms[1:] != [Neg(Number(1)), Neg(Fn("log", terms[0]))]:
            raise self.wrong("square brackets around something that is not u - 1 - log u")
        return Fn("log_gap", terms[0])

    def expectation(self) -> Node:
        dists: list[Node] = []
        while True:
            dist = self.expression()
            if self.accept(r"\sim"):
                if self.accept(r"\operatorname", "{"):
                    name = self.word()
                    dist = Family(name, dist, *self.arguments())
                else:
                    self.expect(r"\mathcal", "{", "N", "}")
                    dist = Normal(dist, *self.arguments())
            dists.append(dist)
            if not self.accept(","):
                break
        self.expect("}")
        return Expect(tuple(dists), self.group(r"\left[", r"\right]"))

    def divergence(self, kind: str) -> Node:
        bound = self.letters() if self.accept(";") else None
        self.expect("}", "(")
        p = self.expression()
        self.expect("‖" if kind == "KL" else ",")
        q = self.expression()
        self.expect(")")
        return Divergence(kind, p, q, event_variables(p) if bound is None else bound)

    # --- names ----------------------------------------------------------------------------------

    def letter(self) -> Symbol:
        node = self.named(False)[0]
        if not isinstance(node, Symbol):
            raise self.wrong(f"{node!r} is not a letter")
        return node

    def letters(self) -> tuple[Symbol, ...]:
        found = [self.letter()]
        while self.accept(","):
            found.append(self.letter())
        return tuple(found)

    def base(self) -> str:
        token = self.take()
        if token[1:] in ACCENTS and token[0] == "\\":
            inner = self.take()
            if inner == "{":
                inner = self.base()
                self.expect("}")
            return token[1:] + inner.lstrip("\\")
        if token == r"\mathrm":
            self.expect("{")
            return self.word()
        if token.isalpha() or token[0] == "\\":
            return token.lstrip("\\")
        raise self.wrong(f"{token!r} starts nothing")

    def named(self, script: bool, of_sets: bool = False) -> tuple[Node, bool]:
        base = self.base()
        below: list[str] = []
        if not script and self.accept("_"):
            below = [self.take()]
            if below == ["{"]:
                below, depth = [], 1
                while depth:
                    depth += {"{": 1, "}": -1}.get(self.next, 0)
                    below.append(self.take())
                below.pop()
        raised = ""
        plain = self.look_up(base, below, "")
        if not isinstance(plain, Function):
            while self.next == "'" or self.tokens[self.at : self.at + 2] == ["^", r"\star"]:
                raised += "prime" if self.accept("'") else "star"
                self.accept("^", r"\star") if raised.endswith("star") else None
        what = self.look_up(base, below, raised)
        if isinstance(what, Density):
            return self.density(what), True
        if isinstance(what, Function):
            return self.application(what), True
        if isinstance(what, Map):
            return self.mapped(what, 0), True
        if isinstance(what, FiniteSet) and of_sets:
            return what.size, True
        if isinstance(what, (Symbol, Named)):
            return what, not raised
        return self.member(base, below, raised), not raised

    def mapped(self, what: Map, order: int) -> Node:
        inverse = self.accept("^", "{", "-", "1", "}")
        if order:
            self.expect("}")
        self.expect("(")
        point = self.expression()
        self.expect(")")
        return Mapped(what.name, inverse, order, point)

    def look_up(self, base: str, below: list[str], raised: str) -> Declared | None:
        under = "".join(t.lstrip("\\") for t in below if t not in ("{", "}", r"\mathrm"))
        return self.declared.get((base, under, raised))

    def member(self, base: str, below: list[str], raised: str) -> Node:
        cut, depth = -1, 0
        for i, token in enumerate(below):
            depth += (token in BRACKETS) - (token in BRACKETS.values())
            if token == "," and not depth:
                cut = i
        sequence = self.look_up(base, below[: max(cut, 0)], raised)
        if not isinstance(sequence, Sequence):
            raise self.wrong(f"{base}_{''.join(below)} is not declared")
        inside = _Parser("", {})
        inside.source, inside.declared = self.source, self.declared
        inside.tokens = [*below[cut + 1 :], ""]
        index = inside.expression()
        inside.expect("")
        return Indexed(sequence.name, sequence.domain, index)

    def density(self, family: Density) -> Node:
        self.expect("(")
        events = self.letters()
        givens: list[Node] = []
        if self.accept(r"\mid"):
            givens.append(self.expression())
            while self.accept(","):
                givens.append(self.expression())
        self.expect(")")
        if givens:
            return family(*events[:-1], events[-1] | tuple(givens))
        return family(*events)

    def inverse_slope(self) -> Node | None:
        """(f^{-1})'(u), or None."""
        began = self.at
        self.expect("(")
        try:
            base = self.base()
        except Unreadable:
            base = ""
        function = self.look_up(base, [], "")
        if isinstance(function, Function) and self.accept("^", "{", "-", "1", "}", ")"):
            return self.application(function.inverse)
        self.at = began
        return None

    def application(self, function: Function) -> Node:
        order = 0
        traits = function.traits
        if self.accept("^", "{", "-", "1", "}"):
            traits = function.inverse.traits
        if self.accept("^", "{", "*"):
            traits = function.conjugate.traits
            while self.accept(r"\prime"):
                order += 1
            self.expect("}")
        elif self.accept("^", "{", "("):
            order = int(self.take())
            self.expect(")", "}")
        while self.accept("'"):
            order += 1
        return Apply(function.name, traits, order, *self.arguments())
