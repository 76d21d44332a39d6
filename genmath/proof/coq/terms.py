"""What is said to Coq: terms over the reals, in Coq's own sense.

A term is arithmetic, a letter, or a function at arguments; a function of functions, such as an
integral, takes a `lam`. Bound letters are named by how many binders lie inside, so that terms that
differ in the names of bound letters alone are the same object. Equal terms are one object, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar
from weakref import WeakValueDictionary
from zlib import crc32

OWN = 91  # in names of letters that nothing else binds
ARITHMETIC = {"add", "mul", "neg", "div", "pow"}


class Term:
    """`op` is "num" (data: a Fraction), "var" (its name), one of ARITHMETIC (of "pow" the data are
    a whole number), "app" (the name of the function) or "lam" (names, each with the conditions on
    it)."""

    op: str
    args: tuple[Term, ...]
    data: Any
    _hash: int
    _all: ClassVar[WeakValueDictionary[tuple[Any, ...], Term]] = WeakValueDictionary()

    def __new__(cls, op: str, args: tuple[Term, ...] = (), data: Any = None) -> Term:
        key = (op, data, *map(id, args))
        found = cls._all.get(key)
        if found is None:
            found = cls._all[key] = super().__new__(cls)
            found.op, found.args, found.data = op, args, data
            found._hash = hash((_settled(op), args, _settled(data)))
        return found

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def size(self) -> int:
        return 1 + sum(a.size for a in self.args)

    @cached_property
    def height(self) -> int:
        """How many binders lie in one another."""
        return max((a.height for a in self.args), default=0) + (self.op == "lam")

    @cached_property
    def free(self) -> frozenset[str]:
        inside = frozenset[str]().union(*(a.free for a in self.args))
        if self.op == "var":
            return frozenset((self.data,))
        return inside - {name for name, _ in self.data} if self.op == "lam" else inside

    @cached_property
    def names(self) -> frozenset[str]:
        """Of all letters in it, those in conditions too."""
        if self.op == "var":
            return frozenset((self.data,))
        said = self.data if self.op == "lam" else ()
        beside = (t for _, conditions in said for _, *sides in conditions for t in sides)
        return frozenset[str]().union(*(t.names for t in (*self.args, *beside)))

    @cached_property
    def written(self) -> tuple[str, int]:
        """As Coq reads it, and how closely it holds together."""
        return _written(self)

    def __str__(self) -> str:
        return self.written[0]


def _settled(data: Any) -> int:
    """A hash that is the same in each process, and so the order of sets: those of str are not."""
    if isinstance(data, tuple):
        return hash(tuple(map(_settled, data)))
    return crc32(data.encode()) if isinstance(data, str) else hash(data or 0)


Condition = tuple[str, Term, Term]  # a relation and its sides


def num(value: int | Fraction) -> Term:
    return Term("num", data=Fraction(value))


def var(name: str) -> Term:
    return Term("var", data=name)


def add(*terms: Term) -> Term:
    return terms[0] if len(terms) == 1 else Term("add", terms)


def mul(*factors: Term) -> Term:
    return factors[0] if len(factors) == 1 else Term("mul", factors)


def neg(term: Term) -> Term:
    return Term("neg", (term,))


def div(over: Term, under: Term) -> Term:
    return Term("div", (over, under))


def power(base: Term, exponent: int) -> Term:
    return Term("pow", (base,), exponent)


def app(head: str, *args: Term) -> Term:
    return Term("app", args, head)


def lam(letters: tuple[tuple[str, tuple[Condition, ...]], ...], body: Term) -> Term:
    return Term("lam", (body,), letters)


def minus(a: Term, b: Term) -> Term:
    return a if b == num(0) else add(a, neg(b))


def type_of(term: Term) -> str:
    if term.op == "lam":
        return "(" + "R -> " * len(term.data) + "R)"
    return "R"


def replaced(term: Term, names: Mapping[str, str | Term]) -> Term:
    """With other letters, or terms of such, which are bound nowhere in it."""
    if term.names.isdisjoint(names):
        return term
    if term.op == "var":
        new = names.get(term.data, term)
        return var(new) if isinstance(new, str) else new
    data = term.data
    if term.op == "lam":
        data = tuple(
            (name, tuple((s, replaced(a, names), replaced(b, names)) for s, a, b in conditions))
            for name, conditions in term.data
        )
        names = {k: v for k, v in names.items() if k not in dict(term.data)}
    return Term(term.op, tuple(replaced(a, names) for a in term.args), data)


def named_alike(term: Term) -> Term:
    """With bound letters named by how many binders lie inside."""
    args = tuple(map(named_alike, term.args))
    if term.op != "lam":
        return Term(term.op, args, term.data)
    new = {name: f"v{args[0].height}_{OWN + k}" for k, (name, _) in enumerate(term.data)}
    data = tuple(
        (new[name], tuple((s, replaced(a, new), replaced(b, new)) for s, a, b in said))
        for name, said in term.data
    )
    return lam(data, replaced(args[0], new))


def atoms(term: Term) -> Iterator[Term]:
    """The largest parts that are no arithmetic, letters left out."""
    if term.op == "app":
        yield term
    elif term.op in ARITHMETIC:
        for a in term.args:
            yield from atoms(a)


def functions(term: Term) -> set[str]:
    """The names of all functions in it."""
    own = {term.data} if term.op == "app" else set()
    return own.union(*map(functions, term.args))


def denominators(term: Term) -> Iterator[Term]:
    """Of its arithmetic, functions left as they are."""
    if term.op in ARITHMETIC:
        if term.op == "div":
            yield term.args[1]
        for a in term.args:
            yield from denominators(a)


# --- as Coq reads it ------------------------------------------------------------------------------

SUM, PRODUCT, POWER, ATOM = range(4)


def _at(term: Term, least: int) -> str:
    text, level = term.written
    return text if level >= least else f"({text})"


def _written(term: Term) -> tuple[str, int]:
    match term.op:
        case "num":
            value = term.data
            if value.denominator != 1:
                return f"{value.numerator} / {value.denominator}", PRODUCT
            return str(value.numerator), ATOM
        case "var":
            return term.data, ATOM
        case "add":
            first, *rest = term.args
            text = _at(first, PRODUCT)
            for t in rest:
                sign, t = ("-", t.args[0]) if t.op == "neg" else ("+", t)
                text += f" {sign} {_at(t, PRODUCT)}"
            return text, SUM
        case "neg":
            return "- " + _at(term.args[0], POWER), SUM
        case "mul":
            first, *rest = term.args
            return " * ".join([_at(first, PRODUCT), *(_at(t, POWER) for t in rest)]), PRODUCT
        case "div":
            return f"{_at(term.args[0], PRODUCT)} / {_at(term.args[1], POWER)}", PRODUCT
        case "pow":
            return f"{_at(term.args[0], ATOM)} ^ {term.data}", POWER
        case "app":
            if not term.args:
                return term.data, ATOM
            return " ".join([term.data, *(_argument(a) for a in term.args)]), POWER
        case "lam":
            return f"fun {' '.join(name for name, _ in term.data)} => {term.args[0]}", SUM
    raise TypeError(f"no Coq for {term.op}")


def _argument(term: Term) -> str:
    text = _at(term, ATOM)
    return f"({text})" if text.startswith("-") else text
