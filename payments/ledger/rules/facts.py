"""The facts that a rule takes, and what all rules are made of."""

from dataclasses import dataclass
from datetime import datetime

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.posting import Draft, Line

UNALLOCATED = AccountName(Kind.UNALLOCATED)


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


def clearing(provider: str) -> AccountName:
    """What a provider owes us."""
    return AccountName(Kind.CLEARING, provider=provider)


def draft(source: tuple[str, str], event: str, money: Sum, *lines: Line, reverses: int | None = None) -> Draft:
    """An entry of this event, as of when the money moved."""
    return Draft(source, event, money.currency, money.livemode, money.at, lines, reverses)
