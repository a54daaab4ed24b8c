"""What a provider of mail says became of letters: by its webhook, whose signature was checked before anything is read.

News come late, twice and out of order; `outcomes.note` keeps what is newest by its meaning, not by its arrival. News of
mails that are no letters are passed over.
"""

import logging
from typing import Any

from anymail.signals import EventType, RejectReason, tracking

from accounts.models import Letter, LetterStatus
from accounts.services.letters.outcomes import note

logger = logging.getLogger(__name__)

STATUS = {
    EventType.DELIVERED: LetterStatus.DELIVERED,
    EventType.BOUNCED: LetterStatus.BOUNCED,
    EventType.COMPLAINED: LetterStatus.COMPLAINED,
    EventType.REJECTED: LetterStatus.FAILED,
    EventType.FAILED: LetterStatus.FAILED,
}
# The provider knows the address as one that came back from somebody else's mail, or from ours.
KNOWN_BAD = {RejectReason.BOUNCED: LetterStatus.BOUNCED, RejectReason.SPAM: LetterStatus.COMPLAINED}


def take_news(sender: Any, event: Any, esp_name: str, **_: Any) -> None:
    """Note one event; whatever is not about a letter, or says nothing of its fate, is passed over."""
    status = STATUS.get(event.event_type)
    if event.event_type == EventType.REJECTED:
        status = KNOWN_BAD.get(event.reject_reason, LetterStatus.FAILED)
    letter = _letter_of(event) if status is not None else None
    if letter is None or status is None:
        return
    # A letter that went to an earlier address says nothing about the present one.
    is_theirs = (event.recipient or "").lower() == letter.user.email
    note(letter_id=letter.pk, status=status, why=event.reject_reason or "", ends_writing=is_theirs)


def listen() -> None:
    """Have the news of whoever delivers our mails noted."""
    tracking.connect(take_news, dispatch_uid="accounts.letters.news")


def _letter_of(event: Any) -> Letter | None:
    """By the number that went along, else by the name that the provider gave the mail."""
    number = str((event.metadata or {}).get("letter", ""))
    letters = Letter.objects.select_related("user")
    if number.isascii() and number.isdigit() and len(number) < 19:
        return letters.filter(pk=number).first()
    return letters.filter(provider_id=event.message_id).first() if event.message_id else None
