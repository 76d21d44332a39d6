"""Every derivation that a file makes is judged, under a name of its own, and as it was made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from genmath import book
from genmath.proof import (
    Density,
    Function,
    NotationError,
    Sequence,
    derivation,
    reals,
    variables,
)
from genmath.proof.language.derivation import Derivation, Lemma
from genmath.proof.language.tree import Number
from genmath.proof.report import check_derivation

HEAD = """from genmath.proof import *
a = reals("a")

def power(k, claimed):
    @derivation(f"The derivative of a^{k}")
    def slope(d):
        d.start(diff(a**k, a))
        d.equals(claimed, by="power rule")
    return slope
"""
FALSE = "power(3, 2 * a)"
HIDDEN = {
    "of one name": f"two = power(2, 2 * a)\nthree = {FALSE}\n",
    "in a list": f"results = [power(2, 2 * a), {FALSE}]\n",
    "in a dict": f"results = {{'two': power(2, 2 * a), 'three': {FALSE}}}\n",
    "deleted": f"two = power(2, 2 * a)\nfalse = {FALSE}\ndel false\n",
    "dropped": f"two = power(2, 2 * a)\n{FALSE}\n",
    "bound anew": f"result = {FALSE}\nresult = power(2, 2 * a)\n",
    "kept in a closure": f"def later():\n    kept = {FALSE}\n    return lambda: kept\nf=later()\n",
    "taken for its number": f"""slope_2 = power(2, 2 * a)
@derivation("named so")
def slope_2(d):
    d.start(a)
    d.equals(a * 1, by="one")
{FALSE}
""",
    "of another file's name": """
exec(compile('def f(d): d.start(a); d.equals(2 * a, by="so")', "elsewhere.py", "exec"))
derivation("elsewhere")(f)
""",
}


def load(folder: Path, source: str, name: str = "mine.py") -> book.Chapter:
    path = folder / name
    path.write_text(HEAD + source)
    return book.load_file(path)


@pytest.mark.parametrize("how", HIDDEN)
def test_a_false_derivation_is_looked_at_wherever_it_hides(how: str, tmp_path: Path) -> None:
    found = load(tmp_path, HIDDEN[how]).derivations
    assert len({d.name for d in found}) == len(found)
    verdicts = [check_derivation(d)["steps"][0]["verdict"] for d in found]
    assert verdicts.count("refuted") == 1


def test_those_of_a_file_that_is_loaded_on_the_way_count(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(f"{HEAD}{FALSE}\n")
    for how in ("import helper", "from genmath import book\nbook.load_file('helper.py')"):
        here = f"import os\nos.chdir({str(tmp_path)!r})\n"
        found = load(tmp_path, f"{here}{how}\nmine = power(2, 2 * a)\n").derivations
        assert [d.name for d in found] == ["helper.slope", "mine.slope"]


def test_the_book_s_do_not_count(tmp_path: Path) -> None:
    source = "from genmath.book import chapter\nelbo = chapter('vae').elbo\n"
    with pytest.raises(book.ChapterError, match="holds no derivation"):
        load(tmp_path, source)


def test_a_derivation_that_was_given_up_is_an_error(tmp_path: Path) -> None:
    source = """power(2, 2 * a)
try:
    @derivation("begun")
    def begun(d):
        d.start(a)
        d.equals(2 * a, by="so")
        raise ValueError
except ValueError:
    pass
"""
    with pytest.raises(book.ChapterError, match=r"begun was begun and not finished"):
        load(tmp_path, source)


a = reals("a")
x = variables("x")


@derivation("a", takes=a)
def doubled(d: Derivation) -> None:
    d.given_that(a >= 1)
    d.start(a + a)
    d.equals(2 * a, by="twice")


def test_a_derivation_is_as_it_was_made() -> None:
    for change in (
        lambda: doubled.start(a),
        lambda: doubled.equals(3 * a, by="so"),
        lambda: doubled.given_that(a >= 2),
        lambda: doubled.name_result("other"),
        lambda: doubled.slip("id", wrong=a >= 1, right=a >= 1, source=""),
        lambda: setattr(doubled, "given", ()),
        lambda: setattr(doubled, "chains", ()),
        lambda: setattr(doubled, "instances", True),
        lambda: setattr(doubled.given[0], "sign", "<="),
        lambda: setattr(doubled.chains[0].start, "args", ()),
        lambda: setattr(Density("p", x), "positive", True),
        lambda: setattr(Function("f"), "traits", ("positive",)),
        lambda: setattr(Sequence("c"), "domain", "positive"),
    ):
        with pytest.raises(NotationError, match="cannot be changed"):
            change()
    for several in (doubled.given, doubled.chains, doubled.slips, doubled.chains[0].steps):
        assert isinstance(several, tuple)
    with pytest.raises(TypeError):
        doubled.cases["k"] = (1,)  # type: ignore[index]


def test_a_lemma_says_what_its_derivation_shows() -> None:
    chain, arguments = doubled.chains[0], ((a, Number(3)),)
    lemma = Lemma(doubled, chain, arguments)
    assert lemma == doubled(3)
    with pytest.raises((TypeError, ValueError)):
        replace(lemma, claim=doubled.conclusion)
    with pytest.raises(NotationError, match="shows no such thing"):
        Lemma(doubled, replace(chain, start=Number(1)), arguments)
    with pytest.raises(NotationError, match="shows no such thing"):
        Lemma(doubled, chain, ((x, Number(3)),))


def test_a_derivation_is_no_lemma_of_itself() -> None:
    with pytest.raises(NotationError, match="only a finished derivation"):

        @derivation("circular")
        def circular(d: Derivation) -> None:
            d.start(Number(1), name="first")
            d.equals(2, by="so")
            d.start(Number(1))
            d.equals(2, by="shown before", because=d["first"]())
