r"""Entropy under a map.

Let $x$ have the density $p$, and let $y = f(x)$ with an invertible map $f$ of the line. The density of $y$ is written as `moved`. Show that it integrates to one. Then show how much entropy a map adds: the mean of its log-slope. (Entropy is
not a property of the information alone: a change of units moves it. The KL divergence is not moved, see `normalizing_flow.maximum_likelihood`.)
"""

from genmath.proof import *

x, y = variables("x y")
r = Density("r", x)
p = Density("p", x, positive=True)
f = Function("f", invertible=True)
moved = define("p_y", p(f.inverse(y)) * absolute(f.inverse.prime(y)))


@derivation("The mass stays")
def mass(d):
    d.start(integral(r(f.inverse(y)) * absolute(f.inverse.prime(y)), y))
    d.equals(integral(r(x), x), by="substitute $y = f(x)$")  # fill
    d.equals(1, by="a density")


@derivation("What happens to the entropy")
def entropy(d):
    d.start(-integral(moved * log(moved), y))
    d.equals(-E(p(x), log(p(x) / absolute(f.prime(x)))), by="substitute $y = f(x)$")  # fill
    d.equals(H(p(x)) + E(p(x), log(absolute(f.prime(x)))), by="the logarithm of a quotient")
