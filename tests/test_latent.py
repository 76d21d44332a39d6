"""A first stage and a diffusion of its codes, against what is known exactly."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genmath import book
from genmath.ddpm import denoising_loss, loss_weight
from genmath.divergences import gaussian_kl
from genmath.flow_matching import cfm_loss
from genmath.gan import generator_loss
from genmath.guidance import Guided
from genmath.latent import FirstStage, LatentDiffusion, adaptive_weight, cost_ratio
from genmath.paths import CosinePath, LinearPath, Schedule, VPPath, linear_schedule, reverse_time
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Named
from genmath.samplers import DDIM, Ancestral, Heun, sample
from genmath.vae import VAE
from tests.checked import value


def rng(seed: int = 0, device: str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def result(name: str, part: str | None = None) -> Claim:
    derivation = getattr(book.chapter("latent"), name)
    return derivation.conclusion if part is None else derivation[part].claim


class Times(nn.Module):
    """A diagonal linear map, with a weight to train."""

    def __init__(self, by: float, plus: float = 0.0) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor([[by]]))
        self.plus = plus

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.by * x + self.plus


class Pull(nn.Module):
    """The exact velocity of standard normal codes on the line, told a label or not."""

    def __init__(self) -> None:
        super().__init__()
        self.push = nn.Parameter(torch.zeros(()))
        self.seen: list[torch.Tensor] = []

    def forward(self, z, t, label=None):
        t = t.reshape(-1, *[1] * (z.ndim - 1))
        alpha, sigma = 1 - t, t
        out = (sigma - alpha) / (alpha**2 + sigma**2) * z + self.push
        if label is not None:
            self.seen.append(label)
            out = out + 0 * label.reshape(t.shape)
        return out


class Still(nn.Module):
    """The exact "v" of standard normal codes, which is 0."""

    def forward(self, z, t):
        return torch.zeros_like(z)


# The first stage


def test_parts_of_the_loss_are_what_they_are_called() -> None:
    x = torch.randn(6, 3, generator=rng())
    stage = FirstStage(Times(2.0), Times(0.5, 1.0))  # rebuilds x + 1
    parts = stage.loss(x)
    assert parts.total.item() == parts.reconstruction.item() == pytest.approx(3.0, rel=1e-6)
    assert parts.kl == parts.features == parts.adversarial == 0
    torch.testing.assert_close(stage(x), x + 1)
    seen = FirstStage(Times(2.0), Times(0.5, 1.0), features=Times(3.0), feature_weight=0.1)
    parts = seen.loss(x)
    assert parts.features.item() == pytest.approx(27.0, rel=1e-5)
    assert parts.total.item() == pytest.approx(3.0 + 0.1 * 27.0, rel=1e-5)


def test_a_priced_code_is_drawn_and_pays_its_kl() -> None:
    x = torch.randn(5, 4, generator=rng())
    stage = FirstStage(nn.Identity(), nn.Linear(2, 4), kl=0.25)
    mean, log_var = x.chunk(2, 1)
    parts = stage.loss(x, generator=rng(3))
    torch.testing.assert_close(parts.kl, gaussian_kl(mean, log_var).mean())
    torch.testing.assert_close(parts.total, parts.reconstruction + parts.kl / 4)
    noise = torch.randn(5, 2, generator=rng(3))
    made = stage.decode(mean + (log_var / 2).exp() * noise)
    torch.testing.assert_close(parts.reconstruction, ((made - x) ** 2).sum(1).mean())
    torch.testing.assert_close(stage.encode(x), mean)
    free = FirstStage(nn.Identity(), nn.Linear(2, 4), kl=0.0).loss(x, generator=rng(3))
    assert free.kl > 0  # reported, and not paid
    assert free.total == free.reconstruction


def test_the_discriminator_is_held_fixed_and_the_features_are_never_trained() -> None:
    x = torch.randn(8, 2, generator=rng())
    features, discriminator = nn.Linear(2, 3), nn.Linear(2, 1)
    stage = FirstStage(nn.Linear(2, 1), nn.Linear(1, 2), features=features, adversarial_weight=0.5)
    parts = stage.loss(x, discriminator=discriminator)
    parts.total.backward()
    assert all(p.grad is None for p in [*discriminator.parameters(), *features.parameters()])
    assert all(p.grad is not None for p in stage.decoder.parameters())
    torch.testing.assert_close(parts.adversarial, generator_loss(discriminator(stage(x))))
    weighed = parts.reconstruction + parts.features
    weight = adaptive_weight(weighed_again(stage, x), fooled(stage, discriminator, x), last(stage))
    torch.testing.assert_close(parts.total, weighed + 0.5 * weight * parts.adversarial)


def last(stage: FirstStage) -> torch.Tensor:
    return stage.decoder.weight


def weighed_again(stage: FirstStage, x: torch.Tensor) -> torch.Tensor:
    parts = stage.loss(x)
    return parts.reconstruction + parts.features


def fooled(stage: FirstStage, discriminator: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return generator_loss(discriminator(stage(x)))


def test_an_adversarial_loss_needs_weights_and_a_graph() -> None:
    x = torch.randn(4, 2, generator=rng())
    with pytest.raises(ValueError, match=r"^decoder: got one without weights"):
        FirstStage(nn.Linear(2, 2), nn.Identity()).loss(x, discriminator=nn.Linear(2, 1))
    stage = FirstStage(nn.Linear(2, 2), nn.Linear(2, 2))
    with torch.no_grad(), pytest.raises(ValueError, match=r"^loss: got .* depends on at"):
        stage.loss(x, discriminator=nn.Linear(2, 1))


def test_training_rebuilds() -> None:
    """On a plane in four dimensions two numbers are enough."""
    g = rng()
    x = torch.randn(256, 2, generator=g) @ torch.randn(2, 4, generator=g)
    torch.manual_seed(0)
    stage = FirstStage(nn.Linear(4, 4), nn.Linear(2, 4), kl=1e-4)
    optimizer = torch.optim.Adam(stage.parameters(), 0.03)
    for _ in range(400):
        optimizer.zero_grad()
        parts = stage.loss(x, generator=g)
        parts.total.backward()
        optimizer.step()
    assert parts.reconstruction.item() < 0.01 * x.var(0).sum().item()


# The adaptive weight


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_weighted_gradients_are_equally_long(device, dtype) -> None:
    at = torch.randn(3, 4, generator=rng(), dtype=dtype).to(device).requires_grad_()
    loss, other = (at**2).sum(), 1e-3 * (at**3).sum()
    weight = adaptive_weight(loss, other, at, delta=1e-30)
    assert weight.requires_grad is False
    (g,) = torch.autograd.grad(loss, at, retain_graph=True)
    (h,) = torch.autograd.grad(other, at, retain_graph=True)
    torch.testing.assert_close((weight * h).norm(), g.norm())
    assert adaptive_weight(loss, other, at, most=0.5) == 0.5
    assert adaptive_weight(loss, 0 * other, at) == 1e4  # no gradient at all: the most
    torch.testing.assert_close(torch.autograd.grad(weight * other, at)[0], weight * h)


# What compression buys


@given(st.floats(1, 1e6), st.floats(1, 100), st.floats(0, 1e3), st.floats(1e-6, 1e3), st.booleans())
def test_cost_lies_between_both_ends(n, factor, linear, quadratic, swap) -> None:
    if swap:
        linear, quadratic = quadratic, linear
    ratio = cost_ratio(n, factor, linear=linear, quadratic=quadratic)
    assert factor**-4 * (1 - 1e-12) <= ratio <= factor**-2 * (1 + 1e-12)
    assert cost_ratio(n, factor) == pytest.approx(factor**-2)
    assert cost_ratio(n, factor, linear=0.0, quadratic=1.0) == pytest.approx(factor**-4)


# Latent diffusion


def wide(path=None, model=None, **given) -> LatentDiffusion:
    stage = FirstStage(Times(3.0, 2.0), Times(1 / 3, -2 / 3))
    return LatentDiffusion(stage, model or Pull(), 2, path or LinearPath(), **given)


def test_codes_are_calibrated_and_the_scale_is_undone() -> None:
    model = wide()
    x = 0.7 + 0.4 * torch.randn(5000, 2, generator=rng())
    model.calibrate(x)
    z = model.encode(x)
    assert z.mean().item() == pytest.approx(0, abs=1e-5)
    assert z.std(correction=0).item() == pytest.approx(1, abs=1e-5)
    assert model.shift.item() == pytest.approx((3 * x + 2).mean().item(), rel=1e-5)
    assert model.scale.item() == pytest.approx(1 / (3 * x).std(correction=0).item(), rel=1e-5)
    torch.testing.assert_close(model.decode(z), model.autoencoder(x))
    again = wide()
    again.load_state_dict(model.state_dict())
    torch.testing.assert_close(again.encode(x), z)
    with pytest.raises(ValueError, match=r"^x: got data whose codes have the deviation 0"):
        model.calibrate(torch.ones(4, 2))


def test_the_stage_is_frozen_and_stays_so() -> None:
    stage = FirstStage(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.9)), nn.Linear(2, 2))
    model = LatentDiffusion(stage, Pull(), 2)
    assert model.train() is model
    assert model.training
    assert not stage.training
    assert not stage.encoder[1].training
    x = torch.randn(4, 2, generator=rng())
    model.loss(x, generator=rng()).backward()
    assert model.model.push.grad is not None
    assert all(p.grad is None and not p.requires_grad for p in stage.parameters())


def test_the_loss_is_that_of_the_codes() -> None:
    x = torch.randn(16, 2, generator=rng())
    for path in (LinearPath(), CosinePath()):
        model = wide(path)
        model.calibrate(x)
        expected = cfm_loss(model.model, model.encode(x), path, generator=rng(1))
        torch.testing.assert_close(model.loss(x, generator=rng(1)), expected)
    schedule = linear_schedule(40, scaled=True)
    for prediction in ("eps", "v"):
        model = wide(schedule, nn_eps(), prediction=prediction)
        expected = denoising_loss(
            model.model, model.encode(x), schedule, prediction=prediction, generator=rng(1)
        )
        torch.testing.assert_close(model.loss(x, generator=rng(1)), expected)
    assert wide(schedule, nn_eps()).prediction == "eps"


def nn_eps() -> nn.Module:
    class Eps(nn.Module):
        def forward(self, z, t):
            return 0.3 * z

    return Eps()


def test_samples_have_the_law_that_the_exact_velocity_carries() -> None:
    """Codes N(0, I) decoded by an affine map: mean and deviation are known."""
    model = wide()
    model.shift.fill_(2.0)
    model.scale.fill_(1 / 3)
    x = model.sample(20_000, Heun(), steps=12, generator=rng())
    assert x.mean().item() == pytest.approx(0.0, abs=0.03)
    assert x.std().item() == pytest.approx(1.0, abs=0.02)
    again = model.sample(20_000, Heun(), steps=12, generator=rng())
    assert torch.equal(x, again)


def test_labels_reach_the_model() -> None:
    model, y = wide(), torch.tensor([3, 1, 2])
    x = torch.randn(3, 2, generator=rng())
    model.loss(x, y, generator=rng())
    model.sample(3, Heun(), steps=2, condition=y, generator=rng())
    model.img2img(x, 0.5, Heun(), steps=2, condition=y, generator=rng())
    assert len(model.model.seen) > 3
    assert all(label.equal(y) for label in model.model.seen)
    with pytest.raises(ValueError, match=r"^condition: got"):
        model.sample(4, Heun(), steps=2, condition=y, generator=rng())


@pytest.mark.parametrize(
    ("path", "sampler", "net"),
    [
        (LinearPath(), Heun(), Pull()),
        (linear_schedule(40, scaled=True), DDIM(), Still()),
        (linear_schedule(40, scaled=True), Ancestral(), Still()),
    ],
    ids=["path", "ddim", "ancestral"],
)
def test_image_to_image_keeps_more_the_less_it_noises(path, sampler, net) -> None:
    model = wide(path, net, prediction="v" if isinstance(net, Still) else None)
    x = torch.randn(4000, 2, generator=rng())
    model.calibrate(x)
    kept = []
    for share in (0.05, 0.5, 1.0):
        t = round(share * path.T) if isinstance(path, Schedule) else share
        made = model.img2img(x, t, sampler, steps=2, generator=rng(1))
        assert made.shape == x.shape
        kept.append(torch.corrcoef(torch.stack([x.flatten(), made.flatten()]))[0, 1].item())
    assert kept[0] > 0.98
    assert kept[0] > kept[1] > kept[2]
    assert abs(kept[2]) < 0.06


def test_image_to_image_is_noise_to_t_and_back() -> None:
    """With the exact velocity of normal codes the flow is a known rotation of the scales."""
    model = wide()
    x = torch.randn(5, 2, generator=rng(), dtype=torch.float64)
    model = model.double()
    model.calibrate(x)
    z, t = model.encode(x), 0.6
    noise = torch.randn(5, 2, generator=rng(2), dtype=torch.float64)
    z_t = (1 - t) * z + t * noise
    expected = model.decode(z_t / math.hypot(1 - t, t))  # standard deviation back to one
    made = model.img2img(x, t, Heun(), steps=200, generator=rng(2))
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-4)


def pictures(path=None) -> LatentDiffusion:
    if path is None:
        return LatentDiffusion(Coder(), Pull(), (1, 2, 2))
    return LatentDiffusion(Coder(), Still(), (1, 2, 2), path, prediction="v")


class Coder(nn.Module):
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool2d(x, 4)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(z, scale_factor=4.0)


@pytest.mark.parametrize("path", [None, linear_schedule(30, scaled=True)], ids=["path", "steps"])
def test_inpainting_keeps_what_is_known(path) -> None:
    model = pictures(path)
    x = torch.randn(6, 1, 8, 8, generator=rng())
    known = torch.ones(6, 1, 8, 8, dtype=torch.bool)
    known[:, :, 2, 5:7] = False  # touches the upper right code only
    sampler = Heun() if path is None else Ancestral()
    made = model.inpaint(x, known, sampler, steps=6, generator=rng())
    assert torch.equal(made[known], x[known])
    assert not torch.isclose(made[~known], x[~known]).any()
    assert (made[:, 0, 2, 5] == made[:, 0, 2, 6]).all()  # one code
    for_all = model.inpaint(x, known[0], sampler, steps=6, generator=rng())
    assert torch.equal(for_all, made)
    all_of_it = torch.ones_like(known)
    assert torch.equal(model.inpaint(x, all_of_it, sampler, steps=6, generator=rng()), x)
    for wrong in (known[:, :, :4], known.float(), known[:3]):
        with pytest.raises(ValueError, match=r"^mask: got"):
            model.inpaint(x, wrong, sampler, steps=6, generator=rng())
    with pytest.raises(ValueError, match=r"^x: got .* images"):
        wide().inpaint(x[:, 0, 0, :2], known, sampler, steps=6, generator=rng())


def test_a_code_is_known_if_all_of_its_pixels_are() -> None:
    """One hidden pixel: its code is drawn from noise, the other three are those of x."""
    model = pictures()
    x = torch.full((2000, 1, 8, 8), 0.5)
    known = torch.ones(1, 8, 8, dtype=torch.bool)
    known[0, 7, 0] = False
    made = model.inpaint(x, known, Heun(), steps=8, generator=rng())[:, 0, 7, 0]
    assert made.std().item() == pytest.approx(1.0, abs=0.1)
    assert abs(made.mean().item()) < 0.1


def test_inpainting_of_everything_is_a_sample() -> None:
    model = pictures()
    x, known = torch.zeros(3000, 1, 8, 8), torch.zeros(1, 8, 8, dtype=torch.bool)
    made = model.inpaint(x, known, Heun(), steps=10, generator=rng())
    assert made.std().item() == pytest.approx(1.0, abs=0.03)


def test_guidance_is_that_of_the_codes() -> None:
    class Two(nn.Module):
        def forward(self, z, t, y):
            return z + 1.0 * y.reshape(-1, 1)

    model, y = wide(model=Two()), torch.tensor([1, 2])
    options = {"steps": 3, "condition": y, "generator": rng()}
    guided = model.sample(2, Heun(), null=0, scale=2.5, **options)
    expected = sample(
        Guided(model.model, y, 0, scale=2.5), (2, 2), model.path, Heun(),
        steps=3, prediction="velocity", generator=rng(),
    )  # fmt: skip
    torch.testing.assert_close(guided, model.decode(expected))
    with pytest.raises(ValueError, match=r"^scale: got 2.5, expected 1, where there is no null"):
        model.sample(2, Heun(), scale=2.5, **options)
    with pytest.raises(ValueError, match=r"^null: got 0"):
        model.sample(2, Heun(), null=0, steps=3, generator=rng())


def test_any_autoencoder_will_do() -> None:
    vae = VAE(nn.Linear(2, 4), nn.Linear(2, 2), 2)
    model = LatentDiffusion(vae, Pull(), 2)
    x = torch.randn(4, 2, generator=rng())
    torch.testing.assert_close(model.encode(x), vae.encode(x)[0])
    with pytest.raises(ValueError, match=r"^autoencoder: got .* a method encode"):
        LatentDiffusion(nn.Linear(2, 2), Pull(), 2)
    with pytest.raises(ValueError, match=r"^encoder output: got"):
        LatentDiffusion(vae, Pull(), 3).encode(x)
    with pytest.raises(ValueError, match=r"^path: got .* the data at t = 0"):
        LatentDiffusion(vae, Pull(), 2, reverse_time(LinearPath()))
    with pytest.raises(ValueError, match=r"^prediction: got 'eps'"):
        LatentDiffusion(vae, Pull(), 2, VPPath(), prediction="eps")


# Ties


@settings(max_examples=40)
@given(st.floats(0.1, 5), st.floats(0.1, 5), st.floats(1e-6, 1), st.floats(0, 2 * math.pi))
def test_tie_adaptive_weight(device, first, second, delta, angle) -> None:
    """The squared length of the weighted gradient, and of the sum, by the checked results."""
    at = torch.zeros(2, dtype=torch.float64, device=device, requires_grad=True)
    e_1 = torch.tensor([1.0, 0.0], dtype=torch.float64, device=device)
    e_2 = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64, device=device)
    loss, other = (first * e_1 * at).sum(), (second * e_2 * at).sum()
    letters = {"A": first, "B": second, "delta": delta, "e_1": e_1, "e_2": e_2}
    letters = {k: torch.as_tensor(v, dtype=torch.float64) for k, v in letters.items()}
    weight = adaptive_weight(loss, other, at, delta=delta, most=1e9)
    bound = value(result("adaptive_weight", "bound").lhs, **letters)
    torch.testing.assert_close((weight * second * e_2).square().sum().cpu(), bound.cpu())
    weight = adaptive_weight(loss, other, at, delta=1e-300, most=1e9)
    total = first * e_1 + weight * second * e_2
    expected = value(result("adaptive_weight", "sum").rhs, **letters)
    torch.testing.assert_close(total.square().sum().cpu(), expected.cpu(), atol=1e-9, rtol=1e-9)


@settings(max_examples=40)
@given(st.floats(1, 1e4), st.floats(1, 50), st.floats(0.01, 10), st.floats(0.01, 10))
def test_tie_cost_ratio(n, factor, linear, quadratic) -> None:
    letters = {"c_1": linear, "c_2": quadratic, "n": n, "F": factor}
    letters = {k: torch.tensor(v, dtype=torch.float64) for k, v in letters.items()}
    after = value(result("cost", "most").lhs, **letters)
    before = value(result("cost", "most").lhs, **{**letters, "F": torch.ones_like(after)})
    got = cost_ratio(n, factor, linear=linear, quadratic=quadratic)
    assert got == pytest.approx((after / before).item(), rel=1e-12)


@settings(max_examples=30)
@given(st.floats(0.05, 20), st.floats(-3, 3), st.floats(0.05, 0.95))
def test_tie_scale(deviation, mean, alpha) -> None:
    """Two equally frequent codes: the mean square of the noisy calibrated code, as checked."""
    codes = torch.tensor([[mean - deviation], [mean + deviation]], dtype=torch.float64)
    model = LatentDiffusion(FirstStage(nn.Identity(), nn.Identity()), Pull(), 1).double()
    model.calibrate(codes)
    z = model.encode(codes)
    assert (1 / model.scale).item() == pytest.approx(deviation, rel=1e-9)
    assert model.shift.item() == pytest.approx(mean, abs=1e-9)
    got = (alpha**2 * z**2 + 1 - alpha**2).mean()  # the noise has mean 0 and variance 1
    claim = result("scale", "unit").rhs
    letters = {"alpha": torch.tensor(alpha, dtype=torch.float64), "S": 1 / model.scale}
    expected = value(claim, "V", V=torch.tensor(deviation**2, dtype=torch.float64), **letters)
    torch.testing.assert_close(got, expected)
    assert expected.item() == pytest.approx(1.0)


def _table(seed: int) -> torch.Tensor:
    joint = torch.rand(3, 4, generator=rng(seed), dtype=torch.float64) + 0.05
    return joint / joint.sum()


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_tie_first_stage(seed) -> None:
    """On a table of three data and four codes, the squared error and the feature error."""
    joint, shown = _table(seed), torch.rand(4, generator=rng(seed + 1), dtype=torch.float64)
    x = torch.arange(3, dtype=torch.float64)
    for name, f in (("best_decoder", lambda u: u), ("features", lambda u: u**3 - u)):
        claim = getattr(book.chapter("latent"), name).steps[0].claim
        total = torch.zeros((), dtype=torch.float64)
        for i in range(3):
            for j in range(4):
                stage = FirstStage(nn.Identity(), Constant(shown[j]), features=Applied(f))
                parts = stage.loss(x[i].reshape(1, 1))
                part = parts.reconstruction if name == "best_decoder" else parts.features
                total = total + joint[i, j] * part
        codes = torch.arange(4, dtype=torch.float64)
        letters = {"r": joint, "x": x, "x_1": x, "z": codes, "f": f}
        for side in (claim.lhs, claim.rhs):
            of_table = value(side, g=lambda at: shown[at.long()], **letters)
            torch.testing.assert_close(total, of_table)


class Constant(nn.Module):
    def __init__(self, shown: torch.Tensor) -> None:
        super().__init__()
        self.shown = shown

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.shown + 0 * z


class Applied(nn.Module):
    def __init__(self, f) -> None:
        super().__init__()
        self.f = f

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.f(x)


def test_tie_cross_entropy() -> None:
    """The KL of a step, from the loss of the code by the checked weight and constant."""
    schedule, x = linear_schedule(40, scaled=True), torch.tensor([[0.7]], dtype=torch.float64)
    model = wide_on_the_line(schedule)
    noise = torch.tensor([[-1.3]], dtype=torch.float64)
    parts = {n.name: n for n in result("cross_entropy", "step").rhs.walk() if isinstance(n, Named)}
    for t in (2, 7, 40):
        beta, abar, before = schedule.beta[t], schedule.alpha_bar[t], schedule.alpha_bar[t - 1]
        kappa, rho = beta / torch.sqrt(1 - abar), torch.sqrt(1 - beta)
        letters = {"kappa": kappa, "rho": rho, "v": (1 - before) / (1 - abar) * beta, "v_t": beta}
        z = model.encode(x)
        loss = denoising_loss(model.model, z, schedule, t=t, noise=noise)
        step = value(parts["w_t"], **letters) * loss + value(parts["C_t"], **letters)
        z_t = schedule.alpha[t] * z + schedule.sigma[t] * noise
        means = [(z_t - kappa * e) / rho for e in (noise, model.model(z_t, torch.tensor([t])))]
        log_vars = [letters[v].log().expand(1, 1) for v in ("v", "v_t")]
        torch.testing.assert_close(
            step, gaussian_kl(means[0], log_vars[0], means[1], log_vars[1])[0]
        )
        weight = loss_weight(t, schedule, variance="beta")
        assert value(parts["w_t"], **letters).item() == pytest.approx(float(weight))


def wide_on_the_line(path: Schedule) -> LatentDiffusion:
    stage = FirstStage(Times(3.0, 2.0), Times(1 / 3, -2 / 3))
    return LatentDiffusion(stage, nn_eps(), 1, path).double()


TIES = {
    "adaptive_weight": {"latent.adaptive_weight": test_tie_adaptive_weight},
    "cost_ratio": {"latent.cost": test_tie_cost_ratio},
    "FirstStage": {
        "latent.best_decoder": test_tie_first_stage,
        "latent.features": test_tie_first_stage,
    },
    "LatentDiffusion": {"latent.scale": test_tie_scale},
    "LatentDiffusion.loss": {"latent.cross_entropy": test_tie_cross_entropy},
}
