"""Rounds that ask for two teams: both at once, kept by team, told slot by slot."""

import pytest

from config.errors import Code, DomainError
from entries.models import Pick, PickChange
from entries.services.picks import Wish, delete_pick, save_pick, save_picks
from entries.services.slips import is_genuine
from pools.models import Game, Round, Rules
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory, finish, game_of, league, lock_round
from tests.support.calls import call
from tests.support.playing import enter

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=3, codes=CODES), rules={"two_pick_rounds": [2], "strikes": 3})


@pytest.fixture
def entry(pool):
    return EntryFactory(in_pool=pool)


def choose(entry, number, *codes):
    return save_pick(entry_id=entry.pk, user=entry.user, round_number=number, teams=codes)


def refused(entry, number, *codes) -> Code:
    with pytest.raises(DomainError) as caught:
        choose(entry, number, *codes)
    return caught.value.code


def slots(entry) -> dict[int, str]:
    return dict(Pick.objects.filter(entry=entry).order_by("slot").values_list("slot", "team__code"))


def steps() -> list[tuple[int, str | None, str | None]]:
    codes = dict(Pick.team.field.related_model.objects.values_list("pk", "code"))
    changes = PickChange.objects.order_by("id").values_list("slot", "from_team_id", "to_team_id")
    return [(slot, codes.get(before), codes.get(after)) for slot, before, after in changes]


def test_both_teams_are_saved_with_a_slip_each(entry):
    saved = choose(entry, 2, "ANT", "CAT")

    assert [(one.team_code, one.changed) for one in saved.picks] == [("ANT", True), ("CAT", True)]
    assert all(is_genuine(one.slip) for one in saved.picks)
    assert saved.picks[0].nonce != saved.picks[1].nonce
    assert slots(entry) == {1: "ANT", 2: "CAT"}


@pytest.mark.parametrize("codes", [("ANT",), ("ANT", "ANT"), ("ANT", "BAT", "CAT"), ()])
def test_a_two_pick_round_takes_exactly_two_different_teams(entry, codes):
    assert refused(entry, 2, *codes) == Code.VALIDATION_ERROR
    assert not Pick.objects.exists()


def test_a_one_pick_round_of_the_same_pool_takes_one(entry):
    assert refused(entry, 1, "ANT", "CAT") == Code.VALIDATION_ERROR
    assert choose(entry, 1, "ANT").changed


def test_every_round_of_a_two_pick_pool_takes_two(db):
    entry = EntryFactory(in_pool=PoolFactory(rules={"picks_per_round": 2}))

    assert refused(entry, 1, "ANT") == Code.VALIDATION_ERROR
    assert len(choose(entry, 1, "ANT", "CAT").picks) == 2


def test_the_same_teams_in_another_order_change_nothing(entry):
    first = choose(entry, 2, "ANT", "CAT")

    again = choose(entry, 2, "CAT", "ANT")

    assert [one.changed for one in again.picks] == [False, False]
    assert {one.nonce for one in again.picks} == {one.nonce for one in first.picks}
    assert [one.team_code for one in again.picks] == ["CAT", "ANT"]
    assert slots(entry) == {1: "ANT", 2: "CAT"}
    assert PickChange.objects.count() == 2


def test_only_the_slot_that_changes_is_written(entry):
    before = choose(entry, 2, "ANT", "CAT")

    after = choose(entry, 2, "CAT", "DOG")

    assert [(one.team_code, one.changed) for one in after.picks] == [("CAT", False), ("DOG", True)]
    assert after.picks[0].nonce == before.picks[1].nonce
    assert slots(entry) == {1: "DOG", 2: "CAT"}
    assert steps() == [(1, None, "ANT"), (2, None, "CAT"), (1, "ANT", "DOG")]


def test_two_new_teams_replace_both(entry):
    choose(entry, 2, "ANT", "CAT")

    choose(entry, 2, "DOG", "BAT")

    assert slots(entry) == {1: "DOG", 2: "BAT"}
    assert steps()[2:] == [(1, "ANT", "DOG"), (2, "CAT", "BAT")]


def test_a_refused_second_team_saves_neither(entry):
    choose(entry, 1, "CAT")

    assert refused(entry, 2, "ANT", "CAT") == Code.TEAM_ALREADY_USED
    assert refused(entry, 2, "ANT", "ZEBRA") == Code.TEAM_NOT_PLAYING
    assert slots(entry) == {1: "CAT"}


def test_both_teams_are_used_afterwards(entry):
    choose(entry, 2, "ANT", "CAT")

    assert refused(entry, 1, "ANT") == refused(entry, 3, "CAT") == Code.TEAM_ALREADY_USED


def test_both_are_taken_back_together(entry):
    choose(entry, 2, "ANT", "CAT")

    assert delete_pick(entry_id=entry.pk, user=entry.user, round_number=2)

    assert slots(entry) == {}
    assert sorted(steps()[2:]) == [(1, "ANT", None), (2, "CAT", None)]


def test_two_teams_cost_as_many_statements_as_one(entry, django_assert_num_queries):
    with django_assert_num_queries(4):  # with SAVEPOINT and RELEASE, which are BEGIN and COMMIT outside a test
        choose(entry, 2, "ANT", "CAT")
    with django_assert_num_queries(4):
        choose(entry, 2, "CAT", "ANT")


