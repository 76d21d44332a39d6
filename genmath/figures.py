"""Figures that suit a page: matplotlib drawings as inline SVG, alone or moved by a slider.

The ink takes the colour of the surrounding text, the other colours can be set by the page
(`--figure-blue` and so on) and the background is transparent: one figure serves light and dark
pages. Text stays text, in the font of the page; formulas (`$…$`) become outlines. matplotlib loads
on first use.
"""

from __future__ import annotations

import hashlib
import html
import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

__all__ = ["BLUE", "GREEN", "INK", "ORANGE", "PURPLE", "Html", "axes", "figure", "ramp", "slider"]

INK = "#000000"
# Each has a contrast of about 4 on white and on Material's dark page (#1e2129).
BLUE, ORANGE, GREEN, PURPLE = "#2f7fd0", "#d55e00", "#008f68", "#b45f94"
_CSS = {
    INK: "currentColor",
    **{
        color: f"var(--figure-{name},{color})"
        for name, color in (
            ("blue", BLUE),
            ("orange", ORANGE),
            ("green", GREEN),
            ("purple", PURPLE),
        )
    },
}
_DRAWING = {"svg.fonttype": "none", "svg.hashsalt": "genmath"}
_FRAME = "frame:"
_USED = re.compile(r'(?:url\(#|href="#)([^")]+)')


