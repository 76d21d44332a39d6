"""DDIM: every amount of fresh noise keeps the marginals; exact data show what a step loses."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath import book
from genmath.ddim import PREDICTIONS, ddim_invert, ddim_step, step_variance, subsequence
from genmath.ddpm import add_noise, ancestral_step, posterior, reverse_variance
from genmath.paths import Schedule, cosine_schedule, linear_schedule
from genmath.predictions import convert
from genmath.proof.language.tree import Named, Node
from genmath.samplers import DDIM, sample
from genmath.toys import GaussianMixture
from tests.checked import checked

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
SPACINGS = ["trailing", "leading", "linspace"]
S = linear_schedule(10)

schedules = st.one_of(
    st.integers(2, 12).map(linear_schedule),
    st.integers(2, 12).map(cosine_schedule),
    st.lists(st.floats(1e-3, 0.9), min_size=2, max_size=12).map(Schedule.from_steps),
)
events = st.lists(st.integers(1, 3), max_size=3)
etas = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))

# Few steps of exact models, on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::genmath.samplers.Amplified")


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64).to(dtype)


@st.composite
def jumps(draw, least: int = 0) -> tuple[Schedule, int, int]:
    """A schedule and a step from t to an earlier s >= least."""
    schedule = draw(schedules)
    t = draw(st.integers(least + 1, schedule.T))
    return schedule, t, draw(st.integers(least, t - 1))


def predictions_of(x0, eps, alpha, sigma) -> dict[str, torch.Tensor]:
    """The four ways to say the same about x_t."""
    return {"x0": x0, "eps": eps, "v": alpha * eps - sigma * x0, "score": -eps / sigma}


# One step


@given(jump=jumps(), eta=etas, kind=st.sampled_from(PREDICTIONS))
def test_the_true_prediction_keeps_the_marginal(jump, eta, kind) -> None:
    """x_s = alpha_s x0 + (old noise) + (fresh noise), the variances of the noises sigma_s²."""
    schedule, t, s = jump
    x0, eps, z = (normal(3, 2, seed=i) for i in range(3))
    x_t = add_noise(x0, eps, t, schedule)
    alpha, sigma = schedule.coefficients(t, x0)
    said = predictions_of(x0, eps, alpha, sigma)[kind]
    got = ddim_step(said, x_t, t, s, schedule, eta=eta, prediction=kind, noise=z)
    fresh = step_variance(t, s, schedule, eta=eta)
    level = schedule.sigma[s].item() ** 2
    assert 0 <= fresh <= level
    expected = schedule.alpha[s] * x0 + math.sqrt(level - fresh) * eps + math.sqrt(fresh) * z
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)


@given(jump=jumps(), eta=st.floats(0, 1))
def test_the_variance_is_that_of_ddpm_times_the_square_of_eta(jump, eta) -> None:
    """A peer has eta to the first power, which is right at 0 and at 1 only."""
    schedule, t, s = jump
    assert step_variance(t, s, schedule, eta=eta) == pytest.approx(
        eta**2 * step_variance(t, s, schedule), rel=1e-12
    )
    of_ddpm = reverse_variance(schedule, "posterior")[t].item()
    assert step_variance(t, t - 1, schedule) == pytest.approx(of_ddpm, rel=1e-9)


@given(jump=jumps(), kind=st.sampled_from(PREDICTIONS))
def test_with_eta_1_and_neighbouring_steps_it_is_the_ancestral_step(jump, kind) -> None:
    schedule, t, _ = jump
    predicted, x_t, z = (normal(3, 2, seed=i) for i in range(3))
    got = ddim_step(predicted, x_t, t, t - 1, schedule, eta=1, prediction=kind, noise=z)
    expected = ancestral_step(
        predicted, x_t, t, schedule, variance="posterior", prediction=kind, noise=z
    )
    torch.testing.assert_close(got, expected, rtol=1e-8, atol=1e-8)


@given(jump=jumps(), eta=etas, dtype=st.sampled_from(DTYPES))
def test_the_step_to_0_returns_the_predicted_data(jump, eta, dtype) -> None:
    schedule, t, _ = jump
    x0, x_t = (normal(2, 3, seed=i, dtype=dtype) for i in range(2))
    assert step_variance(t, 0, schedule, eta=eta) == 0
    got = ddim_step(x0, x_t, t, 0, schedule, eta=eta, prediction="x0")
    assert torch.equal(got, x0)
    several = torch.tensor([t, t])
    got = ddim_step(x0, x_t, several, 0, schedule, eta=eta, prediction="x0", noise=x_t)
    assert torch.equal(got, x0)


@pytest.mark.parametrize(("s", "eta"), [(3, 0.0), (0, 0.0), (0, 1.0)])
def test_nothing_is_drawn_where_the_noise_would_be_multiplied_by_0(device, s, eta) -> None:
    x = normal(2, 3).to(device)
    generator = rng(device)
    before = generator.get_state()
    ddim_step(x, x, 5, s, S, eta=eta, generator=generator)
    ddim_step(x, x, 5, s, S, eta=eta)  # nor is a generator asked for
    ddim_step(x, x, torch.tensor([5, 4], device=device), 3, S)
    assert torch.equal(generator.get_state(), before)
    ddim_step(x, x, 5, 3, S, eta=1.0, generator=generator)
    assert not torch.equal(generator.get_state(), before)


@given(schedule=schedules, data=st.data())
def test_with_one_guess_the_steps_between_do_not_matter(schedule, data) -> None:
    t, u, s = data.draw(st.permutations(range(schedule.T + 1)))[:3]
    eps, x = normal(3, 2), normal(3, 2, seed=1)
    by_way_of_u = ddim_step(eps, ddim_step(eps, x, t, u, schedule), u, s, schedule)
    tolerance = 1e-10 / schedule.alpha[-1].item()
    torch.testing.assert_close(
        by_way_of_u, ddim_step(eps, x, t, s, schedule), rtol=tolerance, atol=tolerance
    )
    back = ddim_step(eps, ddim_step(eps, x, t, s, schedule), s, t, schedule)
    torch.testing.assert_close(back, x, rtol=tolerance, atol=tolerance)


@given(schedule=schedules, batch=st.integers(0, 4), event=events, data=st.data())
@settings(max_examples=50)
def test_one_step_a_sample_is_that_step_of_each(device, schedule, batch, event, data) -> None:
    dtype, kind = data.draw(st.sampled_from(DTYPES)), data.draw(st.sampled_from(PREDICTIONS))
    eta = data.draw(etas)
    pairs = data.draw(
        st.lists(
            st.integers(1, schedule.T).flatmap(
                lambda t: st.tuples(st.just(t), st.integers(0, t - 1))
            ),
            min_size=batch, max_size=batch,
        )
    )  # fmt: skip
    t, s = (torch.tensor([p[i] for p in pairs], dtype=torch.long, device=device) for i in (0, 1))
    predicted, x_t, z = (normal(batch, *event, seed=i, dtype=dtype).to(device) for i in range(3))
    options = {"eta": eta, "prediction": kind}
    got = ddim_step(predicted, x_t, t, s, schedule, noise=z, **options)
    assert (got.dtype, got.device, got.shape) == (dtype, x_t.device, x_t.shape)
    variance = step_variance(t, s, schedule, eta=eta)
    assert variance.shape == (batch,)
    for i, (a, b) in enumerate(pairs):
        row = slice(i, i + 1)
        for now, then in ((a, b), (t[row], b), (a, s[row]), (torch.tensor(a, device=device), b)):
            alone = ddim_step(
                predicted[row], x_t[row], now, then, schedule, noise=z[row], **options
            )
            eps = torch.finfo(dtype).eps
            scale = got[row].abs().max().item() + 1
            torch.testing.assert_close(alone, got[row], rtol=4 * eps, atol=64 * eps * scale)
        assert variance[i].item() == pytest.approx(step_variance(a, b, schedule, eta=eta))


def test_a_number_and_a_tensor_of_steps_go_together() -> None:
    x, eps = normal(3, 2), normal(3, 2, seed=1)
    alike = ddim_step(eps, x, 7, 4, S)
    seven, four = torch.full((3,), 7), torch.full((3,), 4)
    for t, s in ((seven, four), (7, four), (seven, 4)):
        torch.testing.assert_close(ddim_step(eps, x, t, s, S), alike)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_rounded_once(device, dtype) -> None:
    eps, x, z = (normal(64, 8, seed=i, dtype=dtype).to(device) for i in range(3))
    schedule = linear_schedule(1000)
    for t, s in ((1000, 980), (500, 499), (2, 1), (1, 0)):
        for eta in (0.0, 1.0):
            got = ddim_step(eps, x, t, s, schedule, eta=eta, noise=z)
            single = ddim_step(eps.float(), x.float(), t, s, schedule, eta=eta, noise=z.float())
            assert torch.equal(got, single.to(dtype))


@pytest.mark.parametrize(("t", "s"), [(1000, 900), (500, 450), (10, 1), (1, 0)])
def test_data_at_a_large_offset_keep_float32_accuracy(device, t, s) -> None:
    schedule = linear_schedule(1000)
    x0, eps = 1e4 + normal(8, 3).to(device), normal(8, 3, seed=1).to(device)
    x_t = add_noise(x0, eps, t, schedule)
    wide = ddim_step(x0, x_t, t, s, schedule, prediction="x0")
    single = ddim_step(x0.float(), x_t.float(), t, s, schedule, prediction="x0").double()
    torch.testing.assert_close(single, wide, rtol=0, atol=4 * torch.finfo(torch.float32).eps * 1e4)


def test_nans_are_passed_on_and_other_samples_are_not_touched() -> None:
    x = torch.ones(2, 3)
    bad = x.clone()
    bad[0] = math.nan
    got = ddim_step(bad, x, 5, 3, S)
    assert torch.isnan(got[0]).all()
    assert torch.isfinite(got[1]).all()


# Sub-sequences


@given(schedules, st.sampled_from(SPACINGS), st.data())
def test_a_subsequence_has_n_steps_and_ends_at_clean_data(schedule, spacing, data) -> None:
    n = data.draw(st.integers(1, schedule.T))
    steps = subsequence(n, schedule, spacing=spacing)
    assert len(steps) == n + 1
    assert all(t > s for t, s in pairwise(steps))  # no step from 0 to 0 either
    assert steps[-1] == 0
    assert steps[0] == schedule.T if spacing != "leading" else steps[0] <= schedule.T
    if spacing != "trailing":
        assert steps[-2] == 1 or n == 1
    if spacing == "trailing":
        gaps = [t - s for t, s in pairwise(steps)]
        assert max(gaps) - min(gaps) <= 1
    if n == schedule.T:
        assert steps == tuple(range(schedule.T, -1, -1))


def test_the_published_table_of_steps() -> None:
    """Lin, Liu, Li, Yang 2024, table 2: T = 1000 and ten steps, given upwards and without the 0."""
    table = {
        "leading": (1, 101, 201, 301, 401, 501, 601, 701, 801, 901),
        "linspace": (1, 112, 223, 334, 445, 556, 667, 778, 889, 1000),
        "trailing": (100, 200, 300, 400, 500, 600, 700, 800, 900, 1000),
    }
    for spacing, expected in table.items():
        got = subsequence(10, linear_schedule(1000), spacing=spacing)
        assert got == (*expected[::-1], 0)
    assert subsequence(1, linear_schedule(1000), spacing="linspace") == (1000, 0)
    assert subsequence(2, linear_schedule(1000), spacing="linspace") == (1000, 1, 0)


# Sampling with exact models: no error but that of the steps


def exact_model(data: GaussianMixture, schedule: Schedule, kind: str = "eps"):
    """The best possible network for this data."""

    def model(x, t):
        alpha, sigma = schedule.coefficients(t, x.double())
        eps = data.eps(x.double(), alpha, sigma)
        return convert(eps, x.double(), alpha, sigma, source="eps", target=kind).to(x.dtype)

    return model


@given(schedule=schedules, eta=etas, data=st.data())
@settings(max_examples=30)
def test_a_single_data_point_is_found_by_any_steps(schedule, eta, data) -> None:
    point = GaussianMixture([1.0], [[0.3, -1.2]], std=0.0)
    n = data.draw(st.integers(1, schedule.T))
    kind = data.draw(st.sampled_from(PREDICTIONS))
    got = sample(
        exact_model(point, schedule, kind), (4, 2), schedule, DDIM(eta),
        steps=subsequence(n, schedule, spacing=data.draw(st.sampled_from(SPACINGS))),
        generator=rng(), prediction=kind, dtype=torch.float64,
    )  # fmt: skip
    torch.testing.assert_close(got, point.means.expand(4, 2), rtol=1e-8, atol=1e-8)


def test_equal_angles_lose_what_the_cosine_says() -> None:
    """Normal data of std omega: n equal turns from noise to data end with omega cos^n(π/2n)."""
    omega, n = 1.7, 8
    angles = [math.pi / 2 * i / n for i in range(n + 1)]
    # (alpha omega, sigma) at each angle, on the circle alpha² + sigma² = 1
    alpha = [1 / math.hypot(1, omega * math.tan(a)) if a < math.pi / 2 else 0.0 for a in angles]
    alpha[-1] = 1e-6  # a schedule keeps a little
    betas = [1 - (b / a) ** 2 for a, b in pairwise(alpha)]
    schedule = Schedule.from_steps(betas)
    data = GaussianMixture([1.0], [0.0], std=omega)
    start = torch.tensor([1.0], dtype=torch.float64)
    got = sample(
        exact_model(data, schedule), (1,), schedule, DDIM(), start=start, dtype=torch.float64
    )  # fmt: skip
    assert got.item() == pytest.approx(omega * math.cos(math.pi / 2 / n) ** n, rel=1e-4)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_samples_of_normal_data_have_the_variance_of_the_recursion(eta) -> None:
    schedule, omega = linear_schedule(1000), 0.6
    steps = subsequence(10, schedule)
    data = GaussianMixture([1.0], [0.8], std=omega)
    got = sample(
        exact_model(data, schedule), (200_000,), schedule, DDIM(eta), steps=steps, generator=rng(),
        dtype=torch.float64,
    )  # fmt: skip
    variance, mean = 1.0, 0.0
    for t, s in pairwise(steps):
        (a, b), (c, d) = ((schedule.alpha[i].item(), schedule.sigma[i].item()) for i in (t, s))
        fresh = step_variance(t, s, schedule, eta=eta)
        slope = (c * a * omega**2 + math.sqrt(d**2 - fresh) * b) / ((a * omega) ** 2 + b**2)
        variance, mean = slope**2 * variance + fresh, c * 0.8 + slope * (mean - a * 0.8)
    assert got.mean().item() == pytest.approx(mean, abs=5 * math.sqrt(variance / 200_000))
    assert got.var().item() == pytest.approx(variance, rel=5 * math.sqrt(2 / 200_000))
    assert variance < omega**2


def test_the_model_sees_the_steps_and_not_their_places() -> None:
    """A peer passed the loop's index where the step belongs."""
    seen = []

    def model(x, t):
        assert t.shape == (2,)
        assert t.dtype == torch.long
        seen.append(t[0].item())
        return x * 0.1

    steps = subsequence(4, S)
    end = sample(model, (2, 3), S, DDIM(), steps=steps, generator=rng())
    assert seen == list(steps[:-1]) == [10, 8, 5, 3]
    seen.clear()
    ddim_invert(model, end, S, steps=steps, iterations=2)
    assert seen == [3, 3, 5, 5, 8, 8, 10, 10]


