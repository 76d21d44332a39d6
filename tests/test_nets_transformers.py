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
from torch.utils.flop_counter import FlopCounterMode

from genmath.attention import adaln_branch, block_cost, group_mask
from genmath.flow_matching import cfm_loss
from genmath.guidance import Guided, drop_labels, guide
from genmath.nets import GPT, MLP, DiT, TextEncoder, UNet, ViT
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
    """In float64, and no layer is zero any longer; a U-Net's last one is a convolution."""
    generator = rng(seed)
    with torch.no_grad():
        for layer in net.double().modules():
            if isinstance(layer, Zero) or layer is getattr(net, "last", None):
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
UNETS: dict[str, tuple[dict[str, Any], tuple[int, ...], dict[str, Any]]] = {
    "U-Net that looks": ({"heads": 2}, (3, 1, 8, 4), {}),
    "U-Net": ({"heads": 2, "context_dim": 6, "classes": 4}, (3, 1, 8, 4), {**TEXT, **LABEL}),
}
ALL = {**DITS, **UNETS}


def made(name: str) -> DiT | UNet:
    options = ALL[name][0]
    if name in UNETS:
        return UNet(hidden=4, depth=1, **options, generator=rng())
    return DiT(hidden=12, layers=3, heads=2, **options, generator=rng())


def given_to(name: str) -> tuple[torch.Tensor, dict[str, Any]]:
    return draw(*ALL[name][1]), ALL[name][2]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ALL)
def test_it_is_zero_at_first_and_shaped_like_the_data(name: str, dtype: torch.dtype) -> None:
    net = made(name).to(dtype)
    x, beside = given_to(name)
    if "context" in beside:
        beside = {**beside, "context": beside["context"].to(dtype)}
    out = net(x.to(dtype), 0.3, **beside)
    assert (out.shape, out.dtype) == (
        (3, ALL[name][0].get("out", x.shape[1]), *x.shape[2:]),
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


@pytest.mark.parametrize("name", ALL)
def test_a_gradient_reaches_every_parameter(name: str) -> None:
    """At once where nothing is zero; from the zeros of the start on after a few steps."""
    x, beside = given_to(name)
    net = awake(made(name))
    (net(x, torch.rand(3, generator=rng())) ** 2).sum().backward()  # what stands for no text
    (net(x, torch.rand(3, generator=rng()), **beside) ** 2).sum().backward()
    for key, parameter in net.named_parameters():
        assert (parameter.grad != 0).any(), key
    net = made(name).double()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    target = draw(*net(x, 0.5, **beside).shape, seed=9)
    for _ in range(4):
        optimizer.zero_grad()
        ((net(x, torch.rand(3, generator=rng()), **beside) - target) ** 2).mean().backward()
        optimizer.step()
    for key, parameter in net.named_parameters():
        assert (parameter.grad != 0).any(), key


# What it sees


@pytest.mark.parametrize("name", ALL)
def test_it_sees_the_time_the_whole_of_the_data_and_its_place(name: str) -> None:
    net, (x, beside) = awake(made(name)), given_to(name)
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


@pytest.mark.parametrize("name", ["class", "cross", "joint"])
def test_what_blocks_are_told_is_bent_once_for_all_of_them(name: str) -> None:
    """The sum of time, class and the mean of the context, through the SiLU of adaLN."""
    net, (x, beside) = awake(made(name)), given_to(name)
    heard: list[torch.Tensor] = []
    for block in net.blocks:
        block.register_forward_hook(
            lambda m, given, out: heard.append(given[2] if name == "joint" else given[1])
        )
    net(x, 0.5, **beside)
    told = net.told(x, 0.5, beside.get("label"))
    if "context" in beside:
        told = told + net.context(x, beside["context"], beside["mask"]).mean
    assert len(heard) == 3
    assert all(torch.equal(one, torch.nn.functional.silu(told)) for one in heard)


def test_a_class_and_none_are_told_apart_one_a_sample() -> None:
    net, x = awake(made("class")), draw(3, 1, 8, 6)
    out = net(x, 0.5, torch.tensor([0, 1, 4]))
    assert torch.equal(net(x, 0.5, torch.tensor([4, 4, 4])), net(x, 0.5))
    assert torch.equal(net(x, 0.5)[2], out[2])
    assert all((net(x, 0.5)[:2] != out[:2]).flatten(1).any(1))


@pytest.mark.parametrize("name", ["cross", "joint", "factorised", "U-Net"])
def test_padding_of_a_text_is_not_seen_and_none_is_a_text_all_masked(name: str) -> None:
    net, (x, _) = awake(made(name)), given_to(name)
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


def test_each_stream_of_a_joint_block_has_gates_of_its_own() -> None:
    joint = awake(JointBlock(8, 2, 6))
    x, context, told = draw(2, 4, 8), draw(2, 3, 8, seed=2), draw(2, 6, seed=3)
    for norm in (joint.other.norm, joint.other.before):
        torch.nn.init.zeros_(norm.tell.weight)
        torch.nn.init.zeros_(norm.tell.bias)
    moved = joint(x, context, told)
    assert not torch.equal(moved[0], x)
    assert torch.equal(moved[1], context)


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


# Readers: of images, of texts


def test_a_vit_says_a_vector_for_each_patch_and_their_mean() -> None:
    net = ViT(2, 12, 3, 2, (2, 3), generator=rng()).double()
    x = draw(3, 2, 4, 9).requires_grad_()
    tokens = net.tokens(x)
    assert tokens.shape == (3, 6, 12)
    assert torch.equal(net(x), tokens.mean(1))
    tokens[0, 3, 5].backward()
    assert (x.grad[0] != 0).all()
    assert not x.grad[1:].any()
    assert ViT(2, 12, 1, 2, (2, 3), out=5, generator=rng()).double()(x).shape == (3, 5)
    assert not torch.allclose(net(x.flip(2)), net(x))  # places are told


def test_patches_that_are_left_out_are_not_seen_and_the_order_of_the_others_is_free() -> None:
    net = ViT(1, 12, 3, 2, generator=rng()).double()
    x = draw(2, 1, 4, 6)
    everything = torch.arange(6).expand(2, -1)
    torch.testing.assert_close(net.tokens(x, everything), net.tokens(x))
    kept = torch.tensor([[0, 5, 2], [4, 1, 3]])
    few = net.tokens(x, kept)
    assert few.shape == (2, 3, 12)
    other = x.clone()
    other[0, :, :2, 2:4] = 100.0  # the second patch of the first row
    assert torch.equal(net.tokens(other, kept)[0], few[0])
    assert not torch.allclose(net.tokens(other)[0], net.tokens(x)[0])
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(net.tokens(x, kept[:, order].int()), few[:, order])


IDS = torch.tensor([[1, 5, 2, 3], [4, 4, 0, 0], [0, 0, 0, 0]])
THERE = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]]).bool()


