"""The checker: write a derivation as a textbook prints it, and have every step judged.

Needs sympy and mpmath only. `from genmath.proof import *` gives the notation.
"""

from genmath.proof.language.claims import equal
from genmath.proof.language.derivation import Derivation, derivation
from genmath.proof.language.latex import latex
from genmath.proof.language.notation import *  # noqa: F403
from genmath.proof.language.notation import __all__ as _notation
from genmath.proof.language.text import text

__all__ = [*_notation, "Derivation", "derivation", "equal", "latex", "text"]
