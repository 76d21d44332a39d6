"""A tree as plain data, and back: what comes back is what an author could have written.

Nothing here names a node. A tree is read as it stands and then written again by the functions an
author calls (`written.AUTHOR`), which say what has no meaning; anything else than the same tree is
refused, and so is a node that no function writes.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from genmath.proof.language.notation import Density
from genmath.proof.language.tree import DECLARED, PLAIN, Node, NotationError, Symbol, _restore
from genmath.proof.language.written import AUTHOR

Data = Any  # what JSON can hold


def encode_tree(node: Node) -> Data:
    """[its name, its data, its children]."""
    if type(node).__name__ not in AUTHOR or AUTHOR[type(node).__name__][0] is not type(node):
        raise NotationError(f"no author's function writes a {type(node).__name__}")
    held = [_encode(kind, entry) for kind, entry in zip(node.holds, node.data, strict=True)]
    return [type(node).__name__, held, *map(encode_tree, node.args)]


def decode_tree(data: Data) -> Node:
    """The tree; NotationError, LookupError, TypeError or ValueError for what is none."""
    name, held, *args = data
    if not isinstance(name, str) or name not in AUTHOR:
        raise NotationError(f"{name!r} is no expression")
    kind, write = AUTHOR[name]
    if len(held) != len(kind.holds):
        raise NotationError(f"{name}: {held!r} is not what it holds")
    raw = _restore(kind, tuple(map(decode_tree, args)), tuple(map(_decode, kind.holds, held)))
    made = write(raw)
    if made != raw or repr(made.data) != repr(raw.data):
        raise NotationError(f"{name}: an author writes {made!r}, not {held!r}")
    return made


def _encode(kind: str, entry: Any) -> Data:
    if kind == DECLARED:
        return _encode_density(entry)
    if isinstance(entry, tuple):
        return [_encode(kind, e) for e in entry]
    if kind != PLAIN:
        return encode_tree(entry)
    return {"number": str(entry)} if isinstance(entry, Fraction) else entry


def _decode(kind: str, data: Data) -> Any:
    if kind == DECLARED:
        return _decode_density(data)
    if kind == PLAIN and isinstance(data, dict):
        return _number(data["number"])
    if isinstance(data, list) and (kind == PLAIN or not (data and isinstance(data[0], str))):
        return tuple(_decode(kind, d) for d in data)
    if kind != PLAIN:
        return _letter(data)
    if not isinstance(data, (str, int)):
        raise NotationError(f"{data!r} is no word")
    return data


def _number(text: Data) -> Fraction:
    if not isinstance(text, str) or not re.fullmatch(r"-?\d{1,1000}(/\d{1,1000})?", text):
        raise NotationError(f"{text!r} is no number")
    return Fraction(text)


def _letter(data: Data) -> Symbol:
    letter = decode_tree(data)
    if not isinstance(letter, Symbol):
        raise NotationError(f"{letter!r} is no letter")
    return letter


def _encode_density(density: Density) -> Data:
    above = density.dominates
    return [
        density.name, [encode_tree(e) for e in density.events],
        [encode_tree(g) for g in density.given], density.positive,
        above and _encode_density(above),
    ]  # fmt: skip


def _decode_density(data: Data) -> Density:
    name, events, given, positive, above = data
    if not isinstance(positive, bool):
        raise NotationError(f"{name!r} is no density")
    return Density(
        name, *map(_letter, events), given=tuple(map(_letter, given)), positive=positive,
        dominates=None if above is None else _decode_density(above),
    )  # fmt: skip
