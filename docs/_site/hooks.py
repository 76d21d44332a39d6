"""What happens on the way from a chapter to a page, in the order in which it happens."""

from __future__ import annotations

import html
import re
from pathlib import Path

import certificates
import citations
import editing
import explorers
import folds
import hyphens
import languages
import maths
import notebooks
import overview
import prose
import runtime
import searching
import topics
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url
from results import ROOT, SiteError, implementations, results, slip_ids, stale_topics

from genmath import book
from genmath.proof.language.meanings import two_meanings

PAGES = ROOT / ".cache" / "pages"
NODE_MODULES = Path(__file__).parent / "node_modules"
SLOT = re.compile(r'(?:<p>)?<div data-slot="(\d+)"></div>(?:</p>)?')  # <p> where it was indented
# A section whose heading says { .advanced }, up to the next of its rank.
ADVANCED = re.compile(r'(<h2 [^>]*class="advanced"[^>]*>.*?</h2>)(.*?)(?=<h2 |\Z)', re.DOTALL)
SKIPPED = r'\1<details class="advanced"><summary>Skipped in a first reading</summary>\2</details>'
ANCHOR = re.compile(r'<div class="(?:chain|slip)" id="([^"]+)"')
# Who searches wants the sentence, not the source folded under it or the numbers of its verdicts.
UNSEARCHED = re.compile(
    r'<(?:details class="(?:code|source|verdicts|mkdocstrings-source)"|figure class="map")'
)
_slots: list[str] = []
_serving = False


def on_startup(command: str, dirty: bool) -> None:
    global _serving
    _serving = command == "serve" or dirty


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Read the book; an error in a chapter, or a verdict that is not its own, ends the build."""
    try:
        languages.forget()
        _slots.clear()  # a server builds again and again, and what was read may have changed
        book.forget()
        for read in (results, implementations, slip_ids, citations.entries, explorers.explorer):
            read.cache_clear()
        certificates.of_chapter.cache_clear()
        if faults := "; ".join(topics.faults()):
            raise SiteError(faults)
        if not _serving and (stale := stale_topics()):
            raise PluginError(f"no current verdicts of {', '.join(stale)}: make verdicts")
        for result in results().values():  # a verdict may be older than the printers
            if unclear := two_meanings(result.derivation):
                raise SiteError(f"{result.anchor}: {'; '.join(unclear)}")
    except (SiteError, book.ChapterError) as error:
        raise PluginError(str(error)) from error
    config.nav = topics.navigation(config.nav or [])
    return config


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The chapters and what every topic has join the pages, what npm installed the assets."""
    for address, text in topics.pages().items():
        files.append(_file(address, _kept(address, text), config))
    for topic in book.topics():
        files.append(_file(f"derivations/{topic}.py", ROOT, config))
    for file in certificates.served():
        files.append(_file(file.name, file.parent, config, "certificates"))
    katex = NODE_MODULES / "katex" / "dist"
    for name in ("katex.min.css", "katex.min.js", "contrib/copy-tex.min.js"):
        files.append(_file(name, katex, config, "assets/katex"))
    for font in sorted(katex.glob("fonts/*.woff2")):
        files.append(_file(f"fonts/{font.name}", katex, config, "assets/katex"))
    serif = NODE_MODULES / "@fontsource-variable" / "source-serif-4" / "files"
    for script in ("latin", "latin-ext", "greek"):
        for style in ("normal", "italic"):
            name = f"source-serif-4-{script}-opsz-{style}.woff2"
            files.append(_file(name, serif, config, "assets/fonts"))
    for name in editing.served():
        files.append(_file(name, editing.DIST, config, "assets/prism"))
    try:
        served = runtime.served()
        for file in explorers.served():
            files.append(_file(file.name, file.parent, config, "assets/explorers"))
    except SiteError as error:
        raise PluginError(str(error)) from error
    for file, name in served.items():
        files.append(_file(file.name, file.parent, config, "assets/pyodide", name))
    return files


def _kept(address: str, text: str) -> Path:
    """The folder of a page that is made: a file, or a dirty build would take it for changed."""
    page = PAGES / address
    if not page.is_file() or page.read_text("utf-8") != text:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, "utf-8")
    return PAGES


def _file(path: str, source: Path, config: MkDocsConfig, folder: str = "", name: str = "") -> File:
    dest = f"{folder}/{name or path}" if folder else None
    return File(path, str(source), config.site_dir, config.use_directory_urls, dest_uri=dest)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    try:
        return _page_markdown(markdown, page, config)
    except SiteError as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from error


