"""Certificates as files: written, re-checked, compared with the book."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genmath import book
from genmath.proof import (
    Density,
    E,
    Function,
    copies,
    derivation,
    diff,
    dot,
    equal,
    erf,
    fractions,
    infinity,
    integral,
    mean_vectors,
    naturals,
    norm2,
    positives,
    reals,
    variables,
    vectors,
)
from genmath.proof.certificate import files, said
from genmath.proof.certificate.scope import NoProof
from genmath.proof.certificate.shown import shown
from genmath.proof.certificate.writer import Writer
from genmath.proof.certificate.written import certificate, stated
from genmath.proof.kernel import check, claims, rules
from genmath.proof.kernel.claims import claim as read
from genmath.proof.kernel.laws import ROWS
from genmath.proof.kernel.limits import Work
from genmath.proof.kernel.proof import ARGUMENTS, Scope
from genmath.proof.kernel.terms import ONE, ZERO
from genmath.proof.language.claims import as_claim
from genmath.proof.language.derivation import Derivation
from genmath.proof.language.tree import Big, NotationError, Symbol, as_node
from tests.cli.command import ROOT, run
from tests.proof.alterations import outcome
from tests.proof.certificates import written as book_of
from tests.proof.test_coq import FALSE, LAWS, TRUE, WRONG
from tests.proof.test_coq import shown as by_coq

KERNEL = ROOT / "genmath" / "proof" / "kernel"


@pytest.mark.parametrize("claim", TRUE + LAWS, ids=repr)
def test_a_true_step_of_algebra_is_proved(claim: Any) -> None:
    """Whatever is exported to Coq, up to laws where that is."""
    found = outcome(certificate(stated(as_claim(claim))))
    assert found is not None
    assert not found.rejected
    assert bool(found.supposed) == bool(by_coq(claim).laws)


TOTAL, *NEITHER = WRONG  # the kernel has a law for the first


def test_a_density_integrates_to_one_by_a_law() -> None:
    found = outcome(certificate(stated(as_claim(TOTAL))))
    assert found is not None
    assert not found.rejected
    assert "a density integrates to one" in found.supposed
    false = replace(as_claim(TOTAL), rhs=as_claim(TOTAL).rhs + 1)
    with pytest.raises(NoProof):
        certificate(stated(false))


@pytest.mark.parametrize("claim", FALSE + NEITHER, ids=repr)
def test_a_false_one_is_not(claim: Any) -> None:
    with pytest.raises(NoProof):
        certificate(stated(as_claim(claim)))


def test_a_claim_says_what_it_supposes() -> None:
    a, b = reals("a b")
    u = fractions("u")
    document = said.claim(stated(as_claim(u * (a + b) / u >= b)))
    assert shown(read(document)) == [
        "for all numbers a, b, u", "where 0 < u", "where u < 1", "b <= (u * (a + b)) / u"
    ]  # fmt: skip


def test_a_slope_that_the_book_does_not_declare_is_supposed() -> None:
    x = reals("x")
    f = Function("f")
    for body, supposed in ((f(x), ()), (erf(x), ("erf has a derivative in its argument 1",))):
        claim = stated(equal(diff(2 * body, x), 2 * diff(body, x)))
        text = json.dumps(
            {"format": 1, "derivation": "own", "lines": [{"line": 1, **certificate(claim)}]}
        )
        (line,) = check(text).lines
        assert (line.rejected, line.supposed) == ("", supposed)


def test_a_range_is_that_of_its_own_sum_and_integral() -> None:
    """A sum from 1 on and one from 0 on look at other numbers, and at no others."""
    k, n = Symbol("k", domain="natural"), naturals("n")
    both = Big("sum", k, k, as_node(1), n) + Big("sum", k, k, as_node(0), n)
    claim = said.claim(stated(as_claim(equal(both, both))))
    assert claim["functions"] == {
        name: {"takes": [1, 0, 0], "is": "sum"} for name in ("sum", "sum_2")
    }
    found = read(claim)
    scope, bound = Scope(found, found.read, Work(100)), ("#", 0)
    both_: Any = found.states[1]
    for one, low in zip(both_[1:], (ONE, ZERO), strict=True):
        assert scope.looks(one, 0) == [("<=", low, bound), ("<=", bound, "n")]


def test_an_interval_whose_end_is_bound_has_no_theorem() -> None:
    """Its integral is a function of that end."""
    a = positives("a")
    x = variables("x", domain=(0, a))
    inner, z = integral(as_node(1), x), reals("z")
    for claim in (
        equal(diff(inner, a), 0),
        equal(diff(norm2(inner * mean_vectors("v")), a), 0),
        equal(integral(diff(inner, a), z, between=(0, 1)), 0),
    ):
        with pytest.raises(NoProof):
            certificate(stated(claim))


def test_an_interval_that_may_run_backwards_has_no_range() -> None:
    a, b = reals("a b")
    for ends, ranges in (((a, b), None), ((1, 2), [["<", "1", ["#", 0]], ["<", ["#", 0], "2"]])):
        x = variables("x", domain=ends)
        (said_of,) = said.claim(stated(as_claim(equal(integral(x, x), 1))))["functions"].values()
        assert said_of.get("ranges") == ranges
    with pytest.raises(NotationError):
        variables("x", domain=(2, 1))


def test_what_only_a_reason_names_supposes_nothing_of_its_ends() -> None:
    a, b = reals("a b")
    y = variables("y", domain=(a, b))
    document = said.claim(stated(as_claim(a <= b), (y - a, b - y)))
    assert document["given"] == []


def test_bound_vectors_are_told_apart() -> None:
    x = vectors("x")
    y = copies(x, 1)[0]
    p = Density("p", x)

    def mean(of: Any) -> Any:
        return E(p(x), E(p(x), E(p(y), of)))

    with pytest.raises(NoProof):
        certificate(stated(as_claim(equal(mean(dot(x, y)), mean(dot(x, x))))))


@pytest.mark.parametrize("ends", [(1, infinity), (-infinity, 0), (1, 2 * infinity)])
def test_an_endless_sum_is_one_by_a_law(ends: tuple[Any, Any]) -> None:
    k = Symbol("k", domain="natural")
    whole = Big("sum", k, k, *map(as_node, ends))
    functions = said.claim(stated(as_claim(equal(whole, whole))))["functions"]
    assert functions["sum"]["is"] == "integral"


def test_names_of_bound_letters_are_no_names_of_letters() -> None:
    v1 = reals("v1")
    f = Function("f")
    x = variables("x")
    (*_, stated_line) = shown(read(said.claim(stated(as_claim(equal(
        integral(v1 * f(x), x), v1 * integral(f(x), x)))))))  # fmt: skip
    assert stated_line == "Integral(@1 -> l_v1 * f(@1)) = l_v1 * Integral(@1 -> f(@1))"


# --- equality cases


def squares(this: Any, other: Any, *, below: bool = False) -> Derivation:
    """a^2 + b^2 >= 2 a b, and when it is said to be an equality."""
    a, b = reals("a b")

    @derivation("A square")
    def of(d: Derivation) -> None:
        if below:
            d.given_that(a < b)
        d.start(a**2 + b**2)
        d.at_least(2 * a * b, by="a square", because=(a - b) ** 2)
        d.tight_when(this, other)

    return of


def test_an_equality_case_has_a_line() -> None:
    a, b = reals("a b")
    at_b = squares(a, b)
    text, checked = (one := files.of_derivation(at_b)).text, one.checked
    assert [(line.without, line.rejected, line.supposed) for line in checked.lines] == [
        ("", "", ()), ("", "", ())
    ]  # fmt: skip
    assert json.loads(text)["lines"][1]["claim"]["states"][0] == "="
    assert checked.lines[1].claim
    assert shown(checked.lines[1].claim)[-1] == "b^2 + b^2 = 2 * b * b"
    assert files.differs(checked, at_b) == ""


def test_a_false_equality_case_has_no_certificate() -> None:
    a, b = reals("a b")
    true, false = (json.loads(files.of_derivation(squares(a, x)).text)["lines"] for x in (b, -b))
    assert false[0] == true[0]
    assert false[1] == {"line": 2, "without": "not an identity of real algebra"}
    _, case = files.steps_of(squares(a, -b))
    claim = said.claim(stated(case.claim))
    for one in true:  # nor do other proofs prove it
        found = outcome({"claim": claim, "proof": one["proof"]})
        assert found is not None
        assert found.rejected


def test_an_altered_equality_case_differs_from_the_book() -> None:
    a, b = reals("a b")
    checked = files.of_derivation(squares(a, b)).checked
    other = "line 2 claims something else than the derivation"
    assert files.differs(checked, squares(b, a)) == other
    assert files.differs(checked, squares(a, 2 * b)) == other
    step, case = checked.lines
    less = replace(checked, lines=(step,))
    assert files.differs(less, squares(a, b)) == "it has 1 lines, the derivation 2"
    twice = replace(checked, lines=(step, replace(step, number=2)))
    assert files.differs(twice, squares(a, b)) == other
    more = replace(checked, lines=(step, case, replace(case, number=3)))
    assert files.differs(more, squares(a, b)) == "it has 3 lines, the derivation 2"


def test_a_rewriting_that_does_not_end_gives_no_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a = reals("a")

    def endless(self: Any, *terms: Any) -> int:
        return endless(self, *terms)

    monkeypatch.setattr(Writer, "equality", endless)
    with pytest.raises(NoProof, match="too deeply nested"):
        certificate(stated(as_claim(equal(a, a))))


def test_an_equality_case_that_the_hypotheses_exclude_has_no_line() -> None:
    a, b = reals("a b")
    assert len(files.steps_of(squares(a, b, below=True))) == 1
    assert len(files.steps_of(squares(a, b))) == 2


# --- at the command line


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates") / "new"
    done = run("check", "ddim.step", "ddim.euler", "--certificates", str(folder))
    assert done.returncode == 0, done
    assert re.search(r"^2 certificates, \d+ lines: \d+ verified whole, ", done.stdout)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "proofs"))


def test_what_was_written_is_verified(folder: Path) -> None:
    done = run("verify", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert run("verify", str(folder), "--alone").returncode == 0
    assert "ddim.step, line 1" in run("verify", str(folder), "--show").stdout


def test_writing_again_replaces_what_was_written(folder: Path) -> None:
    before = sorted(folder.iterdir())
    (folder / f"ddim.step-{'0' * 16}.json").write_text("{}")
    assert run("check", "ddim.step", "--certificates", str(folder)).returncode == 0
    assert sorted(folder.iterdir()) == before


def rewritten(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The certificate of ddim.step, changed, under a name that fits."""
    (old,) = folder.glob("ddim.step-*.json")
    document = json.loads(old.read_text("utf-8"))
    old.unlink()
    change(document)
    text = json.dumps(document)
    new = folder / f"ddim.step-{files.digest(text)}.json"
    new.write_text(text, encoding="utf-8")
    return new


