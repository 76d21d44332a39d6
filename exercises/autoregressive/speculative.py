r"""A fast draft, and the law of the target.

A letter $x$ is drawn from the draft $q$ and kept with probability $a = \min(1, p/q)$, which is $1 - (1 - p/q)_+$. If it is not kept, another one is drawn in proportion to $(p - q)_+$. Show that the result has the
law $p$ exactly, and how often the draft is kept. What happens if draft and target have no letter in common? And where is it used that the two differ somewhere?
"""

from genmath.proof import *

x = variables("x")
p, q = Density("p", x), Density("q", x, positive=True)
excess = integral(positive_part(p(x) - q(x)), x)
a = define("a", 1 - positive_part(1 - p(x) / q(x)))
A = define("A", E(q(x), a))


@derivation("How often a draft is kept")
def rate(d):
    d.start(A)
    d.equals(1 - integral(positive_part(q(x) - p(x)), x), by="multiply q into the positive part")  # fill
    d.equals(1 - TV(p(x), q(x)), by="both densities integrate to one")


@derivation("The law of what comes out")
def law(d):
    d.given_that(excess > 0)
    d.start(q(x) * a + (1 - A) * positive_part(p(x) - q(x)) / excess)
    d.equals(q(x) * a + positive_part(p(x) - q(x)), by="what is not kept is as much as the excess of p")  # fill
    d.equals(p(x), by="the smaller of the two, and what p has more")
