"""Denoising diffusion: coefficients against 40 digits, the bound where log p is known."""

from __future__ import annotations

import itertools
import math
from functools import cache

import mpmath as mp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath import book
from genmath.ddpm import (
    PREDICTIONS,
    BoundTerms,
    add_noise,
    ancestral_step,
    bound_terms,
    denoising_loss,
    discretized_log_likelihood,
    draw_steps,
    loss_weight,
    posterior,
    posterior_mean_from_eps,
    prior_term,
    reconstruction_term,
    reverse_variance,
    sample,
    snr_weight,
    transition_term,
)
from genmath.divergences import gaussian_kl
from genmath.paths import Schedule, cosine_schedule, linear_schedule
from genmath.predictions import convert
from genmath.proof.language.tree import Named, Neg, Node
from genmath.vae import gaussian_log_likelihood
from tests.checked import checked

# Properties that need no checker

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
HALF = [torch.bfloat16, torch.float16]
VARIANCES = ["beta", "posterior"]

schedules = st.one_of(
    st.integers(2, 12).map(linear_schedule),
    st.integers(2, 12).map(cosine_schedule),
    st.lists(st.floats(1e-4, 0.95), min_size=2, max_size=12).map(Schedule.from_steps),
)
events = st.lists(st.integers(1, 3), max_size=3)


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64).to(dtype)


def ones(n: int) -> torch.Tensor:
    return torch.ones(n, dtype=torch.float64)


@cache
def exact(kind: str, T: int = 1000) -> list[dict[str, mp.mpf]]:
    """Every coefficient at every step to 40 digits, the posterior by Bayes' rule on precisions."""
    with mp.workdps(40):
        if kind == "linear":
            start, end = mp.mpf("0.0001"), mp.mpf("0.02")
            betas = [start + (end - start) * i / (T - 1) for i in range(T)]
        else:
            f = [mp.cos((mp.mpf(t) / T + mp.mpf("0.008")) / mp.mpf("1.008") * mp.pi / 2) ** 2
                 for t in range(T + 1)]  # fmt: skip
            betas = [min(1 - b / a, mp.mpf("0.999")) for a, b in itertools.pairwise(f)]
        rows, before = [], mp.mpf(1)
        for beta in betas:
            after = before * (1 - beta)
            if before == 1:
                variance = mp.mpf(0)
                of_x0, of_x_t = mp.mpf(1), mp.mpf(0)
            else:
                variance = 1 / ((1 - beta) / beta + 1 / (1 - before))
                of_x_t = variance * mp.sqrt(1 - beta) / beta
                of_x0 = variance * mp.sqrt(before) / (1 - before)
            rows.append({
                "beta": beta, "alpha": mp.sqrt(after), "sigma": mp.sqrt(1 - after),
                "of_x0": of_x0, "of_x_t": of_x_t, "variance": variance,
                "mean_x_t": 1 / mp.sqrt(1 - beta),
                "mean_eps": -beta / (mp.sqrt(1 - beta) * mp.sqrt(1 - after)),
                "weight_beta": beta / (2 * (1 - beta) * (1 - after)),
                "weight_posterior":
                    beta**2 / (2 * variance * (1 - beta) * (1 - after)) if variance else mp.inf,
                "snr_weight":
                    (before / (1 - before) - after / (1 - after)) / 2 if variance else mp.inf,
            })  # fmt: skip
            before = after
        return rows


def assert_matches(got: torch.Tensor, kind: str, name: str, rel: float = 1e-12) -> None:
    for t, (value, row) in enumerate(zip(got.tolist(), exact(kind), strict=True), start=1):
        assert abs(value - row[name]) <= rel * abs(row[name]) or value == row[name], (name, t)


SCHEDULES = {"linear": linear_schedule(1000), "cosine": cosine_schedule(1000)}
ALL_STEPS = torch.arange(1, 1001)


# The forward process


@pytest.mark.parametrize("kind", SCHEDULES)
def test_add_noise_matches_40_digits(kind) -> None:
    schedule, one, zero = SCHEDULES[kind], ones(1000), torch.zeros(1000, dtype=torch.float64)
    assert_matches(add_noise(one, zero, ALL_STEPS, schedule), kind, "alpha", 1e-13)
    assert_matches(add_noise(zero, one, ALL_STEPS, schedule), kind, "sigma", 1e-13)


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("kind", SCHEDULES)
def test_add_noise_in_half_precision_is_rounded_once(device, kind, dtype) -> None:
    """Peers make their tables in half precision, and add no noise at all at small t."""
    schedule = SCHEDULES[kind]
    x0, noise = (normal(1001, 8, seed=s, dtype=dtype).to(device) for s in (0, 1))
    t = torch.arange(1001, device=device)
    got = add_noise(x0, noise, t, schedule)
    assert got.dtype == dtype
    single = add_noise(x0.float(), noise.float(), t, schedule)
    assert torch.equal(got, single.to(dtype))
    wide = add_noise(x0.double(), noise.double(), t, schedule)
    half_ulp = torch.finfo(dtype).eps / 2 * torch.exp2(wide.abs().log2().floor())
    # Where data and noise nearly cancel, float32 itself is off by its own rounding of either.
    single_ulp = torch.finfo(torch.float32).eps * (x0.abs() + noise.abs()).double()
    assert ((got - wide).abs() <= half_ulp + 2 * single_ulp).all()
    for step in range(0, 1001, 25):  # the same by a Python t, whose coefficients promote nothing
        alone = add_noise(x0, noise, step, schedule)
        assert torch.equal(alone, add_noise(x0.float(), noise.float(), step, schedule).to(dtype))
    only_noise = add_noise(torch.zeros_like(x0), noise, t, schedule)[1:]
    assert ((only_noise != 0) == (noise[1:] != 0)).all()


@given(schedule=schedules, batch=st.integers(0, 4), event=events, data=st.data())
@settings(max_examples=50)
def test_one_step_a_sample_is_that_step_of_each(device, schedule, batch, event, data) -> None:
    dtype = data.draw(st.sampled_from(DTYPES))
    steps = data.draw(st.lists(st.integers(1, schedule.T), min_size=batch, max_size=batch))
    t = torch.tensor(steps, dtype=torch.long, device=device)
    x0, y, noise = (normal(batch, *event, seed=s, dtype=dtype).to(device) for s in range(3))
    kind, variance = (data.draw(st.sampled_from(o)) for o in (PREDICTIONS, VARIANCES))
    options = {"prediction": kind, "variance": variance}
    vector = {
        "noised": add_noise(x0, noise, t, schedule),
        "mean": posterior(y, x0, t, schedule).mean,
        "from_eps": posterior_mean_from_eps(y, noise, t, schedule),
        "step": ancestral_step(y, x0, t, schedule, noise=noise, **options),
    }
    assert posterior(y, x0, t, schedule).variance.shape == (batch, *[1] * len(event))
    for i, step in enumerate(steps):
        row = slice(i, i + 1)
        for s in (step, torch.tensor(step, device=device), t[row]):
            alone = {
                "noised": add_noise(x0[row], noise[row], s, schedule),
                "mean": posterior(y[row], x0[row], s, schedule).mean,
                "from_eps": posterior_mean_from_eps(y[row], noise[row], s, schedule),
                "step": ancestral_step(y[row], x0[row], s, schedule, noise=noise[row], **options),
            }
            for name, value in alone.items():
                assert value.dtype == dtype
                assert value.shape == (1, *event)
                # Fused and unfused multiply-adds differ in the last place.
                eps = torch.finfo(dtype).eps
                scale = vector[name][row].abs().max().item() + 1
                torch.testing.assert_close(
                    value, vector[name][row], rtol=4 * eps, atol=64 * eps * scale, msg=name
                )
    for value in vector.values():
        assert value.dtype == dtype
        assert value.device == x0.device
        assert value.shape == x0.shape


