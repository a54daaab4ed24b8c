"""Setting a second factor up, replacing it, taking it away.

A change ends every session of the person but the one that makes it, and every access token at once. All of it asks for
a fresh sign-in, which the caller of these services checks (`config.freshness`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID, uuid4

import pyotp
import segno
from django.db import transaction

from accounts.models import RecoveryCode, Session, SessionEnd, Totp, User
from accounts.services.one_time_codes import address_for_device, has_device, is_required, make_recovery_codes, step_of
from accounts.services.roles import refuse_unless_admin
from accounts.services.sessions import InvalidCredentials, Proven, end_access, end_sessions
from config import outbox
from config.audit import attribute
from config.errors import Code, Conflict, Forbidden, InvalidTransition, invalid
from config.housekeeping import forgets

CHANGED_MAIL = "mail.second_factor_changed"
QR_MODULE = 5
SETUPS_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Setup:
    """What a device has to know, as text and as a picture. Shown to its owner alone, and kept by nobody else."""

    secret: str
    uri: str

    @property
    def qr_svg(self) -> str:
        """The address as a QR code, as SVG."""
        drawn = BytesIO()
        segno.make(self.uri, error="m").save(
            drawn, kind="svg", scale=QR_MODULE, xmldecl=False, svgns=True, light="#fff", dark="#000", title="QR code"
        )
        return drawn.getvalue().decode()


@dataclass(frozen=True)
class State:
    """How somebody stands with their second factor."""

    is_on: bool
    is_required: bool
    since: datetime | None
    recovery_codes_left: int


def state_of(user: User) -> State:
    """What the person sees of it."""
    device = Totp.objects.confirmed().filter(user=user).first()
    left = RecoveryCode.objects.unused().filter(user=user).count() if device else 0
    return State(device is not None, is_required(user), device.confirmed_at if device else None, left)


@transaction.atomic
def begin_setup(*, user: User) -> Setup:
    """A new secret for a device; it counts once the device has shown a right code. Beginning again draws another one.

    A device that is there already stays good until then, so that it can be replaced without being without one.
    """
    user = User.objects.locked().get(pk=user.pk)
    Totp.objects.pending().filter(user=user).delete()
    made = Totp.objects.create(user=user, secret=pyotp.random_base32())
    return Setup(made.secret, address_for_device(user, made.secret))


@transaction.atomic
def pending_setup(*, user: User) -> Setup:
    """The secret that waits for its first code, a new one where none does: for a page that is looked at again."""
    waiting = Totp.objects.pending().filter(user=user).first()
    if waiting is None:
        return begin_setup(user=user)
    return Setup(waiting.secret, address_for_device(user, waiting.secret))


@transaction.atomic
def confirm_setup(*, user: User, code: str, now: datetime, session_id: UUID | None = None) -> list[str]:
    """Let the device count from now on, and the one before it no more; ten new recovery codes, told once.

    `session_id` is the session that goes on. Refuses a code that the new device does not show now, and where no
    set-up was begun.
    """
    user = User.objects.locked().get(pk=user.pk)
    attribute(by=user)
    waiting = Totp.objects.pending().filter(user=user).first()
    if waiting is None:
        raise Conflict(Code.INVALID_TRANSITION, "There is no set-up to confirm. Begin it first.")
    step = step_of(waiting, code, now=now)
    if step is None:
        raise invalid("code", "This is not the code that the device shows now.")
    Totp.objects.confirmed().filter(user=user).delete()
    waiting.confirmed_at, waiting.last_step = now, step
    waiting.save(update_fields=["confirmed_at", "last_step"])
    codes = make_recovery_codes(user)
    _end_others(user, session_id, has_second_factor=True)
    return codes


@transaction.atomic
def confirm_at_sign_in(*, proven: Proven, code: str, now: datetime) -> tuple[User, list[str]]:
    """The same for staff whose password was right and who may not enter without a second factor; they may then.

    Refuses somebody who has a device: whoever knows a password alone must not put their own in its place.
    """
    user = User.objects.locked().get(pk=proven.user.pk)
    is_same = user.password == proven.user.password and user.token_version == proven.user.token_version
    if not is_same or not user.is_active or has_device(user):
        raise InvalidCredentials
    codes = confirm_setup(user=user, code=code, now=now)
    user.refresh_from_db(fields=["token_version"])
    return user, codes


@transaction.atomic
def renew_recovery_codes(*, user: User) -> list[str]:
    """Ten new codes for the old ones, told once. Refuses where there is no second factor."""
    user = User.objects.locked().get(pk=user.pk)
    if not Totp.objects.confirmed().filter(user=user).exists():
        raise Conflict(Code.INVALID_TRANSITION, "There is no second factor. Set it up first.")
    codes = make_recovery_codes(user)
    _tell(user)
    return codes


@transaction.atomic
def turn_off(*, user: User, session_id: UUID | None = None) -> None:
    """Go on with the password alone. Refused to staff, who can only replace the device; again changes nothing."""
    user = User.objects.locked().get(pk=user.pk)
    if is_required(user):
        raise Forbidden(Code.FORBIDDEN, "Staff need a second factor. You can replace the device.")
    attribute(by=user)
    _take_away(user, session_id)


@transaction.atomic
def reset_second_factor(*, user: User, by: User | None, reason: str) -> None:
    """Take away the second factor of somebody who lost it; all their sessions end, and staff set up another one.

    `by` is an admin, or None for a command. Refuses where there is none, and one's own.
    """
    refuse_unless_admin(by, over=user)
    attribute(by=by, reason=reason)
    user = User.objects.locked().get(pk=user.pk)
    if not Totp.objects.confirmed().filter(user=user).exists():
        raise InvalidTransition("second factor", "off", "off")
    _take_away(user, None)


@forgets("set-ups of second factors that nobody confirmed", "after a day", task="accounts.tasks.forget_old_setups")
def forget_old_setups(*, now: datetime, limit: int = 10_000) -> int:
    """Delete secrets that were drawn for a device and never shown a code of it; how many."""
    old = Totp.objects.pending().filter(created_at__lt=now - SETUPS_KEPT).order_by("created_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    count, _ = Totp.objects.pending().filter(pk__in=ids).delete()
    return count


def forget_second_factor(user: User) -> None:
    """Leave nothing of it: the account of this locked user is closed."""
    Totp.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()


def _take_away(user: User, session_id: UUID | None) -> None:
    was_on = Totp.objects.confirmed().filter(user=user).exists()
    forget_second_factor(user)
    if was_on:
        _end_others(user, session_id, has_second_factor=False)


def _end_others(user: User, session_id: UUID | None, *, has_second_factor: bool) -> None:
    end_access(user)
    end_sessions(user.pk, SessionEnd.SECOND_FACTOR, but=session_id)
    if session_id is not None:
        Session.objects.filter(pk=session_id).update(has_second_factor=has_second_factor)
    _tell(user)


def _tell(user: User) -> None:
    """A word to the owner, who may not be the one who did it."""
    outbox.post(kind=CHANGED_MAIL, key=f"second-factor-changed-{uuid4()}", payload={"user": user.pk})
