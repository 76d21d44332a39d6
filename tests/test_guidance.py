"""Guidance against laws that are known exactly: by the chapter's formulas, and by Bayes' rule."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath import book
from genmath.guidance import (
    ClassifierGuided,
    Guided,
    Measured,
    drop_labels,
    edit,
    guide,
    inpaint,
    rescaled,
)
from genmath.paths import CosinePath, LinearPath, VEPath, VPPath, linear_schedule
from genmath.predictions import PREDICTIONS, convert
from genmath.proof.language.tree import Node, Normal
from genmath.samplers import DDIM, Ancestral, Euler, Grid, Heun, Langevin, ReverseSDE, sample
from genmath.toys import GaussianMixture
from tests.checked import checked, value

PATHS = [CosinePath(), VPPath(), LinearPath(), VEPath(sigma_max=5.0)]
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
S10 = linear_schedule(10)
WIDE = torch.float64
scales = st.floats(-2, 8)
kinds = st.sampled_from(PREDICTIONS)

pytestmark = pytest.mark.filterwarnings("ignore::genmath.samplers.Amplified")


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = WIDE) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=WIDE).to(dtype)


def exact(law: GaussianMixture, path, kind: str):
    """The best possible network for a law."""

    def model(x, t):
        alpha, sigma = path.coefficients(t, x)
        slopes = {}
        if kind == "velocity":
            slopes = dict(zip(("d_alpha", "d_sigma"), path.derivatives(t, x), strict=True))
        score = law.score(x, alpha, sigma)
        return convert(score, x, alpha, sigma, source="score", target=kind, **slopes)

    return model


def finite_v(law: GaussianMixture, path):
    """The same for "v", finite at pure noise too."""

    def model(x, t):
        at = path.coefficients(t, x)
        return at[0] * law.eps(x, *at) - at[1] * law.denoiser(x, *at)

    return model


def labelled(*models):
    """One model of x, t and a label that picks one of these."""

    def model(x, t, label):
        outs = torch.stack([each(x, t) for each in models])
        return outs[label, torch.arange(len(x), device=x.device)]

    return model


CENTRES = [[-1.0, 0.0], [1.0, 0.3], [0.0, 1.0]]
THREE = [GaussianMixture([1.0], [centre], std=0.6) for centre in CENTRES]
EVERY = GaussianMixture([0.2, 0.5, 0.3], CENTRES, std=0.6)


def log_class(x, alpha, sigma, k: int):
    """log p_t(k | x) of the mixture, the exact classifier of noisy points."""
    return EVERY.log_joint(x, alpha, sigma).log_softmax(1)[:, k]


# The combination


@given(scale=scales, kind=kinds, other=kinds, path=st.sampled_from(PATHS), t=st.floats(0.1, 0.9))
@settings(max_examples=60)
def test_it_does_not_matter_which_prediction_is_guided(scale, kind, other, path, t) -> None:
    x, when = noise(5, 2), torch.full((5,), t, dtype=WIDE)
    alpha, sigma = path.coefficients(when, x)
    slopes = dict(zip(("d_alpha", "d_sigma"), path.derivatives(when, x), strict=True))
    pair = {
        name: [exact(law, path, name)(x, when) for law in (THREE[1], EVERY)]
        for name in (kind, other)
    }
    after = convert(guide(*pair[kind], scale), x, alpha, sigma, source=kind, target=other, **slopes)
    torch.testing.assert_close(after, guide(*pair[other], scale), rtol=1e-8, atol=1e-8)


def test_scale_0_and_1_are_the_two_predictions() -> None:
    one, other = noise(3, 2), noise(3, 2, seed=1)
    assert torch.equal(guide(one, other, 1.0), one)
    assert torch.equal(guide(one, other, 0.0), other)
    assert torch.equal(guide(one, one, 7.0), one) or torch.allclose(guide(one, one, 7.0), one)


@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("scale", [0.0, 1.0, 2.5])
@pytest.mark.parametrize("kind", PREDICTIONS)
def test_a_classifier_and_none_say_the_same(k, scale, kind) -> None:
    """The gradient of the exact classifier is the difference of the exact scores."""
    path, x, t = CosinePath(), noise(6, 2, seed=k), torch.linspace(0.1, 0.9, 6, dtype=WIDE)

    def likelihood(x, t):
        return log_class(x, *path.coefficients(t, x), k)

    base = exact(EVERY, path, kind)
    by_gradient = ClassifierGuided(base, path, likelihood, scale=scale, prediction=kind)
    net = labelled(*(exact(law, path, kind) for law in (*THREE, EVERY)))
    by_difference = Guided(net, torch.full((6,), k), 3, scale=scale)
    torch.testing.assert_close(by_gradient(x, t), by_difference(x, t), rtol=1e-7, atol=1e-7)


def test_scale_1_draws_the_conditional_law() -> None:
    path, n = CosinePath(), 4000
    net = labelled(finite_v(THREE[1], path), finite_v(EVERY, path))
    guided = Guided(net, torch.zeros(n, dtype=torch.long), 1, scale=1.0)
    x = sample(guided, (n, 2), path, Heun(), steps=20, prediction="v", generator=rng(), dtype=WIDE)
    assert (x.mean(0) - THREE[1].mean).abs().max() < 4 * 0.6 / math.sqrt(n) + 0.01
    assert (x.std(0) - 0.6).abs().max() < 0.03


@pytest.mark.parametrize(
    "sampler", [DDIM(), DDIM(0.5), Ancestral(), Euler(), Heun(), ReverseSDE(), Langevin(0.01)],
    ids=lambda sampler: type(sampler).__name__ + str(getattr(sampler, "eta", "")),
)  # fmt: skip
@pytest.mark.parametrize("kind", ["x0", "score", "velocity"])
def test_every_sampler_may_be_guided_in_every_prediction(sampler, kind) -> None:
    """The guided model is one whose answers are the combination, and nothing else."""
    path, start = VPPath(), noise(4, 2)
    two = [exact(law, path, kind) for law in (THREE[1], EVERY)]

    def combined(x, t):
        return 2.5 * two[0](x, t) - 1.5 * two[1](x, t)

    guided = Guided(labelled(*two), torch.zeros(4, dtype=torch.long), 1, scale=2.5)
    steps = [0.9, 0.6, 0.3, 0.1]
    ends = [
        sample(model, (4, 2), path, sampler, steps=steps, prediction=kind, generator=rng(),
               start=start, dtype=WIDE)
        for model in (guided, combined)
    ]  # fmt: skip
    torch.testing.assert_close(*ends, rtol=1e-8, atol=1e-8)


# The wrapper


class Counting:
    """What a network is asked, and an answer that tells x, t and the condition apart."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, list]] = []

    def __call__(self, x, t, condition):
        self.asked.append((len(x), condition.tolist()))
        return x * (1 + condition.to(x.dtype).reshape(-1, *[1] * (x.ndim - 1))) + t[:1].sum()


