"""The exact mixture against dense linear algebra and quadrature; each data set as documented."""

from __future__ import annotations

import math
import sys

import mpmath as mp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genmath import toys
from genmath.toys import GaussianMixture, digits
from genmath.vae import bernoulli_log_likelihood

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
PLANE = ["eight_gaussians", "moons", "s_curve", "spirals", "checkerboard"]


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def draw(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64)


def mixture(k: int, event: tuple[int, ...], seed: int, full: bool) -> GaussianMixture:
    d = math.prod(event)
    weights = draw(seed, k).softmax(0)
    means = 2 * draw(seed + 1, k, *event)
    if not full:
        return GaussianMixture(weights, means, std=draw(seed + 2, k).exp() / 3)
    factors = draw(seed + 2, k, d, d) / 2
    return GaussianMixture(weights, means, covariances=factors @ factors.mT + 0.05 * torch.eye(d))


def dense(m: GaussianMixture, x: torch.Tensor, alpha: float, sigma: float, **slopes: float):
    """Every quantity by solving with the covariance matrices, one component at a time."""
    k, d = len(m.weights), math.prod(m.event)
    rows = x.reshape(len(x), d)
    factors = m._factors()
    logs, scores, x0s = [], [], []
    for i in range(k):
        cov, mu = factors[i] @ factors[i].T, m.means[i].reshape(d)
        noisy = alpha**2 * cov + sigma**2 * torch.eye(d, dtype=torch.float64)
        normal = torch.distributions.MultivariateNormal(alpha * mu, noisy, validate_args=False)
        pulled = torch.linalg.solve(noisy, (rows - alpha * mu).T).T
        logs.append(m.weights[i].log() + normal.log_prob(rows))
        scores.append(-pulled)
        x0s.append(mu + alpha * pulled @ cov)
    joint = torch.stack(logs, 1)
    r = joint.softmax(1).unsqueeze(2)
    score, x0 = ((r * torch.stack(parts, 1)).sum(1).reshape(x.shape) for parts in (scores, x0s))
    eps = (x - alpha * x0) / sigma
    return {
        "log_prob": joint.logsumexp(1), "responsibilities": r.squeeze(2), "score": score,
        "denoiser": x0, "eps": eps, "velocity": slopes["d_alpha"] * x0 + slopes["d_sigma"] * eps,
    }  # fmt: skip