def _weaker(document: dict[str, Any]) -> None:
    line = next(one for one in document["lines"] if "proof" in one)
    line["claim"]["results"].append({"name": "mine.false", "says": ["=", "0", "1"]})


def _other(document: dict[str, Any]) -> None:
    line = next(one for one in document["lines"] if "proof" in one)
    line["claim"]["states"] = ["=", "1", "1"]
    line["proof"] = [["identity", ["=", "1", "1"], []]]


def _shorter(document: dict[str, Any]) -> None:
    del document["lines"][-1]


@pytest.mark.parametrize("change", [_weaker, _other, _shorter])
def test_a_proof_of_another_claim_is_none_of_this_one(change: Any, folder: Path) -> None:
    new = rewritten(folder, change)
    done = run("verify", str(folder))
    assert done.returncode == 1
    assert done.stderr.startswith(f"genmath: {new}: ")
    assert len(done.stderr.splitlines()) == 1
    assert run("verify", str(folder), "--alone").returncode == 0


def test_what_is_rejected_is_named(folder: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        next(one for one in document["lines"] if "proof" in one)["proof"] = []

    rewritten(folder, change)
    done = run("verify", str(folder))
    assert done.returncode == 1
    assert "is rejected: a proof does not end in what it is for" in done.stderr
    assert "1 REJECTED" in done.stdout


def test_what_was_altered_or_written_in_part_is_seen(folder: Path) -> None:
    file = next(folder.glob("ddim.step-*.json"))
    text = file.read_text("utf-8")
    for wrong in (text + " ", text[:100], ""):
        file.write_text(wrong, encoding="utf-8")
        done = run("verify", str(folder))
        assert done.returncode == 1
        assert f"{file}: it is not what its name says" in done.stderr
    file.write_bytes(b"\xff")
    assert f"{file}: it is no text in UTF-8" in run("verify", str(folder)).stderr


def test_one_derivation_has_one_certificate(folder: Path) -> None:
    file = next(folder.glob("ddim.step-*.json"))
    text = file.read_text("utf-8") + "\n"
    (folder / f"ddim.step-{files.digest(text)}.json").write_text(text, encoding="utf-8")
    done = run("verify", str(folder))
    assert done.returncode == 1
    assert "another file is for ddim.step too" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("verify", "none"), "none is no folder"),
        (("verify", "file"), "file is no folder"),
        (("verify", "empty"), "empty holds no certificate"),
        (("check", "vae", "--certificates", "file"), "--certificates file: "),
        (("check", "vae", "--certificates", "new", "--mutants"), "--certificates goes with"),
        (("check", "vay", "--certificates", "new"), "no topic or derivation called 'vay'"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], why: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("genmath: ")
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_is_not_in_the_book_is_not_compared(tmp_path: Path) -> None:
    a, b = reals("a b")

    @derivation("One of a reader")
    def mine(d: Derivation) -> None:
        d.start(a + b)
        d.equals(b + a, by="order")

    files.write([mine], tmp_path)
    done = run("verify", str(tmp_path))
    assert done.returncode == 0
    assert done.stdout.startswith("0 certificates, 0 lines: ")
    assert "not in the book, so neither compared nor counted: " in done.stdout


