"""The folder of a run: settings, weights, the curve of the loss, pictures of samples."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genmath._base.checks import refuse
from genmath._base.torch import nn, torch
from genmath.train import checkpoints, tensors
from genmath.train.data import Data, Event, load
from genmath.train.order import seeded
from genmath.train.recipe import Recipe

SETTINGS, WEIGHTS, LOSSES = "settings.json", "weights.safetensors", "loss.csv"
Row = tuple[int, str, float, float]  # of the losses
OWN = "recipe.py"  # a copy, of a recipe that is not in the book


@dataclass(frozen=True)
class Run:
    """A run on disk. ``weights.safetensors`` are the averaged weights of the last checkpoint."""

    folder: Path

    @classmethod
    def new(cls, name: str, within: Path = Path("runs")) -> Run:
        """The next free folder of a recipe: runs/ddpm-001, runs/ddpm-002, …"""
        for number in range(1, 10**6):
            folder = within / f"{name}-{number:03}"
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                continue
            return cls(folder)
        return refuse("out", str(within), "a folder with fewer than a million runs")

    @property
    def settings(self) -> dict[str, Any]:
        """Errors: ValueError where the folder holds no run."""
        try:
            read = json.loads((self.folder / SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            refuse("run", str(self.folder), f"the folder of a run ({SETTINGS}: {error})")
        return dict(read)

    def recipe(self) -> Recipe:
        """From the file in the folder, where it was no recipe of the book."""
        from genmath.train.recipes import from_file, recipe

        settings, own = self.settings, self.folder / OWN
        found = from_file(own) if own.is_file() else recipe(settings["recipe"])
        return found.changed(settings["settings"])

    def data(self) -> Data:
        settings = self.settings
        return load(settings["data"], settings["settings"]["seed"])

    def event(self) -> Event:
        """What a sample is; no data are loaded for it."""
        said = self.settings["event"]
        shape, words = tuple(said["shape"]), tuple(said["words"])
        return Event(said["kind"], shape, said["classes"], words)

    def generator(self, model: nn.Module, *words: object) -> torch.Generator:
        """What samples are drawn with, on the device of the model."""
        return seeded(next(iter(model.parameters())).device, *words)

    def losses(self) -> list[Row]:
        """Those of the steps up to the last checkpoint."""
        return read_losses(self.folder / LOSSES)

    def model(self, device: torch.device | str | None = None) -> nn.Module:
        """The model with the weights that samples are drawn with, in eval(); on a GPU if there is
        one and nothing else is said."""
        recipe = self.recipe()
        model = recipe.build(self.event(), seeded("cpu", recipe.seed, "weights"))
        file = self.folder / WEIGHTS
        if not file.is_file():
            refuse("run", str(self.folder), "a run that has saved weights; this one has not yet")
        tensors.take(model, file)
        best = "cuda" if torch.cuda.is_available() else "cpu"
        return model.to(device or best).eval().requires_grad_(False)

    def write(self, name: str, value: object) -> None:
        """JSON, whole or not at all."""
        with checkpoints.replacing(self.folder / name) as part:
            text = json.dumps(value, ensure_ascii=False, indent=1)
            part.write_text(text + "\n", encoding="utf-8")

    def keep_weights(self, model: nn.Module) -> None:
        with checkpoints.replacing(self.folder / WEIGHTS) as part:
            tensors.keep(model, part)

    def keep_losses(self, rows: Iterable[Row]) -> None:
        with checkpoints.replacing(self.folder / LOSSES) as part:
            write_losses(part, rows)

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    def last(self) -> Path | None:
        """The last checkpoint that has its name."""
        found = checkpoints.whole(self.checkpoints)
        return found[-1] if found else None


def write_losses(file: Path, rows: Iterable[Row]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("step", "trains", "loss", "rate"))
        table.writerows(rows)


def read_losses(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    return [(int(step), trains, float(loss), float(rate)) for step, trains, loss, rate in rows]
