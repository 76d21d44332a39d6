"""Recipes with a likelihood: what a few steps already show, and figures that are known exactly."""

import math

import pytest
import torch

from genmath.normalizing_flow import Flow
from genmath.toys import moons_density
from genmath.train import fit, load, recipe
from genmath.train.levels import from_levels, spread, to_levels
from genmath.train.measures import likelihood

SMALL = {
    "vae": {"width": 16, "latents": 3},
    "beta-vae": {"width": 16, "latents": 3},
    "pixelcnn": {"width": 4, "layers": 2},
    "gpt": {"width": 8, "layers": 1, "heads": 2},
    "realnvp": {"width": 8, "transforms": 2},
    "nsf": {"width": 8, "transforms": 2, "bins": 4},
    "maf": {"width": 8, "transforms": 2},
}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def fitted(name, **more):
    return fit(recipe(name).changed({"steps": 40, "batch": 32, **SMALL[name], **more}))


@pytest.mark.parametrize("name", SMALL)
def test_a_few_steps_lower_the_loss_and_samples_are_like_the_data(name):
    done = fitted(name)
    few = sum(done.losses[:5]) / 5 - sum(done.losses[-5:]) / 5
    assert few > 0.1
    with torch.no_grad():
        made = done.recipe.sample(done.model, done.data.event, 5, rng())
        figures = done.recipe.evaluate(done.model, done.data, rng())
    assert made.shape == (5, *done.data.event.shape)
    assert made.isfinite().all()
    assert all(math.isfinite(value) for value in figures.values())
    assert done.recipe.changed(done.recipe.settings()) == done.recipe


def test_levels_there_and_back():
    n = torch.arange(17)
    x = from_levels(n, 17)
    assert [float(x[0]), float(x[-1])] == [-1, 1]
    assert torch.equal(to_levels(x, 17), n)
    inside = spread(x.repeat(1000, 1), 17, rng())
    assert torch.equal(to_levels(inside[:, 1:-1], 17), n[1:-1].repeat(1000, 1))
    assert 0.99 / 16 < (inside - x).abs().max() <= 1 / 16
    assert (inside.mean(0) - x).abs().max() < 0.01


def test_the_bound_of_a_vae_is_below_that_of_more_draws_and_above_nothing():
    done = fitted("vae", steps=100)
    with torch.no_grad():
        found = done.recipe.evaluate(done.model, done.data, rng())
    assert found["bits/dim, 50 draws"] < found["bits/dim, bound"]
    assert 0 < found["latents in use"] <= 3


def test_the_bits_of_a_vae_are_those_of_its_bins():
    """Of a decoder that says N(0, 1) whatever the code."""
    one = recipe("vae").changed({"width": 4, "latents": 1})
    data = load("digits")
    model = one.build(data.event, rng())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()  # mean 0, variance 1, no code
        found = one.evaluate(model, data, rng())
    x = data.test.x.double()
    # E (x + u)² = x² + 1/(3 · 16²) for u uniform in ±1/16
    nats = (math.log(2 * math.pi) + x.square().mean().item() + 1 / (3 * 256)) / 2
    assert [found["KL"], found["latents in use"]] == [0, 0]
    assert found["bits/dim, bound"] == pytest.approx(nats / math.log(2) + 3, abs=2e-3)


def test_a_dearer_code_is_used_less():
    kl = {}
    for name in ("vae", "beta-vae"):
        done = fitted(name, steps=150, beta={"vae": 1.0, "beta-vae": 8.0}[name])
        with torch.no_grad():
            kl[name] = done.recipe.evaluate(done.model, done.data, rng())["KL"]
    assert kl["beta-vae"] < 0.8 * kl["vae"]


def test_a_row_of_a_beta_vae_varies_one_number_alone():
    one = recipe("beta-vae").changed(SMALL["beta-vae"])
    event = load("digits").event
    model = one.build(event, rng())
    with torch.no_grad():
        model.decoder[0].stack[0].weight[:, 1:] = 0  # only number 0 of a code matters
        still, moved = (one.sample(model, event, 9, rng(), vary=i) for i in (1, 0))
    rows = still.reshape(3, 3, -1)
    assert torch.allclose(rows[:, 0], rows[:, 2])
    assert not torch.allclose(rows[0], rows[1])
    rows = moved.reshape(3, 3, -1)
    assert torch.allclose(rows[0], rows[2])
    assert not torch.allclose(rows[:, 0], rows[:, 2])


def test_the_gap_of_the_exact_density_is_zero_and_other_data_have_none():
    moons, other = load("moons"), load("spirals")
    exact = moons_density().log_prob(moons.test.x.double())
    assert likelihood(exact, moons)["gap"] == pytest.approx(0, abs=1e-12)
    assert likelihood(exact - 1, moons)["gap"] == pytest.approx(1)
    assert likelihood(exact, moons)["nats"] == pytest.approx(2.350, abs=0.05)
    assert "gap" not in likelihood(exact, other)


@pytest.mark.parametrize("name", ["realnvp", "nsf", "maf"])
def test_a_flow_draws_from_the_density_it_reports(name):
    """What falls into a box is as much as the density says."""
    done = fitted(name, steps=60, batch=64)
    with torch.no_grad():
        x = done.recipe.sample(done.model, done.data.event, 40_000, rng())
        inside = (x.abs() < 0.5).all(1)
        box = torch.rand(40_000, 2, generator=rng(1)) - 0.5
        mass = Flow(done.model).log_prob(box).exp().mean()
    assert inside.double().mean().item() == pytest.approx(mass.item(), rel=0.05)
