"""The recipes: each one file, with one subclass of `Recipe`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

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
    return _only(importlib.import_module(f"{__name__}.{name.replace('-', '_')}"))


def from_file(file: Path) -> Recipe:
    """The recipe of a file of one's own, with its own settings. The file is a program, and runs.

    Errors: ValueError for a file that holds no recipe, or several; whatever the file raises.
    """
    name = f"genmath.train.recipes.of_file.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if file.suffix != ".py" or not file.is_file() or spec is None or spec.loader is None:
        refuse("recipe", repr(str(file)), "a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look their annotations up
    spec.loader.exec_module(module)
    return _only(module)


def _only(module: ModuleType) -> Recipe:
    kinds = [
        kind
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, Recipe) and kind.__module__ == module.__name__
    ]
    if len(kinds) != 1:
        told = ", ".join(kind.__name__ for kind in kinds) or "none"
        refuse("recipe", f"{told} in {module.__file__}", "one subclass of Recipe")
    made: Recipe = kinds[0]()
    return made


def name_of(recipe: Recipe) -> str:
    """The name by which `recipe` gives it."""
    return type(recipe).__module__.rpartition(".")[2].replace("_", "-")
