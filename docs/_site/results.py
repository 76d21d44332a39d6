"""The results of the book as the site knows them: number, verdict, what implements them."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from genmath import book
from genmath.proof import Derivation
from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Chain

ROOT = Path(__file__).resolve().parents[2]
VERDICTS = ROOT / ".cache" / "verdicts"
NAME = re.compile(r"(?P<full>(?P<topic>[a-z_]+)\.(?P<short>[a-z_0-9]+))(\[(?P<part>\w+)\])?")


class SiteError(Exception):
    """What keeps the site from being built, in one line."""


@dataclass(frozen=True)
class Result:
    """One derivation, its place in the book, and what `genmath check --mutants` said of it."""

    derivation: Derivation
    number: str
    report: dict[str, Any] | None  # None where no current verdict is at hand

    @property
    def anchor(self) -> str:
        return self.derivation.name

    def chain_number(self, chain: Chain) -> str:
        """2.3, or 2.3a, 2.3b, ... where the derivation has several parts."""
        chains = self.derivation.chains
        if len(chains) == 1:
            return self.number
        at = next(i for i, other in enumerate(chains) if other is chain)
        letters = string.ascii_lowercase
        suffix = letters[at] if at < 26 else letters[at // 26 - 1] + letters[at % 26]
        return self.number + suffix

    def chain_anchor(self, chain: Chain) -> str:
        words = [chain.name] if chain.name else []
        words += [f"{letter}{value}" for letter, value in chain.case]
        return "-".join([self.anchor, *words])


@dataclass(frozen=True)
class Mention:
    """A result, or one part of it, as prose names it: `vae.elbo`, `vae.evidence[variance]`."""

    result: Result
    chain: Chain
    whole: bool

    @property
    def number(self) -> str:
        return self.result.number if self.whole else self.result.chain_number(self.chain)

    @property
    def anchor(self) -> str:
        return self.result.anchor if self.whole else self.result.chain_anchor(self.chain)

    @property
    def claim(self) -> Claim:
        return self.result.derivation.result(self.chain)


@cache
def results() -> dict[str, Result]:
    """Every result of the book by its full name, numbered in reading order."""
    found: dict[str, Result] = {}
    for chapter_number, topic in enumerate(book.topics(), 1):
        chapter = book.chapter(topic)
        reports = verdicts(topic)
        for at, derivation in enumerate(chapter.derivations, 1):
            report = reports.get(derivation.name)
            found[derivation.name] = Result(derivation, f"{chapter_number}.{at}", report)
    return found


def mention(name: str) -> Mention | None:
    """What a dotted name means, or None where its first word is no chapter."""
    match = NAME.fullmatch(name)
    if not match or match["topic"] not in book.topics():
        return None
    result = results().get(match["full"])
    if result is None:
        raise SiteError(f"`{name}` is named, but {match['topic']} has no such derivation")
    if not match["part"]:
        return Mention(result, result.derivation.chains[-1], whole=True)
    try:
        return Mention(result, result.derivation[match["part"]].chain, whole=False)
    except LookupError as error:
        raise SiteError(f"`{name}` is named, but {error}") from None


def verdict_file(topic: str) -> Path:
    return VERDICTS / f"{topic}.json"


def verdicts(topic: str) -> dict[str, dict[str, Any]]:
    """The current reports of a chapter; empty where they are missing or belong to another text."""
    try:
        document = json.loads(verdict_file(topic).read_text("utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    key = book.chapter(topic).key
    reports = {report["name"]: report for report in document["derivations"]}
    names = {derivation.name for derivation in book.chapter(topic).derivations}
    fresh = all(report["key"] == key for report in reports.values()) and set(reports) == names
    return reports if fresh else {}


def stale_topics() -> list[str]:
    return [topic for topic in book.topics() if not verdicts(topic)]


@cache
def implementations() -> dict[str, list[str]]:
    """For each result, the torch functions whose docstring says that they implement it; a recipe
    trains by those and implements nothing."""
    found: dict[str, list[str]] = {}
    recipes = ROOT / "genmath/train/recipes"
    for file in sorted({*(ROOT / "genmath").rglob("*.py")} - {*recipes.glob("*.py")}):
        tree = ast.parse(file.read_text("utf-8"))
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for path, docstring in _documented(tree, module):
            for line in re.findall(r"^\s*Result: (.+)$", docstring, re.MULTILINE):
                for name in re.split(r",\s*", line.strip()):
                    known = mention(name)
                    if known is None:
                        raise SiteError(f"{path} implements `{name}`, which is no result")
                    found.setdefault(known.result.anchor, []).append(_as_imported(path))
    return found


def _as_imported(path: str) -> str:
    """What is written in a room that nobody imports by name, by the topic that exports it."""
    package, room, *rest = path.split(".")
    if room != "_base":
        return path
    return ".".join([package, _exports()[rest[1]], *rest[1:]])


@cache
def _exports() -> dict[str, str]:
    """For each public name of a topic the topic."""
    found = {}
    for file in sorted((ROOT / "genmath").glob("*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                found.update(dict.fromkeys(ast.literal_eval(node.value), file.stem))
    return found


def _documented(node: ast.AST, path: str) -> Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            inner = f"{path}.{child.name}"
            if docstring := ast.get_docstring(child):
                yield inner, docstring
            if isinstance(child, ast.ClassDef):
                yield from _documented(child, inner)


@cache
def slip_ids() -> dict[str, Result]:
    """Every recorded slip and false alarm, with the result it stands beside."""
    return {slip.id: r for r in results().values() for slip in r.derivation.slips}
