"""Stripe: Checkout Sessions and signed webhooks. The only module that imports the official client.

The API version is pinned, timeouts and retries are said aloud (the client's own are 80 seconds and none), and every
answer leaves the client's objects through one `.to_dict()`. A web thread is held for six seconds at most; workers
may wait longer. Amounts are in our minor units on this side, in Stripe's on the other.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import stripe
from django.conf import settings

from config.http import refuse_inside_transaction
from payments.models import Provider
from payments.providers.base import (
    AtWork,
    Busy,
    Charge,
    ClocksDiffer,
    Faulted,
    Notice,
    NotThere,
    Order,
    ProviderError,
    Rejected,
    SessionFacts,
    SessionState,
    SignatureInvalid,
    Unclear,
    Unreachable,
)
from payments.providers.notices import parse_notice

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

logger = logging.getLogger(__name__)

API_VERSION = "2026-10-28.endive"
LIVE_KEYS = ("sk_live_", "rk_live_")
SIGNATURE_TOLERANCE_SECONDS = 300
# (connect, read) in seconds, and how often the client tries again under the same idempotency key.
WEB_TIMEOUT, WEB_RETRIES = (1.0, 2.5), 1
WORKER_TIMEOUT, WORKER_RETRIES = (3.05, 20.0), 2
# A slow Stripe must not take every thread of a web process: the others go on serving picks.
WEB_CALLS_AT_ONCE, WEB_PATIENCE_SECONDS = 2, 1.0
# Methods that tell at once whether the money came.
PROMPT_METHODS = ["card", "link"]
WITH_CHARGE = ["payment_intent.latest_charge"]
# Stripe counts these in hundredths although the currency has none.
STRIPE_FACTORS = {"ugx": 100}

_web_calls = threading.BoundedSemaphore(WEB_CALLS_AT_ONCE)
# The client tells of every call, in Stripe's own sentences; ours are one line each, and name nobody.
logging.getLogger("stripe").setLevel(logging.WARNING)


def adapter() -> "StripeProvider":
    """The adapter for the settings as they are; one client, with its connections, per process."""
    return _adapter(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.OUTLAST_PROCESS == "web")


@lru_cache(maxsize=4)
def _adapter(key: str, base: str | None, is_web: bool) -> "StripeProvider":
    stripe.enable_telemetry = False
    client = stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        base_addresses={"api": base} if base else None,
        max_network_retries=WEB_RETRIES if is_web else WORKER_RETRIES,
        http_client=stripe.RequestsClient(timeout=WEB_TIMEOUT if is_web else WORKER_TIMEOUT),
    )
    return StripeProvider(client, livemode=key.startswith(LIVE_KEYS), is_web=is_web)


class StripeProvider:
    """See `PaymentProvider` for what each method promises."""

    def __init__(self, client: stripe.StripeClient, *, livemode: bool, is_web: bool) -> None:
        self.name: str = Provider.STRIPE
        self.livemode = livemode
        self._sessions = client.v1.checkout.sessions
        self._is_web = is_web

    def create_session(self, order: Order) -> SessionFacts:
        """One line, one price, from the snapshot alone; delayed methods and price conversion stay off."""
        with self._call(otherwise=Unclear):
            made = self._sessions.create(session_params(order), {"idempotency_key": order.idempotency_key})
            return facts_of(made.to_dict())

    def find_session(self, *, ref: str, since: datetime, until: datetime) -> SessionFacts | None:
        """Looks through the sessions of that time: Stripe cannot be asked for a `client_reference_id`."""
        with self._call(otherwise=Unreachable):
            page = self._sessions.list(
                params={"created": {"gte": int(since.timestamp()), "lte": int(until.timestamp())}, "limit": 100}
            )
            found = next((one.id for one in page.auto_paging_iter() if one.client_reference_id == ref), None)
        return None if found is None else self.fetch(found)

    def fetch(self, reference: str) -> SessionFacts:
        """The session with its intent and last charge, in one call."""
        with self._call(otherwise=Unreachable):
            return facts_of(self._sessions.retrieve(reference, params={"expand": WITH_CHARGE}).to_dict())

    def expire(self, reference: str) -> SessionFacts:
        """What is not open any more cannot be expired; what it is instead, `fetch` tells."""
        try:
            with self._call(otherwise=Unreachable):
                self._sessions.expire(reference)
        except Rejected:
            logger.info("session %s was not open any more", reference)
        return self.fetch(reference)

    def read_notice(self, body: bytes, signature: str) -> Notice:
        """Proved with any of the configured secrets, so that two are good while they are rotated."""
        if not any(_is_signed(body, signature, secret) for secret in settings.STRIPE_WEBHOOK_SECRETS):
            raise SignatureInvalid
        return parse_notice(body)

    @contextmanager
    def _call(self, *, otherwise: Callable[[str], ProviderError]) -> Iterator[None]:
        """One call, outside any transaction, with Stripe's errors as ours. `otherwise`: what no answer means."""
        refuse_inside_transaction()
        with self._place_in_line():
            try:
                yield
            except stripe.StripeError as error:
                found = _meaning_of(error, otherwise)
                logger.warning("stripe, %s: %s", type(found).__name__, found)
                raise found from error

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


