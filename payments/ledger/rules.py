"""The posting rules: one function for each thing that can happen to money, and the lines that it has.

Debits are positive. Amounts are in minor units, of the currency that the fact names. The rules are those of a
double-entry book: money that arrives is owed until it is the price of a place; then it belongs to the pool's players,
less the house's part. What is given back is owed to the player until it has really gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.posting import Draft, Line


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount of one currency and mode, and when it moved."""

    amount: int
    currency: str
    livemode: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Fee:
    """What a place costs: the part of the pool's players, and the part of the house."""

    pool_id: int
    pot: int
    house: int

    @property
    def whole(self) -> int:
        return self.pot + self.house


def house_part(fee_cents: int, house_fee_bp: int) -> int:
    """The house's part of one fee: basis points, rounded down, as settlement counts it."""
    return fee_cents * house_fee_bp // 10_000


def fee_of(pool_id: int, fee_cents: int, house_fee_bp: int) -> Fee:
    """A fee, split between pot and house."""
    house = house_part(fee_cents, house_fee_bp)
    return Fee(pool_id, pot=fee_cents - house, house=house)


def _clearing(provider: str) -> AccountName:
    return AccountName(Kind.CLEARING, provider=provider)


_UNALLOCATED = AccountName(Kind.UNALLOCATED)


def charge_received(provider: str, charge_id: str, money: Sum) -> Draft:
    """Money arrived; what for is a second question."""
    return _draft(
        ("charge", f"{provider}:{charge_id}"), "received", money,
        Line(_clearing(provider), money.amount), Line(_UNALLOCATED, -money.amount),
    )  # fmt: skip


def fee_taken(provider: str, movement: str, money: Sum) -> Draft:
    """The provider kept a fee (or, if negative, gave one back)."""
    return _draft(
        ("movement", f"{provider}:{movement}"), "fee", money,
        Line(AccountName(Kind.PROVIDER_FEES, provider=provider), money.amount),
        Line(_clearing(provider), -money.amount),
    )  # fmt: skip


def fee_corrected(provider: str, movement: str, number: int, money: Sum, *, of_dispute: bool) -> Draft:
    """The provider names another fee than is booked: the difference, `number` counting such corrections."""
    kind = Kind.DISPUTE_FEES if of_dispute else Kind.PROVIDER_FEES
    return _draft(
        ("movement", f"{provider}:{movement}"), f"fee_corrected_{number}", money,
        Line(AccountName(kind, provider=provider), money.amount), Line(_clearing(provider), -money.amount),
    )  # fmt: skip


def moved_for_others(provider: str, movement: str, money: Sum) -> Draft:
    """The balance moved for another business or environment of the house's, which said so on what it made."""
    return _draft(
        ("movement", f"{provider}:{movement}"), "for_others", money,
        Line(_clearing(provider), money.amount), Line(AccountName(Kind.NOT_OURS), -money.amount),
    )  # fmt: skip


def converted(provider: str, movement: str, given: Sum, got: Sum) -> tuple[Draft, Draft]:
    """The provider turned money of one currency into another's: one entry in each."""
    exchange = AccountName(Kind.CONVERSION, provider=provider)
    source = ("movement", f"{provider}:{movement}")
    return (
        _draft(source, "converted_from", given, Line(exchange, given.amount), Line(_clearing(provider), -given.amount)),
        _draft(source, "converted_to", got, Line(_clearing(provider), got.amount), Line(exchange, -got.amount)),
    )


def place_paid(receipt: int, fee: Fee, money: Sum) -> Draft:
    """Received money became the price of a place, or of a return."""
    return _draft(("receipt", str(receipt)), "allocated", money, Line(_UNALLOCATED, fee.whole), *_into_pot(fee))


def place_taken(receipt: int, fee: Fee, money: Sum, reverses: int | None) -> Draft:
    """The place is gone and its fee has left the pot: it is money without a place again."""
    lines = (Line(line.account, -line.amount) for line in (Line(_UNALLOCATED, fee.whole), *_into_pot(fee)))
    return _draft(("receipt", str(receipt)), "place_taken", money, *lines, reverses=reverses)


