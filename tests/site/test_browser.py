"""Every page in a real browser: on a desk, on a phone, in the light and in the dark."""

from __future__ import annotations

import html
import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.site import axe
from tests.site.conftest import DESK, PHONE, UNFOLD, WIDE_DESK, Visits
from tests.site.leftovers import in_korean
from tests.site.pages import SITE, opened, some_topics

RAW = r"(?:\\[(\[]|\\[A-Za-z]{2,}|\$[^$\s][^$\n]*\$|\$\$|\{\{|\[@\w)"  # TeX or our markup

VISIBLE_TEXT = """() => {
  const walker = document.createTreeWalker(document.querySelector(".md-content, main"), NodeFilter.SHOW_TEXT);
  const said = [];
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest("pre, code, .prism-code-editor, script, style, .katex, annotation"))
      said.push(walker.currentNode.textContent);
  }
  return said.join("\\n");
}"""  # noqa: E501

BROKEN_PICTURES = (
    """() => [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"""
)

WIDER_THAN_THE_PAGE = """() => [...document.querySelectorAll("body *")].filter(e => {
  const box = e.getBoundingClientRect();
  if (box.right <= innerWidth + 1 || !box.width || !e.checkVisibility()) return false;
  for (let up = e; up; up = up.parentElement) {
    const style = getComputedStyle(up);
    if (style.position === "fixed" || /auto|scroll|hidden|clip/.test(style.overflowX)) return false;
  }
  return true;
}).map(e => e.tagName + "." + e.className).slice(0, 5)"""

# But for a tenth of what has no place to break at.
WIDER_THAN_ITS_COLUMN = """() => [...document.querySelectorAll(".formula, .math-display")]
  .filter(box => box.clientWidth && box.scrollWidth > 1.15 * box.clientWidth)
  .map(box => box.querySelector("annotation").textContent)"""

UNMOVED = (
    """() => [...document.querySelectorAll("figure[data-explorer]:not(.moves)")].map(f => f.id)"""
)
ELEMENTS = "document.querySelectorAll('*').length"
LEFT_FOLDED = """() => [...document.querySelectorAll("details > :is(noscript, template)")]
  .map(kept => kept.parentElement.className)"""

# Names in code, such as --seconds, that stand in two lines.
PARTED = r"""() => [...document.querySelectorAll(".md-content code:not(pre *, [class])")].flatMap(code => {
  const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT), parted = [];
  while (walker.nextNode()) {
    for (const {0: word, index} of walker.currentNode.data.matchAll(/\S*-\S*/g)) {
      const range = document.createRange();
      range.setStart(walker.currentNode, index);
      range.setEnd(walker.currentNode, index + word.length);
      if (word.length <= 30 && range.getClientRects().length > 1) parted.push(word);
    }
  }
  return parted;
})"""  # noqa: E501


def too_wide(page: Page) -> list[str]:
    width, is_ = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
    return [f"{is_} of {width}"] * (is_ > width) + page.evaluate(WIDER_THAN_THE_PAGE)


@pytest.mark.parametrize("address", opened())
def test_a_page_is_whole_and_accessible(visit: Visits, address: str) -> None:
    """On a desk and on a phone, and with every fold open in the light and in the dark; contrast
    that axe cannot decide counts as a fault. What is on the console, and every request that fails
    or leaves, is `visit`'s to say."""
    page, is_chapter, is_korean = visit(address), "derivations/" in address, address[:3] == "ko/"
    found = {"too wide on a desk": too_wide(page)}
    elements = page.evaluate(ELEMENTS)
    if is_chapter and elements > 32_000:
        found["too many elements before a fold is opened"] = [elements]
    page.set_viewport_size(PHONE)
    found["too wide on a phone"] = too_wide(page)
    page.evaluate(UNFOLD)
    found["not built when all is unfolded"] = page.evaluate(LEFT_FOLDED)
    found["too wide on a phone, unfolded"] = too_wide(page)
    found["parted at a hyphen on a phone"] = page.evaluate(PARTED)
    found["TeX or markup left over"] = re.findall(RAW, page.evaluate(VISIBLE_TEXT))
    page.set_viewport_size(WIDE_DESK)
    if is_chapter:
        found["formulas wider than their column"] = page.evaluate(WIDER_THAN_ITS_COLUMN)
    if is_korean:
        found["not accessible"] = axe.of_translation(page)
    elif not is_chapter or address.split("/")[1] in some_topics():
        found["not accessible in the light"] = axe.of_page(page)
        axe.other_scheme(page)
        found["not accessible in the dark"] = axe.of_page(page, dark=True)
    page.wait_for_load_state("networkidle")  # scripts have said what they say
    found["explorers that do not move"] = page.evaluate(UNMOVED)
    if is_korean:
        count, found["English left"] = in_korean(page)
        assert count > 50
    found["broken pictures"] = page.evaluate(BROKEN_PICTURES)
    assert {what: which for what, which in found.items() if which} == {}


