"""The row of a provider's payout to our bank, as the provider told of it last."""

from datetime import UTC, date, datetime

from django.db import transaction

from config.clock import ClockTimestamp
from payments.models import DiscrepancyKind, ProviderPayout, ProviderPayoutState
from payments.providers.base import BankPayoutFacts
from payments.services.discrepancies import settle_discrepancy

LONGEST_TRACE, LONGEST_FAILURE = 140, 200


@transaction.atomic
def record_payout(facts: BankPayoutFacts, *, provider: str) -> ProviderPayout:
    """Write down what the provider says of a payout; older news than we have changes nothing.

    Refuses (the database does) another amount, currency or mode than it had: that is another payout.
    """
    state = ProviderPayoutState(facts.state.value)
    payout, is_new = ProviderPayout.objects.get_or_create(
        provider=provider,
        reference=facts.reference,
        defaults={
            "livemode": facts.livemode,
            "amount_cents": facts.amount_cents,
            "currency": facts.currency,
            "status": state,
            "arrives_on": _day(facts.arrives_at),
            "made_at": facts.made_at,
        },
    )
    payout = ProviderPayout.objects.locked().get(pk=payout.pk)
    if not is_new and state != payout.status and not payout.can_move_to(state):
        return payout
    if state != payout.status:
        payout.move_to(state)
    payout.arrives_on = _day(facts.arrives_at)
    payout.trace_id = facts.trace_id[:LONGEST_TRACE] or payout.trace_id
    payout.failure = facts.failure[:LONGEST_FAILURE]
    payout.is_automatic = facts.is_automatic
    payout.is_itemised = payout.is_itemised or facts.is_itemised
    payout.amount_cents, payout.currency, payout.livemode = facts.amount_cents, facts.currency, facts.livemode
    payout.checked_at = ClockTimestamp()
    payout.save()
    payout.refresh_from_db(fields=["checked_at"])
    if payout.status == ProviderPayoutState.FAILED:
        settle_discrepancy(
            kind=DiscrepancyKind.PAYOUT_NOT_IN_BANK,
            object_key=payout.key,
            resolution="It never went, or came back: the money is in the balance at the provider.",
        )
    return payout


def _day(instant: datetime) -> date:
    """A day of arrival is told as its first instant in UTC."""
    return instant.astimezone(UTC).date()
