r"""Jensen–Shannon is at most log 2.

JS is half the KL of each density to their mean $m = (p + q)/2$. Since $m \ge p/2$, each of the two logarithms is at most $\log 2$. Make that
a proof: find the certificate, an expression that equals the gap and is not negative term by term. Hint: $\log(1 + u) \ge 0$ for $u \ge 0$,
and what is $2m/p$?
"""

from genmath.proof import *

x = variables("x")
p = Density("p", x, positive=True)
q = Density("q", x, positive=True)
m = define("m", (p(x) + q(x)) / 2)


@derivation("JS is at most log 2")
def at_most_log_two(d):
    d.start(JS(p(x), q(x)))
    d.equals(E(p(x), log(p(x) / m)) / 2 + E(q(x), log(q(x) / m)) / 2, by="half the KL of each to their mean")  # fill
    d.at_most(log(2), by="m is at least half of each",
              because=E(p(x), log(1 + q(x) / p(x))) / 2 + E(q(x), log(1 + p(x) / q(x))) / 2)  # fill because
