"""Recipes that are told a caption: tiny trainings, what is told, and what is measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from genmath.train import Batch, Fitted, fit, load, recipe
from genmath.train.recipes.text_to_image import told

TINY = {"steps": 24, "batch": 8, "width": 16, "layers": 2, "average": 0.0}
NAMES = ("latent-diffusion", "text-to-image", "text-to-video")
CODED = NAMES[::2]
CODES = {**TINY, "first": 1 / 3}
RED, BLUE = "a small red circle", "a large blue square"


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def fitted() -> dict[str, Fitted]:
    return {name: fit(recipe(name).changed(CODES if name in CODED else TINY)) for name in NAMES}


def drawn(trained: Fitted, n: int = 2, **how: Any) -> torch.Tensor:
    make: Any = trained.recipe.sample
    x: torch.Tensor = make(trained.model, trained.data.event, n, rng(), **{"steps": 2, **how})
    return x


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_of_a_batch_is_less_than_at_first(name: str, fitted: dict[str, Fitted]) -> None:
    trained = fitted[name]
    made: Any = trained.recipe
    first = made.build(trained.data.event, rng())
    if name in CODED:  # the first stage alone: codes change with it
        losses = [made.rebuild(m, trained.data.test, rng()) for m in (first, trained.model)]
        assert losses[1] < 0.98 * losses[0]
        losses = trained.losses[8:]
        assert sum(losses[-4:]) < 0.9 * sum(losses[:4])
        return
    losses = [made.loss(m, trained.data.test, rng()) for m in (first, trained.model)]
    assert losses[1] < 0.9 * losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_caption_is_told_and_guidance_is_by_none(name: str, fitted: dict[str, Fitted]) -> None:
    trained = fitted[name]
    x = drawn(trained, text=RED, scale=1.0)
    assert x.shape == (2, *trained.data.event.shape)
    assert not x.requires_grad
    assert not torch.equal(x, drawn(trained, text=BLUE, scale=1.0))
    assert torch.equal(drawn(trained, text=RED, scale=0.0), drawn(trained, text=BLUE, scale=0.0))
    with pytest.raises(ValueError, match=r"^texts: got .*crimson"):
        drawn(trained, text="a crimson circle")


def test_without_a_text_captions_are_spread_over_the_world() -> None:
    for name, kind in (("shapes", "top"), ("clips", "moving")):
        event = load(name).event
        rows = {tuple(row) for row in told(event, 6, "").tolist()}
        assert len(rows) == 6
        assert any(event.words.index(kind) in row for row in rows)
        assert len({tuple(row) for row in told(event, 3, RED).tolist()}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_held_out_captions_are_drawn_and_read(
    name: str, fitted: dict[str, Fitted], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, data = fitted[name].recipe, fitted[name].data
    few = replace(data, test=Batch(data.test.x[:4], data.test.y[:4]))
    figures = made.evaluate(fitted[name].model, few, rng())
    assert {figures[key] for key in figures if "as captioned" in key} == {0.0}
    monkeypatch.setattr(type(made), "draw", lambda *_: few.test.x)
    figures = made.evaluate(fitted[name].model, few, rng())
    assert {figures[key] for key in figures if "as captioned" in key} == {1.0}


@pytest.mark.parametrize("name", ["text-to-image", "text-to-video"])
def test_data_without_captions_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^data: got .* expected data with captions"):
        recipe(name).build(load("digits").event, rng())


def test_clips_are_attended_to_by_frame_and_by_time(fitted: dict[str, Fitted]) -> None:
    model: Any = fitted["text-to-video"].model
    assert model.model.model.factorised
    model = fitted["text-to-image"].model
    assert not model.model.factorised


def test_the_codes_of_clips_have_a_time(fitted: dict[str, Fitted]) -> None:
    trained = fitted["text-to-video"]
    model, x = trained.model, trained.data.test.x[:2]
    z: torch.Tensor = model.encode(x)  # type: ignore[operator]
    assert z.shape == (2, 16, 2, 4, 4)
    late = x.clone()
    late[:, :, -1] = -1.0
    apart: torch.Tensor = (z - model.encode(late)).abs().amax((0, 1, 3, 4))  # type: ignore[operator]
    assert apart[0] == 0
    assert apart[1] > 0


@pytest.mark.parametrize("name", CODED)
def test_a_factor_that_does_not_fit_is_refused(name: str) -> None:
    made = recipe(name)
    event = load(made.data).event
    for factor in ((4,), (64,) * (len(event.shape) - 1)):
        with pytest.raises(ValueError, match=r"^factor: got .* expected a divisor of each of"):
            made.changed({"factor": factor}).build(event, rng())


@pytest.mark.parametrize("first", [-0.1, 1.0, 2.0])
def test_a_share_that_leaves_the_flow_no_step_is_refused(first: float) -> None:
    with pytest.raises(ValueError, match=r"^first: got .* expected a number in \[0, 1\)"):
        recipe("latent-diffusion").changed({"first": first})


@pytest.mark.parametrize("name", CODED)
def test_an_autoencoder_and_its_judge_take_turns(name: str) -> None:
    made: Any = recipe(name).changed({**CODES, "adversarial": 0.5})
    turns = [made.turn(step).trains for step in range(24)]
    assert turns == ["autoencoder"] * 4 + ["judge", "autoencoder"] * 2 + ["model"] * 16
    data = load(made.data)
    batch, model = data.batch(2, 0), made.build(data.event, rng())
    assert model.judge[0](batch.x).shape[1:] == (1, *model.latent_shape[1:])
    made.tell_apart(model, batch, rng()).backward()
    assert all(weight.grad is None for weight in model.autoencoder.parameters())
    assert all(bool(weight.grad.any()) for weight in model.judge.parameters())
    model.zero_grad()
    made.deceive(model, batch, rng()).backward()
    assert all(weight.grad is None for weight in model.judge.parameters())
    assert not hasattr(recipe(name).build(data.event, rng()), "judge")


@pytest.mark.parametrize("name", CODED)
def test_a_judge_pulls_as_hard_as_it_is_asked_to(name: str) -> None:
    data = load(recipe(name).data)
    batch, slopes = data.batch(2, 0), []
    for asked in (0.5, 0.25):
        made: Any = recipe(name).changed({**CODES, "adversarial": asked})
        model = made.build(data.event, rng())
        for loss in (made.deceive, made.rebuild):
            model.zero_grad()
            loss(model, batch, rng()).backward()
            slopes.append(model.autoencoder.decoder.body[-1].weight.grad.clone())
    hard, plain, soft, again = slopes
    assert torch.equal(plain, again)
    pulled = float((hard - plain).norm() / plain.norm())
    assert 0.1 < pulled < 0.5001  # less where the weight is at its most
    assert torch.allclose(hard - plain, 2 * (soft - plain), atol=1e-3 * float(plain.norm()))


@pytest.mark.parametrize("name", CODED)
def test_codes_have_scale_one_and_their_loss_leaves_the_autoencoder_alone(
    name: str, fitted: dict[str, Fitted]
) -> None:
    trained = fitted[name]
    model: Any = trained.model
    turns = [trained.recipe.turn(step).trains for step in range(24)]
    assert turns == ["autoencoder"] * 8 + ["model"] * 16
    made: Any = trained.recipe
    model.zero_grad()
    made.loss(model, trained.data.batch(4, 0), rng()).backward()
    assert all(weight.grad is None for weight in model.autoencoder.parameters())
    assert any(weight.grad is not None for weight in model.model.parameters())
    z = model.encode(trained.data.batch(64, 5).x)
    assert z.shape == (64, *model.latent_shape)
    assert abs(float(z.std()) - 1) < 0.1


def test_codes_of_data_without_captions_are_drawn_as_they_are() -> None:
    trained = fit(
        recipe("latent-diffusion").changed({**CODES, "steps": 6, "factor": (2, 2)}), "digits"
    )
    assert drawn(trained).shape == (2, 1, 8, 8)
    assert torch.equal(drawn(trained, scale=1.0), drawn(trained, scale=3.0))
