"""DCGAN: a generator and a discriminator of convolutions, each in turn."""

from dataclasses import dataclass

from torch import Generator, Tensor, nn

from genmath import nets
from genmath.gan import GAN, discriminator_loss, generator_loss, r1_penalty
from genmath.train.data import Batch, Event
from genmath.train.recipe import Recipe, Turn


@dataclass(frozen=True, kw_only=True)
class DCGAN(Recipe):
    """Radford, Metz, Chintala 2016; the penalty: Mescheder, Geiger, Nowozin 2018, equation 9.

    Result: gan.minimax_value, gan.logit_losses, gan.remedies
    """

    title = "DCGAN"
    shows = "digits by a generator that learns from its critic alone"

    steps: int = 4000
    batch: int = 64
    betas: tuple[float, float] = (0.5, 0.99)
    average: float = 0.995
    latents: int = 32
    width: int = 32
    gamma: float = 1.0  # of the penalty on the discriminator's slope at data

    def build(self, event: Event, generator: Generator) -> nn.Module:
        channels, size, _ = event.shape
        maker = nets.Generator(self.latents, size, channels, self.width, generator=generator)
        judge = nets.Discriminator(size, channels, self.width, generator=generator)
        return GAN(maker, judge, self.latents)

    def turn(self, step: int) -> Turn:
        if step % 2:
            return Turn(self.fool, trains="generator")
        return Turn(self.judge, trains="discriminator")

    def judge(self, model: GAN, batch: Batch, generator: Generator) -> Tensor:
        made = model.sample(len(batch.x), generator=generator).detach()
        loss = discriminator_loss(model(batch.x), model(made))
        return loss + r1_penalty(model.discriminator, batch.x, gamma=self.gamma)

    def fool(self, model: GAN, batch: Batch, generator: Generator) -> Tensor:
        return generator_loss(model(model.sample(len(batch.x), generator=generator)))

    def sample(self, model: GAN, event: Event, n: int, generator: Generator) -> Tensor:
        return model.sample(n, generator=generator)
