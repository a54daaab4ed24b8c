"""Markdown to HTML that is safe to show: whatever is HTML in the text is shown as text, and links and pictures lead to
what is served here, to other sites, or nowhere."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token

from config.handbook.pages import Page, name_of, pages, pictures

ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, where it is, and the text and the links below it as far as the next one."""

    level: int
    title: str
    anchor: str
    text: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page as it is shown."""

    title: str
    html: SafeString
    sections: tuple[Section, ...]


def rendered(page: Page) -> Rendered:
    """Made once for each state of the file."""
    return _rendered(page, page.path.stat().st_mtime_ns)


@lru_cache(maxsize=128)
def _rendered(page: Page, changed_at: int) -> Rendered:
    tokens = _markdown().parse(page.path.read_text(encoding="utf-8"))
    name_headings(tokens)
    for token in _within(tokens):
        _lead(token, page)
    sections = tuple(_sections(tokens))
    title = sections[0].title if sections else page.name
    # Safe: the renderer escapes all text, and `html` is off.
    html = SafeString(_markdown().renderer.render(tokens, _markdown().options, {}))
    return Rendered(title, html, sections)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("table_open", _open_table)
    markdown.add_render_rule("table_close", _close_table)
    return markdown


def _open_table(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    # A wide one is scrolled within the page, also by the keyboard.
    return '<div class="handbook-table" tabindex="0" role="region" aria-label="Table"><table>'


def _close_table(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    return "</table></div>"


def name_headings(tokens: Sequence[Token]) -> None:
    """Each heading gets the anchor that GitHub gives it, so that a link is right in both places."""
    seen: dict[str, int] = {}
    for opened, inline in pairwise(tokens):
        if opened.type == "heading_open":
            anchor = re.sub(r"[^\w\- ]", "", _plain(inline).lower()).replace(" ", "-")
            number = seen[anchor] = seen.get(anchor, -1) + 1
            opened.attrSet("id", f"{anchor}-{number}" if number else anchor)


def _within(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _within(token.children or ())


def _lead(token: Token, page: Page) -> None:
    if token.type == "image":
        place = _place(str(token.attrs["src"]), page)
        token.attrSet("src", reverse("handbook-picture", args=[place]) if place in pictures() else "")
        token.attrSet("loading", "lazy")
    elif token.type == "link_open":
        address = _address(str(token.attrs["href"]), page)
        if address is None:
            # It names a file of the project: who reads it here has none.
            del token.attrs["href"]
        else:
            token.attrSet("href", address)


def _address(target: str, page: Page) -> str | None:
    if target.startswith("#") or ELSEWHERE.match(target):
        return target
    file, _, anchor = target.partition("#")
    name = name_of(_place(file, page))
    if not file.endswith(".md") or name not in pages():
        return None
    return address_of(name, anchor)


def _place(target: str, page: Page) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(page.place), target))


def address_of(name: str, anchor: str = "") -> str:
    """Where a page is served, and a heading on it."""
    address = reverse("handbook-page", args=[name]) if name else reverse("handbook")
    return f"{address}#{anchor}" if anchor else address


def _sections(tokens: Sequence[Token]) -> Iterator[Section]:
    starts = [place for place, token in enumerate(tokens) if token.type == "heading_open"]
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        opened, heading = tokens[start : start + 2]
        below = [token for token in tokens[start + 2 : end] if token.type == "inline"]
        yield Section(
            level=int(opened.tag[1]),
            title=_plain(heading),
            anchor=str(opened.attrs["id"]),
            text=" ".join(map(_plain, below)),
            links=tuple(link for inline in below for link in _links(inline)),
        )


def _links(inline: Token) -> Iterator[tuple[str, str]]:
    children = inline.children or []
    for opened, named in pairwise(children):
        if opened.type == "link_open" and "href" in opened.attrs:
            yield named.content, str(opened.attrs["href"])


def _plain(inline: Token) -> str:
    """The words alone; breaks part them, marks of emphasis and links do not."""
    words = {"text": None, "code_inline": None, "image": None, "softbreak": " ", "hardbreak": " "}
    return "".join(words[one.type] or one.content for one in inline.children or () if one.type in words)
