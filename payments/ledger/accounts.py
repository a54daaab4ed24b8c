"""The chart of accounts. Amounts are signed: debits are positive, credits negative, and an entry adds up to nothing.

Assets and expenses grow with debits, liabilities, income and equity with credits. What each account must come to, when
nothing is under way, stands beside it.
"""

from dataclasses import dataclass
from enum import IntEnum

from config.words import Words


class Side(IntEnum):
    """On which side an account grows."""

    DEBIT = 1
    CREDIT = -1


class Kind(Words):
    """What an account is for."""

    # Money at a provider: what it owes us, per provider. For Stripe it equals the balance there.
    CLEARING = "clearing"
    # A provider's payout on its way to the bank, and what the bank has.
    BANK_IN_TRANSIT = "bank_in_transit"
    BANK = "bank"
    # Taken by an open dispute, neither won nor lost yet: nothing once all are closed.
    DISPUTES_RECEIVABLE = "disputes_receivable"
    # Moved without a decision of ours (a refund from the provider's dashboard), until a person has decided.
    SUSPENSE = "suspense"
    # Received, and not (or no longer) the price of a place: each part of it is on its way back, or in a queue.
    UNALLOCATED = "unallocated"
    # What the players of a pool own together: never below nothing.
    PRIZE_POT = "prize_pot"
    # Won and not paid out yet.
    WINNINGS_PAYABLE = "winnings_payable"
    # To be given back, decided, and not gone yet.
    REFUND_PAYABLE = "refund_payable"
    TAX_WITHHELD = "tax_withheld"
    # The house's part of the fees.
    FEE_REVENUE = "fee_revenue"
    PROVIDER_FEES = "provider_fees"
    DISPUTE_FEES = "dispute_fees"
    CHARGEBACK_LOSS = "chargeback_loss"
    # Given back by the house out of its own pocket: the place, and its part of the pot, stay.
    GOODWILL = "goodwill"
    # Fees that the house let somebody off: it pays the pot instead.
    WAIVED_FEES = "waived_fees"
    # Both sides of a conversion by the provider, one in each currency.
    CONVERSION = "conversion"
    # What a person gave up looking for, with a second name.
    WRITE_OFFS = "write_offs"
    # Money at the provider, or in the bank, that is another business of the house's: not these books'.
    NOT_OURS = "not_ours"
    # What was collected before the books began: entries that moved here from elsewhere.
    OPENING_EQUITY = "opening_equity"


@dataclass(frozen=True, slots=True)
class Meaning:
    """How an account of this kind behaves, and whose it is."""

    side: Side
    of_pool: bool = False
    of_player: bool = False
    of_provider: bool = False


CHART = {
    Kind.CLEARING: Meaning(Side.DEBIT, of_provider=True),
    Kind.BANK_IN_TRANSIT: Meaning(Side.DEBIT, of_provider=True),
    Kind.BANK: Meaning(Side.DEBIT),
    Kind.DISPUTES_RECEIVABLE: Meaning(Side.DEBIT, of_provider=True),
    Kind.SUSPENSE: Meaning(Side.DEBIT, of_provider=True),
    Kind.UNALLOCATED: Meaning(Side.CREDIT),
    Kind.PRIZE_POT: Meaning(Side.CREDIT, of_pool=True),
    Kind.WINNINGS_PAYABLE: Meaning(Side.CREDIT, of_player=True),
    Kind.REFUND_PAYABLE: Meaning(Side.CREDIT, of_player=True),
    Kind.TAX_WITHHELD: Meaning(Side.CREDIT),
    Kind.FEE_REVENUE: Meaning(Side.CREDIT, of_pool=True),
    Kind.PROVIDER_FEES: Meaning(Side.DEBIT, of_provider=True),
    Kind.DISPUTE_FEES: Meaning(Side.DEBIT, of_provider=True),
    Kind.CHARGEBACK_LOSS: Meaning(Side.DEBIT),
    Kind.GOODWILL: Meaning(Side.DEBIT, of_pool=True),
    Kind.WAIVED_FEES: Meaning(Side.DEBIT, of_pool=True),
    Kind.CONVERSION: Meaning(Side.DEBIT, of_provider=True),
    Kind.WRITE_OFFS: Meaning(Side.DEBIT),
    Kind.NOT_OURS: Meaning(Side.CREDIT),
    Kind.OPENING_EQUITY: Meaning(Side.CREDIT, of_pool=True),
}


@dataclass(frozen=True, slots=True)
class AccountName:
    """Which account a line is for; the entry adds currency and mode. Refuses one that names too little or too much."""

    kind: Kind
    pool_id: int | None = None
    player_id: int | None = None
    provider: str = ""

    def __post_init__(self) -> None:
        meaning = CHART[self.kind]
        named = (self.pool_id is not None, self.player_id is not None, bool(self.provider))
        if named != (meaning.of_pool, meaning.of_player, meaning.of_provider):
            raise ValueError(
                f"{self.kind} is not named by pool {self.pool_id}, player {self.player_id}, {self.provider!r}"
            )
