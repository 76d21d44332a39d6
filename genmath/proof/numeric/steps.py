"""Places that are known by their distance from an end, which keeps all its digits: what lies nearer
to it than numbers can tell apart still has a logarithm, or a root, of that distance."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from genmath.proof.numeric.graph import Graph, Scalar

Form = dict[tuple[int, ...], Fraction]  # a polynomial: multiples of products of operations, by id
MOST = 24  # products


class Steps(Graph):
    """A graph that knows distances from ends, and takes those out of a sum that stand in each of
    its terms once it is multiplied out."""

    def __init__(self) -> None:
        # a distance from an end: that from the other end, if there is one, and the first by it
        self._others: dict[int, tuple[int, Form]] = {}
        self._loops: set[int] = set()
        self._atoms: dict[int, Scalar] = {}
        self._forms: dict[int, tuple[Form, list[Scalar]]] = {}
        super().__init__()

    def beyond(self, end: Scalar, step: Scalar) -> Scalar:
        self._loops |= step.loops
        self._others.setdefault(id(step), (0, {}))
        return self.add(end, step)

    def on_the_way(self, low: Scalar, high: Scalar, t: Scalar) -> Scalar:
        """The place from low to high that the sigmoid of t says."""
        width = self.sub(high, low)
        step, back = (self.mul(width, self.fn("sigmoid", u)) for u in (t, self.neg(t)))
        self._loops |= step.loops
        for u in (step, back):
            self._others[id(u)] = (0, {})
            self._forms.pop(id(u), None)
        for here, there in ((step, back), (back, step)):
            form = _total((self._form(width, []), _scaled(self._form(there, []), -1)))
            self._others[id(here)] = (id(there), form)
        return self.add(low, step)

    def add(self, *terms: Scalar) -> Scalar:
        if any(not self._loops.isdisjoint(t.loops) for t in terms):
            asked: list[Scalar] = []
            found = self._by_distance(_total(self._form(t, asked) for t in terms))
            if found is not None:
                for u in dict.fromkeys(asked):
                    found = self.when(found, u)
                return found
        return super().add(*terms)

    def _by_distance(self, form: Form) -> Scalar | None:
        taken: list[int] = []
        for step in [k for k in self._others if any(k in product for product in form)]:
            form = _without(form, step, taken)
            back, other = self._others[step]
            turned = _put(form, step, other) if other else {}
            if any(back in product for product in turned):
                form = _without(turned, back, taken)
        if not taken:
            return None
        rest = (self.mul(self.const(c), *map(self._atoms.__getitem__, k)) for k, c in form.items())
        return self.mul(super().add(*rest), *(self._atoms[k] for k in taken))

    def _form(self, u: Scalar, asked: list[Scalar]) -> Form:
        """Where one of `asked` is undefined, so is u."""
        if id(u) not in self._forms:
            needs: list[Scalar] = []
            self._forms[id(u)] = self._expanded(u, needs), needs
        form, needs = self._forms[id(u)]
        asked += needs
        return form

    def _expanded(self, u: Scalar, asked: list[Scalar]) -> Form:
        found: Form | None = None
        match u.op:
            case _ if id(u) in self._others:
                pass
            case "const":
                return {(): u.data} if u.data else {}
            case "neg":
                found = _scaled(self._form(u.args[0], asked), -1)
            case "add":
                found = _total(self._form(a, asked) for a in u.args)
            case "mul":
                found = _product([self._form(a, asked) for a in u.args])
            case "powi":
                found = _product([self._form(u.args[0], asked)] * u.data)
            case "when":
                asked.append(u.args[1])
                found = self._form(u.args[0], asked)
        if found is not None and len(found) <= MOST:
            return found
        asked[:] = [] if id(u) in self._others else [u]
        self._atoms[id(u)] = u
        return {(id(u),): Fraction(1)}


def _scaled(form: Form, c: int) -> Form:
    return {k: c * v for k, v in form.items()}


def _total(forms: Iterable[Form]) -> Form:
    found: Form = {}
    for form in forms:
        for k, c in form.items():
            found[k] = found.get(k, Fraction(0)) + c
    return {k: c for k, c in found.items() if c}


def _product(forms: list[Form]) -> Form | None:
    found: Form = {(): Fraction(1)}
    for form in forms:
        if len(found) * len(form) > MOST:
            return None
        found = _total(
            {tuple(sorted(j + k)): a * b} for j, a in found.items() for k, b in form.items()
        )
    return found


def _put(form: Form, step: int, other: Form) -> Form:
    found: list[Form] = []
    for product, c in form.items():
        rest = tuple(k for k in product if k != step)
        found.append(_product([{rest: c}, *[other] * (len(product) - len(rest))]) or {product: c})
    return _total(found)


def _without(form: Form, step: int, taken: list[int]) -> Form:
    """What is left when the step is taken out as often as it stands in every product."""
    times = min((product.count(step) for product in form), default=0)
    taken += [step] * times
    for _ in range(times):
        form = {_drop(product, step): c for product, c in form.items()}
    return form


def _drop(product: tuple[int, ...], step: int) -> tuple[int, ...]:
    at = product.index(step)
    return product[:at] + product[at + 1 :]
