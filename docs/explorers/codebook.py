"""Codes in the plane that follow the means of the points that choose them."""

from explorers import Choice, Explorer, Hidden, Slider

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript
from genmath.proof.language.tree import Named

vq = chapter("vq")
x, y, a, b = reals("x y a b")
p = positives("p")


def named(result, name):
    """A letter that a result defines."""
    lines = [
        side for chain in result.chains for step in chain.steps for side in (step.lhs, step.rhs)
    ]
    return next(e for line in lines for e in line.walk() if isinstance(e, Named) and e.name == name)


def points():
    """Four clusters of ten points, in hundredths."""
    ways = ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (2, 0), (0, 2))
    middles = ((-150, 110), (140, 130), (150, -120), (-110, -140))
    for k, (u, v) in enumerate(middles):
        for i, (right, up) in enumerate(ways):
            yield from (
                u + 34 * right + 7 * ((i * 5 + k) % 7 - 3),
                v + 34 * up + 7 * ((i * 3 + k) % 7 - 3),
            )


EXPLORER = Explorer(
    title="A codebook learns: codes that you place, moved by running means",
    shows="Points in the plane, coloured by the code that is nearest to them, straight borders between the cells, and the path of each code from its start. Below, the mean squared error after each batch.",
    scripts=[
        javascript((x - a) ** 2 + (y - b) ** 2, "distance"),
        javascript(vq.ema["step"], "code", "lhs"),
        javascript(named(vq.ema, "N_1"), "count"),
        javascript(-p * log(p), "entropy"),
    ],
    uses=["vq.nearest", "vq.ema", "vq.codebook", "vq.perplexity"],
    controls=[
        Slider("steps", "batches", 0, 60, 6, 1),
        Slider("gamma", r"decay $\gamma$", 0, 0.95, 0.8),
        Slider("codes", "codes", 1, 6, 4, 1),
        Choice(
            "restart",
            "a code that nobody chose",
            {"no": "stays", "yes": "is put on the farthest point"},
        ),
        Hidden("starts", "-40_10_0_30_40_-10_10_-40_250_240_-260_20"),
        Hidden("points", "_".join(map(str, points()))),
    ],
    numbers={
        "error": "mean squared error",
        "gap": "farthest code from the mean of its points",
        "perplexity": "perplexity of the codes",
        "unused": "codes that nobody chooses",
    },
    actions={"play": "Run", "crowd": "All starts in a corner"},
    words=r"""
**Try this.** Run it: each code goes to the mean of the points of its colour, and stands still there (`vq.ema`). With decay 0 each batch is a step of k-means; with 0.9 the same place is reached, later. Now *all starts in a corner*: some codes win every point, others none. They have no mean to follow and stay for
ever. Let them be restarted: the error falls, and the perplexity comes near the number of codes. Put two codes into one cluster and leave another cluster to share a code with a third: k-means has places where it stands still, and not all of them are good.
""",
)
