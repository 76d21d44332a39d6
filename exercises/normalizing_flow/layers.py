r"""Layers by hand.

First an affine layer in one coordinate: show that the density of $x$ under the flow $z = (x - m)/\sigma$, with standard normal $z$, is a normal density. Then a coupling layer in which the *second* coordinate is kept, with its way back.
Last, show that two shears in the plane, one of each kind, keep areas whatever their strengths are.
"""

from genmath.proof import *

x, m, a, b = reals("x m a b")
x_1, x_2 = reals("x_1 x_2")
sigma = positives("sigma")
s, t = Function("s"), Function("t")


@derivation("An affine layer")
def affine(d):
    d.start(log(Normal((x - m) / sigma, 0, 1)) + log(diff((x - m) / sigma, x)))
    d.equals(log(Normal((x - m) / sigma, 0, 1)) - log(sigma), by="the slope")  # fill
    d.equals(log(Normal(x, m, sigma**2)), by="a normal density is divided by its standard deviation")


@derivation("The second coordinate is kept")
def kept(d):
    z_1 = define("z_1", exp(s(x_2)) * x_1 + t(x_2))
    d.start(log(diff(z_1, x_1) * diff(x_2, x_2)), name="determinant")
    d.equals(log(exp(s(x_2)) * 1), by="the product of the diagonal")  # fill
    d.equals(s(x_2), by="the logarithm undoes the exponential")

    d.start((z_1 - t(x_2)) / exp(s(x_2)), name="inverse")
    d.equals(exp(s(x_2)) * x_1 / exp(s(x_2)), by="undo the shift")  # fill
    d.equals(x_1, by="then the scale")


@derivation("Two shears")
def shears(d):
    z_2 = define("z_2", x_2 + a * x_1)
    z_1 = define("z_1", x_1 + b * z_2)
    d.start(diff(z_1, x_1) * diff(z_2, x_2) - diff(z_1, x_2) * diff(z_2, x_1))
    d.equals((1 + a * b) * 1 - b * a, by="chain rule")  # fill
    d.equals(1, by="each shear keeps areas")
