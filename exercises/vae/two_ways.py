r"""The evidence lower bound, two ways.

Once by the KL divergence to the posterior, once by Jensen's inequality. The two roads drop two gaps that look different. In the third
derivation show that they are one and the same, which is *why* the roads agree.

The checker knows that a KL divergence is not negative by the lemma `kl_nonnegative(q(z | x), p(z | x))`, and the gap of the
tangent of the logarithm as `log_gap(u)` $= u - 1 - \log u$. The chapter's own proofs are `vae.elbo`, `vae.elbo_jensen` and `vae.jensen_gap`.
"""

from genmath.book import chapter
from genmath.proof import *

x, z = variables("x z")
p = Density("p_theta", x, z, positive=True)
q = Density("q_phi", z, given=x, positive=True)
w = define("w", p(x, z) / q(z | x))
kl_nonnegative = chapter("divergences").kl_nonnegative


@derivation("By the KL divergence to the posterior")
def by_kl(d):
    d.start(log(p(x)))
    d.equals(E(q(z | x), log(p(x))), by="q integrates to one")  # fill
    d.equals(E(q(z | x), log(p(x, z) / p(z | x))), by="Bayes' rule")  # fill
    d.equals(E(q(z | x), log(w)) + KL(q(z | x), p(z | x)), by="multiply and divide by q inside the logarithm")  # fill
    d.at_least(E(q(z | x), log(w)), by="KL is not negative", because=kl_nonnegative(q(z | x), p(z | x)))  # fill because


@derivation("By Jensen's inequality")
def by_jensen(d):
    d.start(log(p(x)))
    d.equals(log(E(q(z | x), w)), by="the weights average to the evidence")  # fill
    d.at_least(E(q(z | x), log(w)), by="the logarithm lies below its tangent at the mean", because=E(q(z | x), log_gap(w / p(x))))  # fill because


@derivation("Why they agree: the two gaps are one")
def one_gap(d):
    d.start(E(q(z | x), log_gap(w / p(x))))
    d.equals(E(q(z | x), -log(w / p(x))), by="w/p(x) averages to one")  # fill
    d.equals(KL(q(z | x), p(z | x)), by="Bayes' rule")