@given(schedules)
def test_one_more_step_of_the_chain_gives_the_next_marginal(schedule) -> None:
    """x_t = √(1-beta) x_{t-1} + √beta eps: beta is the variance, and its root the scale."""
    beta, alpha, variance = schedule.beta[1:], schedule.alpha, schedule.sigma**2
    torch.testing.assert_close(alpha[1:], torch.sqrt(1 - beta) * alpha[:-1], rtol=1e-12, atol=0)
    torch.testing.assert_close(variance[1:], (1 - beta) * variance[:-1] + beta, rtol=1e-12, atol=0)


def test_step_0_is_clean_data(device) -> None:
    x0, noise = normal(3, 2).to(device), normal(3, 2, seed=1).to(device)
    schedule = linear_schedule(10)
    assert torch.equal(add_noise(x0, noise, 0, schedule), x0)
    assert torch.equal(
        add_noise(x0, noise, torch.zeros(3, dtype=torch.long, device=device), schedule), x0
    )


def test_drawn_steps_are_uniform_on_1_to_T() -> None:
    t = draw_steps(100_000, linear_schedule(10), generator=rng())
    counts = torch.bincount(t, minlength=12)
    assert counts[0] == counts[11] == 0
    assert ((counts[1:11] - 10_000).abs() < 5 * math.sqrt(10_000)).all()
    assert draw_steps(0, linear_schedule(10), generator=rng()).shape == (0,)


# The posterior


@pytest.mark.parametrize("kind", SCHEDULES)
def test_posterior_matches_40_digits(kind) -> None:
    schedule, one, zero = SCHEDULES[kind], ones(1000), torch.zeros(1000, dtype=torch.float64)
    assert_matches(posterior(zero, one, ALL_STEPS, schedule).mean, kind, "of_x0")
    assert_matches(posterior(one, zero, ALL_STEPS, schedule).mean, kind, "of_x_t")
    assert_matches(posterior(one, zero, ALL_STEPS, schedule).variance, kind, "variance")
    assert_matches(posterior_mean_from_eps(one, zero, ALL_STEPS, schedule), kind, "mean_x_t")
    assert_matches(posterior_mean_from_eps(zero, one, ALL_STEPS, schedule), kind, "mean_eps")


def test_posterior_matches_a_second_witness() -> None:
    """Computed elsewhere in float64; their index t is our t + 1."""
    witness = {
        2: (0.5452914995102903, 0.4547084989905303, 5.4531876613021935e-05, -0.008087176628393832),
        11: (0.1362778597700445, 0.8637220692869959, 2.584636204081144e-4, -0.006389454260284585),
        501: (3.058057075629619e-3, 0.9941043507567258, 0.01005133577890959, -0.01052878993961967),
        1000: (1.2835148717224682e-4, 0.9899486782675173, 0.0199999835265606, -0.0202034585537553),
    }  # fmt: skip
    schedule, one, zero = linear_schedule(1000), ones(1), torch.zeros(1, dtype=torch.float64)
    for t, (of_x0, of_x_t, variance, of_eps) in witness.items():
        assert posterior(zero, one, t, schedule).mean.item() == pytest.approx(of_x0, rel=1e-11)
        assert posterior(one, zero, t, schedule).mean.item() == pytest.approx(of_x_t, rel=1e-11)
        assert posterior(one, one, t, schedule).variance.item() == pytest.approx(
            variance, rel=1e-11
        )
        got = posterior_mean_from_eps(zero, one, t, schedule).item()
        assert got == pytest.approx(of_eps, rel=2e-9)


@pytest.mark.parametrize("dtype", DTYPES)
def test_posterior_of_step_1_is_the_data(device, dtype) -> None:
    x0, x_1 = (normal(2, 3, seed=s, dtype=dtype).to(device) for s in (0, 1))
    for t in (1, torch.tensor([1, 1], device=device)):
        mean, variance = posterior(x_1, x0, t, linear_schedule(10))
        assert torch.equal(mean, x0)
        assert variance.dtype == dtype
        assert (variance == 0).all()


@given(schedules, st.data())
def test_the_mean_from_eps_is_the_posterior_mean(schedule, data) -> None:
    t = data.draw(st.integers(1, schedule.T))
    x0, eps = normal(4, 3), normal(4, 3, seed=1)
    x_t = add_noise(x0, eps, t, schedule)
    expected = posterior(x_t, x0, t, schedule).mean
    got = posterior_mean_from_eps(x_t, eps, t, schedule)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)


def test_step_0_has_no_posterior() -> None:
    x, t = ones(2), torch.tensor([0, 1])
    schedule = linear_schedule(5)
    for call in (
        lambda: posterior(x, x, t, schedule),
        lambda: posterior_mean_from_eps(x, x, t, schedule),
        lambda: ancestral_step(x, x, t, schedule, noise=x),
    ):
        with pytest.raises(ValueError, match=r"^t: got .* steps in 0\.\.1, expected .* 1\.\.5"):
            call()


@pytest.mark.parametrize("t", [1, 2, 500, 1000])
def test_data_at_a_large_offset_keep_float32_accuracy(device, t) -> None:
    schedule = linear_schedule(1000)
    x0, noise = 1e4 + normal(8, 3).to(device), normal(8, 3, seed=1).to(device)
    x_t = add_noise(x0, noise, t, schedule)
    single = add_noise(x0.float(), noise.float(), t, schedule)
    atol = 4 * torch.finfo(torch.float32).eps * 1e4
    torch.testing.assert_close(single.double(), x_t, rtol=0, atol=atol)
    for of in (
        lambda a, b, c: posterior(a, b, t, schedule).mean,
        lambda a, b, c: posterior_mean_from_eps(a, c, t, schedule),
    ):
        single = of(x_t.float(), x0.float(), noise.float()).double()
        torch.testing.assert_close(single, of(x_t, x0, noise), rtol=0, atol=atol)


# The bound


