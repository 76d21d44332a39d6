r"""Two lines: what JS sees, and what W1 sees.

Each of two densities lies on its own line, so on its line each is twice the mean of both. Show that their Jensen–Shannon divergence is $\log 2$ whatever the distance $\theta$ of the lines is. Then show that straight transport costs $\theta$: which of the two can
teach a generator?
"""

from genmath.proof import *

z = variables("z")
theta = positives("theta")
p, q = Density("p", z), Density("q", z)


@derivation("The Jensen–Shannon divergence")
def jensen_shannon(d):
    d.start(E(p(z), log(p(z) / (p(z) / 2))) / 2 + E(q(z), log(q(z) / (q(z) / 2))) / 2)
    d.equals(E(p(z), log(number(2))) / 2 + E(q(z), log(number(2))) / 2, by="the density cancels")  # fill
    d.equals(log(number(2)), by="both densities integrate to one")


@derivation("The cost of going straight across")
def straight(d):
    d.start(E(p(z), sqrt((theta - 0) ** 2 + (z - z) ** 2)))
    d.equals(E(p(z), theta), by="every point moves by θ")  # fill
    d.equals(theta, by="the density integrates to one")
