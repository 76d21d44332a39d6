r"""Letters, in code.

Four small functions, compared with `autoregressive.logistic_bins`, `autoregressive.gumbel_max`, `autoregressive.loss_gradient` and `autoregressive.speculative`. Then run the file: `python code.py` counts which letter follows which
in a small text, and writes at three temperatures.

Questions. The model sees one letter back: which words of the text does it still get right, and why? At which temperature is a sample most like the text, and at which one is it most probable under the model? Change `CONTEXT` to 2 and to 5: what does the loss on the *held-out* half do, and why is the other one
no guide?
"""

import math
import random

CONTEXT = 1
TEXT = (
    "a model of letters guesses the next letter from the letters before it and the better it guesses the less it is surprised by the text "
    "the entropy of the letters is what no model can save and the rest is what the model has not learned yet so train it on the text and "
    "look at the loss on a text that it has not seen before since the loss on the text that it has seen can only tell how well it remembers "
)


def log_bin(alpha, beta):  # fill
    """log(sigmoid(beta) - sigmoid(alpha)) for alpha < beta, exact for edges far from 0."""
    return -math.log1p(math.exp(-beta)) - math.log1p(math.exp(alpha)) + math.log(-math.expm1(alpha - beta))


def gumbel_key(ell, t):  # fill
    """The noisy logit, from the logit and a standard exponential time t."""
    return ell - math.log(t)


def slope(ell_1, R):  # fill
    """The derivative of the loss by the logit ell_1 of the letter that came; R sums the other exp(ell)."""
    return math.exp(ell_1) / (math.exp(ell_1) + R) - 1


def keep(p, q):  # fill
    """The probability to keep a letter that the draft gives q and the target p."""
    return min(1.0, p / q)


def counts(text, context):
    found = {}
    for i in range(context, len(text)):
        after = found.setdefault(text[i - context : i], {})
        after[text[i]] = after.get(text[i], 0) + 1
    return found


def draw(after, temperature, rng):
    keys = {letter: gumbel_key(math.log(n) / temperature, rng.expovariate(1)) for letter, n in after.items()}
    return max(keys, key=keys.get)


def loss(found, text, context):
    """Nats a letter, with one count added to each of the 27 letters."""
    total = 0.0
    for i in range(context, len(text)):
        after = found.get(text[i - context : i], {})
        total -= math.log((after.get(text[i], 0) + 1) / (sum(after.values()) + 27))
    return total / (len(text) - context)


def main():
    half = len(TEXT) // 2
    found = counts(TEXT[:half], CONTEXT)
    for name, part in (("seen", TEXT[:half]), ("held out", TEXT[half:])):
        print(f"loss on the half that was {name}: {loss(found, part, CONTEXT):.2f} nats a letter")
    for temperature in (0.3, 1.0, 2.0):
        rng, written = random.Random(0), TEXT[:CONTEXT]
        while len(written) < 90:
            written += draw(found.get(written[-CONTEXT:], {" ": 1}), temperature, rng)
        print(f"temperature {temperature}: {written}")


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

autoregressive = chapter("autoregressive")
high, ell, ell_1 = reals("beta ell ell_1")
t, p, q, R = positives("t p q R")

GRADES = [
    Grade(
        "log_bin", autoregressive.logistic_bins["stable"], ("alpha", "beta"), domains={"alpha": "real", "beta": "at_least_one"},
        wrong={"this is the logarithm of one sigmoid: the bin ends at both sides": log(sigmoid(high))},
    ),
    Grade(
        "gumbel_key", autoregressive.gumbel_max["key"], ("ell", "t"),
        wrong={"a long time must make the key small: the logarithm has the other sign": ell + log(t)},
    ),
    Grade(
        "slope", autoregressive.loss_gradient["came"], ("ell_1", "R"),
        wrong={"this is the slope by the logit of a letter that did not come": exp(ell_1) / (exp(ell_1) + R)},
    ),
    Grade(
        "keep", 1 - positive_part(1 - p / q), ("p", "q"), of=autoregressive.speculative,
        wrong={"the draft is in the denominator: it proposed the letter": 1 - positive_part(1 - q / p), "a probability is at most one": p / q},
    ),
]
