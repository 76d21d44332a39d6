"""A writer of certificates that takes everything for granted: its guards, one by one or all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from genmath.proof.certificate import bounds, iterated, said, writer, written
from genmath.proof.certificate.scope import NoProof, Writing
from genmath.proof.coq import linear, signs, slopes, values
from genmath.proof.coq.reading import DERIVATIVE, Head
from genmath.proof.coq.terms import Term, app, var
from genmath.proof.coq.theorem import Statement
from genmath.proof.kernel.limits import Rejected
from genmath.proof.kernel.terms import Fact

Patch = tuple[Any, str, Any]  # of what, which name, and what stands there instead


class TooLong(Exception):
    """Without its guards a writer may go round in circles."""


def yes(*_: Any) -> bool:
    return True


class Trusting(Writing):
    """It answers yes to whatever a rule asks for, and takes a step that does not hold."""

    def positive(self, term: Any) -> bool:
        return True

    def nonnegative(self, term: Any) -> bool:
        return True

    def nonzero(self, term: Any) -> bool:
        return True

    def step(self, said: Any) -> Fact:
        before = len(self.facts)
        try:
            return super().step(said)
        except Rejected:
            del self.facts[before:]
            fact = self._stated(*said)
            self.facts.append(fact)
            self.known.add(fact)
            return fact

    def _stated(self, rule: str, *rest: Any) -> Fact:
        """What a step says that it gives."""
        match rule:
            case "identity" | "combination":
                return self.read.fact(rest[0])
            case "nonzero":
                return "!=", self.read("0"), self.read(rest[0])
            case "same" | "iterated" | "ln_inject":
                return "=", self.read(rest[0]), self.read(rest[1])
            case "keeps":
                return rest[0], self.read("0"), self.read(rest[1])
        raise Rejected(f"a step of {rule} does not say what it gives")


def _written(method: Any) -> Callable[..., Any]:
    """The steps that show a sign, as far as there are any."""

    def shown(self: Any, t: Term) -> Any:
        with contextlib.suppress(NoProof, ArithmeticError):
            return method(self, t)
        return None

    return shown


def _unseen(self: Any, t: Term) -> Any:
    return None


def _over_any(law: Term, x: str, measure: str, heads: Any) -> Term | None:
    """A density is integrated out over whatever letter, wherever that stands."""
    head: Head | None = heads.get(law.data)
    places = [i for i, a in enumerate(law.args) if x in a.free]
    if head is None or not places or not head.margins:
        return None
    i = min(places[0], len(head.margins) - 1)
    other = head.margins[i][1]
    return app(other, *law.args[:i], *law.args[i + 1 :]) if other else iterated.ONE


def _any_moment(law: Term, x: str, k: int, _: Any) -> Term | None:
    """Of a normal law of whatever variance, whose parameters may move with the letter."""
    if law.data != "normal":
        return None
    first = app("normal", var(x), *(a for a in law.args[1:]))
    certain = mock.Mock(positive=yes)
    return MOMENT(first, x, k, certain)


def _any_slope(t: Term, x: str, _: Any) -> bool:
    return t.data == DERIVATIVE and t.args[1] == var(x)


MOMENT = linear.moment_of
GUARDS: dict[str, list[Patch]] = {
    "positive": [(signs.Signs, "positive", yes)],
    "nonnegative": [(signs.Signs, "nonnegative", yes)],
    "nonzero": [(signs.Signs, "nonzero", yes)],
    "denominators": [(signs.Signs, "nonzero", yes), (bounds.Bounds, "nonzero", _unseen),
                     (bounds.Bounds, "divisors", lambda self, *terms: None)],
    "signs of arguments": [(signs.Signs, "positive", yes), (bounds.Bounds, "positive", _unseen),
                           (signs.Signs, "nonnegative", yes),
                           (bounds.Bounds, "nonnegative", _unseen)],
    "the sides of slopes": [(slopes.Slopes, "_side", lambda self, term, sign: "")],
    "which density over which letter": [(iterated, "_margin", _over_any)],
    "what vanishes far out": [(iterated, "_slope_of_density", _any_slope)],
    "variances": [(iterated, "moment_of", _any_moment)],
    "whether terms are equal": [(writer.Writer, "equal", yes)],
    "what stands in front of a sign": [(iterated, "apart_from", lambda p, _: {frozenset(): p})],
}  # fmt: skip
GUARDS["all of signs"] = [
    (signs.Signs, "positive", yes), (signs.Signs, "nonnegative", yes),
    (signs.Signs, "nonzero", yes),
    *((bounds.Bounds, name, _written(getattr(bounds.Bounds, name)))
      for name in ("positive", "nonnegative", "nonzero")),
]  # fmt: skip
APART = ("all of signs", "what stands in front of a sign")
GUARDS["all"] = [p for name, patches in GUARDS.items() if name not in APART for p in patches]


@contextlib.contextmanager
def without(guard: str, asking: bool = False) -> Iterator[None]:
    """The writer without one of its guards; unless `asking`, the kernel is not asked either."""
    with contextlib.ExitStack() as stack:
        for where, name, instead in GUARDS.get(guard, []):
            stack.enter_context(mock.patch.object(where, name, instead))
        if not asking:
            stack.enter_context(mock.patch.object(written, "Writing", Trusting))
        yield


def attempts(claim: Statement, asking: bool = False) -> Iterator[dict[str, Any]]:
    """Certificates, in all the ways in which the writer tries to write one."""
    document = said.claim(claim)
    for way in (set[str](), {"laws"}, {"laws", "supports"}, {"induction"}):
        with contextlib.suppress(
            TooLong, NoProof, RecursionError, ArithmeticError, LookupError, ValueError
        ):
            with mock.patch.object(values.World, "_value", _patient(values.World._value)):
                proof = written._proof(claim, document, way)
            yield {"claim": document, "proof": proof}


def _patient(method: Callable[..., Any], most: int = 20_000) -> Callable[..., Any]:
    """The same, as often as that."""
    left = iter(range(most))

    def value(*arguments: Any) -> Any:
        if next(left, None) is None:
            raise TooLong
        return method(*arguments)

    return value
