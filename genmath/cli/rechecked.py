"""`genmath check --kernel`: a step is proved only if the kernel accepts a proof of it, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genmath.cli.reports import Report

if TYPE_CHECKING:
    from genmath.proof import Derivation
    from genmath.proof.kernel import Line


def rechecked(report: Report, derivation: Derivation) -> Report:
    """The report with what the kernel says of each step that the judges prove; one of which it
    accepts no proof is open."""
    from genmath.proof.certificate import files

    lines = files.of_derivation(derivation).checked.lines
    steps = [_step(*both) for both in zip(report["steps"], lines, strict=True)]
    lost = any(s["verdict"] != o["verdict"] for s, o in zip(steps, report["steps"], strict=True))
    if not lost:
        return report | {"steps": steps}
    return report | {"steps": steps, "ok": False, "label": "not proved"}


def _step(step: dict[str, Any], line: Line) -> dict[str, Any]:
    if step["verdict"] != "proved":
        return step
    why = line.without or line.rejected
    said = {"accepted": not why, "supposed": list(line.supposed), "why": why}
    if why:
        reason = f"the judges prove it, but the kernel has no proof to accept: {why}"
        step = step | {"verdict": "open", "reason": reason}
    return step | {"kernel": said}
