"""A few points, one normal density, and which way its log-likelihood rises."""

from explorers import Explorer, Hidden, Slider

from genmath.book import chapter
from genmath.proof.functions import javascript

likelihood = chapter("likelihood")
slopes = likelihood.normal_slopes

EXPLORER = Explorer(
    title="Drag a likelihood: points, one normal density, and its slopes",
    shows="Above, points on a line under a normal density; a stem from each point up to the curve is its density. Arrows at the top of the curve say which way the log-likelihood rises. "
    "Below, the log-likelihood against the mean, with its top.",
    scripts=[
        javascript(likelihood.normal_ml, "whole", "lhs"),
        javascript(likelihood.normal_ml, "best"),
        javascript(slopes["mean"], "by_mean"),
        javascript(slopes["width"], "by_width"),
    ],
    uses=["likelihood.normal_ml", "likelihood.normal_slopes"],
    controls=[
        Slider("mu", "mean $\\mu$", -4, 4, -1.2, 0.02),
        Slider("sigma", "standard deviation $\\sigma$", 0.1, 4, 0.8, 0.02),
        Hidden("points", "-210_-120_10_90_260"),
    ],
    numbers={
        "whole": "log-likelihood",
        "best": "the largest there is",
        "gap": "what is missing",
        "by_mean": r"slope by $\mu$",
        "by_width": r"slope by $\sigma$",
    },
    actions={"climb": "Follow the slopes", "add": "Add a point"},
    words=r"""
**Try this.** Drag the top of the curve until both arrows vanish: you are at the mean and the standard deviation of the points, and nothing is missing (`likelihood.normal_ml`). Then make $\sigma$ very small: the arrow by $\sigma$ becomes
huge, because a narrow density gives the outer points next to nothing. Pull one point far away: the best mean follows it, and the best width more than that: one outlier spoils both. Put all points on one place, and let $\sigma$ go to zero: the
log-likelihood grows without limit.
""",
)
