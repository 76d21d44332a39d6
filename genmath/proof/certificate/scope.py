"""A place in a proof that is being written: the kernel's own scope, with the signs known there."""

from __future__ import annotations

from typing import Any

from genmath.proof.certificate import said
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Condition, Term
from genmath.proof.kernel.claims import Claim
from genmath.proof.kernel.limits import EFFORT, Rejected, Work
from genmath.proof.kernel.proof import Scope
from genmath.proof.kernel.terms import Fact, Reader, at
from genmath.proof.kernel.terms import Term as Kernel

Weighted = list[Any]  # a weight, and numbers of facts


class NoProof(ValueError):
    """Why no proof is written."""


class Remembering(Reader):
    """The kernel's reader, who reads the same object once."""

    def __init__(self, read: Reader) -> None:
        super().__init__(read.letters, read.functions)
        self._known: dict[tuple[int, int], tuple[Any, Kernel]] = {}

    def __call__(self, said: Any, bound: int = 0) -> Kernel:
        known = self._known.get((id(said), bound))
        if known is None:
            known = self._known[id(said), bound] = said, super().__call__(said, bound)
        return known[1]


class Writing(Scope):
    """The kernel's scope while a proof is written: a proof within it, whose steps were taken one by
    one, is not gone through again where it is put. The kernel does so when it checks the whole."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(claim, Remembering(claim.read), Work(EFFORT))
        self.begun: list[Fact] = []
        self.within: dict[int, tuple[Any, Writing]] = {}  # by their steps

    def beneath(self, letters: list[str], facts: list[Fact]) -> Scope:
        inner = type(self)(self.claim)
        inner.__dict__ |= super().beneath(letters, facts).__dict__
        inner.read, inner.within = Remembering(inner.read), self.within
        inner.begun = [*inner.facts]
        return inner

    def proves(self, goal: Fact, steps: Any) -> Fact:
        _, other = self.within.get(id(steps), (None, None))
        if other and (other.begun, other.read.letters) == (self.facts, self.read.letters):
            self.facts, self.known, steps = other.facts, other.known, []
        return super().proves(goal, steps)


class Place:
    """Steps are taken by the kernel as they are written, so what is written it accepts."""

    def __init__(self, scope: Scope, signs: Signs) -> None:
        self.scope, self.signs = scope, signs
        self.steps: list[Any] = []
        assert isinstance(scope, Writing)
        scope.within[id(self.steps)] = self.steps, scope
        self.numbers: dict[Fact, int] = {}
        for k, fact in enumerate(scope.facts):
            self.numbers.setdefault(fact, k)
        self.taken: dict[str, int] = {}
        self.read: dict[Term, Kernel] = {}

    def add(self, *step: Any) -> int:
        """The number of the fact that a step gives."""
        key = repr(step)
        if key not in self.taken:
            try:
                fact = self.scope.step(list(step))
            except Rejected as why:
                raise NoProof(f"the kernel does not follow: {why}") from None
            self.steps.append(list(step))
            self.taken[key] = len(self.scope.facts) - 1
            self.numbers.setdefault(fact, self.taken[key])
        return self.taken[key]

    def instance(self, left: Term, right: Term) -> int:
        """The number of left = right, as it is given of all numbers of what is the argument."""
        (t,) = left.args
        for chosen in (t, *t.args[:1]):
            if (number := self.given(("=", left, right), chosen)) is not None:
                return number
        raise NoProof("it is not given of all numbers")

    def given(self, condition: Condition, *values: Term) -> int | None:
        """The number of what is given of all numbers, of these, if that is this relation."""
        sign, *sides = condition
        wanted = (sign, *map(self.kernel, sides))
        here = list(map(self.kernel, values))
        for k, (m, _, fact) in enumerate(self.scope.claim.always):
            if m == len(here) and at(fact, here) == wanted:
                return self.add("instance", k, list(map(said.of, values)))
        return None

    def kernel(self, term: Term) -> Kernel:
        if term not in self.read:
            self.read[term] = self.scope.read(said.of(term))
        return self.read[term]

    def number(self, sign: str, left: Term, right: Term) -> int | None:
        """Of a fact that is known."""
        try:
            fact = sign, self.kernel(left), self.kernel(right)
        except Rejected:
            return None
        if fact not in self.numbers:
            for k, (_, result) in enumerate(self.scope.claim.results):
                if result == fact:
                    self.add("result", k)
        return self.numbers.get(fact)
