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
An arbitrary f takes a Python function: f(u) is `f`, f'(u) is `f_prime`, the conjugate is `f_star`.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import nullcontext
from fractions import Fraction
from types import ModuleType
from typing import Any

from genmath.proof.language.claims import Claim
from genmath.proof.language.derivation import Derivation, Lemma, Part
from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Expect,
    Fn,
    Identity,
    Indexed,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    Number,
    Pi,
    Pow,
    Symbol,
    free_symbols,
)

BACKENDS = ("math", "mpmath", "numpy", "torch")
SCALAR, VECTOR, ROW, MATRIX = "scalar", "vector", "row vector", "matrix"
EXTRA = {SCALAR: 0, VECTOR: 1, ROW: 1, MATRIX: 2}  # axes a value has besides the broadcast ones


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
    if side not in ("lhs", "rhs"):
        raise ValueError(f"side={side!r}: expected 'lhs' or 'rhs'")
    if isinstance(result, Node):
        return compile_tree(result, backend, free=free)
    if isinstance(result, Derivation):
        claim = result.conclusion
    elif isinstance(result, (Part, Lemma)):
        claim = result.claim
    else:
        claim = result
    return compile_tree(claim.lhs if side == "lhs" else claim.rhs, backend, free=free)


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
        self._needs = _Needs(node, free)
        self.arguments = tuple(self._needs.required)
        self.optional = tuple(n for n in self._needs.axes if n not in self._needs.required)
        self._ops: _Ops = _Ops(backend) if backend in ("math", "mpmath") else _ArrayOps(backend)
        if not isinstance(self._ops, _ArrayOps):
            self._needs.refuse_arrays(backend)

    def __call__(self, **values: Any) -> Any:
        for name in values:
            if name not in self._needs.required and name not in self._needs.axes:
                raise ValueError(f"unknown argument {name!r}: expected {self._expected()}")
        for name in self.arguments:
            if name not in values:
                raise ValueError(f"missing argument {name!r}: expected {self._expected()}")
        with self._ops.quiet():
            return _Call(self._needs, self._ops, values).result(self.tree)

    def _expected(self) -> str:
        return ", ".join(self.arguments) or "no argument"

    def __repr__(self) -> str:
        return f"<{self.backend} function of ({', '.join(self.arguments)}): {text(self.tree)}>"


# --- what an expression needs --------------------------------------------------------------------


