"""Whether two terms are one, by what they are at random places of large prime fields.

A guess that is almost never wrong and that nobody has to trust: it says which equalities Coq is
asked to prove. A function has a random value for each value of its arguments, so equal arguments
give equal values; a root has a square that is what stands under it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from genmath.proof.coq.rules import expanded
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, app

PRIME = 2**61 - 1
LESS = (0, 44, 228, 464)  # than this, other primes: in one of them a number has a root
TRIES, FEWEST = 6, 3
WORLDS = 400


class NoRoot(ArithmeticError):
    """What stands under a root has none in the field: another world will do."""


def _random(*what: Any) -> int:
    digest = hashlib.blake2b(repr(what).encode(), digest_size=16).digest()
    return int.from_bytes(digest, "big") % PRIME


class World:
    """Values for all letters and functions, by a seed. `known`: what terms are in others."""

    def __init__(self, seed: int, known: dict[tuple[Term, Signs], Term | None]) -> None:
        self.seed, self.prime = seed, PRIME - LESS[seed % len(LESS)]
        self.known = known
        self.memory: dict[Any, int] = {}
        self.tossed = False  # whether a sign or a bit was drawn: then values are one by chance

    def __call__(
        self, term: Term, signs: Signs, env: tuple[tuple[str, int], ...] = (), depth: int = 0
    ) -> int:
        key = (term, id(signs), env, depth)
        if key not in self.memory:
            self.memory[key] = self._value(term, signs, env, depth)
        return self.memory[key]

    def _value(self, term: Term, signs: Signs, env: tuple[tuple[str, int], ...], depth: int) -> int:
        match term.op:
            case "num":
                return (
                    int(term.data.numerator)
                    * pow(int(term.data.denominator), -1, self.prime)
                    % self.prime
                )
            case "var":
                inside = dict(env)
                if term in signs.equal:
                    return self(signs.equal[term][0], signs, env, depth)
                if term.data in inside:
                    return inside[term.data]
                return self._free(term, signs, ())
            case "app":
                if (term, signs) not in self.known:
                    self.known[term, signs] = expanded(term, signs)
                other = self.known[term, signs]
                if other is not None:
                    return self(other, signs, env, depth)
                args = tuple(self._argument(a, signs, env, depth) for a in term.args)
                if (head := signs.heads.get(term.data)) and head.symmetric:
                    args = tuple(sorted(args))
                if term.data == "sqrt" and signs.nonnegative(term.args[0]):
                    return self._root(args[0])
                if term.data == "Rabs" and signs.apart:
                    return self._root(args[0] ** 2 % self.prime)
                if term.data == "sin" and signs.apart:
                    cosine = self._free(app("cos", *term.args), signs, args)
                    return self._root((1 - cosine**2) % self.prime)
                return self._free(term, signs, args)
        values = [self(a, signs, env, depth) for a in term.args]
        match term.op:
            case "add":
                return sum(values) % self.prime
            case "neg":
                return -values[0] % self.prime
            case "mul":
                result = 1
                for v in values:
                    result = result * v % self.prime
                return result
            case "div":
                return values[0] * pow(values[1], -1, self.prime) % self.prime
            case "pow":
                return pow(values[0], int(term.data), self.prime)
        raise TypeError(term.op)

    def _free(self, term: Term, signs: Signs, args: tuple[Any, ...]) -> int:
        """A square where it is >= 0: the field has no signs, and -1 is no square."""
        what = (self.seed, term.data, args)
        if signs.apart and term.data == signs.indicator:
            self.tossed = True
            return _random(*what) % 2
        value = pow(_random(*what), 2, self.prime)
        above = term.data == "normal" or signs.nonnegative(term)
        return value if above or _random("sign", *what) % 2 else self.prime - value

    def _root(self, value: int) -> int:
        """Of either sign: nothing is known of it but its square."""
        root = pow(value, (self.prime + 1) // 4, self.prime)
        if root * root % self.prime != value:
            raise NoRoot
        self.tossed = True
        return root if _random("root", self.seed, value) % 2 else self.prime - root

    def _argument(
        self, term: Term, signs: Signs, env: tuple[tuple[str, int], ...], depth: int
    ) -> Any:
        if term.op != "lam":
            return self(term, signs, env, depth)
        inner = signs.inside(term)
        values = []
        for k in range(2):
            places = tuple(
                (name, pow(_random(self.seed, "place", depth, i, k), 2, self.prime))
                for i, (name, _) in enumerate(term.data)
            )
            around = tuple(p for p in env if p[0] not in dict(places))
            values.append(self(term.args[0], inner, around + places, depth + 1))
        return tuple(values)


class Values:
    """The values of terms in a few worlds in which all of them have one."""

    def __init__(self) -> None:
        known: dict[tuple[Term, Signs], Term | None] = {}
        self.worlds = [World(seed, known) for seed in range(WORLDS)]

    def __call__(self, terms: list[Term], signs: Signs) -> list[tuple[int, ...]] | None:
        found = list(self._found(terms, signs))
        return list(zip(*found, strict=True)) if len(found) >= FEWEST else None

    def equal(self, a: Term, b: Term, signs: Signs) -> bool:
        """Whether two have the same values: one world may tell them apart."""
        found = 0
        for one, other in self._found([a, b], signs):
            if one != other:
                return False
            found += 1
        return found >= FEWEST

    def _found(self, terms: list[Term], signs: Signs) -> Iterator[list[int]]:
        """In one world after the other."""
        found = 0
        for world in self.worlds:
            try:
                values = [world(t, signs) for t in terms]
            except (NoRoot, ValueError):  # or no inverse
                continue
            yield values
            found += 1
            if found == (TRIES if world.tossed else FEWEST):
                return