def test_both_are_asked_in_one_batch_of_two() -> None:
    net, x, t = Counting(), noise(2, 3), torch.full((2,), 0.5)
    got = Guided(net, torch.tensor([4, 5]), 9, scale=3.0)(x, t)
    assert net.asked == [(4, [4, 5, 9, 9])]
    ask = Counting()
    one, other = ask(x, t, torch.tensor([4, 5])), ask(x, t, torch.tensor([9, 9]))
    torch.testing.assert_close(got, 3 * one - 2 * other)


def test_scale_1_and_0_ask_once() -> None:
    net, x, t = Counting(), noise(2, 3), torch.full((2,), 0.5)
    Guided(net, torch.tensor([4, 5]), 9, scale=1.0)(x, t)
    Guided(net, torch.tensor([4, 5]), 9, scale=0.0)(x, t)
    assert net.asked == [(2, [4, 5]), (2, [9, 9])]


def test_outside_the_interval_there_is_the_condition_alone_and_one_call() -> None:
    net, x = Counting(), noise(2, 3)
    guided = Guided(net, torch.tensor([4, 5]), 9, scale=3.0, interval=(0.2, 0.6))
    everywhere = Guided(Counting(), torch.tensor([4, 5]), 9, scale=3.0)
    for t, calls in ((0.1, 2), (0.2, 4), (0.6, 4), (0.7, 2)):
        when = torch.full((2,), t, dtype=WIDE)
        got = guided(x, when)
        assert net.asked[-1][0] == calls
        alone = net(x, when, torch.tensor([4, 5]))
        torch.testing.assert_close(got, everywhere(x, when) if calls == 4 else alone)
    mixed = torch.tensor([0.1, 0.5], dtype=WIDE)
    got = Guided(lambda x, t, c: x * c.unsqueeze(1), torch.tensor([4, 5]), 9, scale=3.0,
                 interval=(0.2, 0.6))(x, mixed)  # fmt: skip
    torch.testing.assert_close(got, torch.stack([4 * x[0], (15 - 18) * x[1]]))


def test_scale_0_with_an_interval_is_the_null_inside_and_the_condition_outside() -> None:
    net, x = Counting(), noise(2, 3)
    guided = Guided(net, torch.tensor([4, 5]), 9, scale=0.0, interval=(0.2, 0.6))
    inside, outside = torch.full((2,), 0.5, dtype=WIDE), torch.full((2,), 0.9, dtype=WIDE)
    torch.testing.assert_close(guided(x, inside), net(x, inside, torch.tensor([9, 9])))
    torch.testing.assert_close(guided(x, outside), net(x, outside, torch.tensor([4, 5])))


def test_on_a_schedule_the_interval_is_in_steps() -> None:
    net, x = Counting(), noise(2, 3)
    guided = Guided(net, torch.tensor([4, 5]), 9, scale=3.0, interval=(3, 7))
    sample(guided, (2, 3), S10, DDIM(), start=x, dtype=WIDE)
    assert [calls for calls, _ in net.asked] == [2] * 3 + [4] * 5 + [2] * 2


