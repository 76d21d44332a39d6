"""Solvers of dx/dt = model(x, t), and the flow of such a field by them.

A solver is data: so many steps of a method, or an error to keep below. A field is called as
model(x, t) with t (B,), and returns the velocity, shaped like x. The samples of a batch must not
meet inside the field (no batch norm): its divergence is taken for all at once.

    moved = carry(model, x, FixedSteps(20, MIDPOINT), start=1.0, end=0.0)
    moved, log_det = transport(model, x, Adaptive(1e-6))

`genmath.cnf` and `genmath.sde` turn the log-determinant into densities.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from genmath._base.batch import sum_event, work_dtype
from genmath._base.checks import (
    all_finite,
    apart,
    batched,
    describe,
    function,
    instance,
    integer,
    listed,
    positive,
    real,
    refuse,
    same_shape,
)
from genmath._base.draws import Generators, draw_, rngs
from genmath._base.shapes import Data, PerSample
from genmath._base.slopes import divergence
from genmath._base.steps import Model, call, check_start, one_each
from genmath._base.torch import Tensor, torch

__all__ = [
    "DOPRI5",
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

State = tuple[Tensor, ...]  # the place, and the log-determinant where it is wanted
Rate = Callable[[float, Tensor, bool], State]
Spread = Callable[[float, Tensor], Tensor]  # the divergence
Trace = Callable[[Tensor, Tensor], Tensor]


# Solvers


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method as data: slopes at a few places, and their weighted mean.

    Slope i is taken at time t + c_i h and place x + h Σ_j a_ij slope_j, the step is h Σ_i b_i
    slope_i: a_ij are the rows of ``stages``, b_i the ``weights``, c_i the ``nodes``. With e_i the
    ``errors``, h Σ_i e_i slope_i is the difference to a step of a lower order.

    Result: cnf.steps
    Errors: ValueError unless slope i uses the i slopes before it, with coefficients that sum to
        its node, the weights sum to one, and the errors, one a weight, to zero.
    Source: Hairer, Nørsett, Wanner 1993, definition II.1.1, and section II.4 for the errors.
    """

    stages: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    order: int
    errors: tuple[float, ...] = ()

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
        if isinstance(self.errors, tuple) and not self.errors:
            return
        wanted = f"(), or {len(weights)} numbers that sum to zero"
        errors = _row("errors", self.errors, wanted)
        if len(errors) != len(weights) or abs(math.fsum(errors)) > 1e-12:
            refuse("errors", describe(self.errors), wanted)

    @property
    def nodes(self) -> tuple[float, ...]:
        """When the slopes are taken, in steps: the sums of the rows of ``stages``."""
        return tuple(map(math.fsum, self.stages))

    @property
    def goes_on(self) -> bool:
        """Whether the last slope is taken where the step ends, and so is the first of the next."""
        return len(self.weights) > 1 and (*self.stages[-1], 0.0) == tuple(self.weights)


def _row(name: str, row: object, wanted: str) -> list[float]:
    return [real(name, number, wanted, -math.inf) for number in listed(name, row, wanted)]


EULER = Tableau(((),), (1.0,), 1)
MIDPOINT = Tableau(((), (1 / 2,)), (0.0, 1.0), 2)
RK4 = Tableau(((), (1 / 2,), (0.0, 1 / 2), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6), 4)


