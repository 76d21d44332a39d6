"""Networks: shapes, dtypes, weights by generator, what they are told, and that they learn."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath.nets import MLP, Discriminator, Generator, UNet


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=30)
@given(
    event=st.lists(st.integers(1, 3), max_size=3),
    batch=st.integers(0, 4),
    dtype=st.sampled_from([torch.float64, torch.float32, torch.bfloat16, torch.float16]),
    time=st.booleans(),
)
def test_the_output_is_shaped_like_the_data(event, batch, dtype, time) -> None:
    net = MLP(math.prod(event), hidden=8, layers=2, time=time, generator=rng()).to(dtype)
    x = torch.randn(batch, *event, generator=rng(1)).to(dtype)
    if not time:
        assert net(x).shape == x.shape
        return
    one = net(x, 0.25)
    assert (one.shape, one.dtype) == (x.shape, dtype)
    for t in (torch.full((batch,), 0.25, dtype=torch.float64), torch.tensor(0.25)):
        assert torch.equal(net(x, t), one)
    if batch:
        assert not torch.equal(net(x, 0.75), one)


def test_the_layers_are_as_many_and_as_wide_as_said() -> None:
    net = MLP(2, hidden=64, layers=3)
    shapes = [tuple(p.shape) for p in net.parameters() if p.ndim == 2]
    assert shapes == [(64, 3), (64, 64), (64, 64), (2, 64)]
    assert MLP(2, hidden=5, layers=1, time=False, out=1)(torch.zeros(7, 2)).shape == (7, 1)


def test_a_generator_draws_the_weights_and_leaves_the_global_state() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    a, b, c = (MLP(2, generator=rng(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    for p, q, r in zip(a.parameters(), b.parameters(), c.parameters(), strict=True):
        assert torch.equal(p, q)
        assert not torch.equal(p, r)
        assert p.requires_grad
    layer = a.stack[2].weight
    assert layer.abs().max() <= 1 / math.sqrt(64)
    assert layer.std().item() == pytest.approx(1 / math.sqrt(3 * 64), rel=0.05)


def test_it_learns_a_field_that_depends_on_time() -> None:
    net = MLP(1, hidden=32, layers=2, generator=rng())
    optimizer, generator = torch.optim.Adam(net.parameters(), lr=1e-2), rng(1)
    for _ in range(300):
        x, t = torch.randn(128, 1, generator=generator), torch.rand(128, generator=generator)
        loss = ((net(x, t) - t[:, None] * x) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.01


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("dim", lambda x: MLP(0)),
        ("hidden", lambda x: MLP(2, hidden=0)),
        ("layers", lambda x: MLP(2, layers=0)),
        ("out", lambda x: MLP(2, out=0)),
        ("generator", lambda x: MLP(2, generator=0)),
        ("x", lambda x: MLP(3)(x, 0.5)),
        ("x", lambda x: MLP(2)(x.long(), 0.5)),
        ("t", lambda x: MLP(2)(x)),
        ("t", lambda x: MLP(2, time=False)(x, 0.5)),
        ("t", lambda x: MLP(2)(x, torch.zeros(3))),
        ("t", lambda x: MLP(2)(x, torch.zeros(4, 1))),
    ],
)
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.zeros(4, 2))


# Times and steps


def test_a_network_knows_whether_it_is_told_times_or_steps() -> None:
    x = torch.randn(4, 2, generator=rng(1))
    by_time, by_step = MLP(2, generator=rng()), MLP(2, steps=50, generator=rng())
    for steps in (10, torch.tensor(10), torch.full((4,), 10), torch.full((4,), 10).int()):
        assert torch.equal(by_step(x, steps), by_time(x, 0.2))
    for t in (torch.full((4,), 10), torch.tensor(10), "0.5", math.nan):
        with pytest.raises(ValueError, match=r"^t: got .*, expected "):
            by_time(x, t)
    for t in (51, -1, 0.2, torch.full((4,), 0.2), torch.zeros(3).long()):
        with pytest.raises(ValueError, match=r"^t: got .*, expected .*0\.\.50|one a sample"):
            by_step(x, t)
    with pytest.raises(ValueError, match=r"^steps: got 50"):
        MLP(2, time=False, steps=50)


# The U-Net


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (3, 1, 8, 8)),
        ({"channels": 3, "hidden": 12}, (2, 3, 32, 32)),
        ({"channels": 2, "hidden": 6, "depth": 1, "out": 5}, (1, 2, 6, 4)),
        ({"hidden": 7, "depth": 0}, (2, 1, 5, 3)),
        ({"hidden": 2}, (0, 1, 4, 4)),
    ],
)
def test_a_unet_is_zero_at_first_and_shaped_like_the_image(options, shape, dtype) -> None:
    net = UNet(**options, generator=rng()).to(dtype)
    x = torch.randn(shape, generator=rng(1)).to(dtype)
    out = net(x, torch.full(shape[:1], 0.3))
    expected = (shape[0], options.get("out", shape[1]), *shape[2:])
    assert (out.shape, out.dtype) == (expected, dtype)
    assert not out.any()
    assert torch.equal(net(x, 0.3), out)


def awake(**options) -> UNet:
    """A U-Net whose last layer is no longer zero."""
    net = UNet(generator=rng(), **options)
    torch.nn.init.normal_(net.last.weight, generator=rng(1))
    return net


@pytest.mark.parametrize("hidden", [2, 5, 8, 12, 32])
@pytest.mark.parametrize("classes", [None, 10])
def test_a_gradient_reaches_every_parameter_of_a_unet(hidden, classes) -> None:
    net = awake(hidden=hidden, classes=classes)
    x = torch.randn(11, 1, 8, 8, generator=rng(2))
    label = () if classes is None else (torch.arange(11),)
    (net(x, torch.rand(11, generator=rng(3)), *label) ** 2).sum().backward()
    for name, parameter in net.named_parameters():
        assert (parameter.grad != 0).any(), name


def test_a_unet_sees_the_time_the_class_and_the_whole_image() -> None:
    net = awake(classes=10, hidden=8)
    x = torch.randn(2, 1, 8, 8, generator=rng(2))
    label = torch.tensor([3, 7])
    out = net(x, 0.5, label)
    assert torch.equal(net(x, torch.full((2,), 0.5), label), out)
    for other in (net(x, 0.51, label), net(x, 0.5, label.flip(0)), net(x, 0.5)):
        assert ((other - out).abs().amax((1, 2, 3)) > 1e-4).all()
    none = net(x, 0.5, torch.tensor([10, 10]))
    assert torch.equal(net(x, 0.5), none)
    assert torch.equal(net(x, 0.5, torch.tensor([3, 10]))[1], none[1])
    x = x[:1].requires_grad_()
    net(x, 0.5)[0, 0, 4, 4].backward()
    assert (x.grad != 0).all()


def test_no_sample_of_a_unet_depends_on_its_batch() -> None:
    net = awake(hidden=8).double()
    x = torch.randn(3, 1, 8, 8, generator=rng(2), dtype=torch.float64)
    alone = torch.cat([net(x[i : i + 1], 0.5) for i in range(3)])
    torch.testing.assert_close(net(x, 0.5), alone, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make", [Generator, Discriminator, UNet, partial(MLP, 2)])
def test_weights_come_from_the_generator_alone(make) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    a, b, c = (make(generator=rng(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, a.parameters(), b.parameters()))
    assert not all(map(torch.equal, a.parameters(), c.parameters()))
    assert not any(p.is_meta for p in a.parameters())
    torch.manual_seed(0)
    d = make()
    torch.manual_seed(0)
    assert all(map(torch.equal, d.parameters(), make().parameters()))


IMAGES = torch.zeros(2, 1, 8, 8)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("channels", lambda: UNet(0)),
        ("hidden", lambda: UNet(hidden=1)),
        ("depth", lambda: UNet(depth=-1)),
        ("classes", lambda: UNet(classes=0)),
        ("steps", lambda: UNet(steps=0.5)),
        ("out", lambda: UNet(out=0)),
        ("generator", lambda: UNet(generator=0)),
        ("x", lambda: UNet()(IMAGES[:, :, :6], 0.5)),
        ("x", lambda: UNet()(IMAGES[:, :, :, :6], 0.5)),
        ("x", lambda: UNet()(IMAGES[:, 0], 0.5)),
        ("x", lambda: UNet()(IMAGES[:, :, :0], 0.5)),
        ("x", lambda: UNet(3)(IMAGES, 0.5)),
        ("x", lambda: UNet()(IMAGES.long(), 0.5)),
        ("t", lambda: UNet()(IMAGES, torch.zeros(3))),
        ("t", lambda: UNet()(IMAGES, torch.zeros(2).long())),
        ("t", lambda: UNet(steps=10)(IMAGES, 11)),
        ("label", lambda: UNet()(IMAGES, 0.5, torch.zeros(2).long())),
        ("label", lambda: UNet(classes=3)(IMAGES, 0.5, torch.zeros(3).long())),
        ("label", lambda: UNet(classes=3)(IMAGES, 0.5, torch.zeros(2))),
        ("label", lambda: UNet(classes=3)(IMAGES, 0.5, 1)),
    ],
)
def test_what_does_not_fit_a_unet_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call()
