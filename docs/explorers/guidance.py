"""A sampler with exact scores, steered to one class of a mixture, beside what it should draw."""

from explorers import Choice, Explorer, Hidden, Slider, law

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript

score, ddim, guidance = map(chapter, ("score", "ddim", "guidance"))
x, x0 = variables("x x_0")
alpha, sigma = positives("alpha sigma")
s, P_y, P_n = reals("s P_y P_n")
kernel = Normal(x, alpha * x0, sigma**2)
given = {law(score.tweedie, "p_0(x_0)"): number(1)}  # the weights of the bells are the measure's

EXPLORER = Explorer(
    title="Guidance on a mixture that you draw: what the sampler makes, and what it should make",
    shows="On the left, bells of a wished class and of other classes in the plane, and the places at which samples end. "
    "On the right, the density of the horizontal coordinate: samples as bars, the true conditional law and the law of all data as curves. Below, the interval of levels at which the sampler is guided.",
    scripts=[
        javascript(score.tweedie, "denoise", "lhs", densities=given),
        javascript(log(kernel), "log_kernel"),
        javascript(integral(kernel, x0), "density"),
        javascript(s * P_y + (1 - s) * P_n, "guide"),
        javascript(ddim.step["data"], "step", free=["v"]),
        javascript(ddim.step_variance, "fresh", "lhs", free=["alpha_bar_t"]),
        javascript(guidance.interval["variance"], "formula"),
    ],
    uses=[
        "guidance.classifier_free",
        "guidance.every_prediction",
        "guidance.interval",
        "score.tweedie",
        "ddim.step",
        "ddim.step_variance",
    ],
    controls=[
        Slider("scale", "scale $s$", 0, 8, 3, 0.1),
        Slider("low", "guide from the level $u$", 0, 1, 0, 0.02),
        Slider("high", "up to the level $u$", 0, 1, 1, 0.02),
        Choice(
            "sampler",
            "sampler",
            {"0": "without noise (DDIM)", "1": "with noise (DDPM)"},
        ),
        Choice(
            "data",
            "data",
            {
                "three": "three classes",
                "modes": "a class with two modes",
                "normal": "the chapter's example: normal",
                "mine": "my own: draw them",
            },
        ),
        Choice("pen", "my pen draws", {"wish": "the wished class", "others": "other classes"}),
        Slider("width", "standard deviation of a bell", 0.1, 0.9, 0.4, 0.05),
        Slider("seed", "seed", 1, 50, 7, 1),
        Hidden("wish", "-80.60_-40.90"),
        Hidden("others", "60.-40_100.-60_80.40"),
    ],
    numbers={
        "mean": "mean across: samples, right",
        "variance": "variance across: samples, right",
        "formula": "by the chapter's formula, without noise",
        "sure": "probability of the class: samples, right",
        "calls": "calls of the network",
    },
    actions={
        "play": "Raise the scale",
        "add": "Add a bell of my own",
        "clear": "Clear my bells",
    },
    words=r"""
**Try this.** Every score is exact here, so what you see is guidance and nothing else.

- *The chapter's example*, scale 1: samples and the true conditional agree. Raise the scale: the variance across is $0.36^s$, up to the randomness of 300 samples and the length of the steps (`guidance.samples`), and the mean runs past $0.8$. Change to the sampler *with noise*: another law, with the same scores
  (`guidance.noisy_samples`).
- Guide only up to the level $0.5$, then only from there on. The formula is `guidance.interval`: what counts is by how much the conditional variance falls in between.
- *Three classes*: at scale 3 the samples leave the circle of their class, away from both others. The classifier is sure of them; the true law does not go there.
- *Two modes*: which of them empties? Guide late only, and it fills again.
- Draw your own: a wish in the middle of others has nowhere to go.
""",
)
