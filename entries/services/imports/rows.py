"""Reading `entry,owner,round,team` files, plain or gzipped, a line at a time.

What is wrong with a line is said on the line itself, so that one bad line never hides the others. What is wrong with
the file as a whole (no such columns, not text, a broken archive) ends the import before it has begun.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import IO, NamedTuple

from django.core.exceptions import ValidationError

from accounts.services.details import clean_display_name

COLUMNS = ("entry", "owner", "round", "team")
REFERENCE_LENGTH = 60
TEAM_LENGTH = 60
# More digits are no round of anything, and would not fit the column they are compared with.
ROUND_DIGITS = 4
GZIP_MAGIC = b"\x1f\x8b"


class UnreadableFile(Exception):
    """The file as a whole cannot be read as entries; the message says why."""


class Row(NamedTuple):
    """One line of the file. With a `fault` it is refused, and only serves the report."""

    line: int
    entry: str
    owner: str
    round: int | None
    team: str
    fault: str


class RowFile:
    """A file of entries. `position` of `size` bytes have been read, as a measure of progress."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self._raw: IO[bytes] | None = None

    @property
    def position(self) -> int:
        return self.size if self._raw is None or self._raw.closed else self._raw.tell()

    def __iter__(self) -> Iterator[Row]:
        """The lines below the header, blank ones left out. Raises UnreadableFile."""
        try:
            with self.path.open("rb") as raw:
                self._raw = raw
                yield from _rows(_text(raw))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise UnreadableFile(f"{self.path.name} is not a whole gzip file: {error}") from error


def _text(raw: IO[bytes]) -> IO[str]:
    is_gzip = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    raw.seek(0)
    plain: IO[bytes] = gzip.GzipFile(fileobj=raw) if is_gzip else raw  # type: ignore[assignment]  # typeshed: no IO
    # A byte that is not UTF-8 becomes half a character, which `_fault_of` finds on its own line.
    return TextIOWrapper(plain, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _rows(text: IO[str]) -> Iterator[Row]:
    reader = csv.reader(text)
    places = _places(_next(reader))
    while True:
        # A quoted field may span lines: a row is called by the line on which it begins.
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, "", "", None, "", f"malformed line: {error}")
            continue
        if cells:
            yield _row(line, cells, places)


def _next(reader: Iterator[list[str]]) -> list[str]:
    try:
        return next(reader, [])
    except csv.Error as error:
        raise UnreadableFile(f"The first line cannot be read: {error}") from error


def _places(header: list[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise UnreadableFile(
            f"The first line must name the columns {','.join(COLUMNS)}; missing: {', '.join(missing)}."
        )
    return {column: names.index(column) for column in COLUMNS}


def _row(line: int, cells: list[str], places: dict[str, int]) -> Row:
    if len(cells) <= max(places.values()):
        return Row(line, "", "", None, "", f"malformed line: {len(cells)} fields instead of {len(places)}")
    entry, owner, round_, team = (cells[places[column]].strip() for column in COLUMNS)
    fault = _fault_of(entry, round_, team)
    if not fault:
        try:
            owner = clean_display_name(owner)
        except ValidationError as error:
            fault = f"malformed line: owner: {error.messages[0]}"
    if fault:
        return Row(line, _shown(entry), _shown(owner), None, _shown(team), fault)
    return Row(line, entry, owner, int(round_), team, "")


def _fault_of(entry: str, round_: str, team: str) -> str:
    if not entry or len(entry) > REFERENCE_LENGTH or not entry.isprintable():
        return f"malformed line: entry must have 1 to {REFERENCE_LENGTH} visible characters"
    if not (round_.isascii() and round_.isdigit() and len(round_) <= ROUND_DIGITS):
        return "malformed line: round must be a number"
    if not team or len(team) > TEAM_LENGTH or not team.isprintable():
        return f"malformed line: team must have 1 to {TEAM_LENGTH} visible characters"
    return ""


def _shown(text: str) -> str:
    """The text as a report can hold it: what is not printable is written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:REFERENCE_LENGTH])
