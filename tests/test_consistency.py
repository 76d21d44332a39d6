"""Few-step models against flows that are known exactly, and against the checked chapter."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genmath import book
from genmath.consistency import (
    ConsistencyModel,
    distillation_loss,
    dmd_loss,
    line_flow_map,
    mean_flow_loss,
    normal_flow_map,
    progressive_target,
    sample,
    sample_mean_flow,
    shortcut_target,
    training_loss,
)
from genmath.nets import MLP
from genmath.paths import CosinePath, LinearPath, Path, VPPath
from genmath.proof.language.tree import Mul, Named, Node
from genmath.samplers import DDIM
from genmath.samplers import sample as run
from genmath.solvers import Adaptive, carry
from genmath.toys import GaussianMixture
from tests.checked import of_path, value

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
PATHS: list[Path] = [LinearPath(), CosinePath(), VPPath()]
paths_ = st.sampled_from(PATHS)
times = st.floats(0.02, 0.98)
pairs = st.tuples(times, times).map(sorted).filter(lambda p: p[1] - p[0] > 0.01)


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64).to(dtype)


def wide(x: float) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64)


def result(derivation: str, part: str | None = None):
    made = getattr(book.chapter("consistency"), derivation)
    return made[part].claim if part else made.conclusion


def letter(tree: Node, name: str) -> Node:
    """What a letter of the chapter stands for."""
    return next(n.body for n in tree.walk() if isinstance(n, Named) and n.name == name)


def velocity_of(mixture: GaussianMixture, path: Path):
    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return mixture.velocity(x, *path.coefficients(t, x), *path.derivatives(t, x))

    return model


def mean_velocity_of(variance: float, path: Path):
    """The exact mean velocity of normal data, and the velocity where the step has no length."""

    def model(x: torch.Tensor, s: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        length = (t - s).reshape(-1, *[1] * (x.ndim - 1))
        moved = normal_flow_map(x, t, s, path, variance=variance)
        return (x - moved) / length

    return model


# Flows that are known


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("t", "s"), [(0.9, 0.1), (0.2, 0.7), (1.0, 0.3)])
def test_the_map_of_normal_data_is_where_a_solver_arrives(path, t, s) -> None:
    mixture = GaussianMixture([1.0], [0.7], std=0.6)
    x = normal(20)
    exact = normal_flow_map(x, t, s, path, mean=0.7, variance=0.36)
    found = carry(velocity_of(mixture, path), x, Adaptive(1e-8, 1e-8), start=t, end=s)
    torch.testing.assert_close(found, exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("t", "s"), [(0.9, 0.1), (0.2, 0.7)])
def test_the_map_of_a_mixture_on_the_line_is_where_a_solver_arrives(path, t, s) -> None:
    mixture = GaussianMixture([0.3, 0.7], [-1.5, 1.0], std=[0.5, 0.3])
    x = normal(20)
    exact = line_flow_map(x, t, s, path, mixture=mixture)
    found = carry(velocity_of(mixture, path), x, Adaptive(1e-8, 1e-8), start=t, end=s)
    torch.testing.assert_close(found, exact, rtol=1e-5, atol=1e-5)


@given(path=paths_, pair=pairs, seed=st.integers(0, 99))
@settings(max_examples=40)
def test_maps_go_there_and_back_and_by_way_of_the_middle(path, pair, seed) -> None:
    (s, t), x = pair, normal(7, seed=seed)
    mixture = GaussianMixture([0.5, 0.5], [-0.5, 0.8], std=0.6)
    for move in (
        lambda x, a, b: normal_flow_map(x, a, b, path, mean=0.3, variance=0.5),
        lambda x, a, b: line_flow_map(x, a, b, path, mixture=mixture),
    ):
        torch.testing.assert_close(move(move(x, t, s), s, t), x, rtol=1e-8, atol=1e-8)
        middle = (s + t) / 2
        torch.testing.assert_close(
            move(move(x, t, middle), middle, s), move(x, t, s), rtol=1e-8, atol=1e-8
        )


def test_both_ends_of_a_line_keep_their_digits_in_a_tail() -> None:
    """By the smaller share: the other one rounds to one, eight deviations out."""
    mixture = GaussianMixture([1.0], [0.0], std=0.5)
    x = torch.tensor([-9.0, 9.0], dtype=torch.float64)
    torch.testing.assert_close(
        line_flow_map(x, 1.0, 0.0, mixture=mixture), x / 2, rtol=1e-9, atol=0
    )


@given(path=paths_, pair=pairs, m=st.floats(-2, 2), c=st.floats(0.1, 3))
def test_tie_normal_flow_map(path, pair, m, c) -> None:
    s, t = pair
    x = normal(5)
    letters = {"x": x, "t": wide(t), "s": wide(s), "m": wide(m), "c": wide(c), **of_path(path)}
    tree = letter(result("flow_map", "moves").lhs, "Phi")
    expected = value(tree, **letters)
    got = normal_flow_map(x, t, s, path, mean=m, variance=c)
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)


@given(path=paths_, pair=pairs, seed=st.integers(0, 99))
@settings(max_examples=20)
def test_tie_line_flow_map(path, pair, seed) -> None:
    """The result's two sides, with the mixture's mass for P: it does not change along the map."""
    s, t = pair
    mixture = GaussianMixture([0.3, 0.7], [-1.0, 0.8], std=[0.5, 0.7])
    means, stds, weights = (
        mixture.means,
        torch.tensor([0.5, 0.7], dtype=torch.float64),
        mixture.weights,
    )

    def mass(x: torch.Tensor, at: float) -> torch.Tensor:
        a, b = path.alpha(at), path.sigma(at)
        z = (x[:, None] - a * means) / (a**2 * stds**2 + b**2).sqrt()
        return torch.special.ndtr(z) @ weights

    x = normal(6, seed=seed)
    moved = line_flow_map(x, t, s, path, mixture=mixture)
    torch.testing.assert_close(mass(moved, s), mass(x, t), rtol=1e-9, atol=1e-9)
    # Zero in the chapter says: the speed of the map is minus the loss of mass over the density.
    h = 1e-5
    late, early = (line_flow_map(moved, s, r, path, mixture=mixture) for r in (s + h, s - h))
    speed = (late - early) / (2 * h)
    loss = (mass(moved, s + h) - mass(moved, s - h)) / (2 * h)
    density = (mass(moved + h, s) - mass(moved - h, s)) / (2 * h)
    assert [n.name for n in result("line").rhs.walk() if isinstance(n, Named)][:1] == ["P"]
    torch.testing.assert_close(density * (speed + loss / density), 0 * x, rtol=0, atol=1e-4)


# The consistency model


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 1, 3, 3)])
def test_at_the_data_it_is_the_point_itself(device, dtype, path, shape) -> None:
    x = normal(*shape, dtype=dtype).to(device)
    net = nn.Sequential(nn.Identity())
    net.forward = lambda x, t: 1e3 + 0 * x
    model = ConsistencyModel(net, path, std=0.5)
    for t in (0.0, torch.zeros(4, device=device)):
        out = model(x, t)
        assert torch.equal(out, x)
        assert out.dtype == dtype


@given(path=paths_, t=times, std=st.floats(0.1, 3), seed=st.integers(0, 99))
def test_tie_consistency_model(path, t, std, seed) -> None:
    x, answer = normal(5, seed=seed), normal(5, seed=seed + 1)
    seen = []

    class Net(nn.Module):
        def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            seen.append((x, t))
            return answer

    out = ConsistencyModel(Net(), path, std=std)(x, t)
    letters = {
        "alpha_t": wide(path.alpha(t)),
        "sigma_t": wide(path.sigma(t)),
        "sigma_d": wide(std),
    }
    rest, size = result("boundary", "rest"), result("boundary", "input")
    c_out = value(letter(rest.rhs, "c_out"), **letters)
    c_skip = value(letter(rest.lhs, "c_skip"), **letters)
    variance = value(size.rhs, **letters)
    torch.testing.assert_close(out, c_skip * x + c_out * answer, rtol=1e-9, atol=1e-9)
    ((inner, at),) = seen
    torch.testing.assert_close(inner, x / variance.sqrt(), rtol=1e-9, atol=1e-9)
    assert (at == t).all()
    assert at.shape == (5,)


# Consistency losses


class Linear(nn.Module):
    """κ(t) x with one number a time, by its step on a grid."""

    def __init__(self, slopes: list[float]) -> None:
        super().__init__()
        self.slopes = nn.Parameter(torch.tensor(slopes, dtype=torch.float64))

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        at = (t * (len(self.slopes) - 1)).round().long()
        return self.slopes[at].reshape(-1, *[1] * (x.ndim - 1)) * x


def crossed(variance: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Four pairs of data and noise, with exactly the second moments of independent normals."""
    root = math.sqrt(variance)
    x0 = torch.tensor([[root], [root], [-root], [-root]], dtype=torch.float64)
    return x0, torch.tensor([[1.0], [-1.0], [1.0], [-1.0]], dtype=torch.float64)


