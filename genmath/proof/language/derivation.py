"""A derivation: chains of steps, each with its reason. Building one checks nothing."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.instantiate import instantiate
from genmath.proof.language.shapes import NUMBER, shape
from genmath.proof.language.tree import (
    Dens,
    Node,
    NotationError,
    Number,
    Operand,
    Relation,
    Symbol,
    as_node,
)


@dataclass(frozen=True)
class Lemma:
    """An earlier result at particular arguments, ready to be used as `because=`. What it claims
    follows from them and is never given."""

    source: Derivation
    chain: Chain
    arguments: tuple[tuple[Node, Node], ...]
    claim: Claim = field(init=False)

    def __post_init__(self) -> None:
        source, patterns = self.source, tuple(pattern for pattern, _ in self.arguments)
        if not isinstance(source, Derivation) or not source.finished:
            raise NotationError(f"{source!r}: only a finished derivation can be used as a lemma")
        if self.chain not in source.chains or patterns != source.takes:
            raise NotationError(f"{source.name} shows no such thing")
        shown, pairs = source.result(self.chain), self.arguments
        given = tuple(
            Relation(instantiate(g.left, pairs), g.sign, instantiate(g.right, pairs))
            for g in shown.given
        )
        lhs, rhs = instantiate(shown.lhs, pairs), instantiate(shown.rhs, pairs)
        object.__setattr__(self, "claim", replace(shown, lhs=lhs, rhs=rhs, given=given))


Reason = Any  # a certificate (Node), a Lemma, or a tuple of them


@dataclass(frozen=True)
class Step:
    """One line: `lhs relation rhs`, why, and where it was written.

    A line left as `...` is `missing`, and the next one is claimed of the last line that is there;
    `gap` is the relation of the missing lines between. `uncertified` is a line whose `because` is
    left as `...`.
    """

    claim: Claim
    by: str
    because: tuple[Node | Lemma, ...]
    line: int
    case: tuple[tuple[str, int], ...] = ()
    missing: bool = False
    uncertified: bool = False
    gap: str = ""

    lhs = property(lambda self: self.claim.lhs)
    rhs = property(lambda self: self.claim.rhs)
    relation = property(lambda self: self.claim.relation)
    unfilled = property(lambda self: self.missing or self.uncertified)


@dataclass(frozen=True)
class Chain:
    """start R1 e1 R2 e2 ...; its result is `start R last`."""

    start: Node
    line: int
    name: str | None = None
    words: str = ""  # what a reader is told in place of the name
    case: tuple[tuple[str, int], ...] = ()
    steps: tuple[Step, ...] = ()
    tight: tuple[tuple[Node, Node], ...] = ()

    @property
    def title(self) -> str:
        return self.words or (self.name or "").replace("_", " ")

    @property
    def last(self) -> Node:
        return self.steps[-1].claim.rhs if self.steps else self.start

    @property
    def relation(self) -> str:
        return joined(s.relation for s in self.steps)

    @property
    def gap(self) -> str:
        """The relation of the missing lines the chain ends with so far; "" if it ends with none."""
        found = [s.relation for s in itertools.takewhile(lambda s: s.missing, reversed(self.steps))]
        return joined(found) if found else ""


def joined(relations: Iterable[str]) -> str:
    """What a chain shows of its ends: a > b >= c makes a > c."""
    bounds = [r for r in relations if r != "="]
    return min(bounds, key=len) if bounds else "="


@dataclass(frozen=True)
class Slip:
    """A published mistake beside its correction; the checker must refute one and prove the other.

    `wrong` is None for a false alarm: a correct claim that was reported as a mistake.
    """

    id: str
    source: str
    wrong: Claim | None
    right: Claim
    why: str
    because: tuple[Node | Lemma, ...]
    line: int


class Record:
    """The derivations begun while a file was loaded, each under a name of its own. What is begun
    in a file that this one loads is in it, too, unless that file's record is kept `apart`."""

    def __init__(self, apart: bool) -> None:
        self.apart = apart
        self.derivations: list[Derivation] = []


