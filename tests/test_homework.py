"""Answers to a task, honest ones and hostile ones, each run apart."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from genmath import book
from genmath.cli import apart, exchange, limits, tasks
from genmath.cli.apart import File
from tests.cli import command
from tests.cli.command import Done

ROOT = Path(__file__).resolve().parents[1]

TASK = """\
from genmath.book import chapter
from genmath.proof import *

x, z = variables("x z")
p = Density("p_theta", x, z, positive=True)
q = Density("q_phi", z, given=x)
kl_nonnegative = chapter("divergences").kl_nonnegative


@derivation("The evidence lower bound")
def elbo(d):
    d.start(log(p(x)))
    d.equals(..., by="q integrates to one")
    d.equals(..., by="Bayes' rule")
    d.at_least(E(q(z | x), log(p(x, z) / q(z | x))), by="...", because=...)
"""
MEAN = 'd.equals(E(q(z | x), log(p(x))), by="q integrates to one")'
SPLIT = (
    """d.equals(E(q(z | x), log(p(x, z) / q(z | x))) + KL(q(z | x), p(z | x)), by="Bayes' rule")"""
)
LEMMA = 'by="KL >= 0", because=kl_nonnegative(q(z | x), p(z | x)))'
RIGHT = (
    TASK.replace('d.equals(..., by="q integrates to one")', MEAN)
    .replace("""d.equals(..., by="Bayes' rule")""", SPLIT)
    .replace('by="...", because=...)', LEMMA)
)
GOAL = f"d.at_least(E(q(z | x), log(p(x, z) / q(z | x))), {LEMMA}"
JUMP = TASK.split("    d.equals(...")[0]  # the task up to its first line
SHORT = f"{JUMP}    d.at_least(E(q(z | x), log(p(x, z) / q(z | x))), "
OTHER_PROVER = """
import genmath.proof.check, genmath.proof.report, genmath.proof.symbolic.judge, genmath.proof.numeric.judge
import genmath.proof.language.tree
from genmath import book
from genmath.cli import answers, exchange, limits, tasks
from tests.cli import command
from tests.cli.command import Done

class Fine:
    proved = True; lemmas = []; hypotheses = []; consulted = set(); assumed = set(); verdict = "agree"
    normal = False; certificate = None; reason = ""; residual = None; counterexample = None
    def __init__(self, *_, **__): pass

for module in (genmath.proof.check, genmath.proof.symbolic.judge):
    module.prove = Fine
genmath.proof.numeric.judge.compare = genmath.proof.numeric.compare = Fine
genmath.proof.report.check_derivation = lambda *_, **__: {"ok": True, "label": "proved", "steps": [], "problems": []}
genmath.proof.language.tree.Node.__eq__ = lambda *_: True
tasks.differences = lambda *_: iter(())
answers.judge = lambda *_: [{"name": "elbo", "ok": True, "problems": [], "report": None}]
tasks.judge = answers.judge
"""
FAKE = '{"schema": 1, "file": "fake.py", "ok": true, "problem": null, "derivations": []}'
WRONG = RIGHT.replace("+ KL(", "- KL(")

HONEST = {
    "right": RIGHT,
    "one_more_line": RIGHT.replace(
        SPLIT, f"""d.equals(E(q(z | x), log(p(x, z) / p(z | x))), by="Bayes' rule")\n    {SPLIT}"""
    ),
    "one_line": RIGHT.replace(MEAN, "").replace(SPLIT, ""),
    "own_lemma": f"""{RIGHT.split("@derivation")[0]}
u, v = Density("u", z), Density("v", z, dominates=Density("u", z))

@derivation("mine", takes=(u(z), v(z)))
def mine(d):
    d.start(KL(u(z), v(z)))
    d.equals(integral(u(z) * log(u(z) / v(z)) - u(z) + v(z), z), by="both integrate to one")
    d.at_least(0, by="the tangent of the logarithm")

