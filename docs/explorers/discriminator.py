"""The best discriminator of two densities, and what a generator follows."""

from explorers import Choice, Explorer, Slider, law

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript
from genmath.proof.functions.compiled import side_of
from genmath.proof.language.tree import Named

gan = chapter("gan")
x = variables("x")
m, far, k = reals("m far k")
s, t, l = positives("s t l")

P = Normal(x, -far, s**2) / 2 + Normal(x, far, s**2) / 2
Q = Normal(x, m, t**2)
game, value = gan.optimal_discriminator["game"], gan.minimax_value["value"]
best = next(
    each for each in side_of(game).walk() if isinstance(each, Named) and each.name == "D_star"
)


def of(result):
    return {law(result, "p(x)"): P, law(result, "q(x)"): Q}


g = Function("g")
samples = Normal(x, k, l**2)  # of a generator that moves, before a discriminator that stays

EXPLORER = Explorer(
    title="The best discriminator, any other, and what the generator follows",
    shows="Above, the density of the data, with two peaks, and that of the generator. Below, the probability of being data: the best discriminator and a logistic one.",
    scripts=[
        javascript(P, "p"),
        javascript(Q, "q"),
        javascript(best, "best", densities=of(game)),
        javascript(
            -integral(P * softplus(-g(x)) + Q * softplus(g(x)), x), "played"
        ),  # log D and log(1 − D), in the logit
        javascript(value.chain.steps[0].rhs, "value", densities=of(value)),
        javascript(E(samples, log(Q / (P + Q))), "minimax"),  # 1 − D* is q/(p + q)
        javascript(E(samples, -log(best)), "non_saturating", densities=of(game)),
    ],
    uses=[
        "gan.optimal_discriminator",
        "gan.minimax_value",
        "gan.equality_cases",
        "gan.frozen_gradient",
    ],
    controls=[
        Slider("m", "generator: mean", -6, 6, 3.4, 0.02),
        Slider("t", "generator: deviation", 0.2, 3, 0.7, 0.02),
        Slider("far", "data: peaks at ±", 0, 3, 1.2),
        Slider("s", "data: width", 0.2, 2, 0.7),
        Slider("slope", "your $D$: slope", -4, 4, -1, 0.05),
        Slider("centre", "your $D$: where it is ½", -6, 6, 1, 0.05),
        Choice(
            "loss",
            "generator's loss",
            {"non_saturating": "non-saturating, −log D", "minimax": "minimax, log(1 − D)"},
        ),
    ],
    numbers={
        "value": r"$V(D^\star) = 2\,\mathrm{JS} - \log 4$",
        "played": "$V$ of your $D$",
        "short": "what yours misses",
        "minimax": "slope of the minimax loss",
        "non_saturating": "slope of the other",
    },
    actions={"fit": "Best logistic D", "learn": "Train the generator"},
    words=r"""
**Try this.** Shape your own $D$: its value never exceeds that of $D^\star$ (`gan.optimal_discriminator`), and with its one slope it cannot tell two peaks from one midway between them. Then move the
generator far from the data: $D^\star$ is nearly 0 on all samples, the value is nearly 0, and the slope of the minimax loss dies out while the other grows (`gan.frozen_gradient`). Train with
both losses from there. Then start between the peaks, once with a wide and once with a narrow generator: which peaks does it keep?
""",
)
