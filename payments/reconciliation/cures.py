"""How each thing is healed: by the routine that already answers for it, asked once more.

What is to be healed is named by a word and its number or name: `payment:12`, `receipt:7`, `dispute:4`, `refund:3`,
`entry:5`, `prize:9` (the number of a payout to a winner), `charge:ch_1`, `session:cs_1`, `movement:txn_1`,
`payout:po_1`, `transfer:tr_1`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from payments.models import (
    Discrepancy,
    DiscrepancyKind,
    Dispute,
    Movement,
    Payment,
    PaymentState,
    Receipt,
    ReceiptState,
    ReconciliationRun,
    StagedMovement,
)
from payments.providers import provider_named, provider_names
from payments.providers.base import Origin
from payments.providers.faults import NotThere
from payments.reconciliation.dispositions import Heal, disposition
from payments.reconciliation.strays import book_stray, correct_fee
from payments.reconciliation.suspensions import suspend_unpaid
from payments.services.adoption import Adopted, adopt_by_origin, adopt_session
from payments.services.allocating import NotAllocated, allocate_again
from payments.services.charge_state import apply_charge_state
from payments.services.discrepancies import settle_discrepancy
from payments.services.movements import apply_payout_state
from payments.services.payout_items import reconcile_payout
from payments.services.provider_state import Source, apply_provider_state
from payments.services.refunds.decisions import lock_receipt
from payments.services.refunds.sending import ask_about as ask_about_refund
from payments.services.refunds.unapplied import return_or_hold
from payments.services.winners.mirroring import apply_transfer
from payments.services.winners.sending import ask_about as ask_about_prize

# A session is paid within a day of its opening; clocks differ by minutes.
SESSIONS_LIVE = timedelta(hours=25)
CLOCKS_DRIFT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the queue, with the name of what it is about."""

    row: Discrepancy
    provider: str
    name: str
    run: ReconciliationRun | None = None


def cure(run: ReconciliationRun, row: Discrepancy) -> None:
    """Heal what the row is about, as its kind says. Raises whatever the routine raises."""
    word, _, name = str(row.details["target"]).partition(":")
    case = Case(row, run.provider, name, run)
    if disposition(row.kind).heal is Heal.ALLOCATE:
        _allocate(int(name))
    else:
        _CURES[word](case)


def ask_again(row: Discrepancy) -> bool:
    """Ask the provider about what a row of the queue is about, and apply its answer; whether anybody can be asked.

    For staff, one at a time. Raises `ProviderError`, and what the routines refuse; nothing has changed then.
    """
    provider, target = _about(row)
    word, _, name = target.partition(":")
    if word not in _ASKED or (word in _BY_NUMBER and not name.isdecimal()):
        return False
    _CURES[word](Case(row, provider, name))
    return True


def _about(row: Discrepancy) -> tuple[str, str]:
    """Whom to ask, and about what: the row's target, else what it is called by."""
    of_row = str(row.details.get("provider") or settings.PAYMENT_PROVIDER)
    if row.details.get("target"):
        provider, (word, _, name) = of_row, str(row.details["target"]).partition(":")
    else:
        provider, word, name = _named(row.object_key, of_row)
    if word == "payment" and not name.isdecimal():
        # One that is not here: what the provider calls it stands among the details.
        return provider, _of_missing(row)
    if word == "movement":
        movement = Movement.objects.filter(provider=provider, reference=name, receipt__isnull=False).first()
        return provider, "" if movement is None else f"receipt:{movement.receipt_id}"
    if word == "prize":
        name = str(row.details.get("payout", ""))
    return provider, f"{word}:{name}"


def _named(key: str, provider: str) -> tuple[str, str, str]:
    """`charge:stripe:ch_1` is of stripe, `dispute:4:won` of dispute 4."""
    word, first, *rest = (*key.split(":", 2), "")
    if first in provider_names():
        return first, word, rest[0]
    return provider, word, first


def _of_missing(row: Discrepancy) -> str:
    session = row.details.get("session") or row.details.get("reference")
    charge = row.details.get("charge")
    if isinstance(session, str) and session:
        return f"session:{session}"
    name = charge.get("id") if isinstance(charge, dict) else charge
    return f"charge:{name}" if name else ""


def _payment(case: Case) -> None:
    """What became of it, and of its charge. A session that nobody wants any more is ended."""
    payment = Payment.objects.get(pk=int(case.name))
    is_over = payment.status in (PaymentState.CANCELLED, PaymentState.FAILED)
    reference = payment.provider_reference or (_session_of(payment) if is_over else "")
    apply_provider_state(payment_id=payment.pk, source=Source.RECONCILE, reference=reference, end=is_over)
    _charges_of(payment.pk)


def _session_of(payment: Payment) -> str:
    """A session whose name we never heard."""
    found = provider_named(payment.provider).find_session(
        ref=str(payment.ref), since=payment.created_at - CLOCKS_DRIFT, until=payment.created_at + SESSIONS_LIVE
    )
    return "" if found is None else found.reference


def _receipt(case: Case) -> None:
    apply_charge_state(receipt_id=int(case.name), source=Source.RECONCILE)


def _dispute(case: Case) -> None:
    dispute = Dispute.objects.get(pk=int(case.name))
    apply_charge_state(receipt_id=dispute.receipt_id, source=Source.RECONCILE)


def _refund(case: Case) -> None:
    ask_about_refund(refund_id=int(case.name), source=Source.RECONCILE)


def _prize(case: Case) -> None:
    ask_about_prize(payout_id=int(case.name), source=Source.RECONCILE)


