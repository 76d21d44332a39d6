"""A claim in the kernel's words: the shared reader's terms and functions, as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from genmath.proof.coq.reading import DERIVATIVE, POWER, Head, domain_of
from genmath.proof.coq.signs import Always
from genmath.proof.coq.terms import Condition, Term, add, app, div, mul, num, var
from genmath.proof.coq.theorem import Statement

OWN = {"Rabs": "abs"}  # the kernel's names for Coq's
SMOOTH = ("Apply", "Dens")  # functions and densities that the book declares
SIGNS = {"add": "+", "mul": "*", "neg": "-", "div": "/", "pow": "^"}


def of(term: Term, bound: Sequence[Sequence[str]] = ()) -> Any:
    """A term; `bound`: the letters of the binders around it, the nearest one last."""
    return _of(term, bound) if bound else _closed(term)


@lru_cache(10_000)
def _closed(term: Term) -> Any:
    return _of(term, ())


def _of(term: Term, bound: Sequence[Sequence[str]]) -> Any:
    match term.op:
        case "num":
            return str(term.data)
        case "var":
            k = 0
            for letters in reversed(bound):
                if term.data in letters:
                    return ["#", k + list(letters).index(term.data)]
                k += len(letters)
            return term.data
        case "lam":
            letters = [name for name, _ in term.data]
            return ["=>", len(letters), of(term.args[0], (*bound, letters))]
        case "app":
            return [OWN.get(term.data, term.data), *(of(a, bound) for a in term.args)]
        case "pow":
            return ["^", of(term.args[0], bound), int(term.data)]
    return [SIGNS[term.op], *(of(a, bound) for a in term.args)]


def relation(condition: Condition, bound: Sequence[Sequence[str]] = ()) -> list[Any]:
    sign, left, right = condition
    return [sign, of(left, bound), of(right, bound)]


def function(head: Head, kind: str, endless: bool) -> dict[str, Any]:
    """Its declaration."""
    takes = [kind.count("->") for kind in head.takes]
    said: dict[str, Any] = {"takes": takes}
    if values := domain_of(head.values, var("value")):
        said["values"] = [relation(c, [["value"]]) for c in values]
    if head.sign:
        said["values"] = [*said.get("values", []), [head.sign, "0", ["#", 0]]]
    letters = [name for name, _ in head.letters]
    steps = head.linear == "sum" or bool(head.logs)
    if takes == [1, 0, 0] and steps and not endless:
        letters = []  # it is over what its limits say
    if ranges := [
        relation(c, [letters]) for _, conditions in head.letters if letters for c in conditions
    ]:
        said["ranges"] = ranges
    if head.slope:
        said["slope"] = head.slope
    if kind in SMOOTH:
        said["smooth"] = True
    if head.linear:
        between = "endless" if endless else "between"
        series = head.linear == "sum" and endless  # an endless sum is one by a law
        said["is"] = between if head.limited else "integral" if series else head.linear
    if head.logs and not endless:
        said |= {"is": "product", "by": head.logs}
    if head.means:
        said |= {"is": head.means, "by": head.under}
    if head.indicator:
        said["is"] = "indicator"
    if head.each:
        said["each"] = list(head.each)
    if head.unit:
        said["unit"] = head.unit
    if head.points:
        said |= {"points": head.points, "by": head.under}
    if head.inverted:
        said |= {"inverse": [head.inverted, head.det], "by": head.under}
    if head.normal:
        said |= {"is": "normal", "by": head.normal}
    if head.line:
        said["line"] = True
    places = [f"a{k}" for k in range(1, len(takes) + 1)]
    if head.ratio:
        said["ratio"] = [of(t, [places]) for t in head.ratio]
    if head.margins:
        said["margins"] = [list(m) for m in head.margins]
    if head.chain:
        said["chain"] = [of(t, [places]) for t in head.chain]
    return said


def _endless(what: Any) -> bool:
    """Whether infinity stands anywhere in a key."""
    return what == "Infinity" or (isinstance(what, tuple) and any(map(_endless, what)))


def _always(stated: Always) -> list[Any]:
    names, needs, said = stated
    return [len(names), [relation(c, [names]) for c in needs], relation(said, [names])]


def inverses(heads: Iterable[Head]) -> list[Always]:
    """f(g(x)) = x of a map and its inverse, and f'(x) = 1 / g'(f(x)) of the derivatives."""
    x, found = var("x"), list[Always]()
    for head in heads:
        if head.inverse:
            found.append((("x",), (), ("=", app(head.name, app(head.inverse, x)), x)))
        if all(head.turned):
            slope = div(num(1), app(head.turned[0], app(head.turned[1], x)))
            found.append((("x",), (), ("=", app(head.name, x), slope)))
    return found


def definitions(heads: Iterable[Head]) -> list[Always]:
    """Of members of families, and of the Gamma function, which is Γ(1) = 1, Γ(u + 1) = u Γ(u)."""
    u, found = var("u"), list[Always]()
    for head in heads:
        found += [head.law] if head.law else []
        if head.gamma:
            positive = ("<", num(0), u)
            more = app(head.name, add(u, num(1)))
            found.append((("u",), (positive,), ("<", num(0), app(head.name, u))))
            found.append((("u",), (positive,), ("=", more, mul(u, app(head.name, u)))))
    return found


def ones(heads: Iterable[Head]) -> list[Condition]:
    return [("=", app(head.name, num(1)), num(1)) for head in heads if head.gamma]


def claim(statement: Statement) -> dict[str, Any]:
    given = statement.conditions[: len(statement.conditions) - len(statement.results)]
    always = [*statement.always, *statement.read.everywhere]
    always += inverses(statement.heads.values())
    always += definitions(statement.heads.values())
    endless = any(map(_endless, statement.read.heads))
    functions = {
        head.name: function(head, kind, endless)
        for (kind, _, _), head in statement.read.heads.items()
        if head.name not in (DERIVATIVE, POWER)
    }
    return {
        "letters": sorted(statement.read.letters.values()),
        "functions": dict(sorted(functions.items())),
        "given": [relation(c) for c in [*given, *ones(statement.heads.values())]],
        **({"whole": sorted(statement.whole)} if statement.whole else {}),
        **({"always": list(map(_always, always))} if always else {}),
        "results": [
            {"name": m.source.name, "says": relation(c)}
            for m, c in zip(statement.lemmas, statement.results, strict=True)
        ],
        "states": [statement.sign, of(statement.left), of(statement.right)],
    }
