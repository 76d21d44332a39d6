from genmath.proof import *

x, z = variables("x z")
p = Density("p", x, z, positive=True)


@derivation("Bayes' rule inside a logarithm")
def bayes(d):
    d.start(log(p(x, z)))
    d.equals(log(p(z | x)) + log(p(x)), by="product rule")
