"""Sums over a symbolic range: closed forms, positivity, a common factor out of a logarithm.

Every true claim has false neighbours, which no rule may prove.
"""

from __future__ import annotations

import pytest

from genmath.proof import (
    Density,
    E,
    Function,
    Sequence,
    absolute,
    arctan,
    diff,
    exp,
    fractions,
    integral,
    log,
    naturals,
    number,
    numeric,
    pi,
    positives,
    product,
    reals,
    sigmoid,
    softplus,
    total,
    variables,
)
from genmath.proof.language.claims import as_claim, equal
from genmath.proof.symbolic.judge import prove

i, k, n, K = naturals("i k n K")
a, b, c = reals("a b c")
s = Sequence("s")
w = Sequence("w", domain="positive")
v = Sequence("v", domain="nonnegative")
beta = fractions("beta")
r = positives("r")
x, z = variables("x z")
p, q = Density("p", x), Density("q", x)
joint = Density("j", x, z)
f = Function("f", positive=True)
g = Function("g")
F = Function("F", positive=True)
both = Density("b", x, z)
turned = E(Density("m", z)(z), F(x, z))
lse = log(exp(a) + exp(b))
three = log(exp(a) + exp(b) + exp(c))
whole, late, zeros = total(w[k], k, 1, K), total(w[k], k, 2, K), total(v[k], k, 1, K)


def edge(k):
    """A logistic distribution function half-way between k and k + 1."""
    return sigmoid((k + number(1) / 2 - a) / r)


def bin_of(k):
    return edge(k) - edge(k - 1)


TRUE = {
    "triangle": equal(total(i, i, 1, n), n * (n + 1) / 2),
    "squares": equal(total(i**2, i, 1, n), n * (n + 1) * (2 * n + 1) / 6),
    "cubes": equal(total(i**3, i, 1, n), total(i, i, 1, n) ** 2),
    "from k": equal(total(i, i, n, n + k), (k + 1) * (2 * n + k) / 2),
    "maybe empty": equal(total(i, i, 2, n), n * (n + 1) / 2 - 1),
    "geometric": equal(total(2 ** (i - 1), i, 1, n), 2**n - 1),
    "geometric in a letter": equal((1 - beta) * total(beta ** (i - 1), i, 1, n), 1 - beta**n),
    "with a factor": equal(total(c * 2**i, i, 1, n), c * (2 ** (n + 1) - 2)),
    "constant product": equal(product(beta, i, 1, n), beta**n),
    "product of products": equal(product(2 * w[i], i, 1, n), 2**n * product(w[i], i, 1, n)),
    "shift out of a sum": equal(total(exp(s[k] - a), k, 1, K), exp(-a) * total(exp(s[k]), k, 1, K)),
    "log-sum-exp": equal(lse, a + softplus(b - a)),
    "log-sum-exp the other way": equal(lse, b + log(1 + exp(a - b))),
    "log-sum-exp of three": equal(three, c + log(1 + exp(a - c) + exp(b - c))),
    "weighted": equal(log(r * exp(a) + 1), a + log(r + exp(-a))),
    "softmax": equal(log(exp(a) / (exp(a) + exp(b))), -softplus(b - a)),
    "a sum is positive": equal(log(2 * whole), log(number(2)) + log(whole)),
    "a mean is positive": equal(log(1 / E(p(x), f(x))), -log(E(p(x), f(x)))),
    "alternating": equal(total((-1) ** i * c, i, 1, n) + total((-1) ** (i + 1) * c, i, 1, n), 0),
    "alternating, closed": equal(total((-1) ** i, i, 1, n), ((-1) ** n - 1) / 2),
    "an even power of -1": equal((-1) ** (2 * n), 1),
    "telescoping": equal(total(s[i + 1] - s[i], i, 1, n), s[n + 1] - s[1]),
    "telescoping backwards": equal(total(s[i] - s[i - 1], i, 1, n), s[n] - s[0]),
    "telescoping by two": equal(
        total(s[i + 2] - s[i], i, 1, n), s[n + 2] + s[n + 1] - s[1] - s[2]
    ),
    "telescoping from k": equal(total(s[i + k] - s[i + k - 1], i, 1, n), s[n + k] - s[k]),
    "telescoping values": equal(total(g(i * r) - g((i - 1) * r), i, 1, n), g(n * r) - g(0)),
    "telescoping fractions": equal(total(1 / (i * (i + 1)), i, 1, n), 1 - number(1) / (n + 1)),
    "telescoping logarithms": equal(total(log(1 + number(1) / i), i, 1, n), log(n + 1)),
    "telescoping product": equal(product(w[i + 1] / w[i], i, 1, n), w[n + 1] / w[1]),
    "an index shifted": equal(total(s[i + 1] * w[i], i, 1, n), total(s[i] * w[i - 1], i, 2, n + 1)),
    "summation by parts": equal(
        total(i * (s[i + 1] - s[i]), i, 1, n), n * s[n + 1] - total(s[i], i, 1, n)
    ),
    "of two letters": equal(log(1 / E(joint(x, z), f(x * z))), -log(E(joint(x, z), f(x * z)))),
}  # fmt: skip

