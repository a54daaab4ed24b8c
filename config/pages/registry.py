"""Which pages are kept, by their addresses. Apps make theirs known when Django starts; the kernel knows none."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl

from config.api.envelope import Encoded
from config.pages.versions import Ask, Versions

# Whether a parameter has one of the values that are kept; a caller with another gets the page from the rows.
Takes = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """One page that a caller asks for. `name` tells it from all others."""

    page: "Page"
    path: str
    pool: int
    number: int
    query: Mapping[str, str]
    name: str


class Shown(NamedTuple):
    """What was built, and after which position its list goes on."""

    encoded: Encoded
    after: tuple[object, ...] = ()

    @classmethod
    def of(cls, encoded: Encoded | None) -> "Shown | None":
        """Where there is something."""
        return None if encoded is None else cls(encoded)


@dataclass(frozen=True)
class Page:
    """A kind of page: its path, with the pool in it, and how one is read from the rows, which may take its time.

    `read` gives what everybody may see, or None, also where something is refused: then the view says why.
    """

    kind: str
    path: str
    read: Callable[[Asked], Shown | None]
    takes: Mapping[str, Takes] = field(default_factory=dict)

    @cached_property
    def like(self) -> str:
        """An address of this kind."""
        return re.sub(r"\(\?P<\w+>.*?\)", "1", self.path).replace("\\", "")


@dataclass(frozen=True)
class House:
    """Everything that is known about pages of pools."""

    versions: Versions
    until: Callable[[int], float | None]
    pages: tuple[tuple[re.Pattern[str], Page], ...]


_house: list[House] = []


def register(versions_of: Ask, until: Callable[[int], float | None], *pages: Page) -> None:
    """Make these the pages that are kept, with whoever knows their versions and until when they hold."""
    _house[:] = [House(Versions(versions_of), until, tuple((re.compile(page.path), page) for page in pages))]
    asked_for.cache_clear()


def house() -> House | None:
    """Everything, once an app has made it known."""
    return _house[0] if _house else None


@lru_cache(maxsize=4096)
def asked_for(path: str, query: str) -> Asked | None:
    """The page of this address, if it is one of those that are kept."""
    known = house()
    for pattern, page in () if known is None else known.pages:
        if (found := pattern.fullmatch(path)) is not None:
            chosen = _read(query, page.takes)
            if chosen is None:
                return None
            parts = found.groupdict()
            said = "&".join(f"{name}={value}" for name, value in sorted(chosen.items()))
            return Asked(page, path, int(parts["pool"]), int(parts.get("number") or 0), chosen, f"{path}?{said}")
    return None


def number_up_to(highest: int) -> Takes:
    """Whole numbers from 1."""
    return lambda text: text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= highest


def one_of(*values: str) -> Takes:
    """These, as they are written."""
    return frozenset(str(value) for value in values).__contains__


def _read(query: str, takes: Mapping[str, Takes]) -> dict[str, str] | None:
    """The parameters; None where one is not known here, comes twice, or has another value."""
    if not query:
        return {}
    chosen: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in takes or name in chosen or not takes[name](value):
            return None
        chosen[name] = value
    return chosen
