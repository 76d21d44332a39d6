"""The built site as files: links, numbers, sizes, notebooks, and who may type a display."""

from __future__ import annotations

import gzip
import html
import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from genmath import book
from genmath.cli import certificates
from genmath.proof import kernel
from genmath.proof.certificate.files import verified
from genmath.proof.language.latex import latex
from genmath.proof.language.tree import Named
from genmath.proof.report import stated_latex
from tests.site.pages import SITE, addresses, file_of, some_topics

ROOT = Path(__file__).parents[2]
CHAPTERS = [f"derivations/{topic}/" for topic in book.topics()]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in ("href", "src") and value and tag != "base":
                self.links.append(value)


@cache
def read(file: Path) -> _Reader:
    reader = _Reader()
    reader.feed(file.read_text("utf-8"))
    return reader


@pytest.mark.parametrize("address", addresses())
def test_every_internal_link_leads_somewhere(address: str) -> None:
    lost = []
    for link in read(file_of(address)).links:
        # 404.html is served under any address, so its links are absolute.
        whole = urlsplit(urljoin(f"http://site/{address}", link))
        if whole.scheme not in ("http", "https") or whole.netloc != "site":
            continue
        path = unquote(whole.path).lstrip("/")
        target = SITE / path
        target = target / "index.html" if target.is_dir() or not path else target
        if not target.is_file():
            lost.append(link)
        elif whole.fragment and target.suffix == ".html":
            fragment = unquote(whole.fragment)
            if fragment not in read(target).ids and not fragment.startswith("__"):
                lost.append(link)
    assert lost == []


@pytest.mark.parametrize("address", addresses())
def test_no_anchor_stands_twice_on_a_page(address: str) -> None:
    ids = read(file_of(address)).ids
    assert sorted({i for i in ids if ids.count(i) > 1}) == []


@pytest.mark.parametrize("address", addresses())
def test_no_heading_skips_a_level(address: str) -> None:
    article = (
        file_of(address).read_text("utf-8").partition("<article")[2].partition("</article>")[0]
    )
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", article)]
    assert [(a, b) for a, b in pairwise([0, *levels]) if b > a + 1] == []


