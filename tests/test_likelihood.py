"""Fits against every other member of the family, EM against scikit-learn, bounds against sums."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA as SklearnPCA
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.mixture import GaussianMixture as SklearnMixture
from sklearn.neighbors import KernelDensity
from torch.distributions import Exponential, MultivariateNormal, Normal, Poisson

from genmath import book
from genmath._topics import TOPICS
from genmath.likelihood import (
    bits_per_dim,
    dequantization_bound,
    fit,
    fit_mixture,
    fit_ppca,
    kde_log_prob,
    kmeans,
    pca,
    roc,
)
from genmath.toys import GaussianMixture, moons
from tests.checked import checked, value

CHAPTER = book.chapter("likelihood")
DTYPES = [torch.float64, torch.float32, torch.bfloat16]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


def one(x: float) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64)


def sequence(x: torch.Tensor) -> torch.Tensor:
    """x[1], x[2], … as the chapter counts them: entry 0 is never read."""
    return torch.cat([x.new_tensor([math.nan]), x])


# Families


CASES = {
    "normal": draw(40),
    "bernoulli": (draw(40) > 0.3).double(),
    "categorical": torch.randint(0, 4, (40,), generator=rng()),
    "exponential": draw(40).exp(),
    "poisson": torch.poisson(torch.full((40,), 2.5), generator=rng()).double(),
}


@pytest.mark.parametrize("family", CASES)
def test_no_other_member_of_the_family_makes_the_data_more_probable(family: str) -> None:
    x = CASES[family]
    best = fit(x, family)
    own = best.log_prob(x).sum()
    names = {"normal": ("loc", "scale"), "exponential": ("rate",), "poisson": ("rate",)}
    for name in names.get(family, ("probs",)):
        for push in (0.9, 0.99, 1.01, 1.1):
            given = {n: getattr(best, n) for n in names.get(family, ("probs",))}
            moved = given[name] * push
            if family == "bernoulli" and float(moved) >= 1:
                continue
            if family == "categorical":
                moved = moved * torch.tensor([1.0, 1.0, 1.0, push])
            other = type(best)(**{**given, name: moved}).log_prob(x).sum()
            assert other < own or (family == "categorical" and push == 1)


def test_families_are_fitted_as_proved() -> None:
    x = CASES["normal"]
    best = fit(x)
    parts = CHAPTER.normal_ml.conclusion
    letters = {"x": sequence(x), "n": len(x)}
    assert value(parts.rhs, **letters) == pytest.approx(float(best.log_prob(x).sum()), rel=1e-12)
    for name, family, law in (
        ("exponential_ml", "exponential", Exponential),
        ("poisson_ml", "poisson", Poisson),
    ):
        x = CASES[family]
        got = float(fit(x, family).log_prob(x).sum())
        letters = {"x": sequence(x), "n": len(x)}
        of_best = value(getattr(CHAPTER, name).conclusion.rhs, **letters)
        assert float(of_best) == pytest.approx(got, rel=1e-12)
        other = value(getattr(CHAPTER, name).conclusion.lhs, **letters, **{"lambda": 0.7})
        assert float(other) == pytest.approx(float(law(0.7).log_prob(x).sum()), rel=1e-6)


def test_coins_and_dice_are_fitted_as_proved() -> None:
    coin = fit(CASES["bernoulli"], "bernoulli")
    f = coin.mean
    best = value(CHAPTER.coin_ml.conclusion.rhs, f=f)
    assert float(best) == pytest.approx(float(coin.log_prob(CASES["bernoulli"]).mean()), rel=1e-12)
    die = torch.tensor([0, 2, 1, 1, 2, 2, 2])
    best = value(CHAPTER.die_ml.conclusion.rhs, n=sequence(torch.tensor([1.0, 2.0, 4.0])), K=3)
    assert float(best) == pytest.approx(
        float(fit(die, "categorical").log_prob(die).sum()), rel=1e-6
    )


@pytest.mark.parametrize("dtype", DTYPES)
@given(n=st.integers(2, 6), event=st.lists(st.integers(1, 3), max_size=2))
@settings(max_examples=15)
def test_each_coordinate_is_fitted_by_itself(device, dtype, n, event) -> None:
    x = torch.randn(n, *event, generator=rng()).to(device, dtype)
    got = fit(x)
    assert isinstance(got, Normal)
    assert got.batch_shape == tuple(event)
    assert got.mean.dtype == dtype
    wide = x.double()
    close = {"rtol": 4 * torch.finfo(dtype).eps, "atol": 4 * torch.finfo(dtype).eps}
    torch.testing.assert_close(got.mean, wide.mean(0).to(dtype), **close)
    torch.testing.assert_close(got.stddev, wide.std(0, correction=0).to(dtype), **close)


@pytest.mark.parametrize(
    ("x", "family"),
    [
        (torch.ones(3, 2), "normal"),
        (torch.tensor([0.0, 0.5]), "bernoulli"),
        (torch.tensor([1.0, -1.0]), "exponential"),
        (torch.zeros(3), "exponential"),
        (torch.zeros(3), "poisson"),
        (torch.tensor([1.5, 1.0]), "poisson"),
        (torch.tensor([1.5, 1.0]), "categorical"),
        (torch.tensor([-1, 1]), "categorical"),
        (torch.tensor([0, 10**7]), "categorical"),
        (torch.zeros(0, 2), "normal"),
        (torch.tensor([math.inf, 1.0]), "normal"),
    ],
)
def test_data_that_have_no_best_member_are_refused(x: torch.Tensor, family: str) -> None:
    with pytest.raises(ValueError, match=r"^x: got .* expected"):
        fit(x, family)


# Mixtures


X = moons(400, generator=rng(), dtype=torch.float64)
SKLEARN = {"full": "full", "diagonal": "diag", "spherical": "spherical"}


@pytest.mark.parametrize("covariance", SKLEARN)
def test_the_optimum_is_that_of_scikit_learn_from_the_same_start(covariance: str) -> None:
    centres = kmeans(X, 4, generator=rng(3)).centres
    start = GaussianMixture([0.25] * 4, centres, std=0.5)
    got = fit_mixture(X, 4, covariance=covariance, start=start, steps=5000, tolerance=1e-13)
    precision = {"full": np.stack([4 * np.eye(2)] * 4), "diagonal": np.full((4, 2), 4.0)}
    peer = SklearnMixture(
        4,
        covariance_type=SKLEARN[covariance],
        tol=1e-13,
        reg_covar=0,
        max_iter=5000,
        means_init=centres.numpy(),
        weights_init=[0.25] * 4,
        precisions_init=precision.get(covariance, np.full(4, 4.0)),
    ).fit(X.numpy())
    assert got.converged
    assert float(got.log_likelihood[-1]) == pytest.approx(peer.score(X.numpy()), abs=1e-9)
    assert got.mixture.means.numpy() == pytest.approx(peer.means_, abs=1e-6)
    assert got.mixture.weights.numpy() == pytest.approx(peer.weights_, abs=1e-6)


@given(seed=st.integers(0, 30), k=st.integers(1, 4), covariance=st.sampled_from(sorted(SKLEARN)))
@settings(max_examples=15)
def test_the_likelihood_never_falls_and_is_that_of_the_mixture(seed, k, covariance) -> None:
    x = X[torch.randperm(400, generator=rng(seed))[:60]]
    got = fit_mixture(x, k, covariance=covariance, generator=rng(seed), tolerance=1e-4)
    assert bool((got.log_likelihood.diff() > -1e-12).all())
    torch.testing.assert_close(got.mixture.log_prob(x).mean(), got.log_likelihood[-1])


def test_one_step_on_the_line_is_the_one_that_is_proved() -> None:
    """Responsibilities, weighted means and variances, as the chapter's results give them."""
    x = draw(12)
    start = GaussianMixture([0.3, 0.7], [[-0.5], [0.8]], std=[0.6, 1.1])
    got = fit_mixture(x.unsqueeze(1), 2, start=start, steps=1).mixture
    r = value(
        CHAPTER.responsibilities["first"].claim.rhs,
        w=one(0.3),
        mu_1=one(-0.5),
        mu_2=one(0.8),
        v_1=one(0.6**2),
        v_2=one(1.1**2),
        x=x,
    )
    torch.testing.assert_close(r, start.responsibilities(x.unsqueeze(1))[:, 0])
    for k, weight in ((0, r), (1, 1 - r)):
        letters = {"x": sequence(x), "r": sequence(weight), "n": 12}
        best = value(CHAPTER.m_step.conclusion.rhs, **letters)
        mean = got.means[k, 0]
        variance = (weight * (x - mean) ** 2).sum() / weight.sum()
        law = Normal(mean, variance.sqrt())
        assert float(best) == pytest.approx(float((weight * law.log_prob(x)).sum()), rel=1e-12)
        assert float(got.weights[k]) == pytest.approx(float(weight.mean()), rel=1e-12)


