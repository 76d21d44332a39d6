"""Diffusions against exact mixtures: their densities solve the equations that are claimed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import nn

from genmath import book
from genmath._base.slopes import divergence, slope
from genmath.paths import (
    CosinePath,
    LinearPath,
    Path,
    VEPath,
    VPPath,
    linear_schedule,
    reverse_time,
)
from genmath.predictions import convert
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Apply, Deriv, Mul, Named, Node, Symbol, transform
from genmath.samplers import ReverseSDE, sample
from genmath.sde import (
    forward_step,
    linear_sde_moments,
    log_likelihood,
    ornstein_uhlenbeck_moments,
    probability_flow_velocity,
    reverse_drift,
)
from genmath.solvers import MIDPOINT, Adaptive, FixedSteps
from genmath.toys import GaussianMixture
from tests.checked import of_path, value

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
SHAPES = [(3,), (3, 2), (2, 1, 2, 2), (0, 2)]
PATHS: list[Path] = [VPPath(), VEPath(0.1, 10.0), CosinePath(), LinearPath()]
FROM_DATA = [VPPath(), VEPath(0.1, 10.0)]  # where f, g² and a score are finite at both ends

paths_ = st.sampled_from(PATHS)
times = st.floats(0.01, 0.95)
family = st.floats(0.0, 1.5)


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64).to(dtype)


def wide(x: float) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64)


def close(got: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-10) -> None:
    scale = max(1.0, expected.abs().max().item()) if expected.numel() else 1.0
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance * scale)


def mixture() -> GaussianMixture:
    covariances = [[[0.3, 0.1], [0.1, 0.2]], [[0.25, 0.0], [0.0, 0.4]]]
    return GaussianMixture([0.4, 0.6], [[-1.0, 0.5], [1.2, -0.4]], covariances=covariances)


def exact_score(m: GaussianMixture, path: Path):
    return lambda x, t: m.score(x, *path.coefficients(t, x))


def exact_velocity(m: GaussianMixture, path: Path):
    return lambda x, t: m.velocity(x, *path.coefficients(t, x), *path.derivatives(t, x))


def order(errors: list[float]) -> float:
    """What power of the step the error goes with, when steps are halved."""
    return math.log2(errors[-2] / errors[-1])


def runge_kutta(rates, i: int, h: float, state: tuple[float, ...]) -> tuple[float, ...]:
    """A step of the classical method, with rates(tick, state) on ticks h/2 apart."""
    k1 = rates(i, state)
    k2 = rates(i + 1, tuple(a + h / 2 * k for a, k in zip(state, k1, strict=True)))
    k3 = rates(i + 1, tuple(a + h / 2 * k for a, k in zip(state, k2, strict=True)))
    k4 = rates(i + 2, tuple(a + h * k for a, k in zip(state, k3, strict=True)))
    return tuple(
        a + h / 6 * (p + 2 * q + 2 * r + s)
        for a, p, q, r, s in zip(state, k1, k2, k3, k4, strict=True)
    )


# Forward: moments


@example(rate=5e-324, g=1.0, t=1.75, x0=1.0)
@example(rate=1e-300, g=1.0, t=1e-12, x0=1.0)
@given(rate=st.floats(0, 50), g=st.floats(0, 5), t=st.floats(0, 30), x0=st.floats(-3, 3))
def test_ornstein_uhlenbeck_to_every_digit(rate, g, t, x0) -> None:
    """Against 40 digits, from the least rates and times on."""
    got = ornstein_uhlenbeck_moments(torch.full((2,), x0, dtype=torch.float64), rate, g, t)
    with mp.workdps(40):
        k, s = mp.mpf(rate), mp.mpf(t)
        time = -mp.expm1(-2 * k * s) / (2 * k) if rate else s
        mean, variance = mp.mpf(x0) * mp.exp(-k * s), mp.mpf(g) ** 2 * time
    assert got.mean.tolist() == pytest.approx([float(mean)] * 2, rel=1e-12, abs=1e-300)
    assert got.variance.item() == pytest.approx(float(variance), rel=1e-14, abs=1e-300)


@given(rate=st.floats(0.01, 20), g=st.floats(0.1, 5), seed=st.integers(0, 9))
def test_where_ornstein_uhlenbeck_settles(rate, g, seed) -> None:
    """At g²/(2 rate), not g²/rate (`mit-ou-variance`): there it stays, whatever it began with."""
    x0 = normal(4, seed=seed)
    settled = ornstein_uhlenbeck_moments(x0, rate, g, math.inf)
    assert settled.variance.item() == pytest.approx(g**2 / (2 * rate), rel=1e-14)
    assert (settled.mean == 0).all()
    late = ornstein_uhlenbeck_moments(x0, rate, g, 50 / rate)
    close(late.variance, settled.variance)
    # a start from the settled law: mean² and variance add up to the same at every time
    for t in (0.01, 0.3, 2.0):
        after = ornstein_uhlenbeck_moments(torch.ones(1, dtype=torch.float64), rate, g, t)
        again = after.mean**2 * settled.variance + after.variance
        close(again, settled.variance.expand(1), 1e-12)


@given(rate=st.floats(0, 20), g=st.floats(0.1, 5), t=st.floats(0, 2), s=st.floats(0, 2))
def test_two_spans_of_time_are_one(rate, g, t, s) -> None:
    x0 = normal(3)
    once = ornstein_uhlenbeck_moments(x0, rate, g, t + s)
    first = ornstein_uhlenbeck_moments(x0, rate, g, t)
    then = ornstein_uhlenbeck_moments(first.mean, rate, g, s)
    factor = ornstein_uhlenbeck_moments(torch.ones(1, dtype=torch.float64), rate, g, s).mean
    close(then.mean, once.mean)
    close(then.variance + factor**2 * first.variance, once.variance.expand(1))


@given(beta=st.floats(0.01, 30), t=st.floats(0, 1))
def test_a_vp_path_of_constant_beta_is_ornstein_uhlenbeck(beta, t) -> None:
    x0 = normal(3, 2)
    got = linear_sde_moments(x0, t, VPPath(beta, beta))
    expected = ornstein_uhlenbeck_moments(x0, beta / 2, math.sqrt(beta), t)
    close(got.mean, expected.mean)
    assert got.variance.item() == pytest.approx(expected.variance.item(), rel=1e-12)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize(("start", "end"), [(0.0, 0.3), (0.0, 0.9), (0.2, 0.25), (0.4, 0.9)])
def test_moments_solve_the_moment_equations(path, start, end) -> None:
    """m' = f m and v' = 2 f v + g², integrated with the path's own f and g²."""
    n = 4000
    h = (end - start) / n
    ticks = start + h / 2 * torch.arange(2 * n + 1, dtype=torch.float64)
    f, g2 = path.drift(ticks).tolist(), path.squared_diffusion(ticks).tolist()
    state = 1.3, 0.7
    for i in range(0, 2 * n, 2):
        state = runge_kutta(lambda j, s: (f[j] * s[0], 2 * f[j] * s[1] + g2[j]), i, h, state)
    x = torch.tensor([1.3], dtype=torch.float64)
    got = linear_sde_moments(x, end, path, start=start, variance=0.7)
    assert (got.mean.item(), got.variance.item()) == pytest.approx(state, rel=1e-9)


@given(path=paths_, t=st.floats(0, 1))
def test_from_clean_data_it_is_the_perturbation_kernel(path, t) -> None:
    x0 = normal(3, 2)
    got = linear_sde_moments(x0, t, path)
    close(got.mean, path.alpha(t) * x0, 1e-14)
    assert got.variance.item() == pytest.approx(path.sigma(t) ** 2, rel=1e-14)


