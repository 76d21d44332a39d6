"""What trained recipes left in docs/train/runs, and what was measured on a card, as pages show it.

`python benchmarks/recipes.py` trains and writes the first, `python benchmarks/gpu.py --write` the
second: a training takes minutes, and is not repeated when the site is built.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any

from results import ROOT

from genmath import figures

RUNS = ROOT / "docs" / "train" / "runs"
RECIPES = ROOT / "genmath" / "train" / "recipes"
GPU = ROOT / "docs" / "train" / "gpu.json"

Slot = Callable[[str], str]


def gallery(slot: Slot, _: str) -> str:
    """A section a recipe that was trained: samples, the curve, figures, the file."""
    names = sorted(f.stem.replace("_", "-") for f in RECIPES.glob("[!_]*.py"))
    runs = {name: run for name in names if (run := _run(name))}
    rows = ["| recipe | data | steps | a core's time | figures |", "|---|---|---|---|---|"]
    for name, run in runs.items():
        rows.append(
            f"| [{name}](#{name}) | {run['data']} | {run['steps']:,} | {run['seconds']:.0f} s "
            f"| {_figures(run)} |"
        )
    left = ", ".join(f"`{name}`" for name in names if name not in runs)
    told = [f"Not trained for this page yet: {left}."] if left else []
    sections = [_section(slot, name, run) for name, run in runs.items()]
    return "\n\n".join(["\n".join(rows), *told, *sections])


def _run(name: str) -> dict[str, Any]:
    """What a training left, or nothing."""
    file = RUNS / name / "run.json"
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}


def _figures(run: dict[str, Any]) -> str:
    return ", ".join(f"{what} {value:.3g}" for what, value in run["figures"].items())


def _section(slot: Slot, name: str, run: dict[str, Any]) -> str:
    file = f"genmath/train/recipes/{name.replace('-', '_')}.py"
    said = (
        f"**{run['title']}**: {run['shows']}. On {run['data']}, {run['steps']:,} steps of "
        f"{run['batch']} samples, {run['seconds']:.0f} s of one core; {_figures(run)}."
    )
    alt = html.escape(f"Samples of {name}: {run['shows']}.")
    return "\n\n".join(
        (
            f"## {name} {{ #{name} }}",
            said,
            f"```\ngenmath train {name}\n```",
            f"![{alt}](runs/{name}/samples.png)",
            slot(_curve(name, run)),
            f'??? quote "{file}"\n\n    ```python\n    --8<-- "{file}"\n    ```',
        )
    )


def _curve(name: str, run: dict[str, Any]) -> str:
    """The loss against the step, a line a player."""
    panel = figures.axes(5.2, 2.0, title="loss")
    for trains, points in run["losses"].items():
        panel.plot(*zip(*points, strict=True), label=trains or None, linewidth=1)
    panel.set_xlabel("step")
    if len(run["losses"]) > 1:
        panel.legend(frameon=False, fontsize=9)
    ends = ", ".join(f"{points[-1][1]:.3g}" for points in run["losses"].values())
    alt = f"The loss of {name} against the step, at the end {ends}."
    return str(figures.figure(panel, alt=alt))


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
