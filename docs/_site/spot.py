"""Find the slip: three lines of which one was published and is false. The reader marks one, and is
told what the checker found. It needs no script: what is marked shows its answer by style alone."""

from __future__ import annotations

import random
from itertools import count

from maths import display
from rendering import counterexample, given, where
from results import SiteError, mention, slip_ids

from genmath.proof.language.claims import Claim
from genmath.proof.language.latex import latex_claim

_numbers = count(1)


def question(name: str, among: list[str]) -> str:
    """The published line of the slip `name` among true ones, each a result or a part of one."""
    result = slip_ids().get(name)
    if result is None:
        raise SiteError(f"{{{{ spot {name} }}}}: no slip of the book is called {name!r}")
    if not among:
        raise SiteError(f"{{{{ spot {name} }}}}: say among which true results, after `among`")
    slips = result.derivation.slips
    at = next(i for i, slip in enumerate(slips) if slip.id == name)
    wrong = slips[at].wrong
    if wrong is None:
        raise SiteError(f"{{{{ spot {name} }}}}: it is a false alarm, no line of it is false")
    found = (result.report or {"slips": [{}] * len(slips)})["slips"][at]
    answer = (
        f'<p><span class="tag wrong">{found.get("wrong_verdict", "not checked")}</span> '
        f'This is the one: <autoref identifier="slip-{name}">what was meant</autoref>.</p>'
        f"{counterexample(found.get('counterexample'))}"
    )
    lines = [(_shown(wrong), answer)]
    for other in among:
        known = mention(other)
        if known is None:
            raise SiteError(f"{{{{ spot {name} }}}}: there is no result {other!r}")
        true = (
            '<p><span class="tag right">proved</span> This line is true: '
            f'<autoref identifier="{known.anchor}">result {known.number}</autoref>.</p>'
        )
        lines.append((_shown(known.claim), true))
    random.Random(name).shuffle(lines)
    group = f"spot-{next(_numbers)}"
    shown = "".join(
        f'<div class="choice"><input type="radio" name="{group}" id="{group}-{i}" '
        f'aria-label="line {i} is false">{line}<div class="answer">{said}</div></div>'
        for i, (line, said) in enumerate(lines, 1)
    )
    return (
        '<fieldset class="spot"><legend>Find the slip: one of these lines was published and is '
        f"false. Mark it.</legend>{shown}</fieldset>"
    )


def _shown(claim: Claim) -> str:
    meanings = where((claim.lhs, claim.rhs), claim.given)
    return f'<div class="claim">{display(latex_claim(claim))}{given(claim.given)}{meanings}</div>'
