"""What became of letters: noted by who sends them, and by news of who delivers them, in whatever order it comes."""

from datetime import datetime

from django.db import transaction

from accounts.models import Letter, LetterStatus, UnreachableAddress, User
from accounts.models.letters import LETTER_TRANSITIONS
from accounts.services.closing import forgets
from config import audit
from config.clock import ClockTimestamp
from config.errors import Code, NotFound

NOTE_LENGTH = 200
_ENDS_WRITING = (LetterStatus.BOUNCED, LetterStatus.COMPLAINED)


@transaction.atomic
def note(
    *, letter_id: int, status: LetterStatus, why: str = "", provider_id: str = "", ends_writing: bool = True
) -> bool:
    """Write down what became of a letter; whether that is news. What is known already, or older, changes nothing.

    An address that comes back is not written to again, nor is one whose owner reported us; unless it is known not to be
    the present one (`ends_writing`).
    """
    letter = Letter.objects.select_for_update(of=("self",), no_key=True).get(pk=letter_id)
    if provider_id and not letter.provider_id:
        Letter.objects.filter(pk=letter_id).update(provider_id=provider_id)
    if status not in LETTER_TRANSITIONS.get(LetterStatus(letter.status), ()):
        return False
    now = ClockTimestamp()
    sent = {"sent_at": now} if status == LetterStatus.SENT else {}
    Letter.objects.filter(pk=letter_id).update(status=status, status_at=now, note=why[:NOTE_LENGTH], **sent)
    if ends_writing and status in _ENDS_WRITING:
        note_unreachable(letter.user_id, status)
    return True


@transaction.atomic
def lift_unreachable(*, user: User, by: User, now: datetime) -> None:
    """Write to the address again: its owner says that it works. Refuses where nothing is to be lifted."""
    deleted, _ = UnreachableAddress.objects.filter(user=user).delete()
    if not deleted:
        raise NotFound(Code.NOT_FOUND, "Letters are sent to this address already.")
    audit.record(action="messages.reachable", subject=user, person=user, by=by)


@forgets
def forget_unreachable(user: User) -> None:
    """The account is closed."""
    UnreachableAddress.objects.filter(user=user).delete()


def note_unreachable(user_id: int, because: LetterStatus) -> None:
    """Write no more letters to the person's present address."""
    UnreachableAddress.objects.update_or_create(user_id=user_id, defaults={"because": because, "at": ClockTimestamp()})
