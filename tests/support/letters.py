"""Letters of players, and the moment at which a round locks."""

from datetime import datetime, timedelta

from django.core import mail

from accounts.models import Letter, User
from accounts.services.letters.sending import send_due
from config.clock import database_now
from entries.models import Reminder
from entries.services.reminders import write_due_reminders
from pools.models import Pool, Round

NEVER_QUIET = {"quiet_from": None, "quiet_until": None}


def lock_in(pool: Pool, ahead: timedelta, number: int = 1) -> datetime:
    """Have the round lock so far ahead; that instant."""
    at = database_now() + ahead
    round_ = Round.objects.get(competition=pool.competition, number=number)
    for game in round_.games.all():
        game.kickoff_at = at
        game.save(update_fields=["kickoff_at"])
    return at


def deliver() -> list[str]:
    """Write what is due and send it; the texts of the mails, in their order."""
    write_due_reminders()
    send_due()
    sent = [message.body for message in mail.outbox]
    mail.outbox.clear()
    return sent


def reminded() -> list[tuple[int, int]]:
    """Which entry was reminded, how long before the lock."""
    return sorted(Reminder.objects.values_list("entry_id", "hours"))


def fates(user: User) -> list[str]:
    """What became of somebody's letters, the oldest first."""
    return list(Letter.objects.filter(user=user).order_by("pk").values_list("status", flat=True))
