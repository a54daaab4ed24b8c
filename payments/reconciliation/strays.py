"""Movements that belong to nothing of ours: written down and booked all the same, for the balance did move.

What nobody can say goes to suspense, and stays before a person. What another environment of the house has marked as its
own goes to `not_ours`, and that is all. Each is booked once, whoever comes first.
"""

from django.conf import settings
from django.db import transaction
from django.db.models import Sum as Total

from config.audit import attribute
from config.clock import database_now
from config.locks import advisory_lock
from payments.ledger import rules
from payments.ledger.accounts import Kind
from payments.ledger.models import JournalEntry, Posting
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import Movement, MovementKind, StagedMovement

OF_DISPUTES = (MovementKind.DISPUTE, MovementKind.DISPUTE_REVERSAL)
FEES = (Kind.PROVIDER_FEES, Kind.DISPUTE_FEES)


@transaction.atomic(durable=True)
def book_stray(found: StagedMovement, *, provider: str) -> bool:
    """Write the movement down, and book it; whether it was another environment's, and is done with. Twice is once."""
    attribute(reason="the balance moved, and nothing of ours explains it")
    is_others = found.env not in ("", settings.OUTLAST_ENV)
    _, is_new = Movement.objects.get_or_create(
        provider=provider,
        reference=found.reference,
        defaults={
            "livemode": found.livemode,
            "kind": found.kind,
            "category": found.category[:60],
            "amount_cents": found.amount_cents,
            "fee_cents": found.fee_cents,
            "net_cents": found.net_cents,
            "currency": found.currency,
            "exchange_rate": found.exchange_rate,
            "occurred_at": found.occurred_at,
            "available_at": found.available_at,
        },
    )
    if is_new:
        _book(found, provider, is_others)
    return is_others


def _book(found: StagedMovement, provider: str, is_others: bool) -> None:
    name, whole = (provider, found.reference), _sum(found, found.net_cents)
    if is_others:
        post(rules.moved_for_others(*name, whole))
        return
    received = _received(found, provider)
    if received is None:
        post(rules.unexplained(*name, whole))
        return
    # Its money is in the books already, without the request that it was for: what is left to book is the rest of it.
    post(rules.fee_taken(*name, _sum(found, found.fee_cents)))
    amount, currency = received
    if currency != found.currency:
        for draft in rules.converted(
            *name, Sum(amount, currency, found.livemode, found.occurred_at), _sum(found, found.amount_cents)
        ):
            post(draft)
    elif amount != found.amount_cents:
        post(rules.unexplained(*name, _sum(found, found.amount_cents - amount)))


def _received(found: StagedMovement, provider: str) -> tuple[int, str] | None:
    """What is booked as come with the charge; None where nothing is."""
    if found.kind != MovementKind.CHARGE or not found.charge_id:
        return None
    entry = JournalEntry.objects.filter(
        source_type="charge", source_id=f"{provider}:{found.charge_id}", event="received"
    ).first()
    if entry is None:
        return None
    lines = Posting.objects.filter(journal_entry=entry, account__kind=Kind.CLEARING)
    return int(lines.aggregate(cents=Total("amount"))["cents"] or 0), entry.currency_id


@transaction.atomic(durable=True)
def correct_fee(found: StagedMovement, *, provider: str) -> int:
    """Book what the provider's fee differs from what is booked; the difference. Twice is once."""
    advisory_lock(f"fee:{provider}:{found.reference}")
    attribute(reason="the provider names another fee")
    lines = Posting.objects.filter(
        journal_entry__source_type="movement", journal_entry__source_id=f"{provider}:{found.reference}"
    )
    booked = lines.filter(account__kind__in=FEES).aggregate(cents=Total("amount"))["cents"] or 0
    difference = found.fee_cents - int(booked)
    if difference:
        before = lines.filter(journal_entry__event__startswith="fee_corrected_").values("journal_entry").distinct()
        post(
            rules.fee_corrected(
                provider,
                found.reference,
                before.count() + 1,
                Sum(difference, found.currency, found.livemode, database_now()),
                of_dispute=found.kind in OF_DISPUTES,
            )
        )
    return difference


def _sum(found: StagedMovement, amount: int) -> Sum:
    return Sum(amount, found.currency, found.livemode, found.occurred_at)