_records: list[Record] = []  # of the files now being loaded, the innermost last


@contextlib.contextmanager
def recording(apart: bool) -> Iterator[Record]:
    """Every derivation begun in the block is in the record, whatever becomes of it."""
    record = Record(apart)
    _records.append(record)
    try:
        yield record
    finally:
        _records.remove(record)


def _enter(derivation: Derivation, name: str) -> str:
    """The name it gets: its function's, or that with a number where it is taken."""
    listening: list[Record] = []
    for record in reversed(_records):
        listening.append(record)
        if record.apart:
            break
    taken = {d.short_name for r in listening for d in r.derivations if d.topic == derivation.topic}
    names = itertools.chain([name], (f"{name}_{k}" for k in itertools.count(2)))
    own = next(n for n in names if n not in taken)
    for record in listening:
        record.derivations.append(derivation)
    return own


class Derivation:
    """What `@derivation` makes of a function: its chains, in the order written. It cannot be
    changed once the function has run.

    Call it with arguments for its `takes` to use it as a lemma; index it by the name of a chain.
    """

    finished = False
    _chains: tuple[Chain, ...] = ()
    _slips: tuple[Slip, ...] = ()
    _given: tuple[Relation, ...] = ()

    notebook: ClassVar[Callable[[Derivation], str]]  # given by the package, as a Node's printer is

    def __init__(
        self,
        build: Callable[..., None],
        title: str,
        takes: tuple[Node, ...],
        dims: tuple[int, ...],
        cases: Mapping[str, Iterable[int]],
        instances: bool,
        place: tuple[str, int] | None = None,
    ) -> None:
        """`place`: the file and line it counts as written at, if it is replayed."""
        if not hasattr(build, "__code__"):
            raise NotationError(f"@derivation(...) stands above a def; it was given {build!r}")
        code = build.__code__
        self.title, self.takes, self._dims, self.instances = title, takes, dims, instances
        self.cases = MappingProxyType({name: tuple(values) for name, values in cases.items()})
        for name, values in {"dims": dims, **self.cases}.items():
            if (
                not isinstance(values, tuple)
                or not values
                or not all(type(v) is int for v in values)
            ):
                raise NotationError(f"{name}={values!r}: expected whole numbers")
        self.file, self.line = place or (code.co_filename, code.co_firstlineno)
        self.at_line: int | None = None  # of what is replayed line by line
        self.topic = Path(self.file).stem
        self.short_name = _enter(self, build.__name__)
        self.text = build.__doc__ or ""
        self._case: tuple[tuple[str, int], ...] = ()
        for values in itertools.product(*self.cases.values()):
            self._case = tuple(zip(self.cases, values, strict=True))
            build(self, *values)
        for chain in self.chains:
            if not chain.steps:
                raise NotationError(
                    f"{self.name}: a chain starts at line {chain.line} and has no step"
                )
        if not self.chains:
            raise NotationError(f"{self.name}: the derivation has no d.start(...)")
        self.finished = True

    def __setattr__(self, name: str, value: object) -> None:
        if self.finished:
            raise NotationError(f"{self.name} is finished: its {name} cannot be changed")
        if isinstance(getattr(type(self), name, None), property):
            raise NotationError(
                f"{self.name}: its {name} cannot be set, but by d.start(...) and so on"
            )
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        known = [word for word in dir(type(self)) if not word.startswith("_")]
        near = [] if name.startswith("_") else difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean d.{near[0]}?" if near else ""
        raise AttributeError(f"a derivation has no {name!r}{hint}")

    @property
    def chains(self) -> tuple[Chain, ...]:
        return self._chains

    @property
    def slips(self) -> tuple[Slip, ...]:
        return self._slips

    @property
    def given(self) -> tuple[Relation, ...]:
        return self._given

    @property
    def dims(self) -> tuple[int, ...]:
        return self._dims

    @property
    def name(self) -> str:
        return f"{self.topic}.{self.short_name}"

    @property
    def steps(self) -> list[Step]:
        return [step for chain in self.chains for step in chain.steps]

    @property
    def conclusion(self) -> Claim:
        """What the last chain shows."""
        return self.result(self.chains[-1])

    def result(self, chain: Chain) -> Claim:
        return Claim(chain.start, chain.relation, chain.last, self.given, self.dims)

    def __getitem__(self, name: str) -> Part:
        for chain in self.chains:
            if chain.name == name:
                return Part(self, chain)
        known = ", ".join(c.name for c in self.chains if c.name) or "none"
        raise LookupError(f"{self.name} has no part {name!r}; its named parts: {known}")

    def __call__(self, *arguments: Operand) -> Lemma:
        return Part(self, self.chains[-1])(*arguments)

    def __repr__(self) -> str:
        return f"<derivation {self.name}: {self.title}>"

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        return type(self).notebook(self)

    # --- what the author calls ------------------------------------------------------------------

    def start(self, expression: Operand, name: str | None = None, words: str = "") -> None:
        """Begin a chain. Others use it by its name; a reader is shown the words, with $formulas$,
        where there are any."""
        self._chains += (Chain(as_node(expression), self._line(), name, words, self._case),)

    def name_result(self, name: str) -> None:
        """Name what the current chain shows, so that others can use it."""
        self._extend(name=name)

    def given_that(self, hypothesis: Relation | Claim) -> None:
        """State a hypothesis: a comparison of two expressions, or equal(a, b)."""
        if isinstance(hypothesis, Claim):
            hypothesis = Relation(hypothesis.lhs, hypothesis.relation, hypothesis.rhs)
        if not isinstance(hypothesis, Relation):
            said = "a hypothesis is a comparison such as a >= b, or equal(a, b), not a == b"
            raise NotationError(f"{hypothesis!r}: {said}")
        shapes = {shape(hypothesis.left), shape(hypothesis.right)}
        if hypothesis.sign != "=" and shapes != {NUMBER}:
            raise NotationError(f"{hypothesis!r}: only numbers are ordered")
        zero = Number(0) in (hypothesis.left, hypothesis.right)
        if NUMBER in shapes and len(shapes) > 1 and not zero:
            raise NotationError(f"{hypothesis!r}: one side is a number, the other is not")
        self._given += (hypothesis,)

    def equals(self, expression: Operand, by: str = "", because: Reason = ()) -> None:
        """The next line is equal to the last. Left as `...` it is missing, and reported so."""
        self._step("=", expression, by, because)

    def at_least(self, expression: Operand, by: str = "", because: Reason = ()) -> None:
        """The last line is >= the next. `because` is a certificate, an expression that equals the
        gap and is shown to be >= 0; or a lemma; or both, as in
        because=((beta - 1) * KL(q(z), p(z)), kl_nonnegative(q(z), p(z)))."""
        self._step(">=", expression, by, because)

    def at_most(self, expression: Operand, by: str = "", because: Reason = ()) -> None:
        """The last line is <= the next."""
        self._step("<=", expression, by, because)

    def more_than(self, expression: Operand, by: str = "", because: Reason = ()) -> None:
        """The last line is > the next: the certificate is shown to be > 0."""
        self._step(">", expression, by, because)

    def less_than(self, expression: Operand, by: str = "", because: Reason = ()) -> None:
        """The last line is < the next."""
        self._step("<", expression, by, because)

    def tight_when(self, this: Node, equals: Operand) -> None:
        """The bound just shown is an equality when `this` (a density or a letter) is `equals`."""
        chain = self._chain()
        if chain.relation not in (">=", "<="):
            raise NotationError(f"{self.name}: tight_when(...) belongs after a bound, >= or <=")
        self._extend(tight=(*chain.tight, (as_node(this), as_node(equals))))

    def slip(
        self,
        id: str,
        wrong: Claim | Relation,
        right: Claim | Relation,
        source: str,
        why: str = "",
        because: Reason = (),
    ) -> None:
        """Record a published mistake beside the result it breaks."""
        wrong, right = self._complete(wrong), self._complete(right)
        self._slips += (Slip(id, source, wrong, right, why, _reasons(because), self._line()),)

    def false_alarm(
        self, id: str, claim: Claim | Relation, source: str, why: str = "", because: Reason = ()
    ) -> None:
        """Record a correct claim that was once reported as a mistake."""
        right = self._complete(claim)
        self._slips += (Slip(id, source, None, right, why, _reasons(because), self._line()),)

    def _complete(self, statement: Claim | Relation) -> Claim:
        return replace(as_claim(statement), given=self.given, dims=self.dims)

    def _chain(self) -> Chain:
        if not self.chains or self.chains[-1].case != self._case:
            raise NotationError(f"{self.name}: begin with d.start(...)")
        return self.chains[-1]

    def _line(self) -> int:
        return self.at_line or _caller_line()

    def _extend(self, **changes: Any) -> None:
        self._chains = (*self.chains[:-1], replace(self._chain(), **changes))

    def _step(self, relation: str, expression: Any, by: str, because: Reason) -> None:
        chain, line = self._chain(), self._line()
        if "=" not in (relation, chain.relation) and relation[0] != chain.relation[0]:
            raise NotationError(f"{self.name}, line {line}: a chain cannot mix >= and <=")
        if not isinstance(by, str) or not by.strip():
            raise NotationError(f'{self.name}, line {line}: every step states its reason, by="..."')
        missing = expression is ...
        target = chain.last if missing else as_node(expression)
        claim = Claim(chain.last, relation, target, self.given, self.dims)
        left_out = because is ...
        reasons = () if left_out else _reasons(because)
        step = Step(claim, by, reasons, line, self._case, missing, left_out, chain.gap)
        self._extend(steps=(*chain.steps, step))


