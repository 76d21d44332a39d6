"""One step against many, along the curved paths of a flow and along straight ones."""

from explorers import Choice, Explorer, Slider

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript

flow_matching, consistency = chapter("flow_matching"), chapter("consistency")
x, end = variables("x Phi")
t, s, m = reals("t s m")
spread = positives("spread")

EXPLORER = Explorer(
    title="The flow map: one step against many",
    shows="Paths of a flow from noise on the left to data on the right, with the densities of both. Over them the way of a sampler in few steps. One path is marked, with "
    "its velocity at a time and the chord to an earlier time.",
    scripts=[
        javascript(flow_matching.gaussian_velocity["velocity"], "velocity"),
        javascript(log(Normal(x, m, spread**2)), "log_density"),
        javascript((1 + erf((x - m) / sqrt(2 * spread**2))) / 2, "mass"),
        javascript((x - end) / (t - s), "mean_velocity"),
        javascript(x - (t - s) * m, "step"),
    ],
    uses=[
        "consistency.after_reflow",
        "consistency.line",
        "consistency.mean_flow",
        "consistency.multistep",
        "consistency.straight",
        "flow_matching.gaussian_velocity",
    ],
    controls=[
        Slider("steps", "steps", 1, 20, 2, 1),
        Choice(
            "sampler",
            "sampler",
            {
                "euler": "Euler: the velocity where the step begins",
                "heun": "Heun: two velocities a step",
                "map": "the mean velocity of the step",
                "fresh": "the end of the path, noised again",
            },
        ),
        Choice(
            "flow",
            "paths",
            {"curved": "curved: random pairs", "straight": "straight: each noise with its own end"},
        ),
        Choice(
            "data", "data", {"two": "two peaks", "three": "three peaks", "normal": "normal, narrow"}
        ),
        Slider("start", "marked path: its noise", -2.4, 2.4, 0.4, 0.05),
        Slider("t", "its time $t$", 0.05, 1, 0.9, 0.01),
        Slider("s", "its earlier time $s$", 0, 0.95, 0.2, 0.01),
    ],
    numbers={
        "calls": "calls for a sample",
        "error": "mean distance from the exact end",
        "w1": "$W_1$ to the data",
        "v": "velocity $v$ at $t$",
        "u": "mean velocity $u$ from $t$ to $s$",
        "bent": "variance of the velocity along the path",
    },
    actions={"play": "Move the chord along the path"},
    words=r"""
**Try this.** Everything is exact here but the steps: on the line the flow keeps the mass on each side (`consistency.line`), so its map is known.

- *Euler*, one step: every sample lands on the mean of the data. Count how many steps it takes until the error is small; *Heun* needs fewer, at two calls a step.
- *The mean velocity*: one step, no error (`consistency.mean_flow`). Two steps or twenty: the same.
- *Straight* paths: Euler is exact in one step, too. The variance of the velocity along the marked path is zero (`consistency.straight`), and $u$ and $v$ agree wherever you drag the two ends.
- *The end of the path, noised again*: each call gives a sample, the next one gives **another**, so there is no end of its own to compare with. $W_1$ stays small: with exact answers more calls change nothing about the density (`consistency.multistep`). Now the same with *straight* paths: it goes wrong, because fresh noise does not lead to the densities that this flow has on its way (`consistency.after_reflow`).
- Drag the marked path to the border between two peaks. Its mean velocity changes suddenly there: what a network has to learn is steep.
""",
)
