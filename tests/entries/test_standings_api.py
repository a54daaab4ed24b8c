"""Standings: who stands where, with ranks that equals share, page by page and by cursor."""

import pytest

from pools.models import PoolStatus, Round
from tests.factories.accounts import UserFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.calls import call, respond
from tests.support.playing import enter, play, void

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=3, codes=CODES))


@pytest.fixture
def standings(api, pool):
    def ask(caller=None, **query):
        return call(api(caller), "GET", f"/pools/{pool.pk}/standings", **query)

    return ask


def short(items) -> list[tuple]:
    return [(item["rank"], item["entry"], item["status"], item["rounds_survived"]) for item in items]


def test_before_anything_is_played_all_share_the_first_rank(standings, pool):
    a, b = enter(pool), enter(pool)

    assert standings() == (
        200,
        [
            {
                "rank": 1,
                "entry": entry.pk,
                "display_name": entry.user.display_name,
                "number": 1,
                "status": "active",
                "strikes": 0,
                "eliminated_round": None,
                "rounds_survived": 0,
                "picks": [],
            }
            for entry in (a, b)
        ],
    )


def test_those_who_are_in_come_before_those_who_came_less_far_and_equals_share_a_rank(standings, pool):
    first, second = enter(pool, "BAT"), enter(pool, "DOG")
    third = enter(pool, "ANT", "BAT")
    best, also = enter(pool, "ANT", "CAT"), enter(pool, "CAT", "ANT")
    play(pool, 1)
    play(pool, 2)

    assert short(standings()[1]) == [
        (1, best.pk, "active", 2),
        (1, also.pk, "active", 2),
        (3, third.pk, "eliminated", 1),
        (4, first.pk, "eliminated", 0),
        (4, second.pk, "eliminated", 0),
    ]


def test_winners_come_first_and_survived_until_the_end_of_the_pool(standings, pool):
    loser, winner = enter(pool, "ANT", "BAT"), enter(pool, "ANT", "CAT", "ELK")
    play(pool, 1)
    play(pool, 2)
    play(pool, 3)

    _, items = standings()

    assert short(items) == [(1, winner.pk, "winner", 2), (2, loser.pk, "eliminated", 1)]
    # The pick ahead for the round that this pool did not need any more is cancelled.
    assert [pick["round"] for pick in items[0]["picks"]] == [1, 2]


def test_rounds_survived_count_from_the_pools_first_round(db, api):
    pool = PoolFactory(competition=league(rounds=3, codes=CODES), first_round_number=2)
    enter(pool, None, "ANT"), enter(pool, None, "ANT"), enter(pool, None, "BAT")
    play(pool, 1)
    play(pool, 2)

    _, items = call(api(), "GET", f"/pools/{pool.pk}/standings")

    assert [item["rounds_survived"] for item in items] == [1, 1, 0]


def test_void_places_have_no_rank(standings, pool):
    entry = enter(pool, "ANT")
    void(enter(pool, "ANT"))

    assert [item["entry"] for item in standings()[1]] == [entry.pk]


def test_picks_show_with_their_results_once_their_round_has_locked(standings, pool):
    enter(pool, "ANT", "BAT", "CAT"), enter(pool, "DOG"), enter(pool, "CAT", "ELK")
    play(pool, 1)
    lock_round(Round.objects.get(number=2))

    _, items = standings()

    assert [item["picks"] for item in items] == [
        [{"round": 1, "team": "ANT", "result": "won"}, {"round": 2, "team": "BAT", "result": "pending"}],
        [{"round": 1, "team": "CAT", "result": "won"}, {"round": 2, "team": "ELK", "result": "pending"}],
        [{"round": 1, "team": "DOG", "result": "lost"}],
    ]


def test_picks_ahead_of_an_eliminated_entry_are_never_shown(standings, pool):
    out = enter(pool, "BAT", "ANT")
    enter(pool, "ANT"), enter(pool, "ANT")
    play(pool, 1)
    lock_round(Round.objects.get(number=2))

    _, items = standings(status="eliminated")

    assert [(item["entry"], item["picks"]) for item in items] == [
        (out.pk, [{"round": 1, "team": "BAT", "result": "lost"}])
    ]


