"""The evidence lower bound, its KL divergence the wrong way round: refuted by a counterexample."""

from genmath.proof import *

x, z = variables("x z")
p = Density("p_theta", x, z, positive=True)
q = Density("q_phi", z, given=x, positive=True)


@derivation("The evidence lower bound, with a slip")
def swapped(d):
    d.start(log(p(x)))
    d.equals(E(q(z | x), log(p(x, z) / q(z | x))) + KL(p(z | x), q(z | x)), by="insert q/q")
