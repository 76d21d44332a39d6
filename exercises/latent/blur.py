r"""What the mean of all answers loses.

A decoder that is trained by the squared error shows the mean $m(z)$ of all data with the code $z$. Show the law of total variance: what is decoded has too little variance, and what is
missing is the mean squared error. Then let a decoder *draw* from the data with this code, in place of showing their mean, and find how much larger its squared error is.
"""

from genmath.proof import *

x, z = variables("x z")
r = Density("r", x, z, positive=True)
y = copies(x, 1)[0]
m = define("m(z)", E(r(y | z), y))
M = define("M", E(r(y), y))
error = E(r(x, z), (x - m) ** 2)


@derivation("The law of total variance")
def total(d):
    d.start(E(r(x), (x - M) ** 2))
    d.equals(error + E(r(z), (m - M) ** 2), by="given the code, the deviation from its mean averages to zero")  # fill
    d.at_least(E(r(z), (m - M) ** 2), by="a square is not negative", because=error)  # fill because


@derivation("A decoder that draws")
def drawing(d):
    d.start(E((r(x, z), r(y | z)), (x - y) ** 2))
    d.equals(error + E((r(z), r(y | z)), (y - m) ** 2), by="x and y are independent given z, with the same mean: the cross term is zero")  # fill
    d.equals(2 * error, by="y has the law of x")