def test_what_a_file_is_for_its_name_says(folder: Path) -> None:
    file = next(folder.glob("ddim.step-*.json"))
    file.rename(folder / f"vae.elbo-{files.digest(file.read_text('utf-8'))}.json")
    done = run("verify", str(folder))
    assert done.returncode == 1
    assert "it is for ddim.step, which its name does not say" in done.stderr


def test_what_has_no_file_is_named(folder: Path) -> None:
    missing = run("verify", str(folder)).stdout.splitlines()[-1]
    assert missing.startswith("of these chapters without a file: ddim.")
    assert "ddim.step" not in re.findall(r"[\w.]+", missing)


def test_what_is_no_file_or_too_long_is_not_read(folder: Path) -> None:
    (folder / "pipe.json").mkdir()
    (folder / "long.json").write_text(" " * 1_000_001, encoding="utf-8")
    done = run("verify", str(folder))
    assert done.returncode == 1
    assert "pipe.json: it is no file" in done.stderr
    assert "long.json: it has more than 1000000 bytes" in done.stderr


# --- the page


def words_of(page: str) -> str:
    return " ".join((ROOT / "docs" / page).read_text("utf-8").split())


def test_the_page_lists_every_step_and_rule() -> None:
    page = (ROOT / "docs" / "start" / "kernel.md").read_text("utf-8")
    for name in (*ARGUMENTS, *rules.ROWS, *rules.BOUNDS, *ROWS, "slope"):
        assert f"`{name}`" in page, name


