"""The Korean pages in a browser: whole, marked as Korean, one click from the English ones."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
import translating
from languages import url_of
from playwright.sync_api import expect

from tests.site.conftest import Visits
from tests.site.leftovers import in_korean
from tests.site.pages import file_of

PAGES = [url_of(name) for name in translating.published()]


def test_english_that_is_left_would_be_seen(visit: Visits) -> None:
    """tests/site/test_browser.py looks at every Korean page."""
    count, left = in_korean(visit("start/path/"))
    assert count < 10
    assert len(left) > 50


@pytest.mark.parametrize("url", ["", "start/path/"])
def test_the_switch_leads_to_the_same_place_and_back(visit: Visits, url: str) -> None:
    page = visit(url)
    anchor = page.locator("article h2[id]").first.get_attribute("id")
    page.goto(f"{visit.base_url}{url}#{anchor}")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_role("link", name="한국어", exact=True).click()
    page.wait_for_url(f"{visit.base_url}ko/{url}#{anchor}")
    assert page.evaluate("document.documentElement.lang") == "ko"
    assert page.locator(f"article h2[id='{anchor}']").is_visible()
    page.get_by_role("link", name="English", exact=True).click()
    page.wait_for_url(f"{visit.base_url}{url}#{anchor}")


@pytest.mark.parametrize("url", PAGES)
def test_each_edition_names_both_and_its_switch_leads_to_the_other(url: str) -> None:
    for language, address in (("en", url), ("ko", f"ko/{url}")):
        page = file_of(address).read_text("utf-8")
        assert f'<html lang="{language}"' in page
        named = re.findall('<link rel="alternate " hreflang="([^"]+)" href="([^"]+)"', page)
        assert {name: urljoin(f"/{address}", to) for name, to in named} == {
            "en": f"/{url}",
            "ko": f"/ko/{url}",
            "x-default": f"/{url}",
        }
        (switch,) = re.findall('<a class="[^"]*language" [^>]*href="([^"]+)"', page)
        assert urljoin(f"/{address}", switch) == (f"/ko/{url}" if language == "en" else f"/{url}")
        anchors = re.findall('<h2 id="([^"]+)"', page)
        assert anchors == re.findall('<h2 id="([^"]+)"', file_of(url).read_text("utf-8"))


def test_a_page_without_a_translation_offers_none(visit: Visits) -> None:
    assert visit("api/vae/").locator("[hreflang=ko]").count() == 0


def test_the_same_formulas_programs_and_links_stand_on_both_pages() -> None:
    """But for words inside formulas, of which there are as many."""
    words = re.compile(r"\\text\{[^{}]*(?:[a-z]{3}|[가-힣])")
    for url in PAGES:
        found = []
        for address in (url, f"ko/{url}"):
            article = file_of(address).read_text("utf-8").partition("<article")[2]
            article = article.partition("</article>")[0]
            parts = r"<annotation.*?</annotation>|<pre.*?</pre>|<code.*?</code>"
            found.append(
                (
                    sorted(
                        "words" if each.startswith("<annotation") and words.search(each) else each
                        for each in re.findall(parts, article, re.DOTALL)
                    ),
                    sorted(re.findall(r'href="[^"]*?(#[^"]+)"', article)),
                )
            )
        assert found[0] == found[1]


def test_a_line_breaks_between_words_and_no_hangul_is_slanted(visit: Visits) -> None:
    page = visit("ko/start/path/")
    style = "e => [getComputedStyle(e).wordBreak, getComputedStyle(e).fontStyle]"
    assert page.locator("article em").first.evaluate(style) == ["keep-all", "normal"]


TORN = """() => [...document.querySelectorAll("article .math")].filter(formula => {
  const after = formula.nextSibling;
  if (after?.nodeType !== 3 || !/^[가-힣]/.test(after.data)) return false;
  const range = document.createRange(), at = after.data.search(/[가-힣]/);
  range.setStart(after, at);
  range.setEnd(after, at + 1);
  const end = [...formula.getClientRects()].at(-1);
  const particle = range.getBoundingClientRect();
  return particle.top > end.bottom || particle.left < end.left;
}).map(formula => formula.parentElement.textContent.slice(0, 80))"""


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_a_particle_stays_with_its_formula(visit: Visits, width: int) -> None:
    page = visit("ko/ten/vae/")
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate(TORN) == []


@pytest.mark.parametrize(
    ("words", "where"),
    [("반례", "ko/start/"), ("짧은 길", "ko/start/path/"), ("TextEncoder", "api/nets/")],
)
def test_search_finds_korean_pages_and_the_rest_in_english(
    visit: Visits, words: str, where: str
) -> None:
    page = visit("ko/start/path/")
    page.keyboard.press("/")
    page.keyboard.type(words, delay=20)
    first = page.locator(".md-search-result__link").first
    expect(first).to_have_attribute("href", re.compile(re.escape(visit.base_url + where)))


def test_the_editor_speaks_korean(visit: Visits) -> None:
    page = visit("ko/start/yours/")
    for name in ("검사", "멈춤", "처음부터", "링크 복사"):
        page.get_by_role("button", name=name, exact=True).wait_for()
