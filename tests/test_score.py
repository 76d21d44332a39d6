"""Score matching against mixtures whose score is known at every noise level."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genmath import book
from genmath.predictions import convert
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Apply, Deriv, Expect, Fn, Named, Node, Symbol, transform
from genmath.score import (
    annealed_langevin,
    contrastive_loss,
    denoising_loss,
    energy_score,
    geometric_levels,
    hyvarinen_loss,
    kernel_score,
    langevin_step,
    langevin_variance,
    sliced_loss,
    tweedie,
    tweedie_covariance,
)
from genmath.toys import GaussianMixture
from tests.checked import checked

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
SHAPES = [(3,), (3, 2), (2, 1, 2, 2)]
scales = st.floats(0.1, 3.0)


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64).to(dtype)


def points(k: int, d: int, seed: int = 0) -> GaussianMixture:
    """A finite data set: k points of equal weight in d dimensions."""
    return GaussianMixture([1 / k] * k, 2 * normal(k, d, seed=seed), std=0.0)


def explicit_loss(model, x: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """What score matching would minimise if the score were known, on the line."""
    return ((model(x) - true) ** 2).mean()


def bumpy(a: float, b: float, c: float):
    """A smooth field on the line."""
    return lambda x: c * x + torch.tanh(a * x + b)


class Affine(nn.Module):
    """x ↦ A x + b."""

    def __init__(self, d: int, seed: int = 0) -> None:
        super().__init__()
        self.matrix = nn.Parameter(normal(d, d, seed=seed))
        self.bias = nn.Parameter(normal(d, seed=seed + 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.matrix.T + self.bias


# Denoising


class Quadrature:
    """Every pair of a data point and a Gauss-Hermite noise, with weights that average to one."""

    def __init__(self, data: torch.Tensor, nodes: int = 90) -> None:
        at, weight = np.polynomial.hermite_e.hermegauss(nodes)
        noise = torch.from_numpy(at)
        self.x0 = data.repeat_interleave(nodes)
        self.noise = noise.repeat(len(data))
        self.weight = torch.from_numpy(weight / weight.sum()).repeat(len(data)) * nodes


@settings(max_examples=30)
@given(a=st.floats(-1, 1), b=st.floats(-1, 1), c=st.floats(-1, 1), alpha=st.floats(0.1, 1.0),
       sigma=st.floats(0.7, 3.0))  # fmt: skip
def test_denoising_is_explicit_matching_plus_the_floor(a, b, c, alpha, sigma) -> None:
    """The loss of any model is the loss of the exact score plus the explicit loss of the model."""
    data = torch.tensor([-1.0, 0.2, 0.9], dtype=torch.float64)
    q, mixture = Quadrature(data), GaussianMixture([1 / 3] * 3, data, std=0.0)
    x = alpha * q.x0 + sigma * q.noise

    def exact(at: torch.Tensor) -> torch.Tensor:
        return mixture.score(at, alpha, sigma)

    def loss(model) -> torch.Tensor:
        return denoising_loss(
            lambda x, level: model(x), q.x0, alpha, sigma, noise=q.noise, weight=q.weight
        )

    model = bumpy(a, b, c)
    explicit = (q.weight * (model(x) - exact(x)) ** 2).mean()
    floor = (q.weight * (kernel_score(x, q.x0, alpha, sigma) - exact(x)) ** 2).mean()
    assert floor > 1e-5  # the best loss is not zero
    torch.testing.assert_close(loss(exact), floor, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(loss(model), explicit + floor, rtol=1e-4, atol=1e-5)


def test_the_default_weight_makes_the_zero_network_cost_one_a_coordinate(device) -> None:
    x0 = normal(100_000, 2).to(device)
    for sigma in (0.01, 1.0, 50.0):
        got = denoising_loss(
            lambda x, level: torch.zeros_like(x), x0, 1.0, sigma, generator=rng(device)
        )
        assert got.item() == pytest.approx(2.0, abs=0.03)
        weighted = denoising_loss(
            lambda x, level: torch.zeros_like(x), x0, 1.0, sigma, generator=rng(device),
            weight=sigma**2,
        )  # fmt: skip
        torch.testing.assert_close(weighted, got)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_model_sees_noisy_data_and_one_level_a_sample(device, dtype, shape) -> None:
    x0, noise = (normal(*shape, seed=i, dtype=dtype).to(device) for i in (1, 2))
    sigma = torch.linspace(0.5, 2.0, len(x0), dtype=torch.float64, device=device)
    alpha = torch.linspace(1.0, 0.2, len(x0), dtype=torch.float64, device=device)
    wide = (-1, *[1] * (x0.ndim - 1))
    seen = []

    def model(x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        seen.append((x, level))
        return (-noise.double() / sigma.reshape(wide)).to(dtype)

    got = denoising_loss(model, x0, alpha, sigma, noise=noise)
    (x, level), eps = seen[0], torch.finfo(dtype).eps
    assert x.dtype == got.dtype == dtype
    assert level.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert level.shape == (len(x0),)
    torch.testing.assert_close(level, sigma.to(level.dtype))
    expected = alpha.reshape(wide) * x0.double() + sigma.reshape(wide) * noise.double()
    torch.testing.assert_close(x.double(), expected, rtol=2 * eps, atol=4 * eps)
    assert got.item() < 100 * eps**2 * x0.numel() + 1e-12  # it answered with the target
    scalar = denoising_loss(lambda x, s: torch.zeros_like(x), x0, 1.0, 0.5, noise=noise)
    flat = (noise.double().flatten(1) if noise.ndim > 1 else noise.double()[:, None]) ** 2
    assert scalar.item() == pytest.approx(flat.sum(1).mean().item(), rel=8 * eps)


def test_a_large_offset_loses_nothing() -> None:
    """The target is the noise that was drawn, not what is left of it in x."""
    x0, noise = torch.full((4, 3), 1e4), normal(4, 3).float()
    got = denoising_loss(lambda x, s: -noise / 0.01, x0, 1.0, 0.01, noise=noise)
    assert got.item() < 1e-10


@given(sigma=scales, alpha=scales, seed=st.integers(0, 99))
def test_the_kernels_score_is_minus_the_noise_over_sigma(sigma, alpha, seed) -> None:
    x0, eps = normal(3, 2, seed=seed), normal(3, 2, seed=seed + 1)
    x = alpha * x0 + sigma * eps
    got = kernel_score(x, x0, alpha, sigma)
    torch.testing.assert_close(got, -eps / sigma, rtol=1e-9, atol=1e-9)
    at = x.clone().requires_grad_()
    law = torch.distributions.Normal(alpha * x0, sigma)
    (slope,) = torch.autograd.grad(law.log_prob(at).sum(), at)
    torch.testing.assert_close(got, slope, rtol=1e-9, atol=1e-9)


# Without noise


def quantiles(n: int = 20_001) -> torch.Tensor:
    """Points that stand for a standard normal, evenly by mass."""
    ranks = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return torch.distributions.Normal(0.0, 1.0).icdf(ranks)


@settings(max_examples=20)
@given(a=st.floats(-1, 1), b=st.floats(-1, 1), c=st.floats(-1, 1))
def test_hyvarinens_loss_is_the_explicit_one_up_to_a_constant(a, b, c) -> None:
    x, model = quantiles(), bumpy(a, b, c)
    explicit = explicit_loss(model, x, -x)
    information = (x**2).mean()  # E of the squared true score: no model in it
    torch.testing.assert_close(
        hyvarinen_loss(model, x) + information, explicit, rtol=2e-3, atol=2e-3
    )


@pytest.mark.parametrize("d", [1, 2, 4])
def test_hyvarinen_and_sliced_on_a_linear_field(device, d) -> None:
    """Squared length plus twice the trace; along w, (w·s)² plus twice wᵀA w."""
    model, x = Affine(d).to(device), normal(5, d, seed=3).to(device)
    s, matrix = model(x), model.matrix
    expected = (s**2).sum(1).mean() + 2 * matrix.trace()
    torch.testing.assert_close(hyvarinen_loss(model, x), expected)
    w = normal(5, d, seed=7).to(device)
    along, quadratic = (w * s).sum(-1), torch.einsum("bi,ij,bj->b", w, matrix, w)
    torch.testing.assert_close(
        sliced_loss(model, x, noise=w), (along**2 + 2 * quadratic).mean()
    )  # fmt: skip
    k = 4000
    with torch.no_grad():  # at many directions: the mean is the full loss, for it is unbiased
        many = sliced_loss(model, x.repeat(k, 1), generator=rng(device))
    spread = 6 * (matrix.detach().norm() ** 2 + (s.detach() ** 2).sum(1).max()).item()
    assert abs(many.item() - expected.item()) < spread / math.sqrt(k)


@pytest.mark.parametrize("loss", [hyvarinen_loss, lambda m, x: sliced_loss(m, x, generator=rng())])
@pytest.mark.parametrize("shape", SHAPES)
def test_losses_without_noise_train_any_shape(loss, shape) -> None:
    x = normal(*shape)
    scale = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)

    def model(at: torch.Tensor) -> torch.Tensor:
        return scale * torch.tanh(at)

    loss(model, x).backward()
    assert torch.isfinite(scale.grad)
    assert scale.grad != 0
    constant = torch.ones_like(x)
    expected = constant.flatten(1).sum(1).mean() if x.ndim > 1 else constant.mean()
    torch.testing.assert_close(hyvarinen_loss(lambda at: constant + 0 * at, x), expected)


# Tweedie


@settings(max_examples=40)
@given(k=st.integers(1, 4), d=st.integers(1, 3), alpha=scales, sigma=st.floats(0.3, 3.0),
       seed=st.integers(0, 99))  # fmt: skip
def test_tweedie_on_a_finite_data_set(k, d, alpha, sigma, seed) -> None:
    """Mean and covariance of x_0 given x are those of the responsibilities."""
    data = points(k, d, seed)
    x = alpha * data.sample(4, generator=rng(seed=seed), dtype=torch.float64)
    x = x + sigma * normal(4, d, seed=seed + 1)
    mean_of = tweedie(data.score(x, alpha, sigma), x, alpha, sigma)
    covariance_of = tweedie_covariance(lambda at: data.score(at, alpha, sigma), x, alpha, sigma)
    share = data.responsibilities(x, alpha, sigma)
    mean = share @ data.means
    centred = data.means - mean.unsqueeze(1)
    covariance = torch.einsum("bk,bki,bkj->bij", share, centred, centred)
    size = 1 + (sigma / alpha) ** 2
    torch.testing.assert_close(mean_of, mean, rtol=1e-9, atol=1e-9 * size)
    torch.testing.assert_close(mean_of, data.denoiser(x, alpha, sigma), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(covariance_of, covariance, rtol=1e-7, atol=1e-9 * size)


def test_tweedie_on_a_gaussian_with_a_level_a_sample(device) -> None:
    """A linear posterior: its covariance does not depend on x."""
    spread = torch.tensor([[2.0, 0.5], [0.5, 0.3]], dtype=torch.float64)
    data = GaussianMixture([1.0], [[1.0, -1.0]], covariances=spread[None])
    alpha = torch.tensor([1.0, 0.5, 0.1], dtype=torch.float64, device=device)
    sigma = torch.tensor([0.2, 0.9, 3.0], dtype=torch.float64, device=device)
    x = normal(3, 2).to(device)
    mean_of = tweedie(data.score(x, alpha, sigma), x, alpha, sigma)
    covariance_of = tweedie_covariance(lambda at: data.score(at, alpha, sigma), x, alpha, sigma)
    for i in range(3):
        a, s = alpha[i].item(), sigma[i].item()
        expected = torch.linalg.inv(
            torch.linalg.inv(spread) + (a / s) ** 2 * torch.eye(2, dtype=torch.float64)
        )
        torch.testing.assert_close(covariance_of[i].cpu(), expected, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(mean_of, data.denoiser(x, alpha, sigma))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*SHAPES, (0, 2)])
def test_tweedie_keeps_shapes_and_dtypes_and_no_graph(device, dtype, shape) -> None:
    x = normal(*shape, dtype=dtype).to(device)
    mean = tweedie(-x / 2, x, 1.0, 1.0)
    covariance = tweedie_covariance(lambda at: -at / 2, x, 1.0, 1.0)
    d = math.prod(shape[1:])
    assert mean.shape == x.shape
    assert covariance.shape == (len(x), d, d)
    assert mean.dtype == covariance.dtype == dtype
    assert not covariance.requires_grad
    half = torch.eye(d, dtype=dtype, device=device) / 2
    torch.testing.assert_close(covariance, half.expand(len(x), d, d))
    torch.testing.assert_close(mean, x / 2)


# Levels and Langevin


@given(st.floats(0.1, 100), st.floats(1e-4, 0.9), st.integers(2, 300))
def test_levels_fall_by_one_ratio_and_hit_both_ends(largest, fraction, n) -> None:
    levels = geometric_levels(largest, largest * fraction, n)
    assert levels.shape == (n,)
    assert levels[0] == largest
    assert levels[-1] == largest * fraction
    ratios = levels[1:] / levels[:-1]
    torch.testing.assert_close(ratios, ratios[:1].expand(n - 1), rtol=1e-9, atol=0)
    assert (ratios < 1).all()


@given(variance=st.floats(0.05, 20), fraction=st.floats(0.001, 0.98))
def test_the_variance_where_langevin_steps_settle(variance, fraction) -> None:
    """A step is x ↦ a x + b z for a normal target; the settled variance solves v = a² v + b²."""
    step = 2 * variance * fraction
    one, zero = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    a = langevin_step(-one / variance, one, step, noise=zero).item()
    b = langevin_step(zero, zero, step, noise=one).item()
    settled = langevin_variance(step, math.sqrt(variance))
    assert settled == pytest.approx(a**2 * settled + b**2, rel=1e-9)
    assert settled > variance
    assert settled - variance >= step / 2 * (1 - 1e-9)


def test_langevin_steps_have_the_law_that_is_said() -> None:
    x, generator, step = torch.zeros(40_000, dtype=torch.float64), rng(), 0.8
    for _ in range(30):
        x = langevin_step(-x / 1.5, x, step, generator=generator)
    assert x.var().item() == pytest.approx(langevin_variance(step, math.sqrt(1.5)), rel=0.03)
    assert abs(x.mean().item()) < 0.03


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*SHAPES, (0, 2)])
def test_a_langevin_step_keeps_shape_dtype_and_generator(device, dtype, shape) -> None:
    x, s = (normal(*shape, seed=i, dtype=dtype).to(device) for i in (0, 1))
    got = langevin_step(s, x, 0.02, generator=rng(device))
    again = langevin_step(s, x, 0.02, generator=rng(device))
    assert got.shape == x.shape
    assert got.dtype == dtype
    assert torch.equal(got, again)


def anneal(levels, score=lambda x, sigma: -x / (1 + sigma[:, None] ** 2), **options):
    return annealed_langevin(
        score, (4, 2), levels,
        **{"step": 0.2, "repeats": 3, "generator": rng(), "dtype": torch.float64, **options},
    )  # fmt: skip


def test_annealing_visits_each_level_that_often_and_is_the_loop_over_the_step(device) -> None:
    levels, seen = geometric_levels(5.0, 0.05, 6), []

    def model(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        seen.append(sigma)
        return -x / (1 + sigma[:, None] ** 2)

    start = normal(4, 2).to(device)
    got = anneal(levels, model, start=start, generator=rng(device))
    expected = levels.repeat_interleave(3).to(device)
    torch.testing.assert_close(
        torch.stack(seen), expected[:, None].expand(18, 4), rtol=1e-9, atol=0
    )
    x, generator = start, rng(device)
    for sigma in expected:
        h = 0.2 * sigma**2
        x = langevin_step(-x / (1 + sigma**2), x, h, generator=generator)
    torch.testing.assert_close(got, x)
    assert torch.equal(anneal(levels.tolist(), start=start, generator=rng(device)), got)
    assert anneal([1.0], dtype=torch.bfloat16).dtype == torch.bfloat16


@settings(max_examples=30)
@given(fraction=st.floats(0.01, 0.9), sigma=scales, start=st.floats(0, 5), k=st.integers(0, 9))
def test_the_variance_after_some_steps_is_that_of_the_recursion(fraction, sigma, start, k) -> None:
    h, variance = 2 * fraction * sigma**2, start
    for _ in range(k):
        variance = (1 - h / sigma**2) ** 2 * variance + 2 * h
    got = langevin_variance(h, sigma, steps=k, start=start)
    assert got == pytest.approx(variance, rel=1e-9, abs=1e-12)


# Energies


def test_an_energys_score_has_no_normaliser(device) -> None:
    x = normal(4, 3).to(device)
    matrix = torch.eye(3, dtype=torch.float64, device=device) * 2 + 0.3
    for constant in (0.0, 123.0):
        got = energy_score(lambda at, c=constant: ((at @ matrix) * at).sum(1) / 2 + c, x)
        torch.testing.assert_close(got, -x @ matrix)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_energys_score_is_trained_by_the_losses(shape) -> None:
    width = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)

    def energy(x: torch.Tensor) -> torch.Tensor:
        return (width * x**2 / 2).flatten(1).sum(1) if x.ndim > 1 else width * x**2 / 2

    x0 = normal(*shape)
    losses = (
        denoising_loss(lambda x, s: energy_score(energy, x), x0, 1.0, 0.5, generator=rng()),
        hyvarinen_loss(lambda x: energy_score(energy, x), x0),
        sliced_loss(lambda x: energy_score(energy, x), x0, generator=rng()),
    )
    for loss in losses:
        (slope,) = torch.autograd.grad(loss, width)
        assert torch.isfinite(slope)
        assert slope != 0


def test_an_energy_is_trained_without_noise_by_its_curvature_too() -> None:
    """The divergence of -∇U is the second derivative: the graph through x is kept."""
    x, w = normal(6, 2), 0.7

    def model(at: torch.Tensor) -> torch.Tensor:
        return energy_score(lambda y: w * (y**2).sum(1) / 2, at)

    expected = ((w * x) ** 2).sum(1).mean() - 2 * w * 2
    torch.testing.assert_close(hyvarinen_loss(model, x), expected)
    unit = torch.eye(2, dtype=torch.float64).expand(6, 2, 2)
    torch.testing.assert_close(tweedie_covariance(model, x, 1.0, 0.5), 0.25 * (1 - 0.25 * w) * unit)


def test_the_contrastive_gradient_is_that_of_the_likelihood() -> None:
    """Normal model with precision exp(θ): the exact gradient of the mean -log p."""
    theta = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    data = 1.3 * quantiles(4001)
    samples = quantiles(4001) * torch.exp(-theta.detach() / 2)
    loss = contrastive_loss(lambda x: torch.exp(theta) * x**2 / 2, data, samples)
    (got,) = torch.autograd.grad(loss, theta)
    likelihood = -torch.distributions.Normal(0.0, torch.exp(-theta / 2)).log_prob(data).mean()
    (expected,) = torch.autograd.grad(likelihood, theta)
    torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-3)


def test_samples_are_held_fixed() -> None:
    samples = normal(3, 2).requires_grad_()
    loss = contrastive_loss(lambda x: (x**2).sum(1), normal(2, 2), samples)
    assert not loss.requires_grad


def test_no_global_state_is_read_or_written() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    x = normal(4, 2)
    results = [
        (denoising_loss(lambda x, s: x, x, 1.0, 1.0, generator=rng()),
         sliced_loss(lambda x: x * x, x, generator=rng()),
         langevin_step(x, x, 0.1, generator=rng()).sum())
        for _ in range(2)
    ]  # fmt: skip
    assert torch.equal(torch.get_rng_state(), before)
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("x0", lambda x: kernel_score(x, x[:1], 1.0, 1.0)),
        ("sigma", lambda x: kernel_score(x, x, 1.0, 0.0)),
        ("sigma", lambda x: kernel_score(x, x, 1.0, -1.0)),
        ("alpha", lambda x: kernel_score(x, x, torch.ones(5), 1.0)),
        ("x", lambda x: kernel_score(x.long(), x, 1.0, 1.0)),
        ("x0", lambda x: denoising_loss(lambda a, s: a, x[:0], 1.0, 1.0, generator=rng())),
        ("sigma", lambda x: denoising_loss(lambda a, s: a, x, 1.0, 0.0, generator=rng())),
        ("noise, generator", lambda x: denoising_loss(lambda a, s: a, x, 1.0, 1.0)),
        ("weight", lambda x: denoising_loss(lambda a, s: a, x, 1.0, 1.0, noise=x, weight=-1)),
        ("score output", lambda x: denoising_loss(lambda a, s: a[:1], x, 1.0, 1.0, noise=x)),
        ("x", lambda x: hyvarinen_loss(id, x[:0])),
        ("score output", lambda x: hyvarinen_loss(lambda at: at[:, :1], x)),
        ("x", lambda x: sliced_loss(id, x[:0], generator=rng())),
        ("noise, generator", lambda x: sliced_loss(id, x, generator=rng(), noise=x)),
        ("noise, generator", lambda x: sliced_loss(id, x)),
        ("noise", lambda x: sliced_loss(id, x, noise=x[:1])),
        ("alpha", lambda x: tweedie(x, x, 0.0, 1.0)),
        ("score", lambda x: tweedie(x[:1], x, 1.0, 1.0)),
        ("alpha", lambda x: tweedie_covariance(id, x, 0.0, 1.0)),
        ("score output", lambda x: tweedie_covariance(lambda at: at[:1], x, 1.0, 1.0)),
        ("sigma_max", lambda x: geometric_levels(1.0, 1.0, 3)),
        ("sigma_min", lambda x: geometric_levels(1.0, 0.0, 3)),
        ("sigma_max", lambda x: geometric_levels(-1.0, 0.1, 3)),
        ("n", lambda x: geometric_levels(1.0, 0.1, 1)),
        ("h", lambda x: langevin_step(x, x, -0.1, noise=x)),
        ("score", lambda x: langevin_step(x[:1], x, 0.1, noise=x)),
        ("noise, generator", lambda x: langevin_step(x, x, 0.1)),
        ("h", lambda x: langevin_variance(2.0, 1.0)),
        ("sigma", lambda x: langevin_variance(0.1, 0.0)),
        ("steps", lambda x: langevin_variance(0.1, steps=-1)),
        ("start", lambda x: langevin_variance(0.1, steps=1, start=-1.0)),
        ("levels", lambda x: anneal([0.1, 1.0])),
        ("levels", lambda x: anneal([1.0, 0.0])),
        ("levels", lambda x: anneal([])),
        ("step", lambda x: anneal([1.0], step=0.0)),
        ("generator", lambda x: anneal([1.0], generator=None)),
        ("energy output", lambda x: energy_score(lambda at: at, x)),
        ("x", lambda x: contrastive_loss(lambda at: at.sum(1), x[:0], x)),
        ("samples", lambda x: contrastive_loss(lambda at: at.sum(1), x, x[:0])),
        ("energy output", lambda x: contrastive_loss(lambda at: at[:2, 0], x[:2], x)),
    ],
)  # fmt: skip
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.ones(3, 2))


# Ties: every implementation against the function made from the checked result


def result(name: str, part: str | None = None) -> Claim:
    derivation = getattr(book.chapter("score"), name)
    return derivation.conclusion if part is None else derivation[part].claim


def lettered(tree: Node, letters: dict[str, type | str]) -> Node:
    """The tree with a letter for what the backends do not compute: every derivative (where its
    name is given for `Deriv`), or what a defined letter stands for."""

    def visit(n: Node) -> Node | None:
        for name, what in letters.items():
            if (isinstance(what, type) and isinstance(n, what)) or (
                isinstance(n, Named) and n.name == what
            ):
                return Symbol(name)
        return None

    return transform(tree, visit)


def agree(got: torch.Tensor, expected: torch.Tensor) -> None:
    assert got.shape == expected.shape
    scale = 1 + expected.abs().max().item()
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9 * scale)


def number(x: float) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64)


@given(alpha=scales, sigma=scales, seed=st.integers(0, 99), d=st.integers(1, 3))
def test_tie_kernel_score(alpha, sigma, seed, d) -> None:
    x, x0 = normal(3, d, seed=seed), normal(3, d, seed=seed + 1)
    expected = checked(result("kernel_score", "place").rhs)(
        x=x, x_0=x0, alpha=number(alpha), sigma=number(sigma)
    )
    agree(kernel_score(x, x0, alpha, sigma), expected)


def body(tree: Node) -> Node:
    """What an expectation is taken of."""
    found = tree.body if isinstance(tree, Named) else tree
    assert isinstance(found, Expect)
    return found.body


@given(seed=st.integers(0, 99))
def test_what_explicit_loss_stands_for_here(seed) -> None:
    """The mean over a batch of what J is the mean of."""
    x, true = normal(5, seed=seed), normal(5, seed=seed + 1)
    loss = book.chapter("score").denoising["losses"].chain.steps[0].claim.rhs
    explicit = body(next(n for n in loss.walk() if isinstance(n, Named) and n.name == "J"))
    square = checked(lettered(explicit, {"marginal": Deriv}))
    expected = square(x=x, s=torch.sin, marginal=true).mean()
    agree(explicit_loss(torch.sin, x, true), expected)


def test_a_level_and_a_weight_of_each_sample_are_those_of_each_sample() -> None:
    x0, eps = normal(3, 2), normal(3, 2, seed=1)
    levels, weights = torch.tensor([0.3, 0.7, 1.9]).double(), torch.tensor([1.0, 0.5, 2.0]).double()
    whole = denoising_loss(lambda x, s: -x, x0, 1.0, levels, noise=eps, weight=weights)
    alone = [
        denoising_loss(
            lambda x, s: -x, x0[i : i + 1], 1.0, levels[i].item(),
            noise=eps[i : i + 1], weight=weights[i].item(),
        )
        for i in range(3)
    ]  # fmt: skip
    torch.testing.assert_close(whole, torch.stack(alone).mean())


@given(alpha=scales, sigma=scales, seed=st.integers(0, 99))
def test_tie_denoising_loss(alpha, sigma, seed) -> None:
    """The mean of what the checked loss is the mean of, with the kernel's checked score for the
    conditional one; and the weighted form of the chapter on noise levels."""
    x0, eps = normal(5, seed=seed), normal(5, seed=seed + 1)
    x = alpha * x0 + sigma * eps
    square = checked(lettered(body(result("denoising", "losses").lhs), {"conditional": Deriv}))
    conditional = checked(result("kernel_score", "noise").rhs)(
        eps=eps[:, None], sigma=number(sigma)
    )[:, 0]
    expected = square(x=x, s=torch.sin, conditional=conditional).mean()
    got = denoising_loss(lambda x, level: torch.sin(x), x0, alpha, sigma, noise=eps, weight=1.0)
    agree(got, expected)

    weighted = checked(result("noise_levels", "weight").rhs)(
        eps=eps[:, None], s_theta=torch.sin(x)[:, None], sigma=number(sigma)
    )
    agree(
        denoising_loss(lambda x, level: torch.sin(x), x0, alpha, sigma, noise=eps), weighted.mean()
    )


@given(seed=st.integers(0, 99))
def test_tie_hyvarinen_loss(seed) -> None:
    x = normal(5, seed=seed)
    loss, _ = result("hyvarinen", "line").rhs.args
    expected = checked(body(loss))(x=x, s=torch.sin, s_prime=torch.cos).mean()
    agree(hyvarinen_loss(torch.sin, x), expected)


@given(seed=st.integers(0, 99))
def test_tie_sliced_loss(seed) -> None:
    """The mean over directions and data of what the checked average is the mean of."""
    model, x, w = Affine(2, seed), normal(5, 2, seed=seed + 2), normal(5, 2, seed=seed + 4)
    square = checked(body(result("sliced", "average").lhs), "s_w", "D_w")
    along = (model(x) * w).sum(1)
    slope = torch.einsum("bi,ij,bj->b", w, model.matrix, w)
    agree(sliced_loss(model, x, noise=w), square(s_w=along, D_w=slope).mean())


@given(alpha=scales, sigma=scales, seed=st.integers(0, 99))
def test_tie_tweedie(alpha, sigma, seed) -> None:
    """On the line, with a mixture's score and its derivative for the letters."""
    data = points(3, 1, seed)
    x = normal(4, 1, seed=seed)
    at = x.clone().requires_grad_()
    s = data.score(at, alpha, sigma)
    (slope,) = torch.autograd.grad(s.sum(), at)
    letters = {"alpha": number(alpha), "sigma": number(sigma)}
    mean_of = tweedie(data.score(x, alpha, sigma), x, alpha, sigma)
    covariance_of = tweedie_covariance(lambda at: data.score(at, alpha, sigma), x, alpha, sigma)
    mean = checked(lettered(result("tweedie").rhs, {"slope": Deriv}))
    agree(mean_of, mean(x=x, slope=s.detach(), **letters))
    converted = convert(s.detach(), x, alpha, sigma, source="score", target="x0")
    agree(mean_of, converted)
    variance = checked(lettered(result("tweedie_covariance", "variance").rhs, {"slope": Deriv}))
    agree(covariance_of[:, :, 0], variance(slope=slope, **letters))


