from genmath.proof import *

z = variables("z")
mu = reals("mu")
sigma = positives("sigma")


@derivation("KL from a normal to the standard normal")
def kl_normal(d):
    d.start(KL(Normal(z, mu, sigma**2), Normal(z, 0, 1)))
    d.equals((mu**2 + sigma**2 - 1) / 2 - log(sigma**2), by="second moments")
