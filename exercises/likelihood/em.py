r"""Why EM works.

$p(x, z \mid \theta)$ has a hidden variable $z$. The present parameters are $\phi$, and `old` is the posterior of $z$ under them. Show that the log-likelihood rises by at least the mean rise of $\log p(x, z \mid \cdot)$ under `old`.

In the first step split the rise in two terms, one of which is a KL divergence. The second step drops it. Where was it used that the mean is taken under the posterior of the *present* parameters, and not under any other density of $z$?
"""

from genmath.proof import *

x, z = variables("x z")
theta, phi = reals("theta phi")
p = Density("p", x, z, given=theta, positive=True)
old = p(z | x, phi)
rise = E(old, log(p(x, z | theta) / p(x, z | phi)))


@derivation("EM never lowers the likelihood")
def em(d):
    d.start(log(p(x | theta)) - log(p(x | phi)))
    d.equals(rise + KL(old, p(z | x, theta)), by="Bayes' rule, for both parameters")  # fill
    d.at_least(rise, by="a KL divergence is not negative", because=E(old, log_gap(p(z | x, theta) / old)))  # fill because
