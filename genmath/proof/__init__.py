"""The checker: write a derivation as a textbook prints it, and have every step judged.

Needs sympy and mpmath only. `from genmath.proof import *` gives the notation.
"""

from .derivation import Derivation, derivation, equal
from .latex import latex
from .notation import *  # noqa: F403
from .notation import __all__ as _notation
from .text import text

__all__ = [*_notation, "Derivation", "derivation", "equal", "latex", "text"]