def test_pages_show_their_mathematics_without_javascript(browser: Browser, base_url: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(base_url + "derivations/vae/")
    box = page.locator("[id='vae.elbo'] ~ .derivation-body .katex-html").first.bounding_box()
    context.close()
    assert box
    assert box["width"] > 40


@pytest.mark.parametrize("word", ["posterior", "Fokker-Planck"])
def test_search_finds(visit: Visits, word: str) -> None:
    page = visit("")
    page.keyboard.press("/")
    page.keyboard.type(word, delay=20)
    first = page.locator(".md-search-result__link").first
    first.wait_for()
    assert (
        word.lower().partition("-")[0]
        in page.locator(".md-search-result__list").inner_text().lower()
    )
    assert page.locator(".md-search__output").inner_text().count("\\") == 0
    first.click()
    page.wait_for_url(lambda url: "h=" in url or "#" in url or url != visit.base_url)


FOUND = """async terms => {
  const config = JSON.parse(document.getElementById("__config").textContent);
  const answer = await fetch(new URL("search/search_index.json", new URL(config.base + "/", location)));
  const index = await answer.json();
  const worker = new Worker(new URL(config.search, new URL(config.base + "/", location)));
  const say = message => new Promise((resolve, reject) => {
    worker.onmessage = ({data}) => resolve(data);
    worker.onerror = reject;
    worker.postMessage(message);
  });
  await say({type: 0, data: {...index, options: {suggest: true}}});
  const found = {};
  for (const term of terms) {
    const result = await say({type: 2, data: term});
    found[term] = result.data.items.length ? result.data.items[0][0].location || "./" : "";
  }
  return found;
}"""  # noqa: E501


def test_search_knows_every_title_and_term_half_typed_too(visit: Visits) -> None:
    """Asked of the worker that the search box asks."""
    entries = json.loads((SITE / "search" / "search_index.json").read_text("utf-8"))["docs"]
    titles = {html.unescape(re.sub("<[^>]+>", "", e["title"])) for e in entries} - {""}
    glossary = (SITE.parent / "docs" / "glossary.md").read_text("utf-8")
    terms = {t.strip() for t in re.findall(r"^\| ([^|]+?) \{ lang=en \} \|", glossary, re.M)}
    assert len(titles) > 400
    assert len(terms) > 50
    typed = sorted(term.replace('"', "") for term in titles | terms)  # quotes ask for a phrase
    typed += [term[: len(term) // 2 + 1] for term in typed]
    typed += ["Score-matching: a proof", "KL^2", "Itô*", "sde~"]  # orders of lunr, and no words
    found = visit("").evaluate(FOUND, typed)
    assert [term for term in typed if not found[term]] == []
    first = {
        "KL": "divergences", "Fokker-Planck": "sde", "reparameterization": "vae", "VAE": "vae",
        "marginalization": "flow_matching", "Ito": "sde", "game": "gan",
        "wasserstein": "wasserstein",
    }  # fmt: skip
    found = visit("").evaluate(FOUND, [*first, "Gaussian", "k"])
    assert found["Gaussian"]
    assert found["k"]
    chapters = {term: found[term].split("#")[0] for term in first if term != "KL"}
    assert chapters == {t: f"derivations/{to}/" for t, to in first.items() if t != "KL"}


def test_a_fold_opens_and_a_link_leads_to_an_equation(visit: Visits) -> None:
    page = visit("")
    page.locator(".result a").first.click()
    page.wait_for_url("**/derivations/vae/#vae.elbo")
    derivation = page.locator("section.derivation", has=page.locator("[id='vae.elbo']"))
    assert "proved" in derivation.locator(".label").inner_text()
    table = derivation.locator("table.steps")
    assert not table.is_visible()
    derivation.locator("details.verdicts > summary").click()
    assert table.is_visible()


def test_what_is_copied_is_latex(visit: Visits) -> None:
    """By the button under the source, and by selecting."""
    page = visit(
        "derivations/vae/", viewport=DESK, permissions=["clipboard-read", "clipboard-write"]
    )
    derivation = page.locator("[data-check='vae.elbo']")
    derivation.locator("details.source > summary").click()
    derivation.get_by_role("button", name="Copy as LaTeX").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("\\begin{aligned}")
    assert copied.count("\\\\") == 5
    derivation.locator(".formula").first.evaluate("box => getSelection().selectAllChildren(box)")
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()").strip() == (
        r"$\displaystyle \log p_\theta(x)$"
    )


def test_only_what_scrolls_is_a_stop_of_the_tab_key(visit: Visits) -> None:
    page = visit("derivations/vae/")
    boxes = page.locator(".formula, .math-display, .scrolls")
    found = boxes.evaluate_all(
        "all => all.map(e => [e.scrollWidth > e.clientWidth + 1, e.tabIndex])"
    )
    assert {stop for scrolls, stop in found if scrolls} <= {0}
    assert {stop for scrolls, stop in found if not scrolls} == {-1}


def test_the_line_that_is_marked_is_answered(visit: Visits) -> None:
    page = visit("derivations/vae/")
    asked = page.locator("fieldset.spot")
    expect(asked.locator(".answer").first).to_be_hidden()
    for choice in asked.locator(".choice").all():
        choice.locator("input").check()
        expect(choice.locator(".answer")).to_be_visible()
    assert asked.locator(".tag.wrong").count() == 1
    assert asked.locator(".tag.right").count() == 2
    # Whoever is to judge a line has to know what its letters are.
    for letters in visit("derivations/ddpm/").locator("fieldset.spot .where").all():
        expect(letters).to_be_visible()
        expect(letters).to_contain_text("where")


def test_a_slider_moves_by_the_keyboard(visit: Visits) -> None:
    page = visit("labs/divergences/")
    figure = page.locator("figure.slider").first
    range_ = figure.locator("input[type=range]")
    shown = """figure => [...new Set([...figure.querySelectorAll("[data-frame]")]
      .filter(e => getComputedStyle(e).display !== "none").map(e => e.dataset.frame))]"""
    before, said = figure.evaluate(shown), figure.locator("output").inner_text()
    range_.focus()
    page.keyboard.press("ArrowRight")
    after = figure.evaluate(shown)
    assert len(before) == len(after) == 1
    assert int(after[0]) == int(before[0]) + 1
    assert figure.locator("output").inner_text() != said


def test_the_dark_scheme_is_dark(visit: Visits) -> None:
    """Where the reader's system asks for it, without a click."""
    page = visit("derivations/vae/", color_scheme="dark", viewport=DESK)
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in colour[4:-1].split(",")[:3]) < 60


SHIFTED = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => {
    for (const each of list.getEntries()) sum += each.hadRecentInput ? 0 : each.value;
  }).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 200);
})"""


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize(
    "address", ["", "derivations/vae/", "derivations/cnf/", "exercises/vae/", "start/yours/"]
)
def test_what_is_read_stays_where_it_is(visit: Visits, address: str, width: int) -> None:
    """While the page is loaded for the first time; where letters come too late for the first
    paint, as they may on a busy machine, they move lines, so one good visit is enough."""
    found = []
    for _ in range(5):
        page = visit(address, viewport={"width": width, "height": 900})
        page.wait_for_load_state("networkidle")
        found.append(page.evaluate(SHIFTED))
        page.close()
        if found[-1] <= 0.05:
            return
    pytest.fail(f"layout shifts of {found}")
