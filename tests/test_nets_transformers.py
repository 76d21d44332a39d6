"""Transformers: who sees what, what they are at first, that all of them learns, and their size."""

from __future__ import annotations

import copy
import math
from typing import Any, TypeVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from genmath.flow_matching import cfm_loss
from genmath.nets import DiT
from genmath.nets.attention import Attention
from genmath.nets.blocks import Block, JointBlock
from genmath.nets.patches import from_patches, to_patches
from genmath.nets.positions import sinusoids
from genmath.nets.weights import Zero
from genmath.paths import LinearPath
from genmath.samplers import Euler, sample

Net = TypeVar("Net", bound=torch.nn.Module)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


def awake(net: Net, seed: int = 7) -> Net:
    """In float64, and no layer is zero any longer."""
    generator = rng(seed)
    with torch.no_grad():
        for layer in net.double().modules():
            if isinstance(layer, Zero):
                for p in layer.parameters():
                    p.copy_(torch.randn(p.shape, generator=generator) / math.sqrt(p.shape[-1]))
    return net


# Every kind of diffusion transformer: its options, the shape of its data, what is beside them

TEXT = {"context": draw(3, 5, 6, seed=2), "mask": torch.arange(5) < torch.tensor([[5], [2], [0]])}
LABEL = {"label": torch.tensor([0, 3, 4])}
DITS: dict[str, tuple[dict[str, Any], tuple[int, ...], dict[str, Any]]] = {
    "plain": ({}, (3, 1, 8, 6), {}),
    "class": ({"classes": 4}, (3, 1, 8, 6), LABEL),
    "cross": ({"context_dim": 6, "classes": 4}, (3, 1, 8, 6), {**TEXT, **LABEL}),
    "joint": ({"context_dim": 6, "joint": True}, (3, 1, 8, 6), TEXT),
    "clip": ({"patch": (1, 2, 2), "channels": 2}, (3, 2, 3, 4, 6), {}),
    "factorised": (
        {"patch": (1, 2, 2), "factorised": True, "context_dim": 6},
        (3, 1, 3, 4, 6),
        TEXT,
    ),
    "series": ({"patch": (4,), "out": 5}, (3, 1, 8), {}),
}


def dit(name: str, **options: Any) -> DiT:
    return DiT(hidden=12, layers=3, heads=2, **{**DITS[name][0], **options}, generator=rng())


def given_to(name: str) -> tuple[torch.Tensor, dict[str, Any]]:
    return draw(*DITS[name][1]), DITS[name][2]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", DITS)
def test_a_dit_is_zero_at_first_and_shaped_like_the_data(name: str, dtype: torch.dtype) -> None:
    net = dit(name).to(dtype)
    x, beside = given_to(name)
    if "context" in beside:
        beside = {**beside, "context": beside["context"].to(dtype)}
    out = net(x.to(dtype), 0.3, **beside)
    assert (out.shape, out.dtype) == (
        (3, DITS[name][0].get("out", x.shape[1]), *x.shape[2:]),
        dtype,
    )
    assert not out.any()
    out = awake(net).to(dtype)(x.to(dtype), 0.3, **beside)
    assert out.isfinite().all()
    assert (out != 0).any()


@pytest.mark.parametrize("context", [None, 5])
def test_a_block_that_is_told_begins_as_the_identity(context: int | None) -> None:
    block = Block(8, 2, 6, context).double()
    x, told = draw(3, 4, 8), draw(3, 6, seed=2)
    beside = None if context is None else draw(3, 7, context, seed=3)
    assert torch.equal(block(x, told, beside), x)
    assert not torch.equal(awake(block)(x, told, beside), x)


@pytest.mark.parametrize("last", [True, False])
def test_a_joint_block_begins_as_the_identity(last: bool) -> None:
    block = JointBlock(8, 2, 6, last).double()
    x, context, told = draw(3, 4, 8), draw(3, 5, 8, seed=2), draw(3, 6, seed=3)
    assert all(map(torch.equal, block(x, context, told), (x, context)))
    moved = awake(block)(x, context, told)
    assert not torch.equal(moved[0], x)
    assert torch.equal(moved[1], context) == last


