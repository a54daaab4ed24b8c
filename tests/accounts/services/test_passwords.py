"""Changing a password, and getting back in without one."""

from datetime import timedelta

import pytest

from accounts.models import Session, SessionEnd, User
from accounts.services import passwords
from accounts.services.links import LIFETIME, Purpose, make_token
from accounts.services.passwords import change_password, confirm_password_reset, request_password_reset
from accounts.services.sessions import sign_in
from config.clock import database_now
from config.errors import Malformed
from config.models import OutboxMessage
from tests.factories.accounts import PASSWORD, UserFactory

NEW = "a wholly different phrase"


def refused_field(function, **given) -> str:
    with pytest.raises(Malformed) as caught:
        function(**given)
    [field] = caught.value.details
    return field


@pytest.fixture
def token(user):
    return make_token(Purpose.RESET_PASSWORD, user, now=database_now())


def confirm(token, new=NEW, **later):
    confirm_password_reset(token=token, new=new, now=database_now() + timedelta(**later))


def test_a_change_ends_every_session_and_every_access_token(user):
    for _ in range(2):
        sign_in(email=user.email, password=PASSWORD)

    change_password(user=user, current=PASSWORD, new=NEW)

    user.refresh_from_db()
    assert user.check_password(NEW)
    assert user.token_version == 2
    assert list(Session.objects.values_list("revoked_because", flat=True)) == [SessionEnd.PASSWORD] * 2


def test_the_owner_is_told_of_every_change(user):
    change_password(user=user, current=PASSWORD, new=NEW)
    change_password(user=user, current=NEW, new=PASSWORD)

    assert OutboxMessage.objects.filter(kind="mail.password_changed", payload={"user": user.pk}).count() == 2


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong", NEW, "current_password"),
        ("", NEW, "current_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, "grace@example.test", "new_password"),
        (PASSWORD, PASSWORD, "new_password"),
    ],
)
def test_a_bad_change_is_refused_and_changes_nothing(user, current, new, field):
    assert refused_field(change_password, user=user, current=current, new=new) == field

    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert user.token_version == 1


def test_a_password_changed_meanwhile_is_not_overwritten(user, monkeypatch):
    hash_it = passwords.make_password

    def change_meanwhile(new):
        User.objects.filter(pk=user.pk).update(password=hash_it("of somebody quicker"))
        return hash_it(new)

    monkeypatch.setattr(passwords, "make_password", change_meanwhile)

    assert refused_field(change_password, user=user, current=PASSWORD, new=NEW) == "current_password"
    user.refresh_from_db()
    assert user.check_password("of somebody quicker")


@pytest.mark.parametrize("email", ["grace@example.test", " GRACE@example.test"])
def test_a_reset_is_posted_for_an_open_account(user, email):
    request_password_reset(email=email)

    message = OutboxMessage.objects.get()
    assert (message.kind, message.payload) == ("mail.password_reset", {"user": user.pk})


def test_a_reset_for_nobody_looks_like_any_other(db, django_assert_num_queries):
    UserFactory(email="gone@example.test", is_active=False)

    for email in ("nobody@example.test", "gone@example.test", ""):
        with django_assert_num_queries(4):  # the person and the message, in a savepoint
            request_password_reset(email=email)

    assert [message.payload for message in OutboxMessage.objects.all()] == [{"user": None}] * 3


def test_a_reset_costs_the_same_for_somebody(user, django_assert_num_queries):
    with django_assert_num_queries(4):
        request_password_reset(email=user.email)


def test_a_reset_sets_the_password_and_ends_every_session(user, token):
    sign_in(email=user.email, password=PASSWORD)
    token = make_token(Purpose.RESET_PASSWORD, user, now=database_now())

    confirm(token)

    user.refresh_from_db()
    assert user.check_password(NEW)
    assert not Session.objects.live().exists()
    assert OutboxMessage.objects.filter(kind="mail.password_changed").count() == 1


def test_a_reset_works_once(user, token):
    confirm(token)

    assert refused_field(confirm, token=token, new="yet another phrase") == "token"
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_of_two_resets_at_once_one_wins(user, token, monkeypatch):
    """The other one has read the person already when the first commits."""
    hash_it = passwords.make_password

    def win_meanwhile(new):
        monkeypatch.setattr(passwords, "make_password", hash_it)
        confirm(token, new="of somebody quicker")
        return hash_it(new)

    monkeypatch.setattr(passwords, "make_password", win_meanwhile)

    assert refused_field(confirm, token=token) == "token"
    user.refresh_from_db()
    assert user.check_password("of somebody quicker")


def test_every_unused_reset_ends_with_a_change(user, token):
    change_password(user=user, current=PASSWORD, new="in the meantime another")

    assert refused_field(confirm, token=token) == "token"


def test_a_reset_ends_with_its_hour(user, token):
    late = LIFETIME[Purpose.RESET_PASSWORD].total_seconds()

    assert refused_field(confirm, token=token, seconds=late) == "token"


def test_a_weak_password_leaves_the_token_good(user, token):
    assert refused_field(confirm, token=token, new="short") == "new_password"

    confirm(token)


def test_a_reset_for_somebody_gone_is_refused(user, token):
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert refused_field(confirm, token=token) == "token"

    user.delete()
    assert refused_field(confirm, token=token) == "token"


def test_a_reset_proves_the_address(db):
    user = UserFactory(password=PASSWORD, email_verified_at=None)

    confirm(make_token(Purpose.RESET_PASSWORD, user, now=database_now()))

    assert User.objects.get().email_verified


def test_a_verification_token_resets_nothing(user):
    token = make_token(Purpose.VERIFY_EMAIL, user, now=database_now())

    assert refused_field(confirm, token=token) == "token"
