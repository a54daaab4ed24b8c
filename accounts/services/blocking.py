"""Shutting an account for a while, by staff: nobody signs in, money and picks stay, and it can be opened again."""

from django.db import transaction

from accounts.models import EmailChange, SessionEnd, User
from accounts.services.roles import hold_admins, refuse_last_admin, refuse_unless_admin
from accounts.services.sessions import end_access, end_sessions
from config.audit import attribute
from config.errors import InvalidTransition


@transaction.atomic
def deactivate_user(*, user: User, by: User | None, reason: str) -> User:
    """Shut the account and end its sessions at once. Refuses one that is not open, one's own, and the last admin's."""
    refuse_unless_admin(by, over=user)
    hold_admins()
    attribute(by=by, reason=reason)
    user = User.objects.locked().get(pk=user.pk)
    if not user.is_active:
        raise InvalidTransition("account", state_of(user), "deactivated")
    refuse_last_admin(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_access(user)
    end_sessions(user.pk, SessionEnd.DEACTIVATED)
    EmailChange.objects.give_up(user)
    return user


@transaction.atomic
def reactivate_user(*, user: User, by: User | None, reason: str) -> User:
    """Open a deactivated account again. Refuses an open one, and a closed one, whose person is gone."""
    refuse_unless_admin(by, over=user)
    attribute(by=by, reason=reason)
    user = User.objects.locked().get(pk=user.pk)
    if user.is_active or user.closed_at is not None:
        raise InvalidTransition("account", state_of(user), "open")
    user.is_active = True
    user.save(update_fields=["is_active"])
    return user


def state_of(user: User) -> str:
    """In a word: open, deactivated or closed."""
    if user.closed_at is not None:
        return "closed"
    return "open" if user.is_active else "deactivated"