def test_the_rise_is_at_least_what_the_bound_says() -> None:
    start = GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], std=1.0)
    end = fit_mixture(X, 2, start=start, steps=1).mixture
    given = start.responsibilities(X)
    promised = (given * (end.log_joint(X) - start.log_joint(X))).sum(1)
    left = (given * (given / end.responsibilities(X)).log()).sum(1)
    rise = end.log_prob(X) - start.log_prob(X)
    torch.testing.assert_close(rise, promised + left)
    assert bool((left >= 0).all())
    assert promised.mean() > 0
    (part,) = CHAPTER.em_bound.chains
    assert [step.relation for step in part.steps] == ["=", ">="]


def test_a_component_that_runs_into_one_example_is_named() -> None:
    x = torch.cat([X[:30], torch.tensor([[50.0, 50.0]])])
    start = GaussianMixture([0.5, 0.5], [[0.0, 0.0], [50.0, 50.0]], std=1.0)
    with pytest.raises(ValueError, match=r"^components, floor: got component 1, whose examples"):
        fit_mixture(x, 2, start=start)
    line = torch.cat([x, torch.tensor([[50.1, 50.3], [50.07, 50.21]])])  # but for rounding
    with pytest.raises(ValueError, match=r"component 1, whose examples fill no volume"):
        fit_mixture(line, 2, start=start)
    at = Normal(one(50.0), one(0.1)).log_prob(one(50.0)) * 2 + math.log(1 / 31)
    for covariance in SKLEARN:
        got = fit_mixture(x, 2, covariance=covariance, start=start, floor=0.01).mixture
        assert float(got.weights[1]) == pytest.approx(1 / 31)
        assert float(got.log_joint(x[-1:])[0, 1]) == pytest.approx(float(at), rel=1e-6)


