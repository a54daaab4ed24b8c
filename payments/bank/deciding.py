"""Saying what a line is, and taking it back: by the machine where nothing else fits, or by a person who says why.

The matches of a line come to exactly what the line is. Each is booked in the transaction that makes it, and undone by
an entry that reverses it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts.models import User
from config.audit import attribute
from config.clock import ClockTimestamp
from config.constraints import constraint_of
from config.errors import Code, Conflict, NotFound, invalid
from config.phrases import Money, Name, phrase
from config.reasons import check_reason
from payments.bank.days import noon
from payments.bank.unmatched import tell_of_unmatched
from payments.ledger.accounts import AccountName
from payments.ledger.models import JournalEntry
from payments.ledger.posting import post
from payments.ledger.rules import Sum, bank
from payments.models import (
    BankLine,
    BankLineState,
    BankMatch,
    DiscrepancyKind,
    FoundBy,
    ManualRecord,
    ManualState,
    MatchKind,
    Payment,
    Payout,
    PayoutState,
    PrizeCorrection,
    Provider,
    ProviderPayout,
    Refund,
)
from payments.services.discrepancies import settle_discrepancy

MOST_TARGETS = 100
ONCE = frozenset({"bank_match_payout_once", "bank_match_record_once"})


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person says a line is: payouts, money by hand, and what the rest is where they are not all of it."""

    payout_ids: tuple[int, ...] = ()
    record_ids: tuple[int, ...] = ()
    rest: MatchKind | None = None


class DoesNotAddUp(Conflict):
    """What was chosen is not what the line is."""

    def __init__(self, line: BankLine, chosen: int) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase(
                "The line is {amount}; what was chosen comes to {chosen}.",
                amount=Money(line.amount_cents, line.currency),
                chosen=Money(chosen, line.currency),
            ),
            {"line_cents": line.amount_cents, "chosen_cents": chosen},
        )


class MatchedElsewhere(Conflict):
    """Another line is the same payout, or the same money by hand."""

    def __init__(self) -> None:
        super().__init__(Code.VERSION_CONFLICT, "One of them is matched with another line already.")


@transaction.atomic
def match_by_hand(*, line_id: int, choice: Choice, by: User, reason: str) -> BankLine:
    """Say what a line that waits is, and book it. The line as it is then.

    Refuses a line that is matched, what is of another currency or mode, what is matched with another line, and a
    choice that does not come to the line's amount.
    """
    reason = check_reason(reason)
    line = _locked(line_id, BankLineState.WAITING)
    matches = [*_payouts(line, choice.payout_ids), *_records(line, choice.record_ids)]
    chosen = sum(match.amount_cents for match in matches)
    rest = line.amount_cents - chosen
    if rest and choice.rest in (MatchKind.BANK_FEE, MatchKind.NOT_OURS):
        matches.append(BankMatch(line=line, kind=choice.rest, amount_cents=rest))
    elif rest or not matches:
        raise DoesNotAddUp(line, chosen)
    for match in matches:
        match.found_by, match.made_by, match.reason = FoundBy.PERSON, by, reason
    attribute(by=by, reason=reason)
    return _write(line, matches)


@transaction.atomic
def match_by_machine(*, line_id: int, found_by: FoundBy, payout_id: int | None, record_id: int | None) -> bool:
    """The same where only one thing fits; whether it still did."""
    line = _locked(line_id)
    if line.status != BankLineState.WAITING:
        return False
    matches = _payouts(line, () if payout_id is None else (payout_id,))
    matches += _records(line, () if record_id is None else (record_id,))
    if sum(match.amount_cents for match in matches) != line.amount_cents:
        return False
    for match in matches:
        match.found_by = found_by
    attribute(reason=f"found by {found_by}")
    try:
        with transaction.atomic():
            _write(line, matches)
    except MatchedElsewhere:
        return False
    return True


@transaction.atomic
def undo_match(*, line_id: int, by: User, reason: str) -> BankLine:
    """That is not what the line is: everything it was matched with is undone, and the line waits again.

    Refuses a line that waits, and no reason.
    """
    reason = check_reason(reason)
    line = _locked(line_id, BankLineState.MATCHED)
    attribute(by=by, reason=reason)
    for match in line.matches.locked().filter(undone_at=None).select_related("payout", "record"):
        booked = JournalEntry.objects.filter(source_type="bank_match", source_id=str(match.pk), event="matched")
        reverses = booked.values_list("pk", flat=True).first()
        post(bank.match_undone(match.pk, _other_side(match), _sum(line, match), reverses))
        match.undone_at, match.undone_by, match.undone_because = ClockTimestamp(), by, reason
        match.save(update_fields=["undone_at", "undone_by", "undone_because"])
    line.move_to(BankLineState.WAITING)
    line.save(update_fields=["status"])
    tell_of_unmatched(line, f"It was matched, and that was taken back: {reason}")
    return line