def reader(**options: Any) -> TextEncoder:
    return TextEncoder(6, 12, 3, 2, **options, generator=rng())


def test_a_padded_text_says_the_same_as_the_text() -> None:
    net = reader(out=5).double()
    tokens, pooled = net(IDS, THERE)
    assert (tokens.shape, pooled.shape) == ((3, 4, 12), (3, 5))
    for i, n in enumerate((4, 2, 0)):
        alone = net(IDS[i : i + 1, :n])
        torch.testing.assert_close(tokens[i : i + 1, :n], alone.tokens, rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(pooled[i : i + 1], alone.pooled, rtol=1e-11, atol=1e-11)
        assert not tokens[i, n:].any()
    other = torch.where(THERE, IDS, 5)
    assert all(map(torch.equal, net(other, THERE), (tokens, pooled)))
    assert not torch.allclose(net(IDS).pooled[1], pooled[1])


def test_a_reader_of_texts_knows_the_order_and_looks_both_ways() -> None:
    net = reader().double()
    said, back = net(IDS), net(IDS.flip(1))
    assert not torch.allclose(said.pooled[0], back.pooled[0])
    other = IDS.clone()
    for place in (0, 3):
        other[0, place] = 4
        changed = (net(other).tokens != said.tokens).any(2)
        assert changed[0].all()
        assert not changed[1:].any()


def test_an_encoder_and_a_dit_say_the_same_of_a_text_however_it_is_padded() -> None:
    text, net, x = reader().double(), awake(DiT(hidden=12, layers=2, heads=2, context_dim=12,
                                                generator=rng())), draw(3, 1, 4, 4)  # fmt: skip
    padded = torch.cat([IDS, IDS], 1), torch.cat([THERE, torch.zeros_like(THERE)], 1)
    short = net(x, 0.5, context=text(IDS, THERE).tokens, mask=THERE)
    long = net(x, 0.5, context=text(*padded).tokens, mask=padded[1])
    torch.testing.assert_close(long, short, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(net(x, 0.5)[2], short[2], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_readers_have_the_dtype_of_their_parameters(dtype: torch.dtype) -> None:
    net = reader().to(dtype)
    exact, said = reader().double()(IDS, THERE), net(IDS.int(), THERE)
    for a, b in zip(said, exact, strict=True):
        assert a.dtype == dtype
        error = 50 * torch.finfo(dtype).eps
        torch.testing.assert_close(a.double(), b, rtol=error, atol=error)
    assert ViT(hidden=12, heads=2).to(dtype)(draw(2, 1, 4, 4).to(dtype)).dtype == dtype


READERS = {
    "ViT": (lambda: ViT(hidden=12, layers=2, heads=2, out=3, generator=rng()), draw(3, 1, 4, 4)),
    "TextEncoder": (reader, IDS),
}


@pytest.mark.parametrize("name", READERS)
def test_a_gradient_reaches_every_parameter_of_a_reader(name: str) -> None:
    make, x = READERS[name]
    net = make().double()
    out = net(x)
    out = out if name == "ViT" else out.pooled
    (out**2).sum().backward()
    for key, parameter in net.named_parameters():
        assert (parameter.grad != 0).any(), key


@pytest.mark.parametrize("name", READERS)
def test_a_reader_is_made_by_its_generator_and_saved_and_loaded(name: str) -> None:
    make, x = READERS[name]
    torch.manual_seed(0)
    before = torch.get_rng_state()
    net, fresh = make().double(), make().double()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, net.parameters(), fresh.parameters()))
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=rng(3), dtype=p.dtype))
    fresh.load_state_dict(net.state_dict())
    said, again = net(x), fresh(x)
    assert torch.equal(said, again) if name == "ViT" else all(map(torch.equal, said, again))


