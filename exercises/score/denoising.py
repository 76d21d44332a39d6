r"""Why denoising score matching works.

The score of $q(x)$ is not known; that of the kernel $q(x \mid x_0)$ is. Show that the two losses differ by a constant, in which the network $s$ does not occur. Then say in one line why
the denoising loss does not go to zero.
"""

from genmath.proof import *

x, x0 = variables("x x_0")
s = Function("s")
q = Density("q", x, x0, positive=True)
conditional = diff(log(q(x | x0)), x)
marginal = diff(log(q(x)), x)
C = define("C", E(q(x, x0), (conditional - marginal) ** 2))


@derivation("The denoising loss is the explicit loss plus a constant")
def denoising(d):
    d.start(E(q(x, x0), (s(x) - conditional) ** 2))
    d.equals(E(q(x), (s(x) - marginal) ** 2) + C, by="given x, the conditional score averages to the marginal one")  # fill
    d.at_least(C, by="a mean of squares is not negative", because=E(q(x), (s(x) - marginal) ** 2))  # fill because
