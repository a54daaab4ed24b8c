"""The oracle on reality: three seasons of one contest, entry by entry, without a database."""

import pytest

from tests.oracle import Book, fill_in_all, grade
from tests.oracle.seasons import AFTER_ALL, FEE_CENTS, alive_after, season_of

# What the data's own notes say: entries, winners, and who ends otherwise than published: (published, here).
SEASONS = {
    "2020": (1_373, 35, {"329-3": (("eliminated", 12), ("eliminated", 13))}),
    "2021": (4_073, 5, {"998-6": (("eliminated", 6), ("eliminated", 5))}),
    "2024": (14_221, 8, {}),
}
# The contest's reasons in our words. Eight moved games were refused as picks, so that their entries missed the round.
REASONS = {"": {""}, "pick_game_postponed": {"no_pick", "game_cancelled"}}


def differences(season, verdict) -> dict:
    found = {}
    for id, fate in verdict.fates.items():
        published, here = season.published[season.names[id]], (fate.status, fate.eliminated_round)
        if published[:2] != here:
            found[season.names[id]] = (published[:2], here)
        elif fate.eliminated_code not in REASONS.get(published[2], {published[2]}):
            found[season.names[id]] = (published[2], fate.eliminated_code)
    return found


@pytest.mark.parametrize("year", SEASONS)
def test_a_season_ends_for_every_entry_as_it_was_published(year):
    entries, winners, odd = SEASONS[year]
    season = season_of(year)

    verdict = grade(season.pool, season.league, AFTER_ALL)

    assert differences(season, verdict) == odd
    assert len(verdict.fates) == entries
    assert sum(fate.status == "winner" for fate in verdict.fates.values()) == winners
    assert sum(fate.prize or 0 for fate in verdict.fates.values()) == entries * FEE_CENTS


@pytest.mark.parametrize("year", SEASONS)
def test_after_every_round_as_many_are_left_as_were_published(year):
    season = season_of(year)
    odd = {"2020": {12: 1}, "2021": {5: -1}}.get(year, {})

    verdict = grade(season.pool, season.league, AFTER_ALL)

    for number, left in alive_after(year).items():
        ours = sum((fate.eliminated_round or 99) > number for fate in verdict.fates.values())
        assert ours == left + odd.get(number, 0), f"after round {number}"


def test_with_the_moved_game_ruled_not_played_2020_is_as_published_for_all():
    season = season_of("2020")
    season.games["2020_12_BAL_PIT"].report("postponed")

    assert differences(season, grade(season.pool, season.league, AFTER_ALL)) == {}


def test_what_no_importer_would_take_was_left_out_and_nothing_else():
    assert season_of("2020").refused == {"NE has no game in round 5": 8}
    assert season_of("2021").refused == {"998-6 has used NE": 1}
    assert season_of("2024").refused == {}


def test_a_favourite_fills_in_for_whoever_missed_a_round_while_still_in():
    season = season_of("2020", Book(missed_pick="favourite"))

    made = fill_in_all(season.pool, season.league, AFTER_ALL)

    missed = {name for name, (_, _, reason) in season.published.items() if reason == "no_pick"}
    helped = {season.names[entry.id] for entry, _ in made}
    # At Thanksgiving the first game starts at the lock, and these two had used the favourites of the others.
    assert missed - helped == {"135-2", "165-5"}
    assert {pick.source for _, pick in made} == {"favourite"}
    verdict = grade(season.pool, season.league, AFTER_ALL)
    without = {season.names[id] for id, fate in verdict.fates.items() if fate.eliminated_code == "no_pick"}
    assert without == {"135-2", "165-5", "123-5"}  # the last was helped in the round before, and missed this one too
