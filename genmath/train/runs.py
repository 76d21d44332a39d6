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
        from genmath.train.recipes import recipe

        settings = self.settings
        return recipe(settings["recipe"]).changed(settings["settings"])

    def data(self) -> Data:
        settings = self.settings
        return load(settings["data"], settings["settings"]["seed"])

    def event(self) -> Event:
        """What a sample is; no data are loaded for it."""
        said = self.settings["event"]
        shape, words = tuple(said["shape"]), tuple(said["words"])
        return Event(said["kind"], shape, said["classes"], words)

    def model(self, device: torch.device | str = "cpu") -> nn.Module:
        """The model with the weights that samples are drawn with, in eval()."""
        recipe = self.recipe()
        model = recipe.build(self.event(), seeded("cpu", recipe.seed, "weights"))
        file = self.folder / WEIGHTS
        if not file.is_file():
            refuse("run", str(self.folder), "a run that has saved weights; this one has not yet")
        tensors.take(model, file)
        return model.to(device).eval()

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
