"""axe, WCAG A and AA: what it finds, and what it cannot decide about contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.site.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = ROOT / "docs/_site/node_modules/axe-core/axe.min.js"
TAGS = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
# The rules that ask for colours; the others ask for what both schemes have in common.
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
# What a translation says anew: names.
NAMES = ["button-name", "document-title", "html-has-lang", "html-lang-valid", "image-alt"]
NAMES += ["aria-input-field-name", "label", "label-content-name-mismatch", "link-name"]
NAMED = {"type": "rule", "values": [*NAMES, "select-name", "summary-name", "valid-lang"]}
# Typeset formulas are most of a chapter's elements, and axe would only walk by: a box stands for
# each, and its source for its MathML. Programs are most of the rest: of each kind of token in each
# kind of block one is looked at. An arrow of the map axe takes for the box around it, which may end
# between two lines of a name.
HOLLOW = """() => {
  const drawn = [...document.querySelectorAll(".katex-html")];
  const boxes = drawn.map(e => [e, e.getBoundingClientRect()]);
  for (const [e, { width, height }] of boxes) {
    e.replaceChildren();
    Object.assign(e.style, { display: "inline-block", width: width + "px", height: height + "px" });
  }
  for (const e of document.querySelectorAll(".katex-mathml math")) e.replaceChildren(e.textContent);
  const seen = new Set();
  for (const e of document.querySelectorAll("pre code span:not(:has(span))")) {
    const kind = [e.className, e.closest("pre").className, e.closest("div")?.className].join();
    if (seen.has(kind)) e.remove();
    seen.add(kind);
  }
  for (const e of document.querySelectorAll(".map-view svg path")) e.style.display = "none";
}"""
# What a list has scrolled beneath its own title axe cannot see.
TOP = """() => document.querySelectorAll(".md-sidebar__scrollwrap").forEach(e => e.scrollTop = 0)"""
# The letters of an editor's field are those of the lines over it, of which axe sees nothing:
# tests/site/test_editor.py holds them to their contrast.
FAULTS = """async ([there, runOnly, formulas]) => {
  const said = await axe.run(there, {runOnly, resultTypes: ["violations", "incomplete"]});
  const formula = node => {
    const there = document.querySelector(node.target[0]);
    return there && (there.closest("p, li, td, dd") ?? there).querySelector(".katex");
  };
  const veiled = node => document.querySelector(node.target[0])?.matches(".pce-textarea");
  const unsure = said.incomplete.filter(rule => rule.id === "color-contrast")
    .map(rule => ({...rule, nodes: rule.nodes.filter(node => !(formulas && formula(node)) && !veiled(node))}))
    .filter(rule => rule.nodes.length);
  const node = n => n.target + " " + n.html.slice(0, 120) + " " + (n.any[0]?.message ?? "");
  return [...said.violations, ...unsure].map(rule => rule.id + ": " + rule.nodes.slice(0, 3).map(node).join(" | "));
}"""  # noqa: E501


def _faults(
    page: Page, there: dict[str, list[str]], formulas: bool, dark: bool, only: object = None
) -> list[str]:
    assert dark == (page.locator("body").get_attribute("data-md-color-scheme") == "slate")
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    page.evaluate(HOLLOW)
    page.evaluate(TOP)
    found: list[str] = page.evaluate(FAULTS, [there, only or (COLOURS if dark else TAGS), formulas])
    return found


def of_page(page: Page, dark: bool = False) -> list[str]:
    """Inside drawings and formulas boxes overlap, and a formula's box its own paragraph: there axe
    decides nothing, and of a lone ≥ it says that it is no text. Formulas have the colour of their
    text, and tests/test_figures.py holds drawings to their contrast."""
    return _faults(page, {"exclude": [".katex-html", ".sign", "figure svg"]}, True, dark)


def of_translation(page: Page) -> list[str]:
    """Its elements and colours are those of the English page."""
    return _faults(page, {"exclude": [".katex-html", ".sign", "figure svg"]}, True, False, NAMED)


def of_editor(page: Page, dark: bool = False) -> list[str]:
    """Of a lone ≥ axe says that it is no text; it has the colour of its line."""
    there = {"include": [".editor"], "exclude": [".katex-html", ".sign"]}
    return _faults(page, there, False, dark)


def other_scheme(page: Page) -> None:
    """By the switch in the heading, pressed by the script: a click of the mouse waits until the
    page draws two frames, and a page with all its folds open may never be asked to draw one."""
    before = page.locator("body").get_attribute("data-md-color-scheme")
    page.locator("form[data-md-component=palette] label:visible").evaluate("label => label.click()")
    assert page.locator("body").get_attribute("data-md-color-scheme") != before
