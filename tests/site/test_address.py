"""The site below a folder of its server, and with the address that SITE_URL names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect
from serving import served

from tests.newcomer import ROOT, python
from tests.site.conftest import Visits
from tests.site.pages import SITE

# What the theme and a page say of the address; the pages themselves would take minutes.
BUILD = """
import sys
from mkdocs.commands import build
from mkdocs.config import load_config
from mkdocs.structure.files import get_files
from mkdocs.structure.nav import get_navigation

config = load_config("mkdocs.yml", site_dir=sys.argv[1])
config.plugins.on_startup(command="build", dirty=True)
config = config.plugins.on_config(config)
files = config.plugins.on_files(get_files(config), config=config)
nav = get_navigation(files, config)
env = config.plugins.on_env(config.theme.get_env(), config=config, files=files)
for name in ("404.html", "sitemap.xml"):
    build._build_theme_template(name, env, files, config, nav)
page = files.get_file_from_path("cite.md").page
build._populate_page(page, config, files)
build._build_page(page, config, files, nav, env)
"""


@pytest.fixture(scope="module")
def below(desk: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visits]:
    root = tmp_path_factory.mktemp("server")
    (root / "book").symlink_to(SITE)
    with served(root) as address:
        visits = Visits(desk, f"{address}book/")
        yield visits
        visits.end()  # a link or request that leaves the folder is a complaint


LINKS = "() => [...document.querySelectorAll('a[href], link[href]')].map(link => link.href)"


@pytest.mark.parametrize("address", ["", "derivations/ddpm/", "map/?need=vae.elbo", "exercises/"])
def test_below_a_folder_nothing_leaves_it(below: Visits, address: str) -> None:
    page = below(address)
    page.wait_for_load_state("networkidle")
    links = [link for link in page.evaluate(LINKS) if link.startswith(below.base_url[:17])]
    assert len(links) > 20
    assert [link for link in links if not link.startswith(below.base_url)] == []
    page.keyboard.press("/")
    page.keyboard.type("posterior", delay=20)
    page.locator(".md-search-result__link").first.wait_for()


def test_below_a_folder_the_checker_runs(below: Visits) -> None:
    page = below("start/yours/")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("status").first).to_contain_text("As claimed")


def test_the_address_is_named_where_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = "https://books.example/genmath/"
    monkeypatch.setenv("SITE_URL", home)
    built = python(ROOT, "-c", BUILD, str(tmp_path))
    assert built.returncode == 0, built.stderr
    lost = (tmp_path / "404.html").read_text("utf-8")
    assert 'role="dialog" aria-label="Search"' in lost
    links = re.findall(r'(?:href|src)="([^"#]+)"', lost)
    assert len(links) > 20
    inside = [link for link in links if not link.startswith(("https://", "data:"))]
    assert [link for link in inside if not link.startswith("/genmath/")] == []
    places = re.findall(r"<loc>(.*?)</loc>", (tmp_path / "sitemap.xml").read_text("utf-8"))
    assert f"{home}derivations/vae/" in places
    assert [place for place in places if not place.startswith(home)] == []
    page = (tmp_path / "cite" / "index.html").read_text("utf-8")
    assert f'<link rel="canonical" href="{home}cite/">' in page
    assert f'<meta property="og:url" content="{home}cite/">' in page
    assert '<meta property="og:title" content="How to cite">' in page
    assert '<meta property="og:description"' in page
