"""What a recipe took and reached when it was last trained: `python benchmarks/recipes.py`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from genmath.train.recipe import Recipe

FILE = Path(__file__).parent / "measured.json"


@dataclass(frozen=True)
class Measured:
    """Figures on held-out data, and seconds of the processor on one thread: those of a machine that
    was ``busy`` with more than it has cores for are more than it takes alone."""

    figures: dict[str, float]
    seconds: int
    busy: bool

    @property
    def time(self) -> str:
        return f"{'≤ ' * self.busy}{self.seconds // 60}:{self.seconds % 60:02}"


def measured(recipe: Recipe) -> Measured | None:
    """None where it was not trained with these very settings."""
    from genmath.train.recipes import name_of

    known = json.loads(FILE.read_text("utf-8")) if FILE.is_file() else {}
    found = known.get(name_of(recipe))
    if found is None or found["settings"] != json.loads(json.dumps(recipe.settings())):
        return None
    return Measured(found["figures"], found["seconds"], found["busy"])
