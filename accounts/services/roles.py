"""Who may do what here. Only admins say so, never about themselves, and one admin always remains."""

from django.db import transaction

from accounts.models import Role, User
from accounts.services.sessions import end_access
from config.audit import attribute
from config.errors import Code, Conflict, Forbidden, InvalidTransition
from config.locks import advisory_lock


class LastAdmin(Conflict):
    """Without this one nobody could give anybody a role any more."""

    def __init__(self) -> None:
        super().__init__(Code.INVALID_TRANSITION, "This is the last admin. Make somebody else one first.")


@transaction.atomic
def assign_role(*, user: User, role: Role, by: User | None, reason: str = "") -> User:
    """Give a person a role, and with it the permissions of the group of that name; their access tokens end.

    `by` is an admin, or None for a command. Refuses one's own role, staff roles for an address that is not verified
    or an account that is not open, the role they have, and taking it from the last admin.
    """
    role = Role(role)
    refuse_unless_admin(by, over=user)
    hold_admins()
    attribute(by=by, reason=reason)
    user = User.objects.locked().get(pk=user.pk)
    _refuse_role(user, role)
    user.role, user.is_staff = role, role != Role.PLAYER
    user.is_superuser = user.is_superuser and role == Role.ADMIN
    user.save(update_fields=["role", "is_staff", "is_superuser"])
    end_access(user)
    return user


def _refuse_role(user: User, role: Role) -> None:
    if user.role == role:
        raise InvalidTransition("person", user.role, role)
    if not user.is_active:
        raise Conflict(Code.INVALID_TRANSITION, "The account is not open.")
    if role != Role.PLAYER and not user.email_verified:
        raise Conflict(Code.INVALID_TRANSITION, "Staff need a verified e-mail address.")
    refuse_last_admin(user)


def refuse_unless_admin(by: User | None, *, over: User) -> None:
    """Refuse to let anybody but an admin decide about an account, and an admin about their own."""
    if by is None:
        return
    if by.role != Role.ADMIN or not by.is_active:
        raise Forbidden(Code.FORBIDDEN, "Only admins may do this.")
    if by.pk == over.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody may do this to their own account.")


def hold_admins() -> None:
    """Serialise every change that could leave us without an admin. Before any row lock."""
    advisory_lock("accounts.admins")


def refuse_last_admin(user: User) -> None:
    """Refuse to take the role from the last one who has it. The caller holds the admins."""
    others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk)
    if user.role == Role.ADMIN and user.is_active and not others.exists():
        raise LastAdmin
