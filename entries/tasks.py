"""What the scheduler hurries. Each task calls one service and may run twice, or not at all, without harm."""

from celery import shared_task

from config.clock import database_now
from entries.services import bulk_decisions, expiry, rehearsals, reminders
from entries.services.repicks import release_due_picks as release
from entries.services.reveal import reveal_due_rounds as reveal
from entries.services.settlement import settle_due as settle
from pools.services.pools import start_due_pools as start
from pools.services.telling import tell_locks


@shared_task
def reveal_due_rounds() -> int:
    """Reveal the rounds whose lock has passed; how many.

    Picks whose game will not be played are taken back first: what is known before a lock counts as known in time.
    """
    release()
    tell_locks()
    return len(reveal())


@shared_task
def start_due_pools() -> int:
    """Set pools running whose first round has locked; how many."""
    return start(database_now())


@shared_task
def settle_due() -> int:
    """Settle what has become final; in how many competitions something changed."""
    return sum(not settlement.difference.is_nothing for settlement in settle())


@shared_task
def expire_unpaid_requests() -> int:
    """Take back places whose time to pay is over, and give free ones to those who wait; how many moved."""
    now = database_now()
    return expiry.expire_unpaid(now=now) + expiry.promote_everywhere(now=now)


@shared_task
def continue_bulk_decisions() -> int:
    """Go on with decisions about many requests that nobody goes on with; how many."""
    return bulk_decisions.sweep_bulk_decisions()


@shared_task
def write_reminders() -> int:
    """Write letters to those who have no pick and whose lock comes near; of how many entries."""
    return reminders.write_due_reminders()


@shared_task
def forget_old_reminders() -> int:
    """Delete reminders of locks long past; how many."""
    return reminders.forget_old_reminders(now=database_now())


@shared_task
def forget_old_rehearsals() -> int:
    """Delete rehearsals whose time is over; how many."""
    return rehearsals.forget_old_rehearsals(now=database_now())
