"""The pot shared out, paid to its winners, and put right."""

from collections.abc import Mapping

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.posting import Draft, Line
from payments.ledger.rules.facts import Sum, clearing, draft


def pool_settled(settlement: str, pool_id: int, prizes: Mapping[int, int], money: Sum) -> Draft:
    """The pot is shared out: player → minor units. `money.amount` is their sum."""
    owed = (Line(AccountName(Kind.WINNINGS_PAYABLE, player_id=player), -cents) for player, cents in prizes.items())
    return draft(
        ("pool", settlement), "settled", money, Line(AccountName(Kind.PRIZE_POT, pool_id), money.amount), *owed
    )


def settlement_reversed(settlement: str, pool_id: int, prizes: Mapping[int, int], money: Sum, reverses: int) -> Draft:
    """A corrected result: what was shared out is the pot's again, before it is shared out anew."""
    owed = (Line(AccountName(Kind.WINNINGS_PAYABLE, player_id=player), cents) for player, cents in prizes.items())
    return draft(
        ("pool", settlement), "settlement_reversed", money,
        Line(AccountName(Kind.PRIZE_POT, pool_id), -money.amount), *owed, reverses=reverses,
    )  # fmt: skip


def winner_paid(payout: str, player_id: int, withheld: int, provider: str, money: Sum) -> Draft:
    """A prize left towards its winner, less the tax that was withheld."""
    return draft(
        ("payout", payout), "paid", money,
        Line(AccountName(Kind.WINNINGS_PAYABLE, player_id=player_id), money.amount),
        Line(clearing(provider), withheld - money.amount), Line(AccountName(Kind.TAX_WITHHELD), -withheld),
    )  # fmt: skip


def winner_payment_returned(
    payout: str, player_id: int, withheld: int, provider: str, money: Sum, reverses: int | None
) -> Draft:
    """The bank sent a prize back: it is owed to the winner as before."""
    return draft(
        ("payout", payout), "returned", money,
        Line(AccountName(Kind.WINNINGS_PAYABLE, player_id=player_id), -money.amount),
        Line(clearing(provider), money.amount - withheld), Line(AccountName(Kind.TAX_WITHHELD), withheld),
        reverses=reverses,
    )  # fmt: skip


def prize_corrected(correction: str, kind: str, player_id: int, provider: str, money: Sum) -> Draft:
    """What becomes of a prize that was paid too much, or taxed too much, or came back in part.

    repaid        the player sent it back                       clearing +X · winnings_payable −X
    came_back     a part of it came back at the provider        the same
    borne         the house lets the player keep it             write_offs +X · winnings_payable −X
    reclaimed     the prize was raised again: the other way     winnings_payable +X · write_offs −X
    tax_released  what was withheld is the winner's after all   tax_withheld +X · winnings_payable −X
    """
    against = {
        "repaid": Line(clearing(provider), money.amount),
        "came_back": Line(clearing(provider), money.amount),
        "borne": Line(AccountName(Kind.WRITE_OFFS), money.amount),
        "reclaimed": Line(AccountName(Kind.WRITE_OFFS), -money.amount),
        "tax_released": Line(AccountName(Kind.TAX_WITHHELD), money.amount),
    }[kind]
    owed = Line(AccountName(Kind.WINNINGS_PAYABLE, player_id=player_id), -against.amount)
    return draft(("prize_correction", correction), kind, money, against, owed)
