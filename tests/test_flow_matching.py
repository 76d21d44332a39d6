"""Flow matching against data whose velocity is known exactly, and against the checked chapter."""

from __future__ import annotations

import itertools
import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from genmath import book, cnf
from genmath.flow_matching import (
    cfm_loss,
    conditional_path,
    ot_pairing,
    path_energy,
    random_pairing,
    reflow_pairs,
)
from genmath.paths import (
    CosinePath,
    LinearPath,
    Path,
    VEPath,
    VPPath,
    logit_normal_density,
    logit_normal_time,
    reverse_time,
    shift_time,
    shifted_density,
)
from genmath.predictions import convert
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Div, Named
from genmath.samplers import DDIM, Euler, Heun, sample
from genmath.toys import GaussianMixture
from tests.checked import checked, of_path, value

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
PATHS: list[Path] = [LinearPath(), CosinePath(), VPPath(), VEPath(sigma_max=5.0)]
EVENTS = [(), (3,), (2, 4, 4)]

paths_ = st.sampled_from(PATHS)
shapes = st.tuples(st.integers(0, 4), st.sampled_from(EVENTS)).map(lambda s: (s[0], *s[1]))
times = st.floats(0.01, 0.99)


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64).to(dtype)


def exact_velocity(mixture: GaussianMixture, path: Path):
    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return mixture.velocity(x, *path.coefficients(t, x), *path.derivatives(t, x))

    return model


# Lines


@pytest.mark.parametrize("dtype", DTYPES)
@given(path=paths_, shape=shapes, data=st.data())
@settings(max_examples=30)
def test_shapes_dtypes_and_kinds_of_time(device, dtype, path, shape, data) -> None:
    x0, noise = (normal(*shape, seed=i, dtype=dtype).to(device) for i in range(2))
    t = data.draw(times)
    several = torch.full(shape[:1], t, dtype=torch.float64, device=device)
    line = conditional_path(x0, noise, t, path)
    for other in (several, several.float(), torch.tensor(t, device=device)):
        again = conditional_path(x0, noise, other, path)
        tolerance = 4 * torch.finfo(dtype).eps + 1e-6
        for got, first in zip(again, line, strict=True):
            assert got.shape == x0.shape
            assert got.dtype == dtype
            assert got.device == x0.device
            torch.testing.assert_close(got, first, rtol=30 * tolerance, atol=30 * tolerance)


@given(path=paths_, t=times)
def test_the_velocity_is_the_derivative_of_the_position(path, t) -> None:
    x0, noise = normal(5, 2), normal(5, 2, seed=1)
    h = 1e-5 * min(t, 1 - t)
    after, before = (conditional_path(x0, noise, s, path).x_t for s in (t + h, t - h))
    velocity = conditional_path(x0, noise, t, path).velocity
    torch.testing.assert_close((after - before) / (2 * h), velocity, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("path", [LinearPath(), CosinePath()])
def test_both_ends_are_exact_and_finite(device, dtype, path) -> None:
    """A peer's target is NaN at an end when no noise is left around the data."""
    x0, noise = (normal(4, 3, seed=i, dtype=dtype).to(device) for i in range(2))
    at_data, at_noise = (conditional_path(x0, noise, t, path) for t in (0.0, 1.0))
    assert torch.equal(at_data.x_t, x0)
    assert torch.equal(at_noise.x_t, noise)
    for line in (at_data, at_noise):
        assert torch.isfinite(line.velocity).all()
    t = torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=dtype, device=device)
    mixed = conditional_path(x0, noise, t, path).x_t
    assert torch.equal(mixed, torch.cat([x0[:2], noise[2:]]))


@pytest.mark.parametrize("shape", [(3, 3), (4, 2, 4, 4), (5, 5, 5)])
def test_a_time_is_one_a_sample_even_where_the_last_axis_is_as_long_as_the_batch(shape) -> None:
    """`cfm-broadcast`: a time of shape (B,) against data of shape (B, …, B) broadcast silently."""
    x0, noise = normal(*shape), normal(*shape, seed=1)
    t = torch.rand(shape[0], generator=rng(), dtype=torch.float64)
    for path in PATHS:
        lines = conditional_path(x0, noise, t, path)
        for i, s in enumerate(t.tolist()):
            alone = conditional_path(x0[i : i + 1], noise[i : i + 1], s, path)
            torch.testing.assert_close(lines.x_t[i : i + 1], alone.x_t)
            torch.testing.assert_close(lines.velocity[i : i + 1], alone.velocity)


