"""Adversarial losses against 40 digits, exact games on tables, and the checked chapter."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath as mp
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from genmath import book
from genmath.divergences import CHI2, JS, KL, REVERSE_KL, TV, f_divergence, js, kl, tv
from genmath.gan import (
    GAN,
    LOSSES,
    bilinear_orbit,
    discriminator_loss,
    error_rate,
    generator_loss,
    missing_mode_js,
    optimal_discriminator,
    r1_penalty,
    slerp,
    training_step,
)
from genmath.nets import Discriminator, Generator
from genmath.proof.functions import compile_tree, function
from genmath.proof.language.derivation import Part
from genmath.proof.language.tree import Node
from genmath.vae import interpolate

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
MEMBERS = [KL, REVERSE_KL, JS, TV, CHI2]
LOG2, LOG4 = math.log(2), math.log(4)

logits = st.floats(-30, 30)


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64).to(dtype)


def wide(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def close(got: torch.Tensor, expected: object, tolerance: float = 1e-10) -> None:
    expected = torch.as_tensor(expected, dtype=got.dtype, device=got.device)
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


@st.composite
def counts(draw, low: int = 1) -> list[torch.Tensor]:
    """Two rows of whole numbers of one length: how often data and samples show each outcome."""
    size = draw(st.integers(1, 6))
    row = st.lists(st.integers(low, 20), min_size=size, max_size=size).filter(any)
    return [torch.tensor(draw(row)) for _ in range(2)]


def probabilities(rows: list[torch.Tensor]) -> list[torch.Tensor]:
    return [row.double() / row.sum() for row in rows]


def at_samples(rows: list[torch.Tensor], table: torch.Tensor) -> list[torch.Tensor]:
    """A table's values at samples in which each outcome is as frequent as each row says."""
    return [table.repeat_interleave(row) for row in rows]


values_ = st.lists(st.floats(-8, 8), min_size=6, max_size=6)


# The losses, to 40 digits


def exactly(name: str, who: str, a: float) -> Any:
    """The loss at one logit and its slope there, by the definition in terms of D."""
    a = mp.mpf(a)
    by_name = {
        ("data", "minimax"): lambda a: -mp.log(1 / (1 + mp.exp(-a))),
        ("made", "minimax"): lambda a: -mp.log(1 - 1 / (1 + mp.exp(-a))),
        ("generator", "minimax"): lambda a: mp.log(1 - 1 / (1 + mp.exp(-a))),
        ("generator", "non_saturating"): lambda a: -mp.log(1 / (1 + mp.exp(-a))),
        ("data", "least_squares"): lambda a: (a - 1) ** 2 / 2,
        ("made", "least_squares"): lambda a: a**2 / 2,
        ("generator", "least_squares"): lambda a: (a - 1) ** 2 / 2,
    }
    if who != "generator" and name == "non_saturating":
        name = "minimax"
    f = by_name[who, name]
    return f(a), mp.diff(f, a)


@pytest.mark.parametrize("loss", LOSSES)
@given(a=st.floats(-80, 80), b=st.floats(-80, 80))
def test_losses_and_their_slopes_to_40_digits(loss, a, b) -> None:
    with mp.workdps(120):
        at_a, at_b = (torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (a, b))
        total = discriminator_loss(at_a, at_b, loss)
        total.backward()
        data, made, fool = (
            exactly(loss, who, v) for who, v in (("data", a), ("made", b), ("generator", b))
        )
        close(total.detach(), float(data[0] + made[0]), 1e-13)
        # relative: a slope of 1e-30 must have its digits, too
        for x, slope in ((at_a, data[1]), (at_b, made[1])):
            torch.testing.assert_close(x.grad[0].item(), float(slope), rtol=1e-12, atol=1e-16)
        x = torch.tensor([b], dtype=torch.float64, requires_grad=True)
        value = generator_loss(x, loss)
        value.backward()
        torch.testing.assert_close(value.item(), float(fool[0]), rtol=1e-12, atol=1e-40)
        torch.testing.assert_close(x.grad[0].item(), float(fool[1]), rtol=1e-12, atol=1e-40)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", ["minimax", "non_saturating"])
def test_nothing_overflows_in_the_logit(device, dtype, loss) -> None:
    """From D itself both losses are infinite, or their gradients NaN, at a = ±200."""
    a = torch.tensor([-3e4, -200.0, -20.0, 0.0, 20.0, 200.0, 3e4], dtype=dtype, device=device)
    for value in a:
        x = value.reshape(1).requires_grad_(True)
        total = discriminator_loss(x, x, loss) + generator_loss(x, loss)
        (slope,) = torch.autograd.grad(total, x)
        assert torch.isfinite(total)
        assert torch.isfinite(slope).all()
        assert total.dtype == dtype
        assert total.device == a.device


