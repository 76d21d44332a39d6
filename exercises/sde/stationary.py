r"""Where an Ornstein–Uhlenbeck process settles.

Let $\mathrm{d}x = -\theta x\, \mathrm{d}t + g\, \mathrm{d}w$. Show that one step of length $h$ changes the variance $v$ by $(g^2 - 2\theta v) h$ plus a term of second order, that the normal density with variance $g^2/(2\theta)$ does
not move, and that its probability flow stands still.
"""

from genmath.proof import *

x, eps = variables("x eps")
theta, g, h, v = positives("theta g h v")
settled = define("v_rest", g**2 / (2 * theta))
density = define("p", Normal(x, 0, settled))


@derivation("One step")
def one_step(d):
    d.start(E((Normal(x, 0, v), Normal(eps, 0, 1)), ((1 - theta * h) * x + g * sqrt(h) * eps) ** 2))
    d.equals((1 - theta * h) ** 2 * v + g**2 * h, by="position and noise are independent")  # fill
    d.equals(v + (g**2 - 2 * theta * v) * h + theta**2 * v * h**2, by="collect by powers of h")


@derivation("At rest")
def at_rest(d):
    d.start(diff(theta * x * density, x) + g**2 / 2 * diff(diff(density, x), x))
    d.equals(theta * density + theta * x * diff(density, x) + g**2 / 2 * diff(diff(density, x), x), by="product rule")  # fill
    d.equals(0, by="what the pull gathers the noise spreads")


@derivation("The flow stands still")
def flow(d):
    d.start(-theta * x - g**2 / 2 * diff(log(density), x))
    d.equals(-theta * x + g**2 / 2 * (x / settled), by="the score of a normal density")  # fill
    d.equals(0, by="g² over 2v is θ")