def test_a_component_without_examples_is_named() -> None:
    start = GaussianMixture([0.5, 0.5], [[0.0, 0.0], [1e4, 0.0]], std=1.0)
    with pytest.raises(ValueError, match=r"got component 1, which is responsible for no example"):
        fit_mixture(X, 2, start=start)
    with pytest.raises(ValueError, match=r"^components: got centre 1, which is nearest to no"):
        kmeans(X, 2, start=torch.tensor([[0.0, 0.0], [1e4, 0.0]]))


def test_more_components_than_different_examples_are_refused() -> None:
    x = torch.tensor([[0.0], [1.0], [1.0], [1.0]])
    with pytest.raises(ValueError, match=r"^components: got 3, expected at most 2"):
        kmeans(x, 3, generator=rng())
    with pytest.raises(ValueError, match=r"^components: got 5, expected at most one for each of 4"):
        kmeans(x, 5, generator=rng())


def test_the_start_spreads_out() -> None:
    """Three far groups: each next centre is drawn from where none is yet."""
    far = torch.tensor([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]]).double()
    x = torch.cat([place + 0.1 * draw(20, 2, seed=i) for i, place in enumerate(far)])
    for seed in range(20):
        got = kmeans(x, 3, generator=rng(seed), steps=1)
        assert float(got.distortion[0]) < 1
        assert len(got.distortion) == 2
    assert len(kmeans(x, 3, generator=rng()).distortion) < 5  # where nothing moves it ends


