"""Two coupling layers that bend a grid, coloured by their log-determinant."""

from explorers import Explorer, Slider

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript

flow = chapter("normalizing_flow")
parts = {chain.name: chain for chain in flow.coupling.chains}
kept, z_2 = reals("x_1 z_2")
z_1, amount = reals("z_1 amount")
s, t = Function("s"), Function("t")

EXPLORER = Explorer(
    title="Coupling layers bend the grid, and say how much each cell grows",
    shows="A grid of squares in the plane of the data, bent by one or two coupling layers; cells that grow are orange, cells that shrink are blue. Two circles show where the noise is. One point of the grid, and where it goes.",
    scripts=[
        *(
            javascript(node, "mapped")
            for node in parts["inverse"].start.walk()
            if getattr(node, "name", "") == "z_2"
        ),
        javascript((z_2 - t(kept)) * exp(-s(kept)), "back"),
        javascript(log(parts["determinant"].last), "log_det"),
        javascript(log(Normal(z_1, 0, 1) * Normal(z_2, 0, 1)), "log_noise"),
        javascript(amount * tanh(kept), "s"),
        javascript(amount * sin(2 * kept), "t"),
    ],
    uses=[
        "normalizing_flow.coupling",
        "normalizing_flow.composition",
        "normalizing_flow.change_of_variables",
    ],
    controls=[
        Slider("depth", "how far: layers", 0, 2, 1, 0.01),
        Slider("s_1", "first layer: scale", -1.5, 1.5, 0.7),
        Slider("t_1", "first layer: shift", -1.5, 1.5, 0.6),
        Slider("s_2", "second layer: scale", -1.5, 1.5, -0.6),
        Slider("t_2", "second layer: shift", -1.5, 1.5, 0.5),
        Slider("x", "the point: across", -2.4, 2.4, 1),
        Slider("y", "the point: upwards", -2.4, 2.4, 0.8),
    ],
    numbers={
        "first": r"log-determinant of the first layer there",
        "second": r"of the second",
        "both": r"$\log |\det \partial z / \partial x|$",
        "noise": r"$\log p(z)$ where it arrives",
        "density": r"$\log p_x(x)$, the sum of the two",
        "back": "the way back gives",
    },
    actions={"play": "Play"},
    words=r"""
**Try this.** Stop at one layer: every vertical line stays where it is, for $x_1$ is kept. Only *shift*: the lines slide, no cell changes its size, and nothing is coloured (`normalizing_flow.coupling[volume]`). Only *scale*:
right of the middle the lines are stretched, left of it pressed; all cells of a column have one colour, because $s$ depends on $x_1$ alone. Now the second layer, which keeps the new $z_2$ and moves points across: the log-determinants add
(`normalizing_flow.composition`). However much you bend, *the way back gives* the point itself: nothing was inverted but a scale and a shift (`normalizing_flow.coupling[inverse]`). Drag the point to where $\log p_x$ is largest: the data of this flow
would be dense where the grid both grows and lies near the middle of the circles.
""",
)
