"""What the whole system adds to its parts, against what is known exactly."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath import book
from genmath.attention import block_cost
from genmath.multimodal import (
    best_of,
    clip_cost,
    guide_two,
    inverse_mu_law,
    mu_law,
    score_distillation,
    volume_weights,
)
from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Chain
from genmath.proof.language.tree import Node
from tests.checked import value

CHAPTER = book.chapter("multimodal")
SIZES = st.integers(1, 60)
NUMBERS = st.floats(-4, 4)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def result(name: str, part: str) -> Claim:
    claim: Claim = getattr(CHAPTER, name)[part].claim
    return claim


def chain(name: str, part: str) -> Chain:
    found: Chain = next(c for c in getattr(CHAPTER, name).chains if c.name == part)
    return found


def first_step(name: str, part: str) -> Node:
    """Where a part begins with an equality and goes on with a bound: the equality's right side."""
    return chain(name, part).steps[0].rhs


# Steering


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_tie_guide_two(null: float, first: float, both: float, u: float, s: float) -> None:
    made = guide_two(*(torch.tensor([[v]], dtype=torch.float64) for v in (null, first, both)), u, s)
    letters = {"epsilon_n": null, "epsilon_y": first, "epsilon_{yc}": both, "u": u, "s": s}
    expected = value(result("two_conditions", "network").rhs, **letters)
    torch.testing.assert_close(made.squeeze(), torch.as_tensor(expected, dtype=torch.float64))


def test_two_scales_at_their_marks() -> None:
    null, first, both = (torch.randn(5, 3, generator=rng(i)) for i in range(3))
    torch.testing.assert_close(guide_two(null, first, both, 0.0, 0.0), null)
    torch.testing.assert_close(guide_two(null, first, both, 1.0, 0.0), first)
    torch.testing.assert_close(guide_two(null, first, both, 1.0, 1.0), both)
    half = guide_two(null.half(), first.half(), both.half(), 1.5, 7.0)
    assert half.dtype == torch.float16


@given(st.integers(1, 40))
def test_tie_best_of(n: int) -> None:
    """The law of the kept rank among n draws from a fine grid of ranks, exactly."""
    cells = 4000
    edges = torch.linspace(0, 1, cells + 1, dtype=torch.float64)
    kept = (edges**n).diff()  # the best of n is below u where all are
    nats = torch.where(kept > 0, kept * (kept * cells).log(), torch.zeros_like(kept)).sum()
    price = value(first_step("best_of", "price"), n=n)
    assert float(nats) == pytest.approx(float(price), abs=2e-3)
    middles = (edges[1:] + edges[:-1]) / 2
    rank = value(result("best_of", "rank").rhs, n=n)
    assert float((kept * middles).sum()) == pytest.approx(float(rank), abs=1e-3)


@pytest.mark.parametrize("n", [1, 3, 8])
def test_the_mean_rank_of_what_is_kept(n: int) -> None:
    scores = torch.rand(20_000, n, generator=rng(), dtype=torch.float64)
    kept = best_of(scores.unsqueeze(2), scores).squeeze(1)
    torch.testing.assert_close(kept, scores.amax(1))
    rank = float(value(result("best_of", "rank").rhs, n=n))
    assert float(kept.mean()) == pytest.approx(rank, abs=0.01)


def test_the_best_is_kept_whole() -> None:
    samples = torch.arange(24.0).reshape(2, 3, 2, 2)
    kept = best_of(samples, torch.tensor([[0.0, 2.0, 1.0], [5.0, 5.0, -1.0]]))
    torch.testing.assert_close(kept, torch.stack([samples[0, 1], samples[1, 0]]))
    with pytest.raises(ValueError, match=r"^scores: got .*, expected shape \(2, 3\)"):
        best_of(samples, torch.zeros(2, 2))


# What a clip costs


@given(SIZES, SIZES, st.integers(1, 2048))
def test_tie_clip_cost(n: int, m: int, d: int) -> None:
    letters, close = {"n": n, "m": m, "d": d}, partial(pytest.approx, rel=1e-6)
    whole = clip_cost(n, m, d)
    assert whole == close(float(value(CHAPTER.names["whole"], **letters)))
    alternating = clip_cost(n, m, d, attention="alternating")
    saved = float(value(first_step("clip_cost", "alternating"), **letters))
    assert 2 * (whole - alternating) == close(saved)
    both = clip_cost(n, m, d, attention="both")
    assert whole - both == close(float(value(result("clip_cost", "both").rhs, **letters)))


def test_one_frame_costs_what_a_picture_costs() -> None:
    assert clip_cost(1, 256, 64) == block_cost(256, 64).flops
    with pytest.raises(ValueError, match=r"^attention: got 'half'"):
        clip_cost(1, 256, 64, attention="half")


# From pictures to scenes


@settings(max_examples=50)
@given(st.lists(st.floats(0, 20), min_size=1, max_size=12), st.integers(0, 1000))
def test_tie_volume_weights(depth: list[float], seed: int) -> None:
    density = torch.tensor(depth, dtype=torch.float64)
    lengths = torch.rand(len(depth), generator=rng(seed), dtype=torch.float64)
    weights = volume_weights(density, lengths)
    taken = value(result("volume", "segment").rhs, sigma=density, delta=lengths)
    light = torch.cat([torch.ones(1, dtype=torch.float64), (1 - taken).cumprod(0)])
    torch.testing.assert_close(weights, light[:-1] * taken)
    total = value(first_step("volume", "sum"), n=len(depth), T=light.tolist())
    torch.testing.assert_close(weights.sum(), torch.as_tensor(total, dtype=torch.float64))
    assert 0 <= float(weights.sum()) <= 1 + 1e-12


