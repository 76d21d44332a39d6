from genmath.book import chapter
from genmath.proof import *

x, z = variables("x z")
p = Density("p", x, z, positive=True)
q = Density("q", z, given=x)
kl_nonnegative = chapter("divergences").kl_nonnegative


@derivation("The evidence lower bound")
def elbo(d):
    bound = E(q(z | x), log(p(x, z) / q(z | x)))
    d.start(log(p(x)))
    d.equals(bound + KL(q(z | x), p(z | x)), by="Bayes' rule; q integrates to one")
    d.at_least(bound, by="KL is not negative", because=kl_nonnegative(q(z | x), p(z | x)))
    d.tight_when(q(z | x), p(z | x))
