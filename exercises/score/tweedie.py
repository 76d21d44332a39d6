r"""Tweedie's formula.

Data $x_0$ from any density, seen as $x = \alpha x_0 + \sigma \epsilon$. The best guess of $x_0$ under squared error is its conditional mean. Show that it is a formula of the *score* of the noisy
density: first the score is the mean of the kernel's score under the posterior, then solve for the data.
"""

from genmath.proof import *

x0, x = variables("x_0 x")
alpha, sigma = positives("alpha sigma")
data = Density("p_0", x0)
kernel = Normal(x, alpha * x0, sigma**2)
noisy = define("p_sigma", integral(kernel * data(x0), x0))
posterior = define("p_sigma(x_0|x)", kernel * data(x0) / noisy)


@derivation("The score is a mean under the posterior")
def score(d):
    d.start(diff(log(noisy), x))
    d.equals(integral(diff(kernel, x) * data(x0), x0) / noisy, by="the derivative of a logarithm, and under the integral")  # fill
    d.equals(-integral((x - alpha * x0) / sigma**2 * posterior, x0), by="the derivative of the kernel")


@derivation("Tweedie's formula")
def tweedie(d):
    d.start((x + sigma**2 * diff(log(noisy), x)) / alpha)
    d.equals((x - integral((x - alpha * x0) * posterior, x0)) / alpha, by="insert the score")  # fill
    d.equals(integral(x0 * posterior, x0), by="the posterior integrates to one: x cancels")
