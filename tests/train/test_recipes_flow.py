"""Recipes that carry noise to data: tiny trainings, and what their options do."""

from __future__ import annotations

import inspect
import math
import warnings
from typing import Any

import pytest
import torch

from genmath.samplers import Amplified
from genmath.train import Fitted, Recipe, Run, fit, load, recipe
from genmath.train.measures import reader
from genmath.train.recipe import halves
from genmath.train.samplers import SAMPLERS, sampler_of

TINY = {"steps": 30, "batch": 16, "width": 4, "rate": 0.01, "average": 0.0}
NAMES = (
    "consistency", "ddpm", "flow-matching", "guidance", "mean-flow", "rectified-flow", "score",
)  # fmt: skip
STAGES = ("consistency", "rectified-flow")


@pytest.fixture(scope="module")
def fitted() -> dict[str, Fitted]:
    more: dict[str, dict[str, float]] = {
        "rectified-flow": {"pairs": 32},
        "mean-flow": {"rate": 0.003, "batch": 64, "equal": 0.9},  # its target moves
    }
    return {name: fit(recipe(name).changed({**TINY, **more.get(name, {})})) for name in NAMES}


def drawn(trained: Fitted, n: int = 6, seed: int = 0, **how: Any) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    make: Any = trained.recipe.sample
    x: torch.Tensor = make(trained.model, trained.data.event, n, generator, **how)
    return x


@pytest.mark.parametrize("name", NAMES)
def test_losses_fall_and_samples_are_shaped_like_the_data(
    name: str, fitted: dict[str, Fitted]
) -> None:
    losses = fitted[name].losses[: 15 if name in STAGES else 30]
    assert sum(losses[-5:]) < 0.95 * sum(losses[:5])
    with warnings.catch_warnings():
        warnings.simplefilter("error", Amplified)
        x = drawn(fitted[name])
    assert x.shape == (6, 1, 8, 8)
    assert bool(x.isfinite().all())
    assert not x.requires_grad
    assert torch.equal(x, drawn(fitted[name]))
    assert not torch.equal(x, drawn(fitted[name], seed=1))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "guidance"])
def test_the_same_file_learns_a_set_in_the_plane(name: str) -> None:
    trained = fit(recipe(name).changed({**TINY, "steps": 4}), "eight_gaussians")
    assert drawn(trained).shape == (6, 2)


def test_the_second_stage_begins_where_the_first_has_led(fitted: dict[str, Fitted]) -> None:
    assert [halves(step, 5) for step in range(5)] == [(0, 3)] * 3 + [(3, 2)] * 2
    assert halves(0, 1) == (0, 1)
    for name, teacher, student, more in (
        ("rectified-flow", "first", "second", {"pairs": 8}),
        ("consistency", "teacher", "student.model", {}),
    ):
        made = recipe(name).changed({**TINY, "steps": 4, "rate": 1e-12, **more})
        model = made.build(load("digits").event, torch.Generator().manual_seed(0))
        old, new = (model.get_submodule(part).state_dict() for part in (teacher, student))
        assert any(not torch.equal(old[key], new[key]) for key in old)
        model = fit(made).model
        old, new = (model.get_submodule(part).state_dict() for part in (teacher, student))
        for key in old:
            assert torch.allclose(old[key], new[key], atol=1e-9)


def test_rate_and_average_begin_anew_with_a_stage(tmp_path: Any) -> None:
    made = recipe("rectified-flow").changed({**TINY, "steps": 40, "pairs": 16, "average": 0.999})
    run = Run(tmp_path / "run")
    fit(made, "moons", run=run)
    rows = [row.split(",") for row in (run.folder / "loss.csv").read_text().splitlines()[1:]]
    rates = [float(rate) for *_, rate in rows]
    assert [row[1] for row in rows] == ["first"] * 20 + ["second"] * 20
    assert rates[:20] == rates[20:]
    assert rates[19] < 0.01 * max(rates)


def test_a_run_that_is_taken_up_makes_the_same_pairs_again(tmp_path: Any) -> None:
    made = recipe("rectified-flow").changed({**TINY, "steps": 24, "pairs": 16})

    class Enough(Exception):
        pass

    def stop(run: Run, fitted: Fitted) -> None:
        if run.last() is not None and run.last().name == "00000020":  # type: ignore[union-attr]
            raise Enough

    run = Run(tmp_path / "run")
    with pytest.raises(Enough):
        fit(made, "moons", run=run, save_every=20, saved=stop)
    resumed, whole = fit(made, "moons", run=run, resume=True, save_every=20), fit(made, "moons")
    for one, other in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_reflow_learns_the_pairs_of_the_first_flow(fitted: dict[str, Fitted]) -> None:
    """Its loss is far below that of the first flow, whose lines cross."""
    losses = fitted["rectified-flow"].losses
    assert sum(losses[-5:]) < 0.5 * sum(losses[10:15])
    first, second = (drawn(fitted["rectified-flow"], flow=flow) for flow in (1, 2))
    assert not torch.equal(first, second)


def test_mean_flow_learns_at_its_own_rate_and_share_of_equal_times() -> None:
    """Its target holds the network's slope in t: of fast waves the loss grows instead."""
    losses = fit(recipe("mean-flow").changed({"steps": 60, "width": 4})).losses
    assert sum(losses[-10:]) < 0.85 * sum(losses[:10])


