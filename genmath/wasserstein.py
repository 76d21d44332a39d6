"""Wasserstein distances: exact on the line and between samples, entropic, sliced; and WGAN losses.

Distances are in the units of the data. They are computed in float64 and cast last, since sums of
many small terms are what they are made of. A WGAN's critic step reads

    loss = critic_loss(critic(real), critic(fake))
    loss = loss + gradient_penalty(critic, real, fake, weight=10.0, generator=generator)

and its generator step `generator_loss(critic(generator(noise)))`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, NoReturn

import numpy as np

from genmath._base.batch import per_event, work_dtype
from genmath._base.checks import (
    apart,
    batched,
    between,
    describe,
    finite,
    flag,
    floating,
    function,
    instance,
    integer,
    positive,
    real,
    refuse,
    rng,
    same_shape,
    some,
)
from genmath._base.draws import Generators, draw_, rngs
from genmath._base.shapes import Array, Data, Scalar
from genmath._base.slopes import slope
from genmath._base.torch import Float, Int, Tensor, nn, torch
from genmath._base.transport import (
    Blocks,
    balance,
    balance_in_blocks,
    balance_with_itself,
    distances,
    permutation,
    solve,
)

__all__ = [
    "Entropic",
    "Plan",
    "assignment",
    "clip_weights",
    "critic_loss",
    "gaussian_w2_squared",
    "generator_loss",
    "gradient_penalty",
    "lipschitz_bound",
    "pairwise_costs",
    "potential_1d",
    "sinkhorn",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "transport_plan",
    "wasserstein",
    "wasserstein_1d",
]

Points = Float[Tensor, "n"]
Weights = Float[Tensor, "n"]
Costs = Float[Tensor, "n m"]
Permutation = Int[Tensor, "batch"]
Critic = Callable[[Tensor], Tensor]
STEPS_A_LEVEL = 5  # of the annealing


class Plan(NamedTuple):
    """A plan (n, m), what it costs, and the potentials whose gain f_i - g_j says that it is best:
    at most the cost everywhere, and equal to it wherever the plan moves anything."""

    plan: Tensor
    cost: Tensor
    f: Tensor
    g: Tensor


class Entropic(NamedTuple):
    """What Sinkhorn's steps have reached. ``error`` says how far the plan is from a coupling."""

    plan: Tensor
    cost: Tensor  # of the plan alone
    value: Tensor  # with epsilon times the divergence: the dual, a lower bound at any step
    f: Tensor
    g: Tensor
    error: float  # the sum of the errors of the marginals
    steps: int
    converged: bool  # whether they are right within the tolerance; never without one


# On the line


def wasserstein_1d(
    x: Points,
    y: Points,
    p: float = 2.0,
    *,
    x_weights: Weights | None = None,
    y_weights: Weights | None = None,
) -> Scalar:
    """W_p of two samples on the line, exactly: the monotone plan, by sorting.

    Weights need not sum to one; without them all points count alike. Differentiable in the points
    and in the weights.

    Result: wasserstein.line_bound, wasserstein.line
    Shapes: x (n,) and y (m,), their weights alike; one number. The dtype follows x; sums are in
        float64.
    Errors: ValueError for no points, points that are not finite, weights that are negative or all
        zero, p < 1.
    Source: Peyré, Cuturi 2019, remark 2.30; Santambrogio 2015, theorem 2.9.
    """
    for name, points in (("x", x), ("y", y)):
        if floating(name, points).ndim != 1:
            refuse(name, describe(points), "shape (n,): points on the line")
    power = real("p", p, "a number >= 1", 1.0)
    cost = _line_cost(x.unsqueeze(1), y.unsqueeze(1), power, x_weights, y_weights)
    return _root(cost.squeeze(0), power).to(x.dtype)


