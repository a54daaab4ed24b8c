"""Whether an account's statements follow from one another: each opens with what the one before closed with."""

from itertools import pairwise

from django.db import transaction

from config.money import format_amount
from payments.models import BankAccount, BankStatement, Discrepancy, DiscrepancyKind
from payments.models.discrepancy import OPEN_STATES
from payments.services.discrepancies import raise_once, settle_discrepancy


@transaction.atomic
def look_for_gaps(*, account_id: int) -> int:
    """Put every gap before a person, and close those that a statement has filled; how many there are."""
    account = BankAccount.objects.get(pk=account_id)
    statements = list(account.statements.order_by("last_on", "pk"))
    gaps = {
        after.key: (before, after)
        for before, after in pairwise(statements)
        if before.closing_cents != after.opening_cents
    }
    for before, after in gaps.values():
        _tell(account, before, after)
    told = Discrepancy.objects.filter(
        kind=DiscrepancyKind.STATEMENT_GAP,
        status__in=OPEN_STATES,
        object_key__in=[statement.key for statement in statements],
    )
    for key in told.values_list("object_key", flat=True):
        if key not in gaps:
            settle_discrepancy(
                kind=DiscrepancyKind.STATEMENT_GAP, object_key=key, resolution="The statements follow from one another."
            )
    return len(gaps)


def _tell(account: BankAccount, before: BankStatement, after: BankStatement) -> None:
    missing = after.opening_cents - before.closing_cents
    raise_once(
        kind=DiscrepancyKind.STATEMENT_GAP,
        object_key=after.key,
        sentence=(
            f"Statement {after.reference} of {account.name} opens with"
            f" {format_amount(after.opening_cents, account.currency)}; the one before, {before.reference}, closed with"
            f" {format_amount(before.closing_cents, account.currency)}."
        ),
        suggestion=f"Ask the bank for what is between {before.last_on} and {after.first_on}, and import it.",
        ours={"statement": before.reference, "closing_cents": before.closing_cents},
        theirs={"statement": after.reference, "opening_cents": after.opening_cents},
        amount_cents=missing,
        currency=account.currency,
        details={"account": account.name, "livemode": account.livemode},
    )
