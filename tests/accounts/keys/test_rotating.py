"""POST /api-keys/{id}/rotate."""

from datetime import timedelta

import pytest

from accounts.models import ApiKey, SessionEnd
from accounts.services.api_keys import MOST_GOOD, MOST_KEYS, KeyLimitReached, forget_dead, rotate_key
from accounts.services.sessions import end_all_sessions
from config.clock import database_now
from config.errors import Code
from tests.accounts.keys.conftest import claims
from tests.accounts.keys.test_calling import shift
from tests.support.threads import codes, run_together, successes


@pytest.fixture
def me(signed_in, user):
    return signed_in(user)


@pytest.fixture
def old(user, new_key):
    return new_key(user, "account:read", "pools:read", expires_at=database_now() + timedelta(days=30))


def rotated(me, key):
    status, body = me.post(f"/api-keys/{key.pk}/rotate")
    assert status == 201, body
    return body["data"]


def test_both_are_good_for_a_day(me, old, with_key):
    new = rotated(me, old.key)

    assert [with_key(text).get("/me")[0] for text in (old.text, new["key"])] == [200, 200]
    old.key.refresh_from_db()
    left = old.key.expires_at - database_now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


def test_the_new_one_is_like_the_old_and_lives_as_long(me, old):
    new = rotated(me, old.key)

    assert (new["name"], new["scopes"], new["replaces"]) == ("Scoreboard", ["account:read", "pools:read"], old.key.pk)
    key = ApiKey.objects.get(pk=new["id"])
    assert abs(key.expires_at - key.created_at - timedelta(days=30)) < timedelta(minutes=1)


def test_a_key_near_its_end_does_not_live_longer_by_it(me, old):
    ends_at = database_now() + timedelta(hours=1)
    ApiKey.objects.filter(pk=old.key.pk).update(expires_at=ends_at)

    rotated(me, old.key)

    old.key.refresh_from_db()
    assert old.key.expires_at == ends_at


def test_it_is_replaced_once(me, old):
    rotated(me, old.key)

    status, body = me.post(f"/api-keys/{old.key.pk}/rotate")

    assert (status, body["error"]["code"]) == (409, "INVALID_TRANSITION")
    assert ApiKey.objects.count() == 2


def test_rotating_leaves_no_heap_of_good_keys(user, new_key):
    """Twenty, and twenty that run out within the day."""
    held = [new_key(user, "account:read").key for _ in range(MOST_KEYS)]

    def rotate(key):
        return rotate_key(user=user, claims=claims(user), key_id=key.pk, now=database_now()).key

    held = [rotate(key) for key in held]
    assert ApiKey.objects.good().count() == MOST_GOOD
    for refused in (lambda: rotate(held[0]), lambda: new_key(user, "account:read")):
        with pytest.raises(KeyLimitReached):
            refused()

    shift(ApiKey.objects.get(replacement=held[0]), expires_at=database_now())
    assert rotate(held[0]).replaces == held[0]
    assert ApiKey.objects.good().count() == MOST_GOOD


def test_what_was_replaced_does_not_count_among_the_twenty(user, new_key):
    held = [new_key(user, "account:read").key for _ in range(MOST_KEYS - 1)]
    rotate_key(user=user, claims=claims(user), key_id=held[0].pk, now=database_now())

    assert new_key(user, "account:read").key.pk
    with pytest.raises(KeyLimitReached):
        new_key(user, "account:read")


@pytest.mark.django_db(transaction=True)
def test_of_many_made_at_once_twenty_are(user, new_key):
    for _ in range(MOST_KEYS - 2):
        new_key(user, "account:read")

    outcomes = run_together([lambda: new_key(user, "account:read")] * 6)

    assert (len(successes(outcomes)), codes(outcomes)) == (2, [Code.KEY_LIMIT_REACHED] * 4)
    assert ApiKey.objects.good().count() == MOST_KEYS


def test_what_ended_is_not_replaced(signed_in, user, old):
    end_all_sessions(user=user, because=SessionEnd.STAFF)

    status, body = signed_in(user).post(f"/api-keys/{old.key.pk}/rotate")

    assert (status, body["error"]["code"]) == (409, "INVALID_TRANSITION")


def test_what_was_revoked_is_not_there(me, old):
    me.delete(f"/api-keys/{old.key.pk}")

    assert me.post(f"/api-keys/{old.key.pk}/rotate")[0] == 404


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_replaces_it(user, old):
    def rotate():
        return rotate_key(user=user, claims=claims(user), key_id=old.key.pk, now=database_now())

    outcomes = run_together([rotate] * 6)

    assert (len(successes(outcomes)), codes(outcomes)) == (1, [Code.INVALID_TRANSITION] * 5)
    assert ApiKey.objects.count() == 2


def test_keys_long_over_are_forgotten_and_their_successors_stay(me, old, user, new_key):
    new = rotated(me, old.key)
    shift(old.key, expires_at=database_now() - timedelta(days=91))
    revoked = new_key(user, "pools:read").key
    shift(revoked, revoked_at=database_now() - timedelta(days=91))
    shift(new_key(user, "pools:read").key, revoked_at=database_now() - timedelta(days=89))

    assert [forget_dead(now=database_now(), limit=1) for _ in range(3)] == [1, 1, 0]

    assert ApiKey.objects.get(pk=new["id"]).replaces is None
    assert ApiKey.objects.count() == 2
