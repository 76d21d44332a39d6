r"""From a constant guess to a line.

The exact step of length $h$ in $\lambda = \log(\alpha/\sigma)$ is a multiple of the place, plus the $\alpha$ of its end times $\int_0^h e^{-(h - u)} D(u)\, \mathrm{d}u$, with the guess $D$ of the data. Compute the integral for a constant guess (DDIM) and for a line with the slope $k$. Then show that DPM-Solver's weight of the slope,
$\frac{h}{2}(1 - e^{-h})$, is smaller than the exact one, and by how much at most.
"""

from genmath.proof import *

h = positives("h")
u, D, k = reals("u D k")


@derivation("A constant guess")
def constant(d):
    d.start(integral(exp(-(h - u)) * D, u, between=(0, h)))
    d.equals(exp(-h) * (exp(h) - 1) * D, by="take the end out of the integral")  # fill
    d.equals((1 - exp(-h)) * D, by="multiply out")


@derivation("A line")
def line(d):
    d.start(integral(exp(-(h - u)) * (D + u * k), u, between=(0, h)))
    d.equals((1 - exp(-h)) * D + k * integral(exp(-(h - u)) * u, u, between=(0, h)), by="the constant part is known")  # fill
    d.equals((1 - exp(-h)) * D + (h - 1 + exp(-h)) * k, by="integrate by parts")


@derivation("The shortcut")
def shortcut(d):
    d.start(h - 1 + exp(-h) - h / 2 * (1 - exp(-h)))
    d.equals(integral((h - u) * u * exp(-u) / 2, u, between=(0, h)), by="both sides have the same second derivative, and both vanish at zero with their slopes")  # fill
    d.at_most(h**3 / 12, by="the exponential is at most one", because=integral((h - u) * u * (1 - exp(-u)) / 2, u, between=(0, h)))  # fill because
