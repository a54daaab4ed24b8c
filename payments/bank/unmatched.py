"""Lines that wait, in the queue: each is before a person for as long as nobody knows what it is."""

from collections.abc import Sequence
from typing import Any

from config.money import format_amount
from payments.models import BankLine, Discrepancy, DiscrepancyKind, DiscrepancyState
from payments.services.discrepancies import RAISED, raise_discrepancy


def tell_of_unmatched(line: BankLine, why: str) -> None:
    """Put a line before a person, for as long as it waits."""
    raise_discrepancy(**_doubt(line, why))


def tell_of_all_unmatched(lines: Sequence[tuple[BankLine, str]]) -> None:
    """The same as a set, of lines that are not in the queue: a first statement has thousands that are not ours."""
    made = Discrepancy.objects.bulk_create(
        [Discrepancy(status=DiscrepancyState.OPEN, **_doubt(line, why)) for line, why in lines], ignore_conflicts=True
    )
    RAISED.labels(DiscrepancyKind.BANK_UNMATCHED).inc(len(made))


def _doubt(line: BankLine, why: str) -> dict[str, Any]:
    amount = format_amount(line.amount_cents, line.currency)
    return {
        "kind": DiscrepancyKind.BANK_UNMATCHED,
        "object_key": line.key,
        "sentence": f"{amount} of {line.booked_on} on the statement of {line.account.name}: {why}"[:500],
        "suggestion": "Say on the line's page what it is.",
        "theirs": {
            "amount_cents": line.amount_cents,
            "booked_on": line.booked_on.isoformat(),
            "text": line.text[:200],
            "counterparty": line.counterparty,
            "trace_id": line.trace_id,
        },
        "amount_cents": line.amount_cents,
        "currency": line.currency,
        "details": {"account": line.account.name, "livemode": line.account.livemode},
    }