@given(path=paths_, ticks=st.lists(st.floats(0, 0.999), min_size=3, max_size=3).map(sorted),
       variance=st.floats(0, 3))  # fmt: skip
def test_transitions_compose(path, ticks, variance) -> None:
    s, u, t = ticks
    x = normal(3, 2)
    half = linear_sde_moments(x, u, path, start=s, variance=variance)
    whole = linear_sde_moments(x, t, path, start=s, variance=variance)
    twice = linear_sde_moments(half.mean, t, path, start=u, variance=half.variance)
    close(twice.mean, whole.mean)
    close(twice.variance, whole.variance, 1e-9)
    none = linear_sde_moments(x, u, path, start=u, variance=variance)
    assert torch.equal(none.mean, x)
    assert none.variance.item() == variance


@given(start=st.floats(0, 0.9), span=st.floats(-9, -1).map(lambda p: 10**p))
def test_short_transitions_keep_their_digits(start, span) -> None:
    path, end = VPPath(), start + span
    got = linear_sde_moments(torch.ones(1, dtype=torch.float64), end, path, start=start)
    with mp.workdps(40):
        low, high, t, s = (mp.mpf(a) for a in (path.beta_min, path.beta_max, end, start))
        spent = low * (t - s) + (high - low) * (t**2 - s**2) / 2
        variance = -mp.expm1(-spent)
    assert got.variance.item() == pytest.approx(float(variance), rel=1e-15 / span)


@given(path=st.sampled_from([VPPath(), CosinePath()]), start=st.floats(0, 0.9),
       share=st.floats(0.001, 1))  # fmt: skip
def test_an_exact_transition_is_a_ddpm_step(path, start, share) -> None:
    """√(1 - beta) x and variance beta: on a variance-preserving path for any length of step."""
    t = start + share * (0.99 - start)
    factor, beta = linear_sde_moments(torch.ones(1, dtype=torch.float64), t, path, start=start)
    assert factor.item() ** 2 + beta.item() == pytest.approx(1.0, rel=1e-12)


# Forward: steps


@given(path=paths_, t=times, h=st.floats(0, 0.1))
def test_a_forward_step_by_hand(path, t, h) -> None:
    assume(t + h <= 1)
    x, z = normal(3, 2), normal(3, 2, seed=1)
    got = forward_step(x, t, h, path, noise=z)
    f, g2 = path.drift(t), path.squared_diffusion(t)
    close(got, x + h * f * x + math.sqrt(h * g2) * z)


def one_step(path: Path, t: float, h: float) -> tuple[float, float]:
    """The factor and the variance of a forward step, which is linear in x and in the noise."""
    one, zero = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    factor = forward_step(one, t, h, path, noise=zero).item()
    return factor, forward_step(zero, t, h, path, noise=one).item() ** 2


@pytest.mark.parametrize("path", PATHS, ids=lambda p: type(p).__name__)
def test_one_forward_step_errs_by_its_square(path) -> None:
    """Against the exact transition, in the mean and in the variance: weak local order two."""
    means, variances, t = [], [], 0.4
    for h in (2e-4, 1e-4):
        factor, variance = one_step(path, t, h)
        exact = linear_sde_moments(torch.ones(1, dtype=torch.float64), t + h, path, start=t)
        means.append(abs(factor - exact.mean.item()))
        variances.append(abs(variance - exact.variance.item()))
    assert abs(order(variances) - 2) < 0.15, variances
    if means[0] > 1e-12:  # alpha is not linear in t: Euler is exact for VE and straight lines
        assert abs(order(means) - 2) < 0.15, means


@given(t=times, size=st.floats(1e-3, 0.5))
def test_euler_maruyama_against_the_step_of_ddpm(t, size) -> None:
    """The same noise; a factor 1 - beta/2 for √(1 - beta), larger by beta²/8 and a little."""
    path = VPPath()
    h = size / path.squared_diffusion(t)
    assume(t + h <= 1)
    factor, beta = one_step(path, t, h)
    assert beta == pytest.approx(size, rel=1e-9)
    gap = factor - math.sqrt(1 - beta)
    assert beta**2 / 8 * (1 - 1e-9) - 1e-15 <= gap <= beta**2 / (8 * (1 - beta))
    # so Euler-Maruyama does not preserve the variance
    assert factor**2 + beta == pytest.approx(1 + beta**2 / 4, rel=1e-12)


@pytest.mark.parametrize("t", [0.5, 1.0])
def test_ddpms_steps_and_eulers_approach_the_sde_at_order_one(t) -> None:
    """Factor and variance of x_t given x_0 after T steps with beta_k = beta(k/T)/T."""
    path, errors = VPPath(), []
    factor, variance = path.alpha(t), path.sigma(t) ** 2
    for T in (1000, 2000):
        low, high = (path.squared_diffusion(s) / T for s in (1 / T, 1.0))
        schedule, k = linear_schedule(T, low, high), round(T * t)
        m, v = 1.0, 0.0
        for i in range(k):
            a, b = one_step(path, i / T, 1 / T)
            m, v = a * m, a**2 * v + b
        chain = schedule.alpha[k].item(), schedule.sigma[k].item() ** 2
        got = (chain[0] - factor, chain[1] - variance, m - factor, v - variance)
        errors.append([abs(e) for e in got])
    for before, after in zip(*errors, strict=True):
        assert abs(order([before, after]) - 1) < 0.15, errors


def test_forward_steps_have_the_variance_of_the_kernel() -> None:
    x, n, generator = torch.full((20_000,), 2.0, dtype=torch.float64), 100, rng()
    for i in range(n):
        x = forward_step(x, i * 0.5 / n, 0.5 / n, VPPath(), generator=generator)
    kernel = linear_sde_moments(torch.full((1,), 2.0), 0.5, VPPath())
    assert x.mean().item() == pytest.approx(kernel.mean.item(), abs=0.03)
    assert x.var().item() == pytest.approx(kernel.variance.item(), rel=0.04)


# The equation of the density