def test_against_another_model() -> None:
    good, bad = (lambda x, t, c: 2 * x + c.unsqueeze(1)), (lambda x, t, c: x - c.unsqueeze(1))
    x, t = noise(2, 3), torch.full((2,), 0.5)
    labels = torch.tensor([1, 2])
    got = Guided(good, labels, labels, scale=2.0, against=bad)(x, t)
    torch.testing.assert_close(got, 2 * good(x, t, labels) - bad(x, t, labels))
    alone = Guided(good, labels, labels, scale=0.0, against=bad)(x, t)
    torch.testing.assert_close(alone, bad(x, t, labels))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("event", [(), (3,), (2, 4, 4)])
def test_shapes_and_dtypes(device, dtype, event) -> None:
    x, t = noise(3, *event, dtype=dtype).to(device), torch.full((3,), 0.5, device=device)
    condition, null = noise(3, 5).to(device), noise(5, seed=1).to(device)

    def net(x, t, c):
        return x * c.mean(1).to(x.dtype).reshape(-1, *[1] * (x.ndim - 1))

    for given_null in (null, null.expand(3, 5)):
        guided = Guided(net, condition, given_null, scale=2.0, rescale=0.5 if event else 0.0)
        got = guided(x, t)
        assert (got.dtype, got.shape, got.device) == (dtype, x.shape, x.device)


# Rescaling


@given(share=st.floats(0, 1), seed=st.integers(0, 20))
def test_rescaled_in_full_it_spreads_as_the_conditional_one(share, seed) -> None:
    guided, conditional = 5 * noise(4, 3, 2, seed=seed) + 1, noise(4, 3, 2, seed=seed + 50)
    full = rescaled(guided, conditional, 1.0)
    std = [x.flatten(1).std(1) for x in (full, conditional)]
    torch.testing.assert_close(*std)
    assert torch.equal(rescaled(guided, conditional, 0.0), guided)
    part = rescaled(guided, conditional, share)
    torch.testing.assert_close(part, share * full + (1 - share) * guided)


def test_what_does_not_spread_stays() -> None:
    flat = torch.ones(2, 3)
    assert torch.equal(rescaled(flat, noise(2, 3).float(), 1.0), flat)


# Dropped labels


def test_labels_are_dropped_as_often_as_asked() -> None:
    labels = torch.arange(40_000) % 10
    got = drop_labels(labels, 10, 0.1, generator=rng())
    dropped = got == 10
    assert abs(dropped.double().mean() - 0.1) < 0.01
    assert torch.equal(got[~dropped], labels[~dropped])
    assert torch.equal(drop_labels(labels, 10, 0.0, generator=rng()), labels)
    assert bool((drop_labels(labels, 10, 1.0, generator=rng()) == 10).all())


def test_vectors_are_dropped_as_a_whole() -> None:
    texts = noise(64, 5)
    got = drop_labels(texts, torch.zeros(5, dtype=WIDE), 0.5, generator=rng())
    rows = (got == 0).all(1)
    assert 10 < rows.sum() < 54
    assert torch.equal(got[~rows], texts[~rows])


def test_a_sample_with_its_own_generator_is_the_same_in_every_batch() -> None:
    labels = torch.arange(6)
    own = [rng(seed=i) for i in range(6)]
    whole = drop_labels(labels, 9, 0.5, generator=own)
    alone = drop_labels(labels[3:4], 9, 0.5, generator=[rng(seed=3)])
    assert torch.equal(whole[3:4], alone)


# Measurements


def conditioned(prior: torch.Tensor, A: torch.Tensor, y: torch.Tensor, std: float):
    """Mean and covariance of normal data N(0, prior), given a measurement."""
    of_y = A @ prior @ A.mT + std**2 * torch.eye(len(A), dtype=WIDE)
    gain = prior @ A.mT @ torch.linalg.inv(of_y)
    return gain @ y, prior - gain @ A @ prior


@pytest.mark.parametrize("kind", PREDICTIONS)
@pytest.mark.parametrize("path", PATHS, ids=["cosine", "vp", "linear", "ve"])
def test_with_the_prior_of_normal_data_it_is_the_score_of_the_posterior(kind, path) -> None:
    prior = torch.tensor([[1.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 0.7]], dtype=WIDE)
    A = torch.tensor([[1.0, 0.0, 0.5], [0.0, 2.0, 1.0]], dtype=WIDE)
    y, std = torch.tensor([0.7, -0.4], dtype=WIDE), 0.3
    data = GaussianMixture([1.0], [[0.0, 0.0, 0.0]], covariances=prior[None])
    mean, covariance = conditioned(prior, A, y, std)
    given = GaussianMixture([1.0], mean[None], covariances=(covariance + covariance.mT)[None] / 2)
    x, t = noise(5, 3), torch.linspace(0.1, 0.9, 5, dtype=WIDE)
    measured = Measured(
        exact(data, path, kind), path, A, y.expand(5, 2), std=std, prior=prior, prediction=kind
    )
    torch.testing.assert_close(measured(x, t), exact(given, path, kind)(x, t), rtol=1e-6, atol=1e-6)


def test_on_a_schedule_and_in_single_precision() -> None:
    data = GaussianMixture([1.0], [[0.0, 0.0]], std=1.0)

    picture = noise(4, 1, 2, dtype=torch.float32)
    law = GaussianMixture([1.0], [[[0.0, 0.0]]], std=1.0)
    for each, x in ((data, picture[:, 0]), (law, picture)):
        measured = Measured(exact(each, S10, "eps"), S10, torch.eye(2), torch.ones(4, 2), std=0.5)
        x0 = sample(measured, tuple(x.shape), S10, DDIM(), start=x)
        assert x0.dtype == torch.float32
        assert torch.isfinite(x0).all()


