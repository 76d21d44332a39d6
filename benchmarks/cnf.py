"""The log-density of a continuous flow: how exact it is for the time it takes, and what it takes.

    python benchmarks/cnf.py

The peer is what one would write with torchdiffeq: dopri5 with rtol = atol = 1e-5, and one gradient
a coordinate for the trace. Ours is `genmath.cnf.log_prob` with `Adaptive`, at the smallest
tolerance that fits into the peer's time. Printed are the errors of both, the largest over 256
samples in nats, against 400 steps of RK4; and the median over rounds of our time over the peer's,
taking turns in one process. All in float64, without gradients by the parameters.

"linear" turns and stretches the plane, "fresh" is an MLP as it is initialised, "mixture" the exact
velocity of two wide normal components on the straight path, "learned" an MLP that has learned it,
"ring" the exact velocity of eight narrow components.

"exact" is the time of `log_prob` with the exact divergence over that of `sample`, 20 steps of RK4
each, for an MLP in d dimensions; "by hand" takes one gradient a coordinate as the peer does, and
"trace" is given the divergence.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch
from _turns import clock, rounds_asked_for
from torch import Tensor, nn
from torchdiffeq import odeint

from genmath.cnf import log_prob, sample, standard_normal
from genmath.flow_matching import cfm_loss
from genmath.nets import MLP
from genmath.paths import LinearPath
from genmath.solvers import Adaptive, FixedSteps, Solver
from genmath.toys import GaussianMixture

Field = Callable[[Tensor, Tensor], Tensor]
MIXTURE = GaussianMixture([0.3, 0.7], [[-1.0, 0.3], [0.8, -0.4]], std=[0.5, 0.7])


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def network(data: GaussianMixture, steps: int) -> Field:
    torch.manual_seed(0)
    # Without kinks: a divergence that jumps costs every solver its order.
    net, generator = MLP(2, activation=nn.Tanh), rng()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        cfm_loss(net, data.sample(256, generator=generator), generator=generator).backward()
        optimizer.step()
    return net.double().requires_grad_(False)


def exact(data: GaussianMixture) -> Field:
    path = LinearPath()
    return lambda x, t: data.velocity(x, *path.coefficients(t, x), *path.derivatives(t, x))


def peer(field: Field, x: Tensor, tolerance: float = 1e-5) -> Tensor:
    def rates(t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            z = state[0].detach().requires_grad_()
            velocity = field(z, t.expand(len(z)))
            trace = torch.zeros(len(z), dtype=z.dtype)
            for i in range(z.shape[1]):
                (row,) = torch.autograd.grad(velocity[:, i].sum(), z, create_graph=True)
                trace = trace + row[:, i]
        return velocity.detach(), trace.detach()

    start = (x, torch.zeros(len(x), dtype=x.dtype))
    times = torch.tensor([0.0, 1.0], dtype=x.dtype)
    with torch.no_grad():
        z, log_det = odeint(rates, start, times, rtol=tolerance, atol=tolerance, method="dopri5")
    return standard_normal(z[-1]) + log_det[-1]


@torch.no_grad()
def ours(field: Field, x: Tensor, solver: Solver) -> Tensor:
    return log_prob(field, x, solver)


def seconds(run: Callable[[], Tensor]) -> float:
    start = clock()
    run()
    return clock() - start


def median(run: Callable[[], Tensor], rounds: int = 5) -> float:
    return statistics.median(seconds(run) for _ in range(rounds))


def race(field: Field, x: Tensor, rounds: int) -> str:
    """The errors of the peer and of ours within its time, and the ratio of the times."""
    reference = ours(field, x, FixedSteps(400))

    def other() -> Tensor:
        return peer(field, x)

    limit, tolerance = 0.95 * median(other), 1e-3

    def mine() -> Tensor:
        return ours(field, x, Adaptive(tolerance, tolerance))

    while median(mine) < limit:
        tolerance /= 2
    tolerance *= 2

    ratios = []
    for i in range(rounds):
        taken = {run: seconds(run) for run in ((mine, other) if i % 2 else (other, mine))}
        ratios.append(taken[mine] / taken[other])
    theirs, own = ((run() - reference).abs().max().item() for run in (other, mine))
    return (
        f"dopri5 1e-5 {theirs:.1e}   ours {tolerance:.0e} {own:.1e}   "
        f"{theirs / own:6.1f} times more exact   time {statistics.median(ratios):.2f}"
    )


def exact_divergence(d: int, batch: int, rounds: int) -> str:
    """What the log-density takes in d dimensions, over a sample."""
    net = MLP(d, generator=rng()).requires_grad_(False)
    x = torch.randn(batch, d, generator=rng())

    @torch.no_grad()
    def drawn() -> Tensor:
        return sample(net, (batch, d), start=x)

    def by_hand(z: Tensor, t: Tensor) -> Tensor:
        with torch.enable_grad():
            at = z.detach().requires_grad_()
            velocity, trace = net(at, t), torch.zeros(len(z))
            for i in range(d):
                (row,) = torch.autograd.grad(velocity[:, i].sum(), at, retain_graph=True)
                trace += row[:, i]
        return trace

    @torch.no_grad()
    def density(**given: Field) -> Tensor:
        return log_prob(net, x, **given)

    runs = {
        "exact": density,
        "by hand": lambda: density(trace=by_hand),
        "trace": lambda: density(trace=lambda z, t: z[:, 0]),
    }
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(max(3, rounds // 7)):
        base = seconds(drawn)
        for name, run in runs.items():
            taken[name].append(seconds(run) / base)
    return "   ".join(f"{name} {statistics.median(found):5.1f}" for name, found in taken.items())


def main() -> None:
    rounds = rounds_asked_for(__doc__)
    ring = GaussianMixture.ring(8, 2.0, 0.2)
    turn = torch.tensor([[0.5, -2.0], [2.0, -0.3]], dtype=torch.float64)
    fields: dict[str, tuple[GaussianMixture, Field]] = {
        "linear": (MIXTURE, lambda x, t: x @ turn.T),
        "fresh": (MIXTURE, network(MIXTURE, 0)),
        "mixture": (MIXTURE, exact(MIXTURE)),
        "learned": (MIXTURE, network(MIXTURE, 1500)),
        "ring": (ring, exact(ring)),
    }
    for name, (data, field) in fields.items():
        x = data.sample(256, generator=rng(), dtype=torch.float64)
        print(f"{name:8} {race(field, x, rounds)}", flush=True)
    for batch in (64, 256):
        for d in (32, 64):
            print(f"d = {d}, {batch:3} samples: {exact_divergence(d, batch, rounds)}", flush=True)


if __name__ == "__main__":
    main()