@pytest.mark.parametrize("kind", SCHEDULES)
def test_weights_match_40_digits(kind) -> None:
    schedule = SCHEDULES[kind]
    assert_matches(loss_weight(ALL_STEPS, schedule), kind, "weight_beta")
    assert_matches(loss_weight(ALL_STEPS, schedule, variance="posterior"), kind, "weight_posterior")
    assert_matches(snr_weight(ALL_STEPS, schedule), kind, "snr_weight")
    assert_matches(reverse_variance(schedule, "beta")[1:], kind, "beta")
    assert_matches(reverse_variance(schedule, "posterior")[1:], kind, "variance")
    for t in (2, 500, 1000):
        for variance in VARIANCES:
            row = loss_weight(torch.tensor(t), schedule, variance=variance)
            assert loss_weight(t, schedule, variance=variance) == row.item()
    assert loss_weight(1, schedule) == loss_weight(torch.tensor([1]), schedule).item()


@given(schedules, st.data())
def test_the_true_reverse_variances_are_ordered(schedule, data) -> None:
    t = data.draw(st.integers(2, schedule.T))
    small, large = (reverse_variance(schedule, v)[t] for v in ("posterior", "beta"))
    assert 0 < small <= large


@given(schedules, events, st.sampled_from(VARIANCES), st.data())
def test_transition_term_is_the_kl_of_the_two_gaussians(schedule, event, variance, data) -> None:
    """Written out from posterior and predicted mean: equation 5, and not equation 12."""
    t = torch.tensor(data.draw(st.lists(st.integers(2, schedule.T), min_size=3, max_size=3)))
    x0, eps, eps_hat = (normal(3, *event, seed=s) for s in range(3))
    x_t = add_noise(x0, eps, t, schedule)
    mean, posterior_variance = posterior(x_t, x0, t, schedule)
    predicted = posterior_mean_from_eps(x_t, eps_hat, t, schedule)
    s2 = reverse_variance(schedule, variance)[t].reshape(posterior_variance.shape)
    expected = gaussian_kl(mean, posterior_variance.log(), predicted, s2.log())
    got = transition_term(eps, eps_hat, t, schedule, variance=variance)
    assert got.shape == (3,)
    torch.testing.assert_close(got, expected, rtol=1e-7, atol=1e-9)
    weight = loss_weight(t, schedule, variance=variance)
    constant = transition_term(eps, eps, t, schedule, variance=variance)
    squared = ((eps - eps_hat) ** 2).reshape(3, -1).sum(1)
    torch.testing.assert_close(got, weight * squared + constant, rtol=1e-12, atol=1e-12)
    assert (constant == 0).all() if variance == "posterior" else (constant > 0).all()
    # The same squared error in x0 is weighted by a difference of signal-to-noise ratios.
    if variance == "posterior":
        alpha, sigma = schedule.coefficients(t, x_t)
        x0_hat = convert(eps_hat, x_t, alpha, sigma, source="eps", target="x0")
        in_x0 = snr_weight(t, schedule) * ((x0 - x0_hat) ** 2).reshape(3, -1).sum(1)
        torch.testing.assert_close(in_x0, got, rtol=1e-7, atol=1e-9)


@given(schedules, events)
def test_prior_and_reconstruction_terms_are_what_they_are_called(schedule, event) -> None:
    x0, eps, eps_hat = (normal(3, *event, seed=s) for s in range(3))
    alpha, sigma = schedule.alpha[-1], schedule.sigma[-1]
    expected = gaussian_kl(alpha * x0, 2 * sigma.log())
    torch.testing.assert_close(prior_term(x0, schedule), expected, rtol=1e-9, atol=1e-12)
    x_1 = add_noise(x0, eps, 1, schedule)
    mean = posterior_mean_from_eps(x_1, eps_hat, 1, schedule)
    for s2 in (None, 0.37):
        log_var = math.log(schedule.beta[1].item() if s2 is None else s2)
        expected = -gaussian_log_likelihood(mean, x0, log_var=log_var)
        got = reconstruction_term(eps, eps_hat, schedule, decoder_variance=s2)
        torch.testing.assert_close(got, expected, rtol=1e-7, atol=1e-7)


def test_prior_term_of_a_step_too_small_for_alpha_bar_to_show() -> None:
    schedule = Schedule.from_steps([1e-20])
    assert schedule.alpha_bar[1] == 1
    got = prior_term(torch.zeros(1, 1, dtype=torch.float64), schedule).item()
    assert got == pytest.approx((-1 - math.log(1e-20)) / 2, rel=1e-12)


@given(schedules, st.floats(-3, 3))
def test_the_bound_is_tight_for_gaussian_data_and_the_variance_beta(schedule, x0) -> None:
    """x_0 ~ N(0, 1) makes the chain reversible: p(x_{t-1}|x_t) = N(√(1-beta) x_t, beta) exactly.

    The best prediction is sigma x_t, its squared error given x_0 alpha² (alpha² + sigma² x_0²).
    Every weight, constant and index must be right for the sum to be -log N(x_0; 0, 1).
    """
    total = prior_term(torch.tensor([x0], dtype=torch.float64), schedule).item()
    for t in range(1, schedule.T + 1):
        alpha2, sigma2 = schedule.alpha_bar[t].item(), schedule.sigma[t].item() ** 2
        error = torch.tensor([math.sqrt(alpha2 * (alpha2 + sigma2 * x0**2))], dtype=torch.float64)
        zero = torch.zeros_like(error)
        if t == 1:
            total += reconstruction_term(error, zero, schedule).item()
        else:
            total += transition_term(error, zero, t, schedule).item()
    assert total == pytest.approx((x0**2 + math.log(2 * math.pi)) / 2, rel=1e-10)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("variance", VARIANCES)
def test_sampled_bound_terms_average_to_the_bound(prediction, variance) -> None:
    """The same data, through a model: tight for "beta", above for "posterior"."""
    schedule, n, value = linear_schedule(8, 0.05, 0.4), 20_000, 1.3
    x0 = torch.full((n, 1), value, dtype=torch.float64)

    def model(x_t, t):
        assert t.shape == (n,)
        assert t.dtype == torch.long
        alpha, sigma = schedule.coefficients(t, x_t)
        return convert(sigma * x_t, x_t, alpha, sigma, source="eps", target=prediction)

    beta_1 = schedule.beta[1].item()
    terms = bound_terms(
        model, x0, schedule, generator=rng(), prediction=prediction, variance=variance,
        decoder_variance=beta_1,
    )  # fmt: skip
    assert terms.prior.shape == terms.reconstruction.shape == (n,)
    assert terms.transitions.shape == (7, n)
    total = terms.total
    error = 5 * total.std().item() / math.sqrt(n)
    exact_value = (value**2 + math.log(2 * math.pi)) / 2
    if variance == "beta":
        assert abs(total.mean().item() - exact_value) < error
        # Row i belongs to step i + 2.
        for t in (2, 5, 8):
            alpha2, sigma2 = schedule.alpha_bar[t].item(), schedule.sigma[t].item() ** 2
            mean_error = torch.tensor([math.sqrt(alpha2 * (alpha2 + sigma2 * value**2))]).double()
            expected = transition_term(mean_error, 0 * mean_error, t, schedule).item()
            row = terms.transitions[t - 2]
            assert abs(row.mean().item() - expected) < 5 * row.std().item() / math.sqrt(n)
    else:
        assert total.mean().item() > exact_value + error


