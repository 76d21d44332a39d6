"""Pages made from the whole book: chapters, map of results, where sources slip, exercises.

A paragraph {{ map }}, {{ results }}, {{ slips }}, {{ false_alarms }}, {{ chapters }},
{{ modules }}, {{ gpu }}, {{ gallery }}, {{ exercises }} or {{ exercises vae }} becomes Markdown,
and so does {{ on vae ddpm }} in a line. What is HTML already is kept away from Markdown by `slot`.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import jupytext
import rendering
import topics
import training
from links import link_names
from results import NAME, ROOT, Result, SiteError, results

from genmath import book
from genmath._topics import TOPICS
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

KINDS = {"used": "uses", "named": "names in a reason", "told": "is led to by a text that names"}


def results_map(slot: Slot, _: str) -> str:
    """What docs/assets/map.js draws the map in, from the table; without a script it is hidden."""
    chapters, ends = [], []
    for topic, title, found in _chapters():
        shown = html.escape(title)
        chapters.append(f'<option value="{topic}">{shown}</option>')
        options = "".join(
            f'<option value="{r.anchor}">{r.number} {html.escape(r.derivation.title)}</option>'
            for r in found
        )
        ends.append(f'<optgroup label="{shown}">{options}</optgroup>')
    return slot(
        '<figure class="map" data-map="results" hidden><form class="map-controls">'
        '<label>Chapter <select name="chapter"><option value="">all, as boxes</option>'
        f"{''.join(chapters)}</select></label>"
        '<label>What do I need for <select name="need"><option value="">choose a result</option>'
        f"{''.join(ends)}</select></label>"
        '<span class="zoom"><button type="button" data-zoom="0.8">Smaller</button>'
        '<button type="button" data-zoom="1.25">Larger</button></span></form>'
        '<p class="map-said" role="status"></p>'
        '<div class="map-view" role="group" tabindex="0" aria-label="The map"></div>'
        '<div class="map-list"></div></figure>'
        '<script type="module" src="../assets/map.js"></script>'
    )


def _edges() -> dict[tuple[str, str], str]:
    """(lemma, user): what the checker consulted, or a reason names, or the text before it names."""
    known, found = results(), _told()
    for result in known.values():
        for step in result.derivation.steps:
            for name in _named(step.by):
                if name != result.anchor:
                    found[name, result.anchor] = "named"
        for lemma in _report(result)["uses"]:
            if lemma in known:
                found[lemma, result.anchor] = "used"
    return found


def _told() -> dict[tuple[str, str], str]:
    """Results that stand before, and are named where the chapter's text leads to a derivation."""
    order, found = list(results()), {}
    for topic in book.topics():
        before = ""
        for cell in jupytext.read(ROOT / "derivations" / f"{topic}.py").cells:
            if cell.cell_type == "markdown":
                before += cell.source
                continue
            names = [
                f"{topic}.{name}" for name in re.findall(r"^def (\w+)\(", cell.source, re.MULTILINE)
            ]
            for user in (name for name in names if name in order):
                for lemma in _named(before):
                    if order.index(lemma) < order.index(user):
                        found[lemma, user] = "told"
                before = ""
    return found


def _named(words: str) -> list[str]:
    """The results of which prose speaks."""
    found = map(NAME.fullmatch, re.findall(r"`([^`]+)`", words))
    return [name["full"] for name in found if name and name["full"] in results()]


def results_table(slot: Slot, _: str) -> str:
    """Every result with what it rests on, a part of the table a chapter."""
    rests: dict[str, dict[str, list[str]]] = {}
    for (lemma, user), kind in _edges().items():
        rests.setdefault(user, {}).setdefault(kind, []).append(lemma)
    users: dict[str, list[str]] = {}
    for user, kinds in rests.items():
        for lemma in kinds.get("used", []):
            users.setdefault(lemma, []).append(user)
    bodies = []
    for topic, _, found in _chapters():
        rows = "".join(_row(r, rests.get(r.anchor, {}), users.get(r.anchor, [])) for r in found)
        (line,) = (line for line in TOPICS if line.name == topic)
        bodies.append(
            f'<tbody data-topic="{topic}" data-used="{" ".join(line.builds_on)}">{rows}</tbody>'
        )
    heads = "".join(
        f'<th scope="col">{head}</th>' for head in ("", "result", "label", "uses", "used by")
    )
    return slot(
        '<p class="filter" hidden><label>Show what contains '
        '<input type="search" data-filter="results"></label> <output></output></p>'
        f'<div class="scrolls"><table class="results" id="results"><thead><tr>{heads}'
        f"</tr></thead>{''.join(bodies)}</table></div>"
    )


def _row(result: Result, rests: dict[str, list[str]], users: list[str]) -> str:
    report, title = _report(result), html.escape(result.derivation.title)
    uses, used = (
        ", ".join(link_names(f"`{name}`") for name in names) for names in (report["uses"], users)
    )
    name = f'<a href="{_address(result)}"><code>{result.anchor}</code></a>'
    cells = (result.number, f"{name}<br><span>{title}</span>", report["label"], uses, used)
    data = "".join(f' data-{kind}="{" ".join(rests.get(kind, []))}"' for kind in KINDS)
    shown = "".join(f"<td>{cell}</td>" for cell in cells)
    kind = rendering.kind_of(report["label"])
    return f'<tr data-name="{result.anchor}" data-label="{kind}"{data}>{shown}</tr>'


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
        rows = [f"| [{_name(e)}]({_page(e)}) | {_title(e)} | {_kind(e)} |" for e in found]
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


def _name(exercise: Exercise) -> str:
    """On a phone it may take two lines."""
    return f"<code>{exercise.name.replace('/', '/<wbr>')}</code>"


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
    "gpu": training.card,
    "gallery": training.gallery,
}
