"""Exercises. Each is one file, its solution; the task is what is left without the marked parts.

    d.equals(2 * a, by="collect")  # fill            the line becomes `...`
    d.at_least(0, by="a square", because=a**2)  # fill because
    def variance(beta):  # fill                      the body becomes `raise NotImplementedError`

A line left out must be there in the answer: the task marks it `# step` (`genmath.cli.answers`).
What follows a line `# %% grades` is no part of the task: GRADES, which ties functions to results.
"""

from __future__ import annotations

import ast
import io
import math
import random
import re
import runpy
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from genmath import book
from genmath.cli import apart
from genmath.cli.apart import Call, File
from genmath.proof.functions import Compiled, compile_tree
from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Derivation, Part, Slip
from genmath.proof.language.text import text
from genmath.proof.language.tree import Fn, Named, Node, Pow, Symbol, transform
from genmath.proof.mutate import mutants

GRADES = "# %% grades"
MARK = re.compile(r"#\s*fill\b(?: (because))?\s*$")
STEP = "# step"  # in a task: this line must be there
DRAWS, FEWEST = 16, 8  # worlds in which a function is tried
CLOSE = 1e-8


# ---- the files -----------------------------------------------------------------------------------


def folder() -> Path:
    """Where the exercises are: inside the package, else beside it in a checkout."""
    here = Path(__file__).resolve().parents[1]
    inside = here / "exercises"
    return inside if inside.is_dir() else here.parent / "exercises"


@dataclass(frozen=True)
class Exercise:
    """`vae/two_ways`: the topic it belongs to, and its own name."""

    file: Path

    @property
    def name(self) -> str:
        return f"{self.file.parent.name}/{self.file.stem}"

    @cached_property
    def source(self) -> str:
        return self.file.read_text("utf-8")

    @cached_property
    def title(self) -> str:
        return self._words.splitlines()[0].rstrip(".")

    @property
    def text(self) -> str:
        """What is asked, in Markdown."""
        return self._words.partition("\n")[2].strip()

    @property
    def _words(self) -> str:
        return ast.get_docstring(ast.parse(self.source)) or self.name

    @property
    def has_derivations(self) -> bool:
        return "@derivation" in self.source

    @property
    def has_functions(self) -> bool:
        return GRADES in self.source

    @property
    def solution(self) -> str:
        return _unmarked(self.source)

    @property
    def task(self) -> str:
        return self.task_in(self.file.name)

    def task_in(self, file: str) -> str:
        """What is asked, as it stands in a file of that name."""
        return f"{self._header(file)}\n{_unmarked(_with_gaps(self.source), STEP)}"

    def solution_in(self, file: str) -> str:
        """The same, solved."""
        return f"{self._header(file)}\n{self.solution}"

    @property
    def header(self) -> str:
        return self._header(self.file.name)

    def _header(self, file: str) -> str:
        return f"# Exercise {self.name}. Check it: genmath exercise check {file}"

    @property
    def on_tensors(self) -> bool:
        """Whether its functions are called with batches."""
        return "import torch" in self.source

    def grades(self) -> list[Grade]:
        if not self.has_functions:
            return []
        found: list[Grade] = runpy.run_path(str(self.file), run_name="exercise")["GRADES"]
        return found


def exercises() -> list[Exercise]:
    """All of them, by topic in the order of the book, and by name."""
    found = sorted(folder().glob("*/[!_]*.py"))
    order = [*book.topics(), *sorted({f.parent.name for f in found})]
    return [Exercise(f) for f in sorted(found, key=lambda f: (order.index(f.parent.name), f.stem))]


def exercise_of(source: str) -> Exercise | None:
    """The exercise that a file answers: its first line says so."""
    said = re.match(r"\ufeff?# Exercise ([\w/]+)\.", source)
    return next((e for e in exercises() if said and e.name == said[1]), None)


def _unmarked(source: str, instead: str = "") -> str:
    """Without what is no part of the file a person gets; `instead` marks the lines of chains."""
    kept = source.partition(f"\n{GRADES}")[0].rstrip() + "\n"
    lines = [
        MARK.sub("" if line.startswith("def ") else instead, line).rstrip()
        for line in kept.splitlines()
    ]
    return "\n".join(lines) + "\n"


def _with_gaps(source: str) -> str:
    """Every marked line, certificate and body left out."""
    text_ = source.encode()
    for begin, end, gap in reversed(gaps(source)):
        text_ = text_[:begin] + gap + text_[end:]
    return text_.decode()


