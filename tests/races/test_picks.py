"""Picks and fallback lists against locks, reveals and each other: many at once, on real PostgreSQL."""

import threading

import pytest
from django.db import OperationalError, connections, transaction

from config.errors import Code
from entries.models import FallbackChange, Pick, PickChange
from entries.queries.reveal import revealed_rounds
from entries.services.fallbacks import save_fallback
from entries.services.picks import Wish, save_pick, save_picks
from entries.services.repicks import release_picks
from pools.models import Game, GameStatus, Round
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory, game_of, kick_off, league
from tests.support.deadlines import AHEAD, soon, wait_past
from tests.support.threads import again_and_again, codes, errors, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


def entry_under(**rules):
    return EntryFactory(in_pool=PoolFactory(competition=league(rounds=3, codes=CODES), rules=rules))


def save(entry, number, *teams):
    return save_pick(entry_id=entry.pk, user=entry.user, round_number=number, teams=teams)


def round_of(entry, number=1) -> Round:
    return entry.pool.competition.rounds.get(number=number)


def about_to_start(entry) -> Game:
    """The game of the first team, which kicks off soon."""
    return kick_off(game_of(round_of(entry), "ANT"), ahead=AHEAD)


def about_to_lock(entry) -> Round:
    round_ = round_of(entry)
    Round.objects.filter(pk=round_.pk).update(fixed_locks_at=soon())
    round_.refresh_from_db()
    return round_


class Aside:
    """Work on a connection of its own, beside the test; `end()` waits for it and gives its answer or error."""

    def __init__(self, work):
        self.answer = None
        self.thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self.thread.start()

    def _run(self, work):
        try:
            self.answer = work()
        except Exception as error:  # noqa: BLE001  # the test looks at whatever came
            self.answer = error
        finally:
            connections.close_all()

    def end(self):
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self.answer


# --- A lock that is held across the deadline ------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "then"), [("ANT", "CAT"), ("CAT", "ANT")])
def test_a_save_that_waits_past_the_kickoff_of_either_game_is_refused(first, then):
    """From the game that starts, and to it."""
    entry = entry_under(lock="game")
    save(entry, 1, first)
    game = about_to_start(entry)

    with transaction.atomic():
        Pick.objects.locked().get(entry=entry)  # somebody holds the row across the kickoff
        late = Aside(lambda: save(entry, 1, then))
        wait_past(game.kickoff_at)

    assert late.end().code == Code.GAME_STARTED
    assert Pick.objects.get().team.code == first


def test_a_save_between_two_other_games_is_not_held_back_by_a_kickoff():
    entry = entry_under(lock="game")
    save(entry, 1, "CAT")
    game = about_to_start(entry)

    with transaction.atomic():
        Pick.objects.locked().get(entry=entry)
        late = Aside(lambda: save(entry, 1, "ELK"))
        wait_past(game.kickoff_at)

    assert late.end().changed


def test_a_game_is_not_revealed_while_a_pick_of_it_is_in_flight():
    entry = entry_under(lock="game")
    competition, game = entry.pool.competition_id, about_to_start(entry)

    with transaction.atomic():
        save(entry, 1, "ANT")
        wait_past(game.kickoff_at)  # the game starts while this transaction is open
        assert Aside(lambda: revealed_rounds(competition)).end() == set()
        assert Aside(lambda: Game.objects.filter(revealed_at__isnull=False).count()).end() == 0

    assert len(revealed_rounds(competition)) == 1
    game.refresh_from_db()
    assert game.revealed_at is not None


def test_a_reveal_never_waits_for_an_import_that_holds_the_games():
    """The import may be waiting for the very lock that the reveal has taken."""
    entry = entry_under()
    kick_off(game_of(round_of(entry), "ANT"))

    with transaction.atomic():
        list(Game.objects.locked())
        Aside(lambda: revealed_rounds(entry.pool.competition_id)).end()

    assert len(revealed_rounds(entry.pool.competition_id)) == 1


@again_and_again
def test_many_readers_reveal_a_round_once():
    entry = entry_under()
    kick_off(game_of(round_of(entry), "ANT"))

    outcomes = run_together([lambda: revealed_rounds(entry.pool.competition_id)] * 4)

    assert errors(outcomes) == []
    assert successes(outcomes) == [{round_of(entry).pk}] * 4


# --- Two saves at once ----------------------------------------------------------------------------------------------


@again_and_again
def test_two_two_pick_saves_at_once_leave_one_of_the_two_whole():
    entry = entry_under(picks_per_round=2)

    outcomes = run_together([lambda: save(entry, 1, "ANT", "CAT"), lambda: save(entry, 1, "CAT", "ELK")])

    assert errors(outcomes) == []
    left = set(Pick.objects.filter(entry=entry).values_list("team__code", flat=True))
    assert left in ({"ANT", "CAT"}, {"CAT", "ELK"})
    # Two lines for the first, one for the only slot that the second changed.
    assert PickChange.objects.filter(entry_id=entry.pk).count() == 3


