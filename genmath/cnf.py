"""Continuous flows: what becomes of the density of points that a field carries.

A field is called as model(x, t) with t (B,), and returns the velocity, shaped like x. Time runs
from data at 0 to noise at 1; `log_prob` goes that way and `sample` the other. The samples of a
batch must not meet inside the field (no batch norm): its divergence is taken for all at once.
The flow itself, and its solvers, are in `genmath.solvers`.

    nats = log_prob(model, x)  # RK4, 20 steps, exact divergence
    nats = log_prob(model, x, FixedSteps(40), generator=generator)  # estimated divergence
    nats = log_prob(model, x, Adaptive(1e-6))  # steps as long as allowed
    (-nats.mean()).backward()

What a network has learned by `genmath.flow_matching.cfm_loss` is such a field.
"""

from __future__ import annotations

from collections.abc import Callable

from genmath._base.batch import sum_event, work_dtype
from genmath._base.checks import batched, function, refuse
from genmath._base.draws import Generators, normal, rngs
from genmath._base.normal import log_normal
from genmath._base.shapes import Data, PerSample
from genmath._base.steps import Model, check_start, one_each
from genmath._base.torch import torch
from genmath.solvers import TWENTY, Solver, Trace, carry, transport

__all__ = ["log_prob", "sample", "standard_normal"]

Prior = Callable[[Data], PerSample]


def standard_normal(x: Data) -> PerSample:
    """log N(x; 0, I) in nats.

    Shapes: x (B, …) gives (B,), in the dtype of x.
    """
    wide = batched("x", x).to(work_dtype(x))
    return sum_event(log_normal(wide), 1).to(x.dtype)


def log_prob(
    model: Model,
    x: Data,
    solver: Solver = TWENTY,
    *,
    start: float = 0.0,
    end: float = 1.0,
    prior: Prior = standard_normal,
    trace: Trace | None = None,
    probe: Data | None = None,
    generator: Generators | None = None,
) -> PerSample:
    """log p(x) in nats: the log-density of the prior where x ends up, plus the log-determinant.

    Exact but for the steps, and unbiased with an estimated divergence. The density itself, exp of
    this, is then too large on average.

    Result: cnf.instantaneous, cnf.linear, cnf.exponentiated
    Shapes: x (B, …) gives (B,), with gradients as `genmath.solvers.transport` has them.
    Options: x is given at ``start`` and carried to ``end``, in either direction. ``prior`` takes x
        at the end and returns (B,).
    Errors: as for `genmath.solvers.transport`; ValueError for a prior of another shape.
    Source: Chen et al. 2018, theorem 1; Grathwohl et al. 2019, equation 4.
    """
    z, log_det = transport(
        model, x, solver,
        start=start, end=end, trace=trace, probe=probe, generator=generator,
    )  # fmt: skip
    function("prior", prior)
    return one_each("prior output", prior(z), z) + log_det


def sample(
    model: Model,
    shape: tuple[int, ...],
    solver: Solver = TWENTY,
    *,
    generator: Generators | None = None,
    start: Data | None = None,
    dtype: torch.dtype = torch.float32,
) -> Data:
    """Carry noise at t = 1 to data at t = 0; no divergence is computed.

    For their log-density as well, `genmath.solvers.transport` noise from 1 to 0 and subtract the
    log-determinant.

    Result: cnf.instantaneous
    Shapes: x of the shape, (B, …), with gradients as `genmath.solvers.transport` has them. The
        noise is ``start``, or standard normal from the generator, on whose device x then is.
    Errors: as for `genmath.solvers.transport`, or unless exactly one of ``generator`` and ``start``
        is given.
    """
    if (generator is None) == (start is None):
        refuse("generator, start", "neither" if start is None else "both", "exactly one of the two")
    shape = check_start(shape, dtype, "start", start)
    if start is None:
        assert generator is not None
        work = torch.float64 if dtype == torch.float64 else torch.float32
        start = normal(shape, generator, work, rngs(generator, shape[0]))
    return carry(model, start.to(dtype), solver, start=1.0, end=0.0)
