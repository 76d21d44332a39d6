"""A step that takes too long is ended wherever its time runs out."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from genmath.proof.check import StepTimeout, time_limit


def compute(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


@pytest.fixture
def while_freeing() -> Iterator[Callable[[], None]]:
    """Collects garbage, with a callback that computes for longer than the limit."""

    def callback(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            compute(0.2)

    gc.callbacks.append(callback)
    yield lambda: (gc.collect(), None)[1]
    gc.callbacks.remove(callback)


class Slow:
    def __del__(self) -> None:
        compute(0.2)


def in_del() -> None:
    Slow()


class Key:
    """What a weak dictionary forgets."""


class Busy:
    """Asked by a weak dictionary, before it forgets a key, whether it is being walked through."""

    def __bool__(self) -> bool:
        compute(0.2)
        return False


def in_a_weak_dictionary() -> None:
    key = Key()
    weak = weakref.WeakKeyDictionary({key: 1})
    vars(weak)["_iterating"] = Busy()
    del key


def test_a_limit_that_ends_where_objects_are_freed_ends_the_step_after_it(
    while_freeing: Callable[[], None],
) -> None:
    reached = []

    def step(run: Callable[[], None]) -> None:
        with time_limit(0.05):
            run()
            reached.append(run)
            compute(60)

    for run in (while_freeing, in_del, in_a_weak_dictionary):
        with pytest.raises(StepTimeout):
            step(run)
    assert reached == [while_freeing, in_del, in_a_weak_dictionary]


def test_it_ends_nothing_after_the_block() -> None:
    with time_limit(0.05):
        in_del()
    compute(0.2)
