"""EDM: weights, scales and solvers, against the checked results and against exact flows."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genmath import book
from genmath.edm import (
    Preconditioned,
    edm_loss,
    edm_weight,
    min_snr_weight,
    preconditioning,
    weight_ratio,
)
from genmath.paths import CosinePath, EDMPath, LinearPath, Path, VPPath, rho_levels
from genmath.predictions import PREDICTIONS, convert
from genmath.proof.language.tree import Named, Node
from genmath.samplers import DDIM, Churn, DPMSolver, Euler, Grid, Heun, UniPC, sample
from genmath.toys import GaussianMixture
from tests.checked import value
from tests.test_samplers import oracle

PATHS = [EDMPath(), EDMPath(0.01, 10.0, 3.0), VPPath(), CosinePath(), LinearPath()]
levels = st.tuples(st.floats(0.05, 3.0), st.floats(0.05, 3.0))
few_steps = pytest.mark.filterwarnings("ignore::genmath.samplers.Amplified")


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


def wide(number: float) -> torch.Tensor:
    return torch.tensor(number, dtype=torch.float64)


# Weights


@given(levels, st.tuples(st.floats(-2, 2), st.floats(0.1, 2)), st.integers(0, 99))
def test_weights_translate_between_all_predictions(level, slopes, seed) -> None:
    """The same two guesses, said in two ways: the weighted squared errors are equal."""
    (alpha, sigma), (d_alpha, d_sigma) = level, slopes
    if abs(alpha * d_sigma - sigma * d_alpha) < 0.05:
        return
    x, x0, guess = (normal(3, 2, seed=seed + i) for i in range(3))
    path = {"d_alpha": d_alpha, "d_sigma": d_sigma}

    def error(name: str) -> torch.Tensor:
        said = [convert(g, x, alpha, sigma, source="x0", target=name, **path) for g in (guess, x0)]
        return (said[0] - said[1]).square().sum()

    for source in PREDICTIONS:
        for target in PREDICTIONS:
            ratio = weight_ratio(alpha, sigma, source=source, target=target, **path)
            torch.testing.assert_close(error(source), ratio * error(target), rtol=1e-8, atol=0)


@given(st.floats(0.01, 0.99), st.floats(0.1, 20.0))
def test_min_snr_is_one_loss_in_four_units(abar, gamma) -> None:
    alpha, sigma = math.sqrt(abar), math.sqrt(1 - abar)
    on_data = min_snr_weight(alpha, sigma, gamma=gamma, prediction="x0")
    assert on_data == pytest.approx(min(abar / (1 - abar), gamma), rel=1e-12)
    for name in ("eps", "v", "score"):
        said = min_snr_weight(alpha, sigma, gamma=gamma, prediction=name)
        ratio = weight_ratio(alpha, sigma, source="x0", target=name)
        assert said == pytest.approx(on_data * ratio, rel=1e-12)


def test_min_snr_at_the_ends_is_a_limit_and_not_nan() -> None:
    clean, noise = (1.0, 0.0), (0.0, 1.0)
    for name, at_data, at_noise in (
        ("x0", 5, 0), ("eps", 0, 1), ("v", 0, 0), ("score", 0, 1),
    ):  # fmt: skip
        assert min_snr_weight(*clean, prediction=name) == at_data
        assert min_snr_weight(*noise, prediction=name) == at_noise
    both = min_snr_weight(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), prediction="v")
    assert both.tolist() == [0.0, 0.0]
    assert both.dtype == torch.float32


def test_the_published_slip_is_one_at_pure_noise() -> None:
    """min(snr + 1, gamma)/(snr + 1), as diffusers had it, is no weight of Min-SNR."""
    snr = 0.01
    ours = min_snr_weight(math.sqrt(snr / (1 + snr)), math.sqrt(1 / (1 + snr)), prediction="v")
    assert ours == pytest.approx(snr / (snr + 1))
    assert min(snr + 1, 5) / (snr + 1) == 1.0


# Scales


def test_the_scales_are_those_of_a_second_witness() -> None:
    """Karras et al. 2022, table 1, with sigma_data = 0.5, in closed form to 15 digits."""
    rows = {
        0.002: (0.9999840002559959, 0.0019999840001919972, 1.9999840001919975),
        0.5: (0.5, 0.35355339059327373, 1.414213562373095),
        1.0: (0.2, 0.4472135954999579, 0.8944271909999159),
        10.0: (0.0024937655860349127, 0.4993761694389224, 0.09987523388778448),
        80.0: (3.906097418069607e-05, 0.49999023466109294, 0.012499755866527323),
    }
    for sigma, expected in rows.items():
        got = preconditioning(1.0, sigma, sigma_data=0.5)
        assert got[:3] == pytest.approx(expected, rel=1e-14)
        assert got.c_noise == pytest.approx(math.log(sigma) / 4, rel=1e-14, abs=1e-15)


@given(levels, st.floats(0.1, 3.0))
def test_no_share_of_the_input_leaves_less_to_say(level, data) -> None:
    (alpha, sigma) = level
    c = preconditioning(alpha, sigma, sigma_data=data)

    def left(share: float) -> float:
        return (1 - share * alpha) ** 2 * data**2 + share**2 * sigma**2

    assert left(c.c_skip) == pytest.approx(c.c_out**2, rel=1e-9)
    assert all(left(c.c_skip + d) > left(c.c_skip) for d in (-0.1, 0.1))
    assert c.c_in**2 * (alpha**2 * data**2 + sigma**2) == pytest.approx(1, rel=1e-12)
    assert c.c_out <= min(data, sigma / alpha) * (1 + 1e-12)
    assert edm_weight(alpha, sigma, sigma_data=data) * c.c_out**2 == pytest.approx(1, rel=1e-12)


def test_the_ends_are_finite() -> None:
    assert preconditioning(1.0, 0.0, sigma_data=0.5) == (1, 0, 2, -math.inf)
    assert preconditioning(0.0, 1.0, sigma_data=0.5) == (0, 0.5, 1, math.inf)
    at = preconditioning(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), sigma_data=0.5)
    assert torch.stack(at[:3]).T.tolist() == [[1, 0, 2], [0, 0.5, 1]]


class Recorder(nn.Module):
    """Answers a constant, and keeps what it has seen."""

    def __init__(self, answer: float = 0.0) -> None:
        super().__init__()
        self.answer = answer
        self.seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def forward(self, x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        self.seen.append((x, level))
        return torch.full_like(x, self.answer)


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_a_network_sees_and_is_asked_numbers_of_unit_size(path: Path) -> None:
    x0, noise = 0.7 * normal(20_000, 2), normal(20_000, 2, seed=1)
    for t in (0.02, 0.3, 0.9):
        net = Recorder()
        model = Preconditioned(net, path, sigma_data=0.7)
        loss = edm_loss(model, x0, t=t, noise=noise)
        ((x, level),) = net.seen
        assert x.std().item() == pytest.approx(1, abs=0.02)
        expected = -float(path.half_log_snr(t)) / 4
        assert level.shape == (20_000,)
        assert level[0].item() == pytest.approx(expected, rel=1e-9)
        assert loss.item() / 2 == pytest.approx(1, abs=0.03)  # two coordinates, each of size 1


def test_for_normal_data_a_network_that_says_nothing_is_the_denoiser() -> None:
    data = GaussianMixture([1.0], [[0.0, 0.0]], std=0.7)
    for path in PATHS:
        model = Preconditioned(Recorder(), path, sigma_data=0.7)
        x, t = normal(5, 2), torch.rand(5, generator=rng(), dtype=torch.float64)
        torch.testing.assert_close(model(x, t), data.denoiser(x, *path.coefficients(t, x)))


def test_the_loss_is_the_weighted_error_of_the_data() -> None:
    torch.manual_seed(0)
    net = nn.Bilinear(2, 1, 2).double()

    class Net(nn.Module):
        def forward(self, x, level):
            return torch.tanh(net(x, level[:, None]))

    x0, noise, t = normal(6, 2), normal(6, 2, seed=1), torch.linspace(0.1, 0.9, 6).double()
    for path in PATHS:
        model = Preconditioned(Net(), path, sigma_data=0.8)
        x_t = path.interpolate(x0, noise, t)
        weight = edm_weight(*path.coefficients(t, x0), sigma_data=0.8)
        expected = (weight * (model(x_t, t) - x0) ** 2).sum(1).mean()
        torch.testing.assert_close(edm_loss(model, x0, t=t, noise=noise), expected)


def test_the_levels_that_are_drawn_are_log_normal() -> None:
    path, net = EDMPath(), Recorder()
    model = Preconditioned(net, path, sigma_data=0.5)
    edm_loss(model, torch.zeros(40_000, 1), generator=rng(), mean=-1.0, std=0.8)
    log_sigma = 4 * net.seen[0][1]
    assert log_sigma.mean().item() == pytest.approx(-1.0, abs=0.02)
    assert log_sigma.std().item() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(3,), (3, 2), (2, 1, 4, 4)])
def test_any_shape_and_dtype(shape, dtype) -> None:
    model = Preconditioned(Recorder(0.5), EDMPath(), sigma_data=0.5)
    x = normal(*shape).to(dtype)
    for t in (0.3, torch.full(shape[:1], 0.3)):
        out = model(x, t)
        assert (out.shape, out.dtype) == (x.shape, dtype)
    loss = edm_loss(model, x, generator=rng())
    assert (loss.shape, loss.dtype) == ((), dtype)


def test_gradients_reach_the_network() -> None:
    net = nn.Linear(2, 2)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = net

        def forward(self, x, level):
            return self.inner(x) * level[:, None]

    edm_loss(
        Preconditioned(Net(), EDMPath(), sigma_data=0.5), torch.ones(4, 2), generator=rng()
    ).backward()
    assert net.weight.grad is not None
    assert bool(net.weight.grad.abs().sum() > 0)


# Levels


@given(st.floats(1e-3, 1.0), st.floats(1.5, 1e3), st.integers(2, 40), st.floats(0.5, 50))
def test_the_roots_of_the_levels_are_even(low, ratio, n, rho) -> None:
    high = low * ratio
    got = rho_levels(high, low, n, rho=rho)
    assert got.shape == (n,)
    assert (got[0].item(), got[-1].item()) == (high, low)
    roots = got ** (1 / rho)
    even = torch.linspace(roots[0].item(), roots[-1].item(), n, dtype=torch.float64)
    torch.testing.assert_close(roots, even, rtol=1e-9, atol=0)
    steps = EDMPath(low, high, rho).steps(n)
    assert steps[0] == 1.0
    assert steps[-1] == 0.0
    assert [high * t for t in steps[:-1]] == pytest.approx(got.tolist(), rel=1e-12)


def test_one_step_goes_from_noise_to_data() -> None:
    assert EDMPath().steps(1) == (1.0, 0.0)


# Solvers against the exact flow: on the line it keeps every quantile

LINE = GaussianMixture([0.4, 0.6], [[-1.0], [0.7]], std=0.3)


def share(x: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
    spread = math.hypot(alpha * 0.3, sigma)
    return torch.special.ndtr((x - alpha * LINE.means.T) / spread) @ LINE.weights


@cache
def flow(path: Path, t: float, s: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Starts at t, and where the exact flow takes them at s."""
    (a, b), (c, d) = ([float(of(u)) for of in (path.alpha, path.sigma)] for u in (t, s))
    x = torch.linspace(-1.5, 1.5, 9, dtype=torch.float64)[:, None] * math.hypot(a, b)
    wanted = share(x, a, b)
    low, high = torch.full_like(x, -40.0), torch.full_like(x, 40.0)
    for _ in range(100):
        middle = (low + high) / 2
        above = (share(middle, c, d) > wanted)[:, None]
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return x, (low + high) / 2


