"""What hangs, sleeps, dies or is interrupted; and what a terminal shows meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from genmath.cli import limits, workers
from tests.cli.command import COMMAND, environment, run
from tests.cli.texts import TRUE

# A file that puts a checker of its own in the place of ours, in the worker that imports it.
SABOTAGE = f"""{TRUE}
import os
import time
import genmath.proof.report


def sabotage(*_, **__):
    {{}}


genmath.proof.report.check_derivation = sabotage
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX")


@contextlib.contextmanager
def started(*arguments: str, **streams: object) -> Iterator[subprocess.Popen[bytes]]:
    """A command of which nothing is left when the test ends, whatever becomes of the test."""
    process = subprocess.Popen([*COMMAND, *arguments], start_new_session=True, **streams)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second is granted for a report that never comes."""
    monkeypatch.setattr(workers, "GRACE", 0.2)


# ---- limits are of processor time ----------------------------------------------------------------


@posix
@pytest.mark.usefixtures("quick")
def test_an_import_that_hangs_is_ended(here: Path) -> None:
    (here / "loop.py").write_text("while True:\n    pass\n")
    done = run("check", "loop.py", "--timeout", "0.3", cwd=here)
    assert done.returncode == 2
    assert done.stderr == (
        "genmath: loop.py: importing it took longer than 0.3 s of processor time (--timeout)\n"
    )


@posix
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("deed", ["while True: pass", "9 ** 9 ** 9 ** 9"], ids=["loop", "number"])
def test_a_check_that_hangs_is_a_timeout_and_the_rest_goes_on(here: Path, deed: str) -> None:
    """Inside one huge number no signal reaches Python code: only ending the process helps."""
    (here / "hangs.py").write_text(SABOTAGE.format(deed))
    done = run("check", "hangs.py", "true.py", "--timeout", "0.7", "--json", cwd=here)
    assert done.returncode == 1
    hangs, true = json.loads(done.stdout)["derivations"]
    assert [step["verdict"] for step in hangs["steps"]] == ["timeout"]
    assert not hangs["ok"]
    assert true["ok"]


def test_what_sleeps_is_ended_by_the_clock(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "patience", lambda _: 1.0)
    (here / "sleeps.py").write_text("import time\ntime.sleep(600)\n")
    done = run("check", "sleeps.py", cwd=here)
    assert done.returncode == 2
    assert "longer than" in done.stderr


def test_the_clock_ends_nobody_who_computes() -> None:
    """With four times as many jobs as cores, a worker has a quarter of a core."""
    assert limits.patience(60) >= 3 * 60
    assert limits.patience(0.01) >= 20


def test_a_slow_step_times_out_by_itself(here: Path) -> None:
    """The step's own limit: its verdict is `timeout` and the report is otherwise whole."""
    done = run("check", "vae.iwae_increases", "--timeout", "0.01", "--json", cwd=here)
    assert done.returncode == 1
    (report,) = json.loads(done.stdout)["derivations"]
    assert "timeout" in {step["verdict"] for step in report["steps"]}
    assert report["label"] == "not proved"


# ---- who dies, who is interrupted ----------------------------------------------------------------


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


@contextlib.contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """As under `nohup`, in a script's background or with some runners; children inherit it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@posix
@pytest.mark.parametrize("around", [contextlib.nullcontext, ignoring_interrupts])
@pytest.mark.parametrize(("sent", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_interrupting_leaves_no_process_behind(
    here: Path, sent: str, code: int, around: type[AbstractContextManager[None]]
) -> None:
    note = here / "pid"
    (here / "hangs.py").write_text(
        SABOTAGE.format(f"open({str(note)!r}, 'w').write(str(os.getpid()))\n    while True: pass")
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with around(), started("check", "hangs.py", cwd=here, env=environment(), **pipes) as process:
        while not (note.exists() and note.read_text()):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(getattr(signal, sent))
        _, said = process.communicate()
        assert process.returncode == code
        assert b"Traceback" not in said
        with pytest.raises(ProcessLookupError):
            os.kill(int(note.read_text()), 0)


# ---- a terminal ----------------------------------------------------------------------------------


@posix
def test_a_terminal_gets_a_live_table_and_colour(here: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    terminal = {"TERM": "xterm-256color", "COLUMNS": "100"}
    streams = {"stdin": follower, "stdout": follower, "stderr": follower}
    with started("check", "true.py", cwd=here, env=environment(**terminal), **streams) as process:
        os.close(follower)
        seen = b""
        with contextlib.suppress(OSError):  # Linux says so when the other end is closed
            while chunk := os.read(leader, 65536):
                seen += chunk
        os.close(leader)
        assert process.wait() == 0
    assert b"chapter" in seen
    assert b"\x1b[" in seen
    assert "all as claimed" in seen.decode()
