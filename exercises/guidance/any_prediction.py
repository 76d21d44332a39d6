r"""Guidance in any prediction.

A prediction $Q$ follows from another one, $P$, by $Q = a P + b x$. Show that guidance of the one is guidance of the other. Then show what would happen with coefficients $s$ and $t$ of any sum: how much too much of $x$ is in the answer?
"""

from genmath.proof import *

P_y, P_n, x, a, b, s, t = reals("P_y P_n x a b s t")
Q_y, Q_n = define("Q_y", a * P_y + b * x), define("Q_n", a * P_n + b * x)


@derivation("Coefficients that sum to one")
def one(d):
    d.start(s * Q_y + (1 - s) * Q_n)
    d.equals(a * s * P_y + a * (1 - s) * P_n + (s + (1 - s)) * b * x, by="collect what is multiplied by a, and what by b")  # fill
    d.equals(a * (s * P_y + (1 - s) * P_n) + b * x, by="the coefficients sum to one")


@derivation("Coefficients of any sum")
def other(d):
    d.start(s * Q_y + t * Q_n - (a * (s * P_y + t * P_n) + b * x))
    d.equals(s * b * x + t * b * x - b * x, by="what is multiplied by a cancels")  # fill
    d.equals((s + t - 1) * b * x, by="collect: what the sum is off by comes back as a multiple of x")
