"""Proofs for Coq: equalities by what functions are equal, signs by the shape of a term."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from genmath.proof.coq.reading import DERIVATIVE, Head
from genmath.proof.coq.rules import TACTICS, expanded
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.slopes import derivative
from genmath.proof.coq.terms import (
    Term,
    add,
    app,
    atoms,
    denominators,
    functions,
    lam,
    mul,
    replaced,
    var,
)
from genmath.proof.coq.values import Values

DEEPEST, ARGUMENTS = 6, 5  # Coq's f_equal5 is the last one
Lines = list[str]


class NoProof(ValueError):
    """Why no proof is written."""


class Scripts:
    """Proofs of one theorem."""

    def __init__(self, heads: Mapping[str, Head], hypotheses: Mapping[str, str]) -> None:
        """`hypotheses`: that a function looks at its functions only where their letters may be."""
        self.heads, self.choosy = heads, hypotheses
        self.supposed: dict[tuple[str, int], None] = {}  # of which it is supposed to have a slope
        self.laws: dict[str, str] = {}  # of integrals and densities, by name
        self.supposing: set[str] = set()  # functions of which they speak
        self.values = Values()
        self.names = map("Hs{}".format, itertools.count(1))
        self.letters = map("w{}".format, itertools.count(1))

    def equality(self, a: Term, b: Term, signs: Signs, depth: int = 0) -> Lines:
        """Of a goal a = b."""
        if a == b:
            return ["reflexivity."]
        if depth > DEEPEST:
            raise NoProof("too deeply nested")
        if not self._equal(a, b, signs):
            logarithms = app("ln", a), app("ln", b)
            if signs.positive(a) and signs.positive(b) and self._equal(*logarithms, signs):
                return [
                    "apply ln_inv; [solve [pos] | solve [pos] |].",
                    *self.equality(*logarithms, signs, depth + 1),
                ]
            raise NoProof("not an identity of real algebra")
        lines: Lines = []
        rewritings: list[tuple[Term, str]] = [
            (old, name) for old, (_, name) in signs.equal.items() if old.op == "var"
        ]
        facts, plain = self._atoms([a, b], signs, lines, rewritings, depth)
        self._same(plain, signs, lines, rewritings, depth)
        rewritings.sort(key=lambda r: -r[0].size)
        if facts:
            lines.append(f"revert {' '.join(facts)}.")
        steps = [f"try rewrite {name}." for _, name in rewritings]
        grown = signs.laws or any(a.height > 1 for a, _ in rewritings if a.data == DERIVATIVE)
        lines += steps * (2 if grown else 1)  # what came of a rewriting may be larger than it was
        if facts:
            lines.append(f"intros {' '.join(facts)}.")
        squares = " ".join(f for f in facts if f.endswith("r"))
        lines.append(f"first [ring [{squares}] | field [{squares}]; repeat split; side]."
                     if squares else "algebra.")  # fmt: skip
        return lines

    def _equal(self, a: Term, b: Term, signs: Signs) -> bool:
        return self.values.equal(a, b, signs)

    def _ratio(self, head: Head) -> str:
        """The law of a conditional density."""
        assert head.ratio
        over, under = head.ratio
        at = [f"a{k}" for k in range(1, len(head.takes) + 1)]
        said = f"forall {' '.join(at)}, {app(head.name, *map(var, at))} = {over} / {under}"
        self.laws[f"L_{head.name}"] = said
        self.supposing |= functions(over) | functions(under)
        return f"L_{head.name}"

    def _law(self, name: str, atom: Term, new: Term, signs: Signs, depth: int) -> Lines:
        """What is supposed of an integral or a density: at these letters."""
        head = self.heads[atom.data]
        if head.ratio:
            law = self._ratio(head)
            return [f"pose proof ({law} {' '.join(f'({a})' for a in atom.args)}) as {name}."]
        if head.linear == "sum":
            return self._sum(name, atom, new, signs, depth)
        local = sorted(n for n in atom.free if re.fullmatch(r"w\d+", n))
        where = [c for c in signs.conditions if any(t.free & set(local) for t in c[1:])]
        text = "".join(f"{a} {sign} {b} -> " for sign, a, b in where) + f"{atom} = {new}"
        text = f"forall {' '.join(local)} : R, {text}" if local else text
        law = next((k for k, t in self.laws.items() if t == text), f"L{len(self.laws) + 1}")
        self.laws[law] = text
        self.supposing |= functions(new)
        return [f"assert ({name} : {atom} = {new}) by (apply {law}; assumption)."]

    def _sum(self, name: str, atom: Term, new: Term, signs: Signs, depth: int) -> Lines:
        """A finite sum, by laws that hold of all of them."""
        head, function, others = self.heads[atom.data], atom.args[0], atom.args[1:]
        more = [f"a{k}" for k in range(1, len(others) + 1)]
        at = f"forall {{}} {' '.join(f'({a} : R)' for a in more)}, "
        letters = " ".join(n for n, _ in function.data)

        def sign(body: str) -> str:
            return f"{head.name} (fun {letters} => {body}) {' '.join(more)}"

        plus, scale = f"S_plus_{head.name}", f"S_scale_{head.name}"
        self.laws[plus] = (
            at.format("f g") + f"{sign(f'f {letters} + g {letters}')} = "
            f"{sign(f'f {letters}')} + {sign(f'g {letters}')}"
        )
        self.laws[scale] = (
            at.format("c f") + f"{sign(f'c * f {letters}')} = c * {sign(f'f {letters}')}"
        )
        places = " ".join(f"({a})" for a in others)
        whole: Term | None = None
        proof = ""
        for t in new.args if new.op == "add" else (new,):
            constants, one = (t.args[:-1], t.args[-1]) if t.op == "mul" else ((), t)
            inside, shown = one.args[0].args[0], "eq_refl"
            if constants:
                c = mul(*constants)
                shown = f"({scale} ({c}) ({one.args[0]}) {places})"
                inside = mul(c, inside)
            if whole is None:
                whole, proof = inside, shown
                continue
            both = f"({lam(function.data, whole)}) ({lam(function.data, inside)})"
            proof = f"(eq_trans ({plus} {both} {places}) (f_equal2 Rplus {proof} {shown}))"
            whole = add(whole, inside)
        assert whole is not None
        middle = app(head.name, lam(function.data, whole), *others)
        lines = [f"assert ({name} : {atom} = {new}).", f"{{ transitivity ({middle})."]
        if middle == atom:
            lines.append("reflexivity.")
        else:
            lines += _block(self._by_arguments(atom, middle, signs, depth))
        return [*lines, f"exact {proof}.", "}"]

    def _expansion(self, name: str, atom: Term, new: Term, signs: Signs, depth: int) -> Lines:
        head = self.heads.get(atom.data)
        if head and (head.linear or head.ratio or head.means):
            return self._law(name, atom, new, signs, depth)
        if atom.data != DERIVATIVE:
            inside = [self.heads[f] for f in sorted(functions(atom)) if f in self.heads]
            laws = [self._ratio(h) for h in inside if h.ratio and signs.laws]
            first = "".join(f"rewrite ?{law}; " for law in laws)
            return [f"assert ({name} : {atom} = {new}) by ({first}{TACTICS[atom.data]})."]
        lines = [f"assert ({name} : {atom} = {new})."]
        if new.op == "app" and new.data == DERIVATIVE and new.args[0] != atom.args[0]:
            return lines + _block(self._by_arguments(atom, new, signs, depth))
        _, proof, slopes = derivative(atom, signs, self.heads)
        self.supposed |= slopes.supposed
        sides = [
            f"assert (Hd{k} : {'0 < ' if sign == '<' else ''}{t}{' <> 0' if sign == '<>' else ''}) "
            f"by {'pos' if sign == '<' else 'nz'}."
            for k, (t, sign) in enumerate(slopes.sides, 1)
        ]
        return lines + _block([*sides, f"apply H_Deriv; refine (d_eq _ _ _ _ {proof} _); slope."])

    def _atoms(
        self,
        terms: list[Term],
        signs: Signs,
        lines: Lines,
        rewritings: list[tuple[Term, str]],
        depth: int,
    ) -> tuple[list[str], list[Term]]:
        """Expand what can be; the names of facts, that denominators are not 0 and what roots are,
        and the functions that are left."""
        facts: list[str] = []
        plain: dict[Term, None] = {}
        seen: set[Term] = set()
        under: set[Term] = set()
        left = list(terms)
        while left:
            term = left.pop(0)
            for d in denominators(term):
                if d in under or d.op == "num":
                    continue
                under.add(d)
                if not signs.nonzero(d):
                    raise NoProof(f"a denominator is not seen to differ from 0: {d}")
                facts.append(name := next(self.names))
                lines.append(f"assert ({name} : {d} <> 0) by nz.")
            for atom in atoms(term):
                if atom in seen:
                    continue
                seen.add(atom)
                new = expanded(atom, signs)
                if new is None:
                    plain[atom] = None
                    if atom.data == "sqrt" and signs.nonnegative(atom.args[0]):
                        facts.append(name := next(self.names) + "r")
                        square = atom.args[0]
                        lines.append(
                            f"assert ({name} : {atom} * {atom} = {square}) "
                            "by (apply sqrt_sqrt; nonneg)."
                        )
                        left.append(square)
                    continue
                if atom in signs.equal:
                    rewritings.append((atom, signs.equal[atom][1]))
                else:
                    name = next(self.names)
                    lines += self._expansion(name, atom, new, signs, depth)
                    rewritings.append((atom, name))
                left.append(new)
        return facts, list(plain)

    def _same(
        self,
        plain: list[Term],
        signs: Signs,
        lines: Lines,
        rewritings: list[tuple[Term, str]],
        depth: int,
    ) -> None:
        """One name for functions that are equal because their arguments are."""
        values = self.values(plain, signs) if plain else []
        if values is None:
            raise NoProof("not an identity of real algebra")
        first: dict[tuple[str, tuple[int, ...]], Term] = {}
        for atom, value in zip(plain, values, strict=True):
            other = first.setdefault((atom.data, value), atom)
            if other == atom:
                continue
            name = next(self.names)
            lines.append(f"assert ({name} : {atom} = {other}).")
            lines += _block(self._by_arguments(atom, other, signs, depth))
            rewritings.append((atom, name))

    def _by_arguments(self, a: Term, b: Term, signs: Signs, depth: int) -> Lines:
        lines: Lines = []
        shown = []
        head = self.heads.get(a.data)
        choosy = bool(head and head.choosy)
        for one, other in zip(a.args, b.args, strict=True):
            if one == other and not (choosy and one.op == "lam"):
                shown.append("eq_refl")
                continue
            shown.append(name := next(self.names))
            if one.op != "lam":
                lines.append(f"assert ({name} : {one} = {other}).")
                lines += _block(self.equality(one, other, signs, depth + 1))
                continue
            lines += self._of_functions(name, one, other, signs, depth, choosy)
        if choosy:
            lines.append(f"apply {self.choosy[a.data]}; assumption || reflexivity.")
        elif len(shown) > ARGUMENTS:
            raise NoProof("a function of too many arguments")
        else:
            k = "" if len(shown) == 1 else str(len(shown))
            lines.append(f"exact (f_equal{k} {a.data} {' '.join(shown)}).")
        return lines

    def _of_functions(
        self, name: str, one: Term, other: Term, signs: Signs, depth: int, choosy: bool
    ) -> Lines:
        """Two functions are equal at every place, or wherever their letters may be."""
        places = [next(self.letters) for _ in one.data]
        here = {n: w for (n, _), w in zip(one.data, places, strict=True)}
        there = {n: w for (n, _), w in zip(other.data, places, strict=True)}
        body, goal = replaced(one.args[0], here), replaced(other.args[0], there)
        said = [(s, replaced(l, here), replaced(r, here)) for _, cs in one.data for s, l, r in cs]
        inner = signs.beside(said if choosy else ())
        script = self.equality(body, goal, inner, depth + 1)
        if not choosy:
            intro = [f"apply functional_extensionality; intro {w}." for w in places]
            return [f"assert ({name} : ({one}) = ({other})).", *_block([*intro, *script])]
        known = [next(self.names) for _ in said]
        premises = "".join(f"{l} {s} {r} -> " for s, l, r in said)
        letters = " ".join(places)
        statement = f"forall {letters} : R, {premises}({one}) {letters} = ({other}) {letters}"
        intro = [f"intros {letters} {' '.join(known)}; cbv beta."]
        return [f"assert ({name} : {statement}).", *_block([*intro, *script])]


def _block(lines: Lines) -> Lines:
    return ["{ " + lines[0], *("  " + line for line in lines[1:]), "}"]