def test_bound_terms_of_one_step_of_images_and_of_nothing(device) -> None:
    def model(x_t, t):
        return torch.zeros_like(x_t)

    for shape in ((2, 3, 4, 4), (0, 5), (3,)):
        x0 = torch.zeros(shape, device=device)
        for schedule in (linear_schedule(1), linear_schedule(3)):
            for decoder in ("gaussian", "discretized"):
                terms = bound_terms(model, x0, schedule, generator=rng(device), decoder=decoder)
                assert terms.transitions.shape == (schedule.T - 1, shape[0])
                assert terms.total.shape == (shape[0],)
                assert terms.total.dtype == torch.float32


# The discretised decoder


@given(st.floats(-1.5, 1.5), st.floats(1e-3, 3), st.sampled_from([2, 5, 256]))
@settings(max_examples=50)
def test_probabilities_of_the_levels_sum_to_one(mean, sigma, levels) -> None:
    x = 2 * torch.arange(levels, dtype=torch.float64) / (levels - 1) - 1
    log_p = discretized_log_likelihood(torch.full_like(x, mean), x, sigma, levels=levels)
    assert log_p.logsumexp(0).item() == pytest.approx(0, abs=1e-11)
    assert torch.isfinite(log_p).all()


@given(
    st.integers(0, 255),
    st.one_of(st.floats(-1.2, 1.2), st.sampled_from([-30.0, 30.0])),
    st.floats(0.005, 2),
)
def test_level_probabilities_match_40_digits(i, mean, sigma) -> None:
    """In both tails too, where a difference of two probabilities has no digits left."""
    x = torch.tensor([2 * i / 255 - 1], dtype=torch.float64)
    got = discretized_log_likelihood(torch.full_like(x, mean), x, sigma).item()
    with mp.workdps(60):

        def upper(z):
            return mp.erfc(z / mp.sqrt(2)) / 2

        center, half, m, s = mp.mpf(x.item()), mp.mpf(1) / 255, mp.mpf(mean), mp.mpf(sigma)
        low, high = (center - half - m) / s, (center + half - m) / s
        if i == 255:
            p = upper(low)
        elif i == 0:
            p = upper(-high)
        else:
            p = upper(low) - upper(high) if low > 0 else upper(-high) - upper(-low)
        expected = float(mp.log(p))
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_discretized_gradients_are_finite_everywhere() -> None:
    x = (2 * torch.arange(256, dtype=torch.float32) / 255 - 1).repeat(3)
    mean = torch.tensor([-5.0, 0.1, 5.0]).repeat_interleave(256).requires_grad_()
    value = discretized_log_likelihood(mean, x, 0.01)
    assert value.dtype == torch.float32
    value.sum().backward()
    assert torch.isfinite(mean.grad).all()


# Training


@pytest.mark.parametrize("prediction", PREDICTIONS)
@given(schedule=schedules, batch=st.integers(1, 4), event=events, data=st.data())
@settings(max_examples=25)
def test_the_loss_of_an_oracle_is_zero_and_of_zero_is_the_target(
    device, prediction, schedule, batch, event, data
) -> None:
    x0, noise = (normal(batch, *event, seed=s).to(device) for s in range(2))
    steps = data.draw(st.lists(st.integers(1, schedule.T), min_size=batch, max_size=batch))
    t = data.draw(st.sampled_from([steps[0], torch.tensor(steps, device=device)]))
    x_t = add_noise(x0, noise, t, schedule)
    alpha, sigma = schedule.coefficients(t, x0)
    target = {"x0": x0, "eps": noise, "v": alpha * noise - sigma * x0, "score": -noise / sigma}
    target = target[prediction]

    def oracle(x, s):
        torch.testing.assert_close(x, x_t, rtol=1e-12, atol=1e-12)
        assert s.shape == (batch,)
        return target

    kept = {"noise": noise, "prediction": prediction}
    assert denoising_loss(oracle, x0, schedule, t=t, **kept).item() < 1e-20
    squared = (target**2).reshape(batch, -1).sum(1)

    def nothing(x, s):
        return torch.zeros_like(x)

    loss = denoising_loss(nothing, x0, schedule, t=t, **kept)
    assert loss.shape == ()
    torch.testing.assert_close(loss, squared.mean())
    weight = torch.rand(batch, generator=rng(), dtype=torch.float64).to(device)
    weighted = denoising_loss(nothing, x0, schedule, t=t, weight=weight, **kept)
    torch.testing.assert_close(weighted, (weight * squared).mean())
    doubled = denoising_loss(nothing, x0, schedule, t=t, weight=2.0, **kept)
    torch.testing.assert_close(doubled, 2 * loss)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_loss_follows_the_data_whatever_the_weights_dtype(device, dtype) -> None:
    schedule, x0 = linear_schedule(10), normal(5, 3, dtype=dtype).to(device)
    t = draw_steps(5, schedule, generator=rng(device))
    weight = loss_weight(t, schedule)
    assert weight.dtype == torch.float64
    seen = []

    def model(x, s):
        seen.append((x.dtype, s.dtype, s.shape))
        return x * 0.5

    loss = denoising_loss(model, x0, schedule, t=t, generator=rng(device), weight=weight)
    assert loss.dtype == dtype
    assert loss.device == x0.device
    assert seen == [(dtype, torch.long, (5,))]
    again = denoising_loss(model, x0, schedule, t=t, generator=rng(device), weight=weight)
    assert torch.equal(loss, again)


def test_weighted_by_loss_weight_the_loss_is_the_bound_up_to_its_constant() -> None:
    schedule, x0, noise = linear_schedule(10), normal(6, 2), normal(6, 2, seed=1)
    t = torch.tensor([2, 3, 5, 7, 9, 10])
    eps_hat = normal(6, 2, seed=2)
    for variance in VARIANCES:
        weight = loss_weight(t, schedule, variance=variance)
        loss = denoising_loss(lambda x, s: eps_hat, x0, schedule, t=t, noise=noise, weight=weight)
        terms = transition_term(noise, eps_hat, t, schedule, variance=variance)
        constants = transition_term(noise, noise, t, schedule, variance=variance)
        torch.testing.assert_close(loss, (terms - constants).mean())


