"""How the suite runs everywhere: one hypothesis profile, and torch as an option.

Where torch is absent (no wheel for this Python, or only one that brings gigabytes of CUDA), the
test files that need it are left out, and the last lines of the run say which and why.
"""

from __future__ import annotations

import ast
import importlib.util
import os
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent

# Examples differ in cost by orders of magnitude (a first import, a first kernel), so no deadline.
# CI draws the same examples every time; at home each run explores.
settings.register_profile("genmath", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("genmath"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "genmath")


def why_no_torch() -> str | None:
    """None where torch can be used; else the reason, which `make test` knows best."""
    if reason := os.environ.get("GENMATH_NO_TORCH"):
        return reason
    return None if importlib.util.find_spec("torch") else "torch is not installed"


@cache
def needs_torch(file: Path) -> bool:
    """Whether importing a file imports torch: at its top level, or at that of a module of ours."""
    return any(
        name.split(".")[0] == "torch" or any(needs_torch(module) for module in _modules(name))
        for name in _imports(file)
    )


def _imports(file: Path) -> list[str]:
    names: list[str] = []
    todo: list[ast.AST] = list(ast.parse(file.read_text(encoding="utf-8")).body)
    for node in todo:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = list(file.relative_to(ROOT).parts[: -node.level])
                base = ".".join([*package, *filter(None, [node.module])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            todo += ast.iter_child_nodes(
                node
            )  # `try`, `if` and class bodies run on import; functions do not
    return names


def _modules(name: str) -> list[Path]:
    """The file of a genmath module, if `name` is one."""
    if name.split(".")[0] not in ("genmath", "tests"):
        return []
    stem = ROOT.joinpath(*name.split("."))
    return [f for f in (stem.with_suffix(".py"), stem / "__init__.py") if f.is_file()]


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
