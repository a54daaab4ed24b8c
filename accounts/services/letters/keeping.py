"""How long letters are kept, what a person may read of them, and whether they stand still."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from accounts.models import Letter, LetterStatus, MessagePreferences, User
from accounts.services.own_data import Row, section
from config import housekeeping, metrics

KEPT_DAYS = 90


@housekeeping.forgets("letters", f"{KEPT_DAYS} days after they were written", task="accounts.tasks.forget_old_letters")
def forget_old_letters(*, now: datetime, limit: int = 10_000) -> int:
    """Delete letters that are older and do not wait; how many. What refers to them is younger, or went before."""
    old = Letter.objects.filter(created_at__lt=now - timedelta(days=KEPT_DAYS)).exclude(status=LetterStatus.QUEUED)
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:limit])
    return Letter.objects.filter(pk__in=ids).delete()[0]


@section("message_preferences")
def own_preferences(user: User) -> Iterable[Row]:
    """What they want to be written about."""
    columns = ("reminder_hours", "announcements", "quiet_from", "quiet_until", "time_zone", "language")
    yield from MessagePreferences.objects.filter(user=user).values(*columns)


@section("letters")
def own_letters(user: User) -> Iterable[Row]:
    """What was written to them, and what became of it."""
    columns = ("id", "kind", "subject_id", "channel", "language", "status", "created_at", "sent_at", "status_at")
    yield from Letter.objects.filter(user=user).order_by("id").values(*columns).iterator(chunk_size=1000)


metrics.counted_when_looked(
    "letters_due", "Letters that are due and not sent.", (),
    """SELECT count(*) FROM (SELECT 1 FROM accounts_letter
                             WHERE status = 'queued' AND due_at <= clock_timestamp() LIMIT 100000) due""",
)  # fmt: skip
metrics.counted_when_looked(
    "letters_of_the_day", "Letters of the last 24 hours, by what became of them.", ("status",),
    """SELECT status, count(*) FROM accounts_letter WHERE created_at > clock_timestamp() - interval '24 hours'
       GROUP BY status""",
)  # fmt: skip
metrics.overdue(
    "letter",
    "SELECT count(*) FROM (SELECT 1 FROM accounts_letter WHERE status = 'queued'"
    " AND due_at < clock_timestamp() - interval '10 minutes' LIMIT 100000) late",
)
