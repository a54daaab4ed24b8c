"""Rows 4 and 6: how many of fifty guesses reach the hasher, and who of twenty refreshes wins."""

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import caches

from accounts.models import Session, SessionEnd
from tests.config.api.test_ratelimit import redis_away
from tests.factories.accounts import PASSWORD, UserFactory
from tests.races import test_accounts as races
from tests.support.calls import new_place
from tests.support.hashing import make_quick
from tests.support.threads import run_together, successes

__all__ = ["redis_away"]


@pytest.fixture
def quick(monkeypatch):
    """A hash costs nothing."""
    make_quick(monkeypatch)


@pytest.fixture
def hashed(monkeypatch):
    """What reached the hasher."""
    seen, verify, encode = [], Argon2PasswordHasher.verify, Argon2PasswordHasher.encode
    monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda *given: seen.append("hash") or verify(*given))
    monkeypatch.setattr(Argon2PasswordHasher, "encode", lambda *given: seen.append("hash") or encode(*given))
    return seen


# --- 4: guesses -------------------------------------------------------------------------------------------------------

GUESSES, TRIED = 50, 5


def guess_together(user):
    """Fifty wrong passwords for one account from one address, at the same moment; the statuses."""
    body = {"email": user.email, "password": "wrong"}
    return sorted(successes(run_together([races.posting("/auth/token", body, new_place())] * GUESSES)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("outage", [None, "redis_away"], ids=["Redis", "Redis away"])
def test_row_04_of_fifty_guesses_at_once_five_reach_the_hasher(request, quick, hashed, outage):
    if outage:
        request.getfixturevalue(outage)
    user = UserFactory(password=PASSWORD)
    hashed.clear()

    assert guess_together(user) == [401] * TRIED + [429] * (GUESSES - TRIED)
    assert len(hashed) == TRIED


@pytest.mark.django_db(transaction=True)
def test_row_04_with_a_counter_that_reads_and_then_writes_more_would(quick, hashed, monkeypatch):
    """The control: were the race not lost here, the test above would prove nothing."""

    def read_then_write(request, *, group, key, rate, increment):
        name = f"careless {group} {key(group, request)}"
        count = caches["limits"].get(name, 0) + 1
        caches["limits"].set(name, count)
        return {"count": count, "time_left": rate[1]}

    monkeypatch.setattr("config.api.counting.core.get_usage", read_then_write)
    user = UserFactory(password=PASSWORD)
    hashed.clear()

    guess_together(user)

    assert len(hashed) > TRIED


# --- 6: refreshes -----------------------------------------------------------------------------------------------------

ROUNDS = 50


@pytest.mark.slow
@pytest.mark.sliced
@pytest.mark.django_db(transaction=True)
def test_row_06_of_twenty_refreshes_exactly_one_wins_fifty_times_over(quick):
    for _ in range(ROUNDS):
        races.test_of_twenty_refreshes_exactly_one_wins.__wrapped__()


@pytest.mark.django_db(transaction=True)
def test_row_06_without_the_lock_several_would_win(quick):
    """The control."""
    races.test_without_the_lock_several_would_win()


@pytest.mark.django_db
def test_row_06_a_spent_token_ends_the_whole_family(quick):
    first = races.enter(user := UserFactory(password=PASSWORD))
    refresh = races.posting("/auth/token/refresh", {"refresh": first.refresh}, new_place())

    assert [refresh(), refresh(), refresh()] == [200, 401, 401]
    assert Session.objects.get(user=user).revoked_because == SessionEnd.REUSED