def potential_1d(
    x: Points,
    y: Points,
    at: Array,
    *,
    x_weights: Weights | None = None,
    y_weights: Weights | None = None,
) -> Array:
    """The best critic between two samples on the line, at the places ``at``.

    Its mean over x less its mean over y is their W_1. Its slope is 1 where more of y than of x lies
    to the left, -1 where more of x does, and 0 where there is equally much, as outside of all
    points; its value is 0 at the leftmost point.

    Result: wasserstein.line
    Shapes: x (n,), y (m,), at any; shaped like ``at``, whose dtype it has.
    Errors: as for `wasserstein_1d`.
    Source: Santambrogio 2015, section 3.1.
    """
    for name, points in (("x", x), ("y", y)):
        if floating(name, points).ndim != 1:
            refuse(name, describe(points), "shape (n,): points on the line")
    between("at", floating("at", at), "finite places")
    places = at.double()
    masses = _weights("x_weights", x_weights, "x", x), _weights("y_weights", y_weights, "y", y)
    knots, order = torch.cat([x.double(), y.double()]).sort()
    excess = torch.cat([-masses[0], masses[1]])[order].cumsum(0)  # G - F to the right of each knot
    slopes = torch.where(excess.abs() < 1e-12, 0.0, excess.sign())[:-1]
    heights = torch.cat([knots.new_zeros(1), (slopes * knots.diff()).cumsum(0)])
    inside = places.clamp(knots[0], knots[-1])
    k = (torch.searchsorted(knots, inside.contiguous(), right=True) - 1).clamp(0, len(slopes) - 1)
    return (heights[k] + slopes[k] * (inside - knots[k])).to(at.dtype)


# Exact plans


def pairwise_costs(x: Data, y: Data, p: float = 2.0) -> Costs:
    """‖x_i - y_j‖^p in float64, from differences: the expanded square loses its digits far from 0.

    Shapes: x (n, …) and y (m, …), the same event; (n, m), float64.
    Errors: ValueError for events that differ, or p <= 0.
    """
    if batched("x", x).shape[1:] != batched("y", y).shape[1:]:
        refuse("y", describe(y), f"events of the shape of x, {tuple(x.shape[1:])}")
    rows = (points.double().flatten(1) if points.ndim > 1 else points.double().unsqueeze(1)
            for points in (x, y))  # fmt: skip
    between = distances(*rows)
    power = positive("p", p)
    return between if power == 1.0 else between.square() if power == 2.0 else between**power


def assignment(costs: Costs) -> Permutation:
    """The permutation s for which the sum of costs[i, s[i]] is least, exactly.

    Result: wasserstein.weak_duality
    Shapes: costs (n, n); (n,) of integers on the same device. On the CPU, without gradients.
    Errors: ValueError for costs that are not square or not finite, or of such different sizes that
        the potentials do not prove the plan; ImportError without scipy.
    Source: Peyré, Cuturi 2019, proposition 2.1.
    """
    if _table(costs).shape[0] != costs.shape[1]:
        refuse("costs", describe(costs), "shape (n, n)")
    return permutation("assignment", costs.double()).to(costs.device)


def transport_plan(
    costs: Costs, x_weights: Weights | None = None, y_weights: Weights | None = None
) -> Plan:
    """The cheapest plan between two weighted samples, with its potentials, exactly.

    Weights are normalised to sum to one; without them all points count alike. The potentials prove
    the plan: f_i - g_j <= costs_ij, and their gain, the mean of f less that of
    g by the weights, is the cost.

    Result: wasserstein.weak_duality, wasserstein.three_points
    Shapes: costs (n, m), the weights (n,) and (m,). Float64, on the device of the costs, without
        gradients.
    Errors: ValueError for costs that are not finite, weights that do not fit, are negative or all
        zero, or a plan that its potentials do not prove; ImportError without POT; RuntimeError if
        its solver gives up.
    Source: Peyré, Cuturi 2019, sections 2.3 and 2.5.
    """
    rows, columns = _marginals(costs, x_weights, y_weights)
    wide = costs.detach().double()
    plan, f, minus_g = (
        found.to(costs.device) for found in solve("transport_plan", wide, rows, columns)
    )
    return Plan(plan, (plan * wide).sum(), f, -minus_g)


