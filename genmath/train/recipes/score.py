"""Score matching: the slope of log p through noise of many levels, and walks that follow it."""

from dataclasses import dataclass

from torch import Generator, Tensor, nn, no_grad, randint

from genmath.paths import VEPath
from genmath.samplers import sample
from genmath.score import annealed_langevin, denoising_loss, geometric_levels, tweedie
from genmath.train.data import Batch, Event
from genmath.train.networks import network
from genmath.train.recipe import Recipe
from genmath.train.samplers import sampler_of


class Score(nn.Module):
    """-noise/sigma: a network guesses the noise, of x at unit size and the logarithm of sigma."""

    def __init__(self, noise: nn.Module) -> None:
        super().__init__()
        self.noise = noise

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        wide = sigma.reshape(-1, *[1] * (x.ndim - 1))
        guess: Tensor = self.noise(x / (1 + wide**2).sqrt(), sigma.log() / 4)
        return -guess / wide


@dataclass(frozen=True, kw_only=True)
class ScoreMatching(Recipe):
    """One network for the scores at all levels of noise.

    Result: score.denoising, score.noise_levels, score.annealed_steps
    Source: Vincent 2011, equation 9; Song, Ermon 2019, algorithm 1; "sde": Song et al. 2021.
    """

    title = "Denoising score matching"
    shows = "digits by Langevin's random walk, or by a stochastic differential equation"
    takes = ("points", "pictures")

    batch: int = 64
    average: float = 0.995
    width: int = 24
    most: float = 10.0
    least: float = 0.02
    levels: int = 30

    def build(self, event: Event, generator: Generator) -> nn.Module:
        return Score(network(event, self.width, generator))

    def loss(self, model: nn.Module, batch: Batch, generator: Generator) -> Tensor:
        x0 = batch.x
        levels = geometric_levels(self.most, self.least, self.levels).to(x0)
        sigma = levels[randint(self.levels, (len(x0),), generator=generator, device=x0.device)]
        return denoising_loss(model, x0, 1.0, sigma, generator=generator)

    @no_grad()
    def sample(
        self, model: nn.Module, event: Event, n: int, generator: Generator,
        *, steps: int = 150, sampler: str = "langevin",
    ) -> Tensor:  # fmt: skip
        """``steps`` are all steps of Langevin, shared out among the levels; or of a sampler."""
        shape, path = (n, *event.shape), VEPath(self.least, self.most)
        if sampler != "langevin":
            return sample(
                lambda x, t: model(x, path.sigma(t)), shape, path, sampler_of(sampler),
                steps=steps, prediction="score", generator=generator,
            )  # fmt: skip
        levels = geometric_levels(self.most, self.least, self.levels)
        repeats = max(1, steps // self.levels)
        x = annealed_langevin(model, shape, levels, step=0.2, repeats=repeats, generator=generator)
        last = levels[-1:].to(x)
        return tweedie(model(x, last.expand(n)), x, 1.0, self.least)