@given(schedule=schedules, eta=etas, kind=st.sampled_from(PREDICTIONS), data=st.data())
@settings(max_examples=30)
def test_sampling_is_the_loop_over_the_step(device, schedule, eta, kind, data) -> None:
    n = data.draw(st.integers(1, schedule.T))
    steps, x_T = subsequence(n, schedule), normal(3, 2).to(device)

    def model(x, t):
        return torch.sin(x + t[0])

    got = sample(
        model, (3, 2), schedule, DDIM(eta), steps=steps, generator=rng(device), prediction=kind,
        start=x_T, dtype=torch.float64,
    )  # fmt: skip
    x, generator = x_T, rng(device)
    for t, s in pairwise(steps):
        when = torch.full((3,), t, device=device)
        x = ddim_step(
            model(x, when), x, t, s, schedule, eta=eta, generator=generator, prediction=kind
        )
    torch.testing.assert_close(got, x, rtol=1e-12, atol=1e-12)
    evenly = sample(
        model, (3, 2), schedule, DDIM(eta), steps=n, generator=rng(device), prediction=kind,
        start=x_T, dtype=torch.float64,
    )  # fmt: skip
    assert torch.equal(evenly, got)


# Inversion


@pytest.mark.parametrize("shape", [(0, 2), (3,), (2, 1), (2, 3, 4, 4)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_inversion_shapes_and_dtypes(device, shape, dtype) -> None:
    seen = set()

    def model(x, t):
        seen.add((x.dtype, x.shape))
        return x * 0.5

    x = normal(*shape, dtype=dtype).to(device)
    back = ddim_invert(model, x, S, steps=(10, 5, 0))
    assert (back.dtype, back.shape, back.device) == (dtype, shape, x.device)
    assert torch.isfinite(back).all()
    assert seen == {(dtype, torch.Size(shape))}


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_iterated_inversion_undoes_the_sampler_exactly(device, kind) -> None:
    data = GaussianMixture([0.3, 0.7], [[-1.0, 0.5], [1.0, -0.2]], std=0.4)
    schedule = linear_schedule(1000)
    steps, model = subsequence(50, schedule), exact_model(data, schedule, kind)
    x_T = normal(16, 2).to(device)
    options = {"steps": steps, "prediction": kind}
    end = sample(model, (16, 2), schedule, DDIM(), start=x_T, dtype=torch.float64, **options)
    errors = [
        (ddim_invert(model, end, schedule, iterations=k, **options) - x_T).abs().max().item()
        for k in (1, 3, 60)
    ]
    assert errors[0] > 3 * errors[1] > 1e-6
    assert errors[2] < 1e-9


@given(jump=jumps(), omega=st.floats(0.3, 3))
def test_on_normal_data_an_attempt_comes_nearer_by_the_same_factor(jump, omega) -> None:
    schedule, t, s = jump
    data = GaussianMixture([1.0], [0.5], std=omega)
    model, x_t = exact_model(data, schedule), normal(3)
    alpha, sigma = schedule.coefficients(t, x_t)
    x_s = ddim_step(data.eps(x_t, alpha, sigma), x_t, t, s, schedule)
    errors = [
        ddim_invert(model, x_s, schedule, steps=(t, s), iterations=k) - x_t for k in (1, 2, 3)
    ]
    (a, b), (c, d) = ((schedule.alpha[i].item(), schedule.sigma[i].item()) for i in (t, s))
    kappa = (c * b - a * d) * b / (c * ((a * omega) ** 2 + b**2))
    assert 0 <= kappa < 1
    for before, after in pairwise(errors):
        torch.testing.assert_close(after, kappa * before, rtol=1e-6, atol=1e-9)


def test_the_other_inversion_is_exact_only_in_the_limit() -> None:
    """Up the ODE and down again: the steps reversed, with the noise guessed where a step starts."""
    schedule = linear_schedule(1000)
    data = GaussianMixture([0.3, 0.7], [[-1.0, 0.5], [1.0, -0.2]], std=0.4)
    model, x0 = exact_model(data, schedule), data.sample(16, generator=rng(), dtype=torch.float64)
    lost = []
    for n in (25, 50, 100):
        steps = subsequence(n, schedule)
        up = sample(model, (16, 2), schedule, DDIM(), steps=steps[::-1], start=x0, dtype=x0.dtype)
        down = sample(model, (16, 2), schedule, DDIM(), steps=steps, start=up, dtype=x0.dtype)
        lost.append((down - x0).norm().item())
    assert lost[0] > lost[1] > lost[2] > 1e-4


# Bad input


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("t", lambda x: ddim_step(x, x, 11, 3, S)),
        ("t", lambda x: ddim_step(x, x, 5.0, 3, S)),
        ("t", lambda x: ddim_step(x, x, torch.ones(2), 3, S)),
        ("s", lambda x: ddim_step(x, x, 5, -1, S)),
        ("s", lambda x: ddim_step(x, x, 5, True, S)),
        ("s", lambda x: ddim_step(x, x, 5, torch.tensor([1]), S)),
        ("s", lambda x: ddim_step(x, x, 5, 5, S)),
        ("s", lambda x: ddim_step(x, x, 5, 5, S, eta=0.5, noise=x)),
        ("s", lambda x: ddim_step(x, x, 5, 6, S, eta=0.5, noise=x)),
        ("eta", lambda x: ddim_step(x, x, 5, 3, S, eta=1.1, noise=x)),
        ("eta", lambda x: ddim_step(x, x, 5, 3, S, eta=-0.1)),
        ("eta", lambda x: ddim_step(x, x, 5, 3, S, eta=math.nan)),
        ("predicted", lambda x: ddim_step(x[:1], x, 5, 3, S)),
        ("prediction", lambda x: ddim_step(x, x, 5, 3, S, prediction="noise")),
        ("prediction", lambda x: ddim_step(x, x, 5, 3, S, prediction="velocity")),
        ("sigma", lambda x: ddim_step(x, x, 0, 3, S, prediction="x0")),
        ("noise, generator", lambda x: ddim_step(x, x, 5, 3, S, eta=1)),
        ("noise, generator", lambda x: ddim_step(x, x, 5, 3, S, eta=1, noise=x, generator=rng())),
        ("noise", lambda x: ddim_step(x, x, 5, 3, S, eta=1, noise=x[:1])),
        ("x_t", lambda x: ddim_step(x, x.long(), 5, 3, S)),
        ("schedule", lambda x: ddim_step(x, x, 5, 3, S.alpha_bar)),
        ("t", lambda x: step_variance(0, 0, S)),
        ("s", lambda x: step_variance(3, 3, S)),
        ("s", lambda x: step_variance(torch.tensor([3]), torch.tensor([1, 2]), S)),
        ("eta", lambda x: step_variance(3, 1, S, eta=2.0)),
        ("schedule", lambda x: step_variance(3, 1, 10)),
        ("n", lambda x: subsequence(0, S)),
        ("n", lambda x: subsequence(11, S)),
        ("spacing", lambda x: subsequence(5, S, spacing="even")),
        ("schedule", lambda x: subsequence(5, 10)),
        ("steps", lambda x: ddim_invert(id, x, S, steps=[0, 5])),
        ("steps", lambda x: ddim_invert(id, x, S, steps=[5])),
        ("steps", lambda x: ddim_invert(id, x, S, steps=5)),
        ("steps", lambda x: ddim_invert(id, x, S, steps=[5, 5, 0])),
        ("steps", lambda x: ddim_invert(id, x, S, steps=[11, 0])),
        ("schedule", lambda x: ddim_invert(id, x, 10, steps=[5, 0])),
        ("model output", lambda x: ddim_invert(lambda x, t: x[:1], x, S, steps=[5, 0])),
        ("iterations", lambda x: ddim_invert(id, x, S, steps=[5, 0], iterations=0)),
        ("x", lambda x: ddim_invert(id, x.long(), S, steps=[5, 0])),
        ("prediction", lambda x: ddim_invert(id, x, S, steps=[5, 0], prediction="noise")),
    ],
)  # fmt: skip
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.ones(2, 3))


