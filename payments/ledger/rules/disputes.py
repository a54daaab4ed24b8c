"""What banks take back, and who bears it."""

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.posting import Draft, Line
from payments.ledger.rules.facts import UNALLOCATED, Sum, clearing, draft


def dispute_withdrawn(provider: str, movement: str, fee: int, money: Sum) -> Draft:
    """The bank took the money, and the provider a fee, until the dispute is decided."""
    return draft(
        ("movement", f"{provider}:{movement}"), "dispute_withdrawn", money,
        Line(AccountName(Kind.DISPUTES_RECEIVABLE, provider=provider), money.amount),
        Line(AccountName(Kind.DISPUTE_FEES, provider=provider), fee),
        Line(clearing(provider), -money.amount - fee),
    )  # fmt: skip


def dispute_reinstated(provider: str, movement: str, fee_returned: int, money: Sum) -> Draft:
    """The dispute was won: the money is back, the fee only where the provider says so."""
    return draft(
        ("movement", f"{provider}:{movement}"), "dispute_reinstated", money,
        Line(clearing(provider), money.amount + fee_returned),
        Line(AccountName(Kind.DISPUTES_RECEIVABLE, provider=provider), -money.amount),
        Line(AccountName(Kind.DISPUTE_FEES, provider=provider), -fee_returned),
    )  # fmt: skip


def dispute_fee_taken(provider: str, movement: str, money: Sum) -> Draft:
    """The fee of a dispute that is settled in another currency than its charge (or, if negative, its return)."""
    return draft(
        ("movement", f"{provider}:{movement}"), "dispute_fee", money,
        Line(AccountName(Kind.DISPUTE_FEES, provider=provider), money.amount),
        Line(clearing(provider), -money.amount),
    )  # fmt: skip


def dispute_lost(dispute: str, provider: str, money: Sum, *, from_unallocated: int) -> Draft:
    """The money is gone: so much of it comes out of money that has no place, the house bears the rest."""
    return draft(
        ("dispute", f"{provider}:{dispute}"), "lost", money,
        Line(UNALLOCATED, from_unallocated),
        Line(AccountName(Kind.CHARGEBACK_LOSS), money.amount - from_unallocated),
        Line(AccountName(Kind.DISPUTES_RECEIVABLE, provider=provider), -money.amount),
    )  # fmt: skip


def dispute_recovered(dispute: str, provider: str, money: Sum, reverses: int | None, *, to_unallocated: int) -> Draft:
    """A lost dispute was won after all, on appeal: each has back what it had lost."""
    return draft(
        ("dispute", f"{provider}:{dispute}"), "recovered", money,
        Line(AccountName(Kind.DISPUTES_RECEIVABLE, provider=provider), money.amount),
        Line(UNALLOCATED, -to_unallocated),
        Line(AccountName(Kind.CHARGEBACK_LOSS), to_unallocated - money.amount), reverses=reverses,
    )  # fmt: skip


def chargeback_recovered(receipt: int, money: Sum) -> Draft:
    """The pool of a lost payment was cancelled: its fee left the pot, and makes good what the house had lost."""
    return draft(
        ("receipt", str(receipt)), "chargeback_recovered", money,
        Line(UNALLOCATED, money.amount), Line(AccountName(Kind.CHARGEBACK_LOSS), -money.amount),
    )  # fmt: skip