def even_in_clock(path: Path, t: float, end: float, n: int) -> tuple[float, ...]:
    start = float(path.half_log_snr(t))
    return tuple(
        float(path.time_of_half_log_snr(start + (end - start) * i / n)) for i in range(n + 1)
    )


@pytest.mark.parametrize("prediction", ["x0", "eps", "v"])
@pytest.mark.parametrize("path", [EDMPath(0.002, 20.0), CosinePath(), VPPath()], ids=str)
@pytest.mark.parametrize(
    ("sampler", "order"),
    [(DPMSolver(1), 1), (DPMSolver(), 2), (UniPC(1), 2), (UniPC(2), 3), (UniPC(3), 4)],
    ids=str,
)
def test_solvers_have_their_order(sampler, order, path, prediction) -> None:
    errors = []
    for n in (80, 160):
        times = even_in_clock(path, 0.9, 3.0, n)
        x, exact = flow(path, times[0], times[-1])
        got = sample(
            oracle(LINE, path, prediction), (9, 1), path, sampler, steps=times, start=x,
            prediction=prediction, dtype=torch.float64,
        )  # fmt: skip
        errors.append((got - exact).abs().max().item())
    assert order - 0.45 < math.log2(errors[0] / errors[1]) < order + 0.75, errors


@few_steps
@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize(
    "sampler", [DPMSolver(), UniPC(1), UniPC(), UniPC(3), Churn(Heun(), 0.0)], ids=str
)
def test_one_point_is_reached_with_any_steps(sampler, path) -> None:
    """The guess is constant, so every exponential integrator is exact."""
    point = GaussianMixture([1.0], [[1.7]], std=0)
    times = (0.95, 0.6, 0.55, 0.1, 0.04)
    x = normal(4, 1)
    a, b = (float(of(times[0])) for of in (path.alpha, path.sigma))
    start = a * 1.7 + b * x
    got = sample(
        oracle(point, path, "x0"), (4, 1), path, sampler, steps=times, start=start,
        prediction="x0", dtype=torch.float64,
    )  # fmt: skip
    if isinstance(sampler, Churn) and not isinstance(path, EDMPath | LinearPath):
        return  # Heun's steps are straight in t, where these curves are not
    a, b = (float(of(times[-1])) for of in (path.alpha, path.sigma))
    torch.testing.assert_close(got, a * 1.7 + b * x, rtol=1e-9, atol=1e-9)


