"""How often a model told a caption of the shapes world draws what it says: all of it, or not.

    python benchmarks/text_to_image.py                   whole captions are kept from training
    python benchmarks/text_to_image.py --together pair   colour and shape are never seen together
    python benchmarks/text_to_image.py --korean          captions in Korean
    python benchmarks/text_to_image.py --latent          32 × 32 pixels, by 4 × 4 codes
    python benchmarks/text_to_image.py --clips           clips of eight frames, by space and time

A text encoder and a DiT, with attention to the words and their mean in scale, shift and gate,
trained together from nothing by flow matching; the network says the clean data. A picture counts
as right if `genmath.shapes.read` reads size, colour, shape and place of all things in it as the
caption has them. ``--seconds`` is the processor time of training, drawing of pictures and all, on
one thread: what a loaded machine makes of it on the clock does not matter.

Printed is a curve over that time, and at its end the share that is right against the scale of
guidance and the steps of Euler's method, of ``--n`` captions that were never seen; with it the
share that is read as nothing at all.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from genmath.flow_matching import cfm_loss
from genmath.guidance import drop_labels
from genmath.latent import FirstStage, LatentDiffusion
from genmath.nets import Captioned, DiT, TextEncoder
from genmath.paths import logit_normal_time
from genmath.samplers import Euler
from genmath.shapes import FRAMES, LENGTH, WORDS, Scene, caption, draw, film, read, split, tokenise

BATCH, RATE, HIDDEN, LAYERS = 64, 2e-3, 128, 4
NULL = torch.zeros(LENGTH, dtype=torch.int64)


class World:
    """Scenes, and what is drawn and said of them."""

    def __init__(self, scenes: list[Scene], side: int, language: str, clips: bool) -> None:
        self.scenes, self.side, self.draw = scenes, side, film if clips else draw
        ways = [(False, True)[: 1 + (scene.other is not None)] for scene in scenes]
        self.texts = [
            tokenise([caption(scene, language, turned=turned) for turned in way])
            for scene, way in zip(scenes, ways, strict=True)
        ]
        self.alone = [i for i, scene in enumerate(scenes) if scene.other is None]

    def batch(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures and a caption of each; a fifth at least are of one thing, of which are few."""
        which = [
            random.choice(self.alone if random.random() < 0.2 else range(len(self.scenes)))
            for _ in range(n)
        ]
        x = self.draw([self.scenes[i] for i in which], self.side, generator=generator)
        return x, torch.stack([random.choice(self.texts[i]) for i in which])


def right(model: LatentDiffusion, world: World, n: int, scale: float, steps: int) -> Tensor:
    """The shares that show what is said, and nothing that can be read."""
    generator = torch.Generator().manual_seed(1)
    which = torch.randperm(len(world.scenes), generator=generator)[:n].tolist()
    tokens = torch.stack([world.texts[i][0] for i in which])
    options = {} if scale == 1 else {"null": NULL, "scale": scale}
    x = model.sample(
        len(which), Euler(), steps=steps, condition=tokens, generator=generator, **options
    )
    seen = list(zip(read(x), (world.scenes[i] for i in which), strict=True))
    return torch.tensor([[a == b, a is None] for a, b in seen]).double().mean(0)


