r"""Attention, in code.

Four small functions in plain Python, compared with `attention.average`, `attention.rope`, `attention.cost` and `attention.slopes`. Then run the file: `python code.py` lets attention to three places learn to copy the third value, by nothing but the slopes of the chapter.

Questions. Which scores rise, and which fall? Why does learning become slower the nearer it comes? Start with `SPREAD = 8`: why does it stand still? What does the temperature 0.2 change?
"""

import math
import random

SPREAD = 1.0
TEMPERATURE = 1.0


def average(s_1, s_2, v_1, v_2, tau):  # fill
    """The average of two values by the softmax of their scores at temperature tau."""
    w_1, w_2 = math.exp(s_1 / tau), math.exp(s_2 / tau)
    return (w_1 * v_1 + w_2 * v_2) / (w_1 + w_2)


def turned_score(q_1, q_2, k_1, k_2, psi):  # fill
    """The product of a query that is turned by psi with a key that is not."""
    return (q_1 * k_1 + q_2 * k_2) * math.cos(psi) + (q_1 * k_2 - q_2 * k_1) * math.sin(psi)


def flops(n, d):  # fill
    """FLOPs of a block of width d for n tokens, by its matrix products."""
    return 24 * n * d**2 + 4 * n**2 * d


def slope(s, v, R, B):  # fill
    """How much the average rises with the score s of a place with the value v; R and B as in the chapter."""
    a, o = math.exp(s) / (math.exp(s) + R), (math.exp(s) * v + B) / (math.exp(s) + R)
    return a * (v - o)


def attend(scores, values):
    weights = [math.exp(score / TEMPERATURE) for score in scores]
    return sum(w * x for w, x in zip(weights, values, strict=True)) / sum(weights)


def main():
    rng = random.Random(0)
    scores = [SPREAD * rng.gauss(0, 1) for _ in range(3)]
    values, target = [0.0, 1.0, 5.0], 5.0
    for step in range(301):
        out = attend(scores, values)
        if step % 60 == 0:
            print(f"step {step:3d}: scores {', '.join(f'{s:6.2f}' for s in scores)}; taken {out:.3f}, wanted {target}")
        moves = []
        for i in range(3):
            rest = [j for j in range(3) if j != i]
            R = sum(math.exp(scores[j] / TEMPERATURE) for j in rest)
            B = sum(math.exp(scores[j] / TEMPERATURE) * values[j] for j in rest)
            moves.append((out - target) * slope(scores[i] / TEMPERATURE, values[i], R, B) / TEMPERATURE)
        scores = [s - 0.3 * m for s, m in zip(scores, moves, strict=True)]


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

attention = chapter("attention")
q_1, q_2, k_1, k_2, psi, s, v, B, s_1, s_2, v_1, v_2 = reals("q_1 q_2 k_1 k_2 psi s v B s_1 s_2 v_1 v_2")
R, tau, n, d = positives("R tau n d")

e_1, e_2 = exp(s_1 / tau), exp(s_2 / tau)

GRADES = [
    Grade(
        "average", (e_1 * v_1 + e_2 * v_2) / (e_1 + e_2), ("s_1", "s_2", "v_1", "v_2", "tau"), of=attention.average,
        wrong={"the weights must add up to one": e_1 * v_1 + e_2 * v_2, "the temperature divides the scores": (exp(s_1) * v_1 + exp(s_2) * v_2) / (exp(s_1) + exp(s_2))},
    ),
    Grade(
        "turned_score", attention.rope["apart"], ("q_1", "q_2", "k_1", "k_2", "psi"),
        wrong={
            "this turns the other way": (q_1 * k_1 + q_2 * k_2) * cos(psi) - (q_1 * k_2 - q_2 * k_1) * sin(psi),
            "the second part is missing: query and key need not be parallel": (q_1 * k_1 + q_2 * k_2) * cos(psi),
        },
    ),
    Grade(
        "flops", 24 * n * d**2 + 4 * n**2 * d, ("n", "d"), of=attention.cost,
        wrong={"these are multiply-adds: an addition counts, too": 12 * n * d**2 + 2 * n**2 * d},
    ),
    Grade(
        "slope", attention.slopes["score"], ("s", "v", "R", "B"),
        wrong={"this is the slope of the weight: how far is the value above the average?": exp(s) / (exp(s) + R) * (1 - exp(s) / (exp(s) + R))},
    ),
]
