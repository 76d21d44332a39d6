"""Latent diffusion: an autoencoder, then frozen, and a flow of its codes that is told a text."""

from dataclasses import dataclass
from math import nextafter
from typing import Any, ClassVar

from torch import Generator, Tensor, nn, no_grad, zeros_like

from genmath._base.checks import real, refuse
from genmath.gan import discriminator_loss
from genmath.guidance import drop_labels
from genmath.latent import FirstStage
from genmath.latent import LatentDiffusion as Codes
from genmath.nets import Captioned, ConvDecoder, ConvEncoder, DiT, TextEncoder
from genmath.samplers import Euler
from genmath.train.data import Batch, Data, Event
from genmath.train.measures import as_captioned, distance
from genmath.train.recipe import Recipe, Turn
from genmath.train.recipes.text_to_image import told


@dataclass(frozen=True, kw_only=True)
class LatentDiffusion(Recipe):
    """Rombach et al. 2022, section 3; its adversarial part: Esser, Rombach, Ommer 2021, section 3.

    Result: latent.scale, latent.cross_entropy
    """

    title = "Latent diffusion"
    shows = "pictures of 32 × 32 out of 4 × 4 codes, as a caption has them"
    data = "shapes:32"
    takes: ClassVar[tuple[str, ...]] = ("pictures", "clips")

    steps: int = 4500
    first: float = 1 / 3  # of them, for the autoencoder
    batch: int = 64
    average: float = 0.995
    factor: tuple[int, ...] = (8, 8)  # pixels a code, along each axis; clips have three
    codes: int = 16  # numbers in one
    kl: float = 1e-3
    adversarial: float = 0.0  # how hard a judge of patches pulls; 1: as hard as the error
    width: int = 128
    layers: int = 4
    drop: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        real("first", self.first, "a number in [0, 1)", 0.0, nextafter(1.0, 0.0))
        real("adversarial", self.adversarial, "a number >= 0", 0.0)

    def build(self, event: Event, generator: Generator) -> Codes:
        sizes, axes = event.shape[1:], len(self.factor)
        if len(sizes) != axes or any(n % f for n, f in zip(sizes, self.factor, strict=True)):
            refuse("factor", self.factor, f"a divisor of each of {tuple(sizes)}")
        channels, factor = event.shape[0], self.factor
        down = ConvEncoder(channels, 2 * self.codes, factor, generator=generator)  # mean, variance
        up = ConvDecoder(channels, self.codes, factor, generator=generator)
        first = FirstStage(down, up, kl=self.kl, adversarial_weight=self.adversarial)
        told, clips = self.width // 2 if event.words else None, event.kind == "clips"
        network: nn.Module = DiT(
            self.codes, self.width, self.layers, 4, [1] * axes, context_dim=told,
            factorised=clips, generator=generator,
        )  # fmt: skip
        if told:
            text = TextEncoder(len(event.words), told, 1, generator=generator)
            network = Captioned(text, network, prediction="x0")
        grid = [n // f for n, f in zip(sizes, self.factor, strict=True)]
        model = Codes(first, network, (self.codes, *grid))
        model.autoencoder.requires_grad_(True)  # its codes are made without gradients anyway
        if self.adversarial:
            judge = ConvEncoder(channels, 1, factor, generator=generator)  # one logit a patch
            model.judge = nn.Sequential(judge, nn.Flatten(0))
        return model

    def stage(self, step: int) -> tuple[int, int]:
        first = max(1, int(self.first * self.steps))
        return (0, first) if step < first else (first, self.steps - first)

    def turn(self, step: int) -> Turn:
        begin, steps = self.stage(step)
        if begin:
            return Turn(self.loss, "model")
        if not self.adversarial or step < steps // 2:
            return Turn(self.rebuild, "autoencoder")
        return Turn(self.deceive, "autoencoder") if step % 2 else Turn(self.tell_apart, "judge")

    def rebuild(self, model: Any, batch: Batch, generator: Generator) -> Tensor:
        return model.autoencoder.loss(batch.x, generator=generator).total  # type: ignore[no-any-return]

    def deceive(self, model: Any, batch: Batch, generator: Generator) -> Tensor:
        stage, judge = model.autoencoder, model.judge
        return stage.loss(batch.x, discriminator=judge, generator=generator).total  # type: ignore[no-any-return]

    def tell_apart(self, model: Any, batch: Batch, generator: Generator) -> Tensor:
        with no_grad():
            again = model.autoencoder(batch.x)
        return discriminator_loss(model.judge(batch.x), model.judge(again))

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
