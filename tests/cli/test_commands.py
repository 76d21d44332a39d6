"""The command line as a person uses it, in a folder of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import genmath
from genmath import book
from genmath.proof.language import typeset
from tests.cli.command import Done, environment, run, spawn
from tests.cli.texts import FALSE, TRUE


def complaint(done: Done) -> str:
    """The one error line of a command that could not read its input."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert done.stderr.startswith("genmath: ")
    assert "genmath/cli" not in done.stderr, "a traceback of ours helps nobody"
    return done.stderr


# ---- list and show -------------------------------------------------------------------------------


def test_list_names_every_derivation(here: Path) -> None:
    done = run("list", cwd=here)
    assert done.returncode == 0
    assert done.stderr == ""
    for topic in book.topics():
        chapter = book.chapter(topic)
        assert chapter.title in done.stdout
        for derivation in chapter.derivations:
            assert f"  {derivation.name} " in done.stdout
            assert derivation.title in done.stdout


def test_show_prints_each_step_and_its_reason(here: Path) -> None:
    done = run("show", "vae.elbo", cwd=here)
    assert done.returncode == 0
    derivation = next(d for d in book.chapter("vae").derivations if d.name == "vae.elbo")
    for step in derivation.steps:
        assert step.by in done.stdout
    assert f"vae.py:{derivation.line}" in done.stdout


def test_a_hypothesis_of_several_cases_is_said_once(here: Path) -> None:
    assert "given abs(t - s) > 0\n" in run("show", "consistency.mean_flow", cwd=here).stdout


def test_show_latex_is_one_balanced_block_a_chain(here: Path) -> None:
    done = run("show", "vae.elbo", "--latex", cwd=here)
    assert done.returncode == 0
    chains = len(next(d for d in book.chapter("vae").derivations if d.name == "vae.elbo").chains)
    assert done.stdout.count(r"\begin{aligned}") == done.stdout.count(r"\end{aligned}") == chains
    assert done.stdout.count("{") == done.stdout.count("}")


def test_show_topic_prints_the_whole_chapter_and_a_file_too(here: Path) -> None:
    done = run("show", "vae", cwd=here)
    assert done.returncode == 0
    assert all(d.name in done.stdout for d in book.chapter("vae").derivations)
    assert "true.bayes" in run("show", "true.py", cwd=here).stdout


def test_prose_is_escaped_for_latex_and_mathematics_is_not() -> None:
    assert typeset._prose("50% of q_phi, $q_\\phi$") == "50\\% of q\\_phi, $q_\\phi$"
    assert typeset._prose("costs $5 & more") == "costs \\$5 \\& more"


# ---- check ---------------------------------------------------------------------------------------


def test_a_chapter_checks(here: Path) -> None:
    done = run("check", "vae", cwd=here)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all as claimed" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr, "plain text in a pipe"
    assert done.stderr == "", "no progress in a pipe"


def test_a_users_file_checks_like_a_chapter(here: Path) -> None:
    done = run("check", "true.py", cwd=here)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "true.bayes" in done.stdout


def test_a_refuted_step_says_everything(here: Path) -> None:
    done = run("check", "false.py", cwd=here)
    assert done.returncode == 1
    line = (
        FALSE.splitlines().index(next(li for li in FALSE.splitlines() if "a slip of sign" in li))
        + 1
    )
    (step,) = [li for li in done.stdout.splitlines() if li.startswith("  false.py:")]
    assert step.startswith(f"  false.py:{line}: step 2 of 2")
    assert "a slip of sign" in step
    assert step.endswith("refuted")
    assert "    residual: " in done.stdout
    assert re.search(
        r"^    counterexample: lhs = -?\d+\.\d+, rhs = -?\d+\.\d+", done.stdout, re.MULTILINE
    )
    assert re.search(r"^ +p_θ.*:\n +0 = \[\d+\.\d+,", done.stdout, re.MULTILINE)


def test_the_exit_code_is_that_of_the_worst(here: Path) -> None:
    assert run("check", "true.py", "false.py", cwd=here).returncode == 1
    assert run("check", "false.py", "missing.py", cwd=here).returncode == 2


def test_a_derivation_named_twice_is_checked_once(here: Path) -> None:
    done = run("check", "vae.elbo", "vae", "vae.elbo", "true.py", "./true.py", "--json", cwd=here)
    names = [d["name"] for d in json.loads(done.stdout)["derivations"]]
    assert len(names) == len(set(names)) == len(book.chapter("vae").derivations) + 1
    assert names[0] == "vae.elbo"


