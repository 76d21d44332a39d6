"""How long a reader waits for a verdict: `genmath.proof` in Chromium, from a site that was built.

python benchmarks/in_page.py [--all]

From the click on *Check* to the verdict, where no page has had a check (first page), where one has
and this one was just opened (at once) or has been read for some seconds (second page), and where
this one has (again). With --all, every derivation of the book is checked in the page, and must be
as claimed.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from genmath import book  # noqa: E402
from tests.site.conftest import ARGUMENTS, CHROMIUM, SITE, UNFOLD  # noqa: E402

from serving import served  # noqa: E402  # isort: skip


READS = 8  # seconds until the first click, of a reader of a second page


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

    with served(SITE) as address, sync_playwright() as playwright:
        base = f"{address}derivations/"
        took: dict[str, list[float]] = {}
        for _ in range(5):
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = browser.new_page()
            for which, reads in (("first page", 0), ("at once", 0), ("second page", READS)):
                page.goto(f"{base}vae/")
                page.wait_for_timeout(1000 * reads)
                for turn in (which, f"{which}, again"):
                    took.setdefault(turn, []).append(seconds(page, "vae.elbo")[0])
                page.goto(address)
            browser.close()
        for turn, times in took.items():
            print(f"vae.elbo, {turn}: {statistics.median(times):.2f} s", end="")
            print(f" (from {min(times):.2f} to {max(times):.2f}, {len(times)} runs)")
        if "--all" in sys.argv:
            whole_book(playwright, base)


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
