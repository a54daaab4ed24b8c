"""Missed picks are filled in as of the lock: by the player's list, or with the largest favourite."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from config.clock import database_now
from entries.models import EntryStatus, Fallback, FillInAttempt, Pick, SettlementMark
from entries.models.pick import LATE_SETTING
from entries.queries.reveal import revealed_rounds
from entries.services.settlement import settle_competition
from tests.factories.pools import CODES, PoolFactory, finish, league
from tests.support.playing import enter

pytestmark = pytest.mark.django_db

SIX = CODES[:6]  # ANT-BAT, CAT-DOG, ELK-FOX


@pytest.fixture
def make_pool():
    """A pool on three games a round, of which the first kicks off at the lock and the others an hour later."""

    def make(rounds: int = 3, **rules):
        return PoolFactory(competition=league(rounds=rounds, codes=SIX), rules={"missed_pick": "favourite", **rules})

    return make


def spreads(pool, number: int, **by_home: str) -> None:
    for code, spread in by_home.items():
        pool.competition.rounds.get(number=number).games.filter(home__code=code).update(home_spread=Decimal(spread))


def lock(pool, number: int, *, apart: timedelta = timedelta(hours=1)) -> None:
    """The round locked an hour ago; the second and third game kicked off later."""
    began = database_now() - timedelta(hours=3)
    for place, game in enumerate(pool.competition.rounds.get(number=number).games.order_by("id")):
        game.kickoff_at = began + apart * min(place, 1)
        game.save(update_fields=["kickoff_at"])


def settle(pool):
    return settle_competition(competition_id=pool.competition_id)


def picks(entry, number: int = 1) -> list[tuple[str, str]]:
    found = Pick.objects.filter(entry=entry, round__number=number).order_by("slot")
    return [(pick.team.code, pick.source) for pick in found.select_related("team")]


def wish(entry, *codes: str) -> None:
    teams = {team.code: team.pk for team in entry.pool.competition.teams.all()}
    Fallback.objects.create(entry=entry, team_ids=[teams[code] for code in codes])


def test_the_largest_favourite_that_has_not_started_is_picked(make_pool):
    pool = make_pool()
    entry, picked = enter(pool), enter(pool, "DOG")
    spreads(pool, 1, ANT="14", CAT="3", ELK="-6.5")

    lock(pool, 1)

    assert settle(pool).difference.filled_in == 1
    # ANT's game began at the lock; FOX is favoured by 6.5 on the road.
    assert picks(entry) == [("FOX", "favourite")]
    assert picks(picked) == [("DOG", "player")]


def test_a_team_used_before_makes_room_for_the_next_favourite(make_pool):
    pool = make_pool()
    entry = enter(pool, "FOX")
    spreads(pool, 2, CAT="3", ELK="-6.5")
    lock(pool, 1), lock(pool, 2)

    settle(pool)

    assert picks(entry, 2) == [("CAT", "favourite")]


def test_where_every_game_starts_at_the_lock_none_had_started(make_pool):
    pool = make_pool()
    entry = enter(pool)
    spreads(pool, 1, ANT="14")

    lock(pool, 1, apart=timedelta(0))
    settle(pool)

    assert picks(entry) == [("ANT", "favourite")]


def test_without_a_favourite_the_pick_stays_missing_and_is_not_tried_again(make_pool):
    pool = make_pool()
    entry, _others = enter(pool), [enter(pool, code) for code in ("ANT", "CAT")]
    lock(pool, 1)
    settle(pool)
    assert FillInAttempt.objects.filter(entry=entry).count() == 1

    spreads(pool, 1, CAT="9")
    finish(pool.competition.rounds.get(number=1).games.get(home__code="ANT"), 20, 10)
    settle(pool)

    entry.refresh_from_db()
    assert picks(entry) == []
    assert (entry.status, entry.eliminated_code) == (EntryStatus.ELIMINATED, "no_pick")


def test_the_players_list_goes_in_its_order_past_what_started_and_what_is_used(make_pool):
    pool = make_pool(missed_pick="fallback")
    entry = enter(pool, "CAT")
    wish(entry, "ANT", "CAT", "ELK", "DOG")
    lock(pool, 1), lock(pool, 2)

    settle(pool)

    assert picks(entry, 2) == [("ELK", "fallback")]


def test_a_list_saved_after_the_lock_comes_too_late(make_pool):
    pool = make_pool(missed_pick="fallback")
    entry, in_time = enter(pool), enter(pool)
    wish(in_time, "DOG")
    lock(pool, 1)
    wish(entry, "DOG")
    in_time.fallback.team_ids = []
    in_time.fallback.save()

    settle(pool)

    assert (picks(entry), picks(in_time)) == ([], [("DOG", "fallback")])


@pytest.mark.parametrize(("then", "expected"), [("favourite", [("FOX", "favourite")]), ("strike", [])])
def test_what_the_list_cannot_fill_goes_by_what_follows_it(make_pool, then, expected):
    pool = make_pool(missed_pick="fallback", missed_pick_then=then, strikes=1)
    entry, _other = enter(pool), enter(pool, "DOG")
    wish(entry, "ANT")
    spreads(pool, 1, ELK="-6.5")
    lock(pool, 1)
    for game in pool.competition.rounds.get(number=1).games.all():
        finish(game, 10, 20)

    settle(pool)

    entry.refresh_from_db()
    assert picks(entry) == expected
    assert (entry.status, entry.strikes) == (EntryStatus.ACTIVE, 0 if expected else 1)


def test_two_missing_picks_are_never_both_sides_of_a_game(make_pool):
    pool = make_pool(missed_pick="fallback", missed_pick_then="favourite", picks_per_round=2)
    entry, half = enter(pool), enter(pool, "FOX")
    wish(entry, "CAT", "DOG")
    wish(half, "ELK", "DOG")
    spreads(pool, 1, ELK="1")
    lock(pool, 1)

    settle(pool)

    assert picks(entry) == [("CAT", "fallback"), ("ELK", "favourite")]
    assert picks(half) == [("FOX", "player"), ("DOG", "fallback")]


def test_who_is_out_gets_nothing_until_a_correction_brings_them_back(make_pool):
    pool = make_pool()
    entry, _others = enter(pool, "CAT"), [enter(pool, code) for code in ("DOG", "ELK", "FOX")]
    spreads(pool, 2, ELK="7")
    lock(pool, 1)
    game = finish(pool.competition.rounds.get(number=1).games.get(home__code="CAT"), 10, 20)
    settle(pool)
    lock(pool, 2)
    settle(pool)
    assert picks(entry, 2) == []

    finish(game, 20, 10)
    settle(pool)

    assert picks(entry, 2) == [("ELK", "favourite")]
    assert settle(pool).difference.is_nothing


def test_a_team_with_two_games_plays_the_first_that_had_not_started(make_pool):
    pool = make_pool(missed_pick="fallback")
    entry = enter(pool)
    wish(entry, "ANT")
    first = pool.competition.rounds.get(number=1)
    extra = pool.competition.rounds.get(number=2).games.get(home__code="ANT")
    extra.round = first
    extra.save(update_fields=["round"])
    lock(pool, 1)

    settle(pool)

    assert Pick.objects.get(entry=entry).game_id == extra.pk


def test_raw_sql_cannot_fill_in_a_game_that_had_started(make_pool):
    pool = make_pool()
    entry = enter(pool)
    lock(pool, 1)
    revealed_rounds(pool.competition_id)
    game = pool.competition.rounds.get(number=1).games.get(home__code="ANT")

    def attack():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, 'favourite', true)", [LATE_SETTING])
            cursor.execute(
                "INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce,"
                " picked_at) VALUES (%s, %s, 1, %s, %s, 'favourite', 1, 'x', now())",
                [entry.pk, game.round_id, game.home_id, game.pk],
            )

    with pytest.raises(IntegrityError) as refused:
        attack()
    assert refused.value.__cause__.diag.constraint_name == "pick_fill_in"


def test_a_dry_run_fills_in_nothing(make_pool):
    pool = make_pool()
    entry = enter(pool)
    spreads(pool, 1, CAT="3")
    lock(pool, 1)

    found = settle_competition(competition_id=pool.competition_id, dry_run=True).difference

    assert (found.filled_in, picks(entry)) == (1, [])


def test_settling_leaves_itself_no_mark_for_what_it_filled_in(make_pool):
    pool = make_pool()
    enter(pool)
    spreads(pool, 1, CAT="3")
    lock(pool, 1)

    assert settle(pool).difference.filled_in == 1

    assert not SettlementMark.objects.exists()
