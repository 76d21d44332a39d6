"""The checker and the book as tools of agents: a server for the Model Context Protocol."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from genmath import __version__, book
from genmath.cli import console, workers
from genmath.cli.apart import File
from genmath.cli.finding import find
from genmath.cli.reports import SIGN, plain
from genmath.proof import Derivation, text

SECONDS = 20.0  # of processor time, for the file and for each step
MOST = 50  # results of one search

server = MCPServer(
    "genmath",
    version=__version__,
    instructions=(
        "genmath checks derivations in probability and generative modelling, line by line. Write "
        "one in Python with `from genmath.proof import *`, check it, and read the counterexample "
        "and the residual of each step that is not proved. `show_result` shows how the book's own "
        "derivations are written; `chapter('vae').elbo` from `genmath.book` is a lemma."
    ),
)


@server.tool()
def check_derivation(source: str, kernel: bool = False) -> dict[str, Any]:
    """Check every step of the derivations in a Python file, given as its text.

    The file begins with `from genmath.proof import *` and holds functions decorated with
    `@derivation("title")` that call d.start(...), d.equals(..., by="reason"), d.at_least(...) or
    d.at_most(..., because=certificate). Returns `ok`, `text` as `genmath check` prints it, and
    `derivations`, the reports of `genmath check --json`. Slips (d.slip) are not looked at. With
    `kernel` a step is proved only if a small kernel accepts a written proof of it, too.
    """
    file = File("derivation.py", source.encode())
    with workers.Pool() as pool:
        task = workers.Task(("claims", file, kernel, SECONDS), 10 * SECONDS, None)
        ((_, found),) = [done for done in pool.run([task]) if done]
    if found.status != "done":
        said = found.value if found.status == "refused" else f"not checked: {found.status}"
        return {"ok": False, "text": said, "derivations": []}
    width = max(len(report["name"]) for report in found.value)
    lines = [console.line(report, width, False) for report in found.value]
    ok = all(report["ok"] for report in found.value)
    return {"ok": ok, "text": "\n".join(lines), "derivations": plain(found.value)}


@server.tool()
def search_results(query: str, most: int = 10) -> list[dict[str, str]]:
    """Find results of the book by words: of their names, titles, statements and reasons.

    The best come first, each with its `name` (for show_result), `title` and `statement`.
    """
    words = set(re.findall(r"\w+", query.lower()))
    found = []
    for topic in book.topics():
        for d in book.chapter(topic).derivations:
            title = f"{d.name} {d.title} {topic}".lower()
            body = " ".join([d.text, *(step.by for step in d.steps), *_statements(d)]).lower()
            score = sum(3 * (word in title) + (word in body) for word in words)
            found.append((score, d))
    best = sorted((each for each in found if each[0]), key=lambda each: -each[0])
    return [
        {"name": d.name, "title": d.title, "statement": "; ".join(_statements(d))}
        for _, d in best[: min(most, MOST)]
    ]


@server.tool()
def show_result(name: str) -> dict[str, str]:
    """Show one result of the book, such as vae.elbo: its `steps` with their reasons, and the
    `source` it is written in, as a model for your own."""
    try:
        ((_, derivation),) = [each for each in find(name) if each[1].name == name]
    except console.Unreadable as error:
        raise ToolError(str(error)) from None
    except ValueError:
        raise ToolError(f"{name!r} is a topic: search_results lists its results") from None
    return {"steps": console.as_text(derivation), "source": _source(derivation)}


def _statements(derivation: Derivation) -> list[str]:
    claims = [derivation.result(chain) for chain in derivation.chains]
    return [f"{text(c.lhs)} {SIGN[c.relation]} {text(c.rhs)}" for c in claims]


def _source(derivation: Derivation) -> str:
    """The function, with its decorator."""
    written = Path(derivation.file).read_text("utf-8")
    for node in ast.walk(ast.parse(written)):
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            first = min(each.lineno for each in node.decorator_list)
            if first <= derivation.line <= (node.end_lineno or first):
                return "\n".join(written.splitlines()[first - 1 : node.end_lineno])
    return ""
