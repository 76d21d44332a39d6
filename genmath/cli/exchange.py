"""A derivation as plain data, and back.

Somebody else's file is run in a process of its own; what comes out of it is only data. `decode`
builds the derivation anew, by the functions an author calls, so it can hold nothing that an author
could not have written: no step that starts where the last one did not end, and no checker of the
file's own.
"""

from __future__ import annotations

from collections.abc import Sequence as List
from fractions import Fraction
from pathlib import Path
from typing import Any

from genmath import book
from genmath.proof.language import notation
from genmath.proof.language.derivation import Chain, Derivation, Lemma, Part, Step
from genmath.proof.language.tree import (
    Add,
    Apply,
    Big,
    Dens,
    Deriv,
    Div,
    Divergence,
    Entropy,
    Fn,
    Identity,
    Indexed,
    Integral,
    Mul,
    Named,
    Neg,
    Node,
    Normal,
    NotationError,
    Number,
    Pi,
    Pow,
    Relation,
    Symbol,
)

Data = Any  # what JSON can hold
TOO_MUCH = (RecursionError, ArithmeticError, MemoryError)
LONGEST = 500  # lines of all derivations of one file; a person's has some dozens


# ---- to data -------------------------------------------------------------------------------------


def encode(derivations: List[Derivation]) -> Data:
    """All derivations of one file, in the order written."""
    return [_encode_derivation(d) for d in derivations]


def _encode_derivation(d: Derivation) -> Data:
    return {
        "name": d.short_name, "title": d.title, "line": d.line, "dims": d.dims,
        "cases": dict(d.cases), "instances": d.instances,
        "takes": [_node(t) for t in d.takes],
        "given": [_relation(g) for g in d.given],
        "chains": [_chain(c, d.file) for c in d.chains],
    }  # fmt: skip


def _chain(chain: Chain, file: str) -> Data:
    return {
        "start": _node(chain.start), "line": chain.line, "name": chain.name,
        "case": [value for _, value in chain.case],
        "tight": [[_node(this), _node(other)] for this, other in chain.tight],
        "steps": [_step(s, file) for s in chain.steps],
    }  # fmt: skip


def _step(step: Step, file: str) -> Data:
    because = [_lemma(b, file) if isinstance(b, Lemma) else _node(b) for b in step.because]
    return {
        "relation": step.relation, "by": step.by, "line": step.line,
        "to": None if step.missing else _node(step.rhs),
        "because": None if step.uncertified else because,
    }  # fmt: skip


def _lemma(lemma: Lemma, file: str) -> Data:
    source = lemma.source
    topic = None if Path(source.file) == Path(file) else source.topic
    if topic is not None and Path(source.file).parent != book.folder():
        raise NotationError(f"{source.name} is a result of another file, {source.file}")
    at = next(i for i, chain in enumerate(source.chains) if chain is lemma.chain)
    return ["Lemma", topic, source.short_name, at, [_node(a) for _, a in lemma.arguments]]


def _relation(g: Relation) -> Data:
    return [g.sign, _node(g.left), _node(g.right)]


def _node(n: Node) -> Data:
    kind = type(n).__name__
    if isinstance(n, Number):
        return [kind, str(n.value)]
    if isinstance(n, (Symbol, Named, Indexed, Fn, Apply)):
        return [kind, list(n.data), *map(_node, n.args)]
    if isinstance(n, Dens):
        events, givens = map(_node, n.events), map(_node, n.givens)
        return [kind, _density(n.density), list(events), list(givens)]
    if isinstance(n, (Integral, Entropy)):
        return [kind, _node(n.args[0]), *map(_node, n.bound)]
    if isinstance(n, Divergence):
        return [kind, n.kind, _node(n.args[0]), _node(n.args[1]), *map(_node, n.bound)]
    if isinstance(n, Deriv):
        return [kind, _node(n.body), _node(n.var)]
    if isinstance(n, Big):
        low, high = n.args[1:]
        return [kind, n.kind, *map(_node, (n.body, n.index, low, high))]
    return [kind, *map(_node, n.args)]


def _density(density: Any) -> Data:
    above = density.dominates
    return [
        density.name, [_node(e) for e in density.events], [_node(g) for g in density.given],
        density.positive, above and _density(above),
    ]  # fmt: skip


# ---- from data -----------------------------------------------------------------------------------


def decode(data: Data, file: str) -> list[Derivation]:
    """The derivations, as if `file` had just been loaded. ValueError for what is none."""
    found: dict[str, Derivation] = {}
    try:
        if sum(len(c["steps"]) for d in data for c in d["chains"]) > LONGEST:
            raise ValueError(f"more than {LONGEST} lines")
        for each in data:
            derivation = _decode_derivation(each, file, found)
            if derivation.short_name in found:
                raise ValueError(f"two derivations are called {derivation.short_name}")
            found[derivation.short_name] = derivation
    except (NotationError, LookupError, TypeError, AttributeError, *TOO_MUCH) as error:
        raise ValueError(f"no derivation: {type(error).__name__}: {error}") from error
    return list(found.values())