@pytest.mark.parametrize("name", DITS)
def test_a_gradient_reaches_every_parameter(name: str) -> None:
    """At once where nothing is zero; from the zeros of the start on after a few steps."""
    x, beside = given_to(name)
    net = awake(dit(name))
    (net(x, torch.rand(3, generator=rng())) ** 2).sum().backward()  # what stands for no text
    (net(x, torch.rand(3, generator=rng()), **beside) ** 2).sum().backward()
    for key, parameter in net.named_parameters():
        assert (parameter.grad != 0).any(), key
    net = dit(name).double()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    target = draw(*net(x, 0.5, **beside).shape, seed=9)
    for _ in range(4):
        optimizer.zero_grad()
        ((net(x, torch.rand(3, generator=rng()), **beside) - target) ** 2).mean().backward()
        optimizer.step()
    for key, parameter in net.named_parameters():
        assert (parameter.grad != 0).any(), key


# What it sees


@pytest.mark.parametrize("name", DITS)
def test_it_sees_the_time_the_whole_of_the_data_and_its_place(name: str) -> None:
    net, (x, beside) = awake(dit(name)), given_to(name)
    x.requires_grad_()
    out = net(x, 0.5, **beside)
    assert torch.equal(net(x, torch.full((3,), 0.5), **beside), out)
    assert ((net(x, 0.51, **beside) - out).flatten(1).abs().amax(1) > 1e-6).all()
    out[0].flatten()[3].backward()
    assert (x.grad[0] != 0).all()
    assert not x.grad[1:].any()
    moved = net(x.roll(4, -1) if name == "series" else x.roll(2, -1), 0.5, **beside)
    back = moved.roll(-4 if name == "series" else -2, -1)
    assert (back - out).abs().max() > 1e-6


def test_a_class_and_none_are_told_apart_one_a_sample() -> None:
    net, x = awake(dit("class")), draw(3, 1, 8, 6)
    out = net(x, 0.5, torch.tensor([0, 1, 4]))
    assert torch.equal(net(x, 0.5, torch.tensor([4, 4, 4])), net(x, 0.5))
    assert torch.equal(net(x, 0.5)[2], out[2])
    assert all((net(x, 0.5)[:2] != out[:2]).flatten(1).any(1))