def test_on_edms_path_heun_is_edms_algorithm() -> None:
    """Algorithm 1 of Karras et al., written out in sigma."""
    path = EDMPath(0.01, 20.0)
    x = start = 20 * normal(5, 1)
    sigmas = [20 * t for t in path.steps(7)]
    for now, then in pairwise(sigmas):
        first = (x - LINE.denoiser(x, 1.0, now)) / now
        trial = x + (then - now) * first
        if then:
            second = (trial - LINE.denoiser(trial, 1.0, then)) / then
            x = x + (then - now) * (first + second) / 2
        else:
            x = trial
    got = sample(
        oracle(LINE, path, "x0"), (5, 1), path, Heun(), steps=7, start=start, prediction="x0",
        dtype=torch.float64,
    )  # fmt: skip
    torch.testing.assert_close(got, x, rtol=1e-10, atol=1e-10)


def test_with_churn_it_is_edms_algorithm_too() -> None:
    """Algorithm 2, save that nothing is added at the first level."""
    path, n = EDMPath(0.01, 20.0), 7
    x = start = 20 * normal(5, 1)
    sigmas, generator = [20 * t for t in path.steps(n)], rng()
    gamma, z = min(2.0 / n, math.sqrt(2) - 1), torch.empty_like(x)
    for i, (now, then) in enumerate(pairwise(sigmas)):
        if i and 0.05 <= now <= 5.0:
            lifted = now * (1 + gamma)
            x = x + 1.01 * math.sqrt(lifted**2 - now**2) * z.normal_(generator=generator)
            now = lifted
        first = (x - LINE.denoiser(x, 1.0, now)) / now
        trial = x + (then - now) * first
        if then:
            second = (trial - LINE.denoiser(trial, 1.0, then)) / then
            x = x + (then - now) * (first + second) / 2
        else:
            x = trial
    got = sample(
        oracle(LINE, path, "x0"), (5, 1), path, Churn(Heun(), 2.0, 0.05, 5.0, noise=1.01), steps=n,
        start=start, prediction="x0", dtype=torch.float64, generator=rng(),
    )  # fmt: skip
    torch.testing.assert_close(got, x, rtol=1e-10, atol=1e-10)


