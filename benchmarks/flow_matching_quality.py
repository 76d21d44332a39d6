"""How good flows in the plane become at a fixed budget: 5000 steps, batch 256, MLP 3 × 64, OT.

    python benchmarks/flow_matching_quality.py                  four pairs, three seeds
    python benchmarks/flow_matching_quality.py --pairs moons-8gaussians --seeds 1 --train 500

Three figures a pair, mean and spread over seeds:

  W2    the exact 2-Wasserstein distance of 2000 generated and 2000 test samples. Random counts of
        the components would dominate it, so both sets are stratified: the sources too are spread
        evenly. "iid" is the same with random sets.
  NPE   the normalised path energy, |E ∫‖v‖² dt - W2²| / W2², W2 that of the two true densities:
        0 for a flow that transports optimally. Tong et al. 2024, section 5.
  NFE   network calls a sample: Heun with 19 steps.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time

import torch
from ot.lp import emd

from genmath import toys
from genmath.flow_matching import cfm_loss, ot_pairing, path_energy
from genmath.nets import MLP
from genmath.paths import LinearPath
from genmath.samplers import Heun, sample

PAIRS = {
    "normal-8gaussians": ("normal", "eight_gaussians"),
    "moons-8gaussians": ("moons", "eight_gaussians"),
    "normal-moons": ("normal", "moons"),
    "normal-scurve": ("normal", "s_curve"),
}
# Our sets are at unit scale; these are those of the torchcfm package, in which its figures are.
PEERS = {
    "eight_gaussians": (1 / 0.28, (0.0, 0.0)),
    "moons": (3 / 1.4, (0.5, -0.25)),
    "s_curve": (1.5 / 0.9, (0.0, 0.0)),
}
STEPS = 19


def draw(name: str, n: int, generator: torch.Generator, stratified: bool = False) -> torch.Tensor:
    if name != "normal":
        scale, centre = PEERS[name]
        x = getattr(toys, name)(n, generator=generator, stratified=stratified)
        return scale * x + torch.tensor(centre)
    if not stratified:
        return torch.randn(n, 2, generator=generator)
    seed = int(torch.randint(2**31, (), generator=generator))
    u = torch.quasirandom.SobolEngine(2, scramble=True, seed=seed).draw(n, dtype=torch.float64)
    return (math.sqrt(2) * torch.erfinv(2 * u.clamp(1e-9, 1 - 1e-9) - 1)).float()


def w2(a: torch.Tensor, b: torch.Tensor) -> float:
    costs = torch.cdist(a.double(), b.double(), compute_mode="donot_use_mm_for_euclid_dist") ** 2
    ones = torch.ones(len(a), dtype=torch.float64).numpy()
    plan = emd(ones, ones, costs.numpy(), numItermax=10**8)
    return math.sqrt((torch.from_numpy(plan) * costs).sum().item() / len(a))


def train(source: str, target: str, steps: int, batch: int, seed: int) -> MLP:
    generator = torch.Generator().manual_seed(seed)
    net = MLP(2, generator=generator)
    optimiser = torch.optim.Adam(net.parameters(), lr=4e-3, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        x0, noise = draw(target, batch, generator), draw(source, batch, generator)
        noise = noise[ot_pairing(x0, noise)]
        loss = cfm_loss(net, x0, noise=noise, generator=generator)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net


def evaluate(net: MLP, source: str, target: str, n: int, seed: int) -> dict[str, float]:
    generator = torch.Generator().manual_seed(10_000 + seed)
    found = {}
    for stratified, name in ((True, "W2"), (False, "iid")):
        start, test = (draw(s, n, generator, stratified) for s in (source, target))
        trajectory = sample(
            net, (n, 2), LinearPath(), Heun(), steps=STEPS, prediction="velocity",
            start=start, trajectory=True,
        )  # fmt: skip
        found[name] = w2(trajectory[-1], test)
        if stratified:
            least = w2(start, test) ** 2
            found["NPE"] = abs(path_energy(trajectory).item() - least) / least
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--pairs", nargs="+", default=list(PAIRS), choices=list(PAIRS))
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--train", type=int, default=5000, help="training steps")
    options.add_argument("--samples", type=int, default=2000)
    given = options.parse_args()
    torch.set_num_threads(1)
    print(f"{'pair':20}{'W2':>16}{'iid':>16}{'NPE':>18}{'NFE':>5}{'s/seed':>8}")
    for pair in given.pairs:
        began, runs = time.perf_counter(), []
        for seed in range(given.seeds):
            net = train(*PAIRS[pair], given.train, 256, seed)
            runs.append(evaluate(net, *PAIRS[pair], given.samples, seed))
        cells = []
        for name, digits in (("W2", 3), ("iid", 3), ("NPE", 4)):
            values = [run[name] for run in runs]
            spread = statistics.stdev(values) if len(values) > 1 else math.nan
            cells.append(f"{statistics.mean(values):.{digits}f} ± {spread:.{digits}f}")
        seconds = (time.perf_counter() - began) / given.seeds
        print(
            f"{pair:20}{cells[0]:>16}{cells[1]:>16}{cells[2]:>18}{2 * STEPS:5}{seconds:8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
