"""What a file imports, and the keys of caches that are made of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from genmath._imports import closure, fingerprint, imported, imports_of, read_by

ROOT = Path(__file__).resolve().parents[1]


def test_what_counts_as_an_import() -> None:
    source = """
import a.b
from . import c
def f():
    from d import e
    importlib.import_module("g")
book.chapter("h")
"""
    run = {"a.b", "p", "p.c", "derivations.h"}
    assert imported(source, "p.q", within_functions=False) == run
    assert imported(source, "p.q") == run | {"d", "d.e", "g"}


def test_the_closure_has_every_file_that_runs(tmp_path: Path) -> None:
    texts = {
        "p/__init__.py": "from p.face import shown",
        "p/face.py": "import p.deep.er",
        "p/deep/__init__.py": "",
        "p/deep/er.py": "import p",
        "p/alone.py": "import sys",
        "derivations/vae.py": "",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    start = tmp_path / "lab.py"
    start.write_text("from genmath.book import chapter\nimport p.deep\nchapter('vae')\n")

    def found(*without: str) -> set[str]:
        left_out = [tmp_path / name for name in without]
        files = closure([start], tmp_path, left_out)
        return {file.relative_to(tmp_path).as_posix() for file in files}

    assert found() == {*texts, "lab.py"} - {"p/alone.py"}
    assert found("p/face.py") == {*texts, "lab.py"} - {"p/alone.py", "p/face.py", "p/deep/er.py"}


def test_what_a_text_names_in_quotes_is_read_by_it(tmp_path: Path) -> None:
    (tmp_path / "derivations").mkdir()
    for name in ("derivations/vae.py", "derivations/gan.py", "lab.py"):
        (tmp_path / name).write_text("")
    lab = tmp_path / "lab.py"
    lab.write_text('open("derivations/vae.py"); print("derivations/none.py", "lab.py", "a/b")')
    assert read_by(lab, tmp_path) == {tmp_path / "derivations/vae.py"}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for room in ("genmath", "derivations", "docs/labs"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def labs_changed_by(file: Path, root: Path) -> set[str]:
    def keys() -> dict[str, str]:
        labs = (root / "docs/labs").glob("*.py")
        return {lab.stem: fingerprint(closure([lab], root), root) for lab in labs}

    before = keys()
    file.write_text(file.read_text("utf-8") + "\n# edited\n", "utf-8")
    return {lab for lab, key in keys().items() if key != before[lab]}


def test_a_laboratory_depends_on_what_it_imports(copied: Path) -> None:
    labs = {lab.stem for lab in (copied / "docs/labs").glob("*.py")}
    package = copied / "genmath"
    assert labs_changed_by(package / "cli" / "console.py", copied) == set()
    assert labs_changed_by(package / "proof" / "language" / "latex.py", copied) == set()
    assert labs_changed_by(package / "gan.py", copied) == {"gan", "latent", "translation"}
    assert labs_changed_by(package / "figures.py", copied) == labs
    with_nets = {"divergences", "flow_matching", "gan", "vae"}
    assert with_nets <= labs_changed_by(package / "nets" / "mlp.py", copied) < labs


def test_a_relative_import_is_read_in_its_package() -> None:
    assert "genmath._base.checks" in imports_of(ROOT / "genmath" / "vae.py", ROOT)


def test_what_needs_torch_is_known_through_every_room() -> None:
    """Where torch is absent these tests are left out, and no other."""
    need = {"test_nets", "test_samplers"}
    names = {*need, "test_book", "test_house", "test_figures"}
    run = f"import conftest as c; print(*(n for n in {names} if c.needs_torch(c.ROOT / 'tests' / (n + '.py'))))"  # noqa: E501
    said = subprocess.run(
        [sys.executable, "-c", run], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {*said.stdout.split()} == need
