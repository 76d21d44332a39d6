"""GPT: the pixels of a picture as a text, each guessed from all before it."""

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
class GPT(Recipe):
    """Radford et al. 2019, section 2; pixels as tokens: Chen et al. 2020 (iGPT), section 2.

    Result: autoregressive.next_token
    """

    title = "GPT"
    shows = "digits written pixel by pixel, by a network that was told of no picture"

    steps: int = 1000
    batch: int = 32
    average: float = 0.99
    levels: int = 17  # grey levels of the pictures, which are the vocabulary
    width: int = 64
    layers: int = 3
    heads: int = 4

    def build(self, event: Event, generator: Generator) -> nn.Module:
        return nets.GPT(
            self.levels, prod(event.shape), self.width, self.layers, self.heads,
            generator=generator,
        )  # fmt: skip

    def loss(self, model: nets.GPT, batch: Batch, generator: Generator) -> Tensor:
        x = to_levels(batch.x, self.levels).flatten(1)
        return nll(model(x), x)

    def sample(
        self, model: nets.GPT, event: Event, n: int, generator: Generator,
        *, temperature: float = 1.0, top_p: float = 1.0,
    ) -> Tensor:  # fmt: skip
        drawn = model.sample(n, temperature=temperature, top_p=top_p, generator=generator)
        return from_levels(drawn, self.levels).reshape(n, *event.shape)

    def evaluate(self, model: nets.GPT, data: Data, generator: Generator) -> dict[str, float]:
        x = to_levels(data.test.to(generator.device).x, self.levels)
        nats = -model.log_prob(x.flatten(1))
        return {"bits/dim": float(bits_per_dim(nats, prod(data.event.shape)).mean())}
