"""Flow matching: lines from data to noise, the loss on their velocities, pairings, and reflow.

Data at t = 0 and noise at t = 1, so a velocity points from data to noise and a sampler walks
against it. A model is called as model(x_t, t) with t (B,) and predicts the "velocity". "Noise" is
whatever stands at t = 1: samples of any source density will do.

    noise = torch.randn(x0.shape, generator=generator)
    noise = noise[ot_pairing(x0, noise)]  # or leave this line out
    loss = cfm_loss(model, x0, noise=noise, generator=generator)
    x0 = sample(model, shape, LinearPath(), Heun(), steps=20, prediction="velocity", ...)
"""

from __future__ import annotations

from typing import NamedTuple, cast

from genmath._base.batch import per_sample, sum_event, work_dtype
from genmath._base.checks import (
    batched,
    describe,
    finite,
    floating,
    integer,
    positive,
    real,
    refuse,
    rng,
    same_shape,
    some,
)
from genmath._base.draws import Generators, draw_, rngs
from genmath._base.shapes import Array, Data, PerSample, Scalar, Time
from genmath._base.steps import Model, call, check_draws, check_path, one_noise
from genmath._base.torch import Int, Tensor, nn, torch
from genmath._base.transport import distances, permutation
from genmath.paths import LinearPath, Path
from genmath.samplers import Heun, Sampler, sample

__all__ = [
    "Line",
    "Pairs",
    "cfm_loss",
    "conditional_path",
    "ot_pairing",
    "path_energy",
    "random_pairing",
    "reflow_pairs",
]

Permutation = Int[Tensor, "batch"]
STRAIGHT = LinearPath()
HEUN = Heun()


class Line(NamedTuple):
    """Where the line of a pair (x_0, noise) is at time t, and its velocity there."""

    x_t: Data
    velocity: Data


class Pairs(NamedTuple):
    """Data and noise, row by row; what `reflow_pairs` makes and `cfm_loss` can be trained on."""

    x0: Data
    noise: Data


# Lines


def conditional_path(
    x0: Data,
    noise: Data,
    t: Time,
    path: Path = STRAIGHT,
    *,
    spread: float = 0.0,
    generator: Generators | None = None,
) -> Line:
    """x_t = alpha x_0 + sigma noise and d x_t/dt = d_alpha x_0 + d_sigma noise, of each pair.

    On the `LinearPath` the velocity is noise - x_0. With a ``spread`` x_t is drawn around the line
    with that standard deviation; the velocity stays that of the line, as the whole tube moves.

    Result: flow_matching.conditional_velocity, flow_matching.rectified_flow
    Shapes: x0 and noise alike, (B,) to (B, C, H, W) and beyond; t a number or (B,). The dtype
        follows x0, whatever that of t.
    Errors: ValueError for shapes that differ, a t outside [0, 1] (numbers) or that is not one a
        sample, spread < 0, or unless a generator is given exactly where there is a spread.
    Source: Lipman et al. 2023, theorem 3; Liu, Gong, Liu 2023, equation 1; the spread: Tong et al.
        2024, equations 14 and 15.
    """
    check_path(path)
    line = Line(*path.line(x0, noise, t))
    spread = real("spread", spread, "a number >= 0", 0.0)
    if not spread:
        if generator is not None:
            refuse("generator", generator, "None: without a spread nothing is drawn")
        return line
    work = work_dtype(x0)
    rngs(generator, len(x0), x0.device)
    around = draw_(torch.empty_like(line.x_t, dtype=work), cast(Generators, generator))
    return line._replace(x_t=(line.x_t.to(work) + spread * around).to(x0.dtype))


