"""PixelCNN: each pixel given those before it, by convolutions that do not look ahead."""

from dataclasses import dataclass
from math import prod

from torch import Generator, Tensor, nn

from genmath import nets
from genmath.autoregressive import nll
from genmath.likelihood import bits_per_dim
from genmath.train.data import Batch, Data, Event
from genmath.train.levels import from_levels, to_levels
from genmath.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class PixelCNN(Recipe):
    """Van den Oord et al. 2016, "Conditional image generation with PixelCNN decoders", section 2.

    Result: autoregressive.next_token
    """

    title = "Gated PixelCNN"
    shows = "digits drawn pixel by pixel, and their exact likelihood"

    batch: int = 64
    steps: int = 1300
    rate: float = 3e-3
    average: float = 0.99
    levels: int = 17  # grey levels of the pictures
    width: int = 32
    layers: int = 7

    def build(self, event: Event, generator: Generator) -> nn.Module:
        return nets.PixelCNN(event.shape, self.levels, self.width, self.layers, generator=generator)

    def loss(self, model: nets.PixelCNN, batch: Batch, generator: Generator) -> Tensor:
        x = to_levels(batch.x, self.levels)
        return nll(model(x), x)

    def sample(
        self, model: nets.PixelCNN, event: Event, n: int, generator: Generator,
        *, temperature: float = 1.0,
    ) -> Tensor:  # fmt: skip
        drawn = model.sample(n, temperature=temperature, generator=generator)
        return from_levels(drawn, self.levels)

    def evaluate(self, model: nets.PixelCNN, data: Data, generator: Generator) -> dict[str, float]:
        x = to_levels(data.test.to(generator.device).x, self.levels)
        nats = -model.log_prob(x)
        return {"bits/dim": float(bits_per_dim(nats, prod(data.event.shape)).mean())}
