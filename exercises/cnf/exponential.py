r"""An unbiased logarithm, a biased density.

A density is estimated as $e^{y}$ times the right one, where $y$ is the error of its logarithm. Let $y$ have mean zero. Show that the estimate is never too small on average, and find the factor by which it is too large if $y$ is normal with variance $s^2$.
"""

from genmath.proof import *

y = variables("y")
s = positives("s")
r = Density("r", y)


@derivation("Any error")
def any_error(d):
    d.start(E(r(y), exp(y)))
    d.at_least(1 + E(r(y), y), by="the exponential lies above its tangent at zero", because=E(r(y), log_gap(exp(y))))  # fill because


@derivation("A normal error")
def normal_error(d):
    d.start(E(Normal(y, 0, s**2), exp(y)))
    d.equals(exp(s**2 / 2) * integral(Normal(y, s**2, s**2), y), by="complete the square")  # fill
    d.equals(exp(s**2 / 2), by="a normal density integrates to one")
