"""A polynomial as a sum of products of what is >= 0: of gaps that are known, and of factors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        bad = next((m for m, c in p.items() if c < 0 or not self.plain(m)), None)
        if bad is None:
            return [], p
        for gap, q in self.known if left else ():
            for n, d in q.items():
                c = p[bad] / d
                factor = joined(bad, frozenset((t, -k) for t, k in n))
                below = {t for t, k in factor if k < 0} - {t for t, k in bad if k < 0}
                if c <= 0 or below or not self.plain(factor):
                    continue
                self.tries -= 1
                if self.tries < 0:
                    return None
                found = self(_without(p, c, factor, q), left - 1)
                if found:
                    return [(c, factor, gap), *found[0]], found[1]
        return None


def _without(p: Polynomial, c: Fraction, factor: Monomial, q: Polynomial) -> Polynomial:
    rest = dict(p)
    for n, d in q.items():
        m = joined(factor, n)
        rest[m] = rest.get(m, Fraction(0)) - c * d
        if not rest[m]:
            del rest[m]
    return rest