@few_steps
@pytest.mark.parametrize("sampler", [DDIM(), Euler(), Heun()], ids=str)
@pytest.mark.parametrize("path", PATHS, ids=str)
def test_without_an_amount_churn_is_the_sampler_itself(sampler, path) -> None:
    x = normal(4, 1)
    runs = [
        sample(oracle(LINE, path, "v"), (4, 1), path, s, steps=(0.9, 0.5, 0.3, 0.1), start=x,
               prediction="v", dtype=torch.float64)
        for s in (sampler, Churn(sampler, 0.0), Churn(sampler, 9.0, low=1e6))
    ]  # fmt: skip
    assert torch.equal(runs[0], runs[1])
    assert torch.equal(runs[0], runs[2])


@few_steps
@pytest.mark.parametrize("path", PATHS, ids=str)
def test_churn_keeps_the_marginal_of_a_point(path) -> None:
    """For one data point the steps are exact, and what is added has the right variance."""
    times = (0.9, 0.5, 0.2, 0.1)
    churn = Churn(DDIM(), 1e6)
    grid = churn.visits(Grid(path, times))
    assert len(grid) == 6
    mean, variance = 1.7 * grid.alpha[0].item(), grid.sigma[0].item() ** 2
    for move in churn.moves(Grid(path, times), "x0"):
        mean = move.x * mean + move.predicted * 1.7
        variance = move.x**2 * variance + move.noise**2
        after = min(move.at + 2, 5)
        assert mean == pytest.approx(1.7 * grid.alpha[after].item(), rel=1e-9)
        assert variance == pytest.approx(grid.sigma[after].item() ** 2, rel=1e-9)
    # (1 + gamma)² = 2: the variance, in units of the data, is doubled, unless it is the first
    ratio = (grid.sigma / grid.alpha) ** 2
    assert ratio[4].item() == pytest.approx(min(2 * ratio[3].item(), ratio[0].item()), rel=1e-9)


