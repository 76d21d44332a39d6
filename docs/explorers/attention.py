"""Four tokens in the plane: queries and keys that the reader drags, and the matrix of weights."""

from explorers import Choice, Explorer, Hidden, Slider

from genmath.book import chapter
from genmath.proof.functions import javascript

attention = chapter("attention")

EXPLORER = Explorer(
    title="Queries, keys and the matrix of weights",
    shows="On the left a plane with four queries, with full lines, and four keys, with dashed ones, of one colour for each token. On the right the matrix of weights: each row is a token that asks, each column one that is looked at; "
    "a marked row is the token whose numbers stand below.",
    scripts=[
        javascript(attention.average["output"], "taken"),
        javascript(attention.rope["apart"], "turned"),
        javascript(attention.softmax["bound"], "most"),
    ],
    uses=["attention.average", "attention.softmax", "attention.rope"],
    controls=[
        Choice(
            "mask",
            "who may look",
            {
                "all": "all at all",
                "causal": "causal: at itself and before",
                "near": "at neighbours",
            },
        ),
        Slider("tau", r"temperature $\tau$", 0.1, 4, 1.4, 0.05),
        Slider("omega", r"RoPE: turn for each place $\omega$", 0, 1.5, 0, 0.05),
        Slider("row", "numbers of token", 1, 4, 1, 1),
        Slider("v_1", "value of token 1", -5, 5, 4, 0.1),
        Slider("v_2", "value of token 2", -5, 5, -2, 0.1),
        Slider("v_3", "value of token 3", -5, 5, 1, 0.1),
        Slider("v_4", "value of token 4", -5, 5, 0, 0.1),
        Hidden("points", "150.60_-120.90_40.-160_-150.-60_170.20_-60.150_90.-120_-170.10"),
    ],
    numbers={
        "weights": "weights",
        "taken": "what it takes",
        "seen": "how many it looks at, exp of the entropy",
        "objective": r"mean score + $\tau$ entropy",
        "most": r"the most of that, $\tau \log Z_\tau$",
    },
    actions={"cold": "Cool down", "shift": "Give all the same key"},
    words=r"""
**Try this.** Drag a query (full line) onto the key (dashed) of another token and lengthen it: its row turns towards that column. Lower the temperature: each row becomes a choice, and raising it makes all rows alike; the last two numbers stay equal, as no weights have more of score and entropy together
(`attention.softmax`). With the causal mask the first token can only look at itself. Give all tokens the same key: every row is the plain mean of what may be seen. Now turn on RoPE: with equal keys and equal queries the weights depend on how far two tokens are apart, and on nothing else (`attention.rope`).
""",
)
