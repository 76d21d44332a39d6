"""SimCLR: two views of a picture have to find each other among the views of others."""

from dataclasses import dataclass
from math import isqrt
from typing import Any

from torch import Generator, Tensor, nn, zeros

from genmath.contrastive import augment, linear_probe, nt_xent, similarities
from genmath.nets import MLP, ViT
from genmath.train.data import Batch, Data, Event
from genmath.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class SimCLR(Recipe):
    """Chen, Kornblith, Norouzi, Hinton 2020, algorithm 1.

    Result: contrastive.nt_xent, contrastive.probe
    """

    title = "SimCLR"
    shows = "features that tell digits apart, learned without a label"

    steps: int = 600
    temperature: float = 0.3
    width: int = 64
    layers: int = 3
    crop: float = 0.7
    rotate: float = 15.0
    noise: float = 0.1
    labels: int = 1500  # that the probe is told; and then no more than 100

    def build(self, event: Event, generator: Generator) -> nn.Module:
        encoder = ViT(event.shape[0], self.width, self.layers, generator=generator)
        head = MLP(self.width, self.width, 1, time=False, out=32, generator=generator)
        model = nn.Sequential(encoder, head)
        model.register_buffer("album", zeros(256, *event.shape, device=generator.device))
        return model

    def before(self, model: Any, step: int, data: Data, generator: Generator) -> None:
        if step == 0:
            model.album.copy_(data.batch(256, self.seed).x)

    def loss(self, model: nn.Module, batch: Batch, generator: Generator) -> Tensor:
        one, other = self.view(batch.x, generator), self.view(batch.x, generator)
        return nt_xent(model(one), model(other), temperature=self.temperature)

    def view(self, x: Tensor, generator: Generator) -> Tensor:
        return augment(
            x, crop=self.crop, rotate=self.rotate, contrast=0.2, noise=self.noise,
            generator=generator,
        )  # fmt: skip

    def sample(self, model: Any, event: Event, n: int, generator: Generator) -> Tensor:
        """Nothing is made: each row is a picture of the training set, then those whose features
        are nearest to it."""
        across = max(1, isqrt(n))
        features = model[0](model.album)
        near = similarities(features, features).argsort(1, descending=True)[:, :across]
        picked: Tensor = model.album[near.flatten()[:n]]
        return picked

    def evaluate(self, model: Any, data: Data, generator: Generator) -> dict[str, float]:
        """How often a linear classifier of the features, and of the pixels, is right."""
        seen, held = (
            b.to(generator.device) for b in (data.batch(self.labels, self.seed), data.test)
        )
        found = {"loss": float(self.loss(model, held, generator))}
        if not data.event.classes or seen.y is None or held.y is None:
            return found
        for name, read in (("features", model[0]), ("pixels", nn.Flatten())):
            x, test = read(seen.x), read(held.x)
            for many in (len(x), 100):
                probe = linear_probe(x[:many], seen.y[:many])
                found[f"{name}, {many} labels"] = probe.accuracy(test, held.y)
        return found
