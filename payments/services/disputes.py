"""Disputes, mirrored: what a bank says of a charge, and what that means for the place that was paid with it.

    opened     the money has left our balance: the entry is suspended (it plays on), somebody has to answer in time
    inquiry    nothing has moved: somebody has to answer, and that is all
    won        the money is back: the suspension is lifted
    lost       the money is gone: see `chargebacks` for who bears it, and what becomes of the place
    appealed   a lost one that is open again: what it had cost stays as it is until it is decided

Each call says how things stand, not what happened: the news may come in any order, and again.
"""

from datetime import datetime

from config import metrics
from config.audit import attribute
from config.clock import database_now
from config.money import format_amount
from entries.models import Entry
from entries.services.lost_places import lift_suspension, suspend_entry
from payments.models import DiscrepancyKind, Dispute, DisputeState, Receipt, ReceiptState
from payments.models.dispute import CLOSED_DISPUTES, INQUIRIES, TO_ANSWER, UNDECIDED
from payments.providers.base import DisputeFacts
from payments.services.chargebacks import bear_loss, expect_back, outstanding_of, recover_loss
from payments.services.discrepancies import raise_discrepancy, raise_once, settle_discrepancy
from payments.services.movements import apply_movement

DISPUTES = metrics.counter("disputes", "Disputes that came to a status.", ["status"])
MIRRORED = (
    "amount_cents", "status", "reason", "is_charge_refundable", "evidence_due_at", "closed_at", "checked_at",
)  # fmt: skip


def apply_dispute_facts(receipt: Receipt, facts: DisputeFacts, *, asked_at: datetime) -> Dispute:
    """Bring the dispute to where the provider has it, and money, place and tasks with it.

    In a transaction that holds pool, request, payment and receipt, as `lock_receipt` leaves them. `asked_at` is when
    the provider was asked, by our database's clock: an answer that was overtaken by a later one changes no status.
    """
    dispute, is_new = _known(receipt, facts)
    for leg in facts.movements:
        apply_movement(leg, provider=receipt.provider, livemode=receipt.livemode, receipt=receipt, dispute=dispute)
    if dispute.checked_at is None or dispute.checked_at <= asked_at:
        before = ("", None) if is_new else (dispute.status, dispute.evidence_due_at)
        _mirror(dispute, facts, asked_at)
        if (dispute.status, dispute.evidence_due_at) != before:
            DISPUTES.labels(dispute.status).inc()
            _tell(dispute, receipt, facts)
    _follow(dispute, receipt)
    return dispute


def doubt_twice(receipt: Receipt) -> None:
    """Put before a person that the player may have the money twice: from us, and through the bank. Once a receipt."""
    disputes = receipt.disputes.exclude(status__in=(*INQUIRIES, DisputeState.WON, DisputeState.PREVENTED))
    refunds = receipt.refunds.filter(is_paid=True)
    if disputes.exists() and refunds.exists():
        raise_once(
            kind=DiscrepancyKind.REFUND_AND_DISPUTE,
            object_key=f"receipt:{receipt.pk}",
            sentence=f"Charge {receipt.charge_id} was refunded, and is disputed as well.",
            suggestion="Answer the dispute with the proof of the refund, so that the bank does not pay a second time.",
            details={"receipt": receipt.pk},
        )


def _known(receipt: Receipt, facts: DisputeFacts) -> tuple[Dispute, bool]:
    """The row, locked; written down as it is if we did not know it. Whether it is new."""
    dispute, is_new = Dispute.objects.locked().get_or_create(
        provider=receipt.provider,
        provider_reference=facts.reference,
        defaults={
            "receipt": receipt,
            "livemode": receipt.livemode,
            "amount_cents": facts.amount_cents,
            "currency": facts.currency,
            "status": _status(facts),
            "reason": facts.reason[:60],
            "is_charge_refundable": facts.is_charge_refundable,
            "evidence_due_at": facts.evidence_due_at,
            "opened_at": facts.opened_at,
        },
    )
    dispute.receipt = receipt
    return dispute, is_new