def wasserstein(
    x: Data,
    y: Data,
    p: float = 2.0,
    *,
    x_weights: Weights | None = None,
    y_weights: Weights | None = None,
) -> Scalar:
    """W_p of two samples in any number of dimensions, exactly, by the cheapest plan.

    Differentiable in the points, with the plan held fixed, which gives the gradient wherever there
    is one.

    Result: wasserstein.w1_w2
    Shapes: x (n, …) and y (m, …), the weights (n,) and (m,). The dtype follows x.
    Errors: as for `pairwise_costs` and `transport_plan`; p < 1.
    Source: Villani 2009, definition 6.1.
    """
    power = real("p", p, "a number >= 1", 1.0)
    x, y = batched("x", x), batched("y", y)
    masses = (_weights("x_weights", x_weights, "x", x), _weights("y_weights", y_weights, "y", y))
    plan = transport_plan(pairwise_costs(x.detach(), y.detach(), power), *masses).plan
    i, j = plan.nonzero(as_tuple=True)
    apart = (x[i].double() - y[j].double()).reshape(len(i), -1).abs()
    each = torch.linalg.vector_norm(apart, dim=1) ** power
    return _root((plan[i, j] * each).sum(), power).to(x.dtype)


# Entropic transport


def sinkhorn(
    costs: Costs,
    epsilon: float,
    x_weights: Weights | None = None,
    y_weights: Weights | None = None,
    *,
    tolerance: float | None = 1e-6,
    steps: int = 10_000,
    start: Entropic | None = None,
    anneal_from: float | None = None,
    block: int | None = None,
    strict: bool = True,
) -> Entropic:
    """The plan that minimises ⟨plan, costs⟩ + epsilon · KL(plan ‖ a b), by Sinkhorn's steps.

    In the log domain, so a small epsilon costs steps but no accuracy. It stops when the marginals
    are right within ``tolerance``, and raises if they are not after ``steps``. With
    ``strict=False`` it returns what it has reached, with ``converged`` False, and takes that up
    again as ``start``, for these costs or for others near them; with ``tolerance=None`` it takes
    all steps and leaves the judgement of ``error`` to you. With ``anneal_from`` the first steps are
    for that epsilon, its half, its quarter and so on, five for each: the plan is the same, and a
    small epsilon reaches it in far fewer steps if they begin near the largest cost. With a
    ``block`` the steps look at that many rows or columns of the costs at a time, and nothing is
    made that is as large as the costs except the plan; it takes several times as long. ``value`` is
    differentiable in the costs, and its gradient is the plan; and in the weights, where it is f and
    g, those of points without weight included.

    Result: wasserstein.entropic_dual, wasserstein.sinkhorn_step, wasserstein.entropic_bias
    Shapes: costs (n, m), the weights (n,) and (m,), normalised to sum to one. Computed in float64;
        the dtype follows the costs. f, g and ``value`` are in their units.
    Errors: ValueError for bad weights, costs that are not finite, epsilon <= 0, steps < 1, a start
        of other shapes, anneal_from < epsilon, block < 1; RuntimeError that names the error of the
        marginals if it has not converged, unless strict is False.
    Source: Cuturi 2013, algorithm 1; Schmitzer 2019, sections 3.1 and 3.2 for the log domain and
        the annealing; Feydy et al. 2019, section 2 for the gradient in the weights.
    """
    masses = _marginals(costs, x_weights, y_weights)
    rows, columns = (mass.detach() for mass in masses)
    eps, most = positive("epsilon", epsilon), integer("steps", steps, 1)
    least = None if tolerance is None else positive("tolerance", tolerance)
    flag("strict", strict)
    fixed = costs.detach()
    begin = None if start is None else _start(start, fixed)
    parts = _blocks(fixed, len(fixed) if block is None else integer("block", block, 1))
    if block is None:
        run = partial(balance, fixed.double())
    else:
        run = partial(balance_in_blocks, parts)
    f, g, taken, converged = _anneal(run, rows, columns, eps, anneal_from, begin, most, least)
    plan = torch.empty_like(fixed)
    cost, sums, columns_sum = f.new_zeros(()), torch.empty_like(rows), torch.zeros_like(columns)
    for at, part, moved in parts.plan(f, g, rows, columns, eps):
        plan[at], sums[at] = moved.to(plan.dtype), moved.sum(1)
        columns_sum += moved.sum(0)
        cost += torch.dot(moved.reshape(-1), part.reshape(-1))
    error = ((sums - rows).abs().sum() + (columns_sum - columns).abs().sum()).item()
    if strict and least is not None and not converged:
        _not_converged(most, error, least)
    value = torch.dot(masses[0], f) + torch.dot(masses[1], g)
    if costs.requires_grad:
        value = (plan * (costs - fixed)).sum() + value
    cost, value, f, g = (tensor.to(costs.dtype) for tensor in (cost, value, f, g))
    return Entropic(plan, cost, value, f, g, error, taken, converged)


