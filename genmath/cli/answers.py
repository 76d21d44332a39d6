"""Answers to a task: the same claim, from the same hypotheses, with no fact added?

An answer is a program, and programs can cheat: replace the checker, print a report, end everything.
So it is run apart, and only what it *claims* is taken from it, as data (`genmath.cli.exchange`).
The claim is compared with the task and checked here, where the answer's code never runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from genmath import book
from genmath.cli import exchange, limits
from genmath.cli.reports import SIGN
from genmath.proof import text
from genmath.proof.language.derivation import Chain, Derivation, Lemma
from genmath.proof.language.tree import (
    Apply,
    Dens,
    Indexed,
    Named,
    Node,
    Relation,
    Symbol,
)
from genmath.proof.report import check_derivation

LARGEST = 4_000_000  # bytes that the reading of one file may return
INSTANCES = "verified on instances"


class TaskError(Exception):
    """A file that cannot serve as a task, in one line."""


# ---- the file is run apart -----------------------------------------------------------------------


def read(path: str, seconds: float) -> dict[str, Any]:
    """What a file claims: {"derivations": data}, or {"error": one line}."""
    return _apart("derivations", path, None, seconds)


def call(path: str, calls: Sequence[tuple[str, Sequence[float]]], seconds: float) -> dict[str, Any]:
    """Call a file's functions: {"values": [number or {"error": line}, ...]}, or {"error": line}."""
    return _apart("values", path, list(calls), seconds)


def _apart(what: str, path: str, request: Any, seconds: float) -> dict[str, Any]:
    module = "genmath.cli.answers"
    command = [sys.executable, "-m", module, what, os.path.abspath(path), str(seconds)]
    # A file, since a pipe stays open as long as some process that the answer left behind.
    above = str(Path(__file__).parents[2])
    path_ = os.pathsep.join(filter(None, [above, os.environ.get("PYTHONPATH")]))
    with (
        tempfile.TemporaryDirectory() as nowhere,  # where no other answer is called sympy.py
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryFile() as asked,
    ):
        asked.write(json.dumps(request).encode())
        asked.seek(0)
        process = subprocess.Popen(
            command,
            stdin=asked,
            stdout=said,
            stderr=subprocess.DEVNULL,
            cwd=nowhere,
            env={**os.environ, "PYTHONPATH": path_},
            start_new_session=True,
        )
        try:
            process.wait(limits.patience(seconds))
        except subprocess.TimeoutExpired:
            return {"error": f"running it took longer than {seconds:g} s, most of it asleep"}
        finally:
            with contextlib.suppress(OSError, AttributeError):
                os.killpg(process.pid, 9)
            process.kill()
            process.wait()
        said.seek(0)
        heard = said.read(LARGEST + 1)
    if limits.spent(process.returncode):
        return {"error": f"running it took longer than {seconds:g} s"}
    if len(heard) > LARGEST:
        return {"error": f"it says more than {LARGEST} bytes"}
    try:
        found = _printable(json.loads(heard))
    except (ValueError, RecursionError):
        return {"error": f"it ended the process that ran it (exit code {process.returncode})"}
    return found if isinstance(found, dict) else {"error": "it says nothing that can be read"}


def _printable(data: Any) -> Any:
    """The same, where no text can move a cursor or begin a line of its own."""
    if isinstance(data, str):
        return "".join(c if c.isprintable() else " " for c in data)
    if isinstance(data, list):
        return [_printable(each) for each in data]
    if isinstance(data, dict):
        return {_printable(key): _printable(value) for key, value in data.items()}
    return data


