"""Flows of finitely many layers: their cost over a bare loop, and how near they come to the moons.

    python benchmarks/flows.py

"bare" is a RealNVP as one would write it down: 8 affine couplings in a list, an MLP of two hidden
layers of 64 units each, and a loop that adds up log-determinants. Timed is log_prob of 256 points,
with its gradient by all parameters, as the median of ratios taking turns; d is the number
of coordinates. "RealNVP" is ours with the same weights, "NSF" ours with splines of 8 bins.

Peers run where they are installed: pip install --no-deps zuko nflows normflows (none of them needs
another torch). A peer that is not there is named and left out.

"moons" is the gap of the mean log-likelihood to the entropy after 2000 steps of Adam on batches of
512 fresh points, on 20 000 points whose exact density is known: a KL divergence, in nats.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import torch
from _turns import Run, ratios, rounds_asked_for
from torch import Tensor, nn

from genmath.normalizing_flow import MAF, NSF, Chain, Coupling, Flow, RealNVP
from genmath.toys import moons, moons_density

LAYERS, HIDDEN, POINTS, BINS, BOUND = 8, 64, 256, 8, 5.0
LOG_TWO_PI = 1.8378770664093453


def mlp(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(before, HIDDEN), nn.SiLU(),
        nn.Linear(HIDDEN, HIDDEN), nn.SiLU(),
        nn.Linear(HIDDEN, after),
    )  # fmt: skip


class Bare(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.kept = d // 2
        self.nets = nn.ModuleList(mlp(self.kept, 2 * (d - self.kept)) for _ in range(LAYERS))

    def log_prob(self, x: Tensor) -> Tensor:
        log_det = torch.zeros(len(x))
        for net in self.nets:
            a, b = x[:, : self.kept], x[:, self.kept :]
            shift, raw = net(a).chunk(2, 1)
            log_scale = 3 * torch.tanh(raw / 3)
            x = torch.cat([b * torch.exp(log_scale) + shift, a], 1)
            log_det = log_det + log_scale.sum(1)
        return log_det - 0.5 * (x**2 + LOG_TWO_PI).sum(1)


def found(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        print(f"left out: {name}, for want of {missing.name}")
        return None


def peers(d: int) -> dict[str, tuple[nn.Module, Callable[[Tensor], Tensor]]]:
    """Couplings of the same sizes: a module and its log-density."""
    made: dict[str, tuple[nn.Module, Callable[[Tensor], Tensor]]] = {}
    kept = d // 2
    if zuko := found("zuko"):
        sizes = {"transforms": LAYERS, "hidden_features": (HIDDEN, HIDDEN), "passes": 2}
        for name, flow in (
            ("zuko affine", zuko.flows.MAF(d, **sizes)),
            ("zuko splines", zuko.flows.NSF(d, bins=BINS, **sizes)),
        ):
            made[name] = flow, lambda x, flow=flow: flow().log_prob(x)
    if nf := found("normflows"):
        layers: list[nn.Module] = []
        for _ in range(LAYERS):
            net = nf.nets.MLP([kept, HIDDEN, HIDDEN, 2 * (d - kept)], init_zeros=True)
            layers += [nf.flows.AffineCouplingBlock(net), nf.flows.Permute(d, mode="swap")]
        model = nf.NormalizingFlow(nf.distributions.DiagGaussian(d, trainable=False), layers)
        made["normflows affine"] = model, model.log_prob
    if found("nflows"):
        from nflows.distributions import StandardNormal
        from nflows.flows.base import Flow as Theirs
        from nflows.transforms import CompositeTransform, coupling

        class Net(nn.Module):
            def __init__(self, before: int, after: int) -> None:
                super().__init__()
                self.net = mlp(before, after)

            def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
                out: Tensor = self.net(x)
                return out

        each = []
        for i in range(LAYERS):
            mask = torch.arange(d) < kept if i % 2 else torch.arange(d) >= kept
            each.append(
                coupling.PiecewiseRationalQuadraticCouplingTransform(
                    mask=mask.int(), transform_net_create_fn=Net,
                    num_bins=BINS, tails="linear", tail_bound=BOUND,
                )
            )  # fmt: skip
        theirs = Theirs(CompositeTransform(each), StandardNormal([d]))
        made["nflows splines"] = theirs, theirs.log_prob
    return made


def timed(d: int, rounds: int) -> dict[str, float]:
    torch.manual_seed(0)
    x, bare, real = torch.randn(POINTS, d), Bare(d), RealNVP(d, LAYERS, hidden=HIDDEN)
    splines = NSF(d, LAYERS, bins=BINS, bound=BOUND, hidden=HIDDEN)
    for layer, net in zip(real.parts, bare.nets, strict=True):
        assert isinstance(layer, Coupling)
        layer.net.load_state_dict(net.state_dict())
    models = {
        "bare": (bare, bare.log_prob),
        "RealNVP": (real, Flow(real).log_prob),
        "NSF": (splines, Flow(splines).log_prob),
        **peers(d),
    }
    same = step(*models["bare"], x)().clone()

    def run(model: nn.Module, log_prob: Callable[[Tensor], Tensor], exact: bool) -> Run:
        own = step(model, log_prob, x)
        return own if exact else lambda: (own(), same)[1]

    runs = {name: run(*pair, name in ("bare", "RealNVP")) for name, pair in models.items()}
    return ratios(runs, rounds)


def step(model: nn.Module, log_prob: Callable[[Tensor], Tensor], x: Tensor) -> Run:
    parameters = list(model.parameters())  # to walk through the modules is no part of the flow

    def run() -> Tensor:
        for parameter in parameters:
            parameter.grad = None
        loss = -log_prob(x).mean()
        loss.backward()
        return loss.detach()

    return run


def gap(model: nn.Module, log_prob: Callable[[Tensor], Tensor], steps: int = 2000) -> float:
    data, generator = moons_density(), torch.Generator().manual_seed(0)
    test = moons(20_000, generator=torch.Generator().manual_seed(1), stratified=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        step(model, log_prob, moons(512, generator=generator))()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return (data.log_prob(test.double()) - log_prob(test)).mean().item()


def main() -> None:
    rounds = rounds_asked_for(str(__doc__))
    for d in (2, 64):
        shown = "  ".join(f"{name} {ratio:.2f}" for name, ratio in timed(d, rounds).items())
        print(f"log_prob and gradient, over bare, d = {d:2d}:  {shown}")
    torch.manual_seed(0)
    ours: dict[str, Chain] = {"RealNVP": RealNVP(2), "NSF": NSF(2), "MAF": MAF(2)}
    for name, model in ours.items():
        print(f"moons, {name:12s} gap {gap(model, Flow(model).log_prob):.4f} nats")
    for name, (module, log_prob) in peers(2).items():
        print(f"moons, {name:12s} gap {gap(module, log_prob):.4f} nats")


if __name__ == "__main__":
    main()
