"""Pools in which each game locks for itself: what can change when.

The week of every test: a Thursday game (ANT against BAT), a Saturday game (CAT, DOG) and a Monday one (ELK, FOX).
"""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from config.clock import database_now
from config.errors import Code, DomainError
from entries.models import Pick
from entries.queries.entries import next_locks
from entries.queries.reveal import revealed_rounds
from entries.services.picks import delete_pick, save_pick
from pools.models import Game, GameStatus, Round
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import finish, kick_off
from tests.support.weekend import after_monday, game, weekly_pool


@pytest.fixture
def pool(db):
    return weekly_pool()


@pytest.fixture
def entry(pool):
    return EntryFactory(in_pool=pool)


def choose(entry, number, *codes):
    return save_pick(entry_id=entry.pk, user=entry.user, round_number=number, teams=codes)


def refusal(entry, number, *codes) -> DomainError:
    with pytest.raises(DomainError) as caught:
        choose(entry, number, *codes)
    return caught.value


def take_back(entry, number):
    return delete_pick(entry_id=entry.pk, user=entry.user, round_number=number)


def picked(entry) -> list[str]:
    return list(Pick.objects.filter(entry=entry).order_by("round", "slot").values_list("team__code", flat=True))


# --- Saving -----------------------------------------------------------------------------------------------------


def test_a_game_not_started_can_be_picked_after_the_round_has_begun(entry):
    kick_off(game("ANT"))

    assert choose(entry, 1, "CAT").changed


def test_a_pick_moves_freely_between_games_not_started(entry):
    choose(entry, 1, "CAT")
    kick_off(game("ANT"))

    assert choose(entry, 1, "ELK").changed
    assert choose(entry, 1, "DOG").changed
    assert take_back(entry, 1)


def test_a_started_game_cannot_be_picked(entry):
    kick_off(game("ANT"))

    refused = refusal(entry, 1, "BAT")

    assert (refused.code, refused.details) == (Code.GAME_STARTED, {"team": "BAT", "game": game("BAT").pk})


def test_a_pick_is_fixed_once_its_own_game_has_started(entry):
    choose(entry, 1, "ANT")
    kick_off(game("ANT"))

    refused = refusal(entry, 1, "CAT")
    with pytest.raises(DomainError) as caught:
        take_back(entry, 1)

    assert (refused.code, refused.details["team"]) == (Code.GAME_STARTED, "ANT")
    assert caught.value.code == Code.GAME_STARTED
    assert picked(entry) == ["ANT"]


def test_a_fixed_pick_sent_again_is_no_change(entry):
    first = choose(entry, 1, "ANT")
    kick_off(game("ANT"))

    again = choose(entry, 1, "ANT")

    assert (again.changed, again.nonce, again.locked, again.result) == (False, first.nonce, True, "pending")
    finish(game("ANT"), 20, 10)
    assert choose(entry, 1, "ANT").result == "won"


def test_the_round_is_closed_after_its_last_kickoff(entry):
    after_monday()

    assert refusal(entry, 1, "ELK").code == Code.DEADLINE_PASSED
    with pytest.raises(DomainError) as caught:
        take_back(entry, 1)
    assert caught.value.code == Code.DEADLINE_PASSED


def test_a_game_that_is_off_keeps_no_round_open(entry):
    kick_off(game("ANT")), kick_off(game("CAT"))
    Game.objects.filter(pk=game("ELK").pk).update(status=GameStatus.POSTPONED)

    assert refusal(entry, 1, "ELK").code == Code.DEADLINE_PASSED


def test_a_kickoff_written_down_as_later_opens_no_game_again(entry):
    choose(entry, 1, "ANT")
    kick_off(game("ANT"))
    kick_off(game("ANT"), ahead=timedelta(hours=5))

    assert refusal(entry, 1, "BAT").code == Code.GAME_STARTED
    assert refusal(entry, 1, "CAT").code == Code.GAME_STARTED


def test_a_fixed_lock_of_the_round_fixes_no_pick(entry):
    Round.objects.filter(number=1).update(fixed_locks_at=database_now() - timedelta(minutes=1))

    assert choose(entry, 1, "ANT").changed


def test_a_pick_whose_game_has_left_the_round_may_move_while_any_game_is_to_come(entry):
    choose(entry, 1, "ANT")
    Game.objects.filter(pk=game("ANT").pk).update(round=Round.objects.get(number=2))
    kick_off(game("CAT"))

    assert choose(entry, 1, "ELK").changed