TRUE |= {
    "bins telescope": equal(total(bin_of(i), i, 1, n), edge(n) - edge(0)),
    "all bins": equal(edge(0) + total(bin_of(i), i, 1, n) + (1 - edge(n)), 1),
    "so many bins": equal(edge(0) + total(bin_of(i), i, 1, 254) + (1 - edge(254)), 1),
    "exponentials telescope": equal(
        total(exp(-(i + 1) * a) - exp(-i * a), i, 1, n), exp(-(n + 1) * a) - exp(-a)),
    "functions telescope": equal(
        total(arctan(i + 1) - arctan(i), i, 1, n), arctan(n + 1) - pi / 4),
}  # fmt: skip
FALSE = {
    "bins, one edge off": equal(total(bin_of(i), i, 1, n), edge(n) - edge(-1)),
    "bins that overlap": equal(total(edge(i) - edge(i - 2), i, 1, n), edge(n) - edge(0)),
    "bins of two widths": equal(
        total(edge(i) - sigmoid((i - number(1) / 2 - a) / beta), i, 1, n), edge(n) - edge(0)),
    "weighted bins": equal(total(i * bin_of(i), i, 1, n), n * edge(n) - edge(0)),
    "triangle + 1": equal(total(i, i, 1, n), n * (n + 1) / 2 + 1),
    "n - 1 for n + 1": equal(total(i, i, 1, n), n * (n - 1) / 2),
    "no half": equal(total(i, i, 1, n), n * (n + 1)),
    "squares for cubes": equal(total(i**3, i, 1, n), n * (n + 1) * (2 * n + 1) / 6),
    "from 2": equal(total(i, i, 2, n), n * (n + 1) / 2),
    "fifth powers": equal(total(i**5, i, 1, n), n**6 / 6 + n**5 / 2),
    "geometric, one more": equal(total(2**i, i, 1, n), 2**n - 1),
    "geometric, no denominator": equal(total(beta ** (i - 1), i, 1, n), 1 - beta**n),
    "product as a sum": equal(product(beta, i, 1, n), n * beta),
    "one factor more": equal(product(beta, i, 1, n), beta ** (n + 1)),
    "shift the wrong way": equal(total(exp(s[k] - a), k, 1, K), exp(a) * total(exp(s[k]), k, 1, K)),
    "log-sum-exp, sign": equal(lse, a + softplus(a - b)),
    "log-sum-exp, the larger": equal(lse, a),
    "log-sum-exp, product": equal(lse, a + b),
    "of three, one lost": equal(three, c + log(exp(a - c) + exp(b - c))),
    "weight out of place": equal(log(r * exp(a) + 1), a + log(1 + r * exp(-a))),
    "softmax, sign": equal(log(exp(a) / (exp(a) + exp(b))), softplus(b - a)),
    "a product of either sign": equal(absolute(product(a, i, 1, n)), product(a, i, 1, n)),
    "a product from 5": equal(product(beta, i, 5, n), beta ** (n - 4)),
    "a sum from 5": equal(total(i, i, 5, n), n * (n + 1) / 2 - 10),
    "a square under an integral": equal(E(p(x), turned**2), E(p(x), turned)),
    "alternating, odd for even": equal(total((-1) ** i, i, 1, n), ((-1) ** n + 1) / 2),
    "alternating, the same sign": equal(
        total((-1) ** i * c, i, 1, n) + total((-1) ** i * c, i, 1, n), 0
    ),
    "any power of -1": equal((-1) ** n, 1),
    "a power of -1 that may be odd": equal((-1) ** (n * (n + 1) / 2), 1),
    "telescoping, one short": equal(total(s[i + 1] - s[i], i, 1, n), s[n] - s[1]),
    "telescoping, from 0": equal(total(s[i + 1] - s[i], i, 1, n), s[n + 1] - s[0]),
    "telescoping, reversed": equal(total(s[i] - s[i + 1], i, 1, n), s[n + 1] - s[1]),
    "telescoping by two, as if by one": equal(total(s[i + 2] - s[i], i, 1, n), s[n + 2] - s[1]),
    "telescoping over what may be empty": equal(total(s[i + 1] - s[i], i, 5, n), s[n + 1] - s[5]),
    "telescoping fractions, off by one": equal(
        total(1 / (i * (i + 1)), i, 1, n), 1 - number(1) / n
    ),
    "telescoping fractions, without an end": equal(total(1 / (i * (i + 1)), i, 1, n), 1),
    "telescoping product, one short": equal(product(w[i + 1] / w[i], i, 1, n), w[n] / w[1]),
    "an index shifted, not the range": equal(total(s[i + 1], i, 1, n), total(s[i], i, 1, n + 1)),
    "summation by parts, one more": equal(
        total(i * (s[i + 1] - s[i]), i, 1, n), n * s[n + 1] - total(s[i], i, 1, n + 1)
    ),
    "a root under an integral": equal(E(p(x), turned ** (number(1) / 2)), 1),
    "a reciprocal under an integral": equal(E(p(x), 1 / turned), 1),
}  # fmt: skip

