"""A step as a theorem for Coq: for all letters and functions, under what the step may suppose."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from genmath.proof.coq.reading import (
    DERIVATIVE,
    WHOLE,
    Head,
    NoReal,
    Reading,
    domain_of,
    every_value,
    may_be_nothing,
)
from genmath.proof.coq.script import NoProof, Scripts
from genmath.proof.coq.signs import Always, Signs
from genmath.proof.coq.slopes import slope_of
from genmath.proof.coq.terms import Condition, add, app, functions, minus, mul, var
from genmath.proof.language.claims import STRICT, Claim
from genmath.proof.language.derivation import Lemma, Step
from genmath.proof.language.methods import Induction, Method
from genmath.proof.language.tree import Node, Relation, Symbol, free_symbols


@dataclass(frozen=True)
class Theorem:
    """`statement` and `script` are Coq; `results`: earlier results that it supposes."""

    statement: str
    script: tuple[str, ...]
    results: tuple[str, ...] = ()
    laws: int = 0  # how many laws of integrals and densities it supposes

    def text(self, name: str) -> str:
        body = "\n".join("  " + line for line in self.script)
        return f"Theorem {name} :\n{self.statement}.\nProof.\n{body}\nQed.\n"


class Statement:
    """A claim and what it may suppose, in Coq."""

    def __init__(
        self, claim: Claim, because: Sequence[Node | Lemma] = (), read: Reading | None = None
    ) -> None:
        self.read = read or Reading()
        self.left, self.right = self.read.sides(claim.lhs, claim.rhs)
        self.sign = claim.relation
        spoken = {*self.read.letters}
        # What is said of a letter that may be nothing says nothing, and so does its interval.
        given = [
            relation
            for g, relation in [(g, self.read.relation(g)) for g in claim.given]
            if not any(may_be_nothing(v) for v in _free(g) - spoken)
        ]
        self.always = list(self._always(claim.given))
        self.lemmas = [b for b in because if isinstance(b, Lemma)]
        self.certificates = [
            self.read(b) for b in because if isinstance(b, Node) and not isinstance(b, Method)
        ]
        results = [
            (m.claim.relation, *self.read.sides(m.claim.lhs, m.claim.rhs)) for m in self.lemmas
        ]
        own = [
            c
            for v, n in list(self.read.letters.items())
            if v in spoken or not may_be_nothing(v)
            for c in self.read.declared(v, var(n))
        ]
        self.results = results
        self.read.symmetries()
        self.conditions: list[Condition] = [*own, *given, *self.read.given, *results]
        self.read.inverses()
        self.read.slopes()
        self.read.maps()
        self.read.ratios()
        self.read.meanings()
        self.read.products()
        self.read.measures()
        self.read.densities()
        self.heads = self.read.by_name
        self.whole = frozenset(n for v, n in self.read.letters.items() if v.domain in WHOLE)
        self.induction = [self.read(b.letter) for b in because if isinstance(b, Induction)]
        self.always += self._convex()
        self.supposed: tuple[tuple[str, int], ...] = ()  # which functions have slopes, and in what
        self.laws: dict[str, str] = {}
        self.supposing: set[str] = set()

    def _always(self, given: Iterable[Relation]) -> Iterator[Always]:
        """What is said of random variables is said of all of their values, if these are all that
        their declaration is known to say."""
        for g in given:
            own = [v for v in _free(g) if v.is_variable and not v.shape]
            own.sort(key=lambda v: v.name)
            names = {v: self.read.letters[v] for v in own if v in self.read.letters}
            if own and len(names) == len(own) and all(map(every_value, own)):
                where = [c for v, n in names.items() for c in self.read.declared(v, var(n))]
                yield tuple(names.values()), tuple(where), self.read.relation(g)

    def _convex(self) -> Iterator[Always]:
        """A convex function lies above its tangents, and its conjugate f* above u t - f(u): where
        nothing is stated of it, since the conjugate may be infinite."""
        u, t = var("u"), var("t")
        given = self.conditions[: len(self.conditions) - len(self.results)]
        said = [
            side for _, *sides in [*given, *(fact for _, _, fact in self.always)] for side in sides
        ]
        stated = set[str]().union(*map(functions, said))
        for (kind, data, takes), head in self.read.heads.items():
            if kind != "Apply" or data[1:] != (("convex",), 0):
                continue
            here, there = app(head.name, u), app(head.name, t)
            if slope := self.read.heads.get((kind, (data[0], ("convex",), 1), takes)):
                tangent = add(here, mul(app(slope.name, u), minus(t, u)))
                yield ("u", "t"), (), ("<=", tangent, there)
            other = self.read.heads.get((kind, (data[0], ("conjugate",), 0), takes))
            if other and stated.isdisjoint((head.name, other.name)):
                yield ("u", "t"), (), ("<=", mul(u, t), add(here, app(other.name, t)))

    def signs(self) -> Signs:
        return Signs(self.conditions, self.heads)

    def hypotheses(self) -> list[tuple[str, str]]:
        """Each with its name."""
        used = self._used()
        found = [f"{a} {sign} {b}" for sign, a, b in self.conditions]
        found += [text for h in used for text in _values(h)]
        named = [(f"H{k}", text) for k, text in enumerate(found, 1)]
        named += [(f"H_{h.name}", _looks(h)) for h in used if h.choosy]
        if any(h.name == DERIVATIVE for h in used):
            named.append((f"H_{DERIVATIVE}", IS_SLOPE))
        named += [
            (f"H_{name}_{i + 1}", _differentiable(self.heads[name], i, self.heads))
            for name, i in self.supposed
        ]
        return [*named, *self.laws.items()]

    def _used(self) -> list[Head]:
        """The functions that it speaks of."""
        terms = [self.left, self.right, *(t for _, a, b in self.conditions for t in (a, b))]
        names = self.supposing.union(*map(functions, terms))
        for name, i in self.supposed:
            head = self.heads[name]
            anywhere = (var("x"),) * len(head.takes)
            names |= {name, *functions(slope_of(head, self.heads, anywhere, i))}
        return [h for h in self.heads.values() if h.name in names]

    def text(self) -> str:
        quantified = [f"({h.name} : {h.type})" for h in self._used()]
        letters = list(self.read.letters.values())
        if letters:
            quantified.append(f"({' '.join(letters)} : R)")
        lines = [f"  forall {' '.join(quantified)},"] if quantified else []
        lines += [f"  {_premise(text)} ->" for _, text in self.hypotheses()]
        return "\n".join([*lines, f"  {self.left} {self.sign} {self.right}"])

    def intros(self) -> str:
        names = [h.name for h in self._used()] + list(self.read.letters.values())
        names += [n for n, _ in self.hypotheses()]
        return f"intros {' '.join(names)}." if names else "idtac."


def _free(g: Relation) -> frozenset[Symbol] | set[Symbol]:
    return free_symbols(g.left) | free_symbols(g.right)


def theorem(claim: Claim, because: Sequence[Node | Lemma] = ()) -> Theorem:
    """Or `NoProof`, which says why not. Without laws where that will do."""
    if any(isinstance(b, Method) for b in because):
        raise NoProof("it is shown by a method of analysis or by induction")
    try:
        said = Statement(claim, because)
    except NoReal as error:
        raise NoProof(str(error)) from None
    with contextlib.suppress(NoProof):
        return _shown(said, laws=False)
    return _shown(said, laws=True)


def _shown(said: Statement, laws: bool) -> Theorem:
    choosy = {h.name: f"H_{h.name}" for h in said.heads.values() if h.choosy}
    scripts, signs = Scripts(said.heads, choosy), said.signs()
    signs.laws = laws
    used = functions(said.left) | functions(said.right)
    for head in said.heads.values() if signs.laws and "sqrt" in used else ():
        if head.linear == "sum" and head.name in used:  # what stands under a root is >= 0
            scripts.laws[f"P_{head.name}"] = _keeps_signs(head)
    if said.sign == "=":
        lines = scripts.equality(said.left, said.right, signs)
    else:
        lines = _bound(said, scripts, signs)
    said.supposed, said.laws = tuple(scripts.supposed), scripts.laws
    said.supposing = scripts.supposing
    results = tuple(m.source.name for m in said.lemmas)
    sums = [h.name for h in said.heads.values() if h.linear == "sum"]
    ours = {f"{law}_{name}" for name in sums for law in ("S_plus", "S_scale", "P")}
    return Theorem(said.text(), (said.intros(), *lines), results, len(scripts.laws.keys() - ours))


def _bound(said: Statement, scripts: Scripts, signs: Signs) -> list[str]:
    """The gap is the certificate, whose sign is seen."""
    above = said.sign[0] == ">"
    gap = minus(said.left, said.right) if above else minus(said.right, said.left)
    bounds = [
        minus(a, b) if sign[0] == ">" else minus(b, a) for sign, a, b in said.results if sign != "="
    ]
    parts = said.certificates or bounds or [gap]
    strict = said.sign in STRICT
    if signs.laws:
        used = set[str]().union(*map(functions, parts))
        for head in said.heads.values():
            if head.linear and head.name in used:
                scripts.laws[f"P_{head.name}"] = _keeps_signs(head)
    seen = all(map(signs.nonnegative, parts)) and (not strict or any(map(signs.positive, parts)))
    if not seen:
        raise NoProof("the sign of the gap takes more than its shape")
    certificate = add(*parts)
    lines = []
    for k, part in enumerate(parts, 1):
        positive = strict and signs.positive(part)
        lines.append(
            f"assert (Hp{k} : 0 {'<' if positive else '<='} {part}) "
            f"by {'pos' if positive else 'nonneg'}."
        )
    lines.append(f"assert (Hg : {gap} = {certificate}).")
    script = scripts.equality(gap, certificate, signs)
    lines += ["{ " + script[0], *("  " + s for s in script[1:]), "}"]
    return [*lines, "lra."]


def _premise(text: str) -> str:
    return f"({text})" if text.startswith("forall") else text


def _values(head: Head) -> Iterator[str]:
    """Where a function takes its values."""
    names = [f"a{k}" for k in range(1, len(head.takes) + 1)]
    at = app(head.name, *map(var, names))
    for sign, a, b in domain_of(head.values, at):
        letters = " ".join(f"({n} : {t})" for n, t in zip(names, head.takes, strict=True))
        yield f"forall {letters}, {a} {sign} {b}" if letters else f"{a} {sign} {b}"


def _looks(head: Head) -> str:
    """That a function of functions looks at them only where their letters may be."""
    ones, others = ([f"{c}{k}" for k in range(1, len(head.takes) + 1)] for c in "ab")
    letters = " ".join(name for name, _ in head.letters)
    said = "".join(f"{a} {sign} {b} -> " for _, cs in head.letters for sign, a, b in cs)
    premises = [
        f"(forall {letters} : R, {said}{a} {letters} = {b} {letters})" if "->" in kind
        else f"{a} = {b}"
        for a, b, kind in zip(ones, others, head.takes, strict=True)
    ]  # fmt: skip
    if head.linear == "expectation":
        said += "".join(f"0 < {q} {letters} -> " for q in ones[1:])
        premises[0] = f"(forall {letters} : R, {said}{ones[0]} {letters} = {others[0]} {letters})"
    typed = " ".join(
        f"({a} {b} : {kind})" for a, b, kind in zip(ones, others, head.takes, strict=True)
    )
    conclusion = f"{head.name} {' '.join(ones)} = {head.name} {' '.join(others)}"
    return f"forall {typed}, {' -> '.join([*premises, conclusion])}"


def _keeps_signs(head: Head) -> str:
    """What is nowhere < 0 has no integral, expectation or sum < 0."""
    names = [f"a{k}" for k in range(1, len(head.takes) + 1)]
    letters = " ".join(name for name, _ in head.letters)
    said = "".join(f"{a} {sign} {b} -> " for _, cs in head.letters for sign, a, b in cs)
    if head.linear == "expectation":
        said += "".join(f"0 < {q} {letters} -> " for q in names[1:])
    typed = " ".join(f"({n} : {t})" for n, t in zip(names, head.takes, strict=True))
    inside = f"(forall {letters} : R, {said}0 <= a1 {letters})"
    return f"forall {typed}, {inside} -> 0 <= {head.name} {' '.join(names)}"


IS_SLOPE = "forall f x l, derivable_pt_lim f x l -> Deriv f x = l"


def _differentiable(head: Head, i: int, heads: Mapping[str, Head]) -> str:
    """That a function has a slope in one argument."""
    names = [f"a{k}" for k in range(1, len(head.takes) + 1)]
    others = [(n, t) for k, (n, t) in enumerate(zip(names, head.takes, strict=True)) if k != i]
    typed = " ".join(f"({n} : {t})" for n, t in [*others, (names[i], "R")])
    inside = app(head.name, *(var("y") if k == i else var(n) for k, n in enumerate(names)))
    slope = slope_of(head, heads, tuple(map(var, names)), i)
    return f"forall {typed}, derivable_pt_lim (fun y => {inside}) {names[i]} ({slope})"


def of_step(step: Step) -> Theorem:
    if step.unfilled:
        raise NoProof("it is left as ...")
    return theorem(step.claim, step.because)
