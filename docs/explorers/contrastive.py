"""Views on a circle: an anchor, its partner and three others, dragged; who is pulled and pushed."""

from explorers import Explorer, Hidden, Slider

from genmath.book import chapter
from genmath.proof.functions import javascript

contrastive = chapter("contrastive")

EXPLORER = Explorer(
    title="Who is pushed, and how hard",
    shows="A circle with five points: the anchor, its partner, and three others. A line from the anchor to each other is as thick as the weight of that other in the softmax; the line to the partner is dashed. Below, the same weights as bars.",
    scripts=[
        javascript(contrastive.nt_xent["anchor"], "loss"),
        javascript(contrastive.slopes["other"], "push"),
        javascript(contrastive.slopes["partner"], "pull"),
    ],
    uses=["contrastive.nt_xent", "contrastive.slopes", "contrastive.temperature"],
    controls=[
        Slider("tau", r"temperature $\tau$", 0.05, 2, 0.5, 0.05),
        Slider("at", "angle of the partner", -180, 180, 40, 1),
        Hidden("others", "75.-110.160"),
    ],
    numbers={
        "loss": "loss of the anchor",
        "chance": r"that of guessing, $\log 4$",
        "pull": "pull on the partner's cosine",
        "push": "pushes on the others",
        "shares": "their shares of the push",
    },
    actions={"cold": "Cool down", "step": "Follow the slopes"},
    words=r"""
**Try this.** Drag an other past the partner: the loss rises. It is above $\log 4 \approx 1.39$, that of guessing, only if some other is nearer than the partner. The pushes together are the pull (`contrastive.slopes`). Cool down: nearly all of the push falls on the nearest other, and if the partner is
nearer still, all forces vanish. At a high temperature the three shares are nearly alike, wherever the others stand. *Follow the slopes* moves partner and others along the circle: the partner comes near, the others go to the far side, and there nothing keeps them apart, for this loss has one anchor.
""",
)