def test_a_number_as_prior_is_that_times_the_identity() -> None:
    path, data = VPPath(), GaussianMixture([1.0], [[0.0, 0.0]], std=0.8)
    A, y = torch.tensor([[1.0, -0.5]], dtype=WIDE), torch.ones(3, 1, dtype=WIDE)
    x, t = noise(3, 2), torch.tensor([0.2, 0.5, 0.8], dtype=WIDE)
    one, other = (
        Measured(exact(data, path, "eps"), path, A, y, std=0.2, prior=prior)(x, t)
        for prior in (0.64, 0.64 * torch.eye(2, dtype=WIDE))
    )
    torch.testing.assert_close(one, other)


def test_a_model_without_a_graph_is_refused_where_it_is_differentiated() -> None:
    """Its slope would come out zero, silently: no guidance at all."""
    x, t = noise(2, 2), torch.full((2,), 0.5, dtype=WIDE)
    lost = torch.no_grad()(lambda x, t: -x)
    measured = Measured(lost, VPPath(), torch.eye(2, dtype=WIDE), x, std=0.5)
    by_class = ClassifierGuided(lambda x, t: -x, VPPath(), lambda x, t: lost(x, t).sum(1))
    for model in (measured, by_class):
        with pytest.raises(ValueError, match="cannot follow back"):
            model(x, t)


# Inpainting and editing


def test_what_is_known_is_returned_and_what_is_not_is_made(device) -> None:
    path = CosinePath()
    law = GaussianMixture([0.5, 0.5], [[-1.0, -1.0], [1.0, 1.0]], std=0.1)
    x0 = torch.tensor([[0.0, 1.0], [0.0, -1.0]], dtype=WIDE, device=device).repeat(20, 1)
    mask = torch.tensor([False, True], device=device)
    got = inpaint(finite_v(law, path), x0, mask, path, DDIM(), steps=30, prediction="v",
                  repeats=3, generator=rng(device))  # fmt: skip
    assert torch.equal(got[:, 1], x0[:, 1])
    assert (got[:, 0].sign() == x0[:, 1]).double().mean() > 0.9


def test_a_mask_of_everything_returns_the_data_and_of_nothing_is_sampling() -> None:
    path, law = CosinePath(), GaussianMixture([1.0], [[0.4, -0.2]], std=0.5)
    x0 = noise(2000, 2)
    everything = inpaint(finite_v(law, path), x0, torch.ones(2, dtype=torch.bool), path, DDIM(),
                         steps=2, prediction="v", generator=rng())  # fmt: skip
    assert torch.equal(everything, x0)
    nothing = inpaint(finite_v(law, path), x0, torch.zeros(2, dtype=torch.bool), path, DDIM(),
                      steps=60, prediction="v", generator=rng())  # fmt: skip
    assert (nothing.mean(0) - law.mean).abs().max() < 0.05
    assert (nothing.std(0) - 0.5).abs().max() < 0.03


def test_repeats_come_nearer_to_the_conditional_law() -> None:
    """Mean 0.8 and variance 0.36 are right; replacement alone has 0.5 and 0.49."""
    means = []
    for repeats in (1, 4, 16):
        x = _inpainted_pair(0.8, 3000, 40, repeats)
        means.append(x.mean().item())
    assert means[0] < 0.55 < means[1] < means[2]
    assert means[2] == pytest.approx(0.8, abs=0.06)


def test_on_a_schedule_steps_are_whole() -> None:
    seen = []

    def net(x, t):
        seen.append(t[0].item())
        return x * 0.1

    inpaint(net, noise(2, 3), torch.tensor([True, False, False]), S10, Ancestral(), steps=5,
            repeats=2, generator=rng())  # fmt: skip
    assert seen == [10, 10, 8, 8, 6, 6, 4, 4, 2, 2]
    seen.clear()
    edit(net, noise(2, 3), 6, S10, DDIM(), steps=3, generator=rng())
    assert seen == [6, 4, 2]


@pytest.mark.parametrize("dtype", DTYPES)
def test_edited_shapes_and_dtypes(device, dtype) -> None:
    x0 = noise(3, 2, 2, dtype=dtype).to(device)
    got = edit(lambda x, t: 0.1 * x, x0, 0.5, VPPath(), DDIM(), steps=3, generator=rng(device))
    assert (got.dtype, got.shape, got.device) == (dtype, x0.shape, x0.device)
    mask = torch.zeros(2, 2, dtype=torch.bool, device=device)
    got = inpaint(lambda x, t: 0.1 * x, x0, mask, VPPath(), DDIM(), steps=3, generator=rng(device))
    assert (got.dtype, got.shape, got.device) == (dtype, x0.shape, x0.device)


# Bad input

TRUE = torch.tensor([True, False, False])


