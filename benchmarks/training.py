"""What a training step and the points of a path cost beside the lines a careful person would write.

    python benchmarks/training.py

"path" makes x_t and its velocity from given data, noise and times, by `conditional_path`; the line
is by hand one subtraction and one addcmul. "step" is a whole training step of flow matching
(MLP 3 × 64, batch 256, dimension 2) by `cfm_loss`, with a generator: noise and times drawn, loss,
gradients, Adam. "fused" is the same step with torch's fused Adam, against the bare step without.
All take turns within one process; printed is the median over rounds of the time over the bare one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from _turns import Run, ratios, rounds_asked_for
from torch import Tensor, nn

from genmath.flow_matching import cfm_loss, conditional_path
from genmath.nets import MLP
from genmath.paths import LinearPath, VPPath

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


def main() -> None:
    rounds = rounds_asked_for(__doc__)
    for shape in ((256, 2), (64, 3, 32, 32)):
        for name in ("linear", "VP"):
            got = ratios(points(shape, name), rounds)["ours"]
            bar = "  <= 1.5" if name == "linear" else ""
            print(f"path {name:6} {list(shape)!s:18} {got:6.2f}{bar}", flush=True)
    got = ratios(training(), rounds)
    for name, bar in (("ours", "  <= 1.02"), ("fused", "  <= 0.80"), ("bare, fused", "")):
        print(f"step {name:11} {'[256, 2]':13} {got[name]:6.2f}{bar}", flush=True)


if __name__ == "__main__":
    main()
