"""What a line of a statement may be, for a person to choose from: of its amount first, then the nearest in time."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import F, Func, Q, QuerySet, Value
from django.db.models.fields import BigIntegerField, DateField, IntegerField
from django.db.models.functions import Abs, Cast, TruncDate

from payments.bank.days import noon
from payments.models import (
    BankLine,
    BankMatch,
    ManualRecord,
    ManualState,
    MatchKind,
    PayoutState,
    ProviderPayout,
)
from payments.models.manual import SUBJECTS

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
    return (
        ProviderPayout.objects.filter(
            currency=line.currency,
            livemode=line.account.livemode,
            arrives_on__range=(line.booked_on - NEAR, line.booked_on + NEAR),
        )
        .exclude(bank_matches__in=_matched(line, MatchKind.PAYOUT))
        .annotate(off=_off(Abs("amount_cents"), line), days=_days(F("arrives_on"), line))
        .order_by("off", "days", "pk")
    )


def _records(line: BankLine) -> QuerySet[ManualRecord]:
    is_out = Q(refund__isnull=False) | Q(payout__isnull=False)
    came_back = Q(payout__status=PayoutState.RETURNED)
    return (
        ManualRecord.objects.filter(
            is_out if line.amount_cents < 0 else ~is_out | came_back,
            _of_mode(line),
            currency=line.currency,
            status=ManualState.CONFIRMED,
            passed_at__range=(noon(line.booked_on - NEAR), noon(line.booked_on + NEAR)),
        )
        .exclude(bank_matches__in=_matched(line, MatchKind.BY_HAND))
        .annotate(
            off=_off(F("amount_cents"), line),
            days=_days(TruncDate("passed_at", tzinfo=settings.FINANCE_TIME_ZONE), line),
        )
        .order_by("off", "days", "pk")
    )


def _matched(line: BankLine, kind: MatchKind) -> QuerySet[BankMatch]:
    """What went the line's way already; the other way, it may still go back."""
    standing = BankMatch.objects.filter(kind=kind, undone_at=None)
    return standing.filter(amount_cents__gt=0) if line.amount_cents > 0 else standing.filter(amount_cents__lt=0)


def _of_mode(line: BankLine) -> Q:
    return Q(*((f"{subject}__livemode", line.account.livemode) for subject in SUBJECTS), _connector=Q.OR)


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
