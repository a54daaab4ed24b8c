"""Ways in through somebody else: begun, brought back, used, listed, taken away.

A browser is sent to the provider and comes back with a code of theirs; we learn from the provider who it is, and send
the browser on to the client with a code of ours. The client shows that code, with the verifier whose hash it gave at
the beginning, and gets a session. Each step works once, and all of them within minutes.

Whose account it is: the one that this account at the provider is linked to. Where there is none, the one with the same
address of mail, if the provider vouches for the address and it was proved to us as well. Otherwise a new one, once its
owner has said what the law wants to know; nothing is kept before.
"""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare

from accounts.models import Login, SignInAttempt, User
from accounts.oidc.failures import OidcFailed, ProviderAway
from accounts.oidc.protocol import Identity, begin_trip, end_trip
from accounts.oidc.providers import Provider, provider_named
from accounts.services import details
from accounts.services.closing import forgets
from accounts.services.eligibility import check_place
from accounts.services.exclusions import follow_address
from accounts.services.one_time_codes import pass_second_factor
from accounts.services.own_data import Row, section
from accounts.services.registration import EmailTaken, refuse_reserved
from accounts.services.sessions import InvalidCredentials, SignedIn, begin_session
from config import audit, housekeeping, outbox
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.constraints import meaning_of
from config.errors import Code, Conflict, Forbidden, NotFound, ProviderFailed, Refused, Unauthenticated, invalid
from config.locks import advisory_lock

LINKED_MAIL = "mail.login_linked"
# From the click to the provider and back: people look for their password there.
TRIP_LASTS = timedelta(minutes=15)
# From the provider to the session: enough to type a one-time code, or one's date of birth.
CODE_LASTS = timedelta(minutes=10)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
PROFILE = ("display_name", "date_of_birth", "country", "region")


class Outcome(StrEnum):
    """What the client is told, in the address it is sent back to, when there is no code."""

    CANCELLED = "SIGN_IN_CANCELLED"
    FAILED = "SIGN_IN_FAILED"
    PROVIDER = "PROVIDER_ERROR"


class SignInFailed(Unauthenticated):
    """A way back that does not fit its way there: unknown, too late, used, another browser or another client."""

    def __init__(self) -> None:
        super().__init__(Code.SIGN_IN_FAILED, "This sign-in is not valid, or not any more. Begin anew.")


class ProfileIncomplete(Refused):
    """Somebody new: there is no account until they have said this."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(
            Code.PROFILE_INCOMPLETE,
            "You are new here: send the same call with `profile`.",
            {"fields": list(PROFILE), "email": identity.email, "display_name": identity.name[: details.NAME_LENGTH]},
        )


class AddressNotProved(Forbidden):
    """No account can be found or made by an address that somebody only claims."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.EMAIL_NOT_VERIFIED, message)


@dataclass(frozen=True)
class Departure:
    """Where to send the browser, and the mark it must bring back."""

    address: str
    browser: str


@dataclass(frozen=True)
class Recognised:
    """Who came back, and with which attempt; the person, where we know them."""

    attempt_id: int
    provider: Provider
    identity: Identity
    user: User | None


def begin_sign_in(*, provider: Provider, return_to: str, challenge: str, now: datetime) -> Departure:
    """Send a browser to the provider. Refuses addresses that are not in SIGN_IN_RETURNS, with PROVIDER_ERROR one that
    does not answer.
    """
    return_to = return_to or settings.SIGN_IN_RETURNS[0]
    if return_to not in settings.SIGN_IN_RETURNS:
        raise invalid("return_to", "This address is not among those that a sign-in may come back to.")
    if not CHALLENGE.fullmatch(challenge):
        raise invalid("code_challenge", "The SHA-256 of your verifier in base64url, 43 characters.")
    try:
        trip = begin_trip(provider, callback=callback_of(provider))
    except OidcFailed as failure:
        raise ProviderFailed(Code.PROVIDER_ERROR, f"{provider.name} does not answer as it should.") from failure
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


