"""Signs and bounds, each with its proof: what `Signs` reads off the shape of a term, step by step.

Bounds are kept as facts `low < t`, `t <= high`; a product of gaps that are >= 0 is >= 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import inf

from genmath.proof.certificate import exponentials, said
from genmath.proof.certificate.scope import NoProof, Place, Weighted
from genmath.proof.coq.gaps import Covered
from genmath.proof.coq.linear import meaning
from genmath.proof.coq.monomials import Monomial, Polynomial, expand
from genmath.proof.coq.terms import (
    Condition,
    Term,
    add,
    app,
    denominators,
    div,
    minus,
    mul,
    neg,
    num,
    power,
)
from genmath.proof.kernel.claims import FINITE, LINEAR, Function

ZERO = num(0)
KEEPS = (*LINEAR, *FINITE)


class Bounds:
    def __init__(
        self,
        place: Place,
        prove: Callable[[Place, str, Term], int],
        equations: Callable[[list[Term], Place, int], list[int]],
    ) -> None:
        """`prove`: what shows that the function under an integral is nowhere < 0; `equations`:
        what functions are, as `Writer` shows it."""
        self.place, self.signs = place, place.signs
        self.prove, self.equations = prove, equations

    # --- what the rules ask for

    def positive(self, t: Term) -> int | None:
        """A proof that 0 < t; None where the kernel sees that for itself."""
        if t.op == "num" and t.data > 0:
            return None
        return self._sign("<", t)

    def nonnegative(self, t: Term) -> int | None:
        if t.op == "num" and t.data >= 0:
            return None
        return self._sign("<" if self.signs.positive(t) else "<=", t)

    def nonzero(self, t: Term) -> int | None:
        if t.op == "num":
            return None
        if self.signs.positive(t):
            return self.positive(t)
        found = self.place.number("!=", ZERO, t)
        if found is not None:
            return found
        if (size := self.place.number("<", ZERO, app("Rabs", t))) is not None:
            return self._by_size(t, size)
        r = self.signs(t)
        if r.high < 0 or (r.high == 0 and r.below):
            top = self.above(t)
            if r.high < 0:
                gap = ["1", top], [str(-Fraction(r.high))]
                top = self._combine("<", t, ZERO, list(gap))
            return self._product(t, num(1), [num(-1)], [top])
        match t.op:
            case "app" if (
                self._valued(t) and (found := self.place.number("!=", ZERO, t)) is not None
            ):
                return found
            case "mul" | "neg":
                return self._product(t, num(1), *self._factors(t.args, t.op == "neg"))
            case "pow":
                return self._product(t, num(1), *self._factors(t.args * t.data, False))
            case "div":
                return self._product(t, t.args[1], *self._factors(t.args[:1], False))
        raise NoProof(f"a denominator is not seen to differ from 0: {t}")

    def by_definition(self, t: Term) -> int:
        """What the density of a member of a family is."""
        asked, density = self.signs.law(t) or ((), t)
        for condition in asked:
            self._shown(*condition)
        return self._given(("=", t, density), *t.args)

    def by_gamma(self, t: Term, new: Term) -> int:
        """Γ(1) = 1, or Γ(u + 1) = u Γ(u)."""
        if (known := self.place.number("=", t, new)) is not None:
            return known
        self._shown("<", ZERO, new.args[0])
        return self._given(("=", t, new), new.args[0])

    def _shown(self, sign: str, low: Term, high: Term) -> None:
        """That this relation holds, as it is written."""
        gap = high if low == ZERO else minus(high, low)
        known = self.positive(gap) if sign == "<" else self.nonnegative(gap)
        if self.place.number(sign, low, high) is None:
            terms = [["1", known]] if known is not None else [[str(gap.data)]]
            self._combine(sign, low, high, terms)

    def _given(self, condition: Condition, *values: Term) -> int:
        number = self.place.given(condition, *values)
        if number is None:
            raise NoProof("it is not given of all numbers")
        return number

    def _by_size(self, t: Term, size: int) -> int:
        """t t = |t|^2, where 0 < |t|."""
        self.divisors(t)
        square = self.square_of_size(app("Rabs", t))
        return self.place.add("nonzero", said.of(t), said.of(t), ["1", size, size], [square])

    def square_of_size(self, size: Term) -> int:
        """|u|^2 = |u u| = u u."""
        (u,) = size.args
        whole = app("Rabs", mul(u, u))
        self.divisors(u)
        square = self.place.add("bound", "square", said.of(u))
        self.place.add("combination", ["<=", "0", said.of(mul(u, u))], [["1", square]], [])
        plus = self.place.add("equal", "abs_plus", said.of(whole))
        both = self.place.add("equal", "abs_product", said.of(whole))
        claim = ["=", said.of(power(size, 2)), said.of(whole)]
        squared = self.place.add("identity", claim, [both])
        claim = ["=", said.of(power(size, 2)), said.of(mul(u, u))]
        return self.place.add("identity", claim, [plus, squared])

    def _factors(self, args: tuple[Term, ...], minus: bool) -> tuple[list[Term], list[int]]:
        numbers = [a for a in args if a.op == "num"] + [num(-1)] * minus
        return numbers, [k for a in args if (k := self.nonzero(a)) is not None]

    def _product(self, t: Term, times: Term, numbers: list[Term], facts: list[int]) -> int:
        c = Fraction(1)
        for n in numbers:
            c *= n.data
        self.divisors(t)
        return self.place.add("nonzero", said.of(t), said.of(times), [str(c), *facts], [])

    def divisors(self, *terms: Term) -> None:
        """That no denominator in the arithmetic of a term is 0."""
        for t in terms:
            for d in denominators(t):
                self.nonzero(d)

    def _sign(self, sign: str, t: Term) -> int:
        found = self.place.number(sign, ZERO, t)
        if found is not None:
            return found
        if t.op == "app" and t.data == "exp" and sign == "<":
            return self.place.add("bound", "exp", said.of(t))
        if law := self.signs.law(t):
            above = self.place.add("bound", "exp", said.of(law[1]))
            return self._combine(sign, ZERO, t, [["1", above]], [self.by_definition(t)])
        low = self.signs(t).low
        under = self.below(t)
        if low > 0:
            return self._combine(sign, ZERO, t, [["1", under], [str(low)]])
        if low < 0:
            raise NoProof(f"the sign is not seen: {t}")
        found = self.place.number(sign, ZERO, t)
        return under if found is None else found

    def _combine(
        self, sign: str, a: Term, b: Term, terms: list[Weighted], by: Sequence[int] = ()
    ) -> int:
        self.divisors(a, b)
        return self.place.add("combination", [sign, said.of(a), said.of(b)], terms, [*by])

    # --- bounds

    def below(self, t: Term) -> int:
        """A proof of low < t or low <= t, where `Signs` says that it lies no lower."""
        r = self.signs(t)
        if r.low == -inf:
            raise NoProof(f"no bound is seen: {t}")
        low = num(Fraction(r.low))
        return self._bound(t, low, t, "<" if r.above else "<=", up=False)

    def above(self, t: Term) -> int:
        r = self.signs(t)
        if r.high == inf:
            raise NoProof(f"no bound is seen: {t}")
        return self._bound(t, t, num(Fraction(r.high)), "<" if r.below else "<=", up=True)

    def _bound(self, t: Term, a: Term, b: Term, sign: str, up: bool) -> int:
        found = self.place.number(sign, a, b)
        if found is not None:
            return found
        if sign == "<=" and (found := self.place.number("<", a, b)) is not None:
            return self._combine(sign, a, b, [["1", found]])
        match t.op:
            case "num":
                return self._combine(sign, a, b, [])
            case "var" if t.data == "PI":
                return self.place.add("bound", "pi_below" if up else "pi_above", "PI")
            case "neg":
                inner = self.below(t.args[0]) if up else self.above(t.args[0])
                return self._combine(sign, a, b, [["1", inner]])
            case "add":
                return self._sum(t, a, b, sign, up)
            case "mul" | "div" | "pow":
                return self._of_product(t, a, b, sign, up)
            case "app":
                return self._of_function(t, a, b, sign, up)
        raise NoProof(f"no bound is seen: {t}")

    def _sum(self, t: Term, a: Term, b: Term, sign: str, up: bool) -> int:
        if len(t.args) == 2 and t.args[1].op == "neg":
            x, y = t.args[0], t.args[1].args[0]
            for s in ("<", "<="):
                pair = (x, y) if up else (y, x)
                if (found := self.place.number(s, *pair)) is not None and ZERO in (a, b):
                    return self._combine(sign, a, b, [["1", found]])
        one = self.signs.fraction(t) if not up and a == ZERO else None
        if one and (sign == "<=" or self.signs.positive(one[0])):
            return self._combine(sign, a, b, [["1", self._sign(sign, div(*one))]])
        stated = self.signs.stated(t) if not up and a == ZERO else None
        if stated and (sign == "<=" or self.signs.strict(stated)):
            return self._stated(a, b, sign, *stated)
        apart = not up and a == ZERO and not all(map(self.signs.nonnegative, t.args))
        factors = mul(*(self.signs.factors(t) or (num(-1),))) if apart else num(-1)
        if self.signs.positive(factors) or (sign == "<=" and self.signs.nonnegative(factors)):
            return self._combine(sign, a, b, [["1", self._sign(sign, factors)]])
        mixture = self.signs.mixture(t) if not up and a == ZERO else None
        if mixture and (sign == "<=" or mixture[2]):
            return self._mixture(b, sign, *mixture[:2])
        line = self.signs.line(t) if not up and a == ZERO and sign == "<" else None
        if line and not all(map(self.signs.nonnegative, t.args)):
            return self._line(b, *line)
        if not up and a == ZERO and (size := self.signs.sized(t)):
            return self._sized(a, b, sign, *size)
        if not up and a == ZERO and self.signs.gap and (gap := self.signs.gap(t, self.signs)):
            number, by = self.nonnegative(gap), self.equations([t, gap], self.place, 0)
            return self._combine(sign, a, b, [["1", number]], by)
        parts = [self.above(x) if up else self.below(x) for x in t.args]
        return self._combine(sign, a, b, [["1", k] for k in parts])

    def _mixture(self, t: Term, sign: str, x: Term, parts: list[tuple[int, Term]]) -> int:
        """t = sum of b_i times x^i (1 - x)^(n - i), where 0 < x < 1."""
        low, high, n = self._sign("<", x), self.above(x), len(parts) - 1
        terms: list[Weighted] = []
        for i, (c, b) in enumerate(parts):
            own = self.nonnegative(b)
            weight = Fraction(c) * (b.data if b.op == "num" else 1)
            if weight:
                beside = [low] * i + [high] * (n - i)
                terms.append([str(weight), *([] if own is None else [own]), *beside])
        return self._combine(sign, ZERO, t, terms)

    def _line(self, t: Term, slope: Term, x: Term, constant: Term) -> int:
        """0 < t = slope x + constant."""
        terms: list[Weighted] = []
        for factors in ((slope, x), (constant,)):
            weight, facts = Fraction(1), [self.nonnegative(u) for u in factors]
            for u in factors:
                weight *= u.data if u.op == "num" else 1
            terms.append([str(weight), *(k for k in facts if k is not None)])
        return self._combine("<", ZERO, t, terms)

    def _stated(self, a: Term, b: Term, sign: str, gaps: Covered, rest: Polynomial) -> int:
        terms: list[Weighted] = []
        for c, factors, (low, high, strict) in gaps:
            self.divisors(low, high)
            terms.append([str(c), *self._monomial(factors), self._gap(low, high, strict)])
        terms += [[str(c), *self._monomial(m)] for m, c in rest.items()]
        return self._combine(sign, a, b, terms)

    def _sized(self, a: Term, b: Term, sign: str, c: Fraction, most: Term, u: Term) -> int:
        for t in (add(most, neg(u)), add(most, u)):
            self.nonnegative(t)
        size = said.of(add(most, neg(app("Rabs", u))))
        return self._combine(sign, a, b, [[str(c), self.place.add("bound", "abs_most", size)]])

    def _gap(self, low: Term, high: Term, strict: bool) -> int:
        """A proof that low < high, or low <= high: it is given, or where a function lies."""
        if high.data == "Rabs" and low in (high.args[0], neg(high.args[0])):
            rule = "abs_above" if low == high.args[0] else "abs_below"
            return self.place.add("bound", rule, said.of(high))
        if low.data == high.data == "exp":
            return exponentials.ordered(self, low, high, "<" if strict else "<=")
        known = self.place.number("<" if strict else "<=", low, high)
        p = expand(minus(high, low)) or {} if known is None else {}
        for k, values, (_, one, other) in self.signs.matching(p):
            if (one, other) == (low, high):
                return self.place.add("instance", k, [said.of(t) for t in values])
        if known is None and low.op == "num":
            return self.below(high)
        if known is None and high.op == "num":
            return self.above(low)
        if known is None:
            raise NoProof("a hypothesis is not found")
        return known

    def _monomial(self, m: Monomial) -> list[int]:
        """Facts whose gaps have this product, which is seen to be >= 0."""
        facts: list[int | None] = []
        for t, k in m:
            if k < 0:
                self.positive(t)
                self.nonzero(t)
                facts += [self.place.add("bound", "inverse", said.of(t))] * -k
            elif self.signs.nonnegative(t):
                facts += [self.nonnegative(t)] * k
            else:
                facts += [self.place.add("bound", "square", said.of(t))] * (k // 2)
        return [k for k in facts if k is not None]

    def _of_product(self, t: Term, a: Term, b: Term, sign: str, up: bool) -> int:
        if self.signs(t).low == self.signs(t).high == 0:
            return self._combine(sign, a, b, [])
        left = self._flat(t)
        facts: list[int] = []  # of gaps whose product is t, or -t
        plain: list[Term] = []  # factors that are >= 0 and stand for themselves
        negative = False
        for k, count in [(k, left.count(k)) for k in dict.fromkeys(left)]:
            if self.signs.nonnegative(k):
                plain += [k] * count
            elif self._negative(k):
                negative ^= bool(count % 2)
                facts += [self._upper(k)] * count
            elif count % 2:
                raise NoProof(f"no bound is seen: {t}")
            else:
                facts += [self.place.add("bound", "square", said.of(k))] * (count // 2)
        if not facts and (up or (a != ZERO)):
            return self._telescope(plain, a, b, sign, up)
        if negative != up or ZERO not in (a, b):
            raise NoProof(f"no bound is seen: {t}")
        own, c = [], Fraction(1)
        for k in plain:
            if k.op == "num":
                c *= k.data
            else:
                own.append(self._sign("<" if self.signs.positive(k) else "<=", k))
        return self._combine(sign, a, b, [[str(c), *own, *facts]])

    def _negative(self, t: Term) -> bool:
        return self.signs(t).high <= 0

    def _upper(self, t: Term) -> int:
        """A proof that t < 0, or t <= 0."""
        r = self.signs(t)
        top = self.above(t)
        if r.high == 0:
            return top
        return self._combine("<", t, ZERO, [["1", top], [str(-Fraction(r.high))]])

    def _flat(self, t: Term) -> list[Term]:
        """Factors; 1/u for a division by u. What something is known of is not taken apart."""
        if t in self.signs.known:
            return [t]
        match t.op:
            case "mul":
                return [f for a in t.args for f in self._flat(a)]
            case "pow":
                return self._flat(t.args[0]) * int(t.data)
            case "div":
                under = [self._inverse(f) for f in self._flat(t.args[1])]
                return [*self._flat(t.args[0]), *under]
        return [t]

    def _inverse(self, t: Term) -> Term:
        if t.op == "num":
            return num(1 / t.data) if t.data else t
        if t.op == "div" and t.args[0] == num(1):
            return t.args[1]
        inverse = div(num(1), t)
        if self.signs.positive(t):
            self.positive(t)
            self.place.add("bound", "inverse", said.of(t))
        elif self.signs.positive(neg(t)):
            self.positive(neg(t))
            self.nonzero(t)
            over = self.place.add("bound", "inverse", said.of(neg(t)))
            self.nonzero(neg(t))
            self._combine("<", inverse, ZERO, [["1", over]])
        return inverse

    def _telescope(self, factors: list[Term], a: Term, b: Term, sign: str, up: bool) -> int:
        """u v - l k = (u - l)(v - k) + l (v - k) + k (u - l) for lower bounds l and k >= 0;
        h i - u v = u (i - v) + i (h - u) for upper ones."""
        terms: list[Weighted] = []
        if up:
            highs = [Fraction(self.signs(f).high) for f in factors]
            for i, f in enumerate(factors):
                c = Fraction(1)
                for h in highs[i + 1 :]:
                    c *= h
                before = [k for g in factors[:i] if (k := self.nonnegative(g)) is not None]
                for g in factors[:i]:
                    c *= g.data if g.op == "num" else 1
                if f.op != "num":
                    terms.append([str(c), *before, self.above(f)])
            return self._combine(sign, a, b, terms)
        lows = [Fraction(self.signs(f).low) for f in factors]
        for chosen in itertools.product((False, True), repeat=len(factors)):
            c = Fraction(1)
            for one, low in zip(chosen, lows, strict=True):
                c *= 1 if one else low
            gaps = [self.below(f) for f, one in zip(factors, chosen, strict=True) if one]
            if gaps and c:
                terms.append([str(c), *gaps])
        return self._combine(sign, a, b, terms)

    def _valued(self, t: Term) -> Function | None:
        """What is declared of a function, with the facts of where its value lies."""
        declared = self.place.scope.functions.get(t.data)
        for k in range(len(declared.values) if declared else 0):
            self.place.add("value", said.of(t), k)
        return declared

    def _of_function(self, t: Term, a: Term, b: Term, sign: str, up: bool) -> int:
        zero = ZERO in (a, b)
        match t.data:
            case "Rabs" if not up and zero and sign == "<":
                self.nonzero(t.args[0])
                return self.place.add("bound", "abs_nonzero", said.of(t))
            case "exp" if up:
                return exponentials.below(self, t, sign)
            case "exp" if not zero:
                return exponentials.above(self, t, a, sign)
            case "ln" if not up and zero:
                return exponentials.logarithm(self, t, sign)
            case "exp" | "Rabs" if not up and zero:
                return self.place.add("bound", "exp" if t.data == "exp" else "abs", said.of(t))
            case "sqrt" if not up and zero:
                self.nonnegative(t.args[0])
                return self.place.add("bound", "sqrt", said.of(t))
            case "log_gap" if not up and zero:
                self.positive(t.args[0])
                return self.place.add("bound", "log_gap", said.of(t))
            case "normal" if not up and zero:
                self.positive(t.args[2])
                return self.place.add("bound", "normal", said.of(t))
            case "power" if not up and zero:
                return self.prove(self.place, sign, t)
        if t.data == self.signs.indicator:
            return self._indicator(t, a, b, sign, up)
        if (head := self.signs.heads.get(t.data)) and head.gamma and not up and zero:
            self._shown("<", ZERO, t.args[0])
            return self._given(("<", ZERO, t), *t.args)
        declared = self._valued(t)
        found = self.place.number(sign, a, b)
        if found is None and declared and declared.kind in KEEPS and zero and not up:
            return self.prove(self.place, sign, t)
        if found is None and declared and declared.kind in ("KL", "JS") and zero and not up:
            return self.place.add("bound", "divergence", said.of(t))
        if found is None and declared and declared.kind == "TV" and zero and not up:
            return self._variation(t, a, b, sign)
        if found is None and sign == "<" and self.signs.supports and a == ZERO:
            return self.place.add("bound", "support", said.of(t))
        if found is None:
            raise NoProof(f"no bound is seen: {t}")
        return found

    def _indicator(self, t: Term, a: Term, b: Term, sign: str, up: bool) -> int:
        """t = t^2, and 1 - t = (1 - t)^2."""
        root = add(num(1), neg(t)) if up else t
        square = self.place.add("bound", "square", said.of(root))
        return self._combine(
            sign, a, b, [["1", square]], [self.place.add("bound", "bit", said.of(t))]
        )

    def _variation(self, t: Term, a: Term, b: Term, sign: str) -> int:
        """Half the integral of what is >= 0."""
        whole = meaning(t, self.signs.heads[t.data])
        means = self.place.add("equal", "meaning", said.of(t))
        half = self.prove(self.place, "<=", whole.args[0])
        return self._combine(sign, a, b, [["1/2", half]], [means])
