"""Pictures that are changed: another colour in the same place, and a half that is filled."""

from __future__ import annotations

import random

import torch
from _shapes import NULL, compared
from torch import Tensor

from genmath.latent import LatentDiffusion
from genmath.samplers import Euler
from genmath.shapes import Scene, caption, draw, read, scenes, tokenise

COLOURS = ("red", "green", "blue", "yellow")


def recoloured(model: LatentDiffusion, n: int, scale: float) -> None:
    """Told the same thing in another colour: is it drawn so, and does it stay where it was?

    A thing stands up to 3 % of the side beside its place, which no caption tells. What stays is
    the share of covered pixels that both pictures have, of those that either has.
    """
    generator, chance = torch.Generator().manual_seed(2), random.Random(2)
    alone = [scene for scene in scenes() if scene.other is None]
    given = chance.sample(alone, min(n, len(alone)))
    others = [[c for c in COLOURS if c != scene.thing.colour] for scene in given]
    wanted = [_in_colour(a, chance.choice(b)) for a, b in zip(given, others, strict=True)]
    x = draw(given, generator=generator)
    tokens = tokenise([caption(scene) for scene in wanted])
    print("colour changed, from noise up to t   right   old colour   place kept")
    for t in (0.5, 0.7, 0.8, 0.9, 1.0):
        y = model.img2img(
            x, t, Euler(), steps=20, condition=tokens, null=NULL, scale=scale, generator=generator
        )
        seen, old = compared(y, wanted)[0], compared(y, given)[0]
        print(f"{t:34.1f}   {seen:5.0%}   {old:10.0%}   {_overlap(x, y):10.2f}", flush=True)


def filled(model: LatentDiffusion, n: int, scale: float) -> None:
    """The half in which the second thing stands is hidden, and drawn again as the caption says."""
    generator, chance = torch.Generator().manual_seed(3), random.Random(3)
    pairs = [scene for scene in scenes() if scene.place == "left of"]
    given = chance.sample(pairs, min(n, len(pairs)))
    x = draw(given, generator=generator)
    side = x.shape[-1]
    mask = (torch.arange(side) < side // 2).expand(1, side, side)
    tokens = tokenise([caption(scene) for scene in given])
    print("a half filled, repeats   as captioned   without a caption: the first thing still there")
    for repeats in (1, 4):
        options = {"steps": 20, "repeats": repeats, "generator": generator}
        told = model.inpaint(x, mask, Euler(), condition=tokens, null=NULL, scale=scale, **options)
        free = read(model.inpaint(x, mask, Euler(), condition=NULL.expand_as(tokens), **options))
        kept = [a is not None and a.thing == b.thing for a, b in zip(free, given, strict=True)]
        share = compared(told, given)[0]
        print(f"{repeats:22}   {share:12.0%}   {sum(kept) / len(kept):20.0%}", flush=True)


def _in_colour(scene: Scene, colour: str) -> Scene:
    return scene._replace(thing=scene.thing._replace(colour=colour))


def _overlap(x: Tensor, y: Tensor) -> float:
    a, b = ((1 - v).amax(1) > 0.5 for v in (x, y))
    shared = (a & b).sum((1, 2)) / (a | b).sum((1, 2)).clamp(min=1)
    return float(shared.double().mean())
