r"""A critic never sees more than transport costs.

Let $f$ have slope at most one, and let $\pi$ be any coupling of two densities. Show that the difference of the two means of $f$ is at most the mean distance under $\pi$. Why is the best critic then a lower bound of $W_1$, and when is it equal?
"""

from genmath.proof import *

x, y = variables("x y")
f = Function("f")
plan = Density("pi", x, y)


@derivation("Weak duality")
def duality(d):
    d.given_that(f(x) - f(y) <= absolute(x - y))
    d.start(E(plan(x), f(x)) - E(plan(y), f(y)))
    d.equals(E(plan(x, y), f(x) - f(y)), by="both means under the coupling")  # fill
    d.at_most(E(plan(x, y), absolute(x - y)), by="the slope of f is at most one", because=E(plan(x, y), absolute(x - y) - (f(x) - f(y))))  # fill because