@pytest.mark.parametrize("path", [LinearPath(), CosinePath()])
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_tie_the_fixed_point_on_normal_data(path, steps) -> None:
    """The gradient of `training_loss` vanishes where the slopes are the chapter's γ."""
    variance = 0.6
    x0, noise = crossed(variance)
    lost = result("training_normal", "lost").lhs
    slopes = [1.0]
    for i in range(1, steps + 1):
        at = {
            "alpha_s": path.alpha((i - 1) / steps), "sigma_s": path.sigma((i - 1) / steps),
            "alpha_t": path.alpha(i / steps), "sigma_t": path.sigma(i / steps), "c": variance,
        }  # fmt: skip
        slopes.append(
            slopes[-1] * float(value(letter(lost, "gamma"), **{k: wide(v) for k, v in at.items()}))
        )
    model = Linear(slopes)
    for i in range(1, steps + 1):
        model.zero_grad()
        training_loss(model, x0, path, steps=steps, t=i / steps, noise=noise).backward()
        assert model.slopes.grad is not None
        assert model.slopes.grad.abs().max().item() < 1e-12
    wrong = Linear([*slopes[:-1], slopes[-1] + 0.1])
    training_loss(wrong, x0, path, steps=steps, t=1.0, noise=noise).backward()
    assert wrong.slopes.grad is not None
    assert abs(wrong.slopes.grad[-1].item()) > 0.01


