r"""Light along a ray.

A ray meets three segments, which take the shares $a$, $b$ and $c$ of the light that arrives. What reaches the eye from a segment is its share, times what the segments before it let through. Show that the three weights sum to $1$ less the light that is left, and so to at most one.

Then cut a segment of matter $\sigma$ in two, of lengths $\delta_1$ and $\delta_2$, and show that this changes nothing: a picture does not depend on how finely a ray is cut, as long as the matter is constant between the cuts.
"""

from genmath.proof import *

a, b, c = fractions("a b c")
sigma, delta_1, delta_2 = positives("sigma delta_1 delta_2")


@derivation("Three weights")
def weights(d):
    d.start(a + (1 - a) * b + (1 - a) * (1 - b) * c)
    d.equals(1 - (1 - a) * (1 - b) + (1 - a) * (1 - b) * c, by="what the first two take is what they do not let through")  # fill
    d.equals(1 - (1 - a) * (1 - b) * (1 - c), by="the same for the third")
    d.at_most(1, by="the light that is left is not negative", because=(1 - a) * (1 - b) * (1 - c))  # fill because


@derivation("A segment, cut in two")
def cut(d):
    d.start((1 - exp(-sigma * delta_1)) + exp(-sigma * delta_1) * (1 - exp(-sigma * delta_2)))
    d.equals(1 - exp(-sigma * delta_1) * exp(-sigma * delta_2), by="multiply out: the light between the two cancels")  # fill
    d.equals(1 - exp(-sigma * (delta_1 + delta_2)), by="a product of exponentials")
