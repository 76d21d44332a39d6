"""Proofs: a list of steps, each a fact that a rule gives from facts before it.

    ["identity", fact, by]              both sides are one rational function, using equations `by`
    ["combination", fact, terms, by]    the gap is a sum of terms [c, facts...]: c times their gaps
    ["nonzero", t, u, [c, facts...], by]    t u is c times gaps that are not 0
    ["same", a, b, items]               equal arguments give equal values; an item an argument:
                                        null, the number of an equation, or [letters, steps]
    ["equal", rule, t]                  t = ..., by a rule for the function
    ["bound", rule, t]                  where t, its square or its inverse lies
    ["value", t, k]                     what is declared of the values of the function
    ["keeps", sign, t, letters, steps]  an integral, expectation or sum of what is >= 0 is >= 0
    ["iterated", a, b, order, letters, steps]    products of integrals, by what stands under them
    ["induction", fact, a, b, steps, letters, steps]    of b: it is so of the number a, and of k + 1
                                        if of k
    ["logs", t, letters, steps]         a product of what is > 0, by the sum of the logarithms
    ["primitive", t, F, letter, steps]  an integral with limits, by F, whose slope is its integrand
    ["moved", t, other, a, s]           an integral over the line, with a + s y for its letter
    ["mapped", t, other, g, h]          with g(y) for its letter, where g and h undo one another
    ["ln_inject", a, b]                 a = b where ln a = ln b, a > 0 and b > 0
    ["instance", k, terms]              what is given of all numbers, of these
    ["result", k]                       an earlier result that the claim names

Facts are numbered: those that are given, then those of the steps. A proof within a proof, under a
binder, sees what is outside; outside sees of it what it was made for, and nothing else.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from genmath.proof.kernel import laws, rules, slopes
from genmath.proof.kernel.algebra import Algebra
from genmath.proof.kernel.claims import LINEAR, Claim, listed, name
from genmath.proof.kernel.limits import GROWN, NESTED, STEPS, Rejected, Work, sized
from genmath.proof.kernel.terms import DERIVATIVE, ONE, ZERO, Fact, Reader, Term, at, opened, parts


class Scope:
    """What is known at a place of a proof."""

    def __init__(self, claim: Claim, read: Reader, work: Work) -> None:
        self.claim, self.read, self.work, self.functions = claim, read, work, claim.functions
        self.facts: list[Fact] = list(claim.given)
        self.known: set[Fact] = set(claim.given)
        self.counts = claim.whole
        self.supposed: set[str] = set()
        self.depth = 0

    def beneath(self, letters: list[str], facts: list[Fact]) -> Scope:
        """The same, with letters that are new, and what is known of them."""
        read = Reader(self.read.letters.union(letters), self.read.functions)
        inner = Scope(self.claim, read, self.work)
        inner.facts, inner.known = self.facts + facts, self.known.union(facts)
        inner.supposed, inner.depth, inner.counts = self.supposed, self.depth + 1, self.counts
        return inner

    # --- what the rules ask

    def positive(self, term: Term) -> bool:
        return term > 0 if type(term) is Fraction else ("<", ZERO, term) in self.known

    def nonnegative(self, term: Term) -> bool:
        if type(term) is Fraction:
            return term >= 0
        return ("<=", ZERO, term) in self.known or self.positive(term)

    def nonzero(self, term: Term) -> bool:
        if type(term) is Fraction:
            return term != 0
        return ("!=", ZERO, term) in self.known or self.positive(term)

    def whole(self, term: Term) -> bool:
        """Of whole numbers, sums, differences and products are whole numbers."""
        if isinstance(term, Fraction):
            return term.denominator == 1
        if isinstance(term, str):
            return term in self.counts
        return term[0] in ("+", "-", "*", "^") and all(map(self.whole, parts(term)))

    def suppose(self, law: str) -> None:
        self.supposed.add(law)

    # --- steps

    def step(self, said: Any) -> Fact:
        """The fact that a step gives; it is known from then on."""
        self.work.spend(10)
        rule, *rest = listed(said) or [None]
        if not isinstance(rule, str) or ARGUMENTS.get(rule) != len(rest):
            raise Rejected("no such step")
        fact: Fact = getattr(self, "_" + rule)(*rest)
        if rule in GROWING:
            for side in fact[1:]:
                self.work.spend(sized(side, Work(GROWN)))
        self.facts.append(fact)
        self.known.add(fact)
        return fact

    def fact(self, k: Any) -> Fact:
        if type(k) is not int or not 0 <= k < len(self.facts):
            raise Rejected("no fact of that number")
        return self.facts[k]

    def _algebra(self, by: Any) -> Algebra:
        return Algebra(self.nonzero, [self.fact(k) for k in listed(by, STEPS)], self.work)

    def _identity(self, said: Any, by: Any) -> Fact:
        sign, left, right = fact = self.read.fact(said)
        if sign != "=" or not self._algebra(by).zero(_gap(left, right)):
            raise Rejected("an identity does not hold")
        return fact

    def _combination(self, said: Any, terms: Any, by: Any) -> Fact:
        """The gap is a sum of c times products of gaps, each c >= 0; > 0 if in one of them c and
        all of its gaps are. That of an equation: of any multiples of gaps of equations."""
        sign, left, right = fact = self.read.fact(said)
        rest, strict = [ZERO, _gap(left, right)], False
        for one in listed(terms):
            c, factors = self._product(one, ("=",) if sign == "=" else ("<", "<="))
            if not factors if sign == "=" else c < 0:
                raise Rejected("a combination has a weight < 0, or a multiple of nothing")
            strict = strict or (sign == "<" and c > 0 and all(s == "<" for s, _, _ in factors))
            rest.append(("*", c, ONE, *(_gap(b, a) for _, a, b in factors)))
        if sign == "!=" or (sign == "<" and not strict):
            raise Rejected("a combination does not show this relation")
        if not self._algebra(by).zero(("+", *rest)):
            raise Rejected("a combination is not the gap")
        return fact

    def _product(self, said: Any, signs: tuple[str, ...]) -> tuple[Any, list[Fact]]:
        c, *numbers = listed(said) or ["no number"]
        weight, factors = self.read(c), [self.fact(k) for k in numbers]
        number = isinstance(weight, Fraction) or signs == ("=",)
        if not number or any(s not in signs for s, _, _ in factors):
            raise Rejected(f"no product of a number and facts of {' or '.join(signs)}")
        return weight, factors

    def _nonzero(self, said: Any, times: Any, product: Any, by: Any) -> Fact:
        """If t u = c v w where c, v and w are not 0, then t is not 0."""
        term = self.read(said)
        c, factors = self._product(product, ("<", "!="))
        whole = ("*", c, ONE, *(_gap(b, a) for _, a, b in factors))
        if c == 0 or not self._algebra(by).zero(_gap(("*", term, self.read(times)), whole)):
            raise Rejected("it is not shown to differ from 0")
        return "!=", ZERO, term

    def _equal(self, rule: Any, said: Any) -> Fact:
        term = self.read(said)
        if rule == "slope":
            return "=", term, slopes.equal(term, self)
        for table in (rules, laws):
            if isinstance(rule, str) and rule in table.ROWS:
                return "=", term, table.equal(rule, term, self)
        raise Rejected("no such rule")

    def _bound(self, rule: Any, said: Any) -> Fact:
        return rules.bound(rule, self.read(said), self)

    def _value(self, said: Any, k: Any) -> Fact:
        return rules.value(self.read(said), k, self)

    def _ln_inject(self, one: Any, other: Any) -> Fact:
        a, b = self.read(one), self.read(other)
        equal = ("=", ("ln", a), ("ln", b)) in self.known
        if not (equal and self.positive(a) and self.positive(b)):
            raise Rejected("logarithms are not shown to be equal, or of what is > 0")
        return "=", a, b

    def _instance(self, k: Any, said: Any) -> Fact:
        if type(k) is not int or not 0 <= k < len(self.claim.always):
            raise Rejected("no statement of that number")
        m, premises, fact = self.claim.always[k]
        values = [self.read(t) for t in listed(said)]
        if len(values) != m or not all(at(p, values) in self.known for p in premises):
            raise Rejected("it is not given of these numbers")
        return at(fact, values)

    def _result(self, k: Any) -> Fact:
        if type(k) is not int or not 0 <= k < len(self.claim.results):
            raise Rejected("no result of that number")
        called, fact = self.claim.results[k]
        self.suppose(f"the result {called}")
        return fact

    # --- under binders

    def _same(self, one: Any, other: Any, items: Any) -> Fact:
        """Numbers that are equal; functions that are equal wherever the function looks at them. An
        expectation looks at its integrand only where its densities are > 0."""
        a: Any = self.read(one)
        b: Any = self.read(other)
        takes = self.read.functions.get(a[0]) if isinstance(a, tuple) else None
        if not isinstance(a, tuple) or not isinstance(b, tuple) or a[0] != b[0]:
            raise Rejected("values of two functions")
        if takes is None or len(listed(items)) != len(takes):
            raise Rejected("a function has other arguments")
        pairs: Any = zip(parts(a), parts(b), takes, items, strict=True)
        for i, (x, y, m, item) in enumerate(pairs):
            if item is None and x == y:
                continue
            if not m and self.fact(item) != ("=", x, y):
                raise Rejected("an argument is not shown to be equal")
            if m:
                inner, letters, steps = self.under(a, i, item)
                inner.proves(("=", opened(x[2], letters), opened(y[2], letters)), steps)
        return "=", a, b

    def looks(self, term: tuple[Any, ...], i: int) -> list[Fact]:
        """Where a function looks at its i-th argument, in the letters bound there."""
        declared = self.functions.get(term[0])
        if declared is None:
            return []
        if declared.steps:
            return [("<=", term[2], ("#", 0)), ("<=", ("#", 0), term[3])]
        weights = term[2:] if declared.kind == "expectation" and i == 0 else ()
        return [*declared.ranges, *(("<", ZERO, w[2]) for w in weights)]

    def under(self, term: Any, i: int, item: Any, *more: Fact) -> tuple[Scope, list[str], Any]:
        """Where a function looks at its i-th argument, and where more is known."""
        declared = self.functions.get(term[0])
        inner, letters, steps = self.inside(item, term[i + 1][1], [*self.looks(term, i), *more])
        if declared and declared.steps and self.whole(term[2]):
            inner.counts |= {*letters}
        return inner, letters, steps

    def limits(self, term: Any, sign: str = "<=") -> list[Fact]:
        """Where an integral with limits looks, if the first is known to be less, or no larger."""
        ends, x = term[2:], ("#", 0)
        if {("<", *ends), (sign, *ends)}.isdisjoint(self.known):
            return []
        return [("<=", ends[0], x), ("<=", x, ends[1])]

    def everywhere(self, sign: str, term: Any, item: Any, *more: Fact) -> None:
        """What stands in a function is >= 0, or > 0, wherever this looks at it."""
        inner, letters, steps = self.under(term, 0, item, *more)
        inner.proves((sign, ZERO, opened(term[1][2], letters)), steps)

    def inside(self, item: Any, m: int, where: list[Fact]) -> tuple[Scope, list[str], Any]:
        """Under a binder: letters that are new, of which only `where` is known."""
        self.work.spend(len(self.facts))
        if self.depth >= NESTED or len(listed(item)) != 2:
            raise Rejected("no proof for a function, or one nested too deeply")
        letters = [name(n) for n in listed(item[0])]
        new = {*letters}
        taken = self.read.letters | self.read.functions.keys()
        if len(letters) != m or len(new) != m or new & taken:
            raise Rejected("bound letters need names that are new")
        return self.beneath(letters, [at(f, letters) for f in where]), letters, item[1]

    def proves(self, goal: Fact, steps: Any) -> Fact:
        for one in listed(steps, STEPS):
            self.step(one)
        if goal not in self.known:
            raise Rejected("a proof does not end in what it is for")
        return goal

    def _iterated(self, one: Any, other: Any, order: Any, letters: Any, steps: Any) -> Fact:
        """Products of integrals and sums are equal if they are over the same letters, in whatever
        order, and what stands under all of them is equal. `order`: which of the letters the second
        is over."""
        a, b, names = self.read(one), self.read(other), [name(n) for n in listed(letters)]
        if any(type(k) is not int for k in listed(order)) or sorted(order) != [*range(len(names))]:
            raise Rejected("iterated: it is no order of the letters")
        over: list[tuple[str, str]] = []
        over_too: list[tuple[str, str]] = []
        left = laws.product(self, a, iter(names), over)
        right = laws.product(self, b, iter([names[k] for k in order]), over_too)
        if len(over) != len(names) or {*over} != {*over_too}:
            raise Rejected("iterated: the integrals are not the same")
        where = [at(f, [x]) for measure, x in over for f in self.functions[measure].ranges]
        inner, _, proof = self.inside([names, steps], len(names), where)
        inner.proves(("=", left, right), proof)
        if any(self.functions[measure].kind != "sum" for measure, _ in over):
            self.suppose("integrals exist, and may be taken in any order")
        return "=", a, b

    def _keeps(self, sign: Any, said: Any, letters: Any, steps: Any) -> Fact:
        """What is nowhere < 0 has no integral, expectation or sum < 0; with limits, if they are in
        order. What is > 0 everywhere has one > 0, if it is over anything at all."""
        term: Any = self.read(said)
        declared = self.functions.get(term[0]) if isinstance(term, tuple) else None
        if declared is None or declared.kind not in LINEAR or declared.kind == "endless":
            raise Rejected("it is not declared to keep signs")
        if sign not in ("<", "<="):
            raise Rejected("no sign to keep")
        between = declared.kind == "between"
        where = self.limits(term, sign) if between else []
        if between and not where:
            raise Rejected("its limits are not known to be in order")
        self.everywhere(sign, term, [letters, steps], *where)
        if sign == "<" and declared.steps and not self.nonnegative(_gap(term[3], term[2])):
            raise Rejected("it is not shown to be over anything")
        if sign == "<" and not declared.steps:
            self.suppose(f"{term[0]} is over more than nothing")
        if declared.kind != "sum":
            self.suppose(f"{term[0]} keeps signs")
        return sign, ZERO, term

    def _primitive(self, said: Any, of: Any, letters: Any, steps: Any) -> Fact:
        """The integral from a to b of f is F(b) - F(a), where F has the slope f at every x from a
        to b: at every x, unless a <= b. The slope of smooth functions is continuous."""
        term: Any = self.read(said)
        declared = self.functions.get(term[0]) if isinstance(term, tuple) else None
        if declared is None or declared.kind != "between" or declared.ranges:
            raise Rejected("primitive: it is no integral from one number to another")
        whole = self.read(of, 1)
        inner, opening, proof = self.inside([letters, steps], 1, self.limits(term))
        slope = (DERIVATIVE, ("=>", 1, whole), *opening)
        inner.proves(("=", slope, opened(term[1][2], opening)), proof)
        if not slopes.smooth(slopes.equal(slope, inner), self.functions):
            self.suppose(f"what stands under {term[0]} is integrable")
        return "=", term, ("+", opened(whole, [term[3]]), ("-", opened(whole, [term[2]])))

    def _moved(self, said: Any, other: Any, shift: Any, factor: Any) -> Fact:
        """Over the line, the integral of f(x) is that of s f(a + s y), where s > 0."""
        a, s = self.read(shift), self.read(factor)
        return self._replaced(said, other, ("+", a, ("*", s, slopes.PLACE)), s, self.positive(s))

    def _mapped(self, said: Any, other: Any, one: Any, back: Any) -> Fact:
        """Over the line, the integral of f(x) is that of |g'(y)| f(g(y)), where g is smooth, and g
        and h undo one another everywhere."""
        g, h, x = name(one), name(back), ("#", 0)
        undone = {(1, (), ("=", (p, (q, x)), x)) for p, q in ((g, h), (h, g))}
        declared = self.functions.get(g)
        slope = declared.slope if declared and declared.smooth else ""
        fits = slope != "" and undone <= {*self.claim.always}
        return self._replaced(said, other, (g, slopes.PLACE), ("abs", (slope, x)), fits)

    def _replaced(self, said: Any, other: Any, at: Term, scale: Term, fits: bool) -> Fact:
        """An integral over the line, with another for its letter."""
        term: Any = self.read(said)
        names = term[0] if isinstance(term, tuple) else "", other
        declared = [self.functions.get(n) if isinstance(n, str) else None for n in names]
        if not all(f and f.line for f in declared) or not fits:
            raise Rejected("they are no integrals over the line, or it is not mapped onto itself")
        body = slopes.abstracted(opened(term[1][2], [at]))
        self.suppose("integrals over the line exist, and may be substituted in")
        return "=", term, (other, ("=>", 1, ("*", scale, body)))

    def _logs(self, said: Any, letters: Any, steps: Any) -> Fact:
        """A finite product of what is > 0 is the exponential of the sum of the logarithms."""
        term: Any = self.read(said)
        declared = self.functions.get(term[0]) if isinstance(term, tuple) else None
        if declared is None or declared.kind != "product":
            raise Rejected("logs: it is no product")
        self.everywhere("<", term, [letters, steps])
        logs = ("=>", term[1][1], ("ln", term[1][2]))
        return "=", term, ("exp", (declared.by, logs, *term[2:]))

    def _induction(self, said: Any, one: Any, to: Any, start: Any, new: Any, steps: Any) -> Fact:
        """What is so of a whole number, and of k + 1 if it is of k, a whole number from there on,
        is so of all whole numbers from there on."""
        fact, a, b = self.read.fact(said, 1), self.read(one), self.read(to)
        whole = isinstance(a, Fraction) and self.whole(a) and self.whole(b)
        if not (whole and self.nonnegative(_gap(b, a))):
            raise Rejected("induction: they are not shown to be whole numbers, one the least")
        first, _, _ = self.inside([[], []], 0, [])
        first.proves(at(fact, [a]), start)
        inner, (k,), proof = self.inside([new, steps], 1, [("<=", a, ("#", 0)), fact])
        inner.counts |= {k}
        inner.proves(at(fact, [("+", k, ONE)]), proof)
        return at(fact, [b])


ARGUMENTS = {
    "identity": 2, "combination": 3, "nonzero": 4, "same": 3, "equal": 2, "bound": 2, "value": 2,
    "keeps": 4, "iterated": 5, "primitive": 4, "moved": 4, "ln_inject": 2, "result": 1,
    "instance": 2, "logs": 3, "induction": 6, "mapped": 4,
}  # fmt: skip
# These steps say their terms themselves.
GROWING = ARGUMENTS.keys() - {"identity", "combination", "nonzero", "same", "keeps", "iterated"}


def _gap(a: Term, b: Term) -> Term:
    return ("+", a, ("-", b))


def proven(claim: Claim, steps: Any, work: Work) -> list[str]:
    """What a proof supposes beyond the claim; `Rejected` if it proves something else."""
    scope = Scope(claim, claim.read, work)
    scope.proves(claim.states, steps)
    return sorted(scope.supposed)
