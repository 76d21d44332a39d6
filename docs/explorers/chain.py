"""Three binary pixels: seven probabilities, eight pictures, one number that draws one of them."""

from explorers import Explorer, Slider, law

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript

autoregressive = chapter("autoregressive")
x_1, x_2, x_3 = variables("x_1 x_2 x_3")
a, b_0, b_1, c_00, c_01, c_10, c_11 = fractions("a b_0 b_1 c_00 c_01 c_10 c_11")


def of(one, pixel):
    """The probability of a pixel, from that of 1."""
    return pixel * one + (1 - pixel) * (1 - one)


second = x_1 * b_1 + (1 - x_1) * b_0
third = x_1 * (x_2 * c_11 + (1 - x_2) * c_10) + (1 - x_1) * (x_2 * c_01 + (1 - x_2) * c_00)
factors = {
    "p(x_1)": of(a, x_1),
    "p(x_2|x_1)": of(second, x_2),
    "p(x_3|x_1,x_2)": of(third, x_3),
}


def in_order(result, name):
    """A result, with the three factors for its densities."""
    return javascript(
        result, name, densities={law(result, words): f for words, f in factors.items()}
    )


chain, sums = autoregressive.chain_rule["forward"], autoregressive.sums["entropy"]

EXPLORER = Explorer(
    title="Three pixels: seven probabilities make eight pictures",
    shows="Three columns of boxes, one for each pixel. Every box is divided in two, for the next pixel 0 or 1; the height of a box is its probability. At the right stand the eight pictures. "
    "A line at the height of a number between 0 and 1 goes through one box in each column: the picture that is drawn.",
    scripts=[
        in_order(chain, "joint"),
        *(
            javascript(f, name)
            for name, f in zip(("first", "second", "third"), factors.values(), strict=True)
        ),
        in_order(sums, "entropy"),
    ],
    uses=["autoregressive.chain_rule", "autoregressive.sums", "autoregressive.inverse_transform"],
    controls=[
        Slider("a", "first pixel is 1", 0.02, 0.98, 0.5, 0.01),
        Slider("b_0", "second is 1, after 0", 0.02, 0.98, 0.2, 0.01),
        Slider("b_1", "second is 1, after 1", 0.02, 0.98, 0.8, 0.01),
        Slider("c_00", "third is 1, after 0 0", 0.02, 0.98, 0.1, 0.01),
        Slider("c_01", "third is 1, after 0 1", 0.02, 0.98, 0.5, 0.01),
        Slider("c_10", "third is 1, after 1 0", 0.02, 0.98, 0.5, 0.01),
        Slider("c_11", "third is 1, after 1 1", 0.02, 0.98, 0.9, 0.01),
        Slider("u", "number that draws", 0, 1, 0.82, 0.005),
    ],
    numbers={
        "picture": "picture drawn",
        "chance": "its probability",
        "bits": "its bits",
        "whole": "all eight together",
        "entropy": "entropy, nats",
        "free": "numbers to set",
    },
    actions={"fair": "All coins fair"},
    words=r"""
**Try this.** Move the number that draws up and down: its line meets one box in each column, and the share of heights that leads to a picture is its probability (`autoregressive.inverse_transform`). The product of the
three factors is the height of the last box (`autoregressive.chain_rule`). Set the seven probabilities as you like: the eight always add up to one (`autoregressive.normalised`), and seven is what a table of eight would need, too
(`autoregressive.parameters`). Make all coins fair: the entropy is $3 \log 2 \approx 2.079$, and every picture has three bits. Then make the second pixel a copy of the first, nearly: the pictures that remain need fewer bits, and those that break the rule many.
""",
)