DOPRI5 = Tableau(
    (
        (),
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    ),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0.0),
    5,
    (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40),
)


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
    """Steps as long as an estimate of the error of *one* step allows, by a tableau that has one.

    The estimate is the root mean square over an event, and the log-determinant's apart, against
    atol + rtol · size. The sample of the batch that is worst decides: all take the same steps.
    Gradients pass through the steps that were taken, and not through the choice of their lengths.

    Errors: ValueError for a tableau without ``errors``, or unless rtol, atol > 0, max_calls >= 1.
    Source: Dormand, Prince 1980, table 2; Hairer, Nørsett, Wanner 1993, section II.4.
    """

    rtol: float = 1e-5
    atol: float = 1e-5
    tableau: Tableau = DOPRI5
    max_calls: int = 10_000

    def __post_init__(self) -> None:
        positive("rtol", self.rtol)
        positive("atol", self.atol)
        instance("tableau", self.tableau, Tableau, "a Tableau, such as DOPRI5")
        if not self.tableau.errors:
            refuse("tableau", "one without errors", "one that estimates its own, such as DOPRI5")
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
    trace: Trace | None = None,
    probe: Data | None = None,
    generator: Generators | None = None,
) -> Moved:
    """Carry x along the flow of the field, and integrate the divergence on the way.

    The divergence is exact, with one backward pass for each of the d numbers of an event; or, given
    a ``probe`` w or a ``generator``, estimated as w·∂(w·model)/∂x, with one. The log-determinant is
    then right on average over w, if E[w wᵀ] = I. One w a sample is kept all along the way; a
    generator draws random signs. A divergence known in closed form is what ``trace(x, t)`` returns,
    one number a sample; it is taken at its word. With steps of order 3 or 4 it is integrated by
    Simpson's rule along the path, from two divergences a step.

    Result: cnf.log_determinant, cnf.hutchinson, cnf.steps
    Shapes: x and probe (B, …) alike; log_det (B,) in nats. Both are differentiable by x and by the
        parameters of the model, through every step, unless called under ``torch.no_grad()``. The
        dtype follows x, with the state in float32 at least.
    Options: from ``start`` to ``end``, in either direction.
    Errors: ValueError for what does not fit, an x that is not finite, a field or a state that is
        not finite on the way, or an `Adaptive` solver that gets stuck or needs too many calls.
    Source: Chen et al. 2018, theorem 1; the estimate: Grathwohl et al. 2019, equation 8.
    """
    if trace is not None:
        function("trace", trace)
        if probe is not None or generator is not None:
            refuse("trace", "one beside a probe or a generator", "one of the three, or none")
    if generator is not None:
        if probe is not None:
            refuse("probe, generator", "both", "at most one")
        probe = torch.empty_like(batched("x", x), dtype=work_dtype(x))
        rngs(generator, len(x), x.device)
        probe = draw_(probe, generator, "bernoulli_").mul_(2).sub_(1)
    elif probe is not None:
        same_shape("probe", probe, "x", batched("x", x))
        probe = probe.to(work_dtype(x))
    moved, log_det = _solve(model, x, solver, start, end, probe, trace, True)
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
    return _solve(model, x, solver, start, end, None, None, False)[0]


# The engine