WORDS = torch.tensor([[1, 2], [2, 1], [1, 1], [2, 2]])
"""The first word says whether the left half is light, the second the same of the right."""


@pytest.mark.parametrize("kind", ["cross", "joint", "U-Net"])
def test_a_text_is_learned_with_the_order_of_its_words(kind: str) -> None:
    pictures = torch.where(WORDS == 1, 1.0, -1.0).repeat_interleave(2, 1)[:, None, None]
    pictures = pictures.expand(4, 1, 4, 4)
    text = TextEncoder(3, 16, 1, 2, generator=rng())
    net: torch.nn.Module
    if kind == "U-Net":
        net = UNet(hidden=8, depth=1, heads=2, context_dim=16, generator=rng())
    else:
        joint = kind == "joint"
        net = DiT(1, 16, 2, 2, context_dim=16, joint=joint, generator=rng())
    parameters = [*text.parameters(), *net.parameters()]
    optimizer, generator = torch.optim.Adam(parameters, 2e-3, fused=True), rng(1)
    noise = torch.randn(16, 1, 4, 4, generator=generator)
    for _ in range(400):
        noise.normal_(generator=generator)
        said = net(noise, 1.0, context=text(WORDS.repeat(4, 1)).tokens)
        loss = ((said - pictures.repeat(4, 1, 1, 1)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.05:  # whoever knows the words and not their order has 0.5
            break
    assert loss < 0.05


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
    like = {"hidden": d, "layers": layers, "heads": 2}
    assert size(DiT(**like)) == ends + layers * block
    assert size(DiT(**like, classes=5)) == ends + layers * block + 6 * d
    cross = block + attention + 2 * d
    assert size(DiT(**like, context_dim=6)) == ends + text + layers * cross
    joint = (2 * layers - 1) * block + linear(d, 2 * d) + linear(d, 2 * d)
    assert size(DiT(**like, context_dim=6, joint=True)) == ends + text + joint


@pytest.mark.parametrize("told", [None, 8])
@pytest.mark.parametrize("context", [None, 8])
def test_a_block_costs_what_the_chapter_says(told: int | None, context: int | None) -> None:
    block, n, m = Block(8, 2, told, context), 5, 0 if context is None else 3
    cost = block_cost(n, 8, heads=2, context=m, adaln=told is not None)
    assert size(block) == cost.parameters
    beside = None if context is None else torch.zeros(1, m, 8)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counted:
        block(torch.zeros(1, n, 8), None if told is None else torch.zeros(1, 8), beside)
    assert counted.get_total_flops() == cost.flops


def test_factorised_attention_is_attention_within_groups() -> None:
    """Frames and places as masks of one attention over everything."""
    whole = awake(Block(8, 2, 6))
    x, told = draw(2, 3, 4, 8), draw(2, 6, seed=2)
    token = torch.arange(12)
    frames, places = group_mask(token // 4), group_mask(token % 4)
    masked = whole(x.flatten(1, 2), told, mask=frames).reshape(x.shape)
    torch.testing.assert_close(whole(x, told), masked)
    over_time = whole(x.transpose(1, 2), told).transpose(1, 2)
    masked = whole(x.flatten(1, 2), told, mask=places).reshape(x.shape)
    torch.testing.assert_close(over_time, masked)


def test_a_told_block_is_two_branches_of_the_chapter() -> None:
    block, x, told = awake(Block(8, 2, 6)), draw(2, 5, 8), draw(2, 6, seed=2)
    shift, scale, gate = block.norm.tell(told).unsqueeze(1).chunk(3, -1)
    between = adaln_branch(block.attention, x, shift, scale, gate)
    shift, scale, gate = block.before.tell(told).unsqueeze(1).chunk(3, -1)
    expected = adaln_branch(block.perceptron, between, shift, scale, gate)
    torch.testing.assert_close(block(x, told), expected)


def test_words_guide_a_dit_and_no_words_are_the_null() -> None:
    """The condition is the words themselves, 0 where there is none."""
    text, net = reader().double(), awake(DiT(1, 12, 2, 2, context_dim=12, generator=rng()))

    def model(x: torch.Tensor, t: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        return net(x, t, context=text(words, words > 0).tokens, mask=words > 0)

    words, null = torch.tensor([[1, 5, 2], [4, 0, 0]]), torch.zeros(3).long()
    x, t = draw(2, 1, 4, 4), torch.tensor([0.5, 0.7], dtype=torch.float64)
    assert not drop_labels(words, null, 1.0, generator=rng()).any()
    conditional = net(x, t, context=text(words, words > 0).tokens, mask=words > 0)
    expected = guide(conditional, net(x, t), 3.0)
    torch.testing.assert_close(Guided(model, words, null, scale=3.0)(x, t), expected)


def test_the_parameters_of_the_others_are_as_many_as_is_counted() -> None:
    """In a block without adaLN 12 d² + 13 d: 9 d of biases and 4 d of norms."""
    d, layers, v = 12, 3, 7
    blocks = layers * (12 * d**2 + 13 * d) + 2 * d  # and a norm at the end
    like = {"hidden": d, "layers": layers, "heads": 2}
    assert size(ViT(2, patch=(3, 1), **like)) == blocks + 6 * d + d
    assert size(ViT(2, patch=(3, 1), **like, out=5)) == blocks + 6 * d + d + 5 * d + 5
    assert size(TextEncoder(v, **like)) == blocks + (v + 1) * d + d**2 + d
    assert size(TextEncoder(v, **like, out=5)) == blocks + (v + 1) * d + 5 * d + 5
    assert size(GPT(v, 9, **like)) == blocks + (v + 1) * d + v * d + v
    h, w = 4, 8  # a U-Net of two sizes, and what its looking adds
    plain = UNet(hidden=h, depth=1)
    looks = UNet(hidden=h, depth=1, heads=2)
    reads = UNet(hidden=h, depth=1, heads=2, context_dim=6)
    assert size(looks) - size(plain) == 12 * w**2 + 9 * w + 6 * w * (4 * h + 1)
    cross, text = 4 * w**2 + 4 * w + 2 * w, 6 * w + w + w + 4 * h * (w + 1)
    assert size(reads) - size(looks) == cross + text


@pytest.mark.parametrize("name", ALL)
def test_weights_come_from_the_generator_alone_and_are_saved_and_loaded(name: str) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    a, b = made(name), made(name)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, a.parameters(), b.parameters()))
    x, beside = given_to(name)
    net, fresh = awake(a), made(name).double()
    fresh.load_state_dict(net.state_dict())
    for other in (fresh, copy.deepcopy(net)):
        assert torch.equal(other(x, 0.5, **beside), net(x, 0.5, **beside))


@pytest.mark.parametrize("name", ALL)
def test_no_sample_depends_on_its_batch(name: str) -> None:
    net, (x, beside) = awake(made(name)), given_to(name)
    alone = [
        net(x[i : i + 1], 0.5, **{k: v[i : i + 1] for k, v in beside.items()}) for i in range(3)
    ]
    torch.testing.assert_close(torch.cat(alone), net(x, 0.5, **beside), rtol=1e-9, atol=1e-9)
    none = net(x[:0], 0.5, **{key: value[:0] for key, value in beside.items()})
    assert none.shape == (0, *net(x, 0.5).shape[1:])


@pytest.mark.parametrize("name", ALL)
def test_mixed_precision_says_nearly_the_same_and_reaches_every_parameter(name: str) -> None:
    net, (x, beside) = awake(made(name)).float(), given_to(name)
    if "context" in beside:
        beside = {**beside, "context": beside["context"].float()}
    exact = net(x.float(), 0.5, **beside).detach()
    with torch.autocast("cpu", torch.bfloat16):
        out = net(x.float(), 0.5, **beside)
    assert ((out - exact).norm() / exact.norm()).item() < 0.1
    out.float().square().sum().backward()
    for key, parameter in net.named_parameters():
        assert (parameter.grad != 0).any(), key


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_torch_compile_finds_one_graph(name: str) -> None:
    net, (x, beside) = awake(made(name)), given_to(name)
    torch.compiler.reset()
    whole = torch.compile(net, fullgraph=True, backend="eager")
    for t in (torch.rand(3, generator=rng()), 0.3):
        torch.testing.assert_close(whole(x, t, **beside), net(x, t, **beside))


@pytest.mark.slow
def test_torch_compile_reads_no_times_and_no_steps() -> None:
    x = draw(3, 2)
    for net, times in (
        (MLP(2, hidden=4, layers=1, generator=rng()), [torch.tensor(0.3), 0.3, 0.4]),
        (MLP(2, hidden=4, layers=1, steps=9, generator=rng()), [torch.tensor([1, 2, 9]), 3]),
    ):
        torch.compiler.reset()
        whole = torch.compile(net.double(), fullgraph=True, backend="eager")
        for t in times:
            torch.testing.assert_close(whole(x, t), net(x, t))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*READERS, "GPT"])
