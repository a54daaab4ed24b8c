"""Roles are Django groups with real permissions, and everybody is in the group of their role."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection

from accounts.groups import UnknownPermission, grant_permissions
from accounts.models import Role, User
from tests.factories.accounts import FinanceFactory, ModeratorFactory, UserFactory


def names_of(group: Group) -> set[str]:
    return {f"{app}.{name}" for app, name in group.permissions.values_list("content_type__app_label", "codename")}


def grant(config) -> None:
    grant_permissions(app_config=config, using="default", apps=apps)


@pytest.fixture
def pools_config(monkeypatch):
    """The pools app, whose grants a test may change."""
    config = apps.get_app_config("pools")
    return lambda grants: (monkeypatch.setattr(config, "role_permissions", grants, raising=False), config)[1]


def test_there_is_a_group_for_each_role(db):
    assert set(Group.objects.values_list("name", flat=True)) == set(Role.values)


def test_an_admin_may_do_everything(db):
    assert Group.objects.get(name="admin").permissions.count() == Permission.objects.count()


def test_a_player_may_do_nothing_in_the_back_office(db):
    assert names_of(Group.objects.get(name="player")) == set()


def test_a_moderator_runs_pools_and_sees_no_money(db):
    names = names_of(Group.objects.get(name="moderator"))

    assert {"pools.view_pool", "pools.change_game", "entries.view_request", "accounts.view_user"} <= names
    assert not any(name.startswith("payments.") for name in names)
    assert "accounts.assign_role" not in names


def test_finance_sees_the_money_and_runs_no_pool(db):
    names = names_of(Group.objects.get(name="finance"))

    assert {"payments.view_payment", "payments.view_receipt", "entries.view_entry", "pools.view_pool"} <= names
    assert not {"pools.change_pool", "entries.change_request", "accounts.assign_role"} & names


@pytest.mark.parametrize("role", ["moderator", "finance", "player"])
def test_nobody_but_an_admin_may_delete(db, role):
    assert not [name for name in names_of(Group.objects.get(name=role)) if ".delete_" in name]


def test_people_get_the_permissions_of_their_role_however_they_are_made(db):
    moderator, finance, player = ModeratorFactory(), FinanceFactory(), UserFactory()

    assert moderator.has_perm("pools.change_pool")
    assert not moderator.has_perm("payments.view_payment")
    assert finance.has_perm("payments.view_payment")
    assert not player.has_perm("pools.view_pool")


def test_a_bulk_insert_joins_the_groups_too(db):
    User.objects.bulk_create([User(email=f"bulk{n}@example.test", display_name="B") for n in range(3)])

    assert Group.objects.get(name="player").user_set.count() == 3


def test_raw_sql_that_changes_a_role_changes_the_group(db):
    user = UserFactory()

    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET role = 'finance', is_staff = true WHERE id = %s", [user.pk])

    assert list(user.groups.values_list("name", flat=True)) == ["finance"]


def test_a_group_of_our_own_survives_a_change_of_role(db):
    user = UserFactory()
    user.groups.add(Group.objects.create(name="beta testers"))

    User.objects.filter(pk=user.pk).update(role=Role.MODERATOR, is_staff=True)

    assert set(user.groups.values_list("name", flat=True)) == {"beta testers", "moderator"}


def test_permissions_edited_by_hand_are_put_back(db, pools_config):
    moderators, finance = Group.objects.get(name="moderator"), Group.objects.get(name="finance")
    before = names_of(moderators), names_of(finance)
    moderators.permissions.clear()
    finance.permissions.add(Permission.objects.get(codename="change_pool"))

    call_command("migrate", verbosity=0)

    assert (names_of(moderators), names_of(finance)) == before


def test_granting_again_writes_nothing(db, django_assert_num_queries, pools_config):
    config = apps.get_app_config("pools")

    with django_assert_num_queries(1 + 2 * len(Role)):
        grant(config)


def test_who_was_here_before_a_group_joins_it(db):
    user = ModeratorFactory()
    Group.objects.get(name="moderator").delete()

    grant(apps.get_app_config("accounts"))

    assert list(user.groups.values_list("name", flat=True)) == ["moderator"]


def test_a_permission_that_does_not_exist_is_refused(db, pools_config):
    with pytest.raises(UnknownPermission, match=r"pools\.fly"):
        grant(pools_config({"moderator": ("pools.fly",)}))


def test_a_permission_of_a_table_that_is_not_migrated_yet_waits(db):
    """Somebody migrates step by step, or back."""
    config = apps.get_app_config("accounts")
    Permission.objects.filter(content_type__app_label="accounts", codename="view_agelimit").delete()

    grant(config)

    assert "accounts.view_agelimit" not in names_of(Group.objects.get(name="finance"))
    assert "accounts.view_user" in names_of(Group.objects.get(name="finance"))


def test_a_role_that_does_not_exist_is_refused(db, pools_config):
    with pytest.raises(UnknownPermission, match="janitor"):
        grant(pools_config({"janitor": ("pools.*",)}))
