"""What `sample` of a recipe lets one choose, read from its signature."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any

from genmath._base.checks import refuse
from genmath.train.recipe import Recipe, read_as


def options(recipe: Recipe) -> dict[str, Any]:
    """The options of its sampling by their names, with their defaults."""
    parameters = inspect.signature(recipe.sample).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def chosen(recipe: Recipe, said: Mapping[str, str]) -> dict[str, Any]:
    """Options that were typed, each as its kind.

    Errors: ValueError for one that the recipe has not, which names those it has.
    """
    has, hints = options(recipe), typing.get_type_hints(recipe.sample)
    values = {}
    for name, text in said.items():
        if name not in has:
            refuse("options", f"--{name}", _told(has))
        values[name] = read_as(name, text, _kind(hints.get(name, type(has[name]))))
    return values


def _told(has: Mapping[str, Any]) -> str:
    if not has:
        return "no options: this recipe has none for sampling"
    return "one of " + ", ".join(f"--{name} ({value!r})" for name, value in has.items())


def _kind(hint: Any) -> type:
    """int of `int | None`, tuple of `tuple[int, ...]`."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        (hint, *_) = (part for part in typing.get_args(hint) if part is not type(None))
    kind: type = typing.get_origin(hint) or hint
    return kind
