"""Entries as their owners see them, as staff see them, and that nobody else does."""

from datetime import timedelta

import pytest

from config.clock import database_now
from entries.models import EntryStatus
from entries.queries.reveal import revealed_rounds
from entries.services.lost_places import suspend_entry
from pools.models import Pool, PoolStatus, Round
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.calls import call, respond
from tests.support.playing import enter, play, void

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=3, codes=CODES))


def seen(api, caller, entry) -> dict:
    status, data = call(api(caller), "GET", f"/entries/{entry.pk}")
    assert status == 200
    return data


def test_an_owner_sees_the_entry_with_all_teams_used_and_the_next_lock(api, pool):
    entry = enter(pool, "ANT", None, "CAT")

    data = seen(api, entry.user, entry)

    lock = Round.objects.get(number=1).locks_at.isoformat().replace("+00:00", "Z")
    assert {key: data[key] for key in data if key != "created_at"} == {
        "id": entry.pk, "pool": pool.pk, "user": entry.user_id, "number": 1, "status": "active", "strikes": 0,
        "eliminated_round": None, "eliminated_reason": None, "teams_used": ["ANT", "CAT"], "picks_made": 2,
        "next_lock_at": lock, "prize_cents": None, "suspended": False,
    }  # fmt: skip


def test_an_owner_sees_that_the_entry_is_suspended(api, pool):
    entry = enter(pool)
    suspend_entry(entry=entry, by=None, reason="disputed")
    assert seen(api, entry.user, entry)["suspended"] is True


def test_an_eliminated_entry_tells_when_and_why_and_forgets_picks_ahead(api, pool):
    entry = enter(pool, "BAT", "ANT")
    enter(pool, "ANT"), enter(pool, "ANT")
    play(pool, 1)

    data = seen(api, entry.user, entry)

    told = [data[key] for key in ("status", "eliminated_round", "next_lock_at")]
    assert told == ["eliminated", 1, None]
    assert data["eliminated_reason"] == {
        "code": "pick_lost",
        "sentence": "Round 1: the pick lost; the first loss eliminates (rules, version 1).",
        "rules_version": 1,
    }
    assert (data["teams_used"], data["picks_made"]) == (["BAT"], 1)


def test_staff_see_how_many_picks_were_made_but_only_revealed_teams(api, pool, moderator, finance, admin_user):
    entry = enter(pool, "ANT", "CAT")
    lock_round(Round.objects.get(number=1))
    revealed_rounds(pool.competition_id)

    for caller in (moderator, finance, admin_user):
        data = seen(api, caller, entry)
        assert (data["teams_used"], data["picks_made"]) == (["ANT"], 2)


def test_staff_who_play_see_their_own_picks(api, pool, moderator):
    entry = enter(pool, "ANT", owner=moderator)

    assert seen(api, moderator, entry)["teams_used"] == ["ANT"]


def test_the_next_lock_is_that_of_the_pools_next_round(api, pool):
    entry = enter(pool)
    lock_round(Round.objects.get(number=1))
    Round.objects.filter(number=2).update(fixed_locks_at=database_now() + timedelta(hours=1))

    assert seen(api, entry.user, entry)["next_lock_at"] == (
        Round.objects.get(number=2).locks_at.isoformat().replace("+00:00", "Z")
    )


@pytest.mark.parametrize("status", [PoolStatus.FINISHED, PoolStatus.CANCELLED])
def test_there_is_no_next_lock_once_the_pool_is_over(api, pool, status):
    entry = enter(pool)
    Pool.objects.update(status=status)

    assert seen(api, entry.user, entry)["next_lock_at"] is None


def test_a_stranger_finds_nothing_and_anonymous_callers_must_sign_in(api, pool, stranger):
    entry = enter(pool)

    assert call(api(stranger), "GET", f"/entries/{entry.pk}") == (404, "NOT_FOUND")
    assert call(api(stranger), "GET", "/entries") == (200, [])
    assert call(api(), "GET", f"/entries/{entry.pk}") == (401, "NOT_AUTHENTICATED")
    assert call(api(), "GET", "/entries") == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("entry_id", ["0", "999999999999999999"])
def test_an_entry_that_is_not_there_is_not_found(api, player, entry_id):
    assert call(api(player), "GET", f"/entries/{entry_id}") == (404, "NOT_FOUND")


def test_the_list_holds_the_callers_own_newest_first_and_everybodys_for_staff(api, pool, moderator):
    first, other = enter(pool), enter(pool)
    second = EntryFactory(in_pool=PoolFactory(), owner=first.user)

    mine = call(api(first.user), "GET", "/entries")[1]
    everybodys = call(api(moderator), "GET", "/entries")[1]

    assert [item["id"] for item in mine] == [second.pk, first.pk]
    assert [item["id"] for item in everybodys] == [second.pk, other.pk, first.pk]


def test_the_list_can_be_filtered_by_pool_status_and_user(api, pool, moderator):
    entry, gone = enter(pool), void(enter(pool))
    EntryFactory(in_pool=PoolFactory())

    def ids(**query):
        return [item["id"] for item in call(api(moderator), "GET", "/entries", **query)[1]]

    assert ids(pool=pool.pk) == [gone.pk, entry.pk]
    assert ids(status=EntryStatus.VOID) == [gone.pk]
    assert ids(user=entry.user_id) == [entry.pk]


def test_a_player_cannot_look_at_others_with_a_filter(api, pool, stranger):
    entry = enter(pool)

    assert call(api(stranger), "GET", "/entries", user=entry.user_id, pool=pool.pk) == (200, [])


@pytest.mark.parametrize("query", [{"status": "gone"}, {"pool": "x"}, {"user": 2**63}, {"limit": 0}, {"page": -1}])
def test_wrong_filters_are_refused(api, player, query):
    assert call(api(player), "GET", "/entries", **query) == (400, "VALIDATION_ERROR")


def test_unknown_filters_and_orders_do_not_reach_the_database(api, pool, moderator):
    enter(pool, "ANT"), enter(pool, "BAT")

    for query in ({"picks__team__code": "ANT"}, {"ordering": "picks__team__code"}, {"search": "ANT"}):
        assert call(api(moderator), "GET", "/entries", **query) == (400, "VALIDATION_ERROR")


def test_a_cursor_walks_all_entries_once(api, pool, moderator):
    entries = [enter(pool).pk for _ in range(5)]
    found, cursor = [], None

    while True:
        answer = respond(api(moderator), "GET", "/entries", limit=2, **({"cursor": cursor} if cursor else {})).json()
        found += [item["id"] for item in answer["data"]]
        cursor = answer["meta"]["pagination"]["next_cursor"]
        if cursor is None:
            break

    assert found == entries[::-1]


def test_the_number_of_queries_does_not_grow_with_entries_or_pools(api, pool, moderator, django_assert_num_queries):
    for each in (pool, PoolFactory(), PoolFactory()):
        enter(each, "ANT", "CAT")

    for limit in (1, 3):
        with django_assert_num_queries(5):
            assert len(call(api(moderator), "GET", "/entries", limit=limit)[1]) == limit
