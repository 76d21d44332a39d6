"""The editor comes from npm as modules that import one another: which of them the site serves."""

from __future__ import annotations

import re
from pathlib import Path

DIST = (Path(__file__).parent / "node_modules" / "prism-code-editor" / "dist").resolve()
ASKED = ("index.js", "prism/languages/python.js", "layout.css")  # by docs/assets/check/field.js
IMPORTED = re.compile(r'^import .*"(\.[^"]+)";$', re.MULTILINE)


def served() -> list[str]:
    """What is asked for, and all that it imports, as paths below DIST."""
    found: list[str] = []
    asked = [DIST / name for name in ASKED]
    while asked:
        file = asked.pop()
        name = file.relative_to(DIST).as_posix()
        if name not in found:
            found.append(name)
            asked += [
                (file.parent / to).resolve() for to in IMPORTED.findall(file.read_text("utf-8"))
            ]
    return found
