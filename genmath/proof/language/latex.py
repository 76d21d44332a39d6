r"""A tree as a textbook typesets it (KaTeX), as typed: nothing is reordered or simplified.

Two different trees never look alike, except where names do (`names.collisions`). The conventions
that make it so, beyond the usual precedence:

- `\log` without parentheses takes a letter, number, letter with a power, fraction, root,
  expectation or f(x), and stands last in its product; otherwise it is `\log(...)`.
- A sum, product, integral or derivative sign is closed off with parentheses unless it is last in
  its product. `\sum` and `\int` reach over a product, `\partial` over one factor.
- `\left[u - 1 - \log u\right]` is `log_gap(u)`; a typed difference has round parentheses.
- `\mathbf{1}[a > b]` is `indicator(a > b)`; an indicator of a plain u is `\mathbf{1}[0 < u]`.
- 0.02 is an exact decimal; a rational number that has none is a small fraction, `\tfrac`.
"""

from __future__ import annotations

import re

from genmath.proof.language.binders import Infinity, Prefixed, Same, Size
from genmath.proof.language.claims import Claim
from genmath.proof.language.elementary import TABLE, Command, Drawn, Enclosing
from genmath.proof.language.matrix_functions import MATRICES, Raised
from genmath.proof.language.names import is_raised, latex_name
from genmath.proof.language.text import decimal
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
    Relation,
    Symbol,
    event_variables,
)

# How tightly a piece of LaTeX holds together. OPEN: nothing may follow it in a product (\sum x).
# CLOSED: anything may follow it, but a power would be misread (\frac{a}{b}, x^2). ATOM: x, p(x).
SUM, PRODUCT, OPEN, CLOSED, ATOM = range(5)

SIGNS = {"=": "=", ">=": r"\ge", "<=": r"\le", ">": ">", "<": "<"}
TALL = re.compile(r"\\(frac|sum|prod|int|left|sqrt|middle)(?![a-z])")


def latex(node: Node) -> str:
    """The expression as typed."""
    return _show(node)[0]


def latex_claim(claim: Claim | Relation) -> str:
    """`lhs = rhs`, with the claim's own relation."""
    if isinstance(claim, Claim):
        return f"{latex(claim.lhs)} {SIGNS[claim.relation]} {latex(claim.rhs)}"
    return f"{latex(claim.left)} {SIGNS[claim.sign]} {latex(claim.right)}"


def _at(node: Node, least: int) -> str:
    shown, level = _show(node)
    return shown if level >= least else _parens(shown)


def _parens(shown: str) -> str:
    return rf"\left({shown}\right)" if TALL.search(shown) else f"({shown})"


def _list(nodes: tuple[Node, ...]) -> str:
    return r",\, ".join(latex(n) for n in nodes)


def _letters(nodes: tuple[Node, ...]) -> str:
    return ", ".join(latex(n) for n in nodes)


def _script(shown: str) -> str:
    single = len(shown) == 1 or re.fullmatch(r"\\[A-Za-z]+", shown)
    return shown if single else f"{{{shown}}}"


