"""The time-conditioned network: shapes, dtypes, its weights by generator, and that it learns."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath.nets import MLP


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
