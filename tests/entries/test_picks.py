"""Saving picks: what is refused, what is kept, and that the database has the last word."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from config.clock import database_now
from config.errors import Code, NotFound, Refused
from entries.models import EntryStatus, Pick, PickChange
from entries.queries.picks import pick_history
from entries.queries.reveal import is_revealed, revealed_rounds
from entries.services.picks import delete_pick, save_pick
from entries.services.slips import is_genuine
from pools.models import Game, GameStatus, Pool, PoolStatus, Round
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import lock_round
from tests.support.deadlines import soon, wait_past


@pytest.fixture
def entry(db):
    return EntryFactory()


def choose(entry, round_number, code):
    return save_pick(entry_id=entry.pk, user=entry.user, round_number=round_number, teams=[code])


def refusal(entry, round_number, code) -> Code:
    with pytest.raises(Refused) as caught:
        choose(entry, round_number, code)
    return caught.value.code


def test_a_pick_is_saved_with_a_genuine_slip(entry):
    saved = choose(entry, 1, "ANT")

    assert saved.changed
    assert saved.slip["team"] == "ANT"
    assert is_genuine(saved.slip)
    assert not is_genuine(saved.slip | {"team": "BAT"})
    assert Pick.objects.get().team.code == "ANT"


def test_the_same_pick_again_changes_nothing(entry):
    first = choose(entry, 1, "ANT")

    again = choose(entry, 1, "ANT")

    assert not again.changed
    assert again.slip == first.slip
    assert PickChange.objects.count() == 1


def test_a_changed_pick_leaves_its_history_with_the_player_as_author(entry):
    choose(entry, 1, "ANT")
    choose(entry, 1, "BAT")
    delete_pick(entry_id=entry.pk, user=entry.user, round_number=1)

    steps = pick_history(entry_id=entry.pk, round_id=Round.objects.get(number=1).pk)

    assert [(s.from_team, s.to_team, s.source) for s in steps] == [
        (None, "ANT", "player"),
        ("ANT", "BAT", "player"),
        ("BAT", None, "player"),
    ]
    assert {s.by for s in steps} == {entry.user.display_name}


def test_a_later_round_can_be_picked_ahead(entry):
    assert choose(entry, 3, "ANT").round_number == 3


def test_a_team_used_in_another_round_is_refused(entry):
    choose(entry, 1, "ANT")

    assert refusal(entry, 2, "ANT") == Code.TEAM_ALREADY_USED


def test_the_same_team_in_two_entries_of_one_player_is_allowed(entry):
    second = EntryFactory(in_pool=entry.pool, owner=entry.user, number=2)
    choose(entry, 1, "ANT")

    assert choose(second, 1, "ANT").changed


def test_a_team_without_a_game_in_the_round_is_refused(entry):
    assert refusal(entry, 1, "ZEBRA") == Code.TEAM_NOT_PLAYING


def test_a_cancelled_game_cannot_be_picked(entry):
    Game.objects.filter(round__number=1, home__code="ANT").update(status=GameStatus.CANCELLED)

    assert refusal(entry, 1, "ANT") == Code.TEAM_NOT_PLAYING


def test_a_started_game_cannot_be_picked_even_before_a_wrong_lock(entry):
    Game.objects.filter(round__number=1, home__code="ANT").update(status=GameStatus.IN_PROGRESS)

    assert refusal(entry, 1, "BAT") == Code.GAME_STARTED


@pytest.mark.parametrize("number", [0, 4, 99])
def test_a_round_outside_the_pool_is_refused(entry, number):
    assert refusal(entry, number, "ANT") == Code.ROUND_NOT_OPEN


def test_a_round_before_the_pools_first_is_refused(entry):
    Pool.objects.update(first_round_number=2)

    assert refusal(entry, 1, "ANT") == Code.ROUND_NOT_OPEN


def test_a_locked_round_is_refused_for_saving_and_deleting(entry):
    choose(entry, 1, "ANT")
    lock_round(Round.objects.get(number=1))

    assert refusal(entry, 1, "BAT") == Code.DEADLINE_PASSED
    with pytest.raises(Refused) as caught:
        delete_pick(entry_id=entry.pk, user=entry.user, round_number=1)
    assert caught.value.code == Code.DEADLINE_PASSED
    assert Pick.objects.get().team.code == "ANT"


def test_a_fixed_lock_closes_a_round_before_its_first_kickoff(entry):
    Round.objects.filter(number=1).update(fixed_locks_at=database_now() - timedelta(milliseconds=1))

    assert refusal(entry, 1, "ANT") == Code.DEADLINE_PASSED


def test_a_fixed_lock_never_keeps_an_earlier_kickoff_open(entry):
    Round.objects.filter(number=1).update(fixed_locks_at=database_now() + timedelta(days=30))
    lock_round(Round.objects.get(number=1))

    assert refusal(entry, 1, "ANT") == Code.DEADLINE_PASSED


def test_an_eliminated_entry_cannot_pick(entry):
    entry.status, entry.eliminated_round_number, entry.eliminated_code = EntryStatus.ELIMINATED, 1, "pick_lost"
    entry.save()

    assert refusal(entry, 2, "ANT") == Code.ENTRY_NOT_ACTIVE


def test_a_finished_pool_takes_no_picks(entry):
    Pool.objects.update(status=PoolStatus.FINISHED)

    assert refusal(entry, 1, "ANT") == Code.ROUND_NOT_OPEN


def test_a_stranger_finds_no_entry(entry):
    with pytest.raises(NotFound):
        save_pick(entry_id=entry.pk, user=UserFactory(), round_number=1, teams=["ANT"])


def test_two_teams_in_a_one_pick_round_are_malformed(entry):
    with pytest.raises(Exception, match="takes one team") as caught:
        save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=["ANT", "BAT"])
    assert caught.value.code == Code.VALIDATION_ERROR


def test_saving_takes_at_most_two_statements(entry, django_assert_num_queries):
    with django_assert_num_queries(4):  # with SAVEPOINT and RELEASE, which are BEGIN and COMMIT outside a test
        choose(entry, 1, "ANT")


# --- Raw SQL ----------------------------------------------------------------------------------------------------


def attack(sql: str, *params) -> str:
    """Run the statement; return the name of the guard that refused it."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
    return caught.value.__cause__.diag.constraint_name


