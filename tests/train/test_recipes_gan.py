"""Recipes of two players: who moves when, what each loss sees, and what the steps leave alone."""

import math
from itertools import pairwise

import pytest
import torch

from genmath.train import fit, load, recipe

SMALL = {"width": 4, "latents": 3, "batch": 16}
NAMES = ("dcgan", "wgan-gp")


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def weights(part):
    return torch.cat([w.detach().flatten() for w in part.parameters()])


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_pictures_and_their_distance_is_told(name):
    done = fit(recipe(name).changed({"steps": 8, **SMALL}))
    with torch.no_grad():
        made = done.recipe.sample(done.model, done.data.event, 5, rng())
        found = done.recipe.evaluate(done.model, done.data, rng())
    assert made.shape == (5, 1, 8, 8)
    assert made.abs().max() <= 1
    assert math.isfinite(found["Fréchet"])
    assert done.recipe.changed(done.recipe.settings()) == done.recipe


@pytest.mark.parametrize("name", NAMES)
def test_a_turn_moves_its_player_alone(name):
    """The weights after k steps of a run of 8, seen through runs that stop there."""
    one = recipe(name).changed({"steps": 8, "average": 0.0, **SMALL})
    seen = []

    def look(model, step):
        seen.append((weights(model.generator), weights(model.discriminator)))

    object.__setattr__(one, "after", look)
    fit(one)
    moved = [(not torch.equal(a[0], b[0]), not torch.equal(a[1], b[1])) for a, b in pairwise(seen)]
    trains = [one.turn(step).trains for step in range(1, 8)]
    assert moved == [(who == "generator", who == "discriminator") for who in trains]
    assert set(trains) == {"generator", "discriminator"}


def test_a_critic_has_as_many_turns_as_asked():
    one = recipe("wgan-gp").changed({"critics": 2})
    who = [one.turn(step).trains[0] for step in range(6)]
    assert "".join(who) == "ddgddg"


@pytest.mark.parametrize(("name", "field"), [("dcgan", "gamma"), ("wgan-gp", "weight")])
def test_a_penalty_is_paid_by_the_judge_as_asked(name, field):
    """Its loss is a constant and the weight times the penalty: three weights lie on a line."""
    batch = load("digits").batch(16, 0)
    model = recipe(name).changed(SMALL).build(load("digits").event, rng())
    cost = [
        recipe(name).changed({field: w}).judge(model, batch, rng()).item() for w in (0.0, 1.0, 3.0)
    ]
    assert cost[1] > cost[0] + 1e-5
    assert cost[2] - cost[0] == pytest.approx(3 * (cost[1] - cost[0]), rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_the_judge_sends_the_generator_no_gradient(name):
    one, data = recipe(name).changed(SMALL), load("digits")
    model = one.build(data.event, rng())
    one.judge(model, data.batch(16, 0), rng()).backward()
    assert all(w.grad is None for w in model.generator.parameters())
    assert all(w.grad is not None for w in model.discriminator.parameters())
