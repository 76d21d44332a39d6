"""Rectified flow: a first flow pairs noise with data, and a second one learns straight lines."""

from dataclasses import dataclass

from torch import Generator, Tensor, nn, randint, randn

from genmath.flow_matching import Pairs, cfm_loss, reflow_pairs
from genmath.paths import LinearPath
from genmath.samplers import sample
from genmath.train.data import Batch, Data, Event
from genmath.train.measures import distance
from genmath.train.networks import network
from genmath.train.order import seeded
from genmath.train.recipe import Recipe, Turn, halves
from genmath.train.samplers import sampler_of


class Flows(nn.Module):
    """Two velocities, and the pairs of noise and data that the first leads to each other."""

    pairs: Pairs | None = None

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second


@dataclass(frozen=True, kw_only=True)
class RectifiedFlow(Recipe):
    """A flow, and a straighter one that is trained on the ends of its paths.

    Result: flow_matching.cfm_loss, flow_matching.reflow
    Source: Liu, Gong, Liu 2023, algorithm 1.
    """

    title = "Rectified flow, and reflow"
    shows = "digits in a single step, once the flow was straightened"
    takes = ("points", "pictures")

    steps: int = 4000
    batch: int = 64
    average: float = 0.995
    width: int = 24
    pairs: int = 4096

    def stage(self, step: int) -> tuple[int, int]:
        return halves(step, self.steps)

    def build(self, event: Event, generator: Generator) -> Flows:
        first, second = (network(event, self.width, generator) for _ in range(2))
        return Flows(first, second)

    def turn(self, step: int) -> Turn:
        late = self.stage(step)[0]
        return Turn(self.straighten, "second") if late else Turn(self.loss, "first")

    def loss(self, model: Flows, batch: Batch, generator: Generator) -> Tensor:
        return cfm_loss(model.first, batch.x, generator=generator)

    def straighten(self, model: Flows, batch: Batch, generator: Generator) -> Tensor:
        assert model.pairs is not None
        device, n = batch.x.device, len(batch.x)
        which = randint(self.pairs, (n,), generator=generator, device=device)
        x0, noise = (part[which] for part in model.pairs)
        return cfm_loss(model.second, x0, noise=noise, generator=generator)

    def before(self, model: Flows, step: int, data: Data, generator: Generator) -> None:
        start = self.stage(step)[0]
        if start and step == start:
            model.second.load_state_dict(model.first.state_dict())
        if start and model.pairs is None:  # also where a run is taken up: the same pairs again
            own, device = seeded(generator.device, self.seed, "pairs"), generator.device
            noise = randn(self.pairs, *data.event.shape, generator=own, device=device)
            model.pairs = reflow_pairs(model.first, noise, steps=15)

    def sample(
        self, model: Flows, event: Event, n: int, generator: Generator,
        *, steps: int = 1, sampler: str = "euler", flow: int = 2,
    ) -> Tensor:  # fmt: skip
        """Of the second flow, or the first."""
        return sample(
            model.first if flow == 1 else model.second, (n, *event.shape), LinearPath(),
            sampler_of(sampler), steps=steps, prediction="velocity", generator=generator,
        )  # fmt: skip

    def evaluate(self, model: Flows, data: Data, generator: Generator) -> dict[str, float]:
        figures, n = {}, len(data.test.x)
        for flow in (1, 2):
            for steps in (1, 2, 8, 32):
                x = self.sample(model, data.event, n, generator, steps=steps, flow=flow)
                name, figures_ = distance(x, data)
                figures[f"{name}, flow {flow}, steps {steps}"] = figures_
        return figures
