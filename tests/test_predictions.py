"""Conversions among x0, eps, v, score and velocity: all of them, and both ends of the path."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath.paths import CosinePath, LinearPath, VEPath, VPPath, linear_schedule, reverse_time
from genmath.predictions import PREDICTIONS, coefficients, convert

# Properties that need no checker

PAIRS = [(source, target) for source in PREDICTIONS for target in PREDICTIONS]
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


def statements(x0, eps, alpha, sigma, d_alpha, d_sigma):
    """The five names of one fact, each from its definition."""
    return {
        "x0": x0, "eps": eps, "v": alpha * eps - sigma * x0, "score": -eps / sigma,
        "velocity": d_alpha * x0 + d_sigma * eps,
    }  # fmt: skip


@pytest.mark.parametrize(("source", "target"), PAIRS)
@settings(max_examples=30)
@given(
    alpha=st.floats(0.01, 3),
    sigma=st.floats(0.01, 3),
    slopes=st.tuples(st.floats(-3, 0), st.floats(0.1, 3)),
    shape=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    seed=st.integers(0, 10**6),
)
def test_every_conversion(device, source, target, alpha, sigma, slopes, shape, seed) -> None:
    """On any path, variance-preserving or not."""
    generator = torch.Generator().manual_seed(seed)
    x0, eps = torch.randn(2, *shape, generator=generator, dtype=torch.float64).to(device)
    x_t = alpha * x0 + sigma * eps
    truth = statements(x0, eps, alpha, sigma, *slopes)
    names = {"source": source, "target": target}
    moving = dict(zip(("d_alpha", "d_sigma"), slopes, strict=True))
    if "velocity" not in (source, target):
        moving = {}
    got = convert(truth[source], x_t, alpha, sigma, **names, **moving)
    scale = max(1, *(abs(c) for c in coefficients(alpha, sigma, **names, **moving)))
    torch.testing.assert_close(got, truth[target], rtol=1e-11, atol=1e-12 * scale * 10)
    for view in ((len(x0),), (len(x0), *[1] * (len(shape) - 1)), ()):
        per_sample = [torch.full(view, c, device=device) for c in (alpha, sigma)]
        slope = {n: torch.full(view, c, device=device) for n, c in moving.items()}
        vector = convert(truth[source], x_t, *per_sample, **names, **slope)
        assert vector.dtype == torch.float64
        torch.testing.assert_close(vector, got, rtol=1e-5, atol=1e-5 * scale * 10)


PATHS = [VPPath(), CosinePath(), VEPath(), LinearPath(), reverse_time(LinearPath())]


@pytest.mark.parametrize(("source", "target"), PAIRS)
@settings(max_examples=40)
@given(
    path=st.sampled_from(PATHS),
    t=st.one_of(st.floats(1e-6, 1 - 1e-6), st.floats(0.05, 0.95)),
    seed=st.integers(0, 10**6),
)
def test_there_and_back_again(source, target, path, t, seed) -> None:
    """In float64 to 1e-12 · max(1, alpha/sigma, sigma/alpha), at every t of every path."""
    generator = torch.Generator().manual_seed(seed)
    x0, eps = torch.randn(2, 16, generator=generator, dtype=torch.float64)
    alpha, sigma = path.alpha(t), path.sigma(t)
    slopes = {"d_alpha": path.d_alpha(t), "d_sigma": path.d_sigma(t)}
    x_t = path.interpolate(x0, eps, t)
    start = statements(x0, eps, alpha, sigma, *slopes.values())[source]
    there = convert(start, x_t, alpha, sigma, source=source, target=target, **slopes)
    back = convert(there, x_t, alpha, sigma, source=target, target=source, **slopes)
    allowed = 1e-12 * max(1, alpha / sigma, sigma / alpha)
    assert ((back - start).abs().max() <= allowed * start.abs().max()).all()


@pytest.mark.parametrize(
    ("path", "t", "source", "value", "target", "expected"),
    [
        (LinearPath(), 1.0, "x0", 3.0, "velocity", 2.0),  # eps - x0 with eps = x_t = 5
        (LinearPath(), 0.0, "eps", 3.0, "velocity", -2.0),
        (LinearPath(), 0.0, "v", 3.0, "velocity", -2.0),  # there v = eps
        (LinearPath(), 1.0, "v", -3.0, "velocity", 2.0),  # there v = -x0
        (LinearPath(), 0.0, "velocity", -2.0, "x0", 5.0),
        (LinearPath(), 1.0, "velocity", 2.0, "x0", 3.0),
        (LinearPath(), 0.0, "velocity", -2.0, "eps", 3.0),
        (LinearPath(), 1.0, "velocity", 2.0, "eps", 5.0),
        (LinearPath(), 0.0, "velocity", -2.0, "v", 3.0),
        (LinearPath(), 1.0, "velocity", 2.0, "score", -5.0),
        (LinearPath(), 0.0, "score", 3.0, "velocity", -5.0),  # any finite score: x_t is x0, eps 0
        (CosinePath(), 1.0, "x0", 3.0, "velocity", -3 * math.pi / 2),
        (CosinePath(), 0.0, "eps", 3.0, "velocity", 3 * math.pi / 2),
    ],
)
def test_the_velocity_is_exact_at_both_ends(path, t, source, value, target, expected) -> None:
    """x_t = 5, at t = 0 (x_t = x0) and at t = 1 (x_t = eps)."""
    x_t, said = torch.tensor([5.0]), torch.tensor([value])
    names = {"source": source, "target": target}
    slopes = {"d_alpha": path.d_alpha(t), "d_sigma": path.d_sigma(t)}
    got = convert(said, x_t, path.alpha(t), path.sigma(t), **names, **slopes)
    assert got.item() == pytest.approx(expected, rel=1e-6)
    time = torch.tensor([t])
    slopes = dict(zip(("d_alpha", "d_sigma"), path.derivatives(time, x_t), strict=True))
    got = convert(said, x_t, *path.coefficients(time, x_t), **names, **slopes)
    assert got.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("path", "t", "source", "target", "name"),
    [
        (LinearPath(), 0.0, "x0", "velocity", "sigma"),
        (LinearPath(), 1.0, "eps", "velocity", "alpha"),
        (LinearPath(), 1.0, "score", "velocity", "alpha"),
        (LinearPath(), 0.0, "velocity", "score", "sigma"),
        (VPPath(), 0.0, "score", "velocity", "d_sigma"),
        (VEPath(), 0.0, "score", "velocity", "d_sigma"),
    ],
)
def test_the_velocity_is_refused_where_there_is_none(path, t, source, target, name) -> None:
    x, names = torch.ones(2), {"source": source, "target": target}
    slopes = {"d_alpha": path.d_alpha(t), "d_sigma": path.d_sigma(t)}
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        convert(x, x, path.alpha(t), path.sigma(t), **names, **slopes)
    time = torch.tensor([t, 0.5])  # in a tensor the other samples are unharmed
    slopes = dict(zip(("d_alpha", "d_sigma"), path.derivatives(time, x), strict=True))
    got = convert(x, x, *path.coefficients(time, x), **names, **slopes)
    assert not math.isfinite(got[0])
    assert math.isfinite(got[1])


def test_a_path_that_stands_still_has_a_velocity_and_tells_nothing_by_it() -> None:
    x, still = torch.ones(2), {"d_alpha": 0.0, "d_sigma": 0.0}
    assert (convert(x, x, 0.6, 0.8, source="eps", target="velocity", **still) == 0).all()
    with pytest.raises(ValueError, match=r"^d_alpha, d_sigma: got \(0.0, 0.0\), expected "):
        convert(x, x, 0.6, 0.8, source="velocity", target="eps", **still)


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
    path, names = CosinePath(), {"source": source, "target": target}
    generator = torch.Generator().manual_seed(0)
    prediction, x_t = torch.randn(2, 3, 4, generator=generator).to(device, dtype)
    t = torch.tensor([0.01, 0.5, 0.99], device=device)

    def converted(prediction, x_t, coefficient_dtype):
        level = [c.to(coefficient_dtype) for c in path.coefficients(t, x_t)]
        da, ds = (c.to(coefficient_dtype) for c in path.derivatives(t, x_t))
        return convert(prediction, x_t, *level, d_alpha=da, d_sigma=ds, **names)

    wide = converted(prediction.double(), x_t.double(), torch.float64)
    for coefficient_dtype in (torch.float32, torch.float64):
        got = converted(prediction, x_t, coefficient_dtype)
        assert got.dtype == dtype
        assert got.device == x_t.device
        if dtype in (torch.bfloat16, torch.float16):
            atol = 1e-4 * wide.abs().max().item()
            torch.testing.assert_close(got, wide.to(dtype), rtol=torch.finfo(dtype).eps, atol=atol)


@pytest.mark.parametrize(("source", "target"), [("eps", "x0"), ("x0", "velocity")])
def test_discrete_steps_convert_too(source, target) -> None:
    schedule, x = linear_schedule(10), torch.ones(2, 3)
    slopes = {"d_alpha": -1.0, "d_sigma": 1.0}
    for t in (3, torch.tensor([3, 3])):
        got = convert(x, x, *schedule.coefficients(t, x), source=source, target=target, **slopes)
        assert torch.isfinite(got).all()


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
        ("target", lambda x: convert(x, x, 0.6, 0.8, source="eps", target="flow")),
        ("d_alpha", lambda x: convert(x, x, 0.6, 0.8, source="eps", target="velocity")),
        ("d_sigma",
         lambda x: convert(x, x, 0.6, 0.8, source="velocity", target="eps", d_alpha=-1.0)),
        ("d_sigma",
         lambda x: convert(x, x, 0.6, 0.8, source="eps", target="v", d_sigma=torch.ones(3))),
        ("prediction", lambda x: convert(x[:1], x, 0.6, 0.8, source="eps", target="x0")),
        ("alpha", lambda x: convert(x, x, -0.6, 0.8, source="eps", target="x0")),
        ("alpha", lambda x: convert(x, x, None, 0.8, source="eps", target="x0")),
        ("sigma", lambda x: convert(x, x, 0.6, float("inf"), source="eps", target="x0")),
        ("sigma", lambda x: convert(x, x, 0.6, torch.ones(3), source="eps", target="x0")),
        ("x_t", lambda x: convert(x, x.long(), 0.6, 0.8, source="eps", target="x0")),
    ],
)  # fmt: skip
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.ones(2, 3))
