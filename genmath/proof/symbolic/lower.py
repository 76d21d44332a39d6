"""From the display tree to the symbolic half: what each node means, and what it needs to exist."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import sympy as sp

from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Fn,
    Identity,
    Indexed,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    NotationError,
    Number,
    Pi,
    Pow,
    Symbol,
    event_variables,
    free_symbols,
)
from genmath.proof.symbolic.algebra import (
    abs_of,
    big_product,
    big_sum,
    exp_of,
    irreducible_factors,
    is_nonnegative,
    is_positive,
    log_of,
    power_of,
    sign_of,
    substitute,
)
from genmath.proof.symbolic.atoms import (
    OUT,
    AbsAtom,
    Atom,
    BigProduct,
    BigSum,
    Int,
    Member,
    Recip,
    Rho,
    Sign,
    Unknown,
)
from genmath.proof.symbolic.integrals import bell, differentiate, fresh, integrate
from genmath.proof.symbolic.polynomials import HALF, canon, expand
from genmath.proof.symbolic.supports import NOT_ZERO, Need, Rules, Unsupported, supports
from genmath.proof.symbolic.zero import may_be_identically_zero

Env = dict[Symbol, Any]
Weights = tuple[Any, ...]


_MEMORY: dict[tuple[Node, int, bool], tuple[Any, Rules, dict[str, Any]]] = {}
MEANING: dict[Any, Any] = {}  # what the letters of definitions stand for


class Lowering:
    """Lowers trees for one dimension d of vectors; `rules` collects what the proof relies on.

    `weights` are the densities under whose integral an expression stands: they are > 0 wherever
    the expression matters.
    """

    def __init__(self, rules: Rules, dimension: int, letters: bool = False) -> None:
        """`letters`: a definition by `define` becomes a letter of its own, see `resolve`."""
        self.rules, self.d, self.letters = rules, dimension, letters
        self.known: dict[str, Any] = {}

    def __call__(self, node: Node) -> Any:
        value = self.lower(node, {}, (), False)
        self.look_at_slopes()
        return value

    def look_at_slopes(self) -> None:
        """What integrals divided by must not be 0 either."""
        while self.rules.slopes:
            self.require_nonzero(self.rules.slopes.pop())

    def lower(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        """`exact`: inside a logarithm or an arbitrary function, where quotients are quotients and
        every denominator has to be > 0; elsewhere 1/f of a density stays `Recip(f)`."""
        if not env and not w and not exact and node.args:
            return self.remembered(node)
        value = getattr(self, "_" + type(node).__name__)(node, env, w, exact)
        if value.has(sp.zoo, sp.nan, sp.oo):
            raise Unsupported("division by zero")
        return value

    def remembered(self, node: Node) -> Any:
        """Closed parts of a claim come again in its mutants and in the next step."""
        key = (node, self.d, self.letters)
        if key not in _MEMORY:
            inner = Lowering(Rules(), self.d, self.letters)
            value = getattr(inner, "_" + type(node).__name__)(node, {}, (), False)
            if len(_MEMORY) > 4000:
                _MEMORY.clear()
            _MEMORY[key] = (value, inner.rules, inner.known)
        value, rules, known = _MEMORY[key]
        self.rules.absorb(rules)
        for name, owner in known.items():
            self.register(name, owner)
        return value

    def scalar(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        value = self.lower(node, env, w, exact)
        if isinstance(value, sp.MatrixBase):
            raise NotationError(f"{node!r} is a vector or matrix where a number is expected")
        return value

    # --- leaves

    def _Number(self, node: Number, env: Env, w: Weights, exact: bool) -> Any:
        return sp.Rational(node.value.numerator, node.value.denominator)

    def _Pi(self, node: Pi, env: Env, w: Weights, exact: bool) -> Any:
        return sp.pi

    def _Identity(self, node: Identity, env: Env, w: Weights, exact: bool) -> Any:
        return sp.eye(self.d)

    def _Named(self, node: Named, env: Env, w: Weights, exact: bool) -> Any:
        self.register(node.name, node.body)
        if self.letters and not free_symbols(node.body) & env.keys():
            whole = Lowering(self.rules, self.d)
            value = whole.lower(node.body, {}, (), False)
            for name, owner in whole.known.items():
                self.register(name, owner)
            if isinstance(value, sp.MatrixBase):
                if value.shape[1] == 1 and not value.has(Atom):
                    return value.applyfunc(lambda v: definition_letter(node.name, v))
            elif not value.has(Rho, Int, Recip, Unknown):
                return definition_letter(node.name, value)
        return self.lower(node.body, env, w, exact)

    def _Symbol(self, node: Symbol, env: Env, w: Weights, exact: bool) -> Any:
        if node in env:
            return env[node]
        self.register(node.name, node)
        if node.shape == "vector":
            return sp.ImmutableMatrix(
                [sp.Symbol(f"{node.name}[{i}]", real=True) for i in range(self.d)]
            )
        if node.shape == "covariance":
            root = self.root(node)
            return sp.ImmutableMatrix(root * root.T)
        return parameter(node)[1]

    def assigned(self, letter: Symbol, actual: Node) -> dict[Any, Any]:
        """What the sympy letters of a parameter become when an expression is put for it."""
        if letter.shape == "covariance":
            assert isinstance(actual, Symbol)
            return dict(zip(self.root(letter), self.root(actual), strict=True))
        value = self(actual)
        if letter.shape == "vector":
            return dict(zip(Lowering(Rules(), self.d)(letter), value, strict=True))
        inner = {"unit": value / (1 - value), "at_least_one": value - 1}
        return {parameter(letter)[0]: inner.get(letter.domain, value)}

    def root(self, node: Symbol) -> Any:
        """The Cholesky factor of a covariance letter."""
        return sp.ImmutableMatrix(
            self.d, self.d,
            lambda i, j: sp.S.Zero if j > i
            else sp.Symbol(f"{node.name}[{i},{j}]", real=True, positive=True if i == j else None),
        )  # fmt: skip

    def register(self, name: str, owner: Any) -> None:
        if self.known.setdefault(name, owner) != owner:
            raise NotationError(f"{name} is declared twice, with different meanings")

    def _Indexed(self, node: Indexed, env: Env, w: Weights, exact: bool) -> Any:
        self.register(node.name + "[]", node.domain)
        index = canon(self.scalar(node.index, env, w, exact))
        if not index.is_integer:
            raise NotationError(f"{node!r}: the index is not a whole number")
        tag = {"real": "~", "nonnegative": "0", "at_least_one": "0", "positive": "+", "unit": "+"}
        if node.domain not in tag:
            raise Unsupported(f"a sequence of domain {node.domain}")
        member = Member(sp.Symbol(node.name + tag[node.domain]), index)
        if node.domain == "unit":
            return member / (1 + member)
        return 1 + member if node.domain == "at_least_one" else member

    # --- algebra

    def _Add(self, node: Add, env: Env, w: Weights, exact: bool) -> Any:
        values = [self.lower(a, env, w, exact) for a in node.args]
        shapes = {v.shape if isinstance(v, sp.MatrixBase) else () for v in values}
        if len(shapes) > 1:
            raise NotationError(f"{node!r} adds quantities of different shapes")
        total = values[0]
        for v in values[1:]:
            total = total + v
        return total

    def _Neg(self, node: Neg, env: Env, w: Weights, exact: bool) -> Any:
        return -self.lower(node.args[0], env, w, exact)

    def _Mul(self, node: Mul, env: Env, w: Weights, exact: bool) -> Any:
        # a product is 0 where one of its densities is, whatever the other factors are there
        here: list[list[Any]] = [[] for _ in node.args]
        if len(node.args) > 1:
            for i, a in enumerate(node.args):
                for f in self.density_factors(a, env, w):
                    if not (f.givens and not f.density.given_slots):
                        here[i].append(self.lower(f, env, w, True))
            for i, a in enumerate(node.args):
                others = tuple(f for j, fs in enumerate(here) if j != i for f in fs)
                for f in self.density_factors(a, env, w):
                    if f.givens and not f.density.given_slots:
                        here[i].append(self.lower(f, env, w if exact else w + others, True))
        result: Any = None
        for i, a in enumerate(node.args):
            others = tuple(f for j, fs in enumerate(here) if j != i for f in fs)
            value = self.lower(a, env, w if exact else w + others, exact)
            if result is None:
                result = value
            elif isinstance(result, sp.MatrixBase) and isinstance(value, sp.MatrixBase):
                if result.shape[1] != value.shape[0] or result.shape[1] == 1 < self.d:
                    raise NotationError(
                        f"{node!r}: shapes do not fit; use dot() or norm2() for vectors"
                    )
                if result.shape[1] == 1 and value.shape[1] == 1 and self._two_vectors(node):
                    raise NotationError(f"{node!r}: a product of vectors; use dot() or norm2()")
                result = result * value
            else:
                result = result * value
        return result

    def density_factors(self, node: Node, env: Env, w: Weights) -> list[Dens]:
        """The densities a product or quotient is a multiple of: it is 0 where one of them is."""
        if isinstance(node, Dens):
            return [node]
        if isinstance(node, Mul):
            return [f for a in node.args for f in self.density_factors(a, env, w)]
        if isinstance(node, (Named, Neg)):
            return self.density_factors(node.args[0], env, w)
        if isinstance(node, Div):
            under = self.scalar(node.args[1], env, w, False)
            if all(self.positive(b, w) or b.is_Number for b, _ in irreducible_factors(under)):
                return self.density_factors(node.args[0], env, w)
        return []

    @staticmethod
    def _two_vectors(node: Mul) -> bool:
        return sum(isinstance(a, Symbol) and a.shape == "vector" for a in node.args) > 1

    def _Div(self, node: Div, env: Env, w: Weights, exact: bool) -> Any:
        under = self.scalar(node.args[1], env, w, exact)
        over = self.lower(node.args[0], env, w, exact)
        return over * self.inverse(under, w, exact)

    def inverse(self, under: Any, w: Weights, exact: bool) -> Any:
        if exact:
            self.require(under, w, "a denominator")
            return 1 / under
        if not under.has(Rho, Int):
            self.require_nonzero(under)
            # 1 - sigmoid(u) is 1/(1 + e^u): as one fraction, before e^u meets other exponentials
            return 1 / (canon(under) if under.has(sp.exp) else under)
        self.require(under, w, "a denominator")
        result = sp.S.One
        for base, k in irreducible_factors(under):
            if k.is_positive and base.has(Rho, Int) and not self.positive(base, ()):
                result *= Recip(base) ** k
            else:
                result *= base**-k
        return result

    def _Pow(self, node: Pow, env: Env, w: Weights, exact: bool) -> Any:
        base = self.scalar(node.args[0], env, w, exact)
        k = self.scalar(node.args[1], env, w, exact)
        if k.is_Number and abs(k) > 1000:
            raise Unsupported(f"a power of {k}")
        if k.is_Integer and k < 0:
            return self.inverse(base ** (-k), w, exact)
        if k.is_Integer:
            return base**k
        if not k.is_Rational or k < 0:
            self.require(base, w, "the base of a power")
        else:
            self.require_nonnegative(base)
        if k.is_negative:
            return self.inverse(power_of(base, canon(-k)), w, exact)
        return power_of(base, canon(k))

    # --- elementary functions

    def _Fn(self, node: Fn, env: Env, w: Weights, exact: bool) -> Any:
        if node.name in ("norm2", "dot", "det", "trace", "inverse", "transpose"):
            return self.matrix_function(node, env, w, exact)
        if node.name == "log":
            return self.log(node.args[0], env, w, exact)
        u = self.scalar(node.args[0], env, w, exact)
        if node.name in ("sqrt", "abs", "positive_part") and w and not exact and u.has(Recip):
            sharp = Lowering(Rules(), self.d)
            whole = sharp.lower(node, env, w, True)
            if not sharp.rules.needs:
                self.rules.absorb(sharp.rules)
                return guarded(whole)
        if node.name == "log_gap":
            return u - 1 - self.log(node.args[0], env, w, exact)
        if node.name == "exp":
            return exp_of(u)
        if node.name == "sqrt":
            self.require_nonnegative(u)
            return power_of(u, HALF)
        if node.name == "abs":
            return abs_of(expand(u))
        if node.name == "positive_part":
            return (abs_of(expand(u)) + u) / 2
        if node.name == "indicator":
            return (1 + sign_of(expand(u))) / 2
        if node.name == "sigmoid":
            return exp_of(u) / (1 + exp_of(u))
        assert node.name == "softplus"
        return log_of(1 + exp_of(u))

    def log(self, arg: Node, env: Env, w: Weights, exact: bool = False) -> Any:
        u = self.scalar(arg, env, w, True)
        self.require(u, w, "the argument of a logarithm")
        return log_of(u) if exact else guarded(log_of(u))

    def require(self, u: Any, w: Weights, what: str) -> None:
        if is_positive(u) and not u.has(Rho):
            return
        if what == "a variance" and is_nonnegative(u) and not u.has(Rho, Int):
            self.require_nonzero(u)
            return
        for base, _ in irreducible_factors(u):
            if what == "a denominator" and base.is_Number and base != 0:
                continue
            if not self.positive(base, w):
                self.rules.needs.append(Need(f"{what} must be > 0", base))

    def require_nonzero(self, under: Any) -> None:
        """Shown, or else listed: that is let pass only where it fails at isolated values of free
        real letters."""
        if is_positive(under) or is_positive(-under):
            return
        under = resolve(under)
        if is_positive(under) or is_positive(-under):
            return
        if may_be_identically_zero(under):
            raise Unsupported("division by zero")
        smooth = not under.has(Sign, AbsAtom, Unknown, BigSum, BigProduct, Rho, Int)
        free = all(
            s.is_integer is None and not s.is_Dummy and not self.is_random(s)
            for s in under.free_symbols
        )
        if not smooth or not free or may_end_at_0(under):
            self.rules.needs.append(Need("a denominator must not be 0", under))
        self.rules.assumed.add(NOT_ZERO)
        self.rules.nonzero.add(under)

    def is_random(self, letter: Any) -> bool:
        """A random variable may take a single value with positive probability."""
        name = letter.name.split("[")[0]  # a coordinate is called after its vector
        return bool(getattr(self.known.get(name), "is_variable", False))

    def require_nonnegative(self, u: Any) -> None:
        if is_positive(-u):
            raise NotationError("the root of a negative quantity has no meaning here")
        if not is_nonnegative(u) and not self._nonnegative(u):
            self.rules.needs.append(Need("the argument of a root must be >= 0", u))

    def positive(self, f: Any, w: Weights) -> bool:
        """f > 0 wherever the weights are."""
        if is_positive(f):
            self.rules.consulted |= {str(r.args[0]) for r in f.atoms(Rho) if r.is_positive}
            return True
        if any(supports(weight, f, self.rules) for weight in w):
            return True
        if isinstance(f, Recip):
            return self.positive(f.args[0], w)
        if isinstance(f, Int):
            return self.positive_integral(f)
        if isinstance(f, BigProduct):
            return self.positive(f.args[0], w)
        if f.is_Add:
            return all(is_nonnegative(t) or self._nonnegative(t) for t in f.args) and any(
                all(self.positive(b, w) for b, _ in irreducible_factors(t)) for t in f.args
            )
        return False

    def positive_integral(self, e: Any) -> bool:
        """Its integrand is positive, or a density of just the bound letters times what is positive
        wherever that density is."""
        body, *bound = e.args
        parts = [b for b, _ in irreducible_factors(body)]
        if all(self.positive(b, ()) for b in parts):
            return True
        for p in parts:
            fills = isinstance(p, Rho) and set(p.args[1]) - {OUT} == set(bound)
            if fills and not p.args[3] and not p.args[2].has(*bound):
                return all(b == p or self.positive(b, (p,)) for b in parts)
        return False

    def _nonnegative(self, t: Any) -> bool:
        return all(
            is_nonnegative(b)
            or (k.is_Integer and k % 2 == 0)
            or (isinstance(b, Int) and self._nonnegative(b.args[0]))
            or (b.is_Add and all(self._nonnegative(p) for p in b.args))
            for b, k in irreducible_factors(t)
        )

    def matrix_function(self, node: Fn, env: Env, w: Weights, exact: bool) -> Any:
        values = [self.lower(a, env, w, exact) for a in node.args]
        for v in values:
            if not isinstance(v, sp.MatrixBase):
                raise NotationError(f"{node!r}: {node.name} is for vectors and matrices")
        a = values[0]
        column = a.shape[1] == 1
        if node.name in ("norm2", "dot"):
            b = values[-1]
            if not column or b.shape != a.shape:
                raise NotationError(f"{node!r}: expected vectors of one length")
            return sum((a[i] * b[i] for i in range(self.d)), sp.S.Zero)
        if a.shape[0] != a.shape[1]:
            raise NotationError(f"{node!r}: expected a square matrix")
        if node.name == "trace":
            return a.trace()
        if node.name == "transpose":
            return a.T
        letter = node.args[0]
        root = (
            self.root(letter)
            if isinstance(letter, Symbol) and letter.shape == "covariance"
            else None
        )
        if node.name == "det":
            if root is not None:
                return sp.Mul(*(root[i, i] ** 2 for i in range(self.d)))
            return expand(a.det(method="berkowitz"))
        if root is not None:
            inv = lower_inverse(root)
            return sp.ImmutableMatrix(inv.T * inv)
        if a.is_diagonal():
            return sp.diag(*(self.inverse(a[i, i], w, exact) for i in range(self.d)))
        raise Unsupported("the inverse of a composite matrix")

    # --- arbitrary functions and densities

    def _Apply(self, node: Apply, env: Env, w: Weights, exact: bool) -> Any:
        convex = "convex" in node.traits or "conjugate" in node.traits
        positive = "positive" in node.traits
        self.register(node.name + "()", (len(node.args), convex, positive))
        args = [canon(self.scalar(a, env, w, True)) for a in node.args]
        mark = "*" if "conjugate" in node.traits else ">" if positive else ""
        key = sp.Symbol(node.name + mark)
        return Unknown(key, node.order, *args)

    def density_key(self, density: Any) -> Any:
        self.register(density.name + "(density)", density)
        key = density.name + ("+" if density.positive else "~")
        self.rules.slots[key] = density.event_slots + density.given_slots
        if density.dominates is not None:
            other = self.density_key(density.dominates)
            self.rules.dominates[key] = (str(other), *self.rules.dominates.get(str(other), ()))
        return sp.Symbol(key)

    def _Dens(self, node: Dens, env: Env, w: Weights, exact: bool) -> Any:
        density = node.density
        if any(isinstance(e, Symbol) and e.shape for e in node.args):
            raise Unsupported("a density of a vector other than a normal one")
        key = self.density_key(density)
        at = dict(zip(node.event_slots, node.events, strict=True))
        given = dict(zip(node.given_slots, node.givens, strict=True))
        values = {s: self.scalar(a, env, w, True) for s, a in (at | given).items()}
        if density.given_slots:
            events = [values[s] if s in at else OUT for s in density.event_slots]
            outer = [canon(values[s]) for s in density.given_slots]
            inner_given = [s for s in given if s in density.event_slots]
            full = [values.get(s, OUT) for s in density.event_slots]
        else:
            outer, inner_given = [], list(given)
            full = [values.get(s, OUT) for s in density.event_slots]
            events = full
        if not inner_given:
            return Rho(key, events, outer)
        marginal = Rho(
            key, [values[s] if s in inner_given else OUT for s in density.event_slots], outer
        )
        joint = Rho(key, full, outer)
        self.require(marginal, w, "the density of the condition")
        return joint / marginal  # p(x, z) = 0 wherever p(x) is: the quotient may be taken as it is

    def _Normal(self, node: Normal, env: Env, w: Weights, exact: bool) -> Any:
        x, m, c = (self.lower(a, env, w, exact) for a in node.args)
        self.rules.normal = True
        if not isinstance(c, sp.MatrixBase):
            if isinstance(x, sp.MatrixBase) or isinstance(m, sp.MatrixBase):
                raise NotationError(
                    f"{node!r}: a vector needs a covariance matrix; write v * identity"
                )
            self.require(c, w, "a variance")
            return bell(x, m, c)
        if m == 0 and isinstance(x, sp.MatrixBase):
            m = sp.zeros(self.d, 1)
        if not (isinstance(x, sp.MatrixBase) and isinstance(m, sp.MatrixBase)):
            raise NotationError(f"{node!r}: a covariance matrix needs a vector and a vector mean")
        if c.is_diagonal():
            for i in range(self.d):
                self.require(c[i, i], w, "a variance")
            return sp.Mul(*(bell(x[i], m[i], c[i, i]) for i in range(self.d)))
        root = self.normal_root(node)
        inv = lower_inverse(root)
        white = inv * (x - m)
        square = sum((white[i] ** 2 for i in range(self.d)), sp.S.Zero)
        scale = sp.Mul(*(1 / root[i, i] for i in range(self.d)))
        return scale * (2 * sp.pi) ** sp.Rational(-self.d, 2) * sp.exp(expand(-square / 2))

    def normal_root(self, node: Normal) -> Any:
        letter = node.args[2]
        while isinstance(letter, Named):
            letter = letter.body
        if isinstance(letter, Symbol) and letter.shape == "covariance":
            return self.root(letter)
        raise Unsupported("a covariance that is neither a letter nor diagonal")

    # --- binders

    def bind(self, variables: tuple[Symbol, ...], env: Env) -> tuple[Env, list[Any]]:
        """Fresh letters for bound variables."""
        inner, letters = dict(env), []
        for v in variables:
            if v.shape == "vector":
                coordinates = [fresh(f"{v.space}[{i}]") for i in range(self.d)]
                inner[v] = sp.ImmutableMatrix(coordinates)
                letters += coordinates
            else:
                inner[v] = fresh(v.space)
                letters.append(inner[v])
        return inner, letters

    def measure(self, dists: tuple[Node, ...], env: Env, w: Weights) -> tuple[Any, Env, list[Any]]:
        """The product of the densities and the letters it is integrated over; a normal with a full
        covariance is whitened, x = mean + L eps."""
        variables = tuple(v for d in dists for v in event_variables(d))
        inner, letters = self.bind(variables, env)
        weight = sp.S.One
        for dist in _in_order(dists):
            while isinstance(dist, Named):
                dist = dist.body
            if isinstance(dist, Normal):
                x, mean, cov = dist.args
                if x in free_symbols(mean) | free_symbols(cov):
                    raise NotationError(
                        f"{dist!r} is not a density: {x!r} occurs in its parameters"
                    )
                value = self.lower(cov, inner, w, False)
                if isinstance(value, sp.MatrixBase) and not value.is_diagonal():
                    assert isinstance(x, Symbol)
                    eps = list(inner[x])
                    location = self.lower(
                        mean, {k: v for k, v in inner.items() if k != x}, w, False
                    )
                    if location == 0:
                        location = sp.zeros(self.d, 1)
                    inner[x] = sp.ImmutableMatrix(
                        location + self.normal_root(dist) * sp.ImmutableMatrix(eps)
                    )
                    weight *= sp.Mul(*(bell(e, sp.S.Zero, sp.S.One) for e in eps))
                    self.rules.normal = True
                    continue
            weight *= self.scalar(dist, inner, w, False)
        return weight, inner, letters

    def _Expect(self, node: Expect, env: Env, w: Weights, exact: bool) -> Any:
        weight, inner, letters = self.measure(node.dists, env, w)
        body = self.scalar(node.body, inner, (*w, weight), False)  # a mean is a number of its own
        return integrate(weight * body, tuple(letters), self.rules)

    def _Integral(self, node: Integral, env: Env, w: Weights, exact: bool) -> Any:
        inner, letters = self.bind(node.bound, env)
        return integrate(self.scalar(node.body, inner, w, False), tuple(letters), self.rules)

    def _Divergence(self, node: Divergence, env: Env, w: Weights, exact: bool) -> Any:
        p, q = node.args
        if node.kind == "KL":
            return self.kl(p, q, node.bound, env, w)
        if node.kind == "JS":
            middle = Div(Add(p, q), Number(2))
            return (
                self.kl(p, middle, node.bound, env, w) + self.kl(q, middle, node.bound, env, w)
            ) / 2
        inner, letters = self.bind(node.bound, env)
        gap = self.scalar(p, inner, w, False) - self.scalar(q, inner, w, False)
        return integrate(abs_of(expand(gap)) / 2, tuple(letters), self.rules)

    def kl(self, p: Node, q: Node, bound: tuple[Symbol, ...], env: Env, w: Weights) -> Any:
        if isinstance(p, Normal) and event_variables(p) == bound:
            weight, inner, letters = self.measure((p,), env, w)
        else:
            inner, letters = self.bind(bound, env)
            weight = self.scalar(p, inner, w, False)
        under = (*w, weight) if self._nonnegative(weight) else w
        body = self.log(p, inner, under) - self.log(q, inner, under)
        return integrate(weight * body, tuple(letters), self.rules)

    def _Entropy(self, node: Entropy, env: Env, w: Weights, exact: bool) -> Any:
        p = node.args[0]
        if isinstance(p, Normal):
            weight, inner, letters = self.measure((p,), env, w)
        else:
            inner, letters = self.bind(node.bound, env)
            weight = self.scalar(p, inner, w, False)
        under = (*w, weight) if self._nonnegative(weight) else w
        return integrate(-weight * self.log(p, inner, under), tuple(letters), self.rules)

    def _Deriv(self, node: Deriv, env: Env, w: Weights, exact: bool) -> Any:
        self.require_slopes(node, env, w)
        if node.var.shape == "vector":
            return self.gradient(node, env, w, exact)
        body = self.scalar(node.body, env, w, exact)
        if node.var.shape or node.var.domain in ("natural", "nonnegative", "at_least_one"):
            raise Unsupported(
                f"a derivative by {node.var!r}, which is no inner point of an interval"
            )
        if node.var in env:
            letter, chain = env[node.var], sp.S.One
            if not letter.is_Symbol:
                raise Unsupported("a derivative with respect to a whitened vector")
        else:
            self.register(node.var.name, node.var)
            letter, value = parameter(node.var)
            chain = 1 / sp.diff(value, letter)
        try:
            return chain * differentiate(expand(body), letter, self.rules)
        except NotImplementedError as error:
            raise Unsupported(str(error)) from error

    def require_slopes(self, node: Deriv, env: Env, w: Weights) -> None:
        """A root has no slope where it is 0, as it may be for one value of another letter."""
        for n in node.body.walk():
            part = isinstance(n, Pow) and not _is_whole(n.args[1])
            if (part or (isinstance(n, Fn) and n.name == "sqrt")) and node.var in free_symbols(n):
                value = Lowering(Rules(), self.d).lower(n.args[0], env, w, True)
                if not is_positive(value):
                    raise Unsupported("the slope of a root of what may be 0")

    def gradient(self, node: Deriv, env: Env, w: Weights, exact: bool) -> Any:
        """Of a number, a column; of a vector, the matrix of its partial derivatives."""
        letters = list(self._Symbol(node.var, env, w, exact))
        if not all(v.is_Symbol for v in letters):
            raise Unsupported("a derivative with respect to a whitened vector")
        body = self.lower(node.body, env, w, exact)
        try:
            if not isinstance(body, sp.MatrixBase):
                whole = expand(body)
                return sp.ImmutableMatrix([differentiate(whole, v, self.rules) for v in letters])
            if body.shape != (self.d, 1):
                raise NotationError(f"{node!r}: the derivative of a matrix by a vector")
            rows = [expand(u) for u in body]
            return sp.ImmutableMatrix(
                [[differentiate(u, v, self.rules) for v in letters] for u in rows]
            )
        except NotImplementedError as error:
            raise Unsupported(str(error)) from error

    def _Big(self, node: Big, env: Env, w: Weights, exact: bool) -> Any:
        low = canon(self.scalar(node.low, env, w, exact))
        high = canon(self.scalar(node.high, env, w, exact))
        if not (low.is_integer and high.is_integer):
            raise NotationError(f"{node!r}: the limits are not whole numbers")
        sign = {"positive": True} if is_positive(low) else {}
        index = sp.Dummy("index", integer=True, **sign)
        body = self.scalar(node.body, {**env, node.index: index}, w, exact)
        return (big_sum if node.kind == "sum" else big_product)(body, index, low, high)


@lru_cache(maxsize=5000)
def definition_letter(name: str, value: Any) -> Any:
    """A letter for a defined quantity; it knows the sign of what it stands for."""
    if value.is_Symbol or value.is_Number:
        return value
    if not is_positive(value):
        letter = sp.Dummy(name, real=True)
        MEANING[letter] = value
        return letter
    letter = sp.Dummy(name, positive=True)
    if is_positive(1 - value):
        MEANING[letter] = value / (1 - value)
        return letter / (1 + letter)
    MEANING[letter] = value
    return letter


def resolve(e: Any) -> Any:
    """Put the meaning of defined letters back."""
    if any(i.free_symbols & MEANING.keys() for i in e.atoms(Int, Unknown, Rho)):
        raise Unsupported("a definition inside an integral")
    return substitute(e, MEANING)


def parameter(node: Symbol) -> tuple[Any, Any]:
    """A sympy letter and the parameter's value in it: what is in (0, 1) is b/(1 + b), b > 0."""
    if node.domain == "unit":
        b = sp.Symbol(node.name, positive=True)
        return b, b / (1 + b)
    if node.domain == "at_least_one":
        b = sp.Symbol(node.name, nonnegative=True)
        return b, 1 + b
    kinds = {
        "real": {"real": True},
        "positive": {"positive": True},
        "nonnegative": {"nonnegative": True},
        "natural": {"positive": True, "integer": True},
    }
    letter = sp.Symbol(node.name, **kinds[node.domain])
    return letter, letter


