"""Cases 8 and 9: settling twice, at once, interrupted, or with another score."""

from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from entries.models import Entry, EntryChange, Pick, Settlement
from entries.services.settlement import settle_competition, settle_due
from pools.models import Pool
from tests.cases.nfl import season
from tests.cases.story import Story
from tests.factories.pools import CODES, PoolFactory, league, play_round
from tests.support.playing import enter
from tests.support.ruling import state_of
from tests.support.threads import run_together


def test_case_08_settling_twice_changes_nothing(story):
    """Settling twice changes nothing."""
    a, b, c = story.entries(3)
    story.week(1, {a: "W", b: "W", c: "L"})
    before = state_of(story.pool), EntryChange.objects.count(), Settlement.objects.count()

    assert story.settled().difference.is_nothing
    assert story.settled(afresh=True).difference.is_nothing
    assert settle_due()[0].difference.is_nothing

    assert (state_of(story.pool), EntryChange.objects.count(), Settlement.objects.count()) == before


@pytest.mark.django_db(transaction=True)
def test_case_08_settling_from_eight_at_once_settles_once():
    """Settling twice, or from two processes at once, changes nothing."""
    for _ in range(5):
        pool = PoolFactory(competition=league(rounds=2, codes=CODES))
        fallen, *_others = enter(pool, "BAT"), enter(pool, "ANT"), enter(pool, "CAT")
        play_round(pool.competition.rounds.get(number=1), winners=set())

        settling = run_together([lambda pool=pool: settle_competition(competition_id=pool.competition_id)] * 8)

        assert [outcome.error for outcome in settling] == [None] * 8
        assert sum(outcome.value.difference.eliminated for outcome in settling) == 1
        told = EntryChange.objects.filter(subject_id=fallen.pk).order_by("id")
        assert list(told.values_list("from_status", "to_status")) == [("", "active"), ("active", "eliminated")]


@pytest.mark.slow
def test_case_08_a_kill_in_the_middle_and_settling_again_ends_the_same(tell):
    """A kill in the middle, then again: same end as without."""
    story = tell(missed_pick="favourite", payout="table", payout_table=[6000, 4000])
    a, b, c = story.entries(3)
    story.round(2).games.filter(home__code="KOI").update(home_spread=3)
    for week, ends in enumerate([{a: "W", b: "W", c: "L"}, {a: "-", b: "L", c: "W"}], start=1):
        story.picks(week, ends)
        story.kicks_off(week)
        story.ends(week, ends)
    before = outcome_of(story)
    with undone():
        with settlement_that_dies() as statements:
            story.settled()
        expected = outcome_of(story)
    assert expected["fates"] == [
        (a.pk, "winner", None, 9000), (b.pk, "eliminated", 2, 6000), (c.pk, "eliminated", 1, None),
    ]  # fmt: skip
    assert (a.pk, 2, "KOI", "favourite") in expected["picks"]
    assert len(statements) > 20

    for fatal in (*range(0, len(statements), 5), len(statements) - 1):
        with undone():
            with pytest.raises(Killed), settlement_that_dies(at=fatal):
                story.settled()
            assert outcome_of(story) == before
            story.settled()
            assert outcome_of(story) == expected, statements[fatal]


class Killed(Exception):
    """As far as the transaction is concerned, the process is gone."""


@contextmanager
def settlement_that_dies(*, at: int | None = None):
    """Die with this statement, counted from 0; gives the statements that were begun."""
    begun: list[str] = []

    def run(execute, sql, params, many, context):
        if "SAVEPOINT" not in sql:
            begun.append(sql)
            if at == len(begun) - 1:
                raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(run):
        yield begun


@contextmanager
def undone():
    """Whatever happens in here has not happened."""
    savepoint = transaction.savepoint()
    yield
    transaction.savepoint_rollback(savepoint)


def outcome_of(story: Story) -> dict:
    """What everybody can see, without the numbers that a sequence gives."""
    entries, picks = Entry.objects.filter(pool=story.pool), Pick.objects.filter(entry__pool=story.pool)
    fate = ("id", "status", "eliminated_round_number", "prize_cents")
    return {
        "pool": Pool.objects.values_list("status", "ended_round_number").get(pk=story.pool.pk),
        "fates": list(entries.order_by("id").values_list(*fate)),
        "picks": sorted(picks.values_list("entry", "round__number", "team__code", "source")),
    }


@pytest.fixture(params=["by a ruling", "by an import"])
def correct(request, schedule):
    """`correct(story, game, home, away)`: the score was wrong, and this is the right one."""

    def by_a_ruling(story, game, home, away):
        story.ruled(game, home, away)

    def by_an_import(story, game, home, away):
        schedule.sync(season(**{f"{game.away.code}_{game.home.code}": {"score": (home, away)}}))
        story.settled()

    return by_a_ruling if request.param == "by a ruling" else by_an_import


@pytest.fixture
def season_of_three(tell, schedule) -> Story:
    return tell(competition=schedule.competition())


def test_case_09_a_corrected_result_revives_exactly_those_entries(season_of_three, correct):
    """A result corrected from L to W revives exactly those entries, and scoring again changes nothing;"""
    story = season_of_three
    a, b, c, d = story.entries(4)
    first, second = {a: "W", b: "L", c: "L", d: "W"}, dict.fromkeys((a, b, c, d), "W")
    story.picks(1, first), story.picks(2, second)
    for week, ends in enumerate((first, second), start=1):
        story.kicks_off(week)
        story.results(week, ends)
    assert story.fates(a, b, c, d) == ["alive", "out in 1", "out in 1", "alive"]

    correct(story, story.game_of(b, 1), 30, 17)
    assert story.fates(a, b, c, d) == ["alive", "alive", "out in 1", "alive"]

    assert story.settled().difference.is_nothing
    assert story.settled(afresh=True).difference.is_nothing


def test_case_09_a_corrected_result_takes_the_title_from_a_wrongly_declared_winner(season_of_three, correct):
    """takes the title from a wrongly declared winner,"""
    story = season_of_three
    a, b, c = story.entries(3)
    story.week(1, {a: "W", b: "L", c: "L"})
    assert (story.fates(a, b, c), story.prizes(a, b, c)) == (["won", "out in 1", "out in 1"], [15000, None, None])

    correct(story, story.game_of(b, 1), 30, 17)
    assert (story.fates(a, b, c), story.prizes(a, b, c)) == (["alive", "alive", "out in 1"], [None, None, None])
    assert not story.is_over()

    correct(story, story.game_of(a, 1), 17, 30)
    assert (story.fates(a, b, c), story.prizes(a, b, c)) == (["out in 1", "won", "out in 1"], [None, 15000, None])
    assert story.settled(afresh=True).difference.is_nothing


def test_case_09_corrected_back_the_first_state_returns(season_of_three, correct):
    """corrected back, the first state returns."""
    story = season_of_three
    a, b, c = story.entries(3)
    story.week(1, {a: "W", b: "L", c: "L"})
    first = outcome_of(story)
    game = story.game_of(b, 1)

    correct(story, game, 30, 17)
    assert outcome_of(story) != first
    correct(story, game, game.home_score, game.away_score)

    assert outcome_of(story) == first
    assert story.settled(afresh=True).difference.is_nothing
