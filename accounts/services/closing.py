"""Closing an account for good: the person goes, what they paid and picked stays.

The row remains, because requests, entries and payments point at it, and the standings of a pool must not change when
a player leaves. Whatever could tell who it was is overwritten or deleted. There is no way back; the address is free
again. Money that is owed stays owed, in the books and on the payments' own rows: staff pay it out or write it off.

What else is kept about a person is forgotten by whoever keeps it, in the same transaction:

    @forgets
    def forget_documents(user: User) -> None: ...
"""

from collections.abc import Callable
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from accounts.models import NOBODYS_DOMAIN, EmailChange, PersonalDetails, Role, Session, SessionEnd, User
from accounts.services.blocking import state_of
from accounts.services.roles import hold_admins, refuse_last_admin
from accounts.services.second_factor import forget_second_factor
from accounts.services.sessions import end_access, end_sessions
from config.audit import attribute
from config.errors import InvalidTransition

NAME_AFTERWARDS = "Former player"
Forgetter = Callable[[User], None]
_forgetters: list[Forgetter] = []


def forgets(function: Forgetter) -> Forgetter:
    """Have the function called, inside the transaction, whenever somebody's account is closed."""
    _forgetters.append(function)
    return function


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
    forget_second_factor(user)
    _forget_traces(user)
    return user


def _anonymise(user: User) -> None:
    user.email = f"closed-{user.pk}@closed{NOBODYS_DOMAIN}"
    user.display_name = NAME_AFTERWARDS
    user.password = make_password(None)
    user.date_of_birth = user.email_verified_at = user.last_login = None
    # The country stays: it says which tax law holds for a prize that is still owed, and nothing about who it was.
    user.region = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.role = Role.PLAYER


def _forget_traces(user: User) -> None:
    """What is kept beside the row; where they signed in from; their name in the staff's log."""
    for forget in _forgetters:
        forget(user)
    PersonalDetails.objects.filter(user=user).delete()
    EmailChange.objects.filter(user=user).delete()
    Session.objects.filter(user_id=user.pk).update(address=None, user_agent="")
    about = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    about.update(object_repr=NAME_AFTERWARDS)