def sinkhorn_divergence(
    x: Data,
    y: Data,
    epsilon: float,
    p: float = 2.0,
    *,
    x_weights: Weights | None = None,
    y_weights: Weights | None = None,
    tolerance: float = 1e-6,
    steps: int = 10_000,
    anneal_from: float | None = None,
    block: int | None = None,
) -> Scalar:
    """OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2, where OT is the ``value`` of `sinkhorn`.

    Unlike the value it is 0 for equal samples, symmetric and never negative, all within what
    ``tolerance`` leaves: between an entropic W_p^p (epsilon → 0) and a maximum mean discrepancy.
    Differentiable in the points and in the weights. With a ``block`` the costs are not held but
    computed again at each step, for that many points at a time: the memory grows like
    block · (n + m) in place of n m, and it takes several times as long.

    Shapes: x (n, …) and y (m, …), the weights (n,) and (m,); one number in the units of the points
        to the power p, as epsilon is. The dtype follows x; computed in float64.
    Errors: as for `pairwise_costs` and `sinkhorn`; ValueError for p outside [1, 2], where it may be
        negative or has no gradient.
    Source: Feydy et al. 2019, equation 3 and theorem 1; a set with itself takes the symmetric steps
        of its section 3, a dozen or so at any epsilon.
    """
    power = real("p", p, "a number from 1 to 2", 1.0, 2.0)
    x, y = batched("x", x), batched("y", y)
    a, b = _weights("x_weights", x_weights, "x", x), _weights("y_weights", y_weights, "y", y)
    least = positive("tolerance", tolerance)

    size = None if block is None else integer("block", block, 1)

    def between(first: Tensor, second: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        itself = torch.equal(first, second) and torch.equal(rows, columns)
        if size is not None or itself:
            eps, most = positive("epsilon", epsilon), integer("steps", steps, 1)
            return _value(
                first, second, power, rows, columns, eps, anneal_from, most, least, size, itself
            )
        costs = pairwise_costs(first, second, power)
        return sinkhorn(
            costs, epsilon, rows, columns,
            tolerance=least, steps=steps, anneal_from=anneal_from,
        ).value  # fmt: skip

    return (between(x, y, a, b) - (between(x, x, a, a) + between(y, y, b, b)) / 2).to(x.dtype)


# Normal densities and slices


def gaussian_w2_squared(mean_p: Array, chol_p: Array, mean_q: Array, chol_q: Array) -> Array:
    """W_2² of Gaussians with covariances chol cholᵀ, for any factors, singular ones included.

    ‖m_p - m_q‖² plus the least ‖chol_p - chol_q Q‖² over orthogonal Q: a sum of squares, so it is
    never negative, and exact for nearly equal covariances. For the covariances themselves take
    torch.linalg.cholesky first.

    Result: wasserstein.w2_normal, wasserstein.w2_root
    Shapes: means (…, d), factors (…, d, d), leading dimensions broadcast and are kept. The dtype is
        the promoted one; computed in float64.
    Errors: ValueError for shapes that do not fit.
    Source: Dowson, Landau 1982; the factors: Bhatia, Jain, Lim 2019, theorem 1.
    """
    given = {"mean_p": mean_p, "chol_p": chol_p, "mean_q": mean_q, "chol_q": chol_q}
    dtype = floating("mean_p", mean_p).dtype
    for name, value in given.items():
        dtype = torch.promote_types(dtype, floating(name, value).dtype)
    d = mean_p.shape[-1:]
    for name in ("mean_p", "mean_q"):
        if given[name].ndim == 0 or given[name].shape[-1:] != d:
            refuse(name, describe(given[name]), "shape (…, d), with the d of mean_p")
    for name in ("chol_p", "chol_q"):
        if given[name].shape[-2:] != (*d, *d):
            refuse(name, describe(given[name]), f"shape (…, {d[0]}, {d[0]}), a factor")
    m_p, l_p, m_q, l_q = (value.double() for value in given.values())
    with torch.no_grad():  # the rotation is the best one: to first order it does not matter
        u, _, v = torch.linalg.svd(l_q.mT @ l_p)
        rotation = u @ v
    shape = (l_p - l_q @ rotation).square().sum((-2, -1))
    total: Tensor = (m_p - m_q).square().sum(-1) + shape
    return total.to(dtype)


def sliced_wasserstein(
    x: Data, y: Data, p: float = 2.0, *, directions: int = 128, generator: torch.Generator
) -> Scalar:
    """The sliced distance: the p-mean of W_p on the line over random unit directions.

    At most W_p; for p = 2 in d dimensions at most W_2/√d. Differentiable.

    Result: wasserstein.slices
    Shapes: x (n, …) and y (m, …), the same event, which is flattened. The dtype follows x.
    Errors: ValueError for events that differ, no points, points that are not finite, p < 1,
        directions < 1.
    Source: Bonneel et al. 2015.
    """
    if batched("x", x).shape[1:] != batched("y", y).shape[1:]:
        refuse("y", describe(y), f"events of the shape of x, {tuple(x.shape[1:])}")
    power = real("p", p, "a number >= 1", 1.0)
    count = integer("directions", directions, 1)
    size = math.prod(x.shape[1:])
    ways = torch.randn(
        size, count, generator=rng(generator, x.device), dtype=torch.float64, device=x.device
    )
    ways = ways / torch.linalg.vector_norm(ways, dim=0)
    left, right = (points.double().reshape(len(points), size) @ ways for points in (x, y))
    return _root(_line_cost(left, right, power, None, None).mean(), power).to(x.dtype)


# WGAN


def critic_loss(real_scores: Data, fake_scores: Data) -> Scalar:
    """mean f(fake) - mean f(real), to be minimised: minus what the critic sees.

    Minus this is at most W_1 if the critic has slope at most one, and no bound otherwise.

    Result: wasserstein.lipschitz
    Shapes: scores (B,) or (B, 1), of one critic; the two batches may differ in size.
    Errors: ValueError for an empty batch, or more than one score a sample.
    Source: Arjovsky, Chintala, Bottou 2017, algorithm 1.
    """
    real = _mean("real_scores", real_scores)
    return _mean("fake_scores", fake_scores) - real


def generator_loss(fake_scores: Data) -> Scalar:
    """-mean f(fake): the critic's slope at the samples says where they should go.

    Result: wasserstein.generator_gradient
    Shapes: scores (B,) or (B, 1).
    Errors: ValueError for an empty batch, or more than one score a sample.
    Source: Arjovsky, Chintala, Bottou 2017, algorithm 1 and theorem 3.
    """
    return -_mean("fake_scores", fake_scores)


def gradient_penalty(
    critic: Critic,
    real: Data,
    fake: Data,
    *,
    weight: float,
    one_sided: bool = False,
    generator: Generators,
) -> Scalar:
    """weight · mean (‖∇ critic(x̂)‖ - 1)² at random points x̂ between real and fake, one a pair.

    One random x̂ a *sample*, and the norm of the *whole* gradient of a sample, whatever the
    event. ``one_sided`` penalises only slopes larger than one. The paper's weight, its λ, is 10.
    Where the gradient is 0 the norm's subgradient 0 is used, so nothing is NaN and no norm is
    blurred.

    Result: wasserstein.penalty_points, wasserstein.penalty_bias
    Shapes: real and fake (B, …) alike; the critic maps (B, …) to one score a sample, (B,) or
        (B, 1, …), each of its own sample alone (no batch normalisation). The dtype follows real.
        Gradients reach the critic, not real and fake.
    Errors: ValueError for weight < 0, shapes that differ, an empty batch, or a critic with another
        output.
    Source: Gulrajani et al. 2017, equation 3 and algorithm 1.
    """
    same_shape("fake", fake, "real", some("real", real))
    function("critic", critic)
    apart("critic", critic)
    flag("one_sided", one_sided)
    factor = _penalty(weight)
    work = work_dtype(real)
    rngs(generator, len(real), real.device)
    share = torch.empty(len(real), dtype=work, device=real.device)
    draw_(share, generator, "uniform_")
    start, end = fake.detach().to(work), real.detach().to(work)
    between = torch.lerp(start, end, per_event(share, real)).to(real.dtype).requires_grad_()
    with torch.enable_grad():
        scores = critic(between)
    if (
        not isinstance(scores, Tensor)
        or scores.numel() != len(real)
        or scores.shape[:1] != real.shape[:1]
    ):
        refuse("critic output", describe(scores), f"one score a sample: shape ({len(real)},)")
    with torch.enable_grad():
        slopes = slope(scores.sum(), between)
    length: Tensor = torch.linalg.vector_norm(slopes.to(work).reshape(len(real), -1), dim=1)
    excess = (length - 1).relu() if one_sided else length - 1
    return (factor * excess.square().mean()).to(real.dtype)


@torch.no_grad()
def clip_weights(module: nn.Module, bound: float = 0.01) -> None:
    """Clamp every parameter of a critic to ±bound, in place.

    The slope is then bounded, but not by the same number in all directions: what the critic
    measures is not W_1, not even up to a factor.

    Result: wasserstein.clipping
    Errors: ValueError for bound <= 0.
    Source: Arjovsky, Chintala, Bottou 2017, algorithm 1.
    """
    size = positive("bound", bound)
    instance("module", module, nn.Module, "an nn.Module")
    for parameter in module.parameters():
        parameter.clamp_(-size, size)


def lipschitz_bound(module: nn.Module) -> float:
    """An upper bound of a network's slope: the product of its layers' largest singular values.

    For `nn.Sequential` of linear layers, convolutions padded with zeros, and activations. A
    convolution's bound is that of its kernel as a matrix times √(size of the kernel), since it
    reads each entry that often; it may be several times too large.

    Result: wasserstein.layer_slopes
    Errors: ValueError for a layer of another kind.
    Source: Miyato et al. 2018, section 2.1.
    """
    instance("module", module, nn.Module, "an nn.Module")
    # By exact type: what a subclass or a hook does besides is not known. Spectral norm and other
    # parametrisations change the weights, which are read as they are.
    kind = nn.utils.parametrize.type_before_parametrizations(module)
    changed = module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module)
    if kind not in KNOWN or changed:
        expected = "linear layers, convolutions and activations in nn.Sequential"
        refuse("module", describe(module), expected)
    if isinstance(module, nn.Sequential):
        return math.prod(lipschitz_bound(layer) for layer in module)
    if isinstance(module, nn.Linear):
        return _largest_singular_value(module.weight)
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        if module.padding_mode != "zeros":
            refuse("module", describe(module), 'a convolution with padding_mode="zeros"')
        groups = module.weight.detach().flatten(1).chunk(module.groups)
        return max(map(_largest_singular_value, groups)) * math.sqrt(math.prod(module.kernel_size))
    if isinstance(module, nn.LeakyReLU):
        return max(1.0, abs(module.negative_slope))
    return SLOPES[kind]


