"""Trains the recipes at their defaults, each by its own command, on one thread.

    python benchmarks/recipes.py             those whose settings are others than when last measured
    python benchmarks/recipes.py ddpm gpt    these

The processor's time and the figures on held-out data go to genmath/train/measured.json, which
`genmath train list` reads; samples and the curve of the loss to docs/train/gallery, for the page.
Where more ran than the machine has cores, the time is too long, and is shown as a bound.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from genmath.train import names, recipe
from genmath.train.measured import FILE, measured

PICTURES = Path(__file__).parents[1] / "docs" / "train" / "gallery"


def genmath(*words: str) -> float:
    """Seconds of the processor that a command took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-m", "genmath.cli", *words], check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / name
        seconds = genmath("train", name, "--out", str(run))
        busy = os.getloadavg()[2] > (os.cpu_count() or 1)
        genmath("evaluate", str(run))
        figures = json.loads((run / "evaluation.json").read_text("utf-8"))["figures"]
        settings = json.loads((run / "settings.json").read_text("utf-8"))["settings"]
        PICTURES.mkdir(exist_ok=True)
        shutil.copyfile(max(run.glob("samples-*.png")), PICTURES / f"{name}.png")
        shutil.copyfile(run / "loss.png", PICTURES / f"{name}-loss.png")
    known = json.loads(FILE.read_text("utf-8")) if FILE.is_file() else {}
    known[name] = {
        "settings": settings,
        "seconds": round(seconds),
        "busy": busy,
        "figures": {what: float(f"{value:.4g}") for what, value in figures.items()},
    }
    FILE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or [name for name in names() if measured(recipe(name)) is None]:
        measure(name)
