r"""A whole derivation as LaTeX, to paste elsewhere or to be shown by a notebook."""

from __future__ import annotations

from genmath.proof.language.derivation import Chain, Derivation
from genmath.proof.language.latex import SIGNS, latex


def typeset(derivation: Derivation) -> str:
    r"""An `aligned` block a chain, each line with its reason; what names a chain is a comment."""
    blocks = [f"% {derivation.name}: {derivation.title}"]
    for chain in derivation.chains:
        blocks += [f"% {words}" for words in chain_title(chain)]
        blocks.append(aligned(chain))
    return "\n".join(blocks)


def markdown(derivation: Derivation) -> str:
    """The same for a notebook."""
    blocks = [f"**{derivation.title}**"]
    for chain in derivation.chains:
        blocks += [f"*{words}*" for words in chain_title(chain)]
        blocks.append(f"$$\n{aligned(chain)}\n$$")
    return "\n\n".join(blocks)


def aligned(chain: Chain) -> str:
    rows = [f"  & {latex(chain.start)}"]
    for step in chain.steps:
        right = r"\dots" if step.missing else latex(step.rhs)
        reason = rf" && \text{{{_prose(step.by)}}}" if step.by else ""
        rows.append(f"  & {SIGNS[step.relation]} {right}{reason}")
    return "\n".join([r"\begin{aligned}", " \\\\\n".join(rows), r"\end{aligned}"])


def chain_title(chain: Chain) -> list[str]:
    """What sets a chain apart from its neighbours: its name, the case it treats."""
    words = [chain.title] if chain.title else []
    words += [f"{letter} = {value}" for letter, value in chain.case]
    return [", ".join(words)] if words else []


def _prose(words: str) -> str:
    """Escape prose for LaTeX, leaving what stands between dollar signs."""
    escapes = {c: "\\" + c for c in "%&#_{}"} | {
        "\\": r"\textbackslash{}",
        "^": r"\^{}",
        "~": r"\~{}",
    }
    parts = words.split("$")
    if len(parts) % 2 == 0:
        return "".join({**escapes, "$": r"\$"}.get(c, c) for c in words)
    return "$".join(
        part if index % 2 else "".join(escapes.get(c, c) for c in part)
        for index, part in enumerate(parts)
    )
