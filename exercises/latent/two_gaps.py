r"""Two stages, two gaps.

Data and their codes have the joint density $r(x, z)$. The model draws a code from the prior $p_\psi(z)$ and decodes it with $p_\theta(x \mid z)$. Split the KL divergence from $r$ to the
model into the gap of the prior and the gap of the decoder. Then say why a better prior can never make the sum smaller than the decoder's gap.
"""

from genmath.book import chapter
from genmath.proof import *

kl_nonnegative = chapter("divergences").kl_nonnegative

x, z = variables("x z")
r = Density("r", x, z, positive=True)
decoder = Density("p_theta", x, given=z, positive=True)
prior = Density("p_psi", z, positive=True)


@derivation("Two gaps")
def two_gaps(d):
    d.start(E(r(x, z), log(r(x, z) / (decoder(x | z) * prior(z)))))
    d.equals(E(r(x, z), log(r(x | z) / decoder(x | z))) + E(r(x, z), log(r(z) / prior(z))), by="product rule: r(x, z) = r(z) r(x | z)")  # fill
    d.equals(E(r(z), KL(r(x | z), decoder(x | z))) + KL(r(z), prior(z)), by="the first is a KL for each code, the second one of the codes")
    d.at_least(E(r(z), KL(r(x | z), decoder(x | z))), by="a KL divergence is not negative", because=kl_nonnegative(r(z), prior(z)))  # fill because
