r"""A prior that is not told the text.

Somebody forgot to pass the text to the prior: it is $p(z)$, the same for all texts. Its gap, averaged over texts, is a divergence from $r(z \mid c)$ to $p(z)$. Split it: one part is what the text says about the code, which no prior without a text can have; the other is the gap of a prior of all codes.
What is the least that this mistake costs? And what is the least if the texts say nothing about the codes?
"""

from genmath.proof import *

z, c = variables("z c")
r = Density("r", z, c, positive=True)
p = Density("p", z, positive=True)
told = KL(r(z, c), r(z) * r(c))


@derivation("What a prior without a text pays")
def untold(d):
    d.start(E(r(c), KL(r(z | c), p(z))))
    d.equals(told + KL(r(z), p(z)), by="multiply and divide by r(z) inside the logarithm")  # fill
    d.at_least(told, by="a KL divergence is not negative", because=E(r(z), log_gap(p(z) / r(z))))  # fill because
