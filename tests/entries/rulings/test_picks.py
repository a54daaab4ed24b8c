"""Rulings about picks: late, wrong or none; in revealed rounds alone, and as secret as they must be."""

from datetime import timedelta

import pytest

from config.clock import database_now
from config.errors import Conflict, DomainError, Refused
from entries.models import Pick, PickChange, Ruling
from entries.services.rulings import confirm_ruling, preview_ruling
from entries.services.settlement import settle_competition
from pools.models import Game
from tests.factories.entries import pick
from tests.factories.pools import PoolFactory, lock_round, play_round
from tests.support.playing import enter, play, void
from tests.support.ruling import fate, propose, reverse, rule, state_of

pytestmark = pytest.mark.django_db


def picks_of(entry, number):
    found = Pick.objects.filter(entry=entry, round__number=number).order_by("slot")
    return list(found.values_list("slot", "team__code", "source"))


def locked_pool(**fields):
    pool = PoolFactory(**fields)
    lock_round(pool.competition.rounds.get(number=1))
    return pool


def two_rounds_played(**rules):
    """Entries that missed round 1, lost it, and won both."""
    pool = PoolFactory(rules=rules)
    missed, lost, won = enter(pool, None, "CAT"), enter(pool, "BAT", "ANT"), enter(pool, "ANT", "CAT")
    enter(pool, "CAT", "ANT")
    play(pool, 1)
    play(pool, 2)
    return pool, missed, lost, won


def test_a_late_pick_of_a_game_long_played_revives_the_entry():
    pool, missed, _, _ = two_rounds_played()
    assert fate(missed)[:4] == ("eliminated", 0, 1, "no_pick")
    ruling = rule("pick", entry=missed, round=1, teams=["ANT"])
    assert picks_of(missed, 1) == [(1, "ANT", "staff")]
    assert fate(missed)[0] == "active"
    assert ruling.difference["pools"] == {str(pool.pk): {"revived": 1}}
    [change] = PickChange.objects.filter(ruling_id=ruling.pk)
    assert (change.entry_id, change.from_team_id, change.actor_id) == (missed.pk, None, ruling.decided_by_id)


def test_a_wrong_pick_is_corrected_taken_away_and_put_back():
    pool, _, lost, won = two_rounds_played()
    before = state_of(pool)
    corrected = rule("pick", entry=lost, round=1, teams=["CAT"])
    assert (picks_of(lost, 1), fate(lost)[0]) == ([(1, "CAT", "staff")], "active")
    taken = rule("pick", entry=won, round=1, teams=[])
    assert (picks_of(won, 1), fate(won)[:4]) == ([], ("eliminated", 0, 1, "no_pick"))
    reverse(taken)
    reverse(corrected)
    assert state_of(pool) == before


@pytest.mark.parametrize("missed_pick", ["favourite", "fallback", "strike"])
def test_the_reversal_puts_a_filled_in_pick_back_as_it_was(missed_pick):
    pool = PoolFactory(rules={"missed_pick": missed_pick, "strikes": 1, "missed_pick_then": "favourite"})
    Game.objects.filter(competition=pool.competition).update(home_spread="3.0")
    missed, other = enter(pool), enter(pool, "ANT")
    enter(pool, "CAT")
    lock_round(pool.competition.rounds.get(number=1))
    settle_competition(competition_id=pool.competition_id)
    before = state_of(pool)
    ruling = rule("pick", entry=missed, round=1, teams=["BAT"])
    assert picks_of(missed, 1) == [(1, "BAT", "staff")]
    reverse(ruling)
    assert state_of(pool) == before
    assert fate(other)[0] == "active"


