"""Paths and schedules: every coefficient and every table against 40 digits."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import FrozenInstanceError

import mpmath as mp
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
    logit_normal_density,
    logit_normal_time,
    reverse_time,
    shift_time,
    shifted_density,
)

# Properties that need no checker

DIGITS = 40
TABLES = ("alpha_bar", "alpha", "sigma", "snr", "half_log_snr")


def linear_betas(T: int) -> list[mp.mpf]:
    start, end = mp.mpf("0.0001"), mp.mpf("0.02")
    return [start + (end - start) * i / max(T - 1, 1) for i in range(T)]


def cosine_betas(T: int, s: str = "0.008") -> list[mp.mpf]:
    def f(t: int) -> mp.mpf:
        return mp.cos((mp.mpf(t) / T + mp.mpf(s)) / (1 + mp.mpf(s)) * mp.pi / 2) ** 2

    return [min(1 - f(t) / f(t - 1), mp.mpf("0.999")) for t in range(1, T + 1)]


def assert_exact(schedule: Schedule, betas: list[mp.mpf]) -> None:
    """Relative error 1e-13 at every step 1..T; absolute where half_log_snr crosses 0."""
    alpha_bar = mp.mpf(1)
    for t, beta in enumerate(betas, start=1):
        alpha_bar *= 1 - beta
        sigma2 = 1 - alpha_bar
        exact = {
            "beta": beta,
            "alpha_bar": alpha_bar,
            "alpha": mp.sqrt(alpha_bar),
            "sigma": mp.sqrt(sigma2),
            "snr": alpha_bar / sigma2,
            "half_log_snr": mp.log(alpha_bar / sigma2) / 2,
        }
        for name, value in exact.items():
            got = mp.mpf(getattr(schedule, name)[t].item())
            allowed = mp.mpf("1e-13") * abs(value)
            if name == "half_log_snr":
                allowed += mp.mpf("1e-15")
            assert abs(got - value) <= allowed, (name, t, got, value)


@pytest.mark.parametrize("T", [1, 2, 10, 1000])
def test_linear_tables_match_40_digits(T: int) -> None:
    with mp.workdps(DIGITS):
        assert_exact(linear_schedule(T), linear_betas(T))


@pytest.mark.parametrize("s", ["0.008", "0", "0.1"])
@pytest.mark.parametrize("T", [1, 2, 10, 1000])
def test_cosine_tables_match_40_digits(T: int, s: str) -> None:
    with mp.workdps(DIGITS):
        assert_exact(cosine_schedule(T, float(s)), cosine_betas(T, s))


def test_the_cosine_schedule_without_offset_keeps_its_digits_next_to_the_data() -> None:
    """There sin(c' + c) is taken next to π."""
    with mp.workdps(DIGITS):
        assert_exact(cosine_schedule(4000, 0.0), cosine_betas(4000, "0"))


def test_many_steps_lose_no_digits() -> None:
    schedule = linear_schedule(20_000)
    with mp.workdps(DIGITS):
        alpha_bar = mp.mpf(1)
        for beta, got in zip(linear_betas(20_000), schedule.alpha_bar[1:].tolist(), strict=True):
            alpha_bar *= 1 - beta
            assert abs(got - alpha_bar) <= mp.mpf("1e-13") * alpha_bar


@given(st.lists(st.floats(1e-12, 1 - 1e-12), min_size=1, max_size=30))
def test_tables_of_any_beta_match_40_digits(betas: list[float]) -> None:
    with mp.workdps(DIGITS):
        assert_exact(Schedule.from_steps(betas), [mp.mpf(b) for b in betas])


def test_linear_tables_match_a_second_witness() -> None:
    """Values computed elsewhere in float64, good to 3e-13; their index t is our t + 1."""
    schedule = linear_schedule(1000)
    witness = {
        1: (0.0001, 0.9999),
        2: (0.00011991991991991993, 0.9997800920720721),
        11: (0.0002991991991991992, 0.997806572507846),
        101: (0.0020919919919919917, 0.8951415908975365),
        501: (0.010059959959959959, 0.07779665836502389),
        901: (0.018027927927927928, 0.0002702445195582643),
        1000: (0.02, 4.035829765375676e-05),
    }
    for t, (beta, alpha_bar) in witness.items():
        assert schedule.beta[t].item() == pytest.approx(beta, rel=1e-15)
        assert schedule.alpha_bar[t].item() == pytest.approx(alpha_bar, rel=3e-13)


def test_index_0_is_clean_data() -> None:
    schedule = linear_schedule(10)
    assert schedule.T == 10
    assert all(len(getattr(schedule, name)) == 11 for name in ("beta", *TABLES))
    start = {name: getattr(schedule, name)[0].item() for name in ("beta", *TABLES)}
    inf = float("inf")
    assert start == {
        "beta": 0, "alpha_bar": 1, "alpha": 1, "sigma": 0, "snr": inf, "half_log_snr": inf
    }  # fmt: skip
    assert str(start["sigma"]) == "0.0"


def test_a_long_schedule_underflows_quietly() -> None:
    schedule = Schedule.from_steps([0.99] * 400)
    assert schedule.alpha_bar[-1] == 0
    assert schedule.sigma[-1] == 1
    assert schedule.snr[-1] == 0
    assert schedule.half_log_snr[-1].item() == pytest.approx(200 * float(mp.log("0.01")), rel=1e-12)


def test_tables_do_not_depend_on_the_defaults() -> None:
    exact = linear_schedule(20).sigma
    dtype = torch.get_default_dtype()
    try:
        for default in (torch.float16, torch.float64):
            torch.set_default_dtype(default)
            assert torch.equal(linear_schedule(20).sigma, exact)
    finally:
        torch.set_default_dtype(dtype)
    with torch.device("meta"):
        assert torch.equal(linear_schedule(20).sigma, exact)
        assert torch.equal(cosine_schedule(20).sigma, cosine_schedule(20).sigma)


def test_a_schedule_is_frozen() -> None:
    schedule = linear_schedule(3)
    with pytest.raises(FrozenInstanceError):
        schedule.beta = schedule.alpha  # type: ignore[misc]


@given(
    T=st.integers(1, 20),
    batch=st.integers(0, 4),
    event=st.lists(st.integers(1, 3), max_size=3),
    dtype=st.sampled_from([torch.float64, torch.float32, torch.bfloat16, torch.float16]),
    data=st.data(),
)
def test_coefficients_follow_the_data(device, T, batch, event, dtype, data) -> None:
    schedule = linear_schedule(T)
    x = torch.zeros(batch, *event, dtype=dtype, device=device)
    t = data.draw(st.lists(st.integers(0, T), min_size=batch, max_size=batch))
    steps = torch.tensor(t, dtype=data.draw(st.sampled_from([torch.int64, torch.uint8])))
    work = torch.float64 if dtype == torch.float64 else torch.float32
    for vector, table in zip(
        schedule.coefficients(steps.to(device), x), (schedule.alpha, schedule.sigma), strict=True
    ):
        assert vector.shape == (batch, *[1] * len(event))
        assert vector.dtype == work
        assert vector.device == x.device
        assert torch.equal(vector.flatten().cpu(), table[t].to(work))
    for step in t:
        assert schedule.coefficients(step, x) == (schedule.alpha[step], schedule.sigma[step])
        scalar = schedule.coefficients(torch.tensor(step, device=device), x)[0]
        assert scalar.shape == ()


def test_a_table_first_read_in_inference_mode_still_serves_autograd() -> None:
    schedule = linear_schedule(5)
    t, x = torch.tensor([1, 5]), torch.ones(2, 3)
    with torch.inference_mode():
        schedule.coefficients(t, x)
    y = x.clone().requires_grad_()
    (schedule.coefficients(t, y)[0] * y).sum().backward()
    assert torch.equal(y.grad, schedule.alpha[t].float()[:, None].expand(2, 3))


@pytest.mark.parametrize("t", [torch.tensor([-1, 0]), torch.tensor([0, 6])])
def test_steps_in_a_tensor_do_not_wrap_round(t: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"^t: got .* with steps in .*, expected steps in 0..5"):
        linear_schedule(5).coefficients(t, torch.zeros(2))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("T", lambda: linear_schedule(0)),
        ("T", lambda: linear_schedule(1.5)),
        ("T", lambda: cosine_schedule(True)),
        ("beta_start", lambda: linear_schedule(10, 0.0)),
        ("beta_end", lambda: linear_schedule(10, 0.1, 1.0)),
        ("beta_end", lambda: linear_schedule(10, 0.1, float("nan"))),
        ("s", lambda: cosine_schedule(10, -0.1)),
        ("max_beta", lambda: cosine_schedule(10, max_beta=1)),
        ("max_beta", lambda: cosine_schedule(10, max_beta="much")),
        ("beta", lambda: Schedule(torch.tensor([0.1, 0.2]))),
        ("beta", lambda: Schedule(torch.tensor([0.0]))),
        ("beta", lambda: Schedule(torch.zeros(3, 2))),
        ("beta", lambda: Schedule("0.1")),
        ("beta", lambda: Schedule(0.1)),
        ("beta", lambda: Schedule.from_steps([])),
        ("beta[2]", lambda: Schedule.from_steps([0.1, 1.0])),
        ("beta", lambda: Schedule.from_steps([float("nan")])),
        ("beta[1]", lambda: Schedule.from_steps(torch.tensor([-0.1]))),
        ("t", lambda: linear_schedule(5).coefficients(6, torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(-1, torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(1.0, torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(torch.tensor([1.0, 2.0]), torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(torch.tensor([1, 2, 3]), torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(torch.tensor([[1], [2]]), torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(torch.tensor(True), torch.zeros(2))),
        ("like", lambda: linear_schedule(5).coefficients(1, torch.tensor(1.0))),
        ("like", lambda: linear_schedule(5).coefficients(1, torch.zeros(2, dtype=torch.long))),
    ],
)
def test_bad_input_is_named(name: str, make) -> None:
    with pytest.raises(ValueError, match=r"got .*, expected ") as error:
        make()
    assert str(error.value).startswith(f"{name}: ")


@pytest.mark.parametrize("missing", ["torch", "jaxtyping"])
def test_without_torch_one_line_says_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import genmath.ddpm"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ImportError: {missing} is not installed")
    assert "run: pip install torch jaxtyping " in last
    assert "During handling" not in run.stderr


# Continuous time: each path again, from its definition, in 40 digits


def vp(low: float, high: float):
    def integral(t: mp.mpf) -> mp.mpf:
        return mp.mpf(low) * t + (mp.mpf(high) - mp.mpf(low)) * t**2 / 2

    return (
        lambda t: mp.exp(-integral(t) / 2),
        lambda t: mp.sqrt(-mp.expm1(-integral(t))),
    )


def ve(low: float, high: float):
    return (
        lambda t: mp.mpf(1),
        lambda t: mp.sqrt(
            (mp.mpf(low) * (mp.mpf(high) / mp.mpf(low)) ** t) ** 2 - mp.mpf(low) ** 2
        ),
    )


COSINE = (lambda t: mp.cos(mp.pi * t / 2), lambda t: mp.sin(mp.pi * t / 2))
LINEAR = (lambda t: 1 - t, lambda t: t)

scales = st.tuples(st.floats(1e-3, 5), st.floats(1e-3, 30)).map(sorted)
paths_and_definitions = st.one_of(
    scales.map(lambda s: (VPPath(*s), vp(*s))),
    scales.filter(lambda s: s[1] > 1.01 * s[0]).map(lambda s: (VEPath(*s), ve(*s))),
    scales.filter(lambda s: s[1] > 1.01 * s[0]).map(
        lambda s: (EDMPath(*s), (lambda t: mp.mpf(1), lambda t: mp.mpf(s[1]) * t))
    ),
    st.sampled_from([(CosinePath(), COSINE), (LinearPath(), LINEAR), (VPPath(), vp(0.1, 20))]),
)
PATHS = [VPPath(), CosinePath(), VEPath(), LinearPath(), EDMPath()]
INF = math.inf


def close(got: float, exact: mp.mpf, relative: float, absolute: float = 0.0) -> None:
    assert abs(mp.mpf(got) - exact) <= relative * abs(exact) + absolute, (got, exact)


@settings(max_examples=100)
@given(paths_and_definitions, st.one_of(st.floats(1e-12, 1 - 1e-6), st.floats(0.01, 0.99)))
def test_paths_match_40_digits(both, t) -> None:
    path, (alpha, sigma) = both
    with mp.workdps(60):
        s = mp.mpf(t)
        a, b = alpha(s), sigma(s)
        d_a, d_b = (
            mp.diff(alpha, s, h=s * mp.mpf("1e-25")),
            mp.diff(sigma, s, h=s * mp.mpf("1e-25")),
        )
        close(path.alpha(t), a, 1e-13)
        close(path.sigma(t), b, 1e-13)
        close(path.d_alpha(t), d_a, 1e-12, 1e-20)
        close(path.d_sigma(t), d_b, 1e-12)
        close(path.snr(t), (a / b) ** 2, 1e-12)
        close(path.half_log_snr(t), mp.log(a / b), 1e-13, 1e-13)
        close(path.drift(t), d_a / a, 1e-12, 1e-20)
        close(path.squared_diffusion(t), 2 * b * d_b - 2 * d_a / a * b**2, 1e-11)
        assert path.time_of_snr(path.snr(t)) == pytest.approx(t, rel=1e-9)
        assert path.time_of_half_log_snr(path.half_log_snr(t)) == pytest.approx(t, rel=1e-9)


def test_the_ends_are_exact_in_every_dtype() -> None:
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
        zero, one = torch.zeros(1, dtype=dtype), torch.ones(1, dtype=dtype)
        for path in PATHS:
            for t in (0.0, zero):
                assert (path.alpha(t), path.sigma(t)) == (1, 0)
                assert (path.snr(t), path.half_log_snr(t)) == (INF, INF)
        for path in (CosinePath(), LinearPath()):
            for t in (1.0, one):
                assert (path.alpha(t), path.sigma(t)) == (0, 1)
                assert (path.snr(t), path.half_log_snr(t)) == (0, -INF)
    for path in PATHS:
        assert path.time_of_snr(INF) == path.time_of_half_log_snr(INF) == 0
        assert path.time_of_half_log_snr(torch.tensor(INF)) == 0
        assert path.time_of_half_log_snr(path.half_log_snr(1.0)) == pytest.approx(1, abs=1e-12)
        assert path.time_of_snr(path.snr(1.0)) <= 1
    assert VPPath().d_sigma(0.0) == VEPath().d_sigma(0.0) == INF
    assert VPPath().squared_diffusion(0.0) == 0.1
    assert LinearPath().drift(1.0) == -INF


@pytest.mark.parametrize("path", PATHS, ids=lambda path: type(path).__name__)
def test_sigma_keeps_its_digits_next_to_the_data_in_float32(device, path) -> None:
    """√(1 - alpha²) in float32 is off by 9 % at t = 1e-6 on the VP path, and 0 at t = 1e-7."""
    t = torch.logspace(-30, 0, 61, device=device)
    for name in ("alpha", "sigma", "half_log_snr", "snr"):
        single = getattr(path, name)(t)
        assert single.dtype == torch.float32
        wide = getattr(path, name)(t.double())
        torch.testing.assert_close(single, wide.float(), rtol=1e-6, atol=0)
    assert (path.sigma(t) > 0).all()
    naive = torch.sqrt(1 - VPPath().alpha(torch.tensor([1e-6, 1e-7])) ** 2)
    assert abs(naive[0] / VPPath().sigma(1e-6) - 1) > 0.05
    assert naive[1] == 0


@given(
    path=st.sampled_from(PATHS),
    batch=st.integers(0, 4),
    event=st.lists(st.integers(1, 3), max_size=3),
    dtype=st.sampled_from([torch.float64, torch.float32, torch.bfloat16, torch.float16]),
    time_dtype=st.sampled_from([torch.float64, torch.float32, torch.bfloat16]),
    seed=st.integers(0, 99),
)
def test_a_path_follows_the_data_whatever_the_dtype_of_t(
    device, path, batch, event, dtype, time_dtype, seed
) -> None:
    generator = torch.Generator().manual_seed(seed)
    x0, eps = torch.randn(2, batch, *event, generator=generator, dtype=torch.float64)
    x0, eps = x0.to(device, dtype), eps.to(device, dtype)
    t = torch.rand(batch, generator=generator).clamp(min=0.01).to(device, time_dtype)
    work = torch.float64 if dtype == torch.float64 else torch.float32
    exact = t.double().reshape(batch, *[1] * len(event))
    for pair, names in (
        (path.coefficients(t, x0), ("alpha", "sigma")),
        (path.derivatives(t, x0), ("d_alpha", "d_sigma")),
    ):
        for value, name in zip(pair, names, strict=True):
            assert (value.shape, value.dtype) == (exact.shape, work)
            assert torch.equal(value, getattr(path, name)(exact).to(work))
    for got, of in (
        (path.interpolate(x0, eps, t), ("alpha", "sigma")),
        (path.velocity(x0, eps, t), ("d_alpha", "d_sigma")),
    ):
        a, b = (getattr(path, name)(exact) for name in of)
        expected = a * x0.double() + b * eps.double()
        assert (got.shape, got.dtype, got.device) == (x0.shape, dtype, x0.device)
        scale = 1 + (a.abs().max().item() + b.abs().max().item() if batch else 0)
        e = torch.finfo(dtype).eps
        torch.testing.assert_close(got.double(), expected, rtol=e, atol=8 * e * scale)
    for i in range(batch):
        row, number = slice(i, i + 1), t[i].item()
        one = path.interpolate(x0[row], eps[row], number)
        e = torch.finfo(dtype).eps
        torch.testing.assert_close(one, path.interpolate(x0, eps, t)[row], rtol=4 * e, atol=64 * e)
        assert path.coefficients(number, x0) == (path.alpha(number), path.sigma(number))
        assert path.coefficients(t[i], x0)[0].shape == ()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: type(path).__name__)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_data_get_their_noise_at_small_t(device, path, dtype) -> None:
    """Tables in half precision would add none; here the float32 result is rounded once."""
    t = torch.logspace(-6, -1, 50, device=device)
    zero = torch.zeros(50, 4, device=device, dtype=dtype)
    one = torch.ones_like(zero)
    assert (path.interpolate(zero, one, t) > 0).all()
    x0 = torch.linspace(-1, 1, 4, device=device).to(dtype).expand(50, 4)
    single = path.interpolate(x0.float(), one.float(), t)
    assert torch.equal(path.interpolate(x0, one, t), single.to(dtype))


def test_data_at_a_large_offset_keep_float32_accuracy() -> None:
    generator = torch.Generator().manual_seed(0)
    x0, eps = 1e4 + torch.randn(6, 2, generator=generator), torch.randn(6, 2, generator=generator)
    for path in PATHS:
        for t in (0.0, 0.3, 1.0, torch.linspace(0, 1, 6)):
            got = path.interpolate(x0, eps, t).double()
            exact = path.interpolate(x0.double(), eps.double(), t)
            torch.testing.assert_close(got, exact, rtol=1e-6, atol=2e-3)


def test_the_target_at_the_ends_of_the_linear_path_is_finite() -> None:
    """Peers that divide by sigma or by 1 - t give NaN there."""
    x0, eps = torch.tensor([[1.0, 2.0]]), torch.tensor([[5.0, -1.0]])
    for t in (0.0, 1.0, torch.tensor([0.0]), torch.tensor([1.0])):
        assert torch.equal(LinearPath().velocity(x0, eps, t), eps - x0)
    assert torch.equal(LinearPath().interpolate(x0, eps, torch.tensor([1.0])), eps)
    assert torch.equal(LinearPath().interpolate(x0, eps, torch.tensor([0.0])), x0)
    assert torch.equal(CosinePath().velocity(x0, eps, 1.0), -math.pi / 2 * x0)


def test_gradients_pass_through_a_path() -> None:
    for path in PATHS:
        t = torch.tensor([0.2, 0.7], dtype=torch.float64, requires_grad=True)
        x0 = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
        eps = torch.full((2, 3), 2.0, dtype=torch.float64)
        by_t, by_x = torch.autograd.grad(path.interpolate(x0, eps, t).sum(), (t, x0))
        torch.testing.assert_close(by_t, path.velocity(x0, eps, t).sum(1))
        torch.testing.assert_close(by_x, path.alpha(t).unsqueeze(1).expand(2, 3))


@given(st.sampled_from(PATHS), st.floats(0.001, 0.999))
def test_reversed_time_runs_the_other_way(path, t) -> None:
    back = reverse_time(path)
    s = 1 - t
    for name, sign in (("alpha", 1), ("sigma", 1), ("d_alpha", -1), ("d_sigma", -1),
                       ("snr", 1), ("half_log_snr", 1)):  # fmt: skip
        assert getattr(back, name)(s) == sign * getattr(path, name)(1 - s)
    assert back.time_of_half_log_snr(back.half_log_snr(s)) == pytest.approx(s, abs=1e-9)
    assert reverse_time(back) is path
    assert (back.alpha(1.0), back.sigma(1.0)) == (1, 0)
    x0, eps = torch.ones(1, 2), torch.zeros(1, 2)
    assert torch.equal(reverse_time(LinearPath()).velocity(x0, eps, 0.5), x0 - eps)
    with pytest.raises(ValueError, match=r"^path: got .*Reversed"):
        back.drift(0.5)


def test_paths_are_equal_by_value_and_frozen() -> None:
    assert VPPath(0.1, 20) == VPPath()
    assert hash(VEPath()) == hash(VEPath(0.01, 50))
    assert VPPath() != VPPath(0.2, 20)
    with pytest.raises(FrozenInstanceError):
        VPPath().beta_min = 1.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        Path()  # type: ignore[abstract]


# Times


@given(st.floats(0, 1, allow_subnormal=False), st.floats(0.01, 100), st.floats(0.01, 100))
def test_shifts_compose_and_keep_the_ends(t, a, b) -> None:
    assert shift_time(shift_time(t, a), b) == pytest.approx(shift_time(t, a * b), rel=1e-12)
    assert shift_time(t, 1.0) == pytest.approx(t, rel=1e-15)
    assert shift_time(shift_time(t, a), 1 / a) == pytest.approx(t, rel=1e-12)
    for end in (0.0, 1.0):
        assert shift_time(end, a) == end
        assert shift_time(torch.tensor(end), a) == end
    room = (1 - t) / max(1, a)  # from the shifted time to the end, where floats are 2⁻⁵³ apart
    if t > 0 and room > 2**-40:
        path = LinearPath()
        moved = path.half_log_snr(t) - math.log(a)
        rounding = 1e-12 + 2**-50 / room
        assert path.half_log_snr(shift_time(t, a)) == pytest.approx(moved, abs=rounding)


def test_a_shifted_grid_is_shifted_once_everywhere() -> None:
    """By hand: 3 t/(1 + 2 t); a peer applies the shift twice at the last step before the end."""
    grid = torch.linspace(1, 0, 5, dtype=torch.float64)
    expected = torch.tensor([1, 9 / 10, 3 / 4, 1 / 2, 0], dtype=torch.float64)
    torch.testing.assert_close(shift_time(grid, 3.0), expected, rtol=1e-15, atol=0)


@settings(max_examples=25)
@given(st.floats(-2, 2), st.floats(0.3, 2), st.floats(0.1, 10))
def test_the_densities_of_t_integrate_to_one_and_shift(mean, std, shift) -> None:
    # u in (-40, 40) ↦ t = sigmoid(u): a grid that resolves both ends
    u = torch.linspace(-40, 40, 20_001, dtype=torch.float64)
    t = torch.sigmoid(u)
    jacobian = t * torch.sigmoid(-u)

    def integral(density: torch.Tensor) -> float:
        return torch.trapezoid(density * jacobian, u).item()

    assert integral(logit_normal_density(t, mean, std)) == pytest.approx(1, rel=1e-6)
    assert integral(shifted_density(t, shift)) == pytest.approx(1, rel=1e-6)
    # Change of variables: the shift of a logit-normal time has mean + log(shift).
    for s in (0.1, 0.5, 0.8):
        moved, h = shift_time(s, shift), 1e-6
        slope = (shift_time(s + h, shift) - shift_time(s - h, shift)) / (2 * h)
        here = logit_normal_density(s, mean, std)
        there = logit_normal_density(moved, mean + math.log(shift), std)
        assert here == pytest.approx(there * slope, rel=1e-6)
        assert shifted_density(moved, shift) * slope == pytest.approx(1, rel=1e-6)


def test_the_densities_are_finite_at_the_ends() -> None:
    ends = torch.tensor([0.0, 1.0])
    assert torch.equal(logit_normal_density(ends, 0.3, 2.0), torch.zeros(2))
    assert logit_normal_density(0.0) == logit_normal_density(1.0) == 0
    torch.testing.assert_close(shifted_density(ends, 3.0), torch.tensor([1 / 3, 3.0]))


@pytest.mark.parametrize(("mean", "std", "shift"), [(0.0, 1.0, 1.0), (-0.5, 0.7, 3.0)])
def test_drawn_times_follow_their_density(device, mean, std, shift) -> None:
    n, generator = 100_000, torch.Generator(device).manual_seed(0)
    t = logit_normal_time(n, generator=generator, mean=mean, std=std, dtype=torch.float64)
    assert ((t > 0) & (t < 1)).all()
    shifted = torch.logit(shift_time(t, shift))
    assert abs(shifted.mean().item() - mean - math.log(shift)) < 5 * std / math.sqrt(n)
    assert shifted.std().item() == pytest.approx(std, rel=5 / math.sqrt(2 * n))
    again = logit_normal_time(5, generator=torch.Generator(device).manual_seed(0))
    assert again.dtype == torch.float32
    assert logit_normal_time(0, generator=generator).shape == (0,)


X = torch.zeros(2, 3)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("beta_min", lambda: VPPath(0.0)),
        ("beta_max", lambda: VPPath(1.0, 0.5)),
        ("sigma_min", lambda: VEPath(0.0, 1.0)),
        ("sigma_max", lambda: VEPath(1.0, 1.0)),
        ("t", lambda: VPPath().alpha(1.5)),
        ("t", lambda: VPPath().sigma(-0.1)),
        ("t", lambda: VPPath().sigma(math.nan)),
        ("t", lambda: VPPath().alpha(torch.tensor([0, 1]))),
        ("t", lambda: VPPath().coefficients(torch.zeros(3), X)),
        ("t", lambda: VPPath().coefficients(torch.zeros(2, 1), X)),
        ("t", lambda: VPPath().coefficients(torch.tensor([1, 0]), X)),
        ("t", lambda: VPPath().coefficients(1000, X)),
        ("t", lambda: LinearPath().interpolate(X, X, torch.zeros(3))),
        ("t", lambda: LinearPath().velocity(X, X, 2.0)),
        ("like", lambda: VPPath().coefficients(0.5, torch.tensor(1.0))),
        ("x0", lambda: LinearPath().velocity(X.long(), X, 0.5)),
        ("noise", lambda: LinearPath().velocity(X, X[:1], 0.5)),
        ("noise", lambda: LinearPath().interpolate(X, X[:1], torch.zeros(2))),
        ("noise", lambda: VPPath().interpolate(X, X[:1], 0.5)),
        ("snr", lambda: VPPath().time_of_snr(-1.0)),
        ("snr", lambda: VPPath().time_of_snr(1e-9)),
        ("snr", lambda: LinearPath().time_of_snr(torch.tensor([1, 2]))),
        ("half_log_snr", lambda: VEPath().time_of_half_log_snr(-100.0)),
        ("half_log_snr", lambda: VEPath().time_of_half_log_snr(math.nan)),
        ("half_log_snr", lambda: VEPath().time_of_half_log_snr(-math.inf)),
        ("path", lambda: reverse_time(linear_schedule(5))),
        ("shift", lambda: shift_time(0.5, 0.0)),
        ("shift", lambda: shifted_density(0.5, -1.0)),
        ("t", lambda: shift_time(1.5, 2.0)),
        ("std", lambda: logit_normal_density(0.5, 0.0, 0.0)),
        ("mean", lambda: logit_normal_density(0.5, math.inf)),
        ("n", lambda: logit_normal_time(-1, generator=torch.Generator())),
        ("generator", lambda: logit_normal_time(1, generator=None)),
    ],
)
def test_bad_input_to_a_path_is_named(name: str, make) -> None:
    with pytest.raises(ValueError, match=r"got .*, expected ") as error:
        make()
    assert str(error.value).startswith(f"{name}: ")


def test_a_scaled_linear_schedule_ends_where_a_thousand_steps_end() -> None:
    full = linear_schedule(1000).log_alpha_bar[-1].item()
    for T in (100, 250, 4000):
        end = linear_schedule(T, scaled=True).log_alpha_bar[-1].item()
        assert end == pytest.approx(full, rel=0.15)
    assert linear_schedule(100).alpha_bar[-1] > 0.36
    with pytest.raises(ValueError, match=r"^beta_end: got 2"):
        linear_schedule(10, scaled=True)
