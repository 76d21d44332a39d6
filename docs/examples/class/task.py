from genmath.book import chapter
from genmath.proof import *

x, z = variables("x z")
p = Density("p", x, z, positive=True)
q = Density("q", z, given=x)
kl_nonnegative = chapter("divergences").kl_nonnegative  # you may use this


@derivation("A lower bound on the log-evidence")
def bound(d):
    d.start(log(p(x)))
    d.equals(..., by="the log-evidence as a mean under q, plus a gap")
    d.at_least(E(q(z | x), log(p(x, z) / q(z | x))), by="the gap is a divergence", because=...)
