"""A text encoder and the network that is told what it read, as one."""

from __future__ import annotations

from genmath._base.batch import per_event
from genmath._base.checks import batched, describe, instance, module, one_of, refuse, whole
from genmath._base.shapes import Data, Time
from genmath._base.steps import output
from genmath._base.torch import Int, Tensor, nn, torch
from genmath.nets.text import TextEncoder

__all__ = ["Captioned"]

SOON = 0.05  # the least time that is divided by


class Captioned(nn.Module):
    """net(x, t, tokens): a network of images or clips, told a text by the tokens of its words.

    So it is a model for `genmath.guidance.Guided` and `genmath.latent.LatentDiffusion`, the tokens
    its condition. ``model`` is a `UNet` or a `DiT` whose context_dim is the ``hidden`` of the
    ``encoder``, a `TextEncoder`. A token 0 is what fills a text up and is masked; a text of none
    but these is no text, the null of guidance.

    With ``prediction="x0"`` the network says the clean data, and the velocity on
    `genmath.paths.LinearPath` is made of it, (x - x0)/max(t, 0.05): what lies in few of many
    dimensions is easier to say than noise, which lies in all of them.

    Shapes: x (B, channels, …) and t as the network takes them; tokens (B, m) of integers; the
        velocity, shaped like x.
    Errors: ValueError for another encoder, what is no module, another prediction, tokens that do
        not fit, and what the model refuses.
    Source: Rombach et al. 2022, section 3.3; the clean data for the velocity: Li, He 2025 ("Back
        to basics: let denoising generative models denoise"), section 4.
    """

    def __init__(
        self, encoder: TextEncoder, model: nn.Module, *, prediction: str = "velocity"
    ) -> None:
        super().__init__()
        instance("encoder", encoder, TextEncoder, "a TextEncoder")
        module("model", model)
        one_of("prediction", prediction, ("velocity", "x0"))
        self.encoder, self.model, self.prediction = encoder, model, prediction

    def forward(self, x: Data, t: Time, tokens: Int[Tensor, "batch m"]) -> Data:
        n, seen = len(batched("x", x)), whole("tokens", tokens, self.encoder.vocabulary)
        if seen.ndim != 2 or len(seen) != n:
            refuse("tokens", describe(tokens), f"a text for each of x: shape ({n}, m)")
        read = self.encoder(tokens, tokens != 0)
        said = output("model", self.model(x, t, None, read.tokens, tokens != 0), "x", x)
        if self.prediction == "velocity":
            return said
        late = torch.as_tensor(t, dtype=x.dtype, device=x.device).clamp(min=SOON)
        return (x - said) / per_event(late, x)
