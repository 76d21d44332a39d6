"""Measures of samples against scipy, scikit-learn, closed forms, and the checked chapter."""

from __future__ import annotations

import itertools
import math
from functools import partial

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score
from sklearn.metrics.pairwise import polynomial_kernel as sklearn_polynomial
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from torch import nn

from genmath import book
from genmath.evaluation import (
    FewSamples,
    _coin,
    bootstrap,
    c2st,
    embed,
    frechet_distance,
    gaussian_kernel,
    inception_score,
    kid,
    mmd,
    polynomial_kernel,
    prdc,
)
from genmath.proof.language.tree import Node
from genmath.toys import digits
from tests.checked import value

CHAPTER = book.chapter("evaluation")
EVENTS = [(), (3,), (2, 2, 2)]
seeds = st.integers(0, 999)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64).to(dtype)


def wide(number: object) -> torch.Tensor:
    return torch.as_tensor(number, dtype=torch.float64)


def close(got: object, expected: object, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(wide(got), wide(expected), rtol=tolerance, atol=tolerance)


def pair(n: int = 40, m: int = 30, d: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    mixing = normal(d, d, seed=seed + 2) / 2
    return normal(n, d, seed=seed), 0.3 + normal(m, d, seed=seed + 1) @ mixing


# Features


class Moody(nn.Module):
    """A batch norm and a dropout, which must be off, and a part that is off already."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.drop, self.last = nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 4)
        self.last.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.last(self.drop(self.norm(x)))
        return out


def test_features_are_of_a_network_that_does_not_train() -> None:
    model, x = Moody(), normal(10, 3, dtype=torch.float32)
    found = embed(model, x, batch=4)
    assert not found.requires_grad
    assert (model.training, model.norm.training, model.last.training) == (True, True, False)
    model.eval()
    torch.testing.assert_close(found, model(x).detach(), rtol=1e-6, atol=1e-6)


def test_a_network_is_put_back_also_where_it_fails() -> None:
    model = Moody()
    with pytest.raises(RuntimeError):
        embed(model, normal(5, 2, dtype=torch.float32))
    assert model.drop.training


def test_features_are_flattened() -> None:
    assert embed(lambda x: x.unsqueeze(2).expand(-1, 2, 5), normal(3, 2)).shape == (3, 10)


# Fréchet distance


def by_scipy(real: np.ndarray, fake: np.ndarray) -> float:
    """The formula of the paper, with the root of a product."""
    first, second = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    apart = real.mean(0) - fake.mean(0)
    return float(apart @ apart + np.trace(first + second - 2 * np.real(root)))


@given(seed=seeds, d=st.integers(2, 6))
@settings(max_examples=20)
def test_the_frechet_distance_is_that_of_scipy(seed: int, d: int) -> None:
    real, fake = pair(d=d, seed=seed)
    close(frechet_distance(real, fake), by_scipy(real.numpy(), fake.numpy()), 1e-6)


def test_the_frechet_distance_of_digits_is_that_of_scipy() -> None:
    data = digits(dtype=torch.float64)
    real, fake = data.train.flatten(1), 0.9 * data.test.flatten(1)
    noise = 0.1 * normal(*real.shape)  # some pixels are always dark
    close(
        frechet_distance(real + noise, fake + noise[: len(fake)]),
        by_scipy((real + noise).numpy(), (fake + noise[: len(fake)]).numpy()),
        1e-6,
    )


def test_the_frechet_distance_is_in_float64_inside() -> None:
    real, fake = (100 + points for points in pair())
    single = frechet_distance(real.float(), fake.float())
    assert single.dtype == torch.float32
    close(single, frechet_distance(real.float().double(), fake.float().double()), 1e-6)


@pytest.mark.parametrize("event", EVENTS, ids=str)
def test_a_set_has_no_distance_to_itself_and_a_shift_has_its_square(event: tuple[int, ...]) -> None:
    real = normal(50, *event)
    assert abs(frechet_distance(real, real.flip(0))) < 1e-12
    close(frechet_distance(real, real + 2), 4 * math.prod(event))
    close(frechet_distance(real, 3 * real), 4 * real.var(0).sum() + 4 * real.mean(0).square().sum())


def test_too_few_samples_are_named() -> None:
    real, fake = normal(50, 8), normal(8, 8, seed=1)
    with pytest.warns(FewSamples, match=r"^fake: 8 points in 8 dimensions"):
        found = frechet_distance(real, fake)
    close(found, by_scipy(real.numpy(), fake.numpy()), 1e-6)
    with pytest.warns(FewSamples, match=r"^real: 3 points"):
        frechet_distance(fake[:3], real)
    with pytest.raises(ValueError, match=r"^fake: got .*, expected at least 2 points"):
        frechet_distance(real, fake[:1])
    frechet_distance(real, normal(9, 8))


def test_the_frechet_distance_has_a_gradient() -> None:
    real, fake = pair(8, 9, 2)
    fake.requires_grad_()
    assert torch.autograd.gradcheck(partial(frechet_distance, real), (fake,))


# Inception score


@given(seed=seeds, n=st.integers(1, 30), classes=st.integers(1, 6), sharp=st.floats(0, 30))
def test_the_inception_score_lies_between_one_and_the_classes(seed, n, classes, sharp) -> None:
    score = inception_score(sharp * normal(n, classes, seed=seed))
    assert 1 - 1e-12 <= score <= classes + 1e-12
    assert score <= n + 1e-12


def test_the_inception_score_of_sure_answers_is_sklearns_mutual_information() -> None:
    labels = torch.randint(5, (200,), generator=rng())
    logits = 1000.0 * nn.functional.one_hot(labels, 5).double()
    expected = math.exp(mutual_info_score(np.arange(200), labels.numpy()))
    close(inception_score(logits), expected, 1e-6)


def test_the_inception_score_is_scipys_mean_of_divergences() -> None:
    answers = normal(60, 4).softmax(1)
    mean = answers.mean(0).numpy()
    each = [scipy.stats.entropy(answer.numpy(), mean) for answer in answers]
    close(inception_score(answers.log()), math.exp(np.mean(each)), 1e-6)


def test_one_picture_of_each_class_has_the_best_score() -> None:
    logits = 1000.0 * torch.eye(10, dtype=torch.float64)
    close(inception_score(logits.repeat(20, 1)), 10)


# Kernels


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("block", [7, 1024])
def test_mmd_is_that_of_sklearns_kernels(biased: bool, block: int) -> None:
    real, fake = pair()
    cubic = partial(sklearn_polynomial, degree=3, gamma=1 / 3, coef0=1)
    for ours, theirs in (
        (polynomial_kernel(), cubic),
        (gaussian_kernel(0.7), partial(rbf_kernel, gamma=1 / (2 * 0.49))),
    ):
        expected = -2 * theirs(real, fake).mean()
        for points in (real, fake):
            table, n = theirs(points, points), len(points)
            off = table.sum() - np.trace(table)
            expected += table.mean() if biased else off / (n * (n - 1))
        close(mmd(real, fake, ours, biased=biased, block=block), expected, 1e-6)
    close(kid(real, fake, block=block), mmd(real, fake, polynomial_kernel()))


def test_a_kernel_must_give_a_number_a_pair() -> None:
    with pytest.raises(ValueError, match=r"^kernel output: got .*, expected .* shape"):
        mmd(*pair(), lambda x, y: x)


def test_mmd_has_a_gradient() -> None:
    real, fake = pair(5, 4, 2)
    fake.requires_grad_()
    assert torch.autograd.gradcheck(partial(kid, real), (fake,))


def test_the_cubic_kernel_does_not_see_a_fourth_moment_and_the_gaussian_does() -> None:
    """Normal and uniform by their quantiles, so that nothing is left to chance."""
    at = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
    bell, flat = math.sqrt(2) * torch.erfinv(2 * at - 1), math.sqrt(12) * (at - 0.5)
    bell = bell / bell.square().mean().sqrt()
    flat = flat / flat.square().mean().sqrt()
    assert mmd(bell, flat, polynomial_kernel(), biased=True) < 1e-9
    assert frechet_distance(bell, flat) < 1e-9
    assert mmd(bell, flat, gaussian_kernel(0.5), biased=True) > 1e-3


# Nearest neighbours


@given(seed=seeds, k=st.integers(1, 5))
@settings(max_examples=15)
def test_prdc_is_that_of_sklearns_neighbours(seed: int, k: int) -> None:
    real, fake = (points.numpy() for points in pair(seed=seed))

    def balls(points: np.ndarray) -> np.ndarray:
        return NearestNeighbors(n_neighbors=k).fit(points).kneighbors()[0][:, -1]

    apart = np.linalg.norm(real[:, None] - fake[None], axis=2)
    in_real, in_fake = apart <= balls(real)[:, None], apart <= balls(fake)[None]
    found = prdc(torch.from_numpy(real), torch.from_numpy(fake), k, block=9)
    close(found.precision, in_real.any(0).mean(), 1e-6)
    close(found.recall, in_fake.any(1).mean(), 1e-6)
    close(found.density, in_real.sum() / (k * len(fake)), 1e-6)
    close(found.coverage, in_real.any(1).mean(), 1e-6)


def test_samples_that_are_the_data_are_precise_and_recalled() -> None:
    real = normal(30, 2)
    found = prdc(real, real.flip(0))
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)
    assert prdc(real.float(), real.float()).density.dtype == torch.float32


def test_an_outlier_fools_precision_and_not_density() -> None:
    real, rubbish = normal(50, 2), 6 + 0.1 * normal(40, 2, seed=1)
    assert prdc(real, rubbish).precision == 0
    fooled = prdc(torch.cat([real, torch.tensor([[12.0, 12.0]])]).double(), rubbish)
    assert fooled.precision == 1
    assert fooled.density < 0.25
    assert fooled.coverage < 0.05


def test_neighbours_must_exist() -> None:
    with pytest.raises(ValueError, match=r"^k: got 5, expected an integer in 1\.\.4"):
        prdc(normal(9, 2), normal(5, 2))


# Classifier two-sample test


def test_the_test_is_that_of_sklearns_classifier() -> None:
    real, fake = pair(60, 60)
    orders = [torch.randperm(60, generator=g) for g in [rng()] for _ in "xy"]
    train = [points[order[30:]] for points, order in zip((real, fake), orders, strict=True)]
    test = [points[order[:30]] for points, order in zip((real, fake), orders, strict=True)]
    labels = np.repeat([0, 1], 30)
    for k in (None, 3):
        known = KNeighborsClassifier(k or 7).fit(torch.cat(train).numpy(), labels)
        accuracy = known.score(torch.cat(test).numpy(), labels)
        found = c2st(real, fake, k, generator=rng())
        close(found.accuracy, accuracy, 1e-6)
        close(found.tv, max(0, 2 * accuracy - 1), 1e-6)
        right = round(60 * accuracy)
        close(found.p_value, scipy.stats.binom.sf(right - 1, 60, 0.5), 1e-6)


@pytest.mark.parametrize(("n", "k"), [(60, 7), (8, 3), (50, 7)])  # roots 7.7, 2.8 and 7.1
def test_the_number_of_neighbours_is_the_root_made_odd(n: int, k: int) -> None:
    real, fake = pair(n, n)
    for seed in range(5):
        assert c2st(real, fake, generator=rng(seed)) == c2st(real, fake, k, generator=rng(seed))


def test_sets_that_are_apart_are_told_apart_and_equal_ones_are_not() -> None:
    real, same = normal(300, 2), normal(300, 2, seed=1)
    apart = c2st(real, same + 9, generator=rng())
    assert (apart.accuracy, apart.tv) == (1, 1)
    assert apart.p_value < 1e-80
    assert c2st(real, same, generator=rng()).p_value > 0.01


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"k": 4}, "^k: got 4, expected an odd number"),
        ({"test_fraction": 0.001}, "^test_fraction: got 0.001, expected one that leaves"),
        ({"fake": normal(7, 3)}, "^fake: got .*, expected as many points as in real, 8"),
    ],
)
def test_a_test_that_cannot_be_made_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        c2st(**{"real": normal(8, 3), "fake": normal(8, 3), "generator": rng(), **change})


# Bootstrap


def test_the_interval_of_a_mean_is_scipys() -> None:
    x = normal(80).exp()
    found = bootstrap(torch.mean, (x,), repeats=4000, level=0.9, generator=rng())
    theirs = scipy.stats.bootstrap(
        (x.numpy(),), np.mean, n_resamples=20_000, confidence_level=0.9, method="basic",
        rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    close(found.value, x.mean())
    scale = float(x.std()) / math.sqrt(80)
    assert abs(float(found.low) - theirs.low) < 0.1 * scale
    assert abs(float(found.high) - theirs.high) < 0.1 * scale


def test_each_set_is_drawn_by_itself() -> None:
    x, y = normal(20), normal(30, seed=1)
    found = bootstrap(lambda a, b: a.mean() - b.mean(), (x, y), repeats=3000, generator=rng())
    spread = math.sqrt(float(x.var(correction=0)) / 20 + float(y.var(correction=0)) / 30)
    assert abs(float(found.high - found.low) - 2 * 1.96 * spread) < 0.1 * spread


def test_one_seed_is_one_interval_and_a_number_is_asked_for() -> None:
    x = normal(12, 2)
    first, second = (bootstrap(torch.mean, [x], repeats=9, generator=rng(3)) for _ in "ab")
    assert first == second
    with pytest.raises(ValueError, match=r"^statistic output: got .*, expected one number"):
        bootstrap(lambda points: points, (x,), generator=rng())
    with pytest.raises(ValueError, match=r"^samples: got tuple \(\), expected at least one set"):
        bootstrap(torch.mean, (), generator=rng())
    with pytest.raises(ValueError, match=r"^samples: got a torch.float64 tensor .*a list of sets"):
        bootstrap(torch.mean, x, generator=rng())


# Ties


AT = torch.linspace(-9, 9, 4001, dtype=torch.float64)
BELL = (-(AT**2) / 2).softmax(0)  # a standard normal law, as a table
EVEN = torch.full((3,), 1 / 3, dtype=torch.float64)


def of(name: str, part: str = "", side: str = "rhs") -> Node:
    """A side of a claim, of those for the most points or features."""
    chains = [c for c in getattr(CHAPTER, name).chains if (c.name or "") == part]
    return chains[-1].last if side == "rhs" else chains[-1].start


def test_tie_frechet_distance() -> None:
    """One feature: the board's formula, and over many sets of equal laws the mean is the bias."""
    real, fake = normal(20), 0.3 + 2 * normal(30, seed=1)
    moments = {"mu_1": real.mean(), "mu_2": fake.mean()}
    moments |= {"sigma_1": real.std(), "sigma_2": fake.std()}
    close(frechet_distance(real, fake), value(CHAPTER.names["frechet"], **moments))
    line = book.chapter("wasserstein").w2_line["reached"].claim.rhs
    close(frechet_distance(real, fake), value(line, **moments))

    n, sets = 3, 4000
    found = torch.stack([frechet_distance(a, b) for a, b in zip(*normal(2, sets, n), strict=True)])
    spread = value(of("fid_bias", "two"), n=n - 1, m=n - 1, sigma=wide(1))
    means = value(of("mean_bias"), p=BELL, q=BELL, x=AT, y=AT)
    assert abs(found.mean() - (spread + means)) < 4 * found.std() / math.sqrt(sets)


def test_tie_bootstrap() -> None:
    """Drawing from the points is drawing from a law, which has the bias of that law."""
    x, y = normal(3), normal(3, seed=1)
    found = bootstrap(
        lambda a, b: (a.mean() - b.mean()) ** 2, (x, y), repeats=20_000, generator=rng()
    )
    exact = value(of("mean_bias"), p=EVEN, q=EVEN, x=x, y=y)
    close(found.value + found.bias, exact, 0.03)
    assert found.bias > 0.1


def test_tie_inception_score() -> None:
    """The samples as places, each with the same mass; the answers as a joint table."""
    answers = normal(7, 4).softmax(1)
    table = answers / 7
    assert inception_score(answers.log()) > 1.1
    close(inception_score(answers.log()).log(), value(of("inception", "entropies"), q=table))
    close(inception_score(answers.log()), value(of("inception", "least", "lhs"), q=table))


def cubic(s: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return (s * t + 1) ** 3


REAL, FAKE = wide([0.2, -1.0, 1.4]), wide([0.5, 0.9, -0.3])
PLACES = {"x": REAL, "x_1": REAL, "y": FAKE, "y_1": FAKE}
LAWS = {"p": EVEN, "q": EVEN}


def test_tie_mmd() -> None:
    """Two laws on three points each: the board's three means, and the distance of mean features."""
    found = mmd(REAL, FAKE, polynomial_kernel(), biased=True)
    close(found, value(CHAPTER.names["discrepancy"], kappa=cubic, **PLACES, **LAWS))
    phi = {"phi_1": lambda s: s, "phi_2": lambda s: s**2, "phi_3": lambda s: s**3}
    expected = value(of("mmd"), **phi, **PLACES, **LAWS)
    rows = [torch.stack([f(points) for f in phi.values()], 1) for points in (REAL, FAKE)]
    close(mmd(*rows, lambda x, y: x @ y.mT, biased=True), expected)


def test_tie_mmd_estimates() -> None:
    """The mean over all sets of three that may be drawn from the two laws."""
    kernel = polynomial_kernel()
    draws = [torch.tensor(which) for which in itertools.product(range(3), repeat=3)]
    truth = value(of("cubic_kernel"), **PLACES, **LAWS)
    each = [(REAL[i], FAKE[j]) for i in draws for j in draws]
    close(torch.stack([kid(x, y) for x, y in each]).mean(), truth)
    biased = torch.stack([mmd(x, y, kernel, biased=True) for x, y in each]).mean()
    more = [
        value(of("mmd_estimates", "biased"), kappa=cubic, p=EVEN, x=points, x_1=points)
        - value(of("mmd_estimates", "unbiased"), kappa=cubic, p=EVEN, x=points, x_1=points)
        for points in (REAL, FAKE)
    ]
    close(biased - truth, sum(more))


@pytest.mark.parametrize("bandwidth", [0.3, 2.0])
def test_tie_gaussian_kernel(bandwidth: float) -> None:
    letters = {"mu_1": 0.3, "sigma_1": 1.2, "mu_2": -0.5, "sigma_2": 0.4}
    x, y = 0.3 + 1.2 * AT.unsqueeze(1), -0.5 + 0.4 * AT.unsqueeze(1)
    found = BELL @ gaussian_kernel(bandwidth)(x, y) @ BELL
    close(found, value(of("gaussian_kernel"), h=wide(bandwidth), **letters), 1e-6)


def test_tie_cubic_kernel() -> None:
    found = mmd(REAL, FAKE, polynomial_kernel(3), biased=True)
    close(found, value(of("cubic_kernel"), **PLACES, **LAWS))


def test_tie_recall() -> None:
    """Places with many points each: the balls are the places themselves."""
    shares, made = wide([0.5, 0.25, 0.25]), wide([0.75, 0.25, 0])
    places = wide([0, 10, 20])
    real, fake = (places.repeat_interleave((12 * law).long()) for law in (shares, made))
    expected = value(of("recall", side="lhs"), p=shares, q=made)
    close(prdc(real, fake, 2).recall, expected)
    close(prdc(real, fake, 2).precision, value(of("recall", side="lhs"), p=made, q=shares))


def test_tie_nearest() -> None:
    """A perfect model: how many balls it fills, and how densely, on average."""
    sets, k, m = 3000, 2, 1
    found = [prdc(a, b, k) for a, b in zip(*normal(2, sets, m + k, 2), strict=True)]
    coverage, density = (
        torch.stack([getattr(each, name) for each in found]) for name in ("coverage", "density")
    )
    missed = value(of("nearest", "missed", "lhs"), m=m)
    assert abs(1 - coverage.mean() - missed) < 4 * coverage.std() / math.sqrt(sets)
    assert abs(density.mean() - 1) < 4 * density.std() / math.sqrt(sets)


def test_tie_c2st() -> None:
    """The law of the coin behind the p-value has the variance of the chapter."""
    for chain, n in zip(CHAPTER.accuracy.chains, (2, 3), strict=True):
        tail = wide([_coin(right, n) for right in range(n + 1)])
        share = torch.arange(n + 1, dtype=torch.float64) / n
        weight = tail - torch.cat([tail[1:], wide([0.0])])
        spread = weight @ (share - 0.5) ** 2
        close(spread, value(chain.last, t=wide(0.5)))


TIES = {
    "frechet_distance": {
        "wasserstein.w2_normal": test_tie_frechet_distance,
        "evaluation.mean_bias": test_tie_frechet_distance,
        "evaluation.fid_bias": test_tie_frechet_distance,
    },
    "bootstrap": {"evaluation.mean_bias": test_tie_bootstrap},
    "inception_score": {"evaluation.inception": test_tie_inception_score},
    "mmd": {
        "evaluation.mmd": test_tie_mmd,
        "evaluation.mmd_estimates": test_tie_mmd_estimates,
    },
    "kid": {
        "evaluation.cubic_kernel": test_tie_mmd_estimates,
        "evaluation.mmd_estimates": test_tie_mmd_estimates,
    },
    "gaussian_kernel": {"evaluation.gaussian_kernel": test_tie_gaussian_kernel},
    "polynomial_kernel": {"evaluation.cubic_kernel": test_tie_cubic_kernel},
    "prdc": {"evaluation.recall": test_tie_recall, "evaluation.nearest": test_tie_nearest},
    "c2st": {"evaluation.accuracy": test_tie_c2st},
}
