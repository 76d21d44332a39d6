"""Turn a checked expression into a function of its letters.

    kl = function(gaussian_kl, backend="torch")
    kl(mu_1=m, sigma_1=s, mu_2=0.0, sigma_2=1.0)

A closed form takes numbers, or arrays that broadcast. Vectors lie along the last axis, matrices
along the last two. `beta[t]` reads entry t of the argument `beta`, from position 0 on; `beta` may
also be a Python function of t.

A density takes an array, its table: leading axes are a batch, then come its given variables and
last its events, each in the order declared, so that q(z | x) takes rows that sum to one. Every
value has weight one in a sum, and 0 log 0 = 0. A variable that is not summed over stays as an axis
of the result, ordered as in the tables, first table first; a variable that is also used by itself,
as in E(p(x), x**2), needs its values as a further argument.

Where nothing is summed, a density may also be a Python function of its events and given variables.
An arbitrary f takes a Python function: f(u) is `f`, f'(u) is `f_prime`, the conjugate is `f_star`,
the inverse `f_inverse`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from genmath.proof.functions.arrays import Arrays
from genmath.proof.functions.evaluate import Evaluation
from genmath.proof.functions.needs import Needs
from genmath.proof.functions.numbers import MpmathNumbers, Numbers
from genmath.proof.functions.numpy_arrays import NumpyArrays
from genmath.proof.functions.torch_arrays import TorchArrays
from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Derivation, Lemma, Part
from genmath.proof.language.text import text
from genmath.proof.language.tree import Node

BACKENDS: dict[str, type[Numbers]] = {
    "math": Numbers,
    "mpmath": MpmathNumbers,
    "numpy": NumpyArrays,
    "torch": TorchArrays,
}


def function(
    result: Derivation | Part | Lemma | Claim | Node,
    side: str = "rhs",
    *,
    backend: str = "numpy",
    free: Collection[str] = (),
) -> Compiled:
    """One side of what a result states, as a function of its free letters.

    `free` lists defined letters that become arguments instead of being computed.
    """
    return compile_tree(side_of(result, side), backend, free=free)


def side_of(result: Derivation | Part | Lemma | Claim | Node, side: str = "rhs") -> Node:
    """One side of what a result states; an expression is itself."""
    if side not in ("lhs", "rhs"):
        raise ValueError(f"side={side!r}: expected 'lhs' or 'rhs'")
    if isinstance(result, Node):
        return result
    if isinstance(result, Derivation):
        claim = result.conclusion
    elif isinstance(result, (Part, Lemma)):
        claim = result.claim
    else:
        claim = result
    return claim.lhs if side == "lhs" else claim.rhs


def compile_tree(node: Node, backend: str = "numpy", *, free: Collection[str] = ()) -> Compiled:
    """The expression as a function of its free letters, by keyword.

    `backend` is "math" (floats), "mpmath", "numpy" or "torch", imported only when it is asked for.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend={backend!r}: expected one of {', '.join(BACKENDS)}")
    return Compiled(node, backend, tuple(free))


class Compiled:
    """A function of keyword arguments; `arguments` lists the ones that it always needs."""

    def __init__(self, node: Node, backend: str, free: tuple[str, ...]) -> None:
        self.tree, self.backend, self.free = node, backend, free
        self._needs = Needs(node, free)
        self.arguments = tuple(self._needs.required)
        self.optional = tuple(n for n in self._needs.axes if n not in self._needs.required)
        self._ops = BACKENDS[backend]()
        if not isinstance(self._ops, Arrays):
            self._needs.refuse_arrays(backend)

    def __call__(self, **values: Any) -> Any:
        for name in values:
            if name not in self._needs.required and name not in self._needs.axes:
                raise ValueError(f"unknown argument {name!r}: expected {self._expected()}")
        for name in self.arguments:
            if name not in values:
                raise ValueError(f"missing argument {name!r}: expected {self._expected()}")
        with self._ops.quiet():
            return Evaluation(self._needs, self._ops, values).result(self.tree)

    def _expected(self) -> str:
        return ", ".join(self.arguments) or "no argument"

    def __repr__(self) -> str:
        return f"<{self.backend} function of ({', '.join(self.arguments)}): {text(self.tree)}>"
