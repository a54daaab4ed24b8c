"""The Premier League's seasons in the data folder, as the oracle sees them, with made-up players who know too much.

A gameweek is a round; some teams play twice in it, and some not at all. A pick counts with its team's first game.
"""

import random
from collections import Counter
from datetime import datetime
from decimal import Decimal

from tests.oracle.league import Game, League
from tests.oracle.pool import Book, Entry, Fee, Pick, Pool
from tests.oracle.seasons import FEE_CENTS, Season, lines_of

FILE = "epl/fixtures.csv"
KNOWS, MISSES = 0.8, 0.04
MOST_TEAMS = 6
SPREADS = ("0.5", "1", "1", "1.5", "2.5")


def season_of(year: str, book: Book, *, entries: int, seed: int) -> Season:
    """A season (`2023-24`) under these rules, with every result in; the same for the same seed.

    A player picks a winner four times in five, misses one pick in twenty-five, and has a list of some teams or none.
    Favourites are made up: the file has none.
    """
    dice = random.Random(f"{year} {seed}")
    games: dict[str, Game] = {}
    for line in lines_of(FILE):
        if line["season"] == year:
            kickoff = datetime.fromisoformat(line["kickoff_utc"])
            game = Game(len(games) + 1, int(line["gameweek_played"]), line["home"], line["away"], kickoff)
            game.spread = Decimal(dice.choice(SPREADS)) * dice.choice((1, 1, -1))
            games[line["code"]] = game.report("final", int(line["home_goals"]), int(line["away_goals"]))
    league = League(list(games.values()))
    pool = Pool(max(game.round for game in league.games), books=[book])
    weeks = {number: _first_games(league, number) for number in pool.rounds}
    for id in range(1, entries + 1):
        pool.entries.append(_entry(id, book, weeks, dice))
    return Season(league, pool, {entry.id: f"E{entry.id}" for entry in pool.entries}, Counter(), {}, games)


def _first_games(league: League, number: int) -> dict[str, Game]:
    """Each team's first game of the round."""
    found: dict[str, Game] = {}
    for game in sorted(league.games_of(number), key=lambda game: (game.kickoff, game.id)):
        for team in game.teams:
            found.setdefault(team, game)
    return found


def _entry(id: int, book: Book, weeks: dict[int, dict[str, Game]], dice: random.Random) -> Entry:
    entry = Entry(id, fees=[Fee(FEE_CENTS)])
    used: Counter[tuple[bool, str]] = Counter()
    for number, games in weeks.items():
        is_reset = book.reuse_reset_round is not None and number >= book.reuse_reset_round
        here: list[str] = []
        for slot in range(1, book.asks_for(number) + 1):
            free = [t for t in games if t not in here and used[is_reset, t] < book.reuse_limit]
            winners = [team for team in free if games[team].margin_of(team) > 0]
            # Nobody misses the first: who never picks is not in the file.
            if not free or (number > 1 and dice.random() < MISSES):
                break
            team = dice.choice(winners if winners and dice.random() < KNOWS else free)
            used[is_reset, team] += 1
            here.append(team)
            entry.picks.append(Pick(number, team, games[team].id, slot, "import"))
    if dice.random() < 0.5:
        teams = sorted({team for games in weeks.values() for team in games})
        entry.fallback = dice.sample(teams, dice.randint(1, MOST_TEAMS))
    return entry