def test_samplers_have_names_and_eta_is_of_ddim_alone(fitted: dict[str, Fitted]) -> None:
    made = {
        name: drawn(fitted["flow-matching"], steps=5, sampler=name)
        for name in SAMPLERS if name not in ("ddim", "sde")
    }  # fmt: skip
    straight = drawn(fitted["flow-matching"], steps=5, sampler="ddim")
    assert torch.allclose(straight, made["euler"], atol=1e-5)
    for name, x in made.items():
        assert x.shape == (6, 1, 8, 8)
        assert all(torch.equal(x, y) == (name == other) for other, y in made.items())
    plain, noisy = (drawn(fitted["ddpm"], steps=5, eta=eta) for eta in (0.0, 1.0))
    assert not torch.equal(plain, noisy)
    with pytest.raises(ValueError, match=r"eta: got 0\.5, expected 0 with sampler"):
        sampler_of("heun", 0.5)
    for name in ("euler", "heun", "sde"):
        with pytest.raises(
            ValueError, match=f"got '{name}', expected one of dpm, unipc, ddim, anc"
        ):
            drawn(fitted["ddpm"], sampler=name)
    with pytest.raises(ValueError, match="sampler: got 'hue', expected one of euler, heun"):
        drawn(fitted["flow-matching"], sampler="hue")


def test_pairs_of_least_distance_are_what_flow_matching_trains_on() -> None:
    """In the plane their lines are shorter than random ones, so an untrained loss is lower."""
    losses = {
        pairing: fit(
            recipe("flow-matching").changed({**TINY, "steps": 3, "batch": 64, "pairing": pairing}),
            "eight_gaussians",
        ).losses[0]
        for pairing in ("ot", "random")
    }
    assert losses["ot"] < 0.6 * losses["random"]
    with pytest.raises(ValueError, match="pairing: got 'near', expected"):
        fit(recipe("flow-matching").changed({**TINY, "pairing": "near"}), "moons")


def test_ddpm_predicts_what_it_is_told_to() -> None:
    for prediction in ("x0", "eps"):
        trained = fit(recipe("ddpm").changed({**TINY, "steps": 4, "prediction": prediction}))
        assert bool(drawn(trained, steps=5).isfinite().all())
    schedule: Any = recipe("ddpm").changed({"levels": 1000})
    beta = schedule.schedule.beta
    assert (float(beta[1]), float(beta[-1])) == pytest.approx((1e-4, 0.02))


def test_langevin_shares_its_steps_among_the_levels(fitted: dict[str, Fitted]) -> None:
    trained, calls = fitted["score"], []
    watch = trained.model.register_forward_hook(lambda *_: calls.append(1))
    for steps in (60, 90, 1):
        drawn(trained, steps=steps)
    drawn(trained, steps=7, sampler="sde")
    watch.remove()
    assert len(calls) == 60 + 1 + 90 + 1 + 30 + 1 + 7


def test_guidance_asks_for_a_label_at_a_scale(fitted: dict[str, Fitted]) -> None:
    trained = fitted["guidance"]
    one, other, turns = (drawn(trained, label=label, steps=3) for label in (3, 4, None))
    assert not torch.equal(one, other)
    assert torch.equal(turns[3:4], drawn(trained, label=3, steps=3)[3:4])
    unguided = [drawn(trained, label=label, steps=3, scale=0.0) for label in (3, 4)]
    assert torch.equal(*unguided)
    with pytest.raises(ValueError, match="label: got 10, expected a number from 0 to 9"):
        drawn(trained, label=10)
    with pytest.raises(ValueError, match=r"data: got .*moons.*, expected pictures"):
        fit(recipe("guidance").changed(TINY), "moons")


def test_a_classifier_reads_held_out_digits_and_not_noise() -> None:
    data = load("digits")
    x, y = data.test
    assert y is not None
    read = reader(data)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    right, turned, lost = (
        float((read(pictures).argmax(1) == y).float().mean())
        for pictures in (x, x.transpose(2, 3), noise)
    )
    assert right > 0.93
    assert turned < 0.5
    assert lost < 0.25


@pytest.mark.parametrize("name", NAMES)
def test_figures_have_names_and_are_finite(name: str, fitted: dict[str, Fitted]) -> None:
    trained = fitted[name]
    few = trained.data.__class__(
        "few", trained.data.event, trained.data.train, type(trained.data.test)(
            trained.data.test.x[:70], trained.data.test.y[:70]  # type: ignore[index]
        ),
    )  # fmt: skip
    figures = trained.recipe.evaluate(trained.model, few, torch.Generator().manual_seed(0))
    assert figures
    assert all(math.isfinite(value) for value in figures.values())
    assert any("Fréchet" in key for key in figures)


def test_recipes_print_on_a_page() -> None:
    for name in NAMES:
        made: Recipe = recipe(name)
        text = inspect.getsource(inspect.getmodule(type(made)))  # type: ignore[arg-type]
        assert len(text.splitlines()) <= 100
        said = type(made).__doc__ or ""
        assert "Result: " in said
        assert "Source: " in said