def test_raw_sql_cannot_pick_a_team_twice(entry):
    pick(entry, 1, "ANT")
    game = Game.objects.get(round__number=2, home__code="ANT")

    assert attack(
        "INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce)"
        " VALUES (%s, %s, 1, %s, %s, 'player', 1, '')",
        entry.pk, game.round_id, game.home_id, game.pk,
    ) == "pick_team_within_limit"  # fmt: skip


def test_raw_sql_cannot_pick_twice_in_a_round(entry):
    pick(entry, 1, "ANT")
    game = Game.objects.get(round__number=1, away__code="BAT")

    assert attack(
        "INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce)"
        " VALUES (%s, %s, 1, %s, %s, 'player', 1, '')",
        entry.pk, game.round_id, game.away_id, game.pk,
    ) == "pick_slot_unique"  # fmt: skip


def test_raw_sql_cannot_pick_a_game_of_another_round(entry):
    pick(entry, 1, "ANT")
    other = Game.objects.get(round__number=2, home__code="ANT")

    assert attack("UPDATE entries_pick SET game_id = %s", other.pk) == "pick_team_plays"


def test_raw_sql_cannot_pick_a_team_that_does_not_play_in_the_game(entry):
    pick(entry, 1, "ANT")
    other = Game.objects.get(round__number=1, home__code="CAT")

    assert attack("UPDATE entries_pick SET team_id = %s", other.home_id) == "pick_team_plays"


@pytest.mark.parametrize("source", ["player", "import", "staff", "favourite"])
def test_raw_sql_cannot_change_a_pick_after_the_lock(entry, source):
    pick(entry, 1, "ANT")
    lock_round(Round.objects.get(number=1))
    game = Game.objects.get(round__number=1, away__code="BAT")

    assert attack("UPDATE entries_pick SET team_id = %s, source = %s", game.away_id, source) == "pick_before_lock"
    assert attack("DELETE FROM entries_pick") == "pick_before_lock"


def test_raw_sql_cannot_move_a_pick_to_another_round(entry):
    pick(entry, 1, "ANT")

    assert attack("UPDATE entries_pick SET round_id = %s", Round.objects.get(number=2).pk) == "pick_identity"


