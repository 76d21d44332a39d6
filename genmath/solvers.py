"""Solvers of dx/dt = model(x, t), and the flow of such a field by them.

A solver is data: so many steps of a method, or an error to keep below. A field is called as
model(x, t) with t (B,), and returns the velocity, shaped like x. The samples of a batch must not
meet inside the field (no batch norm): its divergence is taken for all at once.

    moved = carry(model, x, FixedSteps(20, MIDPOINT), start=1.0, end=0.0)
    moved, log_det = transport(model, x, Adaptive(1e-6))  # needs torchdiffeq

`genmath.cnf` and `genmath.sde` turn the log-determinant into densities.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from genmath._base.batch import sum_event, work_dtype
from genmath._base.checks import (
    apart,
    batched,
    describe,
    function,
    instance,
    integer,
    listed,
    one_of,
    positive,
    real,
    refuse,
    same_shape,
)
from genmath._base.draws import Generators, draw_, rngs
from genmath._base.shapes import Data, PerSample
from genmath._base.slopes import divergence
from genmath._base.steps import Model, call, check_start
from genmath._base.torch import Tensor, torch

__all__ = [
    "EULER",
    "MIDPOINT",
    "RK4",
    "TWENTY",
    "Adaptive",
    "FixedSteps",
    "Moved",
    "Solver",
    "Tableau",
    "carry",
    "transport",
]

METHODS = ("dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun")
State = tuple[Tensor, ...]  # the place, and the log-determinant where it is wanted
Rate = Callable[[float, Tensor, bool], State]


# Solvers


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method as data: slopes at a few places, and their weighted mean.

    Slope i is taken at time t + c_i h and place x + h Σ_j a_ij slope_j, the step is h Σ_i b_i
    slope_i: a_ij are the rows of ``stages``, b_i the ``weights``, c_i the ``nodes``.

    Result: cnf.steps
    Errors: ValueError unless slope i uses the i slopes before it, which sum to its node, and the
        weights sum to one.
    Source: Hairer, Nørsett, Wanner 1993, definition II.1.1.
    """

    stages: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    order: int

    def __post_init__(self) -> None:
        weights = _row("weights", self.weights, "a tuple of numbers that sum to one")
        if not weights:
            refuse("weights", describe(self.weights), "a tuple of numbers that sum to one")
        wanted = f"{len(weights)} rows, of 0, 1, 2, … numbers"
        rows = [_row("stages", row, wanted) for row in listed("stages", self.stages, wanted)]
        if [len(row) for row in rows] != list(range(len(weights))):
            refuse("stages", describe(self.stages), wanted)
        if not math.isclose(sum(self.weights), 1.0, rel_tol=1e-12):
            refuse("weights", describe(self.weights), "numbers that sum to one")
        integer("order", self.order, 1)

    @property
    def nodes(self) -> tuple[float, ...]:
        """When the slopes are taken, in steps: the sums of the rows of ``stages``."""
        return tuple(map(sum, self.stages))


def _row(name: str, row: object, wanted: str) -> list[float]:
    return [real(name, number, wanted, -math.inf) for number in listed(name, row, wanted)]


EULER = Tableau(((),), (1.0,), 1)
MIDPOINT = Tableau(((), (1 / 2,)), (0.0, 1.0), 2)
RK4 = Tableau(((), (1 / 2,), (0.0, 1 / 2), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6), 4)


@dataclass(frozen=True)
class FixedSteps:
    """Steps of one length. The error shrinks with the power ``tableau.order`` of that length.

    Nothing measures it: where the exact flow would leave for infinity between two steps, these may
    step over the place and end at large, finite values. Compare with twice as many.

    Errors: ValueError for steps < 1 or no `Tableau`.
    """

    steps: int
    tableau: Tableau = RK4

    def __post_init__(self) -> None:
        integer("steps", self.steps, 1)
        instance("tableau", self.tableau, Tableau, "a Tableau, such as RK4")


