"""How often a model told a caption of the shapes world draws what it says: all of it, or not.

    python benchmarks/text_to_image.py                   whole captions are kept from training
    python benchmarks/text_to_image.py --together pair   colour and shape are never seen together
    python benchmarks/text_to_image.py --korean          captions in Korean
    python benchmarks/text_to_image.py --clip-text       told by an encoder that is trained before
    python benchmarks/text_to_image.py --latent          32 × 32 pixels, by 4 × 4 codes
    python benchmarks/text_to_image.py --latent --adversarial 0.5   and a judge of patches with it
    python benchmarks/text_to_image.py --distil          and then taught to draw in 1 to 4 steps
    python benchmarks/text_to_image.py --edit            and then told to change pictures
    python benchmarks/text_to_image.py --tokens          a law of 4 × 4 tokens in place of a flow
    python benchmarks/text_to_image.py --clips           clips of eight frames, by space and time
    python benchmarks/text_to_image.py --clips --latent  the same by 2 × 4 × 4 codes

A text encoder and a DiT, with attention to the words and their mean in scale, shift and gate,
trained together from nothing by flow matching; the network says the clean data. A picture counts
as right if `genmath.shapes.read` reads size, colour, shape and place of all things in it as the
caption has them. ``--seconds`` is the processor time of training, drawing of pictures and all, on
one thread: what a loaded machine makes of it on the clock does not matter. What is trained before
or after, an autoencoder, a text encoder, a student, has its part of these seconds: it is printed.

Printed is a curve over that time, and at its end the share that is right against the scale of
guidance and the steps of Euler's method, of ``--n`` captions that were never seen; with it the
share that is read as nothing at all.
"""

from __future__ import annotations

import argparse
import random
import time

import torch
from _edits import filled, recoloured
from _few_steps import in_steps, student
from _first_stages import CODES, autoencoder, text_encoder
from _shapes import BATCH, NULL, Budget, Draw, World, right, train
from _token_prior import by_tokens
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.flop_counter import FlopCounterMode

from genmath.flow_matching import cfm_loss
from genmath.guidance import drop_labels
from genmath.latent import FirstStage, LatentDiffusion
from genmath.multimodal import clip_cost
from genmath.nets import Captioned, DiT, TextEncoder
from genmath.paths import logit_normal_time
from genmath.samplers import Euler
from genmath.shapes import FRAMES, WORDS, split

HIDDEN, LAYERS = 128, 4


def guided(model: LatentDiffusion, scale: float, steps: int) -> Draw:
    """Pictures by Euler's method."""
    options = {} if scale == 1 else {"null": NULL, "scale": scale}

    def made(tokens: Tensor, generator: torch.Generator) -> Tensor:
        asked = {"steps": steps, "condition": tokens, "generator": generator, **options}
        return model.sample(len(tokens), Euler(), **asked)

    return made


