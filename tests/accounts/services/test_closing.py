"""Closing an account: the person goes, what they paid and picked stays."""

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission

from accounts.models import EmailChange, PersonalDetails, Role, Session, SessionEnd, User, UserChange
from accounts.services import closing
from accounts.services.closing import close_account
from accounts.services.roles import LastAdmin
from accounts.services.sessions import sign_in
from config.clock import database_now
from config.errors import InvalidTransition
from entries.models import Entry, Request
from tests.factories.accounts import PASSWORD, AdminFactory, UserFactory
from tests.factories.entries import EntryFactory


def close(user, **given) -> User:
    return close_account(user=user, now=database_now(), **given)


def test_nothing_of_the_person_is_left(user, admin_user):
    sign_in(email=user.email, password=PASSWORD, address="192.0.2.7", user_agent="Phone")
    LogEntry.objects.log_actions(admin_user.pk, [user], CHANGE, "x", single_object=True)

    close(user)

    user = User.objects.get(pk=user.pk)
    session, line = Session.objects.get(), LogEntry.objects.get()
    assert user.email == f"closed-{user.pk}@closed.invalid"
    assert user.display_name == line.object_repr == "Former player"
    assert (user.date_of_birth, user.country, user.region) == (None, "US", "")
    assert (user.email_verified_at, user.last_login) == (None, None)
    assert (session.address, session.user_agent, session.revoked_because) == (None, "", SessionEnd.CLOSED)
    assert not user.has_usable_password()
    assert not user.is_active
    assert user.closed_at is not None
    assert user.token_version == 2


def test_what_is_kept_beside_the_row_goes_too(user):
    PersonalDetails.objects.create(user=user, legal_name="Ada", tax_country="GB", tax_number="1234")
    EmailChange.objects.create(user=user, old_email=user.email, new_email="new@example.test")

    close(user)

    assert not PersonalDetails.objects.exists()
    assert not EmailChange.objects.exists()


def test_whoever_keeps_something_is_asked_to_forget_it_in_the_same_transaction(user, monkeypatch):
    asked = []
    monkeypatch.setattr(closing, "_forgetters", [*closing._forgetters, asked.append])

    close(user)

    assert asked == [user]


def test_what_cannot_be_forgotten_keeps_the_account_open(user, monkeypatch):
    def fail(_):
        raise RuntimeError("the store is away")

    monkeypatch.setattr(closing, "_forgetters", [fail])

    with pytest.raises(RuntimeError):
        close(user)
    assert User.objects.get(pk=user.pk).closed_at is None


def test_no_table_says_who_somebody_was(user, signed_in):
    """A canary in every column that a person fills, looked for in every row of every table afterwards."""
    canary = "canaryzx"
    caller = signed_in(user)
    caller.patch("/me", {"display_name": canary, "region": canary.upper()[:10]})
    body = {"legal_name": canary, "tax_country": "US", "tax_number": canary}
    assert caller.send("put", "/me/identity", body)[0] == 200
    caller.post("/me/email", {"email": f"{canary}@example.test", "password": PASSWORD})
    User.objects.filter(pk=user.pk).update(email=f"{canary}2@example.test")

    close(User.objects.get(pk=user.pk))

    found = [
        model._meta.db_table
        for model in apps.get_models()
        if not model._meta.proxy and model._meta.managed
        for row in model._base_manager.values()
        if canary in str(row).lower()
    ]
    assert found == []


def test_money_and_picks_stay(db):
    entry = EntryFactory()

    close(entry.user)

    assert Entry.objects.get().user_id == entry.user_id
    assert Request.objects.get().payment_status == entry.request.payment_status


def test_the_address_is_free_again(user):
    close(user)

    assert UserFactory(email="grace@example.test").pk != user.pk


def test_staff_lose_every_right(admin_user):
    leaver = AdminFactory()
    leaver.user_permissions.add(Permission.objects.first())

    close(leaver)

    leaver = User.objects.get(pk=leaver.pk)
    assert (leaver.role, leaver.is_staff, leaver.is_superuser) == (Role.PLAYER, False, False)
    assert leaver.user_permissions.count() == 0
    assert list(leaver.groups.values_list("name", flat=True)) == ["player"]


def test_it_is_recorded_without_naming_anybody(user):
    close(user, reason="asked by the person")

    lines = UserChange.objects.filter(subject_id=user.pk)
    assert {(line.field, line.to_value) for line in lines} == {("is_active", "false"), ("is_closed", "true")}
    assert {(line.actor_id, line.reason) for line in lines} == {(user.pk, "asked by the person")}


def test_a_closed_account_is_not_closed_again(user):
    close(user)

    with pytest.raises(InvalidTransition, match="closed"):
        close(user)


def test_a_deactivated_account_may_be_closed(db):
    assert close(UserFactory(is_active=False)).closed_at is not None


def test_the_last_admin_cannot_leave(admin_user):
    with pytest.raises(LastAdmin):
        close(admin_user)

    assert User.objects.get().email == admin_user.email