def test_two_picks_keep_their_slots_where_they_stay():
    pool = PoolFactory(rules={"picks_per_round": 2})
    entry = enter(pool, "ANT")
    pick(entry, 1, "DOG", slot=2)
    enter(pool, "CAT")
    lock_round(pool.competition.rounds.get(number=1))
    settle_competition(competition_id=pool.competition_id)
    before = state_of(pool)
    first = rule("pick", entry=entry, round=1, teams=["DOG", "BAT"])
    assert picks_of(entry, 1) == [(1, "BAT", "staff"), (2, "DOG", "player")]
    second = rule("pick", entry=entry, round=1, teams=["BAT"])
    assert picks_of(entry, 1) == [(1, "BAT", "staff")]
    third = rule("pick", entry=entry, round=1, teams=["BAT", "CAT"])
    assert picks_of(entry, 1) == [(1, "BAT", "staff"), (2, "CAT", "staff")]
    with pytest.raises(Conflict, match="reverse it first"):
        reverse(first)
    for ruling in (third, second, first):
        reverse(ruling)
    assert state_of(pool) == before


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ({"round": 1, "teams": ["XXX"]}, "TEAM_NOT_PLAYING"),
        ({"round": 99, "teams": ["ANT"]}, "ROUND_NOT_OPEN"),
        ({"round": 2, "teams": ["CAT"]}, "ROUND_NOT_OPEN"),
        ({"round": 1, "teams": ["BAT"]}, "RULING_STALE"),
        ({"round": 1, "teams": ["ANT", "CAT"]}, "VALIDATION_ERROR"),
        ({"round": 1, "teams": ["ANT", "ANT"]}, "VALIDATION_ERROR"),
        ({"round": 1, "teams": "ANT"}, "VALIDATION_ERROR"),
        ({"round": 1}, "VALIDATION_ERROR"),
        ({"round": "1", "teams": ["ANT"]}, "VALIDATION_ERROR"),
        ({"round": 1, "teams": ["ANT"], "slot": 2}, "VALIDATION_ERROR"),
    ],
)
def test_what_is_no_pick_of_the_round_is_refused(details, code):
    pool = PoolFactory()
    entry = enter(pool, "BAT")
    lock_round(pool.competition.rounds.get(number=1))
    with pytest.raises(DomainError) as refusal:
        propose("pick", entry=entry, **details)
    assert refusal.value.code == code
    assert not Ruling.objects.exists()


def test_a_team_used_in_a_public_round_is_refused():
    _pool, _, _, won = two_rounds_played()
    with pytest.raises(Refused, match="already used ANT"):
        propose("pick", entry=won, round=2, teams=["ANT"])


def test_a_void_entry_is_not_ruled_about():
    pool = locked_pool()
    entry = enter(pool)
    void(entry)
    with pytest.raises(Refused, match="is void"):
        propose("pick", entry=entry, round=1, teams=["ANT"])


def test_a_round_before_a_late_entrant_came_is_not_theirs():
    pool = locked_pool(rules={"late_entry_until": 2})
    entry = enter(pool, first_round_number=2)
    with pytest.raises(Refused, match="does not play round 1"):
        propose("pick", entry=entry, round=1, teams=["ANT"])


# --- Secrecy -----------------------------------------------------------------------------------------------------


def test_a_pick_of_a_round_that_has_not_locked_is_nobodys_business():
    pool = PoolFactory()
    entry = enter(pool, "ANT")
    for teams in (["ANT"], ["BAT"], []):
        with pytest.raises(Refused, match="players' own") as refusal:
            propose("pick", entry=entry, round=1, teams=teams)
        assert refusal.value.code == "ROUND_NOT_OPEN"


def test_where_each_game_locks_by_itself_only_its_own_picks_are_ruled_on():
    pool = PoolFactory(rules={"lock": "game"})
    open_one, locked_one = pool.competition.games.filter(round__number=1).order_by("-home__code")
    free, fixed = enter(pool, "CAT"), enter(pool, "ANT")
    locked_one.kickoff_at = database_now() - timedelta(minutes=1)
    locked_one.save(update_fields=["kickoff_at"])
    for entry, teams in ((free, ["ANT"]), (fixed, ["CAT"]), (free, [])):
        with pytest.raises(Refused, match="players' own"):
            propose("pick", entry=entry, round=1, teams=teams)
    rule("pick", entry=fixed, round=1, teams=["BAT"])
    assert picks_of(fixed, 1) == [(1, "BAT", "staff")]
    assert open_one.home.code == "CAT"


