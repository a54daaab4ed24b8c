"""Races at the doors, with real threads on real PostgreSQL. Each is run twenty times.

The negative control runs simplejwt's own refresh through the same thread runner: there several callers win, so these
tests would notice.
"""

import itertools
from datetime import date

import pytest
from rest_framework.test import APIClient
from rest_framework_simplejwt.serializers import TokenRefreshSerializer

from accounts.hashing import PatientArgon2PasswordHasher
from accounts.models import EmailChange, Role, Session, SessionEnd, User
from accounts.services.addresses import confirm_email_change, request_email_change, undo_email_change
from accounts.services.blocking import deactivate_user
from accounts.services.closing import close_account
from accounts.services.links import Purpose, make_change_token, make_token
from accounts.services.passwords import change_password, confirm_password_reset
from accounts.services.registration import register_user
from accounts.services.roles import assign_role
from accounts.services.sessions import refresh_session, sign_in
from config.clock import database_now
from config.errors import Code
from tests.factories.accounts import PASSWORD, AdminFactory, UserFactory
from tests.support.calls import new_place
from tests.support.hashing import make_quick
from tests.support.threads import REPETITIONS, again_and_again, codes, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "a wholly different phrase"
_hosts = itertools.count(1)


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch):
    """Argon2 at its least: the race is for the rows, not for the processor."""
    make_quick(monkeypatch)


def somebody() -> User:
    return UserFactory(password=PASSWORD)


def enter(user, password=PASSWORD):
    return sign_in(email=user.email, password=password).pair


def posting(path, body, address):
    """A call through the whole stack, from one address."""
    client = APIClient(REMOTE_ADDR=address, raise_request_exception=False)
    return lambda: client.post(f"/api/v1{path}", body, format="json").status_code


@again_and_again
def test_of_twenty_refreshes_exactly_one_wins():
    user = somebody()
    pair = enter(user)
    address = new_place()

    outcomes = run_together([posting("/auth/token/refresh", {"refresh": pair.refresh}, address)] * 20)

    assert sorted(successes(outcomes)) == [200] + [401] * 19
    # Nineteen showed a spent token: the family is over, for the winner too.
    assert Session.objects.get(user=user).revoked_because == SessionEnd.REUSED


def test_without_the_lock_several_would_win():
    """The control: simplejwt's own way of refreshing, which has no lock."""

    def refreshing(pair):
        def call():
            serializer = TokenRefreshSerializer(data={"refresh": pair.refresh})
            serializer.is_valid(raise_exception=True)
            return serializer.validated_data["refresh"]

        return call

    user = somebody()
    winners = [len(successes(run_together([refreshing(enter(user))] * 20))) for _ in range(REPETITIONS)]

    assert max(winners) > 1


@again_and_again
def test_no_refresh_outlives_a_change_of_password():
    user = somebody()
    pairs = [enter(user) for _ in range(3)]
    calls = [lambda pair=pair: refresh_session(refresh=pair.refresh) for pair in pairs]

    outcomes = run_together([*calls, lambda: change_password(user=user, current=PASSWORD, new=NEW)])

    assert outcomes[-1].worked
    assert set(codes(outcomes)) <= {Code.TOKEN_INVALID}
    assert not Session.objects.live().filter(user=user).exists()


@again_and_again
def test_no_sign_in_with_the_old_password_outlives_its_change():
    user = somebody()

    outcomes = run_together([*[lambda: enter(user)] * 5, lambda: change_password(user=user, current=PASSWORD, new=NEW)])

    assert outcomes[-1].worked
    assert set(codes(outcomes)) <= {Code.INVALID_CREDENTIALS}
    assert not Session.objects.live().filter(user=user).exists()


@again_and_again
def test_of_two_changes_of_a_password_one_wins():
    user = somebody()

    outcomes = run_together(
        [lambda new=new: change_password(user=user, current=PASSWORD, new=new) for new in (NEW, "the other new one")]
    )

    assert codes(outcomes) == [Code.VALIDATION_ERROR]
    assert User.objects.get(pk=user.pk).token_version == 2


@again_and_again
def test_a_reset_token_works_for_one_of_five():
    user = somebody()
    token = make_token(Purpose.RESET_PASSWORD, user, now=database_now())

    outcomes = run_together(
        [lambda: confirm_password_reset(token=token, new=NEW, now=database_now())] * 5,
    )

    assert codes(outcomes) == [Code.VALIDATION_ERROR] * 4
    assert User.objects.get(pk=user.pk).token_version == 2


@again_and_again
def test_of_ten_registrations_of_one_address_one_wins():
    email = f"Racer{next(_hosts)}@example.test"
    fields = {"password": NEW, "display_name": "Racer", "country": "US"}
    born = database_now().date().replace(year=1990, day=1)

    outcomes = run_together([lambda: register_user(email=email, date_of_birth=born, **fields, now=database_now())] * 10)

    assert codes(outcomes) == [Code.EMAIL_TAKEN] * 9
    assert User.objects.filter(email=email.lower()).count() == 1


