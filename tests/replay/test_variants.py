"""The real contests under rules that they did not have, entry by entry beside the oracle, after every round.

Real players stopped picking when they were out. Under rules that keep them in, what is missed then is for the rule
about missed picks to decide: that is what it is for.
"""

import random

import pytest

from entries.services.imports import RowFile
from pools.services.schedule import open_rows, read_rounds, read_schedule
from tests.oracle import Book
from tests.oracle.seasons import Season, season_of
from tests.support.playback import Playback, play
from tests.support.shared_data import FOLDER, shared_data

pytestmark = [pytest.mark.slow, pytest.mark.sliced, pytest.mark.django_db(transaction=True)]

SEED = 20
MOST_TEAMS = 6
TABLE = (5_000, 2_500, 1_500, 1_000)

VARIANTS = {
    "as it was": {},
    "a tie wins": {"tie": "win"},
    "a tie is void": {"tie": "void", "missed_pick": "favourite"},
    "two strikes": {"strikes": 2},
    "a missed pick is a strike": {"strikes": 2, "missed_pick": "strike"},
    "favourites fill in": {"missed_pick": "favourite"},
    "lists fill in": {"missed_pick": "fallback"},
    "lists, then favourites": {"missed_pick": "fallback", "missed_pick_then": "favourite", "strikes": 1},
    "lists, then a strike": {"missed_pick": "fallback", "missed_pick_then": "strike", "strikes": 1},
    "places and margins": {"payout": "table", "payout_table": TABLE, "last_round": "tiebreak", "house_fee_bp": 333},
    "all out, all back": {"all_out": "revive", "missed_pick": "strike"},
    "everything at once": {
        "strikes": 2, "tie": "void", "missed_pick": "fallback", "missed_pick_then": "favourite", "reuse_limit": 2,
        "reuse_reset_round": 10, "two_pick_rounds": (16, 17), "lock": "game", "last_round": "tiebreak",
        "payout": "table", "payout_table": TABLE, "house_fee_bp": 1_000,
    },
}  # fmt: skip


def playback_of(year: str, **rules) -> Playback:
    """A season of the contest under these rules. Every other entry has a list of some teams; they only matter there."""
    season = season_of(year, Book(**rules))
    give_lists(season)
    schedule = read_schedule(str(shared_data("nfl/games.csv")), season=year)
    with open_rows(str(shared_data(f"circa/{year}/rounds.csv"))) as rows:
        drawn = read_rounds(rows)
    playback = Playback(season, schedule, drawn)
    playback.bring_entries(RowFile(FOLDER / "circa" / year / "picks.csv.gz"))
    return playback


def give_lists(season: Season) -> None:
    dice = random.Random(SEED)
    teams = sorted({team for game in season.league.games for team in game.teams})
    for entry in season.pool.entries[::2]:
        entry.fallback = dice.sample(teams, dice.randint(1, MOST_TEAMS))


# The others take minutes more and run when they are asked for.
IN_CI = ("a tie wins", "two strikes", "favourites fill in", "lists fill in", "everything at once")


def longest(*values, unless: bool):
    """A case that CI leaves out."""
    return pytest.param(*values, marks=() if unless else pytest.mark.longest)


@pytest.mark.parametrize("rules", [longest(VARIANTS[name], unless=name in IN_CI) for name in VARIANTS], ids=VARIANTS)
def test_the_season_of_2020_under_other_rules(rules):
    playback = playback_of("2020", **rules)
    by_game = rules.get("lock") == "game"

    play(playback, playback.middles_and_ends_of_rounds() if by_game else playback.ends_of_rounds())


@pytest.mark.parametrize("variant", ["two strikes", longest("everything at once", unless=False)])
def test_the_largest_season_under_other_rules(variant):
    """Looked at after a third, after two thirds, and at the end."""
    playback = playback_of("2024", **VARIANTS[variant])
    ends = playback.ends_of_rounds()

    play(playback, [*ends[:: len(ends) // 3], ends[-1]])