class _Needs:
    """The arguments of an expression: name to what it is, and each node's kind of value."""

    def __init__(self, node: Node, free: tuple[str, ...]) -> None:
        self.tree, self.free = node, free
        self.required: dict[str, str] = {}
        self.letters: dict[str, str] = {}
        self.whole: set[str] = set()
        self.bound: set[str] = set()
        self.axes: dict[str, str] = {}
        self._declared: dict[str, Any] = {}
        self._visit(node, frozenset())
        unused = set(free) - set(self.letters)
        if unused:
            raise ValueError(f"free={sorted(unused)!r}: the expression has no such defined letter")
        self.kind(node)

    def _need(self, name: str, role: str, declared: Any) -> None:
        if self._declared.setdefault(name, (role, declared)) != (role, declared):
            raise ValueError(f"{name!r} stands for two different things in {text(self.tree)}")
        self.required[name] = role

    def _visit(self, node: Node, counted: frozenset[str]) -> None:
        if isinstance(node, Symbol):
            if node.name not in counted:
                self._need(node.name, "letter", node.data)
                self.letters[node.name] = _shape(node)
                if node.domain == "natural":
                    self.whole.add(node.name)
            return
        if isinstance(node, Named) and node.name in self.free:
            self._need(node.name, "letter", node.args)
            self.letters[node.name] = self.kind(node.body)
            return
        if isinstance(node, Indexed):
            self._need(node.name, "sequence", node.data)
        elif isinstance(node, Apply):
            self._need(_function_name(node), "function", node.data)
        elif isinstance(node, Dens):
            density = node.density
            self._need(density.name, "density", (density.given_slots, density.event_slots))
            for argument in node.args:
                if isinstance(argument, Symbol):
                    self.axes.setdefault(argument.name, _shape(argument))
                else:
                    self._visit(argument, counted)
            return
        elif isinstance(node, Deriv):
            raise ValueError(f"{text(node)}: a derivative is not computed; use the side without it")
        for v in node.bound if not isinstance(node, Big) else ():
            self.bound.add(v.name)
            if not any(isinstance(d, Dens) and v in d.args for d in node.walk()):
                raise ValueError(
                    f"{text(node)}: only sums over tables are computed, and no table is one of"
                    f" {text(v)}; use the side in closed form"
                )
        if isinstance(node, Big):
            self._visit(node.body, counted | {node.index.name})
            self._visit(node.low, counted)
            self._visit(node.high, counted)
            return
        for child in node.args:
            self._visit(child, counted)

    def refuse_arrays(self, backend: str) -> None:
        kinds = {self.kind(part) for part in self.tree.walk() if not isinstance(part, Dens)}
        if kinds - {SCALAR} or any(n.bound and not isinstance(n, Big) for n in self.tree.walk()):
            raise ValueError(f"backend={backend!r} has no arrays: use 'numpy' or 'torch'")

    def kind(self, node: Node) -> str:
        """Whether a node is a scalar, a vector or a matrix."""
        if isinstance(node, Symbol):
            return _shape(node)
        if isinstance(node, Identity):
            return MATRIX
        if isinstance(node, (Neg, Named)):
            return self.kind(node.args[0])
        if isinstance(node, Add):
            kinds = {self.kind(term) for term in node.args if term != Number(0)} or {SCALAR}
            if len(kinds) > 1:
                raise ValueError(f"{text(node)} adds a {' and a '.join(sorted(kinds))}")
            return kinds.pop()
        if isinstance(node, Mul):
            kind = SCALAR
            for factor in node.args:
                kind = _times(kind, self.kind(factor), node)
            return kind
        if isinstance(node, Div):
            if self.kind(node.args[1]) != SCALAR:
                raise ValueError(f"{text(node)} divides by a {self.kind(node.args[1])}")
            return self.kind(node.args[0])
        if isinstance(node, (Expect, Integral, Big)):
            kind = self.kind(node.args[0])
            if kind != SCALAR and isinstance(node, Big) and node.kind == "prod":
                raise ValueError(
                    f"{text(node)}: a product over a range of a {kind} is not computed"
                )
            return kind
        if isinstance(node, Fn) and node.name in ("inverse", "transpose"):
            kind = self.kind(node.args[0])
            return {VECTOR: ROW, ROW: VECTOR}.get(kind, kind)
        return SCALAR


def _shape(symbol: Symbol) -> str:
    return {"": SCALAR, "vector": VECTOR, "covariance": MATRIX}[symbol.shape]


def _times(left: str, right: str, where: Node) -> str:
    if SCALAR in (left, right):
        return right if left == SCALAR else left
    kinds = {
        (MATRIX, MATRIX): MATRIX, (MATRIX, VECTOR): VECTOR, (ROW, MATRIX): ROW,
        (ROW, VECTOR): SCALAR, (VECTOR, ROW): MATRIX,
    }  # fmt: skip
    if (left, right) not in kinds:
        raise ValueError(
            f"{text(where)} multiplies a {left} by a {right}; use dot(u, v) or transpose(u)"
        )
    return kinds[left, right]


def _by_slot(node: Dens) -> list[Node]:
    """A density's arguments in the order of its table's axes."""
    at = dict(zip(node.event_slots + node.given_slots, node.args, strict=True))
    return [at[s] for s in node.density.given_slots + node.density.event_slots if s in at]


def _function_name(node: Apply) -> str:
    star = "_star" if "conjugate" in node.traits else ""
    return node.name + star + "_prime" * node.order


def _known_positive(node: Node) -> bool:
    if isinstance(node, (Number, Pi, Normal, Dens)):
        return True
    if isinstance(node, Symbol):
        return node.domain in ("positive", "unit", "at_least_one", "natural")
    if isinstance(node, Fn):
        return node.name in ("exp", "sigmoid", "softplus", "det", "sqrt")
    if isinstance(node, Named):
        return _known_positive(node.body)
    if isinstance(node, (Mul, Div)):
        return all(_known_positive(a) for a in node.args)
    return isinstance(node, Pow) and _known_positive(node.args[0])


def _underflows(node: Node) -> bool:
    """Whether the logarithm is better computed without the value itself."""
    if isinstance(node, Fn):
        return node.name in ("exp", "sigmoid", "det")
    if isinstance(node, (Mul, Div)):
        return _known_positive(node) and any(_underflows(a) for a in node.args)
    if isinstance(node, Named):
        return _underflows(node.body)
    return isinstance(node, Normal)