def density(m: GaussianMixture, path: Path, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return m.log_prob(x, path.alpha(t), path.sigma(t)).exp()


def rate_of_change(m: GaussianMixture, path: Path, x: torch.Tensor, t: float) -> torch.Tensor:
    """∂p/∂t at each x, by differentiating the exact density through alpha and sigma."""
    s = torch.full((len(x),), t, dtype=torch.float64, requires_grad=True)
    p = density(m, path, x, s)
    (by_time,) = torch.autograd.grad(p.sum(), s)
    return by_time


def fokker_planck(m, path, x, t, drift, squared_diffusion) -> torch.Tensor:
    """-div(b p) + s²/2 Δp at each x, by autograd on the exact density."""
    at = x.clone().requires_grad_()
    p = density(m, path, at, wide(t))
    flux = drift(at) * p[:, None] - squared_diffusion / 2 * slope(p.sum(), at)
    return -divergence(flux, at).detach()


@pytest.mark.parametrize("path", PATHS, ids=lambda p: type(p).__name__)
@settings(max_examples=25)
@given(t=times, seed=st.integers(0, 99))
def test_the_forward_density_solves_the_fokker_planck_equation(path, t, seed) -> None:
    m = mixture()
    x = path.alpha(t) * m.sample(16, generator=rng(seed=seed), dtype=torch.float64)
    x = x + path.sigma(t) * normal(16, 2, seed=seed)
    f, g2 = path.drift(t), path.squared_diffusion(t)
    expected = rate_of_change(m, path, x, t)
    got = fokker_planck(m, path, x, t, lambda at: f * at, g2)
    size = (density(m, path, x, wide(t)) * (abs(f) + g2)).max().item()
    assert (got - expected).abs().max().item() < 1e-8 * max(expected.abs().max().item(), size)
    assert expected.abs().max().item() > 1e-6 * size  # there is something to solve


@pytest.mark.parametrize("path", PATHS, ids=lambda p: type(p).__name__)
@settings(max_examples=25)
@given(t=times, stochasticity=family, seed=st.integers(0, 99))
def test_every_member_of_the_reverse_family_keeps_the_density(path, t, stochasticity, seed) -> None:
    """Run backwards, noise enters with the other sign: ∂p/∂t = -div(b p) - λ² g²/2 Δp."""
    m = mixture()
    x = path.alpha(t) * m.sample(16, generator=rng(seed=seed), dtype=torch.float64)
    x = x + path.sigma(t) * normal(16, 2, seed=seed)
    g2 = path.squared_diffusion(t)

    def drift(at: torch.Tensor, member: float = stochasticity) -> torch.Tensor:
        return reverse_drift(exact_score(m, path)(at, wide(t)), at, t, path, member)

    expected = rate_of_change(m, path, x, t)
    got = fokker_planck(m, path, x, t, drift, -(stochasticity**2) * g2)
    size = (density(m, path, x, wide(t)) * (abs(path.drift(t)) + g2)).max().item()
    scale = max(expected.abs().max().item(), size)
    assert (got - expected).abs().max().item() < 1e-8 * scale
    # and with the drift of another member it does not
    other = fokker_planck(m, path, x, t, lambda at: drift(at, 1.7), -(stochasticity**2) * g2)
    assert (other - expected).abs().max().item() > 1e-4 * size


@pytest.mark.parametrize("path", PATHS, ids=lambda p: type(p).__name__)
@settings(max_examples=20)
@given(stochasticity=family, mu=st.floats(-2, 2), std=st.floats(0.3, 2), end=st.floats(0.05, 0.7))
def test_marginals_are_shared_and_paths_are_not(path, stochasticity, mu, std, end) -> None:
    """Gaussian data, backwards from 0.9: mean and variance at `end` are the forward ones for each
    member, but the covariance of the two times depends on the member."""
    m = GaussianMixture([1.0], [[mu]], std=std)
    begin, n = 0.9, 400

    def law(t: float) -> tuple[float, float]:
        return path.alpha(t) * mu, path.alpha(t) ** 2 * std**2 + path.sigma(t) ** 2

    h = (end - begin) / n
    ticks = begin + h / 2 * torch.arange(2 * n + 1, dtype=torch.float64)
    at = [
        reverse_drift(exact_score(m, path)(dots, ticks), dots, ticks, path, stochasticity)
        for dots in (torch.full((2 * n + 1, 1), x, dtype=torch.float64) for x in (0.0, 1.0))
    ]
    slopes, shifts = (at[1] - at[0])[:, 0].tolist(), at[0][:, 0].tolist()  # the drift is affine
    noises = (stochasticity**2 * path.squared_diffusion(ticks)).tolist()

    def rates(i: int, state: tuple[float, float, float]) -> tuple[float, float, float]:
        mean, variance, covariance = state
        k = slopes[i]
        return k * mean + shifts[i], 2 * k * variance - noises[i], k * covariance

    state = (*law(begin), law(begin)[1])
    for i in range(0, 2 * n, 2):
        state = runge_kutta(rates, i, h, state)
    (mean, variance), (_, before) = law(end), law(begin)
    assert state[:2] == pytest.approx((mean, variance), rel=1e-6, abs=1e-6)
    # between them: perfect correlation without noise, the forward covariance for λ = 1
    forward = path.alpha(begin) / path.alpha(end) * variance
    flow = math.sqrt(variance * before)
    between = flow * (forward / flow) ** (stochasticity**2)
    assert state[2] == pytest.approx(between, rel=1e-5)
    assert forward < 0.99 * flow


@given(path=paths_, t=st.floats(0.2, 0.9), stochasticity=family, seed=st.integers(0, 99))
def test_the_sampler_steps_with_this_drift(path, t, stochasticity, seed) -> None:
    m, h, x = mixture(), 0.1, normal(4, 2, seed=seed)
    got = sample(
        exact_score(m, path), (4, 2), path, ReverseSDE(stochasticity), steps=(t, t - h), start=x,
        prediction="score", generator=rng(), dtype=torch.float64,
    )  # fmt: skip
    z = torch.empty_like(x).normal_(generator=rng())
    drift = reverse_drift(exact_score(m, path)(x, wide(t)), x, t, path, stochasticity)
    noise = stochasticity * math.sqrt(h * path.squared_diffusion(t))
    close(got, x - h * drift + noise * z)


@given(path=paths_, t=times, seed=st.integers(0, 99))
def test_the_probability_flow_is_the_marginal_velocity(path, t, seed) -> None:
    m, x = mixture(), normal(4, 2, seed=seed)
    score = exact_score(m, path)(x, wide(t))
    got = probability_flow_velocity(score, x, t, path)
    close(got, exact_velocity(m, path)(x, wide(t)), 1e-9)
    slopes = dict(zip(("d_alpha", "d_sigma"), path.derivatives(t, x), strict=True))
    level = path.coefficients(t, x)
    said = convert(score, x, *level, source="score", target="velocity", **slopes)
    close(got, said, 1e-9)


@given(t=times, stochasticity=family, seed=st.integers(0, 99))
def test_the_family_from_a_rectified_flows_velocity(t, stochasticity, seed) -> None:
    """score = -(x + (1 - t) v)/t with data at t = 0: the sign that `flowgrpo-velocity-sde` lost."""
    m, path, x = mixture(), LinearPath(), normal(4, 2, seed=seed)
    v = exact_velocity(m, path)(x, wide(t))
    got = reverse_drift(exact_score(m, path)(x, wide(t)), x, t, path, stochasticity)
    noise = stochasticity**2 * path.squared_diffusion(t)
    close(got, v + noise / (2 * t) * (x + (1 - t) * v), 1e-9)


@pytest.mark.parametrize("path", FROM_DATA, ids=lambda p: type(p).__name__)
def test_the_flow_is_finite_at_clean_data(path) -> None:
    """Where d_sigma is infinite and 0 · inf would be NaN."""
    m, x = mixture(), normal(4, 2)
    at_data = probability_flow_velocity(m.score(x), x, 0.0, path)
    assert torch.isfinite(at_data).all()
    near = exact_velocity(m, path)(x, wide(1e-7))
    close(at_data, near, 1e-4)


# Likelihood


@pytest.mark.parametrize("path", FROM_DATA, ids=lambda p: type(p).__name__)
def test_the_likelihood_of_an_exact_score_is_the_density(device, path) -> None:
    m = mixture()
    x = m.sample(32, generator=rng(device), dtype=torch.float64)
    end = path.alpha(1.0), path.sigma(1.0)
    with torch.no_grad():
        got = log_likelihood(
            exact_score(m, path), x, path, FixedSteps(200), prior=lambda z: m.log_prob(z, *end)
        )
    assert (got - m.log_prob(x)).abs().max().item() < 1e-6


@pytest.mark.parametrize("path", [LinearPath(), CosinePath()])
def test_where_no_data_are_left_at_the_end_the_normal_prior_is_the_true_one(device, path) -> None:
    m = mixture()
    x = m.sample(32, generator=rng(device), dtype=torch.float64)
    with torch.no_grad():
        got = log_likelihood(exact_velocity(m, path), x, path, prediction="velocity")
    assert (got - m.log_prob(x)).abs().max().item() < 1e-6


def test_elsewhere_the_normal_prior_leaves_a_gap() -> None:
    """alpha(1) is 0.0066 on the VP path and not 0: no number of steps mends it."""
    m, path = mixture(), VPPath()
    x = m.sample(32, generator=rng(), dtype=torch.float64)
    gaps = []
    with torch.no_grad():
        for steps in (50, 100):
            got = log_likelihood(exact_score(m, path), x, path, FixedSteps(steps))
            gaps.append((got - m.log_prob(x)).abs().max().item())
    assert 1e-3 < gaps[0] < 2e-2
    assert gaps[1] == pytest.approx(gaps[0], rel=1e-3)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: type(p).__name__)
