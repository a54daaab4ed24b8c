"""What is written of each passing of money, by whom, and the name of a second person beside it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import User
from config.audit import attribute
from config.clock import ClockTimestamp
from config.constraints import constraint_of
from config.errors import Code, Conflict, Forbidden, NotFound, invalid
from config.phrases import Name, phrase
from payments.models import ManualMethod, ManualRecord, ManualState, Payment, Payout, PrizeCorrection, Refund
from payments.services.manual.evidence import Scan, check_scans, keep_scans

LONGEST_REFERENCE, LONGEST_NOTE = 100, 500
# Cash has a receipt of its own number at most; of these two a paper or a file exists.
SHOWN_BY_EVIDENCE = (ManualMethod.CHEQUE, ManualMethod.TRANSFER)
ONCE = "manual_reference_unique"


@dataclass(frozen=True, slots=True)
class Handover:
    """How money passed: by which method, under which number, when, and what shows it."""

    method: str
    reference: str
    passed_at: datetime
    note: str = ""
    evidence: tuple[Scan, ...] = ()


class ReferenceUsed(Conflict):
    """The number stands on another record, so the same money would count twice."""

    def __init__(self, other: ManualRecord) -> None:
        super().__init__(
            Code.REFERENCE_USED,
            phrase(
                "{method} {reference} is recorded already: record {other}, by {recorded_by}.",
                method=Name(other.get_method_display()),
                reference=other.reference,
                other=other.pk,
                recorded_by=other.recorded_by.display_name,
            ),
            {"record": other.pk},
        )


def check_handover(handover: Handover, *, now: datetime) -> None:
    """Refuses an unknown method, a reference of no or too many characters, the future, and missing evidence."""
    if handover.method not in ManualMethod.values:
        raise invalid("method", phrase("Must be one of {choices}.", choices=", ".join(ManualMethod.values)))
    if not 0 < len(_plain(handover.reference)) <= LONGEST_REFERENCE:
        raise invalid(
            "reference", phrase("Give the number of the money, in 1 to {most} characters.", most=LONGEST_REFERENCE)
        )
    if len(handover.note) > LONGEST_NOTE:
        raise invalid("note", phrase("At most {most} characters.", most=LONGEST_NOTE))
    if handover.passed_at > now:
        raise invalid("passed_at", "Money that has not passed yet is not recorded.")
    check_scans(handover.evidence)
    if handover.method in SHOWN_BY_EVIDENCE and not handover.evidence:
        raise invalid(
            "evidence",
            phrase(
                "A {method} is recorded with a scan of it.", method=Name(ManualMethod(handover.method).label.lower())
            ),
        )


def write_record(
    *,
    handover: Handover,
    amount_cents: int,
    currency: str,
    by: User,
    payment: Payment | None = None,
    refund: Refund | None = None,
    payout: Payout | None = None,
    correction: PrizeCorrection | None = None,
) -> ManualRecord:
    """Write it down, in the caller's transaction, for a second person to confirm. It was checked before.

    Raises `ReferenceUsed` where the number stands on a record that was not turned down, also one of this moment.
    """
    reference = _plain(handover.reference)
    attribute(by=by, reason=f"recorded {handover.method} {reference}")
    try:
        with transaction.atomic():
            record = ManualRecord.objects.create(
                payment=payment,
                refund=refund,
                payout=payout,
                correction=correction,
                method=handover.method,
                reference=reference,
                amount_cents=amount_cents,
                currency=currency,
                passed_at=handover.passed_at,
                note=handover.note.strip(),
                recorded_by=by,
            )
    except IntegrityError as error:
        if constraint_of(error) != ONCE:
            raise
        raise ReferenceUsed(_standing(handover.method, reference)) from error
    keep_scans(record, handover.evidence, by=by)
    return record


def lock_record(record_id: int) -> ManualRecord:
    """The record, held until the end of the transaction. Raises NOT_FOUND."""
    record = ManualRecord.objects.locked().filter(pk=record_id).first()
    if record is None:
        raise NotFound(Code.NOT_FOUND, "There is no such record.")
    return record


def sign(record: ManualRecord, *, status: ManualState, by: User, reason: str = "") -> ManualRecord:
    """Put the second name under a locked record.

    Refuses the name that stands on it already, the player whose money it is, and a record that is decided.
    """
    if by.pk == record.recorded_by_id:
        raise Forbidden(Code.FORBIDDEN, "You recorded it yourself: somebody else confirms it or turns it down.")
    if by.pk == player_id_of(record):
        raise Forbidden(Code.FORBIDDEN, "It is your own money: somebody else decides about it.")
    attribute(by=by, reason=reason or f"confirmed {record}")
    record.move_to(status)
    record.decided_by, record.decided_at, record.decision_reason = by, ClockTimestamp(), reason
    record.save(update_fields=["status", "decided_by", "decided_at", "decision_reason"])
    record.refresh_from_db(fields=["decided_at"])
    return record


def player_id_of(record: ManualRecord) -> int | None:
    """Whose money it is."""
    if record.payment is not None:
        return record.payment.request.user_id
    if record.refund is not None:
        return record.refund.receipt.payment.request.user_id
    about = record.payout or record.correction
    return None if about is None else about.player_id


def _standing(method: str, reference: str) -> ManualRecord:
    records = ManualRecord.objects.select_related("recorded_by").exclude(status=ManualState.REJECTED)
    return records.get(method=method, reference=reference)


def _plain(text: str) -> str:
    """Without blanks around it, and one where there are several: the same number is the same however it was typed."""
    return " ".join(text.split())
