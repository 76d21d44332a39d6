r"""Who learns from which term?

The three terms of the loss, with bars on what is held fixed. Fill in the gradients, and say in words which term moves what. Then show where the code comes to rest, and how far a push $g$ can hold the encoder's output off its code.

The chapter's own proofs are `vq.gradients`, `vq.codebook` and `vq.commitment`.
"""

from genmath.proof import *

z, e, z_bar, e_bar, g = reals("z e z_bar e_bar g")
beta = positives("beta")
L = Function("L")
J = define("J", L(z + (e_bar - z_bar)) + (z_bar - e) ** 2 + beta * (z - e_bar) ** 2)
zs = Sequence("z")
i, n = naturals("i n")
m = define("m", total(zs[i], i, 1, n) / n)


@derivation("The gradients")
def gradients(d):
    d.start(diff(J, z), name="encoder", words="of the encoder's output")
    d.equals(diff(L(z + (e_bar - z_bar)), z) + beta * diff((z - e_bar) ** 2, z), by="the codebook term holds it fixed")  # fill
    d.equals(L.prime(z + (e_bar - z_bar)) + 2 * beta * (z - e_bar), by="the chain rule")
    d.start(diff(J, e), name="code", words="of the code")
    d.equals(diff((z_bar - e) ** 2, e), by="only the codebook term moves it")  # fill
    d.equals(2 * (e - z_bar), by="the derivative of a square")


@derivation("Where the code comes to rest")
def rest(d):
    d.start(diff(total((zs[i] - e) ** 2, i, 1, n), e))
    d.equals(total(2 * (e - zs[i]), i, 1, n), by="each square by itself")  # fill
    d.equals(2 * n * (e - m), by="the mean times their number is the sum")


@derivation("How far a push can hold the output off its code")
def spring(d):
    d.start(g * z + beta * (z - e) ** 2)
    d.at_least(g * e - g**2 / (4 * beta), by="complete the square", because=beta * (z - e + g / (2 * beta)) ** 2)  # fill because
