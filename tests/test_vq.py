"""Discrete codes: quantisers against brute force and checked results, and two stages end to end."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genmath import book
from genmath.autoregressive import nll
from genmath.likelihood import kmeans
from genmath.nets import GPT, PixelCNN
from genmath.proof.language.derivation import Chain
from genmath.proof.language.tree import Named, Node
from genmath.vae import gaussian_log_likelihood
from genmath.vq import (
    FSQ,
    VQVAE,
    GumbelSoftmax,
    Quantizer,
    TwoStage,
    VectorQuantizer,
    code_perplexity,
    nearest_code,
    straight_through,
)
from tests.checked import checked, value

CHAPTER = book.chapter("vq")


def rng(seed: int = 0, device: str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


def number(x: float) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64)


def defined(name: str) -> Node:
    """A letter that the chapter defines."""
    return next(
        node
        for derivation in CHAPTER.derivations
        for chain in derivation.chains
        for step in chain.steps
        for side in (step.lhs, step.rhs)
        for node in side.walk()
        if isinstance(node, Named) and node.name == name
    )


def chain(result: str, name: str | None = None) -> Chain:
    """A part of a result with all its steps."""
    return next(c for c in getattr(CHAPTER, result).chains if c.name == name)


# The nearest code


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 6), st.integers(0, 10**6))
@settings(max_examples=60)
def test_the_nearest_code_is_that_of_all_distances(codes, dim, n, seed) -> None:
    table, z = normal(codes, dim, seed=seed), normal(n, 3, dim, seed=seed + 1)
    away = (z[:, :, None] - table).square().sum(-1)
    assert torch.equal(nearest_code(z, table), away.argmin(-1))
    cosine = nn.functional.cosine_similarity(z[:, :, None], table, dim=-1)
    assert torch.equal(nearest_code(z, table, metric="cosine"), cosine.argmax(-1))


def test_far_from_zero_the_nearest_code_keeps_its_digits() -> None:
    table = torch.tensor([[1e4, 1e4], [1e4 + 1, 1e4]])
    z = table + torch.tensor([[0.2, 0.0], [-0.2, 0.0]])
    assert nearest_code(z, table).tolist() == [0, 1]


def test_of_equally_near_codes_it_is_the_first() -> None:
    assert nearest_code(torch.zeros(1, 1), torch.tensor([[2.0], [-2.0], [2.0]])).item() == 0


def test_an_unknown_metric_and_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^metric: got 'manhattan', expected one of"):
        nearest_code(normal(2, 3), normal(4, 3), metric="manhattan")
    with pytest.raises(ValueError, match=r"^z: got .* expected shape \(…, 3\)"):
        nearest_code(normal(2, 2), normal(4, 3))


# Straight through


def test_the_value_is_the_targets_to_the_last_digit_and_the_slope_is_that_of_z() -> None:
    z = torch.full((3,), 1e8, requires_grad=True)
    target = torch.tensor([1e-8, 0.3, -5.0])
    out = straight_through(z, target)
    assert torch.equal(out, target)
    (slope,) = torch.autograd.grad((out**2).sum(), z)
    assert torch.equal(slope, 2 * target)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.floats(0.1, 3))
def test_tie_straight_through(z, e, a, lam) -> None:
    """For any function the slope at the code; on a quadratic with the checked bias."""
    at = number(z).reshape(1).requires_grad_()
    out = straight_through(at, number(e).reshape(1))
    (slope,) = torch.autograd.grad(torch.sin(out).sum(), at, retain_graph=True)
    exact = value(
        CHAPTER.straight_through["exact"].claim.rhs, L_prime=torch.cos, z=number(z), c=number(e - z)
    )
    torch.testing.assert_close(slope[0], exact)
    (slope,) = torch.autograd.grad((lam * (out - a) ** 2 / 2).sum(), at)
    told = chain("straight_through", "bias").steps[0].rhs
    exact = value(told, e=number(e), a=number(a), **{"lambda": number(lam)})
    torch.testing.assert_close(slope[0], exact)


def test_the_error_of_rounding_has_the_checked_mean_square() -> None:
    z = (torch.arange(10_000, dtype=torch.float64) + 0.5) / 10_000 * 3
    table = torch.arange(-2.0, 6.0).double()[:, None] * 0.5
    error = table[nearest_code(z[:, None], table), 0] - z
    inside = error[(z > 0.25) & (z < 2.75)]
    square = value(CHAPTER.straight_through["square"].claim.rhs, Delta=number(0.5))
    torch.testing.assert_close(inside.square().mean(), square, rtol=1e-3, atol=0)
    assert inside.mean().abs() < 1e-6


# The perplexity


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_tie_code_perplexity(found) -> None:
    tokens = torch.tensor(found)
    share = torch.bincount(tokens, minlength=6).double() / len(tokens)
    got = code_perplexity(tokens, 6)
    entropy = -(share[share > 0] * share[share > 0].log()).sum()
    torch.testing.assert_close(got, entropy.exp())
    steps = chain("perplexity", "entropy").steps
    bound = value(steps[1].rhs, "K", K=number(6.0))
    assert got <= bound.exp() + 1e-9
    used = share[share > 0]
    exact = value(steps[0].rhs, "K", r=used, K=number(6.0))
    torch.testing.assert_close(got.log(), exact)
    number_of_codes = chain("perplexity", "perplexity").steps[0].rhs
    alike = value(number_of_codes, "K", r=used, K=number(6.0))
    torch.testing.assert_close(alike, number(6.0))


def test_all_codes_alike_are_as_many_as_there_are() -> None:
    assert code_perplexity(torch.arange(7), 7).item() == pytest.approx(7)
    assert code_perplexity(torch.zeros(3, 2).long(), 7).item() == 1


# The learned codebook


def book_of(codes: int, dim: int, **given: object) -> VectorQuantizer:
    return VectorQuantizer(codes, dim, generator=rng(), **given).double()  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4), (2, 3, 2, 4)])
@pytest.mark.parametrize("metric", ["squared", "cosine"])
def test_channels_are_replaced_by_codes_at_each_place(shape, metric) -> None:
    quantizer = book_of(7, 3, metric=metric).eval()
    z = normal(*shape)
    out = quantizer(z)
    assert out.z.shape == z.shape
    assert out.tokens.shape == (shape[0], *shape[2:])
    assert out.loss.shape == shape[:1]
    assert torch.equal(out.z, quantizer.embed(out.tokens))
    assert torch.equal(out.tokens, nearest_code(z.movedim(1, -1), quantizer.table, metric=metric))
    unit = nn.functional.normalize(z, dim=1) if metric == "cosine" else z
    exact = 0.25 * (unit - out.z).square().flatten(1).sum(1)
    torch.testing.assert_close(out.loss, exact)
    if metric == "cosine":
        torch.testing.assert_close(out.z.norm(dim=1), torch.ones_like(out.z[:, 0]))


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.1, 2))
@settings(max_examples=40)
def test_tie_gradients(z, e, beta) -> None:
    """What encoder and code are told, by autograd and by the chapter."""
    quantizer = book_of(1, 1, decay=None, beta=beta)
    with torch.no_grad():
        quantizer.table.fill_(e)
    at = number(z).reshape(1, 1).requires_grad_()
    out = quantizer(at)
    loss = torch.sin(out.z).sum() + out.loss.sum()
    told, code = torch.autograd.grad(loss, [at, quantizer.table])
    letters = {"z": number(z), "z_bar": number(z), "e": number(e), "e_bar": number(e)}
    for got, part in ((told, "encoder"), (code, "code")):
        exact = value(
            CHAPTER.gradients[part].claim.rhs, L_prime=torch.cos, beta=number(beta), **letters
        )
        torch.testing.assert_close(got[0, 0], exact)


@given(st.floats(0, 0.99), st.floats(0.5, 9), st.integers(1, 6), st.integers(0, 10**6))
@settings(max_examples=40)
def test_tie_ema(decay, before, n, seed) -> None:
    quantizer = book_of(1, 2, decay=decay)
    start = quantizer.table.clone()
    quantizer.count.fill_(before)
    quantizer.total.copy_(before * start)
    z = normal(n, 2, seed=seed)
    quantizer(z)
    letters = {"gamma": number(decay), "N_0": number(before), "n": number(float(n))}
    exact = value(CHAPTER.ema["step"].claim.rhs, e_0=start[0], m=z.mean(0), **letters)
    torch.testing.assert_close(quantizer.table[0], exact)
    torch.testing.assert_close(quantizer.count[0], value(defined("N_1"), **letters))


def test_running_means_stand_still_where_k_means_does() -> None:
    x = normal(60, 2)
    best = kmeans(x, 5, generator=rng(1))
    quantizer = book_of(5, 2, decay=0.7)
    quantizer.start(x, generator=rng(1))
    for _ in range(200):
        quantizer(x)
    tokens = quantizer.eval()(x).tokens
    for k in range(5):
        torch.testing.assert_close(quantizer.table[k], x[tokens == k].mean(0))
    torch.testing.assert_close(quantizer.table, best.centres)


def test_nothing_moves_outside_training() -> None:
    quantizer = book_of(4, 2).eval()
    before = {name: x.clone() for name, x in quantizer.state_dict().items()}
    quantizer(normal(30, 2))
    assert all(torch.equal(before[name], x) for name, x in quantizer.state_dict().items())
    quantizer.train()(normal(30, 2))
    assert not torch.equal(before["table"], quantizer.table)


def test_dead_codes_are_put_on_the_farthest_examples_and_others_stay() -> None:
    x = normal(100, 2)
    far = torch.tensor([[50.0, 0.0], [0.0, 40.0]], dtype=torch.float64)
    quantizer = book_of(3, 2, decay=0.0, restart=0.01)
    quantizer.table.copy_(torch.tensor([[0.0, 0.0], [500.0, 0.0], [0.0, 500.0]]))
    quantizer(torch.cat([x, far]))
    assert torch.equal(quantizer.table[1:], far)
    torch.testing.assert_close(quantizer.table[0], torch.cat([x, far]).mean(0))
    without = book_of(3, 2, decay=0.5)
    without.table.copy_(torch.tensor([[0.0, 0.0], [500.0, 0.0], [0.0, 500.0]]))
    without.total.copy_(without.table)
    for _ in range(3):
        without(x)
    torch.testing.assert_close(without.table[1], torch.tensor([500.0, 0.0]).double())


def test_what_is_dead_is_measured_by_the_even_share_and_starts_with_it() -> None:
    """Four codes, 40 examples: the even share is 10, and half of it is 5."""
    table = torch.tensor([[0.0], [10.0], [20.0], [90.0]])
    x = torch.cat([torch.full((n, 1), at) for n, at in ((29, 0.5), (7, 10.5), (4, 24.0))]).double()
    quantizer = book_of(4, 1, decay=0.0, restart=0.5)
    quantizer.table.copy_(table)
    quantizer(x)
    assert quantizer.table[:2, 0].tolist() == [0.5, 10.5]
    assert quantizer.table[2:, 0].tolist() == [24.0, 24.0]  # both too small: on the farthest
    assert quantizer.count.tolist() == [29, 7, 10, 10]
    torch.testing.assert_close(quantizer.total[2:, 0], torch.full((2,), 240.0).double())


def test_of_more_dead_codes_than_examples_as_many_are_restarted() -> None:
    quantizer = book_of(5, 1, decay=0.0, restart=0.5)
    quantizer.table.copy_(torch.arange(5.0)[:, None] + 10)
    quantizer(torch.tensor([[1.0], [2.0]]).double())
    assert sorted(quantizer.table[:, 0].tolist()) == [1.0, 1.5, 2.0, 13.0, 14.0]


def test_a_code_that_is_never_chosen_keeps_its_place_for_ever() -> None:
    quantizer = book_of(2, 1, decay=0.0)
    quantizer.table.copy_(torch.tensor([[0.0], [9.0]]))
    quantizer(torch.zeros(4, 1).double())
    assert quantizer.table.tolist() == [[0.0], [9.0]]


def test_codes_that_compare_directions_keep_length_one() -> None:
    quantizer = book_of(6, 3, metric="cosine", decay=0.8, restart=0.2)
    for seed in range(5):
        quantizer(10 * normal(40, 3, seed=seed))
        torch.testing.assert_close(quantizer.table.norm(dim=1), torch.ones(6).double())


@given(st.integers(1, 3), st.integers(0, 10**6))
@settings(max_examples=20)
def test_tie_nearest(dim, seed) -> None:
    """Between two codes the sign of the checked border decides; cosine is the checked distance."""
    a, b, x = normal(3, dim, seed=seed)
    border = chain("nearest", "border").steps[-1].rhs
    difference = value(border, x=x, a=a, b=b)
    assert nearest_code(x[None], torch.stack([a, b])).item() == int(difference > 0)
    away = value(chain("nearest", "border").start, x=x, a=a, b=b)
    torch.testing.assert_close(difference, away)
    u, v, w = (vector / vector.norm() for vector in (x, a, b))
    cosine = checked(chain("nearest", "cosine").steps[0].rhs)
    nearer = cosine(u=u, v=v) <= cosine(u=u, v=w)
    assert nearest_code(u[None], torch.stack([a, b]), metric="cosine").item() == int(not nearer)


def test_codes_that_compare_directions_start_on_directions() -> None:
    """Two directions at many lengths are two groups; by place they would not be."""
    angle = torch.tensor([0.1, 1.4], dtype=torch.float64).repeat_interleave(20)
    angle += torch.tensor([-0.2, 0.2], dtype=torch.float64).repeat(
        20
    )  # so a mean is not of length one
    length = torch.linspace(0.1, 30, 40, dtype=torch.float64)
    z = length[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    quantizer = book_of(2, 2, metric="cosine")
    quantizer.start(z, generator=rng(1))
    found = torch.atan2(quantizer.table[:, 1], quantizer.table[:, 0]).sort().values
    torch.testing.assert_close(found, torch.tensor([0.1, 1.4], dtype=torch.float64))
    torch.testing.assert_close(quantizer.table.norm(dim=1), torch.ones(2, dtype=torch.float64))


# Rounding


@given(st.lists(st.integers(2, 7), min_size=1, max_size=4))
@settings(max_examples=30)
def test_every_token_has_its_code_and_every_code_its_token(levels) -> None:
    quantizer = FSQ(levels).double()
    every = torch.arange(quantizer.codes)
    assert quantizer.codes == math.prod(levels)
    codes = quantizer.embed(every)
    assert torch.equal(quantizer(torch.atanh(codes)).tokens, every)
    assert len(codes.unique(dim=0)) == quantizer.codes


@given(st.integers(2, 9), st.integers(1, 50), st.floats(-30, 30))
def test_tie_fsq(levels, before, z) -> None:
    quantizer = FSQ([levels]).double()
    out = quantizer(number(z).reshape(1, 1))
    y = math.tanh(z)
    bound = value(CHAPTER.fsq["cell"].claim.rhs, L=levels)
    assert abs(out.z.item() - y) <= bound + 1e-6
    middle = value(defined("e_k"), L=levels, k=out.tokens[0] + 1).double()
    torch.testing.assert_close(out.z[0, 0], middle)
    largest = value(CHAPTER.fsq["token"].claim.rhs, L=levels, M=before)
    end = torch.full((1, 2), 40.0, dtype=torch.float64)
    if before > 1:
        assert FSQ([before, levels])(end).tokens.item() == largest


def test_the_error_of_equal_pieces_has_the_checked_mean_square() -> None:
    for levels in (2, 5):
        y = (torch.arange(9000, dtype=torch.float64) + 0.5) / 4500 - 1
        z = torch.atanh(y)[:, None]
        error = FSQ([levels]).double()(z).z[:, 0] - y
        exact = value(CHAPTER.fsq["error"].claim.rhs, L=levels).double()
        torch.testing.assert_close(error.square().mean(), exact, rtol=1e-3, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_rounding_keeps_the_dtype_and_the_slope_of_tanh(dtype) -> None:
    z = torch.tensor([[0.3, -50.0], [50.0, 0.0]], dtype=dtype, requires_grad=True)
    out = FSQ([5, 4])(z)
    assert out.z.dtype == dtype
    assert out.tokens.max() < 20
    (slope,) = torch.autograd.grad(out.z.sum(), z)
    torch.testing.assert_close(slope, 1 - z.detach().tanh() ** 2)
    assert out.loss.tolist() == [0, 0]


# Gumbel-softmax


def test_tie_gumbel_softmax() -> None:
    """The mixture of two codes has the checked weight at the noise that the generator draws; its
    loss is the checked divergence; at temperature 1 the mean weight is the checked one."""
    n, tau = 50, 0.7
    quantizer = GumbelSoftmax(2, 1, temperature=tau, generator=rng()).double()
    with torch.no_grad():
        quantizer.table.copy_(torch.tensor([[1.0], [0.0]]))
    logits = normal(n, 2)
    out = quantizer(logits, generator=rng(3))
    noise = -torch.empty(n, 2, dtype=torch.float64).exponential_(generator=rng(3)).log()
    letters = {"ell_1": logits[:, 0], "ell_2": logits[:, 1], "G_1": noise[:, 0], "G_2": noise[:, 1]}
    weight = value(CHAPTER.gumbel_softmax["two"].claim.rhs, tau=number(tau), **letters)
    torch.testing.assert_close(out.z[:, 0], weight)
    assert torch.equal(out.tokens, (weight < 0.5).long())
    kl = checked(CHAPTER.bits.conclusion.rhs, "K")(q_phi=logits.softmax(1), K=number(2.0))
    torch.testing.assert_close(out.loss, kl)
    quantizer.temperature, odds = 1.0, 0.25
    many = torch.tensor([-math.log(odds), 0.0], dtype=torch.float64).expand(400_000, 2)
    mean = quantizer(many, generator=rng(4)).z.mean()
    exact = value(CHAPTER.gumbel_softmax["mean"].claim.rhs, a=number(odds))
    torch.testing.assert_close(mean, exact, rtol=0, atol=2e-3)
    assert abs(exact - 1 / (1 + odds)) > 0.05  # not that of the draw


def test_hard_codes_are_codes_with_the_gradient_of_the_mixture() -> None:
    quantizer = GumbelSoftmax(5, 3, hard=True, generator=rng()).double()
    logits = normal(4, 5, 2).requires_grad_()
    out = quantizer(logits, generator=rng(1))
    torch.testing.assert_close(out.z, quantizer.embed(out.tokens))
    (hard,) = torch.autograd.grad(out.z.sum(), logits)
    quantizer.hard = False
    (soft,) = torch.autograd.grad(quantizer(logits, generator=rng(1)).z.sum(), logits)
    torch.testing.assert_close(hard, soft)
    assert hard.abs().sum() > 0
    quantizer.eval()
    assert torch.equal(quantizer(logits).tokens, logits.argmax(1))


def test_a_generator_is_needed_where_something_is_drawn() -> None:
    with pytest.raises(ValueError, match=r"^generator: got None"):
        GumbelSoftmax(3, 2, generator=rng())(torch.zeros(2, 3))


# Two stages


def small(quantizer: Quantizer | None = None) -> VQVAE:
    torch.manual_seed(0)
    quantizer = quantizer or VectorQuantizer(6, 2, generator=rng())
    encoder = nn.Conv2d(1, quantizer.channels, 4, stride=4)
    decoder = nn.ConvTranspose2d(quantizer.dim, 1, 4, stride=4)
    likelihood = partial(gaussian_log_likelihood, log_var=-1.0)
    return VQVAE(encoder, decoder, quantizer, likelihood)


IMAGES = torch.randn(5, 1, 8, 8, generator=rng(7))
QUANTIZERS = {
    "learned": lambda: VectorQuantizer(6, 2, generator=rng()),
    "rounded": lambda: FSQ([3, 2]),
    "gumbel": lambda: GumbelSoftmax(6, 2, generator=rng()),
}


@pytest.mark.parametrize("name", QUANTIZERS)
def test_an_image_becomes_tokens_and_comes_back(name) -> None:
    model = small(QUANTIZERS[name]())
    tokens = model.encode(IMAGES)
    assert tokens.shape == (5, 2, 2)
    assert tokens.dtype == torch.int64
    assert tokens.max() < 6
    assert model.training
    assert model.quantizer.training  # as before
    assert model.decode(tokens).shape == IMAGES.shape
    before = model.loss(IMAGES, generator=rng(1)).item()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        model.loss(IMAGES, generator=rng(1)).backward()
        optimizer.step()
    assert model.loss(IMAGES, generator=rng(1)).item() < before - 5


def test_tie_vqvae() -> None:
    """With a prior of all codes the evidence is a sum, and the bound is the checked one."""
    model = small().double()
    x = normal(4, 1, 4, 4)
    tokens = model.encode(x).flatten()
    every = torch.arange(6)[:, None, None]
    seen = torch.stack([model.log_likelihood(row.expand(6, 1, 4, 4), every) for row in x])
    weights = normal(6, seed=1).softmax(0)
    joint = seen.exp() * weights  # a law of x among these four, up to a factor that cancels below
    gap = -(joint / joint.sum(1, keepdim=True)).log()[torch.arange(4), tokens]
    bound = (seen + weights.log())[torch.arange(4), tokens]
    torch.testing.assert_close(joint.sum(1).log() - gap, bound)
    assert (gap >= 0).all()
    table = joint / joint.sum()
    exact = value(chain("point_posterior").start, p_theta=table)
    torch.testing.assert_close(exact, table.sum(1).log())
    total = value(CHAPTER.point_posterior.conclusion.rhs, p_theta=table)
    shifted = total + joint.sum().log()
    torch.testing.assert_close(shifted[torch.arange(4), tokens], bound)


def test_tie_two_stages() -> None:
    """The mean bound over data is reconstruction, entropy and divergence."""
    prior = GPT(6, 1, hidden=8, layers=1, heads=2, generator=rng()).double()
    first = small().double()
    x = normal(9, 1, 4, 4)
    model = TwoStage(first, prior)
    bound = model.bound(x)
    torch.testing.assert_close(bound.total, bound.reconstruction + bound.log_prior)
    tokens = first.encode(x).flatten()
    law = prior.log_prob(torch.arange(6)[:, None]).exp()
    torch.testing.assert_close(law.sum(), number(1.0))
    pairs = torch.zeros(9, 6, dtype=torch.float64)
    pairs[torch.arange(9), tokens] = 1 / 9
    every = torch.arange(6)[:, None, None]
    seen = torch.stack([first.log_likelihood(row.expand(6, 1, 4, 4), every) for row in x])
    # The kernel of x given z, up to a factor; it enters as its logarithm alone.
    told = chain("two_stages")
    for side in (told.start, told.steps[0].rhs):
        got = value(side, r=pairs, p_theta=seen.exp().T, p_psi=law)
        torch.testing.assert_close(got, bound.total.mean())
    best = value(told.steps[1].rhs, r=pairs, p_theta=seen.exp().T)
    assert bound.total.mean() < best


def test_the_loss_of_the_prior_is_that_of_its_tokens_and_leaves_the_first_stage() -> None:
    first = small()
    prior = GPT(6, 4, hidden=8, layers=1, heads=2, generator=rng())
    model = TwoStage(first, prior)
    tokens = first.encode(IMAGES).flatten(1)
    loss = model.loss(IMAGES)
    torch.testing.assert_close(loss, nll(prior(tokens), tokens))
    loss.backward()
    assert all(p.grad is None for p in first.parameters())
    assert all(p.grad is not None for p in prior.parameters())


def test_a_law_of_the_grid_fits_as_well() -> None:
    prior = PixelCNN((1, 2, 2), 6, hidden=8, layers=1, generator=rng())
    model = TwoStage(small(), prior)
    assert model.bound(IMAGES).total.shape == (5,)
    assert model.sample(3, shape=(2, 2), generator=rng()).shape == (3, 1, 8, 8)


@pytest.mark.parametrize("told", ["nothing", "labels", "text"])
def test_samples_have_the_law_of_the_prior(told) -> None:
    """Two tokens of three codes: all nine pairs, counted against their probabilities."""
    n, words = 20_000, 2 if told == "text" else 0
    quantizer = VectorQuantizer(3, 1, generator=rng())
    with torch.no_grad():
        quantizer.table.copy_(torch.tensor([[0.0], [1.0], [2.0]]))
    first = VQVAE(
        nn.Identity(), nn.Identity(), quantizer, partial(gaussian_log_likelihood, log_var=0.0)
    )
    classes = 4 if told == "labels" else None
    length = 4 if told == "text" else 2
    prior = GPT(3 + words, length, 8, 1, 2, classes=classes, generator=rng(2))
    model = TwoStage(first, prior, words=words)
    given: dict[str, torch.Tensor] = {}
    if told == "labels":
        given = {"cond": torch.full((n,), 3)}
    if told == "text":
        given = {"text": torch.tensor([[1, 0]]).expand(n, 2)}
    x = model.sample(n, shape=(2,), generator=rng(5), **given)
    counted = torch.bincount((3 * x[:, 0, 0] + x[:, 0, 1]).long(), minlength=9) / n
    every = torch.cartesian_prod(torch.arange(3), torch.arange(3))
    with torch.no_grad():
        law = model.log_prior(every, **{k: v[:9] for k, v in given.items()}).exp()
    torch.testing.assert_close(law.sum(), torch.tensor(1.0))
    chi2 = n * ((counted - law) ** 2 / law).sum()
    assert chi2 < 8 + 5 * 4  # its mean and five deviations
    cold = model.sample(
        9, shape=(2,), top_k=1, generator=rng(5), **{k: v[:9] for k, v in given.items()}
    )
    assert len(cold.unique(dim=0)) == 1
    few = {k: v[:9] for k, v in given.items()}
    cold = model.sample(9, shape=(2,), temperature=1e-6, generator=rng(5), **few)
    assert len(cold.unique(dim=0)) == 1


def test_each_sample_may_have_its_own_generator() -> None:
    prior = GPT(6 + 3, 2 + 4, 8, 1, 2, generator=rng())
    model = TwoStage(small(), prior, words=3)
    text = torch.tensor([[0, 1], [2, 2]])
    both = model.sample(2, shape=(2, 2), text=text, generator=[rng(1), rng(2)])
    alone = model.sample(1, shape=(2, 2), text=text[1:], generator=[rng(2)])
    torch.testing.assert_close(both[1:], alone)


def test_what_does_not_fit_is_refused() -> None:
    first = small()
    with pytest.raises(ValueError, match=r"^prior, words: got a law of 7 levels, expected 6 codes"):
        TwoStage(first, GPT(7, 4, 8, 1, 2, generator=rng()))
    with pytest.raises(ValueError, match=r"^prior: got a law of a grid"):
        TwoStage(first, PixelCNN((1, 2, 2), 8, hidden=8, layers=1, generator=rng()), words=2)
    model = TwoStage(first, GPT(6, 4, 8, 1, 2, generator=rng()))
    with pytest.raises(ValueError, match=r"^text: got .* expected None: no words"):
        model.loss(IMAGES, text=torch.zeros(5, 2).long())
    with pytest.raises(ValueError, match=r"^shape: got .* expected 4 tokens"):
        model.sample(2, shape=(3, 2), generator=rng())
    with pytest.raises(ValueError, match=r"^tokens: got .* expected 4 tokens a sample"):
        model.log_prior(torch.zeros(5, 3).long())
    written = TwoStage(first, GPT(8, 6, 8, 1, 2, generator=rng()), words=2)
    with pytest.raises(ValueError, match=r"^text: got None, expected words"):
        written.loss(IMAGES)
    with pytest.raises(ValueError, match=r"^text: got .* in 0\.\.1"):
        written.loss(IMAGES, text=torch.full((5, 2), 2))


TIES = {
    "nearest_code": {"vq.nearest": test_tie_nearest},
    "straight_through": {"vq.straight_through": test_tie_straight_through},
    "code_perplexity": {"vq.perplexity": test_tie_code_perplexity},
    "VectorQuantizer": {"vq.gradients": test_tie_gradients, "vq.ema": test_tie_ema},
    "FSQ": {"vq.fsq": test_tie_fsq},
    "GumbelSoftmax": {
        "vq.gumbel_softmax": test_tie_gumbel_softmax,
        "vq.bits": test_tie_gumbel_softmax,
    },
    "VQVAE": {"vq.point_posterior": test_tie_vqvae},
    "TwoStage": {"vq.two_stages": test_tie_two_stages},
}
