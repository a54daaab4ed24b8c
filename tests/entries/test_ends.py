"""Where pools end, who wins a tiebreak, and how the pot is shared by rank, to the cent."""

import pytest
from django.db import connection, transaction

from config.states import CORRECTION_SETTING
from entries.models import EntryStatus
from entries.services.settlement import settle_competition
from pools.models import PoolStatus
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import CODES, PoolFactory, finish, league, lock_round
from tests.support.playing import enter, void
from tests.support.ruling import rule

pytestmark = pytest.mark.django_db

OUT, WON, ACTIVE = EntryStatus.ELIMINATED, EntryStatus.WINNER, EntryStatus.ACTIVE


@pytest.fixture
def make_pool():
    """A pool of four games a round: ANT-BAT, CAT-DOG, ELK-FOX, GNU-HEN; the fee is 10.01."""

    def make(rounds: int = 2, **rules):
        competition = league(rounds=rounds, codes=CODES)
        return PoolFactory(competition=competition, entry_fee_cents=1001, rules=rules)

    return make


def play(pool, number: int, **home_margins: int) -> None:
    """The round is played: by how much each home side wins (below zero: loses); 1 where nothing is said."""
    this = pool.competition.rounds.get(number=number)
    lock_round(this)
    for game in this.games.select_related("home"):
        margin = home_margins.get(game.home.code, 1)
        finish(game, 50 + max(margin, 0), 50 + max(-margin, 0))
    settle_competition(competition_id=pool.competition_id)
    pool.refresh_from_db()


def stands(*entries) -> list[tuple[str, str, int | None]]:
    for entry in entries:
        entry.refresh_from_db()
    return [(entry.status, entry.eliminated_code, entry.prize_cents) for entry in entries]


def ended(pool) -> int | None:
    pool.refresh_from_db()
    return pool.ended_round_number


def test_the_highest_margin_wins_after_the_last_round(make_pool):
    pool = make_pool(last_round="tiebreak")
    a, b, c = enter(pool, "ANT", "CAT"), enter(pool, "CAT", "ELK"), enter(pool, "BAT")

    play(pool, 1, ANT=3, CAT=10)
    play(pool, 2, CAT=20, ELK=12)

    assert stands(a, b, c) == [(WON, "", 3003), (OUT, "tiebreak", None), (OUT, "pick_lost", None)]
    assert (b.eliminated_round_number, b.rules_version) == (2, 1)


def test_equal_margins_share(make_pool):
    pool = make_pool(last_round="tiebreak")
    a, b = enter(pool, "ANT", "CAT"), enter(pool, "CAT", "ANT")

    play(pool, 1, ANT=3, CAT=10)
    play(pool, 2, CAT=13, ANT=6)

    assert stands(a, b) == [(WON, "", 1001), (WON, "", 1001)]


def test_when_everybody_falls_the_smallest_defeat_can_win(make_pool):
    pool = make_pool(all_out="tiebreak")
    a, b, missed = enter(pool, "BAT"), enter(pool, "DOG"), enter(pool)

    play(pool, 1, ANT=3, CAT=10)

    assert stands(a, b, missed) == [(WON, "", 3003), (OUT, "pick_lost", None), (OUT, "no_pick", None)]


def test_prizes_by_rank_are_split_among_equals_to_the_cent(make_pool):
    pool = make_pool(payout="table", payout_table=[5000, 3000, 2000])
    winner = enter(pool, "ANT", "CAT")
    second, third = enter(pool, "CAT", "FOX"), enter(pool, "ELK", "BAT")
    early = [enter(pool, "BAT") for _ in range(2)]

    play(pool, 1)
    play(pool, 2)

    # Of 50.05: 25.02 up to the first rank, 40.04 up to the second, all of it up to the third.
    assert stands(winner, second, third) == [(WON, "", 2502), (OUT, "pick_lost", 1252), (OUT, "pick_lost", 1251)]
    assert stands(*early) == [(OUT, "pick_lost", None)] * 2


def test_what_ranks_would_get_that_nobody_takes_goes_to_the_first(make_pool):
    pool = make_pool(payout="table", payout_table=[5000, 3000, 2000])
    a, b = enter(pool, "ANT"), enter(pool, "BAT")

    play(pool, 1)

    assert stands(a, b) == [(WON, "", 1402), (OUT, "pick_lost", 600)]


def test_who_lost_the_tiebreak_ranks_by_margin(make_pool):
    pool = make_pool(last_round="tiebreak", payout="table", payout_table=[6000, 3000, 1000])
    a, b, c = enter(pool, "ANT", "CAT"), enter(pool, "CAT", "ELK"), enter(pool, "ELK", "GNU")

    play(pool, 1, ANT=3, CAT=10, ELK=2)
    play(pool, 2, CAT=20, ELK=12, GNU=1)

    assert stands(a, b, c) == [(WON, "", 1801), (OUT, "tiebreak", 901), (OUT, "tiebreak", 301)]


