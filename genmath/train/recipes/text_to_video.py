"""Text to clip: the same with a time axis, attention within a frame and along time in turn."""

from dataclasses import dataclass

from torch import Generator

from genmath._base.checks import refuse
from genmath.latent import LatentDiffusion as Codes
from genmath.train.data import Event
from genmath.train.recipes.latent_diffusion import LatentDiffusion


@dataclass(frozen=True, kw_only=True)
class TextToVideo(LatentDiffusion):
    """Ma et al. 2024 (Latte), section 3.2; what it saves is `multimodal.clip_cost`.

    Result: latent.scale, latent.cross_entropy
    """

    title = "Text to clip"
    shows = "clips that move as a caption says, and how often: a program reads them"
    data = "clips"
    takes = ("clips",)

    steps: int = 10000
    first: float = 0.5
    batch: int = 16
    width: int = 96
    factor: tuple[int, ...] = (4, 4, 4)  # four frames a code: 2 × 4 × 4 of them

    def build(self, event: Event, generator: Generator) -> Codes:
        if not event.words:
            refuse("data", event.kind, "data with captions: clips")
        return super().build(event, generator)