@derivation{RIGHT.split("@derivation")[1]}""".replace("=kl_nonnegative(", "=mine("),
    "prints": f"{RIGHT}\nprint('{FAKE}')\nimport os; os.write(1, b'noise')\n",
}
HOSTILE = {  # an answer, and a word that says what is wrong with it
    "unfilled": (TASK, "missing"),
    "wrong": (WRONG, "refuted"),
    "own_start": (RIGHT.replace("d.start(log(p(x)))", "d.start(log(p(x)) + 0)"), "it starts with"),
    "own_goal": (f'{RIGHT}    d.equals(E(q(z | x), log(p(x, z) / q(z | x))) + 0, by="add zero")\n', "it ends with"),
    "own_sign": (SHORT.replace("at_least", "equals") + 'by="so it is")\n', "the task asks for ≥"),
    "stops_early": (RIGHT.replace(GOAL, ""), "it shows ="),
    "goal_missing": (f'{RIGHT}    d.equals(..., by="and so on")\n', "last line is missing"),
    "reason_missing": (RIGHT.replace('by="q integrates to one"', 'by="..."'), "its reason"),
    "adds_a_fact": (f'{SHORT}by="known", because=chapter("vae").elbo())\n', "adds a fact, vae.elbo"),
    "hypothesis": (RIGHT.replace("    d.start(", "    d.given_that(log(p(x)) >= E(q(z | x), log(p(x, z) / q(z | x))))\n    d.start("), "adds a hypothesis"),
    "own_density": (RIGHT.replace("given=x)", "given=x, positive=True)"), "it ends with"),
    "own_density_within": (
        RIGHT.replace(MEAN, f'd.equals(E(Density("q_phi", z, given=x, positive=True)(z | x), log(p(x))), by="mine")\n    {MEAN}'),
        "the density q_phi is not what the task declares",
    ),
    "own_word_for_density": (
        RIGHT.replace('x, z = var', 'class Density(Density):\n    __eq__ = lambda *_: True\n    __hash__ = lambda _: 0\n\nx, z = var').replace("log(p(x)))", "2 * log(p(x)))", 1),
        "it starts with",
    ),
    "defined_letter": (RIGHT.replace("d.start(log(p(x)))", 'd.start(define("L", log(p(x))))'), "it starts with"),
    "other_name": (RIGHT.replace("def elbo", "def bound"), "no derivation called elbo"),
    "the_books": ('from genmath.book import chapter\nelbo = chapter("vae").elbo\n', "holds no derivation"),
    "posing": (
        'from genmath.book import chapter\nelbo = chapter("vae").elbo\nelbo.file = __file__\n', "its file cannot be changed",
    ),
    "another_prover": (WRONG + OTHER_PROVER, "refuted"),
    "another_prover_first": (OTHER_PROVER + SHORT.replace("at_least", "equals") + 'by="so")\n', "asks for ≥"),
    "fake_report": (f"print('{FAKE}')\nimport os\nos.write(1, b'{FAKE}')\nos._exit(0)\n", "ended the process"),
    "fake_everywhere": (
        f"import os\nfor fd in range(3, 30):\n    try: os.write(fd, b'{FAKE}')\n    except OSError: pass\n{RIGHT.replace('+ KL', '- KL')}", "",
    ),
    "exits": (f"{RIGHT}\nimport sys\nsys.exit(0)\n", "SystemExit"),
    "exits_hard": (f"{RIGHT}\nimport os\nos._exit(0)\n", "ended the process"),
    "killed": (f"{RIGHT}\nimport os\nos.kill(os.getpid(), 9)\n", "ended the process"),
    "loops": (f"{RIGHT}\nwhile True: pass\n", "longer than"),
    "step_from_elsewhere": (
        f'{SHORT}{LEMMA}\n\n@derivation("b")\ndef other(d):\n    d.start(1 + x)\n    d.equals(x + 1, by="reorder")\n'
        "\nfrom dataclasses import replace\nelbo.chains[0].steps[0] = replace(other.steps[0], claim=replace(elbo.steps[0].claim, lhs=elbo.steps[0].claim.rhs))\n", "does not support item assignment",
    ),
    "lemma_from_a_helper": ("from right import elbo as theirs\n" + SHORT + 'by="done before", because=theirs())\n', "No module named 'right'"),
    "circular": (
        f'{JUMP.split("@derivation")[0]}\n@derivation("a")\ndef assumed(d):\n    d.given_that(log(p(x)) >= E(q(z | x), log(p(x, z) / q(z | x))))\n'
        '    d.start(log(p(x)))\n    d.at_least(E(q(z | x), log(p(x, z) / q(z | x))), by="given")\n\n@derivation("b")\n'
        'def elbo(d):\n    d.start(log(p(x)))\n    d.at_least(E(q(z | x), log(p(x, z) / q(z | x))), by="me", because=assumed())\n', "is not shown",
    ),
    "on_instances": (
        SHORT.replace('bound")', 'bound", instances=True)') + 'by="it looks so")\n', "instances only",
    ),
    "on_instances_by_lemma": (
        f'{JUMP.split("@derivation")[0]}\n@derivation("a", instances=True)\ndef seen(d):\n'
        '    d.start(log(p(x)))\n    d.at_least(E(q(z | x), log(p(x, z) / q(z | x))), by="looks so")\n\n@derivation("b")\n'
        'def elbo(d):\n    d.start(log(p(x)))\n    d.at_least(E(q(z | x), log(p(x, z) / q(z | x))), by="me", because=seen())\n', "instances only",
    ),
    "cursor": (
        RIGHT.replace('by="q integrates to one"', r'by="so\n\x1b[2K\rok    cursor.py  elbo: 3 proved"').replace("+ KL(", "- KL("), "refuted",
    ),
    "cursor_in_an_error": ("raise ValueError('\\n\\x1b[2K\\rok    cursor_in_an_error.py')\n", "ValueError"),
    "not_python": ("this is no Python", "SyntaxError"),
    "empty": ("", "holds no derivation"),
    "huge": ("import os\nos.write(3, b'[' * 5_000_000)\n" + RIGHT, ""),
    "deep": (f"import sys\nsys.setrecursionlimit(10**6)\n{JUMP}    e = x\n    for _ in range(3000):\n        e = -e\n    d.equals(e, by='deep')\n", ""),
}  # fmt: skip


def run(*arguments: str, cwd: Path) -> Done:
    return command.run("check", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """A class of files, judged in one go."""
    here = tmp_path_factory.mktemp("class")
    (here / "task.py").write_text(TASK, "utf-8")
    texts = {**HONEST, **{name: text for name, (text, _) in HOSTILE.items()}}
    for name, text in texts.items():
        (here / f"{name}.py").write_text(text, "utf-8")
    for name in ("sympy", "json", "random"):  # what an answer may be called must hurt nobody else
        (here / f"{name}.py").write_text("raise RuntimeError('not yours')\n", "utf-8")
    files = [f"{name}.py" for name in texts]
    done = run(*files, "--against", "task.py", "--json", "--timeout", "3", "--jobs", "4", cwd=here)
    assert done.returncode == 1, done
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["file"] for line in found] == files, done.stderr
    return {Path(line["file"]).stem: line for line in found}


def problems(line: dict[str, Any]) -> str:
    return " | ".join(
        filter(None, [line["problem"], *(p for d in line["derivations"] for p in d["problems"])])
    )


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_answer_passes(lines: dict[str, dict[str, Any]], name: str) -> None:
    assert lines[name]["ok"], lines[name]
    assert lines[name]["derivations"][0]["label"] == "proved"


@pytest.mark.parametrize("name", HOSTILE)
def test_any_other_fails_and_says_why(lines: dict[str, dict[str, Any]], name: str) -> None:
    line = lines[name]
    assert not line["ok"]
    assert HOSTILE[name][1] in problems(line), line
    assert problems(line)


def test_no_answer_writes_a_line_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(TASK, "utf-8")
    for name in ("cursor", "cursor_in_an_error"):
        (tmp_path / f"{name}.py").write_text(HOSTILE[name][0], "utf-8")
    done = run("cursor.py", "cursor_in_an_error.py", "--against", "task.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert not any(line.startswith("ok") for line in done.stdout.splitlines()), done.stdout


def test_a_lemma_of_the_same_name_hides_no_fact(tmp_path: Path) -> None:
    """What a tampered process might say: two derivations with one name."""
    answer = tmp_path / "answer.py"
    answer.write_text(RIGHT, "utf-8")
    (data,) = exchange.encode(book.load_file(answer).derivations)
    with pytest.raises(ValueError, match="two derivations are called elbo"):
        exchange.decode([data, data], str(answer))


def test_an_answer_runs_where_nothing_lies() -> None:
    source = f"open('left.txt', 'w')\n{RIGHT}"
    assert "derivations" in apart.read(File("/nowhere/answer.py", source.encode()), 30)
    assert not Path("left.txt").exists()
    assert not (ROOT / "left.txt").exists()


def test_the_task_itself_fails_as_an_answer_only_by_its_gaps(
    lines: dict[str, dict[str, Any]],
) -> None:
    assert lines["unfilled"]["derivations"][0]["steps"] == {"missing": 3}
    assert all("missing" in said for said in lines["unfilled"]["derivations"][0]["problems"])


def test_the_result_itself_is_no_reason_for_it(tmp_path: Path) -> None:
    """Even where the task offers results of that chapter."""
    task, answer = tmp_path / "task.py", tmp_path / "answer.py"
    goal = "d.at_least(E(q(z | x), log(p(x | z))) - KL(q(z | x), p(z)), by='known', because="
    offering = JUMP.replace("@derivation", 'theirs = chapter("vae").elbo\n\n@derivation')
    task.write_text(f"{offering}    {goal}...)\n", "utf-8")
    answer.write_text(f"{JUMP}    {goal}chapter('vae').elbo())\n", "utf-8")
    asked, given = book.load_file(task), book.load_file(answer)
    assert asked.builds_on == {"vae", "divergences"}
    claims = asked.derivations[0], given.derivations[0]
    (said,) = tasks.differences(*claims, asked.builds_on)
    assert said == "line 13: it assumes the answer, vae.elbo"


def test_a_line_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(TASK, "utf-8")
    (tmp_path / "anna.py").write_text(RIGHT, "utf-8")
    (tmp_path / "ben.py").write_text(WRONG, "utf-8")
    done = run("anna.py", "ben.py", "--against", "task.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "ok    anna.py  elbo: 3 proved\n" in done.stdout
    assert "FAIL  ben.py  elbo: " in done.stdout
    assert "counterexample: lhs = " in done.stdout
    assert done.stdout.endswith("1 of 2 answers as asked\n")
    assert run("anna.py", "--against", "task.py", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--against", "task.py"], "needs answers"),
        (["task.py", "--against", "nothing.py"], "no such file: nothing.py"),
        (["task.py", "./task.py", "--against", "task.py"], "needs answers"),
        (["task.py", "--against", "goalless.py"], "has no goal"),
        (["task.py", "--against", "broken.py"], "ZeroDivisionError"),
    ],
)
def test_a_task_that_cannot_serve_is_said_at_once(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "task.py").write_text(TASK, "utf-8")
    (tmp_path / "goalless.py").write_text(f'{TASK}    d.equals(..., by="and on")\n', "utf-8")
    (tmp_path / "broken.py").write_text("1 / 0\n", "utf-8")
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr.splitlines()[-1]


def test_reading_ends_when_it_should_whatever_stays_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that left its group still holds what it inherited."""
    source = b"""if True:
        import subprocess, sys, time
        asleep = [sys.executable, "-c", "import time; time.sleep(600)"]
        subprocess.Popen(asleep, start_new_session=True)
        open("asleep", "w")
        time.sleep(600)
    """

    def until_it_sleeps(_: float) -> float:
        while not list(tmp_path.glob("*/asleep")):
            time.sleep(0.02)
        return 0.1

    monkeypatch.setattr(limits, "patience", until_it_sleeps)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert "longer than" in apart.read(File("/nowhere/stays.py", source), 60)["error"]


