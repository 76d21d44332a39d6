"""What was measured on a graphics card, as a page shows it: `python benchmarks/gpu.py --write`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from results import ROOT

GPU = ROOT / "docs" / "train" / "gpu.json"

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