def fee_waived(request: int, fee: Fee, money: Sum, *, is_import: bool = False) -> Draft:
    """Nobody paid: the house puts into the pot what the fee would have; of an import, what was collected elsewhere."""
    kind = Kind.OPENING_EQUITY if is_import else Kind.WAIVED_FEES
    return _draft(
        ("request", str(request)), "waived", money,
        Line(AccountName(kind, pool_id=fee.pool_id), fee.pot), Line(AccountName(Kind.PRIZE_POT, fee.pool_id), -fee.pot),
    )  # fmt: skip


def waived_place_taken(request: int, fee: Fee, money: Sum, reverses: int | None, *, is_import: bool = False) -> Draft:
    """A place that nobody paid for is gone: the pot gives the house its part back."""
    kind = Kind.OPENING_EQUITY if is_import else Kind.WAIVED_FEES
    return _draft(
        ("request", str(request)), "waiver_taken", money,
        Line(AccountName(Kind.PRIZE_POT, fee.pool_id), fee.pot), Line(AccountName(kind, pool_id=fee.pool_id), -fee.pot),
        reverses=reverses,
    )  # fmt: skip


def refund_decided(refund: str, player_id: int, money: Sum) -> Draft:
    """Money without a place is to go back to the player."""
    return _draft(
        ("refund", refund), "decided", money, Line(_UNALLOCATED, money.amount), _owed(player_id, -money.amount)
    )


def goodwill_decided(refund: str, pool_id: int, player_id: int, money: Sum) -> Draft:
    """The house gives money back out of its own pocket; the place and the pot stay as they are."""
    return _draft(
        ("refund", refund), "decided", money,
        Line(AccountName(Kind.GOODWILL, pool_id), money.amount), _owed(player_id, -money.amount),
    )  # fmt: skip


def goodwill_recovered(receipt: int, pool_id: int, money: Sum) -> Draft:
    """The place is gone after all: what the house had given of its own comes out of the fee."""
    return _draft(
        ("receipt", str(receipt)), "goodwill_recovered", money,
        Line(_UNALLOCATED, money.amount), Line(AccountName(Kind.GOODWILL, pool_id), -money.amount),
    )  # fmt: skip


def refund_withdrawn(refund: str, player_id: int, money: Sum, reverses: int) -> Draft:
    """A decided refund was never sent: the money is without a place, and owed to nobody, again."""
    return _draft(
        ("refund", refund), "withdrawn", money,
        _owed(player_id, money.amount), Line(_UNALLOCATED, -money.amount), reverses=reverses,
    )  # fmt: skip


def refund_paid(refund: str, provider: str, player_id: int, money: Sum) -> Draft:
    """The money has really left towards the player."""
    return _draft(
        ("refund", refund), "paid", money, _owed(player_id, money.amount), Line(_clearing(provider), -money.amount)
    )


def refund_returned(refund: str, provider: str, player_id: int, money: Sum, reverses: int | None) -> Draft:
    """It came back (a closed card, say): it is owed to the player as before."""
    return _draft(
        ("refund", refund), "failed", money,
        Line(_clearing(provider), money.amount), _owed(player_id, -money.amount), reverses=reverses,
    )  # fmt: skip


def external_refund(refund: str, provider: str, money: Sum) -> Draft:
    """Somebody gave money back at the provider, past us: booked, and put before a person."""
    return _draft(
        ("refund", refund), "external", money,
        Line(AccountName(Kind.SUSPENSE, provider=provider), money.amount), Line(_clearing(provider), -money.amount),
    )  # fmt: skip


def external_refund_returned(refund: str, provider: str, money: Sum, reverses: int | None) -> Draft:
    """It came back."""
    return _draft(
        ("refund", refund), "external_failed", money,
        Line(_clearing(provider), money.amount), Line(AccountName(Kind.SUSPENSE, provider=provider), -money.amount),
        reverses=reverses,
    )  # fmt: skip


def external_refund_settled(refund: str, provider: str, money: Sum, *, goodwill_of_pool: int | None) -> Draft:
    """A person has decided: the house bears it, or (None) it came out of money that has no place any more."""
    bearer = _UNALLOCATED if goodwill_of_pool is None else AccountName(Kind.GOODWILL, goodwill_of_pool)
    return _draft(
        ("refund", refund), "explained", money,
        Line(bearer, money.amount), Line(AccountName(Kind.SUSPENSE, provider=provider), -money.amount),
    )  # fmt: skip


