"""A polynomial as a sum of products of what is >= 0: of gaps that are known, and of factors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from genmath.proof.coq.monomials import Monomial, Polynomial, joined
from genmath.proof.coq.terms import Term

MOST_GAPS, TRIES = 4, 40
Gap = tuple[Term, Term, bool]  # from below, whether strictly
Known = Sequence[tuple[Gap, Polynomial]]
Covered = list[tuple[Fraction, Monomial, Gap]]  # a weight, factors that are >= 0, a gap


@dataclass
class Cover:
    """`plain`: whether a product of factors is seen to be >= 0."""

    known: Known
    plain: Callable[[Monomial], bool]
    tries: int = TRIES

    def __call__(self, p: Polynomial, left: int = MOST_GAPS) -> tuple[Covered, Polynomial] | None:
        """The gaps, and what is left without them, of which each part is seen to be >= 0."""
        bad = self._bad(p)
        if not bad:
            return [], p
        ways = list(self._ways(p, bad[0])) if left else []
        after = [len(self._bad(rest)) for *_, rest in ways]
        for k in sorted(range(len(ways)), key=after.__getitem__):
            self.tries -= 1
            if after[k] > len(bad) or self.tries < 0:
                return None
            c, factor, gap, rest = ways[k]
            if found := self(rest, left - 1):
                return [(c, factor, gap), *found[0]], found[1]
        return None

    def _bad(self, p: Polynomial) -> list[Monomial]:
        return [m for m, c in p.items() if c < 0 or not self.plain(m)]

    def _ways(
        self, p: Polynomial, bad: Monomial
    ) -> Iterator[tuple[Fraction, Monomial, Gap, Polynomial]]:
        """Gaps, times what is >= 0, that have this product, and what is left without them."""
        for gap, q in self.known:
            for n, d in q.items():
                factor = joined(bad, frozenset((t, -k) for t, k in n))
                below = {t for t, k in factor if k < 0} - {t for t, k in bad if k < 0}
                if (c := p[bad] / d) > 0 and not below and self.plain(factor):
                    yield c, factor, gap, _without(p, c, factor, q)


def _without(p: Polynomial, c: Fraction, factor: Monomial, q: Polynomial) -> Polynomial:
    rest = dict(p)
    for n, d in q.items():
        m = joined(factor, n)
        rest[m] = rest.get(m, Fraction(0)) - c * d
        if not rest[m]:
            del rest[m]
    return rest