@dataclass(frozen=True)
class Adaptive:
    """torchdiffeq's steps: as long as an estimate of the error of *one* step allows.

    The estimate is a root mean square over the batch, place and log-determinant apart, against
    atol + rtol · size. All samples take the same steps.

    Errors: ValueError for another method, or unless rtol, atol > 0 and max_calls >= 1; ImportError,
        when it is used, without torchdiffeq.
    """

    rtol: float = 1e-5
    atol: float = 1e-5
    method: str = "dopri5"
    max_calls: int = 10_000

    def __post_init__(self) -> None:
        one_of("method", self.method, METHODS)
        positive("rtol", self.rtol)
        positive("atol", self.atol)
        integer("max_calls", self.max_calls, 1)


Solver = FixedSteps | Adaptive
TWENTY = FixedSteps(20)


# Flows


class Moved(NamedTuple):
    """Where the flow has carried x, and log |det ∂ moved/∂x|."""

    x: Data
    log_det: PerSample


def transport(
    model: Model,
    x: Data,
    solver: Solver = TWENTY,
    *,
    start: float = 0.0,
    end: float = 1.0,
    probe: Data | None = None,
    generator: Generators | None = None,
) -> Moved:
    """Carry x along the flow of the field, and integrate the divergence on the way.

    The divergence is exact, with one backward pass for each of the d numbers of an event; or, given
    a ``probe`` w or a ``generator``, estimated as w·∂(w·model)/∂x, with one. The log-determinant is
    then right on average over w, if E[w wᵀ] = I. One w a sample is kept all along the way; a
    generator draws random signs.

    Result: cnf.log_determinant, cnf.hutchinson
    Shapes: x and probe (B, …) alike; log_det (B,) in nats. Both are differentiable by x and by the
        parameters of the model, through every step, unless called under ``torch.no_grad()``. The
        dtype follows x, with the state in float32 at least.
    Options: from ``start`` to ``end``, in either direction.
    Errors: ValueError for what does not fit, an x that is not finite, a field or a state that is
        not finite on the way, or an `Adaptive` solver that gets stuck or needs too many calls.
    Source: Chen et al. 2018, theorem 1; the estimate: Grathwohl et al. 2019, equation 8.
    """
    if generator is not None:
        if probe is not None:
            refuse("probe, generator", "both", "at most one")
        probe = torch.empty_like(batched("x", x), dtype=work_dtype(x))
        rngs(generator, len(x), x.device)
        probe = draw_(probe, generator, "bernoulli_").mul_(2).sub_(1)
    elif probe is not None:
        same_shape("probe", probe, "x", batched("x", x))
        probe = probe.to(work_dtype(x))
    moved, log_det = _solve(model, x, solver, start, end, probe, True)
    return Moved(moved, log_det)


def carry(
    model: Model,
    x: Data,
    solver: Solver = TWENTY,
    *,
    start: float = 0.0,
    end: float = 1.0,
) -> Data:
    """Carry x along the flow of the field; no divergence is computed.

    Shapes: x (B, …), and like it; with gradients as `transport` has them.
    Options: from ``start`` to ``end``, in either direction.
    Errors: as for `transport`.
    Source: Chen et al. 2018, section 2.
    """
    return _solve(model, x, solver, start, end, None, False)[0]


# The engine


def _solve(
    model: Model,
    x: Tensor,
    solver: Solver,
    start: float,
    end: float,
    probe: Tensor | None,
    with_det: bool,
) -> State:
    check_start(tuple(batched("x", x).shape), x.dtype, "x", x)
    start, end = (real(n, t, "a number", -math.inf) for n, t in (("start", start), ("end", end)))
    if start == end:
        refuse("end", end, f"another time than start = {start:g}")
    state: State = (x.to(work_dtype(x)),)
    if with_det:
        state = (*state, torch.zeros(len(x), dtype=state[0].dtype, device=x.device))
    function("model", model)
    if with_det:
        apart("model", model)
    rate = _rate(model, x.dtype, probe)
    if isinstance(solver, FixedSteps):
        state = _fixed(rate, state, solver, start, end)
    elif isinstance(solver, Adaptive):
        state = _adaptive(rate, state, solver, start, end)
    else:
        refuse("solver", describe(solver), "FixedSteps(20), or Adaptive(1e-5)")
    return tuple(part.to(x.dtype) for part in state)


