"""Rational functions with rational coefficients: when the difference of two terms is 0.

A term is a quotient of polynomials in its atoms: letters, and functions at arguments. Its value is
0 if the numerator is the zero polynomial and no denominator is 0. Denominators are kept as products
of powers, so that a sum has the least common one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from genmath.proof.kernel.limits import BITS, Rejected, Work
from genmath.proof.kernel.terms import Fact, Term

Coefficient = Fraction | int
Monomial = tuple[tuple[int, int], ...]  # atoms, by number, with their exponents
Polynomial = dict[Monomial, Coefficient]  # no coefficient is 0
Factor = tuple[tuple[Monomial, Coefficient], ...]  # a polynomial, in order
Quotient = tuple[Polynomial, dict[Factor, int]]  # the numerator, and powers of factors


class Algebra:
    """Arithmetic on terms, where `nonzero` says which denominators are known not to be 0.

    `by` are equations `atom = term`, or `atom^2 = term`. Each is read with those before it; then
    the atom stands for the term, and an even power of the other for a power of the term.
    """

    def __init__(self, nonzero: Callable[[Term], bool], by: Iterable[Fact], work: Work) -> None:
        self.nonzero, self.work = nonzero, work
        self.known: dict[Term, Quotient] = {}
        self.atoms: dict[Term, int] = {}
        self.squares: list[tuple[int, Quotient]] = []
        for sign, left, right in by:
            if sign != "=":
                raise Rejected("only an equation can be used as one")
            value = self(right)
            if isinstance(left, tuple) and left[0] == "^" and left[2] == 2 and _atomic(left[1]):
                self.squares.append((self._atom(left[1]), value))
            elif _atomic(left):
                self.known[left] = value
            else:
                raise Rejected("an equation is used for what is neither an atom nor its square")

    def zero(self, term: Term) -> bool:
        top, _ = self(term)
        for atom, value in self.squares:
            top = self._reduced(top, atom, value)
        return not top

    def __call__(self, term: Term) -> Quotient:
        self.work.spend()
        if not isinstance(term, (str, tuple)):
            return {(): _plain(term)} if term else {}, {}
        if _atomic(term):
            return self.known.get(term) or ({((self._atom(term), 1),): 1}, {})
        match term[0]:
            case "+":
                total = self(term[1])
                for a in term[2:]:
                    total = self._sum(total, self(a))
                return total
            case "-":
                top, under = self(term[1])
                return {m: -c for m, c in top.items()}, under
            case "*":
                product = self(term[1])
                for a in term[2:]:
                    product = self._product(product, self(a))
                return product
            case "^":
                return self._power(self(term[1]), int(term[2]))
            case "/":
                return self._product(self(term[1]), self._inverse(term[2]))
        raise Rejected("a bound letter stands free")

    def _atom(self, term: Term) -> int:
        return self.atoms.setdefault(term, len(self.atoms))

    def _inverse(self, term: Term) -> Quotient:
        """1 / term: the term is a number other than 0, or known not to be 0."""
        top, under = self(term)
        constant = len(top) == 1 and () in top and not under
        if not top or not (constant or self.nonzero(term)):
            raise Rejected("a denominator is not shown to differ from 0")
        over: Polynomial = {(): 1}
        for factor, k in under.items():
            over = self.times(over, self.power(dict(factor), k))
        return self._over(over, top)

    def _over(self, over: Polynomial, top: Polynomial) -> Quotient:
        """over / top, with the coefficient and the atoms that all of top has taken apart."""
        first = Fraction(top[min(top)])
        powers = [dict(m) for m in top]
        common = {a: k for a in powers[0] if (k := min(one.get(a, 0) for one in powers))}
        under: dict[Factor, int] = {((((a, 1),), 1),): k for a, k in common.items()}
        rest: Polynomial = {
            tuple((a, k - common.get(a, 0)) for a, k in m if k > common.get(a, 0)): _plain(
                c / first
            )
            for m, c in top.items()
        }
        if len(rest) > 1:
            under[tuple(sorted(rest.items()))] = 1
        return {m: _plain(c / first) for m, c in over.items()}, under

    def _sum(self, a: Quotient, b: Quotient) -> Quotient:
        (left, below), (right, under) = a, b
        if below != under:
            common = {f: max(below.get(f, 0), under.get(f, 0)) for f in {**below, **under}}
            left, right = self._widened(left, below, common), self._widened(right, under, common)
            below = common
        total = dict(left)
        for m, c in right.items():
            self.work.spend()
            total[m] = total.get(m, 0) + c
            if not total[m]:
                del total[m]
        return total, below

    def _widened(
        self, top: Polynomial, under: dict[Factor, int], common: dict[Factor, int]
    ) -> Polynomial:
        for factor, k in common.items():
            if k > under.get(factor, 0):
                top = self.times(top, self.power(dict(factor), k - under.get(factor, 0)))
        return top

    def _product(self, a: Quotient, b: Quotient) -> Quotient:
        under = dict(a[1])
        for factor, k in b[1].items():
            under[factor] = under.get(factor, 0) + k
        return self.times(a[0], b[0]), under

    def _power(self, a: Quotient, k: int) -> Quotient:
        return self.power(a[0], k), {f: n * k for f, n in a[1].items() if k}

    def power(self, a: Polynomial, k: int) -> Polynomial:
        result: Polynomial = {(): 1}
        for _ in range(k):
            result = self.times(result, a)
        return result

    def times(self, a: Polynomial, b: Polynomial) -> Polynomial:
        if a == {(): 1}:
            return b
        result: Polynomial = {}
        for m, c in a.items():
            for n, d in b.items():
                self.work.spend(1 + len(m) + len(n))
                both = _joined(m, n)
                total = result.get(both, 0) + c * d
                if total:
                    result[both] = total
                    if _long(total):
                        raise Rejected("a number becomes too long")
                else:
                    del result[both]
        return result

    def _reduced(self, top: Polynomial, atom: int, value: Quotient) -> Polynomial:
        """The numerator of the same with value^k for atom^(2k)."""
        by_power: dict[int, Polynomial] = {}
        for m, c in top.items():
            k = dict(m).get(atom, 0)
            rest = tuple((a, n) for a, n in m if a != atom)
            by_power.setdefault(k // 2, {})[_joined(rest, ((atom, k % 2),) if k % 2 else ())] = c
        total: Quotient = {}, {}
        for k, p in by_power.items():
            total = self._sum(total, self._product((p, {}), self._power(value, k)))
        return total[0]


def _atomic(term: Term) -> bool:
    """Letters, and functions at arguments."""
    return isinstance(term, str) or (
        isinstance(term, tuple) and term[0] not in ("+", "*", "-", "/", "^", "#", "=>")
    )


def _plain(value: Coefficient) -> Coefficient:
    return value.numerator if value.denominator == 1 else value


def _long(value: Coefficient) -> bool:
    return (abs(value.numerator) | value.denominator).bit_length() > BITS


def _joined(a: Monomial, b: Monomial) -> Monomial:
    if not a or not b:
        return a or b
    if a[-1][0] < b[0][0]:
        return a + b
    exponents = dict(a)
    for atom, k in b:
        exponents[atom] = exponents.get(atom, 0) + k
    return tuple(sorted(exponents.items()))
