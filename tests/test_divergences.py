"""Divergences: closed forms against quadrature and 40 digits, tables against brute force."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import mpmath as mp
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from genmath import book
from genmath.divergences import (
    CHI2,
    JS,
    KL,
    REVERSE_KL,
    TV,
    f_divergence,
    f_divergence_from_samples,
    fenchel_bound,
    gaussian_kl,
    gaussian_kl_full,
    js,
    kl,
    tv,
)
from genmath.proof.functions import function
from genmath.proof.language.derivation import Part

# Properties that need no checker

MEMBERS = [KL, REVERSE_KL, JS, TV, CHI2]
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
LOG2 = math.log(2)

numbers = st.floats(-3, 3)


@st.composite
def counts(draw, low: int = 0) -> list[torch.Tensor]:
    """Two rows of whole numbers of one length, neither of them all 0."""
    size = draw(st.integers(1, 6))
    row = st.lists(st.integers(low, 20), min_size=size, max_size=size).filter(any)
    return [torch.tensor(draw(row)) for _ in range(2)]


def tables() -> st.SearchStrategy[list[torch.Tensor]]:
    """Two tables of one length, in float64, zeros among them."""
    return counts().map(lambda rows: [row.double() / row.sum() for row in rows])


# Gaussians


def scalar_kl(m0, v0, m1, v1) -> mp.mpf:
    """KL(N(m0, v0) ‖ N(m1, v1)) to 40 digits."""
    m0, v0, m1, v1 = map(mp.mpf, (m0, v0, m1, v1))
    return (mp.log(v1 / v0) + (v0 + (m0 - m1) ** 2) / v1 - 1) / 2


def one(x: float) -> torch.Tensor:
    return torch.tensor([[x]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("m0", "v0", "m1", "v1", "witness"),
    [
        (0, 1, 1, 4, 0.4431471805599453),
        (1, 4, 0, 1, 1.3068528194400546),
        (0.3, math.exp(-0.8), 0, 1, 0.1696644820586108),
    ],
)
def test_gaussian_kl_matches_a_witness_and_the_definition(m0, v0, m1, v1, witness) -> None:
    got = gaussian_kl(one(m0), one(math.log(v0)), one(m1), one(math.log(v1))).item()
    assert got == pytest.approx(witness, rel=1e-14)
    if (m1, v1) == (0, 1):
        assert gaussian_kl(one(m0), one(math.log(v0))).item() == pytest.approx(witness, rel=1e-14)

    def integrand(x):
        def log_density(m, v):
            return -((x - m) ** 2) / (2 * v) - mp.log(2 * mp.pi * v) / 2

        return mp.exp(log_density(m0, v0)) * (log_density(m0, v0) - log_density(m1, v1))

    assert got == pytest.approx(float(mp.quad(integrand, [-30, -5, 0, 5, 30])), rel=1e-10)


@given(numbers, numbers, numbers, numbers)
def test_gaussian_kl_matches_40_digits(m0, l0, m1, l1) -> None:
    with mp.workdps(40):
        exact = float(scalar_kl(m0, mp.exp(l0), m1, mp.exp(l1)))
    got = gaussian_kl(one(m0), one(l0), one(m1), one(l1)).item()
    assert got == pytest.approx(exact, rel=1e-12, abs=1e-15)
    assert got >= 0


@given(st.floats(1e-9, 1e-3), numbers)
def test_nearly_equal_variances_keep_their_digits(gap: float, log_var: float) -> None:
    """exp(r) - 1 - r loses all of them when written as it reads."""
    ratio = (log_var + gap) - log_var
    assume(ratio != 0)
    got = gaussian_kl(one(0), one(log_var + gap), one(0), one(log_var)).item()
    with mp.workdps(40):
        exact = float((mp.expm1(mp.mpf(ratio)) - mp.mpf(ratio)) / 2)
    assert got == pytest.approx(exact, rel=1e-6, abs=2e-19)


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=4),
    st.sampled_from(DTYPES),
    st.data(),
)
def test_gaussian_kl_shapes_and_dtypes(device, shape, dtype, data) -> None:
    batch_dims = data.draw(st.integers(0, len(shape)))
    arguments = torch.randn(4, *shape, generator=torch.Generator().manual_seed(0))
    arguments = arguments.to(device, dtype)
    got = gaussian_kl(*arguments, batch_dims=batch_dims)
    assert got.shape == tuple(shape[:batch_dims])
    assert got.dtype == dtype
    assert got.device == arguments.device
    wide = arguments.double()
    normals = [torch.distributions.Normal(m, (v / 2).exp()) for m, v in (wide[:2], wide[2:])]
    peer = torch.distributions.kl_divergence(*normals)
    peer = peer.flatten(batch_dims).sum(-1) if batch_dims < len(shape) else peer
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(got, peer.to(dtype), rtol=4 * eps, atol=64 * eps)


def test_gaussian_kl_broadcasts_and_sums_the_joint_event() -> None:
    """An isotropic q given by one number, a mean for the whole batch."""
    mean, log_var = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    q_mean, q_log_var = torch.tensor([0.5, -1.0, 2.0]), torch.tensor(0.3)
    got = gaussian_kl(mean, log_var, q_mean, q_log_var)
    full = gaussian_kl(mean, log_var, q_mean.expand(5, 3), q_log_var.expand(5, 3))
    torch.testing.assert_close(got, full)
    isotropic = gaussian_kl(mean, torch.tensor(0.3), mean, torch.tensor(0.3))
    assert torch.equal(isotropic, torch.zeros(5))
    torch.testing.assert_close(
        gaussian_kl(torch.zeros(5, 1), torch.ones(1, 3)),
        torch.full((5,), 3 * (math.e - 2) / 2),
    )


def test_gaussian_kl_at_a_large_offset() -> None:
    mean = torch.full((2, 3), 1e4)
    got = gaussian_kl(mean + 1, torch.zeros(2, 3), mean, torch.zeros(2, 3))
    assert torch.equal(got, torch.full((2,), 1.5))


def test_gaussian_kl_of_extreme_variances() -> None:
    assert gaussian_kl(one(0), one(-math.inf)).item() == math.inf
    assert gaussian_kl(one(0), one(0), one(0), one(math.inf)).item() == math.inf
    assert gaussian_kl(torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1, 1),
                       torch.full((1, 1), -80.0)).item() == pytest.approx(
        (math.exp(80) - 81) / 2, rel=1e-5)  # fmt: skip
    assert math.isnan(gaussian_kl(one(math.nan), one(0)).item())


def random_gaussian(seed: int, batch: tuple[int, ...], d: int, device: str):
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(*batch, d, generator=generator, dtype=torch.float64)
    chol = torch.randn(*batch, d, d, generator=generator, dtype=torch.float64).tril(-1)
    diagonal = torch.rand(*batch, d, generator=generator, dtype=torch.float64) + 0.3
    return mean.to(device), (chol + torch.diag_embed(diagonal)).to(device)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    d=st.integers(1, 5),
    batch=st.lists(st.integers(1, 3), max_size=2).map(tuple),
)
def test_full_covariance_matches_torch_distributions(device, seed, d, batch) -> None:
    p, q = random_gaussian(seed, batch, d, device), random_gaussian(seed + 1, batch, d, device)
    got = gaussian_kl_full(*p, *q)
    normals = [torch.distributions.MultivariateNormal(m, scale_tril=c) for m, c in (p, q)]
    assert got.shape == batch
    peer = torch.distributions.kl_divergence(*normals)
    torch.testing.assert_close(got, peer, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(gaussian_kl_full(*p, *p), torch.zeros_like(got), rtol=0, atol=1e-14)
    # What stands above the diagonal is not part of a Cholesky factor: a covariance may be meant.
    above = torch.ones(d, d, dtype=torch.float64, device=device).triu(1)
    if d > 1 and device == "cpu" and got.numel():
        for name, wrong in (("chol_p", (p[1] + above, q[1])), ("chol_q", (p[1], q[1] @ q[1].mT))):
            with pytest.raises(ValueError, match=rf"^{name}: got .* expected a Cholesky factor"):
                gaussian_kl_full(p[0], wrong[0], q[0], wrong[1])


def test_full_covariance_of_an_empty_batch(device) -> None:
    p = random_gaussian(0, (0, 2), 3, device)
    assert gaussian_kl_full(*p, *p).shape == (0, 2)


def test_full_covariance_matches_a_witness() -> None:
    def chol(rows):
        return torch.linalg.cholesky(torch.tensor(rows, dtype=torch.float64))

    got = gaussian_kl_full(
        torch.tensor([0.0, 1.0], dtype=torch.float64),
        chol([[2.0, 0.5], [0.5, 1.0]]),
        torch.tensor([1.0, -1.0], dtype=torch.float64),
        chol([[1.0, -0.3], [-0.3, 2.0]]),
    )
    assert got.item() == pytest.approx(1.687722784653181, rel=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
def test_full_covariance_of_diagonals_is_the_diagonal_form(dtype, device) -> None:
    m0, l0, m1, l1 = torch.randn(4, 3, 4, generator=torch.Generator().manual_seed(0)).to(
        device, dtype
    )
    c0, c1 = (torch.diag_embed((v.double() / 2).exp()).to(dtype) for v in (l0, l1))
    got = gaussian_kl_full(m0, c0, m1, c1)
    assert got.dtype == dtype
    rtol = 1e-5 if dtype in (torch.float32, torch.float64) else 0.05
    torch.testing.assert_close(got, gaussian_kl(m0, l0, m1, l1), rtol=rtol, atol=rtol)


# Tables


def test_tables_match_witnesses() -> None:
    def table(*row):
        return torch.tensor(row, dtype=torch.float64)

    assert kl(table(0.3, 0.7), table(0.6, 0.4)).item() == pytest.approx(0.1837868973868122)
    third = table(1, 1, 1) / 3
    assert kl(table(0.2, 0.3, 0.5), third).item() == pytest.approx(0.06895927460353624)


@given(tables())
def test_tables_match_40_digits(device, pq) -> None:
    p, q = (x.to(device) for x in pq)
    exact_p, exact_q = ([mp.mpf(v) for v in x.tolist()] for x in pq)

    def exact_kl(a, b):
        terms = ((x * mp.log(x / y) if y else mp.inf) for x, y in zip(a, b, strict=True) if x)
        return mp.fsum(terms)

    with mp.workdps(40):
        middle = [(x + y) / 2 for x, y in zip(exact_p, exact_q, strict=True)]
        expected_js = (exact_kl(exact_p, middle) + exact_kl(exact_q, middle)) / 2
        expected_tv = mp.fsum(abs(x - y) for x, y in zip(exact_p, exact_q, strict=True)) / 2
        expected_kl = exact_kl(exact_p, exact_q)
    assert kl(p, q).item() == pytest.approx(float(expected_kl), rel=1e-12, abs=1e-14)
    assert js(p, q).item() == pytest.approx(float(expected_js), rel=1e-12, abs=1e-15)
    assert tv(p, q).item() == pytest.approx(float(expected_tv), rel=1e-12, abs=1e-15)


@given(tables())
def test_total_variation_is_the_largest_difference_over_events(pq) -> None:
    p, q = pq
    events = itertools.product([False, True], repeat=len(p))
    largest = max((p[list(e)].sum() - q[list(e)].sum()).item() for e in events)
    assert tv(p, q).item() == pytest.approx(largest, abs=1e-14)


@given(tables())
def test_bounds_of_tables(pq) -> None:
    p, q = pq
    d, s, v = kl(p, q).item(), js(p, q).item(), tv(p, q).item()
    assert d >= -1e-14
    assert 0 <= s <= LOG2 + 1e-15
    assert 0 <= v <= 1 + 1e-15
    assert v <= math.sqrt(max(d, 0) / 2) + 1e-7  # Pinsker
    assert s <= LOG2 * v + 1e-15
    assert js(q, p).item() == s
    assert tv(q, p).item() == v
    assert kl(p, p).item() == js(p, p).item() == tv(p, p).item() == 0


def test_zero_times_log_zero_is_zero_and_a_missed_mode_is_infinite() -> None:
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.25, 0.5, 0.25])
    assert kl(p, q).item() == pytest.approx(LOG2 / 2)
    assert kl(q, p).item() == math.inf
    assert f_divergence(KL, q, p).item() == math.inf
    assert f_divergence(REVERSE_KL, p, q).item() == math.inf
    assert f_divergence(REVERSE_KL, q, p).item() == pytest.approx(LOG2 / 2)
    assert f_divergence(CHI2, q, p).item() == math.inf


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=30)
@given(st.lists(st.integers(1, 2**6), min_size=1, max_size=5))
def test_disjoint_tables_reach_log_2(device, dtype, weights) -> None:
    """To the last bit for one outcome each; else to the rounding of the sum of the table."""
    w = torch.tensor(weights, dtype=torch.float64) / sum(weights)
    p = torch.cat([w, torch.zeros_like(w)]).to(device, dtype)
    q = torch.cat([torch.zeros_like(w), w]).to(device, dtype)
    log2 = torch.tensor(LOG2, dtype=dtype, device=device)
    rtol = 4 * torch.finfo(dtype).eps
    for got in (js(p, q), f_divergence(JS, p, q)):
        torch.testing.assert_close(got, log2, rtol=rtol, atol=0)
    torch.testing.assert_close(tv(p, q), torch.ones_like(log2), rtol=rtol, atol=0)
    sharp = torch.eye(2, dtype=dtype, device=device)
    assert js(sharp[0], sharp[1]) == log2
    half = torch.tensor([0.5, 0.5, 0.0, 0.0], dtype=dtype, device=device)
    assert js(half, half.flip(0)) == log2


@given(tables())
def test_members_agree_with_the_direct_forms(device, pq) -> None:
    p, q = (x.to(device) for x in pq)
    for f, direct in ((KL, kl(p, q)), (REVERSE_KL, kl(q, p)), (JS, js(p, q)), (TV, tv(p, q))):
        torch.testing.assert_close(f_divergence(f, p, q), direct, rtol=1e-12, atol=1e-14)
    chi2 = ((p - q) ** 2 / q)[(p > 0) | (q > 0)].sum()
    torch.testing.assert_close(f_divergence(CHI2, p, q), chi2, rtol=1e-12, atol=1e-14)


def test_tables_along_any_dimension_keep_dtype_and_device(device) -> None:
    for dtype in DTYPES:
        p, q = torch.rand(2, 4, 3, 5, generator=torch.Generator().manual_seed(0)).to(device)
        p, q = (p / p.sum(1, keepdim=True)).to(dtype), (q / q.sum(1, keepdim=True)).to(dtype)
        for of in (kl, js, tv, lambda *a, dim: f_divergence(CHI2, *a, dim=dim)):
            got = of(p, q, dim=1)
            assert got.shape == (4, 5)
            assert got.dtype == dtype
            assert torch.equal(of(p.movedim(1, -1), q.movedim(1, -1), dim=-1), got)


def test_wide_ratios_do_not_overflow_in_float32() -> None:
    p, q = torch.tensor([1.0, 0.0]), torch.tensor([1e-39, 1.0])
    expected = -float(torch.tensor(1e-39).double().log())
    assert kl(p, q).item() == pytest.approx(expected, rel=1e-6)
    assert js(p, q).item() == pytest.approx(LOG2, rel=1e-6)


@pytest.mark.parametrize("f", MEMBERS, ids=lambda f: f.name)
def test_gradients_are_finite_where_both_tables_are_zero(f) -> None:
    logits = torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)
    p = torch.cat([torch.softmax(logits, 0), torch.zeros(1, dtype=torch.float64)])
    q = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64)
    divergences = {KL: kl, JS: js, TV: tv}
    for value in (f_divergence(f, p, q), divergences.get(f, kl)(p, q)):
        (gradient,) = torch.autograd.grad(value, logits, retain_graph=True)
        assert torch.isfinite(gradient).all()


def test_negative_entries_and_nan_are_not_passed_over() -> None:
    p, q = torch.tensor([math.nan, 1.5]), torch.tensor([0.5, 0.5])
    assert math.isnan(kl(p, q).item())
    assert math.isnan(f_divergence(KL, p, q).item())
    logits = torch.tensor([-0.5, 1.5])
    for divergence in (kl, js, tv, partial(f_divergence, KL)):
        with pytest.raises(ValueError, match=r"^p: got .* with -0.5, expected probabilities"):
            divergence(logits, q)
        with pytest.raises(ValueError, match=r"^q: got .* with -0.5, expected probabilities"):
            divergence(q, logits)
    assert math.isnan(js(torch.tensor([math.nan, 1.5]), torch.tensor([0.5, 0.5])).item())
    assert math.isnan(tv(torch.tensor([math.nan, 1.5]), torch.tensor([0.5, 0.5])).item())


# f-divergences from samples, and the Fenchel bound


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=6).filter(
        lambda rows: any(p for _, p in rows)
    )
)
def test_samples_that_are_the_table_give_the_table(device, rows) -> None:
    """With each outcome as often among the samples as q says, the mean is the expectation."""
    count, weight = torch.tensor(rows, dtype=torch.float64, device=device).T
    p, q = weight / weight.sum(), count / count.sum()
    log_p, log_q = (x.log().repeat_interleave(count.long()) for x in (p, q))
    for f in MEMBERS:
        expected = f_divergence(f, p, q)
        got = f_divergence_from_samples(f, log_p, log_q)
        torch.testing.assert_close(got, expected, rtol=1e-11, atol=1e-13)


def test_log_ratios_far_out_stay_finite_where_the_value_is() -> None:
    r = torch.tensor([-700.0, -60.0, -1e-9, 0.0, 1e-9, 60.0, 700.0], dtype=torch.float64)
    exact = {
        KL: lambda u: u * mp.log(u),
        REVERSE_KL: lambda u: -mp.log(u),
        JS: lambda u: (u * mp.log(u) - (u + 1) * mp.log((u + 1) / 2)) / 2,
        TV: lambda u: abs(u - 1) / 2,
        CHI2: lambda u: (u - 1) ** 2,
    }
    with mp.workdps(400):
        for f, of_u in exact.items():
            got = f.value(r)
            for x, value in zip(r.tolist(), got.tolist(), strict=True):
                expected = of_u(mp.exp(mp.mpf(x)))
                if expected > 1e308:
                    assert value == math.inf
                else:
                    assert value == pytest.approx(float(expected), rel=1e-12, abs=2e-16), f.name


def exact_slope(f, u):
    return {
        "kl": lambda: mp.log(u) + 1,
        "reverse_kl": lambda: -1 / u,
        "js": lambda: mp.log(2 * u / (1 + u)) / 2,
        "tv": lambda: mp.sign(u - 1) / 2,
        "chi2": lambda: 2 * (u - 1),
    }[f.name]()


@pytest.mark.parametrize("f", MEMBERS, ids=lambda f: f.name)
@given(r=st.one_of(st.floats(-30, 30), st.floats(-25, -20)), t=st.floats(-5, 5))
def test_slope_and_conjugate_are_those_of_f(f, r, t) -> None:
    assume(r == 0 or abs(r) > 1e-9)  # where TV has its kink
    u = mp.exp(mp.mpf(r))
    slope = f.slope(torch.tensor(r, dtype=torch.float64)).item()
    assert slope == pytest.approx(float(exact_slope(f, u)), rel=1e-12, abs=1e-15)
    # Fenchel-Young: f*(t) ≥ u t - f(u) for every u, with equality at t = f'(u).
    value = f.value(torch.tensor(r, dtype=torch.float64)).item()
    conjugate = f.conjugate(torch.tensor([t, slope], dtype=torch.float64)).tolist()
    scale = float(u) * (abs(t) + abs(slope) + abs(r) + 1) + abs(value) + 1
    assert conjugate[0] >= float(u) * t - value - 1e-12 * scale
    if f is JS and r > 15:  # the slope is within rounding of the end of the domain, log(2)/2
        return
    assert conjugate[1] == pytest.approx(float(u) * slope - value, rel=1e-9, abs=1e-12 * scale)


@settings(max_examples=40)
@given(counts(low=1), st.lists(st.floats(-3, 3), min_size=6, max_size=6))
def test_no_critic_beats_the_divergence_and_the_slope_reaches_it(rows, noise) -> None:
    """With each outcome as often among the samples as p and q say, the means are expectations."""
    p, q = (row.double() / row.sum() for row in rows)
    shift = torch.tensor(noise[: len(p)], dtype=torch.float64)
    for f in MEMBERS:
        d = f_divergence(f, p, q).item()

        def bound(critic, f=f):
            return fenchel_bound(f, *(critic.repeat_interleave(row) for row in rows)).item()

        best = f.slope(p.log() - q.log())
        assert bound(best) == pytest.approx(d, rel=1e-9, abs=1e-12)
        assert bound(best + 0.1 * shift) <= d + 1e-12
        assert bound(shift) <= d + 1e-12


def test_a_critic_outside_the_domain_bounds_nothing() -> None:
    inside, outside = torch.tensor([0.1, 0.2]), torch.tensor([0.1, 0.6])
    for f in (REVERSE_KL, JS, TV):
        assert fenchel_bound(f, inside, outside).item() == -math.inf
    gradient = torch.tensor([-1.0, 0.5], requires_grad=True)
    fenchel_bound(REVERSE_KL, inside, gradient).backward()
    assert not torch.isnan(gradient.grad).any()
    assert math.isnan(fenchel_bound(TV, inside, torch.tensor([math.nan])).item())


@pytest.mark.parametrize("dtype", DTYPES)
def test_estimates_keep_dtype_and_dimension(dtype, device) -> None:
    a, b = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0)).to(device, dtype)
    for f in MEMBERS:
        got = f_divergence_from_samples(f, a, b, dim=1)
        assert got.shape == (3,)
        assert got.dtype == dtype
        bound = fenchel_bound(f, a, b[:, :2], dim=1)
        assert bound.shape == (3,)
        assert bound.dtype == dtype


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("mean_p", lambda x: gaussian_kl(1.0, x)),
        ("log_var_p", lambda x: gaussian_kl(x, x.long())),
        ("log_var_p", lambda x: gaussian_kl(x, torch.ones(2, 4))),
        ("mean_q", lambda x: gaussian_kl(x, x, torch.ones(4))),
        ("batch_dims", lambda x: gaussian_kl(x, x, batch_dims=3)),
        ("batch_dims", lambda x: gaussian_kl(x, x, batch_dims=-1)),
        ("chol_p", lambda x: gaussian_kl_full(x, x, x, x)),
        ("chol_q", lambda x: gaussian_kl_full(x, torch.eye(3), x, torch.eye(2))),
        ("mean_q", lambda x: gaussian_kl_full(x, torch.eye(3), x[:, :2], torch.eye(3))),
        ("q", lambda x: kl(x, x[:1])),
        ("q", lambda x: js(x, [0.5, 0.5])),
        ("dim", lambda x: tv(x, x, dim=2)),
        ("p", lambda x: tv(x.sum(), x.sum())),
        ("f", lambda x: f_divergence("kl", x, x)),
        ("f", lambda x: fenchel_bound(torch.exp, x, x)),
        ("log_p", lambda x: f_divergence_from_samples(KL, x[:0], x[:0])),
        ("log_q", lambda x: f_divergence_from_samples(KL, x, x[:1])),
        ("critic_q", lambda x: fenchel_bound(KL, x, x[:0])),
        ("critic_q", lambda x: fenchel_bound(KL, x, x[:, :2])),
        ("critic_p", lambda x: fenchel_bound(KL, x.sum(), x)),
    ],
)
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.ones(2, 3))


# Ties: every implementation against the function made from the checked result


@cache
def checked(name: str, part: str | int | None = None, side: str = "rhs") -> Callable[..., Any]:
    """One side of a result of the book as a torch function; `part` names or numbers a chain."""
    topic, short = name.split(".")
    result = getattr(book.chapter(topic), short)
    if isinstance(part, int):
        result = Part(result, result.chains[part])
    elif part is not None:
        result = result[part]
    return function(result, side, backend="torch")


def agree(got: torch.Tensor, expected: torch.Tensor, size: float = 1.0) -> None:
    """To rounding: `size` is how large the terms are that may cancel."""
    eps = torch.finfo(got.dtype).eps
    expected = expected.to(got.dtype)
    torch.testing.assert_close(got, expected, rtol=100 * eps, atol=50 * eps * size)


@st.composite
def draws(draw, rows: int, low: float = -2.0, high: float = 2.0) -> tuple[torch.Tensor, Any]:
    """`rows` float64 tensors of one shape (batch, d) with d ≤ 3, and a dtype to compute in."""
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    size = rows * math.prod(shape)
    numbers = draw(st.lists(st.floats(low, high), min_size=size, max_size=size))
    dtype = draw(st.sampled_from([torch.float64, torch.float32]))
    values = torch.tensor(numbers, dtype=torch.float64).reshape(rows, *shape)
    return values.to(dtype).double(), dtype


def largest(*tensors: torch.Tensor) -> float:
    return 1 + max(x.abs().max().item() for x in tensors)


@settings(max_examples=60)
@given(draws(4))
def test_tie_gaussian_kl_diagonal(device, drawn) -> None:
    values, dtype = drawn
    mean_p, log_p, mean_q, log_q = values.to(device)
    d = mean_p.shape[-1]
    letters = {}
    for i in range(d):
        letters |= {f"mu_{i + 1}": mean_p[:, i], f"ell_{i + 1}": log_p[:, i]}
        letters |= {f"nu_{i + 1}": mean_q[:, i], f"kappa_{i + 1}": log_q[:, i]}
    expected = checked("divergences.gaussian_kl_diagonal", d - 1)(**letters)
    got = gaussian_kl(*(x.to(dtype) for x in (mean_p, log_p, mean_q, log_q)))
    agree(got, expected, largest(expected, values))
    single = gaussian_kl(*(x[:, :1].to(dtype) for x in (mean_p, log_p, mean_q, log_q)))
    deviations = {"sigma_1": torch.exp(log_p[:, 0] / 2), "sigma_2": torch.exp(log_q[:, 0] / 2)}
    on_line = checked("divergences.gaussian_kl")(mu_1=mean_p[:, 0], mu_2=mean_q[:, 0], **deviations)
    agree(single, on_line, largest(on_line, values))


@settings(max_examples=60)
@given(draws(2))
def test_tie_gaussian_kl_to_the_standard_normal(device, drawn) -> None:
    values, dtype = drawn
    mean, log_var = values.to(device)
    got = gaussian_kl(mean.to(dtype), log_var.to(dtype))
    standard = checked("divergences.gaussian_kl_log_variance", "standard")
    expected = standard(mu=mean, ell=log_var).sum(-1)
    agree(got, expected, largest(expected, values))
    covariance = torch.diag_embed(torch.exp(log_var))
    expected = checked("divergences.gaussian_kl_standard")(mu=mean, Sigma=covariance)
    agree(got, expected, largest(expected, values))
    prior = checked("vae.gaussian_prior_kl")
    (log_letter,) = set(prior.arguments) - {"mu"}
    expected = prior(**{"mu": mean, log_letter: log_var}).sum(-1)
    agree(got, expected, largest(expected, values))


@settings(max_examples=40)
@given(draws(2), st.floats(-2, 2), st.floats(-2, 2))
def test_tie_gaussian_kl_isotropic(device, drawn, log_1: float, log_2: float) -> None:
    (mean_1, mean_2), _ = drawn
    mean_1, mean_2 = mean_1.to(device), mean_2.to(device)
    full = torch.full_like(mean_1, 1.0)
    got = gaussian_kl(mean_1, log_1 * full, mean_2, log_2 * full)
    expected = checked("divergences.gaussian_kl_isotropic")(
        mu_1=mean_1, mu_2=mean_2, v_1=math.exp(log_1), v_2=math.exp(log_2)
    )
    agree(got, expected, largest(expected))


def factors(rows: torch.Tensor) -> torch.Tensor:
    """Cholesky factors, a d x d one for each row of (d, batch, d), their diagonals in (0.3, 3)."""
    lower = rows.movedim(0, -2).tril(-1) / 2
    return lower + torch.diag_embed(torch.exp(torch.diagonal(rows.movedim(0, -2), 0, -2, -1) / 2))


@settings(max_examples=60)
@given(draws(8))
def test_tie_gaussian_kl_full(device, drawn) -> None:
    values, dtype = drawn
    d = values.shape[-1]
    mean_p, mean_q, *rest = values.to(device)
    chol_p, chol_q = (factors(torch.stack(rest[k : k + d])).to(dtype) for k in (0, 3))
    cov_p, cov_q = (c.double() @ c.double().mT for c in (chol_p, chol_q))
    got = gaussian_kl_full(mean_p.to(dtype), chol_p, mean_q.to(dtype), chol_q)
    result = checked("divergences.gaussian_kl_full")
    expected = result(mu_1=mean_p, Sigma_1=cov_p, mu_2=mean_q, Sigma_2=cov_q)
    size = torch.linalg.cond(cov_q).max().item() * largest(expected)
    agree(got, expected, size)
    eye = torch.eye(d, dtype=dtype, device=device).expand_as(chol_p)
    got = gaussian_kl_full(mean_p.to(dtype), chol_p, torch.zeros_like(mean_q).to(dtype), eye)
    expected = checked("divergences.gaussian_kl_standard")(mu=mean_p, Sigma=cov_p)
    agree(got, expected, largest(expected))


@settings(max_examples=60)
@given(counts(low=1), st.sampled_from([torch.float64, torch.float32]))
def test_tie_kl_of_tables(device, rows, dtype) -> None:
    p, q = ((row.double() / row.sum()).to(device, dtype) for row in rows)
    got = kl(p, q)
    p, q = p.double(), q.double()
    agree(got, checked("divergences.kl_nonnegative", side="lhs")(p=p, q=q), 4)
    agree(got, checked("divergences.maximum_likelihood")(p=p, p_theta=q), 4)


@settings(max_examples=60)
@given(tables(), st.sampled_from([torch.float64, torch.float32]))
def test_tie_js_and_tv_of_tables(device, pq, dtype) -> None:
    p, q = (x.to(device, dtype) for x in pq)
    js_got, tv_got = js(p, q), tv(p, q)
    p, q = p.double(), q.double()
    for part in ("lower", "upper"):
        agree(js_got, checked("divergences.js_bounds", part, "lhs")(p=p, q=q), 2)
    agree(js_got, checked("divergences.js_entropy")(p=p, q=q), 6)
    agree(js_got, checked("divergences.js_mutual_information", side="lhs")(p=p, q=q), 2)
    agree(tv_got, checked("divergences.total_variation", side="lhs")(p=p, q=q), 2)
    agree(tv_got, checked("divergences.total_variation")(p=p, q=q), 2)


PARTS = {"kl": "f_kl", "reverse_kl": "f_reverse_kl", "js": "f_js", "tv": "f_tv", "chi2": "f_chi2"}


def expanded(rows: list[torch.Tensor], table: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """A table's values at samples in which each outcome is as frequent as each row says."""
    return tuple(table.repeat_interleave(row.to(table.device)) for row in rows)


