"""Solvers of the probability flow at equal calls, on the line, with the exact guess of the data."""

from explorers import Choice, Explorer, Slider

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript

edm = chapter("edm")
x = variables("x")
m = reals("m")
alpha, sigma, sigma_d = positives("alpha sigma sigma_d")
variance = alpha**2 * sigma_d**2 + sigma**2


def letter(side, name):
    """What a defined letter stands for."""
    return next(
        n.body for n in side.walk() if getattr(n, "name", "") == name and hasattr(n, "body")
    )


skip = letter(edm.weight.conclusion.rhs, "c_skip")
corrector = edm.corrected["constant"].claim.lhs

EXPLORER = Explorer(
    title="Solvers at equal calls: where a few steps lead, and where the exact flow does",
    shows="Above, curves of samples from noise on the left to two peaks on the right: thin ones of the exact flow, and those of a solver, with a dot for each call of the network. "
    "Below, the mean distance from the exact flow against the number of calls, on logarithmic axes, for four solvers; a line marks the number that is chosen.",
    scripts=[
        javascript(skip, "skip"),
        javascript(log(Normal(x, alpha * m, variance)), "log_part"),
        javascript((1 + erf((x - alpha * m) / sqrt(2 * variance))) / 2, "share"),
        javascript(edm.multistep, "step", "lhs"),
        javascript(letter(corrector, "w_s"), "w_s"),
        javascript(letter(corrector, "w_t"), "w_t"),
        javascript(letter(corrector, "w_u"), "w_u"),
        javascript(letter(edm.rho_grid.conclusion.rhs, "sigma"), "level"),
    ],
    uses=["edm.normal", "edm.multistep", "edm.corrected", "edm.heun", "edm.rho_grid"],
    controls=[
        Slider("calls", "calls of the network", 3, 40, 8, 1),
        Choice(
            "solver",
            "curves of",
            {
                "two": "DPM-Solver++(2M)",
                "ddim": "DDIM, which is Euler's method in σ",
                "heun": "Heun",
                "unipc": "UniPC",
            },
        ),
        Slider("rho", "spacing $\\rho$", 1, 20, 7, 0.5),
        Slider("gap", "distance of the peaks", 0, 3, 2, 0.05),
        Slider("width", "width of a peak", 0.05, 0.8, 0.25, 0.01),
        Slider("wave", "error of the network", 0, 0.2, 0, 0.005),
    ],
    numbers={
        "ddim": "distance: DDIM",
        "heun": "Heun",
        "two": "2M",
        "unipc": "UniPC",
        "steps": "steps that Heun has",
    },
    actions={"more": "More and more calls"},
    words=r"""
**Try this.** The guess of the data is exact (in each peak it is `edm.normal`), so only the steps are wrong.

- Take 8 calls and look at the four solvers one after the other. Then 20: DDIM halves its error when the calls double, 2M quarters it (`edm.first_order`, `edm.second_order`).
- With 4 calls all are poor, and *order* says nothing. Heun spends two calls a step and has hardly any steps.
- Make the peaks one (distance 0): the curves are those of normal data. Make them narrow: the guess changes within a short time, and every solver needs short steps there.
- Set $\rho$ to 1: nearly all levels lie at high noise, where nothing is decided. Every solver suffers. Between 5 and 20 the exponential integrators hardly change.
- Give the network an error. From some number of calls on all solvers are alike: what is left is the network's error, and no solver mends that.
""",
)
