"""Text to picture by tokens: a caption, and behind it the sixteen tokens of a picture."""

from __future__ import annotations

import torch
from _first_stages import tokeniser
from _shapes import BATCH, Budget, World, right, train
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from genmath.nets import GPT
from genmath.shapes import LENGTH, WORDS
from genmath.vq import TwoStage


def by_tokens(
    seen: World, unseen: World, seconds: float, n: int, generator: torch.Generator
) -> None:
    """A third of the time for the tokens, the rest for their law given a caption; the shares."""
    stage = tokeniser(seen, seconds / 3, generator)
    codes, words = stage.quantizer.codes, len(WORDS)
    prior = GPT(codes + words, LENGTH + 16, 128, 4, 4, generator=generator)
    model = TwoStage(stage, prior, words=words)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.995))

    def loss() -> Tensor:
        x, text = seen.batch(BATCH, generator)
        return model.loss(x, text=text)

    def after(*_: object) -> None:
        average.update_parameters(model)

    steps = train(list(prior.parameters()), loss, Budget(seconds * 2 / 3), after)
    count = sum(p.numel() for p in prior.parameters())
    print(f"law of the tokens: {steps} steps, {count:,} weights", flush=True)
    for name, world in (("seen", seen), ("never seen", unseen)):
        for temperature in (1.0, 0.7, 0.4):

            def made(text: Tensor, g: torch.Generator, at: float = temperature) -> Tensor:
                sample = average.module.sample
                return sample(len(text), shape=(4, 4), text=text, temperature=at, generator=g)

            share, none = right(made, world, n)
            print(
                f"captions {name:10}  temperature {temperature}  right {share:6.1%}"
                f"  nothing {none:6.1%}",
                flush=True,
            )