@pytest.mark.parametrize("mutants", [False, True])
def test_json(here: Path, mutants: bool) -> None:
    done = run("check", "false.py", "true.py", "--json", *["--mutants"] * mutants, cwd=here)
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert document["version"] == genmath.__version__
    false, true = document["derivations"]
    for report in (false, true):
        assert {
            "name",
            "topic",
            "title",
            "label",
            "hypotheses",
            "assumed",
            "uses",
            "file",
            "steps",
        } <= set(report)
        for step in report["steps"]:
            assert {
                "relation", "lhs", "rhs", "by", "line", "verdict",
                "symbolic", "numeric", "ms", "residual", "counterexample",
            } <= set(step)  # fmt: skip
            assert ("mutants" in step) == (mutants and step["verdict"] == "proved")
    assert [step["verdict"] for step in false["steps"]] == ["proved", "refuted"]
    assert false["steps"][1]["counterexample"]
    assert [step["verdict"] for step in true["steps"]] == ["proved"]
    assert true["label"] == "proved"


def test_json_is_alone_on_stdout_even_when_the_file_prints(here: Path) -> None:
    (here / "noisy.py").write_text(TRUE + "\nprint('noise')\nimport os; os.system('echo more')\n")
    done = spawn("check", "noisy.py", "--json", cwd=here)
    assert len(json.loads(done.stdout)["derivations"]) == 1
    assert "noise" in done.stderr
    assert "more" in done.stderr


def test_jobs_do_not_change_the_answer(here: Path) -> None:
    def verdicts(jobs: str) -> list[object]:
        document = json.loads(
            run("check", "vae", "false.py", "--json", "--jobs", jobs, cwd=here).stdout
        )
        return [
            (d["name"], d["label"], [s["verdict"] for s in d["steps"]])
            for d in document["derivations"]
        ]

    assert verdicts("1") == verdicts("3")


# ---- what cannot be read: one clear line, exit code 2 --------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"), [("vea", "vae"), ("ddpn", "ddpm"), ("vae.elbow", "vae.elbo")]
)
@pytest.mark.parametrize("command", ["check", "show"])
def test_an_unknown_name_suggests_the_nearest(
    here: Path, command: str, typed: str, meant: str
) -> None:
    said = complaint(run(command, typed, cwd=here))
    assert f"did you mean '{meant}'?" in said
    assert said.count("\n") == 1


def test_nothing_near_suggests_nothing(here: Path) -> None:
    said = complaint(run("check", "xyzzy", cwd=here))
    assert "did you mean" not in said
    assert "genmath list" in said


@pytest.mark.parametrize("command", ["check", "show"])
def test_missing_file_and_folder(here: Path, command: str) -> None:
    assert complaint(run(command, "missing.py", cwd=here)) == "genmath: no such file: missing.py\n"
    assert "is a folder" in complaint(run(command, ".", cwd=here))


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_file_without_a_derivation(here: Path, command: str) -> None:
    (here / "empty.py").write_text("")
    said = complaint(run(command, "empty.py", cwd=here))
    assert "empty.py" in said
    assert "no derivation" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("seconds", ["inf", "nan", "0", "-1", "1e9"])
@pytest.mark.parametrize("command", [["check"], ["exercise", "check"]])
def test_a_time_limit_is_one_that_a_clock_can_be_set_to(
    here: Path, command: list[str], seconds: str
) -> None:
    said = complaint(run(*command, "true.py", "--timeout", seconds, cwd=here))
    assert "--timeout" in said
    assert "expected 0.01 to 1e+06 seconds" in said
    assert said.count("\n") == 1


def test_a_file_that_forks_is_judged_once(here: Path) -> None:
    (here / "forks.py").write_text(f"import os\nos.fork()\n{TRUE}\nos.fork()\n", "utf-8")
    done = run("check", "forks.py", "true.py", cwd=here)
    assert done.returncode == 0, done
    assert done.stdout.count("ok    forks.bayes") == 1
    assert done.stdout.count("ok    true.bayes") == 1