# The largest slope of each activation; that of SELU is scale · alpha, just below 0.
SLOPES: dict[type[nn.Module], float] = {
    **dict.fromkeys((nn.ReLU, nn.Tanh, nn.Softplus, nn.Identity, nn.Flatten, nn.Unflatten), 1.0),
    nn.Sigmoid: 0.25,
    nn.SELU: 1.0507009873554805 * 1.6732632423543772,
    nn.SiLU: 1.0998394,  # rounded up, as is the next
    nn.GELU: 1.1289044,
}
KNOWN = {
    *(nn.Sequential, nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.LeakyReLU),
    *SLOPES,
}


# Helpers


def _penalty(weight: float) -> float:
    return real("weight", weight, "a number >= 0", 0.0)


def _largest_singular_value(matrix: Tensor) -> float:
    return float(torch.linalg.matrix_norm(matrix.detach().double(), 2))


def _mean(name: str, scores: Tensor) -> Tensor:
    if some(name, scores).numel() != len(scores):
        refuse(name, describe(scores), f"one score a sample: shape ({len(scores)},)")
    mean: Tensor = scores.mean()
    return mean


def _root(total: Tensor, power: float) -> Tensor:
    """total^(1/p), with the gradient 0 of the distance where it is 0."""
    if power == 1.0:
        return total
    zero = total == 0
    return torch.where(zero, 0.0, torch.where(zero, 1.0, total) ** (1 / power))


