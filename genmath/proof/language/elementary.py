r"""The elementary functions of one number: each is one row of one table.

    tanh(u)    how it is set, what it is, where it is defined, its derivative, what is known of its
               values, what computes it

A row is what the checker's rooms share about a function, so each judge takes a different part of
it: A reads the definition, the derivative and the facts, B computes values and nothing else, and
differentiates them numerically. A row that is wrong in one place sets them against each other, and
`tests/proof/test_elementary.py` tries every row against itself.

`code` is the name of a function in a module, or a Python function of the module and the argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from genmath.proof.language.tree import Fn, Node, NotationError, Number, Operand, Pi, as_node

Code = str | Callable[[Any, Any], Any]
MODULES = ("math", "mpmath", "numpy", "torch")
DOMAINS = {"real": "any number", "nonnegative": "a number >= 0", "positive": "a number > 0"}


# --- how LaTeX sets it ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    r"""`\exp(u)`; `bare`: `\log u` without parentheses, where u is plain and nothing follows."""

    head: str
    bare: bool = False
    rest: str = ""  # what follows the argument, inside the parentheses


@dataclass(frozen=True)
class Enclosing:
    r"""`\sqrt{u}`, `|u|`; `closed`: a power may stand on it."""

    before: str
    after: str
    closed: bool = False


@dataclass(frozen=True)
class Drawn:
    """The printer draws it by a rule of its own."""


# --- what is known of its values -----------------------------------------------------------------


@dataclass(frozen=True)
class Range:
    """Every value lies between `low` and `high`; strictly, unless the ends are `attained`."""

    low: Node | None = None
    high: Node | None = None
    attained: bool = False


def between(low: Operand | None, high: Operand | None, *, attained: bool = False) -> Range:
    return Range(
        None if low is None else as_node(low), None if high is None else as_node(high), attained
    )


ANY = Range()


@dataclass(frozen=True, eq=False)
class Elementary:
    """A row. What is not known of a function is left out: the judges then know less."""

    name: str
    latex: Command | Enclosing | Drawn
    # --- for judge A
    definition: Callable[[Node], Node] | None = None  # in other functions, on the whole domain
    derivative: Callable[[Node], Node] | None = None
    domain: str = "real"
    range: Range = ANY
    ends: tuple[Node | None, Node | None] = (None, None)  # limits at -infinity and at infinity
    increasing: str = ""  # "strictly", wherever it is defined; "weakly": constant in parts
    parity: int = 0  # 1: even, -1: odd
    at: Mapping[Operand, Node] = field(default_factory=dict)  # values at numbers
    square: Callable[[Node], Node] | None = None  # f(u)^2
    successor: Callable[[Node, Node], Node] | None = None  # f(u + 1), from u > 0 and f(u)
    # --- for functions made from checked results
    logarithm: Callable[[Node], Node] | None = None  # log f(u), where f(u) may be too large
    # --- for them and for judge B: what computes it in math, mpmath, numpy, torch, if it is not a
    # function of that very name; None: entry by entry, as math does
    code: Mapping[str, Code | None] = field(default_factory=dict)
    javascript: str = ""  # its name there, if not in Math or another: of functions/runtime.js
    # --- for mutants: what it is mistaken for
    mistaken: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.domain not in DOMAINS:
            raise NotationError(f"domain={self.domain!r}: expected one of {', '.join(DOMAINS)}")

    def __call__(self, u: Operand) -> Node:
        return Fn(self.name, u)

    def defined(self, u: Any) -> bool:
        """Whether a number lies in the domain."""
        return bool(self.domain == "real" or u > 0 or (self.domain == "nonnegative" and u == 0))


# --- code that several modules share -------------------------------------------------------------


def _abs(m: Any, u: Any) -> Any:
    return abs(u)


def _sigmoid(m: Any, u: Any) -> Any:
    small = m.exp(-abs(u))
    return (1 if u >= 0 else small) / (1 + small)


def _sigmoids(m: Any, u: Any) -> Any:
    small = m.exp(-abs(u))
    return m.where(u >= 0, 1, small) / (1 + small)


def _positive_part(m: Any, u: Any) -> Any:
    return u if u > 0 else u * 0


def _softplus(m: Any, u: Any) -> Any:
    return _positive_part(m, u) + m.log1p(m.exp(-abs(u)))


def _log(m: Any, u: Any) -> Any:
    return m.log(u) if u else -m.inf


def _log_gap(m: Any, u: Any) -> Any:
    if not u:
        return m.inf
    return (u - 1) - (m.log1p(u - 1) if abs(u - 1) < 0.5 else m.log(u))


def _log_gaps(m: Any, u: Any) -> Any:
    return (u - 1) - m.where(abs(u - 1) < 0.5, m.log1p(u - 1), m.log(u))


# B_2n / 2n, of the asymptotic series
_BERNOULLI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160)


def _digamma(m: Any, u: Any) -> Any:
    """By ten steps of digamma(u) = digamma(u + 1) - 1/u, and the asymptotic series."""
    x = u + 10
    tail = 0.0
    for c in reversed(_BERNOULLI):
        tail = (tail + c) / (x * x)
    below = sum(1 / (u + k) for k in range(10))
    return m.log(x) - 0.5 / x - tail - below


# B_2n, of the asymptotic series
_BERNOULLI_NUMBERS = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def _trigamma(m: Any, u: Any) -> Any:
    """As digamma: ten steps of trigamma(u) = trigamma(u + 1) + 1/u^2, and the series."""
    x = u + 10
    tail = 0.0
    for c in reversed(_BERNOULLI_NUMBERS):
        tail = (tail + c) / (x * x)
    above = sum(1 / (u + k) / (u + k) for k in range(10))
    return above + 1 / x + 0.5 / (x * x) + tail / x


def _where_positive(code: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Of arrays, not defined elsewhere; no code sees what is outside, so that slopes exist."""
    return lambda m, u: m.where(u > 0, code(m, m.where(u > 0, u, 1.0)), math.nan)


