"""Mean flow: the velocity of a whole step, learned without a teacher."""

from dataclasses import dataclass

from torch import Generator, Tensor, nn

from genmath.consistency import mean_flow_loss, sample_mean_flow
from genmath.train.data import Batch, Data, Event
from genmath.train.measures import distance
from genmath.train.networks import Chord
from genmath.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class MeanFlow(Recipe):
    """The mean velocity between two times, from its own rate of change.

    Result: consistency.mean_flow, consistency.mean_flow_loss
    Source: Geng et al. 2025, algorithms 1 and 2.
    """

    title = "Mean flow"
    shows = "digits in a single call of a network that had no teacher"
    takes = ("points", "pictures")

    batch: int = 64
    average: float = 0.995
    width: int = 24
    equal: float = 0.75  # the share of the batch that learns the velocity at a moment

    def build(self, event: Event, generator: Generator) -> nn.Module:
        return Chord(event, self.width, generator)

    def loss(self, model: nn.Module, batch: Batch, generator: Generator) -> Tensor:
        return mean_flow_loss(model, batch.x, equal=self.equal, generator=generator)

    def sample(
        self, model: nn.Module, event: Event, n: int, generator: Generator, *, steps: int = 1
    ) -> Tensor:
        return sample_mean_flow(model, (n, *event.shape), steps=steps, generator=generator)

    def evaluate(self, model: nn.Module, data: Data, generator: Generator) -> dict[str, float]:
        figures, n = {}, len(data.test.x)
        for steps in (1, 2, 4, 16):
            x = self.sample(model, data.event, n, generator, steps=steps)
            name, figure = distance(x, data)
            figures[f"{name}, steps {steps}"] = figure
        return figures
