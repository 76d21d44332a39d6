"""Checked expressions as functions of their letters."""

from genmath.proof.functions.compiled import Compiled, compile_tree, function

__all__ = ["Compiled", "compile_tree", "function"]
