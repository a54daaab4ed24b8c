"""Changing a password, and getting back in without one. Either ends every session the person has."""

from datetime import datetime
from uuid import uuid4

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from accounts.models import EmailChange, SessionEnd, User
from accounts.services import details
from accounts.services.exclusions import follow_address
from accounts.services.links import Purpose, no_good, read_token
from accounts.services.second_factor import forget_second_factor
from accounts.services.sessions import end_access, end_sessions
from config import outbox
from config.errors import invalid

RESET_MAIL = "mail.password_reset"
CHANGED_MAIL = "mail.password_changed"


def change_password(*, user: User, current: str, new: str) -> None:
    """Replace the password of somebody who knows it; every session ends, also the one that asks.

    Refuses with VALIDATION_ERROR a wrong present password, a weak new one, and the same one again.
    """
    user = User.objects.get(pk=user.pk)
    if not check_password(current, user.password):
        raise wrong_password()
    details.cleaned({"new_password": (details.password_check(user), new)})
    if new == current:
        raise invalid("new_password", "This is the present password.")
    known_hash, new_hash = user.password, make_password(new)
    with transaction.atomic():
        user = User.objects.locked().get(pk=user.pk)
        # Somebody else changed it while we were hashing: what was given as present is not, any more.
        if user.password != known_hash:
            raise wrong_password()
        _replace(user, new_hash)


def wrong_password() -> Exception:
    """The present password was not given."""
    return invalid("current_password", "This is not the present password.")


@transaction.atomic
def request_password_reset(*, email: str) -> None:
    """Mail a reset link to this address, if it has an open account.

    Does the same work and says nothing otherwise: the answer must not tell who has an account.
    """
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    outbox.post(kind=RESET_MAIL, key=f"password-reset-{uuid4()}", payload={"user": user.pk if user else None})


def confirm_password_reset(*, token: str, new: str, now: datetime) -> None:
    """Replace the password of somebody who got our mail, which also proves the address. A token works once.

    Where that was not proved before, nothing of whoever had the account till then opens it, nor keeps its owner out.
    Refuses a token that is not ours, too old or used, and a weak password, which leaves the token good.
    """
    link = read_token(Purpose.RESET_PASSWORD, token, now=now)
    user = User.objects.filter(pk=link.subject_id).first()
    if user is None or not link.is_for(user):
        raise no_good()
    details.cleaned({"new_password": (details.password_check(user), new)})
    new_hash = make_password(new)
    with transaction.atomic():
        user = User.objects.locked().get(pk=user.pk)
        if not link.is_for(user):
            raise no_good()
        is_proved_now = not user.email_verified
        if is_proved_now:
            user.email_verified_at = now
            user.save(update_fields=["email_verified_at"])
            # Whoever set one up had not proved anything, and would keep the owner of the address out with it.
            forget_second_factor(user)
        _replace(user, new_hash)
        if is_proved_now:
            follow_address(user=user, now=now)


def _replace(user: User, new_hash: str) -> None:
    """Store the hash of a locked user, end what the old password opened, and tell the person."""
    user.password = new_hash
    user.save(update_fields=["password"])
    end_access(user)
    end_sessions(user.pk, SessionEnd.PASSWORD)
    EmailChange.objects.give_up(user)
    outbox.post(kind=CHANGED_MAIL, key=f"password-changed-{user.pk}-{user.token_version}", payload={"user": user.pk})
