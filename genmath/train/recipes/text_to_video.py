"""Text to clip: the same with a time axis, attention within a frame and along time in turn."""

from dataclasses import dataclass

from genmath.train.recipes.text_to_image import TextToImage


@dataclass(frozen=True, kw_only=True)
class TextToVideo(TextToImage):
    """Ma et al. 2024 (Latte), section 3.2; what it saves is `multimodal.clip_cost`.

    Result: flow_matching.cfm_loss, guidance.dropout
    """

    title = "Text to clip"
    shows = "clips that move as a caption says, and how often: a program reads them"
    data = "clips"

    batch: int = 32
    patch: tuple[int, ...] = (2, 4, 4)  # two frames a token
