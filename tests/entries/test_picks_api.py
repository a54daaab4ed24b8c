"""Saving, listing and taking back picks through the API, one by one and many at once."""

import pytest

from entries.models import Pick
from entries.services.slips import is_genuine
from pools.models import Game, Round
from tests.factories.entries import EntryFactory
from tests.factories.entries import pick as pick_directly
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.calls import call, respond
from tests.support.playing import enter, play, void

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=3, codes=CODES))


@pytest.fixture
def entry(pool):
    return EntryFactory(in_pool=pool)


def put(api, entry, number, body, caller=None):
    return call(api(caller or entry.user), "PUT", f"/entries/{entry.pk}/picks/{number}", body)


def listed(api, entry, caller=None):
    return call(api(caller or entry.user), "GET", f"/entries/{entry.pk}/picks")


def test_a_pick_is_saved_and_answered_with_its_slip(api, entry):
    status, data = put(api, entry, 1, {"team": "ANT"})

    game = Game.objects.get(round__number=1, home__code="ANT")
    assert status == 200
    assert {key: data[key] for key in ("round", "team", "game", "result", "source", "locked")} == {
        "round": 1, "team": "ANT", "game": game.pk, "result": "pending", "source": "player", "locked": False,
    }  # fmt: skip
    assert is_genuine(data["slip"])
    assert (data["slip"]["entry"], data["slip"]["round"], data["slip"]["team"]) == (entry.pk, 1, "ANT")


def test_the_same_again_is_200_and_changes_nothing(api, entry):
    first = put(api, entry, 2, {"team": "ANT"})

    assert put(api, entry, 2, {"team": "ANT"}) == first
    assert put(api, entry, 2, {"teams": ["ANT"]}) == first


def test_a_saved_pick_is_listed_with_the_same_slip(api, entry):
    _, saved = put(api, entry, 3, {"team": "ANT"})

    assert listed(api, entry) == (200, [saved])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"team": None},
        {"team": ""},
        {"team": 7.5, "teams": ["ANT"]},
        {"team": "ANT", "teams": ["ANT"]},
        {"teams": []},
        {"teams": "ANT"},
        {"teams": ["ANT", "BAT"]},
        {"teams": ["ANT", "BAT", "CAT"]},
        {"team": "x" * 21},
        {"team": "A\x00T"},
        [],
        "ANT",
    ],
)
def test_a_malformed_body_is_refused(api, entry, body):
    assert put(api, entry, 1, body) == (400, "VALIDATION_ERROR")
    assert not Pick.objects.exists()


def test_refusals_have_the_codes_of_the_contract(api, entry):
    put(api, entry, 2, {"team": "ANT"})

    assert put(api, entry, 1, {"team": "ANT"}) == (422, "TEAM_ALREADY_USED")
    assert put(api, entry, 1, {"team": "ZEBRA"}) == (422, "TEAM_NOT_PLAYING")
    assert put(api, entry, 9, {"team": "BAT"}) == (422, "ROUND_NOT_OPEN")
    assert put(api, entry, 0, {"team": "BAT"}) == (422, "ROUND_NOT_OPEN")
    lock_round(Round.objects.get(number=1))
    assert put(api, entry, 1, {"team": "BAT"}) == (422, "DEADLINE_PASSED")


def test_an_eliminated_entry_cannot_pick(api, pool, entry):
    enter(pool, "ANT"), enter(pool, "ANT")
    play(pool, 1)

    assert put(api, entry, 2, {"team": "BAT"}) == (422, "ENTRY_NOT_ACTIVE")


def test_only_the_owner_can_pick_not_even_staff(api, entry, stranger, moderator, admin_user):
    for caller in (stranger, moderator, admin_user):
        assert put(api, entry, 1, {"team": "ANT"}, caller) == (404, "NOT_FOUND")
        assert call(api(caller), "DELETE", f"/entries/{entry.pk}/picks/1") == (404, "NOT_FOUND")
    assert call(api(), "PUT", f"/entries/{entry.pk}/picks/1", {"team": "ANT"}) == (401, "NOT_AUTHENTICATED")
    assert not Pick.objects.exists()


def test_a_pick_is_taken_back_and_taking_back_none_is_fine(api, entry):
    put(api, entry, 1, {"team": "ANT"})
    path = f"/entries/{entry.pk}/picks/1"

    assert call(api(entry.user), "DELETE", path) == (204, None)
    assert call(api(entry.user), "DELETE", path) == (204, None)
    assert not Pick.objects.exists()


