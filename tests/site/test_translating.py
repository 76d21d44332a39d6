"""A translation that lost, altered or kept what it must not fails the build."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import languages
import pytest
import rendering
import translating
import wording
from babel.messages.pofile import read_po
from results import ROOT, SiteError
from segments import HOLE, Message, messages, rewrite

from genmath import book
from tests.site.pages import file_of

PAGES = ["index", "start/read", "start/check", "derivations/likelihood", "glossary", "api/vae"]


@pytest.mark.parametrize("name", PAGES)
def test_what_is_said_unchanged_gives_the_same_bytes(name: str) -> None:
    page = (ROOT / ".cache" / "finished" / f"{name}.html").read_text("utf-8")
    assert rewrite(page, lambda message: message.text) == page
    said = messages(page)
    assert len(said) > 100
    assert [m.text for m in said if "<" in HOLE.sub("", m.text)] == []


PAGE = r"""<html lang="en"><head><title>T - genmath</title></head><body>
<nav><a href="../" title="Up">Home</a></nav>
<article><h1 id="t">Title<a class="headerlink" href="#t" title="Link">#</a></h1>
<p>If <span class="arithmatex">\(a\)</span> is at least <span class="arithmatex">\(b\)</span>,
see <a href="../map/"><em>the map</em></a> and <code>genmath list</code>,
<a href="../references/#b">Box 1979</a>.</p><pre>left alone</pre>
<p><img alt="Two bumps" src="x.svg"></p><ul><li>one<ul><li>two</li></ul></li></ul></article></body>
</html>"""


def test_a_paragraph_is_one_message_with_holes() -> None:
    assert [message.key for message in messages(PAGE)] == [
        "T - genmath", "Home", "Up", "Title", "Link",
        "If <m1/> is at least <m2/>, see <a3><em4>the map</em4></a3> and <code5/>, <a6/>.",
        "Two bumps", "one", "two",
    ]  # fmt: skip
    swapped = rewrite(
        PAGE, lambda m: "<a6/><code5/> <a3><em4>M</em4></a3> <m1/><m2/>" if m.holes else m.text
    )
    assert (
        '<p><a href="../references/#b">Box 1979</a><code>genmath list</code> '
        '<a href="../map/"><em>M</em></a> '
        r'<span class="arithmatex">\(a\)</span><span class="arithmatex">\(b\)</span></p>'
    ) in swapped


ENGLISH = "If <m1/> is at least <m2/>, see <a3><em4>the map</em4></a3> and <code5/> of 2 proofs."
KOREAN = "<m1/>이 <m2/> 이상이면 증명 2개의 <code5/>과 <a3><em4>지도</em4></a3>를 보라."


def fault(korean: str, english: str = ENGLISH) -> str:
    wrong = translating._holes(korean, Message(english)) or wording.faults(english, korean)
    return "; ".join(wrong)


def test_another_order_of_words_is_no_fault() -> None:
    assert fault(KOREAN) == ""


@pytest.mark.parametrize(
    ("there", "here", "said"),
    [
        ("<m2/>", "", "without <m2/>"),
        ("<m2/>", "<m1/>", "without <m2/>"),
        ("<m2/>", "<m7/>", "without <m2/>"),
        ("<m2/>", "<m2/><m2/>", "twice"),
        ("<code5/>", "<code5/><code6/>", "not in the English"),
        ("<a3><em4>지도</em4></a3>", "<a3><em4>지도</a3></em4>", "closes what is not open"),
        ("<a3><em4>지도</em4></a3>", "</em4><a3><em4>지도</a3>", "closes what is not open"),
        ("<m1/>이 <m2/>", "<m2/>가 <m1/>", "another order"),
        ("지도", "<b>지도</b>", "markup"),
        ("지도", "지도 & 표", "markup"),
        ("2개", "3개", "numbers"),
        ("2개", "두 개", "numbers"),
        ("보라", "보라. 1", "numbers"),
        ("보라", "보라(x ≥ y)", "signs"),
        ("이상", "이하", "at least"),
    ],
)
def test_what_a_translation_may_not_do(there: str, here: str, said: str) -> None:
    assert there in KOREAN
    assert said in fault(KOREAN.replace(there, here, 1))


@pytest.mark.parametrize(
    ("english", "right", "wrong", "said"),
    [
        ("The bound is not tight.", "한계는 등호가 아니다.", "한계는 등호이다.", "'not'"),
        ("It is at most a half.", "절반 이하이다.", "절반 이상이다.", "at most"),
        ("the posterior of the code", "잠재 코드의 사후분포", "잠재 코드의 후방확률", "posterior"),
        ("two posteriors", "두 사후분포", "두 사전분포", "posterior"),
        ("a gradient penalty", "그래디언트 페널티", "기울기 벌칙", "gradient penalty"),
        ("the marginal likelihood", "주변 가능도", "주변 확률", "marginal likelihood"),
        ("It is a long sentence.", "긴 문장이다.", "It is a long sentence.", "not Korean"),
        ("0 ≤ x", "0 ≤ x", "0 ≥ x", "signs"),
        ("two minutes", "2분", "3분", "numbers"),
    ],
)
def test_words_are_held_to_the_english(english: str, right: str, wrong: str, said: str) -> None:
    assert fault(right, english) == ""
    assert said in fault(wrong, english)


def test_a_word_in_another_sense_is_declared() -> None:
    assert wording.faults("the code of the program", "프로그램의 코드")
    assert not wording.faults("the code of the program", "프로그램의 코드", ["other sense: code"])


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A site of one page, translated."""
    monkeypatch.setattr(translating, "ROOT", tmp_path)
    monkeypatch.setattr(translating, "CATALOGUES", tmp_path / "ko")
    monkeypatch.setattr(translating, "FINISHED", tmp_path / "finished")
    shutil.copytree(ROOT / "docs/ko/start", tmp_path / "ko/start")
    shutil.copy(ROOT / "docs/ko/common.po", tmp_path / "ko/common.po")
    for name in ("check", "code", "yours", "path"):
        (tmp_path / "ko/start" / f"{name}.po").unlink()
    (tmp_path / "finished/start").mkdir(parents=True)
    languages.forget()
    yield tmp_path
    languages.forget()


