"""Checked results as torch functions, for the ties of every topic."""

from __future__ import annotations

from functools import cache

import torch

from genmath.paths import Path
from genmath.proof.functions import Compiled, compile_tree
from genmath.proof.language.tree import Node


@cache
def checked(tree: Node, *free: str) -> Compiled:
    """A checked expression as a torch function; `free` letters are given, not computed."""
    return compile_tree(tree, "torch", free=free)


def value(tree: Node, *free: str, **letters: object) -> torch.Tensor:
    """A checked expression at letters of which it may need only some."""
    made = checked(tree, *free)
    return made(**{k: v for k, v in letters.items() if k in {*made.arguments, *made.optional}})


def of_path(path: Path) -> dict[str, object]:
    """The functions of time in the chapters, taken from a path."""
    return {
        "alpha": path.alpha,
        "sigma": path.sigma,
        "alpha_prime": path.d_alpha,
        "sigma_prime": path.d_sigma,
    }