# --- arithmetic ----------------------------------------------------------------------------------


class _Ops:
    """Arithmetic on Python numbers, or on mpmath's."""

    def __init__(self, backend: str) -> None:
        self.xp: Any = math
        self.real: Callable[[Any], Any] = float
        if backend == "mpmath":
            self.xp = importlib.import_module(backend)
            self.real = self.xp.mpf

    def quiet(self) -> Any:
        return nullcontext()

    def number(self, value: Fraction) -> Any:
        if value.denominator == 1:
            return self.exact(value.numerator)
        return self.real(value.numerator) / value.denominator

    def exact(self, value: Any) -> Any:
        """An integer that may be divided: with mpmath, 1/3 has more than a float's digits."""
        return value if self.xp is math else self.real(value)

    def is_array(self, u: Any) -> bool:
        return False

    def letter(self, value: Any) -> Any:
        return self.real(value)

    def count(self, value: Any) -> Any:
        """An integer letter."""
        if int(value) != value:
            raise ValueError("expected an integer")
        return int(value)

    def finish(self, value: Any) -> Any:
        return self.real(value)

    def power(self, base: Any, exponent: Any) -> Any:
        if base < 0 and exponent != int(exponent):
            raise ValueError(f"a negative number to the power {exponent}")
        return base**exponent

    def log(self, u: Any) -> Any:
        if u < 0:
            raise ValueError(f"the logarithm of {u}")
        return self.xp.log(u) if u else -self.real("inf")

    def exp(self, u: Any) -> Any:
        return self.xp.exp(u)

    def sqrt(self, u: Any) -> Any:
        if u < 0:
            raise ValueError(f"the square root of {u}")
        return self.xp.sqrt(u)

    def abs(self, u: Any) -> Any:
        return abs(u)

    def positive_part(self, u: Any) -> Any:
        return u if u > 0 else u * 0

    def indicator(self, u: Any) -> Any:
        return self.real(u > 0)

    def log_gap(self, u: Any) -> Any:
        return (u - 1) - self.xp.log1p(u - 1) if u else self.real("inf")

    def sigmoid(self, u: Any) -> Any:
        small = self.xp.exp(-abs(u))
        return (1 if u >= 0 else small) / (1 + small)

    def softplus(self, u: Any) -> Any:
        return self.positive_part(u) + self.xp.log1p(self.xp.exp(-abs(u)))


class _ArrayOps(_Ops):
    """Arithmetic on numpy arrays or torch tensors; Python numbers among them stay as they are."""

    def __init__(self, backend: str) -> None:
        super().__init__("math")
        self.array: ModuleType = importlib.import_module(backend)
        self.is_torch = backend == "torch"
        self.types = (
            (self.array.Tensor,) if self.is_torch else (self.array.ndarray, self.array.generic)
        )

    def quiet(self) -> Any:
        return nullcontext() if self.is_torch else self.array.errstate(all="ignore")

    def is_array(self, u: Any) -> bool:
        return isinstance(u, self.types)

    def letter(self, value: Any) -> Any:
        if self.is_torch:
            if isinstance(value, (int, float)):
                return float(value)
            tensor = self.array.as_tensor(value)
            return tensor if tensor.is_floating_point() else self._float(tensor)
        array = self.array.asarray(value)
        return array if array.dtype.kind == "f" else self._float(array)

    def _float(self, u: Any) -> Any:
        return u.to(self.array.get_default_dtype()) if self.is_torch else u.astype(float)

    def count(self, value: Any) -> Any:
        if isinstance(value, int):
            return value
        array = self.array.as_tensor(value) if self.is_torch else self.array.asarray(value)
        whole = not array.is_floating_point() if self.is_torch else array.dtype.kind in "iu"
        if not whole:
            raise ValueError("expected integers")
        return array

    def finish(self, value: Any) -> Any:
        if not self.is_array(value):
            value = float(value)
        return self.array.as_tensor(value) if self.is_torch else self.array.asarray(value)[()]

    def power(self, base: Any, exponent: Any) -> Any:
        if not self.is_array(base) and not self.is_array(exponent):
            return super().power(base, exponent)
        whole = self.is_array(base) and not (
            base.is_floating_point() if self.is_torch else base.dtype.kind == "f"
        )
        return (self._float(base) if whole else base) ** exponent

    def log(self, u: Any) -> Any:
        return self.array.log(u) if self.is_array(u) else super().log(u)

    def exp(self, u: Any) -> Any:
        return self.array.exp(u) if self.is_array(u) else super().exp(u)

    def sqrt(self, u: Any) -> Any:
        return self.array.sqrt(u) if self.is_array(u) else super().sqrt(u)

    def positive_part(self, u: Any) -> Any:
        return self.array.where(u > 0, u, 0.0) if self.is_array(u) else super().positive_part(u)

    def indicator(self, u: Any) -> Any:
        if not self.is_array(u):
            return super().indicator(u)
        return (u > 0).to(u.dtype) if self.is_torch else (u > 0).astype(u.dtype)

    def log_gap(self, u: Any) -> Any:
        return (u - 1) - self.array.log1p(u - 1) if self.is_array(u) else super().log_gap(u)

    def sigmoid(self, u: Any) -> Any:
        if not self.is_array(u):
            return super().sigmoid(u)
        if self.is_torch:
            return self.array.sigmoid(u)
        small = self.array.exp(-abs(u))
        return self.array.where(u >= 0, 1, small) / (1 + small)

    def softplus(self, u: Any) -> Any:
        if not self.is_array(u):
            return super().softplus(u)
        return self.array.logaddexp(u, self.array.zeros_like(u))

    def total(self, u: Any, axis: int) -> Any:
        return u.sum(axis, keepdims=True)

    def dtype_like(self, u: Any) -> dict[str, Any]:
        return {"dtype": u.dtype, "device": u.device} if self.is_torch else {"dtype": u.dtype}


