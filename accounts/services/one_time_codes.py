"""One-time codes: what a device shows this half minute (RFC 6238), and the codes on paper that stand in for it.

A code of the device is good in its own half minute and in the ones beside it, because clocks differ, and counts once:
after it no code of the same or an earlier half minute is accepted. A code on paper counts once.
"""

import base64
import hashlib
import secrets
from datetime import datetime
from urllib.parse import urlsplit

import pyotp
from django.conf import settings
from django.utils.crypto import constant_time_compare

from accounts import figures
from accounts.models import RecoveryCode, Totp, User
from config import outbox
from config.errors import Code, Unauthenticated, invalid

SECONDS = 30
STEPS_BESIDE = (0, -1, 1)
DIGITS = 6
RECOVERY_CODES = 10
# 80 bits, in the 16 letters and digits of base32.
RECOVERY_BYTES = 10
RECOVERY_USED_MAIL = "mail.recovery_code_used"


class OtpRequired(Unauthenticated):
    """The password was right; a one-time code is asked for as well."""

    def __init__(self) -> None:
        super().__init__(
            Code.OTP_REQUIRED, "This account has a second factor: send its one-time code, too.", {"is_set_up": True}
        )


class SecondFactorMissing(Unauthenticated):
    """The password was right; staff need a second factor, and this person has none yet."""

    def __init__(self) -> None:
        super().__init__(
            Code.OTP_REQUIRED,
            "Staff need a second factor. Set it up by signing in to the back office.",
            {"is_set_up": False},
        )


class WrongCode(Unauthenticated):
    """The password was right, the one-time code was not, or it was used before."""

    def __init__(self) -> None:
        super().__init__(Code.INVALID_CREDENTIALS, "The one-time code is wrong, or was used already.")


def is_required(user: User) -> bool:
    """Whether this person may not be without a second factor."""
    return settings.STAFF_TOTP_REQUIRED and user.is_back_office


def has_device(user: User) -> bool:
    """Whether sign-in asks this person for a code."""
    return Totp.objects.confirmed().filter(user=user).exists()


def pass_second_factor(*, user: User, otp: str, now: datetime) -> bool:
    """Let a locked user past their second factor, spending the code; False where there is none to pass.

    The last step of every way to sign in, after the password or whatever stands for it. Refuses with OTP_REQUIRED
    where a code is missing, or staff have no device yet; with INVALID_CREDENTIALS a wrong or used code; and by name a
    code that nobody could check, because it must not look checked.
    """
    device = Totp.objects.confirmed().filter(user=user).first()
    if device is None:
        if is_required(user):
            raise SecondFactorMissing
        if otp:
            raise invalid("otp", "This account has no second factor. Sign in without a one-time code.")
        return False
    if not otp:
        raise OtpRequired
    if not spend(device, otp, now=now) and not _spend_recovery(user, otp, now=now):
        figures.LOGIN_FAILED.labels("second_factor").inc()
        raise WrongCode
    return True


def spend(device: Totp, otp: str, *, now: datetime) -> bool:
    """Whether this is a code of the device that was not used yet; it is used then. The user's row is locked."""
    step = step_of(device, otp, now=now)
    if step is None or (device.last_step is not None and step <= device.last_step):
        return False
    device.last_step = step
    device.save(update_fields=["last_step"])
    return True


def step_of(device: Totp, otp: str, *, now: datetime) -> int | None:
    """The half minute whose code this is, of those that are good now."""
    typed = "".join(otp.split())
    totp = pyotp.TOTP(device.secret, digits=DIGITS, interval=SECONDS)
    present = int(now.timestamp()) // SECONDS
    good = [
        present + beside for beside in STEPS_BESIDE if constant_time_compare(totp.generate_otp(present + beside), typed)
    ]
    return good[0] if good else None


def address_for_device(user: User, secret: str) -> str:
    """What the QR code says: the `otpauth` address that apps for one-time codes read."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    name = "Outlast" if host in ("", "localhost", "127.0.0.1") else f"Outlast ({host})"
    return pyotp.TOTP(secret, digits=DIGITS, interval=SECONDS).provisioning_uri(name=user.email, issuer_name=name)


def make_recovery_codes(user: User) -> list[str]:
    """Ten new codes on paper; the old ones are worth nothing. Told here and never again. The user's row is locked."""
    RecoveryCode.objects.filter(user=user).delete()
    codes = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, digest=_digest(user, code)) for code in codes])
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)).lower() for code in codes]


def _spend_recovery(user: User, otp: str, *, now: datetime) -> bool:
    typed = "".join(otp.split()).replace("-", "").upper()
    # One conditional statement: of any number at once, one finds the code unused.
    if not RecoveryCode.objects.unused().filter(user=user, digest=_digest(user, typed)).update(used_at=now):
        return False
    left = RecoveryCode.objects.unused().filter(user=user).count()
    key = f"recovery-code-used-{user.pk}-{now.timestamp()}"
    outbox.post(kind=RECOVERY_USED_MAIL, key=key, payload={"user": user.pk, "left": left})
    return True


def _digest(user: User, code: str) -> str:
    return hashlib.sha256(f"{user.pk}:{code}".encode()).hexdigest()
