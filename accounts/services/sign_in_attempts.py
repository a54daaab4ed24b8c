"""The way to a provider and back: a browser leaves, comes back with a code of theirs, and takes a code of ours along.

We learn from the provider who it is, and send the browser on to the client. The client shows our code with the verifier
whose hash it gave at the beginning; what becomes of it is `accounts.services.logins`. Each step works once, and all of
them within minutes.
"""

import base64
import hashlib
import json
import logging
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from django.conf import settings
from django.utils.crypto import constant_time_compare

from accounts.models import SignInAttempt
from accounts.oidc.failures import OidcFailed, ProviderAway
from accounts.oidc.protocol import Identity, begin_trip, end_trip
from accounts.oidc.providers import Provider, provider_named
from config import audit, housekeeping
from config.clock import ClockTimestamp, database_now
from config.errors import Code, ProviderFailed, Unauthenticated, invalid
from config.phrases import phrase

logger = logging.getLogger(__name__)

# From the click to the provider and back: people look for their password there.
TRIP_LASTS = timedelta(minutes=15)
# From the provider to the session: enough to type a one-time code, or one's date of birth.
CODE_LASTS = timedelta(minutes=10)
# What providers answer in place of a code (RFC 6749, 4.1.2.1; the second is Apple's).
OF_THE_PERSON = frozenset({"access_denied", "user_cancelled_authorize"})
OF_THE_MOMENT = frozenset({"server_error", "temporarily_unavailable"})
ERROR_CODE = re.compile(r"[a-z_]{1,40}")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class Outcome(StrEnum):
    """What the client is told, in the address it is sent back to, when there is no code."""

    CANCELLED = "SIGN_IN_CANCELLED"
    FAILED = "SIGN_IN_FAILED"
    PROVIDER = "PROVIDER_ERROR"


class SignInFailed(Unauthenticated):
    """A way back that does not fit its way there: unknown, too late, used, another browser or another client."""

    def __init__(self) -> None:
        super().__init__(Code.SIGN_IN_FAILED, "This sign-in is not valid, or not any more. Begin anew.")


@dataclass(frozen=True)
class Departure:
    """Where to send the browser, and the mark it must bring back."""

    address: str
    browser: str


@dataclass(frozen=True)
class Arrival:
    """Somebody who came back, by one attempt through one provider."""

    attempt_id: int
    provider: Provider
    identity: Identity


def begin_sign_in(*, provider: Provider, return_to: str, challenge: str, anew: bool, now: datetime) -> Departure:
    """Send a browser to the provider, which is to ask who it is even of somebody signed in there, if `anew`.

    Refuses addresses that are not in SIGN_IN_RETURNS, with PROVIDER_ERROR a provider that does not answer.
    """
    return_to = return_to or settings.SIGN_IN_RETURNS[0]
    if return_to not in settings.SIGN_IN_RETURNS:
        raise invalid("return_to", "This address is not among those that a sign-in may come back to.")
    if not CHALLENGE.fullmatch(challenge):
        raise invalid("code_challenge", "The SHA-256 of your verifier in base64url, 43 characters.")
    try:
        trip = begin_trip(provider, callback=callback_of(provider), anew=anew)
    except OidcFailed as failure:
        logger.warning("nobody can be sent to %s: %s", provider.id, failure)
        raise ProviderFailed(
            Code.PROVIDER_ERROR, phrase("{provider} does not answer as it should.", provider=provider.name)
        ) from failure
    browser = secrets.token_urlsafe(32)
    SignInAttempt.objects.create(
        provider=provider.id,
        return_to=return_to,
        challenge=challenge,
        state_digest=_digest(trip.state),
        browser_digest=_digest(browser),
        kept=json.dumps({"nonce": trip.nonce, "verifier": trip.verifier}),
        expires_at=now + TRIP_LASTS,
    )
    return Departure(trip.address, browser)


