"""Rows of a CSV file, from disk or over HTTP, gzipped or not, a line at a time: memory does not grow with the file."""

import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from config.http import BrokenOff, HttpFailed, Limits, Progress, StatusRefused, fetch
from pools.services.schedule.fixtures import ScheduleError

# A person waits and watches: longer than a feed may take.
BY_HAND = Limits(read=30.0, total=180.0, backoff=0.2, largest_body=64 * 1024 * 1024)
LARGEST_TEXT = 256 * 1024 * 1024
LONGEST_LINE = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"


class Row(dict[str, str]):
    """A row under the names of the header, with its line number."""

    line: int = 0


class Rows:
    """The header and an iterator over the rows."""

    def __init__(self, name: str, lines: Iterator[str]) -> None:
        self.name = name
        self._reader = csv.reader(lines, strict=True)
        self.header = [column.strip() for column in next(self._reader, [])]
        if len(set(self.header)) != len(self.header):
            raise ScheduleError(f"{name}: a column occurs twice in the header.")

    def __iter__(self) -> Iterator[Row]:
        for values in self._reader:
            if not values:
                continue
            if len(values) != len(self.header):
                raise ScheduleError(
                    f"{self.name}, line {self._reader.line_num}: {len(values)} values for {len(self.header)} columns."
                )
            row = Row(zip(self.header, (value.strip() for value in values), strict=True))
            row.line = self._reader.line_num
            yield row


@contextmanager
def open_rows(location: str, progress: Progress | None = None) -> Iterator[Rows]:
    """The rows of a file or of an http(s) address. Raises `ScheduleError` for whatever goes wrong on the way."""
    name = name_of(location)
    if location.startswith(("http://", "https://")):
        with read_rows_of(name, _fetched(name, location, progress)) as rows:
            yield rows
    elif "://" in location:
        raise ScheduleError(f"{name}: only files and http(s) addresses can be read.")
    else:
        with _in_words(name), open(location, "rb") as file:
            yield from _rows(name, file, os.fstat(file.fileno()).st_size or None, progress)


@contextmanager
def read_rows_of(name: str, body: bytes) -> Iterator[Rows]:
    """The rows of what was fetched already. Raises `ScheduleError` like `open_rows`."""
    with _in_words(name):
        yield from _rows(name, io.BytesIO(body), len(body), None)


def _rows(name: str, stream: IO[bytes], size: int | None, progress: Progress | None) -> Iterator[Rows]:
    with _decoded(stream, size, progress) as text:
        yield Rows(name, _lines(name, text))


def _fetched(name: str, address: str, progress: Progress | None) -> bytes:
    try:
        return fetch(address, limits=BY_HAND, progress=progress).body
    except (BrokenOff, StatusRefused) as failure:
        raise ScheduleError(f"{name}: {failure.message}.") from failure
    except HttpFailed as failure:
        raise ScheduleError(f"{name}: cannot be read: {failure.message}.") from failure


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """Whatever is wrong with a file becomes a sentence that names it."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise ScheduleError(f"{name}: not a text in UTF-8.") from error
    except csv.Error as error:
        raise ScheduleError(f"{name}: not a CSV file ({error}).") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ScheduleError(f"{name}: broken or incomplete.") from error
    except OSError as error:
        raise ScheduleError(f"{name}: cannot be read: {error}.") from error


def name_of(location: str) -> str:
    """The last part of the path or address, without a query, which may hold a secret."""
    return location.split("?")[0].rstrip("/").rsplit("/", 1)[-1] or location


class _Counting(io.RawIOBase):
    """Tells how much was read, and notices when that is less than was announced."""

    def __init__(self, inner: IO[bytes], size: int | None, progress: Progress | None) -> None:
        self.inner, self.size, self.progress, self.count = inner, size, progress, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.inner.read(len(buffer))
        if not data and self.size is not None and self.count < self.size:
            # A connection that broke off looks like the end of the file.
            raise EOFError
        buffer[: len(data)] = data
        self.count += len(data)
        if self.progress is not None:
            self.progress(self.count, self.size)
        return len(data)


@contextmanager
def _decoded(stream: IO[bytes], size: int | None, progress: Progress | None) -> Iterator[io.TextIOWrapper]:
    buffered = io.BufferedReader(_Counting(stream, size, progress), buffer_size=64 * 1024)
    is_zipped = buffered.peek(2)[:2] == GZIP_MAGIC
    binary: Any = gzip.GzipFile(fileobj=buffered) if is_zipped else buffered
    with io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text:
        yield text


def _lines(name: str, text: io.TextIOWrapper) -> Iterator[str]:
    number = size = 0
    while line := text.readline(LONGEST_LINE + 1):
        number += 1
        size += len(line)
        if size > LARGEST_TEXT:
            # A small file can unpack to what no disk holds.
            raise ScheduleError(f"{name}: unpacks to more than {LARGEST_TEXT} characters.")
        if len(line) > LONGEST_LINE:
            raise ScheduleError(f"{name}, line {number}: longer than {LONGEST_LINE} characters.")
        yield line
