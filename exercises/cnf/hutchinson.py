r"""A trace from one direction.

Let $A$ be a symmetric matrix with the entries $a, b, b, c$, and $w$ a direction of two independent standard normal numbers. Show that $w^\top A w$ has the mean $\operatorname{tr} A$, and find its variance. Then the same for two independent
signs: what is gone?
"""

from genmath.proof import *

a, b, c = reals("a b c")
w_1, w_2 = variables("w_1 w_2")
normal = (Normal(w_1, 0, 1), Normal(w_2, 0, 1))
bend = a * w_1**2 + 2 * b * w_1 * w_2 + c * w_2**2


@derivation("Normal directions: the mean")
def mean(d):
    d.start(E(normal, bend))
    d.equals(E(normal, a * w_1**2 + c * w_2**2), by="the two are uncorrelated")  # fill
    d.equals(a + c, by="mean square one")


@derivation("Normal directions: the variance")
def variance(d):
    d.start(E(normal, (bend - (a + c)) ** 2))
    d.equals(E(normal, a**2 * (w_1**2 - 1) ** 2 + c**2 * (w_2**2 - 1) ** 2 + 4 * b**2 * w_1**2 * w_2**2),
             by="the mixed terms average to zero")  # fill
    d.equals(2 * (a**2 + 2 * b**2 + c**2), by="the fourth moment is 3")


@derivation("Signs: the variance")
def signs(d):
    d.start(((a + 2 * b + c - (a + c)) ** 2 + (a - 2 * b + c - (a + c)) ** 2) / 2)
    d.equals(((2 * b) ** 2 + (-2 * b) ** 2) / 2, by="the diagonal is exact")  # fill
    d.equals(4 * b**2, by="two equal squares")
