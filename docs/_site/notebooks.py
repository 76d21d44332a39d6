"""Chapters and laboratories, percent-format scripts, become Markdown and notebooks to download.

A chapter's derivations are shown as the checker knows them; a laboratory is run, and its figures
are shown.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import citations
import jupytext
import laboratories
import nbformat
import rendering
import topics
from plain import plain
from results import Result, SiteError, results

from genmath import __version__
from genmath._topics import TOPICS

Slot = Callable[[str], str]


# ---- chapters ------------------------------------------------------------------------------------


def chapter_markdown(path: Path, slot: Slot) -> str:
    """A chapter. Loading it runs it; `book` has done so, and what went wrong there was said."""
    topic = path.stem
    first, *cells = jupytext.read(path).cells
    heading, _, opening = first.source.partition("\n")
    shown, level = [heading, _elsewhere(topic), opening], _last_level(opening, 2)
    for cell in cells:
        if cell.cell_type == "markdown":
            shown.append(cell.source)
            level = _last_level(cell.source, level)
            continue
        defined = _derivations_in(topic, cell.source)
        around = _without_derivations(cell.source, {r.derivation.short_name for r in defined})
        if around:
            shown.append(_fold("code", "Notation, as typed", _python(around)))
        shown += [_derivation(result, level + 1, slot) for result in defined]
    return "\n\n".join(shown)


def _last_level(markdown: str, before: int) -> int:
    """Of the heading under which stands what follows this text."""
    found = re.findall(
        r"^(##+) ", re.sub(r"^ *```.*?^ *```", "", markdown, flags=re.S | re.M), re.M
    )
    return len(found[-1]) if found else before


def _elsewhere(topic: str) -> str:
    """What to read before, and what else there is of a topic."""
    pieces = [
        f'<a href="{topic}.ipynb" download>Notebook</a>',
        f"[Laboratory](../labs/{topic}.py)",
        f"[Exercises](../exercises/{topic}.md)",
        f"[Code](../api/{topic}.md)",
    ]
    (line,) = (line for line in TOPICS if line.name == topic)
    if line.builds_on:
        pieces.append(f"builds on {topics.links(line.builds_on)}")
    return f"{' · '.join(pieces)}\n{{ .chapter-links }}"


def _derivations_in(topic: str, source: str) -> list[Result]:
    names = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    known = results()
    return [known[f"{topic}.{name}"] for name in names if f"{topic}.{name}" in known]


def _without_derivations(source: str, names: set[str]) -> str:
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.FunctionDef) and node.name in names:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            del lines[first - 1 : node.end_lineno]
    return "\n".join(lines).strip()


def _derivation(result: Result, level: int, slot: Slot) -> str:
    derivation = result.derivation
    typed = rendering.source(derivation)
    body = rendering.statement(result) + rendering.verdicts(result) + rendering.slips(result)
    parts = [
        f"{'#' * level} {result.number} {derivation.title} {{ #{result.anchor} }}",
        slot(body),
        _fold("source", f"Source: `derivations/{derivation.topic}.py`", _python(typed)),
    ]
    functions = rendering.in_code(result)
    if functions:
        names = ", ".join(f"<code>{name}</code>" for name in functions)
        parts.append(_fold("code", f"In code: {names}", "\n\n".join(map(_directive, functions))))
    inner = "\n\n".join(parts)
    # Under it the script docs/assets/check/page.js puts an editor.
    attributes = f'class="derivation" data-check="{result.anchor}" markdown="block"'
    return f"<section {attributes}>\n\n{inner}\n\n</section>"


def _directive(name: str) -> str:
    off = ("show_root_heading", "show_root_toc_entry", "members")
    options = "".join(f"\n      {option}: false" for option in off)
    return f"::: {name}\n    options:{options}\n      skip_local_inventory: true"


# ---- laboratories --------------------------------------------------------------------------------


def lab_markdown(path: Path, slot: Slot) -> str:
    """A laboratory: prose, figures and what the code printed, with the code folded."""
    shown: list[str] = []
    for cell in laboratories.outputs(path).cells:
        if cell.cell_type == "markdown":
            shown.append(cell.source)
        elif cell.cell_type == "code" and cell.source.strip():
            shown.append(_fold("code", "Code", _python(cell.source)))
            shown += [_output(output, path, slot) for output in cell.outputs]
    return "\n\n".join(shown)


def _output(output: Any, path: Path, slot: Slot) -> str:
    if output.output_type == "stream":
        if output.name == "stderr":
            raise SiteError(f"{path.name} wrote to stderr: {output.text.strip()}")
        return f"```text\n{output.text.rstrip()}\n```"
    data = output.get("data", {})
    if "text/html" in data:
        return slot(f'<div class="lab-output">{data["text/html"]}</div>')
    if any(kind.startswith("image/") for kind in data):
        raise SiteError(f"{path.name} shows a picture without a description: use genmath.figures")
    return f"```text\n{data['text/plain']}\n```" if "text/plain" in data else ""


# ---- to download ---------------------------------------------------------------------------------


def chapter_notebook(path: Path) -> str:
    """A chapter as a notebook that runs where genmath is installed: each derivation is displayed
    under its cell, and the last cell checks them all."""
    notebook = jupytext.read(path)
    shown, names = [], []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = plain(citations.cite(cell.source, None))
        shown.append(cell)
        if cell.cell_type == "code":
            here = [r.derivation.short_name for r in _derivations_in(path.stem, cell.source)]
            names += here
            shown += [nbformat.v4.new_code_cell(name) for name in here]
    needs = nbformat.v4.new_markdown_cell(
        f"*Written for genmath {__version__}: `pip install .` in a checkout.*"
    )
    checks = nbformat.v4.new_code_cell(
        "from genmath.proof.report import check_derivation\n\n"
        f"for each in ({', '.join(names)},):\n"
        "    print(check_derivation(each)['label'], each.title, sep=': ')"
    )
    notebook.cells = [shown[0], needs, *shown[1:], checks]
    for at, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{at}"
    return str(nbformat.writes(notebook))


# ---- pieces of Markdown --------------------------------------------------------------------------


def _fold(kind: str, title: str, body: str) -> str:
    """A folded block; its title may hold HTML."""
    return f'??? {kind} "{title}"\n\n{textwrap.indent(body, "    ")}'


def _python(source: str) -> str:
    longest = max((len(run) for run in re.findall("`+", source)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{source.strip()}\n{fence}"
