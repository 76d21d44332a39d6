"""Certificates altered at random, by a seed: and whether another claim that is proved is true."""

from __future__ import annotations

import copy
import json
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from genmath.proof.kernel import Line, Rejected, check
from genmath.proof.kernel.claims import Claim, Function
from genmath.proof.kernel.document import UNFORESEEN
from genmath.proof.kernel.terms import Fact, Term, at
from tests.proof import worlds

WORDS = (
    ("+", "*", "/"), ("<", "<=", ">", ">=", "=", "!="), ("ln", "exp", "sqrt", "abs", "sin", "cos"),
    ("identity", "combination"), ("same", "iterated", "keeps"), ("instance", "result", "value"),
    ("exp_sum", "exp_minus", "ln_product", "ln_quotient"),
    ("abs_plus", "abs_minus", "abs_even", "abs_product"),
    ("sqrt_product", "sqrt_quotient", "sqrt_square"),
    ("last", "count", "empty"), ("keeps", "logs"), ("sum", "product"),
    ("given", "whole"), ("exp", "ln", "power"),
    ("linear", "margin", "moment", "flux", "meaning", "ratio", "chain", "slope"),
    ("sift", "normals", "moments", "moment"), ("unit", "points", "by"), ("unit", "entry"),
    ("square", "inverse", "root", "sqrt", "exp", "abs", "abs_above", "abs_below", "abs_most",
     "circle", "support", "divergence"),
    ("sum", "integral", "between", "expectation"), ("KL", "JS", "TV", "H"),
    ("ratio", "chain", "margins"), ("values", "ranges"), ("each", "margins"), ("smooth", "line"),
    ("given", "always"),
)  # fmt: skip
Place = tuple[Any, Any]  # a list or an object, and where in it


def places(said: Any) -> list[Place]:
    found: list[Place] = []
    left = [said]
    while left:
        holder = left.pop()
        for key in holder if isinstance(holder, dict) else range(len(holder)):
            found.append((holder, key))
            if isinstance(holder[key], (list, dict)):
                left.append(holder[key])
    return found


