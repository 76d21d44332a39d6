"""The log-density of a continuous flow: how exact it is for the time it takes.

    python benchmarks/cnf.py

The peer is what one would write with torchdiffeq: dopri5 with rtol = atol = 1e-5, and one gradient
a coordinate for the trace. Ours is `genmath.cnf.log_prob` with RK4, and as many steps as fit into
the peer's time. Printed are the errors of both, the largest over 256 samples in nats, against 400
steps; and the median over rounds of our time over the peer's, taking turns in one process. All in
float64, without gradients by the parameters.

"linear" turns and stretches the plane, "fresh" is an MLP as it is initialised, "mixture" the exact
velocity of two wide normal components on the straight path, "learned" an MLP that has learned it,
"ring" the exact velocity of eight narrow components. Even steps gain most where the field is
gentle; where it changes fast in one place, an adaptive solver saves its steps elsewhere.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from _turns import rounds_asked_for
from torch import Tensor, nn
from torchdiffeq import odeint

from genmath.cnf import log_prob, standard_normal
from genmath.flow_matching import cfm_loss
from genmath.nets import MLP
from genmath.paths import LinearPath
from genmath.solvers import FixedSteps
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
def ours(field: Field, x: Tensor, steps: int) -> Tensor:
    return log_prob(field, x, FixedSteps(steps))


def seconds(run: Callable[[], Tensor]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def race(field: Field, x: Tensor, rounds: int) -> str:
    """The errors of the peer and of ours within its time, and the ratio of the times."""
    reference = ours(field, x, 400)

    def other() -> Tensor:
        return peer(field, x)

    def median(run: Callable[[], Tensor]) -> float:
        return statistics.median(seconds(run) for _ in range(5))

    steps = max(1, int(0.95 * median(other) / median(lambda: ours(field, x, 10)) * 10))

    def mine() -> Tensor:
        return ours(field, x, steps)

    ratios = []
    for i in range(rounds):
        taken = {run: seconds(run) for run in ((mine, other) if i % 2 else (other, mine))}
        ratios.append(taken[mine] / taken[other])
    theirs, own = ((run() - reference).abs().max().item() for run in (other, mine))
    return (
        f"dopri5 1e-5 {theirs:.1e}   RK4 x {steps:<3} {own:.1e}   "
        f"{theirs / own:6.0f} times more exact   time {statistics.median(ratios):.2f}"
    )


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


if __name__ == "__main__":
    main()
