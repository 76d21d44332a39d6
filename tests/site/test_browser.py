"""Every page in a real browser: on a desk, on a phone, in the light and in the dark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page

from tests.site.conftest import AXE, Complaints
from tests.site.pages import addresses

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"
RAW = r"(?:\\[(\[]|\\[A-Za-z]{2,}|\$[^$\s][^$\n]*\$|\$\$|\{\{|\[@\w)"  # TeX or our markup

VISIBLE_TEXT = """() => {
  const walker = document.createTreeWalker(document.querySelector(".md-content, main"), NodeFilter.SHOW_TEXT);
  const said = [];
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest("pre, code, script, style, .katex, annotation"))
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


def opened(browser: Browser, base_url: str, address: str, **options: object) -> tuple[Page, list]:
    page = browser.new_page(**options)
    complaints = Complaints()
    complaints.watch(page, base_url)
    page.goto(base_url + address)
    page.add_style_tag(content=STILL)
    return page, complaints


@pytest.mark.parametrize("address", addresses())
def test_a_page_is_whole_on_a_desk_and_on_a_phone(
    browser: Browser, base_url: str, address: str
) -> None:
    for viewport in (DESK, PHONE):
        page, complaints = opened(browser, base_url, address, viewport=viewport)
        page.wait_for_load_state("networkidle")
        assert complaints == []
        assert re.findall(RAW, page.evaluate(VISIBLE_TEXT)) == []
        assert page.evaluate(BROKEN_PICTURES) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert page.evaluate(WIDER_THAN_THE_PAGE) == []
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", addresses())
def test_a_page_is_accessible(browser: Browser, base_url: str, address: str, scheme: str) -> None:
    """axe, WCAG A and AA, with every fold open; contrast it cannot decide counts as a fault."""
    page, _ = opened(browser, base_url, address, viewport=DESK, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.add_script_tag(path=AXE)
    found = page.evaluate(
        """async () => {
          const rules = {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]};
          // Inside drawings and formulas boxes overlap, and a formula's box its own paragraph: there
          // axe decides nothing. Formulas have the colour of their text, and tests/test_figures.py
          // holds drawings to their contrast.
          const there = {exclude: [".katex-html", "figure svg"]};
          const said = await axe.run(there, {runOnly: rules, resultTypes: ["violations", "incomplete"]});
          const formula = node => {
            const there = document.querySelector(node.target[0]);
            return there && (there.closest("p, li, td, dd") ?? there).querySelector(".katex");
          };
          const unsure = said.incomplete.filter(rule => rule.id === "color-contrast")
            .map(rule => ({...rule, nodes: rule.nodes.filter(node => !formula(node))}))
            .filter(rule => rule.nodes.length);
          return [...said.violations, ...unsure].map(rule =>
            rule.id + ": " + rule.nodes.slice(0, 3).map(n => n.target + " " + n.html.slice(0, 120)).join(" | "));
        }"""  # noqa: E501
    )
    page.close()
    assert found == []


def test_pages_show_their_mathematics_without_javascript(browser: Browser, base_url: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(base_url + "derivations/vae/")
    box = page.locator("[id='vae.elbo'] ~ .derivation-body .katex-html").first.bounding_box()
    context.close()
    assert box
    assert box["width"] > 40


@pytest.mark.parametrize("word", ["posterior", "Jensen"])
def test_search_finds(browser: Browser, base_url: str, word: str) -> None:
    page, complaints = opened(browser, base_url, "", viewport=DESK)
    page.keyboard.press("/")
    page.keyboard.type(word, delay=20)
    first = page.locator(".md-search-result__link").first
    first.wait_for(timeout=15_000)
    assert word.lower() in page.locator(".md-search-result__list").inner_text().lower()
    first.click()
    page.wait_for_url(lambda url: "h=" in url or "#" in url or url != base_url)
    page.close()
    assert complaints == []


def test_a_fold_opens_and_a_link_leads_to_an_equation(browser: Browser, base_url: str) -> None:
    page, _ = opened(browser, base_url, "", viewport=DESK)
    page.locator(".result a").first.click()
    page.wait_for_url("**/derivations/vae/#vae.elbo")
    derivation = page.locator("section.derivation", has=page.locator("[id='vae.elbo']"))
    assert "proved" in derivation.locator(".label").inner_text()
    table = derivation.locator("table.steps")
    assert not table.is_visible()
    derivation.locator("details.verdicts > summary").click()
    assert table.is_visible()
    page.close()


def test_a_slider_moves_by_the_keyboard(browser: Browser, base_url: str) -> None:
    page, _ = opened(browser, base_url, "labs/divergences/", viewport=DESK)
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
    page.close()


def test_the_dark_scheme_is_dark(browser: Browser, base_url: str) -> None:
    page, _ = opened(browser, base_url, "derivations/vae/", color_scheme="dark", viewport=DESK)
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.close()
    assert max(int(part) for part in colour[4:-1].split(",")[:3]) < 60