def _in_order(dists: tuple[Node, ...]) -> list[Node]:
    """Densities so that each comes after those whose variables it is conditioned on."""
    left, done = list(dists), []
    while left:
        waiting = {v for d in left for v in event_variables(d)}
        ready = [d for d in left if not (free_symbols(d) - set(event_variables(d))) & waiting]
        if not ready:
            raise NotationError(
                "the densities of an expectation are conditioned on one another in a circle"
            )
        done += ready
        left = [d for d in left if d not in ready]
    return done


def guarded(e: Any) -> Any:
    """1/f of a density that may vanish is Recip(f) again, outside the atoms."""

    def visit(x: Any) -> Any:
        if isinstance(x, Atom) or not x.args:
            return x
        if x.is_Pow and x.exp.is_negative and x.base.has(Rho) and not x.base.is_positive:
            return Recip(x.base) ** (-x.exp)
        return x.func(*(visit(a) for a in x.args))

    return visit(e)


def _is_whole(exponent: Node) -> bool:
    k = exponent.args[0] if isinstance(exponent, Neg) else exponent
    return isinstance(k, Number) and k.value.denominator == 1


def may_end_at_0(e: Any) -> bool:
    """A letter >= 0 may well be 0: e is 0 there, or a factor of e is no more than seen to be >= 0
    because of it."""
    members = {m: sp.Dummy("end", nonnegative=True) for m in e.atoms(Member) if _ends_at_0(m)}
    e = e.xreplace(members)
    ends = sorted((s for s in e.free_symbols if _ends_at_0(s)), key=str)
    for f, _ in irreducible_factors(e):
        signed = is_nonnegative(f) or is_nonnegative(-f)
        if signed and not is_positive(f) and not is_positive(-f) and f.free_symbols & set(ends):
            return True
    for k in range(1, len(ends) + 1):
        for chosen in itertools.combinations(ends, k):
            try:
                if may_be_identically_zero(substitute(e, dict.fromkeys(chosen, sp.S.Zero))):
                    return True
            except Unsupported:
                return True
    return False


def _ends_at_0(letter: Any) -> bool:
    return bool(letter.is_nonnegative and not letter.is_positive)


def lower_inverse(root: Any) -> Any:
    """Inverse of a lower triangular matrix, by forward substitution."""
    d = root.shape[0]
    inv = sp.zeros(d, d)
    for i in range(d):
        inv[i, i] = 1 / root[i, i]
        for j in range(i):
            inv[i, j] = canon(
                -sum((root[i, k] * inv[k, j] for k in range(j, i)), sp.S.Zero) / root[i, i]
            )
    return sp.ImmutableMatrix(inv)