def english() -> str:
    return (ROOT / ".cache/finished/start/read.html").read_text("utf-8")


def editions(page: str) -> dict[str, str]:
    return languages.editions(page, "start/read.md", SimpleNamespace(site_url=""))  # type: ignore[arg-type]


def test_a_whole_page_is_published(shelf: Path) -> None:
    assert list(editions(english())) == ["en", "ko"]


def test_what_the_checker_counts_and_computes_is_no_part_of_a_message() -> None:
    found = {"lhs": "-1.505", "rhs": "2", "world": {"parameters": {"a": "0.5"}}}
    assert [m.key for m in messages(rendering.counterexample(found))] == [
        "Counterexample: the left side is <n1/>, the right side <n2/>.",
        "in this world",
    ]
    for topic in ("autoregressive", "ddpm"):
        page = file_of(f"derivations/{topic}/").read_text("utf-8")
        counts = {m.key for m in messages(page) if "proved (A)" in m.key}
        assert counts
        assert counts <= {
            f"<n1/> {steps}: <n2/> proved (A), <n3/> confirmed (B); <n4/> mutants, none survived"
            for steps in ("step", "steps")
        }
    for topic in book.topics():
        page = file_of(f"derivations/{topic}/").read_text("utf-8")
        assumed = re.findall(r"<div>(<code>.*?)</div>", page)
        codes = re.findall("<code>(.*?)</code>", " ".join(assumed))
        words = re.sub("<[^>]*>", "", " ".join(codes))
        assert re.findall(r"\b[a-z]{2,} [a-z]{4,}\b", words) == []  # such as "is smooth"


def test_a_draft_is_not_published(shelf: Path) -> None:
    (shelf / "ko/drafts").mkdir()
    (shelf / "ko/start").rename(shelf / "ko/drafts/start")
    assert translating.published() == []
    assert list(editions(english())) == ["en"]


def test_a_page_whose_english_changed_is_not_published_and_ends_the_build(shelf: Path) -> None:
    changed = english().replace("a little PyTorch", "a little torch")
    assert changed != english()
    assert list(editions(changed)) == ["en"]
    _, faults = translating.translated("start/read", changed)
    assert len(faults) == 2
    assert "no translation: <strong1>Python</strong1> for the code, and a little torch" in faults[0]
    assert "no longer on the page" in faults[1]
    assert faults[1].startswith("ko/start/read.po:")
    with pytest.raises(SiteError, match="faults in docs/ko"):
        languages.end(SimpleNamespace())  # type: ignore[arg-type]