@pytest.mark.parametrize("f", MEMBERS, ids=lambda f: f.name)
@settings(max_examples=40)
@given(rows=counts(low=1))
def test_tie_f_divergences(device, f, rows) -> None:
    p, q = ((row.double() / row.sum()).to(device) for row in rows)
    log_p, log_q = expanded(rows, p.log())[1], expanded(rows, q.log())[1]
    general = checked("divergences.f_divergence_nonnegative", side="lhs")
    size = (p / q).max().item() ** 2 + (q / p).max().item()
    for expected in (
        checked(f"divergences.{PARTS[f.name]}", "member", "lhs")(p=p, q=q),
        checked(f"divergences.{PARTS[f.name]}", "member")(p=p, q=q),
        general(p=p, q=q, f=lambda u: f.value(torch.log(u))),
    ):
        agree(f_divergence(f, p, q), expected, size)
        agree(f_divergence_from_samples(f, log_p, log_q), expected, size)


@pytest.mark.parametrize("f", MEMBERS, ids=lambda f: f.name)
@settings(max_examples=40)
@given(rows=counts(low=1), values=st.lists(st.floats(-2, 2), min_size=6, max_size=6))
def test_tie_fenchel_bound(device, f, rows, values) -> None:
    p, q = ((row.double() / row.sum()).to(device) for row in rows)
    x = torch.arange(len(p), device=device, dtype=torch.float64)
    free = torch.tensor(values[: len(p)], dtype=torch.float64, device=device)
    critic, letter = {
        "kl": (free, "T"),
        "reverse_kl": (-torch.exp(free), "g"),
        "js": (torch.log(2 * torch.sigmoid(free)) / 2, "g"),
        "tv": (free / 4, "T"),
        "chi2": (free, "T"),
    }[f.name]
    argument = free if letter == "g" else critic

    def at(table: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda points: table[points.long()]

    got = fenchel_bound(f, expanded(rows, critic)[0], expanded(rows, critic)[1])
    of_member = checked(f"divergences.{PARTS[f.name]}", "bound")
    agree(got, of_member(p=p, q=q, x=x, **{letter: at(argument)}), 20)
    general = checked("divergences.fenchel_bound")
    agree(got, general(p=p, q=q, x=x, T=at(critic), f_star=f.conjugate), 20)


TIES = {
    "gaussian_kl": {
        "divergences.gaussian_kl_diagonal": test_tie_gaussian_kl_diagonal,
        "vae.gaussian_prior_kl": test_tie_gaussian_kl_to_the_standard_normal,
    },
    "gaussian_kl_full": {"divergences.gaussian_kl_full": test_tie_gaussian_kl_full},
    "kl": {"divergences.kl_nonnegative": test_tie_kl_of_tables},
    "js": {"divergences.js_bounds": test_tie_js_and_tv_of_tables},
    "tv": {"divergences.total_variation": test_tie_js_and_tv_of_tables},
    "f_divergence": {"divergences.f_divergence_nonnegative": test_tie_f_divergences},
    "f_divergence_from_samples": {"divergences.f_divergence_nonnegative": test_tie_f_divergences},
    "fenchel_bound": {"divergences.fenchel_bound": test_tie_fenchel_bound},
}
