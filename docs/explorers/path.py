"""From noise to a handful of points, with the exact denoiser in place of a network."""

from explorers import Choice, Explorer, Hidden, Slider, law

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript

score, flow_matching, ddim, sde = map(chapter, ("score", "flow_matching", "ddim", "sde"))
x, x0 = variables("x x_0")
alpha, sigma = positives("alpha sigma")
drift, squared, slope = reals("b g2 s")
lam = nonnegatives("lambda")
kernel = Normal(x, alpha * x0, sigma**2)
given = {law(score.tweedie, "p_0(x_0)"): number(1)}  # the weights of the points are the measure's

EXPLORER = Explorer(
    title="The path: from noise to points, with nothing learned and nothing wrong but the steps",
    shows="On the left, points in the plane, the places to which particles have come from noise, and their trajectories. "
    "On the right, the horizontal coordinate of the same trajectories against time. Below, the density of that coordinate: particles as bars, the exact one as a curve.",
    scripts=[
        javascript(score.tweedie, "denoise", "lhs", densities=given),
        javascript(log(kernel), "log_kernel"),
        javascript(integral(kernel, x0), "density"),
        javascript(flow_matching.predictions["velocity_from_x0"], "velocity", free=["x_t"]),
        javascript(
            flow_matching.predictions["eps_from_velocity"], "noise", "lhs", free=["x_t", "U"]
        ),
        javascript(
            flow_matching.predictions["score_from_velocity"], "score", "lhs", free=["x_t", "U"]
        ),
        javascript(ddim.step["data"], "ddim_step", free=["v"]),
        javascript(ddim.step_variance, "fresh", "lhs", free=["alpha_bar_t"]),
        javascript(sde.path_noise, "g2", "lhs"),
        javascript(drift - (1 + lam**2) / 2 * squared * slope, "reverse_drift"),
    ],
    uses=[
        "score.tweedie",
        "flow_matching.predictions",
        "ddim.step",
        "ddim.step_variance",
        "sde.path_noise",
        "sde.reverse_family",
    ],
    controls=[
        Slider("time", "time $t$", 0, 1, 0, 0.01),
        Slider("steps", "steps", 1, 100, 12, 1),
        Choice(
            "sampler",
            "sampler",
            {
                "euler": "Euler",
                "heun": "Heun",
                "ddim": "DDIM, fresh noise η",
                "sde": "reverse SDE, noise η",
            },
        ),
        Slider("eta", "fresh noise $\\eta$", 0, 1, 0, 0.05),
        Choice(
            "schedule",
            "schedule",
            {
                "linear": "straight: α = 1 − t, σ = t",
                "cosine": "cosine: α = cos πt/2",
                "vp": "variance preserving, β from 0.1 to 20",
            },
        ),
        Choice(
            "data",
            "points",
            {
                "moons": "two moons",
                "ring": "ring",
                "three": "three points",
                "one": "one point",
                "mine": "my own: draw them",
            },
        ),
        Choice(
            "arrows",
            "arrows",
            {
                "none": "none",
                "velocity": "velocity",
                "x0": "denoiser: to the guessed data",
                "score": "score",
                "noise": "guessed noise, backwards",
            },
        ),
        Slider("seed", "seed", 1, 50, 7, 1),
        Hidden("points", ""),
    ],
    numbers={
        "calls": "calls of the denoiser",
        "error": "mean distance from the exact flow",
        "w1": "$W_1$ to the data, across",
        "level": r"$\log(\alpha/\sigma)$ at $t$",
    },
    actions={"play": "Play from noise", "add": "Add a point of my own", "clear": "Clear my points"},
    words=r"""
**Try this.** The best guess of the data given a noisy place is known exactly for a handful of points (`score.tweedie`): so here only the *steps* can be wrong.

- Take Euler from 12 steps to 3, then Heun at 3: the distance from the exact flow tells what the second call buys. With **one** step every particle lands on the
  mean of the data, for any points: nothing is known yet at $t = 1$.
- Choose *one point*: one step is exact (`ddim.one_point`). *Three points*: trajectories are straight only after the choice is made.
- Same points, DDIM, $\eta$ from 0 to 1: other trajectories, the same marginals (`ddim.marginal`); with few steps fresh noise costs (`ddim.gaussian_loss`). The distance from the flow is not asked
  where fresh noise enters: no particle has an end of its own then.
- Drag the time, with arrows: near pure noise all of them point to the mean, near the data each to the nearest point. Score and noise are one field in two scales; the velocity adds a multiple of the place (`flow_matching.predictions`).
- Draw your own points. Every particle ends *on* one: the exact denoiser of finitely many points repeats them. That a network does not is what makes it generate.
""",
)
