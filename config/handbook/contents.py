"""The list of contents: the headings and links of the handbook's first page, so that there is one list of them."""

from dataclasses import dataclass

from config.handbook.pages import CONTENTS, pages
from config.handbook.rendering import rendered


@dataclass(frozen=True, slots=True)
class Book:
    """What stands below one heading."""

    title: str
    pages: tuple[tuple[str, str], ...]


def contents() -> list[Book]:
    """The books, each with its pages as title and address; none where there is no handbook."""
    first = pages().get(CONTENTS)
    if first is None:
        return []
    return [Book(section.title, section.links) for section in rendered(first).sections[1:] if section.links]
