"""How often a team may be used: the limit, the round from which the count begins again, and what is no use at all."""

import pytest
from django.db import IntegrityError, connection, transaction

from config.errors import Code, Refused
from entries.models import Pick
from entries.services.picks import save_pick
from pools.models import Game, GameStatus, Round
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory, finish, game_of, league, lock_round
from tests.support.calls import call

CODES = ("ANT", "BAT", "CAT", "DOG")


def entry_under(rounds=5, **rules):
    return EntryFactory(in_pool=PoolFactory(competition=league(rounds=rounds, codes=CODES), rules=rules))


def choose(entry, number, code):
    return save_pick(entry_id=entry.pk, user=entry.user, round_number=number, teams=[code])


def refusal(entry, number, code) -> Refused:
    with pytest.raises(Refused) as caught:
        choose(entry, number, code)
    assert caught.value.code == Code.TEAM_ALREADY_USED
    return caught.value


def test_the_refusal_says_where_the_team_was_used(db):
    entry = entry_under()
    choose(entry, 2, "ANT")

    refused = refusal(entry, 1, "ANT")

    assert refused.message == "This entry has already used ANT in round 2."
    assert refused.details == {"team": "ANT", "round": 2, "rounds": [2]}


def test_a_team_may_be_used_as_often_as_the_limit_says(db):
    entry = entry_under(reuse_limit=2)
    choose(entry, 1, "ANT"), choose(entry, 3, "ANT")

    refused = refusal(entry, 2, "ANT")

    assert refused.message == "This entry has already used ANT in rounds 1 and 3."
    assert refused.details["rounds"] == [1, 3]


def test_the_count_begins_again_at_the_reset_round_in_both_directions(db):
    entry = entry_under(reuse_reset_round=3)
    choose(entry, 1, "ANT"), choose(entry, 3, "ANT")

    assert refusal(entry, 2, "ANT").details["rounds"] == [1]
    assert refusal(entry, 4, "ANT").details["rounds"] == [3]


def test_changing_to_the_same_team_within_its_round_is_no_second_use(db):
    entry = entry_under()
    choose(entry, 1, "ANT"), choose(entry, 1, "BAT")

    assert choose(entry, 1, "ANT").changed


def tied(entry, number, code) -> None:
    round_ = Round.objects.get(number=number)
    pick(entry, number, code)
    lock_round(round_)
    finish(game_of(round_, code), 10, 10)


def off(entry, number, code) -> None:
    round_ = Round.objects.get(number=number)
    pick(entry, number, code)
    lock_round(round_)
    game_of(round_, code)
    Game.objects.filter(pk=game_of(round_, code).pk).update(status=GameStatus.CANCELLED)


def moved(entry, number, code) -> None:
    round_ = Round.objects.get(number=number)
    pick(entry, number, code)
    lock_round(round_)
    Game.objects.filter(pk=game_of(round_, code).pk).update(round=Round.objects.get(number=5))


@pytest.mark.parametrize(
    ("happens", "rules", "is_free"),
    [
        (tied, {"tie": "void"}, True),
        (tied, {"tie": "loss"}, False),
        (tied, {"tie": "win"}, False),
        (off, {"cancelled_game": "void"}, True),
        (off, {"cancelled_game": "repick"}, True),
        (off, {"cancelled_game": "loss"}, False),
        (off, {"cancelled_game": "win"}, False),
        (moved, {"cancelled_game": "void"}, True),
        (moved, {"cancelled_game": "loss"}, False),
    ],
)
def test_a_void_pick_leaves_the_team_unused_for_service_guard_and_list(api, db, happens, rules, is_free):
    entry = entry_under(**rules)
    happens(entry, 1, "ANT")

    assert call(api(entry.user), "GET", f"/entries/{entry.pk}")[1]["teams_used"] == ([] if is_free else ["ANT"])
    if is_free:
        assert choose(entry, 2, "ANT").changed
    else:
        assert refusal(entry, 2, "ANT").details["rounds"] == [1]
        assert forced(entry, 2, "ANT") == "pick_team_within_limit"


def forced(entry, number, code) -> str | None:
    """Write the pick with plain SQL; the name of the guard that refuses it."""
    game = game_of(Round.objects.get(number=number), code)
    team = game.home if game.home.code == code else game.away
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce)"
                " VALUES (%s, %s, 1, %s, %s, 'player', 1, '')",
                [entry.pk, game.round_id, team.pk, game.pk],
            )
    except IntegrityError as error:
        return error.__cause__.diag.constraint_name
    return None


def test_raw_sql_is_held_to_the_limit_and_the_reset_too(db):
    entry = entry_under(reuse_limit=2, reuse_reset_round=4)

    assert [forced(entry, number, "ANT") for number in (1, 2, 3, 4, 5)] == [
        None, None, "pick_team_within_limit", None, None,
    ]  # fmt: skip


def test_raw_sql_cannot_change_a_pick_to_a_team_that_is_used_up(db):
    entry = entry_under()
    pick(entry, 1, "ANT")
    other = pick(entry, 2, "BAT")
    game = game_of(Round.objects.get(number=2), "ANT")

    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE entries_pick SET team_id = %s WHERE id = %s", [game.home_id, other.pk])

    assert caught.value.__cause__.diag.constraint_name == "pick_team_within_limit"


def test_raw_sql_cannot_pick_one_team_for_both_slots(db):
    entry = entry_under(picks_per_round=2, reuse_limit=2)
    made = pick(entry, 1, "ANT")

    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Pick.objects.create(
            entry=entry, round_id=made.round_id, slot=2, team_id=made.team_id, game_id=made.game_id, nonce="x"
        )

    assert caught.value.__cause__.diag.constraint_name in ("pick_team_once_a_round", "pick_team_within_limit")


def test_a_result_corrected_later_takes_no_pick_away(db):
    entry = entry_under(tie="void")
    tied(entry, 1, "ANT")
    choose(entry, 2, "ANT")

    finish(game_of(Round.objects.get(number=1), "ANT"), 20, 10)

    assert Pick.objects.filter(team__code="ANT").count() == 2
    assert not choose(entry, 2, "ANT").changed
    assert refusal(entry, 3, "ANT").details["rounds"] == [1, 2]


def test_teams_used_are_those_of_the_count_that_runs_now(api, db):
    entry = entry_under(reuse_reset_round=2)
    pick(entry, 1, "ANT"), pick(entry, 2, "ANT"), pick(entry, 3, "BAT")

    def used():
        data = call(api(entry.user), "GET", f"/entries/{entry.pk}")[1]
        return data["teams_used"], data["picks_made"]

    assert used() == (["ANT"], 3)
    lock_round(Round.objects.get(number=1))
    assert used() == (["ANT", "BAT"], 3)


def test_a_team_used_twice_is_told_twice(api, db):
    entry = entry_under(reuse_limit=2)
    pick(entry, 1, "ANT"), pick(entry, 2, "ANT")

    assert call(api(entry.user), "GET", f"/entries/{entry.pk}")[1]["teams_used"] == ["ANT", "ANT"]
