"""Checked expressions as functions of their letters."""

from genmath.proof.functions.functions import Compiled, compile_tree, function

__all__ = ["Compiled", "compile_tree", "function"]
