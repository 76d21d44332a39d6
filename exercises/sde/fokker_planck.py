r"""From drift and noise to the motion of a density.

A point moves by $\mathrm{d}x = b(x)\, \mathrm{d}t + g\, \mathrm{d}w$, so by Itô's formula the mean of a smooth $f$ changes at the rate $\mathbb{E}_p[b f' + \tfrac12 g^2 f'']$. Move every derivative from $f$ to
the density, and read off how $p$ changes. Then write that as a continuity equation: what is the velocity?
"""

from genmath.proof import *

x = variables("x")
g = positives("g")
f, b = Function("f"), Function("b")
p = Density("p", x, positive=True)


@derivation("The Fokker–Planck equation")
def fokker_planck(d):
    d.start(E(p(x), b(x) * f.prime(x) + g**2 / 2 * diff(f.prime(x), x)))
    d.equals(integral(f(x) * (-diff(b(x) * p(x), x) + g**2 / 2 * diff(diff(p(x), x), x)), x), by="integrate by parts: once for the drift, twice for the noise")  # fill
    d.equals(integral(f(x) * -diff((b(x) - g**2 / 2 * diff(log(p(x)), x)) * p(x), x), x), by="p times its score is the slope of p")
