"""Train recipes with their own settings on one core, and keep what the gallery shows.

    python benchmarks/recipes.py              those whose files have changed since
    python benchmarks/recipes.py ddpm vae     these

Printed is a line a recipe: steps, seconds of processor time (training alone, without what is drawn
and measured after it), and its figures. In docs/train/runs/NAME stay samples.png and run.json.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch

from genmath.train import Recipe, fit, names, recipe
from genmath.train.pictures import save

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "docs" / "train" / "runs"
SHOWN = 100  # points of a curve


def written(name: str) -> str:
    """A number for what a recipe's file says, without its words."""
    source = ROOT / "genmath" / "train" / "recipes" / f"{name.replace('-', '_')}.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


def current(name: str) -> bool:
    """Whether the gallery shows what the recipe's file says now."""
    file = RUNS / name / "run.json"
    return file.is_file() and json.loads(file.read_text("utf-8"))["written"] == written(name)


def curves(made: Recipe, losses: list[float]) -> dict[str, list[tuple[int, float]]]:
    """For each player some points, each the mean of the steps around it."""
    of: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for step, loss in enumerate(losses):
        of[made.turn(step).trains].append((step, loss))
    found = {}
    for trains, points in of.items():
        size = max(1, len(points) // SHOWN)
        pieces = [points[i : i + size] for i in range(0, len(points), size)]
        found[trains] = [
            (piece[len(piece) // 2][0], round(sum(loss for _, loss in piece) / len(piece), 4))
            for piece in pieces
        ]
    return found


def train(name: str) -> dict[str, Any]:
    made = recipe(name)
    began = time.process_time()
    fitted = fit(made)
    seconds = time.process_time() - began
    generator = torch.Generator().manual_seed(0)
    figures = made.evaluate(fitted.model, fitted.data, generator)
    folder = RUNS / name
    folder.mkdir(parents=True, exist_ok=True)
    generator.manual_seed(1)
    event = fitted.data.event
    n = {"points": 1000, "clips": 5}.get(event.kind, 36)
    with torch.no_grad():
        samples = made.sample(fitted.model, event, n, generator)
    save(samples, event, folder / "samples.png", fitted.data.test.x)
    run = {
        "title": made.title, "shows": made.shows, "data": fitted.data.name,
        "steps": made.steps, "batch": made.batch, "seconds": round(seconds, 1),
        "figures": {what: float(f"{value:.4g}") for what, value in figures.items()},
        "losses": curves(made, fitted.losses), "written": written(name),
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run, indent=None) + "\n", encoding="utf-8")
    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.names or [name for name in names() if not current(name)]:
        run = train(name)
        figures = ", ".join(f"{what} {value:g}" for what, value in run["figures"].items())
        print(f"{name:18} {run['steps']:6} steps {run['seconds']:7.0f} s   {figures}", flush=True)


if __name__ == "__main__":
    main()
