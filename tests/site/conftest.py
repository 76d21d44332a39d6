"""The built site, served by a plain static server, in the system's Chromium."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"
AXE = ROOT / "docs/_site/node_modules/axe-core/axe.min.js"
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# Chromium's own traffic would be refused on a closed network, and count as a request of ours.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]

IN_CHROMIUM = ["test_browser.py", "test_editor.py"]
collect_ignore = [] if CHROMIUM else IN_CHROMIUM


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not CHROMIUM:
        files = ", ".join(f"tests/site/{name}" for name in IN_CHROMIUM)
        line = f"left out for want of Chromium (apt install chromium): {files}"
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


class Complaints(list[str]):
    """What went wrong in a page: errors on the console, failed requests, requests that leave."""

    def watch(self, page: Page, base_url: str) -> None:
        page.on("console", lambda said: said.type == "error" and self.append(said.text))
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("requestfailed", lambda request: self.append(f"failed: {request.url}"))
        page.on("response", lambda r: r.status >= 400 and self.append(f"{r.status}: {r.url}"))
        page.on("request", lambda request: self._stays(request.url, base_url))

    def _stays(self, url: str, base_url: str) -> None:
        if not url.startswith((base_url, "data:", "blob:", "about:")):
            self.append(f"leaves the site: {url}")