@given(sigma=scales, alpha=scales, seed=st.integers(0, 99))
def test_tie_eps_optimum(sigma, alpha, seed) -> None:
    """`convert` makes the mean noise of the exact mixture into its score, as the chapter says."""
    data, x = points(3, 1, seed), normal(4, 1, seed=seed)
    noise = checked(lettered(result("eps_optimum").lhs, {"slope": Deriv}))(
        slope=data.score(x, alpha, sigma), sigma=number(sigma)
    )
    agree(data.eps(x, alpha, sigma), noise)
    got = convert(noise, x, alpha, sigma, source="eps", target="score")
    agree(got, data.score(x, alpha, sigma))


@given(seed=st.integers(0, 99), step=st.floats(1e-5, 1e-3))
def test_tie_langevin_step(seed, step) -> None:
    """The mean of f after a step changes by step times what the checked generator averages."""
    x, s = normal(4, seed=seed), normal(4, seed=seed + 1)
    generator = body(result("langevin", "generator").lhs)
    second = Apply("f_2", (), 0, *next(n for n in generator.walk() if isinstance(n, Apply)).args)
    generator = transform(
        generator,
        lambda n: (
            second
            if isinstance(n, Deriv) and isinstance(n.body, Apply)
            else Symbol("slope")
            if isinstance(n, Named)
            else None
        ),
    )
    rate = checked(generator)(x=x, f_prime=torch.cos, f_2=lambda u: -torch.sin(u), slope=s)
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    after = sum(
        w * torch.sin(langevin_step(s, x, step, noise=torch.full_like(x, z)))
        for z, w in zip(nodes, weights / weights.sum(), strict=True)
    )
    change = (after - torch.sin(x)) / step
    assert (change - rate).abs().max().item() < 10 * step * (1 + s.abs().max().item() ** 2)


