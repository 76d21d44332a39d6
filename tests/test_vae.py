"""The evidence lower bound against models whose log p(x) is known exactly."""

from __future__ import annotations

import functools
import math

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genmath import book
from genmath.divergences import gaussian_kl
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Apply, Expect, Node
from genmath.vae import (
    VAE,
    Autoencoder,
    bernoulli_log_likelihood,
    elbo,
    gaussian_log_likelihood,
    interpolate,
    iwae_bound,
    reparameterize,
)
from tests.checked import checked

# Properties that need no checker

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
numbers = st.floats(-3, 3)


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def one(x: float) -> torch.Tensor:
    return torch.tensor([x], dtype=torch.float64)


# Likelihoods


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@given(logit=st.one_of(st.floats(-60, 60), st.sampled_from([-700.0, 700.0, 21.0, -21.0])))
def test_bernoulli_is_exact_in_both_tails(device, dtype, logit) -> None:
    logits = torch.tensor([[logit]], dtype=dtype, device=device)
    exact_logit = mp.mpf(logits.item())
    with mp.workdps(400):
        exact = [float(-mp.log1p(mp.exp(s * exact_logit))) for s in (1, -1)]
    for x, expected in zip((0.0, 1.0), exact, strict=True):
        got = bernoulli_log_likelihood(logits, torch.full_like(logits, x)).item()
        tiny = torch.finfo(dtype).tiny
        assert got == pytest.approx(expected, rel=8 * torch.finfo(dtype).eps, abs=tiny)


def test_bernoulli_matches_a_witness_and_integer_data() -> None:
    got = bernoulli_log_likelihood(torch.tensor([[0.7]], dtype=torch.float64), torch.tensor([[1]]))
    assert got.item() == pytest.approx(-0.4031860488854579, rel=1e-14)
    logits = torch.randn(4, 5, generator=rng())
    x = torch.randint(0, 2, (4, 5), generator=rng())
    got = bernoulli_log_likelihood(logits, x.to(torch.uint8))
    assert torch.equal(got, bernoulli_log_likelihood(logits, x.float()))
    peer = torch.distributions.Bernoulli(logits=logits).log_prob(x.float()).sum(1)
    torch.testing.assert_close(got, peer)


@given(numbers, numbers, numbers)
def test_gaussian_matches_40_digits(mean, x, log_var) -> None:
    with mp.workdps(40):
        m, y, v = mp.mpf(mean), mp.mpf(x), mp.exp(mp.mpf(log_var))
        exact = float(-((y - m) ** 2) / (2 * v) - mp.log(2 * mp.pi * v) / 2)
    for given_as in (log_var, one(log_var)):
        got = gaussian_log_likelihood(one(mean), one(x), log_var=given_as).item()
        assert got == pytest.approx(exact, rel=1e-13, abs=1e-14)


def test_the_best_variance_is_the_mean_squared_error() -> None:
    mean, x = torch.randn(2, 1, 50, generator=rng(), dtype=torch.float64)
    log_var = ((x - mean) ** 2).mean().log().requires_grad_()
    gaussian_log_likelihood(mean, x, log_var=log_var).sum().backward()
    assert log_var.grad.abs().item() < 1e-12


@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=st.lists(st.integers(0, 3), min_size=1, max_size=4), data=st.data())
@settings(max_examples=30)
def test_shapes_and_dtypes(device, dtype, shape, data) -> None:
    batch_dims = data.draw(st.integers(0, len(shape)))
    a, b, c = torch.randn(3, *shape, generator=rng()).to(device, dtype)
    eps = torch.finfo(dtype).eps
    bernoulli = bernoulli_log_likelihood(a, (b > 0).to(dtype), batch_dims=batch_dims)
    gaussian = gaussian_log_likelihood(a, b, log_var=c, batch_dims=batch_dims)
    wide = gaussian_log_likelihood(
        a.double(), b.double(), log_var=c.double(), batch_dims=batch_dims
    )
    z = reparameterize(a, b, generator=rng(device))
    for got, expected in (
        (bernoulli, shape[:batch_dims]),
        (gaussian, shape[:batch_dims]),
        (z, shape),
    ):
        assert got.shape == tuple(expected)
        assert got.dtype == dtype
        assert got.device == a.device
    torch.testing.assert_close(gaussian, wide.to(dtype), rtol=8 * eps, atol=64 * eps)
    if batch_dims == 0 and len(shape) > 1:
        with pytest.raises(
            ValueError, match=r"^log_likelihood: got .* expected one value a sample"
        ):
            elbo(bernoulli, a, c)
        return
    parts = elbo(bernoulli, a, c)
    assert parts.total.shape == tuple(shape[:batch_dims])
    assert parts.total.dtype == dtype


