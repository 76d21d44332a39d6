r"""Noise in one jump: q(x_t | x_0) by recursion.

One step of the forward process is $q(x_t \mid x_{t-1}) = N(\sqrt{1 - \beta_t}\, x_{t-1}, \beta_t)$. Show by induction that $t$ steps are one
jump, $q(x_t \mid x_0) = N(\sqrt{\bar\alpha_t}\, x_0, 1 - \bar\alpha_t)$ with $\bar\alpha_t = \prod_{s \le t} (1 - \beta_s)$. Then let $T \to \infty$: bound $\log \bar\alpha_T$ by the sum of the
$\beta_s$. When that sum diverges nothing of the data is left.

The laboratory on denoising diffusion pictures these marginals, and compares the jump with $t$ small steps.
"""

from genmath.proof import *

x0, xp, xt = variables("x_0 x_{t-1} x_t")
beta, abar_prev = fractions("beta_t alpha_bar_{t-1}")
abar = define("alpha_bar_t", (1 - beta) * abar_prev)
step = Normal(xt, sqrt(1 - beta) * xp, beta)
before = Normal(xp, sqrt(abar_prev) * x0, 1 - abar_prev)
b = Sequence("beta", domain="unit")
s, T = naturals("s T")


@derivation("The step of the induction")
def induction(d):
    d.start(integral(step * before, xp))
    d.equals(Normal(xt, sqrt(1 - beta) * sqrt(abar_prev) * x0, (1 - beta) * (1 - abar_prev) + beta),
             by="a linear map of a normal plus normal noise: the mean is mapped, the variances add")  # fill
    d.equals(Normal(xt, sqrt(abar) * x0, 1 - abar), by="collect the factors")


@derivation("What is left of the data after T steps")
def no_signal(d):
    d.start(log(product(1 - b[s], s, 1, T)))
    d.equals(total(log(1 - b[s]), s, 1, T), by="the logarithm of a product is a sum")  # fill
    d.at_most(-total(b[s], s, 1, T), by="log u ≤ u − 1 at u = 1 − beta_s", because=total(log_gap(1 - b[s]), s, 1, T))  # fill because
