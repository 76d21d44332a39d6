"""The loop: what it leaves alone, what decides its result, and what it refuses."""

from __future__ import annotations

import math
import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from genmath.train import Batch, Data, Diverged, Recipe, Turn, fit, recipe
from genmath.train.average import Average
from genmath.train.data import Event, Held
from genmath.train.loop import Progress
from genmath.train.recipe import halves
from tests.train.tiny import Flow, Game

POINTS = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
DATA = Data("points", Event("points", (2,)), Held(Batch(POINTS)), Batch(POINTS))


def weights(model: nn.Module) -> Tensor:
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


def test_dropout_drops_anew_at_each_step_and_in_each_micro_batch() -> None:
    seen = []

    class Watched(Flow):
        def loss(self, model: Any, batch: Batch, generator: torch.Generator) -> Tensor:
            seen.append(model.dropout(torch.ones(64)).tolist())
            return super().loss(model, batch, generator)

    fit(Watched(steps=3, micro=8, dropout=0.5))
    assert len(seen) == len(set(map(tuple, seen))) == 6


def test_micro_batches_add_up_to_the_batch() -> None:
    """To rounding, where a loss draws nothing of its own and the data are at hand."""
    whole, cut = (fit(Game(quiet=True, micro=micro), DATA).losses for micro in (0, 4))
    assert whole == pytest.approx(cut, rel=1e-5)
    assert whole[:2] != pytest.approx(fit(Game(micro=4), DATA).losses[:2], rel=1e-5)


def test_workers_prepare_the_same_batches() -> None:
    assert fit(Flow(steps=4), workers=1).losses == fit(Flow(steps=4)).losses


@pytest.mark.parametrize("kind", [Flow(), Game()], ids=["flow", "game"])
def test_in_half_precision_it_is_near_and_not_the_same(kind: Recipe) -> None:
    """And the weights stay in full precision, and Accelerate's state is the caller's again."""
    whole, half, again = (fit(kind, precision=p) for p in ("no", "bf16", "no"))
    assert half.losses == pytest.approx(whole.losses, rel=0.05)
    assert half.losses != whole.losses
    assert again.losses == whole.losses
    assert weights(half.model).dtype == torch.float32


