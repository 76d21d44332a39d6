"""What occurs in a claim: its letters, their declarations, the spaces that need the real line."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import Any, TypeGuard

from genmath.proof.language.binders import Between
from genmath.proof.language.shapes import shape, size_of
from genmath.proof.language.tree import (
    MAPS,
    Add,
    Apply,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
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
    NotationError,
    Number,
    Relation,
    Symbol,
    free_symbols,
)

Bounds = tuple[float, float]
EVERYWHERE: Bounds = (-math.inf, math.inf)
Pattern = tuple[str | None, ...]  # the spaces of a function's arguments, where they are letters
Key = tuple[Any, ...]


class Unsupported(NotationError):
    """The tree has no numeric meaning here: it is ill-typed, or beyond what this half can do."""


class Survey:
    """The letters of some trees: declarations (a clash is an error), and which spaces are real."""

    def __init__(
        self, nodes: Iterable[Node], given: Iterable[Relation] = (), base: Survey | None = None
    ) -> None:
        """`base` surveys the claim that this one was derived from: what it says still holds."""
        self.symbols: dict[str, Symbol] = dict(base.symbols) if base else {}
        self.densities: dict[str, Any] = dict(base.densities) if base else {}
        self.sequences: dict[str, str] = dict(base.sequences) if base else {}
        self.functions: dict[str, tuple[str, ...]] = dict(base.functions) if base else {}
        self.patterns: dict[tuple[str, int], frozenset[Pattern]] = (
            dict(base.patterns) if base else {}
        )
        self.shapes: dict[str, str] = dict(base.shapes) if base else {}
        self.real: set[str] = set(base.real) if base else set()
        self.domains: dict[str, str] = dict(base.domains) if base else {}  # where not the line
        self.bounds: dict[Key, Bounds] = dict(base.bounds) if base else {}
        self.alone: dict[Key, Bounds] = dict(base.alone) if base else {}  # of one value or member
        self.made: dict[str, tuple[str, str]] = dict(base.made) if base else {}
        self.built_in: set[Relation] = set(base.built_in) if base else set()
        self._lebesgue: set[str] = set(base._lebesgue) if base else set()
        self._arithmetic: set[str] = set(base._arithmetic) if base else set()
        self._seen: set[Node] = set(base._seen) if base else set()
        self._places: dict[str, int] = base._places if base else {}
        for node in nodes:
            self._visit(node)
        for relation in given:
            self._visit(relation.left)
            self._visit(relation.right)
            self._bound(relation)
            self._build_in(relation)
        for symbol in self.symbols.values():
            self.place(symbol.name)
            self.place(symbol.space)
        for name in (*self.densities, *self.sequences, *self.functions):
            self.place(name)
        self.real |= self._lebesgue & (self._arithmetic | self._beside_numbers())
        for symbol in self.symbols.values():
            if not symbol.is_variable:
                self.real.add(symbol.space)

    def place(self, name: Any) -> Any:
        """The place of a name among those of its claim, in the order in which they are met; names
        met later, as in a mutant of the claim, come after all of them."""
        if isinstance(name, tuple):
            return tuple(map(self.place, name))
        return self._places.setdefault(name, len(self._places)) if isinstance(name, str) else name

    def fingerprint(self) -> Hashable:
        """All that it knows but in which order it came to know it."""
        known = ((k, v) for k, v in vars(self).items() if k not in ("_seen", "_places"))
        return tuple((k, frozenset(v.items() if isinstance(v, dict) else v)) for k, v in known)

    # --- declarations ---------------------------------------------------------------------------

    def _symbol(self, symbol: Symbol) -> None:
        for end in symbol.args:
            self._visit(end)
        known = self.symbols.setdefault(symbol.name, symbol)
        if known is not symbol and known != symbol:
            raise NotationError(
                f"the letter {symbol.name!r} is declared in two ways: {known.data}, {symbol.data}"
            )
        if symbol.is_variable:
            shape = self.shapes.setdefault(symbol.space, symbol.sized)
            if shape != symbol.sized:
                raise NotationError(f"the space of {symbol.name!r} holds letters of two sizes")
            if self.domains.setdefault(symbol.space, symbol.domain) != symbol.domain:
                raise NotationError(f"the space of {symbol.name!r} is declared in two ways")
            if symbol.domain != "real":
                self.real.add(symbol.space)  # its letters are numbers

    def _density(self, density: Any) -> None:
        known = self.densities.get(density.name)
        if known is None:
            self.densities[density.name] = density
            for letter in (*density.events, *density.given):
                self._symbol(letter)
            if density.dominates is not None:
                self._density(density.dominates)
        elif known is not density and known != density:
            raise NotationError(f"the density {density.name!r} is declared in two ways")

    def _function(self, node: Apply) -> None:
        traits = node.stated
        known = self.functions.get(node.name)
        if known is not None and known != traits:
            raise NotationError(f"the function {node.name!r} is declared in two ways")
        self.functions[node.name] = traits
        if "positive" in traits:
            low, high = self.bounds.get(("fn", node.name), (-math.inf, math.inf))
            self.bounds["fn", node.name] = (max(low, 0.0), high)

    # --- where letters occur --------------------------------------------------------------------

    def _visit(self, node: Node) -> None:
        if node in self._seen:
            return
        self._seen.add(node)
        for letter in (*node.bound, *node.letters):
            self._symbol(letter)
        match node:
            case Symbol():
                self._symbol(node)
                if node.is_variable:
                    self._arithmetic.add(node.space)
            case Dens():
                self._visit_density(node)
                return
            case Apply():
                self._visit_function(node)
                return
            case Mapped():
                if self.functions.setdefault(node.name, ("a map of vectors",)) != (
                    "a map of vectors",
                ):
                    raise NotationError(f"{node.name!r} is declared in two ways")
                self.real |= {s.space for s in free_symbols(node) if s.is_variable}
            case Normal() | Family():
                self.real |= {s.space for s in free_symbols(node.args[0])}
            case Deriv():
                self.real.add(node.var.space)
            case Between():
                self.real.add(node.letter.space)
            case Indexed():
                domain = self.sequences.setdefault(node.name, node.domain)
                if domain != node.domain:
                    raise NotationError(f"the sequence {node.name!r} is declared in two ways")
            case Integral() | Divergence() | Entropy():
                events = {a for n in node.walk() if isinstance(n, Dens) for a in n.events}
                self._lebesgue |= {v.space for v in node.bound if v not in events}
        for child in node.args:
            self._visit(child)

    def _visit_density(self, node: Dens) -> None:
        self._density(node.density)
        slots = node.event_slots + node.given_slots
        for arg, slot in zip(node.args, slots, strict=True):
            if isinstance(arg, Symbol) and arg.is_variable and arg.space == slot:
                self._symbol(arg)
            else:
                self.real.add(slot)
                self.real |= {s.space for s in free_symbols(arg) if s.is_variable}
                self._visit(arg)

    def _visit_function(self, node: Apply) -> None:
        self._function(node)
        if set(MAPS) & set(node.traits):
            self.real |= {s.space for s in free_symbols(node) if s.is_variable}
        pattern: list[str | None] = []
        for arg in node.args:
            if isinstance(arg, Symbol) and arg.is_variable:
                self._symbol(arg)
                pattern.append(arg.space)
            else:
                pattern.append(None)
                self._visit(arg)
        plain = _free(node.traits) and node.order == 0
        key = (node.name, len(node.args))
        found = tuple(pattern) if plain else (None,)
        self.patterns[key] = self.patterns.get(key, frozenset()) | {found}

    def _beside_numbers(self) -> set[str]:
        """Spaces of letters that a function takes beside what can only be numbers."""
        found: set[str] = set()
        for patterns in self.patterns.values():
            spaces = {s for pattern in patterns for s in pattern}
            if spaces & {None, *self.real}:
                found |= {s for s in spaces if s is not None}
        return found

    def table(self, name: str, count: int) -> tuple[str, ...] | None:
        """The spaces of a function that is only ever applied to letters of discrete spaces."""
        patterns = self.patterns.get((name, count), frozenset())
        if len(patterns) != 1 or not _free(self.functions.get(name, ())):
            return None
        (pattern,) = patterns
        if any(s is None or s in self.real for s in pattern):
            return None
        return tuple(s for s in pattern if s is not None)

    # --- hypotheses of the form f(x) > 0: drawn from, not waited for -----------------------------

    def kind_of(self, name: str) -> tuple[str, str]:
        """What a vector or matrix is declared or stated to be, and what it shares with others."""
        symbol = self.symbols[name]
        return self.made.get(name, (symbol.domain, symbol.space))

    def _build_in(self, relation: Relation) -> None:
        """An equality that says what a letter is: it is drawn so, not waited for."""
        for here, there in ((relation.left, relation.right), (relation.right, relation.left)):
            found = _says(here, there) if relation.sign == "=" else {}
            if found and not any(s.name in self.made for s in found):
                self.made |= {s.name: (kind, space) for s, (kind, space) in found.items()}
                self.place(next(iter(found.values()))[1])
                self.built_in.add(relation)
                return

    def _bound(self, relation: Relation) -> None:
        for node, sign, other in (
            (relation.left, relation.sign, relation.right),
            (relation.right, relation.sign.translate(str.maketrans("<>", "><")), relation.left),
        ):
            key: Key
            if isinstance(node, Symbol):
                key = ("sym", node.name)
            elif isinstance(node, Apply) and node.order == 0 and _free(node.traits):
                key = ("fn", node.name)
            elif isinstance(node, Indexed):
                key = ("seq", node.name)
            else:
                continue
            value = constant(other)
            if value is None:
                continue
            known = self.bounds if key[0] == "sym" or _everywhere(node) else self.alone
            low, high = known.get(key, EVERYWHERE)
            if sign in (">", ">=", "="):
                low = max(low, value)
            if sign in ("<", "<=", "="):
                high = min(high, value)
            known[key] = (low, high)


def _everywhere(node: Node) -> bool:
    """Whether a hypothesis of this value is one of all of them: those at random variables."""
    return all(isinstance(u, Symbol) and u.is_variable for u in node.args)


def _plain(node: Node, *shapes: str) -> TypeGuard[Symbol]:
    """A parameter of which no more is declared."""
    return (
        isinstance(node, Symbol)
        and node.shape in shapes
        and node.domain == "real"
        and not node.is_variable
    )


def _says(a: Node, b: Node) -> dict[Symbol, tuple[str, str]]:
    """That a vector is of length one, a matrix orthogonal or symmetric, two covariances commute."""

    match a, b:
        case Fn(name="norm2", args=(u,)), Number(value=1) if _plain(u, "vector"):
            return {u: ("direction", u.space)}
        case Fn(name="dot", args=(u, v)), Number(value=1) if u == v and _plain(u, "vector"):
            return {u: ("direction", u.space)}
        case Mul(args=(Fn(name="transpose", args=(u,)), v)), _ if u == v:
            if _plain(u, "vector") and b == Number(1):
                return {u: ("direction", u.space)}
            if _plain(u, "matrix") and isinstance(b, Identity) and shape(a) == shape(b):
                return {u: ("orthogonal", u.space)}
        case Mul(args=(u, Fn(name="transpose", args=(v,)))), Identity() if u == v:
            if _plain(u, "matrix") and len(set(size_of(u.sized))) == 1:
                return {u: ("orthogonal", u.space)}
        case Fn(name="transpose", args=(u,)), Fn(name="inverse", args=(v,)) if u == v:
            if _plain(u, "matrix"):
                return {u: ("orthogonal", u.space)}
        case Fn(name="transpose", args=(u,)), v if u == v and _plain(u, "matrix"):
            if len(set(size_of(u.sized))) == 1:
                return {u: ("symmetric", u.space)}
        case Mul(args=(u, v)), Mul(args=(w, x)) if (u, v) == (x, w) and u != v:
            if _plain(u, "covariance") and _plain(v, "covariance"):
                return dict.fromkeys((u, v), ("commuting", f"{u.name} {v.name}"))
    return {}


def _free(traits: tuple[str, ...]) -> bool:
    """Any values will do, within bounds: a table of random numbers is such a function."""
    return not {"convex", "conjugate", *MAPS} & set(traits)


def constant(node: Node) -> float | None:
    """The value of a constant expression of numbers."""
    if isinstance(node, Number):
        return float(node.value)
    if isinstance(node, Named):
        return constant(node.body)
    if isinstance(node, Neg):
        inner = constant(node.args[0])
        return None if inner is None else -inner
    if isinstance(node, (Add, Div)):
        parts = [constant(a) for a in node.args]
        values = [p for p in parts if p is not None]
        if len(values) < len(parts):
            return None
        if isinstance(node, Add):
            return math.fsum(values)
        return values[0] / values[1] if values[1] else None
    return None