@pytest.mark.parametrize("f", MEMBERS, ids=lambda f: f.name)
def test_f_gan_losses_are_finite_at_moderate_logits(device, f) -> None:
    for dtype, reach in ((torch.float64, 30.0), (torch.float32, 14.0)):
        for value in torch.linspace(-reach, reach, 29, dtype=dtype, device=device):
            x = value.reshape(1).clone().requires_grad_(True)
            total = discriminator_loss(x, x, f) + generator_loss(x, f)
            (slope,) = torch.autograd.grad(total, x)
            assert torch.isfinite(total)
            assert torch.isfinite(slope).all()


@given(rows=counts(), values=values_)
def test_no_discriminator_beats_the_best(rows, values) -> None:
    p, q = probabilities(rows)
    any_logit = torch.tensor(values[: len(p)], dtype=torch.float64)
    least = LOG4 - 2 * js(p, q)
    close(discriminator_loss(*at_samples(rows, (p / q).log())), least)
    assert discriminator_loss(*at_samples(rows, any_logit)) >= least - 1e-12


@given(rows=counts(), values=values_)
def test_js_and_the_minimax_game_are_one(rows, values) -> None:
    a = torch.tensor(values[: len(rows[0])], dtype=torch.float64)
    ours = discriminator_loss(*at_samples(rows, a), "minimax")
    close(discriminator_loss(*at_samples(rows, a), JS), ours / 2 - LOG2, 1e-7)
    made = at_samples(rows, a)[1]
    close(generator_loss(made, JS), (generator_loss(made, "minimax") + LOG2) / 2, 1e-7)


@pytest.mark.parametrize("f", MEMBERS, ids=lambda f: f.name)
@given(rows=counts(), values=values_)
def test_f_gan_measures_its_divergence(f, rows, values) -> None:
    p, q = probabilities(rows)
    best = f_divergence(f, p, q)
    close(-discriminator_loss(*at_samples(rows, (p / q).log()), f), best, 1e-9)
    other = torch.tensor(values[: len(p)], dtype=torch.float64) / 2
    assert -discriminator_loss(*at_samples(rows, other), f) <= best + 1e-9 * (1 + best)


@given(rows=counts(low=0))
def test_the_game_of_mistakes(rows) -> None:
    p, q = probabilities(rows)
    decision = (p > q).double()
    close(error_rate(*at_samples(rows, decision)), (1 - tv(p, q)) / 2)
    for other in itertools.product((0.0, 1.0), repeat=min(len(p), 4)):
        table = decision.clone()
        table[: len(other)] = wide(*other)
        assert error_rate(*at_samples(rows, table)) >= (1 - tv(p, q)) / 2 - 1e-12


@given(logits, logits)
def test_the_best_discriminator_is_a_share(log_p, log_q) -> None:
    with mp.workdps(40):
        expected = mp.exp(log_p) / (mp.exp(log_p) + mp.exp(log_q))
        got = optimal_discriminator(wide(log_p), wide(log_q)).item()
        torch.testing.assert_close(got, float(expected), rtol=1e-13, atol=0)


def test_the_best_discriminator_where_a_density_vanishes() -> None:
    inf = math.inf
    got = optimal_discriminator(wide(0.0, -inf, -inf), wide(-inf, 0.0, -inf))
    assert got[:2].tolist() == [1.0, 0.0]
    assert got[2].isnan()  # no answer is better than another


@given(st.floats(0, 1))
def test_a_missed_mode(kept) -> None:
    p, q = wide(kept, 1 - kept), wide(1.0, 0.0)
    got = missing_mode_js(wide(kept))
    close(got[0], js(p, q), 1e-12)
    with mp.workdps(60):
        w = mp.mpf(kept)
        of_data = (w * mp.log(2 * w / (1 + w)) if w else 0) + (1 - w) * mp.log(2)
        exact = float((of_data + mp.log(2 / (1 + w))) / 2)
    torch.testing.assert_close(got.item(), exact, rtol=1e-14, atol=0)
    assume(kept > 1e-6)
    close(kl(q, p), -math.log(kept), 1e-12)
    close(tv(p, q), 1 - kept, 1e-12)


def test_a_missed_mode_at_the_ends() -> None:
    for dtype in DTYPES:
        got = missing_mode_js(torch.tensor([0.0, 1.0], dtype=dtype))
        assert got.dtype == dtype
        close(got.double(), [LOG2, 0.0], 4 * torch.finfo(dtype).eps)


# Players


@pytest.mark.parametrize("product", [0.1, 1.0, 3.9, 4.0, 4.1])
def test_alternating_players_stay_bounded_exactly_below_4(product) -> None:
    for eta_x in (0.1, 1.0, 3.0):
        orbit = bilinear_orbit(
            1.0, 0.5, steps=2000, eta_x=eta_x, eta_y=product / eta_x, kind="alternating"
        )
        size = orbit.norm(dim=1)
        late, early = size[1000:].max(), size[:1000].max()
        assert (late < 1.01 * early) == (product < 4)


