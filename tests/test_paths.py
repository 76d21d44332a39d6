"""Schedules: every table against 40 digits, at every step."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import mpmath as mp
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genmath.paths import Schedule, cosine_schedule, linear_schedule

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
    with pytest.raises(IndexError):
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
        ("beta[1]", lambda: Schedule.from_steps([float("nan")])),
        ("beta[1]", lambda: Schedule.from_steps(torch.tensor([-0.1]))),
        ("t", lambda: linear_schedule(5).coefficients(6, torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(-1, torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(1.0, torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(torch.tensor([1.0, 2.0]), torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(torch.tensor([1, 2, 3]), torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(torch.tensor([[1], [2]]), torch.zeros(2))),
        ("t", lambda: linear_schedule(5).coefficients(torch.tensor(True), torch.zeros(2))),
        ("x", lambda: linear_schedule(5).coefficients(1, torch.tensor(1.0))),
        ("x", lambda: linear_schedule(5).coefficients(1, torch.zeros(2, dtype=torch.long))),
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
    assert 'pip install "genmath[torch]"' in last
    assert "During handling" not in run.stderr
