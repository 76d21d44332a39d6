"""A class of answers is read before any of it runs, and each runs alone."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from genmath.cli import apart, classroom, confine
from genmath.cli.apart import File
from genmath.cli.judged import judged
from tests.cli.command import Done, environment, run

TASK = """\
from genmath.proof import *
x, z = variables("x z")
p = Density("p", x, z, positive=True)
q = Density("q", z, given=x)

@derivation("The evidence")
def evidence(d):
    d.start(log(p(x)))
    d.equals(..., by="q integrates to one")  # step
    d.equals(E(q(z | x), log(p(x, z) / p(z | x))), by="Bayes' rule")
"""
HONEST = TASK.replace("...,", "E(q(z | x), log(p(x))),")
WRONG = HONEST.replace("log(p(x, z) / p(z | x))", "log(p(x, z) * p(z | x))")
SPOILING = """
import pathlib
for each in pathlib.Path({folder!r}).glob("*.py"):
    try:
        each.write_text("raise SystemExit('spoilt')")
    except OSError:
        pass
"""


def marks(done: Done) -> dict[str, bool]:
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["file"]: line["ok"] for line in lines}


def test_no_answer_changes_the_verdict_of_another(tmp_path: Path) -> None:
    spoiling = HONEST + SPOILING.format(folder=str(tmp_path))
    texts = {"a_spoils.py": spoiling, "b.py": HONEST, "c.py": WRONG, "task.py": TASK}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    done = run("check", *texts, "--against", "task.py", "--jobs", "1", "--json", cwd=tmp_path)
    assert marks(done) == {"a_spoils.py": True, "b.py": True, "c.py": False}
    assert done.returncode == 1
    assert "task.py: the task itself, left out" in done.stderr


def test_nothing_is_read_once_the_first_program_may_run(tmp_path: Path) -> None:
    """Whatever becomes of the files, and of a copy of the task."""
    (tmp_path / "other").mkdir()
    paths = [tmp_path / name for name in ("task.py", "anna.py", "ben.py", "other/task.py")]
    for path, text in zip(paths, (TASK, HONEST, WRONG, TASK), strict=True):
        path.write_text(text, "utf-8")
    task = File(str(paths[0]), paths[0].read_bytes())
    answers = [classroom._handed_in(str(path), task) for path in paths[1:]]
    assert answers.pop() is None
    for path in paths:
        path.write_text("raise SystemExit('spoilt')", "utf-8")
    found = [line for line, _ in judged(task, [a for a in answers if a], 1, 60)]
    assert [line["ok"] for line in found] == [True, False]
    assert found[1]["derivations"][0]["steps"] == {"proved": 1, "refuted": 1}


UNREADABLE = {  # an answer, and a word of what is said of it
    "korean.py": ("# 증명\n".encode("euc-kr"), "but EUC-KR"),
    "hangul.py": ("# 똠방각하\n".encode("cp949"), "but CP949"),
    "windows.py": (TASK.encode("utf-16"), "but UTF-16"),
    "no_mark.py": (TASK.encode("utf-16-le"), "but UTF-16, it seems"),
    "binary.py": (bytes(range(256)), "but binary"),
    "latin.py": ("# é\n".encode("latin-1"), "not valid UTF-8 (byte 0xe9 at offset 2)"),
    "gone.py": (None, "no such file"),
}


def test_what_cannot_be_read_fails_alone_in_one_line(tmp_path: Path) -> None:
    for name, (data, _) in UNREADABLE.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    forks = f"import os\nos.fork()\n{HONEST}\nos.fork()\n"
    huge = HONEST.replace("E(q(z | x), log(p(x)))", "log(p(x)) + 10**100000 - 10**100000")
    texts = {"forks.py": forks, "huge.py": huge, "task.py": TASK}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    said = {name: word for name, (_, word) in UNREADABLE.items()}
    said |= {"folder.py": "a folder", "pipe.py": "no plain file"}
    done = run("check", *said, "huge.py", "forks.py", "--against", "task.py", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert len(lines) == len(said) + 3, done.stdout
    for line, (name, word) in zip(lines, said.items(), strict=False):
        assert line.startswith(f"FAIL  {name}  ")
        assert word in line
    assert lines[-3].startswith("FAIL  huge.py")
    assert "digits" in lines[-3]
    assert lines[-2] == "ok    forks.py  evidence: 2 proved"
    assert done.returncode == 1


PROBE = """
import json, os, pathlib, socket, sys
port, victim, file = {found!r}
def says(act):
    try:
        act()
    except OSError as error:
        return False
    return True
