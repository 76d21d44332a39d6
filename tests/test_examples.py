"""The quick start checks what it says: its files have the verdicts and exit codes of its pages."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from tests.cli.command import run

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"
PAGES = sorted((ROOT / "docs" / "start").glob("*.md"))
CHECK = (ROOT / "docs" / "start" / "check.md").read_text("utf-8")
CLAIMS = re.findall(r"^\| `(\w+)\.py` \| (\d) \| (.+?) \|$", CHECK, re.M)

CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)


def test_every_derivation_file_has_a_claim() -> None:
    derivations = {f.stem for f in EXAMPLES.glob("*.py") if "genmath.proof" in f.read_text("utf-8")}
    assert len(CLAIMS) > 5
    of_other_pages = {"swapped_kl", "yours"}  # see below
    assert {name for name, *_ in CLAIMS} == derivations - of_other_pages


@pytest.mark.parametrize(("name", "code", "since"), CLAIMS, ids=[name for name, *_ in CLAIMS])
def test_an_example_ends_as_its_page_says(name: str, code: str, since: str) -> None:
    done = run("check", f"docs/examples/{name}.py")
    assert done.returncode == int(code), done.stdout + done.stderr
    if since == "not read":
        assert done.stderr.startswith(f"genmath: docs/examples/{name}.py, line ")
        assert "write number(1) / 2" in done.stderr
        return
    verdicts = set(re.findall(r"[(,] ?\d+ (proved|refuted|open|timeout|missing)", done.stdout))
    assert since in verdicts, done.stdout
    assert verdicts <= {"proved", since}, done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_can_be_run(page: Path) -> None:
    commands = [
        line for block in CONSOLE.findall(page.read_text("utf-8")) for line in block.splitlines()
    ]
    assert all(line.startswith("$ genmath ") for line in commands)
    for line in commands:
        if "check docs/examples/" not in line or "--mutants" in line:  # the others: see above
            done = run(*line.split()[2:])
            assert done.returncode == 0, line + "\n" + done.stdout + done.stderr


def test_the_slip_shows_its_counterexample_and_what_is_left_over() -> None:
    shown = run("check", "docs/examples/kl_slip.py").stdout
    assert "residual: log(σ)\n" in shown
    assert "proved with σ in place of σ^2 here: (μ^2 + σ^2 - 1)/2 - log(σ)\n" in shown
    found = dict(re.findall(r"(lhs|rhs|μ|σ) = (-?[\d.]+)", shown))
    mu, sigma = float(found["μ"]), float(found["σ"])
    left = (mu**2 + sigma**2 - 1) / 2 - math.log(sigma)
    assert float(found["lhs"]) == pytest.approx(left, abs=1e-5)
    assert float(found["rhs"]) == pytest.approx(left - math.log(sigma), abs=1e-5)


def test_the_home_page_shows_a_claim_being_refuted() -> None:
    done = run("check", "docs/examples/swapped_kl.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 step (1 refuted)" in done.stdout
    assert "counterexample: lhs = " in done.stdout


def test_what_one_starts_from_in_the_browser_is_as_claimed() -> None:
    done = run("check", "docs/examples/yours.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_is_on_a_page_and_every_page_finds_its_files() -> None:
    pages = [page for page in (ROOT / "docs").glob("**/*.md") if "_site" not in page.parts]
    texts = [page.read_text("utf-8") for page in pages]
    named = {path for text in texts for path in re.findall(r"docs/examples/\w+\.py", text)}
    assert named == {f.relative_to(ROOT).as_posix() for f in EXAMPLES.glob("*.py")}
