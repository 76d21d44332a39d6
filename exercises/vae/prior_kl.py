r"""The KL term of a Gaussian encoder.

The encoder gives a mean $\mu$ and a log-variance $\ell = \log \sigma^2$; the prior is standard normal. Derive the formula in every
implementation of a variational autoencoder, and keep its sign.
"""

from genmath.proof import *

z = variables("z")
mu, ell = reals("mu ell")
q = Normal(z, mu, exp(ell))


@derivation("The KL term by mean and log-variance")
def prior_kl(d):
    d.start(KL(q, Normal(z, 0, 1)))
    d.equals(E(q, z**2 / 2 - (z - mu) ** 2 / (2 * exp(ell)) - ell / 2), by="the logarithms of both densities")  # fill
    d.equals((mu**2 + exp(ell)) / 2 - number(1) / 2 - ell / 2, by="second moments")  # fill
    d.equals(-(1 + ell - mu**2 - exp(ell)) / 2, by="collect")
