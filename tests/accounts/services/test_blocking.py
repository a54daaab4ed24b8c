"""Shutting an account for a while, and opening it again."""

import pytest

from accounts.models import Session, SessionEnd, User, UserChange
from accounts.services.blocking import deactivate_user, reactivate_user
from accounts.services.closing import close_account
from accounts.services.roles import LastAdmin
from accounts.services.sessions import InvalidCredentials, sign_in
from config.clock import database_now
from config.errors import Forbidden, InvalidTransition
from tests.factories.accounts import PASSWORD, AdminFactory


def test_a_deactivated_account_is_shut_at_once(user, admin_user):
    sign_in(email=user.email, password=PASSWORD)

    deactivate_user(user=user, by=admin_user, reason="charge-back")

    change = UserChange.objects.get(subject_id=user.pk)
    assert (change.field, change.to_value, change.actor_id, change.reason) == (
        "is_active", "false", admin_user.pk, "charge-back",
    )  # fmt: skip
    assert Session.objects.get().revoked_because == SessionEnd.DEACTIVATED
    assert User.objects.get(pk=user.pk).token_version == 2
    with pytest.raises(InvalidCredentials):
        sign_in(email=user.email, password=PASSWORD)


def test_a_reactivated_account_is_open_and_its_old_sessions_stay_over(user, admin_user):
    sign_in(email=user.email, password=PASSWORD)
    deactivate_user(user=user, by=admin_user, reason="a mistake")

    reactivate_user(user=user, by=admin_user, reason="was a mistake")

    assert not Session.objects.live().exists()
    assert sign_in(email=user.email, password=PASSWORD).user == user


def test_a_shut_account_is_not_shut_again(user, admin_user):
    deactivate_user(user=user, by=admin_user, reason="x")

    with pytest.raises(InvalidTransition, match="deactivated"):
        deactivate_user(user=user, by=admin_user, reason="x")


def test_an_open_account_is_not_opened(user, admin_user):
    with pytest.raises(InvalidTransition, match="open"):
        reactivate_user(user=user, by=admin_user, reason="x")


def test_a_closed_account_stays_closed(user, admin_user):
    close_account(user=user, now=database_now())

    with pytest.raises(InvalidTransition, match="closed"):
        reactivate_user(user=user, by=admin_user, reason="x")


@pytest.mark.parametrize("service", [deactivate_user, reactivate_user])
def test_only_admins_decide_and_not_about_themselves(user, moderator, admin_user, service):
    with pytest.raises(Forbidden):
        service(user=user, by=moderator, reason="x")
    with pytest.raises(Forbidden):
        service(user=admin_user, by=admin_user, reason="x")


def test_the_last_admin_cannot_be_shut_out(admin_user):
    with pytest.raises(LastAdmin):
        deactivate_user(user=admin_user, by=None, reason="x")

    AdminFactory()
    assert not deactivate_user(user=admin_user, by=None, reason="x").is_active