@given(eta=st.floats(0.01, 1.5))
def test_simultaneous_players_diverge(eta) -> None:
    size = bilinear_orbit(1.0, 0.5, steps=20, eta_x=eta).norm(dim=1)
    close(size[1:] / size[:-1], torch.full((20,), math.sqrt(1 + eta**2), dtype=torch.float64))


@given(eta=st.floats(0.05, 0.95))
def test_remedies_help(eta) -> None:
    ahead = bilinear_orbit(1.0, 0.5, steps=400, eta_x=eta, kind="extragradient").norm(dim=1)
    assert (ahead[1:] < ahead[:-1]).all()
    eta = eta / 2
    damped = bilinear_orbit(1.0, 0.5, steps=4000, eta_x=eta, friction=1.5 * eta + 0.01)
    assert damped[-1].norm() < 0.5


@given(
    x=st.floats(-2, 2), y=st.floats(-2, 2), a=st.floats(0.01, 2), b=st.floats(0.01, 2),
    c=st.floats(0, 2),
)  # fmt: skip
def test_steps_as_matrices(x, y, a, b, c) -> None:
    """Every kind of step, with two step sizes and friction, from the field of the game alone."""
    one = torch.eye(2, dtype=torch.float64)
    of_x, of_y = wide(0, -a, 0, 0).reshape(2, 2), wide(0, 0, b, -b * c).reshape(2, 2)
    both = of_x + of_y
    steps = {
        "simultaneous": one + both,
        "alternating": (one + of_y) @ (one + of_x),
        "extragradient": one + both @ (one + both),
    }
    for kind, matrix in steps.items():
        orbit = bilinear_orbit(x, y, steps=2, eta_x=a, eta_y=b, friction=c, kind=kind)
        close(orbit[1:], torch.stack([matrix @ orbit[0], matrix @ matrix @ orbit[0]]))


# Networks


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("size", "channels"), [(8, 1), (28, 1), (32, 3), (4, 2)])
@pytest.mark.parametrize("classes", [None, 3])
def test_shapes_of_the_pair(device, dtype, size, channels, classes) -> None:
    made = Generator(5, size, channels, 8, classes=classes, generator=rng()).to(device, dtype)
    judge = Discriminator(size, channels, 8, classes=classes, generator=rng()).to(device, dtype)
    z = normal(4, 5, dtype=dtype).to(device)
    y = None if classes is None else torch.tensor([0, 1, 2, 0], device=device)
    x = made(z, y)
    assert x.shape == (4, channels, size, size)
    assert x.abs().max() <= 1
    assert x.std() > 0.05  # neither grey nor saturated at the start
    assert judge(x, y).shape == (4,)
    assert (x.dtype, judge(x, y).dtype) == (dtype, dtype)
    assert made(z[:0], None if y is None else y[:0]).shape == (0, channels, size, size)
    # no sample depends on its batch
    close(made(z[:1], None if y is None else y[:1]), x[:1].detach(), 1e-5)
    if y is not None:
        assert not torch.allclose(made(z, y), made(z, y.flip(0)))
        assert not torch.allclose(judge(x, y), judge(x, (y + 1) % 3))


def test_weights_come_from_the_generator_and_not_from_the_global_state() -> None:
    before = torch.get_rng_state()
    for make in (Generator, Discriminator):
        one, two = (make(generator=rng(seed=3)).state_dict() for _ in range(2))
        assert all(torch.equal(one[k], two[k]) for k in one)
    torch.manual_seed(0)
    first = Discriminator().head.weight
    torch.manual_seed(0)
    assert torch.equal(first, Discriminator().head.weight)
    torch.set_rng_state(before)


# The penalty


@pytest.mark.parametrize("event", [(3,), (2, 4, 4), (1, 2, 2, 2)])
@given(seed=st.integers(0, 99), gamma=st.floats(0, 10))
@settings(max_examples=10)
def test_r1_is_the_norm_over_the_whole_event(event, seed, gamma) -> None:
    size = math.prod(event)
    weight = normal(size, seed=seed)

    class Quadratic(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x.flatten(1) ** 2 @ weight).unsqueeze(1)

    x = normal(6, *event, seed=seed + 1)
    expected = gamma / 2 * ((2 * x.flatten(1) * weight) ** 2).sum(1).mean()
    close(r1_penalty(Quadratic(), x, gamma=gamma), expected)


def test_r1_has_gradients_and_no_nan_where_the_slope_is_zero() -> None:
    flat = nn.Linear(3, 1, bias=False).double()
    nn.init.zeros_(flat.weight)
    penalty = r1_penalty(flat, normal(4, 3), gamma=2.0)
    penalty.backward()
    assert penalty == 0
    assert torch.equal(flat.weight.grad, torch.zeros(1, 3, dtype=torch.float64))
    assert normal(4, 3).requires_grad is False


# Training


class Line(nn.Module):
    """Noise (B, 1) to a + b z, and the logit c x + d of that: two players of two numbers each."""

    def __init__(self, a: float, b: float) -> None:
        super().__init__()
        self.weights = nn.Parameter(wide(a, b))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weights[0] + self.weights[1] * x