@again_and_again
def test_an_admin_always_remains():
    User.objects.filter(role=Role.ADMIN).update(is_active=False)
    first, second, third = AdminFactory(), AdminFactory(), AdminFactory()

    outcomes = run_together(
        [
            lambda: assign_role(user=second, role=Role.PLAYER, by=first),
            lambda: deactivate_user(user=third, by=second, reason="x"),
            lambda: close_account(user=first, now=database_now()),
        ]
    )

    assert codes(outcomes) in ([], [Code.INVALID_TRANSITION], [Code.FORBIDDEN])
    assert User.objects.filter(role=Role.ADMIN, is_active=True).count() >= 1


@again_and_again
def test_an_account_is_closed_once():
    user = somebody()
    pair = enter(user)

    outcomes = run_together(
        [*[lambda: close_account(user=user, now=database_now())] * 3, lambda: refresh_session(refresh=pair.refresh)]
    )

    assert len(successes(outcomes[:3])) == 1
    assert codes(outcomes[:3]) == [Code.INVALID_TRANSITION] * 2
    assert set(codes(outcomes[3:])) <= {Code.TOKEN_INVALID}
    assert not Session.objects.live().filter(user=user).exists()


def test_of_fifty_wrong_passwords_at_once_five_reach_the_hasher(monkeypatch):
    user = somebody()
    verified = []
    verify = PatientArgon2PasswordHasher.verify
    monkeypatch.setattr(PatientArgon2PasswordHasher, "verify", lambda *given: verified.append(1) or verify(*given))

    outcomes = run_together([posting("/auth/token", {"email": user.email, "password": "x"}, "198.21.1.1")] * 50)

    assert sorted(successes(outcomes)) == [401] * 5 + [429] * 45
    assert len(verified) == 5


def wished(user, email):
    request_email_change(user=user, email=email, password=PASSWORD, now=database_now())
    return make_change_token(Purpose.CONFIRM_EMAIL, EmailChange.objects.latest("id"), now=database_now())


@again_and_again
def test_of_two_people_one_gets_the_address():
    email = f"wanted{next(_hosts)}@example.test"
    tokens = [wished(somebody(), email) for _ in range(2)]
    fields = {"password": NEW, "display_name": "Racer", "country": "US", "date_of_birth": date(1990, 1, 1)}

    outcomes = run_together(
        [
            *[lambda token=token: confirm_email_change(token=token, now=database_now()) for token in tokens],
            lambda: register_user(email=email, **fields, now=database_now()),
        ]
    )

    assert codes(outcomes) == [Code.EMAIL_TAKEN] * 2
    assert User.objects.filter(email=email).count() == 1


@again_and_again
def test_nobody_slips_in_between_leaving_an_address_and_keeping_it():
    user = somebody()
    old, token = user.email, wished(user, f"moved{next(_hosts)}@example.test")
    fields = {"password": NEW, "display_name": "Racer", "country": "US", "date_of_birth": date(1990, 1, 1)}

    outcomes = run_together(
        [
            lambda: confirm_email_change(token=token, now=database_now()),
            *[lambda: register_user(email=old, **fields, now=database_now())] * 6,
        ]
    )

    assert outcomes[0].worked
    assert codes(outcomes[1:]) == [Code.EMAIL_TAKEN] * 6


@again_and_again
def test_a_change_is_either_done_or_taken_back():
    user = somebody()
    token = wished(user, f"moved{next(_hosts)}@example.test")
    undo = make_change_token(Purpose.UNDO_EMAIL, EmailChange.objects.latest("id"), now=database_now())

    outcomes = run_together(
        [
            lambda: confirm_email_change(token=token, now=database_now()),
            *[lambda: undo_email_change(token=undo, now=database_now())] * 2,
        ]
    )

    assert len(successes(outcomes[1:])) == 1
    assert User.objects.get(pk=user.pk).email == user.email
    assert not Session.objects.live().filter(user=user).exists()


@again_and_again
def test_no_session_outlives_a_change_of_address():
    user = somebody()
    pairs = [enter(user) for _ in range(3)]
    token = wished(user, f"moved{next(_hosts)}@example.test")

    outcomes = run_together(
        [
            *[lambda pair=pair: refresh_session(refresh=pair.refresh) for pair in pairs],
            lambda: confirm_email_change(token=token, now=database_now()),
        ]
    )

    assert outcomes[-1].worked
    assert set(codes(outcomes)) <= {Code.TOKEN_INVALID}
    assert not Session.objects.live().filter(user=user).exists()
