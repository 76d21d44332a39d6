"""Judge A remembers what it worked out, and uses the same letters again for what is bound: neither
may prove anything. Each false claim here is true of letters, hypotheses or declarations that are
taken for one another; A must refuse it by itself, right after it was shown the true one."""

from __future__ import annotations

import pytest
import sympy as sp

from genmath.proof import (
    Density,
    E,
    Function,
    Normal,
    copies,
    integral,
    log,
    number,
    positives,
    reals,
)
from genmath.proof import variables as random_variables
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Node, Relation
from genmath.proof.symbolic.algebra import note_positive, stated_positive
from genmath.proof.symbolic.atoms import Key, Recip, Rho
from genmath.proof.symbolic.bound import unused
from genmath.proof.symbolic.facts import noting
from genmath.proof.symbolic.integrals import integrate
from genmath.proof.symbolic.judge import prove
from genmath.proof.symbolic.memory import Memory
from genmath.proof.symbolic.supports import Rules

x, z = random_variables("x z")
a, b = reals("a b")
s = positives("s")
f, g, h = Function("f"), Function("g"), Function("h")
q, r = Density("q", x), Density("r", x)
x1, x2 = copies(x, 2)
z1, _ = copies(z, 2)
c, t = Density("c", z, given=x), Density("t", z)


def proved(lhs: Node, rhs: Node | int, *given: Relation) -> bool:
    return prove(Claim(lhs, "=", rhs if isinstance(rhs, Node) else number(rhs), given)).proved


TRUE_AND_FALSE = {
    "two copies": (
        (E(q(x1), E(q(x2), f(x1) * g(x2))), E(q(x), f(x)) * E(q(x), g(x))),
        (E(q(x1), E(q(x2), f(x1) * g(x2))), E(q(x), f(x) * g(x))),
    ),
    "one letter bound twice": (
        (E(q(x), f(x) * E(q(x), g(x))), E(q(x), f(x)) * E(q(x), g(x))),
        (E(q(x), f(x) * E(q(x), g(x))), E(q(x), f(x) * g(x))),
    ),
    "a square of an integral": (
        (E(q(x), E(c(z | x), f(z)) ** 2), E(q(x), E(c(z | x), f(z)) * E(c(z1 | x), f(z1)))),
        (E(q(x), E(c(z | x), f(z)) ** 2),
         E(q(x), integral(c(z | x) ** 2 * f(z) ** 2, z))),
    ),
    "an integral opened inside another": (
        (E(q(x), E(q(x1), h(x, x1))), E(q(x1), E(q(x), h(x, x1)))),
        (E(q(x), E(q(x1), h(x, x1))), integral(q(x) ** 2 * h(x, x), x)),
    ),
    "an integral opened beside a factor": (
        (E((q(x), t(z)), f(z) * E(c(z1 | x), g(z1))), E(t(z), f(z)) * E(q(x), E(c(z | x), g(z)))),
        (E((q(x), t(z)), f(z) * E(c(z1 | x), g(z1))),
         E(q(x), integral(t(z) * f(z) * c(z | x) * g(z), z))),
    ),
    "bound three times": (
        (E(q(x), f(x) * E(q(x), g(x) * E(q(x), x))), E(q(x), f(x)) * E(q(x), g(x)) * E(q(x), x)),
        (E(q(x), f(x) * E(q(x), g(x) * E(q(x), x))), E(q(x), f(x)) * E(q(x), g(x) * x)),
    ),
    "in the mean of a normal density": (
        (E(Normal(x, E(q(x), x), s), x), E(q(x), x)),
        (E(Normal(x, E(q(x), x), s), x**2), E(q(x), x**2) + s),
    ),
    "inside a logarithm, under a weight": (
        (E(q(x), f(x) * log(E(q(x), q(x)))), E(q(x), f(x)) * log(E(q(x), q(x)))),
        (E(q(x), f(x) * log(E(q(x), q(x)))), E(q(x), f(x) * log(q(x)))),
    ),
    "in an integral over the line": (
        (integral(Normal(x, 0, s) * integral(Normal(x, a, s), x), x), number(1)),
        (integral(Normal(x, 0, s) * integral(Normal(x, a, s), x), x),
         integral(Normal(x, 0, s) * Normal(x, a, s), x)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE_AND_FALSE)
def test_no_letter_is_taken_for_another(name: str) -> None:
    true, false = TRUE_AND_FALSE[name]
    assert proved(*true)
    assert not proved(*false)
    assert proved(*true)


def test_what_was_stated_is_not_remembered_as_true() -> None:
    lhs, rhs = log(a * b) + f(a), f(a) + log(b * a)
    for given in ((a * b > 0,), (), (a * b > 0,), (a + b > 0,)):
        assert proved(lhs, rhs, *given) is (given == (a * b > 0,))


def test_a_weight_is_not_remembered() -> None:
    """log q exists under q, but not under another density."""
    zero = log(q(x) / q(x))
    assert proved(E(q(x), f(x) * zero), 0)
    assert not proved(E(r(x), f(x) * zero), 0)
    assert proved(E(q(x), E(r(x1), f(x1) * zero)), 0)
    assert not proved(E(q(x), E(r(x), f(x) * zero)), 0)


def test_which_density_dominates_is_not_remembered() -> None:
    at, p, r = unused("x", ()), Key("p"), Key("r")
    body = Rho(p, [at], []) * Rho(r, [at], []) * Recip(Rho(r, [at], []))
    known = Rules(dominates={r: (p,)}, slots={p: ("x",), r: ("x",)})
    assert integrate(body, (at,), known) == 1
    assert integrate(body, (at,), Rules()) != 1


def test_assumptions_are_remembered_with_the_result() -> None:
    """What a proof relies on is said again where the parts of it are recalled."""
    around = Normal(z, x, s)
    claim = Claim(E(around, f.prime(z)), "=", E(around, (z - x) / s * f(z)))
    first, again = prove(claim), prove(claim)
    assert first.proved
    assert again.proved
    assert first.assumed
    assert first.normal
    assert (again.assumed, again.normal, again.nonzero) == (
        first.assumed,
        first.normal,
        first.nonzero,
    )


def test_a_letter_is_unused_and_the_same_again() -> None:
    first = unused("x", ())
    second = unused("x", {first})
    assert len({first, second, unused("z", ()), unused("x", (), integer=True)}) == 4
    assert unused("x", ()) is first
    assert unused("x", {first}) is second


def test_what_was_shown_in_one_proof_is_not_known_in_the_next() -> None:
    u, v = sp.symbols("u v", real=True)
    shown = u**2 * v + v + u + 7  # by its letters alone nobody can tell
    memory = Memory()

    def work(rules: Rules) -> int:
        note_positive(shown)
        return 1

    for _ in range(2):  # the second time it is remembered, along with its result
        assert not stated_positive(shown)
        with noting(set()):
            assert not stated_positive(shown)
            assert memory.recall("key", Rules(), work) == 1
            assert stated_positive(shown)
            with noting(set()):
                assert not stated_positive(shown)
        assert not stated_positive(shown)
    note_positive(shown)  # outside of a proof nothing is noted
    assert not stated_positive(shown)