def test_each_sample_may_have_its_own_noise() -> None:
    def run(shape, start, generator):
        return sample(
            oracle(LINE, EDMPath(), "x0"), shape, EDMPath(), Churn(Heun(), 4.0), steps=6,
            start=start, generator=generator, prediction="x0", dtype=torch.float64,
        )  # fmt: skip

    start = 80 * normal(3, 1)
    together = run((3, 1), start, [rng(i) for i in range(3)])
    for i in range(3):
        torch.testing.assert_close(run((1, 1), start[i : i + 1], [rng(i)])[0], together[i])
    assert len(set(together.flatten().tolist())) == 3


@few_steps
@pytest.mark.parametrize("sampler", [DPMSolver(), UniPC(), UniPC(3)], ids=str)
def test_steps_from_pure_noise_to_clean_data_are_finite(sampler) -> None:
    """Both ends of these paths have an infinite half_log_snr."""
    for path in (CosinePath(), LinearPath()):
        got = sample(
            oracle(LINE, path, "v"), (50, 1), path, sampler, steps=20, prediction="v",
            generator=rng(), dtype=torch.float64,
        )  # fmt: skip
        start = torch.empty(50, 1, dtype=torch.float64).normal_(generator=rng())
        exact = sample(
            oracle(LINE, path, "v"), (50, 1), path, DDIM(), steps=2000, prediction="v",
            start=start, dtype=torch.float64,
        )  # fmt: skip
        assert (got - exact).abs().mean() < 0.02


@few_steps
def test_dpm_solver_runs_there_and_back() -> None:
    x = LINE.sample(8, generator=rng(), dtype=torch.float64)
    for path in (CosinePath(), LinearPath()):
        times = [0.9 * (i / 128) ** 2 for i in range(129)]
        for up in (times, times[1:]):
            there, back = up, up[::-1]
            y = x
            for steps in (there, back):
                y = sample(
                    oracle(LINE, path, "v"), (8, 1), path, DPMSolver(), steps=steps, start=y,
                    prediction="v", dtype=torch.float64,
                )  # fmt: skip
            assert (y - x).abs().max() < 0.02


def test_a_model_may_use_its_output_again() -> None:
    """A compiled model may: what the solver remembers is its own."""
    buffer = torch.empty(4, 1, dtype=torch.float64)
    exact = oracle(LINE, EDMPath(), "x0")

    def thrifty(x, t):
        return buffer.copy_(exact(x, t))

    for sampler in (DPMSolver(), UniPC(3)):
        options = {"steps": 9, "prediction": "x0", "dtype": torch.float64, "start": normal(4, 1)}
        runs = [sample(m, (4, 1), EDMPath(), sampler, **options) for m in (exact, thrifty)]
        assert torch.equal(*runs)


def test_one_call_a_step() -> None:
    calls = []
    exact = oracle(LINE, EDMPath(), "x0")

    def counting(x, t):
        calls.append(t[0].item())
        return exact(x, t)

    for sampler, expected in (
        (DPMSolver(), 8),
        (UniPC(3), 8),
        (Heun(), 15),
        (Churn(Heun(), 1.0), 15),
    ):
        calls.clear()
        sample(counting, (2, 1), EDMPath(), sampler, steps=8, prediction="x0", generator=rng())
        assert len(calls) == expected


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("order", lambda: DPMSolver(3)),
        ("order", lambda: UniPC(0)),
        ("sampler", lambda: Churn(DPMSolver(), 1.0)),
        ("sampler", lambda: Churn(DDIM(0.5), 1.0)),
        ("amount", lambda: Churn(Heun(), -1.0)),
        ("high", lambda: Churn(Heun(), 1.0, 2.0, 1.0)),
        ("noise", lambda: Churn(Heun(), 1.0, noise=-1.0)),
        ("sigma_max", lambda: EDMPath(1.0, 0.5)),
        ("rho", lambda: EDMPath(rho=0.0)),
        ("sigma_data", lambda: preconditioning(1.0, 1.0, sigma_data=0.0)),
        ("alpha, sigma", lambda: preconditioning(0.0, 0.0, sigma_data=1.0)),
        ("sigma", lambda: edm_weight(1.0, 0.0, sigma_data=1.0)),
        ("gamma", lambda: min_snr_weight(1.0, 1.0, gamma=0.0)),
        ("prediction", lambda: min_snr_weight(1.0, 1.0, prediction="velocity")),
        ("model", lambda: edm_loss(nn.Linear(1, 1), torch.ones(2, 1), generator=rng())),
        ("model", lambda: Preconditioned(lambda x, t: x, EDMPath(), sigma_data=1.0)),
        ("generator", lambda: edm_loss(Preconditioned(Recorder(), EDMPath(), sigma_data=1.0),
                                       torch.ones(2, 1))),
    ],
)  # fmt: skip
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call()