@again_and_again
def test_one_team_for_three_rounds_at_once_is_used_as_often_as_allowed():
    entry = entry_under(reuse_limit=2)

    outcomes = run_together([lambda n=n: save(entry, n, "ANT") for n in (1, 2, 3)])

    assert codes(outcomes) == [Code.TEAM_ALREADY_USED]
    assert errors(outcomes)[0].details["rounds"] == sorted(saved.round_number for saved in successes(outcomes))
    assert Pick.objects.filter(entry=entry).count() == 2


@again_and_again
def test_raw_inserts_of_one_team_at_once_are_counted_one_after_the_other():
    entry = entry_under()

    outcomes = run_together([lambda n=n: pick(entry, n, "ANT") for n in (1, 2, 3)])

    assert len(successes(outcomes)) == 1
    assert Pick.objects.filter(entry=entry).count() == 1


@again_and_again
def test_a_save_and_a_release_at_once_leave_no_pick_on_a_lost_game():
    entry = entry_under(cancelled_game="repick")
    save(entry, 1, "ANT")
    Game.objects.filter(pk=game_of(round_of(entry), "ANT").pk).update(status=GameStatus.CANCELLED)

    outcomes = run_together(
        [lambda: save(entry, 1, "CAT"), lambda: release_picks(competition_id=entry.pool.competition_id)]
    )

    assert errors(outcomes) == []
    assert [one.team.code for one in Pick.objects.filter(entry=entry)] == ["CAT"]


# --- Fallback lists -------------------------------------------------------------------------------------------------


def test_a_list_saved_in_time_is_there_before_its_round_is_revealed():
    entry = entry_under(missed_pick="fallback")
    competition, round_ = entry.pool.competition_id, about_to_lock(entry)

    with transaction.atomic():
        save_fallback(entry_id=entry.pk, user=entry.user, teams=["CAT"])
        wait_past(round_.locks_at)  # the round locks while this transaction is open
        assert Aside(lambda: revealed_rounds(competition)).end() == set()

    assert revealed_rounds(competition) == {round_.pk}
    round_.refresh_from_db()
    assert FallbackChange.objects.get().at <= round_.locks_at


def test_a_list_that_waits_past_the_lock_counts_from_the_next_round_on():
    entry = entry_under(missed_pick="fallback")
    save_fallback(entry_id=entry.pk, user=entry.user, teams=["CAT"])
    round_ = about_to_lock(entry)

    with transaction.atomic():
        type(entry).objects.locked().get(pk=entry.pk)  # somebody holds the entry across the lock
        late = Aside(lambda: save_fallback(entry_id=entry.pk, user=entry.user, teams=["DOG"]))
        wait_past(round_.locks_at)

    assert late.end().changed
    round_.refresh_from_db()
    first, second = FallbackChange.objects.order_by("id")
    assert first.at <= round_.locks_at < second.at


@again_and_again
def test_two_lists_at_once_leave_one_whole_and_a_line_each():
    entry = entry_under(missed_pick="fallback")

    outcomes = run_together(
        [
            lambda teams=teams: save_fallback(entry_id=entry.pk, user=entry.user, teams=teams)
            for teams in (["ANT", "CAT"], ["DOG"])
        ]
    )

    assert errors(outcomes) == []
    assert FallbackChange.objects.filter(entry_id=entry.pk).count() == 2


def wishes_for(entries, team):
    return [Wish(entry.pk, 1, [team]) for entry in entries]


@again_and_again
def test_bulk_saves_in_any_order_never_wait_in_a_circle():
    first = entry_under()
    others = [EntryFactory(owner=first.user, in_pool=PoolFactory(competition=first.pool.competition)) for _ in range(9)]
    entries = [first, *others]
    outcomes = run_together(
        [
            lambda: save_picks(user=first.user, wishes=wishes_for(entries, "ANT"), atomic=True),
            lambda: save_picks(user=first.user, wishes=wishes_for(entries[::-1], "BAT"), atomic=True),
            lambda: save_picks(user=first.user, wishes=wishes_for(entries[5:] + entries[:5], "CAT"), atomic=False),
            lambda: save_picks(user=first.user, wishes=wishes_for(entries[1::2] * 2, "DOG"), atomic=False),
        ]
    )
    assert errors(outcomes) == []
    # Whoever came last has all that they asked for: no mixture.
    assert len(set(Pick.objects.filter(entry__in=entries[::2]).values_list("team__code", flat=True))) == 1


@again_and_again
def test_saved_in_the_order_asked_they_do():
    """The control: the same, locked as they come."""
    first = entry_under()
    other = EntryFactory(owner=first.user, in_pool=PoolFactory(competition=first.pool.competition))
    both_hold_one = threading.Barrier(2)

    def one_by_one(entries):
        with transaction.atomic():
            save(entries[0], 1, "ANT")
            both_hold_one.wait(30)
            save(entries[1], 1, "ANT")

    outcomes = run_together([lambda: one_by_one([first, other]), lambda: one_by_one([other, first])])
    assert [type(error) for error in errors(outcomes)] == [OperationalError]