# Ties: every implementation against the function made from the checked result


def result(name: str, part: str | None = None, side: str = "rhs", line: int | None = None) -> Node:
    """One side of a result of the chapter, of its part, or of one line."""
    derivation = getattr(book.chapter("ddim"), name)
    chain = derivation[part].chain if part else derivation.chains[-1]
    claim = derivation.result(chain) if line is None else chain.steps[line].claim
    return claim.lhs if side == "lhs" else claim.rhs


def letter(tree: Node, name: str) -> Node:
    """What a defined letter stands for."""
    return next(n for n in tree.walk() if isinstance(n, Named) and n.name == name).body


def agree(got: torch.Tensor, expected: torch.Tensor) -> None:
    assert got.shape == expected.shape
    scale = 1 + expected.abs().max().item()
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9 * scale)


class Jump:
    """A step from t to s, what is predicted, and the chapter's letters."""

    def __init__(self, schedule: Schedule, t: int, s: int, eta: float, seed: int) -> None:
        self.schedule, self.t, self.s, self.eta = schedule, t, s, eta
        self.x_t, self.guess, self.z = (normal(3, 2, seed=seed + i) for i in range(3))
        bar_t, bar_s = schedule.alpha_bar[t], schedule.alpha_bar[s]
        self.bars = {"alpha_bar_s": bar_s, "beta": 1 - bar_t / bar_s}
        self.fresh = checked(result("step_variance"))(
            eta=torch.tensor(eta, dtype=torch.float64), **self.bars
        )
        self.letters = {
            "alpha_t": bar_t**0.5, "sigma_t": (1 - bar_t) ** 0.5,
            "alpha_s": bar_s**0.5, "sigma_s": (1 - bar_s) ** 0.5,
        }  # fmt: skip
        self.share = {"h": self.fresh / (1 - bar_s)}

    def step(self, prediction: str) -> torch.Tensor:
        return ddim_step(
            self.guess, self.x_t, self.t, self.s, self.schedule, eta=self.eta,
            prediction=prediction, noise=self.z,
        )  # fmt: skip


