"""Where in the handbook something is said."""

from collections.abc import Iterator
from dataclasses import dataclass

from config.handbook.pages import pages
from config.handbook.rendering import address_of, rendered

MOST_FOUND = 40
AROUND = 90


@dataclass(frozen=True, slots=True)
class Found:
    """A heading below which all words stand."""

    page: str
    title: str
    address: str
    excerpt: str


def search(wanted: str) -> list[Found]:
    """The headings of the handbook that have all words, in themselves or below; those that have them in themselves
    first."""
    words = wanted.lower().split()
    found = sorted(_found(words), key=lambda one: one[0]) if words else []
    return [one for _, one in found[:MOST_FOUND]]


def _found(words: list[str]) -> Iterator[tuple[bool, Found]]:
    for name, page in pages().items():
        if not page.is_handbook:
            continue
        shown = rendered(page)
        for section in shown.sections:
            title = f"{shown.title} {section.title}".lower()
            if all(word in f"{title} {section.text.lower()}" for word in words):
                where = address_of(name, section.anchor if section.level > 1 else "")
                is_below = not all(word in title for word in words)
                yield is_below, Found(shown.title, section.title, where, _excerpt(section.text, words))


def _excerpt(text: str, words: list[str]) -> str:
    """What stands around the first of the words, from one blank to another."""
    places = [place for word in words if (place := text.lower().find(word)) >= 0]
    first = min(places, default=0)
    begin = text.rfind(" ", 0, first - AROUND) + 1 if first > AROUND else 0
    end = text.find(" ", first + AROUND)
    return ("… " if begin else "") + text[begin : end if end >= 0 else None] + (" …" if end >= 0 else "")
