"""The file of a batch as a download."""

from io import BytesIO

from django.http import FileResponse

from config.downloads import attachment
from payments.models import JournalBatch

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "zip": "application/zip"}


def file_of(batch: JournalBatch) -> FileResponse:
    """The bytes that were kept when the batch was made."""
    content_type = CONTENT_TYPES[batch.file_name.rpartition(".")[2]]
    return attachment(BytesIO(bytes(batch.content)), name=batch.file_name, content_type=content_type)