def test_nobody_has_won_while_somebody_may_still_come_in(make_pool):
    pool = make_pool(rounds=4, late_entry_until=3)
    alone, _fallen = enter(pool, "ANT"), enter(pool, "BAT")
    play(pool, 1)
    assert (stands(alone), pool.status) == ([(ACTIVE, "", None)], PoolStatus.OPEN)

    lock_round(pool.competition.rounds.get(number=2))
    lock_round(pool.competition.rounds.get(number=3))
    settle_competition(competition_id=pool.competition_id)
    pool.refresh_from_db()

    assert (stands(alone), pool.ended_round_number) == ([(WON, "", 2002)], 1)


def test_who_comes_late_has_missed_nothing_and_may_bring_strikes(make_pool):
    pool = make_pool(rounds=4, late_entry_until=3, late_entry_strikes=True, strikes=2)
    enter(pool, "ANT", "CAT", "ELK"), enter(pool, "CAT", "ANT", "GNU")
    play(pool, 1)
    play(pool, 2)
    late = EntryFactory(in_pool=pool, first_round_number=3)

    play(pool, 3)

    late.refresh_from_db()
    # Two for the rounds before, and the third round missed: that eliminates whatever is left.
    assert (late.strikes, late.status, late.eliminated_code) == (2, OUT, "no_pick")


def test_void_places_neither_play_nor_rank_but_their_fee_stays(make_pool):
    pool = make_pool(payout="table", payout_table=[7000, 3000])
    a, b, gone = enter(pool, "ANT"), enter(pool, "BAT"), enter(pool, "BAT")
    void(gone)

    play(pool, 1)

    assert stands(a, b) == [(WON, "", 2102), (OUT, "pick_lost", 901)]


def test_a_winner_who_came_late_and_becomes_void_leaves_the_pool_to_those_of_the_round_in_which_it_ended(make_pool):
    pool = make_pool(rounds=4, late_entry_until=3)
    a, b = enter(pool, "BAT"), enter(pool, "BAT")
    late = EntryFactory(in_pool=pool, first_round_number=3)
    pick(late, 3, "ANT")
    for number in (1, 2, 3):
        play(pool, number)
    assert (stands(late), ended(pool)) == ([(WON, "", 3003)], 1)

    rule("disqualify", entry=late)

    assert (stands(a, b), ended(pool)) == ([(WON, "", 1502), (WON, "", 1501)], 1)


def test_a_void_place_that_came_late_can_make_a_pool_have_ended_before_its_own_first_round(make_pool):
    pool = make_pool(rounds=5, late_entry_until=3)
    a, b = enter(pool, "ANT", "CAT", "ELK"), enter(pool, "ANT", "DOG")
    late = EntryFactory(in_pool=pool, first_round_number=3)
    pick(late, 3, "ANT")
    for number in (1, 2, 3):
        play(pool, number)
    assert (stands(a, late), ended(pool)) == ([(ACTIVE, "", None)] * 2, None)

    rule("disqualify", entry=late)

    assert (stands(a, b), ended(pool)) == ([(WON, "", 3003), (OUT, "pick_lost", None)], 2)


def test_in_a_two_pick_round_both_must_win_and_two_defeats_cost_one_strike(make_pool):
    pool = make_pool(rounds=3, two_pick_rounds=[1], strikes=1)
    both, one, none, half = (EntryFactory(in_pool=pool) for _ in range(4))
    for entry, codes in ((both, ("ANT", "CAT")), (one, ("ANT", "DOG")), (none, ("BAT", "DOG")), (half, ("ELK",))):
        game_round = pool.competition.rounds.get(number=1)
        for slot, code in enumerate(codes, start=1):
            game = game_round.games.filter(home__code=code).first() or game_round.games.get(away__code=code)
            team = game.home if game.home.code == code else game.away
            entry.picks.create(round=game_round, slot=slot, team=team, game=game, nonce=f"{entry.pk}-{slot}")

    play(pool, 1)

    for entry in (both, one, none, half):
        entry.refresh_from_db()
    assert [(e.status, e.strikes) for e in (both, one, none)] == [(ACTIVE, 0), (ACTIVE, 1), (ACTIVE, 1)]
    assert (half.status, half.eliminated_code) == (OUT, "no_pick")


def test_a_pool_whose_last_entry_is_disqualified_ends_with_its_last_round(make_pool):
    pool = make_pool()
    alone = enter(pool, "ANT", "CAT")
    play(pool, 1)
    play(pool, 2)
    assert (pool.ended_round_number, stands(alone)) == (1, [(WON, "", 1001)])
    alone.refresh_from_db()
    alone.status, alone.prize_cents = EntryStatus.VOID, None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'disqualified', true)", [CORRECTION_SETTING])
        alone.save(update_fields=["status", "prize_cents"])
        settle_competition(competition_id=pool.competition_id)

    pool.refresh_from_db()
    assert pool.ended_round_number == 2
