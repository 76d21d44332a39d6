"""A topic that nobody has heard of comes to the pages that list topics, and has pages of its own.

Of a temporary checkout only these pages are made; the whole site takes minutes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.newcomer import ROOT, checkout, python

BUILD = """
import json
import sys
from mkdocs.commands.build import _populate_page
from mkdocs.config import load_config
from mkdocs.structure.files import get_files
from mkdocs.structure.nav import get_navigation

config = load_config("mkdocs.yml")
config.plugins.on_startup(command="build", dirty=True)
config = config.plugins.on_config(config)
config.plugins.on_pre_build(config=config)
files = config.plugins.on_files(get_files(config), config=config)
nav = get_navigation(files, config)
shown = {}
for uri in sys.argv[1:]:
    file = files.get_file_from_path(uri)
    _populate_page(file.page, config, files)
    shown[uri] = file.page.content
entries = {p.file.src_uri: [*reversed([a.title for a in p.ancestors]), p.title] for p in nav.pages}
print(json.dumps({"shown": shown, "entries": entries}))
"""


def test_a_new_topic_is_on_every_page_that_lists_topics(tmp_path: Path) -> None:
    here = checkout(tmp_path)
    (here / "docs/_site/node_modules").symlink_to(ROOT / "docs/_site/node_modules")
    if (ROOT / ".cache/pyodide").is_dir():  # sympy is compiled already
        (here / ".cache").mkdir()
        (here / ".cache/pyodide").symlink_to(ROOT / ".cache/pyodide")
    own = ["derivations/dice.py", "labs/dice.py", "exercises/dice.md", "api/dice.md"]
    lists = ["start/read.md", "api/index.md", "exercises/index.md", "map.md"]
    built = python(here, "-c", BUILD, *own, *lists)
    assert built.returncode == 0, built.stderr
    said = json.loads(built.stdout.splitlines()[-1])
    assert {uri: said["entries"][uri] for uri in own} == {
        "derivations/dice.py": ["Chapters", "Games", "Throwing dice"],
        "labs/dice.py": ["Laboratories", "Throwing dice"],
        "exercises/dice.md": ["Exercises", "Throwing dice"],
        "api/dice.md": ["Code", "Throwing dice"],
    }
    shown = said["shown"]
    assert re.search(r"\d\.1 A throw is a throw", shown["derivations/dice.py"])
    assert "builds on" in shown["derivations/dice.py"]
    assert "1.0" in shown["labs/dice.py"]
    assert "exercise-whole" in shown["exercises/dice.md"]
    assert "The whole of a throw." in shown["api/dice.md"]
    assert "what a throw is worth" in shown["start/read.md"]
    assert "Dice: what a throw is worth" in shown["api/index.md"]
    assert "dice/<wbr>whole" in shown["exercises/index.md"]
    assert "dice.throw" in shown["map.md"]
    assert "Throwing dice" in shown["map.md"]


def test_a_room_that_is_missing_ends_the_build(tmp_path: Path) -> None:
    here = checkout(tmp_path)
    (here / "docs/labs/dice.py").unlink()
    built = python(here, "-c", BUILD)
    assert built.returncode
    assert "dice lacks docs/labs/dice.py" in built.stderr
