"""PDF files, looked into and refused where they could act or carry something: scripts, actions, other files, forms.

They are kept as they came, because whoever looks at a tax form wants the form; so what is not a plain document is not
taken. They are never shown by us, only handed out as something to be saved.
"""

import io
import os
import time
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader, apply_configuration
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from config.uploads.refusals import FileRefused, Reason

MOST_PAGES = 50
MOST_OBJECTS = 20_000
DEEPEST = 40
# What one compressed part may become. Only lists of objects are unpacked here, never pages and their pictures.
MOST_UNPACKED = 2 * 1024 * 1024
BOUNDS: dict[str, Any] = {
    "zlib_maximum_output_length": MOST_UNPACKED,
    "lzw_maximum_output_length": MOST_UNPACKED,
    "run_length_maximum_output_length": MOST_UNPACKED,
    "stream_decoding_work_maximum_length": 4 * MOST_UNPACKED,
    "disable_legacy_handling": True,
}
# Of a processor's time. Many small parts, each within its bounds, could take minutes.
MOST_SECONDS = 3.0
# Spaces and line breaks that some printers leave behind the end.
TRAILING = b"\r\n\t \x00"
# Names of what acts: when it is opened, printed, clicked or filled in.
ACTIVE = frozenset(
    {"/JS", "/JavaScript", "/Launch", "/AA", "/SubmitForm", "/ImportData", "/XFA", "/RichMedia", "/Movie", "/Sound",
     "/GoToR", "/GoToE", "/Rendition", "/Trans3D", "/3D"}
)  # fmt: skip
# Names of what is carried along.
HIDDEN = frozenset({"/EmbeddedFiles", "/EmbeddedFile", "/AF", "/Filespec", "/FileAttachment", "/Collection"})
# What a document may do by itself when it is opened: show one of its pages.
HARMLESS_ACTIONS = frozenset({"/GoTo", "/Named"})
UNREADABLE = (
    PyPdfError, OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, EOFError,
    OverflowError, RecursionError, MemoryError, NotImplementedError,
)  # fmt: skip


class Timed(io.BytesIO):
    """A file whose reader has so much time: whatever it looks for next in it, it is asked whether there is any left."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._began = time.thread_time()

    @property
    def is_over(self) -> bool:
        return time.thread_time() - self._began > MOST_SECONDS

    def refuse_late(self) -> None:
        if self.is_over:
            raise FileRefused(Reason.TOO_COMPLEX)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self.refuse_late()
        return super().seek(offset, whence)


def check(content: bytes) -> None:
    """Refuses what is no whole PDF from its first byte to its last, is encrypted, acts, or carries other files; and
    what takes too long to find out about.
    """
    end = content.rstrip(TRAILING)
    if not content.startswith(b"%PDF-") or not end.endswith(b"%%EOF"):
        # Also what is a PDF and something else: the other file stands before or behind it.
        raise FileRefused(Reason.UNREADABLE)
    file = Timed(content)
    try:
        with apply_configuration(**BOUNDS):
            _look_into(file)
    except UNREADABLE as error:
        raise FileRefused(Reason.TOO_COMPLEX if file.is_over else Reason.UNREADABLE) from error


def _look_into(file: Timed) -> None:
    reader = PdfReader(file, strict=False)
    if reader.is_encrypted:
        raise FileRefused(Reason.ENCRYPTED)
    if not 0 < len(reader.pages) <= MOST_PAGES:
        raise FileRefused(Reason.TOO_COMPLEX, most_pages=MOST_PAGES)
    for found in _objects(reader):
        # Here as well: objects that are packed into another are not looked for in the file.
        file.refuse_late()
        _refuse_active(found)


def _objects(reader: PdfReader) -> Iterator[DictionaryObject]:
    """Every dictionary that can be reached from the trailer, and every one that cannot."""
    numbers = {number for table in reader.xref.values() for number in table} | set(reader.xref_objStm)
    if len(numbers) > MOST_OBJECTS:
        raise FileRefused(Reason.TOO_COMPLEX, most_objects=MOST_OBJECTS)
    yield from _dictionaries(reader.trailer, 0)
    for number in sorted(numbers):
        found = reader.get_object(IndirectObject(number, 0, reader))
        yield from _dictionaries(found, 0)


def _dictionaries(found: Any, depth: int) -> Iterator[DictionaryObject]:
    """The dictionaries in this object itself; what it refers to has its own turn."""
    if depth > DEEPEST:
        raise FileRefused(Reason.TOO_COMPLEX, deepest=DEEPEST)
    if isinstance(found, DictionaryObject):
        yield found
        # `raw_get`, so that a reference is not followed.
        for name in found:
            yield from _dictionaries(found.raw_get(name), depth + 1)
    elif isinstance(found, ArrayObject):
        for one in list.__iter__(found):
            yield from _dictionaries(one, depth + 1)


def _refuse_active(found: DictionaryObject) -> None:
    names = {str(name) for name in found}
    said = {str(value) for value in (_value(found, name) for name in ("/S", "/Type", "/Subtype")) if value is not None}
    if (names | said) & ACTIVE:
        raise FileRefused(Reason.ACTIVE_CONTENT)
    if (names | said) & HIDDEN:
        raise FileRefused(Reason.HIDDEN_CONTENT)
    opening = _value(found, "/OpenAction")
    if isinstance(opening, DictionaryObject) and str(_value(opening, "/S")) not in HARMLESS_ACTIONS:
        raise FileRefused(Reason.ACTIVE_CONTENT)
    if _value(found, "/Encrypt") is not None:
        raise FileRefused(Reason.ENCRYPTED)


def _value(found: DictionaryObject, name: str) -> Any:
    """What stands there, also where it is only referred to; None where nothing does."""
    value = found.get(name)
    return value.get_object() if isinstance(value, IndirectObject) else value
