r"""The velocity of a path.

A path goes through $x_t = \alpha(t)\, x_0 + \sigma(t)\, \epsilon$. Differentiate in time, then eliminate the noise: the same velocity as a *field*, told from the place. Do it once more for the straight path
$\alpha = 1 - t$, $\sigma = t$.
"""

from genmath.proof import *

x0, eps = variables("x_0 eps")
t = fractions("t")
alpha, sigma = Function("alpha", positive=True), Function("sigma", positive=True)
x_t = define("x_t", alpha(t) * x0 + sigma(t) * eps)
straight = define("x_t", (1 - t) * x0 + t * eps)


@derivation("The velocity as a field")
def field(d):
    d.start(diff(x_t, t))
    d.equals(alpha.prime(t) * x0 + sigma.prime(t) * eps, by="data and noise do not change with time")  # fill
    d.equals(alpha.prime(t) * x0 + sigma.prime(t) / sigma(t) * (x_t - alpha(t) * x0), by="the noise is (x_t − α x_0)/σ")


@derivation("The straight path")
def line(d):
    d.start(diff(straight, t))
    d.equals(eps - x0, by="from data to noise, at constant speed")  # fill
    d.equals((straight - x0) / t, by="the noise is (x_t − (1 − t) x_0)/t")
