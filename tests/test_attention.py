"""Averages that choose, places, norms that are told the time, and costs that torch counts too."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from genmath import attention as at
from genmath import book
from genmath.nets import causal_mask
from genmath.nets.blocks import Block
from genmath.nets.positions import angles, rotate
from genmath.nets.positions import sinusoids as places_of
from tests.checked import value

CHAPTER = book.chapter("attention")
F64 = torch.float64
SIZES = st.integers(1, 5)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = F64) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=dtype)


# Averages


@given(SIZES, SIZES, SIZES, st.integers(0, 99))
@settings(max_examples=25)
def test_attention_is_the_weights_times_the_values(n: int, m: int, d: int, seed: int) -> None:
    q, k, v = draw(2, n, d, seed=seed), draw(2, m, d, seed=seed + 1), draw(2, m, 3, seed=seed + 2)
    weights = at.attention_weights(q, k)
    torch.testing.assert_close(at.attention(q, k, v), weights @ v)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, n, dtype=F64))
    low, high = v.amin(1, keepdim=True), v.amax(1, keepdim=True)
    assert bool(((weights @ v >= low - 1e-12) & (weights @ v <= high + 1e-12)).all())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_half_precision_keeps_its_dtype(dtype: torch.dtype) -> None:
    q, k, v = (draw(2, 6, 8, seed=seed) for seed in range(3))
    exact = at.attention(q, k, v)
    got = at.attention(*(x.to(dtype) for x in (q, k, v)))
    assert got.dtype == dtype
    error = (got.double() - exact).abs().max()
    assert error < 16 * torch.finfo(dtype).eps


@pytest.mark.parametrize("temperature", [0.3, 1.0, 7.0])
def test_the_temperature_divides_the_scores(temperature: float) -> None:
    q, k, v = draw(1, 4, 9), draw(1, 5, 9, seed=1), draw(1, 5, 2, seed=2)
    torch.testing.assert_close(
        at.attention(q, k, v, temperature=temperature),
        at.attention(q / temperature * 3, k, v),
    )


def test_a_mask_is_the_attention_to_what_is_left() -> None:
    q, k, v = draw(1, 4, 6), draw(1, 5, 6, seed=1), draw(1, 5, 3, seed=2)
    mask = torch.tensor([True, False, True, True, False])
    got = at.attention(q, k, v, mask=mask)
    torch.testing.assert_close(got, at.attention(q, k[:, mask], v[:, mask]))
    assert bool((at.attention_weights(q, k, mask=mask)[..., ~mask] == 0).all())


def test_later_tokens_do_not_move_earlier_ones() -> None:
    def run(x: torch.Tensor) -> torch.Tensor:
        return at.attention(x[None], x[None], x[None], mask=causal_mask(4))[0]

    slopes = torch.autograd.functional.jacobian(run, draw(4, 3))
    for to in range(4):
        for of in range(4):
            assert bool(slopes[to, :, of].abs().max() > 1e-6) == (of <= to)


@given(st.permutations(range(5)))
@settings(max_examples=20)
def test_permuted_tokens_give_permuted_results(order: list[int]) -> None:
    q, k, v = (draw(5, 4, seed=seed) for seed in range(3))
    torch.testing.assert_close(
        at.attention(q, k, v)[order], at.attention(q[order], k[order], v[order])
    )


def test_keys_of_one_length_make_it_a_kernel_average() -> None:
    q, v = draw(3, 4), draw(6, 2, seed=2)
    k = functional.normalize(draw(6, 4, seed=1), dim=-1)
    bell = torch.exp(-(torch.cdist(q, k) ** 2) / (2 * 0.4))
    torch.testing.assert_close(
        at.attention(q, k, v, temperature=0.4), bell @ v / bell.sum(1, keepdim=True)
    )


def test_a_softmax_in_pieces_is_the_whole() -> None:
    """The sums that a loop over pieces of the keys keeps, joined as in the chapter."""
    q, k, v = 5 * draw(1, 4), draw(12, 4, seed=1), draw(12, 1, seed=2)
    claim, kept = CHAPTER.pieces.conclusion, None
    for part in range(0, 12, 3):
        scores = (q @ k[part : part + 3].T)[0] / 2
        top = scores.max()
        weights = (scores - top).exp()
        now = (top, weights.sum(), weights @ v[part : part + 3, 0])
        if kept is None:
            kept = now
            continue
        new = torch.maximum(kept[0], top)
        letters = dict(zip("mZAlYB", (*kept, *now), strict=True))
        joined = value(claim.lhs, M=new, **letters)
        torch.testing.assert_close(joined, value(claim.rhs, **letters))
        scale = [(x - new).exp() for x in (kept[0], top)]
        kept = (new, *(scale[0] * a + scale[1] * b for a, b in zip(kept[1:], now[1:], strict=True)))
    torch.testing.assert_close(joined, at.attention(q, k, v)[0, 0])


def test_scores_of_independent_entries_have_the_spread_of_the_features() -> None:
    for d in (16, 256):
        q, k = draw(400, d), draw(400, d, seed=1)
        spread = float((q @ k.T).var())
        assert spread == pytest.approx(d, rel=0.05)


# Places


@given(st.integers(1, 6), st.floats(-50, 50), st.floats(-50, 50), st.floats(-50, 50))
@settings(max_examples=30)
def test_the_product_of_two_places_knows_their_distance(pairs, first, second, on) -> None:
    places = torch.tensor([first, second, first + on, second + on], dtype=F64)
    a, b, c, d = at.sinusoids(places, 2 * pairs)
    assert a @ b == pytest.approx(float(c @ d), abs=1e-9)
    rates = 1e4 ** (-torch.arange(pairs, dtype=F64) / pairs)
    assert a @ b == pytest.approx(float(((first - second) * rates).cos().sum()), abs=1e-9)


@given(st.integers(1, 3), st.integers(1, 2), st.integers(0, 99), st.floats(-30, 30))
@settings(max_examples=30)
def test_turned_scores_know_differences_alone(axes, pairs, seed, on) -> None:
    q, k = (draw(4, 2 * axes * pairs, seed=seed + i) for i in (0, 1))
    places = 5 * draw(4, axes, seed=seed + 2)

    def scores(at_: torch.Tensor) -> torch.Tensor:
        return at.rope(q, at_) @ at.rope(k, at_).T

    torch.testing.assert_close(scores(places), scores(places + on), atol=1e-9, rtol=0)
    torch.testing.assert_close(at.rope(q, places).norm(dim=-1), q.norm(dim=-1))
    assert torch.equal(at.rope(q, torch.zeros(4)), q)


def test_several_axes_share_the_features() -> None:
    x, places = draw(3, 8), torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    halves = [at.rope(x[:, :4], places[:, 0]), at.rope(x[:, 4:], places[:, 1])]
    assert torch.equal(at.rope(x, places), torch.cat(halves, 1))


def test_the_networks_tell_places_as_here() -> None:
    x, places = draw(2, 3, 6, 8), torch.arange(5, 11)
    torch.testing.assert_close(rotate(x, angles(5, 6, 8, x)), at.rope(x, places))
    rows = torch.arange(5, dtype=F64)
    like = torch.zeros((), dtype=F64)
    torch.testing.assert_close(places_of((5,), 8, like), at.sinusoids(rows, 8))


def test_far_places_keep_their_digits() -> None:
    x = torch.ones(1, 4)
    far = at.rope(x, torch.tensor([10**6 + 1]))
    exact = at.rope(x.double(), torch.tensor([10**6 + 1]))
    assert (far.double() - exact).abs().max() < 1e-6


# Norms and blocks


@given(st.floats(0.1, 50), st.floats(-20, 20), st.integers(0, 99))
@settings(max_examples=30)
def test_what_norms_forget(factor, shift, seed) -> None:
    x = draw(3, 7, seed=seed)
    zero = torch.zeros(1, dtype=F64)
    torch.testing.assert_close(
        at.modulate(factor * x + shift, zero, zero),
        at.modulate(x, zero, zero),
        atol=1e-2,
        rtol=1e-2,
    )
    norm = functional.rms_norm
    torch.testing.assert_close(norm(factor * x, (7,), eps=0.0), norm(x, (7,), eps=0.0))
    torch.testing.assert_close(
        (norm(x, (7,), eps=0.0) ** 2).sum(1), torch.full((3,), 7.0, dtype=F64)
    )


def test_a_shut_gate_is_the_identity_and_opens_first() -> None:
    layer = nn.Linear(4, 4).double()
    gate = torch.zeros(4, dtype=F64, requires_grad=True)
    x = draw(2, 3, 4)
    out = at.adaln_branch(layer, x, 0.1 * draw(4), 0.1 * draw(4), gate)
    assert torch.equal(out, x)
    (out * draw(2, 3, 4, seed=5)).sum().backward()
    assert gate.grad is not None
    assert bool((gate.grad != 0).all())
    assert not layer.weight.grad.any()


def test_what_is_told_may_differ_in_a_batch() -> None:
    x, shift, scale = draw(2, 3, 4), draw(2, 1, 4, seed=1), draw(2, 1, 4, seed=2)
    normed = nn.LayerNorm(4, elementwise_affine=False).double()(x)
    torch.testing.assert_close(at.modulate(x, shift, scale), shift + (1 + scale) * normed)


def test_everything_stays_on_its_device(device: str) -> None:
    x = draw(2, 4, 6, dtype=torch.float32).to(device)
    row = x[:, :1]
    mask = at.group_mask(torch.tensor([0, 0, 1, 1], device=device))
    every = [
        at.attention(x, x, x, mask=mask),
        at.attention_weights(x, x, mask=mask),
        at.rope(x, torch.arange(4, device=device)),
        at.sinusoids(torch.arange(4, device=device), 6),
        at.modulate(x, row, row),
        at.adaln_branch(torch.tanh, x, row, row, row),
    ]
    assert {out.device.type for out in every} == {device}
    assert {out.dtype for out in every} == {torch.float32}


# Masks


def test_masks_of_neighbours_and_groups() -> None:
    near = at.local_mask(5, 1)
    assert near.sum() == 13
    assert torch.equal(near, near.T)
    assert torch.equal(at.local_mask(5, 1, causal=True), near.tril())
    assert torch.equal(at.local_mask(5, 4, causal=True), causal_mask(5))
    frames, places = torch.arange(12) // 4, torch.arange(12) % 4
    assert int(at.group_mask(frames).sum() + at.group_mask(places).sum()) == 12 * (4 + 3)


X, NONE = torch.zeros(4, 2), torch.zeros(4, 0)
SAID = {
    "q": lambda: at.attention_weights(NONE, NONE),
    "q of no token": lambda: at.attention_weights(torch.zeros(0, 2), X),
    "k": lambda: at.attention_weights(X, torch.zeros(0, 2)),
    "k of another dtype": lambda: at.attention_weights(X, X.double()),
    "v": lambda: at.attention(X, X, X.double()),
    "mask": lambda: at.attention(X, X, X, mask=torch.ones(1, 4, 4, dtype=torch.bool)),
    "mask of numbers": lambda: at.attention(X, X, X, mask=torch.ones(4, 4)),
    "places": lambda: at.rope(X, NONE),
    "places that are no numbers": lambda: at.rope(X, torch.ones(4, dtype=torch.bool)),
    "x": lambda: at.rope(NONE, torch.zeros(4)),
    "x of odd features": lambda: at.rope(torch.zeros(4, 3), torch.zeros(4)),
    "shift": lambda: at.modulate(X, torch.zeros(1, 4, 2), X),
    "scale": lambda: at.modulate(X, X, torch.zeros(())),
    "branch": lambda: at.adaln_branch(lambda h: h[:1], X, X, X, X),
    "groups": lambda: at.group_mask(torch.ones(2, 2, dtype=torch.long)),
    "groups that are no numbers": lambda: at.group_mask(torch.ones(2, dtype=torch.bool)),
    "width": lambda: at.block_cost(2, 6, heads=4),
    "height": lambda: at.image_tokens(40, 32),
    "frames": lambda: at.video_tokens(8, 32, 32),
}


@pytest.mark.parametrize("name", SAID)
def test_what_does_not_fit_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name.split()[0]}: got .*, expected "):
        SAID[name]()


# Costs


def kept(block: nn.Module, *inputs: torch.Tensor | None) -> int:
    """How many numbers autograd holds on to, parameters aside, without stored weights."""
    own = {p.untyped_storage().data_ptr() for p in block.parameters()}
    held: dict[int, torch.Tensor] = {}

    def hold(x: torch.Tensor) -> torch.Tensor:
        if x.untyped_storage().data_ptr() not in own:
            held[x.untyped_storage().data_ptr()] = x
        return x

    given = [x if x is None else x.requires_grad_() for x in inputs]
    hooks = torch.autograd.graph.saved_tensors_hooks(hold, lambda x: x)
    with hooks, sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        block(*given)
    return sum(x.untyped_storage().nbytes() // x.itemsize for x in held.values())


@pytest.mark.parametrize("adaln", [True, False])
@pytest.mark.parametrize("context", [0, 5])
@pytest.mark.parametrize(("n", "width", "heads"), [(3, 8, 1), (16, 12, 3), (40, 8, 2)])
def test_costs_are_what_torch_counts(n, width, heads, context, adaln) -> None:
    """For the blocks of which the networks are made."""
    block = Block(width, heads, width if adaln else None, width if context else None)
    sizes = {"heads": heads, "context": context, "adaln": adaln}
    cost = at.block_cost(n, width, **sizes)
    assert cost.parameters == sum(p.numel() for p in block.parameters())
    matrices = sum(p.numel() for p in block.parameters() if p.ndim == 2)
    assert at.block_cost(n, width, bias=False, **sizes).parameters == matrices
    seen = torch.zeros(1, context, width) if context else None
    told = torch.zeros(1, width) if adaln else None
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        block(torch.zeros(1, n, width), told, seen)
    assert cost.flops == counter.get_total_flops()
    assert cost.scores == heads * n * (n + context)
    # What backward keeps: besides, two numbers a token for each norm, one a token and head for each
    # softmax, and of what is told it and its gate, shift and scale for each of two norms.
    stats = 2 * n * (2 + bool(context)) + heads * n * (1 + bool(context)) + 9 * width * adaln
    assert cost.activations + stats == kept(block, torch.zeros(1, n, width), told, seen)
    assert cost.cache == 2 * (n + context) * width
    twice = at.block_cost(n, width, ratio=8, **sizes)
    assert twice.flops - cost.flops == 2 * n * 8 * width**2


def test_known_sizes() -> None:
    """DiT-XL/2: 28 blocks of width 1152, 256 tokens; its paper counts multiply-adds."""
    cost = at.block_cost(at.image_tokens(256, 256), 1152, heads=16)
    assert 28 * cost.flops / 2e9 == pytest.approx(118.6, rel=0.003)
    assert at.image_tokens(1024, 1024) == 4096
    assert at.video_tokens(129, 720, 1280) == 118_800
    assert at.video_tokens(1, 64, 32) == at.image_tokens(64, 32) == 8


# Ties: the functions beside those made from the checked results


def entries(x: torch.Tensor) -> list[torch.Tensor]:
    """A sequence counts from 1; entry 0 is none of it."""
    return [num(0.0), *x]


def num(x: float) -> torch.Tensor:
    return torch.tensor(x, dtype=F64)


def test_tie_attention() -> None:
    q, k, v = draw(1, 3), draw(5, 3, seed=1), draw(5, 1, seed=2)
    letters = {"s": entries(k @ q[0]), "v": entries(v[:, 0]), "n": 5}
    claim = CHAPTER.average["output"].claim
    for side in (claim.lhs, claim.rhs):
        for tau in (0.5, math.sqrt(3)):
            exact = float(value(side, tau=num(tau), **letters))
            assert at.attention(q, k, v, temperature=tau).item() == pytest.approx(exact, rel=1e-12)
            weights = at.attention_weights(q, k, temperature=tau)
            assert (weights @ v).item() == pytest.approx(exact, rel=1e-12)
    # Where no temperature is said it is the one that takes the spread away.
    assert at.attention(q, k, v).item() == pytest.approx(exact, rel=1e-12)
    spread = value(CHAPTER.scaling["scaled"].claim.lhs, a=1.0, b=1.0, d=3)
    raw = value(CHAPTER.scaling["raw"].claim.rhs, a=1.0, b=1.0, d=3)
    assert float(raw / spread) == pytest.approx(math.sqrt(3) ** 2)


def test_tie_slopes() -> None:
    q, k, v = draw(1, 3), draw(4, 3, seed=1), draw(4, 1, seed=2).requires_grad_()
    scores = (k @ q[0]).requires_grad_()
    taken = at.attention(torch.ones(1, 1, dtype=F64), scores[:, None], v, temperature=1.0)
    taken.sum().backward()
    assert scores.grad is not None
    assert v.grad is not None
    rest = scores.detach()[1:].exp()
    letters = {"s": scores[0].item(), "v": v[0].item()}
    letters |= {"R": rest.sum(), "B": (rest * v.detach()[1:, 0]).sum()}
    for part, slope in (("score", scores.grad[0]), ("value", v.grad[0, 0])):
        torch.testing.assert_close(slope, value(CHAPTER.slopes[part].claim.rhs, **letters))


def test_tie_softmax() -> None:
    q, k = draw(1, 3), draw(6, 3, seed=1)
    scores, bound = k @ q[0], CHAPTER.softmax["bound"].claim
    for tau in (0.4, 1.0, 3.0):
        weights = at.attention_weights(q, k, temperature=tau)[0]
        letters = {"s": entries(scores), "tau": tau, "n": 6}
        most = value(bound.rhs, **letters)
        torch.testing.assert_close(value(bound.lhs, w=entries(weights), **letters), most)
        other = draw(6, seed=3).softmax(0)
        assert value(bound.lhs, w=entries(other), **letters) < most


def test_tie_mask() -> None:
    """A bias instead of a mask: what leaks through is the share of the chapter."""
    scores, v, u = draw(6), draw(6, seed=1), 3.0
    seen = torch.tensor([True, True, False, True, False, False])
    sums = {"Z": scores[seen].exp().sum(), "Y": scores[~seen].exp().sum()}
    sums |= {"A": (scores.exp() * v)[seen].sum(), "B": (scores.exp() * v)[~seen].sum()}
    weights = (scores - u * ~seen).softmax(0)
    leak, mixture = CHAPTER.mask["leak"].claim, CHAPTER.mask["mixture"].claim
    torch.testing.assert_close(weights[~seen].sum(), value(leak.lhs, u=u, **sums))
    assert weights[~seen].sum() <= value(leak.rhs, u=u, **sums)
    torch.testing.assert_close(weights @ v, value(mixture.rhs, u=u, **sums))
    one = torch.ones(1, 1, dtype=F64)
    kept = at.attention_weights(one, scores[:, None], mask=seen, temperature=1.0)[0]
    torch.testing.assert_close(kept @ v, value(mixture.rhs, u=math.inf, **sums))


def test_tie_sinusoids() -> None:
    places = torch.tensor([2.0, 7.0], dtype=F64)
    first, second = at.sinusoids(places, 6, base=50.0)
    ratio = float(value(CHAPTER.rates["ratio"].claim.rhs, b=num(50.0), d=6))
    for i in range(3):
        rate = ratio**i
        letters = {"phi": num(2 * rate), "psi": num(5 * rate)}
        # What the slope is taken of: the same at any place, so as at the first.
        product = value(CHAPTER.sinusoids["product"].claim.lhs.body, **letters)
        torch.testing.assert_close(first[[i, i + 3]] @ second[[i, i + 3]], product)
        assert product == pytest.approx(math.cos(5 * rate), abs=1e-12)
        for part, was in (("sine", first[i]), ("cosine", first[i + 3])):
            back = value(CHAPTER.sinusoids[part].claim.lhs.body, **letters)
            torch.testing.assert_close(back, was)


def test_tie_rope() -> None:
    q, k = draw(1, 2), draw(1, 2, seed=1)
    letters = dict(zip(("q_1", "q_2", "k_1", "k_2"), torch.cat([q, k], 1)[0], strict=True))
    for at_q, at_k in ((0.0, 0.0), (3.0, 1.0), (-2.0, 7.5)):
        score = at.rope(q, torch.tensor([at_q])) @ at.rope(k, torch.tensor([at_k])).T
        apart = value(CHAPTER.rope["apart"].claim.rhs, psi=at_q - at_k, **letters)
        torch.testing.assert_close(score[0, 0], apart)
        for turn in (0.0, 0.3, 4.0):  # what the slope is taken of: however far both are turned
            both = CHAPTER.rope["both"].claim.lhs.body
            letters_at = {"phi": at_q, "psi": at_k, "theta": turn, **letters}
            torch.testing.assert_close(score[0, 0], value(both, **letters_at))
        length = value(CHAPTER.rope["length"].claim.lhs, phi=at_q, **letters)
        torch.testing.assert_close(at.rope(q, torch.tensor([at_q])).square().sum(), length)


def test_tie_modulate() -> None:
    """The layer norm of the chapter; torch adds 1e-5 to the variance."""
    x, shift, scale = 30 * draw(1, 8), draw(8, seed=1), draw(8, seed=2)
    mu, v = x.mean(), x.var(correction=0)
    normed = CHAPTER.norms["layer_norm"].claim
    for factor, by in ((1.0, 0.0), (7.0, -3.0)):
        letters = {"x": x[0], "mu": mu, "v": v, "a": factor, "b": by}
        exact = shift + (1 + scale) * value(normed.lhs, **letters)
        got = at.modulate(factor * x + by, shift, scale)[0]
        torch.testing.assert_close(got, exact, atol=1e-6, rtol=1e-6)
        rms = value(CHAPTER.norms["rms_norm"].claim.lhs, x=x[0], r=x.square().mean(), a=factor)
        torch.testing.assert_close(functional.rms_norm(factor * x, (8,), eps=0.0)[0], rms)


def test_tie_adaln_branch() -> None:
    """Two blocks of one feature, whose branch is a function of the modulated one."""
    x, w, y = draw(3, 4), 0.3, 0.7

    def add(h: torch.Tensor, branch: Any) -> torch.Tensor:
        gate = torch.full((4,), w * y, dtype=F64)
        zero = torch.zeros(4, dtype=F64)
        return at.adaln_branch(branch, h, zero, zero, gate) - h

    normed = functional.layer_norm(x, (4,))
    slope = value(CHAPTER.adaln["gate"].claim.rhs, F=lambda h, _: h.sin(), h=normed, y=y, theta=0.0)
    torch.testing.assert_close(add(x, torch.sin), w * slope)
    w = 0.0
    assert not add(x, torch.sin).any()


def test_tie_group_mask() -> None:
    for s, t in ((4, 3), (1, 5), (7, 7)):
        tokens = torch.arange(s * t)
        pairs = at.group_mask(tokens // s).sum() + at.group_mask(tokens % s).sum()
        claim = CHAPTER.factorised["pairs"].claim
        assert int(pairs) == value(claim.lhs, s=s, t=t) == value(claim.rhs, s=s, t=t)


def test_tie_block_cost() -> None:
    parts = [CHAPTER.cost[part].claim for part in ("parameters", "flops", "share", "memory")]
    for n, d in ((5, 8), (256, 1152), (7000, 16)):
        cost = at.block_cost(n, d, bias=False)
        share = cost.pair_flops / cost.flops
        for claim, got in zip(
            parts, (cost.parameters, cost.flops, share, cost.activations), strict=True
        ):
            for side in (claim.lhs, claim.rhs):
                assert float(value(side, n=n, d=d)) == pytest.approx(got, rel=1e-6)
        heads = CHAPTER.cost["heads"].claim
        assert float(value(heads.lhs, n=n, d=d, h=4)) == pytest.approx(cost.pair_flops, rel=1e-6)
    even = at.block_cost(6 * 8, 8)
    assert even.flops == 2 * even.pair_flops


def test_tie_tokens() -> None:
    picture = value(CHAPTER.tokens["picture"].claim.rhs, H=512.0, W=768.0, f=8.0, p=2.0)
    assert at.image_tokens(512, 768) == int(picture)
    for part, got in (
        ("megapixel", at.image_tokens(1024, 1024)),
        ("video", at.video_tokens(129, 720, 1280)),
    ):
        claim = CHAPTER.tokens[part].claim
        assert float(value(claim.lhs)) == float(value(claim.rhs)) == got


TIES = {
    "attention": {
        "attention.average": test_tie_attention,
        "attention.scaling": test_tie_attention,
        "attention.slopes": test_tie_slopes,
    },
    "attention_weights": {
        "attention.average": test_tie_attention,
        "attention.softmax": test_tie_softmax,
        "attention.mask": test_tie_mask,
    },
    "sinusoids": {
        "attention.sinusoids": test_tie_sinusoids,
        "attention.rates": test_tie_sinusoids,
    },
    "rope": {"attention.rope": test_tie_rope},
    "modulate": {"attention.norms": test_tie_modulate},
    "adaln_branch": {"attention.adaln": test_tie_adaln_branch},
    "group_mask": {"attention.factorised": test_tie_group_mask},
    "block_cost": {"attention.cost": test_tie_block_cost},
    "image_tokens": {"attention.tokens": test_tie_tokens},
    "video_tokens": {"attention.tokens": test_tie_tokens},
}