def test_training_at_step_0_is_refused() -> None:
    t = torch.tensor([0, 1, 2])  # as torch.randint(0, T, …) would draw it

    def model(x, s):
        return x * 0.5

    for prediction in PREDICTIONS:
        with pytest.raises(ValueError, match=r"^t: got .* steps in 0\.\.2, expected .* 1\.\.3"):
            denoising_loss(
                model, normal(3, 2), linear_schedule(3), t=t, generator=rng(), prediction=prediction
            )


# Sampling


@given(schedule=schedules, event=events, data=st.data())
@settings(max_examples=50)
def test_a_step_is_the_posterior_of_the_predicted_data(device, schedule, event, data) -> None:
    """Whatever was predicted; plus noise of the chosen variance, and none at the last step."""
    t = data.draw(st.integers(1, schedule.T))
    variance = data.draw(st.sampled_from(VARIANCES))
    x0, eps, z = (normal(3, *event, seed=s).to(device) for s in range(3))
    x_t = add_noise(x0, eps, t, schedule)
    alpha, sigma = schedule.coefficients(t, x_t)
    std = math.sqrt(reverse_variance(schedule, variance)[t].item()) if t > 1 else 0.0
    expected = posterior(x_t, x0, t, schedule).mean + std * z
    for prediction in PREDICTIONS:
        predicted = convert(x0, x_t, alpha, sigma, source="x0", target=prediction)
        got = ancestral_step(
            predicted, x_t, t, schedule, prediction=prediction, variance=variance, noise=z
        )
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)


def test_the_last_step_draws_no_noise(device) -> None:
    x, generator = normal(2, 3).to(device), rng(device)
    before = generator.get_state()
    for variance in VARIANCES:
        step = ancestral_step(x, x, 1, linear_schedule(5), variance=variance, generator=generator)
        bare = ancestral_step(x, x, 1, linear_schedule(5), variance=variance)
        assert torch.equal(step, bare)
        assert torch.equal(step, posterior_mean_from_eps(x, x, 1, linear_schedule(5)))
    assert torch.equal(generator.get_state(), before)
    ancestral_step(x, x, 2, linear_schedule(5), generator=generator)
    assert not torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_sampler_is_a_loop_of_steps(device, prediction, variance, dtype) -> None:
    schedule, shape = cosine_schedule(12), (4, 3)

    def model(x_t, t):
        assert t.shape == (4,)
        assert x_t.dtype == dtype
        return x_t.sin() * 0.1 + t.to(dtype)[:, None] / 100

    options = {"prediction": prediction, "variance": variance}
    got = sample(model, shape, schedule, generator=rng(device), dtype=dtype, **options)
    generator = rng(device)
    x = torch.randn(shape, generator=generator, dtype=dtype, device=device)
    for t in range(12, 0, -1):
        steps = torch.full((4,), t, device=device)
        x = ancestral_step(model(x, steps), x, t, schedule, generator=generator, **options)
    assert got.dtype == dtype
    torch.testing.assert_close(got, x)


@pytest.mark.parametrize("variance", VARIANCES)
def test_samples_have_the_variance_that_exact_recursion_predicts(device, variance) -> None:
    """Data N(0, s²) and exact predictions make every step linear, and its variance known."""
    schedule, s2, n = linear_schedule(50, 1e-3, 0.2), 0.25, 50_000

    def gain(t: int) -> float:
        alpha2, sigma = schedule.alpha_bar[t].item(), schedule.sigma[t].item()
        return sigma / (alpha2 * s2 + sigma**2)

    def model(x_t, t):
        return gain(int(t[0])) * x_t

    x = sample(model, (n, 1), schedule, generator=rng(device), variance=variance)
    predicted = 1.0
    for t in range(50, 0, -1):
        row = ones(1)
        factor = posterior_mean_from_eps(row, gain(t) * row, t, schedule).item()
        noise = reverse_variance(schedule, variance)[t].item() if t > 1 else 0.0
        predicted = factor**2 * predicted + noise
    assert abs(x.var().item() / predicted - 1) < 5 * math.sqrt(2 / n)
    assert abs(x.mean().item()) < 5 * math.sqrt(predicted / n)
    # Neither variance is the true one for these data: one is too small, the other too large.
    assert 0.8 * s2 < predicted < s2 if variance == "posterior" else s2 < predicted < 1.2 * s2


@pytest.mark.parametrize("dtype", HALF)
def test_half_precision_sampling_does_not_lose_its_small_steps(device, dtype) -> None:
    """A state rounded to bfloat16 at each of 1000 steps never moves: x (1 + 5e-5) is x."""
    schedule, seen = linear_schedule(1000), set()

    def model(x_t, t):
        seen.add(x_t.dtype)
        sigma = schedule.coefficients(t, x_t)[1]
        return (sigma * x_t.float()).to(x_t.dtype)

    low = sample(model, (512, 2), schedule, generator=rng(device), dtype=dtype)
    single = sample(model, (512, 2), schedule, generator=rng(device))
    assert low.dtype == dtype
    assert seen == {dtype, torch.float32}
    torch.testing.assert_close(low.float(), single, rtol=0.02, atol=0.05)


@pytest.mark.parametrize("shape", [(5,), (0, 2), (0,), (2, 3), (2, 3, 4, 4), (2, 0)])
def test_the_sampler_takes_any_shape(device, shape) -> None:
    x = sample(lambda x, t: x, shape, linear_schedule(3), generator=rng(device))
    assert x.shape == shape
    assert x.device.type == device


def test_nothing_is_clipped_and_nan_is_refused(device) -> None:
    schedule, start = linear_schedule(4), torch.full((2, 2), 1e4, device=device)
    x = sample(lambda x, t: 0 * x, (2, 2), schedule, generator=rng(device), start=start)
    assert (x > 1e4).all()
    with pytest.raises(ValueError, match=r"^model output: got .* not finite after move 1 of 4"):
        sample(lambda x, t: x * math.nan, (2, 2), schedule, generator=rng(device))


def test_a_model_may_return_or_keep_its_input() -> None:
    kept = []

    def model(x_t, t):
        kept.append((x_t, x_t.clone()))
        return x_t

    sample(model, (3, 2), linear_schedule(5), generator=rng())
    assert len(kept) == 5
    assert all(torch.equal(then, now) for then, now in kept)


def test_gradients_pass_through_a_step_and_not_through_the_sampler() -> None:
    scale = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    x = normal(2, 3).requires_grad_()
    for t in (2, torch.tensor([1, 3])):
        step = ancestral_step(scale * x, x, t, linear_schedule(5), noise=normal(2, 3, seed=1))
        by_x, by_scale = torch.autograd.grad(step.sum(), (x, scale))
        assert (by_x != 0).all()
        assert by_scale != 0
    out = sample(
        lambda x, t: scale * x, (2, 3), linear_schedule(5), generator=rng(), dtype=torch.float64
    )
    assert not out.requires_grad