@pytest.mark.parametrize("name", ["cross", "joint", "factorised"])
def test_padding_of_a_text_is_not_seen_and_none_is_a_text_all_masked(name: str) -> None:
    net, (x, _) = awake(dit(name)), given_to(name)
    context, mask = TEXT["context"], TEXT["mask"]
    out = net(x, 0.5, context=context, mask=mask)
    other = torch.where(mask.unsqueeze(2), context, 1e3)
    torch.testing.assert_close(net(x, 0.5, context=other, mask=mask), out, rtol=1e-9, atol=1e-9)
    for i, n in enumerate((5, 2, 0)):
        alone = net(x[i : i + 1], 0.5, context=context[i : i + 1, :n])
        torch.testing.assert_close(alone, out[i : i + 1], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(net(x, 0.5)[2], out[2], rtol=1e-9, atol=1e-9)
    assert all((net(x, 0.5)[:2] != out[:2]).flatten(1).any(1))
    order = torch.tensor([3, 1, 4, 0, 2])
    shuffled = net(x, 0.5, context=context[:, order], mask=mask[:, order])
    torch.testing.assert_close(shuffled, out, rtol=1e-9, atol=1e-9)


def test_attention_without_places_commutes_with_permutations() -> None:
    x, order = draw(2, 5, 8), torch.tensor([3, 1, 4, 0, 2])
    block = Block(8, 2).double()
    torch.testing.assert_close(block(x[:, order]), block(x)[:, order])
    with_places = block(x + sinusoids([5], 8, x))
    assert not torch.allclose(block(x[:, order] + sinusoids([5], 8, x)), with_places[:, order])


def test_attention_is_the_average_of_values_under_the_softmax() -> None:
    """By hand, one head after the other, against the fused one."""
    net = Attention(6, 2, 4).double()
    x, source = draw(2, 3, 6), draw(2, 5, 4, seed=2)
    mask = torch.tensor([True, False, True, True, False])
    q, (k, v) = net.ask(x), net.hold.layer(source).split(6, -1)
    heads = []
    for part in (slice(0, 3), slice(3, 6)):
        scores = q[..., part] @ k[..., part].mT / math.sqrt(3)
        heads.append(scores[..., mask].softmax(-1) @ v[:, mask, part])
    torch.testing.assert_close(net(x, source, mask[None]), net.answer(torch.cat(heads, -1)))


def test_axes_between_the_batch_and_the_places_are_a_batch() -> None:
    x, told, context = draw(2, 3, 4, 8), draw(2, 6, seed=2), draw(2, 5, 7, seed=3)
    block = awake(Block(8, 2, 6, 7))
    apart = [block(x[:, i], told, context) for i in range(3)]
    torch.testing.assert_close(block(x, told, context), torch.stack(apart, 1))


def test_joint_attention_is_attention_over_both_where_the_weights_are_the_same() -> None:
    """One stream of both, with both kinds of weights equal, is a block over all tokens."""
    joint = awake(JointBlock(8, 2, 6))
    joint.other.load_state_dict(joint.own.state_dict())
    x, context, told = draw(2, 4, 8), draw(2, 3, 8, seed=2), draw(2, 6, seed=3)
    sees = torch.tensor([True, True, False])
    mask = torch.tensor([True] * 4 + [True, True, False])
    together = joint.own(torch.cat([x, context], 1), told, mask=mask[None])
    torch.testing.assert_close(
        torch.cat(joint(x, context, told, sees[None, None, None]), 1), together
    )


def test_factorised_attention_passes_from_place_to_place_within_a_frame_or_over_time() -> None:
    """One block sees its frame, two see everything."""
    for layers, frames in ((1, [1]), (2, [0, 1, 2])):
        options = {"patch": (1, 2, 2), "factorised": True}
        net = awake(DiT(hidden=12, layers=layers, heads=2, **options, generator=rng()))
        x = draw(1, 1, 3, 4, 4).requires_grad_()
        net(x, 0.5)[0, 0, 1, 2, 2].backward()
        assert (x.grad != 0).flatten(3).any(3)[0, 0].nonzero()[:, 0].tolist() == frames
    whole, parts = (awake(DiT(hidden=12, layers=1, heads=2, patch=(1, 2, 2), factorised=f,
                              generator=rng())) for f in (False, True))  # fmt: skip
    frame = draw(1, 1, 1, 4, 4)
    torch.testing.assert_close(parts(frame, 0.5), whole(frame, 0.5))


# Patches and places


@settings(max_examples=30)
@given(data=st.data(), axes=st.integers(1, 3), channels=st.integers(1, 3))
def test_patches_go_back_to_what_they_were_cut_from(data, axes: int, channels: int) -> None:
    patch = data.draw(st.lists(st.integers(1, 3), min_size=axes, max_size=axes))
    grid = data.draw(st.lists(st.integers(1, 3), min_size=axes, max_size=axes))
    x = draw(2, channels, *(g * p for g, p in zip(grid, patch, strict=True)))
    h = to_patches(x, patch)
    assert h.shape == (2, *grid, channels * math.prod(patch))
    assert torch.equal(from_patches(h, patch), x)
    corner = x[(slice(None), slice(None), *(slice(p) for p in patch))]
    assert torch.equal(h.flatten(1, -2)[:, 0], corner.flatten(1))


def test_a_layer_on_patches_is_a_convolution_with_their_stride() -> None:
    x, weight = draw(2, 3, 6, 4), draw(5, 3, 2, 2, seed=2)
    by_conv = torch.nn.functional.conv2d(x, weight, stride=2)
    by_layer = to_patches(x, (2, 2)) @ weight.flatten(1).mT
    torch.testing.assert_close(by_layer.movedim(-1, 1), by_conv)


@pytest.mark.parametrize(("grid", "width"), [((7,), 12), ((3, 4), 13), ((2, 3, 4), 14)])
def test_each_axis_has_waves_of_its_own_and_no_two_places_are_alike(grid, width: int) -> None:
    waves = sinusoids(grid, width, draw(1))
    assert waves.shape == (math.prod(grid), width)
    assert torch.cdist(waves, waves).fill_diagonal_(1).min() > 0.1
    m = width // (2 * len(grid))
    last = waves.reshape(*grid, width)[..., 2 * m * (len(grid) - 1) : 2 * m * len(grid)]
    places = torch.arange(grid[-1], dtype=torch.float64)
    rates = torch.tensor([10000 ** (-i / m) for i in range(m)], dtype=torch.float64)
    angle = places[:, None] * rates
    expected = torch.cat([angle.sin(), angle.cos()], 1).expand(*grid, 2 * m)
    torch.testing.assert_close(last, expected)
    assert not waves[:, 2 * m * len(grid) :].any()


# Size, weights, tools of torch


def size(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("d", [8, 12])
@pytest.mark.parametrize("layers", [1, 3])
def test_the_parameters_of_a_dit_are_as_many_as_is_counted(d: int, layers: int) -> None:
    """A block has 12 d² of attention and perceptron, and 6 d² that set its norms and gates."""

    def linear(a: int, b: int) -> int:
        return a * b + b

    attention = linear(d, d) + linear(d, 2 * d) + linear(d, d)
    perceptron = linear(d, 4 * d) + linear(4 * d, d)
    block = attention + perceptron + linear(d, 6 * d)
    assert block == 18 * d**2 + 15 * d
    ends = linear(2 * d, d) + linear(d, d) + linear(4, d) + linear(d, 2 * d) + linear(d, 4)
    text = linear(6, d) + d + linear(d, d)
    made = {"hidden": d, "layers": layers, "heads": 2}
    assert size(DiT(**made)) == ends + layers * block
    assert size(DiT(**made, classes=5)) == ends + layers * block + 6 * d
    cross = block + attention + 2 * d
    assert size(DiT(**made, context_dim=6)) == ends + text + layers * cross
    joint = (2 * layers - 1) * block + linear(d, 2 * d) + linear(d, 2 * d)
    assert size(DiT(**made, context_dim=6, joint=True)) == ends + text + joint


@pytest.mark.parametrize("name", DITS)
def test_weights_come_from_the_generator_alone_and_are_saved_and_loaded(name: str) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    a, b = dit(name), dit(name)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, a.parameters(), b.parameters()))
    x, beside = given_to(name)
    net, fresh = awake(a), dit(name).double()
    fresh.load_state_dict(net.state_dict())
    for other in (fresh, copy.deepcopy(net)):
        assert torch.equal(other(x, 0.5, **beside), net(x, 0.5, **beside))


