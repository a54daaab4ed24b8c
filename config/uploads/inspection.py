"""What a file is, and whether it is taken: by its bytes, by a library that knows their beginnings, and by decoding."""

from dataclasses import dataclass

import filetype  # type: ignore[import-untyped]  # ships no types

from config.uploads import papers, pictures
from config.uploads.refusals import FileRefused, Reason

MEGABYTE = 1024 * 1024
PICTURES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
PAPER = "application/pdf"


@dataclass(frozen=True, slots=True)
class Taken:
    """What is kept: bytes of a type that was found, never claimed."""

    content: bytes
    content_type: str
    ending: str


def take(content: bytes, *, largest: int, papers_too: bool, longest_side: int = pictures.LARGEST_SIDE) -> Taken:
    """The file as it is kept: a picture made anew, or a PDF as it came, where those are taken.

    Refuses (FILE_REFUSED) what is empty, longer than `largest` bytes, of another type, damaged, or dangerous.
    """
    if not content:
        raise FileRefused(Reason.EMPTY)
    if len(content) > largest:
        raise FileRefused(Reason.TOO_LARGE, largest_bytes=largest)
    found = filetype.guess_mime(content)
    if found in PICTURES:
        picture = pictures.remake(content, kind=PICTURES[found], longest=longest_side)
        return Taken(picture.content, picture.content_type, picture.ending)
    if found == PAPER and papers_too:
        papers.check(content)
        return Taken(content, PAPER, "pdf")
    raise FileRefused(Reason.TYPE_NOT_TAKEN)