def test_every_prediction_gives_the_same_likelihood(path) -> None:
    """From a little noise to a little data, where each of them determines the velocity."""
    m, start, end = mixture(), 0.02, 0.98
    first, last = ((path.alpha(t), path.sigma(t)) for t in (start, end))
    x = m.sample(8, generator=rng(), dtype=torch.float64)

    def run(prediction: str, steps: int) -> torch.Tensor:
        def model(x, t):
            level, slopes = path.coefficients(t, x), path.derivatives(t, x)
            return convert(
                m.eps(x, *level), x, *level, source="eps", target=prediction,
                **dict(zip(("d_alpha", "d_sigma"), slopes, strict=True)),
            )  # fmt: skip

        with torch.no_grad():
            return log_likelihood(
                model, x, path, FixedSteps(steps), start=start, end=end, prediction=prediction,
                prior=lambda z: m.log_prob(z, *last),
            )  # fmt: skip

    exact = m.log_prob(x, *first)
    assert (run("eps", 100) - exact).abs().max().item() < 1e-6
    coarse = run("eps", 5)
    assert (coarse - exact).abs().max().item() > 1e-4
    for prediction in ("x0", "v", "score", "velocity"):
        close(run(prediction, 5), coarse, 1e-9)


@pytest.mark.parametrize("path", FROM_DATA, ids=lambda p: type(p).__name__)
def test_the_likelihood_is_of_order_four(path) -> None:
    m, errors = mixture(), []
    x = m.sample(32, generator=rng(), dtype=torch.float64)
    end = path.alpha(1.0), path.sigma(1.0)
    with torch.no_grad():
        for steps in (100, 200):
            got = log_likelihood(
                exact_score(m, path),
                x,
                path,
                FixedSteps(steps),
                prior=lambda z: m.log_prob(z, *end),
            )
            errors.append((got - m.log_prob(x)).norm().item())
    assert abs(order(errors) - 4) < 0.15, errors


class Bent(nn.Module):
    """A smooth field that is no score of anything, of one parameter and any shape."""

    def __init__(self, size: float = 0.8) -> None:
        super().__init__()
        self.size = nn.Parameter(wide(size))

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        s = t.reshape(-1, *[1] * (x.ndim - 1)).to(x.dtype)
        return self.size.to(x.dtype) * (torch.sin(3 * x + s) - x.roll(1, -1)) - x


@pytest.mark.parametrize(
    ("path", "prediction", "model", "half_width"),
    [
        (LinearPath(), "velocity", lambda x, t: torch.sin(2 * x + t) / 2 - 0.3 * x, 14.0),
        (VPPath(0.1, 3.0), "score", lambda x, t: torch.cos(2 * x - t) / 2 - x, 14.0),
        (VEPath(0.1, 3.0), "score", lambda x, t: torch.sin(x + t) / 9 - x / 9, 30.0),
    ],
    ids=lambda p: type(p).__name__,
)
def test_whatever_the_model_its_density_integrates_to_one(
    path, prediction, model, half_width
) -> None:
    """Not the density of any data, but a density: a likelihood that can be compared."""
    grid = torch.linspace(-half_width, half_width, 8001, dtype=torch.float64)
    with torch.no_grad():
        got = log_likelihood(model, grid, path, prediction=prediction)
    mass = got.exp().sum() * (grid[1] - grid[0])
    assert mass.item() == pytest.approx(1.0, abs=1e-6)


def test_its_gradient_by_x_is_the_score() -> None:
    m, path = mixture(), VPPath()
    x = m.sample(8, generator=rng(), dtype=torch.float64).requires_grad_()
    end = path.alpha(1.0), path.sigma(1.0)
    got = log_likelihood(exact_score(m, path), x, path, prior=lambda z: m.log_prob(z, *end))
    (by_x,) = torch.autograd.grad(got.sum(), x)
    assert (by_x - m.score(x.detach())).abs().max().item() < 1e-5


@pytest.mark.parametrize("signs", [False, True])
def test_its_gradient_by_parameters_is_the_difference_quotient(signs) -> None:
    x, h = normal(4, 3), 1e-5
    probe = normal(4, 3, seed=1).sign() if signs else None

    def mean(model: nn.Module) -> torch.Tensor:
        return log_likelihood(model, x, CosinePath(), FixedSteps(20), prediction="velocity",
                              probe=probe).mean()  # fmt: skip

    model = Bent()
    mean(model).backward()
    with torch.no_grad():
        quotient = (mean(Bent(0.8 + h)) - mean(Bent(0.8 - h))) / (2 * h)
    assert model.size.grad.item() == pytest.approx(quotient.item(), rel=1e-6)
    assert not mean(Bent()).detach().requires_grad


@pytest.mark.parametrize("prediction", ["x0", "eps", "score", "v", "velocity"])
@pytest.mark.parametrize("path", PATHS, ids=lambda p: type(p).__name__)
def test_the_trace_of_what_is_predicted_stands_for_its_derivatives(path, prediction) -> None:
    x = normal(4, 2, 3)

    def model(x, t):
        return torch.sin(x) * t.reshape(-1, 1, 1)

    def trace(x, t):
        return torch.cos(x).sum((1, 2)) * t

    options = {"start": 0.1, "end": 0.9, "prediction": prediction}
    got = log_likelihood(model, x, path, FixedSteps(4), trace=trace, **options)
    close(got, log_likelihood(model, x, path, FixedSteps(4), **options))
    with pytest.raises(ValueError, match=r"^trace output: got .*, expected one number a sample"):
        log_likelihood(model, x, path, FixedSteps(4), trace=lambda x, t: x, **options)
    with pytest.raises(ValueError, match=r"^trace: got one beside a probe"):
        log_likelihood(model, x, path, trace=trace, generator=rng(), **options)


def test_without_gradients_nothing_is_kept() -> None:
    x = normal(4, 2).requires_grad_()
    with torch.no_grad():
        got = log_likelihood(Bent(), x, VPPath(), FixedSteps(5))
    assert not got.requires_grad
    assert got.grad_fn is None
    with torch.inference_mode(), pytest.raises(ValueError, match=r"^torch.inference_mode: got"):
        log_likelihood(Bent(), x, VPPath(), FixedSteps(5))


def test_the_estimate_is_unbiased_exactly() -> None:
    """The mean over all signs: the way of x does not depend on the probe, so nor does the bias."""
    x, model = normal(3, 3), Bent()

    def run(**options) -> torch.Tensor:
        with torch.no_grad():
            return log_likelihood(
                model, x, LinearPath(), FixedSteps(10), prediction="velocity", **options
            )

    exact = run()
    all_signs = [
        torch.tensor(signs, dtype=torch.float64).expand(3, 3)
        for signs in itertools.product((-1.0, 1.0), repeat=3)
    ]
    estimates = torch.stack([run(probe=signs) for signs in all_signs])
    close(estimates.mean(0), exact, 1e-12)
    assert estimates.std(0).min().item() > 1e-3  # single ones are not exact
    drawn, again, other = (run(generator=rng(seed=s)) for s in (3, 3, 4))
    assert torch.equal(drawn, again)
    assert not torch.equal(drawn, other)
    assert (drawn[:, None] - estimates.T).abs().min(1).values.max().item() < 1e-12