def test_raw_sql_leaves_history_too(entry):
    made = pick(entry, 1, "ANT")
    other = Game.objects.get(round__number=1, away__code="BAT")

    with connection.cursor() as cursor:
        cursor.execute("UPDATE entries_pick SET team_id = %s, game_id = %s", [other.away_id, other.pk])

    last = PickChange.objects.last()
    assert (last.from_team_id, last.to_team_id, last.actor_id) == (made.team_id, other.away_id, None)


@pytest.mark.parametrize(
    "sql",
    ["UPDATE entries_pickchange SET source = 'x'", "DELETE FROM entries_pickchange", "TRUNCATE entries_pickchange"],
)
def test_raw_sql_cannot_rewrite_history(entry, sql):
    pick(entry, 1, "ANT")

    assert attack(sql).startswith("append_only")


def test_raw_sql_cannot_truncate_picks(entry):
    assert attack("TRUNCATE entries_pick") == "never_truncated"


# --- The deadline under contention ------------------------------------------------------------------------------


def in_thread(work):
    """Run `work` on a connection of its own; returns the thread and the list its answer will be in."""
    answers = []

    def body():
        try:
            answers.append(work())
        except Exception as error:  # noqa: BLE001  # the test looks at whatever came
            answers.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=body)
    thread.start()
    return thread, answers


def locking_soon() -> Round:
    Round.objects.filter(number=1).update(fixed_locks_at=soon())
    return Round.objects.get(number=1)


@pytest.mark.django_db(transaction=True)
def test_a_pick_that_waits_for_a_lock_past_the_deadline_is_refused():
    entry = EntryFactory()
    choose(entry, 1, "ANT")
    first = locking_soon()

    with transaction.atomic():
        Pick.objects.locked().get(entry=entry)  # somebody holds the row across the deadline
        thread, answers = in_thread(lambda: choose(entry, 1, "BAT"))
        wait_past(first.locks_at)
    thread.join(10)

    assert answers[0].code == Code.DEADLINE_PASSED
    assert Pick.objects.get().team.code == "ANT"


@pytest.mark.django_db(transaction=True)
def test_a_round_is_not_revealed_while_a_pick_made_in_time_is_in_flight():
    entry = EntryFactory()
    first = locking_soon()
    seen = {}

    with transaction.atomic():
        choose(entry, 1, "ANT")
        wait_past(first.locks_at)  # while this transaction is open
        thread, answers = in_thread(lambda: revealed_rounds(first.competition_id))
        thread.join(10)
        seen["in flight"] = answers[0]

    assert seen["in flight"] == set()
    assert revealed_rounds(first.competition_id) == {first.pk}
    first.refresh_from_db()
    assert is_revealed(first)
    assert Pick.objects.get().team.code == "ANT"


@pytest.mark.django_db(transaction=True)
def test_two_saves_at_once_leave_one_row_and_a_line_of_history_each():
    for _ in range(20):
        entry = EntryFactory()
        barrier = threading.Barrier(2)

        def save(code, entry=entry, barrier=barrier):
            barrier.wait(5)
            return choose(entry, 1, code)

        threads = [in_thread(lambda code=code: save(code)) for code in ("ANT", "BAT")]
        for thread, _answers in threads:
            thread.join(10)

        assert all(answers[0].changed for _thread, answers in threads)
        assert Pick.objects.filter(entry=entry).count() == 1
        last = PickChange.objects.filter(entry_id=entry.pk).order_by("id").last()
        assert PickChange.objects.filter(entry_id=entry.pk).count() == 2
        assert last.to_team_id == Pick.objects.get(entry=entry).team_id


@pytest.mark.django_db(transaction=True)
def test_one_team_for_two_rounds_at_once_is_used_once():
    for _ in range(20):
        entry = EntryFactory()
        barrier = threading.Barrier(2)

        def save(number, entry=entry, barrier=barrier):
            barrier.wait(5)
            return choose(entry, number, "ANT")

        threads = [in_thread(lambda number=number: save(number)) for number in (1, 2)]
        for thread, _answers in threads:
            thread.join(10)

        codes = sorted(getattr(answers[0], "code", "saved") for _thread, answers in threads)
        assert codes == [Code.TEAM_ALREADY_USED, "saved"]
