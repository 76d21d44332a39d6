"""What is said of a report, at the command line and in the reader's browser alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genmath import book

Report = dict[str, Any]  # one derivation of `--json`

SIGN = {"=": "=", ">=": "≥", "<=": "≤"}


def why(step: dict[str, Any]) -> Iterator[str]:
    """What a reader needs to mend a step: what is left over, the reason, the counterexample."""
    residual = step.get("residual_text") or step["residual"]
    if residual:
        yield f"residual: {residual}"
    if step.get("reason"):
        yield f"because: {step['reason']}"
    if step.get("likely"):
        yield _likely(step["likely"])
    if step["counterexample"]:
        yield from _counterexample(step["counterexample"])


def _likely(found: dict[str, str]) -> str:
    """The mistake, named by what is proved instead."""
    side = found["side"]
    if side == "relation":
        return f"proved with {found['what']}"
    where, whole = "on the left" if side == "lhs" else "here", found[f"{side}_text"]
    said = f"proved with {found['what']}"
    return said if found["what"].startswith(whole) else f"{said} {where}: {whole}"


def _counterexample(found: dict[str, Any]) -> Iterator[str]:
    """Both values in one line, then the world in which they were found."""
    nested = {key: item for key, item in found.items() if isinstance(item, (dict, list))}
    values = [f"{key} = {_number(found[key])}" for key in found.keys() - nested.keys() - {"reason"}]
    yield f"counterexample: {', '.join(sorted(values, key=_left_right_rest))}"
    yield from (f"  {line}" for line in _tree(nested))


def _left_right_rest(value: str) -> tuple[bool, bool, str]:
    return not value.startswith("lhs"), not value.startswith("rhs"), value


def _tree(value: Any) -> Iterator[str]:
    """Nested dicts and lists as indented `key = value` lines; a row of numbers stays one line."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, dict) or (
            isinstance(item, list) and any(isinstance(x, (dict, list)) for x in item)
        ):
            yield f"{key}:"
            yield from (f"  {line}" for line in _tree(item))
        elif isinstance(item, list):
            yield f"{key} = [{', '.join(map(_number, item))}]"
        else:
            yield f"{key} = {_number(item)}"


def _number(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def import_trouble(error: book.ChapterError) -> str:
    """What is wrong with a file, in one line, and its own part of the traceback if it has one."""
    from genmath.proof import __all__ as notation

    unknown = re.search(r"NameError: name '(\w+)' is not defined", str(error))
    hint = " (write: from genmath.proof import *)" if unknown and unknown[1] in notation else ""
    return f"{error}{hint}\n{error.details}".rstrip()


def plain(value: Any) -> Any:
    """JSON has no infinity and no tuple keys."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
