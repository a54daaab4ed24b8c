"""What a staff browser's session knows: since when it is signed in, when it was used, when its person last proved who
they are, and whether with a second factor.

A session ends after `STAFF_IDLE_MINUTES` without a click, after eight hours however busy, and at once where staff need
a second factor and it began without one. What ends access tokens ends it, too (`User.get_session_auth_hash`).
"""

import time
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import Totp, User
from accounts.services import entrance
from accounts.services.one_time_codes import has_device
from accounts.services.sessions import Proven, admit
from config import audit, fresh_pages
from config.api import ratelimit
from config.api.ratelimit import OWN_PASSWORD
from config.clock import database_now

SIGNED_IN_AT, SEEN_AT, HAS_SECOND_FACTOR = "signed_in_at", "seen_at", "has_second_factor"
# A click within this time after another is not worth a write.
SEEN_EVERY = 60
HALF_WAY_SECONDS = 15 * 60
_SALT = "accounts.half_way"


def begin(session: SessionBase) -> None:
    """Stamp a session that begins: somebody has just signed in."""
    session[SIGNED_IN_AT] = session[SEEN_AT] = time.time()
    session[HAS_SECOND_FACTOR] = False
    fresh_pages.stamp(session)


def on_sign_in(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    """Django's `user_logged_in`, sent by whatever signs a browser in."""
    begin(request.session)


def on_sign_out(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    """Django's `user_logged_out`: by the person, or because the time was over."""
    if user is not None:
        audit.record(action="browser.signed_out", subject=user, person=user, by=user)


def is_over(session: SessionBase, *, is_click: bool = True) -> bool:
    """Whether the session of somebody signed in has to end now; it is noted as used otherwise.

    What a page fetches by itself (`is_click=False`) keeps nobody signed in: a browser left alone may ask for ever.
    """
    now = time.time()
    began, seen = session.get(SIGNED_IN_AT, 0.0), session.get(SEEN_AT, 0.0)
    if now - began > settings.SESSION_COOKIE_AGE or now - seen > settings.STAFF_IDLE_MINUTES * 60:
        return True
    if settings.STAFF_TOTP_REQUIRED and not session.get(HAS_SECOND_FACTOR):
        return True
    if is_click and now - seen > SEEN_EVERY:
        session[SEEN_AT] = now
    return False


def half_way(proven: Proven) -> str:
    """A signed note that somebody's password was right, for the next page of the same sign-in. It is no session.

    It also stands for the secret that the page shows, where a device is being set up: whoever knows the password as
    well and draws another one ends it, so nobody takes a secret for theirs that somebody else has seen.
    """
    return signing.dumps({"u": proven.user.pk, "m": _mark(proven.user)}, salt=_SALT)


def read_half_way(note: str) -> Proven | None:
    """Whose password was right a moment ago; None where the note is not ours, too old, or the password changed."""
    try:
        said = signing.loads(note, salt=_SALT, max_age=HALF_WAY_SECONDS)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=said["u"], is_active=True).first()
    return Proven(user) if user is not None and constant_time_compare(said["m"], _mark(user)) else None


def _mark(user: User) -> str:
    drawn = Totp.objects.pending().filter(user=user).values_list("pk", flat=True).first()
    return salted_hmac(_SALT, f"{user.password} {user.token_version} {drawn}", algorithm="sha256").hexdigest()


def _prove(request: HttpRequest, password: str, otp: str) -> None:
    """The person at the page gave password and code again. Refuses as those do who look at them, and who guesses."""
    assert isinstance(request.user, User)
    ratelimit.enforce_on([(OWN_PASSWORD, f"user {request.user.pk}")], request)
    proven = entrance.prove_own_password(user=request.user, password=password)
    ratelimit.forgive_on(request)
    with entrance.trying_code(request, user=proven.user, otp=otp), transaction.atomic():
        user, has_second_factor = admit(proven=proven, otp=otp, now=database_now())
        audit.record(action="sign_in.proved_again", subject=user, person=user, by=user)
    request.session[HAS_SECOND_FACTOR] = has_second_factor


def _asks_code(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and has_device(request.user)


PROVER = fresh_pages.Prover(prove=_prove, asks_code=_asks_code)
