"""How far samples are from held-out data, for recipes that say nothing better."""

from __future__ import annotations

from genmath._base.torch import Tensor
from genmath.evaluation import frechet_distance
from genmath.train.data import Data
from genmath.wasserstein import wasserstein


def distance(samples: Tensor, data: Data) -> tuple[str, float]:
    """Points by the 2-Wasserstein distance of stratified sets, pictures by Fréchet's of pixels."""
    held = data.test.x.to(samples.device)
    if data.event.kind == "points":
        return "W2", float(wasserstein(samples, held))
    return "Fréchet", float(frechet_distance(samples.flatten(1), held.flatten(1)))