def _main(what: str, path: str, seconds: str) -> None:
    """In the process apart: run the file, and say in JSON what it holds."""
    limits.allow(float(seconds))
    limits.forbid_more()
    answer_to, request = os.dup(1), json.load(sys.stdin)
    os.dup2(2, 1)  # what the file prints is not what it claims
    try:
        if what == "derivations":
            chapter = book.load_file(path)
            found: Any = exchange.encode([d for d in chapter.derivations if d.file == chapter.file])
        else:
            found = _values(path, request)
        said = {what: found}
    except BaseException as error:
        kind = "" if isinstance(error, book.ChapterError) else f"{type(error).__name__}: "
        said = {"error": f"{kind}{error}".replace(str(Path(path).resolve()), Path(path).name)}
    with os.fdopen(answer_to, "w") as stream:
        json.dump(said, stream)
    os._exit(0)  # nothing that the file has left to be done at the end


def _values(path: str, calls: list[tuple[str, list[float]]]) -> list[Any]:
    import runpy

    functions = runpy.run_path(path, run_name="answer")
    torch = sys.modules.get("torch")  # code for tensors is called with tensors
    number = partial(torch.tensor, dtype=torch.float64) if torch else float
    found: list[Any] = []
    for name, arguments in calls:
        try:
            found.append(float(functions[name](*map(number, arguments))))
        except KeyError:
            found.append({"error": f"there is no function {name}"})
        except NotImplementedError:
            found.append({"error": "missing"})
        except Exception as error:
            found.append({"error": f"{type(error).__name__}: {error}"})
    return found


# ---- compared with the task, and checked ---------------------------------------------------------


def load_task(path: str) -> book.Chapter:
    """A task is a file of derivations with lines left as `...`, and their goals as last lines."""
    try:
        task = book.load_file(path)
    except book.ChapterError as error:
        raise TaskError(str(error)) from None
    for d in task.derivations:
        for chain in d.chains:
            if chain.steps[-1].missing:
                where = f"{Path(path).name}:{chain.steps[-1].line}"
                raise TaskError(
                    f"{where}: the last line of {d.short_name} is ..., so it has no goal"
                )
    return task


def judge(path: str, task_path: str, seconds: float) -> list[dict[str, Any]]:
    """One entry a derivation of the task: its `name`, whether it is `ok`, the `problems`, and the
    checker's `report` on what the answer claims, if it claims anything."""
    task, heard = load_task(task_path), read(path, seconds)
    problem, answers = heard.get("error"), list[Derivation]()
    if problem is None:
        try:
            answers = exchange.decode(heard.get("derivations"), str(Path(path).resolve()))
        except ValueError as error:
            problem = str(error)
    by_name = {d.short_name: d for d in answers}
    found = []
    for asked in task.derivations:
        entry = {"name": asked.short_name, "ok": False, "problems": [], "report": None}
        answer = by_name.get(asked.short_name)
        if answer is None:
            entry["problems"] = [problem or f"there is no derivation called {asked.short_name}"]
        else:
            report = check_derivation(answer, timeout=seconds)
            wrong = list(differences(asked, answer, task.builds_on))
            if report["label"] == INSTANCES and not asked.instances:
                wrong.append("it is shown on instances only")
            entry |= {"ok": report["ok"] and not wrong, "problems": wrong, "report": report}
        found.append(entry)
    return found


def differences(asked: Derivation, answer: Derivation, allowed: frozenset[str]) -> Iterator[str]:
    """In what an answer departs from its task; it may use results of the `allowed` chapters."""
    if answer.dims != asked.dims or answer.cases != asked.cases:
        yield f"it is written for {_range(answer)}, the task for {_range(asked)}"
        return
    if len(answer.chains) != len(asked.chains):
        yield f"it has {len(answer.chains)} chain(s) where the task has {len(asked.chains)}"
        return
    known = {(g.sign, g.left, g.right) for g in asked.given}
    for g in answer.given:
        if (g.sign, g.left, g.right) not in known:
            yield f"it adds a hypothesis: {g!r}"
    yield from _facts(answer, asked, allowed)
    for theirs, ours in zip(answer.chains, asked.chains, strict=True):
        yield from _chain_differences(theirs, ours, answer, asked)


