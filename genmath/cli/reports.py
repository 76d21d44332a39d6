"""What is said of a report, at the command line and in the reader's browser alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from genmath.proof.language.names import text_name

if TYPE_CHECKING:
    from genmath import book

Report = dict[str, Any]  # one derivation of `--json`

SHORT, FULL = 6, 15  # digits of a number in the terminal; of what `--json` holds
SIGN = {"=": "=", ">=": "≥", "<=": "≤", ">": ">", "<": "<"}


def why(step: dict[str, Any]) -> Iterator[str]:
    """What a reader needs to mend a step: what is left over, the reason, the counterexample."""
    residual = step.get("residual_text") or step["residual"]
    if residual:
        yield f"residual: {residual}"
    if step.get("reason"):
        yield f"because: {step['reason']}"
    if step.get("likely"):
        yield _likely(step["likely"])
    if step.get("agrees"):
        yield step["agrees"]
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
    line = _both(found["lhs"], found["rhs"]) | {"difference": _number(found["difference"])}
    if found["dimension"] > 1:
        line["d"] = str(found["dimension"])
    yield f"counterexample: {', '.join(f'{key} = {value}' for key, value in line.items())}"
    rest = {key: value for key, value in found.items() if isinstance(value, dict) and value}
    yield from (f"  {line}" for line in _tree(rest))


def _both(lhs: Any, rhs: Any) -> dict[str, str]:
    """Both sides at six digits, or at as many as it takes to tell them apart."""
    shown: dict[str, str] = {}
    for digits in range(SHORT, FULL + 1):
        shown = {"lhs": _number(lhs, digits), "rhs": _number(rhs, digits)}
        if shown["lhs"] != shown["rhs"]:
            break
    return shown


def _tree(value: Any) -> Iterator[str]:
    """Nested dicts and lists as indented `key = value` lines; a row of numbers stays one line."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        name = re.sub(r"[A-Za-z]\w*", lambda word: text_name(word[0]), str(key))
        if isinstance(item, dict) or (
            isinstance(item, list) and any(isinstance(x, (dict, list)) for x in item)
        ):
            yield f"{name}:"
            yield from (f"  {line}" for line in _tree(item))
        elif isinstance(item, str) and item.startswith(f"{key}("):
            yield item  # "f(u) = ..."
        else:
            yield f"{name} = {_number(item)}"


def _number(value: Any, digits: int = SHORT) -> str:
    """A number, also one that is kept as a decimal string, or a row of them."""
    if isinstance(value, list):
        return f"[{', '.join(_number(x, digits) for x in value)}]"
    if isinstance(value, (float, str)) and not isinstance(value, bool):
        try:
            exact = Decimal(str(value))
        except InvalidOperation:
            return str(value)
        if exact.is_finite():
            rounded = f"{exact:.{digits}g}"
            return f"{float(rounded):.{digits}g}" if abs(exact.adjusted()) < 300 else rounded
    return str(value)


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


SHOWN = 3  # of a kind, where there are more
ENDINGS = (" < ∞", " → 0 at infinity", " ≠ 0")


def shortened(assumed: list[str]) -> str:
    """What is assumed, in a line: alike ones together, and no more than a few of them."""
    parts = []
    for ending in ENDINGS:
        same = [a.removesuffix(ending) for a in assumed if a.endswith(ending)]
        same = sorted(same, key=len)
        more = f", and {len(same) - SHOWN} more," if len(same) > SHOWN + 1 else ""
        if same:
            parts.append(", ".join(same[: SHOWN if more else None]) + more + ending)
    return "; ".join([*parts, *(a for a in assumed if not a.endswith(ENDINGS))])