def test_weights_do_not_depend_on_how_a_ray_is_cut() -> None:
    density, lengths = (
        torch.tensor([[0.5, 2.0], [0.0, 3.0]]),
        torch.tensor([[1.0, 0.4], [0.3, 0.2]]),
    )
    coarse = volume_weights(density, lengths)
    fine = volume_weights(density.repeat_interleave(3, 1), lengths.repeat_interleave(3, 1) / 3)
    torch.testing.assert_close(fine.reshape(2, 2, 3).sum(2), coarse)


def test_a_wall_hides_what_is_behind() -> None:
    weights = volume_weights(torch.tensor([0.0, 1e6, 1.0]), torch.ones(3))
    torch.testing.assert_close(weights, torch.tensor([0.0, 1.0, 0.0]))


@pytest.mark.parametrize("last", [1e10, math.inf])
def test_a_segment_without_end_takes_what_the_others_let_through(last: float) -> None:
    """The last length of most renderers; float32 would lose what is before it in the sum."""
    weights = volume_weights(torch.tensor([0.5, 0.5, 1.0]), torch.tensor([1.0, 1.0, last]))
    torch.testing.assert_close(weights[-1], torch.tensor(-1.0).exp())
    torch.testing.assert_close(weights.sum(), torch.tensor(1.0))
    assert volume_weights(torch.ones(3, 0), torch.ones(3, 0)).shape == (3, 0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_once(dtype: torch.dtype) -> None:
    depth = torch.rand(64, generator=rng()).to(dtype)
    x = (2 * torch.rand(2000, generator=rng(1)) - 1).to(dtype)
    for function, at in (
        (lambda v: volume_weights(v / 4, torch.ones_like(v)), depth),
        (mu_law, x),
        (inverse_mu_law, x),
    ):
        assert torch.equal(function(at), function(at.float()).to(dtype))


@given(NUMBERS, NUMBERS, NUMBERS, st.floats(0.1, 2))
def test_tie_score_distillation(theta: float, guess: float, eps: float, alpha: float) -> None:
    """Through a rendering g(theta) = theta^3, by hand and by the checked line."""
    at = torch.tensor([theta], dtype=torch.float64, requires_grad=True)
    x = (at**3).unsqueeze(1)
    pair = (torch.tensor([[v]], dtype=torch.float64) for v in (guess, eps))
    score_distillation(x, *pair, weight=alpha).backward()
    followed = chain("distillation", "noise").steps[0].lhs.body
    expected = value(
        followed,
        epsilon=eps, alpha=alpha, sigma=0.5, theta=theta,
        eps_hat=lambda x_t: torch.as_tensor(guess, dtype=torch.float64),
        g=lambda v: v**3, g_prime=lambda v: 3 * v**2,
    )  # fmt: skip
    assert at.grad is not None
    assert float(at.grad) == pytest.approx(float(expected), rel=1e-9, abs=1e-12)


def test_nothing_flows_through_the_network() -> None:
    x = torch.randn(4, 3, generator=rng(), requires_grad=True)
    net = torch.nn.Linear(3, 3)
    noise = torch.randn(4, 3, generator=rng(1))
    predicted = net(0.8 * x + 0.6 * noise)
    score_distillation(x, predicted, noise).backward()
    assert net.weight.grad is None
    assert x.grad is not None
    torch.testing.assert_close(x.grad, (predicted.detach() - noise) / 4)


# Sound


@given(st.floats(1e-6, 1), st.floats(0.1, 1000))
def test_tie_mu_law(amount: float, mu: float) -> None:
    x = torch.tensor([amount], dtype=torch.float64, requires_grad=True)
    mu_law(x, mu).sum().backward()
    assert x.grad is not None
    at = {"x": x.detach(), "mu": torch.tensor([mu], dtype=torch.float64)}
    slope = value(result("mu_law", "slope").rhs, **at)
    assert float(x.grad) == pytest.approx(float(slope), rel=1e-9)
    back = result("mu_law", "back").rhs
    there = mu_law(inverse_mu_law(x.detach(), mu), mu)
    assert float(there) == pytest.approx(float(value(back, **at)), rel=1e-9)


def test_the_mu_law_keeps_the_sign_and_the_ends() -> None:
    ends = torch.tensor([-1.0, 0.0, 1.0])
    torch.testing.assert_close(mu_law(ends), ends)
    torch.testing.assert_close(inverse_mu_law(ends), ends)
    x = torch.linspace(-1, 1, 101)
    torch.testing.assert_close(inverse_mu_law(mu_law(x)), x)
    torch.testing.assert_close(mu_law(-x), -mu_law(x))
    assert math.isclose(float(mu_law(torch.tensor(0.01))), 0.2285, abs_tol=1e-3)


TIES = {
    "guide_two": {"multimodal.two_conditions": test_tie_guide_two},
    "best_of": {"multimodal.best_of": test_tie_best_of},
    "clip_cost": {"multimodal.clip_cost": test_tie_clip_cost},
    "volume_weights": {"multimodal.volume": test_tie_volume_weights},
    "score_distillation": {"multimodal.distillation": test_tie_score_distillation},
    "mu_law": {"multimodal.mu_law": test_tie_mu_law},
    "inverse_mu_law": {"multimodal.mu_law": test_tie_mu_law},
}
