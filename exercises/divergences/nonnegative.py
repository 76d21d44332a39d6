r"""KL is not negative, and zero only for equal densities.

The logarithm lies below its tangent at 1: $\log u \le u - 1$. Write KL as a mean of something to which this applies, and
show $\mathrm{KL}(p \,\|\, q) \ge 0$. The checker knows the gap of the tangent as `log_gap(u)`, which is $u - 1 - \log u$ and is never
negative. What is $u$ here? The other ways to say it are in `divergences.kl_nonnegative`.
"""

from genmath.proof import *

x = variables("x")
p = Density("p", x, positive=True)
q = Density("q", x, positive=True)


@derivation("KL is not negative")
def nonnegative(d):
    d.start(KL(p(x), q(x)))
    d.equals(E(p(x), -log(q(x) / p(x))), by="the definition, with the ratio turned over")  # fill
    d.at_least(0, by="log u ≤ u − 1", because=E(p(x), log_gap(q(x) / p(x))))  # fill because
    d.tight_when(q(x), p(x))
