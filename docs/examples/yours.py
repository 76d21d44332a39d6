from genmath.proof import *

# 1. Declare the letters: numbers above zero, variables, and the densities of those.
sigma = positives("sigma")
x, z = variables("x z")
p = Density("p", x, z, positive=True)
q = Density("q", z, given=x)


# 2. Start from an expression, and go on line by line. Each line says why.
@derivation("The mean log-ratio, split in two")
def split(d):
    d.start(E(q(z | x), log(p(x, z) / q(z | x))))
    d.equals(E(q(z | x), log(p(z) / q(z | x)) + log(p(x | z))), by="product rule")
    d.equals(E(q(z | x), log(p(x | z))) - KL(q(z | x), p(z)), by="the definition of KL")


# 3. As many of them as you like.
@derivation("The logarithm of a normal density")
def log_normal(d):
    d.start(log(Normal(z, 0, sigma**2)))
    d.equals(-(z**2) / (2 * sigma**2) - log(2 * pi * sigma**2) / 2, by="the logarithm of a product")
