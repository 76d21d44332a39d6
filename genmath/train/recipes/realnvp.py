"""RealNVP: an invertible map from data to noise, by affine couplings; its density is exact."""

from dataclasses import dataclass
from math import prod

from torch import Generator, Tensor, nn

from genmath import normalizing_flow
from genmath.normalizing_flow import Flow
from genmath.train.data import Batch, Data, Event
from genmath.train.measures import likelihood
from genmath.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class RealNVP(Recipe):
    """Dinh, Sohl-Dickstein, Bengio 2017.

    Result: normalizing_flow.change_of_variables
    """

    title = "RealNVP"
    shows = "two moons with their density, and how far it is from the exact one"
    data = "moons"

    batch: int = 256
    steps: int = 1500
    rate: float = 5e-3
    average: float = 0.99
    transforms: int = 8
    width: int = 64

    def build(self, event: Event, generator: Generator) -> nn.Module:
        dim = prod(event.shape)
        return normalizing_flow.RealNVP(
            dim, self.transforms, hidden=self.width, generator=generator
        )

    def loss(self, model: normalizing_flow.Chain, batch: Batch, generator: Generator) -> Tensor:
        return -Flow(model).log_prob(batch.x.flatten(1)).mean()

    def sample(
        self, model: normalizing_flow.Chain, event: Event, n: int, generator: Generator
    ) -> Tensor:
        return Flow(model).sample((n,), generator=generator).reshape(n, *event.shape)

    def evaluate(
        self, model: normalizing_flow.Chain, data: Data, generator: Generator
    ) -> dict[str, float]:
        x = data.test.to(generator.device).x
        return likelihood(Flow(model).log_prob(x.flatten(1)), data)
