"""Eight letters: the model's probabilities, and those that a sampler draws with."""

from explorers import Explorer, Slider

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript

autoregressive = chapter("autoregressive")
x = variables("x")
model, drawn = Density("p", x, positive=True), Density("r", x, positive=True)
bound = autoregressive.temperature["bound"]

EXPLORER = Explorer(
    title="Temperature and truncation of eight letters",
    shows="Bars of eight letters: the outline is the model's probability, the filled bar the one that a sampler draws with. Letters that are cut off have no filled bar.",
    scripts=[
        javascript(bound, "objective", "lhs"),
        javascript(bound, "most"),
        javascript(KL(drawn(x), model(x)), "price"),
        javascript(TV(drawn(x), model(x)), "shift"),
        javascript(H(drawn(x)), "entropy"),
    ],
    uses=["autoregressive.temperature", "autoregressive.truncation"],
    controls=[
        Slider("tau", "temperature $\\tau$", 0.1, 4, 1, 0.05),
        Slider("k", "top-k: keep at most", 1, 8, 8, 1),
        Slider("m", "top-p: keep a mass of", 0.05, 1, 1, 0.01),
        *(
            Slider(f"l_{i}", f"logit of letter {i}", -4, 4, value, 0.1)
            for i, value in enumerate((1.6, 1.3, 0.9, 0.5, 0.1, -0.4, -1.0, -1.6), 1)
        ),
    ],
    numbers={
        "kept": "letters kept",
        "mass": "mass of these in the tempered law",
        "entropy": "entropy of what is drawn",
        "price": "KL to the model",
        "shift": "TV to the model",
        "objective": r"mean log-probability + $\tau$ entropy",
        "most": r"its most, $\tau \log Z_\tau$",
    },
    actions={"cold": "Cool down"},
    words=r"""
**Try this.** Lower the temperature: the bars run up on the left, and the entropy falls. Without truncation the last two numbers are equal at every temperature, since no law has more of *this* mixture than the tempered one (`autoregressive.temperature`); cut
something off, and the first falls below the second. At $\tau = 1$ keep a mass of $0.8$: the KL divergence to the model is $\log(1/m)$ and total variation $1 - m$, with the mass $m$ that was really kept (`autoregressive.truncation`). Make all logits
alike: then top-k keeps the first ones by mere order, and a nucleus of a half keeps half of the letters.
""",
)