def test_witness_from_another_package() -> None:
    """torchcfm 1.0.7, whose clock runs from noise x0 to data x1: reversed, velocities negated."""
    noise = torch.tensor([[0.0, 1.0], [2.0, -1.0]], dtype=torch.float64)
    x0 = torch.tensor([[1.0, 3.0], [-2.0, 0.5]], dtype=torch.float64)
    t = torch.tensor([0.25, 0.8], dtype=torch.float64)
    straight = ([[0.25, 1.5], [-1.2, 0.2]], [[1.0, 2.0], [-4.0, 1.5]])
    curved = (
        [[0.3826834323650898, 2.071929829606556], [-1.2840790438404122, 0.16651126377262931]],
        [[1.4512265760697154, 3.7525619983247998], [-3.958637684104289, 1.7366174622114614]],
    )
    for path, (mean, velocity) in ((LinearPath(), straight), (CosinePath(), curved)):
        line = conditional_path(x0, noise, 1 - t, path)
        torch.testing.assert_close(line.x_t, torch.tensor(mean, dtype=torch.float64))
        torch.testing.assert_close(-line.velocity, torch.tensor(velocity, dtype=torch.float64))
        turned = conditional_path(x0, noise, t, reverse_time(path))
        torch.testing.assert_close(turned.velocity, torch.tensor(velocity, dtype=torch.float64))


def test_a_spread_is_noise_around_the_line(device) -> None:
    x0, noise = torch.zeros(20_000, 1, device=device), torch.ones(20_000, 1, device=device)
    line = conditional_path(x0, noise, 0.25, spread=0.5, generator=rng(device))
    assert line.x_t.mean().item() == pytest.approx(0.25, abs=0.02)
    assert line.x_t.std().item() == pytest.approx(0.5, rel=0.03)
    assert torch.equal(line.velocity, noise)


# The loss


@given(path=st.sampled_from(PATHS), shape=shapes, t=times, weight=st.floats(0, 3))
def test_the_loss_by_hand(path, shape, t, weight) -> None:
    assume(shape[0] > 0)
    x0, noise, said = (normal(*shape, seed=i) for i in range(3))
    alpha, sigma, d_alpha, d_sigma = (
        getattr(path, name)(t) for name in ("alpha", "sigma", "d_alpha", "d_sigma")
    )
    seen = []

    def model(x, s):
        seen.append((x, s))
        return said

    loss = cfm_loss(model, x0, path, t=t, noise=noise, weight=weight)
    errors = (said - d_alpha * x0 - d_sigma * noise) ** 2
    torch.testing.assert_close(loss, weight * errors.reshape(len(x0), -1).sum(1).mean())
    ((x, s),) = seen
    torch.testing.assert_close(x, alpha * x0 + sigma * noise)
    assert s.shape == shape[:1]
    assert (s == t).all()


@given(path=st.sampled_from(PATHS), shape=shapes, t=times, spread=st.floats(0.01, 2))
def test_the_loss_with_a_spread_by_hand(path, shape, t, spread) -> None:
    """The point moves by spread · noise, the target does not."""
    assume(shape[0] > 0)
    x0, noise, said = (normal(*shape, seed=i) for i in range(3))
    seen = []

    def model(x, s):
        seen.append(x)
        return said

    loss = cfm_loss(model, x0, path, t=t, noise=noise, spread=spread, generator=rng(seed=7))
    around = torch.empty_like(x0).normal_(generator=rng(seed=7))
    torch.testing.assert_close(seen[0], path.interpolate(x0, noise, t) + spread * around)
    assert torch.equal(loss, cfm_loss(lambda x, s: said, x0, path, t=t, noise=noise))