def test_nothing_is_taken_back_after_the_lock_also_where_there_is_nothing(api, entry):
    pick_directly(entry, 1, "ANT")
    lock_round(Round.objects.get(number=1))
    lock_round(Round.objects.get(number=2))

    for number in (1, 2):
        answer = call(api(entry.user), "DELETE", f"/entries/{entry.pk}/picks/{number}")
        assert answer == (422, "DEADLINE_PASSED")
    assert Pick.objects.count() == 1


# --- The list -----------------------------------------------------------------------------------------------------


def test_results_show_in_play_order_with_missed_rounds_among_them(api, db):
    pool = PoolFactory(competition=league(rounds=3, codes=CODES), rules={"strikes": 2, "missed_pick": "strike"})
    entry = enter(pool, "ANT", None, "BAT")
    enter(pool, "ANT", "CAT", "ELK"), enter(pool, "ANT", "CAT", "ELK")
    for number in (1, 2):
        play(pool, number)

    _, picks = listed(api, entry)

    told = [tuple(p[key] for key in ("round", "team", "result", "source", "locked")) for p in picks]
    assert told == [
        (1, "ANT", "won", "player", True),
        (2, None, "missed", None, True),
        (3, "BAT", "pending", "player", False),
    ]
    assert [picks[1][key] for key in ("game", "picked_at", "slip")] == [None, None, None]


def test_picks_ahead_of_an_eliminated_entry_are_not_listed(api, pool):
    entry = enter(pool, "BAT", "ANT", "CAT")
    enter(pool, "ANT"), enter(pool, "ANT")
    play(pool, 1)

    assert [p["round"] for p in listed(api, entry)[1]] == [1]


def test_a_void_entry_keeps_its_picks_and_misses_nothing(api, pool):
    entry = void(enter(pool, "ANT"))
    lock_round(Round.objects.get(number=1))
    lock_round(Round.objects.get(number=2))

    assert [(p["round"], p["team"]) for p in listed(api, entry)[1]] == [(1, "ANT")]


def test_staff_see_picks_of_locked_rounds_without_the_owners_slip(api, pool, moderator):
    entry = enter(pool, "ANT", "CAT")
    lock_round(Round.objects.get(number=1))

    _, picks = listed(api, entry, moderator)

    assert [(p["round"], p["team"], p["slip"]) for p in picks] == [(1, "ANT", None)]


def test_a_stranger_finds_no_picks(api, entry, stranger):
    assert listed(api, entry, stranger) == (404, "NOT_FOUND")


def test_the_number_of_queries_does_not_grow_with_picks(api, pool, django_assert_num_queries):
    one, three = enter(pool, "ANT"), enter(pool, "ANT", "CAT", "ELK")

    for entry, count in ((one, 1), (three, 3)):
        with django_assert_num_queries(3):
            assert len(listed(api, entry)[1]) == count


# --- History --------------------------------------------------------------------------------------------------------


def history(api, entry, number=1, caller=None, **query):
    return call(api(caller or entry.user), "GET", f"/entries/{entry.pk}/picks/{number}/history", **query)


def test_the_history_tells_every_change_oldest_first(api, entry):
    put(api, entry, 1, {"team": "ANT"})
    put(api, entry, 1, {"team": "BAT"})
    call(api(entry.user), "DELETE", f"/entries/{entry.pk}/picks/1")

    status, steps = history(api, entry)

    assert status == 200
    assert [(s["from"], s["to"], s["by"], s["source"]) for s in steps] == [
        (None, "ANT", entry.user.display_name, "player"),
        ("ANT", "BAT", entry.user.display_name, "player"),
        ("BAT", None, entry.user.display_name, "player"),
    ]
    assert [s["at"] for s in steps] == sorted(s["at"] for s in steps)


def test_the_history_is_the_owners_alone_until_the_lock(api, entry, stranger, moderator):
    put(api, entry, 1, {"team": "ANT"})

    assert history(api, entry, caller=stranger) == (404, "NOT_FOUND")
    assert history(api, entry, caller=moderator) == (403, "FORBIDDEN")
    lock_round(Round.objects.get(number=1))
    assert [s["to"] for s in history(api, entry, caller=moderator)[1]] == ["ANT"]
    assert history(api, entry, caller=stranger) == (404, "NOT_FOUND")