def _show(node: Node) -> tuple[str, int]:
    match node:
        case Number():
            return _number(node)
        case Pi():
            return r"\pi", ATOM
        case Identity():
            return rf"\mathbf{{I}}_{{{node.size}}}" if node.size else r"\mathbf{I}", ATOM
        case Symbol() | Named():
            return latex_name(node.name), CLOSED if is_raised(node.name) else ATOM
        case Indexed():
            shown = latex_name(node.name, latex(node.index))
            return shown, CLOSED if is_raised(node.name) else ATOM
        case Add():
            return _sum(node.args), SUM
        case Neg():
            return "-" + _at(node.args[0], PRODUCT), SUM
        case Mul():
            return _product(node), PRODUCT
        case Div():
            over, under = node.args
            return rf"\frac{{{latex(over)}}}{{{latex(under)}}}", CLOSED
        case Pow():
            base, exponent = node.args
            return f"{_at(base, ATOM)}^{_script(latex(exponent))}", CLOSED
        case Fn():
            return _function(node)
        case Apply():
            return _apply(node), ATOM
        case Dens():
            given = rf" \mid {_letters(node.givens)}" if node.givens else ""
            inside = _letters(node.events) + given
            return latex_name(node.density.name) + _parens(inside), ATOM
        case Normal():
            x, mean, variance = node.args
            inside = rf"{latex(x)};\, {latex(mean)},\, {latex(variance)}"
            return r"\mathcal{N}" + _parens(inside), ATOM
        case Family():
            inside = rf"{latex(node.point)};\, {_list(node.args[1:])}"
            return _family(node) + _parens(inside), ATOM
        case Expect():
            measures = r",\, ".join(_measure(d) for d in node.dists)
            return rf"\mathbb{{E}}_{{{measures}}}\left[{latex(node.body)}\right]", CLOSED
        case Integral():
            body, level = _show(node.body)
            if level < PRODUCT or _ends_in_integral(node.body):
                body = _parens(body)
            steps = "".join(rf"\,\mathrm{{d}}{latex(v)}" for v in node.bound)
            return rf"\int {body}{steps}", OPEN
        case Divergence():
            return _divergence(node), ATOM
        case Entropy():
            bound = _over(node.bound, node.args[0], "_{%s}")
            return rf"\mathbb{{H}}{bound}\left[{latex(node.args[0])}\right]", CLOSED
        case Deriv():
            by = latex(node.var)
            by = rf"\nabla_{{{by}}}" if node.var.shape else rf"\frac{{\partial}}{{\partial {by}}}"
            return f"{by} {_at(node.body, OPEN)}", OPEN
        case Big():
            limits = f"_{{{latex(node.index)}={latex(node.low)}}}^{_script(latex(node.high))}"
            return rf"\{node.kind}{limits} {_at(node.body, PRODUCT)}", OPEN
        case Mapped(order=order):
            name = latex_name(node.name) + ("^{-1}" if node.inverse else "")
            shown = rf"\mathrm{{J}}_{{{name}}}" if order else name
            return shown + _parens(latex(node.point)), ATOM
        case Size():
            return rf"\left|{latex_name(node.name)}\right|", ATOM
        case Same(args=(one, other)):
            return rf"\mathbf{{1}}\left[{latex(one)} = {latex(other)}\right]", CLOSED
        case Infinity():
            return r"\infty", ATOM
        case Prefixed():
            return _prefixed(node), OPEN
    raise TypeError(f"no LaTeX for {type(node).__name__}")


def _prefixed(node: Prefixed) -> str:
    below = "".join(p[0] + " " if isinstance(p, tuple) else latex(p) + " " for p in node.under)
    above = "" if node.over is None else f"^{_script(latex(node.over))}"
    body, level = _show(node.body)
    if level < PRODUCT or (node.step is not None and _ends_in_integral(node.body)):
        body = _parens(body)
    step = "" if node.step is None else rf"\,\mathrm{{d}}{latex(node.step)}"
    return f"{node.sign[0]}_{{{below.strip()}}}{above} {body}{step}"


def _number(node: Number) -> tuple[str, int]:
    short = decimal(node.value)
    if short is not None:
        return short, ATOM
    return rf"\tfrac{{{node.value.numerator}}}{{{node.value.denominator}}}", CLOSED


def _sum(terms: tuple[Node, ...]) -> str:
    first, *rest = terms
    shown = latex(first) if isinstance(first, Neg) else _at(first, PRODUCT)
    for term in rest:
        if isinstance(term, Neg):
            shown += " - " + _at(term.args[0], PRODUCT)
        else:
            shown += " + " + _at(term, PRODUCT)
    return shown


def _product(node: Mul) -> str:
    *before, last = node.args
    shown: list[str] = []
    for i, factor in enumerate(node.args):
        piece = _factor(factor, factor is last and i == len(before))
        if i and _needs_dot(node.args[i - 1], factor):
            shown.append(r"\cdot")
        shown.append(piece)
    return " ".join(shown)


def _factor(node: Node, last: bool) -> str:
    if last:
        return _at(node, OPEN)
    how = _bare(node)
    if how is not None:
        return rf"{how.head}{_parens(latex(node.args[0]))}\,"
    return _at(node, CLOSED)


def _needs_dot(left: Node, right: Node) -> bool:
    """Digits after a factor, or a numerical fraction after a number, would be misread."""
    if isinstance(right, Pow):
        return _needs_dot(left, right.args[0])
    if isinstance(right, Div):
        return isinstance(left, Number) and isinstance(right.args[0], Number)
    return isinstance(right, Number)


