"""The functions of vectors and matrices, and how LaTeX sets them.

They are no rows of `elementary`: each has a rule of shapes of its own in every room.
"""

from __future__ import annotations

from dataclasses import dataclass

from genmath.proof.language.elementary import Command, Enclosing


@dataclass(frozen=True)
class Raised:
    r"""`A^\top`: a mark that stands as a power does."""

    mark: str


@dataclass(frozen=True)
class MatrixFunction:
    latex: Command | Enclosing | Raised
    arguments: int = 1


MATRICES = {
    "norm2": MatrixFunction(Enclosing(r"\left\|", r"\right\|^2")),
    "dot": MatrixFunction(Enclosing(r"\left\langle ", r"\right\rangle", closed=True), arguments=2),
    "det": MatrixFunction(Command(r"\det", bare=True)),
    "trace": MatrixFunction(Command(r"\operatorname{tr}")),
    "inverse": MatrixFunction(Raised("{-1}")),
    "transpose": MatrixFunction(Raised(r"\top")),
}
