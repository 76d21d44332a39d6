"""A checkout in a temporary folder with a topic more: five rooms and a line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINE = '    Topic("Games", "dice", "Throwing dice", "what a throw is worth", ("divergences",)),\n'
ROOMS = {
    "derivations/dice.py": """\
# %% [markdown]
# # Throwing dice
#
# What is a throw worth?

# %%
from genmath.book import chapter
from genmath.proof import *

x = variables("x")
p = Density("p", x)
q = Density("q", x, positive=True)
known = chapter("divergences").kl_nonnegative


# %%
@derivation("A throw is a throw")
def throw(d):
    d.start(integral(p(x), x))
    d.equals(1, by="p is a density")
""",
    "genmath/dice.py": '''\
"""Dice: what a throw is worth.

More cannot be said.
"""


def throw() -> float:
    """The whole of a throw.

    Result: dice.throw
    """
    return 1.0
''',
    "tests/test_dice.py": """\
from genmath.dice import throw


def test_throw() -> None:
    assert throw() == 1.0


TIES = {"throw": {"dice.throw": test_throw}}
""",
    "docs/labs/dice.py": """\
# %% [markdown]
# # Laboratory: Throwing dice

# %%
from genmath.dice import throw

print(throw())
""",
    "exercises/dice/whole.py": '''\
"""A throw is a throw

Show that it is."""

from genmath.proof import *

x = variables("x")
p = Density("p", x)


@derivation("A throw is a throw")
def whole(d):
    d.start(integral(p(x), x))
    d.equals(1, by="p is a density")                   # task: d.equals(..., by="...")
''',
}


def checkout(folder: Path) -> Path:
    """What git knows of, copied, with the topic added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    for name, text in ROOMS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    write_line(folder, LINE)
    return folder


def write_line(folder: Path, line: str) -> None:
    """The line goes where its part of the book begins."""
    table = folder / "genmath" / "_topics.py"
    before, part, after = table.read_text("utf-8").partition('    Topic("Games",')
    table.write_text(before + line + part + after, "utf-8")


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python as one who stands in that checkout has it."""
    path = os.pathsep.join(map(str, (folder, folder / "docs" / "_site")))
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
    )
