r"""KL between two normal densities.

For $p = N(\mu_1, \sigma_1^2)$ and $q = N(\mu_2, \sigma_2^2)$, where $\sigma$ is a standard deviation. Write the mean of the log-ratio first, then
insert the moments of $p$: $\mathbb{E}(x - \mu_1)^2 = \sigma_1^2$, and what is $\mathbb{E}(x - \mu_2)^2$? Then put $\mu_2 = 0$, $\sigma_2 = 1$: the KL term of a variational
autoencoder.
"""

from genmath.proof import *

x = variables("x")
mu_1, mu_2 = reals("mu_1 mu_2")
sigma_1, sigma_2 = positives("sigma_1 sigma_2")
p = Normal(x, mu_1, sigma_1**2)
q = Normal(x, mu_2, sigma_2**2)


@derivation("KL between two normal densities")
def two_normals(d):
    d.start(KL(p, q))
    d.equals(E(p, log(sigma_2 / sigma_1) - (x - mu_1) ** 2 / (2 * sigma_1**2) + (x - mu_2) ** 2 / (2 * sigma_2**2)), by="the logarithms of both densities")  # fill
    d.equals(log(sigma_2 / sigma_1) + (sigma_1**2 + (mu_1 - mu_2) ** 2) / (2 * sigma_2**2) - number(1) / 2, by="insert the moments")


@derivation("KL to the standard normal density")
def to_standard(d):
    d.start(KL(p, Normal(x, 0, 1)))
    d.equals(log(1 / sigma_1) + (sigma_1**2 + mu_1**2) / 2 - number(1) / 2, by="the same with mean 0 and standard deviation 1")  # fill
    d.equals((mu_1**2 + sigma_1**2 - 1 - log(sigma_1**2)) / 2, by="collect")
