r"""From a loss to information.

A classifier $s(k \mid w)$ guesses the place $k$ of the partner from the candidates $w$. In the first derivation split its loss. In the second turn it into a lower bound of the mutual information of place and candidates. That a mean of divergences is not negative is seen from the integral of
$p \log(p/s) - p + s$, which is nowhere negative. Which classifier reaches the bound, and what is its loss if $w$ tells nothing about $k$?
"""

from genmath.proof import *

w, k = variables("w k")
p = Density("p", w, k, positive=True)
s = Density("s", k, given=w, positive=True)
gap = E(p(w), integral(p(k | w) * log(p(k | w) / s(k | w)) - p(k | w) + s(k | w), k))


@derivation("The loss of a classifier")
def split(d):
    d.start(-E(p(w, k), log(s(k | w))))
    d.equals(-E(p(w, k), log(p(k | w))) + E(p(w, k), log(p(k | w) / s(k | w))), by="multiply and divide inside the logarithm")  # fill
    d.equals(E(p(w), H(p(k | w))) + E(p(w), KL(p(k | w), s(k | w))), by="the product rule, in both means")


@derivation("What the loss says")
def bound(d):
    d.start(H(p(k)) + E(p(w, k), log(s(k | w))))
    d.equals(KL(p(w, k), p(w) * p(k)) - E(p(w), KL(p(k | w), s(k | w))), by="the loss, split")  # fill
    d.at_most(KL(p(w, k), p(w) * p(k)), by="a mean of divergences is not negative", because=gap)  # fill because
