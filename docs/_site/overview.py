"""Pages made from the whole book: chapters, map of results, where sources slip, exercises.

A paragraph {{ map }}, {{ results }}, {{ slips }}, {{ false_alarms }}, {{ chapters }},
{{ modules }}, {{ exercises }} or {{ exercises vae }} becomes Markdown, and so does
{{ on vae ddpm }} within a line. What is HTML already is kept away from Markdown by `slot`.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import rendering
import topics
from links import link_names
from results import NAME, Result, SiteError, results

from genmath import book
from genmath.cli import exercises as written
from genmath.cli.exercises import Exercise
from genmath.proof.report import check_derivation

DIRECTIVE = re.compile(r"^\{\{ *(?P<what>\w+)(?: +(?P<topic>\w+))? *\}\}$", re.MULTILINE)
Slot = Callable[[str], str]


ON = re.compile(r"\{\{ *on +(?P<topics>[\w ]*?) *\}\}")  # within a line: what there is on topics


def expand(markdown: str, slot: Slot) -> str:
    def show(found: re.Match[str]) -> str:
        make = PAGES.get(found["what"])
        return f"\n\n{make(slot, found['topic'] or '')}\n\n" if make else found[0]

    return ON.sub(lambda found: on(found["topics"].split()), DIRECTIVE.sub(show, markdown))


def _chapters() -> Iterator[tuple[str, str, list[Result]]]:
    for topic in book.topics():
        found = [r for r in results().values() if r.derivation.topic == topic]
        yield topic, book.chapter(topic).title, found


def _report(result: Result) -> dict[str, Any]:
    """The verdict, or what stands for it while a server shows a chapter that was just changed."""
    return result.report or {"label": "not checked", "uses": [], "slips": []}


def _address(result: Result) -> str:
    return f"../derivations/{result.derivation.topic}/#{result.anchor}"


# ---- the map -------------------------------------------------------------------------------------

WIDTH, HEIGHT, GAP, COLUMNS = 198, 24, 12, 4  # of a box, in pixels
TITLE, MARGIN = 30, 6


def results_map(slot: Slot, _: str) -> str:
    """Every result a box, in the order of the book; an arrow from a result to one that uses it."""
    place, boxes, y = {}, [], MARGIN
    for topic, title, found in _chapters():
        link = f"../derivations/{topic}/"
        heading = f'<text class="chapter" x="{MARGIN}" y="{y + 18}">{html.escape(title)}</text>'
        boxes.append(f'<a href="{link}">{heading}</a>')
        y += TITLE
        for at, result in enumerate(found):
            x = MARGIN + at % COLUMNS * (WIDTH + GAP)
            place[result.anchor] = (x, y + at // COLUMNS * (HEIGHT + GAP))
            boxes.append(_box(result, *place[result.anchor]))
        y += -(-len(found) // COLUMNS) * (HEIGHT + GAP) + GAP
    arrows = "".join(
        _arrow(place[lemma], place[user], f"{user} {how} {lemma}", kind)
        for lemma, user, kind, how in _edges()
    )
    width = 2 * MARGIN + COLUMNS * (WIDTH + GAP) - GAP
    drawing = (
        f'<svg viewBox="0 0 {width} {y}" width="{width}" height="{y}" role="group" '
        'aria-label="The results of the book, and which of them uses which">'
        '<defs><marker id="map-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>'
        f"{arrows}{''.join(boxes)}</svg>"
    )
    return slot(f'<figure class="map"><div class="scrolls">{drawing}</div></figure>')


def _edges() -> list[tuple[str, str, str, str]]:
    """(lemma, user, kind, how): what the checker consulted, and what a reason names beside it."""
    known, found = results(), {}
    for result in known.values():
        for step in result.derivation.steps:
            for name in re.findall(r"`([^`]+)`", step.by):
                named = NAME.fullmatch(name)
                if named and named["full"] in known and named["full"] != result.anchor:
                    found[named["full"], result.anchor] = ("named", "names in a reason")
        for lemma in _report(result)["uses"]:
            if lemma in known:
                found[lemma, result.anchor] = ("used", "uses")
    return [(lemma, user, *words) for (lemma, user), words in found.items()]


def _box(result: Result, x: int, y: int) -> str:
    derivation, label = result.derivation, _report(result)["label"]
    words = f"{result.number} {derivation.short_name}"
    shown = words if len(words) <= 28 else words[:27] + "…"
    kind = "proved-for" if label.startswith("proved for") else label.replace(" ", "-")
    return (
        f'<a href="{_address(result)}"><title>{html.escape(derivation.title)}: {label}</title>'
        f'<rect class="{kind}" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="4"/>'
        f'<text x="{x + 8}" y="{y + 16}">{html.escape(shown)}</text></a>'
    )


def _arrow(start: tuple[int, int], end: tuple[int, int], title: str, kind: str) -> str:
    """From the edge of one box to the edge of another, on the sides that face each other."""
    (x, y), (u, v) = start, end
    if y == v:
        side = WIDTH if x < u else 0
        x, u, y, v = x + side, u + WIDTH - side, y + HEIGHT // 2, v + HEIGHT // 2
        path = f"M{x} {y}L{u} {v}"
    else:
        down = 1 if y < v else -1
        y, v = (y + HEIGHT, v) if down > 0 else (y, v + HEIGHT)
        x, u = x + WIDTH // 2 + (u - x) // 12, u + WIDTH // 2 - (u - x) // 12
        bend = max(abs(v - y) // 2, GAP) * down
        path = f"M{x} {y}C{x} {y + bend} {u} {v - bend} {u} {v}"
    return (
        f'<path class="arrow {kind}" d="{path}" marker-end="url(#map-tip)">'
        f"<title>{html.escape(title)}</title></path>"
    )


def results_table(slot: Slot, _: str) -> str:
    users: dict[str, list[str]] = {}
    for lemma, user, kind, _how in _edges():
        if kind == "used":
            users.setdefault(lemma, []).append(user)
    rows = []
    for result in results().values():
        report = _report(result)
        uses = ", ".join(link_names(f"`{name}`") for name in report["uses"])
        used = ", ".join(link_names(f"`{name}`") for name in users.get(result.anchor, []))
        name = f'<a href="{_address(result)}"><code>{result.anchor}</code></a>'
        cells = (result.number, f"{name}<br>{html.escape(result.derivation.title)}")
        shown = "".join(f"<td>{cell}</td>" for cell in (*cells, report["label"], uses, used))
        rows.append(f"<tr>{shown}</tr>")
    heads = "".join(
        f'<th scope="col">{head}</th>' for head in ("", "result", "label", "uses", "used by")
    )
    return slot(
        '<p class="filter" hidden><label>Show what contains '
        '<input type="search" data-filter="results"></label> <output></output></p>'
        f'<div class="scrolls"><table class="results" id="results"><thead><tr>{heads}'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


# ---- where sources slip --------------------------------------------------------------------------


def slips(slot: Slot, _: str) -> str:
    return _recorded(slot, alarms=False)


def false_alarms(slot: Slot, _: str) -> str:
    return _recorded(slot, alarms=True)


def _recorded(slot: Slot, alarms: bool) -> str:
    """Every record of the book, under the name of its chapter."""
    shown = []
    for topic, title, found in _chapters():
        pieces = [
            rendering.slip(each, judged, f"recorded-{each.id}") + _beside(result)
            for result in found
            for each, judged in zip(result.derivation.slips, _report(result)["slips"], strict=False)
            if (each.wrong is None) == alarms
        ]
        if pieces:
            heading = f"### {title}" if alarms else f"## {title}"
            attributes = f" {{ #{'alarms' if alarms else 'slips'}-{topic} }}"
            body = slot(f'<div class="all-slips">{"".join(pieces)}</div>')
            shown.append(f"{heading}{attributes}\n\n{body}")
    return "\n\n".join(shown)


def _beside(result: Result) -> str:
    title = html.escape(result.derivation.title)
    return f'<p class="beside">Beside {link_names(f"`{result.anchor}`")}: {title}.</p>'


# ---- exercises -----------------------------------------------------------------------------------


def exercises(slot: Slot, topic: str) -> str:
    """Those of a topic; without a topic, a table of all."""
    found = written.exercises()
    if not topic:
        rows = [f"| [`{e.name}`]({_page(e)}) | {_title(e)} | {_kind(e)} |" for e in found]
        return "\n".join(["| exercise | what | |", "|---|---|---|", *rows])
    mine = [e for e in found if e.name.startswith(f"{topic}/")]
    if not mine:
        raise SiteError(f"there is no exercise on {topic}")
    return "\n\n".join(_exercise(e, slot) for e in mine)


def on(names: list[str]) -> str:
    """Links to the chapters, laboratories and exercises on these topics, as far as they exist."""
    written = [name for name in names if name in book.topics()]
    if not written:
        return "*no chapter yet*"
    shown = [topics.links(written, "derivations/")]
    shown += [f"[laboratory](labs/{name}.py)" for name in written]
    shown += [f"[exercises](exercises/{name}.md)" for name in written]
    return ", ".join(shown)


def chapters(slot: Slot, where: str) -> str:
    """{{ chapters }}, and {{ chapters home }} on the landing page."""
    return topics.chapters_table("" if where == "home" else "../")


def modules(slot: Slot, _: str) -> str:
    return topics.modules_table()


def _page(exercise: Exercise) -> str:
    return f"{exercise.file.parent.name}.md#exercise-{exercise.file.stem}"


def _title(exercise: Exercise) -> str:
    return exercise.title.replace("|", r"\|")


def _kind(exercise: Exercise) -> str:
    return "derivation" if exercise.has_derivations else "code"


def _exercise(exercise: Exercise, slot: Slot) -> str:
    code = exercise.task.partition("\n")[2]
    parts = [
        f"## {exercise.title} {{ #exercise-{exercise.file.stem} }}",
        exercise.text,
        f"```sh\ngenmath exercise start {exercise.name}\n"
        f"genmath exercise check {exercise.file.name}\n```",
        _to_fill_in(exercise, _python(_without_words(code))),
        _fold("code", "A solution", _solution(exercise, slot)),
    ]
    return "\n\n".join(parts)


def _to_fill_in(exercise: Exercise, code: str) -> str:
    if not exercise.has_derivations:
        return _fold("code", "What is to be filled in", code)
    # The script docs/assets/check/page.js puts an editor in its place.
    attributes = f'data-check="" data-exercise="{exercise.name}" markdown="block"'
    return f"<div {attributes}>\n\n{code}\n\n</div>"


def _solution(exercise: Exercise, slot: Slot) -> str:
    shown = [_python(_without_words(exercise.solution))]
    if exercise.has_derivations:
        for derivation in book.load_file(exercise.file).derivations:
            report = check_derivation(derivation)
            if not report["ok"]:
                raise SiteError(f"{exercise.name}: the solution of {derivation.name} is not proved")
            words = f"<p>{html.escape(derivation.title)}: {report['label']}.</p>"
            shown.append(slot(words + rendering.judgement(report, derivation)))
    compared = [f"`{grade.function}` with `{grade.source.name}`" for grade in exercise.grades()]
    if compared:
        shown.append(f"Compared: {', '.join(compared)}.")
    return "\n\n".join(shown)


def _without_words(source: str) -> str:
    """The file without its docstring, which stands above it on the page."""
    return source.partition('"""')[2].partition('"""')[2].strip()


def _fold(kind: str, title: str, body: str) -> str:
    return f'??? {kind} "{title}"\n\n{textwrap.indent(body, "    ")}'


def _python(source: str) -> str:
    return f"```python\n{source}\n```"


PAGES: dict[str, Callable[[Slot, str], str]] = {
    "map": results_map,
    "results": results_table,
    "slips": slips,
    "false_alarms": false_alarms,
    "chapters": chapters,
    "modules": modules,
    "exercises": exercises,
}