@settings(max_examples=60)
@given(
    k=st.integers(1, 4),
    event=st.sampled_from([(1,), (3,), (2, 1, 2), ()]),
    full=st.booleans(),
    batch=st.integers(0, 4),
    alpha=st.floats(0.05, 2),
    sigma=st.floats(0.05, 2),
    seed=st.integers(0, 999),
)
def test_every_quantity_agrees_with_dense_algebra(
    device, k, event, full, batch, alpha, sigma, seed
) -> None:
    m = mixture(k, event, seed, full)
    x = 2 * draw(seed + 9, batch, *event)
    slopes = {"d_alpha": -1.3, "d_sigma": 0.7}
    expected = dense(m, x, alpha, sigma, **slopes)
    assert m.event == event
    for name, value in expected.items():
        given_slopes = slopes if name == "velocity" else {}
        got = getattr(m, name)(x.to(device), alpha, sigma, **given_slopes)
        assert got.shape == value.shape
        torch.testing.assert_close(got.cpu(), value, rtol=1e-8, atol=1e-8)
        vectors = [
            torch.full((batch,), c, device=device, dtype=torch.float64) for c in (alpha, sigma)
        ]
        slope = {
            n: torch.full((batch,), c, device=device, dtype=torch.float64)
            for n, c in given_slopes.items()
        }
        vector = getattr(m, name)(x.to(device), *vectors, **slope)
        torch.testing.assert_close(vector, got, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("full", [False, True])
def test_one_noise_level_a_sample_is_that_level_of_each(full) -> None:
    m, x = mixture(3, (2,), 1, full), draw(5, 4, 2)
    alpha, sigma = torch.tensor([0.9, 0.0, 0.5, 1.0]), torch.tensor([0.1, 1.0, 0.5, 0.0])
    slopes = torch.linspace(-1, 1, 4), torch.linspace(2, 3, 4)
    for name in ("log_prob", "score", "denoiser", "eps", "responsibilities", "velocity"):
        more = slopes if name == "velocity" else ()
        for shape in ((4,), (4, 1)):
            whole = getattr(m, name)(
                x, alpha.reshape(shape), sigma.reshape(shape), *(c.reshape(shape) for c in more)
            )
            for i in range(4):
                numbers = [c[i].item() for c in (alpha, sigma, *more)]
                alone = getattr(m, name)(x[i : i + 1], *numbers)
                torch.testing.assert_close(whole[i : i + 1], alone, rtol=1e-12, atol=1e-12)


@settings(max_examples=25)
@given(st.integers(0, 999), st.booleans(), st.floats(0.1, 1), st.floats(0, 1))
def test_the_score_is_the_gradient_of_log_prob(device, seed, full, alpha, sigma) -> None:
    m = mixture(3, (2, 2), seed, full)
    x = draw(seed + 1, 5, 2, 2).to(device).requires_grad_()
    (slope,) = torch.autograd.grad(m.log_prob(x, alpha, sigma).sum(), x)
    torch.testing.assert_close(m.score(x, alpha, sigma), slope, rtol=1e-9, atol=1e-9)


def test_the_density_integrates_to_one_and_the_denoiser_is_the_posterior_mean() -> None:
    """In one dimension, by the trapezoid rule on p(x_0) N(x; alpha x_0, sigma²)."""
    m = GaussianMixture([0.3, 0.7], [-1.0, 2.0], std=[0.5, 0.2])
    grid = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    for alpha, sigma in ((1.0, 0.0), (0.8, 0.6), (0.0, 1.0), (1.0, 3.0)):
        wide = grid * (1 + 4 * sigma)
        assert torch.trapezoid(m.log_prob(wide, alpha, sigma).exp(), wide) == pytest.approx(1)
    x, alpha, sigma = 0.7, 0.8, 0.6
    weight = m.log_prob(grid).exp() * torch.exp(-((x - alpha * grid) ** 2) / (2 * sigma**2))
    exact = torch.trapezoid(weight * grid, grid) / torch.trapezoid(weight, grid)
    got = m.denoiser(torch.tensor([x], dtype=torch.float64), alpha, sigma)
    assert got.item() == pytest.approx(exact.item(), rel=1e-10)


def test_the_continuity_equation_holds_along_a_path() -> None:
    """∂p/∂t = -∇·(p u): the velocity carries the marginals, by finite differences in t."""
    m = mixture(3, (2,), 4, True)
    x = draw(1, 6, 2).requires_grad_()
    t, h = 0.4, 1e-5

    def log_p(s: float) -> torch.Tensor:
        return m.log_prob(x, math.cos(s), math.sin(s))

    u = m.velocity(x, math.cos(t), math.sin(t), -math.sin(t), math.cos(t))
    divergence = sum(
        torch.autograd.grad(u[:, i].sum(), x, retain_graph=True)[0][:, i] for i in range(2)
    )
    along = (u * m.score(x, math.cos(t), math.sin(t))).sum(1)
    torch.testing.assert_close((log_p(t + h) - log_p(t - h)) / (2 * h), -divergence - along,
                               rtol=1e-6, atol=1e-6)  # fmt: skip


def test_the_ends_are_exact(device) -> None:
    for full in (False, True):
        m, x = mixture(3, (2,), 2, full), draw(1, 5, 2).to(device)
        assert (m.eps(x, 1.0, 0.0) == 0).all()
        torch.testing.assert_close(m.denoiser(x, 1.0, 0.0), x, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(m.eps(x, 0.0, 1.0), x, rtol=1e-12, atol=1e-12)
        mean = m.mean.to(device).expand(5, 2)
        torch.testing.assert_close(m.denoiser(x, 0.0, 1.0), mean, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(m.score(x, 0.0, 1.0), -x, rtol=1e-12, atol=1e-12)


def test_points_have_a_denoiser_and_no_clean_density() -> None:
    """std = 0 is the empirical distribution: its denoiser is a softmax average of the points."""
    points, x = draw(0, 6, 2), draw(1, 4, 2)
    m = GaussianMixture([1 / 6] * 6, points, std=0)
    logits = -((x[:, None] - 0.8 * points) ** 2).sum(2) / (2 * 0.36)
    torch.testing.assert_close(m.denoiser(x, 0.8, 0.6), logits.softmax(1) @ points)
    near = m.denoiser(x, 1.0, 1e-6)  # the nearest point, with nothing overflowing
    torch.testing.assert_close(near, points[torch.cdist(x, points).argmin(1)])
    with pytest.raises(ValueError, match=r"^sigma: got 0.0, expected a positive number"):
        m.log_prob(x)
    assert torch.isnan(m.score(x, torch.ones(4), torch.zeros(4))).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_dtype_follows_the_data(device, dtype) -> None:
    m, x = mixture(3, (2,), 3, True), draw(1, 5, 2).to(device, dtype)
    sigma = torch.full((5,), 0.6, device=device, dtype=torch.float64)
    for level in ((0.8, 0.6), (0.8, sigma)):
        for name in ("log_prob", "score", "denoiser", "eps", "responsibilities"):
            got = getattr(m, name)(x, *level)
            assert got.dtype == dtype
            assert got.device == x.device
            wide = getattr(m, name)(x.double(), *level)
            assert torch.equal(got, wide.to(dtype))
        velocity = m.velocity(x, *level, -0.6, 0.8)
        assert torch.equal(velocity, m.velocity(x.double(), *level, -0.6, 0.8).to(dtype))


def test_data_at_a_large_offset_lose_nothing() -> None:
    m = mixture(3, (2,), 3, True)
    factors = m._factors()
    far = GaussianMixture(m.weights, m.means + 1e4, covariances=factors @ factors.mT)
    x = draw(1, 5, 2)
    torch.testing.assert_close(far.score(x + 1e4), m.score(x), rtol=1e-9, atol=1e-9)
    got = far.denoiser(x + 0.8e4, 0.8, 0.6)
    torch.testing.assert_close(got - 1e4, m.denoiser(x, 0.8, 0.6), rtol=1e-8, atol=1e-8)


def test_far_away_nothing_overflows() -> None:
    m = GaussianMixture([0.5, 0.5], [[-1.0], [1.0]], std=1e-3)
    x = torch.tensor([[1e3], [-1e3]])
    assert torch.isfinite(m.log_prob(x)).all()
    assert torch.equal(m.responsibilities(x), torch.tensor([[0.0, 1.0], [1.0, 0.0]]))


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_samples_have_the_exact_mean_and_covariance(device, full, stratified) -> None:
    m, n = mixture(3, (2, 1), 7, full), 200_000
    x = m.sample(n, generator=rng(device), stratified=stratified, dtype=torch.float64)
    assert x.shape == (n, 2, 1)
    assert x.device.type == device
    rows = x.cpu().reshape(n, 2)
    error = (rows.mean(0) - m.mean.reshape(2)).abs()
    assert (error < 5 * m.covariance.diagonal().sqrt() / math.sqrt(n)).all()
    torch.testing.assert_close(rows.T.cov(), m.covariance, rtol=0.03, atol=0.03)


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6), st.integers(0, 200), st.integers(0, 9))
@settings(max_examples=50)
def test_stratified_counts_are_rounded_by_largest_remainder(raw, n, seed) -> None:
    weights = torch.tensor(raw, dtype=torch.float64)
    weights = weights / weights.sum()
    means = 100 * torch.arange(len(raw), dtype=torch.float64).unsqueeze(1)
    m = GaussianMixture(weights, means, std=0.1)
    x = m.sample(n, generator=rng(seed=seed), stratified=True)
    counts = torch.bincount((x.flatten() / 100).round().long(), minlength=len(raw))
    exact = n * weights
    assert counts.sum() == n
    assert ((counts - exact).abs() < 1).all()
    up = counts > exact.floor() + 0.5
    remainder = exact - exact.floor()
    if up.any() and not up.all():
        assert remainder[up].min() >= remainder[~up].max() - 1e-9


def test_unstratified_counts_are_left_to_chance_in_proportion() -> None:
    m = GaussianMixture([0.2, 0.3, 0.5], [[-100.0], [0.0], [100.0]], std=1)
    counts = []
    for seed in range(200):
        x = m.sample(100, generator=rng(seed=seed))
        counts.append((x < -50).sum().item())
    counts = torch.tensor(counts, dtype=torch.float64)
    assert counts.mean().item() == pytest.approx(20, abs=1.5)
    assert counts.var().item() == pytest.approx(16, rel=0.4)


def test_stratified_samples_come_in_random_order() -> None:
    x = GaussianMixture.ring().sample(800, generator=rng(), stratified=True)
    quadrant = (x[:400] > 0).all(1).sum().item()  # 1 of 8 centres well inside, 2 on its border
    assert 50 < quadrant < 150


def test_samples_follow_the_seed_and_no_global_state(device) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    sets = [getattr(toys, name) for name in PLANE]
    first = [make(20, generator=rng(device)) for make in sets]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    for make, x in zip(sets, first, strict=True):
        assert torch.equal(make(20, generator=rng(device)), x)
        assert not torch.equal(make(20, generator=rng(device, seed=1)), x)
        assert x.device.type == device


@pytest.mark.parametrize("name", PLANE)
@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("n", [0, 1, 7])
def test_the_plane_has_any_number_of_points(name, n, stratified) -> None:
    make = getattr(toys, name)
    for dtype in DTYPES:
        x = make(n, generator=rng(), stratified=stratified, dtype=dtype)
        assert x.shape == (n, 2)
        assert x.dtype == dtype
        wide = make(n, generator=rng(), stratified=stratified, dtype=torch.float64)
        assert torch.equal(x, wide.to(dtype))


# What each set is said to be, measured as the distance to it in units of its noise.


def _eight(x):
    centres = torch.tensor([[1.4 * math.cos(math.pi * i / 4), 1.4 * math.sin(math.pi * i / 4)]
                            for i in range(8)], dtype=torch.float64)  # fmt: skip
    return (x[:, None] - centres).norm(dim=2).amin(1), 0.28 * 0.1**0.25, 2


def _moons(x):
    a = torch.linspace(0, math.pi, 2000, dtype=torch.float64)
    upper = torch.stack([1.4 * a.cos() - 0.7, 1.4 * a.sin() - 0.35], 1)
    return torch.cdist(x, torch.cat([upper, -upper])).amin(1), 0.28, 1


def _s_curve(x):
    a = torch.linspace(-math.pi * 1.5, math.pi * 1.5, 4000, dtype=torch.float64)
    curve = 0.9 * torch.stack([a.sin(), a.sign() * (a.cos() - 1)], 1)
    return torch.cdist(x, curve).amin(1), 0.045, 1


def _spirals(x):
    a = torch.linspace(0, 3 * math.pi, 4000, dtype=torch.float64)
    arm = (2 * a / (3 * math.pi)).unsqueeze(1) * torch.stack([a.cos(), a.sin()], 1)
    return torch.cdist(x, torch.cat([arm, -arm])).amin(1), 0.05, 1


@pytest.mark.parametrize(
    ("name", "distance"),
    [("eight_gaussians", _eight), ("moons", _moons), ("s_curve", _s_curve), ("spirals", _spirals)],
)
def test_the_curves_are_where_they_are_said_to_be(name, distance) -> None:
    x = getattr(toys, name)(4000, generator=rng(), dtype=torch.float64)
    d, std, dims = distance(x)
    # Mean square distance to a point is 2 std², to a curve std² or, where it bends, a little less.
    ratio = (d**2).mean().item() / (dims * std**2)
    assert 0.8 < ratio < 1.1


@pytest.mark.parametrize("name", [name for name in PLANE if name != "moons"])
def test_equal_pieces_hold_equally_many(name) -> None:
    x = getattr(toys, name)(8000, generator=rng(), stratified=True, dtype=torch.float64)
    if name == "eight_gaussians":
        piece = ((torch.atan2(x[:, 1], x[:, 0]) * 4 / math.pi).round() % 8).long()
        share = torch.bincount(piece, minlength=8) / 1000
    elif name == "checkerboard":
        cells = (x + 2).floor().long()
        assert (cells.sum(1) % 2 == 0).all()
        assert ((cells >= 0) & (cells <= 3)).all()
        share = torch.bincount(4 * cells[:, 0] + cells[:, 1], minlength=16)
        assert torch.equal(share[share > 0], torch.full((8,), 1000))
        inside = (x + 2) % 1
        torch.testing.assert_close(
            inside.mean(0), torch.full((2,), 0.5).double(), atol=0.01, rtol=0
        )
        torch.testing.assert_close(
            inside.var(0), torch.full((2,), 1 / 12).double(), atol=0.01, rtol=0
        )
        return
    else:  # symmetric under x → -x
        share = (x > 0).double().mean(0) / 0.5
    torch.testing.assert_close(share, torch.ones_like(share), atol=0.03, rtol=0)


@pytest.mark.parametrize("name", ["moons", "spirals"])
def test_without_noise_half_the_points_lie_on_each_arm(name, monkeypatch) -> None:
    monkeypatch.setattr(toys, "_normal", lambda n, generator: torch.zeros(n, 2).double())
    x = getattr(toys, name)(1000, generator=rng(), stratified=True, dtype=torch.float64)
    if name == "moons":
        centre = torch.tensor([0.7, 0.35], dtype=torch.float64)
        first, second = x + centre, x - centre
        on_first = ((first.norm(dim=1) - 1.4).abs() < 1e-12) & (first[:, 1] >= -1e-12)
        on_second = ((second.norm(dim=1) - 1.4).abs() < 1e-12) & (second[:, 1] <= 1e-12)
    else:
        radius = x.norm(dim=1)
        angle = radius * 3 * math.pi / 2
        arm = radius.unsqueeze(1) * torch.stack([angle.cos(), angle.sin()], 1)
        on_first, on_second = ((x - s * arm).norm(dim=1) < 1e-10 for s in (1, -1))
    assert (on_first ^ on_second).all()
    assert on_first.sum() == 500


@pytest.mark.parametrize("name", PLANE)
def test_every_set_is_at_unit_scale_around_0(name: str) -> None:
    x = getattr(toys, name)(20_000, generator=rng(), stratified=True, dtype=torch.float64)
    assert x.mean(0).abs().max() < 0.02
    assert 0.95 < x.square().mean() < 1.35
    if name == "eight_gaussians":
        ring = GaussianMixture.ring()
        assert ring.mean.abs().max() < 1e-12
        assert ring.covariance.diagonal().tolist() == pytest.approx([1.0048, 1.0048], abs=1e-4)


# Digits


def test_digits_are_scaled_labelled_and_split() -> None:
    d = digits()
    assert (len(d.train), len(d.test)) == (1438, 359)
    for images, labels in ((d.train, d.train_labels), (d.test, d.test_labels)):
        assert images.shape[1:] == (1, 8, 8)
        assert images.dtype == torch.float32
        assert (images.min(), images.max()) == (-1, 1)
        assert labels.dtype == torch.long
        assert len(labels) == len(images)
        assert set(labels.tolist()) == set(range(10))
    # Every image is in exactly one part, with the label it came with.
    from sklearn.datasets import load_digits

    table, labels = load_digits(return_X_y=True)
    rows = torch.cat([d.train, d.test]).reshape(-1, 64)
    shown = torch.cat([d.train_labels, d.test_labels]).tolist()
    ours = {(*(8 * (r + 1)).tolist(), y) for r, y in zip(rows, shown, strict=True)}
    theirs = {(*r.tolist(), int(y)) for r, y in zip(table, labels, strict=True)}
    assert ours == theirs


def test_one_seed_is_one_split() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert torch.equal(digits(seed=3).train, digits(seed=3).train)
    assert not torch.equal(digits(seed=3).train, digits(seed=4).train)
    assert torch.equal(torch.get_rng_state(), before)
    assert len(digits(test_fraction=0).test) == 0
    assert digits(dtype=torch.float64).train.dtype == torch.float64


def test_without_scikit_learn_one_line_says_what_to_install(monkeypatch) -> None:
    for name in [n for n in sys.modules if n.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"^scikit-learn is not installed; run: pip install sc"):
        digits()


M = GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], std=0.1)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("weights", lambda x: GaussianMixture([0.5, 0.6], x[:2], std=1)),
        ("weights", lambda x: GaussianMixture([1.5, -0.5], x[:2], std=1)),
        ("weights", lambda x: GaussianMixture([], x[:0], std=1)),
        ("weights", lambda x: GaussianMixture([math.nan], x[:1], std=1)),
        ("weights", lambda x: GaussianMixture("half", x[:1], std=1)),
        ("means", lambda x: GaussianMixture([0.5, 0.5], x[:1], std=1)),
        ("std, covariances", lambda x: GaussianMixture([1.0], x[:1])),
        ("std, covariances", lambda x: GaussianMixture([1.0], x[:1], std=1, covariances=[[[1.0]]])),
        ("std", lambda x: GaussianMixture([1.0], x[:1], std=-1)),
        ("std", lambda x: GaussianMixture([1.0], x[:1], std=[1, 2])),
        ("covariances", lambda x: GaussianMixture([1.0], x[:1], covariances=torch.eye(2))),
        ("covariances",
         lambda x: GaussianMixture([1.0], x[:1], covariances=[[[1.0, 0.5], [0.0, 1.0]]])),
        ("covariances",
         lambda x: GaussianMixture([1.0], x[:1], covariances=[[[1.0, 2.0], [2.0, 1.0]]])),
        ("components", lambda x: GaussianMixture.ring(0)),
        ("x", lambda x: M.score(x[:, :1])),
        ("x", lambda x: M.score(x.long())),
        ("x", lambda x: M.log_prob(x[0, 0])),
        ("alpha", lambda x: M.score(x, -1.0, 0.5)),
        ("sigma", lambda x: M.score(x, 1.0, math.inf)),
        ("sigma", lambda x: M.score(x, 0.0, 0.0)),
        ("sigma", lambda x: M.eps(x, 1.0, torch.ones(2))),
        ("d_sigma", lambda x: M.velocity(x, 1.0, 0.0, 0.0, math.inf)),
        ("d_alpha", lambda x: M.velocity(x, 1.0, 0.0, torch.ones(2), 0.0)),
        ("n", lambda x: M.sample(-1, generator=rng())),
        ("n", lambda x: toys.moons(1.5, generator=rng())),
        ("generator", lambda x: M.sample(1, generator=0)),
        ("generator", lambda x: toys.spirals(1, generator=None)),
        ("test_fraction", lambda x: digits(test_fraction=1.5)),
        ("seed", lambda x: digits(seed=0.5)),
    ],
)  # fmt: skip
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.zeros(3, 2))


