"""Sweeps of the accounts, safe to run twice at once: rows are deleted by id."""

from celery import shared_task

from accounts.services import (
    api_keys,
    documents,
    exclusions,
    housekeeping,
    second_factor,
    sign_in_attempts,
    spending,
)
from accounts.services.letters import keeping as letter_keeping
from accounts.services.letters import sending as letter_sending
from accounts.services.webhooks import keeping, sending
from config.clock import database_now


@shared_task
def forget_expired_tokens() -> int:
    """Delete tokens past their time; how many."""
    return housekeeping.forget_expired_tokens(now=database_now())


@shared_task
def forget_old_sessions() -> int:
    """Delete sessions unused for long; how many."""
    return housekeeping.forget_old_sessions(now=database_now())


@shared_task
def forget_browsers() -> int:
    """Delete sessions of the back office that are over; how many."""
    return housekeeping.forget_browsers(now=database_now())


@shared_task
def forget_email_changes() -> int:
    """Delete changes of address of which nothing can come any more; how many."""
    return housekeeping.forget_email_changes(now=database_now())


@shared_task
def forget_old_setups() -> int:
    """Delete set-ups of second factors that nobody confirmed within a day; how many."""
    return second_factor.forget_old_setups(now=database_now())


@shared_task
def forget_unverified_accounts() -> int:
    """Delete accounts that nobody proved to be theirs within a week; how many."""
    return housekeeping.forget_unverified_accounts(now=database_now())


@shared_task
def tell_ended_exclusions() -> int:
    """Have players told whose exclusion has ended; how many."""
    return exclusions.tell_ended(now=database_now())


@shared_task
def tell_raised_limits() -> int:
    """Have players told whose higher limit holds from now on; how many."""
    return spending.tell_raised(now=database_now())


@shared_task
def forget_old_documents() -> int:
    """Delete documents whose time is over, with their files; how many."""
    return documents.forget_old(now=database_now())


@shared_task
def forget_dead_api_keys() -> int:
    """Delete API keys that have been over for long; how many."""
    return api_keys.forget_dead(now=database_now())


@shared_task
def forget_sign_in_attempts() -> int:
    """Delete sign-ins through a provider that ended or came to nothing; how many."""
    return sign_in_attempts.forget_attempts(now=database_now())


@shared_task
def deliver_webhooks() -> int:
    """Send to subscribers what is due; how many deliveries were tried."""
    return sending.deliver_due()


@shared_task
def forget_webhook_deliveries() -> int:
    """Delete deliveries that are old, with their attempts; how many."""
    return keeping.forget_old_deliveries(now=database_now())


@shared_task
def send_letters() -> int:
    """Send reminders and announcements that are due; how many letters were looked at."""
    return letter_sending.send_due()


@shared_task
def forget_old_letters() -> int:
    """Delete letters of long ago; how many."""
    return letter_keeping.forget_old_letters(now=database_now())
