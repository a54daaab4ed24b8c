"""What moves at a provider: charges, its fees, conversions, its payouts, and what nothing explains."""

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.posting import Draft, Line
from payments.ledger.rules.facts import UNALLOCATED, Sum, clearing, draft


def charge_received(provider: str, charge_id: str, money: Sum) -> Draft:
    """Money arrived; what for is a second question."""
    return draft(
        ("charge", f"{provider}:{charge_id}"), "received", money,
        Line(clearing(provider), money.amount), Line(UNALLOCATED, -money.amount),
    )  # fmt: skip


def fee_taken(provider: str, movement: str, money: Sum) -> Draft:
    """The provider kept a fee (or, if negative, gave one back)."""
    return draft(
        ("movement", f"{provider}:{movement}"), "fee", money,
        Line(AccountName(Kind.PROVIDER_FEES, provider=provider), money.amount),
        Line(clearing(provider), -money.amount),
    )  # fmt: skip


def fee_corrected(provider: str, movement: str, number: int, money: Sum, *, of_dispute: bool) -> Draft:
    """The provider names another fee than is booked: the difference, `number` counting such corrections."""
    kind = Kind.DISPUTE_FEES if of_dispute else Kind.PROVIDER_FEES
    return draft(
        ("movement", f"{provider}:{movement}"), f"fee_corrected_{number}", money,
        Line(AccountName(kind, provider=provider), money.amount), Line(clearing(provider), -money.amount),
    )  # fmt: skip


def converted(provider: str, movement: str, given: Sum, got: Sum) -> tuple[Draft, Draft]:
    """The provider turned money of one currency into another's: one entry in each."""
    exchange = AccountName(Kind.CONVERSION, provider=provider)
    source = ("movement", f"{provider}:{movement}")
    return (
        draft(source, "converted_from", given, Line(exchange, given.amount), Line(clearing(provider), -given.amount)),
        draft(source, "converted_to", got, Line(clearing(provider), got.amount), Line(exchange, -got.amount)),
    )


def moved_for_others(provider: str, movement: str, money: Sum) -> Draft:
    """The balance moved for another business or environment of the house's, which said so on what it made."""
    return draft(
        ("movement", f"{provider}:{movement}"), "for_others", money,
        Line(clearing(provider), money.amount), Line(AccountName(Kind.NOT_OURS), -money.amount),
    )  # fmt: skip


def provider_payout(provider: str, movement: str, money: Sum) -> Draft:
    """The provider sent money to our bank; if negative, a payout came back."""
    return draft(
        ("movement", f"{provider}:{movement}"), "payout", money,
        Line(AccountName(Kind.BANK_IN_TRANSIT, provider=provider), money.amount),
        Line(clearing(provider), -money.amount),
    )  # fmt: skip


def unexplained(provider: str, movement: str, money: Sum) -> Draft:
    """The provider's balance moved by this much (gains are positive), and no rule says why: never guessed."""
    return draft(
        ("movement", f"{provider}:{movement}"), "unexplained", money,
        Line(clearing(provider), money.amount),
        Line(AccountName(Kind.SUSPENSE, provider=provider), -money.amount),
    )  # fmt: skip
