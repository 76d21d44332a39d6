"""One step at a time: by which rule of the kernel a function at arguments is another term."""

from __future__ import annotations

from genmath.proof.coq.linear import meaning
from genmath.proof.coq.normals import vector_density
from genmath.proof.coq.reading import DERIVATIVE
from genmath.proof.coq.rules import (
    by_indicator,
    by_map,
    collected,
    common,
    constant,
    density,
    doubled,
    expanded,
    factored,
    finite,
    halves,
    multiplied_out,
    opened,
    outside,
    plainer,
    reduced,
    root_of,
    rooted,
    scaled,
    turned,
)
from genmath.proof.coq.signs import Signs
from genmath.proof.coq.terms import Term, add, app, div, mul, neg, num, power, replaced

ONE, TWO = num(1), num(2)
Asked = list[tuple[str, Term]]  # what the rule needs: "<", "<=" or "!=", and of which term
# The rule, the term it gives, what it needs. The rule "same": the argument is rewritten first.
Expansion = tuple[str, Term, Asked]


def expansion(term: Term, signs: Signs) -> Expansion | None:
    """None if it stays as it is, or takes more than a local rule."""
    inner = term.args[0] if term.args else ONE
    match term.data:
        case "ln":
            return _ln(inner, signs)
        case "exp":
            return _exp(inner, signs)
        case "sqrt":
            return _sqrt(inner, signs)
        case "Rabs":
            if signs.nonnegative(inner):
                return "abs_plus", inner, [("<=", inner)]
            if signs.nonnegative(neg(inner)):
                return "abs_minus", neg(inner), [("<=", neg(inner))]
            if signs.apart and signs.indicator:
                return "size", by_indicator(inner, signs), []
            return _size(inner, signs)
        case "normal" if signs.normals:
            return "normal", density(term), []
        case "log_gap":
            return "log_gap", add(inner, neg(ONE), neg(app("ln", inner))), []
        case "power" if new := finite(term, signs):
            return "power", new, [("<", inner)]
    if signs.everywhere and (law := vector_density(term, signs)):
        return "normals", law, []
    if signs.apart and (known := by_map(term, signs)):
        again = known.op == "app" and known.data == term.data
        return "same" if again else "instance", known, []
    if signs.apart and (known := reduced(term, signs)):
        return "same", known, []
    head = signs.heads.get(term.data)
    if signs.laws and head is not None and head.ratio:
        at = {f"a{k}": a for k, a in enumerate(term.args, 1)}
        return "ratio", div(*(replaced(t, at) for t in head.ratio)), []
    if signs.laws and signs.apart and head is not None and head.chain:
        at = {f"a{k}": a for k, a in enumerate(term.args, 1)}
        return "chain", mul(*(replaced(t, at) for t in head.chain)), []
    if signs.laws and head is not None and head.means:
        new = meaning(term, head)
        return None if new == term else ("meaning", new, [])
    return None


def _ln(u: Term, signs: Signs) -> Expansion | None:
    match u.op:
        case "num" if u.data == 1:
            return "ln_one", num(0), []
        case "num" if signs.apart and (factors := factored(u.data)):
            powers = [power(num(p), k) for p, k in factors]
            return "same", app("ln", mul(*powers)), []
        case "num" if u.data.denominator != 1 and u.data > 0:
            return "same", app("ln", _quotient(u)), []
        case "mul" if all(map(signs.positive, u.args)):
            return "ln_product", add(*(app("ln", a) for a in u.args)), [("<", a) for a in u.args]
        case "div" if all(map(signs.positive, u.args)):
            over, under = u.args
            return (
                "ln_quotient",
                add(app("ln", over), neg(app("ln", under))),
                [("<", over), ("<", under)],
            )
        case "pow" if signs.positive(u.args[0]):
            return "ln_power", mul(num(u.data), app("ln", u.args[0])), [("<", u.args[0])]
        case "add" if signs.apart and (parts := signs.fraction(opened(u, signs))):
            return "same", app("ln", div(*parts)), []
        case "add" if signs.apart and (parts := common(u, signs)):
            return "same", app("ln", mul(*parts)), []
        case "app" if signs.apart and (outer := outside(u, signs)):
            return "same", app("ln", mul(*outer)), []
        case "app" if signs.apart and (new := finite(u, signs)):
            return "same", app("ln", new), []
        case "app" if u.data == "exp":
            return "ln_exp", u.args[0], []
        case "app" if u.data == "sqrt" and signs.positive(u.args[0]):
            return "ln_sqrt", div(app("ln", u.args[0]), TWO), [("<", u.args[0])]
        case "app" if signs.everywhere and (law := vector_density(u, signs)):
            return "same", app("ln", law), []
        case "app" if u.data == "normal" and signs.positive(u.args[2]):
            return "same", app("ln", density(u)), []
        case "app" if signs.laws and (h := signs.heads.get(u.data)) and (h.ratio or h.chain):
            found = expansion(u, signs)
            return None if found is None else ("same", app("ln", found[1]), [])
    return None