def test_no_global_state_is_read_or_written(device) -> None:
    torch.manual_seed(0)
    before, schedule = torch.get_rng_state(), linear_schedule(5)

    def everything() -> list[torch.Tensor]:
        x0 = normal(3, 2).to(device)
        generator = rng(device)

        def model(x, t):
            return x * 0.5

        return [
            sample(model, (3, 2), schedule, generator=generator),
            denoising_loss(model, x0, schedule, t=2, generator=generator),
            bound_terms(model, x0, schedule, generator=generator).total,
            ancestral_step(x0, x0, 3, schedule, generator=generator),
            draw_steps(3, schedule, generator=generator),
        ]

    first = everything()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    for a, b in zip(first, everything(), strict=True):
        assert torch.equal(a, b)


def model(x, t):
    return x


S, G = linear_schedule(5), rng()


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("t", lambda x: add_noise(x, x, 6, S)),
        ("t", lambda x: add_noise(x, x, 1.0, S)),
        ("t", lambda x: add_noise(x, x, torch.tensor([1.0, 2.0], dtype=torch.float64), S)),
        ("t", lambda x: add_noise(x, x, torch.tensor([1, 2, 3]), S)),
        ("noise", lambda x: add_noise(x, x[:1], 1, S)),
        ("x0", lambda x: add_noise(x.long(), x, 1, S)),
        ("t", lambda x: posterior(x, x, 0, S)),
        ("x0", lambda x: posterior(x, x[:, :1], 1, S)),
        ("eps", lambda x: posterior_mean_from_eps(x, x[:1], 1, S)),
        ("t", lambda x: posterior_mean_from_eps(x, x, True, S)),
        ("variance", lambda x: reverse_variance(S, "learned")),
        ("t", lambda x: loss_weight(0, S)),
        ("t", lambda x: loss_weight(1, S, variance="posterior")),
        ("variance", lambda x: loss_weight(2, S, variance="small")),
        ("t", lambda x: snr_weight(1, S)),
        ("t", lambda x: snr_weight(torch.tensor([1.5]), S)),
        ("t", lambda x: snr_weight(torch.ones(2, 2, dtype=torch.long), S)),
        ("x0", lambda x: prior_term(x.sum(), S)),
        ("t", lambda x: transition_term(x, x, 1, S)),
        ("eps_hat", lambda x: transition_term(x, x[:1], 2, S)),
        ("decoder_variance", lambda x: reconstruction_term(x, x, S, decoder_variance=0)),
        ("eps_hat", lambda x: reconstruction_term(x, x[:1], S)),
        ("eps", lambda x: reconstruction_term(x.sum(), x.sum(), S)),
        ("sigma", lambda x: discretized_log_likelihood(x, x, 0.0)),
        ("levels", lambda x: discretized_log_likelihood(x, x, 1.0, levels=1)),
        ("mean", lambda x: discretized_log_likelihood(x[:1], x, 1.0)),
        ("decoder", lambda x: bound_terms(model, x, S, generator=rng(), decoder="normal")),
        ("prediction", lambda x: bound_terms(model, x, S, generator=G, prediction="velocity")),
        ("x0", lambda x: bound_terms(model, x.long(), S, generator=rng())),
        ("decoder_variance", lambda x: bound_terms(model, x, S, generator=G, variance="posterior")),
        ("generator", lambda x: bound_terms(model, x, S, generator=None)),
        ("model output", lambda x: bound_terms(lambda x, t: x[:1], x, S, generator=rng())),
        ("prediction", lambda x: denoising_loss(model, x, S, t=1, noise=x, prediction="velocity")),
        ("t", lambda x: denoising_loss(model, x, S, t=0, generator=rng())),
        ("x0", lambda x: denoising_loss(model, x.long(), S, t=1, generator=rng())),
        ("x0", lambda x: denoising_loss(model, x[:0], S, t=1, generator=rng())),
        ("generator", lambda x: denoising_loss(model, x, S, t=1)),
        ("generator", lambda x: denoising_loss(model, x, S, t=1, generator=rng(), noise=x)),
        ("weight", lambda x: denoising_loss(model, x, S, generator=rng(), weight=torch.ones(3))),
        ("weight", lambda x: denoising_loss(model, x, S, t=1, generator=rng(), weight=-1.0)),
        ("model output", lambda x: denoising_loss(lambda x, t: x[:, 0], x, S, t=1, noise=x)),
        ("predicted", lambda x: ancestral_step(x[:1], x, 2, S, noise=x)),
        ("noise", lambda x: ancestral_step(x, x, 2, S, noise=x[:1])),
        ("noise, generator", lambda x: ancestral_step(x, x, 2, S)),
        ("generator", lambda x: ancestral_step(x, x, 2, S, generator=0)),
        ("prediction", lambda x: ancestral_step(x, x, 2, S, noise=x, prediction="noise")),
        ("generator", lambda x: sample(model, (2, 3), S, generator=None)),
        ("shape", lambda x: sample(model, (2, -3), S, generator=rng())),
        ("shape", lambda x: sample(model, (), S, generator=rng())),
        ("dtype", lambda x: sample(model, (2,), S, generator=rng(), dtype=torch.long)),
        ("start", lambda x: sample(model, (2, 3), S, generator=rng(), start=x[:1])),
        ("start", lambda x: sample(model, (2, 3), S, generator=rng(), start=x / 0)),
        ("variance", lambda x: sample(model, (2, 3), S, generator=rng(), variance="none")),
        ("prediction", lambda x: sample(model, (2, 3), S, generator=rng(), prediction="none")),
        ("model output", lambda x: sample(lambda x, t: x[:1], (2, 3), S, generator=rng())),
        ("batch", lambda x: draw_steps(-1, S, generator=rng())),
        ("schedule", lambda x: draw_steps(2, 50, generator=rng())),
        ("schedule", lambda x: add_noise(x, x, 1, 50)),
        ("schedule", lambda x: sample(model, (2, 3), 50, generator=rng())),
        ("shape", lambda x: sample(model, 5, S, generator=rng())),
    ],
)  # fmt: skip
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.ones(2, 3))


# Ties: every implementation against the function made from the checked result


def result(name: str, part: str | None = None, side: str = "rhs") -> Node:
    """One side of a result of the chapter, or of its part."""
    derivation = getattr(book.chapter("ddpm"), name)
    claim = derivation[part].claim if part else derivation.conclusion
    return claim.lhs if side == "lhs" else claim.rhs


def letter(tree: Node, name: str) -> Node:
    """What a defined letter stands for."""
    return next(n for n in tree.walk() if isinstance(n, Named) and n.name == name).body


def agree(got: torch.Tensor, expected: torch.Tensor) -> None:
    """To what 1 - alpha_bar, formed from alpha_bar, and the rounding of the data leave."""
    assert got.shape == expected.shape
    loose = 1e-10 if got.dtype == torch.float64 else 2e-5
    scale = 1 + expected[torch.isfinite(expected)].abs().max().item()
    torch.testing.assert_close(got.double(), expected, rtol=loose, atol=loose * scale)


