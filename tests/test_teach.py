"""The class of the page on teaching: one answer is right, one refuted, one assumes its claim."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genmath.cli import answers
from genmath.cli.apart import File

CLASS = Path(__file__).resolve().parents[1] / "docs" / "examples" / "class"
TASK = CLASS / "task.py"


def judged(name: str) -> dict[str, Any]:
    entry: dict[str, Any]
    answer, task = (File(str(path), path.read_bytes()) for path in (CLASS / f"{name}.py", TASK))
    (entry,) = answers.judge(answer, answers.load_task(task, 60), 60)
    return entry


def test_the_three_answers_do_as_the_page_says() -> None:
    assert judged("anna")["ok"]
    ben, chris, task = judged("ben"), judged("chris"), judged("task")
    assert not ben["ok"]
    assert [s["verdict"] for s in ben["report"]["steps"]] == ["refuted", "refuted"]
    assert "adds a hypothesis" in str(chris["problems"])
    assert not chris["ok"]
    assert {s["verdict"] for s in task["report"]["steps"]} == {"missing"}
