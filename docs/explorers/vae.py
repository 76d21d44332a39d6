"""One observation, one latent: what the encoder's bound leaves out."""

from explorers import Explorer, Slider, law

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript
from genmath.proof.language.tree import Divergence, Named

vae = chapter("vae")
x, z = variables("x z")
m = reals("m")
bend, s, tau = positives("bend s tau")

decoder = (1 - bend) * z + bend * (z**2 - 1)
model = {"p_θ(x|z)": Normal(x, decoder, tau**2), "p_θ(z)": Normal(z, 0, 1)}
encoder = {"q_φ(z|x)": Normal(z, m, s**2)}


def of(result, formulas):
    """Each formula for the density that the result prints so."""
    return {law(result, words): formula for words, formula in formulas.items()}


elbo, best = vae.elbo, vae.beta_optimum
gap = next(each for each in elbo.steps[2].rhs.walk() if isinstance(each, Divergence))
tempered = best.chains[-1].tight[0][1]
normaliser = next(
    each for each in tempered.walk() if isinstance(each, Named) and each.name == "Z_beta"
)

EXPLORER = Explorer(
    title="One observation and one latent: the bound, and the gap as an area",
    shows="Above, the decoder's mean against the latent z, with the observation as a level line. In the middle, prior, posterior and encoder as densities of z. "
    "Below, what the gap between log-evidence and bound adds up at each z.",
    scripts=[
        javascript(elbo, "evidence", "lhs", densities=of(elbo, model)),
        javascript(elbo, "bound", densities=of(elbo, model | encoder)),
        javascript(gap, "gap", densities=of(elbo, model | encoder)),
        javascript(best, "objective", "lhs", densities=of(best, model | encoder)),
        javascript(best, "most", densities=of(best, model)),
        javascript(model["p_θ(z)"], "prior"),
        javascript(encoder["q_φ(z|x)"], "encoder"),
        javascript(tempered, "tempered", densities=of(best, model), free=["Z_beta"]),
        javascript(normaliser, "normaliser", densities=of(best, model)),
        javascript(decoder, "decode"),
    ],
    uses=["vae.elbo", "vae.decomposition", "vae.beta_optimum"],
    controls=[
        Slider("m", "encoder: mean", -3, 3, 0.4, 0.02),
        Slider("s", "encoder: deviation", 0.05, 2, 0.9, 0.01),
        Slider("x", "observation $x$", -2, 4, 1.2),
        Slider("tau", "decoder's noise $\\tau$", 0.1, 2, 0.6),
        Slider("bend", "decoder: from $z$ to $z^2 - 1$", 0, 1, 0),
        Slider("beta", "price $\\beta$ of the KL", 0.2, 5, 1),
    ],
    numbers={
        "evidence": r"$\log p(x)$",
        "bound": "bound",
        "gap": r"gap $= \mathrm{KL}(q \,\Vert\, p(z \mid x))$",
        "objective": r"objective with $\beta$",
        "most": r"its most, $\beta \log Z_\beta$",
    },
    actions={"fit": "Best normal encoder for β"},
    words=r"""
**Try this.** Move the encoder: the bound changes, $\log p(x)$ does not, and the area below is always what is between them (`vae.decomposition`). Let it find its best place: with the straight
decoder the posterior is normal and the area vanishes. Now bend the decoder to $z^2 - 1$: two latents explain one observation, the posterior has two peaks, no normal encoder closes the
gap, and the best one settles on *one* peak. Raise $\beta$: the best encoder moves to the prior, and follows the tempered posterior (dashed) instead of the posterior (`vae.beta_optimum`);
for $\beta = 5$ and a noisy decoder it ignores the observation.
""",
)