def callback_of(provider: Provider) -> str:
    """Where the provider sends browsers back to; registered there."""
    return f"{settings.PUBLIC_URL}/api/v1/auth/{provider.id}/callback"


def end_sign_in(*, provider: Provider, state: str, code: str, error: str, issuer: str, browser: str) -> str:
    """Where to send the browser that came back: the client's address, with our code or with what went wrong.

    Either `code` or `error` is the provider's answer. Refuses with SIGN_IN_FAILED what is no way back of one that this
    browser began here: nobody is sent anywhere then.
    """
    attempt = SignInAttempt.objects.begun().filter(state_digest=_digest(state), provider=provider.id).first()
    if attempt is None or not constant_time_compare(attempt.browser_digest, _digest(browser)):
        raise SignInFailed
    # Of any number at once, one goes on.
    if not SignInAttempt.objects.begun().filter(pk=attempt.pk).update(returned_at=ClockTimestamp()):
        raise SignInFailed
    # RFC 9207: an answer that names its issuer was not swapped for another provider's.
    if issuer and issuer != provider.issuer:
        return _failed(attempt, provider, "an answer in the name of another issuer")
    if error in OF_THE_PERSON:
        return _back(attempt, error=Outcome.CANCELLED)
    if error in OF_THE_MOMENT:
        logger.warning("a sign-in through %s came to nothing: %s", provider.id, error)
        return _back(attempt, error=Outcome.PROVIDER)
    if error or not code:
        return _failed(attempt, provider, error if ERROR_CODE.fullmatch(error) else "no code")
    kept = json.loads(attempt.kept)
    try:
        identity = end_trip(
            provider, code=code, callback=callback_of(provider), nonce=kept["nonce"], verifier=kept["verifier"]
        )
    except ProviderAway as failure:
        logger.warning("a sign-in through %s came to nothing: %s", provider.id, failure)
        return _back(attempt, error=Outcome.PROVIDER)
    except OidcFailed as failure:
        return _failed(attempt, provider, str(failure))
    ours = secrets.token_urlsafe(32)
    SignInAttempt.objects.filter(pk=attempt.pk).update(
        code_digest=_digest(ours), kept=json.dumps(asdict(identity)), expires_at=database_now() + CODE_LASTS
    )
    return _back(attempt, code=ours)


def arrival_of(*, code: str, verifier: str) -> Arrival:
    """Who a code of ours stands for. It is not spent by asking. Refuses with SIGN_IN_FAILED."""
    attempt = SignInAttempt.objects.redeemable().filter(code_digest=_digest(code)).first()
    if attempt is None or not constant_time_compare(attempt.challenge, _challenge(verifier)):
        raise SignInFailed
    return Arrival(attempt.pk, provider_named(attempt.provider), Identity(**json.loads(attempt.kept)))


def spend(arrival: Arrival) -> None:
    """Use up its code, in the transaction that does something for it. Refuses with SIGN_IN_FAILED a second time."""
    spent = SignInAttempt.objects.redeemable().filter(pk=arrival.attempt_id)
    if not spent.update(spent_at=ClockTimestamp()):
        raise SignInFailed


@housekeeping.forgets(
    "sign-ins through a provider", "when their minutes are over", task="accounts.tasks.forget_sign_in_attempts"
)
def forget_attempts(*, now: datetime, limit: int = 10_000) -> int:
    """Delete sign-ins that ended or came to nothing, with whom they named; how many."""
    old = SignInAttempt.objects.filter(expires_at__lt=now).order_by("expires_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    SignInAttempt.objects.filter(pk__in=ids).delete()
    return len(ids)


def _failed(attempt: SignInAttempt, provider: Provider, why: str) -> str:
    logger.warning("a sign-in through %s was refused: %s", provider.id, why)
    audit.record(action="sign_in.failed", anonymous=True, data={"why": "provider", "provider": provider.id})
    return _back(attempt, error=Outcome.FAILED)


def _back(attempt: SignInAttempt, **said: str) -> str:
    return f"{attempt.return_to}?{urlencode(said)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
