"""What trainings gave, as pages show it: `python benchmarks/recipes.py`, `benchmarks/gpu.py`."""

from __future__ import annotations

import html
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from results import ROOT, SiteError

from genmath.train import names, recipe
from genmath.train.measured import measured
from genmath.train.recipe import Recipe

GPU = ROOT / "docs" / "train" / "gpu.json"
GALLERY = ROOT / "docs" / "train" / "gallery"

Slot = Callable[[str], str]


def card(slot: Slot, _: str) -> str:
    """The table of what a card reached, or that none was asked."""
    if not GPU.is_file():
        return "*Not measured: no card was at hand when this page was made.*"
    found: dict[str, Any] = json.loads(GPU.read_text("utf-8"))
    rows = [f"| {found['device']}, torch {found['torch']} | |", "|---|---|"]
    for what, value in found.items():
        if isinstance(value, dict):
            shown = ", ".join(f"{v:.3g} {k}" for k, v in value.items())
            rows.append(f"| {what} | {shown} |")
        elif isinstance(value, float):
            rows.append(f"| {what} | {value:.2f} × |")
    return "\n".join(rows)


def gallery(slot: Slot, _: str) -> str:
    """Every recipe: what it draws, its curve, its figures, its file."""
    return "\n\n".join(_recipe(slot, name, recipe(name)) for name in names())


def _recipe(slot: Slot, name: str, made: Recipe) -> str:
    file = Path(inspect.getfile(type(made))).relative_to(ROOT)
    shown = [f"## {made.title}", f"`genmath train {name}`: {made.shows}."]
    if found := measured(made):
        figures = "; ".join(f"{what}: {value:.4g}" for what, value in found.figures.items())
        shown += [
            slot(_picture(name, made)),
            f"{made.steps} steps on `{made.data}`, {found.time} min of one core. "
            f"On data that were held out, {figures}.",
        ]
    else:
        shown.append("*Not trained with these settings yet.*")
    return "\n\n".join(
        [*shown, f'??? source "{file.name}"\n\n    ```python\n    --8<-- "{file}"\n    ```']
    )


def _picture(name: str, made: Recipe) -> str:
    """Samples and the loss, beside each other."""
    shown = ""
    for end, says in (("", "Samples of"), ("-loss", "The loss of")):
        file = GALLERY / f"{name}{end}.png"
        if not file.is_file():
            raise SiteError(f"docs/train/gallery/{file.name} is not there: benchmarks/recipes.py")
        words = html.escape(f"{says} {made.title}")
        shown += f'<img src="{file.name}" alt="{words}" loading="lazy">'
    return f'<figure class="trained">{shown}</figure>'
