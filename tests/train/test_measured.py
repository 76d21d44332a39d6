"""What is said of a recipe was measured with the settings it has now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genmath.train import measured, names, recipe

GALLERY = Path(__file__).parents[2] / "docs" / "train" / "gallery"
KNOWN = json.loads(measured.FILE.read_text("utf-8"))


@pytest.mark.parametrize("name", KNOWN)
def test_it_is_of_the_recipe_as_it_is(name: str) -> None:
    """Where this fails: python benchmarks/recipes.py NAME"""
    assert name in names()
    found = measured.measured(recipe(name))
    assert found is not None
    assert found.seconds > 0
    assert found.figures == KNOWN[name]["figures"] != {}
    assert (GALLERY / f"{name}.png").is_file()
    assert (GALLERY / f"{name}-loss.png").is_file()


def test_what_has_other_settings_was_not_measured() -> None:
    name = next(iter(KNOWN))
    assert measured.measured(recipe(name).changed({"seed": 1})) is None


def test_a_busy_machine_gives_a_bound() -> None:
    assert measured.Measured({}, 65, busy=False).time == "1:05"
    assert measured.Measured({}, 65, busy=True).time == "≤ 1:05"


def test_the_gallery_holds_nothing_else() -> None:
    shown = {f"{name}{end}.png" for name in KNOWN for end in ("", "-loss")}
    assert {file.name for file in GALLERY.iterdir()} == shown
