"""Likelihoods of factors, draws, and speculative decoding, where everything can be counted."""

from __future__ import annotations

import math

import mpmath as mp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath import autoregressive as ar
from genmath import book
from genmath.divergences import kl, tv
from genmath.nets import GPT
from genmath.proof.language.tree import Named, Symbol, transform
from tests.checked import checked, value

CHAPTER = book.chapter("autoregressive")
F64, M = torch.float64, Symbol("m", domain="positive")


def rng(seed: int = 0, device: str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def table(*shape: int, seed: int = 0, spread: float = 1.0) -> torch.Tensor:
    drawn = spread * torch.randn(*shape, generator=rng(seed), dtype=F64)
    return drawn.flatten().softmax(0).reshape(shape)


def chi2(counted: torch.Tensor, p: torch.Tensor) -> float:
    """By how many standard deviations the sum of squares over expectation exceeds its mean."""
    n, inside = counted.sum(), p > 0
    assert not counted[~inside].any()
    total = ((counted - n * p)[inside] ** 2 / (n * p[inside])).sum()
    free = int(inside.sum()) - 1
    return float((total - free) / math.sqrt(2 * free))


# Likelihoods


def test_log_prob_sums_over_the_event_and_keeps_the_batch() -> None:
    logits = torch.randn(3, 4, 5, 6, generator=rng())
    x = torch.randint(0, 6, (3, 4, 5), generator=rng())
    peer = torch.distributions.Categorical(logits=logits).log_prob(x)
    torch.testing.assert_close(ar.log_prob(logits, x), peer.sum((1, 2)))
    torch.testing.assert_close(ar.log_prob(logits, x, batch_dims=2), peer.sum(2))
    torch.testing.assert_close(ar.log_prob(logits, x, batch_dims=3), peer)
    torch.testing.assert_close(ar.nll(logits, x), -peer.sum((1, 2)).mean())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_dtypes_and_far_logits(dtype: torch.dtype) -> None:
    logits = torch.tensor([[[0.0, 80.0, -80.0], [5.0, 5.0, 5.0]]], dtype=dtype)
    got = ar.log_prob(logits, torch.tensor([[2, 0]]))
    assert got.dtype == dtype
    exact = -160 - math.log(3)
    assert got.item() == pytest.approx(exact, rel=2 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_any_integers_are_choices(dtype: torch.dtype) -> None:
    logits = torch.randn(2, 3, 4, generator=rng())
    x = torch.tensor([[0, 1, 3], [2, 2, 0]])
    assert torch.equal(ar.log_prob(logits, x.to(dtype)), ar.log_prob(logits, x))


def test_perplexity_of_equal_choices_is_their_number() -> None:
    got = ar.perplexity(ar.log_prob(torch.zeros(5, 7, 11), torch.ones(5, 7).long()), 7)
    assert got.item() == pytest.approx(11, rel=1e-6)


# Drawing


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0, 3.0]), min_size=1, max_size=6), st.data())
def test_inverse_transform_never_takes_what_has_no_probability(weights, data) -> None:
    if not any(weights):
        weights[0] = 1.0
    p = torch.tensor(weights, dtype=F64)
    u = data.draw(st.sampled_from([0.0, 0.3, 0.5, 1 - 2**-53]) | st.floats(0, 1, exclude_max=True))
    k = ar.inverse_transform(p, torch.tensor(u, dtype=F64)).item()
    assert p[k] > 0
    cumulative = p.cumsum(0) / p.sum()
    assert u <= cumulative[k] + 1e-15
    assert k == 0 or u >= cumulative[k - 1] - 1e-15


def test_a_uniform_number_that_was_rounded_up_to_one_takes_the_last_choice_there_is() -> None:
    p = torch.tensor([0.5, 0.5, 0.0], dtype=F64)
    assert ar.inverse_transform(p, torch.ones((), dtype=F64)).item() == 1


def test_inverse_transform_of_many_uniform_numbers() -> None:
    p = table(3, 5)
    u = torch.rand(3, 40_000, generator=rng(), dtype=F64)
    k = ar.inverse_transform(p[:, None].expand(3, 40_000, 5), u)
    for row, law in zip(k, p / p.sum(1, keepdim=True), strict=True):
        assert abs(chi2(torch.bincount(row, minlength=5), law)) < 4


