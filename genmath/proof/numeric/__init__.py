"""Judge B: is a claim true in random concrete worlds? Shares only the tree with judge A."""

from genmath.proof.numeric.judge import (
    NO_WORLD,
    Outcome,
    Unsupported,
    Worlds,
    compare,
    farther,
    make_worlds,
    obliged,
    real_spaces,
    satisfiable,
)

__all__ = [
    "NO_WORLD",
    "Outcome",
    "Unsupported",
    "Worlds",
    "compare",
    "farther",
    "make_worlds",
    "obliged",
    "real_spaces",
    "satisfiable",
]