# --- the table -----------------------------------------------------------------------------------


def _of(name: str) -> Callable[[Operand], Node]:
    return lambda u: Fn(name, u)


log, exp, sqrt, absolute = _of("log"), _of("exp"), _of("sqrt"), _of("abs")
sin, cos, tan, tanh, sigmoid = _of("sin"), _of("cos"), _of("tan"), _of("tanh"), _of("sigmoid")
softplus, gamma, log_gamma = _of("softplus"), _of("gamma"), _of("log_gamma")
digamma, trigamma = _of("digamma"), _of("trigamma")
ZERO, ONE = Number(0), Number(1)

TABLE: dict[str, Elementary] = {
    row.name: row
    for row in (
        Elementary(
            "log",
            Command(r"\log", bare=True),
            derivative=lambda u: 1 / u,
            domain="positive",
            increasing="strictly",
            at={1: ZERO},
            code={"math": _log, "mpmath": _log},
        ),
        Elementary(
            "exp",
            Command(r"\exp"),
            derivative=exp,
            range=between(0, None),
            ends=(ZERO, None),
            increasing="strictly",
            at={0: ONE},
            logarithm=lambda u: u,
        ),
        Elementary(
            "sqrt",
            Enclosing(r"\sqrt{", "}"),
            derivative=lambda u: 1 / (2 * sqrt(u)),
            domain="nonnegative",
            range=between(0, None, attained=True),
            increasing="strictly",
            at={0: ZERO, 1: ONE},
        ),
        Elementary(
            "abs",
            Enclosing(r"\left|", r"\right|", closed=True),
            range=between(0, None, attained=True),
            parity=1,
            at={0: ZERO},
            code=dict.fromkeys(MODULES, _abs),
        ),
        Elementary(
            "positive_part",
            Command(r"\max", rest=r",\, 0"),
            definition=lambda u: (absolute(u) + u) / 2,
            range=between(0, None, attained=True),
            increasing="weakly",
            at={0: ZERO},
            code={
                "math": _positive_part,
                "mpmath": _positive_part,
                "numpy": lambda m, u: m.where(u > 0, u, 0.0),
                "torch": lambda m, u: m.where(u > 0, u, 0.0),
            },
            javascript="positive_part",
        ),
        Elementary(
            "indicator",
            Drawn(),
            range=between(0, 1, attained=True),
            increasing="weakly",
            at={0: ZERO, 1: ONE},
            code={
                "math": lambda m, u: float(u > 0),
                "mpmath": lambda m, u: m.mpf(u > 0),
                "numpy": lambda m, u: (u > 0).astype(u.dtype),
                "torch": lambda m, u: (u > 0).to(u.dtype),
            },
            javascript="indicator",
        ),
        Elementary(
            "log_gap",
            Drawn(),
            definition=lambda u: u - 1 - log(u),
            derivative=lambda u: 1 - 1 / u,
            domain="positive",
            range=between(0, None, attained=True),
            at={1: ZERO},
            code={
                "math": _log_gap,
                "mpmath": _log_gap,
                "numpy": _log_gaps,
                "torch": _log_gaps,
            },
            javascript="log_gap",
        ),
        Elementary(
            "sigmoid",
            Command(r"\operatorname{sigmoid}"),
            definition=lambda u: exp(u) / (1 + exp(u)),
            derivative=lambda u: sigmoid(u) * (1 - sigmoid(u)),
            range=between(0, 1),
            ends=(ZERO, ONE),
            increasing="strictly",
            logarithm=lambda u: -softplus(-u),
            code={"math": _sigmoid, "mpmath": _sigmoid, "numpy": _sigmoids},
            mistaken=("tanh",),
            javascript="sigmoid",
        ),
        Elementary(
            "softplus",
            Command(r"\operatorname{softplus}"),
            definition=lambda u: log(1 + exp(u)),
            derivative=sigmoid,
            range=between(0, None),
            ends=(ZERO, None),
            increasing="strictly",
            code={
                "math": _softplus,
                "mpmath": _softplus,
                "numpy": lambda m, u: m.logaddexp(u, m.zeros_like(u)),
                "torch": lambda m, u: m.logaddexp(u, m.zeros_like(u)),
            },
            javascript="softplus",
        ),
        Elementary(
            "sin",
            Command(r"\sin", bare=True),
            derivative=cos,
            range=between(-1, 1, attained=True),
            parity=-1,
            at={0: ZERO},
            square=lambda u: 1 - cos(u) ** 2,
            mistaken=("cos", "tan"),
        ),
        Elementary(
            "cos",
            Command(r"\cos", bare=True),
            derivative=lambda u: -sin(u),
            range=between(-1, 1, attained=True),
            parity=1,
            at={0: ONE},
            mistaken=("sin",),
        ),
        Elementary(  # not defined at isolated points: its definition divides by cos(u)
            "tan",
            Command(r"\tan", bare=True),
            definition=lambda u: sin(u) / cos(u),
            derivative=lambda u: 1 + tan(u) ** 2,
            parity=-1,
            at={0: ZERO},
            mistaken=("sin", "tanh"),
        ),
        Elementary(
            "tanh",
            Command(r"\tanh", bare=True),
            definition=lambda u: 2 * sigmoid(2 * u) - 1,
            derivative=lambda u: 1 - tanh(u) ** 2,
            range=between(-1, 1),
            ends=(-ONE, ONE),
            increasing="strictly",
            parity=-1,
            at={0: ZERO},
            mistaken=("arctan", "tan", "sigmoid"),
        ),
        Elementary(
            "arctan",
            Command(r"\arctan", bare=True),
            derivative=lambda u: 1 / (1 + u**2),
            range=between(-Pi() / 2, Pi() / 2),
            ends=(-Pi() / 2, Pi() / 2),
            increasing="strictly",
            parity=-1,
            at={0: ZERO, 1: Pi() / 4},
            code={"math": "atan", "mpmath": "atan"},
            mistaken=("tanh", "tan"),
            javascript="Math.atan",
        ),
        Elementary(
            "erf",
            Command(r"\operatorname{erf}"),
            derivative=lambda u: 2 / sqrt(Pi()) * exp(-(u**2)),
            range=between(-1, 1),
            ends=(-ONE, ONE),
            increasing="strictly",
            parity=-1,
            at={0: ZERO},
            code={"numpy": None},
            mistaken=("tanh",),
            javascript="erf",
        ),
        Elementary(
            "gamma",
            Command(r"\Gamma"),
            derivative=lambda u: gamma(u) * digamma(u),
            domain="positive",
            range=between(0, None),
            at={1: ONE, Fraction(1, 2): Pi() ** (ONE / 2)},
            successor=lambda u, here: u * here,
            logarithm=log_gamma,
            code={"numpy": None, "torch": _where_positive(lambda m, u: m.exp(m.lgamma(u)))},
            mistaken=("log_gamma",),
            javascript="gamma",
        ),
        Elementary(
            "log_gamma",
            Command(r"\log\Gamma"),
            definition=lambda u: log(gamma(u)),
            derivative=digamma,
            domain="positive",
            at={1: ZERO},
            code={
                "math": "lgamma",
                "mpmath": "loggamma",
                "numpy": None,
                "torch": _where_positive(lambda m, u: m.lgamma(u)),
            },
            mistaken=("gamma", "digamma"),
            javascript="log_gamma",
        ),
        Elementary(
            "digamma",
            Command(r"\psi"),
            derivative=trigamma,
            domain="positive",
            increasing="strictly",
            successor=lambda u, here: here + 1 / u,
            code={
                "math": _digamma,
                "numpy": _where_positive(_digamma),
                "torch": _where_positive(lambda m, u: m.digamma(u)),
            },
            mistaken=("log", "log_gamma", "trigamma"),
            javascript="digamma",
        ),
        Elementary(  # its derivative is not in the table
            "trigamma",
            Command(r"\psi'"),
            domain="positive",
            range=between(0, None),
            at={1: Pi() ** 2 / 6, Fraction(1, 2): Pi() ** 2 / 2},
            successor=lambda u, here: here - 1 / u**2,
            code={
                "math": _trigamma,
                "mpmath": lambda m, u: m.psi(1, u),
                "numpy": _where_positive(_trigamma),
                "torch": _where_positive(_trigamma),
            },
            mistaken=("digamma",),
            javascript="trigamma",
        ),
    )
}  # fmt: skip


def call(row: Elementary, library: str, module: Any, u: Any) -> Any:
    """The function at u, as a module computes it."""
    code = row.code.get(library, row.name)
    if code is None:
        raise ValueError(f"{row.name}: {library} has no such function")
    return getattr(module, code)(u) if isinstance(code, str) else code(module, u)
