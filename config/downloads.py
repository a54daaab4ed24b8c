"""Files on their way out: a browser saves them; nobody on the way shows, sniffs or keeps them."""

from base64 import b64encode
from dataclasses import dataclass
from typing import IO

from django.http import FileResponse


def attachment(file: IO[bytes], *, name: str, content_type: str) -> FileResponse:
    """The file under this name (RFC 6266), kept by nobody on the way; it is closed once it is sent."""
    answer = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file on its way out; whoever sends it closes it."""

    file: IO[bytes]
    name: str
    content_type: str
    size: int
    sha256: str

    def answer(self) -> FileResponse:
        """As a download, with its checksum as RFC 9530 has it."""
        found = attachment(self.file, name=self.name, content_type=self.content_type)
        found["Content-Length"] = str(self.size)
        found["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(self.sha256)).decode()}:"
        return found