# Ties: every implementation against the function made from the checked result


def result(name: str, part: str | None = None, side: str = "rhs") -> Node:
    derivation = getattr(book.chapter("edm"), name)
    chain = derivation[part].chain if part else derivation.chains[-1]
    claim = derivation.result(chain)
    return claim.lhs if side == "lhs" else claim.rhs


def letter(tree: Node, name: str) -> Node:
    return next(n for n in tree.walk() if isinstance(n, Named) and n.name == name).body


@given(levels, st.tuples(st.floats(-2, 2), st.floats(0.1, 2)), st.integers(0, 99))
def test_tie_errors(level, slopes, seed) -> None:
    alpha, sigma = map(wide, level)
    letters = {
        "alpha": alpha, "sigma": sigma, "alpha_prime": wide(slopes[0]),
        "sigma_prime": wide(slopes[1]), "x_0": normal(3, seed=seed),
        "x_hat_0": normal(3, seed=seed + 1),
    }  # fmt: skip
    error = (letters["x_0"] - letters["x_hat_0"]).square().sum()
    for part, name in ((None, "eps"), ("v", "v"), ("score", "score"), ("velocity", "velocity")):
        said = value(result("errors", part), **letters)
        ratio = weight_ratio(
            alpha, sigma, source=name, target="x0", d_alpha=wide(slopes[0]),
            d_sigma=wide(slopes[1]),
        )  # fmt: skip
        torch.testing.assert_close(ratio * error, said, rtol=1e-9, atol=1e-12)


@given(st.floats(0.01, 0.99), st.floats(0.1, 20.0), st.integers(0, 99))
def test_tie_min_snr(abar, gamma, seed) -> None:
    x_t, x0, guess = (normal(3, seed=seed + i) for i in range(3))
    letters = {
        "alpha_bar": wide(abar),
        "m": wide(min(abar / (1 - abar), gamma)),
        "x_t": x_t,
        "x_0": x0,
        "x_hat_0": guess,
    }
    alpha, sigma = math.sqrt(abar), math.sqrt(1 - abar)
    for part, name in (("eps", "eps"), (None, "v")):
        for side in ("lhs", "rhs"):
            said = value(result("min_snr", part, side), **letters)
            two = [convert(g, x_t, alpha, sigma, source="x0", target=name) for g in (x0, guess)]
            error = (two[0] - two[1]).square()
            weight = min_snr_weight(alpha, sigma, gamma=gamma, prediction=name)
            torch.testing.assert_close(weight * error, said, rtol=1e-8, atol=1e-12)


@given(levels, st.floats(0.1, 3.0), st.integers(0, 99))
def test_tie_scales(level, data, seed) -> None:
    alpha, sigma, omega = (wide(c) for c in (*level, data))
    at = {"alpha": alpha, "sigma": sigma, "sigma_d": omega}
    got = preconditioning(*level, sigma_data=data)
    tree = result("weight")
    c_out = letter(tree, "c_out")
    c_skip = letter(tree, "c_skip")
    c_in = letter(result("scaled", "one", "lhs"), "c_in")
    for name, formula in (("c_out", c_out), ("c_skip", c_skip), ("c_in", c_in)):
        assert getattr(got, name) == pytest.approx(value(formula, **at).item(), rel=1e-12)
    assert got.c_out**2 == pytest.approx(value(result("least"), **at).item(), rel=1e-12)
    vectors = {name: normal(3, seed=seed + i) for i, name in enumerate(("x_0", "x_t", "F_theta"))}
    for side in ("lhs", "rhs"):
        said = value(result("weight", None, side), **at, **vectors)
        x0 = got.c_skip * vectors["x_t"] + got.c_out * vectors["F_theta"]
        error = (x0 - vectors["x_0"]).square().sum()
        ours = edm_weight(*level, sigma_data=data) * error
        torch.testing.assert_close(ours, said, rtol=1e-8, atol=1e-10)


