r"""Why flow matching may train on single lines.

Let $r(x, v)$ be the joint density of the place and the velocity of a random line at one moment, and $g$ any function of the place, such as a network. Show that the loss against single velocities is the loss against their
mean $u(x)$ plus something in which $g$ does not occur.
"""

from genmath.proof import *

x, v = variables("x v")
(v_1,) = copies(v, 1)
r = Density("r", x, v)
g = Function("g")
u = define("u", E(r(v_1 | x), v_1))


@derivation("The conditional loss is the marginal loss plus a constant")
def same_minimiser(d):
    d.start(E(r(x, v), (g(x) - v) ** 2))
    d.equals(E(r(x), (g(x) - u) ** 2) + E(r(x, v), (v - u) ** 2), by="the cross term averages to zero at every place")  # fill
    d.at_least(E(r(x, v), (v - u) ** 2), by="a mean of squares", because=E(r(x), (g(x) - u) ** 2))  # fill because