def test_it_says_whether_it_has_converged() -> None:
    early = fit_mixture(X, 3, generator=rng(), steps=2, tolerance=1e-9)
    assert (early.converged, len(early.log_likelihood)) == (False, 3)
    late = fit_mixture(X, 3, generator=rng(), steps=5000, tolerance=1e-5)
    assert late.converged
    *_, before, last = late.log_likelihood.diff().tolist()
    assert last < 1e-5 <= before


def test_a_start_and_a_generator_exclude_each_other() -> None:
    start = GaussianMixture([1.0], [[0.0, 0.0]], std=1.0)
    with pytest.raises(ValueError, match=r"^generator: got"):
        fit_mixture(X, 1, start=start, generator=rng())
    with pytest.raises(ValueError, match=r"^generator, start: got both"):
        kmeans(X, 1, start=X[:1], generator=rng())
    with pytest.raises(ValueError, match=r"^generator, start: got neither"):
        kmeans(X, 1)
    with pytest.raises(ValueError, match=r"^start: got"):
        fit_mixture(X, 2, start=start)


@given(seed=st.integers(0, 50), k=st.integers(1, 6))
@settings(max_examples=20)
def test_the_distortion_never_rises_and_ends_where_nothing_moves(seed, k) -> None:
    got = kmeans(X, k, generator=rng(seed))
    assert bool((got.distortion.diff() < 1e-12).all())
    again = kmeans(X, k, start=got.centres)
    torch.testing.assert_close(again.centres, got.centres)
    own = (X - got.centres[got.labels]).square().sum(1).mean()
    torch.testing.assert_close(own, got.distortion[-1])


def test_a_centre_is_the_mean_that_is_proved() -> None:
    x = draw(9)
    got = kmeans(x.unsqueeze(1), 1, start=torch.tensor([[5.0]]))
    least = value(CHAPTER.kmeans_step.conclusion.rhs, x=sequence(x), n=9)
    assert float(least) == pytest.approx(9 * float(got.distortion[-1]), rel=1e-12)
    anywhere = value(CHAPTER.kmeans_step.conclusion.lhs, x=sequence(x), n=9, c=5.0)
    assert float(anywhere) == pytest.approx(9 * float(got.distortion[0]), rel=1e-12)


# Principal components


def test_directions_are_those_of_scikit_learn() -> None:
    x = draw(50, 4) @ draw(4, 4, seed=1)
    got, peer = pca(x, 2), SklearnPCA(2).fit(x.numpy())
    signs = np.sign((peer.components_ * got.directions.numpy()).sum(1, keepdims=True))
    assert got.directions.numpy() == pytest.approx(peer.components_ * signs, abs=1e-10)
    assert got.variances.numpy() == pytest.approx(peer.explained_variance_ * 49 / 50)
    assert float(got.rest) == pytest.approx(float(peer.noise_variance_) * 49 / 50)
    assert bool((got.directions.gather(1, got.directions.abs().argmax(1, keepdim=True)) > 0).all())


def test_there_are_as_many_directions_as_asked_for_also_beyond_the_examples() -> None:
    x = draw(3, 5).float()
    got = pca(x, 5)
    torch.testing.assert_close(got.directions @ got.directions.T, torch.eye(5))
    torch.testing.assert_close(got.variances[2:], torch.zeros(3), atol=1e-6, rtol=0)
    assert float(got.rest) == 0
    assert got.mean.dtype == torch.float32