def dispute_withdrawn(provider: str, movement: str, fee: int, money: Sum) -> Draft:
    """The bank took the money, and the provider a fee, until the dispute is decided."""
    return _draft(
        ("movement", f"{provider}:{movement}"), "dispute_withdrawn", money,
        Line(AccountName(Kind.DISPUTES_RECEIVABLE, provider=provider), money.amount),
        Line(AccountName(Kind.DISPUTE_FEES, provider=provider), fee),
        Line(_clearing(provider), -money.amount - fee),
    )  # fmt: skip


def dispute_reinstated(provider: str, movement: str, fee_returned: int, money: Sum) -> Draft:
    """The dispute was won: the money is back, the fee only where the provider says so."""
    return _draft(
        ("movement", f"{provider}:{movement}"), "dispute_reinstated", money,
        Line(_clearing(provider), money.amount + fee_returned),
        Line(AccountName(Kind.DISPUTES_RECEIVABLE, provider=provider), -money.amount),
        Line(AccountName(Kind.DISPUTE_FEES, provider=provider), -fee_returned),
    )  # fmt: skip


def dispute_fee_taken(provider: str, movement: str, money: Sum) -> Draft:
    """The fee of a dispute that is settled in another currency than its charge (or, if negative, its return)."""
    return _draft(
        ("movement", f"{provider}:{movement}"), "dispute_fee", money,
        Line(AccountName(Kind.DISPUTE_FEES, provider=provider), money.amount),
        Line(_clearing(provider), -money.amount),
    )  # fmt: skip


def dispute_lost(dispute: str, provider: str, money: Sum, *, from_unallocated: int) -> Draft:
    """The money is gone: so much of it comes out of money that has no place, the house bears the rest."""
    return _draft(
        ("dispute", f"{provider}:{dispute}"), "lost", money,
        Line(_UNALLOCATED, from_unallocated),
        Line(AccountName(Kind.CHARGEBACK_LOSS), money.amount - from_unallocated),
        Line(AccountName(Kind.DISPUTES_RECEIVABLE, provider=provider), -money.amount),
    )  # fmt: skip


def dispute_recovered(dispute: str, provider: str, money: Sum, reverses: int | None, *, to_unallocated: int) -> Draft:
    """A lost dispute was won after all, on appeal: each has back what it had lost."""
    return _draft(
        ("dispute", f"{provider}:{dispute}"), "recovered", money,
        Line(AccountName(Kind.DISPUTES_RECEIVABLE, provider=provider), money.amount),
        Line(_UNALLOCATED, -to_unallocated),
        Line(AccountName(Kind.CHARGEBACK_LOSS), to_unallocated - money.amount), reverses=reverses,
    )  # fmt: skip


def chargeback_recovered(receipt: int, money: Sum) -> Draft:
    """The pool of a lost payment was cancelled: its fee left the pot, and makes good what the house had lost."""
    return _draft(
        ("receipt", str(receipt)), "chargeback_recovered", money,
        Line(_UNALLOCATED, money.amount), Line(AccountName(Kind.CHARGEBACK_LOSS), -money.amount),
    )  # fmt: skip


def pool_settled(settlement: str, pool_id: int, prizes: Mapping[int, int], money: Sum) -> Draft:
    """The pot is shared out: player → minor units. `money.amount` is their sum."""
    owed = (Line(AccountName(Kind.WINNINGS_PAYABLE, player_id=player), -cents) for player, cents in prizes.items())
    return _draft(
        ("pool", settlement), "settled", money, Line(AccountName(Kind.PRIZE_POT, pool_id), money.amount), *owed
    )


def settlement_reversed(settlement: str, pool_id: int, prizes: Mapping[int, int], money: Sum, reverses: int) -> Draft:
    """A corrected result: what was shared out is the pot's again, before it is shared out anew."""
    owed = (Line(AccountName(Kind.WINNINGS_PAYABLE, player_id=player), cents) for player, cents in prizes.items())
    return _draft(
        ("pool", settlement), "settlement_reversed", money,
        Line(AccountName(Kind.PRIZE_POT, pool_id), -money.amount), *owed, reverses=reverses,
    )  # fmt: skip