@dataclass(frozen=True)
class Part:
    """One chain of a derivation; call it to use it as a lemma."""

    source: Derivation
    chain: Chain

    @property
    def claim(self) -> Claim:
        return self.source.result(self.chain)

    def __call__(self, *arguments: Operand) -> Lemma:
        takes = self.source.takes
        if len(arguments) != len(takes):
            wanted = ", ".join(repr(t) for t in takes)
            raise NotationError(
                f"{self.source.name} takes ({wanted}), got {len(arguments)} argument(s)"
            )
        pairs = tuple((t, as_node(a)) for t, a in zip(takes, arguments, strict=True))
        return Lemma(self.source, self.chain, pairs)


def derivation(
    title: str,
    *,
    takes: Node | tuple[Node, ...] = (),
    dims: tuple[int, ...] = (1,),
    instances: bool = False,
    **cases: Iterable[int],
) -> Callable[[Callable[..., None]], Derivation]:
    """Turn `def name(d): ...` into the derivation `topic.name`.

    `takes` lists the densities and letters a later derivation may replace when it uses this one as
    a lemma; `dims` the dimensions of vectors; a keyword such as `k=(1, 2, 3)` builds the derivation
    once for each value, passed to the function. `instances=True` asks for the label "verified on
    instances", for what is evaluated in random worlds but not proved.
    """
    if not isinstance(title, str):
        raise NotationError("@derivation needs a title: @derivation('The evidence lower bound')")
    wanted = takes if isinstance(takes, tuple) else (takes,)
    for pattern in wanted:
        if not isinstance(pattern, (Symbol, Dens)):
            raise NotationError(f"takes={pattern!r}: expected a letter or a density such as p(x)")
    return lambda build: Derivation(build, title, wanted, dims, cases, instances)


def _reasons(because: Reason) -> tuple[Node | Lemma, ...]:
    items = because if isinstance(because, tuple) else (because,)
    return tuple(i if isinstance(i, Lemma) else as_node(i) for i in items)


def _caller_line() -> int:
    frame = sys._getframe(1)
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_lineno
