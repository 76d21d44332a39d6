"""The pictures of the chapters: docs/pictures/<topic>.py, a function a picture.

A paragraph {{ picture ddpm.noising }} shows what `noising()` of docs/pictures/ddpm.py returns, a
figure of genmath.figures. They are drawn once, in a process of their own, and kept under a key of
the text and of all that it imports: python docs/_site/pictures.py draws what changed.
"""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from results import ROOT, SiteError

from genmath._imports import closure, fingerprint
from genmath.cli.workers import cores

SOURCES = ROOT / "docs" / "pictures"
CACHE = ROOT / ".cache" / "pictures"


def picture(name: str) -> str:
    """The HTML of a picture, by its name `topic.function`."""
    topic, _, which = name.partition(".")
    source = SOURCES / f"{topic}.py"
    if not source.is_file():
        raise SiteError(f"{{{{ picture {name} }}}}: there is no docs/pictures/{topic}.py")
    drawn = _drawn(source)
    if which not in drawn:
        raise SiteError(f"{{{{ picture {name} }}}}: {source.name} draws {', '.join(drawn)}")
    return f'<div class="picture">{drawn[which]}</div>'


def _drawn(source: Path) -> dict[str, str]:
    if not _kept(source).is_file():
        _draw(source)
    found: dict[str, str] = json.loads(_kept(source).read_text("utf-8"))
    return found


def _kept(source: Path) -> Path:
    key = fingerprint(closure([source], ROOT), ROOT)
    return CACHE / f"{source.stem}-{key[:16]}.json"


def _draw(source: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", __file__, str(source)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if run.returncode or run.stderr:
        raise SiteError(f"{source.name}: {run.stderr.strip()}")
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in CACHE.glob(f"{source.stem}-*.json"):
        old.unlink()
    _kept(source).write_text(run.stdout, "utf-8")


def _functions(source: Path) -> dict[str, str]:
    """Every public function of a file, called."""
    from genmath.figures import Html

    space: dict[str, object] = {"__name__": source.stem, "__file__": str(source)}
    exec(compile(source.read_text("utf-8"), source, "exec"), space)
    drawn = {}
    for name, make in space.items():
        if inspect.isfunction(make) and make.__module__ == source.stem and name[0] != "_":
            shown = make()
            if not isinstance(shown, Html):
                raise TypeError(f"{name}() returned {shown!r}: expected a figure or a slider")
            drawn[name] = str(shown)
    return drawn


def main() -> int:
    if sys.argv[1:]:
        print(json.dumps(_functions(Path(sys.argv[1])), ensure_ascii=False, indent=1))
        return 0
    stale = [source for source in sorted(SOURCES.glob("*.py")) if not _kept(source).is_file()]
    failed = 0
    with ThreadPoolExecutor(cores()) as pool:
        for source, drawing in [(source, pool.submit(_draw, source)) for source in stale]:
            error = drawing.exception()
            print(f"pictures of {source.stem}: {error or 'drawn'}", flush=True)
            failed += error is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
