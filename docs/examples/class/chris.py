from genmath.book import chapter
from genmath.proof import *

x, z = variables("x z")
p = Density("p", x, z, positive=True)
q = Density("q", z, given=x)
kl_nonnegative = chapter("divergences").kl_nonnegative


@derivation("A lower bound on the log-evidence")
def bound(d):
    d.given_that(log(p(x)) >= E(q(z | x), log(p(x, z) / q(z | x))))
    d.start(log(p(x)))
    d.at_least(E(q(z | x), log(p(x, z) / q(z | x))), by="as is well known")