def test_a_pick_whose_game_has_left_the_round_is_fixed_with_the_last_game(entry):
    choose(entry, 1, "ANT")
    Game.objects.filter(pk=game("ANT").pk).update(round=Round.objects.get(number=2))
    kick_off(game("CAT")), kick_off(game("ELK"))

    assert refusal(entry, 1, "ELK").code == Code.DEADLINE_PASSED
    assert attack("DELETE FROM entries_pick") == "pick_before_lock"


def test_the_second_game_of_a_team_can_be_picked_once_the_first_has_started(entry, pool):
    round_, first = Round.objects.get(number=1), game("ANT")
    second = Game.objects.create(
        competition=pool.competition, round=round_, external_id="late", home=first.home, away=game("CAT").home,
        kickoff_at=database_now() + timedelta(hours=50),
    )  # fmt: skip
    assert choose(entry, 1, "ANT").game_id == first.pk
    other = EntryFactory(in_pool=pool)
    kick_off(first)

    assert choose(other, 1, "ANT").game_id == second.pk
    assert choose(entry, 1, "ANT").game_id == first.pk


# --- Two picks --------------------------------------------------------------------------------------------------


def test_one_of_two_may_change_while_the_other_is_fixed(entry):
    choose(entry, 2, "ANT", "CAT")
    kick_off(game("ANT", 2))

    saved = choose(entry, 2, "ELK", "ANT")

    assert [(one.team_code, one.changed, one.locked) for one in saved.picks] == [
        ("ELK", True, False), ("ANT", False, True),
    ]  # fmt: skip
    assert picked(entry) == ["ANT", "ELK"]


def test_the_fixed_one_of_two_cannot_be_given_up(entry):
    choose(entry, 2, "ANT", "CAT")
    kick_off(game("ANT", 2))

    assert refusal(entry, 2, "CAT", "ELK").details["team"] == "ANT"
    with pytest.raises(DomainError) as caught:
        take_back(entry, 2)
    assert caught.value.code == Code.GAME_STARTED
    assert picked(entry) == ["ANT", "CAT"]


# --- The database -----------------------------------------------------------------------------------------------


def attack(sql: str, *params) -> str:
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
    return caught.value.__cause__.diag.constraint_name


INSERT = (
    "INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce)"
    " VALUES (%s, %s, 1, %s, %s, 'player', 1, '')"
)


def test_raw_sql_cannot_pick_a_started_game(entry):
    begun = kick_off(game("ANT"))

    assert attack(INSERT, entry.pk, begun.round_id, begun.home_id, begun.pk) == "pick_before_lock"


def test_raw_sql_can_neither_leave_nor_reach_a_started_game(entry):
    pick(entry, 1, "ANT")
    other = pick(EntryFactory(in_pool=entry.pool), 1, "ELK")
    begun, open_ = kick_off(game("ANT")), game("CAT")
    move = "UPDATE entries_pick SET team_id = %s, game_id = %s WHERE entry_id = %s"

    assert attack(move, open_.home_id, open_.pk, entry.pk) == "pick_before_lock"
    assert attack(move, begun.home_id, begun.pk, other.entry_id) == "pick_before_lock"
    assert attack("DELETE FROM entries_pick WHERE entry_id = %s", entry.pk) == "pick_before_lock"


def test_raw_sql_cannot_touch_a_revealed_game(entry):
    kick_off(game("ANT"))
    revealed_rounds(entry.pool.competition_id)

    assert attack("UPDATE pools_game SET revealed_at = NULL") == "game_reveal_stays"


# --- The next lock ----------------------------------------------------------------------------------------------


def test_the_next_lock_is_that_of_the_next_game(entry):
    assert next_locks([entry]) == {entry.pk: game("ANT").kickoff_at}

    kick_off(game("ANT"))

    assert next_locks([entry]) == {entry.pk: game("CAT").kickoff_at}


def test_the_next_lock_passes_over_games_that_are_off(entry):
    Game.objects.filter(pk=game("ANT").pk).update(status=GameStatus.CANCELLED)

    assert next_locks([entry]) == {entry.pk: game("CAT").kickoff_at}


def test_an_entry_whose_pick_is_fixed_waits_for_the_next_round(entry):
    choose(entry, 1, "ANT")
    kick_off(game("ANT"))

    assert next_locks([entry]) == {entry.pk: game("ANT", 2).kickoff_at}


def test_in_a_two_pick_round_the_second_pick_counts_too(entry):
    after_monday(1)
    choose(entry, 2, "ANT", "CAT")
    kick_off(game("ANT", 2))

    assert next_locks([entry]) == {entry.pk: game("CAT", 2).kickoff_at}
