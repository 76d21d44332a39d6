"""Answers compared with a task: the same claim, from the same hypotheses, with no fact added?

On the command line an answer is run apart (`genmath.cli.answers`); in the reader's browser, where
there is nobody to be deceived, it is not.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genmath.cli import exchange
from genmath.cli.reports import SIGN, Report
from genmath.proof import text
from genmath.proof.language.derivation import Chain, Derivation, Lemma, Step
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

INSTANCES = "verified on instances"
NOTHING: Report = {"label": "", "steps": [], "problems": [], "remarks": [], "assumed": []}
WANTED = re.compile(r"#\s*step\s*$")


class TaskError(Exception):
    """A file that cannot serve as a task, in one line."""


@dataclass(frozen=True)
class Task:
    """What is asked: derivations with lines left as `...`, and their goals as last lines. It is
    data, so that it can be sent to who judges; no answer ever meets the file it came from."""

    path: str
    claims: Any  # as genmath.cli.exchange has it
    builds_on: frozenset[str]  # the chapters whose results it offers
    wanted: frozenset[int]  # the lines that must be there

    @property
    def derivations(self) -> list[Derivation]:
        return exchange.decode(self.claims, self.path)


def task(path: str, source: str, claims: Any, builds_on: Iterable[str]) -> Task:
    """What a file asks that claims this. TaskError where it has no goal."""
    found = Task(path, claims, frozenset(builds_on), frozenset(marked(source, WANTED)))
    for d in found.derivations:
        for chain in d.chains:
            if chain.steps[-1].missing:
                where = f"{Path(path).name}:{chain.steps[-1].line}"
                raise TaskError(
                    f"{where}: the last line of {d.short_name} is ..., so it has no goal"
                )
    return found


def marked(source: str, mark: re.Pattern[str]) -> set[int]:
    """The lines of the statements that carry a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    found = {t.start[0] for t in tokens if t.type == tokenize.COMMENT and mark.search(t.string)}
    spans = [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
    ]
    return {line for span in spans if found & set(span) for line in span}


def judge(
    task: Task, path: str, claims: Any, problem: str | None, seconds: float | None
) -> list[dict[str, Any]]:
    """One entry a derivation of the task: its `name`, whether it is `ok`, the `problems`, the
    checker's `report` on what the answer claims, if it claims anything, and how many lines and
    certificates the task has `left_out` and are `right`. `problem` is why it claims nothing."""
    answers: list[Derivation] = []
    if problem is None:
        try:
            answers = exchange.decode(claims, path)
        except ValueError as error:
            problem = str(error)
    by_name = {d.short_name: d for d in answers}
    found = []
    for asked in task.derivations:
        entry = {"name": asked.short_name, "ok": False, "problems": [], "report": None, "right": 0}
        entry["left_out"] = sum(step.unfilled for step in asked.steps)
        answer = by_name.get(asked.short_name)
        if answer is None:
            entry["problems"] = [problem or f"there is no derivation called {asked.short_name}"]
        else:
            report = check_derivation(answer, timeout=seconds, strict=False)
            wrong = list(differences(asked, answer, task.builds_on))
            if not wrong and not report["problems"]:
                entry["right"] = right_lines(asked, answer, report)
            wrong += missing_steps(asked, answer, task.wanted)
            if report["label"] == INSTANCES and not asked.instances:
                wrong.append("it is shown on instances only")
            entry |= {"ok": report["ok"] and not wrong, "problems": wrong, "report": report}
            if entry["ok"]:
                entry["right"] = entry["left_out"]
        found.append(entry)
    return found


def judgement(entry: dict[str, Any]) -> Report:
    """The checker's report on an answer, with what the comparison says."""
    name, report = entry["name"], entry["report"] or NOTHING
    of = {"name": name, "title": name, **report}
    return {**of, "ok": entry["ok"], "problems": [*entry["problems"], *report["problems"]]}


def missing_steps(asked: Derivation, answer: Derivation, wanted: frozenset[int]) -> Iterator[str]:
    """The lines the task wants and the answer does not have. A line is found by its reason, or by
    what it says; one in other words stands for a wanted one as well, a repetition for none."""
    for ours, theirs in zip(asked.chains, answer.chains, strict=False):
        spare = [s for s in theirs.steps[:-1] if s.missing or s.rhs not in (s.lhs, ours.last)]
        of = f"{ours.name}: " if ours.name else ""
        for step in _gone(ours.steps[:-1], spare, wanted):
            yield f'{of}missing: the line by "{step.by}", which the task asks for'


def _gone(steps: Sequence[Step], spare: Sequence[Step], wanted: Collection[int]) -> list[Step]:
    """Those on `wanted` lines for which none of the spare ones stands."""
    left, gone = list(spare), []
    for step in steps:
        there = next((s for s in left if _same_line(step, s)), None)
        if there is not None:
            left.remove(there)
        elif step.line in wanted:
            gone.append(step)
    return gone[len(left) :]


def right_lines(asked: Derivation, answer: Derivation, report: Report) -> int:
    """How many of the lines and certificates that the task leaves out are right: joined to the
    first line of their chain, or to the last, by steps that are all proved."""
    proved = iter(step["verdict"] == "proved" for step in report["steps"])
    found = 0
    for ours, theirs in zip(asked.chains, answer.chains, strict=True):
        stands = [next(proved) for _ in theirs.steps]
        good = [
            step
            for at, step in enumerate(theirs.steps[:-1])
            if not step.missing
            and step.rhs not in (step.lhs, ours.last)
            and (all(stands[: at + 1]) or all(stands[at + 1 :]))
        ]
        gaps = {step.line for step in ours.steps if step.missing}
        found += len(gaps) - len(_gone(ours.steps[:-1], good, gaps))
        certified = {s.rhs for s, well in zip(theirs.steps, stands, strict=True) if well}
        found += sum(step.uncertified and step.rhs in certified for step in ours.steps)
    return found


def _same_line(asked: Step, there: Step) -> bool:
    return there.by == asked.by or (not asked.missing and there.rhs == asked.rhs)


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
            note("the function", n.name, n.stated)
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
