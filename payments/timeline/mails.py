"""What the player was told by mail about a place: from the messages that were left for the outbox, 90 days back.

A message is known by its key, which each service makes of the row that it is about. Reminders are rows of their own;
they say who had not picked yet, so those of a round show once it is revealed. What was announced to the players of
the pool is part of every place that its reader has there.
"""

from collections.abc import Iterator, Sequence

from accounts.models.letters import Letter
from config.models import AuditEntry, OutboxMessage
from config.phrases import tell
from config.words import spoken, status_of, within
from entries.models import Announcement, Entry, Request, Ruling
from entries.models.reminder import Reminder
from entries.services.announcements import KIND as ANNOUNCEMENT
from entries.services.reminder_wishes import OFF, ON
from payments.timeline.lines import Line, page_of
from payments.timeline.money import Money

ABOUT_REQUEST = (
    "request_approved", "request_promoted", "request_rejected", "request_withdrawn", "request_expired",
    "buy_back_approved", "buy_back_withdrawn", "buy_back_expired", "buy-back-confirmed",
)  # fmt: skip
ABOUT_RECEIPT = ("receipt", "receipt-allocated")
ABOUT_PAYOUT = ("prize-paid", "prize-returned")


def mail_lines(requests: Sequence[Request], entry: Entry | None, money: Money | None) -> Iterator[Line]:
    """When each mail was sent, or that it was given up. Whether somebody read it nobody knows."""
    for message in OutboxMessage.objects.filter(key__in=list(_keys(requests, entry, money))).order_by("id"):
        what = within(spoken(message.kind.removeprefix("mail.")))
        if message.done_at is not None:
            yield Line(message.done_at, tell("Mail sent: {what}", what=what))
        elif message.dead_at is not None:
            yield Line(message.dead_at, tell("Mail given up: {what}", what=what))
        else:
            yield Line(message.created_at, tell("Mail waits: {what}", what=what))
    yield from _announcements(requests[0])
    if entry is not None:
        yield from _reminders(entry)
        yield from _wishes(entry)


def _announcements(request: Request) -> Iterator[Line]:
    """As the one letter to this player tells: there is none to whoever had turned announcements off."""
    told = {one.pk: one for one in Announcement.objects.filter(pool=request.pool_id)}
    letters = Letter.objects.filter(kind=ANNOUNCEMENT, subject_id__in=list(told), user=request.user_id)
    for letter in letters.order_by("id"):
        announcement = told[letter.subject_id]
        yield Line(
            at=letter.sent_at or letter.status_at or letter.created_at,
            what=tell("Announcement, {subject}: {state}", subject=announcement.subject, state=status_of(letter)),
            actor_id=announcement.sent_by_id,
            why=letter.note,
            link=(page_of(Announcement), announcement.pk),
        )


def _reminders(entry: Entry) -> Iterator[Line]:
    sent = Reminder.objects.filter(entry=entry, round__revealed_at__isnull=False).select_related("round", "letter")
    for reminder in sent.order_by("id"):
        letter = reminder.letter
        yield Line(
            at=letter.sent_at or letter.status_at or reminder.at,
            what=tell(
                "Reminder for round {round}, {hours} h before its lock: {state}",
                round=reminder.round.number,
                hours=reminder.hours,
                state=status_of(letter),
            ),
            why=letter.note,
            link=(page_of(Letter), letter.pk),
        )


def _wishes(entry: Entry) -> Iterator[Line]:
    """When its player turned reminders of it off, and on again."""
    said = AuditEntry.objects.filter(subject_type="entry", subject_id=str(entry.pk), action__in=(OFF, ON))
    for one in said.order_by("id"):
        way = one.data["way"]
        if one.action == OFF:
            yield Line(one.at, tell("Reminders by {way} turned off", way=way), one.actor_id)
        else:
            yield Line(one.at, tell("Reminders by {way} turned on again", way=way), one.actor_id)


def _keys(requests: Sequence[Request], entry: Entry | None, money: Money | None) -> Iterator[str]:
    yield from (f"{about}-{request.pk}" for request in requests for about in ABOUT_REQUEST)
    if entry is not None:
        yield f"entry-confirmed-{entry.pk}"
        yield from (f"ruling-{pk}" for pk in Ruling.objects.filter(entry=entry).values_list("pk", flat=True))
        yield f"pool-cancelled-{entry.pool_id}-{entry.user_id}"
    if money is not None:
        yield from (f"payment-failed-{pk}" for pk in money.payments)
        yield from (f"{about}-{pk}" for pk in money.receipts for about in ABOUT_RECEIPT)
        yield from (f"refund-sent-{pk}" for pk in money.refunds)
        yield from (f"{about}-{pk}" for pk in money.payouts for about in ABOUT_PAYOUT)
