"""Payouts that the bank should have by now: a provider that says "paid" is believed when the bank says so as well."""

from datetime import date

from django.db.models import Max, Min

from config.clock import database_now, finance_date
from config.money import format_amount
from payments.bank.days import add_business_days
from payments.models import (
    BankAccount,
    BankMatch,
    BankStatement,
    DiscrepancyKind,
    MatchKind,
    ProviderPayout,
    ProviderPayoutState,
)
from payments.services.discrepancies import raise_once

# After the day on which it should arrive.
PATIENCE = 5


def look_for_overdue_payouts(*, today: date | None = None) -> int:
    """Put before a person what is not in the bank five business days after its day; how many there are.

    Where no account of the currency is kept here, nobody can know. What a person has dealt with is not told again.
    """
    today = today or finance_date(database_now())
    kept = set(BankAccount.objects.filter(is_active=True).values_list("currency", "livemode"))
    covered = _covered()
    overdue = [
        payout
        for payout in ProviderPayout.objects.filter(arrives_on__lt=add_business_days(today, -PATIENCE))
        .exclude(status=ProviderPayoutState.FAILED)
        .exclude(bank_matches__in=BankMatch.objects.filter(kind=MatchKind.PAYOUT, undone_at=None))
        .order_by("pk")
        if (payout.currency, payout.livemode) in kept
    ]
    for payout in overdue:
        _tell(payout, covered.get((payout.currency, payout.livemode)))
    return len(overdue)


def _covered() -> dict[tuple[str, bool], tuple[date, date]]:
    """From which day to which there are statements, of each currency and mode."""
    of_each = BankStatement.objects.order_by().values_list("account__currency", "account__livemode")
    rows = of_each.annotate(first=Min("first_on"), last=Max("last_on"))
    return {(currency, livemode): (first, last) for currency, livemode, first, last in rows}


def _tell(payout: ProviderPayout, covered: tuple[date, date] | None) -> None:
    amount = format_amount(payout.amount_cents, payout.currency)
    is_seen = covered is not None and covered[0] <= payout.arrives_on <= covered[1]
    raise_once(
        kind=DiscrepancyKind.PAYOUT_NOT_IN_BANK,
        object_key=payout.key,
        sentence=f"{amount} of {payout.provider} should have been in the bank on {payout.arrives_on}, and "
        + ("no statement shows it." if is_seen else f"there is no statement of that day: {_days_of(covered)}."),
        suggestion=f"Ask {payout.provider} with the trace id {payout.trace_id or '(none yet)'}, and the bank."
        if is_seen
        else "Import the bank's statements of these days.",
        ours={
            "amount_cents": payout.amount_cents,
            "arrives_on": payout.arrives_on.isoformat(),
            "status": payout.status,
        },
        theirs={
            "statements_begin": None if covered is None else covered[0].isoformat(),
            "statements_end": None if covered is None else covered[1].isoformat(),
        },
        amount_cents=payout.amount_cents,
        currency=payout.currency,
        details={"provider": payout.provider, "livemode": payout.livemode},
    )


def _days_of(covered: tuple[date, date] | None) -> str:
    return "none was imported" if covered is None else f"they are of {covered[0]} to {covered[1]}"
