"""Mass on three places of a line: plans, potentials, and what lies between them."""

from explorers import Explorer, Slider, law

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript
from genmath.proof.functions.compiled import side_of
from genmath.proof.language.tree import Named

wasserstein = chapter("wasserstein")
x, y = variables("x y")


def last(result, name=None):
    """The part of a result that is stated for the most points."""
    return [chain for chain in result.chains if chain.name == name][-1]


bound, potential = last(wasserstein.line_bound), last(wasserstein.line, "potential")
step = wasserstein.sinkhorn_step["ascent"]
mean = next(
    each for each in side_of(step, "lhs").walk() if isinstance(each, Named) and each.name == "m"
)
attained = wasserstein.entropic_dual["attained"]

EXPLORER = Explorer(
    title="Mass on three places: the plan, the potential, and the gap between them",
    shows="Above, bars of mass where it is and, downwards, where it is wanted, with arcs for what a plan carries. In the middle the two distribution functions, "
    "with the area between them. Below, a potential that rises at most at full speed.",
    scripts=[
        javascript(bound.start, "cost"),
        javascript(bound.last, "dual"),
        javascript(potential.last, "w1"),
        javascript(mean, "mean"),
        javascript(
            attained,
            "entropic",
            densities={
                law(attained, "π(x)"): Function("P")(x),
                law(attained, "π(y)"): Function("Q")(y),
            },
        ),
    ],
    uses=[
        "wasserstein.line",
        "wasserstein.line_bound",
        "wasserstein.sinkhorn_step",
        "wasserstein.entropic_dual",
    ],
    controls=[
        *(
            Slider(f"p_{i}", f"mass at place {i}", 0, 1, v, 0.02)
            for i, v in ((1, 0.7), (2, 0.4), (3, 0.1))
        ),
        *(
            Slider(f"q_{i}", f"wanted at place {i}", 0, 1, v, 0.02)
            for i, v in ((1, 0.2), (2, 0.3), (3, 0.7))
        ),
        Slider("h_1", "first gap", 0.2, 3, 1),
        Slider("h_2", "second gap", 0.2, 3, 1.6),
        Slider("s_1", "your potential: fall $s_1$", -1, 1, 0.5),
        Slider("s_2", "your potential: fall $s_2$", -1, 1, 0.2),
        Slider("epsilon", "entropy $\\varepsilon$", 0, 2, 0, 0.05),
    ],
    numbers={
        "w1": r"$W_1 = \sum_k h_k |F_k - G_k|$",
        "cost": "cost of the plan",
        "dual": "what your potential sees",
        "gap": "gap",
        "entropic": "value with entropy",
    },
    actions={"fit": "Best potential"},
    words=r"""
**Try this.** Whatever potential you choose, it sees no more than any plan costs (`wasserstein.line_bound`). Make the gap vanish by hand: where more mass is on the left than wanted there, let it
fall at full speed (`wasserstein.line`). Then look when a potential is *free*: if as much is to the left as is wanted there, nothing passes that gap and its slope does not count.
Raise $\varepsilon$: the plan blurs, sends mass both ways through one gap, and costs more than $W_1$ (`wasserstein.entropic_dual`); the value with entropy is larger than the plan's cost by
$\varepsilon$ times its divergence from independence.
""",
)