def test_data_at_a_large_offset() -> None:
    mean = torch.full((2, 3), 1e4)
    got = gaussian_log_likelihood(mean + 1, mean, log_var=0.0)
    torch.testing.assert_close(got, torch.full((2,), -1.5 - 1.5 * math.log(2 * math.pi)))


# The bound. z ~ N(0, 1), x | z ~ N(w z + b, s²): log p(x) and the posterior are Gaussian.


class Linear:
    def __init__(self, w: float, b: float, s2: float) -> None:
        self.w, self.b, self.s2 = w, b, s2

    def log_p(self, x: torch.Tensor) -> torch.Tensor:
        log_var = math.log(self.w**2 + self.s2)
        return gaussian_log_likelihood(torch.full_like(x, self.b), x, log_var=log_var)

    def posterior(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        variance = self.s2 / (self.w**2 + self.s2)
        mean = self.w * (x - self.b) / (self.w**2 + self.s2)
        return mean, torch.full_like(x, math.log(variance))

    def log_likelihood(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return gaussian_log_likelihood(
            self.w * z + self.b, x.expand_as(z), log_var=math.log(self.s2)
        )

    def expected_log_likelihood(self, x, mean, log_var) -> torch.Tensor:
        """Exact: the integrand is quadratic in z, and Gauss-Hermite integrates it without error."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(8)
        terms = [
            w * self.log_likelihood(x, mean + (log_var / 2).exp() * node)
            for node, w in zip(nodes, weights / weights.sum(), strict=True)
        ]
        return torch.stack(terms).sum(0)


models = st.builds(Linear, numbers, numbers, st.floats(0.05, 3))


@given(models, numbers, numbers, numbers)
def test_log_p_is_the_elbo_plus_the_kl_to_the_posterior(model, x, mean, log_var) -> None:
    x, mean, log_var = one(x), one(mean), one(log_var)
    parts = elbo(model.expected_log_likelihood(x, mean, log_var), mean, log_var)
    gap = gaussian_kl(mean, log_var, *model.posterior(x))
    torch.testing.assert_close(parts.total + gap, model.log_p(x), rtol=1e-9, atol=1e-9)
    assert torch.equal(parts.total, parts.reconstruction - parts.kl)
    tight = elbo(model.expected_log_likelihood(x, *model.posterior(x)), *model.posterior(x))
    torch.testing.assert_close(tight.total, model.log_p(x), rtol=1e-9, atol=1e-9)


@given(models, numbers, numbers, numbers, st.floats(1, 10))
def test_beta_above_one_is_still_a_bound(model, x, mean, log_var, beta) -> None:
    x, mean, log_var = one(x), one(mean), one(log_var)
    expected = model.expected_log_likelihood(x, mean, log_var)
    parts = elbo(expected, mean, log_var, beta=beta)
    assert parts.total.item() <= model.log_p(x).item() + 1e-9
    torch.testing.assert_close(parts.total, expected - beta * gaussian_kl(mean, log_var))


def test_beta_below_one_is_in_general_none() -> None:
    model, x = Linear(1.0, 0.0, 0.1), one(2.0)
    posterior = model.posterior(x)
    parts = elbo(model.expected_log_likelihood(x, *posterior), *posterior, beta=0.1)
    assert parts.total.item() > model.log_p(x).item() + 0.1


# Reparameterisation


def test_a_draw_is_mean_plus_scaled_noise_with_its_gradients(device) -> None:
    mean = torch.randn(3, 2, generator=rng(seed=1)).to(device).requires_grad_()
    log_var = torch.randn(3, 2, generator=rng(seed=2)).to(device).requires_grad_()
    z = reparameterize(mean, log_var, generator=rng(device))
    noise = torch.randn(3, 2, generator=rng(device), device=device)
    torch.testing.assert_close(z, mean + (log_var / 2).exp() * noise)
    by_mean, by_log_var = torch.autograd.grad(z.sum(), (mean, log_var))
    torch.testing.assert_close(by_mean, torch.ones_like(mean))
    torch.testing.assert_close(by_log_var, (z - mean).detach() / 2)


def test_draws_have_the_moments_of_q() -> None:
    n = 200_000
    mean, log_var = torch.tensor([0.7, -3.0]).expand(n, 2), torch.tensor([-2.0, 1.5]).expand(n, 2)
    z = reparameterize(mean, log_var, generator=rng()).double()
    for i, v in enumerate((math.exp(-2.0), math.exp(1.5))):
        assert abs(z[:, i].mean().item() - mean[0, i].item()) < 5 * math.sqrt(v / n)
        assert abs(z[:, i].var().item() / v - 1) < 5 * math.sqrt(2 / n)


def test_no_global_state_is_read_or_written() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    a = reparameterize(torch.zeros(3), torch.zeros(3), generator=rng())
    model = linear_vae(1.0, 0.0, 1.0)
    model.elbo(torch.zeros(2, 1, dtype=torch.float64), generator=rng())
    model.sample(2, generator=rng(), dtype=torch.float64)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(reparameterize(torch.zeros(3), torch.zeros(3), generator=rng()), a)


# Importance weights


@given(st.integers(1, 8), st.integers(0, 3), st.integers(0, 10**6))
def test_iwae_lies_between_the_mean_and_the_maximum(device, k, batch, seed) -> None:
    w = torch.randn(k, batch, generator=rng(seed=seed), dtype=torch.float64).to(device) * 3
    bound = iwae_bound(w)
    assert bound.shape == (batch,)
    torch.testing.assert_close(bound, w.exp().mean(0).log())
    torch.testing.assert_close(iwae_bound(w.T, dim=1), bound)
    assert (bound >= w.mean(0) - 1e-12).all()
    if batch:
        assert (bound <= w.max(0).values + 1e-12).all()
    torch.testing.assert_close(iwae_bound(w + 1e4), bound + 1e4)
    assert torch.equal(iwae_bound(w[:1]), w[0])
    # The mean over all ways to leave one draw out is no larger: the bound does not fall in k.
    if k > 1:
        fewer = torch.stack([iwae_bound(torch.cat([w[:i], w[i + 1 :]])) for i in range(k)])
        assert (fewer.mean(0) <= bound + 1e-12).all()


def test_iwae_in_float32_far_out_and_with_impossible_draws() -> None:
    far = torch.tensor([[-1e4, 1e4], [-1e4 - 1, 1e4 - 1]])
    torch.testing.assert_close(
        iwae_bound(far), torch.tensor([-1e4, 1e4]) + math.log((1 + math.exp(-1)) / 2)
    )
    never = torch.tensor([[-math.inf, 0.0], [-math.inf, -math.inf]])
    assert torch.equal(iwae_bound(never), torch.tensor([-math.inf, -math.log(2.0)]))
    assert iwae_bound(torch.zeros(3, 2, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_iwae_gradient_holds_the_normalised_weights_fixed() -> None:
    w = torch.randn(5, 3, generator=rng(), dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(iwae_bound(w).sum(), w)
    torch.testing.assert_close(gradient, torch.softmax(w, 0).detach())


# Modules


class Affine(nn.Module):
    """A fixed affine map in float64, as an encoder or decoder."""

    def __init__(self, matrix: list[list[float]], bias: list[float]) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.tensor(matrix, dtype=torch.float64))
        self.bias = nn.Parameter(torch.tensor(bias, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.matrix.T + self.bias


def linear_vae(w: float, b: float, s2: float) -> VAE:
    """The linear model above, its encoder the exact posterior."""
    gain = w / (w**2 + s2)
    encoder = Affine([[gain], [0.0]], [-gain * b, math.log(s2 / (w**2 + s2))])
    likelihood = functools.partial(gaussian_log_likelihood, log_var=math.log(s2))
    return VAE(encoder, Affine([[w]], [b]), 1, likelihood)


@given(models, st.integers(1, 4), st.integers(0, 3), st.integers(0, 10**6))
@settings(max_examples=50)
def test_with_the_exact_posterior_every_weight_is_p_of_x(model, k, batch, seed) -> None:
    vae = linear_vae(model.w, model.b, model.s2)
    x = torch.randn(batch, 1, generator=rng(), dtype=torch.float64) * 2
    weights = vae.log_weights(x, k, generator=rng(seed=seed))
    assert weights.shape == (k, batch)
    torch.testing.assert_close(weights, model.log_p(x).expand(k, batch), rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(iwae_bound(weights), model.log_p(x), rtol=1e-8, atol=1e-8)


def test_vae_elbo_is_unbiased_and_its_parts_fit() -> None:
    model, n = Linear(1.3, -0.4, 0.5), 100_000
    vae = linear_vae(model.w, model.b, model.s2)
    with torch.no_grad():
        vae.encoder.bias += 0.3  # no longer the posterior
        x = torch.full((n, 1), 0.8, dtype=torch.float64)
        parts = vae.elbo(x, generator=rng(), beta=2.0)
        mean, log_var = vae.encode(x[:1])
    exact = elbo(model.expected_log_likelihood(x[:1], mean, log_var), mean, log_var, beta=2.0)
    error = parts.reconstruction.mean() - exact.reconstruction[0]
    assert abs(error.item()) < 5 * parts.reconstruction.std().item() / math.sqrt(n)
    torch.testing.assert_close(parts.kl, exact.kl.expand(n))
    torch.testing.assert_close(parts.total, parts.reconstruction - 2 * parts.kl)
    assert vae.loss(x, generator=rng(), beta=2.0).item() == pytest.approx(
        -parts.total.mean().item()
    )


def test_image_vae_trains_samples_and_keeps_its_shapes(device) -> None:
    encoder = nn.Conv2d(1, 4, 4, stride=4).to(device)  # (B, 1, 8, 8) → (B, 4, 2, 2) = 2 · (2, 2, 2)
    decoder = nn.ConvTranspose2d(2, 1, 4, stride=4).to(device)
    vae = VAE(encoder, decoder, (2, 2, 2))
    x = (torch.rand(16, 1, 8, 8, generator=rng()) > 0.5).float().to(device)
    optimiser, generator = torch.optim.Adam(vae.parameters(), 1e-2), rng(device)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = vae.loss(x, generator=generator)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert vae(x, generator=generator).shape == x.shape
    assert vae.sample(3, generator=generator).shape == (3, 1, 8, 8)
    assert vae.sample(0, generator=generator).shape == (0, 1, 8, 8)
    assert vae.elbo(x[:0], generator=generator).total.shape == (0,)
    assert vae.log_weights(x, 5, generator=generator).shape == (5, 16)


def test_autoencoder() -> None:
    model = Autoencoder(Affine([[2.0]], [0.0]), Affine([[0.5]], [1.0]))
    x = torch.randn(4, 1, generator=rng(), dtype=torch.float64)
    torch.testing.assert_close(model(x), x + 1)
    assert model.loss(x).item() == pytest.approx(1.0)
    halved = Autoencoder(nn.Identity(), nn.Hardtanh(-0.5, 0.5))  # 1 becomes 1/2
    for event in ((3,), (2, 4, 4)):  # summed over the event, whatever its shape
        x = torch.ones(5, *event, dtype=torch.float64)
        assert halved.loss(x).item() == pytest.approx(x[0].numel() / 4)


# Interpolation


@given(st.integers(2, 7), st.lists(st.integers(0, 3), max_size=3), st.sampled_from(DTYPES))
def test_interpolation_starts_and_ends_where_it_should(device, n, shape, dtype) -> None:
    a, b = torch.randn(2, *shape, generator=rng()).to(device, dtype)
    for kind in ("linear", "gaussian"):
        path = interpolate(a, b, n, kind=kind)
        assert path.shape == (n, *shape)
        assert path.dtype == dtype
        assert torch.equal(path[0], a)
        assert torch.equal(path[-1], b)


def test_gaussian_interpolation_keeps_the_variance_and_linear_halves_it() -> None:
    a, b = torch.randn(2, 100_000, generator=rng())
    assert interpolate(a, b, 5, kind="gaussian").var(1) == pytest.approx([1] * 5, abs=0.03)
    assert interpolate(a, b, 3)[1].var().item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("beta", lambda x: elbo(x[:, 0], x, x, beta=-1)),
        ("beta", lambda x: elbo(x[:, 0], x, x, beta=float("nan"))),
        ("log_likelihood", lambda x: elbo(x[:1, 0], x, x)),
        ("log_var", lambda x: elbo(x[:, 0], x, x[:, :2])),
        ("x", lambda x: bernoulli_log_likelihood(x, x[:, :1])),
        ("x", lambda x: bernoulli_log_likelihood(x, x.to(torch.complex64))),
        ("logits", lambda x: bernoulli_log_likelihood(x.long(), x)),
        ("x", lambda x: gaussian_log_likelihood(x, x[0], log_var=0.0)),
        ("log_var", lambda x: gaussian_log_likelihood(x, x, log_var=math.inf)),
        ("log_var", lambda x: gaussian_log_likelihood(x, x, log_var="small")),
        ("log_var", lambda x: gaussian_log_likelihood(x, x, log_var=torch.zeros(2))),
        ("log_var", lambda x: gaussian_log_likelihood(x, x, log_var=torch.zeros(1, 2, 3))),
        ("log_var", lambda x: gaussian_log_likelihood(x, x, log_var=x.long())),
        ("log_var", lambda x: reparameterize(x, x[0], generator=rng())),
        ("log_var", lambda x: reparameterize(x, x.long(), generator=rng())),
        ("generator", lambda x: reparameterize(x, x, generator=None)),
        ("generator", lambda x: reparameterize(x, x, generator=0)),
        ("log_weights", lambda x: iwae_bound(x[:0])),
        ("log_weights", lambda x: iwae_bound(x.sum())),
        ("dim", lambda x: iwae_bound(x, dim=2)),
        ("target", lambda x: interpolate(x, x[0], 3)),
        ("target", lambda x: interpolate(x, x.long(), 3)),
        ("source", lambda x: interpolate(x.long(), x, 3)),
        ("n", lambda x: interpolate(x, x, 1)),
        ("kind", lambda x: interpolate(x, x, 3, kind="spherical")),
        ("latent_shape", lambda x: VAE(nn.Identity(), nn.Identity(), 0)),
        ("encoder output", lambda x: VAE(nn.Identity(), nn.Identity(), 2).encode(x)),
        ("x", lambda x: VAE(nn.Identity(), nn.Identity(), 2).loss(x[:0], generator=rng())),
        ("x", lambda x: Autoencoder(nn.Identity(), nn.Identity()).loss(x[:0])),
        ("decoder output", lambda x: Autoencoder(nn.Identity(), nn.Flatten(0)).loss(x)),
        ("generator", lambda x: VAE(nn.Identity(), nn.Identity(), 2).sample(1, generator=None)),
        ("n", lambda x: VAE(nn.Identity(), nn.Identity(), 2).sample(-1, generator=rng())),
        ("k", lambda x: VAE(nn.Identity(), nn.Identity(), 2).log_weights(x, 0, generator=rng())),
    ],
)
def test_bad_input_is_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got .*, expected "):
        call(torch.ones(2, 3))


# Ties: every implementation against the function made from the checked result


def result(name: str, part: str | int | None = None) -> Claim:
    """What a derivation of the chapter shows, or one of its chains, by name or number."""
    derivation = getattr(book.chapter("vae"), name)
    if isinstance(part, int):
        return derivation.result(derivation.chains[part])
    return derivation.conclusion if part is None else derivation[part].claim


@st.composite
def drawn(draw, rows: int, low: float = -2.0, high: float = 2.0) -> torch.Tensor:
    """`rows` tensors of one shape (batch, d), of numbers that both dtypes hold exactly."""
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    size = rows * math.prod(shape)
    values = draw(st.lists(st.floats(low, high, width=16), min_size=size, max_size=size))
    dtype = draw(st.sampled_from([torch.float64, torch.float32]))
    return torch.tensor(values, dtype=dtype).reshape(rows, *shape)


def agree(got: torch.Tensor, expected: torch.Tensor) -> None:
    eps = torch.finfo(got.dtype).eps
    size = 1 + expected.abs().max().item()
    torch.testing.assert_close(got.double(), expected, rtol=100 * eps, atol=100 * eps * size)


@settings(max_examples=40)
@given(drawn(2, -8, 8))
def test_tie_bernoulli_log_likelihood(device, values) -> None:
    logits, x = values.to(device)
    x = (x > 0).to(x.dtype) if x.numel() % 2 else torch.sigmoid(x).half().to(x.dtype)
    expected = checked(result("bernoulli_likelihood").rhs)(ell=logits.double(), x=x.double())
    agree(bernoulli_log_likelihood(logits, x), expected.sum(-1))


@settings(max_examples=40)
@given(drawn(3))
def test_tie_gaussian_log_likelihood(device, values) -> None:
    mean, x, log_var = values.to(device)
    letters = {"mu": mean.double(), "x": x.double(), "ell": log_var.double()}
    for side in (result("gaussian_likelihood").lhs, result("gaussian_likelihood").rhs):
        agree(gaussian_log_likelihood(mean, x, log_var=log_var), checked(side)(**letters).sum(-1))


@settings(max_examples=40)
@given(drawn(3), st.floats(1, 5))
def test_tie_elbo(device, values, beta) -> None:
    log_likelihood, mean, log_var = values[0, :, 0].to(device), *values[1:].to(device)
    prior = checked(result("gaussian_prior_kl").rhs)
    kl = prior(mu=mean.double(), ell=log_var.double()).sum(-1)
    bound = checked(result("beta_vae").rhs, "R", "K")
    for weight in (1.0, beta):
        got = elbo(log_likelihood, mean, log_var, beta=weight)
        agree(got.kl, kl)
        price = torch.tensor(weight, dtype=torch.float64, device=device)
        agree(got.total, bound(R=log_likelihood.double(), K=kl, beta=price))


def test_tie_elbo_on_tables() -> None:
    """With β = 1 the two terms are those of the checked bound, and it bounds log p(x)."""
    generator = torch.Generator().manual_seed(0)
    joint = torch.rand(3, 4, generator=generator, dtype=torch.float64)
    joint = joint / joint.sum()
    encoder = torch.rand(3, 4, generator=generator, dtype=torch.float64)
    encoder = encoder / encoder.sum(1, keepdim=True)
    claim = result("elbo")
    evidence = checked(claim.lhs)(p_theta=joint)
    bound = checked(claim.rhs)(p_theta=joint, q_phi=encoder)
    assert (evidence >= bound).all()
    weights = torch.log(joint / encoder)
    by_hand = (encoder * torch.stack([iwae_bound(w[None], dim=0) for w in weights])).sum(1)
    torch.testing.assert_close(by_hand, bound)


@settings(max_examples=40)
@given(drawn(2))
def test_tie_reparameterize(device, values) -> None:
    mean, log_var = values.to(device)
    draw = next(n for n in result("reparameterization_gradient", "draw").rhs.walk() if _is_f(n))
    eps = torch.randn(
        mean.shape, dtype=mean.dtype, device=device, generator=rng(device, seed=3)
    ).double()
    expected = checked(draw.args[0])(mu=mean.double(), ell=log_var.double(), eps=eps)
    agree(reparameterize(mean, log_var, generator=rng(device, seed=3)), expected)


def _is_f(node: Node) -> bool:
    return isinstance(node, Apply)


@pytest.mark.parametrize("k", [1, 2, 3])
@settings(max_examples=30)
@given(drawn(3, -10, 10))
def test_tie_iwae_bound(device, k, values) -> None:
    log_weights = values[:k].to(device)
    bound = result("iwae", k - 1).rhs
    assert isinstance(bound, Expect)
    weights = {f"w_{i + 1}": torch.exp(w.double()) for i, w in enumerate(log_weights)}
    agree(iwae_bound(log_weights), checked(bound.body, *weights)(**weights))


@pytest.mark.parametrize("k", [2, 3])
@settings(max_examples=30)
@given(drawn(3, -8, 8), st.lists(st.floats(-3, 3, width=16), min_size=3, max_size=3))
def test_tie_iwae_gradient(device, k, values, slopes) -> None:
    """The gradient through log-weights offset + slope · phi, by autograd and by the chapter."""
    offsets = values[:k].double().to(device)
    phi = torch.tensor(0.7, dtype=torch.float64, device=device, requires_grad=True)
    slope = torch.tensor(slopes[:k], dtype=torch.float64, device=device).reshape(k, 1, 1)
    (got,) = torch.autograd.grad(iwae_bound(offsets + slope * phi).sum(), phi)
    functions = {}
    for i in range(k):
        functions[f"f_{i + 1}"] = lambda at, i=i: offsets[i] + slope[i] * at
        functions[f"f_{i + 1}_prime"] = lambda at, i=i: slope[i].expand_as(offsets[i])
    expected = checked(result("iwae_gradient", k - 2).rhs)(phi=phi.detach(), **functions)
    agree(got, expected.sum())


@settings(max_examples=20)
@given(drawn(2), st.floats(1, 5), st.integers(0, 10**6))
def test_tie_vae_module(device, values, beta, seed) -> None:
    """The module's bound is the checked one at the draw that its generator makes."""
    mean, log_var = values.to(device)
    dim = mean.shape[1]
    model = VAE(nn.Identity(), nn.Identity(), dim)  # the decoder's logits are the code itself
    both = torch.cat([mean, log_var], dim=1)
    model.likelihood = lambda logits, x: bernoulli_log_likelihood(logits, torch.sigmoid(x[:, :dim]))
    got = model.elbo(both, generator=rng(device, seed), beta=beta)
    wide = {"mu": mean.double(), "ell": log_var.double()}
    draw = next(n for n in result("reparameterization_gradient", "draw").rhs.walk() if _is_f(n))
    noise = torch.randn(mean.shape, dtype=mean.dtype, device=device, generator=rng(device, seed))
    code = checked(draw.args[0])(eps=noise.double(), **wide)
    likelihood = checked(result("bernoulli_likelihood").rhs)
    total = checked(result("beta_vae").rhs, "R", "K")(
        R=likelihood(ell=code, x=torch.sigmoid(mean).double()).sum(-1),
        K=checked(result("gaussian_prior_kl").rhs)(**wide).sum(-1),
        beta=torch.tensor(beta, dtype=torch.float64, device=device),
    )
    agree(got.total, total)


@settings(max_examples=30)
@given(drawn(2))
def test_tie_best_decoder_variance(device, values) -> None:
    """At log_var = log MSE the likelihood is the checked maximum."""
    mean, x = values.double().to(device)
    error = ((x - mean) ** 2).mean() + 0.1
    best = checked(result("optimal_variance", "best").rhs, "m")(m=error)
    at_best = gaussian_log_likelihood(
        torch.zeros(1, dtype=torch.float64, device=device),
        torch.sqrt(error)[None],
        log_var=torch.log(error)[None],
        batch_dims=0,
    )
    agree(at_best, best)


TIES = {
    "elbo": {"vae.elbo": test_tie_elbo},
    "bernoulli_log_likelihood": {"vae.bernoulli_likelihood": test_tie_bernoulli_log_likelihood},
    "gaussian_log_likelihood": {"vae.gaussian_likelihood": test_tie_gaussian_log_likelihood},
    "reparameterize": {"vae.reparameterization_gradient": test_tie_reparameterize},
    "iwae_bound": {"vae.iwae": test_tie_iwae_bound},
    "VAE": {"vae.elbo": test_tie_vae_module},
}


def test_what_would_weigh_the_kl_wrongly_or_hide_parameters_is_refused() -> None:
    net = nn.Linear(2, 4)
    with pytest.raises(ValueError, match=r"^log_likelihood: got .* expected one value a sample"):
        elbo(torch.tensor(-1.0), torch.zeros(64, 2), torch.zeros(64, 2))
    with pytest.raises(ValueError, match=r"^decoder: got .* expected an nn.Module"):
        VAE(net, lambda z: z, 2)
    with pytest.raises(ValueError, match=r"^encoder: got .* expected an nn.Module"):
        VAE(lambda x: x, net, 2)
    with pytest.raises(ValueError, match=r"^encoder: got .* expected an nn.Module"):
        Autoencoder(lambda x: x, net)
    with pytest.raises(ValueError, match=r"^decoder: got .* expected an nn.Module"):
        Autoencoder(net, lambda z: z)
    averaged = VAE(net, nn.Linear(2, 2), 2, lambda a, x: ((a - x) ** 2).mean())
    with pytest.raises(
        ValueError, match=r"^likelihood output: got .* expected one number a sample"
    ):
        averaged.loss(torch.zeros(64, 2), generator=torch.Generator().manual_seed(0))