def _charge(case: Case) -> None:
    """What became of a charge; one that is not here is brought back with its payment."""
    receipt = Receipt.objects.filter(provider=case.provider, charge_id=case.name).first()
    if receipt is None:
        receipt = _bring_back(case)
    if receipt is not None:
        apply_charge_state(receipt_id=receipt.pk, source=Source.RECONCILE)


def _bring_back(case: Case) -> Receipt | None:
    """The receipt of a charge of ours that was not here; None where it bears no mark, or has no request any more."""
    origin = _origin(case.provider, case.name)
    if origin is None:
        return None
    adopted = adopt_by_origin(
        provider=case.provider, origin=origin, session="", charge=case.name, at=None, source=Source.RECONCILE
    )
    _settle(case, adopted)
    staged = StagedMovement.objects.filter(run_id=case.run.pk, charge_id=case.name, kind="charge") if case.run else None
    receipt = Receipt.objects.filter(provider=case.provider, charge_id=case.name).first()
    if receipt is None and adopted is not None and staged is not None:
        for movement in staged:
            book_stray(movement, provider=case.provider)
    return receipt


def _origin(provider: str, charge_id: str) -> Origin | None:
    """Whose payment a charge is; None where it is not one of this environment."""
    if not charge_id:
        return None
    try:
        origin = provider_named(provider).origin_of_charge(charge_id)
    except NotThere:
        return None
    return origin if origin.ref and origin.env == settings.OUTLAST_ENV else None


def _session(case: Case) -> None:
    adopted = adopt_session(
        provider=case.provider, facts=provider_named(case.provider).fetch(case.name), source=Source.RECONCILE
    )
    _settle(case, adopted)
    payment = Payment.objects.filter(provider=case.provider, provider_reference=case.name).first()
    if payment is not None:
        _charges_of(payment.pk)


def _settle(case: Case, adopted: Adopted | None) -> None:
    if adopted is not None and adopted.is_whole:
        settle_discrepancy(
            kind=DiscrepancyKind(case.row.kind), object_key=case.row.object_key, resolution=adopted.sentence
        )


def _charges_of(payment_id: int) -> None:
    for receipt_id in Receipt.objects.filter(payment_id=payment_id).values_list("pk", flat=True):
        apply_charge_state(receipt_id=receipt_id, source=Source.RECONCILE)


def _movement(case: Case) -> None:
    """A movement that nobody knows, or whose fee is another one. Of a charge of ours, the charge is brought back."""
    if case.run is None:
        return
    found = StagedMovement.objects.filter(run_id=case.run.pk, reference=case.name).first()
    if found is None:
        return
    if case.row.kind == DiscrepancyKind.FEE_CHANGED:
        correct_fee(found, provider=case.provider)
        return
    if Movement.objects.filter(provider=case.provider, reference=case.name).exists():
        # Booked by a run that was cut off right after.
        return
    if found.kind != "charge" and _comes_with_its_charge(case, found):
        return
    if book_stray(found, provider=case.provider):
        resolution = f"It bears the mark of {found.env}, and is booked as not ours."
        settle_discrepancy(kind=DiscrepancyKind(case.row.kind), object_key=case.row.object_key, resolution=resolution)


def _comes_with_its_charge(case: Case, found: StagedMovement) -> bool:
    """Whether the charge behind it is ours after all, older than what was read: then it brings its refunds with it."""
    receipt = Receipt.objects.filter(provider=case.provider, charge_id=found.charge_id).first()
    if receipt is None and _origin(case.provider, found.charge_id) is not None:
        receipt = _bring_back(Case(case.row, case.provider, found.charge_id, case.run))
    if receipt is None:
        return False
    apply_charge_state(receipt_id=receipt.pk, source=Source.RECONCILE)
    return Movement.objects.filter(provider=case.provider, reference=found.reference).exists()


def _payout(case: Case) -> None:
    """To our bank. A person who asks has its items looked at as well; a run leaves them to the night's."""
    look = reconcile_payout if case.run is None else apply_payout_state
    look(provider=case.provider, reference=case.name)


def _transfer(case: Case) -> None:
    """A prize on its way. What is none of ours is a movement like any other."""
    if apply_transfer(provider=case.provider, reference=case.name, source=Source.RECONCILE) is not None:
        return
    if case.run is not None:
        for found in StagedMovement.objects.filter(run_id=case.run.pk, source_id=case.name):
            book_stray(found, provider=case.provider)


def _entry(case: Case) -> None:
    suspend_unpaid(entry_id=int(case.name))


def _allocate(receipt_id: int) -> None:
    """Make it a place; what can be none goes back by itself, or is put before a person as what it is."""
    try:
        allocate_again(receipt_id=receipt_id, reason="tried again by the reconciliation")
    except NotAllocated:
        with transaction.atomic():
            receipt = lock_receipt(receipt_id)
            if receipt.status == ReceiptState.UNAPPLIED:
                return_or_hold(receipt=receipt, because=receipt.unapplied_because)


_CURES: dict[str, Callable[[Case], None]] = {
    "payment": _payment,
    "receipt": _receipt,
    "dispute": _dispute,
    "refund": _refund,
    "prize": _prize,
    "charge": _charge,
    "session": _session,
    "movement": _movement,
    "payout": _payout,
    "transfer": _transfer,
    "entry": _entry,
}
# What a person may have asked about; the others change what is ours alone.
_ASKED = frozenset(_CURES) - {"entry", "movement"}
_BY_NUMBER = frozenset({"payment", "receipt", "dispute", "refund", "prize"})