def test_an_encoding_that_can_be_told_is_named(here: Path) -> None:
    (here / "korean.py").write_bytes("# 증명\n".encode("cp949"))
    said = complaint(run("check", "korean.py", cwd=here))
    assert "but EUC-KR, it seems: save it as UTF-8" in said
    assert said.count("\n") == 1


def test_invalid_utf8(here: Path) -> None:
    (here / "latin.py").write_bytes("# é\n".encode("latin-1"))
    said = complaint(run("check", "latin.py", cwd=here))
    assert "not valid UTF-8" in said
    assert "offset 2" in said
    assert said.count("\n") == 1


def test_a_file_that_fails_to_import_shows_its_own_frames_only(here: Path) -> None:
    (here / "broken.py").write_text("def f():\n    return 1 / 0\n\n\nf()\n")
    said = complaint(run("check", "broken.py", cwd=here))
    assert "ZeroDivisionError" in said
    assert "line 5" in said
    assert "line 2" in said
    assert "importlib" not in said
    assert "book.py" not in said


def test_a_syntax_error_says_where(here: Path) -> None:
    (here / "syntax.py").write_text("x = 1\ny = (\n")
    said = complaint(run("check", "syntax.py", cwd=here))
    assert "SyntaxError" in said
    assert "line 2" in said


def test_a_mistake_in_the_notation_says_where(here: Path) -> None:
    (here / "float.py").write_text(TRUE.replace("log(p(x))))", "0.3 * log(p(x))))"))
    said = complaint(run("check", "float.py", cwd=here))
    assert "float" in said
    assert "line 9" in said


@pytest.mark.parametrize(
    "ending", ["raise SystemExit(0)", "import os; os._exit(0)", "raise KeyboardInterrupt"]
)
def test_a_file_that_ends_the_program_does_not_pass(here: Path, ending: str) -> None:
    (here / "exits.py").write_text(f"{TRUE}\n{ending}\n")
    done = run("check", "exits.py", cwd=here)
    assert done.returncode == 2
    assert "exits.py" in done.stderr


def test_every_unreadable_argument_is_reported(here: Path) -> None:
    done = run("check", "missing.py", "vea", "true.py", cwd=here)
    assert done.returncode == 2
    assert done.stderr.count("genmath: ") == 2


@pytest.mark.parametrize(
    "arguments", [["check", "--jobs", "0"], ["check", "--timeout", "no"], ["chek"], ["show"]]
)
def test_misused_options_are_input_that_cannot_be_read(here: Path, arguments: list[str]) -> None:
    done = run(*arguments, cwd=here)
    assert done.returncode == 2
    assert "Error" in done.stderr


# ---- for people ----------------------------------------------------------------------------------


def test_help_has_examples(here: Path) -> None:
    for arguments in (["--help"], ["list", "--help"], ["show", "--help"], ["check", "--help"]):
        done = run(*arguments, cwd=here)
        assert done.returncode == 0
        assert "Examples:\n" in done.stdout
        assert "  genmath " in done.stdout


def test_version(here: Path) -> None:
    assert run("--version", cwd=here).stdout == f"genmath {genmath.__version__}\n"


def test_output_survives_a_narrow_encoding(here: Path) -> None:
    done = spawn("show", "vae.elbo", cwd=here, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["list"], ["show", "vae.elbo", "--latex"]])
def test_to_read_the_book_no_algebra_is_imported(arguments: list[str]) -> None:
    """So both answer at once. Speed itself is for benchmarks."""
    code = f"""if True:
        import sys
        from genmath.cli.commands import app
        app({arguments!r}, standalone_mode=False)
        print(sorted({{"mpmath", "numpy", "sympy", "torch"}} & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_hypotheses_stand_beside_the_label(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from genmath.proof import *\n"
        "a, b = reals('a b')\n"
        "x = variables('x')\n"
        "p = Density('p', x, positive=True)\n"
        "@derivation('so')\n"
        "def so(d):\n"
        "    d.given_that(a > b)\n"
        "    d.given_that(p(x) <= a)\n"
        "    d.start(log(a - b) + log(p(x)))\n"
        "    d.equals(log((a - b) * p(x)), by='a product')\n"
    )
    done = run("check", "mine.py", cwd=tmp_path)
    assert done.returncode == 0
    # Of a variable it is said for every value: one hypothesis does not pick out some of them.
    assert "given: p(x) > 0; a > b; p(x) <= a for every x" in done.stdout.replace("≤", "<=")