# ---- as data -------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", book.topics())
def test_a_chapter_survives_the_journey(topic: str) -> None:
    chapter = book.chapter(topic)
    data = json.loads(json.dumps(exchange.encode(chapter.derivations)))
    back = exchange.decode(data, chapter.file)
    for here, there in zip(chapter.derivations, back, strict=True):
        assert list(tasks.differences(here, there, chapter.builds_on)) == []
        assert list(tasks.differences(there, here, chapter.builds_on)) == []
        for one, other in zip(here.steps, there.steps, strict=True):
            assert (one.claim.lhs, one.relation, one.claim.rhs) == (
                other.claim.lhs, other.relation, other.claim.rhs,
            )  # fmt: skip
            assert (one.by, one.line, one.case) == (other.by, other.line, other.case)
            assert len(one.because) == len(other.because)


X = ["Symbol", ["x", "real", "", True, "x"]]


@pytest.mark.parametrize(
    "tree",
    [
        ["Symbol", ["x", "imaginary", "", True, "x"]],
        ["Symbol", ["x", "real", "tensor", True, "x"]],
        ["Symbol", ["x", "real", "", 1, "x"]],
        ["Symbol", ["x y", "real", "", True, "x"]],
        ["Number", "-1"],
        ["Number", 0.5],
        ["Number", "1/0"],
        ["Fn", ["eval"], X],
        ["Fn", ["log"], X, X],
        ["Apply", ["f", ["true"], 0], X],
        ["Apply", ["f", [], 7], X],
        ["Expect", X, X],
        ["Integral", X, ["Number", "1"]],
        ["Divergence", "none", X, X, X],
        ["Deriv", X, ["Number", "1"]],
        ["Big", "sum", X, X, X, X],
        ["Dens", ["p", [X], [], "yes", None], [X], []],
        ["Dens", ["p", [X], [], False, None], [["Symbol", ["y", "real", "", True, "y"]]], []],
        ["Lemma", "vae", "elbo", 0, []],
        ["__import__", "os"],
        [],
        "x",
        3,
    ],
)
def test_what_an_author_cannot_write_is_refused(tree: Any) -> None:
    step = {"relation": "=", "to": X, "because": [], "by": "so", "line": 2}
    chain = {"start": X, "line": 1, "name": None, "case": [], "tight": [], "steps": [step]}
    whole = {
        "name": "f", "title": "t", "line": 1, "dims": [1], "cases": {}, "instances": False,
        "takes": [], "given": [], "chains": [chain],
    }  # fmt: skip
    assert len(exchange.decode([whole], "file.py")) == 1
    with pytest.raises(ValueError, match=r"no derivation|expected"):
        exchange.decode([{**whole, "chains": [{**chain, "steps": [{**step, "to": tree}]}]}], "f.py")


@pytest.mark.parametrize(
    "data", [None, 3, "text", [3], [{}], {"name": "f"}, [{"chains": [{"steps": 0}]}]]
)
def test_what_is_no_derivation_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="no derivation"):
        exchange.decode(data, "file.py")
