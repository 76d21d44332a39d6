r"""A codebook on the line.

Four small functions, compared with `vq.gradients`, `vq.ema` and `vq.fsq`. Then run the file: `python code.py` learns a book of eight codes for numbers from two normal clusters, from three starts and with two decays, and prints the error, the perplexity and how many codes are dead.

Questions. Why does the start in a corner leave codes dead, however long it runs? Set `RESTART` to `True`: which number changes most? With the decay 0.99 and 30 batches the error is higher than with 0.8: is the fixed point another one? And what would you have to know to compare the book with rounding on eight equal pieces?
"""

import math
import random

RESTART = False


def told(slope, z, e, beta):  # fill
    """The gradient that the encoder's output z gets: the decoder's slope at the code e, and the commitment."""
    return slope + 2 * beta * (z - e)


def count_after(before, n, gamma):  # fill
    """The running count of a code, of which there were n in the batch."""
    return gamma * before + (1 - gamma) * n


def code_after(e, before, n, mean, gamma):  # fill
    """The code after a batch in which n numbers with this mean chose it."""
    return (gamma * before * e + (1 - gamma) * n * mean) / (gamma * before + (1 - gamma) * n)


def mean_square(levels):  # fill
    """The mean squared error of rounding to the middle of one of so many equal pieces of (-1, 1)."""
    return 1 / (3 * levels**2)


def nearest(codes, x):
    return min(range(len(codes)), key=lambda k: (codes[k] - x) ** 2)


def learn(start, gamma, batches=30, size=64):
    rng = random.Random(0)
    codes, counts = list(start), [size / len(start)] * len(start)
    for _ in range(batches):
        batch = [rng.gauss(rng.choice((-1, 1)), 0.3) for _ in range(size)]
        chosen = [nearest(codes, x) for x in batch]
        farthest = sorted(batch, key=lambda x: (x - codes[nearest(codes, x)]) ** 2)
        for k in range(len(codes)):
            own = [x for x, c in zip(batch, chosen, strict=True) if c == k]
            if own:
                codes[k] = code_after(codes[k], counts[k], len(own), sum(own) / len(own), gamma)
                counts[k] = count_after(counts[k], len(own), gamma)
            elif RESTART:
                codes[k], counts[k] = farthest.pop(), size / len(start)
            else:
                counts[k] = count_after(counts[k], 0, gamma)
    return codes


def main():
    rng = random.Random(1)
    test = [rng.gauss(rng.choice((-1, 1)), 0.3) for _ in range(4000)]
    starts = {
        "spread out": [-1.75 + 0.5 * k for k in range(8)],
        "in the middle": [0.01 * k for k in range(8)],
        "in a corner": [3 + 0.1 * k for k in range(8)],
    }
    for name, start in starts.items():
        for gamma in (0.8, 0.99):
            codes = learn(start, gamma)
            chosen = [nearest(codes, x) for x in test]
            error = sum((x - codes[k]) ** 2 for x, k in zip(test, chosen, strict=True)) / len(test)
            shares = [chosen.count(k) / len(test) for k in range(8)]
            perplexity = math.exp(-sum(s * math.log(s) for s in shares if s))
            print(f"{name:14} decay {gamma}: error {error:.4f}, perplexity {perplexity:.2f} of 8, dead {shares.count(0)}")


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

vq = chapter("vq")
slope, z, e, mean = reals("slope z e mean")
beta, before, n, levels = positives("beta before n levels")
gamma = fractions("gamma")

GRADES = [
    Grade(
        "told", slope + 2 * beta * (z - e), ("slope", "z", "e", "beta"), of=vq.gradients,
        wrong={"the commitment pulls z towards the code: the sign of the difference is the other one": slope + 2 * beta * (e - z),
               "the derivative of a square has a factor 2": slope + beta * (z - e)},
    ),
    Grade(
        "count_after", gamma * before + (1 - gamma) * n, ("before", "n", "gamma"), of=vq.ema,
        wrong={"the decay is the weight of the past": (1 - gamma) * before + gamma * n},
    ),
    Grade(
        "code_after", (gamma * before * e + (1 - gamma) * n * mean) / (gamma * before + (1 - gamma) * n), ("e", "before", "n", "mean", "gamma"), of=vq.ema,
        wrong={"this averages the code itself, whatever the counts are; average sum and count, and divide": gamma * e + (1 - gamma) * mean},
    ),
    Grade(
        "mean_square", 1 / (3 * levels**2), ("levels",), of=vq.fsq,
        wrong={"the interval from -1 to 1 has length 2: a piece is 2/L long": 1 / (12 * levels**2)},
    ),
]
