r"""Two candidates: the smallest game.

An anchor, its partner with the cosine $a$, and one other with the cosine $b$. Show that the loss is a softplus of how much the other is nearer, over the temperature. Then find the slope by $b$, and how large it can be. At which $b$ is it half of that? What does a low
temperature do to an other that is farther than the partner?
"""

from genmath.proof import *

a, b = reals("a b")
tau = positives("tau")


@derivation("The loss of two candidates")
def loss(d):
    d.start(-log(exp(a / tau) / (exp(a / tau) + exp(b / tau))))
    d.equals(log(1 + exp((b - a) / tau)), by="divide by the exponential of the partner")  # fill
    d.equals(softplus((b - a) / tau), by="the definition of softplus")


@derivation("The push")
def push(d):
    d.start(diff(softplus((b - a) / tau), b))
    d.equals(sigmoid((b - a) / tau) / tau, by="the slope of softplus is the sigmoid, and the chain rule")  # fill
    d.at_most(1 / tau, by="a sigmoid is below 1", because=sigmoid((a - b) / tau) / tau)  # fill because
