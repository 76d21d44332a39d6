"""DDPM: a network guesses the noise, at every level of it."""

from dataclasses import dataclass

from torch import Generator, Tensor, nn

from genmath.ddpm import denoising_loss
from genmath.nets import UNet
from genmath.paths import Schedule, cosine_schedule
from genmath.samplers import DDIM, sample
from genmath.train.data import Batch, Event
from genmath.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class DDPM(Recipe):
    """Ho, Jain, Abbeel 2020, algorithms 1 and 2.

    Result: ddpm.loss_weight
    """

    title = "Denoising diffusion"
    shows = "digits out of noise, in as many steps as you like"

    levels: int = 200
    width: int = 32

    @property
    def schedule(self) -> Schedule:
        return cosine_schedule(self.levels)

    def build(self, event: Event, generator: Generator) -> nn.Module:
        return UNet(event.shape[0], self.width, steps=self.levels, generator=generator)

    def loss(self, model: nn.Module, batch: Batch, generator: Generator) -> Tensor:
        return denoising_loss(model, batch.x, self.schedule, generator=generator)

    def sample(
        self, model: nn.Module, event: Event, n: int, generator: Generator,
        *, steps: int = 50, eta: float = 0.0,
    ) -> Tensor:  # fmt: skip
        shape, path = (n, *event.shape), self.schedule
        return sample(model, shape, path, DDIM(eta), steps=steps, generator=generator)