pathlib.Path("own.txt").write_text("here it may")
raise SystemExit(json.dumps([
    says(lambda: socket.create_connection(("127.0.0.1", port), 5)),
    says(lambda: os.kill(victim, 0)),
    says(lambda: open(file, "a")),
    says(lambda: os.chmod(file, 0o600)),
    says(lambda: os.unlink(file)),
    says(lambda: open(os.path.join(os.path.dirname(file), "new"), "w")),
]))
"""
ALLOWED = "import ctypes; raise SystemExit(ctypes.CDLL(None).unshare(1 << 28 | 1 << 17) != 0)"
CONFINED = sys.platform == "linux" and not subprocess.run(
    [sys.executable, "-c", ALLOWED], check=False
).returncode  # fmt: skip


@pytest.mark.skipif(not CONFINED, reason="this system allows no user namespace")
def test_an_answer_reaches_nothing_outside(tmp_path: Path) -> None:
    file = tmp_path / "neighbour.py"
    file.write_text(HONEST, "utf-8")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        found = (server.getsockname()[1], os.getpid(), str(file))
        source = PROBE.format(found=found)
        heard = apart.read(File("/nowhere/probe.py", source.encode()), 30)
    reached = json.loads(heard["error"].partition("SystemExit: ")[2])
    assert reached == [False] * 6
    assert file.read_text("utf-8") == HONEST


ALONE = """
import ctypes, os, sys
from genmath.cli import confine
inside, outside, parent = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(confine.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
confine.write_only_in(libc, inside)
open(os.path.join(inside, "a"), "w").write("a")
open("/dev/null", "w").write("a")
try:
    open(os.path.join(outside, "b"), "w")
except PermissionError:
    print("closed")
try:
    os.kill(int(parent), 0)
except PermissionError:
    print("deaf")
"""


def test_without_namespaces_landlock_closes_the_files(tmp_path: Path) -> None:
    abi = ctypes.CDLL(None).syscall(confine.LANDLOCK, None, 0, 1) if CONFINED else 0
    if abi < 6:
        pytest.skip("this kernel has no Landlock that knows signals")
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
    found = subprocess.run(
        [sys.executable, "-c", ALONE, tmp_path / "inside", tmp_path / "outside", str(os.getpid())],
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.split() == ["closed", "deaf"]
    assert not list((tmp_path / "outside").iterdir())


def test_limits_are_lowered_and_never_raised() -> None:
    said = """
import json, resource as r
raise SystemExit(json.dumps([r.getrlimit(k)[1] for k in (r.RLIMIT_NOFILE, r.RLIMIT_FSIZE)]))
"""
    heard = apart.read(File("/nowhere/limits.py", said.encode()), 30)
    files, bytes_ = json.loads(heard["error"].partition("SystemExit: ")[2])
    assert 0 < files <= 256
    assert 0 < bytes_ <= 2**28


# ---- lines that must be there --------------------------------------------------------------------


LINE = "E(q(z | x), log(p(x))),"
GOAL = "E(q(z | x), log(p(x, z) / p(z | x))),"
DELETED = "".join(line for line in TASK.splitlines(keepends=True) if "..." not in line)
GONE = "missing: the line by"
STEPS = [  # what stands in the place of a wanted line, and what is said of it
    ("the line", HONEST, ""),
    ("in other words", HONEST.replace("q integrates to one", "q is a density"), ""),
    ("with another", HONEST.replace(LINE, f"log(p(x)) * 1, by='so')\n    d.equals({LINE}"), ""),
    ("deleted", DELETED, GONE),
    ("repeated", HONEST.replace(LINE, "log(p(x)),"), GONE),
    ("the goal twice", HONEST.replace(LINE, GOAL), GONE),
    ("left out", TASK, "the step is left as ..."),
]


@pytest.mark.parametrize(("text", "problem"), [s[1:] for s in STEPS], ids=[s[0] for s in STEPS])
def test_a_line_that_is_marked_must_be_there(text: str, problem: str) -> None:
    from genmath.cli import answers

    task = answers.load_task(File("/nowhere/task.py", TASK.encode()), 60)
    (entry,) = answers.judge(File("/nowhere/answer.py", text.encode()), task, 60)
    said: list[Any] = [*entry["problems"], *(s["reason"] for s in entry["report"]["steps"])]
    assert entry["ok"] == (not problem), entry
    assert any(problem in each for each in said)
