"""Every call of Stripe's official client, and what its errors mean. It sends through `transport`.

The API version is pinned, timeouts and retries are said aloud (the client's own are 80 seconds and none), and every
answer leaves the client's objects through one `.to_dict()`. A web thread is held for six seconds at most by one call;
workers may wait longer. No call is made inside a transaction.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import stripe

from config import metrics
from config.http import refuse_inside_transaction
from payments import figures
from payments.providers.faults import (
    AtWork,
    Busy,
    ClocksDiffer,
    Faulted,
    NotThere,
    ProviderError,
    RateLimited,
    Rejected,
    Unclear,
    Unreachable,
)
from payments.providers.stripe.transport import Transport, was_never_sent

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams as RefundCreateParams
    from stripe.params import TransferCreateParams as TransferCreateParams
    from stripe.params.checkout import SessionCreateParams as SessionCreateParams

logger = logging.getLogger(__name__)

# Never more than a few: what a key stands for is fixed when it is made, save for names that staff may change.
KEYS_MISUSED = metrics.counter("payment_keys_misused", "Calls under a key that stood for something else: our mistake.")

Json = dict[str, Any]

API_VERSION = "2026-10-28.endive"
SIGNATURE_TOLERANCE_SECONDS = 300
# (connect, read) in seconds, and how often the client tries again under the same idempotency key.
WEB_TIMEOUT, WEB_RETRIES = (1.0, 2.5), 1
WORKER_TIMEOUT, WORKER_RETRIES = (3.05, 20.0), 2
# A slow Stripe must not take every thread of a web process: the others go on serving picks.
WEB_CALLS_AT_ONCE, WEB_PATIENCE_SECONDS = 2, 1.0
PAGE = 100
WITH_CHARGE = ["payment_intent.latest_charge"]
WITH_MOVEMENTS = ["balance_transaction", "failure_balance_transaction"]
WITH_REVERSALS = ["balance_transaction", "reversals.data.balance_transaction"]

_web_calls = threading.BoundedSemaphore(WEB_CALLS_AT_ONCE)
# The client tells of every call, in Stripe's own sentences; ours are one line each, and name nobody.
logging.getLogger("stripe").setLevel(logging.WARNING)


class Api:
    """Stripe's calls as we make them: plain parameters in, plain dictionaries out."""

    def __init__(self, key: str, base: str | None, *, is_web: bool) -> None:
        stripe.enable_telemetry = False
        connect, read = WEB_TIMEOUT if is_web else WORKER_TIMEOUT
        client = stripe.StripeClient(
            key,
            stripe_version=API_VERSION,
            base_addresses={"api": base} if base else None,
            max_network_retries=WEB_RETRIES if is_web else WORKER_RETRIES,
            http_client=Transport(connect=connect, read=read),
        )
        self._client, self._v1 = client, client.v1
        self._is_web = is_web

    def create_session(self, params: "SessionCreateParams", key: str) -> Json:
        """A session, or the one made before under the key."""
        with self._call(otherwise=Unclear):
            return self._v1.checkout.sessions.create(params, {"idempotency_key": key}).to_dict()

    def session(self, reference: str) -> Json:
        """A session with its intent and last charge."""
        with self._call():
            return self._v1.checkout.sessions.retrieve(reference, params={"expand": WITH_CHARGE}).to_dict()

    def sessions(self, *, since: datetime, until: datetime) -> Iterator[Json]:
        """Every session opened in that time, newest first, with its intent and last charge."""
        created = {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
        expand = [f"data.{name}" for name in WITH_CHARGE]
        return self._each(self._v1.checkout.sessions.list, {"created": created, "expand": expand})

    def expire_session(self, reference: str) -> None:
        """Refused (`Rejected`) unless it is open."""
        with self._call():
            self._v1.checkout.sessions.expire(reference)

    def charge(self, charge_id: str) -> Json:
        """A charge with what it moved, also where the bank took it back later."""
        with self._call():
            return self._v1.charges.retrieve(charge_id, params={"expand": WITH_MOVEMENTS}).to_dict()

    def refunds_of(self, charge_id: str) -> list[Json]:
        """Every refund of a charge, newest first, with what it moved."""
        expand = [f"data.{name}" for name in WITH_MOVEMENTS]
        return list(self._each(self._v1.refunds.list, {"charge": charge_id, "expand": expand}))

    def create_refund(self, params: "RefundCreateParams", key: str) -> Json:
        """A refund with what it moved, or the one made before under the key."""
        with self._call(otherwise=Unclear):
            return self._v1.refunds.create({**params, "expand": WITH_MOVEMENTS}, {"idempotency_key": key}).to_dict()

    def disputes_of(self, charge_id: str) -> list[Json]:
        """Every dispute of a charge, newest first; their movements are part of them."""
        return list(self._each(self._v1.disputes.list, {"charge": charge_id}))

    def create_transfer(self, params: "TransferCreateParams", key: str) -> Json:
        """A transfer with what it moved, or the one made before under the key."""
        with self._call(otherwise=Unclear):
            return self._v1.transfers.create({**params, "expand": WITH_REVERSALS}, {"idempotency_key": key}).to_dict()

    def transfer(self, reference: str) -> Json:
        """A transfer with what it moved, and what came back of it."""
        with self._call():
            return self._v1.transfers.retrieve(reference, params={"expand": WITH_REVERSALS}).to_dict()

    def transfers_of(self, group: str) -> list[Json]:
        """Every transfer of that group, newest first, with what it moved."""
        expand = [f"data.{name}" for name in WITH_REVERSALS]
        return list(self._each(self._v1.transfers.list, {"transfer_group": group, "expand": expand}))

    def payout(self, reference: str) -> Json:
        """A payout to our bank, with its movement, and the one of its return."""
        with self._call():
            return self._v1.payouts.retrieve(reference, params={"expand": WITH_MOVEMENTS}).to_dict()

    def event(self, event_id: str) -> Json:
        """An event as it was told, or would have been."""
        with self._call():
            return self._v1.events.retrieve(event_id).to_dict(for_json=True)

    def undelivered_events(self, *, since: datetime, before: datetime | None) -> Iterator[Json]:
        """Events of that time that reached no endpoint, newest first."""
        created = {"gte": int(since.timestamp())}
        if before is not None:
            created["lt"] = int(before.timestamp())
        return self._each(self._v1.events.list, {"created": created, "delivery_success": False})

    def page(self, path: str, params: Json) -> Json:
        """One page of any list, with its rows as they came: objects of the client's would cost seven times as much."""
        return self._read(path, {**params, "limit": PAGE})

    def balance(self) -> Json:
        """What Stripe keeps for us at this moment."""
        return self._read("/v1/balance", {})

    def _read(self, path: str, params: Json) -> Json:
        with self._call():
            answer: Json = self._client.raw_request("get", path, **params).data
            return answer

    def _each(self, listing: Callable[[Any], stripe.ListObject[Any]], params: Json) -> Iterator[Json]:
        """All that a list has, page by page, each page in a call of its own."""
        after: Json = {}
        while True:
            with self._call():
                page = listing({**params, **after, "limit": PAGE})
                found = [one.to_dict(for_json=True) for one in page.data]
            yield from found
            if not page.has_more or not found:
                return
            after = {"starting_after": found[-1]["id"]}

    @contextmanager
    def _call(self, *, otherwise: Callable[[str], ProviderError] = Unreachable) -> Iterator[None]:
        """One call, outside any transaction, with Stripe's errors as ours. `otherwise`: what no answer means."""
        refuse_inside_transaction()
        with self._place_in_line():
            began, outcome = time.monotonic(), "done"
            try:
                yield
            except stripe.StripeError as error:
                found = _meaning_of(error, otherwise)
                outcome = type(found).__name__.lower()
                if isinstance(found, Unclear):
                    figures.UNKNOWN_OUTCOMES.inc()
                logger.warning("stripe, %s: %s", type(found).__name__, found)
                raise found from error
            finally:
                figures.CALL_SECONDS.labels(outcome).observe(time.monotonic() - began)

    @contextmanager
    def _place_in_line(self) -> Iterator[None]:
        if not self._is_web:
            yield
            return
        if not _web_calls.acquire(timeout=WEB_PATIENCE_SECONDS):
            raise Busy("too many calls of this process are under way")
        try:
            yield
        finally:
            _web_calls.release()


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Whether this secret signed these bytes within five minutes of now; the client checks the past alone."""
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, SIGNATURE_TOLERANCE_SECONDS)
        stamp = next(part for part in header.split(",") if part.startswith("t=")).split("=")[1]
        return int(stamp) <= time.time() + SIGNATURE_TOLERANCE_SECONDS
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        # Bytes that are no text, and headers that are no ASCII, are nobody's signature either.
        return False


def _meaning_of(error: stripe.StripeError, otherwise: Callable[[str], ProviderError]) -> ProviderError:
    """Which of our errors it is. Stripe's sentence may carry the caller's own words, so only its codes are kept."""
    said = f"{type(error).__name__} {error.http_status or 'no answer'} {error.code or ''}".strip()
    if isinstance(error, stripe.IdempotencyError):
        # The key was used with other parameters: a name changed in between. It will never fit again.
        KEYS_MISUSED.inc()
        return Faulted(said)
    if isinstance(error, stripe.RateLimitError):
        return RateLimited(said)
    if was_never_sent(error):
        return Unreachable(said)
    if error.http_status == 409:
        return AtWork(said)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        logger.error("Stripe refuses our key: %s", said)
        return Unreachable(said)
    if error.code == "resource_missing":
        return NotThere(said)
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError):
        return ClocksDiffer(said) if error.param == "expires_at" else Rejected(said)
    return Faulted(said) if otherwise is Unclear and error.http_status else otherwise(said)
