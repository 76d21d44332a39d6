"""The command line as a person runs it: in a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import genmath
from genmath import book
from genmath.proof.language import typeset

ROOT = Path(__file__).resolve().parents[1]

NOTATION = """\
from genmath.proof import *

x, z = variables("x z")
p = Density("p_theta", x, z, positive=True)
q = Density("q_phi", z, given=x)
"""

TRUE = f"""{NOTATION}
@derivation("Bayes inside a logarithm")
def bayes(d):
    d.start(E(q(z | x), log(p(x))))
    d.equals(E(q(z | x), log(p(x, z) / p(z | x))), by="Bayes' rule")
"""

FALSE = f"""{NOTATION}
@derivation("A slip")
def slipped(d):
    d.start(E(q(z | x), log(p(x))))
    d.equals(E(q(z | x), log(p(x, z) / p(z | x))), by="Bayes' rule")
    d.equals(E(q(z | x), log(p(x, z))) + E(q(z | x), log(p(z | x))), by="a slip of sign")
"""

# A file that puts a checker of its own in the place of ours, in the worker that imports it.
SABOTAGE = f"""{TRUE}
import os
import genmath.proof.report


def sabotage(derivation, **_):
    {{}}


genmath.proof.report.check_derivation = sabotage
"""


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "genmath.cli", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name, text in {"true.py": TRUE, "false.py": FALSE}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one error line of a command that could not read its input."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert done.stderr.startswith("genmath: ")
    assert "cli.py" not in done.stderr, "a traceback of ours helps nobody"
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
    assert re.search(r"^ +p_theta.*:\n +0 = \[\d+\.\d+,", done.stdout, re.MULTILINE)


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
    done = run("check", "noisy.py", "--json", cwd=here)
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


# ---- what hangs, crashes or is interrupted -------------------------------------------------------


def test_an_import_that_hangs_is_ended(here: Path) -> None:
    (here / "loop.py").write_text("while True:\n    pass\n")
    said = complaint(run("check", "loop.py", "--timeout", "1", cwd=here))
    assert "longer than 1 s" in said


def test_a_check_that_hangs_is_a_timeout_and_the_rest_goes_on(here: Path) -> None:
    (here / "hangs.py").write_text(SABOTAGE.format("while True: pass"))
    done = run("check", "hangs.py", "true.py", "--timeout", "0.5", "--json", cwd=here)
    assert done.returncode == 1
    hangs, true = json.loads(done.stdout)["derivations"]
    assert [step["verdict"] for step in hangs["steps"]] == ["timeout"]
    assert not hangs["ok"]
    assert true["ok"]


def test_a_slow_step_times_out_by_itself(here: Path) -> None:
    """The step's own limit: its verdict is `timeout` and the report is otherwise whole."""
    done = run("check", "vae.iwae_increases", "--timeout", "0.01", "--json", cwd=here)
    assert done.returncode == 1
    (report,) = json.loads(done.stdout)["derivations"]
    assert "timeout" in {step["verdict"] for step in report["steps"]}
    assert report["label"] == "not proved"


def test_a_hang_inside_one_huge_number_is_ended_too(here: Path) -> None:
    """No signal reaches Python code there: only killing the process helps."""
    (here / "huge.py").write_text(SABOTAGE.format("9 ** 9 ** 9 ** 9"))
    done = run("check", "huge.py", "--timeout", "0.5", cwd=here)
    assert done.returncode == 1
    assert "timeout" in done.stdout


@pytest.mark.parametrize(
    ("deed", "word"),
    [("os.kill(os.getpid(), 9)", "SIGKILL"), ("raise RuntimeError('odd')", "RuntimeError: odd")],
)
def test_a_check_that_dies_never_passes(here: Path, deed: str, word: str) -> None:
    (here / "dies.py").write_text(SABOTAGE.format(deed))
    done = run("check", "dies.py", "true.py", cwd=here)
    assert done.returncode == 1
    assert word in done.stdout
    assert "ok    true.bayes" in done.stdout


def test_a_report_that_cannot_travel_never_passes(here: Path) -> None:
    (here / "odd.py").write_text(SABOTAGE.format("return lambda: None"))
    done = run("check", "odd.py", cwd=here)
    assert done.returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("sent", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_interrupting_leaves_no_process_behind(here: Path, sent: str, code: int) -> None:
    import signal

    note = here / "pid"
    (here / "hangs.py").write_text(
        SABOTAGE.format(f"open({str(note)!r}, 'w').write(str(os.getpid()))\n    while True: pass")
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "genmath.cli", "check", "hangs.py"],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    for _ in range(600):
        if note.exists() and note.read_text():
            break
        time.sleep(0.05)
    process.send_signal(getattr(signal, sent))
    _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert b"Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


# ---- for people ----------------------------------------------------------------------------------


def test_help_has_examples(here: Path) -> None:
    for arguments in (["--help"], ["list", "--help"], ["show", "--help"], ["check", "--help"]):
        done = run(*arguments, cwd=here)
        assert done.returncode == 0
        assert "Examples:\n" in done.stdout
        assert "  genmath " in done.stdout


def test_version(here: Path) -> None:
    assert run("--version", cwd=here).stdout == f"genmath {genmath.__version__}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_a_terminal_gets_a_live_table_and_colour(here: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "genmath.cli", "check", "true.py"],
        cwd=here,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm-256color",
            "COLUMNS": "100",
        },
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    seen = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not chunk:
            break
        seen += chunk
    assert process.wait(30) == 0
    assert b"chapter" in seen
    assert b"\x1b[" in seen
    assert "all as claimed" in seen.decode()


def test_output_survives_a_narrow_encoding(here: Path) -> None:
    done = run("show", "vae.elbo", cwd=here, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_list_is_as_fast_as_promised(here: Path) -> None:
    """Within 2.5 times `import sympy`: the best of several runs each, taken in turn."""

    def seconds(*command: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, capture_output=True, cwd=ROOT)
        return time.perf_counter() - began

    sympy, list_ = [], []
    for _ in range(5):
        sympy.append(seconds("-c", "import sympy"))
        list_.append(seconds("-m", "genmath.cli", "list"))
    assert min(list_) <= 2.5 * min(sympy)
