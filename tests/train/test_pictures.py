"""Samples as pictures, pixel by pixel; and what cannot be one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from genmath import shapes
from genmath.train import load
from genmath.train.data import Event
from genmath.train.pictures import CELL, GAP, comparison, curve, grid, said, save

GREY, COLOURS = Event("pictures", (1, 8, 8)), Event("pictures", (3, 8, 8))
CLIPS, PLANE = Event("clips", (3, 4, 8, 8)), Event("points", (2,))


def pixels(file: Path) -> torch.Tensor:
    with Image.open(file) as image:
        return torch.tensor(list(image.convert("RGB").tobytes())).reshape(*image.size[::-1], 3)


def test_a_grid_has_each_picture_in_its_place_and_a_line_between() -> None:
    x = torch.linspace(-1, 1, 5)[:, None, None, None].expand(5, 1, 8, 8)
    image = grid(x)
    assert image.size == (3 * (CELL + 2), 2 * (CELL + 2))
    shown = torch.tensor(list(image.tobytes())).reshape(image.size[::-1])
    middles = shown[17::34, 17::34].flatten()
    assert middles.tolist() == [0, 64, 128, 191, 255, GAP]
    assert (shown[0] == GAP).all()
    assert (shown[:, 33] == GAP).all()


def test_colours_stay_colours_and_what_is_out_of_range_is_cut(tmp_path: Path) -> None:
    x = torch.tensor([3.0, -1.0, -9.0])[None, :, None, None].expand(1, 3, 8, 8)
    save(x, COLOURS, tmp_path / "x.png")
    assert pixels(tmp_path / "x.png")[20, 20].tolist() == [255, 0, 0]


def test_large_pictures_are_shown_as_they_are_and_a_field_of_nan_is_black() -> None:
    image = grid(torch.full((1, 1, 40, 50), torch.nan))
    assert image.size == (52, 42)
    assert image.getpixel((20, 20)) == 0


@pytest.mark.parametrize(("name", "frames"), [("x.png", 1), ("x.gif", 4), ("x.apng", 4)])
def test_clips_are_rows_or_move(tmp_path: Path, name: str, frames: int) -> None:
    x = torch.linspace(-1, 1, 4)[None, None, :, None, None].expand(4, 3, 4, 8, 8)
    save(x, CLIPS, tmp_path / name)
    with Image.open(tmp_path / name) as image:
        assert getattr(image, "n_frames", 1) == frames
        assert image.size == ((4 if frames == 1 else 2) * 34, (4 if frames == 1 else 2) * 34)
    if frames == 1:
        assert pixels(tmp_path / name)[17, 17::34, 0].tolist() == [0, 85, 170, 255]


def test_points_stand_before_those_that_were_held_out(tmp_path: Path) -> None:
    held = load("moons").test.x
    save(held[:50], PLANE, tmp_path / "with.png", held)
    save(held[:50], PLANE, tmp_path / "without.png")
    grey = []
    for name in ("with.png", "without.png"):
        shown = pixels(tmp_path / name)
        same = (shown == shown[..., :1]).all(2)
        grey.append(int((same & (shown[..., 0] > 190) & (shown[..., 0] < 250)).sum()))
    assert grey[0] > 1000
    assert grey[0] > 5 * grey[1]


def test_tokens_are_words(tmp_path: Path) -> None:
    event = Event("clips", (3, 8, 16, 16), words=shapes.WORDS)
    tokens = shapes.tokenise(["a small red circle moving up", ""])
    assert said(tokens, event) == ["a small red circle moving up", ""]
    assert said(torch.tensor([[7, 300]]), PLANE) == ["7 300"]
    save(tokens, event, tmp_path / "x.png")
    assert (pixels(tmp_path / "x.png") < 100).any()


@pytest.mark.parametrize(
    ("samples", "name", "words"),
    [
        (torch.zeros(2, 1, 8, 8), "x.jpg", "a file that ends in .png, .gif, .apng"),
        (torch.zeros(2, 1, 8, 8), "x.gif", "only clips move"),
        (torch.zeros(2, 7), "x.png", "pictures, clips, points of a plane or tokens"),
    ],
)
def test_what_is_no_picture_is_refused(
    tmp_path: Path, samples: torch.Tensor, name: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        save(samples, GREY, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_curve_of_each_player(tmp_path: Path) -> None:
    losses = [(step, "ab"[step % 2], 1.0 + step % 2, 0.1) for step in range(60)]
    curve(losses, tmp_path / "two.png")
    curve([(step, "", 1.0, 0.1) for step, *_ in losses], tmp_path / "one.png")
    curve([(0, "", -1.0, 0.1)], tmp_path / "short.png")
    orange = [
        ((p[..., 0] > 200) & (p[..., 2] < 40)).sum()
        for p in (pixels(tmp_path / f"{name}.png") for name in ("two", "one"))
    ]
    assert orange[0] > 50
    assert orange[1] == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one.png", "short.png", "two.png"]


def test_a_comparison_of_runs(tmp_path: Path) -> None:
    curves = {"a": [(1.0, 0.1, 5.0), (10.0, 0.9, 2.0)], "b": [(4.0, 0.5, 0.0)]}
    comparison(curves, "W2", 0.1, tmp_path / "x.png")
    shown = pixels(tmp_path / "x.png")
    assert ((shown[..., 0] > 200) & (shown[..., 2] < 40)).sum() > 20
