"""What becomes of money, or of a waived fee, when a place is given and taken."""

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.posting import Draft, Line
from payments.ledger.rules.facts import UNALLOCATED, Fee, Sum, draft


def place_paid(receipt: int, fee: Fee, money: Sum) -> Draft:
    """Received money became the price of a place, or of a return."""
    return draft(("receipt", str(receipt)), "allocated", money, Line(UNALLOCATED, fee.whole), *_into_pot(fee))


def place_taken(receipt: int, fee: Fee, money: Sum, reverses: int | None) -> Draft:
    """The place is gone and its fee has left the pot: it is money without a place again."""
    lines = (Line(line.account, -line.amount) for line in (Line(UNALLOCATED, fee.whole), *_into_pot(fee)))
    return draft(("receipt", str(receipt)), "place_taken", money, *lines, reverses=reverses)


def fee_waived(request: int, fee: Fee, money: Sum, *, is_import: bool = False) -> Draft:
    """Nobody paid: the house puts into the pot what the fee would have; of an import, what was collected elsewhere."""
    kind = Kind.OPENING_EQUITY if is_import else Kind.WAIVED_FEES
    return draft(
        ("request", str(request)), "waived", money,
        Line(AccountName(kind, pool_id=fee.pool_id), fee.pot), Line(AccountName(Kind.PRIZE_POT, fee.pool_id), -fee.pot),
    )  # fmt: skip


def waived_place_taken(request: int, fee: Fee, money: Sum, reverses: int | None, *, is_import: bool = False) -> Draft:
    """A place that nobody paid for is gone: the pot gives the house its part back."""
    kind = Kind.OPENING_EQUITY if is_import else Kind.WAIVED_FEES
    return draft(
        ("request", str(request)), "waiver_taken", money,
        Line(AccountName(Kind.PRIZE_POT, fee.pool_id), fee.pot), Line(AccountName(kind, pool_id=fee.pool_id), -fee.pot),
        reverses=reverses,
    )  # fmt: skip


def _into_pot(fee: Fee) -> tuple[Line, Line]:
    return (
        Line(AccountName(Kind.PRIZE_POT, fee.pool_id), -fee.pot),
        Line(AccountName(Kind.FEE_REVENUE, fee.pool_id), -fee.house),
    )
