r"""β and the bound.

With a weight $\beta \ge 1$ on the KL term the objective of a variational autoencoder is still a lower bound on the log-evidence. Show it, starting
from the bound with weight 1. What is dropped in the last step, and why is it not negative? (For $\beta < 1$ the claim is
false: put `fractions` in the place of `at_least_one` and look at the counterexample.)
"""

from genmath.book import chapter
from genmath.proof import *

x, z = variables("x z")
p = Density("p", x, z, positive=True)
q = Density("q", z, given=x)
beta = at_least_one("beta")
kl_nonnegative = chapter("divergences").kl_nonnegative


@derivation("For β ≥ 1 the objective is a bound")
def beta_bound(d):
    d.start(log(p(x)))
    d.equals(E(q(z | x), log(p(x | z))) - KL(q(z | x), p(z)) + KL(q(z | x), p(z | x)), by="reconstruction − regularisation + gap")  # fill
    d.at_least(E(q(z | x), log(p(x | z))) - KL(q(z | x), p(z)), by="the gap is not negative", because=kl_nonnegative(q(z | x), p(z | x)))  # fill
    d.at_least(E(q(z | x), log(p(x | z))) - beta * KL(q(z | x), p(z)), by="β ≥ 1 and KL is not negative",
               because=((beta - 1) * KL(q(z | x), p(z)), kl_nonnegative(q(z | x), p(z))))  # fill because
