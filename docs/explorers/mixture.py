"""Two bells, points that the reader sets, and EM step by step."""

from explorers import Explorer, Hidden, Slider

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript
from genmath.proof.language.tree import Named

likelihood = chapter("likelihood")
w = fractions("w")
x, mu_1, mu_2 = reals("x mu_1 mu_2")
v_1, v_2 = positives("v_1 v_2")


def named(result, name):
    """A letter that a result defines."""
    lines = [step.rhs for chain in result.chains for step in chain.steps]
    return next(e for line in lines for e in line.walk() if isinstance(e, Named) and e.name == name)


EXPLORER = Explorer(
    title="EM step by step: two bells on points that you set",
    shows="Above, points on a line under two weighted bells and their sum; the points have the colour of the bell that is responsible for them. Below, the log-likelihood after each step.",
    scripts=[
        javascript(likelihood.responsibilities["first"], "first"),
        javascript(named(likelihood.m_step, "m_r"), "mean"),
        javascript(named(likelihood.m_step, "v_r"), "variance"),
        javascript(w * Normal(x, mu_1, v_1) + (1 - w) * Normal(x, mu_2, v_2), "density"),
    ],
    uses=["likelihood.em_bound", "likelihood.responsibilities", "likelihood.m_step"],
    controls=[
        Slider("steps", "steps of EM", 0, 40, 0, 1),
        Slider("a", "first bell starts at", -4, 4, -0.6, 0.02),
        Slider("b", "second bell starts at", -4, 4, 0.6, 0.02),
        Slider("start", "both start with deviation", 0.2, 3, 1.2),
        Hidden("points", "-260_-210_-190_-140_-120_40_90_130_160_220_250"),
    ],
    numbers={
        "likelihood": "log-likelihood",
        "rise": "rise of the last step",
        "weight": "weight of the first",
        "first": "first: mean, deviation",
        "second": "second: mean, deviation",
    },
    actions={"play": "Run EM", "add": "Add a point", "fewer": "Take one away"},
    words=r"""
**Try this.** Take single steps. The points change their colour first (E-step), then the bells move to them (M-step), and the log-likelihood never falls (`likelihood.em_bound`). Start both bells at the same place: nothing tells them apart, and they stay together for ever.
Start them closer and closer, and EM waits longer and longer before it parts them. Now pull one point far to the right, and start both bells narrow, the second on this point: it takes this single point, and the next step would give it the deviation zero, with a log-likelihood without limit. The run stops there: a
mixture has no best fit.
""",
)