@given(variance=st.floats(0.05, 20), fraction=st.floats(0.001, 0.98))
def test_tie_langevin_variance(variance, fraction) -> None:
    letters = {"c": number(fraction), "sigma": number(math.sqrt(variance))}
    fixed = book.chapter("score").langevin_bias["bias"].chain.steps[0].claim
    settled = next(n for n in fixed.lhs.walk() if isinstance(n, Named) and n.name == "v_h")
    got = langevin_variance(2 * fraction * variance, math.sqrt(variance))
    agree(number(got), checked(settled.body)(**letters))
    assert got - variance == pytest.approx(
        checked(fixed.rhs)(**letters).item(), rel=1e-6, abs=1e-12 * variance
    )


@given(c=st.floats(0.01, 0.9), sigma=scales)
def test_tie_annealed_langevin(c, sigma) -> None:
    """With c = step/2, the drift's mean square at the kernel's score is c times the noise's."""
    ends = [
        anneal([sigma], lambda x, s, v=v: torch.full_like(x, v), step=2 * c, repeats=1)
        for v in (0.0, 1.0)
    ]
    h = ends[1] - ends[0]
    made = result("annealed_steps", "balance")
    in_one_dimension = transform(made.rhs, lambda n: Symbol("d") if isinstance(n, Fn) else None)
    letters = {"c": number(c), "sigma": number(sigma)}
    step = next(n for n in made.lhs.walk() if isinstance(n, Named) and n.name == "h")
    agree(h, checked(step.body)(**letters).expand(4, 2))
    start = torch.zeros(4, 2, dtype=torch.float64)
    noise = anneal([sigma], lambda x, s: 0 * x, step=2 * c, repeats=1, start=start)
    z = torch.empty_like(noise).normal_(generator=rng())
    agree(noise, torch.sqrt(2 * h) * z)
    # ‖score‖² of the kernel has mean 1/sigma² in one dimension
    agree(h[0, 0] ** 2 / sigma**2, checked(in_one_dimension)(d=1.0, **letters))


