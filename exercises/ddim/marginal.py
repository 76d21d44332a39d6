r"""A step of DDIM keeps the marginal.

DDIM makes $x_s$ from $x_t$ with the old noise, scaled by $c = \sqrt{\sigma_s^2 - v}$, and fresh noise of any variance $v < \sigma_s^2$. Show that $x_s$ has the density it
should have, $N(\alpha_s x_0, \sigma_s^2)$, whatever $v$ is. That is why DDIM may choose $v = 0$.
"""

from genmath.proof import *

x0, xs, xt = variables("x_0 x_s x_t")
alpha_s, sigma_s, alpha_t, sigma_t = positives("alpha_s sigma_s alpha_t sigma_t")
h = fractions("h")
v = define("v", h * sigma_s**2)
c = define("c", sqrt(sigma_s**2 - v))
now = Normal(xt, alpha_t * x0, sigma_t**2)


@derivation("The marginal is kept")
def marginal(d):
    d.start(integral(Normal(xs, alpha_s * x0 + c * (xt - alpha_t * x0) / sigma_t, v) * now, xt))
    d.equals(Normal(xs, alpha_s * x0, c**2 + v), by="the old noise has mean zero and variance c²; variances add")  # fill
    d.equals(Normal(xs, alpha_s * x0, sigma_s**2), by="c was chosen for that")
