"""A payment provider in one file, to see what a new one costs: its books are dictionaries, a test pays by a call."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta

from django.conf import settings

from config.clock import database_now
from payments.models import MovementKind, ObjectKind, SourceKind
from payments.providers.base import (
    Balance,
    Charge,
    ChargeFacts,
    ListedMovement,
    ListedObject,
    MovementFacts,
    Origin,
    Page,
    RefundFacts,
    RefundPhase,
    SessionFacts,
    SessionState,
    TransferFacts,
)
from payments.providers.faults import NotThere, Rejected, SignatureInvalid
from payments.providers.notices import Notice

SECRET = b"what only the toy and we know"


@dataclass
class ToyProvider:
    """Keeps what it is told to; every call can be looked at afterwards."""

    name: str = "toy"
    livemode: bool = False
    signature_header: str = "Toy-Signature"
    sessions: dict[str, SessionFacts] = field(default_factory=dict)
    refunds: dict[str, RefundFacts] = field(default_factory=dict)
    transfers: dict[str, TransferFacts] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    missed: list[Notice] = field(default_factory=list)

    # --- what a test does at the toy's counter ---

    def pay(self, reference, *, amount_cents=None, currency=None):
        """The player pays; the charge."""
        session = self.sessions[reference]
        charge = Charge(
            f"toy-charge-{reference}",
            amount_cents or session.amount_cents,
            currency or session.currency,
            database_now(),
        )
        self.sessions[reference] = replace(session, state=SessionState.PAID, charge=charge, url="")
        return charge

    def notice(self, event_type, event_id, **subject):
        """News of it, and its signature."""
        body = json.dumps({"id": event_id, "type": event_type, "subject": subject}).encode()
        return body, hmac.new(SECRET, body, hashlib.sha256).hexdigest()

    # --- the port ---

    def create_session(self, order):
        if order.amount_cents <= 0:
            raise Rejected("nothing to pay")
        if order.idempotency_key not in self.by_key:
            reference = f"toy-{len(self.sessions) + 1}"
            self.by_key[order.idempotency_key] = reference
            self.sessions[reference] = SessionFacts(
                reference=reference,
                ref=order.ref,
                state=SessionState.OPEN,
                livemode=False,
                expires_at=order.expires_at or database_now() + timedelta(hours=1),
                url=f"https://toy.example/{reference}",
                opened_at=database_now(),
                origin=Origin(order.ref, settings.OUTLAST_ENV, order.request_id, order.pool_id, order.payment_id),
                amount_cents=order.amount_cents,
                currency=order.currency,
            )
        return self.sessions[self.by_key[order.idempotency_key]]

    def find_session(self, *, ref, since, until):
        return next((one for one in self.sessions_between(since=since, until=until) if one.ref == ref), None)

    def sessions_between(self, *, since, until):
        return iter([one for one in self.sessions.values() if since <= one.opened_at <= until])

    def fetch(self, reference):
        if reference not in self.sessions:
            raise NotThere(reference)
        return self.sessions[reference]

    def expire(self, reference):
        session = self.fetch(reference)
        if session.state is SessionState.OPEN:
            self.sessions[reference] = replace(session, state=SessionState.EXPIRED, url="")
        return self.sessions[reference]

    def fetch_charge(self, charge_id):
        session = self._paid(charge_id)
        money = session.charge
        return ChargeFacts(
            charge=money,
            livemode=False,
            movement=self._movement(
                f"in-{charge_id}", MovementKind.CHARGE, money.amount_cents, money.currency, fee=30, at=money.paid_at
            ),
            refunds=tuple(one for one in self.refunds.values() if one.charge_id == charge_id),
        )

    def origin_of_charge(self, charge_id):
        return self._paid(charge_id).origin

    def create_refund(self, order):
        charge = self._paid(order.charge_id).charge
        if order.idempotency_key not in self.by_key:
            gone = sum(one.amount_cents for one in self.refunds.values() if one.charge_id == order.charge_id)
            if gone + order.amount_cents > charge.amount_cents:
                raise Rejected("more than came")
            reference = f"toy-refund-{len(self.refunds) + 1}"
            self.by_key[order.idempotency_key] = reference
            self.refunds[reference] = RefundFacts(
                reference=reference,
                ref=order.ref,
                charge_id=order.charge_id,
                phase=RefundPhase.SUCCEEDED,
                amount_cents=order.amount_cents,
                currency=order.currency,
                livemode=False,
                created_at=database_now(),
                movement=self._movement(f"out-{reference}", MovementKind.REFUND, -order.amount_cents, order.currency),
            )
        return self.refunds[self.by_key[order.idempotency_key]]

    def find_refund(self, *, ref, charge_id):
        return next((one for one in self.refunds.values() if one.ref == ref), None)

    def create_transfer(self, order):
        if order.idempotency_key not in self.by_key:
            reference = f"toy-transfer-{len(self.transfers) + 1}"
            self.by_key[order.idempotency_key] = reference
            self.transfers[reference] = TransferFacts(
                reference=reference,
                ref=order.ref,
                destination=order.destination,
                amount_cents=order.amount_cents,
                reversed_cents=0,
                currency=order.currency,
                livemode=False,
                created_at=database_now(),
                movement=self._movement(
                    f"prize-{reference}", MovementKind.TRANSFER, -order.amount_cents, order.currency
                ),
            )
        return self.transfers[self.by_key[order.idempotency_key]]

    def find_transfer(self, *, ref):
        return next((one for one in self.transfers.values() if one.ref == ref), None)

    def fetch_transfer(self, reference):
        if reference not in self.transfers:
            raise NotThere(reference)
        return self.transfers[reference]

    def fetch_payout(self, reference):
        raise NotThere(reference)

    def movements_page(self, *, since, until, after):
        return self._page([one for one in self._moved() if since <= one.movement.occurred_at < until], after)

    def objects_page(self, kind, *, since, until, after):
        if kind != ObjectKind.SESSION:
            return Page()
        listed = [
            ListedObject(
                kind=kind, object_id=one.reference, status=str(one.state), amount_cents=one.amount_cents,
                currency=one.currency, livemode=False, made_at=one.opened_at, origin=one.origin,
                charge_id="" if one.charge is None else one.charge.id,
            )
            for one in self.sessions.values() if since <= one.opened_at < until
        ]  # fmt: skip
        return self._page(listed, after)

    def movements_of_payout(self, reference, *, after):
        raise NotThere(reference)

    def balance(self):
        cents = {}
        for one in self._moved():
            cents[one.movement.currency] = cents.get(one.movement.currency, 0) + one.movement.net_cents
        return Balance(False, cents)

    def read_notice(self, body, signature):
        if not hmac.compare_digest(hmac.new(SECRET, body, hashlib.sha256).hexdigest(), signature):
            raise SignatureInvalid
        event = json.loads(body)
        return Notice(
            event_id=event["id"],
            event_type=event["type"],
            object_id=event["subject"]["id"],
            livemode=False,
            payload={"data": {"object": event["subject"]}},
        )

    def fetch_notice(self, event_id):
        raise NotThere(event_id)

    def missed_notices(self, *, since):
        return iter(self.missed)

    def _paid(self, charge_id):
        found = (one for one in self.sessions.values() if one.charge is not None and one.charge.id == charge_id)
        session = next(found, None)
        if session is None:
            raise NotThere(charge_id)
        return session

    def _moved(self):
        paid = [one for one in self.sessions.values() if one.charge is not None]
        charged = [
            self._listed(self.fetch_charge(one.charge.id).movement, SourceKind.CHARGE, one.charge, one) for one in paid
        ]
        refunded = [
            self._listed(one.movement, SourceKind.REFUND, one, self._paid(one.charge_id))
            for one in self.refunds.values()
        ]
        return sorted([*charged, *refunded], key=lambda one: one.movement.occurred_at)

    def _listed(self, movement, kind, source, session):
        name = source.id if kind == SourceKind.CHARGE else source.reference
        return ListedMovement(
            movement, False, kind, name, source.amount_cents, source.currency, session.charge.id, session.origin
        )

    def _page(self, rows, after):
        """Two to a page, so that a test of paging needs three."""
        begin = int(after or 0)
        following = begin + 2 if begin + 2 < len(rows) else None
        return Page(tuple(reversed(rows))[begin : begin + 2], None if following is None else str(following))

    def _movement(self, reference, kind, amount_cents, currency, fee=0, at=None):
        return MovementFacts(reference, kind, str(kind), amount_cents, fee, currency, at or database_now())
