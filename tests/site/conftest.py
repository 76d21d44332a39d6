"""The built site, served by a plain static server, in the system's Chromium."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, BrowserContext, Page, Request

    Visit = Callable[..., Page]

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"
sys.path.append(str(ROOT / "docs" / "_site"))
from serving import served  # noqa: E402

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# Chromium's own traffic would be refused on a closed network, and count as a request of ours.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WIDE_DESK = {"width": 1440, "height": 900}
STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"
FORGET = """for (const key of Object.keys(localStorage)) {
  if (key.endsWith("__palette")) localStorage.removeItem(key);  // the scheme of another page
  if (key === "genmath checker") localStorage.removeItem(key);  // or every page would start it
}"""
# Who looks for a word with Ctrl+F has all folds built.
UNFOLD = """() => {
  dispatchEvent(new KeyboardEvent("keydown", {key: "f", ctrlKey: true}));
  document.querySelectorAll("details").forEach(fold => fold.open = true);
}"""
PATIENCE = 300_000  # milliseconds, for everything: against a page that hangs, not a busy machine

IN_CHROMIUM = [
    f"test_{name}.py"
    for name in ("address", "breaking", "browser", "editor", "explorers", "folds", "korean")
]
collect_ignore = [] if CHROMIUM else IN_CHROMIUM


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not CHROMIUM:
        files = ", ".join(f"tests/site/{name}" for name in IN_CHROMIUM)
        line = f"left out for want of Chromium (apt install chromium): {files}"
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    with served(SITE) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def desk(browser: Browser) -> Iterator[BrowserContext]:
    """A reader at a desk, who has seen other pages: what they share is loaded once."""
    context = browser.new_context(viewport=DESK, service_workers="block")
    yield context
    context.close()


class Visits:
    """Pages, and what went wrong in them: errors on the console, failed requests, requests that
    leave the site."""

    def __init__(self, desk: BrowserContext, base_url: str) -> None:
        self.desk, self.base_url = desk, base_url
        self.pages: list[Page] = []
        self.complaints: list[str] = []

    def __call__(self, address: str, **options: object) -> Page:
        """Open a page: at the desk, or by a reader who has never been here and whom options
        describe."""
        browser = self.desk.browser
        assert browser
        page = (
            self.desk.new_page()
            if not options
            else browser.new_page(service_workers="block", **options)
        )  # type: ignore[arg-type]
        self.pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: said.type == "error" and self._say(said.text))
        page.on("pageerror", lambda error: self._say(str(error)))
        page.on("requestfailed", self._failed)
        page.on("response", lambda r: r.status >= 400 and self._say(f"{r.status}: {r.url}"))
        page.on("request", lambda request: self._stays(request.url))
        if not options:
            page.add_init_script(FORGET)
        page.goto(self.base_url + address)
        page.add_style_tag(content=STILL)
        return page

    def _say(self, words: str) -> None:
        self.complaints.append(words)

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the reader went on before it had come
            self._say(f"failed: {request.url}")

    def _stays(self, url: str) -> None:
        if not url.startswith((self.base_url, "data:", "blob:", "about:")):
            self._say(f"leaves the site: {url}")

    def end(self) -> None:
        for page in self.pages:
            if not page.is_closed():
                page.close()
        assert self.complaints == []


@pytest.fixture
def visit(desk: BrowserContext, base_url: str) -> Iterator[Visit]:
    """Open a page by its address; a complaint of any page fails the test at its end."""
    visits = Visits(desk, base_url)
    yield visits
    visits.end()
