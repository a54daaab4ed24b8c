"""The port between our payments and whoever moves the money.

A provider opens a session (a hosted page for one payment), tells the truth about it, and ends it; it sends money back,
and prizes to their winners; and it tells everything that became of a charge: what was refunded, disputed, and taken as
a fee. It never decides anything. Its answers are the plain facts of `base`; what it could not do is one of the errors
of `faults`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from payments.models import ObjectKind
from payments.providers.base import (
    Balance,
    BankPayoutFacts,
    ChargeFacts,
    ListedMovement,
    ListedObject,
    Order,
    Origin,
    Page,
    RefundFacts,
    RefundOrder,
    SessionFacts,
    TransferFacts,
    TransferOrder,
)
from payments.providers.notices import Notice


class PaymentProvider(Protocol):
    """What every provider can do. Each call may take seconds and is made outside any transaction."""

    name: str
    livemode: bool
    # The header in which it signs its news; empty for one that brings none.
    signature_header: str

    def create_session(self, order: Order) -> SessionFacts:
        """Open a session, or answer the one opened before under the same key."""

    def find_session(self, *, ref: str, since: datetime, until: datetime) -> SessionFacts | None:
        """The session opened for our `ref` in that time, for when no answer to `create_session` came."""

    def sessions_between(self, *, since: datetime, until: datetime) -> Iterator[SessionFacts]:
        """Every session opened in that time, by whomever, with its charge."""

    def fetch(self, reference: str) -> SessionFacts:
        """The truth about a session. Raises `NotThere`."""

    def expire(self, reference: str) -> SessionFacts:
        """End an open session, and answer what is true afterwards: it may have been paid a moment before."""

    def fetch_charge(self, charge_id: str) -> ChargeFacts:
        """Everything that became of a charge. Raises `NotThere`."""

    def origin_of_charge(self, charge_id: str) -> Origin:
        """Whose payment a charge is, by what we wrote on it. Raises `NotThere`."""

    def create_refund(self, order: RefundOrder) -> RefundFacts:
        """Send money back, or answer what was done before under the same key. `Rejected` is final for that key."""

    def find_refund(self, *, ref: str, charge_id: str) -> RefundFacts | None:
        """The refund of that charge made for our `ref`, for when no answer to `create_refund` came."""

    def create_transfer(self, order: TransferOrder) -> TransferFacts:
        """Send a prize to its winner, or answer what was done before under the same key. `Rejected` is final for it."""

    def find_transfer(self, *, ref: str) -> TransferFacts | None:
        """The transfer made for our `ref`, for when no answer to `create_transfer` came."""

    def fetch_transfer(self, reference: str) -> TransferFacts:
        """The truth about a transfer to a winner. Raises `NotThere`."""

    def fetch_payout(self, reference: str) -> BankPayoutFacts:
        """The truth about a payout to our bank. Raises `NotThere`."""

    def movements_page(self, *, since: datetime, until: datetime, after: str | None) -> Page[ListedMovement]:
        """Movements of our balance from `since` until before `until`, to the second; from the newest, or past `after`.

        Whoever asks keeps the bounds from page to page. `until` should be a minute ago: lists lag behind.
        """

    def objects_page(
        self, kind: ObjectKind, *, since: datetime, until: datetime, after: str | None
    ) -> Page[ListedObject]:
        """The same for a list of objects, by the time at which they were made."""

    def movements_of_payout(self, reference: str, *, after: str | None) -> Page[ListedMovement]:
        """What a payout paid out, its own movement included. `NotThere`: no such payout; `Rejected`: not itemised.

        Complete only once the provider said that its reconciliation is; before, its own movement is all there is.
        """

    def balance(self) -> Balance:
        """What we have there at this moment; no currency at all with who keeps no money for us."""

    def read_notice(self, body: bytes, signature: str) -> Notice:
        """News from outside. Raises `SignatureInvalid`, and `Malformed` for signed nonsense."""

    def fetch_notice(self, event_id: str) -> Notice:
        """News by its name: that of a thin event's twin, which tells more. Raises `NotThere`."""

    def missed_notices(self, *, since: datetime) -> Iterator[Notice]:
        """News since then that could not be delivered to us, oldest first; nothing for who brings no news."""
