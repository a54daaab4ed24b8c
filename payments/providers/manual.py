"""Money that passes by hand: cash, cheque, bank transfer. Its truth are the records that two members of staff sign.

A payment is `processing` while its record waits for the second name, paid once it has it, and failed when it was
turned down. A refund is pending until its record is confirmed. Nothing is asked of anybody outside, nothing costs a
fee, and nobody is sent to a page: `create_session` is refused, and no news comes in.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from payments.models import ManualRecord, ManualState, MovementKind, ObjectKind, Provider, Refund, RefundState
from payments.providers import online_provider
from payments.providers.base import (
    Balance,
    BankPayoutFacts,
    Charge,
    ChargeFacts,
    ListedMovement,
    ListedObject,
    MovementFacts,
    Order,
    Origin,
    Page,
    RefundFacts,
    RefundOrder,
    RefundPhase,
    SessionFacts,
    SessionState,
    TransferFacts,
    TransferOrder,
)
from payments.providers.faults import NotThere, Rejected, SignatureInvalid
from payments.providers.notices import Notice

PHASES = {
    ManualState.RECORDED: RefundPhase.PENDING,
    ManualState.CONFIRMED: RefundPhase.SUCCEEDED,
    ManualState.REJECTED: RefundPhase.FAILED,
}
STATES = {
    ManualState.RECORDED: SessionState.PROCESSING,
    ManualState.CONFIRMED: SessionState.PAID,
    ManualState.REJECTED: SessionState.FAILED,
}
# Every record is named by what kind of thing it is and its number, here and in the books.
NAME = "manual_{}"
TURNED_DOWN = "turned_down"


def adapter() -> "ManualProvider":
    """The adapter; it holds nothing."""
    return ManualProvider()


def name_of(record: ManualRecord) -> str:
    """How payments, receipts and refunds refer to the record."""
    return NAME.format(record.pk)


class ManualProvider:
    """See `PaymentProvider` for what each method promises."""

    def __init__(self) -> None:
        self.name: str = Provider.MANUAL
        self.signature_header = ""

    @property
    def livemode(self) -> bool:
        """Of the mode of whoever is paid online beside it, so that one pot holds both; else real in production."""
        if settings.PAYMENT_PROVIDER == Provider.MANUAL:
            return bool(settings.OUTLAST_ENV == "production")
        return online_provider().livemode

    def create_session(self, order: Order) -> SessionFacts:
        """Refused: there is no page to pay on."""
        raise Rejected("nothing is paid online by hand")

    def find_session(self, *, ref: str, since: datetime, until: datetime) -> SessionFacts | None:
        """The record of that payment, of whatever time."""
        record = _records().filter(payment__ref=UUID(ref)).first()
        return None if record is None else self._session_of(record)

    def sessions_between(self, *, since: datetime, until: datetime) -> Iterator[SessionFacts]:
        """None that we do not know: a record is written here, or nowhere."""
        return iter(())

    def fetch(self, reference: str) -> SessionFacts:
        """What the record says at this moment."""
        return self._session_of(_record_named(reference, payment__isnull=False))

    def expire(self, reference: str) -> SessionFacts:
        """Money that is in hand does not expire: only a person turns a record down."""
        return self.fetch(reference)

    def fetch_charge(self, charge_id: str) -> ChargeFacts:
        """The confirmed money, and what was given back of it by hand."""
        record = _record_named(charge_id, payment__isnull=False, status=ManualState.CONFIRMED)
        refunds = _refunds().filter(provider=self.name, receipt__provider=self.name, receipt__charge_id=charge_id)
        return ChargeFacts(
            charge=_charge_of(record),
            livemode=_payment_livemode(record),
            movement=_movement_of(record, MovementKind.CHARGE, record.amount_cents),
            refunds=tuple(_facts_of(refund) for refund in _sent(refunds)),
        )

    def origin_of_charge(self, charge_id: str) -> Origin:
        """The payment that the record was written for."""
        payment = _record_named(charge_id, payment__isnull=False).payment
        if payment is None:
            raise NotThere(f"{charge_id} is of no payment")
        return Origin(
            ref=str(payment.ref),
            env=settings.OUTLAST_ENV,
            request_id=payment.request_id,
            pool_id=payment.request.pool_id,
            payment_id=payment.pk,
        )

    def create_refund(self, order: RefundOrder) -> RefundFacts:
        """What the refund's record says; pending until somebody has recorded, and another confirmed, the handover."""
        refund = _refunds().filter(pk=order.refund_id).first()
        if refund is None:
            raise Rejected(f"there is no refund {order.refund_id}")
        return _facts_of(refund)

    def find_refund(self, *, ref: str, charge_id: str) -> RefundFacts | None:
        """The same, by our own name for it."""
        refund = _refunds().filter(ref=UUID(ref)).first()
        return None if refund is None else _facts_of(refund)

    def create_transfer(self, order: TransferOrder) -> TransferFacts:
        """Refused: a prize is handed over by a person, and its record says so."""
        raise Rejected("a prize is handed over by hand")

    def find_transfer(self, *, ref: str) -> TransferFacts | None:
        """None."""
        return None

    def fetch_transfer(self, reference: str) -> TransferFacts:
        """None."""
        raise NotThere("a prize is handed over by hand")

    def fetch_payout(self, reference: str) -> BankPayoutFacts:
        """Nobody collects the money for us and pays it out."""
        raise NotThere("nothing is paid out to a bank")

    def movements_page(self, *, since: datetime, until: datetime, after: str | None) -> Page[ListedMovement]:
        """None: what passes by hand is written down here, or nowhere, so there is no other side to compare it with."""
        return Page()

    def objects_page(
        self, kind: ObjectKind, *, since: datetime, until: datetime, after: str | None
    ) -> Page[ListedObject]:
        """None either."""
        return Page()

    def movements_of_payout(self, reference: str, *, after: str | None) -> Page[ListedMovement]:
        """Nothing is paid out to a bank."""
        raise NotThere("nothing is paid out to a bank")

    def balance(self) -> Balance:
        """Nobody keeps it for us."""
        return Balance(self.livemode, {})

    def read_notice(self, body: bytes, signature: str) -> Notice:
        """Nobody brings news of it."""
        raise SignatureInvalid

    def fetch_notice(self, event_id: str) -> Notice:
        """None."""
        raise NotThere("nobody brings news of what passes by hand")

    def missed_notices(self, *, since: datetime) -> Iterator[Notice]:
        """None."""
        return iter(())

    def _session_of(self, record: ManualRecord) -> SessionFacts:
        payment = record.payment
        if payment is None:
            raise NotThere(f"{name_of(record)} is of no payment")
        return SessionFacts(
            reference=name_of(record),
            ref=str(payment.ref),
            state=STATES[ManualState(record.status)],
            livemode=payment.livemode,
            expires_at=None,
            failure=TURNED_DOWN if record.status == ManualState.REJECTED else "",
            charge=_charge_of(record) if record.status == ManualState.CONFIRMED else None,
        )


