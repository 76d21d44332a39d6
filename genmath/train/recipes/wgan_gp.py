"""WGAN-GP: a critic with a slope near one measures a distance, and the generator lowers it."""

from dataclasses import dataclass

from torch import Generator, Tensor, nn

from genmath import nets
from genmath.gan import GAN
from genmath.train.data import Batch, Event
from genmath.train.recipe import Recipe, Turn
from genmath.wasserstein import critic_loss, generator_loss, gradient_penalty


@dataclass(frozen=True, kw_only=True)
class WGANGP(Recipe):
    """Gulrajani et al. 2017, algorithm 1.

    Result: wasserstein.lipschitz, wasserstein.penalty_points, wasserstein.generator_gradient
    """

    title = "WGAN-GP"
    shows = "digits, and a loss that says how far they are from the data"

    steps: int = 3000
    batch: int = 64
    betas: tuple[float, float] = (0.5, 0.99)
    average: float = 0.995
    latents: int = 32
    width: int = 32
    weight: float = 10.0  # of the gradient penalty
    critics: int = 3  # steps of the critic before one of the generator

    def build(self, event: Event, generator: Generator) -> nn.Module:
        channels, size, _ = event.shape
        maker = nets.Generator(self.latents, size, channels, self.width, generator=generator)
        critic = nets.Discriminator(size, channels, self.width, generator=generator)
        return GAN(maker, critic, self.latents)

    def turn(self, step: int) -> Turn:
        if step % (self.critics + 1) < self.critics:
            return Turn(self.judge, trains="discriminator")
        return Turn(self.make, trains="generator")

    def judge(self, model: GAN, batch: Batch, generator: Generator) -> Tensor:
        made = model.sample(len(batch.x), generator=generator).detach()
        penalty = gradient_penalty(
            model.discriminator, batch.x, made, weight=self.weight, generator=generator
        )
        return critic_loss(model(batch.x), model(made)) + penalty

    def make(self, model: GAN, batch: Batch, generator: Generator) -> Tensor:
        return generator_loss(model(model.sample(len(batch.x), generator=generator)))

    def sample(self, model: GAN, event: Event, n: int, generator: Generator) -> Tensor:
        return model.sample(n, generator=generator)
