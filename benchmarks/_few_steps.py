"""A text-to-image model of few steps, taught by one of many."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from _shapes import BATCH, NULL, Budget, Draw, World, train
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from genmath.consistency import distillation_loss, sample
from genmath.guidance import Guided
from genmath.latent import LatentDiffusion


def student(
    teacher: LatentDiffusion, world: World, seconds: float, scale: float, generator: torch.Generator
) -> tuple[LatentDiffusion, int]:
    """A copy that says where the teacher's flow ends, and how many steps it was trained for.

    `Captioned` says the clean data from t = 0.05 on, and x itself at t = 0: what a consistency
    model has to do. It begins as the teacher does, whose guidance goes into its weights.
    """
    model = deepcopy(teacher)
    follower = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.95))

    def loss() -> Tensor:
        x, tokens = world.batch(BATCH, generator)
        guided = Guided(teacher.model, tokens, NULL, scale=scale)
        return distillation_loss(
            ends(model, tokens),
            model.encode(x),
            teacher=guided,
            steps=16,
            target=ends(follower.module, tokens),
            generator=generator,
        )

    def after(*_: object) -> None:
        follower.update_parameters(model)

    weights = [p for p in model.model.parameters() if p.requires_grad]
    steps = train(weights, loss, Budget(seconds), after, rate=5e-4)
    return follower.module, steps


def ends(model: LatentDiffusion, tokens: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Where the line through x in the direction of the velocity is at t = 0."""

    def answer(x: Tensor, t: Tensor) -> Tensor:
        return x - t.reshape(-1, *[1] * (x.ndim - 1)) * model.model(x, t, tokens)

    return answer


def in_steps(model: LatentDiffusion, steps: int) -> Draw:
    """Pictures by so many guesses of the end, with new noise between them."""

    def made(tokens: Tensor, generator: torch.Generator) -> Tensor:
        shape = (len(tokens), *model.latent_shape)
        return model.decode(sample(ends(model, tokens), shape, steps=steps, generator=generator))

    return made
