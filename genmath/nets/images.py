"""A small pair for adversarial training on images: noise to images, and images to one logit."""

from __future__ import annotations

from genmath._base.checks import batched, describe, integer, labels, refuse
from genmath._base.shapes import Data, PerSample
from genmath._base.torch import Int, Tensor, nn, torch
from genmath.nets.weights import initialize, undrawn

__all__ = ["Discriminator", "Generator"]

Labels = Int[Tensor, "batch"]


class Generator(nn.Module):
    """Noise to images in [-1, 1] by transposed convolutions: two doublings from a quarter size.

    net(z), or net(z, y) with ``classes``: then the label stands beside the noise, one-hot.

    Shapes: z (B, latent), y (B,) of integers; images (B, channels, size, size).
    Errors: ValueError for sizes < 1, a size that is no multiple of 4, or labels that do not fit.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device.
    Source: Radford, Metz, Chintala 2016, but with group norm: no sample depends on its batch.
    """

    def __init__(
        self,
        latent: int = 32,
        size: int = 8,
        channels: int = 1,
        hidden: int = 32,
        *,
        classes: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.latent = integer("latent", latent, 1)
        self.classes = None if classes is None else integer("classes", classes, 1)
        width, start = integer("hidden", hidden, 1), _quarter(size)
        with undrawn(generator):
            self.stem = nn.Linear(self.latent + (self.classes or 0), 2 * width * start**2)
            self.body = nn.Sequential(
                nn.Unflatten(1, (2 * width, start, start)),
                nn.GroupNorm(1, 2 * width),
                nn.ReLU(),
                nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
                nn.GroupNorm(1, width),
                nn.ReLU(),
                nn.ConvTranspose2d(width, integer("channels", channels, 1), 4, stride=2, padding=1),
                nn.Tanh(),
            )
        initialize(self, generator)

    def forward(self, z: Data, y: Labels | None = None) -> Data:
        if batched("z", z).shape[1:] != (self.latent,):
            refuse("z", describe(z), f"shape (B, {self.latent})")
        if (y := _labels(y, z, self.classes, "z")) is not None:
            z = torch.cat([z, nn.functional.one_hot(y, self.classes or 0).to(z.dtype)], 1)
        out: Tensor = self.body(self.stem(z))
        return out


class Discriminator(nn.Module):
    """Images to one logit a sample, by two strided convolutions.

    net(x), or net(x, y) with ``classes``: then a second part of the logit is linear in the features
    with a weight of each class, as log p(y|x)/q(y|x) is for softmax classifiers (projection).

    Result: gan.conditional
    Shapes: x (B, channels, size, size), y (B,) of integers; logits (B,).
    Errors: ValueError for sizes < 1, a size that is no multiple of 4, or labels that do not fit.
    Random: ``generator`` draws the initial weights, uniform in ±1/√fan_in, on its device.
    Source: Radford, Metz, Chintala 2016, without norms; Miyato, Koyama 2018, section 3.
    """

    def __init__(
        self,
        size: int = 8,
        channels: int = 1,
        hidden: int = 32,
        *,
        classes: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.event = (integer("channels", channels, 1), size, size)
        self.classes = None if classes is None else integer("classes", classes, 1)
        width, end = integer("hidden", hidden, 1), _quarter(size)
        with undrawn(generator):
            self.body = nn.Sequential(
                nn.Conv2d(channels, width, 4, stride=2, padding=1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
                nn.LeakyReLU(0.2),
                nn.Flatten(),
            )
            features = 2 * width * end**2
            self.head = nn.Linear(features, 1)
            self.by_class = None if classes is None else nn.Linear(features, classes, bias=False)
        initialize(self, generator)

    def forward(self, x: Data, y: Labels | None = None) -> PerSample:
        if batched("x", x).shape[1:] != self.event:
            refuse("x", describe(x), "shape (B, {}, {}, {})".format(*self.event))
        y = _labels(y, x, self.classes, "x")
        features = self.body(x)
        logit: Tensor = self.head(features).squeeze(1)
        if self.by_class is None or y is None:
            return logit
        of_class: Tensor = self.by_class(features).gather(1, y.unsqueeze(1)).squeeze(1)
        return logit + of_class


def _labels(y: Tensor | None, x: Tensor, classes: int | None, of: str) -> Tensor | None:
    if (y is None) != (classes is None):
        refuse("y", describe(y), "no labels" if classes is None else "labels, one a sample")
    return None if y is None else labels("y", y, x, of).long()


def _quarter(size: int) -> int:
    if integer("size", size, 4) % 4:
        refuse("size", size, "a multiple of 4, since it is halved twice")
    return size // 4
