r"""Two losses of a generator.

Let $a$ be the logit of a sample, $D = \operatorname{sigmoid}(a)$. The minimax loss is $\log(1 - D)$, the other one $-\log D$. Find the slope of each in $a$, and from their ratio the place where the first one
no longer teaches anything.
"""

from genmath.proof import *

a = reals("a")


@derivation("The minimax loss")
def minimax(d):
    d.start(diff(log(1 - sigmoid(a)), a))
    d.equals(diff(-softplus(a), a), by="1 − σ(a) is 1/(1 + exp a)")  # fill
    d.equals(-sigmoid(a), by="the derivative of softplus is the sigmoid: weight D")


@derivation("The non-saturating loss")
def non_saturating(d):
    d.start(diff(-log(sigmoid(a)), a))
    d.equals(diff(softplus(-a), a), by="1/σ(a) is 1 + exp(−a)")  # fill
    d.equals(-(1 - sigmoid(a)), by="weight 1 − D")


@derivation("How fast the first slope vanishes")
def vanishing(d):
    d.start(sigmoid(a))
    d.at_most(exp(a), by="what is missing is exp(a) σ(a)", because=exp(a) * sigmoid(a))  # fill because
