"""Guidance: one network with and without classes, and more of the difference of its answers."""

from dataclasses import dataclass
from typing import Any

from torch import Generator, Tensor, arange, full, nn

from genmath._base.checks import refuse
from genmath.evaluation import frechet_distance
from genmath.flow_matching import cfm_loss
from genmath.guidance import Guided, drop_labels
from genmath.paths import LinearPath
from genmath.samplers import sample
from genmath.train.data import Batch, Data, Event
from genmath.train.measures import reader
from genmath.train.networks import network
from genmath.train.recipe import Recipe
from genmath.train.samplers import sampler_of


@dataclass(frozen=True, kw_only=True)
class Guidance(Recipe):
    """Some labels are not told in training; samples lead away from what was then learned.

    Result: guidance.dropout, guidance.samples
    Source: Ho, Salimans 2022, algorithms 1 and 2, here on the straight path.
    """

    title = "Classifier-free guidance"
    shows = "the digit you ask for, the plainer the larger the scale, and the less varied"
    takes = ("pictures",)
    needs = "labels"

    steps: int = 3000
    batch: int = 64
    average: float = 0.995
    width: int = 24
    drop: float = 0.1  # the share of labels that are not told

    def build(self, event: Event, generator: Generator) -> nn.Module:
        return network(event, self.width, generator, classes=event.classes)

    def loss(self, model: Any, batch: Batch, generator: Generator) -> Tensor:
        assert batch.y is not None
        label = drop_labels(batch.y, model.classes, self.drop, generator=generator)
        return cfm_loss(lambda x, t: model(x, t, label), batch.x, generator=generator)

    def sample(
        self, model: Any, event: Event, n: int, generator: Generator,
        *, steps: int = 25, sampler: str = "heun", scale: float = 2.0, label: int | None = None,
    ) -> Tensor:  # fmt: skip
        """Of one label, or of each in turn."""
        if label is not None and not 0 <= label < event.classes:
            refuse("label", label, f"a number from 0 to {event.classes - 1}")
        device = generator.device
        said = arange(n, device=device) % event.classes
        said = said if label is None else full((n,), label, device=device)
        guided = Guided(model, said, event.classes, scale=scale)
        return sample(
            guided, (n, *event.shape), LinearPath(), sampler_of(sampler), steps=steps,
            prediction="velocity", generator=generator,
        )  # fmt: skip

    def evaluate(self, model: Any, data: Data, generator: Generator) -> dict[str, float]:
        held, figures = data.test.x, {}
        said, read = arange(len(held)) % data.event.classes, reader(data)
        for scale in (0.0, 1.0, 2.0, 4.0):
            x = self.sample(model, data.event, len(held), generator, scale=scale).cpu()
            figures[f"Fréchet, scale {scale:g}"] = float(frechet_distance(held, x))
            right = (read(x).argmax(1) == said).float().mean()
            figures[f"read as its class, scale {scale:g}"] = float(right)
        return figures
