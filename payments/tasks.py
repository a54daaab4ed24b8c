"""What Celery runs: each takes ids or nothing, calls one service, and bears a second run."""

from celery import shared_task

from config.clock import database_now
from payments.bank import matching
from payments.exports import fetching, schedules, work
from payments.ledger import checkpoints
from payments.reconciliation import feed, nightly
from payments.services import backfill, cancellations, catching_up, charge_sweep, inbox, prizes, sweep
from payments.services.refunds import sending
from payments.services.winners import sending as winner_payouts


@shared_task
def process_webhook(event_row_id: int) -> bool:
    """Look into one webhook soon after it came. The sweep does so in any case."""
    return inbox.process_event(event_id=event_row_id)


@shared_task
def sweep_webhooks() -> int:
    """Look into webhooks whose hint was lost or whose last try failed; how many."""
    return inbox.sweep_events()


@shared_task
def fetch_missed_webhooks() -> int:
    """Take in the news that the provider could not bring; how many."""
    return backfill.fetch_missed_notices()


@shared_task
def sweep_payments() -> int:
    """Ask the provider about payments that nobody brought news of; how many."""
    return sweep.sweep_payments().asked


@shared_task
def sweep_charges() -> int:
    """Ask what became of charges whose fee is not known, or that are disputed; how many."""
    return charge_sweep.sweep_charges().asked


@shared_task
def sweep_refunds() -> int:
    """Go on with refunds that have not ended; how many."""
    return sending.sweep_refunds().asked


@shared_task
def sweep_payouts() -> int:
    """Go on with prizes on their way through a provider that have not ended; how many."""
    return winner_payouts.sweep_payouts().asked


@shared_task
def catch_up_the_books() -> int:
    """Book what no service has booked, and tell a person where it should have; how many entries."""
    return sum(catching_up.catch_up(watchful=True).values())


@shared_task
def continue_cancellations() -> int:
    """Go on with cancellations that nobody goes on with; how many."""
    return cancellations.sweep_cancellations()


@shared_task
def book_prizes() -> int:
    """Book the prizes of pools whose message was lost, or whose pot was short; how many."""
    return prizes.sweep_prizes()


@shared_task
def make_checkpoints() -> int | None:
    """Sum up what the ledger's accounts have come to since the last time; how many accounts."""
    return checkpoints.make_checkpoints()


# A million rows as a spreadsheet take minutes. A message that is delivered again meanwhile finds the slot taken.
@shared_task(time_limit=3600, soft_time_limit=3500)
def write_exports() -> int:
    """Write the exports that wait, one at a time; how many."""
    return work.write_waiting()


@shared_task
def run_export_schedules() -> int:
    """Queue the reports of the days and months that are over; how many."""
    return schedules.run_due_schedules(now=database_now())


@shared_task
def delete_expired_exports() -> int:
    """Delete the files of exports whose time is over; how many."""
    return fetching.sweep_expired(now=database_now())


# A run over weeks takes many minutes. A message that is delivered again meanwhile finds that somebody is at it.
@shared_task(time_limit=3600, soft_time_limit=3500)
def reconcile_feed() -> int:
    """Read what moved at the providers since the last time, and deal with what differs; of how many."""
    return feed.for_each_provider(lambda name: feed.run_feed(provider=name))


@shared_task(time_limit=4 * 3600, soft_time_limit=4 * 3600 - 100)
def reconcile_deep() -> int:
    """Make last night's deep run, where it has not been made; of how many providers."""
    return feed.for_each_provider(lambda name: feed.run_deep_if_due(provider=name))


@shared_task(time_limit=4 * 3600, soft_time_limit=4 * 3600 - 100)
def continue_reconciliations() -> int:
    """Go on with runs that were cut off, or wait for a provider that was away; how many."""
    return feed.for_each_provider(feed.go_on)


@shared_task(time_limit=3600, soft_time_limit=3500)
def check_the_night() -> bool:
    """Look at last night's payouts and banks, and whether everything agrees, where nobody has; whether it was done."""
    return nightly.check_the_night() is not None


@shared_task(time_limit=600, soft_time_limit=550)
def match_bank_lines() -> int:
    """Find out what lines of statements are whose payouts or records came later; how many."""
    return matching.match_all_lines()