# --- one call ------------------------------------------------------------------------------------


class _Call:
    """The values of one call. Every variable of a table has its own axis, counted from the end, in
    every array, so that arithmetic is broadcasting and a sum is a sum over one axis."""

    def __init__(self, needs: _Needs, ops: Any, values: Mapping[str, Any]) -> None:
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

    def result(self, node: Node) -> Any:
        value = self.of(node)
        if self.ops.is_array(value) and self.axes:
            free = {s.name for s in free_symbols(node)}
            own = EXTRA[self.needs.kind(node)]
            end = value.ndim - own
            start = end - len(self.axes)
            if start >= 0:
                kept = [
                    n for v, n in zip(self.axes, value.shape[start:end], strict=True) if v in free
                ]
                value = value.reshape((*value.shape[:start], *kept, *value.shape[end:]))
        return self.ops.finish(value)

    # --- nodes -------------------------------------------------------------------------------

    def of(self, node: Node) -> Any:
        match node:
            case Number():
                return self.ops.number(node.value)
            case Pi():
                return self.ops.real(self.ops.xp.pi)
            case Symbol():
                return self._symbol(node.name)
            case Named():
                return (
                    self._symbol(node.name) if node.name in self.needs.free else self.of(node.body)
                )
            case Indexed():
                return self._member(node)
            case Identity():
                return self._identity()
            case Add():
                total = self.of(node.args[0])
                for term in node.args[1:]:
                    total = total + self.of(term)
                return total
            case Neg():
                return -self.of(node.args[0])
            case Mul():
                return self._product(node)
            case Div():
                over, under = self.of(node.args[0]), self.of(node.args[1])
                return over / self._lift(under, self.needs.kind(node))
            case Pow():
                return self.ops.power(self.of(node.args[0]), self.of(node.args[1]))
            case Fn():
                return self._function(node)
            case Apply():
                return self.given[_function_name(node)](*(self.of(a) for a in node.args))
            case Dens():
                return self._density(node)
            case Normal():
                return self.ops.exp(self._log_normal(node))
            case Big():
                return self._big(node)
            case Expect():
                return self._expect(node)
            case Integral():
                return self._sum_over(self.of(node.body), node.bound, self.needs.kind(node))
            case Divergence():
                return self._divergence(node)
            case Entropy():
                return -self._sum_over(self._relative(self.of(node.args[0]), 1.0), node.bound)
        raise ValueError(f"{text(node)}: a {type(node).__name__} is not computed")

    def _symbol(self, name: str) -> Any:
        if name in self.counts:
            return self.ops.exact(self.counts[name])
        if name not in self.values:
            raise ValueError(f"missing argument {name!r}: a value of the letter is needed here")
        value = self.values[name]
        return value if self.ops.is_array(value) else self.ops.exact(value)

    def _member(self, node: Indexed) -> Any:
        index, source = self.of(node.index), self.given[node.name]
        if not self.ops.is_array(index):
            index = self._refused(node.name, self.ops.count, index)
        if callable(source):
            return source(index)
        if isinstance(source, Mapping):
            if index not in source:
                raise ValueError(f"argument {node.name!r}: it has no entry {index}")
            return self.ops.letter(source[index])
        if isinstance(self.ops, _ArrayOps):
            source = self._refused(node.name, self.ops.letter, source)
        outside = index < 0
        if outside if isinstance(outside, bool) else outside.any():
            raise ValueError(f"argument {node.name!r}: {text(node)} has the index {index}")
        try:
            return self.ops.letter(source[index])
        except (IndexError, TypeError) as error:
            raise ValueError(f"argument {node.name!r}: {text(node)} is not in it") from error

    def _identity(self) -> Any:
        if self.dimension is None:
            raise ValueError(
                "the size of the identity matrix is not known without a vector or matrix"
            )
        ops = self.ops
        return ops.array.eye(self.dimension.shape[-1], **ops.dtype_like(self.dimension))

    def _lift(self, u: Any, kind: str) -> Any:
        """A scalar beside a vector or a matrix."""
        if not self.ops.is_array(u) or kind == SCALAR:
            return u
        return u[..., None] if EXTRA[kind] == 1 else u[..., None, None]

    def _product(self, node: Mul) -> Any:
        result, kind = self.of(node.args[0]), self.needs.kind(node.args[0])
        for factor in node.args[1:]:
            right, right_kind = self.of(factor), self.needs.kind(factor)
            match kind, right_kind:
                case _, "scalar":
                    result = self._times(result, self._lift(right, kind))
                case "scalar", _:
                    result = self._times(self._lift(result, right_kind), right)
                case "matrix", "matrix":
                    result = result @ right
                case "matrix", "vector":
                    result = (result @ right[..., None])[..., 0]
                case "row vector", "matrix":
                    result = (result[..., None, :] @ right)[..., 0, :]
                case "row vector", "vector":
                    result = (result * right).sum(-1)
                case _:
                    result = result[..., :, None] * right[..., None, :]
            kind = _times(kind, right_kind, node)
        return result

    def _times(self, left: Any, right: Any) -> Any:
        """A product in which, among tables, zero times an undefined value is zero."""
        result = left * right
        ops = self.ops
        if not self.axes or not isinstance(ops, _ArrayOps) or not ops.is_array(result):
            return result
        undefined = (result != result) & ((left == 0) | (right == 0))
        return ops.array.where(undefined, 0.0, result)

    def _function(self, node: Fn) -> Any:
        name, u = node.name, node.args[0]
        if name == "log":
            return self._log(u)
        value = self.of(u)
        if name == "transpose":
            return self.ops.array.swapaxes(value, -1, -2) if self.needs.kind(u) == MATRIX else value
        if name == "norm2":
            return (value * value).sum(-1) if self.needs.kind(u) != SCALAR else value * value
        if name == "dot":
            product = value * self.of(node.args[1])
            return product.sum(-1) if self.needs.kind(u) != SCALAR else product
        if name in ("det", "trace", "inverse"):
            return self._matrix_function(name, value, self.needs.kind(u))
        return getattr(self.ops, name)(value)

    def _matrix_function(self, name: str, value: Any, kind: str) -> Any:
        if kind != MATRIX:
            return 1 / value if name == "inverse" else value
        ops = self.ops
        if name == "trace":
            return ops.array.einsum("...ii->...", value)
        return ops.array.linalg.det(value) if name == "det" else ops.array.linalg.inv(value)

    def _log(self, node: Node) -> Any:
        if isinstance(node, Normal):
            return self._log_normal(node)
        if isinstance(node, Named) and node.name not in self.needs.free and _underflows(node):
            return self._log(node.body)
        if isinstance(node, Fn) and node.name == "exp":
            return self.of(node.args[0])
        if isinstance(node, Fn) and node.name == "sigmoid":
            return -self.ops.softplus(-self.of(node.args[0]))
        if isinstance(node, Fn) and node.name == "det" and self.needs.kind(node.args[0]) == MATRIX:
            return self._log_det(self.of(node.args[0]))
        if isinstance(node, Div) and _underflows(node):
            return self._log(node.args[0]) - self._log(node.args[1])
        if isinstance(node, Mul) and _underflows(node) and self.needs.kind(node) == SCALAR:
            total = self._log(node.args[0])
            for factor in node.args[1:]:
                total = total + self._log(factor)
            return total
        return self.ops.log(self.of(node))

    def _log_det(self, matrix: Any) -> Any:
        ops = self.ops
        sign, size = ops.array.linalg.slogdet(matrix)
        return ops.log(sign) + size

    def _log_normal(self, node: Normal) -> Any:
        x, mean, variance = node.args
        gap, spread = self.of(x) - self.of(mean), self.of(variance)
        if self.needs.kind(variance) == SCALAR:
            if self.needs.kind(x) != SCALAR:
                raise ValueError(f"{text(node)}: a vector has a covariance, such as v * identity")
            return (
                -(gap * gap) / (2 * spread)
                - self.ops.log(2 * self.ops.real(self.ops.xp.pi) * spread) / 2
            )
        ops = self.ops
        solved = ops.array.linalg.solve(spread, gap[..., None])[..., 0]
        size = spread.shape[-1] * math.log(2 * math.pi) + self._log_det(spread)
        return -((gap * solved).sum(-1) + size) / 2

    # --- sums --------------------------------------------------------------------------------

    def _big(self, node: Big) -> Any:
        low, high = (self._limit(node, limit) for limit in (node.low, node.high))
        result: Any = 0 if node.kind == "sum" else 1
        outer = self.counts.get(node.index.name)
        for i in range(low, high + 1):
            self.counts[node.index.name] = i
            term = self.of(node.body)
            result = result + term if node.kind == "sum" else result * term
        if outer is None:
            self.counts.pop(node.index.name, None)
        else:
            self.counts[node.index.name] = outer
        return result

    def _limit(self, node: Big, limit: Node) -> int:
        value = self.of(limit)
        if self.ops.is_array(value) and value.ndim:
            raise ValueError(f"{text(node)}: the limit {text(limit)} must be one integer")
        if int(value) != value:
            raise ValueError(f"{text(node)}: the limit {text(limit)} is {value}, not an integer")
        return int(value)

    def _density(self, node: Dens) -> Any:
        density, name = node.density, node.density.name
        if name not in self.tables:
            slots = dict(zip(node.event_slots + node.given_slots, node.args, strict=True))
            wanted = density.event_slots + density.given_slots
            if set(slots) != set(wanted):
                raise ValueError(f"argument {name!r}: {text(node)} needs a table, not a function")
            return self.given[name](*(self.of(slots[s]) for s in wanted))
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
        table = table.permute(order) if self.ops.is_torch else table.transpose(order)
        return table.reshape((*batch, *shape))

    def _sum_over(self, u: Any, bound: tuple[Symbol, ...], kind: str = SCALAR) -> Any:
        for v in bound:
            size = self.sizes[v.name]
            axis = self.axes.index(v.name) - len(self.axes) - EXTRA[kind]
            if not self.ops.is_array(u) or u.ndim < -axis or u.shape[axis] == 1:
                u = u * size
            else:
                u = self.ops.total(u, axis)
        return u

    def _expect(self, node: Expect) -> Any:
        weight = self.of(node.dists[0])
        for dist in node.dists[1:]:
            weight = weight * self.of(dist)
        kind = self.needs.kind(node)
        return self._sum_over(
            self._times(self._lift(weight, kind), self.of(node.body)), node.bound, kind
        )

    def _divergence(self, node: Divergence) -> Any:
        p, q = self.of(node.args[0]), self.of(node.args[1])
        if node.kind == "TV":
            return self._sum_over(abs(p - q), node.bound) / 2
        if node.kind == "KL":
            return self._sum_over(self._relative(p, q), node.bound)
        middle = (p + q) / 2
        return self._sum_over(self._relative(p, middle) + self._relative(q, middle), node.bound) / 2

    def _relative(self, p: Any, q: Any) -> Any:
        """p log(p/q), 0 where p is."""
        ops = self.ops
        if not isinstance(ops, _ArrayOps) or not ops.is_array(p):
            return p * (ops.log(p) - ops.log(q)) if p else 0 * p
        there = p > 0
        ratio = ops.log(ops.array.where(there, p, 1.0)) - ops.log(ops.array.where(there, q, 1.0))
        return ops.array.where(there, p, 0.0) * ratio
