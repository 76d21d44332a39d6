r"""Why a rotation tells only the distance.

A pair of features of the query is turned by the angle $\varphi$ of its place, that of the key by $\psi$. In the first derivation show that the length of a pair does not change. In the second, turn both further by $\theta$: the product does not move. Would it still hold if
query and key were turned by two *different* rates?
"""

from genmath.proof import *

q_1, q_2, k_1, k_2, phi, psi, theta = reals("q_1 q_2 k_1 k_2 phi psi theta")


@derivation("The length stays")
def length(d):
    d.start((q_1 * cos(phi) - q_2 * sin(phi)) ** 2 + (q_1 * sin(phi) + q_2 * cos(phi)) ** 2)
    d.equals((q_1**2 + q_2**2) * (cos(phi) ** 2 + sin(phi) ** 2), by="the mixed terms cancel")  # fill
    d.equals(q_1**2 + q_2**2, by="$\\sin^2 + \\cos^2 = 1$")


@derivation("The product with the first axis, both turned further")
def product_(d):
    d.start(diff(cos(phi + theta) * cos(psi + theta) + sin(phi + theta) * sin(psi + theta), theta))
    d.equals(
        -sin(phi + theta) * cos(psi + theta) - cos(phi + theta) * sin(psi + theta) + cos(phi + theta) * sin(psi + theta) + sin(phi + theta) * cos(psi + theta),
        by="the product rule, four terms",
    )  # fill
    d.equals(0, by="they cancel in pairs")
