"""`genmath check --kernel`: what the judges prove is proved only if the kernel accepts it, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genmath.book import chapter
from genmath.cli.rechecked import rechecked
from genmath.proof.report import check_derivation
from tests.cli.command import run

ANALYSIS = """\
from genmath.proof import *

x = variables("x")
a = reals("a")

@derivation("A bottom, and a square")
def bottoms(d):
    d.start(infimum((a - 1)**2, a))
    d.equals(0, because=(attained(a, 1), (a - 1)**2), by="the bottom is at 1")
    d.start((x + 1)**2, name="square")
    d.equals(x**2 + 2 * x + 1, by="algebra")
"""


def steps(*arguments: str, cwd: Path) -> tuple[int, list[dict[str, Any]]]:
    done = run("check", *arguments, "--json", cwd=cwd)
    (report,) = json.loads(done.stdout)["derivations"]
    assert report["ok"] == (done.returncode == 0)
    return done.returncode, report["steps"]


def test_a_step_that_the_kernel_accepts_is_proved_and_says_on_what_it_rests(here: Path) -> None:
    code, (step,) = steps("true.py", "--kernel", cwd=here)
    assert code == 0
    assert step["verdict"] == "proved"
    assert step["kernel"]["accepted"]
    assert step["kernel"]["supposed"]
    said = run("check", "true.py", "--kernel", cwd=here).stdout
    assert "kernel: 0 of 1 step whole, 1 but for " in said
    assert all(law in said for law in step["kernel"]["supposed"])


def test_a_step_that_has_no_certificate_is_open(here: Path) -> None:
    (here / "bottoms.py").write_text(ANALYSIS, "utf-8")
    code, before = steps("bottoms.py", cwd=here)
    assert code == 0
    assert [s["verdict"] for s in before] == ["proved", "proved"]
    assert not any("kernel" in s for s in before)
    code, (bottom, square) = steps("bottoms.py", "--kernel", cwd=here)
    assert code == 1
    assert (bottom["verdict"], square["verdict"]) == ("open", "proved")
    assert square["kernel"] == {"accepted": True, "supposed": [], "why": ""}
    assert not bottom["kernel"]["accepted"]
    assert "by a method of analysis" in bottom["reason"]
    said = run("check", "bottoms.py", "--kernel", cwd=here).stdout
    assert "the judges prove it, but the kernel has no proof to accept" in said
    assert "kernel: 1 of 2 steps whole" in said
    assert "not proved" in said


def test_what_the_judges_refute_the_kernel_is_not_asked(here: Path) -> None:
    code, (right, wrong) = steps("false.py", "--kernel", cwd=here)
    assert code == 1
    assert right["kernel"]["accepted"]
    assert wrong["verdict"] == "refuted"
    assert "kernel" not in wrong


def test_equality_cases_are_asked_as_well() -> None:
    elbo = next(d for d in chapter("vae").derivations if d.name == "vae.elbo")
    report = rechecked(check_derivation(elbo), elbo)
    assert len(report["steps"]) > len(elbo.steps)
    assert all("kernel" in step for step in report["steps"])


@pytest.mark.parametrize(
    "arguments", [("--coq", "proofs"), ("--certificates", "proofs"), ("--against", "true.py")]
)
def test_it_goes_with_nothing_that_checks_no_step(here: Path, arguments: tuple[str, str]) -> None:
    done = run("check", "true.py", "--kernel", *arguments, cwd=here)
    assert done.returncode == 2
    assert done.stderr.startswith("genmath: ")
    assert arguments[0] in done.stderr
    assert not (here / "proofs").exists()
