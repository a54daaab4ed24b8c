"""Only admins give roles, never to themselves, and one admin always remains."""

import pytest

from accounts.models import Role, User, UserChange
from accounts.services.roles import LastAdmin, assign_role
from config.errors import Conflict, Forbidden, InvalidTransition
from tests.factories.accounts import AdminFactory, ModeratorFactory, UserFactory


def groups_of(user) -> list[str]:
    return list(User.objects.get(pk=user.pk).groups.values_list("name", flat=True))


def test_a_role_brings_its_group_and_its_permissions(user, admin_user):
    assign_role(user=user, role=Role.FINANCE, by=admin_user, reason="new hire")

    user = User.objects.get(pk=user.pk)
    assert (user.role, user.is_staff, groups_of(user)) == (Role.FINANCE, True, ["finance"])
    assert user.has_perm("payments.view_payment")
    assert not user.has_perm("pools.change_pool")


def test_a_role_ends_access_tokens_and_is_recorded(user, admin_user):
    assign_role(user=user, role=Role.MODERATOR, by=admin_user, reason="new hire")

    change = UserChange.objects.get(subject_id=user.pk)
    assert (change.from_value, change.to_value, change.actor_id, change.reason) == (
        "player", "moderator", admin_user.pk, "new hire",
    )  # fmt: skip
    assert User.objects.get(pk=user.pk).token_version == 2


def test_a_role_is_taken_away_with_all_it_brought(admin_user):
    other = AdminFactory()

    assign_role(user=other, role=Role.PLAYER, by=admin_user)

    other = User.objects.get(pk=other.pk)
    assert (other.role, other.is_staff, other.is_superuser, groups_of(other)) == (Role.PLAYER, False, False, ["player"])
    assert not other.has_perm("pools.view_pool")


def test_an_admin_made_so_has_all_permissions_without_being_a_superuser(user, admin_user):
    assign_role(user=user, role=Role.ADMIN, by=admin_user)

    user = User.objects.get(pk=user.pk)
    assert not user.is_superuser
    assert user.has_perms(["accounts.assign_role", "payments.view_payment", "pools.delete_pool"])


@pytest.mark.parametrize("maker", [UserFactory, ModeratorFactory, lambda: AdminFactory(is_active=False)])
def test_nobody_but_an_admin_gives_roles(user, maker):
    with pytest.raises(Forbidden):
        assign_role(user=user, role=Role.MODERATOR, by=maker())

    assert groups_of(user) == ["player"]


def test_nobody_changes_their_own_role(admin_user):
    AdminFactory()

    with pytest.raises(Forbidden):
        assign_role(user=admin_user, role=Role.PLAYER, by=admin_user)


def test_the_role_somebody_has_is_refused(user, admin_user):
    with pytest.raises(InvalidTransition):
        assign_role(user=user, role=Role.PLAYER, by=admin_user)


def test_staff_need_a_verified_address(admin_user):
    user = UserFactory(email_verified_at=None)

    with pytest.raises(Conflict, match="verified"):
        assign_role(user=user, role=Role.MODERATOR, by=admin_user)


def test_an_account_that_is_not_open_gets_no_role(admin_user):
    with pytest.raises(Conflict, match="not open"):
        assign_role(user=UserFactory(is_active=False), role=Role.MODERATOR, by=admin_user)


def test_an_unknown_role_is_refused(user, admin_user):
    with pytest.raises(ValueError):
        assign_role(user=user, role="owner", by=admin_user)


def test_the_last_admin_stays_one(admin_user):
    with pytest.raises(LastAdmin):
        assign_role(user=admin_user, role=Role.PLAYER, by=None)

    AdminFactory()
    assert assign_role(user=admin_user, role=Role.PLAYER, by=None).role == Role.PLAYER


def test_an_admin_who_cannot_sign_in_does_not_count(admin_user):
    AdminFactory(is_active=False)

    with pytest.raises(LastAdmin):
        assign_role(user=admin_user, role=Role.FINANCE, by=None)
