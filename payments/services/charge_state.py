"""The one truth of a charge: everything that became of it, asked for, and applied at once.

Webhooks about refunds, disputes and fees, the sweep and the admin's button all end here. What a webhook claims is never
acted on; the provider is asked outside any transaction, and its answer is applied under the locks of pool, request,
payment and receipt. Doing it again changes nothing, and the order of the news does not matter.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import database_now
from payments.models import DiscrepancyKind, Receipt
from payments.providers import provider_named
from payments.providers.base import ChargeFacts
from payments.providers.faults import NotThere
from payments.services.discrepancies import raise_once
from payments.services.disputes import apply_dispute_facts, doubt_twice
from payments.services.instruments import note_instrument
from payments.services.movements import apply_movement
from payments.services.provider_state import Source
from payments.services.refunds.decisions import lock_receipt
from payments.services.refunds.mirroring import apply_refund_facts


def apply_charge_state(*, receipt_id: int, source: Source, by: User | None = None) -> Receipt:
    """Learn what became of a receipt's charge, and act on it: fee, refunds, disputes. The receipt as it now is.

    Raises `ProviderError`; nothing has changed then, except that a charge which the provider does not know is put
    before a person.
    """
    receipt = Receipt.objects.get(pk=receipt_id)
    asked_at = database_now()
    try:
        facts = provider_named(receipt.provider).fetch_charge(receipt.charge_id)
    except NotThere:
        _tell_of_missing(receipt)
        raise
    return apply_charge_facts(receipt_id=receipt_id, facts=facts, asked_at=asked_at, source=source, by=by)


@transaction.atomic(durable=True)
def apply_charge_facts(
    *, receipt_id: int, facts: ChargeFacts, asked_at: datetime, source: Source, by: User | None = None
) -> Receipt:
    """Act on facts just fetched. Facts of the other mode, or of another amount, are put before a person instead."""
    reason = f"what became of the charge, learned by {source}"
    attribute(by=by, reason=reason)
    receipt = lock_receipt(receipt_id)
    if not _is_ours(receipt, facts):
        return receipt
    _note_fee(receipt, facts, asked_at)
    note_instrument(receipt, facts)
    for refund in facts.refunds:
        apply_refund_facts(receipt, refund, source=source)
    for dispute in facts.disputes:
        attribute(by=by, reason=reason)
        apply_dispute_facts(receipt, dispute, asked_at=asked_at)
    doubt_twice(receipt)
    return receipt


def _is_ours(receipt: Receipt, facts: ChargeFacts) -> bool:
    told = (facts.charge.id, facts.charge.amount_cents, facts.charge.currency)
    if facts.livemode != receipt.livemode:
        raise_once(
            kind=DiscrepancyKind.LIVEMODE_LEAK,
            object_key=f"charge:{receipt.provider}:{receipt.charge_id}",
            sentence=f"Charge {receipt.charge_id} is of the other mode than its receipt.",
            suggestion="Check the provider's key: nothing of the answer was applied.",
            details={"receipt": receipt.pk},
        )
        return False
    if told != (receipt.charge_id, receipt.amount_cents, receipt.currency):
        raise_once(
            kind=DiscrepancyKind.AMOUNT_MISMATCH,
            object_key=f"charge:{receipt.provider}:{receipt.charge_id}",
            sentence=f"Charge {receipt.charge_id} is {facts.charge.amount_cents} {facts.charge.currency} at the"
            f" provider, and {receipt.amount_cents} {receipt.currency} here.",
            suggestion="Find out which is right: nothing of the answer was applied.",
            details={"receipt": receipt.pk},
        )
        return False
    return True


def _note_fee(receipt: Receipt, facts: ChargeFacts, asked_at: datetime) -> None:
    """What the provider kept; it may tell so only later."""
    if facts.movement is not None:
        apply_movement(facts.movement, provider=receipt.provider, livemode=receipt.livemode, receipt=receipt)
    receipt.is_fee_known = receipt.is_fee_known or facts.movement is not None
    receipt.checked_at = asked_at
    receipt.save(update_fields=["is_fee_known", "checked_at"])


def _tell_of_missing(receipt: Receipt) -> None:
    raise_once(
        kind=DiscrepancyKind.MISSING_AT_PROVIDER,
        object_key=f"charge:{receipt.provider}:{receipt.charge_id}",
        sentence=f"We have a receipt for charge {receipt.charge_id}, and {receipt.provider} knows no such charge.",
        suggestion="Check the key and the account; a receipt without a charge may be forged.",
        details={"receipt": receipt.pk},
    )
