"""A network that is told a text: what fills it up, no text, and the velocity of clean data."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genmath.flow_matching import cfm_loss
from genmath.guidance import Guided
from genmath.latent import FirstStage, LatentDiffusion
from genmath.nets import Captioned, DiT, TextEncoder, UNet
from genmath.paths import LinearPath
from genmath.samplers import Euler, sample
from genmath.shapes import LENGTH, WORDS, draw, scenes, tokenise


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed))


def awake(net: nn.Module) -> nn.Module:
    """From weights without a zero, as after some steps."""
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=rng(p.numel())))
    return net


def made(prediction: str = "velocity", *, unet: bool = False, channels: int = 3) -> Captioned:
    encoder = TextEncoder(len(WORDS), 8, 1, 2, generator=rng())
    if unet:
        net: nn.Module = UNet(channels, 8, 1, heads=2, context_dim=8, generator=rng())
    else:
        net = DiT(channels, 8, 2, 2, 4, context_dim=8, generator=rng())
    return awake(Captioned(encoder, net, prediction=prediction))  # type: ignore[return-value]


TOKENS = tokenise(["a small red circle in the middle", "a large blue square bouncing"])
X, T = drawn(2, 3, 16, 16), torch.tensor([0.3, 0.8])


@pytest.mark.parametrize("unet", [False, True])
def test_the_text_matters_and_what_fills_it_up_does_not(unet: bool) -> None:
    net = made(unet=unet)
    told = net(X, T, TOKENS)
    assert torch.allclose(told, net(X, T, TOKENS[:, :8]), atol=1e-5)
    assert not torch.allclose(told, net(X, T, TOKENS.flip(0)), atol=1e-3)


@pytest.mark.parametrize("unet", [False, True])
def test_a_text_of_no_words_is_no_text(unet: bool) -> None:
    net = made(unet=unet)
    none = net(X, T, torch.zeros_like(TOKENS))
    assert torch.allclose(none, net.model(X, T), atol=1e-5)
    assert not torch.allclose(none, net(X, T, TOKENS), atol=1e-3)


def test_clean_data_are_made_a_velocity() -> None:
    net = made("x0")
    plain = Captioned(net.encoder, net.model)
    for t in (T, torch.tensor(0.3), 0.3):
        late = torch.as_tensor(t).reshape(-1, 1, 1, 1)
        assert torch.allclose(net(X, t, TOKENS) * late, X - plain(X, t, TOKENS), atol=1e-5)
    early = net(X, 0.001, TOKENS)
    assert torch.allclose(early * 0.05, X - plain(X, 0.001, TOKENS), atol=1e-5)


class Knows(nn.Module):
    """Says the clean data, whatever it sees."""

    def __init__(self, x0: torch.Tensor) -> None:
        super().__init__()
        self.x0 = x0

    def forward(self, x: torch.Tensor, *told: torch.Tensor) -> torch.Tensor:
        return self.x0.repeat(len(x) // len(self.x0), 1, 1, 1)  # guided, twice as many


@pytest.mark.parametrize("steps", [1, 4, 20])
def test_a_network_that_knows_the_data_gives_them_in_any_number_of_steps(steps: int) -> None:
    x0 = draw(scenes()[:2], generator=rng())
    net = Captioned(TextEncoder(len(WORDS), 8, 1, 2), Knows(x0), prediction="x0")
    model = Guided(net, TOKENS, torch.zeros_like(TOKENS), scale=3.0)
    shape = tuple(x0.shape)
    made_ = sample(model, shape, LinearPath(), Euler(), steps=steps, prediction="velocity",
                   generator=rng())  # fmt: skip
    assert torch.allclose(made_, x0, atol=1e-5)
    noise = drawn(*shape)
    loss = cfm_loss(lambda x, t: net(x, t, TOKENS), x0, noise=noise, t=T)
    assert float(loss) == pytest.approx(0, abs=1e-6)


def test_it_is_the_model_of_a_latent_diffusion() -> None:
    stage = FirstStage(nn.Conv2d(3, 2, 4, stride=4), nn.ConvTranspose2d(2, 3, 4, stride=4))
    net = made(channels=2)
    net.encoder.requires_grad_(False)  # as one that was trained on pairs of text and picture is
    model = LatentDiffusion(stage, net, (2, 4, 4))
    model.loss(X, TOKENS, generator=rng()).backward()
    assert all(p.grad is None for p in net.encoder.parameters())
    assert any(bool((p.grad != 0).any()) for p in net.model.parameters() if p.grad is not None)
    options = {"steps": 2, "condition": TOKENS, "null": torch.zeros(LENGTH).long(), "scale": 2.0}
    assert model.sample(2, Euler(), generator=rng(), **options).shape == X.shape


def test_what_does_not_fit_is_named() -> None:
    net = made()
    for tokens in (TOKENS[:1], TOKENS[0], TOKENS.float(), TOKENS + len(WORDS)):
        with pytest.raises(ValueError, match=r"^tokens: got .*expected "):
            net(X, T, tokens)
    with pytest.raises(ValueError, match=r"^model output: got "):
        Captioned(net.encoder, Knows(X[:, :1]))(X, T, TOKENS)
    with pytest.raises(ValueError, match=r"^prediction: got 'eps'"):
        Captioned(net.encoder, net.model, prediction="eps")
