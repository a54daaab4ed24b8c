"""Money on its way back: decided, gone, back again; and refunds that were made past us."""

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.posting import Draft, Line
from payments.ledger.rules.facts import UNALLOCATED, Sum, clearing, draft


def refund_decided(refund: str, player_id: int, money: Sum) -> Draft:
    """Money without a place is to go back to the player."""
    return draft(("refund", refund), "decided", money, Line(UNALLOCATED, money.amount), _owed(player_id, -money.amount))


def goodwill_decided(refund: str, pool_id: int, player_id: int, money: Sum) -> Draft:
    """The house gives money back out of its own pocket; the place and the pot stay as they are."""
    return draft(
        ("refund", refund), "decided", money,
        Line(AccountName(Kind.GOODWILL, pool_id), money.amount), _owed(player_id, -money.amount),
    )  # fmt: skip


def goodwill_recovered(receipt: int, pool_id: int, money: Sum) -> Draft:
    """The place is gone after all: what the house had given of its own comes out of the fee."""
    return draft(
        ("receipt", str(receipt)), "goodwill_recovered", money,
        Line(UNALLOCATED, money.amount), Line(AccountName(Kind.GOODWILL, pool_id), -money.amount),
    )  # fmt: skip


def refund_withdrawn(refund: str, player_id: int, money: Sum, reverses: int) -> Draft:
    """A decided refund was never sent: the money is without a place, and owed to nobody, again."""
    return draft(
        ("refund", refund), "withdrawn", money,
        _owed(player_id, money.amount), Line(UNALLOCATED, -money.amount), reverses=reverses,
    )  # fmt: skip


def refund_paid(refund: str, provider: str, player_id: int, money: Sum) -> Draft:
    """The money has really left towards the player."""
    return draft(
        ("refund", refund), "paid", money, _owed(player_id, money.amount), Line(clearing(provider), -money.amount)
    )


def refund_returned(refund: str, provider: str, player_id: int, money: Sum, reverses: int | None) -> Draft:
    """It came back (a closed card, say): it is owed to the player as before."""
    return draft(
        ("refund", refund), "failed", money,
        Line(clearing(provider), money.amount), _owed(player_id, -money.amount), reverses=reverses,
    )  # fmt: skip


def external_refund(refund: str, provider: str, money: Sum) -> Draft:
    """Somebody gave money back at the provider, past us: booked, and put before a person."""
    return draft(
        ("refund", refund), "external", money,
        Line(AccountName(Kind.SUSPENSE, provider=provider), money.amount), Line(clearing(provider), -money.amount),
    )  # fmt: skip


def external_refund_returned(refund: str, provider: str, money: Sum, reverses: int | None) -> Draft:
    """It came back."""
    return draft(
        ("refund", refund), "external_failed", money,
        Line(clearing(provider), money.amount), Line(AccountName(Kind.SUSPENSE, provider=provider), -money.amount),
        reverses=reverses,
    )  # fmt: skip


def external_refund_settled(refund: str, provider: str, money: Sum, *, goodwill_of_pool: int | None) -> Draft:
    """A person has decided: the house bears it, or (None) it came out of money that has no place any more."""
    bearer = UNALLOCATED if goodwill_of_pool is None else AccountName(Kind.GOODWILL, goodwill_of_pool)
    return draft(
        ("refund", refund), "explained", money,
        Line(bearer, money.amount), Line(AccountName(Kind.SUSPENSE, provider=provider), -money.amount),
    )  # fmt: skip


def _owed(player_id: int, amount: int) -> Line:
    return Line(AccountName(Kind.REFUND_PAYABLE, player_id=player_id), amount)