class Drawn:
    """A schedule, one step a sample, data, noise and a guess; `letters` are the chapter's."""

    def __init__(self, schedule, t, x0, eps, guess) -> None:
        self.schedule, self.t = schedule, t
        self.x0, self.eps, self.guess = x0, eps, guess
        self.exact = [v.double() for v in (x0, eps, guess)]
        self.rows = [v.reshape(len(t), -1) for v in self.exact]  # vectors lie along the last axis
        beta = schedule.beta.to(t.device)
        # The product as the chapter writes it, not the table of the schedule.
        product = checked(result("forward_marginal", "recursion", "lhs"))
        bar = torch.stack([product(beta=beta, t=n - 1) for n in range(schedule.T + 1)])
        self.letters = {"beta_t": beta[t], "alpha_bar_{t-1}": bar[t - 1]}
        self.wide = {k: v.reshape(-1, *[1] * (x0.dim() - 1)) for k, v in self.letters.items()}
        self.bar = bar

    def variance(self, kind: str) -> torch.Tensor:
        if kind == "beta":
            return self.letters["beta_t"]
        return checked(letter(result("posterior"), "beta_tilde_t"))(**self.letters)


@st.composite
def drawn(draw, first: int = 1, device: str = "cpu") -> Drawn:
    schedule = draw(schedules)
    shape = (draw(st.integers(1, 4)), *draw(events))
    steps = draw(st.lists(st.integers(first, schedule.T), min_size=shape[0], max_size=shape[0]))
    dtype = draw(st.sampled_from([torch.float64, torch.float32]))
    seed = draw(st.integers(0, 999))
    values = [normal(*shape, seed=seed + i, dtype=dtype).to(device) for i in range(3)]
    return Drawn(schedule, torch.tensor(steps, device=device), *values)


def ties(first: int = 1):
    """A property of `drawn` values on the device of the test."""

    def wrap(check):
        @settings(max_examples=60)
        @given(data=st.data())
        def test(device, data) -> None:
            check(data.draw(drawn(first, device)), data)

        return test

    return wrap


@ties()
def test_tie_the_schedule(v, data) -> None:
    beta = v.schedule.beta.to(v.t.device)
    product = checked(result("forward_marginal", "recursion", "lhs"))
    next_product = checked(result("forward_marginal", "recursion"))
    for t in range(1, v.schedule.T + 1):
        expected = [product(beta=beta, t=t - 1)]
        if t > 1:
            expected.append(next_product(beta=beta, t=t - 1))
        for value in expected:
            assert v.schedule.alpha_bar[t].item() == pytest.approx(value.item(), rel=1e-12)
    step = int(v.t.max())
    if step > 1:
        snr = checked(letter(result("snr_weight"), "SNR_t"))
        before = {"beta_t": beta[step], "alpha_bar_{t-1}": v.bar[step - 1]}
        assert v.schedule.snr[step].item() == pytest.approx(snr(**before).item(), rel=1e-10)


@ties()
def test_tie_add_noise(v, data) -> None:
    x0, eps, _ = v.exact
    got = add_noise(v.x0, v.eps, v.t, v.schedule)
    (drawn_as,) = result("forward_marginal", "noise", "lhs").body.args  # E f(...): what f is of
    agree(got, checked(drawn_as)(x_0=x0, eps=eps, **v.wide))
    # the same as a density: its mean and its variance
    _, mean, variance = result("forward_marginal").args
    scale = torch.sqrt(checked(variance)(**v.wide))
    agree(got, checked(mean)(x_0=x0, **v.wide) + scale * eps)


@ties()
def test_tie_posterior(v, data) -> None:
    x0, x_t, _ = v.exact
    got = posterior(v.eps, v.x0, v.t, v.schedule)
    _, mean, variance = result("posterior").args
    agree(got.mean, checked(mean)(x_0=x0, x_t=x_t, **v.wide))
    agree(got.variance, checked(variance)(**v.wide))
    if (v.t > 1).all():
        agree(got.mean, checked(result("posterior", "mean", "lhs"))(x_0=x0, x_t=x_t, **v.wide))
        agree(got.variance, checked(result("posterior", "variance", "lhs"))(**v.wide))


@ties()
def test_tie_posterior_mean_from_eps(v, data) -> None:
    x_t, eps, _ = v.exact
    got = posterior_mean_from_eps(v.x0, v.eps, v.t, v.schedule)
    agree(got, checked(result("posterior_mean_from_eps"), "x_t")(x_t=x_t, eps=eps, **v.wide))


@ties()
def test_tie_ancestral_step(v, data) -> None:
    x_t, eps, noise = v.exact
    kind = data.draw(st.sampled_from(VARIANCES))
    got = ancestral_step(v.eps, v.x0, v.t, v.schedule, variance=kind, noise=v.guess)
    mean = checked(result("posterior_mean_from_eps"), "x_t")(x_t=x_t, eps=eps, **v.wide)
    added = torch.where(v.t > 1, torch.sqrt(v.variance(kind)), 0.0)
    agree(got, mean + added.reshape(-1, *[1] * (noise.dim() - 1)) * noise)


@ties()
def test_tie_reverse_variance(v, data) -> None:
    low, high = (reverse_variance(v.schedule, k).to(v.t.device)[v.t] for k in VARIANCES[::-1])
    variances = result("optimal_variance", "lower"), result("optimal_variance", "upper")
    agree(low, checked(variances[0])(**v.letters))
    agree(high, checked(variances[1])(beta_t=v.letters["beta_t"]))


@ties(first=2)
def test_tie_loss_weight(v, data) -> None:
    weighted, _ = result("loss_weight").args
    weight, _ = weighted.args
    for kind in VARIANCES:
        got = loss_weight(v.t, v.schedule, variance=kind)
        agree(got, checked(weight)(sigma_t=torch.sqrt(v.variance(kind)), **v.letters))
    agree(got, checked(result("loss_weight", "posterior"))(**v.letters))
    agree(got, checked(result("snr_weight", "noise"))(**v.letters))


@ties(first=2)
def test_tie_snr_weight(v, data) -> None:
    agree(snr_weight(v.t, v.schedule), checked(result("snr_weight", "weight", "lhs"))(**v.letters))
    # and as the factor of the squared error in the last line
    x0, _, guess = v.rows
    got = snr_weight(v.t, v.schedule) * ((x0 - guess) ** 2).sum(1)
    agree(got, checked(result("snr_weight"))(x_0=x0, x_theta=guess, **v.letters))