def test_without_a_spread_nothing_more_is_drawn() -> None:
    one, two = rng(), rng()
    x0 = normal(4, 2)
    cfm_loss(lambda x, t: x, x0, generator=one)
    cfm_loss(lambda x, t: x, x0, spread=0.5, generator=two)
    torch.empty_like(x0).normal_(generator=one)
    assert torch.equal(one.get_state(), two.get_state())


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_not_given_is_drawn_from_the_generator_alone(device, dtype) -> None:
    x0 = normal(8, 2, dtype=dtype).to(device)
    net = lambda x, t: x * t.to(x.dtype).unsqueeze(1)  # noqa: E731
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, second = (cfm_loss(net, x0, generator=rng(device, 3)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, second)
    assert first.dtype == dtype
    assert not torch.equal(first, cfm_loss(net, x0, generator=rng(device, 4)))
    times_given = torch.full((8,), 0.3, device=device)
    cfm_loss(net, x0, t=times_given, generator=rng(device))
    cfm_loss(net, x0, noise=x0, generator=rng(device))
    cfm_loss(net, x0, t=times_given, noise=x0)


def test_drawn_times_are_uniform_and_noise_is_standard_normal() -> None:
    seen = []

    def model(x, t):
        seen.append((x, t))
        return x

    cfm_loss(model, torch.zeros(20_000, 1), generator=rng())
    ((x, t),) = seen
    assert t.min() >= 0
    assert t.max() <= 1
    assert t.mean().item() == pytest.approx(0.5, abs=0.01)
    assert (x[:, 0] / t).std().item() == pytest.approx(1.0, rel=0.03)


@pytest.mark.parametrize("path", PATHS)
def test_the_exact_velocity_has_the_least_loss(path) -> None:
    """Among itself times a factor, plus an offset: the gradients of both vanish within error."""
    mixture = GaussianMixture([0.3, 0.7], [[-1.0, 0.5], [1.0, 0.0]], std=[0.4, 0.6])
    n = 40_000
    x0 = mixture.sample(n, generator=rng(), dtype=torch.float64)
    model = exact_velocity(mixture, path)
    t = 0.05 + 0.9 * torch.rand(n, generator=rng(seed=1), dtype=torch.float64)
    noise = normal(n, 2, seed=2)
    factor = torch.ones(1, dtype=torch.float64, requires_grad=True)
    offset = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    loss = cfm_loss(lambda x, s: factor * model(x, s) + offset, x0, path, t=t, noise=noise)
    slopes = torch.cat(torch.autograd.grad(loss, (factor, offset)))
    assert slopes.abs().max().item() < 0.05 * loss.item()
    worse = cfm_loss(lambda x, s: 1.2 * model(x, s), x0, path, t=t, noise=noise)
    assert worse > loss


def test_a_gradient_step_calls_the_network_once_and_that_of_a_likelihood_a_hundred_times() -> None:
    """The figures of the chapter, "Why is this cheaper than likelihood?"."""
    calls = []

    def model(x, t):
        calls.append(t)
        return x * t[:, None]

    x0 = normal(5, 2).requires_grad_()
    cfm_loss(model, x0, generator=rng()).backward()
    assert len(calls) == 1
    calls.clear()
    cnf.log_prob(model, x0).sum().backward()
    assert len(calls) == 101


def test_data_at_a_large_offset_train_like_data_at_the_origin() -> None:
    x0, noise, t = normal(16, 2), normal(16, 2, seed=1), torch.linspace(0, 1, 16)
    near, far = (
        conditional_path((x0 + c).float(), (noise + c).float(), t).velocity for c in (0, 1e4)
    )
    torch.testing.assert_close(near, far, rtol=0, atol=4e-3)  # the rounding of float32 data at 1e4


# Pairings


def cost(x0: torch.Tensor, noise: torch.Tensor) -> float:
    return ((x0.double() - noise.double()) ** 2).sum().item()


@given(n=st.integers(0, 6), event=st.sampled_from(EVENTS), seed=st.integers(0, 99))
@settings(max_examples=60)
def test_the_pairing_is_the_best_of_all_permutations(n, event, seed) -> None:
    x0, noise = normal(n, *event, seed=seed), 2 * normal(n, *event, seed=seed + 100) + 0.5
    pairing = ot_pairing(x0, noise)
    assert sorted(pairing.tolist()) == list(range(n))
    best = min(cost(x0, noise[list(p)]) for p in itertools.permutations(range(n)))
    assert cost(x0, noise[pairing]) == pytest.approx(best, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 64, 257])
def test_every_row_is_used_once(device, dtype, n) -> None:
    """A peer samples pairs from the plan with replacement, which uses 63 % of a batch."""
    x0, noise = (normal(n, 2, seed=i, dtype=dtype).to(device) for i in range(2))
    pairing = ot_pairing(x0, noise)
    assert pairing.device == x0.device
    assert torch.equal(pairing.sort().values.cpu(), torch.arange(n))
    order = random_pairing(n, generator=rng(device))
    assert torch.equal(order.sort().values.cpu(), torch.arange(n))


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_the_pairing_of_data_far_from_the_origin(offset) -> None:
    """By the expanded square in float32 a plan costs 19 to 29 times too much at 1e4."""
    x0, noise = ((normal(200, 2, seed=i) + offset).float() for i in range(2))
    exact = ot_pairing(x0.double() - offset, noise.double() - offset)
    pairing = ot_pairing(x0, noise)
    best = cost(x0, noise[exact])
    assert cost(x0, noise[pairing]) == pytest.approx(best, rel=1e-9)


