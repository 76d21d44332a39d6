from genmath.book import chapter
from genmath.proof import *

x, z = variables("x z")
p = Density("p", x, z, positive=True)
q = Density("q", z, given=x)
kl_nonnegative = chapter("divergences").kl_nonnegative


@derivation("A lower bound on the log-evidence")
def bound(d):
    d.start(log(p(x)))
    d.equals(
        E(q(z | x), log(p(x, z) / q(z | x))) + KL(q(z | x), p(z | x)),
        by="Bayes' rule, then multiply and divide by q",
    )
    d.at_least(
        E(q(z | x), log(p(x, z) / q(z | x))),
        by="the gap is a divergence",
        because=kl_nonnegative(q(z | x), p(z | x)),
    )
