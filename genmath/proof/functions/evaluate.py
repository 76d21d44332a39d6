"""The value of an expression in one call, node by node."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from genmath.proof.functions.arguments import Arguments
from genmath.proof.functions.arrays import Arrays
from genmath.proof.functions.logarithms import log_of, underflows
from genmath.proof.functions.needs import EXTRA, MATRIX, SCALAR, function_name, times
from genmath.proof.language.elementary import TABLE
from genmath.proof.language.families import row_of
from genmath.proof.language.text import text
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Dens,
    Div,
    Divergence,
    Entropy,
    Expect,
    Family,
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


class Evaluation(Arguments):
    """Values, for one call."""

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
                return self.ops.real(self.ops.module.pi)
            case Symbol():
                return self._symbol(node.name)
            case Named():
                return (
                    self._symbol(node.name) if node.name in self.needs.free else self.of(node.body)
                )
            case Indexed():
                return self._member(node)
            case Identity():
                return self._identity(node.size)
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
                return self.given[function_name(node)](*(self.of(a) for a in node.args))
            case Dens():
                return self._density(node)
            case Normal():
                return self.ops.function("exp", self._log_normal(node))
            case Family():
                row = row_of(node)
                return self.ops.function("exp", self.of(row.log_of(node))) * self.of(
                    row.inside(node)
                )
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
        if isinstance(self.ops, Arrays):
            source = self._refused(node.name, self.ops.letter, source)
        outside = index < 0
        if outside if isinstance(outside, bool) else outside.any():
            raise ValueError(f"argument {node.name!r}: {text(node)} has the index {index}")
        try:
            return self.ops.letter(source[index])
        except (IndexError, TypeError) as error:
            raise ValueError(f"argument {node.name!r}: {text(node)} is not in it") from error

    def _identity(self, size: int) -> Any:
        if size:
            return self.ops.array.eye(size, **self.ops.like(self.dimension))
        if self.dimension is None:
            raise ValueError(
                "the size of the identity matrix is not known without a vector or matrix"
            )
        ops = self.ops
        return ops.array.eye(self.dimension.shape[-1], **ops.like(self.dimension))

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
            kind = times(kind, right_kind, node)
        return result

    def _times(self, left: Any, right: Any) -> Any:
        """A product in which, among tables, zero times an undefined value is zero."""
        result = left * right
        ops = self.ops
        if not self.axes or not isinstance(ops, Arrays) or not ops.is_array(result):
            return result
        undefined = (result != result) & ((left == 0) | (right == 0))
        return ops.array.where(undefined, 0.0, result)

    def _function(self, node: Fn) -> Any:
        name, u = node.name, node.args[0]
        match name:
            case "log":
                return self._log(u)
            case "norm2":
                return self._inner(u, u)
            case "dot":
                return self._inner(u, node.args[1])
            case _ if name in TABLE:
                return self.ops.function(name, self.of(u))
        return self._matrix_function(name, self.of(u), self.needs.kind(u))

    def _inner(self, u: Node, v: Node) -> Any:
        product = self.of(u) * self.of(v)
        return product.sum(-1) if self.needs.kind(u) != SCALAR else product

    def _matrix_function(self, name: str, value: Any, kind: str) -> Any:
        if kind != MATRIX:
            return 1 / value if name == "inverse" else value
        xp = self.ops.array
        match name:
            case "transpose":
                return xp.swapaxes(value, -1, -2)
            case "trace":
                return xp.einsum("...ii->...", value)
            case "det":
                return xp.linalg.det(value)
            case "inverse":
                return xp.linalg.inv(value)
        raise ValueError(f"{name} is not computed")

    def _log(self, node: Node) -> Any:
        """Without the value itself, where that may be too large or too small for a float."""
        match node:
            case Normal():
                return self._log_normal(node)
            case Family() if row_of(node).inside(node) == Number(1):
                return self.of(row_of(node).log_of(node))
            case Family():
                inside = self.ops.function("log", self.of(row_of(node).inside(node)))
                return self.of(row_of(node).log_of(node)) + inside
            case Named() if node.name not in self.needs.free and underflows(node):
                return self._log(node.body)
            case Fn(name="det", args=(inner,)) if self.needs.kind(inner) == MATRIX:
                return self._log_det(self.of(inner))
            case Fn() if (shorter := log_of(node)) is not None:
                return self.of(shorter)
            case Div() if underflows(node):
                return self._log(node.args[0]) - self._log(node.args[1])
            case Mul() if underflows(node) and self.needs.kind(node) == SCALAR:
                total = self._log(node.args[0])
                for factor in node.args[1:]:
                    total = total + self._log(factor)
                return total
        return self.ops.function("log", self.of(node))

    def _log_det(self, matrix: Any) -> Any:
        ops = self.ops
        sign, size = ops.array.linalg.slogdet(matrix)
        return ops.function("log", sign) + size

    def _log_normal(self, node: Normal) -> Any:
        x, mean, variance = node.args
        gap, spread = self.of(x) - self.of(mean), self.of(variance)
        if self.needs.kind(variance) == SCALAR:
            if self.needs.kind(x) != SCALAR:
                raise ValueError(f"{text(node)}: a vector has a covariance, such as v * identity")
            return (
                -(gap * gap) / (2 * spread)
                - self.ops.function("log", 2 * self.ops.real(self.ops.module.pi) * spread) / 2
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
        if name in self.tables:
            return self.table(node)
        slots = dict(zip(node.event_slots + node.given_slots, node.args, strict=True))
        wanted = density.event_slots + density.given_slots
        if set(slots) != set(wanted):
            raise ValueError(f"argument {name!r}: {text(node)} needs a table, not a function")
        return self.given[name](*(self.of(slots[s]) for s in wanted))

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
        if not isinstance(ops, Arrays) or not ops.is_array(p):
            return p * (ops.function("log", p) - ops.function("log", q)) if p else 0 * p
        there = p > 0
        above, below = (ops.array.where(there, u, 1.0) for u in (p, q))
        ratio = ops.function("log", above) - ops.function("log", below)
        return ops.array.where(there, p, 0.0) * ratio
