"""A derivation as plain data, and back.

Somebody else's file is run in a process of its own; what comes out of it is only data. `decode`
builds the derivation anew, by the functions an author calls, so it can hold nothing that an author
could not have written: no step that starts where the last one did not end, and no checker of the
file's own.
"""

from __future__ import annotations

from collections.abc import Sequence as List
from pathlib import Path
from typing import Any

from genmath import book
from genmath.proof.language.data import decode_tree, encode_tree
from genmath.proof.language.derivation import Chain, Derivation, Lemma, Part, Step
from genmath.proof.language.tree import (
    Dens,
    Node,
    NotationError,
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
        "takes": [encode_tree(t) for t in d.takes],
        "given": [_relation(g) for g in d.given],
        "chains": [_chain(c, d.file) for c in d.chains],
    }  # fmt: skip


def _chain(chain: Chain, file: str) -> Data:
    return {
        "start": encode_tree(chain.start), "line": chain.line, "name": chain.name,
        "case": [value for _, value in chain.case],
        "tight": [[encode_tree(this), encode_tree(other)] for this, other in chain.tight],
        "steps": [_step(s, file) for s in chain.steps],
    }  # fmt: skip


def _step(step: Step, file: str) -> Data:
    because = [_lemma(b, file) if isinstance(b, Lemma) else encode_tree(b) for b in step.because]
    return {
        "relation": step.relation, "by": step.by, "line": step.line,
        "to": None if step.missing else encode_tree(step.rhs),
        "because": None if step.uncertified else because,
    }  # fmt: skip


def _lemma(lemma: Lemma, file: str) -> Data:
    source = lemma.source
    topic = None if Path(source.file) == Path(file) else source.topic
    if topic is not None and Path(source.file).parent != book.folder():
        raise NotationError(f"{source.name} is a result of another file, {source.file}")
    at = next(i for i, chain in enumerate(source.chains) if chain is lemma.chain)
    return ["Lemma", topic, source.short_name, at, [encode_tree(a) for _, a in lemma.arguments]]


def _relation(g: Relation) -> Data:
    return [g.sign, encode_tree(g.left), encode_tree(g.right)]


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
                d.given_that(_comparison(sign, decode_tree(left), decode_tree(right)))
        for chain in chains:
            if chain["case"] == list(values):
                _replay(d, chain, earlier)

    build.__name__ = _word(data["name"])
    cases = {_word(name): tuple(values) for name, values in data["cases"].items()}
    takes, dims = tuple(map(decode_tree, data["takes"])), tuple(data["dims"])
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
    d.start(decode_tree(data["start"]), None if name is None else str(name))
    write = {
        "=": d.equals, ">=": d.at_least, "<=": d.at_most, ">": d.more_than, "<": d.less_than,
    }  # fmt: skip
    for step in data["steps"]:
        to = ... if step["to"] is None else decode_tree(step["to"])
        because: Any = ...
        if step["because"] is not None:
            because = tuple(_reason(b, earlier) for b in step["because"])
        d.at_line = int(step["line"])
        write[step["relation"]](to, step["by"], because)  # type: ignore[arg-type]
    for this, other in data["tight"]:
        d.tight_when(decode_tree(this), decode_tree(other))


def _reason(data: Data, earlier: dict[str, Derivation]) -> Node | Lemma:
    if data[0] != "Lemma":
        return decode_tree(data)
    _, topic, name, at, arguments = data
    chapter = (
        earlier if topic is None else {d.short_name: d for d in book.chapter(topic).derivations}
    )
    if name not in chapter:
        raise NotationError(f"there is no earlier result {name!r}")
    source = chapter[name]
    return Part(source, source.chains[at])(*map(decode_tree, arguments))


def _word(name: Data) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise NotationError(f"name={name!r}: expected a word")
    return name


def _comparison(sign: str, left: Node, right: Node) -> Relation:
    if sign not in ("=", ">=", "<=", ">", "<"):
        raise NotationError(f"sign={sign!r}: expected a comparison")
    return Relation(left, sign, right)
