"""Two seasons of the Premier League with made-up players, entry by entry beside the oracle.

Gameweeks in which teams play twice, and gameweeks in which some do not play at all; draws; teams that go by their
names; kickoffs in UTC.
"""

from dataclasses import replace

import pytest

from entries.models import Pick
from entries.services.imports.rows import Row
from pools.services.schedule import read_schedule
from tests.oracle import Book
from tests.oracle.gameweeks import season_of
from tests.support.playback import Playback, play
from tests.support.shared_data import shared_data

pytestmark = [pytest.mark.slow, pytest.mark.sliced, pytest.mark.django_db(transaction=True)]

SEED = 38
ENTRIES = 2_000
OWNERS = 700
TABLE = (6_000, 2_500, 1_500)
HALVES = {"reuse_limit": 2, "reuse_reset_round": 20}


def playback_of(year: str, **rules) -> Playback:
    season = season_of(year, Book(**rules), entries=ENTRIES, seed=SEED)
    schedule = read_schedule(str(shared_data("epl/fixtures.csv")), season=year)
    # The file has no favourites: everybody believes the same made-up ones.
    spreads = {name: game.spread for name, game in season.games.items()}
    fixtures = [replace(fixture, home_spread=spreads[fixture.external_id]) for fixture in schedule.fixtures]
    playback = Playback(season, replace(schedule, fixtures=fixtures))
    picks = [(season.names[entry.id], entry.id, pick) for entry in season.pool.entries for pick in entry.picks]
    playback.bring_entries(
        Row(line, name, f"Owner {id % OWNERS}", pick.round, pick.team, "")
        for line, (name, id, pick) in enumerate(picks, start=2)
    )
    return playback


@pytest.mark.parametrize(
    ("year", "rules"),
    [
        ("2023-24", {"strikes": 3, "missed_pick": "favourite", "two_pick_rounds": (10, 25), **HALVES}),
        pytest.param(
            "2023-24",
            {"strikes": 2, "tie": "void", "missed_pick": "strike", "all_out": "tiebreak", "reuse_limit": 2},
            marks=pytest.mark.longest,
        ),
        ("2021-22", {"strikes": 4, "tie": "win", "missed_pick": "fallback", "missed_pick_then": "favourite",
                     "picks_per_round": 2, "payout": "table", "payout_table": TABLE, **HALVES}),
        ("2021-22", {"lock": "game", "strikes": 3, "tie": "void", "missed_pick": "fallback",
                     "missed_pick_then": "strike", "two_pick_rounds": (18, 30), "last_round": "tiebreak",
                     "payout": "table", "payout_table": TABLE, "house_fee_bp": 750, **HALVES}),
    ],
    ids=["one pick", "one life", "two picks", "a lock for each game"],
)  # fmt: skip
def test_a_season_of_gameweeks(year, rules):
    playback = playback_of(year, **rules)
    by_game = rules.get("lock") == "game"

    verdict = play(
        playback, playback.middles_and_ends_of_rounds() if by_game else playback.ends_of_rounds(), look_every=4
    )

    assert verdict.ended_round > 19
    assert Pick.objects.exclude(source="import").exists() == (rules["missed_pick"] in ("favourite", "fallback"))
    # Nothing would be shown by a season without gameweeks that are too full or too empty.
    games = [len(playback.league.games_of(number)) for number in playback.oracles_pool.rounds]
    assert min(games) < 10 < max(games)