def test_what_changed_keeps_its_old_translation_and_is_marked(shelf: Path) -> None:
    changed = english().replace("a little PyTorch", "a little torch")
    (translating.FINISHED / "start/read.html").write_text(changed, "utf-8")
    translating.update("start/read")
    with (shelf / "ko/start/read.po").open("rb") as file:
        catalogue = read_po(file)
    text = (shelf / "ko/start/read.po").read_text("utf-8")
    assert re.search(r"^#\| .*a little PyTorch", text, re.MULTILINE)
    (entry,) = [m for m in catalogue if "a little torch" in str(m.id)]
    assert entry.fuzzy
    assert "PyTorch" in str(entry.string)
    translating.forget()
    _, faults = translating.translated("start/read", changed)
    assert len(faults) == 1
    assert "stale" in faults[0]


def test_an_update_without_a_change_changes_nothing(shelf: Path) -> None:
    (translating.FINISHED / "start/read.html").write_text(english(), "utf-8")
    before = (shelf / "ko/start/read.po").read_bytes(), (shelf / "ko/common.po").read_bytes()
    translating.update("start/read")
    assert before == (
        (shelf / "ko/start/read.po").read_bytes(),
        (shelf / "ko/common.po").read_bytes(),
    )


FORMULA = r'<span class="arithmatex">\({}\)</span>'


@pytest.mark.parametrize(
    ("tex", "korean"),
    [
        (r"f(x) &lt; 1 \text{ for every } x, y", r"\text{모든 }x, y\text{에 대하여 }f(x) &lt; 1"),
        (r"q > 0 \text{ wherever } p > 0", r"p &gt; 0\text{인 곳마다 }q &gt; 0"),
        (
            r"G \text{ onto, } \text{invertible, with a slope } \ne 0",
            r"G\text{ 위로의 함수, }\text{가역, 기울기 }\ne 0",
        ),
        (r"x + \text{score} + \text{score}", r"x + \text{스코어} + \text{스코어}"),
        (r"L_\text{simple} &lt; \text{ab}", r"L_\text{simple} &lt; \text{ab}"),
    ],
)
def test_words_in_a_formula_are_said_in_korean(shelf: Path, tex: str, korean: str) -> None:
    page = f"<p>{FORMULA.format(tex)}</p>"
    assert translating.translated("start/none", page) == (f"<p>{FORMULA.format(korean)}</p>", [])


def test_words_in_a_formula_that_nobody_said_in_korean_are_a_fault(shelf: Path) -> None:
    page = FORMULA.format(r"x \text{ whenever } y")
    assert "words in a formula:  whenever" in translating.translated("start/none", page)[1][0]
    common = shelf / "ko/common.po"
    text = common.read_text("utf-8")
    common.write_text(text.replace('"<x1/> convex"', '"<x1/> concave"'), "utf-8")
    translating.forget()
    page = FORMULA.format(r"f \text{ convex}")
    assert "no translation: <x1/> convex" in translating.translated("start/none", page)[1][0]


def test_an_update_keeps_what_a_page_says_in_its_own_way(shelf: Path) -> None:
    (translating.FINISHED / "start/read.html").write_text(english(), "utf-8")
    own = shelf / "ko/start/read.po"
    own.write_text(own.read_text("utf-8") + '\nmsgid "Navigation"\nmsgstr "항해"\n', "utf-8")
    translating.forget()
    translating.update("start/read")
    assert 'msgid "Navigation"\nmsgstr "항해"' in own.read_text("utf-8")


def test_a_catalogue_of_no_page_ends_the_build(shelf: Path) -> None:
    editions(english())
    shutil.copy(shelf / "ko/start/read.po", shelf / "ko/start/gone.po")
    with pytest.raises(SiteError):
        languages.end(SimpleNamespace())  # type: ignore[arg-type]


def test_links_lead_to_korean_pages_where_there_are_any(shelf: Path) -> None:
    korean = editions(english())["ko"]
    assert '<a href="../../../start/check/">' not in korean
    assert 'hreflang="en" href="../../../start/path/"' in korean
    assert 'hreflang="en" href="../../../glossary/"' in korean
    assert 'src="../../../assets/' in korean
    assert '"base": "../.."' in korean  # below which search looks
    assert '"search": "../../../assets/' in korean
    shutil.copy(shelf / "ko/start/read.po", shelf / "ko/start/path.po")
    assert 'href="../path/"' in editions(english())["ko"]