def test_many_at_once_may_mix_one_and_two(entry):
    wishes = [Wish(entry.pk, 1, ["ANT"]), Wish(entry.pk, 2, ["BAT", "CAT"]), Wish(entry.pk, 3, ["DOG", "ELK"])]

    one, two, wrong = save_picks(user=entry.user, wishes=wishes, atomic=False)

    assert [len(one.picks), len(two.picks), wrong.code] == [1, 2, Code.VALIDATION_ERROR]


def amend(pool, **changes) -> None:
    """A second version of the rules, from round 2 on."""
    first = pool.rules_versions.get()
    kept = {key: getattr(first, key) for key in Rules.KEYS}
    by, confirmed_by = ModeratorFactory(), ModeratorFactory()
    Rules.objects.create(
        pool=pool, version=2, effective_round_number=2, created_by=by, confirmed_by=confirmed_by, **(kept | changes)
    )


def test_a_slot_left_from_rules_since_amended_goes_with_the_next_save(pool, entry):
    choose(entry, 2, "ANT", "CAT")
    amend(pool, two_pick_rounds=[])

    assert refused(entry, 2, "ANT", "CAT") == Code.VALIDATION_ERROR
    saved = choose(entry, 2, "CAT")

    assert saved.changed
    assert slots(entry) == {1: "CAT"}


def test_what_a_round_no_longer_asks_for_is_shown_to_nobody(api, pool, entry):
    choose(entry, 2, "ANT", "CAT")
    amend(pool, two_pick_rounds=[])

    assert [line["team"] for line in listed(api, entry)] == ["ANT"]


# --- Through the API --------------------------------------------------------------------------------------------


def put(api, entry, number, body):
    return call(api(entry.user), "PUT", f"/entries/{entry.pk}/picks/{number}", body)


def listed(api, entry, caller=None):
    return call(api(caller or entry.user), "GET", f"/entries/{entry.pk}/picks")[1]


def test_the_answer_is_the_first_pick_with_both_beside_it(api, entry):
    status, data = put(api, entry, 2, {"teams": ["ANT", "CAT"]})

    assert status == 200
    assert (data["team"], data["game"]) == ("ANT", Game.objects.get(round__number=2, home__code="ANT").pk)
    first, second = data.pop("picks")
    assert first == data
    assert (second["team"], second["slip"]["team"]) == ("CAT", "CAT")
    assert listed(api, entry) == [first, second]


@pytest.mark.parametrize("body", [{"team": "ANT"}, {"teams": ["ANT"]}, {"teams": ["ANT", "ANT"]}])
def test_one_team_is_malformed_where_two_are_asked_for(api, entry, body):
    assert put(api, entry, 2, body) == (400, "VALIDATION_ERROR")


def test_bulk_takes_teams_beside_team(api, entry):
    items = [
        {"entry": entry.pk, "round": 1, "team": "ANT"},
        {"entry": entry.pk, "round": 2, "teams": ["BAT", "CAT"]},
        {"entry": entry.pk, "round": 3, "teams": ["DOG"]},
    ]

    status, answers = call(api(entry.user), "PUT", "/picks", {"picks": items})

    assert status == 200
    assert [answer["saved"] for answer in answers] == [True, True, True]
    assert [one["team"] for one in answers[1]["pick"]["picks"]] == ["BAT", "CAT"]
    assert "picks" not in answers[0]["pick"]


@pytest.mark.parametrize("wrong", [{}, {"team": "ANT", "teams": ["BAT"]}, {"teams": []}, {"teams": ["A", "B", "C"]}])
def test_a_bulk_item_names_team_or_teams(api, entry, wrong):
    body = {"picks": [{"entry": entry.pk, "round": 1} | wrong]}

    assert call(api(entry.user), "PUT", "/picks", body) == (400, "VALIDATION_ERROR")


def test_bulk_says_changed_when_one_of_two_did(api, entry):
    put(api, entry, 2, {"teams": ["ANT", "CAT"]})
    body = {"picks": [{"entry": entry.pk, "round": 2, "teams": ["ANT", "DOG"]}]}

    assert [call(api(entry.user), "PUT", "/picks", body)[1][0]["changed"] for _ in range(2)] == [True, False]


def test_each_missing_pick_is_listed_once_the_round_is_closed(api, pool):
    entry = EntryFactory(in_pool=pool)
    pick(entry, 1, "ANT")
    pick(entry, 2, "BAT")
    lock_round(Round.objects.get(number=1)), lock_round(Round.objects.get(number=2))
    finish(game_of(Round.objects.get(number=2), "BAT"), 7, 21)

    lines = [(line["round"], line["team"], line["result"]) for line in listed(api, entry)]

    assert lines == [(1, "ANT", "pending"), (2, "BAT", "won"), (2, None, "missed")]


def test_a_two_pick_round_without_a_pick_was_missed_twice(api, pool):
    entry = enter(pool)
    lock_round(Round.objects.get(number=2))

    assert [(line["round"], line["result"]) for line in listed(api, entry)] == [(2, "missed"), (2, "missed")]
