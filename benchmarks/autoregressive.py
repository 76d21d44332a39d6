"""Bits per dimension of the digits that two minutes of one core buy, and what a memory saves.

    python benchmarks/autoregressive.py

"digits" trains a gated PixelCNN and a MADE on 1438 of the 8 × 8 digits, 17 grey levels, with AdamW
and one cycle of rates, and prints the bits per dimension of the other 359 under an average of the
weights. Steps and rates were chosen on another split, seed 0. "tokens" draws 256 tokens from a new
GPT with its keys and values kept and without: the same tokens, in another time.
"""

from __future__ import annotations

import time

import torch
from _turns import Run, clock, ratios, rounds_asked_for
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from genmath.likelihood import bits_per_dim
from genmath.nets import GPT, MADE, Autoregressive, PixelCNN
from genmath.toys import digits

LEVELS, BATCH = 17, 64


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def trained(
    net: Autoregressive, x: Tensor, steps: int, rate: float, decay: float
) -> Autoregressive:
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=decay, betas=(0.9, 0.99))
    rates, generator = OneCycleLR(optimizer, rate, steps), rng()
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.99))
    for _ in range(steps):
        batch = x[torch.randint(len(x), (BATCH,), generator=generator)]
        loss = -net.log_prob(batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.step()
        average.update_parameters(net)
    kept = average.module
    assert isinstance(kept, Autoregressive)
    return kept


def drawing(gpt: GPT, n: int, cached: bool) -> Run:
    return lambda: gpt.sample(n, cached=cached, generator=rng())


def main() -> None:
    rounds = rounds_asked_for(__doc__)
    data = digits(low=0.0, seed=1)
    train, test = ((x * (LEVELS - 1)).round().long() for x in (data.train, data.test))
    made = MADE(64, LEVELS, 512, 1, generator=rng())
    pixels = PixelCNN((1, 8, 8), LEVELS, 32, generator=rng())
    for name, net, steps, rate, decay, bar in (
        ("MADE", made, 1500, 2e-3, 0.3, 2.08),
        ("PixelCNN", pixels, 1300, 3e-3, 0.05, 1.8),
    ):
        wall, start = time.perf_counter(), clock()
        kept = trained(net, train.reshape(-1, *net.event), steps, rate, decay)
        spent, wall = clock() - start, time.perf_counter() - wall
        with torch.no_grad():
            nats = -kept.log_prob(test.reshape(-1, *net.event))
        bits = bits_per_dim(nats, 64).mean().item()
        print(
            f"digits {name:9} {steps} steps  {bits:.3f} bits/dim  <= {bar:.2f}"
            f"  {spent:.0f} s of one core, {wall:.0f} s",
            flush=True,
        )
    for n in (1, 16):
        gpt = GPT(64, 256, 128, 4, generator=rng())
        runs = {"bare": drawing(gpt, n, True), "anew": drawing(gpt, n, False)}
        got = ratios(runs, min(rounds, 3))["anew"]
        print(f"tokens {n:2} samples of 256, anew over remembered {got:6.1f}  >= 5", flush=True)


if __name__ == "__main__":
    main()