def _page_markdown(markdown: str, page: Page, config: MkDocsConfig) -> str:
    if page.file.src_uri.endswith(".py"):
        page.__dict__.pop("render", None)  # Markdown renders it, not mkdocs-jupyter's exporter
        path = Path(page.file.abs_src_path or "")
        if path.parent.name == "derivations":
            markdown = notebooks.chapter_markdown(path, _slot)
        else:
            markdown = notebooks.lab_markdown(path, _slot)
    if page.file.src_uri == "references.md":
        markdown += "\n\n" + citations.bibliography()
    assets = get_relative_url("assets/explorers", page.url)
    markdown = explorers.expand(markdown, _slot, assets)
    markdown = overview.expand(markdown, _slot)
    up = "../" * page.file.src_uri.count("/")
    return prose.expand(citations.cite(markdown, f"{up}references.md"), _slot)


def _slot(html: str) -> str:
    _slots.append(html)
    return f'<div data-slot="{len(_slots) - 1}"></div>'


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    html = SLOT.sub(lambda found: _slots[int(found[1])], html)
    html = ADVANCED.sub(SKIPPED, html)
    html = UNSEARCHED.sub(r"\g<0> data-search-exclude", html)
    # autorefs knows headings by itself; parts of a derivation and slips are anchors of ours.
    for anchor in ANCHOR.findall(html):
        config.plugins["autorefs"].register_anchor(page, anchor)  # type: ignore[attr-defined]
    return html


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    try:
        editions = languages.editions(_named(output, page, config), page.file.src_uri, config)
        finished = {
            language: _complete(text, page.url, language) for language, text in editions.items()
        }
        if "ko" in finished:
            target = Path(config.site_dir) / "ko" / page.file.dest_uri
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(finished["ko"], "utf-8")
        return finished["en"]
    except SiteError as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from error


def _complete(output: str, url: str, language: str) -> str:
    whole = _preloaded(maths.typeset(output), url, language)
    return folds.fold(hyphens.kept_together(whole))


def _named(output: str, page: Page, config: MkDocsConfig) -> str:
    """With the card that a link to the page shows elsewhere, and a name for the search dialog."""
    card = {
        "og:type": "article",
        "og:site_name": config.site_name,
        "og:title": str(page.title or config.site_name),
        "og:description": str(page.meta.get("description") or config.site_description),
        "og:url": page.canonical_url or "",
    }
    tags = "".join(
        f'<meta property="{name}" content="{html.escape(text)}">'
        for name, text in card.items()
        if text
    )
    return _dialog(output.replace("</head>", f"{tags}</head>", 1))


def _dialog(output: str) -> str:
    return output.replace('role="dialog"', 'role="dialog" aria-label="Search"', 1)


def on_post_template(output: str, template_name: str, config: MkDocsConfig) -> str:
    if template_name == "sitemap.xml":
        return languages.in_sitemap(output, config)
    return _dialog(output)  # 404.html is no page


def _preloaded(output: str, url: str, language: str) -> str:
    """With what the first screen is set in asked for at once: letters that come late move lines."""
    files = ["fonts/source-serif-4-latin-opsz-normal"]
    if 'class="katex"' in output:
        files += [f"katex/fonts/KaTeX_{name}" for name in ("Main-Regular", "Math-Italic")]
    here = url if language == "en" else f"{language}/{url}"
    addresses = [get_relative_url(f"assets/{file}.woff2", here) for file in files]
    links = "".join(
        f'<link rel="preload" as="font" type="font/woff2" crossorigin href="{address}">'
        for address in addresses
    )
    return output.replace("</head>", f"{links}</head>", 1)


@event_priority(-100)  # after the search plugin
def on_post_build(config: MkDocsConfig) -> None:
    if not _serving:
        try:
            languages.end(config)
        except SiteError as error:
            raise PluginError(str(error)) from error
    site = Path(config.site_dir)
    searching.clean(site / "search" / "search_index.json")
    searching.add_edition(site / "search" / "search_index.json", "ko", languages.korean)
    searching.ask_for_words(site / "assets" / "javascripts" / "workers")
    for topic in book.topics():
        target = site / "derivations" / topic / f"{topic}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        notebook = notebooks.chapter_notebook(ROOT / "derivations" / f"{topic}.py")
        target.write_text(notebook, "utf-8")