def potential(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return theta * x**2 + torch.cos(theta + x)


@given(theta=st.floats(-2, 2), seed=st.integers(0, 99))
def test_tie_energy_score(theta, seed) -> None:
    x, theta = normal(4, seed=seed), number(theta)
    by_hand = 2 * theta * x - torch.sin(theta + x)
    expected = checked(lettered(result("energy_gradient", "place").rhs, {"slope": Deriv}))(
        slope=by_hand
    )
    agree(energy_score(lambda at: potential(theta, at), x), expected)


@settings(max_examples=30)
@given(theta=st.floats(-1, 1), seed=st.integers(0, 99))
def test_tie_contrastive_loss(theta, seed) -> None:
    """Data with a table of masses against every place as a sample, weighed by the exact model."""
    x, theta = normal(5, seed=seed), number(theta).requires_grad_()
    q = torch.rand(5, generator=rng(seed=seed), dtype=torch.float64)
    q = q / q.sum()
    right = result("energy_gradient", "likelihood").rhs
    slope = Apply("U_theta", (), 0, *next(n for n in right.walk() if isinstance(n, Apply)).args)
    right = transform(right, lambda n: slope if isinstance(n, Deriv) else None)
    first, _ = right.args  # the mean over the data, and minus that over the model
    data = checked(first)(
        q=q, x=x, theta=theta.detach(),
        U_theta=lambda t, at: at**2 - torch.sin(t + at),
    )  # fmt: skip
    weights = torch.softmax(-potential(theta.detach(), x), 0)
    model = (weights * (x**2 - torch.sin(theta.detach() + x))).sum()
    loss = contrastive_loss(
        lambda at: 5 * (q if at is x else weights) * potential(theta, at), x, x.clone()
    )
    (got,) = torch.autograd.grad(loss, theta)
    agree(got, data - model)
    log_z = torch.logsumexp(-potential(theta, x), 0)
    (exact,) = torch.autograd.grad((q * potential(theta, x)).sum() + log_z, theta)
    agree(got, exact)


def test_the_blind_spot_is_as_small_as_the_chapter_bounds_it() -> None:
    """Explicit loss of a mixture whose only fault is the weight, against the checked bound."""
    bound = checked(result("blind_spot").rhs)
    for m, w in ((1.0, 0.2), (2.0, 0.9), (3.0, 0.35)):
        fair = GaussianMixture([0.5, 0.5], [-m, m], std=1.0)
        tilted = GaussianMixture([1 - w, w], [-m, m], std=1.0)
        x = torch.cat([quantiles() - m, quantiles() + m])
        loss = explicit_loss(tilted.score, x, fair.score(x)).item()
        limit = bound(m=number(m), w=number(w)).item()
        assert 0 < loss < limit
        assert loss > limit / 20  # the bound is no idle one


TIES = {
    "kernel_score": {"score.kernel_score": test_tie_kernel_score},
    "denoising_loss": {
        "score.denoising": test_tie_denoising_loss,
        "score.noise_levels": test_tie_denoising_loss,
    },
    "hyvarinen_loss": {"score.hyvarinen": test_tie_hyvarinen_loss},
    "sliced_loss": {"score.sliced": test_tie_sliced_loss},
    "tweedie": {
        "score.tweedie": test_tie_tweedie,
    },
    "tweedie_covariance": {"score.tweedie_covariance": test_tie_tweedie},
    "langevin_step": {"score.langevin": test_tie_langevin_step},
    "annealed_langevin": {"score.annealed_steps": test_tie_annealed_langevin},
    "langevin_variance": {"score.langevin_bias": test_tie_langevin_variance},
    "energy_score": {"score.energy_gradient": test_tie_energy_score},
    "contrastive_loss": {"score.energy_gradient": test_tie_contrastive_loss},
}