def test_the_probe_reads_and_writes_no_global_state() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    log_likelihood(Bent(), normal(2, 2), VPPath(), FixedSteps(2), generator=rng())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_field_that_is_not_finite_ends_with_an_error(value) -> None:
    """A peer's adaptive solver never comes back."""
    seen = []

    def model(x, t):
        seen.append(t)
        return torch.where(t[:, None] > 0.52, value, 1.0) * x

    with pytest.raises(ValueError, match=r"^model: got .*by t = 0.6, in 3 of 3 .*, expected"):
        log_likelihood(model, normal(3, 2), VPPath(), FixedSteps(10))
    assert len(seen) == 6 * 5 + 1
    with pytest.raises(ValueError, match=r"^model: got .* not finite by t = "):
        log_likelihood(lambda x, t: -(x**3), 50 * normal(3, 2), VPPath(), FixedSteps(10))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*SHAPES, (2, 3, 4, 4)])
@pytest.mark.parametrize("estimated", [False, True])
def test_likelihoods_of_every_shape_and_dtype(device, dtype, shape, estimated) -> None:
    """Standard normal data on the VP path: the flow stands still, and so does the density."""
    x = normal(*shape, dtype=dtype).to(device)
    seen = []

    def model(x, t):
        seen.append((x, t))
        return -x

    generator = rng(device) if estimated else None
    got = log_likelihood(model, x, VPPath(), FixedSteps(3), generator=generator)
    at = x.double().reshape(len(x), math.prod(shape[1:]))
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(at).sum(1)
    assert got.shape == shape[:1]
    assert got.dtype == dtype
    assert got.device == x.device
    tolerance = 8 * torch.finfo(dtype).eps
    torch.testing.assert_close(got.double(), expected, rtol=tolerance, atol=tolerance)
    for at, t in seen:
        assert at.dtype == dtype
        assert t.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
        assert t.shape == shape[:1]
    assert len(seen) == 3 * 5 + 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_in_half_precision_a_likelihood_is_rounded_at_its_end(dtype) -> None:
    """Summed in half precision, the divergence of 48 numbers would be off by much more."""
    x, path = normal(64, 48, dtype=dtype), VPPath(0.1, 2.0)
    model = lambda x, t: -2 * x  # noqa: E731, without rounding in half precision
    got, exact = (log_likelihood(model, at, path, FixedSteps(4)) for at in (x, x.double()))
    torch.testing.assert_close(got.double(), exact, rtol=torch.finfo(dtype).eps * 0.6, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_likelihood_of_data_far_from_the_origin(dtype) -> None:
    path = LinearPath()
    m = GaussianMixture([0.5, 0.5], [[1e4, 1e4], [1e4 + 2, 1e4 - 1]], std=0.7)
    x = m.sample(8, generator=rng(), dtype=dtype)
    with torch.no_grad():
        got = log_likelihood(exact_velocity(m, path), x, path, prediction="velocity")
    tolerance = 1e-6 if dtype == torch.float64 else 0.1  # float32 tells 1e4 from 1e4 + 0.001
    assert (got - m.log_prob(x)).abs().max().item() < tolerance


def test_times_may_run_either_clock() -> None:
    """Lipman's: from data to noise time runs down there, and velocities change sign."""
    m, path = mixture(), LinearPath()
    x = m.sample(4, generator=rng(), dtype=torch.float64)
    turned = reverse_time(path)
    one = log_likelihood(exact_velocity(m, path), x, path, prediction="velocity")
    two = log_likelihood(
        exact_velocity(m, turned), x, turned, start=1.0, end=0.0, prediction="velocity"
    )
    close(two, one)
    with pytest.raises(ValueError, match=r"^end: got 1.0, expected .*further from the data"):
        log_likelihood(exact_velocity(m, turned), x, turned, prediction="velocity")


@pytest.mark.parametrize("path", FROM_DATA, ids=lambda p: type(p).__name__)
def test_the_solver_is_the_callers_choice(path) -> None:
    m = mixture()
    x = m.sample(16, generator=rng(), dtype=torch.float64)
    end = path.alpha(1.0), path.sigma(1.0)

    def error(solver) -> float:
        got = log_likelihood(
            exact_score(m, path), x, path, solver, prior=lambda z: m.log_prob(z, *end)
        )
        return (got - m.log_prob(x)).norm().item()

    with torch.no_grad():
        assert error(Adaptive(1e-8, 1e-8)) < 1e-6
        halved = [error(FixedSteps(n, MIDPOINT)) for n in (100, 200)]
    assert abs(order(halved) - 2) < 0.15, halved


@pytest.mark.parametrize("solver", [FixedSteps(93), Adaptive(1e-3, 1e-3)])
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.1, 0.98)])
def test_the_model_is_never_asked_outside_the_times(solver, start, end) -> None:
    """92/93 + 1/93 is more than 1 in floating point, and an adaptive step overshoots its end."""
    seen = []

    def model(x, t):
        seen.extend(t.tolist())
        return -x

    log_likelihood(model, normal(2, 2), VPPath(), solver, start=start, end=end)
    assert (min(seen), max(seen)) == (start, end)


# What holds of every function


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("path", PATHS, ids=lambda p: type(p).__name__)
def test_shapes_dtypes_and_kinds_of_time(device, dtype, shape, path) -> None:
    """A number, one tensor, one time a sample in any dtype: the same, in the dtype of the data."""
    x, z = (normal(*shape, seed=i, dtype=dtype).to(device) for i in range(2))
    eps = torch.finfo(dtype).eps
    calls = (
        lambda x, z, t: forward_step(x, t, 0.01, path, noise=z),
        lambda x, z, t: reverse_drift(z, x, t, path, 0.7),
        lambda x, z, t: probability_flow_velocity(z, x, t, path),
        lambda x, z, t: linear_sde_moments(x, t, path, start=0.25).mean,
        lambda x, z, t: linear_sde_moments(x, 0.75, path, start=t, variance=0.5).mean,
        lambda x, z, t: ornstein_uhlenbeck_moments(x, 0.5, 1.0, t).mean,
    )
    for call in calls:
        exact = call(x.double(), z.double(), 0.5)
        for t in (
            0.5,
            torch.tensor(0.5, device=device),
            torch.full(shape[:1], 0.5, dtype=torch.float64, device=device),
            torch.full(shape[:1], 0.5, dtype=dtype, device=device),
        ):
            got = call(x, z, t)
            assert got.shape == x.shape
            assert got.dtype == dtype
            assert got.device == x.device
            scale = max(1.0, exact.abs().max().item()) if exact.numel() else 1.0
            torch.testing.assert_close(
                got.double(),
                exact,
                rtol=2 * eps,
                atol=2 * eps * scale + 4e-7 * scale * (dtype != torch.float64),
            )