@ties(first=2)
def test_tie_transition_term(v, data) -> None:
    _, eps, guess = v.rows
    for kind in VARIANCES:
        got = transition_term(v.eps, v.guess, v.t, v.schedule, variance=kind)
        sigma = {"sigma_t": torch.sqrt(v.variance(kind))}
        agree(got, checked(result("loss_weight"))(eps=eps, eps_theta=guess, **sigma, **v.letters))
    # from the means, before they are written in terms of the noise
    means = result("loss_weight", side="lhs")
    guesses = {"mu_tilde_t": {"eps": eps}, "mu_theta": {"eps_theta": guess}}
    values = {
        name: checked(letter(means, name))(x_t=v.rows[0], **noise, **v.letters)
        for name, noise in guesses.items()
    }
    agree(got, checked(result("transition_kl"))(v=v.variance(VARIANCES[1]), **values, **sigma))


@ties(first=2)
def test_tie_denoising_loss(v, data) -> None:
    _, eps, guess = v.rows
    kind = data.draw(st.sampled_from(VARIANCES))
    sigma = {"sigma_t": torch.sqrt(v.variance(kind))}
    weighted, _ = result("loss_weight").args
    squared = result("loss_weight", "simple", "lhs").args[1]
    weight = loss_weight(v.t, v.schedule, variance=kind)
    got = denoising_loss(lambda x, t: v.guess, v.x0, v.schedule, t=v.t, noise=v.eps, weight=weight)
    expected = checked(weighted)(eps=eps, eps_theta=guess, **sigma, **v.letters)
    agree(got, expected.mean())
    simple = denoising_loss(lambda x, t: v.guess, v.x0, v.schedule, t=v.t, noise=v.eps)
    agree(simple, checked(squared)(eps=eps, eps_theta=guess).mean())


@ties()
def test_tie_prior_term(v, data) -> None:
    expected = checked(result("prior_term"))
    agree(prior_term(v.x0, v.schedule), expected(x_0=v.rows[0], alpha_bar_T=v.bar[-1]))


@ties()
def test_tie_reconstruction_term(v, data) -> None:
    _, eps, guess = v.rows
    given_s2 = data.draw(st.none() | st.floats(1e-3, 2))
    s2 = v.schedule.beta[1].item() if given_s2 is None else given_s2
    got = reconstruction_term(v.eps, v.guess, v.schedule, decoder_variance=given_s2)
    expected = checked(result("reconstruction_term"))
    beta_1 = v.schedule.beta[1].to(v.t.device)
    agree(got, expected(eps=eps, eps_theta=guess, beta_1=beta_1, sigma_1=beta_1 * 0 + s2**0.5))


@ties()
def test_tie_bound_terms(v, data) -> None:
    """Each term of an estimate, with its draws of noise again, and their sum."""
    schedule, batch = v.schedule, len(v.x0)
    kind = data.draw(st.sampled_from(VARIANCES))
    s2 = data.draw(st.floats(1e-2, 2))
    got = bound_terms(
        lambda x, t: v.guess, v.x0, schedule, generator=rng(v.x0.device.type), variance=kind,
        decoder_variance=s2,
    )  # fmt: skip
    generator = rng(v.x0.device.type)
    noise = {
        t: torch.randn(v.x0.shape, generator=generator, dtype=v.x0.dtype, device=v.x0.device)
        for t in range(schedule.T, 0, -1)
    }
    total = checked(result("prior_term"))(x_0=v.rows[0], alpha_bar_T=v.bar[-1])
    for t in range(2, schedule.T + 1):
        at = Drawn(schedule, v.t * 0 + t, v.x0, noise[t], v.guess)
        sigma = {"sigma_t": torch.sqrt(at.variance(kind))}
        term = checked(result("loss_weight"))(
            eps=at.rows[1], eps_theta=at.rows[2], **sigma, **at.letters
        )
        agree(got.transitions[t - 2], term)
        total = total + term
    beta_1 = schedule.beta[1].to(v.t.device)
    total = total + checked(result("reconstruction_term"))(
        eps=noise[1].double().reshape(batch, -1), eps_theta=v.rows[2], beta_1=beta_1,
        sigma_1=beta_1 * 0 + s2**0.5,
    )  # fmt: skip
    assert got.transitions.shape == (schedule.T - 1, batch)
    agree(got.total, total)


@pytest.mark.parametrize("case", range(3))
@settings(max_examples=20)
@given(seed=st.integers(0, 999))
def test_tie_the_total_has_the_terms_and_signs_of_the_bound(device, case, seed) -> None:
    """The checked bound, evaluated on random tables, is `BoundTerms.total` of its terms."""
    chains = book.chapter("ddpm").negative_elbo.chains
    chain = [c for c in chains if c.name == "bound"][case]
    terms, T = chain.last.args, case + 1
    generator = rng(seed=seed)

    def table(*shape: int) -> torch.Tensor:
        rows = torch.rand(shape, generator=generator, dtype=torch.float64) + 0.1
        return (rows / rows.sum(-1, keepdim=True)).to(device)

    # x_i has i + 2 values; a table's last axis is the event
    tables = {f"q_{i}": table(i + 1, i + 2) for i in range(1, T + 1)}
    tables |= {f"p_{i}": table(i + 2, i + 1) for i in range(1, T + 1)}
    tables["p_T"] = table(T + 2)

    def value(tree: Node) -> torch.Tensor:
        f = checked(tree)
        return f(**{name: tables[name] for name in f.arguments})

    assert len(terms) == T + 1
    assert isinstance(terms[-1], Neg)
    prior, *transitions, last = (value(term) for term in terms)
    rows = torch.stack(transitions) if transitions else prior.new_zeros(0, len(prior))
    whole = value(chain.last)
    agree(BoundTerms(prior, rows, last).total, whole)
    assert (whole >= value(chain.start) - 1e-12).all()


TIES = {
    "Schedule": {"ddpm.forward_marginal": test_tie_the_schedule},
    "add_noise": {"ddpm.forward_marginal": test_tie_add_noise},
    "posterior": {"ddpm.posterior": test_tie_posterior},
    "posterior_mean_from_eps": {"ddpm.posterior_mean_from_eps": test_tie_posterior_mean_from_eps},
    "ancestral_step": {"ddpm.posterior_mean_from_eps": test_tie_ancestral_step},
    "reverse_variance": {"ddpm.optimal_variance": test_tie_reverse_variance},
    "loss_weight": {"ddpm.loss_weight": test_tie_loss_weight},
    "snr_weight": {"ddpm.snr_weight": test_tie_snr_weight},
    "transition_term": {
        "ddpm.loss_weight": test_tie_transition_term,
        "ddpm.transition_kl": test_tie_transition_term,
        "ddpm.negative_elbo": test_tie_bound_terms,
    },
    "denoising_loss": {"ddpm.loss_weight": test_tie_denoising_loss},
    "prior_term": {
        "ddpm.prior_term": test_tie_prior_term,
        "ddpm.negative_elbo": test_tie_bound_terms,
    },
    "reconstruction_term": {
        "ddpm.reconstruction_term": test_tie_reconstruction_term,
        "ddpm.negative_elbo": test_tie_bound_terms,
    },
    "bound_terms": {"ddpm.negative_elbo": test_tie_the_total_has_the_terms_and_signs_of_the_bound},
}