def ties(check):
    """A property of steps to s >= 1, where every letter is positive."""

    @settings(max_examples=60)
    @given(jump=jumps(1), eta=etas, seed=st.integers(0, 99))
    def test(jump, eta, seed) -> None:
        check(Jump(*jump, eta, seed))

    return test


@ties
def test_tie_step_variance(v) -> None:
    got = torch.tensor(step_variance(v.t, v.s, v.schedule, eta=v.eta), dtype=torch.float64)
    agree(got, v.fresh)
    eta = {"eta": torch.tensor(v.eta, dtype=torch.float64)}
    agree(got, checked(result("step_variance", side="lhs"))(**eta, **v.bars))
    agree(got, checked(result("step_variance", "snr"))(**eta, **v.bars))
    last = checked(result("step_variance", "last"))()
    assert step_variance(v.t, 0, v.schedule, eta=v.eta) == last


@ties
def test_tie_the_step_from_the_noise_and_from_the_data(v) -> None:
    added = torch.sqrt(v.fresh) * v.z
    values = {"x_t": v.x_t, **v.letters, **v.share}
    for line in (0, 1):
        mean = checked(result("step", line=line))(eps_hat=v.guess, **values)
        agree(v.step("eps"), mean + added)
    agree(v.step("x0"), checked(result("step", "data"))(x_hat_0=v.guess, **values) + added)
    agree(v.step("x0"), checked(result("step", "data", "lhs"))(x_hat_0=v.guess, **values) + added)
    last = checked(result("step", "last"))(x_hat_0=v.guess)
    got = ddim_step(v.guess, v.x_t, v.t, 0, v.schedule, eta=v.eta, prediction="x0")
    agree(got, last)