@pytest.mark.parametrize("shape", [(3, 3), (4, 2, 4, 4)])
@pytest.mark.parametrize("path", PATHS, ids=lambda p: type(p).__name__)
def test_a_time_is_one_a_sample_even_where_the_last_axis_is_as_long(shape, path) -> None:
    x, z = normal(*shape), normal(*shape, seed=1)
    t, h = (torch.rand(len(x), generator=rng(seed=i), dtype=torch.float64) * 0.9 for i in range(2))
    for i in range(len(x)):
        one = slice(i, i + 1)
        s, k = t[i].item(), h[i].item()
        close(
            forward_step(x, t, h, path, noise=z)[one],
            forward_step(x[one], s, k, path, noise=z[one]),
        )
        close(reverse_drift(z, x, t, path)[one], reverse_drift(z[one], x[one], s, path))
        many = linear_sde_moments(x, t + 0.1 * h, path, start=t, variance=h)
        alone = linear_sde_moments(x[one], s + 0.1 * k, path, start=s, variance=k)
        close(many.mean[one], alone.mean)
        assert many.variance.shape == (len(x), *[1] * (x.ndim - 1))
        close(many.variance[one].reshape(()), alone.variance.reshape(()))
        many, alone = (
            ornstein_uhlenbeck_moments(x, 2.0, 1.0, t),
            ornstein_uhlenbeck_moments(x[one], 2.0, 1.0, s),
        )
        close(many.mean[one], alone.mean)
        close(many.variance[one].reshape(()), alone.variance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_far_from_the_origin_only_rounding_is_lost(dtype) -> None:
    x = (1e4 + normal(5, 2)).to(dtype)
    z, eps, path = normal(5, 2, dtype=dtype), torch.finfo(dtype).eps, VPPath()
    for got, exact in (
        (forward_step(x, 0.3, 1e-3, path, noise=z),
         forward_step(x.double(), 0.3, 1e-3, path, noise=z.double())),
        (reverse_drift(z, x, 0.3, path), reverse_drift(z.double(), x.double(), 0.3, path)),
        (linear_sde_moments(x, 0.3, path).mean, linear_sde_moments(x.double(), 0.3, path).mean),
    ):  # fmt: skip
        assert (got.double() - exact).abs().max().item() <= 4 * eps * exact.abs().max().item()


def test_a_forward_step_draws_from_its_generator_alone(device) -> None:
    x = normal(4, 2).to(device)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, two = (forward_step(x, 0.2, 0.01, VPPath(), generator=rng(device, 5)) for _ in range(2))
    assert torch.equal(one, two)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("x0", lambda x: ornstein_uhlenbeck_moments(x.long(), 1.0, 1.0, 1.0)),
        ("rate", lambda x: ornstein_uhlenbeck_moments(x, -1.0, 1.0, 1.0)),
        ("rate", lambda x: ornstein_uhlenbeck_moments(x, 0.0, 1.0, math.inf)),
        ("diffusion", lambda x: ornstein_uhlenbeck_moments(x, 1.0, -1.0, 1.0)),
        ("t", lambda x: ornstein_uhlenbeck_moments(x, 1.0, 1.0, -1.0)),
        ("t", lambda x: ornstein_uhlenbeck_moments(x, 1.0, 1.0, math.nan)),
        ("t", lambda x: ornstein_uhlenbeck_moments(x, 1.0, 1.0, torch.ones(5))),
        ("path", lambda x: linear_sde_moments(x, 0.5, "vp")),
        ("path", lambda x: linear_sde_moments(x, 0.5, reverse_time(VPPath()))),
        ("t", lambda x: linear_sde_moments(x, 1.5, VPPath())),
        ("t", lambda x: linear_sde_moments(x, 0.1, VPPath(), start=0.2)),
        ("start", lambda x: linear_sde_moments(x, 0.1, VPPath(), start=-0.2)),
        ("start", lambda x: linear_sde_moments(x, 0.1, VPPath(), start=torch.ones(5))),
        ("start", lambda x: linear_sde_moments(x, 1.0, LinearPath(), start=1.0)),
        ("variance", lambda x: linear_sde_moments(x, 0.1, VPPath(), variance=-1.0)),
        ("h", lambda x: forward_step(x, 0.5, -0.1, VPPath(), noise=x)),
        ("t", lambda x: forward_step(x, 1.0, 0.1, LinearPath(), noise=x)),
        ("t", lambda x: forward_step(x, 2.0, 0.1, VPPath(), noise=x)),
        ("path", lambda x: forward_step(x, 0.5, 0.1, linear_schedule(10), noise=x)),
        ("noise", lambda x: forward_step(x, 0.5, 0.1, VPPath(), noise=x[:1])),
        ("noise, generator", lambda x: forward_step(x, 0.5, 0.1, VPPath())),
        ("noise, generator",
         lambda x: forward_step(x, 0.5, 0.1, VPPath(), noise=x, generator=rng())),
        ("score", lambda x: reverse_drift(x[:1], x, 0.5, VPPath())),
        ("stochasticity", lambda x: reverse_drift(x, x, 0.5, VPPath(), -0.1)),
        ("t", lambda x: reverse_drift(x, x, 1.0, CosinePath())),
        ("t", lambda x: reverse_drift(x, x, torch.ones(5), VPPath())),
        ("path", lambda x: reverse_drift(x, x, 0.5, reverse_time(VPPath()))),
        ("x", lambda x: probability_flow_velocity(x, x.long(), 0.5, VPPath())),
        ("path", lambda x: likelihood(x, path=linear_schedule(10))),
        ("solver", lambda x: likelihood(x, solver=10)),
        ("start", lambda x: likelihood(x, start=-0.1)),
        ("start", lambda x: likelihood(x, start=math.nan)),
        ("end", lambda x: likelihood(x, end=1.2)),
        ("end", lambda x: likelihood(x, start=0.5, end=0.2)),
        ("end", lambda x: likelihood(x, start=0.5, end=0.5)),
        ("t", lambda x: likelihood(x, path=LinearPath())),
        ("path", lambda x: likelihood(x, path=reverse_time(VPPath()), start=1.0, end=0.0)),
        ("d_sigma", lambda x: likelihood(x, prediction="eps")),
        ("sigma", lambda x: likelihood(x, prediction="x0", path=CosinePath(), end=0.5)),
        ("alpha", lambda x: likelihood(x, prediction="eps", path=LinearPath(), start=0.5)),
        ("prediction", lambda x: likelihood(x, prediction="noise")),
        ("model output", lambda x: likelihood(x, model=lambda x, t: x[:1])),
        ("prior output", lambda x: likelihood(x, prior=lambda z: z)),
        ("probe", lambda x: likelihood(x, probe=x[:1])),
        ("probe, generator", lambda x: likelihood(x, probe=x, generator=rng())),
        ("generator", lambda x: likelihood(x, generator=3)),
        ("x", lambda x: likelihood(x.long())),
        ("x", lambda x: likelihood(x * math.inf)),
    ],
)  # fmt: skip
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.ones(3, 2))


def likelihood(x: torch.Tensor, **options) -> torch.Tensor:
    options = {"model": lambda x, t: -x, "path": VPPath(), "solver": FixedSteps(2), **options}
    return log_likelihood(options.pop("model"), x, options.pop("path"), **options)


# Ties: every implementation against the function made from the checked result


def result(name: str, part: str | None = None) -> Claim:
    derivation = getattr(book.chapter("sde"), name)
    return derivation.conclusion if part is None else derivation[part].claim


def defined(tree: Node, name: str) -> Node:
    """What a letter stands for."""
    return next(n for n in tree.walk() if isinstance(n, Named) and n.name == name).body


def lettered(tree: Node, letter: Callable[[Node], str | None]) -> Node:
    """The tree with letters for what the backends do not compute."""

    def visit(n: Node) -> Node | None:
        name = letter(n)
        return None if name is None else Symbol(name)

    return transform(tree, visit)