def test_torch_compile_finds_one_graph_of_a_reader(name: str) -> None:
    make, x = READERS.get(name, (lambda: GPT(6, 4, 8, generator=rng()), IDS))
    net = make().double()
    torch.compiler.reset()
    said = torch.compile(net, fullgraph=True, backend="eager")(x)
    torch.testing.assert_close(tuple(said), tuple(net(x)))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # by torch itself
@pytest.mark.parametrize("name", ["plain", "cross", "joint"])
def test_forward_slopes_go_through_with_attention_written_out(name: str) -> None:
    """Jacobian–vector products, as average velocities need them."""
    net, (x, beside) = awake(made(name)), given_to(name)
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
        ("heads", lambda: UNet(hidden=4, heads=3)),
        ("heads", lambda: UNet(heads=0)),
        ("heads", lambda: UNet(context_dim=6)),
        ("context_dim", lambda: UNet(heads=2, context_dim=0)),
        ("context", lambda: UNet(heads=2)(X, 0.5, context=C)),
        ("context", lambda: UNet(heads=2, context_dim=5)(X, 0.5, context=C)),
        ("mask", lambda: UNet(heads=2, context_dim=6)(X, 0.5, mask=M)),
        ("channels", lambda: ViT(0)),
        ("hidden", lambda: ViT(hidden=10)),
        ("hidden", lambda: ViT(hidden=2, heads=1)),
        ("layers", lambda: ViT(layers=0)),
        ("patch", lambda: ViT(patch=(0, 2))),
        ("out", lambda: ViT(out=0)),
        ("x", lambda: ViT(hidden=8)(X[:, :, :3])),
        ("places", lambda: ViT(hidden=8).tokens(X, torch.zeros(2).long())),
        ("places", lambda: ViT(hidden=8).tokens(X, torch.zeros(3, 1).long())),
        ("places", lambda: ViT(hidden=8).tokens(X, torch.full((2, 1), 4))),
        ("vocabulary", lambda: TextEncoder(1)),
        ("hidden", lambda: TextEncoder(6, 10, heads=4)),
        ("hidden", lambda: TextEncoder(6, 1, heads=1)),
        ("layers", lambda: TextEncoder(6, layers=0)),
        ("out", lambda: TextEncoder(6, out=0)),
        ("x", lambda: reader()(IDS[0])),
        ("x", lambda: reader()(IDS + 1)),
        ("x", lambda: reader()(IDS.float())),
        ("mask", lambda: reader()(IDS, THERE[:, :3])),
        ("mask", lambda: reader()(IDS, THERE.long())),
    ],
)
def test_what_does_not_fit_is_named(name: str, call: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call()
