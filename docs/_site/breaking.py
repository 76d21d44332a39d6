r"""Formulas wider than their column, broken into lines: before a relation, a plus or a minus, and
where one term alone is too wide, within its brackets or its numerator.

Widths are in em and estimated from the LaTeX, which the printer of formulas wrote: its signs stand
between spaces. Nothing but the lines is added, `unbroken` takes them out again.
"""

from __future__ import annotations

import re
from functools import cache

TOKEN = re.compile(
    r"\\(?:left|right|middle)(?:\\(?:[a-zA-Z]+|\W)|\W)|\\[a-zA-Z]+|\\.|[a-zA-Z0-9]|\s+|.", re.DOTALL
)
BREAK = re.compile(r" (?:[-+=<>]|\\le|\\ge) ")
OPENS, CLOSES = ("{", "(", "[", r"\left"), ("}", ")", "]", r"\right")
START, NEXT, END = r"\begin{aligned}& ", r" \\ & \quad{}", r"\end{aligned}"
INDENT = 1.0
# By width, what is not as wide as a letter.
WIDTHS = {
    token: wide
    for wide, tokens in {
        0: r"{ } \displaystyle \mathrm",
        0.05: r"\mathbf",
        0.1: r"\mathbb",
        0.17: r"\, \operatorname",
        0.28: r"| [ ]",
        0.3: r"' \middle",
        0.35: r"\mathcal",
        0.39: r"( ) \langle \rangle",
        0.44: r", ;",
        0.5: r"\|",
        0.72: r"\cdot",
        0.75: r"\int",
        0.83: r"\mid \nabla",
        1: r"\infty \quad",
        1.2: r"\in",
        1.22: r"+ -",
        1.3: r"\dots \inf",
        1.33: r"= > < \le \ge \sim",
        1.45: r"\log",
        1.5: r"\det \prod \lim",
        1.6: r"\exp \sum \sup",
        1.7: r"\min",
        1.9: r"\max",
    }.items()
    for token in tokens.split()
}
LETTER, COMMAND, TALL = 0.56, 0.6, 0.65


def broken(tex: str, room: float) -> str:
    """In lines that fit, as far as there are places to break at."""
    if width(tex) <= room:
        return tex
    lines: list[str] = []
    for piece in _pieces(tex):
        if lines and width(lines[-1] + piece) <= room - INDENT * (len(lines) > 1):
            lines[-1] += piece
        else:
            lines.append(piece)
    lines = [_within(line, room - INDENT * (at > 0)) for at, line in enumerate(lines)]
    return lines[0] if len(lines) == 1 else START + NEXT.join(lines) + END


def unbroken(tex: str) -> str:
    """The formula in one line."""
    return tex.replace(START, "").replace(NEXT, "").replace(END, "")


def _pieces(tex: str) -> list[str]:
    """A sum or a chain cut before each of its signs that stands in no bracket."""
    cuts, depth, at = [0], 0, 0
    for token in TOKEN.findall(tex):
        depth += token.startswith(OPENS) - token.startswith(CLOSES)
        if depth == 0 and token == " " and at and BREAK.match(tex, at):
            cuts.append(at)
        at += len(token)
    return [tex[a:b] for a, b in zip(cuts, [*cuts[1:], len(tex)], strict=True)]


def _within(line: str, room: float) -> str:
    """A line that is too wide, with the widest of its brackets or numerators broken."""
    over = width(line) - room
    if over <= 0:
        return line
    inner = [(width(line[a:b]), a, b) for a, b in _groups(line)]
    for wide, a, b in sorted(inner, reverse=True):
        if (made := broken(line[a:b], wide - over)) != line[a:b]:
            return line[:a] + made + line[b:]
    return line


def _groups(tex: str) -> list[tuple[int, int]]:
    r"""Where what stands between \left and \right, and above a line, begins and ends."""
    found: list[tuple[int, int]] = []
    open_: list[tuple[int, bool]] = []
    at, before = 0, ""
    for token in TOKEN.findall(tex):
        if token.startswith(OPENS):
            breaks = token.startswith(r"\left") or before == r"\frac"
            open_.append((at + len(token), breaks and not any(o for _, o in open_)))
        elif token.startswith(CLOSES) and open_:
            start, outermost = open_.pop()
            if outermost:
                found.append((start, at))
        at, before = at + len(token), token
    return found


# ---- how wide it is ------------------------------------------------------------------------------


@cache
def width(tex: str) -> float:
    """About the width of a displayed formula, in em."""
    tokens = TOKEN.findall(tex)
    total, _ = _row(tokens, 0)
    return total


def _row(tokens: list[str], at: int) -> tuple[float, int]:
    """The width up to the bracket that closes this row, and where that is."""
    total = 0.0
    while at < len(tokens) and tokens[at] != "}":
        token = tokens[at]
        if token in ("^", "_"):
            scripts = []
            while at < len(tokens) and tokens[at] in ("^", "_"):
                wide, at = _one(tokens, at + 1)
                scripts.append(0.7 * wide)
            total += max(scripts)
        else:
            wide, at = _one(tokens, at)
            total += wide
    return total, at


def _one(tokens: list[str], at: int) -> tuple[float, int]:
    token = tokens[at]
    if token == "{":
        wide, at = _row(tokens, at + 1)
        return wide, at + 1
    if token in (r"\frac", r"\tfrac"):
        above, at = _one(tokens, at + 1)
        below, at = _one(tokens, at)
        return (0.7 if token == r"\tfrac" else 1) * max(above, below) + 0.24, at
    if token == r"\sqrt":
        under, at = _one(tokens, at + 1)
        return under + 0.85, at
    if token in (r"\sum", r"\prod"):
        wide, at = WIDTHS[token], at + 1
        while at < len(tokens) and tokens[at] in ("^", "_"):
            limit, at = _one(tokens, at + 1)
            wide = max(wide, 0.7 * limit + 0.17)
        return wide, at
    if token.startswith((r"\left", r"\right")):
        return TALL, at + 1
    usual = COMMAND if token.startswith("\\") else 0 if token.isspace() else LETTER
    return WIDTHS.get(token, usual), at + 1
