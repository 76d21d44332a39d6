"""One file a derivation, and the one that all of them require."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from genmath.proof.coq import library
from genmath.proof.coq.script import NoProof
from genmath.proof.coq.theorem import of_step
from genmath.proof.language.derivation import Derivation
from genmath.proof.language.text import text

HEAD = """\
(* {name}: {title}.

   Each theorem states one step for all real numbers and for all functions that the step speaks of;
   they stand for what is no arithmetic, such as densities, integrals and expectations. A step that
   supposes a law says so: L... is one of its integrals or densities (it is taken term by term; a
   density integrates to one; p(z|x) is p(x,z)/p(x); KL and entropy are expectations of logarithms;
   moments of a normal law), P... that what is nowhere < 0 has no integral < 0. *)
"""


@dataclass(frozen=True)
class Written:
    """The file of a derivation, how many steps it has, and how many are covered whole; `supposing`
    are those whose theorem names an earlier result, or a law of integrals or densities."""

    name: str
    text: str
    steps: int
    covered: int
    supposing: int


def write(derivations: Iterable[Derivation], folder: Path) -> list[Written]:
    """A file for each; an `OSError` where there can be none."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{library.NAME}.v").write_text(library.TEXT, encoding="utf-8")
    written: dict[str, Written] = {}
    for derivation in derivations:
        one = of_derivation(derivation)
        name, k = one.name, 1
        while name in written or name == library.NAME:
            k += 1
            name = f"{one.name}_{k}"
        written[name] = one
        (folder / f"{name}.v").write_text(one.text, encoding="utf-8")
    return list(written.values())


def of_derivation(derivation: Derivation) -> Written:
    parts = [HEAD.format(name=_comment(derivation.name), title=_comment(derivation.title))]
    covered = supposing = 0
    for k, step in enumerate(derivation.steps, 1):
        said = f"(* Step {k}: "
        if not step.missing:
            said += _comment(f"{text(step.lhs)} {step.relation} {text(step.rhs)}")
        try:
            shown = of_step(step)
        except NoProof as why:
            parts.append(f"{said}\n   Left out: {_comment(str(why))}. *)\n")
            continue
        if shown.results or shown.laws:
            supposing += 1
            named = [*shown.results, *(["the laws L... and P..."] if shown.laws else [])]
            said += f"\n   Supposing {', '.join(named)}."
        else:
            covered += 1
        if covered + supposing == 1:
            parts.insert(1, f"Require Import {library.NAME}.\n")
        parts.append(f"{said} *)\n{shown.text(f'step_{k}')}")
    name = re.sub(r"\W", "_", derivation.name, flags=re.ASCII)
    name = name if name[0].isalpha() else f"d_{name}"
    return Written(name, "\n".join(parts), len(derivation.steps), covered, supposing)


def _comment(said: str) -> str:
    """Where a string or another comment would begin, none does."""
    said = said.replace('"', "'")
    return re.sub(r"\((?=\*)|\*(?=\))", lambda m: m.group() + " ", said)