def _weights(name: str, weights: Tensor | None, of: str, points: Tensor) -> Tensor:
    """Weights in float64 that sum to one, one a point."""
    n = len(finite(of, points))
    if n == 0:
        refuse(of, describe(points), "at least one point")
    if weights is None:
        return torch.full((n,), 1 / n, dtype=torch.float64, device=points.device)
    if floating(name, weights).shape != (n,):
        refuse(name, describe(weights), f"shape ({n},): one weight for each of {of}")
    if not bool((finite(name, weights) >= 0).all()) or not bool((weights > 0).any()):
        refuse(name, f"{describe(weights)} with negative weights or none above 0", "weights >= 0")
    wide = weights.double()
    return wide / wide.sum()


def _table(costs: Tensor) -> Tensor:
    if floating("costs", costs).ndim != 2 or costs.numel() == 0:
        refuse("costs", describe(costs), "shape (n, m), a cost for every pair")
    return finite("costs", costs)


def _marginals(
    costs: Tensor, x_weights: Tensor | None, y_weights: Tensor | None
) -> tuple[Tensor, Tensor]:
    _table(costs)
    return (
        _weights("x_weights", x_weights, "costs", costs).to(costs.device),
        _weights("y_weights", y_weights, "costs", costs.T).to(costs.device),
    )


