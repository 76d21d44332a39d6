"""A result at other arguments: letters and densities replaced, bound letters renamed along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genmath.proof.language.binders import may_be_an_end
from genmath.proof.language.tree import (
    BOUND,
    LETTER,
    Dens,
    Node,
    NotationError,
    Ranging,
    Symbol,
    event_variables,
    free_symbols,
)


def instantiate(node: Node, pairs: tuple[tuple[Node, Node], ...]) -> Node:
    """Replace letters and densities by arguments. A density pattern p(x) with argument q(z | y)
    also turns the bound variable x into z, which may be several variables."""
    letters: dict[Symbol, Node] = {}
    spaces: dict[Symbol, tuple[Symbol, ...]] = {}
    families: dict[Any, tuple[Dens, Node]] = {}
    for pattern, actual in pairs:
        if isinstance(pattern, Symbol):
            letters[pattern] = actual
            continue
        assert isinstance(pattern, Dens)
        old, new = event_variables(pattern), event_variables(actual)
        if not new:
            raise NotationError(f"{actual!r} is not a density, so it cannot stand for {pattern!r}")
        if len(old) > 1 and len(old) != len(new):
            raise NotationError(f"{actual!r} has {len(new)} variables, {pattern!r} has {len(old)}")
        targets = (
            [(o, (n,)) for o, n in zip(old, new, strict=True)] if len(old) > 1 else [(old[0], new)]
        )
        for variable, images in targets:
            if spaces.setdefault(variable, images) != images:
                raise NotationError(f"{variable!r} would stand for {spaces[variable]} and {images}")
        families[(pattern.density, pattern.event_slots, pattern.given_slots)] = (pattern, actual)

    def one(letter: Symbol) -> Symbol:
        images = spaces.get(letter, (letter,))
        if len(images) != 1:
            raise NotationError(f"the lemma uses {letter!r} by itself: give it one variable")
        return _with_ends(images[0], go) if letter not in spaces else images[0]

    def entry(kind: str, held: Any) -> Any:
        if kind == BOUND and isinstance(held, tuple):
            return tuple(n for v in held for n in spaces.get(v, (_with_ends(v, go),)))
        return one(held) if kind in (BOUND, LETTER) else held

    def go(current: Node) -> Node:
        if isinstance(current, Dens):
            key = (current.density, current.event_slots, current.given_slots)
            if key in families:
                pattern, actual = families[key]
                if pattern.args != current.args:
                    raise NotationError(f"the lemma uses {current!r} besides {pattern!r}")
                return actual
            if any(current.density == k[0] for k in families):
                raise NotationError(
                    f"the lemma also uses {current!r}, which the arguments do not give"
                )
        if isinstance(current, Symbol):
            if current in letters:
                return letters[current]
            return one(current)
        args = tuple(go(a) for a in current.args)
        if isinstance(current, Dens):
            moved = zip(current.args, args, strict=True)
            if any(
                isinstance(a, Symbol) and getattr(b, "space", a.space) != a.space for a, b in moved
            ):
                raise NotationError(f"the lemma uses {current!r} at a letter of another space")
        return current.rebuild(args, tuple(map(entry, current.holds, current.data)))

    if not letters and not families:
        return node
    _check_ends(node, letters)
    _check_capture(node, pairs, letters, spaces)
    return go(node)


def redeclare(node: Node, old: Symbol, new: Symbol) -> Node:
    """The same letter, declared otherwise, wherever it is free."""
    if node == old:
        return new
    if old not in free_symbols(node):
        return node
    if isinstance(node, Symbol):
        return _with_ends(node, lambda end: redeclare(end, old, new))
    if new in node.bound:
        raise NotationError(f"{new!r} is bound by a {type(node).__name__}")
    args = tuple(
        child if old in node.bound and node.binds_in(i) else redeclare(child, old, new)
        for i, child in enumerate(node.args)
    )

    def entry(kind: str, held: Any) -> Any:
        if kind == LETTER and held == old:
            return new
        if kind not in (BOUND, LETTER):
            return held
        if isinstance(held, tuple):
            return tuple(_with_ends(v, lambda end: redeclare(end, old, new)) for v in held)
        return _with_ends(held, lambda end: redeclare(end, old, new))

    return node.rebuild(args, tuple(map(entry, node.holds, node.data)))


def _with_ends(letter: Symbol, change: Callable[[Node], Node]) -> Symbol:
    """A variable is what it was, between other ends, wherever it occurs."""
    if not isinstance(letter, Ranging):
        return letter
    other = letter.rebuild(tuple(map(change, letter.args)))
    assert isinstance(other, Symbol)
    return other


def _check_ends(node: Node, letters: dict[Symbol, Node]) -> None:
    """A variable ends at numbers and parameters."""
    ends = {e for n in node.walk() for v in (n, *n.bound, *n.letters)
            if isinstance(v, Ranging) for e in v.letters_within}  # fmt: skip
    for e in ends & letters.keys():
        if not may_be_an_end(letters[e]):
            raise NotationError(f"{letters[e]!r} is no end of an interval")


def _check_capture(
    node: Node,
    pairs: tuple[tuple[Node, Node], ...],
    letters: dict[Symbol, Node],
    spaces: dict[Symbol, tuple[Symbol, ...]],
) -> None:
    """No letter may come to be bound, or cease to be, by the replacement. A letter that is
    held, such as the one that a derivative is taken by, counts as bound: what it stands beside must
    not come to depend on it."""
    bound = {s for n in node.walk() for s in (*n.bound, *n.letters)}
    if bound & letters.keys():
        names = ", ".join(sorted(s.name for s in bound & letters.keys()))
        raise NotationError(f"the lemma binds {names}, so nothing can be put for it")
    images = [n for vs in spaces.values() for n in vs]
    if len(set(images)) != len(images):
        raise NotationError("two variables of the lemma would become one")
    kept = {s for s in bound if s not in spaces}
    arriving: set[Symbol] = set()
    for pattern, actual in pairs:
        own = set(event_variables(actual)) if isinstance(pattern, Dens) else set()
        arriving |= free_symbols(actual) - own
    staying = {
        n for n in node.walk() if isinstance(n, Symbol) and n not in letters and n not in spaces
    }
    clash = ((kept | set(images)) & arriving) | (set(images) & (staying | kept))
    if clash:
        names = ", ".join(sorted(s.name for s in clash))
        raise NotationError(f"the lemma and its arguments both use {names}: rename one")
