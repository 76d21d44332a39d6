"""The arguments of one call: numbers, arrays and tables, each with the axes it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from genmath.proof.functions.needs import EXTRA, MATRIX, SCALAR, Needs
from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    Dens,
    Named,
    Node,
    Number,
    Symbol,
)


class Arguments:
    """The values of one call. Every variable of a table has its own axis, counted from the end, in
    every array, so that arithmetic is broadcasting and a sum is a sum over one axis."""

    def __init__(self, needs: Needs, ops: Any, values: Mapping[str, Any]) -> None:
        self.needs, self.ops = needs, ops
        self.given = values
        self.counts: dict[str, int] = {}
        self.sizes: dict[str, int] = {}
        self.axes: list[str] = []
        self.dimension: Any = None
        tables: list[Dens] = []
        for node in self._densities():
            name = node.density.name
            letters = [s for s in _by_slot(node) if isinstance(s, Symbol)]
            if not callable(values[name]):
                tables.append(node)
                self.axes += [s.name for s in letters if s.name not in self.axes]
                continue
            for summed in (s for s in letters if s.name in needs.bound):
                raise ValueError(f"argument {name!r}: a sum over {text(summed)} needs a table")
        self.values = {name: self._letter(name, kind) for name, kind in self._wanted()}
        self.tables = {
            d.density.name: self._refused(d.density.name, ops.letter, values[d.density.name])
            for d in tables
        }

    def _densities(self) -> Iterator[Dens]:
        """Those that are evaluated: what a free letter stands for is not."""
        waiting = [self.needs.tree]
        while waiting:
            node = waiting.pop(0)
            if isinstance(node, Dens):
                yield node
            if not (isinstance(node, Named) and node.name in self.needs.free):
                waiting = [*node.args, *waiting]

    def _wanted(self) -> Iterator[tuple[str, str]]:
        yield from self.needs.letters.items()
        for name, kind in self.needs.axes.items():
            if name not in self.needs.letters and name in self.given:
                yield name, kind

    def _refused(self, name: str, convert: Callable[[Any], Any], value: Any) -> Any:
        try:
            return convert(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"argument {name!r}: {error}") from error

    def _letter(self, name: str, kind: str) -> Any:
        convert = self.ops.count if name in self.needs.whole else self.ops.letter
        value = self._refused(name, convert, self.given[name])
        if not self.ops.is_array(value):
            if kind != SCALAR:
                raise ValueError(f"argument {name!r}: expected a {kind}, got a number")
            return value
        if name in self.axes:
            if value.ndim != 1:
                raise ValueError(f"argument {name!r}: expected the list of its values")
            self._size(name, name, value.shape[0])
            shape = [1] * len(self.axes)
            shape[self.axes.index(name)] = value.shape[0]
            return value.reshape(shape)
        own = EXTRA[kind]
        if value.ndim < own or (kind == MATRIX and value.shape[-1] != value.shape[-2]):
            raise ValueError(
                f"argument {name!r}: expected a {kind}, got shape {tuple(value.shape)}"
            )
        if own and self.dimension is None:
            self.dimension = value
        elif own and self.dimension.shape[-1] != value.shape[-1]:
            raise ValueError(
                f"argument {name!r}: {value.shape[-1]} components, another argument has"
                f" {self.dimension.shape[-1]}"
            )
        split = value.ndim - own
        return value.reshape((*value.shape[:split], *[1] * len(self.axes), *value.shape[split:]))

    def _size(self, argument: str, variable: str, size: int) -> None:
        if self.sizes.setdefault(variable, size) != size:
            raise ValueError(
                f"argument {argument!r}: {size} values of {variable}, another argument has"
                f" {self.sizes[variable]}"
            )

    # --- densities

    def table(self, node: Dens) -> Any:
        """A density, from its table."""
        density, name = node.density, node.density.name
        table = self.tables[name]
        slots = density.given_slots + density.event_slots
        if not self.ops.is_array(table) or table.ndim < len(slots):
            wanted = ", ".join(slots)
            raise ValueError(
                f"argument {name!r}: expected a table with an axis for each of {wanted}"
            )
        place = {slot: i - len(slots) for i, slot in enumerate(slots)}
        for slot in slots:
            if slot not in node.event_slots + node.given_slots:
                table = self.ops.total(table, place[slot])
        if set(node.given_slots) - set(density.given_slots):
            whole = table
            for slot in node.event_slots:
                whole = self.ops.total(whole, place[slot])
            table = table / self.ops.array.where(whole > 0, whole, 1.0)
        return self._place(node, table, place)

    def _place(self, node: Dens, table: Any, place: dict[str, int]) -> Any:
        """The table's axes where the variables have theirs."""
        name, batch = node.density.name, tuple(table.shape[: table.ndim - len(place)])
        shape, source = [1] * len(self.axes), {}
        for slot, argument in zip(node.event_slots + node.given_slots, node.args, strict=True):
            at = place[slot]
            size = table.shape[at]
            if isinstance(argument, Symbol):
                self._size(name, argument.name, size)
                position = self.axes.index(argument.name)
                shape[position], source[position] = size, table.ndim + at
            elif isinstance(argument, Number) and argument.value in range(size):
                entry = int(argument.value)
                table = table[(..., slice(entry, entry + 1), *[slice(None)] * (-at - 1))]
            else:
                raise ValueError(f"argument {name!r}: {text(node)} is not in the table")
        order = [source[position] for position in sorted(source)]
        order = [i for i in range(table.ndim) if i not in order] + order
        return self.ops.moved(table, order).reshape((*batch, *shape))


def _by_slot(node: Dens) -> list[Node]:
    """A density's arguments in the order of its table's axes."""
    at = dict(zip(node.event_slots + node.given_slots, node.args, strict=True))
    return [at[s] for s in node.density.given_slots + node.density.event_slots if s in at]
