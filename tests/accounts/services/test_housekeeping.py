"""What is over is forgotten in the end, and nothing else."""

from datetime import timedelta

import pytest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import tasks
from accounts.models import Session
from accounts.services.housekeeping import SESSIONS_KEPT, forget_expired_tokens, forget_old_sessions
from accounts.services.sessions import refresh_session, sign_in
from config.clock import database_now
from tests.factories.accounts import PASSWORD


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
