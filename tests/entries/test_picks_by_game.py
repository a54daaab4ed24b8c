"""Pools in which each game locks for itself: what can change when, and what is seen when.

The week of every test: a Thursday game (ANT against BAT), a Saturday game (CAT, DOG) and a Monday one (ELK, FOX).
"""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from config.clock import database_now
from config.errors import Code, DomainError
from entries.models import Pick
from entries.queries.entries import next_locks
from entries.queries.reveal import is_revealed, revealed_rounds
from entries.services.picks import delete_pick, save_pick
from pools.models import Game, GameStatus, Round
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory, finish, game_of, kick_off, league
from tests.support.calls import call, respond

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


def week(pool, number=1):
    """Thursday in an hour, Saturday a day later, Monday two days after that."""
    round_ = pool.competition.rounds.get(number=number)
    for code, ahead in (("ANT", 1), ("CAT", 25), ("ELK", 73)):
        kick_off(game_of(round_, code), ahead=timedelta(hours=ahead, days=7 * (number - 1)))
    return round_


@pytest.fixture
def pool(db):
    made = PoolFactory(
        competition=league(rounds=2, codes=CODES), rules={"lock": "game", "two_pick_rounds": [2], "strikes": 3}
    )
    week(made, 1), week(made, 2)
    return made


@pytest.fixture
def entry(pool):
    return EntryFactory(in_pool=pool)


def game(code, number=1) -> Game:
    return game_of(Round.objects.get(number=number), code)


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


def after_monday(number=1) -> None:
    for code in ("ANT", "CAT", "ELK"):
        kick_off(game(code, number))


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


# --- The reveal -------------------------------------------------------------------------------------------------


def shown_games() -> set[str]:
    return set(Game.objects.filter(revealed_at__isnull=False).values_list("home__code", flat=True))


def test_each_game_is_revealed_with_its_own_lock(pool):
    assert (revealed_rounds(pool.competition_id), shown_games()) == (set(), set())
    first = Round.objects.get(number=1)

    kick_off(game("ANT"))
    assert revealed_rounds(pool.competition_id) == {first.pk}
    assert shown_games() == {"ANT"}

    kick_off(game("CAT"))
    assert is_revealed(first)
    assert shown_games() == {"ANT", "CAT"}


def test_all_that_is_due_is_revealed_in_one_statement(pool, django_assert_num_queries):
    after_monday(1), after_monday(2)

    with django_assert_num_queries(3):  # what is due, the reveal, and how things stand then
        assert len(revealed_rounds(pool.competition_id)) == 2
    with django_assert_num_queries(1):
        revealed_rounds(pool.competition_id)
    assert Game.objects.filter(revealed_at__isnull=True).count() == 0


def test_a_game_is_revealed_once(pool):
    kick_off(game("ANT"))
    revealed_rounds(pool.competition_id)
    at = game("ANT").revealed_at

    kick_off(game("CAT"))
    revealed_rounds(pool.competition_id)

    assert game("ANT").revealed_at == at


# --- What others see --------------------------------------------------------------------------------------------

SECRETS = ("CAT", "DOG", "ELK", "FOX")
DOORS = (
    "/pools/{pool}/standings", "/pools/{pool}/rounds/1/distribution", "/pools/{pool}/rounds/1/report.json",
    "/pools/{pool}/rounds/1/report.csv", "/entries", "/entries/{entry}", "/entries/{entry}/picks",
)  # fmt: skip


@pytest.fixture
def field(pool):
    """One entry on each game, and one without a pick; Thursday's game has begun."""
    entries = {code: EntryFactory(in_pool=pool) for code in ("ANT", "CAT", "ELK", None)}
    for code, one in entries.items():
        if code:
            pick(one, 1, code)
    kick_off(game("ANT"))
    return entries


def text(api, door, entry, caller) -> str:
    path = door.format(pool=entry.pool_id, entry=entry.pk)
    return respond(api(caller), "GET", path).content.decode()


