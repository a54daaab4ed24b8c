"""Files on their way out: a browser saves them, and neither shows them nor guesses what they are."""

from typing import IO

from django.http import FileResponse


def attachment(file: IO[bytes], *, name: str, content_type: str) -> FileResponse:
    """The file under this name, kept by nobody on the way; it is closed once it is sent."""
    answer = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