def gaps(source: str) -> list[tuple[int, int, bytes]]:
    """Where the marked parts are, in bytes, in order; and what stands there in the task."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    found = [(t.start[0], MARK.search(t.string)) for t in tokens if t.type == tokenize.COMMENT]
    marked = {line: mark[1] for line, mark in found if mark}
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))

    def place(first: ast.stmt | ast.expr, last: ast.stmt | ast.expr) -> tuple[int, int]:
        begin = starts[first.lineno - 1] + first.col_offset
        return begin, starts[(last.end_lineno or 0) - 1] + (last.end_col_offset or 0)

    edits: list[tuple[int, int, bytes]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.lineno in marked:
            body = node.body[1:] if ast.get_docstring(node) else node.body
            edits.append((*place(body[0], body[-1]), b"raise NotImplementedError"))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            because = {k.arg: k.value for k in node.value.keywords}.get("because")
            for at in range(node.lineno, (node.end_lineno or 0) + 1):
                if at in marked:
                    left_out = because if marked[at] else node.value.args[0]
                    if left_out is None:
                        raise ValueError(f"line {at}: there is no because= to leave out")
                    edits.append((*place(left_out, left_out), b"..."))
    return sorted(edits)


# ---- functions are graded by checked results -----------------------------------------------------


@dataclass(frozen=True)
class Grade:
    """A function of numbers, and the checked result whose side it must compute.

    `letters` are the result's, in the order of the function's arguments; a defined letter among
    them is then an argument, drawn from its `domains`. `wrong` holds slips that are likely here:
    what to say of each, and its formula.
    """

    function: str
    result: Derivation | Part | Claim | Node
    letters: tuple[str, ...]
    side: str = "rhs"
    wrong: dict[str, Node] = field(default_factory=dict)
    domains: dict[str, str] = field(default_factory=dict)
    of: Derivation | None = None  # where the result stands, if it is a part of a formula

    @property
    def tree(self) -> Node:
        found = self.result
        if isinstance(found, Node):
            return found
        claim = found if isinstance(found, Claim) else (
            found.conclusion if isinstance(found, Derivation) else found.claim
        )  # fmt: skip
        return claim.lhs if self.side == "lhs" else claim.rhs

    @property
    def source(self) -> Derivation:
        found: object = self.of or getattr(self.result, "source", self.result)
        if not isinstance(found, Derivation):
            raise ValueError(f"{self.function}: of=... names the derivation it is a part of")
        return found

    def worlds(self) -> list[tuple[list[float], float]]:
        """Arguments, and what the result gives for them."""
        draw, truth = random.Random(self.function), self.compiled(self.tree)
        domains = {n.name: n.domain for n in self.tree.walk() if isinstance(n, Symbol)}
        domains = {**dict.fromkeys(self.letters, "real"), **domains, **self.domains}
        found: list[tuple[list[float], float]] = []
        for _ in range(4 * DRAWS):
            arguments = [_draw(domains[letter], draw) for letter in self.letters]
            value = _value(truth, self.letters, arguments)
            if math.isfinite(value) and len(found) < DRAWS:
                found.append((arguments, value))
        if len(found) < FEWEST:
            raise ValueError(f"{self.function}: too few worlds in which the result is defined")
        return found[: len(found) // 2 * 2]  # a batch has two columns

    def compiled(self, tree: Node) -> Compiled:
        """A tree as a function of the letters. ValueError where it has others."""
        defined = {n.name for n in tree.walk() if isinstance(n, Named)}
        made = compile_tree(tree, "numpy", free=defined & set(self.letters))
        if not set(made.arguments) <= set(self.letters):
            raise ValueError(f"{self.function}: {text(tree)} has other letters")
        return made

    def hint(self, said: Sequence[float]) -> str:
        """The likely slip whose formula gives these values; "" if none does."""
        worlds = self.worlds()
        for words, tree in self._slips():
            try:
                wrong = self.compiled(tree)
            except ValueError:
                continue
            of = [_value(wrong, self.letters, arguments) for arguments, _ in worlds]
            if all(_close(a, b) for a, b in zip(said, of, strict=True)):
                return words
        return ""

    def _slips(self) -> Iterator[tuple[str, Node]]:
        """Those foreseen, those recorded beside the result, and all that the checker can make."""
        yield from self.wrong.items()
        worlds = self.worlds()
        for slip in self.source.slips:
            if slip.wrong is None:
                continue
            for right, wrong in (
                (slip.right.rhs, slip.wrong.rhs),
                (slip.right.lhs, slip.wrong.lhs),
            ):
                if right != wrong and self._is(right, worlds):
                    yield f"{slip.why} ({slip.source})", wrong
        tree = self.tree
        for name, whole in (("root", Fn("sqrt", tree)), ("square", Pow(tree, 2))):
            yield f"this is the {name} of what is asked for", whole
        spelled_out = transform(tree, lambda n: _spell_out(n) if isinstance(n, Named) else None)
        for form in dict.fromkeys((tree, spelled_out)):
            for what, broken in mutants(Claim(form, "=", form)):
                if broken.rhs != form:
                    yield f"this is {text(broken.rhs)} ({what})", broken.rhs

    def _is(self, tree: Node, worlds: list[tuple[list[float], float]]) -> bool:
        try:
            compiled = self.compiled(tree)
        except ValueError:
            return False
        return all(_close(_value(compiled, self.letters, a), value) for a, value in worlds)


def recorded(derivation: Derivation, slip: str) -> Slip:
    """A slip that is recorded beside a result, by its id."""
    return next(s for s in derivation.slips if s.id == slip)


def _spell_out(named: Named) -> Node:
    return transform(named.body, lambda n: _spell_out(n) if isinstance(n, Named) else None)


def _draw(domain: str, draw: random.Random) -> float:
    low, high = {"real": (-2, 2), "unit": (0.03, 0.97), "at_least_one": (1, 3)}.get(
        domain, (0.1, 3)
    )
    return round(draw.uniform(low, high), 4)


def _value(compiled: Compiled, letters: Sequence[str], arguments: Sequence[float]) -> float:
    """One value, where a vector has one coordinate; nan where there is none."""
    wanted = {n: v for n, v in zip(letters, arguments, strict=True) if n in compiled.arguments}
    shapes = {n.name: n.shape for n in compiled.tree.walk() if isinstance(n, Symbol)}
    usual = max(shapes.values(), default="")  # of a defined letter
    try:
        value = compiled(**{n: [v] if shapes.get(n, usual) else v for n, v in wanted.items()})
        return float(np.asarray(value).item())
    except (ArithmeticError, ValueError, TypeError):
        return math.nan


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= CLOSE * max(1.0, abs(other))


def grade(
    file: File, grades: Sequence[Grade], seconds: float, on_tensors: bool
) -> list[dict[str, Any]]:
    """One entry a function: its `name`, whether it is `ok`, and what is wrong, with a `hint`."""
    worlds = [g.worlds() for g in grades]
    calls = [
        Call(g.function, [point for point, _ in of]) for g, of in zip(grades, worlds, strict=True)
    ]
    heard = apart.call(file, calls, seconds)
    return [
        {"name": g.function, **_graded(g, of, said, on_tensors)}
        for g, of, said in zip(grades, worlds, heard, strict=True)
    ]


def _graded(
    g: Grade, worlds: list[tuple[list[float], float]], said: dict[str, Any], on_tensors: bool
) -> dict[str, Any]:
    values, batch = said.get("values"), said.get("batch")
    if not isinstance(values, list) or len(values) != len(worlds):
        return _failed(str(said.get("error", "it says nothing that can be read")))
    for (arguments, value), answer in zip(worlds, values, strict=True):
        shown = f"{g.function}({', '.join(map(str, arguments))})"
        if isinstance(answer, dict):
            problem = str(answer.get("error"))
            return _failed(problem if problem == "missing" else f"{shown} raises {problem}")
        if not isinstance(answer, (int, float)) or not _close(answer, value):
            numbers = [float(s) if isinstance(s, (int, float)) else math.nan for s in values]
            problem = f"{shown} is {answer}, but {g.source.name} gives {value:.10g}"
            return _failed(problem, g.hint(numbers))
    if isinstance(batch, dict) and "shape" in batch:
        shapes = f"shape {batch['shape']} for a batch of shape {batch.get('expected')}"
        return _failed(f"{g.function} gives {shapes}: it takes each number for itself")
    if isinstance(batch, dict) and on_tensors:  # a function of numbers may take no batch
        return _failed(f"{g.function}, called with a batch, raises {batch.get('error')}")
    if isinstance(batch, list):
        expected = [value for _, value in worlds]
        right = len(batch) == len(expected) and all(
            isinstance(b, (int, float)) and _close(b, v)
            for b, v in zip(batch, expected, strict=True)
        )
        if not right:
            problem = f"{g.function}, called with a batch, mixes its entries"
            return _failed(f"{problem}: called with one at a time it is right")
    return {"ok": True, "problem": "", "hint": ""}


def _failed(problem: str, hint: str = "") -> dict[str, Any]:
    return {"ok": False, "problem": problem, "hint": hint}