@given(st.integers(0, 99), st.sampled_from(PATHS))
def test_tie_the_preconditioned_network(seed, path) -> None:
    """Its guess and its loss, at one level, against the weighted error of the chapter."""
    torch.manual_seed(seed)

    class Net(nn.Module):
        def forward(self, x, level):
            return torch.sin(3 * x + level[:, None])

    model = Preconditioned(Net(), path, sigma_data=0.6)
    x0, noise = normal(1, 3, seed=seed), normal(1, 3, seed=seed + 1)
    alpha, sigma = (wide(float(of(0.4))) for of in (path.alpha, path.sigma))
    at = {"alpha": alpha, "sigma": sigma, "sigma_d": wide(0.6)}
    x_t = alpha * x0 + sigma * noise
    tree = result("weight")
    seen = value(letter(result("scaled", "one", "lhs"), "c_in"), **at) * x_t
    said = torch.sin(3 * seen + torch.log(sigma / alpha) / 4)[0]
    expected = value(tree, **at, x_0=x0[0], x_t=x_t[0], F_theta=said)
    torch.testing.assert_close(edm_loss(model, x0, t=0.4, noise=noise), expected)
    guess = value(letter(tree_of("D_theta"), "D_theta"), **at, x_t=x_t[0], F_theta=said)
    torch.testing.assert_close(model(x_t, 0.4)[0], guess)


def tree_of(name: str) -> Node:
    return next(
        side
        for side in (result("weight", None, "lhs"), result("weight"))
        if any(isinstance(n, Named) and n.name == name for n in side.walk())
    )


def moved(move, x: torch.Tensor, said: torch.Tensor, *before: torch.Tensor) -> torch.Tensor:
    new = move.x * x + move.predicted * said
    for coefficient, old in zip(move.before, before, strict=False):
        new = new + coefficient * old
    return new


three_times = st.lists(st.floats(0.05, 0.95), min_size=3, max_size=3, unique=True).filter(
    lambda t: min(a - b for a, b in pairwise(sorted(t, reverse=True))) > 0.02
)


@given(three_times, st.sampled_from(PATHS), st.integers(0, 99))
def test_tie_multistep(times, path, seed) -> None:
    times = sorted(times, reverse=True)
    grid = Grid(path, times)
    x, now, before = (normal(4, seed=seed + i) for i in range(3))
    (_, second) = DPMSolver().moves(grid, "x0")
    h = -grid.gap
    letters = {
        "alpha_t": grid.alpha[1], "sigma_t": grid.sigma[1], "alpha_s": grid.alpha[2],
        "sigma_s": grid.sigma[2], "r": h[0] / h[1], "x_t": x, "D_t": now, "D_u": before,
    }  # fmt: skip
    for side in ("lhs", "rhs"):
        expected = value(result("multistep", None, side), **letters)
        torch.testing.assert_close(moved(second, x, now, before), expected, rtol=1e-9, atol=1e-9)


@given(three_times, st.sampled_from(PATHS), st.integers(0, 99))
@settings(max_examples=50)
def test_tie_corrected(times, path, seed) -> None:
    """Three steps of UniPC: predict, correct by the parabola with the chapter's weights."""
    times = [*sorted(times, reverse=True), 0.02]
    grid = Grid(path, times)
    D = [normal(4, seed=seed + i) for i in range(3)]
    moves = UniPC(2).moves(grid, "x0")
    a, s = grid.alpha.tolist(), grid.sigma.tolist()
    h = (-grid.gap).tolist()
    # by hand, from the papers' two formulas: x is the corrected place, y the predicted one
    x = normal(4, seed=seed + 9)
    y1 = s[1] / s[0] * x - a[1] * math.expm1(-h[0]) * D[0]
    x1 = y1 - a[1] * math.expm1(-h[0]) / 2 * (D[1] - D[0])
    torch.testing.assert_close(moved(moves[0], x, D[0]), y1, rtol=1e-9, atol=1e-9)
    y2 = s[2] / s[1] * x1 - a[2] * math.expm1(-h[1]) * (D[1] + (D[1] - D[0]) * h[1] / (2 * h[0]))
    torch.testing.assert_close(moved(moves[1], y1, D[1], D[0]), y2, rtol=1e-8, atol=1e-8)
    tree, at = result("corrected", "constant", "lhs"), {"h": wide(h[1]), "r": wide(h[0] / h[1])}
    w_s, w_t, w_u = (value(letter(tree, name), **at) for name in ("w_s", "w_t", "w_u"))
    x2 = s[2] / s[1] * x1 + a[2] * (w_s * D[2] + w_t * D[1] + w_u * D[0])
    next_step = D[2] + (D[2] - D[1]) * h[2] / (2 * h[1])
    y3 = s[3] / s[2] * x2 - a[3] * math.expm1(-h[2]) * next_step
    torch.testing.assert_close(moved(moves[2], y2, D[2], D[1], D[0]), y3, rtol=1e-7, atol=1e-7)
    # and the chapter's identity: the predicted place is enough
    rho = s[3] / s[2]
    half = -a[3] * math.expm1(-h[2])
    step = h[2] / (2 * h[1])
    ahead = -a[2] * math.expm1(-h[1])
    carried = value(
        result("corrected", "carried"), y=y2 + rest(ahead, h, D, a[2] * w_u), D_s=D[2], D_t=D[1],
        rho=wide(rho), c_s=a[2] * w_s, c_t=a[2] * w_t, p_t=wide(ahead * (1 + h[1] / (2 * h[0]))),
        p_s=wide(half * (1 + step)), p_u=wide(-half * step),
    )  # fmt: skip
    torch.testing.assert_close(carried, y3, rtol=1e-7, atol=1e-7)