def _facts_of(refund: Refund) -> RefundFacts:
    record = getattr(refund, "manual_record", None)
    phase = RefundPhase.PENDING if record is None else PHASES[ManualState(record.status)]
    is_out = phase is RefundPhase.SUCCEEDED
    return RefundFacts(
        reference="" if record is None else name_of(record),
        ref=str(refund.ref),
        charge_id=refund.receipt.charge_id,
        phase=phase,
        amount_cents=refund.amount_cents,
        currency=refund.currency,
        livemode=refund.livemode,
        created_at=refund.created_at if record is None else record.passed_at,
        failure=TURNED_DOWN if phase is RefundPhase.FAILED else "",
        pending_reason="not_handed_over" if phase is RefundPhase.PENDING else "",
        movement=_movement_of(record, MovementKind.REFUND, -record.amount_cents) if record and is_out else None,
    )


def _records() -> QuerySet[ManualRecord]:
    return ManualRecord.objects.select_related("payment__request")


def _refunds() -> QuerySet[Refund]:
    return Refund.objects.select_related("manual_record", "receipt")


def _sent(refunds: QuerySet[Refund]) -> QuerySet[Refund]:
    """Those that are decided: a wish is not yet known to whoever moves the money."""
    return refunds.exclude(status__in=(RefundState.REQUESTED, RefundState.CANCELLED)).order_by("pk")


def _record_named(name: str, **narrowing: object) -> ManualRecord:
    number = name.removeprefix(NAME.format(""))
    found = _records().filter(pk=number, **narrowing).first() if number.isdecimal() and len(number) < 19 else None
    if found is None or name != name_of(found):
        raise NotThere(f"there is no record {name}")
    return found


def _charge_of(record: ManualRecord) -> Charge:
    return Charge(name_of(record), record.amount_cents, record.currency, record.passed_at)


def _payment_livemode(record: ManualRecord) -> bool:
    return record.payment is not None and record.payment.livemode


def _movement_of(record: ManualRecord, kind: MovementKind, amount_cents: int) -> MovementFacts:
    """No fee, in its own currency, at once."""
    return MovementFacts(
        reference=name_of(record),
        kind=kind,
        category=record.method,
        amount_cents=amount_cents,
        fee_cents=0,
        currency=record.currency,
        occurred_at=record.passed_at,
        available_at=record.passed_at,
    )
