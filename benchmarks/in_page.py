"""How long a reader waits for a verdict: `genmath.proof` in Chromium, from a site that was built.

python benchmarks/in_page.py [--all]

Cold is from the click on *Check* to the verdict, in a browser that has nothing of the site; warm is
a check after that. With --all, every derivation of the book is checked in the page, and must be as
claimed.
"""

from __future__ import annotations

import functools
import http.server
import statistics
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from genmath import book  # noqa: E402
from tests.site.conftest import ARGUMENTS, CHROMIUM, UNFOLD  # noqa: E402


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def seconds(page, name: str) -> tuple[float, str]:
    """Check one derivation of an open chapter: how long it took, and what was said."""
    section = page.locator(f"section[data-check='{name}']")
    section.locator("details.try").evaluate("fold => fold.open = true")
    button = section.get_by_role("button", name="Check")
    button.wait_for()
    began = time.perf_counter()
    button.evaluate("button => button.click()")
    section.locator("button.md-button--primary:enabled").wait_for(timeout=600_000)
    return time.perf_counter() - began, section.get_by_role("status").inner_text()


def main() -> None:
    if not CHROMIUM or not (ROOT / "site" / "index.html").is_file():
        print("in_page: left out, it needs Chromium and a built site (make site)")
        return
    from playwright.sync_api import sync_playwright

    serve = functools.partial(Quiet, directory=str(ROOT / "site"))
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server,
        sync_playwright() as playwright,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}/derivations/"
        cold, warm = [], []
        for _ in range(5):
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = browser.new_page()
            page.goto(f"{base}vae/")
            cold.append(seconds(page, "vae.elbo")[0])
            warm += [seconds(page, "vae.elbo")[0] for _ in range(5)]
            browser.close()
        for kind, times in (("cold", cold), ("warm", warm)):
            print(f"vae.elbo, {kind}: {statistics.median(times):.2f} s", end="")
            print(f" (from {min(times):.2f} to {max(times):.2f}, {len(times)} runs)")
        if "--all" in sys.argv:
            whole_book(playwright, base)
        server.shutdown()


def whole_book(playwright, base: str) -> None:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    found = []
    for topic in book.topics():
        page = browser.new_page()
        page.goto(f"{base}{topic}/")
        page.evaluate(UNFOLD)
        found += [(*seconds(page, d.name), d.name) for d in book.chapter(topic).derivations]
        page.close()
    browser.close()
    for took, said, name in sorted(found, reverse=True)[:8]:
        print(f"  {name}: {took:.1f} s. {said}")
    wrong = [(name, said) for _, said, name in found if not said.startswith("As claimed")]
    print(f"{len(found)} derivations, {len(found) - len(wrong)} as claimed")
    if wrong:
        sys.exit("\n".join(f"{name}: {said}" for name, said in wrong))


if __name__ == "__main__":
    main()
