"""Sending money under a key, a refund or a prize: done once, from wherever a call was cut off.

The decision was committed before, with its key. Three facts make it safe to go on:

* the same call under the same key does nothing new; it answers what was done;
* the key is good for a day: later, and after a fault that would only be repeated, we look for our own name first;
* a new key is taken only when the provider has answered, and has nothing of that name.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from config.clock import ClockTimestamp, database_now
from payments.models import Payout, PayoutState, Refund, RefundState
from payments.providers.faults import Faulted, ProviderError, Rejected, Unclear

KEYS_LIVE = timedelta(hours=23)
# How long a worker that took a row is left alone with it: longer than any of its calls.
LEASE = timedelta(seconds=90)

Row = TypeVar("Row", Refund, Payout)
Facts = TypeVar("Facts")


def send_once(row: Row, *, make: Callable[[], Facts], look: Callable[[], Facts | None], is_again: bool) -> Facts:
    """What the provider has done in the row's name: by this call, or by an earlier one (`is_again`).

    `make` is the call, under the key that the row has then; `look` finds what was made in its name, if anything was.
    Raises `Rejected` where nothing was done, and never will be; another `ProviderError` where nobody knows: the row is
    `unknown` then, if it may have been done.
    """
    try:
        facts = _made(row, make, look)
        # What is repeated under a key is the first answer: what became of it since is another question.
        return (look() or facts) if is_again else facts
    except Unclear as error:
        _doubt(row, error)
        raise
    except Rejected as refusal:
        found = _look_after(row, look, refusal)
        if found is None:
            raise
        return found


def _made(row: Row, make: Callable[[], Facts], look: Callable[[], Facts | None]) -> Facts:
    """The provider's answer to the row's own call, or what was made by an earlier one."""
    is_old = row.sent_at is not None and row.sent_at < database_now() - KEYS_LIVE
    if is_old or row.key_number > 1:
        found = look()
        if found is not None:
            return found
    if is_old:
        _take_next_key(row)
    try:
        return make()
    except Faulted:
        found = look()
        if found is not None:
            return found
        # It answered, and there is nothing: the fault would be repeated under this key for ever.
        _take_next_key(row)
        raise


def _look_after(row: Row, look: Callable[[], Facts | None], refusal: Rejected) -> Facts | None:
    """Whether a call that was refused had been done before: then the refusal is of the second one."""
    try:
        return look()
    except ProviderError as error:
        _doubt(row, refusal)
        if isinstance(error, Rejected):
            # It refused to be looked at, which says nothing of what was done before.
            raise Unclear(error.reason) from error
        raise


def _take_next_key(row: Refund | Payout) -> None:
    """Only after an answer that is final: a key that may have worked must stay the only one."""
    states = _states(row)
    type(row).objects.filter(pk=row.pk, key_number=row.key_number, status__in=(states.SENDING, states.UNKNOWN)).update(
        key_number=row.key_number + 1, sent_at=ClockTimestamp()
    )
    row.refresh_from_db(fields=("key_number", "sent_at"))


def _doubt(row: Refund | Payout, error: ProviderError) -> None:
    states = _states(row)
    type(row).objects.filter(pk=row.pk, status=states.SENDING).update(status=states.UNKNOWN, failure=error.reason[:200])


def _states(row: Refund | Payout) -> type[RefundState] | type[PayoutState]:
    return RefundState if isinstance(row, Refund) else PayoutState