def test_the_page_lists_what_a_function_is_declared_with() -> None:
    page = (ROOT / "docs" / "start" / "kernel.md").read_text("utf-8")
    table = page.partition("## What a function is declared with")[2].partition("\n## ")[0]
    for name in ("takes", *claims.MORE, *claims.LINEAR, *claims.MEANT, *claims.FINITE):
        assert f"`{name}`" in table, name


def test_the_example_of_the_page_is_a_proof_and_needs_its_hypotheses() -> None:
    page = (ROOT / "docs" / "start" / "kernel.md").read_text("utf-8")
    (example,) = re.findall("^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert not check(example).lines[0].rejected
    for k in range(2):
        less = json.loads(example)
        del less["lines"][0]["claim"]["given"][k]
        assert check(json.dumps(less)).lines[0].rejected


def test_the_page_says_how_large_the_kernel_is() -> None:
    page = words_of("start/kernel.md")
    texts = [f.read_text("utf-8") for f in KERNEL.glob("*.py")]
    total = sum(len(text.splitlines()) for text in texts)
    said_ = re.search(r"(\d+) lines of code in ten files, with what they say .*? (\d+) lines", page)
    assert said_
    assert len(texts) == 10
    assert (sum(map(code, texts)), total) == (int(said_[1]), int(said_[2]))
    assert int(said_[1]) <= 1250
    assert f"goes through it: {said_[1]} lines of Python" in words_of("start/read.md")


def code(text: str) -> int:
    """Lines that are neither blank, nor a comment, nor a docstring."""
    text = re.sub(r'^ *""".*?"""\n', "", text, flags=re.MULTILINE | re.DOTALL)
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") for line in text.splitlines()
    )


@pytest.mark.slow
def test_the_page_says_how_many_lines_are_covered() -> None:
    page = words_of("start/kernel.md")
    lines = [line for t in book.topics() for _, one in book_of(t) for line in one.checked.lines]
    assert not any(line.rejected for line in lines)
    proved = [line for line in lines if not line.without]
    whole = sum(not line.supposed for line in proved)
    assert f"Of the {len(lines)} lines of the book {whole} are verified whole, and " in page
    more = len(proved) - whole
    read = words_of("start/read.md")
    assert f"Of the {len(lines)} lines of all derivations it verifies {whole} whole. {more}" in read
    assert f" and {more} more but for laws or results" in page
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"that they name | {whole} and {more} of {len(lines)};" in readme
