"""A made-up language: German, with marks around all that a catalogue has; and what a page says beside."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

from django.utils.translation import trans_real

BEGIN, END = "⟦", "⟧"
CONTEXT = "\x04"
INNERMOST = re.compile(f"{BEGIN}[^{BEGIN}{END}]*{END}")
WORD = re.compile(r"[^\W\d_]{2,}")
SHOWN_ATTRIBUTES = ("title", "aria-label", "placeholder", "alt")
# Not words: programs, drawings, samples, and icons, which are written by their names.
UNREAD = {"script", "style", "template", "svg", "code", "pre"}
WITHOUT_END = {"input", "br", "hr", "img", "link", "meta", "col", "source", "wbr", "area", "base", "embed", "track"}


class Marked:
    """As a translation of Django's; what it finds is marked, what it lacks stays as it was asked for."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def gettext(self, message: str) -> str:
        found = self._real.gettext(message)
        return f"{BEGIN}{found}{END}" if found != message or message in self._real._catalog else found

    def ngettext(self, one: str, many: str, number: int) -> str:
        found = self._real.ngettext(one, many, number)
        return f"{BEGIN}{found}{END}" if found not in (one, many) else found


@contextmanager
def speaking() -> Iterator[None]:
    """German is the made-up language inside."""
    real = trans_real.translation("de")
    trans_real._translations["de"] = Marked(real)
    try:
        yield
    finally:
        trans_real._translations["de"] = real


class Page(HTMLParser):
    """What somebody reads: texts, and what is said of pictures, fields and buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if not self._is_unread():
            self.said += [str(given[name]) for name in SHOWN_ATTRIBUTES if given.get(name)]
            if tag == "input" and given.get("type") in ("submit", "button"):
                self.said.append(given.get("value") or "")
        if tag not in WITHOUT_END:
            is_icon = "material-symbols" in (given.get("class") or "")
            # What people wrote themselves, and lists of zones and languages in their own names.
            is_data = tag == "textarea" or given.get("name") in ("time_zone", "language")
            self._open.append((tag, tag in UNREAD or is_icon or is_data))

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._is_unread():
            self.said.append(data)

    def _is_unread(self) -> bool:
        return any(unread for _, unread in self._open)


class Data:
    """Texts that are no words of ours, such as names of rows, and what a page says beside them."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = sorted({" ".join(text.split()) for text in texts} - {""}, key=len, reverse=True)
        self._known: dict[str, str] = {}

    def unmarked(self, page: str) -> list[str]:
        """What the page says that no catalogue has."""
        reader = Page()
        reader.feed(page)
        return [rest for said in reader.said if WORD.search(rest := self._rest(said))]

    def _rest(self, said: str) -> str:
        if said not in self._known:
            text, before = " ".join(said.split()), ""
            while text != before:
                text, before = INNERMOST.sub(" ", text), text
            for one in self._texts if WORD.search(text) else ():
                if one in text:
                    text = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", " ", text)
            self._known[said] = " ".join(text.split())
        return self._known[said]
