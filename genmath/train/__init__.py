"""Recipes: one loop that trains, resumes and shows, and short files that say what is trained.

`genmath train list` names the recipes at the command line; here they are `recipe("ddpm")`, and
`fit` trains one. A recipe of your own is a subclass of `Recipe`.
"""

import genmath._base.torch  # noqa: F401  first: it says what to install
from genmath.train.data import Batch, Data, load
from genmath.train.loop import Diverged, Fitted, Stopped, fit
from genmath.train.recipe import Recipe, Turn
from genmath.train.recipes import names, recipe
from genmath.train.runs import Run

__all__ = [
    "Batch",
    "Data",
    "Diverged",
    "Fitted",
    "Recipe",
    "Run",
    "Stopped",
    "Turn",
    "fit",
    "load",
    "names",
    "recipe",
]
