"""Samplers against their textbook steps, their orders of convergence, and exact recursions."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath.paths import (
    CosinePath,
    EDMPath,
    LinearPath,
    Path,
    Schedule,
    VEPath,
    VPPath,
    cosine_schedule,
    linear_schedule,
    reverse_time,
    shift_time,
)
from genmath.predictions import PREDICTIONS, convert
from genmath.samplers import (
    DDIM,
    Amplified,
    Ancestral,
    Churn,
    DPMSolver,
    Euler,
    Grid,
    Heun,
    Langevin,
    Move,
    ReverseSDE,
    Sampler,
    UniPC,
    sample,
    steps_inside,
)
from genmath.toys import GaussianMixture

# Properties that need no checker

PATHS = [VPPath(), CosinePath(), VEPath(0.1, 10.0), LinearPath(), EDMPath(0.1, 10.0)]
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
ODE_SAMPLERS = [DDIM(), Euler(), Heun()]
NOISY = [DDIM(0.5), DDIM(1.0), Ancestral(), Ancestral("posterior"), ReverseSDE(), ReverseSDE(0.4)]
SOLVERS = [DPMSolver(), UniPC(), UniPC(3), Churn(Heun(), 1.0), Churn(DDIM(), 1.0)]
EVERY = [*ODE_SAMPLERS, *NOISY, *SOLVERS, Langevin(0.1, 2, annealed=True)]

# Few steps, on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::genmath.samplers.Amplified")


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64)


def mixture() -> GaussianMixture:
    covariances = [[[0.3, 0.1], [0.1, 0.2]], [[0.25, 0.0], [0.0, 0.4]]]
    return GaussianMixture([0.4, 0.6], [[-1.0, 0.5], [1.2, -0.4]], covariances=covariances)


def oracle(m: GaussianMixture, path: Path | Schedule, prediction: str):
    """What a perfect network predicts, finite wherever the answer is."""

    def model(x, t):
        alpha, sigma = path.coefficients(t, x.double())
        if prediction == "x0":
            return m.denoiser(x, alpha, sigma)
        if prediction in ("eps", "score"):
            return getattr(m, prediction)(x, alpha, sigma)
        if prediction == "v":
            return (alpha * m.eps(x, alpha, sigma) - sigma * m.denoiser(x, alpha, sigma)).to(
                x.dtype
            )
        if isinstance(path, VPPath | VEPath):  # f x - g²/2 score, finite at t = 0
            f, g2 = path.drift(t), path.squared_diffusion(t)
            return f[:, None] * x - g2[:, None] / 2 * m.score(x, alpha, sigma)
        return m.velocity(x, alpha, sigma, *path.derivatives(t, x.double()))

    return model


# One step, as the textbook has it


def textbook(sampler, path, x, t, s, prediction, said, z):
    """x at s from x at t, by converting what was said and spelling the sampler out."""
    alpha, sigma = path.coefficients(t, x)
    a, b = path.coefficients(s, x)

    def as_(target, at=t, x=x, said=said):
        slopes = dict(zip(("d_alpha", "d_sigma"), path.derivatives(at, x), strict=True))
        level = path.coefficients(at, x)
        return convert(said(x, at), x, *level, source=prediction, target=target, **slopes)

    between = sigma**2 - (alpha / a) ** 2 * b**2  # the variance of q(x_t | x_s)
    posterior = between * b**2 / sigma**2
    if isinstance(sampler, DDIM):
        c2 = sampler.eta**2 * posterior
        return a * as_("x0") + math.sqrt(b**2 - c2) * as_("eps") + math.sqrt(c2) * z
    if isinstance(sampler, Ancestral):
        mean = (alpha / a * b**2 * x + a * between * as_("x0")) / sigma**2
        return mean + math.sqrt(between if sampler.variance == "beta" else posterior) * z
    if isinstance(sampler, Euler):
        return x + (s - t) * as_("velocity")
    if isinstance(sampler, Heun):
        first = as_("velocity")
        second = as_("velocity", at=s, x=x + (s - t) * first)
        return x + (s - t) * (first + second) / 2
    if isinstance(sampler, ReverseSDE):
        f, g2, h = path.drift(t), path.squared_diffusion(t), t - s
        share = (1 + sampler.noise**2) / 2
        step = x - h * (f * x - share * g2 * as_("score"))
        return step + sampler.noise * math.sqrt(g2 * h) * z
    raise AssertionError(sampler)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("sampler", [*ODE_SAMPLERS, *NOISY], ids=str)
@settings(max_examples=15)
@given(
    path=st.sampled_from(PATHS),
    times=st.tuples(st.floats(0.2, 0.95), st.floats(0.1, 0.9)),
    event=st.lists(st.integers(1, 3), max_size=3),
    seed=st.integers(0, 999),
)
def test_one_step_is_the_textbooks(sampler, prediction, path, times, event, seed) -> None:
    t, s = times[0], times[0] * times[1]
    x = normal(3, *event, seed=seed)

    def model(x, t):
        return torch.sin(x) + 0.3

    got = sample(
        model, tuple(x.shape), path, sampler, steps=(t, s), prediction=prediction, start=x,
        generator=rng(), dtype=torch.float64,
    )  # fmt: skip
    z = torch.empty_like(x).normal_(generator=rng())
    expected = textbook(sampler, path, x, t, s, prediction, model, z)
    scale = expected.abs().max().item()
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("prediction", ["x0", "eps", "v", "score"])
@pytest.mark.parametrize(
    "sampler", [DDIM(), DDIM(0.3), DDIM(1.0), Ancestral(), Ancestral("posterior")], ids=str
)
def test_one_step_of_a_schedule_is_the_textbooks(sampler, prediction) -> None:
    """From any step to any earlier one, the last one to clean data without noise."""
    schedule, x, z = linear_schedule(50, 1e-3, 0.2), normal(3, 2), normal(3, 2, seed=1)
    for t, s in ((50, 49), (50, 10), (2, 1), (7, 0), (1, 0)):
        moves = sampler.moves(Grid(schedule, (t, s)), prediction)
        assert len(moves) == 1
        (at, a, b, c, correct, *_), said = moves[0], torch.sin(x)
        assert (at, correct) == (0, None)
        alpha, sigma = schedule.alpha[t].item(), schedule.sigma[t].item()
        after, noise = schedule.alpha[s].item(), schedule.sigma[s].item()
        x0, eps = (
            convert(said, x, alpha, sigma, source=prediction, target=target)
            for target in ("x0", "eps")
        )
        between = 1 - schedule.alpha_bar[t].item() / schedule.alpha_bar[s].item()
        posterior = between * noise**2 / sigma**2
        if isinstance(sampler, DDIM):
            c2 = sampler.eta**2 * posterior
            expected = after * x0 + math.sqrt(noise**2 - c2) * eps
        else:
            c2 = between if sampler.variance == "beta" else posterior
            expected = after * between * x0 + alpha / after * noise**2 * x
            expected = expected / sigma**2
        expected = expected + math.sqrt(c2 if s else 0) * z
        torch.testing.assert_close(a * x + b * said + c * z, expected, rtol=1e-9, atol=1e-9)


@given(st.floats(0, 1), st.floats(0.1, 0.9), st.sampled_from(PATHS))
def test_eta_squared_scales_the_variance(eta, s, path) -> None:
    """Not eta: half of it leaves a quarter of the variance."""
    grid = Grid(path, (0.95, s))
    one, some = (DDIM(e).moves(grid, "eps")[0].noise for e in (1.0, eta))
    assert some**2 == pytest.approx(eta**2 * one**2, rel=1e-12)
    posterior = Ancestral("posterior").moves(grid, "eps")[0]
    assert DDIM(1.0).moves(grid, "eps")[0][:4] == pytest.approx(posterior[:4], rel=1e-9)


def test_on_straight_lines_ddim_is_euler() -> None:
    grid = Grid(LinearPath(), (0.9, 0.5, 0.2, 0.1))
    for prediction in PREDICTIONS:
        pairs = zip(DDIM().moves(grid, prediction), Euler().moves(grid, prediction), strict=True)
        for one, other in pairs:
            assert one[:4] == pytest.approx(other[:4], rel=1e-12, abs=1e-14)


# Whole runs


@pytest.mark.parametrize("path", PATHS, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize(
    "sampler", [DDIM(), DDIM(0.5), Ancestral(), Euler(), ReverseSDE()], ids=str
)
def test_one_statement_said_in_five_ways_gives_one_sample(sampler, path) -> None:
    m, times, x = mixture(), torch.linspace(0.98, 0.02, 12, dtype=torch.float64), normal(5, 2)
    results = [
        sample(
            oracle(m, path, prediction), (5, 2), path, sampler, steps=times, start=x,
            prediction=prediction, generator=rng(), dtype=torch.float64,
        )
        for prediction in PREDICTIONS
    ]  # fmt: skip
    for other in results[1:]:
        torch.testing.assert_close(other, results[0], rtol=1e-7, atol=1e-7)


def slope(errors: list[float]) -> float:
    """The order seen when the number of steps is doubled, between the last two."""
    return math.log2(errors[-2] / errors[-1])


@cache
def exact_end(path: Path, t: float) -> torch.Tensor:
    """The flow from t to 0 on the exact mixture, by many steps of a fourth-order method."""
    m = mixture()
    model, x, n = oracle(m, path, "velocity"), start_of(path, t), 400
    times = (t * torch.linspace(1, 0, n + 1, dtype=torch.float64) ** 2).tolist()
    for now, then in pairwise(times):
        h = then - now

        def u(x, s):
            return model(x, torch.full((len(x),), s, dtype=torch.float64))

        k1 = u(x, now)
        k2 = u(x + h / 2 * k1, now + h / 2)
        k3 = u(x + h / 2 * k2, now + h / 2)
        k4 = u(x + h * k3, then)
        x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x


def start_of(path: Path, t: float) -> torch.Tensor:
    return path.alpha(t) * mixture().sample(32, generator=rng(), dtype=torch.float64) + (
        path.sigma(t) * normal(32, 2, seed=5)
    )


@pytest.mark.parametrize(
    ("sampler", "order", "path", "prediction", "power"),
    [
        (Euler(), 1, VPPath(), "velocity", 1),
        (Euler(), 1, VPPath(), "eps", 1),
        (Euler(), 1, CosinePath(), "v", 1),
        (Euler(), 1, LinearPath(), "x0", 1),
        (Euler(), 1, VEPath(0.1, 10.0), "score", 1),
        (Heun(), 2, VPPath(), "velocity", 1),
        (Heun(), 2, VPPath(), "eps", 1),  # the last step is Euler's
        (Heun(), 2, CosinePath(), "v", 1),
        (Heun(), 2, LinearPath(), "velocity", 1),
        (Heun(), 2, VEPath(0.1, 10.0), "velocity", 1),
        (DDIM(), 1, CosinePath(), "eps", 1),
        (DDIM(), 1, LinearPath(), "velocity", 1),
        # sigma grows like √t here: times that are squares make its steps even
        (DDIM(), 1, VPPath(), "v", 2),
        (DDIM(), 1, VEPath(0.1, 10.0), "score", 2),
    ],
    ids=str,
)
def test_deterministic_samplers_have_their_order(sampler, order, path, prediction, power) -> None:
    """With zero model error, at the data end, where the exact flow arrives."""
    m, t = mixture(), 0.9
    x, exact, errors = start_of(path, t), exact_end(path, t), []
    for n in (64, 128):
        times = t * torch.linspace(1, 0, n + 1, dtype=torch.float64) ** power
        got = sample(
            oracle(m, path, prediction), (32, 2), path, sampler, steps=times, start=x,
            prediction=prediction, dtype=torch.float64,
        )  # fmt: skip
        errors.append((got - exact).norm().item())
    assert abs(slope(errors) - order) < 0.15, errors


class Recursion:
    """Mean and variance after each move for Gaussian data, whose exact prediction is p x + q."""

    def __init__(self, path: Path | Schedule, grid: Grid, m: GaussianMixture, kind: str) -> None:
        times = grid.times.repeat_interleave(2)
        dots = torch.tensor([[0.0], [1.0]], dtype=torch.float64).repeat(len(grid), 1)
        said = oracle(m, path, kind)(dots, times).reshape(-1, 2)
        self.affine = list(
            zip((said[:, 1] - said[:, 0]).tolist(), said[:, 0].tolist(), strict=True)
        )

    def run(self, moves: list[Move], mean: float, variance: float) -> tuple[float, float]:
        for at, a, b, c, correct, *_ in moves:
            assert correct is None
            p, q = self.affine[at]
            mean, variance = (a + b * p) * mean + b * q, (a + b * p) ** 2 * variance + c**2
        return mean, variance


@pytest.mark.parametrize("path", [VPPath(), CosinePath(), LinearPath(), VEPath(0.1, 10.0)],
                         ids=lambda p: type(p).__name__)  # fmt: skip
@pytest.mark.parametrize("sampler", NOISY, ids=str)
def test_stochastic_samplers_have_weak_order_one(sampler, path) -> None:
    """Mean and variance of the samples by exact recursion: no random number is drawn."""
    mu, std, t = 0.7, 0.5, 0.9
    m = GaussianMixture([1.0], [[mu]], std=std)
    mean_errors, variance_errors = [], []
    for n in (1024, 2048):
        power = 2 if isinstance(path, VPPath | VEPath) else 1
        times = t * torch.linspace(1, 0, n + 1, dtype=torch.float64) ** power
        grid = Grid(path, times)
        a, s = path.alpha(t), path.sigma(t)
        exact = Recursion(path, grid, m, "score")
        mean, variance = exact.run(sampler.moves(grid, "score"), a * mu, a**2 * std**2 + s**2)
        mean_errors.append(abs(mean - mu))
        variance_errors.append(abs(variance - std**2))
    assert abs(slope(variance_errors) - 1) < 0.15, variance_errors
    if mean_errors[-1] > 1e-12:
        assert abs(slope(mean_errors) - 1) < 0.15, mean_errors


def test_langevin_settles_at_the_variance_its_step_implies() -> None:
    """x + h score + √(2h) z on N(0, s²): s²/(1 - h/(2 s²)), a bias of order h; none in the mean."""
    mu, std = 0.3, 0.8
    m, path = GaussianMixture([1.0], [[mu]], std=std), LinearPath()
    errors = []
    for h in (0.04, 0.02):
        grid = Grid(path, (0.0,))
        moves = Langevin(h, repeats=2000).moves(grid, "score")
        assert len(moves) == 2000
        mean, variance = Recursion(path, grid, m, "score").run(moves, 5.0, 3.0)
        assert mean == pytest.approx(mu, abs=1e-10)
        assert variance == pytest.approx(std**2 / (1 - h / (2 * std**2)), rel=1e-12)
        errors.append(abs(variance - std**2))
    assert abs(slope(errors) - 1) < 0.15


def test_annealed_langevin_scales_its_step_by_the_noise_level() -> None:
    path, times = VEPath(0.1, 10.0), (1.0, 0.5, 0.1)
    moves = Langevin(0.05, repeats=3, annealed=True).moves(Grid(path, times), "score")
    assert [move.at for move in moves] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for move in moves:
        h = 0.05 * path.sigma(times[move.at]) ** 2
        assert move == Move(move.at, 1.0, pytest.approx(h), pytest.approx(math.sqrt(2 * h)))


@pytest.mark.parametrize("path", [*PATHS, linear_schedule(60, 1e-3, 0.2)], ids=str)
@pytest.mark.parametrize("sampler", [DDIM(), DDIM(0.6), DDIM(1.0), Ancestral("posterior")], ids=str)
@settings(max_examples=10)
@given(st.data())
def test_every_subsequence_keeps_every_marginal_given_the_data(sampler, path, data) -> None:
    """For data that are one point x_0: x_s is N(alpha_s x_0, sigma_s²) all along, whatever eta."""
    point = 1.7
    m = GaussianMixture([1.0], [[point]], std=0)
    if isinstance(path, Schedule):
        steps = data.draw(st.sets(st.integers(1, 60), min_size=1, max_size=8))
        times = [*sorted(steps, reverse=True), 0]
    else:
        steps = data.draw(st.sets(st.integers(1, 99), min_size=1, max_size=8))
        times = [t / 100 for t in sorted(steps, reverse=True)] + [0.0]
    grid = Grid(path, times)
    moves, exact = sampler.moves(grid, "eps"), Recursion(path, Grid(path, times[:-1]), m, "eps")
    mean, variance = grid.alpha[0].item() * point, grid.sigma[0].item() ** 2
    for i, move in enumerate(moves):
        mean, variance = exact.run([move], mean, variance)
        assert mean == pytest.approx(grid.alpha[i + 1].item() * point, rel=1e-9, abs=1e-9)
        assert variance == pytest.approx(grid.sigma[i + 1].item() ** 2, rel=1e-9, abs=1e-9)
    assert moves[-1].noise == 0


def test_beta_is_exact_for_standard_normal_data_on_any_subsequence() -> None:
    path, m = linear_schedule(60, 1e-3, 0.2), GaussianMixture([1.0], [[0.0]], std=1)
    grid = Grid(path, (60, 33, 32, 7, 1))
    mean, variance = Recursion(path, grid, m, "eps").run(Ancestral().moves(grid, "eps"), 0.0, 1.0)
    assert mean == pytest.approx(0, abs=1e-12)
    assert variance == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("sampler", [ReverseSDE(), Ancestral(), DDIM(1.0)], ids=str)
def test_samples_have_the_moments_that_the_recursion_predicts(device, sampler) -> None:
    path, n = VPPath(), 50_000
    m = GaussianMixture([1.0], [[0.7]], std=0.5)
    times = torch.linspace(1, 0, 21)
    grid = Grid(path, times)
    mean, variance = Recursion(path, grid, m, "score").run(sampler.moves(grid, "score"), 0.0, 1.0)
    x = sample(
        oracle(m, path, "score"), (n, 1), path, sampler, steps=times, prediction="score",
        generator=rng(device),
    )  # fmt: skip
    assert abs(x.mean().item() - mean) < 5 * math.sqrt(variance / n)
    assert abs(x.var().item() / variance - 1) < 5 * math.sqrt(2 / n)


def test_heun_ends_with_eulers_step_only_where_it_must() -> None:
    grid = Grid(VPPath(), (0.9, 0.5, 0.0))
    assert [m.correct is None for m in Heun().moves(grid, "velocity")] == [False, False]
    for prediction in ("x0", "eps", "score"):
        assert [m.correct is None for m in Heun().moves(grid, prediction)] == [False, True]
    assert Heun().moves(grid, "eps")[1] == Euler().moves(grid, "eps")[1]
    inside = Grid(VPPath(), (0.9, 0.5, 0.1))
    assert all(m.correct for m in Heun().moves(inside, "eps"))


@pytest.mark.parametrize("sampler", ODE_SAMPLERS, ids=str)
@pytest.mark.parametrize("path", [CosinePath(), LinearPath(), VPPath()], ids=str)
def test_deterministic_samplers_run_there_and_back(sampler, path) -> None:
    m, x = mixture(), mixture().sample(8, generator=rng(), dtype=torch.float64)
    times = 0.95 * torch.linspace(0, 1, 129, dtype=torch.float64) ** 2
    options = {"prediction": "v", "dtype": torch.float64}
    model = oracle(m, path, "v")
    if path != CosinePath():  # v gives no velocity at sigma = 0 where sigma moves infinitely fast
        options["prediction"], model = "velocity", oracle(m, path, "velocity")
    if isinstance(sampler, DDIM) and path == VPPath():
        options["prediction"], model = "eps", oracle(m, path, "eps")
    noise = sample(model, (8, 2), path, sampler, steps=times, start=x, **options)
    back = sample(model, (8, 2), path, sampler, steps=times.flip(0), start=noise, **options)
    assert not torch.allclose(noise, x, atol=0.1)
    torch.testing.assert_close(back, x, rtol=0, atol=0.01 if sampler == Heun() else 0.3)


def test_a_reversed_path_is_sampled_forwards() -> None:
    m, x = mixture(), normal(6, 2)
    path, back = LinearPath(), reverse_time(LinearPath())
    for sampler in (Heun(), DDIM(), Ancestral("posterior")):
        a = sample(oracle(m, path, "x0"), (6, 2), path, sampler, steps=16, prediction="x0",
                   start=x, generator=rng(), dtype=torch.float64)  # fmt: skip
        b = sample(oracle(m, back, "x0"), (6, 2), back, sampler, steps=16, prediction="x0",
                   start=x, generator=rng(), dtype=torch.float64)  # fmt: skip
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


# The loop


@pytest.mark.parametrize("sampler", EVERY, ids=str)
@pytest.mark.parametrize("shape", [(5,), (0, 2), (2, 3), (2, 3, 4, 4), (2, 0)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_shape_and_dtype(device, sampler, shape, dtype) -> None:
    seen = set()

    def model(x, t):
        seen.add((x.dtype, tuple(x.shape), t.dtype, tuple(t.shape), x.device.type, t.device.type))
        return 0.5 * x

    steps = shift_time(torch.linspace(0.99, 0.05, 5), 2.0)
    x = sample(model, shape, LinearPath(), sampler, steps=steps, generator=rng(device), dtype=dtype,
               prediction="x0")  # fmt: skip
    assert (x.shape, x.dtype, x.device.type) == (shape, dtype, device)
    assert torch.isfinite(x).all()
    times = torch.float64 if dtype == torch.float64 else torch.float32
    assert seen == {(dtype, shape, times, shape[:1], device, device)}


def test_a_schedule_gives_the_model_its_own_steps() -> None:
    seen = []

    def model(x, t):
        seen.append((t.dtype, t.tolist()))
        return 0 * x

    schedule = linear_schedule(10)
    for steps, expected in (
        (None, list(range(10, 0, -1))), (5, [10, 8, 6, 4, 2]), (4, [10, 8, 5, 3]),
        (1, [10]), ((9, 4, 0), [9, 4]), (torch.tensor([7, 2, 1]), [7, 2]),
    ):  # fmt: skip
        seen.clear()
        sample(model, (2, 1), schedule, DDIM(), steps=steps, generator=rng())
        assert seen == [(torch.int64, [t, t]) for t in expected]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_does_not_lose_its_small_steps(device, dtype) -> None:
    m, path = GaussianMixture([1.0], [[0.0, 0.0]], std=1), VPPath()
    model = oracle(m, path, "velocity")

    def half(x, t):
        return model(x, t).to(x.dtype)

    options = {"steps": 1000, "prediction": "velocity"}
    x = normal(256, 2).float().to(device)
    low = sample(half, (256, 2), path, Euler(), start=x, dtype=dtype, **options)
    single = sample(half, (256, 2), path, Euler(), start=x, **options)
    torch.testing.assert_close(low.float(), single, rtol=0.02, atol=0.05)


def test_data_at_a_large_offset_arrive_in_float32() -> None:
    """The exact answer for data at 1e4, of unit variance, by steps that keep the offset."""
    m = GaussianMixture([1.0], [[1e4]], std=1)
    for sampler in (Heun(), DDIM(), Ancestral()):
        got = sample(
            oracle(m, LinearPath(), "x0"), (2000, 1), LinearPath(), sampler, steps=200,
            prediction="x0", generator=rng(),
        )  # fmt: skip
        assert abs(got.double().mean().item() - 1e4) < 0.2
        assert got.double().std().item() == pytest.approx(1, abs=0.1)


def test_zero_terminal_snr_with_eps_is_an_error_and_not_nan() -> None:
    """At alpha = 0 the noise says nothing about the data; v and x0 do."""
    for sampler in (DDIM(), Ancestral(), Euler()):
        with pytest.raises(ValueError, match=r"^alpha: got 0.0, expected a positive number"):
            sample(lambda x, t: x, (2, 2), CosinePath(), sampler, steps=4, generator=rng())
        for prediction in ("v", "x0"):
            x = sample(
                oracle(mixture(), CosinePath(), prediction), (4, 2), CosinePath(), sampler, steps=4,
                prediction=prediction, generator=rng(),
            )  # fmt: skip
            assert torch.isfinite(x).all()


def test_the_start_is_drawn_with_the_variance_of_standard_data() -> None:
    def stay(x, t):
        return 0 * x

    for path, steps, variance in (
        (VPPath(), (1.0, 0.9), 1.0), (LinearPath(), (0.8, 0.7), 0.68),
        (VEPath(0.1, 10.0), (1.0, 0.9), 100.99), (linear_schedule(5), (5, 4), 1.0),
    ):  # fmt: skip
        x = sample(stay, (100_000,), path, DDIM(), steps=steps, generator=rng(), trajectory=True)[0]
        assert x.var().item() == pytest.approx(variance, rel=0.02)


def test_trajectory_and_progress() -> None:
    m, path, seen = mixture(), LinearPath(), []
    options = {"steps": 6, "prediction": "x0"}
    run = sample(
        oracle(m, path, "x0"), (3, 2), path, Heun(), trajectory=True, generator=rng(),
        callback=lambda done, total, x: seen.append((done, total, x)), **options,
    )  # fmt: skip
    assert run.shape == (7, 3, 2)
    assert [(done, total) for done, total, _ in seen] == [(i, 6) for i in range(7)]
    for (_, _, x), kept in zip(seen, run, strict=True):
        assert torch.equal(x, kept)
    last = sample(oracle(m, path, "x0"), (3, 2), path, Heun(), generator=rng(), **options)
    assert torch.equal(last, run[-1])
    assert torch.equal(run[0], torch.randn(3, 2, generator=rng()))


class Halving(Sampler):
    """It may change, unlike those of the package."""

    factor = 0.5

    def moves(self, grid, prediction):
        return [Move(0, self.factor, 0.0)] * (len(grid) - 1)


def test_what_is_remembered_is_what_cannot_change() -> None:
    def said(x, t):
        return x.tanh()

    def run(path, sampler, steps=3, **options):
        return sample(
            said, (2,), path, sampler, steps=steps, prediction="v", start=torch.ones(2), **options
        )

    first = {path: run(path, DDIM()) for path in (VPPath(), VPPath(beta_max=5.0), CosinePath())}
    for path, x in first.items():
        assert torch.equal(run(path, DDIM()), x)
        assert torch.equal(run(path, DDIM(), [1.0, 2 / 3, 1 / 3, 0.0]), x)
    assert len({x[0].item() for x in first.values()}) == 3
    assert not torch.equal(run(VPPath(), DDIM(), threshold=0.1), first[VPPath()])
    assert not torch.equal(run(VPPath(), DDIM(), 4), first[VPPath()])
    run(VPPath(), DDIM(), 1)
    with pytest.raises(ValueError, match=r"^steps: got True"):
        run(VPPath(), DDIM(), True)
    mine = Halving()
    assert run(VPPath(), mine)[0] == 0.125
    mine.factor = 1.0
    assert run(VPPath(), mine)[0] == 1.0


@pytest.mark.parametrize("sampler", ODE_SAMPLERS, ids=str)
def test_deterministic_samplers_draw_nothing(sampler) -> None:
    generator = rng()
    sample(lambda x, t: x, (2, 2), LinearPath(), sampler, steps=5, prediction="x0",
           generator=generator)  # fmt: skip
    once = rng()
    torch.randn(2, 2, generator=once)
    assert torch.equal(generator.get_state(), once.get_state())
    sample(lambda x, t: x, (2, 2), LinearPath(), sampler, steps=5, prediction="x0",
           start=torch.ones(2, 2))  # fmt: skip


def test_no_global_state_is_read_or_written() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()

    def run(sampler):
        return sample(lambda x, t: 0.1 * x, (3, 2), VPPath(), sampler, steps=(0.9, 0.5, 0.1),
                      prediction="score", generator=rng())  # fmt: skip

    first = [run(sampler) for sampler in EVERY]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    for sampler, x in zip(EVERY, first, strict=True):
        assert torch.equal(run(sampler), x)


def test_the_defaults_of_torch_change_nothing() -> None:
    """Peers compute their tables in the default dtype, or on the default device."""

    def run():
        m = mixture()
        return [
            m.sample(4, generator=rng(), stratified=True),
            *(sample(oracle(m, path, "x0"), (4, 2), path, sampler, steps=(0.9, 0.5, 0.1),
                     prediction="x0", generator=rng()) for path in PATHS for sampler in EVERY),
        ]  # fmt: skip

    first, dtype = run(), torch.get_default_dtype()
    try:
        for default in (torch.float16, torch.float64):
            torch.set_default_dtype(default)
            for x, expected in zip(run(), first, strict=True):
                assert x.dtype == torch.float32
                assert torch.equal(x, expected)
    finally:
        torch.set_default_dtype(dtype)
    with torch.device("meta"):
        for path in PATHS:
            for sampler in EVERY:
                moves = sampler.moves(Grid(path, (0.9, 0.5, 0.1)), "x0")
                assert math.isfinite(moves[0].x)


def test_nothing_is_clipped_and_nan_is_refused() -> None:
    start = torch.full((2, 2), 1e4)
    for sampler in EVERY:
        options = {"steps": (0.9, 0.5, 0.1), "prediction": "x0", "generator": rng()}
        x = sample(lambda x, t: x, (2, 2), LinearPath(), sampler, start=start, **options)
        assert (x.abs() > 1e3).all()
        for broken in (
            lambda x, t: x * math.nan,
            lambda x, t: torch.where(t < 0.7, math.inf, x.T).T,
        ):
            with pytest.raises(ValueError, match=r"^model output: got .* not finite after move"):
                sample(broken, (2, 2), LinearPath(), sampler, **options)


def test_a_model_may_return_or_keep_its_input() -> None:
    for sampler in EVERY:
        kept = []

        def model(x, t, kept=kept):
            kept.append((x, x.clone()))
            return x

        sample(model, (3, 2), LinearPath(), sampler, steps=(0.9, 0.5, 0.1), prediction="velocity",
               generator=rng())  # fmt: skip
        assert kept
        assert all(torch.equal(then, now) for then, now in kept)


def test_gradients_do_not_pass() -> None:
    scale = torch.tensor(0.5, requires_grad=True)
    x = sample(lambda x, t: scale * x, (2, 2), LinearPath(), Heun(), steps=3, prediction="x0",
               generator=rng())  # fmt: skip
    assert not x.requires_grad


def test_a_sampler_of_ones_own_is_one_method() -> None:
    class Halving(Sampler):
        def moves(self, grid, prediction):
            return [Move(0, 0.5, 0.0)] * len(grid)

    x = sample(lambda x, t: x, (2,), LinearPath(), Halving(), steps=3, start=torch.ones(2))
    assert torch.equal(x, torch.full((2,), 1 / 16))


def model(x, t):
    return x


def go(sampler=None, path=None, **options):
    options = {"generator": rng(), "prediction": "x0", "steps": 4, **options}
    return sample(model, (2, 3), path or LinearPath(), sampler or Euler(), **options)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("sampler", lambda: go("euler")),
        ("path", lambda: sample(model, (2,), 50, DDIM(), steps=(1, 0), generator=rng())),
        ("path", lambda: go(Euler(), linear_schedule(5))),
        ("path", lambda: go(Heun(), linear_schedule(5))),
        ("path", lambda: go(ReverseSDE(), linear_schedule(5))),
        ("path", lambda: go(DDIM(), linear_schedule(5), prediction="velocity")),
        ("path", lambda: go(ReverseSDE(), reverse_time(VPPath()))),
        ("prediction", lambda: go(prediction="noise")),
        ("generator", lambda: go(generator=None)),
        ("generator", lambda: go(Ancestral(), generator=None, start=torch.ones(2, 3))),
        ("generator", lambda: go(generator=0)),
        ("start", lambda: go(start=torch.ones(2))),
        ("start", lambda: go(start=torch.full((2, 3), math.inf))),
        ("start", lambda: go(start=torch.ones(2, 3).long())),
        ("start", lambda: go(steps=(0.1, 0.5))),
        ("shape", lambda: sample(model, 5, LinearPath(), Euler(), steps=2, generator=rng())),
        ("shape", lambda: sample(model, (-1,), LinearPath(), Euler(), steps=2, generator=rng())),
        ("shape", lambda: sample(model, (), LinearPath(), Euler(), steps=2)),
        ("steps", lambda: go(steps=None)),
        ("steps", lambda: go(steps=0)),
        ("steps", lambda: go(steps=0.5)),
        ("steps", lambda: go(steps="many")),
        ("steps", lambda: go(steps=(1.0,))),
        ("steps", lambda: go(steps=())),
        ("steps", lambda: go(steps=(1.0, 0.5, 0.5))),
        ("steps", lambda: go(steps=(0.5, 1.0, 0.2))),
        ("steps", lambda: go(steps=(1.5, 0.0))),
        ("steps", lambda: go(steps=torch.ones(2, 2))),
        ("steps", lambda: go(DDIM(0.5), steps=(0.1, 0.5), start=torch.ones(2, 3))),
        ("steps", lambda: go(DDIM(), linear_schedule(5), steps=6)),
        ("steps", lambda: go(DDIM(), linear_schedule(5), steps=(6, 0))),
        ("steps", lambda: go(DDIM(), linear_schedule(5), steps=(3.5, 0))),
        ("steps", lambda: go(Ancestral(), linear_schedule(5), steps=(0, 3))),
        ("steps", lambda: go(ReverseSDE(), steps=(1.0, 0.5))),
        ("steps", lambda: go(Langevin(0.1, annealed=True), prediction="score", steps=(0.5, 0.0))),
        ("sigma", lambda: go(Langevin(0.1), prediction="eps", steps=(0.5, 0.0))),
        ("sigma", lambda: go(Euler(), steps=(0.0, 0.5), start=torch.ones(2, 3))),
        ("d_sigma", lambda: go(Euler(), VPPath(), prediction="score", steps=(0.0, 0.5),
                               start=torch.ones(2, 3))),
        ("alpha", lambda: go(Euler(), prediction="eps")),
        ("model output", lambda: sample(lambda x, t: x[:1], (2, 3), LinearPath(), Euler(), steps=2,
                                        prediction="x0", generator=rng())),
        ("variance", lambda: Ancestral("small")),
        ("eta", lambda: DDIM(1.5)),
        ("eta", lambda: DDIM(-0.1)),
        ("noise", lambda: ReverseSDE(-1.0)),
        ("step", lambda: Langevin(0.0)),
        ("repeats", lambda: Langevin(0.1, 0)),
    ],
)  # fmt: skip
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call()


# The two traps of the defaults


def noise_model(prediction: str, schedule: Schedule, error: float) -> Callable[..., torch.Tensor]:
    """The exact model of N(0, 0.5²) data, off by a share of the size of what it predicts."""
    data = GaussianMixture([1.0], [[0.0]], std=0.5)

    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        alpha, sigma = schedule.coefficients(t, x)
        eps = data.eps(x, alpha, sigma)
        exact = convert(eps, x, alpha, sigma, source="eps", target=prediction)
        return exact + error * torch.sin(3 * x)

    return model


@pytest.mark.filterwarnings("default::genmath.samplers.Amplified")
def test_a_sampler_that_starts_where_the_prediction_says_nothing_warns_by_name() -> None:
    schedule = cosine_schedule(50)
    options = {"generator": rng(), "dtype": torch.float64}
    shape = (2000, 1)
    change = {}
    for prediction in ("eps", "v", "x0"):
        spread = []
        for error in (0.0, 0.01):
            model = noise_model(prediction, schedule, error)
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                x = sample(
                    model, shape, schedule, DDIM(), steps=10, prediction=prediction, **options
                )
            spread.append(x.std())
            assert [w.category for w in said] == ([Amplified] if prediction == "eps" else [])
            for w in said:
                assert w.filename == __file__
                assert re.match(r"prediction: 'eps' .* sigma/alpha = 1.01e\+03", str(w.message))
        change[prediction] = abs(spread[1] - spread[0])
    assert change["eps"] > 0.1 > 10 * max(change["v"], change["x0"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for sampler in (Ancestral(), Ancestral("posterior")):
            model = noise_model("eps", schedule, 0.01)
            assert abs(sample(model, shape, schedule, sampler, **options).std() - 0.5) < 0.05


@pytest.mark.parametrize("prediction", ["x0", "eps", "v", "score", "velocity"])
def test_a_threshold_cuts_the_data_that_a_prediction_means(prediction: str) -> None:
    path, mixture = VPPath(), GaussianMixture([0.5, 0.5], [[-1.0], [1.0]], std=0.0)

    def model(x: torch.Tensor, t: torch.Tensor, cut: float = math.inf) -> torch.Tensor:
        level, slopes = path.coefficients(t, x), path.derivatives(t, x)
        x0 = (3 * mixture.denoiser(x, *level)).clamp(-cut, cut)  # three times too large
        said = {"source": "x0", "target": prediction, "d_alpha": slopes[0], "d_sigma": slopes[1]}
        return convert(x0, x, *level, **said)

    for sampler in (DDIM(), Heun(), Ancestral("posterior")):

        def run(model=model, sampler=sampler, **more) -> torch.Tensor:
            return sample(
                model, (50, 1), path, sampler, steps=(1.0, 0.6, 0.3, 0.01), prediction=prediction,
                generator=rng(), dtype=torch.float64, **more,
            )  # fmt: skip

        free, cut = run(), run(threshold=1.0)
        torch.testing.assert_close(cut, run(partial(model, cut=1.0)), rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(run(threshold=1e3), free)
        assert (free - cut).abs().max() > 1


def test_steps_inside_begin_where_the_noise_says_what_the_data_are() -> None:
    schedule = cosine_schedule(1000)
    steps = steps_inside(10, schedule)
    assert (len(steps), steps[-1]) == (11, 0)
    ratio = schedule.sigma / schedule.alpha
    assert ratio[steps[0]] <= 25 < ratio[steps[0] + 1]
    assert steps_inside(5, linear_schedule(5)) == (5, 4, 3, 2, 1, 0)
    for path in (CosinePath(), LinearPath()):
        times = steps_inside(4, path, ratio=10.0)
        assert path.sigma(times[0]) / path.alpha(times[0]) == pytest.approx(10.0, rel=1e-12)
        assert times[-1] == 0.0
        assert torch.tensor(times).diff().tolist() == pytest.approx([-times[0] / 4] * 4)
        turned = steps_inside(4, reverse_time(path), ratio=10.0)
        assert turned == pytest.approx([1 - t for t in times])
    assert steps_inside(2, VPPath(0.1, 1.0)) == (1.0, 0.5, 0.0)  # which ends before
    with pytest.raises(ValueError, match=r"^n: got 999, expected an integer in 1\.\.\d+$"):
        steps_inside(999, schedule)


@pytest.mark.filterwarnings("error::genmath.samplers.Amplified")
def test_an_error_of_the_noise_is_not_amplified_inside() -> None:
    """DDIM in ten steps with one percent of error: 25 times as near to the exact end as from T."""
    schedule, bell = cosine_schedule(1000), GaussianMixture([1.0], [[0.5, -0.5]], std=0.5)

    def model(x: torch.Tensor, t: torch.Tensor, error: float = 0.01) -> torch.Tensor:
        return bell.eps(x, *schedule.coefficients(t, x)) + error

    def end(steps: object, error: float) -> torch.Tensor:
        return sample(
            lambda x, t: model(x, t, error), (50, 2), schedule, DDIM(), steps=steps,
            generator=torch.Generator().manual_seed(0), dtype=torch.float64,
        )  # fmt: skip

    near = steps_inside(10, schedule)
    inside = (end(near, 0.01) - end(near, 0.0)).abs().max()
    with pytest.warns(Amplified, match=r"steps=steps_inside\(n, path\)"):
        outside = (end(10, 0.01) - end(10, 0.0)).abs().max()
    assert inside < 0.1
    assert outside > 25 * inside
