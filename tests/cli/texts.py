"""Files that a person checks: one is right, one is wrong."""

from __future__ import annotations

NOTATION = """\
from genmath.proof import *

x, z = variables("x z")
p = Density("p_theta", x, z, positive=True)
q = Density("q_phi", z, given=x)
"""

TRUE = f"""{NOTATION}
@derivation("Bayes inside a logarithm")
def bayes(d):
    d.start(E(q(z | x), log(p(x))))
    d.equals(E(q(z | x), log(p(x, z) / p(z | x))), by="Bayes' rule")
"""

FALSE = f"""{NOTATION}
@derivation("A slip")
def slipped(d):
    d.start(E(q(z | x), log(p(x))))
    d.equals(E(q(z | x), log(p(x, z) / p(z | x))), by="Bayes' rule")
    d.equals(E(q(z | x), log(p(x, z))) + E(q(z | x), log(p(z | x))), by="a slip of sign")
"""