def _rate(model: Model, dtype: torch.dtype, probe: Tensor | None) -> Rate:
    """The field at a time and a place, and where it is wanted its divergence."""
    keep = torch.is_grad_enabled()

    def rate(t: float, x: Tensor, with_divergence: bool) -> State:
        label = torch.full((), t, dtype=x.dtype, device=x.device).expand(len(x))
        if not with_divergence:
            return (call(model, x.to(dtype), label).to(x.dtype),)
        with torch.enable_grad():
            at = x.to(dtype) if keep and x.requires_grad else x.detach().to(dtype).requires_grad_()
            out = call(model, at, label).to(x.dtype)
            spread = divergence(out, at, probe, keep=keep)
        return (out, spread) if keep else (out.detach(), spread.detach())

    return rate


def _fixed(rate: Rate, state: State, solver: FixedSteps, start: float, end: float) -> State:
    method, h = solver.tableau, (end - start) / solver.steps
    x, *log_det = state
    for done in range(solver.steps):
        t = start + done * h
        slopes: list[Tensor] = []
        for node, row, weight in zip(method.nodes, method.stages, method.weights, strict=True):
            # A divergence without a weight is not taken.
            slope, *spread = rate(t + node * h, _ahead(x, h, row, slopes), bool(log_det and weight))
            slopes.append(slope)
            if spread:
                log_det = [log_det[0] + h * weight * spread[0]]
        x = _ahead(x, h, method.weights, slopes)
        _check((x, *log_det), t + h)
    return (x, *log_det)


def _ahead(x: Tensor, h: float, weights: tuple[float, ...], slopes: list[Tensor]) -> Tensor:
    for weight, slope in zip(weights, slopes, strict=True):
        if weight:
            x = torch.add(x, slope, alpha=h * weight)
    return x


def _adaptive(rate: Rate, state: State, solver: Adaptive, start: float, end: float) -> State:
    try:
        from torchdiffeq import odeint
    except ModuleNotFoundError as missing:
        if missing.name != "torchdiffeq":
            raise
        raise ImportError(
            "torchdiffeq is not installed; run: pip install torchdiffeq", name="torchdiffeq"
        ) from None
    if state[0].numel() == 0:
        return state  # the mean error of no sample is not a number
    calls, last = 0, start

    def field(t: Tensor, state: State) -> State:
        nonlocal calls, last
        calls, last = calls + 1, t.item()
        if calls > solver.max_calls:
            used = f"{solver.max_calls} calls of the model by t = {last:.6g}, and no end"
            refuse("solver", used, "an easier field, a larger tolerance, or a larger max_calls")
        rates = rate(last, state[0], len(state) > 1)
        _check(rates, last)
        return rates

    # Left to itself torchdiffeq derives the first step from the field, by operations that the
    # gradient then flows through: that made it wrong by 1e-4 where the value was right to 1e-9.
    times = torch.tensor([start, end], dtype=torch.float64, device=state[0].device)
    try:
        ends = odeint(
            field, state, times, rtol=solver.rtol, atol=solver.atol, method=solver.method,
            options={"first_step": abs(end - start) / 100},
        )  # fmt: skip
    except AssertionError as stuck:  # how torchdiffeq says that a step has shrunk to nothing
        refuse("model", f"one that stops the solver near t = {last:.6g} ({stuck})", FINITE)
    state = tuple(part[-1] for part in ends)
    _check(state, end)
    return state


FINITE = "a smooth field whose flow stays finite from start to end"


def _check(parts: State, t: float) -> None:
    for part in parts:
        if not bool(part.isfinite().all()):
            bad = sum_event((~part.isfinite()).long(), 1).count_nonzero().item()
            where = f"a value that is not finite by t = {t:.6g}, in {bad} of {len(part)} samples"
            refuse("model", where, FINITE)