@pytest.mark.parametrize("name", DITS)
def test_no_sample_depends_on_its_batch(name: str) -> None:
    net, (x, beside) = awake(dit(name)), given_to(name)
    alone = [
        net(x[i : i + 1], 0.5, **{k: v[i : i + 1] for k, v in beside.items()}) for i in range(3)
    ]
    torch.testing.assert_close(torch.cat(alone), net(x, 0.5, **beside), rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", DITS)
def test_torch_compile_finds_one_graph(name: str) -> None:
    net, (x, beside) = awake(dit(name)), given_to(name)
    torch.compiler.reset()
    whole = torch.compile(net, fullgraph=True, backend="eager")
    for t in (torch.rand(3, generator=rng()), 0.3):
        torch.testing.assert_close(whole(x, t, **beside), net(x, t, **beside))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # by torch itself
@pytest.mark.parametrize("name", ["plain", "cross", "joint"])
def test_forward_slopes_go_through_with_attention_written_out(name: str) -> None:
    """Jacobian–vector products, as average velocities need them."""
    net, (x, beside) = awake(dit(name)), given_to(name)
    t, h = torch.rand(3, generator=rng(), dtype=torch.float64), 1e-6
    with sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        v = draw(*x.shape, seed=5)
        _, slope = torch.func.jvp(lambda x, t: net(x, t, **beside), (x, t), (v, torch.ones_like(t)))
        up, down = (net(x + s * h * v, t + s * h, **beside) for s in (1, -1))
    torch.testing.assert_close(slope, (up - down) / (2 * h), rtol=1e-5, atol=1e-5)


def test_torchs_average_of_models_follows_a_network_and_is_a_model() -> None:
    """The exponential moving average, after k steps: the weights at each, geometrically weighed."""
    decay, x = 0.9, draw(8, 1, 4, 4)
    net = DiT(hidden=8, layers=1, heads=2, generator=rng()).double()
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(decay))
    optimizer = torch.optim.Adam(net.parameters(), 1e-2, fused=True)
    seen = []
    for i in range(5):
        loss = cfm_loss(net, x, generator=rng(i))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update_parameters(net)
        seen.append(torch.cat([p.detach().flatten() for p in net.parameters()]).clone())
    expected = seen[0]
    for weights in seen[1:]:
        expected = decay * expected + (1 - decay) * weights
    own = torch.cat([p.detach().flatten() for p in average.parameters()])
    torch.testing.assert_close(own, expected)
    drawn = sample(average, (2, 1, 4, 4), LinearPath(), Euler(), steps=3, generator=rng(),
                   prediction="velocity", dtype=torch.float64)  # fmt: skip
    assert drawn.shape == (2, 1, 4, 4)


