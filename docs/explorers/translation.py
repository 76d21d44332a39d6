"""A perfect translator, followed by a turn: what the critic sees, and what the cycle does not."""

from explorers import Explorer, Slider

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript

symmetry = chapter("translation").symmetry
x, y = variables("x y")
theta = reals("theta")

EXPLORER = Explorer(
    title="A perfect translator, and then a turn",
    shows="On the left, pictures of the domain A in two colours. On the right their translations, turned, and an ellipse that holds most of the domain B.",
    scripts=[
        javascript(symmetry["rotation"], "critic"),
        javascript(symmetry["moved"], "moved"),
        javascript(cos(theta) * x + sin(theta) * y, "turned_x"),
        javascript(cos(theta) * y - sin(theta) * x, "turned_y"),
    ],
    uses=["translation.symmetry", "translation.cycle"],
    controls=[
        Slider("theta", "turn $\\theta$", -3.14, 3.14, 0.6, 0.02),
        Slider("width", "width of B, $\\sqrt\\beta$", 0.3, 1.5, 0.5),
    ],
    numbers={
        "critic": "KL that a critic could see",
        "cycle": "largest error of the cycle",
        "moved": "mean squared move by the turn",
    },
    actions={"turn": "Turn once"},
    words=r"""
**Try this.** Drag the handle: translations turn, and the translator back undoes it, so the cycle stays closed (`translation.cycle[rotation]`). While B is long the critic sees the turn, most at a quarter of it; at half a turn it sees nothing, and every
picture has the translation of its opposite. Make B round, $\sqrt\beta = 1$: now the first number is zero at *every* angle (`translation.symmetry[rotation]`), and nothing in the losses says which translation is meant.
""",
)
