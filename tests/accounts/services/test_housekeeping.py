"""What is over is forgotten in the end, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import tasks
from accounts.models import Role, Session, User
from accounts.services import housekeeping
from accounts.services.housekeeping import (
    SESSIONS_KEPT,
    UNVERIFIED_KEPT,
    forget_expired_tokens,
    forget_old_sessions,
    forget_unverified_accounts,
)
from accounts.services.sessions import refresh_session, sign_in
from config.clock import database_now
from config.housekeeping import FORGOTTEN
from config.models import AuditEntry
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.entries import RequestFactory
from tests.support.threads import run_together


@pytest.fixture
def refreshed(user):
    """A session of one spent and one good token."""
    refresh_session(refresh=sign_in(email=user.email, password=PASSWORD).pair.refresh)


def test_tokens_go_with_their_place_on_the_blacklist_once_their_time_is_over(refreshed):
    now = database_now()

    assert forget_expired_tokens(now=now + timedelta(days=30)) == 0
    assert BlacklistedToken.objects.count() == 1

    assert forget_expired_tokens(now=now + timedelta(days=31, seconds=5)) == 2
    assert (OutstandingToken.objects.count(), BlacklistedToken.objects.count()) == (0, 0)


def test_sessions_go_long_after_their_last_use(refreshed):
    now = database_now()

    assert forget_old_sessions(now=now + SESSIONS_KEPT - timedelta(minutes=1)) == 0
    assert forget_old_sessions(now=now + SESSIONS_KEPT + timedelta(minutes=1)) == 1
    assert not Session.objects.exists()


def test_a_sweep_takes_no_more_than_its_limit(refreshed):
    later = database_now() + timedelta(days=365)

    assert forget_expired_tokens(now=later, limit=1) == 1
    assert OutstandingToken.objects.count() == 1


def test_the_tasks_leave_what_is_in_use(refreshed):
    assert (tasks.forget_expired_tokens(), tasks.forget_old_sessions()) == (0, 0)


WEEK = UNVERIFIED_KEPT + timedelta(minutes=1)


def newcomer(**given) -> User:
    return UserFactory(email_verified_at=None, **given)


def forget(later=WEEK, **given) -> int:
    return forget_unverified_accounts(now=database_now() + later, **given)


def test_an_account_that_nobody_proved_goes_after_a_week_and_frees_its_address(db):
    newcomer(email="new@example.test")

    assert forget(UNVERIFIED_KEPT - timedelta(minutes=1)) == 0
    assert forget() == 1
    assert UserFactory(email="new@example.test").pk
    assert AuditEntry.objects.filter(action="account.forgotten").count() == 1


def test_sign_ins_and_wishes_go_with_it(db):
    user = newcomer(password=PASSWORD)
    sign_in(email=user.email, password=PASSWORD)

    assert forget() == 1
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        {"email_verified_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"email": "player-1@imported.invalid"},
        {"is_active": False},
        {"role": Role.MODERATOR, "is_staff": True},
    ],
)
def test_others_stay(db, given):
    user = UserFactory(**{"email_verified_at": None, **given})

    assert forget(timedelta(days=900)) == 0
    assert User.objects.filter(pk=user.pk).exists()


def test_who_has_a_request_stays(db):
    request = RequestFactory()
    User.objects.update(email_verified_at=None)

    assert forget() == User.objects.exclude(pk=request.user_id).count()
    assert User.objects.filter(pk=request.user_id).exists()


def test_the_oldest_go_first_and_no_more_than_the_limit(db):
    people = [newcomer() for _ in range(3)]

    assert forget(limit=2) == 2
    assert list(User.objects.all()) == people[2:]


def test_one_that_something_refers_to_keeps_no_other(db, monkeypatch, caplog):
    """Somebody begins to refer to it after it was chosen."""
    kept = newcomer()
    newcomer()
    RequestFactory(user=kept)
    monkeypatch.setattr(housekeeping, "_protecting", list)

    assert forget() == 1
    assert list(User.objects.filter(email_verified_at=None)) == [kept]
    assert f"unverified account {kept.pk}" in caplog.text


def test_who_is_verifying_at_this_moment_stays(transactional_db):
    user = newcomer()
    with transaction.atomic():
        User.objects.locked().get(pk=user.pk)
        [outcome] = run_together([forget])

    assert outcome.value == 0
    assert User.objects.filter(pk=user.pk).exists()


def test_what_was_forgotten_is_counted(db):
    before = FORGOTTEN.labels("unverified accounts")._value.get()
    newcomer()
    forget()

    assert FORGOTTEN.labels("unverified accounts")._value.get() == before + 1


def test_the_tasks_of_people_leave_what_is_young(db):
    newcomer()

    assert (tasks.forget_unverified_accounts(), tasks.forget_email_changes()) == (0, 0)
