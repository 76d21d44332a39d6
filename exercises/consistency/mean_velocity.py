r"""The MeanFlow identity.

A step from time $t$ to $s$ starts at $x$ and ends at $\Phi(x, s, t)$; its mean velocity is $u = (x - \Phi)/(t - s)$. Move the start with the flow, whose velocity there is $v$: $\mathrm{D}$ is $\partial_t + v\,\partial_x$. Show that the velocity less
$(t - s)\, \mathrm{D} u$ is the mean velocity, plus the change $\mathrm{D}\Phi$ of the end, which is zero for the map of the flow. Then take data at a single point $a$ and the straight path, where the velocity is $v = (x - a)/t$ and
the flow leads to $\Phi = a + (x - a)\, s/t$: show that the mean velocity is the velocity.
"""

from genmath.proof import *

x = variables("x")
t = positives("t")
s, a = reals("s a")
Phi = Function("Phi")
v = define("v", Function("v")(x, t))
end = define("Phi", Phi(x, s, t))
u = define("u", (x - end) / (t - s))


@derivation("The MeanFlow identity")
def identity(d):
    d.start(v - (t - s) * (diff(u, t) + v * diff(u, x)))
    d.equals(v - ((v - (diff(end, t) + v * diff(end, x))) - u), by="quotient rule: the place moves by the velocity, the length grows by one")  # fill
    d.equals(u + (diff(end, t) + v * diff(end, x)), by="the velocity cancels")


@derivation("One data point")
def one_point(d):
    d.start((x - (a + (x - a) * s / t)) / (t - s))
    d.equals((x - a) * (1 - s / t) / (t - s), by="the part of the way that the step covers")  # fill
    d.equals((x - a) / t, by="the path is straight: its mean velocity is its velocity")