def players() -> GAN:
    return GAN(Line(0.3, 0.8), Line(-0.2, 0.6), 1)


def sgd(gan: GAN, lr: float = 0.1) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    return (
        torch.optim.SGD(gan.discriminator.parameters(), lr),
        torch.optim.SGD(gan.generator.parameters(), lr),
    )


@pytest.mark.parametrize("loss", [*LOSSES, KL, CHI2], ids=lambda loss: getattr(loss, "name", loss))
@pytest.mark.parametrize("gamma", [0.0, 0.7])
def test_a_step_is_one_of_each_player_in_turn(loss, gamma) -> None:
    gan, by_hand, x = players(), players(), normal(8, 1) + 1
    losses = training_step(gan, x, *sgd(gan), loss=loss, gamma=gamma, generator=rng(seed=5))
    seeds = rng(seed=5)
    z = [torch.randn(8, 1, generator=seeds, dtype=torch.float64) for _ in range(2)]
    d, g = by_hand.discriminator.weights, by_hand.generator.weights
    first = discriminator_loss(by_hand(x), by_hand(by_hand.generator(z[0])), loss)
    total = first + r1_penalty(by_hand.discriminator, x, gamma=gamma)
    (slope,) = torch.autograd.grad(total, d)
    d.data -= 0.1 * slope
    second = generator_loss(by_hand(by_hand.generator(z[1])), loss)  # the new discriminator
    (slope,) = torch.autograd.grad(second, g)
    g.data -= 0.1 * slope
    close(losses.discriminator, first.item())
    close(losses.generator, second.item())
    close(gan.discriminator.weights.detach(), d.detach())
    close(gan.generator.weights.detach(), g.detach())


def test_the_generators_step_leaves_the_discriminator_alone() -> None:
    gan = players()
    frozen = nn.Parameter(wide(1.0), requires_grad=False)
    gan.discriminator.register_parameter("frozen", frozen)
    none = torch.optim.SGD(gan.discriminator.parameters(), 0.0)
    training_step(gan, normal(4, 1), none, sgd(gan)[1], generator=rng())
    assert gan.discriminator.weights.requires_grad
    assert not frozen.requires_grad
    # what is left in its gradient is of its own loss alone
    made = players().sample(4, generator=rng(), dtype=torch.float64).detach()
    own = discriminator_loss(gan(normal(4, 1)), gan(made))
    (slope,) = torch.autograd.grad(own, gan.discriminator.weights)
    close(gan.discriminator.weights.grad, slope)


def test_a_step_that_fails_leaves_the_discriminator_trainable() -> None:
    gan = players()
    gan.generator = Broken(gan.generator)
    with pytest.raises(RuntimeError, match="broken"):
        training_step(gan, normal(4, 1), *sgd(gan), generator=rng())
    assert gan.discriminator.weights.requires_grad


