"""Rows of a CSV file, from disk or over HTTP, gzipped or not, a line at a time: memory does not grow with the file."""

import csv
import gzip
import http.client
import io
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from pools.services.schedule.fixtures import ScheduleError

TIMEOUT_SECONDS = 30
LONGEST_LINE = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"

# Told how many bytes were read, and how many there are (None where the other side does not say).
Progress = Callable[[int, int | None], None]


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
    try:
        with _open(location) as (stream, size), _decoded(stream, size, progress) as text:
            yield Rows(name, _lines(name, text))
    except UnicodeDecodeError as error:
        raise ScheduleError(f"{name}: not a text in UTF-8.") from error
    except csv.Error as error:
        raise ScheduleError(f"{name}: not a CSV file ({error}).") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ScheduleError(f"{name}: broken or incomplete.") from error
    except urllib.error.HTTPError as error:
        raise ScheduleError(f"{name}: the server answered {error.code} {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:
        raise ScheduleError(f"{name}: cannot be read: {getattr(error, 'reason', None) or error}.") from error


def name_of(location: str) -> str:
    """The last part of the path or address, without a query, which may hold a secret."""
    return location.split("?")[0].rstrip("/").rsplit("/", 1)[-1] or location


@contextmanager
def _open(location: str) -> Iterator[tuple[IO[bytes], int | None]]:
    if location.startswith(("http://", "https://")):
        request = urllib.request.Request(location, headers={"User-Agent": "outlast", "Accept-Encoding": "identity"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            length = answer.headers["Content-Length"] or ""
            yield answer, int(length) if length.isdigit() else None
    elif "://" in location:
        raise ScheduleError(f"{name_of(location)}: only files and http(s) addresses can be read.")
    else:
        with open(location, "rb") as file:
            yield file, os.fstat(file.fileno()).st_size or None


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
    number = 0
    while line := text.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise ScheduleError(f"{name}, line {number}: longer than {LONGEST_LINE} characters.")
        yield line