def end_sign_in(*, provider: Provider, state: str, code: str, issuer: str, browser: str) -> str:
    """Where to send the browser that came back: the client's address, with our code or with what went wrong.

    `code` is empty where the person changed their mind. Refuses with SIGN_IN_FAILED what is no way back of one that
    this browser began here: nobody is sent anywhere then.
    """
    attempt = SignInAttempt.objects.begun().filter(state_digest=_digest(state), provider=provider.id).first()
    if attempt is None or not constant_time_compare(attempt.browser_digest, _digest(browser)):
        raise SignInFailed
    # Of any number at once, one goes on.
    if not SignInAttempt.objects.begun().filter(pk=attempt.pk).update(returned_at=ClockTimestamp()):
        raise SignInFailed
    if not code:
        return _back(attempt, error=Outcome.CANCELLED)
    # RFC 9207: an answer that names its issuer was not swapped for another provider's.
    if issuer and issuer != provider.issuer:
        return _failed(attempt, provider)
    kept = json.loads(attempt.kept)
    try:
        identity = end_trip(
            provider, code=code, callback=callback_of(provider), nonce=kept["nonce"], verifier=kept["verifier"]
        )
    except ProviderAway:
        return _back(attempt, error=Outcome.PROVIDER)
    except OidcFailed:
        return _failed(attempt, provider)
    ours = secrets.token_urlsafe(32)
    SignInAttempt.objects.filter(pk=attempt.pk).update(
        code_digest=_digest(ours), kept=json.dumps(asdict(identity)), expires_at=database_now() + CODE_LASTS
    )
    return _back(attempt, code=ours)


def recognise(*, code: str, verifier: str) -> Recognised:
    """Who the code of ours stands for. It is not spent by asking. Refuses with SIGN_IN_FAILED."""
    attempt = SignInAttempt.objects.redeemable().filter(code_digest=_digest(code)).first()
    if attempt is None or not constant_time_compare(attempt.challenge, _challenge(verifier)):
        raise SignInFailed
    identity = Identity(**json.loads(attempt.kept))
    return Recognised(attempt.pk, provider_named(attempt.provider), identity, _owner(identity))


@transaction.atomic
def sign_in_with(
    *, known: Recognised, otp: str, profile: Mapping[str, Any] | None, address: str, user_agent: str, now: datetime
) -> SignedIn:
    """Begin a session for somebody a provider vouched for; the code is spent, unless this refuses.

    Links or makes the account where there is none. Refuses with PROFILE_INCOMPLETE somebody new who has not said what
    is asked, with EMAIL_NOT_VERIFIED where an address is not proved on both sides, as registration does, and as
    `pass_second_factor` does.
    """
    spent = SignInAttempt.objects.redeemable().filter(pk=known.attempt_id)
    if not spent.update(spent_at=ClockTimestamp()):
        raise SignInFailed
    identity = known.identity
    # Two sign-ins of somebody new at once must not make two accounts.
    advisory_lock(f"accounts.login {identity.issuer} {identity.subject}")
    user = _owner(identity)
    user = _new_user(identity, profile, now) if user is None else User.objects.locked().get(pk=user.pk)
    login = Login.objects.locked().filter(issuer=identity.issuer, subject=identity.subject).first()
    if not user.is_active or (login is not None and login.user_id != user.pk):
        raise InvalidCredentials
    attribute(by=user)
    has_second_factor = pass_second_factor(user=user, otp=otp, now=now)
    if login is None:
        login = _link(user, known.provider, identity)
    Login.objects.filter(pk=login.pk).update(last_used_at=ClockTimestamp())
    User.objects.filter(pk=user.pk).update(last_login=ClockTimestamp())
    audit.record(action="login.used", subject=login, person=user, by=user, data={"provider": known.provider.id})
    pair = begin_session(user=user, address=address, user_agent=user_agent, has_second_factor=has_second_factor)
    return SignedIn(user, pair)


