from genmath.proof import *

x, z = variables("x z")
p = Density("p", x, z, positive=True)
q = Density("q", z, given=x)


@derivation("The mean log-ratio, split in two")
def split(d):
    d.start(E(q(z | x), log(p(x, z) / q(z | x))))
    d.equals(..., by="product rule p(x, z) = p(x | z) p(z)")
    d.equals(E(q(z | x), log(p(x | z))) - KL(q(z | x), p(z)), by="the definition of KL")