@pytest.mark.parametrize(
    "choose", [{}, {"temperature": 0.5}, {"top_k": 2}, {"temperature": 2.0, "top_p": 0.7}]
)
def test_samples_have_the_law_of_the_truncated_logits(choose: dict[str, float]) -> None:
    logits = torch.tensor([0.3, 1.2, -0.5, 0.9], dtype=F64)
    law = ar.truncate_logits(logits, **choose).softmax(-1)
    drawn = ar.sample_logits(logits.expand(60_000, 4), generator=rng(), **choose)
    assert abs(chi2(torch.bincount(drawn, minlength=4), law)) < 4


# Speculative decoding


@given(st.integers(2, 6), st.integers(0, 10**6), st.floats(0, 8))
@settings(max_examples=30)
def test_the_rate_is_one_less_the_total_variation(choices, seed, spread) -> None:
    p, q = (table(choices, seed=seed + i, spread=spread) for i in (0, 1))
    assert ar.acceptance_rate(p, q) == pytest.approx(1 - tv(p, q).item(), abs=1e-14)


@pytest.mark.parametrize(("p", "q"), [((0.6, 0.3, 0.1), (0.4, 0.4, 0.2)), ((0.0, 1.0), (1.0, 0.0))])
def test_whatever_the_draft_is_the_result_has_the_law_of_the_target(p, q) -> None:
    n, p, q = 60_000, torch.tensor(p, dtype=F64), torch.tensor(q, dtype=F64)
    x = ar.sample_logits(q.log().expand(n, -1), generator=rng(1))
    y, kept = ar.accept_or_resample(p.expand(n, -1), q.expand(n, -1), x, generator=rng(2))
    assert torch.equal(y[kept], x[kept])
    assert abs(chi2(torch.bincount(y, minlength=len(p)), p)) < 4 or p.max() == 1
    rate = ar.acceptance_rate(p, q).item()
    deviation = math.sqrt(rate * (1 - rate) / n)
    assert kept.double().mean() == pytest.approx(rate, abs=4 * deviation + 1e-12)


def test_equal_laws_are_always_kept() -> None:
    p = table(1000, 4) * 1000
    x = ar.sample_logits(p.log(), generator=rng())
    _, kept = ar.accept_or_resample(p, p, x, generator=rng())
    assert kept.all()


def test_where_the_target_has_nothing_more_it_is_drawn_from_itself() -> None:
    """As rounding may have it: no p above its q, though both are the same law."""
    n, law = 20_000, table(5)
    x = ar.sample_logits(law.log().expand(n, 5), generator=rng(1))
    y, kept = ar.accept_or_resample(law.expand(n, 5) / 2, law.expand(n, 5), x, generator=rng(2))
    assert 0.4 < kept.double().mean() < 0.6
    assert abs(chi2(torch.bincount(y[~kept], minlength=5), law)) < 4


def markov(logits: torch.Tensor):
    """A model whose next letter depends on the last one; before the first stands letter 0."""
    return lambda x: logits[torch.nn.functional.pad(x[:, :-1], (1, 0))]


SHARP: dict[str, float] = {"temperature": 0.7, "top_k": 2}


@pytest.mark.parametrize(
    ("block", "rows", "choose"), [(1, 1, {}), (2, 1, {}), (5, 1, SHARP), (2, 7, {}), (5, 7, SHARP)]
)
def test_speculative_samples_have_the_law_of_the_target(block, rows, choose) -> None:
    """Also where rows wait for one another: three letters, against all 27 sequences."""
    a, b = (torch.randn(3, 3, generator=rng(i), dtype=F64) for i in (0, 1))
    p = ar.truncate_logits(a, **choose).softmax(-1)
    exact = (p[0][:, None, None] * p[:, :, None] * p[None]).flatten()
    generator, counted = rng(5), torch.zeros(27)
    for _ in range(700 if rows > 1 else 2500):
        run = ar.speculative_sample(
            markov(a), rows, draft=markov(b), length=3, block=block, generator=generator, **choose
        )
        assert run.x.shape == (rows, 3)
        codes = run.x[:, 0] * 9 + run.x[:, 1] * 3 + run.x[:, 2]
        counted += torch.bincount(codes, minlength=27)
    assert abs(chi2(counted, exact)) < 4


