"""Checked expressions as functions of their letters."""

from genmath.proof.functions.compiled import Compiled, compile_tree, function
from genmath.proof.functions.javascript import Script, javascript, module

__all__ = ["Compiled", "Script", "compile_tree", "function", "javascript", "module"]
