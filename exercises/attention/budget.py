r"""What does a pile of blocks cost?

A transformer has $L$ blocks of width $d$, and $n$ tokens. Find the numbers of all its matrices, and the FLOPs as twice the parameters for each token plus what the pairs cost. Then: from how many tokens on is that second part more than
the first? And what does a picture of twice the side cost if $n$ is far below that?
"""

from genmath.proof import *

n, width, L, layer = naturals("n d L l")


@derivation("The parameters of the pile")
def parameters(d):
    d.start(total(3 * width**2 + width**2 + 4 * width**2 + 4 * width**2, layer, 1, L))
    d.equals(total(12 * width**2, layer, 1, L), by="$3 + 1 + 4 + 4$")  # fill
    d.equals(12 * L * width**2, by="each block has the same", because=induction(L))


@derivation("FLOPs: twice the parameters for each token, and the pairs")
def flops(d):
    d.start(L * (24 * n * width**2 + 4 * n**2 * width))
    d.equals(2 * (12 * L * width**2) * n + 4 * L * n**2 * width, by="sorted")  # fill
    d.equals(4 * L * n * width * (6 * width + n), by="common factors: the pairs are more where n is above six widths")
