r"""Waiting times.

The times $x_1, \dots, x_n$ between two buses have mean $m$. Fit an exponential density, $\lambda e^{-\lambda x}$. Show that no rate $\lambda$ does better than $1/m$: first write the log-likelihood by the mean alone,
then bound it. The checker knows $u - 1 - \log u \ge 0$ as `log_gap(u)`. Which $u$ makes the gap? (A derivative that is zero would not do: it does not say whether the place is a maximum.)
"""

from genmath.proof import *

i, n = naturals("i n")
x = Sequence("x", domain="positive")
lam = positives("lambda")
m = define("m", total(x[i], i, 1, n) / n)


@derivation("The best rate is one over the mean")
def waiting(d):
    d.start(total(log(Exponential(x[i], lam)), i, 1, n))
    d.equals(n * (log(lam) - lam * m), by="the logarithm of the density, summed")  # fill
    d.at_most(-(n * (log(m) + 1)), by="the logarithm lies below its tangent", because=n * log_gap(lam * m))  # fill because
