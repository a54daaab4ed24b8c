"""What a line of a statement may be, for a person to choose from: of its amount first, then the nearest in time."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, Func, Q, QuerySet, Value
from django.db.models.fields import BigIntegerField, DateField, IntegerField
from django.db.models.functions import Abs, Cast, TruncDate

from payments.models import BankLine, BankMatch, ManualRecord, ManualState, MatchKind, ProviderPayout

MOST = 25
# Older ones are found by the list of payouts, where somebody knows which.
NEAR = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Payouts and money by hand that no line is yet."""

    payouts: tuple[ProviderPayout, ...]
    records: tuple[ManualRecord, ...]


def candidates_of(line: BankLine) -> Candidates:
    """The likeliest first; at most `MOST` of each. The line's account is loaded."""
    return Candidates(tuple(_payouts(line)[:MOST]), tuple(_records(line)[:MOST]))


def _payouts(line: BankLine) -> QuerySet[ProviderPayout]:
    matched = BankMatch.objects.filter(kind=MatchKind.PAYOUT, undone_at=None, amount_cents__gt=0)
    if line.amount_cents < 0:
        matched = BankMatch.objects.filter(kind=MatchKind.PAYOUT, undone_at=None, amount_cents__lt=0)
    return (
        ProviderPayout.objects.filter(
            currency=line.currency,
            livemode=line.account.livemode,
            arrives_on__range=(line.booked_on - NEAR, line.booked_on + NEAR),
        )
        .exclude(bank_matches__in=matched)
        .annotate(off=_off(Abs("amount_cents"), line), days=_days(F("arrives_on"), line))
        .order_by("off", "days", "pk")
    )


def _records(line: BankLine) -> QuerySet[ManualRecord]:
    is_out = Q(refund__isnull=False) | Q(payout__isnull=False)
    return (
        ManualRecord.objects.filter(
            is_out if line.amount_cents < 0 else ~is_out,
            currency=line.currency,
            status=ManualState.CONFIRMED,
            passed_at__date__range=(line.booked_on - NEAR, line.booked_on + NEAR),
        )
        .exclude(bank_matches__in=BankMatch.objects.filter(kind=MatchKind.BY_HAND, undone_at=None))
        .annotate(off=_off(F("amount_cents"), line), days=_days(TruncDate("passed_at"), line))
        .order_by("off", "days", "pk")
    )


def _off(amount: Func | F, line: BankLine) -> Func:
    """How far from the line's amount."""
    return Abs(Cast(amount, BigIntegerField()) - Value(abs(line.amount_cents)))


def _days(day: Func | F, line: BankLine) -> Func:
    return Func(
        Cast(day, DateField()),
        Value(line.booked_on, DateField()),
        template="abs(%(expressions)s)",
        arg_joiner=" - ",
        output_field=IntegerField(),
    )
