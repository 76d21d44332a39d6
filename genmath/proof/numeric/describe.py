"""The part of a world that a claim used, written for a reader."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from genmath.proof.language.text import text
from genmath.proof.language.tree import MASS, Node
from genmath.proof.numeric.arithmetic import FLOAT, Arithmetic
from genmath.proof.numeric.survey import Key, Survey
from genmath.proof.numeric.worlds import COMPONENTS, World, each


def describe(world: World, keys: Iterable[Key], arithmetic: Arithmetic) -> dict[str, Any]:
    """Letters, spaces, densities and functions by name; JSON-able."""
    out: dict[str, dict[str, Any]] = {
        "parameters": {}, "spaces": {}, "densities": {}, "functions": {}
    }  # fmt: skip
    spaces: set[str] = set()
    densities: set[str] = set()
    for key in keys:
        kind = key[0]
        if kind == "param":
            out["parameters"][key[1]] = world.raw("param", *key[1:])
        elif kind == "natural":
            out["parameters"][key[1]] = world.raw(kind, key[1])
        elif kind in ("vector", "covariance", "matrix"):
            out["parameters"][key[1]] = _entries(world, kind, key[1])
        elif kind == "seq":
            members = world.value(arithmetic, key)
            out["parameters"].update(
                {f"{key[1]}[{i}]": float(v) for i, v in sorted(members.items())}
            )
        elif kind in ("range", "weights", "coordinate"):
            spaces.add(key[1])
        elif kind in ("dens", "mixweight", "mixmean", "norm", "logit", "mask"):
            densities.add(key[1])
        elif kind == "fn":
            out["functions"][key[1]] = _formula(world, key[1], key[2]) + _over(world, key[1])
        elif kind == "convex":
            out["functions"][key[1]] = _convex_formula(world, key[1])
        elif kind == "map":
            out["functions"][key[1]] = _map_formula(world, *key[1:3])
        elif kind == "ftab":
            spaces.update(key[2])
            out["functions"][f"{key[1]}({', '.join(key[2])})"] = world.raw("ftab", *key[1:])
    for name in sorted(densities):
        density = world.survey.densities[name]
        spaces.update(s for s in density.event_slots + density.given_slots if world.is_discrete(s))
        out["densities"].update(_density_text(world, density, arithmetic))
    for space in sorted(spaces):
        entry: dict[str, Any] = {"weights": world.raw("weights", space)}
        if any(k[0] == "coordinate" and k[1] == space for k in keys):
            points = world.raw("coordinates", space)
            entry["points"] = [p[0] if len(p) == 1 else p for p in points]
        out["spaces"][space] = entry
    return {name: part for name, part in out.items() if part}


def _over(world: World, name: str) -> str:
    """What else makes a function a probability."""
    traits = world.survey.functions.get(name, ())
    return ", over its sum" if any(t.startswith(MASS) for t in traits) else ""


def _entries(world: World, kind: str, name: str) -> list[Any]:
    """The entries of a vector or matrix."""
    rows, columns = world.extent(name)

    def at(*place: int) -> float:
        return round(float(world.value(FLOAT, (kind, name, *place))), 6)

    if kind == "vector":
        return [at(i) for i in range(rows)]
    return [[at(i, j) for j in range(columns)] for i in range(rows)]


def kinds(survey: Survey, worlds: Sequence[World]) -> str:
    """What these worlds are made of, in words."""
    slots = {s for d in survey.densities.values() for s in d.event_slots + d.given_slots}
    found = ["discrete tables"] if slots - survey.real else []
    if real := slots & survey.real:
        vectors = any(survey.shapes.get(s) for s in real)
        dims = sorted({w.dim for w in worlds})
        where = f"for d = {', '.join(map(str, dims))}" if vectors else "on the line"
        found.append(f"Gaussian mixtures {where}")
    if survey.functions:
        found.append("random functions")
    free = {k for k, v in survey.symbols.items() if not v.is_variable} | set(survey.sequences)
    return " and ".join(found) or ("random values of the letters" if free else "")


def _formula(world: World, name: str, count: int) -> str:
    f = world.raw("fn", name, count)
    letters = ["u"] if count == 1 else [f"u{i + 1}" for i in range(count)]
    terms = [f"{f['c']}"]
    terms += [f"{d} {u}" for d, u in zip(f["d"], letters, strict=True)]
    terms += [
        f"{e} {letters[i]}^2" if i == j else f"{e} {letters[i]} {letters[j]}"
        for (i, j), e in f["e"].items()
    ]
    inner = " + ".join(f"{b} {u}" for b, u in zip(f["b"], letters, strict=True))
    match world.family:
        case "polynomial":
            terms.append(f"{abs(f['a'])} (({inner})^3 + ({inner})^4)")
        case "bump" | "located":
            terms = [terms[0], f"{f['a']}/(1 + (4 ({inner}))^2)"]
        case "oscillating":
            terms = [terms[0], f"{f['a']} sin(20 ({inner}))"]
        case "kinked":
            terms.append(f"{f['a']} sqrt(0.0001 + ({inner} + {terms[0]})^2)")
        case "fading":
            terms = [f"{f['a']} exp(-(4 ({inner}))^2)"]
        case _:
            terms.append(f"{f['a']} exp({inner})")
    body = " + ".join(terms).replace("+ -", "- ")
    squares = " + ".join(f"{u}^2" for u in letters)
    decay = f" exp(-({squares})/2)" if world.family == "located" else ""
    low, high = world.survey.bounds.get(("fn", name), (-math.inf, math.inf))
    if math.isfinite(low) and math.isfinite(high):
        body = f"{low} + ({high} - {low}) sigmoid({body})"
    elif world.family == "fading" and (math.isfinite(low) or math.isfinite(high)):
        fading = f"exp(-(4 ({inner}))^2)"
        body = f"{low} + {fading}" if math.isfinite(low) else f"{high} - {fading}"
    elif math.isfinite(low):
        polynomial = world.family == "polynomial"
        body = f"{low} + 0.05 + ({body})^2" if polynomial else f"{low} + exp(({body})/2){decay}"
    elif math.isfinite(high):
        polynomial = world.family == "polynomial"
        body = f"{high} - 0.05 - ({body})^2" if polynomial else f"{high} - exp(({body})/2){decay}"
    elif decay:
        body = f"({body}){decay}"
    return f"{name}({', '.join(letters)}) = {body}".replace("- -", "+ ")


def _convex_formula(world: World, name: str) -> str:
    f = world.raw("convex", name)
    body = f"{f['a']} (1 + ({f['r']} (u - {f['s']}))^2)^(3/2) + {f['b']} u + {f['c']}"
    return f"{name}(u) = {body}".replace("+ -", "- ").replace("- -", "+ ")


def _map_formula(world: World, name: str, kind: str) -> str:
    f = world.raw("map", name, kind)
    left = "b(v)" if world.family != "bump" else "v"
    right = "b(w)" if world.family != "polynomial" else "w"
    u, w = f"v = {f['r']} (u - {f['s']})", f"w = {f['q']} ({name}(u) - {f['m']})"
    said = f"{left} = {f['k']} {right} where {u}, {w}, b(v) = v sqrt(1 + v^2)"
    return said.replace("- -", "+ ")


def _density_text(world: World, density: Any, a: Arithmetic) -> dict[str, Any]:
    events, real_events, givens, real_givens = world.layout(density)
    label = f"{density.name}({', '.join(density.event_slots)}"
    label += f" | {', '.join(density.given_slots)})" if density.given_slots else ")"
    if not real_events and not real_givens:
        table = world.value(a, ("dens", density.name, density.event_slots, density.given_slots))
        return {label: each(table, lambda v: round(float(v), 6))}
    m = world.raw("mixture", density.name)
    cells = world.cells(events + givens)
    text: dict[str, Any] = {"real": "Gaussian mixture", "covariance_factors": m["lower"]}
    if events:
        text = {"softmax_logits": {str(c): m["logit"][c] for c in world.cells(events + givens)}}
        text["positive_at"] = [str(c) for c, on in world.raw("mask", density.name).items() if on]
    if real_events:
        text["first_weight"] = {str(c): m["weight"][c] for c in world.cells(events + givens)}
        text["means"] = {str(c): [m["mean"][k][c] for k in range(COMPONENTS)] for c in cells}
    if real_givens:
        text["depends_through"] = {
            "tanh_scales": m["kappa"],
            "tilts": m["tilt"],
            "slopes": m["slope"],
        }
    return {label: text}


def without_value(
    whole: Node, keys: Iterable[Key], world: World, fails: str, seen: Sequence[float],
    wanted: str = "finite",
) -> dict[str, Any]:  # fmt: skip
    """What shows that a tree has no value, in windows, or at places farther and farther out."""
    return {
        "reason": f"{text(whole)} {fails}",
        "dimension": world.dim,
        "world": describe(world, keys, FLOAT),
        "lhs": text(whole),
        "rhs": wanted,
        "difference": ", ".join(f"{s:.4g}" for s in seen),
        "digits": 16,
        "windows": [float(f"{s:.6g}") for s in seen],
    }
