r"""A variational autoencoder on a mixture in the plane.

Fill in the four formulas, and check them; they are compared with `vae.gaussian_prior_kl`, `vae.gaussian_likelihood`,
`vae.reparameterization_gradient` and `vae.beta_vae`. Then run the file: `python mixture.py` trains on eight clusters with a code of two numbers and draws, for three
values of $\beta$: both terms of the loss in training (also as numbers, in mixture.csv), what the decoder makes of a grid of codes, and the codes of the data.

Questions. Which term falls first, and what does the decoder do while the other is still zero? Where are the bridges between clusters, and why must there be some? What
changes at $\beta = 4$, and what at $\beta = 0.25$: which of the two terms, and what in the picture of the codes? The laboratory on variational autoencoders answers these, with the exact log-evidence.
"""

import math

import torch

from genmath.nets import MLP
from genmath.toys import GaussianMixture

VARIANCE = 0.2**2  # of the decoder, as that of the clusters


def kl_to_prior(mean, log_var):  # fill
    """KL(N(mean, exp(log_var)) ‖ N(0, 1)) of each coordinate."""
    return (mean**2 + log_var.exp() - 1 - log_var) / 2


def draw_code(mean, log_var, eps):  # fill
    """A code z ~ N(mean, exp(log_var)) from standard normal noise eps."""
    return mean + (log_var / 2).exp() * eps


def log_likelihood(x, mean, log_var):  # fill
    """log N(x; mean, exp(log_var)) of each coordinate."""
    return -((x - mean) ** 2 / log_var.exp() + log_var + math.log(2 * math.pi)) / 2


def loss(log_likelihood, kl, beta):  # fill
    """What is minimised, given the mean log-likelihood and the KL term of one example."""
    return -log_likelihood + beta * kl


def train(beta, steps=2000):
    generator = torch.Generator().manual_seed(0)
    ring = GaussianMixture.ring(8, radius=2.0, std=0.2)
    encoder = MLP(2, hidden=64, layers=2, time=False, out=4, generator=generator)
    decoder = MLP(2, hidden=64, layers=2, time=False, generator=generator)
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=2e-3)
    curve, log_var_x = [], torch.tensor(math.log(VARIANCE))
    for _ in range(steps):
        x = ring.sample(256, generator=generator)
        mean, log_var = encoder(x).chunk(2, dim=1)
        z = draw_code(mean, log_var, torch.randn(mean.shape, generator=generator))
        reconstruction = log_likelihood(x, decoder(z), log_var_x).sum(1).mean()
        kl = kl_to_prior(mean, log_var).sum(1).mean()
        optimiser.zero_grad()
        loss(reconstruction, kl, beta).backward()
        optimiser.step()
        curve.append((reconstruction.item(), kl.item()))
    return encoder, decoder, curve, ring.sample(800, generator=generator)


def main(steps=2000):
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(3, 3, figsize=(10, 10), layout="constrained")
    grid = torch.cartesian_prod(*[torch.linspace(-2.5, 2.5, 25)] * 2)
    rows, every = ["beta,steps,minus_reconstruction,kl"], max(steps // 10, 1)
    for (left, middle, right), beta in zip(panels, (0.25, 1.0, 4.0), strict=True):
        encoder, decoder, curve, data = train(beta, steps)
        reconstruction, kl = zip(*curve, strict=True)
        for end in range(every, steps + 1, every):  # means of the steps before
            terms = [sum(term[end - every : end]) / every for term in (reconstruction, kl)]
            rows.append(f"{beta},{end},{-terms[0]:.4f},{terms[1]:.4f}")
        left.plot([-value for value in reconstruction], label="−reconstruction")
        left.plot(kl, label="KL")
        left.set(xscale="log", ylim=(-2, 20), title=f"β = {beta}: both terms")
        left.legend()
        with torch.no_grad():
            middle.plot(*decoder(grid).T, ".", markersize=3)
            right.plot(*encoder(data)[:, :2].T, ".", markersize=3)
        middle.set(aspect="equal", title="a grid of codes, decoded")
        right.set(aspect="equal", title="codes of the data")
    figure.savefig("mixture.png")
    with open("mixture.csv", "w") as file:
        file.write("\n".join(rows) + "\n")
    print("\n".join(rows))


if __name__ == "__main__":
    main()


# %% grades
from genmath.book import chapter
from genmath.cli.exercises import Grade
from genmath.proof import *

vae = chapter("vae")
mu, ell, R, K = reals("mu ell R K")
beta = positives("beta")
eps = variables("eps")

GRADES = [
    Grade("kl_to_prior", vae.gaussian_prior_kl, ("mu", "ell")),
    Grade(
        "draw_code", vae.reparameterization_gradient["draw"].claim.rhs.body.args[0], ("mu", "ell", "eps"), of=vae.reparameterization_gradient,
        wrong={"this scales by the variance; the noise is scaled by the standard deviation, exp(ℓ/2)": mu + exp(ell) * eps,
               "this takes the log-variance for the standard deviation": mu + ell * eps},
    ),
    Grade("log_likelihood", vae.gaussian_likelihood, ("x", "mu", "ell")),
    Grade(
        "loss", -vae.beta_vae.conclusion.rhs, ("R", "K", "beta"), of=vae.beta_vae,
        wrong={"this is the objective itself, which is maximised; the loss is its negative": R - beta * K,
               "the KL term is a cost: it has the other sign than the log-likelihood": -R - beta * K},
    ),
]
