"""The book as one PDF, from the website that was built: python docs/_site/pdf.py

Chromium prints all chapters as one page with the numbers of the pages under it; where the chapters
begin is read from what it printed, and a second print has the table of contents.
"""

from __future__ import annotations

import html
import io
import os
import re
import shutil
import sys
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader
from results import ROOT
from serving import served

from genmath import __version__
from genmath._topics import TOPICS

SITE = ROOT / "site"
TARGET = SITE / "genmath.pdf"
MATTER = ["derivations/" + topic.name for topic in TOPICS] + ["references"]
FOLIO = (
    '<div style="width:100%;text-align:center;font-size:8pt;font-family:serif">'
    '<span class="pageNumber"></span></div>'
)
# What paper cannot unfold is not carried to it, and addresses of a page become those of the book.
BARE = """([address, number]) => {
  dispatchEvent(new Event("beforeprint"));  // builds what is folded
  const main = document.querySelector("article.md-content__inner");
  const folds = "details:is(.code, .source, .verdicts, .slips, .cases, .try)";
  const moving = ".editor, .spot, .explorer, .headerlink, .chapter-links, .md-content__button";
  const unseen = ".katex-mathml, script";
  for (const gone of main.querySelectorAll([folds, moving, unseen].join())) gone.remove();
  for (const fold of main.querySelectorAll("details")) fold.open = true;
  for (const named of main.querySelectorAll("[id]")) named.id = address + "/" + named.id;
  for (const link of main.querySelectorAll("a[href]")) {
    const [path, place] = new URL(link.href).pathname.slice(1).split("#");
    link.setAttribute("href", "#" + path + new URL(link.href).hash.slice(1));
  }
  const title = main.querySelector("h1");
  title.id = address + "/";
  title.textContent = number ? number + ". " + title.textContent : title.textContent;
  return [title.textContent, main.innerHTML];
}"""
STYLE = """<style>
  body { background: white; } .md-typeset { font-size: 10pt; margin: 0 auto; }
  h1, h2, h3, h4, .part { break-after: avoid; }
  h1 { break-before: page; } .contents h1 { break-before: auto; }
  .title { text-align: center; padding-top: 30vh; break-after: page; } .title p { font-size: 16pt; }
  .contents ol { list-style: none; margin: 0; } .contents li { display: flex; gap: .5em; }
  .contents li i { flex: 1; border-bottom: .05rem dotted; }
  .lab-output, .picture { break-inside: avoid; }
  @page { size: A4; margin: 18mm 18mm 20mm; }
</style>"""


def contents(titles: list[str], pages: Mapping[str, int]) -> str:
    lines = "".join(
        f"<li><span>{html.escape(title)}</span><i></i><span>{pages.get(title, '')}</span></li>"
        for title in titles
    )
    return (
        '<div class="title"><h1>The mathematics of generative models, checked</h1>'
        f"<p>genmath {__version__}</p></div>"
        f'<div class="contents"><h1>Contents</h1><ol>{lines}</ol></div>'
    )


def printed(page: Page, base: str, body: str) -> bytes:
    """As PDF; the styles are those of the site, whose address the text keeps."""
    page.goto(base + "404.html")
    page.evaluate(
        """([body, style]) => {
          document.body.setAttribute("data-md-color-scheme", "default");
          document.body.innerHTML = style + '<div class="md-typeset">' + body + "</div>";
        }""",
        [body, STYLE],
    )
    page.evaluate("document.fonts.ready")
    return page.pdf(
        prefer_css_page_size=True, display_header_footer=True, header_template="<span></span>",
        footer_template=FOLIO, outline=True, tagged=True, print_background=True,
    )  # fmt: skip


def begins(pdf: bytes, titles: list[str]) -> dict[str, int]:
    """The page on which each chapter begins, by the outline."""
    reader = PdfReader(io.BytesIO(pdf))
    found: dict[str, int] = {}
    todo: list[Any] = list(reader.outline)
    for entry in todo:
        if isinstance(entry, list):
            todo += entry
        elif (title := re.sub(r"\s+", " ", str(entry.title)).strip()) in titles:
            found[title] = (reader.get_destination_page_number(entry) or 0) + 1
    return found


def main() -> int:
    chromium = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    if not chromium or not (SITE / "index.html").is_file():
        print(
            "the PDF needs a site (make site) and Chromium (apt install chromium)", file=sys.stderr
        )
        return 1
    with served(SITE) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(0)
        chapters = []
        for number, address in enumerate(MATTER, 1):
            page.goto(f"{base}{address}/")
            chapters.append(page.evaluate(BARE, [address, number if number <= len(TOPICS) else 0]))
        titles, body = [t for t, _ in chapters], "".join(text for _, text in chapters)
        first = begins(printed(page, base, contents(titles, {}) + body), titles)
        if missing := [title for title in titles if title not in first]:
            print(f"chapters that the PDF does not show: {', '.join(missing)}", file=sys.stderr)
            return 1
        pdf = printed(page, base, contents(titles, first) + body)
        browser.close()
    TARGET.write_bytes(pdf)
    ends = [*list(first.values())[1:], len(PdfReader(io.BytesIO(pdf)).pages) + 1]
    for (title, start), end in zip(first.items(), ends, strict=True):
        print(f"{title}: {end - start} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