def test_no_other_line_loses_less() -> None:
    x = draw(50, 3) * torch.tensor([2.0, 1.0, 0.5])
    found = pca(x, 1)
    centred = x - found.mean
    lost = checked(CHAPTER.reconstruction.chains[-1].last)
    of_best = lost(e=found.directions[0].expand(50, 3), x=centred).mean()
    assert float(of_best) == pytest.approx(2 * float(found.rest), rel=1e-10)
    for seed in range(20):
        other = draw(3, seed=seed)
        assert lost(e=other.expand(50, 3), x=centred).mean() >= of_best
    axes = {f"lambda_{i + 1}": v for i, v in enumerate(pca(x, 3).variances)}
    along = {f"e_{i + 1}": v for i, v in enumerate(draw(3, seed=7))}
    bound = CHAPTER.best_direction.conclusion
    assert value(bound.lhs, **axes, **along) <= found.variances[0]


def test_no_code_loses_less_than_the_projection() -> None:
    x = draw(30, 3) * torch.tensor([2.0, 1.0, 0.5])
    found = pca(x, 2)
    centred, plane = x - found.mean, found.directions.T
    kept = centred @ plane
    least = centred.square().sum(1) - kept.square().sum(1)
    assert float(least.mean()) == pytest.approx(float(found.rest), rel=1e-10)
    for seed in range(5):
        code = draw(30, 2, seed=seed)
        lost = (centred - code @ plane.T).square().sum(1)
        torch.testing.assert_close(lost - least, (code - kept).square().sum(1))


def test_probabilistic_pca_is_the_best_of_its_kind() -> None:
    x = draw(60, 4) @ draw(4, 4, seed=1)
    best = fit_ppca(x, 2)
    own = best.log_prob(x).mean()
    covariance = torch.cov(x.T, correction=0)
    directions = pca(x, 4)
    kept = best.cov_factor @ best.cov_factor.T + torch.diag(best.cov_diag)
    spectrum = torch.linalg.eigvalsh(kept).flip(0)
    torch.testing.assert_close(spectrum[:2], directions.variances[:2])
    torch.testing.assert_close(spectrum[2:], directions.variances[2:].mean().expand(2))
    noise = value(
        CHAPTER.ppca_noise.conclusion.rhs,
        **{"lambda": sequence(directions.variances[2:])},
        r=2,
    )
    share = -(best.cov_diag[0].log() + 1)
    assert float(noise) == pytest.approx(float(share), rel=1e-10)
    for seed in range(20):
        factor = best.cov_factor + 0.1 * draw(4, 2, seed=seed)
        moved = factor @ factor.T + best.cov_diag[0] * (1 + 0.1 * draw(1, seed=seed)) * torch.eye(4)
        assert MultivariateNormal(best.loc, moved).log_prob(x).mean() < own
    assert torch.linalg.norm(covariance - kept) > 0


def test_data_on_a_line_have_no_density_in_the_plane() -> None:
    x = draw(10, 1) @ torch.ones(1, 2).double()
    with pytest.raises(ValueError, match=r"^x: got .* without it there is no density"):
        fit_ppca(x, 1)
    with pytest.raises(ValueError, match=r"^x: got .* at least two"):
        fit_ppca(draw(10, 1), 1)


# Bumps


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_bumps_are_those_of_scikit_learn(block: int) -> None:
    peer = KernelDensity(bandwidth=0.3, rtol=1e-12).fit(X.numpy())
    got = kde_log_prob(2 * X[:50], X, bandwidth=0.3, block=block)
    assert got.numpy() == pytest.approx(peer.score_samples(2 * X[:50].numpy()), rel=1e-9)