@ties
def test_tie_the_deterministic_step_is_eulers(v) -> None:
    got = ddim_step(v.guess, v.x_t, v.t, v.s, v.schedule)
    for part in (None, "exponential", "exponential_data"):
        euler = checked(result("euler", part, "lhs"))
        agree(got, euler(x_t=v.x_t, eps_hat=v.guess, **v.letters))


@ties
def test_tie_the_marginal_is_kept(v) -> None:
    """The step at the true noise, as the chapter draws it."""
    x0, eps = v.guess, v.x_t
    (drawn_as,) = result("marginal", "noise", "lhs").body.args  # E f(...): what f is of
    expected = checked(drawn_as)(
        x_0=x0, eps=eps, z=v.z, alpha_s=v.letters["alpha_s"], sigma_s=v.letters["sigma_s"],
        **v.share,
    )  # fmt: skip
    x_t = v.letters["alpha_t"] * x0 + v.letters["sigma_t"] * eps
    agree(ddim_step(eps, x_t, v.t, v.s, v.schedule, eta=v.eta, noise=v.z), expected)


@ties
def test_tie_eta_1_is_the_posterior(v) -> None:
    schedule, t = v.schedule, v.t
    bar = schedule.alpha_bar
    letters = {"beta_t": 1 - bar[t] / bar[t - 1], "alpha_bar_{t-1}": bar[t - 1]}
    _, mean, variance = result("posterior").args
    x0 = v.guess
    mean, variance = checked(mean)(x_0=x0, x_t=v.x_t, **letters), checked(variance)(**letters)
    got = ddim_step(x0, v.x_t, t, t - 1, schedule, eta=1, prediction="x0", noise=v.z)
    agree(got, mean + torch.sqrt(variance) * v.z)
    agree(posterior(v.x_t, x0, t, schedule).mean, mean)


