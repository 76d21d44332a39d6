"""A grid that a field of arrows bends, and the density that it carries."""

from explorers import Explorer, Slider

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript

cnf = chapter("cnf")
x, y, grow, stretch, turn, bend, pull = reals("x y grow stretch turn bend pull")


def last(result, name=None, **case):
    return next(c for c in result.chains if c.name == name and dict(c.case) == case)


# The field, and its Jacobian row by row.
f = (
    grow * x - turn * y + bend * sin(2 * y) - pull * tanh(2 * x),
    stretch * y + turn * x + bend * sin(2 * x),
)
A = (
    (grow - 2 * pull * (1 - tanh(2 * x) ** 2), -turn + 2 * bend * cos(2 * y)),
    (turn + 2 * bend * cos(2 * x), stretch),
)

EXPLORER = Explorer(
    title="A field bends the grid, and thins the density or heaps it up",
    shows="A grid of squares in the plane, bent by the flow up to the chosen time; darker cells have a higher log-density. One point of it, with the path it has come and arrows of the field.",
    scripts=[
        *(javascript(node, f"f_{i}") for i, node in enumerate(f, 1)),
        *(javascript(A[i][j], f"A_{i + 1}{j + 1}") for i in (0, 1) for j in (0, 1)),
        javascript(last(cnf.small_step, n=2).last, "small_step"),
        javascript(log(Normal(x, 0, 1) * Normal(y, 0, 1)), "log_start"),
        javascript(last(cnf.linear, "density", n=2).start, "closed"),
    ],
    uses=["cnf.small_step", "cnf.log_determinant", "cnf.instantaneous", "cnf.linear"],
    controls=[
        Slider("time", "time $t$", 0, 1, 0.7, 0.01),
        Slider("steps", "Euler steps in all", 1, 60, 12, 1),
        Slider("grow", "grows across", -2, 2, 0.4),
        Slider("stretch", "grows upwards", -2, 2, -0.6),
        Slider("turn", "turns", -3, 3, 0.8),
        Slider("bend", "bends: waves", -1.5, 1.5, 0.4),
        Slider("pull", "pulls to the middle", -1.5, 1.5, 0),
        Slider("x", "the point: across", -2.4, 2.4, 1),
        Slider("y", "the point: upwards", -2.4, 2.4, 0.8),
    ],
    numbers={
        "traces": r"$\sum h \operatorname{tr} A$ along its path",
        "determinants": r"$\sum \log\det(I + hA)$",
        "divergence": r"exact $\int \operatorname{div} f$",
        "density": r"$\log p$ of the exact flow there",
        "closed": "in closed form, where only growth acts",
    },
    actions={"play": "Play"},
    words=r"""
**Try this.** Only *turn* and *bend*: the grid is bent out of shape and no cell changes its size, for the trace is zero; no colour changes either. Only *growth*: the log-density falls everywhere by
the same amount, and the closed form says how much (`cnf.linear`). Now *pull*: cells in the middle shrink, where the divergence is negative, and the density heaps up there (`cnf.instantaneous`).
Take few steps: sums of traces and of log-determinants part, because a step of size $h$ has terms in $h^2$ (`cnf.small_step`); with many steps both go to the same integral. With one large step
a determinant may even be negative: the step folds the grid over, which no flow does (`cnf.log_determinant`).
""",
)
