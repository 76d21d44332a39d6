"""Conversions among x0, eps, v and score: all of them, and both ends of the path."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath.paths import linear_schedule
from genmath.predictions import PREDICTIONS, coefficients, convert

# Properties that need no checker

PAIRS = [(source, target) for source in PREDICTIONS for target in PREDICTIONS]
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


def statements(x0, eps, alpha, sigma):
    """The four names of one fact, each from its definition."""
    return {"x0": x0, "eps": eps, "v": alpha * eps - sigma * x0, "score": -eps / sigma}


@pytest.mark.parametrize(("source", "target"), PAIRS)
@settings(max_examples=30)
@given(
    alpha=st.floats(0.01, 3),
    sigma=st.floats(0.01, 3),
    shape=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    seed=st.integers(0, 10**6),
)
def test_every_conversion(device, source, target, alpha, sigma, shape, seed) -> None:
    """On any path, variance-preserving or not."""
    generator = torch.Generator().manual_seed(seed)
    x0, eps = torch.randn(2, *shape, generator=generator, dtype=torch.float64).to(device)
    x_t = alpha * x0 + sigma * eps
    truth = statements(x0, eps, alpha, sigma)
    got = convert(truth[source], x_t, alpha, sigma, source=source, target=target)
    scale = max(1, *(abs(c) for c in coefficients(alpha, sigma, source=source, target=target)))
    torch.testing.assert_close(got, truth[target], rtol=1e-11, atol=1e-13 * scale * 10)
    one_a_sample = [torch.full((len(x0),), c, device=device) for c in (alpha, sigma)]
    vector = convert(truth[source], x_t, *one_a_sample, source=source, target=target)
    assert vector.dtype == torch.float64
    torch.testing.assert_close(vector, got, rtol=1e-5, atol=1e-5 * scale * 10)


def test_v_by_hand() -> None:
    """x_t = 0.6 · 2 + 0.8 · (-1) = 0.4 and v = 0.6 · (-1) - 0.8 · 2 = -2.2."""
    x_t, v = torch.tensor([0.4], dtype=torch.float64), torch.tensor([-2.2], dtype=torch.float64)
    for name, value in {"x0": 2.0, "eps": -1.0, "score": 1.25}.items():
        got = convert(v, x_t, 0.6, 0.8, source="v", target=name)
        assert got.item() == pytest.approx(value, rel=1e-14)
        back = convert(got, x_t, 0.6, 0.8, source=name, target="v")
        assert back.item() == pytest.approx(-2.2, rel=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_the_dtype_follows_the_data(source, target, dtype, device) -> None:
    """Whatever the coefficients' dtype; and half precision is rounded once."""
    schedule = linear_schedule(100)
    generator = torch.Generator().manual_seed(0)
    prediction, x_t = torch.randn(2, 3, 4, generator=generator).to(device, dtype)
    t = torch.tensor([1, 50, 100], device=device)
    wide = convert(
        prediction.double(), x_t.double(), *schedule.coefficients(t, x_t.double()),
        source=source, target=target,
    )  # fmt: skip
    for coefficient_dtype in (torch.float32, torch.float64):
        alpha, sigma = (c.to(coefficient_dtype) for c in schedule.coefficients(t, x_t))
        got = convert(prediction, x_t, alpha, sigma, source=source, target=target)
        assert got.dtype == dtype
        assert got.device == x_t.device
        if dtype in (torch.bfloat16, torch.float16):
            atol = 1e-4 * wide.abs().max().item()
            torch.testing.assert_close(got, wide.to(dtype), rtol=torch.finfo(dtype).eps, atol=atol)


@pytest.mark.parametrize(
    ("source", "target", "alpha", "sigma", "expected"),
    [
        ("eps", "x0", 1.0, 0.0, 5.0),
        ("v", "x0", 1.0, 0.0, 5.0),
        ("score", "x0", 1.0, 0.0, 5.0),
        ("score", "eps", 1.0, 0.0, 0.0),
        ("v", "eps", 1.0, 0.0, 3.0),
        ("eps", "v", 1.0, 0.0, 3.0),
        ("x0", "eps", 0.0, 1.0, 5.0),
        ("x0", "v", 0.0, 1.0, -3.0),
        ("v", "x0", 0.0, 1.0, -3.0),
        ("v", "eps", 0.0, 1.0, 5.0),
        ("x0", "score", 0.0, 1.0, -5.0),
        ("eps", "score", 0.0, 1.0, -3.0),
    ],
)
def test_the_ends_are_exact_where_there_is_an_answer(source, target, alpha, sigma, expected):
    """Prediction 3 about x_t = 5, at t = 0 (alpha 1, sigma 0) and at the noise end (0, 1)."""
    three, five = torch.tensor([3.0]), torch.tensor([5.0])
    assert convert(three, five, alpha, sigma, source=source, target=target).item() == expected
    tensors = (torch.tensor([alpha]), torch.tensor([sigma]))
    assert convert(three, five, *tensors, source=source, target=target).item() == expected


@pytest.mark.parametrize(
    ("source", "target", "alpha", "sigma", "name"),
    [("x0", "eps", 1.0, 0.0, "sigma"), ("x0", "v", 1.0, 0.0, "sigma"),
     ("x0", "score", 1.0, 0.0, "sigma"), ("eps", "score", 1.0, 0.0, "sigma"),
     ("v", "score", 1.0, 0.0, "sigma"), ("eps", "x0", 0.0, 1.0, "alpha"),
     ("eps", "v", 0.0, 1.0, "alpha"), ("score", "x0", 0.0, 1.0, "alpha"),
     ("score", "v", 0.0, 1.0, "alpha")],
)  # fmt: skip
def test_the_ends_are_refused_where_there_is_none(source, target, alpha, sigma, name) -> None:
    x = torch.ones(2)
    with pytest.raises(ValueError, match=rf"^{name}: got 0.0, expected"):
        convert(x, x, alpha, sigma, source=source, target=target)
    # In a tensor the other samples are unharmed.
    tensors = (torch.tensor([alpha, 0.6]), torch.tensor([sigma, 0.8]))
    got = convert(x, x, *tensors, source=source, target=target)
    assert not math.isfinite(got[0])
    assert math.isfinite(got[1])


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("source", lambda x: convert(x, x, 0.6, 0.8, source="epsilon", target="x0")),
        ("target", lambda x: convert(x, x, 0.6, 0.8, source="eps", target="velocity")),
        ("prediction", lambda x: convert(x[:1], x, 0.6, 0.8, source="eps", target="x0")),
        ("alpha", lambda x: convert(x, x, -0.6, 0.8, source="eps", target="x0")),
        ("alpha", lambda x: convert(x, x, None, 0.8, source="eps", target="x0")),
        ("sigma", lambda x: convert(x, x, 0.6, float("inf"), source="eps", target="x0")),
        ("sigma", lambda x: convert(x, x, 0.6, torch.ones(3), source="eps", target="x0")),
        ("x_t", lambda x: convert(x, x.long(), 0.6, 0.8, source="eps", target="x0")),
    ],
)
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.ones(2, 3))
