"""Text to picture: a text encoder and a transformer, trained together by flow matching."""

from dataclasses import dataclass
from typing import Any

from torch import Generator, Tensor, zeros_like

from genmath._base.checks import refuse
from genmath.flow_matching import cfm_loss
from genmath.guidance import Guided, drop_labels
from genmath.nets import Captioned, DiT, TextEncoder
from genmath.paths import LinearPath, logit_normal_time
from genmath.samplers import Euler, sample
from genmath.shapes import caption, scenes, tokenise
from genmath.train.data import Batch, Data, Event
from genmath.train.measures import as_captioned
from genmath.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class TextToImage(Recipe):
    """Peebles, Xie 2023, section 3.2, told a text as in Rombach et al. 2022, section 3.3.

    Result: flow_matching.cfm_loss, guidance.dropout
    """

    title = "Text to picture"
    shows = "what a caption says, and how often: a program reads the pictures"
    data = "shapes"

    steps: int = 3000
    batch: int = 64
    average: float = 0.995
    width: int = 128
    layers: int = 4
    patch: tuple[int, ...] = (4, 4)
    drop: float = 0.1  # the share of captions that are not told

    def build(self, event: Event, generator: Generator) -> Captioned:
        if not event.words:
            refuse("data", event.kind, "data with captions: shapes or clips")
        told = self.width // 2
        encoder = TextEncoder(len(event.words), told, 1, generator=generator)
        network = DiT(
            event.shape[0], self.width, self.layers, 4, self.patch, context_dim=told,
            factorised=event.kind == "clips", generator=generator,
        )  # fmt: skip
        return Captioned(encoder, network, prediction="x0")

    def loss(self, model: Any, batch: Batch, generator: Generator) -> Tensor:
        said: Any = batch.y
        tokens = drop_labels(said, zeros_like(said[0]), self.drop, generator=generator)
        t = logit_normal_time(len(tokens), generator=generator)
        return cfm_loss(lambda x, t: model(x, t, tokens), batch.x, t=t, generator=generator)

    def sample(
        self, model: Any, event: Event, n: int, generator: Generator,
        *, text: str = "", steps: int = 10, scale: float = 1.5,
    ) -> Tensor:  # fmt: skip
        """Of one caption, or, without a text, of n that are spread over the world."""
        return self.draw(model, event, generator, steps, scale, told(event, n, text))

    def draw(
        self, model: Any, event: Event, generator: Generator, steps: int, scale: float,
        tokens: Tensor,
    ) -> Tensor:  # fmt: skip
        tokens = tokens.to(generator.device)
        guided = Guided(model, tokens, zeros_like(tokens[0]), scale=scale)
        return sample(
            guided, (len(tokens), *event.shape), LinearPath(), Euler(), steps=steps,
            prediction="velocity", generator=generator,
        )  # fmt: skip

    def evaluate(self, model: Any, data: Data, generator: Generator) -> dict[str, float]:
        """The shares of captions held out that are drawn in all they say."""
        held: Any = data.test
        figures, y = {}, held.y[:100]
        for steps, scale in ((2, 1.0), (10, 1.0), (10, 1.5), (10, 3.0)):
            x = self.draw(model, data.event, generator, steps, scale, y)
            figures[f"as captioned, steps {steps}, scale {scale:g}"] = as_captioned(x, y)
        return figures


def told(event: Event, n: int, text: str) -> Tensor:
    """One caption n times, or n of the world."""
    every = scenes(clips=event.kind == "clips")
    spread = [caption(every[i * len(every) // n]) for i in range(n)]
    return tokenise([text] * n if text else spread)