class Broken(nn.Module):
    """Fails where a gradient is wanted."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            raise RuntimeError("broken")
        return self.net(z)


def test_an_exponential_moving_average_follows_the_generator() -> None:
    gan = players()
    average = AveragedModel(gan.generator, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    seen = []
    for step in range(4):
        training_step(
            gan, normal(8, 1, seed=step), *sgd(gan), average=average, generator=rng(seed=step)
        )
        seen.append(gan.generator.weights.detach().clone())
    expected = seen[0]
    for weights in seen[1:]:
        expected = 0.9 * expected + 0.1 * weights
    close(average.module.weights.detach(), expected)


def test_training_uses_no_global_state_and_repeats() -> None:
    before = torch.get_rng_state()
    ends = []
    for _ in range(2):
        gan, random = players(), rng(seed=1)
        for step in range(3):
            training_step(gan, normal(8, 1, seed=step), *sgd(gan), generator=random)
        ends.append(gan.generator.weights.detach())
    assert torch.equal(*ends)
    assert torch.equal(before, torch.get_rng_state())


def test_a_labelled_pair_trains(device) -> None:
    nets = rng(seed=2)
    gan = GAN(
        Generator(4, hidden=8, classes=3, generator=nets),
        Discriminator(hidden=8, classes=3, generator=nets),
        4,
    ).to(device)
    y = torch.tensor([0, 1, 2] * 8, device=device)
    x = (y.float() - 1).reshape(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous()
    d, g = (
        torch.optim.Adam(net.parameters(), 2e-3, betas=(0.5, 0.99))
        for net in (gan.discriminator, gan.generator)
    )
    random = rng(device, seed=3)
    for _ in range(150):
        training_step(gan, x, d, g, y, gamma=0.5, generator=random)
    means = gan.sample(24, y, generator=random).mean((1, 2, 3)).reshape(8, 3).mean(0)
    assert means[0] < -0.4
    assert abs(means[1]) < 0.5
    assert means[2] > 0.4


# Latents


@given(seed=st.integers(0, 99), n=st.integers(2, 7))
@settings(max_examples=30)
def test_slerp_turns_evenly(seed, n) -> None:
    a, b = normal(5, 6, seed=seed), 2 * normal(5, 6, seed=seed + 1)
    path = slerp(a, b, n)
    close(path[0], a)
    close(path[-1], b)
    close(path.norm(dim=2), interpolate(a.norm(dim=1), b.norm(dim=1), n))
    angles = torch.acos(nn.functional.cosine_similarity(path[1:], path[:-1], dim=2))
    close(angles, angles[:1].expand_as(angles), 1e-6)
    whole = torch.acos(nn.functional.cosine_similarity(a, b, dim=1))
    close(angles.sum(0), whole, 1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("event", [(3,), (2, 4, 4)])
def test_slerp_shapes_and_dtypes(device, dtype, event) -> None:
    a, b = (normal(4, *event, seed=i, dtype=dtype).to(device) for i in range(2))
    path = slerp(a, b, 5)
    assert path.shape == (5, 4, *event)
    assert path.dtype == dtype
    close(path[0].double(), a.double(), 4 * torch.finfo(dtype).eps)


def test_slerp_where_directions_agree_or_oppose() -> None:
    a = wide(3.0, 4.0).unsqueeze(0)
    close(slerp(a, a, 3), a.expand(3, 1, 2))
    close(slerp(a, 2 * a, 3)[1], 1.5 * a)
    nearly = a + wide(-4e-9, 3e-9)
    close(slerp(a, nearly, 3)[1], (a + nearly) / 2, 1e-15)
    assert slerp(a, -a, 3)[1].isnan().all()
    assert slerp(a, 0 * a, 3)[1].isnan().all()


# What is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: discriminator_loss(normal(3), normal(3), "wgan"), "loss: got 'wgan'"),
        (lambda: generator_loss(normal(3), "hinge"), "loss: got 'hinge'"),
        (lambda: discriminator_loss(normal(3, 2), normal(3)), "real_logits"),
        (lambda: discriminator_loss(normal(3), normal(0)), "fake_logits"),
        (lambda: generator_loss(torch.arange(3)), "fake_logits"),
        (lambda: error_rate(normal(3), normal(3, 3)), "fake_probs"),
        (lambda: optimal_discriminator(normal(3), normal(4)), "log_q"),
        (lambda: missing_mode_js(torch.arange(2)), "kept"),
        (lambda: r1_penalty(nn.Linear(3, 1), normal(2, 3).float(), gamma=-1.0), "gamma"),
        (lambda: r1_penalty(nn.Linear(3, 2), normal(2, 3).float(), gamma=1.0), "output"),
        (lambda: bilinear_orbit(1, 1, steps=-1, eta_x=1), "steps"),
        (lambda: bilinear_orbit(1, 1, steps=1, eta_x=-1), "eta_x"),
        (lambda: bilinear_orbit(1, 1, steps=1, eta_x=1, eta_y=-1), "eta_y"),
        (lambda: bilinear_orbit(1, 1, steps=1, eta_x=1, friction=-1), "friction"),
        (lambda: bilinear_orbit(1, 1, steps=1, eta_x=1, kind="both"), "kind"),
        (lambda: bilinear_orbit(1, math.nan, steps=1, eta_x=1), "y: "),
        (lambda: slerp(normal(2, 3), normal(2, 4), 3), "target"),
        (lambda: slerp(normal(2, 3), torch.ones(2, 3).long(), 3), "target"),
        (lambda: slerp(normal(3)[0], normal(3)[0], 3), "source"),
        (lambda: slerp(normal(2, 3), normal(2, 3), 1), "n: "),
        (lambda: Generator(size=6), "size: got 6"),
        (lambda: Generator(size=0), "size: got 0"),
        (lambda: Generator(latent=0), "latent"),
        (lambda: Discriminator(channels=0), "channels"),
        (lambda: Generator(5)(normal(2, 4).float()), "z: "),
        (lambda: Generator(5)(normal(2, 5).float(), torch.zeros(2).long()), "y: "),
        (lambda: Generator(5, classes=2)(normal(2, 5).float()), "y: "),
        (lambda: Generator(5, classes=2)(normal(2, 5).float(), torch.zeros(3).long()), "y: "),
        (lambda: Generator(5, classes=2)(normal(2, 5).float(), torch.zeros(2)), "y: "),
        (lambda: Discriminator()(normal(2, 1, 4, 4).float()), "x: "),
        (lambda: GAN(nn.Identity(), nn.Identity(), 0), "latent_shape"),
        (lambda: players().sample(3, generator=None), "generator"),
        (lambda: players().sample(-1, generator=rng()), "n: "),
        (lambda: training_step(players(), normal(0, 1), *sgd(players()), generator=rng()), "x: "),
        (
            lambda: training_step(
                players(), normal(2, 1), *sgd(players()), loss="x", generator=rng()
            ),
            "loss: got 'x'",
        ),
    ],
)
def test_what_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# The chapter


def part(name: str, chain: str | None = None) -> Part | Any:
    found = getattr(book.chapter("gan"), name)
    return found if chain is None else found[chain]


@cache
def checked(name: str, chain: str | None = None, side: str = "rhs") -> Any:
    return function(part(name, chain), side, backend="torch")


@cache
def compiled(node: Node) -> Any:
    return compile_tree(node, "torch")


def step(name: str, chain: str, i: int) -> Any:
    """The right side of one step of a chain, as a function."""
    steps = next(c for c in getattr(book.chapter("gan"), name).chains if c.name == chain).steps
    return compiled(steps[i].rhs)


def of(table: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda points: table[points.long()]


def places(p: torch.Tensor) -> torch.Tensor:
    return torch.arange(len(p), dtype=torch.float64)


@given(rows=counts(), values=values_)
def test_tie_the_value_of_the_game(rows, values) -> None:
    p, q = probabilities(rows)
    a = torch.tensor(values[: len(p)], dtype=torch.float64)
    for loss in ("minimax", "non_saturating"):
        got = -discriminator_loss(*at_samples(rows, a), loss)
        close(got, checked("optimal_discriminator", "game", "lhs")(p=p, q=q, x=places(p), g=of(a)))
        at_best = -discriminator_loss(*at_samples(rows, (p / q).log()), loss)
        close(at_best, checked("optimal_discriminator", "game")(p=p, q=q))
        close(at_best, step("minimax_value", "value", 0)(p=p, q=q))
        close(at_best, checked("equality_cases", "least", "lhs")(p=p, q=q))


@given(rows=counts(), values=values_)
def test_tie_least_squares(rows, values) -> None:
    p, q = probabilities(rows)
    a = torch.tensor(values[: len(p)], dtype=torch.float64)
    ours = {"p": p, "q": q, "s": 1.0, "t": 0.0}
    got = discriminator_loss(*at_samples(rows, a), "least_squares")
    close(got, checked("least_squares", "best", "lhs")(x=places(p), g=of(a), **ours))
    best = discriminator_loss(*at_samples(rows, p / (p + q)), "least_squares")
    close(best, checked("least_squares", "best")(**ours))
    close(step("least_squares", "pearson", 0)(p=p, q=q), f_divergence(CHI2, q, (p + q) / 2))


@pytest.mark.parametrize("f", MEMBERS, ids=lambda f: f.name)
@given(rows=counts(), values=values_)
def test_tie_fgan(f, rows, values) -> None:
    p, q = probabilities(rows)
    a = torch.tensor(values[: len(p)], dtype=torch.float64) / 2
    bound = checked("fgan", "bound")
    said = bound(p=p, q=q, x=places(p), T=of(f.slope(a)), f_star=f.conjugate)
    close(-discriminator_loss(*at_samples(rows, a), f), said, 1e-9)
    data, made = at_samples(rows, f.slope(a))
    close(generator_loss(at_samples(rows, a)[1], f) + data.mean(), said, 1e-9)
    assert made.isfinite().all()


@given(st.floats(0.01, 100))
def test_tie_the_critic_of_js(u) -> None:
    close(2 * JS.slope(wide(u).log())[0], checked("fgan", "js_critic")(u=wide(u))[0])


@pytest.mark.parametrize("loss", ["minimax", "non_saturating"])
@given(a=logits)
def test_tie_logit_losses(loss, a) -> None:
    x = wide(a).requires_grad_(True)
    value = generator_loss(x, loss)
    (slope,) = torch.autograd.grad(value, x)
    chain, weight = {
        "minimax": ("minimax_loss", "saturating"),
        "non_saturating": ("non_saturating_loss", "non_saturating"),
    }[loss]
    close(value.detach(), checked("logit_losses", chain)(a=wide(a))[0])
    close(slope, checked("logit_losses", weight)(a=wide(a)))


def test_tie_the_ratio_of_the_slopes() -> None:
    a = torch.linspace(-20, 20, 41, dtype=torch.float64, requires_grad=True)
    flat, steep = (torch.autograd.grad(generator_loss(a, k), a)[0] for k in LOSSES[:2])
    close(steep / flat, checked("logit_losses", "ratio")(a=a.detach()), 1e-9)


# The right sides are derivatives: what stands under them is computed, and torch differentiates.
FOLLOWED = {
    "minimax": ("frozen_gradient", "minimax"),
    "non_saturating": ("frozen_gradient", "non_saturating"),
    "least_squares": ("least_squares", "frozen"),
}


@pytest.mark.parametrize("loss", LOSSES)
@given(rows=counts(), values=values_)
def test_tie_frozen_gradient(loss, rows, values) -> None:
    """q_θ is a softmax of θ. The discriminator is the best one for this θ, and held fixed."""
    p = probabilities(rows)[0]
    theta = (torch.tensor(values[: len(p)], dtype=torch.float64) / 4).requires_grad_(True)
    q = torch.softmax(theta, 0)
    a = (p / q).log().detach() if loss != "least_squares" else (p / (p + q)).detach()
    each = torch.stack([generator_loss(v.reshape(1), loss) for v in a])
    (held,) = torch.autograd.grad((q * each).sum(), theta)
    name, chain = FOLLOWED[loss]
    steps = next(c for c in part(name).chains if c.name == chain).steps
    followed = compiled(steps[-1].rhs.args[0])
    q = torch.softmax(theta, 0)
    at = followed(p=p, q_theta=q.unsqueeze(0), theta=wide(0.0))  # a table of one θ
    (moved,) = torch.autograd.grad(at.sum(), theta)
    close(held, moved, 1e-9)


@pytest.mark.parametrize("f", MEMBERS, ids=lambda f: f.name)
@given(rows=counts(), values=values_)
def test_the_f_gan_generator_follows_the_divergence(f, rows, values) -> None:
    p = probabilities(rows)[0]
    theta = (torch.tensor(values[: len(p)], dtype=torch.float64) / 4).requires_grad_(True)
    q = torch.softmax(theta, 0)
    each = torch.stack([generator_loss(v.reshape(1), f) for v in (p / q).log().detach()])
    (held,) = torch.autograd.grad((q * each).sum(), theta)
    (moved,) = torch.autograd.grad(f_divergence(f, p, torch.softmax(theta, 0)), theta)
    assume(f is not TV or (p - q).abs().min() > 1e-6)
    close(held, moved, 1e-8)


@pytest.mark.parametrize("loss", ["minimax", "non_saturating"])
def test_tie_training_step(loss) -> None:
    """The generator moves along the checked gradient: weight, slope of the logit, of the sample."""
    gan, x = players(), normal(16, 1)
    none = torch.optim.SGD(gan.discriminator.parameters(), 0.0)
    before = gan.generator.weights.detach().clone()
    training_step(gan, x, none, sgd(gan, 1.0)[1], loss=loss, generator=rng(seed=5))
    seeds = rng(seed=5)
    z = [torch.randn(16, 1, generator=seeds, dtype=torch.float64) for _ in range(2)][1]
    c, slope = gan.discriminator.weights.detach()
    a = c + slope * (before[0] + before[1] * z)
    rhs = part("generator_gradient")[loss].claim.rhs  # -E[r(z)] weight · push
    weight, push = rhs.args[0].body.args
    weights = compile_tree(weight, "torch", free=["a"])(a=a)
    assert "∂/∂θ G(z, θ)" in repr(push)
    for i, of_sample in enumerate((torch.ones_like(z), z)):
        expected = -(weights * slope * of_sample).mean()
        close(before[i] - gan.generator.weights.detach()[i], expected)


@given(rows=counts(low=0), values=values_)
def test_tie_error_rate(rows, values) -> None:
    p, q = probabilities(rows)
    table = torch.sigmoid(torch.tensor(values[: len(p)], dtype=torch.float64))
    got = error_rate(*at_samples(rows, table))
    close(got, checked("error_game", "least_error", "lhs")(p=p, q=q, x=places(p), D=of(table)))
    decision = (p > q).double()
    close(error_rate(*at_samples(rows, decision)), checked("error_game", "attained")(p=p, q=q))
    close(
        error_rate(*at_samples(rows, decision)), checked("error_game", "attained", "lhs")(p=p, q=q)
    )


@given(rows=counts())
def test_tie_optimal_discriminator(rows) -> None:
    p, q = probabilities(rows)
    best = optimal_discriminator(p.log(), q.log())
    close(torch.logit(best), checked("optimal_discriminator", "logit")(p=p, q=q), 1e-8)
    value = (p * best.log()).sum() + (q * (1 - best).log()).sum()
    close(value, checked("optimal_discriminator", "game")(p=p, q=q))


@given(kept=st.floats(0.001, 0.999), rows=counts())
def test_tie_missing_mode(kept, rows) -> None:
    none = torch.zeros(len(rows[0]), dtype=torch.float64)
    r, s = probabilities(rows)
    apart = {"pi": wide(kept)[0], "r": torch.cat([r, none]), "s": torch.cat([none, s])}
    close(missing_mode_js(wide(kept))[0], checked("missing_mode", "js", "lhs")(**apart))
    # where the modes overlap the bracket is not zero, and the two sides still agree
    both = {"pi": wide(kept)[0], "r": r, "s": s}
    close(checked("missing_mode", "js", "lhs")(**both), checked("missing_mode", "js")(**both))


@given(
    x=st.floats(-2, 2), y=st.floats(-2, 2), eta=st.floats(0.01, 2), other=st.floats(0.01, 2),
    gamma=st.floats(0, 2),
)  # fmt: skip
def test_tie_bilinear_orbit(x, y, eta, other, gamma) -> None:
    both = {"x": wide(x)[0], "y": wide(y)[0]}
    once = bilinear_orbit(x, y, steps=1, eta_x=eta)[1]
    close((once**2).sum(), checked("simultaneous_steps", "growth")(eta=wide(eta)[0], **both))
    ahead = bilinear_orbit(x, y, steps=1, eta_x=eta, kind="extragradient")[1]
    close((ahead**2).sum(), checked("remedies", "extragradient")(eta=wide(eta)[0], **both))
    sizes = {"eta_x": wide(eta)[0], "eta_y": wide(other)[0]}
    turn = bilinear_orbit(x, y, steps=3, eta_x=eta, eta_y=other, kind="alternating")
    close(turn[1, 1], checked("alternating_steps", "step")(**both, **sizes))
    form = step("alternating_steps", "conserved", 0)
    for at in turn:
        close(form(x=at[0], y=at[1], **sizes), form(**both, **sizes), 1e-9)
    # the matrix of a step, column by column: its determinant and characteristic polynomial
    matrix = torch.stack([
        bilinear_orbit(*e, steps=1, eta_x=eta, friction=gamma)[1] for e in ((1, 0), (0, 1))
    ], 1)  # fmt: skip
    penalty = checked("remedies", "penalty")(eta=wide(eta)[0], gamma=wide(gamma)[0])
    close(torch.linalg.det(matrix), penalty)


@given(y=st.floats(-3, 3), gamma=st.floats(0.01, 5))
def test_tie_r1_penalty(y, gamma) -> None:
    linear = nn.Linear(1, 1).double()
    nn.init.constant_(linear.weight, y)
    got = r1_penalty(linear, normal(7, 1), gamma=gamma)
    close(got.detach(), checked("remedies", "r1")(y=wide(y)[0], gamma=wide(gamma)[0]))


def test_tie_projection_discriminator() -> None:
    """The logit differs between labels as log-ratios of two softmax classifiers do."""
    net = Discriminator(size=4, hidden=2, classes=3, generator=rng()).double()
    x = normal(5, 1, 4, 4)
    features = net.body(x)
    ours, theirs = normal(3, features.shape[1], seed=1), normal(3, features.shape[1], seed=2)
    with torch.no_grad():
        net.by_class.weight.copy_(ours - theirs)
    share = torch.full((5,), 0.2, dtype=torch.float64)  # any marginal of x
    p, q = (share.unsqueeze(1) * torch.softmax(features @ w.T, 1) for w in (ours, theirs))
    ratio = checked("conditional", "projection")(p=p, q=q)
    logit = torch.stack([net(x, torch.full((5,), k)) for k in range(3)], 1)
    assert ratio.shape == (5, 3)
    close((logit - logit[:, :1]).detach(), (ratio - ratio[:, :1]).detach())


TIES = {
    "discriminator_loss": {
        "gan.minimax_value": test_tie_the_value_of_the_game,
        "gan.least_squares": test_tie_least_squares,
        "gan.fgan": test_tie_fgan,
    },
    "generator_loss": {
        "gan.logit_losses": test_tie_logit_losses,
        "gan.frozen_gradient": test_tie_frozen_gradient,
        "gan.least_squares": test_tie_frozen_gradient,
        "gan.fgan": test_tie_fgan,
    },
    "training_step": {"gan.generator_gradient": test_tie_training_step},
    "optimal_discriminator": {"gan.optimal_discriminator": test_tie_optimal_discriminator},
    "error_rate": {"gan.error_game": test_tie_error_rate},
    "missing_mode_js": {"gan.missing_mode": test_tie_missing_mode},
    "bilinear_orbit": {
        "gan.simultaneous_steps": test_tie_bilinear_orbit,
        "gan.alternating_steps": test_tie_bilinear_orbit,
        "gan.remedies": test_tie_bilinear_orbit,
    },
    "r1_penalty": {"gan.remedies": test_tie_r1_penalty},
    "Discriminator": {"gan.conditional": test_tie_projection_discriminator},
}


def test_an_optimizer_of_other_parameters_is_refused() -> None:
    gan = players()
    right_d, right_g = sgd(gan)
    x = normal(4, 1)
    both = torch.optim.SGD(gan.parameters(), lr=0.1)
    for d, g, name in (
        (right_g, right_d, "optimizer_d"),  # swapped
        (both, right_g, "optimizer_d"),
        (right_d, both, "optimizer_g"),
        (*sgd(players()), "optimizer_d"),  # of another pair
        (right_d, "adam", "optimizer_g"),
    ):
        before = [p.clone() for p in gan.parameters()]
        with pytest.raises(ValueError, match=rf"^{name}: got .*, expected an optimizer of the "):
            training_step(gan, x, d, g, generator=rng())
        assert all(map(torch.equal, before, gan.parameters()))


def test_a_network_behind_a_lambda_is_refused() -> None:
    gan = players()
    with pytest.raises(ValueError, match=r"^discriminator: got .* expected an nn.Module"):
        GAN(gan.generator, lambda x: gan.discriminator(x), 1)
