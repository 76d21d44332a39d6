"""How the suite runs everywhere: one hypothesis profile, and torch as an option.

Where torch is absent (no wheel for this Python, or only one that brings gigabytes of CUDA), the
test files that need it are left out, and the last lines of the run say which and why.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import settings

from genmath._imports import closure, imports_of

ROOT = Path(__file__).parent

# Examples differ in cost by orders of magnitude (a first import, a first kernel), so no deadline.
# CI draws the same examples every time, and fewer; at home each run explores.
settings.register_profile("genmath", deadline=None, print_blob=True)
settings.register_profile(
    "ci", parent=settings.get_profile("genmath"), derandomize=True, max_examples=40
)
settings.load_profile("ci" if os.environ.get("CI") else "genmath")


def why_no_torch() -> str | None:
    """None where torch can be used; else the reason, which `make test` knows best."""
    if reason := os.environ.get("GENMATH_NO_TORCH"):
        return reason
    return None if importlib.util.find_spec("torch") else "torch is not installed"


def needs_torch(file: Path) -> bool:
    """Whether importing a file imports torch: at its top level, or at that of a file of ours."""
    run = closure([file], ROOT, within_functions=False)
    names = {name for f in run for name in imports_of(f, ROOT, within_functions=False)}
    return any(name.split(".")[0] == "torch" for name in names)


LEFT_OUT: list[str] = []
if why_no_torch():
    LEFT_OUT = sorted(
        str(file.relative_to(ROOT)) for file in ROOT.glob("tests/**/test_*.py") if needs_torch(file)
    )
collect_ignore = LEFT_OUT


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if LEFT_OUT:
        line = f"left out for want of torch ({why_no_torch()}): {', '.join(LEFT_OUT)}"
        terminalreporter.write_line(line, yellow=True)
