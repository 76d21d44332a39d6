"""VQ-VAE: pictures to a few tokens out of a learned codebook; then a law of the tokens."""

from dataclasses import dataclass
from functools import partial
from math import log, prod

from torch import Generator, Tensor, nn, no_grad

from genmath.nets import GPT
from genmath.nets.weights import initialize
from genmath.train.data import Batch, Data, Event
from genmath.train.measures import distance
from genmath.train.recipe import Recipe, Turn
from genmath.vae import gaussian_log_likelihood
from genmath.vq import VQVAE as Autoencoder
from genmath.vq import TwoStage, VectorQuantizer, code_perplexity


@dataclass(frozen=True, kw_only=True)
class VQVAE(Recipe):
    """Van den Oord, Vinyals, Kavukcuoglu 2017, sections 3.2 and 3.3; a transformer is the prior.

    Result: vq.ema, vq.two_stages, vq.perplexity
    """

    title = "VQ-VAE and its prior"
    shows = "digits of sixteen tokens each, and how many codes are in use"

    steps: int = 2000  # the first half for the codes, the second for their prior
    batch: int = 64
    average: float = 0.99
    codes: int = 64
    width: int = 32
    layers: int = 3  # of the prior

    def build(self, event: Event, generator: Generator) -> nn.Module:
        channels, w, d = event.shape[0], self.width, 8
        encoder = nn.Sequential(
            nn.Conv2d(channels, w, 3, padding=1), nn.SiLU(),
            nn.Conv2d(w, w, 4, stride=2, padding=1), nn.SiLU(), nn.Conv2d(w, d, 1),
        )  # fmt: skip
        decoder = nn.Sequential(
            nn.Conv2d(d, w, 3, padding=1), nn.SiLU(),
            nn.ConvTranspose2d(w, w, 4, stride=2, padding=1), nn.SiLU(),
            nn.Conv2d(w, channels, 3, padding=1),
        )  # fmt: skip
        initialize(encoder, generator)
        initialize(decoder, generator)
        codes = VectorQuantizer(self.codes, d, restart=0.05, generator=generator)
        likelihood = partial(gaussian_log_likelihood, log_var=2 * log(0.25))
        first = Autoencoder(encoder, decoder, codes, likelihood)
        prior = GPT(self.codes, prod(self.grid(event)), 64, self.layers, generator=generator)
        return TwoStage(first, prior)

    def grid(self, event: Event) -> tuple[int, int]:
        return event.shape[1] // 2, event.shape[2] // 2

    def turn(self, step: int) -> Turn:
        if step < self.steps // 2:
            return Turn(self.reconstruct, trains="first")
        return Turn(self.foretell, trains="prior")

    def before(self, model: TwoStage, step: int, data: Data, generator: Generator) -> None:
        if step == 0:  # the first codes are at examples
            x, codes = data.batch(256, self.seed).to(generator.device).x, model.first.quantizer
            assert isinstance(codes, VectorQuantizer)
            with no_grad():
                codes.start(model.first.encoder(x), generator=generator)

    def reconstruct(self, model: TwoStage, batch: Batch, generator: Generator) -> Tensor:
        return model.first.loss(batch.x)

    def foretell(self, model: TwoStage, batch: Batch, generator: Generator) -> Tensor:
        return model.loss(batch.x)

    def sample(
        self, model: TwoStage, event: Event, n: int, generator: Generator,
        *, temperature: float = 1.0,
    ) -> Tensor:  # fmt: skip
        shape = self.grid(event)
        return model.sample(n, shape=shape, temperature=temperature, generator=generator)

    def evaluate(self, model: TwoStage, data: Data, generator: Generator) -> dict[str, float]:
        x = data.test.to(generator.device).x
        tokens = model.first.encode(x)
        error = (model.first.decode(tokens) - x).square().mean()
        name, value = distance(self.sample(model, data.event, len(x), generator), data)
        return {
            "perplexity": float(code_perplexity(tokens, self.codes)),
            "error": float(error.sqrt()),
            "bits a token": float(-model.log_prior(tokens).mean()) / tokens[0].numel() / log(2),
            name: value,
        }
