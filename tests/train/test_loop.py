"""The loop: what it leaves alone, what decides its result, and what it refuses."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from genmath.train import Batch, Data, Diverged, Recipe, fit, recipe
from genmath.train.data import Event, Held
from tests.train.tiny import Flow, Game

POINTS = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))


def weights(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([w.detach().flatten() for w in model.parameters()])


def test_a_recipe_trains_and_its_loss_falls() -> None:
    short = recipe("ddpm").changed({"steps": 20, "width": 8, "batch": 32})
    losses = fit(short).losses
    assert len(losses) == 20
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])


def test_the_same_settings_give_the_same_weights_and_another_seed_others() -> None:
    first, again, other = (fit(Flow(seed=seed, dropout=0.2)) for seed in (0, 0, 1))
    assert torch.equal(weights(first.model), weights(again.model))
    assert first.losses == again.losses
    assert not torch.equal(weights(first.model), weights(other.model))


def test_random_states_of_the_caller_are_left_alone() -> None:
    def states() -> tuple[Any, ...]:
        numpy = np.random.get_state()[1].tolist()  # noqa: NPY002  the very one
        return torch.get_rng_state().tolist(), random.getstate(), numpy

    torch.manual_seed(3)
    before = states()
    fit(Flow(steps=3, dropout=0.2))
    assert states() == before


def test_what_the_caller_drew_before_has_no_say() -> None:
    torch.manual_seed(1)
    first = fit(Flow(steps=5, dropout=0.2))
    torch.manual_seed(2)
    assert fit(Flow(steps=5, dropout=0.2)).losses == first.losses


def test_micro_batches_add_up_to_the_batch() -> None:
    """To rounding, where a loss draws nothing of its own and the data are at hand."""
    data = Data("points", Event("points", (2,)), Held(Batch(POINTS)), Batch(POINTS))
    whole, cut = (fit(Game(quiet=True, micro=micro), data).losses for micro in (0, 4))
    assert whole == pytest.approx(cut, rel=1e-5)
    assert whole[:2] != pytest.approx(fit(Game(micro=4), data).losses[:2], rel=1e-5)


def test_infinite_loss_ends_it_and_the_step_is_said() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Bursts(Flow):
        def loss(self, model: Any, batch: Batch, generator: torch.Generator) -> torch.Tensor:
            return super().loss(model, batch, generator) + float("nan")

    with pytest.raises(Diverged, match="the loss is nan at step 0 of 20"):
        fit(Bursts())


def test_settings_of_a_recipe_read_back() -> None:
    changed: Recipe = Flow().changed({"steps": "7", "rate": 1e-2})
    assert changed == Flow().changed(changed.settings())
    assert (changed.steps, changed.rate) == (7, 1e-2)