def _size(u: Term, signs: Signs) -> Expansion | None:
    match u.op:
        case "app" if signs.apart and (new := by_map(u, signs)):
            return "same", app("Rabs", new), []
        case "app" if signs.apart and u.data == DERIVATIVE and (new := expanded(u, signs)):
            return "same", app("Rabs", new), []
        case "div" if signs.apart and signs.nonzero(u.args[1]):
            return "abs_quotient", div(*(app("Rabs", a) for a in u.args)), [("!=", u.args[1])]
        case "neg" if signs.apart:
            return "abs_even", app("Rabs", u.args[0]), []
        case "mul" if signs.apart:
            return "abs_product", mul(*(app("Rabs", a) for a in u.args)), []
        case "add" if signs.apart and (other := plainer(u) or scaled(u, signs)):
            return "same", app("Rabs", other), []
        case "add" if signs.apart and (other := turned(u)):
            return "same", app("Rabs", neg(other)), []
    return None


def _exp(u: Term, signs: Signs) -> Expansion | None:
    if signs.everywhere and (other := collected(u, signs)) != u:
        return "same", app("exp", other), []
    match u.op:
        case "num" if u.data == 0:
            return "exp_zero", ONE, []
        case "neg":
            return "exp_minus", div(ONE, app("exp", u.args[0])), []
        case "add":
            return "exp_sum", mul(*(app("exp", a) for a in u.args)), []
        case "app" if u.data == "ln" and signs.positive(u.args[0]):
            return "exp_ln", u.args[0], [("<", u.args[0])]
        case "mul" | "div" | "app" if signs.apart and (new := multiplied_out(u, signs)):
            return "same", app("exp", new), []
        case "mul" | "div" if signs.apart and (twice := doubled(u)):
            return "same", app("exp", app("ln", app("sqrt", app("exp", twice)))), []
    return None


def _sqrt(u: Term, signs: Signs) -> Expansion | None:
    value = constant(u)
    if u.op == "pow" and u.data == 2 and signs.nonnegative(u.args[0]):
        return "sqrt_square", u.args[0], [("<=", u.args[0])]
    if value is not None and (root := root_of(value)) is not None:
        return "same", app("sqrt", power(num(root), 2)), []
    if signs.apart and u.op == "add" and (other := plainer(u)):
        return "same", app("sqrt", other), []
    match u.op:
        case "num" if u.data.denominator != 1:
            return "same", app("sqrt", _quotient(u)), []
        case "mul" if all(map(signs.nonnegative, u.args)):
            return (
                "sqrt_product",
                mul(*(app("sqrt", a) for a in u.args)),
                [("<=", a) for a in u.args],
            )
        case "div" if signs.nonnegative(u.args[0]) and signs.positive(u.args[1]):
            over, under = u.args
            return (
                "sqrt_quotient",
                div(app("sqrt", over), app("sqrt", under)),
                [("<=", over), ("<", under)],
            )
        case "pow" if signs.apart and u.data > 2 and signs.nonnegative(u.args[0]):
            whole = mul(*(power(u.args[0], k) for k in halves(u.data)))
            return "same", app("sqrt", whole), []
        case "add" if signs.apart and (parts := rooted(u, signs)):
            return "same", app("sqrt", parts), []
    return None


def _quotient(u: Term) -> Term:
    return div(num(u.data.numerator), num(u.data.denominator))