def asks(x, t, c):
    return x


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("unconditional", lambda x: guide(x, x[:1], 2.0)),
        ("scale", lambda x: guide(x, x, math.inf)),
        ("guided", lambda x: rescaled(x[:, 0], x[:, 0], 1.0)),
        ("conditional", lambda x: rescaled(x, x[:1], 1.0)),
        ("share", lambda x: rescaled(x, x, 1.5)),
        ("null", lambda x: Guided(asks, torch.tensor([1, 2]), 0.5, scale=1.0)),
        ("null", lambda x: Guided(asks, x, 3, scale=1.0)),
        ("null", lambda x: Guided(asks, x, x[:1], scale=1.0)),
        ("condition", lambda x: Guided(asks, [1, 2], 0, scale=1.0)),
        ("condition", lambda x: Guided(asks, torch.tensor(3), 0, scale=1.0)),
        ("interval", lambda x: Guided(asks, x, x, scale=1.0, interval=(0.6, 0.2))),
        ("interval", lambda x: Guided(asks, x, x, scale=1.0, interval=(0.6,))),
        ("rescale", lambda x: Guided(asks, x, x, scale=1.0, rescale=2.0)),
        ("x", lambda x: Guided(asks, x, x, scale=2.0)(x[:1], torch.ones(1))),
        ("model output", lambda x: Guided(lambda *a: a[0][:1], x, x, scale=2.0)(x, torch.ones(2))),
        ("rate", lambda x: drop_labels(torch.tensor([1, 2]), 0, 1.5, generator=rng())),
        ("generator", lambda x: drop_labels(torch.tensor([1, 2]), 0, 0.5, generator=None)),
        ("matrix", lambda x: Measured(asks, VPPath(), x[0], x, std=1.0)),
        ("y", lambda x: Measured(asks, VPPath(), x, x, std=1.0)),
        ("std", lambda x: Measured(asks, VPPath(), x, x[:, :2], std=-1.0)),
        ("std", lambda x: Measured(asks, VPPath(), x, x[:, :2], std=0.0, prior=0.0)),
        ("prior", lambda x: Measured(asks, VPPath(), x, x[:, :2], std=1.0, prior=x)),
        ("prior", lambda x: Measured(asks, VPPath(), x, x[:, :2], std=1.0, prior=-torch.eye(3))),
        ("prediction", lambda x: Measured(asks, VPPath(), x, x[:, :2], std=1.0, prediction="e")),
        ("path", lambda x: ClassifierGuided(asks, 3, asks)),
        ("mask", lambda x: inpaint(asks, x, x, VPPath(), DDIM(), steps=3, generator=rng())),
        ("mask", lambda x: inpaint(asks, x, TRUE[:1], VPPath(), DDIM(), steps=3, generator=rng())),
        ("steps", lambda x: inpaint(asks, x, TRUE, VPPath(), DDIM(), steps=[0.5], generator=rng())),
        ("repeats", lambda x: inpaint(asks, x, TRUE, VPPath(), DDIM(), steps=3, repeats=0,
                                      generator=rng())),
        ("t", lambda x: edit(asks, x, 0.0, VPPath(), DDIM(), steps=3, generator=rng())),
        ("t", lambda x: edit(asks, x, 11, S10, DDIM(), steps=3, generator=rng())),
        ("steps", lambda x: edit(asks, x, 4, S10, DDIM(), steps=5, generator=rng())),
        ("generator", lambda x: edit(asks, x, 0.5, VPPath(), DDIM(), steps=5, generator=None)),
    ],
)  # fmt: skip
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.ones(2, 3))


# Ties: every implementation against the function made from the checked result


def result(name: str, part: str | None = None, side: str = "rhs", line: int | None = None) -> Node:
    """One side of a result of the chapter, of its part, or of one line."""
    derivation = getattr(book.chapter("guidance"), name)
    chain = derivation[part].chain if part else derivation.chains[-1]
    claim = derivation.result(chain) if line is None else chain.steps[line].claim
    return claim.lhs if side == "lhs" else claim.rhs


def number(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=WIDE)


def agree(got, expected, tolerance: float = 1e-9) -> None:
    got, expected = (torch.as_tensor(v, dtype=WIDE) for v in (got, expected))
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


def moments(model, path, sampler, n: int, prediction: str = "v") -> tuple[float, float]:
    """Mean and variance of what a sampler makes of N(0, 1), of a model linear in x, exactly.

    Every move is x ← a x + b predicted + c noise.
    """
    grid = Grid(path, [i / n for i in range(n, -1, -1)])
    mean, variance = 0.0, 1.0
    for move in sampler.moves(grid, prediction):
        t = grid.times[move.at].expand(2)
        at_0, at_1 = model(torch.tensor([0.0, 1.0], dtype=WIDE), t).tolist()
        slope = move.x + move.predicted * (at_1 - at_0)
        mean, variance = slope * mean + move.predicted * at_0, slope**2 * variance + move.noise**2
    return mean, variance