def test_three_bumps_are_those_of_the_chapter() -> None:
    three = CHAPTER.kernel_density
    estimate = [chain for chain in three.chains if chain.name == "mean"][-1].start.body
    x = torch.tensor([0.3, 2.0]).double()
    got = kde_log_prob(x, torch.tensor([0.0, 1.0, -2.0]).double(), bandwidth=0.5)
    expected = value(estimate, x=x, y_1=0.0, y_2=1.0, y_3=-2.0, v=0.25)
    torch.testing.assert_close(got.exp(), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bumps_far_away_do_not_vanish_and_events_have_any_shape(device, dtype) -> None:
    x = torch.full((3, 2, 2), 30.0).to(device, dtype)
    got = kde_log_prob(x, torch.zeros(5, 2, 2).to(device, dtype), bandwidth=0.5)
    exact = one(-4 * (60**2 / 2 + math.log(0.5) + math.log(2 * math.pi) / 2))
    assert got.shape == (3,)
    assert got.dtype == dtype
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(got.double().cpu(), exact.expand(3), rtol=4 * eps, atol=0)


def test_numbers_are_events_too() -> None:
    x, samples = draw(4), draw(6, seed=1)
    got = kde_log_prob(x, samples, bandwidth=0.3)
    wide = kde_log_prob(x.unsqueeze(1), samples.unsqueeze(1), bandwidth=0.3)
    torch.testing.assert_close(got, wide)
    with pytest.raises(ValueError, match=r"^samples: got"):
        kde_log_prob(x, samples.unsqueeze(1), bandwidth=0.3)


# Bits


def test_bits() -> None:
    assert bits_per_dim(torch.tensor(8 * math.log(2)), 4).item() == pytest.approx(2)
    assert bits_per_dim(torch.tensor(0.0), 3, width=1 / 256).item() == pytest.approx(8)
    with pytest.raises(ValueError, match=r"^dims: got 0"):
        bits_per_dim(torch.tensor(0.0), 0)


def test_a_change_of_unit_shifts_as_proved() -> None:
    """The entropy of a uniform density on (0, 1), seen in a unit 256 times as fine."""
    entropy = math.log(256)
    shift = CHAPTER.change_of_unit.conclusion.rhs
    assert "log(c)" in str(shift)
    nats = torch.tensor(0.0)  # of the same density, where a bin is 1/256 wide
    assert bits_per_dim(nats, 1, width=1 / 256).item() * math.log(2) == pytest.approx(entropy)


def log_of_bins(x: torch.Tensor) -> torch.Tensor:
    """A density that is 1.2 high on the left half of the bin from 0 and 0.4 on the right half."""
    return torch.where(x < 0.5, math.log(1.2), math.log(0.4)).sum(1)


def test_noise_gives_a_lower_bound_and_the_right_noise_the_value() -> None:
    x = torch.zeros(3, 1, dtype=torch.long)

    def left_first(x, generator):
        u = torch.rand(x.shape, generator=generator)
        left = torch.rand(x.shape, generator=generator) < 0.75
        return torch.where(left, u / 2, u / 2 + 0.5), torch.where(left, 1.5, 0.5).log().sum(1)

    exact = math.log(0.8)
    tight = dequantization_bound(log_of_bins, x, generator=rng(), proposal=left_first)
    assert tight.tolist() == pytest.approx([exact] * 3, rel=1e-6)
    loose = dequantization_bound(log_of_bins, x, generator=rng(), k=20_000)
    expected = (math.log(1.2) + math.log(0.4)) / 2
    assert loose.tolist() == pytest.approx([expected] * 3, abs=0.02)
    bound = CHAPTER.dequantization.conclusion
    assert value(bound.lhs, P_k=0.8) == pytest.approx(exact)
    assert bool((loose < exact).all())


def test_a_proposal_says_what_is_wrong_with_it() -> None:
    x = torch.zeros(3, 1)
    for wrong in (lambda x, g: x, lambda x, g: (x[:1], x[:, 0]), lambda x, g: (x, x)):
        with pytest.raises(ValueError, match=r"^proposal output: got"):
            dequantization_bound(log_of_bins, x, generator=rng(), proposal=wrong)


# How good a score is


@given(
    fault=st.lists(st.integers(-3, 3), min_size=1, max_size=12),
    good=st.lists(st.integers(-3, 3), min_size=1, max_size=12),
)
def test_the_curve_is_that_of_scikit_learn_ties_included(fault, good) -> None:
    got = roc(torch.tensor(fault).float(), torch.tensor(good).float())
    labels, scores = [1] * len(fault) + [0] * len(good), [*fault, *good]
    alarms, found, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert got.false_alarms.tolist() == pytest.approx(alarms)
    assert got.found.tolist() == pytest.approx(found)
    assert float(got.area) == pytest.approx(roc_auc_score(labels, scores))
    pairs = [(a > b) + (a == b) / 2 for a in fault for b in good]
    assert float(got.area) == pytest.approx(sum(pairs) / len(pairs))


def test_a_score_that_is_no_number_is_refused() -> None:
    fine, nan = torch.zeros(2), torch.tensor([0.0, math.nan])
    with pytest.raises(ValueError, match=r"^fault: got"):
        roc(nan, fine)
    with pytest.raises(ValueError, match=r"^good: got"):
        roc(fine, nan)


def test_no_score_exceeds_the_ratio_of_the_densities() -> None:
    """Neyman and Pearson: at every share of false alarms the ratio finds the most."""
    good, fault = Normal(0.0, 1.0), Normal(1.0, 2.0)
    a, b = 2 * draw(4000) + 1, draw(4000, seed=1)
    best = roc(*(fault.log_prob(x) - good.log_prob(x) for x in (a, b)))
    density = roc(-good.log_prob(a), -good.log_prob(b))
    line = roc(a, b)
    assert float(best.area) > max(float(density.area), float(line.area)) + 0.005


def test_the_map_of_models_leads_to_every_chapter() -> None:
    text = Path(CHAPTER.file).read_text("utf-8")
    table = text.partition("## A map of generative models")[2].partition("\n# ## ")[0]
    others = {topic.name for topic in TOPICS} - {"likelihood"}
    assert {name for name in others if f"({name}.py)" not in table} == set()


TIES = {
    "fit": {
        "likelihood.normal_ml": test_families_are_fitted_as_proved,
        "likelihood.exponential_ml": test_families_are_fitted_as_proved,
        "likelihood.poisson_ml": test_families_are_fitted_as_proved,
        "likelihood.coin_ml": test_coins_and_dice_are_fitted_as_proved,
        "likelihood.die_ml": test_coins_and_dice_are_fitted_as_proved,
    },
    "kmeans": {"likelihood.kmeans_step": test_a_centre_is_the_mean_that_is_proved},
    "fit_mixture": {
        "likelihood.em_bound": test_the_rise_is_at_least_what_the_bound_says,
        "likelihood.responsibilities": test_one_step_on_the_line_is_the_one_that_is_proved,
        "likelihood.m_step": test_one_step_on_the_line_is_the_one_that_is_proved,
    },
    "pca": {
        "likelihood.reconstruction": test_no_other_line_loses_less,
        "likelihood.best_direction": test_no_other_line_loses_less,
    },
    "fit_ppca": {"likelihood.ppca_noise": test_probabilistic_pca_is_the_best_of_its_kind},
    "kde_log_prob": {"likelihood.kernel_density": test_three_bumps_are_those_of_the_chapter},
    "bits_per_dim": {"likelihood.change_of_unit": test_a_change_of_unit_shifts_as_proved},
    "dequantization_bound": {
        "likelihood.dequantization": test_noise_gives_a_lower_bound_and_the_right_noise_the_value
    },
}