def _locked(line_id: int, status: BankLineState | None = None) -> BankLine:
    line = BankLine.objects.locked().select_related("account").filter(pk=line_id).first()
    if line is None:
        raise NotFound(Code.NOT_FOUND, "There is no such line.")
    if status is not None and line.status != status:
        raise Conflict(
            Code.INVALID_TRANSITION,
            phrase("The line is {status} already.", status=Name(line.status)),
            {"from": str(line.status)},
        )
    return line


def _payouts(line: BankLine, ids: Sequence[int]) -> list[BankMatch]:
    """Arriving with their own sign; one that is chosen against it goes back."""
    found = ProviderPayout.objects.filter(
        pk__in=_few(ids), currency=line.currency, livemode=line.account.livemode
    ).order_by("pk")
    if len(found) != len(set(ids)):
        raise invalid("provider_payouts", "One of them is not there, or of another currency or mode.")
    sign = 1 if line.amount_cents > 0 else -1
    # Several at once have their own signs: a collection of some that came and one that went.
    return [
        BankMatch(
            line=line,
            kind=MatchKind.PAYOUT,
            payout=payout,
            amount_cents=payout.amount_cents if len(found) > 1 else sign * abs(payout.amount_cents),
        )
        for payout in found
    ]


def _records(line: BankLine, ids: Sequence[int]) -> list[BankMatch]:
    """In or out as they passed; one of a prize that came back is chosen a second time, for the line that brings it."""
    found = (
        ManualRecord.objects.filter(pk__in=_few(ids), currency=line.currency, status=ManualState.CONFIRMED)
        .select_related("payment", "refund", "payout", "correction")
        .order_by("pk")
    )
    if len(found) != len(set(ids)):
        raise invalid("manual_records", "One of them is not there, not confirmed, or of another currency.")
    if any(_owner(record).livemode != line.account.livemode for record in found):
        raise invalid("manual_records", "One of them is of the other mode.")
    is_back = len(found) == 1 and line.amount_cents > 0 and _came_back(found[0])
    return [
        BankMatch(
            line=line,
            kind=MatchKind.BY_HAND,
            record=record,
            amount_cents=record.amount_cents if is_back or not _is_out(record) else -record.amount_cents,
        )
        for record in found
    ]


def _is_out(record: ManualRecord) -> bool:
    return record.refund_id is not None or record.payout_id is not None


def _came_back(record: ManualRecord) -> bool:
    return record.payout is not None and record.payout.status == PayoutState.RETURNED


def _few(ids: Sequence[int]) -> Sequence[int]:
    if len(ids) > MOST_TARGETS:
        raise invalid("line", phrase("A line is of {most} things at most.", most=MOST_TARGETS))
    return ids


def _write(line: BankLine, matches: Sequence[BankMatch]) -> BankLine:
    for match in matches:
        try:
            with transaction.atomic():
                match.save(force_insert=True)
        except IntegrityError as error:
            if constraint_of(error) not in ONCE:
                raise
            raise MatchedElsewhere from error
        post(bank.line_matched(match.pk, _other_side(match), _sum(line, match)))
        if match.payout is not None:
            settle_discrepancy(
                kind=DiscrepancyKind.PAYOUT_NOT_IN_BANK,
                object_key=match.payout.key,
                resolution=f"It is on the bank's statement of {line.booked_on}.",
            )
    line.move_to(BankLineState.MATCHED)
    line.save(update_fields=["status"])
    settle_discrepancy(
        kind=DiscrepancyKind.BANK_UNMATCHED, object_key=line.key, resolution="It is known what the line is."
    )
    return line


def _sum(line: BankLine, match: BankMatch) -> Sum:
    return Sum(match.amount_cents, line.currency, line.account.livemode, noon(line.booked_on))


def _other_side(match: BankMatch) -> AccountName:
    """The account that what a line is was on before."""
    if match.payout is not None:
        return bank.in_transit(match.payout.provider)
    if match.record is not None:
        return bank.in_hand(_provider_of(match.record))
    return bank.bank_fees() if match.kind == MatchKind.BANK_FEE else bank.not_ours()


def _owner(record: ManualRecord) -> Payment | Refund | Payout | PrizeCorrection:
    """What the record is of: exactly one of them."""
    owner = record.payment or record.refund or record.payout or record.correction
    if owner is None:
        raise LookupError(f"{record} is of nothing")
    return owner


def _provider_of(record: ManualRecord) -> str:
    """On whose account the money is until the bank has it; what a winner sends back comes by hand alone."""
    owner = _owner(record)
    return str(Provider.MANUAL) if isinstance(owner, PrizeCorrection) else owner.provider