def _levels(anneal_from: float | None, epsilon: float) -> list[float]:
    """From the first its halves, as far as they are above epsilon."""
    if anneal_from is None:
        return []
    level = real("anneal_from", anneal_from, f"a number >= epsilon, {epsilon:g}", epsilon)
    levels = []
    while level > epsilon:
        levels.append(level)
        level /= 2
    return levels


_Run = Callable[..., tuple[Tensor, Tensor, int, bool]]


def _anneal(
    run: _Run,
    rows: Tensor,
    columns: Tensor,
    epsilon: float,
    anneal_from: float | None,
    begin: Tensor | None,
    most: int,
    least: float | None,
) -> tuple[Tensor, Tensor, int, bool]:
    """Sinkhorn's steps at epsilon, after some at each of the levels above it."""
    taken = 0
    for level in _levels(anneal_from, epsilon):
        room = min(STEPS_A_LEVEL, most - taken - 1)  # one step at least is for epsilon itself
        if room > 0:
            _, begin, more, _ = run(level, rows, columns, begin, room, None)
            taken += more
    f, g, more, converged = run(epsilon, rows, columns, begin, most - taken, least)
    return f, g, taken + more, converged


def _blocks(costs: Tensor, size: int) -> Blocks:
    return Blocks(lambda i, j: costs[i:j].double(), lambda i, j: costs[:, i:j].T.double(), size)