def test_a_perfect_draft_costs_few_calls_and_a_hopeless_one_never_more_than_one_a_letter() -> None:
    a = torch.randn(4, 4, generator=rng(), dtype=F64)
    start = torch.ones(3, 2).long()
    given = {"prefix": start, "generator": rng()}
    good = ar.speculative_sample(markov(a), 3, draft=markov(a), length=22, block=4, **given)
    assert (good.accepted, good.calls) == (good.drafted, 4)  # five letters each
    assert torch.equal(good.x[:, :2], start)
    never = torch.full((4, 4), -torch.inf, dtype=F64)
    target, draft = never.clone(), never.clone()
    target[:, 1], draft[:, 2] = 0.0, 0.0
    bad = ar.speculative_sample(markov(target), 3, draft=markov(draft), length=22, **given)
    assert (bad.accepted, bad.calls) == (0, 20)
    assert (bad.x[:, 2:] == 1).all()
    none = ar.speculative_sample(markov(a), 3, draft=markov(a), length=2, **given)
    assert torch.equal(none.x, start)
    assert none.calls == 0


def test_a_network_of_sequences_is_a_target_and_a_draft() -> None:
    """A greedy target ends where its own samples do."""
    target, draft = (GPT(5, 9, hidden=8, layers=1, heads=2, generator=rng(i)) for i in (0, 1))
    run = ar.speculative_sample(target, 2, draft=draft, length=9, top_k=1, generator=rng())
    assert torch.equal(run.x, target.sample(2, top_k=1, generator=rng()))


def test_rows_with_generators_of_their_own_are_the_same_alone() -> None:
    p, q = table(4, 5) * 4, table(4, 5, seed=1) * 4
    x = torch.tensor([0, 1, 2, 3])
    many = ar.accept_or_resample(p, q, x, generator=[rng(i) for i in range(4)])
    for i in range(4):
        alone = ar.accept_or_resample(p[i : i + 1], q[i : i + 1], x[i : i + 1], generator=[rng(i)])
        assert alone[0].item() == many[0][i].item()


def test_a_model_of_another_shape_is_refused() -> None:
    a = torch.zeros(3, 3)
    given = {"length": 2, "generator": rng()}
    with pytest.raises(ValueError, match=r"^draft: got an output .* expected logits of shape"):
        ar.speculative_sample(markov(a), 2, draft=lambda x: a[x[:, -1]], **given)
    with pytest.raises(ValueError, match=r"^model: got an output .* expected logits of shape"):
        ar.speculative_sample(lambda x: a[x][:, 1:], 2, draft=markov(a), **given)


# Discretised logistic mixtures