class Html:
    """A piece of HTML that a notebook shows; `str` gives its text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.text


def axes(width: float = 3.4, height: float = 2.5, *, title: str = "") -> Axes:
    """One empty panel of width × height inches; the title stands above its left edge.

    Two of the default width fit side by side on a page, and one fits a phone. The matplotlib figure
    is ``axes.figure``; it is not pyplot's, so nothing needs closing.
    """
    mpl = _matplotlib()
    style = {
        "axes.prop_cycle": mpl.cycler(color=[BLUE, ORANGE, GREEN, PURPLE]),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.6,
        "axes.titlelocation": "left",
        "axes.titlesize": 10,
        "axes.labelsize": 10,
    }
    with mpl.rc_context(style):
        panel: Axes = mpl.figure.Figure((width, height), layout="constrained").subplots()
        panel.set_title(title)
    panel.tick_params(labelsize=9, length=3, width=0.6)
    panel.tick_params(which="minor", length=0)
    return panel


def figure(*panels: Axes | Figure, alt: str, caption: str = "") -> Html:
    """The panels as inline SVG in one `<figure>`, side by side where there is room.

    Round markers without transparency cost ten bytes each, so a few thousand points are fine.

    Errors: ValueError without panels or without ``alt``, the sentence that says what is to be seen.
    """
    return Html(_page("figure", panels, alt, caption, ""))


def slider(
    *panels: Axes | Figure,
    frames: Mapping[str, Sequence[Artist]],
    label: str,
    alt: str,
    caption: str = "",
    start: int = 0,
) -> Html:
    """Like `figure`, with artists that show in one frame only and a slider that turns the frames.

    ``frames`` maps the text that stands beside the slider to the artists of that frame, in any of
    the panels; what is in no frame is always there. ``label`` names what the slider sets. Without
    JavaScript the frame ``start`` is shown.

    Errors: ValueError for fewer than two frames, a frame without artists, an artist in two frames,
        or a start outside the frames.
    """
    if len(frames) < 2:
        _refuse("frames", frames, "at least two")
    if not 0 <= start < len(frames):
        _refuse("start", start, f"a frame in 0..{len(frames) - 1}")
    if not label.strip():
        _refuse("label", label, "the name of what the slider sets")
    seen: set[Artist] = set()
    for text, artists in frames.items():
        if not artists:
            _refuse(f"frames[{text!r}]", artists, "at least one artist")
        if not seen.isdisjoint(artists):
            _refuse(f"frames[{text!r}]", artists, "artists of this frame alone")
        seen.update(artists)
    texts = list(frames)
    # An inline handler works wherever the HTML is shown, in a notebook as on a page.
    move = (
        "const f=this.closest('figure');for(const e of f.querySelectorAll('[data-frame]')){"
        "const on=e.dataset.frame==this.value;e.toggleAttribute('hidden',!on);"
        "if(on&&e.dataset.label){"
        "f.querySelector('output').value=e.dataset.label;"
        "this.setAttribute('aria-valuetext',e.dataset.label)}}"
    )
    control = (
        f'<div style="text-align:center"><label>{_text(label)} '
        f'<input type="range" min="0" max="{len(texts) - 1}" value="{start}" autocomplete="off" '
        f'aria-valuetext="{_text(texts[start])}" oninput="{_text(move)}"></label> '
        f"<output>{_text(texts[start])}</output></div>"
    )
    for i, artists in enumerate(frames.values()):
        for artist in artists:
            artist.set_gid(f"{_FRAME}{i}")
            artist.set_in_layout(False)
    try:
        return Html(_page("slider", panels, alt, caption, control, texts, start))
    finally:
        for artist in seen:
            artist.set_gid(None)


def ramp(color: str) -> Colormap:
    """A colour map from transparent to a colour, so that 0 is the page whether light or dark.

    Errors: ValueError for the ink, which is no colour of its own: a picture keeps its pixels where
    the text around it turns light.
    """
    if color == INK:
        _refuse("color", color, "a colour that is seen on light and dark pages, such as BLUE")
    colors = _matplotlib().colors
    red, green, blue = colors.to_rgb(color)
    ends = [(red, green, blue, 0.0), (red, green, blue, 1.0)]
    made: Colormap = colors.LinearSegmentedColormap.from_list("ramp", ends)
    return made


def _page(
    kind: str,
    panels: Sequence[Axes | Figure],
    alt: str,
    caption: str,
    control: str,
    texts: Sequence[str] = (),
    start: int = 0,
) -> str:
    if not panels:
        _refuse("panels", panels, "at least one")
    if not alt.strip():
        _refuse("alt", alt, "a sentence that says what is to be seen")
    drawn = "".join(_svg(panel, texts, start) for panel in panels)
    wanted = set(re.findall(r'data-frame="(\d+)"', drawn))
    for i, text in enumerate(texts):
        if str(i) not in wanted:
            _refuse(f"frames[{text!r}]", "artists of other panels", "artists of the panels given")
        # The first group of a frame carries its text.
        drawn = drawn.replace(
            f'data-frame="{i}"', f'data-frame="{i}" data-label="{_text(text)}"', 1
        )
    below = f"<figcaption>{_text(caption)}</figcaption>" if caption else ""
    return (
        f'<figure class="{kind}"><div role="img" aria-label="{_text(alt)}" '
        f'style="display:flex;flex-wrap:wrap;justify-content:center;gap:1em">{drawn}</div>'
        f"{control}{below}</figure>"
    )


def _text(text: str) -> str:
    return " ".join(html.escape(text).split())  # no blank line: Markdown would end the block there


# From matplotlib's SVG to a small one for the inside of a page


def _svg(panel: Axes | Figure, texts: Sequence[str], start: int) -> str:
    mpl = _matplotlib()
    drawing: Any = panel if isinstance(panel, mpl.figure.FigureBase) else panel.figure
    buffer = io.BytesIO()
    with mpl.rc_context(_DRAWING):
        drawing.draw_without_rendering()
        for label in drawing.findobj(mpl.text.Text):
            if label.get_text().count("$") > 1:
                # With a path effect, even this one that does nothing, text is drawn as outlines.
                label.set_path_effects([mpl.patheffects.Normal()])
                label.set_math_fontfamily("cm")
        drawing.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    root = ElementTree.fromstring(buffer.getvalue())
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.text = (element.text or "").strip() if element.tag == "text" else None
        element.tail = None
        for name in list(element.attrib):
            if name.startswith("{"):
                element.set(name.rpartition("}")[2], element.attrib.pop(name))
    _strip(root)
    for element in list(root.iter()):
        _restyle(element)
        _move_ids(element, start)
        _merge_dots(element, root)
        if "d" in element.attrib:
            element.set("d", _short_path(element.attrib["d"]))
        for name in ("x", "y", "width", "height"):
            if name in element.attrib and element is not root:
                element.set(name, _short(float(element.attrib[name].removesuffix("px")), 1))
    _drop_unused(root)
    width, height = (
        float(root.attrib.pop(name).removesuffix("pt")) for name in ("width", "height")
    )
    root.attrib.pop("version", None)
    root.attrib.update(
        {
            "width": _short(width * 4 / 3, 0),
            "height": _short(height * 4 / 3, 0),
            "fill": "currentColor",
            "stroke-linejoin": "round",
            "aria-hidden": "true",
            "style": "max-width:100%;height:auto;overflow:visible",
        }
    )
    if texts:
        style = ElementTree.Element("style")
        style.text = "[data-frame][hidden]{display:none}"
        root.insert(0, style)
    text = ElementTree.tostring(root, encoding="unicode")
    return _unique_ids(text)


def _strip(element: ElementTree.Element) -> None:
    """Drop what a page does not need; a group without attributes gives way to its children."""
    kept: list[ElementTree.Element] = []
    for child in element:
        _strip(child)
        style = child.get("style", "")
        if child.tag in ("metadata", "style") or (child.tag in ("g", "defs") and not len(child)):
            continue
        if child.tag == "path" and "fill: none" in style and "stroke" not in style:
            continue  # the invisible background
        bare = child.tag == "g" and not child.get("id", "").startswith(_FRAME)
        if bare and not child.attrib.keys() - {"id"}:
            kept += child
        else:
            kept.append(child)
    element[:] = kept


def _rules(style: str) -> dict[str, str]:
    pairs = (rule.split(":", 1) for rule in style.split(";") if rule.strip())
    return {name.strip(): value.strip() for name, value in pairs}


def _restyle(element: ElementTree.Element) -> None:
    rules = _rules(element.get("style", ""))
    rules.pop("font-family", None)
    for name in ("fill", "stroke"):
        if name in rules:
            rules[name] = _CSS.get(rules[name], rules[name])
    if element.tag == "text" and rules.get("text-anchor") == "start":
        del rules["text-anchor"]
    if re.match(r"rotate\(-?0 ", element.get("transform", "")):
        del element.attrib["transform"]
    if rules:
        element.set("style", ";".join(f"{name}:{value}" for name, value in rules.items()))


def _move_ids(element: ElementTree.Element, start: int) -> None:
    name = element.get("id", "")
    if name.startswith(_FRAME):
        del element.attrib["id"]
        element.set("data-frame", name.removeprefix(_FRAME))
        if name != f"{_FRAME}{start}":
            element.set("hidden", "")


def _merge_dots(group: ElementTree.Element, root: ElementTree.Element) -> None:
    """Many copies of one round marker become one path of round dots."""
    uses = [child for child in group if child.tag == "use"]
    styles = {use.get("style", "") for use in uses}
    if len(uses) < 2 or len({use.get("href") for use in uses}) > 1 or len(styles) > 1:
        return
    rules = {name: _CSS.get(value, value) for name, value in _rules(styles.pop()).items()}
    marker = root.find(f".//path[@id='{str(uses[0].get('href')).removeprefix('#')}']")
    if marker is None or "fill" not in rules or any("opacity" in name for name in rules):
        return
    shape = re.sub(r"[^A-Za-z]", "", marker.get("d", "")).lower()
    if (
        not re.fullmatch(r"m(c{8}|c)z", shape)
        or rules.get("stroke", rules["fill"]) != rules["fill"]
    ):
        return
    radius = abs(float(re.findall(r"-?[\d.]+", marker.get("d", ""))[1]))
    edge = float(rules.get("stroke-width", 1)) if "stroke" in rules else 0.0
    width = _short(2 * radius + edge, 2)
    dots = ElementTree.Element("path")
    dots.set("d", "".join(f"M{use.get('x')} {use.get('y')}h0" for use in uses))
    dots.set("d", re.sub(r"\d+\.\d+", lambda n: _short(float(n[0]), 1), dots.get("d", "")))
    dots.set("style", f"fill:none;stroke:{rules['fill']};stroke-width:{width};stroke-linecap:round")
    group[:] = [child for child in group if child.tag not in ("use", "defs")] + [dots]


def _drop_unused(root: ElementTree.Element) -> None:
    used = set(_USED.findall(ElementTree.tostring(root, encoding="unicode")))
    for parent in list(root.iter()):
        for defs in parent.findall("defs"):
            defs[:] = [child for child in defs if child.get("id") in used]
            if not len(defs):
                parent.remove(defs)


def _short(number: float, digits: int) -> str:
    text = f"{number:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return re.sub(r"^(-?)0\.", r"\1.", text) if text not in ("-0", "") else "0"


def _short_path(d: str) -> str:
    """The same path in relative coordinates, to 0.1 point or, where it has curves, to 0.01."""
    digits = 2 if re.search("[CQ]", d) else 1
    here, last, out = (0, 0), "", ""
    for command, points in _commands(d, 10**digits):
        if command == "z":
            out, last = out + "z", ""
            continue
        from_here = (0, 0) if command == "M" else here
        numbers = [c - o for point in points for c, o in zip(point, from_here, strict=True)]
        texts = [_short(n / 10**digits, digits) for n in numbers]
        letter = command if command == "M" else command.lower()
        out += letter if letter != last else "" if texts[0][0] == "-" else " "
        out += texts[0] + "".join(t if t[0] == "-" else f" {t}" for t in texts[1:])
        here, last = points[-1], letter
    return out


_Points = list[tuple[int, int]]


def _commands(d: str, scale: int) -> list[tuple[str, _Points]]:
    """Commands and points on an integer grid; a polyline keeps only the points it needs."""
    commands: list[tuple[str, _Points]] = []
    line: _Points = []  # the polyline being read
    for command, rest in re.findall(r"([MLCQz])([^MLCQz]*)", d):
        numbers = [round(float(n) * scale) for n in rest.split()]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if command == "L":
            line += points
            continue
        commands += [("L", [point]) for point in _thin(line)[1:]]
        commands.append((command, points))
        line = points[-1:] or line[:1]
    return commands + [("L", [point]) for point in _thin(line)[1:]]


def _thin(line: _Points) -> _Points:
    """Douglas and Peucker's selection: no point dropped is farther off than 0.6 of the grid."""
    kept = {0, len(line) - 1}
    todo = [(0, len(line) - 1)]
    while todo:
        i, j = todo.pop()
        (ax, ay), (bx, by) = (line[i], line[j]) if line else ((0, 0), (0, 0))
        length = math.hypot(bx - ax, by - ay)
        ux, uy = ((bx - ax) / length, (by - ay) / length) if length else (1.0, 0.0)
        far, at = 0.6, 0
        for k in range(i + 1, j):
            x, y = line[k][0] - ax, line[k][1] - ay
            along = x * ux + y * uy
            beyond = along - min(max(along, 0.0), length)
            off = math.hypot(x * uy - y * ux, beyond)
            if off > far:
                far, at = off, k
        if at:
            kept.add(at)
            todo += [(i, at), (at, j)]
    return [point for k, point in enumerate(line) if k in kept]


def _unique_ids(text: str) -> str:
    """Ids that are used, from the drawing itself: unique on a page and the same in each build."""
    used = set(_USED.findall(text))
    key = "f" + hashlib.sha256(text.encode()).hexdigest()[:6]
    short = {name: f"{key}{i}" for i, name in enumerate(sorted(used))}
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{short[m[1]]}"' if m[1] in used else "", text)
    return re.sub(r'(url\(#|href="#)([^")]+)', lambda m: m[1] + short[m[2]], text)


def _matplotlib() -> Any:
    try:
        import matplotlib
        import matplotlib.figure
        import matplotlib.patheffects
    except ModuleNotFoundError as missing:
        if missing.name != "matplotlib":
            raise
        raise ImportError(
            "matplotlib is not installed; run: pip install matplotlib", name="matplotlib"
        ) from None
    return matplotlib


def _refuse(name: str, value: object, expected: str) -> None:
    raise ValueError(f"{name}: got {value!r}, expected {expected}")
