"""One change at a time: a guard that is gone, a coefficient that is another.

A guard is the condition of an `if`, one operand of an `and` or `or`, the filter of a comprehension,
a call made for its effect, a check that returns its argument, a bound that is strict or not. A
coefficient is a number, a sign, an operator of arithmetic.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
# Where a number is an index or a size: another one is an error, which no test need look for.
BLOCKS = ("body", "orelse", "finalbody")
PLACES = ("dim", "maxsize", "ndigits")


@dataclass(frozen=True)
class Mutant:
    """A change of one expression of a file; `name` stays when lines move."""

    file: str
    scope: str  # of the function that holds it, as in a qualified name
    name: str
    kind: str
    line: int
    lines: tuple[int, int]  # of the statement that holds it
    body: int  # the first line that only runs where the guard holds, or 0
    text: str  # of the whole file after the change

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.name}\0{self.text}".encode()).hexdigest()[:20]


@dataclass(frozen=True)
class _Change:
    node: ast.expr
    new: str
    kind: str
    stmt: ast.stmt
    body: int = 0


def mutants(
    source: str, file: str, kinds: tuple[str, ...] = ("guard", "coefficient")
) -> list[Mutant]:
    """Every change of a file that its kinds ask for, in the order of the text."""
    tree = ast.parse(source)
    raw = source.encode()
    starts = [0]
    for row in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(row))
    rows, seen, made = source.splitlines(), Counter[str](), []
    for scope, change in _changes(tree):
        node = change.node
        if change.kind not in kinds:
            continue
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        old = " ".join(raw[start:end].decode().split())
        name = f"{file}: {scope}: {rows[node.lineno - 1].strip()}: {old} → {change.new}"
        seen[name] += 1
        if seen[name] > 1:
            name += f" (no. {seen[name]})"
        text = (raw[:start] + change.new.encode() + raw[end:]).decode()
        lines = (change.stmt.lineno, _last_line(change.stmt))
        made.append(Mutant(file, scope, name, change.kind, node.lineno, lines, change.body, text))
    return made


def _last_line(stmt: ast.stmt) -> int:
    """The last line of a statement, or of the head of a compound one."""
    body = getattr(stmt, "body", None)
    return max(stmt.lineno, body[0].lineno - 1) if body else (stmt.end_lineno or stmt.lineno)


def _changes(tree: ast.Module) -> Iterator[tuple[str, _Change]]:
    todo: list[tuple[str, bool, ast.stmt]] = [("", False, s) for s in tree.body]
    while todo:
        scope, runs, stmt = todo.pop(0)  # the names around it; whether one is of a function
        for change in _of_statement(stmt):
            yield scope if runs else "module", change
        if isinstance(stmt, (ast.FunctionDef, ast.ClassDef)):
            scope = f"{scope}.{stmt.name}".lstrip(".")
            runs = runs or isinstance(stmt, ast.FunctionDef)
        todo = [(scope, runs, s) for s in _below(stmt)] + todo


def _below(stmt: ast.stmt) -> list[ast.stmt]:
    """The statements one level further in."""
    parts = [stmt, *getattr(stmt, "handlers", []), *getattr(stmt, "cases", [])]
    return [s for p in parts for block in BLOCKS for s in getattr(p, block, [])]


def _of_statement(stmt: ast.stmt) -> Iterator[_Change]:
    if isinstance(stmt, (ast.If, ast.While)):
        if isinstance(stmt, ast.If):
            yield _Change(stmt.test, "False", "guard", stmt, stmt.body[0].lineno)
        yield from _of_expression(stmt.test, stmt)
    elif isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Call):
        yield _Change(stmt.value, "None", "guard", stmt)
        yield from _of_expression(stmt.value, stmt)
    elif isinstance(stmt, ast.FunctionDef):
        for default in (*stmt.args.defaults, *filter(None, stmt.args.kw_defaults)):
            yield from _of_expression(default, stmt)
    elif isinstance(stmt, ast.AnnAssign):
        if stmt.value is not None:
            yield from _of_expression(stmt.value, stmt)
    elif isinstance(stmt, ast.For):
        yield from _of_expression(stmt.iter, stmt)
    elif isinstance(stmt, ast.With):
        for item in stmt.items:
            yield from _of_expression(item.context_expr, stmt)
    elif isinstance(stmt, (ast.Assign, ast.AugAssign, ast.Return)) and stmt.value is not None:
        yield from _of_expression(stmt.value, stmt)
    elif isinstance(stmt, ast.Match):
        for case in stmt.cases:
            if case.guard is not None:
                yield _Change(case.guard, "True", "guard", stmt, case.body[0].lineno)
                yield from _of_expression(case.guard, stmt)


def _of_expression(node: ast.AST, stmt: ast.stmt) -> Iterator[_Change]:
    """The changes within an expression, outermost first."""

    def changed(new: ast.expr, kind: str) -> _Change:
        assert isinstance(node, ast.expr)
        return _Change(node, f"({ast.unparse(new)})", kind, stmt)

    match node:
        case ast.JoinedStr():
            return  # a message, whose parts have no position before Python 3.12
        case ast.BoolOp(op, values):
            for i in range(len(values)):
                rest = values[:i] + values[i + 1 :]
                yield changed(rest[0] if len(rest) == 1 else ast.BoolOp(op, rest), "guard")
        case ast.Compare(left, ops, comparators):
            for i, op in enumerate(ops):
                if swapped := SWAPPED.get(type(op)):
                    new = [*ops[:i], swapped(), *ops[i + 1 :]]
                    yield changed(ast.Compare(left, new, comparators), "guard")  # type: ignore[arg-type]
        case ast.IfExp(test, _, _):
            yield _Change(test, "False", "guard", stmt)
        case ast.comprehension():
            for test in node.ifs:
                yield _Change(test, "True", "guard", stmt)
        case ast.Call(ast.Name(name), [ast.Constant(str()), value, *_]) if name.islower():
            if not isinstance(stmt, ast.Expr) or stmt.value is not node:
                yield changed(value, "guard")
        case ast.BinOp(left, op, right) if (swapped := SWAPPED.get(type(op))) and not any(
            isinstance(side, ast.JoinedStr)
            or (isinstance(side, ast.Constant) and isinstance(side.value, str))
            for side in (left, right)
        ):
            yield changed(ast.BinOp(left, swapped(), right), "coefficient")  # type: ignore[arg-type]
        case ast.UnaryOp(ast.USub(), operand):
            yield changed(operand, "coefficient")
            if isinstance(operand, ast.Constant):
                return
        case ast.Constant(int() | float() as c) if not isinstance(c, bool):
            other = c + 1 if isinstance(c, int) else c * 1.25 or 0.5
            yield _Change(node, repr(other), "coefficient", stmt)
    for child in ast.iter_child_nodes(node):
        index = isinstance(node, ast.Subscript) and child is node.slice
        if not index and not (isinstance(child, ast.keyword) and child.arg in PLACES):
            yield from _of_expression(child, stmt)


def named(entry: str, names: Iterable[str]) -> list[str]:
    """The names that an entry speaks of: itself, or all that begin as it does before its …"""
    if entry.endswith("…"):
        return [name for name in names if name.startswith(entry.removesuffix("…"))]
    return [name for name in names if name == entry]