class Budget:
    """Processor time of training, without what is spent on looking."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.spent, self.began = seconds, 0.0, 0.0

    def __enter__(self) -> None:
        self.began = time.process_time()

    def __exit__(self, *raised: object) -> None:
        self.spent += time.process_time() - self.began

    @property
    def share(self) -> float:
        return self.spent / self.seconds


def train(
    parameters: list[nn.Parameter], loss: Callable[[], Tensor], budget: Budget, after: Callable
) -> None:
    """Adam, its rate even at first and falling to 0 over the last 40 % of the time."""
    optimizer = torch.optim.Adam(parameters, RATE, betas=(0.9, 0.99), fused=True)
    steps = 0
    while budget.share < 1:
        with budget:
            steps += 1
            rate = RATE * min(1.0, steps / 100, max(0.02, (1 - budget.share) / 0.4))
            optimizer.param_groups[0]["lr"] = rate
            value = loss()
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        after(steps, value.detach())


def first_stage(world: World, seconds: float, generator: torch.Generator) -> FirstStage:
    """32 × 32 pixels to 4 × 4 codes of 16 numbers and back, by convolutions."""

    def convolved(before: int, after: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(before, after, 4, 2, 1), nn.SiLU())

    def widened(before: int, after: int) -> nn.Sequential:
        return nn.Sequential(nn.ConvTranspose2d(before, after, 4, 2, 1), nn.SiLU())

    encoder = nn.Sequential(
        convolved(3, 16), convolved(16, 32), convolved(32, 64), nn.Conv2d(64, 32, 1)
    )  # mean and log-variance
    decoder = nn.Sequential(
        nn.Conv2d(16, 64, 1), nn.SiLU(), widened(64, 32), widened(32, 16),
        nn.ConvTranspose2d(16, 3, 4, 2, 1),
    )  # fmt: skip
    stage, budget = FirstStage(encoder, decoder, kl=1e-2), Budget(seconds)

    def loss() -> Tensor:
        return stage.loss(world.batch(BATCH, generator)[0], generator=generator).total

    train(list(stage.parameters()), loss, budget, lambda *_: None)
    x, _ = world.batch(200, generator)
    with torch.no_grad():
        same = [a == b for a, b in zip(read(x), read(stage(x)), strict=True)]
    print(f"autoencoder: {seconds:.0f} s, {sum(same) / 2:.1f} % read as before", flush=True)
    return stage


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--together", default="caption", choices=("caption", "thing", "pair"))
    for flag in ("korean", "latent", "clips"):
        parser.add_argument(f"--{flag}", action="store_true")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.latent and asked.clips:
        parser.error("--latent is of pictures")
    torch.set_num_threads(1)
    random.seed(asked.seed)
    torch.manual_seed(asked.seed)  # the first weights of the autoencoder
    generator = torch.Generator().manual_seed(asked.seed)

    language, side = ("ko" if asked.korean else "en"), (32 if asked.latent else 16)
    parts = split(0.2, together=asked.together, clips=asked.clips, generator=generator)
    seen, unseen = (World(part, side, language, asked.clips) for part in parts)

    budget, batch = Budget(asked.seconds), BATCH // 4 if asked.clips else BATCH
    shape: tuple[int, ...] = (3, FRAMES, side, side) if asked.clips else (3, side, side)
    patch: int | tuple[int, ...] = (1, 4, 4) if asked.clips else 4
    stage = FirstStage(nn.Identity(), nn.Identity())
    if asked.latent:
        stage = first_stage(seen, asked.seconds / 4, generator)
        budget, shape, patch = Budget(asked.seconds * 3 / 4), (16, 4, 4), 1
    net = Captioned(
        TextEncoder(len(WORDS), 64, 1, generator=generator),
        DiT(
            shape[0],
            HIDDEN,
            LAYERS,
            4,
            patch,
            context_dim=64,
            factorised=asked.clips,
            generator=generator,
        ),
        prediction="x0",
    )
    model = LatentDiffusion(stage, net, shape)
    if asked.latent:
        model.calibrate(seen.batch(500, generator)[0])
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.995))
    count = sum(p.numel() for p in net.parameters())
    print(
        f"{len(seen.scenes)} scenes seen, {len(unseen.scenes)} not; {count:,} weights", flush=True
    )

    def loss() -> Tensor:
        x, tokens = seen.batch(batch, generator)
        tokens = drop_labels(tokens, NULL, 0.1, generator=generator)
        t = logit_normal_time(len(x), generator=generator)
        return cfm_loss(lambda z, t: net(z, t, tokens), model.encode(x), t=t, generator=generator)

    began, marks, recent = time.monotonic(), [asked.seconds * k / 10 for k in range(1, 11)], []

    def after(steps: int, value: Tensor) -> None:
        average.update_parameters(model)
        recent.append(float(value))
        if budget.spent >= marks[0]:
            del marks[0]
            share, none = right(average.module, unseen, min(100, asked.n), 1.5, 10)
            print(
                f"{budget.spent:5.0f} s  {steps:6} steps  loss {sum(recent) / len(recent):7.2f}"
                f"  right {share:6.1%}  nothing {none:6.1%}  ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
            recent.clear()

    train(list(net.parameters()), loss, budget, after)

    print(f"right, and nothing, of {min(asked.n, len(unseen.scenes))}; steps across")
    counts = (2, 4, 10, 30)
    print("scale " + "".join(f"{steps:>18}" for steps in counts))
    for scale in (0.5, 1.0, 1.5, 3.0, 6.0):
        row = [right(average.module, unseen, asked.n, scale, steps) for steps in counts]
        print(f"{scale:5} " + "".join(f"{a:>9.1%}{b:>9.1%}" for a, b in row), flush=True)


if __name__ == "__main__":
    main()
