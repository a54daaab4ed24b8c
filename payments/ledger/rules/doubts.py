"""What people decide about money that nobody could explain."""

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.posting import Draft, Line
from payments.ledger.rules.facts import Sum, draft


def written_off(discrepancy: int, account: AccountName, money: Sum) -> Draft:
    """Two people gave up looking: what lies on the account (debits positive) is the house's loss, or its gain."""
    return draft(
        ("discrepancy", str(discrepancy)), "written_off", money,
        Line(AccountName(Kind.WRITE_OFFS), money.amount), Line(account, -money.amount),
    )  # fmt: skip


def found_foreign(discrepancy: int, account: AccountName, money: Sum) -> Draft:
    """What lies on the account (debits positive) is another business's money, which passed through our hands."""
    return draft(
        ("discrepancy", str(discrepancy)), "marked_foreign", money,
        Line(AccountName(Kind.NOT_OURS), money.amount), Line(account, -money.amount),
    )  # fmt: skip


def found_ours(discrepancy: int, account: AccountName, money: Sum, reverses: int) -> Draft:
    """It is ours after all, and lies where it lay."""
    return draft(
        ("discrepancy", str(discrepancy)), "found_ours", money,
        Line(account, money.amount), Line(AccountName(Kind.NOT_OURS), -money.amount), reverses=reverses,
    )  # fmt: skip
