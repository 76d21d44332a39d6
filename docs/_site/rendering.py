"""A derivation as HTML: aligned lines with their reasons, then what is known of it.

Formulas come from the tree, verdicts from the report: a report may be older than the printer.
"""

from __future__ import annotations

import html
import inspect
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import certificates
from links import link_names
from maths import inline, line
from results import Result, implementations

from genmath.proof import Derivation
from genmath.proof.certificate.files import verified
from genmath.proof.kernel import Line
from genmath.proof.language.derivation import Chain, Slip, Step
from genmath.proof.language.latex import SIGNS, latex, latex_claim
from genmath.proof.language.tree import Named, Node, Relation
from genmath.proof.report import hypotheses_latex, stated_latex

PRINTED = {"=": "=", ">=": "≥", "<=": "≤", ">": "&gt;", "<": "&lt;"}
MUTANTS = ("made", "killed", "equivalent", "weaker", "survived")


def statement(result: Result) -> str:
    """The chains, each line with its reason, and the label above them."""
    derivation = result.derivation
    *others, last = _by_case(derivation)
    folded = ""
    if others:
        cases = ", ".join(inline(_case_tex(chains[0])) for chains in others)
        body = "".join(_case(result, chains) for chains in others)
        folded = f'<details class="cases"><summary>The same for {cases}</summary>{body}</details>'
    hypotheses = {stated_latex(g): g for g in derivation.given}  # once, of the case that is shown
    return (
        f'<div class="derivation-body">{_label(result)}'
        f"{_case(result, last, hypotheses.values())}{folded}</div>"
    )


def given(hypotheses: Iterable[Relation]) -> str:
    shown = ", ".join(inline(stated_latex(g)) for g in hypotheses)
    return f'<p class="given">Given {shown}.</p>' if shown else ""


def where(sides: Iterable[Node], hypotheses: Iterable[Relation] = ()) -> str:
    """What the defined letters of some formulas stand for, those in their definitions included:
    nobody should have to unfold it."""
    return _where(_meanings([*sides, *_both(hypotheses)]))


Meaning = tuple[str, str]  # a letter and what it stands for, as they are printed


def _meanings(sides: Iterable[Node]) -> list[Meaning]:
    """Each once: what differs in the tree, as in a sign that is assumed, may be printed alike."""
    met = (n for side in sides for n in side.walk() if isinstance(n, Named))
    return list(dict.fromkeys((latex(letter), latex(letter.body)) for letter in met))


def _where(meanings: Iterable[Meaning]) -> str:
    shown = [inline(f"{letter} = {value}") for letter, value in meanings]
    if not shown:
        return ""
    said = "; </span>".join(f'<span class="meaning">{tex}' for tex in shown)
    return f'<p class="where scrolls">where {said}.</span></p>'


def _both(relations: Iterable[Relation]) -> list[Node]:
    return [side for relation in relations for side in (relation.left, relation.right)]


def _case(result: Result, chains: list[Chain], hypotheses: Iterable[Relation] = ()) -> str:
    """The chains of a case over what their letters stand for. Where a letter stands for one thing
    here and another there, each is said where it holds."""
    shown = [given(hypotheses), *(_chain(result, chain) for chain in chains)]
    found = [_meanings(_both(hypotheses)), *(_meanings(_sides(chain)) for chain in chains)]
    every = list(dict.fromkeys(meaning for meanings in found for meaning in meanings))
    letters = Counter(letter for letter, _ in every)
    own = ([m for m in meanings if letters[m[0]] > 1] for meanings in found)
    parts = "".join(part + _where(meanings) for part, meanings in zip(shown, own, strict=True))
    return parts + _where(m for m in every if letters[m[0]] == 1)


def verdicts(result: Result) -> str:
    """Hypotheses, assumptions, what it uses, and both judges' word on every step, folded."""
    report = result.report
    if report is None:
        return '<p class="unchecked">Changed since it was last checked.</p>'
    facts = [
        ("Hypotheses", [inline(tex) for tex in hypotheses_latex(result.derivation)]),
        ("Assumed by the rules", [_assumed(words) for words in report["assumed"]]),
        ("Uses", [link_names(f"`{name}`") for name in report["uses"]]),
        ("Rests on", [f'<a href="../../map/?need={result.anchor}">all of it, on the map</a>']),
        ("Certificate", [_certificate(result)]),
    ]
    rows = "".join(
        f'<dt>{name}</dt><dd class="scrolls">{_each(items)}</dd>' for name, items in facts
    )
    return (
        f'<details class="verdicts"><summary>{_summary(report)}</summary><dl>{rows}</dl>'
        f"{_table(report, certificates.of(result)[1].lines)}</details>"
    )