def _function(node: Fn) -> tuple[str, int]:
    how, u = _how(node.name), node.args[0]
    match how:
        case Command() if how.bare and _is_plain(u):
            return f"{how.head} {latex(u)}", OPEN
        case Command():
            return how.head + _parens(latex(u) + how.rest), CLOSED
        case Enclosing():
            return how.before + _list(node.args) + how.after, ATOM if how.closed else CLOSED
        case Raised():
            return f"{_at(u, ATOM)}^{how.mark}", CLOSED
        case Drawn():
            return _drawn(node.name, u)


def _how(name: str) -> Command | Enclosing | Drawn | Raised:
    return TABLE[name].latex if name in TABLE else MATRICES[name].latex


def _drawn(name: str, u: Node) -> tuple[str, int]:
    match name:
        case "indicator":
            return rf"\mathbf{{1}}\left[{_condition(u)}\right]", CLOSED
        case "log_gap":
            return rf"\left[{_at(u, PRODUCT)} - 1 - {_at(Fn('log', u), PRODUCT)}\right]", ATOM
    raise TypeError(f"no LaTeX for {name}")


def _bare(node: Node) -> Command | None:
    r"""How a function is set that may stand without parentheses, as \log u."""
    if not isinstance(node, Fn):
        return None
    how = _how(node.name)
    return how if isinstance(how, Command) and how.bare else None


def _is_plain(node: Node) -> bool:
    r"""Whether `\log` needs no parentheses around it."""
    if isinstance(node, Pow):
        return isinstance(node.args[0], (Symbol, Named, Indexed)) and _show(node.args[0])[1] == ATOM
    if isinstance(node, (Div, Expect, Symbol, Named, Indexed)):
        return True
    if isinstance(node, Fn):
        return node.name == "det" or (
            node.name in TABLE and isinstance(TABLE[node.name].latex, Enclosing)
        )
    return _show(node)[1] == ATOM and not isinstance(node, Divergence)


def _condition(u: Node) -> str:
    if isinstance(u, Add) and len(u.args) > 1 and isinstance(u.args[-1], Neg):
        *left, right = u.args
        return f"{_sum(tuple(left))} > {_at(right.args[0], PRODUCT)}"
    return f"0 < {latex(u)}"


def _apply(node: Apply) -> str:
    name = latex_name(node.name)
    primes = "'" * node.order if node.order < 3 else f"^{{({node.order})}}"
    if "conjugate" in node.traits:
        stars = "*" + r"\prime" * node.order
        name, primes = f"{name}^{{{stars}}}", ""
    if "inverse" in node.traits:
        name = f"{name}^{{-1}}"
        if node.order:
            name = rf"\left({name}\right)"
    return f"{name}{primes}{_parens(_list(node.args))}"


def _measure(dist: Node) -> str:
    r"""What stands under an E: q(z \mid x), or z \sim \mathcal{N}(m, v)."""
    if isinstance(dist, Normal) and isinstance(dist.args[0], Symbol):
        x, mean, variance = dist.args
        inside = _parens(rf"{latex(mean)},\, {latex(variance)}")
        return rf"{latex(x)} \sim \mathcal{{N}}{inside}"
    if isinstance(dist, Family) and isinstance(dist.point, Symbol):
        return rf"{latex(dist.point)} \sim {_family(dist)}{_parens(_list(dist.args[1:]))}"
    return latex(dist)


def _family(node: Family) -> str:
    return rf"\operatorname{{{node.name}}}"


def _divergence(node: Divergence) -> str:
    p, q = node.args
    over = _over(node.bound, p, r";\,%s")
    middle = r" \,\middle\|\, " if node.kind == "KL" else r",\, "
    return rf"D_{{\mathrm{{{node.kind}}}{over}}}\left({latex(p)}{middle}{latex(q)}\right)"


def _over(bound: tuple[Symbol, ...], p: Node, form: str) -> str:
    """The variables, where they are not the ones that p is a density of."""
    return "" if bound == event_variables(p) else form % _letters(bound)


def _ends_in_integral(node: Node) -> bool:
    if isinstance(node, Integral) or (isinstance(node, Prefixed) and node.step is not None):
        return True
    if isinstance(node, (Mul, Big, Deriv, Prefixed)):
        return _ends_in_integral(node.args[-1] if isinstance(node, Mul) else node.args[0])
    return False
