"""Drawing from logits: what is kept, what is drawn, and how often."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genmath._base.logits import draw, truncate

LOGITS = torch.tensor([1.0, 3.0, -1.0, 2.0, 1.0], dtype=torch.float64)
some_logits = st.lists(st.floats(-6, 6), min_size=1, max_size=8).map(
    lambda values: torch.tensor(values, dtype=torch.float64)
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def kept(logits: torch.Tensor) -> list[int]:
    return logits.isfinite().nonzero().flatten().tolist()


@given(some_logits, st.floats(0.05, 20))
def test_a_temperature_divides_the_logits(logits: torch.Tensor, temperature: float) -> None:
    p = truncate(logits, temperature).softmax(-1)
    torch.testing.assert_close(p, (logits / temperature).softmax(-1))


@given(some_logits, st.integers(1, 9))
def test_top_k_keeps_the_k_most_probable(logits: torch.Tensor, k: int) -> None:
    out = truncate(logits, top_k=k)
    inside = out.isfinite()
    assert inside.sum() == min(k, len(logits))
    if k < len(logits):
        assert logits[inside].min() >= logits[~inside].max()
    # What is kept keeps its proportions.
    torch.testing.assert_close(out[inside], logits[inside] - logits.max())


@given(some_logits, st.floats(0.01, 1))
def test_the_nucleus_is_the_smallest_set_of_that_mass(logits: torch.Tensor, mass: float) -> None:
    inside = truncate(logits, top_p=mass).isfinite()
    p = logits.softmax(-1)
    assert p[inside].sum() >= mass - 1e-12
    # Without its least probable member it falls short.
    assert inside.sum() == 1 or p[inside].sum() - p[inside].min() < mass + 1e-12


def test_a_mass_of_one_is_all_whatever_rounding_adds_up_to() -> None:
    logits = torch.linspace(0, -30, 100_000)
    assert truncate(logits, top_k=99_999, top_p=1.0).isfinite().sum() == 99_999


def test_the_nucleus_is_that_of_the_tempered_law_and_within_top_k() -> None:
    assert kept(truncate(LOGITS, top_p=0.8)) == [1, 3]
    assert kept(truncate(LOGITS, 4.0, top_p=0.8)) == [0, 1, 3, 4]
    assert kept(truncate(LOGITS, top_k=2, top_p=0.7)) == [1]  # 0.73 of these two, 0.59 of all


def test_equal_logits_are_kept_in_their_order_and_rows_are_apart() -> None:
    assert kept(truncate(torch.zeros(4), top_k=2)) == [0, 1]
    assert kept(truncate(torch.zeros(1000), top_k=5)) == [0, 1, 2, 3, 4]  # a sort may mix so many
    assert kept(truncate(torch.zeros(4), top_p=0.5)) == [0, 1]  # half of the mass, to the digit
    rows = torch.stack([LOGITS, -LOGITS])
    both = truncate(rows, 0.7, 3, 0.9)
    torch.testing.assert_close(both[1], truncate(-LOGITS, 0.7, 3, 0.9))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_a_temperature_near_zero_leaves_the_most_probable(dtype: torch.dtype) -> None:
    out = truncate(LOGITS.to(dtype), 1e-300)
    assert out.dtype == dtype
    assert out.softmax(-1).tolist() == [0, 1, 0, 0, 0]


def test_what_has_no_probability_is_never_kept_beside_what_has() -> None:
    logits = torch.tensor([-math.inf, 0.0, -math.inf, 1.0])
    assert kept(truncate(logits, 2.0, 3, 0.99)) == [1, 3]
    assert set(draw(logits.expand(1000, 4), rng()).tolist()) == {1, 3}


def test_draws_have_the_probabilities() -> None:
    n, p = 200_000, LOGITS.softmax(-1)
    counts = torch.bincount(draw(LOGITS.expand(n, 5), rng()), minlength=5)
    assert ((counts - n * p) / (n * p * (1 - p)).sqrt()).abs().max() < 4


def test_draws_have_the_shape_of_the_batch_and_generators_of_their_own() -> None:
    assert draw(LOGITS, rng()).shape == ()
    alone = draw(LOGITS.expand(1, 7, 5), rng(3))
    many = draw(LOGITS.expand(4, 7, 5), [rng(i) for i in range(1, 5)])
    assert torch.equal(alone[0], many[2])
    assert not torch.equal(many[0], many[1])


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": 2.5}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.01}, "top_p"),
        ({"logits": torch.zeros(())}, "logits"),
        ({"logits": torch.zeros(3, 0)}, "logits"),
        ({"logits": torch.zeros(3, dtype=torch.int64)}, "logits"),
    ],
)
def test_what_is_no_law_is_refused(arguments: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: got "):
        truncate(**{"logits": LOGITS, **arguments})
    with pytest.raises(ValueError, match=r"^generator: got "):
        draw(LOGITS, None)