@pytest.mark.parametrize("kind", [Flow(steps=4), Game(steps=4)], ids=["flow", "game"])
def test_compiled_it_is_the_same_to_rounding(kind: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled, backends = nn.Module.compile, []

    def compile_(self: nn.Module, backend: str) -> None:
        backends.append(backend)
        compiled(self, backend="eager")

    monkeypatch.setattr(nn.Module, "compile", compile_)
    losses = fit(kind, compiled="aot_eager").losses
    assert set(backends) == {"aot_eager"}
    assert losses == pytest.approx(fit(kind).losses, rel=1e-5)
    assert len(backends) == (2 if isinstance(kind, Game) else 1)
    fit(kind, compiled=True)
    assert backends[-1] == "inductor"


def test_what_is_told_while_it_trains() -> None:
    told: list[Progress] = []
    losses = fit(Game(steps=24), progress=told.append).losses
    assert [p.step for p in told] == [3, 6, 9, 10, 12, 15, 18, 20, 21, 24]
    assert [p.loss for p in told] == [losses[p.step - 1] for p in told]
    assert {p.trains for p in told[:2]} == {"spread", "mean"}
    assert all(p.steps == 24 for p in told)


def test_the_rate_rises_and_then_falls_to_nothing_in_each_stage() -> None:
    class Staged(Game):
        def stage(self, step: int) -> tuple[int, int]:
            return halves(step, self.steps)

    told: list[Progress] = []
    fit(Staged(steps=201), DATA, progress=told.append)
    rates = {p.step - 1: p.rate for p in told}

    def expected(step: int) -> float:
        start, length = (0, 101) if step < 101 else (101, 100)
        share = (step - start + 0.5) / length
        return 0.05 * min(1, share / 0.05) * math.cos(math.pi * share / 2) ** 2

    assert rates == pytest.approx({step: expected(step) for step in rates})
    assert rates[200] < 1e-3 * 0.05 < rates[104]


def test_only_the_player_whose_turn_it_is_moves() -> None:
    first, second = fit(Game(steps=1, average=0), DATA), fit(Game(steps=2, average=0), DATA)
    assert not torch.equal(weights(first.model["mean"]), weights(second.model["mean"]))
    # With other rates for the whole, the first step of the one leaves the other where it was.
    fast = fit(Game(steps=1, average=0, rate=1.0), DATA)
    assert torch.equal(weights(first.model["mean"]), weights(fast.model["mean"]))
    assert not torch.equal(weights(first.model["spread"]), weights(fast.model["spread"]))


def test_a_gradient_is_clipped_to_the_norm_of_the_player() -> None:
    """Adam forgets a factor, so one sees it in what a step of plain descent would be."""
    norms = []

    class Watched(Game):
        def after(self, model: Any, step: int) -> None:
            player = model["mean" if step % 2 else "spread"]
            norms.append(float(torch.cat([w.grad.flatten() for w in player.parameters()]).norm()))

    fit(Watched(steps=4, clip=0.01), DATA)
    assert norms == pytest.approx([0.01] * 4, rel=1e-3)
    norms.clear()
    fit(Watched(steps=4, clip=0.0), DATA)
    assert min(norms) > 0.02


# ---- the average ------------------------------------------------------------------------------


def test_the_average_is_what_its_formula_says() -> None:
    seen: list[Tensor] = []

    class Watched(Flow):
        def after(self, model: Any, step: int) -> None:
            seen.append(weights(model))

    fitted = fit(Watched(steps=30, average=0.7))
    expected = seen[0]
    for n, new in enumerate(seen[1:], start=1):
        keep = min(0.7, (1 + n) / (10 + n))
        expected = keep * expected + (1 - keep) * new
    torch.testing.assert_close(weights(fitted.model), expected)
    assert not fitted.model.training


def test_the_average_begins_anew_in_each_stage() -> None:
    seen: list[Tensor] = []

    class Staged(Flow):
        def stage(self, step: int) -> tuple[int, int]:
            return halves(step, self.steps)

        def after(self, model: Any, step: int) -> None:
            seen.append(weights(model))

    assert torch.equal(weights(fit(Staged(steps=2)).model), seen[1])


def test_buffers_are_followed_and_not_averaged() -> None:
    net = nn.BatchNorm1d(2)
    average = Average(net, 0.9)
    for _ in range(3):
        net(POINTS + 5)
        average.follow()
    for name, value in net.named_buffers():
        assert torch.equal(dict(average.settle(net).named_buffers())[name], value)


def test_without_an_average_the_last_weights_count_and_training_is_not_disturbed() -> None:
    """What is shown in between is a copy: dropout goes on."""
    last: list[Tensor] = []

    class Watched(Flow):
        def after(self, model: Any, step: int) -> None:
            assert model.training
            last[:] = [weights(model)]

    fitted = fit(Watched(average=0, dropout=0.2))
    assert torch.equal(weights(fitted.model), last[0])
    assert not fitted.model.training


# ---- what is refused --------------------------------------------------------------------------


def test_infinite_loss_ends_it_and_the_step_is_said() -> None:
    for step in (0, 13, 19):
        with pytest.raises(Diverged, match=f"^the loss is nan at step {step} of 20$"):
            fit(Flow(bursts=step))


def test_it_also_runs_where_no_signals_arrive() -> None:
    losses: list[float] = []
    thread = threading.Thread(target=lambda: losses.extend(fit(Flow(steps=2)).losses))
    thread.start()
    thread.join()
    assert losses == fit(Flow(steps=2)).losses


@dataclass(frozen=True, kw_only=True)
class Faulty(Game):
    kind: str = ""

    def turn(self, step: int) -> Turn:
        losses: dict[str, Callable[..., Any]] = {
            "float": lambda *_: 1.0,
            "vector": lambda model, batch, _: self.distance(model, batch.x),
            "nothing": self.loss,
        }
        return Turn(losses.get(self.kind, self.nearer), {"part": "critic"}.get(self.kind, "mean"))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("float", "loss: got 1.0, expected one number, the mean over the batch"),
        ("vector", "loss: got a torch.float32 tensor of shape (16,) on cpu, expected one number"),
        ("nothing", "recipe: got Faulty, expected one with a loss, or with turns that have"),
        (
            "part",
            "trains: got 'critic', expected a part of the model that has weights: "
            '"" (the model itself), mean, spread',
        ),
    ],
)
def test_a_recipe_that_cannot_train_says_why(kind: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        fit(Faulty(kind=kind))


@pytest.mark.parametrize(
    ("takes", "needs", "said"),
    [
        (("pictures", "clips"), "", "data: got moons (points), expected pictures or clips, which"),
        (("points",), "labels", "data: got moons (points), expected data with labels, which Flow"),
        (("points",), "text", "data: got moons (points), expected data with text, which Flow ne"),
    ],
)
def test_data_that_a_recipe_cannot_take_are_refused(
    takes: tuple[str, ...], needs: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Flow, "takes", takes)
    monkeypatch.setattr(Flow, "needs", needs)
    with pytest.raises(ValueError, match=re.escape(said)):
        fit(Flow())


def test_other_precisions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"precision: got 'half', expected \"no\", \"bf16\" or"):
        fit(Flow(), precision="half")
    if not torch.cuda.is_available():  # where Accelerate would train in full precision instead
        with pytest.raises(
            ValueError, match=r"precision: got 'fp16', expected \"no\" or \"bf16\" on"
        ):
            fit(Flow(), precision="fp16")


def test_settings_of_a_recipe_read_back() -> None:
    changed: Recipe = Flow().changed({"steps": "7", "rate": 1e-2, "betas": "0,0.9"})
    assert changed == Flow().changed(changed.settings())
    assert (changed.steps, changed.rate, changed.betas) == (7, 1e-2, (0, 0.9))
    assert Flow(rate=1).changed({"rate": "0.5"}).rate == 0.5  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("steps", 0, "at least 1"),
        ("batch", 0, "at least 1"),
        ("micro", 5, "0, or a number that divides the batch of 16"),
        ("micro", -8, "0, or a number that divides the batch of 16"),
        ("rate", 0.0, "a positive number"),
        ("betas", (0.9, 1.0), "two numbers in [0, 1)"),
        ("betas", (-0.1, 0.9), "two numbers in [0, 1)"),
        ("clip", -1.0, "0 or a positive number"),
        ("average", 1.0, "a number in [0, 1)"),
        ("average", -0.1, "a number in [0, 1)"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(name: str, value: Any, expected: str) -> None:
    said = re.escape(f"{name}: got {value}, expected {expected}")
    with pytest.raises(ValueError, match=said):
        Flow(**{name: value})
    with pytest.raises(ValueError, match=said):
        Flow().changed({name: value})
    with pytest.raises(ValueError, match="settings: got 'width2', expected one of steps, batch,"):
        Flow().changed({"width2": 3})


def test_a_model_in_shards_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from accelerate import Accelerator
    from accelerate.utils import DistributedType

    monkeypatch.setattr(Accelerator, "distributed_type", DistributedType.FSDP)
    with pytest.raises(ValueError, match="launch: got FSDP, expected processes that each hold the"):
        fit(Flow())
