"""A page in the languages in which it is published: the English page at x/, the Korean at ko/x/."""

from __future__ import annotations

import html
import json
import posixpath
import re
from functools import cache
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import translating
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.utils import get_relative_url
from results import ROOT, SiteError
from segments import TAG

NAMES = {"en": "English", "ko": "한국어"}
SAY = re.compile(r'\bsay\("([^"]+)"')
LINK = re.compile(r'(?<=\s)(href|src)="([^"#][^"]*)"')
SETTING = re.compile(r'(?<="(?:base)": )"([^"]*)"|(?<="search": )"([^"]*)"|(?<=new URL\()"([^"]*)"')
PALETTE = '<form class="md-header__option" data-md-component="palette">'
log = get_plugin_logger("languages")
_faults: list[str] = []
_built: set[str] = set()
korean: dict[str, str] = {}  # the Korean pages by their addresses below ko/


def forget() -> None:
    _faults.clear()
    _built.clear()
    korean.clear()
    _spoken.cache_clear()
    translating.forget()


def name_of(source: str) -> str:
    """start/read, of start/read.md: what its catalogue is called."""
    return source.rpartition(".")[0]


def url_of(name: str) -> str:
    return f"{name}/".removesuffix("index/")


def editions(output: str, source: str, config: MkDocsConfig) -> dict[str, str]:
    """A finished page by language; in English alone where its translation is not whole."""
    name = name_of(source)
    spoken = output.replace("</body>", f"{_spoken()}</body>", 1)
    kept = translating.FINISHED / f"{name}.html"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(spoken, "utf-8")
    if name not in translating.published():
        return {"en": output}
    _built.add(name)
    text, faults = translating.translated(name, spoken)
    _faults.extend(faults)
    for fault in faults:
        log.warning(fault)
    if faults:
        return {"en": output}
    url = url_of(name)
    korean[url] = text
    return {
        "en": _introduced(output, "en", url, config),
        "ko": _introduced(_moved(text, url), "ko", url, config),
    }


@cache
def _spoken() -> str:
    """What scripts say, for docs/assets/words.js."""
    scripts = sorted((ROOT / "docs" / "assets").rglob("*.js"))
    found = [text for file in scripts for text in SAY.findall(file.read_text("utf-8"))]
    words = json.dumps({"translations": {text: text for text in found}}, ensure_ascii=False)
    return f'<script id="words" type="application/json">{words}</script>'


def end(config: MkDocsConfig) -> None:
    """What only a whole build can know; any fault of a translation ends it."""
    gone = [name for name in translating.published() if name not in _built]
    faults = [*(f"docs/ko/{name}.po: no such page" for name in gone), *translating.unused()]
    for fault in faults:
        log.warning(fault)
    if number := len(_faults + faults):
        raise SiteError(
            f"{number} faults in docs/ko, named above; python docs/_site/translating.py"
        )


def in_sitemap(sitemap: str, config: MkDocsConfig) -> str:
    """With the Korean pages after the English ones."""
    entries = [
        f"<url><loc>{html.escape(urljoin(config.site_url, f'ko/{url_of(name)}'))}</loc></url>"
        for name in translating.published()
        if config.site_url
    ]
    return sitemap.replace("</urlset>", "".join(entries) + "</urlset>")


def _introduced(output: str, language: str, url: str, config: MkDocsConfig) -> str:
    """With its language, the addresses of both editions, and a way from one to the other."""
    urls = {"en": url, "ko": f"ko/{url}"}
    here = urls[language]
    if config.site_url:
        english, own = (urljoin(config.site_url, each) for each in (url, here))
        output = output.replace(f'"{english}"', f'"{own}"')  # canonical, og:url
    output = output.replace('<html lang="en"', f'<html lang="{language}"', 1)

    def address(to: str) -> str:
        path = urls["en" if to == "x-default" else to]
        return urljoin(config.site_url, path) if config.site_url else get_relative_url(path, here)

    # The space: at rel=alternate the theme would look for another site, with a sitemap of its own.
    links = "".join(
        f'<link rel="alternate " hreflang="{to}" href="{address(to)}">'
        for to in (*urls, "x-default")
    )
    (other,) = urls.keys() - {language}
    switch = (
        f'<a class="md-header__option language" lang="{other}" hreflang="{other}" rel="alternate"'
        f' href="{get_relative_url(urls[other], here)}">{NAMES[other]}</a>'
    )
    if PALETTE not in output:
        raise SiteError("the header of the theme has no place for the switch of languages")
    output = output.replace("</head>", f"{links}</head>", 1)
    return output.replace(PALETTE, switch + PALETTE, 1)


def _moved(output: str, url: str) -> str:
    """The page from ko/<url>: its links lead to Korean pages where there are any."""
    published = {url_of(name) for name in translating.published()}
    here = f"ko/{url}"

    def moved(link: str) -> tuple[str, bool]:
        """The link from there, and whether it leads to an English page."""
        parts = urlsplit(html.unescape(link))
        if parts.scheme or parts.netloc or link.startswith("/"):
            return link, False
        target = posixpath.normpath(posixpath.join(url or ".", parts.path))
        target = "" if target == "." else target + "/" * parts.path.endswith(("/", ".", ".."))
        is_page = not Path(target).suffix
        if is_page and target.rstrip("/") + "/" * bool(target) in published:
            target = f"ko/{target}"
        rest = link[len(link.split("#")[0].split("?")[0]) :]
        return get_relative_url(target, here) + rest, is_page and not target.startswith("ko/")

    def tag(found: re.Match[str]) -> str:
        english = False

        def replace(attribute: re.Match[str]) -> str:
            nonlocal english
            to, leaves = moved(attribute[2])
            english |= leaves
            return f'{attribute[1]}="{to}"'

        text = LINK.sub(replace, found[0])
        return f'<a hreflang="en"{text[2:]}' if english and text.startswith("<a ") else text

    def setting(found: re.Match[str]) -> str:
        if found[1]:  # below which search finds its index, and what that names
            return f'"{get_relative_url("ko/", here).rstrip("/")}"'
        (path,) = filter(None, found.groups())
        return f'"{get_relative_url(posixpath.normpath(posixpath.join(url or ".", path)), here)}"'

    scripts = re.compile(r"<script\b.*?</script>", re.DOTALL)
    output = scripts.sub(lambda found: SETTING.sub(setting, found[0]), output)
    return re.sub(TAG, tag, output)
