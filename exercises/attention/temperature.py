r"""What temperature does, with two places.

Two places have the scores $s_1$ and $s_2$. Show that the weight of the first is a sigmoid of the difference of the scores over the temperature; and how that weight moves with its own score. At which weight is the slope largest, and what does
that say about scores that are far apart?
"""

from genmath.proof import *

s_1, s_2 = reals("s_1 s_2")
tau = positives("tau")


@derivation("Two places: a sigmoid of the difference")
def two_places(d):
    d.start(exp(s_1 / tau) / (exp(s_1 / tau) + exp(s_2 / tau)))
    d.equals(1 / (1 + exp(-(s_1 - s_2) / tau)), by="divide both by the first exponential")  # fill
    d.equals(sigmoid((s_1 - s_2) / tau), by="the definition of the sigmoid")


@derivation("How the weight moves with its score")
def slope(d):
    d.start(diff(sigmoid((s_1 - s_2) / tau), s_1))
    d.equals(sigmoid((s_1 - s_2) / tau) * (1 - sigmoid((s_1 - s_2) / tau)) / tau, by="the slope of a sigmoid, and the chain rule")  # fill
    d.at_most(1 / (4 * tau), by="a product of two numbers that add up to one is at most a quarter", because=(sigmoid((s_1 - s_2) / tau) - number(1) / 2) ** 2 / tau)  # fill because
