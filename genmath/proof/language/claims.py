"""A claim: two expressions and the relation between them, the unit that is checked."""

from __future__ import annotations

from dataclasses import dataclass

from genmath.proof.language.tree import Node, NotationError, Operand, Relation, as_node

RELATIONS = ("=", ">=", "<=", ">", "<")
STRICT = (">", "<")


@dataclass(frozen=True)
class Claim:
    """`lhs relation rhs`, the unit that is checked. `dims` lists the d of vectors, if any occur."""

    lhs: Node
    relation: str
    rhs: Node
    given: tuple[Relation, ...] = ()
    dims: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        if self.relation not in RELATIONS:
            raise NotationError(
                f"relation={self.relation!r}: expected one of {', '.join(RELATIONS)}"
            )
        whole = isinstance(self.dims, tuple) and all(type(d) is int for d in self.dims)
        if not whole or not self.dims:
            raise NotationError(f"dims={self.dims!r}: expected whole numbers such as (1, 2, 3)")

    def __bool__(self) -> bool:
        raise NotationError("a claim is a statement to check, not a Python truth value")


def equal(lhs: Operand, rhs: Operand) -> Claim:
    """The claim that two expressions are equal (`==` on trees asks if they are typed alike)."""
    return Claim(as_node(lhs), "=", as_node(rhs))


def as_claim(statement: Claim | Relation) -> Claim:
    if isinstance(statement, Claim):
        return statement
    if isinstance(statement, Relation) and statement.sign in RELATIONS:
        return Claim(statement.left, statement.sign, statement.right)
    raise NotationError(f"{statement!r}: expected equal(a, b), or a comparison such as a >= b")