def test_the_eight_gaussians_against_40_digits() -> None:
    m = GaussianMixture.ring()
    with mp.workdps(40):
        x, y, total = mp.mpf("0.3"), mp.mpf("-1.2"), mp.mpf(0)
        for i in range(8):
            a, b = (mp.mpf("1.4") * of(mp.pi * i / 4) for of in (mp.cos, mp.sin))
            variance = mp.mpf("0.64") * mp.mpf("0.28") ** 2 * mp.sqrt(mp.mpf("0.1"))
            variance += mp.mpf("0.36")
            q = ((x - mp.mpf("0.8") * a) ** 2 + (y - mp.mpf("0.8") * b) ** 2) / variance
            total += mp.exp(-q / 2) / (2 * mp.pi * variance) / 8
        exact = float(mp.log(total))
    got = m.log_prob(torch.tensor([[0.3, -1.2]], dtype=torch.float64), 0.8, 0.6).item()
    assert got == pytest.approx(exact, rel=1e-13)


def test_digits_from_zero_suit_a_bernoulli_and_from_minus_one_do_not() -> None:
    signed, unit = digits(), digits(low=0.0)
    assert (signed.train.min(), signed.train.max()) == (-1, 1)
    assert (unit.train.min(), unit.train.max()) == (0, 1)
    torch.testing.assert_close(2 * unit.train - 1, signed.train)
    assert bernoulli_log_likelihood(torch.zeros_like(unit.test), unit.test).isfinite().all()
    with pytest.raises(ValueError, match=r"^x: got .* values in \[-1, 1\], expected .*\[0, 1\]"):
        bernoulli_log_likelihood(torch.zeros_like(signed.test), signed.test)
