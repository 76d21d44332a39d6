"""The recipes: each one file, with one subclass of `Recipe`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from genmath._base.checks import refuse
from genmath.train.recipe import Recipe


def names() -> list[str]:
    """What `recipe` knows, as it is typed: a file's name with dashes."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def recipe(name: str) -> Recipe:
    """The recipe of a name, with its own settings.

    Errors: ValueError for a name that is none.
    """
    if name not in names():
        refuse("recipe", repr(name), "one of " + ", ".join(names()))
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    (found,) = (
        kind
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, Recipe) and kind.__module__ == module.__name__
    )
    made: Recipe = found()
    return made


def name_of(recipe: Recipe) -> str:
    """The name by which `recipe` gives it."""
    return type(recipe).__module__.rpartition(".")[2].replace("_", "-")