def normal_density(x: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    return torch.distributions.Normal(mean, variance.sqrt()).log_prob(x).exp()


scales = st.floats(0.1, 3.0)


@given(theta=scales, g=scales, t=scales, seed=st.integers(0, 99))
def test_tie_ornstein_uhlenbeck_moments(theta, g, t, seed) -> None:
    x0, x = normal(4, seed=seed), normal(4, seed=seed + 1)
    letters = {"theta": wide(theta), "g": wide(g), "t": wide(t)}
    got = ornstein_uhlenbeck_moments(x0, theta, g, t)
    kernel = defined(result("ornstein_uhlenbeck", "kernel").lhs, "p")
    close(normal_density(x, *got), value(kernel, x=x, x_0=x0, **letters))
    covariance = result("ornstein_uhlenbeck", "memory").rhs
    settled = ornstein_uhlenbeck_moments(x0, theta, g, math.inf)
    close(settled.variance, value(defined(covariance, "v_rest"), **letters))
    factor = ornstein_uhlenbeck_moments(torch.ones(1, dtype=torch.float64), theta, g, t).mean
    close(factor * settled.variance, value(covariance, **letters).expand(1))


@given(path=paths_, start=st.floats(0, 0.5), share=st.floats(0.05, 1), variance=scales)
def test_tie_linear_sde_moments(path, start, share, variance) -> None:
    """Its slopes in t, by autograd, are the right sides of the checked moment equations."""
    t = wide(start + share * (0.95 - start)).requires_grad_()
    x = torch.tensor([1.3], dtype=torch.float64)
    got = linear_sde_moments(x, t, path, start=start, variance=variance)
    letters = {"f": path.drift(t).detach(), "g": path.squared_diffusion(t).detach().sqrt()}
    letters |= {"m": got.mean.detach(), "v": got.variance.detach()}
    rate = slope(got.mean.sum() + 0 * t, t, keep=False)  # zero where the mean stays
    close(rate.expand(1), value(result("moment_equations", "mean").rhs, "m", **letters), 1e-8)
    rate = slope(got.variance + 0 * t, t, keep=False)
    close(rate, value(result("moment_equations", "centred").rhs, "v", **letters), 1e-8)


@given(path=paths_, t=times)
def test_tie_forward_sde(path, t) -> None:
    right = result("linear_sde", "kernel").rhs
    letters = {"t": wide(t), **of_path(path)}
    assert path.drift(t) == pytest.approx(value(defined(right, "f(t)"), **letters).item(), rel=1e-9)
    g2 = value(result("path_noise").lhs.body, **letters)
    assert path.squared_diffusion(t) == pytest.approx(g2.item(), rel=1e-9)


@given(path=paths_, t=times, seed=st.integers(0, 99))
@settings(max_examples=40)
def test_tie_linear_marginal(path, t, seed) -> None:
    """The checked equation on a mixture, with autograd for its derivatives and the path's g²."""
    m = GaussianMixture([0.3, 0.7], [[-1.0], [0.8]], std=[0.4, 0.7])
    at = normal(5, 1, seed=seed).requires_grad_()
    p = density(m, path, at, wide(t))
    first = slope(p.sum(), at)
    flux = path.drift(t) * (p + at[:, 0] * first[:, 0])
    second = slope(first.sum(), at)[:, 0]

    def letter(n: Node) -> str | None:
        if isinstance(n, Deriv):
            return "second" if isinstance(n.body, Deriv) else "flux"
        return "g2" if isinstance(n, Named) and n.name == "g(t)^2" else None

    right = lettered(result("linear_marginal").rhs, letter)
    got = value(right, flux=flux, second=second, g2=wide(path.squared_diffusion(t)))
    close(got.detach(), rate_of_change(m, path, at.detach(), t), 1e-9)


@given(low=st.floats(0.05, 1), high=st.floats(1, 25), t=times, seed=st.integers(0, 9))
def test_tie_vp_path(low, high, t, seed) -> None:
    """With B the integral of the path's own g²: Simpson's rule is exact for straight lines."""
    path, x0, x = VPPath(low, high), normal(4, seed=seed), normal(4, seed=seed + 1)

    def integral(s: torch.Tensor) -> torch.Tensor:
        ends = [path.squared_diffusion(w) for w in (0.0 * s, s / 2, s)]
        return s / 6 * (ends[0] + 4 * ends[1] + ends[2])

    letters = {"t": wide(t), "B": integral, "B_prime": path.squared_diffusion, "x": x, "x_0": x0}
    claim = result("vp_kernel", "kernel")
    a, s = wide(path.alpha(t)), wide(path.sigma(t))
    close(value(defined(claim.lhs, "p"), **letters), normal_density(x, a * x0, s**2), 1e-9)
    flux = next(n for n in claim.rhs.walk() if isinstance(n, Deriv)).body
    close(path.drift(t) * x, value(flux.args[0], **letters))


@given(low=st.floats(0.01, 0.5), high=st.floats(1, 50), t=times, seed=st.integers(0, 9))
def test_tie_ve_path(low, high, t, seed) -> None:
    path, x0 = VEPath(low, high), normal(4, seed=seed)
    letters = {"t": wide(t), "sigma": path.sigma, "x_0": x0}
    kernel = linear_sde_moments(x0, t, path)
    x = kernel.mean + kernel.variance.sqrt() * normal(4, seed=seed + 1)
    claim = result("ve_kernel")
    close(normal_density(x, *kernel), value(defined(claim.lhs, "p"), x=x, **letters), 1e-9)
    squared = next(n for n in claim.rhs.walk() if isinstance(n, Deriv) and n.var.name == "t").body
    s = wide(t).requires_grad_()
    (g2,) = torch.autograd.grad(value(squared, **{**letters, "t": s}), s)
    assert path.squared_diffusion(t) == pytest.approx(g2.item(), rel=1e-9)


@given(path=paths_, t=times, h=st.floats(1e-4, 0.1), seed=st.integers(0, 99))
def test_tie_forward_step_to_itos_formula(path, t, h, seed) -> None:
    """Where a step goes, and the rate at which the mean of a function changes, for every h."""
    assume(t + h <= 1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    z = torch.from_numpy(nodes)
    weights = torch.from_numpy(weights / weights.sum())
    x = normal(1, seed=seed).expand(60)
    length = wide(h).requires_grad_()
    after = forward_step(x, t, length, path, noise=z)
    b, g = path.drift(t) * x, wide(path.squared_diffusion(t)).sqrt()
    inside = result("ito", "after").lhs.body
    close(
        torch.sin(after.detach()),
        value(inside, f=torch.sin, x=x, b=b, g=g, h=wide(h), eps=z),
    )
    (rate,) = torch.autograd.grad((weights * torch.sin(after)).sum(), length)
    second = lettered(
        result("ito", "rate").rhs.body, lambda n: "curve" if isinstance(n, Deriv) else None
    )
    y = after.detach()
    made = value(second, y=y, b=b, g=g, f_prime=torch.cos, curve=-torch.sin(y))
    close(rate, (weights * made).sum(), 1e-6)


@given(beta=st.floats(1e-3, 0.9), t=times, v=scales)
def test_tie_forward_step_to_ddpm(beta, t, v) -> None:
    """Euler's step of length beta, and the exact one in which beta(t) integrates to -log(1 - beta),
    against the step of DDPM and the checked gaps between the three."""
    chapter, letters = book.chapter("sde").ddpm_step, {"beta_t": wide(beta), "v_k": wide(v)}
    path = VPPath(1.0, 1.0)
    factor, added = one_step(path, t * (1 - beta), beta)
    assert added == pytest.approx(beta, rel=1e-12)
    gap = chapter["factor"].chain.steps[0].claim
    r = value(defined(gap.lhs, "r"), **letters).item()
    assert factor - r == pytest.approx(value(gap.rhs, **letters).item(), rel=1e-9)
    assert factor - r <= value(chapter["factor"].claim.rhs, **letters).item()
    assert factor - r >= value(chapter["factor_below"].claim.rhs, **letters).item()
    # a whole unit of time at the constant rate b
    b = value(defined(result("ddpm_step", "exact").lhs, "b"), **letters).item()
    exact = linear_sde_moments(torch.ones(1, dtype=torch.float64), 1.0, VPPath(b, b))
    assert (exact.mean.item(), exact.variance.item()) == pytest.approx((r, beta), rel=1e-9)
    # the law that Euler's steps keep in place of N(0, 1), and how they approach it
    letters["c"] = wide(beta / 4)
    kept = value(defined(result("ddpm_step", "fixed").rhs, "v_b"), **letters).item()
    assert factor**2 * kept + added == pytest.approx(kept, rel=1e-12)
    after = factor**2 * v + added
    contraction = value(result("ddpm_step", "contraction").rhs, **letters).item()
    assert after - kept == pytest.approx(contraction, rel=1e-6, abs=1e-12)
    assert kept - 1 == pytest.approx(value(result("ddpm_step", "bias").rhs, **letters).item())


def family_drift(case: int, drifts, scores, g2: float, stochasticity: float) -> torch.Tensor:
    """The drift inside the checked equation, by coordinates, for letters b and for scores."""
    chapter = book.chapter("sde").reverse_family
    chain = next(c for c in chapter.chains if c.name == "backwards" and dict(c.case)["n"] == case)
    fluxes = [n.body for n in chain.last.walk() if isinstance(n, Deriv) and isinstance(n.body, Mul)]

    def letter(n: Node) -> str | None:
        return "slope" if isinstance(n, Deriv) else "b" if isinstance(n, Apply) else None

    made = [lettered(flux.args[0], letter) for flux in fluxes]
    assert len(made) == case
    letters = {"g": wide(g2).sqrt(), "lambda": wide(stochasticity)}
    return torch.stack(
        [value(tree, b=drifts[:, i], slope=scores[:, i], **letters) for i, tree in enumerate(made)],
        1,
    )


@pytest.mark.parametrize("d", [1, 2])
@given(path=paths_, t=times, stochasticity=family, seed=st.integers(0, 99))
def test_tie_reverse_family(d, path, t, stochasticity, seed) -> None:
    """The drift, its noiseless member, and what the sampler steps with."""
    x, score = normal(4, d, seed=seed), normal(4, d, seed=seed + 1)
    f, g2 = path.drift(t), path.squared_diffusion(t)
    expected = family_drift(d, f * x, score, g2, stochasticity)
    close(reverse_drift(score, x, t, path, stochasticity), expected)
    close(probability_flow_velocity(score, x, t, path), family_drift(d, f * x, score, g2, 0.0))
    s = 0.9 * t
    got = sample(
        lambda x, t: score, (4, d), path, ReverseSDE(stochasticity), steps=(t, s), start=x,
        prediction="score", generator=rng(), dtype=torch.float64,
    )  # fmt: skip
    z = torch.empty_like(x).normal_(generator=rng())
    close(got, x + (s - t) * expected + stochasticity * math.sqrt((t - s) * g2) * z)


@given(theta=scales, t=times, seed=st.integers(0, 99))
def test_tie_path_laws(theta, t, seed) -> None:
    """On an Ornstein-Uhlenbeck process at rest: what the flow and the reverse SDE do."""
    path, x = VPPath(2 * theta, 2 * theta), normal(4, seed=seed)  # g² = 2θ, of variance 1
    flow, reverse = (reverse_drift(-x, x, t, path, member) for member in (0.0, 1.0))
    close(flow, value(result("path_laws", "flow").rhs).double().expand(4))
    close(reverse, value(result("path_laws", "reverse").rhs, theta=wide(theta), x=x))


@given(path=paths_, t=times, seed=st.integers(0, 99))
def test_tie_probability_flow_velocity(path, t, seed) -> None:
    m, x = mixture(), normal(4, 2, seed=seed)
    score = exact_score(m, path)(x, wide(t))
    u = defined(result("likelihood", "flow").rhs, "u_t(x)")
    u = lettered(u, lambda n: "slope" if isinstance(n, Deriv) else None)
    got = probability_flow_velocity(score, x, t, path)
    close(got, value(u, x=x, slope=score, t=wide(t), **of_path(path)), 1e-9)


@given(path=st.sampled_from(FROM_DATA), std=st.floats(0.3, 2), end=st.floats(0.2, 1))
@settings(max_examples=15)
def test_tie_log_likelihood(path, std, end) -> None:
    """Of normal data, from data to any later time."""
    m = GaussianMixture([1.0], [0.0], std=std)
    x = std * normal(5)
    later = path.alpha(end) ** 2 * std**2 + path.sigma(end) ** 2
    expected = value(
        result("likelihood", "gaussian").rhs, x_0=x, s_0=wide(std) ** 2, s_1=wide(later)
    )
    prior = torch.distributions.Normal(0.0, math.sqrt(later))
    with torch.no_grad():
        got = log_likelihood(exact_score(m, path), x, path, end=end, prior=prior.log_prob)
    close(got, expected, 1e-6)


@given(t=times, seed=st.integers(0, 99))
def test_tie_convert(t, seed) -> None:
    """A score from a velocity, with the clock of this book and with the other."""
    velocity, x = normal(3, 2, seed=seed), normal(3, 2, seed=seed + 1)
    letters = {"V": velocity, "x_t": x, "t": wide(t)}
    for path, part in ((LinearPath(), "score"), (reverse_time(LinearPath()), "there")):
        slopes = dict(zip(("d_alpha", "d_sigma"), path.derivatives(t, x), strict=True))
        level = path.coefficients(t, x)
        got = convert(velocity, x, *level, source="velocity", target="score", **slopes)
        close(got, value(result("velocity_score", part).rhs, "x_t", "V", **letters), 1e-9)


TIES = {
    "ornstein_uhlenbeck_moments": {"sde.ornstein_uhlenbeck": test_tie_ornstein_uhlenbeck_moments},
    "linear_sde_moments": {"sde.moment_equations": test_tie_linear_sde_moments},
    "forward_step": {
        "sde.ito": test_tie_forward_step_to_itos_formula,
        "sde.ddpm_step": test_tie_forward_step_to_ddpm,
    },
    "reverse_drift": {
        "sde.reverse_family": test_tie_reverse_family,
        "sde.path_laws": test_tie_path_laws,
    },
    "probability_flow_velocity": {
        "sde.reverse_family": test_tie_reverse_family,
        "sde.likelihood": test_tie_probability_flow_velocity,
    },
    "log_likelihood": {"sde.likelihood": test_tie_log_likelihood},
    "ReverseSDE": {"sde.reverse_family": test_tie_reverse_family},
    "convert": {"sde.velocity_score": test_tie_convert},
    "Path.drift": {"sde.linear_sde": test_tie_forward_sde},
    "Path.squared_diffusion": {
        "sde.linear_sde": test_tie_forward_sde,
        "sde.linear_marginal": test_tie_linear_marginal,
    },
    "VPPath": {"sde.vp_kernel": test_tie_vp_path},
    "VEPath": {"sde.ve_kernel": test_tie_ve_path},
}


def test_a_step_past_the_end_of_the_path_is_refused() -> None:
    x = torch.zeros(3, 2)
    for t, h in ((0.9, 0.2), (torch.tensor(0.9), 0.2), (0.9, torch.tensor(0.2)), (1.0, 1e-6)):
        with pytest.raises(
            ValueError, match=r"^h: got .* expected a step of at most .* ends at t = 1"
        ):
            forward_step(x, t, h, VPPath(), noise=x)
    assert forward_step(x, 0.9, 0.1, VPPath(), noise=x).shape == x.shape