def cfm_loss(
    model: Model,
    x0: Data,
    path: Path = STRAIGHT,
    *,
    t: Time | None = None,
    noise: Data | None = None,
    generator: Generators | None = None,
    spread: float = 0.0,
    weight: float | PerSample = 1.0,
) -> Scalar:
    """weight · ‖model(x_t, t) - velocity‖², summed over the event and averaged over the batch.

    The conditional flow matching loss: against the velocities of single lines, where the marginal
    one would need their mean at x_t. What is not given is drawn: standard normal noise, and times
    uniform on [0, 1]. For other times see `logit_normal_time` and `shift_time`. With a ``spread``
    each x_t is drawn around its line with that standard deviation, and the velocity stays that of
    the line, as in `conditional_path`.

    Result: flow_matching.cfm_loss, flow_matching.equal_gradients
    Shapes: x0 and noise (B, …) alike; t a number or (B,); weight a number or one a sample. The
        dtype follows x0.
    Errors: ValueError for an empty batch, shapes that differ, spread < 0, or unless a generator is
        given exactly where something is drawn.
    Source: Lipman et al. 2023, equation 9; Liu, Gong, Liu 2023, equation 1; the spread, their σ:
        Tong et al. 2024, equations 14 and 15.
    """
    some("x0", x0)
    spread = real("spread", spread, "a number >= 0", 0.0)
    check_draws(generator, x0, t, noise, bool(spread))
    work = work_dtype(x0)
    noise = one_noise(noise, generator if noise is None else None, x0, "x0")
    if t is None:
        t = torch.empty(len(x0), dtype=work, device=x0.device)
        draw_(t, cast(Generators, generator), "uniform_")
    around = generator if spread else None
    line = conditional_path(x0, noise, t, path, spread=spread, generator=around)
    if not isinstance(t, Tensor):
        t = torch.tensor(t, dtype=work, device=x0.device)
    out = call(model, line.x_t, t if t.ndim else t.expand(len(x0)))
    pair = out.to(work), line.velocity.to(work)
    if isinstance(weight, Tensor):
        errors = sum_event((pair[0] - pair[1]) ** 2, 1)
        return (per_sample("weight", weight, errors) * errors).mean().to(x0.dtype)
    share = real("weight", weight, "a number >= 0", 0.0) / len(x0)  # one operation, and its slope
    return (nn.functional.mse_loss(*pair, reduction="sum") * share).to(x0.dtype)


# Pairings of a batch of data with a batch of noise


def random_pairing(n: int, *, generator: torch.Generator) -> Permutation:
    """A random permutation: data[i] goes with noise[random_pairing(n)[i]], independently.

    Samples that were drawn independently are so paired already; this unpairs those that were not.
    """
    n = integer("n", n, 0)
    return torch.randperm(n, generator=generator, device=rng(generator).device)


def ot_pairing(x0: Data, noise: Data) -> Permutation:
    """The permutation p for which the squared distances from x0[i] to noise[p[i]] sum to the least.

    An exact assignment, so every row of both batches is used once; nothing is drawn. Distances are
    taken in float64 from differences, without the expanded square, which loses all its digits for
    data far from the origin. On the CPU, without gradients; time grows like n² to n³.

    Result: flow_matching.minibatch_pairing
    Shapes: x0 and noise (B, …) alike; p (B,) of integers, on the device of x0.
    Errors: ValueError for shapes that differ, values that are not finite, or outliers so far away
        that no pairing can be proved best; ImportError without scipy.
    Source: Tong et al. 2024, section 3.2; Pooladian et al. 2023, section 3.
    """
    same_shape("noise", noise, "x0", batched("x0", x0))
    for name, x in (("x0", x0), ("noise", noise)):
        finite(name, x)
    n = len(x0)
    if n < 2:
        return torch.arange(n, device=x0.device)
    a, b = (x.detach().reshape(n, -1).to("cpu", torch.float64) for x in (x0, noise))
    return permutation("ot_pairing", distances(a, b).square_()).to(x0.device)


# Reflow


def reflow_pairs(
    model: Model,
    noise: Data,
    *,
    steps: int,
    path: Path = STRAIGHT,
    sampler: Sampler = HEUN,
) -> Pairs:
    """Carry noise to data along the model's flow, and keep who came from where.

    Trained on these pairs with `cfm_loss`, a second model runs straighter.

    Result: flow_matching.reflow
    Shapes: noise (B, …), and x0 like it; without gradients.
    Errors: as for `sample`; a sampler that draws is refused too, for the theorem is about a flow.
    Source: Liu, Gong, Liu 2023, algorithm 1.
    """
    x0 = sample(
        model,
        tuple(batched("noise", noise).shape),
        path,
        sampler,
        steps=steps,
        prediction="velocity",
        start=noise,
        dtype=noise.dtype,
    )
    return Pairs(x0, noise)


def path_energy(trajectory: Array, duration: float = 1.0) -> Scalar:
    """The mean over samples of ∫ ‖d x/dt‖² dt along trajectories, at even times.

    It is least, the squared distance of the ends over the duration, for straight lines of constant
    velocity. Between the recorded times a trajectory counts as straight.

    Shapes: trajectory (N + 1, B, …), as `sample` with ``trajectory=True`` returns it. Float64.
    Errors: ValueError for fewer than two times, an empty batch, or duration <= 0.
    Source: Tong et al. 2024, section 5 (normalised path energy, without the normalisation).
    """
    if (
        floating("trajectory", trajectory).ndim < 2
        or len(trajectory) < 2
        or trajectory.shape[1] == 0
    ):
        refuse("trajectory", describe(trajectory), "shape (N + 1, B, …) with N >= 1 and B >= 1")
    each = positive("duration", duration) / (len(trajectory) - 1)
    return sum_event(trajectory.double().diff(dim=0) ** 2, 2).sum(0).mean() / each