def test_a_pick_ahead_of_the_same_team_gives_way_and_tells_staff_nothing(moderator, colleague):
    pool = PoolFactory()
    entry = enter(pool, None, "ANT", "CAT")
    enter(pool, "CAT"), enter(pool, "ANT")
    lock_round(pool.competition.rounds.get(number=1))
    settle_competition(competition_id=pool.competition_id)
    before = state_of(pool)
    proposal = propose("pick", by=moderator, entry=entry, round=1, teams=["ANT"])
    preview_ruling(ruling=proposal, by=colleague)
    assert state_of(pool) == before
    ruling = confirm_ruling(ruling=proposal, by=colleague)
    assert [picks_of(entry, number) for number in (1, 2, 3)] == [[(1, "ANT", "staff")], [], [(1, "CAT", "player")]]
    reverse(ruling)
    assert state_of(pool) == before


def test_a_pick_made_since_keeps_its_place_when_the_ruling_is_reversed():
    pool = PoolFactory()
    entry = enter(pool, None, "ANT")
    lock_round(pool.competition.rounds.get(number=1))
    ruling = rule("pick", entry=entry, round=1, teams=["ANT"])
    pick(entry, 2, "DOG")
    reverse(ruling)
    assert (picks_of(entry, 1), picks_of(entry, 2)) == ([], [(1, "DOG", "player")])


def test_a_corrected_pick_may_have_a_game_that_was_called_off_or_has_left():
    pool = PoolFactory(rules={"cancelled_game": "void"})
    entry = enter(pool, "BAT")
    lock_round(pool.competition.rounds.get(number=1))
    Game.objects.filter(competition=pool.competition, round__number=1, home__code="CAT").update(status="cancelled")
    rule("pick", entry=entry, round=1, teams=["CAT"])
    assert picks_of(entry, 1) == [(1, "CAT", "staff")]


def test_the_reversal_may_bring_back_a_pick_whose_game_has_left_the_round():
    pool = PoolFactory(rules={"cancelled_game": "void"})
    entry = enter(pool, "ANT")
    enter(pool, "CAT")
    lock_round(pool.competition.rounds.get(number=1))
    ruling = rule("pick", entry=entry, round=1, teams=["CAT"])
    later = (database_now() + timedelta(days=6)).isoformat()
    game = Pick.objects.get(entry=entry).game
    other = pool.competition.games.filter(round__number=1).exclude(pk=game.pk).get()
    rule("game", game=other, verdict="moved", to_round=2, kickoff_at=later)
    reverse(ruling)
    assert picks_of(entry, 1) == [(1, "ANT", "player")]


def test_a_reversal_that_would_use_a_team_twice_is_refused():
    pool = PoolFactory()
    entry = enter(pool, "ANT")
    enter(pool, "CAT", "ANT")
    lock_round(pool.competition.rounds.get(number=1))
    ruling = rule("pick", entry=entry, round=1, teams=["CAT"])
    pick(entry, 2, "ANT")
    play_round(pool.competition.rounds.get(number=2), winners=set())
    with pytest.raises(Refused, match="already used ANT"):
        reverse(ruling)
    assert picks_of(entry, 1) == [(1, "CAT", "staff")]


def test_a_team_of_a_void_pick_can_be_used():
    pool = PoolFactory(rules={"cancelled_game": "void"})
    entry = enter(pool, "ANT")
    enter(pool, "CAT", "DOG")
    lock_round(pool.competition.rounds.get(number=1))
    rule("game", game=Pick.objects.get(entry=entry).game, verdict="not_played")
    play_round(pool.competition.rounds.get(number=2), winners=set())
    rule("pick", entry=entry, round=2, teams=["ANT"])
    assert picks_of(entry, 2) == [(1, "ANT", "staff")]
