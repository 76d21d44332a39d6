"""Style and translation: moments, kernels, generators and cycles against what is known exactly."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genmath import book
from genmath.gan import GAN, discriminator_loss, generator_loss
from genmath.paths import linear_schedule
from genmath.proof.language.claims import Claim
from genmath.toys import GaussianMixture
from genmath.translation import (
    CycleGAN,
    ImageBuffer,
    StyleGenerator,
    adain,
    cycle_loss,
    ddib,
    gram,
    path_lengths,
    style_loss,
    training_step,
    truncate,
)
from genmath.wasserstein import wasserstein
from tests.checked import value

double = torch.float64


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=double)


def result(name: str, part: str | None = None) -> Claim:
    derivation = getattr(book.chapter("translation"), name)
    return derivation.conclusion if part is None else derivation[part].claim


# AdaIN


@given(st.integers(0, 2**20), st.integers(2, 9), st.integers(1, 9))
def test_adain_gives_both_moments(seed: int, places: int, others: int) -> None:
    x, style = draw(2, 3, places, seed=seed), draw(2, 3, others, 2, seed=seed + 1)
    got, told = adain(x, style), style.flatten(2)
    assert got.shape == x.shape
    torch.testing.assert_close(got.mean(2), told.mean(2))
    torch.testing.assert_close(got.std(2, correction=0), told.std(2, correction=0))
    torch.testing.assert_close(adain(x, x), x)
    torch.testing.assert_close(adain(got, x), x)  # the last style wins, here the first one


def test_adain_keeps_the_order_and_is_the_cheapest_plan() -> None:
    """Against the exact transport plan to what it made."""
    x, style = draw(1, 1, 12), 3 + 0.4 * draw(1, 1, 7, seed=1)
    got = adain(x, style)
    cost = ((got - x) ** 2).mean()
    torch.testing.assert_close(wasserstein(x.reshape(-1, 1), got.reshape(-1, 1)), cost.sqrt())
    means, stds = ((v.mean(), v.std(correction=0)) for v in (x, style))
    bound = (means[0] - stds[0]) ** 2 + (means[1] - stds[1]) ** 2
    torch.testing.assert_close(cost, bound)


def test_a_constant_channel_gets_the_mean_and_a_finite_gradient() -> None:
    x = torch.full((1, 2, 7), 0.1)
    x[0, 1] = torch.arange(7.0)
    x.requires_grad_()
    style = torch.randn(1, 2, 5, generator=rng())
    got = adain(x, style)
    assert (got[0, 0] == style[0, 0].mean()).all()
    got.sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_full(dtype: torch.dtype) -> None:
    x, style = 200 * torch.randn(1, 2, 50, generator=rng()), torch.randn(1, 2, 9, generator=rng(1))
    x, style = x.to(dtype), style.to(dtype)
    for got, exact in (
        (adain(x, style), adain(x.double(), style.double())),
        (gram(style), gram(style.double())),
    ):
        assert got.dtype == dtype
        torch.testing.assert_close(got.double(), exact, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    ("x", "style", "named"),
    [
        ((2, 3), (2, 3, 4), "x"),
        ((2, 3, 0), (2, 3, 4), "x"),
        ((2, 3, 4), (2, 3), "style"),
        ((2, 3, 4), (1, 3, 4), "style"),
        ((2, 3, 4), (2, 2, 4), "style"),
    ],
)
def test_features_that_do_not_fit(x: tuple[int, ...], style: tuple[int, ...], named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}: got"):
        adain(torch.zeros(x), torch.zeros(style))


# Gram matrices


@given(st.integers(0, 2**20), st.integers(1, 4), st.integers(1, 6), st.integers(1, 6))
def test_the_style_loss_is_the_mmd_of_its_kernel(seed: int, channels: int, n: int, m: int) -> None:
    x, y = draw(1, channels, n, seed=seed), draw(1, channels, m, seed=seed + 1)

    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return ((a[0].T @ b[0]) ** 2).mean()

    torch.testing.assert_close(
        style_loss(x, y), kernel(x, x) - 2 * kernel(x, y) + kernel(y, y), atol=1e-10, rtol=1e-9
    )


def test_where_a_feature_is_does_not_matter() -> None:
    x = draw(2, 3, 4, 5)
    order = torch.randperm(20, generator=rng())
    mixed = x.flatten(2)[:, :, order].reshape(2, 3, 5, 4)
    torch.testing.assert_close(gram(mixed), gram(x))
    assert style_loss(mixed, x) < 1e-25
    assert style_loss(x[:, [1, 0, 2]], x) > 0.01


def test_one_style_for_a_batch() -> None:
    x, style = draw(4, 2, 6), draw(1, 2, 5, seed=1)
    each = torch.stack([style_loss(x[i : i + 1], style) for i in range(4)])
    torch.testing.assert_close(style_loss(x, style), each.mean())
    with pytest.raises(ValueError, match=r"^style: got .* one sample or 4"):
        style_loss(x, draw(2, 2, 5))
    with pytest.raises(ValueError, match=r"^x: got .* at least one sample"):
        style_loss(x[:0], style)


# The generator


def test_a_style_generator_is_a_generator() -> None:
    net = StyleGenerator(6, size=12, channels=2, hidden=5, depth=3, generator=rng())
    gan = GAN(net, nn.Sequential(nn.Flatten(), nn.Linear(288, 1)), 6)
    made = gan.sample(3, generator=rng(1))
    assert made.shape == (3, 2, 12, 12)
    assert made.abs().max() <= 1
    generator_loss(gan(made)).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    again = StyleGenerator(6, size=12, channels=2, hidden=5, depth=3, generator=rng())
    z = torch.randn(3, 6, generator=rng(2))
    torch.testing.assert_close(again(z), net(z))


def test_each_layer_is_told_its_own_style_and_the_last_sets_the_moments() -> None:
    net = StyleGenerator(4, hidden=6, generator=rng()).double()
    w = net.styles(draw(2, 4))
    assert w.shape == (2, net.layers, 4)
    mixed = w.clone()
    mixed[:, -1] = w.flip(0)[:, -1]
    shown: list[torch.Tensor] = []
    net.show.register_forward_pre_hook(lambda _, given: shown.append(given[0]))
    net.synthesize(w)
    net.synthesize(mixed)
    first, second = (h.flatten(2) for h in shown)
    torch.testing.assert_close(second.mean(2), first.flip(0).mean(2))
    torch.testing.assert_close(second.std(2), first.flip(0).std(2))
    told = net.tell[-1](w[:, -1])
    torch.testing.assert_close(first.mean(2), told[:, :6])
    torch.testing.assert_close(first.std(2, correction=0), (1 + told[:, 6:]).abs())
    for i in range(net.layers):
        moved = w.clone()
        moved[:, i] += 1
        assert (net.synthesize(moved) - net.synthesize(w)).abs().max() > 1e-3


def test_the_mean_style_is_that_of_many() -> None:
    net = StyleGenerator(3, hidden=4, generator=rng())
    mean = net.mean_style(50, generator=rng(1))
    z = torch.randn(50, 3, generator=rng(1))
    torch.testing.assert_close(mean, net.styles(z)[:, 0].mean(0))


def test_sizes_and_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"^size: got 6, expected a multiple of 4"):
        StyleGenerator(size=6)
    net = StyleGenerator(3, hidden=4, generator=rng())
    with pytest.raises(ValueError, match=r"^z: got .* expected shape \(B, 3\)"):
        net(torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"^styles: got .* expected shape \(B, 3, 3\)"):
        net.synthesize(torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"^mean: got .* broadcasts to styles"):
        truncate(torch.zeros(2, 3, 3), torch.zeros(2), 0.5)
    with pytest.raises(ValueError, match=r"^mean: got .* broadcasts to styles"):
        truncate(torch.zeros(3, 3), torch.zeros(1, 3, 3), 0.5)


# The cycle


class Affine(nn.Module):
    def __init__(self, by: float, plus: float = 0.0) -> None:
        super().__init__()
        self.by, self.plus = nn.Parameter(torch.tensor(by)), nn.Parameter(torch.tensor(plus))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.by * x + self.plus


def cycle_gan(by: float = 2.0, **given: float) -> CycleGAN:
    critics = nn.Linear(2, 1), nn.Linear(2, 1)
    for i, critic in enumerate(critics):
        nn.init.normal_(critic.weight, generator=rng(i))
    return CycleGAN(Affine(by), Affine(1 / by), *critics, **given)


def test_the_losses_are_what_they_are_called() -> None:
    x, y = torch.randn(5, 2, generator=rng()), torch.randn(4, 2, generator=rng(1))
    model = cycle_gan(2.0, cycle_weight=3.0, identity_weight=0.5)
    parts = model.generator_loss(x, y)
    assert parts.cycle < 1e-5
    kept = cycle_loss(y, 2 * y) + cycle_loss(x, x / 2)
    torch.testing.assert_close(parts.identity, kept)
    fooled = generator_loss(model.critics["y"](2 * x), "least_squares") + generator_loss(
        model.critics["x"](y / 2), "least_squares"
    )
    torch.testing.assert_close(parts.adversarial, fooled)
    torch.testing.assert_close(parts.total, fooled + 3 * parts.cycle + kept / 2)
    torch.testing.assert_close(model(x), 2 * x)
    torch.testing.assert_close(model.back(y), y / 2)
    open_ = CycleGAN(Affine(2.0), Affine(1.0), nn.Linear(2, 1), nn.Linear(2, 1))
    torch.testing.assert_close(
        open_.generator_loss(x, y).cycle, cycle_loss(x, 2 * x) + cycle_loss(y, 2 * y)
    )
    assert open_.generator_loss(x, y).identity == 0
    seen = open_.discriminator_loss(x, y, y, 2 * x)
    torch.testing.assert_close(
        seen,
        discriminator_loss(open_.critics["x"](x), open_.critics["x"](y), "least_squares")
        + discriminator_loss(open_.critics["y"](y), open_.critics["y"](2 * x), "least_squares"),
    )


def test_critics_hold_still_for_the_translators_and_the_other_way_round() -> None:
    x, y = torch.randn(5, 2, generator=rng()), torch.randn(5, 2, generator=rng(1))
    model = cycle_gan()
    model.generator_loss(x, y).total.backward()
    assert all(p.grad is None for p in model.critics.parameters())
    assert all(p.requires_grad for p in model.critics.parameters())
    assert all(p.grad is not None for p in model.translators.parameters())
    model.zero_grad()
    model.discriminator_loss(x, y, model.back(y), model(x)).backward()
    assert all(p.grad is None for p in model.translators.parameters())


def test_a_step_moves_both_and_the_critics_see_what_was_made_before_it() -> None:
    x, y = torch.randn(6, 2, generator=rng()), torch.randn(6, 2, generator=rng(1))
    model = cycle_gan(3.0)
    seen = model.discriminator_loss(x, y, y / 3, 3 * x).detach()
    expected = model.generator_loss(x, y)
    d = torch.optim.SGD(model.critics.parameters(), 0.1)
    g = torch.optim.SGD(model.translators.parameters(), 0.01)
    before = [p.clone() for p in model.parameters()]
    losses, loss = training_step(model, x, y, d, g)
    for got, wanted in zip(losses, expected, strict=True):
        torch.testing.assert_close(got, wanted.detach())
        assert not got.requires_grad
    torch.testing.assert_close(loss, seen)
    assert all((a != b).any() for a, b in zip(model.parameters(), before, strict=True))
    with pytest.raises(ValueError, match=r"^optimizer_d: got one that moves 4 tensors"):
        training_step(model, x, y, torch.optim.SGD(model.parameters(), 0.1), g)
    with pytest.raises(ValueError, match=r"^generator: got None"):
        training_step(model, x, y, d, g, buffers=(ImageBuffer(), ImageBuffer()))


def test_training_moves_the_translations_into_the_other_domain() -> None:
    """N(0, 1) to N(1, 1), with buffers; the cycle stays closed."""
    g = rng()
    model = CycleGAN(
        Affine(1.0),
        Affine(1.0),
        *(nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)) for _ in range(2)),
        cycle_weight=0.3,
    )
    for p in model.critics.parameters():
        nn.init.normal_(p, 0.0, 0.5, generator=g)
    d = torch.optim.Adam(model.critics.parameters(), 0.02, betas=(0.5, 0.99))
    t = torch.optim.Adam(model.translators.parameters(), 0.02, betas=(0.5, 0.99))
    buffers = ImageBuffer(32), ImageBuffer(32)
    for _ in range(200):
        x, y = torch.randn(32, 1, generator=g), 1 + torch.randn(32, 1, generator=g)
        losses, _ = training_step(model, x, y, d, t, buffers=buffers, generator=g)
    assert model(torch.zeros(1, 1)).item() == pytest.approx(1.0, abs=0.4)
    assert model.back(torch.zeros(1, 1)).item() == pytest.approx(-1.0, abs=0.4)
    assert losses.cycle < 0.3


def test_the_buffer_gives_each_picture_back_once() -> None:
    buffer = ImageBuffer(5)
    given = torch.arange(400.0).reshape(40, 10, 1)
    out = torch.stack([buffer.swap(batch, generator=rng(i)) for i, batch in enumerate(given)])
    assert (out[0, :5] == given[0, :5]).all()  # while there is room
    seen = torch.cat([out.flatten(), torch.stack(buffer.kept).flatten()]).sort().values
    # what filled the buffer was shown at once, and comes once more
    expected = torch.cat([given.flatten(), given[0, :5].flatten()]).sort().values
    assert torch.equal(seen, expected)
    fresh = (out == given).float()[1:].mean()
    assert 0.4 < fresh < 0.6
    with pytest.raises(ValueError, match=r"^x: got .* pictures of shape \(1,\), as were kept"):
        buffer.swap(torch.zeros(4, 2), generator=rng())


def test_a_buffer_keeps_copies_without_a_graph() -> None:
    buffer, x = ImageBuffer(4), torch.zeros(4, 1)
    buffer.swap(x, generator=rng())
    x += 1
    assert torch.stack(buffer.kept).eq(0).all()
    made = torch.zeros(64, 1, requires_grad=True)
    assert not buffer.swap(made + 1, generator=rng()).requires_grad
    assert not any(kept.requires_grad for kept in buffer.kept)
    assert all(len(kept.untyped_storage()) == 4 for kept in buffer.kept)  # not all of the batch


def test_the_critics_see_what_the_buffers_kept() -> None:
    x, y = torch.randn(6, 2, generator=rng()), torch.randn(6, 2, generator=rng(1))
    model, buffers = cycle_gan(3.0), (ImageBuffer(3), ImageBuffer(3))
    old = [torch.full((3, 2), float(value)) for value in (5, 7)]
    for buffer, kept in zip(buffers, old, strict=True):
        buffer.swap(kept, generator=rng())
    again, draws = [ImageBuffer(3), ImageBuffer(3)], rng(2)
    for buffer, kept in zip(again, old, strict=True):
        buffer.swap(kept, generator=rng())
    made = [b.swap(m, generator=draws) for b, m in zip(again, (y / 3, 3 * x), strict=True)]
    assert (made[0] == 5).any()
    assert (made[1] == 7).any()
    seen = model.discriminator_loss(x, y, *made).detach()
    d = torch.optim.SGD(model.critics.parameters(), 0.1)
    g = torch.optim.SGD(model.translators.parameters(), 0.01)
    _, loss = training_step(model, x, y, d, g, buffers=buffers, generator=rng(2))
    torch.testing.assert_close(loss, seen)


# By way of the noise


STEPS = linear_schedule(100)


class Exact:
    """The exact noise of a mixture at each step of a schedule."""

    def __init__(self, mixture: GaussianMixture) -> None:
        self.mixture = mixture

    def __call__(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        alpha, sigma = STEPS.coefficients(t, x)
        return self.mixture.eps(x, alpha, sigma)


def bell(mean: float, std: float) -> Exact:
    return Exact(GaussianMixture([1.0], [[mean]], std=std))


def test_there_and_back_again_is_exact_where_each_step_is_inverted() -> None:
    x = draw(20, 1)
    one, two = bell(0.0, 1.0), bell(2.0, 0.5)
    steps = list(range(100, -1, -10))
    errors = []
    for iterations in (1, 3, 40):
        there = ddib(one, two, x, STEPS, steps=steps, iterations=iterations)
        back = ddib(two, one, there, STEPS, steps=steps, iterations=iterations)
        errors.append((back - x).abs().max().item())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-9
    assert errors[0] > 1e-3


def test_the_predictions_are_translated() -> None:
    x, steps = draw(6, 1), [100, 60, 30, 0]
    one, two = bell(0.3, 1.0), bell(-1.0, 0.7)

    def score(model: Exact) -> object:
        return lambda x, t: -model(x, t) / STEPS.coefficients(t, x)[1]

    torch.testing.assert_close(
        ddib(score(one), score(two), x, STEPS, steps=steps, iterations=3, prediction="score"),
        ddib(one, two, x, STEPS, steps=steps, iterations=3),
    )


# Ties


@settings(max_examples=25)
@given(st.integers(0, 2**20), st.integers(2, 6))
def test_tie_adain(seed: int, places: int) -> None:
    x, style = draw(1, 1, places, seed=seed), draw(1, 1, 4, seed=seed + 1) + 2
    flat = x.flatten()
    letters = {"mu_2": style.mean(), "sigma_2": style.std(correction=0)}
    letters |= {"S": flat.std(correction=0), "x_1": flat, "r": torch.full_like(flat, 1 / places)}
    got = adain(x, style)
    cost = value(result("adain", "cost").rhs, **letters)
    torch.testing.assert_close(((got - x) ** 2).mean(), cost, rtol=1e-9, atol=1e-12)
    variance = value(result("adain", "variance").rhs, **letters)
    torch.testing.assert_close(got.var(correction=0), variance, rtol=1e-9, atol=1e-12)


@settings(max_examples=15)
@given(st.integers(0, 2**20), st.integers(1, 4), st.integers(1, 4))
def test_tie_gram(seed: int, n: int, m: int) -> None:
    """Both sides, with a density that counts the places of a picture."""
    x, y = draw(1, 2, n, seed=seed), draw(1, 2, m, seed=seed + 1)
    letters = {"p": torch.eye(n, dtype=double) / n, "q": torch.eye(m, dtype=double) / m}
    for i in (0, 1):
        letters |= {f"x_{i + 1}{copy}": x[0, i] for copy in ("", "_1")}
        letters |= {f"y_{i + 1}{copy}": y[0, i] for copy in ("", "_1")}
    claim = result("gram", "mmd")
    for side in (claim.lhs, claim.rhs):
        torch.testing.assert_close(style_loss(x, y), value(side, **letters), rtol=1e-8, atol=1e-10)
    distance = ((gram(x) - gram(y)) ** 2).sum()
    torch.testing.assert_close(distance, style_loss(x, y))


@settings(max_examples=25)
@given(st.integers(0, 2**20), st.floats(0, 2))
def test_tie_truncate(seed: int, psi: float) -> None:
    w = draw(6, 1, 1, seed=seed)
    flat = w.flatten()
    letters = {"psi": torch.tensor(psi, dtype=double), "w_1": flat}
    letters["p"] = torch.full_like(flat, 1 / 6)
    got = truncate(w, flat.mean(), psi)
    torch.testing.assert_close(got.mean(), flat.mean(), rtol=1e-9, atol=1e-12)
    for part, found in (
        ("variance", got.var(correction=0)),
        ("moved", ((got - w) ** 2).mean()),
    ):
        expected = value(result("truncation", part).rhs, **letters)
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-12)


def test_tie_path_lengths() -> None:
    """A linear picture: the mean square over many draws, and its variance."""
    slopes = draw(2, 2)
    n = 40_000
    got = path_lengths(lambda w: w @ slopes.T, torch.zeros(n, 2, dtype=double), generator=rng())
    square = value(result("path_length", "square").rhs, J=slopes)
    variance = value(result("path_length", "variance").rhs, J=slopes)
    assert (got**2).mean().item() == pytest.approx(square.item(), abs=4 * math.sqrt(variance / n))
    assert (got**2).var().item() == pytest.approx(variance.item(), rel=0.1)
    net = StyleGenerator(3, hidden=4, generator=rng())
    lengths = path_lengths(net.synthesize, net.styles(torch.zeros(2, 3)), generator=rng())
    assert lengths.shape == (2,)
    for wrong, named in ((nn.BatchNorm1d(2), "model"), (lambda w: w[:1], "model output")):
        with pytest.raises(ValueError, match=f"^{named}: got "):
            path_lengths(wrong, torch.zeros(3, 2), generator=rng())
    lengths.sum().backward()
    assert net.show.weight.grad is not None
    assert net.show.weight.grad.abs().max() > 0


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.floats(0.2, 3))
def test_tie_cycle_loss(seed: int, scale: float) -> None:
    """On a table of three data and four translations: the bound, with the loss of the cycle."""
    joint = torch.rand(3, 4, generator=rng(seed), dtype=double) + 0.05
    joint = joint / joint.sum()
    back = torch.rand(4, generator=rng(seed + 1), dtype=double)
    x = torch.arange(3, dtype=double)
    loss = sum(
        joint[i, j] * cycle_loss(x[i].reshape(1, 1), back[j].reshape(1, 1))
        for i in range(3)
        for j in range(4)
    )
    claim = result("cycle_entropy", "laplace").rhs
    letters = {"r": joint, "x": x, "y": torch.arange(4, dtype=double)}
    letters["b"] = torch.tensor(scale, dtype=double)
    expected = value(claim, F=lambda at: back[at.long()], **letters)
    torch.testing.assert_close(loss / scale + math.log(2 * scale), expected)


def test_tie_cycle() -> None:
    """A translator and a symmetry on top: the cycle is closed, and that is what was checked."""
    x, y = draw(5, 2), draw(5, 2, seed=1)
    model = CycleGAN(Affine(-2.0), Affine(-0.5), nn.Linear(2, 1), nn.Linear(2, 1)).double()
    losses = model.generator_loss(x, y)
    assert losses.cycle < 1e-12
    maps = {"G": lambda u: 2 * u, "S": lambda u: -u}
    maps |= {"G_inverse": lambda u: u / 2, "S_inverse": lambda u: -u}
    torch.testing.assert_close(value(result("cycle", "any").lhs, x=x, **maps), x)
    torch.testing.assert_close(model.back(model(x)), x)
    torch.testing.assert_close(model(x), maps["S"](maps["G"](x)))


@pytest.mark.parametrize("shift", [-1.5, 0.25])
def test_tie_identity(shift: float) -> None:
    y = draw(7, 1)
    model = CycleGAN(
        Affine(1.0, shift), Affine(1.0, 0.0), nn.Linear(1, 1), nn.Linear(1, 1), identity_weight=1.0
    ).double()
    claim = result("identity_loss")
    letters = {"y": y.flatten(), "p": torch.full((7,), 1 / 7, dtype=double)}
    letters["c"] = torch.tensor(shift, dtype=double)
    for side in (claim.lhs, claim.rhs):
        kept = model.generator_loss(y, y).identity
        torch.testing.assert_close(kept, value(side, **letters))


@pytest.mark.parametrize(
    ("m_1", "omega_1", "m_2", "omega_2"), [(0.0, 1.0, 2.0, 0.5), (-1, 2, 1, 3)]
)
def test_tie_ddib(m_1: float, omega_1: float, m_2: float, omega_2: float) -> None:
    """Many short steps approach the map of normal domains at the last level, and nearly AdaIN."""
    x = draw(9, 1)
    alpha, sigma = (float(c) for c in STEPS.coefficients(100, x))
    numbers = {"m_1": m_1, "omega_1": omega_1, "m_2": m_2, "omega_2": omega_2}
    letters = {k: torch.tensor(float(v), dtype=double) for k, v in numbers.items()}
    levels = {
        "alpha": torch.tensor(alpha, dtype=double),
        "sigma": torch.tensor(sigma, dtype=double),
    }
    exact = value(result("ddib", "normal").rhs, x=x, **letters, **levels)
    errors = []
    for every in (10, 1):
        got = ddib(
            bell(m_1, omega_1), bell(m_2, omega_2), x, STEPS,
            steps=list(range(100, -1, -every)), iterations=30,
        )  # fmt: skip
        errors.append((got - exact).abs().max().item())
    assert errors[1] < 0.25 * errors[0]
    assert errors[1] < 0.05 * omega_2
    pure = value(result("ddib", "noise").rhs, x=x, **letters)
    moved = adain(x.reshape(1, 1, -1), m_2 + omega_2 * (x.reshape(1, 1, -1) - m_1) / omega_1)
    torch.testing.assert_close(moved.flatten(), pure.flatten())


TIES = {
    "adain": {"translation.adain": test_tie_adain},
    "gram": {"translation.gram": test_tie_gram},
    "style_loss": {"translation.gram": test_tie_gram},
    "truncate": {"translation.truncation": test_tie_truncate},
    "path_lengths": {"translation.path_length": test_tie_path_lengths},
    "cycle_loss": {"translation.cycle_entropy": test_tie_cycle_loss},
    "CycleGAN": {
        "translation.cycle": test_tie_cycle,
        "translation.identity_loss": test_tie_identity,
    },
    "ddib": {"translation.ddib": test_tie_ddib},
}
