"""Which samples make which batch."""

from __future__ import annotations

from itertools import chain, islice

from hypothesis import given
from hypothesis import strategies as st

from genmath.train.order import Order, seed_of


def steps(order: Order, number: int) -> list[list[int]]:
    """What one process sees, a list a step."""
    parts = order.batch // order.micro // order.processes
    seen = list(islice(order, number * parts))
    return [list(chain(*seen[i : i + parts])) for i in range(0, len(seen), parts)]


@given(st.integers(1, 30), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3))
def test_each_epoch_goes_through_all_samples_once_in_an_order_of_its_own(
    size: int, micro: int, parts: int, seed: int
) -> None:
    batch = micro * parts
    order = Order(size, batch, micro, seed)
    seen = list(chain(*steps(order, 3 * size)))
    epochs = [seen[i : i + size] for i in range(0, len(seen), size)]
    assert all(sorted(epoch) == list(range(size)) for epoch in epochs)
    assert size < 6 or len(set(map(tuple, epochs))) > 1


@given(st.integers(0, 30), st.integers(1, 3), st.sampled_from([1, 2, 3, 6]), st.integers(0, 9))
def test_neither_processes_nor_a_resumption_change_it(
    size: int, micro: int, processes: int, start: int
) -> None:
    batch = 6 * micro
    alone = list(islice(Order(size, batch, micro, 0), 6 * 16))
    for process in range(processes):
        own = Order(size, batch, micro, 0, start, process, processes)
        expected = alone[6 * start + process :: processes]
        assert list(islice(own, 6)) == expected[:6]


def test_data_without_an_end_are_numbered() -> None:
    assert steps(Order(0, 4, 2, 0, 1), 2) == [[4, 5, 6, 7], [8, 9, 10, 11]]


def test_another_seed_is_another_order() -> None:
    assert len({tuple(steps(Order(20, 20, 20, seed), 1)[0]) for seed in range(5)}) == 5


def test_seeds_are_those_of_the_words_and_of_nothing_else() -> None:
    assert seed_of(0, "step", 1, 2) == seed_of(0, "step", 1, 2)
    words = [
        (0, "step", 1, 2),
        (0, "step", 12),
        (1, "step", 1, 2),
        (0, "order", 1, 2),
        ("0",),
        (0,),
    ]
    assert len({seed_of(*said) for said in words}) == len(words)
    assert all(0 <= seed_of(number) < 2**63 for number in range(100))


def test_seeds_are_the_same_tomorrow() -> None:
    """Else a run that was begun today would go on with other noise."""
    assert seed_of(0, "step", 1, 2) == 3794881212667695106
