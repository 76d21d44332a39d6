"""What a certificate claims, in plain text: as the kernel read it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from genmath.proof.kernel.claims import Claim, Function
from genmath.proof.kernel.terms import Fact, Term

SUM, PRODUCT, POWER, ATOM = range(4)
SIGNS = {"=": "=", "<": "<", "<=": "<=", "!=": "!="}


def shown(claim: Claim) -> list[str]:
    """What is supposed, a line each, and what is stated."""
    letters = sorted(claim.read.letters - {"PI"})
    lines = [f"for all numbers {', '.join(letters)}"] if letters else []
    lines += [f"where {', '.join(sorted(claim.whole))} are whole numbers"] * bool(claim.whole)
    for name, function in claim.functions.items():
        lines.append(f"for all functions {_declared(name, function)}")
    lines += [f"where {relation(f)}" for f in claim.given]
    for m, premises, fact in claim.always:
        names = _places(m)
        if_ = "".join(f" with {relation(p, names)}" for p in premises)
        lines.append(f"where, for all {', '.join(names)}{if_}: {relation(fact, names)}")
    lines += [f"supposing, if it names it, {name}: {relation(f)}" for name, f in claim.results]
    return [*lines, relation(claim.states)]


def relation(fact: Fact, bound: Sequence[str] = ()) -> str:
    sign, left, right = fact
    return f"{term(left, bound)} {sign} {term(right, bound)}"


def term(t: Term, bound: Sequence[str] = ()) -> str:
    """`bound`: names for the letters bound around it, those of the nearest binder first."""
    return _shown(t, bound)[0]


def _declared(name: str, f: Function) -> str:
    arguments = [_names(m, 0, k) for k, m in enumerate(f.takes)]
    takes = ", ".join(
        f"({', '.join(a)} -> _)" if m else "_" for a, m in zip(arguments, f.takes, strict=True)
    )
    said = [f"{name}({takes})"]
    said += [relation(c, ["its value"]) for c in f.values]
    bound = _names(max(f.takes, default=0), 0, 0)
    said += [f"looking only where {relation(c, bound)}" for c in f.ranges]
    said += [f"with derivative {f.slope}"] * bool(f.slope)
    said += ["with a derivative everywhere"] * f.smooth
    said += [f"{f.kind}{f' by {f.by}' if f.by else ''}"] * bool(f.kind)
    places = _places(len(f.takes))
    if f.ratio:
        said.append(f"which is {term(f.ratio[0], places)} / {term(f.ratio[1], places)}")
    if f.chain:
        said.append(f"which is {term(f.chain[0], places)} * {term(f.chain[1], places)}")
    said += [f"of {' and '.join(f.each)}"] * (f.each not in ((), (name,)))
    said += ["over the line"] * f.line
    said += [f"over the letters of which {f.unit}(letter, letter) = 1, else 0"] * bool(f.unit)
    if f.inverse:
        said.append(f"positive definite, of inverse {' and determinant '.join(f.inverse)}")
    said += [f"over vectors, of which {f.points} gives the coordinates"] * bool(f.points)
    for k, (measure, other) in enumerate(f.margins, 1):
        said += [f"whose {measure} over its argument {k} is {other or 1}"] * bool(measure)
    return "; ".join(said)


def _places(m: int) -> list[str]:
    """Names of arguments, which no letter can have."""
    return [f"@{k}" for k in range(1, m + 1)]


def _names(m: int, height: int, k: int) -> list[str]:
    """Names that no letter can have."""
    return [f"@{height + 1}" + (f"_{i}" if i else "") for i in range(m)]


def _at(t: Term, bound: Sequence[str], least: int) -> str:
    text, level = _shown(t, bound)
    return text if level >= least else f"({text})"


def _shown(t: Term, bound: Sequence[str]) -> tuple[str, int]:
    if isinstance(t, Fraction):
        return str(t), ATOM if t.denominator == 1 and t >= 0 else SUM
    if isinstance(t, str):
        return t, ATOM
    match t[0]:
        case "#":
            return bound[t[1]], ATOM
        case "+":
            text = _at(t[1], bound, PRODUCT)
            for a in t[2:]:
                minus = isinstance(a, tuple) and a[0] == "-"
                text += (
                    f" - {_at(a[1], bound, PRODUCT)}" if minus else f" + {_at(a, bound, PRODUCT)}"
                )
            return text, SUM
        case "-":
            return "-" + _at(t[1], bound, POWER), SUM
        case "*":
            return " * ".join(_at(a, bound, POWER) for a in t[1:]), PRODUCT
        case "/":
            return f"{_at(t[1], bound, POWER)} / {_at(t[2], bound, POWER)}", PRODUCT
        case "^":
            return f"{_at(t[1], bound, ATOM)}^{t[2]}", POWER
        case "=>":
            names = _names(t[1], len(bound), 0)
            return f"{', '.join(names)} -> {term(t[2], [*names, *bound])}", SUM
    return (f"{t[0]}({', '.join(term(a, bound) for a in t[1:])})" if t[1:] else t[0]), ATOM
