"""Steps that are algebra as theorems for Coq: what they state, what is left out, and what coqc
says of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from genmath import book
from genmath.proof import (
    KL,
    Density,
    E,
    Function,
    Normal,
    absolute,
    copies,
    derivation,
    diff,
    dot,
    equal,
    exp,
    fractions,
    integral,
    log,
    matrices,
    mean_vectors,
    norm2,
    number,
    positives,
    reals,
    sqrt,
    variables,
)
from genmath.proof.coq import files, library
from genmath.proof.coq.script import NoProof
from genmath.proof.coq.theorem import Statement, Theorem, theorem
from genmath.proof.language.claims import Claim, as_claim
from genmath.proof.language.derivation import Derivation
from genmath.proof.language.tree import Relation
from tests.cli.command import ROOT, run

a, b, c = reals("a b c")
s, t = positives("s t")
u = fractions("u")
x, z = variables("x z")
y = variables("y", domain="positive")
p = Density("p", x)
q = Density("q", z, given=x, positive=True)
r = Density("r", y, z, positive=True)
f = Function("f")
v, w = mean_vectors("v w")
m = matrices("m")

needs_coqc = pytest.mark.skipif(shutil.which("coqc") is None, reason="coqc is not installed")


def stated(claim: Claim | Relation) -> str:
    """What the theorem says, in one line."""
    return " ".join(Statement(as_claim(claim)).text().split())


def shown(claim: Claim | Relation) -> Theorem:
    return theorem(as_claim(claim))


TRUE = [
    equal((a + b) ** 2, a**2 + 2 * a * b + b**2),
    equal(a / s + b / t, (a * t + b * s) / (s * t)),
    equal(log(s * t / 2), log(s) + log(t) - log(number(2))),
    equal(exp(a - b) * exp(b), exp(a)),
    equal(sqrt(s * t) * sqrt(s) / sqrt(t), s),
    equal(f(a + b) - f(b + a), number(0)),
    equal(E(q(z | x), log(q(z | x) * s)), E(q(z | x), log(s) + log(q(z | x)))),
    equal(integral(p(x) * (a + b), x), integral(a * p(x) + b * p(x), x)),
    equal(integral(f(y) * log(s * y), y), integral(f(y) * (log(y) + log(s)), y)),
    equal(absolute(a - b) / (1 - u), absolute(-b + a) / (1 - u)),
    equal(diff(a**2 * f(a * b), a), 2 * a * f(a * b) + a**2 * b * f.prime(a * b)),
    equal(diff(log(q(z | x)), z) * q(z | x), diff(q(z | x), z)),
    equal(diff(Normal(x, a, s), x), (a - x) / s * Normal(x, a, s)),
    equal(norm2(v - a * w), norm2(v) - 2 * a * dot(v, w) + a**2 * norm2(w)),
    a**2 + s > 0,
    1 / (1 - u * u) >= 0,
]
LAWS = [  # integrals term by term, and what densities are of each other
    equal(integral(p(x) * (a + f(x)), x), a * integral(p(x), x) + integral(p(x) * f(x), x)),
    equal(E(q(z | x), a * z + b), a * E(q(z | x), z) + b),
    equal(KL(q(z | x), r(z)), E(q(z | x), log(q(z | x))) - E(q(z | x), log(r(z)))),
    equal(log(r(y, z) / r(y)), log(r(z | y))),
    equal(E(Normal(x, a, s), (x - a) ** 2), s),
    E(q(z | x), f(z) ** 2) >= 0,
]
WRONG = [
    equal(integral(p(x) * (a + f(x)), x), a + integral(p(x) * f(x), x)),
    equal(E(q(z | x), a * z + b), a * E(q(z | x), z) - b),
    equal(E(q(z | x), z**2), E(q(z | x), z) ** 2),
    equal(KL(q(z | x), r(z)), E(q(z | x), log(q(z | x))) + E(q(z | x), log(r(z)))),
    equal(log(r(y, z) / r(y)), log(r(y | z))),
    equal(E(Normal(x, a, s), (x - a) ** 2), s**2),
    equal(E(Normal(x, a, b), (x - a) ** 2), b),
    E(q(z | x), f(z)) >= 0,
]
FALSE = [
    equal((a + b) ** 2, a**2 - 2 * a * b + b**2),
    equal(a / s + b / t, (a * t - b * s) / (s * t)),
    equal(log(s * t / 2), log(s) - log(t) - log(number(2))),
    equal(exp(a - b) * exp(b), exp(-a)),
    equal(f(a + b) - f(b - a), number(0)),
    equal(E(q(z | x), log(q(z | x) * s)), E(q(z | x), log(s) - log(q(z | x)))),
    equal(integral(f(y) * log(s * y), y), integral(f(y) * (log(y) - log(s)), y)),
    equal(diff(a**2 * f(a * b), a), 2 * a * f(a * b) - a**2 * b * f.prime(a * b)),
    equal(diff(log(q(z | x)), z) * q(z | x), -diff(q(z | x), z)),
    equal(diff(Normal(x, a, s), x), (a + x) / s * Normal(x, a, s)),
    equal(norm2(v - a * w), norm2(v) - 2 * a * dot(v, w) - a**2 * norm2(w)),
    a**2 - s > 0,
]


def test_a_theorem_states_the_claim_for_all_reals() -> None:
    assert stated(equal((a + b) ** 2, a**2 + number(2) / 3 * b)) == (
        "forall (a b : R), (a + b) ^ 2 = a ^ 2 + 2 / 3 * b"
    )


def test_declared_signs_and_stated_relations_are_its_hypotheses() -> None:
    claim = Claim(s * u / a, "<=", b, given=(a > s,))
    assert stated(claim) == (
        "forall (s u a b : R), 0 < s -> 0 < u -> u < 1 -> a > s -> s * u / a <= b"
    )


def test_what_is_no_arithmetic_is_a_function_of_which_nothing_more_is_known() -> None:
    said = stated(equal(integral(p(x) * f(x), x), a))
    assert said == (
        "forall (p : R -> R) (f : R -> R) (Integral : (R -> R) -> R) (a : R), "
        "(forall (a1 : R), 0 <= p a1) -> Integral (fun v1 => p v1 * f v1) = a"
    )


def test_names_of_bound_letters_do_not_matter_and_others_do() -> None:
    (x_1,) = copies(x, 1)
    same = Statement(equal(integral(f(x) * a, x), integral(f(x_1) * a, x_1)))
    assert same.left == same.right
    other = Statement(equal(integral(f(x) * a, x), integral(f(x_1) * x, x_1)))
    assert other.left != other.right
    elsewhere = Statement(equal(integral(f(x) * a, x), integral(f(z) * a, z)))
    assert elsewhere.left != elsewhere.right


def test_a_density_is_not_its_marginal() -> None:
    joint = Density("r", x, z)
    said = stated(equal(joint(x, z), joint(x)))
    assert "(r : R -> R -> R) (r_2 : R -> R)" in said
    assert said.endswith("r x z = r_2 x")


def test_a_squared_length_is_a_sum_over_coordinates_however_many() -> None:
    said = stated(equal(norm2(v - a * w), dot(v, w)))
    assert said == (
        "forall (v : R -> R) (w : R -> R) (Sum : (R -> R) -> R) (a : R), "
        "Sum (fun v0 => (v v0 - a * w v0) ^ 2) = Sum (fun v0 => v v0 * w v0)"
    )


def test_what_holds_matrices_is_one_letter() -> None:
    said = stated(equal(norm2(m * v) * 2, norm2(m * v) + norm2(m * w)))
    assert said == (
        "forall (norm2 : R) (norm2_2 : R), 0 <= norm2 -> 0 <= norm2_2 -> "
        "norm2 * 2 = norm2 + norm2_2"
    )


def test_an_integral_over_positive_numbers_looks_at_no_others() -> None:
    said = stated(equal(integral(f(y), y), a))
    assert (
        "(forall (a1 b1 : (R -> R)), (forall v1 : R, 0 < v1 -> a1 v1 = b1 v1) -> "
        "Integral a1 = Integral b1)"
    ) in said


@pytest.mark.parametrize("claim", TRUE, ids=repr)
def test_a_true_step_of_algebra_is_written(claim: Claim | Relation) -> None:
    assert shown(claim).script


@pytest.mark.parametrize("claim", LAWS, ids=repr)
def test_a_theorem_names_the_laws_that_it_supposes(claim: Claim | Relation) -> None:
    found = shown(claim)
    assert found.laws
    assert "L" in (names := found.script[0]) or "P_" in names


@pytest.mark.parametrize("claim", TRUE, ids=repr)
def test_what_is_covered_whole_supposes_no_law(claim: Claim | Relation) -> None:
    assert shown(claim).laws == 0


@pytest.mark.parametrize("claim", FALSE + WRONG, ids=repr)
def test_a_false_one_is_not(claim: Claim | Relation) -> None:
    with pytest.raises(NoProof):
        shown(claim)


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (equal(a / b * b, a), "a denominator is not seen to differ from 0: b"),
        (equal(a / (1 - s) * (1 - s), a), "a denominator is not seen to differ from 0: 1 - s"),
        (equal(log(a * b), log(a) + log(b)), "not an identity of real algebra"),
        (equal(sqrt(a**2), a), "not an identity of real algebra"),
        (equal(integral(q(z | x), z), number(1)), "not an identity of real algebra"),
        (equal(v, w), "vectors and matrices are no real numbers"),
    ],
    ids=repr,
)
def test_what_is_left_out_says_why(claim: Claim, why: str) -> None:
    with pytest.raises(NoProof, match=re.escape(why)):
        shown(claim)


def derived(title: str) -> Derivation:
    @derivation(title)
    def example(d: Derivation) -> None:
        d.start(a * (b + c))
        d.equals(a * b + a * c, by="it distributes")
        d.equals(E(q(z | x), a * b) + a * c, by="q integrates to one")
        d.equals(integral(q(z | x) * a * b, z) + a * c, by="it is an integral")

    return example


def test_a_file_says_what_it_leaves_out_and_why() -> None:
    written = files.of_derivation(derived("An example"))
    assert (written.name, written.covered, written.steps) == ("test_coq_example", 1, 3)
    assert "Theorem step_1 :\n  forall (a b c : R),\n" in written.text
    assert (written.supposing, "Supposing the laws" in written.text) == (1, True)
    assert "  Expect (fun v1 => a * b) (fun v1 => q v1 x) = a * b ->" in written.text
    assert "Theorem step_3" not in written.text
    assert "Left out: not an identity of real algebra." in written.text


def test_a_title_ends_no_comment() -> None:
    text = files.of_derivation(derived('An *) Axiom false : False. (* "')).text
    assert "*) Axiom" not in text
    assert text.count("(*") == text.count("*)")
    assert '"' not in text


def test_two_derivations_of_one_name_have_a_file_each(tmp_path: Path) -> None:
    written = files.write([derived("One"), derived("Another")], tmp_path)
    assert [w.covered for w in written] == [1, 1]
    assert len(list(tmp_path.glob("test_coq_example*.v"))) == 2


# ---- at the command line -------------------------------------------------------------------------


def test_the_last_line_says_how_many_steps_are_covered(tmp_path: Path) -> None:
    done = run("check", "ddim.step", "vae.elbo", "--coq", str(tmp_path / "new" / "my proofs"))
    assert done.returncode == 0, done
    assert f"cd '{tmp_path}/new/my proofs' && coqc" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"in all \d+ of \d+ steps are covered whole, and \d+ more .*", last)
    assert {f.name for f in (tmp_path / "new" / "my proofs").iterdir()} == {
        "Genmath.v", "ddim_step.v", "vae_elbo.v"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("vae", "--coq", "file"), "--coq file: "),
        (("vay", "--coq", "proofs"), "no topic or derivation called 'vay'"),
        (("vae", "--coq", "proofs", "--mutants"), "--coq goes with topics"),
        (("missing.py", "--coq", "proofs"), "missing.py"),
    ],
    ids=repr,
)
def test_what_cannot_be_written_is_said(
    arguments: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = run("check", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("genmath: ")
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_the_pages_say_how_many_steps_of_the_book_are_covered(tmp_path: Path) -> None:
    written = files.write([d for t in book.topics() for d in book.chapter(t).derivations], tmp_path)
    steps, covered, more = (
        sum(getattr(one, what) for one in written) for what in ("steps", "covered", "supposing")
    )
    page = " ".join((ROOT / "docs" / "start" / "read.md").read_text("utf-8").split())
    said = f"Of the {steps} lines of all derivations Coq confirms {covered} whole. {more} more are"
    assert said in page
    assert f"| {covered} and {more} of {steps};" in (ROOT / "README.md").read_text("utf-8")


# ---- what coqc says ------------------------------------------------------------------------------


def accepted(folder: Path, text: str) -> str:
    """What coqc complains of; "" if it accepts the file."""
    (folder / "it.v").write_text(f"Require Import {library.NAME}.\n{text}", encoding="utf-8")
    done = subprocess.run(["coqc", "-q", "it.v"], cwd=folder, capture_output=True, text=True)
    assert bool(done.returncode) == ("Error" in done.stderr)
    return done.stderr if done.returncode else ""


@pytest.fixture(scope="module")
def required(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coq")
    (folder / f"{library.NAME}.v").write_text(library.TEXT, encoding="utf-8")
    subprocess.run(["coqc", "-q", f"{library.NAME}.v"], cwd=folder, check=True)
    return folder


@pytest.mark.slow
@needs_coqc
def test_coqc_accepts_what_is_true(required: Path) -> None:
    text = "\n".join(shown(claim).text(f"true_{k}") for k, claim in enumerate(TRUE + LAWS))
    assert accepted(required, text) == ""


@pytest.mark.slow
@needs_coqc
@pytest.mark.parametrize(("k", "true"), [*enumerate([0, 1, 2, 3, 5, 6, 8, 10, 11, 12, 13])])
def test_coqc_rejects_a_changed_sign(required: Path, k: int, true: int) -> None:
    """The proof of the true claim under the statement of the false one."""
    proof, false = shown(TRUE[true]), Statement(as_claim(FALSE[k]))
    *supposed, _ = proof.statement.splitlines()
    said = "\n".join([*supposed, f"  {false.left} {false.sign} {false.right}"])
    assert said != proof.statement
    assert "The reference" not in (
        why := accepted(required, Theorem(said, proof.script).text("it"))
    )
    assert why


@pytest.mark.slow
@needs_coqc
@pytest.mark.parametrize("topic", ["ddim", "vae", "gan"])
def test_coqc_accepts_the_export_of_a_chapter(required: Path, topic: str) -> None:
    text = ""
    for one in map(files.of_derivation, book.chapter(topic).derivations):
        text += f"Module {one.name}.\n{one.text}\nEnd {one.name}.\n"
    assert "Theorem" in text
    assert accepted(required, text) == ""


def test_nothing_is_supposed_in_the_file_that_all_require() -> None:
    words = set(re.findall(r"\w+", library.TEXT))
    assert words.isdisjoint({"Axiom", "Axioms", "Admitted", "admit", "Parameter", "Hypothesis"})
    assert {"Conjecture", "Variable", "Unsafe", "bypass_check"}.isdisjoint(words)
