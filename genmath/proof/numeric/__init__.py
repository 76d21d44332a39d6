"""Judge B: is a claim true in random concrete worlds? Shares only the tree with judge A."""

from genmath.proof.numeric.judge import (
    Outcome,
    Unsupported,
    Worlds,
    compare,
    make_worlds,
    satisfiable,
)

__all__ = ["Outcome", "Unsupported", "Worlds", "compare", "make_worlds", "satisfiable"]
