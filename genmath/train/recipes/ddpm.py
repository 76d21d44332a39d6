"""DDPM: a network guesses the noise, at every level of it."""

from dataclasses import dataclass

from torch import Generator, Tensor, nn

from genmath.ddpm import denoising_loss
from genmath.paths import Schedule, linear_schedule
from genmath.samplers import sample
from genmath.train.data import Batch, Event
from genmath.train.networks import network
from genmath.train.recipe import Recipe
from genmath.train.samplers import sampler_of


@dataclass(frozen=True, kw_only=True)
class DDPM(Recipe):
    """The simple loss at a random level, and few steps or all on the way back.

    Result: ddpm.loss_weight
    Source: Ho, Jain, Abbeel 2020, algorithms 1 and 2.
    """

    title = "Denoising diffusion"
    shows = "digits out of noise, in as many steps as you like"
    takes = ("points", "pictures")

    batch: int = 64
    average: float = 0.995
    levels: int = 200
    width: int = 24
    prediction: str = "v"  # "eps" is Ho's; few steps from pure noise multiply its errors

    @property
    def schedule(self) -> Schedule:
        """Ho's betas for 1000 levels, from 1e-4 to 0.02, made larger where there are fewer."""
        return linear_schedule(self.levels, 0.1 / self.levels, 20 / self.levels)

    def build(self, event: Event, generator: Generator) -> nn.Module:
        return network(event, self.width, generator, steps=self.levels)

    def loss(self, model: nn.Module, batch: Batch, generator: Generator) -> Tensor:
        how = self.prediction
        return denoising_loss(model, batch.x, self.schedule, prediction=how, generator=generator)

    def sample(
        self, model: nn.Module, event: Event, n: int, generator: Generator,
        *, steps: int = 50, sampler: str = "ddim", eta: float = 0.0,
    ) -> Tensor:  # fmt: skip
        by = sampler_of(sampler, eta, counted=True)
        return sample(
            model, (n, *event.shape), self.schedule, by, steps=steps,
            prediction=self.prediction, generator=generator,
        )  # fmt: skip
