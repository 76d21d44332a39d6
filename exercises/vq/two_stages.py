r"""Two stages, one bound.

A picture $x$ has one code $z$. First show that any code gives a lower bound of the evidence, and what the gap is. Then average over the data: what does the bound gain when the prior of the codes is
replaced by a better one, and what is the most that it can gain over a uniform prior?

That a divergence is not negative is `kl_nonnegative(r(z), prior(z))`; the gap of the tangent of the logarithm is `log_gap(u)` $= u - 1 - \log u$. The chapter's own proofs are `vq.point_posterior`, `vq.two_stages` and `vq.perplexity`.
"""

from genmath.book import chapter
from genmath.proof import *

x, z = variables("x z")
p = Density("p_theta", x, z, positive=True)
r = Density("r", x, z)
decoder = Density("p_theta", x, given=z, positive=True)
prior = Density("p_psi", z, positive=True)
codes = Density("r", z, positive=True)
K = define("K", integral(number(1), z))
kl_nonnegative = chapter("divergences").kl_nonnegative


@derivation("Any code gives a bound")
def one_code(d):
    d.given_that(p(z | x) <= 1)
    d.start(log(p(x)))
    d.equals(log(p(x | z)) + log(p(z)) - log(p(z | x)), by="Bayes' rule")  # fill
    d.at_least(log(p(x | z)) + log(p(z)), by="a probability is at most one", because=(log_gap(p(z | x)), 1 - p(z | x)))


@derivation("What the prior can change")
def better_prior(d):
    d.start(E(r(x, z), log(decoder(x | z)) + log(prior(z))))
    d.equals(E(r(x, z), log(decoder(x | z))) - H(r(z)) - KL(r(z), prior(z)), by="the prior sees the codes alone")  # fill
    d.at_most(E(r(x, z), log(decoder(x | z))) - H(r(z)), by="a divergence is not negative", because=kl_nonnegative(r(z), prior(z)))  # fill because


@derivation("What a uniform prior leaves to be gained")
def to_be_gained(d):
    d.start(log(K) - H(codes(z)))
    d.equals(KL(codes(z), 1 / K, over=z), by="the logarithm of the uniform probability is a constant")  # fill
    d.at_least(0, by="the logarithm lies below its tangent", because=E(codes(z), log_gap(1 / (K * codes(z)))))  # fill because