@ties
def test_tie_sampling_on_normal_data(v) -> None:
    """Two steps of the sampler, each with the slope of the chapter."""
    omega, m = torch.tensor(0.7, dtype=torch.float64), torch.tensor(0.4, dtype=torch.float64)
    data = GaussianMixture([1.0], [[0.4, 0.4]], std=0.7)
    step = checked(result("gaussian_step", "step"))
    x = v.x_t
    noise = torch.empty_like(x)
    generator = rng()
    steps = (v.t, v.s, 0)
    for t, s in pairwise(steps):
        jump = Jump(v.schedule, t, s, v.eta, 0)
        if s == 0:  # the letters are positive: clean data are the limit, and c_s is 0 there
            share = {"h": torch.tensor(0.5, dtype=torch.float64)}
            jump.letters["sigma_s"] = torch.tensor(0.0, dtype=torch.float64)
        else:
            share = jump.share
        x = step(x_t=x, m=m, omega=omega, **jump.letters, **share)
        if s and v.eta:
            x = x + torch.sqrt(jump.fresh) * noise.normal_(generator=generator)
    got = sample(
        exact_model(data, v.schedule), (3, 2), v.schedule, DDIM(v.eta), steps=steps,
        generator=rng(), start=v.x_t, dtype=torch.float64,
    )  # fmt: skip
    agree(got, x)


