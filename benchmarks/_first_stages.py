"""What is trained before a text-to-image model and then frozen: autoencoders, and a reader."""

from __future__ import annotations

import torch
from _shapes import BATCH, RATE, Budget, World, train
from torch import Tensor, nn

from genmath.contrastive import clip_loss, similarities
from genmath.gan import discriminator_loss
from genmath.latent import FirstStage
from genmath.nets import ConvDecoder, ConvEncoder, TextEncoder, ViT
from genmath.shapes import WORDS, read
from genmath.vq import VQVAE, VectorQuantizer

CODES = 16  # numbers in one


def autoencoder(
    world: World,
    factor: tuple[int, ...],
    seconds: float,
    generator: torch.Generator,
    adversarial: float = 0.0,
) -> FirstStage:
    """Pictures or clips to codes of 16 numbers and back, by convolutions along all axes.

    With ``adversarial`` the second half of the time is shared with a judge of patches.
    """
    encoder = ConvEncoder(3, 2 * CODES, factor, generator=generator)  # mean and log-variance
    decoder = ConvDecoder(3, CODES, factor, generator=generator)
    stage = FirstStage(encoder, decoder, kl=1e-3, adversarial_weight=adversarial)
    judge = nn.Sequential(ConvEncoder(3, 1, factor, generator=generator), nn.Flatten(0))
    others = torch.optim.Adam(judge.parameters(), RATE / 4, betas=(0.5, 0.9), fused=True)
    budget = Budget(seconds)

    def loss() -> Tensor:
        x, _ = world.batch(16, generator)
        if not adversarial or budget.share < 0.5:
            return stage.loss(x, generator=generator).total
        with torch.no_grad():
            again = stage(x)
        others.zero_grad()
        discriminator_loss(judge(x), judge(again)).backward()
        others.step()
        return stage.loss(x, discriminator=judge, generator=generator).total

    train(list(stage.parameters()), loss, budget)
    x, _ = world.batch(200, generator)
    with torch.no_grad():
        again = stage(x)
    _report("autoencoder", seconds, x, again)
    return stage


def tokeniser(world: World, seconds: float, generator: torch.Generator) -> VQVAE:
    """16 × 16 pixels to 4 × 4 tokens, each one of 256, and back."""
    encoder = nn.Sequential(_halved(3, 32), _halved(32, 64), nn.Conv2d(64, 16, 1))
    decoder = nn.Sequential(
        nn.Conv2d(16, 64, 3, padding=1), nn.SiLU(), _doubled(64, 32),
        nn.ConvTranspose2d(32, 3, 4, 2, 1),
    )  # fmt: skip
    quantizer = VectorQuantizer(256, 16, restart=0.02, generator=generator)
    stage = VQVAE(encoder, decoder, quantizer, lambda made, x: -(made - x).square().sum((1, 2, 3)))
    with torch.no_grad():
        quantizer.start(encoder(world.batch(500, generator)[0]), generator=generator)

    def loss() -> Tensor:
        return stage.loss(world.batch(BATCH, generator)[0])

    train([p for p in stage.parameters() if p.requires_grad], loss, Budget(seconds))
    stage.requires_grad_(False).eval()
    x, _ = world.batch(200, generator)
    _report("tokeniser", seconds, x, stage.decode(stage.encode(x)))
    return stage


def text_encoder(
    seen: World, unseen: World, seconds: float, generator: torch.Generator
) -> TextEncoder:
    """A reader of captions, taught by which picture each belongs to, beside one of pictures."""
    reader = TextEncoder(len(WORDS), 64, 1, out=64, generator=generator)
    viewer = ViT(3, 64, 2, 4, 4, out=64, generator=generator)
    colder = nn.Parameter(torch.tensor(-2.0))

    def loss() -> Tensor:
        x, tokens = seen.batch(2 * BATCH, generator)
        pooled = reader(tokens, tokens != 0).pooled
        return clip_loss(viewer(x), pooled, temperature=colder.exp())

    weights = [*reader.parameters(), *viewer.parameters(), colder]
    train(weights, loss, Budget(seconds))
    reader.requires_grad_(False)
    which = unseen.some(200, generator)
    x = unseen.draw([unseen.scenes[i] for i in which], unseen.side, generator=generator)
    tokens = unseen.captions(which)
    with torch.no_grad():
        scores = similarities(viewer(x), reader(tokens, tokens != 0).pooled)
    found = (scores.argmax(1) == torch.arange(len(x))).double().mean()
    print(
        f"text encoder by clip_loss: {seconds:.0f} s; finds the caption of a new picture among"
        f" {len(x)} new ones: {found:.1%}",
        flush=True,
    )
    return reader


def _halved(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 4, 2, 1), nn.SiLU())


def _doubled(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(before, after, 4, 2, 1), nn.SiLU())


def _report(name: str, seconds: float, x: Tensor, again: Tensor) -> None:
    same = [a == b for a, b in zip(read(x), read(again.detach()), strict=True)]
    error = (again.detach() - x).square().mean().sqrt()
    print(
        f"{name}: {seconds:.0f} s, {sum(same) / len(same):.1%} read as before, error {error:.4f}",
        flush=True,
    )
