r"""The best discriminator, and what it is worth.

A discriminator $D(x) \in (0, 1)$ is rewarded with $\mathbb{E}_p \log D + \mathbb{E}_q \log(1 - D)$, where $p$ is the density of the data and $q$ that of the generator. Show that
$D^\star = p/(p + q)$ is best, and that its reward is $2\, \mathrm{JS}(p, q) - \log 4$.

For the inequality subtract and add: the gap of $\log D$ to $\log D^\star$ is, up to terms that cancel between the two means, the gap of a tangent, `log_gap(u)` $= u - 1 - \log u$. What is $u$ in each?
"""

from genmath.proof import *

x = variables("x")
p = Density("p", x, positive=True)
q = Density("q", x, positive=True)
a = Function("a")
D = define("D", sigmoid(a(x)))
best = define("D_star", p(x) / (p(x) + q(x)))


@derivation("The best discriminator")
def optimal_discriminator(d):
    d.start(E(p(x), log(D)) + E(q(x), log(1 - D)))
    d.at_most(E(p(x), log(best)) + E(q(x), log(1 - best)), by="log u ≤ u − 1 at u = D/D⋆ and at u = (1 − D)/(1 − D⋆)",
              because=E(p(x), log_gap(D / best)) + E(q(x), log_gap((1 - D) / (1 - best))))  # fill because


@derivation("What it is worth")
def value(d):
    d.start(E(p(x), log(best)) + E(q(x), log(1 - best)))
    d.equals(E(p(x), log(p(x) / (p(x) + q(x)))) + E(q(x), log(q(x) / (p(x) + q(x)))), by="1 − D⋆ is q/(p + q)")  # fill
    d.equals(2 * JS(p(x), q(x)) - log(4), by="the mean of the two densities has a factor ½: log 2 twice")
