"""Inline figures: small, safe inside a page, legible on light and dark, true to the drawing."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from xml.etree import ElementTree

import matplotlib
import matplotlib.figure
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genmath import figures
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, ramp, slider

ALT = "A curve that rises"


def parsed(html: Html) -> ElementTree.Element:
    """The tree of a figure; its void element is closed first, as XML wants."""
    return ElementTree.fromstring(re.sub(r"(<input[^>]*)>", r"\1/>", str(html)))


def points_of(d: str) -> list[tuple[float, float]]:
    """The end points of M, l and h commands, in absolute coordinates."""
    x = y = 0.0
    out = []
    for command, rest in re.findall(r"([Mlhz])([^Mlhz]*)", d):
        numbers = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", rest)]
        for a, b in zip(numbers[::2], numbers[1::2], strict=False):
            x, y = (a, b) if command == "M" else (x + a, y + b)
            out.append((x, y))
    return out


def test_a_figure_says_what_it_shows() -> None:
    panel = axes()
    panel.plot([0, 1], [0, 1])
    tree = parsed(figure(panel, panel, alt='p < q & "r"', caption="Two\n\n bells"))
    assert tree.tag == "figure"
    (picture,) = (e for e in tree.iter() if e.get("role") == "img")
    assert picture.get("aria-label") == 'p < q & "r"'
    assert [e.tag for e in picture] == ["svg", "svg"]
    assert tree.findtext("figcaption") == "Two bells"


def test_markdown_finds_no_blank_line_in_it() -> None:
    panel = axes(title="line\n\nbreak")
    panel.plot([0, 1], [0, 1])
    assert not re.search(r"\n\s*\n", str(figure(panel, alt=ALT)))


def test_a_notebook_shows_it() -> None:
    shown = figure(axes(), alt=ALT)
    assert shown._repr_html_() == str(shown)


def test_black_follows_the_page_and_colours_can_be_set_by_it() -> None:
    panel = axes()
    panel.plot([0, 1], [0, 1], color=INK)
    panel.plot([0, 1], [1, 0], color=ORANGE)
    panel.text(0.5, 0.5, "label", color=PURPLE)
    text = str(figure(panel, alt=ALT))
    assert "#000000" not in text
    assert "stroke:currentColor" in text
    assert f"stroke:var(--figure-orange,{ORANGE})" in text
    assert f"fill:var(--figure-purple,{PURPLE})" in text


def contrast(one: str, other: str) -> float:
    def luminance(color: str) -> float:
        channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("color", [BLUE, ORANGE, GREEN, PURPLE])
@pytest.mark.parametrize("page", ["#ffffff", "#1e2129"])
def test_colours_can_be_seen_on_both_pages(color: str, page: str) -> None:
    assert contrast(color, page) >= 3


def test_a_ramp_has_a_colour_of_its_own() -> None:
    """Black pixels stay black on a dark page."""
    with pytest.raises(ValueError, match=r"color: .*light and dark"):
        ramp(INK)


def test_a_ramp_starts_at_the_page_itself() -> None:
    assert ramp(BLUE)(0.0)[3] == 0
    assert ramp(BLUE)(1.0) == (*matplotlib.colors.to_rgb(BLUE), 1.0)


def test_text_stays_text_in_the_font_of_the_page_and_formulas_become_outlines() -> None:
    panel = axes(title="density")
    formula = panel.text(0.5, 0.5, r"$\bar\alpha_t$")
    text = str(figure(panel, alt=ALT))
    assert formula.get_math_fontfamily() == "cm"  # as KaTeX sets the formulas of the page
    assert re.search(r"<text[^>]*>density</text>", text)
    assert "font-family" not in text
    assert "alpha" not in text
    without = axes(title="density")
    assert text.count("<path") > str(figure(without, alt=ALT)).count("<path")


def test_nothing_reaches_the_page_around_it() -> None:
    panel = axes()
    panel.plot([0, 1], [0, 1])
    shown = str(slider(panel, frames=two_frames(panel), label="time", alt=ALT))
    assert re.findall(r"<style>(.*?)</style>", shown) == ["[data-frame][hidden]{display:none}"]
    assert "<script" not in shown
    assert "http" not in shown


def drawings() -> Iterator[Html]:
    for shift in (0, 1):
        panel = axes()
        panel.plot([0, 1, 2], [shift, 1, 0], "s-")
        panel.fill_between([0, 1], [shift, 2])
        yield figure(panel, alt=ALT)


def test_ids_are_unique_on_a_page_used_and_the_same_in_every_build() -> None:
    pages = list(drawings())
    ids = [name for page in pages for name in re.findall(r' id="([^"]+)"', str(page))]
    assert ids
    assert len(ids) == len(set(ids))
    used = {n for page in pages for n in re.findall(r'(?:url\(#|href="#)([^")]+)', str(page))}
    assert used == set(ids)
    assert [str(page) for page in drawings()] == [str(page) for page in pages]


def test_many_dots_are_small_and_where_they_were_drawn() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(2000, 2))
    panel = axes()
    panel.plot(*points.T, ".", markersize=2, color=GREEN)
    text = str(figure(panel, alt=ALT))
    assert len(text) < 40_000
    (d,) = re.findall(r'd="([^"]*h0[^"]*)"', text)
    height = panel.figure.get_figheight() * 72
    scale = 72 / panel.figure.dpi
    wanted = panel.transData.transform(points) * scale * [1, -1] + [0, height]
    assert np.abs(np.array(points_of(d)) - wanted).max() < 0.06
    assert f"stroke:var(--figure-green,{GREEN});stroke-width:2;" in text


def test_markers_that_are_no_plain_dots_are_left_alone() -> None:
    for marker, options in (("s", {}), ("o", {"alpha": 0.5}), ("o", {"markerfacecolor": "none"})):
        panel = axes()
        panel.plot([0, 1, 2], [0, 2, 1], marker, color=BLUE, **options)
        text = str(figure(panel, alt=ALT))
        assert "h0" not in text
        assert text.count("<use") >= 3


def distances(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """How far each point lies from the broken line, in the units of both."""
    start, step = line[:-1], np.diff(line, axis=0)
    along = np.einsum("nkd,kd->nk", points[:, None] - start, step) / (step**2).sum(1)
    nearest = start + np.clip(along, 0, 1)[..., None] * step
    return np.linalg.norm(points[:, None] - nearest, axis=2).min(1)


def test_a_curve_keeps_its_shape() -> None:
    x = np.linspace(-4, 4, 500)
    panel = axes()
    (line,) = panel.plot(x, np.exp(-(x**2) / 2), color=PURPLE)
    text = str(figure(panel, alt=ALT))
    (d,) = re.findall(r'd="([^"]*)"[^>]*figure-purple', text)
    drawn = np.array(points_of(d))
    scale = 72 / panel.figure.dpi
    height = panel.figure.get_figheight() * 72
    wanted = panel.transData.transform(np.c_[x, line.get_ydata()]) * scale * [1, -1] + [0, height]
    assert len(drawn) < 120
    # matplotlib simplifies a path before we do, by a rule that differs between releases.
    assert distances(wanted, drawn).max() < 0.2


grid = st.tuples(st.integers(-50, 50), st.integers(-50, 50))


@given(st.lists(grid, min_size=1, max_size=30))
def test_thinning_moves_a_line_by_less_than_the_grid(line: list[tuple[int, int]]) -> None:
    kept = figures._thin(line)
    assert (kept[0], kept[-1]) == (line[0], line[-1])
    at = [k for k in range(len(line)) if line[k] in kept]
    for x, y in line:
        near = [
            distance(np.array([x, y]), np.array(a), np.array(b))
            for a, b in zip(kept, kept[1:] or kept, strict=False)
        ]
        assert min(near) <= 0.6 + 1e-9
    assert at


def distance(point: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    along = b - a
    length = float(along @ along)
    w = min(max(float((point - a) @ along) / length, 0.0), 1.0) if length else 0.0
    return float(np.hypot(*(a + w * along - point)))


@given(st.lists(st.lists(grid, min_size=1, max_size=8), min_size=1, max_size=4))
def test_a_short_path_has_the_ends_of_the_long_one(lines: list[list[tuple[int, int]]]) -> None:
    d = " ".join(
        f"M {a} {b} \n" + "".join(f"L {x / 10} {y / 10} \n" for x, y in line)
        for (a, b), *line in lines
    )
    drawn = points_of(figures._short_path(d))
    for (a, b), *line in lines:
        assert any(abs(x - a) + abs(y - b) < 1e-9 for x, y in drawn)
        if line:
            end = line[-1][0] / 10, line[-1][1] / 10
            assert any(abs(x - end[0]) + abs(y - end[1]) < 1e-9 for x, y in drawn)


def test_a_picture_keeps_its_pixels() -> None:
    panel = axes()
    panel.imshow(np.eye(3), cmap=ramp(BLUE), interpolation="none")
    text = str(figure(panel, alt=ALT))
    assert re.search(r'<image[^>]*href="data:image/png;base64,', text)
    assert "image-rendering:pixelated" in text
    assert len(text) < 6_000


# Sliders


def two_frames(panel: matplotlib.axes.Axes) -> dict[str, list[matplotlib.artist.Artist]]:
    return {
        "t = 0": [*panel.plot([0, 1], [0, 1]), panel.text(0, 0, "start")],
        "t = 1": [*panel.plot([0, 1], [1, 0])],
    }


def test_a_slider_turns_its_frames() -> None:
    panel, other = axes(), axes()
    panel.plot([0, 1], [0.5, 0.5], color=INK)
    frames = two_frames(panel)
    frames["t = 1"].append(other.plot([0], [0], "o")[0])
    tree = parsed(slider(panel, other, frames=frames, label="time", alt=ALT, start=1))
    assert tree.get("class") == "slider"
    (control,) = tree.iter("input")
    wanted = {"type": "range", "min": "0", "max": "1", "value": "1", "aria-valuetext": "t = 1"}
    assert wanted.items() <= control.attrib.items()
    (label,) = tree.iter("label")
    assert "".join(label.itertext()).strip() == "time"
    assert control in list(label)
    assert [output.text for output in tree.iter("output")] == ["t = 1"]
    frame = [e for e in tree.iter() if e.get("data-frame")]
    assert [(e.get("data-frame"), e.get("data-label")) for e in frame] == [
        ("0", "t = 0"),
        ("1", "t = 1"),
        ("0", None),
        ("1", None),
    ]
    assert [e.get("hidden") is None for e in frame] == [False, True, False, True]


def test_a_slider_of_curves_is_small() -> None:
    x = np.linspace(-5, 5, 200)
    panel = axes()
    frames = {
        f"{m:.1f}": [*panel.plot(x, np.exp(-((x - m) ** 2) / 2)), *panel.plot(x, np.exp(-(x**2)))]
        for m in np.linspace(-2, 2, 40)
    }
    assert len(str(slider(panel, frames=frames, label="mean", alt=ALT))) < 60_000


def test_what_cannot_be_shown_is_refused() -> None:
    panel, other = axes(), axes()
    one = panel.plot([0, 1], [0, 1])
    two = panel.plot([0, 1], [1, 0])
    with pytest.raises(ValueError, match="alt: got ' ', expected a sentence"):
        figure(panel, alt=" ")
    with pytest.raises(ValueError, match="panels: got"):
        figure(alt=ALT)
    with pytest.raises(ValueError, match=r"frames: got .* at least two"):
        slider(panel, frames={"a": one}, label="time", alt=ALT)
    with pytest.raises(ValueError, match=r"start: got 2, expected a frame in 0\.\.1"):
        slider(panel, frames={"a": one, "b": two}, label="time", alt=ALT, start=2)
    with pytest.raises(ValueError, match="label: got ''"):
        slider(panel, frames={"a": one, "b": two}, label="", alt=ALT)
    with pytest.raises(ValueError, match=r"frames\['b'\]: got \[\], expected at least one artist"):
        slider(panel, frames={"a": one, "b": []}, label="time", alt=ALT)
    with pytest.raises(ValueError, match=r"frames\['b'\].*artists of this frame alone"):
        slider(panel, frames={"a": one, "b": [*two, *one]}, label="time", alt=ALT)
    with pytest.raises(ValueError, match=r"frames\['b'\].*artists of the panels given"):
        slider(panel, frames={"a": one, "b": other.plot([0], [0])}, label="time", alt=ALT)


# What it costs


def test_matplotlib_loads_on_first_use() -> None:
    code = "import genmath.figures, sys; print('matplotlib' in sys.modules, 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        axes()