def altered(line: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A line with one alteration: at one place, or of one word wherever it stands."""
    new = json.loads(json.dumps(line))
    inside = places(new["proof"])
    found = places(new["claim"]) + inside
    holder, key = chance.choice(inside if inside and chance.random() < 0.7 else found)
    what = chance.choice(WAYS)
    what(new, holder, key, found, chance)
    return new


def _dropped(_: Any, holder: Any, key: Any, __: Any, chance: random.Random) -> None:
    del holder[key]


def _doubled(_: Any, holder: Any, key: Any, __: Any, chance: random.Random) -> None:
    if isinstance(holder, list):
        holder.insert(chance.randrange(len(holder) + 1), copy.deepcopy(holder[key]))


def _swapped(_: Any, holder: Any, key: Any, __: Any, chance: random.Random) -> None:
    other = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key], holder[other] = holder[other], holder[key]


def _other(_: Any, holder: Any, key: Any, found: list[Place], chance: random.Random) -> None:
    """A number, a sign or a word near by."""
    holder[key] = _near(holder[key], chance)


def _near(value: Any, chance: random.Random) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value + chance.choice((-2, -1, 1, 2))
    if isinstance(value, str):
        if value.lstrip("-").replace("/", "").isdigit():
            return str(chance.choice((-Fraction(value), Fraction(value) + 1, Fraction(0))))
        kin = [w for group in WORDS if value in group for w in group if w != value]
        if kin:
            return chance.choice(kin)
    return ["-", value]


def _another(_: Any, holder: Any, key: Any, found: list[Place], chance: random.Random) -> None:
    """What stands at some other place."""
    there, where = chance.choice(found)
    holder[key] = copy.deepcopy(there[where])


def _wrapped(_: Any, holder: Any, key: Any, __: Any, chance: random.Random) -> None:
    holder[key] = chance.choice(
        (["-", holder[key]], ["*", "2", holder[key]], ["^", holder[key], 2])
    )


def _everywhere(new: Any, holder: Any, key: Any, found: list[Place], chance: random.Random) -> None:
    """One word for another, in claim and proof."""
    words = sorted({h[k] for h, k in found if isinstance(h[k], str)})
    old = holder[key] if isinstance(holder[key], str) else chance.choice(words)
    other = chance.choice((_near(old, chance), chance.choice(words)))
    for there, where in found:
        if isinstance(there[where], str) and there[where] == old:
            there[where] = other
    for functions in (new["claim"].get("functions"),):
        if isinstance(functions, dict) and old in functions and isinstance(other, str):
            functions[other] = functions.pop(old)


WAYS = (_dropped, _doubled, _swapped, _other, _another, _wrapped, _everywhere, _everywhere)


def outcome(line: dict[str, Any]) -> Line | None:
    """What the kernel says; None if it is no certificate at all."""
    document = {"format": 1, "derivation": "test.it", "lines": [{**line, "line": 1}]}
    try:
        return check(json.dumps(document)).lines[0]
    except Rejected:
        return None


def attack(line: dict[str, Any], times: int, seed: Any) -> Counter[str]:
    """How the kernel takes alterations: what must not occur is a false claim that is proved."""
    chance, counts = random.Random(repr(seed)), Counter[str]()
    for _ in range(times):
        new = altered(line, chance)
        found = outcome(new) if new != line else None
        if new == line:
            counts["unchanged"] += 1
        elif found is None or found.rejected:
            assert found is None or UNFORESEEN not in found.rejected, json.dumps(new)
            counts["rejected"] += 1
        elif found.said == line["claim"]:
            counts["same claim"] += 1
        else:
            assert found.claim is not None
            counts["another claim"] += 1
            is_ = truth(found.claim, chance)
            if is_ == "not evaluated":
                is_ = worlds.truth(found.claim, random.Random(repr(seed)), found.supposed)
                is_ = is_.replace("true", "true in some worlds")
            counts[f"another claim, {is_}"] += 1
            if is_ == "FALSE":
                raise AssertionError(json.dumps(new))
    return counts


# --- whether a claim is true, at random numbers


class NoValue(ArithmeticError):
    """Nothing is to be said of it here."""


def truth(claim: Claim, chance: random.Random) -> str:
    """Under what is given, and the earlier results that it may rest on."""
    supposed = [*claim.given, *(result for _, result in claim.results)]
    for f in claim.functions.values():
        if (any(f.takes) and not f.steps) or f.ratio or f.chain or f.margins or f.slope or f.values:
            return "not evaluated"
    seen = 0
    for _ in range(400):
        letters = {
            n: chance.choice((1, -1, 0.1, 3)) * chance.random() for n in sorted(claim.read.letters)
        }
        letters |= {n: float(chance.randint(-2, 6)) for n in sorted(claim.whole)}
        letters["PI"] = math.pi
        seed = chance.random()
        try:
            instances = _instances(claim, letters, seed, chance)
            if all(_holds(f, letters, claim.functions, seed, 0.0) for f in (*supposed, *instances)):
                seen += 1
                if not _holds(claim.states, letters, claim.functions, seed, 1e-5):
                    return "FALSE"
        except (NoValue, ValueError, OverflowError, ZeroDivisionError):
            continue
        if seen > 8:
            return "true"
    return "true" if seen else "not evaluated"


def _instances(claim: Claim, letters: Any, seed: float, chance: random.Random) -> Iterator[Fact]:
    """What is given of all numbers, of letters of the claim."""
    for m, premises, fact in claim.always:
        for _ in range(20):
            names = [chance.choice(sorted(letters)) for _ in range(m)]
            if all(_holds(at(p, names), letters, claim.functions, seed, 0.0) for p in premises):
                yield at(fact, names)


def _holds(fact: Fact, letters: Any, functions: Any, seed: float, slack: float) -> bool:
    sign, left, right = fact
    a, b = (_value(t, letters, functions, seed) for t in (left, right))
    slack *= 1 + abs(a) + abs(b)
    if max(abs(a), abs(b)) > 1e8:
        raise NoValue
    match sign:
        case "=":
            return abs(a - b) <= slack
        case "!=":
            return a != b
    return a <= b + slack if sign == "<=" else a < b + slack


def _value(
    t: Term,
    letters: Any,
    functions: dict[str, Function],
    seed: float,
    bound: tuple[float, ...] = (),
) -> float:
    def at(a: Term) -> float:
        return _value(a, letters, functions, seed, bound)

    if isinstance(t, Fraction):
        return float(t)
    if isinstance(t, str):
        return float(letters[t])
    match t[0]:
        case "^":
            return float(at(t[1]) ** t[2])
        case "#" if t[1] < len(bound):
            return bound[t[1]]
        case "Deriv":
            return _slope(
                lambda x: _value(t[1][2], letters, functions, seed, (x, *bound)), at(t[2])
            )
    if (f := functions.get(t[0])) and f.steps:
        a, b = at(t[2]), at(t[3])
        if not -100 < a < b + 100 < 200:
            raise NoValue
        places = [a + k for k in range(int(b - a) + 2) if a + k <= b]
        values = [_value(t[1][2], letters, functions, seed, (x, *bound)) for x in places]
        return math.fsum(values) if f.kind == "sum" else math.prod(values)
    if any(isinstance(a, tuple) and a[0] == "=>" for a in t[1:]):
        raise NoValue
    args = [at(a) for a in t[1:]]
    match t[0]:
        case "+":
            return math.fsum(args)
        case "*":
            return math.prod(args)
        case "-":
            return -args[0]
        case "/":
            return args[0] / args[1]
        case "abs":
            return abs(args[0])
        case "ln":
            return math.log(args[0])
        case "power":
            return math.exp(args[1] * math.log(args[0]))
        case "exp" | "sqrt" | "sin" | "cos":
            return float(getattr(math, t[0])(args[0]))
        case "log_gap":
            return args[0] - 1 - math.log(args[0])
        case "normal":
            x, m, v = args
            return math.exp(-((x - m) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)
    if functions[t[0]].kind == "indicator":
        return float(args[0] > 0)
    place = random.Random(f"{t[0]}{seed}").random()
    return math.sin(place + sum((k + 1 + place) * a for k, a in enumerate(args)))


def _slope(f: Callable[[float], float], x: float) -> float:
    """By differences; where two steps do not agree, or are lost beside x, there is no saying."""
    if abs(x) > 100:
        raise NoValue
    wide, near = ((f(x + h) - f(x - h)) / (2 * h) for h in (1e-4, 5e-5))
    if abs(wide - near) > 1e-5 * (1 + abs(near)):
        raise NoValue
    return near


def main() -> None:
    """`python -m tests.proof.alterations DIR 240`: so many alterations of each line of DIR."""
    folder, times = sys.argv[1:]
    total = Counter[str]()
    for file in sorted(Path(folder).glob("*.json")):
        for line in json.loads(file.read_text("utf-8"))["lines"]:
            if "proof" in line:
                total += attack(line, int(times), (file.name, line["line"]))
    print(*(f"{count:8} {what}" for what, count in total.most_common()), sep="\n")


if __name__ == "__main__":
    main()
