r"""Why the variance becomes a power.

Data are standard normal, and normal of mean $m$ and variance $1 - k$ given a label. At the level $u$ the conditional variance is $v = 1 - k u^2$. Let $m = 0$, guide with scale 2, and follow the flow, which moves a point with the velocity $(x + \text{guided score})/u$. First find the velocity.
Then show that a point that starts at $z$ is at $v z$: the variance in the end is $(1 - k)^2$, where it should be $1 - k$.
"""

from genmath.proof import *

x, z = variables("x z")
k, u = fractions("k u")
v = define("v", 1 - k * u**2)
guided = define("S", 2 * diff(log(Normal(x, 0, v)), x) - diff(log(Normal(x, 0, 1)), x))


@derivation("The velocity of the guided flow")
def velocity(d):
    d.start((x + guided) / u)
    d.equals((x - 2 * x / v + x) / u, by="the score of a normal is minus the distance from its mean, over its variance")  # fill
    d.equals(-(2 * k * u * x / v), by="1 − v is k u²")


@derivation("Its solutions")
def solution(d):
    d.start(diff(v * z, u))
    d.equals(-2 * k * u * z, by="the slope of v")  # fill
    d.equals(-(2 * k * u * (v * z) / v), by="multiply and divide by v: the velocity at the place v z")
