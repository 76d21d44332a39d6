"""Judge A without one of its guards proves false claims: of these the kernel verifies none, not
even from a writer that takes everything for granted.

What A calls false may be true for the kernel, for which 1/0 and ln(-1) are some numbers; or it may
rest on a law, or an earlier result, that is false there: then the line names it.
"""

from __future__ import annotations

import importlib
import multiprocessing
import pkgutil
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    Normal,
    NotationError,
    diff,
    equal,
    exp,
    fractions,
    indicator,
    integral,
    log,
    naturals,
    number,
    pi,
    positives,
    reals,
    sigmoid,
    symbolic,
    variables,
)
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.written import stated
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.symbolic.judge import prove
from genmath.proof.symbolic.memory import Memory
from tests.proof import (
    test_hostile_abstract,
    test_hostile_algebra,
    test_hostile_rules,
    worlds,
)
from tests.proof.alterations import outcome
from tests.proof.credulous import attempts, without

x, y, z = variables("x y z")
a, s, k, n = reals("a"), positives("s"), fractions("k"), naturals("n")
p, joint, q, f = Density("p", x, positive=True), Density("j", x, z), Density("q", y), Function("f")
D = (((a - 3) ** 2) ** (number(1) / 4)) ** 2 - (a - 3)  # 0 on a half-line
smoothed = E(Normal(y, x, 1), sigmoid(y - 50))
infinite = E(Normal(x, 0, 1), exp(x**2))
no_mean = integral(x / (pi * (1 + x**2)), x)
nothing = exp(-exp(10 * s)) <= 0
Because = Any

