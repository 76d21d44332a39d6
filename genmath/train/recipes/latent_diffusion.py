"""Latent diffusion: an autoencoder, then frozen, and a flow of its codes that is told a text."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from torch import Generator, Tensor, nn, no_grad, zeros_like

from genmath.guidance import drop_labels
from genmath.latent import FirstStage
from genmath.latent import LatentDiffusion as Codes
from genmath.nets import Captioned, DiT, TextEncoder
from genmath.nets.weights import initialize
from genmath.samplers import Euler
from genmath.train.data import Batch, Data, Event
from genmath.train.measures import as_captioned, distance
from genmath.train.recipe import Recipe, Turn
from genmath.train.recipes.text_to_image import told


@dataclass(frozen=True, kw_only=True)
class LatentDiffusion(Recipe):
    """Rombach et al. 2022, section 3.

    Result: latent.scale, latent.cross_entropy
    """

    title = "Latent diffusion"
    shows = "pictures of 32 × 32 out of 4 × 4 codes, as a caption has them"
    data = "shapes:32"

    steps: int = 4500  # a third for the autoencoder
    batch: int = 64
    average: float = 0.995
    halvings: int = 3  # of the side: 8 pixels a code and direction
    codes: int = 16  # numbers in one
    kl: float = 1e-2
    width: int = 128
    layers: int = 4
    drop: float = 0.1

    def build(self, event: Event, generator: Generator) -> Codes:
        widths = [event.shape[0], *(16 * 2**i for i in range(self.halvings))]
        down, up = nn.Sequential(), nn.Sequential(nn.Conv2d(self.codes, widths[-1], 1))
        for a, b in pairwise(widths):
            down.extend([nn.Conv2d(a, b, 4, 2, 1), nn.SiLU()])
        for a, b in pairwise(reversed(widths)):
            up.extend([nn.SiLU(), nn.ConvTranspose2d(a, b, 4, 2, 1)])
        down.append(nn.Conv2d(widths[-1], 2 * self.codes, 1))  # mean and log-variance
        initialize(down, generator)
        initialize(up, generator)
        side, words = event.shape[1] // 2**self.halvings, len(event.words)
        told = self.width // 2 if words else None
        network: nn.Module = DiT(
            self.codes, self.width, self.layers, 4, 1, context_dim=told, generator=generator
        )
        if told:
            text = TextEncoder(words, told, 1, generator=generator)
            network = Captioned(text, network, prediction="x0")
        model = Codes(FirstStage(down, up, kl=self.kl), network, (self.codes, side, side))
        model.autoencoder.requires_grad_(True)  # its codes are made without gradients anyway
        return model

    def stage(self, step: int) -> tuple[int, int]:
        first = max(1, self.steps // 3)
        return (0, first) if step < first else (first, self.steps - first)

    def turn(self, step: int) -> Turn:
        late = self.stage(step)[0]
        return Turn(self.loss, "model") if late else Turn(self.rebuild, "autoencoder")

    def rebuild(self, model: Any, batch: Batch, generator: Generator) -> Tensor:
        return model.autoencoder.loss(batch.x, generator=generator).total  # type: ignore[no-any-return]

    def before(self, model: Any, step: int, data: Data, generator: Generator) -> None:
        if 0 < step == self.stage(step)[0]:
            model.calibrate(data.batch(512, self.seed).x.to(generator.device))

    def loss(self, model: Any, batch: Batch, generator: Generator) -> Tensor:
        tokens = batch.y if batch.y is not None and batch.y.ndim == 2 else None
        if tokens is not None:
            tokens = drop_labels(tokens, zeros_like(tokens[0]), self.drop, generator=generator)
        return model.loss(batch.x, tokens, generator=generator)  # type: ignore[no-any-return]

    def sample(
        self, model: Any, event: Event, n: int, generator: Generator,
        *, text: str = "", steps: int = 10, scale: float = 1.5,
    ) -> Tensor:  # fmt: skip
        """Of one caption, or of n that are spread over the world; of data without, as they are."""
        if not event.words:
            return model.sample(n, Euler(), steps=steps, generator=generator)  # type: ignore[no-any-return]
        return self.draw(model, generator, steps, scale, told(event, n, text))

    def draw(
        self, model: Any, generator: Generator, steps: int, scale: float, tokens: Tensor
    ) -> Tensor:
        tokens, how = tokens.to(generator.device), {"steps": steps, "generator": generator}
        null = zeros_like(tokens[0])
        return model.sample(  # type: ignore[no-any-return]
            len(tokens), Euler(), condition=tokens, null=null, scale=scale, **how
        )

    def evaluate(self, model: Any, data: Data, generator: Generator) -> dict[str, float]:
        x = data.test.x[:100].to(generator.device)
        with no_grad():
            again = model.autoencoder(x)
        figures = {"error of the autoencoder": float((again - x).square().mean().sqrt())}
        if not data.event.words:
            name, figure = distance(self.sample(model, data.event, len(x), generator), data)
            return {**figures, name: figure}
        held: Any = data.test
        y = held.y[: len(x)]
        figures["read as before"] = as_captioned(again, y)
        for scale in (1.0, 1.5, 3.0):
            made = self.draw(model, generator, 10, scale, y)
            figures[f"as captioned, scale {scale:g}"] = as_captioned(made, y)
        return figures
