"""What passes between our payments and whoever moves the money: orders to a provider, and the plain facts it answers.

The port itself, what every provider can do, is `port.PaymentProvider`; what it could not do is an error of `faults`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

from payments.models import MovementKind, ObjectKind, SourceKind


class SessionState(StrEnum):
    """What the provider says about a session. Only PAID means money."""

    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Order:
    """What a session is to be opened for; it never changes between two tries under one key."""

    ref: str
    idempotency_key: str
    payment_id: int
    request_id: int
    pool_id: int
    title: str
    amount_cents: int
    currency: str
    email: str
    expires_at: datetime | None  # None: as long as the provider likes


@dataclass(frozen=True, slots=True)
class Charge:
    """Money that really moved, in our minor units."""

    id: str
    amount_cents: int
    currency: str
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """What we wrote on a session, intent or charge when we made it: whose it is. Empty on what others made."""

    ref: str = ""
    env: str = ""
    request_id: int | None = None
    pool_id: int | None = None
    payment_id: int | None = None


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A session as the provider knows it at this moment. `failure` is the code of the last attempt that failed.

    `amount_cents` and `currency` are what it asks for, in our minor units; what was paid is the charge's.
    """

    reference: str
    ref: str
    state: SessionState
    livemode: bool
    expires_at: datetime | None  # None: it never ends by itself
    url: str = ""
    client_secret: str = ""
    failure: str = ""
    charge: Charge | None = None
    opened_at: datetime | None = None
    origin: Origin = Origin()
    amount_cents: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class MovementFacts:
    """One movement of our balance there, in the currency it was settled in. `amount_cents` is before the fee."""

    reference: str
    kind: MovementKind
    category: str
    amount_cents: int
    fee_cents: int
    currency: str
    occurred_at: datetime
    available_at: datetime | None = None
    exchange_rate: Decimal | None = None

    @property
    def net_cents(self) -> int:
        """What the balance grew by."""
        return self.amount_cents - self.fee_cents


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """What is to be given back; it never changes between two tries under one key."""

    ref: str
    idempotency_key: str
    payment_id: int
    refund_id: int
    charge_id: str
    amount_cents: int
    currency: str
    is_duplicate: bool = False


class RefundPhase(StrEnum):
    """What the provider says about a refund."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """A refund as the provider knows it. `ref` is ours, empty for one that was made past us.

    `movement` is the money leaving our balance, None until it has; `returned` is it coming back.
    """

    reference: str
    ref: str
    charge_id: str
    phase: RefundPhase
    amount_cents: int
    currency: str
    livemode: bool
    created_at: datetime
    failure: str = ""
    pending_reason: str = ""
    movement: MovementFacts | None = None
    returned: MovementFacts | None = None


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """A dispute as the provider knows it; `movements` are its money legs, none for a mere inquiry."""

    reference: str
    charge_id: str
    status: str
    amount_cents: int
    currency: str
    livemode: bool
    reason: str
    is_charge_refundable: bool
    opened_at: datetime
    evidence_due_at: datetime | None = None
    movements: tuple[MovementFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """Everything that became of one charge. `movement` (with the fee) may come later than the charge.

    `instrument` tells the card or bank account from all others, without being its number; empty where nobody says.
    """

    charge: Charge
    livemode: bool
    instrument: str = ""
    movement: MovementFacts | None = None
    refunds: tuple[RefundFacts, ...] = ()
    disputes: tuple[DisputeFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """A prize to be sent to its winner's account there; it never changes between two tries under one key."""

    ref: str
    idempotency_key: str
    payout_id: int
    pool_id: int
    destination: str
    amount_cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class TransferFacts:
    """A transfer as the provider knows it. `ref` is ours, empty for one that was made past us.

    `movement` is the money leaving our balance; `returned` are the parts of it that came back, oldest first, and
    `reversed_cents` is how much that is in all.
    """

    reference: str
    ref: str
    destination: str
    amount_cents: int
    reversed_cents: int
    currency: str
    livemode: bool
    created_at: datetime
    env: str = ""
    movement: MovementFacts | None = None
    returned: tuple[MovementFacts, ...] = ()


class BankPayoutState(StrEnum):
    """What the provider says about money on its way to our bank."""

    UNDER_WAY = "under_way"
    PAID = "paid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BankPayoutFacts:
    """A payout of the provider to our bank; `movements` are its leaving our balance there, and its coming back.

    `trace_id` is what the bank's statement should show, empty where nobody knows yet. `is_itemised`: the provider has
    worked out which movements the payout took along, which it does for automatic ones alone.
    """

    reference: str
    state: BankPayoutState
    amount_cents: int
    currency: str
    livemode: bool
    arrives_at: datetime
    failure: str = ""
    movements: tuple[MovementFacts, ...] = ()
    trace_id: str = ""
    is_automatic: bool = True
    is_itemised: bool = False
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedMovement:
    """A movement as the feed has it, with what it is a movement of: its source.

    `source_cents` and `source_currency` say what the source was made for, in the currency of the customer. `origin` is
    what we wrote on the source when we made it (of a refund, `ref` is the refund's); disputes and payouts have none.
    """

    movement: MovementFacts
    livemode: bool
    source_kind: SourceKind
    source_id: str = ""  # empty: of nothing, such as a monthly fee
    source_cents: int | None = None
    source_currency: str = ""
    charge_id: str = ""
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of one of the provider's lists, as it was at that moment.

    `status` is a `SessionState`, a `RefundPhase` or a `BankPayoutState` in theirs, "succeeded", "pending" or "failed"
    of a charge, and the provider's own word of a dispute. `back_cents` is what a charge has been refunded.
    """

    kind: ObjectKind
    object_id: str
    status: str
    amount_cents: int
    currency: str
    livemode: bool
    made_at: datetime
    charge_id: str = ""
    back_cents: int = 0
    origin: Origin = Origin()


Listed = TypeVar("Listed")


@dataclass(frozen=True, slots=True)
class Page(Generic[Listed]):
    """One page of a list, newest first. `after` is where the next one begins, None where this was the last."""

    rows: tuple[Listed, ...] = ()
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What the provider keeps for us, available or pending: currency → our minor units, before anything is paid out."""

    livemode: bool
    cents: Mapping[str, int]
