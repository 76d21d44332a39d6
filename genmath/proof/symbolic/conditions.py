"""What a node needs to exist: denominators that are not 0, arguments that are positive."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from typing import Any

import sympy as sp

from genmath.proof.language.obligations import NONZERO, Obligation
from genmath.proof.language.tree import (
    Node,
    NotationError,
    Symbol,
)
from genmath.proof.symbolic.algebra import (
    irreducible_factors,
    is_nonnegative,
    is_positive,
    stated_nonnegative,
    stated_nonzero,
    stated_positive,
    substitute,
)
from genmath.proof.symbolic.atoms import (
    OUT,
    AbsAtom,
    BigProduct,
    BigSum,
    Binder,
    Fun,
    Int,
    Member,
    Recip,
    Rho,
    Root,
    Sign,
    Unknown,
)
from genmath.proof.symbolic.definitions import resolve
from genmath.proof.symbolic.supports import NOT_ZERO, Need, Rules, Said, Unsupported, supports
from genmath.proof.symbolic.variances import varying
from genmath.proof.symbolic.zero import may_be_identically_zero

LOGARITHM = "the argument of the logarithm"
Env = dict[Symbol, Any]
Weights = tuple[Any, ...]


class Conditions(ABC):
    """What every family of nodes shares: lowering a part, and what a part needs to exist.

    `weights` are the densities under whose integral an expression stands: they are > 0 wherever
    the expression matters. `rules` collects what the proof relies on, for one dimension d of
    vectors.
    """

    def __init__(self, rules: Rules, dimension: int, letters: bool = False) -> None:
        """`letters`: a definition by `define` becomes a letter of its own, see `resolve`."""
        self.rules, self.d, self.letters = rules, dimension, letters
        self.known: dict[str, Any] = {}

    @abstractmethod
    def __call__(self, node: Node) -> Any:
        """The meaning of a whole tree."""

    @abstractmethod
    def lower(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        """`exact`: inside a logarithm or an arbitrary function, where quotients are quotients and
        every denominator has to be > 0; elsewhere 1/f of a density stays `Recip(f)`."""

    def meaning(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        """Each family knows its own nodes and asks the next one about the others."""
        raise Unsupported(f"{type(node).__name__}")

    def apart(self, rules: Rules) -> Conditions:
        """A reading of its own, with nothing declared yet."""
        return type(self)(rules, self.d)

    def scalar(self, node: Node, env: Env, w: Weights, exact: bool) -> Any:
        value = self.lower(node, env, w, exact)
        if isinstance(value, sp.MatrixBase):
            raise NotationError(f"{node!r} is a vector or matrix where a number is expected")
        return value

    @staticmethod
    def taken(env: Env, w: Weights) -> set[Any]:
        """The letters that something around a node uses."""
        return {s for e in (*env.values(), *w) for s in e.free_symbols}

    def register(self, name: str, owner: Any) -> None:
        if self.known.setdefault(name, owner) != owner:
            raise NotationError(f"{name} is declared twice, with different meanings")

    def require(self, u: Any, w: Weights, what: str, typed: Node | None = None) -> None:
        if (is_positive(u) and not u.has(Rho)) or stated_positive(u):
            return
        if what == "the denominator" and stated_nonzero(u):
            return
        if self.varies(u):
            return
        if what == "the variance" and is_nonnegative(u) and not u.has(Rho, Int):
            self.require_nonzero(u, typed)
            return
        found = with_signs_apart(irreducible_factors(u))
        alone = sum(not base.is_Number for base, _ in found) <= 1
        for base, k in found:
            if what == "the denominator" and base.is_Number and base != 0:
                continue
            if what == "the denominator" and is_mean(base) and not self.positive(base, w):
                named = typed if base == u else None
                self.rules.assumed.add(
                    Said(base, NOT_ZERO) if named is None else Obligation(NONZERO, named)
                )
                self.rules.nonzero.add(base)
                continue
            if what == LOGARITHM and (inside := apart_from_0(base, k)) is not None:
                self.require_apart(inside)
                continue
            even = k.is_Integer and k % 2 == 0 and base.is_Add
            if not self.positive(base, w) and not (even and self.positive(-base, w)):
                self.rules.needs.append(Need(what, "> 0", base, typed, alone))

    def varies(self, u: Any) -> bool:
        """A variance, > 0 where its variable takes more than one value."""
        if (found := varying(u)) is None:
            return False
        key, letter = found
        self.rules.consulted.add(key)
        self.rules.assumed.add(f"{letter} takes more than one value")
        return True

    def require_nonzero(self, under: Any, typed: Node | None = None) -> None:
        """Shown, or else listed: that is let pass only where it fails at isolated values of free
        real letters."""
        if is_positive(under) or is_positive(-under) or under.is_nonzero or stated_nonzero(under):
            return
        under = sizes_open(resolve(under))
        if is_positive(under) or is_positive(-under) or stated_nonzero(under):
            return
        if may_be_identically_zero(under):
            raise Unsupported("division by zero")
        smooth = not under.has(Binder, Sign, AbsAtom, Unknown, BigSum, BigProduct, Rho, Int, Root)
        smooth = smooth and all(f.row.derivative is not None for f in under.atoms(Fun))
        smooth = smooth and all(
            p.exp.is_Integer or is_positive(p.base) for p in under.atoms(sp.Pow)
        )
        free = all(
            s.is_integer is None and not s.is_Dummy and not self.is_random(s)
            for s in under.free_symbols
        )
        if not smooth or not free or may_end_at_0(under):
            self.rules.needs.append(Need("the denominator", "!= 0", under, typed))
        self.rules.assumed.add(
            Said(under, NOT_ZERO) if typed is None else Obligation(NONZERO, typed)
        )
        self.rules.nonzero.add(under)

    def require_apart(self, u: Any) -> None:
        """u is not 0 for any values of its letters: shown, or an obligation that names u."""
        if is_positive(u) or is_positive(-u) or stated_nonzero(u) or u.is_nonzero:
            return
        if may_be_identically_zero(resolve(u)):
            raise Unsupported("the logarithm of 0")
        self.rules.assumed.add(Said(u, NOT_ZERO))
        self.rules.nonzero.add(u)

    def is_random(self, letter: Any) -> bool:
        """A random variable may take a single value with positive probability, and a member of a
        finite set may be any number, such as another member."""
        owner = self.known.get(letter.name.split("[")[0])  # a coordinate is called after its vector
        return isinstance(owner, Symbol) and (owner.is_variable or owner.domain == "member")

    def require_nonnegative(self, u: Any, typed: Node | None = None) -> None:
        if is_positive(-u):
            raise NotationError("the root of a negative quantity has no meaning here")
        if not is_nonnegative(u) and not self.nonnegative(u) and not stated_nonnegative(u):
            self.rules.needs.append(Need("the argument of the root", ">= 0", u, typed))

    def positive(self, f: Any, w: Weights) -> bool:
        """f > 0 wherever the weights are."""
        if is_positive(f):
            self.rules.consulted |= {r.args[0] for r in f.atoms(Rho) if r.is_positive}
            return True
        if any(supports(weight, f, self.rules) for weight in w) or stated_positive(f):
            return True
        if f.is_Add and self.varies(f):
            return True
        if isinstance(f, Recip):
            return self.positive(f.args[0], w)
        if isinstance(f, Int):
            return self.positive_integral(f)
        if isinstance(f, BigProduct):
            return self.positive(f.args[0], w)
        if f.is_Add:
            return all(is_nonnegative(t) or self.nonnegative(t) for t in f.args) and any(
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

    def nonnegative(self, t: Any) -> bool:
        return all(
            is_nonnegative(b)
            or (k.is_Integer and k % 2 == 0)
            or (isinstance(b, Int) and self.nonnegative(b.args[0]))
            or (b.is_Add and all(self.nonnegative(p) for p in b.args))
            for b, k in irreducible_factors(t)
        )


def is_mean(e: Any) -> bool:
    """A number that is an integral, of nothing that may be chosen: 0 for special functions only."""
    return isinstance(e, Int) and all("^" in s.name for s in e.free_symbols)


def with_signs_apart(found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """The factors, those that are < 0 with their signs gathered in one number."""
    sign, out = sp.S.One, []
    for base, k in found:
        if k.is_Integer and (base.is_negative or (not base.is_Number and is_positive(-base))):
            sign *= (-1) ** k
            base = -base
        out.append((base, k))
    return out if sign == 1 else [(sign, sp.S.One), *out]


def sizes_open(e: Any) -> Any:
    """The product without the bars of its factors |u|, which is 0 where it is."""
    open_ = (b.args[0] ** k if isinstance(b, AbsAtom) else b**k for b, k in powers(e))
    return sp.Mul(*open_)


def powers(e: Any) -> list[tuple[Any, Any]]:
    return [f.as_base_exp() for f in sp.Mul.make_args(e)]


def apart_from_0(base: Any, k: Any) -> Any | None:
    """u where the factor is |u| or an even power of u, which is > 0 wherever u is not 0."""
    u = base.args[0] if isinstance(base, AbsAtom) else base
    if u == base and (base.is_Number or not (base.is_real and k.is_Integer and k % 2 == 0)):
        return None
    return None if u.has(Rho, Int, Sign, AbsAtom, Root, Recip) else u


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