@transaction.atomic
def unlink(*, user: User, login_id: int) -> None:
    """Take a way in away. Refuses with NOT_FOUND what is not theirs, with INVALID_TRANSITION the last one."""
    user = User.objects.locked().get(pk=user.pk)
    attribute(by=user)
    own = Login.objects.filter(user=user)
    login = own.filter(pk=login_id).first()
    if login is None:
        raise NotFound(Code.NOT_FOUND, "There is no such login of yours.")
    if not user.has_usable_password() and own.count() == 1:
        raise Conflict(Code.INVALID_TRANSITION, "This is your only way in. Set a password first.")
    login.delete()


@forgets
def forget_logins(user: User) -> None:
    """The account is closed."""
    Login.objects.filter(user=user).delete()


@section("logins")
def own_logins(user: User) -> Iterable[Row]:
    """Where else they sign in from."""
    yield from (
        Login.objects.filter(user=user)
        .order_by("id")
        .values("provider", "issuer", "subject", "created_at", "last_used_at")
        .iterator(chunk_size=500)
    )


@housekeeping.forgets(
    "sign-ins through a provider", "when their minutes are over", task="accounts.tasks.forget_sign_in_attempts"
)
def forget_attempts(*, now: datetime, limit: int = 10_000) -> int:
    """Delete sign-ins that ended or came to nothing, with whom they named; how many."""
    old = SignInAttempt.objects.filter(expires_at__lt=now).order_by("expires_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    SignInAttempt.objects.filter(pk__in=ids).delete()
    return len(ids)


def _owner(identity: Identity) -> User | None:
    """Whose account it is, or will be; None for somebody new."""
    login = Login.objects.select_related("user").filter(issuer=identity.issuer, subject=identity.subject).first()
    if login is not None:
        return login.user
    if not identity.email or not identity.email_verified:
        raise AddressNotProved("Your provider does not vouch for your e-mail address. Verify it there, or register.")
    user = User.objects.filter(email=identity.email).first()
    if user is not None and not user.email_verified:
        # Anybody may have registered it. Setting a new password by mail proves it, and shuts them out.
        raise AddressNotProved(
            "There is an account with this address that nobody has proved to be theirs. Reset its password, then link."
        )
    return user


def _new_user(identity: Identity, profile: Mapping[str, Any] | None, now: datetime) -> User:
    if profile is None:
        raise ProfileIncomplete(identity)
    fields = details.cleaned(
        {
            "email": (details.clean_email, identity.email),
            "display_name": (details.clean_display_name, profile["display_name"]),
            "date_of_birth": (details.birth_check(now.date()), profile["date_of_birth"]),
            "country": (details.clean_country, profile["country"]),
            "region": (details.clean_region, profile["region"]),
        }
    )
    user = User(**fields, password=make_password(None), email_verified_at=now)
    check_place(country=user.country, region=user.region, date_of_birth=user.date_of_birth, today=now.date())
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        meaning = meaning_of(error)
        if meaning is None or meaning.code is not Code.EMAIL_TAKEN:
            raise
        raise EmailTaken from error
    refuse_reserved(user.email)
    # As with an address proved by a link.
    follow_address(user=user, now=now)
    return User.objects.locked().get(pk=user.pk)


def _link(user: User, provider: Provider, identity: Identity) -> Login:
    if Login.objects.filter(user=user, issuer=identity.issuer).exists():
        # Another account at the same provider opens it: whoever has the address there now may be somebody else.
        raise InvalidCredentials
    if user.email != identity.email or not identity.email_verified or not user.email_verified:
        # It changed while we waited for the lock.
        raise SignInFailed
    login = Login.objects.create(user=user, provider=provider.id, issuer=identity.issuer, subject=identity.subject)
    outbox.post(kind=LINKED_MAIL, key=f"{LINKED_MAIL}-{login.pk}", payload={"login": login.pk})
    return login


def _failed(attempt: SignInAttempt, provider: Provider) -> str:
    audit.record(action="sign_in.failed", anonymous=True, data={"why": "provider", "provider": provider.id})
    return _back(attempt, error=Outcome.FAILED)


def _back(attempt: SignInAttempt, **said: str) -> str:
    return f"{attempt.return_to}?{urlencode(said)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