def test_the_pairing_draws_nothing() -> None:
    """A peer draws its pairs from numpy's global state."""
    x0, noise = normal(50, 2), normal(50, 2, seed=1)
    np.random.seed(0)  # noqa: NPY002
    before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    first = ot_pairing(x0, noise)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_before)
    np.random.seed(1)  # noqa: NPY002
    assert torch.equal(first, ot_pairing(x0, noise))


def test_without_scipy_the_error_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match="pip install scipy"):
        ot_pairing(normal(3, 2), normal(3, 2))


@pytest.mark.parametrize("n", [50, 150])
def test_where_rounding_may_decide_the_potentials_prove_the_pairing(monkeypatch, n) -> None:
    """They are found without the solver: whatever it says, they prove it or refuse."""
    import scipy.optimize

    x0, noise = normal(n, 2), normal(n, 2, seed=1)
    exact = ot_pairing(x0, noise)
    x0[3], noise[exact[3]] = 1e7, 1e7
    assert torch.equal(ot_pairing(x0, noise), exact)

    def second_best(costs):
        rows, columns = solve(costs)
        columns[[0, 1]] = columns[[1, 0]]
        return rows, columns

    solve = scipy.optimize.linear_sum_assignment
    monkeypatch.setattr(scipy.optimize, "linear_sum_assignment", second_best)
    with pytest.raises(ValueError, match=r"^x0, noise: got .* ot_pairing"):
        ot_pairing(x0, noise)


# Reflow


def test_reflow_of_normal_data_is_the_linear_map() -> None:
    """In one coordinate the flow of normal data carries z to m + √c z."""
    mixture = GaussianMixture([1.0], [1.5], std=0.5)
    for path in (LinearPath(), CosinePath()):
        noise = normal(50)
        pairs = reflow_pairs(exact_velocity(mixture, path), noise, steps=200, path=path)
        torch.testing.assert_close(pairs.x0, 1.5 + 0.5 * noise, rtol=1e-4, atol=1e-4)
        assert pairs.noise is noise


@pytest.mark.parametrize("dtype", DTYPES)
def test_reflow_keeps_shape_and_dtype(device, dtype) -> None:
    noise = normal(3, 2, 2, dtype=dtype).to(device)
    pairs = reflow_pairs(lambda x, t: x, noise, steps=3, sampler=Euler())
    assert pairs.x0.shape == noise.shape
    assert pairs.x0.dtype == dtype
    expected = noise.double() * (1 - 1 / 3) ** 3
    torch.testing.assert_close(pairs.x0.double(), expected, rtol=0.02, atol=0.02)


@given(steps=st.integers(1, 5), duration=st.floats(0.1, 4))
def test_the_energy_of_straight_lines_is_the_squared_distance(steps, duration) -> None:
    start, end = normal(6, 2, 3), normal(6, 2, 3, seed=1)
    line = torch.stack([start + (end - start) * i / steps for i in range(steps + 1)])
    squared = (end - start).pow(2).flatten(1).sum(1).mean()
    torch.testing.assert_close(path_energy(line, duration), squared / duration)
    bent = line.clone()
    if steps > 1:
        bent[1] += 0.1
        assert path_energy(bent, duration) > path_energy(line, duration)


# Bad input


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("path", lambda x: conditional_path(x, x, 0.5, "linear")),
        ("noise", lambda x: conditional_path(x, x[:, :1], 0.5)),
        ("t", lambda x: conditional_path(x, x, 1.5)),
        ("t", lambda x: conditional_path(x, x, torch.zeros(3))),
        ("t", lambda x: conditional_path(x, x, torch.zeros(2, 1))),
        ("t", lambda x: conditional_path(x, x, torch.zeros(2, dtype=torch.long))),
        ("spread", lambda x: conditional_path(x, x, 0.5, spread=-1.0, generator=rng())),
        ("generator", lambda x: conditional_path(x, x, 0.5, spread=0.1)),
        ("generator", lambda x: conditional_path(x, x, 0.5, generator=rng())),
        ("x0", lambda x: conditional_path(x[0, 0], x[0, 0], 0.5)),
        ("x0", lambda x: cfm_loss(lambda y, t: y, x[:0], generator=rng())),
        ("generator", lambda x: cfm_loss(lambda y, t: y, x)),
        ("generator", lambda x: cfm_loss(lambda y, t: y, x, t=0.5, noise=x, generator=rng())),
        ("spread", lambda x: cfm_loss(lambda y, t: y, x, spread=-1.0, generator=rng())),
        ("generator", lambda x: cfm_loss(lambda y, t: y, x, t=0.5, noise=x, spread=0.1)),
        ("model output", lambda x: cfm_loss(lambda y, t: y[:, :1], x, generator=rng())),
        (
            "weight",
            lambda x: cfm_loss(lambda y, t: y, x, generator=rng(), weight=torch.ones(3)),
        ),
        ("noise", lambda x: ot_pairing(x, x[:1])),
        ("x0", lambda x: ot_pairing(x * math.nan, x)),
        ("noise", lambda x: ot_pairing(x, x / 0)),
        ("x0", lambda x: ot_pairing([1.0], x)),
        ("generator", lambda x: random_pairing(3, generator=None)),
        ("noise", lambda x: reflow_pairs(lambda y, t: y, x[0, 0], steps=2)),
        ("steps", lambda x: reflow_pairs(lambda y, t: y, x, steps=0)),
        ("generator", lambda x: reflow_pairs(lambda y, t: y, x, steps=2, sampler=DDIM(1.0))),
        ("trajectory", lambda x: path_energy(x[:1])),
        ("trajectory", lambda x: path_energy(torch.ones(3))),
        ("trajectory", lambda x: path_energy(torch.ones(3, 0, 2))),
        ("duration", lambda x: path_energy(x.unsqueeze(2), 0.0)),
    ],
)
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.ones(2, 3))


