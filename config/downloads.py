"""A file on its way out: as something to be saved, which nobody on the way keeps, shows or sniffs."""

from base64 import b64encode
from dataclasses import dataclass
from typing import IO

from django.http import FileResponse


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file on its way out; whoever sends it closes it."""

    file: IO[bytes]
    name: str
    content_type: str
    size: int
    sha256: str

    @property
    def headers(self) -> dict[str, str]:
        """Of the answer that carries it: nobody shows, sniffs or keeps it, and its checksum is as RFC 9530 has it."""
        return {
            "Content-Length": str(self.size),
            "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(self.sha256)).decode()}:",
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }

    def answer(self) -> FileResponse:
        """The download; its name as RFC 6266 has it."""
        response = FileResponse(self.file, as_attachment=True, filename=self.name, content_type=self.content_type)
        for name, value in self.headers.items():
            response[name] = value
        return response
