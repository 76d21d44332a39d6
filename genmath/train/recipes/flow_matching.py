"""Flow matching: a network learns the velocity of straight lines from data to noise."""

from dataclasses import dataclass

from torch import Generator, Tensor, nn, randn

from genmath._base.checks import one_of
from genmath.flow_matching import cfm_loss, ot_pairing
from genmath.paths import LinearPath
from genmath.samplers import sample
from genmath.train.data import Batch, Event
from genmath.train.networks import network
from genmath.train.recipe import Recipe
from genmath.train.samplers import sampler_of


@dataclass(frozen=True, kw_only=True)
class FlowMatching(Recipe):
    """Lines between data and the noise that is nearest within the batch.

    Result: flow_matching.cfm_loss, flow_matching.minibatch_pairing
    Source: Lipman et al. 2023, equation 9; the pairing: Tong et al. 2024, algorithm 3.
    """

    title = "Flow matching"
    shows = "noise that flows to digits, or to a set in the plane, on nearly straight lines"
    takes = ("points", "pictures")

    steps: int = 3000
    batch: int = 64
    average: float = 0.995
    width: int = 24
    pairing: str = "ot"  # of each batch, or "random"

    def build(self, event: Event, generator: Generator) -> nn.Module:
        return network(event, self.width, generator)

    def loss(self, model: nn.Module, batch: Batch, generator: Generator) -> Tensor:
        x0 = batch.x
        noise = randn(x0.shape, generator=generator, device=x0.device)
        one_of("pairing", self.pairing, ("ot", "random"))
        if self.pairing == "ot":
            noise = noise[ot_pairing(x0, noise)]
        return cfm_loss(model, x0, noise=noise, generator=generator)

    def sample(
        self, model: nn.Module, event: Event, n: int, generator: Generator,
        *, steps: int = 25, sampler: str = "heun",
    ) -> Tensor:  # fmt: skip
        return sample(
            model, (n, *event.shape), LinearPath(), sampler_of(sampler), steps=steps,
            prediction="velocity", generator=generator,
        )  # fmt: skip