@given(t=st.floats(0.3, 1), steps=st.integers(4, 9), seed=st.integers(0, 99))
def test_tie_training_loss(t, steps, seed) -> None:
    """On the straight path the loss at one place is the chapter's, with V = noise - data."""
    x, v = normal(6, seed=seed), normal(6, seed=seed + 1)
    x = x[:1].expand(6)
    x0, noise = x - t * v, x + (1 - t) * v
    h = 1 / steps
    slope, level, here = 0.7, 0.2, -0.4
    line = result("training_target", "line").lhs

    def model(place: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        if bool((at >= t - 1e-9).all()):
            return torch.full_like(place, here)
        return slope * place + level

    got = training_loss(model, x0, steps=steps, t=t, noise=noise)
    table = torch.full((1, 6), 1 / 6, dtype=torch.float64)
    letters = {"r": table, "x": x[:1], "V": v, "g": lambda at: torch.full_like(at, here)}
    numbers = {"h": wide(h), "l": wide(slope), "k": wide(level)}
    torch.testing.assert_close(got, value(line, **letters, **numbers))


def test_the_last_step_ends_at_the_data() -> None:
    seen = []

    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append(t)
        return x

    for steps in (1, 3, 7, 10, 49):
        t = torch.full((4,), 1 / steps)
        seen.clear()
        training_loss(model, normal(4, 2).float(), steps=steps, t=t, noise=normal(4, 2).float())
        assert {0.0} <= set(torch.cat(seen).tolist())


@pytest.mark.parametrize("order", [1, 2])
def test_tie_distillation_loss(order) -> None:
    """The error of a model is at most the roots of its losses and the solver's errors, summed."""
    variance, steps = 0.5, 6
    path = LinearPath()
    teacher = velocity_of(GaussianMixture([1.0], [0.0], std=math.sqrt(variance)), path)
    claim = result("distillation_error")
    slopes = [1.0, 0.95, 0.9, 0.87, 0.8, 0.75, 0.7]
    model, table = Linear(slopes), torch.tensor(slopes, dtype=torch.float64)
    start = torch.tensor([1.3], dtype=torch.float64)
    truth = normal_flow_map(start, 1.0, 0.0, path, variance=variance)
    places = [
        normal_flow_map(start, 1.0, i / steps, path, variance=variance) for i in range(steps + 1)
    ]
    total = wide(0.0)
    for i in range(1, steps + 1):
        t, s = i / steps, (i - 1) / steps
        # Data and noise whose line is at the place at t; the loss sees no more of them.
        noise = places[i] / t
        loss = distillation_loss(
            model, 0 * start, path, teacher=teacher, steps=steps, order=order, t=t, noise=noise
        )
        v = teacher(places[i], torch.tensor([t]).double())
        ahead = places[i] + (s - t) * v
        if order == 2:
            ahead = places[i] + (s - t) * (v + teacher(ahead, torch.tensor([s]).double())) / 2
        jump = (slopes[i] * places[i] - slopes[i - 1] * ahead).abs()
        torch.testing.assert_close(loss.detach(), (jump**2).squeeze())
        bound = value(
            claim.rhs,
            f=lambda x, at: table[(torch.as_tensor(at) * steps).round().long()] * x,
            x_t=places[i], x_s=places[i - 1], x_hat_s=ahead, x_0=truth,
            t=wide(t), s=wide(s), L=wide(slopes[i - 1]),
        )  # fmt: skip
        before = (slopes[i - 1] * places[i - 1] - truth).abs()
        after = (slopes[i] * places[i] - truth).abs()
        assert bool(after <= bound + 1e-12)
        torch.testing.assert_close(
            bound, jump + slopes[i - 1] * (ahead - places[i - 1]).abs() + before
        )
        total = total + loss.detach().sqrt() + slopes[i - 1] * (ahead - places[i - 1]).abs()
    assert bool((slopes[-1] * start - truth).abs() <= total)


def test_the_target_gets_no_gradient_and_may_be_another_model() -> None:
    x0, noise = normal(8, 2), normal(8, 2, seed=1)
    model, slow = (Linear([1.0, 0.8, 0.5]) for _ in range(2))
    loss = training_loss(model, x0, steps=2, target=slow, t=1.0, noise=noise)
    loss.backward()
    assert slow.slopes.grad is None
    assert model.slopes.grad is not None
    assert model.slopes.grad[1] == 0  # used for the target, were it the same
    same = training_loss(model, x0, steps=2, t=1.0, noise=noise)
    torch.testing.assert_close(same, loss)
    model.zero_grad()
    same.backward()
    assert model.slopes.grad[1] == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_not_given_is_drawn_from_the_generator_alone(device, dtype) -> None:
    x0 = normal(8, 2, dtype=dtype).to(device)
    field = lambda x, t: x * t.to(x.dtype).unsqueeze(1)  # noqa: E731
    losses = [
        lambda g: training_loss(field, x0, steps=5, generator=g),
        lambda g: distillation_loss(field, x0, teacher=field, steps=5, generator=g),
        lambda g: dmd_loss(field, x0, fake_score=lambda x, t: -x, generator=g),
        lambda g: mean_flow_loss(lambda x, s, t: field(x, t), x0, generator=g),
    ]
    before = torch.get_rng_state()
    for loss in losses:
        first, second = loss(rng(device, 3)), loss(rng(device, 3))
        assert torch.equal(first, second)
        assert first.dtype == dtype
        assert first.isfinite()
        assert not torch.equal(first, loss(rng(device, 4)))
    assert torch.equal(torch.get_rng_state(), before)


def test_drawn_times_are_those_of_the_grid() -> None:
    seen = []

    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append(t)
        return x

    training_loss(model, torch.zeros(4000, 1), steps=4, generator=rng())
    earlier, later = seen
    counts = torch.bincount((later * 4).round().long(), minlength=5)
    assert counts[0] == 0
    assert (counts[1:] - 1000).abs().max() < 120
    torch.testing.assert_close(later - earlier, torch.full((4000,), 0.25))


# Mean velocities


@given(path=st.sampled_from([LinearPath(), CosinePath()]), pair=pairs, seed=st.integers(0, 99))
@settings(max_examples=30)
def test_tie_mean_flow_identity(path, pair, seed) -> None:
    """For the exact mean velocity and the mean field in place of a line, the loss is zero."""
    (s, t), variance = pair, 0.5
    model = mean_velocity_of(variance, path)
    x = normal(5, 1, seed=seed)
    v = velocity_of(GaussianMixture([1.0], [[0.0]], std=math.sqrt(variance)), path)(
        x, wide(t).expand(5)
    )
    alpha, sigma, d_alpha, d_sigma = (
        getattr(path, n)(t) for n in ("alpha", "sigma", "d_alpha", "d_sigma")
    )
    # The pair of data and noise whose line is at x with that velocity.
    bend = alpha * d_sigma - d_alpha * sigma
    x0, noise = (d_sigma * x - sigma * v) / bend, (alpha * v - d_alpha * x) / bend
    loss = mean_flow_loss(model, x0, path, s=s, t=t, noise=noise)
    assert loss.item() < 1e-18 / (t - s) ** 2 + 1e-16
    other = mean_flow_loss(mean_velocity_of(0.9, path), x0, path, s=s, t=t, noise=noise)
    assert other.item() > 1e-12
    # The same in the chapter's words: v less (t - s) D u is u, as D Φ is zero.
    claim = result("mean_flow")
    sizes = [(path.alpha(r) ** 2 * variance + path.sigma(r) ** 2) ** 0.5 for r in (s, t)]
    letters = {
        "x_1": x[0, 0],
        "x_2": wide(0.0),
        "s": wide(s),
        "t": wide(t),
        "v_1": lambda x, y, t: v[0, 0],
    }
    u = value(letter(claim.rhs, "u_1"), Phi_1=lambda x, y, s, t: sizes[0] / sizes[1] * x, **letters)
    torch.testing.assert_close(model(x, wide(s).expand(5), wide(t).expand(5))[0, 0], u)


@given(pair=pairs, seed=st.integers(0, 99))
@settings(max_examples=30)
def test_tie_mean_flow_loss(pair, seed) -> None:
    """At one place, over several lines, the loss is the chapter's sum."""
    s, t = pair
    v = normal(6, seed=seed)
    x = normal(1, seed=seed + 1).expand(6)
    x0, noise = x - t * v, x + (1 - t) * v

    def model(x: torch.Tensor, s: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.sin(x) * t + s

    got = mean_flow_loss(model, x0, s=s, t=t, noise=noise)
    claim = result("mean_flow_loss", "spread")
    letters = {
        "r": torch.full((1, 6), 1 / 6, dtype=torch.float64), "x": x[:1], "V": v, "V_1": v,
        "s": wide(s), "t": wide(t),
        "u": lambda x: torch.sin(x) * t + s, "u_x": lambda x: torch.cos(x) * t, "u_t": torch.sin,
    }  # fmt: skip
    for side in (claim.lhs, claim.rhs):
        torch.testing.assert_close(got.reshape(1), value(side, **letters).reshape(1))


def test_with_equal_times_it_is_flow_matching() -> None:
    from genmath.flow_matching import cfm_loss

    x0, noise = normal(7, 2), normal(7, 2, seed=1)
    t = torch.linspace(0.1, 0.9, 7, dtype=torch.float64)
    net = MLP(2, generator=rng()).double()
    got = mean_flow_loss(lambda x, s, t: net(x, t) + (t - s)[:, None], x0, s=t, t=t, noise=noise)
    torch.testing.assert_close(got, cfm_loss(net, x0, t=t, noise=noise))


def test_the_target_of_a_mean_velocity_gets_no_gradient() -> None:
    """The gradient is that of the loss against a number."""
    x0, noise = normal(7, 2), normal(7, 2, seed=1)
    factor = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)

    def model(x: torch.Tensor, s: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return factor * x

    mean_flow_loss(model, x0, s=0.2, t=0.7, noise=noise).backward()
    x, v = 0.3 * x0 + 0.7 * noise, noise - x0
    target = v - 0.5 * 0.8 * v
    expected = (2 * (0.8 * x - target) * x).sum(1).mean()
    assert factor.grad is not None
    torch.testing.assert_close(factor.grad, expected)


def test_drawn_times_are_in_order_and_equal_as_often_as_said() -> None:
    seen = []

    def model(x: torch.Tensor, s: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append((s, t))
        return x

    mean_flow_loss(model, torch.zeros(8000, 1), generator=rng(), equal=0.25)
    ((s, t),) = seen
    assert bool((s <= t).all())
    assert (s == t).double().mean().item() == pytest.approx(0.25, abs=0.02)
    assert t.mean().item() == pytest.approx(2 / 3, abs=0.01)


@given(path=paths_, pair=pairs, seed=st.integers(0, 99))
@settings(max_examples=30)
def test_tie_shortcut_target(path, pair, seed) -> None:
    """The exact mean velocity is its own target; and any model's is the mean of two halves."""
    (s, t), x = pair, normal(5, seed=seed)
    exact = mean_velocity_of(0.5, path)
    when = (wide(s).expand(5), wide(t).expand(5))
    torch.testing.assert_close(
        shortcut_target(exact, x, s, t), exact(x, *when), rtol=1e-7, atol=1e-7
    )

    def model(x: torch.Tensor, s: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.cos(x + s) - t

    m, h = (s + t) / 2, (t - s) / 2
    expected = value(
        result("shortcut").rhs, x=x, h=wide(h),
        A=lambda x: x - h * model(x, wide(m), wide(t)),
        B=lambda x: x - h * model(x, wide(s), wide(m)),
    )  # fmt: skip
    torch.testing.assert_close(shortcut_target(model, x, s, t), expected, rtol=1e-9, atol=1e-9)


# Other ways to distil


@given(path=paths_, pair=pairs, seed=st.integers(0, 99), prediction=st.sampled_from(["x0", "v"]))
@settings(max_examples=40)
def test_tie_progressive_target(path, pair, seed, prediction) -> None:
    """One DDIM step with the target, the chapter's mean, lands where the teacher's two land."""
    (s, t), x = pair, normal(5, seed=seed)
    m = (s + t) / 2

    def teacher(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x) - t

    target = progressive_target(teacher, x, s, t, path, prediction=prediction)
    two = run(
        teacher, (5,), path, DDIM(), steps=[t, m, s], prediction=prediction, start=x, dtype=x.dtype
    )
    one = run(
        lambda x, t: target,
        (5,),
        path,
        DDIM(),
        steps=[t, s],
        prediction=prediction,
        start=x,
        dtype=x.dtype,
    )
    torch.testing.assert_close(one, two, rtol=1e-7, atol=1e-7)
    if prediction == "x0":
        at = {
            f"{n}_{k}": wide(getattr(path, n)(r))
            for n in ("alpha", "sigma")
            for k, r in zip("tms", (t, m, s), strict=True)
        }
        middle = run(
            teacher, (5,), path, DDIM(), steps=[t, m], prediction="x0", start=x, dtype=x.dtype
        )
        guesses = {"x_hat_1": teacher(x, wide(t)), "x_hat_2": teacher(middle, wide(m))}
        expected = value(result("progressive", "weights").rhs, **at, **guesses)
        torch.testing.assert_close(target, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("prediction", ["x0", "v"])
@pytest.mark.parametrize("path", [LinearPath(), CosinePath()])
def test_the_last_step_to_the_data_and_the_first_from_pure_noise(path, prediction) -> None:
    """At the data the last guess is the target; at pure noise nothing is divided by zero."""
    x = normal(5, 2)
    teacher = lambda x, t: torch.tanh(x) - t[:, None]  # noqa: E731
    last = progressive_target(teacher, x, 0.0, 0.5, path, prediction=prediction)
    two = run(
        teacher,
        (5, 2),
        path,
        DDIM(),
        steps=[0.5, 0.25, 0.0],
        prediction=prediction,
        start=x,
        dtype=x.dtype,
    )
    if prediction == "x0":
        torch.testing.assert_close(last, two)
    assert progressive_target(teacher, x, 0.5, 1.0, path, prediction=prediction).isfinite().all()


@given(path=paths_, t=times, seed=st.integers(0, 99))
@settings(max_examples=30)
def test_tie_dmd_loss(path, t, seed) -> None:
    """The gradient in the parameter is the chapter's mean, for a generator a z + b z²."""
    mixture, other = (
        GaussianMixture([0.5, 0.5], [-1.0, 1.0], std=0.5),
        GaussianMixture([1.0], [0.2], std=0.9),
    )
    alpha, sigma = path.alpha(t), path.sigma(t)
    z, noise = normal(6, seed=seed), normal(6, seed=seed + 1)
    theta = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)

    def score_of(law: GaussianMixture):
        return lambda x, t: law.score(x, *path.coefficients(t, x))

    dmd_loss(
        score_of(mixture), theta * z + z**2, path, fake_score=score_of(other), t=t, noise=noise
    ).backward()
    x = alpha * (0.7 * z + z**2) + sigma * noise
    push = other.score(x, alpha, sigma) - mixture.score(x, alpha, sigma)
    assert theta.grad is not None
    torch.testing.assert_close(theta.grad, (push * alpha * z).mean())
    # The chapter's integrand at the same samples.
    integrand = next(n for n in result("matching", "samples").rhs.walk() if isinstance(n, Mul))
    pointwise = value(
        integrand, "G_prime", x=x, alpha_t=wide(alpha), G_prime=z,
        ell_tilde_prime=lambda x: other.score(x, alpha, sigma),
        ell_prime=lambda x: mixture.score(x, alpha, sigma),
    )  # fmt: skip
    torch.testing.assert_close(theta.grad, pointwise.mean())


def test_a_generator_follows_the_gradient_to_the_data() -> None:
    """With its exact scores a normal generator ends at the mean and deviation of the data."""
    mean = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    std = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    data = GaussianMixture([1.0], [-0.5], std=0.8)
    optimiser = torch.optim.Adam([mean, std], lr=0.08)
    path = LinearPath()
    for i in range(150):
        z, noise = normal(256, seed=i), normal(256, seed=10_000 + i)
        made = GaussianMixture([1.0], [mean.item()], std=abs(std.item()))
        score, fake = (
            (lambda x, t, law=law: law.score(x, *path.coefficients(t, x))) for law in (data, made)
        )
        optimiser.zero_grad()
        dmd_loss(score, mean + std * z, fake_score=fake, t=0.3, noise=noise).backward()
        optimiser.step()
    assert mean.item() == pytest.approx(-0.5, abs=0.05)
    assert std.item() == pytest.approx(0.8, abs=0.05)


# Sampling


@given(
    m=st.floats(-2, 2),
    c=st.floats(0.1, 2),
    m_hat=st.floats(-2, 2),
    c_hat=st.floats(0.1, 2),
    t=times,
)
@settings(max_examples=20)
def test_tie_sample(m, c, m_hat, c_hat, t) -> None:
    """A round with the exact answers, after a first answer that is wrong: the chapter's errors."""
    path = LinearPath()
    n = 4000
    z = normal(n)
    z = (z - z.mean()) / z.std(correction=0)

    def model(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        if bool((at == 1).all()):
            return m_hat + math.sqrt(c_hat) * x
        return normal_flow_map(x, at, 0.0, path, mean=m, variance=c)

    got = sample(model, (n,), path, steps=[1.0, t], start=z, generator=rng(seed=3), dtype=z.dtype)
    letters = {k: wide(v) for k, v in {"m": m, "c": c, "m_hat": m_hat, "c_hat": c_hat}.items()}
    letters |= {"alpha_t": wide(path.alpha(t)), "sigma_t": wide(path.sigma(t))}
    mean = value(result("multistep", "mean").rhs, **letters).item()
    variance = value(result("multistep", "variance").rhs, **letters).item()
    assert got.mean().item() - m == pytest.approx(mean, abs=6 * math.sqrt(c / n))
    assert got.var().item() - c == pytest.approx(variance, abs=12 * (c + c_hat) / math.sqrt(n))


@given(c=st.floats(0.1, 2), t=times)
@settings(max_examples=10)
def test_tie_sample_after_reflow(c, t) -> None:
    """Exact answers of a straight flow, asked again with fresh noise: the chapter's variance."""
    n = 4000
    z = normal(n)
    z = (z - z.mean()) / z.std(correction=0)

    def model(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return x / (1 - at + at / math.sqrt(c))

    got = sample(model, (n,), steps=[1.0, t], start=z, generator=rng(seed=3), dtype=z.dtype)
    letters = {"alpha_t": wide(1 - t), "sigma_t": wide(t), "c": wide(c)}
    expected = value(result("after_reflow", "variance").rhs, **letters).item()
    assert got.var().item() == pytest.approx(expected, abs=12 * c / math.sqrt(n))
    assert expected < c


def test_one_call_a_step_at_the_times_that_were_asked() -> None:
    seen = []

    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append(t[0].item())
        return x

    sample(model, (3, 2), steps=4, generator=rng())
    assert seen == [1.0, 0.75, 0.5, 0.25]
    seen.clear()
    sample(model, (3, 2), steps=[0.9, 0.3], generator=rng())
    assert seen == pytest.approx([0.9, 0.3])
    sample(model, (3, 2), start=normal(3, 2).float())  # nothing is drawn


@pytest.mark.parametrize("steps", [1, 2, 5, [1.0, 0.35]])
@pytest.mark.parametrize("path", PATHS)
def test_the_exact_mean_velocity_arrives_in_any_number_of_steps(path, steps) -> None:
    start = normal(9, 2)
    got = sample_mean_flow(
        mean_velocity_of(0.5, path), (9, 2), steps=steps, start=start, dtype=start.dtype
    )
    torch.testing.assert_close(
        got, normal_flow_map(start, 1.0, 0.0, path, variance=0.5), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_samples_have_the_dtype_and_the_generators_device(device, dtype) -> None:
    one = sample(lambda x, t: x, (4, 2), steps=3, generator=rng(device), dtype=dtype)
    two = sample_mean_flow(lambda x, s, t: x, (4, 2), steps=3, generator=rng(device), dtype=dtype)
    for got in (one, two):
        assert got.dtype == dtype
        assert got.device.type == device
        assert got.isfinite().all()


def test_a_sample_does_not_depend_on_its_batch() -> None:
    model = ConsistencyModel(MLP(2, generator=rng()))
    three = sample(model, (3, 2), steps=2, generator=[rng(seed=i) for i in range(3)])
    alone = sample(model, (1, 2), steps=2, generator=[rng(seed=1)])
    torch.testing.assert_close(three[1:2], alone)


def test_a_trained_model_is_better_in_one_call_than_a_step_of_euler() -> None:
    """Two peaks on the line; the exact end is known."""
    mixture = GaussianMixture([0.5, 0.5], [-1.0, 1.0], std=0.2)
    model = ConsistencyModel(MLP(1, hidden=32, layers=2, generator=rng()))
    optimiser = torch.optim.Adam(model.parameters(), lr=4e-3)
    generator = rng(seed=1)
    for i in range(300):
        x0 = mixture.sample(128, generator=generator).unsqueeze(1)
        optimiser.zero_grad()
        training_loss(model, x0, steps=4 + i // 20, generator=generator).backward()
        optimiser.step()
    start = normal(200, 1, seed=5).float()
    exact = line_flow_map(start.squeeze(1).double(), 1.0, 0.0, mixture=mixture)
    got = sample(model, (200, 1), start=start).squeeze(1).double()
    euler = mixture.mean  # one step of it, for every start
    assert ((got - exact) ** 2).mean() < 0.5 * ((euler - exact) ** 2).mean()


# Bad input

G = rng()


def same(x, *t):
    return x


def taught(x, teacher, order=2):
    return distillation_loss(same, x, teacher=teacher, steps=2, order=order, generator=G)


def number(x, t):
    return 0


def law(std=1.0):
    return GaussianMixture([1.0], [0.0], std=std)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("model", lambda x: ConsistencyModel(lambda x, t: x)),
        ("std", lambda x: ConsistencyModel(nn.Identity(), std=0.0)),
        ("path", lambda x: ConsistencyModel(nn.Identity(), "linear")),
        ("steps", lambda x: training_loss(same, x, steps=0, generator=G)),
        ("x0", lambda x: training_loss(same, x[:0], steps=2, generator=G)),
        ("generator", lambda x: training_loss(same, x, steps=2)),
        ("noise", lambda x: training_loss(same, x, steps=2, t=0.5, noise=x[:1])),
        ("model output", lambda x: training_loss(lambda y, t: y[:1], x, steps=2, generator=G)),
        ("target output", lambda x: training_loss(same, x, steps=2, target=number, generator=G)),
        ("order", lambda x: taught(x, same, 3)),
        ("teacher output", lambda x: taught(x, number)),
        ("s, t", lambda x: mean_flow_loss(same, x, s=0.1, generator=G)),
        ("s, t", lambda x: mean_flow_loss(same, x, s=0.7, t=0.5, generator=G)),
        ("equal", lambda x: mean_flow_loss(same, x, equal=1.5, generator=G)),
        ("s, t", lambda x: shortcut_target(same, x, 0.9, 0.5)),
        ("s, t", lambda x: progressive_target(same, x, 0.5, 0.5)),
        ("prediction", lambda x: progressive_target(same, x, 0.1, 0.5, prediction="eps")),
        ("fake_score output", lambda x: dmd_loss(same, x, fake_score=number, generator=G)),
        ("steps", lambda x: sample(same, (2, 2), steps=[0.5, 0.5], generator=G)),
        ("steps", lambda x: sample(same, (2, 2), steps=[0.5, 0.0], generator=G)),
        ("generator", lambda x: sample(same, (2, 2))),
        ("generator", lambda x: sample(same, (3, 2), start=x, generator=G)),
        ("generator, start", lambda x: sample_mean_flow(same, (2, 2))),
        ("variance", lambda x: normal_flow_map(x, 0.5, 0.1, variance=0.0)),
        ("mixture", lambda x: line_flow_map(x[:, 0], 0.5, 0.1, mixture=GaussianMixture.ring())),
        ("mixture", lambda x: line_flow_map(x[:, 0], 0.5, 0.0, mixture=law(0.0))),
        ("x", lambda x: line_flow_map(x[:, 0] + 1e3, 0.5, 0.1, mixture=law())),
        ("x", lambda x: line_flow_map(x, 0.5, 0.1, mixture=law())),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_name(name, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got"):
        call(normal(3, 2))


TIES = {
    "ConsistencyModel": {"consistency.boundary": test_tie_consistency_model},
    "distillation_loss": {"consistency.distillation_error": test_tie_distillation_loss},
    "training_loss": {
        "consistency.training_target": test_tie_training_loss,
        "consistency.training_normal": test_tie_the_fixed_point_on_normal_data,
    },
    "mean_flow_loss": {
        "consistency.mean_flow": test_tie_mean_flow_identity,
        "consistency.mean_flow_loss": test_tie_mean_flow_loss,
    },
    "shortcut_target": {"consistency.shortcut": test_tie_shortcut_target},
    "progressive_target": {"consistency.progressive": test_tie_progressive_target},
    "dmd_loss": {"consistency.matching": test_tie_dmd_loss},
    "sample": {
        "consistency.multistep": test_tie_sample,
        "consistency.after_reflow": test_tie_sample_after_reflow,
    },
    "sample_mean_flow": {"consistency.mean_flow": test_tie_mean_flow_identity},
    "normal_flow_map": {"consistency.flow_map": test_tie_normal_flow_map},
    "line_flow_map": {"consistency.line": test_tie_line_flow_map},
}