# Ties: every implementation against the function made from the checked result


def result(name: str, part: str | None = None) -> Claim:
    derivation = getattr(book.chapter("flow_matching"), name)
    return derivation.conclusion if part is None else derivation[part].claim


def wide(t: float) -> torch.Tensor:
    return torch.tensor(t, dtype=torch.float64)


def close(got: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


@given(path=paths_, t=times)
def test_tie_conditional_path(path, t) -> None:
    x0, noise = normal(4, 3), normal(4, 3, seed=1)
    line = conditional_path(x0, noise, t, path)
    claim = result("conditional_velocity")
    first = book.chapter("flow_matching").conditional_velocity.steps[0].claim.rhs
    letters = {"x_0": x0, "eps": noise, "t": wide(t), **of_path(path)}
    close(line.velocity, value(first, **letters))
    close(line.velocity, value(claim.rhs, **letters), 1e-8)
    position = next(n for n in claim.rhs.walk() if isinstance(n, Named) and n.name == "x_t")
    close(line.x_t, value(position.body, **letters))


@given(t=times, h=st.floats(0.001, 0.1))
def test_tie_the_straight_line(t, h) -> None:
    x0, noise = normal(4, 3), normal(4, 3, seed=1)
    line = conditional_path(x0, noise, t)
    close(line.velocity, checked(result("rectified_flow", "target").rhs)(X=x0, Z=noise))
    close(
        line.velocity,
        checked(result("rectified_flow", "one_point").rhs)(X=x0, Z=noise, tau=wide(t)),
        1e-8,
    )
    assume(t > h)
    step = checked(result("rectified_flow", "step").rhs)
    back = conditional_path(x0, noise, t - h).x_t
    close(back, step(X=x0, Z=noise, t=wide(t), h=wide(h)))
    # and the sampler walks as the chapter says: against the velocity, from noise to data
    walked = sample(
        lambda x, s: noise - x0, (4, 3), LinearPath(), Euler(), steps=7, prediction="velocity",
        start=noise, dtype=torch.float64,
    )  # fmt: skip
    close(walked, checked(result("rectified_flow", "walk").lhs)(X=x0, Z=noise, T=7))


@given(path=paths_, t=times, seed=st.integers(0, 99))
def test_tie_cfm_loss(path, t, seed) -> None:
    x0, noise, said = (normal(5, 3, seed=seed + i) for i in range(3))
    weight = normal(5, seed=seed + 3) ** 2
    loss = cfm_loss(lambda x, s: said, x0, path, t=t, noise=noise, weight=weight)
    body = book.chapter("flow_matching").cfm_loss.steps[0].claim.lhs.body
    velocity = conditional_path(x0, noise, t, path).velocity
    values = checked(body)(
        v=velocity, x=velocity, g=lambda x: said, w=lambda x: weight.unsqueeze(1)
    )
    close(loss, values.sum(1).mean())


class Affine(nn.Module):
    """A model with three parameters, not linear in the first."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64))

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        a, b, c = self.theta
        return torch.tanh(a * x) + b * x + c


@given(seed=st.integers(0, 99), t=times)
@settings(max_examples=30)
def test_tie_equal_gradients(seed, t) -> None:
    """All lines through a few places, with their exact probabilities: no sampling error."""
    places, velocities = normal(4, seed=seed), 2 * normal(3, seed=seed + 1)
    table = torch.softmax(normal(12, seed=seed + 2), 0).reshape(4, 3)  # r(x, v)
    x, v = (grid.reshape(-1) for grid in torch.meshgrid(places, velocities, indexing="ij"))
    conditional = Affine()
    loss = cfm_loss(
        conditional, x - t * v, t=t, noise=x + (1 - t) * v, weight=12 * table.reshape(-1)
    )
    marginal = Affine()
    mean = (table * velocities).sum(1) / table.sum(1)
    exact = (table.sum(1) * (marginal(places, wide(t)) - mean) ** 2).sum()
    grads = [
        torch.autograd.grad(a, m.theta)[0] for a, m in ((loss, conditional), (exact, marginal))
    ]
    close(*grads)
    # the difference is the checked constant, in which the model does not occur
    claim = book.chapter("flow_matching").cfm_loss.steps[0].claim
    letters = {"r": table, "x": places, "v": velocities, "v_1": velocities, "w": torch.ones_like}
    said = conditional(places, wide(t)).detach()
    close(loss.detach(), value(claim.rhs, g=lambda x: said.reshape(x.shape), **letters))
    close((loss - exact).detach(), value(claim.rhs.args[1], **letters))


@given(seed=st.integers(0, 99), n=st.integers(2, 3))
@settings(max_examples=40)
def test_tie_ot_pairing(seed, n) -> None:
    data, noise = normal(n, seed=seed), normal(n, seed=seed + 1)
    pairing = ot_pairing(data, noise)
    if n == 2:
        better = book.chapter("flow_matching").minibatch_pairing["cheaper"].claim.lhs
        assert isinstance(better, Div)
        letters = {"x_0_1": data[0], "x_0_2": data[1], "z_1": noise[0], "z_2": noise[1]}
        least = checked(better.args[0].body)(c=lambda z, x: (z - x) ** 2, **letters)
        assert cost(data, noise[pairing]) == pytest.approx(least.item(), rel=1e-12)
    # the permutation as the chapter's plan: source i is the noise that data j is paired with
    chapter = book.chapter("flow_matching").minibatch_pairing
    chain = next(c for c in chapter.chains if dict(c.case)["n"] == n and c.name == "target")
    plan = torch.zeros(n, n, dtype=torch.float64)
    plan[pairing, torch.arange(n)] = 1.0
    weights = {f"P_{{{i + 1}{j + 1}}}": plan[i, j] for i in range(n - 1) for j in range(n)}
    mean = checked(chain.start.body, *weights)(
        f=torch.sin, **weights, **{f"x_0_{j + 1}": data[j] for j in range(n)}
    )
    close(mean, data.sin().mean())
    rows = [1 - sum(plan[i, j] for i in range(n - 1)) for j in range(n)]
    close(torch.stack(rows), plan[n - 1])  # the last row is what the chapter makes of the others


@pytest.mark.parametrize("event", [(), (2,)])
def test_tie_reflow_pairs(event) -> None:
    """With exact velocities: no convex price of the displacement grows, and what the squared
    distance gains is at least what the chapter says, the spread of the velocities that meet."""
    means = torch.tensor([-2.0, 2.0], dtype=torch.float64)
    if event:
        means = torch.stack([means, means.flip(0) / 2], 1)
    mixture = GaussianMixture([0.4, 0.6], means, std=0.3)
    model, n = exact_velocity(mixture, LinearPath()), 4000
    x0 = mixture.sample(n, generator=rng(), dtype=torch.float64)
    noise = normal(n, *event, seed=1)
    pairs = reflow_pairs(model, noise, steps=100)
    old, new = (conditional_path(a, noise, 0.5).velocity.reshape(n, -1) for a in (x0, pairs.x0))
    chain = book.chapter("flow_matching").reflow["cost"].claim
    before, after = chain.rhs.body, chain.lhs.body  # c(v), and c(D) with D the displacement
    prices = [
        lambda d: d.abs().sum(-1),
        lambda d: d.pow(2).sum(-1),
        lambda d: d.norm(dim=-1) ** 3,
        lambda d: torch.relu(d - 1).sum(-1),
        lambda d: torch.logsumexp(d, -1),
    ]
    for price in prices:
        paid, pays = checked(before)(v=old, c=price), checked(after, "D")(D=new, c=price)
        assert pays.mean() < paid.mean() + 4 * paid.std() / math.sqrt(n)
    # the data are the same: the flow keeps the marginal
    for power in (1, 2):
        moment = pairs.x0.pow(power).mean(0) - x0.pow(power).mean(0)
        assert moment.abs().max().item() < 0.15
    trajectory = sample(
        model, noise.shape, LinearPath(), Heun(), steps=100, prediction="velocity", start=noise,
        dtype=torch.float64, trajectory=True,
    )  # fmt: skip
    t = torch.rand(n, generator=rng(seed=2), dtype=torch.float64)
    line = conditional_path(x0, noise, t)
    mean = model(line.x_t, t)
    spread = (line.velocity - mean).pow(2).reshape(n, -1).sum(1).mean()
    expected = old.pow(2).sum(1).mean() - spread  # the right side of the part "square"
    assert path_energy(trajectory).item() == pytest.approx(expected.item(), rel=0.05)
    assert new.pow(2).sum(1).mean() <= path_energy(trajectory) + 1e-9


ONES = {"x0": "x_0", "eps": "eps", "velocity": "U", "score": "S", "v": "V"}


@pytest.mark.parametrize("source", ONES)
@pytest.mark.parametrize("target", ONES)
@given(path=st.sampled_from(PATHS), t=st.floats(0.05, 0.95))
@settings(max_examples=15)
def test_tie_convert(source, target, path, t) -> None:
    """Both sides of every part of the chapter's table, and `convert` between any two of them."""
    if source == target:
        return
    names = ("alpha", "sigma", "d_alpha", "d_sigma")
    values = {name: getattr(path, name)(t) for name in names}
    letters = {
        "alpha": wide(values["alpha"]),
        "sigma": wide(values["sigma"]),
        "alpha_prime": wide(values["d_alpha"]),
        "sigma_prime": wide(values["d_sigma"]),
        "x_0": normal(2, 3),
        "eps": normal(2, 3, seed=1),
    }
    chapter = book.chapter("flow_matching").predictions
    defined = {
        n.name: n.body
        for step in chapter.steps
        for side in (step.lhs, step.rhs)
        for n in side.walk()
        if isinstance(n, Named)
    }

    said = {
        k: value(defined[name], **letters) if name in defined else letters[name]
        for k, name in ONES.items()
    }
    x_t = value(defined["x_t"], **letters)
    got = convert(said[source], x_t, source=source, target=target, **values)
    scale = max(values["alpha"] / values["sigma"], values["sigma"] / values["alpha"], 1)
    close(got, said[target], 1e-11 * scale**2)
    part = f"{target}_from_{source}"
    if part in {c.name for c in chapter.chains}:
        claim = chapter[part].claim
        formula, known = (claim.rhs, claim.lhs) if target == "velocity" else (claim.lhs, claim.rhs)
        close(value(known, **letters), said[target])
        close(value(formula, **letters), got, 1e-9 * scale**2)


@given(path=paths_, t=times)
def test_tie_reverse_time(path, t) -> None:
    x0, noise = normal(4, 3), normal(4, 3, seed=1)
    turned = conditional_path(x0, noise, t, reverse_time(path))
    claim = result("reverse_time", "velocity")
    close(turned.velocity, checked(claim.rhs)(x_0=x0, eps=noise, t=wide(t), **{
        name: f for name, f in of_path(path).items() if name.endswith("_prime")
    }))  # fmt: skip
    if path == LinearPath():  # Lipman's path, with nothing of the noise left at the data
        lipman = checked(result("reverse_time", "lipman").rhs, "x_tau")
        close(turned.velocity, lipman(x_0=x0, x_tau=turned.x_t, tau=wide(t), rho=wide(0.0)), 1e-8)


@given(t=times, shift=st.floats(0.1, 8), other=st.floats(0.1, 8))
def test_tie_shift_time(t, shift, other) -> None:
    letters = {"tau": wide(t), "s": wide(shift)}
    moved = shift_time(t, shift)
    log_odds = math.log(moved / (1 - moved))
    assert log_odds == pytest.approx(
        checked(result("shift_time", "log_odds").rhs)(**letters).item(), rel=1e-9, abs=1e-9
    )
    composed = checked(result("shift_time", "compose").rhs)(**letters, s_2=wide(other)).item()
    assert shift_time(moved, other) == pytest.approx(composed, rel=1e-12)
    assert shift_time(t, shift * other) == pytest.approx(composed, rel=1e-12)
    assert shift_time(moved, 1 / shift) == pytest.approx(t, rel=1e-12)
    assert shift_time(0.0, shift) == 0.0
    assert shift_time(1.0, shift) == 1.0
    slope = checked(result("shift_time", "slope").rhs)(**letters).item()
    h = 1e-6 * min(t, 1 - t)
    numeric = (shift_time(t + h, shift) - shift_time(t - h, shift)) / (2 * h)
    assert numeric == pytest.approx(slope, rel=1e-5)


@given(t=times, shift=st.floats(0.1, 8))
def test_tie_shifted_density(t, shift) -> None:
    letters = {"tau": wide(t), "s": wide(shift)}
    expected = checked(result("shift_time", "density").rhs)(**letters).item()
    assert shifted_density(t, shift) == pytest.approx(expected, rel=1e-12)


@given(t=times, mean=st.floats(-2, 2), std=st.floats(0.2, 2), shift=st.floats(0.2, 5))
def test_tie_logit_normal_density(t, mean, std, shift) -> None:
    rhs = result("shift_time", "logit_normal").rhs  # with mean + log s
    expected = checked(rhs)(tau=wide(t), mu=wide(mean), delta=wide(std), s=wide(shift)).item()
    got = logit_normal_density(t, mean + math.log(shift), std)
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-300)
    odds = math.log(t / (1 - t))
    pulled = got * t * (1 - t)
    normal_density = checked(result("logit_normal_time", "density").rhs)(
        b=wide(odds), mu=wide(mean + math.log(shift)), delta=wide(std)
    )
    assert pulled == pytest.approx(normal_density.item(), rel=1e-9, abs=1e-300)


