"""Exact ground truth: a Gaussian mixture known at every noise level, 2-D data, and digits.

The mixture's score, denoiser and velocity are those of x_t = alpha x_0 + sigma eps, so that
samplers and losses can be tested without a model's error. All its arithmetic is in float64; results
have the dtype and device of the data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from genmath._base.batch import per_sample
from genmath._base.checks import batched, describe, flag, float_dtype, integer, real, refuse, rng
from genmath._base.normal import log_normal
from genmath._base.shapes import Array, Coefficient, Data, PerSample
from genmath._base.torch import Float, Int, Tensor, torch

__all__ = [
    "Digits",
    "GaussianMixture",
    "checkerboard",
    "digits",
    "eight_gaussians",
    "moons",
    "moons_density",
    "s_curve",
    "spirals",
]

Points = Float[Tensor, "n 2"]
Labels = Int[Tensor, "n"]


class _Terms(NamedTuple):
    """What every exact quantity is made of; "own axes" are the eigenvectors of a covariance."""

    log_joint: Float[Tensor, "batch K"]  # log w_k N(x; alpha mean_k, alpha² cov_k + sigma² I)
    distance: Float[Tensor, "batch K d"]  # x - alpha mean_k, in the component's own axes
    variance: Float[Tensor, "*batch K d"]  # alpha² cov_k + sigma² I, in the same axes


class GaussianMixture:
    """Σ w_k N(mean_k, cov_k), exact at every noise level x_t = alpha x_0 + sigma eps.

    The methods take alpha and sigma as numbers or one value a sample; left out, they speak of the
    clean data. ``std=0`` makes the components points: an empirical distribution, with no density at
    sigma = 0 but everything exact at sigma > 0.

    Shapes: K weights that sum to one; means (K, *event), the event any shape, () included; ``std``
        one number or K of them; or ``covariances`` (K, d, d), d the size of the event.
    Errors: ValueError for weights that are not positive or do not sum to one, shapes that do not
        fit, a covariance that is not symmetric and positive semi-definite, or unless exactly one of
        ``std`` and ``covariances`` is given.
    """

    weights: Array  # (K,)
    means: Array  # (K, *event)

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        means: Sequence[object] | Tensor,
        *,
        std: float | Sequence[float] | Tensor | None = None,
        covariances: Sequence[object] | Tensor | None = None,
    ) -> None:
        w, mu = _table("weights", weights), _table("means", means)
        if w.ndim != 1 or len(w) == 0 or not bool((w > 0).all()):
            refuse("weights", w.tolist(), "positive numbers, one a component")
        if abs(w.sum().item() - 1) > 1e-6:
            refuse("weights", f"a sum of {w.sum().item():.9g}", "positive numbers that sum to one")
        if mu.ndim == 0 or len(mu) != len(w):
            refuse("means", describe(means), f"{len(w)} means, one for each weight")
        if (std is None) == (covariances is None):
            given = "neither" if std is None else "both"
            refuse("std, covariances", given, "exactly one of the two")
        self.weights = w / w.sum()
        self.means = mu
        d = math.prod(mu.shape[1:])
        axes: Tensor | None = None
        if covariances is not None:
            eigenvalues, axes = _eigen(_table("covariances", covariances), len(w), d)
        else:
            scale = _table("std", std)
            if scale.shape not in ((), (len(w),)) or not bool((scale >= 0).all()):
                refuse("std", describe(std), f"one number >= 0, or {len(w)} of them")
            eigenvalues = (scale**2).expand(len(w)).unsqueeze(1).expand(-1, d).contiguous()
        self._tensors = (self.weights.log(), mu.reshape(len(w), d), eigenvalues, axes)
        self._copies: dict[torch.device, tuple[Tensor, Tensor, Tensor, Tensor | None]] = {}

    @classmethod
    def ring(
        cls, components: int = 8, radius: float = 1.4, std: float = 0.28 * 0.1**0.25
    ) -> GaussianMixture:
        """Equal Gaussians evenly on a circle in the plane; by default those of `eight_gaussians`.

        Errors: ValueError unless components >= 1, radius >= 0 and std >= 0.
        """
        k = integer("components", components, 1, 10**6)
        r = real("radius", radius, "a number >= 0", 0.0)
        std = real("std", std, "a number >= 0", 0.0)
        angles = [2 * math.pi * i / k for i in range(k)]
        return cls([1 / k] * k, [[r * math.cos(a), r * math.sin(a)] for a in angles], std=std)

    @property
    def event(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return tuple(self.means.shape[1:])

    @property
    def mean(self) -> Array:
        """E[x_0], shaped like the event, in float64."""
        return torch.einsum("k,k...->...", self.weights, self.means)

    @property
    def covariance(self) -> Float[Tensor, "d d"]:
        """Cov[x_0] of the flattened event, in float64."""
        centred = self._tensors[1] - self.mean.reshape(-1)
        within = torch.einsum("k,kij->ij", self.weights, self._factors() @ self._factors().mT)
        return within + torch.einsum("k,ki,kj->ij", self.weights, centred, centred)

    def sample(
        self,
        n: int,
        *,
        generator: torch.Generator,
        stratified: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> Data:
        """n draws, on the generator's device.

        ``stratified`` fixes how many samples each component gives (n w_k, rounded by largest
        remainder) where independent draws leave it to chance: for test sets, whose distance to the
        mixture would otherwise be that of the counts.

        Shapes: (n, *event).
        Errors: ValueError for a negative n or a missing generator.
        """
        n, device, dtype = integer("n", n, 0), rng(generator).device, float_dtype(dtype)
        flag("stratified", stratified)
        _, means, eigenvalues, axes = self._on(device)
        if stratified:
            counts = torch.tensor(_largest_remainder(self.weights.tolist(), n), device=device)
            ordered = torch.repeat_interleave(torch.arange(len(counts), device=device), counts)
            which = ordered[torch.randperm(n, generator=generator, device=device)]
        else:
            u = torch.rand(n, generator=generator, dtype=torch.float64, device=device)
            edges = self.weights.cumsum(0)[:-1].to(device)
            which = torch.bucketize(u, edges, right=True)
        z = torch.randn(n, means.shape[1], generator=generator, dtype=torch.float64, device=device)
        z = z * eigenvalues[which].sqrt()
        if axes is not None:
            z = torch.einsum("bij,bj->bi", axes[which], z)
        return (means[which] + z).reshape(n, *self.event).to(dtype)

    def log_prob(self, x: Data, alpha: Coefficient = 1.0, sigma: Coefficient = 0.0) -> PerSample:
        """log p_t(x) in nats, differentiable in x.

        Shapes: x (B, *event) gives (B,).
        Errors: ValueError where x does not fit, or where numbers alpha and sigma leave a component
            without volume; with tensors such samples come out NaN. So it is for all methods.
        """
        return self._terms(x, alpha, sigma).log_joint.logsumexp(1).to(x.dtype)

    def log_joint(
        self, x: Data, alpha: Coefficient = 1.0, sigma: Coefficient = 0.0
    ) -> Float[Tensor, "batch K"]:
        """log p_t(x, k) of each component; its logsumexp is `log_prob`.

        Shapes: x (B, *event) gives (B, K).
        """
        return self._terms(x, alpha, sigma).log_joint.to(x.dtype)

    def responsibilities(
        self, x: Data, alpha: Coefficient = 1.0, sigma: Coefficient = 0.0
    ) -> Float[Tensor, "batch K"]:
        """p_t(k | x), the probability that x came from component k.

        Shapes: x (B, *event) gives (B, K).
        """
        return self._terms(x, alpha, sigma).log_joint.softmax(1).to(x.dtype)

    def score(self, x: Data, alpha: Coefficient = 1.0, sigma: Coefficient = 0.0) -> Data:
        """∇ log p_t(x), the score of the marginal, and not of one kernel."""
        t = self._terms(x, alpha, sigma)
        return self._back(-t.distance / t.variance, t, x)

    def eps(self, x: Data, alpha: Coefficient, sigma: Coefficient) -> Data:
        """E[eps | x_t = x]; 0 at sigma = 0, where x_t holds no noise."""
        t = self._terms(x, alpha, sigma)
        return self._back(_wide(sigma, x) * t.distance / t.variance, t, x)

    def denoiser(self, x: Data, alpha: Coefficient, sigma: Coefficient) -> Data:
        """E[x_0 | x_t = x]; x itself at (1, 0), the mean of the mixture at (0, 1)."""
        t = self._terms(x, alpha, sigma)
        _, means, eigenvalues, _ = self._on(x.device)
        shift = _wide(alpha, x) * eigenvalues * t.distance / t.variance
        mean = (t.log_joint.softmax(1) @ means).reshape(x.shape)
        return (mean + self._back(shift, t, x.double())).to(x.dtype)

    def velocity(
        self,
        x: Data,
        alpha: Coefficient,
        sigma: Coefficient,
        d_alpha: Coefficient,
        d_sigma: Coefficient,
    ) -> Data:
        """E[d x_t/dt | x_t = x] = d_alpha E[x_0 | x] + d_sigma E[eps | x], the marginal velocity.

        Result: flow_matching.marginal_velocity, flow_matching.gaussian_velocity
        Shapes: the derivatives like alpha and sigma, finite where they are numbers.
        """
        slopes = [_event(name, c, x) for name, c in (("d_alpha", d_alpha), ("d_sigma", d_sigma))]
        wide = batched("x", x).double()
        x0, eps = self.denoiser(wide, alpha, sigma), self.eps(wide, alpha, sigma)
        return (slopes[0] * x0 + slopes[1] * eps).to(x.dtype)

    def __repr__(self) -> str:
        return f"GaussianMixture(K={len(self.weights)}, event={self.event})"

    def _factors(self) -> Tensor:
        """L_k with L_k L_kᵀ = cov_k."""
        _, _, eigenvalues, axes = self._tensors
        roots = eigenvalues.sqrt()
        return torch.diag_embed(roots) if axes is None else axes * roots.unsqueeze(1)

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        if device.type == "cpu":
            return self._tensors
        if device not in self._copies:
            log_w, means, eigenvalues, axes = self._tensors
            self._copies[device] = (
                log_w.to(device),
                means.to(device),
                eigenvalues.to(device),
                None if axes is None else axes.to(device),
            )
        return self._copies[device]

    def _terms(self, x: Data, alpha: Coefficient, sigma: Coefficient) -> _Terms:
        if batched("x", x).shape[1:] != self.event:
            refuse("x", describe(x), f"samples of shape {self.event}, the batch first")
        a, s = (_wide(c, x, name) for name, c in (("alpha", alpha), ("sigma", sigma)))
        log_w, means, eigenvalues, axes = self._on(x.device)
        distance = x.double().reshape(len(x), 1, means.shape[1]) - a * means
        if axes is not None:
            distance = torch.einsum("bki,kij->bkj", distance, axes)
        variance = a**2 * eigenvalues + s**2
        if not isinstance(a, Tensor) and not isinstance(s, Tensor) and s == 0:
            self._check_volume(a)
        log_p = log_normal(distance / torch.sqrt(variance), torch.log(variance)).sum(-1)
        return _Terms(log_w + log_p, distance, variance)

    def _check_volume(self, alpha: float) -> None:
        if alpha == 0.0 or bool((self._tensors[2] == 0).any()):
            refuse("sigma", 0.0, "a positive number: without noise a component has no volume")

    def _back(self, own: Tensor, terms: _Terms, x: Tensor) -> Tensor:
        """The mean over components of vectors in their own axes, shaped and typed like x."""
        axes = self._on(x.device)[3]
        weighted = terms.log_joint.softmax(1).unsqueeze(2) * own
        if axes is not None:
            return torch.einsum("bkj,kij->bi", weighted, axes).reshape(x.shape).to(x.dtype)
        return weighted.sum(1).reshape(x.shape).to(x.dtype)


def _event(name: str, c: Coefficient, x: Tensor) -> Coefficient:
    """A coefficient of any sign, in float64, that broadcasts over x."""
    value = per_sample(name, c, x, -math.inf)
    return value.double() if isinstance(value, Tensor) else value


def _wide(c: Coefficient, x: Tensor, name: str = "coefficient") -> Coefficient:
    """A coefficient >= 0, in float64, that broadcasts over (B, K, d)."""
    value = per_sample(name, c, x)
    if not isinstance(value, Tensor):
        return value
    return value.double().reshape(-1, 1, 1) if value.ndim else value.double()


def _table(name: str, values: object) -> Tensor:
    complex_ = isinstance(values, Tensor) and values.dtype.is_complex
    if isinstance(values, (str, bytes, bool, torch.dtype)) or complex_:
        refuse(name, describe(values), "a table of numbers")
    try:
        # Python numbers straight to float64, and not by way of the default dtype
        table = torch.as_tensor(values, dtype=torch.float64, device="cpu").detach()
    except (TypeError, ValueError, RuntimeError, OverflowError):
        refuse(name, describe(values), "a table of numbers")
    if not bool(torch.isfinite(table).all()):
        refuse(name, f"{describe(values)} with a number that is not finite", "finite numbers")
    return table


def _eigen(covariances: Tensor, k: int, d: int) -> tuple[Tensor, Tensor | None]:
    """Eigenvalues (K, d) and orthonormal eigenvectors (K, d, d), one a column; of diagonal matrices
    none are needed."""
    if covariances.shape != (k, d, d):
        refuse("covariances", describe(covariances), f"shape {(k, d, d)}")
    size = covariances.abs().amax(dim=(1, 2), keepdim=True)
    if bool(((covariances - covariances.mT).abs() > 1e-12 * size).any()):
        refuse("covariances", "a matrix that is not symmetric", "symmetric matrices")
    diagonal = covariances.diagonal(dim1=1, dim2=2)
    axes: Tensor | None = None
    if torch.equal(covariances, torch.diag_embed(diagonal)):
        eigenvalues = diagonal.contiguous()
    else:
        eigenvalues, axes = torch.linalg.eigh(covariances)
    if bool((eigenvalues < -1e-12 * size.squeeze(2)).any()):
        lowest = eigenvalues.min().item()
        refuse("covariances", f"an eigenvalue of {lowest:.3g}", "positive semi-definite matrices")
    return eigenvalues.clamp(min=0.0), axes  # what is below 0 here is rounding


def _largest_remainder(weights: list[float], n: int) -> list[int]:
    """Whole numbers that sum to n, each n w_k rounded down or up."""
    counts = [math.floor(n * w) for w in weights]
    by_remainder = sorted(range(len(weights)), key=lambda k: counts[k] - n * weights[k])
    for k in by_remainder[: n - sum(counts)]:
        counts[k] += 1
    return counts


# Data in the plane: n points (n, 2) in random order, on the generator's device. All have mean 0 and
# about unit scale, so that normal noise is as wide as they are: the mean of the two variances is
# within 0.95..1.35. With ``stratified`` the place along the set is spread evenly, one sample in
# each n-th of it, rather than drawn.


def eight_gaussians(
    n: int,
    *,
    generator: torch.Generator,
    stratified: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Points:
    """Eight equal Gaussians on a circle of radius 1.4, of std 0.157; at unit scale (variance 1).

    `GaussianMixture.ring()` is the same set, with its exact density.

    Errors: ValueError for a negative n or a missing generator; so for all sets below.
    Source: 0.28 times the set of the torchcfm package, of radius 5.
    """
    return GaussianMixture.ring().sample(n, generator=generator, stratified=stratified, dtype=dtype)


def moons(
    n: int,
    *,
    generator: torch.Generator,
    stratified: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Points:
    """Two interleaved half circles of radius 1.4 around 0, with noise of std 0.28, at unit scale.

    The variances are 1.55 along them and 0.56 across, in [-2.1, 2.1] × [-1.05, 1.05] and the noise.

    Source: 1.4 times scikit-learn's ``make_moons`` with noise 0.2, less its mean (0.5, 0.25); the
        torchcfm package has 3 times that set, less 1.
    """
    u = _place(n, generator, stratified)
    lower = u >= 0.5
    angle = math.pi * torch.where(lower, 2 * u - 1, 2 * u)
    x = torch.where(lower, 1 - angle.cos(), angle.cos())
    y = torch.where(lower, 0.5 - angle.sin(), angle.sin())
    clean = torch.stack([x, y], 1)
    centre = clean.new_tensor([0.5, 0.25])
    return (1.4 * (clean - centre + 0.2 * _normal(n, generator))).to(float_dtype(dtype))


def moons_density() -> GaussianMixture:
    """The density that `moons` draws from, to twelve digits: what a model of it can reach.

    The mean over an arc is a Gauss–Legendre sum with 128 nodes. The entropy is 2.3504 nats.
    """
    from numpy.polynomial.legendre import leggauss

    nodes, weights = (torch.from_numpy(table) for table in leggauss(128))
    angle = math.pi * (nodes + 1) / 2
    upper = torch.stack([angle.cos(), angle.sin()], 1)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)
    centre = upper.new_tensor([0.5, 0.25])
    return GaussianMixture(
        torch.cat([weights, weights]) / 4, 1.4 * (torch.cat([upper, lower]) - centre), std=0.28
    )


def s_curve(
    n: int,
    *,
    generator: torch.Generator,
    stratified: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Points:
    """Two arcs of radius 0.9 joined to an S, with noise of std 0.045, at unit scale.

    The variances are 0.41 across it and 1.56 along it, in [-0.9, 0.9] × [-1.8, 1.8] and the noise.

    Source: 0.9 times the first and last coordinate of scikit-learn's ``make_s_curve``, noise 0.05;
        the torchcfm package has 1.5 times these.
    """
    angle = 3 * math.pi * (_place(n, generator, stratified) - 0.5)
    clean = torch.stack([angle.sin(), angle.sign() * (angle.cos() - 1)], 1)
    return (0.9 * (clean + 0.05 * _normal(n, generator))).to(float_dtype(dtype))


def spirals(
    n: int,
    *,
    generator: torch.Generator,
    stratified: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Points:
    """Two spiral arms of one and a half turns, out to radius 2, with noise of std 0.05.

    At unit scale (variance 1). The arms are each other turned by π. The radius grows in proportion
    to the angle, and the angle as the square root of a uniform number, so that an arm is about
    equally dense all along.
    """
    u = _place(n, generator, stratified)
    second = u >= 0.5
    radius = torch.where(second, 2 * u - 1, 2 * u).sqrt()
    angle = 3 * math.pi * radius
    arm = torch.where(second, -2.0, 2.0) * radius
    clean = torch.stack([arm * angle.cos(), arm * angle.sin()], 1)
    return (clean + 0.05 * _normal(n, generator)).to(float_dtype(dtype))


def checkerboard(
    n: int,
    *,
    generator: torch.Generator,
    stratified: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Points:
    """Uniform on the eight dark squares, each of side 1, of a 4 × 4 board on [-2, 2]².

    At unit scale (variance 4/3). A square is dark where its column and row, counted from the lower
    left, are both even or odd.
    """
    cell = 8 * _place(n, generator, stratified)
    square = cell.floor().clamp(max=7)  # rounding may reach 8
    column = (square / 2).floor()
    row = 2 * (square % 2) + column % 2
    u = torch.rand(n, 2, generator=generator, dtype=torch.float64, device=generator.device)
    return (torch.stack([column, row], 1) + u - 2).to(float_dtype(dtype))


def _place(n: int, generator: torch.Generator, stratified: bool) -> PerSample:
    """n numbers in [0, 1): drawn, or one in each n-th in random order."""
    n, device = integer("n", n, 0), rng(generator).device
    flag("stratified", stratified)
    u = torch.rand(n, generator=generator, dtype=torch.float64, device=device)
    if not stratified:
        return u
    return (torch.randperm(n, generator=generator, device=device) + u) / max(n, 1)


def _normal(n: int, generator: torch.Generator) -> Points:
    return torch.randn(n, 2, generator=generator, dtype=torch.float64, device=generator.device)


class Digits(NamedTuple):
    """Images (N, 1, 8, 8) with values in [low, 1], and which digit each shows."""

    train: Float[Tensor, "N 1 8 8"]
    train_labels: Labels
    test: Float[Tensor, "M 1 8 8"]
    test_labels: Labels


def digits(
    *,
    low: float = -1.0,
    test_fraction: float = 0.2,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> Digits:
    """The 1797 handwritten digits of scikit-learn, grey levels 0..16 scaled to [low, 1].

    From -1 they suit a diffusion and `genmath.vae.gaussian_log_likelihood`; ``low=0`` suits
    `genmath.vae.bernoulli_log_likelihood`, which is a likelihood for 0 and 1 only.

    Nothing is downloaded; the set comes with scikit-learn. One seed is one split.

    Shapes: images (N, 1, 8, 8), labels (N,) of integers 0..9; on the CPU.
    Errors: ImportError without scikit-learn; ValueError unless low is in [-1, 0] and test_fraction
        in [0, 1].
    Source: Alpaydin, Kaynak 1998, "Optical recognition of handwritten digits" (UCI repository).
    """
    low = real("low", low, "a number in [-1, 0]", -1.0, 0.0)
    fraction = real("test_fraction", test_fraction, "a number in [0, 1]", 0.0, 1.0)
    seed, dtype = integer("seed", seed, 0, 2**63 - 1), float_dtype(dtype)
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError:
        raise ImportError(
            "scikit-learn is not installed; run: pip install scikit-learn", name="sklearn"
        ) from None
    table, labels = load_digits(return_X_y=True)
    images = torch.from_numpy(table).to(torch.float64).reshape(-1, 1, 8, 8) / 16
    images = low + (1 - low) * images
    labels = torch.from_numpy(labels).long()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    cut = len(images) - round(fraction * len(images))
    train, test = order[:cut], order[cut:]
    images = images.to(dtype)
    return Digits(images[train], labels[train], images[test], labels[test])