def winner_paid(payout: str, player_id: int, withheld: int, provider: str, money: Sum) -> Draft:
    """A prize left towards its winner, less the tax that was withheld."""
    return _draft(
        ("payout", payout), "paid", money,
        Line(AccountName(Kind.WINNINGS_PAYABLE, player_id=player_id), money.amount),
        Line(_clearing(provider), withheld - money.amount), Line(AccountName(Kind.TAX_WITHHELD), -withheld),
    )  # fmt: skip


def winner_payment_returned(
    payout: str, player_id: int, withheld: int, provider: str, money: Sum, reverses: int | None
) -> Draft:
    """The bank sent a prize back: it is owed to the winner as before."""
    return _draft(
        ("payout", payout), "returned", money,
        Line(AccountName(Kind.WINNINGS_PAYABLE, player_id=player_id), -money.amount),
        Line(_clearing(provider), money.amount - withheld), Line(AccountName(Kind.TAX_WITHHELD), withheld),
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
        "repaid": Line(_clearing(provider), money.amount),
        "came_back": Line(_clearing(provider), money.amount),
        "borne": Line(AccountName(Kind.WRITE_OFFS), money.amount),
        "reclaimed": Line(AccountName(Kind.WRITE_OFFS), -money.amount),
        "tax_released": Line(AccountName(Kind.TAX_WITHHELD), money.amount),
    }[kind]
    owed = Line(AccountName(Kind.WINNINGS_PAYABLE, player_id=player_id), -against.amount)
    return _draft(("prize_correction", correction), kind, money, against, owed)


def provider_payout(provider: str, movement: str, money: Sum) -> Draft:
    """The provider sent money to our bank; if negative, a payout came back."""
    return _draft(
        ("movement", f"{provider}:{movement}"), "payout", money,
        Line(AccountName(Kind.BANK_IN_TRANSIT, provider=provider), money.amount),
        Line(_clearing(provider), -money.amount),
    )  # fmt: skip


def unexplained(provider: str, movement: str, money: Sum) -> Draft:
    """The provider's balance moved by this much (gains are positive), and no rule says why: never guessed."""
    return _draft(
        ("movement", f"{provider}:{movement}"), "unexplained", money,
        Line(_clearing(provider), money.amount),
        Line(AccountName(Kind.SUSPENSE, provider=provider), -money.amount),
    )  # fmt: skip


def written_off(discrepancy: int, account: AccountName, money: Sum) -> Draft:
    """Two people gave up looking: what lies on the account (debits positive) is the house's loss, or its gain."""
    return _draft(
        ("discrepancy", str(discrepancy)), "written_off", money,
        Line(AccountName(Kind.WRITE_OFFS), money.amount), Line(account, -money.amount),
    )  # fmt: skip


def found_foreign(discrepancy: int, account: AccountName, money: Sum) -> Draft:
    """What lies on the account (debits positive) is another business's money, which passed through our hands."""
    return _draft(
        ("discrepancy", str(discrepancy)), "marked_foreign", money,
        Line(AccountName(Kind.NOT_OURS), money.amount), Line(account, -money.amount),
    )  # fmt: skip


def found_ours(discrepancy: int, account: AccountName, money: Sum, reverses: int) -> Draft:
    """It is ours after all, and lies where it lay."""
    return _draft(
        ("discrepancy", str(discrepancy)), "found_ours", money,
        Line(account, money.amount), Line(AccountName(Kind.NOT_OURS), -money.amount), reverses=reverses,
    )  # fmt: skip


def _into_pot(fee: Fee) -> tuple[Line, Line]:
    return (
        Line(AccountName(Kind.PRIZE_POT, fee.pool_id), -fee.pot),
        Line(AccountName(Kind.FEE_REVENUE, fee.pool_id), -fee.house),
    )


def _owed(player_id: int, amount: int) -> Line:
    return Line(AccountName(Kind.REFUND_PAYABLE, player_id=player_id), amount)


def _draft(source: tuple[str, str], event: str, money: Sum, *lines: Line, reverses: int | None = None) -> Draft:
    return Draft(source, event, money.currency, money.livemode, money.at, lines, reverses)
