r"""Why FID is never zero.

Two points $x_1, x_2$ of data and two samples $y_1, y_2$. Show that the squared difference of the two means is too large by half the sum of both variances, on average: first for one set and its true mean, then for two
sets. What changes if there are $N$ points in each set?
"""

from genmath.proof import *

x, y = variables("x y")
x_1, x_2 = copies(x, 2)
y_1, y_2 = copies(y, 2)
p, q = Density("p", x), Density("q", y)
a, b = define("a", E(p(x), x)), define("b", E(q(y), y))
v_p, v_q = define("v_p", E(p(x), (x - a) ** 2)), define("v_q", E(q(y), (y - b) ** 2))


@derivation("One set")
def one(d):
    d.start(E((p(x_1), p(x_2)), ((x_1 + x_2) / 2 - a) ** 2))
    d.equals(E((p(x_1), p(x_2)), ((x_1 - a) ** 2 + (x_2 - a) ** 2) / 4), by="independent: the mixed term has mean zero")  # fill
    d.equals(v_p / 2, by="twice a quarter of the variance")


@derivation("Two sets")
def two(d):
    d.start(E((p(x_1), p(x_2), q(y_1), q(y_2)), ((x_1 + x_2) / 2 - (y_1 + y_2) / 2) ** 2))
    d.equals((a - b) ** 2 + (v_p + v_q) / 2, by="the same for both sets; all products of different points have the product of the means")  # fill
    d.at_least((a - b) ** 2, by="variances", because=(v_p + v_q) / 2)  # fill because