def _certificate(result: Result) -> str:
    """Where the proof as data is, and how many lines it is one of."""
    file, checked = certificates.of(result)
    whole, under = verified(checked.lines)
    size = file.stat().st_size / 1000
    return (
        f'<a href="../../certificates/{file.name}">{_number(f"{size:.1f}")} kB</a>. '
        f'<a href="../../start/kernel/">The kernel verifies</a>: whole {_number(whole)}, '
        f"but for laws or results {_number(under)}; lines in all {_number(len(checked.lines))}."
    )


def _each(items: Iterable[str]) -> str:
    return "".join(f"<div>{item}</div>" for item in items) or "none"


# What is said in words of what the rules assume; the rest of such a line is a formula as text.
SAID = re.compile(
    "(passes under|may be integrated over|first$|at infinity|has a finite integral|is smooth"
    "|^the density|ranges over the real line|^the densities written as normal are normal"
    "|^where a density vanishes, so do its derivatives)"
)


def _assumed(line: str) -> str:
    parts = (part.strip() for part in SAID.split(line))
    return " ".join(
        part if SAID.match(part) else f"<code>{_plain(part)}</code>" for part in parts if part
    )


def slips(result: Result) -> str:
    """The published mistakes recorded beside this result, each with its counterexample."""
    derivation, report = result.derivation, result.report
    if not derivation.slips or report is None:
        return ""
    recorded = zip(derivation.slips, report["slips"], strict=True)
    shown = "".join(slip(each, found, f"slip-{each.id}") for each, found in recorded)
    alarms = sum(found["wrong"] is None for found in report["slips"])
    mistakes = len(report["slips"]) - alarms
    counted = [_count(mistakes, "published slip"), _count(alarms, "false alarm")]
    title = " and ".join(words for words in counted if words)
    return f'<details class="slips"><summary>{title}</summary>{shown}</details>'


def judgement(report: dict[str, Any], derivation: Derivation) -> str:
    """A derivation with the verdict under every step, for one that need not be right."""
    shown, entries = [], iter(report["steps"])
    for chain in derivation.chains:
        shown.append(f'<div class="line start">{_maths(latex(chain.start))}</div>')
        shown += [_line(step, _verdict(next(entries))) for step in chain.steps]
    label = html.escape(derivation.title)
    return (
        f'<div class="derivation judged" role="group" aria-label="{label}">'
        f'<div class="lines">{"".join(shown)}</div></div>'
    )


def _verdict(found: dict[str, Any]) -> str:
    kind = "right" if found["verdict"] == "proved" else "wrong"
    word = f'<span class="tag {kind}">{found["verdict"]}</span>'
    return f'<div class="verdict">{word}{counterexample(found["counterexample"])}</div>'


def source(derivation: Derivation) -> str:
    """The Python text of a derivation, as it stands in the chapter."""
    lines = Path(derivation.file).read_text("utf-8").splitlines(keepends=True)
    return "".join(inspect.getblock(lines[derivation.line - 1 :])).rstrip()


def in_code(result: Result) -> list[str]:
    """The functions that implement it, by their full names."""
    return implementations().get(result.anchor, [])


# ---- the lines -----------------------------------------------------------------------------------


def _by_case(derivation: Derivation) -> list[list[Chain]]:
    """The chains of each case, T = 1, T = 2, ..., in order; one group where there are no cases."""
    groups: dict[Any, list[Chain]] = {}
    for chain in derivation.chains:
        groups.setdefault(chain.case, []).append(chain)
    return list(groups.values())


def _sides(chain: Chain) -> list[Node]:
    return [chain.start, *(step.rhs for step in chain.steps)]


def _case_tex(chain: Chain) -> str:
    return r",\, ".join(f"{letter} = {value}" for letter, value in chain.case)


def _chain(result: Result, chain: Chain) -> str:
    words = [f"<em>{_words(chain.title)}</em>"] if chain.title else []
    words += [inline(_case_tex(chain))] if chain.case else []
    title = f'<p class="part">{", ".join(words)}</p>' if words else ""
    number = result.chain_number(chain)
    rows = [f'<div class="line start">{_maths(latex(chain.start))}</div>']
    rows += [_line(step) for step in chain.steps]
    tight = "".join(
        f'<p class="tight">Equality holds when {inline(f"{latex(this)} = {latex(other)}")}.</p>'
        for this, other in chain.tight
    )
    label = f"{result.derivation.title}, {number}"
    return (
        f'<div class="chain" id="{result.chain_anchor(chain) if words else f"eq-{number}"}" '
        f'role="group" aria-label="{html.escape(label)}">{title}'
        f'<div class="lines">{"".join(rows)}</div>'
        f'<span class="eqno">({number})</span>{tight}</div>'
    )


def _line(step: Step, verdict: str = "") -> str:
    right = r"\dots" if step.missing else latex(step.rhs)
    return (
        f'<div class="line"><span class="sign" data-tex="{SIGNS[step.relation]}">'
        f"{PRINTED[step.relation]}</span>"
        f'{_maths(right)}<span class="by">{_words(step.by)}</span>{verdict}</div>'
    )


