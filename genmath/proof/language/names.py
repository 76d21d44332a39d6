r"""How a declared name is typeset: "alpha_bar_t" is \bar\alpha_t on the page and ᾱ_t in a terminal.

A name is a base and its subscripts, separated by underscores. A Greek letter is spelled out; an
accent word (bar, hat, tilde, star, prime) decorates the piece before it; a piece in braces is kept
as it is ("x_{t-1}"); a word of several letters is upright ("p_data"). A defined letter may be named
after what it is: "q(x_2|x_0)".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "zeta": "ζ",
    "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "varepsilon": "ε", "vartheta": "ϑ", "varphi": "ϕ",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "ℓ",
}  # fmt: skip
ALIASES = {"eps": "epsilon"}
ACCENTS = {"bar": "\u0304", "hat": "\u0302", "tilde": "\u0303"}
RAISED = {"star": (r"^\star", "⋆"), "prime": ("'", "′")}

Piece = tuple[str, tuple[str, ...]]


@lru_cache(maxsize=4096)
def pieces(name: str) -> tuple[Piece, ...]:
    """The base and the subscripts, each with its accents: "x_t_hat" is (x, ()), (t, (hat,))."""
    found: list[Piece] = []
    for part in re.findall(r"\{.*?\}|[^_{}]+", name):
        if found and (part in ACCENTS or part in RAISED):
            found[-1] = (found[-1][0], (*found[-1][1], part))
        else:
            found.append((part, ()))
    return tuple(found) or ((name, ()),)


def latex_name(name: str, *index: str) -> str:
    """The name in LaTeX; `index` are further subscripts, already in LaTeX."""
    if "(" in name:
        marks = {"|": r" \mid ", ",": ", "}
        return "".join(
            marks.get(p) or (latex_name(p) if p not in "()" else p) for p in _called(name)
        )
    base, *subscripts = pieces(name)
    shown = _latex_piece(base, raise_it=False)
    below = ",".join([_latex_piece(s) for s in subscripts] + list(index))
    above = "".join(RAISED[a][0] for a in base[1] if a in RAISED)
    if below:
        single = len(below) == 1 or re.fullmatch(r"\\[A-Za-z]+", below)
        shown += f"_{below}" if single else f"_{{{below}}}"
    return shown + above


def text_name(name: str, *index: str) -> str:
    """The name in plain Unicode; `index` are further subscripts."""
    if "(" in name:
        return "".join(p if p in "(|,)" else text_name(p) for p in _called(name))
    base, *subscripts = pieces(name)
    below = ",".join([_text_piece(s) for s in subscripts] + list(index))
    if not below:
        return _text_piece(base)
    return f"{_text_piece(base)}_{below}" if below.isalnum() else f"{_text_piece(base)}_{{{below}}}"


def _called(name: str) -> list[str]:
    return [part for part in re.split(r"([(|,)])", name) if part]


def is_raised(name: str) -> bool:
    """Whether the typeset letter carries a star or a prime, so that a power needs parentheses."""
    return "^" in name or any(a in RAISED for a in pieces(name)[0][1])


def collisions(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of different names that look the same on the page, such as "eps" and "epsilon"."""
    seen: dict[str, str] = {}
    found = []
    for name in names:
        first = seen.setdefault(latex_name(name), name)
        if first != name:
            found.append((first, name))
    return found


def _latex_piece(piece: Piece, raise_it: bool = True) -> str:
    word, accents = piece
    word = ALIASES.get(word, word)
    if word.startswith("{"):
        shown = word[1:-1]
    elif word in GREEK:
        shown = "\\" + word
    elif len(word) == 1 or not word.isalpha():
        shown = word
    else:
        shown = rf"\mathrm{{{word}}}"
    for accent in accents:
        if accent in ACCENTS:
            shown = (
                rf"\{accent}{shown}"
                if shown in map("\\".__add__, GREEK)
                else rf"\{accent}{{{shown}}}"
            )
        elif raise_it:
            shown += RAISED[accent][0]
    return shown


def _text_piece(piece: Piece) -> str:
    word, accents = piece
    word = ALIASES.get(word, word)
    shown = word[1:-1] if word.startswith("{") else GREEK.get(word, word)
    for accent in accents:
        shown += ACCENTS[accent] if accent in ACCENTS else RAISED[accent][1]
    return shown
