"""Attacks on the prover: none of the false claims below may be proved; the true ones beside them
are. Algebra, roots and logarithms, Gaussian calculus, derivatives, vectors, sums, definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from genmath.proof.language.claims import Claim, as_claim, equal
from genmath.proof.language.notation import (
    KL,
    Density,
    E,
    Function,
    H,
    Normal,
    NotationError,
    Number,
    Sequence,
    absolute,
    copies,
    covariances,
    define,
    det,
    diff,
    dot,
    exp,
    fractions,
    identity,
    indicator,
    integral,
    inverse,
    log,
    log_gap,
    mean_vectors,
    naturals,
    nonnegatives,
    norm2,
    number,
    pi,
    positive_part,
    positives,
    product,
    reals,
    sigmoid,
    softplus,
    sqrt,
    tangent_gap,
    total,
    trace,
    transpose,
    variables,
    vectors,
)
from genmath.proof.language.obligations import obligations
from genmath.proof.language.tree import Node, Relation
from genmath.proof.symbolic.judge import prove

x, y, z = variables("x y z")
x1, x2 = copies(x, 2)
a, b, c = reals("a b c")
s, t, u = positives("s t u")
q0, q1 = nonnegatives("q0 q1")
al, be = fractions("alpha beta")
n, m, i, j = naturals("n m i j")
one, two, three, eight = number(1), number(2), number(3), number(8)
X, Y, Z = vectors("X Y Z")
V, W = mean_vectors("V W")
C, D = covariances("C D")
f, h = Function("f"), Function("h")
g = Function("g", convex=True)
r, v, p = Density("r", x), Density("v", x), Density("p", x, z)
d = Density("d", x, dominates=r)
k = Density("k", x, given=z)
sq = Sequence("sq")
ps, ng = Sequence("ps", domain="positive"), Sequence("ng", domain="nonnegative")
un = Sequence("un", domain="unit")

Table = dict[str, Callable[[], Claim | Relation]]


def ratio(e: Node) -> Claim:
    """u/u = 1, which is false where u is 0 by identity or on a set of positive measure."""
    return equal(e / e, 1)


def inverse_slope(e: Node) -> Claim:
    """The integral of N(u x; 0, 1) over x is 1/|u|, but for u = 0."""
    return equal(absolute(e) * integral(Normal(e * x, 0, 1), x), 1)


FALSE: Table = {
    # roots of what may be negative
    "sqrt(a) cancels": lambda: equal(sqrt(a) - sqrt(a), 0),
    "0 sqrt(a)": lambda: equal(0 * sqrt(a), 0),
    "sqrt(a)^0": lambda: equal(sqrt(a) ** 0, 1),
    "sqrt(-4) cancels": lambda: equal(sqrt(number(-4)) - sqrt(number(-4)), 0),
    "sqrt(a) >= 0": lambda: sqrt(a) >= 0,
    "cube root cancels": lambda: equal(a ** (one / 3) - a ** (one / 3), 0),
    "sqrt(a)/sqrt(a)": lambda: ratio(sqrt(a)),
    "sqrt(a)^2": lambda: equal(sqrt(a) ** 2, a),
    "sqrt(a^2) = a": lambda: equal(sqrt(a**2), a),
    "sqrt(ab)": lambda: equal(sqrt(a * b), sqrt(a) * sqrt(b)),
    "(-8)^(1/3)": lambda: equal(number(-8) ** (one / 3), -2),
    "(-8)^(2/3)": lambda: equal(number(-8) ** (two / 3), 4),
    "sqrt(-1)^2": lambda: equal(number(-1) ** (one / 2) * number(-1) ** (one / 2), -1),
    "(a^3)^(1/3)": lambda: equal((a**3) ** (one / 3), a),
    "((-s)^3)^(1/3)": lambda: equal(((-s) ** 3) ** (one / 3), -s),
    "(a^4)^(1/4)": lambda: equal((a**4) ** (one / 4), a),
    "(a^6)^(1/2)": lambda: equal((a**6) ** (one / 2), a**3),
    "(a^2)^(3/2)": lambda: equal((a**2) ** (three / 2), a**3),
    "sqrt(a^2 s)": lambda: equal(sqrt(a**2 * s), a * sqrt(s)),
    "sqrt((s-t)^2)": lambda: equal(sqrt(s**2 - 2 * s * t + t**2), s - t),
    "sqrt((q0-q1)^2)": lambda: equal(sqrt(q0**2 - 2 * q0 * q1 + q1**2), q0 - q1),
    "sqrt(1/a^2)": lambda: equal(sqrt(1 / a**2), 1 / a),
    "sqrt(alpha)": lambda: equal(sqrt(al), al),
    "sqrt 2 + sqrt 3": lambda: equal(sqrt(two) + sqrt(three), sqrt(number(5))),
    "the other root of 3 - 2 sqrt 2": lambda: equal(sqrt(3 - 2 * sqrt(two)), 1 - sqrt(two)),
    "nested root": lambda: equal(sqrt(1 + sqrt(s)) ** 2, 1 + s),
    "sqrt(r - v) cancels": lambda: equal(sqrt(r(x) - v(x)) - sqrt(r(x) - v(x)), 0),
    "sqrt((r-v)^2)": lambda: equal(sqrt((r(x) - v(x)) ** 2), r(x) - v(x)),
    "AM-GM for reals": lambda: (a + b) / 2 >= sqrt(a * b),
    "root under a normal": lambda: equal(E(Normal(x, 0, 1), sqrt(x) - sqrt(x)), 0),
    # 1/f of a quantity whose sign is unknown
    "|1/(r-v)|": lambda: equal(absolute(1 / (r(x) - v(x))), 1 / (r(x) - v(x))),
    "|1/E f|": lambda: equal(absolute(1 / E(r(x), f(x))), 1 / E(r(x), f(x))),
    "|a/E f|": lambda: equal(absolute(a / E(r(x), f(x))), absolute(a) / E(r(x), f(x))),
    "sqrt(1/(E f)^2)": lambda: equal(sqrt(1 / E(r(x), f(x)) ** 2), 1 / E(r(x), f(x))),
    # logarithms
    "log(a^2) = 2 log a": lambda: equal(log(a**2), 2 * log(a)),
    "log(ab)": lambda: equal(log(a * b), log(a) + log(b)),
    "log(-s) cancels": lambda: equal(log(-s) - log(-s), 0),
    "log(s-t) cancels": lambda: equal(log(s - t) - log(s - t), 0),
    "log(a^2+b)": lambda: equal(exp(log(a**2 + b)), a**2 + b),
    "log((-a^2-1)^3)": lambda: equal(log((-(a**2) - 1) ** 3), 3 * log(a**2 + 1)),
    "log(0) cancels": lambda: equal(log(number(0)) - log(number(0)), 0),
    "0 log(0)": lambda: equal(0 * log(number(0)), 0),
    "log(-1)": lambda: equal(log(number(-1)) * 2, log(one)),
    "log_gap of a real": lambda: log_gap(a) >= 0,
    "log s >= 0": lambda: log(s) >= 0,
    "log((s+a)/s) >= 0": lambda: log((s + a) / s) >= 0,
    "sigmoid is odd": lambda: equal(sigmoid(a), -sigmoid(-a)),
    "sigmoid(a+b)": lambda: equal(sigmoid(a + b), sigmoid(a) * sigmoid(b)),
    "logit": lambda: equal(sigmoid(log(al)), al),
    "softplus": lambda: equal(softplus(a) + softplus(-a), absolute(a)),
    # powers and exponentials
    "(s+t)^a": lambda: equal((s + t) ** a, s**a + t**a),
    "a^b cancels": lambda: equal(a**b - a**b, 0),
    "(-2)^n": lambda: equal(number(-2) ** n, two**n),
    "s^a >= 1": lambda: s**a >= 1,
    "exp tower": lambda: equal(exp(exp(a) + exp(b)), exp(exp(a + b))),
    "22/7": lambda: equal(pi, number(22) / 7),
    "e to 50 digits": lambda: equal(
        exp(one), number("2.71828182845904523536028747135266249775724709369995")
    ),
    "a tiny rational": lambda: equal(a + number("1e-60"), a),
    # absolute values and indicators
    "|a+b|": lambda: equal(absolute(a + b), absolute(a) + absolute(b)),
    "|s-t|": lambda: equal(absolute(s - t), s - t),
    "|q0-s|": lambda: equal(absolute(q0 - s), q0 + s),
    "|a|^3": lambda: equal(absolute(a) ** 3, a**3),
    "|a/b|": lambda: equal(absolute(a / b), absolute(a) / b),
    "|a-1|(a+1)": lambda: equal(absolute(a - 1) * (a + 1), absolute(a**2 - 1)),
    "both indicators": lambda: equal(indicator(a > 0) + indicator(0 - a > 0), 1),
    "indicator(-2a)": lambda: equal(indicator(-2 * a > 0), indicator(a > 0)),
    "indicator(ba)": lambda: equal(indicator(b * a > 0), indicator(a > 0)),
    "indicator(ab)": lambda: equal(indicator(a * b > 0), indicator(a > 0) * indicator(b > 0)),
    "indicator(q0 > 0)": lambda: equal(indicator(q0 > 0), 1),
    "indicator(r > 0)": lambda: equal(indicator(r(x) > 0), 1),
    "a indicator(-a)": lambda: equal(a * indicator(-a > 0), positive_part(-a)),
    "(a-b) indicator(b > a)": lambda: equal((a - b) * indicator(b > a), positive_part(a - b)),
    "positive parts": lambda: equal(positive_part(a) * positive_part(b), positive_part(a * b)),
    # denominators that vanish on an interval
    "a+/a+": lambda: ratio(positive_part(a)),
    "indicator/indicator": lambda: ratio(indicator(a > 0)),
    "f/f": lambda: ratio(f(a)),
    "r/r": lambda: ratio(r(x)),
    "(v+r)/(v+r)": lambda: ratio(v(x) + r(x)),
    "E f/f": lambda: equal(E(Normal(x, 0, 1), f(x) / f(x)), 1),
    "E v/v": lambda: equal(E(r(x), v(x) / v(x)), 1),
    "E a+/a+": lambda: equal(E(Normal(x, 0, 1), positive_part(x) / positive_part(x)), 1),
    "sum of a+ / itself": lambda: ratio(total(positive_part(sq[i]), i, 1, n)),
    "product of f / itself": lambda: ratio(product(f(i), i, 1, n)),
    "a denominator of two points": lambda: equal(
        r(x1) * r(x2) * ((x1 - x2) / (x1 - x2)), r(x1) * r(x2)
    ),
    # ... or everywhere
    "0/0": lambda: equal(number(0) / number(0), 0),
    "1/0 cancels": lambda: equal(1 / number(0) - 1 / number(0), 0),
    "0^-1 cancels": lambda: equal(number(0) ** -1 - number(0) ** -1, 0),
    "zero by expansion": lambda: ratio((a - b) ** 2 - a**2 + 2 * a * b - b**2),
    "zero by fractions": lambda: ratio(s / (s + t) + t / (s + t) - 1),
    "zero by sigmoid": lambda: ratio(sigmoid(a) + sigmoid(-a) - 1),
    "zero by roots": lambda: ratio(sqrt(s) * sqrt(s + t) - sqrt(s**2 + s * t)),
    "zero by nested roots": lambda: ratio(sqrt(3 + 2 * sqrt(two)) - 1 - sqrt(two)),
    "zero by e": lambda: ratio(exp(s / (s + t)) * exp(t / (s + t)) - exp(one)),
    "zero by |s+q0|": lambda: ratio(absolute(s + q0) - s - q0),
    "zero by |ab|": lambda: ratio(absolute(a * b) - absolute(a) * absolute(b)),
    "zero by logs": lambda: ratio(log(s * t) - log(s) - log(t)),
    "zero by softplus": lambda: ratio(log(1 + exp(a)) - a - log(1 + exp(-a))),
    "zero by logs of roots": lambda: ratio(log(3 + 2 * sqrt(two)) - 2 * log(1 + sqrt(two))),
    "zero by log 1": lambda: ratio(total(log(i), i, 1, 1)),
    "zero by log 4": lambda: ratio(total(log(i), i, 1, 4) - 3 * log(two) - log(three)),
    "zero by a variance": lambda: ratio(E(Normal(x, 0, 1), x**2) - 1),
    "zero by parts": lambda: ratio(E(Normal(x, 0, 1), x * f(x)) - E(Normal(x, 0, 1), f.prime(x))),
    "zero by a bell": lambda: ratio(Normal(x, 0, 1) * sqrt(2 * pi) - exp(-(x**2) / 2)),
    "zero by a sum": lambda: ratio(total(i, i, 1, n) - n * (n + 1) / 2),
    "zero by telescoping": lambda: ratio(total(sq[i + 1] - sq[i], i, 1, n) - sq[n + 1] + sq[1]),
    "zero by a shift": lambda: ratio(product(ps[i + 1], i, 1, n) - product(ps[i], i, 2, n + 1)),
    "zero by squares": lambda: ratio(product(ps[i] ** 2, i, 1, n) - product(ps[i], i, 1, n) ** 2),
    "zero in an exponent": lambda: equal(one ** (1 / ((a - b) ** 2 - a**2 + 2 * a * b - b**2)), 1),
    "slope zero by roots": lambda: inverse_slope(sqrt(3 + 2 * sqrt(two)) - 1 - sqrt(two)),
    "slope f": lambda: inverse_slope(f(a)),
    "slope a+": lambda: inverse_slope(positive_part(a)),
    # ... or at an integer
    "(n-3)/(n-3)": lambda: ratio(n - 3),
    "(n-1)/(n-1)": lambda: ratio(n - 1),
    "slope n-3": lambda: inverse_slope(n - 3),
    "1/(i-2) cancels": lambda: equal(total(1 / (i - 2), i, 1, n) - total(1 / (i - 2), i, 1, n), 0),
    "(i-2)/(i-2)": lambda: equal(total((i - 2) / (i - 2), i, 1, n), n),
    "(i-2)/(i-2) to 3": lambda: equal(total((i - 2) / (i - 2), i, 1, 3), 3),
    "(i-2)^2/(i-2) to 3": lambda: equal(total((i - 2) ** 2 / (i - 2), i, 1, 3), 0),
    "product of (i-2)/(i-2)": lambda: equal(product((i - 2) / (i - 2), i, 1, n), 1),
    # infinity is no number
    "1/product of n-i": lambda: equal(1 / product(n - i, i, 1, n - 1), 0),
    "1/product with a zero at n": lambda: equal(1 / product(sq[i] - sq[n], i, 1, n - 1), 0),
    "1/product of 0": lambda: equal(1 / product(number(0), i, 1, n - 1), 0),
    "product of 0 to n-1": lambda: equal(product(number(0), i, 1, n - 1), 0),
    "1/sum of 1/(n-i)": lambda: equal(1 / total(1 / (n - i), i, 1, n - 1), 0),
    "1/sum with a pole at n": lambda: equal(1 / total(1 / (sq[i] - sq[n]), i, 1, n - 1), 0),
    "1/sum of 1/(i-2)": lambda: equal(1 / total(1 / (i - 2), i, 1, 3), 0),
    "1/sum of 1/(sq[i]-sq[1])": lambda: equal(1 / total(1 / (sq[i] - sq[1]), i, 1, 3), 0),
    # sums and products over an index
    "sum up to a real": lambda: equal(total(1, i, 1, s), s),
    "sum up to n/2": lambda: equal(total(1, i, 1, n / 2), n / 2),
    "sum to n-2": lambda: equal(total(1, i, 1, n - 2), n - 2),
    "sum from m": lambda: equal(total(1, i, m, n), n - m + 1),
    "split off too much": lambda: equal(
        total(sq[i], i, 1, n - 1), total(sq[i], i, 1, n - 2) + sq[n - 1]
    ),
    "split at m": lambda: equal(
        total(sq[i], i, 1, n), total(sq[i], i, 1, m) + total(sq[i], i, m + 1, n)
    ),
    "telescope": lambda: equal(total(sq[i + 1] - sq[i], i, 1, n), sq[n] - sq[1]),
    "telescope from m": lambda: equal(total(sq[i + 1] - sq[i], i, m, n), sq[n + 1] - sq[m]),
    "shift": lambda: equal(total(sq[i + 1], i, 1, n), total(sq[i], i, 1, n)),
    "empty sum": lambda: equal(total(sq[i], i, 3, 1), -sq[2]),
    "empty sum at n": lambda: equal(total(sq[i], i, n + 2, n), -sq[n + 1]),
    "empty product": lambda: equal(product(sq[i], i, 3, 1), 1 / sq[2]),
    "product of -1": lambda: equal(product(number(-1), i, 1, n), -1),
    "product of -s": lambda: equal(product(-ps[i], i, 1, n), -product(ps[i], i, 1, n)),
    "log of a product of reals": lambda: equal(
        log(product(sq[i], i, 1, n)), total(log(sq[i]), i, 1, n)
    ),
    "product of 1-u": lambda: equal(product(1 - un[i], i, 1, n), 1 - product(un[i], i, 1, n)),
    "sum of products": lambda: equal(
        total(sq[i] * ps[i], i, 1, n), total(sq[i], i, 1, n) * total(ps[i], i, 1, n)
    ),
    "captured index": lambda: equal(
        total(total(sq[i] * ps[j], i, 1, j), j, 1, n), total(total(sq[j] * ps[j], i, 1, j), j, 1, n)
    ),
    "a limit is not its index": lambda: equal(total(i, i, 1, i), i * i),
    "|i| from -3": lambda: equal(total(absolute(i), i, -3, n), total(i, i, -3, n)),
    "|i-2|": lambda: equal(total(absolute(i - 2), i, 1, n), total(i - 2, i, 1, n)),
    "sqrt(i^2) from -n": lambda: equal(total(sqrt(i**2), i, 0 - n, n), total(i, i, 0 - n, n)),
    "sqrt(i-2) cancels": lambda: equal(
        total(sqrt(i - 2), i, 1, n) - total(sqrt(i - 2), i, 1, n), 0
    ),
    "sum from -2": lambda: total(i, i, -2, n) >= 0,
    "sum of sums from i-3": lambda: total(total(j, j, i - 3, i - 3), i, 1, n) >= 0,
    "product at -1": lambda: product(i, i, -1, -1) >= 0,
    "index n/2": lambda: equal(sq[n / 2] - sq[n / 2], 0),
    "index x": lambda: equal(sq[x] - sq[x], 0),
    "derivative by an index": lambda: equal(total(diff(i**2, i), i, 1, 3), 12),
    # normal densities
    "sd for variance": lambda: equal(E(Normal(x, a, s), x**2), a**2 + s**2),
    "sixth moment": lambda: equal(E(Normal(x, 0, s), x**6), 12 * s**3),
    "variance a": lambda: equal(E(Normal(x, 0, a), x**2), a),
    "variance -s": lambda: equal(E(Normal(x, 0, -s), x**2), -s),
    "variance s-t": lambda: equal(E(Normal(x, 0, s - t), x**2), s - t),
    "variance 1-2 alpha": lambda: equal(E(Normal(x, 0, 1 - 2 * al), x**2), 1 - 2 * al),
    "variance 0": lambda: equal(E(Normal(x, a, 0), x**2), a**2),
    "marginal": lambda: equal(
        integral(Normal(x, a * z, s) * Normal(z, b, t), z), Normal(x, a * b, s + t)
    ),
    "scaled normal": lambda: equal(integral(Normal(2 * x, 0, 1), x), 1),
    "scaled by -2": lambda: equal(integral(Normal(-2 * x, 0, 1), x), -one / 2),
    "scaled by a": lambda: equal(integral(Normal(a * x, 0, 1), x), 1 / a),
    "even, but not about 0": lambda: equal(Normal(-x, a, s), Normal(x, a, s)),
    "density of a scaled point": lambda: equal(Normal(x / 2, 0, s), Normal(x, 0, 4 * s)),
    "product of normals": lambda: equal(
        Normal(x, a, s) * Normal(x, b, t), Normal(x, (a * t + b * s) / (s + t), s * t / (s + t))
    ),
    "nonlinear mean": lambda: equal(E((Normal(z, 0, 1), Normal(x, z**2, s)), x**2), 1 + s),
    "random variance": lambda: equal(E((Normal(z, 0, 1), Normal(x, 0, z**2 + 1)), x**4), 12),
    "mean f(z)": lambda: equal(
        E((Normal(z, 0, 1), Normal(x, f(z), s)), x**2), E(Normal(z, 0, 1), f(z) ** 2)
    ),
    "its own mean": lambda: equal(E(Normal(x, x, s), 1), 1),
    "in a circle": lambda: equal(E((Normal(x, y, 1), Normal(y, x, 1)), x - y), 0),
    "copies": lambda: equal(E((Normal(x1, a, s), Normal(x2, a, s)), (x1 - x2) ** 2), 0),
    "ratio of bells": lambda: equal(Normal(x, 0, 1) / Normal(x, 1, 1), exp(one / 2 + x)),
    "tilt": lambda: equal(E(Normal(x, a, s), exp(b * x)), exp(a * b + b**2 * s)),
    "quadratic tilt": lambda: equal(E(Normal(x, 0, 1), exp(-(x**2) / 2)), one / 2),
    "tilt of unknown sign": lambda: equal(E(Normal(x, 0, 1), exp(-a * x**2 / 2)), 1 / sqrt(1 + a)),
    "diverging tilt": lambda: equal(E(Normal(x, 0, 1), exp(x**2)), 1),
    "cubic tilt": lambda: equal(E(Normal(x, 0, 1), exp(-(x**3))), 1),
    "tilt by |x|": lambda: equal(E(Normal(x, 0, 1), exp(-sqrt(x**2))), 1),
    "E 1/x": lambda: equal(E(Normal(x, 0, 1), 1 / x), 0),
    "entropy": lambda: equal(H(Normal(x, a, s)), log(2 * pi * s) / 2),
    "KL of normals": lambda: equal(
        KL(Normal(x, a, s), Normal(x, b, t)), (log(s / t) + (s + (a - b) ** 2) / t - 1) / 2
    ),
    "KL of no density": lambda: equal(KL(-r(x), -r(x), over=x), 0),
    "KL of a difference": lambda: equal(KL(r(x) - v(x), r(x) - v(x)), 0),
    "KL, arguments swapped": lambda: equal(E(r(x), log(r(x) / d(x))), KL(d(x), r(x))),
    "importance weights": lambda: equal(E(v(x), r(x) / v(x) * f(x)), E(r(x), f(x))),
    "reversed importance weights": lambda: equal(E(r(x), d(x) / r(x)), 1),
    "expectation of a product": lambda: equal(E(r(x), f(x)) * E(r(x), h(x)), E(r(x), f(x) * h(x))),
    "letters of different laws": lambda: equal(
        E((Normal(x, 0, 1), Normal(y, 0, 2)), f(x, y)),
        E((Normal(x, 0, 1), Normal(y, 0, 2)), f(y, x)),
    ),
    "letters of different spaces": lambda: equal(
        E((r(x), Normal(z, 0, 1)), f(x, z)), E((r(x), Normal(z, 0, 1)), f(z, x))
    ),
    "the other marginal": lambda: equal(E(p(x, z), f(x)), E(p(z), f(z))),
    # arbitrary functions under a normal density
    "Stein, sign": lambda: equal(
        E(Normal(x, a, s), (x - a) * f(x)), -s * E(Normal(x, a, s), f.prime(x))
    ),
    "Stein, chain": lambda: equal(
        E(Normal(x, 0, s), x * f(2 * x)), s * E(Normal(x, 0, s), f.prime(2 * x))
    ),
    "second derivative": lambda: equal(
        E(Normal(x, 0, 1), diff(f.prime(x), x)), E(Normal(x, 0, 1), f(x) * (x**2 + 1))
    ),
    "parts with |x|": lambda: equal(
        E(Normal(x, 0, 1), f.prime(x) * absolute(x)), E(Normal(x, 0, 1), f(x) * x * absolute(x))
    ),
    "parts with an indicator": lambda: equal(
        E(Normal(x, 0, 1), f.prime(x) * indicator(x > 0)),
        E(Normal(x, 0, 1), f(x) * x * indicator(x > 0)),
    ),
    "parts without a density": lambda: equal(integral(f.prime(x), x), 0),
    "f(-x) off centre": lambda: equal(E(Normal(x, a, s), f(x)), E(Normal(x, a, s), f(-x))),
    "f(sx)": lambda: equal(E(Normal(x, 0, 1), f(s * x)), E(Normal(x, 0, s), f(x))),
    "f(q0 x)": lambda: equal(E(Normal(x, 0, 1), f(q0 * x)), E(Normal(x, 0, 1), f(x))),
    "f(x) h(-x)": lambda: equal(E(Normal(x, 0, 1), f(x) * h(-x)), E(Normal(x, 0, 1), f(x) * h(x))),
    "f(-x) indicator": lambda: equal(
        E(Normal(x, 0, 1), f(-x) * indicator(x > 0)), E(Normal(x, 0, 1), f(x) * indicator(x > 0))
    ),
    "change of variable, |x|": lambda: equal(
        E(Normal(x, 0, 4), f(x / 2) * absolute(x)), E(Normal(x, 0, 1), f(x) * absolute(x))
    ),
    "heat equation": lambda: equal(
        diff(E(Normal(x, a, s), f(x)), s), E(Normal(x, a, s), diff(f.prime(x), x))
    ),
    "f is additive": lambda: equal(f(a + b), f(a) + f(b)),
    "f(a, b) = f(b, a)": lambda: equal(f(a, b), f(b, a)),
    "f of one and two": lambda: equal(f(a), f(a, b)),
    "gap of any f": lambda: tangent_gap(f, a, b) >= 0,
    "gap at the wrong end": lambda: g(a) - g(b) - g.prime(a) * (a - b) >= 0,
    # derivatives
    "inner letter of alpha": lambda: equal(diff(al**2, al), 2 * al / (1 + al)),
    "sqrt(1-alpha)'": lambda: equal(diff(sqrt(1 - al), al), 1 / (2 * sqrt(1 - al))),
    "|a|'": lambda: equal(diff(absolute(a), a), 1),
    "sqrt(a^2)'": lambda: equal(diff(sqrt(a**2), a), 1),
    "derivative by a bound letter": lambda: equal(diff(E(Normal(x, 0, 1), x**2), x), 1),
    "chain": lambda: equal(diff(f(2 * a), a), f.prime(2 * a)),
    "f(-a)'": lambda: equal(diff(f(-a), a), f.prime(-a)),
    "partial of f(a, b)": lambda: equal(diff(f(a, b), a), 0),
    "derivative of a density": lambda: equal(diff(k(x | z), z), 0),
    "s^s": lambda: equal(diff(s**s, s), s**s),
    "2^a": lambda: equal(diff(two**a, a), two**a),
    "derivative of a normal": lambda: equal(
        diff(Normal(x, a, s), a), (a - x) / s * Normal(x, a, s)
    ),
    "score": lambda: equal(
        diff(log(Normal(x, sqrt(al) * a, 1 - al)), x), -(x - sqrt(al) * a) / sqrt(1 - al)
    ),
    "Fisher information": lambda: equal(E(Normal(x, a, s), diff(log(Normal(x, a, s)), x) ** 2), s),
    "derivative of a product": lambda: equal(diff(product(a, i, 1, n), a), 0),
    "derivative of a sum": lambda: equal(
        diff(total(f(i * a), i, 1, n), a), total(f.prime(i * a), i, 1, n)
    ),
    # definitions
    "one name, two meanings": lambda: equal(define("w", a), define("w", b)),
    "named like a letter": lambda: equal(define("a", b**2), a),
    "definition under a binder": lambda: equal(
        E(Normal(x, 0, s), define("w", x**2)), define("w", x**2)
    ),
    "definition captured": lambda: equal(
        E(Normal(x, 0, s), define("w", x) * y**2), define("w", x) * y**2
    ),
    "definition under an index": lambda: equal(
        total(define("w", sq[i]), i, 1, n), n * define("w", sq[i])
    ),
    "derivative of a definition": lambda: equal(diff(define("w", a**2) * a, a), a**2),
    "definition of a zero": lambda: ratio(define("w", a - a)),
    "definition of a hidden zero": lambda: ratio(define("w", s / (s + t) + t / (s + t) - 1)),
    "half a zero defined": lambda: ratio(define("w", s / (s + t)) + t / (s + t) - 1),
    "two definitions, a zero": lambda: ratio(define("w", a + b) - define("w_2", a) - b),
    "definition of a+": lambda: ratio(define("w", positive_part(a))),
    "definition of f": lambda: ratio(define("w", f(a))),
    "definition of n-1": lambda: ratio(define("w", n - 1)),
    "defined slope": lambda: inverse_slope(define("w", a + b) - define("w_2", a) - b),
    "defined root": lambda: equal(sqrt(define("w", a) ** 2), define("w", a)),
    "defined variance": lambda: equal(E(Normal(x, 0, define("w", a)), x**2), a),
    "log of a definition": lambda: equal(log(define("w", -s)) - log(define("w", -s)), 0),
    "defined sqrt(a) cancels": lambda: equal(define("w", sqrt(a)) - define("w", sqrt(a)), 0),
    "defined limit": lambda: equal(total(1, i, 1, define("w", s)), s),
    "defined signs": lambda: equal(indicator(define("w", a) > 0), indicator(define("w_2", -a) > 0)),
    # signs
    "a^3 >= 0": lambda: a**3 >= 0,
    "a^2 - 1 >= 0": lambda: a**2 - 1 >= 0,
    "a^2 + b >= 0": lambda: a**2 + b >= 0,
    "s/(t-1) >= 0": lambda: s / (t - 1) >= 0,
    "s/a >= 0": lambda: s / a >= 0,
    "alpha >= beta": lambda: al - be >= 0,
    "n >= 2": lambda: n - 2 >= 0,
    "u_n >= 1/2": lambda: un[n] >= one / 2,
    "sum of reals >= 0": lambda: total(sq[i], i, 1, n) >= 0,
    "E (r - v) >= 0": lambda: E(r(x), r(x) - v(x)) >= 0,
    "g >= 0": lambda: g(a) >= 0,
}

TRUE: Table = {
    "sqrt(a^2)": lambda: equal(sqrt(a**2), absolute(a)),
    "sqrt(a^2 s)": lambda: equal(sqrt(a**2 * s), absolute(a) * sqrt(s)),
    "((-8)^2)^(1/6)": lambda: equal((number(-8) ** 2) ** (one / 6), 2),
    "8^(2/3)": lambda: equal(eight ** (two / 3), 4),
    "2^(1/2) 2^(1/3)": lambda: equal(two ** (one / 2) * two ** (one / 3), two ** (number(5) / 6)),
    "1/(sqrt 2 - 1)": lambda: equal(1 / (sqrt(two) - 1), sqrt(two) + 1),
    "nested root": lambda: equal(sqrt(1 + sqrt(s)) ** 2, 1 + sqrt(s)),
    "log((-s)(-t))": lambda: equal(log((-s) * (-t)), log(s) + log(t)),
    "log 6": lambda: equal(log(number(6)), log(two) + log(three)),
    "s^a t^a": lambda: equal(s**a * t**a, (s * t) ** a),
    "exp tower": lambda: equal(exp(exp(a) + exp(b)), exp(exp(a)) * exp(exp(b))),
    "log sigmoid": lambda: equal(log(sigmoid(a)), -softplus(-a)),
    "softplus": lambda: equal(softplus(a) - softplus(-a), a),
    "logit": lambda: equal(sigmoid(log(al / (1 - al))), al),
    "|a-b|": lambda: equal(absolute(a - b), absolute(b - a)),
    "a indicator": lambda: equal(a * indicator(a > 0), positive_part(a)),
    "r indicator(r > 0)": lambda: equal(integral(indicator(r(x) > 0) * r(x), x), 1),
    "E r/r": lambda: equal(E(r(x), r(x) / r(x)), 1),
    "sum to n-1": lambda: equal(total(1, i, 1, n - 1), n - 1),
    "split": lambda: equal(total(sq[i], i, 1, n), total(sq[i], i, 1, n - 1) + sq[n]),
    "empty product": lambda: equal(product(sq[i], i, 3, 1), 1),
    "log of a product": lambda: equal(log(product(ps[i], i, 1, n)), total(log(ps[i]), i, 1, n)),
    "double sum": lambda: equal(
        total(total(sq[i] * ps[j], i, 1, n), j, 1, m), total(sq[i], i, 1, n) * total(ps[j], j, 1, m)
    ),
    "same letter twice": lambda: equal(
        total(total(sq[i], i, 1, n) * ps[i], i, 1, m), total(sq[i], i, 1, n) * total(ps[j], j, 1, m)
    ),
    "sum of squares >= 0": lambda: total(sq[i] ** 2, i, 1, n) >= 0,
    "1 - alpha beta >= 0": lambda: 1 - al * be >= 0,
    "sixth moment": lambda: equal(E(Normal(x, 0, s), x**6), 15 * s**3),
    "variance 1 - alpha": lambda: equal(E(Normal(x, 0, 1 - al), x**2), 1 - al),
    "marginal": lambda: equal(
        integral(Normal(x, a * z, s) * Normal(z, b, t), z), Normal(x, a * b, s + a**2 * t)
    ),
    "product of normals": lambda: equal(
        Normal(x, a, s) * Normal(x, b, t),
        Normal(a, b, s + t) * Normal(x, (a * t + b * s) / (s + t), s * t / (s + t)),
    ),
    "density of a scaled point": lambda: equal(Normal(x / 2, 0, s), 2 * Normal(x, 0, 4 * s)),
    "a slope that may be 0": lambda: equal(
        E((Normal(z, 0, 1), Normal(x, a * z, s)), x**2), a**2 + s
    ),
    "any order": lambda: equal(E((Normal(x, z, s), Normal(z, 0, t)), x**2), s + t),
    "nonlinear mean": lambda: equal(E((Normal(z, 0, 1), Normal(x, z**2, s)), x**2), 3 + s),
    "tilt": lambda: equal(E(Normal(x, a, s), exp(b * x)), exp(a * b + b**2 * s / 2)),
    "Stein": lambda: equal(E(Normal(x, a, s), (x - a) * f(x)), s * E(Normal(x, a, s), f.prime(x))),
    "Stein, chain": lambda: equal(
        E(Normal(x, 0, s), x * f(2 * x)), 2 * s * E(Normal(x, 0, s), f.prime(2 * x))
    ),
    "f(sx)": lambda: equal(E(Normal(x, 0, 1), f(s * x)), E(Normal(x, 0, s**2), f(x))),
    "f(-x)": lambda: equal(E(Normal(x, 0, s), f(x)), E(Normal(x, 0, s), f(-x))),
    "heat equation": lambda: equal(
        diff(E(Normal(x, a, s), f(x)), s), E(Normal(x, a, s), diff(f.prime(x), x)) / 2
    ),
    "alpha''": lambda: equal(diff(diff(al**3, al), al), 6 * al),
    "mixed derivative": lambda: equal(diff(diff(al**2 * be**3, al), be), 6 * al * be**2),
    "s^s": lambda: equal(diff(s**s, s), s**s * (log(s) + 1)),
    "bound letter": lambda: equal(diff(E(Normal(x, 0, 1), x**2), x), 0),
    "derivative of a definition": lambda: equal(diff(define("w", a**2) * a, a), 3 * a**2),
    "definition under a binder": lambda: equal(E(Normal(x, 0, s), define("w", x**2)), s),
    "definition resolved": lambda: equal(log(define("w", s * t)), log(s) + log(t)),
    "tangent gap": lambda: tangent_gap(g, s, t) >= 0,
    "importance weights": lambda: equal(E(d(x), r(x) / d(x) * f(x)), E(r(x), f(x))),
    "marginal of a density": lambda: equal(E(p(x, z), f(x)), E(p(x), f(x))),
    "letters of one law": lambda: equal(E((r(x1), r(x2)), f(x1, x2)), E((r(x1), r(x2)), f(x2, x1))),
    "letters of different laws": lambda: equal(
        E((Normal(x, 0, 1), Normal(y, 0, 2)), f(x, y)),
        E((Normal(y, 0, 1), Normal(x, 0, 2)), f(y, x)),
    ),
}

# claims about vectors: the dimensions they are made for, then the claim
FALSE_VECTORS: dict[str, tuple[tuple[int, ...], Callable[[], Claim | Relation]]] = {
    "CD = DC": ((1, 2), lambda: equal(C * D, D * C)),
    "tr CDCD": ((2,), lambda: equal(trace(C * D * C * D), trace(C * C * D * D))),
    "(CD)' = CD": ((2,), lambda: equal(transpose(C * D), C * D)),
    "det(C+D)": ((2,), lambda: equal(det(C + D), det(C) + det(D))),
    "det(2C)": ((1, 2), lambda: equal(det(2 * C), 2 * det(C))),
    "tr(C^2)": ((1, 2), lambda: equal(trace(C * C), trace(C) ** 2)),
    "(CD)^-1": ((1, 2), lambda: equal(inverse(C * D), inverse(C) * inverse(D))),
    "C^-1 + D^-1": ((1,), lambda: equal(inverse(C) + inverse(D), inverse(C + D))),
    "CD is symmetric": ((2,), lambda: equal(dot(C * D * V, W), dot(V, C * D * W))),
    "|V+W|^2": ((2,), lambda: equal(norm2(V + W), norm2(V) + norm2(W))),
    "Cauchy-Schwarz is equality": ((1, 2), lambda: equal(dot(V, W) ** 2, norm2(V) * norm2(W))),
    "trace of 1": ((1, 2), lambda: equal(trace(identity), 1)),
    "one coordinate": (
        (1, 2),
        lambda: equal(E(Normal(X, V, s * identity), norm2(X)), norm2(V) + s),
    ),
    "det for trace": ((2,), lambda: equal(E(Normal(X, V, C), norm2(X)), norm2(V) + det(C))),
    "quadratic form": (
        (2,),
        lambda: equal(E(Normal(X, V, C), dot(X, D * X)), dot(V, D * V) + trace(C) * trace(D)),
    ),
    "whitened too late": (
        (2,),
        lambda: equal(E((Normal(X, Y, C), Normal(Y, 0 * V, D)), norm2(X)), trace(C) + 2),
    ),
    "whitened too late, diagonal": (
        (2,),
        lambda: equal(E((Normal(X, Y, identity), Normal(Y, 0 * V, D)), norm2(X)), number(4)),
    ),
    "whitened too late, a chain": (
        (2,),
        lambda: equal(
            E((Normal(X, Y, C), Normal(Y, Z, C), Normal(Z, V, D)), norm2(X - V)),
            2 * trace(C) + 2,
        ),
    ),
    "its own mean": ((2,), lambda: equal(E(Normal(X, X, C), norm2(X)), 0)),
    "its own defined mean": (
        (2,),
        lambda: equal(E(Normal(X, define("w", X + V), C), norm2(X)), trace(C)),
    ),
    "in a circle": (
        (2,),
        lambda: equal(E((Normal(X, Y, C), Normal(Y, X, D)), norm2(X - Y)), trace(C)),
    ),
    "the inner letter": (
        (2,),
        lambda: equal(E(Normal(X, V, C), E(Normal(X, W, D), norm2(X))), norm2(V) + trace(C)),
    ),
    "variance a": (
        (1, 2),
        lambda: equal(E(Normal(X, V, a * identity), norm2(X)), norm2(V) + a * trace(identity)),
    ),
    "variance -C": ((1, 2), lambda: equal(E(Normal(X, V, -C), norm2(X)), norm2(V) - trace(C))),
    "KL, inverses swapped": (
        (1, 2),
        lambda: equal(
            KL(Normal(X, V, C), Normal(X, W, D)),
            (log(det(D) / det(C)) + trace(inverse(C) * D) + dot(V - W, inverse(D) * (V - W))
             - trace(identity)) / 2,
        ),
    ),
    "KL, one dimension": (
        (1, 2),
        lambda: equal(
            KL(Normal(X, V, C), Normal(X, W, D)),
            (log(det(D) / det(C)) + trace(inverse(D) * C) + dot(V - W, inverse(D) * (V - W)) - 1)
            / 2,
        ),
    ),
    "tr(C - D) >= 0": ((2,), lambda: trace(C - D) >= 0),
    "det(C - D) >= 0": ((1, 2), lambda: det(C - D) >= 0),
    # ill-typed, though 1 x 1 matrices and columns look alike
    "vector times vector": ((1,), lambda: equal((V + W) * V, V * (V + W))),
    "defined vector times vector": ((1,), lambda: equal(define("w", V) * W, W * define("w", V))),
    "vector times matrix": ((1,), lambda: equal(V * C, C * V)),
    "matrix plus vector": ((1,), lambda: equal(C + V, V + C)),
    "1 plus vector": ((1,), lambda: equal(identity + V, V + identity)),
    "det of a vector": ((1,), lambda: equal(det(V), det(V) * 1)),
    "trace of a vector": ((1,), lambda: equal(trace(V), trace(V) * 1)),
    "inverse of a vector": ((1,), lambda: equal(inverse(V) * V, identity)),
    "dot of matrices": ((1,), lambda: equal(dot(C, D), dot(D, C))),
    "norm of a matrix": ((1,), lambda: equal(norm2(C), norm2(C) * 1)),
    "vector and 0": ((1, 2), lambda: equal(V, 0)),
}  # fmt: skip

TRUE_VECTORS: dict[str, tuple[tuple[int, ...], Callable[[], Claim | Relation]]] = {
    "tr CD": ((1, 2, 3), lambda: equal(trace(C * D), trace(D * C))),
    "(CD)'": ((1, 2, 3), lambda: equal(transpose(C * D), D * C)),
    "det CD": ((1, 2), lambda: equal(det(C * D), det(C) * det(D))),
    "C C^-1": ((1, 2, 3), lambda: equal(C * inverse(C), identity)),
    "CD moves over": ((1, 2), lambda: equal(dot(C * D * V, W), dot(V, D * C * W))),
    "second moment": ((1, 2), lambda: equal(E(Normal(X, V, C), norm2(X)), norm2(V) + trace(C))),
    "quadratic form": (
        (1, 2),
        lambda: equal(E(Normal(X, V, C), dot(X, D * X)), dot(V, D * V) + trace(C * D)),
    ),
    "in any order": (
        (1, 2),
        lambda: equal(E((Normal(X, Y, C), Normal(Y, 0 * V, D)), norm2(X)), trace(C) + trace(D)),
    ),
    "a chain": (
        (2,),
        lambda: equal(
            E((Normal(X, Y, C), Normal(Y, Z, C), Normal(Z, V, D)), norm2(X - V)),
            2 * trace(C) + trace(D),
        ),
    ),
    "density": ((1, 2), lambda: equal(Normal(X, V, C), Normal(V, X, C))),
    "KL": (
        (1, 2),
        lambda: equal(
            KL(Normal(X, V, C), Normal(X, W, D)),
            (log(det(D) / det(C)) + trace(inverse(D) * C) + dot(V - W, inverse(D) * (V - W))
             - trace(identity)) / 2,
        ),
    ),
}  # fmt: skip

# hypotheses, then what does not follow from them
FALSE_GIVEN: dict[str, tuple[tuple[Relation, ...], Claim | Relation]] = {
    "another letter": ((a >= 0,), b >= 0),
    "more": ((a >= 0,), a >= 1),
    "the wrong way": ((a <= 0,), a >= 0),
    "scaled by a real": ((a >= b,), c * a >= c * b),
    "not an equality": ((a >= 0,), equal(a, 0)),
    "another point": ((f(a) >= 0,), E(Normal(x, 0, 1), f(x)) >= 0),
    "one point": ((f(0) >= 0,), f(a) >= 0),
    "one index, all indices": ((sq[i] >= 0,), total(sq[i], i, 1, n) >= 0),
    "one index, all numbers": ((i - 3 >= 0,), total(i - 3, i, 1, n) >= 0),
    "another index": ((sq[i] >= 0,), sq[j] >= 0),
}
TRUE_GIVEN: dict[str, tuple[tuple[Relation, ...], Claim | Relation]] = {
    "itself": ((a >= 0,), a >= 0),
    "negated": ((a < 0,), -a >= 0),
    "a sum": ((a >= 0, b >= 0), a + b >= 0),
    "at every x": ((f(x) >= 0,), E(Normal(x, 0, 1), f(x)) >= 0),
}

# certificates that do not fit the claim
WRONG_CERTIFICATES: dict[str, tuple[Relation, Node]] = {
    "another gap": (a >= 0, a**2),
    "a sign": (a**2 >= 2 * a * b + b**2, (a - b) ** 2),
    "nothing": (a >= b, number(0)),
    "another log": (log(s) >= 0, log(1 + s)),
    "log s <= s - 2": (log(s) <= s - 2, log_gap(s)),
    "AM-GM reversed": ((s + t) / 2 <= sqrt(s * t), (sqrt(s) - sqrt(t)) ** 2 / 2),
    "AM-GM for reals": ((a + b) / 2 >= sqrt(a * b), (sqrt(a) - sqrt(b)) ** 2 / 2),
    "positive part reversed": (positive_part(a) <= a, positive_part(-a)),
    "|a| for a": (a >= 0, absolute(a)),
    "Jensen reversed": (
        E(r(x), f(x) ** 2) <= E(r(x), f(x)) ** 2,
        E(r(x), (f(x) - E(r(x1), f(x1))) ** 2),
    ),
}


def is_proved(claim: Claim | Relation, **changes: object) -> bool:
    return prove(replace(as_claim(claim), **changes)).proved  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FALSE)
def test_a_false_claim_is_not_proved(name: str) -> None:
    assert not is_proved(FALSE[name]())


@pytest.mark.parametrize("name", TRUE)
def test_a_true_claim_is_proved(name: str) -> None:
    assert is_proved(TRUE[name]())


@pytest.mark.parametrize("name", FALSE_VECTORS)
def test_a_false_claim_about_vectors_is_not_proved(name: str) -> None:
    dims, claim = FALSE_VECTORS[name]
    assert not is_proved(claim(), dims=dims)


@pytest.mark.parametrize("name", TRUE_VECTORS)
def test_a_true_claim_about_vectors_is_proved(name: str) -> None:
    dims, claim = TRUE_VECTORS[name]
    assert is_proved(claim(), dims=dims)


@pytest.mark.parametrize("name", FALSE_GIVEN)
def test_what_does_not_follow_is_not_proved(name: str) -> None:
    given, claim = FALSE_GIVEN[name]
    assert not is_proved(claim, given=given)


@pytest.mark.parametrize("name", TRUE_GIVEN)
def test_what_follows_is_proved(name: str) -> None:
    given, claim = TRUE_GIVEN[name]
    assert is_proved(claim, given=given)


@pytest.mark.parametrize("name", WRONG_CERTIFICATES)
def test_a_wrong_certificate_proves_nothing(name: str) -> None:
    claim, certificate = WRONG_CERTIFICATES[name]
    assert not prove(as_claim(claim), (certificate,)).proved


def test_the_right_certificate_proves() -> None:
    for claim, certificate in (
        (a**2 >= 2 * a * b - b**2, (a - b) ** 2),
        (log(s) <= s - 1, log_gap(s)),
        ((s + t) / 2 >= sqrt(s * t), (sqrt(s) - sqrt(t)) ** 2 / 2),
        (positive_part(a) >= a, positive_part(-a)),
    ):
        assert prove(as_claim(claim), (certificate,)).proved


@pytest.mark.parametrize(
    "claim",
    [
        equal(E(Normal(x, 0, 1), 1 / x) - E(Normal(x, 0, 1), 1 / x), 0),
        equal(E(Normal(x, 0, 1), exp(x**2)) - E(Normal(x, 0, 1), exp(x**2)), 0),
        equal(integral(Normal(x, y, 1), x, y) - integral(Normal(x, y, 1), x, y), 0),
    ],
)
def test_a_difference_of_integrals_supposes_that_they_exist(claim: Claim) -> None:
    assert not prove(claim).proved or obligations((claim.lhs, claim.rhs))


@pytest.mark.parametrize("value", [0.5, True, None, "b", [1], 1j, float("inf"), float("nan")])
def test_what_is_no_expression_is_refused(value: object) -> None:
    for use in (
        lambda: a + value,  # type: ignore[operator]
        lambda: value * a,  # type: ignore[operator]
        lambda: log(value),  # type: ignore[arg-type]
        lambda: Normal(x, 0, value),  # type: ignore[arg-type]
        lambda: number(value),  # type: ignore[arg-type]
        lambda: total(a, i, 1, value),  # type: ignore[arg-type]
    ):
        with pytest.raises(NotationError):
            use()


def test_a_sequence_is_no_iterable() -> None:
    with pytest.raises((TypeError, NotationError)):
        iter(sq)


@pytest.mark.parametrize(
    "use",
    [
        lambda: Number(-1),  # a Number is >= 0 by its type
        lambda: Number(0.1),
        lambda: Number(True),
        lambda: Function("g*"),  # the name of a conjugate
        lambda: Sequence("sq[]"),
        lambda: Density("p~", x),
    ],
)
def test_what_would_confuse_the_prover_is_refused(use: Callable[[], object]) -> None:
    with pytest.raises(NotationError):
        use()
