r"""What a quadratic kernel sees.

Take $\kappa(s, t) = (s t + 1)^2$. Show that its MMD compares two moments, so that it is zero for all pairs of laws for which the Fréchet distance is zero. And that it is never negative.
"""

from genmath.proof import *

x, y = variables("x y")
(x_1,), (y_1,) = copies(x, 1), copies(y, 1)
p, q = Density("p", x), Density("q", y)


def kernel(s, t):
    return (s * t + 1) ** 2


@derivation("The quadratic kernel compares two moments")
def quadratic(d):
    d.start(E((p(x), p(x_1)), kernel(x, x_1)) + E((q(y), q(y_1)), kernel(y, y_1)) - 2 * E((p(x), q(y)), kernel(x, y)))
    d.equals(2 * (E(p(x), x) - E(q(y), y)) ** 2 + (E(p(x), x**2) - E(q(y), y**2)) ** 2, by="multiply out: 1 + 2 s t + s² t²; the mean of a product of independent points is the product of the means")  # fill
    d.at_least(0, by="squares", because=2 * (E(p(x), x) - E(q(y), y)) ** 2 + (E(p(x), x**2) - E(q(y), y**2)) ** 2)  # fill because
