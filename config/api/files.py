"""Calls that answer with a file: errors are JSON, as everywhere."""

from typing import Any

from rest_framework.renderers import BaseRenderer


class FileRenderer(BaseRenderer):
    """Accepts whatever the caller does: what comes is a file of whichever type it is."""

    media_type = "*/*"
    format = "file"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Never used: the view answers with the file itself, and errors with JSON."""
        return bytes(data)
