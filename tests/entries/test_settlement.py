"""The cases any grader must pass, and what settling must never do."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from entries.models import Entry, EntryChange, EntryStatus, Settlement
from entries.services.settlement import settle_competition, settle_due
from pools.models import Game, GameStatus, PoolStatus, Round
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import CODES, PoolFactory, finish, league, lock_round, play_round

ACTIVE, OUT, WON = EntryStatus.ACTIVE, EntryStatus.ELIMINATED, EntryStatus.WINNER


@pytest.fixture
def make_pool(db):
    def make(*, rounds=6, rules=None, **fields):
        return PoolFactory(competition=league(rounds=rounds, codes=CODES), rules=rules or {}, **fields)

    return make


def enter(pool, *codes: str | None, **fields) -> Entry:
    """An entry with these picks for rounds 1, 2, 3 …; None is a round without a pick."""
    entry = EntryFactory(in_pool=pool, **fields)
    for number, code in enumerate(codes, start=1):
        if code:
            pick(entry, number, code)
    return entry


def play(pool, number: int, *winners: str) -> None:
    """Round `number` is played and settled: these away sides win, else the home sides (ANT, CAT, ELK, GNU)."""
    play_round(pool.competition.rounds.get(number=number), winners=set(winners))
    settle(pool)


def settle(pool, **options):
    return settle_competition(competition_id=pool.competition_id, **options).difference


def fate(entry) -> tuple[str, int | None]:
    entry.refresh_from_db()
    return entry.status, entry.eliminated_round_number


def test_case_1_a_loss_eliminates_and_stays(make_pool):
    pool = make_pool()
    a, b, c = enter(pool, "ANT", "CAT", "ELK"), enter(pool, "CAT", "BAT"), enter(pool, "CAT", "ELK", "ANT")

    play(pool, 1)
    assert [fate(e) for e in (a, b)] == [(ACTIVE, None), (ACTIVE, None)]
    play(pool, 2)
    assert [fate(e) for e in (a, b)] == [(ACTIVE, None), (OUT, 2)]
    play(pool, 3)
    assert [fate(e) for e in (a, b, c)] == [(ACTIVE, None), (OUT, 2), (ACTIVE, None)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("split", [(WON, None), (WON, None), (OUT, 1)]), ("revive", [(ACTIVE, None)] * 2 + [(OUT, 1)])],
)
def test_case_2_when_all_lose_in_one_round_the_rule_decides(make_pool, rule, expected):
    pool = make_pool(rules={"all_out": rule})
    entries = enter(pool, "ANT", "BAT", "ELK"), enter(pool, "CAT", "DOG", "ELK"), enter(pool, "BAT")

    play(pool, 1)
    play(pool, 2)

    assert [fate(e) for e in entries] == expected


def test_case_2_split_leaves_out_who_did_not_submit(make_pool):
    pool = make_pool()
    submitted, missed = enter(pool, "BAT"), enter(pool)

    play(pool, 1)

    assert (fate(submitted), fate(missed)) == ((WON, None), (OUT, 1))


def test_case_2_when_nobody_submitted_all_of_that_round_share(make_pool):
    pool = make_pool()
    entries = enter(pool, "ANT"), enter(pool, "CAT"), enter(pool, "BAT")

    play(pool, 1)
    play(pool, 2)

    assert [fate(e) for e in entries] == [(WON, None), (WON, None), (OUT, 1)]


@pytest.mark.parametrize(("rule", "expected"), [("loss", (OUT, 1)), ("win", (ACTIVE, None))])
def test_case_3_a_tie_is_graded_by_the_rule(make_pool, rule, expected):
    pool = make_pool(rules={"tie": rule})
    entry, *_others = enter(pool, "ANT"), enter(pool, "CAT"), enter(pool, "ELK")
    lock_round(pool.competition.rounds.get(number=1))
    finish(Game.objects.get(round__number=1, home__code="ANT"), 17, 17)

    settle(pool)

    assert fate(entry) == expected
    assert entry.eliminated_code == ("pick_tied" if rule == "loss" else "")
    assert entry.strikes == 0


@pytest.mark.parametrize(("rule", "strikes", "expected"), [
    ("eliminate", 0, (OUT, 1)), ("eliminate", 2, (OUT, 1)), ("strike", 0, (OUT, 1)), ("strike", 1, (ACTIVE, None)),
])  # fmt: skip
def test_case_4_a_missed_pick_is_graded_by_the_rule(make_pool, rule, strikes, expected):
    pool = make_pool(rules={"missed_pick": rule, "strikes": strikes})
    entry, *_others = enter(pool), enter(pool, "ANT"), enter(pool, "CAT")

    play(pool, 1)

    assert fate(entry) == expected
    assert entry.eliminated_code == ("no_pick" if expected[0] == OUT else "")


WIN, LOSE = ("ANT", "CAT", "ELK", "GNU"), ("BAT", "DOG", "FOX", "HEN")


@pytest.mark.parametrize(("results", "expected"), [
    ("WLLL", (OUT, 4)), ("WLLWL", (OUT, 5)), ("WLWWLL", (OUT, 6)), ("LLLWWW", (OUT, 3)), ("WLWL", (ACTIVE, None)),
])  # fmt: skip
def test_case_5_two_strikes_are_survived_and_later_wins_revive_nobody(make_pool, results, expected):
    pool = make_pool(rounds=7, rules={"strikes": 2})
    winners, losers = list(WIN), list(LOSE)
    codes = [winners.pop() if result == "W" else losers.pop() for result in results]
    entry = enter(pool, *codes)
    # Two that never pick a loser, so that the pool goes on; seven rounds need seven teams.
    for _ in range(2):
        keeper = EntryFactory(in_pool=pool)
        for number, code in enumerate(CODES[:7], start=1):
            pick(keeper, number, code)

    for number in range(1, len(results) + 1):
        # Keepers pick home sides in odd rounds and away sides in even ones: both win when all sides they hold do.
        this = pool.competition.rounds.get(number=number)
        lock_round(this)
        for game in this.games.select_related("home", "away"):
            mine = codes[number - 1]
            home_wins = game.home.code == mine if results[number - 1] == "W" else game.away.code == mine
            if mine not in (game.home.code, game.away.code):
                home_wins = game.home.code == CODES[number - 1] or game.away.code != CODES[number - 1]
            finish(game, *((20, 10) if home_wins else (10, 20)))
        settle(pool)

    assert fate(entry) == expected


def test_case_6_eliminations_show_before_the_round_is_complete_but_nobody_wins(make_pool):
    pool = make_pool()
    monday, alive, lost = enter(pool, "GNU"), enter(pool, "ANT"), enter(pool, "BAT")
    lock_round(pool.competition.rounds.get(number=1))
    games = {g.home.code: g for g in Game.objects.filter(round__number=1).select_related("home")}
    for code in ("CAT", "ELK"):
        finish(games[code], 20, 10)
    finish(games["ANT"], 20, 10)
    settle(pool)
    assert [fate(e) for e in (monday, alive, lost)] == [(ACTIVE, None), (ACTIVE, None), (OUT, 1)]

    finish(games["GNU"], 10, 20)
    settle(pool)

    assert [fate(e) for e in (monday, alive, lost)] == [(OUT, 1), (WON, None), (OUT, 1)]
    pool.refresh_from_db()
    assert pool.status == PoolStatus.FINISHED


def test_case_7_the_last_two_entries_of_one_player_play_on(make_pool):
    pool, owner = make_pool(), UserFactory()
    first, second = (
        enter(pool, "ANT", "CAT", owner=owner, number=1),
        enter(pool, "CAT", "DOG", owner=owner, number=2),
    )
    enter(pool, "BAT")

    play(pool, 1)
    assert [fate(e) for e in (first, second)] == [(ACTIVE, None), (ACTIVE, None)]
    play(pool, 2)
    assert [fate(e) for e in (first, second)] == [(WON, None), (OUT, 2)]


def test_case_8_settling_twice_changes_nothing(make_pool):
    pool = make_pool()
    enter(pool, "ANT"), enter(pool, "CAT"), enter(pool, "BAT")
    play(pool, 1)
    changes = EntryChange.objects.count()

    assert settle(pool).is_nothing
    assert settle_due()[0].difference.is_nothing
    assert EntryChange.objects.count() == changes


@pytest.mark.django_db(transaction=True)
def test_case_8_settling_from_eight_threads_at_once_settles_once(make_pool):
    for _ in range(20):
        pool = make_pool(rounds=2)
        out = enter(pool, "BAT")
        enter(pool, "ANT"), enter(pool, "CAT")
        play_round(pool.competition.rounds.get(number=1), winners=set())

        def once(competition_id=pool.competition_id):
            try:
                return settle_competition(competition_id=competition_id).difference
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as threads:
            done = [job.result(30) for job in [threads.submit(once) for _ in range(8)]]

        assert sum(d.eliminated for d in done) == 1
        assert EntryChange.objects.filter(subject_id=out.pk).count() == 2  # born, eliminated


def test_case_9_a_corrected_result_revives_and_takes_the_title_and_back_again(make_pool):
    pool = make_pool()
    a, b = enter(pool, "ANT"), enter(pool, "BAT")
    play(pool, 1)
    first_state = list(Entry.objects.order_by("id").values())
    assert [fate(e) for e in (a, b)] == [(WON, None), (OUT, 1)]
    game = Game.objects.get(round__number=1, home__code="ANT")

    finish(game, 10, 20)
    assert settle(pool, dry_run=True).unseated == 1
    assert [fate(e) for e in (a, b)] == [(WON, None), (OUT, 1)]  # the dry run changed nothing
    settle(pool)
    assert [fate(e) for e in (a, b)] == [(OUT, 1), (WON, None)]
    assert settle(pool).is_nothing

    finish(game, 20, 10)
    settle(pool)
    assert list(Entry.objects.order_by("id").values()) == first_state


def test_a_correction_can_reopen_a_finished_pool(make_pool):
    pool = make_pool()
    a, b = enter(pool, "ANT", "CAT"), enter(pool, "DOG", "CAT")
    play(pool, 1)
    assert fate(a) == (WON, None)

    finish(Game.objects.get(round__number=1, away__code="DOG"), 0, 3)
    settle(pool)

    pool.refresh_from_db()
    assert ([fate(e) for e in (a, b)], pool.status) == ([(ACTIVE, None)] * 2, PoolStatus.RUNNING)


@pytest.mark.parametrize(("rule", "expected"), [("loss", (OUT, 1)), ("win", (ACTIVE, None))])
@pytest.mark.parametrize("status", [GameStatus.CANCELLED, GameStatus.POSTPONED])
def test_a_cancelled_game_is_graded_by_the_rule(make_pool, status, rule, expected):
    pool = make_pool(rules={"cancelled_game": rule})
    entry, *_others = enter(pool, "ANT"), enter(pool, "CAT"), enter(pool, "ELK")
    lock_round(pool.competition.rounds.get(number=1))
    Game.objects.filter(round__number=1, home__code="ANT").update(status=status)

    settle(pool)

    assert fate(entry) == expected


def test_a_game_moved_out_of_its_round_counts_as_cancelled(make_pool):
    pool = make_pool()
    entry, *_others = enter(pool, "ANT"), enter(pool, "CAT"), enter(pool, "ELK")
    game = Game.objects.get(round__number=1, home__code="ANT")
    lock_round(pool.competition.rounds.get(number=1))
    Game.objects.filter(pk=game.pk).update(round=Round.objects.get(number=2))
    finish(Game.objects.get(round__number=1, home__code="CAT"), 20, 10)

    settle(pool)

    assert (fate(entry), entry.eliminated_code) == ((OUT, 1), "game_cancelled")


def test_missing_picks_count_only_once_the_round_has_begun(make_pool):
    pool = make_pool()
    entry, *_others = enter(pool), enter(pool, "ANT")
    lock_round(pool.competition.rounds.get(number=1))

    assert settle(pool).is_nothing
    assert fate(entry) == (ACTIVE, None)


def test_those_left_after_the_last_round_share_and_odd_cents_go_to_the_lowest_entries(make_pool):
    pool = make_pool(rounds=1, entry_fee_cents=3334, rules={"house_fee_bp": 1000})
    entries = [enter(pool, code) for code in ("ANT", "CAT", "ELK", "BAT")]

    play(pool, 1)

    for entry in entries:
        entry.refresh_from_db()
    # Each fee leaves 3334 - 333 = 3001 in the pot; 12004 among three.
    assert [e.prize_cents for e in entries] == [4002, 4001, 4001, None]


def test_a_limit_holds_back_later_rounds_but_takes_nothing_back(make_pool):
    pool = make_pool()
    early, late, _alive, _more = enter(pool, "BAT"), enter(pool, "ANT", "DOG"), enter(pool, *WIN), enter(pool, *WIN)
    for number in (1, 2):
        play_round(pool.competition.rounds.get(number=number), winners=set())

    settle(pool, through=1)
    assert (fate(early), fate(late)) == ((OUT, 1), (ACTIVE, None))
    settle(pool)
    assert fate(late) == (OUT, 2)

    assert settle(pool, through=1).is_nothing


def test_the_end_of_a_pool_waits_for_earlier_unfinished_rounds(make_pool):
    pool = make_pool()
    a, b, c = enter(pool, "ANT", "CAT"), enter(pool, "CAT", "DOG"), enter(pool, "GNU", "FOX")
    first = pool.competition.rounds.get(number=1)
    lock_round(first)
    for code in ("ANT", "CAT", "ELK"):
        finish(first.games.get(home__code=code), 20, 10)

    play(pool, 2)
    assert [fate(e) for e in (a, b, c)] == [(ACTIVE, None), (OUT, 2), (OUT, 2)]

    finish(first.games.get(home__code="GNU"), 20, 10)
    settle(pool)
    assert fate(a) == (WON, None)


def test_void_entries_are_left_alone_and_do_not_count(make_pool):
    pool = make_pool()
    void, a, _b = enter(pool, "BAT"), enter(pool, "ANT"), enter(pool, "DOG")
    void.status = EntryStatus.VOID
    void.save()

    play(pool, 1)

    assert (fate(void), fate(a)) == ((EntryStatus.VOID, None), (WON, None))
    a.refresh_from_db()
    # Whoever is disqualified leaves the fee in the pot.
    assert a.prize_cents == 3 * pool.entry_fee_cents


def test_all_pools_of_a_competition_settle_together_each_by_its_own_rules(make_pool):
    strict = make_pool()
    lenient = PoolFactory(competition=strict.competition, rules={"strikes": 1})
    draft = PoolFactory(competition=strict.competition, status=PoolStatus.DRAFT)
    entries = [enter(pool, "BAT") for pool in (strict, lenient, draft)]
    for pool in (strict, lenient, draft):
        enter(pool, "ANT"), enter(pool, "CAT")

    play(strict, 1)

    assert [fate(e)[0] for e in entries] == [OUT, ACTIVE, ACTIVE]


def test_each_change_of_fate_is_recorded_with_its_reason(make_pool):
    pool = make_pool()
    entry, *_others = enter(pool, "BAT"), enter(pool, "ANT"), enter(pool, "CAT")

    play(pool, 1)

    change = EntryChange.objects.filter(subject_id=entry.pk).last()
    settlement = Settlement.objects.get()
    assert (change.from_status, change.to_status) == ("active", "eliminated")
    assert change.reason == f"settlement {settlement.pk}"
    assert settlement.first_change_id <= change.pk <= settlement.last_change_id
    assert settlement.difference["eliminated"] == 1
    assert change.details["eliminated_code"] == "pick_lost"
    assert change.details["rules_version"] == 1


def test_the_number_of_statements_does_not_grow_with_entries(make_pool, django_assert_max_num_queries):
    pool = make_pool()
    for _ in range(10):
        enter(pool, "BAT"), enter(pool, "ANT")
    play_round(pool.competition.rounds.get(number=1), winners=set())

    with django_assert_max_num_queries(55):
        settle(pool)
