"""Sign in, keep signed in, sign out.

A session is one sign-in and every refresh token that descends from it. A refresh spends the token it was given and
answers with the next; whoever shows a spent one holds a copy, so the session ends for both. Locks: the user's row
before the session's.
"""

import ipaddress
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, check_password, make_password
from django.db import transaction
from django.db.models import F

from accounts import figures
from accounts.models import Session, SessionEnd, User
from accounts.services.one_time_codes import is_required, pass_second_factor
from accounts.services.tokens import Pair, RefreshClaims, TokenInvalid, blacklist, mint_pair, read_refresh
from config import audit
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.errors import Code, NotFound, Unauthenticated

logger = logging.getLogger(__name__)

PEOPLE_AT_ONCE = 500


class InvalidCredentials(Unauthenticated):
    """No such account, a wrong password, an account that is not open: one answer for all of them."""

    def __init__(self) -> None:
        super().__init__(Code.INVALID_CREDENTIALS, "The e-mail address or the password is wrong.")


@dataclass(frozen=True)
class Proven:
    """Somebody who gave the right password, and the hash that it was right for. Not signed in yet."""

    user: User
    new_hash: str = field(default="", repr=False)


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, and with what they go on."""

    user: User
    pair: Pair


def sign_in(*, email: str, password: str, otp: str = "", address: str = "", user_agent: str = "") -> SignedIn:
    """Begin a session. An address that is not verified yet may sign in; joining a pool is what it may not.

    Refuses with INVALID_CREDENTIALS, after the same work whatever the reason; and once the password was right, as
    `pass_second_factor` does.
    """
    proven = verify_password(email=email, password=password)
    return open_session(proven=proven, otp=otp, address=address, user_agent=user_agent)


def verify_password(*, email: str, password: str) -> Proven:
    """The person whose address and password these are. Refuses with INVALID_CREDENTIALS.

    Without a person, or for one who has no password, the hasher works just as long.
    """
    user = User.objects.filter(email=email.strip().lower()).first()
    outdated: list[str] = []
    is_right = check_password(password, user.password if user else UNUSABLE_PASSWORD_PREFIX, setter=outdated.append)
    if user is None or not is_right or not user.is_active:
        figures.LOGIN_FAILED.labels("credentials").inc()
        raise InvalidCredentials
    return Proven(user, make_password(password) if outdated else "")


@transaction.atomic
def open_session(*, proven: Proven, otp: str = "", address: str = "", user_agent: str = "") -> SignedIn:
    """Begin the session of somebody whose password was right. Refuses as `admit` does."""
    user, has_second_factor = admit(proven=proven, otp=otp, now=database_now())
    pair = begin_session(user=user, address=address, user_agent=user_agent, has_second_factor=has_second_factor)
    return SignedIn(user, pair)


@transaction.atomic
def admit(*, proven: Proven, otp: str, now: datetime) -> tuple[User, bool]:
    """The person, locked and past their second factor, and whether they have one. Every sign-in by password ends here.

    Refuses with INVALID_CREDENTIALS when the password or the account changed meanwhile, and as `pass_second_factor`.
    """
    user = User.objects.locked().get(pk=proven.user.pk)
    if user.password != proven.user.password or not user.is_active:
        figures.LOGIN_FAILED.labels("credentials").inc()
        raise InvalidCredentials
    has_second_factor = pass_second_factor(user=user, otp=otp, now=now)
    user.password = proven.new_hash or user.password
    User.objects.filter(pk=user.pk).update(password=user.password, last_login=ClockTimestamp())
    return user, has_second_factor


def begin_session(
    *, user: User, address: str, user_agent: str, has_second_factor: bool, proved_at: datetime | None = None
) -> Pair:
    """A new session of a locked user, who has proved who they are: just now, unless it was at `proved_at`."""
    session = Session(
        user=user,
        user_agent=_printable(user_agent)[:200],
        address=_address(address),
        authenticated_at=proved_at or database_now(),
        has_second_factor=has_second_factor,
    )
    pair = mint_pair(session, user)
    session.save(force_insert=True)
    return pair


def prove_again(*, user: User, password: str) -> Proven:
    """Somebody who is signed in gave their password once more. Refuses with INVALID_CREDENTIALS a wrong one."""
    user = User.objects.get(pk=user.pk)
    if not check_password(password, user.password) or not user.is_active:
        figures.LOGIN_FAILED.labels("credentials").inc()
        raise InvalidCredentials
    return Proven(user)


@transaction.atomic
def reauthenticate(*, proven: Proven, session_id: UUID, otp: str = "") -> Pair:
    """A new pair for a session whose person has just proved again who they are; the old pair's refresh token is spent.

    Refuses as `admit` does, and with TOKEN_INVALID where the session has ended meanwhile.
    """
    now = database_now()
    user, has_second_factor = admit(proven=proven, otp=otp, now=now)
    session = Session.objects.live().locked().filter(pk=session_id, user_id=user.pk).first()
    if session is None:
        raise TokenInvalid
    blacklist([session.current_jti])
    session.authenticated_at = session.refreshed_at = now
    session.has_second_factor = has_second_factor
    pair = mint_pair(session, user)
    session.save(update_fields=["current_jti", "authenticated_at", "refreshed_at", "has_second_factor"])
    audit.record(action="sign_in.proved_again", subject=session, person=user, by=user)
    return pair


def refresh_session(*, refresh: str) -> Pair:
    """Spend a refresh token for a new pair; of any number of callers with the same token exactly one gets it.

    Refuses with TOKEN_INVALID. A token that was spent before also ends its session, as does one of staff who come too
    late, and that is committed although the call fails, so this cannot run inside a caller's transaction.
    """
    claims = read_refresh(refresh)
    with transaction.atomic(durable=True):
        pair = _rotate(claims)
    if pair is None:
        raise TokenInvalid
    return pair


def _rotate(claims: RefreshClaims) -> Pair | None:
    session = Session.objects.locked().filter(pk=claims.session_id, revoked_at=None).first()
    if session is None:
        return None
    if session.current_jti != claims.jti:
        figures.REFRESH_REUSE.inc()
        logger.warning("a spent refresh token was used again: session %s of user %s ends", session.pk, session.user_id)
        _end(session, SessionEnd.REUSED)
        return None
    # After the lock: whoever ended the sessions of this person is done, or waits for us.
    user = User.objects.filter(pk=session.user_id, is_active=True).first()
    if user is None or (is_required(user) and not session.has_second_factor):
        return None
    if user.is_back_office and _is_worn_out(session):
        _end(session, SessionEnd.TIMED_OUT)
        return None
    blacklist([session.current_jti])
    pair = mint_pair(session, user)
    Session.objects.filter(pk=session.pk).update(current_jti=session.current_jti, refreshed_at=ClockTimestamp())
    return pair


def _is_worn_out(session: Session) -> bool:
    """Whether a session of staff is unused for as long as their browsers may be, or as old as those may become."""
    now = database_now()
    idle, age = now - session.refreshed_at, now - session.created_at
    return idle > timedelta(minutes=settings.STAFF_IDLE_MINUTES) or age > timedelta(seconds=settings.SESSION_COOKIE_AGE)


@transaction.atomic
def sign_out(*, refresh: str) -> None:
    """End the session of a refresh token, spent or not; again changes nothing. Refuses what is no token of ours."""
    claims = read_refresh(refresh)
    session = Session.objects.locked().filter(pk=claims.session_id, revoked_at=None).first()
    if session is not None:
        _end(session, SessionEnd.SIGNED_OUT)


@transaction.atomic
def end_own_session(*, user: User, session_id: UUID) -> None:
    """Sign a device out from elsewhere, access tokens included. Refuses with NOT_FOUND what is not live or theirs."""
    session = Session.objects.live().locked().filter(pk=session_id, user_id=user.pk).first()
    if session is None:
        raise NotFound(Code.NOT_FOUND, "There is no such session of yours.")
    attribute(by=user)
    _end(session, SessionEnd.SIGNED_OUT)


@transaction.atomic
def end_other_sessions(*, user: User, but: UUID) -> int:
    """Sign every other device of the person out; how many there were."""
    user = User.objects.locked().get(pk=user.pk)
    attribute(by=user)
    return end_sessions(user.pk, SessionEnd.SIGNED_OUT, but=but)


@transaction.atomic
def end_all_sessions(*, user: User, because: SessionEnd, by: User | None = None) -> int:
    """End every session of a person, and every access token at once; how many sessions there were."""
    attribute(by=by)
    locked = User.objects.locked().get(pk=user.pk)
    end_access(locked)
    return end_sessions(locked.pk, because)


def end_everybodys_sessions() -> int:
    """End every session of everybody, and every access token and key: the last resort. How many people had one.

    Step by step, so that nobody who does something else waits for long; whoever is met by a step is out at once, and
    done again it does no harm.
    """
    ended, last = 0, 0
    while step := _end_next(last):
        ended, last = ended + len(step), step[-1]
    return ended


@transaction.atomic
def _end_next(last: int) -> list[int]:
    """The next people after this id, in order, without a session from the commit on."""
    people = list(
        User.objects.locked().filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PEOPLE_AT_ONCE]
    )
    User.objects.filter(pk__in=people).update(token_version=F("token_version") + 1)
    live = list(Session.objects.live().locked().filter(user_id__in=people).values_list("pk", "current_jti"))
    blacklist(jti for _, jti in live)
    _close([pk for pk, _ in live], SessionEnd.STAFF)
    return people


def end_access(user: User) -> None:
    """Make every access token of a locked user worthless from the commit on; their sessions may get new ones."""
    User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1)
    user.token_version += 1


def end_sessions(user_id: int, because: SessionEnd, *, but: UUID | None = None) -> int:
    """End every session of a locked user, but for one if it is named; how many there were."""
    ending = Session.objects.live().locked().filter(user_id=user_id)
    live = [(pk, jti) for pk, jti in ending.values_list("pk", "current_jti") if pk != but]
    blacklist(jti for _, jti in live)
    return _close([pk for pk, _ in live], because)


def _end(session: Session, because: SessionEnd) -> None:
    blacklist([session.current_jti])
    _close([session.pk], because)


def _close(session_ids: list[UUID], because: SessionEnd) -> int:
    return Session.objects.filter(pk__in=session_ids).update(revoked_at=ClockTimestamp(), revoked_because=because)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
