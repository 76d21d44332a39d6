r"""The best share of the input.

A network is given $c\, x$ of its noisy input $x = x_0 + \sigma \epsilon$ for free, and has to say what is left of the data $x_0$. For data of standard deviation $\sigma_d$ the mean square of that is $(1 - c)^2 \sigma_d^2 + c^2 \sigma^2$. Show which $c$ leaves
least, and how much it leaves. (EDM's path: $\alpha = 1$.)
"""

from genmath.proof import *

sigma, sigma_d = positives("sigma sigma_d")
c = reals("c")
best = define("c_skip", sigma_d**2 / (sigma**2 + sigma_d**2))


@derivation("The best share of the input")
def least(d):
    d.start((1 - c) ** 2 * sigma_d**2 + c**2 * sigma**2)
    d.equals((sigma**2 + sigma_d**2) * (c - best) ** 2 + sigma**2 * sigma_d**2 / (sigma**2 + sigma_d**2), by="complete the square in c")  # fill
    d.at_least(sigma**2 * sigma_d**2 / (sigma**2 + sigma_d**2), by="a square is not negative", because=(sigma**2 + sigma_d**2) * (c - best) ** 2)  # fill because
    d.tight_when(c, best)


@derivation("The weight of the loss")
def weight(d):
    c_out = define("c_out", sigma * sigma_d / sqrt(sigma**2 + sigma_d**2))
    d.start(1 / c_out**2)
    d.equals((sigma**2 + sigma_d**2) / (sigma**2 * sigma_d**2), by="square the root")  # fill
    d.equals(1 / sigma**2 + 1 / sigma_d**2, by="the weight of a noise predictor, and a constant")
