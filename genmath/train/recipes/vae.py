"""VAE: an encoder guesses the code that a decoder may have made the picture from."""

from dataclasses import dataclass
from math import prod

from torch import Generator, Tensor, nn

from genmath.divergences import gaussian_kl
from genmath.likelihood import bits_per_dim
from genmath.nets import MLP
from genmath.train.data import Batch, Data, Event
from genmath.train.levels import spread
from genmath.train.recipe import Recipe
from genmath.vae import VAE as Model
from genmath.vae import gaussian_log_likelihood, iwae_bound


def likelihood(both: Tensor, x: Tensor) -> Tensor:
    """Of a Gaussian whose means and log-variances the decoder gives, side by side."""
    mean, log_var = both.unbind(1)
    return gaussian_log_likelihood(mean, x, log_var=log_var)


@dataclass(frozen=True, kw_only=True)
class VAE(Recipe):
    """Kingma, Welling 2014, equation 3; noise within a grey level: Theis et al. 2016.

    Result: vae.elbo, vae.gaussian_likelihood, vae.iwae
    """

    title = "Variational autoencoder"
    shows = "digits from a few normal numbers, and a bound of their likelihood"

    steps: int = 3000
    latents: int = 12
    width: int = 256
    levels: int = 17  # grey levels of the pictures
    beta: float = 1.0

    def build(self, event: Event, generator: Generator) -> nn.Module:
        pixels, width, d = prod(event.shape), self.width, self.latents
        encoder = MLP(pixels, width, 2, time=False, out=2 * d, generator=generator)
        decoder = MLP(d, width, 2, time=False, out=2 * pixels, generator=generator)
        shaped = nn.Sequential(decoder, nn.Unflatten(1, (2, *event.shape)))
        return Model(encoder, shaped, d, likelihood)

    def loss(self, model: Model, batch: Batch, generator: Generator) -> Tensor:
        x = spread(batch.x, self.levels, generator)
        return model.loss(x, generator=generator, beta=self.beta)

    def sample(self, model: Model, event: Event, n: int, generator: Generator) -> Tensor:
        """The decoder's means."""
        return model.sample(n, generator=generator)[:, 0]

    def evaluate(self, model: Model, data: Data, generator: Generator) -> dict[str, float]:
        x = data.test.to(generator.device).x.repeat(10, *[1] * len(data.event.shape))
        x = spread(x, self.levels, generator)
        bound = model.elbo(x, generator=generator)
        closer = iwae_bound(model.log_weights(x[:2000], 50, generator=generator))
        each = gaussian_kl(*model.encode(x), batch_dims=2).mean(0)
        pixels, bin_ = prod(data.event.shape), 2 / (self.levels - 1)
        return {
            "bits/dim, bound": float(bits_per_dim(-bound.total, pixels, width=bin_).mean()),
            "bits/dim, 50 draws": float(bits_per_dim(-closer, pixels, width=bin_).mean()),
            "KL": float(each.sum()),
            "latents in use": int((each > 0.1).sum()),
        }
