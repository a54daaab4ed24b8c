"""How often somebody may try to sign in, so that nobody guesses, and nobody can shut a door before its owner.

Three counters, each kept by `config.api.ratelimit`:

* An account from one address: five wrong passwords in a quarter of an hour (`SIGN_IN`, counted by the doors themselves,
  with another one for the address alone).
* An account from strange places together: the more wrong passwords in a day, the longer each strange place waits
  between two of its tries (`PAUSES`). A place that has not failed yet always has one try, so whoever knows the password
  gets in, however busy an attacker is. A place the owner is known by waits for nobody else's failures.
* The one-time code, once the password was right: ten wrong ones in a quarter of an hour, fifty a day. Whoever guesses
  has the password, so strange places count together; a known one counts for itself, and stays open to its owner.

A known place is an address from which the owner's sessions began and were used in the last thirty days, or a browser
with the cookie that a sign-in left there. The cookie opens nothing: it only spares its holder strangers' failures, and
has five tries of its own, wherever it is carried to.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import Session, User
from accounts.services.one_time_codes import WrongCode
from accounts.services.sessions import InvalidCredentials, Proven, prove_again, verify_password
from config import audit, outbox
from config.api import ratelimit
from config.api.addresses import client_address, network_of
from config.api.ratelimit import By, Policy
from config.clock import database_now
from config.errors import Malformed

TRIED_MAIL = "mail.sign_in_tried"
KNOWN_FOR = timedelta(days=30)
DEVICE_COOKIE = "outlast_device"
DEVICE_LIFETIME = timedelta(days=180)
_SALT = "accounts.known_device"

DAY, QUARTER = 24 * 60 * 60, 15 * 60
# Counted, never reached: how many tries from strange places an account has seen in a day.
STRANGERS = Policy("sign_in_strangers", 1_000_000_000, DAY, By.TARGET, survives_redis=True)
# From so many on, a strange place that failed waits so many seconds.
PAUSES = ((100, QUARTER), (30, 5 * 60), (10, 60))
DEVICE = Policy("sign_in_device", 5, QUARTER, By.TARGET, survives_redis=True)
CODES = Policy("one_time_code", 10, QUARTER, By.TARGET, survives_redis=True)
CODES_A_DAY = Policy("one_time_code_day", 50, DAY, By.TARGET, survives_redis=True)


@dataclass(frozen=True)
class Place:
    """Where a try comes from, seen from the account that it is for."""

    name: str
    address: str
    device: str = ""
    is_known_address: bool = False
    user_id: int | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.device) or self.is_known_address


def before_password(request: HttpRequest, *, email: str) -> None:
    """Count a try for an account, before the hasher. Refuses with RATE_LIMITED; taken back with `forgive_on`.

    The same for an address that has no account.
    """
    place = place_of(request, email=email)
    if place.device:
        ratelimit.enforce_on([(DEVICE, f"{place.name} {place.device}")], request)
    if place.is_known:
        return
    strangers = ratelimit.count(STRANGERS, place.name, request)
    seconds = next((pause for many, pause in PAUSES if strangers and strangers.count > many), 0)
    if strangers and strangers.count == PAUSES[-1][0] + 1:
        _warn(place.user_id)
    if not strangers or not seconds:
        return
    pause = Policy(f"sign_in_pause_{seconds}", 1, seconds, By.TARGET_FROM_ADDRESS, survives_redis=True)
    try:
        ratelimit.enforce_on([(pause, f"{place.name} {place.address}")], request)
    except ratelimit.RateLimited:
        # It never got as far as the password: whoever hammers must not make others wait longer.
        strangers.take_back()
        raise


@transaction.atomic
def _warn(user_id: int | None) -> None:
    """Tell the owner, once a day, that strangers try; the same work where there is none."""
    key = f"sign-in-tried-{user_id or uuid4()}-{database_now():%Y-%m-%d}"
    outbox.post(kind=TRIED_MAIL, key=key, payload={"user": user_id})


def before_code(request: HttpRequest, *, user: User) -> None:
    """Count a one-time code, before it is looked at. Refuses with RATE_LIMITED; taken back with `forgive_on`."""
    place = place_of(request, email=user.email)
    whom = f"{user.pk}"
    if place.device:
        whom = f"{user.pk} {place.device}"
    elif place.is_known:
        whom = f"{user.pk} {place.address}"
    ratelimit.enforce_on([(CODES, whom), (CODES_A_DAY, whom)], request)


def prove_password(request: HttpRequest, *, email: str, password: str) -> Proven:
    """The person whose address and password these are, counted as above. Refuses as `before_password` and
    `verify_password` do. A failure stays counted and is told to the audit.
    """
    before_password(request, email=email)
    try:
        proven = verify_password(email=email, password=password)
    except InvalidCredentials:
        note_failure(email=email, why="password")
        raise
    ratelimit.forgive_on(request)
    return proven


def prove_own_password(*, user: User, password: str) -> Proven:
    """Somebody who is signed in gave their password once more. Refuses as `prove_again` does; the audit is told."""
    try:
        return prove_again(user=user, password=password)
    except InvalidCredentials:
        note_failure(email=user.email, why="proof")
        raise


@contextmanager
def giving_password(*, user: User, field: str) -> Iterator[None]:
    """Around what asks somebody signed in for their password beside something else: a wrong one is told to the audit.

    `field` is the one by which it is refused. Outside of every transaction, which the refusal takes back.
    """
    try:
        yield
    except Malformed as refusal:
        if field in refusal.details:
            note_failure(email=user.email, why="proof")
        raise


@contextmanager
def trying_code(request: HttpRequest, *, user: User, otp: str) -> Iterator[None]:
    """Around the step that takes the one-time code: counted as above, and taken back unless it was wrong."""
    if otp:
        before_code(request, user=user)
    is_guess = False
    try:
        yield
    except WrongCode:
        is_guess = True
        note_failure(email=user.email, why="code")
        raise
    finally:
        if not is_guess:
            ratelimit.forgive_on(request)


def note_failure(*, email: str, why: str) -> None:
    """Tell the audit that somebody tried in vain: whom they tried to be, if that is anybody, never what they typed."""
    user = User.objects.filter(email=email.strip().lower()).only("pk").first()
    audit.record(action="sign_in.failed", subject=user, person=user, anonymous=True, data={"why": why})


def remember_device(request: HttpRequest, response: HttpResponseBase, *, user: User) -> None:
    """Leave the cookie by which this browser is known, after a sign-in of the user that went all the way."""
    device = place_of(request, email=user.email).device or secrets.token_urlsafe(12)
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps({"u": user.pk, "d": device, "m": _mark(user)}, salt=_SALT),
        max_age=DEVICE_LIFETIME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def place_of(request: HttpRequest, *, email: str) -> Place:
    """What is known of where this request comes from, for the account with that address, if there is one."""
    name, address = email.strip().lower(), client_address(request)
    user = User.objects.filter(email=name).only("pk", "password").first()
    network = network_of(address)
    # Asked for nobody as well: the answer must take as long.
    sessions = Session.objects.filter(user_id=user.pk if user else 0, refreshed_at__gte=database_now() - KNOWN_FOR)
    known = sessions.extra(where=["address <<= %s::inet"], params=[None if address == "unknown" else network]).exists()
    return Place(name, network, _device_of(request, user), known, user.pk if user else None)


def _device_of(request: HttpRequest, user: User | None) -> str:
    """The name of the browser, where its cookie is of this person and as old as their password at most."""
    given = request.COOKIES.get(DEVICE_COOKIE)
    if given is None or user is None:
        return ""
    try:
        said = signing.loads(given, salt=_SALT, max_age=DEVICE_LIFETIME)
    except signing.BadSignature:
        return ""
    is_theirs = said["u"] == user.pk and constant_time_compare(said["m"], _mark(user))
    return str(said["d"]) if is_theirs else ""


def _mark(user: User) -> str:
    return salted_hmac(_SALT, user.password, algorithm="sha256").hexdigest()[:32]
