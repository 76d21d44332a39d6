r"""What a closed cycle says, and what it does not.

Let $G$ be a translator that can be undone, and $S$ any map of the domain of the translations onto itself that can be undone. First show that $S \circ G$ closes the cycle as well as $G$ does. Then let translations be random, with the joint density $r(x, y)$, and bound the mean entropy of
$x$ given $y$ by the mean *squared* error $m$ of a translator $F$ back: guess a normal density of the variance $v$ around $F(y)$. Which $v$ gives the best bound?
"""

from genmath.book import chapter
from genmath.proof import *

kl_nonnegative = chapter("divergences").kl_nonnegative
x, y = variables("x y")
G, S = Function("G", invertible=True), Function("S", invertible=True)
r = Density("r", x, y, positive=True)
F = Function("F")
v, m = positives("v m")
error = define("m", E(r(x, y), (x - F(y)) ** 2))
guess = Normal(x, F(y), v)


@derivation("Another translator with a closed cycle")
def cycle(d):
    d.start(G.inverse(S.inverse(S(G(x)))))
    d.equals(G.inverse(G(x)), by="what was done last is undone first")  # fill
    d.equals(x, by="and then G is undone")


@derivation("The squared error bounds the entropy")
def entropy(d):
    d.start(E(r(y), H(r(x | y))))
    d.at_most(-E(r(x, y), log(guess)), by="the gap is a mean KL divergence",
              because=(E(r(y), KL(r(x | y), guess)), kl_nonnegative(r(x | y), guess)))
    d.equals(E(r(x, y), (x - F(y)) ** 2 / (2 * v) + log(2 * pi * v) / 2), by="the logarithm of the normal density")  # fill
    d.equals(error / (2 * v) + log(2 * pi * v) / 2, by="what does not depend on x and y comes out")


@derivation("The best variance")
def best(d):
    d.start(m / (2 * v) + log(2 * pi * v) / 2)
    d.at_least(number(1) / 2 + log(2 * pi * m) / 2, by="log u ≤ u − 1 at u = m/v", because=log_gap(m / v) / 2)  # fill because