FALSE: dict[str, tuple[Claim, tuple[Because, ...]]] = {
    "0/0 on a half-line": (equal(D / D, 1), ()),
    "1/0 - 1/0 on a half-line": (equal(1 / D - 1 / D, 0), ()),
    "0 is at least 1": (
        Claim(number(0), ">=", number(1), given=(nothing,)),
        (exp(exp(10 * s)) * -exp(-exp(10 * s)),),
    ),
    "another power": (equal(diff(a**3, a), 2 * a), ()),
    "a shift that loses 1": (
        equal(integral(E(Normal(y, x + 1, 1), sigmoid(y - 50)) - smoothed, x), 0),
        (),
    ),
    "a shift that loses a": (
        equal(integral(E(Normal(y, x + a, 1), sigmoid(y - 50)) - smoothed, x), 0),
        (),
    ),
    "four natural numbers": (equal((n - 1) * (n - 2) * (n - 3) * (n - 4), 0), ()),
    "real numbers are at most 2": (as_claim(a <= 2), ()),
    "no mass beyond 9": (equal(E(p(x), indicator(x > 9)), 0), ()),
    "no mass around 40": (equal(integral(exp(-((x - 40) ** 2) / 2), x), 0), ()),
    "from what cannot be": (
        Claim(k - 2, ">=", 2 * (k - 2) + (k - 2) ** 2, given=(k >= 2,)),
        ((k - 2) / (2 - k) * (k - 2) * (k - 1),),
    ),
    "three is two": (equal(number(3), number(2)), ()),
    "no variance is above 0": (as_claim(E(p(x), f(x) ** 2) < E(p(x), f(x)) ** 2), ()),
    "a letter is captured": (equal(E(q(y), y * y), y * E(q(y), y)), ()),
    "log of a quotient of densities": (
        equal(E(joint(x), log(joint(x, z) / joint(z | x))), E(joint(x), log(joint(x)))),
        (),
    ),
}
LAWS: dict[str, tuple[Claim, str]] = {  # and one that is false there, which the line names
    "infinity - infinity": (equal(infinite + 1 - infinite, 1), ""),
    "infinity - infinity, under the mean": (
        equal(E(Normal(x, 0, 1), exp(x**2) + 1) - infinite, 1),
        "Expect is linear",
    ),
    "infinity over infinity": (
        equal(E(Normal(x, 0, 1), 2 * exp(x**2)) / infinite, 2),
        "Expect is linear",
    ),
    "no mean minus no mean": (equal(no_mean - no_mean, 0), ""),
    "a quotient of densities": (equal(E(joint(x), joint(x, z) / joint(x, z)), 1), "j is > 0"),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_fault_of_the_checker_has_no_certificate(name: str) -> None:
    claim = stated(*FALSE[name])
    assert not list(attempts(claim, asking=True))
    reached = 0
    for guard in ("all of signs", "signs of arguments", "all"):
        with without(guard):
            tried = [outcome(one) for one in attempts(claim)]
        reached += len(tried)
        assert all(one is None or one.rejected for one in tried)
    assert reached


@pytest.mark.parametrize("name", LAWS)
def test_or_one_that_names_the_law_that_is_false(name: str) -> None:
    claim, law = LAWS[name]
    found = [one for one in map(outcome, attempts(stated(claim), asking=True)) if one]
    assert found
    for one in found:
        assert not one.rejected
        assert law in one.supposed if law else one.supposed == ()


# --- the guards of A ----------------------------------------------------------------------------


class Guard(NamedTuple):
    module: str
    name: str
    answer: Any  # without it
    proves: tuple[str, ...]  # of the claims that A must not prove, some that it then does


ABSTRACT, ALGEBRA, RULES = (
    table.FALSE for table in (test_hostile_abstract, test_hostile_algebra, test_hostile_rules)
)
TABLES: dict[str, Callable[[], Any]] = {**ABSTRACT, **ALGEBRA, **RULES}
POWERS = ("vanishing: p^-1 p", "vanishing: mean of p^-3/2 p^2", "vanishing: 1/p - 1/p",
          "vanishing: p/p", "vanishing: 1/(1/p)")  # fmt: skip
MEANS = ("vanishing: mean of 1/p is >= 0", "vanishing: mean of 0/q",
         "vanishing: mean of q/r - q/r", "vanishing: mean of (q/r - q/r)")  # fmt: skip
ROOTS = ("integrals: root of p - q", "integrals: condition sqrt a", "calculus: root of a real",
         "calculus: third root of a real", "index: root of i - 2")  # fmt: skip
LOGS = ("integrals: log of a partial integral", "integrals: log of an overlap",
        "integrals: log of TV", "integrals: log of an aggregate elsewhere")  # fmt: skip
SIGNED = ("calculus: a density is monotone", "calculus: triangle reversed", "calculus: entropy",
          "calculus: a log(a/b) + a - b", "calculus: a density is at most 1")  # fmt: skip
LEMMAS = ("lemmas: dominance of what stays", "lemmas: dominance of what comes",
          "lemmas: positivity", "lemmas: sqrt(a^2)")  # fmt: skip
REMOVED = [
    Guard("supports", "supports", True, (*POWERS[:2], *MEANS)),
    Guard("supports", "vanishes_with", True, (
        "vanishing: p^-1 p", "vanishing: integral of (p/q) q", "vanishing: log of a mean weight",
        "vanishing: f of a mean weight", "vanishing: sqrt(q (p/q))")),
    Guard("conditions", "Conditions.require", None, (*POWERS[1:3], *MEANS)),
    Guard("conditions", "Conditions.require_nonzero", None, (
        "integrals: 1/f", "calculus: 1/h", "calculus: 1/indicator", "calculus: 1/max",
        "index: 1/0 in a sum")),
    Guard("conditions", "Conditions.require_nonnegative", None, ROOTS),
    Guard("conditions", "Conditions.positive", True, POWERS),
    Guard("conditions", "Conditions.nonnegative", True, ROOTS),
    Guard("conditions", "Conditions.positive_integral", True, LOGS),
    Guard("conditions", "Conditions.is_random", False, ("a denominator of two points",)),
    Guard("conditions", "is_mean", True, POWERS[2:]),
    Guard("conditions", "may_end_at_0", False, (
        "at the end of a letter's range", "log(1 + h)", "a slope h")),
    Guard("algebra", "is_nonnegative", True, (
        *ROOTS[:2], "integrals: TV to a signed mixture", "integrals: |mean| is mean of ||",
        "integrals: max of a mean")),
    Guard("algebra", "is_positive", True, (POWERS[0], *POWERS[2:])),
    Guard("atoms", "_is_mean_of_positive", True, LOGS),
    Guard("certificates", "Signs.nonnegative", True, SIGNED),
    Guard("integrals", "may_be_0_at_isolated_values", False, (
        "a slope of 0", "a slope b+", "a slope h")),
    Guard("lemmas", "undischarged", "", LEMMAS),
    Guard("lemmas", "may_be_zero", "", ("0/0", "a+/a+", "n - 1", "two letters become one")),
    Guard("lemmas", "_loose_dominance", "", LEMMAS[:1]),
    Guard("judge", "_refused", "", (*LEMMAS[:2], "lemmas: an undefined root")),
]  # fmt: skip


def remove(guard: Guard) -> None:
    """For good, wherever it was imported; what was found with it is forgotten."""

    def answer(*_: Any, **__: Any) -> Any:
        return guard.answer

    modules = [importlib.import_module(f"{symbolic.__name__}.{one.name}")
               for one in pkgutil.iter_modules(symbolic.__path__)]  # fmt: skip
    for value in (v for there in modules for v in vars(there).values()):
        if isinstance(value, Memory):
            value._found.clear()
        elif hasattr(value, "cache_clear"):
            value.cache_clear()
    module = importlib.import_module(f"{symbolic.__name__}.{guard.module}")
    if "." in guard.name:
        cls, name = guard.name.split(".")
        assert hasattr(getattr(module, cls), name)
        setattr(getattr(module, cls), name, answer)
        return
    old = getattr(module, guard.name)
    for there in modules:
        for name, value in list(vars(there).items()):
            if value is old:
                setattr(there, name, answer)


def fates(guard: Guard) -> tuple[list[str], int, list[tuple[str, str, tuple[str, ...]]]]:
    """In a process of its own: which claims A then proves, how many certificates the kernel is
    shown, and what it accepts."""
    remove(guard)
    proved, shown, accepted = [], 0, []
    for name in guard.proves:
        made = TABLES[name]()
        claim, because = made if isinstance(made, tuple) else (made, ())
        because = because if isinstance(because, tuple) else (because,)
        if prove(as_claim(claim), because).proved:
            proved.append(name)
        try:
            said = stated(as_claim(claim), because)
        except (NoProof, NotationError):
            continue
        for way in ("", "all of signs", "all"):
            with without(way):
                tried = [outcome(one) for one in attempts(said, asking=not way)]
            shown += len(tried)
            for one in tried:
                if one is not None and one.claim is not None and not one.rejected:
                    is_ = worlds.truth(one.claim, random.Random(name), one.supposed)
                    accepted.append((name, is_, one.supposed))
    return proved, shown, accepted


@pytest.mark.parametrize("guard", REMOVED, ids=lambda g: g.name)
def test_what_a_proves_without_a_guard_the_kernel_does_not_verify(guard: Guard) -> None:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        proved, shown, accepted = pool.apply(fates, (guard,))
    assert proved == list(guard.proves)  # the guard is gone
    assert shown > len(proved) / 2
    for name, is_, supposed in accepted:
        by_result = any(law.startswith("the result") for law in supposed)
        assert is_ == "true" or by_result, (name, is_, supposed)