class Example:
    """The chapter's example: normal data, of which a label explains the share k of the variance."""

    def __init__(self, k: float, m: float, scale: float, **options) -> None:
        self.path, self.k, self.m, self.scale = CosinePath(), k, m, scale
        given = GaussianMixture([1.0], [m], std=math.sqrt(1 - k))
        every = GaussianMixture([1.0], [0.0], std=1.0)
        self.net = labelled(finite_v(given, self.path), finite_v(every, self.path))
        self.guided = Guided(self.net, torch.zeros(2, dtype=torch.long), 1, scale=scale, **options)

    def letters(self, **more: float) -> dict[str, torch.Tensor]:
        return {name: number(v) for name, v in {"k": self.k, "m": self.m, **more}.items()}

    def score(self, x: torch.Tensor, u: float) -> torch.Tensor:
        """The guided score at the level u."""
        t = torch.full((2,), 2 / math.pi * math.acos(u), dtype=WIDE)
        alpha, sigma = self.path.coefficients(t, x)
        v = self.guided(x, t)
        return convert(v, x, alpha, sigma, source="v", target="score")


shares, means, levels = st.floats(0.1, 0.9), st.floats(-1.5, 1.5), st.floats(0.05, 0.95)


@given(k=shares, m=means, scale=st.floats(1, 6), u=levels)
@settings(max_examples=40)
def test_tie_the_guided_score_of_a_level(k, m, scale, u) -> None:
    example, x = Example(k, m, scale), noise(2)
    got = example.score(x, u)
    law = next(n for n in result("tilted", "level").walk() if isinstance(n, Normal))
    mean, variance = (value(n, **example.letters(u=u, w=scale - 1)) for n in law.args[1:])
    agree(got, -(x - mean) / variance, 1e-6)
    letters = example.letters(u=u, s=scale)
    agree(got, value(result("samples", "score", "rhs"), x=x, **letters), 1e-6)


@given(scale=scales)
def test_tie_the_combination(scale) -> None:
    one, other, n = noise(4, 3), noise(4, 3, seed=1), number(-7.0)
    net = {"eps_theta": lambda x, condition: other if torch.equal(condition, n) else one}
    given_ = {"x": one, "y": number(2.0), "n": n, "s": number(scale), **net}
    got = guide(one, other, scale)
    for side in ("lhs", "rhs"):
        agree(got, value(result("classifier_free", "network", side), **given_))
    paper = {**given_, "w": number(abs(scale))}
    agree(guide(one, other, 1 + abs(scale)), value(result("classifier_free", "paper"), **paper))
    x = noise(4, 3, seed=2)
    letters = {"P_y": one, "P_n": other, "a": number(1.7), "b": number(-0.4), "x": x}
    agree(
        guide(1.7 * one - 0.4 * x, 1.7 * other - 0.4 * x, scale),
        value(result("every_prediction"), s=number(scale), **letters),
    )


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_tie_what_the_sampler_makes_without_noise(scale) -> None:
    """A flow that is linear: two starting points tell all. The end is the level u = 1."""
    example, start = Example(0.64, 0.8, scale), torch.tensor([0.0, 1.0], dtype=WIDE)
    got = sample(example.guided, (2,), example.path, Heun(), steps=60, prediction="v", start=start,
                 dtype=WIDE)  # fmt: skip
    way = value(result("samples", "one" if scale == 1 else "three", "lhs").body, z=start,
                **example.letters(u=1.0))  # fmt: skip
    agree(got, way, 2e-3)


@pytest.mark.parametrize("scale", [1.0, 2.0, 4.5])
def test_tie_the_variance_is_a_power(scale) -> None:
    example = Example(0.64, 0.8, scale)
    way = value(result("samples", "solution", "lhs").body, z=number(1.0), M=lambda u: 0 * u,
                **example.letters(u=1.0, s=scale))  # fmt: skip
    agree(way**2, 0.36**scale)
    _, variance = moments(example.guided, example.path, DDIM(), 800)
    assert variance == pytest.approx(way.item() ** 2, rel=0.02)


@pytest.mark.parametrize("scale", [1.0, 2.0, 3.5])
def test_tie_what_the_sampler_makes_with_noise(scale) -> None:
    example = Example(0.64, 0.8, scale)
    mean, variance = moments(example.guided, example.path, Ancestral(), 800)
    letters = example.letters(u=1.0, s=scale)
    for part, got in (("mean", mean), ("variance", variance)):
        formula = result("noisy_samples", part, "lhs").body
        assert got == pytest.approx(value(formula, **letters).item(), rel=0.02)


@pytest.mark.parametrize("ends", [(0.3, 0.6), (0.0, 0.5), (0.5, 1.0)])
def test_tie_guidance_on_an_interval(ends) -> None:
    example = Example(0.64, 0.0, 3.0, interval=ends)
    _, got = moments(example.guided, example.path, DDIM(), 800)
    early, late = (1 - 0.64 * example.path.alpha(t) ** 2 for t in reversed(ends))
    letters = {"v_1": number(early), "v_2": number(late), "c": number(0.36), "s": number(3.0)}
    assert got == pytest.approx(value(result("interval", "variance"), **letters).item(), rel=0.03)


@given(seed=st.integers(0, 50))
def test_tie_rescaling(seed) -> None:
    guided, conditional = noise(3, 3, seed=seed), noise(3, 3, seed=seed + 60)
    centred = [x - x.mean(1, keepdim=True) for x in (guided, conditional)]
    got = rescaled(guided, conditional, 1.0)
    got = got - got.mean(1, keepdim=True)
    letters = {"G": centred[0], "C": centred[1]}
    for side in ("lhs", "rhs"):
        agree((got**2).sum(1), value(result("rescaling", side=side), **letters))


