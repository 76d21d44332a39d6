"""Two players with one number each."""

from explorers import Choice, Explorer, Slider

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript
from genmath.proof.functions.compiled import side_of
from genmath.proof.language.tree import Named

gan = chapter("gan")
x, y = reals("x y")
eta, gamma = positives("eta gamma")


def places(result):
    """The two places whose squares a side adds up."""
    return [square.args[0] for square in side_of(result, "lhs").args]


def named(result, name):
    return next(
        each
        for each in side_of(result, "lhs").walk()
        if isinstance(each, Named) and each.name == name
    )


both, ahead = places(gan.simultaneous_steps["growth"]), places(gan.remedies["extragradient"])
turn = gan.alternating_steps

EXPLORER = Explorer(
    title="The smallest game: x wants x·y small, y wants it large",
    shows="On the left, the plane of the two numbers with the direction in which both are pushed, and the orbit of the steps from where they start. "
    "On the right, the distance from the equilibrium after each step.",
    scripts=[
        *(javascript(node, name) for node, name in zip(both, ("x_both", "y_both"), strict=True)),
        *(javascript(node, name) for node, name in zip(ahead, ("x_ahead", "y_ahead"), strict=True)),
        javascript(named(turn["conserved"], "x_prime"), "x_turn"),
        javascript(named(turn["conserved"], "y_prime"), "y_turn"),
        javascript(y + eta * x - eta * gamma * y, "y_penalty"),
        javascript(gan.simultaneous_steps["growth"], "square_both"),
        javascript(gan.remedies["extragradient"], "square_ahead"),
        javascript(turn["conserved"].chain.steps[0].rhs, "form"),
        javascript(gan.remedies["penalty"], "determinant"),
    ],
    uses=["gan.simultaneous_steps", "gan.alternating_steps", "gan.remedies"],
    controls=[
        Choice(
            "rule",
            "steps",
            {
                "both": "both at once",
                "turn": "in turn",
                "ahead": "look ahead: extragradient",
                "penalty": "both, with a penalty on y",
            },
        ),
        Slider("eta", "step $\\eta$", 0.02, 2.2, 0.3, 0.02),
        Slider("gamma", "penalty $\\gamma$", 0, 2, 0.6),
        Slider("count", "number of steps", 1, 120, 40, 1),
        Slider("x", "$x$ at the start", -2, 2, 1),
        Slider("y", "$y$ at the start", -2, 2, 0),
    ],
    numbers={
        "start": "distance at the start",
        "end": "after the steps",
        "says": "what the result says of a step",
        "form": "form kept by steps in turn: start, end",
    },
    actions={"play": "Play"},
    words=r"""
**Try this.** *Both at once*: halve $\eta$, and the spiral still goes outwards, only slower (`gan.simultaneous_steps`). *In turn*: an ellipse, for ever, as long as $\eta < 2$; at $\eta = 2$
and beyond it leaves (`gan.alternating_steps`), and its form in the last number is the same at the end as at the start. *Look ahead* comes home for every $\eta < 1$, fastest at
$\eta^2 = 1/2$; the penalty does if $\gamma > \eta$ (`gan.remedies`). The arrows are what both players see: no player is wrong, and still they do not arrive.
""",
)
