"""What a training step and the points of a path cost beside the lines a careful person would write.

    python benchmarks/training.py

"path" makes x_t and its velocity from given data, noise and times, by `conditional_path`; the line
is by hand one subtraction and one addcmul. "step" is a whole training step of flow matching
(MLP 3 × 64, batch 256, dimension 2) by `cfm_loss`, with a generator: noise and times drawn, loss,
gradients, Adam. "fused" is the same step with torch's fused Adam, against the bare step without.
"fit" is a whole training by `genmath.train.fit`, set-up included, of that network on points held in
memory: against the loop that does as little as can be done (batches in random order, loss, Adam),
and against the one written out with all that `fit` does besides: gradients clipped, the rate on its
way, weights averaged, fused Adam, losses noted.
All take turns within one process; printed is the median over rounds of the time over the bare one.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from _turns import Run, ratios, rounds_asked_for
from torch import Tensor, nn

from genmath.flow_matching import cfm_loss, conditional_path
from genmath.nets import MLP
from genmath.paths import LinearPath, VPPath
from genmath.train import Batch, Data, Recipe, fit
from genmath.train.data import Event, Held

Pair = tuple[Tensor, Tensor]
REPEATS, STEPS = 200, 50


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def points(shape: tuple[int, ...], name: str) -> dict[str, Run]:
    x0, eps = torch.randn(2, *shape, generator=rng())
    t = torch.rand(shape[0], generator=rng()).clamp(min=0.01)
    path = {"linear": LinearPath(), "VP": VPPath()}[name]
    full = (-1, *[1] * (len(shape) - 1))

    def bare_linear() -> Pair:
        velocity = eps - x0
        return torch.addcmul(x0, t.reshape(full), velocity), velocity

    def bare_vp() -> Pair:
        s = t.reshape(full)
        integral, beta = s * (0.1 + s * 9.95), 0.1 + s * 19.9
        alpha, sigma = torch.exp(-integral / 2), torch.sqrt(-torch.expm1(-integral))
        x = alpha * x0 + sigma * eps
        return x, -beta / 2 * alpha * x0 + beta / 2 * alpha**2 / sigma * eps

    def ours() -> Pair:
        return conditional_path(x0, eps, t, path)

    def often(run: Callable[[], Pair]) -> Run:
        def repeated() -> Tensor:
            for _ in range(REPEATS - 1):
                run()
            return torch.stack(run())

        return repeated

    bare = {"linear": bare_linear, "VP": bare_vp}[name]
    return {"ours": often(ours), "bare": often(bare)}


class Bare(nn.Module):
    def __init__(self, net: MLP) -> None:
        super().__init__()
        self.stack = net.stack

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.stack(torch.cat([x, t[:, None]], 1))


def training() -> dict[str, Run]:
    """Fifty steps each, from the same weights and the same draws."""
    x0 = torch.randn(256, 2, generator=rng())

    def train(ours: bool, fused: bool) -> Tensor:
        net: nn.Module = MLP(2, generator=rng())
        net = net if ours else Bare(net)
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=fused)
        generator = rng()
        for _ in range(STEPS):
            if ours:
                loss = cfm_loss(net, x0, generator=generator)
            else:
                eps = torch.randn(256, 2, generator=generator)
                t = torch.rand(256, generator=generator)
                target = eps - x0
                x_t = torch.addcmul(x0, t[:, None], target)
                loss = ((net(x_t, t) - target) ** 2).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.detach()

    return {
        "ours": lambda: train(True, False),
        "fused": lambda: train(True, True),
        "bare, fused": lambda: train(False, True),
        "bare": lambda: train(False, False),
    }


@dataclass(frozen=True, kw_only=True)
class Flow(Recipe):
    title = "Flow matching"
    shows = "points"

    steps: int = 500
    batch: int = 256
    rate: float = 1e-3

    def build(self, event: Event, generator: torch.Generator) -> nn.Module:
        return MLP(*event.shape, generator=generator)

    def loss(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        return cfm_loss(model, batch.x, generator=generator)

    def sample(self, model: nn.Module, event: Event, n: int, generator: torch.Generator) -> Tensor:
        raise NotImplementedError


def fitting() -> dict[str, Run]:
    """Each ends in the loss of its last hundred steps, which is the same within a tenth."""
    held = torch.randn(4096, 2, generator=rng())
    data = Data("points", Event("points", (2,)), Held(Batch(held)), Batch(held))
    recipe = Flow()

    def ours() -> Tensor:
        return torch.tensor(fit(recipe, data).losses[-100:]).mean().round(decimals=0)

    def loop(full: bool) -> Tensor:
        net = MLP(2, generator=rng())
        weights = list(net.parameters())
        optimizer = torch.optim.Adam(weights, recipe.rate, recipe.betas, fused=full)
        average = copy.deepcopy(net)
        averaged = list(average.parameters())
        generator, losses = rng(), []
        for step in range(recipe.steps):
            place = step * recipe.batch % len(held)
            if place == 0:
                order = torch.randperm(len(held), generator=generator)
            x0 = held[order[place : place + recipe.batch]]
            if full:
                share = (step + 0.5) / recipe.steps
                rate = min(1.0, share / 0.05) * 0.5 * (1 + math.cos(math.pi * share))
                optimizer.param_groups[0]["lr"] = recipe.rate * rate
            loss = cfm_loss(net, x0, generator=generator)
            optimizer.zero_grad()
            loss.backward()
            if full:
                nn.utils.clip_grad_norm_(weights, recipe.clip)
            optimizer.step()
            if full:
                keep = min(recipe.average, (1 + step) / (10 + step))
                with torch.no_grad():
                    torch._foreach_lerp_(averaged, weights, 1 - keep)
            losses.append(loss.detach())
        return torch.stack(losses[-100:]).mean().round(decimals=0)

    return {"fit": ours, "written out": lambda: loop(True), "bare": lambda: loop(False)}


def main() -> None:
    rounds = rounds_asked_for(__doc__)
    for shape in ((256, 2), (64, 3, 32, 32)):
        for name in ("linear", "VP"):
            got = ratios(points(shape, name), rounds)["ours"]
            bar = "  <= 1.5" if name == "linear" else ""
            print(f"path {name:6} {list(shape)!s:18} {got:6.2f}{bar}", flush=True)
    rounds_of_fit = max(3, rounds // 3)
    for to, bar in (("bare", ""), ("written out", "  <= 1.05")):
        got = ratios(fitting(), rounds_of_fit, to)
        print(f"fit against {to:18} {'[256, 2]':6} {got['fit']:6.2f}{bar}", flush=True)
    got = ratios(training(), rounds)
    for name, bar in (("ours", "  <= 1.02"), ("fused", "  <= 0.80"), ("bare, fused", "")):
        print(f"step {name:11} {'[256, 2]':13} {got[name]:6.2f}{bar}", flush=True)


if __name__ == "__main__":
    main()
