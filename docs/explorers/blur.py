"""A code with noise: what a decoder shows that wants the least error, and what one shows that draws."""

from explorers import Explorer, Slider, law

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript
from genmath.proof.language.tree import Named

blur = chapter("latent").blur
x, z, x_1 = variables("x z x_1")
s, tau = positives("s tau")
share = fractions("share")


def peaks(at, variance):
    """Two peaks, at 1 and at -1."""
    return share * Normal(at, 1, variance) + (1 - share) * Normal(at, -1, variance)


codes = peaks(z, s**2 + tau**2)


def given(at):
    """The data that share a code, by Bayes' rule."""
    return peaks(at, s**2) * Normal(z, at, tau**2) / codes


def of(part, **formulas):
    """Each formula for the density of the part that is printed so."""
    printed = {"x": "r(x)", "x_1": "r(x_1)", "z": "r(z)", "xz": "r(x,z)", "x_1z": "r(x_1|z)"}
    return {law(part, printed[name]): formula for name, formula in formulas.items()}


variance, twice = blur["variance"], blur["twice"]
of_mean = {"x_1": peaks(x_1, s**2), "x_1z": given(x_1)}
mean = next(n for n in variance.claim.lhs.walk() if isinstance(n, Named) and n.name == "m(z)")

EXPLORER = Explorer(
    title="What a blurred decoder loses: the mean of all data with one code",
    shows="Above, data with two peaks, and as a histogram the density of what is decoded, the conditional means. Below, one code: the density of the data that share it, "
    "and their mean, which may lie where no data are.",
    scripts=[
        javascript(variance, "decoded", "lhs", densities=of(variance, z=codes, **of_mean)),
        javascript(variance, "whole", densities=of(variance, x=peaks(x, s**2))),
        javascript(
            twice,
            "drawn",
            densities=of(twice, xz=peaks(x, s**2) * Normal(z, x, tau**2), x_1z=given(x_1)),
        ),
        javascript(mean, "mean", densities=of(variance, x_1z=given(x_1))),
        javascript(peaks(x, s**2), "density"),
        javascript(given(x), "sharing"),
        javascript(codes, "of_code"),
    ],
    uses=["latent.blur", "latent.best_decoder"],
    controls=[
        Slider("z", "a code $z$", -2.5, 2.5, 0.2, 0.02),
        Slider("tau", "noise of the code $\\tau$", 0.2, 2.5, 0.8),
        Slider("s", "width of the peaks $s$", 0.15, 1, 0.3),
        Slider("share", "share of the right peak", 0.1, 0.9, 0.5),
    ],
    numbers={
        "whole": "variance of the data",
        "decoded": "variance of what is decoded",
        "lost": "least squared error",
        "drawn": "squared error of a draw",
        "mean": "what the code $z$ is decoded to",
    },
    actions={"spread": "Let the noise grow"},
    words=r"""
**Try this.** A code is a datum plus noise $\tau$. Drag the code $z$ from one peak to the other (orange): its conditional mean $m(z)$ passes through the gap, where there are no data. Let the noise grow: the decoded values leave the peaks,
fill the gap, and at last gather in the middle, and the variance of what is decoded falls. Whatever you do, the first number is the sum of the second and the third (`latent.blur[variance]`), and the fourth
is twice the third (`latent.blur[twice]`): a decoder that draws makes data that look right, and errs twice as much.
""",
)
