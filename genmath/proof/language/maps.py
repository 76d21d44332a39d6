"""Arbitrary invertible maps of vectors: `T = Map("T")`, T(x), T.jacobian(x), T.inverse(z)."""

from __future__ import annotations

from genmath.proof.language.shapes import shape
from genmath.proof.language.tree import (
    Fixed,
    Mapped,
    Node,
    NotationError,
    Operand,
    as_node,
    check_head,
    check_name,
)
from genmath.proof.language.written import writes


class Map(Fixed):
    """A smooth map of R^d onto itself that has a smooth inverse, so that its Jacobian's determinant
    is nowhere 0.

    T(x) is a vector, T.jacobian(x) the matrix of its partial derivatives, T.inverse(z) the inverse.
    """

    name: str
    turned: bool

    def __init__(self, name: str, _turned: bool = False) -> None:
        check_name(name)
        check_head(name)
        vars(self).update(name=name, turned=_turned)

    def __call__(self, point: Operand) -> Mapped:
        return self._at(point, 0)

    def jacobian(self, point: Operand) -> Mapped:
        """The matrix of partial derivatives: its determinant is `det(T.jacobian(x))`."""
        return self._at(point, 1)

    def _at(self, point: Operand, order: int) -> Mapped:
        rows, columns = shape(as_node(point))
        if columns != "1" or rows == "1":
            raise NotationError(
                f"{self.name}({point!r}): a map of vectors; of numbers, it is "
                f"Function({self.name!r}, invertible=True)"
            )
        return Mapped(self.name, self.turned, order, point)

    @property
    def inverse(self) -> Map:
        return Map(self.name, not self.turned)


@writes(Mapped, lambda n: (*n.data, n.point))
def _mapped(name: str, inverse: bool, order: int, point: Node) -> Mapped:
    if not isinstance(inverse, bool) or order not in (0, 1):
        raise NotationError(f"{name!r} is no map")
    made = Map(name, inverse)
    return made.jacobian(point) if order else made(point)


__all__ = ["Map"]