def _maths(tex: str) -> str:
    return f'<div class="formula">{line(tex)}</div>'


def _words(prose: str) -> str:
    """A reason: text with `names` and $formulas$."""
    pieces = re.split(r"\$([^$]+)\$", prose)
    shown = [inline(p) if i % 2 else html.escape(p, quote=False) for i, p in enumerate(pieces)]
    linked = link_names("".join(shown))
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", linked)


def _plain(words: str) -> str:
    return html.escape(words, quote=False)


# ---- the verdict ---------------------------------------------------------------------------------


def kind_of(label: str) -> str:
    """The class of a label's colours: proved, proved-for, ..."""
    return label.split(" for ")[0].replace(" ", "-") + ("-for" if " for " in label else "")


def _label(result: Result) -> str:
    word = result.report["label"] if result.report else "not checked"
    return f'<p class="label label-{kind_of(word)}">{_plain(word)}</p>'


def _summary(report: dict[str, Any]) -> str:
    steps = report["steps"]
    symbolic, numeric = (sum(bool(s[way]) for s in steps) for way in ("symbolic", "numeric"))
    total = {key: sum(s["mutants"][key] for s in steps) for key in MUTANTS}
    survived = _number(total["survived"]) if total["survived"] else "none"
    return (
        f"{_count(len(steps), 'step')}: {_number(symbolic)} proved (A), {_number(numeric)} "
        f"confirmed (B); {_count(total['made'], 'mutant')}, {survived} survived"
    )


def _table(report: dict[str, Any], lines: Iterable[Line]) -> str:
    heads = ("step", "A", "B", "kernel", "mutants", "refuted", "equivalent", "weaker", "survived")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    rows = "".join(
        f"<tr><td>{_words(step['by'])}</td><td>{_mark(step['symbolic'])}</td>"
        f"<td>{_mark(step['numeric'])}</td><td>{_verified(line)}</td>"
        + "".join(f"<td>{step['mutants'][key]}</td>" for key in MUTANTS)
        + "</tr>"
        for step, line in zip(report["steps"], lines, strict=True)
    )
    return (
        '<div class="scrolls"><table class="steps">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _mark(ok: bool) -> str:
    return '<span class="yes">yes</span>' if ok else '<span class="no">no</span>'


def _verified(line: Line) -> str:
    """The kernel's word."""
    if line.without or line.rejected:
        return "–"
    return "but for laws" if line.supposed else '<span class="yes">whole</span>'


def _count(number: int, noun: str) -> str:
    return f"{_number(number)} {noun}{'' if number == 1 else 's'}" if number else ""


def _number(value: int | str) -> str:
    """Apart from the words around it, whose translation is the same for other numbers."""
    return f"<!--number-->{value}<!--/number-->"


# ---- slips ---------------------------------------------------------------------------------------


def slip(recorded: Slip, found: dict[str, Any], anchor: str) -> str:
    """A slip as the chapter has it, and what the judges found of it."""
    published = ""
    if recorded.wrong is not None:
        verdict = f'<span class="tag wrong">published, {found["wrong_verdict"]}</span>'
        published = (
            f'<p class="form">{verdict}</p>'
            f"{_maths(latex_claim(recorded.wrong))}{counterexample(found['counterexample'])}"
        )
    kind = "corrected" if published else "reported as a mistake, and"
    return (
        f'<div class="slip" id="{anchor}"><p class="slip-name"><code>{recorded.id}</code> '
        f"{_plain(recorded.source)}</p>{published}"
        f'<p class="form"><span class="tag right">{kind} {found["right_verdict"]}</span></p>'
        f"{_maths(latex_claim(recorded.right))}<p>{_words(recorded.why)}</p></div>"
    )


def counterexample(found: dict[str, Any] | None) -> str:
    """Both values of a refuted claim, and the world they were found in."""
    if not found or "lhs" not in found:
        return ""
    world = "".join(f"<li>{line}</li>" for line in _world(found.get("world", {})))
    return (
        f'<p class="counterexample">Counterexample: the left side is '
        f"{_number(_rounded(found['lhs']))}, the right side {_number(_rounded(found['rhs']))}.</p>"
        f"<details><summary>in this world</summary><ul>{world}</ul></details>"
    )


def _rounded(value: str) -> str:
    """Six digits where they are a number; an infinity stays what it is."""
    try:
        return f"{float(value):.6g}".replace("-", "−")
    except ValueError:
        return _plain(value)


def _world(world: dict[str, Any], above: str = "") -> Iterable[str]:
    for key, value in world.items():
        name = f"{above}{html.escape(str(key))}"
        if isinstance(value, dict):
            yield from _world(value, f"{name}: ")
        else:
            yield f"<code>{name}</code> = <code>{html.escape(str(value))}</code>"
