"""A finished page as messages with holes, for a translator.

The text of a block (a paragraph, a heading, a cell, ...) is one message, and so are what a screen
reader says of a tag and what search engines read. Within a message formulas, code and references
are holes, `<m1/>`, and other tags stand around words, `<a2>the map</a2>`: numbered, so that a
translation can only put them elsewhere. `rewrite` asks for the text of each message; whoever
answers with the same text gets back the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

TAG = r"</?[a-zA-Z](?:[^>\"']|\"[^\"]*\"|'[^']*')*>"
# What is never translated is one token: scripts, programs and what they print, formulas, names.
KEPT = "|".join(
    (
        r"<!--number-->.*?<!--/number-->|<!--.*?-->|<!doctype[^>]*>",
        r"<(?P<raw>script|style|pre|code)\b.*?</(?P=raw)>",
        r'<(?P<tex>span|div) class="arithmatex">.*?</(?P=tex)>',
        r"<(?P<name>(?!html)\w+) (?:[^>]* )?"
        r'(?:class="(?:filename|headerlink|eqno|number)"|lang="(?:en|ko)")'
        r"[^>]*>.*?</(?P=name)>",
        r'<a [^>]*href="[^"]*references/#[^>]*>.*?</a>',  # a citation
    )
)
TOKEN = re.compile(rf"(?P<kept>{KEPT})|(?P<tag>{TAG})|[^<]+|<", re.DOTALL | re.IGNORECASE)
NAME = re.compile(r"</?([a-zA-Z][\w-]*)")
INLINE = {
    *("a", "abbr", "b", "br", "cite", "em", "i", "img", "kbd", "mark", "q", "s", "small", "span"),
    *("strong", "sub", "sup", "tspan", "u", "var", "wbr"),
}
EMPTY = {"br", "img", "wbr"}  # of those
SAID = re.compile(r'(?P<before>\s(?:alt|title|aria-label|placeholder)=")(?P<words>[^"]*)"')
READ = re.compile(
    r'(?P<before><meta (?:name|property)="(?:description|og:title|og:description)" content=")'
    r'(?P<words>[^"]*)"'
)
TRANSLATIONS = re.compile(r'(?<="translations": )\{[^{}]*\}')
HOLE = re.compile(r"<(?P<close>/?)(?P<name>[a-z]+\d+)(?P<empty>/?)>")
LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Message:
    """A text to translate, what its holes stand for, and whether it is of the article itself."""

    text: str
    holes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    own: bool = True

    @property
    def key(self) -> str:
        """The text, however its lines are broken."""
        return " ".join(self.text.split())


Say = Callable[[Message], str]


@dataclass
class _Token:
    text: str
    tag: str = ""  # of a tag its name
    closes: bool = False
    structural: bool = False  # no part of any message
    mate: int = -1  # of an inline tag, the other of its pair


def rewrite(page: str, say: Say) -> str:
    """The page with every message as `say` says it."""
    before, opening, rest = page.partition("<article")
    article, closing, after = rest.partition("</article>")
    return "".join(
        [
            _rewrite(before, say, own=False),
            _rewrite(opening + article + closing, say, own=True),
            _rewrite(after, say, own=False),
        ]
    )


def messages(page: str) -> list[Message]:
    found: list[Message] = []

    def note(message: Message) -> str:
        found.append(message)
        return message.text

    rewrite(page, note)
    return found


def fill(text: str, holes: dict[str, tuple[str, ...]]) -> str:
    """The text of a message with what its holes stand for."""
    return HOLE.sub(lambda hole: holes[hole["name"]][-1 if hole["close"] else 0], text)


def bare(text: str) -> str:
    """Without holes, and without the characters that HTML has to spell."""
    return re.sub(r"&\w+;|&#\w+;", " ", HOLE.sub(" ", text))


def _rewrite(part: str, say: Say, own: bool) -> str:
    tokens = _tokens(part)
    pieces, at = [], 0
    while at < len(tokens):
        if tokens[at].structural:
            pieces.append(_attributes(tokens[at].text, say, own))
            at += 1
            continue
        end = next((i for i in range(at, len(tokens)) if tokens[i].structural), len(tokens))
        pieces.append(_run(tokens, at, end, say, own))
        at = end
    return "".join(pieces)


def _tokens(part: str) -> list[_Token]:
    """Inline tags around a block are structure as the block is."""
    tokens: list[_Token] = []
    opened: list[int] = []
    for found in TOKEN.finditer(part):
        text = found[0]
        if found["kept"]:
            inline = re.match(
                r"<!--number|<code|<a |<\w+ (?:[^>]* )?"
                r'(?:class="(?:arith|head|eqno|number)|lang="(?:en|ko)")',
                text,
            )
            block = not inline or text.startswith("<div")
            tokens.append(_Token(text, "kept", structural=block))
        elif found["tag"]:
            name = NAME.match(text)[1].lower()  # type: ignore[index]
            token = _Token(text, name, text.startswith("</"), name not in INLINE)
            tokens.append(token)
            if token.structural:
                pass
            elif token.closes:
                if opened and tokens[opened[-1]].tag == name:
                    mate = opened.pop()
                    tokens[mate].mate, token.mate = len(tokens) - 1, mate
                    token.structural = tokens[mate].structural
                else:
                    token.structural = True
            elif name not in EMPTY:
                opened.append(len(tokens) - 1)
        else:
            tokens.append(_Token(text))
        if tokens[-1].structural:
            for i in opened:
                tokens[i].structural = True
    for i in opened:
        tokens[i].structural = True
    return tokens


def _run(tokens: list[_Token], start: int, end: int, say: Say, own: bool) -> str:
    """Text between two tags of the structure."""

    def raw(a: int, b: int) -> str:
        return "".join(_attributes(token.text, say, own) for token in tokens[a:b])

    def silent(a: int, b: int) -> bool:
        return not any(not t.tag and LETTER.search(bare(t.text)) for t in tokens[a:b])

    if silent(start, end):
        return raw(start, end)
    first, last = start, end
    while True:  # off what is no part of the sentence, at both ends
        here, there = tokens[first], tokens[last - 1]
        if here.mate == last - 1:
            first, last = first + 1, last - 1
        elif _idle(tokens[first : max(first, here.mate) + 1]):
            first = max(first, here.mate) + 1
        elif _idle(tokens[(back := last - 1 if there.mate < 0 else there.mate) : last]):
            last = back
        else:
            break
    pieces: list[str] = []
    holes: dict[str, tuple[str, ...]] = {}
    closing: dict[int, str] = {}
    at = first
    while at < last:
        token = tokens[at]
        if at in closing:
            pieces.append(f"</{closing[at]}>")
        elif not token.tag:
            pieces.append(token.text)
        elif token.mate > at and not silent(at, token.mate):
            name = f"{token.tag}{len(holes) + 1}"
            holes[name] = (_attributes(token.text, say, own), tokens[token.mate].text)
            closing[token.mate] = name
            pieces.append(f"<{name}>")
        else:
            stop = max(at, token.mate)
            kind = "m" if 'class="arithmatex"' in token.text else token.tag
            if kind == "kept":
                named = NAME.match(token.text)
                kind = named[1].lower() if named else "n"
            name = f"{kind}{len(holes) + 1}"
            holes[name] = (raw(at, stop + 1),)
            pieces.append(f"<{name}/>")
            at = stop
        at += 1
    text = "".join(pieces)
    lead, core, trail = _split(text)
    said = fill(say(Message(core, holes, own)), holes)
    return raw(start, first) + lead + said + trail + raw(last, end)


def _split(text: str) -> tuple[str, str, str]:
    core = text.strip()
    lead = text[: text.index(core)]
    return lead, core, text[len(lead) + len(core) :]


def _idle(tokens: list[_Token]) -> bool:
    """Space, an icon, an empty element, the link of a heading to itself."""
    return not any(
        'class="headerlink"' not in t.text if t.tag == "kept" else not t.tag and t.text.strip()
        for t in tokens
    )


def _attributes(text: str, say: Say, own: bool) -> str:
    """A tag, or several, with what is said of them; of the script of settings its words."""
    if text.startswith(('<script id="__config"', '<script id="words"')):
        return TRANSLATIONS.sub(lambda found: _settings(found[0], say), text)
    if text.startswith(("<script", "<style", "<pre", "<!--")):
        return text

    def put(found: re.Match[str]) -> str:
        words = found["words"]
        if not LETTER.search(bare(words)) or re.search(rf'[.#]{re.escape(words)}"', found.string):
            return found[0]  # a number, or the name of what is linked
        spelt = words.replace("<", "&lt;")  # as in text
        said = say(Message(spelt, own=own))
        return found[0] if said == spelt else f'{found["before"]}{said}"'

    def within(tag: re.Match[str]) -> str:
        return READ.sub(put, SAID.sub(put, tag[0]))

    return re.sub(TAG, within, text)


def _settings(found: str, say: Say) -> str:
    words = {}
    for name, text in json.loads(found).items():
        holes: dict[str, tuple[str, ...]] = {
            hole["name"]: (hole[0],) for hole in HOLE.finditer(text)
        }
        words[name] = fill(say(Message(text, holes, own=False)), holes)
    return json.dumps(words, ensure_ascii=False)
