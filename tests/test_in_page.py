"""What the browser runs when a cell is checked, run here: the page itself is in tests/site."""

from __future__ import annotations

import importlib.util
import inspect
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from genmath import book
from genmath.cli import answers, exercises
from genmath.cli.apart import File

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = (ROOT / "docs" / "examples" / "yours.py").read_text("utf-8")

spec = importlib.util.spec_from_file_location("in_page", ROOT / "docs" / "_site" / "in_page.py")
assert spec
assert spec.loader
in_page = importlib.util.module_from_spec(spec)
spec.loader.exec_module(in_page)


def check(cell: str, name: str = "") -> dict[str, Any]:
    return json.loads(in_page.check(cell, name))


def cell_of(name: str) -> str:
    topic, _, short = name.partition(".")
    derivation = getattr(book.chapter(topic), short)
    lines = Path(derivation.file).read_text("utf-8").splitlines(keepends=True)
    return "".join(inspect.getblock(lines[derivation.line - 1 :]))


@pytest.mark.parametrize("topic", book.topics())
def test_every_cell_of_a_chapter_is_as_claimed_in_its_place(topic: str) -> None:
    for derivation in book.chapter(topic).derivations:
        said = check(cell_of(derivation.name), derivation.name)
        assert [report["name"] for report in said["reports"]] == [derivation.name]
        assert said["reports"][0]["ok"], said["reports"][0]["problems"]


def test_a_wrong_step_has_the_words_of_the_command_line() -> None:
    right = cell_of("vae.decomposition")
    (report,) = check(right.replace("+ KL", "- KL", 1), "vae.decomposition")["reports"]
    assert not report["ok"]
    assert [step["verdict"] for step in report["steps"]] == ["refuted", "refuted"]
    assert report["steps"][0]["line"] == 4  # of the cell, not of the chapter
    assert any(line.startswith("counterexample: lhs = ") for line in report["steps"][0]["why"])


def test_a_cell_finds_only_what_stands_before_it() -> None:
    cell = "@derivation('x')\ndef mine(d):\n    d.start(log(p(x)))\n    d.equals({}, by='x')\n"
    assert "reports" in check(cell.format("w"), "vae.elbo_jensen")
    assert "name 'w' is not defined" in check(cell.format("w"), "vae.elbo")["error"]
    assert "name 'derivation' is not defined" in check(cell)["error"]


def test_a_file_of_ones_own() -> None:
    said = check(TEMPLATE.replace("import *", "import *\n\nprint('hello')"))
    assert [report["name"] for report in said["reports"]] == ["yours.split", "yours.log_normal"]
    assert all(report["ok"] for report in said["reports"])
    assert said["printed"] == "hello\n"


def test_a_forgotten_hypothesis_leaves_a_step_open() -> None:
    """As docs/start/yours.md says of the template."""
    report, _ = check(TEMPLATE.replace(", positive=True", ""))["reports"]
    assert "open" in [step["verdict"] for step in report["steps"]]
    assert any(line.startswith("because:") for step in report["steps"] for line in step["why"])


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("", "holds no derivation"),
        ("x = 1", "holds no derivation"),
        ("while", "line 1: SyntaxError"),
        ("\n\nd.start(", "line 3: SyntaxError"),
        ("\nfoo", "line 2: NameError: name 'foo'"),
        ("log(0.5)", "line 1: NotationError: 0.5 is a float"),
        ("raise SystemExit", "line 1: SystemExit"),
        ("variables = 1 / 0", "line 1: ZeroDivisionError"),
    ],
)
def test_a_cell_that_cannot_be_read_says_why(cell: str, said: str) -> None:
    error = check(cell, "vae.elbo")["error"]
    assert said in error
    assert tempfile.gettempdir() not in error
    assert in_page.__file__ not in error


def test_a_failure_of_the_checker_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(in_page, "check_derivation", fail)
    assert check(TEMPLATE)["error"] == "the checker failed: RuntimeError: broken"


def test_what_is_printed_is_cut() -> None:
    assert len(check(f"print('x' * 10**6)\n{TEMPLATE}")["printed"]) == in_page.PRINTED


TWO_WAYS = next(e for e in exercises.exercises() if e.name == "vae/two_ways")
SOLVED = TWO_WAYS.solution
JENSEN, KNOWN = "because=E(q(z | x), log_gap(w / p(x)))", "because=chapter('vae').elbo_jensen()"
END = "d.equals(KL(q(z | x), p(z | x)), by"
WITHOUT = [line for line in TWO_WAYS.task.splitlines() if "d.equals(...," not in line]
ANSWERS = {
    "the solution": (SOLVED, True),
    "the task": (TWO_WAYS.task, False),
    "without the lines": ("\n".join(WITHOUT), False),
    "another end": (SOLVED.replace(END, END.replace(", by", " + 0 * x, by")), False),
    "another claim": (SOLVED.replace("d.start(log(p(x)))", "d.start(log(p(x)) + 1)"), False),
    "one left out": (SOLVED.partition('@derivation("Why')[0], False),
    "the answer assumed": (SOLVED.replace(JENSEN, KNOWN), False),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_exercise_is_judged_as_on_the_command_line(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, solved = ANSWERS[case]
    assert case == "the solution" or text != SOLVED
    asked = tmp_path / "exercises" / "vae" / "two_ways.py"
    asked.parent.mkdir(parents=True)
    asked.write_text(TWO_WAYS.task, "utf-8")
    monkeypatch.setattr(in_page, "HERE", tmp_path)
    in_page._task.cache_clear()
    said = json.loads(in_page.check(text, exercise=TWO_WAYS.name))
    assert said["solved"] is solved
    task = answers.load_task(File(str(asked), TWO_WAYS.task.encode()), 60)
    there = answers.judge(File(str(tmp_path / "yours.py"), text.encode()), task, 60)
    assert [entry["ok"] for entry in there] == [report["ok"] for report in said["reports"]]
    for entry, report in zip(there, said["reports"], strict=True):
        assert entry["problems"] == report["problems"][: len(entry["problems"])]
        if entry["report"]:
            steps = entry["report"]["steps"]
            assert [s["verdict"] for s in steps] == [s["verdict"] for s in report["steps"]]