# What need not exist: a logarithm of a sum that may be empty, or of a mean that may be 0.
UNDEFINED = {
    "an empty sum": equal(log(2 * late), log(number(2)) + log(late)),
    "a sum of zeros": equal(log(2 * zeros), log(number(2)) + log(zeros)),
    "disjoint densities": equal(log(1 / E(p(x), q(x))), -log(E(p(x), q(x)))),
    "a mean of either sign": equal(log(1 / E(p(x), g(x))), -log(E(p(x), g(x)))),
    "ratio that may be 1": equal(total(r ** (i - 1), i, 1, n), (1 - r**n) / (1 - r)),
    "a derivative is no density": equal(
        log(1 / integral(diff(p(x), x) * f(x), x)), -log(integral(diff(p(x), x) * f(x), x))
    ),
    "a joint density along a line": equal(
        log(1 / integral(both(x, z) * f(x), x)), -log(integral(both(x, z) * f(x), x))
    ),
    "shifted to where it is not defined": equal(
        total(1 / i - number(1) / (i - 1), i, 1, n), number(1) / n - 1
    ),
    "a density at one point": equal(log(1 / (p(x) * f(x))), -log(p(x) * f(x))),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_true(name: str) -> None:
    assert numeric.compare(TRUE[name]).verdict == "agree"
    result = prove(TRUE[name])
    assert result.proved, result.reason


@pytest.mark.parametrize("name", FALSE)
def test_false(name: str) -> None:
    assert not prove(FALSE[name]).proved
    assert numeric.compare(FALSE[name]).verdict == "refuted"


@pytest.mark.parametrize("name", UNDEFINED)
def test_undefined(name: str) -> None:
    assert not prove(UNDEFINED[name]).proved


u = positives("u")
pa, pb, pc = positives("a_1 b_1 c_1")


@pytest.mark.parametrize(
    "certificate",
    [
        u - 1 - log(u),
        pa * log(pa / pb) - pa + pb + pc * log(pc / r) - pc + r,
        pa * log(pa / pb) - pa + pb + (pc * log(pc / r) - pc + r),
        -pa + (pa * log(pa / pb) + pb) + u**2,
    ],
)
def test_gaps_of_the_logarithm_however_grouped(certificate) -> None:
    assert prove(as_claim(certificate >= 0)).proved


@pytest.mark.parametrize(
    "certificate",
    [
        u - 2 - log(u),
        u - log(u) - u,
        2 * u - 1 - log(u) - u * 2,
        pa * log(pa / pb) - pb + pa,
        pa * log(pa / pb) - pa + pb - pb,
        pa * log(pb / pa) - pa + pb,
        u - 1 - log(u) - log(u),
        pa * log(pa / pb) + pc * log(pc / pb) - pa + pb - pc,
    ],
)
def test_no_gap(certificate) -> None:
    assert not prove(as_claim(certificate >= 0)).proved


def test_few_terms_from_a_letter_on_and_none() -> None:
    m = Sequence("m")
    for one, other in (
        (total(m[i], i, n + 1, n), 0),
        (product(m[i], i, n + 1, n), 1),
        (total(m[i], i, n, n + 1), m[n] + m[n + 1]),
        (product(m[i], i, n, n + 2), m[n] * m[n + 1] * m[n + 2]),
    ):
        assert prove(equal(one, other)).proved
    for one, wrong in (
        (total(m[i], i, n + 1, n), m[n]),
        (product(m[i], i, n + 1, n), 0),
        (total(m[i], i, n, n + 1), m[n]),
        (product(m[i], i, n, n + 2), m[n] * m[n + 2]),
        (total(m[i], i, n + 3, n), -m[n + 1] - m[n + 2]),
    ):
        assert not prove(equal(one, wrong)).proved


def test_an_index_that_begins_at_0_meets_one_that_begins_at_1() -> None:
    m = Sequence("m")
    shifted = total(m[i + 1], i, 0, n - 1)
    assert prove(equal(shifted, total(m[i], i, 1, n))).proved
    assert not prove(equal(shifted, total(m[i], i, 0, n))).proved
    assert not prove(equal(shifted, total(m[i], i, 1, n - 1))).proved
    weighted = total(i * m[i - 1], i, 1, n)
    assert prove(equal(weighted, total((i + 1) * m[i], i, 0, n - 1))).proved
    assert not prove(equal(weighted, total((i + 1) * m[i], i, 1, n - 1))).proved
