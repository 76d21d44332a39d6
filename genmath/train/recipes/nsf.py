"""Neural spline flow: RealNVP with monotone splines in place of straight lines."""

from dataclasses import dataclass
from math import prod

from torch import Generator, nn

from genmath import normalizing_flow
from genmath.train.data import Event
from genmath.train.recipes.realnvp import RealNVP


@dataclass(frozen=True, kw_only=True)
class NSF(RealNVP):
    """Durkan, Bekasov, Murray, Papamakarios 2019.

    Result: normalizing_flow.change_of_variables
    """

    title = "Neural spline flow"

    transforms: int = 4
    bins: int = 8

    def build(self, event: Event, generator: Generator) -> nn.Module:
        dim = prod(event.shape)
        return normalizing_flow.NSF(
            dim, self.transforms, bins=self.bins, hidden=self.width, generator=generator
        )