# Bad input

X = torch.zeros(2, 1, 4, 4)
C, M = torch.zeros(2, 3, 6), torch.ones(2, 3).bool()


def small(**options: Any) -> DiT:
    return DiT(hidden=8, layers=1, heads=2, **options)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("channels", lambda: DiT(0)),
        ("hidden", lambda: DiT(hidden=10)),
        ("hidden", lambda: DiT(hidden=0)),
        ("hidden", lambda: DiT(hidden=4, heads=1, patch=(1, 2, 2))),
        ("layers", lambda: DiT(layers=0)),
        ("heads", lambda: DiT(heads=0)),
        ("patch", lambda: DiT(patch=0)),
        ("patch", lambda: DiT(patch=())),
        ("patch", lambda: DiT(patch=(1, 2, 2, 2, 2))),
        ("patch", lambda: DiT(patch=(2, 0.5))),
        ("classes", lambda: DiT(classes=0)),
        ("context_dim", lambda: DiT(context_dim=0)),
        ("joint", lambda: DiT(joint=True)),
        ("joint", lambda: DiT(joint=1)),
        ("joint", lambda: DiT(joint=True, factorised=True, context_dim=6)),
        ("factorised", lambda: DiT(patch=(4,), factorised=True)),
        ("steps", lambda: DiT(steps=0)),
        ("out", lambda: DiT(out=0)),
        ("generator", lambda: DiT(generator=0)),
        ("x", lambda: small()(X[:, :, :3], 0.5)),
        ("x", lambda: small()(X[:, :, :, :3], 0.5)),
        ("x", lambda: small()(X[:, :, :0], 0.5)),
        ("x", lambda: small()(X[:, 0], 0.5)),
        ("x", lambda: small()(X.long(), 0.5)),
        ("x", lambda: small(channels=2)(X, 0.5)),
        ("x", lambda: small(patch=(1, 2, 2))(X, 0.5)),
        ("t", lambda: small()(X, torch.zeros(3))),
        ("t", lambda: small()(X, torch.zeros(2, 1))),
        ("t", lambda: small(steps=10)(X, 11)),
        ("label", lambda: small()(X, 0.5, torch.zeros(2).long())),
        ("label", lambda: small(classes=3)(X, 0.5, torch.zeros(3).long())),
        ("context", lambda: small()(X, 0.5, context=C)),
        ("context", lambda: small(context_dim=6)(X, 0.5, context=C[:1])),
        ("context", lambda: small(context_dim=6)(X, 0.5, context=C[:, 0])),
        ("context", lambda: small(context_dim=6)(X, 0.5, context=C.long())),
        ("context", lambda: small(context_dim=5)(X, 0.5, context=C)),
        ("mask", lambda: small(context_dim=6)(X, 0.5, mask=M)),
        ("mask", lambda: small(context_dim=6)(X, 0.5, context=C, mask=M[:, :2])),
        ("mask", lambda: small(context_dim=6)(X, 0.5, context=C, mask=M.long())),
    ],
)
def test_what_does_not_fit_a_dit_is_named(name: str, call: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call()
