"""What the search box finds: words, as a reader types them.

The plugin's index holds the TeX of every formula and one spelling of every word. Here formulas are
taken out, and words that are also written another way (Itô, marginalisation) get the other, too.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

FORMULA = re.compile(r"\\[(\[].*?\\[)\]]|\$[^$\n]+\$", re.DOTALL)
BRITISH = re.compile(r"\b(\w{3,})is(ation|ations|e|es|ed|ing|er|ers)\b")
LETTERS = r"A-Za-z\u00C0-\u024F\u0370-\u03FF\uAC00-\uD7A3"
# Between words: whatever is no letter and no digit; and numbers. lunr names a node of its automaton
# by letters and numbers of nodes run together, so that digits for letters make one node of two, and
# of words terms that nobody wrote, on which it fails. W1 is a word. JavaScript reads it.
SEPARATOR = rf"(?:[^0-9{LETTERS}]|(?<![0-9{LETTERS}])[0-9]+)+"

HEADING = re.compile(r'<h([1-6]) [^>]*?id="([^"]+)"[^>]*>(.*?)</h\1>', re.DOTALL)
UNSEARCHED = re.compile(
    r'<pre\b.*?</pre>|<a class="headerlink".*?</a>|<span class="filename">.*?</span>'
    r"|<details [^>]*data-search-exclude.*?</details>|<svg\b.*?</svg>",
    re.DOTALL,
)
BLOCKS = re.compile(r"</?(?:p|li|ul|ol|dl|dt|dd|t[drh]|table|div|br)\b[^>]*>")
TAGS = re.compile(r"<[^>]*>")

# lunr takes `word:` for the name of a field, and other marks for orders. A reader types words and
# titles; so the worker that looks for them has this before all it has.
WORDS = """addEventListener("message", (event) => {
  const { type, data } = event.data;
  if (type !== 2 || !/[:^~*]/.test(data)) return;
  event.stopImmediatePropagation();
  const words = { type, data: data.replace(/[:^~*]/g, " ") };
  dispatchEvent(new MessageEvent("message", { data: words }));
});
"""

# A chapter before what was made of it, and lists of everything last.
FIRST = {"derivations/": 8, "glossary/": 0.2, "map/": 0.1, "slips/": 0.5}
ACRONYM = re.compile(r"derivations/(\w{3,4})/")  # vae, ddpm: who knows a model by its letters


def clean(index: Path) -> None:
    """Rewrite the index that the search plugin has written."""
    found = json.loads(index.read_text("utf-8"))
    found["config"]["separator"] = SEPARATOR
    for entry in found["docs"]:
        entry["title"] = words(entry["title"])
        if short := ACRONYM.fullmatch(entry["location"]):
            entry["title"] += f" ({short[1].upper()})"
        entry["text"] = with_spellings(words(entry["text"]), entry["title"])
        entry["boost"] = next(
            (b for room, b in FIRST.items() if entry["location"].startswith(room)), 1
        )
    index.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")), "utf-8")


def add_edition(index: Path, folder: str, pages: dict[str, str]) -> None:
    """The index of the pages in another language, by their addresses below a folder of the site;
    what they do not have, it has in English."""
    found = json.loads(index.read_text("utf-8"))
    english = [entry for entry in found["docs"] if entry["location"].split("#")[0] not in pages]
    for entry in english:
        entry["location"] = f"../{entry['location']}"
    own = [entry for url, page in pages.items() for entry in _sections(url, page)]
    target = index.parents[1] / folder / "search" / index.name
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**found, "docs": own + english}, ensure_ascii=False, separators=(",", ":"))
    target.write_text(text, "utf-8")


def _sections(url: str, page: str) -> Iterator[dict[str, object]]:
    """The entries of a page: one a heading."""
    article = UNSEARCHED.sub(" ", page.partition("<article")[2].partition("</article>")[0])
    _, *pieces = HEADING.split(article)
    for level, anchor, title, text in zip(*[iter(pieces)] * 4, strict=True):
        yield {
            "location": url if level == "1" else f"{url}#{anchor}",
            "title": words(TAGS.sub("", title)),
            "text": " ".join(words(TAGS.sub("", BLOCKS.sub(" ", text))).split()),
            "boost": 2,
        }


def ask_for_words(workers: Path) -> None:
    """Rewrite the worker of the theme that searches the index."""
    (worker,) = workers.glob("search.*.min.js")
    script = worker.read_text("utf-8")
    worker.write_text(WORDS + script.removeprefix(WORDS), "utf-8")


def words(text: str) -> str:
    """Without its formulas, and without the holes that they leave."""
    bare = FORMULA.sub(" ", text)
    return re.sub(r" +([.,;:)])", r"\1", re.sub(r"[ \t]+", " ", bare)).strip()


def with_spellings(text: str, title: str = "") -> str:
    """The text, and the other spellings of words in it and in its title."""
    said = f"{title} {text}"
    others = {f"{stem}iz{end}" for stem, end in BRITISH.findall(said)}
    others |= {plain for word in re.findall(r"\w+", said) if (plain := _plain(word)) != word}
    return f"{text} {' '.join(sorted(others))}".rstrip() if others else text


def _plain(word: str) -> str:
    """Without accents."""
    parts = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))
