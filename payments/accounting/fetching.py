"""The file of a batch as a download."""

from django.http import HttpResponse

from accounts.models import User
from config import audit
from payments.models import JournalBatch

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "zip": "application/zip"}


def file_of(batch: JournalBatch, *, by: User) -> HttpResponse:
    """The bytes that were kept when the batch was made; who has them is noted, and nobody on the way keeps them."""
    audit.record(action="journal_batch.fetched", subject=batch, by=by)
    kind = CONTENT_TYPES[batch.file_name.rpartition(".")[2]]
    answer = HttpResponse(bytes(batch.content), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{batch.file_name}"'
    answer["Cache-Control"] = "no-store"
    return answer
