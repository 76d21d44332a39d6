"""Divergences between distributions: Gaussian closed forms, tables of probabilities, and samples.

All values are in nats. Half precision is computed in float32 and cast last.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from genmath._base.batch import sum_event, work_dtype
from genmath._base.checks import (
    between,
    broadcastable,
    describe,
    floating,
    function,
    instance,
    integer,
    not_negative,
    real,
    refuse,
    same_shape,
)
from genmath._base.shapes import Array
from genmath._base.torch import Tensor, torch

__all__ = [
    "CHI2",
    "JS",
    "KL",
    "REVERSE_KL",
    "TV",
    "FDivergence",
    "f_divergence",
    "f_divergence_from_samples",
    "fenchel_bound",
    "gaussian_kl",
    "gaussian_kl_full",
    "js",
    "kl",
    "tv",
]


# Gaussians


def gaussian_kl(
    mean_p: Array,
    log_var_p: Array,
    mean_q: Array | None = None,
    log_var_q: Array | None = None,
    *,
    batch_dims: int = 1,
) -> Array:
    """KL(p ‖ q) of diagonal Gaussians given by mean and log-variance, with q = N(0, I) by default.

    Result: divergences.gaussian_kl_diagonal, vae.gaussian_prior_kl
    Shapes: the arguments broadcast; of the joint shape the first ``batch_dims`` dimensions are kept
        and all others, the event, are summed: (B, d) and (B, C, H, W) give (B,). The dtype is the
        promoted one. Nats.
    Errors: ValueError for shapes that do not broadcast, or fewer dimensions than ``batch_dims``.
    Source: Kingma, Welling 2014, appendix B, for q = N(0, I). A log-variance is 2 log(sigma).
    """
    zero = floating("mean_p", mean_p).new_zeros(())
    mean_q = zero if mean_q is None else mean_q
    log_var_q = zero if log_var_q is None else log_var_q
    given = {"mean_p": mean_p, "log_var_p": log_var_p, "mean_q": mean_q, "log_var_q": log_var_q}
    dtype, (mean_p, log_var_p, mean_q, log_var_q) = _promote(given)
    broadcastable(given)
    for name, value in given.items():
        between(name, value, "finite numbers")
    # (d · exp(-l/2))² reaches twice as far into extreme variances as d² · exp(-l).
    shift = (mean_p - mean_q) * torch.exp(log_var_q / -2)
    log_ratio = log_var_p - log_var_q
    # exp(r) - 1 - r by expm1, so that nearly equal variances keep their digits.
    elementwise = (torch.expm1(log_ratio) - log_ratio + shift**2) / 2
    return sum_event(elementwise, batch_dims).to(dtype)


FACTOR = "a Cholesky factor, lower-triangular, as torch.linalg.cholesky(covariance) gives it"


def gaussian_kl_full(
    mean_p: Array,
    chol_p: Array,
    mean_q: Array,
    chol_q: Array,
) -> Array:
    """KL(p ‖ q) of Gaussians with covariances chol cholᵀ, chol lower-triangular.

    Result: divergences.gaussian_kl_full
    Shapes: means (…, d), factors (…, d, d), leading dimensions broadcast and are kept. Nats.
    Errors: ValueError for shapes that do not fit or, on the CPU, numbers above the diagonal, as a
        covariance in place of its factor has them. That the diagonals are positive is taken on
        trust, and a diagonal covariance goes unseen.
    Source: the textbook formula, Bishop 2006, exercise 2.13.
    """
    dtype, (mean_p, chol_p, mean_q, chol_q) = _promote(
        {"mean_p": mean_p, "chol_p": chol_p, "mean_q": mean_q, "chol_q": chol_q}
    )
    for name, mean in (("mean_p", mean_p), ("mean_q", mean_q)):
        if mean.ndim == 0 or mean.shape[-1:] != mean_p.shape[-1:]:
            refuse(name, describe(mean), "shape (…, d), with the d of mean_p")
    d = mean_p.shape[-1]
    for name, chol in (("chol_p", chol_p), ("chol_q", chol_q)):
        if chol.shape[-2:] != (d, d):
            refuse(name, describe(chol), f"shape (…, {d}, {d}), a Cholesky factor")
        if chol.is_cpu and bool(chol.detach().triu(1).any()):
            symmetric = "a symmetric matrix" if torch.equal(chol, chol.mT) else describe(chol)
            refuse(name, f"{symmetric} with numbers above the diagonal", FACTOR)
    log_ratio = _log_diagonal(chol_p) - _log_diagonal(chol_q)
    shift = torch.linalg.solve_triangular(chol_q, (mean_p - mean_q).unsqueeze(-1), upper=False)
    mixed = torch.linalg.solve_triangular(chol_q, chol_p.tril(), upper=False).tril(-1)
    # ‖M‖² - d - 2 Σ log M_ii for M = chol_q⁻¹ chol_p, whose diagonal is exp(log_ratio).
    total: Tensor = (
        (torch.expm1(2 * log_ratio) - 2 * log_ratio).sum(-1)
        + mixed.square().sum((-2, -1))
        + shift.square().sum((-2, -1))
    ) / 2
    return total.to(dtype)


# Tables of probabilities


def kl(p: Array, q: Array, *, dim: int = -1) -> Array:
    """KL(p ‖ q) = Σ p log(p/q) of tables; 0 log 0 = 0, and infinite where q = 0 < p.

    Result: divergences.kl_nonnegative
    Shapes: p and q alike, probabilities along ``dim``, which is summed. Nats.
    Errors: ValueError for shapes that differ. The probabilities are taken as they are: not
        normalised, not read.
    Source: Kullback, Leibler 1951.
    """
    dtype, (p, q) = _tables(p, q, dim)
    return _p_log_ratio(p, q).sum(dim).to(dtype)


def js(p: Array, q: Array, *, dim: int = -1) -> Array:
    """Jensen-Shannon, half of KL(p ‖ m) + KL(q ‖ m) for m = (p + q)/2; log 2 if disjoint.

    Result: divergences.js_bounds
    Shapes: p and q alike, probabilities along ``dim``, which is summed. Nats.
    Errors: ValueError for shapes that differ.
    Source: Lin 1991, with equal weights. Its square root is the metric, not this.
    """
    dtype, (p, q) = _tables(p, q, dim)
    # As Σ m h(δ) with δ = (p - q)/(p + q): no cancellation of logarithms, and h(±1) is log 2.
    whole = p + q
    delta = (p - q) / torch.where(whole > 0, whole, torch.ones_like(whole))
    h = (_xlog1py(1 + delta, delta) + _xlog1py(1 - delta, -delta)) / 2
    return (whole * h).sum(dim).div(2).to(dtype)


def tv(p: Array, q: Array, *, dim: int = -1) -> Array:
    """Total variation ½ Σ |p - q|, the largest difference of probability over all events.

    Result: divergences.total_variation
    Shapes: p and q alike, probabilities along ``dim``, which is summed. In [0, 1].
    Errors: ValueError for shapes that differ.
    Source: the definition; some authors leave out the ½.
    """
    dtype, (p, q) = _tables(p, q, dim)
    return (p - q).abs().sum(dim).div(2).to(dtype)


# f-divergences


@dataclass(frozen=True)
class FDivergence:
    """D_f(p ‖ q) = E_q f(p/q) for a convex f with f(1) = 0, as data.

    The functions take the log-ratio r = log(p/q), so that neither tail overflows on the way.

    Source: Nowozin, Cseke, Tomioka 2016 (f-GAN), table 1 and section 2. Their f for
        Jensen-Shannon is twice this one.
    """

    name: str
    value: Callable[[Tensor], Tensor]  # r ↦ f(eʳ)
    slope: Callable[[Tensor], Tensor]  # r ↦ f'(eʳ), the critic that attains the Fenchel bound
    conjugate: Callable[[Tensor], Tensor]  # t ↦ sup over u ≥ 0 of u t - f(u)
    at_zero: float  # f(0): what q pays where p = 0
    at_infinity: float  # lim f(u)/u: what p pays where q = 0

    def __post_init__(self) -> None:
        instance("name", self.name, str, "a string")
        for part in ("value", "slope", "conjugate"):
            function(part, getattr(self, part))
        for part in ("at_zero", "at_infinity"):
            limit = getattr(self, part)
            if not isinstance(limit, float) or limit != math.inf:
                real(part, limit, "a number, or math.inf", -math.inf)


def _where_below(t: Tensor, bound: float, inside: Callable[[Tensor], Tensor]) -> Tensor:
    """inside(t) for t < bound, else infinity; the unused branch never reaches the gradient."""
    ok = ~(t >= bound)
    return torch.where(ok, inside(torch.where(ok, t, bound - 1.0)), math.inf)


def _softplus(r: Tensor) -> Tensor:
    # torch's own softplus turns linear at 20, which costs float64 half of its digits.
    return -torch.nn.functional.logsigmoid(-r)


_LOG2 = math.log(2)

KL = FDivergence(
    "kl",
    value=lambda r: r.exp() * r,
    slope=lambda r: r + 1,
    conjugate=lambda t: torch.exp(t - 1),
    at_zero=0.0,
    at_infinity=math.inf,
)
REVERSE_KL = FDivergence(
    "reverse_kl",
    value=lambda r: -r,
    slope=lambda r: -torch.exp(-r),
    conjugate=lambda t: _where_below(t, 0.0, lambda s: -1 - torch.log(-s)),
    at_zero=math.inf,
    at_infinity=0.0,
)
JS = FDivergence(
    "js",
    value=lambda r: (r.exp() * (_LOG2 - _softplus(-r)) + (_LOG2 - _softplus(r))) / 2,
    slope=lambda r: (_LOG2 - _softplus(-r)) / 2,
    conjugate=lambda t: _where_below(
        t, _LOG2 / 2, lambda s: -(_LOG2 + torch.log(-torch.expm1(2 * s - _LOG2))) / 2
    ),
    at_zero=_LOG2 / 2,
    at_infinity=_LOG2 / 2,
)
TV = FDivergence(
    "tv",
    value=lambda r: torch.expm1(r).abs() / 2,
    slope=lambda r: torch.sign(r) / 2,
    conjugate=lambda t: torch.where(t > 0.5, math.inf, t.clamp(min=-0.5)),
    at_zero=0.5,
    at_infinity=0.5,
)
CHI2 = FDivergence(
    "chi2",
    value=lambda r: torch.expm1(r).square(),
    slope=lambda r: 2 * torch.expm1(r),
    conjugate=lambda t: torch.where(t < -2, -1.0, t + t.square() / 4),
    at_zero=1.0,
    at_infinity=math.inf,
)


def f_divergence(f: FDivergence, p: Array, q: Array, *, dim: int = -1) -> Array:
    """D_f(p ‖ q) = Σ q f(p/q) of tables, with its limits where p or q is 0.

    Result: divergences.f_divergence_nonnegative
    Shapes: p and q alike, probabilities along ``dim``, which is summed. Nats for KL and JS.
    Errors: ValueError for shapes that differ or an f that is no FDivergence.
    Source: Csiszár 1967; Ali, Silvey 1966.
    """
    _member(f)
    dtype, (p, q) = _tables(p, q, dim)
    both = (p != 0) & (q != 0)
    one = torch.ones_like(p)
    r = torch.log(torch.where(both, p, one)) - torch.log(torch.where(both, q, one))
    total = torch.where(both, torch.where(both, q, one) * f.value(r), 0.0)
    total = total + _where((p == 0) & (q != 0), q, f.at_zero)
    total = total + _where((q == 0) & (p != 0), p, f.at_infinity)
    return total.sum(dim).to(dtype)


def f_divergence_from_samples(f: FDivergence, log_p: Array, log_q: Array, *, dim: int = 0) -> Array:
    """Estimate of D_f(p ‖ q) = E_q f(p/q): the mean of f(p/q) over samples **from q**.

    An estimate can be negative where the divergence is not. What p puts where q is 0 is never
    sampled, and not counted.

    Result: divergences.f_divergence_nonnegative
    Shapes: log-densities at the samples, alike, the samples along ``dim``, which is averaged. log_p
        may be -inf. Nats for KL and JS.
    Errors: ValueError for shapes that differ, no samples, or an f that is no FDivergence.
    Source: Nowozin, Cseke, Tomioka 2016, equation 2.
    """
    _member(f)
    dtype, (log_p, log_q) = _tables(log_p, log_q, dim, names=("log_p", "log_q"))
    if log_p.shape[dim] == 0:
        refuse("log_p", describe(log_p), "at least one sample")
    absent = log_p == -math.inf
    r = torch.where(absent, torch.zeros_like(log_p), log_p) - log_q
    value = torch.where(absent & ~torch.isnan(log_q), f.at_zero, f.value(r))
    return value.mean(dim).to(dtype)


def fenchel_bound(
    f: FDivergence,
    critic_p: Array,
    critic_q: Array,
    *,
    dim: int = 0,
) -> Array:
    """The variational lower bound E_p T - E_q f*(T) ≤ D_f(p ‖ q), from values of a critic T.

    Tight at T = f'(p/q), which is ``f.slope(log p - log q)``.

    Result: divergences.fenchel_bound
    Shapes: the critic at samples from p and at samples from q, not necessarily as many, each along
        ``dim``, which is averaged. -inf where a value of critic_q is outside the domain of f*.
    Errors: ValueError for no samples, other dimensions that differ, or an f that is no FDivergence.
    Source: Nguyen, Wainwright, Jordan 2010; Nowozin, Cseke, Tomioka 2016, equation 4.
    """
    _member(f)
    floating("critic_p", critic_p)
    floating("critic_q", critic_q)
    dtype = torch.promote_types(critic_p.dtype, critic_q.dtype)
    means = []
    for name, critic in (("critic_p", critic_p), ("critic_q", critic_q)):
        _axis(name, critic, dim)
        if critic.shape[dim] == 0:
            refuse(name, describe(critic), "at least one sample")
        critic = critic.to(work_dtype(critic))
        means.append((critic if name == "critic_p" else f.conjugate(critic)).mean(dim))
    if means[0].shape != means[1].shape:
        refuse("critic_q", describe(critic_q), f"critic_p's shape but for the samples, {dim=}")
    return (means[0] - means[1]).to(dtype)


# Shared


def _promote(tensors: dict[str, Tensor]) -> tuple[torch.dtype, tuple[Tensor, ...]]:
    """The common dtype, and the tensors in the dtype to compute in."""
    for name, x in tensors.items():
        floating(name, x)
    first, *others = tensors.values()
    dtype = first.dtype
    for x in others:
        dtype = torch.promote_types(dtype, x.dtype)
    work = torch.float64 if dtype == torch.float64 else torch.float32
    return dtype, tuple(x.to(work) for x in tensors.values())


def _log_diagonal(chol: Tensor) -> Tensor:
    return torch.log(torch.diagonal(chol, dim1=-2, dim2=-1))


def _tables(
    p: Tensor, q: Tensor, dim: int, names: tuple[str, str] = ("p", "q")
) -> tuple[torch.dtype, tuple[Tensor, ...]]:
    dtype, both = _promote(dict(zip(names, (p, q), strict=True)))
    same_shape(names[1], q, names[0], p)
    _axis(names[0], p, dim)
    if names == ("p", "q"):
        for name, table in zip(names, both, strict=True):
            not_negative(name, table)
    return dtype, both


def _axis(name: str, x: Tensor, dim: int) -> None:
    if x.ndim == 0:
        refuse(name, describe(x), "at least one dimension")
    integer("dim", dim, -x.ndim, x.ndim - 1)


def _p_log_ratio(p: Tensor, q: Tensor) -> Tensor:
    """p log(p/q) with 0 log 0 = 0; gradients stay finite where p = 0."""
    some = p != 0
    one = torch.ones_like(p)
    log_ratio = torch.log(torch.where(some, p, one)) - torch.log(torch.where(some, q, one))
    return torch.where(some, p * log_ratio, 0.0)


def _xlog1py(x: Tensor, y: Tensor) -> Tensor:
    """x log(1 + y) where x vanishes with 1 + y."""
    some = x != 0
    return torch.where(some, x * torch.log1p(torch.where(some, y, torch.zeros_like(y))), 0.0)


def _where(mask: Tensor, x: Tensor, factor: float) -> Tensor:
    """factor · x under the mask; elsewhere an infinite factor would make the gradient NaN."""
    return torch.where(mask, torch.where(mask, x, torch.ones_like(x)) * factor, 0.0)


def _member(f: object) -> None:
    wanted = "an FDivergence: KL, REVERSE_KL, JS, TV, CHI2, or one of your own"
    instance("f", f, FDivergence, wanted)
