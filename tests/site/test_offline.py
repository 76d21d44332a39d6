"""What is there without the server, once the checker was used."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from serving import served

from tests.site.conftest import DESK, PATIENCE, SITE
from tests.site.test_editor import check, editor_of

pytestmark = pytest.mark.xdist_group("editor")
PARTS = [
    "memory.bin",
    "libraries.zip",
    "asm.wasm.bin",
    "worker.js",
    "katex.min.js",
    "/vae/",
    "site.css",
]
KEPT = """async ends => {
  const names = await caches.keys();
  if (!names.length || !navigator.serviceWorker.controller) return false;
  const kept = (await (await caches.open(names[0])).keys()).map(({url}) => url);
  return ends.every(end => kept.some(url => url.endsWith(end)));
}"""


@pytest.fixture
def reader(browser: Browser) -> Iterator[BrowserContext]:
    """One whose browser may keep what it likes."""
    context = browser.new_context(viewport=DESK)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def test_pages_and_checker_are_there_without_the_server(
    reader: BrowserContext, tmp_path: Path
) -> None:
    """Below a folder, as on a server of many projects."""
    (tmp_path / "book").symlink_to(SITE)
    page = reader.new_page()
    with served(tmp_path) as address:
        page.goto(f"{address}book/derivations/vae/")
        assert page.evaluate("caches.keys()") == []  # nothing before the checker is used
        expect(check(editor_of(page, "vae.elbo"))).to_contain_text("As claimed")
        page.wait_for_function(KEPT, arg=PARTS)
        page.goto(f"{address}book/derivations/gan/")
        page.wait_for_function(KEPT, arg=["/gan/"])
    page.goto(f"{address}book/derivations/vae/?h=elbo#vae.elbo")
    editor = editor_of(page, "vae.elbo")
    expect(check(editor)).to_contain_text("As claimed: proved.")
    editor.locator("textarea").fill("while True:\n    pass\n")
    editor.get_by_role("button", name="Check").click()
    editor.get_by_role("button", name="Stop").click()
    expect(editor.get_by_role("status")).to_contain_text("Stopped.")
    editor.get_by_role("button", name="Start over").click()
    expect(check(editor)).to_contain_text("As claimed: proved.")
    page.goto(f"{address}book/derivations/gan")
    page.wait_for_url("**/gan/")
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.derivation')).paddingLeft")
    page.goto(f"{address}book/conventions/")
    expect(page.locator("h1")).to_have_text("No network")
    page.get_by_role("link", name="derivations/vae/").click()
    expect(page.locator("section[data-check='vae.elbo']")).to_be_visible()


PAGE = """<!doctype html><title>{build}</title><script>window.build = {build}</script>
<script src="../part.js"></script>
<script>navigator.serviceWorker.register("../offline.js")
  .then(() => navigator.serviceWorker.ready)
  .then(({{active}}) => active.postMessage([location.href, document.scripts[1].src]))</script>
"""


def build(site: Path, number: int) -> None:
    """Its files are of another second than those before, which is all that a server tells apart."""
    for name in ("one", "two"):
        (site / name).mkdir(exist_ok=True)
        (site / name / "index.html").write_text(PAGE.format(build=number), "utf-8")
    (site / "part.js").write_text(f"window.part = {number}", "utf-8")
    for file in (site / "part.js", *site.glob("*/index.html")):
        os.utime(file, (time.time() + 10 * number,) * 2)


def test_with_a_network_the_site_is_what_it_is_now(reader: BrowserContext, tmp_path: Path) -> None:
    """And without one what it last was: page and part of one build."""
    shutil.copy(SITE / "offline.js", tmp_path)
    build(tmp_path, 1)
    page = reader.new_page()
    shown = "[window.build, window.part]"
    with served(tmp_path) as address:
        for name in ("one", "two"):
            page.goto(f"{address}{name}/")
            page.wait_for_function(KEPT, arg=[f"/{name}/", "part.js"])
        build(tmp_path, 2)
        page.goto(f"{address}one/")
        assert page.evaluate(shown) == [2, 2]
        page.wait_for_function(
            """async url => (await (await caches.match(url)).text()).includes("<title>2")""",
            arg=f"{address}one/",
        )
    page.goto(f"{address}one/")
    assert page.evaluate(shown) == [2, 2]