def test_the_history_of_a_round_that_is_not_played_is_not_found(api, entry):
    assert history(api, entry, 9) == (404, "NOT_FOUND")


def test_a_cursor_walks_the_whole_history(api, entry):
    for team in ("ANT", "BAT", "CAT", "DOG", "ELK"):
        put(api, entry, 1, {"team": team})
    found, cursor = [], None
    path = f"/entries/{entry.pk}/picks/1/history"

    while True:
        answer = respond(api(entry.user), "GET", path, limit=2, **({"cursor": cursor} if cursor else {})).json()
        found += [step["to"] for step in answer["data"]]
        cursor = answer["meta"]["pagination"]["next_cursor"]
        if cursor is None:
            break

    assert found == ["ANT", "BAT", "CAT", "DOG", "ELK"]


def test_the_number_of_queries_does_not_grow_with_history(api, entry, django_assert_num_queries):
    for team in ("ANT", "BAT", "CAT"):
        put(api, entry, 1, {"team": team})

    for limit in (1, 3):
        with django_assert_num_queries(4):
            assert len(history(api, entry, limit=limit)[1]) == limit


# --- Many at once ---------------------------------------------------------------------------------------------------


def bulk(api, user, *picks, **query):
    items = [{"entry": entry.pk, "round": number, "team": team} for entry, number, team in picks]
    return call(api(user), "PUT", "/picks", {"picks": items}, **query)


def test_each_of_several_picks_has_its_own_answer_in_the_order_asked(api, pool, entry):
    second = EntryFactory(in_pool=pool, owner=entry.user, number=2)
    strangers = EntryFactory(in_pool=pool)
    put(api, entry, 1, {"team": "ANT"})

    status, answers = bulk(
        api, entry.user, (second, 1, "BAT"), (entry, 2, "ANT"), (strangers, 1, "CAT"), (entry, 1, "ANT")
    )

    assert status == 200
    told = [(a["entry"], a["round"], a["saved"], a["changed"], (a["error"] or {}).get("code")) for a in answers]
    assert told == [
        (second.pk, 1, True, True, None),
        (entry.pk, 2, False, False, "TEAM_ALREADY_USED"),
        (strangers.pk, 1, False, False, "NOT_FOUND"),
        (entry.pk, 1, True, False, None),
    ]
    assert is_genuine(answers[0]["pick"]["slip"])
    assert answers[1]["pick"] is None
    assert Pick.objects.count() == 2


def test_atomic_is_all_or_nothing(api, entry):
    refused = bulk(api, entry.user, (entry, 1, "ANT"), (entry, 2, "ANT"), atomic="true")
    assert refused == (422, "TEAM_ALREADY_USED")
    assert not Pick.objects.exists()

    assert bulk(api, entry.user, (entry, 1, "ANT"), (entry, 2, "BAT"), atomic="true")[0] == 200
    assert Pick.objects.count() == 2


def test_a_hundred_picks_are_taken_and_more_are_refused(api, entry):
    status, answers = bulk(api, entry.user, *[(entry, 1, "ANT")] * 100)
    assert (status, len(answers), Pick.objects.count()) == (200, 100, 1)

    assert bulk(api, entry.user, *[(entry, 1, "ANT")] * 101) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"picks": []},
        {"picks": {}},
        {"picks": ["ANT"]},
        {"picks": [{"entry": 1, "round": 1}]},
        {"picks": [{"entry": 1, "round": 1, "team": "ANT"}, {"entry": "x", "round": 1, "team": "ANT"}]},
        {"picks": [{"entry": 2**63, "round": 1, "team": "ANT"}]},
        {"picks": [{"entry": 1, "round": 10_000, "team": "ANT"}]},
    ],
)
def test_a_malformed_list_of_picks_is_refused_as_a_whole(api, entry, body):
    assert call(api(entry.user), "PUT", "/picks", body) == (400, "VALIDATION_ERROR")


def test_what_atomic_means_must_be_readable(api, entry):
    assert bulk(api, entry.user, (entry, 1, "ANT"), atomic="perhaps") == (400, "VALIDATION_ERROR")


def test_several_picks_need_a_signed_in_caller(api, entry):
    assert bulk(api, None, (entry, 1, "ANT")) == (401, "NOT_AUTHENTICATED")