def _status(facts: DisputeFacts) -> DisputeState:
    return DisputeState(facts.status) if facts.status in DisputeState.values else DisputeState.UNKNOWN


def _mirror(dispute: Dispute, facts: DisputeFacts, asked_at: datetime) -> None:
    dispute.amount_cents = facts.amount_cents
    dispute.status = _status(facts)
    dispute.reason = facts.reason[:60]
    dispute.is_charge_refundable = facts.is_charge_refundable
    dispute.evidence_due_at = facts.evidence_due_at
    dispute.closed_at = (dispute.closed_at or database_now()) if dispute.status in CLOSED_DISPUTES else None
    dispute.checked_at = asked_at
    dispute.save(update_fields=MIRRORED)


def _follow(dispute: Dispute, receipt: Receipt) -> None:
    """What the status means for the money and the place; nothing where that is done."""
    if dispute.status == DisputeState.LOST:
        bear_loss(dispute, receipt)
    elif dispute.status in (DisputeState.WON, DisputeState.PREVENTED):
        recover_loss(dispute, receipt)
        expect_back(dispute, receipt)
    if receipt.entry_id is not None:
        _align_suspension(Entry.objects.get(pk=receipt.entry_id), dispute)


def _align_suspension(entry: Entry, dispute: Dispute) -> None:
    """Suspended as long as any of the money that the entry stands on is disputed, by whichever dispute."""
    paying = Dispute.objects.filter(receipt__entry=entry, receipt__status=ReceiptState.ALLOCATED)
    open_ones = [one for one in paying.filter(status__in=(*UNDECIDED, DisputeState.UNKNOWN)) if _holds(one)]
    if open_ones:
        suspend_entry(entry=entry, by=None, reason=f"its payment is disputed ({dispute.provider_reference})")
    else:
        lift_suspension(entry=entry, by=None, reason=f"dispute {dispute.provider_reference} is {dispute.status}")
    if not dispute.has_suspended and any(one.pk == dispute.pk for one in open_ones):
        attribute(reason="suspended the entry")
        dispute.has_suspended = True
        dispute.save(update_fields=["has_suspended"])


def _holds(dispute: Dispute) -> bool:
    """Whether it is a real one. Of a status that we do not know, the money that moved tells."""
    return dispute.status != DisputeState.UNKNOWN or outstanding_of(dispute) > 0


def _tell(dispute: Dispute, receipt: Receipt, facts: DisputeFacts) -> None:
    """Whoever has to answer, and until when; closed once nobody has to."""
    key, amount = f"dispute:{dispute.pk}", format_amount(dispute.amount_cents, dispute.currency)
    details = {"dispute": dispute.pk, "receipt": receipt.pk, "status": facts.status, "reason": facts.reason}
    if dispute.status in TO_ANSWER:
        what = "A bank asks about" if dispute.status in INQUIRIES else "A bank has taken back"
        raise_discrepancy(
            kind=DiscrepancyKind.DISPUTE_DEADLINE,
            object_key=key,
            sentence=f"{what} {amount} of charge {receipt.charge_id}: {facts.reason or 'no reason given'}.",
            suggestion="Answer with evidence at the provider before the deadline; unanswered it is lost.",
            details=details,
            due_at=dispute.evidence_due_at,
        )
    else:
        settle_discrepancy(
            kind=DiscrepancyKind.DISPUTE_DEADLINE, object_key=key, resolution=f"It is {facts.status} now."
        )
    if dispute.status == DisputeState.UNKNOWN:
        raise_discrepancy(
            kind=DiscrepancyKind.DISPUTE_UNKNOWN,
            object_key=key,
            sentence=f"Dispute {dispute.provider_reference} of {amount} is {facts.status!r}, which is new to us.",
            suggestion="Look at the provider what it means. The entry is suspended as long as the money is gone.",
            details=details,
        )
    else:
        settle_discrepancy(
            kind=DiscrepancyKind.DISPUTE_UNKNOWN, object_key=key, resolution=f"It is {facts.status} now."
        )