@pytest.mark.parametrize("door", DOORS)
def test_nobody_sees_the_pick_of_a_game_to_come(api, field, moderator, door):
    for one in field.values():
        said = text(api, door, one, moderator)
        assert not any(code in said for code in SECRETS)


@pytest.mark.parametrize("door", DOORS)
def test_everybody_sees_the_pick_of_a_game_that_has_begun(api, pool, field, moderator, door):
    revealed_rounds(pool.competition_id)

    assert "ANT" in text(api, door, field["ANT"], moderator)


@pytest.mark.parametrize("door", DOORS[:4])
def test_who_has_not_picked_looks_like_who_has_until_the_round_is_closed(api, pool, field, door):
    before = text(api, door, field["ANT"], None)
    choose(field[None], 1, "FOX"), take_back(field["ELK"], 1)

    assert without_meta(text(api, door, field["ANT"], None)) == without_meta(before)


def without_meta(said: str) -> str:
    return said.split('"meta"')[0]


def test_the_owner_sees_his_pick_all_along(api, field):
    entry = field["CAT"]

    assert [line["team"] for line in picks(api, entry, entry.user)] == ["CAT"]
    assert picks(api, entry, ModeratorFactory()) == []


def picks(api, entry, caller):
    return call(api(caller), "GET", f"/entries/{entry.pk}/picks")[1]


def test_nobody_has_missed_the_round_before_it_is_closed(api, pool, field):
    absent = field[None]
    report = f"/pools/{pool.pk}/rounds/1/report.json"
    open_ = call(api(), "GET", report)[1]

    assert (open_["missed"], open_["picks_total"]) == (None, 1)
    assert [line["result"] for line in open_["entries"]] == ["pending"] * 4
    assert picks(api, absent, absent.user) == []

    after_monday()

    closed = call(api(), "GET", report)[1]
    assert (closed["missed"], closed["picks_total"]) == (1, 3)
    assert [line["team"] for line in closed["entries"]] == ["ANT", "CAT", "ELK", None]
    assert [line["result"] for line in picks(api, absent, absent.user)] == ["missed"]


def test_a_pick_whose_game_has_left_the_round_shows_when_the_round_is_closed(api, pool, field, moderator):
    moved = game("CAT")
    Game.objects.filter(pk=moved.pk).update(round=Round.objects.get(number=2))
    kick_off(moved)
    assert picks(api, field["CAT"], moderator) == []

    kick_off(game("ELK"))

    assert [(line["team"], line["result"]) for line in picks(api, field["CAT"], moderator)] == [("CAT", "lost")]


def test_a_pick_whose_game_is_off_before_its_lock_shows_when_the_round_is_closed(api, field, moderator):
    Game.objects.filter(pk=game("ELK").pk).update(status=GameStatus.CANCELLED)
    assert picks(api, field["ELK"], moderator) == []

    kick_off(game("CAT"))

    assert [(line["team"], line["result"]) for line in picks(api, field["ELK"], moderator)] == [("ELK", "lost")]


def test_a_pick_that_can_still_change_is_pending_to_its_owner_whatever_its_game(api, field):
    entry = field["ELK"]
    Game.objects.filter(pk=game("ELK").pk).update(status=GameStatus.CANCELLED)

    assert [(line["team"], line["result"], line["locked"]) for line in picks(api, entry, entry.user)] == [
        ("ELK", "pending", False)
    ]


def test_how_a_pick_changed_is_told_to_staff_when_the_round_is_closed(api, field, moderator):
    entry = field["ANT"]
    path = f"/entries/{entry.pk}/picks/1/history"

    assert call(api(moderator), "GET", path) == (403, "FORBIDDEN")
    assert call(api(entry.user), "GET", path)[0] == 200
    after_monday()
    assert [step["to"] for step in call(api(moderator), "GET", path)[1]] == ["ANT"]


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