def test_both_densities_of_times_integrate_to_one_and_fit_their_samples() -> None:
    grid = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    for density in (
        shifted_density(grid, 3.0),
        logit_normal_density(grid, 0.5, 0.8),
        logit_normal_density(grid),
    ):
        assert density.mean().item() == pytest.approx(1.0, abs=1e-4)
    n = 40_000
    u = torch.rand(n, generator=rng(), dtype=torch.float64)
    drawn = logit_normal_time(n, generator=rng(), mean=0.5, std=0.8, dtype=torch.float64)
    for sample_, density in (
        (shift_time(u, 3.0), shifted_density(grid, 3.0)),
        (drawn, logit_normal_density(grid, 0.5, 0.8)),
    ):
        expected = (grid * density).mean().item()
        assert sample_.mean().item() == pytest.approx(expected, abs=0.005)


@given(path=paths_, t=times, seed=st.integers(0, 99))
@settings(max_examples=40)
def test_tie_mixture_velocity(path, t, seed) -> None:
    """On a table of data points, and for normal data, the exact velocity is the chapter's."""
    points, weights = normal(4, seed=seed), torch.softmax(normal(4, seed=seed + 1), 0)
    letters = {"t": wide(t), **of_path(path)}
    at = (path.alpha(t), path.sigma(t), path.d_alpha(t), path.d_sigma(t))
    u_t = next(
        n
        for n in result("marginal_velocity", "continuity").rhs.walk()
        if isinstance(n, Named) and n.name == "u_t(x)"
    )
    empirical = GaussianMixture(weights, points, std=0.0)
    scale = 1 / path.sigma(t)
    x = path.alpha(t) * points + path.sigma(t) * normal(4, seed=seed + 2)
    for place in x:
        expected = value(u_t.body, q=weights, x_0=points, x=place, **letters)
        got = empirical.velocity(place.reshape(1), *at)
        close(got, expected.reshape(1), 1e-9 * (1 + scale**2))
    m, c = points[0], points[1] ** 2 + 0.1
    blob = GaussianMixture([1.0], m.reshape(1), std=c.sqrt().item())
    expected = checked(result("gaussian_velocity", "velocity").rhs)(m=m, c=c, x=x, **letters)
    close(blob.velocity(x, *at), expected, 1e-8)


TIES = {
    "conditional_path": {
        "flow_matching.conditional_velocity": test_tie_conditional_path,
        "flow_matching.rectified_flow": test_tie_the_straight_line,
    },
    "cfm_loss": {
        "flow_matching.cfm_loss": test_tie_cfm_loss,
        "flow_matching.equal_gradients": test_tie_equal_gradients,
    },
    "ot_pairing": {"flow_matching.minibatch_pairing": test_tie_ot_pairing},
    "reflow_pairs": {"flow_matching.reflow": test_tie_reflow_pairs},
    "convert": {"flow_matching.predictions": test_tie_convert},
    "reverse_time": {"flow_matching.reverse_time": test_tie_reverse_time},
    "shift_time": {"flow_matching.shift_time": test_tie_shift_time},
    "shifted_density": {"flow_matching.shift_time": test_tie_shifted_density},
    "logit_normal_density": {"flow_matching.logit_normal_time": test_tie_logit_normal_density},
    "GaussianMixture.velocity": {
        "flow_matching.marginal_velocity": test_tie_mixture_velocity,
        "flow_matching.gaussian_velocity": test_tie_mixture_velocity,
    },
}