def _solve(
    model: Model,
    x: Tensor,
    solver: Solver,
    start: float,
    end: float,
    probe: Tensor | None,
    trace: Trace | None,
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
    rate, spread = _rates(model, x.dtype, probe, trace)
    if isinstance(solver, FixedSteps):
        state = _fixed(rate, spread, state, solver, start, end)
    elif isinstance(solver, Adaptive):
        state = _adaptive(rate, state, solver, start, end)
    else:
        refuse("solver", describe(solver), "FixedSteps(20), or Adaptive(1e-5)")
    return tuple(part.to(x.dtype) for part in state)


def _rates(
    model: Model, dtype: torch.dtype, probe: Tensor | None, trace: Trace | None
) -> tuple[Rate, Spread]:
    """The field at a time and a place, and where it is wanted its divergence; and that alone."""
    keep = torch.is_grad_enabled()

    def when(t: float, x: Tensor) -> Tensor:
        return torch.full((), t, dtype=x.dtype, device=x.device).expand(len(x))

    def given(t: float, x: Tensor) -> Tensor:
        assert trace is not None
        return one_each("trace output", trace(x.to(dtype), when(t, x)), x).to(x.dtype)

    def rate(t: float, x: Tensor, with_divergence: bool) -> State:
        if trace is not None or not with_divergence:
            out = call(model, x.to(dtype), when(t, x)).to(x.dtype)
            return (out, given(t, x)) if with_divergence else (out,)
        with torch.enable_grad():
            at = x.to(dtype) if keep and x.requires_grad else x.detach().to(dtype).requires_grad_()
            out = call(model, at, when(t, x)).to(x.dtype)
            spread = divergence(out, at, probe, keep=keep)
        return (out, spread) if keep else (out.detach(), spread.detach())

    return rate, (lambda t, x: rate(t, x, True)[1]) if trace is None else given


def _fixed(
    rate: Rate, spread: Spread, state: State, solver: FixedSteps, start: float, end: float
) -> State:
    h, method = (end - start) / solver.steps, solver.tableau
    simpson = len(state) > 1 and 3 <= method.order <= 4
    rates: list[State] = []
    for done in range(solver.steps):
        t, after = start + done * h, start + (done + 1) * h
        if simpson:
            state, rates = _by_simpson(rate, spread, state, t, after, method, rates)
        else:
            state, rates = _step(rate, state, t, after, method, rates[-1:] * method.goes_on)
        _check(state, after)
    return state


def _by_simpson(
    rate: Rate,
    spread: Spread,
    state: State,
    t: float,
    after: float,
    method: Tableau,
    first: list[State],
) -> tuple[State, list[State]]:
    """A step that takes two divergences, where the tableau takes one with each of its slopes.

    The log-determinant is an integral along the path, and Simpson's rule for it of order 4: it
    needs the ends of the step, and its middle by the cubic with the places and slopes of both ends.
    """
    x, log_det = state
    h, first = after - t, first or [rate(t, x, True)]
    (moved,), _ = _step(rate, (x,), t, after, method, first)
    last = rate(after, moved, True)
    middle = (x + moved) / 2 + (first[0][0] - last[0]) * (h / 8)
    spreads = first[0][1], spread((t + after) / 2, middle), last[1]
    return (moved, _ahead(log_det, h, (1 / 6, 2 / 3, 1 / 6), spreads)), [last]


def _step(
    rate: Rate, state: State, t: float, after: float, method: Tableau, first: list[State]
) -> tuple[State, list[State]]:
    """The state a step later, and the rates it comes from, the ``first`` of which may be known."""
    x, *log_det = state
    h, rates = after - t, first
    slopes: list[Tensor] = []
    errors = method.errors or method.weights
    stages = zip(method.nodes, method.stages, method.weights, errors, strict=True)
    for i, (node, row, weight, error) in enumerate(stages):
        if i == len(rates):
            when = after if node == 1.0 else t + node * h
            # A divergence without a weight is not taken.
            wanted = bool(log_det and (weight or error or (i == 0 and method.goes_on)))
            rates = [*rates, rate(when, _ahead(x, h, row, slopes), wanted)]
        slopes.append(rates[i][0])
    x = _ahead(x, h, method.weights, slopes)
    return (x, *(_mean_ahead(part, h, method.weights, rates) for part in log_det)), rates


def _ahead(x: Tensor, h: float, weights: Sequence[float], slopes: Sequence[Tensor]) -> Tensor:
    ours = False  # a tensor that nobody else sees
    for weight, slope in zip(weights, slopes, strict=True):
        if weight:
            x = x.add_(slope, alpha=h * weight) if ours else torch.add(x, slope, alpha=h * weight)
            ours = True
    return x


def _mean_ahead(part: Tensor, h: float, weights: Sequence[float], rates: list[State]) -> Tensor:
    taken = [(w, rate[1]) for w, rate in zip(weights, rates, strict=True) if w]
    return _ahead(part, h, *zip(*taken, strict=True))


def _adaptive(rate: Rate, state: State, solver: Adaptive, start: float, end: float) -> State:
    if state[0].numel() == 0:
        return state  # there is nothing whose error could be measured
    calls, last = 0, start

    def counted(t: float, x: Tensor, with_divergence: bool) -> State:
        nonlocal calls, last
        calls, last = calls + 1, t
        if calls > solver.max_calls:
            used = f"{solver.max_calls} calls of the model by t = {last:.6g}, and no end"
            refuse("solver", used, "an easier field, a larger tolerance, or a larger max_calls")
        return rate(t, x, with_divergence)

    method, span = solver.tableau, end - start
    t, share = start, min(0.1, solver.rtol ** (1 / method.order))
    found, first = state, list[State]()
    while t != end:
        left = abs((end - t) / span)
        # The last two steps share what is left, so that none is tiny.
        share = left if left <= 1.001 * share else min(share, left / 2)
        after = end if share == left else t + share * span
        if after == t or share < 1e-12:
            _check(found, last)
            stuck = f"one that stops the solver near t = {t:.6g} (underflow of its steps)"
            refuse("model", stuck, FINITE)
        found, rates = _step(counted, state, t, after, method, first)
        error = _error(state, found, rates, after - t, solver)
        if error <= 1.0:
            t, state, first = after, found, rates[-1:] * method.goes_on
        else:
            first = rates[:1]  # a shorter step begins alike
        change = 0.9 * error ** (-1 / method.order) if error > 0.0 else 10.0
        share *= min(max(change, 0.2), 10.0) if math.isfinite(error) else 0.2
    _check(state, end)
    return state


@torch.no_grad()
def _error(before: State, after: State, rates: list[State], h: float, solver: Adaptive) -> float:
    """The estimated error of a step over what is allowed, of the worst sample; NaN where it is."""
    worst = 0.0
    for i, (old, new) in enumerate(zip(before, after, strict=True)):
        taken = [(e, r[i]) for e, r in zip(solver.tableau.errors, rates, strict=True) if e]
        difference = _ahead(torch.zeros_like(new), h, *zip(*taken, strict=True))
        allowed = torch.maximum(old.abs(), new.abs()).mul_(solver.rtol).add_(solver.atol)
        relative = difference.div_(allowed).reshape(len(new), -1)
        found = torch.linalg.vector_norm(relative, dim=1).amax().item()
        worst = max(worst, found / math.sqrt(relative.shape[1])) if found == found else math.nan
    return worst


FINITE = "a smooth field whose flow stays finite from start to end"


def _check(parts: State, t: float) -> None:
    for part in parts:
        if not all_finite(part):
            bad = sum_event((~part.isfinite()).long(), 1).count_nonzero().item()
            where = f"a value that is not finite by t = {t:.6g}, in {bad} of {len(part)} samples"
            refuse("model", where, FINITE)
