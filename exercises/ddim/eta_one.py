r"""η = 1 is DDPM.

The fresh noise of DDIM has the variance $v = \eta^2 \frac{1 - \bar\alpha_s}{1 - \bar\alpha_t} \left(1 - \frac{\bar\alpha_t}{\bar\alpha_s}\right)$. For neighbouring steps, $\bar\alpha_t = (1 - \beta)\, \bar\alpha_s$, show that $\eta = 1$ gives
the posterior variance of DDPM. Then show that $x_t$ has the factor that it has in DDPM: what is under the root that scales the old noise is a perfect square.
"""

from genmath.proof import *

abar_s, beta = fractions("alpha_bar_s beta")
abar_t = define("alpha_bar_t", (1 - beta) * abar_s)
tilde = define("beta_tilde", (1 - abar_s) / (1 - abar_t) * beta)


@derivation("The variance of the fresh noise at η = 1")
def variance(d):
    d.start((1 - abar_s) / (1 - abar_t) * (1 - abar_t / abar_s))
    d.equals((1 - abar_s) / (1 - abar_t) * (1 - (1 - beta)), by="the share of the signal that the step keeps is 1 − β")  # fill
    d.equals(tilde, by="collect")


@derivation("The scale of the old noise at η = 1")
def scale(d):
    d.start(1 - abar_s - tilde)
    d.equals((1 - abar_s) * (1 - beta / (1 - abar_t)), by="take out 1 − ᾱ_s")  # fill
    d.equals((1 - beta) * (1 - abar_s) ** 2 / (1 - abar_t), by="1 − ᾱ_t − β is (1 − β)(1 − ᾱ_s)")