class _Unmarked(HTMLParser):
    """Hangul in the article that no `lang="ko"` tells a browser or a screen reader about."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str | None]] = []
        self.found: list[str] = []
        self.marked = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append((tag, dict(attrs).get("lang")))

    def handle_endtag(self, tag: str) -> None:
        while tag in [name for name, _ in self.open] and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if ("article", None) not in self.open or not re.search("[가-힣]", data):
            return
        if any(lang == "ko" for _, lang in self.open):
            self.marked += 1
        else:
            self.found.append(data.strip())


@pytest.mark.parametrize("address", addresses())
def test_korean_is_marked_as_korean(address: str) -> None:
    reader = _Unmarked()
    reader.feed(file_of(address).read_text("utf-8"))
    assert reader.found == []
    assert reader.marked > 100 or address != "glossary/"


def test_every_derivation_is_on_its_page_under_its_name() -> None:
    for topic in book.topics():
        ids = read(file_of(f"derivations/{topic}/")).ids
        for derivation in book.chapter(topic).derivations:
            assert derivation.name in ids
            for slip in derivation.slips:
                assert f"slip-{slip.id}" in ids


@pytest.mark.parametrize("topic", book.topics())
def test_what_implements_a_result_is_named_as_it_is_imported(topic: str) -> None:
    text = (SITE / "derivations" / topic / "index.html").read_text("utf-8")
    assert "genmath._" not in text


def test_numbers_stand_once() -> None:
    numbers = [
        number
        for address in CHAPTERS
        for number in re.findall(r'class="eqno">\(([^)]+)\)<', file_of(address).read_text("utf-8"))
    ]
    chains = [c for t in book.topics() for d in book.chapter(t).derivations for c in d.chains]
    assert len(numbers) == len(set(numbers)) == len(chains)


@pytest.mark.parametrize("address", CHAPTERS)
def test_a_chapter_is_light(address: str) -> None:
    """With its explorers, whose scripts import one another."""
    page = file_of(address)
    names = set(re.findall(r'src="[./]*assets/explorers/(\w+)\.js"', page.read_text("utf-8")))
    scripts = [f"{n}{end}" for n in sorted(names) for end in (".js", ".functions.js")]
    scripts += ["explorer.js"] * bool(names)
    parts = [page, *(SITE / "assets" / "explorers" / script for script in scripts)]
    assert sum(len(gzip.compress(part.read_bytes())) for part in parts) <= 250_000


def test_the_editor_is_light() -> None:
    """Its script, which comes when the first is opened."""
    parts = [file for file in (SITE / "assets" / "prism").rglob("*") if file.is_file()]
    assert {"index.js", "python.js", "layout.css"} <= {part.name for part in parts}
    assert sum(len(gzip.compress(part.read_bytes())) for part in parts) <= 12_000


def test_the_first_check_fetches_no_more_than_it_needs() -> None:
    """From a server that compresses nothing, as most that serve a folder."""
    later = SITE / "assets" / "pyodide" / "libraries.zip"  # for a cell that asks for more
    parts = [file for file in later.parent.iterdir() if file != later]
    assert sum(part.stat().st_size for part in parts) <= 25_000_000


@pytest.mark.parametrize("address", addresses())
def test_the_search_dialog_has_a_name(address: str) -> None:
    dialogs = re.findall(r'<[^>]*role="dialog"[^>]*>', file_of(address).read_text("utf-8"))
    assert len(dialogs) == 1
    name = "검색" if address.startswith("ko/") else "Search"
    assert f'aria-label="{name}"' in dialogs[0]


@pytest.mark.parametrize("address", CHAPTERS)
def test_every_derivation_shows_its_verdict(address: str) -> None:
    page = file_of(address).read_text("utf-8")
    count = len(book.chapter(address.split("/")[1]).derivations)
    assert page.count('<details class="verdicts"') == count
    assert "Changed since it was last checked" not in page
    assert ">not checked<" not in page


def test_every_derivation_serves_its_certificate() -> None:
    """Which the kernel accepts, and which claims what the book does."""
    linked = {
        link.rpartition("/")[2]
        for topic in book.topics()
        for link in read(file_of(f"derivations/{topic}/")).links
        if link.startswith("../../certificates/")
    }
    assert linked == {file.name for file in (SITE / "certificates").iterdir()}
    assert len(linked) == sum(len(book.chapter(topic).derivations) for topic in book.topics())
    assert certificates.verify(SITE / "certificates", alone=False, show=False) == 0


@pytest.mark.parametrize("topic", some_topics())
def test_each_step_says_whether_the_kernel_verifies_it(topic: str) -> None:
    page = file_of(f"derivations/{topic}/").read_text("utf-8")
    cells = re.findall(r"<td>(?:<span class=\"yes\">)?(whole|but for laws)\b", page)
    files_ = {link.rpartition("/")[2] for link in read(file_of(f"derivations/{topic}/")).links}
    served = [file for file in (SITE / "certificates").iterdir() if file.name in files_]
    lines = [line for file in served for line in kernel.check(file.read_text("utf-8")).lines]
    assert (cells.count("whole"), cells.count("but for laws")) == verified(lines)


@pytest.mark.parametrize("topic", book.topics())
def test_a_chapter_leads_to_its_notebook_and_its_other_rooms(topic: str) -> None:
    links = read(file_of(f"derivations/{topic}/")).links
    assert f"{topic}.ipynb" in links
    for room in ("labs", "exercises", "api"):
        assert f"../../{room}/{topic}/" in links


@pytest.mark.parametrize("topic", some_topics())
def test_the_downloaded_notebook_runs(topic: str) -> None:
    notebook = nbformat.read(SITE / "derivations" / topic / f"{topic}.ipynb", as_version=4)
    nbformat.validate(notebook)
    NotebookClient(notebook, timeout=3600, resources={"metadata": {"path": str(ROOT)}}).execute()
    said = "".join(output.text for output in notebook.cells[-1].outputs).splitlines()
    assert len(said) == len(book.chapter(topic).derivations)
    assert all(line.startswith(("proved", "verified on instances")) for line in said), said
    shown = [c for c in notebook.cells if c.cell_type == "code" and c.source.isidentifier()]
    assert len(shown) == len(said)
    assert all("text/markdown" in c.outputs[0].data for c in shown)


@pytest.mark.parametrize("topic", book.topics())
def test_a_notebook_holds_no_markup_of_the_site(topic: str) -> None:
    notebook = json.loads((SITE / "derivations" / topic / f"{topic}.ipynb").read_text("utf-8"))
    cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    text = "\n".join("".join(cell) for cell in cells)
    assert (
        re.findall(r"\{\{|^(?:!!!|\?\?\?) .*|.*markdown=.*|\{ \.\w+ \}|@\w+\d{4}", text, re.M) == []
    )
    assert text.count("<svg") >= 4
    assert "On the board" in text


def test_search_knows_the_book() -> None:
    index = json.loads((SITE / "search" / "search_index.json").read_text("utf-8"))
    text = " ".join(entry["title"] + " " + entry["text"] for entry in index["docs"])
    assert "posterior" in text
    assert "katex" not in text


# ---- who may type a displayed formula ------------------------------------------------------------

# Displays that are typed and not taken from a checked result: definitions, and nothing else.
DEFINITIONS: dict[str, list[str]] = {}


def typed_displays() -> Iterator[tuple[str, str]]:
    sources = [*ROOT.glob("derivations/*.py"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("docs/labs/*.py")]  # fmt: skip # noqa: E501
    for path in sources:
        if "node_modules" in path.parts:
            continue
        text = path.read_text("utf-8")
        if path.suffix == ".py":
            cells = jupytext.read(path).cells
            text = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
        for display in re.findall(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]", text, re.DOTALL):
            yield str(path.relative_to(ROOT)), " ".join("".join(display).split())


def test_only_definitions_are_typed_as_displays() -> None:
    found: dict[str, list[str]] = {}
    for path, display in typed_displays():
        found.setdefault(path, []).append(display)
    assert found == DEFINITIONS


MEANING = re.compile(r'<span class="meaning">.*?<annotation[^>]*>(.*?)</annotation>', re.DOTALL)


def meanings(piece: str) -> list[list[str]]:
    """What the letters of each "where" stand for, as LaTeX."""
    said = re.findall(r'<p class="where .*?</p>', piece, re.DOTALL)
    return [[html.unescape(tex) for tex in MEANING.findall(each)] for each in said]


@pytest.mark.parametrize("topic", book.topics())
def test_every_defined_letter_is_in_sight_and_said_once(topic: str) -> None:
    """Under each derivation, outside every fold, stands what its letters mean; under the part
    itself where they mean something else in another."""
    page = file_of(f"derivations/{topic}/").read_text("utf-8")
    unfolded = page.replace('<details class="advanced">', "")  # a section, and not of a derivation
    innermost = re.compile(r"<details(?:(?!<details).)*?</details>", re.DOTALL)
    while innermost.search(unfolded):
        unfolded = innermost.sub("", unfolded)
    sections = dict(re.findall(r'data-check="([\w.]+)"(.*?)</section>', unfolded, re.DOTALL))
    for derivation in book.chapter(topic).derivations:
        pieces = sections[derivation.name].split('<div class="chain"')
        under_all = meanings(pieces[-1])[-1:]
        last = [c for c in derivation.chains if c.case == derivation.chains[-1].case]
        hypotheses = {stated_latex(g): g for g in derivation.given}  # of all cases, the last one's
        given = [side for g in hypotheses.values() for side in (g.left, g.right)]
        said_once = re.findall(r'<p class="given">.*?</p>', pieces[0], re.DOTALL)
        assert "".join(said_once).count("<math ") == len(hypotheses), derivation.name
        parts = [given, *([c.start, *(step.rhs for step in c.steps)] for c in last)]
        for piece, sides in zip(pieces, parts, strict=True):
            letters = {n for side in sides for n in side.walk() if isinstance(n, Named)}
            expected = {f"{latex(n)} = {latex(n.body)}" for n in letters}
            said = [tex for each in meanings(piece) for tex in each]
            assert expected <= {*said, *(tex for each in under_all for tex in each)}
            for each in [*meanings(piece), said]:
                named = [tex.partition(" = ")[0] for tex in each]
                assert sorted(named) == sorted(set(named)), derivation.name
