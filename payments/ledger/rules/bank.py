"""The posting rules of banks: what an account held when its books begin, and what each line of a statement is.

`bank` is what the bank has; what is on the other side says what the line was.
"""

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.posting import Draft, Line
from payments.ledger.rules.facts import Sum, clearing, draft

# What banks keep stands beside what providers keep.
THE_BANK = "bank"
_BANK = AccountName(Kind.BANK)


def in_transit(provider: str) -> AccountName:
    """A provider's payout, until the bank has it."""
    return AccountName(Kind.BANK_IN_TRANSIT, provider=provider)


def in_hand(provider: str) -> AccountName:
    """Money that passed by hand, until the bank has it."""
    return clearing(provider)


def bank_fees() -> AccountName:
    """What the bank itself takes."""
    return AccountName(Kind.PROVIDER_FEES, provider=THE_BANK)


def not_ours() -> AccountName:
    """Another business of the house's."""
    return AccountName(Kind.NOT_OURS)


def account_opened(statement: int, money: Sum) -> Draft:
    """What was in the account before its first statement: none of these books' business."""
    return _draft(("bank_statement", str(statement)), "opened", money, not_ours())


def line_matched(match: int, other: AccountName, money: Sum) -> Draft:
    """The bank has it (or, below nothing, has it no more), and `other` has it no more."""
    return _draft(("bank_match", str(match)), "matched", money, other)


def match_undone(match: int, other: AccountName, money: Sum, reverses: int | None) -> Draft:
    """That was not what the line is: the same, turned round."""
    turned = Sum(-money.amount, money.currency, money.livemode, money.at)
    return _draft(("bank_match", str(match)), "match_undone", turned, other, reverses)


def _draft(source: tuple[str, str], event: str, money: Sum, other: AccountName, reverses: int | None = None) -> Draft:
    return draft(source, event, money, Line(_BANK, money.amount), Line(other, -money.amount), reverses=reverses)
