"""MAF: each coordinate is mapped by a line that depends on those before it."""

from dataclasses import dataclass
from math import prod

from torch import Generator, nn

from genmath import normalizing_flow
from genmath.train.data import Event
from genmath.train.recipes.realnvp import RealNVP


@dataclass(frozen=True, kw_only=True)
class MAF(RealNVP):
    """Papamakarios, Pavlakou, Murray 2017.

    Result: normalizing_flow.change_of_variables
    """

    title = "Masked autoregressive flow"

    def build(self, event: Event, generator: Generator) -> nn.Module:
        dim = prod(event.shape)
        return normalizing_flow.MAF(dim, self.transforms, hidden=self.width, generator=generator)