def test_tie_the_loss_with_dropped_labels() -> None:
    """On a table of three letters: the mean loss over what `drop_labels` draws."""
    table = torch.rand(2, 3, 2, generator=rng(), dtype=WIDE)
    q = table / table.sum()
    targets = torch.tensor([0.3, -1.1], dtype=WIDE)
    g, h = noise(2, 3), noise(2, seed=1)
    answers = torch.cat([g, h.unsqueeze(1)], 1)  # label 3 is the null
    n = 200_000
    which = torch.multinomial(q.flatten(), n, True, generator=rng())
    x, y, v = which // 6, which // 2 % 3, which % 2
    label = drop_labels(y, 3, 0.3, generator=rng(seed=1))
    got = ((answers[x, label] - targets[v]) ** 2).mean().item()
    error = (g.unsqueeze(2) - targets) ** 2, (h.reshape(2, 1, 1) - targets) ** 2
    mixed = (q * (0.7 * error[0] + 0.3 * error[1])).sum().item()
    assert got == pytest.approx(mixed, rel=0.02)
    formula = checked(result("dropout", "mixed"))
    places = {"x": torch.arange(2.0, dtype=WIDE), "y": torch.arange(3.0, dtype=WIDE)}
    by_checker = formula(
        q=q, eta=number(0.3), v=targets, **places,
        g=lambda x, y: g[x.long(), y.long()], h=lambda x: h[x.long()],
    )  # fmt: skip
    assert by_checker.item() == pytest.approx(mixed)


@given(k=shares, u=levels, scale=st.floats(-1, 4))
@settings(max_examples=30)
def test_tie_bayes(k, u, scale) -> None:
    """Joint normal x and y of correlation √k: the classifier's gradient, and the sum of scores."""
    path, rho = CosinePath(), math.sqrt(k)
    y = 1.3
    example = Example(k, rho * y, scale)
    x, t = noise(2), torch.full((2,), 2 / math.pi * math.acos(u), dtype=WIDE)

    def likelihood(x, t):
        r = path.alpha(t) * rho
        return -((y - r * x) ** 2) / (2 * (1 - r**2)) - torch.log(1 - r**2) / 2

    base = finite_v(GaussianMixture([1.0], [0.0], std=1.0), path)
    got = ClassifierGuided(base, path, likelihood, scale=scale, prediction="v")(x, t)
    agree(got, example.guided(x, t), 1e-6)
    bayes = book.chapter("guidance").bayes
    assert {part.name for part in bayes.chains} == {"score", "guided"}


@given(a=st.floats(0.3, 2), tau=st.floats(0.2, 2), V=st.floats(0.2, 3), t=st.floats(0.1, 0.9))
@settings(max_examples=40)
def test_tie_the_push_of_a_measurement(a, tau, V, t) -> None:
    path, m = VPPath(), 0.4
    law = GaussianMixture([1.0], [[m]], std=math.sqrt(V))
    x, when = noise(3, 1), torch.full((3,), t, dtype=WIDE)
    alpha, sigma = path.alpha(t), path.sigma(t)
    y = number(0.7)
    mean = (m + alpha * V / (alpha**2 * V + sigma**2) * (x - alpha * m)).squeeze(1)
    slope = alpha * V / (alpha**2 * V + sigma**2)
    C = V * sigma**2 / (alpha**2 * V + sigma**2)
    for prior, open_ in ((V, C), (0.0, 0.0)):
        measured = Measured(
            exact(law, path, "score"), path, torch.tensor([[a]], dtype=WIDE), y.expand(3, 1),
            std=tau, prior=prior, prediction="score",
        )  # fmt: skip
        push = (measured(x, when) - law.score(x, alpha, sigma)).squeeze(1)
        formula = value(
            result("measurement", "push"), x=x.squeeze(1), y=y, a=number(a), tau=number(tau),
            C=number(open_), x_hat=lambda place: mean, x_hat_prime=lambda place: number(slope),
        )  # fmt: skip
        agree(push, formula, 1e-6)


@pytest.mark.parametrize("q", [1.0, 3.0])
def test_tie_what_dps_makes(q) -> None:
    path, law = VPPath(), GaussianMixture([1.0], [[0.0]], std=1.0)
    y = 0.9
    matrix, ys = torch.ones(1, 1, dtype=WIDE), torch.full((2, 1), y, dtype=WIDE)
    measured = Measured(
        exact(law, path, "v"), path, matrix, ys, std=q**-0.5, prior=0.0, prediction="v"
    )

    def model(x, t):
        return measured(x.unsqueeze(1), t).squeeze(1)

    mean, variance = moments(model, path, Ancestral(), 800)
    letters = {"q": number(q), "a": number(1.0), "y": number(y), "u": number(1.0)}
    for part, got in (("mean", mean), ("variance", variance)):
        formula = value(result("left_out", part, "lhs").body, **letters)
        assert got == pytest.approx(formula.item(), rel=0.02)
    _, variance = moments(model, path, DDIM(), 800)
    way = value(result("left_out", "flow", "lhs").body, z=number(1.0), **letters)
    assert variance == pytest.approx(way.item() ** 2, rel=0.03)


