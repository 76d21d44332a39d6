r"""Give a channel another mean and deviation.

A channel has values $x$ with the density $r$, the mean $\mu_1$ and the variance $V$; $S$ is its standard deviation, so $S^2 = V$. AdaIN maps $x$ to $\mu_2 + \frac{\sigma_2}{S}(x - \mu_1)$. Show that the result has the mean $\mu_2$ and,
since $V = S^2$, the variance $\sigma_2^2$; find the mean squared move; and show that a second style makes the first one forgotten.
"""

from genmath.proof import *

x = variables("x")
r = Density("r", x)
y = copies(x, 1)[0]
mu_2, mu_3 = reals("mu_2 mu_3")
S, sigma_2, sigma_3 = positives("S sigma_2 sigma_3")
mu_1 = define("mu_1", E(r(y), y))
V = define("V", E(r(y), (y - mu_1) ** 2))
styled = define("a(x)", mu_2 + sigma_2 / S * (x - mu_1))


@derivation("Two new moments")
def moments(d):
    d.start(E(r(x), styled), name="mean", words="the mean")
    d.equals(mu_2 + sigma_2 / S * (E(r(x), x) - mu_1), by="the mean is linear")  # fill
    d.equals(mu_2, by="the bracket is zero")
    d.start(E(r(x), (styled - mu_2) ** 2), name="variance", words="the variance")
    d.equals(sigma_2**2 / S**2 * E(r(x), (x - mu_1) ** 2), by="a factor comes out squared")  # fill
    d.equals(sigma_2**2 / S**2 * V, by="what is left is the variance of the content")


@derivation("What it costs")
def cost(d):
    d.start(E(r(x), (x - styled) ** 2))
    d.equals(E(r(x), ((mu_1 - mu_2) + (1 - sigma_2 / S) * (x - mu_1)) ** 2), by="split the move into a constant and what has mean zero")  # fill
    d.equals((mu_1 - mu_2) ** 2 + (1 - sigma_2 / S) ** 2 * V, by="the cross term averages to zero")


@derivation("The last style wins")
def again(d):
    d.start(mu_3 + sigma_3 / sigma_2 * (styled - mu_2))
    d.equals(mu_3 + sigma_3 / sigma_2 * (sigma_2 / S * (x - mu_1)), by="the mean of the first style is taken away again")  # fill
    d.equals(mu_3 + sigma_3 / S * (x - mu_1), by="and its deviation is divided out")
