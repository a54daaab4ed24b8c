"""The port's promises, kept with Stripe's calls."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings

from config.clock import database_now
from payments.models import ObjectKind, Provider
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
from payments.providers.faults import NotThere, Rejected, SignatureInvalid
from payments.providers.notices import Notice, notice_of, parse_notice
from payments.providers.stripe.charges import charge_facts, refund_facts, refund_params
from payments.providers.stripe.client import Api, Json, is_signed
from payments.providers.stripe.listings import LISTINGS, balance_of, listed_movement
from payments.providers.stripe.payouts import payout_facts
from payments.providers.stripe.sessions import facts_of, origin_of, session_params
from payments.providers.stripe.transfers import transfer_facts, transfer_params

logger = logging.getLogger(__name__)

LIVE_KEYS = ("sk_live_", "rk_live_")
# Stripe lists the newest first; so much at a time is held in memory to be turned around.
LOOKED_AT_ONCE = timedelta(hours=1)


def adapter() -> "StripeProvider":
    """The adapter for the settings as they are; one client, with its connections, per process."""
    return _adapter(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.OUTLAST_PROCESS == "web")


@lru_cache(maxsize=4)
def _adapter(key: str, base: str | None, is_web: bool) -> "StripeProvider":
    return StripeProvider(Api(key, base, is_web=is_web), livemode=key.startswith(LIVE_KEYS))


class StripeProvider:
    """See `PaymentProvider` for what each method promises."""

    def __init__(self, api: Api, *, livemode: bool) -> None:
        self.name: str = Provider.STRIPE
        self.livemode = livemode
        self.signature_header = "Stripe-Signature"
        self._api = api

    def create_session(self, order: Order) -> SessionFacts:
        """One line, one price, from the snapshot alone; delayed methods and price conversion stay off."""
        return facts_of(self._api.create_session(session_params(order), order.idempotency_key))

    def find_session(self, *, ref: str, since: datetime, until: datetime) -> SessionFacts | None:
        """Looks through the sessions of that time: Stripe cannot be asked for a `client_reference_id`."""
        found = self.sessions_between(since=since, until=until)
        return next((facts for facts in found if facts.ref == ref), None)

    def sessions_between(self, *, since: datetime, until: datetime) -> Iterator[SessionFacts]:
        """Newest first, a page at a time."""
        return (facts_of(session) for session in self._api.sessions(since=since, until=until))

    def fetch(self, reference: str) -> SessionFacts:
        """The session with its intent and last charge, in one call."""
        return facts_of(self._api.session(reference))

    def expire(self, reference: str) -> SessionFacts:
        """What is not open any more cannot be expired; what it is instead, `fetch` tells."""
        try:
            self._api.expire_session(reference)
        except Rejected:
            logger.info("session %s was not open any more", reference)
        return self.fetch(reference)

    def fetch_charge(self, charge_id: str) -> ChargeFacts:
        """Three calls: Stripe puts neither refunds nor disputes into the charge."""
        charge = self._api.charge(charge_id)
        if not (charge["paid"] or charge.get("balance_transaction")):
            # A card that was declined leaves a charge as well, and no money ever came with it.
            raise NotThere("a charge that was never paid")
        return charge_facts(charge, self._api.refunds_of(charge_id), self._api.disputes_of(charge_id))

    def origin_of_charge(self, charge_id: str) -> Origin:
        """Stripe copies the intent's metadata to the charge."""
        return origin_of(self._api.charge(charge_id))

    def create_refund(self, order: RefundOrder) -> RefundFacts:
        """Marked with our ref, so that it can be found although the answer was lost."""
        return refund_facts(self._api.create_refund(refund_params(order), order.idempotency_key), self.livemode)

    def find_refund(self, *, ref: str, charge_id: str) -> RefundFacts | None:
        """Looks through the refunds of the charge for our mark."""
        found = (refund_facts(refund, self.livemode) for refund in self._api.refunds_of(charge_id))
        return next((facts for facts in found if facts.ref == ref), None)

    def create_transfer(self, order: TransferOrder) -> TransferFacts:
        """Marked with our ref, and grouped under it, so that it can be found although the answer was lost."""
        return transfer_facts(self._api.create_transfer(transfer_params(order), order.idempotency_key))

    def find_transfer(self, *, ref: str) -> TransferFacts | None:
        """By the group, and our mark on it: a group is a word that anybody may use."""
        found = (transfer_facts(one) for one in self._api.transfers_of(ref))
        return next((facts for facts in found if facts.ref == ref), None)

    def fetch_transfer(self, reference: str) -> TransferFacts:
        """The transfer with the movements of its going and coming back, in one call."""
        return transfer_facts(self._api.transfer(reference))

    def fetch_payout(self, reference: str) -> BankPayoutFacts:
        """The payout with both of its movements, in one call."""
        return payout_facts(self._api.payout(reference))

    def movements_page(self, *, since: datetime, until: datetime, after: str | None) -> Page[ListedMovement]:
        """The balance transactions of that time, each with its source in full."""
        return self._movements(_bounds(since, until), after)

    def movements_of_payout(self, reference: str, *, after: str | None) -> Page[ListedMovement]:
        """Stripe itemises automatic payouts alone, once their reconciliation is completed."""
        return self._movements({"payout": reference}, after)

    def objects_page(
        self, kind: ObjectKind, *, since: datetime, until: datetime, after: str | None
    ) -> Page[ListedObject]:
        """One of Stripe's lists; the expansions are those that its rows cannot be read without."""
        listing = LISTINGS[kind]
        expand = {"expand": [f"data.{name}" for name in listing.expand]} if listing.expand else {}
        found, following = self._page(listing.path, {**_bounds(since, until), **expand}, after)
        return Page(tuple(listing.read(one, self.livemode) for one in found), following)

    def balance(self) -> Balance:
        """In one call."""
        return balance_of(self._api.balance())

    def read_notice(self, body: bytes, signature: str) -> Notice:
        """Proved with any of the configured secrets, so that two are good while they are rotated.

        Endpoints for snapshots and for thin events have secrets of their own, and may share our address.
        """
        secrets = (*settings.STRIPE_WEBHOOK_SECRETS, *settings.STRIPE_THIN_WEBHOOK_SECRETS)
        if not any(is_signed(body, signature, secret) for secret in secrets):
            raise SignatureInvalid
        return parse_notice(body)

    def fetch_notice(self, event_id: str) -> Notice:
        """Stripe keeps events for 30 days."""
        return notice_of(self._api.event(event_id))

    def missed_notices(self, *, since: datetime) -> Iterator[Notice]:
        """Stripe lists what it could not deliver for 30 days, as snapshots."""
        now = database_now()
        while True:
            # The last look is open at its end: Stripe's clock may be ahead of ours.
            until = since + LOOKED_AT_ONCE if since + LOOKED_AT_ONCE < now else None
            for event in reversed(list(self._api.undelivered_events(since=since, before=until))):
                yield notice_of(event)
            if until is None:
                return
            since = until

    def _movements(self, narrowing: Json, after: str | None) -> Page[ListedMovement]:
        found, following = self._page("/v1/balance_transactions", {**narrowing, "expand": ["data.source"]}, after)
        return Page(tuple(listed_movement(one, self.livemode) for one in found), following)

    def _page(self, path: str, params: Json, after: str | None) -> tuple[list[Json], str | None]:
        """The rows, and where the next page begins."""
        page = self._api.page(path, params if after is None else {**params, "starting_after": after})
        found: list[Json] = page["data"]
        return found, found[-1]["id"] if found and page["has_more"] else None


def _bounds(since: datetime, until: datetime) -> Json:
    """Stripe dates by the second."""
    return {"created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())}}
