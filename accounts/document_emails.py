"""What became of a paper that somebody handed in, told to its owner."""

from typing import Any

from accounts.models import Document, DocumentStatus
from accounts.services.documents import DECIDED_MAIL
from accounts.services.letters.preferences import language_of
from config import mail, outbox
from config.phrases import phrase


@outbox.handler(DECIDED_MAIL)
def mail_document_decided(payload: dict[str, Any]) -> None:
    """Accepted, or not and why. Nothing about one that is gone, to nobody who is."""
    document = Document.objects.select_related("owner").filter(pk=payload["document"]).first()
    if document is None or not document.owner.can_get_mail:
        return
    is_accepted = document.status == DocumentStatus.ACCEPTED
    mail.send(
        to=document.owner.email,
        subject=phrase("Your document was accepted") if is_accepted else phrase("Please hand in your document again"),
        template="document_decided",
        context={"name": document.owner.display_name, "document": document, "is_accepted": is_accepted},
        language=language_of(document.owner),
    )
