"""What a run shows: grids of samples, clips, points, texts, and the curve of the loss."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genmath._base.checks import describe, refuse
from genmath._base.torch import Tensor, torch
from genmath.figures import BLUE, GREEN, ORANGE, PURPLE
from genmath.train.data import Event

if TYPE_CHECKING:
    from PIL.Image import Image

COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
CELL = 32  # pixels: a smaller picture is enlarged
GAP = 208  # the grey between pictures, seen beside white ones
LONG = 20  # curves of more turns are smoothed over a hundredth of them
KINDS = (".png", ".gif", ".apng")
Row = tuple[int, str, float, float]  # step, player, loss, rate


def save(samples: Tensor, event: Event, file: Path, held: Tensor | None = None) -> None:
    """Samples as a picture, written whole or not at all.

    Pictures are a grid, clips a row of frames each (".gif" and ".apng": moving), points a scatter
    with held-out ones behind them in grey, and integers (n, L) lines of text.

    Errors: ValueError for another ending of the file, or samples that are none of these.
    """
    ending = file.suffix.lower()
    if ending not in KINDS:
        refuse("out", str(file), "a file that ends in " + ", ".join(KINDS))
    if samples.ndim == 5 and ending != ".png":
        each = samples.movedim(2, 0)  # frame by frame
        _write(file, _moving([grid(frame) for frame in each], ending))
    elif ending != ".png":
        refuse("out", str(file), "a file that ends in .png: only clips move")
    elif samples.ndim == 5:
        _write(file, _bytes(grid(samples.transpose(1, 2).flatten(0, 1), samples.shape[2])))
    elif samples.ndim == 4:
        _write(file, _bytes(grid(samples)))
    elif samples.ndim == 2 and not samples.dtype.is_floating_point:
        _write(file, _texts(said(samples, event)))
    elif samples.ndim == 2 and samples.shape[1] == 2:
        _write(file, _scatter(samples, held))
    else:
        refuse("samples", describe(samples), "pictures, clips, points of a plane or tokens")


def grid(pictures: Tensor, columns: int | None = None) -> Image:
    """Pictures in [-1, 1], row by row, in a nearly square grid unless its columns are given.

    Shapes: (n, channels, h, w). Three channels are colours; of any other number the first is grey.
    """
    from PIL import Image

    n, channels, h, w = pictures.shape
    across = columns or math.ceil(math.sqrt(n))
    down = math.ceil(n / across)
    x = pictures.detach().float().cpu()[:, : 3 if channels == 3 else 1]
    x = ((x.nan_to_num(-1).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    large = max(1, math.ceil(CELL / max(h, w)))
    x = x.repeat_interleave(large, 2).repeat_interleave(large, 3)
    cells = x.new_full((across * down, x.shape[1], h * large + 2, w * large + 2), GAP)
    cells[:n, :, 1:-1, 1:-1] = x
    rows = cells.reshape(down, across, *cells.shape[1:]).permute(0, 3, 1, 4, 2).flatten(2, 3)
    table = rows.flatten(0, 1).contiguous()
    mode = "RGB" if table.shape[2] == 3 else "L"
    return Image.frombytes(mode, (table.shape[1], table.shape[0]), table.numpy().tobytes())


def said(tokens: Tensor, event: Event) -> list[str]:
    """Tokens as texts: the words of the event where it has some, else numbers."""
    words = event.words
    return [
        " ".join(words[i] if i < len(words) else str(i) for i in row).strip()
        for row in tokens.tolist()
    ]


def curve(losses: Sequence[Row], file: Path) -> None:
    """The loss at each step, of each player: on a scale of logarithms where all are positive and
    the largest is many times the least."""
    players: dict[str, tuple[list[int], list[float]]] = {}
    for step, player, loss, _ in losses:
        steps, values = players.setdefault(player, ([], []))
        steps.append(step)
        values.append(loss)
    figure, axes = _axes(6, 3.2)
    smooth: list[float] = []
    for (player, (steps, values)), colour in zip(players.items(), COLOURS * 9, strict=False):
        wide = max(1, len(values) // 100) if len(values) > LONG else 1
        means = _means(values, wide)
        smooth += means
        if wide > 1:
            axes.plot(steps, values, color=colour, alpha=0.2, linewidth=0.5)
        axes.plot(steps[wide - 1 :], means, color=colour, linewidth=1.2, label=player or "loss")
    if smooth and min(smooth) > 0 and max(smooth) > 10 * min(smooth):
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    if len(players) > 1:
        axes.legend(frameon=False)
    _write(file, _drawn(figure))


def comparison(
    curves: dict[str, list[tuple[float, float, float]]],
    measure: str,
    floor: float | None,
    file: Path,
) -> None:
    """A measure against calls of the network, and against seconds: (calls, seconds, value) of each
    run. Training data reach the floor."""
    figure, both = _axes(8, 3.2, 2)
    for axes, place, word in zip(both, (0, 1), ("calls of the network", "seconds"), strict=True):
        for (name, points), colour in zip(curves.items(), COLOURS * 9, strict=False):
            xs, ys = [point[place] for point in points], [point[2] for point in points]
            axes.plot(xs, ys, "o-", color=colour, markersize=4, linewidth=1.2, label=name)
        axes.axhline(floor, color="grey", linewidth=0.8, label="training data")
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        if all(value > 0 for points in curves.values() for _, _, value in points):
            axes.set_yscale("log")
        axes.set_xlabel(word)
    both[0].set_ylabel(measure)
    both[0].legend(frameon=False, fontsize=8)
    _write(file, _drawn(figure))


def _means(values: Sequence[float], wide: int) -> list[float]:
    """Of each ``wide`` neighbours."""
    sums = torch.tensor([0.0, *values], dtype=torch.float64).cumsum(0)
    means: list[float] = ((sums[wide:] - sums[:-wide]) / wide).tolist()
    return means


def _scatter(samples: Tensor, held: Tensor | None) -> bytes:
    figure, axes = _axes(4, 4)
    if held is not None:
        axes.scatter(*held.cpu().T, s=3, color="lightgrey", linewidths=0)
    axes.scatter(*samples.detach().float().cpu().T, s=3, color=BLUE, linewidths=0)
    axes.set_aspect("equal")
    if held is not None and len(held):  # far strays say nothing more than that they are far
        low, high = held.amin(0).cpu(), held.amax(0).cpu()
        edge = 0.25 * (high - low)
        (left, bottom), (right, top) = (low - edge).tolist(), (high + edge).tolist()
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
    return _drawn(figure)


def _texts(lines: Sequence[str]) -> bytes:
    figure, axes = _axes(6, 0.2 * len(lines) + 0.4)
    axes.axis("off")
    axes.text(0, 1, "\n".join(lines), va="top", family="monospace", fontsize=9, parse_math=False)
    return _drawn(figure)


def _axes(width: float, height: float, count: int = 1) -> tuple[Any, Any]:
    """A figure of its own, which no window and no global state knows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, count)
    for each in axes if count > 1 else [axes]:
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _drawn(figure: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=130, metadata={"Software": None})
    return stream.getvalue()


def _bytes(image: Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()


def _moving(frames: Sequence[Image], ending: str) -> bytes:
    stream = io.BytesIO()
    kind = "GIF" if ending == ".gif" else "PNG"
    first, *rest = frames
    first.save(stream, format=kind, save_all=True, append_images=rest, duration=125, loop=0)
    return stream.getvalue()


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(content)
    os.replace(part, file)