def rest(ahead: float, h: list[float], D: list[torch.Tensor], new: torch.Tensor) -> torch.Tensor:
    """What the oldest answer adds to the corrected place: its new weight less its old one."""
    return (new + ahead * h[1] / (2 * h[0])) * D[0]


@given(st.floats(0.01, 0.99), st.floats(0.5, 12.0), st.floats(2.0, 1e4))
def test_tie_levels(place, rho, ratio) -> None:
    """The slope of the levels in their place in the list."""
    low, n = 0.01, 20_001
    got = rho_levels(low * ratio, low, n, rho=rho)
    i = min(max(round(place * (n - 1)), 1), n - 2)
    slope = (got[i + 1] - got[i - 1]) * (n - 1) / 2
    a, b = ((low * ratio) ** (1 / rho), low ** (1 / rho))
    letters = {"A": wide(a), "B": wide(b), "rho": wide(rho), "u": wide(i / (n - 1))}
    expected = value(result("rho_grid"), **letters)
    torch.testing.assert_close(slope, expected, rtol=1e-4, atol=1e-12 * low)
    level = value(letter(result("rho_grid"), "sigma"), **letters)
    torch.testing.assert_close(got[i], level, rtol=1e-9, atol=0)


@given(st.floats(0.05, 0.9), st.floats(0.0, 4.0), st.floats(0.5, 2.0))
def test_tie_churn(middle, amount, noise) -> None:
    path = EDMPath(0.002, 20.0)
    grid = Grid(path, (1.0, middle, middle / 2))
    churn = Churn(DDIM(), amount, noise=noise)
    cap = value(result("churn", "cap")).item()
    gamma = min(amount / 2, cap)
    lifted = churn.visits(grid).sigma[2].item()
    assert lifted == pytest.approx(min(20 * middle * (1 + gamma), 20), rel=1e-6)
    gamma = lifted / (20 * middle) - 1
    first, _ = churn.moves(grid, "x0")
    if gamma > 1e-3:
        x = wide(0.3)
        density = value(
            result("churn", "marginal"), x_s=x, x_0=x, gamma=wide(gamma), sigma=wide(20 * middle)
        )
        variance = 1 / (2 * math.pi * density.item() ** 2)  # the density at its mean
        fresh = variance - (20 * middle) ** 2
        assert first.noise == pytest.approx(noise * math.sqrt(fresh), rel=1e-6)
        spent = value(result("churn", None, "lhs"), gamma=wide(gamma), sigma=wide(20 * middle))
        assert 2 * spent.item() == pytest.approx(fresh + (lifted - 20 * middle) ** 2, rel=1e-9)


@given(st.floats(0.02, 0.98), st.integers(0, 99))
def test_tie_the_velocity_of_the_path(t, seed) -> None:
    path = EDMPath(0.01, 30.0)
    x0, eps = normal(4, seed=seed), normal(4, seed=seed + 1)
    sigma = wide(path.sigma(t))
    expected = value(result("exact", "edm"), sigma=sigma, x_0=x0, eps=eps)
    torch.testing.assert_close(path.velocity(x0, eps, t) / 30.0, expected)
    torch.testing.assert_close(path.interpolate(x0, eps, t), x0 + sigma * eps)


TIES = {
    "weight_ratio": {"edm.errors": test_tie_errors},
    "min_snr_weight": {"edm.min_snr": test_tie_min_snr},
    "edm_weight": {"edm.weight": test_tie_scales},
    "preconditioning": {
        "edm.scaled": test_tie_scales,
        "edm.least": test_tie_scales,
    },
    "Preconditioned": {"edm.scaled": test_tie_the_preconditioned_network},
    "edm_loss": {"edm.weight": test_tie_the_preconditioned_network},
    "EDMPath": {"edm.exact": test_tie_the_velocity_of_the_path},
    "rho_levels": {"edm.rho_grid": test_tie_levels},
    "DPMSolver": {"edm.multistep": test_tie_multistep},
    "UniPC": {"edm.corrected": test_tie_corrected},
    "Churn": {"edm.churn": test_tie_churn},
}
