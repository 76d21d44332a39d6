"""Certificates as the tests write them: terms in parentheses, one line, and what comes of it."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from genmath import book
from genmath.proof.certificate import files
from genmath.proof.kernel import Line, check
from genmath.proof.kernel.document import UNFORESEEN
from genmath.proof.language.derivation import Derivation


@cache
def written(topic: str) -> list[tuple[Derivation, files.Written]]:
    """The certificates of a chapter."""
    return [(d, files.of_derivation(d)) for d in book.chapter(topic).derivations]


TOKENS = re.compile(r"[()]|[^\s()]+")


def term(text: str) -> Any:
    """(ln (* a b)) as the kernel reads it."""
    stack: list[list[Any]] = [[]]
    for token in TOKENS.findall(text):
        if token == "(":
            stack.append([])
        elif token == ")":
            done = stack.pop()
            for i in {"^": [2], "#": [1], "=>": [1]}.get(done[0], []):
                done[i] = int(done[i])
            stack[-1].append(done)
        else:
            stack[-1].append(token)
    (whole,) = stack[0]
    return whole


def relation(text: str) -> list[Any]:
    """a < (f b)"""
    left, sign, right = re.split(r"\s(=|<=|>=|!=|<|>)\s", text)
    return [sign, term(left), term(right)]


def document(
    states: str,
    steps: list[Any],
    given: tuple[str, ...] = (),
    functions: dict[str, Any] | None = None,
    letters: str = "a b c",
    results: tuple[str, ...] = (),
    always: tuple[Any, ...] = (),
) -> dict[str, Any]:
    claim = {
        "letters": letters.split(),
        "functions": functions or {},
        "given": [relation(g) for g in given],
        "results": [{"name": f"r{k}", "says": relation(r)} for k, r in enumerate(results)],
        "states": relation(states),
    }
    if always:
        claim["always"] = [[m, list(map(relation, premises)), relation(f)]
                           for m, premises, f in always]  # fmt: skip
    line = {"line": 1, "claim": claim, "proof": steps}
    return {"format": 1, "derivation": "test.it", "lines": [line]}


def line(*arguments: Any, **more: Any) -> Line:
    """What the kernel says of a proof."""
    (found,) = check(json.dumps(document(*arguments, **more))).lines
    assert UNFORESEEN not in found.rejected
    return found


def accepted(*arguments: Any, **more: Any) -> bool:
    return not line(*arguments, **more).rejected