def _chain_differences(
    theirs: Chain, ours: Chain, answer: Derivation, asked: Derivation
) -> Iterator[str]:
    of = f"{ours.name}: " if ours.name else ""
    if theirs.case != ours.case or theirs.name != ours.name:
        yield f"{of}the chains are not those of the task, in its order"
        return
    if theirs.start != ours.start:
        yield f"{of}it starts with {text(theirs.start)}, the task with {text(ours.start)}"
    if theirs.relation != ours.relation:
        yield f"{of}it shows {SIGN[theirs.relation]}, the task asks for {SIGN[ours.relation]}"
    if theirs.steps[-1].missing:
        yield f"{of}its last line is missing"
    elif theirs.last != ours.last:
        yield f"{of}it ends with {text(theirs.last)}, the task with {text(ours.last)}"
    if not set(ours.tight) <= set(theirs.tight):
        yield f"{of}the task also asks when equality holds: tight_when"
    meanings = _meanings(ours, asked.given)
    for (kind, name), said in _meanings(theirs, answer.given).items():
        declared = meanings.get((kind, name))
        if declared is not None and not said <= declared:
            yield f"{of}{kind} {name} is not what the task declares under that name"
        elif declared is None and len(said) > 1:
            yield f"{of}{kind} {name} has two meanings"


def _facts(answer: Derivation, asked: Derivation, allowed: frozenset[str]) -> Iterator[str]:
    """Results of the book that the task does not offer, used here or in a lemma of the answer's."""
    goals = {(c.start, c.relation, c.last) for c in asked.chains}
    seen, waiting = [answer], [answer]
    while waiting:
        for step in waiting.pop().steps:
            for lemma in (b for b in step.because if isinstance(b, Lemma)):
                source, claim = lemma.source, lemma.claim
                if source.file == answer.file:
                    if source not in seen:
                        seen.append(source)
                        waiting.append(source)
                elif (claim.lhs, claim.relation, claim.rhs) in goals:
                    yield f"line {step.line}: it assumes the answer, {source.name}"
                elif source.topic not in allowed:
                    offer = f"results of {', '.join(sorted(allowed))}" if allowed else "none"
                    said = f"it adds a fact, {source.name}; the task offers {offer}"
                    yield f"line {step.line}: {said}"


def _range(d: Derivation) -> str:
    return ", ".join(f"{name} = {values}" for name, values in {**d.cases, "dims": d.dims}.items())


def _meanings(chain: Chain, given: Sequence[Relation]) -> dict[tuple[str, str], set[Any]]:
    """What every name of a chain stands for: one thing, where the author took care."""
    found: dict[tuple[str, str], set[Any]] = {}

    def note(kind: str, name: str, meaning: Any) -> None:
        found.setdefault((kind, name), set()).add(meaning)

    def note_density(density: Any) -> None:
        note("the density", density.name, density)
        if density.dominates is not None:
            note_density(density.dominates)

    for n in _all_nodes(chain, given):
        if isinstance(n, (Symbol, Named)):
            note("the letter", n.name, n)
        elif isinstance(n, Indexed):
            note("the sequence", n.name, n.domain)
        elif isinstance(n, Apply):
            note("the function", n.name, ("convex",) if n.traits == ("conjugate",) else n.traits)
        elif isinstance(n, Dens):
            note_density(n.density)
    return found


def _all_nodes(chain: Chain, given: Sequence[Relation]) -> Iterator[Node]:
    trees = [chain.start, *(s.rhs for s in chain.steps), *(side for t in chain.tight for side in t)]
    trees += [side for g in given for side in (g.left, g.right)]
    for step in chain.steps:
        for reason in step.because:
            trees += [a for _, a in reason.arguments] if isinstance(reason, Lemma) else [reason]
    for n in (n for tree in trees for n in tree.walk()):
        yield n
        yield from (*n.bound, *n.letters)
        for density in n.declared:
            yield from (*density.events, *density.given)


if __name__ == "__main__":
    _main(*sys.argv[1:])
