"""`genmath check --coq DIR`: the steps that are algebra, as theorems for Coq."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from genmath.cli.console import Unreadable
from genmath.cli.finding import loaded

if TYPE_CHECKING:
    from genmath.proof.coq import files


def write(names: Sequence[str], folder: Path) -> int:
    """A file a derivation; what is covered, by chapter, and in the last line of all."""
    from genmath.proof.coq import files

    by_topic: dict[str, list[files.Written]] = {}
    derivations = {d.name: d for name in names for d in loaded(name)}
    try:
        written = files.write(derivations.values(), folder)
    except OSError as error:
        raise Unreadable(f"--coq {folder}: {error.strerror or error}") from None
    for derivation, one in zip(derivations.values(), written, strict=True):
        by_topic.setdefault(derivation.topic, []).append(one)
    width = max(map(len, by_topic))
    for topic, ones in by_topic.items():
        typer.echo(f"{topic:{width}}  {_covered(ones)}")
    go = f"cd {shlex.quote(str(folder))}"
    typer.echo(f"to check them: {go} && coqc Genmath.v && for f in *_*.v; do coqc $f; done")
    more = sum(w.supposing for w in written)
    typer.echo(
        f"in all {_covered(written)} steps are covered whole, and {more} more but for laws or "
        "results that their theorems name"
    )
    return 0


def _covered(ones: Sequence[files.Written]) -> str:
    return f"{sum(w.covered for w in ones)} of {sum(w.steps for w in ones)}"
