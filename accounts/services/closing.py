"""Closing an account for good: the person goes, what they paid and picked stays.

The row remains, because requests, entries and payments point at it, and the standings of a pool must not change when
a player leaves. Whatever could tell who it was is overwritten. There is no way back; the address is free again.
"""

from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from accounts.models import NOBODYS_DOMAIN, Role, Session, SessionEnd, User
from accounts.services.blocking import state_of
from accounts.services.roles import hold_admins, refuse_last_admin
from accounts.services.sessions import end_access, end_sessions
from config.audit import attribute
from config.errors import InvalidTransition

NAME_AFTERWARDS = "Former player"


@transaction.atomic
def close_account(*, user: User, now: datetime, by: User | None = None, reason: str = "") -> User:
    """Anonymise the person, take every right, end every session. Refuses a closed account and the last admin's."""
    hold_admins()
    attribute(by=by or user, reason=reason)
    user = User.objects.locked().get(pk=user.pk)
    if user.closed_at is not None:
        raise InvalidTransition("account", state_of(user), "closed")
    refuse_last_admin(user)
    end_access(user)
    # Before the address changes: after that nobody may refer to the row, as a refresh does with its session locked.
    end_sessions(user.pk, SessionEnd.CLOSED)
    _anonymise(user)
    user.closed_at = now
    user.save()
    user.user_permissions.clear()
    _forget_traces(user)
    return user


def _anonymise(user: User) -> None:
    user.email = f"closed-{user.pk}@closed{NOBODYS_DOMAIN}"
    user.display_name = NAME_AFTERWARDS
    user.password = make_password(None)
    user.date_of_birth = user.email_verified_at = user.last_login = None
    user.country = user.region = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.role = Role.PLAYER


def _forget_traces(user: User) -> None:
    """Where they signed in from, and their name in the staff's log."""
    Session.objects.filter(user_id=user.pk).update(address=None, user_agent="")
    about = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    about.update(object_repr=NAME_AFTERWARDS)
