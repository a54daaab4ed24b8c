"""What the home page tells of people's documents."""

from django.utils.translation import gettext_lazy as _

from accounts.models.documents import DocumentStatus
from config.home import Queue, among, queue

queue(
    Queue(
        "documents", _("Documents to look at"), "accounts_document",
        among("status", DocumentStatus.UPLOADED, DocumentStatus.CLEAN),
        since="uploaded_at", query="?status__in=uploaded,clean", needs="accounts.review_document", icon="badge",
    ),
)  # fmt: skip
