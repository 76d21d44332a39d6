r"""One step back, if the data were known.

Bayes' rule for normal densities: $q(x_{t-1} \mid x_t, x_0)$ is normal, and its precision (one over the variance) is the sum of two. Bring the variance
into the form of the paper, $\tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\, \beta_t$. Then put $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon$ into the mean, and see $x_0$ vanish.
"""

from genmath.proof import *

x0, eps = variables("x_0 eps")
beta, abar_prev = fractions("beta_t alpha_bar_{t-1}")
abar = define("alpha_bar_t", (1 - beta) * abar_prev)
k_0 = define("k_0", sqrt(abar_prev) * beta / (1 - abar))
k_t = define("k_t", sqrt(1 - beta) * (1 - abar_prev) / (1 - abar))
x_t = define("x_t", sqrt(abar) * x0 + sqrt(1 - abar) * eps)


@derivation("The variance")
def variance(d):
    d.start(1 / ((1 - beta) / beta + 1 / (1 - abar_prev)))
    d.equals(beta * (1 - abar_prev) / ((1 - beta) * (1 - abar_prev) + beta), by="one fraction")  # fill
    d.equals((1 - abar_prev) / (1 - abar) * beta, by="the denominator is the variance of the noise at step t")


@derivation("The mean, from the noise")
def mean(d):
    d.start(k_0 * x0 + k_t * x_t)
    d.equals(k_0 * (x_t - sqrt(1 - abar) * eps) / sqrt(abar) + k_t * x_t, by="the data are what is left of x_t without its noise")  # fill
    d.equals((x_t - beta / sqrt(1 - abar) * eps) / sqrt(1 - beta), by="collect")