def _value(
    x: Tensor,
    y: Tensor,
    power: float,
    rows: Tensor,
    columns: Tensor,
    epsilon: float,
    anneal_from: float | None,
    most: int,
    least: float,
    size: int | None,
    itself: bool,
) -> Tensor:
    """The ``value`` of `sinkhorn` between points; of a set with itself by fewer steps."""
    a, b = x.detach(), y.detach()
    masses = rows.detach(), columns.detach()
    if size is None:
        parts = _blocks(pairwise_costs(a, b, power), len(a))
    else:
        parts = Blocks(
            lambda i, j: pairwise_costs(a[i:j], b, power),
            lambda i, j: pairwise_costs(b[i:j], a, power),
            size,
        )
    if itself:
        _levels(anneal_from, epsilon)  # though it needs none
        f, g, _, converged = balance_with_itself(parts, epsilon, masses[0], most, least)
    else:
        run = partial(balance_in_blocks, parts)
        f, g, _, converged = _anneal(run, *masses, epsilon, anneal_from, None, most, least)
    if not converged:
        sums = torch.cat([moved.sum(1) for _, _, moved in parts.plan(f, g, *masses, epsilon)])
        _not_converged(most, (sums - masses[0]).abs().sum().item(), least)
    value = torch.dot(rows, f) + torch.dot(columns, g)
    if not (torch.is_grad_enabled() and (x.requires_grad or y.requires_grad)):
        return value
    slope_a, slope_b = torch.zeros_like(a), torch.zeros_like(b)
    for at, _, moved in parts.plan(f, g, *masses, epsilon):
        with torch.enable_grad():
            here, there = a[at].clone().requires_grad_(), b.clone().requires_grad_()
            cost = (moved * pairwise_costs(here, there, power)).sum()
        slope_a[at], more = torch.autograd.grad(cost, (here, there))
        slope_b += more
    # Nothing but a way for these slopes into the graph.
    for points, fixed, slopes in ((x, a, slope_a), (y, b, slope_b)):
        value = value + ((points - fixed) * slopes).sum()
    return value


def _not_converged(steps: int, error: float, tolerance: float) -> NoReturn:
    raise RuntimeError(
        f"sinkhorn: after {steps} steps the marginals are wrong by {error:.2g}, more than "
        f"tolerance={tolerance}; take more steps, a larger epsilon or a larger tolerance, or "
        "strict=False for what they have reached"
    )


def _start(start: Entropic, costs: Tensor) -> Tensor:
    """The potentials g of an earlier result, from which a step finds f."""
    expected = f"a result of sinkhorn for {costs.shape[0]} and {costs.shape[1]} points"
    instance("start", start, Entropic, expected)
    if (len(start.f), len(start.g)) != costs.shape:
        refuse("start", f"one for {len(start.f)} and {len(start.g)} points", expected)
    return finite("start", start.g.detach().to(costs.device, torch.float64))


def _sorted(points: Tensor) -> Tensor:
    """Along the batch, in float64: numpy sorts many times faster, but without gradients."""
    wide = points.double()
    if wide.is_cpu and not wide.requires_grad:
        return torch.from_numpy(np.sort(wide.numpy(), axis=0))
    return wide.sort(dim=0).values


def _line_cost(
    x: Tensor, y: Tensor, power: float, x_weights: Tensor | None, y_weights: Tensor | None
) -> Tensor:
    """The cost of the monotone plan, column by column of (n, k) and (m, k); float64, (k,)."""
    masses = _weights("x_weights", x_weights, "x", x), _weights("y_weights", y_weights, "y", y)
    if x_weights is None and y_weights is None and len(x) == len(y):
        return ((_sorted(x) - _sorted(y)).abs() ** power).mean(0)
    if power == 1.0:  # the integral of |F - G|
        places, order = torch.cat([x, y]).double().sort(dim=0)
        excess = torch.cat([masses[0], -masses[1]])[order].cumsum(0)
        return (excess[:-1].abs() * places.diff(dim=0)).sum(0)
    sorted_points, levels = [], []
    for points, mass in zip((x, y), masses, strict=True):
        values, order = points.double().sort(dim=0)
        reached = mass[order].cumsum(0).T.contiguous()  # (k, n)
        sorted_points.append(values.T)
        levels.append(reached / reached[:, -1:])
    cuts = torch.cat(levels, 1).sort(dim=1).values
    pieces = torch.diff(cuts, dim=1, prepend=torch.zeros_like(cuts[:, :1]))
    first, second = (
        values.gather(
            1, torch.searchsorted(level.detach(), cuts.detach()).clamp(max=level.shape[1] - 1)
        )
        for values, level in zip(sorted_points, levels, strict=True)
    )
    return (pieces * (first - second).abs() ** power).sum(1)