def by_flow(
    net: Captioned, model: LatentDiffusion, seen: World, unseen: World, budget: Budget, n: int,
    generator: torch.Generator,
) -> LatentDiffusion:  # fmt: skip
    """Flow matching with captions left out now and then; the average of the weights on the way."""
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.995))
    batch = BATCH // 2 if len(model.latent_shape) == 4 else BATCH

    def loss() -> Tensor:
        x, tokens = seen.batch(batch, generator)
        tokens = drop_labels(tokens, NULL, 0.1, generator=generator)
        t = logit_normal_time(len(x), generator=generator)
        return cfm_loss(lambda z, t: net(z, t, tokens), model.encode(x), t=t, generator=generator)

    began, recent = time.monotonic(), []
    marks = [budget.seconds * k / 5 for k in range(1, 6)]

    def after(steps: int, value: Tensor) -> None:
        average.update_parameters(model)
        recent.append(float(value))
        if budget.spent >= marks[0]:
            del marks[0]
            share, none = right(guided(average.module, 1.5, 10), unseen, min(100, n))
            print(
                f"{budget.spent:5.0f} s  {steps:6} steps  loss {sum(recent) / len(recent):7.2f}"
                f"  right {share:6.1%}  nothing {none:6.1%}  ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
            recent.clear()

    weights = [p for p in net.parameters() if p.requires_grad]
    train(weights, loss, budget, after)
    return average.module


def table(model: LatentDiffusion, world: World, n: int, scales: tuple[float, ...]) -> None:
    counts = (1, 2, 4, 10, 30)
    print(f"right, and nothing, of {min(n, len(world.scenes))}; steps across")
    print("scale " + "".join(f"{steps:>18}" for steps in counts))
    for scale in scales:
        row = [right(guided(model, scale, steps), world, n) for steps in counts]
        print(f"{scale:5} " + "".join(f"{a:>9.1%}{b:>9.1%}" for a, b in row), flush=True)


def price(net: Captioned, shape: tuple[int, ...]) -> None:
    """FLOPs of a clip in one step: self-attention and layers by formula, and all, as torch counts.

    Beside the formula stand the words, what tells the time, and both ends.
    """
    frames, rows, columns = (n // p for n, p in zip(shape[1:], net.model.patch, strict=True))
    blocks = LAYERS * clip_cost(frames, rows * columns, HIDDEN, attention="alternating")
    x, t = torch.zeros(1, *shape), torch.zeros(1)
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        net(x, t, NULL.expand(1, -1))
    print(
        f"{frames} × {rows * columns} tokens: {blocks / 1e6:.1f} million FLOPs by formula,"
        f" {counter.get_total_flops() / 1e6:.1f} with what is told",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--together", default="caption", choices=("caption", "thing", "pair"))
    for flag in ("korean", "latent", "clips", "tokens", "clip-text", "distil", "edit"):
        parser.add_argument(f"--{flag}", action="store_true")
    parser.add_argument("--adversarial", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    others = (asked.clip_text, asked.distil, asked.edit)
    if asked.clips and (any(others) or asked.tokens):
        parser.error("--clips goes with --latent alone")
    if asked.tokens and (any(others) or asked.latent):
        parser.error("--tokens goes with no other way")
    if asked.adversarial and not asked.latent:
        parser.error("--adversarial is a part of --latent")
    if asked.latent and (asked.edit or asked.clip_text):
        parser.error("--edit and --clip-text are of 16 × 16 pixels")
    torch.set_num_threads(1)
    random.seed(asked.seed)
    torch.manual_seed(asked.seed)  # the first weights of what is no network of the book
    generator = torch.Generator().manual_seed(asked.seed)

    language, side = (
        ("ko" if asked.korean else "en"),
        (32 if asked.latent and not asked.clips else 16),
    )
    parts = split(0.2, together=asked.together, clips=asked.clips, generator=generator)
    seen, unseen = (World(part, side, language, asked.clips) for part in parts)
    print(f"{len(seen.scenes)} scenes seen, {len(unseen.scenes)} not", flush=True)
    if asked.tokens:
        by_tokens(seen, unseen, asked.seconds, asked.n, generator)
        return

    left = asked.seconds
    shape: tuple[int, ...] = (3, FRAMES, side, side) if asked.clips else (3, side, side)
    patch: int | tuple[int, ...] = (2, 4, 4) if asked.clips else 4
    stage = FirstStage(nn.Identity(), nn.Identity())
    if asked.latent:
        factor, apart = ((4, 4, 4) if asked.clips else (8, 8)), asked.seconds / 4
        stage = autoencoder(seen, factor, apart, generator, asked.adversarial)
        sizes = [n // f for n, f in zip(shape[1:], factor, strict=True)]
        left, shape, patch = left - apart, (CODES, *sizes), (1,) * len(sizes)
    if asked.clip_text:
        encoder = text_encoder(seen, unseen, asked.seconds / 5, generator)
        left -= asked.seconds / 5
    else:
        encoder = TextEncoder(len(WORDS), 64, 1, generator=generator)
    apart = asked.seconds / 4 if asked.distil else 0.0
    dit = DiT(
        shape[0], HIDDEN, LAYERS, 4, patch, context_dim=64, factorised=asked.clips,
        generator=generator,
    )  # fmt: skip
    net = Captioned(encoder, dit, prediction="x0")
    model = LatentDiffusion(stage, net, shape)
    if asked.latent:
        model.calibrate(seen.batch(500, generator)[0])
    print(f"{sum(p.numel() for p in net.parameters()):,} weights", flush=True)
    if asked.clips:
        price(net, shape)
    model = by_flow(net, model, seen, unseen, Budget(left - apart), asked.n, generator)
    table(model, unseen, asked.n, (1.0, 3.0) if asked.clips else (0.5, 1.0, 1.5, 3.0, 6.0))

    if asked.distil:
        scale = 1.5
        taught, steps = student(model, seen, apart, scale, generator)
        print(f"student: {apart:.0f} s, {steps} steps; the teacher guided by {scale}")
        print("steps   teacher (right, nothing)   student (right, nothing)")
        for count in (1, 2, 4):
            both = (guided(model, scale, count), in_steps(taught, count))
            row = [share for way in both for share in right(way, unseen, asked.n)]
            print(f"{count:5}" + "".join(f"{share:>14.1%}" for share in row), flush=True)
    if asked.edit:
        recoloured(model, asked.n, 1.5)
        filled(model, asked.n, 1.5)


if __name__ == "__main__":
    main()
