"""Measures of samples: what they see, and what they stand beside."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genmath import shapes
from genmath.train import Data, load
from genmath.train.measures import (
    as_captioned,
    costs,
    count,
    counted,
    distance,
    figures,
    floor,
    measure,
)

DIGITS, MOONS, SHAPES = load("digits"), load("moons"), load("shapes")


def test_digits_to_train_on_and_held_out_are_as_far_apart_as_the_peers_say() -> None:
    """1.9: so other figures on digits can be read beside theirs."""
    assert floor(DIGITS) == pytest.approx(1.9, abs=0.05)


def test_noise_and_a_single_digit_are_far_from_digits() -> None:
    of = measure(DIGITS)
    noise = torch.rand(400, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    same = DIGITS.train.__getitems__(range(DIGITS.size))  # type: ignore[attr-defined]
    assert of(noise)[0] == "Fréchet"
    assert of(noise)[1] > 50 * 1.9
    assert of(same.x[same.y == 3])[1] > 20 * 1.9


def test_points_are_measured_exactly() -> None:
    moved = MOONS.test.x + torch.tensor([0.3, 0.4])
    assert distance(MOONS.test.x, MOONS) == ("W2", pytest.approx(0, abs=1e-6))
    assert distance(moved, MOONS) == ("W2", pytest.approx(0.5, rel=1e-5))
    assert 0.02 < floor(MOONS) < 0.2


def test_shapes_are_read() -> None:
    x = SHAPES.test.x[:20].clone()
    x[:5] = torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert distance(x, SHAPES) == ("shapes read", 0.75)
    assert floor(SHAPES) == 1.0


def test_pictures_and_captions_that_were_exchanged_do_not_agree() -> None:
    generator = torch.Generator().manual_seed(0)
    scenes = shapes.scenes()[:8]
    x, tokens = (
        shapes.draw(scenes, generator=generator),
        shapes.tokenise([shapes.caption(scene) for scene in scenes]),
    )
    assert as_captioned(x, tokens) == 1
    assert as_captioned(x, torch.cat([tokens[:6], tokens[[7, 6]]])) == 0.75
    with pytest.raises(ValueError, match="tokens: got"):
        as_captioned(x, tokens[:3])


def test_pictures_without_classes_are_compared_by_their_pixels() -> None:
    plain = Data("plain", DIGITS.event.__class__("pictures", (1, 8, 8)), DIGITS.train, DIGITS.test)
    assert distance(DIGITS.test.x + 0.5, plain) == ("Fréchet", pytest.approx(64 * 0.25, rel=1e-3))


def test_figures_draw_as_many_as_are_measured_a_part_at_a_time() -> None:
    drawn: list[int] = []

    def draw(n: int) -> torch.Tensor:
        drawn.append(n)
        return torch.zeros(n, 2)

    found = figures(draw, MOONS)
    assert sum(drawn) == count(MOONS) == 2000
    assert max(drawn) <= 500
    assert list(found) == ["W2", "W2 of training data"]
    assert found["W2"] == pytest.approx(float(MOONS.test.x.double().square().sum(1).mean() ** 0.5))


def test_a_call_of_the_network_counts_once_with_all_its_parts() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), nn.Linear(2, 2)))
    with counted(net) as calls:
        net(torch.zeros(3, 2))
        net[0](torch.zeros(3, 2))
        with pytest.raises(RuntimeError):
            net(torch.zeros(3, 5))
        net(torch.zeros(3, 2))
    net(torch.zeros(3, 2))
    assert calls == [4]


def test_costs_of_each_number_of_steps() -> None:
    net = nn.Linear(2, 2)

    def draw(steps: int) -> torch.Tensor:
        x = torch.zeros(4, 2)
        for _ in range(steps):
            x = net(x)
        return x

    found = costs(draw, net, [1, 3], lambda x: ("size", float(len(x))))
    assert [(cost.steps, cost.calls, cost.value) for cost in found] == [(1, 1, 4), (3, 3, 4)]