def test_filters_keep_the_ranks_among_all(standings, pool):
    out = enter(pool, "BAT", owner=UserFactory(display_name="Grace Hopper"))
    enter(pool, "ANT"), enter(pool, "ANT")
    play(pool, 1)

    assert short(standings(status="eliminated")[1]) == [(3, out.pk, "eliminated", 0)]
    assert short(standings(search="ace hop")[1]) == [(3, out.pk, "eliminated", 0)]
    assert standings(status="active", search="hopper") == (200, [])


@pytest.mark.parametrize("search", ["BAT", "%", "_", "\\", "1 OR 1=1", "player@example.test"])
def test_search_looks_at_names_alone_and_takes_every_sign_as_it_is(standings, pool, search):
    enter(pool, "BAT", owner=UserFactory(display_name="Ada", email="player@example.test"))
    lock_round(Round.objects.get(number=1))

    assert standings(search=search) == (200, [])


@pytest.mark.parametrize(
    "query", [{"status": "void"}, {"status": "gone"}, {"search": "x" * 61}, {"search": "\x00"}, {"limit": 101}]
)
def test_wrong_filters_are_refused(standings, pool, query):
    assert standings(**query) == (400, "VALIDATION_ERROR")


def test_a_draft_is_there_for_staff_alone(api, player, moderator):
    draft = PoolFactory(status=PoolStatus.DRAFT)

    answers = [call(api(caller), "GET", f"/pools/{draft.pk}/standings") for caller in (None, player, moderator)]

    assert answers == [(404, "NOT_FOUND"), (404, "NOT_FOUND"), (200, [])]


@pytest.mark.parametrize("pool_id", ["0", "999999999999999999"])
def test_a_pool_that_is_not_there_is_not_found(db, api, pool_id):
    assert call(api(), "GET", f"/pools/{pool_id}/standings") == (404, "NOT_FOUND")


def test_a_cursor_walks_every_entry_exactly_once(api, pool):
    entries = [enter(pool, code) for code in ("BAT", "ANT", "CAT", "DOG", "ANT", "FOX", "CAT")]
    play(pool, 1)
    path, seen, cursor = f"/pools/{pool.pk}/standings", [], None

    while True:
        answer = respond(api(), "GET", path, limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += short(answer["data"])
        cursor = answer["meta"]["pagination"]["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == 7
    assert seen == sorted(seen)
    assert {entry_id for _, entry_id, _, _ in seen} == {entry.pk for entry in entries}
    assert [rank for rank, *_ in seen] == [1, 1, 1, 1, 5, 5, 5]


def test_pages_and_cursors_show_the_same_order(api, pool):
    for code in ("BAT", "ANT", "CAT", "DOG", "ANT"):
        enter(pool, code)
    play(pool, 1)
    path = f"/pools/{pool.pk}/standings"

    pages = [item for page in (1, 2, 3) for item in call(api(), "GET", path, limit=2, page=page)[1]]

    assert pages == call(api(), "GET", path)[1]


def test_a_cursor_of_another_list_is_refused(api, pool):
    enter(pool), enter(pool)
    cursor = respond(api(), "GET", f"/pools/{pool.pk}/standings", limit=1).json()["meta"]["pagination"]["next_cursor"]

    other = PoolFactory()

    assert call(api(), "GET", f"/pools/{other.pk}/standings", cursor=cursor) == (400, "VALIDATION_ERROR")


def test_the_number_of_queries_does_not_grow_with_entries(api, pool, django_assert_num_queries):
    path = f"/pools/{pool.pk}/standings"
    enter(pool, "ANT", "CAT"), enter(pool, "ANT", "CAT"), enter(pool, "BAT")
    play(pool, 1)

    for limit in (1, 3):
        with django_assert_num_queries(5):
            assert len(call(api(), "GET", path, limit=limit)[1]) == limit
