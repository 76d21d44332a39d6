"""Beta-VAE: a code that costs more than it is worth, of which less is then used."""

from dataclasses import dataclass
from math import isqrt

import torch
from torch import Generator, Tensor

from genmath.train.data import Event
from genmath.train.recipes.vae import VAE
from genmath.vae import VAE as Model


@dataclass(frozen=True, kw_only=True)
class BetaVAE(VAE):
    """Higgins et al. 2017, equation 4.

    Result: vae.elbo
    """

    title = "Beta-VAE"
    shows = "how many numbers are still used, and what one of them changes"

    beta: float = 4.0

    def sample(
        self, model: Model, event: Event, n: int, generator: Generator, *, vary: int = -1
    ) -> Tensor:
        """The decoder's means; with ``vary`` that number of a code goes from -3 to 3 in a row."""
        z = torch.randn(n, self.latents, generator=generator, device=generator.device)
        if vary >= 0:
            across = max(1, isqrt(n))
            z = z[: -(-n // across)].repeat_interleave(across, 0)[:n]
            z[:, vary] = torch.linspace(-3, 3, across, device=z.device).repeat(n)[:n]
        return model.decode(z)[:, 0]
