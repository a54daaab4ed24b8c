"""Getting an account, proving the address, and being brought along by an import."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError

from accounts.models import Role, User
from accounts.services import registration
from accounts.services.links import Purpose, make_token
from accounts.services.registration import (
    EmailTaken,
    import_players,
    register_user,
    resend_verification,
    resend_verification_to,
    verify_email,
)
from config.clock import database_now
from config.errors import Code, InvalidTransition, Malformed
from config.models import OutboxMessage
from tests.factories.accounts import UserFactory


@pytest.fixture
def now(db):
    return database_now()


def register(now, **fields) -> User:
    given = {
        "email": "Ada@Example.test",
        "password": "an analytical engine",
        "display_name": " Ada ",
        "date_of_birth": date(1990, 12, 10),
        "country": "gb",
        "region": "lnd",
    }
    return register_user(**(given | fields), now=now)


def test_somebody_registers_as_an_unverified_player(now):
    user = User.objects.get(pk=register(now).pk)

    assert (user.email, user.display_name, user.country, user.region) == ("ada@example.test", "Ada", "GB", "LND")
    assert (user.role, user.is_staff, user.is_superuser, user.is_active) == (Role.PLAYER, False, False, True)
    assert not user.email_verified
    assert user.password.startswith("argon2")
    assert user.check_password("an analytical engine")


def test_a_verification_mail_is_posted_with_the_account(now):
    user = register(now)

    message = OutboxMessage.objects.get()
    assert (message.kind, message.payload) == ("mail.verify_email", {"user": user.pk})


def test_a_taken_address_is_refused_in_any_case(now):
    register(now)

    with pytest.raises(EmailTaken) as caught:
        register(now, email="ADA@example.TEST")
    assert caught.value.code is Code.EMAIL_TAKEN
    assert OutboxMessage.objects.count() == 1


def test_two_registrations_at_once_are_told_apart_by_the_database(now, monkeypatch):
    register(now)
    # As if the other one had been committed just after the look.
    monkeypatch.setattr(User.objects, "filter", lambda **_: User.objects.none())

    with pytest.raises(EmailTaken):
        register(now)


def test_another_broken_constraint_is_not_taken_for_that(now, monkeypatch):
    monkeypatch.setattr(registration.details, "clean_country", lambda value: "12")

    with pytest.raises(IntegrityError, match="user_country_code"):
        register(now)


def test_every_fault_is_named_and_nothing_is_made(now):
    with pytest.raises(Malformed) as caught:
        register(
            now,
            email="x",
            password="short",
            display_name="",
            date_of_birth=now.date() + timedelta(days=1),
            country="UK",
            region="?",
        )

    assert set(caught.value.details) == {"email", "password", "display_name", "date_of_birth", "country", "region"}
    assert not User.objects.exists()


def test_a_password_like_the_name_is_refused(now):
    with pytest.raises(Malformed) as caught:
        register(now, display_name="Countess of Lovelace", password="countess of lovelace")

    assert list(caught.value.details) == ["password"]


def test_an_address_is_verified_once(now):
    user = register(now)
    token = make_token(Purpose.VERIFY_EMAIL, user, now=now)

    assert verify_email(token=token, now=now).email_verified_at == now
    again = verify_email(token=token, now=now + timedelta(hours=1))

    assert again.email_verified_at == now


@pytest.mark.parametrize("change", [{"email": "new@example.test"}, {"is_active": False}])
def test_a_verification_for_another_state_is_refused(now, change):
    user = register(now)
    token = make_token(Purpose.VERIFY_EMAIL, user, now=now)
    User.objects.filter(pk=user.pk).update(**change)

    with pytest.raises(Malformed):
        verify_email(token=token, now=now)
    assert not User.objects.get().email_verified


def test_a_verification_of_somebody_deleted_is_refused(now):
    user = register(now)
    token = make_token(Purpose.VERIFY_EMAIL, user, now=now)
    user.delete()

    with pytest.raises(Malformed):
        verify_email(token=token, now=now)


@pytest.mark.parametrize("email", ["nobody@example.test", "verified@example.test", "gone@example.test"])
def test_a_resend_for_nobody_looks_like_any_other(db, email):
    UserFactory(email="verified@example.test")
    UserFactory(email="gone@example.test", is_active=False, email_verified_at=None)

    resend_verification(email=email)

    assert OutboxMessage.objects.get().payload == {"user": None}


def test_a_resend_finds_the_address_in_any_case(now):
    user = register(now)

    resend_verification(email=" ADA@example.test")

    assert OutboxMessage.objects.filter(payload={"user": user.pk}).count() == 2


def test_staff_are_told_when_there_is_nothing_to_resend(user):
    with pytest.raises(InvalidTransition):
        resend_verification_to(user=user)
    with pytest.raises(InvalidTransition):
        resend_verification_to(user=import_players(display_names=["1"])[0])


def test_imported_players_come_in_order_and_cannot_sign_in(db, django_assert_num_queries):
    with django_assert_num_queries(3):  # the insert, in its savepoint
        few = import_players(display_names=["7", "7"])
    with django_assert_num_queries(3):  # the insert, in its savepoint
        many = import_players(display_names=[str(number) for number in range(300)])

    assert [user.display_name for user in many] == [str(number) for number in range(300)]
    assert User.objects.filter(pk__in=[user.pk for user in few + many]).count() == 302
    assert len({user.email for user in few + many}) == 302
    assert all(user.email.endswith("@imported.invalid") for user in many)
    assert not any(user.has_usable_password() or user.email_verified for user in User.objects.all())


def test_an_import_with_a_bad_name_makes_nobody(db):
    with pytest.raises(Malformed):
        import_players(display_names=["1", "\x00"])

    assert not User.objects.exists()


def test_an_import_of_nobody_is_fine(db):
    assert import_players(display_names=[]) == []
