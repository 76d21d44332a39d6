"""What is folded is built when it is opened, and found, printed and read without scripts as if it
had been there from the start."""

from __future__ import annotations

import io
import re

import pytest
from playwright.sync_api import Browser, expect
from pypdf import PageObject, PdfReader

from genmath import book
from tests.site.conftest import DESK, UNFOLD, Visits
from tests.site.pages import file_of, some_topics
from tests.site.test_browser import ELEMENTS

CHAPTER = "derivations/wasserstein/"


def folded_away() -> str:
    """A derivation within a section that a first reading skips."""
    section = file_of(CHAPTER).read_text("utf-8").partition('<details class="advanced">')[2]
    named = re.search(r'data-check="([\w.]+)"', section)
    assert named
    return named[1]


def test_a_chapter_has_fewer_elements_until_it_is_unfolded(visit: Visits) -> None:
    page = visit(CHAPTER)
    before = page.evaluate(ELEMENTS)
    page.evaluate(UNFOLD)
    assert page.evaluate(ELEMENTS) > 1.4 * before


def test_a_fold_within_a_fold_is_built_where_it_is_opened(visit: Visits) -> None:
    page = visit(CHAPTER)
    name = folded_away()
    assert page.locator(f"[id='{name}']").count() == 0
    fold = page.locator("details.advanced").first
    fold.locator("> summary").click()
    derivation = fold.locator(f"[data-check='{name}']")
    expect(derivation.locator(".katex-html").first).to_be_visible()
    assert derivation.locator(".highlight").count() == 0
    derivation.locator("details.source > summary").click()
    expect(derivation.locator("details.source pre > code")).to_contain_text("@derivation")
    expect(derivation.get_by_role("button", name="Copy as LaTeX")).to_be_visible()


def test_the_code_of_a_fold_is_copied(visit: Visits) -> None:
    page = visit(CHAPTER, viewport=DESK, permissions=["clipboard-read", "clipboard-write"])
    source = page.locator("details.source:visible").first
    source.locator("summary").click()
    source.locator("pre").hover()
    source.locator(".md-code__button").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('def ')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == source.locator("pre code").inner_text().strip()


def test_a_link_into_a_fold_opens_it(visit: Visits) -> None:
    name = folded_away()
    for page in (visit(f"{CHAPTER}#{name}"), visit(CHAPTER)):
        page.evaluate("name => { location.hash = name }", name)
        heading = page.locator(f"[id='{name}']")
        expect(heading).to_be_in_viewport()


def test_a_link_to_an_edit_opens_its_fold(visit: Visits) -> None:
    name = folded_away()
    page = visit(f"{CHAPTER}#edit={name}&text=mine", viewport=DESK)
    expect(page.locator(f"[data-check='{name}'] textarea")).to_have_value("mine")
    expect(page.locator(f"[id='{name}']")).to_be_in_viewport()


def test_paper_shows_what_a_first_reading_skips_and_no_machinery(visit: Visits) -> None:
    page = visit(CHAPTER)
    said = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf())).pages)
    assert book.chapter("wasserstein").derivations[-1].title in said
    (hidden,) = {
        d.title for d in book.chapter("wasserstein").derivations if d.name == folded_away()
    }
    assert hidden in said
    assert "@derivation" not in said
    expect(page.locator("details.advanced[open]")).to_have_count(0)


MARGIN = 12 / 25.4 * 72  # points, of 12 mm


def left_edge(sheet: PageObject) -> float:
    """Where the text of a sheet begins, in points."""
    found: list[float] = []

    def see(text: str, cm: list[float], tm: list[float], *_: object) -> None:
        if text.strip():
            found.append(cm[0] * tm[4] + cm[2] * tm[5] + cm[4])

    sheet.extract_text(visitor_text=see)
    return min(found)


@pytest.mark.parametrize("topic", some_topics())
def test_a_chapter_is_twenty_pages_of_paper_or_fewer(visit: Visits, topic: str) -> None:
    """With margins; the longest, of up to thirty-one derivations, a few more."""
    sheets = PdfReader(io.BytesIO(visit(f"derivations/{topic}/").pdf(format="A4"))).pages
    assert left_edge(sheets[0]) == pytest.approx(MARGIN, abs=1)
    assert len(sheets) <= max(20, 3 * len(book.chapter(topic).derivations) // 4)


def test_without_scripts_a_fold_holds_what_it_holds(browser: Browser, base_url: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(base_url + CHAPTER)
    fold = page.locator("details.advanced").first
    derivation = fold.locator(f"[id='{folded_away()}']")
    assert not derivation.is_visible()
    fold.locator("> summary").click()
    assert derivation.is_visible()
    context.close()
