"""The scans that show a payment by hand: what they are is read off their first bytes, and nothing is ever opened.

A name or a claimed type proves nothing, so both are made here: a file leaves the house under a type of this list, as
something to be saved, never to be shown.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.models import User
from config.errors import invalid
from config.phrases import phrase
from payments.models import Evidence, ManualRecord
from payments.models.manual import LARGEST_SCAN

MOST_FILES = 3
# The first bytes of a file → its type and the end of its name.
KINDS = (
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
)
LONGEST_NAME = 80
UNSAFE = re.compile(r"[^\w. -]+")


@dataclass(frozen=True, slots=True)
class Scan:
    """A file as it was handed in."""

    name: str
    content: bytes


def check_scans(scans: Sequence[Scan]) -> None:
    """Refuses too many, too large or empty files, the same file twice, and whatever is no PDF, PNG or JPEG."""
    if len(scans) > MOST_FILES:
        raise invalid("evidence", phrase("At most {most} files.", most=MOST_FILES))
    if len({scan.content for scan in scans}) < len(scans):
        raise invalid("evidence", "The same file twice.")
    for scan in scans:
        if not 0 < len(scan.content) <= LARGEST_SCAN:
            raise invalid("evidence", phrase("Each file has 1 byte to {most} MB.", most=LARGEST_SCAN // 1024 // 1024))
        _kind_of(scan)


def keep_scans(record: ManualRecord, scans: Iterable[Scan], *, by: User) -> None:
    """Write them beside the record, in the caller's transaction. They were checked before."""
    for number, scan in enumerate(scans, start=1):
        content_type, ending = _kind_of(scan)
        Evidence.objects.create(
            record=record,
            name=f"{_stem(scan.name) or f'evidence-{number}'}.{ending}",
            content_type=content_type,
            size=len(scan.content),
            sha256=hashlib.sha256(scan.content).hexdigest(),
            content=scan.content,
            added_by=by,
        )


def _kind_of(scan: Scan) -> tuple[str, str]:
    for start, content_type, ending in KINDS:
        if scan.content.startswith(start):
            return content_type, ending
    raise invalid("evidence", "Only PDF, PNG and JPEG files are kept as evidence.")


def _stem(name: str) -> str:
    """The name without folders, its ending, and anything that a header or a file system could misread."""
    last = re.split(r"[/\\]", name)[-1]
    stem = last.rpartition(".")[0] or last
    return UNSAFE.sub("_", stem).strip(" ._")[:LONGEST_NAME]