def _decode_derivation(data: Data, file: str, earlier: dict[str, Derivation]) -> Derivation:
    chains = list(data["chains"])

    def build(d: Derivation, *values: int) -> None:
        if not d.chains:
            for sign, left, right in data["given"]:
                d.given_that(_comparison(sign, _tree(left), _tree(right)))
        for chain in chains:
            if chain["case"] == list(values):
                _replay(d, chain, earlier)

    build.__name__ = _word(data["name"])
    cases = {_word(name): tuple(values) for name, values in data["cases"].items()}
    takes, dims = tuple(map(_tree, data["takes"])), tuple(data["dims"])
    if not all(isinstance(t, (Symbol, Dens)) for t in takes):
        raise NotationError("takes: expected letters and densities")
    if not isinstance(data["title"], str) or not isinstance(data["instances"], bool):
        raise NotationError("title: expected text")
    place = (file, int(data["line"]))
    return Derivation(build, data["title"], takes, dims, cases, data["instances"], place)


def _replay(d: Derivation, data: Data, earlier: dict[str, Derivation]) -> None:
    """Write a chain again, line by line, and give the lines the numbers they had."""
    name = data["name"]
    d.at_line = int(data["line"])
    d.start(_tree(data["start"]), None if name is None else str(name))
    write = {"=": d.equals, ">=": d.at_least, "<=": d.at_most}
    for step in data["steps"]:
        to = ... if step["to"] is None else _tree(step["to"])
        because: Any = ...
        if step["because"] is not None:
            because = tuple(_reason(b, earlier) for b in step["because"])
        d.at_line = int(step["line"])
        write[step["relation"]](to, step["by"], because)  # type: ignore[arg-type]
    for this, other in data["tight"]:
        d.tight_when(_tree(this), _tree(other))


def _reason(data: Data, earlier: dict[str, Derivation]) -> Node | Lemma:
    if data[0] != "Lemma":
        return _tree(data)
    _, topic, name, at, arguments = data
    chapter = (
        earlier if topic is None else {d.short_name: d for d in book.chapter(topic).derivations}
    )
    if name not in chapter:
        raise NotationError(f"there is no earlier result {name!r}")
    source = chapter[name]
    return Part(source, source.chains[at])(*map(_tree, arguments))


def _word(name: Data) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise NotationError(f"name={name!r}: expected a word")
    return name


def _comparison(sign: str, left: Node, right: Node) -> Relation:
    if sign not in (">=", "<=", ">", "<"):
        raise NotationError(f"sign={sign!r}: expected a comparison")
    return Relation(left, sign, right)


def _tree(data: Data) -> Node:
    made: Node = _READ[data[0]](*data[1:])
    return made


def _symbol(data: Data) -> Node:
    name, domain, shape, variable, space = data
    if shape not in ("", "vector", "covariance") or not isinstance(variable, bool):
        raise NotationError(f"{name!r} is no letter")
    return Symbol(name, domain=domain, shape=shape, variable=variable, space=_text(space))


def _text(name: Data) -> str:
    if not isinstance(name, str):
        raise NotationError(f"name={name!r}: expected text")
    return name


def _apply(data: Data, *args: Data) -> Node:
    name, traits, order = data
    if traits not in ([], ["convex"], ["conjugate"], ["positive"]) or order not in (0, 1):
        raise NotationError(f"{name!r} is no function")
    function = notation.Function(name, _traits=tuple(traits))
    return (function if order == 0 else function.prime)(*map(_tree, args))


def _family(data: Data) -> notation.Density:
    name, events, given, positive, above = data
    if not isinstance(positive, bool):
        raise NotationError(f"{name!r} is no density")
    letters: list[Any] = [_tree(e) for e in events]
    return notation.Density(
        name, *letters, given=tuple(_tree(g) for g in given),  # type: ignore[misc]
        positive=positive, dominates=None if above is None else _family(above),
    )  # fmt: skip


def _dens(family: Data, events: Data, givens: Data) -> Node:
    *first, last = map(_tree, events)
    given = tuple(map(_tree, givens))
    return _family(family)(*first, last | given if given else last)  # type: ignore[operator]


def _divergence(kind: Data, p: Data, q: Data, *bound: Data) -> Node:
    if kind not in ("KL", "JS", "TV"):
        raise NotationError(f"{kind!r} is no divergence")
    return notation._divergence(kind, _tree(p), _tree(q), _letters(bound))


def _entropy(p: Data, *bound: Data) -> Node:
    return Entropy(_tree(p), _letters(bound))


def _letters(bound: tuple[Data, ...]) -> tuple[Symbol, ...]:
    return notation._variables(tuple(map(_tree, bound)), "a binder")


def _big(kind: Data, body: Data, index: Data, low: Data, high: Data) -> Node:
    add_up = {"sum": notation.total, "prod": notation.product}[kind]
    return add_up(_tree(body), _tree(index), _tree(low), _tree(high))  # type: ignore[arg-type]


_READ: dict[str, Any] = {
    "Number": lambda value: Number(Fraction(_text(value))),
    "Pi": Pi,
    "Identity": Identity,
    "Symbol": _symbol,
    "Named": lambda data, body: Named(_text(data[0]), _tree(body)),
    "Indexed": lambda data, index: notation.Sequence(*data)[_tree(index)],
    "Fn": lambda data, *args: Fn(data[0], *map(_tree, args)),
    "Apply": _apply,
    "Dens": _dens,
    "Expect": lambda body, *dists: notation.E(tuple(map(_tree, dists)), _tree(body)),
    "Integral": lambda body, *bound: notation.integral(_tree(body), *_letters(bound)),
    "Divergence": _divergence,
    "Entropy": _entropy,
    "Deriv": lambda body, var: notation.diff(_tree(body), _tree(var)),  # type: ignore[arg-type]
    "Big": _big,
    **{
        c.__name__: lambda *args, c=c: c(*map(_tree, args))
        for c in (Add, Mul, Neg, Div, Pow, Normal)
    },
}
