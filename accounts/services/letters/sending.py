"""Sending what is due. The letters are the queue: any number of workers take some up, and none is sent by two.

Whoever takes letters up has them for a lease, and stops long before it ends. A worker that is killed leaves what it had
to the next; the one letter that it was handing over just then may go out twice, under one Message-ID.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.core.mail import get_connection
from django.db import transaction
from django.db.models import F

from accounts.models import Letter, LetterStatus, MessagePreferences, UnreachableAddress
from accounts.services.letters import outcomes
from accounts.services.letters.kinds import Composed, Kind, kind_of
from accounts.services.letters.unsubscribing import unsubscribe_link
from config import mail
from config.clock import ClockTimestamp, database_now
from config.logging import scrub
from config.outbox import delay_after

logger = logging.getLogger(__name__)

AT_ONCE = 100
LEASE = timedelta(minutes=3)
# Half a minute for the last letter on its way, and as much again for a busy machine.
STOP_AFTER_SECONDS = 60.0
MAX_TRIES = 8
# Two in a row: it is not the letters, it is whoever takes them.
FAILURES_IN_A_ROW = 2

CLAIM = """
    UPDATE accounts_letter SET tries = tries + 1, due_at = clock_timestamp() + %(lease)s
    WHERE id = ANY(ARRAY(
        SELECT id FROM accounts_letter WHERE status = 'queued' AND due_at <= clock_timestamp()
        ORDER BY expires_at NULLS LAST, id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
    )) RETURNING id
"""


def send_due(*, limit: int = 5_000, seconds: float = 45.0) -> int:
    """Send what is due, what is worth least for longest last; how many were looked at.

    Ends early where mails cannot be handed over at all: everybody would wait for the same time-out.
    """
    started, tried = time.monotonic(), 0
    while tried < limit and time.monotonic() - started < seconds:
        letters = claim()
        if not letters:
            break
        tried += len(letters)
        if not _send(letters):
            break
    return tried


def claim(*, limit: int = AT_ONCE) -> list[Letter]:
    """Take up letters that are due, with their readers, what those want, and whether their address takes mail."""
    with transaction.atomic():
        ids = [row.pk for row in Letter.objects.raw(CLAIM, {"lease": LEASE, "limit": limit})]
    found = Letter.objects.select_related("user__message_preferences", "user__unreachable").filter(pk__in=ids)
    return sorted(found, key=lambda letter: (letter.kind, letter.pk))


def _send(letters: Sequence[Letter]) -> bool:
    """Send them, or leave them out; False where the rest had to be left for later."""
    began, failures = time.monotonic(), 0
    waiting = {letter.pk for letter in letters}
    connection = get_connection()
    try:
        for letter, kind, said in _composed(letters):
            if failures >= FAILURES_IN_A_ROW or time.monotonic() - began > STOP_AFTER_SECONDS:
                return False
            waiting.discard(letter.pk)
            failures = 0 if _hand_over(connection, letter, kind, said) else failures + 1
    finally:
        if waiting:
            # Not tried: they wait a little, and have all their tries.
            Letter.objects.filter(pk__in=waiting, status=LetterStatus.QUEUED).update(
                due_at=ClockTimestamp() + delay_after(3), tries=F("tries") - 1
            )
        connection.close()
    return failures < FAILURES_IN_A_ROW


def _composed(letters: Sequence[Letter]) -> Iterator[tuple[Letter, Kind | None, Composed | str]]:
    """Each letter with what it says, or with the reason why it says nothing."""
    now = database_now()
    for name, group in groupby(letters, key=lambda letter: letter.kind):
        kind, of_kind = kind_of(name), list(group)
        reasons = {letter.pk: _reason_against(letter, kind, now) for letter in of_kind}
        wanted = [letter for letter in of_kind if not reasons[letter.pk]]
        said: Mapping[int, Composed] = kind.compose(wanted) if kind and wanted else {}
        for letter in of_kind:
            yield letter, kind, said.get(letter.pk) or reasons[letter.pk] or "not true any more"


def _reason_against(letter: Letter, kind: Kind | None, now: Any) -> str:
    if kind is None:
        return "nobody knows this kind"
    user = letter.user
    if not user.can_get_mail:
        return "no address"
    if letter.expires_at is not None and letter.expires_at <= now:
        return "too late"
    if _one_of(user, "unreachable", UnreachableAddress) is not None:
        return "the address came back"
    preferences = _one_of(user, "message_preferences", MessagePreferences) or MessagePreferences(user=user)
    return "" if kind.wanted(preferences) else "not wanted"


def _one_of(user: Any, name: str, model: Any) -> Any:
    """The row beside a person, or None; both were loaded with the letter."""
    try:
        return getattr(user, name)
    except model.DoesNotExist:
        return None


def _hand_over(connection: Any, letter: Letter, kind: Kind | None, said: Composed | str) -> bool:
    """Send one letter, or note why not; False where whoever takes mails did not take it."""
    if isinstance(said, str) or kind is None:
        outcomes.note(letter_id=letter.pk, status=LetterStatus.SKIPPED, why=str(said))
        return True
    message = mail.made(
        to=letter.user.email,
        subject=said.subject,
        template="letter",
        context={
            "text": said.text, "what": kind.what, "stop": unsubscribe_link(letter.user_id, kind.name),
            "apart": [(name, unsubscribe_link(letter.user_id, kind.name, one)) for name, one in said.apart],
        },
        headers=_headers(letter, kind),
        language=letter.language,
    )  # fmt: skip
    try:
        provider_id = mail.hand_over(message, connection=connection, known_as={"letter": str(letter.pk)})
    except mail.RecipientRefused:
        outcomes.note(letter_id=letter.pk, status=LetterStatus.BOUNCED, why="refused at once")
        return True
    except Exception as error:  # noqa: BLE001  # mail servers fail in any way; the letter is tried again
        _put_back(letter, error)
        return False
    outcomes.note(letter_id=letter.pk, status=LetterStatus.SENT, provider_id=provider_id)
    return True


def _headers(letter: Letter, kind: Kind) -> dict[str, str]:
    """What mail programs need for their button (RFC 8058), and a name by which a second copy is known."""
    return {
        "List-Unsubscribe": f"<{unsubscribe_link(letter.user_id, kind.name)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Message-ID": mail.message_id(f"letter-{letter.pk}"),
        "Auto-Submitted": "auto-generated",
    }


def _put_back(letter: Letter, error: Exception) -> None:
    why = _why(error)
    logger.warning("letter %s was not taken, attempt %s: %s", letter.pk, letter.tries, why)
    if letter.tries >= MAX_TRIES:
        outcomes.note(letter_id=letter.pk, status=LetterStatus.FAILED, why=why)
        return
    again = ClockTimestamp() + delay_after(letter.tries)
    Letter.objects.filter(pk=letter.pk, status=LetterStatus.QUEUED).update(due_at=again)


def _why(error: Exception) -> str:
    return scrub(f"{type(error).__name__}: {error}")[: outcomes.NOTE_LENGTH]