def session_params(order: Order) -> "SessionCreateParams":
    """What Stripe is asked for. The metadata goes on the intent as well: Stripe does not copy it."""
    metadata = {
        "ref": order.ref,
        "kind": "entry_fee",
        "request": str(order.request_id),
        "pool": str(order.pool_id),
        "env": settings.OUTLAST_ENV,
    }
    page = f"{settings.PUBLIC_URL}/payments/return"
    params: SessionCreateParams = {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": order.currency,
                    "unit_amount": order.amount_cents * STRIPE_FACTORS.get(order.currency, 1),
                    "product_data": {"name": order.title[:250]},
                },
            }
        ],
        "client_reference_id": order.ref,
        "customer_email": order.email,
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata, "description": order.title[:1000]},
        "allowed_payment_method_types": PROMPT_METHODS,
        "adaptive_pricing": {"enabled": False},
        "submit_type": "pay",
        "success_url": f"{page}?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{page}?ref={order.ref}",
    }
    if order.expires_at is not None:
        params["expires_at"] = int(order.expires_at.timestamp())
    return params


def facts_of(session: dict[str, Any]) -> SessionFacts:
    """The few fields of a session that matter here; whatever Stripe adds to it is ignored."""
    intent = session.get("payment_intent")
    intent = intent if isinstance(intent, dict) else {}
    charge = _charge_of(intent)
    return SessionFacts(
        reference=session["id"],
        ref=session.get("client_reference_id") or "",
        state=_state_of(session, intent, charge),
        livemode=bool(session["livemode"]),
        expires_at=_instant(session["expires_at"]),
        url=session.get("url") or "",
        client_secret=session.get("client_secret") or "",
        failure=str((intent.get("last_payment_error") or {}).get("code") or ""),
        charge=charge,
    )


def _state_of(session: dict[str, Any], intent: dict[str, Any], charge: Charge | None) -> SessionState:
    if charge is not None:
        return SessionState.PAID
    if session["status"] in ("open", "expired"):
        return SessionState(session["status"])
    # Complete, and no money: a slow method still at work, or one that failed in the end.
    if intent.get("status") in ("requires_payment_method", "canceled"):
        return SessionState.FAILED
    return SessionState.PROCESSING


def _charge_of(intent: dict[str, Any]) -> Charge | None:
    """Money only where intent and charge agree that it was taken, and captured."""
    charge = intent.get("latest_charge")
    if intent.get("status") != "succeeded" or not isinstance(charge, dict):
        return None
    if not (charge["paid"] and charge["captured"]):
        return None
    currency = charge["currency"]
    return Charge(
        id=charge["id"],
        amount_cents=charge["amount_captured"] // STRIPE_FACTORS.get(currency, 1),
        currency=currency,
        paid_at=_instant(charge["created"]),
    )


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _meaning_of(error: stripe.StripeError, otherwise: Callable[[str], ProviderError]) -> ProviderError:
    """Which of our errors it is. Stripe's sentence may carry the caller's own words, so only its codes are kept."""
    said = f"{type(error).__name__} {error.http_status or 'no answer'} {error.code or ''}".strip()
    if isinstance(error, stripe.IdempotencyError):
        # The key was used with other parameters: a name changed in between. It will never fit again.
        return Faulted(said)
    if isinstance(error, stripe.RateLimitError):
        return Busy(said)
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


def _is_signed(body: bytes, header: str, secret: str) -> bool:
    """Whether this secret signed these bytes within five minutes of now; the client checks the past alone."""
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, SIGNATURE_TOLERANCE_SECONDS)
        stamp = next(part for part in header.split(",") if part.startswith("t=")).split("=")[1]
        return int(stamp) <= time.time() + SIGNATURE_TOLERANCE_SECONDS
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        # Bytes that are no text, and headers that are no ASCII, are nobody's signature either.
        return False
