"""The file of a batch as a download."""

from io import BytesIO

from django.http import FileResponse

from accounts.models import User
from config import audit
from config.downloads import attachment
from payments.models import JournalBatch

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "zip": "application/zip"}


def file_of(batch: JournalBatch, *, by: User) -> FileResponse:
    """The bytes that were kept when the batch was made; who has them is noted."""
    audit.record(action="journal_batch.fetched", subject=batch, by=by)
    content_type = CONTENT_TYPES[batch.file_name.rpartition(".")[2]]
    return attachment(BytesIO(bytes(batch.content)), name=batch.file_name, content_type=content_type)