@ties
def test_tie_inversion(v) -> None:
    omega, m = torch.tensor(0.7, dtype=torch.float64), torch.tensor(0.4, dtype=torch.float64)
    data = GaussianMixture([1.0], [[0.4, 0.4]], std=0.7)
    model, x_s = exact_model(data, v.schedule), v.guess
    attempts = [
        ddim_invert(model, x_s, v.schedule, steps=(v.t, v.s), iterations=k) for k in (1, 2, 3)
    ]
    between = checked(result("inversion"))  # kappa (y - z)
    for (a, b), c in zip(pairwise([x_s, *attempts]), attempts[1:], strict=False):
        agree(c - b, between(y=b, z=a, omega=omega, **v.letters))
    # the fixed point is the x_t that the sampler came from
    x_s = letter(result("inversion", "fixed_point", "lhs"), "x_s")
    x_s = checked(x_s)(x_t=v.x_t, m=m, omega=omega, **v.letters)
    rate = checked(result("inversion", "rate", line=0))(omega=omega, **v.letters)
    assert 0 <= rate < 1
    if rate < 0.8:  # else it takes too long to see
        agree(ddim_invert(model, x_s, v.schedule, steps=(v.t, v.s), iterations=120), v.x_t)


TIES = {
    "DDIM": {
        "ddim.step": test_tie_sampling_on_normal_data,
        "ddim.euler": test_tie_the_deterministic_step_is_eulers,
        "ddim.marginal": test_tie_the_marginal_is_kept,
        "ddim.gaussian_step": test_tie_sampling_on_normal_data,
    },
    "step_variance": {"ddim.step_variance": test_tie_step_variance},
    "ddim_step": {
        "ddim.step": test_tie_the_step_from_the_noise_and_from_the_data,
        "ddim.posterior": test_tie_eta_1_is_the_posterior,
    },
    "ddim_invert": {"ddim.inversion": test_tie_inversion},
}