def _inpainted_pair(rho: float, n: int, steps: int, repeats: int = 1) -> torch.Tensor:
    """The first of two standard normal numbers of that correlation; the second is known to be 1."""
    path = CosinePath()
    pair = GaussianMixture([1.0], [[0.0, 0.0]], covariances=[[[1.0, rho], [rho, 1.0]]])
    known = torch.tensor([[0.0, 1.0]], dtype=WIDE).expand(n, 2)
    return inpaint(finite_v(pair, path), known, torch.tensor([False, True]), path, Ancestral(),
                   steps=steps, prediction="v", repeats=repeats, generator=rng())[:, 0]  # fmt: skip


@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_tie_what_replacement_draws(rho) -> None:
    x = _inpainted_pair(rho, 20_000, 150)
    letters = {"rho": number(rho), "u": number(1.0), "b_0": number(1.0)}
    mean = value(result("replacement", "mean", "lhs").body, **letters).item()
    variance = value(result("replacement", "variance", "lhs").body, **letters).item()
    assert x.mean().item() == pytest.approx(mean, abs=0.02)
    assert x.var().item() == pytest.approx(variance, rel=0.04)
    assert abs(mean - rho) > 0.2


@given(rho=st.floats(0.1, 0.9), u=levels)
@settings(max_examples=30)
def test_tie_the_score_that_replacement_uses(rho, u) -> None:
    """By averaging the exact score of the pair over two opposite draws of the noise."""
    pair = GaussianMixture([1.0], [[0.0, 0.0]], covariances=[[[1.0, rho], [rho, 1.0]]])
    sigma, b_0, a = math.sqrt(1 - u * u), 1.2, 0.3
    points = torch.tensor([[a, u * b_0 + sigma], [a, u * b_0 - sigma]], dtype=WIDE)
    got = pair.score(points, u, sigma)[:, 0].mean()
    letters = {"rho": number(rho), "u": number(u), "b_0": number(b_0), "a": number(a)}
    agree(got, value(result("replaced", "used"), **letters), 1e-8)


@pytest.mark.parametrize("t", [0.2, 0.5, 0.8])
def test_tie_editing(t) -> None:
    path, m, V, g, n = CosinePath(), 0.4, 0.5, 1.5, 20_000
    law = GaussianMixture([1.0], [m], std=math.sqrt(V))
    letters = {"alpha": path.alpha(t), "sigma": path.sigma(t), "V": V, "m": m, "g": g}
    letters = {name: number(v) for name, v in letters.items()}
    sketch = torch.full((n,), g, dtype=WIDE)
    options = {"steps": 60, "prediction": "v"}
    x = edit(finite_v(law, path), sketch, t, path, Heun(), generator=rng(), **options)
    mean = value(result("editing", "mean"), **letters).item()
    assert x.mean().item() == pytest.approx(mean, abs=0.02)
    expected = value(result("editing", "variance"), **letters).item()
    assert x.var().item() == pytest.approx(expected, rel=0.05)
    noisy = edit(finite_v(law, path), sketch, t, path, Ancestral(), generator=rng(), **options)
    _, mean, variance = result("editing", "noisy").args
    assert noisy.mean().item() == pytest.approx(value(mean, **letters).item(), abs=0.02)
    assert noisy.var().item() == pytest.approx(value(variance, **letters).item(), rel=0.06)


def test_the_three_laws_are_in_order() -> None:
    """The chapter's numbers: 0.8 and 0.36, tilted, with noise, without."""
    s, c, m = 3.0, 0.36, 0.8
    tilted = s * m / (s - (s - 1) * c), c / (s - (s - 1) * c)
    example = Example(1 - c, m, s)
    noisy = moments(example.guided, example.path, Ancestral(), 400)
    flow = moments(example.guided, example.path, DDIM(), 400)
    rows = [(m, c), tilted, noisy, flow]
    assert all(a[0] < b[0] and a[1] > b[1] for a, b in pairwise(rows))


TIES = {
    "guide": {
        "guidance.classifier_free": test_tie_the_combination,
        "guidance.every_prediction": test_tie_the_combination,
    },
    "rescaled": {"guidance.rescaling": test_tie_rescaling},
    "Guided": {
        "guidance.tilted": test_tie_the_guided_score_of_a_level,
        "guidance.samples": test_tie_what_the_sampler_makes_without_noise,
        "guidance.noisy_samples": test_tie_what_the_sampler_makes_with_noise,
        "guidance.interval": test_tie_guidance_on_an_interval,
    },
    "drop_labels": {"guidance.dropout": test_tie_the_loss_with_dropped_labels},
    "ClassifierGuided": {"guidance.bayes": test_tie_bayes},
    "Measured": {
        "guidance.measurement": test_tie_the_push_of_a_measurement,
        "guidance.left_out": test_tie_what_dps_makes,
    },
    "inpaint": {
        "guidance.replaced": test_tie_the_score_that_replacement_uses,
        "guidance.replacement": test_tie_what_replacement_draws,
    },
    "edit": {"guidance.editing": test_tie_editing},
}
