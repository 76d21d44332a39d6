"""A tree in one line of Unicode, for terminals, error messages and seeds.

Operators bind as in a programming language: `^`, then `·` and `/` from the left, then `+` and `-`.
What follows `E[...]`, a sum, or a derivative is one factor.
"""

from __future__ import annotations

from fractions import Fraction

from genmath.proof.language.binders import Infinity, Over, Prefixed, Same, Size
from genmath.proof.language.methods import Method
from genmath.proof.language.names import text_name
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Family,
    Fn,
    Identity,
    Indexed,
    Integral,
    Mapped,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Pi,
    Pow,
    Symbol,
    event_variables,
)

SUM, PRODUCT, OPEN, POWER, ATOM = range(5)


def text(node: Node) -> str:
    """The expression as compact plain text."""
    return _show(node)[0]


def _at(node: Node, least: int) -> str:
    shown, level = _show(node)
    return shown if level >= least else f"({shown})"


def _list(nodes: tuple[Node, ...], separator: str = ",") -> str:
    return separator.join(text(n) for n in nodes)


def _over(bound: tuple[Symbol, ...], usual: tuple[Symbol, ...]) -> str:
    return "" if bound == usual else f"_{{{_list(bound)}}}"


def decimal(value: Fraction) -> str | None:
    """An exact short decimal, or None."""
    digits = next((d for d in range(7) if (value * 10**d).denominator == 1), None)
    if digits is None:
        return None
    tail = f".{value % 1 * 10**digits!s:0>{digits}}" if digits else ""
    return f"{int(value)}{tail}"


def _condition(u: Node) -> str:
    """u > 0, as a comparison of two sides where it is a difference."""
    if isinstance(u, Add) and isinstance(u.args[-1], Neg):
        *left, right = u.args
        return f"{text(left[0] if len(left) == 1 else Add(*left))} > {text(right.args[0])}"
    return f"{text(u)} > 0"


def _show(node: Node) -> tuple[str, int]:
    match node:
        case Number():
            return decimal(node.value) or f"{node.value.numerator}⁄{node.value.denominator}", ATOM
        case Pi():
            return "π", ATOM
        case Identity():
            return f"𝐈_{node.size}" if node.size else "𝐈", ATOM
        case Symbol() | Named():
            return text_name(node.name), ATOM
        case Indexed():
            return text_name(node.name) + f"[{text(node.index)}]", ATOM
        case Add():
            head, *rest = node.args
            shown = text(head) if isinstance(head, Neg) else _at(head, PRODUCT)
            for term in rest:
                if isinstance(term, Neg):
                    shown += " - " + _at(term.args[0], PRODUCT)
                else:
                    shown += " + " + _at(term, PRODUCT)
            return shown, SUM
        case Neg():
            return "-" + _at(node.args[0], PRODUCT), SUM
        case Mul():
            first, *middle, last = node.args
            factors = [_at(first, PRODUCT if isinstance(first, Div) else POWER)]
            factors += [_at(factor, POWER) for factor in middle]
            return "·".join([*factors, _at(last, OPEN)]), PRODUCT
        case Div():
            over, under = node.args
            reaches = isinstance(over, Mul) and _show(over.args[-1])[1] == OPEN
            above = _at(over, PRODUCT if isinstance(over, (Mul, Div)) and not reaches else POWER)
            return f"{above}/{_at(under, POWER)}", PRODUCT
        case Pow():
            return f"{_at(node.args[0], ATOM)}^{_at(node.args[1], ATOM)}", POWER
        case Fn(name="indicator"):
            return f"indicator({_condition(node.args[0])})", ATOM
        case Fn():
            return f"{node.name}({_list(node.args, ', ')})", ATOM
        case Apply():
            mark = ("*" if "conjugate" in node.traits else "") + "'" * node.order
            if "inverse" in node.traits:
                mark = "⁻¹" + mark
            return f"{text_name(node.name)}{mark}({_list(node.args, ', ')})", ATOM
        case Dens():
            given = f"|{_list(node.givens)}" if node.givens else ""
            return f"{text_name(node.density.name)}({_list(node.events)}{given})", ATOM
        case Normal():
            x, mean, variance = node.args
            return f"N({text(x)}; {text(mean)}, {text(variance)})", ATOM
        case Family():
            return f"{node.name}({text(node.point)}; {_list(node.args[1:], ', ')})", ATOM
        case Expect():
            return f"E[{_list(node.dists, ', ')}] {_at(node.body, POWER)}", OPEN
        case Integral():
            steps = "".join(f" d{text(v)}" for v in node.bound)
            return f"∫ {_at(node.body, POWER)}{steps}", OPEN
        case Divergence():
            p, q = node.args
            bound = _over(node.bound, event_variables(p))
            return f"{node.kind}{bound}({text(p)} ‖ {text(q)})", ATOM
        case Entropy():
            (p,) = node.args
            return f"H{_over(node.bound, event_variables(p))}({text(p)})", ATOM
        case Deriv():
            by = text(node.var)
            return f"{f'∇_{by}' if node.var.shape else f'∂/∂{by}'} {_at(node.body, POWER)}", OPEN
        case Big():
            sign = "Σ" if node.kind == "sum" else "Π"
            limits = f"[{text(node.index)}={text(node.low)}..{text(node.high)}]"
            return f"{sign}{limits} {_at(node.body, POWER)}", OPEN
        case Mapped(order=order):
            shown = text_name(node.name) + ("⁻¹" if node.inverse else "")
            return f"{f'J_{shown}' if order else shown}({text(node.point)})", ATOM
        case Size():
            return f"|{text_name(node.name)}|", ATOM
        case Same(args=(one, other)):
            return f"indicator({text(one)} = {text(other)})", ATOM
        case Method():
            return repr(node), ATOM
        case Infinity():
            return "∞", ATOM
        case Prefixed():
            below = "".join(p[1] if isinstance(p, tuple) else text(p) for p in node.under)
            above = "" if node.over is None else f"..{text(node.over)}"
            step = "" if node.step is None else f" d{text(node.step)}"
            return f"{node.sign[1]}[{below}{above}] {_at(node.body, POWER)}{step}", OPEN
    raise TypeError(f"no text for {type(node).__name__}")


RANGES = {
    "real": "the real line", "positive": "the numbers > 0", "nonnegative": "the numbers >= 0",
    "unit": "the numbers between 0 and 1", "at_least_one": "the numbers >= 1", "bit": "0 and 1",
    "natural": "1, 2, ...", "count": "0, 1, 2, ...", "integer": "the integers",
}  # fmt: skip


def ranges(*nodes: Node) -> str:
    """What the letters of suprema and infima range over, in words."""
    extremes = [n for node in nodes for n in node.walk() if isinstance(n, Over)]
    letters = dict.fromkeys(n.letter for n in extremes if n.kind in ("sup", "inf"))
    return "; ".join(f"{text(s)} ranges over {_range(s)}" for s in letters)


def _range(letter: Symbol) -> str:
    if letter.shape:
        return "all vectors" if letter.shape == "vector" else "all matrices"
    if letter.is_variable and letter.domain == "real":
        return f"{RANGES['real']}, or any space"
    ends = ", ".join(map(text, letter.args))
    if letter.domain == "interval":
        return f"the interval ({ends})"
    return RANGES.get(letter.domain, f"the numbers {ends}")
