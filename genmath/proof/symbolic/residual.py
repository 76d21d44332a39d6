"""What is left over when two sides are not equal, for people to read."""

from __future__ import annotations

import re
from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from genmath.proof.language.names import text_name
from genmath.proof.symbolic.polynomials import expand, space_of


class _Text(StrPrinter):  # type: ignore[misc]
    def _print_Symbol(self, e: Any) -> str:
        return text_name(space_of(e))

    _print_Dummy = _print_Symbol

    def _print_Rho(self, e: Any) -> str:
        key, events, givens, by = e.args
        inside = ", ".join(self._print(a) for a in events if str(a) != "out")
        if givens:
            inside += "|" + ", ".join(self._print(g) for g in givens)
        front = "".join(f"d/d{self._print((*events, *givens)[int(b)])} " for b in by)
        return f"{front}{text_name(key.name)}({inside})"

    def _print_Bell(self, e: Any) -> str:
        return f"N({self._print(e.args[0])}; 0, {self._print(e.args[2])})"

    def _print_Log(self, e: Any) -> str:
        return f"log({self._print(e.args[0])})"

    def _print_Fun(self, e: Any) -> str:
        return f"{e.row.name}({self._print(e.args[1])})"

    def _print_Recip(self, e: Any) -> str:
        return f"1/({self._print(e.args[0])})"

    def _print_AbsAtom(self, e: Any) -> str:
        return f"|{self._print(e.args[0])}|"

    def _print_Sign(self, e: Any) -> str:
        return f"sign({self._print(e.args[0])})"

    def _print_Root(self, e: Any) -> str:
        return f"({self._print(e.args[0])})^({self._print(e.args[1])})"

    def _print_Unknown(self, e: Any) -> str:
        key, order, *args = e.args
        if isinstance(order, sp.Tuple):
            marks = "".join(f"d{i}" * int(n) for i, n in enumerate(order, 1))
        else:
            marks = chr(39) * int(order)
        name = text_name(key.name) + ("*" if "conjugate" in key.facts else "")
        name += "⁻¹" if "inverse" in key.facts else ""
        return f"{name}{marks}({', '.join(self._print(a) for a in args)})"

    def _print_Member(self, e: Any) -> str:
        return f"{text_name(e.args[0].name)}[{self._print(e.args[1])}]"

    def _print_Int(self, e: Any) -> str:
        letters = " ".join(f"d{self._print(v)}" for v in e.args[1:])
        return f"(∫ {self._print(e.args[0])} {letters})"

    def _print_BigSum(self, e: Any) -> str:
        return f"(Σ{self._range(e)} {self._print(e.args[0])})"

    def _print_BigProduct(self, e: Any) -> str:
        return f"(Π{self._range(e)} {self._print(e.args[0])})"

    def _range(self, e: Any) -> str:
        index, low, high = map(self._print, e.args[1:])
        return f"[{index}={low}..{high}]"


def _short(e: Any) -> Any:
    """Expanded where that stays readable."""
    expanded = expand(e) if e.count_ops() < 200 else e
    return expanded if expanded.count_ops() <= e.count_ops() else e


def residual_text(e: Any) -> str:
    """One line."""
    return str(_Text().doprint(_short(e)))


class _Latex(LatexPrinter):  # type: ignore[misc]
    def emptyPrinter(self, e: Any) -> str:
        return r"\text{" + re.sub(r"([_^{}&%$#\\])", r"\\\1", residual_text(e)) + "}"


def residual_latex(e: Any) -> str:
    e = _short(e)
    plain = {s: sp.Symbol(space_of(s)) for s in e.free_symbols if "^" in s.name or s.is_Dummy}
    return str(_Latex().doprint(e.xreplace(plain)))