def mixture(*shape: int, levels: int = 256, seed: int = 0, dtype: torch.dtype = F64):
    logits, mean, log_scale = torch.randn(3, *shape, generator=rng(seed), dtype=F64)
    mean = levels * (0.5 + 0.3 * mean)
    return ar.DiscretizedLogisticMixture(
        *(part.to(dtype) for part in (logits, mean, log_scale + 1)), levels=levels
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("levels", [2, 3, 256])
def test_all_levels_together_have_probability_one(levels: int, dtype: torch.dtype) -> None:
    law = mixture(4, 3, levels=levels, dtype=dtype)
    every = law.log_probs()
    assert every.shape == (4, levels)
    torch.testing.assert_close(every.logsumexp(-1), torch.zeros(4, dtype=dtype), rtol=0, atol=2e-5)
    for k in {0, 1, levels - 1}:
        torch.testing.assert_close(law.log_prob(torch.full((4,), k)), every[:, k])


@given(
    x=st.integers(0, 255),
    mean=st.floats(-300, 600),
    log_scale=st.floats(-4, 6),
    dtype=st.sampled_from([torch.float64, torch.float32]),
)
def test_a_bin_far_in_a_tail_matches_60_digits(x, mean, log_scale, dtype) -> None:
    m, l = (torch.tensor([[v]], dtype=dtype) for v in (mean, log_scale))
    got = ar.DiscretizedLogisticMixture(torch.zeros_like(m), m, l).log_prob(torch.tensor([x]))
    with mp.workdps(60):
        centre, scale = mp.mpf(m.item()), mp.exp(mp.mpf(l.item()))
        ends = [-mp.inf if x == 0 else x - mp.mpf(0.5), mp.inf if x == 255 else x + mp.mpf(0.5)]
        if x > centre:  # the other tail: there both ends of a bin are near one
            ends = [2 * centre - end for end in reversed(ends)]
        low, high = (1 / (1 + mp.exp(-(end - centre) / scale)) for end in ends)
        exact = float(mp.log(high - low))
    eps = torch.finfo(dtype).eps
    # The place is known to within eps times its size in units of the scale.
    wide = (abs(x - mean) + 1) / math.exp(log_scale)
    assert got.item() == pytest.approx(exact, rel=8 * eps, abs=16 * eps * (1 + wide))


def test_the_slopes_of_the_likelihood_are_finite_and_right() -> None:
    law = [torch.randn(2, 3, generator=rng(i), dtype=F64) for i in range(3)]
    law = [law[0], 2 + law[1], law[2]]
    x = torch.tensor([0, 3])

    def total(*parts: torch.Tensor) -> torch.Tensor:
        return ar.DiscretizedLogisticMixture(*parts, levels=4).log_prob(x).sum()

    assert torch.autograd.gradcheck(total, [part.requires_grad_() for part in law])
    narrow = torch.tensor([[-30.0]], requires_grad=True)
    zero, mean = torch.zeros(1, 1), torch.full((1, 1), 2.2)
    ar.DiscretizedLogisticMixture(zero, mean, narrow).log_prob(torch.tensor([0])).sum().backward()
    assert narrow.grad.isfinite().all()


def test_samples_have_the_law_of_the_bins() -> None:
    law = mixture(3, levels=6)
    n = 60_000
    many = ar.DiscretizedLogisticMixture(
        *(part.expand(n, 3) for part in (law.logits, law.mean, law.log_scale)), levels=6
    )
    drawn = many.sample(generator=rng())
    assert drawn.dtype == torch.int64
    assert abs(chi2(torch.bincount(drawn, minlength=6), law.log_probs().exp())) < 4
    assert mixture(2, 5, 3).sample(generator=[rng(0), rng(1)]).shape == (2, 5)
    assert law.sample(generator=rng()).shape == ()


# What an output sees


def test_a_receptive_field_is_that_of_the_convolutions() -> None:
    kernel, dilations = 3, [1, 2, 4]
    x = torch.zeros(1, 1, 60, dtype=F64, requires_grad=True)
    h = x
    for gap in dilations:
        h = torch.nn.functional.conv1d(
            torch.nn.functional.pad(h, ((kernel - 1) * gap, 0)),
            torch.ones(1, 1, kernel, dtype=F64),
            dilation=gap,
        )
    h[0, 0, -1].backward()
    assert int((x.grad != 0).sum()) == ar.receptive_field(kernel, dilations) == 15
    assert ar.receptive_field(7, []) == 1


def test_everything_stays_on_its_device(device: str) -> None:
    generator, logits = rng(0, device), torch.randn(400, 5, generator=rng()).to(device)
    p, q = logits.softmax(-1), logits.roll(1, 0).softmax(-1)
    x = ar.sample_logits(logits, temperature=0.8, top_k=4, top_p=0.9, generator=generator)
    y, kept = ar.accept_or_resample(p, q, x, generator=generator)
    law = ar.DiscretizedLogisticMixture(logits, 2 + logits, logits, levels=5)
    table = torch.randn(3, 3, generator=rng()).to(device)
    run = ar.speculative_sample(
        markov(table), 2, draft=markov(-table), length=6, generator=generator
    )
    drawn = ar.inverse_transform(p, torch.rand(400, generator=generator, device=device))
    every = (x, y, kept, run.x, drawn, ar.nll(logits, x), ar.perplexity(ar.log_prob(logits, x), 1))
    every = (*every, ar.acceptance_rate(p, q), law.log_probs(), law.sample(generator=generator))
    assert {out.device.type for out in every} == {device}
    torch.testing.assert_close(law.log_prob(x).exp(), law.log_probs().exp()[torch.arange(400), x])


# Ties to the chapter


def named(tree: object, name: str) -> Named:
    return next(n for n in tree.walk() if isinstance(n, Named) and n.name == name)


def test_tie_log_prob() -> None:
    p = table(3, 3, 3)
    logits = [p.sum((1, 2)).log(), p.sum(2).log(), p.log()]  # of the factors, up to constants
    every = torch.cartesian_prod(*[torch.arange(3)] * 3)
    x_1, x_2, _ = every.T
    of_each = torch.stack([logits[0].expand(27, 3), logits[1][x_1], logits[2][x_1, x_2]], 1)
    got = ar.log_prob(of_each, every)
    joint = value(CHAPTER.chain_rule["forward"].claim.rhs, p=p)
    torch.testing.assert_close(got.exp(), joint.flatten())
    loss = value(CHAPTER.sums["loss"].claim.rhs, q=p)
    torch.testing.assert_close(-got, loss.flatten())


def test_tie_nll() -> None:
    counts = torch.tensor([[3, 1, 2], [0, 4, 5]])  # of a letter (columns) after a context (rows)
    c, v = torch.repeat_interleave(
        torch.cartesian_prod(torch.arange(2), torch.arange(3)), counts.flatten(), 0
    ).T
    logits = torch.randn(2, 3, generator=rng(), dtype=F64)
    got = ar.nll(logits[c], v)
    # The axes of the joint are v, c; those of the kernel c, v.
    data, guess = counts.T.double() / counts.sum(), logits.softmax(-1)
    for side in (CHAPTER.next_token.chains[0].start, CHAPTER.next_token.steps[0].rhs):
        torch.testing.assert_close(got, value(side, p=data, q=guess))
    bound = value(CHAPTER.next_token.conclusion.rhs, p=data)
    assert got > bound
    ells = torch.randn(3, generator=rng(), dtype=F64, requires_grad=True)
    (slope,) = torch.autograd.grad(ar.nll(ells[None], torch.tensor([0])), ells)
    weights = ells.detach().exp()
    for at, part in ((0, "came"), (1, "other")):
        letters = {f"ell_{at + 1}": ells[at].detach(), "R": weights.sum() - weights[at]}
        exact = value(CHAPTER.loss_gradient[part].claim.rhs, **letters)
        torch.testing.assert_close(slope[at], exact)


def test_tie_perplexity() -> None:
    p = torch.tensor([0.3, 0.05, 0.7], dtype=F64)
    got = ar.perplexity(p.log().sum().reshape(1), 3)
    mean = checked(CHAPTER.perplexity["mean"].claim.rhs)
    torch.testing.assert_close(got, mean(p=torch.cat([torch.zeros(1), p]), N=3))


def test_tie_truncate_logits() -> None:
    p = table(6)
    for tau in (0.4, 1.0, 3.0):
        q = ar.truncate_logits(p.log(), temperature=tau).softmax(-1)
        bound = CHAPTER.temperature["bound"].claim
        law = named(CHAPTER.temperature["attained"].claim.lhs, "p_tau")
        torch.testing.assert_close(q, value(law, p=p, tau=tau))
        reached = value(bound.lhs, p=p, r=q, tau=tau)
        torch.testing.assert_close(reached, value(bound.rhs, p=p, tau=tau))
        assert value(bound.lhs, p=p, r=table(6, seed=3), tau=tau) < reached
    kept = ar.truncate_logits(p.log(), top_k=3).softmax(-1)
    mass = p[kept > 0].sum()
    for distance, part in ((kl, "price"), (tv, "shift")):
        # The sum over the set is what it is here, so its letter m is given.
        tree = transform(
            CHAPTER.truncation[part].claim.rhs, lambda n: M if isinstance(n, Named) else None
        )
        torch.testing.assert_close(distance(kept, p), value(tree, m=mass))


def test_tie_sample_logits() -> None:
    logits = torch.randn(500, 3, generator=rng(1), dtype=F64)
    got = ar.sample_logits(logits, generator=rng(2))
    times = torch.empty(500, 3, dtype=F64).exponential_(generator=rng(2))
    keys = value(CHAPTER.gumbel_max["key"].claim.rhs, ell=logits, t=times)
    assert torch.equal(got, keys.argmax(-1))
    chance = checked(CHAPTER.gumbel_max["first"].claim.rhs, "lambda")
    first = chance(ell=logits[:, 0], **{"lambda": logits[:, 1:].exp().sum(1)})
    torch.testing.assert_close(first, logits.softmax(-1)[:, 0])
    share = (got == 0).double()
    assert (share - first).sum().abs() < 4 * (first * (1 - first)).sum().sqrt()


def test_tie_inverse_transform() -> None:
    p = torch.tensor([0.2, 0.05, 0.45, 0.3], dtype=F64)
    u = (torch.arange(20_000, dtype=F64) + 0.5) / 20_000
    counted = torch.bincount(ar.inverse_transform(p.expand(20_000, 4), u), minlength=4) / 20_000
    share = checked(CHAPTER.inverse_transform.conclusion.rhs)
    # The chapter counts choices from 1; entry 0 is none of them.
    entries = [0.0, *p.tolist()]
    for k in (1, 2, 3):
        assert counted[k].item() == pytest.approx(float(share(p=entries, k=k)), abs=1e-4)


def test_tie_speculative() -> None:
    p, q = table(5), table(5, seed=1)
    rate, law = CHAPTER.speculative["rate"].claim, CHAPTER.speculative["law"].claim
    for side in (rate.lhs, rate.rhs):
        torch.testing.assert_close(ar.acceptance_rate(p, q), value(side, p=p, q=q))
    out = value(law.lhs, p=p, q=q)
    torch.testing.assert_close(out, p)
    n = 60_000
    x = ar.sample_logits(q.log().expand(n, 5), generator=rng(3))
    y, kept = ar.accept_or_resample(p.expand(n, 5), q.expand(n, 5), x, generator=rng(4))
    assert abs(chi2(torch.bincount(y, minlength=5), out)) < 4
    # Kept, letter by letter, with the probability of the display.
    keep = value(named(law.lhs, "a"), p=p, q=q)
    for k in range(5):
        here = kept[x == k].double()
        deviation = (keep[k] * (1 - keep[k]) / len(here)).sqrt()
        assert (here.mean() - keep[k]).abs() <= 4 * deviation + 1e-12
    target, draft = (markov(law.log().expand(5, 5)) for law in (p, q))
    run = ar.speculative_sample(target, n, draft=draft, length=2, generator=rng())
    assert abs(chi2(torch.bincount(run.x[:, 0], minlength=5), out)) < 4


def test_tie_tokens_per_call() -> None:
    exact = checked(CHAPTER.speculative_block.conclusion.rhs)
    for a, n in ((0.8, 4), (0.1, 1), (0.97, 30)):
        got = ar.tokens_per_call(a, n)
        assert got == pytest.approx(float(exact(a=torch.tensor(a, dtype=F64), n=n)), rel=1e-12)
    assert ar.tokens_per_call(1.0, 5) == 6


def test_tie_logistic_bins() -> None:
    mean, log_scale = torch.tensor([2.2], dtype=F64), torch.tensor([-0.7], dtype=F64)
    law = ar.DiscretizedLogisticMixture(torch.zeros(1, dtype=F64), mean, log_scale, levels=4)
    got, scale = law.log_probs(), log_scale.exp()
    inner = torch.tensor([1.0, 2.0], dtype=F64)
    ends = {"alpha": inner - 0.5, "beta": inner + 0.5}
    by_edges = value(CHAPTER.logistic_bins["bin"].claim.rhs, mu=mean, s=scale, **ends)
    torch.testing.assert_close(got[1:3].exp(), by_edges)
    in_scales = {name: (end - mean) / scale for name, end in ends.items()}
    stable = value(CHAPTER.logistic_bins["stable"].claim.rhs, **in_scales)
    torch.testing.assert_close(got[1:3], stable)
    many = ar.DiscretizedLogisticMixture(
        torch.zeros(1000, 1, dtype=F64), mean.expand(1000, 1), log_scale.expand(1000, 1), levels=4
    )
    generator = rng()
    torch.empty(1000, 1, dtype=F64).exponential_(generator=generator)  # the one component
    u = torch.rand(1000, generator=generator, dtype=F64)
    drawn = value(named(CHAPTER.logistic_draw.conclusion.lhs, "x"), mu=mean, s=scale, u=u)
    assert torch.equal(many.sample(generator=rng()), drawn.round().clamp(0, 3).long())


def test_tie_receptive_field() -> None:
    exact = checked(CHAPTER.receptive_field.conclusion.rhs)
    for k, layers in ((2, 4), (3, 6), (1, 2)):
        assert ar.receptive_field(k, [2**i for i in range(layers)]) == exact(k=k, L=layers)


TIES = {
    "log_prob": {"autoregressive.chain_rule": test_tie_log_prob},
    "nll": {
        "autoregressive.next_token": test_tie_nll,
        "autoregressive.loss_gradient": test_tie_nll,
    },
    "perplexity": {"autoregressive.perplexity": test_tie_perplexity},
    "truncate_logits": {
        "autoregressive.temperature": test_tie_truncate_logits,
        "autoregressive.truncation": test_tie_truncate_logits,
    },
    "sample_logits": {"autoregressive.gumbel_max": test_tie_sample_logits},
    "inverse_transform": {"autoregressive.inverse_transform": test_tie_inverse_transform},
    "acceptance_rate": {"autoregressive.speculative": test_tie_speculative},
    "accept_or_resample": {"autoregressive.speculative": test_tie_speculative},
    "speculative_sample": {"autoregressive.speculative": test_tie_speculative},
    "tokens_per_call": {"autoregressive.speculative_block": test_tie_tokens_per_call},
    "DiscretizedLogisticMixture": {"autoregressive.logistic_bins": test_tie_logistic_bins},
    "receptive_field": {"autoregressive.receptive_field": test_tie_receptive_field},
}
