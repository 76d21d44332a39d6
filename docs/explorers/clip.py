"""What attention over a clip costs: whole, alternating, and both kinds in one block."""

from explorers import Explorer, Slider

from genmath.book import chapter
from genmath.proof.functions import javascript

multimodal = chapter("multimodal")

EXPLORER = Explorer(
    title="Frames, tokens and width: which attention is cheapest",
    shows="Cost of a transformer block against the number of frames, both doubling from mark to mark, for three kinds of attention: over the whole clip, alternating between frames and places, and both kinds in a block.",
    scripts=[
        javascript(multimodal.names["whole"], "whole"),
        javascript(multimodal.clip_cost["alternating"], "alternating", "lhs"),
        javascript(multimodal.clip_cost["both"], "both"),
    ],
    uses=["multimodal.clip_cost", "attention.cost"],
    controls=[
        Slider("frames", "frames $n$", 1, 128, 8, 1),
        Slider("side", "tokens along a side of a frame", 1, 32, 4, 1),
        Slider("width", "width $d$", 32, 2048, 128, 32),
    ],
    numbers={
        "tokens": "tokens of the clip, $nm$",
        "whole": "whole, FLOPs a token",
        "alternating": "alternating, FLOPs a token",
        "both": "both in a block, FLOPs a token",
        "saves": "both saves, of the whole",
        "from": "frames from which both saves",
    },
    actions={"long": "Let the clip grow"},
    words=r"""
**Try this.** With 8 frames of $4 \times 4$ tokens and the width 128 the whole clip is cheaper to attend to than both kinds in one block: the saving is negative. Drag the dot to the right: where the two lines cross, $(n - 1)(m - 1) = 1 + 2d$. Now make frames of $16 \times 16$ tokens: the lines cross much earlier. Widen the network: the matrices
cost more, all three lines come together, and factorising hardly matters. The alternating one is never above the whole one (`multimodal.clip_cost[alternating]`).
""",
)
